//! Runs of rules: asked for, tried with made-up money, and explained.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::{Execution, ExecutionId, ExecutionMode, ExecutionStatus, Incoming};
use serde_json::{Value, json};
use store::ExecutionQuery;

use super::ids;
use super::problem::Problem;
use super::request::{Answer, created, fields, finish, ok};
use super::rules::rule_id;
use super::tenants::tenant_id;
use crate::http::Query;
use crate::rules::Detail;
use crate::{App, rules};

/// Runs on a page unless asked otherwise, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

fn shown(run: &Execution) -> Value {
    let mut body = rules::execution(run, Detail::Explained, &ids::RULES);
    body["execution_mode"] = json!(match run.mode {
        ExecutionMode::Live => "live",
        ExecutionMode::Simulation => "simulation",
    });
    body
}

type TenantAndRule = Path<(String, String)>;

pub(super) async fn trigger(
    State(app): State<Arc<App>>,
    path: TenantAndRule,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(run(&app, &path, &headers, body, ExecutionMode::Live).await)
}

pub(super) async fn simulate(
    State(app): State<Arc<App>>,
    path: TenantAndRule,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(run(&app, &path, &headers, body, ExecutionMode::Simulation).await)
}

/// A simulation is made as if the amount had come in and were all that is on the trigger's account.
async fn run(
    app: &App,
    Path((tenant, rule)): &TenantAndRule,
    headers: &HeaderMap,
    body: Body,
    mode: ExecutionMode,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let amount = fields.optional_integer("amount_in_cents");
    if amount.is_some_and(|amount| amount < 0) {
        fields.fault("amount_in_cents", "must be at least 0");
    }
    fields.finish()?;
    let incoming = match (amount, mode) {
        (None, _) => Incoming::Unknown,
        (Some(minor), ExecutionMode::Live) => Incoming::Amount(minor),
        (Some(minor), ExecutionMode::Simulation) => Incoming::Pretended(minor),
    };
    let service = app.service();
    let run = service
        .trigger_rule_as_operator(tenant_id(tenant), rule_id(rule), incoming, mode)
        .await?;
    created(&shown(&run))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list_runs(&app, &tenant, query.as_deref()).await)
}

async fn list_runs(app: &App, tenant: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let rule = query.take("rule_id").map(|text| rule_id(&text));
    let status = query.read("status", ONE_OF_STATUSES, status);
    let mode = query.read("execution_mode", "must be live or simulation", |text| {
        Some(match text {
            "live" => ExecutionMode::Live,
            "simulation" => ExecutionMode::Simulation,
            _ => return None,
        })
    });
    let after = query.read("after", "must be an execution's id", |text| {
        Some(ids::read(ids::EXECUTION, text)).filter(|id| *id != 0)
    });
    let limit = query.read("limit", "must be an integer from 1 to 1000", |text| {
        let limit = text.parse().ok();
        limit.filter(|limit| (1..=LIMIT_MAX).contains(limit))
    });
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let query = ExecutionQuery {
        rule,
        statuses: status.into_iter().collect(),
        mode,
        after: after.map(ExecutionId::new),
        ..ExecutionQuery::new(tenant_id(tenant), limit)
    };
    let page = app.service().all_executions(query).await?;
    let data: Vec<Value> = page.items.iter().map(shown).collect();
    ok(&json!({"data": data, "more": page.more}))
}

fn status(text: &str) -> Option<ExecutionStatus> {
    Some(match text {
        "in_progress" => ExecutionStatus::InProgress,
        "executed" => ExecutionStatus::Executed,
        "partial" => ExecutionStatus::Partial,
        "failed" => ExecutionStatus::Failed,
        _ => return None,
    })
}

const ONE_OF_STATUSES: &str = "must be one of in_progress, executed, partial, failed";

pub(super) async fn find(
    State(app): State<Arc<App>>,
    Path((tenant, execution)): Path<(String, String)>,
) -> Response {
    finish(find_run(&app, &tenant, &execution).await)
}

async fn find_run(app: &App, tenant: &str, execution: &str) -> Answer {
    let id = ExecutionId::new(ids::read(ids::EXECUTION, execution));
    let run = app.service().any_execution(tenant_id(tenant), id).await?;
    ok(&shown(&run))
}
