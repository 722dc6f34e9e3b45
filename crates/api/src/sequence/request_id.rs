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
    let given = headers.get(NAME).filter(|value| !value.is_empty());
    let Some(value) = given else {
        return (app.new_request_id(), Ok(()));
    };
    match value.to_str() {
        Ok(text) if text.len() <= MAX && !text.contains('\t') => (text.to_owned(), Ok(())),
        _ => {
            let reason = "must have at most 255 visible ASCII characters";
            let fault = Fault::new("X-Request-ID", reason);
            (app.new_request_id(), Err(Failure::Invalid(vec![fault])))
        }
    }
}
