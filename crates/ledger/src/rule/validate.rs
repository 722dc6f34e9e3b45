//! Whether a rule can be kept: everything about its structure, found at once.
//!
//! Faults have the path of the field inside the rule, in the spelling of sequence-api §3:
//! `steps[1].actions[0].percentage_value`. They come in the order of the fields. What a rule may
//! do and yet will not do well is for [`super::lint`].

mod actions;
mod conditions;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::{Action, Cap};
use super::draft::{RuleDraft, StepDraft, TriggerDraft};
use super::names::named;
use super::schedule::{SCHEDULE_END, Schedule};
use super::{ACTIONS_MAX, STEPS_MAX, Step, Trigger, TriggerKind};
use crate::account::{Account, AccountKind, AccountState, ExternalKind};
use crate::id::{AccountId, OwnerId};
use crate::money::Currency;

/// Characters of a name.
const NAME_MAX: usize = 100;
/// Characters of a description.
const TEXT_MAX: usize = 255;

named! {
    /// What is wrong with a field.
    pub enum FaultCode {
        /// It is not there and has to be.
        Missing = "missing",
        /// It is there and must not be.
        NotAllowed = "not_allowed",
        /// Its value is not one of those it may have.
        OutOfRange = "out_of_range",
        /// It has more characters or members than it may have.
        TooLong = "too_long",
        /// Conditions are nested too deep.
        TooDeep = "too_deep",
        /// No such account.
        UnknownAccount = "unknown_account",
        /// The account belongs to somebody else.
        OtherOwner = "other_owner",
        /// The account cannot be used like this.
        WrongAccount = "wrong_account",
        /// The account is in another currency than the others.
        OtherCurrency = "other_currency",
        /// Two things that must agree do not.
        Contradiction = "contradiction",
    }
}

/// A fault of a draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where: `steps[1].actions[0].percentage_value`.
    pub path: String,
    /// What, for programs.
    pub code: FaultCode,
    /// What, to be read after the path.
    pub reason: &'static str,
}

/// The parts of a rule that a draft says, without contradictions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Its name.
    pub name: Arc<str>,
    /// The user's note.
    pub description: Option<Arc<str>>,
    /// What makes it run.
    pub trigger: Trigger,
    /// What it does.
    pub steps: Arc<[Step]>,
    /// The one currency of all its accounts.
    pub currency: Currency,
}

/// Checks a draft of a rule for `owner`. `lookup` finds the accounts of the tenant.
///
/// # Errors
/// Every fault, in the order of the fields.
pub fn validate<'a>(
    draft: &RuleDraft,
    owner: OwnerId,
    lookup: &'a dyn Fn(AccountId) -> Option<&'a Account>,
) -> Result<Checked, Vec<Fault>> {
    let mut check = Check {
        owner,
        lookup,
        trigger_account: draft.trigger.account,
        currency: None,
        faults: Vec::new(),
    };
    check.text("nickname", &draft.name, 1, NAME_MAX);
    if let Some(description) = &draft.description {
        check.text("description", description, 0, TEXT_MAX);
    }
    let trigger = check.trigger(&draft.trigger);
    check.length("steps", draft.steps.len(), STEPS_MAX);
    let steps = draft.steps.iter().take(STEPS_MAX).enumerate();
    let steps: Vec<Step> = steps
        .map(|(index, step)| check.step(&format!("steps[{index}]"), step))
        .collect();
    match (trigger, check.currency) {
        (Some(trigger), Some(currency)) if check.faults.is_empty() => Ok(Checked {
            name: Arc::clone(&draft.name),
            description: draft.description.clone(),
            trigger,
            steps: steps.into(),
            currency,
        }),
        _ => Err(check.faults),
    }
}

/// A check that is under way.
struct Check<'a> {
    owner: OwnerId,
    lookup: &'a dyn Fn(AccountId) -> Option<&'a Account>,
    trigger_account: Option<AccountId>,
    /// That of the first account that was found.
    currency: Option<Currency>,
    faults: Vec<Fault>,
}

/// What an account is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// To look at.
    Seen,
    /// To take money from.
    Source,
    /// To put money into.
    Destination,
    /// To pay off, or to go by what is owed on it.
    Liability,
}

impl<'a> Check<'a> {
    fn fault(&mut self, path: impl Into<String>, code: FaultCode, reason: &'static str) {
        self.faults.push(Fault {
            path: path.into(),
            code,
            reason,
        });
    }

    fn text(&mut self, path: &str, text: &str, at_least: usize, at_most: usize) {
        let length = text.chars().count();
        if length < at_least || (at_least > 0 && text.trim().is_empty()) {
            self.fault(path, FaultCode::Missing, "must not be empty");
        } else if length > at_most {
            self.fault(path, FaultCode::TooLong, "has too many characters");
        } else if text.chars().any(char::is_control) {
            self.fault(
                path,
                FaultCode::OutOfRange,
                "must not have control characters",
            );
        }
    }

    fn length(&mut self, path: &str, length: usize, at_most: usize) {
        if length == 0 {
            self.fault(path, FaultCode::Missing, "must have at least one member");
        } else if length > at_most {
            self.fault(path, FaultCode::TooLong, "has too many members");
        }
    }

    fn trigger(&mut self, draft: &TriggerDraft) -> Option<Trigger> {
        let scheduled = draft.kind == TriggerKind::Scheduled;
        if let Some(account) = draft.account {
            self.account("trigger.account_id", account, Role::Seen);
        } else if !scheduled {
            self.fault("trigger.account_id", FaultCode::Missing, "is required");
        }
        for (path, given) in [
            ("trigger.schedule_type", draft.schedule_kind.is_some()),
            ("trigger.start_date", draft.start.is_some()),
        ] {
            match (scheduled, given) {
                (true, false) => self.fault(path, FaultCode::Missing, "is required"),
                (false, true) => {
                    self.fault(path, FaultCode::NotAllowed, "is for scheduled rules only");
                }
                _ => {}
            }
        }
        if draft
            .start
            .is_some_and(|start| start.0 < 0 || start >= SCHEDULE_END)
        {
            let reason = "must be from 1970 to 9999";
            self.fault("trigger.start_date", FaultCode::OutOfRange, reason);
        }
        Some(match draft.kind {
            TriggerKind::Manual => Trigger::Manual {
                account: draft.account?,
            },
            TriggerKind::OnFundsTransferred => Trigger::OnFundsTransferred {
                account: draft.account?,
            },
            TriggerKind::Scheduled => Trigger::Scheduled {
                schedule: Schedule {
                    kind: draft.schedule_kind?,
                    start: draft.start?,
                },
                account: draft.account,
            },
        })
    }

    fn step(&mut self, path: &str, draft: &StepDraft) -> Step {
        let conditions = draft
            .conditions
            .as_ref()
            .and_then(|conditions| self.conditions(&format!("{path}.conditions"), conditions));
        self.length(&format!("{path}.actions"), draft.actions.len(), ACTIONS_MAX);
        let mut caps: BTreeMap<u32, Cap> = BTreeMap::new();
        let mut actions: Vec<Action> = Vec::new();
        for (index, action) in draft.actions.iter().take(ACTIONS_MAX).enumerate() {
            let path = format!("{path}.actions[{index}]");
            actions.extend(self.action(&path, action));
            if let Some(limit) = action.limit {
                let first = *caps.entry(action.group_index).or_insert(limit);
                if first != limit {
                    let reason = "must be the same in all actions of a group";
                    self.fault(format!("{path}.limit"), FaultCode::Contradiction, reason);
                }
            }
        }
        Step {
            conditions,
            actions,
        }
    }

    /// Looks an account up and at what it is wanted for. The currency of the first one found is
    /// that of the rule.
    fn account(&mut self, path: &str, id: AccountId, role: Role) {
        let Some(account) = self.known(id) else {
            self.fault(path, FaultCode::UnknownAccount, "does not exist");
            return;
        };
        if account.owner != self.owner {
            self.fault(path, FaultCode::OtherOwner, "belongs to another owner");
            return;
        }
        if *self.currency.get_or_insert(account.currency) != account.currency {
            let reason = "must be in the currency of the rule's other accounts";
            self.fault(path, FaultCode::OtherCurrency, reason);
        }
        self.role(path, account, role);
    }

    /// The trigger's account in the place of one that was left out: it was looked up before, and
    /// all that is asked here is whether it can be used like this.
    fn default_account(&mut self, path: &str, role: Role) {
        match self.trigger_account {
            Some(id) => {
                if let Some(account) = self.known(id) {
                    self.role(path, account, role);
                }
            }
            None => {
                let reason = "is required: the trigger has no account";
                self.fault(path, FaultCode::Missing, reason);
            }
        }
    }

    fn known(&self, id: AccountId) -> Option<&'a Account> {
        (self.lookup)(id)
            .filter(|account| account.state != AccountState::Destroyed)
            .filter(|account| !matches!(account.kind, AccountKind::System(_)))
    }

    fn role(&mut self, path: &str, account: &Account, role: Role) {
        let reason = match role {
            Role::Source if !account.can_be_source => "cannot be a source",
            Role::Destination if !account.can_be_destination => "cannot be a destination",
            Role::Liability if !is_liability(account) => "must be a liability",
            Role::Liability if !account.can_be_destination => "cannot be a destination",
            _ => return,
        };
        self.fault(path, FaultCode::WrongAccount, reason);
    }
}

fn is_liability(account: &Account) -> bool {
    account.kind == AccountKind::External(ExternalKind::Liability)
}

// The places of steps and actions are counted in 16 bits.
const _: () = assert!(STEPS_MAX < u16::MAX as usize);
const _: () = assert!(ACTIONS_MAX < u16::MAX as usize);
