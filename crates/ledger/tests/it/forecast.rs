//! Looking ahead: what is foretold is what then happens.

use ledger::execution::ExecutionError;
use ledger::forecast::{DAYS_MAX, FailureKind, Forecast, INCOME_MAX, Income, Question, forecast};
use ledger::rule::failure::Failure;
use ledger::rule::schedule::{Schedule, ScheduleKind};
use ledger::{Command, Millis, Rejection, TenantClock};

use crate::rules_runs::Home;
use crate::world::{POD, START};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

fn question(home: &Home, days: u16) -> Question {
    Question {
        tenant: home.world.tenant,
        owner: home.world.owner,
        days,
        utc_offset_minutes: 0,
        income: Vec::new(),
    }
}

fn pay(home: &Home, minor: i64, kind: ScheduleKind) -> Income {
    Income {
        account: home.id("pay"),
        minor,
        schedule: Schedule {
            kind,
            start: START.plus(HOUR_MS),
        },
    }
}

fn ask(home: &Home, question: &Question) -> Forecast {
    let state = home.world.state.clone();
    forecast(state, question, home.world.now).expect("a sound question")
}

/// A household: pay every other week, shares of it, rent on the first, a buffer kept full.
fn household() -> Home {
    let mut home = Home::new();
    home.on("pay", "20% in pay>a cap month 30000; 10% in pay>b");
    home.every(
        ScheduleKind::Monthly,
        START.plus(3 * DAY_MS),
        "fixed 90000 pay>bank",
    );
    home.every(
        ScheduleKind::Weekly,
        START.plus(2 * DAY_MS),
        "topup 20000 b>c",
    );
    home.deposit("pay", 50_000);
    home
}

#[test]
fn what_is_foretold_happens() {
    let mut home = household();
    let income = pay(&home, 120_000, ScheduleKind::EveryOtherWeek);
    let asked = Question {
        income: vec![income],
        ..question(&home, 90)
    };
    let told = ask(&home, &asked);
    assert_eq!(
        told,
        ask(&home, &asked),
        "the same question has the same answer"
    );
    assert_eq!(told.days.len(), 90);
    assert_eq!(told.from, home.world.now);
    // Now live through it, with the same income at the same times.
    let first_day = told.days[0].day.0;
    for day in &told.days {
        let end = Millis((day.day.0 + 1) * DAY_MS - 1);
        let next = income.schedule.next(home.world.now.plus(1), &|_| 0);
        if let Some(at) = next.filter(|at| *at <= end) {
            home.world.pass(at.since(home.world.now));
            home.deposit("pay", 120_000);
        }
        home.world.pass(end.since(home.world.now));
        for (account, balance) in told.accounts.iter().zip(&day.balances) {
            let number = day.day.0 - first_day;
            assert_eq!(
                home.world.balance(*account),
                *balance,
                "{account} on day {number}"
            );
        }
    }
    assert!(told.runs > 20, "{}", told.runs);
}

#[test]
fn nothing_is_written() {
    let home = household();
    let before = format!("{:?}", home.world.state.next_due_at());
    let log = home.world.log.len();
    let balances = ["pay", "a", "b", "c"].map(|name| home.balance(name));
    ask(&home, &question(&home, 90));
    assert_eq!(home.world.log.len(), log);
    assert_eq!(format!("{:?}", home.world.state.next_due_at()), before);
    assert_eq!(
        ["pay", "a", "b", "c"].map(|name| home.balance(name)),
        balances
    );
}

#[test]
fn the_first_failure_is_told_with_its_time() {
    let mut home = Home::new();
    let rent = home.every(ScheduleKind::Daily, START.plus(DAY_MS), "fixed 4000 pay>a");
    home.deposit("pay", 10_000);
    let told = ask(&home, &question(&home, 10));
    let short = FailureKind::Run(rent, ExecutionError::Action(Failure::InsufficientFunds));
    assert_eq!(told.failures[0].kind, short);
    assert_eq!(told.failures[0].at, START.plus(3 * DAY_MS));
    assert_eq!(told.lowest[0].minor, 2_000);
    assert_eq!(told.lowest[0].at, START.plus(2 * DAY_MS));
    assert_eq!(told.failed as usize, told.failures.len());
    // 2 that work; on each of the other days one that fails.
    assert_eq!(told.runs, told.failed + 2);
}

#[test]
fn caps_and_rivals_are_told() {
    let mut home = Home::new();
    let share = home.on("pay", "50% in pay>a cap month 30000");
    let rent = home.every(
        ScheduleKind::OneTime,
        START.plus(5 * DAY_MS),
        "fixed 90000 pay>b",
    );
    let asked = Question {
        income: vec![pay(&home, 100_000, ScheduleKind::OneTime)],
        ..question(&home, 10)
    };
    let told = ask(&home, &asked);
    // Half of 100,000 is 50,000; the cap lets 30,000 through.
    let [cap] = told.caps[..] else {
        panic!("{:?}", told.caps)
    };
    assert_eq!((cap.rule, cap.times, cap.cut_minor), (share, 1, 20_000));
    assert_eq!(cap.first_at, START.plus(HOUR_MS));
    // Then 70,000 are left where 90,000 are wanted.
    let [starved] = told.starved[..] else {
        panic!("{:?}", told.starved)
    };
    assert_eq!((starved.rule, starved.by), (rent, share));
    assert_eq!(
        (starved.account, starved.missing_minor),
        (home.id("pay"), 20_000)
    );
    assert_eq!(starved.times, 1);
}

#[test]
fn who_is_asked_approves() {
    let mut home = Home::new();
    let rule = home.every(ScheduleKind::Daily, START.plus(DAY_MS), "fixed 1000 pay>a");
    let set = Command::SetRuleApproval {
        tenant: home.world.tenant,
        owner: None,
        rule,
        above_minor: Some(999),
    };
    home.world.run(&set).expect("it exists");
    home.deposit("pay", 10_000);
    let told = ask(&home, &question(&home, 4));
    assert!(told.approvals > 0);
    let last = told.days.last().expect("a day");
    let moved = i64::from(told.approvals) * 1_000;
    assert_eq!(last.balances[..2], [10_000 - moved, moved]);
    assert_eq!(told.failed, 0);
}

#[test]
fn a_clock_that_stands_does_not_stop_what_is_foretold() {
    let mut home = household();
    let running = ask(&home, &question(&home, 30));
    let freeze = Command::SetClock {
        tenant: home.world.tenant,
        clock: TenantClock::Frozen { at: home.world.now },
    };
    home.world.run(&freeze).expect("a sandbox");
    assert_eq!(ask(&home, &question(&home, 30)), running);
}

#[test]
fn questions_are_checked() {
    let mut home = Home::new();
    let stranger = home.world.new_owner(home.world.tenant).id;
    let (bank, foreign) = (home.id("bank"), {
        let mut opening = home.world.opening(POD, crate::world::USD);
        opening.owner = stranger;
        home.world.open(opening)
    });
    let good = pay(&home, 100, ScheduleKind::Daily);
    let plain = question(&home, 1);
    let with = |income| Question {
        income,
        ..plain.clone()
    };
    for (asked, field) in [
        (
            Question {
                days: 0,
                ..plain.clone()
            },
            "days",
        ),
        (
            Question {
                days: DAYS_MAX + 1,
                ..plain.clone()
            },
            "days",
        ),
        (with(vec![good; INCOME_MAX + 1]), "income"),
        (with(vec![Income { minor: 0, ..good }]), "income.amount"),
    ] {
        let refused = forecast(home.world.state.clone(), &asked, home.world.now);
        assert!(
            matches!(&refused, Err(Rejection::Invalid { field: at, .. }) if *at == field),
            "{field}: {refused:?}"
        );
    }
    for account in [bank, foreign] {
        let asked = with(vec![Income { account, ..good }]);
        let refused = forecast(home.world.state.clone(), &asked, home.world.now);
        assert_eq!(refused, Err(Rejection::AccountNotFound));
    }
    let asked = Question {
        owner: ledger::OwnerId::new(u64::MAX),
        ..plain.clone()
    };
    let refused = forecast(home.world.state.clone(), &asked, home.world.now);
    assert_eq!(refused, Err(Rejection::OwnerNotFound));
}
