//! What was committed, added up in another way than the state does it.
//!
//! From each record only what is needed to compare is kept: sums and a digest an account, the
//! facts that can change and a digest of the others a transfer. Some 100 bytes a transfer.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use ledger::{
    AccountId, Effect, ErrorCode, KeyId, Millis, Posting, Side, State, Status, Transfer, TransferId,
};

use super::programme::Programme;
use super::rules::Rules;
use super::{VerifyError, difference};
use crate::codec::{self, Change};
use crate::codes::Code;
use crate::records::{KeyRecord, Record, RecordKind};

/// An account's entries, added up.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct AccountSums {
    pub balance: i128,
    pub entries: u64,
    /// Of the transfers and times of all entries, in their order.
    digest: u64,
}

impl AccountSums {
    pub(crate) fn add(&mut self, side: Side, minor: i64, transfer: TransferId, at: Millis) {
        let minor = i128::from(minor);
        self.balance += if side == Side::Credit { minor } else { -minor };
        self.entries += 1;
        self.digest = digest(&(self.digest, transfer, at));
    }
}

/// What is known of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TransferFacts {
    pub status: Status,
    pub minor: i64,
    error: Option<ErrorCode>,
    updated_at: Millis,
    completed_at: Option<Millis>,
    fee_minor: i64,
    /// Of the reason of its cancellation.
    cancelled: u64,
    /// Of everything that never changes.
    fixed: u64,
}

impl TransferFacts {
    pub(crate) fn of(t: &Transfer) -> TransferFacts {
        let codes = (t.direction.code(), t.origin.code(), t.rail.map(Code::code));
        let ends = (t.tenant, t.owner, t.source, t.destination);
        let rest = (t.rail_delay_ms, t.rule, t.key, &t.description, t.created_at);
        let programme = (t.profile, &t.tag, t.scheduled_at, t.card);
        TransferFacts {
            status: t.status,
            minor: t.amount.minor(),
            error: t.error,
            updated_at: t.updated_at,
            completed_at: t.completed_at,
            fee_minor: t.fee_minor,
            cancelled: digest(&t.cancel_reason),
            fixed: digest(&(t.amount, codes, ends, rest, programme)),
        }
    }
}

pub(crate) fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A digest of an idempotency record, its reply as bytes.
pub(crate) fn remembered_digest(
    key: &[u8],
    body: &[u8],
    at: Millis,
    request_id: &str,
    reply: &[u8],
) -> u64 {
    digest(&(key, body, at, request_id, reply))
}

/// A digest of a record.
pub(crate) fn record_digest(record: &Record) -> u64 {
    let place = (record.kind, record.id, record.tenant, record.owner);
    digest(&(
        place,
        record.version,
        record.unique,
        &record.body,
        record.at,
    ))
}

/// Everything that was committed up to a place.
#[derive(Default)]
pub(crate) struct Sums {
    pub accounts: HashMap<AccountId, AccountSums>,
    pub transfers: HashMap<TransferId, TransferFacts>,
    pub keys: BTreeMap<KeyId, KeyRecord>,
    pub remembered: HashMap<u64, u64>,
    pub records: HashMap<(RecordKind, u64), u64>,
    pub entries: u64,
    pub programme: Programme,
    pub rules: Rules,
}

impl Sums {
    pub(crate) fn add(&mut self, change: &Change) {
        match change {
            Change::Ledger(effect) => self.add_effect(effect),
            Change::KeyCreated(key) => {
                self.keys.insert(key.id, key.clone());
            }
            Change::KeyRevoked { key, at } => {
                if let Some(key) = self.keys.get_mut(key) {
                    key.revoked_at = Some(*at);
                }
            }
            Change::Remembered(remembered) => {
                let reply = codec::reply_to_bytes(&remembered.reply, remembered.at);
                let (key, body) = (&remembered.key, &remembered.body);
                let request_id = &remembered.request_id;
                let digest = remembered_digest(key, body, remembered.at, request_id, &reply);
                self.remembered.insert(remembered.number, digest);
            }
            Change::RecordPut(record) => {
                let key = (record.kind, record.id);
                self.records.insert(key, record_digest(record));
            }
            Change::RecordDeleted { kind, id } => {
                self.records.remove(&(*kind, *id));
            }
            Change::Of(_) => {}
        }
    }

    fn add_effect(&mut self, effect: &Effect) {
        match effect {
            Effect::AccountOpened(account) => {
                self.accounts.insert(account.id, AccountSums::default());
            }
            Effect::TransferRecorded(transfer) => {
                let facts = TransferFacts::of(transfer);
                self.transfers.insert(transfer.id, facts);
            }
            Effect::TransferMoved {
                transfer,
                to,
                error,
                fee_minor,
                cancel_reason,
                at,
                ..
            } => {
                if let Some(facts) = self.transfers.get_mut(transfer) {
                    facts.status = *to;
                    facts.error = *error;
                    facts.updated_at = *at;
                    facts.completed_at = (*to == Status::Complete).then_some(*at);
                    // Taken or said once: what is settled or called off does not move again.
                    if *fee_minor != 0 {
                        facts.fee_minor = *fee_minor;
                    }
                    if cancel_reason.is_some() {
                        facts.cancelled = digest(cancel_reason);
                    }
                }
            }
            Effect::Posted {
                transfer,
                at,
                posting,
            } => self.add_posting(*transfer, *at, posting),
            _ => {
                self.programme.add(effect);
                self.rules.add(effect);
            }
        }
    }

    fn add_posting(&mut self, transfer: TransferId, at: Millis, posting: &Posting) {
        for entry in posting.entries() {
            let sum = self.accounts.entry(entry.account).or_default();
            sum.add(entry.side, entry.amount.minor(), transfer, at);
            self.entries += 1;
        }
    }

    /// Each balance of the state is the sum of its entries, and all of them add up to zero.
    pub(crate) fn compare_state(&self, state: &State) -> Result<(), VerifyError> {
        let mut totals: HashMap<&str, i128> = HashMap::new();
        for account in state.accounts() {
            let sum = self.accounts.get(&account.id).copied().unwrap_or_default();
            if sum.balance != i128::from(account.balance) {
                return Err(difference(format!(
                    "account {}: its entries add up to {}, the state has {}",
                    account.id, sum.balance, account.balance
                )));
            }
            if sum.entries != account.entries {
                return Err(difference(format!(
                    "account {}: {} entries, the state has {}",
                    account.id, sum.entries, account.entries
                )));
            }
            *totals.entry(account.currency.code()).or_default() += sum.balance;
        }
        self.programme.compare_state(state)?;
        self.rules.compare_state(state)?;
        match totals.iter().find(|(_, total)| **total != 0) {
            Some((currency, total)) => Err(difference(format!(
                "all accounts in {currency} add up to {total}, not to 0"
            ))),
            None => Ok(()),
        }
    }
}
