//! What can be asked of a store, and the rows it answers with.

use std::sync::Arc;

use ledger::{
    Account, AccountId, Currency, Direction, ExecutionId, Millis, Origin, OwnerId, Party, Side,
    Status, TenantId, Transfer, TransferId,
};

/// Accounts by their class on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountClass {
    /// Where pay arrives.
    IncomeSource,
    /// Money set aside.
    Pod,
    /// Held elsewhere.
    External,
}

/// Which accounts.
#[derive(Clone, Debug)]
pub struct AccountQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: Option<OwnerId>,
    /// Of this class.
    pub class: Option<AccountClass>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Closed ones too.
    pub include_closed: bool,
}

/// An account as it is shown.
#[derive(Clone, Debug)]
pub struct AccountRow {
    /// The account.
    pub account: Account,
    /// Its owner's name.
    pub owner_name: Arc<str>,
}

/// Which end of a transfer an account is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountRole {
    /// Where the money comes from.
    Source,
    /// Where it goes.
    Destination,
    /// One of the two.
    Either,
}

/// Which transfers of one account.
#[derive(Clone, Debug)]
pub struct TransferQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// That this account takes part in.
    pub account: AccountId,
    /// As this end.
    pub role: AccountRole,
    /// In this direction.
    pub direction: Option<Direction>,
    /// From this origin.
    pub origin: Option<Origin>,
    /// With one of these statuses; with any when empty.
    pub status: Vec<Status>,
    /// Made by this run of a rule.
    pub execution: Option<ExecutionId>,
    /// Created at or after.
    pub from: Option<Millis>,
    /// Created at or before.
    pub to: Option<Millis>,
    /// Older than this place in the order.
    pub after: Option<(Millis, TransferId)>,
    /// At most this many, and one more to tell that there are more.
    pub first: usize,
}

/// A transfer as it is shown.
#[derive(Clone, Debug)]
pub struct TransferRow {
    /// The transfer.
    pub transfer: Transfer,
    /// Its source.
    pub source: Option<Party>,
    /// Its destination.
    pub destination: Option<Party>,
}

/// An entry of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryRow {
    /// Its number within the account, from 1.
    pub sequence: u64,
    /// The transfer it was made for.
    pub transfer: TransferId,
    /// Debit or credit.
    pub side: Side,
    /// Minor units, positive.
    pub amount_minor: i64,
    /// Minor units.
    pub balance_after: i64,
    /// When, by the tenant's clock.
    pub at: Millis,
}
