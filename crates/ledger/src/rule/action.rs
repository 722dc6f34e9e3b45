//! Actions: from where, to where, and how the amount is reckoned.
//!
//! Source: sequence-api §3.7. All amounts are in minor units of the rule's currency.

use std::sync::Arc;

use super::names::named;
use super::percent::Percent;
use crate::id::AccountId;

named! {
    /// What kind of action it is.
    pub enum ActionType {
        /// A sum that is always the same.
        FixedAmount = "fixed_amount",
        /// A share of what came in, or of the source.
        Percentage = "percentage",
        /// What is missing at the destination.
        TopUp = "top_up",
        /// What the source has beyond a round sum.
        RoundDown = "round_down",
        /// The least to pay next on the destination.
        NextPaymentMinimum = "next_payment_minimum",
        /// All that is owed on the destination.
        TotalAmountDue = "total_amount_due",
        /// The last statement's balance of the destination.
        LastStatementBalance = "last_statement_balance",
        /// A share of what is owed on the destination.
        PercentageLiabilityBalance = "percentage_liability_balance",
        /// Minimums on all debts, the rest on the one with the highest rate.
        Avalanche = "avalanche",
        /// Minimums on all debts, the rest on the smallest.
        Snowball = "snowball",
        /// What the user's own server answers when it is asked.
        QueriedAmount = "queried_amount",
    }

    /// What a percentage is of.
    pub enum PercentageTarget {
        /// The amount that came in, or was given when the rule was triggered.
        IncomingAmount = "INCOMING_AMOUNT",
        /// What the source has available.
        SourceAccount = "SOURCE_ACCOUNT",
    }

    /// Over what time a cap counts. Weeks begin on Monday; all periods are of the local calendar.
    pub enum CapPeriod {
        /// A single run.
        PerTransfer = "PER_TRANSFER",
        /// A calendar week.
        PerWeek = "PER_WEEK",
        /// A calendar month.
        PerMonth = "PER_MONTH",
        /// A calendar year.
        PerYear = "PER_YEAR",
    }

    /// Which debt is paid off first.
    pub enum Strategy {
        /// The one with the highest rate.
        Avalanche = "avalanche",
        /// The one on which the least is owed.
        Snowball = "snowball",
    }
}

/// The most that the actions of a group may move together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cap {
    /// Over what time.
    pub period: CapPeriod,
    /// Minor units, 0 or more.
    pub minor: i64,
}

/// Up to where an account is topped up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TopUp {
    /// This balance, in minor units.
    Amount(i64),
    /// The least to pay next on this liability.
    NextPaymentMinimum(AccountId),
    /// What is owed on this liability.
    CurrentBalance(AccountId),
    /// The last statement's balance of this liability.
    LastStatementBalance(AccountId),
}

impl TopUp {
    /// The liability it goes by.
    #[must_use]
    pub fn liability(self) -> Option<AccountId> {
        match self {
            TopUp::Amount(_) => None,
            TopUp::NextPaymentMinimum(account)
            | TopUp::CurrentBalance(account)
            | TopUp::LastStatementBalance(account) => Some(account),
        }
    }
}

/// How the amount of a payment is reckoned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reckoning {
    /// So many minor units, whatever came in.
    FixedAmount(i64),
    /// A share.
    Percentage(Percent, PercentageTarget),
    /// What is missing.
    TopUp(TopUp),
    /// What the source has beyond a multiple of so many minor units, or beyond so many: see
    /// [`super::RoundDown`].
    RoundDown(i64),
    /// The destination's next minimum payment.
    NextPaymentMinimum,
    /// All that is owed on the destination.
    TotalAmountDue,
    /// The destination's last statement.
    LastStatementBalance,
    /// A share of what is owed on the destination.
    PercentageLiabilityBalance(Percent),
    /// What was answered when it was asked for.
    Queried,
}

/// What is spread over debts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Budget {
    /// So many minor units.
    Amount(i64),
    /// A share.
    Percentage(Percent, PercentageTarget),
}

/// A rate of interest a year, in hundredths of a per cent: 24.99 % is 2,499.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Apr(pub u32);

/// One of the debts that are paid off together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Debt {
    /// The liability.
    pub account: AccountId,
    /// Its rate; an avalanche has one for every debt.
    pub apr: Option<Apr>,
}

/// Where the money goes, and how much.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Movement {
    /// To one account.
    Pay {
        /// How much.
        reckoning: Reckoning,
        /// To which.
        destination: AccountId,
    },
    /// Over several debts.
    PayOff {
        /// Which comes first.
        strategy: Strategy,
        /// How much altogether.
        budget: Budget,
        /// The debts, in the order that decides between equal ones.
        debts: Arc<[Debt]>,
    },
}

/// One action of a step.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Action {
    /// Where the money goes, and how much.
    pub movement: Movement,
    /// Where it comes from; the trigger's account when `None`.
    pub source: Option<AccountId>,
    /// Actions with the same number are reckoned together and share one cap. Groups run in the
    /// order of their numbers.
    pub group_index: u32,
    /// Whether it moves what there is when the source has less than it wants.
    pub up_to_enabled: bool,
    /// The cap of its group. All that are given in one group are the same.
    pub limit: Option<Cap>,
    /// Whether a bank shall see a payroll.
    pub direct_deposit: bool,
    /// What the receiving bank shows, up to 10 letters, digits and spaces.
    pub ach_description: Option<Arc<str>>,
}

impl Action {
    /// What kind of action it is.
    #[must_use]
    pub fn action_type(&self) -> ActionType {
        match &self.movement {
            Movement::PayOff { strategy, .. } => match strategy {
                Strategy::Avalanche => ActionType::Avalanche,
                Strategy::Snowball => ActionType::Snowball,
            },
            Movement::Pay { reckoning, .. } => match reckoning {
                Reckoning::FixedAmount(_) => ActionType::FixedAmount,
                Reckoning::Percentage(..) => ActionType::Percentage,
                Reckoning::TopUp(_) => ActionType::TopUp,
                Reckoning::RoundDown(_) => ActionType::RoundDown,
                Reckoning::NextPaymentMinimum => ActionType::NextPaymentMinimum,
                Reckoning::TotalAmountDue => ActionType::TotalAmountDue,
                Reckoning::LastStatementBalance => ActionType::LastStatementBalance,
                Reckoning::PercentageLiabilityBalance(_) => ActionType::PercentageLiabilityBalance,
                Reckoning::Queried => ActionType::QueriedAmount,
            },
        }
    }

    /// Whether it moves what there is when the source is short. A top-up always does
    /// (sequence-api §3.7).
    #[must_use]
    pub fn may_move_less(&self) -> bool {
        self.up_to_enabled || self.action_type() == ActionType::TopUp
    }

    /// The share it is of something, and of what.
    #[must_use]
    pub fn share(&self) -> Option<(Percent, PercentageTarget)> {
        match self.movement {
            Movement::Pay {
                reckoning: Reckoning::Percentage(percent, target),
                ..
            }
            | Movement::PayOff {
                budget: Budget::Percentage(percent, target),
                ..
            } => Some((percent, target)),
            _ => None,
        }
    }

    /// The sum it always wants.
    #[must_use]
    pub fn fixed(&self) -> Option<i64> {
        match self.movement {
            Movement::Pay {
                reckoning: Reckoning::FixedAmount(minor),
                ..
            }
            | Movement::PayOff {
                budget: Budget::Amount(minor),
                ..
            } => Some(minor),
            _ => None,
        }
    }

    /// The accounts it pays into.
    pub fn destinations(&self) -> impl Iterator<Item = AccountId> {
        let (one, many) = match &self.movement {
            Movement::Pay { destination, .. } => (Some(*destination), &[][..]),
            Movement::PayOff { debts, .. } => (None, &debts[..]),
        };
        one.into_iter().chain(many.iter().map(|debt| debt.account))
    }

    /// Every account that it names.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let target = match self.movement {
            Movement::Pay {
                reckoning: Reckoning::TopUp(top_up),
                ..
            } => top_up.liability(),
            _ => None,
        };
        self.source
            .into_iter()
            .chain(target)
            .chain(self.destinations())
    }
}
