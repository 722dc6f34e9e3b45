//! Profiles: the terms under which Multi's identities, instruments and transfers are made.

mod percent;
mod terms;
mod wire;

pub(super) use wire::ProfileBody;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::{ChangeProfile, Currency, NewProfile, ProfileId, ProfileKind, Terms};
use serde_json::Value;

use super::ids;
use super::request::{Answer, List, created, fields, finish, ok};
use super::tenants::tenant_id;
use crate::App;
use crate::json::Fields;

/// The types on the wire.
const KINDS: [(&str, ProfileKind); 5] = [
    ("corporate", ProfileKind::Corporate),
    ("consumer", ProfileKind::Consumer),
    ("managed_account", ProfileKind::ManagedAccount),
    ("managed_card", ProfileKind::ManagedCard),
    ("transfer", ProfileKind::Transfer),
];

pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create_profile(&app, &tenant, &headers, body).await)
}

async fn create_profile(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let name = fields.text("name");
    let kind = read_kind(&mut fields);
    let currencies = read_currencies(&mut fields).unwrap_or_default();
    let terms = kind.map(|kind| terms::read(&mut fields, kind));
    fields.finish()?;
    let new = NewProfile {
        tenant: tenant_id(tenant),
        name: Arc::from(name),
        currencies,
        // Without a type there was a fault.
        terms: terms.unwrap_or(Terms::Corporate),
    };
    let profile = app.service().create_profile(new).await?;
    created(&ProfileBody::new(&profile))
}

fn read_kind(fields: &mut Fields) -> Option<ProfileKind> {
    let text = terms::text(fields, "type")?;
    let known = KINDS.into_iter().find(|(name, _)| *name == text);
    if known.is_none() {
        let names = KINDS.map(|(name, _)| name).join(", ");
        fields.fault("type", format!("must be one of {names}"));
    }
    known.map(|(_, kind)| kind)
}

fn read_currencies(fields: &mut Fields) -> Option<Vec<Currency>> {
    let reason = "must be a list of ISO 4217 codes";
    match fields.take("currencies")? {
        Value::Array(codes) => {
            let parse = |code: &Value| Currency::parse(code.as_str()?).ok();
            let currencies: Option<Vec<Currency>> = codes.iter().map(parse).collect();
            if currencies.is_none() {
                fields.fault("currencies", reason);
            }
            currencies
        }
        _ => {
            fields.fault("currencies", reason);
            None
        }
    }
}

pub(super) async fn list(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    finish(list_profiles(&app, &tenant).await)
}

async fn list_profiles(app: &App, tenant: &str) -> Answer {
    let profiles = app.service().profiles(tenant_id(tenant)).await?;
    ok(&List {
        data: profiles.iter().map(ProfileBody::new).collect(),
    })
}

type TenantAndProfile = Path<(String, String)>;

pub(super) async fn find(
    State(app): State<Arc<App>>,
    Path((tenant, profile)): TenantAndProfile,
) -> Response {
    finish(find_profile(&app, &tenant, &profile).await)
}

async fn find_profile(app: &App, tenant: &str, profile: &str) -> Answer {
    let profile = app
        .service()
        .profile(tenant_id(tenant), profile_id(profile))
        .await?;
    ok(&ProfileBody::new(&profile))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path((tenant, profile)): TenantAndProfile,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(change_profile(&app, &tenant, &profile, &headers, body).await)
}

async fn change_profile(
    app: &App,
    tenant: &str,
    profile: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let (tenant, profile) = (tenant_id(tenant), profile_id(profile));
    let known = app.service().profile(tenant, profile).await?;
    let name = fields.optional_text("name");
    let active = fields.optional_flag("active");
    let kind = fields.optional_text("type");
    if kind.is_some_and(|kind| kind != kind_name(known.terms.kind())) {
        fields.fault("type", "never changes");
    }
    let currencies = read_currencies(&mut fields);
    let terms = terms::change(&mut fields, known.terms);
    fields.finish()?;
    let change = ChangeProfile {
        tenant,
        profile,
        name: name.map(Arc::from),
        active,
        currencies,
        terms: Some(terms),
    };
    let changed = app.service().change_profile(change).await?;
    ok(&ProfileBody::new(&changed))
}

fn kind_name(kind: ProfileKind) -> &'static str {
    let known = KINDS.into_iter().find(|(_, known)| *known == kind);
    known.expect("every kind has a name").0
}

fn profile_id(text: &str) -> ProfileId {
    ProfileId::new(ids::read(ids::PROFILE, text))
}

#[cfg(test)]
mod tests;
