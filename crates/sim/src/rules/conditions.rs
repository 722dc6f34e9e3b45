//! Whether a step is the one to take.

use ledger::AccountId;
use ledger::rule::condition::{Against, Condition, Conditions, Fact, Operator, ValueFact};

use super::{World, dates};

impl World<'_> {
    pub(super) fn holds(&self, conditions: &Conditions) -> bool {
        match conditions {
            Conditions::Leaf(condition) => self.compare(condition) == Some(true),
            Conditions::Any(branches) => branches.iter().any(|branch| self.holds(branch)),
            Conditions::All(branches) => branches.iter().all(|branch| self.holds(branch)),
        }
    }

    fn compare(&self, condition: &Condition) -> Option<bool> {
        let trigger = self.rule.trigger.account();
        let (_, month, day) = dates::date(self.today);
        let balance = |account: Option<AccountId>| self.balance(account.or(trigger)?);
        let left = match condition.fact {
            Fact::TransferAmount => self.incoming?,
            Fact::Balance => balance(condition.account)?,
            Fact::Date => i128::from(day),
        };
        let right = match condition.against {
            Against::Value(number) => i128::from(number),
            Against::Fact(ValueFact::TransferAmount, _) => self.incoming?,
            Against::Fact(ValueFact::Balance, account) => balance(account)?,
            Against::Fact(ValueFact::Date, _) => i128::from(day),
            Against::Fact(ValueFact::LastDayOfMonth, _) => {
                // The last day before another month.
                let mut last = self.today;
                while dates::date(last + 1).1 == month {
                    last += 1;
                }
                i128::from(dates::date(last).2)
            }
            Against::Fact(ValueFact::NextPaymentMinimumAmount, account) => {
                self.purses.get(&account.or(trigger)?)?.minimum?
            }
            Against::Fact(ValueFact::LastStatementBalance, account) => {
                self.purses.get(&account.or(trigger)?)?.statement?
            }
        };
        Some(match condition.operator {
            Operator::Equals => left == right,
            Operator::NotEquals => left != right,
            Operator::GreaterThan => left > right,
            Operator::LessThan => left < right,
            Operator::GreaterThanOrEqual => left >= right,
            Operator::LessThanOrEqual => left <= right,
        })
    }
}
