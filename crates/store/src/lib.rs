//! Where the ledger is kept: one trait, [`Store`], and the engines behind it.
//!
//! A store takes commands, decides them with [`ledger::decide`] against its own state, makes the
//! effects durable together with the idempotency record, and only then answers. It also answers
//! reads, each of which sees everything committed before it arrived. What a request may do, and
//! how it looks on the wire, is not known here.

mod attempts;
mod clock;
mod codec;
mod codes;
pub mod copy;
mod desk;
pub mod embedded;
mod folder;
mod gather;
mod history;
pub mod postgres;
mod query;
mod records;
mod shelf;
mod verify;
mod words;

pub use attempts::{Attempt, AttemptQuery};
pub use clock::{Clock, ManualClock, SystemClock};
pub use embedded::{Embedded, Options};
pub use folder::FolderLock;
pub use history::{Fact, FactRow, HistoryPage, HistoryQuery, Place};
pub use postgres::Notice;
pub use query::{
    AccountClass, AccountPage, AccountQuery, AccountRole, AccountRow, BulkOperationPage,
    BulkOperationQuery, BulkOperationRow, BulkPage, BulkQuery, BulkRow, EntryPage, EntryQuery,
    EntryRow, ExecutionQuery, OperationState, OwnerTransferPage, OwnerTransferQuery, RecordQuery,
    RuleQuery, RuleRow, TransferQuery, TransferRow,
};
pub use records::{
    Expect, Fingerprint, KeyRecord, PUTS_MAX, Permission, Put, PutId, PutOwner, RECORD_BODY_MAX,
    RECORD_TAKEN, Record, RecordConflict, RecordKind, Remembered, RememberedFault, RememberedReply,
    Resources, Selector, TransferSet, Used,
};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ledger::{
    AccountId, BulkId, Command, Execution, ExecutionId, Hold, KeyId, Millis, Owner, OwnerId,
    Profile, ProfileId, ProfileKind, Rejection, Reply, RuleId, State, Status, Tenant, TenantId,
    TransferId,
};
use tokio::sync::{broadcast, watch};

/// A boxed future, so that engines can stand behind one pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something to commit.
#[derive(Clone, Debug)]
pub struct Submit {
    /// What is asked.
    pub action: Action,
    /// The caller's idempotency key, if there is one.
    pub claim: Option<Claim>,
}

impl Submit {
    /// A command without an idempotency key.
    #[must_use]
    pub fn command(command: Command) -> Submit {
        Submit {
            action: Action::Command(command),
            claim: None,
        }
    }
}

/// What can be committed.
#[derive(Clone, Debug)]
pub enum Action {
    /// A command of the ledger.
    Command(Command),
    /// A new API key. Its `id` and `created_at` are filled in by the store.
    CreateKey(KeyRecord),
    /// The end of an API key.
    RevokeKey {
        /// Its tenant.
        tenant: TenantId,
        /// The key.
        key: KeyId,
    },
    /// Records.
    Put(Vec<Put>),
    /// A command of the ledger and records, all of it or nothing.
    Together {
        /// The command.
        command: Command,
        /// The records. Their conflicts are looked for before the command is decided.
        puts: Vec<Put>,
    },
    /// Nothing: only the claim is looked for, after everything that was asked for before. A claim that
    /// is not known stays unknown.
    Look {
        /// The tenant whose it would be.
        tenant: TenantId,
    },
    /// A refusal that was decided elsewhere, to be remembered with the claim. Changes nothing else.
    Refuse {
        /// The tenant in whose history it is.
        tenant: TenantId,
        /// Its code.
        code: Arc<str>,
        /// Its text.
        message: Arc<str>,
    },
}

/// An idempotency key that a request claims.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Tenant, caller, operation and the client's key, hashed.
    pub key: Fingerprint,
    /// The parsed body, hashed.
    pub body: Fingerprint,
    /// The request id, which is part of the original answer.
    pub request_id: Arc<str>,
    /// Whether a refusal is remembered too (Multi: yes; Sequence: no, sequence-api §15 no. 15).
    pub remember_refusals: bool,
}

/// What became of a [`Submit`]; durable when it is returned.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was done.
    Done(Reply),
    /// A new API key, with its id.
    Key(KeyRecord),
    /// It was refused; nothing changed.
    Refused(Rejection),
    /// The idempotency key was used before; [`Store::remembered`] tells for what.
    Replay(Used),
    /// No such key in this tenant.
    KeyNotFound,
    /// It was done, and these records were written with it.
    Stored {
        /// What the command answers; [`Reply::Done`] without one.
        reply: Reply,
        /// The records as they are now, in the order of the puts; deleted ones are left out.
        records: Vec<Record>,
    },
    /// The records were not as expected; nothing changed.
    Conflict(RecordConflict),
}

/// Why a store could not do its work. Never a business "no".
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Not now. Nothing was done, or it is not known yet and a retry with the same key tells.
    #[error("{reason}")]
    Unavailable {
        /// Why, for the operator and the log.
        reason: Arc<str>,
        /// When to try again.
        retry_after_s: u32,
    },
    /// What is stored contradicts itself.
    #[error("stored data is damaged: {0}")]
    Corrupt(Arc<str>),
}

impl StoreError {
    pub(crate) fn unavailable(reason: impl Into<Arc<str>>) -> StoreError {
        StoreError::Unavailable {
            reason: reason.into(),
            retry_after_s: 1,
        }
    }
}

/// How the store is.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Why it takes no writes, if it does not.
    pub stopped: Option<Arc<str>>,
    /// Batches that are durable.
    pub committed: u64,
    /// Batches that reads can see.
    pub indexed: u64,
    /// Commits made since start.
    pub commits: u64,
    /// `fdatasync` calls made for them.
    pub syncs: u64,
    /// Requests waiting to be decided.
    pub queued: usize,
}

/// A result of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The one way to the ledger's data.
///
/// Ids of another tenant behave as if they did not exist: every read takes the tenant.
pub trait Store: Send + Sync + 'static {
    /// Decides and commits; returns when the outcome is durable.
    fn submit(&self, submit: Submit) -> BoxFuture<'_, Result<Outcome>>;
    /// Submits in the order of the calls, and waits for nothing: what does not get a place is lost.
    fn hand_in(&self, submit: Submit);
    /// Waits until no work of the tenant is due by its own clock.
    fn quiesce(&self, tenant: TenantId) -> BoxFuture<'_, Result<()>>;
    /// What an idempotency key was used for.
    fn remembered(&self, used: Used) -> BoxFuture<'_, Result<Option<Remembered>>>;
    /// Every tenant, oldest first.
    fn tenants(&self) -> BoxFuture<'_, Result<Vec<Tenant>>>;
    /// One tenant.
    fn tenant(&self, id: TenantId) -> BoxFuture<'_, Result<Option<Tenant>>>;
    /// A tenant's owners, oldest first.
    fn owners(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Owner>>>;
    /// Accounts that match.
    fn accounts(&self, query: AccountQuery) -> BoxFuture<'_, Result<Vec<AccountRow>>>;
    /// Accounts that match, and how many there are on all pages.
    fn accounts_page(&self, query: AccountQuery) -> BoxFuture<'_, Result<AccountPage>>;
    /// One account.
    fn account(&self, tenant: TenantId, id: AccountId)
    -> BoxFuture<'_, Result<Option<AccountRow>>>;
    /// Transfers that match, newest first; one more than asked for when there are more.
    fn transfers(&self, query: TransferQuery) -> BoxFuture<'_, Result<Vec<TransferRow>>>;
    /// An owner's transfers that match, newest first, and how many there are on all pages.
    fn owner_transfers(
        &self,
        query: OwnerTransferQuery,
    ) -> BoxFuture<'_, Result<OwnerTransferPage>>;
    /// One transfer.
    fn transfer(
        &self,
        tenant: TenantId,
        id: TransferId,
    ) -> BoxFuture<'_, Result<Option<TransferRow>>>;
    /// A tenant's transfers that have not ended and stand at `status`, oldest first, at most
    /// `limit`.
    fn open_transfers(
        &self,
        tenant: TenantId,
        status: Status,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<TransferRow>>>;
    /// An account's entries, newest first, before sequence number `before`, at most `limit`.
    fn entries(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<EntryRow>>>;
    /// An account's entries of a span of time, with their number and the balances around them.
    fn entries_between(&self, query: EntryQuery) -> BoxFuture<'_, Result<EntryPage>>;
    /// Transfers of a tenant, in the order asked; `None` for ids that nobody has there.
    fn transfers_by_id(
        &self,
        tenant: TenantId,
        ids: Vec<TransferId>,
    ) -> BoxFuture<'_, Result<Vec<Option<TransferRow>>>>;
    /// A tenant's profiles, oldest first; of one kind if so wished.
    fn profiles(
        &self,
        tenant: TenantId,
        kind: Option<ProfileKind>,
    ) -> BoxFuture<'_, Result<Vec<Profile>>>;
    /// One profile.
    fn profile(&self, tenant: TenantId, id: ProfileId) -> BoxFuture<'_, Result<Option<Profile>>>;
    /// An owner's bulks, newest first, and how many there are on all pages.
    fn bulks(&self, query: BulkQuery) -> BoxFuture<'_, Result<BulkPage>>;
    /// One bulk.
    fn bulk(&self, tenant: TenantId, id: BulkId) -> BoxFuture<'_, Result<Option<BulkRow>>>;
    /// A bulk's operations in their order, and how many there are on all pages.
    fn bulk_operations(
        &self,
        query: BulkOperationQuery,
    ) -> BoxFuture<'_, Result<BulkOperationPage>>;
    /// Rules that match, oldest first.
    fn rules(&self, query: RuleQuery) -> BoxFuture<'_, Result<Vec<RuleRow>>>;
    /// One rule, deleted or not.
    fn rule(&self, tenant: TenantId, id: RuleId) -> BoxFuture<'_, Result<Option<RuleRow>>>;
    /// Runs of rules that match, newest first.
    fn executions(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<Execution>>>;
    /// One run of a rule.
    fn execution(
        &self,
        tenant: TenantId,
        id: ExecutionId,
    ) -> BoxFuture<'_, Result<Option<Execution>>>;
    /// All that decides what happens next for one owner, as a state of its own: the tenant, the
    /// owner, its accounts, open transfers, holds, bulks that have not ended, rules with their counters
    /// and runs that are not over, what waits to be done with them, and the tenant's profiles. What is
    /// decided on it changes nothing here.
    fn fork(&self, tenant: TenantId, owner: OwnerId) -> BoxFuture<'_, Result<Option<State>>>;
    /// An account's holds, oldest first.
    fn holds(&self, account: AccountId) -> BoxFuture<'_, Result<Vec<Hold>>>;
    /// One record.
    fn record(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        id: u64,
    ) -> BoxFuture<'_, Result<Option<Record>>>;
    /// Records that match, by id.
    fn records(&self, query: RecordQuery) -> BoxFuture<'_, Result<Vec<Record>>>;
    /// The record that has `unique`.
    fn record_by_unique(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        unique: Fingerprint,
    ) -> BoxFuture<'_, Result<Option<Record>>>;
    /// The API keys of one tenant, or of all.
    fn keys(&self, tenant: Option<TenantId>) -> BoxFuture<'_, Result<Vec<KeyRecord>>>;
    /// The API key with this keyed hash, revoked or not.
    fn key_by_hash(&self, hash: [u8; 32]) -> BoxFuture<'_, Result<Option<KeyRecord>>>;
    /// The sum of each currency over every account, system accounts included: always zero.
    fn totals(&self) -> BoxFuture<'_, Result<Vec<(String, i128)>>>;
    /// The sum of each currency over one owner's accounts, system accounts included.
    fn owner_total(&self, owner: OwnerId) -> BoxFuture<'_, Result<i128>>;
    /// Part of a tenant's history, in order.
    fn history(&self, query: HistoryQuery) -> BoxFuture<'_, Result<HistoryPage>>;
    /// The number of the newest commit of each of these tenants that has one.
    fn heads(&self, tenants: Vec<TenantId>) -> BoxFuture<'_, Result<Vec<(TenantId, u64)>>>;
    /// Changes when this server has committed something. What others commit is not told: who waits
    /// for it looks again after some time.
    fn news(&self) -> watch::Receiver<u64>;
    /// Keeps transcripts of webhooks.
    fn add_attempts(&self, attempts: Vec<Attempt>) -> BoxFuture<'_, Result<()>>;
    /// Transcripts of webhooks, newest first.
    fn attempts(&self, query: AttemptQuery) -> BoxFuture<'_, Result<Vec<Attempt>>>;
    /// Throws away the transcripts of an endpoint before one.
    fn cut_attempts(
        &self,
        tenant: TenantId,
        endpoint: u64,
        before: u64,
    ) -> BoxFuture<'_, Result<()>>;
    /// What other servers over the same data change from now on, of what servers may keep in
    /// memory; `None` when there are none. Told within a second or two.
    fn notices(&self) -> Option<broadcast::Receiver<Notice>>;
    /// The machine's time, by the store's clock.
    fn now(&self) -> Millis;
    /// Makes it look at the clock again; for clocks that are set by hand.
    fn wake(&self);
    /// How it is.
    fn health(&self) -> Health;
    /// Finishes what was accepted and closes. Later submits are refused, and another may open what
    /// this one had open, even while it is still held for reading.
    fn shut_down(&self) -> BoxFuture<'_, Result<()>>;
}
