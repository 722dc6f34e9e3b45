//! The embedded engine: one writer thread, a journal that is the truth, SQLite views for reads.
//!
//! ```text
//! submit ─► queue ─► writer: decide, journal, fdatasync, answer
//!                               │ journal
//!                               ▼
//!                            indexer ─► views.sqlite ─► reads (wait until the views are there)
//! ```
//!
//! The data folder holds `journal/`, `views.sqlite`, `webhooks.sqlite`, `lock` and `ballast`; secrets
//! that other layers keep beside them are not known here.

mod attempts;
mod backup;
mod bare;
mod bind;
mod cache;
mod commit_page;
pub(crate) mod copy;
mod delta;
mod entry_page;
mod fill;
mod indexer;
mod load;
mod owner_page;
mod reads;
mod remembered_page;
mod rows;
mod shared;
mod space;
mod verify;
mod views;
mod writer;

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::{Folder, Journal, JournalError, Reader, Storage};
use ledger::{
    AccountId, BulkId, Execution, ExecutionId, Hold, Millis, Owner, OwnerId, Profile, ProfileId,
    ProfileKind, RuleId, State, Status, Tenant, TenantId, TransferId,
};
use tokio::sync::{broadcast, oneshot, watch};

use crate::attempts::{Attempt, AttemptQuery};
use crate::clock::{Clock, SystemClock};
use crate::folder::FolderLock;
use crate::history::{HistoryPage, HistoryQuery};
use crate::query::{
    AccountPage, AccountQuery, AccountRow, BulkOperationPage, BulkOperationQuery, BulkPage,
    BulkQuery, BulkRow, EntryPage, EntryQuery, EntryRow, ExecutionQuery, OwnerTransferPage,
    OwnerTransferQuery, RecordQuery, RuleQuery, RuleRow, TransferQuery, TransferRow,
};
use crate::records::{Fingerprint, KeyRecord, Record, RecordKind, Remembered, Used};
use crate::{BoxFuture, Health, Notice, Outcome, Result, Store, StoreError, Submit};
use attempts::Attempts;
pub use backup::{BackupError, copy_journal, has_ledger};
pub use bare::BareWriter;
use indexer::{IndexError, Indexer};
use load::Memory;
use reads::Readers;
use shared::{Job, Shared};
use space::Space;
pub use verify::{Report, VerifyError, rebuild_views, verify};
use writer::Writer;

/// The journal's folder within the data folder.
pub const JOURNAL: &str = "journal";

/// How to open an embedded store.
#[derive(Clone)]
pub struct Options {
    /// The data folder; made when missing.
    pub folder: PathBuf,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// Where the journal is, if not in the data folder's `journal` (tests put it on a faulty disk).
    pub storage: Option<Arc<dyn Storage>>,
    /// Length in bytes at which a journal segment is closed and a new one begun.
    pub segment_bytes: u64,
}

impl Options {
    /// The usual options for a data folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Options {
        Options {
            folder: folder.into(),
            clock: Arc::new(SystemClock),
            storage: None,
            segment_bytes: 64 << 20,
        }
    }
}

/// Why a data folder could not be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "{folder} is in use by another tidegate process (its lock is held); stop that one first, or choose another --data-dir"
    )]
    Locked {
        /// The data folder.
        folder: PathBuf,
    },
    /// It cannot be made, read or written.
    #[error("the data folder {folder} cannot be used: {source}")]
    Folder {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The journal is damaged or cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A record of the journal does not fit the ones before it.
    #[error(
        "the journal's batch {batch} does not fit what came before: {what}; run `tidegate verify`"
    )]
    Inconsistent {
        /// The batch.
        batch: u64,
        /// What does not fit.
        what: String,
    },
    /// The views cannot be opened or filled.
    #[error("the views cannot be used: {0}; `tidegate views rebuild` makes them anew")]
    Views(String),
}

/// What opening found.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Batches in the journal.
    pub batches: u64,
    /// Batches that the views had not seen yet.
    pub replayed: u64,
    /// Bytes of a torn tail that were cut off; nobody was told of what they held.
    pub cut_bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// An open embedded store.
pub struct Embedded {
    shared: Arc<Shared>,
    readers: Readers,
    storage: Arc<dyn Storage>,
    attempts: Attempts,
    clock: Arc<dyn Clock>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    opened: Opened,
    /// Held until the threads have ended, however many still hold the store to ask it something.
    lock: Mutex<Option<FolderLock>>,
}

impl Embedded {
    /// Opens a data folder, repairing a torn tail and bringing memory to the journal's end.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed except a torn tail that was cut.
    pub fn open(options: &Options) -> std::result::Result<Embedded, OpenError> {
        let begun = Instant::now();
        let folder = options.folder.as_path();
        let lock = lock_folder(folder)?;
        let storage = storage(options)?;
        let space = Arc::new(Space::new(folder));

        let (connection, memory, progress) = open_views(folder)?;
        let (journal, found) = Journal::open(
            Arc::clone(&storage),
            journal::Options {
                segment_bytes: options.segment_bytes,
                known: Some(progress.position),
                ..journal::Options::default()
            },
        )?;
        let reader = Reader::new(Arc::clone(&storage), progress.position);
        let mut indexer = Indexer::new(connection, reader, memory.state.clone(), progress)
            .map_err(views_error)?;
        let behind = found.end.batch.saturating_sub(progress.position.batch);
        let memory = if behind == 0 {
            memory
        } else {
            fill_views(&mut indexer, found.end.batch, behind, &space)?;
            load::load(indexer.views())
                .map_err(|error| OpenError::Views(error.to_string()))?
                .0
        };
        let keys = reads::key_owners(indexer.views()).map_err(views_error)?;
        let shared = Arc::new(Shared::new(found.end.batch, indexer.newest()));
        let writer = Writer::new(
            memory,
            keys,
            journal,
            Arc::clone(&options.clock),
            Arc::clone(&shared),
            Arc::clone(&space),
        );
        let threads = vec![
            {
                let shared = Arc::clone(&shared);
                spawn("tidegate-writer", folder, move || {
                    run_writer(writer, &shared)
                })?
            },
            {
                let shared = Arc::clone(&shared);
                spawn("tidegate-index", folder, move || {
                    indexer.run(&shared, &space)
                })?
            },
            {
                let shared = Arc::clone(&shared);
                let views = folder.to_owned();
                spawn("tidegate-warm", folder, move || {
                    let closing = || shared.closing();
                    if let Err(error) = cache::warm(&views, &shared.kept.ended, closing) {
                        tracing::warn!(%error, "lookups of transfers begin cold");
                    }
                })?
            },
        ];
        let opened = Opened {
            batches: found.end.batch,
            replayed: behind,
            cut_bytes: found.cut.map_or(0, |cut| cut.bytes),
            elapsed: begun.elapsed(),
        };
        Ok(Embedded {
            shared,
            readers: Readers::new(folder),
            storage,
            attempts: Attempts::new(folder),
            clock: Arc::clone(&options.clock),
            threads: Mutex::new(threads),
            opened,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// What opening found.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.shared.caught_up().await?;
        self.readers.run(query).await
    }
}

/// A writer that panics leaves nobody waiting.
fn run_writer(writer: Writer, shared: &Shared) {
    let run = std::panic::AssertUnwindSafe(|| writer.run());
    if std::panic::catch_unwind(run).is_err() {
        shared.abandon("writes stopped: the writer has panicked");
    }
}

fn spawn(
    name: &str,
    folder: &Path,
    run: impl FnOnce() + Send + 'static,
) -> std::result::Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|source| OpenError::Folder {
            folder: folder.to_owned(),
            source,
        })
}

fn lock_folder(folder: &Path) -> std::result::Result<FolderLock, OpenError> {
    FolderLock::take(folder).map_err(|error| {
        let folder = folder.to_owned();
        match error {
            TryLockError::WouldBlock => OpenError::Locked { folder },
            TryLockError::Error(source) => OpenError::Folder { folder, source },
        }
    })
}

fn storage(options: &Options) -> std::result::Result<Arc<dyn Storage>, OpenError> {
    if let Some(storage) = &options.storage {
        return Ok(Arc::clone(storage));
    }
    let folder = options.folder.join(JOURNAL);
    let opened = Folder::open(&folder);
    Ok(Arc::new(
        opened.map_err(|source| OpenError::Folder { folder, source })?,
    ))
}

fn views_error(error: rusqlite::Error) -> OpenError {
    OpenError::Views(error.to_string())
}

/// The views and the state they hold; views that cannot be loaded are made anew.
fn open_views(
    folder: &Path,
) -> std::result::Result<(rusqlite::Connection, Memory, views::Progress), OpenError> {
    let loaded = views::open(folder)
        .map_err(load::LoadError::from)
        .and_then(|connection| {
            let (memory, progress) = load::load(&connection)?;
            Ok((connection, memory, progress))
        });
    match loaded {
        Ok(loaded) => Ok(loaded),
        Err(error) => {
            tracing::warn!(%error, "the views cannot be loaded and are filled again from the journal");
            views::remove(folder).map_err(|error| OpenError::Views(error.to_string()))?;
            let connection = views::open(folder).map_err(views_error)?;
            Ok((connection, Memory::default(), views::Progress::NOTHING))
        }
    }
}

/// Brings the views to the journal's end before anything else happens.
fn fill_views(
    indexer: &mut Indexer,
    through: u64,
    behind: u64,
    space: &Space,
) -> std::result::Result<(), OpenError> {
    tracing::info!(batches = behind, "bringing the views to the journal's end");
    let failed = |error| match error {
        IndexError::Journal(error) => OpenError::Journal(error),
        IndexError::Inconsistent { batch, what } => OpenError::Inconsistent { batch, what },
        IndexError::Views(error) => views_error(error),
    };
    match indexer.catch_up(through, |_| {}) {
        Err(IndexError::Views(_)) if space.release_ballast() => {
            indexer.catch_up(through, |_| {}).map_err(failed)
        }
        filled => filled.map_err(failed),
    }
}

/// A store that is dropped without [`Store::shut_down`] ends all the same: its threads must not
/// write any more when its lock is released.
impl Drop for Embedded {
    fn drop(&mut self) {
        self.shared.close_queue();
        let threads = std::mem::take(
            self.threads
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        );
        let mut threads = threads.into_iter();
        drop(threads.next().map(JoinHandle::join));
        self.shared.close_indexer();
        threads.for_each(|thread| drop(thread.join()));
    }
}

impl Store for Embedded {
    fn submit(&self, submit: Submit) -> BoxFuture<'_, Result<Outcome>> {
        // It is large, and a future is moved.
        let submit = Box::new(submit);
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            self.shared.push(Job::Submit(submit, answer))?;
            outcome
                .await
                .unwrap_or_else(|_| Err(StoreError::unavailable("the writer has ended")))
        })
    }

    fn hand_in(&self, submit: Submit) {
        let (answer, _) = oneshot::channel();
        if let Err(error) = self.shared.push(Job::Submit(Box::new(submit), answer)) {
            tracing::debug!(%error, "what nobody waits for was not written");
        }
    }

    fn quiesce(&self, tenant: TenantId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            self.shared.push(Job::Quiesce(tenant, answer))?;
            outcome
                .await
                .unwrap_or_else(|_| Err(StoreError::unavailable("the writer has ended")))
        })
    }

    fn remembered(&self, used: Used) -> BoxFuture<'_, Result<Option<Remembered>>> {
        Box::pin(self.read(move |views| reads::remembered(views, used.number)))
    }

    fn tenants(&self) -> BoxFuture<'_, Result<Vec<Tenant>>> {
        Box::pin(self.read(reads::tenants))
    }

    fn tenant(&self, id: TenantId) -> BoxFuture<'_, Result<Option<Tenant>>> {
        Box::pin(self.read(move |views| reads::tenant(views, id)))
    }

    fn owners(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Owner>>> {
        Box::pin(self.read(move |views| reads::owners(views, tenant)))
    }

    fn transfers_by_id(
        &self,
        tenant: TenantId,
        ids: Vec<TransferId>,
    ) -> BoxFuture<'_, Result<Vec<Option<TransferRow>>>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(self.read(move |views| {
            let find = |id: &TransferId| reads::transfer(views, &shared.kept, tenant, *id);
            ids.iter().map(find).collect()
        }))
    }

    fn open_transfers(
        &self,
        tenant: TenantId,
        status: Status,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<TransferRow>>> {
        Box::pin(self.read(move |views| reads::waiting_transfers(views, tenant, status, limit)))
    }

    fn accounts(&self, query: AccountQuery) -> BoxFuture<'_, Result<Vec<AccountRow>>> {
        Box::pin(self.read(move |views| reads::accounts(views, &query)))
    }

    fn accounts_page(&self, query: AccountQuery) -> BoxFuture<'_, Result<AccountPage>> {
        Box::pin(self.read(move |views| reads::accounts_page(views, &query)))
    }

    fn account(
        &self,
        tenant: TenantId,
        id: AccountId,
    ) -> BoxFuture<'_, Result<Option<AccountRow>>> {
        Box::pin(self.read(move |views| reads::account(views, tenant, id)))
    }

    fn transfers(&self, query: TransferQuery) -> BoxFuture<'_, Result<Vec<TransferRow>>> {
        Box::pin(self.read(move |views| reads::transfers(views, &query)))
    }

    fn owner_transfers(
        &self,
        query: OwnerTransferQuery,
    ) -> BoxFuture<'_, Result<OwnerTransferPage>> {
        Box::pin(self.read(move |views| reads::owner_transfers(views, &query)))
    }

    fn transfer(
        &self,
        tenant: TenantId,
        id: TransferId,
    ) -> BoxFuture<'_, Result<Option<TransferRow>>> {
        Box::pin(async move {
            self.shared.caught_up().await?;
            if let Some(row) = reads::kept_transfer(&self.shared.kept, tenant, id) {
                return Ok(Some(row));
            }
            let shared = Arc::clone(&self.shared);
            let query = move |views: &_| reads::transfer(views, &shared.kept, tenant, id);
            self.readers.run_here(query).await
        })
    }

    fn entries(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<EntryRow>>> {
        Box::pin(self.read(move |views| reads::entries(views, account, before, limit)))
    }

    fn entries_between(&self, query: EntryQuery) -> BoxFuture<'_, Result<EntryPage>> {
        Box::pin(self.read(move |views| reads::entries_between(views, &query)))
    }

    fn profiles(
        &self,
        tenant: TenantId,
        kind: Option<ProfileKind>,
    ) -> BoxFuture<'_, Result<Vec<Profile>>> {
        Box::pin(self.read(move |views| reads::profiles(views, tenant, kind)))
    }

    fn profile(&self, tenant: TenantId, id: ProfileId) -> BoxFuture<'_, Result<Option<Profile>>> {
        Box::pin(self.read(move |views| reads::profile(views, tenant, id)))
    }

    fn bulks(&self, query: BulkQuery) -> BoxFuture<'_, Result<BulkPage>> {
        Box::pin(self.read(move |views| reads::bulks(views, &query)))
    }

    fn bulk(&self, tenant: TenantId, id: BulkId) -> BoxFuture<'_, Result<Option<BulkRow>>> {
        Box::pin(self.read(move |views| reads::bulk(views, tenant, id)))
    }

    fn bulk_operations(
        &self,
        query: BulkOperationQuery,
    ) -> BoxFuture<'_, Result<BulkOperationPage>> {
        Box::pin(self.read(move |views| reads::bulk_operations(views, &query)))
    }

    fn rules(&self, query: RuleQuery) -> BoxFuture<'_, Result<Vec<RuleRow>>> {
        Box::pin(self.read(move |views| reads::rules(views, &query)))
    }

    fn rule(&self, tenant: TenantId, id: RuleId) -> BoxFuture<'_, Result<Option<RuleRow>>> {
        Box::pin(self.read(move |views| reads::rule(views, tenant, id)))
    }

    fn executions(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<Execution>>> {
        Box::pin(self.read(move |views| reads::executions(views, &query)))
    }

    fn execution(
        &self,
        tenant: TenantId,
        id: ExecutionId,
    ) -> BoxFuture<'_, Result<Option<Execution>>> {
        Box::pin(self.read(move |views| reads::execution(views, tenant, id)))
    }

    fn fork(&self, tenant: TenantId, owner: OwnerId) -> BoxFuture<'_, Result<Option<State>>> {
        Box::pin(self.read(move |views| reads::fork(views, tenant, owner)))
    }

    fn holds(&self, account: AccountId) -> BoxFuture<'_, Result<Vec<Hold>>> {
        Box::pin(self.read(move |views| reads::holds(views, account)))
    }

    fn record(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        id: u64,
    ) -> BoxFuture<'_, Result<Option<Record>>> {
        Box::pin(self.read(move |views| reads::record(views, kind, tenant, id)))
    }

    fn records(&self, query: RecordQuery) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(self.read(move |views| reads::records(views, &query)))
    }

    fn record_by_unique(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        unique: Fingerprint,
    ) -> BoxFuture<'_, Result<Option<Record>>> {
        Box::pin(self.read(move |views| reads::record_by_unique(views, kind, tenant, unique)))
    }

    fn keys(&self, tenant: Option<TenantId>) -> BoxFuture<'_, Result<Vec<KeyRecord>>> {
        Box::pin(self.read(move |views| reads::keys(views, tenant)))
    }

    fn key_by_hash(&self, hash: [u8; 32]) -> BoxFuture<'_, Result<Option<KeyRecord>>> {
        Box::pin(self.read(move |views| reads::key_by_hash(views, &hash)))
    }

    fn totals(&self) -> BoxFuture<'_, Result<Vec<(String, i128)>>> {
        Box::pin(self.read(reads::totals))
    }

    fn owner_total(&self, owner: OwnerId) -> BoxFuture<'_, Result<i128>> {
        Box::pin(self.read(move |views| reads::owner_total(views, owner)))
    }

    fn notices(&self) -> Option<broadcast::Receiver<Notice>> {
        None
    }

    fn history(&self, query: HistoryQuery) -> BoxFuture<'_, Result<HistoryPage>> {
        let storage = Arc::clone(&self.storage);
        Box::pin(self.read(move |views| reads::history(views, &storage, &query)))
    }

    fn heads(&self, tenants: Vec<TenantId>) -> BoxFuture<'_, Result<Vec<(TenantId, u64)>>> {
        Box::pin(async move {
            self.shared.caught_up().await?;
            Ok(self.shared.newest_of(&tenants))
        })
    }

    fn add_attempts(&self, attempts: Vec<Attempt>) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.attempts.add(attempts))
    }

    fn attempts(&self, query: AttemptQuery) -> BoxFuture<'_, Result<Vec<Attempt>>> {
        Box::pin(self.attempts.find(query))
    }

    fn cut_attempts(
        &self,
        tenant: TenantId,
        endpoint: u64,
        before: u64,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.attempts.cut(tenant, endpoint, before))
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.shared.news.subscribe()
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn wake(&self) {
        self.shared.wake();
    }

    fn health(&self) -> Health {
        use std::sync::atomic::Ordering::Relaxed;
        Health {
            stopped: self.shared.stopped().or_else(|| {
                let full = self.shared.disk_full.load(Relaxed);
                full.then(|| Arc::from("the disk is full"))
            }),
            committed: self.shared.committed(),
            indexed: self.shared.indexed(),
            commits: self.shared.commits.load(Relaxed),
            syncs: self.shared.syncs.load(Relaxed),
            queued: self.shared.queued(),
        }
    }

    fn shut_down(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.shared.close_queue();
            let threads =
                std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
            let shared = Arc::clone(&self.shared);
            let joined = tokio::task::spawn_blocking(move || {
                let mut threads = threads.into_iter();
                let writer = threads.next().is_none_or(|writer| writer.join().is_ok());
                shared.close_indexer();
                threads.all(|thread| thread.join().is_ok()) && writer
            });
            let joined = joined.await;
            drop(
                self.lock
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take(),
            );
            match joined {
                Ok(true) => Ok(()),
                _ => Err(StoreError::Corrupt(Arc::from(
                    "a thread of the store has panicked",
                ))),
            }
        })
    }
}
