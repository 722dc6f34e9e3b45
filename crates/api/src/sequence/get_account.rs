//! `GET /accounts/{id}`: masked details and balance (sequence-api §2.4).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Currency};

use super::errors::Failure;
use super::wire::AccountDetails;
use super::{auth, envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::{App, metrics};

/// Get one account with masked details and balance.
#[utoipa::path(
    get, path = "/accounts/{id}", operation_id = "getAccount", tag = "Accounts",
    params(
        ("id" = String, Path, description = "`acc_…`"),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "The account with masked details and its balance.", body = inline(super::openapi::AccountSuccess)),
        (status = 400, description = "The request is wrong.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The account is not in the key's `READ_ACCOUNTS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such account.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, account: PathText, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match find(&app, &parts, &path_text(account), usable).await {
            Ok(data) => envelope::succeed(StatusCode::OK, &id, &id, data, None),
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "getAccount", answer).await
}

async fn find(
    app: &App,
    parts: &Parts,
    account: &str,
    usable: Result<(), Failure>,
) -> Result<AccountDetails, Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    usable?;
    let id = ids::read(ids::ACCOUNT, account).map(AccountId::new);
    let row = app.service().account(&key, id, Currency::USD).await?;
    let now = app.service().time_of(key.tenant).await?;
    Ok(AccountDetails::new(&row, now))
}
