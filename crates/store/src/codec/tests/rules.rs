//! Rules and their runs: what can be in a record, and the bytes of each.

use ledger::execution::{Cause, Counts, ExecutionError, Ran};
use ledger::rule::action::{
    Action, Apr, Budget, Cap, CapPeriod, Debt, Movement, PercentageTarget, Reckoning, TopUp,
};
use ledger::rule::calendar::Day;
use ledger::rule::condition::{Against, Condition, Conditions, Fact, Operator, ValueFact};
use ledger::rule::explain::{
    ActionSeen, CapSeen, ConditionSeen, Explanation, Outcome, Quantity, Shortfall, Skip, Term,
};
use ledger::rule::failure::Failure;
use ledger::rule::percent::Percent;
use ledger::rule::schedule::{Schedule, ScheduleKind};
use ledger::rule::snapshot::CapUsed;
use ledger::rule::{RoundDown, Settings, Step, Trigger, TriggerKind};
use ledger::{Execution, ExecutionMode, ExecutionStatus, ExecutionStep, Incoming, Rule};

use super::*;
use crate::records::RememberedFault;

// --- what can be in a record ---------------------------------------------------------------------

fn account() -> impl Strategy<Value = AccountId> {
    any::<u64>().prop_map(AccountId::new)
}

fn maybe_account() -> impl Strategy<Value = Option<AccountId>> {
    option::of(account())
}

fn percent() -> impl Strategy<Value = Percent> {
    let scaled = 0..=Percent::HUNDRED.scaled();
    scaled.prop_map(|scaled| Percent::from_scaled(scaled).expect("within bounds"))
}

fn cap() -> impl Strategy<Value = Cap> {
    (coded(), integer()).prop_map(|(period, minor)| Cap { period, minor })
}

fn condition() -> impl Strategy<Value = Condition> {
    let against = prop_oneof![
        integer().prop_map(Against::Value),
        (coded(), maybe_account()).prop_map(|(fact, account)| Against::Fact(fact, account)),
    ];
    (coded(), maybe_account(), coded(), against).prop_map(|(fact, account, operator, against)| {
        Condition {
            fact,
            account,
            operator,
            against,
        }
    })
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let leaf = condition().prop_map(Conditions::Leaf);
    leaf.prop_recursive(7, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Conditions::Any),
            vec(inner, 0..3).prop_map(Conditions::All),
        ]
    })
}

fn reckoning() -> impl Strategy<Value = Reckoning> {
    let top_up = prop_oneof![
        integer().prop_map(TopUp::Amount),
        account().prop_map(TopUp::NextPaymentMinimum),
        account().prop_map(TopUp::CurrentBalance),
        account().prop_map(TopUp::LastStatementBalance),
    ];
    prop_oneof![
        integer().prop_map(Reckoning::FixedAmount),
        (percent(), coded()).prop_map(|(share, target)| Reckoning::Percentage(share, target)),
        top_up.prop_map(Reckoning::TopUp),
        integer().prop_map(Reckoning::RoundDown),
        Just(Reckoning::NextPaymentMinimum),
        Just(Reckoning::TotalAmountDue),
        Just(Reckoning::LastStatementBalance),
        percent().prop_map(Reckoning::PercentageLiabilityBalance),
        Just(Reckoning::Queried),
    ]
}

fn movement() -> impl Strategy<Value = Movement> {
    let budget = prop_oneof![
        integer().prop_map(Budget::Amount),
        (percent(), coded()).prop_map(|(share, target)| Budget::Percentage(share, target)),
    ];
    let debt = (account(), option::of(any::<u32>().prop_map(Apr)));
    let debts = vec(debt.prop_map(|(account, apr)| Debt { account, apr }), 0..3);
    prop_oneof![
        (reckoning(), account()).prop_map(|(reckoning, destination)| Movement::Pay {
            reckoning,
            destination,
        }),
        (coded(), budget, debts).prop_map(|(strategy, budget, debts)| Movement::PayOff {
            strategy,
            budget,
            debts: Arc::from(debts),
        }),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let flags = any::<(bool, bool)>();
    let rest = (option::of(cap()), flags, maybe_text());
    (movement(), maybe_account(), any::<u32>(), rest).prop_map(
        |(movement, source, group_index, (limit, flags, ach_description))| Action {
            movement,
            source,
            group_index,
            up_to_enabled: flags.0,
            limit,
            direct_deposit: flags.1,
            ach_description,
        },
    )
}

fn trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        account().prop_map(|account| Trigger::Manual { account }),
        account().prop_map(|account| Trigger::OnFundsTransferred { account }),
        (coded(), time(), maybe_account()).prop_map(|(kind, start, account)| {
            Trigger::Scheduled {
                schedule: Schedule { kind, start },
                account,
            }
        }),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let step = (option::of(conditions()), vec(action(), 0..3));
    let step = step.prop_map(|(conditions, actions)| Step {
        conditions,
        actions,
    });
    let settings = (coded(), any::<i16>(), integer()).prop_map(
        |(round_down, utc_offset_minutes, rail_delay_ms)| Settings {
            round_down,
            utc_offset_minutes,
            rail_delay_ms,
        },
    );
    let texts = (text(), maybe_text());
    let settings = (settings, option::of(integer()));
    let says = (trigger(), vec(step, 0..3), currency(), settings);
    let rest = (any::<u32>(), time(), time(), any::<bool>());
    (any::<(u64, u64, u64)>(), texts, says, rest).prop_map(
        |(ids, texts, (trigger, steps, currency, settings), rest)| Rule {
            id: RuleId::new(ids.0),
            tenant: TenantId::new(ids.1),
            owner: OwnerId::new(ids.2),
            name: texts.0,
            description: texts.1,
            enabled: rest.3,
            trigger,
            steps: Arc::from(steps),
            currency,
            settings: settings.0,
            approval_above_minor: settings.1,
            version: rest.0,
            created_at: rest.1,
            updated_at: rest.2,
        },
    )
}

fn cause() -> impl Strategy<Value = Cause> {
    let incoming = prop_oneof![
        Just(Incoming::Unknown),
        integer().prop_map(Incoming::Amount),
        integer().prop_map(Incoming::Pretended),
    ];
    let key = option::of(any::<u64>().prop_map(KeyId::new));
    prop_oneof![
        (incoming, key).prop_map(|(incoming, key)| Cause::Manual { incoming, key }),
        (any::<u64>(), integer()).prop_map(|(transfer, minor)| Cause::FundsTransferred {
            transfer: TransferId::new(transfer),
            minor,
        }),
        time().prop_map(|at| Cause::Scheduled { at }),
    ]
}

fn error() -> impl Strategy<Value = ExecutionError> {
    prop_oneof![
        coded().prop_map(ExecutionError::Action),
        Just(ExecutionError::RuleDisabled),
        Just(ExecutionError::RuleDeleted),
        Just(ExecutionError::CascadeTooLong),
    ]
}

fn counts() -> impl Strategy<Value = Counts> {
    any::<[u32; 4]>().prop_map(|[attempted, completed, failed, pending]| Counts {
        attempted,
        completed,
        failed,
        pending,
    })
}

fn action_seen() -> impl Strategy<Value = ActionSeen> {
    let term = prop_oneof![
        (coded(), integer()).prop_map(|(quantity, minor)| Term::Minor(quantity, minor)),
        (coded(), account(), integer())
            .prop_map(|(q, account, minor)| Term::Debt(q, account, minor)),
        percent().prop_map(Term::Share),
    ];
    let outcome = prop_oneof![
        Just(Outcome::Moved),
        coded().prop_map(Outcome::Skipped),
        coded().prop_map(Outcome::Failed),
        Just(Outcome::NotReached),
    ];
    let place = (any::<u16>(), any::<u32>(), coded(), account());
    let sums = (
        option::of(integer()),
        integer(),
        option::of(integer()),
        integer(),
    );
    (place, vec(term, 0..3), sums, outcome).prop_map(
        |((action, group, action_type, source), terms, sums, outcome)| ActionSeen {
            action,
            group,
            action_type,
            source,
            terms,
            wanted: sums.0,
            allowed: sums.1,
            spendable: sums.2,
            moved: sums.3,
            outcome,
        },
    )
}

fn explanation() -> impl Strategy<Value = Explanation> {
    let sides = (option::of(integer()), option::of(integer()), any::<bool>());
    let condition =
        (text(), condition(), sides).prop_map(|(path, condition, sides)| ConditionSeen {
            path: path.to_string(),
            condition,
            left: sides.0,
            right: sides.1,
            holds: sides.2,
        });
    let since = option::of(integer().prop_map(Day));
    let cap = (any::<u32>(), cap(), since, integer(), integer()).prop_map(
        |(group, cap, since, before, after)| CapSeen {
            group,
            cap,
            since,
            before,
            after,
        },
    );
    let short = (any::<u16>(), account(), integer(), integer()).prop_map(
        |(action, account, wanted, spendable)| Shortfall {
            action,
            account,
            wanted,
            spendable,
        },
    );
    let lists = (
        vec(condition, 0..2),
        vec(action_seen(), 0..3),
        vec(cap, 0..2),
        vec(short, 0..2),
    );
    (option::of(any::<u16>()), lists).prop_map(|(step, lists)| Explanation {
        step,
        conditions: lists.0,
        actions: lists.1,
        caps: lists.2,
        shortfalls: lists.3,
    })
}

fn ran() -> impl Strategy<Value = Ran> {
    let transfers = vec(any::<u64>().prop_map(TransferId::new), 0..3);
    (any::<u32>(), counts(), transfers, explanation()).prop_map(
        |(version, counts, transfers, explanation)| Ran {
            version,
            counts,
            transfers: Arc::from(transfers),
            explanation: Arc::new(explanation),
        },
    )
}

fn execution() -> impl Strategy<Value = Execution> {
    let stands = (
        coded(),
        option::of(error()),
        any::<u8>(),
        option::of(time()),
    );
    let rest = (
        option::of(any::<(u16, u16)>()),
        option::of(ran()),
        time(),
        time(),
    );
    let why = (text(), cause(), coded(), any::<u8>());
    (any::<(u64, u64, u64, u64)>(), why, stands, rest).prop_map(|(ids, why, stands, rest)| {
        Execution {
            id: ExecutionId::new(ids.0),
            tenant: TenantId::new(ids.1),
            owner: OwnerId::new(ids.2),
            rule: RuleId::new(ids.3),
            rule_name: why.0,
            cause: why.1,
            mode: why.2,
            depth: why.3,
            status: stands.0,
            error: stands.1,
            delays: stands.2,
            next_attempt_at: stands.3,
            asks: rest.0,
            ran: rest.1,
            created_at: rest.2,
            updated_at: rest.3,
        }
    })
}

fn step() -> impl Strategy<Value = ExecutionStep> {
    prop_oneof![
        (ran(), option::of(error())).prop_map(|(ran, error)| ExecutionStep::Ran(ran, error)),
        (time(), option::of(any::<(u16, u16)>()))
            .prop_map(|(until, asks)| ExecutionStep::PutOff { until, asks }),
        counts().prop_map(ExecutionStep::TransferEnded),
        error().prop_map(ExecutionStep::Failed),
    ]
}

/// What rules add to the journal.
pub(super) fn effect() -> impl Strategy<Value = Effect> {
    let used = (coded(), integer(), integer()).prop_map(|(period, since, used_minor)| CapUsed {
        period,
        since: Day(since),
        used_minor,
    });
    prop_oneof![
        rule().prop_map(Effect::RuleSet),
        (any::<u64>(), time()).prop_map(|(rule, at)| Effect::RuleDeleted {
            rule: RuleId::new(rule),
            at,
        }),
        (any::<u64>(), any::<u16>(), any::<u32>(), used).prop_map(|(rule, step, group, used)| {
            Effect::CapCounted {
                rule: RuleId::new(rule),
                step,
                group,
                used,
            }
        }),
        execution().prop_map(Effect::ExecutionRecorded),
        (any::<u64>(), step(), time()).prop_map(|(execution, step, at)| Effect::ExecutionMoved {
            execution: ExecutionId::new(execution),
            step,
            at,
        }),
    ]
}

/// What rules add to what is remembered.
pub(super) fn reply() -> impl Strategy<Value = RememberedReply> {
    let fault = (text(), text(), text()).prop_map(|(path, code, reason)| RememberedFault {
        path,
        code,
        reason,
    });
    prop_oneof![
        rule().prop_map(|rule| RememberedReply::Rule(Box::new(rule))),
        execution().prop_map(|run| RememberedReply::Execution(Box::new(run))),
        (text(), text(), vec(fault, 0..3)).prop_map(|(code, message, faults)| {
            RememberedReply::RuleRefused {
                code,
                message,
                faults,
            }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        rng_seed: RngSeed::Fixed(20_261_121),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn rules_and_runs_come_back_from_the_views(
        rule in rule(),
        execution in execution(),
        spot in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let bytes = rule_to_bytes(&rule);
        prop_assert_eq!(rule_from_bytes(&bytes), Ok(rule));
        prop_assert!(rule_from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        let mut spoiled = bytes.clone();
        spoiled[spot.index(bytes.len())] = byte;
        if let Ok(other) = rule_from_bytes(&spoiled) {
            prop_assert_eq!(rule_to_bytes(&other), spoiled);
        }

        let bytes = execution_to_bytes(&execution);
        prop_assert_eq!(execution_from_bytes(&bytes), Ok(execution));
        prop_assert!(execution_from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        let mut spoiled = bytes.clone();
        spoiled[spot.index(bytes.len())] = byte;
        if let Ok(other) = execution_from_bytes(&spoiled) {
            prop_assert_eq!(execution_to_bytes(&other), spoiled);
        }
    }
}

#[test]
fn every_code_of_rules_is_its_own() {
    fn check<T: Code + PartialEq + std::fmt::Debug>(known: &[T]) {
        let found: Vec<T> = (0..=u8::MAX).filter_map(T::from_code).collect();
        assert_eq!(found.len(), known.len(), "{}", T::WHAT);
        for value in known {
            assert_eq!(T::from_code(value.code()).as_ref(), Some(value));
        }
    }
    check(TriggerKind::ALL);
    check(ScheduleKind::ALL);
    check(RoundDown::ALL);
    check(ledger::rule::action::ActionType::ALL);
    check(PercentageTarget::ALL);
    check(CapPeriod::ALL);
    check(ledger::rule::action::Strategy::ALL);
    check(Fact::ALL);
    check(ValueFact::ALL);
    check(Operator::ALL);
    check(Quantity::ALL);
    check(Skip::ALL);
    check(Failure::ALL);
    check(&[ExecutionMode::Live, ExecutionMode::Simulation]);
    check(&[
        ExecutionStatus::InProgress,
        ExecutionStatus::Executed,
        ExecutionStatus::Partial,
        ExecutionStatus::Failed,
    ]);
}

// --- bounds --------------------------------------------------------------------------------------

/// Bytes that nest deeper than a rule may are refused before they use up the stack.
#[test]
fn conditions_that_are_nested_too_deep_are_refused() {
    let leaf = || Conditions::Leaf(sample_condition());
    let nested = |depth: usize| (1..depth).fold(leaf(), |inner, _| Conditions::All(vec![inner]));
    let of = |conditions| Rule {
        steps: Arc::from([Step {
            conditions: Some(conditions),
            actions: Vec::new(),
        }]),
        ..sample_rule()
    };
    let deepest = of(nested(ledger::rule::NESTING_MAX));
    assert_eq!(rule_from_bytes(&rule_to_bytes(&deepest)), Ok(deepest));
    let deeper = of(nested(ledger::rule::NESTING_MAX + 1));
    assert_eq!(
        rule_from_bytes(&rule_to_bytes(&deeper)),
        Err(CodecError::Value("depth of conditions"))
    );
}

// --- samples -------------------------------------------------------------------------------------

fn sample_condition() -> Condition {
    Condition {
        fact: Fact::Balance,
        account: Some(AccountId::new(0x13)),
        operator: Operator::GreaterThan,
        against: Against::Fact(ValueFact::LastStatementBalance, None),
    }
}

fn sample_rule() -> Rule {
    let pay = Action {
        movement: Movement::Pay {
            reckoning: Reckoning::Percentage(
                Percent::parse("50").expect("half"),
                PercentageTarget::IncomingAmount,
            ),
            destination: AccountId::new(0x14),
        },
        source: None,
        group_index: 1,
        up_to_enabled: true,
        limit: Some(Cap {
            period: CapPeriod::PerMonth,
            minor: 100,
        }),
        direct_deposit: false,
        ach_description: None,
    };
    Rule {
        id: RuleId::new(0x51),
        tenant: TenantId::new(0x11),
        owner: OwnerId::new(0x12),
        name: Arc::from("r"),
        description: None,
        enabled: true,
        trigger: Trigger::Scheduled {
            schedule: Schedule {
                kind: ScheduleKind::Weekly,
                start: AT,
            },
            account: Some(AccountId::new(0x13)),
        },
        steps: Arc::from([Step {
            conditions: Some(Conditions::Any(vec![Conditions::Leaf(sample_condition())])),
            actions: vec![pay],
        }]),
        currency: Currency::USD,
        settings: Settings {
            round_down: RoundDown::Buffer,
            utc_offset_minutes: -60,
            rail_delay_ms: 5,
        },
        approval_above_minor: Some(300),
        version: 2,
        created_at: AT,
        updated_at: AT.plus(1),
    }
}

fn sample_run() -> Execution {
    Execution {
        id: ExecutionId::new(0x61),
        tenant: TenantId::new(0x11),
        owner: OwnerId::new(0x12),
        rule: RuleId::new(0x51),
        rule_name: Arc::from("r"),
        cause: Cause::FundsTransferred {
            transfer: TransferId::new(0x71),
            minor: 100,
        },
        mode: ExecutionMode::Live,
        depth: 1,
        status: ExecutionStatus::InProgress,
        error: None,
        delays: 0,
        next_attempt_at: None,
        asks: None,
        ran: None,
        created_at: AT,
        updated_at: AT,
    }
}

fn sample_ran() -> Ran {
    let explanation = Explanation {
        step: Some(0),
        conditions: vec![ConditionSeen {
            path: "s".to_owned(),
            condition: sample_condition(),
            left: Some(7),
            right: None,
            holds: false,
        }],
        actions: vec![ActionSeen {
            action: 0,
            group: 1,
            action_type: ledger::rule::action::ActionType::Percentage,
            source: AccountId::new(0x13),
            terms: vec![
                Term::Minor(Quantity::IncomingAmount, 100),
                Term::Share(Percent::HUNDRED),
            ],
            wanted: Some(100),
            allowed: 50,
            spendable: None,
            moved: 0,
            outcome: Outcome::Skipped(Skip::CapReached),
        }],
        caps: vec![CapSeen {
            group: 1,
            cap: Cap {
                period: CapPeriod::PerYear,
                minor: 9,
            },
            since: Some(Day(20_000)),
            before: 1,
            after: 2,
        }],
        shortfalls: vec![Shortfall {
            action: 0,
            account: AccountId::new(0x13),
            wanted: 3,
            spendable: 2,
        }],
    };
    Ran {
        version: 2,
        counts: Counts {
            attempted: 4,
            completed: 3,
            failed: 2,
            pending: 1,
        },
        transfers: Arc::from([TransferId::new(0x71)]),
        explanation: Arc::new(explanation),
    }
}

/// One of each, with the bytes that this release has given it for good.
pub(super) fn samples() -> Vec<(&'static str, Change, &'static str)> {
    let change = Change::Ledger;
    let moved = |step| {
        change(Effect::ExecutionMoved {
            execution: ExecutionId::new(0x61),
            step,
            at: AT.plus(1),
        })
    };
    vec![
        (
            "rule set",
            change(Effect::RuleSet(sample_rule())),
            "1651000000000000001100000000000000120000000000000001720001030300 \
             0113000000000000000101020101020113000000000000000302060001010280 \
             c8afa0250114000000000000000001010103c801000055534402770a01d80402 \
             0002",
        ),
        (
            "rule deleted",
            change(Effect::RuleDeleted {
                rule: RuleId::new(0x51),
                at: AT.plus(1),
            }),
            "17510000000000000002",
        ),
        (
            "cap counted",
            change(Effect::CapCounted {
                rule: RuleId::new(0x51),
                step: 1,
                group: 2,
                used: CapUsed {
                    period: CapPeriod::PerWeek,
                    since: Day(20_000),
                    used_minor: 100,
                },
            }),
            "185100000000000000010202c0b802c801",
        ),
        (
            "run recorded",
            change(Effect::ExecutionRecorded(sample_run())),
            "1961000000000000001100000000000000120000000000000051000000000000 \
             000172027100000000000000c80101010100000000000000",
        ),
        (
            "run made",
            moved(ExecutionStep::Ran(
                sample_ran(),
                Some(ExecutionError::Action(Failure::InsufficientFunds)),
            )),
            "1a61000000000000000102040302010171000000000000000100010173020113 \
             0000000000000003020600010e0000010001021300000000000000020101c801 \
             038090dfc04a01c80164000002030101041201c0b80202040100130000000000 \
             0000060401010102",
        ),
        (
            "run put off",
            moved(ExecutionStep::PutOff {
                until: AT.plus(2),
                asks: Some((1, 2)),
            }),
            "1a6100000000000000020401010202",
        ),
        (
            "transfer of a run ended",
            moved(ExecutionStep::TransferEnded(Counts::default())),
            "1a6100000000000000030000000002",
        ),
        (
            "run failed",
            moved(ExecutionStep::Failed(ExecutionError::CascadeTooLong)),
            "1a6100000000000000040402",
        ),
    ]
}

/// As [`samples`], of what is remembered.
pub(super) fn replies() -> Vec<(&'static str, RememberedReply, &'static str)> {
    let asked = Execution {
        cause: Cause::Manual {
            incoming: Incoming::Pretended(100),
            key: Some(KeyId::new(0x21)),
        },
        ..sample_run()
    };
    vec![
        (
            "rule remembered",
            RememberedReply::Rule(Box::new(sample_rule())),
            "42c801cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdefefefefefefefefefefefefef \
             efefef0003726571075100000000000000110000000000000012000000000000 \
             0001720001030300011300000000000000010102010102011300000000000000 \
             0302060001010280c8afa0250114000000000000000001010103c80100005553 \
             4402770a01d804020002",
        ),
        (
            "run remembered",
            RememberedReply::Execution(Box::new(asked)),
            "42c801cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdefefefefefefefefefefefefef \
             efefef0003726571086100000000000000110000000000000012000000000000 \
             00510000000000000001720103c8010121000000000000000101010000000000 \
             0000",
        ),
        (
            "refused rule remembered",
            RememberedReply::RuleRefused {
                code: Arc::from("c"),
                message: Arc::from("m"),
                faults: vec![RememberedFault {
                    path: Arc::from("p"),
                    code: Arc::from("q"),
                    reason: Arc::from("r"),
                }],
            },
            "42c801cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdefefefefefefefefefefefefef \
             efefef0003726571090163016d01017001710172",
        ),
    ]
}
