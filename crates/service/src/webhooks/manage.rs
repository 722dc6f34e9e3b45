//! What operators do with endpoints.

use std::sync::Arc;

use ::webhooks::{Secret, Target, TargetError};
use ledger::TenantId;
use store::{
    Action, Attempt, AttemptQuery, Expect, Outcome, Put, PutId, PutOwner, Record, RecordKind,
    RecordQuery, StoreError, Submit,
};

use super::endpoint::{NewWebhook, Webhook, WebhookFacts, WebhookPatch};
use super::request::{NO_EVENT, Parts};
use super::{Render, Wanted, courier};
use crate::Service;
use crate::error::{Error, Result};
use crate::multi::stored::body;
use crate::transfers::unexpected;

/// Endpoints of one tenant.
pub const ENDPOINTS_MAX: usize = 20;
/// Deliveries of one endpoint that may be under way at once.
pub const CONCURRENCY_MAX: u32 = 64;
/// How long two secrets may be live, in milliseconds: 30 days.
pub const OVERLAP_MAX_MS: i64 = 30 * 86_400_000;

/// Why nothing was done with an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The URL is no target.
    #[error("url {0}")]
    Target(#[from] TargetError),
    /// The tenant has as many as it may.
    #[error("at most {ENDPOINTS_MAX} webhook endpoints of a tenant; delete one first")]
    TooMany,
    /// The tenant has as many replays as are kept.
    #[error(
        "at most {} replays of a tenant are kept; delete one first",
        super::REPLAYS_MAX
    )]
    TooManyReplays,
    /// A replay goes to one endpoint or one URL.
    #[error("name either an endpoint or a URL")]
    OneTarget,
    /// Somebody else has changed it at the same moment.
    #[error("the endpoint was changed meanwhile; try again")]
    Changed,
    /// Another reason.
    #[error(transparent)]
    Service(#[from] Error),
}

impl From<StoreError> for HookError {
    fn from(error: StoreError) -> HookError {
        HookError::Service(error.into())
    }
}

/// A result of what is done with endpoints.
pub type HookResult<T> = std::result::Result<T, HookError>;

/// Writes a new record and gives it back.
pub(super) async fn put_new(
    service: &Service,
    kind: RecordKind,
    tenant: TenantId,
    body: Arc<str>,
) -> Result<Record> {
    let put = Put {
        kind,
        id: PutId::New,
        tenant,
        owner: PutOwner::None,
        unique: None,
        expect: Expect::Absent,
        body: Some(body),
    };
    let submit = Submit {
        action: Action::Put(vec![put]),
        claim: None,
    };
    match service.store.submit(submit).await? {
        Outcome::Stored { records, .. } if records.len() == 1 => {
            let mut records = records;
            records
                .pop()
                .ok_or_else(|| unexpected(&Outcome::KeyNotFound))
        }
        Outcome::Refused(rejection) => Err(rejection.into()),
        other => Err(unexpected(&other)),
    }
}

impl Service {
    pub(super) async fn hook_records(
        &self,
        kind: RecordKind,
        tenant: TenantId,
    ) -> Result<Vec<Record>> {
        let query = RecordQuery {
            kind,
            tenant,
            owner: None,
            after: 0,
            before: u64::MAX,
            newest_first: false,
            limit: usize::MAX,
        };
        Ok(self.store.records(query).await?)
    }

    /// Makes an endpoint; it is told of everything from now on.
    ///
    /// # Errors
    /// [`HookError`].
    pub async fn create_webhook(&self, tenant: TenantId, new: NewWebhook) -> HookResult<Webhook> {
        self.tenant(tenant).await?;
        let target = self.hooks.sender.check(&new.url).await?;
        if self.webhooks(tenant).await?.len() >= ENDPOINTS_MAX {
            return Err(HookError::TooMany);
        }
        let mut facts = WebhookFacts {
            url: target.as_str().to_owned(),
            description: new.description,
            format: new.format,
            is_full: new.is_full,
            events: Vec::new(),
            accounts: Vec::new(),
            owners: Vec::new(),
            concurrency: new.concurrency.clamp(1, CONCURRENCY_MAX),
            enabled: true,
            disabled_reason: None,
            disable_after_ms: new.disable_after_ms,
            generation: 1,
            previous_until_ms: None,
            from: self.newest_event(tenant).await?.raw(),
            created_at_ms: self.store.now().0,
        };
        facts.set_filter(&new.filter);
        let record = put_new(self, RecordKind::Webhook, tenant, body(&facts)).await?;
        self.hooks.look_again();
        Ok(Webhook::read(&record)?)
    }

    /// A tenant's endpoints, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn webhooks(&self, tenant: TenantId) -> HookResult<Vec<Webhook>> {
        let records = self.hook_records(RecordKind::Webhook, tenant).await?;
        let webhooks = records.iter().map(Webhook::read);
        Ok(webhooks.collect::<std::result::Result<_, _>>()?)
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`Error::NotFound`] inside.
    pub async fn webhook(&self, tenant: TenantId, id: u64) -> HookResult<Webhook> {
        let record = self.store.record(RecordKind::Webhook, tenant, id).await?;
        let record = record.ok_or(Error::NotFound { what: "webhook" })?;
        Ok(Webhook::read(&record)?)
    }

    /// Changes an endpoint. One that is switched on again goes on where it was.
    ///
    /// # Errors
    /// [`HookError`].
    pub async fn change_webhook(
        &self,
        tenant: TenantId,
        id: u64,
        patch: WebhookPatch,
    ) -> HookResult<Webhook> {
        let mut webhook = self.webhook(tenant, id).await?;
        let facts = &mut webhook.facts;
        if let Some(url) = &patch.url {
            facts.url = self.hooks.sender.check(url).await?.as_str().to_owned();
        }
        if let Some(description) = patch.description {
            facts.description = Some(description).filter(|text| !text.is_empty());
        }
        facts.is_full = patch.is_full.unwrap_or(facts.is_full);
        if let Some(filter) = &patch.filter {
            facts.set_filter(filter);
        }
        if let Some(concurrency) = patch.concurrency {
            facts.concurrency = concurrency.clamp(1, CONCURRENCY_MAX);
        }
        facts.disable_after_ms = patch.disable_after_ms.unwrap_or(facts.disable_after_ms);
        if let Some(enabled) = patch.enabled {
            facts.enabled = enabled;
            facts.disabled_reason = None;
        }
        self.write_webhook(webhook).await
    }

    /// Counts the secret on; the one before it stays live for so long, in milliseconds.
    ///
    /// # Errors
    /// [`HookError`].
    pub async fn rotate_webhook(
        &self,
        tenant: TenantId,
        id: u64,
        overlap_ms: i64,
    ) -> HookResult<Webhook> {
        let mut webhook = self.webhook(tenant, id).await?;
        let overlap_ms = overlap_ms.clamp(0, OVERLAP_MAX_MS);
        let until = self.store.now().plus(overlap_ms);
        webhook.facts.generation = webhook.facts.generation.saturating_add(1);
        webhook.facts.previous_until_ms = Some(until.0);
        self.write_webhook(webhook).await
    }

    /// Switches an endpoint off because it fails.
    ///
    /// # Errors
    /// [`HookError`].
    pub(super) async fn disable_webhook(
        &self,
        tenant: TenantId,
        id: u64,
        reason: &str,
    ) -> HookResult<()> {
        let mut webhook = self.webhook(tenant, id).await?;
        webhook.facts.enabled = false;
        webhook.facts.disabled_reason = Some(reason.to_owned());
        self.write_webhook(webhook).await.map(drop)
    }

    async fn write_webhook(&self, webhook: Webhook) -> HookResult<Webhook> {
        let submit = Submit {
            action: Action::Put(vec![webhook.put()]),
            claim: None,
        };
        let outcome = self.store.submit(submit).await?;
        self.hooks.look_again();
        match outcome {
            Outcome::Stored { records, .. } => match &records[..] {
                [record] => Ok(Webhook::read(record)?),
                _ => Err(HookError::Changed),
            },
            Outcome::Conflict(_) => Err(HookError::Changed),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Deletes an endpoint or a replay, with what is known of its deliveries.
    ///
    /// # Errors
    /// [`Error::NotFound`] inside.
    pub async fn delete_hook(&self, kind: RecordKind, tenant: TenantId, id: u64) -> HookResult<()> {
        match kind {
            RecordKind::Webhook => drop(self.webhook(tenant, id).await?),
            _ => drop(self.one_replay(tenant, id).await?),
        }
        let progress = RecordKind::WebhookProgress;
        let has_progress = self.store.record(progress, tenant, id).await?.is_some();
        let gone = |kind| Put {
            kind,
            id: PutId::Known(id),
            tenant,
            owner: PutOwner::None,
            unique: None,
            expect: Expect::Present,
            body: None,
        };
        let mut puts = vec![gone(kind)];
        if has_progress {
            puts.push(gone(progress));
        }
        let submit = Submit {
            action: Action::Put(puts),
            claim: None,
        };
        let outcome = self.store.submit(submit).await?;
        self.hooks.look_again();
        match outcome {
            Outcome::Stored { .. } => Ok(()),
            Outcome::Conflict(_) => Err(HookError::Changed),
            other => Err(unexpected(&other).into()),
        }
    }

    /// The secrets that sign for an endpoint now, the newest first.
    #[must_use]
    pub fn webhook_secrets(&self, webhook: &Webhook) -> Vec<Secret> {
        let generations = webhook.facts.generations(self.store.now());
        let secret = |generation| self.hooks.secret(webhook.tenant, webhook.id, generation);
        generations.into_iter().map(secret).collect()
    }

    /// The secret that signs a replay to a URL.
    #[must_use]
    pub fn replay_secret(&self, tenant: TenantId, id: u64) -> Secret {
        self.hooks.secret(tenant, id, 0)
    }

    /// Transcripts, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn attempts(&self, query: AttemptQuery) -> HookResult<Vec<Attempt>> {
        Ok(self.store.attempts(query).await?)
    }

    /// Sends a delivery that only shows that deliveries arrive, and tells what became of it.
    ///
    /// # Errors
    /// [`HookError`]; not when it was not taken.
    pub async fn test_webhook(
        &self,
        tenant: TenantId,
        id: u64,
        render: &dyn Render,
    ) -> HookResult<Attempt> {
        let webhook = self.webhook(tenant, id).await?;
        let target = Target::parse(&webhook.facts.url, self.hooks.sender.policy())?;
        let now = self.store.now();
        let wanted = Wanted {
            format: webhook.facts.format,
            is_full: webhook.facts.is_full,
            published: now,
            owner: None,
        };
        let delivery_id = render.delivery_id(tenant, NO_EVENT);
        let parts = Parts {
            target: &target,
            format: webhook.facts.format,
            delivery_id: &delivery_id,
            now,
            secrets: self.webhook_secrets(&webhook),
        };
        let outgoing = parts.request(render.test(tenant, &wanted));
        let sent = self.hooks.sender.send(&outgoing).await;
        let attempt = courier::transcript(tenant, id, NO_EVENT, 1, now, &outgoing, &sent);
        self.store.add_attempts(vec![attempt.clone()]).await?;
        Ok(attempt)
    }
}
