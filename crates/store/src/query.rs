//! What can be asked of a store, and the rows it answers with.

use std::sync::Arc;

use ledger::rule::{Rule, TriggerKind};
use ledger::{
    Account, AccountId, AccountKind, AccountState, BulkId, BulkMode, BulkStatus, Currency,
    Direction, ExecutionId, ExecutionMode, ExecutionStatus, KeyId, Millis, OperationOutcome,
    Origin, OwnerId, Party, ProfileId, RuleId, Side, StateReason, Status, TenantId, Transfer,
    TransferId, TransferOrder,
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
    /// Paid by this card, or paid back to it.
    pub card: Option<AccountId>,
    /// Created at or after.
    pub from: Option<Millis>,
    /// Created at or before.
    pub to: Option<Millis>,
    /// Older than this transfer.
    pub after: Option<TransferId>,
    /// At most this many, and one more to tell that there are more.
    pub first: usize,
}

/// Which transfers of one owner, newest first: in the order they were made, by their ids.
#[derive(Clone, Debug)]
pub struct OwnerTransferQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: OwnerId,
    /// Only those whose two ends are both instruments.
    pub instruments_only: bool,
    /// Matches to pass over.
    pub offset: usize,
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
    /// Executed at or after; what never was does not match.
    pub executed_from: Option<Millis>,
    /// Executed at or before; what never was does not match.
    pub executed_to: Option<Millis>,
    /// With exactly this tag.
    pub tag: Option<Arc<str>>,
}

impl OwnerTransferQuery {
    /// The `limit` newest transfers of an owner.
    #[must_use]
    pub fn new(tenant: TenantId, owner: OwnerId, limit: usize) -> OwnerTransferQuery {
        OwnerTransferQuery {
            tenant,
            owner,
            instruments_only: false,
            offset: 0,
            limit,
            profile: None,
            source: None,
            statuses: Vec::new(),
            created_from: None,
            created_to: None,
            executed_from: None,
            executed_to: None,
            tag: None,
        }
    }
}

/// Whether a transfer with this status has been executed, well or not, rather than called off.
pub(crate) fn is_executed(status: Status) -> bool {
    status.is_final() && status != Status::Cancelled
}

/// A page of an owner's transfers.
#[derive(Clone, Debug, Default)]
pub struct OwnerTransferPage {
    /// The transfers.
    pub rows: Vec<TransferRow>,
    /// How many match, on this page or not.
    pub count: u64,
}

/// A transfer as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// With a smaller id; [`u64::MAX`] for all.
    pub before: u64,
    /// The newest first; else the oldest.
    pub newest_first: bool,
    /// At most this many.
    pub limit: usize,
}

impl RecordQuery {
    /// All records of a kind of a tenant, oldest first.
    #[must_use]
    pub fn new(kind: RecordKind, tenant: TenantId) -> RecordQuery {
        RecordQuery {
            kind,
            tenant,
            owner: None,
            after: 0,
            before: u64::MAX,
            newest_first: false,
            limit: usize::MAX,
        }
    }
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

/// Which bulks of one owner, newest first.
#[derive(Clone, Debug)]
pub struct BulkQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: OwnerId,
    /// With one of these statuses; with any when empty.
    pub statuses: Vec<BulkStatus>,
    /// Matches to pass over.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

/// A bulk without its operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BulkRow {
    /// Its id.
    pub id: BulkId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The owner whose money it moves.
    pub owner: OwnerId,
    /// The API key that handed it in.
    pub key: Option<KeyId>,
    /// Where it stands.
    pub status: BulkStatus,
    /// What a failure means; chosen when it is executed.
    pub mode: Option<BulkMode>,
    /// How many operations it has.
    pub operations: u32,
    /// How many of them made a transfer.
    pub succeeded: u32,
    /// How many of them were refused.
    pub failed: u32,
    /// When it was handed in.
    pub created_at: Millis,
    /// When it was first executed.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
}

/// A page of bulks.
#[derive(Clone, Debug, Default)]
pub struct BulkPage {
    /// The bulks.
    pub rows: Vec<BulkRow>,
    /// How many match, on this page or not.
    pub count: u64,
}

/// How far an operation of a bulk has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperationState {
    /// Not tried; whether it will be is the bulk's status.
    Waiting,
    /// It made a transfer.
    Done,
    /// It was refused.
    Refused,
}

/// Which operations of one bulk, in their order.
#[derive(Clone, Debug)]
pub struct BulkOperationQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this bulk.
    pub bulk: BulkId,
    /// The one with this index, from 0.
    pub index: Option<u32>,
    /// As far as one of these; any when empty.
    pub states: Vec<OperationState>,
    /// Matches to pass over.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

/// An operation of a bulk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BulkOperationRow {
    /// Its place in the bulk, from 0.
    pub index: u32,
    /// What is to be done.
    pub order: TransferOrder,
    /// What became of it.
    pub outcome: Option<OperationOutcome>,
}

impl BulkOperationRow {
    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> OperationState {
        match self.outcome {
            None => OperationState::Waiting,
            Some(OperationOutcome::Made(..)) => OperationState::Done,
            Some(OperationOutcome::Denied(_) | OperationOutcome::ProfileNotFound) => {
                OperationState::Refused
            }
        }
    }
}

/// A page of a bulk's operations.
#[derive(Clone, Debug, Default)]
pub struct BulkOperationPage {
    /// The operations.
    pub rows: Vec<BulkOperationRow>,
    /// How many match, on this page or not.
    pub count: u64,
}

/// Which rules. Oldest first.
#[derive(Clone, Debug)]
pub struct RuleQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: Option<OwnerId>,
    /// About this account: the one of their trigger.
    pub source: Option<AccountId>,
    /// That are on, or off.
    pub enabled: Option<bool>,
    /// Deleted ones too.
    pub include_deleted: bool,
    /// Matches to pass over.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

impl RuleQuery {
    /// All rules of a tenant that were not deleted.
    #[must_use]
    pub fn new(tenant: TenantId) -> RuleQuery {
        RuleQuery {
            tenant,
            owner: None,
            source: None,
            enabled: None,
            include_deleted: false,
            offset: 0,
            limit: usize::MAX,
        }
    }
}

/// A rule as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleRow {
    /// The rule as it is, or was when it was deleted.
    pub rule: Rule,
    /// When it was deleted, by the tenant's clock.
    pub deleted_at: Option<Millis>,
}

/// Which runs of rules. Newest first, in the order they were recorded, by their ids.
#[derive(Clone, Debug)]
pub struct ExecutionQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this owner.
    pub owner: Option<OwnerId>,
    /// Of this rule.
    pub rule: Option<RuleId>,
    /// With one of these statuses; with any when empty.
    pub statuses: Vec<ExecutionStatus>,
    /// For one of these causes; for any when empty.
    pub causes: Vec<TriggerKind>,
    /// That moved money, or that only reckoned.
    pub mode: Option<ExecutionMode>,
    /// Recorded at or after.
    pub from: Option<Millis>,
    /// Recorded at or before.
    pub to: Option<Millis>,
    /// Recorded before this run.
    pub after: Option<ExecutionId>,
    /// Matches to pass over.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

impl ExecutionQuery {
    /// The `limit` newest runs of a tenant.
    #[must_use]
    pub fn new(tenant: TenantId, limit: usize) -> ExecutionQuery {
        ExecutionQuery {
            tenant,
            owner: None,
            rule: None,
            statuses: Vec::new(),
            causes: Vec::new(),
            mode: None,
            from: None,
            to: None,
            after: None,
            offset: 0,
            limit,
        }
    }
}
