//! `POST /accounts/income-sources` (sequence-api §2.5).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::Currency;
use service::{AccountAnswer, Request};

use super::errors::Failure;
use super::wire::AccountDetails;
use super::write::{self, Needs};
use super::{envelope, request_id};
use crate::json::{Fault, Fields};
use crate::{App, metrics};

/// Characters of a nickname and of an icon.
const NICKNAME_MAX: usize = 100;

/// Open an income source, with nothing on it.
#[utoipa::path(
    post, path = "/accounts/income-sources", operation_id = "createIncomeSource", tag = "Accounts",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same key return the original response without re-executing the operation. 1 to 255 characters."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    request_body = super::openapi::IncomeSourceRequest,
    responses(
        (status = 201, description = "The account.", body = inline(super::openapi::AccountSuccess)),
        (status = 400, description = "The request is wrong; the message names each field.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The key lacks `CREATE_AND_DELETE_ACCOUNTS` on all accounts.", body = super::envelope::ErrorEnvelope),
        (status = 413, description = "The body is too large.", body = super::envelope::ErrorEnvelope),
        (status = 415, description = "The body is not JSON.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now; retry with the same key.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, parts: Parts, body: Body) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match create(&app, &parts.headers, body, (&id, usable)).await {
            Ok(AccountAnswer { row, request_id }) => {
                let data = AccountDetails::new(&row, row.account.created_at);
                envelope::succeed(StatusCode::CREATED, &id, &request_id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "createIncomeSource", answer).await
}

async fn create(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    (id, usable): (&str, Result<(), Failure>),
) -> Result<AccountAnswer, Failure> {
    let write = write::accept(app, headers, body, Needs::Json, (id, usable)).await?;
    let nickname = parse(&write.bytes).map_err(Failure::Invalid)?;
    let canonical = write.canonical();
    let request = Request {
        idempotency: write.idempotency,
        body: &canonical,
        id,
    };
    let service = app.service();
    Ok(service
        .create_income_source(&write.key, nickname, Currency::USD, request)
        .await?)
}

/// The name. An icon is looked at and not kept: no answer of the dialect has one.
fn parse(bytes: &[u8]) -> Result<Arc<str>, Vec<Fault>> {
    let mut fields = Fields::parse(bytes)?;
    let nickname = fields.text("nickname");
    let icon = fields.optional_text("icon");
    for (field, text) in [("nickname", Some(&nickname)), ("icon", icon.as_ref())] {
        let Some(text) = text else { continue };
        if text.chars().count() > NICKNAME_MAX {
            fields.fault(field, "must have at most 100 characters");
        } else if text.chars().any(char::is_control) {
            fields.fault(field, "must not have control characters");
        }
    }
    if fields.is_faultless() && nickname.trim().is_empty() {
        fields.fault("nickname", "must not be empty");
    }
    fields.finish()?;
    Ok(Arc::from(nickname))
}
