//! Conditions: facts compared with numbers or other facts, joined by "any" and "all".
//!
//! Source: sequence-api §3.6.

use super::names::named;
use crate::id::AccountId;

named! {
    /// What a condition looks at.
    pub enum Fact {
        /// Minor units that came in, or were given when the rule was triggered.
        TransferAmount = "TRANSFER_AMOUNT",
        /// Minor units that an account has available; what is owed, for a liability.
        Balance = "BALANCE",
        /// The local day of the month, 1 to 31.
        Date = "DATE",
    }

    /// What a fact can be compared with besides a number.
    pub enum ValueFact {
        /// As the fact of this name.
        TransferAmount = "TRANSFER_AMOUNT",
        /// As the fact of this name.
        Balance = "BALANCE",
        /// As the fact of this name.
        Date = "DATE",
        /// The last day of the current local month, 28 to 31.
        LastDayOfMonth = "LAST_DAY_OF_MONTH",
        /// The least to pay next on a liability.
        NextPaymentMinimumAmount = "NEXT_PAYMENT_MINIMUM_AMOUNT",
        /// The balance of a liability's last statement.
        LastStatementBalance = "LAST_STATEMENT_BALANCE",
    }

    /// How two numbers are compared.
    pub enum Operator {
        /// The same.
        Equals = "EQUALS",
        /// Not the same.
        NotEquals = "NOT_EQUALS",
        /// More.
        GreaterThan = "GREATER_THAN",
        /// Less.
        LessThan = "LESS_THAN",
        /// Not less.
        GreaterThanOrEqual = "GREATER_THAN_OR_EQUAL",
        /// Not more.
        LessThanOrEqual = "LESS_THAN_OR_EQUAL",
    }
}

impl Operator {
    /// Whether it holds between `left` and `right`.
    #[must_use]
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Operator::Equals => left == right,
            Operator::NotEquals => left != right,
            Operator::GreaterThan => left > right,
            Operator::LessThan => left < right,
            Operator::GreaterThanOrEqual => left >= right,
            Operator::LessThanOrEqual => left <= right,
        }
    }
}

impl ValueFact {
    /// Whether it is about an account.
    #[must_use]
    pub fn is_of_account(self) -> bool {
        self == ValueFact::Balance || self.is_of_liability()
    }

    /// Whether only a liability has it.
    #[must_use]
    pub fn is_of_liability(self) -> bool {
        matches!(
            self,
            ValueFact::NextPaymentMinimumAmount | ValueFact::LastStatementBalance
        )
    }
}

/// What a fact is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Against {
    /// A number: minor units, or a day of the month.
    Value(i64),
    /// Another fact, and the account it is of; the trigger's when `None`.
    Fact(ValueFact, Option<AccountId>),
}

/// One comparison. It does not hold when one of its sides is not known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Condition {
    /// The left side.
    pub fact: Fact,
    /// The account that a balance is of; the trigger's when `None`.
    pub account: Option<AccountId>,
    /// The comparison.
    pub operator: Operator,
    /// The right side.
    pub against: Against,
}

/// A tree of conditions, at most [`super::NESTING_MAX`] deep.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Conditions {
    /// One condition.
    Leaf(Condition),
    /// At least one of these; there is one or more.
    Any(Vec<Conditions>),
    /// All of these; there is one or more.
    All(Vec<Conditions>),
}

impl Conditions {
    /// Every condition of the tree with its path below the root's, in order.
    ///
    /// The path of the root is empty, that of a branch begins with `.any[0]` or `.all[0]`.
    #[must_use]
    pub fn leaves(&self) -> Vec<(String, &Condition)> {
        let mut found = Vec::new();
        self.collect(&mut String::new(), &mut found);
        found
    }

    fn collect<'a>(&'a self, path: &mut String, found: &mut Vec<(String, &'a Condition)>) {
        let (word, branches) = match self {
            Conditions::Leaf(condition) => {
                found.push((path.clone(), condition));
                return;
            }
            Conditions::Any(branches) => ("any", branches),
            Conditions::All(branches) => ("all", branches),
        };
        let length = path.len();
        for (index, branch) in branches.iter().enumerate() {
            path.push_str(&format!(".{word}[{index}]"));
            branch.collect(path, found);
            path.truncate(length);
        }
    }
}
