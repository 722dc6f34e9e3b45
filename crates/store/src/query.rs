//! What can be asked of a store, and the rows it answers with.

use std::sync::Arc;

use ledger::{
    Account, AccountId, AccountKind, AccountState, Bulk, BulkStatus, Currency, Direction,
    ExecutionId, Millis, Origin, OwnerId, Party, ProfileId, Side, StateReason, Status, TenantId,
    Transfer, TransferId,
};

use crate::records::RecordKind;

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

/// Which accounts. [`AccountQuery::new`] asks for all of a tenant's.
#[derive(Clone, Debug)]
pub struct AccountQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: Option<OwnerId>,
    /// Of this class.
    pub class: Option<AccountClass>,
    /// Of one of these kinds; of any when empty.
    pub kinds: Vec<AccountKind>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Opened under this profile.
    pub profile: Option<ProfileId>,
    /// Spending from this account.
    pub parent: Option<AccountId>,
    /// With exactly this name.
    pub name: Option<Arc<str>>,
    /// With exactly this tag.
    pub tag: Option<Arc<str>>,
    /// Closed ones too.
    pub include_closed: bool,
    /// In one of these states; in any when empty.
    pub states: Vec<AccountState>,
    /// In one of these states for this reason; for any when empty.
    pub reasons: Vec<(AccountState, StateReason)>,
    /// Opened at or after.
    pub created_from: Option<Millis>,
    /// Opened at or before.
    pub created_to: Option<Millis>,
    /// The newest first; else the oldest.
    pub newest_first: bool,
    /// Matches to pass over.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

impl AccountQuery {
    /// All of a tenant's accounts, closed ones too, oldest first.
    #[must_use]
    pub fn new(tenant: TenantId) -> AccountQuery {
        AccountQuery {
            tenant,
            owner: None,
            class: None,
            kinds: Vec::new(),
            currency: None,
            profile: None,
            parent: None,
            name: None,
            tag: None,
            include_closed: true,
            states: Vec::new(),
            reasons: Vec::new(),
            created_from: None,
            created_to: None,
            newest_first: false,
            offset: 0,
            limit: usize::MAX,
        }
    }
}

/// A page of accounts.
#[derive(Clone, Debug, Default)]
pub struct AccountPage {
    /// The accounts.
    pub rows: Vec<AccountRow>,
    /// How many match, on this page or not.
    pub count: u64,
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
    /// From one of these origins; from any when empty.
    pub origin: Vec<Origin>,
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

/// Which records. Ordered by id.
#[derive(Clone, Copy, Debug)]
pub struct RecordQuery {
    /// Of this kind.
    pub kind: RecordKind,
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: Option<OwnerId>,
    /// With a greater id; 0 for all.
    pub after: u64,
    /// At most this many.
    pub limit: usize,
}

/// A bulk as a list shows it: without its operations, which can be many.
#[derive(Clone, Debug)]
pub struct BulkRow {
    /// The bulk, with no operations.
    pub bulk: Bulk,
    /// How many it has.
    pub operations: u32,
}

/// Which bulks of one identity.
#[derive(Clone, Copy, Debug)]
pub struct BulkQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this identity.
    pub owner: OwnerId,
    /// With this status.
    pub status: Option<BulkStatus>,
    /// Leave out so many from the front.
    pub offset: u64,
    /// At most this many.
    pub limit: usize,
}

/// Which transfers of one owner.
#[derive(Clone, Debug)]
pub struct OwnerTransferQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: OwnerId,
    /// Both ends are pods or cards.
    pub instruments_only: bool,
    /// Leave out so many from the front.
    pub offset: u64,
    /// At most this many.
    pub limit: usize,
    /// Made under this profile.
    pub profile: Option<ProfileId>,
    /// From this account.
    pub source: Option<AccountId>,
    /// With one of these statuses; with any when empty.
    pub statuses: Vec<Status>,
    /// Created at or after.
    pub created_from: Option<Millis>,
    /// Created at or before.
    pub created_to: Option<Millis>,
    /// Executed at or after; what was never executed does not match.
    pub executed_from: Option<Millis>,
    /// Executed at or before, likewise.
    pub executed_to: Option<Millis>,
    /// With exactly this tag.
    pub tag: Option<Arc<str>>,
}

/// A page of an owner's transfers.
#[derive(Clone, Debug, Default)]
pub struct OwnerTransferPage {
    /// The transfers, newest first.
    pub rows: Vec<TransferRow>,
    /// How many match in all.
    pub count: u64,
}

/// Which entries of an account: those of a span of time.
///
/// Entries are in the order of their numbers, and so of their times, unless some were made late;
/// an entry that was counts as being as young as the youngest before it. So the entries of a span
/// always follow each other, and no entry is lost between two spans that adjoin.
#[derive(Clone, Debug)]
pub struct EntryQuery {
    /// Of this account.
    pub account: AccountId,
    /// Made at or after.
    pub from: Option<Millis>,
    /// Made at or before.
    pub to: Option<Millis>,
    /// The newest first; else the oldest.
    pub newest_first: bool,
    /// Entries to pass over.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

/// A page of the entries of a span of time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EntryPage {
    /// The entries.
    pub rows: Vec<EntryRow>,
    /// How many the span has, on this page or not.
    pub count: u64,
    /// The balance before the first entry of the span, in minor units.
    pub balance_before: i64,
    /// The balance after the last entry of the span, in minor units.
    pub balance_after: i64,
}
