//! `verify`: replays the journal, adds everything up again in another way, and compares.
//!
//! Three sources must agree: the state that applying every effect gives (with all of the ledger's
//! own checks), sums made here from nothing but the entries, and the rows of the views at the
//! place they have reached. Beside a running server it reads one snapshot of the views and the
//! journal as far as that snapshot goes, then the rest of the journal.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use journal::{Folder, Journal, JournalError, Position, Reader, Storage};
use ledger::{AccountId, Effect, Posting, Side, State, Status, Transfer, TransferId};
use rusqlite::Connection;

use super::indexer::{IndexError, Indexer};
use super::{JOURNAL, codec, load, lock_folder, rows, views};

/// What was verified.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Batches in the journal.
    pub batches: u64,
    /// Commits in them.
    pub records: u64,
    /// Accounts, system accounts included.
    pub accounts: usize,
    /// Transfers ever recorded.
    pub transfers: usize,
    /// Entries posted.
    pub entries: u64,
    /// Batches that the views have seen and that were compared with them; `None` without views.
    pub views_batches: Option<u64>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "verified: {} batches, {} commits, {} accounts, {} transfers, {} entries, sum 0; ",
            self.batches, self.records, self.accounts, self.transfers, self.entries
        )?;
        match self.views_batches {
            Some(batches) => write!(f, "journal, state and views (to batch {batches}) agree"),
            None => write!(f, "journal and state agree (no views to compare)"),
        }
    }
}

/// Why a folder does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The journal cannot be read whole.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Two of the three sources differ; the first place where they do.
    #[error("difference: {0}")]
    Difference(String),
    /// The folder or the views could not be read.
    #[error("{0}")]
    Unreadable(String),
}

fn difference(what: impl Into<String>) -> VerifyError {
    VerifyError::Difference(what.into())
}

fn unreadable(error: impl std::fmt::Display) -> VerifyError {
    VerifyError::Unreadable(format!("the views cannot be read: {error}"))
}

/// Sums made from entries alone, and what became of each transfer.
#[derive(Default)]
struct Sums {
    accounts: HashMap<AccountId, (i128, u64)>,
    transfers: HashMap<TransferId, (Status, i64)>,
    entries: u64,
}

impl Sums {
    fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::AccountOpened(account) => {
                self.accounts.insert(account.id, (0, 0));
            }
            Effect::TransferRecorded(transfer) => {
                self.transfers
                    .insert(transfer.id, (transfer.status, transfer.amount.minor()));
            }
            Effect::TransferMoved { transfer, to, .. } => {
                if let Some((status, _)) = self.transfers.get_mut(transfer) {
                    *status = *to;
                }
            }
            Effect::Posted { posting, .. } => self.add_posting(posting),
            _ => {}
        }
    }

    fn add_posting(&mut self, posting: &Posting) {
        for entry in posting.entries() {
            let minor = i128::from(entry.amount.minor());
            let sum = self.accounts.entry(entry.account).or_default();
            sum.0 += if entry.side == Side::Credit {
                minor
            } else {
                -minor
            };
            sum.1 += 1;
            self.entries += 1;
        }
    }

    fn compare_state(&self, state: &State) -> Result<(), VerifyError> {
        for account in state.accounts() {
            let (balance, entries) = self.accounts.get(&account.id).copied().unwrap_or_default();
            if balance != i128::from(account.balance) {
                return Err(difference(format!(
                    "account {}: its entries add up to {balance}, the state has {}",
                    account.id, account.balance
                )));
            }
            if entries != account.entries {
                return Err(difference(format!(
                    "account {}: {entries} entries, the state has {}",
                    account.id, account.entries
                )));
            }
        }
        let mut totals: HashMap<&str, i128> = HashMap::new();
        for account in state.accounts() {
            *totals.entry(account.currency.code()).or_default() += i128::from(account.balance);
        }
        match totals.iter().find(|(_, total)| **total != 0) {
            Some((currency, total)) => Err(difference(format!(
                "all accounts in {currency} add up to {total}, not to 0"
            ))),
            None => Ok(()),
        }
    }
}

/// Verifies a data folder, offline or beside the server that has it open. Changes nothing.
///
/// # Errors
/// [`VerifyError`] with the first difference found.
pub fn verify(folder: &Path) -> Result<Report, VerifyError> {
    let journal = folder.join(JOURNAL);
    let storage = Folder::open_read_only(&journal).map_err(|error| {
        VerifyError::Unreadable(format!("{} cannot be read: {error}", journal.display()))
    })?;
    let storage: Arc<dyn Storage> = Arc::new(storage);
    // The views first: whatever they have seen is in the journal by then.
    let views = if folder.join(views::FILE).exists() {
        let connection = views::open_reader(folder).map_err(unreadable)?;
        connection.execute_batch("BEGIN").map_err(unreadable)?;
        let progress = views::progress(&connection).map_err(unreadable)?;
        Some((connection, progress))
    } else {
        None
    };
    let known = views.as_ref().map(|(_, progress)| progress.position);
    let (_, opened) = Journal::open(
        Arc::clone(&storage),
        journal::Options {
            check_bytes: u64::MAX,
            known,
            read_only: true,
            ..journal::Options::default()
        },
    )?;

    let mut reader = Reader::new(storage, Position::START);
    let mut replay = Replay::default();
    if let Some((connection, progress)) = &views {
        replay.through(&mut reader, progress.position.batch)?;
        replay.sums.compare_state(&replay.state)?;
        if reader.position() != progress.position {
            return Err(difference(
                "the views stand at a place that is not in the journal",
            ));
        }
        compare_views(connection, &replay)?;
    }
    replay.through(&mut reader, opened.end.batch)?;
    replay.sums.compare_state(&replay.state)?;
    Ok(Report {
        batches: opened.end.batch,
        records: replay.records,
        accounts: replay.state.accounts().count(),
        transfers: replay.sums.transfers.len(),
        entries: replay.sums.entries,
        views_batches: known.map(|position| position.batch),
    })
}

#[derive(Default)]
struct Replay {
    state: State,
    sums: Sums,
    records: u64,
}

impl Replay {
    fn through(&mut self, reader: &mut Reader, batch: u64) -> Result<(), VerifyError> {
        while let Some(batch) = reader.next(batch)? {
            let number = batch.number();
            let wrong = |what: String| difference(format!("batch {number}: {what}"));
            for bytes in batch.records() {
                let record = codec::decode(bytes).map_err(|error| wrong(error.to_string()))?;
                self.records += 1;
                for change in record.changes {
                    let codec::Change::Ledger(effect) = change else {
                        continue;
                    };
                    self.sums.add(&effect);
                    self.state
                        .apply(&effect)
                        .map_err(|error| wrong(error.to_string()))?;
                }
            }
        }
        Ok(())
    }
}

fn compare_views(connection: &Connection, replay: &Replay) -> Result<(), VerifyError> {
    let (memory, _) = load::load(connection).map_err(unreadable)?;
    let state = &replay.state;
    for account in state.accounts() {
        match memory.state.account(account.id) {
            None => {
                return Err(difference(format!(
                    "account {} is not in the views",
                    account.id
                )));
            }
            Some(seen) if seen.balance != account.balance => {
                return Err(difference(format!(
                    "account {}: balance {} in the journal, {} in the views",
                    account.id, account.balance, seen.balance
                )));
            }
            Some(seen) if seen != account => {
                return Err(difference(format!(
                    "account {} differs in the views",
                    account.id
                )));
            }
            Some(_) => {}
        }
    }
    if memory.state.accounts().count() != state.accounts().count() {
        return Err(difference(
            "the views have accounts that the journal has not",
        ));
    }
    for transfer in state.open_transfers() {
        if memory.state.open_transfer(transfer.id) != Some(transfer) {
            return Err(difference(format!(
                "open transfer {} differs in the views",
                transfer.id
            )));
        }
    }
    for tenant in state.tenants() {
        if memory.state.tenant(tenant.id) != Some(tenant) {
            return Err(difference(format!(
                "tenant {} differs in the views",
                tenant.id
            )));
        }
        if let Some(due) = state
            .due_of(tenant.id)
            .find(|due| !memory.state.is_due(due))
        {
            return Err(difference(format!("work is not in the views: {due:?}")));
        }
    }
    if memory.state.due_len() != state.due_len() {
        return Err(difference(format!(
            "{} pieces of work wait in the journal, {} in the views",
            state.due_len(),
            memory.state.due_len()
        )));
    }
    for hold in state.holds() {
        if memory.state.hold(hold.id) != Some(hold) {
            return Err(difference(format!("hold {} differs in the views", hold.id)));
        }
    }
    if memory.state.holds().count() != state.holds().count() {
        return Err(difference("the views have holds that the journal has not"));
    }
    compare_transfers(connection, &replay.sums)?;
    compare_entries(connection, &replay.sums)
}

fn compare_transfers(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = format!("SELECT {} FROM transfers t ORDER BY t.id", rows::TRANSFER);
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut found = 0;
    let transfers = statement
        .query_map([], rows::transfer)
        .map_err(unreadable)?;
    for transfer in transfers {
        let Transfer {
            id, status, amount, ..
        } = transfer.map_err(unreadable)?;
        match sums.transfers.get(&id) {
            None => return Err(difference(format!("transfer {id} is only in the views"))),
            Some((known, _)) if *known != status => {
                return Err(difference(format!(
                    "transfer {id}: {known:?} in the journal, {status:?} in the views"
                )));
            }
            Some((_, minor)) if *minor != amount.minor() => {
                return Err(difference(format!(
                    "transfer {id}: {minor} in the journal, {} in the views",
                    amount.minor()
                )));
            }
            Some(_) => found += 1,
        }
    }
    if found != sums.transfers.len() {
        let missing = sums.transfers.len() - found;
        return Err(difference(format!(
            "{missing} transfers are not in the views"
        )));
    }
    Ok(())
}

/// The views' own entries must add up to the same balances.
fn compare_entries(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = "SELECT account, side, amount, balance_after, sequence FROM entries \
               ORDER BY account, sequence";
    let mut statement = connection.prepare(sql).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    let mut added: HashMap<AccountId, (i128, u64)> = HashMap::new();
    while let Some(row) = rows.next().map_err(unreadable)? {
        let read = || -> rusqlite::Result<(i64, u8, i64, i64, i64)> {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        };
        let (account, side, amount, after, sequence) = read().map_err(unreadable)?;
        let account = AccountId::new(account.cast_unsigned());
        let sum = added.entry(account).or_default();
        sum.0 += if side == 2 {
            i128::from(amount)
        } else {
            -i128::from(amount)
        };
        sum.1 += 1;
        if sum.0 != i128::from(after) || sum.1 != sequence.cast_unsigned() {
            return Err(difference(format!(
                "account {account}: entry {sequence} of the views says {after} after it, \
                 its entries add up to {}",
                sum.0
            )));
        }
    }
    if let Some(account) = added
        .keys()
        .find(|account| !sums.accounts.contains_key(account))
    {
        return Err(difference(format!(
            "account {account}: its entries are only in the views"
        )));
    }
    for (account, expected) in &sums.accounts {
        let seen = added.get(account).copied().unwrap_or_default();
        if seen != *expected {
            return Err(difference(format!(
                "account {account}: {} entries adding up to {} in the journal, {} and {} in the views",
                expected.1, expected.0, seen.1, seen.0
            )));
        }
    }
    Ok(())
}

/// Deletes the views and fills them again from the journal. Returns the batches they have seen.
///
/// # Errors
/// [`VerifyError`] when a server has the folder open, or the journal cannot be read.
pub fn rebuild_views(folder: &Path) -> Result<u64, VerifyError> {
    let _lock = lock_folder(folder).map_err(|error| VerifyError::Unreadable(error.to_string()))?;
    let storage = Folder::open(&folder.join(JOURNAL))
        .map_err(|error| VerifyError::Unreadable(error.to_string()))?;
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let opened = open_for_rebuild(folder, &storage)?;
    views::remove(folder).map_err(unreadable)?;
    let connection = views::open(folder).map_err(unreadable)?;
    let progress = views::Progress::NOTHING;
    let reader = Reader::new(storage, progress.position);
    let mut indexer = Indexer::new(connection, reader, State::default(), progress);
    indexer
        .catch_up(opened.end.batch, |_, _| {})
        .map_err(|error| match error {
            IndexError::Journal(error) => VerifyError::Journal(error),
            other => VerifyError::Unreadable(other.to_string()),
        })?;
    Ok(opened.end.batch)
}

/// Opens the journal for a rebuild. A tail that would be cut as torn although the old views have
/// seen what it held is damage: then nothing is cut.
fn open_for_rebuild(
    folder: &Path,
    storage: &Arc<dyn Storage>,
) -> Result<journal::Opened, VerifyError> {
    let seen = views::open_reader(folder).and_then(|views| views::progress(&views));
    let known = seen.ok().map(|progress| progress.position);
    let options = |known, read_only| journal::Options {
        known,
        read_only,
        ..journal::Options::default()
    };
    let (_, found) = Journal::open(Arc::clone(storage), options(None, true))?;
    let lost = known.filter(|known| found.cut.is_some() && known.batch > found.end.batch);
    Ok(Journal::open(Arc::clone(storage), options(lost, false))?.1)
}
