//! Fills the views from the journal, behind the writer.
//!
//! Live, after a crash and in a rebuild it does the same: read batches after the place the views
//! have reached, gather what they change, write it in one transaction together with the new place.
//! It waits as long as nobody needs the views, because large sorted runs are cheap and small ones
//! are not. It keeps a replica of the state and so checks every commit a second time.

use std::sync::Arc;
use std::time::Duration;

use journal::{JournalError, Reader};
use ledger::State;
use rusqlite::Connection;

use super::codec;
use super::delta::Delta;
use super::shared::Shared;
use super::space::Space;
use super::views::Progress;

/// Rows gathered before they are written.
const RUN: usize = 16_384;
/// Records behind the writer at which writing begins although no read waits.
pub(crate) const LAG_MAX: u64 = 32_768;
/// How long changes may wait when no read needs them.
const LINGER: Duration = Duration::from_millis(500);
/// How long to wait before trying again when the views could not be written.
const RETRY: Duration = Duration::from_millis(500);

/// Why indexing cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("batch {batch}: {what}")]
    Inconsistent { batch: u64, what: String },
    #[error("the views cannot be written: {0}")]
    Views(#[from] rusqlite::Error),
}

/// The views' side of the store.
pub(crate) struct Indexer {
    connection: Connection,
    reader: Reader,
    state: State,
    progress: Progress,
    delta: Delta,
    /// Records noted in `delta` but not yet written.
    noted: u64,
}

impl Indexer {
    pub(crate) fn new(
        connection: Connection,
        reader: Reader,
        state: State,
        progress: Progress,
    ) -> Indexer {
        Indexer {
            connection,
            reader,
            state,
            progress,
            delta: Delta::default(),
            noted: 0,
        }
    }

    /// The views, for reading.
    pub(crate) fn views(&self) -> &Connection {
        &self.connection
    }

    /// Brings the views to batch `through`, telling `written` after each transaction how far they
    /// are and how many records that took.
    pub(crate) fn catch_up(
        &mut self,
        through: u64,
        mut written: impl FnMut(u64, u64),
    ) -> Result<(), IndexError> {
        loop {
            let full = self.gather(through)?;
            if self.noted > 0 || self.progress.position.batch < through {
                self.delta
                    .write(&mut self.connection, &self.state, &self.progress)?;
                written(
                    self.progress.position.batch,
                    std::mem::take(&mut self.noted),
                );
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// Notes batches until `through` or until a run is full; true when there may be more.
    fn gather(&mut self, through: u64) -> Result<bool, IndexError> {
        while let Some(batch) = self.reader.next(through)? {
            let number = batch.number();
            let wrong = |what: String| IndexError::Inconsistent {
                batch: number,
                what,
            };
            for bytes in batch.records() {
                let record = codec::decode(bytes).map_err(|error| wrong(error.to_string()))?;
                self.progress.last_at_ms = record.at.0;
                for change in record.changes {
                    if let codec::Change::Remembered(remembered) = &change {
                        self.progress.last_remembered = remembered.number;
                    }
                    self.delta.take(&mut self.state, change).map_err(wrong)?;
                }
                self.noted += 1;
            }
            self.progress.position = batch.end();
            self.progress.last_id = self.state.last_id();
            if self.delta.len() >= RUN {
                return Ok(true);
            }
        }
        let reached = self.progress.position.batch;
        if reached < through {
            let what = format!("the journal ends here although batch {through} is committed");
            return Err(IndexError::Inconsistent {
                batch: reached,
                what,
            });
        }
        Ok(false)
    }

    /// Runs until the store closes, then catches up a last time and folds the write-ahead log in.
    pub(crate) fn run(mut self, shared: &Arc<Shared>, space: &Space) {
        let mut last = false;
        while !last {
            last = !shared.await_work(LINGER, LAG_MAX);
            let result = self.catch_up(shared.committed(), |batch, records| {
                shared.indexed_batch(batch, records);
            });
            match result {
                Ok(()) => shared.index_recovered(),
                Err(IndexError::Views(error)) => {
                    tracing::error!(%error, "the views cannot be written; trying again");
                    if is_full(&error) && space.release_ballast() {
                        last = false;
                        continue;
                    }
                    if shared.closing() {
                        break;
                    }
                    shared.fail_index(format!("the views cannot be written: {error}"));
                    shared.indexer_pause(RETRY);
                }
                Err(error) => {
                    // The journal or the ledger contradicts itself: nothing may go on from here.
                    let reason = shared.stop(format!("writes stopped: {error}"));
                    shared.fail_index(reason);
                    tracing::error!(%error, "the journal does not fit the ledger; run `tidegate verify`");
                    return;
                }
            }
        }
        if let Err(error) = self
            .connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%error, "the views' write-ahead log stays");
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure)
    )
}
