//! `POST /passwords/{user_id}/create`: gives a user the first password.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa::ToSchema;

use super::wire::PasswordSetBody;
use crate::App;
use crate::http::PathText;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::invalid::both;
use crate::multi::sign_in::login::{PasswordBody, TokenError, password};
use crate::multi::wire::{path_id, succeed};
use crate::multi::{fields, schemas};

/// The password.
#[derive(ToSchema)]
#[schema(as = CreatePasswordRequest)]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CreatePasswordBody {
    /// 8 to 30 characters, among them a lower case letter, an upper case letter, a digit and a
    /// special character.
    password: PasswordBody,
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "UNRESOLVED_IDENTITY",
    "PASSWORD_TOO_SHORT",
    "PASSWORD_TOO_LONG",
    "PASSWORD_TOO_SIMPLE",
    "PASSWORD_ALREADY_CREATED",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    CreatePasswordConflict = CONFLICTS;
}

/// Create a password.
#[utoipa::path(
    post, path = "/passwords/{user_id}/create", operation_id = "passwordCreate", tag = "Passwords",
    security(("api-key" = [])),
    params(("user_id" = schemas::Id, Path, description = "The user. A root user's id is the identity's.")),
    request_body = CreatePasswordBody,
    responses(
        (status = 200, description = "Created; the user is logged in.", body = PasswordSetBody),
        (status = 404, description = "Published for tokens in links, which this server does not send; never answered.", body = TokenError),
        (status = 409, description = "No such user, no such password, or there is one already.", body = CreatePasswordConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create(&app, id, &headers, body).await)
}

async fn create(app: &App, id: PathText, headers: &HeaderMap, body: Body) -> Answer {
    let programme = auth::programme(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let wanted = fields::parse(&bytes, strict, |fields| fields.object("password", password));
    let (user, wanted) = both(path_id("user_id", id), wanted)?;
    let entropy = auth::entropy()?;
    let set = app
        .service()
        .create_password(&programme, user, wanted, entropy);
    let mut set = set.await?;
    let token = set.login.take().map(|login| login.token);
    Ok(succeed(StatusCode::OK, &PasswordSetBody::new(&set, token)))
}
