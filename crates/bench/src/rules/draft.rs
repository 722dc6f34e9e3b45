//! The rules that are measured.

use std::sync::Arc;

use ledger::rule::action::{ActionType, PercentageTarget};
use ledger::rule::condition::{Fact, Operator};
use ledger::rule::draft::{
    ActionDraft, ConditionDraft, ConditionsDraft, RuleDraft, StepDraft, TriggerDraft,
};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::{Settings, TriggerKind};
use ledger::{AccountId, Command, Millis, NewRule, OwnerId, TenantId};

/// A trigger by money on `account`.
pub fn on_money(account: AccountId) -> TriggerDraft {
    TriggerDraft {
        kind: TriggerKind::OnFundsTransferred,
        account: Some(account),
        schedule_kind: None,
        start: None,
    }
}

/// A trigger by the time, about `account`.
pub fn by_time(account: AccountId, kind: ScheduleKind, start: Millis) -> TriggerDraft {
    TriggerDraft {
        kind: TriggerKind::Scheduled,
        account: Some(account),
        schedule_kind: Some(kind),
        start: Some(start),
    }
}

/// `minor` to `destination`, or what there is.
pub fn fixed(destination: AccountId, minor: i64) -> ActionDraft {
    ActionDraft {
        destination: Some(destination),
        minor: Some(minor),
        up_to_enabled: true,
        ..ActionDraft::of(ActionType::FixedAmount)
    }
}

/// A whole percentage of what came in to `destination`.
pub fn share(destination: AccountId, percent: i64) -> ActionDraft {
    ActionDraft {
        destination: Some(destination),
        percentage_value: Percent::from_scaled(percent * 100_000_000),
        percentage_target: Some(PercentageTarget::IncomingAmount),
        up_to_enabled: true,
        ..ActionDraft::of(ActionType::Percentage)
    }
}

/// Twenty conditions that all hold: ten pairs of which either will do.
pub fn twenty_conditions(account: AccountId) -> ConditionsDraft {
    let leaf = |fact, operator, value| ConditionsDraft {
        condition: Some(ConditionDraft {
            fact,
            operator,
            value: Some(value),
            value_fact: None,
            account: (fact == Fact::Balance).then_some(account),
            value_account: None,
        }),
        ..ConditionsDraft::default()
    };
    let pair = |value| ConditionsDraft {
        any: Some(vec![
            leaf(Fact::Balance, Operator::LessThan, value),
            leaf(Fact::TransferAmount, Operator::GreaterThan, value),
        ]),
        ..ConditionsDraft::default()
    };
    ConditionsDraft {
        all: Some((1..=10).map(pair).collect()),
        ..ConditionsDraft::default()
    }
}

/// A rule of one step.
pub fn rule(
    (tenant, owner): (TenantId, OwnerId),
    trigger: TriggerDraft,
    conditions: Option<ConditionsDraft>,
    actions: Vec<ActionDraft>,
) -> Command {
    Command::CreateRule(NewRule {
        tenant,
        owner,
        draft: RuleDraft {
            name: Arc::from("Measured"),
            description: None,
            trigger,
            steps: vec![StepDraft {
                conditions,
                actions,
            }],
        },
        settings: Settings::default(),
    })
}
