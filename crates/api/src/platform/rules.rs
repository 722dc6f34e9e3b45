//! Rules: lists, details, made, changed and triggered; and their executions.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::rule::TriggerKind;
use ledger::{AccountId, Currency, ExecutionId, ExecutionMode, ExecutionStatus, Incoming, RuleId};
use serde_json::{Value, json};
use service::{Request, RuleView};
use store::ExecutionQuery;

use super::call::{Call, Done, idempotency_key, serve};
use super::errors::Failure;
use super::{BODY_MAX, ids, page};
use crate::http::{PathText, Query, is_json, path_text, read_body};
use crate::json::{Fields, strict};
use crate::rules::{Detail, Status};
use crate::{App, rules};

pub(super) async fn list(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let work = async |call: &Call| {
        let mut query = Query::parse(parts.uri.query());
        let source = query.read("sourceId", "must be an account's id", |text| {
            ids::read(text).map(AccountId::new)
        });
        let paging = page::paging(&mut query);
        if !query.faults.is_empty() {
            return Err(Failure::Invalid(query.faults));
        }
        let views = app
            .service()
            .readable_rules(&call.key, source, Currency::USD)
            .await?;
        let (views, more) = paging.page.of(views);
        let items = views.iter();
        let items = items
            .map(|view| rules::summary(view, &ids::RULES))
            .collect();
        Ok(Done::ok(page::list(items, &paging, more)))
    };
    serve(&app, &parts, ("LIST_RULES", "platformListRules"), work).await
}

pub(super) async fn find(State(app): State<Arc<App>>, id: PathText, parts: Parts) -> Response {
    let id = ids::read(&path_text(id)).map(RuleId::new);
    let work = async |call: &Call| {
        let view = app.service().rule(&call.key, id, Currency::USD).await?;
        Ok(Done::ok(shown(&view)?))
    };
    serve(&app, &parts, ("GET_RULE", "platformGetRule"), work).await
}

fn shown(view: &RuleView) -> Result<Value, Failure> {
    match view.is_supported() {
        true => Ok(rules::rule(view, &ids::RULES)),
        false => Err(Failure::Unsupported),
    }
}

pub(super) async fn create(State(app): State<Arc<App>>, parts: Parts, body: Body) -> Response {
    let work = async |call: &Call| write(&app, call, &parts, body, None).await;
    serve(&app, &parts, ("CREATE_RULE", "platformCreateRule"), work).await
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let id = RuleId::new(ids::read(&path_text(id)).unwrap_or(0));
    let work = async |call: &Call| write(&app, call, &parts, body, Some(id)).await;
    serve(&app, &parts, ("UPDATE_RULE", "platformUpdateRule"), work).await
}

/// A rule is replaced as a whole, also here: what is absent has its default.
async fn write(
    app: &App,
    call: &Call,
    parts: &Parts,
    body: Body,
    known: Option<RuleId>,
) -> Result<Done, Failure> {
    if !is_json(&parts.headers) {
        return Err(Failure::NotJson);
    }
    let bytes = read_body(body, BODY_MAX).await.map_err(Failure::Body)?;
    let idempotency = idempotency_key(parts, &call.request_id)?;
    let mut fields = Fields::parse(&bytes).map_err(Failure::Invalid)?;
    let draft = rules::draft(&mut fields, &ids::RULES, Status::Ignored);
    fields.finish().map_err(Failure::Invalid)?;
    let canonical = strict(&bytes).map_or_else(|_| Vec::new(), |it| it.to_string().into_bytes());
    let request = Request {
        idempotency,
        body: &canonical,
        id: &call.request_id,
    };
    let (service, usd) = (app.service(), Currency::USD);
    let (status, answer) = match known {
        None => {
            let made = service.create_rule(&call.key, draft, usd, request).await?;
            (StatusCode::CREATED, made)
        }
        Some(id) => {
            let changed = service.change_rule(&call.key, Some(id), draft, usd, request);
            (StatusCode::OK, changed.await?)
        }
    };
    let mut data = rules::rule(&answer.view, &ids::RULES);
    let warnings = answer.warnings.iter();
    data["warnings"] = warnings
        .map(|found| rules::finding(found, &ids::RULES))
        .collect();
    Ok(Done {
        status,
        data,
        request_id: Some(answer.request_id),
    })
}

/// The amount is what came in and the source's balance at once (sequence-api §3.8).
pub(super) async fn trigger(
    State(app): State<Arc<App>>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let id = ids::read(&path_text(id)).map(RuleId::new);
    let work = async |call: &Call| {
        let bytes = if body.is_end_stream() {
            axum::body::Bytes::from_static(b"{}")
        } else if is_json(&parts.headers) {
            read_body(body, BODY_MAX).await.map_err(Failure::Body)?
        } else {
            return Err(Failure::NotJson);
        };
        let idempotency = idempotency_key(&parts, &call.request_id)?;
        let mut fields = Fields::parse(&bytes).map_err(Failure::Invalid)?;
        let amount = fields.optional_integer("executeAmount");
        if amount.is_some_and(|amount| amount < 0) {
            fields.fault("executeAmount", "must be at least 0");
        }
        let mode = match fields.optional_flag("simulation") {
            Some(true) => ExecutionMode::Simulation,
            _ => ExecutionMode::Live,
        };
        fields.finish().map_err(Failure::Invalid)?;
        let body = format!("{amount:?} {mode:?}");
        let request = Request {
            idempotency,
            body: body.as_bytes(),
            id: &call.request_id,
        };
        let how = (amount.map_or(Incoming::Unknown, Incoming::Pretended), mode);
        let service = app.service();
        let triggered = service
            .trigger_rule(&call.key, id, how, Currency::USD, request)
            .await?;
        Ok(Done {
            status: StatusCode::ACCEPTED,
            data: json!({"executionId": ids::spell(triggered.execution.id.raw())}),
            request_id: Some(triggered.request_id),
        })
    };
    serve(&app, &parts, ("TRIGGER_RULE", "platformTriggerRule"), work).await
}

pub(super) async fn runs(State(app): State<Arc<App>>, rule: PathText, parts: Parts) -> Response {
    let rule = ids::read(&path_text(rule)).map(RuleId::new);
    let work = async |call: &Call| {
        let mut query = Query::parse(parts.uri.query());
        let status = page::word(
            &mut query,
            "status",
            &[
                ("IN_PROGRESS", ExecutionStatus::InProgress),
                ("EXECUTED", ExecutionStatus::Executed),
                ("PARTIAL", ExecutionStatus::Partial),
                ("FAILED", ExecutionStatus::Failed),
            ],
        );
        // Runs that a key asked for and runs that a person asked for are one kind in the ledger.
        let cause = page::word(
            &mut query,
            "triggerType",
            &[
                ("MANUAL", TriggerKind::Manual),
                ("SEQUENCE_API", TriggerKind::Manual),
                ("REMOTE_API", TriggerKind::Manual),
                ("SCHEDULED", TriggerKind::Scheduled),
                ("ON_FUNDS_TRANSFERRED", TriggerKind::OnFundsTransferred),
            ],
        );
        let mode = page::word(
            &mut query,
            "executionMode",
            &[
                ("LIVE", Some(ExecutionMode::Live)),
                ("SIMULATION", Some(ExecutionMode::Simulation)),
                ("ALL", None),
            ],
        );
        let (from, to) = page::span(&mut query);
        let paging = page::paging(&mut query);
        if !query.faults.is_empty() {
            return Err(Failure::Invalid(query.faults));
        }
        let asked = ExecutionQuery {
            statuses: status.into_iter().collect(),
            causes: cause.into_iter().collect(),
            mode: mode.unwrap_or(Some(ExecutionMode::Live)),
            from,
            to,
            ..ExecutionQuery::new(call.key.tenant, paging.page.size)
        };
        let service = app.service();
        let runs = service.runs_of(&call.key, rule, asked, paging.page).await?;
        let items = runs.items.iter();
        let items = items.map(|run| rules::execution(run, Detail::Summary, &ids::RULES));
        Ok(Done::ok(page::list(items.collect(), &paging, runs.more)))
    };
    serve(
        &app,
        &parts,
        ("LIST_RULE_EXECUTIONS", "platformListRuleExecutions"),
        work,
    )
    .await
}

pub(super) async fn run(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    parts: Parts,
) -> Response {
    // Bytes that are no UTF-8 are ids that nobody has.
    let (rule, run) = path.map_or_else(|_| Default::default(), |Path(ids)| ids);
    let rule = ids::read(&rule).map(RuleId::new);
    let run = ids::read(&run).map(ExecutionId::new);
    let work = async |call: &Call| {
        let mut query = Query::parse(parts.uri.query());
        let detail = page::word(&mut query, "include", &[("explanation", Detail::Explained)]);
        if !query.faults.is_empty() {
            return Err(Failure::Invalid(query.faults));
        }
        let run = app.service().run_of(&call.key, rule, run).await?;
        let detail = detail.unwrap_or(Detail::Whole);
        Ok(Done::ok(rules::execution(&run, detail, &ids::RULES)))
    };
    serve(
        &app,
        &parts,
        ("GET_RULE_EXECUTION", "platformGetRuleExecution"),
        work,
    )
    .await
}
