//! `POST /users/{user_id}/activate`: lets a user log in again. There is no body; one that comes is not looked
//! at.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::App;
use crate::http::PathText;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::errors::ErrorBody;
use crate::multi::wire::{done, path_id};
use crate::multi::{body, schemas};

/// Activate a user.
#[utoipa::path(
    post, path = "/users/{user_id}/activate", operation_id = "userActivate", tag = "Authorised Users",
    params(("user_id" = schemas::Id, Path, description = "The user.")),
    responses(
        (status = 204, description = "They may log in."),
        (status = 404, description = "The caller's identity has no such user.", body = ErrorBody),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(activate(&app, id, &headers, body).await)
}

async fn activate(app: &App, id: PathText, headers: &HeaderMap, body: Body) -> Answer {
    let (_, caller) = auth::user(app, headers)?;
    body::nothing(body).await?;
    let id = path_id("user_id", id)?;
    app.service().set_user_active(&caller, id, true).await?;
    Ok(done())
}
