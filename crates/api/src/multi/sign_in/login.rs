//! `POST /login_with_password`: begins a session.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use service::multi::{Login, Password};
use utoipa::ToSchema;

use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::fields::{self, Fields};
use crate::multi::people::{CredentialBody, IdentityIdBody, TokenType};
use crate::multi::wire::succeed;
use crate::multi::{rules, schemas};

/// Who logs in.
#[derive(ToSchema)]
#[schema(as = LoginWithPasswordRequest)]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct LoginRequestBody {
    #[schema(value_type = schemas::Email)]
    email: String,
    password: PasswordBody,
}

/// A password.
#[derive(ToSchema)]
#[schema(as = SensitivePassword)]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct PasswordBody {
    #[schema(value_type = schemas::Password)]
    value: String,
}

/// Reads the object.
pub(in crate::multi) fn password(fields: &mut Fields<'_>) -> Password {
    Password::new(fields.text("value", &rules::PASSWORD))
}

/// What is published for tokens in links.
const TOKEN_ERRORS: &[&str] = &["TOKEN_EXPIRED", "TOKEN_NOT_FOUND"];

schemas::conflicts! {
    /// A refusal with one of [`TOKEN_ERRORS`].
    TokenError = TOKEN_ERRORS;
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LoginWithPasswordResponse)]
pub struct LoginBody {
    /// For the `Authorization` header; it lives 5 minutes from its last use.
    token: String,
    token_type: TokenType,
    identity: IdentityIdBody,
    credentials: CredentialBody,
}

impl From<Login> for LoginBody {
    fn from(login: Login) -> LoginBody {
        LoginBody {
            token: login.token,
            token_type: login.kind.into(),
            identity: IdentityIdBody::new(login.identity, login.owner.raw()),
            credentials: CredentialBody::new(login.credentials, login.user),
        }
    }
}

/// Login with password.
#[utoipa::path(
    post, path = "/login_with_password", operation_id = "loginWithPassword", tag = "Access",
    security(("api-key" = [])),
    request_body = LoginRequestBody,
    responses(
        (status = 200, description = "Logged in. With `AUTH` an identity must be chosen first.", body = LoginBody),
        (status = 403, description = "Address and password are not those of an active user."),
        (status = 404, description = "Published for tokens in links, which this server does not send; never answered.", body = TokenError),
        (status = 423, description = "Locked for 30 minutes after 5 wrong passwords in a row."),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(login(&app, &headers, body).await)
}

async fn login(app: &App, headers: &HeaderMap, body: Body) -> Answer {
    let programme = auth::programme(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let (email, password) = fields::parse(&bytes, strict, |fields| {
        let email = fields.text("email", &rules::EMAIL);
        (email, fields.object("password", password))
    })?;
    let login = app
        .service()
        .login(&programme, &email, password, auth::entropy()?);
    Ok(succeed(StatusCode::OK, &LoginBody::from(login.await?)))
}
