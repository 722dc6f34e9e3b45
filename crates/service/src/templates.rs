//! Rules that many people want, from a few facts.
//!
//! A template only makes a draft: it is checked, linted and kept like any other, and can be changed
//! afterwards.

use std::sync::Arc;

use ledger::rule::TriggerKind;
use ledger::rule::action::{ActionType, PercentageTarget};
use ledger::rule::condition::{Fact, Operator};
use ledger::rule::draft::{
    ActionDraft, ConditionDraft, ConditionsDraft, DebtDraft, RuleDraft, StepDraft, TriggerDraft,
};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::ScheduleKind;
use ledger::{AccountId, Millis};

use crate::error::{Error, Result};

/// Which rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Template {
    /// Everything that comes in is split over accounts by fixed shares.
    ProfitFirst,
    /// A share of everything that comes in is set aside.
    TaxReserve,
    /// What comes in fills a fund up to an amount.
    EmergencyFund,
    /// A sum a month goes to debts, the highest rate first.
    DebtAvalanche,
    /// The same, the smallest debt first.
    DebtSnowball,
    /// Every day an account that fell below half of an amount is filled up to it.
    WalletRefill,
    /// Every month the next minimum payment of a liability is made.
    BillPayAhead,
}

impl Template {
    /// Every template with its name.
    pub const ALL: [(Template, &'static str); 7] = [
        (Template::ProfitFirst, "profit_first"),
        (Template::TaxReserve, "tax_reserve"),
        (Template::EmergencyFund, "emergency_fund"),
        (Template::DebtAvalanche, "debt_avalanche"),
        (Template::DebtSnowball, "debt_snowball"),
        (Template::WalletRefill, "wallet_refill"),
        (Template::BillPayAhead, "bill_pay_ahead"),
    ];

    /// The template with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Template> {
        let found = Template::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(template, _)| *template)
    }

    /// What the rule is called unless it is said.
    fn title(self) -> &'static str {
        match self {
            Template::ProfitFirst => "Profit First split",
            Template::TaxReserve => "Tax reserve",
            Template::EmergencyFund => "Emergency fund top-up",
            Template::DebtAvalanche => "Debt avalanche",
            Template::DebtSnowball => "Debt snowball",
            Template::WalletRefill => "Wallet refill",
            Template::BillPayAhead => "Bill pay-ahead",
        }
    }
}

/// The facts.
#[derive(Clone, Debug)]
pub struct Filling {
    /// Which rule.
    pub template: Template,
    /// What it is called.
    pub name: Option<Arc<str>>,
    /// Where the money comes from.
    pub source: AccountId,
    /// Where it goes, and which share; without a share for templates that have one destination.
    pub destinations: Vec<(AccountId, Option<Percent>)>,
    /// Minor units.
    pub minor: Option<i64>,
    /// Debts with their rates.
    pub debts: Vec<DebtDraft>,
    /// The first moment at which a rule by the time runs.
    pub start: Option<Millis>,
}

impl Filling {
    /// The rule.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a fact that is missing, or one that does not belong to the template.
    pub fn draft(&self) -> Result<RuleDraft> {
        let actions = self.actions()?;
        Ok(RuleDraft {
            name: match &self.name {
                Some(name) => Arc::clone(name),
                None => Arc::from(self.template.title()),
            },
            description: None,
            trigger: self.trigger()?,
            steps: vec![StepDraft {
                conditions: self.conditions()?,
                actions,
            }],
        })
    }

    fn trigger(&self) -> Result<TriggerDraft> {
        let (kind, schedule_kind) = match self.template {
            Template::ProfitFirst | Template::TaxReserve | Template::EmergencyFund => {
                (TriggerKind::OnFundsTransferred, None)
            }
            Template::WalletRefill => (TriggerKind::Scheduled, Some(ScheduleKind::Daily)),
            Template::DebtAvalanche | Template::DebtSnowball | Template::BillPayAhead => {
                (TriggerKind::Scheduled, Some(ScheduleKind::Monthly))
            }
        };
        match (schedule_kind, self.start) {
            (Some(_), None) => invalid("start_date", "is required"),
            (None, Some(_)) => invalid("start_date", "is not for this template"),
            (_, start) => Ok(TriggerDraft {
                kind,
                account: Some(self.source),
                schedule_kind,
                start,
            }),
        }
    }

    /// A wallet is filled when it has fallen below half of what it is filled up to.
    fn conditions(&self) -> Result<Option<ConditionsDraft>> {
        if self.template != Template::WalletRefill {
            return Ok(None);
        }
        let half = self.amount()?.div_euclid(2);
        Ok(Some(ConditionsDraft {
            condition: Some(ConditionDraft {
                fact: Fact::Balance,
                operator: Operator::LessThan,
                value: Some(half),
                value_fact: None,
                account: Some(self.only()?),
                value_account: None,
            }),
            ..ConditionsDraft::default()
        }))
    }

    fn actions(&self) -> Result<Vec<ActionDraft>> {
        if self.minor.is_some()
            && matches!(
                self.template,
                Template::ProfitFirst | Template::TaxReserve | Template::BillPayAhead
            )
        {
            return invalid("amount_in_cents", "is not for this template");
        }
        match self.template {
            Template::ProfitFirst | Template::TaxReserve => self.shares(),
            Template::EmergencyFund | Template::WalletRefill => Ok(vec![ActionDraft {
                destination: Some(self.only()?),
                minor: Some(self.amount()?),
                up_to_enabled: true,
                ..ActionDraft::of(ActionType::TopUp)
            }]),
            Template::BillPayAhead => Ok(vec![ActionDraft {
                destination: Some(self.only()?),
                ..ActionDraft::of(ActionType::NextPaymentMinimum)
            }]),
            Template::DebtAvalanche => self.debts(ActionType::Avalanche),
            Template::DebtSnowball => self.debts(ActionType::Snowball),
        }
    }

    fn shares(&self) -> Result<Vec<ActionDraft>> {
        if self.template == Template::TaxReserve {
            self.only()?;
        }
        if self.destinations.is_empty() {
            return invalid("destinations", "must have at least one member");
        }
        let shares = self.destinations.iter().map(|(account, share)| {
            let Some(share) = share else {
                return invalid("destinations", "must all have a percentage_value");
            };
            Ok(ActionDraft {
                destination: Some(*account),
                percentage_value: Some(*share),
                percentage_target: Some(PercentageTarget::IncomingAmount),
                ..ActionDraft::of(ActionType::Percentage)
            })
        });
        shares.collect()
    }

    fn debts(&self, action: ActionType) -> Result<Vec<ActionDraft>> {
        if !self.destinations.is_empty() {
            return invalid(
                "destinations",
                "are not for this template: name liabilities",
            );
        }
        Ok(vec![ActionDraft {
            minor: Some(self.amount()?),
            liabilities: self.debts.clone(),
            up_to_enabled: true,
            ..ActionDraft::of(action)
        }])
    }

    fn only(&self) -> Result<AccountId> {
        match self.destinations[..] {
            [(account, _)] => Ok(account),
            _ => invalid("destinations", "must have exactly one member"),
        }
    }

    fn amount(&self) -> Result<i64> {
        let Some(minor) = self.minor else {
            return invalid("amount_in_cents", "is required");
        };
        Ok(minor)
    }
}

fn invalid<T>(field: &'static str, reason: &'static str) -> Result<T> {
    Err(Error::Invalid { field, reason })
}
