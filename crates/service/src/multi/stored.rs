//! Records as what they are about.

use std::sync::Arc;

use ledger::{OwnerId, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Expect, Fingerprint, Put, PutId, PutOwner, Record, RecordKind, StoreError};

/// What a record says and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored<T> {
    /// Its id.
    pub id: u64,
    /// Its tenant.
    pub tenant: TenantId,
    /// The identity it belongs to.
    pub owner: OwnerId,
    /// What it says.
    pub facts: T,
    pub(super) version: u64,
    pub(super) unique: Option<Fingerprint>,
}

/// What a kind of record says.
pub trait Facts: Serialize + DeserializeOwned {
    /// The kind.
    const KIND: RecordKind;
}

pub(crate) fn body(facts: &impl Serialize) -> Arc<str> {
    let text = serde_json::to_string(facts);
    Arc::from(text.expect("facts have string keys only"))
}

pub(crate) fn corrupt(what: &str, id: u64) -> StoreError {
    StoreError::Corrupt(Arc::from(format!("record {id} is no {what}")))
}

impl<T: Facts> Stored<T> {
    pub(super) fn read(record: &Record) -> std::result::Result<Stored<T>, StoreError> {
        let what = T::KIND.word();
        let facts = (record.kind == T::KIND)
            .then(|| serde_json::from_str(&record.body).ok())
            .flatten();
        match (facts, record.owner) {
            (Some(facts), Some(owner)) => Ok(Stored {
                id: record.id,
                tenant: record.tenant,
                owner,
                facts,
                version: record.version,
                unique: record.unique,
            }),
            _ => Err(corrupt(what, record.id)),
        }
    }

    /// Writes it back, if it is still as it was read.
    pub(super) fn put(&self) -> Put {
        Put {
            kind: T::KIND,
            id: PutId::Known(self.id),
            tenant: self.tenant,
            owner: PutOwner::Known(self.owner),
            unique: self.unique,
            expect: Expect::Version(self.version),
            body: Some(body(&self.facts)),
        }
    }
}
