//! The task that commits: it takes what waits, runs one transaction after the other, and answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ledger::{Millis, TenantId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::answers::Answers;
use super::batch::{Answer, Asked, Batch, clock_of};
use super::due;
use super::failure::Failure;
use super::shared::{Job, Shared};
use super::transact::{Broken, Done, Doubt, Transactor};
use crate::{Outcome, Result, StoreError};

/// How often a transaction is tried again when others are faster.
const TRIES: u32 = 12;
/// Submits that are taken from the queue while others wait for their tenant's clock.
const WAITING_MAX: usize = 8_192;
/// Owners that one transaction visits.
const VISITS_MAX: usize = 1_024;
/// How long nothing may come of a tenant's due work before those who wait for it are told.
const STUCK: Duration = Duration::from_secs(10);
/// Between two tries to reach a database that is away: at first, and at last.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Who waits until nothing of a tenant is due.
enum Waiter {
    /// A clock was set; what it has passed happens before the answer.
    Clock(Answer, Box<Outcome>),
    Quiesce(oneshot::Sender<Result<()>>),
}

/// A tenant whose due work is being done because somebody waits for it.
struct Catching {
    waiters: Vec<Waiter>,
    /// When something was done last.
    moved: Instant,
}

impl Catching {
    /// Whether its later requests have to wait.
    fn holds_up(&self) -> bool {
        let mut waiters = self.waiters.iter();
        waiters.any(|waiter| matches!(waiter, Waiter::Clock(..)))
    }

    fn answer(self, result: &Result<()>) {
        for waiter in self.waiters {
            match waiter {
                Waiter::Clock(answer, outcome) => {
                    drop(answer.send(result.clone().map(|()| *outcome)));
                }
                Waiter::Quiesce(answer) => drop(answer.send(result.clone())),
            }
        }
    }
}

/// See the module.
pub(crate) struct Committer {
    pub transactor: Transactor,
    pub shared: Arc<Shared>,
    pub jobs: mpsc::Receiver<Job>,
    /// How long those who wait bear with a database that is away.
    pub patience: Duration,
    answers: Answers,
    waiting: VecDeque<Asked>,
    catching: BTreeMap<TenantId, Catching>,
    closing: bool,
}

impl Committer {
    pub(crate) fn new(
        transactor: Transactor,
        shared: Arc<Shared>,
        jobs: mpsc::Receiver<Job>,
        patience: Duration,
    ) -> Committer {
        Committer {
            transactor,
            shared,
            jobs,
            patience,
            answers: Answers::default(),
            waiting: VecDeque::new(),
            catching: BTreeMap::new(),
            closing: false,
        }
    }

    /// Commits until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        loop {
            self.receive().await;
            if self.closing && self.waiting.is_empty() && self.catching.is_empty() {
                break;
            }
            let visits = self.shared.take_visits(VISITS_MAX);
            let catching = &self.catching;
            let held_up = |tenant| catching.get(&tenant).is_some_and(Catching::holds_up);
            let batch = Batch::take(&mut self.waiting, visits, held_up);
            let ended = if batch.is_empty() {
                self.answers.give();
                self.keep_number().await
            } else {
                self.commit(batch).await
            };
            let ended = match ended {
                Ok(()) => self.catch_up().await,
                away => away,
            };
            if let Err(reason) = ended {
                self.wait_for_database(reason).await;
            }
        }
        self.leave().await;
    }

    /// Takes what was queued; waits for it, or for visits, when there is nothing else to do.
    async fn receive(&mut self) {
        self.drain(WAITING_MAX);
        self.shared.set_taken(self.waiting.len());
        let has_work = !self.waiting.is_empty() || !self.catching.is_empty();
        if has_work || self.shared.has_visits() {
            return;
        }
        self.answers.give();
        if !self.closing {
            let lease = self.transactor.name.lease / 3;
            tokio::select! {
                job = self.jobs.recv() => match job {
                    Some(job) => self.take(job),
                    None => self.closing = true,
                },
                () = self.shared.visit.notified() => {}
                () = tokio::time::sleep(lease) => {}
            }
        }
        self.drain(WAITING_MAX);
        self.shared.set_taken(self.waiting.len());
    }

    /// Takes what is queued, until this much waits.
    fn drain(&mut self, most: usize) {
        while self.waiting.len() < most {
            match self.jobs.try_recv() {
                Ok(job) => self.take(job),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.closing = true;
                    break;
                }
            }
        }
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Submit(asked) => self.waiting.push_back(*asked),
            Job::Quiesce(tenant, answer) => self.catch(tenant, Waiter::Quiesce(answer)),
        }
    }

    fn catch(&mut self, tenant: TenantId, waiter: Waiter) {
        let catching = self.catching.entry(tenant).or_insert_with(|| Catching {
            waiters: Vec::new(),
            moved: Instant::now(),
        });
        catching.waiters.push(waiter);
    }

    /// Commits a batch. What the database will never take is parted from the rest and refused.
    ///
    /// # Errors
    /// Why the database is away; everybody was told.
    async fn commit(&mut self, batch: Batch) -> std::result::Result<(), Arc<str>> {
        let mut batches = vec![batch];
        while let Some(batch) = batches.pop() {
            match self.complete(&batch).await {
                Ok(done) => self.deliver(batch, done),
                Err(failure @ (Failure::Impossible(_) | Failure::Corrupt(_))) => {
                    match batch.split() {
                        Ok((first, later)) => batches.extend([later, first]),
                        Err(batch) => {
                            tracing::error!(%failure, visits = ?batch.visits, "a transaction cannot be done");
                            self.refuse(batch, &failure.into());
                        }
                    }
                }
                Err(Failure::Away(reason) | Failure::Lost(reason)) => {
                    // Whoever is told finds the server not ready.
                    self.shared.set_away(Some(Arc::clone(&reason)));
                    let error = away(&reason);
                    self.refuse(batch, &error);
                    batches
                        .into_iter()
                        .for_each(|batch| self.refuse(batch, &error));
                    return Err(reason);
                }
                Err(failure) => self.refuse(batch, &failure.into()),
            }
        }
        Ok(())
    }

    /// Runs a transaction until its outcome is known, or it is given up.
    async fn complete(&mut self, batch: &Batch) -> std::result::Result<Done, Failure> {
        let begun = Instant::now();
        let mut tries = 0;
        let mut doubt: Option<Doubt> = None;
        loop {
            let failure = match doubt.take() {
                Some(open) => match self.transactor.resolve(open).await {
                    Ok(Some(done)) => return Ok(done),
                    Ok(None) => continue,
                    Err((open, failure)) => {
                        doubt = Some(open);
                        failure
                    }
                },
                None => match self.transactor.run(batch, &self.answers).await {
                    Ok(done) => return Ok(done),
                    Err(Broken::Doubt(open)) => {
                        tracing::warn!("a commit was not answered");
                        doubt = Some(*open);
                        continue;
                    }
                    Err(Broken::Failure(failure)) => failure,
                },
            };
            tries += 1;
            match failure {
                Failure::Taken(_) | Failure::Stale(_) if tries < TRIES => {}
                Failure::Again(_) if tries < TRIES => self.pause(tries).await,
                Failure::Fenced if tries < TRIES => {
                    tracing::warn!("this server was taken for dead and takes a number anew");
                    if let Err(failure) = self.transactor.register().await {
                        tracing::warn!(%failure, "no number was to be had");
                    }
                    self.shared.number.send_replace(self.transactor.node.number);
                }
                Failure::Away(_) | Failure::Lost(_) if begun.elapsed() < self.patience => {
                    tracing::debug!(%failure, tries, "the database is tried again");
                    self.pause(tries).await;
                }
                failure => return Err(failure),
            }
        }
    }

    /// Longer with each try, and of another length on each server.
    async fn pause(&self, tries: u32) {
        let (first, last) = RETRY;
        let own = self.transactor.name.instance.unsigned_abs() % 7;
        let pause = first.saturating_mul(1 << tries.min(6)) / 8 + Duration::from_millis(own);
        tokio::time::sleep(pause.min(last)).await;
    }

    /// Tells everybody that a batch failed, as [`Committer::deliver`] tells what came of it.
    fn refuse(&self, batch: Batch, error: &StoreError) {
        self.shared.set_taken(self.waiting.len());
        batch.fail(error);
    }

    fn deliver(&mut self, batch: Batch, done: Done) {
        // Whoever gets an answer finds itself no longer counted among those that wait.
        self.shared.set_taken(self.waiting.len());
        if done.commits > 0 {
            self.shared.groups.fetch_add(1, Ordering::Relaxed);
            self.shared
                .commits
                .fetch_add(done.commits, Ordering::Relaxed);
            self.shared
                .news
                .send_modify(|count| *count = count.wrapping_add(1));
        }
        // Work that could not be done although nothing else was to do would come back at once, and
        // again: it is left to whoever looks after its lane.
        if done.worked > 0 || !batch.asked.is_empty() {
            self.shared.add_visits(done.left);
        }
        if done.worked > 0 {
            for tenant in batch.visits.values() {
                if let Some(catching) = self.catching.get_mut(tenant) {
                    catching.moved = Instant::now();
                }
            }
        }
        let mut answers = Vec::with_capacity(done.outcomes.len());
        for (asked, outcome) in batch.asked.into_iter().zip(done.outcomes) {
            let clock = clock_of(&asked.submit).filter(|tenant| done.clocks.contains(tenant));
            match clock {
                Some(tenant) => self.catch(tenant, Waiter::Clock(asked.answer, Box::new(outcome))),
                None => answers.push((asked.answer, outcome)),
            }
        }
        self.answers.keep(answers);
    }

    /// Looks whether work of the tenants that somebody waits for is due, and has it done.
    async fn catch_up(&mut self) -> std::result::Result<(), Arc<str>> {
        let tenants: Vec<TenantId> = self.catching.keys().copied().collect();
        if !tenants.is_empty() {
            self.answers.give();
        }
        for tenant in tenants {
            let now = self.transactor.now();
            let visits = match self.transactor.session().await {
                Ok(session) => due::of_tenant(session, tenant, now).await,
                Err(failure) => Err(failure),
            };
            let ended = match visits {
                Ok(visits) if visits.is_empty() => Ok(()),
                Ok(visits) if !self.is_stuck(tenant) => {
                    self.shared.add_visits(visits);
                    continue;
                }
                Ok(_) => Err(StoreError::unavailable("work that is due is not done")),
                Err(Failure::Away(reason) | Failure::Lost(reason)) => {
                    self.transactor.disconnect();
                    return Err(reason);
                }
                Err(failure) => Err(failure.into()),
            };
            if let Some(catching) = self.catching.remove(&tenant) {
                catching.answer(&ended);
            }
        }
        Ok(())
    }

    fn is_stuck(&self, tenant: TenantId) -> bool {
        let catching = self.catching.get(&tenant);
        catching.is_some_and(|catching| catching.moved.elapsed() > STUCK)
    }

    /// Renews the lease when it is time.
    async fn keep_number(&mut self) -> std::result::Result<(), Arc<str>> {
        if !self.transactor.should_renew() {
            return Ok(());
        }
        let until = self.transactor.lease_until();
        match self.transactor.renew(until).await {
            Err(Failure::Fenced) => match self.transactor.register().await {
                Ok(()) => {
                    self.shared.number.send_replace(self.transactor.node.number);
                    Ok(())
                }
                Err(failure) => Err(failure.to_string().into()),
            },
            Err(Failure::Lost(_)) => match self.transactor.renew(until).await {
                Err(failure) => Err(failure.to_string().into()),
                Ok(()) => Ok(()),
            },
            Err(Failure::Away(reason)) => Err(reason),
            _ => Ok(()),
        }
    }

    /// The database takes no writes: everybody is told, and it is tried until it does.
    async fn wait_for_database(&mut self, reason: Arc<str>) {
        tracing::error!(%reason, "the database is away");
        self.shared.set_away(Some(Arc::clone(&reason)));
        let error = away(&reason);
        let mut tries = 0;
        loop {
            self.refuse_all(&error);
            if self.closing {
                return;
            }
            let until = self.transactor.lease_until();
            match self.transactor.renew(until).await {
                Ok(()) | Err(Failure::Fenced) => break,
                Err(_) => {
                    tries += 1;
                    self.pause(tries).await;
                }
            }
        }
        tracing::info!("the database is there again");
        self.shared.set_away(None);
    }

    fn refuse_all(&mut self, error: &StoreError) {
        self.drain(usize::MAX);
        self.shared.set_taken(0);
        for asked in self.waiting.drain(..) {
            drop(asked.answer.send(Err(error.clone())));
        }
        for (_, catching) in std::mem::take(&mut self.catching) {
            catching.answer(&Err(error.clone()));
        }
        self.shared.take_visits(usize::MAX);
    }

    /// Gives the number back.
    async fn leave(&mut self) {
        if let Err(failure) = self.transactor.renew(Millis(0)).await {
            tracing::debug!(%failure, "the lease of this server ends by itself");
        }
    }
}

fn away(reason: &Arc<str>) -> StoreError {
    StoreError::Unavailable {
        reason: format!("the database is away: {reason}").into(),
        retry_after_s: 5,
    }
}
