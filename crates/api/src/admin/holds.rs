//! Holds.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::{Amount, HoldId, PlaceHold};

use super::accounts::account_id;
use super::ids;
use super::request::{Answer, List, created, fields, finish, no_content, ok};
use super::tenants::tenant_id;
use super::wire::HoldBody;
use crate::{App, time};

pub(super) async fn place(
    State(app): State<Arc<App>>,
    Path((tenant, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(place_hold(&app, &tenant, &account, &headers, body).await)
}

async fn place_hold(
    app: &App,
    tenant: &str,
    account: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let minor = fields.integer("amount_in_cents", 1);
    let expires_at = fields.optional_text("expires_at").and_then(|text| {
        let at = time::parse(&text);
        if at.is_none() {
            fields.fault("expires_at", "must be an RFC 3339 timestamp");
        }
        at
    });
    fields.finish()?;
    let (tenant, account) = (tenant_id(tenant), account_id(account));
    let row = app.service().any_account(tenant, account).await?;
    let amount = Amount::new(minor, row.account.currency).expect("checked to be at least 1");
    let place = PlaceHold {
        tenant,
        account,
        amount,
        expires_at,
    };
    let hold = app.service().place_hold(place).await?;
    created(&HoldBody::new(&hold))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path((tenant, account)): Path<(String, String)>,
) -> Response {
    finish(list_holds(&app, &tenant, &account).await)
}

async fn list_holds(app: &App, tenant: &str, account: &str) -> Answer {
    let holds = app
        .service()
        .holds(tenant_id(tenant), account_id(account))
        .await?;
    ok(&List {
        data: holds.iter().map(HoldBody::new).collect(),
    })
}

pub(super) async fn release(
    State(app): State<Arc<App>>,
    Path((tenant, hold)): Path<(String, String)>,
) -> Response {
    finish(release_hold(&app, &tenant, &hold).await)
}

async fn release_hold(app: &App, tenant: &str, hold: &str) -> Answer {
    let hold = HoldId::new(ids::read(ids::HOLD, hold));
    app.service().release_hold(tenant_id(tenant), hold).await?;
    no_content()
}
