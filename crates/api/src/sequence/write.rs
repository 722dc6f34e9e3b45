//! What every request that writes goes through first.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use service::{ApiKey, IdempotencyKey};

use super::errors::Failure;
use super::{BODY_MAX, auth};
use crate::App;
use crate::http::{is_json, read_body};
use crate::json::{Fault, strict};

/// Whether a request may come without a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needs {
    /// It is JSON.
    Json,
    /// JSON, or nothing.
    JsonOrNothing,
    /// It is not looked at.
    Nothing,
}

/// A request that may be looked into.
pub(super) struct Write {
    /// The calling key.
    pub key: Arc<ApiKey>,
    /// The client's idempotency key.
    pub idempotency: Option<IdempotencyKey>,
    /// The body's bytes; `{}` for none.
    pub bytes: Bytes,
}

/// Who asks, and what: refused in the order 401, 415, 413, 400 for the request id and the
/// idempotency key.
pub(super) async fn accept(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    needs: Needs,
    (request_id, usable): (&str, Result<(), Failure>),
) -> Result<Write, Failure> {
    let key = auth::authenticate(app, headers)?;
    let nothing = needs == Needs::Nothing || needs == Needs::JsonOrNothing && body.is_end_stream();
    let bytes = if nothing {
        Bytes::from_static(b"{}")
    } else if is_json(headers) {
        read_body(body, BODY_MAX).await.map_err(Failure::Body)?
    } else {
        return Err(Failure::NotJson);
    };
    usable?;
    let idempotency = idempotency_key(headers, request_id)?;
    Ok(Write {
        key,
        idempotency,
        bytes,
    })
}

impl Write {
    /// The parsed body in one form: what a repeated request must have again.
    ///
    /// Call it on a body that was read field by field before, so that it is known to be JSON.
    pub(super) fn canonical(&self) -> Vec<u8> {
        strict(&self.bytes).map_or_else(|_| Vec::new(), |value| value.to_string().into_bytes())
    }
}

fn idempotency_key(
    headers: &HeaderMap,
    request_id: &str,
) -> Result<Option<IdempotencyKey>, Failure> {
    let mut values = headers.get_all("idempotency-key").iter();
    let value = values.next();
    if values.next().is_some() {
        let fault = Fault::new("Idempotency-Key", "must be given once");
        return Err(Failure::Invalid(vec![fault]));
    }
    let Some(value) = value else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| Failure::Invalid(vec![Fault::new("Idempotency-Key", "must be UTF-8")]))?;
    Ok(Some(IdempotencyKey::new(text, request_id)?))
}
