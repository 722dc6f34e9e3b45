//! Before authentication, where several servers share a store: a key or token that another server
//! has just made is looked for. With one server there is nothing to look for and requests go on at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use futures_util::future::{BoxFuture, Either};
use tower::{Layer, Service};

use crate::App;

/// How a dialect answers when the store cannot be asked.
pub(crate) type Refuse = fn(&App, &HeaderMap, service::Error) -> Response;

/// What wraps a dialect's routes.
pub(crate) fn acquainted(app: &Arc<App>, refuse: Refuse) -> AcquaintedLayer {
    AcquaintedLayer {
        app: Arc::clone(app),
        refuse,
    }
}

/// See [`acquainted`].
#[derive(Clone)]
pub(crate) struct AcquaintedLayer {
    app: Arc<App>,
    refuse: Refuse,
}

impl<S> Layer<S> for AcquaintedLayer {
    type Service = Acquainted<S>;

    fn layer(&self, inner: S) -> Acquainted<S> {
        Acquainted {
            app: Arc::clone(&self.app),
            refuse: self.refuse,
            inner,
        }
    }
}

/// A dialect's routes behind the look at what other servers have made.
#[derive(Clone)]
pub struct Acquainted<S> {
    app: Arc<App>,
    refuse: Refuse,
    inner: S,
}

type Answer = Result<Response, Infallible>;

impl<S> Service<Request> for Acquainted<S>
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
        if !self.app.service().has_peers() {
            return Either::Left(self.inner.call(request));
        }
        // The one that was found to be ready answers.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let (app, refuse) = (Arc::clone(&self.app), self.refuse);
        Either::Right(Box::pin(async move {
            let (key, token) = shown(request.headers());
            match app.service().acquaint(key, token).await {
                Ok(()) => inner.call(request).await,
                Err(error) => Ok(refuse(&app, request.headers(), error)),
            }
        }))
    }
}

/// The key and the token of a request, if it has any. What is malformed is told later.
pub(crate) fn shown(headers: &HeaderMap) -> (Option<&str>, Option<&str>) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header(AUTHORIZATION.as_str()).and_then(|text| text.split_once(' '));
    let credential = authorization.map(|(_, credential)| credential.trim());
    let own = header("programme-key").or_else(|| header("api-key"));
    match own {
        Some(key) => (Some(key), credential),
        None => (credential, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_shows_its_credentials_in_its_own_way() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("a value"));
            }
            let (key, token) = shown(&headers);
            (key.map(str::to_owned), token.map(str::to_owned))
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(read(&[]), (None, None));
        assert_eq!(read(&[("authorization", "ApiKey k")]), (text("k"), None));
        let multi = [("api-key", "k"), ("authorization", "Bearer  t ")];
        assert_eq!(read(&multi), (text("k"), text("t")));
        assert_eq!(read(&[("programme-key", "p")]), (text("p"), None));
        assert_eq!(read(&[("authorization", "nothing")]), (None, None));
    }
}
