//! A rule as somebody asks for it: every field a dialect has, none of them yet believed.
//!
//! [`validate`](super::validate::validate) makes the parts of a rule from it, or gives its faults.

use std::sync::Arc;

use super::TriggerKind;
use super::action::{ActionType, Apr, Cap, PercentageTarget};
use super::condition::{Fact, Operator, ValueFact};
use super::percent::Percent;
use super::schedule::ScheduleKind;
use crate::id::AccountId;
use crate::time::Millis;

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleDraft {
    /// 1 to 100 characters.
    pub name: Arc<str>,
    /// Up to 255 characters.
    pub description: Option<Arc<str>>,
    /// What makes it run.
    pub trigger: TriggerDraft,
    /// What it does.
    pub steps: Vec<StepDraft>,
}

/// A trigger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TriggerDraft {
    /// Its kind.
    pub kind: TriggerKind,
    /// Its account; optional for a schedule.
    pub account: Option<AccountId>,
    /// For a schedule only.
    pub schedule_kind: Option<ScheduleKind>,
    /// For a schedule only.
    pub start: Option<Millis>,
}

/// A step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepDraft {
    /// When it is taken.
    pub conditions: Option<ConditionsDraft>,
    /// What is then done.
    pub actions: Vec<ActionDraft>,
}

/// A node of a tree of conditions: exactly one of the three.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConditionsDraft {
    /// One condition.
    pub condition: Option<ConditionDraft>,
    /// At least one of these.
    pub any: Option<Vec<ConditionsDraft>>,
    /// All of these.
    pub all: Option<Vec<ConditionsDraft>>,
}

/// A condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConditionDraft {
    /// The left side.
    pub fact: Fact,
    /// The comparison.
    pub operator: Operator,
    /// The right side as a number; or else
    pub value: Option<i64>,
    /// as a fact.
    pub value_fact: Option<ValueFact>,
    /// The account that a balance on the left is of.
    pub account: Option<AccountId>,
    /// The account that a fact on the right is of.
    pub value_account: Option<AccountId>,
}

/// An action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionDraft {
    /// Its type, which says which of the fields it has.
    pub action_type: ActionType,
    /// Where the money comes from; the trigger's account when it is left out.
    pub source: Option<AccountId>,
    /// Where it goes. Not for avalanche and snowball.
    pub destination: Option<AccountId>,
    /// Minor units: of a fixed amount, a top-up, a rounding, an avalanche or snowball.
    pub minor: Option<i64>,
    /// Of a percentage, an avalanche or snowball.
    pub percentage_value: Option<Percent>,
    /// The same.
    pub percentage_target: Option<PercentageTarget>,
    /// Of a top-up.
    pub next_payment_minimum_account: Option<AccountId>,
    /// Of a top-up.
    pub current_balance_account: Option<AccountId>,
    /// Of a top-up.
    pub last_statement_balance_account: Option<AccountId>,
    /// Of an avalanche or snowball.
    pub liabilities: Vec<DebtDraft>,
    /// The group.
    pub group_index: u32,
    /// Whether it moves what there is.
    pub up_to_enabled: bool,
    /// The group's cap.
    pub limit: Option<Cap>,
    /// Whether a bank shall see a payroll.
    pub is_direct_deposit: bool,
    /// What the receiving bank shows.
    pub ach_description: Option<Arc<str>>,
}

impl ActionDraft {
    /// An action of this type with nothing said about it.
    #[must_use]
    pub fn of(action_type: ActionType) -> ActionDraft {
        ActionDraft {
            action_type,
            source: None,
            destination: None,
            minor: None,
            percentage_value: None,
            percentage_target: None,
            next_payment_minimum_account: None,
            current_balance_account: None,
            last_statement_balance_account: None,
            liabilities: Vec::new(),
            group_index: 0,
            up_to_enabled: false,
            limit: None,
            is_direct_deposit: false,
            ach_description: None,
        }
    }
}

/// A debt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DebtDraft {
    /// The liability.
    pub account: AccountId,
    /// Its rate; an avalanche needs it.
    pub apr: Option<Apr>,
}
