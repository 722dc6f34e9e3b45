//! API keys: made with permissions, shown once, revoked at once.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::KeyId;
use serde_json::Value;
use service::Secret;
use store::{Permission, Resources, Selector, TransferSet};

use super::ids;
use super::problem::Problem;
use super::request::{Answer, List, created, fields, finish, no_content, ok};
use super::tenants::tenant_id;
use super::wire::KeyBody;
use crate::App;
use crate::json::{Fault, Fields};

/// Permission entries of one key, and resources of one entry.
const ENTRIES_MAX: usize = 1000;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create_key(&app, &tenant, &headers, body).await)
}

async fn create_key(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let name = fields.text("name");
    if name.trim().is_empty() || name.chars().count() > 100 {
        fields.fault("name", "must have 1 to 100 characters");
    }
    let permissions = parse_permissions(&mut fields);
    fields.finish()?;
    let secret = new_secret()?;
    let key = app
        .service()
        .create_key(tenant_id(tenant), &name, permissions, &secret)
        .await?;
    created(&KeyBody::new(&key, Some(secret.reveal().to_owned())))
}

/// A secret from the system's random source.
fn new_secret() -> Result<Secret, Problem> {
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        service::Error::Store(store::StoreError::Corrupt(Arc::from("no random bytes")))
    })?;
    Ok(Secret::from_entropy(entropy))
}

fn parse_permissions(fields: &mut Fields) -> Vec<Permission> {
    let entries = match fields.take("permissions") {
        Some(Value::Array(entries)) if entries.len() <= ENTRIES_MAX => entries,
        Some(Value::Array(_)) => {
            fields.fault(
                "permissions",
                format!("must have at most {ENTRIES_MAX} entries"),
            );
            return Vec::new();
        }
        Some(_) => {
            fields.fault("permissions", "must be a list of entries");
            return Vec::new();
        }
        None => {
            fields.fault("permissions", "is required");
            return Vec::new();
        }
    };
    let mut permissions = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let field = format!("permissions[{index}]");
        let mut nested = fields.nested(&field, entry);
        permissions.extend(parse_permission(&mut nested));
        for Fault { field, reason } in nested.into_faults() {
            fields.absolute_fault(field, reason);
        }
    }
    permissions
}

fn parse_permission(fields: &mut Fields) -> Option<Permission> {
    let scope = fields.text("scope");
    let resources = fields.take("resources");
    if let Some(whole) = without_resources(&scope) {
        if resources.is_some() {
            fields.fault("resources", "must be absent: this scope has none");
        }
        return Some(whole);
    }
    let permission = match scope.as_str() {
        "" => return None,
        "READ_ACCOUNTS" => Permission::ReadAccounts(ids_of(fields, resources, ids::ACCOUNT)?),
        "READ_TRANSFERS" => Permission::ReadTransfers(ids_of(fields, resources, ids::ACCOUNT)?),
        "READ_CARDS" => Permission::ReadCards(ids_of(fields, resources, ids::ACCOUNT)?),
        "READ_RULES" => Permission::ReadRules(ids_of(fields, resources, ids::RULE)?),
        "TRIGGER_RULES" => Permission::TriggerRules(ids_of(fields, resources, ids::RULE)?),
        "READ_RULE_EXECUTIONS" => {
            Permission::ReadRuleExecutions(ids_of(fields, resources, ids::RULE)?)
        }
        "CREATE_AND_EDIT_RULES" => {
            Permission::CreateAndEditRules(ids_of(fields, resources, ids::RULE)?)
        }
        "CREATE_AND_DELETE_ACCOUNTS" => {
            Permission::CreateAndDeleteAccounts(ids_of(fields, resources, ids::ACCOUNT)?)
        }
        // There is nothing to choose among: the documents write it with a star.
        "READ_AUDIT_LOGS" if resources.as_ref().is_none_or(|all| all == "*") => {
            Permission::ReadAuditLogs
        }
        "READ_AUDIT_LOGS" => {
            fields.fault("resources", "must be \"*\" or absent");
            return None;
        }
        "MANUAL_TRANSFER" => Permission::ManualTransfer(sets_of(fields, resources)?),
        _ => {
            fields.fault(
                "scope",
                "must be one of LIST_ACCOUNTS, READ_ACCOUNTS, LIST_RULES, READ_RULES, \
                 TRIGGER_RULES, READ_RULE_EXECUTIONS, CREATE_AND_EDIT_RULES, \
                 CREATE_AND_DELETE_ACCOUNTS, READ_TRANSFERS, MANUAL_TRANSFER, READ_CARDS, READ_AUDIT_LOGS, PROGRAMME, \
                 SIMULATOR",
            );
            return None;
        }
    };
    Some(permission)
}

/// The scopes that are about the tenant as a whole.
fn without_resources(scope: &str) -> Option<Permission> {
    match scope {
        "LIST_ACCOUNTS" => Some(Permission::ListAccounts),
        "LIST_RULES" => Some(Permission::ListRules),
        "PROGRAMME" => Some(Permission::Programme),
        "SIMULATOR" => Some(Permission::Simulator),
        _ => None,
    }
}

fn ids_of(fields: &mut Fields, resources: Option<Value>, prefix: &str) -> Option<Resources> {
    let reason = format!("must be \"*\" or a list of ids ({prefix}…)");
    match resources {
        Some(Value::String(all)) if all == "*" => Some(Resources::All),
        Some(Value::Array(values)) if values.len() <= ENTRIES_MAX => {
            let ids: Option<Vec<u64>> = values
                .iter()
                .map(|value| value.as_str().map(|text| ids::read(prefix, text)))
                .map(|id| id.filter(|id| *id != 0))
                .collect();
            if ids.is_none() {
                fields.fault("resources", reason);
            }
            ids.map(Resources::Ids)
        }
        _ => {
            fields.fault("resources", reason);
            None
        }
    }
}

fn sets_of(fields: &mut Fields, resources: Option<Value>) -> Option<Vec<TransferSet>> {
    let Some(Value::Array(values)) = resources.filter(|value| {
        value
            .as_array()
            .is_some_and(|values| values.len() <= ENTRIES_MAX)
    }) else {
        fields.fault(
            "resources",
            "must be a list of {source, target, max_amount?, approval_above?}",
        );
        return None;
    };
    let mut sets = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut set = fields.nested(&format!("resources[{index}]"), value);
        let source = selector(&mut set, "source");
        let target = selector(&mut set, "target");
        let max_amount = set.optional_integer("max_amount");
        let approval_above = set.optional_integer("approval_above");
        for (field, sum) in [
            ("max_amount", max_amount),
            ("approval_above", approval_above),
        ] {
            if sum.is_some_and(|sum| sum < 0) {
                set.fault(field, "must be at least 0");
            }
        }
        let faults = set.into_faults();
        match (source, target) {
            (Some(source), Some(target)) if faults.is_empty() => {
                sets.push(TransferSet {
                    source,
                    target,
                    max_amount,
                    approval_above,
                });
            }
            _ => {}
        }
        for Fault { field, reason } in faults {
            fields.absolute_fault(field, reason);
        }
    }
    Some(sets)
}

fn selector(set: &mut Fields, field: &str) -> Option<Selector> {
    let text = set.text(field);
    match ids::read(ids::ACCOUNT, &text) {
        _ if text == "*" => Some(Selector::All),
        0 => {
            if !text.is_empty() {
                set.fault(field, "must be \"*\" or an account id (acc_…)");
            }
            None
        }
        id => Some(Selector::Id(id)),
    }
}

pub(super) async fn list(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    finish(list_keys(&app, &tenant).await)
}

async fn list_keys(app: &App, tenant: &str) -> Answer {
    let keys = app.service().api_keys(tenant_id(tenant)).await?;
    ok(&List {
        data: keys.iter().map(|key| KeyBody::new(key, None)).collect(),
    })
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Path((tenant, key)): Path<(String, String)>,
) -> Response {
    finish(revoke_key(&app, &tenant, &key).await)
}

async fn revoke_key(app: &App, tenant: &str, key: &str) -> Answer {
    let key = KeyId::new(ids::read(ids::KEY, key));
    app.service().revoke_key(tenant_id(tenant), key).await?;
    no_content()
}
