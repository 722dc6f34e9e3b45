//! `POST /logout`: ends the session. There is no body; one that comes is not looked at.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body;
use crate::multi::wire::done;

/// Logout.
#[utoipa::path(
    post, path = "/logout", operation_id = "logout", tag = "Access",
    responses((status = 204, description = "The token is good for nothing any more.")),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(logout(&app, &headers, body).await)
}

async fn logout(app: &App, headers: &HeaderMap, body: Body) -> Answer {
    let (_, caller) = auth::holder(app, headers)?;
    body::nothing(body).await?;
    app.service().logout(&caller).await?;
    Ok(done())
}
