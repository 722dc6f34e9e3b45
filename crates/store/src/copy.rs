//! A whole ledger from one engine to the other, with no server running.
//!
//! What is carried over are the commits: the journal's records are the same in both engines but for
//! the numbers of idempotency records. The target's tables or views are made from them with its own
//! code, then both sides are verified and compared. Until that is done the target cannot be mistaken
//! for a ledger: a data folder is made under another name, a database has a mark that servers and
//! `verify` refuse.

mod tally;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use journal::JournalError;

use crate::clock::Clock;
use crate::embedded::copy as folder;
use crate::embedded::{OpenError, VerifyError};
use crate::postgres::copy as database;
use crate::postgres::failure::Failure;
use crate::postgres::{ConnectError, DatabaseUrl, MigrateError};
pub(crate) use tally::{AccountTally, Adding, Tally};

/// Where a ledger is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a data folder.
    Folder(PathBuf),
    /// In a database.
    Database(Box<DatabaseUrl>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Folder(folder) => folder.display().fmt(f),
            Place::Database(url) => url.fmt(f),
        }
    }
}

/// A copy to make.
#[derive(Clone)]
pub struct Plan {
    /// Where the ledger is. Nothing is changed there.
    pub from: Place,
    /// Where it shall be: an empty database with the tables, or a folder that is empty or missing.
    pub to: Place,
    /// What all servers over a target database must agree on, by name.
    pub facts: Vec<(String, Vec<u8>)>,
    /// Files that a target folder shall have besides, by name; only their owner may read them.
    pub files: Vec<(String, Vec<u8>)>,
    /// The machine's clock: it tells whether servers of a database are alive.
    pub clock: Arc<dyn Clock>,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A side is not as it must be. Says what to do.
    #[error("{0}")]
    Refused(String),
    /// The source or the target folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The tables of a database cannot be used.
    #[error(transparent)]
    Tables(#[from] MigrateError),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database failed.
    #[error("the database: {0}")]
    Database(String),
    /// A journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A side does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A commit of the source does not fit the ones before it.
    #[error("a commit of the source does not fit what came before: {0}; run `tidegate verify`")]
    Inconsistent(String),
    /// The two sides are not the same; the first difference.
    #[error("difference: {0}")]
    Difference(String),
    /// A file of the target cannot be written.
    #[error("{path} cannot be written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl From<Failure> for CopyError {
    fn from(failure: Failure) -> CopyError {
        CopyError::Database(failure.to_string())
    }
}

/// What was copied: equal on both sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Tenants.
    pub tenants: u64,
    /// Commits of all tenants.
    pub commits: u64,
    /// Accounts, system accounts included.
    pub accounts: u64,
    /// Transfers ever recorded.
    pub transfers: u64,
    /// Entries posted.
    pub entries: u64,
    /// Rules ever made.
    pub rules: u64,
    /// Runs of rules ever recorded.
    pub executions: u64,
    /// Idempotency records.
    pub remembered: u64,
    /// Records that are there.
    pub records: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "copied: {} tenants, {} commits, {} accounts, {} transfers, {} entries, {} rules, \
             {} runs of rules, {} idempotency records, {} records, sum 0; both sides agree",
            self.tenants,
            self.commits,
            self.accounts,
            self.transfers,
            self.entries,
            self.rules,
            self.executions,
            self.remembered,
            self.records
        )
    }
}

/// What a copy has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// So many commits are written.
    Written(u64),
    /// All are written; both sides are read again and compared.
    Verifying,
}

/// Makes a copy, and tells how far it is. Works for its caller alone: it reads and writes files in
/// between without giving others a turn.
///
/// # Errors
/// [`CopyError`]. The source is as it was. The target was not touched when it was refused; otherwise
/// what is there of it is no ledger, and must be removed before the next try.
pub async fn copy(plan: &Plan, mut told: impl FnMut(Progress)) -> Result<Report, CopyError> {
    match (&plan.from, &plan.to) {
        (Place::Folder(from), Place::Database(to)) => {
            let source = folder::Source::open(from)?;
            let target = database::Target::begin(to, &plan.facts, plan.clock.now()).await?;
            into_database(&source, target, &mut told).await
        }
        (Place::Database(from), Place::Folder(to)) => {
            let source = database::Source::open(from, plan.clock.now()).await?;
            let target = folder::Target::begin(to)?;
            into_folder(source, target, plan, &mut told).await
        }
        _ => Err(CopyError::Refused(
            "a ledger is copied from a data folder into a database, or back".to_owned(),
        )),
    }
}

async fn into_database(
    source: &folder::Source,
    mut target: database::Target,
    told: &mut impl FnMut(Progress),
) -> Result<Report, CopyError> {
    let mut commits: u64 = 0;
    let mut reader = source.reader();
    while let Some(batch) = reader.next(source.last_batch())? {
        for record in batch.records() {
            commits += 1;
            if target.take(record)? {
                target.write().await?;
                told(Progress::Written(commits));
            }
        }
    }
    told(Progress::Verifying);
    let there = target.verify().await?;
    let here = source.verify()?;
    let report = here.compare(&there)?;
    target.finish().await?;
    Ok(report)
}

async fn into_folder(
    mut source: database::Source,
    mut target: folder::Target,
    plan: &Plan,
    told: &mut impl FnMut(Progress),
) -> Result<Report, CopyError> {
    let mut written: u64 = 0;
    let mut commits = source.commits();
    while let Some(record) = commits.next().await? {
        written += 1;
        if target.take(&record)? {
            told(Progress::Written(written));
        }
    }
    told(Progress::Verifying);
    let target = target.complete()?;
    let there = target.verify()?;
    let here = source.verify().await?;
    let report = here.compare(&there)?;
    source.check_still(plan.clock.now()).await?;
    target.finish(&plan.files)?;
    Ok(report)
}

#[cfg(test)]
mod tests;
