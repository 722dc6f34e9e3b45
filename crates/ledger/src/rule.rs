//! Rules that move money: what they are, whether they are sound, and what a run of one would do.
//!
//! Phases: a [`draft::RuleDraft`] is what somebody asks for, with every field that a dialect has;
//! [`validate`](validate::validate) makes it into parts of a [`Rule`], which can say nothing
//! contradictory, or gives all of its faults; [`lint`](lint::lint) looks at rules together and says
//! what will not work; [`plan`](plan::plan) reckons what one run moves and explains it. All of them
//! are pure: accounts, caps, the time and what came in are handed in.
//!
//! Source: sequence-api §3 and §11; where it is silent, `docs/decisions/2026-11-21-rules.md`.

pub mod action;
pub mod calendar;
pub mod condition;
pub mod draft;
pub mod explain;
pub mod failure;
pub mod lint;
mod names;
pub mod percent;
pub mod plan;
pub mod schedule;
pub mod snapshot;
pub mod validate;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::id::{AccountId, OwnerId, RuleId, TenantId};
use crate::money::Currency;
use crate::time::Millis;
use action::Action;
use condition::{Against, Conditions};
use names::named;
use schedule::Schedule;

/// Steps of a rule.
pub const STEPS_MAX: usize = 20;
/// Actions of a step.
pub const ACTIONS_MAX: usize = 50;
/// Conditions of a step, together with the nodes that join them.
pub const CONDITIONS_MAX: usize = 100;
/// How deep conditions may be nested: a single condition has depth 1.
pub const NESTING_MAX: usize = 8;
/// Debts of one action.
pub const DEBTS_MAX: usize = 20;
/// Rules of one owner.
pub const RULES_MAX: usize = 200;
/// Rules in a row that one run may set off, each by the money that the one before it moves.
pub const CASCADE_MAX: usize = 8;
/// The least that a rule moves at once, in minor units (sequence-api §3.7: one dollar).
pub const TRANSFER_MIN_MINOR: i64 = 100;

named! {
    /// What rounding an account down means. The two sources of sequence-api §3.7 disagree.
    pub enum RoundDown {
        /// What is above a multiple of the amount is moved: 2,345 rounded to 100 moves 45.
        Multiple = "MULTIPLE",
        /// The amount stays, all that is above it is moved: 2,345 rounded to 100 moves 2,245.
        Buffer = "BUFFER",
    }

    /// What makes a rule run. Whatever it is, a rule can also be triggered by hand.
    pub enum TriggerKind {
        /// Nothing else.
        Manual = "MANUAL",
        /// Money that arrives.
        OnFundsTransferred = "ON_FUNDS_TRANSFERRED",
        /// The time.
        Scheduled = "SCHEDULED",
    }
}

/// How the tenant wants its rules read. Kept with each rule, so that what was switched on is what
/// runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Settings {
    /// What rounding an account down means.
    pub round_down: RoundDown,
    /// Minutes that the local calendar is ahead of UTC, which decides about days, schedules and
    /// the periods of caps.
    pub utc_offset_minutes: i16,
    /// Milliseconds from submission to settlement of transfers that take the simulated rail.
    pub rail_delay_ms: i64,
}

impl Default for Settings {
    /// UTC, and multiples: sequence-api §3.5 and §15, 11.
    fn default() -> Settings {
        Settings {
            round_down: RoundDown::Multiple,
            utc_offset_minutes: 0,
            rail_delay_ms: crate::command::RAIL_DELAY_DEFAULT,
        }
    }
}

/// What makes a rule run, and the account that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Trigger {
    /// Only an explicit request.
    Manual {
        /// Source of the actions and account of the balances that name none.
        account: AccountId,
    },
    /// Money that arrives on an account.
    OnFundsTransferred {
        /// That account; otherwise as above.
        account: AccountId,
    },
    /// The time.
    Scheduled {
        /// When.
        schedule: Schedule,
        /// As above; when `None`, every action and every balance names its own.
        account: Option<AccountId>,
    },
}

impl Trigger {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> TriggerKind {
        match self {
            Trigger::Manual { .. } => TriggerKind::Manual,
            Trigger::OnFundsTransferred { .. } => TriggerKind::OnFundsTransferred,
            Trigger::Scheduled { .. } => TriggerKind::Scheduled,
        }
    }

    /// The account it is about.
    #[must_use]
    pub fn account(self) -> Option<AccountId> {
        match self {
            Trigger::Manual { account } | Trigger::OnFundsTransferred { account } => Some(account),
            Trigger::Scheduled { account, .. } => account,
        }
    }

    /// When it runs by the time.
    #[must_use]
    pub fn schedule(self) -> Option<Schedule> {
        match self {
            Trigger::Scheduled { schedule, .. } => Some(schedule),
            _ => None,
        }
    }
}

/// Actions, and when they are the ones to take.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    /// When it is taken; always when `None`. Of a rule's steps the first whose conditions hold is
    /// taken, and no other.
    pub conditions: Option<Conditions>,
    /// What is then done; 1 to [`ACTIONS_MAX`].
    pub actions: Vec<Action>,
}

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Whose money it moves.
    pub owner: OwnerId,
    /// Its name, 1 to 100 characters.
    pub name: Arc<str>,
    /// The user's note, up to 255 characters.
    pub description: Option<Arc<str>>,
    /// Whether it runs.
    pub enabled: bool,
    /// What makes it run. Never changes.
    pub trigger: Trigger,
    /// What it does; 1 to [`STEPS_MAX`].
    pub steps: Arc<[Step]>,
    /// The currency of its amounts and of all of its accounts.
    pub currency: Currency,
    /// How it is read.
    pub settings: Settings,
    /// Transfers of more than this many minor units wait for a person's approval; none do when
    /// `None`. Stays when the rule is changed.
    pub approval_above_minor: Option<i64>,
    /// How often what it does was changed; 1 at first.
    pub version: u32,
    /// When it was made, by the tenant's clock.
    pub created_at: Millis,
    /// When anything about it last changed.
    pub updated_at: Millis,
}

impl Rule {
    /// The account whose incoming money makes it run.
    #[must_use]
    pub fn listens_on(&self) -> Option<AccountId> {
        match self.trigger {
            Trigger::OnFundsTransferred { account } => Some(account),
            _ => None,
        }
    }

    /// The account that an action takes from.
    ///
    /// # Panics
    /// When neither the action nor the trigger names one, which validation does not let through.
    #[must_use]
    pub fn source_of(&self, action: &Action) -> AccountId {
        action
            .source
            .or(self.trigger.account())
            .expect("a rule without an account has a source in every action")
    }

    /// Every account that a run may look at or move money on.
    #[must_use]
    pub fn accounts(&self) -> BTreeSet<AccountId> {
        let mut found: BTreeSet<AccountId> = self.trigger.account().into_iter().collect();
        for step in self.steps.iter() {
            found.extend(step.actions.iter().flat_map(Action::accounts));
            let leaves = step.conditions.iter().flat_map(Conditions::leaves);
            for (_, condition) in leaves {
                found.extend(condition.account);
                if let Against::Fact(_, account) = condition.against {
                    found.extend(account);
                }
            }
        }
        found
    }

    /// Its next scheduled run at or after `from`.
    #[must_use]
    pub fn next_run(&self, from: Millis) -> Option<Millis> {
        let minutes = i32::from(self.settings.utc_offset_minutes);
        self.trigger.schedule()?.next(from, &|_| minutes)
    }
}
