//! `GET /rules/{id}`: a whole rule (sequence-api §3.4).

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::{Currency, RuleId};
use service::RuleView;

use super::errors::Failure;
use super::{auth, envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::{App, metrics, rules};

/// Get one rule.
#[utoipa::path(
    get, path = "/rules/{id}", operation_id = "getRule", tag = "Rules",
    params(
        ("id" = String, Path, description = "`rule_…`"),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "The rule with its steps."),
        (status = 400, description = "The request is wrong.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The rule is not in the key's `READ_RULES` resources.", body = super::envelope::ErrorEnvelope),
        (status = 404, description = "No such rule.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, rule: PathText, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match find(&app, &parts.headers, &path_text(rule), usable).await {
            Ok(view) => {
                let data = rules::rule(&view, &ids::RULES);
                envelope::succeed(StatusCode::OK, &id, &id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "getRule", answer).await
}

async fn find(
    app: &App,
    headers: &HeaderMap,
    rule: &str,
    usable: Result<(), Failure>,
) -> Result<RuleView, Failure> {
    let key = auth::authenticate(app, headers)?;
    usable?;
    let id = ids::read(ids::RULE, rule).map(RuleId::new);
    Ok(app.service().rule(&key, id, Currency::USD).await?)
}
