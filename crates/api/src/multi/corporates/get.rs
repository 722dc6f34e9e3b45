//! `GET /corporates`: the caller's own identity.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service::multi::IdentityKind;

use super::wire::{CorporateBody, CorporateOf, CorporateRootUserBody};
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::wire::succeed;

/// Get a corporate.
#[utoipa::path(
    get, path = "/corporates", operation_id = "corporateGet", tag = "Corporates",
    responses(
        (status = 200, description = "As it is now.", body = CorporateOf<'static, CorporateRootUserBody<'static>>),
        (status = 403, description = "The user's identity is no corporate."),
    ),
)]
pub(in crate::multi) async fn handle(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    finish(get(&app, &headers).await)
}

async fn get(app: &App, headers: &HeaderMap) -> Answer {
    let kind = IdentityKind::Corporate;
    let (_, caller) = auth::user_of(app, headers, Some(kind))?;
    let identity = app.service().identity(&caller, kind).await?;
    Ok(succeed(StatusCode::OK, &CorporateBody::new(&identity)))
}
