//! `POST /rules/{id}/trigger`: runs a rule by hand, after the answer (sequence-api §3.8).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::{Currency, ExecutionMode, Incoming, RuleId};
use serde_json::json;
use service::{Request, Triggered};

use super::errors::Failure;
use super::write::{self, Needs};
use super::{envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::json::{Fault, Fields};
use crate::{App, metrics};

/// Run a rule now, whatever else makes it run.
#[utoipa::path(
    post, path = "/rules/{id}/trigger", operation_id = "triggerRule", tag = "Rules",
    params(
        ("id" = String, Path, description = "`rule_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same key return the original response without re-executing the operation. 1 to 255 characters."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 202, description = "It will run; poll `GET /rule-executions/{id}`."),
        (status = 400, description = "The request is wrong; the message names the field.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The rule is not in the key's `TRIGGER_RULES` resources, or it is disabled.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such rule.", body = super::envelope::ErrorEnvelope),
        (status = 409, description = "It was triggered before and has not run yet.", body = super::envelope::ErrorEnvelope),
        (status = 413, description = "The body is too large.", body = super::envelope::ErrorEnvelope),
        (status = 415, description = "The body is not JSON.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now; retry with the same key.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(
    State(app): State<Arc<App>>,
    rule: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match trigger(&app, &parts.headers, &path_text(rule), body, (&id, usable)).await {
            Ok(Triggered {
                execution,
                request_id,
            }) => {
                let data = json!({"execution_id": (ids::RULES.execution)(execution.id.raw())});
                envelope::succeed(StatusCode::ACCEPTED, &id, &request_id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "triggerRule", answer).await
}

async fn trigger(
    app: &App,
    headers: &HeaderMap,
    rule: &str,
    body: Body,
    (id, usable): (&str, Result<(), Failure>),
) -> Result<Triggered, Failure> {
    let write = write::accept(app, headers, body, Needs::JsonOrNothing, (id, usable)).await?;
    let incoming = parse(&write.bytes).map_err(Failure::Invalid)?;
    let amount = incoming.minor().map(i64::to_le_bytes);
    let request = Request {
        idempotency: write.idempotency,
        body: amount.as_ref().map_or(&[], |amount| &amount[..]),
        id,
    };
    let rule = ids::read(ids::RULE, rule).map(RuleId::new);
    let how = (incoming, ExecutionMode::Live);
    let service = app.service();
    Ok(service
        .trigger_rule(&write.key, rule, how, Currency::USD, request)
        .await?)
}

/// The amount stands for one that came in; the source's balance is what it is.
fn parse(bytes: &[u8]) -> Result<Incoming, Vec<Fault>> {
    let mut fields = Fields::parse(bytes)?;
    let amount = fields.optional_integer("manual_execute_amount");
    if amount.is_some_and(|amount| amount < 0) {
        fields.fault("manual_execute_amount", "must be at least 0");
    }
    fields.finish()?;
    Ok(amount.map_or(Incoming::Unknown, Incoming::Amount))
}
