//! `GET /rule-executions`: one rule's runs, newest first (sequence-api §5.2).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{ExecutionId, ExecutionMode, RuleId};
use serde_json::Value;
use service::{ApiKey, ExecutionPage};
use store::ExecutionQuery;

use super::envelope::PageInfo;
use super::errors::Failure;
use super::list_transfers::{FIRST_DEFAULT, TIMESTAMP, first};
use super::{auth, envelope, ids, params, request_id};
use crate::http::Query;
use crate::rules::Detail;
use crate::{App, metrics, rules, time};

/// List one rule's executions, newest first.
#[utoipa::path(
    get, path = "/rule-executions", operation_id = "listRuleExecutions", tag = "Rule executions",
    params(
        ("rule_id" = String, Query, description = "Rule ID to filter by."),
        ("status" = Option<String>, Query, description = "`in_progress`, `executed`, `partial` or `failed`."),
        ("trigger_type" = Option<String>, Query, description = "`manual`, `scheduled` or `on_funds_transferred`."),
        ("from" = Option<String>, Query, description = "Created at or after this RFC 3339 timestamp."),
        ("to" = Option<String>, Query, description = "Created at or before this RFC 3339 timestamp; in whole seconds, the whole second is included."),
        ("include" = Option<String>, Query, description = "`explanation`: how each came about."),
        ("first" = Option<i64>, Query, description = "Number of results.", minimum = 1, maximum = 100),
        ("after" = Option<String>, Query, description = "Cursor from a previous response's `page_info.end_cursor`."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "A page of executions, ordered by `created_at` descending."),
        (status = 400, description = "A parameter is wrong; the message names it.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The rule is not in the key's `READ_RULE_EXECUTIONS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match list(&app, &parts, usable).await {
            Ok((page, detail)) => {
                let shown = page.items.iter();
                let data: Vec<Value> = shown
                    .map(|run| rules::execution(run, detail, &ids::RULES))
                    .collect();
                let last = page.items.last().map(|run| run.id.raw());
                let page_info = PageInfo {
                    has_next_page: page.more,
                    end_cursor: last.map(|id| ids::spell(ids::CURSOR, id)),
                };
                envelope::succeed(StatusCode::OK, &id, &id, data, Some(page_info))
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "listRuleExecutions", answer).await
}

async fn list(
    app: &App,
    parts: &Parts,
    usable: Result<(), Failure>,
) -> Result<(ExecutionPage, Detail), Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    if !app.service().may_read_executions(&key) {
        return Err(Failure::Service(service::Error::Forbidden));
    }
    usable?;
    let (query, after, detail) = parse(&key, parts.uri.query())?;
    let page = app.service().executions(&key, query, after).await?;
    Ok((page, detail))
}

type Asked = (ExecutionQuery, Option<ExecutionId>, Detail);

/// Simulations are not runs of this dialect.
fn parse(key: &ApiKey, query: Option<&str>) -> Result<Asked, Failure> {
    let mut query = Query::parse(query);
    let rule = query.take("rule_id");
    if rule.as_deref().is_none_or(str::is_empty) {
        query.fault("rule_id", "is required");
    }
    let rule = rule.and_then(|text| ids::read(ids::RULE, &text));
    let status = query.read("status", ONE_OF_STATUSES, params::execution_status);
    let cause = query.read("trigger_type", ONE_OF_CAUSES, params::trigger_kind);
    let from = query.read("from", TIMESTAMP, time::parse);
    let to = query.read("to", TIMESTAMP, time::end_of);
    let detail = detail(&mut query);
    let first = first(&mut query);
    let after = query.read("after", "is not a cursor", |text| {
        ids::read(ids::CURSOR, text).map(ExecutionId::new)
    });
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    let query = ExecutionQuery {
        rule: Some(RuleId::new(rule.unwrap_or(0))),
        statuses: status.into_iter().collect(),
        causes: cause.into_iter().collect(),
        mode: Some(ExecutionMode::Live),
        from,
        to,
        ..ExecutionQuery::new(key.tenant, first.unwrap_or(FIRST_DEFAULT))
    };
    Ok((query, after, detail))
}

/// `include=explanation`.
pub(super) fn detail(query: &mut Query) -> Detail {
    let asked = query.read("include", "must be explanation", |text| {
        (text == "explanation").then_some(Detail::Explained)
    });
    asked.unwrap_or(Detail::Whole)
}

const ONE_OF_STATUSES: &str = "must be one of in_progress, executed, partial, failed";
const ONE_OF_CAUSES: &str = "must be one of manual, scheduled, on_funds_transferred";
