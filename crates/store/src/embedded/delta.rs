//! What a run of commits changes in the views, gathered and written sorted.
//!
//! Rows that change several times within a run are written once; rows are written in the order of
//! their keys, so that each tree is walked from left to right.

mod rules;

use ledger::{AccountId, KeyId, OperationOutcome, ProfileId, State, TenantClock};
use rusqlite::{Connection, params};

use super::bind::Binder;
use super::commit_page::CommitPages;
use super::fill::{self, ListLine};
use super::owner_page::Line;
use super::remembered_page::RememberedRun;
use super::views::{self, Progress};
use crate::codec::{self, Change, work_parts};
use crate::codes::Code;
use crate::gather::{BulkLine, Gathered};

/// Changes not yet written.
#[derive(Default)]
pub(crate) struct Delta {
    gathered: Gathered,
    remembered: RememberedRun,
}

impl Delta {
    /// A rough number of rows to write.
    pub(crate) fn len(&self) -> usize {
        let gathered = &self.gathered;
        gathered.transfers.len()
            + gathered.entries.len() / 2
            + self.remembered.len() / 2
            + gathered.operations.len()
            + gathered.records.len()
            + gathered.rules.len()
    }

    /// Whether it gives an account another name.
    pub(crate) fn renames(&self) -> bool {
        self.gathered.renames
    }

    /// Applies a change to `state` and notes what it changes in the views.
    ///
    /// # Errors
    /// A description when the change does not fit the state.
    pub(crate) fn take(&mut self, state: &mut State, change: Change) -> Result<(), String> {
        if let Some(remembered) = self.gathered.change(state, change)? {
            self.remembered.push(&remembered)?;
        }
        Ok(())
    }

    /// Writes everything in one transaction, with the place it leads to. `state` is as after it.
    /// On an error nothing is written and the delta is as before.
    pub(crate) fn write(
        &mut self,
        connection: &mut Connection,
        state: &State,
        pages: &CommitPages,
        progress: &Progress,
    ) -> rusqlite::Result<()> {
        self.gathered
            .entries
            .sort_unstable_by_key(|(account, entry)| (*account, entry.sequence));
        let transaction = connection.transaction()?;
        self.write_tenants(&transaction)?;
        self.write_accounts(&transaction, state)?;
        self.write_balances(&transaction, state)?;
        self.write_transfers(&transaction)?;
        fill::owner_lists(&transaction, &self.list_lines(state))?;
        fill::entries(&transaction, &self.gathered.entries)?;
        fill::remembered(&transaction, &self.remembered)?;
        self.write_waiting(&transaction)?;
        self.write_keys(&transaction)?;
        self.write_programme(&transaction)?;
        rules::write(&transaction, &self.gathered.rules)?;
        self.write_records(&transaction)?;
        pages.write(&transaction)?;
        views::set_progress(&transaction, progress)?;
        transaction.commit()?;
        self.clear();
        Ok(())
    }

    /// Forgets everything, but keeps the room of what there is most of.
    fn clear(&mut self) {
        let mut transfers = std::mem::take(&mut self.gathered.transfers);
        let mut entries = std::mem::take(&mut self.gathered.entries);
        transfers.clear();
        entries.clear();
        self.gathered = Gathered {
            transfers,
            entries,
            ..Gathered::default()
        };
        self.remembered.clear();
    }

    fn write_tenants(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put =
            connection.prepare_cached("REPLACE INTO tenants VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for tenant in self.gathered.tenants.values() {
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
        for owner in self.gathered.owners.values() {
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
        for id in &self.gathered.accounts {
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
        for id in self.gathered.moved().difference(&self.gathered.accounts) {
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
             ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
        )?;
        for (t, _) in self.gathered.transfers.iter() {
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
            row.id_option(t.card.map(AccountId::raw))?;
            row.execute()?;
        }
        Ok(())
    }

    /// What changes in the lists of owners' transfers, sorted by owner and id.
    fn list_lines(&self, state: &State) -> Vec<ListLine> {
        let kind = |id| state.account(id).map(|account| account.kind);
        let mut lines: Vec<ListLine> = self
            .gathered
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
        for (hold, placed) in self.gathered.holds.values() {
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
        for (due, waiting) in self.gathered.due.sorted() {
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
        for key in self.gathered.keys.values() {
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
        for (key, at) in &self.gathered.revoked {
            revoke.execute(params![key.raw().cast_signed(), at.0])?;
        }
        Ok(())
    }

    fn write_programme(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put = connection
            .prepare_cached("REPLACE INTO profiles VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        for profile in self.gathered.profiles.values() {
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
        for BulkLine { bulk, seen } in self.gathered.bulks.values() {
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
        for (bulk, operation, outcome) in &self.gathered.operations {
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
        for ((kind, id), record) in &self.gathered.records {
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
