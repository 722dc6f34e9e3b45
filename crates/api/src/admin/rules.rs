//! Rules: made, changed, deleted, switched on and off, and looked over.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::rule::draft::RuleDraft;
use ledger::rule::lint::Finding;
use ledger::{AccountId, OwnerId, RuleId};
use serde_json::{Value, json};
use service::{RuleAnswer, RuleView};
use store::RuleQuery;

use super::ids;
use super::problem::Problem;
use super::request::{Answer, List, created, fields, finish, no_content, ok};
use super::tenants::tenant_id;
use crate::http::Query;
use crate::json::{Fault, Fields};
use crate::rules::Status;
use crate::{App, rules};

/// As the Sequence API shows it, with its owner.
pub(super) fn shown(view: &RuleView) -> Value {
    let mut body = rules::rule(view, &ids::RULES);
    body["owner_id"] = json!(ids::spell(ids::OWNER, view.rule.owner.raw()));
    body["approval_above"] = json!(view.rule.approval_above_minor);
    body
}

pub(super) fn rule_id(text: &str) -> RuleId {
    RuleId::new(ids::read(ids::RULE, text))
}

/// Whose it is, if the caller says so.
pub(super) fn owner(fields: &mut Fields) -> Option<OwnerId> {
    let text = fields.optional_text("owner_id")?;
    Some(OwnerId::new(ids::read(ids::OWNER, &text)))
}

fn draft(fields: &mut Fields) -> RuleDraft {
    rules::draft(fields, &ids::RULES, Status::Ignored)
}

pub(super) fn written(answer: &RuleAnswer) -> Value {
    let mut body = shown(&answer.view);
    body["warnings"] = found(&answer.warnings);
    body
}

fn found(findings: &[Finding]) -> Value {
    let findings = findings.iter().map(|finding| {
        let mut shown = rules::finding(finding, &ids::RULES);
        // A draft has no id yet.
        let id = Some(finding.rule.raw()).filter(|id| *id != 0);
        shown["rule_id"] = json!(id.map(|id| ids::spell(ids::RULE, id)));
        shown
    });
    findings.collect()
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create_rule(&app, &tenant, &headers, body).await)
}

async fn create_rule(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let owner = owner(&mut fields);
    let draft = draft(&mut fields);
    fields.finish()?;
    let service = app.service();
    let made = service.create_rule_as_operator(tenant_id(tenant), owner, draft);
    created(&written(&made.await?))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list_rules(&app, &tenant, query.as_deref()).await)
}

async fn list_rules(app: &App, tenant: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let owner = query.take("owner_id");
    let source = query.take("source_id");
    let enabled = query.read("enabled", "must be true or false", |text| text.parse().ok());
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let query = RuleQuery {
        owner: owner.map(|text| OwnerId::new(ids::read(ids::OWNER, &text))),
        source: source.map(|text| AccountId::new(ids::read(ids::ACCOUNT, &text))),
        enabled,
        ..RuleQuery::new(tenant_id(tenant))
    };
    let views = app.service().all_rules(query).await?;
    ok(&List {
        data: views.iter().map(shown).collect(),
    })
}

type TenantAndRule = Path<(String, String)>;

pub(super) async fn find(State(app): State<Arc<App>>, path: TenantAndRule) -> Response {
    finish(find_rule(&app, &path).await)
}

async fn find_rule(app: &App, Path((tenant, rule)): &TenantAndRule) -> Answer {
    let view = app
        .service()
        .any_rule(tenant_id(tenant), rule_id(rule))
        .await?;
    ok(&shown(&view))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    path: TenantAndRule,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(change_rule(&app, &path, &headers, body).await)
}

async fn change_rule(
    app: &App,
    Path((tenant, rule)): &TenantAndRule,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let draft = draft(&mut fields);
    fields.finish()?;
    let service = app.service();
    let changed = service.change_rule_as_operator(tenant_id(tenant), rule_id(rule), draft);
    ok(&written(&changed.await?))
}

pub(super) async fn delete(State(app): State<Arc<App>>, path: TenantAndRule) -> Response {
    finish(delete_rule(&app, &path).await)
}

async fn delete_rule(app: &App, Path((tenant, rule)): &TenantAndRule) -> Answer {
    let (tenant, rule) = (tenant_id(tenant), rule_id(rule));
    app.service().delete_rule_as_operator(tenant, rule).await?;
    no_content()
}

pub(super) async fn enable(State(app): State<Arc<App>>, path: TenantAndRule) -> Response {
    finish(switch(&app, &path, true).await)
}

pub(super) async fn disable(State(app): State<Arc<App>>, path: TenantAndRule) -> Response {
    finish(switch(&app, &path, false).await)
}

async fn switch(app: &App, Path((tenant, rule)): &TenantAndRule, enabled: bool) -> Answer {
    let view = app
        .service()
        .switch_rule(tenant_id(tenant), rule_id(rule), enabled)
        .await?;
    ok(&shown(&view))
}

pub(super) async fn lint(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(lint_rules(&app, &tenant, &headers, body).await)
}

/// With `rule` the draft, beside the owner's rules that are on but the one that it shall replace;
/// without it all of the owner's.
async fn lint_rules(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let owner = owner(&mut fields);
    let replaced = fields.optional_text("rule_id").map(|id| rule_id(&id));
    let mut asked = None;
    if let Some(value) = fields.take("rule") {
        let mut nested = fields.nested("rule", value);
        let read = draft(&mut nested);
        for Fault { field, reason } in nested.into_faults() {
            fields.absolute_fault(field, reason);
        }
        asked = Some(read);
    } else if owner.is_none() {
        fields.fault("owner_id", "is required without a rule");
    }
    fields.finish()?;
    let (service, tenant) = (app.service(), tenant_id(tenant));
    let (faults, findings) = match (asked, owner) {
        (Some(draft), owner) => {
            let linted = service.lint_draft(tenant, owner, &draft, replaced).await?;
            (linted.faults, linted.findings)
        }
        (None, Some(owner)) => (Vec::new(), service.lint_rules(tenant, owner).await?),
        (None, None) => (Vec::new(), Vec::new()),
    };
    let faults = faults.iter().map(
        |fault| json!({"code": fault.code.name(), "path": fault.path, "message": fault.reason}),
    );
    ok(&json!({
        "faults": faults.collect::<Vec<Value>>(),
        "findings": found(&findings),
    }))
}
