//! The event log: what has happened in a tenant, in the order of its commits.
//!
//! Events are read out of the history (`docs/decisions/2026-11-21-events.md`): the ledger names its
//! own, this module those of records and keys, and puts the objects beside them. What a transfer was
//! at the time is put back; other objects are as they are when they are read.

mod filter;
mod names;

use std::collections::HashMap;
use std::sync::Arc;

use ledger::{
    AccountId, Effect, Execution, InstrumentClass, Millis, OwnerId, Status, TenantId, TransferId,
};
use store::{AccountRow, BulkRow, Fact, FactRow, HistoryQuery, Place, TransferRow};

use crate::error::Result;
use crate::{RuleView, Service};
pub use filter::{EventFilter, FILTERS_MAX};
pub use names::NAMES;

/// Events that one read gives at most.
pub const EVENTS_MAX: usize = 1_000;
/// Commits that are read at once.
const COMMITS: usize = 256;
/// Commits that one read looks at before it answers with what it has found.
const LOOK_MAX: usize = 8_192;

/// Which events of a tenant.
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// After this place: the id of an event, or how far was looked.
    pub after: Place,
    /// At most so many, up to [`EVENTS_MAX`].
    pub limit: usize,
    /// Only these.
    pub filter: Arc<EventFilter>,
}

/// Some events.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// How far was looked: where the next read goes on.
    pub through: Place,
    /// Whether there may be more already.
    pub more: bool,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place in its tenant's history, which is its id.
    pub id: Place,
    /// The tenant.
    pub tenant: TenantId,
    /// What happened, such as `transfer.created`.
    pub name: &'static str,
    /// When: by the tenant's clock if the tenant's time counts for it, else by the machine's.
    pub at: Millis,
    /// When it was committed, by the machine's clock.
    pub committed_at: Millis,
    /// What was committed.
    pub fact: Fact,
    /// What it is about.
    pub object: Object,
}

/// What an event is about, if that is an object that can be looked up.
#[derive(Clone, Debug)]
pub enum Object {
    /// All there is to know is in the fact.
    None,
    /// A transfer as it was then.
    Transfer(Box<TransferRow>),
    /// An account as it is now.
    Account(Box<AccountRow>),
    /// A bulk as it is now.
    Bulk(Box<BulkRow>),
    /// A rule as it is now, or was when it was deleted.
    Rule(Box<RuleView>),
    /// A run of a rule as it is now.
    Execution(Box<Execution>),
}

impl Event {
    /// What stays in order: events that share one of these numbers are told one after the other.
    #[must_use]
    pub fn lanes(&self) -> Vec<u64> {
        let lanes: Vec<u64> = match &self.object {
            Object::Transfer(row) => {
                let ends = [row.transfer.source, row.transfer.destination];
                ends.into_iter().flatten().map(AccountId::raw).collect()
            }
            Object::Account(row) => vec![row.account.id.raw()],
            Object::Bulk(row) => vec![row.id.raw()],
            Object::Rule(view) => vec![view.rule.id.raw()],
            Object::Execution(run) => vec![run.rule.raw()],
            Object::None => self.subject().into_iter().collect(),
        };
        if lanes.is_empty() {
            vec![self.tenant.raw()]
        } else {
            lanes
        }
    }

    /// The accounts it is about.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountId> {
        match (&self.object, &self.fact) {
            (Object::Transfer(row), _) => {
                let ends = [row.transfer.source, row.transfer.destination];
                ends.into_iter().flatten().collect()
            }
            (Object::Account(row), _) => vec![row.account.id],
            (_, Fact::Ledger(Effect::HoldPlaced(hold))) => vec![hold.account],
            _ => Vec::new(),
        }
    }

    /// The owner it is about.
    #[must_use]
    pub fn owner(&self) -> Option<OwnerId> {
        match (&self.object, &self.fact) {
            (Object::Transfer(row), _) => Some(row.transfer.owner),
            (Object::Account(row), _) => Some(row.account.owner),
            (Object::Bulk(row), _) => Some(row.owner),
            (Object::Rule(view), _) => Some(view.rule.owner),
            (Object::Execution(run), _) => Some(run.owner),
            (_, Fact::Ledger(Effect::OwnerCreated(owner))) => Some(owner.id),
            (_, Fact::Record(record)) => record.owner,
            _ => None,
        }
    }

    /// The number of what it is about, when that is no object with accounts.
    fn subject(&self) -> Option<u64> {
        match &self.fact {
            Fact::Ledger(Effect::HoldPlaced(hold)) => Some(hold.account.raw()),
            Fact::Ledger(Effect::HoldReleased(hold)) => Some(hold.raw()),
            Fact::Ledger(Effect::OwnerCreated(owner)) => Some(owner.id.raw()),
            Fact::Ledger(Effect::ProfileSet(profile)) => Some(profile.id.raw()),
            Fact::Record(record) => Some(record.id),
            Fact::RecordDeleted { id, .. } => Some(*id),
            Fact::KeyCreated(key) => Some(key.id.raw()),
            Fact::KeyRevoked(key) => Some(key.raw()),
            Fact::Ledger(_) => None,
        }
    }
}

impl Service {
    /// Events of a tenant.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn events(&self, query: &EventQuery) -> Result<EventPage> {
        let limit = query.limit.clamp(1, EVENTS_MAX);
        let mut page = EventPage {
            through: query.after,
            ..EventPage::default()
        };
        let mut looked = 0;
        loop {
            let part = HistoryQuery {
                tenant: query.tenant,
                after: page.through,
                commits: COMMITS,
            };
            let history = self.store.history(part).await?;
            let found = self.told(query, page.through, history.facts).await?;
            let room = limit.saturating_sub(page.events.len());
            if found.len() > room {
                page.events.extend(found.into_iter().take(room));
                page.through = page.events.last().map_or(page.through, |last| last.id);
                page.more = true;
                return Ok(page);
            }
            page.events.extend(found);
            page.through = history.through;
            page.more = history.more;
            looked += COMMITS;
            if !history.more || page.events.len() >= limit || looked >= LOOK_MAX {
                return Ok(page);
            }
        }
    }

    /// One event.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] when there is none with this id.
    pub async fn event(&self, tenant: TenantId, id: Place) -> Result<Event> {
        let before = Place::from_raw(id.raw().saturating_sub(1));
        let query = EventQuery {
            tenant,
            after: before,
            limit: 1,
            filter: Arc::default(),
        };
        let page = self.events(&query).await?;
        let found = page.events.into_iter().find(|event| event.id == id);
        found.ok_or(crate::Error::NotFound { what: "event" })
    }

    /// The end of a tenant's history.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn newest_event(&self, tenant: TenantId) -> Result<Place> {
        let heads = self.store.heads(vec![tenant]).await?;
        let newest = heads.first().map_or(0, |(_, number)| *number);
        Ok(Place::end_of(newest))
    }

    /// The events that facts mean, with their objects, as far as they are wanted.
    async fn told(
        &self,
        query: &EventQuery,
        after: Place,
        facts: Vec<FactRow>,
    ) -> Result<Vec<Event>> {
        let tenant = query.tenant;
        let filter = &query.filter;
        let mut named = Vec::new();
        for row in facts {
            let names = names::of(&row.fact);
            for (part, name) in names.iter().enumerate() {
                let id = row.place.part(part);
                if id > after && filter.may_want(name) {
                    named.push((id, *name, row.at, row.fact.clone()));
                }
            }
        }
        let transfers = self.transfers_told(tenant, &named).await?;
        let mut events = Vec::with_capacity(named.len());
        for (id, name, committed_at, fact) in named {
            let object = self.object(tenant, &fact, &transfers).await?;
            let event = Event {
                id,
                tenant,
                name: names::with_object(name, is_card(&object)),
                at: time_of(&fact).unwrap_or(committed_at),
                committed_at,
                fact,
                object,
            };
            if filter.wants(&event) {
                events.push(event);
            }
        }
        Ok(events)
    }

    /// The rows of all transfers that are told of.
    async fn transfers_told(
        &self,
        tenant: TenantId,
        named: &[(Place, &'static str, Millis, Fact)],
    ) -> Result<HashMap<TransferId, TransferRow>> {
        let ids = named.iter().filter_map(|(_, _, _, fact)| transfer_of(fact));
        let mut ids: Vec<TransferId> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.store.transfers_by_id(tenant, ids).await?;
        let rows = rows.into_iter().flatten();
        Ok(rows.map(|row| (row.transfer.id, row)).collect())
    }

    async fn object(
        &self,
        tenant: TenantId,
        fact: &Fact,
        transfers: &HashMap<TransferId, TransferRow>,
    ) -> Result<Object> {
        let Fact::Ledger(effect) = fact else {
            return Ok(Object::None);
        };
        let account = match effect {
            Effect::AccountOpened(account) => Some(account.id),
            Effect::AccountStateSet { account, .. } | Effect::AccountChanged { account, .. } => {
                Some(*account)
            }
            _ => None,
        };
        if let Some(account) = account {
            let row = self.store.account(tenant, account).await?;
            return Ok(row.map_or(Object::None, |row| Object::Account(Box::new(row))));
        }
        let bulk = match effect {
            Effect::BulkSubmitted(bulk) => Some(bulk.id),
            Effect::BulkMoved { bulk, .. } => Some(*bulk),
            _ => None,
        };
        if let Some(bulk) = bulk {
            let row = self.store.bulk(tenant, bulk).await?;
            return Ok(row.map_or(Object::None, |row| Object::Bulk(Box::new(row))));
        }
        let rule = match effect {
            Effect::RuleSet(rule) => Some(rule.id),
            Effect::RuleDeleted { rule, .. } => Some(*rule),
            _ => None,
        };
        if let Some(rule) = rule {
            let row = self.store.rule(tenant, rule).await?;
            return Ok(match row {
                Some(row) => Object::Rule(Box::new(self.rule_view(row).await?)),
                None => Object::None,
            });
        }
        let execution = match effect {
            Effect::ExecutionRecorded(execution) => Some(execution.id),
            Effect::ExecutionMoved { execution, .. } => Some(*execution),
            _ => None,
        };
        if let Some(execution) = execution {
            let run = self.store.execution(tenant, execution).await?;
            return Ok(run.map_or(Object::None, |run| Object::Execution(Box::new(run))));
        }
        let row = transfer_of(fact).and_then(|id| transfers.get(&id));
        Ok(row.map_or(Object::None, |row| {
            Object::Transfer(Box::new(as_it_was(row, effect)))
        }))
    }
}

fn is_card(object: &Object) -> bool {
    match object {
        Object::Account(row) => row.account.kind.instrument() == Some(InstrumentClass::Card),
        _ => false,
    }
}

fn transfer_of(fact: &Fact) -> Option<TransferId> {
    match fact {
        Fact::Ledger(Effect::TransferRecorded(transfer)) => Some(transfer.id),
        Fact::Ledger(Effect::TransferMoved { transfer, .. }) => Some(*transfer),
        _ => None,
    }
}

/// A transfer as an effect has left it.
fn as_it_was(row: &TransferRow, effect: &Effect) -> TransferRow {
    let mut row = row.clone();
    match effect {
        Effect::TransferRecorded(transfer) => row.transfer = transfer.clone(),
        Effect::TransferMoved {
            to,
            error,
            fee_minor,
            cancel_reason,
            at,
            ..
        } => {
            let transfer = &mut row.transfer;
            transfer.status = *to;
            transfer.error = *error;
            transfer.fee_minor = *fee_minor;
            transfer.cancel_reason.clone_from(cancel_reason);
            transfer.updated_at = *at;
            transfer.completed_at = (*to == Status::Complete).then_some(*at);
        }
        _ => {}
    }
    row
}

/// When something happened by its tenant's clock.
fn time_of(fact: &Fact) -> Option<Millis> {
    match fact {
        Fact::Ledger(effect) => match effect {
            Effect::TenantCreated(tenant) => Some(tenant.created_at),
            Effect::OwnerCreated(owner) => Some(owner.created_at),
            Effect::AccountOpened(account) => Some(account.created_at),
            Effect::AccountStateSet { at, .. }
            | Effect::AccountChanged { at, .. }
            | Effect::TransferMoved { at, .. }
            | Effect::BulkMoved { at, .. }
            | Effect::ExecutionMoved { at, .. } => Some(*at),
            Effect::ProfileSet(profile) => Some(profile.updated_at),
            Effect::TransferRecorded(transfer) => Some(transfer.updated_at),
            Effect::HoldPlaced(hold) => Some(hold.created_at),
            Effect::BulkSubmitted(bulk) => Some(bulk.created_at),
            Effect::RuleSet(rule) => Some(rule.updated_at),
            Effect::ExecutionRecorded(execution) => Some(execution.created_at),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
