//! `DELETE /accounts/{id}`: closes an account for good; what it did stays (sequence-api §2.5).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Currency};
use service::Request;

use super::errors::Failure;
use super::write::{self, Needs};
use super::{envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::{App, metrics};

/// Delete an account, for good. Its transfers stay.
#[utoipa::path(
    delete, path = "/accounts/{id}", operation_id = "deleteAccount", tag = "Accounts",
    params(
        ("id" = String, Path, description = "`acc_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same key return the original response without re-executing the operation. 1 to 255 characters."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 204, description = "It is gone."),
        (status = 400, description = "The request is wrong.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The account is not in the key's `CREATE_AND_DELETE_ACCOUNTS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such account.", body = super::envelope::ErrorEnvelope),
        (status = 409, description = "Something still leads to the account: `balance_not_zero`, `account_in_use` (open transfers or holds), `linked_cards` or `named_by_rule`.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now; retry with the same key.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(
    State(app): State<Arc<App>>,
    account: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match delete(
            &app,
            &parts.headers,
            &path_text(account),
            body,
            (&id, usable),
        )
        .await
        {
            Ok(()) => envelope::done(&id),
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "deleteAccount", answer).await
}

async fn delete(
    app: &App,
    headers: &HeaderMap,
    account: &str,
    body: Body,
    (id, usable): (&str, Result<(), Failure>),
) -> Result<(), Failure> {
    let write = write::accept(app, headers, body, Needs::Nothing, (id, usable)).await?;
    let request = Request {
        idempotency: write.idempotency,
        body: &[],
        id,
    };
    let account = ids::read(ids::ACCOUNT, account).map(AccountId::new);
    let service = app.service();
    Ok(service
        .delete_account(&write.key, account, Currency::USD, request)
        .await?)
}
