//! Looks after the deliveries of all endpoints and replays: one task for each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Millis, TenantId};
use store::RecordKind;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::courier::{Courier, Route};
use super::endpoint::Webhook;
use super::replay::Replay;
use super::{Render, Secret};
use crate::Service;
use crate::error::Result;
use crate::events::EventFilter;

/// How often it is looked for endpoints although nobody has said that there are new ones.
const LOOK: Duration = Duration::from_secs(60);
/// How long to wait when endpoints could not be read.
const RETRY: Duration = Duration::from_secs(1);
/// Deliveries of a replay that are under way at once.
const REPLAY_CONCURRENCY: u32 = 8;

/// The deliveries of one endpoint or replay.
struct Running {
    route: Route,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Service {
    /// Delivers webhooks until it is told to stop; what is under way then is sent again later.
    pub async fn deliver_webhooks(
        self: Arc<Self>,
        render: Arc<dyn Render>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut running: HashMap<(TenantId, u64), Running> = HashMap::new();
        let holder = holder();
        while !*stop.borrow() {
            let pause = match self.routes().await {
                Ok(routes) => {
                    self.adjust(&mut running, routes, &render, holder).await;
                    LOOK
                }
                Err(error) => {
                    tracing::warn!(%error, "webhooks cannot be read");
                    RETRY
                }
            };
            tokio::select! {
                () = self.hooks.changed.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
        for one in running.values() {
            one.stop.send_replace(true);
        }
        for (_, one) in running {
            drop(one.task.await);
        }
    }

    /// Ends what is not wanted any more or wanted otherwise, and begins what is new.
    async fn adjust(
        self: &Arc<Self>,
        running: &mut HashMap<(TenantId, u64), Running>,
        routes: Vec<Route>,
        render: &Arc<dyn Render>,
        holder: u64,
    ) {
        let mut wanted: HashMap<(TenantId, u64), Route> = HashMap::new();
        wanted.extend(
            routes
                .into_iter()
                .map(|route| ((route.tenant, route.id), route)),
        );
        let ended: Vec<(TenantId, u64)> = running
            .iter()
            .filter(|(key, one)| wanted.get(*key) != Some(&one.route))
            .map(|(key, _)| *key)
            .collect();
        for key in ended {
            if let Some(one) = running.remove(&key) {
                one.stop.send_replace(true);
                drop(one.task.await);
            }
        }
        for (key, route) in wanted {
            running.entry(key).or_insert_with(|| {
                let (stop, stopping) = watch::channel(false);
                let task = Courier::run(
                    Arc::clone(self),
                    Arc::clone(render),
                    route.clone(),
                    holder,
                    stopping,
                );
                Running {
                    route,
                    stop,
                    task: tokio::spawn(task),
                }
            });
        }
    }

    /// Everything that is to be delivered.
    async fn routes(&self) -> Result<Vec<Route>> {
        let mut routes = Vec::new();
        for tenant in self.store.tenants().await? {
            let records = self.hook_records(RecordKind::Webhook, tenant.id).await?;
            let mut webhooks = HashMap::new();
            for record in &records {
                let webhook = Webhook::read(record)?;
                if webhook.facts.enabled {
                    routes.push(self.endpoint_route(&webhook));
                }
                webhooks.insert(webhook.id, webhook);
            }
            for record in self.hook_records(RecordKind::Replay, tenant.id).await? {
                let replay = Replay::read(&record)?;
                let done = self.delivering(tenant.id, replay.id).await;
                if done.is_ok_and(|done| done.is_some_and(|done| done.finished)) {
                    continue;
                }
                let endpoint = replay.facts.endpoint.and_then(|id| webhooks.get(&id));
                routes.extend(self.replay_route(&replay, endpoint));
            }
        }
        Ok(routes)
    }

    fn endpoint_route(&self, webhook: &Webhook) -> Route {
        let facts = &webhook.facts;
        Route {
            tenant: webhook.tenant,
            id: webhook.id,
            url: facts.url.clone(),
            format: facts.format,
            is_full: facts.is_full,
            filter: facts.filter(),
            also: EventFilter::default(),
            concurrency: facts.concurrency,
            from: facts.from(),
            until: None,
            secrets: self.route_secrets(webhook),
            disable_after_ms: Some(facts.disable_after_ms),
        }
    }

    fn route_secrets(&self, webhook: &Webhook) -> Vec<(Secret, Option<Millis>)> {
        let facts = &webhook.facts;
        let secret = |generation| self.hooks.secret(webhook.tenant, webhook.id, generation);
        let mut secrets = vec![(secret(facts.generation), None)];
        if let Some(until) = facts.previous_until_ms
            && facts.generation > 1
        {
            let before = secret(facts.generation.saturating_sub(1));
            secrets.push((before, Some(Millis(until))));
        }
        secrets
    }

    /// A replay to an endpoint that is gone leads nowhere.
    fn replay_route(&self, replay: &Replay, endpoint: Option<&Webhook>) -> Option<Route> {
        let facts = &replay.facts;
        let shared = Route {
            tenant: replay.tenant,
            id: replay.id,
            url: String::new(),
            format: facts.format,
            is_full: facts.is_full,
            filter: facts.filter(),
            also: EventFilter::default(),
            concurrency: REPLAY_CONCURRENCY,
            from: store::Place::from_raw(facts.after),
            until: Some(store::Place::from_raw(facts.until)),
            secrets: vec![(self.replay_secret(replay.tenant, replay.id), None)],
            disable_after_ms: None,
        };
        match (endpoint, &facts.url) {
            (Some(webhook), _) => Some(Route {
                url: webhook.facts.url.clone(),
                format: webhook.facts.format,
                is_full: webhook.facts.is_full,
                also: webhook.facts.filter(),
                secrets: self.route_secrets(webhook),
                ..shared
            }),
            (None, Some(url)) if facts.endpoint.is_none() => Some(Route {
                url: url.clone(),
                ..shared
            }),
            _ => None,
        }
    }
}

/// A number that no other server has.
fn holder() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes) | 1,
        Err(_) => u64::from(std::process::id()) | 1,
    }
}
