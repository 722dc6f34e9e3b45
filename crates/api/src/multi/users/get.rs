//! `GET /users/{user_id}`: one user of the caller's identity.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::wire::UserBody;
use crate::App;
use crate::http::PathText;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::errors::ErrorBody;
use crate::multi::schemas;
use crate::multi::wire::{path_id, succeed};

/// Get a user.
#[utoipa::path(
    get, path = "/users/{user_id}", operation_id = "userGetById", tag = "Authorised Users",
    params(("user_id" = schemas::Id, Path, description = "The user.")),
    responses(
        (status = 200, description = "As it is now.", body = UserBody),
        (status = 404, description = "The caller's identity has no such user.", body = ErrorBody),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    headers: HeaderMap,
) -> Response {
    finish(get(&app, id, &headers).await)
}

async fn get(app: &App, id: PathText, headers: &HeaderMap) -> Answer {
    let (_, caller) = auth::user(app, headers)?;
    let id = path_id("user_id", id)?;
    let user = app.service().user(&caller, id).await?;
    Ok(succeed(StatusCode::OK, &UserBody::from(&user)))
}
