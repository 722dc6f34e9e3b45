//! What the handle, the writer and the indexer share: the queue, the progress, the reasons to stop.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::TenantId;
use tokio::sync::{oneshot, watch};

use super::cache::Kept;
use super::indexer::Written;
use crate::{Outcome, Result, StoreError, Submit};

/// Requests that may wait to be decided; the next is refused before anything is decided.
pub(crate) const QUEUE_MAX: usize = 16_384;
/// Jobs taken for one group; together with due work they fit into a batch.
const TAKE_MAX: usize = 4_096;
/// How long a read waits for the views before it is refused.
const READ_WAIT: Duration = Duration::from_secs(5);

/// Where the outcome of a submit goes.
pub(crate) type Answer = oneshot::Sender<Result<Outcome>>;

/// Something for the writer to do.
pub(crate) enum Job {
    Submit(Box<Submit>, Answer),
    /// Answer when no work of the tenant is due.
    Quiesce(TenantId, oneshot::Sender<Result<()>>),
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closing: bool,
    /// Set by [`Shared::wake`], so that a wake-up before the wait is not lost.
    woken: bool,
    /// Whether the writer sleeps and must be woken.
    asleep: bool,
    /// Why no more is taken. Kept under the queue's lock: nothing is queued after the stop.
    stopped: Option<Arc<str>>,
}

#[derive(Default)]
struct Demand {
    /// The newest batch that a read waits for.
    wanted: u64,
    closing: bool,
}

/// See the module.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    writer_wakes: Condvar,
    demand: Mutex<Demand>,
    indexer_wakes: Condvar,
    indexer_idle: AtomicBool,
    /// The newest durable batch, and how many records were committed up to it.
    committed: AtomicU64,
    records: AtomicU64,
    records_indexed: AtomicU64,
    indexed: watch::Sender<u64>,
    /// The same number, to be looked at without a lock.
    indexed_batch: AtomicU64,
    index_failed: Mutex<Option<Arc<str>>>,
    /// The number of each tenant's newest commit that was indexed.
    newest: Mutex<HashMap<TenantId, u64>>,
    /// Counts batches, for those who wait for what is new.
    pub news: watch::Sender<u64>,
    /// What is kept for lookups of transfers.
    pub kept: Kept,
    /// Whether the disk has no room for writes right now.
    pub disk_full: AtomicBool,
    pub commits: AtomicU64,
    pub syncs: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every holder leaves the data whole at each step, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(indexed: u64, newest: HashMap<TenantId, u64>) -> Shared {
        let committed = indexed;
        Shared {
            newest: Mutex::new(newest),
            news: watch::Sender::new(0),
            queue: Mutex::default(),
            writer_wakes: Condvar::new(),
            demand: Mutex::default(),
            indexer_wakes: Condvar::new(),
            indexer_idle: AtomicBool::new(false),
            committed: AtomicU64::new(committed),
            records: AtomicU64::new(0),
            records_indexed: AtomicU64::new(0),
            indexed: watch::Sender::new(indexed),
            indexed_batch: AtomicU64::new(indexed),
            index_failed: Mutex::new(None),
            kept: Kept::new(),
            disk_full: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
        }
    }

    // --- the queue -----------------------------------------------------------------------------

    pub(crate) fn push(&self, job: Job) -> Result<()> {
        let wake = {
            let mut queue = lock(&self.queue);
            if let Some(reason) = &queue.stopped {
                let reason = Arc::clone(reason);
                return Err(StoreError::Unavailable {
                    reason,
                    retry_after_s: 30,
                });
            }
            if queue.closing {
                return Err(StoreError::unavailable("the server is shutting down"));
            }
            if queue.jobs.len() >= QUEUE_MAX {
                return Err(StoreError::unavailable("too many requests are waiting"));
            }
            queue.jobs.push_back(job);
            std::mem::replace(&mut queue.asleep, false)
        };
        if wake {
            self.writer_wakes.notify_one();
        }
        Ok(())
    }

    /// Takes what is waiting, or waits for it at most `patience`. `None` when the store closes and
    /// nothing is waiting any more.
    pub(crate) fn take(&self, patience: Duration) -> Option<Vec<Job>> {
        let mut queue = lock(&self.queue);
        if queue.jobs.is_empty() && !queue.closing && !queue.woken && !patience.is_zero() {
            queue.asleep = true;
            (queue, _) = self
                .writer_wakes
                .wait_timeout(queue, patience)
                .unwrap_or_else(PoisonError::into_inner);
            queue.asleep = false;
        }
        queue.woken = false;
        if queue.jobs.is_empty() && queue.closing {
            return None;
        }
        let count = queue.jobs.len().min(TAKE_MAX);
        Some(queue.jobs.drain(..count).collect())
    }

    /// Makes the writer look at the clock again.
    pub(crate) fn wake(&self) {
        lock(&self.queue).woken = true;
        self.writer_wakes.notify_one();
    }

    pub(crate) fn queued(&self) -> usize {
        lock(&self.queue).jobs.len()
    }

    /// Refuses later submits; the writer ends after the ones that wait.
    pub(crate) fn close_queue(&self) {
        lock(&self.queue).closing = true;
        self.writer_wakes.notify_one();
    }

    // --- stopping ------------------------------------------------------------------------------

    pub(crate) fn stop(&self, reason: impl Into<Arc<str>>) -> Arc<str> {
        let reason = reason.into();
        lock(&self.queue)
            .stopped
            .get_or_insert_with(|| Arc::clone(&reason));
        reason
    }

    /// Stops, and drops whatever waits: its callers are told that the writer has ended.
    pub(crate) fn abandon(&self, reason: &str) {
        let reason = self.stop(reason);
        tracing::error!(%reason, "restart, then run `tidegate verify`");
        lock(&self.queue).jobs.clear();
    }

    pub(crate) fn stopped(&self) -> Option<Arc<str>> {
        lock(&self.queue).stopped.clone()
    }

    // --- progress ------------------------------------------------------------------------------

    /// The writer made a batch durable.
    pub(crate) fn committed_batch(&self, batch: u64, records: usize, lag_max: u64) {
        self.committed.store(batch, Ordering::Release);
        self.news.send_replace(batch);
        let records = self.records.fetch_add(records as u64, Ordering::AcqRel) + records as u64;
        let lag = records.saturating_sub(self.records_indexed.load(Ordering::Acquire));
        if self.indexer_idle.swap(false, Ordering::AcqRel) || lag >= lag_max {
            let _demand = lock(&self.demand);
            self.indexer_wakes.notify_one();
        }
    }

    pub(crate) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    pub(crate) fn indexed(&self) -> u64 {
        self.indexed_batch.load(Ordering::Acquire)
    }

    pub(crate) fn lag(&self) -> u64 {
        let indexed = self.records_indexed.load(Ordering::Acquire);
        self.records.load(Ordering::Acquire).saturating_sub(indexed)
    }

    /// The indexer brought the views to `batch`.
    pub(crate) fn indexed_batch(&self, written: &Written) {
        let newest = &written.newest;
        lock(&self.newest).extend(newest.iter().map(|(tenant, number)| (*tenant, *number)));
        self.records_indexed
            .fetch_add(written.records, Ordering::AcqRel);
        self.indexed_batch.store(written.batch, Ordering::Release);
        self.indexed.send_replace(written.batch);
    }

    /// The number of each tenant's newest commit that was indexed, of these tenants.
    pub(crate) fn newest_of(&self, tenants: &[TenantId]) -> Vec<(TenantId, u64)> {
        let newest = lock(&self.newest);
        let find = |tenant: &TenantId| Some((*tenant, *newest.get(tenant)?));
        tenants.iter().filter_map(find).collect()
    }

    /// The indexer cannot go on; reads that need more than it has are refused.
    pub(crate) fn fail_index(&self, reason: impl Into<Arc<str>>) {
        *lock(&self.index_failed) = Some(reason.into());
        self.indexed.send_modify(|_| {});
    }

    pub(crate) fn index_recovered(&self) {
        *lock(&self.index_failed) = None;
    }

    /// Waits until the views have everything that is durable now.
    pub(crate) async fn caught_up(&self) -> Result<()> {
        let target = self.committed();
        if self.indexed() >= target {
            return Ok(());
        }
        let mut indexed = self.indexed.subscribe();
        self.want(target);
        let reached =
            indexed.wait_for(|batch| *batch >= target || lock(&self.index_failed).is_some());
        match tokio::time::timeout(READ_WAIT, reached).await {
            Ok(Ok(batch)) if *batch >= target => Ok(()),
            _ => {
                let failed = lock(&self.index_failed).clone();
                let reason = failed.unwrap_or_else(|| Arc::from("the views are behind"));
                Err(StoreError::Unavailable {
                    reason,
                    retry_after_s: 1,
                })
            }
        }
    }

    fn want(&self, batch: u64) {
        let mut demand = lock(&self.demand);
        demand.wanted = demand.wanted.max(batch);
        self.indexer_wakes.notify_one();
    }

    // --- the indexer's side --------------------------------------------------------------------

    /// Waits until there is something to index and a reason to do it now: a read that waits, a
    /// lag of `lag_max` records, `linger` since the first of them, or the end. False at the end.
    pub(crate) fn await_work(&self, linger: Duration, lag_max: u64) -> bool {
        let mut demand = lock(&self.demand);
        loop {
            if demand.closing {
                return false;
            }
            if self.committed() > self.indexed() {
                break;
            }
            self.indexer_idle.store(true, Ordering::Release);
            if self.committed() > self.indexed() {
                break;
            }
            demand = self
                .indexer_wakes
                .wait(demand)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.indexer_idle.store(false, Ordering::Release);
        let deadline = std::time::Instant::now() + linger;
        while !demand.closing && demand.wanted <= self.indexed() && self.lag() < lag_max {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            (demand, _) = self
                .indexer_wakes
                .wait_timeout(demand, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    pub(crate) fn close_indexer(&self) {
        lock(&self.demand).closing = true;
        self.indexer_wakes.notify_one();
    }

    /// Sleeps a little, unless the store closes.
    pub(crate) fn indexer_pause(&self, pause: Duration) {
        let demand = lock(&self.demand);
        if !demand.closing {
            drop(
                self.indexer_wakes
                    .wait_timeout(demand, pause)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }

    pub(crate) fn closing(&self) -> bool {
        lock(&self.demand).closing
    }
}
