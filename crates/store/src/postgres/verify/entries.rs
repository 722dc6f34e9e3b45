//! Entries: every account's, added up from its first one, against what was committed.

use std::collections::HashMap;

use ledger::AccountId;

use super::snapshot::{Snapshot, Walk, Wrong, differs};
use crate::postgres::chain::{self, Chain};
use crate::postgres::rows::{self, StoredEntry};
use crate::postgres::sql::sql;
use crate::verify::{AccountSums, Replay, VerifyError, difference};

/// Every account's entries in their order.
const ENTRIES: Walk = Walk {
    table: "entries",
    sql: sql!(
        "SELECT ",
        rows::STORED_ENTRY,
        " FROM entries e WHERE (e.owner, e.account, e.sequence) > ($1, $2, $3) \
         ORDER BY e.owner, e.account, e.sequence LIMIT $4"
    ),
    key: &[6, 7, 0],
};

/// What an account's entries come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Added {
    sums: AccountSums,
    /// The latest time.
    pub until: i64,
    /// The end of the chain.
    pub chain: Chain,
}

impl Default for Added {
    fn default() -> Added {
        Added {
            sums: AccountSums::default(),
            until: i64::MIN,
            chain: chain::EMPTY,
        }
    }
}

impl Added {
    fn add(&mut self, row: &StoredEntry) -> Result<(), Wrong> {
        let (account, entry) = (row.account, &row.entry);
        let number = entry.sequence;
        self.sums
            .add(entry.side, entry.amount_minor, entry.transfer, entry.at);
        if self.sums.entries != number {
            return differs(format!(
                "account {account}: entry {} is missing, the next is {number}",
                self.sums.entries
            ));
        }
        if self.sums.balance != i128::from(entry.balance_after) {
            return differs(format!(
                "account {account}: entry {number} says {} after it, its entries add up to {}",
                entry.balance_after, self.sums.balance
            ));
        }
        self.until = self.until.max(entry.at.0);
        if self.until != row.until.0 {
            return differs(format!(
                "account {account}: the time that entry {number} counts as differs"
            ));
        }
        self.chain = chain::next(&self.chain, account, entry);
        if self.chain != row.chain {
            return differs(format!(
                "account {account}: the chain is broken at entry {number}"
            ));
        }
        Ok(())
    }
}

/// Compares all entries. Gives what those of each account come to.
pub(super) async fn compare(
    snapshot: &Snapshot,
    replay: &Replay,
) -> Result<HashMap<AccountId, Added>, VerifyError> {
    let mut added: HashMap<AccountId, Added> = HashMap::new();
    snapshot
        .walk(&ENTRIES, |row| {
            let row = rows::stored_entry(row)?;
            let account = row.account;
            let Some(known) = replay.state.account(account) else {
                let what = format!("account {account}: its entries are only in the tables");
                return differs(what);
            };
            if known.owner != row.owner {
                return differs(format!(
                    "account {account}: entry {} is another owner's",
                    row.entry.sequence
                ));
            }
            added.entry(account).or_default().add(&row)
        })
        .await?;
    for (account, expected) in &replay.sums.accounts {
        let seen = added.get(account).copied().unwrap_or_default().sums;
        if (seen.balance, seen.entries) != (expected.balance, expected.entries) {
            return Err(difference(format!(
                "account {account}: {} entries adding up to {} in the commits, \
                 {} and {} in the tables",
                expected.entries, expected.balance, seen.entries, seen.balance
            )));
        }
        if seen != *expected {
            let what = format!("account {account}: its entries differ in the tables");
            return Err(difference(what));
        }
    }
    Ok(added)
}
