//! The HTTP surfaces.
//!
//! Each dialect is a sealed folder: its wire types, parsing, rendering and error table are its own
//! and no dialect knows another. Shared is only what every HTTP surface needs ([`http`], [`json`],
//! [`time`]), what is on a card ([`cards`]), and how rules are written ([`rules`]), in which dialects differ by
//! their spelling. The way of every request: bytes → wire type → one call of `service` → wire type →
//! bytes.

pub mod admin;
pub mod amounts;
pub mod app;
mod cards;
mod faults;
pub mod hooks;
mod http;
mod json;
mod key_state;
mod metrics;
pub mod multi;
mod peers;
pub mod platform;
mod public;
mod remote;
mod rules;
pub mod sequence;
mod time;

pub use app::App;
pub use faults::Unsent;
pub use time::{parse as parse_timestamp, render as render_timestamp};

use std::sync::Arc;

use axum::Router;
pub use public::PublicRoutes;

/// The public listener's routes.
pub fn public_routes(app: &Arc<App>) -> PublicRoutes {
    let others = Router::new()
        .merge(sequence::router(app))
        .merge(platform::router(app))
        .merge(remote::router(app))
        .merge(multi::document_route())
        .fallback(http::nothing_here);
    PublicRoutes::new(multi::routes(app), others)
}

/// The admin listener's routes.
pub fn admin_router(app: &Arc<App>) -> Router {
    admin::router(app)
}
