//! How far the deliveries of an endpoint or a replay have come, as a record.
//!
//! It is written at most once a second, more seldom when it is long. With several servers it is the
//! lease, too: who writes it expects it as it was read, and whose expectation fails has lost it.

use ledger::{Millis, TenantId};
use serde::{Deserialize, Serialize};
use store::{
    Action, Expect, Outcome, Place, Put, PutId, PutOwner, Record, RecordKind, Store, StoreError,
    Submit,
};

use crate::multi::stored::{body, corrupt};

/// How long a server holds the deliveries of an endpoint without saying so again.
pub(super) const LEASE_MS: i64 = 10_000;

/// How far deliveries have come.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Delivering {
    /// Up to this event every one is over or waits: [`Place::raw`].
    pub cursor: u64,
    /// Those that wait for their next try.
    pub waiting: Vec<Waiting>,
    /// Those that wait behind one of these: [`Place::raw`].
    #[serde(default)]
    pub held: Vec<u64>,
    /// Deliveries that were taken.
    pub delivered: u64,
    /// Deliveries that were given up.
    pub failed: u64,
    /// Since when no delivery was taken: milliseconds since 1970.
    pub failing_since_ms: Option<i64>,
    /// Whether a replay has come to its end.
    pub finished: bool,
    /// Which server delivers.
    pub holder: u64,
    /// Until when, in milliseconds since 1970.
    pub lease_until_ms: i64,
}

/// An event that waits for its next try.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// The event: [`Place::raw`].
    pub event: u64,
    /// Attempts that were made.
    pub tries: u32,
    /// When it is tried again: milliseconds since 1970.
    pub next_at_ms: i64,
}

/// The record of a progress in the version that was read.
pub(super) struct Kept {
    pub tenant: TenantId,
    pub id: u64,
    /// 0 when there is none.
    version: u64,
    pub said: Delivering,
}

impl Kept {
    /// Reads it; where there is none, deliveries begin after `from`.
    pub(super) async fn find(
        store: &dyn Store,
        tenant: TenantId,
        id: u64,
        from: Place,
    ) -> Result<Kept, StoreError> {
        let record = store
            .record(RecordKind::WebhookProgress, tenant, id)
            .await?;
        let said = record.as_ref().map(read).transpose()?;
        Ok(Kept {
            tenant,
            id,
            version: record.map_or(0, |record| record.version),
            said: said.unwrap_or_else(|| Delivering {
                cursor: from.raw(),
                ..Delivering::default()
            }),
        })
    }

    /// Writes it. False when somebody else has written it since it was read.
    pub(super) async fn write(&mut self, store: &dyn Store) -> Result<bool, StoreError> {
        let put = Put {
            kind: RecordKind::WebhookProgress,
            id: PutId::Known(self.id),
            tenant: self.tenant,
            owner: PutOwner::None,
            unique: None,
            expect: match self.version {
                0 => Expect::Absent,
                version => Expect::Version(version),
            },
            body: Some(body(&self.said)),
        };
        let submit = Submit {
            action: Action::Put(vec![put]),
            claim: None,
        };
        match store.submit(submit).await? {
            Outcome::Stored { .. } => {
                self.version = self.version.saturating_add(1);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether another server than `holder` delivers at `now`.
    pub(super) fn is_taken(&self, holder: u64, now: Millis) -> bool {
        self.said.holder != holder && self.said.lease_until_ms > now.0
    }
}

/// What a record of it says.
pub(super) fn read(record: &Record) -> Result<Delivering, StoreError> {
    serde_json::from_str(&record.body).map_err(|_| corrupt("progress", record.id))
}
