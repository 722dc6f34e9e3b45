//! The legacy remote API (generation C, sequence-api §10): balances, and rules run from outside.
//!
//! Its access token is an API key with `READ_ACCOUNTS`, a rule's secret an API key with
//! `TRIGGER_RULES` on that rule. Refusals in order: 405 by method, 401, 429, 400 of the request,
//! then what the use case says. The outgoing query for an amount is in [`crate::amounts`].

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use ledger::{AccountKind, Currency, ExecutionMode, ExternalKind, Incoming, Rejection, RuleId};
use serde_json::{Value, json};
use service::spelling::parse_id;
use service::{ApiKey, IdempotencyKey, Request};
use store::AccountRow;

use crate::http::{PathText, is_json, json_response, path_text, read_body};
use crate::json::strict;
use crate::{App, metrics};

/// Bytes of a request body: there is nothing to say in one.
const BODY_MAX: usize = 4 * 1024;

/// The routes, on the root of the public listener.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/accounts", post(accounts))
        .route("/rules/{id}/trigger", post(trigger))
        .route("/remote-api/rules/{id}/trigger", post(trigger))
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(app))
}

/// Status, code, message, and seconds to wait.
struct Failure(StatusCode, &'static str, String, Option<u32>);

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Failure {
        use StatusCode as S;
        let refuse = |status, code, message: &str| Failure(status, code, message.to_owned(), None);
        match error {
            // A token that does not open the object is none for it.
            service::Error::Forbidden | service::Error::NotFound { .. } => {
                refuse(S::UNAUTHORIZED, "INVALID_API_SECRET", "Unauthorized")
            }
            service::Error::TooManyRequests { retry_after_s, .. } => Failure(
                S::TOO_MANY_REQUESTS,
                "TOO_MANY_REQUESTS",
                "Too many requests. Please try again later.".to_owned(),
                Some(retry_after_s),
            ),
            service::Error::Rejected(Rejection::RuleInProgress) => refuse(
                S::TOO_MANY_REQUESTS,
                "TOO_MANY_REQUESTS",
                "The rule has been triggered too many times. Please try again later.",
            ),
            service::Error::Store(store::StoreError::Unavailable { retry_after_s, .. }) => Failure(
                S::SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "Please try again later.".to_owned(),
                Some(retry_after_s),
            ),
            service::Error::Store(store::StoreError::Corrupt(reason)) => {
                tracing::error!(%reason, "stored data is damaged");
                refuse(
                    S::INTERNAL_SERVER_ERROR,
                    "UNEXPECTED_ERROR",
                    "Something went wrong.",
                )
            }
            service::Error::KeyReused
            | service::Error::Invalid { .. }
            | service::Error::Rejected(_) => {
                Failure(S::BAD_REQUEST, "INVALID_REQUEST", error.to_string(), None)
            }
        }
    }
}

fn invalid() -> Failure {
    Failure(
        StatusCode::BAD_REQUEST,
        "INVALID_REQUEST",
        "Invalid request".to_owned(),
        None,
    )
}

fn answer(outcome: Result<Value, Failure>) -> Response {
    let (status, body, retry_after_s) = match outcome {
        Ok(body) => (StatusCode::OK, body, None),
        Err(Failure(status, code, message, wait)) => {
            (status, json!({"code": code, "message": message}), wait)
        }
    };
    let mut response = json_response(status, body.to_string().into_bytes());
    if let Some(seconds) = retry_after_s {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

async fn wrong_method() -> Response {
    answer(Err(Failure(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "Method not allowed".to_owned(),
        None,
    )))
}

/// The key behind `Bearer <key>` in a header.
fn key_of(
    app: &App,
    headers: &HeaderMap,
    name: &str,
    code: &'static str,
) -> Result<Arc<ApiKey>, Failure> {
    let nobody = || {
        Failure(
            StatusCode::UNAUTHORIZED,
            code,
            "Unauthorized".to_owned(),
            None,
        )
    };
    let text = headers.get(name).and_then(|value| value.to_str().ok());
    let (scheme, key) = text
        .and_then(|text| text.split_once(' '))
        .ok_or_else(nobody)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(nobody());
    }
    app.service().authenticate(key.trim())?.ok_or_else(nobody)
}

/// A JSON object, `{}` as a rule.
async fn read(parts: &Parts, body: Body) -> Result<(), Failure> {
    if body.is_end_stream() || !is_json(&parts.headers) {
        return Err(invalid());
    }
    let bytes = read_body(body, BODY_MAX).await.map_err(|_| invalid())?;
    match strict(&bytes) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(invalid()),
    }
}

async fn accounts(State(app): State<Arc<App>>, parts: Parts, body: Body) -> Response {
    let work = async {
        let token = "x-sequence-access-token";
        let key = key_of(&app, &parts.headers, token, "INVALID_ACCESS_TOKEN")?;
        read(&parts, body).await?;
        let service = app.service();
        let rows = service
            .readable_accounts(&key, None, false, Currency::USD)
            .await
            .map_err(|error| match error {
                service::Error::Forbidden => Failure(
                    StatusCode::UNAUTHORIZED,
                    "INVALID_ACCESS_TOKEN",
                    "Unauthorized".to_owned(),
                    None,
                ),
                error => error.into(),
            })?;
        let shown: Vec<Value> = rows.iter().map(account).collect();
        Ok(json!({
            "message": "OK",
            "requestId": app.new_request_id(),
            "data": {"accounts": shown, "errors": []},
        }))
    };
    let answered = async { answer(work.await) };
    metrics::observed(&app, "remoteListAccounts", answered).await
}

fn account(row: &AccountRow) -> Value {
    let account = &row.account;
    let known = match account.kind.is_held() {
        true => Some(account.available()),
        false => account.reported.balance,
    };
    json!({
        "id": id_text("acc_", account.id.raw()),
        "name": &*account.name,
        "balance": {
            "amountInDollars": known.map(dollars),
            "error": known.is_none().then_some("The balance is not available."),
        },
        "type": match account.kind {
            AccountKind::IncomeSource => "Income Source",
            AccountKind::Pod | AccountKind::PrepaidCard | AccountKind::DebitCard => "Pod",
            AccountKind::External(ExternalKind::Liability) => "Liability",
            AccountKind::External(ExternalKind::Investment) => "Investment",
            AccountKind::External(ExternalKind::Depository) | AccountKind::System(_) => "Account",
        },
    })
}

/// Cents as a JSON number of dollars, digit for digit.
fn dollars(cents: i64) -> Value {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    let text = format!(
        "{sign}{}.{:02}",
        cents.div_euclid(100),
        cents.rem_euclid(100)
    );
    serde_json::from_str(&text).unwrap_or_default()
}

fn id_text(prefix: &str, id: u64) -> String {
    let text = service::spelling::id_text(id);
    let mut spelled = prefix.to_owned();
    spelled.extend(text.iter().map(|byte| char::from(*byte)));
    spelled
}

async fn trigger(
    State(app): State<Arc<App>>,
    rule: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let rule = path_text(rule);
    let work = async {
        let secret = "x-sequence-signature";
        let key = key_of(&app, &parts.headers, secret, "INVALID_API_SECRET")?;
        read(&parts, body).await?;
        let request_id = app.new_request_id();
        let text = parts.headers.get("idempotency-key");
        let text = text.map(|value| value.to_str().map_err(|_| invalid()));
        let idempotency = match text.transpose()? {
            Some(text) => Some(IdempotencyKey::new(text, &request_id)?),
            None => None,
        };
        let id = rule.strip_prefix("rule_").and_then(parse_id);
        let request = Request {
            idempotency,
            body: &[],
            id: &request_id,
        };
        let how = (Incoming::Unknown, ExecutionMode::Live);
        let service = app.service();
        let id = id.map(RuleId::new);
        let triggered = service
            .trigger_rule(&key, id, how, Currency::USD, request)
            .await?;
        Ok(json!({
            "code": "OK",
            "message": format!("Rule with id {rule} has been triggered"),
            "data": {"requestId": &*triggered.request_id},
        }))
    };
    let answered = async { answer(work.await) };
    metrics::observed(&app, "remoteTriggerRule", answered).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_become_dollars_digit_for_digit() {
        for (cents, text) in [
            (2_534_277, "25342.77"),
            (5, "0.05"),
            (-150, "-1.5"),
            (0, "0.0"),
        ] {
            assert_eq!(dollars(cents).to_string(), text, "{cents}");
        }
    }
}
