//! What the handle and the tasks of one server share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::TenantId;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use super::batch::{Answer, Asked};
use super::due::Visits;
use super::notices::Notice;
use crate::{Result, StoreError, Submit};

/// Requests that may wait to be decided; the next is refused before anything is decided.
pub(crate) const QUEUE_MAX: usize = 16_384;
/// Notices that a slow listener may be behind; then it is told that it has missed some.
const NOTICES_MAX: usize = 4_096;

/// Something for the committer to do.
pub(crate) enum Job {
    Submit(Asked),
    /// Answer when no work of the tenant is due.
    Quiesce(TenantId, oneshot::Sender<Result<()>>),
}

/// See the module.
pub(crate) struct Shared {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    /// Why nothing can be written.
    away: Mutex<Option<Arc<str>>>,
    visits: Mutex<Visits>,
    /// Wakes the committer for visits.
    pub visit: Notify,
    /// Makes the keeper look at the clock at once.
    pub look: Notify,
    /// The server's number, for the keeper; it changes when it was lost.
    pub number: watch::Sender<u8>,
    /// Set when the server closes.
    pub closing: watch::Sender<bool>,
    pub notices: broadcast::Sender<Notice>,
    /// Transactions that were committed.
    pub groups: AtomicU64,
    /// Commits in them.
    pub commits: AtomicU64,
    /// Submits that the committer has taken and not yet answered.
    pub taken: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every holder leaves the data whole, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// With the receiver of jobs, which is the committer's.
    pub(crate) fn new(number: u8) -> (Shared, mpsc::Receiver<Job>) {
        let (jobs, receiver) = mpsc::channel(QUEUE_MAX);
        let shared = Shared {
            jobs: Mutex::new(Some(jobs)),
            away: Mutex::default(),
            visits: Mutex::default(),
            visit: Notify::new(),
            look: Notify::new(),
            number: watch::Sender::new(number),
            closing: watch::Sender::new(false),
            notices: broadcast::Sender::new(NOTICES_MAX),
            groups: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        };
        (shared, receiver)
    }

    /// Queues a job.
    ///
    /// # Errors
    /// When nothing can be taken now. The job was not queued.
    pub(crate) fn push(&self, job: Job) -> Result<()> {
        if let Some(reason) = self.away() {
            return Err(StoreError::Unavailable {
                reason,
                retry_after_s: 5,
            });
        }
        let jobs = lock(&self.jobs);
        let Some(jobs) = &*jobs else {
            return Err(StoreError::unavailable("the server is shutting down"));
        };
        jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                StoreError::unavailable("too many requests are waiting")
            }
            mpsc::error::TrySendError::Closed(_) => {
                StoreError::unavailable("the committer has ended")
            }
        })
    }

    /// Queues a submit.
    ///
    /// # Errors
    /// As [`Shared::push`].
    pub(crate) fn submit(&self, submit: Submit, answer: Answer) -> Result<()> {
        self.push(Job::Submit(Asked { submit, answer }))
    }

    /// Submits that wait for their answer.
    pub(crate) fn queued(&self) -> usize {
        let jobs = lock(&self.jobs);
        let waiting = jobs.as_ref().map_or(0, |jobs| QUEUE_MAX - jobs.capacity());
        let taken = usize::try_from(self.taken.load(Ordering::Relaxed)).unwrap_or(0);
        waiting.saturating_add(taken)
    }

    /// Refuses later submits; the committer ends after the ones that wait.
    pub(crate) fn close(&self) {
        drop(lock(&self.jobs).take());
        self.closing.send_replace(true);
    }

    pub(crate) fn away(&self) -> Option<Arc<str>> {
        lock(&self.away).clone()
    }

    /// Notes why nothing can be written, or that it can again.
    pub(crate) fn set_away(&self, reason: Option<Arc<str>>) {
        *lock(&self.away) = reason;
    }

    /// Asks the committer to visit owners.
    pub(crate) fn add_visits(&self, visits: Visits) {
        if !visits.is_empty() {
            lock(&self.visits).extend(visits);
            self.visit.notify_one();
        }
    }

    /// Takes some of the visits that were asked for.
    pub(crate) fn take_visits(&self, most: usize) -> Visits {
        let mut visits = lock(&self.visits);
        let rest = visits.keys().nth(most).copied();
        let rest = rest.map_or_else(Visits::new, |at| visits.split_off(&at));
        std::mem::replace(&mut *visits, rest)
    }

    pub(crate) fn has_visits(&self) -> bool {
        !lock(&self.visits).is_empty()
    }
}
