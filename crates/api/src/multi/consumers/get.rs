//! `GET /consumers`: the caller's own identity.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service::multi::IdentityKind;

use super::wire::ConsumerBody;
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::wire::succeed;

/// Get a consumer.
#[utoipa::path(
    get, path = "/consumers", operation_id = "consumerGet", tag = "Consumers",
    responses(
        (status = 200, description = "As it is now.", body = ConsumerBody),
        (status = 403, description = "The user's identity is no consumer."),
    ),
)]
pub(in crate::multi) async fn handle(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    finish(get(&app, &headers).await)
}

async fn get(app: &App, headers: &HeaderMap) -> Answer {
    let kind = IdentityKind::Consumer;
    let (_, caller) = auth::user_of(app, headers, Some(kind))?;
    let identity = app.service().identity(&caller, kind).await?;
    Ok(succeed(StatusCode::OK, &ConsumerBody::new(&identity)))
}
