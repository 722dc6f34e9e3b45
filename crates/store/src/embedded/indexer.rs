//! Fills the views from the journal, behind the writer.
//!
//! Live, after a crash and in a rebuild it does the same: read batches after the place the views
//! have reached, gather what they change, write it in one transaction together with the new place.
//! It waits as long as nobody needs the views, because large sorted runs are cheap and small ones
//! are not. It keeps a replica of the state and so checks every commit a second time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use journal::{JournalError, Reader};
use ledger::{State, TenantId};
use rusqlite::Connection;

use super::commit_page::CommitPages;
use super::delta::Delta;
use super::shared::Shared;
use super::space::Space;
use super::views::Progress;
use crate::codec;
use crate::history::tenant_of_change;

/// What is gathered before it is written, by [`Delta::len`]. The longer a run, the fewer pages are
/// written twice; it takes some 20 MB.
const RUN: usize = 65_536;
/// Records behind the writer at which writing begins although no read waits. A read that comes
/// just then waits for all of them, some 0.2 seconds.
pub(crate) const LAG_MAX: u64 = 65_536;
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

/// What a transaction brought to the views.
pub(crate) struct Written {
    /// The batch they have reached.
    pub batch: u64,
    /// Records it took.
    pub records: u64,
    /// Whether an account is called something else now.
    pub renames: bool,
    /// The number of the newest commit of each tenant that has new ones.
    pub newest: BTreeMap<TenantId, u64>,
}

/// The views' side of the store.
pub(crate) struct Indexer {
    connection: Connection,
    reader: Reader,
    state: State,
    progress: Progress,
    delta: Delta,
    pages: CommitPages,
    /// Records noted in `delta` but not yet written.
    noted: u64,
}

impl Indexer {
    pub(crate) fn new(
        connection: Connection,
        reader: Reader,
        state: State,
        progress: Progress,
    ) -> rusqlite::Result<Indexer> {
        let pages = CommitPages::load(&connection)?;
        Ok(Indexer {
            connection,
            reader,
            state,
            progress,
            delta: Delta::default(),
            pages,
            noted: 0,
        })
    }

    /// The number of each tenant's newest commit.
    pub(crate) fn newest(&self) -> HashMap<TenantId, u64> {
        self.pages.newest().clone()
    }

    /// The views, for reading.
    pub(crate) fn views(&self) -> &Connection {
        &self.connection
    }

    /// Brings the views to batch `through`, telling `written` of each transaction.
    pub(crate) fn catch_up(
        &mut self,
        through: u64,
        mut written: impl FnMut(Written),
    ) -> Result<(), IndexError> {
        loop {
            let full = self.gather(through)?;
            if self.noted > 0 || self.progress.position.batch < through {
                let renames = self.delta.renames();
                self.delta.write(
                    &mut self.connection,
                    &self.state,
                    &self.pages,
                    &self.progress,
                )?;
                written(Written {
                    batch: self.progress.position.batch,
                    records: std::mem::take(&mut self.noted),
                    renames,
                    newest: self.pages.written(),
                });
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// Notes batches until `through` or until a run is full; true when there may be more.
    fn gather(&mut self, through: u64) -> Result<bool, IndexError> {
        // Used again for every record: its changes are large and few.
        let mut changes = Vec::new();
        while let Some(batch) = self.reader.next(through)? {
            let number = batch.number();
            let wrong = |what: String| IndexError::Inconsistent {
                batch: number,
                what,
            };
            let before = self.progress.position;
            for (index, bytes) in batch.records().enumerate() {
                let at = codec::decode_into(bytes, &mut changes)
                    .map_err(|error| wrong(error.to_string()))?;
                self.progress.last_at_ms = self.progress.last_at_ms.max(at.0);
                let mut tenant = None;
                for change in changes.drain(..) {
                    tenant = tenant.or_else(|| tenant_of_change(&self.state, &change));
                    if let codec::Change::Remembered(remembered) = &change {
                        self.progress.last_remembered = remembered.number;
                    }
                    self.delta.take(&mut self.state, change).map_err(wrong)?;
                }
                if let Some(tenant) = tenant {
                    self.pages.note(tenant, &before, number, index as u64);
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
            let result = self.catch_up(shared.committed(), |written| {
                if written.renames {
                    // In this order: see `cache::parties`.
                    shared.kept.parties.forget();
                }
                shared.indexed_batch(&written);
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
