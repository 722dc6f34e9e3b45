//! `/transfers`: money between two instruments of one identity.

pub(super) mod cancel;
pub(super) mod create;
pub(super) mod get;
pub(super) mod list;
pub(super) mod wire;

use axum::Router;
use axum::routing::{get, post};

use crate::multi::Place;

/// All routes of an identity's own users.
pub(super) fn routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    shared_routes(router, base).route(&at("/transfers/bulk/cancel"), post(cancel::handle))
}

/// The routes that the Back Office has too.
pub(super) fn shared_routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    router
        .route(&at("/transfers"), post(create::handle).get(list::handle))
        .route(&at("/transfers/{id}"), get(get::handle))
}
