//! The deliveries of one endpoint, or of one replay: read, start, note, write down.
//!
//! Nothing that other endpoints or the ledger need is held while a receiver is slow. What is read is
//! bounded by the window, what is under way by the endpoint's concurrency. Reading pauses for
//! [`PAUSE`], so that a busy ledger is read in large steps.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::webhooks::{Outgoing, Schedule, Secret, Sent, Target, Verdict};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ledger::{IdSource, Millis, OwnerId, OwnerKind, TenantId};
use serde_json::json;
use store::{Attempt, Place};
use tokio::sync::watch;
use tokio::time::Instant;

use super::progress::{Kept, LEASE_MS, Waiting};
use super::request::Parts;
use super::window::{Landing, Started, Window};
use super::{Format, Render, Wanted};
use crate::Service;
use crate::error::Result;
use crate::events::{Event, EventFilter, EventQuery, Object};
use crate::faults::{DeliveryFault, Fault};

/// The shortest time between two reads of the log that found its end.
const PAUSE: Duration = Duration::from_millis(50);
/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_millis(100);
/// How often the progress is written while it changes, and for how many that are held a second longer
/// is waited.
const WRITE: Duration = Duration::from_secs(1);
const HELD_A_SECOND: usize = 256;
/// How often old transcripts are thrown away.
const CUT: Duration = Duration::from_secs(600);
/// Events that are read at once.
const READ: usize = 128;
/// How often it is looked whether a request has marked the transfer that it made.
const MARK: Duration = Duration::from_millis(2);
/// How long that is waited for at most.
const MARK_MAX: Duration = Duration::from_secs(2);
/// There must be room for so many before more is read, unless nothing is under way: a read costs about
/// the same for one event as for all of these.
const WORTH_READING: usize = 64;

/// Where deliveries go and which events they are.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Route {
    pub tenant: TenantId,
    /// Of the endpoint or the replay: its progress has this id, and so have transcripts.
    pub id: u64,
    pub url: String,
    pub format: Format,
    pub is_full: bool,
    pub filter: EventFilter,
    /// What a replay asks for besides.
    pub also: EventFilter,
    pub concurrency: u32,
    pub from: Place,
    /// Where a replay ends.
    pub until: Option<Place>,
    /// With the time until which each is live.
    pub secrets: Vec<(Secret, Option<Millis>)>,
    /// How long it may fail before it is switched off, in milliseconds; a replay never is.
    pub disable_after_ms: Option<i64>,
}

type Flight = Pin<Box<dyn Future<Output = Landed> + Send>>;

/// An attempt that has ended.
struct Landed {
    event: Place,
    tries: u32,
    at: Millis,
    outgoing: Option<Outgoing>,
    sent: Option<Sent>,
}

/// See the module.
pub(super) struct Courier {
    service: Arc<Service>,
    render: Arc<dyn Render>,
    route: Route,
    target: Option<Target>,
    kept: Kept,
    window: Window,
    flights: FuturesUnordered<Flight>,
    attempts: Vec<Attempt>,
    owners: HashMap<OwnerId, OwnerKind>,
    /// This server, among others.
    holder: u64,
    /// Whether there may be more to read already.
    more: bool,
    read_at: Option<Instant>,
    changed: bool,
    written_at: Instant,
    cut_at: Option<Instant>,
    /// Why the endpoint is to be switched off.
    verdict: Option<String>,
}

impl Courier {
    /// Delivers until it is told to stop, has lost the lease, or is done.
    pub(super) async fn run(
        service: Arc<Service>,
        render: Arc<dyn Render>,
        route: Route,
        holder: u64,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let opened = Courier::open(&service, &render, &route, holder).await;
            match opened {
                Ok(Some(mut courier)) => match courier.deliver(&mut stop).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(%error, webhook = route.id, "deliveries pause");
                    }
                },
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, webhook = route.id, "deliveries pause"),
            }
            let pause = Duration::from_secs(1);
            if tokio::time::timeout(pause, stop.wait_for(|stop| *stop))
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    /// Takes the deliveries over; `None` while another server has them.
    async fn open(
        service: &Arc<Service>,
        render: &Arc<dyn Render>,
        route: &Route,
        holder: u64,
    ) -> Result<Option<Courier>> {
        let store = &*service.store;
        let mut kept = Kept::find(store, route.tenant, route.id, route.from).await?;
        if service.has_peers {
            let now = store.now();
            if kept.is_taken(holder, now) {
                return Ok(None);
            }
            kept.said.holder = holder;
            kept.said.lease_until_ms = now.plus(LEASE_MS).0;
            if !kept.write(store).await? {
                return Ok(None);
            }
        }
        let mut window = Window::new(Place::from_raw(kept.said.cursor));
        for waiting in kept.said.waiting.clone() {
            let id = Place::from_raw(waiting.event);
            match service.event(route.tenant, id).await {
                Ok(event) => window.restore(event, waiting.tries, Millis(waiting.next_at_ms)),
                // A later release may not know an event of this one: it is over.
                Err(crate::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut held = Vec::with_capacity(kept.said.held.len());
        for id in &kept.said.held {
            match service.event(route.tenant, Place::from_raw(*id)).await {
                Ok(event) => held.push(event),
                Err(crate::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        window.restore_held(held);
        Ok(Some(Courier {
            target: Target::parse(&route.url, service.hooks.sender.policy()).ok(),
            service: Arc::clone(service),
            render: Arc::clone(render),
            route: route.clone(),
            kept,
            window,
            flights: FuturesUnordered::new(),
            attempts: Vec::new(),
            owners: HashMap::new(),
            holder,
            more: true,
            read_at: None,
            changed: false,
            written_at: Instant::now(),
            cut_at: None,
            verdict: None,
        }))
    }

    /// True when nothing more is to be done; false when the lease is lost.
    async fn deliver(&mut self, stop: &mut watch::Receiver<bool>) -> Result<bool> {
        let mut news = self.service.store.news();
        let mut has_news = true;
        loop {
            if *stop.borrow() {
                return self.leave().await.map(|()| true);
            }
            // Before anything is started: a server that was suspended may have lost the lease.
            if !self.keep_up().await? {
                self.write_attempts().await;
                return Ok(false);
            }
            if let Some(reason) = self.verdict.take() {
                self.leave().await?;
                tracing::warn!(
                    webhook = self.route.id,
                    reason,
                    "a webhook was switched off"
                );
                let disabled =
                    self.service
                        .disable_webhook(self.route.tenant, self.route.id, &reason);
                if let Err(error) = disabled.await {
                    tracing::warn!(%error, "a webhook could not be switched off");
                    // What has failed is tried again, and so is this.
                    return Ok(false);
                }
                return Ok(true);
            }
            self.start();
            let rested = self.read_at.is_none_or(|at| at.elapsed() >= PAUSE);
            if self.is_worth_reading() && (self.more || (has_news && rested)) {
                has_news = false;
                news.borrow_and_update();
                self.read().await?;
                self.start();
            }
            if self.is_finished() {
                self.kept.said.finished = true;
                return self.leave().await.map(|()| true);
            }
            let wake = match (has_news, self.read_at) {
                (true, Some(at)) if self.is_worth_reading() => at + PAUSE,
                _ => Instant::now() + TICK,
            };
            tokio::select! {
                Some(landed) = self.flights.next(), if !self.flights.is_empty() => {
                    self.land(landed);
                }
                changed = news.changed(), if !has_news => {
                    has_news = true;
                    if changed.is_err() {
                        return Ok(true);
                    }
                }
                () = tokio::time::sleep_until(wake) => {
                    // What other servers have committed is not told.
                    has_news |= self.service.has_peers;
                }
                changed = stop.changed() => {
                    if changed.is_err() {
                        return self.leave().await.map(|()| true);
                    }
                }
            }
        }
    }

    /// Whether there is room for many events, or for some and nothing else to do.
    fn is_worth_reading(&self) -> bool {
        match self.window.room() {
            0 => false,
            room => room >= WORTH_READING || self.flights.is_empty(),
        }
    }

    /// Whether a replay has come to its end.
    fn is_finished(&self) -> bool {
        let until = self.route.until;
        until.is_some_and(|until| self.window.read() >= until) && self.window.is_empty()
    }

    async fn read(&mut self) -> Result<()> {
        self.read_at = Some(Instant::now());
        let query = EventQuery {
            tenant: self.route.tenant,
            after: self.window.read(),
            limit: self.window.room().min(READ),
            filter: Arc::new(self.route.filter.clone()),
        };
        if self.route.until.is_some_and(|until| query.after >= until) {
            self.more = false;
            return Ok(());
        }
        let page = self.service.events(&query).await?;
        self.more = page.more;
        wait_for_marks(&self.service, self.route.tenant).await;
        for event in page.events {
            if self.route.until.is_some_and(|until| event.id > until) {
                break;
            }
            if self.route.also.wants(&event) && self.tells(&event).await? {
                let fault = self.fault_of(&event);
                self.window.push(event, fault);
            }
        }
        self.window.read_to(page.through);
        Ok(())
    }

    /// What is to go wrong with the first attempt of an event: what its transfer's request has asked
    /// for, else what is switched on for the tenant. Replays are as they should be.
    fn fault_of(&self, event: &Event) -> Option<DeliveryFault> {
        if self.route.until.is_some() {
            return None;
        }
        let marked = match &event.object {
            Object::Transfer(row) => self.service.faults.marks.of(row.transfer.id),
            _ => None,
        };
        marked.or_else(|| {
            let switched = self.service.switched_faults(self.route.tenant, true);
            switched.into_iter().find_map(|fault| match fault {
                Fault::Delivery(fault) => Some(fault),
                _ => None,
            })
        })
    }

    /// Whether the format has something to say of an event. Learns whose it is.
    async fn tells(&mut self, event: &Event) -> Result<bool> {
        if self.route.format == Format::Multi
            && let Some(owner) = event.owner()
            && !self.owners.contains_key(&owner)
        {
            let owners = self.service.store.owners(self.route.tenant).await?;
            self.owners = owners.iter().map(|owner| (owner.id, owner.kind)).collect();
        }
        let wanted = self.wanted(event, event.committed_at);
        Ok(self.render.render(event, &wanted).is_some())
    }

    fn wanted(&self, event: &Event, published: Millis) -> Wanted {
        let owner = event.owner();
        Wanted {
            format: self.route.format,
            is_full: self.route.is_full,
            published,
            owner: owner.and_then(|owner| self.owners.get(&owner).copied()),
        }
    }

    fn start(&mut self) {
        let most = usize::try_from(self.route.concurrency).unwrap_or(1);
        let free = most.saturating_sub(self.flights.len());
        if free == 0 {
            return;
        }
        let now = self.service.store.now();
        for started in self.window.start(now, free) {
            let Started {
                event,
                tries,
                fault,
            } = started;
            let outgoing = self.outgoing(&event, now, fault);
            let service = Arc::clone(&self.service);
            let id = event.id;
            self.flights.push(Box::pin(async move {
                let sent = match &outgoing {
                    Some(outgoing) => {
                        if fault == Some(DeliveryFault::Duplicate) {
                            service.hooks.sender.send(outgoing).await;
                        }
                        Some(service.hooks.sender.send(outgoing).await)
                    }
                    None => None,
                };
                Landed {
                    event: id,
                    tries,
                    at: now,
                    outgoing,
                    sent,
                }
            }));
        }
    }

    /// The request of an attempt; `None` when the URL is not allowed any more.
    fn outgoing(
        &self,
        event: &Event,
        now: Millis,
        fault: Option<DeliveryFault>,
    ) -> Option<Outgoing> {
        let target = self.target.as_ref()?;
        let rendered = self.render.render(event, &self.wanted(event, now))?;
        let live = |(secret, until): &(Secret, Option<Millis>)| {
            until
                .is_none_or(|until| now < until)
                .then(|| secret.clone())
        };
        let delivery_id = self.render.delivery_id(event.tenant, event.id);
        let secrets = match fault {
            Some(DeliveryFault::Unsigned) => Vec::new(),
            Some(DeliveryFault::BadSignature) => vec![Secret::new([0; 32])],
            _ => self.route.secrets.iter().filter_map(live).collect(),
        };
        let parts = Parts {
            target,
            format: self.route.format,
            delivery_id: &delivery_id,
            now,
            secrets,
        };
        Some(parts.request(rendered))
    }

    fn land(&mut self, landed: Landed) {
        self.changed = true;
        let now = self.service.store.now();
        let answer = landed
            .sent
            .as_ref()
            .and_then(|sent| sent.result.as_ref().ok());
        let status = answer.map(|answer| answer.status);
        let asked = answer.and_then(|answer| answer.retry_after_s);
        let schedule: Schedule = self.route.format.schedule();
        let verdict = schedule.verdict(landed.tries, status, asked);
        if let (Some(outgoing), Some(sent)) = (&landed.outgoing, &landed.sent) {
            let (tenant, id) = (self.route.tenant, self.route.id);
            let (event, tries, at) = (landed.event, landed.tries, landed.at);
            self.attempts
                .push(transcript(tenant, id, event, tries, at, outgoing, sent));
        }
        let said = &mut self.kept.said;
        if verdict == Verdict::Delivered {
            said.delivered = said.delivered.saturating_add(1);
            said.failing_since_ms = None;
        } else {
            let since = *said.failing_since_ms.get_or_insert(now.0);
            let patience = self.route.disable_after_ms;
            if patience.is_some_and(|patience| now.0.saturating_sub(since) >= patience) {
                self.verdict = Some("no delivery was taken for too long".to_owned());
            }
        }
        let landing = match verdict {
            Verdict::Retry { after_ms } => Landing::Again {
                next_at: now.plus(after_ms),
            },
            Verdict::Gone => {
                self.verdict = self
                    .route
                    .disable_after_ms
                    .map(|_| "the receiver answered that it is gone (410)".to_owned());
                Landing::Again { next_at: now }
            }
            Verdict::Failed => {
                said.failed = said.failed.saturating_add(1);
                Landing::Over
            }
            Verdict::Delivered => Landing::Over,
        };
        self.window.land(landed.event, landing);
    }

    /// Writes the progress when it is time. False when another server has taken over.
    async fn keep_up(&mut self) -> Result<bool> {
        let due = self.written_at.elapsed() >= self.pace();
        let now = self.service.store.now();
        let lease_left = self.kept.said.lease_until_ms.saturating_sub(now.0);
        let renews = self.service.has_peers && lease_left < LEASE_MS * 2 / 3;
        if self.attempts.len() >= READ || (due && !self.attempts.is_empty()) {
            self.write_attempts().await;
        }
        if (due && self.changed) || renews {
            return self.write(now.plus(LEASE_MS)).await;
        }
        Ok(true)
    }

    /// How often the progress is written: more seldom when it is long.
    fn pace(&self) -> Duration {
        let longer = u32::try_from(self.window.held_len() / HELD_A_SECOND).unwrap_or(u32::MAX);
        WRITE.saturating_mul(longer.saturating_add(1))
    }

    async fn write(&mut self, lease_until: Millis) -> Result<bool> {
        let settled = self.window.settled();
        let said = &mut self.kept.said;
        said.cursor = settled.raw();
        let retries = self.window.retries(settled).into_iter();
        said.waiting = retries
            .map(|(event, tries, next_at)| Waiting {
                event: event.raw(),
                tries,
                next_at_ms: next_at.0,
            })
            .collect();
        let held = self.window.held(settled).into_iter();
        said.held = held.map(Place::raw).collect();
        if self.service.has_peers {
            said.holder = self.holder;
            said.lease_until_ms = lease_until.0;
        }
        self.changed = false;
        self.written_at = Instant::now();
        Ok(self.kept.write(&*self.service.store).await?)
    }

    /// Notes everything and gives the deliveries back. What is under way is forgotten: it is sent
    /// again.
    async fn leave(&mut self) -> Result<()> {
        self.write_attempts().await;
        if self.changed || self.kept.said.finished || self.service.has_peers {
            self.write(Millis(0)).await?;
        }
        Ok(())
    }

    /// Transcripts are no reason to stop delivering.
    async fn write_attempts(&mut self) {
        let store = &self.service.store;
        let attempts = std::mem::take(&mut self.attempts);
        if !attempts.is_empty()
            && let Err(error) = store.add_attempts(attempts).await
        {
            tracing::warn!(%error, "transcripts of webhooks are lost");
        }
        if self.cut_at.is_none_or(|at| at.elapsed() >= CUT) {
            self.cut_at = Some(Instant::now());
            let before = store
                .now()
                .plus(self.service.hooks.keep_ms.saturating_neg());
            let before = IdSource::first_at(before);
            let cut = store.cut_attempts(self.route.tenant, self.route.id, before);
            if let Err(error) = cut.await {
                tracing::warn!(%error, "old transcripts of webhooks stay");
            }
        }
    }
}

/// Requests that are about to say what is to go wrong with deliveries are let finish.
async fn wait_for_marks(service: &Service, tenant: TenantId) {
    let patience = Instant::now() + MARK_MAX;
    while service.faults.marks.is_coming(tenant) && Instant::now() < patience {
        tokio::time::sleep(MARK).await;
    }
}

/// What is kept of an attempt.
pub(super) fn transcript(
    tenant: TenantId,
    endpoint: u64,
    event: Place,
    tries: u32,
    at: Millis,
    outgoing: &Outgoing,
    sent: &Sent,
) -> Attempt {
    /// Tells attempts of one millisecond apart.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let low = NEXT.fetch_add(1, Ordering::Relaxed) & 0xffff;
    let headers: serde_json::Map<String, serde_json::Value> = outgoing
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
        .collect();
    let request = json!({
        "url": outgoing.target.as_str(),
        "address": sent.address.map(|address| address.to_string()),
        "headers": headers,
        "body": String::from_utf8_lossy(&outgoing.body),
    });
    let answer = sent.result.as_ref().ok();
    Attempt {
        tenant,
        endpoint,
        id: IdSource::first_at(at) | low,
        event,
        tries,
        at,
        elapsed_ms: i64::try_from(sent.elapsed.as_millis()).unwrap_or(i64::MAX),
        status: answer.map(|answer| answer.status),
        failure: sent
            .result
            .as_ref()
            .err()
            .map(|failure| Arc::from(failure.to_string())),
        request: request.to_string().into(),
        answer: answer
            .map(|answer| String::from_utf8_lossy(&answer.body).into_owned())
            .unwrap_or_default()
            .into(),
    }
}
