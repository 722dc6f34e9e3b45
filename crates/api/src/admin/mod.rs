//! The admin API at `/admin/v1`, on its own listener: operators, console and command line.
//!
//! Bearer token of the server; errors by RFC 9457 (`application/problem+json`), with the code in
//! `code` and every field at fault in `errors`. Health and metrics are beside it, without a token.

mod accounts;
mod amounts;
mod approvals;
mod clock;
pub(crate) mod events;
mod forecast;
mod holds;
mod idempotency;
mod ids;
mod keys;
mod money;
mod openapi;
mod problem;
mod profiles;
mod request;
mod rule_runs;
mod rule_templates;
mod rules;
mod settings;
mod system;
mod tenants;
mod webhooks;
mod wire;

pub use openapi::document;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post, put};

use crate::App;
use problem::Problem;

/// Bytes of a request body.
const BODY_MAX: usize = 1024 * 1024;

/// The routes of the admin listener.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/status", get(system::status))
        .route("/tenants", post(tenants::create).get(tenants::list))
        .route("/tenants/{tenant}", get(tenants::find))
        .route("/tenants/{tenant}/clock", get(clock::find).put(clock::set))
        .route("/tenants/{tenant}/clock/next", post(clock::next))
        .route(
            "/tenants/{tenant}/settings",
            get(settings::find).put(settings::set),
        )
        .route(
            "/tenants/{tenant}/owners",
            post(tenants::create_owner).get(tenants::list_owners),
        )
        .route(
            "/tenants/{tenant}/accounts",
            post(accounts::open).get(accounts::list),
        )
        .route("/tenants/{tenant}/accounts/{account}", get(accounts::find))
        .route(
            "/tenants/{tenant}/accounts/{account}/entries",
            get(accounts::entries),
        )
        .route(
            "/tenants/{tenant}/accounts/{account}/block",
            post(accounts::block),
        )
        .route(
            "/tenants/{tenant}/accounts/{account}/unblock",
            post(accounts::unblock),
        )
        .route(
            "/tenants/{tenant}/accounts/{account}/close",
            post(accounts::close),
        )
        .route(
            "/tenants/{tenant}/accounts/{account}/holds",
            post(holds::place).get(holds::list),
        )
        .route("/tenants/{tenant}/holds/{hold}", delete(holds::release))
        .route("/tenants/{tenant}/keys", post(keys::create).get(keys::list))
        .route("/tenants/{tenant}/keys/{key}", delete(keys::revoke))
        .route(
            "/tenants/{tenant}/profiles",
            post(profiles::create).get(profiles::list),
        )
        .route(
            "/tenants/{tenant}/profiles/{profile}",
            get(profiles::find).patch(profiles::change),
        )
        .route(
            "/tenants/{tenant}/transfers",
            post(money::transfer).get(money::list),
        )
        .route("/tenants/{tenant}/transfers/{transfer}", get(money::find))
        .route("/tenants/{tenant}/approvals", get(approvals::list))
        .route(
            "/tenants/{tenant}/transfers/{transfer}/approve",
            post(approvals::approve),
        )
        .route(
            "/tenants/{tenant}/transfers/{transfer}/deny",
            post(approvals::deny),
        )
        .route(
            "/tenants/{tenant}/rules/{rule}/amount-source",
            put(amounts::set).get(amounts::find).delete(amounts::delete),
        )
        .route(
            "/tenants/{tenant}/rules/{rule}/approval",
            put(approvals::set_for_rule),
        )
        .route(
            "/tenants/{tenant}/owners/{owner}/forecast",
            post(forecast::ask),
        )
        .route(
            "/tenants/{tenant}/transfers/{transfer}/return",
            post(money::give_back),
        )
        .route(
            "/tenants/{tenant}/rules",
            post(rules::create).get(rules::list),
        )
        .route("/tenants/{tenant}/rules/lint", post(rules::lint))
        .route(
            "/tenants/{tenant}/rules/from-template",
            post(rule_templates::create),
        )
        .route(
            "/tenants/{tenant}/rules/{rule}",
            get(rules::find).put(rules::change).delete(rules::delete),
        )
        .route("/tenants/{tenant}/rules/{rule}/enable", post(rules::enable))
        .route(
            "/tenants/{tenant}/rules/{rule}/disable",
            post(rules::disable),
        )
        .route(
            "/tenants/{tenant}/rules/{rule}/trigger",
            post(rule_runs::trigger),
        )
        .route(
            "/tenants/{tenant}/rules/{rule}/simulate",
            post(rule_runs::simulate),
        )
        .route("/tenants/{tenant}/rule-executions", get(rule_runs::list))
        .route(
            "/tenants/{tenant}/rule-executions/{execution}",
            get(rule_runs::find),
        )
        .route("/tenants/{tenant}/simulate/paycheck", post(money::paycheck))
        .route(
            "/tenants/{tenant}/simulate/check-deposit",
            post(money::check_deposit),
        )
        .route("/tenants/{tenant}/simulate/cashback", post(money::cashback))
        .route(
            "/tenants/{tenant}/simulate/external-pull",
            post(money::external_pull),
        )
        .route("/events", get(events::list))
        .route("/events/stream", get(events::stream))
        .route("/tenants/{tenant}/events/{event}", get(events::find))
        .route(
            "/tenants/{tenant}/webhooks",
            post(webhooks::create).get(webhooks::list_all),
        )
        .route(
            "/tenants/{tenant}/webhooks/{webhook}",
            get(webhooks::find)
                .patch(webhooks::change)
                .delete(webhooks::remove),
        )
        .route(
            "/tenants/{tenant}/webhooks/{webhook}/rotate",
            post(webhooks::rotate),
        )
        .route(
            "/tenants/{tenant}/webhooks/{webhook}/test",
            post(webhooks::test),
        )
        .route(
            "/tenants/{tenant}/webhooks/{webhook}/deliveries",
            get(webhooks::deliveries),
        )
        .route(
            "/tenants/{tenant}/idempotency-keys/{key}",
            get(idempotency::look_up),
        )
        .route(
            "/tenants/{tenant}/replays",
            post(webhooks::replay).get(webhooks::list_replays),
        )
        .route(
            "/tenants/{tenant}/replays/{replay}",
            get(webhooks::find_replay).delete(webhooks::remove_replay),
        )
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), guard))
        .with_state(Arc::clone(app));
    let open = Router::new()
        .route("/healthz", get(system::alive))
        .route("/readyz", get(system::ready))
        .route("/metrics", get(system::metrics))
        .route("/openapi/admin.json", get(openapi::serve))
        .fallback(unknown_path)
        .with_state(Arc::clone(app));
    Router::new().nest("/admin/v1", guarded).merge(open)
}

async fn unknown_path() -> Response {
    Problem::unknown_path().into_response()
}

async fn wrong_method() -> Response {
    Problem::wrong_method().into_response()
}

/// Lets requests with the admin token through.
async fn guard(
    State(app): State<Arc<App>>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let presented = request
        .headers()
        .get(axum::http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim());
    match presented {
        Some(token) if app.is_admin(token) => match params {
            // Handlers could only refuse it in plain text.
            Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => unknown_path().await,
            _ => next.run(request).await,
        },
        _ => Problem::unauthorized().into_response(),
    }
}
