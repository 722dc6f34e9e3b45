//! Decisions: a command and the state in, effects and a reply out.
//!
//! One function a command, every branch in the order of the documented precedence
//! (`docs/reference/errors.md`). Nothing is changed here; a refusal has no effects.

mod accounts;
pub(crate) mod approvals;
mod bulks;
mod due;
mod executions;
mod holds;
mod instruments;
mod money;
mod profile_transfers;
mod profiles;
mod rules;
mod tenants;
mod transfers;

use crate::account::{Account, Party};
use crate::bulk::Bulk;
use crate::command::Command;
use crate::effect::{Effect, Hold};
use crate::execution::Execution;
use crate::id::{AccountId, IdSource, OwnerId, TenantId};
use crate::profile::Profile;
use crate::rejection::Rejection;
use crate::rule::Rule;
use crate::state::State;
use crate::tenant::{Owner, Tenant};
use crate::time::Millis;
use crate::transfer::Transfer;

/// What a decision may use besides the state: the machine's time, and new ids.
#[derive(Debug)]
pub struct Context<'a> {
    /// The machine's time.
    pub now: Millis,
    /// Where new ids come from.
    pub ids: &'a mut IdSource,
}

impl Context<'_> {
    fn new_id(&mut self) -> u64 {
        self.ids.issue(self.now)
    }
}

/// What a command changes and what it answers. All of it becomes durable in one commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The changes, in the order to apply them.
    pub effects: Vec<Effect>,
    /// The answer.
    pub reply: Reply,
}

/// The answer to a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Nothing to tell.
    Done,
    /// A tenant, as it is now.
    Tenant(Tenant),
    /// A new owner.
    Owner(Owner),
    /// An account, as it is now.
    Account(Account),
    /// A transfer, with its two ends as they are to be shown.
    Transfer {
        /// The transfer, as it is now.
        transfer: Transfer,
        /// Its source.
        source: Option<Party>,
        /// Its destination.
        destination: Option<Party>,
    },
    /// A hold.
    Hold(Hold),
    /// A profile, as it is now.
    Profile(Profile),
    /// A bulk, as it is now.
    Bulk(Bulk),
    /// A rule, as it is now.
    Rule(Rule),
    /// A run of a rule, as it is now.
    Execution(Execution),
}

/// Decides one command. Pure: the same input gives the same decision.
///
/// # Errors
/// A [`Rejection`], with which nothing changes.
pub fn decide(
    state: &State,
    command: &Command,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let mut decision = decide_alone(state, command, context)?;
    executions::follow(state, &mut decision, context);
    Ok(decision)
}

/// The decision without what it means for rules.
fn decide_alone(
    state: &State,
    command: &Command,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    match command {
        Command::CreateTenant { name, mode } => tenants::create(name, *mode, context),
        Command::SetClock { tenant, clock } => tenants::set_clock(state, *tenant, *clock, context),
        Command::MoveClock {
            tenant,
            advance_ms,
            frozen,
        } => tenants::move_clock(state, *tenant, *advance_ms, *frozen, context),
        Command::ClockToNextDue { tenant } => tenants::clock_to_next_due(state, *tenant, context),
        Command::CreateOwner { tenant, kind, name } => {
            tenants::create_owner(state, *tenant, *kind, name, context)
        }
        Command::OpenAccount(open) => accounts::open(state, open, context),
        Command::OpenInstrument(open) => instruments::open(state, open, context),
        Command::ChangeAccount(change) => instruments::change(state, change, context),
        Command::SetAccountState {
            tenant,
            owner,
            account,
            reason,
            state: wanted,
        } => {
            let account = seen_by(state, *tenant, *owner, *account);
            accounts::set_state(state, *tenant, account, (*wanted, *reason), context)
        }
        Command::DeleteAccount { tenant, account } => {
            accounts::delete(state, *tenant, *account, context)
        }
        Command::CreateTransfer(create) => transfers::create(state, create, context),
        Command::CreateProfile(new) => profiles::create(state, new, context),
        Command::ChangeProfile(change) => profiles::change(state, change, context),
        Command::Transfer(transfer) => profile_transfers::create(state, transfer, context),
        Command::CancelTransfer {
            tenant,
            owner,
            transfer,
            reason,
        } => profile_transfers::cancel(state, (*tenant, *owner), *transfer, reason, context),
        Command::SubmitBulk {
            tenant,
            owner,
            key,
            operations,
        } => bulks::submit(state, (*tenant, *owner), *key, operations, context),
        Command::SteerBulk {
            tenant,
            owner,
            bulk,
            steer,
        } => bulks::steer(state, (*tenant, *owner), *bulk, *steer, context),
        Command::MoneyIn(money) => money::money_in(state, money, context),
        Command::MoneyOut(money) => money::money_out(state, money, context),
        Command::ReturnTransfer {
            tenant,
            transfer,
            code,
        } => transfers::give_back(state, *tenant, *transfer, *code, context),
        Command::PlaceHold(place) => holds::place(state, place, context),
        Command::ReleaseHold { tenant, hold } => holds::release(state, *tenant, *hold),
        Command::CreateRule(new) => rules::create(state, new, context),
        Command::ChangeRule(change) => rules::change(state, change, context),
        Command::DeleteRule {
            tenant,
            owner,
            rule,
        } => rules::delete(state, (*tenant, *owner), *rule, context),
        Command::SwitchRule {
            tenant,
            owner,
            rule,
            enabled,
        } => rules::switch(state, (*tenant, *owner), *rule, *enabled, context),
        Command::SetRuleApproval {
            tenant,
            owner,
            rule,
            above_minor,
        } => rules::set_approval(state, (*tenant, *owner), *rule, *above_minor, context),
        Command::DecideApproval {
            tenant,
            owner,
            transfer,
            approved,
            reason,
        } => {
            let said = (*approved, reason.as_ref());
            approvals::decide(state, (*tenant, *owner), *transfer, said, context)
        }
        Command::TriggerRule(trigger) => executions::trigger(state, trigger, context),
        Command::AnswerAmounts {
            tenant,
            execution,
            answers,
        } => executions::answer(state, *tenant, *execution, answers, context),
        Command::RunDue(due) => Ok(due::run(state, due, context)),
    }
}

fn tenant_of(state: &State, id: TenantId) -> Result<&Tenant, Rejection> {
    state.tenant(id).ok_or(Rejection::TenantNotFound)
}

/// A customer's account of this tenant; system accounts and other tenants' do not exist here.
fn account_of(state: &State, tenant: TenantId, id: AccountId) -> Option<&Account> {
    state
        .account(id)
        .filter(|account| account.tenant == tenant)
        .filter(|account| !matches!(account.kind, crate::account::AccountKind::System(_)))
}

/// Like [`account_of`]; with an owner, other owners' accounts do not exist either.
fn seen_by(
    state: &State,
    tenant: TenantId,
    owner: Option<OwnerId>,
    id: AccountId,
) -> Option<&Account> {
    account_of(state, tenant, id).filter(|account| owner.is_none_or(|owner| account.owner == owner))
}

fn owner_of(state: &State, tenant: TenantId, id: OwnerId) -> Result<&Owner, Rejection> {
    state
        .owner(id)
        .filter(|owner| owner.tenant == tenant)
        .ok_or(Rejection::OwnerNotFound)
}

fn check_text(
    field: &'static str,
    value: &str,
    at_least: usize,
    at_most: usize,
) -> Result<(), Rejection> {
    let length = value.chars().count();
    if length < at_least || (at_least > 0 && value.trim().is_empty()) {
        return Err(Rejection::Invalid {
            field,
            reason: "must not be empty",
        });
    }
    if length > at_most {
        let reason = match at_most {
            TAG_MAX => "must have at most 50 characters",
            NAME_MAX => "must have at most 100 characters",
            _ => "must have at most 255 characters",
        };
        return Err(Rejection::Invalid { field, reason });
    }
    if value.chars().any(char::is_control) {
        return Err(Rejection::Invalid {
            field,
            reason: "must not have control characters",
        });
    }
    Ok(())
}

/// Characters in a name.
const NAME_MAX: usize = 100;
/// Characters in a description.
const TEXT_MAX: usize = 255;
/// Characters in a tag, and in the reason of a cancellation.
const TAG_MAX: usize = 50;

fn check_tag(field: &'static str, tag: Option<&str>) -> Result<(), Rejection> {
    tag.map_or(Ok(()), |tag| check_text(field, tag, 1, TAG_MAX))
}
