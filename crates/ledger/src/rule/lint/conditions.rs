//! Steps that are never taken, conditions that never hold, amounts that are never known.

use std::collections::BTreeMap;

use super::super::action::PercentageTarget;
use super::super::condition::{Against, Condition, Conditions, Fact, Operator, ValueFact};
use super::super::{Rule, TriggerKind};
use super::{Lint, LintCode};
use crate::id::AccountId;

pub(super) fn look(lint: &mut Lint, rule: &Rule) {
    for (index, step) in rule.steps.iter().enumerate() {
        let path = format!("steps[{index}]");
        if let Some(text) = unreachable(rule, index) {
            lint.warn(LintCode::StepUnreachable, rule, path.clone(), text);
        }
        if step.conditions.as_ref().is_some_and(never_holds) {
            let text = "No balance, amount or day can fulfil these conditions.";
            lint.warn(
                LintCode::NeverHolds,
                rule,
                format!("{path}.conditions"),
                text,
            );
        }
        if rule.trigger.kind() == TriggerKind::Scheduled {
            unknown_amounts(lint, rule, index);
        }
    }
}

fn unreachable(rule: &Rule, index: usize) -> Option<&'static str> {
    let step = rule.steps.get(index)?;
    let mut before = rule.steps.iter().take(index);
    before.find_map(|earlier| match &earlier.conditions {
        None => Some("A step before it has no conditions and is always taken."),
        same if *same == step.conditions => Some("A step before it has the same conditions."),
        _ => None,
    })
}

fn unknown_amounts(lint: &mut Lint, rule: &Rule, index: usize) {
    let step = &rule.steps[index];
    let text = "A run by the time does not know an incoming amount.";
    let code = LintCode::AmountNeverKnown;
    let leaves = step.conditions.iter().flat_map(Conditions::leaves);
    for (path, condition) in leaves {
        let right = matches!(
            condition.against,
            Against::Fact(ValueFact::TransferAmount, _)
        );
        if condition.fact == Fact::TransferAmount || right {
            lint.warn(code, rule, format!("steps[{index}].conditions{path}"), text);
        }
    }
    for (a, action) in step.actions.iter().enumerate() {
        let share = action.share();
        if share.is_some_and(|(_, target)| target == PercentageTarget::IncomingAmount) {
            let path = format!("steps[{index}].actions[{a}].percentage_target");
            lint.warn(code, rule, path, text);
        }
    }
}

/// The values that a fact can have.
#[derive(Clone, Copy)]
struct Range {
    least: i64,
    most: i64,
}

type Ranges = BTreeMap<(Fact, Option<AccountId>), Range>;

/// Whether no values of the facts fulfil the conditions. It looks at comparisons with numbers, so
/// that "no" may be wrong and "yes" never is.
fn never_holds(conditions: &Conditions) -> bool {
    match conditions {
        Conditions::Leaf(_) | Conditions::All(_) => contradicts(conditions, &mut Ranges::new()),
        Conditions::Any(branches) => branches.iter().all(never_holds),
    }
}

/// Whether what all hold together leaves some fact without a value.
fn contradicts(conditions: &Conditions, ranges: &mut Ranges) -> bool {
    match conditions {
        Conditions::Leaf(condition) => narrow(condition, ranges),
        Conditions::All(branches) => branches.iter().any(|branch| contradicts(branch, ranges)),
        Conditions::Any(_) => never_holds(conditions),
    }
}

fn narrow(condition: &Condition, ranges: &mut Ranges) -> bool {
    let Against::Value(value) = condition.against else {
        return false;
    };
    let widest = match condition.fact {
        Fact::TransferAmount => (0, i64::MAX),
        Fact::Balance => (i64::MIN, i64::MAX),
        Fact::Date => (1, 31),
    };
    let range = ranges
        .entry((condition.fact, condition.account))
        .or_insert(Range {
            least: widest.0,
            most: widest.1,
        });
    // Nothing is more than the most there is or less than the least.
    let (least, most) = match condition.operator {
        Operator::Equals => (Some(value), Some(value)),
        Operator::GreaterThanOrEqual => (Some(value), None),
        Operator::LessThanOrEqual => (None, Some(value)),
        Operator::GreaterThan if value == i64::MAX => return true,
        Operator::LessThan if value == i64::MIN => return true,
        Operator::GreaterThan => (Some(value.saturating_add(1)), None),
        Operator::LessThan => (None, Some(value.saturating_sub(1))),
        Operator::NotEquals => return false,
    };
    range.least = range.least.max(least.unwrap_or(range.least));
    range.most = range.most.min(most.unwrap_or(range.most));
    range.least > range.most
}
