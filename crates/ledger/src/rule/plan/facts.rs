//! Looking at conditions.

use super::super::Step;
use super::super::calendar::Day;
use super::super::condition::{Against, Condition, Conditions, Fact, ValueFact};
use super::super::explain::ConditionSeen;
use super::super::snapshot::Incoming;
use super::purse::Purse;
use crate::id::AccountId;

/// Where facts come from.
pub(super) struct Facts<'a> {
    pub(super) purse: &'a Purse,
    /// The trigger's account.
    pub(super) account: Option<AccountId>,
    pub(super) incoming: Incoming,
    pub(super) today: Day,
}

impl Facts<'_> {
    /// Whether the step is the one to take. Every condition is looked at, whether or not it
    /// decides.
    pub(super) fn look(&self, step: &Step, index: usize) -> (bool, Vec<ConditionSeen>) {
        let Some(conditions) = &step.conditions else {
            return (true, Vec::new());
        };
        let seen: Vec<ConditionSeen> = conditions
            .leaves()
            .into_iter()
            .map(|(path, condition)| {
                let (left, right) = (self.left(condition), self.right(condition));
                let both = left.zip(right);
                ConditionSeen {
                    path: format!("steps[{index}].conditions{path}"),
                    condition: *condition,
                    left,
                    right,
                    holds: both.is_some_and(|(left, right)| condition.operator.holds(left, right)),
                }
            })
            .collect();
        let mut outcomes = seen.iter().map(|condition| condition.holds);
        (holds(conditions, &mut outcomes), seen)
    }

    fn left(&self, condition: &Condition) -> Option<i64> {
        match condition.fact {
            Fact::TransferAmount => self.incoming.minor(),
            Fact::Balance => self.balance(condition.account),
            Fact::Date => Some(i64::from(self.today.date().day)),
        }
    }

    fn right(&self, condition: &Condition) -> Option<i64> {
        let (fact, account) = match condition.against {
            Against::Value(number) => return Some(number),
            Against::Fact(fact, account) => (fact, account),
        };
        let reported = || account.or(self.account).and_then(|id| self.purse.get(id));
        match fact {
            ValueFact::TransferAmount => self.incoming.minor(),
            ValueFact::Balance => self.balance(account),
            ValueFact::Date => Some(i64::from(self.today.date().day)),
            ValueFact::LastDayOfMonth => Some(i64::from(self.today.date().days_in_month())),
            ValueFact::NextPaymentMinimumAmount => reported()?.next_payment_minimum,
            ValueFact::LastStatementBalance => reported()?.last_statement,
        }
    }

    fn balance(&self, account: Option<AccountId>) -> Option<i64> {
        self.purse.balance(account.or(self.account)?)
    }
}

/// Takes the outcomes of the leaves in order.
fn holds(conditions: &Conditions, outcomes: &mut impl Iterator<Item = bool>) -> bool {
    match conditions {
        Conditions::Leaf(_) => outcomes.next().unwrap_or(false),
        Conditions::Any(branches) => branches
            .iter()
            .fold(false, |any, branch| holds(branch, outcomes) | any),
        Conditions::All(branches) => branches
            .iter()
            .fold(true, |all, branch| holds(branch, outcomes) & all),
    }
}
