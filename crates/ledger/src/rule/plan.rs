//! What one run of a rule moves, and why. Pure: the same input gives the same plan.
//!
//! Phases: the first step whose conditions hold is taken; its groups run in the order of their
//! numbers. A group is reckoned as one: every action from the accounts as they are when the group
//! begins, the shares of one amount together, then the group's cap over all of it. The source is
//! then drawn on from top to bottom: an action that may move less takes what is there, another one
//! fails, and with the first failure the run ends. What a group pays arrives when it is done.
//!
//! Guarantees: no account is planned to pay more than it has; no cap is ever exceeded; every
//! transfer is [`TRANSFER_MIN_MINOR`] or more; the shares of one amount add up to it. What the
//! actions of a group want and are allowed does not depend on where they stand in it, and while
//! there is enough for all of them neither does what they move.

mod facts;
mod payoff;
mod purse;
mod reckon;

use std::collections::BTreeSet;

use super::action::{Action, Cap, Movement};
use super::calendar::Day;
use super::explain::{ActionSeen, CapSeen, Explanation, Outcome, Shortfall, Skip};
use super::failure::Failure;
use super::percent::divide;
use super::snapshot::{Answers, CapUsed, CapsUsed, Incoming, Snapshot, period_start};
use super::{Rule, Step, TRANSFER_MIN_MINOR};
use crate::id::AccountId;
use facts::Facts;
use purse::Purse;
use reckon::{Reckoned, Want};

/// A transfer that a run makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PlannedTransfer {
    /// The action's place in the step, from 0.
    pub action: u16,
    /// Where the money comes from.
    pub source: AccountId,
    /// Where it goes.
    pub destination: AccountId,
    /// How much, in minor units.
    pub minor: i64,
    /// Why it is made as one that failed and moves nothing.
    pub failure: Option<Failure>,
}

/// A counter of a cap that a run moves on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CapCounted {
    /// The group, of the step that was taken.
    pub group: u32,
    /// Where the counter stands afterwards.
    pub used: CapUsed,
}

/// What a run would do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// How it came about, with the step that was taken and where money was missing.
    pub explanation: Explanation,
    /// The transfers, in the order in which they are made.
    pub transfers: Vec<PlannedTransfer>,
    /// The counters that change.
    pub counted: Vec<CapCounted>,
}

impl Plan {
    /// Minor units that it moves altogether.
    #[must_use]
    pub fn moved(&self) -> i128 {
        let moves = self.transfers.iter().filter(|t| t.failure.is_none());
        moves.map(|transfer| i128::from(transfer.minor)).sum()
    }

    /// The actions that an amount must be asked for before this run can be made, as step and
    /// action.
    #[must_use]
    pub fn unanswered(&self) -> Option<(u16, u16)> {
        let step = self.explanation.step?;
        let mut actions = self.explanation.actions.iter();
        let waits = |seen: &&ActionSeen| seen.outcome == Outcome::Failed(Failure::QueryUnanswered);
        actions.find(waits).map(|seen| (step, seen.action))
    }
}

/// Plans one run of `rule`.
#[must_use]
pub fn plan(
    rule: &Rule,
    snapshot: &Snapshot,
    incoming: Incoming,
    caps: &CapsUsed,
    answers: &Answers,
) -> Plan {
    let today = Day::at(snapshot.at, i32::from(rule.settings.utc_offset_minutes));
    let purse = Purse::new(snapshot, rule, incoming);
    let mut plan = Plan::default();
    for (index, step) in rule.steps.iter().enumerate() {
        let facts = Facts {
            purse: &purse,
            account: rule.trigger.account(),
            incoming,
            today,
        };
        let (holds, seen) = facts.look(step, index);
        plan.explanation.conditions.extend(seen);
        if holds {
            plan.explanation.step = Some(place(index));
            let run = Run {
                rule,
                step,
                index: place(index),
                incoming,
                today,
                caps,
                answers,
                purse,
                plan,
                stopped: false,
            };
            return run.finish();
        }
    }
    plan
}

/// A place in a list whose length is bounded far below the type.
fn place(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// A step that is being taken.
struct Run<'a> {
    rule: &'a Rule,
    step: &'a Step,
    index: u16,
    incoming: Incoming,
    today: Day,
    caps: &'a CapsUsed,
    answers: &'a Answers,
    purse: Purse,
    plan: Plan,
    /// Whether an action has failed.
    stopped: bool,
}

/// One action of a group that is being served.
struct Turn<'a> {
    index: usize,
    action: &'a Action,
    source: AccountId,
    reckoned: Reckoned,
    allowed: i64,
}

impl Run<'_> {
    fn finish(mut self) -> Plan {
        let groups: BTreeSet<u32> = self.step.actions.iter().map(|a| a.group_index).collect();
        for group in groups {
            self.run_group(group);
        }
        self.plan
    }

    fn run_group(&mut self, group: u32) {
        let members: Vec<(usize, &Action)> = self
            .step
            .actions
            .iter()
            .enumerate()
            .filter(|(_, action)| action.group_index == group)
            .collect();
        if self.stopped {
            for (index, action) in members {
                let seen = self.seen(index, action, Reckoned::none(), 0);
                self.plan.explanation.actions.push(seen);
            }
            return;
        }
        let cap = members.iter().find_map(|(_, action)| action.limit);
        let before = self.counted(group, cap);
        let reckoned = self.reckon(&members);
        let allowed = allow(cap, before, &members, &reckoned);
        let turns = members.iter().zip(reckoned).zip(allowed);
        let mut moved_all = 0_i64;
        for ((&(index, action), reckoned), allowed) in turns {
            let turn = Turn {
                index,
                action,
                source: self.rule.source_of(action),
                reckoned,
                allowed,
            };
            moved_all = moved_all.saturating_add(self.serve(turn));
        }
        self.purse.settle();
        if let Some(cap) = cap {
            self.count(group, cap, before, moved_all);
        }
    }

    /// What the group's cap has counted in the current period.
    fn counted(&self, group: u32, cap: Option<Cap>) -> i64 {
        let Some(cap) = cap else { return 0 };
        let since = period_start(cap.period, self.today);
        self.caps
            .get(&(self.index, group))
            .filter(|used| used.period == cap.period && Some(used.since) == since)
            .map_or(0, |used| used.used_minor)
    }

    fn count(&mut self, group: u32, cap: Cap, before: i64, moved: i64) {
        let after = before.saturating_add(moved);
        let since = period_start(cap.period, self.today);
        self.plan.explanation.caps.push(CapSeen {
            group,
            cap,
            since,
            before,
            after,
        });
        if let Some(since) = since.filter(|_| moved > 0) {
            let used = CapUsed {
                period: cap.period,
                since,
                used_minor: after,
            };
            self.plan.counted.push(CapCounted { group, used });
        }
    }

    fn seen(&self, index: usize, action: &Action, reckoned: Reckoned, allowed: i64) -> ActionSeen {
        let source = self.rule.source_of(action);
        ActionSeen {
            action: place(index),
            group: action.group_index,
            action_type: action.action_type(),
            source,
            terms: reckoned.terms,
            wanted: reckoned.want.minor(),
            allowed,
            spendable: self.purse.spendable(source),
            moved: 0,
            outcome: Outcome::NotReached,
        }
    }

    /// Takes one action, and gives what it moved.
    fn serve(&mut self, turn: Turn<'_>) -> i64 {
        let want = turn.reckoned.want;
        let (source, index, action) = (turn.source, place(turn.index), turn.action);
        let mut seen = self.seen(turn.index, action, turn.reckoned, turn.allowed);
        if !self.stopped {
            seen.outcome = match self.amount(index, action, source, want, turn.allowed) {
                Ok(minor) => {
                    let outcome = self.pay(index, action, source, minor);
                    seen.moved = self.moved_by(index);
                    outcome
                }
                Err(outcome) => outcome,
            };
        }
        if let Outcome::Failed(failure) = seen.outcome {
            self.stopped = true;
            self.record_failure(index, action, source, (want, turn.allowed), failure);
        }
        let moved = seen.moved;
        self.plan.explanation.actions.push(seen);
        moved
    }

    /// How much the action moves now: what its cap lets through, as far as it is there.
    fn amount(
        &mut self,
        index: u16,
        action: &Action,
        source: AccountId,
        want: Want,
        allowed: i64,
    ) -> Result<i64, Outcome> {
        let wanted = match want {
            Want::Minor(wanted) => wanted,
            Want::Skip(skip) => return Err(Outcome::Skipped(skip)),
            Want::Fail(failure) => return Err(Outcome::Failed(failure)),
        };
        if wanted == 0 {
            return Err(Outcome::Skipped(Skip::NothingToMove));
        }
        if wanted < TRANSFER_MIN_MINOR {
            return Err(Outcome::Failed(Failure::LessThanOneDollar));
        }
        if allowed < TRANSFER_MIN_MINOR {
            return Err(Outcome::Skipped(Skip::CapReached));
        }
        let Some(spendable) = self.purse.spendable(source) else {
            return Ok(allowed);
        };
        if spendable >= allowed {
            return Ok(allowed);
        }
        self.plan.explanation.shortfalls.push(Shortfall {
            action: index,
            account: source,
            wanted: allowed,
            spendable,
        });
        if !action.may_move_less() {
            return Err(Outcome::Failed(Failure::InsufficientFunds));
        }
        if spendable < TRANSFER_MIN_MINOR {
            return Err(Outcome::Skipped(Skip::SourceEmpty));
        }
        Ok(spendable)
    }

    fn pay(&mut self, index: u16, action: &Action, source: AccountId, minor: i64) -> Outcome {
        let parts: Vec<(AccountId, i64)> = match &action.movement {
            Movement::Pay { destination, .. } => vec![(*destination, minor)],
            Movement::PayOff {
                strategy, debts, ..
            } => payoff::spread(&self.purse, *strategy, debts, minor),
        };
        if parts.is_empty() {
            return Outcome::Skipped(Skip::PartsTooSmall);
        }
        for (destination, minor) in parts {
            if !self.purse.fits(destination, minor) {
                return Outcome::Failed(Failure::PaymentFailed);
            }
            self.purse.carry(source, destination, minor);
            self.plan.transfers.push(PlannedTransfer {
                action: index,
                source,
                destination,
                minor,
                failure: None,
            });
        }
        Outcome::Moved
    }

    fn moved_by(&self, index: u16) -> i64 {
        let transfers = self.plan.transfers.iter();
        transfers
            .filter(|transfer| transfer.action == index)
            .fold(0, |sum: i64, transfer| sum.saturating_add(transfer.minor))
    }

    /// A failure whose amount is known leaves a transfer that failed, where it is about one
    /// destination.
    fn record_failure(
        &mut self,
        index: u16,
        action: &Action,
        source: AccountId,
        (want, allowed): (Want, i64),
        failure: Failure,
    ) {
        let minor = match (want, failure) {
            (Want::Minor(wanted), Failure::LessThanOneDollar) => wanted,
            (Want::Minor(_), _) => allowed,
            _ => return,
        };
        if let Movement::Pay { destination, .. } = action.movement {
            self.plan.transfers.push(PlannedTransfer {
                action: index,
                source,
                destination,
                minor,
                failure: Some(failure),
            });
        }
    }
}

/// What the cap lets through of each want. Together it is no more than what is left of the cap;
/// what is too much is cut in proportion.
fn allow(
    cap: Option<Cap>,
    before: i64,
    members: &[(usize, &Action)],
    reckoned: &[Reckoned],
) -> Vec<i64> {
    let wants: Vec<(i64, u64)> = members
        .iter()
        .zip(reckoned)
        .map(|((_, action), reckoned)| {
            let tie = action.destinations().next().map_or(0, AccountId::raw);
            (reckoned.want.minor().unwrap_or(0), tie)
        })
        .collect();
    let full = || wants.iter().map(|(wanted, _)| *wanted).collect();
    let Some(cap) = cap else { return full() };
    let left = cap.minor.saturating_sub(before).max(0);
    let sum: i128 = wants.iter().map(|(wanted, _)| i128::from(*wanted)).sum();
    if sum <= i128::from(left) {
        return full();
    }
    divide(left, &wants)
}
