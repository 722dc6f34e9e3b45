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
fn shared_routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    router
        .route(&at("/managed_cards/{id}/statement"), get(statement::handle))
        .route(&at("/managed_cards/{id}/block"), post(block::handle))
        .route(&at("/managed_cards/{id}/unblock"), post(unblock::handle))
        .route(&at("/managed_cards/{id}/remove"), post(remove::handle))
}

/// All routes of an identity's own users.
pub(super) fn routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    shared_routes(router, base)
        .route(
            &at("/managed_cards"),
            post(create::handle).get(list::handle),
        )
        .route(
            &at("/managed_cards/{id}"),
            get(get::handle).patch(update::handle),
        )
}

/// The routes of the Back Office.
pub(super) fn backoffice_routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    shared_routes(router, base).route(&at("/managed_cards/{id}"), get(get::handle))
}
