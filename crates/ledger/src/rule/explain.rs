//! What a run saw and did, number by number: enough to do the sums again by hand.

use std::fmt;

use super::action::{ActionType, Cap, CapPeriod};
use super::calendar::Day;
use super::condition::{Against, Condition};
use super::failure::Failure;
use super::names::named;
use super::percent::Percent;
use crate::id::AccountId;

named! {
    /// What a number of an explanation is. All are minor units.
    pub enum Quantity {
        /// What came in.
        IncomingAmount = "incoming amount",
        /// What the source had available.
        SourceBalance = "source balance",
        /// What was on the destination.
        DestinationBalance = "destination balance",
        /// What was on its way to the destination.
        Arriving = "arriving",
        /// Up to where the destination is topped up.
        Target = "target",
        /// The rule's own sum.
        Amount = "amount",
        /// What was owed.
        Owed = "owed",
        /// The least to pay next.
        Minimum = "minimum payment",
        /// The last statement's balance.
        Statement = "last statement",
        /// What was answered.
        Answer = "answer",
        /// What was to be spread over debts.
        Budget = "budget",
    }

    /// Why an action moved nothing and yet did not fail.
    pub enum Skip {
        /// It wanted nothing: the target was met, nothing was owed, a share was nothing.
        NothingToMove = "NOTHING_TO_MOVE",
        /// It is a share of what came in, and nothing is known to have come in.
        NothingCameIn = "NOTHING_CAME_IN",
        /// Its cap has less than a dollar left.
        CapReached = "CAP_REACHED",
        /// It may move less than it wants, and the source has less than a dollar.
        SourceEmpty = "SOURCE_EMPTY",
        /// Each of its parts is less than a dollar.
        PartsTooSmall = "PARTS_TOO_SMALL",
    }
}

/// One number that an amount was reckoned from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term {
    /// Minor units.
    Minor(Quantity, i64),
    /// Minor units of one of several debts.
    Debt(Quantity, AccountId, i64),
    /// A share.
    Share(Percent),
}

/// What became of an action.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It moved money.
    Moved,
    /// It had nothing to move.
    Skipped(Skip),
    /// It failed, and nothing after it is done.
    Failed(Failure),
    /// One before it had failed.
    NotReached,
}

/// A condition, and what it saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConditionSeen {
    /// Where it is: `steps[0].conditions.all[1]`.
    pub path: String,
    /// The condition.
    pub condition: Condition,
    /// Its left side; `None` when that was not known.
    pub left: Option<i64>,
    /// Its right side.
    pub right: Option<i64>,
    /// Whether it held.
    pub holds: bool,
}

/// An action, and how its amount came about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionSeen {
    /// Its place in the step, from 0.
    pub action: u16,
    /// Its group.
    pub group: u32,
    /// What kind of action it is.
    pub action_type: ActionType,
    /// Where the money comes from.
    pub source: AccountId,
    /// What its amount was reckoned from, in order.
    pub terms: Vec<Term>,
    /// What it wanted, in minor units; `None` when that could not be reckoned.
    pub wanted: Option<i64>,
    /// What its cap let through of that.
    pub allowed: i64,
    /// What the source could spend right before; `None` when nobody knows.
    pub spendable: Option<i64>,
    /// What was moved.
    pub moved: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// A group's cap, and what it counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CapSeen {
    /// The group.
    pub group: u32,
    /// The cap.
    pub cap: Cap,
    /// The first day of the period; `None` for a cap on each run.
    pub since: Option<Day>,
    /// Minor units counted before.
    pub before: i64,
    /// Minor units counted after.
    pub after: i64,
}

/// Money that was wanted and not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shortfall {
    /// The action's place in the step, from 0.
    pub action: u16,
    /// The source.
    pub account: AccountId,
    /// What was to be moved, in minor units.
    pub wanted: i64,
    /// What could be spent.
    pub spendable: i64,
}

/// Everything about one run of a rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Explanation {
    /// The step that was taken, from 0; `None` when no step's conditions held.
    pub step: Option<u16>,
    /// The conditions of that step and of all before it, in order.
    pub conditions: Vec<ConditionSeen>,
    /// The actions of the step, in the order in which they were taken.
    pub actions: Vec<ActionSeen>,
    /// The caps of its groups, as far as they were reached.
    pub caps: Vec<CapSeen>,
    /// Where money was missing.
    pub shortfalls: Vec<Shortfall>,
}

impl Explanation {
    /// Why the run was stopped.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.actions.iter().find_map(|action| match action.outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        })
    }
}

struct Known(Option<i64>);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("unknown"),
        }
    }
}

impl fmt::Display for ConditionSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Condition {
            fact,
            operator,
            against,
            ..
        } = &self.condition;
        write!(f, "{}: {fact} {} {operator} ", self.path, Known(self.left))?;
        match against {
            Against::Value(number) => write!(f, "{number}")?,
            Against::Fact(fact, _) => write!(f, "{fact} {}", Known(self.right))?,
        }
        write!(f, ": {}", if self.holds { "yes" } else { "no" })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Minor(quantity, minor) => write!(f, "{quantity} {minor}"),
            Term::Debt(quantity, account, minor) => write!(f, "{quantity} {minor} on {account}"),
            Term::Share(percent) => write!(f, "{percent} %"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Moved => f.write_str("moved"),
            Outcome::Skipped(skip) => write!(f, "skipped: {skip}"),
            Outcome::Failed(failure) => write!(f, "failed: {failure}"),
            Outcome::NotReached => f.write_str("not reached"),
        }
    }
}

impl fmt::Display for ActionSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "actions[{}] {}:", self.action, self.action_type)?;
        for (index, term) in self.terms.iter().enumerate() {
            write!(f, "{}{term}", if index == 0 { " " } else { ", " })?;
        }
        let (wanted, spendable) = (Known(self.wanted), Known(self.spendable));
        write!(f, "; wanted {wanted}, allowed {}", self.allowed)?;
        write!(f, ", spendable {spendable}, moved {}", self.moved)?;
        write!(f, "; {}", self.outcome)
    }
}

impl fmt::Display for CapSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cap { period, minor } = self.cap;
        write!(f, "group {} {period} {minor}:", self.group)?;
        if period != CapPeriod::PerTransfer {
            write!(f, " counted {} before,", self.before)?;
        }
        write!(f, " {} after", self.after)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for condition in &self.conditions {
            writeln!(f, "{condition}")?;
        }
        match self.step {
            Some(step) => writeln!(f, "steps[{step}] is taken")?,
            None => writeln!(f, "no step is taken")?,
        }
        for action in &self.actions {
            writeln!(f, "{action}")?;
        }
        for cap in &self.caps {
            writeln!(f, "{cap}")?;
        }
        Ok(())
    }
}
