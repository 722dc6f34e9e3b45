//! Tenants and owners.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::{OwnerKind, TenantId, TenantMode};

use super::ids;
use super::request::{Answer, List, created, fields, finish, ok};
use super::wire::{OwnerBody, TenantBody};
use crate::App;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create_tenant(&app, &headers, body).await)
}

async fn create_tenant(app: &App, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let name = fields.text("name");
    let mode = match fields.optional_text("mode").as_deref() {
        None | Some("sandbox") => TenantMode::Sandbox,
        Some("live") => TenantMode::Live,
        Some(_) => {
            fields.fault("mode", "must be live or sandbox");
            TenantMode::Sandbox
        }
    };
    fields.finish()?;
    let tenant = app.service().create_tenant(&name, mode).await?;
    created(&TenantBody::new(&tenant, app.service().store().now()))
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    finish(list_tenants(&app).await)
}

async fn list_tenants(app: &App) -> Answer {
    let now = app.service().store().now();
    let tenants = app.service().tenants().await?;
    ok(&List {
        data: tenants
            .iter()
            .map(|tenant| TenantBody::new(tenant, now))
            .collect(),
    })
}

pub(super) async fn find(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    finish(find_tenant(&app, &tenant).await)
}

async fn find_tenant(app: &App, tenant: &str) -> Answer {
    let tenant = app.service().tenant(tenant_id(tenant)).await?;
    ok(&TenantBody::new(&tenant, app.service().store().now()))
}

pub(super) async fn create_owner(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(make_owner(&app, &tenant, &headers, body).await)
}

async fn make_owner(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let name = fields.text("name");
    let kind = match fields.optional_text("kind").as_deref() {
        None | Some("beneficiary") => OwnerKind::Beneficiary,
        Some("corporate") => OwnerKind::Corporate,
        Some("consumer") => OwnerKind::Consumer,
        Some(_) => {
            fields.fault("kind", "must be one of beneficiary, corporate, consumer");
            OwnerKind::Beneficiary
        }
    };
    fields.finish()?;
    let owner = app
        .service()
        .create_owner(tenant_id(tenant), kind, &name)
        .await?;
    created(&OwnerBody::new(&owner))
}

pub(super) async fn list_owners(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
) -> Response {
    finish(all_owners(&app, &tenant).await)
}

async fn all_owners(app: &App, tenant: &str) -> Answer {
    let owners = app.service().owners(tenant_id(tenant)).await?;
    ok(&List {
        data: owners.iter().map(OwnerBody::new).collect(),
    })
}

pub(super) fn tenant_id(text: &str) -> TenantId {
    TenantId::new(ids::read(ids::TENANT, text))
}
