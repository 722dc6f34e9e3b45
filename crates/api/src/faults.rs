//! Faults on demand, around a dialect's routes: what a sandbox tenant's request, or a switch of its
//! operator, wants to go wrong (`docs/reference/faults.md`).
//!
//! A service of its own and not a middleware function: requests without faults, nearly all, pay for
//! one look at their headers.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use futures_util::future::{BoxFuture, Either};
use service::faults::{Ending, with_asked};
use store::StoreError;
use tower::{Layer, Service};

use crate::App;
use crate::peers::{Refuse, shown};

const FAULT: HeaderName = HeaderName::from_static("tidegate-fault");

/// What answers say that are made on demand, so that nobody looks for a cause.
const BURST: HeaderValue = HeaderValue::from_static("429");
const ERROR: HeaderValue = HeaderValue::from_static("commit-then-500");

/// Marks an answer that is not to be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub struct Unsent;

/// What wraps a dialect's routes.
pub(crate) fn faulty(app: &Arc<App>, refuse: Refuse) -> FaultyLayer {
    FaultyLayer {
        app: Arc::clone(app),
        refuse,
    }
}

/// See [`faulty`].
#[derive(Clone)]
pub(crate) struct FaultyLayer {
    app: Arc<App>,
    refuse: Refuse,
}

impl<S> Layer<S> for FaultyLayer {
    type Service = Faulty<S>;

    fn layer(&self, inner: S) -> Faulty<S> {
        Faulty {
            app: Arc::clone(&self.app),
            refuse: self.refuse,
            inner,
        }
    }
}

/// A dialect's routes with faults on demand around them.
#[derive(Clone)]
pub struct Faulty<S> {
    app: Arc<App>,
    refuse: Refuse,
    inner: S,
}

type Answer = Result<Response, Infallible>;

impl<S> Service<Request> for Faulty<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Answer>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !request.headers().contains_key(FAULT) && !self.app.service().has_faults() {
            return Either::Left(self.inner.call(request));
        }
        // The one that was found to be ready answers.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        let app = Arc::clone(&self.app);
        Either::Right(Box::pin(misbehave(app, self.refuse, inner, request)))
    }
}

async fn misbehave<S>(app: Arc<App>, refuse: Refuse, mut inner: S, request: Request) -> Answer
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let headers = request.headers().clone();
    let (key, _) = shown(&headers);
    let asked = headers.get(FAULT).map(HeaderValue::as_bytes);
    let may_change = !request.method().is_safe();
    let plan = match app.service().plan_faults(key, asked, may_change) {
        Ok(plan) => plan,
        Err(error) => {
            let is_fault = matches!(error, service::Error::TooManyRequests { .. });
            let mut response = refuse(&app, &headers, error);
            if is_fault {
                response.headers_mut().insert(FAULT, BURST);
            }
            return Ok(response);
        }
    };
    let response = with_asked(plan.asked, inner.call(request)).await?;
    if let Some(delay) = plan.delay {
        tokio::time::sleep(delay).await;
    }
    let Some(ending) = plan.ending else {
        return Ok(response);
    };
    let cause = StoreError::Corrupt("nothing is wrong: Tidegate-Fault".into());
    let mut response = refuse(&app, &headers, service::Error::Store(cause));
    match ending {
        Ending::Error => drop(response.headers_mut().insert(FAULT, ERROR)),
        Ending::Drop => drop(response.extensions_mut().insert(Unsent)),
    }
    Ok(response)
}
