//! `request-ref`: every answer carries one, so that the operator can find the request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::errors::Cause;
use crate::App;

/// The header's name.
pub(super) const NAME: HeaderName = HeaderName::from_static("request-ref");

/// This request's id, for handlers that keep it with what they do.
#[derive(Clone, Debug)]
pub(super) struct RequestRef(pub Arc<str>);

/// Wraps every route: makes the id, puts it on the answer, and logs under it what the answer to a
/// fault of ours does not say.
pub(super) async fn attach(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id: Arc<str> = app.new_request_id().into();
    request.extensions_mut().insert(RequestRef(Arc::clone(&id)));
    let mut response = next.run(request).await;
    if let Some(Cause(cause)) = response.extensions_mut().remove() {
        tracing::error!(request_ref = &*id, cause, "request failed");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(NAME, value);
    }
    response
}
