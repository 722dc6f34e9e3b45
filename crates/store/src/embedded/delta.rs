//! What a run of commits changes in the views, gathered and written sorted.
//!
//! Rows that change several times within a run are written once; rows are written in the order of
//! their keys, so that each tree is walked from left to right.

mod due;
mod transfers;

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    Account, AccountId, Bulk, BulkId, Effect, Hold, HoldId, KeyId, Millis, OperationOutcome, Owner,
    OwnerId, Profile, ProfileId, State, Tenant, TenantClock, TenantId,
};
use rusqlite::{Connection, params};

use super::bind::Binder;
use super::fill::{self, ListLine};
use super::owner_page::Line;
use super::remembered_page::RememberedRun;
use super::views::{self, Progress};
use crate::codec::{self, Change, work_parts};
use crate::codes::Code;
use crate::query::EntryRow;
use crate::records::{KeyRecord, Record, RecordKind};
use due::DueRows;
use transfers::Transfers;

/// A bulk as it is after what was noted so far.
struct BulkLine {
    bulk: Bulk,
    /// Whether the views have its operations already.
    seen: bool,
}

/// Changes not yet written.
#[derive(Default)]
pub(crate) struct Delta {
    tenants: BTreeMap<TenantId, Tenant>,
    owners: BTreeMap<OwnerId, Owner>,
    /// Accounts of which more than the balance changed.
    accounts: BTreeSet<AccountId>,
    /// Whether one of them may be called something else.
    renames: bool,
    /// Accounts whose holds changed; those with entries are not named here.
    balances: BTreeSet<AccountId>,
    transfers: Transfers,
    entries: Vec<(AccountId, EntryRow)>,
    holds: BTreeMap<HoldId, (Hold, bool)>,
    due: DueRows,
    profiles: BTreeMap<ProfileId, Profile>,
    bulks: BTreeMap<BulkId, BulkLine>,
    operations: Vec<(BulkId, u32, OperationOutcome)>,
    keys: BTreeMap<KeyId, KeyRecord>,
    revoked: Vec<(KeyId, Millis)>,
    remembered: RememberedRun,
    /// Records as they are at last, `None` when deleted.
    records: BTreeMap<(RecordKind, u64), Option<Record>>,
}

impl Delta {
    /// A rough number of rows to write.
    pub(crate) fn len(&self) -> usize {
        self.transfers.len()
            + self.entries.len() / 2
            + self.remembered.len() / 2
            + self.operations.len()
            + self.records.len()
    }

    /// Whether it gives an account another name.
    pub(crate) fn renames(&self) -> bool {
        self.renames
    }

    /// Applies a change to `state` and notes what it changes in the views.
    ///
    /// # Errors
    /// A description when the change does not fit the state.
    pub(crate) fn take(&mut self, state: &mut State, change: Change) -> Result<(), String> {
        match change {
            Change::Ledger(effect) => {
                // What these end is gone from the state afterwards; the others are not copied.
                if matches!(
                    effect,
                    Effect::ClockSet { .. }
                        | Effect::TransferMoved { .. }
                        | Effect::HoldReleased(_)
                        | Effect::BulkMoved { .. }
                        | Effect::BulkStepped { .. }
                ) {
                    self.note(state, &effect)?;
                    state.apply(&effect).map_err(|error| error.to_string())?;
                } else {
                    state.apply(&effect).map_err(|error| error.to_string())?;
                    self.note(state, &effect)?;
                }
            }
            Change::KeyCreated(key) => {
                state.observe_id(key.id.raw());
                self.keys.insert(key.id, key);
            }
            Change::KeyRevoked { key, at } => self.revoked.push((key, at)),
            Change::Remembered(remembered) => self.remembered.push(&remembered)?,
            Change::RecordPut(record) => {
                state.observe_id(record.id);
                self.records.insert((record.kind, record.id), Some(record));
            }
            Change::RecordDeleted { kind, id } => {
                self.records.insert((kind, id), None);
            }
        }
        Ok(())
    }

    fn note(&mut self, state: &State, effect: &Effect) -> Result<(), String> {
        match effect {
            Effect::TenantCreated(tenant) => {
                self.tenants.insert(tenant.id, tenant.clone());
            }
            Effect::ClockSet { tenant, clock } => {
                let known = state
                    .tenant(*tenant)
                    .ok_or("a clock of an unknown tenant")?;
                let set = Tenant {
                    clock: *clock,
                    ..known.clone()
                };
                self.tenants.insert(*tenant, set);
            }
            Effect::OwnerCreated(owner) => {
                self.owners.insert(owner.id, owner.clone());
            }
            Effect::AccountOpened(Account { id, .. })
            | Effect::AccountStateSet { account: id, .. } => {
                self.accounts.insert(*id);
            }
            Effect::AccountChanged { account, .. } => {
                self.accounts.insert(*account);
                self.renames = true;
            }
            Effect::ProfileSet(profile) => {
                self.profiles.insert(profile.id, profile.clone());
            }
            Effect::BulkSubmitted(bulk) => {
                let row = BulkLine {
                    bulk: bulk.clone(),
                    seen: false,
                };
                self.bulks.insert(bulk.id, row);
            }
            Effect::BulkMoved {
                bulk, to, mode, at, ..
            } => self.bulk_row(state, *bulk)?.moved(*to, *mode, *at),
            Effect::BulkStepped {
                bulk,
                operation,
                outcome,
            } => {
                self.bulk_row(state, *bulk)?.stepped(*outcome);
                self.operations.push((*bulk, *operation, *outcome));
            }
            Effect::TransferRecorded(transfer) => self.transfers.record(transfer)?,
            Effect::TransferMoved {
                transfer: id,
                to,
                error,
                fee_minor,
                cancel_reason,
                at,
                ..
            } => {
                let transfer = self
                    .transfers
                    .changing(*id, || state.open_transfer(*id))
                    .ok_or("an unknown transfer moves")?;
                transfer.status = *to;
                transfer.error = *error;
                transfer.fee_minor = transfer.fee_minor.saturating_add(*fee_minor);
                if cancel_reason.is_some() {
                    transfer.cancel_reason.clone_from(cancel_reason);
                }
                transfer.updated_at = *at;
                if *to == ledger::Status::Complete {
                    transfer.completed_at = Some(*at);
                }
            }
            Effect::Posted {
                transfer,
                at,
                posting,
            } => self.entries.extend(posting.entries().iter().map(|entry| {
                let row = EntryRow {
                    sequence: entry.sequence,
                    transfer: *transfer,
                    side: entry.side,
                    amount_minor: entry.amount.minor(),
                    balance_after: entry.balance_after,
                    at: *at,
                };
                (entry.account, row)
            })),
            Effect::HoldPlaced(hold) => {
                self.balances.insert(hold.account);
                self.holds.insert(hold.id, (*hold, true));
            }
            Effect::HoldReleased(id) => {
                let hold = *state.hold(*id).ok_or("an unknown hold is released")?;
                self.balances.insert(hold.account);
                self.holds.insert(*id, (hold, false));
            }
            Effect::DueAdded(due) => self.due.add(*due),
            Effect::DueRemoved(due) => self.due.remove(due),
        }
        Ok(())
    }

    fn bulk_row(&mut self, state: &State, id: BulkId) -> Result<&mut Bulk, String> {
        let known = state.bulk(id).ok_or("an unknown bulk changes")?;
        let row = self.bulks.entry(id).or_insert_with(|| BulkLine {
            bulk: known.clone(),
            seen: true,
        });
        Ok(&mut row.bulk)
    }

    /// Writes everything in one transaction, with the place it leads to. `state` is as after it.
    /// On an error nothing is written and the delta is as before.
    pub(crate) fn write(
        &mut self,
        connection: &mut Connection,
        state: &State,
        progress: &Progress,
    ) -> rusqlite::Result<()> {
        self.entries
            .sort_unstable_by_key(|(account, entry)| (*account, entry.sequence));
        let transaction = connection.transaction()?;
        self.write_tenants(&transaction)?;
        self.write_accounts(&transaction, state)?;
        self.write_balances(&transaction, state)?;
        self.write_transfers(&transaction)?;
        fill::owner_lists(&transaction, &self.list_lines(state))?;
        fill::entries(&transaction, &self.entries)?;
        fill::remembered(&transaction, &self.remembered)?;
        self.write_waiting(&transaction)?;
        self.write_keys(&transaction)?;
        self.write_programme(&transaction)?;
        self.write_records(&transaction)?;
        views::set_progress(&transaction, progress)?;
        transaction.commit()?;
        self.clear();
        Ok(())
    }

    /// Forgets everything, but keeps the room of what there is most of.
    fn clear(&mut self) {
        let mut transfers = std::mem::take(&mut self.transfers);
        let mut entries = std::mem::take(&mut self.entries);
        let mut remembered = std::mem::take(&mut self.remembered);
        transfers.clear();
        entries.clear();
        remembered.clear();
        *self = Delta {
            transfers,
            entries,
            remembered,
            ..Delta::default()
        };
    }

    fn write_tenants(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put =
            connection.prepare_cached("REPLACE INTO tenants VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for tenant in self.tenants.values() {
            let (offset, frozen) = match tenant.clock {
                TenantClock::Running { offset_ms } => (Some(offset_ms), None),
                TenantClock::Frozen { at } => (None, Some(at.0)),
            };
            put.execute(params![
                tenant.id.raw().cast_signed(),
                &*tenant.name,
                tenant.mode.code(),
                offset,
                frozen,
                tenant.created_at.0
            ])?;
        }
        let mut put =
            connection.prepare_cached("REPLACE INTO owners VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for owner in self.owners.values() {
            put.execute(params![
                owner.id.raw().cast_signed(),
                owner.tenant.raw().cast_signed(),
                owner.kind.code(),
                &*owner.name,
                owner.created_at.0
            ])?;
        }
        Ok(())
    }

    fn write_accounts(&self, connection: &Connection, state: &State) -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            "REPLACE INTO accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
             ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, \
             ?30)",
        )?;
        for id in &self.accounts {
            let Some(account) = state.account(*id) else {
                continue;
            };
            let reported = &account.reported;
            put.execute(params![
                account.tenant.raw().cast_signed(),
                account.id.raw().cast_signed(),
                account.owner.raw().cast_signed(),
                account.kind.code(),
                &*account.name,
                account.description.as_deref(),
                account.institution.as_deref(),
                account.number_last_four.as_deref(),
                account.routing_last_four.as_deref(),
                account.currency.code(),
                account.state.code(),
                account.can_be_source,
                account.can_be_destination,
                reported.balance,
                reported.available,
                reported.last_statement,
                reported.next_payment_minimum,
                reported.last_statement_date.as_deref(),
                reported.next_payment_due_date.as_deref(),
                reported.updated_at.map(|at| at.0),
                account.created_at.0,
                account.updated_at.0,
                account.balance,
                account.held,
                account.entries.cast_signed(),
                account.profile.map(|id| id.raw().cast_signed()),
                account.parent.map(|id| id.raw().cast_signed()),
                account.tag.as_deref(),
                account.details.as_deref(),
                account.reason.map(Code::code),
            ])?;
        }
        Ok(())
    }

    /// Writes the balances of accounts that are there and did not change otherwise.
    fn write_balances(&self, connection: &Connection, state: &State) -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            "UPDATE accounts SET balance = ?3, held = ?4, entries = ?5 \
             WHERE tenant = ?1 AND id = ?2",
        )?;
        // The entries are sorted by their accounts.
        let same = |one: &(AccountId, EntryRow), next: &(AccountId, EntryRow)| one.0 == next.0;
        let posted = self.entries.chunk_by(same).filter_map(<[_]>::first);
        let mut accounts = self.balances.clone();
        accounts.extend(posted.map(|(account, _)| *account));
        for id in accounts.difference(&self.accounts) {
            let Some(account) = state.account(*id) else {
                continue;
            };
            put.execute(params![
                account.tenant.raw().cast_signed(),
                account.id.raw().cast_signed(),
                account.balance,
                account.held,
                account.entries.cast_signed(),
            ])?;
        }
        Ok(())
    }

    fn write_transfers(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            "REPLACE INTO transfers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
             ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
        )?;
        for (t, _) in self.transfers.iter() {
            let mut row = Binder::new(&mut put);
            row.id(t.id.raw())?;
            row.id(t.tenant.raw())?;
            row.id(t.owner.raw())?;
            row.id_option(t.source.map(AccountId::raw))?;
            row.id_option(t.destination.map(AccountId::raw))?;
            row.text(t.amount.currency().code())?;
            row.int(t.amount.minor())?;
            row.int(t.direction.code())?;
            row.int(t.origin.code())?;
            row.int_option(t.rail.map(Code::code))?;
            row.int(t.rail_delay_ms)?;
            row.int(t.status.code())?;
            row.int_option(t.error.map(Code::code))?;
            row.id_option(t.rule.map(|(rule, _)| rule.raw()))?;
            row.id_option(t.rule.map(|(_, execution)| execution.raw()))?;
            row.id_option(t.key.map(KeyId::raw))?;
            row.text_option(t.description.as_deref())?;
            row.int(t.created_at.0)?;
            row.int(t.updated_at.0)?;
            row.int_option(t.completed_at.map(|at| at.0))?;
            row.id_option(t.profile.map(ProfileId::raw))?;
            row.text_option(t.tag.as_deref())?;
            row.int_option(t.scheduled_at.map(|at| at.0))?;
            row.int(t.fee_minor)?;
            row.text_option(t.cancel_reason.as_deref())?;
            row.execute()?;
        }
        Ok(())
    }

    /// What changes in the lists of owners' transfers, sorted by owner and id.
    fn list_lines(&self, state: &State) -> Vec<ListLine> {
        let kind = |id| state.account(id).map(|account| account.kind);
        let mut lines: Vec<ListLine> = self
            .transfers
            .iter()
            .map(|(transfer, seen)| ListLine {
                owner: transfer.owner,
                line: Line::of(transfer, kind),
                seen,
            })
            .collect();
        // Stable: within an owner they stay in the order of their ids.
        lines.sort_by_key(|line| line.owner);
        lines
    }

    fn write_waiting(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put =
            connection.prepare_cached("REPLACE INTO holds VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        let mut cut =
            connection.prepare_cached("DELETE FROM holds WHERE account = ?1 AND id = ?2")?;
        for (hold, placed) in self.holds.values() {
            let (account, id) = (
                hold.account.raw().cast_signed(),
                hold.id.raw().cast_signed(),
            );
            if *placed {
                put.execute(params![
                    account,
                    id,
                    hold.tenant.raw().cast_signed(),
                    hold.amount.currency().code(),
                    hold.amount.minor(),
                    hold.created_at.0,
                    hold.expires_at.map(|at| at.0),
                ])?;
            } else {
                cut.execute(params![account, id])?;
            }
        }
        let mut put = connection.prepare_cached("REPLACE INTO due VALUES (?1, ?2, ?3, ?4)")?;
        let mut cut = connection.prepare_cached(
            "DELETE FROM due WHERE tenant = ?1 AND at_ms = ?2 AND kind = ?3 AND object = ?4",
        )?;
        for (due, waiting) in self.due.sorted() {
            let (kind, object) = work_parts(due.work);
            let values = params![
                due.tenant.raw().cast_signed(),
                due.at.0,
                kind,
                object.cast_signed()
            ];
            if waiting {
                put.execute(values)?;
            } else {
                cut.execute(values)?;
            }
        }
        Ok(())
    }

    fn write_keys(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put = connection
            .prepare_cached("REPLACE INTO api_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        for key in self.keys.values() {
            put.execute(params![
                key.id.raw().cast_signed(),
                key.tenant.raw().cast_signed(),
                &*key.name,
                key.hash,
                &*key.hint,
                codec::permissions_text(&key.permissions),
                key.created_at.0,
                key.revoked_at.map(|at| at.0),
            ])?;
        }
        let mut revoke =
            connection.prepare_cached("UPDATE api_keys SET revoked_ms = ?2 WHERE id = ?1")?;
        for (key, at) in &self.revoked {
            revoke.execute(params![key.raw().cast_signed(), at.0])?;
        }
        Ok(())
    }

    fn write_programme(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put = connection
            .prepare_cached("REPLACE INTO profiles VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        for profile in self.profiles.values() {
            put.execute(params![
                profile.id.raw().cast_signed(),
                profile.tenant.raw().cast_signed(),
                &*profile.name,
                profile.active,
                codec::currencies_text(&profile.currencies),
                profile.terms.kind().code(),
                codec::terms_to_bytes(&profile.terms),
                profile.created_at.0,
                profile.updated_at.0,
            ])?;
        }
        let mut put = connection.prepare_cached(
            "INSERT INTO bulks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        let mut change = connection.prepare_cached(
            "UPDATE bulks SET status = ?2, mode = ?3, succeeded = ?4, failed = ?5, \
             started_ms = ?6, finished_ms = ?7 WHERE id = ?1",
        )?;
        for BulkLine { bulk, seen } in self.bulks.values() {
            let id = bulk.id.raw().cast_signed();
            let (status, mode) = (bulk.status.code(), bulk.mode.map(Code::code));
            let started = bulk.started_at.map(|at| at.0);
            let finished = bulk.finished_at.map(|at| at.0);
            let (succeeded, failed) = (bulk.succeeded, bulk.failed);
            if *seen {
                change.execute(params![
                    id, status, mode, succeeded, failed, started, finished
                ])?;
                continue;
            }
            put.execute(params![
                id,
                bulk.tenant.raw().cast_signed(),
                bulk.owner.raw().cast_signed(),
                bulk.key.map(|key| key.raw().cast_signed()),
                status,
                mode,
                succeeded,
                failed,
                bulk.created_at.0,
                started,
                finished,
                i64::try_from(bulk.operations.len()).unwrap_or(i64::MAX),
                codec::operations_to_bytes(&bulk.operations),
            ])?;
        }
        let mut put =
            connection.prepare_cached("INSERT INTO bulk_operations VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (bulk, operation, outcome) in &self.operations {
            let (transfer, status, denial) = match outcome {
                OperationOutcome::Made(id, status) => {
                    (Some(id.raw().cast_signed()), Some(status.code()), None)
                }
                OperationOutcome::Denied(denial) => (None, None, Some(denial.code())),
                OperationOutcome::ProfileNotFound => (None, None, None),
            };
            let bulk = bulk.raw().cast_signed();
            put.execute(params![bulk, operation, transfer, status, denial])?;
        }
        Ok(())
    }

    fn write_records(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put = connection
            .prepare_cached("REPLACE INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        let mut cut =
            connection.prepare_cached("DELETE FROM records WHERE kind = ?1 AND id = ?2")?;
        for ((kind, id), record) in &self.records {
            let (kind, id) = (kind.code(), id.cast_signed());
            let Some(record) = record else {
                cut.execute(params![kind, id])?;
                continue;
            };
            put.execute(params![
                kind,
                id,
                record.tenant.raw().cast_signed(),
                record.owner.map(|owner| owner.raw().cast_signed()),
                record.version.cast_signed(),
                record.unique,
                &*record.body,
                record.at.0,
            ])?;
        }
        Ok(())
    }
}
