//! What each action of a group wants, from the accounts as they are when the group begins.

use std::collections::BTreeMap;

use super::super::RoundDown;
use super::super::action::{Action, Budget, Debt, Movement, PercentageTarget, Reckoning, TopUp};
use super::super::explain::{Quantity, Skip, Term};
use super::super::failure::Failure;
use super::super::percent::{Percent, shares};
use super::super::snapshot::AccountSeen;
use super::{Run, place};
use crate::id::AccountId;

/// What an action wants.
#[derive(Clone, Copy)]
pub(super) enum Want {
    /// Minor units, 0 or more.
    Minor(i64),
    /// Nothing, for a reason.
    Skip(Skip),
    /// It cannot be said.
    Fail(Failure),
}

impl Want {
    pub(super) fn minor(self) -> Option<i64> {
        match self {
            Want::Minor(minor) => Some(minor),
            Want::Skip(_) => Some(0),
            Want::Fail(_) => None,
        }
    }
}

/// What an action wants, and the numbers it was reckoned from.
pub(super) struct Reckoned {
    pub(super) terms: Vec<Term>,
    pub(super) want: Want,
}

impl Reckoned {
    /// Of an action that is not looked at any more.
    pub(super) fn none() -> Reckoned {
        Reckoned {
            terms: Vec::new(),
            want: Want::Fail(Failure::InsufficientFunds),
        }
    }
}

/// Shares of one amount: of which target, from which source.
type Split = (PercentageTarget, AccountId);

impl Run<'_> {
    pub(super) fn reckon(&self, members: &[(usize, &Action)]) -> Vec<Reckoned> {
        let shares = self.shares(members);
        members
            .iter()
            .map(|(index, action)| {
                let mut terms = Vec::new();
                let want = match self.check_accounts(action) {
                    Err(failure) => Want::Fail(failure),
                    Ok(()) => self
                        .want(*index, action, shares.get(index).copied(), &mut terms)
                        .unwrap_or_else(Want::Fail),
                };
                Reckoned { terms, want }
            })
            .collect()
    }

    /// What each share among the group's actions comes to. Shares of the same amount are reckoned
    /// together, so that nothing is lost between them.
    fn shares(&self, members: &[(usize, &Action)]) -> BTreeMap<usize, i64> {
        let mut splits: BTreeMap<Split, Vec<(usize, Percent, u64)>> = BTreeMap::new();
        for (index, action) in members {
            let Some((percent, target)) = action.share() else {
                continue;
            };
            let tie = action.destinations().next().map_or(0, AccountId::raw);
            let split = (target, self.rule.source_of(action));
            splits
                .entry(split)
                .or_default()
                .push((*index, percent, tie));
        }
        let mut found = BTreeMap::new();
        for ((target, source), parts) in splits {
            let Some(base) = self.base(target, source) else {
                continue;
            };
            let percents: Vec<(Percent, u64)> = parts
                .iter()
                .map(|(_, percent, tie)| (*percent, *tie))
                .collect();
            let amounts = shares(base, &percents);
            found.extend(parts.iter().map(|(index, ..)| *index).zip(amounts));
        }
        found
    }

    /// What a share is of.
    fn base(&self, target: PercentageTarget, source: AccountId) -> Option<i64> {
        match target {
            PercentageTarget::IncomingAmount => self.incoming.minor(),
            PercentageTarget::SourceAccount => self.purse.balance(source),
        }
    }

    fn check_accounts(&self, action: &Action) -> Result<(), Failure> {
        let source = self.rule.source_of(action);
        for id in action.destinations().chain([source]) {
            let account = self.account(id)?;
            account.trouble.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// An account to look at. Money may or may not be moved on it.
    fn account(&self, id: AccountId) -> Result<&AccountSeen, Failure> {
        let account = self.purse.get(id);
        account
            .filter(|account| account.trouble != Some(Failure::ResourceDeleted))
            .ok_or(Failure::ResourceDeleted)
    }

    fn want(
        &self,
        index: usize,
        action: &Action,
        share: Option<i64>,
        terms: &mut Vec<Term>,
    ) -> Result<Want, Failure> {
        match &action.movement {
            Movement::Pay {
                reckoning,
                destination,
            } => match reckoning {
                Reckoning::FixedAmount(minor) => Ok(note(terms, Quantity::Amount, *minor)),
                Reckoning::Percentage(percent, target) => {
                    self.share(action, *percent, *target, share, terms)
                }
                Reckoning::TopUp(top_up) => self.top_up(*top_up, *destination, terms),
                Reckoning::RoundDown(minor) => self.round_down(action, *minor, terms),
                Reckoning::NextPaymentMinimum => {
                    let minimum = self.minimum_of(*destination)?;
                    Ok(note(terms, Quantity::Minimum, minimum))
                }
                Reckoning::TotalAmountDue => {
                    let owed = self.owed_on(*destination)?;
                    Ok(note(terms, Quantity::Owed, owed))
                }
                Reckoning::LastStatementBalance => {
                    let statement = self.statement_of(*destination)?;
                    Ok(note(terms, Quantity::Statement, statement))
                }
                Reckoning::PercentageLiabilityBalance(percent) => {
                    let owed = self.owed_on(*destination)?;
                    note(terms, Quantity::Owed, owed);
                    terms.push(Term::Share(*percent));
                    Ok(Want::Minor(percent.of(owed)))
                }
                Reckoning::Queried => {
                    let answer = self.answers.get(&(self.index, place(index)));
                    let minor = *answer.ok_or(Failure::QueryUnanswered)?;
                    Ok(note(terms, Quantity::Answer, minor))
                }
            },
            Movement::PayOff { budget, debts, .. } => {
                self.pay_off(action, *budget, debts, share, terms)
            }
        }
    }

    fn share(
        &self,
        action: &Action,
        percent: Percent,
        target: PercentageTarget,
        share: Option<i64>,
        terms: &mut Vec<Term>,
    ) -> Result<Want, Failure> {
        let base = self.base(target, self.rule.source_of(action));
        let (Some(base), Some(minor)) = (base, share) else {
            return match target {
                PercentageTarget::IncomingAmount => Ok(Want::Skip(Skip::NothingCameIn)),
                PercentageTarget::SourceAccount => Err(Failure::NullBalance),
            };
        };
        let quantity = match target {
            PercentageTarget::IncomingAmount => Quantity::IncomingAmount,
            PercentageTarget::SourceAccount => Quantity::SourceBalance,
        };
        terms.extend([Term::Minor(quantity, base), Term::Share(percent)]);
        Ok(Want::Minor(minor))
    }

    fn top_up(
        &self,
        top_up: TopUp,
        destination: AccountId,
        terms: &mut Vec<Term>,
    ) -> Result<Want, Failure> {
        let target = match top_up {
            TopUp::Amount(minor) => minor,
            TopUp::NextPaymentMinimum(liability) => self.minimum_of(liability)?,
            TopUp::CurrentBalance(liability) => self.owed_on(liability)?,
            TopUp::LastStatementBalance(liability) => self.statement_of(liability)?,
        };
        let account = self.account(destination)?;
        let balance = account.balance.ok_or(Failure::NullBalance)?;
        terms.extend([
            Term::Minor(Quantity::Target, target),
            Term::Minor(Quantity::DestinationBalance, balance),
            Term::Minor(Quantity::Arriving, account.arriving),
        ]);
        let there = balance.saturating_add(account.arriving);
        Ok(Want::Minor(target.saturating_sub(there).max(0)))
    }

    fn round_down(
        &self,
        action: &Action,
        minor: i64,
        terms: &mut Vec<Term>,
    ) -> Result<Want, Failure> {
        let balance = self.purse.balance(self.rule.source_of(action));
        let balance = balance.ok_or(Failure::NullBalance)?.max(0);
        terms.extend([
            Term::Minor(Quantity::SourceBalance, balance),
            Term::Minor(Quantity::Amount, minor),
        ]);
        Ok(Want::Minor(above(
            self.rule.settings.round_down,
            balance,
            minor,
        )))
    }

    /// A budget, but not more than is owed.
    fn pay_off(
        &self,
        action: &Action,
        budget: Budget,
        debts: &[Debt],
        share: Option<i64>,
        terms: &mut Vec<Term>,
    ) -> Result<Want, Failure> {
        let budget = match budget {
            Budget::Amount(minor) => Want::Minor(minor),
            Budget::Percentage(percent, target) => {
                self.share(action, percent, target, share, terms)?
            }
        };
        let Want::Minor(budget) = budget else {
            return Ok(budget);
        };
        note(terms, Quantity::Budget, budget);
        let mut owed_all = 0_i64;
        for debt in debts {
            let owed = self.owed_on(debt.account)?;
            let minimum = self
                .account(debt.account)?
                .next_payment_minimum
                .unwrap_or(0);
            terms.extend([
                Term::Debt(Quantity::Owed, debt.account, owed),
                Term::Debt(Quantity::Minimum, debt.account, minimum),
            ]);
            owed_all = owed_all.saturating_add(owed);
        }
        Ok(Want::Minor(budget.min(owed_all)))
    }

    fn owed_on(&self, id: AccountId) -> Result<i64, Failure> {
        let balance = self.account(id)?.balance;
        balance.map(|owed| owed.max(0)).ok_or(Failure::NullBalance)
    }

    fn minimum_of(&self, id: AccountId) -> Result<i64, Failure> {
        let minimum = self.account(id)?.next_payment_minimum;
        minimum
            .map(|minor| minor.max(0))
            .ok_or(Failure::NoMinimumPayment)
    }

    fn statement_of(&self, id: AccountId) -> Result<i64, Failure> {
        let statement = self.account(id)?.last_statement;
        statement
            .map(|minor| minor.max(0))
            .ok_or(Failure::NoLastStatement)
    }
}

/// What rounding `balance` down moves. The one place where the two readings differ.
fn above(reading: RoundDown, balance: i64, minor: i64) -> i64 {
    match reading {
        RoundDown::Multiple => balance.checked_rem(minor).unwrap_or(0),
        RoundDown::Buffer => balance.saturating_sub(minor).max(0),
    }
}

/// A number that is wanted as it is.
fn note(terms: &mut Vec<Term>, quantity: Quantity, minor: i64) -> Want {
    terms.push(Term::Minor(quantity, minor));
    Want::Minor(minor.max(0))
}
