//! `GET /rules`: the rules of the organization, oldest first (sequence-api §3.3).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Currency};
use serde_json::Value;
use service::RuleView;

use super::errors::Failure;
use super::{auth, envelope, ids, request_id};
use crate::http::Query;
use crate::{App, metrics, rules};

/// List the rules.
#[utoipa::path(
    get, path = "/rules", operation_id = "listRules", tag = "Rules",
    params(
        ("source_id" = Option<String>, Query, description = "Rules about this account: the one of their trigger."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "All rules; there is no paging."),
        (status = 400, description = "A parameter is wrong; the message names it.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The key lacks `LIST_RULES`.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match list(&app, &parts, usable).await {
            Ok(views) => {
                let data: Vec<Value> = views
                    .iter()
                    .map(|view| rules::summary(view, &ids::RULES))
                    .collect();
                envelope::succeed(StatusCode::OK, &id, &id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "listRules", answer).await
}

async fn list(
    app: &App,
    parts: &Parts,
    usable: Result<(), Failure>,
) -> Result<Vec<RuleView>, Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    // The scope has no resources, so it is decided before the parameters are read.
    app.service().check_list_rules(&key)?;
    usable?;
    let mut query = Query::parse(parts.uri.query());
    // An account that nobody has is the source of no rule.
    let source = query
        .take("source_id")
        .map(|text| AccountId::new(ids::read(ids::ACCOUNT, &text).unwrap_or(0)));
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    Ok(app.service().rules(&key, source, Currency::USD).await?)
}
