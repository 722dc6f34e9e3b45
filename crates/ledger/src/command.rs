//! What can be asked of the ledger.

use std::sync::Arc;

use crate::account::{AccountKind, AccountState, InstrumentClass, Reported, StateReason};
use crate::bulk::BulkMode;
use crate::effect::Due;
use crate::execution::ExecutionMode;
use crate::id::{
    AccountId, BulkId, ExecutionId, HoldId, KeyId, OwnerId, ProfileId, RuleId, TenantId, TransferId,
};
use crate::money::{Amount, Currency};
use crate::profile::Terms;
use crate::rule::Settings;
use crate::rule::draft::RuleDraft;
use crate::rule::snapshot::{Answers, Incoming};
use crate::tenant::{OwnerKind, TenantClock, TenantMode};
use crate::time::Millis;
use crate::transfer::{ErrorCode, Origin};

/// Milliseconds from submission to settlement over the simulated rail unless configured.
pub const RAIL_DELAY_DEFAULT: i64 = 2_000;

/// One thing to decide. Everything it says happens, or nothing does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Makes a tenant.
    CreateTenant {
        /// Its name, 1 to 100 characters.
        name: Arc<str>,
        /// Live or sandbox.
        mode: TenantMode,
    },
    /// Sets the clock of a sandbox tenant. Its time never goes back.
    SetClock {
        /// The tenant.
        tenant: TenantId,
        /// The new clock.
        clock: TenantClock,
    },
    /// Moves the clock of a sandbox tenant from where it stands.
    MoveClock {
        /// The tenant.
        tenant: TenantId,
        /// Milliseconds forward, 0 or more.
        advance_ms: i64,
        /// Whether it stands still afterwards; as before when `None`.
        frozen: Option<bool>,
    },
    /// Moves the clock of a sandbox tenant to the time at which its next work is due.
    ClockToNextDue {
        /// The tenant.
        tenant: TenantId,
    },
    /// Makes an owner.
    CreateOwner {
        /// The tenant it belongs to.
        tenant: TenantId,
        /// What it is to the dialects.
        kind: OwnerKind,
        /// Its name, 1 to 100 characters.
        name: Arc<str>,
    },
    /// Opens an account.
    OpenAccount(OpenAccount),
    /// Opens a managed account or card under a profile.
    OpenInstrument(OpenInstrument),
    /// Changes what an account is called.
    ChangeAccount(ChangeAccount),
    /// Blocks, unblocks or closes an account.
    SetAccountState {
        /// The tenant.
        tenant: TenantId,
        /// Other owners' accounts do not exist, when it is given.
        owner: Option<OwnerId>,
        /// The account.
        account: AccountId,
        /// Why. Who asks as the user cannot lift a block that has another reason.
        reason: StateReason,
        /// What it shall be. Closing (`Destroyed`) needs a balance of zero and nothing open.
        state: AccountState,
    },
    /// Closes an account for its user, for good: nothing may lead to it any more, no rule either.
    DeleteAccount {
        /// The tenant.
        tenant: TenantId,
        /// The account.
        account: AccountId,
    },
    /// Records a transfer by hand, to be settled by due work.
    CreateTransfer(CreateTransfer),
    /// Makes a profile.
    CreateProfile(NewProfile),
    /// Changes a profile; what was made under it stays.
    ChangeProfile(ChangeProfile),
    /// Moves money between two instruments under a profile, at once or at a time to come.
    Transfer(ProfileTransfer),
    /// Calls a scheduled transfer off.
    CancelTransfer {
        /// The tenant.
        tenant: TenantId,
        /// The identity that asks.
        owner: OwnerId,
        /// The transfer.
        transfer: TransferId,
        /// Why, up to 50 characters.
        reason: Option<Arc<str>>,
    },
    /// Hands a bulk in.
    SubmitBulk {
        /// The tenant.
        tenant: TenantId,
        /// The identity that asks.
        owner: OwnerId,
        /// The API key that asks, for the record.
        key: Option<KeyId>,
        /// What is to be done, in order; 1 to [`crate::bulk::OPERATIONS_MAX`].
        operations: Arc<[TransferOrder]>,
    },
    /// Runs, stops or calls off a bulk.
    SteerBulk {
        /// The tenant.
        tenant: TenantId,
        /// The identity that asks.
        owner: OwnerId,
        /// The bulk.
        bulk: BulkId,
        /// What to do with it.
        steer: Steer,
    },
    /// Simulated money that comes in from outside at once.
    MoneyIn(MoneyIn),
    /// Simulated money that somebody outside draws at once.
    MoneyOut(MoneyOut),
    /// The rail gives a pending transfer back.
    ReturnTransfer {
        /// The tenant.
        tenant: TenantId,
        /// The transfer.
        transfer: TransferId,
        /// Why.
        code: ErrorCode,
    },
    /// Lets a transfer that waits for approval go, or calls it off.
    DecideApproval {
        /// The tenant.
        tenant: TenantId,
        /// Other owners' transfers do not exist, when it is given.
        owner: Option<OwnerId>,
        /// The transfer.
        transfer: TransferId,
        /// Whether it goes.
        approved: bool,
        /// Why not, up to 50 characters.
        reason: Option<Arc<str>>,
    },
    /// Says from which amount on a rule's transfers wait for approval.
    SetRuleApproval {
        /// The tenant.
        tenant: TenantId,
        /// Other owners' rules do not exist, when it is given.
        owner: Option<OwnerId>,
        /// The rule.
        rule: RuleId,
        /// Transfers of more than this many minor units wait; none do when `None`.
        above_minor: Option<i64>,
    },
    /// Reserves money.
    PlaceHold(PlaceHold),
    /// Gives reserved money free.
    ReleaseHold {
        /// The tenant.
        tenant: TenantId,
        /// The hold.
        hold: HoldId,
    },
    /// Makes a rule. It is off until somebody switches it on.
    CreateRule(NewRule),
    /// Makes a rule do something else. It is off afterwards.
    ChangeRule(ChangeRule),
    /// Takes a rule away.
    DeleteRule {
        /// The tenant.
        tenant: TenantId,
        /// Other owners' rules do not exist, when it is given.
        owner: Option<OwnerId>,
        /// The rule.
        rule: RuleId,
    },
    /// Switches a rule on or off.
    SwitchRule {
        /// The tenant.
        tenant: TenantId,
        /// Other owners' rules do not exist, when it is given.
        owner: Option<OwnerId>,
        /// The rule.
        rule: RuleId,
        /// Whether it runs from now on.
        enabled: bool,
    },
    /// Runs a rule by hand.
    TriggerRule(TriggerRule),
    /// Says the amounts that a run waits for.
    AnswerAmounts {
        /// The tenant.
        tenant: TenantId,
        /// The run.
        execution: ExecutionId,
        /// Minor units by step and action.
        answers: Answers,
    },
    /// Does work whose time has come. Doing it again does nothing.
    RunDue(Due),
}

impl Command {
    /// The tenant whose objects it is about; `None` when it makes one. Other tenants' objects do
    /// not exist for it.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        Some(match self {
            Command::CreateTenant { .. } => return None,
            Command::SetClock { tenant, .. }
            | Command::MoveClock { tenant, .. }
            | Command::ClockToNextDue { tenant }
            | Command::CreateOwner { tenant, .. }
            | Command::SetAccountState { tenant, .. }
            | Command::DeleteAccount { tenant, .. }
            | Command::CancelTransfer { tenant, .. }
            | Command::SubmitBulk { tenant, .. }
            | Command::SteerBulk { tenant, .. }
            | Command::ReturnTransfer { tenant, .. }
            | Command::DecideApproval { tenant, .. }
            | Command::SetRuleApproval { tenant, .. }
            | Command::ReleaseHold { tenant, .. }
            | Command::DeleteRule { tenant, .. }
            | Command::SwitchRule { tenant, .. }
            | Command::AnswerAmounts { tenant, .. } => *tenant,
            Command::OpenAccount(open) => open.tenant,
            Command::OpenInstrument(open) => open.tenant,
            Command::ChangeAccount(change) => change.tenant,
            Command::CreateTransfer(create) => create.tenant,
            Command::CreateProfile(new) => new.tenant,
            Command::ChangeProfile(change) => change.tenant,
            Command::Transfer(transfer) => transfer.tenant,
            Command::MoneyIn(money) => money.tenant,
            Command::MoneyOut(money) => money.tenant,
            Command::PlaceHold(place) => place.tenant,
            Command::CreateRule(new) => new.tenant,
            Command::ChangeRule(change) => change.tenant,
            Command::TriggerRule(trigger) => trigger.tenant,
            Command::RunDue(due) => due.tenant,
        })
    }
}

/// Opens an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenAccount {
    /// The tenant.
    pub tenant: TenantId,
    /// The owner, one of the tenant's.
    pub owner: OwnerId,
    /// Any kind but a system account.
    pub kind: AccountKind,
    /// 1 to 100 characters.
    pub name: Arc<str>,
    /// Up to 255 characters.
    pub description: Option<Arc<str>>,
    /// Up to 100 characters.
    pub institution: Option<Arc<str>>,
    /// Exactly four digits.
    pub number_last_four: Option<Arc<str>>,
    /// Exactly four digits.
    pub routing_last_four: Option<Arc<str>>,
    /// The currency of its balance.
    pub currency: Currency,
    /// Whether it can be a source; the kind's default when `None`.
    pub can_be_source: Option<bool>,
    /// Whether it can be a destination; the kind's default when `None`.
    pub can_be_destination: Option<bool>,
    /// What its institution reports; external accounts only.
    pub reported: Reported,
}

/// Opens a managed account or card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenInstrument {
    /// The tenant.
    pub tenant: TenantId,
    /// The identity it will belong to.
    pub owner: OwnerId,
    /// A profile for this class of instrument.
    pub profile: ProfileId,
    /// Account or card; the profile says which kind of card.
    pub class: InstrumentClass,
    /// 1 to 100 characters.
    pub name: Arc<str>,
    /// In what it is counted; `None` for a debit card, which has its parent's.
    pub currency: Option<Currency>,
    /// The account that a debit card spends from.
    pub parent: Option<AccountId>,
    /// Up to 50 characters.
    pub tag: Option<Arc<str>>,
    /// What a dialect keeps with it, as JSON of at most [`DETAILS_MAX`] bytes.
    pub details: Option<Arc<str>>,
}

/// Bytes of [`OpenInstrument::details`].
pub const DETAILS_MAX: usize = 32_768;

/// Changes what an account is called. What is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeAccount {
    /// The tenant.
    pub tenant: TenantId,
    /// Other owners' accounts do not exist, when it is given.
    pub owner: Option<OwnerId>,
    /// The account.
    pub account: AccountId,
    /// 1 to 100 characters.
    pub name: Option<Arc<str>>,
    /// Up to 50 characters.
    pub tag: Option<Arc<str>>,
    /// What a dialect keeps with it.
    pub details: Option<ChangeDetails>,
}

/// New details of an account, made of the old ones by whoever reads them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeDetails {
    /// What they were made of: refused when the account has others by now.
    pub was: Option<Arc<str>>,
    /// As JSON of at most [`DETAILS_MAX`] bytes.
    pub now: Arc<str>,
}

/// Makes a profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewProfile {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name, 1 to 100 characters.
    pub name: Arc<str>,
    /// The currencies it allows; any when empty.
    pub currencies: Vec<Currency>,
    /// What it says.
    pub terms: Terms,
}

/// Changes a profile. What is `None` stays as it is; the kind of its terms always does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeProfile {
    /// The tenant.
    pub tenant: TenantId,
    /// The profile.
    pub profile: ProfileId,
    /// Its name, 1 to 100 characters.
    pub name: Option<Arc<str>>,
    /// Whether anything new can be made under it.
    pub active: Option<bool>,
    /// The currencies it allows.
    pub currencies: Option<Vec<Currency>>,
    /// What it says.
    pub terms: Option<Terms>,
}

/// An instrument as a transfer names it: an id of another class is one that nobody has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Instrument {
    /// Its id.
    pub id: AccountId,
    /// Its class.
    pub class: InstrumentClass,
}

/// What a transfer under a profile shall do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferOrder {
    /// A transfer profile.
    pub profile: ProfileId,
    /// Where the money comes from.
    pub source: Instrument,
    /// Where it goes.
    pub destination: Instrument,
    /// In which currency; `None` for a code that is none.
    pub currency: Option<Currency>,
    /// How much, in minor units, without the fee. Not yet known to be positive.
    pub amount_minor: i64,
    /// Up to 50 characters.
    pub tag: Option<Arc<str>>,
    /// Up to 255 characters.
    pub description: Option<Arc<str>>,
    /// When to do it, by the tenant's clock; at once when `None`.
    pub scheduled_at: Option<Millis>,
}

/// Moves money between two instruments of one identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfileTransfer {
    /// The tenant.
    pub tenant: TenantId,
    /// The identity that asks.
    pub owner: OwnerId,
    /// The API key that asks, for the record.
    pub key: Option<KeyId>,
    /// What is to be done.
    pub order: TransferOrder,
}

/// What to do with a bulk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Steer {
    /// Begin.
    Execute(BulkMode),
    /// Stop after the current operation.
    Pause,
    /// Go on.
    Resume,
    /// End for good.
    Cancel,
}

/// Records a transfer between two accounts of one owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateTransfer {
    /// The tenant.
    pub tenant: TenantId,
    /// The API key that asks, for the record.
    pub key: Option<KeyId>,
    /// Where the money comes from.
    pub source: AccountId,
    /// Where it goes.
    pub destination: AccountId,
    /// How much, in the currency of both accounts.
    pub amount: Amount,
    /// Milliseconds from submission to settlement if it takes the simulated rail.
    pub rail_delay_ms: i64,
    /// A note, up to 255 characters.
    pub description: Option<Arc<str>>,
    /// Whether it waits until a person lets it go.
    pub needs_approval: bool,
    /// How it is to end although nothing is wrong with it: an error that a sandbox tenant has asked
    /// for. It is answered as `processing` and has ended with the same commit. One that waits for
    /// approval does not get so far.
    pub fails_with: Option<ErrorCode>,
}

/// Money that arrives from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoneyIn {
    /// The tenant, a sandbox.
    pub tenant: TenantId,
    /// An income source, pod or card; what a debit card gets goes to its parent.
    pub destination: AccountId,
    /// How much.
    pub amount: Amount,
    /// Paycheck, check deposit, cashback, deposit or card refund.
    pub origin: Origin,
    /// A note, up to 255 characters.
    pub description: Option<Arc<str>>,
}

/// Money that somebody outside draws.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoneyOut {
    /// The tenant, a sandbox.
    pub tenant: TenantId,
    /// An income source, pod or card; what a debit card spends comes from its parent.
    pub source: AccountId,
    /// How much.
    pub amount: Amount,
    /// External pull or card purchase.
    pub origin: Origin,
    /// A note, up to 255 characters.
    pub description: Option<Arc<str>>,
}

/// Reserves money on an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceHold {
    /// The tenant.
    pub tenant: TenantId,
    /// An income source, pod or prepaid card.
    pub account: AccountId,
    /// How much; it must be available.
    pub amount: Amount,
    /// When it ends by itself, by the tenant's clock.
    pub expires_at: Option<Millis>,
}

/// Makes a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRule {
    /// The tenant.
    pub tenant: TenantId,
    /// Whose money it moves.
    pub owner: OwnerId,
    /// What it says.
    pub draft: RuleDraft,
    /// How it is read.
    pub settings: Settings,
}

/// Replaces all that a rule says but its trigger, which never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeRule {
    /// The tenant.
    pub tenant: TenantId,
    /// Other owners' rules do not exist, when it is given.
    pub owner: Option<OwnerId>,
    /// The rule.
    pub rule: RuleId,
    /// What it says from now on.
    pub draft: RuleDraft,
    /// How it is read from now on.
    pub settings: Settings,
}

/// Runs a rule by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TriggerRule {
    /// The tenant.
    pub tenant: TenantId,
    /// Other owners' rules do not exist, when it is given.
    pub owner: Option<OwnerId>,
    /// The rule.
    pub rule: RuleId,
    /// The API key that asks, for the record.
    pub key: Option<KeyId>,
    /// What is to be taken as having come in.
    pub incoming: Incoming,
    /// Whether money moves.
    pub mode: ExecutionMode,
}
