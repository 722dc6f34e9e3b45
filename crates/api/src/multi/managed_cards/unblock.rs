//! `POST /managed_cards/{id}/unblock`: lifts a block that a user put on a card. There is no body; one that comes is not
//! looked at.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::InstrumentClass;
use service::multi::Surface;

use crate::http::PathText;
use crate::multi::errors::ErrorBody;
use crate::multi::instruments::{Step, step};
use crate::multi::request_ref::RequestRef;
use crate::multi::schemas;
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    Extension(request): Extension<RequestRef>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let what = (InstrumentClass::Card, Step::Unblock);
    let answer = step(&app, what, (surface, request), id, &parts, body);
    metrics::observed(&app, "multiUnblockCard", answer).await
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "INSTRUMENT_NOT_BLOCKED",
    "INSTRUMENT_DESTROYED",
    "INSTRUMENT_MARKED_LOST_STOLEN",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ManagedCardUnblockConflict = CONFLICTS;
}

/// Unblock a managed card.
#[utoipa::path(
    post, path = "/managed_cards/{id}/unblock", operation_id = "managedCardUnblock", tag = "Managed Cards",
    params(
        ("id" = schemas::Id, Path, description = "The card."),
        ("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header),
    ),
    responses(
        (status = 204, description = "Active again."),
        (status = 404, description = "The caller's identity has no such card.", body = ErrorBody),
        (status = 409, description = "The card's state does not allow it.", body = ManagedCardUnblockConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
