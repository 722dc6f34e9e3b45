//! Amounts that rules ask of the user's own server (sequence-api §10, the query action).
//!
//! Where a rule asks is a record under the rule's id. A run that comes to such an action waits in the
//! ledger; whoever looks after the questions here finds it there, asks, and answers with
//! [`Command::AnswerAmounts`], which the ledger takes only while the run waits. So a run is made
//! once, however often it was asked for, and nothing here needs to outlive a restart.
//!
//! Bounds: each time the ledger puts a run off it is asked for once, so three times in all, by the
//! tenant's clock ([`ledger::execution::RETRIES_MS`]). After the last wait the run goes on without
//! an answer and fails, and its explanation says `AMOUNT_QUERY_UNANSWERED`. A question and its
//! answer have bounds of time and length, and go only where webhooks may go.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::webhooks::{
    Header, Limits, Network, Outgoing, Policy, Secret, Sender, SystemResolver, Target, header,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ledger::rule::action::ActionType;
use ledger::rule::snapshot::Answers;
use ledger::{Command, Execution, ExecutionId, ExecutionStatus, Rejection, RuleId, TenantId};
use serde::{Deserialize, Serialize};
use store::{
    Action, ExecutionQuery, Expect, Outcome, Put, PutId, PutOwner, Record, RecordKind, RecordQuery,
    StoreError, Submit,
};
use tokio::sync::{Notify, watch};

use crate::error::{Error, Result};
use crate::multi::stored::{body, corrupt};
use crate::rules::NOT_FOUND;
use crate::transfers::unexpected;
use crate::webhooks::{HookError, HookResult};
use crate::{KeyHasher, Service};

/// How long a question may take unless it is set otherwise.
pub const TIME_DEFAULT: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const ANSWER_MAX: usize = 4 * 1_024;
/// Questions that are under way at once.
const FLIGHTS_MAX: usize = 16;
/// Waiting runs of one rule that are looked at.
const RUNS_MAX: usize = 1_000;
/// The shortest time between two looks for runs that wait.
const PAUSE: Duration = Duration::from_millis(50);
/// How often it is looked although nothing was committed here.
const TICK: Duration = Duration::from_millis(500);
/// How often it is looked for sources that other servers have changed.
const LOOK: Duration = Duration::from_secs(60);

/// How a question and its answer are written: a dialect's matter.
pub trait Words: Send + Sync + 'static {
    /// The body of a question, and what tells it from all others.
    fn question(&self, asked: &Asked) -> Question;
    /// The amount in an answer, in minor units; `None` when it is none.
    fn amount(&self, answer: &[u8]) -> Option<i64>;
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The rule.
    pub rule: RuleId,
    /// The run that waits.
    pub execution: ExecutionId,
    /// The step, from 0.
    pub step: u16,
    /// The action, from 0.
    pub action: u16,
}

/// A question as it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// JSON.
    pub body: String,
    /// The same for every repetition.
    pub id: String,
}

/// Where a rule asks for amounts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AmountSource {
    /// The tenant.
    pub tenant: TenantId,
    /// The rule.
    pub rule: RuleId,
    /// Where.
    pub url: String,
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Facts {
    url: String,
}

impl AmountSource {
    fn read(record: &Record) -> std::result::Result<AmountSource, StoreError> {
        let facts: Facts = serde_json::from_str(&record.body)
            .map_err(|_| corrupt(RecordKind::AmountSource.word(), record.id))?;
        Ok(AmountSource {
            tenant: record.tenant,
            rule: RuleId::new(record.id),
            url: facts.url,
            version: record.version,
        })
    }
}

/// What all questions share.
pub(crate) struct Asking {
    sender: Sender,
    hasher: KeyHasher,
    /// Wakes whoever looks after the questions: a source has changed.
    changed: Notify,
}

impl Asking {
    pub(crate) fn new(hasher: &KeyHasher, allowed: Vec<Network>, time: Duration) -> Asking {
        let limits = Limits {
            time,
            body: ANSWER_MAX,
            kept: ANSWER_MAX,
        };
        let purpose = "tidegate 2026-11-22 amount query secrets";
        Asking {
            sender: Sender::new(Policy { allowed }, Arc::new(SystemResolver), limits),
            hasher: KeyHasher::new(hasher.derive(purpose)),
            changed: Notify::new(),
        }
    }
}

impl Asking {
    /// Somebody has changed a source.
    pub(crate) fn look_again(&self) {
        self.changed.notify_one();
    }
}

type Flight = Pin<Box<dyn Future<Output = ExecutionId> + Send>>;

impl Service {
    /// Where a rule asks for amounts.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a rule or source.
    pub async fn amount_source(&self, tenant: TenantId, rule: RuleId) -> Result<AmountSource> {
        let found = self.find_source(tenant, rule).await?;
        found.ok_or(Error::NotFound {
            what: "amount source",
        })
    }

    /// Says where a rule asks for amounts.
    ///
    /// # Errors
    /// [`HookError::Target`] for a URL that may not be asked, [`HookError::Changed`], and
    /// [`Error::NotFound`] inside without such a rule.
    pub async fn set_amount_source(
        &self,
        tenant: TenantId,
        rule: RuleId,
        url: &str,
    ) -> HookResult<AmountSource> {
        let known = self.store.rule(tenant, rule).await?.ok_or(NOT_FOUND)?;
        if known.deleted_at.is_some() {
            return Err(NOT_FOUND.into());
        }
        let target = self.asking.sender.check(url).await?;
        let url = target.as_str().to_owned();
        let before = self.find_source(tenant, rule).await?;
        let written = body(&Facts { url });
        let record = self.put_source(tenant, rule, before.as_ref(), Some(written));
        let record = record.await?.ok_or(HookError::Changed)?;
        Ok(AmountSource::read(&record)?)
    }

    /// A rule asks nowhere any more: its runs fail at such an action.
    ///
    /// # Errors
    /// [`Error::NotFound`] inside; [`HookError::Changed`].
    pub async fn delete_amount_source(&self, tenant: TenantId, rule: RuleId) -> HookResult<()> {
        let before = self.amount_source(tenant, rule).await?;
        self.put_source(tenant, rule, Some(&before), None).await?;
        Ok(())
    }

    /// What proves a question to be this server's: the value behind `Bearer`.
    #[must_use]
    pub fn amount_secret(&self, source: &AmountSource) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&source.tenant.raw().to_le_bytes());
        bytes[8..].copy_from_slice(&source.rule.raw().to_le_bytes());
        Secret::new(self.asking.hasher.hash_bytes(&bytes)).text()
    }

    async fn find_source(&self, tenant: TenantId, rule: RuleId) -> Result<Option<AmountSource>> {
        let kind = RecordKind::AmountSource;
        let record = self.store.record(kind, tenant, rule.raw()).await?;
        let source = record.as_ref().map(AmountSource::read);
        Ok(source.transpose()?)
    }

    /// The record as it was written; `None` when it was deleted.
    async fn put_source(
        &self,
        tenant: TenantId,
        rule: RuleId,
        before: Option<&AmountSource>,
        body: Option<Arc<str>>,
    ) -> HookResult<Option<Record>> {
        let put = Put {
            kind: RecordKind::AmountSource,
            id: PutId::Known(rule.raw()),
            tenant,
            owner: PutOwner::None,
            unique: None,
            expect: before.map_or(Expect::Absent, |before| Expect::Version(before.version)),
            body,
        };
        let submit = Submit {
            action: Action::Put(vec![put]),
            claim: None,
        };
        match self.store.submit(submit).await? {
            Outcome::Stored { records, .. } => {
                self.asking.look_again();
                Ok(records.into_iter().next())
            }
            Outcome::Conflict(_) => Err(HookError::Changed),
            Outcome::Refused(rejection) => Err(Error::from(rejection).into()),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Asks for the amounts that runs wait for, until it is told to stop. What is under way then is
    /// asked again later.
    pub async fn answer_amounts(
        self: Arc<Self>,
        words: Arc<dyn Words>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut news = self.store.news();
        let mut flights: FuturesUnordered<Flight> = FuturesUnordered::new();
        let mut seen = Seen::default();
        let mut sources = Vec::new();
        let mut looked: Option<tokio::time::Instant> = None;
        while !*stop.borrow() {
            news.borrow_and_update();
            if looked.is_none_or(|at| at.elapsed() >= LOOK) {
                match self.amount_sources().await {
                    Ok(found) => {
                        sources = found;
                        looked = Some(tokio::time::Instant::now());
                    }
                    Err(error) => tracing::warn!(%error, "sources of amounts cannot be read"),
                }
            }
            if let Err(error) = self.ask(&sources, &words, &mut seen, &mut flights).await {
                tracing::warn!(%error, "questions for amounts pause");
            }
            // A busy ledger is looked at in steps.
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                Some(done) = flights.next(), if !flights.is_empty() => seen.landed(done),
                _ = news.changed(), if !sources.is_empty() => {}
                () = self.asking.changed.notified() => looked = None,
                () = tokio::time::sleep(TICK) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn amount_sources(&self) -> Result<Vec<AmountSource>> {
        let mut sources = Vec::new();
        for tenant in self.store.tenants().await? {
            let query = RecordQuery::new(RecordKind::AmountSource, tenant.id);
            for record in self.store.records(query).await? {
                sources.push(AmountSource::read(&record)?);
            }
        }
        Ok(sources)
    }

    /// Begins to ask for the runs that wait and have not been asked for since they were put off.
    async fn ask(
        self: &Arc<Self>,
        sources: &[AmountSource],
        words: &Arc<dyn Words>,
        seen: &mut Seen,
        flights: &mut FuturesUnordered<Flight>,
    ) -> Result<()> {
        let mut waiting = HashMap::new();
        for source in sources {
            let query = ExecutionQuery {
                rule: Some(source.rule),
                statuses: vec![ExecutionStatus::InProgress],
                ..ExecutionQuery::new(source.tenant, RUNS_MAX)
            };
            for execution in self.store.executions(query).await? {
                if execution.asks.is_some() {
                    waiting.insert(execution.id, (execution, source));
                }
            }
        }
        seen.keep(|id| waiting.contains_key(id));
        for (execution, source) in waiting.into_values() {
            if flights.len() >= FLIGHTS_MAX {
                break;
            }
            if seen.begin(&execution) {
                let (service, words) = (Arc::clone(self), Arc::clone(words));
                let source = source.clone();
                flights.push(Box::pin(async move {
                    let asked = service.ask_for(&source, &execution, &*words).await;
                    if let Err(reason) = asked {
                        tracing::warn!(rule = source.rule.raw(), reason, "no amount");
                    }
                    execution.id
                }));
            }
        }
        Ok(())
    }

    /// Asks for every amount of the step that a run waits at, and answers the ledger.
    ///
    /// # Errors
    /// Why there is no answer. The ledger was told nothing.
    async fn ask_for(
        &self,
        source: &AmountSource,
        execution: &Execution,
        words: &dyn Words,
    ) -> std::result::Result<(), String> {
        let store_failed = |error: StoreError| error.to_string();
        let Some((step, _)) = execution.asks else {
            return Ok(());
        };
        let rule = self.store.rule(source.tenant, source.rule).await;
        let rule = rule.map_err(store_failed)?.ok_or("the rule is gone")?.rule;
        let actions = rule.steps.get(usize::from(step));
        let actions = actions.map(|step| &step.actions).ok_or("no such step")?;
        let mut answers = Answers::new();
        for (index, action) in (0..).zip(actions.iter()) {
            if action.action_type() != ActionType::QueriedAmount {
                continue;
            }
            let asked = Asked {
                rule: source.rule,
                execution: execution.id,
                step,
                action: index,
            };
            let minor = self
                .ask_once(source, &words.question(&asked), words)
                .await?;
            answers.insert((step, index), minor);
        }
        let command = Command::AnswerAmounts {
            tenant: source.tenant,
            execution: execution.id,
            answers,
        };
        match self.store.submit(Submit::command(command)).await {
            // Somebody else has answered, or it has gone on without.
            Ok(Outcome::Done(_) | Outcome::Refused(Rejection::ExecutionNotFound)) => Ok(()),
            Ok(other) => Err(format!("the ledger said {other:?}")),
            Err(error) => Err(store_failed(error)),
        }
    }

    async fn ask_once(
        &self,
        source: &AmountSource,
        question: &Question,
        words: &dyn Words,
    ) -> std::result::Result<i64, String> {
        let sender = &self.asking.sender;
        let target = Target::parse(&source.url, sender.policy());
        let signature = format!("Bearer {}", self.amount_secret(source));
        let headers: Vec<Header> = [
            header("content-type", "application/json"),
            header("accept", "application/json"),
            header("user-agent", "tidegate"),
            header("x-sequence-signature", &signature),
            header("idempotency-key", &question.id),
        ]
        .into_iter()
        .flatten()
        .collect();
        let outgoing = Outgoing {
            target: target.map_err(|error| error.to_string())?,
            headers,
            body: question.body.clone().into(),
        };
        let sent = sender.send(&outgoing).await;
        let answer = sent.result.map_err(|failure| failure.to_string())?;
        if !(200..300).contains(&answer.status) {
            return Err(format!("the answer has status {}", answer.status));
        }
        let minor = words.amount(&answer.body);
        minor.ok_or_else(|| "the answer has no amountInCents from 0".to_owned())
    }
}

/// Which runs have been asked for, and how often they had been put off then.
#[derive(Default)]
struct Seen {
    asked: HashMap<ExecutionId, u8>,
    flying: HashSet<ExecutionId>,
}

impl Seen {
    /// Whether a run is to be asked for now.
    fn begin(&mut self, execution: &Execution) -> bool {
        let is_new = self.asked.get(&execution.id) != Some(&execution.delays);
        let begins = is_new && !self.flying.contains(&execution.id);
        if begins {
            self.asked.insert(execution.id, execution.delays);
            self.flying.insert(execution.id);
        }
        begins
    }

    fn landed(&mut self, execution: ExecutionId) {
        self.flying.remove(&execution);
    }

    /// Forgets the runs that do not wait any more.
    fn keep(&mut self, waits: impl Fn(&ExecutionId) -> bool) {
        self.asked.retain(|id, _| waits(id));
    }
}
