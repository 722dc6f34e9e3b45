//! The handle: opens the engine, and stands behind [`Store`].

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger::{
    AccountId, BulkId, Hold, Millis, Owner, OwnerId, Profile, ProfileId, ProfileKind, Tenant,
    TenantId, TransferId,
};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;

use super::committer::Committer;
use super::connect::{ConnectError, DatabaseUrl, PoolOptions};
use super::copy::{UNFINISHED, is_unfinished};
use super::failure::Failure;
use super::faults::Faults;
use super::keeper::Keeper;
use super::lanes::Lanes;
use super::migrate::{MigrateError, Migrator};
use super::node::{Name, Node};
use super::notices::{Notice, Seen};
use super::pool::{READS, Readers};
use super::session::{Limits, Session};
use super::shared::{Job, Shared};
use super::transact::Transactor;
use crate::clock::{Clock, SystemClock};
use crate::query::{
    AccountPage, AccountQuery, AccountRow, BulkOperationPage, BulkOperationQuery, BulkPage,
    BulkQuery, BulkRow, EntryPage, EntryQuery, EntryRow, OwnerTransferPage, OwnerTransferQuery,
    RecordQuery, TransferQuery, TransferRow,
};
use crate::records::{Fingerprint, KeyRecord, Record, RecordKind, Remembered};
use crate::{BoxFuture, Health, Outcome, Result, Store, StoreError, Submit};

/// How transactions are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Isolation {
    /// By the locks that they take. The default.
    #[default]
    ReadCommitted,
    /// By the database too: it makes those who were too late try again.
    Serializable,
}

/// How to open the engine.
#[derive(Clone)]
pub struct Options {
    /// The database. Its tables must be there ([`Migrator`]).
    pub url: DatabaseUrl,
    /// The machine's clock. The clocks of all servers must agree within a second.
    pub clock: Arc<dyn Clock>,
    /// What the server is called in the database, for operators.
    pub name: Arc<str>,
    /// How transactions are kept apart.
    pub isolation: Isolation,
    /// Connections for reads at most. Two more write and look around.
    pub read_connections: usize,
    /// How long the database works on one statement at most, and a transaction stays open without
    /// one.
    pub statement_timeout: Duration,
    /// How long to wait for rows that another server has locked.
    pub lock_timeout: Duration,
    /// How long requests wait for a database that is away before they are refused.
    pub patience: Duration,
    /// How long a server that has died keeps its number and its share of the waiting work.
    pub lease: Duration,
    /// What tells this process from others with the same number; random when not given.
    pub instance: Option<i64>,
    /// Faults, for tests.
    pub faults: Option<Arc<dyn Faults>>,
}

impl Options {
    /// The usual options for a database.
    #[must_use]
    pub fn new(url: DatabaseUrl) -> Options {
        Options {
            url,
            clock: Arc::new(SystemClock),
            name: Arc::from("tidegate"),
            isolation: Isolation::default(),
            read_connections: READS.size,
            statement_timeout: READS.statement_timeout,
            lock_timeout: Duration::from_secs(5),
            patience: Duration::from_secs(2),
            lease: Duration::from_secs(10),
            instance: None,
            faults: None,
        }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            statement: self.statement_timeout,
            lock: self.lock_timeout,
        }
    }
}

/// Why the engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The tables are not there, or not those of this program.
    #[error(transparent)]
    Tables(#[from] MigrateError),
    /// The tables are of an older program, or were never made.
    #[error("{missing} of the tables' {known} steps are missing; run `tidegate migrate`")]
    Behind {
        /// Steps that are missing.
        missing: usize,
        /// Steps of this program.
        known: usize,
    },
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database did not let this server in.
    #[error("the database: {0}")]
    Database(String),
    /// The database is being filled.
    #[error("{UNFINISHED}")]
    Unfinished,
    /// There are no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> OpenError {
        OpenError::Database(failure.to_string())
    }
}

/// The engine over PostgreSQL.
pub struct Postgres {
    shared: Arc<Shared>,
    readers: Readers,
    clock: Arc<dyn Clock>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Postgres {
    /// Connects, takes a number among the servers of the database, and starts.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed but perhaps the list of servers.
    pub async fn open(options: &Options) -> std::result::Result<Postgres, OpenError> {
        let plan = Migrator::new(options.url.clone()).check().await?;
        if !plan.missing.is_empty() {
            return Err(OpenError::Behind {
                missing: plan.missing.len(),
                known: plan.known,
            });
        }
        let name = Name {
            text: Arc::clone(&options.name),
            instance: instance(options)?,
            lease: options.lease,
        };
        let now = options.clock.now();
        let mut session = Session::open(&options.url, &options.limits()).await?;
        let node = Node::claim(&mut session, &name, now).await?;
        // In this order: a copy makes its mark first, and then looks who is there.
        if is_unfinished(&mut session).await? {
            let leave = node.keep(Millis(0), node.last_id, node.last_at);
            session.call(leave).await?;
            return Err(OpenError::Unfinished);
        }
        tracing::info!(node = node.number, "this server's number");
        let readers = PoolOptions {
            size: options.read_connections,
            statement_timeout: options.statement_timeout,
            ..READS
        };
        let readers = Readers::new(&options.url, &readers)?;
        let (shared, jobs) = Shared::new(node.number);
        let shared = Arc::new(shared);
        let keeper = Keeper {
            url: options.url.clone(),
            limits: options.limits(),
            clock: Arc::clone(&options.clock),
            name: name.clone(),
            shared: Arc::clone(&shared),
            closing: shared.closing.subscribe(),
            lanes: Lanes::default(),
            seen: Seen::new(now),
        };
        let transactor = Transactor::new(options, name, session, node);
        let committer = Committer::new(transactor, Arc::clone(&shared), jobs, options.patience);
        let tasks = vec![tokio::spawn(committer.run()), tokio::spawn(keeper.run())];
        Ok(Postgres {
            shared,
            readers,
            clock: Arc::clone(&options.clock),
            tasks: Mutex::new(tasks),
        })
    }
}

fn instance(options: &Options) -> std::result::Result<i64, OpenError> {
    if let Some(instance) = options.instance {
        return Ok(instance);
    }
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| OpenError::Random(error.to_string()))?;
    Ok(i64::from_le_bytes(bytes))
}

/// An engine that is dropped without [`Store::shut_down`] finishes what it was given, too.
impl Drop for Postgres {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Store for Postgres {
    fn submit(&self, submit: Submit) -> BoxFuture<'_, Result<Outcome>> {
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            self.shared.submit(submit, answer)?;
            outcome
                .await
                .unwrap_or_else(|_| Err(StoreError::unavailable("the committer has ended")))
        })
    }

    fn hand_in(&self, submit: Submit) {
        let (answer, _) = oneshot::channel();
        if let Err(error) = self.shared.submit(submit, answer) {
            tracing::debug!(%error, "what nobody waits for was not written");
        }
    }

    fn quiesce(&self, tenant: TenantId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (answer, outcome) = oneshot::channel();
            self.shared.push(Job::Quiesce(tenant, answer))?;
            outcome
                .await
                .unwrap_or_else(|_| Err(StoreError::unavailable("the committer has ended")))
        })
    }

    fn remembered(&self, number: u64) -> BoxFuture<'_, Result<Option<Remembered>>> {
        Box::pin(self.readers.remembered(number))
    }

    fn tenants(&self) -> BoxFuture<'_, Result<Vec<Tenant>>> {
        Box::pin(self.readers.tenants())
    }

    fn tenant(&self, id: TenantId) -> BoxFuture<'_, Result<Option<Tenant>>> {
        Box::pin(self.readers.tenant(id))
    }

    fn owners(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Owner>>> {
        Box::pin(self.readers.owners(tenant))
    }

    fn accounts(&self, query: AccountQuery) -> BoxFuture<'_, Result<Vec<AccountRow>>> {
        Box::pin(async move { self.readers.accounts(&query).await })
    }

    fn accounts_page(&self, query: AccountQuery) -> BoxFuture<'_, Result<AccountPage>> {
        Box::pin(async move { self.readers.accounts_page(&query).await })
    }

    fn account(
        &self,
        tenant: TenantId,
        id: AccountId,
    ) -> BoxFuture<'_, Result<Option<AccountRow>>> {
        Box::pin(self.readers.account(tenant, id))
    }

    fn transfers(&self, query: TransferQuery) -> BoxFuture<'_, Result<Vec<TransferRow>>> {
        Box::pin(async move { self.readers.transfers(&query).await })
    }

    fn owner_transfers(
        &self,
        query: OwnerTransferQuery,
    ) -> BoxFuture<'_, Result<OwnerTransferPage>> {
        Box::pin(async move { self.readers.owner_transfers(&query).await })
    }

    fn transfer(
        &self,
        tenant: TenantId,
        id: TransferId,
    ) -> BoxFuture<'_, Result<Option<TransferRow>>> {
        Box::pin(self.readers.transfer(tenant, id))
    }

    fn entries(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<EntryRow>>> {
        Box::pin(self.readers.entries(account, before, limit))
    }

    fn entries_between(&self, query: EntryQuery) -> BoxFuture<'_, Result<EntryPage>> {
        Box::pin(async move { self.readers.entries_between(&query).await })
    }

    fn transfers_by_id(
        &self,
        tenant: TenantId,
        ids: Vec<TransferId>,
    ) -> BoxFuture<'_, Result<Vec<Option<TransferRow>>>> {
        Box::pin(async move { self.readers.transfers_by_id(tenant, &ids).await })
    }

    fn profiles(
        &self,
        tenant: TenantId,
        kind: Option<ProfileKind>,
    ) -> BoxFuture<'_, Result<Vec<Profile>>> {
        Box::pin(self.readers.profiles(tenant, kind))
    }

    fn profile(&self, tenant: TenantId, id: ProfileId) -> BoxFuture<'_, Result<Option<Profile>>> {
        Box::pin(self.readers.profile(tenant, id))
    }

    fn bulks(&self, query: BulkQuery) -> BoxFuture<'_, Result<BulkPage>> {
        Box::pin(async move { self.readers.bulks(&query).await })
    }

    fn bulk(&self, tenant: TenantId, id: BulkId) -> BoxFuture<'_, Result<Option<BulkRow>>> {
        Box::pin(self.readers.bulk(tenant, id))
    }

    fn bulk_operations(
        &self,
        query: BulkOperationQuery,
    ) -> BoxFuture<'_, Result<BulkOperationPage>> {
        Box::pin(async move { self.readers.bulk_operations(&query).await })
    }

    fn holds(&self, account: AccountId) -> BoxFuture<'_, Result<Vec<Hold>>> {
        Box::pin(self.readers.holds(account))
    }

    fn record(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        id: u64,
    ) -> BoxFuture<'_, Result<Option<Record>>> {
        Box::pin(self.readers.record(kind, tenant, id))
    }

    fn records(&self, query: RecordQuery) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(async move { self.readers.records(&query).await })
    }

    fn record_by_unique(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        unique: Fingerprint,
    ) -> BoxFuture<'_, Result<Option<Record>>> {
        Box::pin(self.readers.record_by_unique(kind, tenant, unique))
    }

    fn keys(&self, tenant: Option<TenantId>) -> BoxFuture<'_, Result<Vec<KeyRecord>>> {
        Box::pin(self.readers.keys(tenant))
    }

    fn key_by_hash(&self, hash: [u8; 32]) -> BoxFuture<'_, Result<Option<KeyRecord>>> {
        Box::pin(self.readers.key_by_hash(hash))
    }

    fn totals(&self) -> BoxFuture<'_, Result<Vec<(String, i128)>>> {
        Box::pin(self.readers.totals())
    }

    fn owner_total(&self, owner: OwnerId) -> BoxFuture<'_, Result<i128>> {
        Box::pin(self.readers.owner_total(owner))
    }

    fn notices(&self) -> Option<broadcast::Receiver<Notice>> {
        Some(self.shared.notices.subscribe())
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn wake(&self) {
        self.shared.look.notify_one();
    }

    /// Reads need nobody to catch up: what is committed is indexed.
    fn health(&self) -> Health {
        let groups = self.shared.groups.load(Relaxed);
        Health {
            stopped: self.shared.stopped(),
            committed: groups,
            indexed: groups,
            commits: self.shared.commits.load(Relaxed),
            syncs: groups,
            queued: self.shared.queued(),
        }
    }

    fn shut_down(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.shared.close();
            let tasks =
                std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            let mut has_ended = true;
            for task in tasks {
                has_ended &= task.await.is_ok();
            }
            self.readers.close();
            if has_ended {
                Ok(())
            } else {
                Err(StoreError::Corrupt(Arc::from(
                    "a task of the store has panicked",
                )))
            }
        })
    }
}
