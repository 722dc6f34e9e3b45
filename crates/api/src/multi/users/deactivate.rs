//! `POST /users/{user_id}/deactivate`: lets a user log in no more; their sessions end. There is no body; one that comes is not looked
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

/// Deactivate a user.
#[utoipa::path(
    post, path = "/users/{user_id}/deactivate", operation_id = "userDeactivate", tag = "Authorised Users",
    params(("user_id" = schemas::Id, Path, description = "The user.")),
    responses(
        (status = 204, description = "They may not log in, and their tokens are good for nothing."),
        (status = 404, description = "The caller's identity has no such user.", body = ErrorBody),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(deactivate(&app, id, &headers, body).await)
}

async fn deactivate(app: &App, id: PathText, headers: &HeaderMap, body: Body) -> Answer {
    let (_, caller) = auth::user(app, headers)?;
    body::nothing(body).await?;
    let id = path_id("user_id", id)?;
    app.service().set_user_active(&caller, id, false).await?;
    Ok(done())
}
