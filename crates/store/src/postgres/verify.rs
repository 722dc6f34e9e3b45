//! `verify`: every tenant's commits against the tables.
//!
//! One transaction sees one moment, beside servers that go on. Every commit is replayed in the
//! order of its tenant's numbers; then every table is compared with the state that gives, row by
//! row, and the chain of every account's entries is added up again. Nothing is read as a whole:
//! commits and entries come in pages by their keys, other tables as a stream. What is kept is the
//! state and some hundred bytes for each transfer.

mod entries;
mod expected;
mod programme;
mod rules;
pub(super) mod snapshot;
mod tables;

use std::collections::BTreeMap;
use std::fmt;

use ledger::TenantId;

use super::connect::DatabaseUrl;
use super::copy::{FIND_MARKER, UNFINISHED};
use super::rows;
use crate::verify::{Replay, VerifyError, difference};
use snapshot::{Snapshot, Walk, differs};

/// What was verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Tenants.
    pub tenants: usize,
    /// Their commits.
    pub commits: u64,
    /// Accounts, system accounts included.
    pub accounts: usize,
    /// Transfers ever recorded.
    pub transfers: usize,
    /// Entries posted.
    pub entries: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "verified: {} tenants, {} commits, {} accounts, {} transfers, {} entries, sum 0; \
             commits, state, tables and chains agree",
            self.tenants, self.commits, self.accounts, self.transfers, self.entries
        )
    }
}

/// Verifies a database, beside the servers that use it. Changes nothing.
///
/// # Errors
/// [`VerifyError`] with the first difference found.
pub async fn verify(url: &DatabaseUrl) -> Result<Report, VerifyError> {
    let snapshot = Snapshot::open(url).await?;
    if !snapshot.rows(FIND_MARKER, &[]).await?.is_empty() {
        return Err(VerifyError::Unreadable(UNFINISHED.to_owned()));
    }
    verify_moment(&snapshot).await
}

/// Verifies one moment, of an unfinished copy too.
///
/// # Errors
/// As [`verify`].
pub(super) async fn verify_moment(snapshot: &Snapshot) -> Result<Report, VerifyError> {
    let mut replay = Replay::default();
    let newest = replay_all(snapshot, &mut replay).await?;
    replay.sums.compare_state(&replay.state)?;
    let report = Report {
        tenants: replay.state.tenants().count(),
        commits: replay.records,
        accounts: replay.state.accounts().count(),
        transfers: replay.sums.transfers.len(),
        entries: replay.sums.entries,
    };
    compare_heads(snapshot, &newest).await?;
    let chains = entries::compare(snapshot, &replay).await?;
    tables::compare(snapshot, &mut replay, &chains).await?;
    programme::compare(snapshot, &replay).await?;
    rules::compare(snapshot, &replay).await?;
    Ok(report)
}

/// Every tenant's commits in the order of their numbers.
const COMMITS: Walk = Walk {
    table: "commits",
    sql: "SELECT c.tenant, c.number, c.record FROM commits c \
          WHERE (c.tenant, c.number) > ($1, $2) ORDER BY c.tenant, c.number LIMIT $3",
    key: &[0, 1],
};

/// Replays all commits. Gives the number of each tenant's newest.
async fn replay_all(
    snapshot: &Snapshot,
    replay: &mut Replay,
) -> Result<BTreeMap<TenantId, u64>, VerifyError> {
    let mut newest: BTreeMap<TenantId, u64> = BTreeMap::new();
    snapshot
        .walk(&COMMITS, |row| {
            let tenant = TenantId::new(rows::raw(row, 0)?);
            let number = rows::raw(row, 1)?;
            let last = newest.entry(tenant).or_default();
            *last += 1;
            if number != *last {
                return differs(format!(
                    "tenant {tenant}: commit {last} is missing, the next is {number}"
                ));
            }
            let taken = replay.record(rows::get(row, 2)?);
            taken.or_else(|what| differs(format!("tenant {tenant}, commit {number}: {what}")))
        })
        .await?;
    Ok(newest)
}

const HEADS: &str = "SELECT h.tenant, h.number FROM heads h";

/// The head of each tenant is its newest commit.
async fn compare_heads(
    snapshot: &Snapshot,
    newest: &BTreeMap<TenantId, u64>,
) -> Result<(), VerifyError> {
    let mut heads = BTreeMap::new();
    snapshot
        .each("heads", HEADS, |row| {
            heads.insert(TenantId::new(rows::raw(row, 0)?), rows::raw(row, 1)?);
            Ok(())
        })
        .await?;
    for tenant in newest.keys().chain(heads.keys()) {
        let number = |of: &BTreeMap<TenantId, u64>| of.get(tenant).copied().unwrap_or(0);
        if number(newest) != number(&heads) {
            return Err(difference(format!(
                "tenant {tenant}: its newest commit is {}, its head says {}",
                number(newest),
                number(&heads)
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
