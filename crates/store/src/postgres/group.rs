//! A group: submits and due work, decided in memory against what was loaded for them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use ledger::touches::{Found, of_order};
use ledger::{
    Command, Due, Effect, IdSource, KeyId, Millis, OwnerId, State, TenantId, Touch, touches,
};

use super::facts::{Facts, SystemAccount};
use super::failure::Failure;
use super::load::{DUE_MAX, Loaded};
use super::notices::{API_KEYS, Noted};
use super::plan::{Plan, Wants};
use crate::codec::Change;
use crate::codes::Code;
use crate::desk::{self, Commit, Desk};
use crate::gather::Gathered;
use crate::records::{Fingerprint, Remembered};
use crate::shelf::Shelf;
use crate::{Outcome, Submit};

/// Ids of other servers may be this many milliseconds ahead: as much as their clocks may, and some.
const AHEAD_MS: i64 = 5_000;

/// In whose history commits are that belong to no tenant.
pub(crate) const NOBODY: TenantId = TenantId::new(0);

/// See the module.
pub(crate) struct Group<'a> {
    loaded: &'a Loaded,
    facts: &'a mut Facts,
    ids: &'a mut IdSource,
    now: Millis,
    state: State,
    shelf: Shelf,
    /// What was remembered before and is remembered here.
    remembered: HashMap<Fingerprint, u64>,
    keys: HashMap<KeyId, TenantId>,
    /// What is loaded or was made here: nothing else may be looked at.
    known: Wants,
    /// How far each tenant's work is loaded, by its own clock.
    loaded_until: BTreeMap<TenantId, Millis>,
    systems: BTreeMap<OwnerId, Vec<SystemAccount>>,
    /// The tenant in whose history commits go.
    tenant: TenantId,
    changed: Changed,
}

/// What a group changes.
#[derive(Default)]
pub(crate) struct Changed {
    pub gathered: Gathered,
    pub remembered: Vec<Remembered>,
    /// Records of the journal's format, each with its tenant, in order.
    pub commits: Vec<(TenantId, Vec<u8>)>,
    pub noted: Vec<Noted>,
    /// All system accounts of owners that have new ones.
    pub systems: BTreeMap<OwnerId, Vec<SystemAccount>>,
    /// API keys that were revoked, by tenant.
    pub revoked: BTreeMap<KeyId, TenantId>,
    /// Tenants whose clocks were set.
    pub clocks: BTreeSet<TenantId>,
    /// Pieces of due work that were done.
    pub done: usize,
}

/// The tenant in whose history a submit goes.
pub(crate) fn tenant_of(submit: &Submit) -> TenantId {
    desk::tenant_of(submit).unwrap_or(NOBODY)
}

impl<'a> Group<'a> {
    /// A group over what was loaded.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] when the rows do not fit each other.
    pub(crate) fn new(
        loaded: &'a Loaded,
        facts: &'a mut Facts,
        ids: &'a mut IdSource,
        now: Millis,
    ) -> Result<Group<'a>, Failure> {
        let (mut state, shelf) = loaded.state()?;
        // Records may have any id that some server can have issued.
        state.observe_id(IdSource::first_at(now.plus(AHEAD_MS)));
        let until = |tenant: &ledger::Tenant| (tenant.id, tenant.clock.now(now));
        Ok(Group {
            loaded,
            facts,
            ids,
            now,
            state,
            shelf,
            remembered: loaded.remembered.clone(),
            keys: loaded.keys.clone(),
            known: loaded.known.clone(),
            loaded_until: loaded.tenants.values().map(until).collect(),
            systems: loaded.systems.clone(),
            tenant: NOBODY,
            changed: Changed::default(),
        })
    }

    /// Does the work that is due, decides the submits in their order, then does the work that they
    /// have made due at once.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] when a commit does not fit what is stored.
    pub(crate) fn run(
        &mut self,
        submits: impl Iterator<Item = Submit>,
    ) -> Result<Vec<Outcome>, Failure> {
        self.run_due()?;
        let mut outcomes = Vec::new();
        for submit in submits {
            self.tenant = tenant_of(&submit);
            outcomes.push(desk::settle(self, submit, self.now)?);
        }
        self.run_due()?;
        Ok(outcomes)
    }

    /// The state as the group leaves it.
    pub(crate) fn end(self) -> (State, Changed) {
        (self.state, self.changed)
    }

    /// Owners with work that is due now and was left, by the state as it is.
    pub(crate) fn left_due(&mut self) -> BTreeMap<OwnerId, TenantId> {
        let mut left = BTreeMap::new();
        for tenant in self.state.tenants() {
            let now = tenant.clock.now(self.now);
            for due in self.state.due_of(tenant.id).take_while(|due| due.at <= now) {
                if let Some(owner) = self.facts.owner_of(due.work) {
                    left.insert(owner, tenant.id);
                }
            }
        }
        left
    }

    /// Does what is due of every tenant, in its order.
    fn run_due(&mut self) -> Result<(), Failure> {
        let tenants: Vec<TenantId> = self.state.tenants().map(|tenant| tenant.id).collect();
        for tenant in tenants {
            self.run_due_of(tenant)?;
        }
        Ok(())
    }

    /// Work that needs more than was loaded is left, and with it what the same owner has later.
    fn run_due_of(&mut self, tenant: TenantId) -> Result<(), Failure> {
        let mut held_up = HashSet::new();
        let due = self.state.due_of(tenant).copied();
        let mut waiting: BTreeSet<Due> = due.filter(|due| self.may_run(due)).collect();
        self.tenant = tenant;
        while let Some(due) = waiting.pop_first() {
            if self.changed.done >= DUE_MAX {
                break;
            }
            // Work of which nothing else is known was only looked at for its time.
            let Some(owner) = self.facts.owner_of(due.work) else {
                continue;
            };
            if held_up.contains(&owner) {
                continue;
            }
            if !self.covers(&due) {
                held_up.insert(owner);
                continue;
            }
            let commit = desk::run_due(&self.state, due, self.ids, self.now);
            let commit = commit.map_err(|rejection| {
                Failure::Corrupt(format!("due work was refused: {rejection}").into())
            })?;
            let added = commit.effects.iter().filter_map(|effect| match effect {
                Effect::DueAdded(due) => Some(*due),
                _ => None,
            });
            waiting.extend(added.filter(|due| self.may_run(due)));
            self.record(self.now, commit)?;
            self.changed.done += 1;
        }
        Ok(())
    }

    /// Whether it is due, and all work that is due before it was loaded.
    fn may_run(&self, due: &Due) -> bool {
        let until = self.loaded_until.get(&due.tenant);
        let clock = self.state.tenant(due.tenant).map(|tenant| tenant.clock);
        until.is_some_and(|until| due.at <= *until)
            && clock.is_some_and(|clock| due.at <= clock.now(self.now))
            && self.loaded.horizon().is_none_or(|last| *due <= last)
    }

    /// Whether everything that this work looks at is known.
    fn covers(&mut self, due: &Due) -> bool {
        let mut plan = Plan::default();
        plan.follow(self.facts, due.tenant, touches(&Command::RunDue(*due)));
        for (tenant, id) in std::mem::take(&mut plan.turns) {
            if let Some(bulk) = self.state.bulk(id)
                && let Some(order) = bulk.operations.get(bulk.next())
            {
                plan.follow(self.facts, tenant, of_order(tenant, bulk.owner, order));
            }
        }
        for (tenant, id) in std::mem::take(&mut plan.runs) {
            if let Some(rule) = self.state.rule(id) {
                plan.follow(self.facts, tenant, Touch::RunOf(id).then(Found::Rule(rule)));
            }
        }
        plan.is_whole() && plan.wants.are_within(&self.known)
    }

    fn apply(&mut self, effect: &Effect) -> Result<(), Failure> {
        let applied = self.changed.gathered.effect(&mut self.state, effect);
        applied.map_err(|what| {
            Failure::Corrupt(format!("a commit breaks the ledger: {what}").into())
        })?;
        self.facts.learn(effect);
        self.known.learn(effect, self.facts);
        match effect {
            Effect::AccountOpened(account) => {
                if let ledger::AccountKind::System(kind) = account.kind {
                    let systems = self.systems.entry(account.owner).or_default();
                    systems.push((kind, account.currency, account.id));
                    let systems = systems.clone();
                    self.changed.systems.insert(account.owner, systems);
                }
            }
            Effect::ClockSet { tenant, .. } => drop(self.changed.clocks.insert(*tenant)),
            Effect::TenantCreated(tenant) => {
                let clock = tenant.clock.now(self.now);
                self.loaded_until.insert(tenant.id, clock);
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, change: &Change) {
        let (tenant, kind, object) = match change {
            // No server keeps anything of a log.
            Change::RecordPut(record) if record.kind.is_log() => return,
            Change::RecordDeleted { kind, .. } if kind.is_log() => return,
            Change::RecordPut(record) => (record.tenant, record.kind.code().into(), record.id),
            Change::RecordDeleted { kind, id } => {
                let before = self.loaded.records.get(&(*kind, *id));
                let tenant = before.map_or(self.tenant, |record| record.tenant);
                (tenant, kind.code().into(), *id)
            }
            Change::KeyCreated(key) => (key.tenant, API_KEYS, key.id.raw()),
            Change::KeyRevoked { key, .. } => (self.tenant, API_KEYS, key.raw()),
            Change::Ledger(_) | Change::Remembered(_) | Change::Of(_) => return,
        };
        let id = self.ids.issue(self.now);
        self.changed.noted.push(Noted {
            id,
            tenant,
            kind,
            object,
        });
    }
}

impl Desk for Group<'_> {
    type Stop = Failure;

    fn state(&self) -> &State {
        &self.state
    }

    fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    fn state_and_ids(&mut self) -> (&State, &mut IdSource) {
        (&self.state, self.ids)
    }

    fn remembered(&self, key: &Fingerprint) -> Option<u64> {
        self.remembered.get(key).copied()
    }

    /// An id: many servers remember at the same time.
    fn next_remembered(&mut self, now: Millis) -> u64 {
        self.ids.issue(now)
    }

    fn key_tenant(&self, key: KeyId) -> Option<TenantId> {
        self.keys.get(&key).copied()
    }

    fn record(&mut self, now: Millis, commit: Commit) -> Result<(), Failure> {
        let mut bytes = Vec::with_capacity(256);
        commit.encode(&mut bytes, now);
        for effect in &commit.effects {
            self.apply(effect)?;
        }
        let tenant = commit.effects.iter().find_map(|effect| match effect {
            Effect::TenantCreated(tenant) => Some(tenant.id),
            _ => None,
        });
        self.tenant = tenant.unwrap_or(self.tenant);
        // A refusal may be remembered of a tenant that does not exist.
        let is_there = self.state.tenant(self.tenant).is_some();
        let history = if is_there { self.tenant } else { NOBODY };
        self.changed.commits.push((history, bytes));
        for change in commit.changes {
            let kept = self.shelf.keep(&change);
            kept.map_err(|what| {
                Failure::Corrupt(format!("a commit breaks the records: {what}").into())
            })?;
            self.note(&change);
            match &change {
                Change::KeyCreated(key) => drop(self.keys.insert(key.id, key.tenant)),
                Change::KeyRevoked { key, .. } => {
                    self.keys.remove(key);
                    self.changed.revoked.insert(*key, self.tenant);
                }
                _ => {}
            }
            let gathered = self.changed.gathered.change(&mut self.state, change);
            gathered.map_err(|what| Failure::Corrupt(what.into()))?;
        }
        if let Some(remembered) = commit.remembered {
            self.remembered.insert(remembered.key, remembered.number);
            self.changed.remembered.push(remembered);
        }
        Ok(())
    }

    /// What a clock has passed is more than was loaded: it is done in groups of its own, before
    /// the answer is given and before the tenant's later requests.
    fn clock_was_set(&mut self, _now: Millis) -> Result<(), Failure> {
        Ok(())
    }
}
