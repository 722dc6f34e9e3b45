//! What is stored besides the ledger's own effects: API keys, idempotency records and records.

use std::sync::Arc;

use ledger::{
    Account, BulkId, Execution, KeyId, Millis, OwnerId, Party, Rule, Status, TenantId, TransferId,
};
use serde::{Deserialize, Serialize};

/// 128 bits of a cryptographic hash: two different inputs do not meet.
pub type Fingerprint = [u8; 16];

/// An API key: everything about it but the secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRecord {
    /// Its id.
    pub id: KeyId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// What its maker called it.
    pub name: Arc<str>,
    /// The keyed hash of the secret.
    pub hash: [u8; 32],
    /// The secret's last four characters, to tell keys apart.
    pub hint: Arc<str>,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// When it was made, by the machine's clock.
    pub created_at: Millis,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
}

/// One permission entry of a key.
///
/// Source: the nine scopes of the seeds (`GET /accounts`, `GET /transfers`, `POST /transfers`);
/// sequence-api §12 for those that write.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Permission {
    /// List all accounts.
    ListAccounts,
    /// Details and balance of these accounts.
    ReadAccounts(Resources),
    /// List all rules.
    ListRules,
    /// Details of these rules.
    ReadRules(Resources),
    /// Trigger these rules.
    TriggerRules(Resources),
    /// Executions of these rules.
    ReadRuleExecutions(Resources),
    /// Make rules (with all of them), change and delete these.
    CreateAndEditRules(Resources),
    /// Open accounts (with all of them) and delete these.
    CreateAndDeleteAccounts(Resources),
    /// Read what was asked of the tenant.
    ReadAuditLogs,
    /// Transfers of these accounts.
    ReadTransfers(Resources),
    /// Move money between these pairs.
    ManualTransfer(Vec<TransferSet>),
    /// Cards of these accounts.
    ReadCards(Resources),
    /// Speak for the whole programme in the Multi dialect. Grants nothing in Sequence.
    Programme,
    /// Use the Multi dialect's simulator. Grants nothing in Sequence.
    Simulator,
}

/// Which objects a permission reaches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Resources {
    /// `*`: all of the tenant's.
    All,
    /// Those with these ids.
    Ids(Vec<u64>),
}

/// One account or all of the tenant's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Selector {
    /// `*`.
    All,
    /// The account with this id.
    Id(u64),
}

/// A pair of accounts that a key may move money between.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransferSet {
    /// Where the money may come from.
    pub source: Selector,
    /// Where it may go.
    pub target: Selector,
    /// The most one request may ask for, in minor units.
    pub max_amount: Option<i64>,
    /// Above so many minor units a person has to let the transfer go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_above: Option<i64>,
}

/// An idempotency key that was used, and where it is remembered for what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Used {
    /// The key.
    pub key: Fingerprint,
    /// As in [`Remembered::number`].
    pub number: u64,
}

/// What an idempotency key was used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// Its number, which no other has. The embedded engine counts from 1 without gaps.
    pub number: u64,
    /// The claimed key.
    pub key: Fingerprint,
    /// The body it came with.
    pub body: Fingerprint,
    /// When, by the machine's clock.
    pub at: Millis,
    /// The request id of the original answer.
    pub request_id: Arc<str>,
    /// The original answer's facts.
    pub reply: RememberedReply,
}

/// The facts an original answer was made from. Rendering them again gives the same bytes
/// (`docs/decisions/2026-11-21-idempotency.md`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RememberedReply {
    /// A transfer was made. What can change later is kept here, the rest is the transfer's own.
    Transfer {
        /// The transfer.
        id: TransferId,
        /// Its status in the answer.
        status: Status,
        /// Its time of completion in the answer.
        completed_at: Option<Millis>,
        /// Its source in the answer.
        source: Option<Party>,
        /// Its destination in the answer.
        destination: Option<Party>,
    },
    /// It was refused with this code and message.
    Refused {
        /// The rejection's code.
        code: Arc<str>,
        /// Its text.
        message: Arc<str>,
    },
    /// It was done and there is nothing more to tell.
    Done,
    /// Records were written, as they were then.
    Records(Vec<Record>),
    /// An account was made or changed: everything about it but its balance, as it was then.
    Account(Box<Account>),
    /// A bulk was handed in.
    Bulk(BulkId),
    /// A rule was made or changed, as it was then.
    Rule(Box<Rule>),
    /// A rule was run, as far as the run had come then.
    Execution(Box<Execution>),
    /// A rule was refused for what it says.
    RuleRefused {
        /// The rejection's code.
        code: Arc<str>,
        /// Its text.
        message: Arc<str>,
        /// Everything that was wrong, in the order of the fields.
        faults: Vec<RememberedFault>,
    },
}

/// Something that was wrong with a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RememberedFault {
    /// Where: `steps[1].actions[0].percentage_value`.
    pub path: Arc<str>,
    /// What, for programs.
    pub code: Arc<str>,
    /// What, in words.
    pub reason: Arc<str>,
}

/// What a record is about. One number space of ids for each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RecordKind {
    /// What is known of a corporate or consumer besides its owner. Its id is the owner's.
    Identity,
    /// Somebody who logs in. A root user's id is its identity's.
    User,
    /// A login that has not ended.
    Session,
    /// What an operator has set for a tenant. Its id is the tenant's.
    Settings,
    /// Where webhooks go.
    Webhook,
    /// How far the deliveries of a webhook, or a replay, have come. Its id is that one's.
    WebhookProgress,
    /// Events that are sent once more.
    Replay,
    /// Something that was asked of the tenant, and whether it was done. Written once.
    Audit,
    /// Where a rule asks for amounts. Its id is the rule's.
    AmountSource,
    /// What a transfer would have come to. Its id is that transfer's. Written once.
    DryTransfer,
}

impl RecordKind {
    /// Whether its records are written once, under a new id, and never changed; old ones may be
    /// thrown away. Nothing that is decided looks at them, so no engine keeps them in memory.
    #[must_use]
    pub fn is_log(self) -> bool {
        matches!(self, RecordKind::Audit | RecordKind::DryTransfer)
    }

    /// Its name, for messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RecordKind::Identity => "identity",
            RecordKind::User => "user",
            RecordKind::Session => "session",
            RecordKind::Settings => "settings",
            RecordKind::Webhook => "webhook",
            RecordKind::WebhookProgress => "progress of a webhook",
            RecordKind::Replay => "replay",
            RecordKind::Audit => "audit",
            RecordKind::AmountSource => "amount source",
            RecordKind::DryTransfer => "dry run of a transfer",
        }
    }
}

/// The code under which [`RecordConflict::Taken`] is remembered; the text is the kind's word.
pub const RECORD_TAKEN: &str = "record_taken";

/// A small document kept beside the ledger, written in the same commit as a command.
///
/// The store does not look into it; whoever writes it says what must be unique.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it is about.
    pub kind: RecordKind,
    /// Its id among its kind.
    pub id: u64,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The owner it belongs to, if to one.
    pub owner: Option<OwnerId>,
    /// How often it was written: 1 at first.
    pub version: u64,
    /// What no other record of its kind and tenant has.
    pub unique: Option<Fingerprint>,
    /// JSON.
    pub body: Arc<str>,
    /// When it was written last, by the machine's clock.
    pub at: Millis,
}

/// Writes or deletes a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Put {
    /// What it is about.
    pub kind: RecordKind,
    /// Its id.
    pub id: PutId,
    /// The tenant it belongs to, one that exists.
    pub tenant: TenantId,
    /// The owner it belongs to, one of the tenant's.
    pub owner: PutOwner,
    /// What no other record of its kind and tenant may have.
    pub unique: Option<Fingerprint>,
    /// What must be there now; otherwise nothing is done.
    pub expect: Expect,
    /// JSON of at most [`RECORD_BODY_MAX`] bytes; `None` deletes.
    pub body: Option<Arc<str>>,
}

/// Bytes of one record's body.
pub const RECORD_BODY_MAX: usize = 256 * 1024;
/// Records that one action may write.
pub const PUTS_MAX: usize = 32;

/// The id a record shall have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PutId {
    /// This one, which was issued before.
    Known(u64),
    /// A new one.
    New,
    /// That of what the command beside it makes.
    OfReply,
}

/// The owner a record shall have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PutOwner {
    /// None.
    None,
    /// This one.
    Known(OwnerId),
    /// That of what the command beside it makes.
    OfReply,
}

/// What must be there for a record to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// Nothing.
    Absent,
    /// The record in this version.
    Version(u64),
    /// The record in any version: what was written meanwhile does not matter.
    Present,
}

/// Why records were not written. Nothing was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordConflict {
    /// Another record of this kind has what must be unique.
    Taken(RecordKind),
    /// The record is not as expected: somebody else was faster.
    Changed(RecordKind),
}
