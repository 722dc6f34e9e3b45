//! The Platform dialect at `/platform/v1` (generation B of sequence-api §12).
//!
//! The order of refusals of every endpoint: 404 in plain text by path and method, 401, 429, then
//! for bodies the content type and the size, 400 of the request itself, 403, 404, what the ledger
//! says. Lists that need a scope on something look at the scope first. Shown row by row in
//! `crates/tidegate/tests/it/platform_refusals.rs`.

mod accounts;
mod audit;
mod call;
mod cards;
mod errors;
mod ids;
mod openapi;
mod outside;
mod page;
mod rules;
mod transfers;

pub use openapi::document;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};

use crate::{App, faults, peers};

/// Bytes of a request body.
const BODY_MAX: usize = 64 * 1024;

/// The routes. Clients that end their base URL with a slash send two: both are taken.
pub fn router(app: &Arc<App>) -> Router {
    let routes = ["/platform/v1", "/platform/v1/"]
        .into_iter()
        .fold(Router::new(), routes);
    let routes = routes
        .method_not_allowed_fallback(not_listed)
        .with_state(Arc::clone(app));
    routes
        .layer((peers::acquainted(app, refuse), faults::faulty(app, refuse)))
        .route("/platform/v1/openapi", get(openapi::serve))
        .route("/openapi/platform.json", get(openapi::serve))
        .route("/platform/v1/{*rest}", axum::routing::any(not_listed))
}

fn refuse(app: &App, _: &HeaderMap, error: service::Error) -> Response {
    call::refuse(app, &error.into())
}

fn routes(router: Router<Arc<App>>, base: &str) -> Router<Arc<App>> {
    let at = |path: &str| format!("{base}{path}");
    router
        .route(&at("/accounts"), get(accounts::list))
        .route(&at("/accounts/{id}"), get(accounts::find))
        .route(&at("/accounts/{id}/transfers"), get(transfers::of_account))
        .route(&at("/rules"), get(rules::list).post(rules::create))
        .route(&at("/rules/{id}"), patch(rules::change).get(rules::find))
        .route(&at("/rules/{id}/trigger"), post(rules::trigger))
        .route(&at("/rules/{id}/executions"), get(rules::runs))
        .route(&at("/rules/{id}/executions/{run}"), get(rules::run))
        .route(
            &at("/transfers"),
            get(transfers::list).post(transfers::create),
        )
        .route(&at("/transfers/{id}"), get(transfers::find))
        .route(&at("/external-transactions"), get(outside::transactions))
        .route(&at("/card-transactions"), get(cards::transactions))
        .route(&at("/audit-logs"), get(audit::list))
}

/// A path or a method that is not listed: plain text, as the vendor answers it.
async fn not_listed() -> Response {
    (StatusCode::NOT_FOUND, "Not Found").into_response()
}
