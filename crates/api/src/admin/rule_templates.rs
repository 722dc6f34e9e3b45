//! Rules from templates.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::AccountId;
use ledger::rule::draft::DebtDraft;
use ledger::rule::percent::Percent;
use serde_json::Value;
use service::{Filling, Template};

use super::ids;
use super::request::{Answer, created, fields, finish};
use super::rules::written;
use super::tenants::tenant_id;
use crate::json::{Fault, Fields};
use crate::rules::{percent_of, rate_of};
use crate::{App, time};

/// Accounts that one template may name.
const MEMBERS_MAX: usize = 50;

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
    let filling = parse(&mut fields);
    fields.finish()?;
    let Some(filling) = filling else {
        return Err(vec![Fault::new("template", "is required")].into());
    };
    let draft = filling.draft()?;
    let service = app.service();
    let made = service.create_rule_as_operator(tenant_id(tenant), None, draft);
    created(&written(&made.await?))
}

fn parse(fields: &mut Fields) -> Option<Filling> {
    let name = fields.text("template");
    let template = Template::parse(&name);
    if template.is_none() && !name.is_empty() {
        let known: Vec<&str> = Template::ALL.iter().map(|(_, name)| *name).collect();
        fields.fault("template", format!("must be one of {}", known.join(", ")));
    }
    let nickname = fields.optional_text("nickname");
    let source = account(&fields.text("source_id"));
    let destinations = members(fields, "destinations", |member| {
        let id = account(&member.text("id"));
        (id, share(member))
    });
    let minor = fields.optional_integer("amount_in_cents");
    let debts = members(fields, "liabilities", |member| DebtDraft {
        account: account(&member.text("id")),
        apr: rate_of(member, "interest_rate_percentage"),
    });
    let start = fields.optional_text("start_date").and_then(|text| {
        let at = time::parse(&text);
        if at.is_none() {
            fields.fault("start_date", "must be an RFC 3339 timestamp");
        }
        at
    });
    Some(Filling {
        template: template?,
        name: nickname.map(Arc::from),
        source,
        destinations,
        minor,
        debts,
        start,
    })
}

fn account(text: &str) -> AccountId {
    AccountId::new(ids::read(ids::ACCOUNT, text))
}

fn share(member: &mut Fields) -> Option<Percent> {
    percent_of(member, "percentage_value")
}

fn members<T>(fields: &mut Fields, name: &str, read: impl Fn(&mut Fields) -> T) -> Vec<T> {
    let values = match fields.take(name) {
        None => return Vec::new(),
        Some(Value::Array(values)) if values.len() <= MEMBERS_MAX => values,
        Some(_) => {
            fields.fault(name, format!("must be a list of at most {MEMBERS_MAX}"));
            return Vec::new();
        }
    };
    let mut found = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut nested = fields.nested(&format!("{name}[{index}]"), value);
        if nested.is_faultless() {
            found.push(read(&mut nested));
        }
        for Fault { field, reason } in nested.into_faults() {
            fields.absolute_fault(field, reason);
        }
    }
    found
}
