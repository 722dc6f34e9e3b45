//! The one thread that owns the ledger's state and commits.
//!
//! Phases of a group: take what is waiting, do the work that is due, decide each request in order
//! against the state, append all records as one batch, one `fdatasync`, answer. Replies, refusals
//! too, are sent only after the batch is durable, because a refusal may rest on a commit of the
//! same group. When a batch cannot be made durable, or an effect does not fit the state, writes
//! stop until restart: memory is then ahead of the disk and must not be built upon.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use journal::{Batch, Journal};
use ledger::{IdSource, KeyId, Millis, State, TenantId};
use tokio::sync::oneshot;

use super::indexer::LAG_MAX;
use super::load::Memory;
use super::shared::{Answer, Job, Shared};
use super::space::Space;
use crate::clock::Clock;
use crate::codec::Change;
use crate::desk::{self, Commit, Desk};
use crate::records::Fingerprint;
use crate::shelf::Shelf;
use crate::{Outcome, Result, StoreError};

/// Pieces of due work in one batch, besides the jobs.
const DUE_MAX: usize = 4_096;
/// How long the writer sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(60);
/// Callers answered at once from which on the threads that bring requests go first on a busy machine.
const COMPANY: usize = 4;
/// How long work that has just become due waits for requests to share its sync with.
const DUE_PAUSE: Duration = Duration::from_millis(2);
/// How long it waits before it looks at a full disk again.
const FULL_PAUSE: Duration = Duration::from_millis(100);

/// See the module.
pub(crate) struct Writer {
    memory: Memory,
    keys: std::collections::HashMap<KeyId, TenantId>,
    ids: IdSource,
    journal: Journal,
    batch: Batch,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    space: Arc<Space>,
    answers: Vec<(Answer, Outcome)>,
    quiescing: Vec<(TenantId, oneshot::Sender<Result<()>>)>,
    /// Whether the last group left due work behind for want of room.
    backlog: bool,
}

/// Why a group ends the writing.
pub(crate) struct Stop(String);

impl Writer {
    pub(crate) fn new(
        memory: Memory,
        keys: std::collections::HashMap<KeyId, TenantId>,
        journal: Journal,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
        space: Arc<Space>,
    ) -> Writer {
        let ids = IdSource::new(0, memory.state.last_id());
        Writer {
            memory,
            keys,
            ids,
            journal,
            batch: Batch::new(),
            clock,
            shared,
            space,
            answers: Vec::new(),
            quiescing: Vec::new(),
            backlog: false,
        }
    }

    /// Commits groups until the queue is closed and empty, or writing had to stop.
    pub(crate) fn run(mut self) {
        loop {
            let Some(jobs) = self.shared.take(self.patience()) else {
                self.end();
                return;
            };
            if let Some(reason) = self.shared.stopped() {
                // The indexer found that the journal does not fit: nothing is built upon it.
                self.refuse(jobs, &reason);
                self.refuse_everything(&reason);
                return;
            }
            if let Err(Stop(reason)) = self.group(jobs) {
                let reason = self.shared.stop(format!("writes stopped: {reason}"));
                tracing::error!(%reason, "restart after repairing the cause, then run `tidegate verify`");
                self.refuse_everything(&reason);
                return;
            }
        }
    }

    /// The queue is closed and empty: what was answered is durable, only the journal's file is left
    /// longer than its batches.
    fn end(self) {
        if let Err(error) = self.journal.finish() {
            tracing::warn!(error = %error_chain(&error), "the next start shortens the journal's file");
        }
    }

    /// How long nothing needs to be done.
    fn patience(&self) -> Duration {
        let next = self.memory.state.next_due_at();
        let wait_ms = next.since(self.clock.now()).max(0);
        let wait = Duration::from_millis(wait_ms.cast_unsigned()).min(IDLE);
        match wait {
            Duration::ZERO if !self.space.has_room() => FULL_PAUSE,
            Duration::ZERO if !self.backlog => DUE_PAUSE,
            wait => wait,
        }
    }

    /// The machine's time, never before that of the last commit.
    fn now(&mut self) -> Millis {
        let now = self.clock.now().0.max(self.memory.last_at_ms);
        self.memory.last_at_ms = now;
        Millis(now)
    }

    fn group(&mut self, jobs: Vec<Job>) -> std::result::Result<(), Stop> {
        let now = self.now();
        let room = self.space.has_room();
        self.shared.disk_full.store(!room, Ordering::Relaxed);
        if room {
            self.run_due(now)?;
        }
        for job in jobs {
            match job {
                Job::Quiesce(tenant, answer) => self.quiescing.push((tenant, answer)),
                Job::Submit(_, answer) if !room => {
                    let reason: Arc<str> = Arc::from("the disk is full");
                    drop(answer.send(Err(StoreError::Unavailable {
                        reason,
                        retry_after_s: 10,
                    })));
                }
                Job::Submit(submit, answer) => {
                    let outcome = desk::settle(self, *submit, now)?;
                    self.answers.push((answer, outcome));
                }
            }
        }
        self.commit()?;
        self.answer_quiescing(now);
        Ok(())
    }

    fn run_due(&mut self, now: Millis) -> std::result::Result<(), Stop> {
        self.backlog = false;
        while let Some(due) = self.memory.state.next_due(now) {
            if self.batch.len() >= DUE_MAX {
                self.backlog = true;
                break;
            }
            let commit = desk::run_due(&self.memory.state, due, &mut self.ids, now)
                .map_err(|rejection| Stop(format!("due work was refused: {rejection}")))?;
            self.record(now, commit)?;
        }
        Ok(())
    }

    /// Makes the batch durable, then answers.
    fn commit(&mut self) -> std::result::Result<(), Stop> {
        if !self.batch.is_empty() {
            let records = self.batch.len();
            let end = self
                .journal
                .commit(&mut self.batch)
                .map_err(|error| Stop(error_chain(&error)))?;
            self.shared
                .commits
                .fetch_add(records as u64, Ordering::Relaxed);
            self.shared
                .syncs
                .store(self.journal.syncs(), Ordering::Relaxed);
            self.shared.committed_batch(end.batch, records, LAG_MAX);
        }
        let answered = self.answers.len();
        for (answer, outcome) in self.answers.drain(..) {
            // The caller may have gone; what was committed stays.
            drop(answer.send(Ok(outcome)));
        }
        if answered >= COMPANY {
            // Whoever was just answered may be about to ask again, and a sync costs as much for one
            // as for a hundred. Nobody sleeps: where a processor is idle this is over at once.
            std::thread::yield_now();
        }
        Ok(())
    }

    fn answer_quiescing(&mut self, now: Millis) {
        if self.quiescing.is_empty() {
            return;
        }
        let state = &self.memory.state;
        let busy = |tenant: &TenantId| {
            state.tenant(*tenant).is_some_and(|known| {
                let now = known.clock.now(now);
                state
                    .due_of(*tenant)
                    .next()
                    .is_some_and(|due| due.at <= now)
            })
        };
        let (waiting, done): (Vec<_>, Vec<_>) = self
            .quiescing
            .drain(..)
            .partition(|(tenant, _)| busy(tenant));
        self.quiescing = waiting;
        for (_, answer) in done {
            drop(answer.send(Ok(())));
        }
    }

    fn refuse_everything(&mut self, reason: &Arc<str>) {
        let refusal = || StoreError::Unavailable {
            reason: Arc::clone(reason),
            retry_after_s: 30,
        };
        for (answer, _) in self.answers.drain(..) {
            drop(answer.send(Err(refusal())));
        }
        for (_, answer) in self.quiescing.drain(..) {
            drop(answer.send(Err(refusal())));
        }
        // Whoever pushed before the stop was seen is still in the queue.
        while let Some(jobs) = self.shared.take(Duration::ZERO) {
            if jobs.is_empty() {
                break;
            }
            self.refuse(jobs, reason);
        }
    }

    fn refuse(&self, jobs: Vec<Job>, reason: &Arc<str>) {
        let refusal = || StoreError::Unavailable {
            reason: Arc::clone(reason),
            retry_after_s: 30,
        };
        for job in jobs {
            match job {
                Job::Submit(_, answer) => drop(answer.send(Err(refusal()))),
                Job::Quiesce(_, answer) => drop(answer.send(Err(refusal()))),
            }
        }
    }
}

impl Desk for Writer {
    type Stop = Stop;

    fn state(&self) -> &State {
        &self.memory.state
    }

    fn shelf(&self) -> &Shelf {
        &self.memory.shelf
    }

    fn state_and_ids(&mut self) -> (&State, &mut IdSource) {
        (&self.memory.state, &mut self.ids)
    }

    fn remembered(&self, key: &Fingerprint) -> Option<u64> {
        self.memory.remembered.get(key).copied()
    }

    fn next_remembered(&mut self, _now: Millis) -> u64 {
        self.memory.last_remembered += 1;
        self.memory.last_remembered
    }

    fn key_tenant(&self, key: KeyId) -> Option<TenantId> {
        self.keys.get(&key).copied()
    }

    /// Adds one commit to the batch and applies it.
    fn record(&mut self, now: Millis, commit: Commit) -> std::result::Result<(), Stop> {
        self.batch.record(|out| commit.encode(out, now));
        for effect in &commit.effects {
            let applied = self.memory.state.apply(effect);
            applied.map_err(|error| Stop(format!("a commit breaks the ledger: {error}")))?;
        }
        for change in &commit.changes {
            match change {
                Change::RecordPut(record) => self.memory.state.observe_id(record.id),
                Change::KeyCreated(key) => {
                    self.memory.state.observe_id(key.id.raw());
                    self.keys.insert(key.id, key.tenant);
                }
                Change::KeyRevoked { key, .. } => drop(self.keys.remove(key)),
                _ => {}
            }
            let kept = self.memory.shelf.keep(change);
            kept.map_err(|error| Stop(format!("a commit breaks the records: {error}")))?;
        }
        if let Some(remembered) = commit.remembered {
            self.memory
                .remembered
                .insert(remembered.key, remembered.number);
        }
        Ok(())
    }

    fn clock_was_set(&mut self, now: Millis) -> std::result::Result<(), Stop> {
        self.run_due(now)
    }
}

/// An error and its causes in one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
