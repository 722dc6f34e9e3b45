//! Rules that run in a world with money: what sets them off, what they leave behind, and that
//! each of it happens once.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::account::Reported;
use ledger::execution::{Cause, Counts, ExecutionError, RETRIES_MS};
use ledger::rule::draft::{RuleDraft, TriggerDraft};
use ledger::rule::failure::Failure;
use ledger::rule::lint::LintCode;
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::snapshot::Answers;
use ledger::rule::{CASCADE_MAX, RULES_MAX, Settings, TriggerKind};
use ledger::{
    AccountId, ChangeRule, Command, Due, Effect, ErrorCode, Execution, ExecutionId, ExecutionMode,
    ExecutionStatus, Incoming, Millis, NewRule, OpenAccount, Origin, Rejection, Reply, Rule,
    RuleId, State, Status, TenantClock, TenantMode, Transfer, TriggerRule, Work,
};

use crate::rules_world::{Accounts, draft};
use crate::world::{BANK, INCOME, LOAN, POD, RAIL_MS, START, USD, World};

const DAY_MS: i64 = 86_400_000;

/// A world with pay, three pods, a bank and a card, and rules between them.
pub struct Home {
    pub world: World,
    pub accounts: Accounts,
}

impl Home {
    pub fn new() -> Home {
        Home::of(World::new())
    }

    fn of(mut world: World) -> Home {
        let pay = world.account(INCOME);
        let pods = [world.account(POD), world.account(POD), world.account(POD)];
        let bank = world.account(BANK);
        let card = world.open(OpenAccount {
            reported: Reported {
                balance: Some(52_000),
                next_payment_minimum: Some(3_500),
                ..Reported::default()
            },
            ..world.opening(LOAN, USD)
        });
        let accounts = Accounts::named(&[
            ("pay", pay),
            ("a", pods[0]),
            ("b", pods[1]),
            ("c", pods[2]),
            ("bank", bank),
            ("card", card),
        ]);
        Home { world, accounts }
    }

    pub fn id(&self, name: &str) -> AccountId {
        self.accounts.id(name)
    }

    pub fn balance(&self, name: &str) -> i64 {
        self.world.balance(self.id(name))
    }

    /// Pay arrives, and all that follows from it at once.
    pub fn deposit(&mut self, name: &str, minor: i64) {
        self.world.fund(self.id(name), minor);
        self.world.run_due();
    }

    pub fn draft_on(&self, name: &str, text: &str) -> RuleDraft {
        let mut draft = draft(&self.accounts, text);
        draft.trigger = TriggerDraft {
            kind: TriggerKind::OnFundsTransferred,
            account: Some(self.id(name)),
            ..draft.trigger
        };
        draft
    }

    pub fn create(&mut self, draft: RuleDraft) -> RuleId {
        let new = NewRule {
            tenant: self.world.tenant,
            owner: self.world.owner,
            draft,
            settings: Settings {
                rail_delay_ms: RAIL_MS,
                ..Settings::default()
            },
        };
        match self.world.run(&Command::CreateRule(new)) {
            Ok(Reply::Rule(rule)) => {
                assert!(!rule.enabled, "a new rule is off");
                rule.id
            }
            other => panic!("no rule: {other:?}"),
        }
    }

    pub fn switch(&mut self, rule: RuleId, enabled: bool) -> Result<Rule, Rejection> {
        let tenant = self.world.tenant;
        let switch = Command::SwitchRule {
            tenant,
            owner: None,
            rule,
            enabled,
        };
        match self.world.run(&switch)? {
            Reply::Rule(rule) => Ok(rule),
            other => panic!("no rule: {other:?}"),
        }
    }

    /// A rule that is on and waits for money.
    pub fn on(&mut self, name: &str, text: &str) -> RuleId {
        let rule = self.create(self.draft_on(name, text));
        self.switch(rule, true).expect("a sound rule");
        rule
    }

    /// A rule that is on and runs by hand.
    pub fn by_hand(&mut self, text: &str) -> RuleId {
        let rule = self.create(draft(&self.accounts, text));
        self.switch(rule, true).expect("a sound rule");
        rule
    }

    /// A rule that is on and runs by the time.
    pub fn every(&mut self, kind: ScheduleKind, start: Millis, text: &str) -> RuleId {
        let mut draft = draft(&self.accounts, text);
        draft.trigger.kind = TriggerKind::Scheduled;
        draft.trigger.schedule_kind = Some(kind);
        draft.trigger.start = Some(start);
        let rule = self.create(draft);
        self.switch(rule, true).expect("a sound rule");
        rule
    }

    pub fn triggering(&self, rule: RuleId) -> TriggerRule {
        TriggerRule {
            tenant: self.world.tenant,
            owner: None,
            rule,
            key: None,
            incoming: Incoming::Unknown,
            mode: ExecutionMode::Live,
        }
    }

    pub fn trigger(&mut self, rule: RuleId, incoming: Incoming) -> Result<Execution, Rejection> {
        let trigger = TriggerRule {
            incoming,
            ..self.triggering(rule)
        };
        match self.world.run(&Command::TriggerRule(trigger))? {
            Reply::Execution(execution) => Ok(execution),
            other => panic!("no run: {other:?}"),
        }
    }

    /// Every run that ever was, as its effects left it, oldest first.
    pub fn runs(&self) -> Vec<Execution> {
        let mut runs: BTreeMap<ExecutionId, Execution> = BTreeMap::new();
        for effect in &self.world.log {
            match effect {
                Effect::ExecutionRecorded(execution) => {
                    runs.insert(execution.id, execution.clone());
                }
                Effect::ExecutionMoved {
                    execution,
                    step,
                    at,
                } => runs.get_mut(execution).expect("recorded").moved(step, *at),
                _ => {}
            }
        }
        for (id, run) in &runs {
            let open = self.world.state.execution(*id);
            let waits = run.status == ExecutionStatus::InProgress;
            assert_eq!(open, waits.then_some(run), "the state has what is not over");
        }
        runs.into_values().collect()
    }

    pub fn run(&self, index: usize) -> Execution {
        self.runs()[index].clone()
    }

    /// The transfers of a run.
    pub fn transfers(&self, run: &Execution) -> Vec<Transfer> {
        let ran = run.ran.as_ref().expect("it has run");
        ran.transfers
            .iter()
            .map(|id| self.world.seen(*id).clone())
            .collect()
    }

    pub fn counts(&self, index: usize) -> (u32, u32, u32, u32) {
        let Counts {
            attempted,
            completed,
            failed,
            pending,
        } = self.run(index).ran.expect("it has run").counts;
        (attempted, completed, failed, pending)
    }

    /// The state that its own effects lead to.
    pub fn replayed(&self) -> State {
        let mut state = State::default();
        for effect in &self.world.log {
            state
                .apply(effect)
                .expect("what was applied once fits again");
        }
        state
    }
}

#[test]
fn a_deposit_sets_a_rule_off() {
    let mut home = Home::new();
    let rule = home.on("pay", "20% in pay>a; fixed 500 pay>b");
    home.deposit("pay", 100_000);
    assert_eq!(
        (home.balance("pay"), home.balance("a"), home.balance("b")),
        (79_500, 20_000, 500)
    );
    let deposit = home.world.all_transfers().next().expect("the pay").id;
    let run = home.run(0);
    assert_eq!(
        run.cause,
        Cause::FundsTransferred {
            transfer: deposit,
            minor: 100_000
        }
    );
    assert_eq!(
        (run.status, run.error, run.depth),
        (ExecutionStatus::Executed, None, 0)
    );
    assert_eq!((run.rule, &*run.rule_name), (rule, "Rule"));
    assert_eq!(home.counts(0), (2, 2, 0, 0));
    let ran = run.ran.as_ref().expect("it has run");
    assert_eq!((ran.version, ran.explanation.step), (1, Some(0)));
    for transfer in home.transfers(&run) {
        assert_eq!(transfer.origin, Origin::Rule);
        assert_eq!(transfer.rule, Some((rule, run.id)));
        assert_eq!(
            (transfer.status, transfer.completed_at),
            (Status::Complete, Some(START))
        );
    }
    assert_eq!(home.world.due(), []);
}

#[test]
fn only_money_that_arrives_on_the_account_does() {
    let mut home = Home::new();
    let rule = home.on("a", "fixed 100 a>b");
    home.deposit("pay", 1_000);
    home.deposit("b", 1_000);
    let (pay, a) = (home.id("pay"), home.id("a"));
    home.world.transfer(pay, a, 400);
    assert_eq!(home.runs(), []);
    home.world.run_due();
    assert_eq!(
        home.runs().len(),
        1,
        "a transfer by hand arrives too, when it settles"
    );
    // What comes back from a rail has not arrived from anywhere.
    let bank = home.id("bank");
    let sent = home.world.transfer(a, bank, 200);
    home.world.run_due();
    home.world
        .give_back(sent, ErrorCode::PaymentFailed)
        .expect("it is pending");
    home.world.run_due();
    assert_eq!(home.runs().len(), 1);
    // What is pulled from a bank arrives when it has settled.
    home.world.transfer(bank, a, 300);
    home.world.run_due();
    assert_eq!(home.runs().len(), 1);
    home.world.pass(RAIL_MS);
    assert_eq!(home.runs().len(), 2);
    home.switch(rule, false).expect("it is on");
    home.deposit("a", 1_000);
    assert_eq!(home.runs().len(), 2, "a rule that is off does not run");
}

#[test]
fn a_run_is_made_once() {
    let mut home = Home::new();
    home.on("pay", "fixed 500 pay>a");
    home.world.fund(home.id("pay"), 10_000);
    let due: Vec<Due> = home.world.due();
    let run = home.run(0);
    assert_eq!(due[0].work, Work::RunExecution(run.id));
    assert_eq!((due.len(), run.status), (1, ExecutionStatus::InProgress));
    // A crash here forgets nothing: the effects lead to the same work.
    let replayed = home.replayed();
    assert!(replayed.is_due(&due[0]));
    assert_eq!(replayed.execution(run.id), Some(&run));
    home.world
        .run(&Command::RunDue(due[0]))
        .expect("due work is never refused");
    let after = home.world.log.len();
    home.world
        .run(&Command::RunDue(due[0]))
        .expect("due work is never refused");
    assert_eq!((home.world.log.len(), home.balance("a")), (after, 500));
    assert!(!home.replayed().is_due(&due[0]));
}

#[test]
fn one_run_is_one_decision() {
    let mut home = Home::new();
    home.on(
        "pay",
        "50% in pay>a g0 cap month 40000; 100% source pay>bank g1",
    );
    home.world.fund(home.id("pay"), 100_000);
    let before = home.world.log.len();
    let due = home.world.due()[0];
    home.world
        .run(&Command::RunDue(due))
        .expect("due work is never refused");
    let effects = &home.world.log[before..];
    let names: Vec<&str> = effects
        .iter()
        .map(|effect| match effect {
            Effect::DueRemoved(_) => "due-",
            Effect::DueAdded(_) => "due+",
            Effect::AccountOpened(_) => "opened",
            Effect::TransferRecorded(_) => "transfer",
            Effect::Posted { .. } => "posted",
            Effect::TransferMoved { .. } => "moved",
            Effect::CapCounted { .. } => "cap",
            Effect::ExecutionMoved { .. } => "run",
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    let expected = [
        "due-", "transfer", "posted", "opened", "transfer", "posted", "moved", "due+", "cap", "run",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        (
            home.balance("a"),
            home.balance("pay"),
            home.world.in_transit()
        ),
        (40_000, 0, 60_000)
    );
}

#[test]
fn a_run_lasts_until_its_last_transfer_has_ended() {
    let mut home = Home::new();
    home.on(
        "pay",
        "fixed 500 pay>bank; fixed 700 pay>card; fixed 100 pay>a",
    );
    home.deposit("pay", 10_000);
    assert_eq!(home.run(0).status, ExecutionStatus::InProgress);
    assert_eq!(home.counts(0), (3, 1, 0, 2));
    assert_eq!(home.world.in_transit(), 1_200);
    home.world.pass(RAIL_MS);
    assert_eq!(home.run(0).status, ExecutionStatus::Executed);
    assert_eq!(home.counts(0), (3, 3, 0, 0));
    assert_eq!((home.world.in_transit(), home.balance("pay")), (0, 8_700));
    // One of the next two comes back.
    home.deposit("pay", 100);
    let sent = home.transfers(&home.run(1));
    home.world
        .give_back(sent[0].id, ErrorCode::NameMismatch)
        .expect("it is pending");
    assert_eq!(
        (home.run(1).status, home.counts(1)),
        (ExecutionStatus::InProgress, (3, 1, 1, 1))
    );
    home.world.pass(RAIL_MS);
    assert_eq!(
        (home.run(1).status, home.counts(1)),
        (ExecutionStatus::Partial, (3, 2, 1, 0))
    );
    assert_eq!(home.runs().len(), 2, "the return sets nothing off");
}

#[test]
fn failures_end_a_run_and_leave_transfers_that_failed() {
    let mut home = Home::new();
    home.on("pay", "fixed 600 pay>a; fixed 600 pay>b; fixed 100 pay>c");
    home.deposit("pay", 1_000);
    let run = home.run(0);
    assert_eq!(run.status, ExecutionStatus::Partial);
    assert_eq!(
        run.error,
        Some(ExecutionError::Action(Failure::InsufficientFunds))
    );
    assert_eq!(home.counts(0), (2, 1, 1, 0));
    let made = home.transfers(&run);
    assert_eq!(
        (made[1].status, made[1].error),
        (Status::Incomplete, Some(ErrorCode::InsufficientFunds))
    );
    assert_eq!(
        (home.balance("a"), home.balance("b"), home.balance("c")),
        (600, 0, 0)
    );
    // 400 are left and 100 come: now nothing can be moved.
    home.deposit("pay", 100);
    assert_eq!(
        (home.run(1).status, home.counts(1)),
        (ExecutionStatus::Failed, (1, 0, 1, 0))
    );
    // Less than a dollar.
    let rule = home.by_hand("10% in pay>a");
    home.trigger(rule, Incoming::Amount(700)).expect("it is on");
    home.world.run_due();
    let run = home.run(2);
    let made = home.transfers(&run);
    assert_eq!(
        (made[0].status, made[0].error),
        (Status::Error, Some(ErrorCode::LessThanOneDollar))
    );
    assert_eq!(run.status, ExecutionStatus::Failed);
}

#[test]
fn a_run_without_a_step_or_with_nothing_to_move_is_executed() {
    let mut home = Home::new();
    home.on("pay", "if BALANCE > 5000: topup 300 pay>a");
    home.deposit("pay", 1_000);
    let run = home.run(0);
    assert_eq!(
        (run.status, home.counts(0)),
        (ExecutionStatus::Executed, (0, 0, 0, 0))
    );
    let explanation = &run.ran.as_ref().expect("it has run").explanation;
    assert_eq!(
        (explanation.step, explanation.conditions[0].left),
        (None, Some(1_000))
    );
    home.deposit("a", 300);
    home.deposit("pay", 9_000);
    assert_eq!(
        (home.run(1).status, home.counts(1)),
        (ExecutionStatus::Executed, (1, 0, 0, 0))
    );
}

#[test]
fn top_ups_see_what_is_on_its_way() {
    let mut home = Home::new();
    let rule = home.by_hand("topup 5000 pay>a");
    home.deposit("pay", 10_000);
    let (bank, a) = (home.id("bank"), home.id("a"));
    home.world.transfer(bank, a, 2_000);
    home.world.run_due();
    assert_eq!(home.world.state.arriving(a), 2_000);
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    assert_eq!(home.balance("a"), 3_000);
    home.world.pass(RAIL_MS);
    assert_eq!(
        (home.balance("a"), home.world.state.arriving(a)),
        (5_000, 0)
    );
    // What was given back is not on its way any more.
    let sent = home.world.transfer(bank, a, 2_000);
    home.world.run_due();
    home.world
        .give_back(sent, ErrorCode::PaymentFailed)
        .expect("it is pending");
    assert_eq!(home.world.state.arriving(a), 0);
}

#[test]
fn caps_count_from_run_to_run_and_begin_again() {
    let mut home = Home::new();
    let rule = home.on("pay", "fixed 600 pay>a cap month 1000");
    // START is 15 January 2027, 08:00.
    for _ in 0..3 {
        home.deposit("pay", 5_000);
    }
    assert_eq!(home.balance("a"), 1_000);
    let counts: Vec<_> = (0..3).map(|run| home.counts(run)).collect();
    assert_eq!(counts, [(1, 1, 0, 0), (1, 1, 0, 0), (1, 0, 0, 0)]);
    let used = home.world.state.caps_used(rule).expect("it has counted")[&(0, 0)];
    assert_eq!(used.used_minor, 1_000);
    // What is changed does not begin again; the next month does.
    let draft = home.draft_on("pay", "fixed 700 pay>a cap month 1000");
    change(&mut home, rule, draft).expect("a sound rule");
    home.switch(rule, true).expect("a sound rule");
    home.deposit("pay", 5_000);
    assert_eq!(home.balance("a"), 1_000);
    home.world.pass(17 * DAY_MS);
    home.deposit("pay", 5_000);
    assert_eq!(home.balance("a"), 1_700);
    assert_eq!(
        home.replayed().caps_used(rule),
        home.world.state.caps_used(rule)
    );
}

fn change(home: &mut Home, rule: RuleId, draft: RuleDraft) -> Result<Rule, Rejection> {
    let change = ChangeRule {
        tenant: home.world.tenant,
        owner: None,
        rule,
        draft,
        settings: Settings::default(),
    };
    match home.world.run(&Command::ChangeRule(change))? {
        Reply::Rule(rule) => Ok(rule),
        other => panic!("no rule: {other:?}"),
    }
}

#[test]
fn rules_set_each_other_off() {
    let mut home = Home::new();
    let first = home.on("pay", "50% in pay>a");
    let second = home.on("a", "50% in a>b; fixed 100 a>bank");
    home.deposit("pay", 10_000);
    assert_eq!((home.balance("a"), home.balance("b")), (2_400, 2_500));
    let runs = home.runs();
    assert_eq!((runs[0].rule, runs[0].depth), (first, 0));
    assert_eq!((runs[1].rule, runs[1].depth), (second, 1));
    let moved = home.transfers(&runs[0])[0].id;
    assert_eq!(
        runs[1].cause,
        Cause::FundsTransferred {
            transfer: moved,
            minor: 5_000
        }
    );
    // A pull that a rule has sent arrives later, and still belongs to the row.
    home.switch(second, false).expect("it is on");
    home.switch(first, false).expect("it is on");
    home.on("c", "fixed 700 bank>a");
    home.switch(second, true).expect("a sound rule");
    home.deposit("c", 100);
    home.world.pass(RAIL_MS);
    let runs = home.runs();
    assert_eq!((runs[3].rule, runs[3].depth), (second, 1));
    assert_eq!(runs[2].status, ExecutionStatus::Executed);
}

#[test]
fn what_would_go_round_cannot_be_switched_on() {
    let mut home = Home::new();
    home.on("a", "fixed 100 a>b");
    let back = home.create(home.draft_on("b", "fixed 100 b>a"));
    let refused = home.switch(back, true);
    let Err(Rejection::RuleUnsound { code, path, .. }) = refused else {
        panic!("switched on: {refused:?}");
    };
    assert_eq!(
        (code, path.as_str()),
        (LintCode::Cycle, "steps[0].actions[0].destination")
    );
    // Nothing is wrong with it by itself, nor while the other one is off.
    let twin = home.create(home.draft_on("a", "fixed 100 a>c"));
    let Err(Rejection::RuleUnsound { code, .. }) = home.switch(twin, true) else {
        panic!("two rules wait on one account");
    };
    assert_eq!(code, LintCode::SecondListener);
}

#[test]
fn a_row_that_is_too_long_is_cut() {
    let mut home = Home::new();
    let pods: Vec<AccountId> = (0..CASCADE_MAX + 3)
        .map(|_| home.world.account(POD))
        .collect();
    let mut rules = Vec::new();
    for pair in pods.windows(2) {
        let accounts = Accounts::named(&[("x", pair[0]), ("y", pair[1])]);
        let mut draft = draft(&accounts, "fixed 100 x>y");
        draft.trigger.kind = TriggerKind::OnFundsTransferred;
        rules.push(home.create(draft));
    }
    // One is left out while the others are switched on, so that no row is too long.
    let last = rules.pop().expect("many rules");
    for rule in &rules {
        home.switch(*rule, true)
            .expect("a row of as many as there may be");
    }
    assert!(home.switch(last, true).is_err());
    home.world.fund(pods[0], 1_000);
    home.world.run_due();
    assert_eq!(home.runs().len(), CASCADE_MAX + 1);
    assert_eq!(home.world.balance(pods[CASCADE_MAX + 1]), 100);
    // Were it on all the same, its run would be refused.
    let rule = home.world.state.rule(last).expect("it exists");
    let on = Effect::RuleSet(Rule {
        enabled: true,
        ..rule.clone()
    });
    home.world
        .state
        .apply(&on)
        .expect("nothing else waits there");
    home.world.log.push(on);
    home.world.fund(pods[0], 1_000);
    home.world.run_due();
    let run = home.runs().pop().expect("runs");
    assert_eq!((run.rule, run.status), (last, ExecutionStatus::Failed));
    assert_eq!(
        (run.error, run.ran),
        (Some(ExecutionError::CascadeTooLong), None)
    );
}

#[test]
fn a_schedule_runs_when_its_time_comes() {
    let mut home = Home::new();
    home.deposit("pay", 10_000);
    let start = START.plus(DAY_MS);
    let rule = home.every(ScheduleKind::Daily, start, "fixed 100 pay>a");
    assert_eq!(home.world.state.next_run(rule), Some(start));
    home.world.pass(DAY_MS - 1);
    assert_eq!(home.balance("a"), 0);
    home.world.pass(1);
    assert_eq!(home.balance("a"), 100);
    // A sandbox that jumps leaves what as many days would.
    home.world.pass(3 * DAY_MS);
    assert_eq!(home.balance("a"), 400);
    let run = home.run(2);
    let at = start.plus(2 * DAY_MS);
    assert_eq!((run.cause, run.created_at), (Cause::Scheduled { at }, at));
    assert_eq!(home.transfers(&run)[0].created_at, at);
    home.switch(rule, false).expect("it is on");
    assert_eq!(
        (home.world.due(), home.world.state.next_run(rule)),
        (Vec::new(), None)
    );
    home.world.pass(2 * DAY_MS);
    home.switch(rule, true).expect("a sound rule");
    assert_eq!(
        home.balance("a"),
        400,
        "what was due while it was off, or right now, is not made up"
    );
    assert_eq!(
        home.world.state.next_run(rule),
        Some(start.plus(6 * DAY_MS))
    );
    assert_eq!(home.replayed().next_run(rule), Some(start.plus(6 * DAY_MS)));
}

#[test]
fn one_time_is_once_and_a_past_one_never() {
    let mut home = Home::new();
    home.deposit("pay", 10_000);
    let rule = home.every(ScheduleKind::OneTime, START.plus(5), "fixed 100 pay>a");
    let past = home.every(ScheduleKind::OneTime, START.plus(-1), "fixed 100 pay>b");
    assert_eq!(home.world.state.next_run(past), None);
    home.world.pass(90 * DAY_MS);
    assert_eq!((home.balance("a"), home.balance("b")), (100, 0));
    assert_eq!(
        (home.world.due(), home.world.state.next_run(rule)),
        (Vec::new(), None)
    );
}

/// A live tenant's work happens when it is done: a server that was away for days makes one run.
#[test]
fn missed_runs_of_a_live_tenant_are_made_up_by_one() {
    let mut home = Home::of(World::of_mode(TenantMode::Live));
    let start = START.plus(DAY_MS);
    let rule = home.every(ScheduleKind::Daily, start, "fixed 100 pay>a");
    home.world.pass(4 * DAY_MS + 7);
    assert_eq!(home.runs().len(), 1);
    let run = home.run(0);
    assert_eq!(run.cause, Cause::Scheduled { at: start });
    assert_eq!(run.created_at, START.plus(4 * DAY_MS + 7));
    assert_eq!(
        run.error,
        Some(ExecutionError::Action(Failure::InsufficientFunds))
    );
    assert_eq!(
        home.world.state.next_run(rule),
        Some(start.plus(4 * DAY_MS))
    );
}

#[test]
fn a_live_tenant_has_no_rail() {
    let mut home = Home::of(World::of_mode(TenantMode::Live));
    let rule = home.by_hand("fixed 100 pay>bank");
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    let error = Some(ExecutionError::Action(Failure::PaymentNotSupported));
    assert_eq!(
        (home.run(0).error, home.transfers(&home.run(0)).len()),
        (error, 0)
    );
}

#[test]
fn by_hand_with_an_amount() {
    let mut home = Home::new();
    home.deposit("pay", 50_000);
    let rule = home.by_hand("50% in pay>a; 10% source pay>b");
    let asked = home
        .trigger(rule, Incoming::Amount(10_000))
        .expect("it is on");
    assert_eq!(
        (asked.status, asked.ran.clone()),
        (ExecutionStatus::InProgress, None)
    );
    assert_eq!(home.balance("a"), 0);
    assert_eq!(
        home.trigger(rule, Incoming::Unknown),
        Err(Rejection::RuleInProgress)
    );
    home.world.run_due();
    assert_eq!((home.balance("a"), home.balance("b")), (5_000, 5_000));
    assert_eq!(home.run(0).id, asked.id);
    home.trigger(rule, Incoming::Pretended(10_000))
        .expect("the first one is over");
    home.world.run_due();
    // 50 % of 100.00, and 10 % of the 100.00 that are pretended.
    assert_eq!((home.balance("a"), home.balance("b")), (10_000, 6_000));
}

#[test]
fn a_rule_that_waits_for_money_can_be_run_by_hand_too() {
    let mut home = Home::new();
    let rule = home.on("pay", "20% in pay>a");
    home.deposit("pay", 1_000);
    home.world.fund(home.id("pay"), 1_000);
    // The run that the deposit has caused and not made yet is no hindrance.
    let run = home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    assert_eq!(home.balance("a"), 400);
    let run = home
        .runs()
        .into_iter()
        .find(|known| known.id == run.id)
        .expect("recorded");
    assert_eq!(run.ran.expect("it has run").counts.attempted, 1);
}

#[test]
fn simulations_move_nothing() {
    let mut home = Home::new();
    home.deposit("pay", 1_000);
    let rule = home.create(draft(
        &home.accounts,
        "50% in pay>a cap month 900; fixed 100 pay>bank g1",
    ));
    let trigger = TriggerRule {
        incoming: Incoming::Pretended(40_000),
        mode: ExecutionMode::Simulation,
        ..home.triggering(rule)
    };
    let before = (home.world.due(), home.world.all_transfers().count());
    let reply = home.world.run(&Command::TriggerRule(trigger));
    let Ok(Reply::Execution(run)) = reply else {
        panic!("a rule that is off can be tried: {reply:?}");
    };
    assert_eq!((run.status, run.error), (ExecutionStatus::Executed, None));
    let ran = run.ran.as_ref().expect("at once");
    assert_eq!(
        (
            ran.counts.attempted,
            ran.counts.completed,
            ran.transfers.len()
        ),
        (2, 2, 0)
    );
    assert_eq!(ran.explanation.actions[0].moved, 900);
    assert_eq!(
        (home.world.due(), home.world.all_transfers().count()),
        before
    );
    assert_eq!(home.world.state.caps_used(rule), None);
    assert_eq!(home.runs(), [run]);
}

#[test]
fn what_is_switched_off_or_deleted_does_not_run() {
    let mut home = Home::new();
    let rule = home.on("pay", "fixed 100 pay>a");
    home.world.fund(home.id("pay"), 1_000);
    home.switch(rule, false).expect("it is on");
    home.world.run_due();
    let run = home.run(0);
    assert_eq!(
        (run.status, run.error),
        (ExecutionStatus::Failed, Some(ExecutionError::RuleDisabled))
    );
    home.switch(rule, true).expect("a sound rule");
    home.world.fund(home.id("pay"), 1_000);
    delete(&mut home, rule).expect("it exists");
    home.world.run_due();
    assert_eq!(home.run(1).error, Some(ExecutionError::RuleDeleted));
    assert_eq!(home.balance("a"), 0);
    home.deposit("pay", 1_000);
    assert_eq!(home.runs().len(), 2);
    assert_eq!(home.world.state.rules_of(home.world.owner).count(), 0);
    assert_eq!(delete(&mut home, rule), Err(Rejection::RuleNotFound));
    // Another one may wait on the account now.
    home.on("pay", "fixed 100 pay>a");
}

fn delete(home: &mut Home, rule: RuleId) -> Result<Reply, Rejection> {
    let tenant = home.world.tenant;
    home.world.run(&Command::DeleteRule {
        tenant,
        owner: None,
        rule,
    })
}

#[test]
fn a_changed_rule_is_off_and_keeps_its_trigger() {
    let mut home = Home::new();
    let rule = home.on("pay", "fixed 100 pay>a");
    let mut draft = home.draft_on("pay", "fixed 200 pay>b");
    draft.name = Arc::from("Other");
    let changed = change(&mut home, rule, draft.clone()).expect("a sound rule");
    assert_eq!(
        (changed.version, changed.enabled, &*changed.name),
        (2, false, "Other")
    );
    home.deposit("pay", 1_000);
    assert_eq!((home.balance("a"), home.balance("b")), (0, 0));
    draft.trigger.account = Some(home.id("a"));
    draft.steps[0].actions[0].source = Some(home.id("pay"));
    let refused = change(&mut home, rule, draft.clone());
    let never = Rejection::Invalid {
        field: "trigger",
        reason: "never changes",
    };
    assert_eq!(refused, Err(never));
    let scheduled = home.every(ScheduleKind::Daily, START.plus(5), "fixed 100 pay>a");
    draft.trigger.kind = TriggerKind::Scheduled;
    draft.trigger.account = Some(home.id("pay"));
    draft.trigger.schedule_kind = Some(ScheduleKind::Daily);
    draft.trigger.start = Some(START.plus(5));
    change(&mut home, scheduled, draft).expect("the same trigger");
    assert_eq!(home.world.due(), [], "it waits for nothing while it is off");
}

#[test]
fn amounts_that_have_to_be_asked_for() {
    let mut home = Home::new();
    home.on("pay", "fixed 100 pay>a; asked pay>b");
    home.deposit("pay", 10_000);
    let run = home.run(0);
    assert_eq!(
        (run.status, run.asks),
        (ExecutionStatus::InProgress, Some((0, 1)))
    );
    assert_eq!(run.next_attempt_at, Some(START.plus(RETRIES_MS[0])));
    assert_eq!(home.balance("a"), 0, "nothing is moved before all is known");
    let answers = Answers::from([((0, 1), 700)]);
    let done = answer(&mut home, run.id, answers.clone()).expect("it waits");
    assert_eq!(done.status, ExecutionStatus::Executed);
    assert_eq!((home.balance("a"), home.balance("b")), (100, 700));
    assert_eq!(home.world.due(), []);
    assert_eq!(
        answer(&mut home, run.id, answers),
        Err(Rejection::ExecutionNotFound)
    );
    // Nobody answers: what can be done is done in the end, and the rest fails.
    home.deposit("pay", 100);
    let wait: i64 = RETRIES_MS.iter().sum();
    home.world.pass(wait - 1);
    assert_eq!(
        (home.run(1).delays, home.run(1).status),
        (3, ExecutionStatus::InProgress)
    );
    home.world.pass(1);
    let run = home.run(1);
    assert_eq!(run.status, ExecutionStatus::Partial);
    assert_eq!(
        run.error,
        Some(ExecutionError::Action(Failure::QueryUnanswered))
    );
    assert_eq!(
        (home.balance("a"), run.next_attempt_at, run.asks),
        (200, None, None)
    );
}

fn answer(
    home: &mut Home,
    execution: ExecutionId,
    answers: Answers,
) -> Result<Execution, Rejection> {
    let tenant = home.world.tenant;
    let answer = Command::AnswerAmounts {
        tenant,
        execution,
        answers,
    };
    match home.world.run(&answer)? {
        Reply::Execution(execution) => Ok(execution),
        other => panic!("no run: {other:?}"),
    }
}

#[test]
fn balances_that_are_not_known_are_waited_for() {
    let mut home = Home::new();
    let rule = home.by_hand("50% source bank>a");
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    let run = home.run(0);
    assert_eq!((run.delays, run.asks), (1, None));
    assert_eq!(
        home.trigger(rule, Incoming::Unknown),
        Err(Rejection::RuleInProgress)
    );
    let refused = answer(&mut home, run.id, Answers::new());
    assert_eq!(
        refused,
        Err(Rejection::ExecutionNotFound),
        "nothing was asked for"
    );
    for delay_ms in RETRIES_MS {
        assert_eq!(home.run(0).status, ExecutionStatus::InProgress);
        home.world.pass(delay_ms);
    }
    let run = home.run(0);
    assert_eq!(
        (run.status, home.counts(0)),
        (ExecutionStatus::Failed, (1, 0, 1, 0))
    );
    assert_eq!(
        run.error,
        Some(ExecutionError::Action(Failure::NullBalance))
    );
}

#[test]
fn accounts_that_are_closed_or_blocked_later() {
    let mut home = Home::new();
    let rule = home.by_hand("fixed 100 pay>a g0; fixed 100 pay>b g1");
    home.deposit("pay", 1_000);
    let a = home.id("a");
    home.world
        .set_state(a, ledger::AccountState::Blocked)
        .expect("it is active");
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    let error = |failure| Some(ExecutionError::Action(failure));
    assert_eq!(home.run(0).error, error(Failure::PaymentNotSupported));
    home.world
        .set_state(a, ledger::AccountState::Destroyed)
        .expect("it is empty");
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    assert_eq!(home.run(1).error, error(Failure::ResourceDeleted));
    assert_eq!(home.balance("b"), 0);
}

#[test]
fn what_is_in_transit_may_be_full() {
    let mut home = Home::new();
    let rule = home.by_hand("fixed 100 a>bank; fixed 100 a>card upto");
    let (pay, bank) = (home.id("pay"), home.id("bank"));
    home.deposit("pay", i64::MAX - 99);
    home.deposit("a", 100);
    let filling = home.world.transfer(pay, bank, i64::MAX - 99);
    home.world.run_due();
    assert_eq!(home.world.status(filling), (Status::Pending, None));
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    home.world.run_due();
    let run = home.run(0);
    assert_eq!(
        (run.status, home.counts(0)),
        (ExecutionStatus::Failed, (2, 0, 1, 0))
    );
    assert_eq!(
        run.error,
        Some(ExecutionError::Action(Failure::PaymentFailed))
    );
    assert_eq!(home.transfers(&run)[0].status, Status::Error);
    assert_eq!(home.balance("a"), 100);
}

#[test]
fn an_owner_has_a_bounded_number_of_rules() {
    let mut home = Home::new();
    for _ in 0..RULES_MAX {
        home.create(draft(&home.accounts, "fixed 100 pay>a"));
    }
    let new = NewRule {
        tenant: home.world.tenant,
        owner: home.world.owner,
        draft: draft(&home.accounts, "fixed 100 pay>a"),
        settings: Settings::default(),
    };
    assert_eq!(
        home.world.run(&Command::CreateRule(new)),
        Err(Rejection::TooManyRules)
    );
}

#[test]
fn a_clock_can_be_moved_to_the_next_run() {
    let mut home = Home::new();
    home.deposit("pay", 1_000);
    home.world.set_clock(TenantClock::Frozen { at: START });
    home.every(ScheduleKind::Monthly, START.plus(7), "fixed 100 pay>a");
    let tenant = home.world.tenant;
    for paid in [100, 200] {
        home.world
            .run(&Command::ClockToNextDue { tenant })
            .expect("a run waits");
        home.world.run_due();
        assert_eq!(home.balance("a"), paid);
    }
    assert_eq!(home.run(1).created_at, START.plus(7 + 31 * DAY_MS));
}
