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
use axum::routing::{get, post};
use service::multi::Surface;
use tower::Layer;

use crate::App;
use crate::faults::{self, Faulty};
use crate::peers::{self, Acquainted};
use failure::Failure;
use request_ref::{Attach, AttachLayer};

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

/// Where the dialect is found.
const MULTI: &str = "/multi";
const BACKOFFICE: &str = "/multi/backoffice";
const SIMULATOR: &str = "/simulate/api";

/// Whether a path is the dialect's to answer, if only to say that nothing is there.
pub(crate) fn has_path(path: &str) -> bool {
    [MULTI, SIMULATOR].iter().any(|base| {
        let rest = path.strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What answers the dialect's requests.
///
/// Its routes are written out in full and wrapped once as a whole, because a router's own nesting
/// and layers cost each request several allocations for each of them.
pub(crate) type Routes = Attach<Acquainted<Faulty<Router>>>;

/// The routes.
pub(crate) fn routes(app: &Arc<App>) -> Routes {
    let own = [
        transfers::routes,
        bulks::routes,
        managed_accounts::routes,
        managed_cards::routes,
        people_routes,
    ];
    let own = own
        .into_iter()
        .fold(Router::new(), |router, add| add(router, MULTI))
        .with_state(Place::new(app, Surface::Multi));
    let backoffice = [
        transfers::shared_routes,
        managed_accounts::backoffice_routes,
        managed_cards::backoffice_routes,
    ];
    let access_token = [BACKOFFICE, "/access_token"].concat();
    let backoffice = backoffice
        .into_iter()
        .fold(Router::new(), |router, add| add(router, BACKOFFICE))
        .route(&access_token, post(backoffice::access_token::handle))
        .with_state(Place::new(app, Surface::BackOffice));
    let simulator = simulator::routes(Router::new(), SIMULATOR).with_state(Arc::clone(app));
    let routes = Router::new()
        .merge(own)
        .merge(backoffice)
        .merge(simulator)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method);
    let layers = (
        AttachLayer(Arc::clone(app)),
        peers::acquainted(app, refuse),
        faults::faulty(app, refuse),
    );
    layers.layer(routes)
}

/// The dialect's document, which is no part of the dialect.
pub(crate) fn document_route() -> Router {
    Router::new().route("/openapi/multi.json", get(openapi::serve))
}

fn refuse(_: &App, _: &HeaderMap, error: service::Error) -> Response {
    errors::respond(Failure::Service(error))
}

/// Logging in, identities and users.
fn people_routes(router: Router<Place>, base: &str) -> Router<Place> {
    let at = |path: &str| [base, path].concat();
    router
        .route(&at("/login_with_password"), post(sign_in::login::handle))
        .route(&at("/logout"), post(sign_in::logout::handle))
        .route(&at("/access_token"), post(sign_in::access_token::handle))
        .route(&at("/identities"), get(sign_in::list_identities::handle))
        .route(&at("/idempotency_refs/{ref}"), get(references::handle))
        .route(
            &at("/passwords/{user_id}/create"),
            post(passwords::create::handle),
        )
        .route(&at("/passwords/update"), post(passwords::update::handle))
        .route(
            &at("/corporates"),
            post(corporates::create::handle)
                .get(corporates::get::handle)
                .patch(corporates::update::handle),
        )
        .route(
            &at("/corporates/verification/email/send"),
            post(corporates::send_code::handle),
        )
        .route(
            &at("/corporates/verification/email/verify"),
            post(corporates::verify_code::handle),
        )
        .route(
            &at("/consumers"),
            post(consumers::create::handle)
                .get(consumers::get::handle)
                .patch(consumers::update::handle),
        )
        .route(
            &at("/consumers/verification/email/send"),
            post(consumers::send_code::handle),
        )
        .route(
            &at("/consumers/verification/email/verify"),
            post(consumers::verify_code::handle),
        )
        .route(
            &at("/users"),
            post(users::create::handle).get(users::list::handle),
        )
        .route(
            &at("/users/{user_id}"),
            get(users::get::handle).patch(users::update::handle),
        )
        .route(
            &at("/users/{user_id}/activate"),
            post(users::activate::handle),
        )
        .route(
            &at("/users/{user_id}/deactivate"),
            post(users::deactivate::handle),
        )
}

async fn unknown_path() -> Response {
    errors::respond(Failure::UnknownPath)
}

async fn wrong_method() -> Response {
    errors::respond(Failure::WrongMethod)
}
