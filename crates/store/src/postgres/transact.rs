//! One transaction: begin behind the fence, lock, load, decide, write, commit.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use ledger::{AccountId, IdSource, Millis, TenantId};

use super::answers::{Answers, KEEP_MAX};
use super::batch::Batch;
use super::connect::DatabaseUrl;
use super::due::Visits;
use super::facts::Facts;
use super::failure::Failure;
use super::faults::{Fault, Faults, Point};
use super::group::{Changed, Group, NOBODY};
use super::links;
use super::load::{Loaded, changing, load, remembered};
use super::node::{Name, Node};
use super::options::{Isolation, Options};
use super::rows::{self, StoredAccount};
use super::session::{Call, Limits, Session};
use super::wire::Row;
use super::write::{End, Stored, Write};
use crate::Outcome;
use crate::clock::Clock;
use crate::records::Fingerprint;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const BEGIN_SERIALIZABLE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
/// A group's commits have its batch number; they are later than the head was when it was read.
const FIND_BATCH: &str = "SELECT c.number FROM commits c \
     WHERE c.tenant = $1 AND c.number > $2 AND c.batch = $3 LIMIT 1";

/// After a key was claimed that had been used, or an account was not as it was known, this many
/// transactions look first.
const WARY: u32 = 256;

/// What a transaction has come to.
#[derive(Debug)]
pub(crate) struct Done {
    /// Of the submits, in their order.
    pub outcomes: Vec<Outcome>,
    /// Work that is due and was left.
    pub left: Visits,
    /// Pieces of due work that were done.
    pub worked: usize,
    /// Tenants whose clocks were set.
    pub clocks: BTreeSet<TenantId>,
    /// Commits in it.
    pub commits: u64,
}

/// A transaction of which nobody knows whether it was committed.
#[derive(Debug)]
pub(crate) struct Doubt {
    tenant: TenantId,
    after: i64,
    batch: u64,
    done: Done,
}

/// Why a transaction gave no outcome.
#[derive(Debug)]
pub(crate) enum Broken {
    Failure(Failure),
    Doubt(Box<Doubt>),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Broken {
        Broken::Failure(failure)
    }
}

/// Everything that transactions of one server need. One is under way at a time.
pub(crate) struct Transactor {
    pub url: DatabaseUrl,
    pub limits: Limits,
    pub isolation: Isolation,
    pub clock: Arc<dyn Clock>,
    pub faults: Option<Arc<dyn Faults>>,
    pub name: Name,
    pub node: Node,
    pub ids: IdSource,
    session: Option<Session>,
    facts: Facts,
    last_at: Millis,
    /// Transactions to come that look before they trust: idempotency keys up, and accounts.
    wary: u32,
}

impl Transactor {
    pub(crate) fn new(options: &Options, name: Name, node: Node) -> Transactor {
        Transactor {
            url: options.url.clone(),
            limits: options.limits(),
            isolation: options.isolation,
            clock: Arc::clone(&options.clock),
            faults: options.faults.clone(),
            name,
            ids: IdSource::new(node.number, node.last_id),
            last_at: node.last_at,
            node,
            session: None,
            facts: Facts::default(),
            wary: 0,
        }
    }

    /// The machine's time, never before that of the last commit under this server's number.
    pub(crate) fn now(&mut self) -> Millis {
        self.last_at = self.clock.now().max(self.last_at);
        self.last_at
    }

    /// The connection, made anew when it was lost.
    pub(crate) async fn session(&mut self) -> Result<&mut Session, Failure> {
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::open(&self.url, &self.limits).await?,
        };
        Ok(self.session.insert(session))
    }

    /// Takes a number anew, after another process has taken the old one.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn register(&mut self) -> Result<(), Failure> {
        let now = self.now();
        let name = self.name.clone();
        let node = Node::claim(self.session().await?, &name, now).await?;
        self.ids = IdSource::new(node.number, node.last_id.max(self.ids.issue(now)));
        self.last_at = self.last_at.max(node.last_at);
        self.node = node;
        Ok(())
    }

    /// Renews the lease, or ends it with `until` in the past.
    ///
    /// # Errors
    /// [`Failure::Fenced`] when the number was lost; others of the database.
    pub(crate) async fn renew(&mut self, until: Millis) -> Result<(), Failure> {
        let call = self.node.keep(until, self.node.last_id, self.node.last_at);
        let kept = self.session().await?.call(call).await;
        if let Err(Failure::Lost(_)) = kept {
            self.session = None;
        }
        Node::check(&kept?)?;
        self.node.lease_until = until;
        Ok(())
    }

    /// Gives the connection up.
    pub(crate) fn disconnect(&mut self) {
        self.session = None;
    }

    /// When a lease that is renewed now will end.
    pub(crate) fn lease_until(&mut self) -> Millis {
        let now = self.now();
        self.name.lease_from(now)
    }

    /// Whether a third of the lease has gone.
    pub(crate) fn should_renew(&mut self) -> bool {
        let now = self.now();
        let whole = self.name.lease_from(now).since(now);
        self.node.lease_until.since(now) <= whole - whole / 3
    }

    /// Runs one transaction. Answers to earlier ones are given while the database is busy with it.
    ///
    /// # Errors
    /// [`Broken`]. Nothing is left open.
    pub(crate) async fn run(&mut self, batch: &Batch, earlier: &Answers) -> Result<Done, Broken> {
        let ran = self.attempt_soon(batch, earlier).await;
        earlier.give();
        self.wary = self.wary.saturating_sub(1);
        match &ran {
            Err(Broken::Failure(Failure::Lost(_)) | Broken::Doubt(_)) => self.session = None,
            Err(Broken::Failure(_)) => self.roll_back().await,
            Ok(_) => {}
        }
        match &ran {
            Err(Broken::Failure(Failure::Taken(_))) => self.wary = WARY,
            Err(Broken::Failure(Failure::Stale(_))) => {
                self.wary = WARY;
                self.facts.doubt_accounts();
            }
            Err(Broken::Failure(Failure::Lost(_)) | Broken::Doubt(_)) => {
                self.facts.doubt_accounts();
            }
            _ => {}
        }
        ran
    }

    async fn roll_back(&mut self) {
        if let Some(session) = &mut self.session
            && session.call(Call::new(ROLLBACK)).await.is_err()
        {
            self.session = None;
        }
    }

    /// [`Transactor::attempt`], with an eye on the clock for those who wait for earlier answers.
    async fn attempt_soon(&mut self, batch: &Batch, earlier: &Answers) -> Result<Done, Broken> {
        if !earlier.are_kept() {
            return self.attempt(batch, earlier).await;
        }
        let mut attempt = pin!(self.attempt(batch, earlier));
        tokio::select! {
            biased;
            ran = &mut attempt => return ran,
            () = tokio::time::sleep(KEEP_MAX) => earlier.give(),
        }
        attempt.await
    }

    async fn attempt(&mut self, batch: &Batch, earlier: &Answers) -> Result<Done, Broken> {
        self.session().await?;
        self.fault(Point::Begin).await?;
        let now = self.now();
        let lease_until = self.name.lease_from(now);
        let Transactor {
            session: Some(session),
            facts,
            node,
            ids,
            wary,
            ..
        } = self
        else {
            return Err(Failure::Lost("there is no connection".into()).into());
        };
        let (mut plan, mut besides) = batch.plan(facts);
        let is_bold = *wary == 0;
        besides.trusts = is_bold && batch.only_moves();
        let claimed = match is_bold {
            true => std::mem::take(&mut besides.claims),
            false => BTreeSet::new(),
        };
        links::complete(session, facts, &mut plan).await?;
        batch.plan_aftermath(facts, &mut plan);
        links::complete(session, facts, &mut plan).await?;
        let begin = match self.isolation {
            Isolation::ReadCommitted => BEGIN,
            Isolation::Serializable => BEGIN_SERIALIZABLE,
        };
        let begin = vec![Call::new(begin), node.fence(lease_until, now)];
        let check = |answers: &[Vec<Row>]| match answers {
            [_, fence] => Node::check(fence),
            _ => Err(Failure::Fenced),
        };
        let loaded = load(session, facts, &mut plan, &besides, begin, check, now).await?;
        let mut group = Group::new(&loaded, facts, ids, now)?;
        let outcomes = group.run(batch.asked.iter().map(|asked| asked.submit.clone()))?;
        let left = group.left_due();
        let (state, changed) = group.end();
        look_up(session, claimed, &changed).await?;
        compare(session, &loaded, &changed).await?;
        self.fault(Point::Loaded).await?;
        let done = Done {
            outcomes,
            left,
            worked: changed.done,
            clocks: changed.clocks.clone(),
            commits: changed.commits.len() as u64,
        };
        if changed.commits.is_empty() {
            self.roll_back().await;
            return Ok(done);
        }
        let write = Write {
            stored: &loaded,
            changed: &changed,
            state: &state,
            now,
            batch: self.ids.issue(now),
        };
        self.write(&write, &loaded, done, earlier).await
    }

    async fn write(
        &mut self,
        write: &Write<'_>,
        loaded: &Loaded,
        done: Done,
        earlier: &Answers,
    ) -> Result<Done, Broken> {
        let Write { now, batch, .. } = *write;
        let facts = &mut self.facts;
        let (mut calls, ends) = write.calls(|work| facts.owner_of(work))?;
        let lease_until = self.name.lease_from(now);
        if batch > Node::claimed(now) {
            calls.push(self.node.keep(lease_until, batch, now));
        }
        calls.extend(write.commits());
        calls.push(Call::new(COMMIT));
        let doubt = |done| {
            let first = write.changed.commits.first();
            let tenant = first.map_or(NOBODY, |(tenant, _)| *tenant);
            Broken::Doubt(Box::new(Doubt {
                tenant,
                after: loaded.heads.get(&tenant).copied().unwrap_or(0),
                batch,
                done,
            }))
        };
        let mut written = self.fault(Point::Commit).await;
        if written.is_ok() {
            written = match &mut self.session {
                Some(session) => session
                    .calls_while(calls, || earlier.give())
                    .await
                    .map(drop),
                None => Err(Failure::Lost("there is no connection".into())),
            };
        }
        if written.is_ok() {
            written = self.fault(Point::Committed).await;
        }
        match written {
            Ok(()) => {
                self.node.lease_until = lease_until;
                self.node.last_id = batch.max(Node::claimed(now));
                self.node.last_at = now;
                self.learn(write, loaded, &ends);
                Ok(done)
            }
            Err(Failure::Lost(_)) => Err(doubt(done)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Keeps what was committed.
    fn learn(&mut self, write: &Write<'_>, loaded: &Loaded, ends: &BTreeMap<AccountId, End>) {
        for (owner, accounts) in &write.changed.systems {
            self.facts.put_system_accounts(*owner, accounts);
        }
        let gathered = &write.changed.gathered;
        let mut ids = gathered.moved();
        ids.extend(&gathered.accounts);
        for id in ids {
            let Some(account) = write.state.account(id) else {
                continue;
            };
            let end = ends.get(&id).copied().or_else(|| loaded.end_of(id));
            let end = end.unwrap_or_default();
            self.facts.put_stored(Arc::new(StoredAccount {
                account: account.clone(),
                chain: end.chain,
                entries_until: end.until,
            }));
        }
    }

    /// What became of a transaction whose `COMMIT` was not answered: its outcome, or `None` when it
    /// was not committed. Waits until it has ended.
    ///
    /// # Errors
    /// [`Failure`] of the database: it is still not known.
    pub(crate) async fn resolve(&mut self, doubt: Doubt) -> Result<Option<Done>, (Doubt, Failure)> {
        match self.find(&doubt).await {
            Ok(true) => {
                self.node.last_id = self.node.last_id.max(doubt.batch);
                Ok(Some(doubt.done))
            }
            Ok(false) => Ok(None),
            Err(failure) => {
                match failure {
                    Failure::Lost(_) => self.session = None,
                    _ => self.roll_back().await,
                }
                Err((doubt, failure))
            }
        }
    }

    async fn find(&mut self, doubt: &Doubt) -> Result<bool, Failure> {
        let find = Call::new(FIND_BATCH)
            .with(doubt.tenant.raw().cast_signed())
            .with(doubt.after)
            .with(doubt.batch.cast_signed());
        let calls = vec![
            Call::new(BEGIN),
            self.node.wait(),
            find,
            Call::new(ROLLBACK),
        ];
        let answers = self.session().await?.calls(calls).await?;
        match &answers[..] {
            [_, _, found, _] => Ok(found
                .first()
                .map(|row| rows::raw(row, 0))
                .transpose()?
                .is_some()),
            _ => Ok(false),
        }
    }

    async fn fault(&mut self, point: Point) -> Result<(), Failure> {
        let Some(faults) = self.faults.clone() else {
            return Ok(());
        };
        match faults.at(point).await {
            None => Ok(()),
            Some(Fault::Cut) => {
                self.session = None;
                Err(Failure::Lost("a fault has cut the connection".into()))
            }
            Some(Fault::State(state)) => Err(Failure::of_state(state, "a fault".to_owned())),
        }
    }
}

/// Reads accounts that were trusted and are not written: nothing else would tell that they are otherwise.
///
/// # Errors
/// [`Failure::Stale`] when one is; others of the database.
async fn compare(session: &mut Session, loaded: &Loaded, changed: &Changed) -> Result<(), Failure> {
    if loaded.trusted.is_empty() {
        return Ok(());
    }
    let moved = changed.gathered.moved();
    let trusted = loaded.trusted.iter();
    let unproven: BTreeSet<_> = trusted
        .filter(|(_, id)| !moved.contains(id))
        .copied()
        .collect();
    if unproven.is_empty() {
        return Ok(());
    }
    let rows = session.call(changing(&unproven)).await?;
    let mut seen = 0;
    for row in &rows {
        let id = AccountId::new(rows::raw(row, 0)?);
        if let Some(stored) = loaded.accounts.get(&id)
            && rows::changing(row, &stored.account)? == **stored
        {
            seen += 1;
        }
    }
    if seen < unproven.len() {
        return Err(Failure::Stale("an account is not as it was known".into()));
    }
    Ok(())
}

/// Looks keys up that were claimed on trust and that the transaction does not remember: nothing else
/// would tell that one of them was used before.
///
/// # Errors
/// [`Failure::Taken`] when one was; others of the database.
async fn look_up(
    session: &mut Session,
    mut claimed: BTreeSet<Fingerprint>,
    changed: &Changed,
) -> Result<(), Failure> {
    for remembered in &changed.remembered {
        claimed.remove(&remembered.key);
    }
    if claimed.is_empty() || session.call(remembered(&claimed)).await?.is_empty() {
        return Ok(());
    }
    Err(Failure::Taken("an idempotency key was used before".into()))
}
