//! The Sequence dialect at `/api/v1`.
//!
//! Source: the seeds `000`–`002` and generation A of sequence-api. The order of refusals of every
//! endpoint: 404 and 405 by path and method, 401, 415 and 413, 400 of the request itself, 403,
//! then what the ledger says; for reads a key without the scope is refused before its parameters
//! are looked at. Proven row by row in `crates/tidegate/tests/it/sequence_refusals.rs`.

mod auth;
mod card_wire;
mod create_income_source;
mod create_rule;
pub mod create_transfer;
mod delete_account;
mod delete_rule;
mod envelope;
mod errors;
mod get_account;
mod get_card;
mod get_execution;
mod get_rule;
mod get_transfer;
mod ids;
mod list_accounts;
mod list_card_transactions;
mod list_cards;
mod list_executions;
mod list_rules;
mod list_transfers;
mod look_up_key;
mod openapi;
mod params;
mod request_id;
mod trigger_rule;
mod update_rule;
pub(crate) mod webhook;
mod wire;
mod write;

pub use openapi::document;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{any, get, post};

use crate::{App, faults, peers};
use errors::Failure;

/// Bytes of a request body: a transfer has under 200, a large rule some thousands.
pub const BODY_MAX: usize = 64 * 1024;

/// The routes.
pub fn router(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .route("/accounts", get(list_accounts::handle))
        .route(
            "/accounts/income-sources",
            post(create_income_source::handle),
        )
        .route(
            "/accounts/{id}",
            get(get_account::handle).delete(delete_account::handle),
        )
        .route(
            "/transfers",
            post(create_transfer::handle).get(list_transfers::handle),
        )
        .route("/transfers/{id}", get(get_transfer::handle))
        .route("/rules", get(list_rules::handle).post(create_rule::handle))
        .route(
            "/rules/{id}",
            get(get_rule::handle)
                .put(update_rule::handle)
                .delete(delete_rule::handle),
        )
        .route("/rules/{id}/trigger", post(trigger_rule::handle))
        .route("/rule-executions", get(list_executions::handle))
        .route("/rule-executions/{id}", get(get_execution::handle))
        .route("/idempotency-keys/{key}", get(look_up_key::handle))
        .route("/cards", get(list_cards::handle))
        .route("/cards/{id}", get(get_card::handle))
        .route(
            "/cards/{id}/transactions",
            get(list_card_transactions::handle),
        )
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(app));
    let routes = Router::new()
        .nest("/api/v1", routes)
        // The nested router does not get the bare slash.
        .route("/api/v1/", any(unknown_path).with_state(Arc::clone(app)));
    routes
        .layer((peers::acquainted(app, refuse), faults::faulty(app, refuse)))
        .route("/openapi/sequence.json", get(openapi::serve))
}

fn refuse(app: &App, headers: &HeaderMap, error: service::Error) -> Response {
    envelope::refuse(app, headers, error.into())
}

async fn unknown_path(State(app): State<Arc<App>>, request: Request) -> Response {
    envelope::refuse(&app, request.headers(), Failure::UnknownPath)
}

async fn wrong_method(State(app): State<Arc<App>>, request: Request) -> Response {
    envelope::refuse(&app, request.headers(), Failure::WrongMethod)
}
