//! Random rules with accounts, caps and answers, near the edges more often than not.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::rule::action::{
    Action, Apr, Budget, Cap, CapPeriod, Debt, Movement, PercentageTarget, Reckoning,
    Strategy as PayOff, TopUp,
};
use ledger::rule::calendar::Day;
use ledger::rule::condition::{Against, Condition, Conditions, Fact, Operator, ValueFact};
use ledger::rule::failure::Failure;
use ledger::rule::percent::Percent;
use ledger::rule::snapshot::{
    AccountSeen, Answers, CapUsed, CapsUsed, Incoming, Snapshot, period_start,
};
use ledger::rule::{RoundDown, Rule, Settings, Step, Trigger};
use ledger::{AccountId, AccountKind, Currency, ExternalKind, Millis, OwnerId, RuleId, TenantId};
use proptest::prelude::*;
use proptest::sample::select;

/// Everything that a plan is made from.
#[derive(Clone, Debug)]
pub struct Case {
    pub rule: Rule,
    pub snapshot: Snapshot,
    pub incoming: Incoming,
    pub caps: CapsUsed,
    pub answers: Answers,
}

/// The trigger's account, three pods, two banks and three debts; and one that is gone.
const HELD: [u64; 4] = [10, 13, 12, 11];
const BANKS: [u64; 2] = [21, 20];
const DEBTS: [u64; 3] = [30, 32, 31];
const GONE: u64 = 40;

fn account(id: u64) -> AccountId {
    AccountId::new(id)
}

/// Cents: few, so that things coincide, or as many as there can be.
fn cents() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0..300_i64,
        6 => (0..120_i64).prop_map(|n| n * 50),
        6 => 0..20_000_i64,
        1 => select(vec![99, 100, 101]),
        1 => select(vec![i64::MAX, i64::MAX - 1, i64::MAX / 2]),
    ]
}

fn percent() -> impl Strategy<Value = Percent> {
    let scaled = prop_oneof![
        6 => (0..=20_i64).prop_map(|n| n * 500_000_000),
        2 => select(vec![3_333_333_333_i64, 3_333_333_334, 1_250_000_000, 250_000_000]),
        2 => 0..=10_000_000_000_i64,
    ];
    scaled.prop_map(|scaled| Percent::from_scaled(scaled).expect("in range"))
}

fn maybe_cents() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.85, prop_oneof![9 => cents(), 1 => -500..0_i64])
}

fn source() -> impl Strategy<Value = Option<AccountId>> {
    prop_oneof![
        6 => Just(None),
        2 => select(HELD.to_vec()).prop_map(|id| Some(account(id))),
        1 => select(BANKS.to_vec()).prop_map(|id| Some(account(id))),
    ]
}

fn destination() -> impl Strategy<Value = AccountId> {
    prop_oneof![
        8 => select(HELD.to_vec()),
        3 => select(BANKS.to_vec()),
        2 => select(DEBTS.to_vec()),
        1 => Just(GONE),
    ]
    .prop_map(account)
}

fn debt() -> impl Strategy<Value = AccountId> {
    select(DEBTS.to_vec()).prop_map(account)
}

fn target() -> impl Strategy<Value = PercentageTarget> {
    select(PercentageTarget::ALL.to_vec())
}

fn payment() -> impl Strategy<Value = Movement> {
    let minor = || cents().prop_map(|minor| minor.max(1));
    let pay = |(reckoning, destination)| Movement::Pay {
        reckoning,
        destination,
    };
    let top_up = prop_oneof![
        3 => cents().prop_map(TopUp::Amount),
        1 => debt().prop_map(TopUp::NextPaymentMinimum),
        1 => debt().prop_map(TopUp::CurrentBalance),
        1 => debt().prop_map(TopUp::LastStatementBalance),
    ];
    let anywhere = prop_oneof![
        5 => minor().prop_map(Reckoning::FixedAmount),
        8 => (percent(), target()).prop_map(|(p, t)| Reckoning::Percentage(p, t)),
        3 => minor().prop_map(Reckoning::RoundDown),
        1 => Just(Reckoning::Queried),
    ];
    let of_debt = prop_oneof![
        Just(Reckoning::NextPaymentMinimum),
        Just(Reckoning::TotalAmountDue),
        Just(Reckoning::LastStatementBalance),
        percent().prop_map(Reckoning::PercentageLiabilityBalance),
    ];
    let no_debt = prop_oneof![4 => select(HELD.to_vec()), 1 => select(BANKS.to_vec())];
    prop_oneof![
        10 => (anywhere, destination()).prop_map(pay),
        3 => (of_debt, debt()).prop_map(pay),
        3 => (top_up.prop_map(Reckoning::TopUp), no_debt.prop_map(account)).prop_map(pay),
    ]
}

fn pay_off() -> impl Strategy<Value = Movement> {
    let budget = prop_oneof![
        cents().prop_map(|minor| Budget::Amount(minor.max(1))),
        (percent(), target()).prop_map(|(p, t)| Budget::Percentage(p, t)),
    ];
    let debts = prop::sample::subsequence(DEBTS.to_vec(), 1..=DEBTS.len()).prop_shuffle();
    let rates = prop::collection::vec(0..3_u32, DEBTS.len());
    let strategy = select(PayOff::ALL.to_vec());
    (strategy, budget, debts, rates).prop_map(|(strategy, budget, debts, rates)| {
        let debts = debts.into_iter().zip(rates).map(|(id, rate)| Debt {
            account: account(id),
            apr: Some(Apr(rate)),
        });
        Movement::PayOff {
            strategy,
            budget,
            debts: debts.collect(),
        }
    })
}

fn action() -> impl Strategy<Value = Action> {
    let movement = prop_oneof![6 => payment(), 1 => pay_off()];
    (movement, source(), 0..3_u32, any::<bool>()).prop_map(
        |(movement, source, group_index, up_to_enabled)| {
            let mut action = Action {
                movement,
                source,
                group_index,
                up_to_enabled,
                limit: None,
                direct_deposit: false,
                ach_description: None,
            };
            // Nothing is paid from an account to itself.
            let own = source.unwrap_or(account(HELD[0]));
            if let Movement::Pay { destination, .. } = &mut action.movement
                && *destination == own
            {
                let other = HELD.iter().find(|id| account(**id) != own).expect("four");
                *destination = account(*other);
            }
            action
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let any_account = || {
        prop::option::of(prop_oneof![
            select(HELD.to_vec()),
            select(DEBTS.to_vec()),
            select(BANKS.to_vec()),
            Just(GONE),
        ])
        .prop_map(|id| id.map(account))
    };
    let against = prop_oneof![
        4 => cents().prop_map(Against::Value),
        2 => (1..=31_i64).prop_map(Against::Value),
        3 => (select(ValueFact::ALL.to_vec()), any_account())
            .prop_map(|(fact, account)| Against::Fact(fact, account)),
    ];
    let fact = select(Fact::ALL.to_vec());
    (fact, any_account(), select(Operator::ALL.to_vec()), against).prop_map(
        |(fact, account, operator, against)| Condition {
            fact,
            account,
            operator,
            against,
        },
    )
}

fn conditions() -> impl Strategy<Value = Conditions> {
    condition()
        .prop_map(Conditions::Leaf)
        .prop_recursive(3, 8, 3, |inner| {
            let branches = prop::collection::vec(inner, 1..=3);
            prop_oneof![
                branches.clone().prop_map(Conditions::Any),
                branches.prop_map(Conditions::All),
            ]
        })
}

fn step() -> impl Strategy<Value = Step> {
    let caps = prop::collection::vec(
        prop::option::weighted(0.5, (select(CapPeriod::ALL.to_vec()), cents())),
        3,
    );
    let actions = prop::collection::vec(action(), 1..=5);
    (prop::option::weighted(0.6, conditions()), actions, caps).prop_map(
        |(conditions, mut actions, caps)| {
            for action in &mut actions {
                let cap = caps[action.group_index as usize];
                action.limit = cap.map(|(period, minor)| Cap { period, minor });
            }
            Step {
                conditions,
                actions,
            }
        },
    )
}

/// Some moment within thirty years, and a local calendar up to half a day off.
fn settings() -> impl Strategy<Value = (Millis, Settings)> {
    let at = (0..11_000_i64 * 86_400_000).prop_map(|ms| Millis(1_000_000_000_000 + ms));
    let offset = select(vec![0, 0, 60, -300, 720, -720]);
    (at, select(RoundDown::ALL.to_vec()), offset).prop_map(|(at, round_down, minutes)| {
        let settings = Settings {
            round_down,
            utc_offset_minutes: minutes,
            ..Settings::default()
        };
        (at, settings)
    })
}

fn rule() -> impl Strategy<Value = (Rule, Millis)> {
    (prop::collection::vec(step(), 1..=3), settings()).prop_map(|(steps, (at, settings))| {
        let rule = Rule {
            id: RuleId::new(1),
            tenant: TenantId::new(2),
            owner: OwnerId::new(3),
            name: Arc::from("Rule"),
            description: None,
            enabled: true,
            trigger: Trigger::Manual {
                account: account(HELD[0]),
            },
            steps: steps.into(),
            currency: Currency::USD,
            settings,
            approval_above_minor: None,
            version: 1,
            created_at: Millis(0),
            updated_at: Millis(0),
        };
        (rule, at)
    })
}

fn trouble() -> impl Strategy<Value = Option<Failure>> {
    prop_oneof![
        30 => Just(None),
        1 => Just(Some(Failure::PaymentNotSupported)),
        1 => Just(Some(Failure::ResourceDeleted)),
    ]
}

fn held() -> impl Strategy<Value = AccountSeen> {
    let balance = prop_oneof![8 => cents(), 1 => Just(i64::MAX - 50)];
    (balance, 0..300_i64, 0..500_i64, trouble()).prop_map(|(balance, hold, arriving, trouble)| {
        AccountSeen {
            kind: AccountKind::Pod,
            trouble,
            available: Some(balance - hold.min(balance)),
            balance: Some(balance),
            arriving,
            last_statement: None,
            next_payment_minimum: None,
        }
    })
}

fn outside(kind: ExternalKind) -> impl Strategy<Value = AccountSeen> {
    let numbers = (maybe_cents(), maybe_cents(), maybe_cents(), maybe_cents());
    (numbers, 0..500_i64, trouble()).prop_map(move |(numbers, arriving, trouble)| AccountSeen {
        kind: AccountKind::External(kind),
        trouble,
        available: numbers.0,
        balance: numbers.1,
        arriving,
        last_statement: numbers.2,
        next_payment_minimum: numbers.3,
    })
}

fn accounts() -> impl Strategy<Value = BTreeMap<AccountId, AccountSeen>> {
    let held = prop::collection::vec(held(), HELD.len());
    let banks = prop::collection::vec(outside(ExternalKind::Depository), BANKS.len());
    let debts = prop::collection::vec(outside(ExternalKind::Liability), DEBTS.len());
    (held, banks, debts).prop_map(|(held, banks, debts)| {
        let ids = HELD
            .iter()
            .chain(&BANKS)
            .chain(&DEBTS)
            .copied()
            .map(account);
        ids.zip(held.into_iter().chain(banks).chain(debts))
            .collect()
    })
}

/// Counters of this period, of another one, or of a cap that was changed since.
fn counters() -> impl Strategy<Value = Vec<(u16, u32, CapPeriod, i64, i64)>> {
    let counter = (
        0..3_u16,
        0..3_u32,
        select(CapPeriod::ALL.to_vec()),
        select(vec![0, 0, 0, 1, 40]),
        cents(),
    );
    prop::collection::vec(counter, 0..=6)
}

fn incoming() -> impl Strategy<Value = Incoming> {
    prop_oneof![
        1 => Just(Incoming::Unknown),
        3 => cents().prop_map(Incoming::Amount),
        1 => cents().prop_map(Incoming::Pretended),
    ]
}

pub fn case() -> impl Strategy<Value = Case> {
    let answers = prop::collection::btree_map((0..3_u16, 0..5_u16), cents(), 0..=8);
    (rule(), accounts(), incoming(), counters(), answers).prop_map(
        |((rule, at), accounts, incoming, counters, answers)| {
            let today = Day::at(at, i32::from(rule.settings.utc_offset_minutes));
            let mut caps = CapsUsed::new();
            for (step, group, period, days_ago, used_minor) in counters {
                let day = Day(today.0 - days_ago);
                if let Some(since) = period_start(period, day) {
                    let used = CapUsed {
                        period,
                        since,
                        used_minor,
                    };
                    caps.insert((step, group), used);
                }
            }
            Case {
                rule,
                snapshot: Snapshot { at, accounts },
                incoming,
                caps,
                answers,
            }
        },
    )
}
