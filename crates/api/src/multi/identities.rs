//! What corporates and consumers have in common on the wire.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use service::multi::IdentityKind;
use utoipa::ToSchema;

use super::auth::{self, Answer};
use super::body::{self, BODY_MAX};
use super::wire::done;
use super::{fields, rules, schemas};
use crate::App;

/// Whose e-mail address.
#[derive(ToSchema)]
#[schema(as = SendVerificationCodeRequest)]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct SendCodeBody {
    #[schema(value_type = schemas::Email)]
    email: String,
}

/// What was sent to an address.
#[derive(ToSchema)]
#[schema(as = VerifyEmailRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct VerifyCodeBody {
    #[schema(value_type = schemas::Email)]
    email: String,
    #[schema(value_type = schemas::VerificationCode)]
    verification_code: String,
}

/// Why sending a code can be refused by the state of things.
pub(in crate::multi) const SEND_CONFLICTS: &[&str] = &["EMAIL_NOT_FOUND", "ALREADY_VERIFIED"];
/// Why a code can be refused.
pub(in crate::multi) const VERIFY_CONFLICTS: &[&str] = &["VERIFICATION_CODE_INVALID"];

schemas::conflicts! {
    /// A refusal with one of [`SEND_CONFLICTS`].
    EmailVerificationConflict = SEND_CONFLICTS;
    /// A refusal with one of [`VERIFY_CONFLICTS`].
    VerifyConflict = VERIFY_CONFLICTS;
}

/// Sends a code to a root user's address.
pub(super) async fn send_code(
    app: &Arc<App>,
    kind: IdentityKind,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let programme = auth::programme(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let email = fields::parse(&bytes, strict, |fields| fields.text("email", &rules::EMAIL))?;
    let sent = app.service().send_email_code(&programme, kind, &email);
    sent.await?;
    Ok(done())
}

/// Takes the code that was sent there.
pub(super) async fn verify_code(
    app: &Arc<App>,
    kind: IdentityKind,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let programme = auth::programme(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let (email, code) = fields::parse(&bytes, strict, |fields| {
        let email = fields.text("email", &rules::EMAIL);
        (
            email,
            fields.text("verificationCode", &rules::VERIFICATION_CODE),
        )
    })?;
    let verified = app.service().verify_email(&programme, kind, &email, &code);
    verified.await?;
    Ok(done())
}
