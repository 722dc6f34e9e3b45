//! Replays: a range of events once more, to an endpoint or to any URL that is allowed.
//!
//! A replay has a progress of its own and goes on after a restart. It changes nothing for the
//! deliveries of the endpoint, which go on beside it.

use ledger::{AccountId, OwnerId, TenantId};
use serde::{Deserialize, Serialize};
use store::{Place, Record, RecordKind, StoreError};

use super::endpoint::Format;
use super::manage::{HookError, HookResult, put_new};
use super::progress::{self, Delivering};
use crate::Service;
use crate::error::Error;
use crate::events::EventFilter;
use crate::multi::stored::{body, corrupt};

/// Replays of a tenant that are kept.
pub const REPLAYS_MAX: usize = 100;

/// A replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replay {
    /// Its id.
    pub id: u64,
    /// Whose events.
    pub tenant: TenantId,
    /// What is asked.
    pub facts: ReplayFacts,
}

/// What is asked of a replay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReplayFacts {
    /// To this endpoint, as it is set now.
    pub endpoint: Option<u64>,
    /// Or to this URL.
    pub url: Option<String>,
    /// In which format, to a URL.
    pub format: Format,
    /// Whether bodies have the objects, to a URL.
    pub is_full: bool,
    /// After this event: [`Place::raw`].
    pub after: u64,
    /// Up to this one.
    pub until: u64,
    /// Names of events, or families; all when empty.
    pub events: Vec<String>,
    /// About these accounts; about any when empty.
    pub accounts: Vec<u64>,
    /// About these owners; about any when empty.
    pub owners: Vec<u64>,
    /// When it was asked: milliseconds since 1970.
    pub created_at_ms: i64,
}

impl ReplayFacts {
    /// Which events.
    #[must_use]
    pub fn filter(&self) -> EventFilter {
        EventFilter {
            names: self.events.clone(),
            accounts: self.accounts.iter().copied().map(AccountId::new).collect(),
            owners: self.owners.iter().copied().map(OwnerId::new).collect(),
        }
    }
}

impl Replay {
    pub(super) fn read(record: &Record) -> Result<Replay, StoreError> {
        let facts = serde_json::from_str(&record.body);
        Ok(Replay {
            id: record.id,
            tenant: record.tenant,
            facts: facts.map_err(|_| corrupt("replay", record.id))?,
        })
    }
}

/// A replay to make.
#[derive(Clone, Debug)]
pub struct NewReplay {
    /// To this endpoint.
    pub endpoint: Option<u64>,
    /// Or to this URL.
    pub url: Option<String>,
    /// In which format, to a URL.
    pub format: Format,
    /// Whether bodies have the objects, to a URL.
    pub is_full: bool,
    /// After this event.
    pub after: Place,
    /// Up to this one; up to the newest when `None`.
    pub until: Option<Place>,
    /// Which events; those of the endpoint's filter besides.
    pub filter: EventFilter,
}

impl Service {
    /// Sends a range of events once more.
    ///
    /// # Errors
    /// [`HookError`].
    pub async fn replay(&self, tenant: TenantId, new: NewReplay) -> HookResult<Replay> {
        self.tenant(tenant).await?;
        match (new.endpoint, &new.url) {
            (Some(endpoint), None) => drop(self.webhook(tenant, endpoint).await?),
            (None, Some(url)) => drop(self.hooks.sender.check(url).await?),
            _ => return Err(HookError::OneTarget),
        }
        if self.replays(tenant).await?.len() >= REPLAYS_MAX {
            return Err(HookError::TooManyReplays);
        }
        let newest = self.newest_event(tenant).await?;
        let ids = |accounts: &[AccountId]| accounts.iter().map(|id| id.raw()).collect();
        let facts = ReplayFacts {
            endpoint: new.endpoint,
            url: new.url,
            format: new.format,
            is_full: new.is_full,
            after: new.after.raw(),
            until: new.until.unwrap_or(newest).raw(),
            accounts: ids(&new.filter.accounts),
            owners: new.filter.owners.iter().map(|id| id.raw()).collect(),
            events: new.filter.names,
            created_at_ms: self.store.now().0,
        };
        let record = put_new(self, RecordKind::Replay, tenant, body(&facts)).await?;
        self.hooks.look_again();
        Ok(Replay::read(&record)?)
    }

    /// Sends one event once more.
    ///
    /// # Errors
    /// [`HookError`]; when there is no such event.
    pub async fn resend(
        &self,
        tenant: TenantId,
        endpoint: u64,
        event: Place,
    ) -> HookResult<Replay> {
        let found = self.event(tenant, event).await?;
        let new = NewReplay {
            endpoint: Some(endpoint),
            url: None,
            format: Format::Standard,
            is_full: false,
            after: Place::from_raw(found.id.raw().saturating_sub(1)),
            until: Some(found.id),
            filter: EventFilter::default(),
        };
        self.replay(tenant, new).await
    }

    /// A tenant's replays, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn replays(&self, tenant: TenantId) -> HookResult<Vec<Replay>> {
        let records = self.hook_records(RecordKind::Replay, tenant).await?;
        let replays = records.iter().map(Replay::read);
        Ok(replays.collect::<Result<_, _>>()?)
    }

    /// One replay.
    ///
    /// # Errors
    /// [`Error::NotFound`] inside.
    pub async fn one_replay(&self, tenant: TenantId, id: u64) -> HookResult<Replay> {
        let record = self.store.record(RecordKind::Replay, tenant, id).await?;
        let record = record.ok_or(Error::NotFound { what: "replay" })?;
        Ok(Replay::read(&record)?)
    }

    /// How far the deliveries of an endpoint or a replay have come; `None` before the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivering(&self, tenant: TenantId, id: u64) -> HookResult<Option<Delivering>> {
        let kind = RecordKind::WebhookProgress;
        let record = self.store.record(kind, tenant, id).await?;
        Ok(record.as_ref().map(progress::read).transpose()?)
    }
}
