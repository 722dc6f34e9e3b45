//! What is stored besides the ledger's own effects: API keys and idempotency records.

use std::sync::Arc;

use ledger::{KeyId, Millis, Party, Status, TenantId, TransferId};
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
/// Source: the nine scopes of the seeds (`GET /accounts`, `GET /transfers`, `POST /transfers`).
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
    /// Transfers of these accounts.
    ReadTransfers(Resources),
    /// Move money between these pairs.
    ManualTransfer(Vec<TransferSet>),
    /// Cards of these accounts.
    ReadCards(Resources),
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
}

/// What an idempotency key was used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// Its number: the first is 1, without gaps.
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
}
