//! The audit log: what was asked of a tenant, by whom, and whether it was done.
//!
//! Entries are records, one for each call of the Platform dialect and for each change of a rule by
//! an operator. They are never changed. Their ids follow the machine's time, which is also the time
//! they show.

use ledger::{KeyId, Millis, TenantId};
use serde::{Deserialize, Serialize};
use store::{
    Action, Expect, Outcome, Put, PutId, PutOwner, RecordKind, RecordQuery, StoreError, Submit,
};

use crate::Service;
use crate::error::{Error, Result};
use crate::keys::ApiKey;
use crate::permission::{Wish, allows};
use crate::platform::Page;
use crate::transfers::unexpected;

/// What was asked, and how it went.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The API key, or 0 for an operator.
    pub key: u64,
    /// What the key's maker called it.
    pub key_name: String,
    /// The path that was called.
    pub path: String,
    /// What it does.
    pub action: Option<String>,
    /// The request's id.
    pub request_id: String,
    /// Why it was refused; `None` when it was done.
    pub error_code: Option<String>,
    /// What the caller said it is for.
    pub reason: Option<String>,
}

impl AuditEntry {
    /// An entry of a key with nothing else said.
    #[must_use]
    pub fn by(key: &ApiKey) -> AuditEntry {
        AuditEntry {
            key: key.id.raw(),
            key_name: key.name.to_string(),
            ..AuditEntry::default()
        }
    }

    /// What writes it down.
    pub(crate) fn put(&self, tenant: TenantId) -> Put {
        let body = serde_json::to_string(self).expect("an entry has string keys only");
        Put {
            kind: RecordKind::Audit,
            id: PutId::New,
            tenant,
            owner: PutOwner::None,
            unique: None,
            expect: Expect::Absent,
            body: Some(body.into()),
        }
    }

    /// An entry of an operator.
    pub(crate) fn by_operator(action: &str, path: String) -> AuditEntry {
        AuditEntry {
            key_name: "operator".to_owned(),
            path,
            action: Some(action.to_owned()),
            ..AuditEntry::default()
        }
    }
}

/// An entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audited {
    /// Its id.
    pub id: u64,
    /// When, by the machine's clock.
    pub at: Millis,
    /// What.
    pub entry: AuditEntry,
}

/// Which entries.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// Of this key.
    pub key: Option<KeyId>,
    /// With this action.
    pub action: Option<String>,
    /// At or after, by the machine's clock.
    pub from: Millis,
    /// At or before.
    pub to: Option<Millis>,
}

impl Service {
    /// Writes an entry; durable when this returns.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn audit(&self, tenant: TenantId, entry: &AuditEntry) -> Result<()> {
        let submit = Submit {
            action: Action::Put(vec![entry.put(tenant)]),
            claim: None,
        };
        match self.store.submit(submit).await? {
            Outcome::Stored { .. } => Ok(()),
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other)),
        }
    }

    /// A page of the tenant's log, newest first, and whether there are older entries.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope.
    pub async fn audit_log(
        &self,
        key: &ApiKey,
        query: &AuditQuery,
        page: Page,
    ) -> Result<(Vec<Audited>, bool)> {
        if !allows(&key.permissions, Wish::ReadAuditLogs) {
            return Err(Error::Forbidden);
        }
        let records = RecordQuery {
            kind: RecordKind::Audit,
            tenant: key.tenant,
            owner: None,
            // An id has the time it was issued in its upper 48 bits, and is never issued earlier.
            after: query.from.0.max(0).cast_unsigned().saturating_mul(1 << 16),
            limit: usize::MAX,
        };
        let mut found = Vec::new();
        for record in self.store.records(records).await? {
            let entry: AuditEntry = serde_json::from_str(&record.body)
                .map_err(|_| StoreError::Corrupt("an audit entry cannot be read".into()))?;
            let fits = record.at >= query.from
                && query.to.is_none_or(|to| record.at <= to)
                && query.key.is_none_or(|key| key.raw() == entry.key)
                && query
                    .action
                    .as_ref()
                    .is_none_or(|it| entry.action.as_ref() == Some(it));
            if fits {
                found.push(Audited {
                    id: record.id,
                    at: record.at,
                    entry,
                });
            }
        }
        found.reverse();
        Ok(page.of(found))
    }
}
