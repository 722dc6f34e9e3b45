//! `POST /access_token`: chooses one of the user's identities.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::OwnerId;
use serde::Serialize;
use service::multi::Login;
use utoipa::ToSchema;

use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::people::{CredentialBody, IdentityIdBody, IdentityRef};
use crate::multi::wire::succeed;
use crate::multi::{fields, rules, schemas};

/// Which identity.
#[derive(ToSchema)]
#[schema(as = AccessTokenRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct AccessTokenRequestBody {
    identity: IdentityIdBody,
    /// For delegated clients, which this server does not have; not looked at.
    #[schema(value_type = Option<schemas::Free>)]
    client_assertion: Option<String>,
    /// The same.
    #[schema(value_type = Option<schemas::Free>)]
    token: Option<String>,
}

/// What a token has gone through. This server asks for no second factor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AccessTokenStatus {
    /// One factor.
    Standard,
}

/// A session for one identity.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessTokenResponse)]
pub struct AccessTokenBody {
    token: String,
    identity: IdentityIdBody,
    credentials: CredentialBody,
    status: AccessTokenStatus,
}

impl From<Login> for AccessTokenBody {
    fn from(login: Login) -> AccessTokenBody {
        AccessTokenBody {
            token: login.token,
            identity: IdentityIdBody::new(login.identity, login.owner.raw()),
            credentials: CredentialBody::new(login.credentials, login.user),
            status: AccessTokenStatus::Standard,
        }
    }
}

/// Acquire a new access token.
#[utoipa::path(
    post, path = "/access_token", operation_id = "requestAccessToken", tag = "Access",
    request_body = AccessTokenRequestBody,
    responses(
        (status = 200, description = "A token for the identity; the old one goes on.", body = AccessTokenBody),
        (status = 403, description = "The identity is none of the user's."),
        (status = 423, description = "Locked."),
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
    let (programme, caller) = auth::holder(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let identity = fields::parse(&bytes, strict, |fields| {
        fields.optional_text("clientAssertion", &rules::FREE);
        fields.optional_text("token", &rules::FREE);
        fields.object("identity", IdentityRef::read)
    })?;
    let (kind, owner) = (identity.kind, OwnerId::new(identity.id));
    let login = app
        .service()
        .access_token(&caller, kind, owner, auth::entropy()?);
    let body = AccessTokenBody::from(login.await?);
    Ok(succeed(StatusCode::OK, &body))
}
