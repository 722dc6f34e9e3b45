//! `POST /backoffice/access_token`: begins a session in an identity's place.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use service::multi::Login;
use utoipa::ToSchema;

use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::people::{CredentialBody, IdentityIdBody, IdentityRef};
use crate::multi::wire::succeed;
use crate::multi::{fields, schemas};

/// In whose place.
#[derive(ToSchema)]
#[schema(as = ImpersonateIdentityLoginRequest)]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct ImpersonateBody {
    identity: IdentityIdBody,
}

/// A session in an identity's place.
#[derive(Serialize, ToSchema)]
#[schema(as = ImpersonateIdentityLoginResponse)]
pub struct ImpersonatedBody {
    token: TokenBody,
    identity: IdentityIdBody,
    credentials: CredentialBody,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenResponse)]
pub struct TokenBody {
    /// For the `Authorization` header of the Back Office; it lives 5 minutes from its last use.
    token: String,
}

impl From<Login> for ImpersonatedBody {
    fn from(login: Login) -> ImpersonatedBody {
        ImpersonatedBody {
            token: TokenBody { token: login.token },
            identity: IdentityIdBody::new(login.identity, login.owner.raw()),
            credentials: CredentialBody::new(login.credentials, login.user),
        }
    }
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &["UNRESOLVED_IDENTITY"];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ImpersonateIdentityLoginConflict = CONFLICTS;
}

/// Acquire a new access token.
#[utoipa::path(
    post, path = "/access_token", operation_id = "backofficeAccessToken", tag = "Access Token",
    security(("api-key" = [])),
    request_body = ImpersonateBody,
    responses(
        (status = 200, description = "A token for the Back Office only.", body = ImpersonatedBody),
        (status = 409, description = "No such identity.", body = ImpersonateIdentityLoginConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(access_token(&app, &headers, body).await)
}

async fn access_token(app: &App, headers: &HeaderMap, body: Body) -> Answer {
    let programme = auth::programme(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let identity = fields::parse(&bytes, strict, |fields| {
        // Published without a meaning.
        fields.ignored("temp");
        fields.object("identity", IdentityRef::read)
    })?;
    let entropy = auth::entropy()?;
    let login = app
        .service()
        .backoffice_token(&programme, identity.kind, identity.id, entropy);
    let body = ImpersonatedBody::from(login.await?);
    Ok(succeed(StatusCode::OK, &body))
}
