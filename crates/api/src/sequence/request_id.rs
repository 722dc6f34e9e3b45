//! `X-Request-ID`: the client's, or a new one.

use axum::http::{HeaderMap, HeaderName};

use super::errors::Failure;
use crate::App;
use crate::json::Fault;

pub(super) const NAME: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a client's request id.
const MAX: usize = 255;

/// The id to answer with, and whether the client's own could not be used.
pub(super) fn of(app: &App, headers: &HeaderMap) -> (String, Result<(), Failure>) {
    let Some(value) = headers.get(NAME) else {
        return (app.new_request_id(), Ok(()));
    };
    match value.to_str() {
        Ok(text) if (1..=MAX).contains(&text.len()) => (text.to_owned(), Ok(())),
        _ => {
            let reason = "must have 1 to 255 visible ASCII characters";
            let fault = Fault::new("X-Request-ID", reason);
            (app.new_request_id(), Err(Failure::Invalid(vec![fault])))
        }
    }
}
