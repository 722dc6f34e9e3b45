//! `GET /managed_cards/{id}/statement`: what happened on one card, as JSON or CSV.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::InstrumentClass;
use service::multi::Surface;

use crate::http::PathText;
use crate::multi::errors::ErrorBody;
use crate::multi::statements::request::{Order, TransactionType};
use crate::multi::statements::wire::StatementBody;
use crate::multi::{schemas, statements};
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    id: PathText,
    parts: Parts,
) -> Response {
    let class = InstrumentClass::Card;
    let answer = statements::answer(&app, class, surface, id, &parts);
    metrics::observed(&app, "multiCardStatement", answer).await
}

/// Get a managed card statement.
#[utoipa::path(
    get, path = "/managed_cards/{id}/statement", operation_id = "managedCardStatement", tag = "Managed Cards",
    params(
        ("id" = schemas::Id, Path, description = "The card."),
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("statementLimit" = inline(Option<schemas::StatementLimit>), Query),
        ("orderByTimestamp" = inline(Option<Order>), Query, description = "`DESC` unless given."),
        ("fromTimestamp" = inline(Option<schemas::Timestamp>), Query, description = "At or after."),
        ("toTimestamp" = inline(Option<schemas::Timestamp>), Query, description = "At or before; greater than `fromTimestamp`."),
        ("singleEntryPerTransaction" = Option<bool>, Query, description = "One entry for each transaction that has ended."),
        ("transactionType" = inline(Option<Vec<TransactionType>>), Query, description = "Of one of these types."),
    ),
    responses(
        (status = 200, description = "A page.", content(
            (StatementBody = "application/json"),
            (String = "text/csv"),
        )),
        (status = 404, description = "The caller's identity has no such card.", body = ErrorBody),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
