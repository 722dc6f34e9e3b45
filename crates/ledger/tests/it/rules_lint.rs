//! What is found in rules that are well formed.

use std::sync::Arc;

use ledger::rule::lint::{Severity, blocking, lint};
use ledger::rule::schedule::{Schedule, ScheduleKind};
use ledger::rule::{CASCADE_MAX, RoundDown, Rule, Trigger};
use ledger::{Millis, RuleId};

use crate::rules_world::{Accounts, rule};

const BANK: &str = "pay 0; a 0; b 0; card debt 5000; c 0; d 0; e 0; f 0; g 0; h 0; i 0; j 0";

struct Set {
    accounts: Accounts,
    rules: Vec<Rule>,
}

impl Set {
    fn new() -> Set {
        Set {
            accounts: Accounts::of(BANK),
            rules: Vec::new(),
        }
    }

    /// A rule that waits for money on an account.
    fn on(self, account: &str, text: &str) -> Set {
        let account = self.accounts.id(account);
        self.add(Trigger::OnFundsTransferred { account }, text)
    }

    fn by_hand(self, text: &str) -> Set {
        let account = self.accounts.id("pay");
        self.add(Trigger::Manual { account }, text)
    }

    fn at(self, kind: ScheduleKind, start: i64, text: &str) -> Set {
        let account = Some(self.accounts.id("pay"));
        let start = Millis(start);
        let schedule = Schedule { kind, start };
        self.add(Trigger::Scheduled { schedule, account }, text)
    }

    fn add(mut self, trigger: Trigger, text: &str) -> Set {
        let mut rule = rule(&self.accounts, text);
        rule.id = RuleId::new(self.rules.len() as u64 + 1);
        rule.name = Arc::from(format!("Rule {}", self.rules.len() + 1));
        rule.trigger = trigger;
        self.rules.push(rule);
        self
    }

    /// `code at rule:path`, errors with an exclamation mark.
    fn found(&self) -> Vec<String> {
        let rules: Vec<&Rule> = self.rules.iter().collect();
        let line = |f: ledger::rule::lint::Finding| {
            let mark = if f.severity == Severity::Error {
                "!"
            } else {
                ""
            };
            assert!(f.text.ends_with('.'), "{}", f.text);
            format!("{mark}{} {}:{}", f.code, f.rule, f.path)
        };
        lint(&rules).into_iter().map(line).collect()
    }

    #[track_caller]
    fn check(self, expected: &[&str]) -> Set {
        assert_eq!(self.found(), expected);
        self
    }
}

/// One rule by hand.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    Set::new().by_hand(text).check(expected);
}

#[test]
fn a_sound_rule_has_nothing() {
    check(
        "if BALANCE > 500: 60% in pay>a; 40% in pay>b\nelse: fixed 100 pay>a",
        &[],
    );
    check("topup 500 pay>a g0; 100% source pay>b g1", &[]);
}

#[test]
fn money_that_goes_round() {
    let own = "fixed 100 b>pay";
    Set::new()
        .on("pay", own)
        .check(&["!cycle 1:steps[0].actions[0].destination"]);
    // Waiting on pay, paying into a; waiting on a, paying into b; waiting on b, back to pay.
    let set = Set::new()
        .on("pay", "fixed 100 pay>a")
        .on("a", "fixed 100 a>b");
    let set = set.check(&[]);
    let set = set.on("b", "fixed 100 b>c; fixed 100 b>pay");
    let set = set.check(&["!cycle 3:steps[0].actions[1].destination"]);
    let rules: Vec<&Rule> = set.rules.iter().collect();
    let text = &lint(&rules)[0].text;
    assert!(
        text.contains("\"Rule 1\", then \"Rule 2\", then \"Rule 3\""),
        "{text}"
    );
    // By hand it goes once.
    let set = Set::new()
        .by_hand("fixed 100 b>pay")
        .on("pay", "fixed 100 pay>b");
    set.check(&[]);
}

#[test]
fn rows_that_are_too_long() {
    let stations = ["pay", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let row = |length: usize| {
        let ends = stations.windows(2).take(length);
        ends.fold(Set::new(), |set, ends| {
            set.on(ends[0], &format!("fixed 100 {}>{}", ends[0], ends[1]))
        })
    };
    row(CASCADE_MAX + 1).check(&[]);
    row(CASCADE_MAX + 2).check(&["!cascade_too_long 1:steps"]);
}

#[test]
fn two_rules_wait_on_one_account() {
    let set = Set::new()
        .on("pay", "fixed 100 pay>a")
        .on("pay", "fixed 100 pay>b");
    set.check(&["!second_listener 2:trigger.account_id"]);
}

#[test]
fn switching_on_is_blocked_by_errors_only() {
    let set = Set::new()
        .on("pay", "fixed 100 pay>a")
        .on("a", "fixed 100 a>pay");
    let (first, second) = (&set.rules[0], &set.rules[1]);
    assert_eq!(blocking(first, &[]), None);
    assert_eq!(blocking(second, &[second]), None);
    let code = |finding: Option<ledger::rule::lint::Finding>| finding.map(|f| f.code.name());
    assert_eq!(code(blocking(second, &[first])), Some("cycle"));
    let set = Set::new().by_hand("fixed 5000 pay>a cap each 3000");
    assert_eq!(blocking(&set.rules[0], &[]), None);
}

#[test]
fn shares_of_more_than_all() {
    let over = "!shares_over_whole 1:steps[0].actions[1].percentage_value";
    check("60% in pay>a; 40.00000001% in pay>b", &[over]);
    check("60% in pay>a upto; 41% in pay>b upto", &[&over[1..]]);
    check("60% in pay>a upto; 41% in pay>b", &[over]);
    // The incoming amount is one for all groups; a source is smaller for each.
    check("60% in pay>a g0; 41% in pay>b g1", &[over]);
    check("60% source pay>a g0; 41% source pay>b g1", &[]);
    check("60% source pay>a; 41% source pay>b", &[over]);
    // Of two accounts, or in two steps.
    check("60% source pay>a; 60% source b>a", &[]);
    check("if DATE = 1: 60% in pay>a\nelse: 60% in pay>a", &[]);
}

#[test]
fn amounts_that_are_never_moved() {
    let below = "!amount_below_minimum 1:steps[0].actions[0].amount_in_cents";
    check("fixed 99 pay>a", &[below]);
    check("topup 99 pay>a", &[below]);
    check("snowball 99 pay>card", &[below]);
    check("topup 100 pay>a", &[]);
    // What is above a multiple of a dollar is less than a dollar; a buffer of a dollar is fine.
    check("round 100 pay>a", &[below]);
    check("round 101 pay>a", &[]);
    let mut set = Set::new().by_hand("round 100 pay>a");
    set.rules[0].settings.round_down = RoundDown::Buffer;
    set.check(&[]);
}

#[test]
fn caps_that_cut_off_too_much() {
    let at = "1:steps[0].actions[0].limit.amount_in_cents";
    check(
        "fixed 5000 pay>a cap each 4999",
        &[&format!("cap_below_fixed {at}")],
    );
    check("fixed 5000 pay>a cap month 5000", &[]);
    check(
        "20% in pay>a cap month 99",
        &[&format!("cap_below_minimum {at}")],
    );
}

#[test]
fn steps_that_are_never_taken() {
    let second = "step_unreachable 1:steps[1]";
    check("fixed 100 pay>a\nfixed 200 pay>a", &[second]);
    check(
        "if DATE = 1: fixed 100 pay>a\nif DATE = 1: fixed 200 pay>a",
        &[second],
    );
    check(
        "if DATE = 1: fixed 100 pay>a\nif DATE = 2: fixed 200 pay>a",
        &[],
    );
}

#[test]
fn conditions_that_never_hold() {
    let never = ["never_holds 1:steps[0].conditions"];
    for (condition, found) in [
        ("DATE = 32", true),
        ("DATE < 1", true),
        ("DATE > 31", true),
        ("DATE = 31", false),
        ("AMOUNT < 0", true),
        ("AMOUNT <= 0", false),
        ("BALANCE < 0", false),
        ("all(BALANCE > 100, BALANCE < 101)", true),
        ("all(BALANCE > 100, BALANCE < 102)", false),
        ("all(BALANCE > 100, BALANCE(a) < 50)", false),
        ("all(BALANCE = 100, BALANCE = 101)", true),
        ("all(BALANCE >= 5, all(DATE = 3, BALANCE <= 4))", true),
        ("all(DATE = 3, any(DATE = 40, DATE < 0))", true),
        ("any(DATE = 40, all(DATE = 3, DATE = 4))", true),
        ("any(DATE = 40, DATE = 4)", false),
        ("BALANCE > 9223372036854775807", true),
        ("BALANCE < -9223372036854775808", true),
        ("BALANCE != 5", false),
    ] {
        let text = format!("if {condition}: fixed 100 pay>a");
        let expected: &[&str] = if found { &never } else { &[] };
        check(&text, expected);
    }
}

#[test]
fn amounts_that_a_schedule_never_knows() {
    let text = "if all(DATE = 1, AMOUNT > 5): 20% in pay>a\nif BALANCE > AMOUNT: 20% source pay>a";
    Set::new().at(ScheduleKind::Daily, 0, text).check(&[
        "amount_never_known 1:steps[0].conditions.all[1]",
        "amount_never_known 1:steps[0].actions[0].percentage_target",
        "amount_never_known 1:steps[1].conditions",
    ]);
    check(text, &[]);
}

#[test]
fn places_that_decide() {
    let at = "order_decides 1:steps[0].actions[1].group_index";
    check("topup 500 pay>a; 100% source pay>b", &[at]);
    check("100% source pay>b; topup 500 pay>a", &[at]);
    check("round 500 pay>b; round 700 pay>a", &[at]);
    check("round 500 pay>b; fixed 700 c>a", &[]);
    check("fixed 500 pay>a; fixed 500 pay>b", &[]);
    check("fixed 500 pay>a; 50% in pay>b", &[]);
    // It is said once.
    check("topup 500 pay>a; 50% source pay>b; fixed 500 pay>c", &[at]);
    check(
        "fixed 500 pay>a g1; fixed 500 pay>b g0",
        &["groups_out_of_order 1:steps[0].actions[1].group_index"],
    );
}

#[test]
fn debts_that_are_paid_twice() {
    let at = "paid_twice 1:steps[0].actions[1].group_index";
    check("due pay>card; 10% owed pay>card", &[at]);
    check("due pay>card; snowball 500 pay>card", &[at]);
    check("topup 500 pay>a; topup 600 pay>a", &[at]);
    check("due pay>card g0; due pay>card g1", &[]);
    check("minimum pay>card; due pay>card", &[]);
    check("topup 500 pay>a; topup 600 pay>b", &[]);
}

#[test]
fn schedules_that_meet() {
    use ScheduleKind::{Daily, EveryOtherWeek, Monthly, OneTime, Weekly};
    const DAY: i64 = 86_400_000;
    let met = ["same_instant 2:trigger"];
    let pair = |one: (ScheduleKind, i64), other: (ScheduleKind, i64)| {
        let set = Set::new().at(one.0, one.1, "fixed 100 pay>a");
        set.at(other.0, other.1, "fixed 100 pay>b")
    };
    pair((Daily, 0), (Weekly, 3 * DAY)).check(&met);
    pair((Daily, 0), (Weekly, 3 * DAY + 1)).check(&[]);
    pair((Weekly, 0), (Weekly, DAY)).check(&[]);
    pair((Monthly, 4 * DAY), (Weekly, 0)).check(&met);
    pair((Monthly, 4 * DAY), (EveryOtherWeek, 0)).check(&met);
    pair((Monthly, 4 * DAY), (Monthly, 5 * DAY)).check(&[]);
    pair((OneTime, 9 * DAY), (Daily, 0)).check(&met);
    pair((OneTime, 0), (Daily, DAY)).check(&[]);
    pair((OneTime, DAY), (OneTime, DAY)).check(&met);
    pair((OneTime, DAY), (OneTime, 2 * DAY)).check(&[]);
    // The two draw on different accounts.
    let set = Set::new()
        .at(Daily, 0, "fixed 100 c>a")
        .at(Daily, 0, "fixed 100 d>b");
    set.check(&[]);
    let set = pair((Daily, 0), (Weekly, 3 * DAY));
    let rules: Vec<&Rule> = set.rules.iter().collect();
    let text = &lint(&rules)[0].text;
    assert!(
        text.contains("\"Rule 1\"") && text.contains("1970-01-04"),
        "{text}"
    );
}

#[test]
fn errors_come_first_then_rules_in_order() {
    let set = Set::new().by_hand("fixed 5000 pay>a cap each 500");
    let set = set.by_hand("fixed 50 pay>a");
    set.check(&[
        "!amount_below_minimum 2:steps[0].actions[0].amount_in_cents",
        "cap_below_fixed 1:steps[0].actions[0].limit.amount_in_cents",
    ]);
    assert_eq!(lint(&[]), []);
}
