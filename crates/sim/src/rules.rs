//! A second planner of rules, to compare with the ledger's.
//!
//! Written from the documents and the decision record, not from the ledger's code: everything is
//! looked up again whenever it is needed, numbers are as wide as they go, and dates are counted
//! on one's fingers.

use std::collections::BTreeMap;

use ledger::rule::action::{
    Action, Budget, CapPeriod, Debt, Movement, PercentageTarget, Reckoning, Strategy, TopUp,
};
use ledger::rule::calendar::Day;
use ledger::rule::condition::{Against, Condition, Conditions, Fact, Operator, ValueFact};
use ledger::rule::explain::Skip;
use ledger::rule::failure::Failure;
use ledger::rule::snapshot::{Answers, CapsUsed, Incoming, Snapshot};
use ledger::rule::{RoundDown, Rule};
use ledger::{AccountId, AccountKind, ExternalKind};

mod dates;

/// The least that is moved at once.
const DOLLAR: i128 = 100;
/// All of it, in hundred-millionths of a per cent.
const WHOLE: i128 = 10_000_000_000;

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

    /// Minimums, then the rest, each debt after the other.
    fn spread(&self, strategy: Strategy, debts: &[Debt], total: i128) -> Vec<(AccountId, i128)> {
        let owed = |debt: &Debt| self.purses[&debt.account].on_it.unwrap_or(0).max(0);
        let mut waiting: Vec<Debt> = debts.to_vec();
        let mut paid = Vec::new();
        let mut left = total;
        while !waiting.is_empty() {
            // The first of the best: later ones that are as good wait.
            let mut best = 0;
            for other in 1..waiting.len() {
                let better = match strategy {
                    Strategy::Avalanche => waiting[other].apr > waiting[best].apr,
                    Strategy::Snowball => owed(&waiting[other]) < owed(&waiting[best]),
                };
                if better {
                    best = other;
                }
            }
            let debt = waiting.remove(best);
            let minimum = self.purses[&debt.account].minimum.unwrap_or(0).max(0);
            let gets = minimum.min(owed(&debt)).min(left);
            left -= gets;
            paid.push((debt, gets));
        }
        for (debt, paid) in &mut paid {
            let more = (owed(debt) - *paid).min(left);
            left -= more;
            *paid += more;
        }
        let worth = paid.into_iter().filter(|(_, paid)| *paid >= DOLLAR);
        worth.map(|(debt, paid)| (debt.account, paid)).collect()
    }

    /// What an action wants now; the end of it when it wants nothing or nobody can say.
    fn want(&self, actions: &[Action], index: usize) -> Result<i128, End> {
        let action = &actions[index];
        let source = self.rule.source_of(action);
        let (mut touched, reading) = match &action.movement {
            Movement::Pay {
                destination,
                reckoning,
            } => (vec![*destination], Some(*reckoning)),
            Movement::PayOff { debts, .. } => (debts.iter().map(|d| d.account).collect(), None),
        };
        touched.push(source);
        for id in touched {
            let purse = self.look(id)?;
            purse
                .trouble
                .map_or(Ok(()), |failure| Err(End::Failed(failure)))?;
        }
        let Movement::Pay { destination, .. } = action.movement else {
            return self.want_off(actions, index);
        };
        Ok(match reading.expect("it pays") {
            Reckoning::FixedAmount(minor) => i128::from(minor),
            Reckoning::Percentage(_, target) => self.share(actions, index, target)?,
            Reckoning::TopUp(top_up) => {
                let target = match top_up {
                    TopUp::Amount(minor) => i128::from(minor),
                    TopUp::NextPaymentMinimum(debt) => self.minimum(debt)?,
                    TopUp::CurrentBalance(debt) => self.owed(debt)?,
                    TopUp::LastStatementBalance(debt) => self.statement(debt)?,
                };
                let purse = self.look(destination)?;
                let there = purse.on_it.ok_or(End::Failed(Failure::NullBalance))? + purse.arriving;
                (target - there).max(0)
            }
            Reckoning::RoundDown(minor) => {
                let minor = i128::from(minor);
                let there = self
                    .balance(source)
                    .ok_or(End::Failed(Failure::NullBalance))?
                    .max(0);
                match self.rule.settings.round_down {
                    RoundDown::Multiple => there - there / minor * minor,
                    RoundDown::Buffer => (there - minor).max(0),
                }
            }
            Reckoning::NextPaymentMinimum => self.minimum(destination)?,
            Reckoning::TotalAmountDue => self.owed(destination)?,
            Reckoning::LastStatementBalance => self.statement(destination)?,
            Reckoning::PercentageLiabilityBalance(percent) => {
                to_even(self.owed(destination)? * i128::from(percent.scaled()))
            }
            Reckoning::Queried => {
                let key = (self.step, index);
                let mut answers = self.answers.iter();
                let answer = answers
                    .find(|((step, action), _)| (usize::from(*step), usize::from(*action)) == key);
                let unanswered = End::Failed(Failure::QueryUnanswered);
                i128::from(*answer.ok_or(unanswered)?.1).max(0)
            }
        })
    }

    fn want_off(&self, actions: &[Action], index: usize) -> Result<i128, End> {
        let Movement::PayOff { budget, debts, .. } = &actions[index].movement else {
            unreachable!("asked of payers-off only");
        };
        let budget = match budget {
            Budget::Amount(minor) => i128::from(*minor),
            Budget::Percentage(_, target) => self.share(actions, index, *target)?,
        };
        let mut owed = 0;
        for debt in debts.iter() {
            owed += self.owed(debt.account)?;
        }
        Ok(budget.min(owed))
    }

    /// One share of all those of one group that are of the same amount.
    fn share(
        &self,
        actions: &[Action],
        index: usize,
        target: PercentageTarget,
    ) -> Result<i128, End> {
        let source = self.rule.source_of(&actions[index]);
        let base = match target {
            PercentageTarget::IncomingAmount => {
                self.incoming.ok_or(End::Skipped(Skip::NothingCameIn))?
            }
            PercentageTarget::SourceAccount => self
                .balance(source)
                .ok_or(End::Failed(Failure::NullBalance))?,
        }
        .max(0);
        let together: Vec<(usize, i128)> = (0..actions.len())
            .filter(|i| {
                let other = &actions[*i];
                other.group_index == actions[index].group_index
                    && other.share().is_some_and(|(_, of)| of == target)
                    && self.rule.source_of(other) == source
            })
            .map(|i| {
                let (percent, _) = actions[i].share().expect("filtered");
                (i, i128::from(percent.scaled()))
            })
            .collect();
        let total = to_even(base * together.iter().map(|(_, percent)| percent).sum::<i128>());
        let parts: Vec<(i128, AccountId)> = together
            .iter()
            .map(|(i, percent)| (base * percent, first_destination(&actions[*i])))
            .collect();
        let cents = hand_out(total, &parts, WHOLE);
        let place = together.iter().position(|(i, _)| *i == index);
        Ok(cents[place.expect("it is one of them")])
    }

    fn look(&self, id: AccountId) -> Result<&Purse, End> {
        let gone = End::Failed(Failure::ResourceDeleted);
        let purse = self.purses.get(&id).ok_or(gone)?;
        if purse.trouble == Some(Failure::ResourceDeleted) {
            return Err(gone);
        }
        Ok(purse)
    }

    fn owed(&self, id: AccountId) -> Result<i128, End> {
        let owed = self.look(id)?.on_it;
        Ok(owed.ok_or(End::Failed(Failure::NullBalance))?.max(0))
    }

    fn minimum(&self, id: AccountId) -> Result<i128, End> {
        let minimum = self.look(id)?.minimum;
        Ok(minimum
            .ok_or(End::Failed(Failure::NoMinimumPayment))?
            .max(0))
    }

    fn statement(&self, id: AccountId) -> Result<i128, End> {
        let statement = self.look(id)?.statement;
        Ok(statement
            .ok_or(End::Failed(Failure::NoLastStatement))?
            .max(0))
    }

    fn balance(&self, id: AccountId) -> Option<i128> {
        if self.rule.trigger.account() == Some(id) && self.pretended.is_some() {
            return self.pretended;
        }
        let purse = self.purses.get(&id)?;
        if purse.debt { purse.on_it } else { purse.cash }
    }

    fn holds(&self, conditions: &Conditions) -> bool {
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

fn first_destination(action: &Action) -> AccountId {
    match &action.movement {
        Movement::Pay { destination, .. } => *destination,
        Movement::PayOff { debts, .. } => debts[0].account,
    }
}

/// What a group's cap leaves of each want: all of it, or its part of what is left.
fn let_through(
    actions: &[Action],
    members: &[usize],
    wants: &[Result<i128, End>],
    left: Option<i128>,
) -> Vec<i128> {
    let wants: Vec<i128> = wants.iter().map(|want| want.unwrap_or(0)).collect();
    let sum: i128 = wants.iter().sum();
    match left {
        Some(left) if sum > left => {
            let parts: Vec<(i128, AccountId)> = members
                .iter()
                .zip(&wants)
                .map(|(i, want)| (left * want, first_destination(&actions[*i])))
                .collect();
            hand_out(left, &parts, sum)
        }
        _ => wants,
    }
}

/// Hundred-millionths of per cents to whole units, half to even.
fn to_even(scaled: i128) -> i128 {
    let down = scaled / WHOLE;
    let rest = scaled - down * WHOLE;
    if rest * 2 > WHOLE || (rest * 2 == WHOLE && down % 2 != 0) {
        down + 1
    } else {
        down
    }
}

/// Gives `total` units to parts that are owed fractions of `per`: first the whole ones, then one
/// at a time to whoever still lacks most; among equals to the oldest account, then to the first.
fn hand_out(total: i128, owed: &[(i128, AccountId)], per: i128) -> Vec<i128> {
    let mut given: Vec<i128> = owed.iter().map(|(owed, _)| owed / per).collect();
    while given.iter().sum::<i128>() < total {
        let lacks = |i: usize| owed[i].0 - given[i] * per;
        let mut next = 0;
        for other in 1..owed.len() {
            let more = lacks(other) > lacks(next);
            let older = lacks(other) == lacks(next) && owed[other].1 < owed[next].1;
            if more || older {
                next = other;
            }
        }
        given[next] += 1;
    }
    given
}
