//! What other servers over the same database change.
//!
//! API keys, sessions, settings and counted wrong passwords are in memory. With one server that
//! memory is always right. With several each follows the store's notices, which come within a
//! second, and looks in the store for a key or token that it has never seen: a login on one server
//! is good on all of them at once, and what one revokes or ends is gone from all within a second.

use std::sync::PoisonError;

use ledger::{KeyId, TenantId, TenantMode};
use store::{KeyRecord, Notice, RecordKind, RecordQuery};
use tokio::sync::broadcast::error::RecvError;

use crate::Service;
use crate::error::Result;
use crate::keys;

impl Service {
    /// Whether other servers may write to the same store.
    #[must_use]
    pub fn has_peers(&self) -> bool {
        self.has_peers
    }

    /// Looks for a key and a token that are not known here. To be called before a request is
    /// authenticated, when there are peers.
    ///
    /// # Errors
    /// When the store cannot be read: whether they are known is then not known.
    pub async fn acquaint(&self, key: Option<&str>, token: Option<&str>) -> Result<()> {
        let key = key.map(keys::canonical);
        let Some(key) = key.as_deref().filter(|key| keys::is_well_formed(key)) else {
            return Ok(());
        };
        if self.keys.find(key).is_none() {
            let hash = self.keys.hasher().hash(key);
            if let Some(record) = self.store.key_by_hash(hash).await? {
                self.take_key(&record).await?;
            }
        }
        let (Some(key), Some(token)) = (self.keys.find(key), token) else {
            return Ok(());
        };
        let sessions = &self.multi.sessions;
        if let Some(hash) = sessions.unknown(token) {
            let kind = RecordKind::Session;
            let record = self.store.record_by_unique(kind, key.tenant, hash).await?;
            if let Some(record) = record {
                sessions.learn(&record)?;
            }
        }
        Ok(())
    }

    /// Takes over what other servers write until the store closes. Returns at once without peers.
    pub async fn follow_peers(&self) {
        let notices = self
            .notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut notices) = notices else { return };
        loop {
            let taken = match notices.recv().await {
                Ok(notice) => self.take_notice(notice).await,
                Err(RecvError::Lagged(missed)) => {
                    tracing::info!(missed, "reading again what other servers may have changed");
                    self.read_again().await
                }
                Err(RecvError::Closed) => return,
            };
            if let Err(error) = taken {
                tracing::warn!(%error, "a change by another server could not be read; all is read again");
                notices = notices.resubscribe();
                if let Err(error) = self.read_again().await {
                    tracing::error!(%error, "what other servers have changed is not known");
                }
            }
        }
    }

    async fn take_notice(&self, notice: Notice) -> Result<()> {
        match notice {
            Notice::Missed => self.read_again().await,
            Notice::Key { tenant, key } => self.read_key(tenant, key).await,
            Notice::Record { kind, tenant, id } => match kind {
                RecordKind::Session => self.read_session(tenant, id).await,
                RecordKind::Settings => self.multi.settings.read_again(&*self.store, tenant).await,
                // What was counted here is older than the record.
                RecordKind::User => {
                    self.multi.lockouts.forget((tenant, id));
                    Ok(())
                }
                RecordKind::Webhook | RecordKind::Replay => {
                    self.hooks.look_again();
                    Ok(())
                }
                RecordKind::AmountSource => {
                    self.asking.look_again();
                    Ok(())
                }
                RecordKind::Identity
                | RecordKind::WebhookProgress
                | RecordKind::DryTransfer
                | RecordKind::Audit => Ok(()),
            },
        }
    }

    async fn read_key(&self, tenant: TenantId, key: KeyId) -> Result<()> {
        let known = self.store.keys(Some(tenant)).await?;
        match known.iter().find(|record| record.id == key) {
            Some(record) => self.take_key(record).await,
            None => Ok(()),
        }
    }

    async fn take_key(&self, record: &KeyRecord) -> Result<()> {
        if record.revoked_at.is_some() {
            self.keys.remove(record.id);
            return Ok(());
        }
        let tenant = self.store.tenant(record.tenant).await?;
        let is_live = tenant.is_some_and(|tenant| tenant.mode == TenantMode::Live);
        self.keys.add(record, is_live);
        Ok(())
    }

    async fn read_session(&self, tenant: TenantId, id: u64) -> Result<()> {
        let record = self.store.record(RecordKind::Session, tenant, id).await?;
        match record {
            Some(record) => self.multi.sessions.learn(&record)?,
            None => self.multi.sessions.forget(tenant, id),
        }
        Ok(())
    }

    /// Reads keys, sessions and settings of all tenants, as at the start.
    async fn read_again(&self) -> Result<()> {
        self.multi.lockouts.forget_all();
        for tenant in self.store.tenants().await? {
            for record in self.store.keys(Some(tenant.id)).await? {
                self.take_key(&record).await?;
            }
            self.multi
                .settings
                .read_again(&*self.store, tenant.id)
                .await?;
            let records = self.store.records(RecordQuery {
                kind: RecordKind::Session,
                tenant: tenant.id,
                owner: None,
                after: 0,
                before: u64::MAX,
                newest_first: false,
                limit: usize::MAX,
            });
            self.multi.sessions.keep(tenant.id, &records.await?)?;
        }
        Ok(())
    }
}
