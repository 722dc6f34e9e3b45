//! The event log: by pages, and as a stream.

mod body;
mod stream;

pub(crate) use body::{EventBody, Form};
pub(super) use stream::stream;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use ledger::{AccountId, OwnerId};
use serde::Serialize;
use service::events::{EVENTS_MAX, EventFilter, EventQuery, FILTERS_MAX};
use store::Place;

use super::ids;
use super::problem::Problem;
use super::request::{Answer, finish, ok};
use super::tenants::tenant_id;
use crate::App;
use crate::http::Query;

/// Events of a page that names no limit.
const LIMIT_DEFAULT: usize = 100;

/// A page of the log.
#[derive(Serialize)]
struct Page {
    data: Vec<EventBody>,
    /// Where the next page begins: `after`.
    next: String,
    /// Whether there may be more already.
    more: bool,
}

pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    finish(list_events(&app, query.as_deref()).await)
}

async fn list_events(app: &App, query: Option<&str>) -> Answer {
    let asked = Asked::read(query)?;
    let query = asked.query(app, Place::START).await?;
    let page = app.service().events(&query).await?;
    ok(&Page {
        data: page
            .events
            .iter()
            .map(|event| EventBody::new(event, asked.form))
            .collect(),
        next: event_id(page.through),
        more: page.more,
    })
}

pub(super) async fn find(
    State(app): State<Arc<App>>,
    Path((tenant, event)): Path<(String, String)>,
) -> Response {
    finish(find_event(&app, &tenant, &event).await)
}

async fn find_event(app: &App, tenant: &str, event: &str) -> Answer {
    let id = Place::from_raw(ids::read(ids::EVENT, event));
    let event = app.service().event(tenant_id(tenant), id).await?;
    ok(&EventBody::new(&event, Form::Full))
}

/// An event's id as it is shown.
pub(crate) fn event_id(place: Place) -> String {
    ids::spell(ids::EVENT, place.raw())
}

/// Where to begin.
#[derive(Clone, Copy)]
enum After {
    Event(Place),
    Start,
    Now,
}

/// What a request for events says.
struct Asked {
    tenant: String,
    after: Option<After>,
    limit: usize,
    form: Form,
    filter: EventFilter,
}

impl Asked {
    fn read(query: Option<&str>) -> Result<Asked, Problem> {
        let mut query = Query::parse(query);
        let tenant = query.take("tenant");
        if tenant.is_none() && query.faults.is_empty() {
            query.fault("tenant", "is required");
        }
        let reason = "must be the id of an event (evt_…), `start` or `now`";
        let after = query.read("after", reason, read_after);
        let reason = "must be an integer from 1 to 1000";
        let limit = query.read("limit", reason, |text| {
            let limit: usize = text.parse().ok()?;
            (1..=EVENTS_MAX).contains(&limit).then_some(limit)
        });
        let form = query.read("form", "must be thin or full", |text| match text {
            "thin" => Some(Form::Thin),
            "full" => Some(Form::Full),
            _ => None,
        });
        let reason = "must be names of events such as transfer.created or transfer.*, with commas";
        let names = query.read("types", reason, |text| {
            let names: Vec<String> = text.split(',').map(str::to_owned).collect();
            let known = names.iter().all(|name| EventFilter::is_known(name));
            (known && names.len() <= FILTERS_MAX).then_some(names)
        });
        let reason = "must be account ids (acc_…) with commas";
        let accounts = query.read("accounts", reason, |text| read_ids(ids::ACCOUNT, text));
        let reason = "must be owner ids (own_…) with commas";
        let owners = query.read("owners", reason, |text| read_ids(ids::OWNER, text));
        if !query.faults.is_empty() {
            return Err(Problem::invalid(query.faults));
        }
        let accounts = accounts.unwrap_or_default().into_iter();
        let owners = owners.unwrap_or_default().into_iter();
        Ok(Asked {
            tenant: tenant.unwrap_or_default(),
            after,
            limit: limit.unwrap_or(LIMIT_DEFAULT),
            form: form.unwrap_or(Form::Thin),
            filter: EventFilter {
                names: names.unwrap_or_default(),
                accounts: accounts.map(AccountId::new).collect(),
                owners: owners.map(OwnerId::new).collect(),
            },
        })
    }

    /// The query, of a tenant that exists; it begins at `default` unless it says where.
    async fn query(&self, app: &App, default: Place) -> Result<EventQuery, Problem> {
        let tenant = app.service().tenant(tenant_id(&self.tenant)).await?.id;
        let after = match self.after {
            None => default,
            Some(After::Event(place)) => place,
            Some(After::Start) => Place::START,
            Some(After::Now) => app.service().newest_event(tenant).await?,
        };
        Ok(EventQuery {
            tenant,
            after,
            limit: self.limit,
            filter: Arc::new(self.filter.clone()),
        })
    }
}

fn read_after(text: &str) -> Option<After> {
    match text {
        "start" => Some(After::Start),
        "now" => Some(After::Now),
        id => read_event(id).map(After::Event),
    }
}

/// The place of an event; `None` for a text that is no id.
pub(super) fn read_event(text: &str) -> Option<Place> {
    let raw = service::spelling::parse_id(text.strip_prefix(ids::EVENT)?)?;
    Some(Place::from_raw(raw))
}

fn read_ids(prefix: &str, text: &str) -> Option<Vec<u64>> {
    let ids: Vec<u64> = text.split(',').map(|id| ids::read(prefix, id)).collect();
    (ids.iter().all(|id| *id != 0) && ids.len() <= FILTERS_MAX).then_some(ids)
}
