//! Refusals of commands about rules in the order of their precedence, and effects about rules that
//! `State::apply` does not take.

use std::sync::Arc;

use ledger::execution::{Cause, Counts, ExecutionError, Ran};
use ledger::rule::action::CapPeriod;
use ledger::rule::calendar::Day;
use ledger::rule::explain::Explanation;
use ledger::rule::snapshot::{Answers, CapUsed};
use ledger::rule::{Rule, Settings};
use ledger::{
    ChangeRule, Command, Effect, Execution, ExecutionId, ExecutionMode, ExecutionStatus,
    ExecutionStep, Incoming, NewRule, OwnerId, Rejection, RuleId, TenantId,
};

use crate::rules_runs::Home;
use crate::rules_world::draft;
use crate::table::check;
use crate::world::START;

const NO_TENANT: TenantId = TenantId::new(3);
const NOBODY: OwnerId = OwnerId::new(4);
const NO_RULE: RuleId = RuleId::new(5);
const NO_RUN: ExecutionId = ExecutionId::new(6);

#[test]
fn creating() {
    let mut home = Home::new();
    let sound = home.draft_on("pay", "fixed 100 pay>a");
    let mut faulty = sound.clone();
    faulty.name = Arc::from("");
    let (tenant, owner) = (home.world.tenant, home.world.owner);
    let new = NewRule {
        tenant: NO_TENANT,
        owner: NOBODY,
        draft: faulty,
        settings: Settings::default(),
    };
    check(&mut home.world, new, Command::CreateRule)
        .row("tenant_not_found", |_, _| {})
        .row("owner_not_found", |_, new| new.tenant = tenant)
        .row("rule_faulty", |_, new| new.owner = owner)
        .row("ok", |_, new| new.draft = sound)
        .end();
}

#[test]
fn changing() {
    let mut home = Home::new();
    let rule = home.create(home.draft_on("pay", "fixed 100 pay>a"));
    let sound = home.draft_on("pay", "fixed 200 pay>a");
    let moved = home.draft_on("a", "fixed 200 a>b");
    let mut faulty = moved.clone();
    faulty.steps.clear();
    let (tenant, owner) = (home.world.tenant, home.world.owner);
    let change = ChangeRule {
        tenant: NO_TENANT,
        owner: Some(NOBODY),
        rule: NO_RULE,
        draft: faulty,
        settings: Settings::default(),
    };
    check(&mut home.world, change, Command::ChangeRule)
        .row("tenant_not_found", |_, _| {})
        .row("rule_not_found", |_, change| change.tenant = tenant)
        .row("rule_not_found", |_, change| change.rule = rule)
        .row("rule_faulty", |_, change| change.owner = Some(owner))
        .row("invalid_parameters trigger", |_, change| {
            change.draft = moved
        })
        .row("ok", |_, change| change.draft = sound)
        .end();
}

/// Whether it is on or off, a rule keeps the accounts that it names.
#[test]
fn an_account_of_a_rule_is_not_deleted() {
    let mut home = Home::new();
    let rule = home.create(home.draft_on("a", "fixed 100 a>b"));
    let (tenant, b) = (home.world.tenant, home.id("b"));
    let delete = Command::DeleteAccount { tenant, account: b };
    let refused = home.world.run(&delete).expect_err("a rule names it");
    assert_eq!(refused, Rejection::NamedByRule { rule });
    let rule = Command::DeleteRule {
        tenant,
        owner: None,
        rule,
    };
    home.world.run(&rule).expect("it is there");
    home.world.run(&delete).expect("nothing leads to it");
}

#[test]
fn switching_and_deleting() {
    let mut home = Home::new();
    home.on("a", "fixed 100 a>b");
    let round = home.create(home.draft_on("b", "fixed 100 b>a"));
    let fine = home.create(home.draft_on("b", "fixed 100 b>c"));
    let (tenant, owner) = (home.world.tenant, home.world.owner);
    let wrap = |(tenant, owner, rule)| Command::SwitchRule {
        tenant,
        owner,
        rule,
        enabled: true,
    };
    check(&mut home.world, (NO_TENANT, Some(NOBODY), NO_RULE), wrap)
        .row("tenant_not_found", |_, switch| switch.2 = NO_RULE)
        .row("rule_not_found", |_, switch| switch.0 = tenant)
        .row("rule_not_found", |_, switch| switch.2 = round)
        .row("rule_unsound", |_, switch| switch.1 = Some(owner))
        .row("ok", |_, switch| switch.2 = fine)
        .end();
    // What is on is on: nothing changes.
    let before = home.world.log.len();
    home.switch(fine, true).expect("it is on already");
    assert_eq!(home.world.log.len(), before);
    let wrap = |(tenant, owner, rule)| Command::DeleteRule {
        tenant,
        owner,
        rule,
    };
    check(&mut home.world, (NO_TENANT, Some(NOBODY), NO_RULE), wrap)
        .row("tenant_not_found", |_, delete| delete.2 = NO_RULE)
        .row("rule_not_found", |_, delete| delete.0 = tenant)
        .row("rule_not_found", |_, delete| delete.2 = fine)
        .row("ok", |_, delete| delete.1 = Some(owner))
        .end();
}

#[test]
fn triggering_and_answering() {
    let mut home = Home::new();
    let rule = home.by_hand("asked pay>a");
    let off = home.create(draft(&home.accounts, "fixed 100 pay>a"));
    let (tenant, owner) = (home.world.tenant, home.world.owner);
    let mut trigger = home.triggering(NO_RULE);
    trigger.tenant = NO_TENANT;
    trigger.owner = Some(NOBODY);
    trigger.incoming = Incoming::Pretended(-1);
    home.trigger(rule, Incoming::Unknown).expect("it is on");
    check(&mut home.world, trigger, Command::TriggerRule)
        .row("tenant_not_found", |_, _| {})
        .row("rule_not_found", |_, trigger| trigger.tenant = tenant)
        .row("rule_not_found", |_, trigger| trigger.rule = off)
        .row("invalid_parameters amount", |_, trigger| {
            trigger.owner = Some(owner)
        })
        .row("rule_deactivated", |_, trigger| {
            trigger.incoming = Incoming::Amount(0)
        })
        .row("rule_execution_in_progress", |_, trigger| {
            trigger.rule = rule
        })
        .row("ok", |_, trigger| trigger.mode = ExecutionMode::Simulation)
        .end();
    let run = home.world.state.asked_execution(rule).expect("it waits").id;
    let wrap = |(tenant, execution, minor)| Command::AnswerAmounts {
        tenant,
        execution,
        answers: Answers::from([((0, 0), minor)]),
    };
    check(&mut home.world, (NO_TENANT, NO_RUN, -1), wrap)
        .row("tenant_not_found", |_, answer| answer.1 = NO_RUN)
        .row("rule_execution_not_found", |_, answer| answer.0 = tenant)
        // It has not been tried yet, so nobody knows what it asks for.
        .row("rule_execution_not_found", |_, answer| answer.1 = run)
        .row("invalid_parameters amount", |world, _| world.run_due())
        .row("ok", |_, answer| answer.2 = 0)
        .end();
}

#[test]
fn the_faults_of_a_rule_are_told() {
    let mut home = Home::new();
    let mut faulty = home.draft_on("pay", "fixed 100 pay>a");
    faulty.steps.clear();
    let new = |draft| {
        Command::CreateRule(NewRule {
            tenant: home.world.tenant,
            owner: home.world.owner,
            draft,
            settings: Settings::default(),
        })
    };
    let (one, mut two) = (new(faulty.clone()), faulty);
    two.name = Arc::from("");
    let two = new(two);
    let said = |home: &mut Home, command| {
        let refused = home.world.run(&command).expect_err("it is faulty");
        refused.to_string()
    };
    assert_eq!(said(&mut home, one), "steps must have at least one member");
    assert_eq!(
        said(&mut home, two),
        "nickname must not be empty, and 1 more faults"
    );
}

/// A rule that is on, and another one that is off.
fn stage() -> (Home, Rule, Rule) {
    let mut home = Home::new();
    let on = home.on("pay", "fixed 100 pay>a");
    let off = home.create(home.draft_on("pay", "fixed 100 pay>b"));
    let rule = |id| home.world.state.rule(id).expect("made").clone();
    let (on, off) = (rule(on), rule(off));
    (home, on, off)
}

#[track_caller]
fn refused(home: &Home, effect: &Effect, part: &str) {
    let mut state = home.world.state.clone();
    let complaint = state
        .apply(effect)
        .expect_err("it does not fit")
        .to_string();
    assert!(complaint.contains(part), "{complaint:?} lacks {part:?}");
}

#[test]
fn effects_on_rules_that_do_not_fit() {
    let (home, on, off) = stage();
    let set = |rule: Rule| Effect::RuleSet(rule);
    refused(
        &home,
        &set(Rule {
            owner: NOBODY,
            ..on.clone()
        }),
        "lacks an owner",
    );
    refused(
        &home,
        &set(Rule {
            tenant: NO_TENANT,
            ..on.clone()
        }),
        "another one",
    );
    let trigger = ledger::rule::Trigger::Manual {
        account: home.id("a"),
    };
    refused(
        &home,
        &set(Rule {
            trigger,
            ..on.clone()
        }),
        "another one",
    );
    refused(
        &home,
        &set(Rule {
            enabled: true,
            ..off
        }),
        "two rules wait",
    );
    let deleted = |rule| Effect::RuleDeleted { rule, at: START };
    refused(&home, &deleted(NO_RULE), "unknown");
    let mut state = home.world.state.clone();
    state.apply(&deleted(on.id)).expect("it is there");
    assert!(state.rule_listening_on(home.id("pay")).is_none());
    assert!(state.apply(&deleted(on.id)).is_err());
}

#[test]
fn counters_that_do_not_fit() {
    let (mut home, on, _) = stage();
    let counted = |rule, since, used_minor| Effect::CapCounted {
        rule,
        step: 0,
        group: 0,
        used: CapUsed {
            period: CapPeriod::PerMonth,
            since: Day(since),
            used_minor,
        },
    };
    refused(&home, &counted(NO_RULE, 31, 5), "unknown rule");
    home.world
        .state
        .apply(&counted(on.id, 31, 5))
        .expect("the first");
    refused(&home, &counted(on.id, 31, 4), "backwards");
    home.world
        .state
        .apply(&counted(on.id, 59, 4))
        .expect("another month");
}

#[test]
fn runs_that_do_not_fit() {
    let (mut home, on, _) = stage();
    home.world.fund(home.id("pay"), 1_000);
    let run = home
        .world
        .state
        .executions()
        .next()
        .expect("it waits")
        .clone();
    let recorded = |run: Execution| Effect::ExecutionRecorded(run);
    let moved = |execution, step| Effect::ExecutionMoved {
        execution,
        step,
        at: START,
    };
    refused(&home, &recorded(run.clone()), "recorded twice");
    let over = ExecutionStatus::Executed;
    refused(
        &home,
        &recorded(Execution {
            status: over,
            ..run.clone()
        }),
        "over",
    );
    refused(
        &home,
        &recorded(Execution {
            owner: NOBODY,
            ..run.clone()
        }),
        "lacks an owner",
    );
    let ended = ExecutionStep::TransferEnded(Counts::default());
    refused(&home, &moved(run.id, ended.clone()), "does not stand");
    let failed = ExecutionStep::Failed(ExecutionError::RuleDeleted);
    refused(&home, &moved(NO_RUN, failed.clone()), "unknown");
    let pending = Ran {
        version: 1,
        counts: Counts {
            attempted: 1,
            pending: 1,
            ..Counts::default()
        },
        transfers: [].into(),
        explanation: Arc::new(Explanation::default()),
    };
    let ran = ExecutionStep::Ran(pending, None);
    home.world
        .state
        .apply(&moved(run.id, ran.clone()))
        .expect("it waits");
    refused(&home, &moved(run.id, ran), "does not stand");
    refused(&home, &moved(run.id, failed), "does not stand");
    home.world
        .state
        .apply(&moved(run.id, ended))
        .expect("the last transfer");
    assert!(home.world.state.execution(run.id).is_none());
    // Of those that somebody asked for there is one at a time.
    let asked = |id| Execution {
        id: ExecutionId::new(id),
        cause: Cause::Manual {
            incoming: Incoming::Unknown,
            key: None,
        },
        ..run.clone()
    };
    home.world
        .state
        .apply(&recorded(asked(70)))
        .expect("the first");
    assert_eq!(
        home.world
            .state
            .asked_execution(on.id)
            .map(|run| run.id.raw()),
        Some(70)
    );
    refused(&home, &recorded(asked(71)), "run twice");
}
