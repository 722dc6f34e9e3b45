//! What a run of commits changes: every object once, as it is at last. Engines write their rows from
//! it.

mod due;
mod rules;
mod transfers;

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    Account, AccountId, Bulk, BulkId, Effect, Hold, HoldId, KeyId, Millis, OperationOutcome, Owner,
    OwnerId, Posting, Profile, ProfileId, State, Tenant, TenantId, TransferId,
};

use crate::codec::Change;
use crate::query::EntryRow;
use crate::records::{KeyRecord, Record, RecordKind, Remembered};
pub(crate) use due::DueRows;
pub(crate) use rules::{CapPlace, RuleLines};
pub(crate) use transfers::Transfers;

/// A bulk as it is after what was noted so far.
pub(crate) struct BulkLine {
    pub bulk: Bulk,
    /// Whether it was there before the run, with its operations.
    pub seen: bool,
}

/// The entries of a posting, each with its account.
pub(crate) fn entry_rows(
    transfer: TransferId,
    at: Millis,
    posting: &Posting,
) -> impl Iterator<Item = (AccountId, EntryRow)> {
    posting.entries().iter().map(move |entry| {
        let row = EntryRow {
            sequence: entry.sequence,
            transfer,
            side: entry.side,
            amount_minor: entry.amount.minor(),
            balance_after: entry.balance_after,
            at,
        };
        (entry.account, row)
    })
}

/// See the module.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Tenants that were made or whose clock was set.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// Owners that were made.
    pub owners: BTreeMap<OwnerId, Owner>,
    /// Accounts that were opened or of which more than the balance changed.
    pub accounts: BTreeSet<AccountId>,
    /// Whether one of them may be called something else.
    pub renames: bool,
    /// Accounts whose holds changed; those with entries are not named here.
    pub balances: BTreeSet<AccountId>,
    pub transfers: Transfers,
    pub entries: Vec<(AccountId, EntryRow)>,
    /// Holds, each with whether it lasts.
    pub holds: BTreeMap<HoldId, (Hold, bool)>,
    pub due: DueRows,
    pub profiles: BTreeMap<ProfileId, Profile>,
    pub bulks: BTreeMap<BulkId, BulkLine>,
    pub operations: Vec<(BulkId, u32, OperationOutcome)>,
    pub rules: RuleLines,
    pub keys: BTreeMap<KeyId, KeyRecord>,
    pub revoked: Vec<(KeyId, Millis)>,
    /// Records as they are at last, `None` when deleted.
    pub records: BTreeMap<(RecordKind, u64), Option<Record>>,
}

impl Gathered {
    /// Accounts of which the balance or what is held has changed.
    pub(crate) fn moved(&self) -> BTreeSet<AccountId> {
        // Entries of one account often follow each other.
        let runs = self.entries.chunk_by(|one, next| one.0 == next.0);
        let posted = runs.filter_map(|run| run.first().map(|(id, _)| *id));
        posted.chain(self.balances.iter().copied()).collect()
    }

    /// Applies a change to `state` and notes what it changes. What was remembered is handed back:
    /// engines keep it each in their own way.
    ///
    /// # Errors
    /// A description when the change does not fit the state.
    pub(crate) fn change(
        &mut self,
        state: &mut State,
        change: Change,
    ) -> Result<Option<Remembered>, String> {
        match change {
            Change::Ledger(effect) => self.effect(state, &effect)?,
            Change::KeyCreated(key) => {
                state.observe_id(key.id.raw());
                self.keys.insert(key.id, key);
            }
            Change::KeyRevoked { key, at } => self.revoked.push((key, at)),
            Change::Remembered(remembered) => return Ok(Some(remembered)),
            Change::RecordPut(record) => {
                state.observe_id(record.id);
                self.records.insert((record.kind, record.id), Some(record));
            }
            Change::RecordDeleted { kind, id } => {
                self.records.insert((kind, id), None);
            }
            Change::Of(_) => {}
        }
        Ok(None)
    }

    /// Applies an effect to `state` and notes what it changes.
    ///
    /// # Errors
    /// A description when the effect does not fit the state.
    pub(crate) fn effect(&mut self, state: &mut State, effect: &Effect) -> Result<(), String> {
        // What these end is gone from the state afterwards; the others are not copied.
        let ends = matches!(
            effect,
            Effect::ClockSet { .. }
                | Effect::TransferMoved { .. }
                | Effect::HoldReleased(_)
                | Effect::BulkMoved { .. }
                | Effect::BulkStepped { .. }
        ) || rules::ends(effect);
        if ends {
            self.note(state, effect)?;
        }
        state.apply(effect).map_err(|error| error.to_string())?;
        if !ends {
            self.note(state, effect)?;
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
            } => {
                let rows = entry_rows(*transfer, *at, posting);
                self.entries.extend(rows);
            }
            Effect::HoldPlaced(hold) => {
                self.balances.insert(hold.account);
                self.holds.insert(hold.id, (*hold, true));
            }
            Effect::HoldReleased(id) => {
                let hold = *state.hold(*id).ok_or("an unknown hold is released")?;
                self.balances.insert(hold.account);
                self.holds.insert(*id, (hold, false));
            }
            Effect::RuleSet(_)
            | Effect::RuleDeleted { .. }
            | Effect::CapCounted { .. }
            | Effect::ExecutionRecorded(_)
            | Effect::ExecutionMoved { .. } => self.rules.note(state, effect)?,
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
}
