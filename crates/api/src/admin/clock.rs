//! A sandbox tenant's clock: freeze it, move it forward, let it run.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::{Millis, Tenant, TenantClock};

use super::request::{Answer, fields, finish, ok};
use super::tenants::tenant_id;
use super::wire::TenantBody;
use crate::{App, time};

pub(super) async fn find(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    finish(find_clock(&app, &tenant).await)
}

async fn find_clock(app: &App, tenant: &str) -> Answer {
    let tenant = app.service().tenant(tenant_id(tenant)).await?;
    ok(&TenantBody::new(&tenant, app.service().store().now()))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(set_clock(&app, &tenant, &headers, body).await)
}

/// `{"frozen": bool?, "at": timestamp?, "advance_ms": int?}`: first the time is moved, then the
/// clock is stopped or let run; without `frozen` it stays as it is.
async fn set_clock(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let frozen = fields.optional_flag("frozen");
    let advance_ms = fields.optional_integer("advance_ms");
    let at = fields.optional_text("at").and_then(|text| {
        let at = time::parse(&text);
        if at.is_none() {
            fields.fault("at", "must be an RFC 3339 timestamp");
        }
        at
    });
    if at.is_some() && advance_ms.is_some() {
        fields.fault("advance_ms", "must be absent when `at` is given");
    }
    if advance_ms.is_some_and(|delta| !(0..=ADVANCE_MAX).contains(&delta)) {
        fields.fault("advance_ms", format!("must be from 0 to {ADVANCE_MAX}"));
    }
    fields.finish()?;
    let (service, id) = (app.service(), tenant_id(tenant));
    let tenant = match at {
        None => {
            service
                .move_clock(id, advance_ms.unwrap_or(0), frozen)
                .await?
        }
        Some(at) => {
            let known = service.tenant(id).await?;
            let clock = clock_at(&known, service.store().now(), at, frozen);
            service.set_clock(id, clock).await?
        }
    };
    ok(&TenantBody::new(&tenant, service.store().now()))
}

pub(super) async fn next(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    finish(to_next_event(&app, &tenant).await)
}

async fn to_next_event(app: &App, tenant: &str) -> Answer {
    let tenant = app.service().clock_to_next_due(tenant_id(tenant)).await?;
    ok(&TenantBody::new(&tenant, app.service().store().now()))
}

/// A hundred years in milliseconds.
const ADVANCE_MAX: i64 = 100 * 366 * 24 * 60 * 60 * 1000;

fn clock_at(tenant: &Tenant, machine: Millis, at: Millis, frozen: Option<bool>) -> TenantClock {
    let stands = matches!(tenant.clock, TenantClock::Frozen { .. });
    if frozen.unwrap_or(stands) {
        TenantClock::Frozen { at }
    } else {
        TenantClock::Running {
            offset_ms: at.since(machine),
        }
    }
}
