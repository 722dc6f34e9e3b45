//! `/transfers`: money between two instruments of one identity.

pub(super) mod cancel;
pub(super) mod create;
pub(super) mod get;
pub(super) mod list;
pub(super) mod wire;

use axum::Router;
use axum::routing::{get, post};

use crate::multi::Place;

/// The routes that the Back Office has too.
pub(super) fn routes() -> Router<Place> {
    Router::new()
        .route("/transfers", post(create::handle).get(list::handle))
        .route("/transfers/{id}", get(get::handle))
}
