//! `POST /corporates/verification/email/verify`: takes the code that the root user was sent.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use service::multi::IdentityKind;

use crate::App;
use crate::multi::auth::finish;
use crate::multi::identities::{self, VerifyCodeBody, VerifyConflict};

/// Verify email of the root user.
#[utoipa::path(
    post, path = "/corporates/verification/email/verify",
    operation_id = "corporateRootUserEmailVerify", tag = "Corporates",
    security(("api-key" = [])),
    request_body = VerifyCodeBody,
    responses(
        (status = 204, description = "The address is verified."),
        (status = 409, description = "That was not the code.", body = VerifyConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(identities::verify_code(&app, IdentityKind::Corporate, &headers, body).await)
}
