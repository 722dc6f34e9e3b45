//! Records of the journal's format, in order, into the rows that deciding them here would have left.
//!
//! They are applied to a state with all of the ledger's checks and written by the write path's own
//! code, many commits in a group.

use std::collections::{BTreeMap, HashMap};

use ledger::{AccountKind, Effect, KeyId, Millis, OwnerId, State, TenantId, Work};

use super::kept::Kept;
use crate::codec::{self, Change};
use crate::history::tenant_of_change;
use crate::postgres::facts::SystemAccount;
use crate::postgres::failure::Failure;
use crate::postgres::group::{Changed, NOBODY};
use crate::postgres::session::Call;
use crate::postgres::write::Write;
use crate::records::RecordKind;

/// Commits of a group at most.
const COMMITS_MAX: usize = 8_192;
/// Bytes of records from which on a group is full.
const BYTES_MAX: usize = 8 << 20;

/// See the module.
#[derive(Default)]
pub(super) struct Filler {
    state: State,
    kept: Kept,
    changed: Changed,
    /// Whose the work of this group and of what is open is.
    works: HashMap<Work, OwnerId>,
    systems: BTreeMap<OwnerId, Vec<SystemAccount>>,
    keys: HashMap<KeyId, TenantId>,
    record_tenants: HashMap<(RecordKind, u64), TenantId>,
    /// Of the group's records.
    bytes: usize,
    groups: u64,
    last_at: Millis,
    changes: Vec<Change>,
}

impl Filler {
    /// Takes the record of a commit. True when the group is full.
    ///
    /// # Errors
    /// Why it does not fit what came before.
    pub(super) fn take(&mut self, record: &[u8]) -> Result<bool, String> {
        let mut changes = std::mem::take(&mut self.changes);
        let at = codec::decode_into(record, &mut changes).map_err(|error| error.to_string())?;
        self.last_at = self.last_at.max(at);
        let mut tenant = None;
        for change in changes.drain(..) {
            tenant = tenant.or_else(|| self.tenant_of(&change));
            self.learn(&change);
            let gathered = &mut self.changed.gathered;
            if let Some(remembered) = gathered.change(&mut self.state, change)? {
                self.changed.remembered.push(remembered);
            }
        }
        self.changes = changes;
        self.bytes = self.bytes.saturating_add(record.len());
        let tenant = tenant.unwrap_or(NOBODY);
        self.changed.commits.push((tenant, record.to_vec()));
        Ok(self.changed.commits.len() >= COMMITS_MAX || self.bytes >= BYTES_MAX)
    }

    /// In whose history a change is.
    fn tenant_of(&self, change: &Change) -> Option<TenantId> {
        match change {
            Change::KeyRevoked { key, .. } => self.keys.get(key).copied(),
            Change::RecordDeleted { kind, id } => self.record_tenants.get(&(*kind, *id)).copied(),
            other => tenant_of_change(&self.state, other),
        }
    }

    /// Notes what the rows need besides what is gathered.
    fn learn(&mut self, change: &Change) {
        match change {
            Change::Ledger(effect) => self.learn_effect(effect),
            Change::KeyCreated(key) => drop(self.keys.insert(key.id, key.tenant)),
            Change::KeyRevoked { key, .. } => {
                if let Some(tenant) = self.keys.get(key) {
                    self.changed.revoked.insert(*key, *tenant);
                }
            }
            Change::RecordPut(record) => {
                let at = (record.kind, record.id);
                self.record_tenants.insert(at, record.tenant);
            }
            Change::RecordDeleted { kind, id } => drop(self.record_tenants.remove(&(*kind, *id))),
            Change::Remembered(_) | Change::Of(_) => {}
        }
    }

    fn learn_effect(&mut self, effect: &Effect) {
        match effect {
            Effect::AccountOpened(account) => {
                if let AccountKind::System(kind) = account.kind {
                    let systems = self.systems.entry(account.owner).or_default();
                    systems.push((kind, account.currency, account.id));
                    let systems = systems.clone();
                    self.changed.systems.insert(account.owner, systems);
                }
            }
            Effect::TransferRecorded(transfer) => {
                let work = Work::Settle(transfer.id);
                self.works.insert(work, transfer.owner);
            }
            Effect::HoldPlaced(hold) => {
                if let Some(account) = self.state.account(hold.account) {
                    self.works.insert(Work::ExpireHold(hold.id), account.owner);
                }
            }
            Effect::BulkSubmitted(bulk) => {
                self.works.insert(Work::RunBulk(bulk.id), bulk.owner);
            }
            Effect::RuleSet(rule) => {
                self.works.insert(Work::RunRule(rule.id), rule.owner);
            }
            Effect::ExecutionRecorded(run) => {
                self.works.insert(Work::RunExecution(run.id), run.owner);
            }
            _ => {}
        }
    }

    /// The statements of the group, without begin and end; none when it is empty.
    ///
    /// # Errors
    /// [`Failure`] when the history has work of nobody.
    pub(super) fn calls(&mut self) -> Result<Vec<Call>, Failure> {
        if self.changed.commits.is_empty() {
            return Ok(Vec::new());
        }
        self.groups += 1;
        let write = self.write();
        let (mut calls, _) = write.calls(|work| self.works.get(&work).copied())?;
        calls.extend(write.commits());
        Ok(calls)
    }

    /// Goes on after the group was written.
    pub(super) fn written(&mut self) {
        let ends = self.write().chain(|_, _, _, _| ());
        let changed = std::mem::take(&mut self.changed);
        self.kept.learn(&changed, ends);
        self.bytes = 0;
        let state = &self.state;
        self.works.retain(|work, _| match work {
            Work::Settle(transfer) => state.open_transfer(*transfer).is_some(),
            Work::ExpireHold(hold) => state.hold(*hold).is_some(),
            Work::RunBulk(bulk) => state.bulk(*bulk).is_some(),
            Work::RunRule(rule) => state.rule(*rule).is_some(),
            Work::RunExecution(execution) => state.execution(*execution).is_some(),
        });
    }

    fn write(&self) -> Write<'_> {
        Write {
            stored: &self.kept,
            changed: &self.changed,
            state: &self.state,
            now: self.last_at,
            // Those of servers are ids, which are far greater.
            batch: self.groups,
        }
    }

    /// The greatest id.
    pub(super) fn last_id(&self) -> u64 {
        self.state.last_id()
    }

    /// The latest machine's time of a commit.
    pub(super) fn last_at(&self) -> Millis {
        self.last_at
    }
}
