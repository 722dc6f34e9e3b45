//! `POST /rules`: makes a rule, which is off until an operator switches it on (sequence-api §3.9).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::Currency;
use ledger::rule::draft::RuleDraft;
use serde_json::Value;
use service::{Request, RuleAnswer};

use super::errors::Failure;
use super::write::{self, Needs};
use super::{envelope, ids, request_id};
use crate::json::{Fault, Fields};
use crate::rules::Status;
use crate::{App, metrics, rules};

/// Make a rule. It is disabled, whatever its `status` says.
#[utoipa::path(
    post, path = "/rules", operation_id = "createRule", tag = "Rules",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same key return the original response without re-executing the operation. 1 to 255 characters."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 201, description = "The rule, disabled, with what may not work in `warnings`."),
        (status = 400, description = "The request is wrong, or the rule is; the message names each fault with its path.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The key lacks `CREATE_AND_EDIT_RULES` on all rules.", body = super::envelope::ErrorEnvelope),
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
            Ok(made) => {
                let data = written(&made);
                envelope::succeed(StatusCode::CREATED, &id, &made.request_id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "createRule", answer).await
}

async fn create(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    (id, usable): (&str, Result<(), Failure>),
) -> Result<RuleAnswer, Failure> {
    let write = write::accept(app, headers, body, Needs::Json, (id, usable)).await?;
    let draft = parse(&write.bytes).map_err(Failure::Invalid)?;
    let canonical = write.canonical();
    let request = Request {
        idempotency: write.idempotency,
        body: &canonical,
        id,
    };
    let service = app.service();
    Ok(service
        .create_rule(&write.key, draft, Currency::USD, request)
        .await?)
}

pub(super) fn parse(bytes: &[u8]) -> Result<RuleDraft, Vec<Fault>> {
    let mut fields = Fields::parse(bytes)?;
    let draft = rules::draft(&mut fields, &ids::RULES, Status::Required);
    fields.finish()?;
    Ok(draft)
}

/// A rule that was made or changed, with what may not work.
pub(super) fn written(answer: &RuleAnswer) -> Value {
    let mut data = rules::rule(&answer.view, &ids::RULES);
    let warnings = answer.warnings.iter();
    data["warnings"] = warnings
        .map(|found| rules::finding(found, &ids::RULES))
        .collect();
    data
}
