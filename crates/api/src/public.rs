//! The public listener: Multi's requests by their path, all others by one router.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use tower::{BoxError, Service};

use crate::multi;

/// Everything that the public listener serves.
#[derive(Clone)]
pub struct PublicRoutes {
    multi: multi::Routes,
    others: Router,
}

impl PublicRoutes {
    pub(crate) fn new(multi: multi::Routes, others: Router) -> PublicRoutes {
        PublicRoutes { multi, others }
    }
}

type MultiFuture = <multi::Routes as Service<Request<Body>>>::Future;

impl<B> Service<Request<B>> for PublicRoutes
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<MultiFuture, RouteFuture<Infallible>>;

    /// Routers are always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if multi::has_path(request.uri().path()) {
            Either::Left(self.multi.call(request.map(Body::new)))
        } else {
            Either::Right(self.others.call(request))
        }
    }
}
