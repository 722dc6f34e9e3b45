//! `GET /accounts`: all accounts of the organization, oldest first (seed 002).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::Currency;
use store::AccountRow;

use super::errors::Failure;
use super::wire::AccountSummary;
use super::{auth, envelope, params, request_id};
use crate::http::Query;
use crate::{App, metrics};

/// List all accounts.
#[utoipa::path(
    get, path = "/accounts", operation_id = "listAccounts", tag = "Accounts",
    params(
        ("type" = Option<String>, Query, description = "`income_source`, `pod` or `external_account`."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "All accounts; there is no paging.", body = inline(super::openapi::AccountList)),
        (status = 400, description = "A parameter is wrong; the message names it.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The key lacks `LIST_ACCOUNTS`.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match list(&app, &parts, usable).await {
            Ok(rows) => {
                let data: Vec<AccountSummary> = rows.iter().map(AccountSummary::new).collect();
                envelope::succeed(StatusCode::OK, &id, &id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "listAccounts", answer).await
}

async fn list(
    app: &App,
    parts: &Parts,
    usable: Result<(), Failure>,
) -> Result<Vec<AccountRow>, Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    // The scope has no resources, so it is decided before the parameters are read.
    app.service().check_list_accounts(&key)?;
    usable?;
    let mut query = Query::parse(parts.uri.query());
    let one_of = "must be one of income_source, pod, external_account";
    let class = query.read("type", one_of, params::account_type);
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    Ok(app.service().accounts(&key, class, Currency::USD).await?)
}
