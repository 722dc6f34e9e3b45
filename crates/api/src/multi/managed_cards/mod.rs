//! `/managed_cards`: cards with a balance of their own (prepaid) or none (debit).

pub(super) mod block;
pub(super) mod create;
pub(super) mod details;
pub(super) mod get;
pub(super) mod issue;
pub(super) mod list;
pub(super) mod remove;
pub(super) mod statement;
pub(super) mod unblock;
pub(super) mod update;
pub(super) mod wire;

use axum::Router;
use axum::routing::{get, post};

use crate::multi::Place;

/// The routes of both.
fn shared_routes() -> Router<Place> {
    Router::new()
        .route("/managed_cards/{id}/statement", get(statement::handle))
        .route("/managed_cards/{id}/block", post(block::handle))
        .route("/managed_cards/{id}/unblock", post(unblock::handle))
        .route("/managed_cards/{id}/remove", post(remove::handle))
}

/// All routes of an identity's own users.
pub(super) fn routes() -> Router<Place> {
    shared_routes()
        .route("/managed_cards", post(create::handle).get(list::handle))
        .route(
            "/managed_cards/{id}",
            get(get::handle).patch(update::handle),
        )
}

/// The routes of the Back Office.
pub(super) fn backoffice_routes() -> Router<Place> {
    shared_routes().route("/managed_cards/{id}", get(get::handle))
}
