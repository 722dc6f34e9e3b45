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
use ledger::{
    Command, Context, Effect, IdSource, KeyId, Millis, Rejection, Reply, TenantId, decide,
};
use tokio::sync::oneshot;

use super::indexer::LAG_MAX;
use super::load::Memory;
use super::shared::{Answer, Job, Shared};
use super::shelf::Refusal;
use super::space::Space;
use crate::clock::Clock;
use crate::codec::{self, Change};
use crate::records::{
    KeyRecord, Put, RECORD_TAKEN, Record, RecordConflict, Remembered, RememberedReply,
};
use crate::{Action, Claim, Outcome, Result, StoreError, Submit};

/// Pieces of due work in one batch, besides the jobs.
const DUE_MAX: usize = 4_096;
/// How long the writer sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(60);
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
struct Stop(String);

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
                    let outcome = self.decide(*submit, now)?;
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
            let mut context = Context {
                now,
                ids: &mut self.ids,
            };
            let decision = decide(&self.memory.state, &Command::RunDue(due), &mut context)
                .map_err(|rejection| Stop(format!("due work was refused: {rejection}")))?;
            self.record(now, &decision.effects, &[], None)?;
        }
        Ok(())
    }

    fn decide(&mut self, submit: Submit, now: Millis) -> std::result::Result<Outcome, Stop> {
        let Submit { action, claim } = submit;
        if let Some(claim) = &claim
            && let Some(number) = self.memory.remembered.get(&claim.key)
        {
            return Ok(Outcome::Replay(*number));
        }
        let (command, puts) = match action {
            Action::Command(command) => (Some(command), Vec::new()),
            Action::Together { command, puts } => (Some(command), puts),
            Action::Put(puts) => (None, puts),
            Action::CreateKey(key) => return Ok(self.create_key(key, now)),
            Action::RevokeKey { tenant, key } => return Ok(self.revoke_key(tenant, key, now)),
            Action::Refuse { code, message } => {
                self.refused(claim, RememberedReply::Refused { code, message }, now)?;
                return Ok(Outcome::Done(Reply::Done));
            }
        };
        if let Err(refusal) = self.memory.shelf.check(&puts, &self.memory.state) {
            return self.refuse_puts(refusal, claim, now);
        }
        let (effects, reply) = match command {
            None => (Vec::new(), Reply::Done),
            Some(command) => {
                let mut context = Context {
                    now,
                    ids: &mut self.ids,
                };
                match decide(&self.memory.state, &command, &mut context) {
                    Ok(decision) => (decision.effects, decision.reply),
                    Err(rejection) => {
                        self.refused(claim, refusal_of(&rejection), now)?;
                        return Ok(Outcome::Refused(rejection));
                    }
                }
            }
        };
        let changes = match self.changes(&puts, &reply, now) {
            Ok(changes) => changes,
            Err(refusal) => return self.refuse_puts(refusal, claim, now),
        };
        let remembered = claim.map(|claim| {
            let facts = facts_of(&reply, &changes);
            self.remember(claim, facts, now)
        });
        self.record(now, &effects, &changes, remembered)?;
        if effects.iter().any(|e| matches!(e, Effect::ClockSet { .. })) {
            // What the clock has passed happens before anything that is asked later.
            self.run_due(now)?;
        }
        if puts.is_empty() {
            return Ok(Outcome::Done(reply));
        }
        let records = written(changes);
        Ok(Outcome::Stored { reply, records })
    }

    /// What `puts` change beside a command that answers `reply`.
    fn changes(
        &mut self,
        puts: &[Put],
        reply: &Reply,
        now: Millis,
    ) -> std::result::Result<Vec<Change>, Refusal> {
        let Writer { memory, ids, .. } = self;
        puts.iter()
            .map(|put| memory.shelf.record(put, reply, now, || ids.issue(now)))
            .collect()
    }

    /// Remembers a refusal when its claim asks for that.
    fn refused(
        &mut self,
        claim: Option<Claim>,
        refusal: RememberedReply,
        now: Millis,
    ) -> std::result::Result<(), Stop> {
        let Some(claim) = claim.filter(|claim| claim.remember_refusals) else {
            return Ok(());
        };
        let remembered = self.remember(claim, refusal, now);
        self.record(now, &[], &[], Some(remembered))
    }

    fn refuse_puts(
        &mut self,
        refusal: Refusal,
        claim: Option<Claim>,
        now: Millis,
    ) -> std::result::Result<Outcome, Stop> {
        match refusal {
            Refusal::Rejected(rejection) => {
                self.refused(claim, refusal_of(&rejection), now)?;
                Ok(Outcome::Refused(rejection))
            }
            Refusal::Conflict(conflict) => {
                // Being slower than somebody else is no answer to keep: the caller tries again.
                if let RecordConflict::Taken(kind) = conflict {
                    let taken = RememberedReply::Refused {
                        code: Arc::from(RECORD_TAKEN),
                        message: Arc::from(kind.word()),
                    };
                    self.refused(claim, taken, now)?;
                }
                Ok(Outcome::Conflict(conflict))
            }
        }
    }

    /// Adds one commit to the batch and applies it.
    fn record(
        &mut self,
        now: Millis,
        effects: &[Effect],
        changes: &[Change],
        remembered: Option<Remembered>,
    ) -> std::result::Result<(), Stop> {
        self.batch.record(|out| {
            let mut encoder = codec::begin(out, now);
            for effect in effects {
                codec::encode_effect(&mut encoder, effect);
            }
            for change in changes {
                codec::encode_record_change(&mut encoder, change);
            }
            if let Some(remembered) = &remembered {
                codec::encode_remembered(&mut encoder, remembered);
            }
        });
        for effect in effects {
            let applied = self.memory.state.apply(effect);
            applied.map_err(|error| Stop(format!("a commit breaks the ledger: {error}")))?;
        }
        for change in changes {
            if let Change::RecordPut(record) = change {
                self.memory.state.observe_id(record.id);
            }
            let kept = self.memory.shelf.keep(change);
            kept.map_err(|error| Stop(format!("a commit breaks the records: {error}")))?;
        }
        if let Some(remembered) = remembered {
            self.memory
                .remembered
                .insert(remembered.key, remembered.number);
        }
        Ok(())
    }

    fn remember(&mut self, claim: Claim, reply: RememberedReply, now: Millis) -> Remembered {
        self.memory.last_remembered += 1;
        Remembered {
            number: self.memory.last_remembered,
            key: claim.key,
            body: claim.body,
            at: now,
            request_id: claim.request_id,
            reply,
        }
    }

    fn create_key(&mut self, key: KeyRecord, now: Millis) -> Outcome {
        if self.memory.state.tenant(key.tenant).is_none() {
            return Outcome::Refused(Rejection::TenantNotFound);
        }
        let id = KeyId::new(self.ids.issue(now));
        let key = KeyRecord {
            id,
            created_at: now,
            revoked_at: None,
            ..key
        };
        self.memory.state.observe_id(id.raw());
        self.keys.insert(id, key.tenant);
        self.batch
            .record(|out| codec::encode_key_created(&mut codec::begin(out, now), &key));
        Outcome::Key(key)
    }

    fn revoke_key(&mut self, tenant: TenantId, key: KeyId, now: Millis) -> Outcome {
        if self.keys.get(&key) != Some(&tenant) {
            return Outcome::KeyNotFound;
        }
        self.keys.remove(&key);
        self.batch
            .record(|out| codec::encode_key_revoked(&mut codec::begin(out, now), key, now));
        Outcome::Done(Reply::Done)
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
        for (answer, outcome) in self.answers.drain(..) {
            // The caller may have gone; what was committed stays.
            drop(answer.send(Ok(outcome)));
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

fn refusal_of(rejection: &Rejection) -> RememberedReply {
    RememberedReply::Refused {
        code: Arc::from(rejection.code()),
        message: Arc::from(rejection.to_string()),
    }
}

/// What is kept of an answer so that it can be given again.
fn facts_of(reply: &Reply, changes: &[Change]) -> RememberedReply {
    match reply {
        _ if !changes.is_empty() => RememberedReply::Records(written(changes.to_vec())),
        Reply::Transfer {
            transfer,
            source,
            destination,
        } => RememberedReply::Transfer {
            id: transfer.id,
            status: transfer.status,
            completed_at: transfer.completed_at,
            source: source.clone(),
            destination: destination.clone(),
        },
        Reply::Account(account) => RememberedReply::Account(Box::new(account.clone())),
        Reply::Bulk(bulk) => RememberedReply::Bulk(bulk.id),
        Reply::Done | Reply::Tenant(_) | Reply::Owner(_) | Reply::Hold(_) | Reply::Profile(_) => {
            RememberedReply::Done
        }
    }
}

/// The records that were written, without those that were deleted.
fn written(changes: Vec<Change>) -> Vec<Record> {
    let records = changes.into_iter().filter_map(|change| match change {
        Change::RecordPut(record) => Some(record),
        _ => None,
    });
    records.collect()
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
