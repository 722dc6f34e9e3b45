//! The Multi dialect at `/multi`, its Back Office at `/multi/backoffice` and its simulator at
//! `/simulate/api`.
//!
//! Source: the seeds `003` and `004` and weavr-api. The order of refusals of every endpoint: 404 and
//! 405 by path and method, 401, 403, 429, 415 and 413, 400 with every fault of headers, path, query
//! and body, the idempotency reference, then 404 and 409 as the ledger says. 401, 429, 500 and 503
//! have no body. Every answer carries `request-ref`.

mod auth;
mod backoffice;
mod body;
mod bulks;
mod choices;
mod consumers;
mod corporates;
mod errors;
mod failure;
mod fields;
mod idempotency;
mod identities;
mod instruments;
mod invalid;
mod managed_accounts;
mod managed_cards;
mod openapi;
mod passwords;
mod people;
mod query;
mod references;
mod request_ref;
mod rules;
mod schemas;
mod sign_in;
mod simulator;
mod statements;
mod transfers;
mod users;
pub(crate) mod webhook;
mod wire;

pub use body::{BODY_MAX, BULK_BODY_MAX};
pub use openapi::document;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{any, get, post};
use service::multi::Surface;

use crate::{App, faults, peers};
use failure::Failure;
use request_ref::AttachLayer;

/// What handlers share: the app, and which of the dialect's two surfaces they answer on.
#[derive(Clone)]
struct Place {
    app: Arc<App>,
    surface: Surface,
}

impl Place {
    fn new(app: &Arc<App>, surface: Surface) -> Place {
        Place {
            app: Arc::clone(app),
            surface,
        }
    }
}

impl FromRef<Place> for Arc<App> {
    fn from_ref(place: &Place) -> Arc<App> {
        Arc::clone(&place.app)
    }
}

impl FromRef<Place> for Surface {
    fn from_ref(place: &Place) -> Surface {
        place.surface
    }
}

/// The routes.
pub fn router(app: &Arc<App>) -> Router {
    let backoffice = transfers::routes()
        .merge(managed_accounts::backoffice_routes())
        .merge(managed_cards::backoffice_routes())
        .route("/access_token", post(backoffice::access_token::handle))
        .with_state(Place::new(app, Surface::BackOffice));
    let own = transfers::routes()
        .route("/transfers/bulk/cancel", post(transfers::cancel::handle))
        .merge(bulks::routes())
        .merge(managed_accounts::routes())
        .merge(managed_cards::routes())
        .merge(people_routes())
        .with_state(Place::new(app, Surface::Multi));
    let multi = Router::new()
        .merge(own)
        .nest("/backoffice", backoffice)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method);
    let simulator = simulator::routes()
        .with_state(Arc::clone(app))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method);
    let routes = Router::new()
        .nest("/multi", multi)
        .nest("/simulate/api", simulator)
        // Nested routers do not get the bare slash.
        .route("/multi/", any(unknown_path))
        .route("/simulate/api/", any(unknown_path));
    let routes = faults::faulty(routes, app, refuse);
    peers::acquainted(routes, app, refuse)
        .layer(AttachLayer(Arc::clone(app)))
        .route("/openapi/multi.json", get(openapi::serve))
}

fn refuse(_: &App, _: &HeaderMap, error: service::Error) -> Response {
    errors::respond(Failure::Service(error))
}

/// Logging in, identities and users.
fn people_routes() -> Router<Place> {
    Router::new()
        .route("/login_with_password", post(sign_in::login::handle))
        .route("/logout", post(sign_in::logout::handle))
        .route("/access_token", post(sign_in::access_token::handle))
        .route("/identities", get(sign_in::list_identities::handle))
        .route("/idempotency_refs/{ref}", get(references::handle))
        .route(
            "/passwords/{user_id}/create",
            post(passwords::create::handle),
        )
        .route("/passwords/update", post(passwords::update::handle))
        .route(
            "/corporates",
            post(corporates::create::handle)
                .get(corporates::get::handle)
                .patch(corporates::update::handle),
        )
        .route(
            "/corporates/verification/email/send",
            post(corporates::send_code::handle),
        )
        .route(
            "/corporates/verification/email/verify",
            post(corporates::verify_code::handle),
        )
        .route(
            "/consumers",
            post(consumers::create::handle)
                .get(consumers::get::handle)
                .patch(consumers::update::handle),
        )
        .route(
            "/consumers/verification/email/send",
            post(consumers::send_code::handle),
        )
        .route(
            "/consumers/verification/email/verify",
            post(consumers::verify_code::handle),
        )
        .route(
            "/users",
            post(users::create::handle).get(users::list::handle),
        )
        .route(
            "/users/{user_id}",
            get(users::get::handle).patch(users::update::handle),
        )
        .route("/users/{user_id}/activate", post(users::activate::handle))
        .route(
            "/users/{user_id}/deactivate",
            post(users::deactivate::handle),
        )
}

async fn unknown_path() -> Response {
    errors::respond(Failure::UnknownPath)
}

async fn wrong_method() -> Response {
    errors::respond(Failure::WrongMethod)
}
