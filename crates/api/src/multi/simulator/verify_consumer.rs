//! `POST /consumers/{consumer_id}/verify`: does at once all that verifying a consumer takes. There is no body; one
//! that comes is not looked at.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use service::multi::IdentityKind;

use crate::App;
use crate::http::PathText;
use crate::multi::auth::{self, Answer, finish_simulator};
use crate::multi::errors::ErrorBody;
use crate::multi::wire::{done, path_id};
use crate::multi::{body, schemas};

/// Simulate verification of a consumer identity.
#[utoipa::path(
    post, path = "/consumers/{consumer_id}/verify", operation_id = "consumerVerify", tag = "Consumers",
    params(("consumer_id" = schemas::Id, Path, description = "The consumer.")),
    responses(
        (status = 204, description = "It is verified."),
        (status = 404, description = "The programme has no such consumer.", body = ErrorBody),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish_simulator(verify(&app, id, &headers, body).await)
}

async fn verify(app: &App, id: PathText, headers: &HeaderMap, body: Body) -> Answer {
    let programme = auth::simulator(app, headers)?;
    body::nothing(body).await?;
    let id = path_id("consumer_id", id)?;
    let kind = IdentityKind::Consumer;
    app.service()
        .simulate_verification(&programme, kind, id)
        .await?;
    Ok(done())
}
