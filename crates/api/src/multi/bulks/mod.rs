//! `/bulks`: many transfers handed in together, run and steered (weavr-api §9).

pub(super) mod get;
pub(super) mod list;
pub(super) mod operations;
pub(super) mod steer;
pub(super) mod submit;
pub(super) mod wire;

use axum::Router;
use axum::routing::{get, post};

use crate::multi::Place;

/// The routes.
pub(super) fn routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    router
        .route(&at("/bulks/transfers"), post(submit::handle))
        .route(&at("/bulks"), get(list::handle))
        .route(&at("/bulks/{bulk_id}"), get(get::handle))
        .route(&at("/bulks/{bulk_id}/operations"), get(operations::handle))
        .route(&at("/bulks/{bulk_id}/execute"), post(steer::execute))
        .route(&at("/bulks/{bulk_id}/pause"), post(steer::pause))
        .route(&at("/bulks/{bulk_id}/resume"), post(steer::resume))
        .route(&at("/bulks/{bulk_id}/cancel"), post(steer::cancel))
}
