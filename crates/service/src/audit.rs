//! The audit log: what was asked of a tenant, by whom, and whether it was done.
//!
//! Entries are records, one for each call of the Platform dialect and for each change of a rule by
//! an operator. They are never changed, and thrown away after [`KEPT_DAYS`]. Their ids follow the
//! machine's time, which is also the time they show.

use std::time::Duration;

use ledger::{Command, IdSource, KeyId, Millis, Reply, TenantId};
use serde::{Deserialize, Serialize};
use store::{
    Action, Expect, Outcome, PUTS_MAX, Put, PutId, PutOwner, RecordKind, RecordQuery, StoreError,
    Submit,
};
use tokio::sync::watch;

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
    fn put(&self, tenant: TenantId) -> Put {
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

    /// Runs a command and writes who asked for it, in one commit; nothing is written when the
    /// command is refused.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub(crate) async fn audited(
        &self,
        tenant: TenantId,
        command: Command,
        entry: &AuditEntry,
    ) -> Result<Reply> {
        let submit = Submit {
            action: Action::Together {
                command,
                puts: vec![entry.put(tenant)],
            },
            claim: None,
        };
        match self.store.submit(submit).await? {
            Outcome::Stored { reply, .. } => Ok(reply),
            Outcome::Refused(rejection) => Err(rejection.into()),
            other => Err(unexpected(&other)),
        }
    }

    /// A page of the tenant's log, newest first, and whether there are older entries. The log is
    /// read from its newest end, as far as the page needs it.
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
        let mut records = RecordQuery {
            after: IdSource::first_at(query.from).saturating_sub(1),
            // A clock may have stood still: what is a second late is looked at too.
            before: query
                .to
                .map_or(u64::MAX, |to| IdSource::first_at(to.plus(LATE_MS))),
            newest_first: true,
            limit: RUN,
            ..RecordQuery::new(RecordKind::Audit, key.tenant)
        };
        let mut found = Vec::new();
        loop {
            let run = self.store.records(records).await?;
            let is_last = run.len() < RUN;
            for record in run {
                records.before = record.id;
                let entry: AuditEntry = serde_json::from_str(&record.body)
                    .map_err(|_| StoreError::Corrupt("an audit entry cannot be read".into()))?;
                if query.wants(record.at, &entry) {
                    found.push(Audited {
                        id: record.id,
                        at: record.at,
                        entry,
                    });
                }
            }
            if is_last || found.len() > page.end() {
                return Ok(page.of(found));
            }
        }
    }

    /// Throws entries away that are older than [`KEPT_DAYS`], of all tenants. Answers how many.
    ///
    /// # Errors
    /// When the store cannot be read or written; what was thrown away stays so.
    pub async fn prune_audit_log(&self) -> Result<usize> {
        let oldest = self.store.now().plus(-KEPT_DAYS * DAY_MS);
        let mut pruned = 0;
        for tenant in self.store.tenants().await? {
            let query = RecordQuery {
                before: IdSource::first_at(oldest),
                limit: PUTS_MAX,
                ..RecordQuery::new(RecordKind::Audit, tenant.id)
            };
            loop {
                let old = self.store.records(query).await?;
                if old.is_empty() {
                    break;
                }
                let puts = old.iter().map(|record| Put {
                    kind: RecordKind::Audit,
                    id: PutId::Known(record.id),
                    tenant: tenant.id,
                    owner: PutOwner::None,
                    unique: None,
                    expect: Expect::Present,
                    body: None,
                });
                let submit = Submit {
                    action: Action::Put(puts.collect()),
                    claim: None,
                };
                match self.store.submit(submit).await? {
                    Outcome::Stored { .. } => pruned += old.len(),
                    // Another server has thrown some of them away.
                    Outcome::Conflict(_) => {}
                    Outcome::Refused(rejection) => return Err(rejection.into()),
                    other => return Err(unexpected(&other)),
                }
            }
        }
        Ok(pruned)
    }

    /// Throws old entries away now and once an hour, until it is told to stop.
    pub async fn keep_audit_log_short(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.prune_audit_log().await {
                Ok(0) => {}
                Ok(pruned) => tracing::info!(pruned, "old audit entries were thrown away"),
                Err(error) => tracing::warn!(%error, "old audit entries stay"),
            }
            tokio::select! {
                () = tokio::time::sleep(PRUNE) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

impl AuditQuery {
    fn wants(&self, at: Millis, entry: &AuditEntry) -> bool {
        at >= self.from
            && self.to.is_none_or(|to| at <= to)
            && self.key.is_none_or(|key| key.raw() == entry.key)
            && self
                .action
                .as_ref()
                .is_none_or(|it| entry.action.as_ref() == Some(it))
    }
}

/// Days that entries are kept: as far back as they can be asked for (sequence-api §12).
pub const KEPT_DAYS: i64 = 90;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How often old entries are thrown away.
const PRUNE: Duration = Duration::from_secs(3_600);
/// Entries that are read at once.
const RUN: usize = 500;
/// How far an id's time may be ahead of its record's.
const LATE_MS: i64 = 60_000;
