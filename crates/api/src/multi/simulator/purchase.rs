//! `POST /cards/{card_id}/purchase`: something is bought with a card.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::at_merchant::{Way, pay};
use super::money::{PurchaseBody, PurchaseCodeBody};
use crate::http::PathText;
use crate::multi::wire::succeed;
use crate::multi::{errors, schemas};
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match pay(&app, Way::Purchase, id, &parts, body).await {
            Ok(code) => succeed(StatusCode::OK, &PurchaseCodeBody { code }),
            Err(failure) => errors::respond_simulator(failure),
        }
    };
    metrics::observed(&app, "simulatePurchase", answer).await
}

/// Simulate card purchase using card id.
#[utoipa::path(
    post, path = "/cards/{card_id}/purchase", operation_id = "cards_card_id_purchase", tag = "Simulator",
    params(
        ("card_id" = schemas::Id, Path, description = "The card."),
        ("call-ref" = inline(Option<schemas::CallRef>), Header),
    ),
    request_body = PurchaseBody,
    responses((status = 200, description = "What became of it; a denial is an answer too.", body = PurchaseCodeBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
