//! `DELETE /rules/{id}`: takes a rule away; what it did stays (sequence-api §3.9).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Currency, RuleId};
use service::Request;

use super::errors::Failure;
use super::write::{self, Needs};
use super::{envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::{App, metrics};

/// Delete a rule. Its executions stay.
#[utoipa::path(
    delete, path = "/rules/{id}", operation_id = "deleteRule", tag = "Rules",
    params(
        ("id" = String, Path, description = "`rule_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Requests with the same key return the original response without re-executing the operation. 1 to 255 characters."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 204, description = "It is gone."),
        (status = 400, description = "The request is wrong.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The rule is not in the key's `CREATE_AND_EDIT_RULES` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such rule.", body = super::envelope::ErrorEnvelope),
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
        match delete(&app, &parts.headers, &path_text(rule), body, (&id, usable)).await {
            Ok(()) => envelope::done(&id),
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "deleteRule", answer).await
}

async fn delete(
    app: &App,
    headers: &HeaderMap,
    rule: &str,
    body: Body,
    (id, usable): (&str, Result<(), Failure>),
) -> Result<(), Failure> {
    let write = write::accept(app, headers, body, Needs::Nothing, (id, usable)).await?;
    let request = Request {
        idempotency: write.idempotency,
        body: &[],
        id,
    };
    let rule = ids::read(ids::RULE, rule).map(RuleId::new);
    let service = app.service();
    Ok(service
        .delete_rule(&write.key, rule, Currency::USD, request)
        .await?)
}
