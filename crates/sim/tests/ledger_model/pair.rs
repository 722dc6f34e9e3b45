//! The ledger and the model of it, side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::execution::Cause;
use ledger::rule::snapshot::CapsUsed;
use ledger::{
    AccountId, AccountKind, Bulk, BulkId, Command, Context, Currency, Due, Effect, Execution,
    ExecutionId, ExecutionMode, ExecutionStatus, ExecutionStep, ExternalKind, HoldId, IdSource,
    Millis, OperationOutcome, OwnerId, OwnerKind, ProfileId, Rail, Rejection, Reply, RuleId, State,
    Status, SystemKind, TenantId, TenantMode, Transfer, TransferId, decide,
};
use sim::model::due::Made;
use sim::model::{Model, Refusal, Run};

use crate::apply::{opening, paycheck};
use crate::{programme, rules, tally};

pub const START: Millis = Millis(1_800_000_000_000);
pub const KINDS: [AccountKind; 8] = [
    AccountKind::IncomeSource,
    AccountKind::Pod,
    AccountKind::External(ExternalKind::Depository),
    AccountKind::External(ExternalKind::Investment),
    AccountKind::External(ExternalKind::Liability),
    AccountKind::System(SystemKind::World),
    AccountKind::PrepaidCard,
    AccountKind::DebitCard,
];
/// A number that is the id of nothing.
pub const NOTHING: u64 = 5;

/// Both ledgers, and everything that was ever seen of the real one.
pub struct Pair {
    pub state: State,
    model: Model,
    ids: IdSource,
    pub machine: Millis,
    pub log: Vec<Effect>,
    pub transfers: BTreeMap<TransferId, Transfer>,
    /// Every bulk as its effects leave it, with what became of its operations.
    pub bulks: BTreeMap<BulkId, (Bulk, Vec<OperationOutcome>)>,
    /// Every run of a rule as its effects leave it.
    pub executions: BTreeMap<ExecutionId, Execution>,
    made: Made,
    /// Ids to choose from: those that exist, and at the beginning one that does not.
    pub tenants: Vec<TenantId>,
    pub owners: Vec<(OwnerId, TenantId)>,
    pub accounts: Vec<(AccountId, TenantId)>,
    pub profiles: Vec<(ProfileId, TenantId)>,
    pub holds: Vec<(HoldId, TenantId)>,
    pub rules: Vec<(RuleId, TenantId)>,
    pub due: Vec<Due>,
    pub stranger: Option<TenantId>,
    /// What each command was answered.
    pub answers: Vec<(&'static str, Result<(), Refusal>)>,
}

impl Pair {
    pub fn new() -> Pair {
        let nobody = TenantId::new(NOTHING);
        let mut pair = Pair {
            state: State::default(),
            model: Model::default(),
            ids: IdSource::new(0, 0),
            machine: START,
            log: Vec::new(),
            transfers: BTreeMap::new(),
            bulks: BTreeMap::new(),
            executions: BTreeMap::new(),
            made: Made::default(),
            tenants: vec![nobody],
            owners: vec![(OwnerId::new(NOTHING), nobody)],
            accounts: vec![(AccountId::new(NOTHING), nobody)],
            profiles: vec![(ProfileId::new(NOTHING), nobody)],
            holds: vec![(HoldId::new(NOTHING), nobody)],
            rules: vec![(RuleId::new(NOTHING), nobody)],
            due: Vec::new(),
            stranger: None,
            answers: Vec::new(),
        };
        pair.begin();
        // What is counted is what the steps ask.
        pair.answers.clear();
        pair
    }

    /// Two sandboxes and a live tenant, each with a programme, owners and some accounts, and in
    /// the sandboxes with money.
    fn begin(&mut self) {
        for mode in [TenantMode::Sandbox, TenantMode::Sandbox, TenantMode::Live] {
            let name = Arc::from("Acme");
            self.run(&Command::CreateTenant { name, mode });
            let tenant = *self.tenants.last().expect("just made");
            let kind = OwnerKind::Consumer;
            let name = Arc::from("Ada");
            self.run(&Command::CreateOwner { tenant, kind, name });
            let (owner, _) = *self.owners.last().expect("just made");
            for kind in [KINDS[0], KINDS[1], KINDS[1], KINDS[2], KINDS[4]] {
                let open = opening(tenant, owner, kind, Currency::USD);
                self.run(&Command::OpenAccount(open));
                let (account, _) = *self.accounts.last().expect("just made");
                self.run(&paycheck(tenant, account, 500));
            }
            rules::begin(self, tenant, owner);
            programme::begin(self, tenant, owner);
        }
    }

    /// The tenant to speak for: the object's own, unless a stranger was announced.
    pub fn speaker(&mut self, own: TenantId) -> TenantId {
        self.stranger.take().unwrap_or(own)
    }

    /// A tenant's time; the machine's for one that does not exist.
    pub fn time_of(&self, tenant: TenantId) -> Millis {
        let known = self.state.tenant(tenant);
        known.map_or(self.machine, |tenant| tenant.clock.now(self.machine))
    }

    /// Gives one command to both and compares what they answer and what they then hold.
    pub fn run(&mut self, command: &Command) {
        let answer = self.decide(command);
        let id = answer.as_ref().ok().and_then(|reply| match reply {
            Reply::Done => None,
            Reply::Tenant(tenant) => Some(tenant.id.raw()),
            Reply::Owner(owner) => Some(owner.id.raw()),
            Reply::Account(account) => Some(account.id.raw()),
            Reply::Transfer { transfer, .. } => Some(transfer.id.raw()),
            Reply::Hold(hold) => Some(hold.id.raw()),
            Reply::Profile(profile) => Some(profile.id.raw()),
            Reply::Bulk(bulk) => Some(bulk.id.raw()),
            Reply::Rule(rule) => Some(rule.id.raw()),
            Reply::Execution(execution) => Some(execution.id.raw()),
        });
        let answer = answer.map(|_| ()).map_err(|rejection| rejection.code());
        if answer.is_err() {
            // The model must refuse before it asks for an id.
            assert!(id.is_none());
        }
        let modelled = self.model.run(command, self.machine, id, &self.made);
        assert_eq!(answer, modelled, "{command:?}");
        self.answers.push((tally::name(command), answer));
        self.compare();
    }

    fn decide(&mut self, command: &Command) -> Result<Reply, Rejection> {
        crate::partial::check(&self.state, command, self.machine, &self.ids);
        let mut context = Context {
            now: self.machine,
            ids: &mut self.ids,
        };
        let decision = decide(&self.state, command, &mut context)?;
        for effect in decision.effects {
            self.state
                .apply(&effect)
                .expect("what was decided fits the state");
            self.note(&effect);
            self.log.push(effect);
        }
        self.check_reply(command, &decision.reply);
        Ok(decision.reply)
    }

    /// What is answered is what there is afterwards; of a transfer that fails on demand, what there is
    /// before.
    fn check_reply(&self, command: &Command, reply: &Reply) {
        match reply {
            Reply::Done | Reply::Owner(_) | Reply::Hold(_) => {}
            Reply::Tenant(tenant) => assert_eq!(self.state.tenant(tenant.id), Some(tenant)),
            Reply::Account(account) => assert_eq!(self.state.account(account.id), Some(account)),
            Reply::Profile(profile) => assert_eq!(self.state.profile(profile.id), Some(profile)),
            Reply::Bulk(bulk) => assert_eq!(&self.bulks[&bulk.id].0, bulk),
            Reply::Rule(rule) => assert_eq!(self.state.rule(rule.id), Some(rule)),
            Reply::Execution(execution) => {
                assert_eq!(&self.executions[&execution.id], execution);
            }
            Reply::Transfer { transfer, .. } => {
                let mut after = self.transfers[&transfer.id].clone();
                if let Command::CreateTransfer(create) = command
                    && after.error.is_some()
                {
                    assert_eq!(after.error, create.fails_with);
                    (after.status, after.error) = (Status::Processing, None);
                }
                assert_eq!(&after, transfer);
            }
        }
    }

    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::TenantCreated(tenant) => self.tenants.push(tenant.id),
            Effect::OwnerCreated(owner) => self.owners.push((owner.id, owner.tenant)),
            // System accounts too: nobody may use them.
            Effect::AccountOpened(account) => self.accounts.push((account.id, account.tenant)),
            Effect::HoldPlaced(hold) => self.holds.push((hold.id, hold.tenant)),
            Effect::DueAdded(due) => self.due.push(*due),
            Effect::ProfileSet(profile) => {
                let known = (profile.id, profile.tenant);
                if !self.profiles.contains(&known) {
                    self.profiles.push(known);
                }
            }
            Effect::BulkSubmitted(bulk) => {
                self.bulks.insert(bulk.id, (bulk.clone(), Vec::new()));
            }
            Effect::BulkMoved {
                bulk, to, mode, at, ..
            } => {
                let (bulk, _) = self.bulks.get_mut(bulk).expect("it was submitted");
                assert!(!bulk.status.is_final(), "a bulk moves after its end");
                bulk.moved(*to, *mode, *at);
            }
            Effect::BulkStepped {
                bulk: id,
                operation,
                outcome,
            } => {
                let (bulk, outcomes) = self.bulks.get_mut(id).expect("it was submitted");
                bulk.stepped(*outcome);
                assert_eq!(usize::try_from(*operation), Ok(outcomes.len()));
                if let OperationOutcome::Made(transfer, _) = outcome {
                    let operation = (*id, outcomes.len());
                    self.made.operations.insert(operation, *transfer);
                }
                outcomes.push(*outcome);
            }
            Effect::RuleSet(rule) => {
                let known = (rule.id, rule.tenant);
                if !self.rules.contains(&known) {
                    self.rules.push(known);
                }
                self.made.rules.insert(rule.id, rule.clone());
            }
            Effect::ExecutionRecorded(execution) => {
                let (rule, id) = (execution.rule, execution.id);
                let twin = match execution.cause {
                    Cause::Manual { .. } => None,
                    Cause::FundsTransferred { transfer, .. } => {
                        self.made.set_off.insert((rule, transfer), id)
                    }
                    Cause::Scheduled { at } => self.made.scheduled.insert((rule, at), id),
                };
                assert_eq!(twin, None, "one cause has one run: {execution:?}");
                self.executions.insert(id, execution.clone());
            }
            Effect::ExecutionMoved {
                execution: id,
                step,
                at,
            } => {
                let execution = self.executions.get_mut(id).expect("it was recorded");
                assert_eq!(execution.status, ExecutionStatus::InProgress);
                execution.moved(step, *at);
                if let ExecutionStep::Ran(ran, _) = step {
                    self.made.transfers.insert(*id, ran.transfers.to_vec());
                }
            }
            Effect::TransferRecorded(transfer) => {
                let twin = self.transfers.insert(transfer.id, transfer.clone());
                assert!(twin.is_none(), "recorded twice");
            }
            Effect::TransferMoved {
                transfer,
                from,
                to,
                error,
                fee_minor,
                cancel_reason,
                at,
            } => {
                let known = self.transfers.get_mut(transfer).expect("it was recorded");
                assert!(!known.status.is_final(), "a final transfer moves");
                assert_eq!(known.status, *from);
                known.status = *to;
                known.error = *error;
                known.fee_minor += fee_minor;
                known.cancel_reason.clone_from(cancel_reason);
                known.updated_at = *at;
                if *to == Status::Complete {
                    known.completed_at = Some(*at);
                }
            }
            _ => {}
        }
    }

    pub fn run_due(&mut self) {
        while let Some(due) = self.state.next_due(self.machine) {
            self.decide(&Command::RunDue(due))
                .expect("due work is never refused");
            assert!(self.log.len() < 100_000, "work without an end");
        }
        self.model.run_due(self.machine, &self.made);
        self.compare();
    }

    /// Does one piece of work, so that commands meet what is half done.
    pub fn run_one(&mut self) {
        if let Some(due) = self.state.next_due(self.machine) {
            self.decide(&Command::RunDue(due))
                .expect("due work is never refused");
            let done = self.model.run_one(due.tenant, self.machine, &self.made);
            assert!(done, "the model has nothing to do: {due:?}");
            self.compare();
        }
    }

    fn compare(&self) {
        self.compare_accounts();
        self.compare_transfers();
        self.compare_programmes();
        self.compare_rules();
        assert_eq!(self.state.holds().count(), self.model.holds.len());
        for hold in self.state.holds() {
            assert!(self.model.holds.contains_key(&hold.id));
        }
        assert_eq!(self.state.due_len(), self.model.waiting());
    }

    fn compare_accounts(&self) {
        let mut totals: BTreeMap<Currency, i128> = BTreeMap::new();
        let mut customers = 0;
        for account in self.state.accounts() {
            *totals.entry(account.currency).or_default() += i128::from(account.balance);
            let pot = (account.owner, account.currency);
            let modelled = match account.kind {
                AccountKind::System(SystemKind::World) => self.model.world.get(&pot),
                AccountKind::System(SystemKind::InTransit(Rail::Simulated)) => {
                    self.model.transit.get(&pot)
                }
                AccountKind::System(SystemKind::FeeIncome) => self.model.fees.get(&pot),
                _ => {
                    customers += 1;
                    let known = &self.model.accounts[&account.id];
                    assert_eq!(account.kind, known.kind);
                    assert_eq!(account.currency, known.currency);
                    assert_eq!((account.state, account.reason), (known.state, known.reason));
                    let roles = (account.can_be_source, account.can_be_destination);
                    assert_eq!(roles, known.roles);
                    let under = (account.profile, account.parent);
                    assert_eq!(under, (known.profile, known.parent));
                    let (name, tag, details) = &known.texts;
                    assert_eq!(&*account.name, name);
                    assert_eq!(account.tag.as_deref(), tag.as_deref());
                    assert_eq!(account.details.as_deref(), details.as_deref());
                    assert_eq!(i128::from(account.held), self.model.held(account.id));
                    assert!(account.available() >= 0, "{account:?}");
                    Some(&known.balance)
                }
            };
            let modelled = modelled.copied().unwrap_or(0);
            assert_eq!(i128::from(account.balance), modelled, "{account:?}");
        }
        assert_eq!(customers, self.model.accounts.len());
        for (currency, total) in totals {
            assert_eq!((total, self.model.total(currency)), (0, 0), "{currency}");
        }
    }

    fn compare_transfers(&self) {
        assert_eq!(self.transfers.len(), self.model.transfers.len());
        for (id, transfer) in &self.transfers {
            let known = &self.model.transfers[id];
            assert_eq!(
                (transfer.status, transfer.error, transfer.completed_at),
                (known.status, known.error, known.completed_at),
                "{transfer:?}"
            );
            assert_eq!(
                (transfer.tenant, transfer.owner),
                (known.tenant, known.owner)
            );
            assert_eq!(i128::from(transfer.amount.minor()), known.minor);
            assert_eq!(i128::from(transfer.fee_minor), known.fee, "{transfer:?}");
            let reason = transfer.cancel_reason.as_deref();
            assert_eq!(reason, known.cancel_reason.as_deref());
            assert_eq!(transfer.card, known.card, "{id}");
            let order = known.order.as_ref();
            assert_eq!(transfer.profile, order.map(|order| order.profile));
            assert_eq!(transfer.tag, order.and_then(|order| order.tag.clone()));
            let scheduled = order.and_then(|order| order.scheduled_at);
            assert_eq!(transfer.scheduled_at, scheduled);
            let open = self.state.open_transfer(*id);
            assert_eq!(open.is_some(), !transfer.status.is_final());
            assert!(open.is_none_or(|open| open == transfer));
        }
    }

    fn compare_programmes(&self) {
        assert_eq!(self.state.profiles().count(), self.model.profiles.len());
        for profile in self.state.profiles() {
            let known = &self.model.profiles[&profile.id];
            assert_eq!(&*profile.name, known.name);
            assert_eq!(
                (profile.tenant, profile.active),
                (known.tenant, known.active)
            );
            assert_eq!(profile.currencies, known.currencies);
            assert_eq!(profile.terms, known.terms);
        }
        assert_eq!(self.bulks.len(), self.model.bulks.len());
        for (id, (bulk, outcomes)) in &self.bulks {
            let known = &self.model.bulks[id];
            assert_eq!((bulk.status, bulk.mode), (known.status, known.mode));
            assert_eq!(bulk.operations[..], known.orders[..]);
            assert_eq!(bulk.started_at, known.started_at);
            assert_eq!(bulk.finished_at, known.finished_at);
            assert_eq!(outcomes.len(), known.outcomes.len());
            for (outcome, known) in outcomes.iter().zip(&known.outcomes) {
                let outcome = match *outcome {
                    OperationOutcome::Made(transfer, status) => Ok((transfer, status)),
                    OperationOutcome::Denied(denial) => Err(denial.name()),
                    OperationOutcome::ProfileNotFound => Err("profile_not_found"),
                };
                assert_eq!(outcome, *known);
            }
            let made = outcomes
                .iter()
                .filter(|o| matches!(o, OperationOutcome::Made(..)));
            let counts = (made.count(), outcomes.len());
            let seen = (bulk.succeeded as usize, bulk.next());
            assert_eq!(seen, counts);
            let open = self.state.bulk(*id);
            assert_eq!(open.is_some(), !bulk.status.is_final());
            assert!(open.is_none_or(|open| open == bulk));
        }
    }

    fn compare_rules(&self) {
        assert_eq!(self.state.rules().count(), self.model.rules.len());
        for rule in self.state.rules() {
            let known = &self.model.rules[&rule.id];
            let next = self.state.next_run(rule.id);
            assert_eq!(
                (rule.enabled, rule.version, next),
                (known.on, known.version, known.next),
                "{rule:?}"
            );
            let none = CapsUsed::new();
            assert_eq!(self.state.caps_used(rule.id).unwrap_or(&none), &known.caps);
        }
        assert_eq!(self.executions.len(), self.model.runs.len());
        for (id, execution) in &self.executions {
            let known = &self.model.runs[id];
            let ran = execution.ran.as_ref();
            let seen = Run {
                tenant: execution.tenant,
                rule: execution.rule,
                cause: execution.cause,
                simulated: execution.mode == ExecutionMode::Simulation,
                depth: execution.depth,
                turn: known.turn,
                delays: usize::from(execution.delays),
                asks: execution
                    .asks
                    .map(|(step, action)| (step.into(), action.into())),
                counts: ran.map_or((0, 0, 0, 0), |ran| {
                    let counts = ran.counts;
                    let ended = (counts.completed, counts.failed);
                    (counts.attempted, ended.0, ended.1, counts.pending)
                }),
                error: execution.error,
                ran: ran.map(|ran| (ran.version, ran.explanation.step.map(usize::from))),
            };
            assert_eq!(&seen, known);
            assert_eq!(execution.status, known.status(), "{execution:?}");
            let turn = known.turn.filter(|_| execution.delays > 0);
            assert_eq!(execution.next_attempt_at, turn);
            let open = self.state.execution(*id);
            let over = execution.status != ExecutionStatus::InProgress;
            assert_eq!(open, (!over).then_some(execution));
        }
    }

    /// Applying every effect again, from nothing, gives the same state.
    pub fn check_replay(&self) {
        let mut again = State::default();
        for effect in &self.log {
            again.apply(effect).expect("it fitted the first time");
        }
        assert_eq!(contents(&again), contents(&self.state));
        assert_eq!(again.last_id(), self.state.last_id());
        assert_eq!(again.next_due_at(), self.state.next_due_at());
    }
}

/// Everything in a state, in a fixed order.
fn contents(state: &State) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for account in state.accounts() {
        let linked = state.has_linked_cards(account.id);
        let arriving = state.arriving(account.id);
        let listener = state.rule_listening_on(account.id).map(|rule| rule.id);
        all.push(format!("{account:?} {linked} {arriving} {listener:?}"));
    }
    all.extend(state.open_transfers().map(|open| format!("{open:?}")));
    all.extend(state.holds().map(|hold| format!("{hold:?}")));
    all.extend(state.profiles().map(|profile| format!("{profile:?}")));
    all.extend(state.bulks().map(|bulk| format!("{bulk:?}")));
    for rule in state.rules() {
        let (next, caps) = (state.next_run(rule.id), state.caps_used(rule.id));
        let asked = state.asked_execution(rule.id).map(|run| run.id);
        all.push(format!("{rule:?} {next:?} {caps:?} {asked:?}"));
    }
    all.extend(state.executions().map(|run| format!("{run:?}")));
    for tenant in state.tenants() {
        all.push(format!("{tenant:?}"));
        all.extend(state.due_of(tenant.id).map(|due| format!("{due:?}")));
    }
    all.sort();
    all
}
