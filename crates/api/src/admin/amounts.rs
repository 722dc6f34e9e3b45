//! Where a rule asks for amounts.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use service::amounts::AmountSource;
use utoipa::ToSchema;

use super::ids::{self, spell};
use super::request::{Answer, fields, finish, no_content, ok};
use super::rules::rule_id;
use super::tenants::tenant_id;
use crate::App;

/// Where a rule asks for amounts.
#[derive(Serialize, ToSchema)]
#[schema(as = AmountSource)]
pub(super) struct AmountSourceBody {
    rule_id: String,
    /// Questions are sent here.
    url: String,
    /// What stands behind `Bearer` in `x-sequence-signature` of each question.
    secret: String,
}

impl AmountSourceBody {
    fn new(app: &App, source: &AmountSource) -> AmountSourceBody {
        AmountSourceBody {
            rule_id: spell(ids::RULE, source.rule.raw()),
            url: source.url.clone(),
            secret: app.service().amount_secret(source),
        }
    }
}

type TenantAndRule = Path<(String, String)>;

pub(super) async fn find(State(app): State<Arc<App>>, path: TenantAndRule) -> Response {
    finish(find_source(&app, &path).await)
}

async fn find_source(app: &App, Path((tenant, rule)): &TenantAndRule) -> Answer {
    let service = app.service();
    let source = service.amount_source(tenant_id(tenant), rule_id(rule));
    ok(&AmountSourceBody::new(app, &source.await?))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    path: TenantAndRule,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(set_source(&app, &path, &headers, body).await)
}

async fn set_source(
    app: &App,
    Path((tenant, rule)): &TenantAndRule,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let url = fields.text("url");
    fields.finish()?;
    let service = app.service();
    let source = service.set_amount_source(tenant_id(tenant), rule_id(rule), &url);
    ok(&AmountSourceBody::new(app, &source.await?))
}

pub(super) async fn delete(State(app): State<Arc<App>>, path: TenantAndRule) -> Response {
    finish(delete_source(&app, &path).await)
}

async fn delete_source(app: &App, Path((tenant, rule)): &TenantAndRule) -> Answer {
    let (tenant, rule) = (tenant_id(tenant), rule_id(rule));
    app.service().delete_amount_source(tenant, rule).await?;
    no_content()
}
