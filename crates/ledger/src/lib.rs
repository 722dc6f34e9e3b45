//! The pure core: money, ids, accounts, transfers, rules and the decisions about them.
//!
//! Nothing here does I/O, reads a clock or draws a random number. Time and ids are handed in
//! ([`Context`]), state is handed in ([`State`]), and the answer is data: [`decide`] turns a
//! [`Command`] into a [`Decision`], a list of [`Effect`]s plus a reply, and [`State::apply`] is
//! the only way an effect changes anything. The same two functions serve requests, due work,
//! crash recovery and verification, so all of them agree by construction.
//!
//! Guarantees, checked by assertions that stay on in release builds:
//! - the debits of every posting equal its credits, per currency;
//! - no account with a floor ends a posting with less available money than that floor;
//! - a transfer changes status only along [`transfer::TRANSITIONS`].

#![deny(clippy::arithmetic_side_effects)]

pub mod account;
pub mod bulk;
mod command;
mod decide;
mod effect;
pub mod event;
pub mod execution;
pub mod forecast;
pub mod id;
pub mod money;
pub mod posting;
pub mod profile;
mod rejection;
pub mod rule;
mod state;
pub mod tenant;
pub mod time;
pub mod touches;
pub mod transfer;

pub use account::{
    Account, AccountKind, AccountState, ExternalKind, InstrumentClass, Party, Rail, StateReason,
    SystemKind,
};
pub use bulk::{Bulk, BulkMode, BulkStatus, OperationOutcome};
pub use command::{
    ChangeAccount, ChangeDetails, ChangeProfile, ChangeRule, Command, CreateTransfer, DETAILS_MAX,
    Instrument, MoneyIn, MoneyOut, NewProfile, NewRule, OpenAccount, OpenInstrument, PlaceHold,
    ProfileTransfer, RAIL_DELAY_DEFAULT, Steer, TransferOrder, TriggerRule,
};
pub use decide::{Context, Decision, Reply, decide};
pub use effect::{Due, Effect, Hold, Work};
pub use execution::{Execution, ExecutionMode, ExecutionStatus, ExecutionStep};
pub use id::{
    AccountId, BulkId, ExecutionId, HoldId, IdSource, KeyId, OwnerId, ProfileId, RuleId, TenantId,
    TransferId,
};
pub use money::{Amount, Currency, MoneyError};
pub use posting::{Entry, Posting, Side};
pub use profile::{Profile, ProfileKind, Terms};
pub use rejection::Rejection;
pub use rule::Rule;
pub use rule::snapshot::Incoming;
pub use state::{Inconsistency, State};
pub use tenant::{Owner, OwnerKind, Tenant, TenantClock, TenantMode};
pub use time::Millis;
pub use touches::{Touch, touches};
pub use transfer::{APPROVAL_MS, Denial, Direction, ErrorCode, Origin, Status, Transfer};
