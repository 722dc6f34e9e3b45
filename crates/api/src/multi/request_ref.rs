//! `request-ref`: every answer carries one, so that the operator can find the request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::errors::Cause;
use crate::App;

/// The header's name.
pub(super) const NAME: HeaderName = HeaderName::from_static("request-ref");

/// This request's id, for handlers that keep it with what they do.
#[derive(Clone, Debug)]
pub(super) struct RequestRef(pub Arc<str>);

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
        let id: Arc<str> = self.app.new_request_id().into();
        request.extensions_mut().insert(RequestRef(Arc::clone(&id)));
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
        id: Arc<str>,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Attached<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Response, E>> {
        let this = self.project();
        let mut response = ready!(this.answer.poll(context))?;
        if let Some(Cause(cause)) = response.extensions_mut().remove() {
            tracing::error!(request_ref = &**this.id, cause, "request failed");
        }
        if let Ok(value) = HeaderValue::from_str(this.id) {
            response.headers_mut().insert(NAME, value);
        }
        Poll::Ready(Ok(response))
    }
}
