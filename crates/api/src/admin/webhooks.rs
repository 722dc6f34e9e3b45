//! Webhook endpoints: made, shown, changed, rotated, tested; what was delivered, and once more.

mod wire;

pub(super) use wire::{AttemptBody, ReplayBody, WebhookBody};

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::{AccountId, OwnerId};
use serde_json::Value;
use service::events::{EventFilter, FILTERS_MAX};
use service::webhooks::{
    CONCURRENCY_MAX, Format, HookError, NewReplay, NewWebhook, OVERLAP_MAX_MS, WebhookPatch,
};
use store::{AttemptQuery, Place, RecordKind};

use super::events::read_event;
use super::ids;
use super::problem::Problem;
use super::request::{Answer, List, created, fields, finish, no_content, ok};
use super::tenants::tenant_id;
use crate::App;
use crate::hooks::Bodies;
use crate::http::Query;
use crate::json::{Fault, Fields};

/// Deliveries under way at once, unless it is said.
const CONCURRENCY_DEFAULT: i64 = 8;
/// How long an endpoint may fail, unless it is said: five days, in seconds.
const DISABLE_AFTER_S: i64 = 5 * 86_400;
/// The longest and the shortest it may be, in seconds.
const DISABLE_AFTER_RANGE: std::ops::RangeInclusive<i64> = 60..=30 * 86_400;
/// How long two secrets are live, unless it is said: a day, in seconds.
const OVERLAP_S: i64 = 86_400;

impl From<HookError> for Problem {
    fn from(error: HookError) -> Problem {
        let conflict =
            |code, error: &HookError| Problem::new(StatusCode::CONFLICT, code, error.to_string());
        match error {
            HookError::Target(reason) => {
                Problem::invalid(vec![Fault::new("url", reason.to_string())])
            }
            HookError::TooMany => Problem::invalid(vec![Fault::new("webhooks", error.to_string())]),
            HookError::TooManyReplays => {
                Problem::invalid(vec![Fault::new("replays", error.to_string())])
            }
            HookError::OneTarget => Problem::invalid(vec![Fault::new("url", error.to_string())]),
            HookError::Changed => conflict("changed_meanwhile", &error),
            HookError::Service(error) => Problem::from(error),
        }
    }
}

fn webhook_id(text: &str) -> u64 {
    ids::read(ids::WEBHOOK, text)
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create_webhook(&app, &tenant, &headers, body).await)
}

async fn create_webhook(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let new = NewWebhook {
        url: fields.text("url"),
        description: fields.optional_text("description"),
        format: format(&mut fields).unwrap_or(Format::Standard),
        is_full: is_full(&mut fields).unwrap_or(false),
        filter: filter(&mut fields).unwrap_or_default(),
        concurrency: concurrency(&mut fields).unwrap_or_else(|| narrow(CONCURRENCY_DEFAULT)),
        disable_after_ms: disable_after(&mut fields)
            .unwrap_or_else(|| DISABLE_AFTER_S.saturating_mul(1_000)),
    };
    fields.finish()?;
    let service = app.service();
    let webhook = service.create_webhook(tenant_id(tenant), new).await?;
    created(&WebhookBody::new(
        &webhook,
        None,
        Some(service.webhook_secrets(&webhook)),
    ))
}

fn format(fields: &mut Fields) -> Option<Format> {
    let text = fields.optional_text("format")?;
    let format = match text.as_str() {
        "standard" => Some(Format::Standard),
        "sequence" => Some(Format::Sequence),
        "multi" => Some(Format::Multi),
        _ => None,
    };
    if format.is_none() {
        fields.fault("format", "must be standard, sequence or multi");
    }
    format
}

fn is_full(fields: &mut Fields) -> Option<bool> {
    match fields.optional_text("form")?.as_str() {
        "thin" => Some(false),
        "full" => Some(true),
        _ => {
            fields.fault("form", "must be thin or full");
            None
        }
    }
}

fn concurrency(fields: &mut Fields) -> Option<u32> {
    let asked = fields.optional_integer("concurrency")?;
    if !(1..=i64::from(CONCURRENCY_MAX)).contains(&asked) {
        fields.fault(
            "concurrency",
            format!("must be from 1 to {CONCURRENCY_MAX}"),
        );
    }
    Some(narrow(asked))
}

fn narrow(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(1)
}

fn disable_after(fields: &mut Fields) -> Option<i64> {
    let seconds = fields.optional_integer("disable_after_s")?;
    if !DISABLE_AFTER_RANGE.contains(&seconds) {
        fields.fault("disable_after_s", "must be from 60 to 2592000");
    }
    Some(seconds.saturating_mul(1_000))
}

/// The filter, if any of its lists is given.
fn filter(fields: &mut Fields) -> Option<EventFilter> {
    let names = list(
        fields,
        "events",
        "must be a list of names of events",
        |text| EventFilter::is_known(text).then(|| text.to_owned()),
    );
    let accounts = list(
        fields,
        "accounts",
        "must be a list of account ids (acc_…)",
        |text| Some(ids::read(ids::ACCOUNT, text)).filter(|id| *id != 0),
    );
    let owners = list(
        fields,
        "owners",
        "must be a list of owner ids (own_…)",
        |text| Some(ids::read(ids::OWNER, text)).filter(|id| *id != 0),
    );
    if names.is_none() && accounts.is_none() && owners.is_none() {
        return None;
    }
    let accounts = accounts.unwrap_or_default().into_iter();
    let owners = owners.unwrap_or_default().into_iter();
    Some(EventFilter {
        names: names.unwrap_or_default(),
        accounts: accounts.map(AccountId::new).collect(),
        owners: owners.map(OwnerId::new).collect(),
    })
}

fn list<T>(
    fields: &mut Fields,
    name: &'static str,
    reason: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let value = fields.take(name)?;
    let Value::Array(values) = value else {
        fields.fault(name, reason);
        return None;
    };
    if values.len() > FILTERS_MAX {
        fields.fault(name, format!("must have at most {FILTERS_MAX} entries"));
        return None;
    }
    let mut found = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        match value.as_str().and_then(&read) {
            Some(known) => found.push(known),
            None => fields.fault(&format!("{name}[{index}]"), reason),
        }
    }
    Some(found)
}

pub(super) async fn list_all(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Response {
    finish(list_webhooks(&app, &tenant).await)
}

async fn list_webhooks(app: &App, tenant: &str) -> Answer {
    let tenant = app.service().tenant(tenant_id(tenant)).await?.id;
    let webhooks = app.service().webhooks(tenant).await?;
    ok(&List {
        data: webhooks
            .iter()
            .map(|webhook| WebhookBody::new(webhook, None, None))
            .collect(),
    })
}

pub(super) async fn find(
    State(app): State<Arc<App>>,
    Path((tenant, webhook)): Path<(String, String)>,
) -> Response {
    finish(find_webhook(&app, &tenant, &webhook).await)
}

async fn find_webhook(app: &App, tenant: &str, webhook: &str) -> Answer {
    let (service, tenant, id) = (app.service(), tenant_id(tenant), webhook_id(webhook));
    let webhook = service.webhook(tenant, id).await?;
    let delivering = service.delivering(tenant, id).await?;
    let secrets = service.webhook_secrets(&webhook);
    ok(&WebhookBody::new(
        &webhook,
        delivering.as_ref(),
        Some(secrets),
    ))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path((tenant, webhook)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(change_webhook(&app, &tenant, &webhook, &headers, body).await)
}

async fn change_webhook(
    app: &App,
    tenant: &str,
    webhook: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let patch = WebhookPatch {
        url: fields.optional_text("url"),
        description: fields.optional_text("description"),
        is_full: is_full(&mut fields),
        filter: filter(&mut fields),
        concurrency: concurrency(&mut fields),
        disable_after_ms: disable_after(&mut fields),
        enabled: fields.optional_flag("enabled"),
    };
    fields.finish()?;
    let (tenant, id) = (tenant_id(tenant), webhook_id(webhook));
    let webhook = app.service().change_webhook(tenant, id, patch).await?;
    ok(&WebhookBody::new(&webhook, None, None))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path((tenant, webhook)): Path<(String, String)>,
) -> Response {
    finish(delete(&app, RecordKind::Webhook, &tenant, webhook_id(&webhook)).await)
}

async fn delete(app: &App, kind: RecordKind, tenant: &str, id: u64) -> Answer {
    app.service()
        .delete_hook(kind, tenant_id(tenant), id)
        .await?;
    no_content()
}

pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    Path((tenant, webhook)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(rotate_webhook(&app, &tenant, &webhook, &headers, body).await)
}

async fn rotate_webhook(
    app: &App,
    tenant: &str,
    webhook: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let overlap_s = fields.optional_integer("overlap_s").unwrap_or(OVERLAP_S);
    let most = OVERLAP_MAX_MS / 1_000;
    if !(0..=most).contains(&overlap_s) {
        fields.fault("overlap_s", format!("must be from 0 to {most}"));
    }
    fields.finish()?;
    let (service, tenant, id) = (app.service(), tenant_id(tenant), webhook_id(webhook));
    let overlap_ms = overlap_s.saturating_mul(1_000);
    let webhook = service.rotate_webhook(tenant, id, overlap_ms).await?;
    let secrets = service.webhook_secrets(&webhook);
    ok(&WebhookBody::new(&webhook, None, Some(secrets)))
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    Path((tenant, webhook)): Path<(String, String)>,
) -> Response {
    finish(test_webhook(&app, &tenant, &webhook).await)
}

async fn test_webhook(app: &App, tenant: &str, webhook: &str) -> Answer {
    let (tenant, id) = (tenant_id(tenant), webhook_id(webhook));
    let attempt = app.service().test_webhook(tenant, id, &Bodies).await?;
    ok(&AttemptBody::new(&attempt))
}

pub(super) async fn deliveries(
    State(app): State<Arc<App>>,
    Path((tenant, webhook)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list_deliveries(&app, &tenant, &webhook, query.as_deref()).await)
}

/// Those of an endpoint or of a replay.
async fn list_deliveries(app: &App, tenant: &str, of: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let event = query.read("event", "must be the id of an event (evt_…)", read_event);
    let before = query.read("before", "must be the id of a delivery (att_…)", |text| {
        Some(ids::read(ids::ATTEMPT, text)).filter(|id| *id != 0)
    });
    let limit = query.read("limit", "must be an integer from 1 to 1000", |text| {
        text.parse().ok().filter(|limit| (1..=1000).contains(limit))
    });
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let (service, tenant) = (app.service(), tenant_id(tenant));
    let endpoint = match webhook_id(of) {
        0 => service.one_replay(tenant, replay_id(of)).await?.id,
        id => service.webhook(tenant, id).await?.id,
    };
    let query = AttemptQuery {
        tenant,
        endpoint,
        event,
        before,
        limit: limit.unwrap_or(100),
    };
    let attempts = service.attempts(query).await?;
    ok(&List {
        data: attempts.iter().map(AttemptBody::new).collect(),
    })
}

fn replay_id(text: &str) -> u64 {
    ids::read(ids::REPLAY, text)
}

pub(super) async fn replay(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create_replay(&app, &tenant, &headers, body).await)
}

async fn create_replay(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let endpoint = fields
        .optional_text("webhook_id")
        .map(|text| webhook_id(&text));
    let place = |fields: &mut Fields, name: &'static str| {
        let text = fields.optional_text(name)?;
        let place = match text.as_str() {
            "start" => Some(Place::START),
            id => read_event(id),
        };
        if place.is_none() {
            fields.fault(name, "must be the id of an event (evt_…)");
        }
        place
    };
    let new = NewReplay {
        endpoint,
        url: fields.optional_text("url"),
        format: format(&mut fields).unwrap_or(Format::Standard),
        is_full: is_full(&mut fields).unwrap_or(false),
        after: place(&mut fields, "after").unwrap_or(Place::START),
        until: place(&mut fields, "until"),
        filter: filter(&mut fields).unwrap_or_default(),
    };
    let event = place(&mut fields, "event");
    if event.is_some() && new.endpoint.is_none() {
        fields.fault(
            "event",
            "is sent once more to an endpoint: give its webhook_id",
        );
    }
    fields.finish()?;
    let (service, tenant) = (app.service(), tenant_id(tenant));
    let replay = match (event, new.endpoint) {
        (Some(event), Some(endpoint)) => service.resend(tenant, endpoint, event).await?,
        _ => service.replay(tenant, new).await?,
    };
    let secret = service.replay_secret(tenant, replay.id);
    created(&ReplayBody::new(&replay, None, &secret))
}

pub(super) async fn list_replays(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
) -> Response {
    finish(all_replays(&app, &tenant).await)
}

async fn all_replays(app: &App, tenant: &str) -> Answer {
    let service = app.service();
    let tenant = service.tenant(tenant_id(tenant)).await?.id;
    let mut data = Vec::new();
    for replay in service.replays(tenant).await? {
        let delivering = service.delivering(tenant, replay.id).await?;
        let secret = service.replay_secret(tenant, replay.id);
        data.push(ReplayBody::new(&replay, delivering.as_ref(), &secret));
    }
    ok(&List { data })
}

pub(super) async fn find_replay(
    State(app): State<Arc<App>>,
    Path((tenant, replay)): Path<(String, String)>,
) -> Response {
    finish(one_replay(&app, &tenant, &replay).await)
}

async fn one_replay(app: &App, tenant: &str, replay: &str) -> Answer {
    let (service, tenant, id) = (app.service(), tenant_id(tenant), replay_id(replay));
    let replay = service.one_replay(tenant, id).await?;
    let delivering = service.delivering(tenant, id).await?;
    let secret = service.replay_secret(tenant, id);
    ok(&ReplayBody::new(&replay, delivering.as_ref(), &secret))
}

pub(super) async fn remove_replay(
    State(app): State<Arc<App>>,
    Path((tenant, replay)): Path<(String, String)>,
) -> Response {
    finish(delete(&app, RecordKind::Replay, &tenant, replay_id(&replay)).await)
}
