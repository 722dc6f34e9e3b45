//! What the handle and the tasks of one server share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::{OwnerId, TenantId};
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
    Submit(Box<Asked>),
    /// Answer when no work of the tenant is due.
    Quiesce(TenantId, oneshot::Sender<Result<()>>),
}

/// See the module.
pub(crate) struct Shared {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    /// Why nothing can be written.
    away: Mutex<Option<Arc<str>>>,
    visits: Mutex<Wanted>,
    /// Wakes the committer for visits.
    pub visit: Notify,
    /// Makes the keeper look at the clock at once.
    pub look: Notify,
    /// The server's number, for the keeper; it changes when it was lost.
    pub number: watch::Sender<u8>,
    /// Set when the server closes.
    pub closing: watch::Sender<bool>,
    pub notices: broadcast::Sender<Notice>,
    /// Changes when something was committed here.
    pub news: watch::Sender<u64>,
    /// Transactions that were committed.
    pub groups: AtomicU64,
    /// Commits in them.
    pub commits: AtomicU64,
    /// Submits that the committer has taken and not yet answered.
    taken: AtomicUsize,
}

/// Owners to visit.
struct Wanted {
    visits: Visits,
    /// The owner from whom on the next ones are taken: everybody gets a turn.
    next: OwnerId,
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
            visits: Mutex::new(Wanted {
                visits: Visits::new(),
                next: OwnerId::new(0),
            }),
            visit: Notify::new(),
            look: Notify::new(),
            number: watch::Sender::new(number),
            closing: watch::Sender::new(false),
            notices: broadcast::Sender::new(NOTICES_MAX),
            news: watch::Sender::new(0),
            groups: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            taken: AtomicUsize::new(0),
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
        self.push(Job::Submit(Box::new(Asked { submit, answer })))
    }

    /// Submits that wait for their answer.
    pub(crate) fn queued(&self) -> usize {
        let jobs = lock(&self.jobs);
        let waiting = jobs.as_ref().map_or(0, |jobs| QUEUE_MAX - jobs.capacity());
        waiting.saturating_add(self.taken.load(Ordering::Relaxed))
    }

    /// Notes how many submits the committer has taken and not yet answered.
    pub(crate) fn set_taken(&self, taken: usize) {
        self.taken.store(taken, Ordering::Relaxed);
    }

    /// Why nothing is committed, if so.
    pub(crate) fn stopped(&self) -> Option<Arc<str>> {
        let jobs = lock(&self.jobs);
        let has_ended = jobs.as_ref().is_some_and(mpsc::Sender::is_closed);
        drop(jobs);
        self.away()
            .or_else(|| has_ended.then(|| Arc::from("the committer has ended")))
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
            lock(&self.visits).visits.extend(visits);
            self.visit.notify_one();
        }
    }

    /// Takes some of the visits that were asked for.
    pub(crate) fn take_visits(&self, most: usize) -> Visits {
        let mut wanted = lock(&self.visits);
        let next = wanted.next;
        let later = wanted
            .visits
            .range(next..)
            .chain(wanted.visits.range(..next));
        let taken: Visits = later
            .take(most)
            .map(|(owner, tenant)| (*owner, *tenant))
            .collect();
        wanted.visits.retain(|owner, _| !taken.contains_key(owner));
        let last = wanted
            .visits
            .range(next..)
            .next()
            .or(wanted.visits.first_key_value());
        wanted.next = last.map_or(next, |(owner, _)| *owner);
        taken
    }

    pub(crate) fn has_visits(&self) -> bool {
        !lock(&self.visits).visits.is_empty()
    }
}
