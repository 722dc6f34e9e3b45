//! The handle: opens the engine, and stands behind [`Store`].

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{
    AccountId, BulkId, Execution, ExecutionId, Hold, Millis, Owner, OwnerId, Profile, ProfileId,
    ProfileKind, RuleId, State, Status, Tenant, TenantId, TransferId,
};
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;

use super::committer::Committer;
use super::connect::PoolOptions;
use super::copy::is_unfinished;
use super::keeper::Keeper;
use super::lanes::Lanes;
use super::migrate::Migrator;
use super::node::{Name, Node};
use super::notices::{Notice, Seen};
use super::options::{OpenError, Options};
use super::pool::{READS, Readers};
use super::session::Session;
use super::shared::{Job, Shared};
use super::transact::Transactor;
use crate::attempts::{Attempt, AttemptQuery};
use crate::clock::Clock;
use crate::history::{HistoryPage, HistoryQuery};
use crate::query::{
    AccountPage, AccountQuery, AccountRow, BulkOperationPage, BulkOperationQuery, BulkPage,
    BulkQuery, BulkRow, EntryPage, EntryQuery, EntryRow, ExecutionQuery, OwnerTransferPage,
    OwnerTransferQuery, RecordQuery, RuleQuery, RuleRow, TransferQuery, TransferRow,
};
use crate::records::{Fingerprint, KeyRecord, Record, RecordKind, Remembered, Used};
use crate::{BoxFuture, Health, Outcome, Result, Store, StoreError, Submit};

/// The engine over PostgreSQL.
pub struct Postgres {
    shared: Arc<Shared>,
    readers: Readers,
    clock: Arc<dyn Clock>,
    /// Each says whether it has come to its end.
    tasks: Mutex<Vec<JoinHandle<bool>>>,
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
        let transactor = Transactor::new(options, name, node);
        let committer = Committer::new(transactor, Arc::clone(&shared), jobs, options.patience);
        let committing = commit_apart(committer).map_err(OpenError::Thread)?;
        let keeping = tokio::spawn(async move {
            keeper.run().await;
            true
        });
        let tasks = vec![committing, keeping];
        Ok(Postgres {
            shared,
            readers,
            clock: Arc::clone(&options.clock),
            tasks: Mutex::new(tasks),
        })
    }
}

/// Runs the committer on a thread of its own. A runtime that serves requests looks at its sockets
/// between them, and for this one everybody waits.
fn commit_apart(committer: Committer) -> std::io::Result<JoinHandle<bool>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new()
        .name("tidegate-commit".to_owned())
        .spawn(move || {
            runtime.block_on(committer.run());
            // Nobody may be waiting for the end.
            let _waiting = ended.send(());
        })?;
    Ok(tokio::spawn(async move { end.await.is_ok() }))
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

    fn remembered(&self, used: Used) -> BoxFuture<'_, Result<Option<Remembered>>> {
        Box::pin(self.readers.remembered(used))
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

    fn open_transfers(
        &self,
        tenant: TenantId,
        status: Status,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<TransferRow>>> {
        Box::pin(self.readers.open_transfers(tenant, status, limit))
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

    fn rules(&self, query: RuleQuery) -> BoxFuture<'_, Result<Vec<RuleRow>>> {
        Box::pin(async move { self.readers.rules(&query).await })
    }

    fn rule(&self, tenant: TenantId, id: RuleId) -> BoxFuture<'_, Result<Option<RuleRow>>> {
        Box::pin(self.readers.rule(tenant, id))
    }

    fn executions(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<Execution>>> {
        Box::pin(async move { self.readers.executions(&query).await })
    }

    fn execution(
        &self,
        tenant: TenantId,
        id: ExecutionId,
    ) -> BoxFuture<'_, Result<Option<Execution>>> {
        Box::pin(self.readers.execution(tenant, id))
    }

    fn fork(&self, tenant: TenantId, owner: OwnerId) -> BoxFuture<'_, Result<Option<State>>> {
        Box::pin(self.readers.fork(tenant, owner, self.clock.now()))
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

    fn history(&self, query: HistoryQuery) -> BoxFuture<'_, Result<HistoryPage>> {
        Box::pin(async move { self.readers.history(&query).await })
    }

    fn heads(&self, tenants: Vec<TenantId>) -> BoxFuture<'_, Result<Vec<(TenantId, u64)>>> {
        Box::pin(async move { self.readers.heads(&tenants).await })
    }

    fn add_attempts(&self, attempts: Vec<Attempt>) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.readers.add_attempts(attempts))
    }

    fn attempts(&self, query: AttemptQuery) -> BoxFuture<'_, Result<Vec<Attempt>>> {
        Box::pin(async move { self.readers.attempts(&query).await })
    }

    fn cut_attempts(
        &self,
        tenant: TenantId,
        endpoint: u64,
        before: u64,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.readers.cut_attempts(tenant, endpoint, before))
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.shared.news.subscribe()
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
                has_ended &= task.await.unwrap_or(false);
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
