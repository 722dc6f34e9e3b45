//! Health, readiness, metrics and the state of the store.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::problem::Problem;
use super::request::{Answer, finish, ok};
use crate::App;

/// The process answers; nothing else is looked at.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The server takes writes and is not about to stop.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    match app.service().store().health().stopped {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let mut response = app.metrics.render(&app).into_response();
    let text = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(text));
    response
}

pub(super) async fn status(State(app): State<Arc<App>>) -> Response {
    finish(store_status(&app).await)
}

async fn store_status(app: &App) -> Answer {
    let store = app.service().store();
    let totals = store
        .totals()
        .await
        .map_err(|error| Problem::from(service::Error::from(error)))?;
    let health = store.health();
    let totals: serde_json::Map<String, serde_json::Value> = totals
        .into_iter()
        .map(|(currency, total)| (currency, json!(total.to_string())))
        .collect();
    ok(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "writable": health.stopped.is_none(),
        "stopped": health.stopped.as_deref(),
        "batches_committed": health.committed,
        "batches_indexed": health.indexed,
        "commits": health.commits,
        "syncs": health.syncs,
        "queued": health.queued,
        "sum_of_all_balances": totals,
    }))
}
