//! What an action wants, looked up again each time.

use ledger::AccountId;
use ledger::rule::RoundDown;
use ledger::rule::action::{
    Action, Budget, Debt, Movement, PercentageTarget, Reckoning, Strategy, TopUp,
};
use ledger::rule::explain::Skip;
use ledger::rule::failure::Failure;

use super::cents::{DOLLAR, WHOLE, first_destination, hand_out, to_even};
use super::{End, Purse, World};

impl World<'_> {
    /// Minimums, then the rest, each debt after the other.
    pub(super) fn spread(
        &self,
        strategy: Strategy,
        debts: &[Debt],
        total: i128,
    ) -> Vec<(AccountId, i128)> {
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
    pub(super) fn want(&self, actions: &[Action], index: usize) -> Result<i128, End> {
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

    pub(super) fn balance(&self, id: AccountId) -> Option<i128> {
        if self.rule.trigger.account() == Some(id) && self.pretended.is_some() {
            return self.pretended;
        }
        let purse = self.purses.get(&id)?;
        if purse.debt { purse.on_it } else { purse.cash }
    }
}
