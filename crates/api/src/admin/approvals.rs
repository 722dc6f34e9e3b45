//! Transfers that wait for a person: listing, approving and denying them, and above which amount a
//! rule asks.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::RuleId;
use serde::Serialize;
use service::ApprovalDecision;
use utoipa::ToSchema;

use super::ids::{self, spell};
use super::money::transfer_id;
use super::problem::Problem;
use super::request::{Answer, List, fields, finish, ok};
use super::tenants::tenant_id;
use super::wire::TransferBody;
use crate::App;
use crate::http::Query;

/// Characters of the name of who decides.
const BY_MAX: usize = 100;

/// Above which amount a rule asks.
#[derive(Serialize, ToSchema)]
pub(super) struct ApprovalBody {
    rule_id: String,
    /// Transfers of more than so many minor units wait for a person; none do when null.
    #[schema(required)]
    approval_above: Option<i64>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list_approvals(&app, &tenant, query.as_deref()).await)
}

async fn list_approvals(app: &App, tenant: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let limit = query.read("limit", "must be an integer from 1 to 1000", |text| {
        text.parse().ok().filter(|limit| (1..=1000).contains(limit))
    });
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let service = app.service();
    let rows = service.approvals(tenant_id(tenant), limit.unwrap_or(100));
    ok(&List {
        data: rows.await?.iter().map(TransferBody::new).collect(),
    })
}

pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Path((tenant, transfer)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(decide(&app, (&tenant, &transfer), true, &headers, body).await)
}

pub(super) async fn deny(
    State(app): State<Arc<App>>,
    Path((tenant, transfer)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(decide(&app, (&tenant, &transfer), false, &headers, body).await)
}

async fn decide(
    app: &App,
    (tenant, transfer): (&str, &str),
    approved: bool,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let by = fields.optional_text("by");
    if by.as_ref().is_some_and(|by| by.chars().count() > BY_MAX) {
        fields.fault("by", format!("must have at most {BY_MAX} characters"));
    }
    let reason = match approved {
        true => None,
        false => fields.optional_text("reason").map(Arc::from),
    };
    fields.finish()?;
    let (tenant, transfer) = (tenant_id(tenant), transfer_id(transfer));
    let decision = ApprovalDecision {
        approved,
        reason,
        by,
    };
    let decided = app.service().decide_approval(tenant, transfer, decision);
    ok(&TransferBody::new(&decided.await?))
}

pub(super) async fn set_for_rule(
    State(app): State<Arc<App>>,
    Path((tenant, rule)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(set_approval(&app, &tenant, &rule, &headers, body).await)
}

async fn set_approval(
    app: &App,
    tenant: &str,
    rule: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let above = fields.optional_integer("approval_above");
    if above.is_some_and(|minor| minor < 0) {
        fields.fault("approval_above", "must be at least 0");
    }
    fields.finish()?;
    let rule = RuleId::new(ids::read(ids::RULE, rule));
    let set = app
        .service()
        .set_rule_approval(tenant_id(tenant), None, rule, above);
    let rule = set.await?;
    ok(&ApprovalBody {
        rule_id: spell(ids::RULE, rule.id.raw()),
        approval_above: rule.approval_above_minor,
    })
}
