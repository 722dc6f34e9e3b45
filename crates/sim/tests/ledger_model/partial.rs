//! A state that holds only what a decision may look at decides as the whole state does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ledger::touches::Found;
use ledger::{
    Account, AccountState, Command, Context, Due, Effect, Execution, ExecutionId, IdSource, Millis,
    Rule, RuleId, State, TenantId, Touch, Transfer, TransferId, Work, decide, touches,
};

/// Decides on both and compares; what is decided must fit the small state too.
pub fn check(state: &State, command: &Command, now: Millis, ids: &IdSource) {
    let mut part = part(state, command);
    let decide = |state: &State| {
        let mut ids = ids.clone();
        let mut context = Context { now, ids: &mut ids };
        (decide(state, command, &mut context), ids.issue(now))
    };
    let (whole, small) = (decide(state), decide(&part));
    assert_eq!(whole, small, "more is looked at than named: {command:?}");
    for effect in whole.0.iter().flat_map(|decision| &decision.effects) {
        let applied = part.apply(effect);
        applied.unwrap_or_else(|error| panic!("{error}: {command:?}"));
    }
}

/// What the touches of one command lead to.
struct Part<'a> {
    whole: &'a State,
    tenant: TenantId,
    /// What is in the part, by id.
    accounts: BTreeMap<u64, &'a Account>,
    transfers: BTreeMap<TransferId, &'a Transfer>,
    rules: BTreeMap<RuleId, &'a Rule>,
    /// Rules with their counters.
    counted: BTreeSet<RuleId>,
    executions: BTreeMap<ExecutionId, &'a Execution>,
    due: BTreeSet<Due>,
    state: State,
}

fn part(whole: &State, command: &Command) -> State {
    let Some(tenant) = command.tenant() else {
        return State::default();
    };
    let mut part = Part {
        whole,
        tenant,
        accounts: BTreeMap::new(),
        transfers: BTreeMap::new(),
        rules: BTreeMap::new(),
        counted: BTreeSet::new(),
        executions: BTreeMap::new(),
        due: BTreeSet::new(),
        state: State::default(),
    };
    let mut seen = BTreeSet::new();
    // First come, first served: the tenant, which the rest needs, is named first.
    let mut waiting = VecDeque::from(touches(command));
    while let Some(touch) = waiting.pop_front() {
        if seen.insert(touch) {
            waiting.extend(part.load(touch));
        }
    }
    // Whoever loads rows finds them in any order; an account needs its owner, work its tenant.
    let Part {
        accounts,
        transfers,
        rules,
        counted,
        executions,
        due,
        mut state,
        ..
    } = part;
    for account in accounts.into_values() {
        let restored = state.restore_account(account.clone());
        restored.expect("its owner is named with it");
    }
    for transfer in transfers.into_values() {
        let restored = state.restore_open_transfer(transfer.clone());
        restored.expect("once");
    }
    for rule in rules.into_values() {
        let restored = state.restore_rule(rule);
        restored.expect("its owner is named with it");
    }
    for rule in counted {
        for (place, used) in whole.caps_used(rule).into_iter().flatten() {
            let restored = state.restore_cap(rule, *place, *used);
            restored.expect("its rule is named with it");
        }
    }
    for execution in executions.into_values() {
        let restored = state.restore_execution(execution.clone());
        restored.expect("its owner is named with it");
    }
    for due in due {
        state.restore_due(due).expect("its tenant is named with it");
    }
    state
}

impl<'a> Part<'a> {
    fn load(&mut self, touch: Touch) -> Vec<Touch> {
        let (whole, own) = (self.whole, self.tenant);
        match touch {
            Touch::Tenant(id) => {
                let found = whole.tenant(id).filter(|tenant| tenant.id == own);
                if let Some(tenant) = found {
                    self.state.restore_tenant(tenant.clone()).expect("once");
                }
            }
            Touch::TenantInUse(id) => {
                let any = whole.accounts().find(|account| account.tenant == id);
                return self.keep(touch, any);
            }
            Touch::FirstDue(id) => self.due.extend(whole.due_of(id).next()),
            Touch::Owner(id) => {
                if let Some(owner) = whole.owner(id).filter(|owner| owner.tenant == own) {
                    let made = Effect::OwnerCreated(owner.clone());
                    self.state.apply(&made).expect("its tenant is named first");
                }
            }
            Touch::Account(id) | Touch::Money(id) => {
                return self.keep(touch, whole.account(id));
            }
            Touch::SystemOf(id, ..) | Touch::RulesBeside(id) => {
                let found = whole.account(id).filter(|account| account.tenant == own);
                let links = found.map(|account| Found::Account(account.into()));
                return links.map_or(Vec::new(), |found| touch.then(found));
            }
            Touch::Uses(id) => {
                let spends = |card: &&Account| {
                    card.parent == Some(id) && card.state != AccountState::Destroyed
                };
                let then = self.keep(touch, whole.accounts().find(spends));
                let uses = |transfer: &&ledger::Transfer| {
                    transfer.source == Some(id) || transfer.destination == Some(id)
                };
                let open = whole.open_transfers().find(uses);
                let open = open.filter(|transfer| transfer.tenant == own);
                self.transfers
                    .extend(open.map(|transfer| (transfer.id, transfer)));
                return then;
            }
            Touch::System(owner, kind, currency) => {
                return self.keep(touch, whole.system_account(owner, kind, currency));
            }
            Touch::Profile(tenant, id) => {
                let found = whole.profile(id);
                if let Some(profile) = found.filter(|profile| profile.tenant == tenant) {
                    let set = Effect::ProfileSet(profile.clone());
                    self.state.apply(&set).expect("its tenant is named first");
                }
            }
            Touch::Transfer(id) | Touch::Settlement(id) => {
                let found = whole.open_transfer(id);
                if let Some(transfer) = found.filter(|transfer| transfer.tenant == own) {
                    self.transfers.insert(id, transfer);
                    return touch.then(Found::Transfer(transfer.into()));
                }
            }
            Touch::Hold(id) => {
                if let Some(hold) = whole.hold(id).filter(|hold| hold.tenant == own) {
                    self.state.restore_hold(*hold).expect("once");
                    return touch.then(Found::Hold(hold.into()));
                }
            }
            Touch::Bulk(id) | Touch::Turn(id) => {
                if let Some(bulk) = whole.bulk(id).filter(|bulk| bulk.tenant == own) {
                    self.state.restore_bulk(bulk.clone()).expect("once");
                    return touch.then(Found::Bulk(bulk));
                }
            }
            Touch::Arriving(id) => {
                let open = whole.open_transfers();
                let arriving = open.filter(|t| t.destination == Some(id) && t.tenant == own);
                let arriving = arriving.filter(|t| t.rail.is_some() || t.rule.is_some());
                self.transfers
                    .extend(arriving.map(|transfer| (transfer.id, transfer)));
                let account = whole.account(id).filter(|account| account.tenant == own);
                let links = account.map(|account| Found::Account(account.into()));
                return links.map_or(Vec::new(), |found| touch.then(found));
            }
            Touch::Listener(id) => {
                let rule = whole.rule_listening_on(id);
                return self.keep_rule(touch, rule);
            }
            Touch::Rule(id) | Touch::Siblings(id) => {
                return self.keep_rule(touch, whole.rule(id));
            }
            Touch::RunOf(id) => {
                if whole.rule(id).is_some_and(|rule| rule.tenant == own) {
                    self.counted.insert(id);
                }
                return self.keep_rule(touch, whole.rule(id));
            }
            Touch::Rules(owner) => {
                for rule in whole.rules_of(owner).filter(|rule| rule.tenant == own) {
                    self.rules.insert(rule.id, rule);
                }
            }
            Touch::Asked(rule) => return self.keep_execution(touch, whole.asked_execution(rule)),
            Touch::Execution(id) | Touch::Run(id) => {
                return self.keep_execution(touch, whole.execution(id));
            }
            Touch::Waiting(work) => self.due.extend(self.waiting(work)),
        }
        Vec::new()
    }

    fn keep(&mut self, touch: Touch, account: Option<&'a Account>) -> Vec<Touch> {
        let Some(account) = account.filter(|account| account.tenant == self.tenant) else {
            return Vec::new();
        };
        self.accounts.insert(account.id.raw(), account);
        let mut then = touch.then(Found::Account(account.into()));
        then.push(Touch::Owner(account.owner));
        then
    }

    fn keep_rule(&mut self, touch: Touch, rule: Option<&'a Rule>) -> Vec<Touch> {
        let Some(rule) = rule.filter(|rule| rule.tenant == self.tenant) else {
            return Vec::new();
        };
        self.rules.insert(rule.id, rule);
        let mut then = touch.then(Found::Rule(rule));
        then.push(Touch::Owner(rule.owner));
        then
    }

    fn keep_execution(&mut self, touch: Touch, execution: Option<&'a Execution>) -> Vec<Touch> {
        let Some(execution) = execution.filter(|execution| execution.tenant == self.tenant) else {
            return Vec::new();
        };
        self.executions.insert(execution.id, execution);
        let mut then = touch.then(Found::Execution(execution.into()));
        then.push(Touch::Owner(execution.owner));
        then
    }

    fn waiting(&self, work: Work) -> Vec<Due> {
        let of_work = |due: &&Due| due.work == work;
        let waiting = self.whole.due_of(self.tenant).filter(of_work);
        waiting.copied().collect()
    }
}
