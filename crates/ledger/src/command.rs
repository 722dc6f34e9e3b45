//! What can be asked of the ledger.

use std::sync::Arc;

use crate::account::{AccountKind, AccountState, Reported};
use crate::effect::Due;
use crate::id::{AccountId, HoldId, KeyId, OwnerId, TenantId, TransferId};
use crate::money::{Amount, Currency};
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
    /// Blocks, unblocks or closes an account.
    SetAccountState {
        /// The tenant.
        tenant: TenantId,
        /// The account.
        account: AccountId,
        /// What it shall be. Closing (`Destroyed`) needs a balance of zero and nothing open.
        state: AccountState,
    },
    /// Records a transfer by hand, to be settled by due work.
    CreateTransfer(CreateTransfer),
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
    /// Reserves money.
    PlaceHold(PlaceHold),
    /// Gives reserved money free.
    ReleaseHold {
        /// The tenant.
        tenant: TenantId,
        /// The hold.
        hold: HoldId,
    },
    /// Does work whose time has come. Doing it again does nothing.
    RunDue(Due),
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
}

/// Money that arrives from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoneyIn {
    /// The tenant, a sandbox.
    pub tenant: TenantId,
    /// An income source or pod.
    pub destination: AccountId,
    /// How much.
    pub amount: Amount,
    /// Paycheck, check deposit or cashback.
    pub origin: Origin,
    /// A note, up to 255 characters.
    pub description: Option<Arc<str>>,
}

/// Money that somebody outside draws.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoneyOut {
    /// The tenant, a sandbox.
    pub tenant: TenantId,
    /// An income source or pod.
    pub source: AccountId,
    /// How much.
    pub amount: Amount,
    /// A note, up to 255 characters.
    pub description: Option<Arc<str>>,
}

/// Reserves money on an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceHold {
    /// The tenant.
    pub tenant: TenantId,
    /// An income source or pod.
    pub account: AccountId,
    /// How much; it must be available.
    pub amount: Amount,
    /// When it ends by itself, by the tenant's clock.
    pub expires_at: Option<Millis>,
}
