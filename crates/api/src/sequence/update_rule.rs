//! `PUT /rules/{id}`: replaces what a rule says; it is off afterwards (sequence-api §3.9).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::{Currency, RuleId};
use service::{Request, RuleAnswer};

use super::create_rule::{parse, written};
use super::errors::Failure;
use super::write::{self, Needs};
use super::{envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::{App, metrics};

/// Replace all that a rule says but its trigger. It is disabled afterwards.
#[utoipa::path(
    put, path = "/rules/{id}", operation_id = "updateRule", tag = "Rules",
    params(
        ("id" = String, Path, description = "`rule_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same key return the original response without re-executing the operation. 1 to 255 characters."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "The rule, disabled, with what may not work in `warnings`."),
        (status = 400, description = "The request is wrong, or the rule is; the message names each fault with its path.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The rule is not in the key's `CREATE_AND_EDIT_RULES` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such rule.", body = super::envelope::ErrorEnvelope),
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
        match update(&app, &parts.headers, &path_text(rule), body, (&id, usable)).await {
            Ok(made) => {
                let data = written(&made);
                envelope::succeed(StatusCode::OK, &id, &made.request_id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "updateRule", answer).await
}

async fn update(
    app: &App,
    headers: &HeaderMap,
    rule: &str,
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
    let rule = ids::read(ids::RULE, rule).map(RuleId::new);
    let service = app.service();
    Ok(service
        .change_rule(&write.key, rule, draft, Currency::USD, request)
        .await?)
}
