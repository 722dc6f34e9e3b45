//! A second planner of rules, to compare with the ledger's.
//!
//! Written from the documents and the decision record, not from the ledger's code: everything is
//! looked up again whenever it is needed, numbers are as wide as they go, and dates are counted
//! on one's fingers.

use std::collections::BTreeMap;

use ledger::rule::Rule;
use ledger::rule::action::{Action, CapPeriod, Movement, Reckoning};
use ledger::rule::calendar::Day;
use ledger::rule::explain::Skip;
use ledger::rule::failure::Failure;
use ledger::rule::snapshot::{Answers, CapsUsed, Incoming, Snapshot};
use ledger::{AccountId, AccountKind, ExternalKind};

use cents::{DOLLAR, let_through};

mod cents;
mod conditions;
mod dates;
mod wants;

/// What became of an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It moved so much.
    Moved(i128),
    /// It moved nothing, for a good reason.
    Skipped(Skip),
    /// It failed.
    Failed(Failure),
    /// It was not looked at any more.
    NotReached,
}

/// A transfer: of which action, from where, to where, how much, and why it failed.
pub type Made = (usize, AccountId, AccountId, i128, Option<Failure>);

/// What a run comes to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Run {
    /// The step that is taken.
    pub step: Option<usize>,
    /// What became of its actions, in the order in which they are taken.
    pub ends: Vec<(usize, End)>,
    /// The transfers, in order.
    pub made: Vec<Made>,
    /// The counters that moved, by group: period, first day and where they stand.
    pub counted: BTreeMap<u32, (CapPeriod, Day, i128)>,
}

/// An account, with numbers that nothing can overflow.
#[derive(Clone)]
struct Purse {
    held: bool,
    debt: bool,
    trouble: Option<Failure>,
    cash: Option<i128>,
    on_it: Option<i128>,
    arriving: i128,
    statement: Option<i128>,
    minimum: Option<i128>,
}

struct World<'a> {
    rule: &'a Rule,
    step: usize,
    purses: BTreeMap<AccountId, Purse>,
    incoming: Option<i128>,
    /// What is left of a pretended balance of the trigger's account.
    pretended: Option<i128>,
    today: i64,
    answers: &'a Answers,
}

/// What one run of `rule` comes to.
#[must_use]
pub fn run(
    rule: &Rule,
    snapshot: &Snapshot,
    incoming: Incoming,
    caps: &CapsUsed,
    answers: &Answers,
) -> Run {
    let wide = |number: Option<i64>| number.map(i128::from);
    let purses = snapshot.accounts.iter().map(|(id, seen)| {
        let held = matches!(
            seen.kind,
            AccountKind::IncomeSource | AccountKind::Pod | AccountKind::PrepaidCard
        );
        let purse = Purse {
            held,
            debt: seen.kind == AccountKind::External(ExternalKind::Liability),
            trouble: seen.trouble,
            cash: wide(seen.available),
            on_it: wide(seen.balance),
            arriving: i128::from(seen.arriving),
            statement: wide(seen.last_statement),
            minimum: wide(seen.next_payment_minimum),
        };
        (*id, purse)
    });
    let local_ms =
        i128::from(snapshot.at.0) + i128::from(rule.settings.utc_offset_minutes) * 60_000;
    let mut world = World {
        rule,
        step: 0,
        purses: purses.collect(),
        incoming: wide(incoming.minor()),
        pretended: match incoming {
            Incoming::Pretended(minor) => Some(i128::from(minor)),
            _ => None,
        },
        today: i64::try_from(local_ms.div_euclid(86_400_000)).expect("a day"),
        answers,
    };
    for (index, step) in rule.steps.iter().enumerate() {
        if step.conditions.as_ref().is_none_or(|c| world.holds(c)) {
            world.step = index;
            return world.take(&step.actions, caps);
        }
    }
    Run::default()
}

impl World<'_> {
    fn take(&mut self, actions: &[Action], caps: &CapsUsed) -> Run {
        let mut run = Run {
            step: Some(self.step),
            ..Run::default()
        };
        let mut groups: Vec<u32> = actions.iter().map(|a| a.group_index).collect();
        groups.sort_unstable();
        groups.dedup();
        let mut failed = false;
        for group in groups {
            let members: Vec<usize> = (0..actions.len())
                .filter(|i| actions[*i].group_index == group)
                .collect();
            let wants: Vec<Result<i128, End>> =
                members.iter().map(|i| self.want(actions, *i)).collect();
            let cap = members.iter().find_map(|i| actions[*i].limit);
            let key = (u16::try_from(self.step).expect("few steps"), group);
            let before = match (cap, caps.get(&key)) {
                (Some(cap), Some(used))
                    if used.period == cap.period
                        && dates::period_start(cap.period, self.today) == Some(used.since.0) =>
                {
                    i128::from(used.used_minor)
                }
                _ => 0,
            };
            let left = cap.map(|cap| (i128::from(cap.minor) - before).max(0));
            let lets = let_through(actions, &members, &wants, left);
            let before_group = self.purses.clone();
            let first_made = run.made.len();
            let mut moved_all = 0;
            for (n, i) in members.iter().enumerate() {
                let end = if failed {
                    End::NotReached
                } else {
                    let room = (&before_group, first_made);
                    self.act(*i, &actions[*i], (wants[n], lets[n]), room, &mut run.made)
                };
                failed |= matches!(end, End::Failed(_));
                if let End::Moved(minor) = end {
                    moved_all += minor;
                }
                run.ends.push((*i, end));
            }
            // All of the group has happened: now it arrives.
            for (_, source, to, minor, failure) in run.made[first_made..].iter().copied() {
                if failure.is_none() {
                    self.arrive(source, to, minor);
                }
            }
            if let Some(cap) = cap
                && moved_all > 0
                && let Some(since) = dates::period_start(cap.period, self.today)
            {
                let counter = (cap.period, Day(since), before + moved_all);
                run.counted.insert(group, counter);
            }
        }
        run
    }

    fn act(
        &mut self,
        index: usize,
        action: &Action,
        (want, lets): (Result<i128, End>, i128),
        (before_group, first_made): (&BTreeMap<AccountId, Purse>, usize),
        made: &mut Vec<Made>,
    ) -> End {
        let source = self.rule.source_of(action);
        let only = match &action.movement {
            Movement::Pay { destination, .. } => Some(*destination),
            Movement::PayOff { .. } => None,
        };
        let so_far = made[first_made..].iter();
        let brought: i128 = so_far.filter(|m| Some(m.2) == only).map(|m| m.3).sum();
        let mut fail = |failure, minor| {
            made.extend(only.map(|to| (index, source, to, minor, Some(failure))));
            End::Failed(failure)
        };
        let want = match want {
            Ok(want) => want,
            Err(end) => return end,
        };
        if want == 0 {
            return End::Skipped(Skip::NothingToMove);
        }
        if want < DOLLAR {
            return fail(Failure::LessThanOneDollar, want);
        }
        if lets < DOLLAR {
            return End::Skipped(Skip::CapReached);
        }
        let mut minor = lets;
        if let Some(cash) = self.purses[&source].cash {
            let cash = cash.max(0);
            let modest = action.up_to_enabled
                || matches!(
                    action.movement,
                    Movement::Pay {
                        reckoning: Reckoning::TopUp(_),
                        ..
                    }
                );
            if cash < lets && !modest {
                return fail(Failure::InsufficientFunds, lets);
            }
            minor = minor.min(cash);
            if minor < DOLLAR {
                return End::Skipped(Skip::SourceEmpty);
            }
        }
        let parts = match &action.movement {
            Movement::Pay { destination, .. } => vec![(*destination, minor)],
            Movement::PayOff {
                strategy, debts, ..
            } => self.spread(*strategy, debts, minor),
        };
        if let Some(to) = only {
            // Whatever the group takes from it, it has to have room for all that comes.
            let purse = &before_group[&to];
            let after = purse.on_it.unwrap_or(0) + brought + minor;
            if purse.held && after > i128::from(i64::MAX) {
                return fail(Failure::PaymentFailed, lets);
            }
        }
        if parts.is_empty() {
            return End::Skipped(Skip::PartsTooSmall);
        }
        let mut sum = 0;
        for (to, minor) in parts {
            let from = self.purses.get_mut(&source).expect("checked");
            from.cash = from.cash.map(|cash| cash - minor);
            from.on_it = from.on_it.map(|sum| sum - minor);
            made.push((index, source, to, minor, None));
            sum += minor;
        }
        End::Moved(sum)
    }

    fn arrive(&mut self, source: AccountId, to: AccountId, minor: i128) {
        if self.rule.trigger.account() == Some(source) {
            self.pretended = self.pretended.map(|left| (left - minor).max(0));
        }
        let inside = self.purses[&source].held;
        let into = self.purses.get_mut(&to).expect("checked");
        if into.debt {
            into.on_it = into.on_it.map(|owed| owed - minor);
        } else if inside && into.held {
            into.cash = into.cash.map(|cash| cash + minor);
            into.on_it = into.on_it.map(|sum| sum + minor);
        } else {
            into.arriving += minor;
        }
    }
}
