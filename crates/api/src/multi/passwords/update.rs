//! `POST /passwords/update`: changes the logged-in user's password. The session goes on, the user's
//! others end.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa::ToSchema;

use super::wire::PasswordSetBody;
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::sign_in::login::{PasswordBody, TokenError, password};
use crate::multi::wire::succeed;
use crate::multi::{fields, schemas};

/// The old password and the new.
#[derive(ToSchema)]
#[schema(as = UpdatePasswordRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct UpdatePasswordBody {
    old_password: PasswordBody,
    /// As when one is created, and none of the last five.
    new_password: PasswordBody,
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "PASSWORD_ALREADY_USED",
    "PASSWORD_TOO_SHORT",
    "PASSWORD_TOO_LONG",
    "PASSWORD_TOO_SIMPLE",
    "PASSWORD_INCORRECT",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    PasswordUpdateConflict = CONFLICTS;
}

/// Update a password.
#[utoipa::path(
    post, path = "/passwords/update", operation_id = "passwordUpdate", tag = "Passwords",
    request_body = UpdatePasswordBody,
    responses(
        (status = 200, description = "Changed; the token is the one that was shown.", body = PasswordSetBody),
        (status = 404, description = "Published for tokens in links, which this server does not send; never answered.", body = TokenError),
        (status = 409, description = "The old password is wrong, or the new one will not do.", body = PasswordUpdateConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(update(&app, &headers, body).await)
}

async fn update(app: &App, headers: &HeaderMap, body: Body) -> Answer {
    let (programme, caller) = auth::user(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let (old, new) = fields::parse(&bytes, strict, |fields| {
        let old = fields.object("oldPassword", password);
        (old, fields.object("newPassword", password))
    })?;
    let entropy = auth::entropy()?;
    let set = app.service().update_password(&caller, old, new, entropy);
    let set = set.await?;
    let token = auth::bearer(headers)?.to_owned();
    let body = PasswordSetBody::new(&set, Some(token));
    Ok(succeed(StatusCode::OK, &body))
}
