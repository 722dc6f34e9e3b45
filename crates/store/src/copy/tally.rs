//! What a ledger comes to, account by account: equal on both sides of a copy.

use std::collections::{BTreeMap, HashSet};

use ledger::{AccountId, Effect, RuleId, State};

use super::{CopyError, Report};
use crate::codec::{self, Change};
use crate::gather::entry_rows;
use crate::postgres::chain::{self, Chain};
use crate::records::RecordKind;

/// What an account comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AccountTally {
    pub currency: String,
    pub balance: i64,
    pub held: i64,
    pub entries: u64,
    /// The hash of its newest entry.
    pub chain: Chain,
}

/// See the module.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    pub accounts: BTreeMap<AccountId, AccountTally>,
    pub tenants: u64,
    pub commits: u64,
    pub transfers: u64,
    pub entries: u64,
    /// Rules ever made.
    pub rules: u64,
    /// Runs of rules ever recorded.
    pub executions: u64,
    pub remembered: u64,
    pub records: u64,
    pub keys: u64,
}

fn difference(what: String) -> CopyError {
    CopyError::Difference(what)
}

impl Tally {
    /// Compares what the source comes to with what the target does.
    ///
    /// # Errors
    /// [`CopyError::Difference`] with the first.
    pub(crate) fn compare(&self, target: &Tally) -> Result<Report, CopyError> {
        for (id, source) in &self.accounts {
            let Some(target) = target.accounts.get(id) else {
                return Err(difference(format!("account {id} is not in the target")));
            };
            for (what, source, target) in [
                ("balance", source.balance, target.balance),
                ("held", source.held, target.held),
                (
                    "entries",
                    source.entries.cast_signed(),
                    target.entries.cast_signed(),
                ),
            ] {
                if source != target {
                    return Err(difference(format!(
                        "account {id}: {what} {source} in the source, {target} in the target"
                    )));
                }
            }
            if source != target {
                let what = "its entries or its currency differ";
                return Err(difference(format!("account {id}: {what}")));
            }
        }
        let only = target.accounts.keys();
        if let Some(id) = only.into_iter().find(|id| !self.accounts.contains_key(id)) {
            return Err(difference(format!("account {id} is only in the target")));
        }
        for (what, source, target) in [
            ("tenants", self.tenants, target.tenants),
            ("commits", self.commits, target.commits),
            ("transfers", self.transfers, target.transfers),
            ("entries", self.entries, target.entries),
            ("rules", self.rules, target.rules),
            ("runs of rules", self.executions, target.executions),
            ("idempotency records", self.remembered, target.remembered),
            ("records", self.records, target.records),
            ("API keys", self.keys, target.keys),
        ] {
            if source != target {
                return Err(difference(format!(
                    "{source} {what} in the source, {target} in the target"
                )));
            }
        }
        self.check_sums()?;
        Ok(Report {
            tenants: self.tenants,
            commits: self.commits,
            accounts: self.accounts.len() as u64,
            transfers: self.transfers,
            entries: self.entries,
            rules: self.rules,
            executions: self.executions,
            remembered: self.remembered,
            records: self.records,
        })
    }

    /// All accounts of a currency add up to zero.
    fn check_sums(&self) -> Result<(), CopyError> {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for account in self.accounts.values() {
            *sums.entry(&account.currency).or_default() += i128::from(account.balance);
        }
        match sums.iter().find(|(_, sum)| **sum != 0) {
            Some((currency, sum)) => Err(difference(format!(
                "all accounts in {currency} add up to {sum}, not to 0"
            ))),
            None => Ok(()),
        }
    }
}

/// Adds records of the journal up, in another way than the tables of a database do it.
#[derive(Default)]
pub(crate) struct Adding {
    state: State,
    chains: BTreeMap<AccountId, Chain>,
    records: HashSet<(RecordKind, u64)>,
    rules: HashSet<RuleId>,
    tally: Tally,
    changes: Vec<Change>,
}

impl Adding {
    /// Adds the record of a commit.
    ///
    /// # Errors
    /// Why it does not fit what came before.
    pub(crate) fn add(&mut self, record: &[u8]) -> Result<(), String> {
        codec::decode_into(record, &mut self.changes).map_err(|error| error.to_string())?;
        let tally = &mut self.tally;
        tally.commits += 1;
        for change in self.changes.drain(..) {
            match change {
                Change::Ledger(effect) => {
                    let applied = self.state.apply(&effect);
                    applied.map_err(|error| error.to_string())?;
                    match effect {
                        Effect::TransferRecorded(_) => tally.transfers += 1,
                        Effect::Posted {
                            transfer,
                            at,
                            posting,
                        } => {
                            for (account, entry) in entry_rows(transfer, at, &posting) {
                                let chain = self.chains.entry(account).or_insert(chain::EMPTY);
                                *chain = chain::next(chain, account, &entry);
                                tally.entries += 1;
                            }
                        }
                        Effect::RuleSet(rule) => drop(self.rules.insert(rule.id)),
                        Effect::ExecutionRecorded(_) => tally.executions += 1,
                        _ => {}
                    }
                }
                Change::KeyCreated(_) => tally.keys += 1,
                Change::Remembered(_) => tally.remembered += 1,
                Change::RecordPut(record) => drop(self.records.insert((record.kind, record.id))),
                Change::RecordDeleted { kind, id } => drop(self.records.remove(&(kind, id))),
                Change::KeyRevoked { .. } | Change::Of(_) => {}
            }
        }
        Ok(())
    }

    /// What it all comes to.
    pub(crate) fn end(self) -> Tally {
        let accounts = self.state.accounts().map(|account| {
            let tally = AccountTally {
                currency: account.currency.code().to_owned(),
                balance: account.balance,
                held: account.held,
                entries: account.entries,
                chain: self
                    .chains
                    .get(&account.id)
                    .copied()
                    .unwrap_or(chain::EMPTY),
            };
            (account.id, tally)
        });
        Tally {
            accounts: accounts.collect(),
            tenants: self.state.tenants().count() as u64,
            records: self.records.len() as u64,
            rules: self.rules.len() as u64,
            ..self.tally
        }
    }
}
