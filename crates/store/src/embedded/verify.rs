//! `verify`: the journal against the rows of the views at the place they have reached.
//!
//! Beside a running server it reads one snapshot of the views and the
//! journal as far as that snapshot goes, then the rest of the journal.

mod pages;
mod programme;
mod rules;
mod views_agree;

use std::path::Path;
use std::sync::Arc;

use journal::{Folder, Journal, Position, Reader, Storage};
use ledger::State;

use super::indexer::{IndexError, Indexer};
use super::{JOURNAL, lock_folder, views};
pub use crate::verify::VerifyError;
use crate::verify::{Replay, difference};

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

fn unreadable(error: impl std::fmt::Display) -> VerifyError {
    VerifyError::Unreadable(format!("the views cannot be read: {error}"))
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
        replay_through(&mut replay, &mut reader, progress.position.batch)?;
        replay.sums.compare_state(&replay.state)?;
        if reader.position() != progress.position {
            return Err(difference(
                "the views stand at a place that is not in the journal",
            ));
        }
        views_agree::check(connection, &replay)?;
    }
    replay_through(&mut replay, &mut reader, opened.end.batch)?;
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

/// Replays the journal through a batch.
fn replay_through(replay: &mut Replay, reader: &mut Reader, batch: u64) -> Result<(), VerifyError> {
    while let Some(batch) = reader.next(batch)? {
        let number = batch.number();
        for bytes in batch.records() {
            let taken = replay.record(bytes);
            taken.map_err(|what| difference(format!("batch {number}: {what}")))?;
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
    let mut indexer =
        Indexer::new(connection, reader, State::default(), progress).map_err(unreadable)?;
    indexer
        .catch_up(opened.end.batch, |_| {})
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
