//! Whether a server still has what it acknowledged, each transfer once.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use ledger::{AccountId, Side};
use store::{Embedded, Options, Store};

use super::scripts::AMOUNT;
use super::world::{FUNDS, World, integer_at};
use crate::client::JsonClient;
use crate::report::Checks;

/// Entries that are read at a time.
const ENTRIES: usize = 1_000;

/// Adds up the balances of accounts.
///
/// # Errors
/// When the server cannot be asked.
pub async fn balances(user: &mut JsonClient, accounts: &[String]) -> Result<i128> {
    let mut sum = 0;
    for account in accounts {
        let path = format!("/multi/managed_accounts/{account}");
        let account = user.get(&path).await?;
        sum += i128::from(integer_at(&account, "/balances/availableBalance")?);
    }
    Ok(sum)
}

/// How many of the identity's transfers match a query string.
///
/// # Errors
/// When the server cannot be asked.
pub async fn count(user: &mut JsonClient, query: &str) -> Result<u64> {
    let page = user.get(&format!("/multi/transfers?{query}")).await?;
    Ok(u64::try_from(integer_at(&page, "/count")?)?)
}

/// How many of the identity's transfers are completed; that must be all of them.
///
/// # Errors
/// When the server cannot be asked, or some are not completed.
pub async fn completed(user: &mut JsonClient) -> Result<u64> {
    let all = count(user, "limit=1").await?;
    let completed = count(user, "limit=1&state=COMPLETED").await?;
    ensure!(all == completed, "{completed} of {all} are completed");
    Ok(completed)
}

/// Checks that the API counts what was acknowledged, all of it completed.
///
/// # Errors
/// When the server cannot be asked.
pub async fn counts(user: &mut JsonClient, acknowledged: usize, checks: &mut Checks) -> Result<()> {
    let all = count(user, "limit=1").await?;
    let completed = count(user, "limit=1&state=COMPLETED").await?;
    checks.note(
        "the API counts every transfer as completed",
        all == acknowledged as u64 && completed == all,
        format!("{acknowledged} acknowledged, {all} counted, {completed} completed"),
    );
    Ok(())
}

/// Reads every entry of every account of a server that has ended: each acknowledged transfer took
/// its amount from one account and put it into another, once.
///
/// # Errors
/// When the folder cannot be read.
pub async fn entries(
    data: &Path,
    world: &World,
    acknowledged: &[u64],
    checks: &mut Checks,
) -> Result<()> {
    let store = Embedded::open(&Options::new(data))?;
    let mut found = Found::default();
    for account in &world.accounts {
        let id = account.parse().with_context(|| format!("id {account}"))?;
        found.read(&store, AccountId::new(id)).await?;
    }
    store.shut_down().await?;
    let Found {
        debits,
        credits,
        deposits,
        odd,
    } = found;
    let (name, other) = (
        "every acknowledged transfer was debited once, and no other",
        "every acknowledged transfer was credited once, and no other",
    );
    crate::audit::note_difference(name, acknowledged, &debits, checks);
    crate::audit::note_difference(other, acknowledged, &credits, checks);
    checks.note(
        "every entry is of the amount that was sent",
        odd == 0,
        format!("{odd} are not, besides {deposits} deposits"),
    );
    Ok(())
}

/// What the entries of accounts tell.
#[derive(Default)]
struct Found {
    /// The transfers of debits.
    debits: Vec<u64>,
    /// The transfers of credits, deposits left out.
    credits: Vec<u64>,
    /// Credits that come from outside.
    deposits: u64,
    /// Entries of another amount.
    odd: u64,
}

impl Found {
    async fn read(&mut self, store: &Embedded, account: AccountId) -> Result<()> {
        let mut before = None;
        loop {
            let rows = store.entries(account, before, ENTRIES).await?;
            for row in &rows {
                let transfer = row.transfer.raw();
                // The first entry of a funded account is its deposit.
                if row.sequence == 1 && row.side == Side::Credit && row.amount_minor == FUNDS {
                    self.deposits += 1;
                    continue;
                }
                self.odd += u64::from(row.amount_minor != AMOUNT);
                match row.side {
                    Side::Debit => self.debits.push(transfer),
                    Side::Credit => self.credits.push(transfer),
                }
            }
            let Some(last) = rows.last() else {
                return Ok(());
            };
            ensure!(
                before.is_none_or(|before| last.sequence < before),
                "entries are not in order"
            );
            before = Some(last.sequence);
        }
    }
}
