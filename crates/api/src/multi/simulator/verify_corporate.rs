//! `POST /corporates/{corporate_id}/verify`: does at once all that verifying a corporate takes. There is no body; one
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

/// Simulate verification of a corporate identity.
#[utoipa::path(
    post, path = "/corporates/{corporate_id}/verify", operation_id = "corporateVerify", tag = "Corporates",
    params(("corporate_id" = schemas::Id, Path, description = "The corporate.")),
    responses(
        (status = 204, description = "It is verified."),
        (status = 404, description = "The programme has no such corporate.", body = ErrorBody),
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
    let id = path_id("corporate_id", id)?;
    let kind = IdentityKind::Corporate;
    app.service()
        .simulate_verification(&programme, kind, id)
        .await?;
    Ok(done())
}
