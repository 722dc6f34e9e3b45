//! A whole ledger into a database, and out of one, with no server over it.
//!
//! A database that is being filled has a mark among its facts, from before the first row until all
//! of it was verified. Servers and `verify` refuse such a database. Whoever copies makes the mark
//! and then looks for servers; a server takes its number and then looks for the mark: so at least
//! one of two that come at the same time finds the other.

mod filler;
mod kept;
mod source;
mod target;

use std::time::Duration;

use ledger::Millis;

use super::connect::DatabaseUrl;
use super::failure::Failure;
use super::migrate::Migrator;
use super::rows;
use super::session::{Call, Limits, Session};
use super::verify::snapshot::{Snapshot, Wrong};
use crate::copy::{AccountTally, CopyError, Tally};
pub(crate) use source::Source;
pub(crate) use target::Target;

/// What servers and `verify` say of a database that has the mark.
pub(crate) const UNFINISHED: &str = "the database has a part of a ledger that is being copied \
     into it, or whose copy was interrupted; if no copy is running, drop the database and copy again";
pub(crate) const FIND_MARKER: &str = "SELECT name FROM facts WHERE name = 'copy_in_progress'";
/// Who has a lease that has not ended.
const LIVE: &str = "SELECT f.name FROM nodes f WHERE f.lease_until_ms > $1 ORDER BY f.node";

/// Statements read and write whole tables.
const LIMITS: Limits = Limits {
    statement: Duration::from_secs(3_600),
    lock: Duration::from_secs(5),
};

/// Whether the database is being filled, or was not filled to its end.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn is_unfinished(session: &mut Session) -> Result<bool, Failure> {
    Ok(!session.call(Call::new(FIND_MARKER)).await?.is_empty())
}

/// Checks the tables, and connects.
async fn open(url: &DatabaseUrl) -> Result<Session, CopyError> {
    let plan = Migrator::new(url.clone()).check().await?;
    if !plan.missing.is_empty() {
        return Err(CopyError::Refused(format!(
            "{url} lacks {} of this program's {} steps of tables; run `tidegate migrate`",
            plan.missing.len(),
            plan.known
        )));
    }
    Ok(Session::open(url, &LIMITS).await?)
}

/// No server may be there.
async fn check_servers(
    session: &mut Session,
    url: &DatabaseUrl,
    now: Millis,
) -> Result<(), CopyError> {
    let rows = session.call(Call::new(LIVE).with(now.0)).await?;
    let names: Result<Vec<String>, _> = rows.iter().map(|row| rows::get(row, 0)).collect();
    let names = names.map_err(Failure::from)?;
    if names.is_empty() {
        return Ok(());
    }
    Err(CopyError::Refused(format!(
        "{url} is in use by {}; stop every server first (one that died is forgotten when its lease \
         ends, after some seconds)",
        names.join("; ")
    )))
}

const ACCOUNTS: &str =
    "SELECT a.id, a.currency, a.balance, a.held, a.entries, a.chain FROM accounts a";
const COUNT_COMMITS: &str = "SELECT count(*) FROM commits";
const COUNT_TRANSFERS: &str = "SELECT count(*) FROM transfers";
const COUNT_ENTRIES: &str = "SELECT count(*) FROM entries";
const COUNT_RULES: &str = "SELECT count(*) FROM rules";
const COUNT_EXECUTIONS: &str = "SELECT count(*) FROM executions";
const COUNT_REMEMBERED: &str = "SELECT count(*) FROM remembered";
const COUNT_RECORDS: &str = "SELECT count(*) FROM records";
const COUNT_KEYS: &str = "SELECT count(*) FROM api_keys";
const COUNT_TENANTS: &str = "SELECT count(*) FROM tenants";

/// What the tables come to.
async fn tally(snapshot: &Snapshot) -> Result<Tally, CopyError> {
    let mut tally = Tally {
        commits: count(snapshot, COUNT_COMMITS).await?,
        tenants: count(snapshot, COUNT_TENANTS).await?,
        transfers: count(snapshot, COUNT_TRANSFERS).await?,
        entries: count(snapshot, COUNT_ENTRIES).await?,
        rules: count(snapshot, COUNT_RULES).await?,
        executions: count(snapshot, COUNT_EXECUTIONS).await?,
        remembered: count(snapshot, COUNT_REMEMBERED).await?,
        records: count(snapshot, COUNT_RECORDS).await?,
        keys: count(snapshot, COUNT_KEYS).await?,
        ..Tally::default()
    };
    snapshot
        .each("accounts", ACCOUNTS, |row| {
            let account = AccountTally {
                currency: rows::get(row, 1)?,
                balance: rows::get(row, 2)?,
                held: rows::get(row, 3)?,
                entries: rows::raw(row, 4)?,
                chain: rows::array(row, 5)?,
            };
            let id = ledger::AccountId::new(rows::raw(row, 0)?);
            tally.accounts.insert(id, account);
            Ok::<(), Wrong>(())
        })
        .await?;
    Ok(tally)
}

async fn count(snapshot: &Snapshot, sql: &'static str) -> Result<u64, CopyError> {
    let rows = snapshot.rows(sql, &[]).await?;
    let count = rows.first().map_or(Ok(0), |row| rows::raw(row, 0));
    Ok(count.map_err(Failure::from)?)
}
