//! `request-ref`: every answer carries one, so that the operator can find the request.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use pin_project_lite::pin_project;
use service::spelling::{ID_CHARS, id_text};
use tower::{Layer, Service};

use super::errors::Cause;
use crate::App;

/// The header's name.
pub(super) const NAME: HeaderName = HeaderName::from_static("request-ref");

/// This request's id, for handlers that keep it with what they do: a number that is spelt where it
/// is needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestRef(u64);

const PREFIX: &[u8] = b"req_";
const CHARS: usize = PREFIX.len() + ID_CHARS;

impl RequestRef {
    fn bytes(self) -> [u8; CHARS] {
        let mut bytes = [0; CHARS];
        let (prefix, id) = bytes.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        id.copy_from_slice(&id_text(self.0));
        bytes
    }

    /// As it is told.
    pub(super) fn text(self) -> Arc<str> {
        let bytes = self.bytes();
        Arc::from(std::str::from_utf8(&bytes).expect("prefix and id are ASCII"))
    }
}

/// A request in its pieces. Whoever takes head and body one by one gets a copy of the head: this is
/// for the endpoints that are called most.
pub(super) struct Whole {
    /// Its id.
    pub id: RequestRef,
    /// Its head.
    pub parts: Parts,
    /// Its body, not yet read.
    pub body: Body,
}

impl<S: Sync> FromRequest<S> for Whole {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Whole, Infallible> {
        let (parts, body) = request.into_parts();
        let id = parts.extensions.get().copied();
        let id = id.expect("every route is wrapped in an `Attach`");
        Ok(Whole { id, parts, body })
    }
}

/// Wraps every route: makes the id, puts it on the answer, and logs under it what the answer to a
/// fault of ours does not say. A service of its own, because a middleware function would cost three
/// allocations a request.
#[derive(Clone)]
pub(super) struct AttachLayer(pub Arc<App>);

impl<S> Layer<S> for AttachLayer {
    type Service = Attach<S>;

    fn layer(&self, inner: S) -> Attach<S> {
        Attach {
            app: Arc::clone(&self.0),
            inner,
        }
    }
}

/// See [`AttachLayer`].
#[derive(Clone)]
pub struct Attach<S> {
    app: Arc<App>,
    inner: S,
}

impl<S: Service<Request, Response = Response>> Service<Request> for Attach<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Attached<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Attached<S::Future> {
        let id = RequestRef(self.app.new_request_number());
        request.extensions_mut().insert(id);
        Attached {
            answer: self.inner.call(request),
            id,
        }
    }
}

pin_project! {
    /// An answer on its way.
    pub struct Attached<F> {
        #[pin]
        answer: F,
        id: RequestRef,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Attached<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Response, E>> {
        let this = self.project();
        let mut response = ready!(this.answer.poll(context))?;
        if let Some(Cause(cause)) = response.extensions_mut().remove() {
            tracing::error!(request_ref = &*this.id.text(), cause, "request failed");
        }
        if let Ok(value) = HeaderValue::from_bytes(&this.id.bytes()) {
            response.headers_mut().insert(NAME, value);
        }
        Poll::Ready(Ok(response))
    }
}
