//! Amounts, shares and caps of the actions of a step.

use std::collections::{BTreeMap, BTreeSet};

use super::super::action::{Action, Movement, PercentageTarget, Reckoning, TopUp};
use super::super::percent::Percent;
use super::super::{RoundDown, Rule, Step, TRANSFER_MIN_MINOR};
use super::{Lint, LintCode, Severity};
use crate::id::AccountId;

pub(super) fn look(lint: &mut Lint, rule: &Rule) {
    for (index, step) in rule.steps.iter().enumerate() {
        let path = format!("steps[{index}]");
        amounts(lint, rule, step, &path);
        shares(lint, rule, step, &path);
        order(lint, rule, step, &path);
        twice(lint, rule, step, &path);
    }
}

fn amounts(lint: &mut Lint, rule: &Rule, step: &Step, path: &str) {
    for (index, action) in step.actions.iter().enumerate() {
        let path = format!("{path}.actions[{index}]");
        if never_enough(rule, action) {
            let text = "What it moves is always less than one dollar, which is refused.";
            let code = (LintCode::AmountBelowMinimum, Severity::Error);
            lint.add(code, rule, format!("{path}.amount_in_cents"), text);
        }
        let Some(cap) = action.limit else { continue };
        let path = format!("{path}.limit.amount_in_cents");
        if cap.minor < TRANSFER_MIN_MINOR {
            let text = "The limit is less than one dollar, so nothing is ever moved.";
            lint.warn(LintCode::CapBelowMinimum, rule, path, text);
        } else if action.fixed().is_some_and(|fixed| fixed > cap.minor) {
            let text = "The limit is less than the amount, so it is never moved in full.";
            lint.warn(LintCode::CapBelowFixed, rule, path, text);
        }
    }
}

fn never_enough(rule: &Rule, action: &Action) -> bool {
    if let Some(fixed) = action.fixed() {
        return fixed < TRANSFER_MIN_MINOR;
    }
    let Movement::Pay { reckoning, .. } = action.movement else {
        return false;
    };
    match reckoning {
        Reckoning::TopUp(TopUp::Amount(target)) => target < TRANSFER_MIN_MINOR,
        // What is above a multiple of a dollar is less than a dollar.
        Reckoning::RoundDown(multiple) => {
            rule.settings.round_down == RoundDown::Multiple && multiple <= TRANSFER_MIN_MINOR
        }
        _ => false,
    }
}

/// What shares are of: the incoming amount is one for the whole step, a source is another one for
/// each group.
type Whole = (PercentageTarget, AccountId, Option<u32>);

fn shares(lint: &mut Lint, rule: &Rule, step: &Step, path: &str) {
    let mut sums: BTreeMap<Whole, (i64, bool)> = BTreeMap::new();
    for (index, action) in step.actions.iter().enumerate() {
        let Some((percent, target)) = action.share() else {
            continue;
        };
        let of_source = target == PercentageTarget::SourceAccount;
        let whole = (
            target,
            rule.source_of(action),
            of_source.then_some(action.group_index),
        );
        let (sum, firm) = sums.entry(whole).or_default();
        let before = *sum;
        // Fifty actions of 10^10 are far from 64 bits.
        *sum = sum.saturating_add(percent.scaled());
        *firm |= !action.may_move_less();
        let hundred = Percent::HUNDRED.scaled();
        if *sum > hundred && before <= hundred {
            let severity = if *firm {
                Severity::Error
            } else {
                Severity::Warning
            };
            let text = "With those before it, these shares are more than 100 % of one amount.";
            let path = format!("{path}.actions[{index}].percentage_value");
            lint.add((LintCode::SharesOverWhole, severity), rule, path, text);
        }
    }
}

fn order(lint: &mut Lint, rule: &Rule, step: &Step, path: &str) {
    let mut latest = 0;
    // For each group and source: whether there is a share of the source, and anything else.
    let mut drawn: BTreeMap<(u32, AccountId), (bool, bool)> = BTreeMap::new();
    for (index, action) in step.actions.iter().enumerate() {
        let group = action.group_index;
        if group < latest {
            let text = "Its group runs before that of an action above it.";
            let path = format!("{path}.actions[{index}].group_index");
            lint.warn(LintCode::GroupsOutOfOrder, rule, path, text);
        }
        latest = latest.max(group);
        let (all_of_it, other) = drawn.entry((group, rule.source_of(action))).or_default();
        let clashed = *all_of_it && *other;
        let rounding = matches!(
            action.movement,
            Movement::Pay {
                reckoning: Reckoning::RoundDown(_),
                ..
            }
        );
        match action.share() {
            Some((_, PercentageTarget::SourceAccount)) => *all_of_it = true,
            // Two roundings of one account want the same money.
            _ if rounding && !*all_of_it => *all_of_it = true,
            _ => *other = true,
        }
        if *all_of_it && *other && !clashed {
            let text = "It shares a group with an action that draws on the same account. Neither \
                        sees what the other takes, and when both are too much, their places \
                        decide; give the later one a higher group.";
            let path = format!("{path}.actions[{index}].group_index");
            lint.warn(LintCode::OrderDecides, rule, path, text);
        }
    }
}

/// Actions that go by what is on the destination do not see what others of their group pay into it.
fn twice(lint: &mut Lint, rule: &Rule, step: &Step, path: &str) {
    let mut paid: BTreeSet<(u32, AccountId)> = BTreeSet::new();
    for (index, action) in step.actions.iter().enumerate() {
        let by_balance = match action.movement {
            Movement::PayOff { .. } => true,
            Movement::Pay { reckoning, .. } => matches!(
                reckoning,
                Reckoning::TopUp(_)
                    | Reckoning::TotalAmountDue
                    | Reckoning::PercentageLiabilityBalance(_)
            ),
        };
        let destinations: Vec<AccountId> = action.destinations().filter(|_| by_balance).collect();
        let group = action.group_index;
        if destinations.iter().any(|id| !paid.insert((group, *id))) {
            let text = "Another action of its group goes by the balance of the same account. \
                        Neither sees what the other pays; give the later one a higher group.";
            let path = format!("{path}.actions[{index}].group_index");
            lint.warn(LintCode::PaidTwice, rule, path, text);
        }
    }
}
