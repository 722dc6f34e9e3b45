//! The planner of rules against the second one, and against what must hold for every plan.

mod pick;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ledger::AccountId;
use ledger::rule::Step;
use ledger::rule::explain::Outcome;
use ledger::rule::plan::{Plan, plan};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use sim::rules::{End, Run};

use pick::Case;

/// Random cases for both planners.
const BOTH: u32 = 20_000;
/// Random cases of each other test.
const CASES: u32 = 6_000;

fn run_cases(cases: u32, test: impl Fn(&Case)) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let result = runner.run(&pick::case(), |case| {
        test(&case);
        Ok(())
    });
    if let Err(TestError::Fail(reason, case)) = result {
        panic!("{reason}\nwith {case:#?}\n{}", planned(&case).explanation);
    }
}

fn planned(case: &Case) -> Plan {
    plan(
        &case.rule,
        &case.snapshot,
        case.incoming,
        &case.caps,
        &case.answers,
    )
}

/// A plan in the terms of the second planner.
fn told(plan: &Plan) -> Run {
    let ends = plan.explanation.actions.iter().map(|seen| {
        let end = match seen.outcome {
            Outcome::Moved => End::Moved(i128::from(seen.moved)),
            Outcome::Skipped(skip) => End::Skipped(skip),
            Outcome::Failed(failure) => End::Failed(failure),
            Outcome::NotReached => End::NotReached,
        };
        (usize::from(seen.action), end)
    });
    let made = plan.transfers.iter().map(|t| {
        let minor = i128::from(t.minor);
        (
            usize::from(t.action),
            t.source,
            t.destination,
            minor,
            t.failure,
        )
    });
    let counted = plan.counted.iter().map(|counted| {
        let used = counted.used;
        (
            counted.group,
            (used.period, used.since, i128::from(used.used_minor)),
        )
    });
    Run {
        step: plan.explanation.step.map(usize::from),
        ends: ends.collect(),
        made: made.collect(),
        counted: counted.collect(),
    }
}

/// Both planners come to the same; and the cases get everywhere.
#[test]
fn both_planners_agree() {
    let tally: RefCell<BTreeMap<String, u32>> = RefCell::default();
    run_cases(BOTH, |case| {
        let second = sim::rules::run(
            &case.rule,
            &case.snapshot,
            case.incoming,
            &case.caps,
            &case.answers,
        );
        let first = told(&planned(case));
        assert_eq!(first, second);
        let mut tally = tally.borrow_mut();
        let mut count = |what: String| *tally.entry(what).or_default() += 1;
        match first.step {
            None => count("no step".to_owned()),
            Some(step) => {
                count(format!("step {step}"));
                for (action, end) in &first.ends {
                    let kind = case.rule.steps[step].actions[*action].action_type();
                    let word = match end {
                        End::Moved(_) => "moved",
                        End::Skipped(skip) => skip.name(),
                        End::Failed(failure) => failure.name(),
                        End::NotReached => "not reached",
                    };
                    count(word.to_owned());
                    if matches!(end, End::Moved(_)) {
                        count(format!("{kind} moved"));
                    }
                }
            }
        }
        for (period, ..) in first.counted.values() {
            count(format!("counted {period}"));
        }
    });
    let tally = tally.into_inner();
    println!("{tally:#?}");
    for kind in ledger::rule::action::ActionType::ALL {
        let what = format!("{kind} moved");
        assert!(tally.get(&what).is_some_and(|times| *times >= 20), "{what}");
    }
    for what in [
        "no step",
        "step 0",
        "step 2",
        "not reached",
        "NOTHING_TO_MOVE",
        "NOTHING_CAME_IN",
        "CAP_REACHED",
        "SOURCE_EMPTY",
        "INSUFFICIENT_FUNDS",
        "TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
        "NULL_BALANCE",
        "ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT",
        "ACCOUNT_NO_LAST_STATEMENT_BALANCE",
        "RESOURCE_DELETED",
        "PAYMENT_NOT_SUPPORTED",
        "PAYMENT_FAILED",
        "AMOUNT_QUERY_UNANSWERED",
        "PARTS_TOO_SMALL",
        "counted PER_WEEK",
        "counted PER_MONTH",
        "counted PER_YEAR",
    ] {
        assert!(tally.get(what).is_some_and(|times| *times >= 10), "{what}");
    }
}

/// Nothing is paid that is not there, after any of the transfers; nothing is less than a dollar;
/// what a plan says of an action is what its transfers come to.
#[test]
fn no_money_is_made_or_lost() {
    run_cases(CASES, |case| {
        let plan = planned(case);
        let mut funds: BTreeMap<AccountId, i128> = BTreeMap::new();
        for (id, seen) in &case.snapshot.accounts {
            funds.extend(seen.available.map(|minor| (*id, i128::from(minor).max(0))));
        }
        let held = |id| case.snapshot.accounts[&id].is_held();
        let mut by_action: BTreeMap<u16, i128> = BTreeMap::new();
        for made in plan.transfers.iter().filter(|t| t.failure.is_none()) {
            let minor = i128::from(made.minor);
            assert!(minor >= 100, "{made:?}");
            assert_ne!(made.source, made.destination);
            *by_action.entry(made.action).or_default() += minor;
            if let Some(left) = funds.get_mut(&made.source) {
                *left -= minor;
                assert!(*left >= 0, "{made:?}");
            }
            if held(made.source) && held(made.destination) {
                *funds.entry(made.destination).or_default() += minor;
            }
        }
        for seen in &plan.explanation.actions {
            let moved = by_action.get(&seen.action).copied().unwrap_or(0);
            assert_eq!(i128::from(seen.moved), moved);
            assert_eq!(seen.outcome == Outcome::Moved, moved > 0);
            assert!(seen.moved <= seen.allowed);
            assert!(seen.allowed <= seen.wanted.unwrap_or(0));
        }
        let all: i128 = by_action.values().sum();
        assert_eq!(plan.moved(), all);
        let failed = plan.explanation.actions.iter();
        let failed = failed.filter(|seen| matches!(seen.outcome, Outcome::Failed(_)));
        assert!(failed.count() <= 1, "the first failure ends the run");
    });
}

/// A group moves no more than its cap has left, whatever was counted before; a counter stands
/// where it stood and what was moved besides.
#[test]
fn caps_are_never_exceeded() {
    run_cases(CASES, |case| {
        let plan = planned(case);
        let Some(step) = plan.explanation.step else {
            return;
        };
        let actions = &case.rule.steps[usize::from(step)].actions;
        for seen in &plan.explanation.caps {
            let moved = plan
                .explanation
                .actions
                .iter()
                .filter(|a| a.group == seen.group);
            let moved: i128 = moved.map(|a| i128::from(a.moved)).sum();
            let left = i128::from(seen.cap.minor) - i128::from(seen.before);
            assert!(moved <= left.max(0), "{seen:?}");
            assert_eq!(i128::from(seen.after), i128::from(seen.before) + moved);
            assert!(actions.iter().any(|a| a.limit == Some(seen.cap)));
        }
        // Planned again with the new counters, it is still within them.
        let mut caps = case.caps.clone();
        for counted in &plan.counted {
            caps.insert((step, counted.group), counted.used);
        }
        let again = plan_with(case, &caps);
        for counted in again.counted {
            let cap = actions
                .iter()
                .filter(|a| a.group_index == counted.group)
                .find_map(|a| a.limit);
            let cap = cap.expect("what is counted has a cap");
            let before = caps
                .get(&(step, counted.group))
                .map_or(0, |used| used.used_minor);
            assert!(counted.used.used_minor <= cap.minor.max(before));
        }
    });
}

fn plan_with(case: &Case, caps: &ledger::rule::snapshot::CapsUsed) -> Plan {
    plan(
        &case.rule,
        &case.snapshot,
        case.incoming,
        caps,
        &case.answers,
    )
}

#[test]
fn the_same_input_gives_the_same_plan() {
    run_cases(CASES, |case| {
        assert_eq!(planned(case), planned(&case.clone()))
    });
}

/// Where the actions of a group stand changes nothing about what they want and are allowed; and
/// nothing at all while there is enough for all of them.
#[test]
fn places_inside_a_group_do_not_matter() {
    let compared = RefCell::new(0_u32);
    run_cases(CASES, |case| {
        let first = planned(case);
        let Some(step) = first.explanation.step else {
            return;
        };
        let actions = &case.rule.steps[usize::from(step)].actions;
        // A cent that is left goes to the oldest destination, so they have to differ.
        let to = |a: &ledger::rule::action::Action| (a.group_index, a.destinations().next());
        let distinct: BTreeSet<_> = actions.iter().map(to).collect();
        let answers = actions
            .iter()
            .any(|a| a.action_type().name() == "queried_amount");
        let enough = |plan: &Plan| {
            plan.explanation.shortfalls.is_empty() && plan.explanation.failure().is_none()
        };
        if distinct.len() != actions.len() || answers || !enough(&first) {
            return;
        }
        let mut turned = case.clone();
        let mut steps: Vec<Step> = turned.rule.steps.to_vec();
        steps[usize::from(step)].actions.reverse();
        turned.rule.steps = steps.into();
        let second = planned(&turned);
        assert!(enough(&second));
        let last = u16::try_from(actions.len() - 1).expect("few");
        let sums = |plan: &Plan, place: &dyn Fn(u16) -> u16| -> BTreeMap<u16, _> {
            let actions = plan.explanation.actions.iter();
            actions
                .map(|a| (place(a.action), (a.wanted, a.allowed, a.moved, a.outcome)))
                .collect()
        };
        assert_eq!(sums(&first, &|at| at), sums(&second, &|at| last - at));
        assert_eq!(first.counted, second.counted);
        *compared.borrow_mut() += u32::from(actions.len() > 1);
    });
    let compared = compared.into_inner();
    assert!(
        compared >= CASES / 40,
        "only {compared} cases were compared"
    );
}
