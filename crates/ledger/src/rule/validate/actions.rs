//! Actions: which fields each type has, and which accounts.

use std::sync::Arc;

use super::super::DEBTS_MAX;
use super::super::action::{
    Action, ActionType, Budget, Debt, Movement, PercentageTarget, Reckoning, Strategy, TopUp,
};
use super::super::draft::ActionDraft;
use super::super::percent::Percent;
use super::{Check, FaultCode, Role};
use crate::id::AccountId;

/// Characters that a bank shows.
const ACH_MAX: usize = 10;

/// Fields that belong to some types only, in the order in which they are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Amount,
    Percent,
    PercentTarget,
    MinimumAccount,
    BalanceAccount,
    StatementAccount,
    Liabilities,
}

impl Field {
    const ALL: [(Field, &'static str); 7] = [
        (Field::Amount, "amount_in_cents"),
        (Field::Percent, "percentage_value"),
        (Field::PercentTarget, "percentage_target"),
        (Field::MinimumAccount, "next_payment_minimum_account"),
        (Field::BalanceAccount, "current_balance_account"),
        (Field::StatementAccount, "last_statement_balance_account"),
        (Field::Liabilities, "liabilities"),
    ];

    fn is_given(self, draft: &ActionDraft) -> bool {
        match self {
            Field::Amount => draft.minor.is_some(),
            Field::Percent => draft.percentage_value.is_some(),
            Field::PercentTarget => draft.percentage_target.is_some(),
            Field::MinimumAccount => draft.next_payment_minimum_account.is_some(),
            Field::BalanceAccount => draft.current_balance_account.is_some(),
            Field::StatementAccount => draft.last_statement_balance_account.is_some(),
            Field::Liabilities => !draft.liabilities.is_empty(),
        }
    }

    /// Whether actions of this type may have it.
    fn belongs_to(self, action_type: ActionType) -> bool {
        let fields: &[Field] = match action_type {
            ActionType::FixedAmount | ActionType::RoundDown => &[Field::Amount],
            ActionType::Percentage => &[Field::Percent, Field::PercentTarget],
            ActionType::PercentageLiabilityBalance => &[Field::Percent],
            ActionType::TopUp => &[
                Field::Amount,
                Field::MinimumAccount,
                Field::BalanceAccount,
                Field::StatementAccount,
            ],
            ActionType::Avalanche | ActionType::Snowball => &[
                Field::Amount,
                Field::Percent,
                Field::PercentTarget,
                Field::Liabilities,
            ],
            ActionType::NextPaymentMinimum
            | ActionType::TotalAmountDue
            | ActionType::LastStatementBalance
            | ActionType::QueriedAmount => &[],
        };
        fields.contains(&self)
    }
}

impl Check<'_> {
    pub(super) fn action(&mut self, path: &str, draft: &ActionDraft) -> Option<Action> {
        let pays_off = matches!(
            draft.action_type,
            ActionType::Avalanche | ActionType::Snowball
        );
        self.source(path, draft.source);
        let destination_path = format!("{path}.destination");
        match (pays_off, draft.destination) {
            (true, Some(_)) => {
                let reason = "is not for actions that pay off liabilities";
                self.fault(destination_path, FaultCode::NotAllowed, reason);
            }
            (false, None) => self.fault(destination_path, FaultCode::Missing, "is required"),
            (true, None) => {}
            (false, Some(id)) => self.destination(&destination_path, id, draft),
        }
        for (field, name) in Field::ALL {
            if field.is_given(draft) && !field.belongs_to(draft.action_type) {
                let reason = "is not for actions of this type";
                self.fault(format!("{path}.{name}"), FaultCode::NotAllowed, reason);
            }
        }
        let movement = if pays_off {
            self.pay_off(path, draft)
        } else {
            let reckoning = self.reckoning(path, draft);
            reckoning
                .zip(draft.destination)
                .map(|(reckoning, destination)| Movement::Pay {
                    reckoning,
                    destination,
                })
        };
        if draft.limit.is_some_and(|cap| cap.minor < 0) {
            let path = format!("{path}.limit.amount_in_cents");
            self.fault(path, FaultCode::OutOfRange, "must be 0 or more");
        }
        if let Some(text) = &draft.ach_description {
            self.ach_description(&format!("{path}.ach_description"), text);
        }
        Some(Action {
            movement: movement?,
            source: draft.source,
            group_index: draft.group_index,
            up_to_enabled: draft.up_to_enabled,
            limit: draft.limit,
            direct_deposit: draft.is_direct_deposit,
            ach_description: draft.ach_description.clone(),
        })
    }

    fn source(&mut self, path: &str, source: Option<AccountId>) {
        let path = format!("{path}.source");
        match source {
            Some(id) => self.account(&path, id, Role::Source),
            None => self.default_account(&path, Role::Source),
        }
    }

    fn destination(&mut self, path: &str, id: AccountId, draft: &ActionDraft) {
        let role = match draft.action_type {
            ActionType::NextPaymentMinimum
            | ActionType::TotalAmountDue
            | ActionType::LastStatementBalance
            | ActionType::PercentageLiabilityBalance => Role::Liability,
            _ => Role::Destination,
        };
        self.account(path, id, role);
        if draft.source.or(self.trigger_account) == Some(id) {
            let reason = "must be another account than the source";
            self.fault(path, FaultCode::Contradiction, reason);
        }
        let liability = (self.lookup)(id).is_some_and(super::is_liability);
        if draft.action_type == ActionType::TopUp && liability {
            let reason = "must not be a liability: a debt is paid off, not topped up";
            self.fault(path, FaultCode::WrongAccount, reason);
        }
    }

    fn reckoning(&mut self, path: &str, draft: &ActionDraft) -> Option<Reckoning> {
        Some(match draft.action_type {
            ActionType::FixedAmount => Reckoning::FixedAmount(self.amount(path, draft, 1)?),
            ActionType::RoundDown => Reckoning::RoundDown(self.amount(path, draft, 1)?),
            ActionType::Percentage => {
                let percent = self.percent(path, draft);
                let target = self.percent_target(path, draft);
                Reckoning::Percentage(percent?, target?)
            }
            ActionType::PercentageLiabilityBalance => {
                Reckoning::PercentageLiabilityBalance(self.percent(path, draft)?)
            }
            ActionType::TopUp => Reckoning::TopUp(self.top_up(path, draft)?),
            ActionType::NextPaymentMinimum => Reckoning::NextPaymentMinimum,
            ActionType::TotalAmountDue => Reckoning::TotalAmountDue,
            ActionType::LastStatementBalance => Reckoning::LastStatementBalance,
            ActionType::QueriedAmount => Reckoning::Queried,
            ActionType::Avalanche | ActionType::Snowball => return None,
        })
    }

    fn amount(&mut self, path: &str, draft: &ActionDraft, at_least: i64) -> Option<i64> {
        let path = format!("{path}.amount_in_cents");
        match draft.minor {
            Some(minor) if minor >= at_least => return Some(minor),
            Some(_) if at_least > 0 => {
                self.fault(path, FaultCode::OutOfRange, "must be 1 or more");
            }
            Some(_) => self.fault(path, FaultCode::OutOfRange, "must be 0 or more"),
            None => self.fault(path, FaultCode::Missing, "is required"),
        }
        None
    }

    fn percent(&mut self, path: &str, draft: &ActionDraft) -> Option<Percent> {
        if draft.percentage_value.is_none() {
            let path = format!("{path}.percentage_value");
            self.fault(path, FaultCode::Missing, "is required");
        }
        draft.percentage_value
    }

    fn percent_target(&mut self, path: &str, draft: &ActionDraft) -> Option<PercentageTarget> {
        if draft.percentage_target.is_none() {
            let path = format!("{path}.percentage_target");
            self.fault(path, FaultCode::Missing, "is required");
        }
        draft.percentage_target
    }

    fn top_up(&mut self, path: &str, draft: &ActionDraft) -> Option<TopUp> {
        let accounts = [
            (
                "next_payment_minimum_account",
                draft
                    .next_payment_minimum_account
                    .map(TopUp::NextPaymentMinimum),
            ),
            (
                "current_balance_account",
                draft.current_balance_account.map(TopUp::CurrentBalance),
            ),
            (
                "last_statement_balance_account",
                draft
                    .last_statement_balance_account
                    .map(TopUp::LastStatementBalance),
            ),
        ];
        for (name, target) in &accounts {
            if let Some(account) = target.and_then(TopUp::liability) {
                self.account(&format!("{path}.{name}"), account, Role::Liability);
            }
        }
        let given = accounts.iter().filter_map(|(_, target)| *target);
        let given: Vec<TopUp> = draft
            .minor
            .map(TopUp::Amount)
            .into_iter()
            .chain(given)
            .collect();
        match given[..] {
            [TopUp::Amount(_)] => self.amount(path, draft, 0).map(TopUp::Amount),
            [target] => Some(target),
            _ => {
                let reason = "must have exactly one of an amount and the three accounts";
                self.fault(path, FaultCode::Contradiction, reason);
                None
            }
        }
    }

    fn pay_off(&mut self, path: &str, draft: &ActionDraft) -> Option<Movement> {
        let share = draft.percentage_value.is_some() || draft.percentage_target.is_some();
        let budget = match (draft.minor.is_some(), share) {
            (true, true) => {
                let reason = "must have an amount or a percentage, not both";
                self.fault(path, FaultCode::Contradiction, reason);
                None
            }
            (_, false) => self.amount(path, draft, 1).map(Budget::Amount),
            (false, true) => {
                let percent = self.percent(path, draft);
                let target = self.percent_target(path, draft);
                percent
                    .zip(target)
                    .map(|(percent, target)| Budget::Percentage(percent, target))
            }
        };
        let debts = self.debts(path, draft);
        Some(Movement::PayOff {
            strategy: match draft.action_type {
                ActionType::Avalanche => Strategy::Avalanche,
                _ => Strategy::Snowball,
            },
            budget: budget?,
            debts: debts.into(),
        })
    }

    fn debts(&mut self, path: &str, draft: &ActionDraft) -> Vec<Debt> {
        let path = format!("{path}.liabilities");
        self.length(&path, draft.liabilities.len(), DEBTS_MAX);
        let mut debts: Vec<Debt> = Vec::new();
        for (index, debt) in draft.liabilities.iter().take(DEBTS_MAX).enumerate() {
            let path = format!("{path}[{index}]");
            self.account(&format!("{path}.id"), debt.account, Role::Liability);
            if debts.iter().any(|known| known.account == debt.account) {
                let reason = "must not be listed twice";
                self.fault(format!("{path}.id"), FaultCode::Contradiction, reason);
            }
            if draft.action_type == ActionType::Avalanche && debt.apr.is_none() {
                let reason = "is required for an avalanche";
                let path = format!("{path}.interest_rate_percentage");
                self.fault(path, FaultCode::Missing, reason);
            }
            debts.push(Debt {
                account: debt.account,
                apr: debt.apr,
            });
        }
        debts
    }

    fn ach_description(&mut self, path: &str, text: &Arc<str>) {
        if text.chars().count() > ACH_MAX {
            self.fault(path, FaultCode::TooLong, "has too many characters");
        } else if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ') {
            let reason = "must have letters, digits and spaces only";
            self.fault(path, FaultCode::OutOfRange, reason);
        }
    }
}
