//! `POST /corporates/verification/email/send`: sends the root user a code.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use service::multi::IdentityKind;

use crate::App;
use crate::multi::auth::finish;
use crate::multi::errors::ErrorBody;
use crate::multi::identities::{self, EmailVerificationConflict, SendCodeBody};

/// Send an email verification code to the root user.
#[utoipa::path(
    post, path = "/corporates/verification/email/send",
    operation_id = "corporateRootUserEmailVerificationCodeSend", tag = "Corporates",
    security(("api-key" = [])),
    request_body = SendCodeBody,
    responses(
        (status = 204, description = "Sent. In a sandbox nothing is sent and the code is always 123456."),
        (status = 409, description = "Nobody has the address, or it is verified.", body = EmailVerificationConflict),
        (status = 501, description = "The programme is live and the server sends no e-mail.", body = ErrorBody),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(identities::send_code(&app, IdentityKind::Corporate, &headers, body).await)
}
