//! Reading request bodies.
//!
//! A body that an endpoint needs must be declared as JSON (415 otherwise). Endpoints without a body
//! take any content type, for clients send a form's, and look at no byte of what comes.

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;

use super::failure::Failure;
use crate::http::{BodyError, is_json, read_body};

/// Bytes of a body; the largest real one has under 4,000.
pub const BODY_MAX: usize = 64 * 1024;
/// Bytes of a bulk submission: 10,000 operations of 800 bytes.
pub const BULK_BODY_MAX: usize = 8 << 20;

/// A body that must be JSON.
pub(super) async fn json(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Failure> {
    if !is_json(headers) {
        return Err(Failure::NotJson);
    }
    read(body, limit).await
}

/// The body of an endpoint that has none: read to its end and left alone.
pub(super) async fn nothing(body: Body) -> Result<(), Failure> {
    read(body, BODY_MAX).await.map(|_| ())
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Failure> {
    read_body(body, limit).await.map_err(|error| match error {
        BodyError::TooLarge => Failure::TooLarge { limit },
        BodyError::Broken => Failure::Broken,
    })
}
