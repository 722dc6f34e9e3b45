//! `/managed_accounts`: accounts that hold an identity's money.

pub(super) mod block;
pub(super) mod create;
pub(super) mod get;
pub(super) mod list;
pub(super) mod remove;
pub(super) mod statement;
pub(super) mod unblock;
pub(super) mod update;
pub(super) mod wire;

use axum::Router;
use axum::routing::{get, post};

use crate::multi::Place;

/// All routes of an identity's own users.
pub(super) fn routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    router
        .route(
            &at("/managed_accounts"),
            post(create::handle).get(list::handle),
        )
        .route(
            &at("/managed_accounts/{id}"),
            get(get::handle).patch(update::handle),
        )
        .route(
            &at("/managed_accounts/{id}/statement"),
            get(statement::handle),
        )
        .route(&at("/managed_accounts/{id}/block"), post(block::handle))
        .route(&at("/managed_accounts/{id}/unblock"), post(unblock::handle))
        .route(&at("/managed_accounts/{id}/remove"), post(remove::handle))
}

/// The routes of the Back Office.
pub(super) fn backoffice_routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    router
        .route(&at("/managed_accounts/{id}"), get(get::handle))
        .route(
            &at("/managed_accounts/{id}/statement"),
            get(statement::handle),
        )
}
