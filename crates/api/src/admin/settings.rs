//! What an operator sets for a tenant: for the Multi dialect, and for reading rules.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::TenantMode;
use serde_json::Value;
use service::faults::FAULTS_MAX;
use service::multi::{FaultSwitch, RATE_LIMITS_MAX, RateLimit, RuleReading, TenantSettings};

use super::request::{Answer, fields, finish, ok};
use super::tenants::tenant_id;
use super::wire::SettingsBody;
use crate::App;
use crate::json::{Fault, Fields};

pub(super) async fn find(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    finish(find_settings(&app, &tenant).await)
}

async fn find_settings(app: &App, tenant: &str) -> Answer {
    let settings = app.service().tenant_settings(tenant_id(tenant)).await?;
    show(app, tenant, &settings).await
}

async fn show(app: &App, tenant: &str, settings: &TenantSettings) -> Answer {
    let tenant = app.service().tenant(tenant_id(tenant)).await?;
    let is_live = tenant.mode == TenantMode::Live;
    ok(&SettingsBody::new(settings, is_live))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(change_settings(&app, &tenant, &headers, body).await)
}

/// What is absent stays as it is.
async fn change_settings(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let strict = fields.optional_flag("strict");
    let multi_identity = fields.optional_flag("multi_identity");
    let by_default = fields.optional_flag("default_rate_limits");
    let round_down = fields.optional_text("round_down");
    let keeps_buffer = match round_down.as_deref() {
        None => None,
        Some("MULTIPLE") => Some(false),
        Some("BUFFER") => Some(true),
        Some(_) => {
            fields.fault("round_down", "must be one of MULTIPLE, BUFFER");
            None
        }
    };
    let offset = fields.optional_integer("utc_offset_minutes");
    let utc_offset_minutes = offset.map(|offset| i16::try_from(offset).unwrap_or(i16::MAX));
    let limits = fields.take("rate_limits");
    if by_default == Some(true) && limits.is_some() {
        let reason = "must be absent when `default_rate_limits` is true";
        fields.fault("rate_limits", reason);
    }
    let limits = limits.map(|value| rate_limits(&mut fields, value));
    let faults = fields.take("faults");
    let faults = faults.map(|value| switches(&mut fields, value));
    fields.finish()?;
    let (service, id) = (app.service(), tenant_id(tenant));
    let known = service.tenant_settings(id).await?;
    let settings = TenantSettings {
        strict: strict.unwrap_or(known.strict),
        multi_identity: multi_identity.unwrap_or(known.multi_identity),
        rate_limits: match by_default {
            Some(true) => None,
            _ => limits.or_else(|| known.rate_limits.clone()),
        },
        rules: RuleReading {
            round_down_keeps_buffer: keeps_buffer.unwrap_or(known.rules.round_down_keeps_buffer),
            utc_offset_minutes: utc_offset_minutes.unwrap_or(known.rules.utc_offset_minutes),
        },
        faults: faults.unwrap_or_else(|| known.faults.clone()),
    };
    let settings = service.set_tenant_settings(id, settings).await?;
    show(app, tenant, &settings).await
}

/// A switch that says nothing else is for every time.
fn switches(fields: &mut Fields, value: Value) -> Vec<FaultSwitch> {
    let values = match value {
        Value::Array(values) if values.len() <= FAULTS_MAX => values,
        _ => {
            fields.fault("faults", format!("must be a list of at most {FAULTS_MAX}"));
            return Vec::new();
        }
    };
    let mut switches = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut switch = fields.nested(&format!("faults[{index}]"), value);
        let fault = switch.text("fault");
        let every = switch.optional_integer("every").unwrap_or(1);
        switches.push(FaultSwitch {
            fault,
            every: u32::try_from(every).unwrap_or(0),
        });
        for Fault { field, reason } in switch.into_faults() {
            fields.absolute_fault(field, reason);
        }
    }
    switches
}

fn rate_limits(fields: &mut Fields, value: Value) -> Vec<RateLimit> {
    let values = match value {
        Value::Array(values) if values.len() <= RATE_LIMITS_MAX => values,
        _ => {
            let reason = format!("must be a list of at most {RATE_LIMITS_MAX}");
            fields.fault("rate_limits", reason);
            return Vec::new();
        }
    };
    let mut limits = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut limit = fields.nested(&format!("rate_limits[{index}]"), value);
        let mut number = |field: &str| {
            let number = limit.integer(field, 1);
            u32::try_from(number).unwrap_or_else(|_| {
                limit.fault(field, format!("must be at most {}", u32::MAX));
                u32::MAX
            })
        };
        limits.push(RateLimit {
            requests: number("requests"),
            window_s: number("window_s"),
        });
        for Fault { field, reason } in limit.into_faults() {
            fields.absolute_fault(field, reason);
        }
    }
    limits
}
