//! What every call goes through: who asks, the envelope, and the audit log.
//!
//! An answer to a known key is sent after its audit entry is durable, refusals too. When the entry
//! cannot be written the answer is 503, whatever was done: a write that is repeated with its
//! idempotency key gets the first answer.

use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use service::{ApiKey, AuditEntry, IdempotencyKey};

use super::errors::{Failure, refusal};
use crate::http::json_response;
use crate::{App, metrics};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of an idempotency key (sequence-api §12).
const KEY_MAX: usize = 36;
/// Characters of `x-called-reason` that are kept.
const REASON_MAX: usize = 255;

/// A request of a known key.
pub(super) struct Call {
    /// The calling key.
    pub key: Arc<ApiKey>,
    /// The id of this request.
    pub request_id: String,
}

/// What is answered when all is well.
pub(super) struct Done {
    pub status: StatusCode,
    pub data: Value,
    /// The request id of the original answer.
    pub request_id: Option<Arc<str>>,
}

impl Done {
    pub(super) fn ok(data: Value) -> Done {
        Done::with(StatusCode::OK, data)
    }

    pub(super) fn with(status: StatusCode, data: Value) -> Done {
        Done {
            status,
            data,
            request_id: None,
        }
    }
}

/// Answers one call. `action` is its name in the audit log, `operation` in the metrics.
pub(super) async fn serve(
    app: &App,
    parts: &Parts,
    (action, operation): (&'static str, &'static str),
    work: impl AsyncFnOnce(&Call) -> Result<Done, Failure>,
) -> Response {
    let answer = async {
        let request_id = request_id(app);
        let key = match authenticate(app, parts) {
            Ok(key) => key,
            Err(failure) => return fail(&request_id, &failure),
        };
        let call = Call { key, request_id };
        let outcome = work(&call).await;
        let error = outcome.as_ref().err().map(|failure| refusal(failure).code);
        let entry = AuditEntry {
            path: parts.uri.path().to_owned(),
            action: Some(action.to_owned()),
            request_id: call.request_id.clone(),
            error_code: error.map(str::to_owned),
            reason: called_reason(parts),
            ..AuditEntry::by(&call.key)
        };
        if let Err(error) = app.service().audit(call.key.tenant, &entry).await {
            return fail(&call.request_id, &error.into());
        }
        match outcome {
            Ok(done) => succeed(&call.request_id, done),
            Err(failure) => fail(&call.request_id, &failure),
        }
    };
    metrics::observed(app, operation, answer).await
}

/// `req-` and a number.
fn request_id(app: &App) -> String {
    format!("req-{}", app.new_request_number())
}

/// `Authorization: Bearer <key>`.
fn authenticate(app: &App, parts: &Parts) -> Result<Arc<ApiKey>, Failure> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Failure::Unauthorized);
    };
    let text = value.to_str().map_err(|_| Failure::Unauthorized)?;
    let (scheme, key) = text.split_once(' ').ok_or(Failure::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Failure::Unauthorized);
    }
    app.service()
        .authenticate(key.trim())?
        .ok_or(Failure::Unauthorized)
}

fn called_reason(parts: &Parts) -> Option<String> {
    let value = parts.headers.get("x-called-reason")?;
    let text = String::from_utf8_lossy(value.as_bytes());
    Some(text.chars().take(REASON_MAX).collect())
}

/// `idempotency-key`: 1 to 36 letters, digits and some signs.
pub(super) fn idempotency_key(
    parts: &Parts,
    request_id: &str,
) -> Result<Option<IdempotencyKey>, Failure> {
    let mut values = parts.headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/|-".contains(&byte);
    if values.next().is_some() || text.is_empty() || text.len() > KEY_MAX || !text.bytes().all(fits)
    {
        let reason = "must have 1 to 36 letters, digits and the signs . _ : / | -";
        return Err(Failure::invalid("idempotency-key", reason));
    }
    Ok(Some(IdempotencyKey::new(text, request_id)?))
}

fn succeed(request_id: &str, done: Done) -> Response {
    let original = done.request_id.as_deref().unwrap_or(request_id);
    let body = json!({"data": done.data, "requestId": original});
    with_id(
        json_response(done.status, body.to_string().into_bytes()),
        request_id,
    )
}

/// A refusal.
pub(super) fn fail(request_id: &str, failure: &Failure) -> Response {
    let refusal = refusal(failure);
    if refusal.status.is_server_error() {
        tracing::error!(request_id, ?failure, "request failed");
    }
    let body = json!({"error": {"code": refusal.code, "message": refusal.message}});
    let mut response = json_response(refusal.status, body.to_string().into_bytes());
    let headers = response.headers_mut();
    if refusal.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = refusal.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    with_id(response, request_id)
}

/// A refusal of a request that belongs to no key yet.
pub(super) fn refuse(app: &App, failure: &Failure) -> Response {
    fail(&request_id(app), failure)
}

fn with_id(mut response: Response, id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
