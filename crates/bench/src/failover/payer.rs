//! Clients that never give an order up: they send it again, under the same key, until somebody
//! acknowledges it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Connection;
use crate::multi::scripts::AMOUNT;
use crate::multi::world::{CURRENCY, World};
use crate::random::Random;

/// Between two tries of one order.
const AGAIN: Duration = Duration::from_millis(50);
/// How long an answer may take before the order is sent again.
const PATIENCE: Duration = Duration::from_secs(15);
/// Tries after which an order is given up: about a minute.
const TRIES: u32 = 1_200;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where servers can be reached at the moment.
pub(super) struct Counter(Mutex<Vec<Option<SocketAddr>>>);

impl Counter {
    pub(super) fn new(servers: usize) -> Counter {
        Counter(Mutex::new(vec![None; servers]))
    }

    pub(super) fn open(&self, index: usize, address: SocketAddr) {
        lock(&self.0)[index] = Some(address);
    }

    pub(super) fn close(&self, index: usize) {
        lock(&self.0)[index] = None;
    }

    /// One that is open, another one with each `turn`.
    fn any(&self, turn: u64) -> Option<SocketAddr> {
        let servers = lock(&self.0);
        let open: Vec<SocketAddr> = servers.iter().flatten().copied().collect();
        let index = turn.checked_rem(open.len() as u64)?;
        open.get(index as usize).copied()
    }
}

/// What was acknowledged, and when.
#[derive(Default)]
pub(super) struct Receipts {
    stopping: AtomicBool,
    retries: AtomicU64,
    /// The transfer of each order.
    all: Mutex<HashMap<String, u64>>,
    /// When the acknowledged try was sent, and when its answer came.
    times: Mutex<Vec<(Instant, Instant)>>,
    wrong: Mutex<Vec<String>>,
}

impl Receipts {
    /// No new orders from now on.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn note(&self, order: String, transfer: u64, asked: Instant) {
        lock(&self.times).push((asked, Instant::now()));
        lock(&self.all).insert(order, transfer);
    }

    pub(super) fn all(&self) -> HashMap<String, u64> {
        lock(&self.all).clone()
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        lock(&self.wrong).clone()
    }

    /// The first acknowledgement of something that was asked after a moment.
    pub(super) fn first_asked_after(&self, moment: Instant) -> Option<Instant> {
        let times = lock(&self.times);
        let after = times.iter().filter(|(asked, _)| *asked >= moment);
        after.map(|(_, answered)| *answered).min()
    }

    /// How long nothing was acknowledged around a moment: the longest time between two
    /// acknowledgements that follow each other, of those that end within ten seconds after it.
    pub(super) fn gap_from(&self, moment: Instant) -> Duration {
        let mut answered: Vec<Instant> = lock(&self.times).iter().map(|(_, at)| *at).collect();
        answered.sort_unstable();
        let end = moment + Duration::from_secs(10);
        answered
            .windows(2)
            .filter(|pair| pair[1] > moment && pair[0] < end)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or_default()
    }
}

/// One client.
pub(super) struct Payer {
    index: u16,
    world: World,
    token: String,
    counter: Arc<Counter>,
    receipts: Arc<Receipts>,
    random: Random,
    connection: Option<(SocketAddr, Connection)>,
    turn: u64,
}

impl Payer {
    pub(super) fn new(
        index: u16,
        world: &World,
        token: &str,
        counter: &Arc<Counter>,
        receipts: &Arc<Receipts>,
    ) -> Payer {
        Payer {
            index,
            world: world.clone(),
            token: token.to_owned(),
            counter: Arc::clone(counter),
            receipts: Arc::clone(receipts),
            random: Random::new(u64::from(index) + 1),
            connection: None,
            turn: u64::from(index),
        }
    }

    /// Sends orders until it is told to stop; the last one is seen to its end.
    pub(super) async fn run(mut self) {
        for number in 0_u64.. {
            if self.receipts.stopping.load(Ordering::Relaxed) {
                return;
            }
            let order = format!("order-{}-{number}", self.index);
            self.settle(order).await;
        }
    }

    async fn settle(&mut self, order: String) {
        let (source, destination) = self.random.two_of(self.world.accounts.len());
        let account =
            |index: usize| json!({"id": self.world.accounts[index], "type": "managed_accounts"});
        let body = json!({
            "profileId": self.world.profiles[0],
            "tag": order,
            "source": account(source),
            "destination": account(destination),
            "destinationAmount": {"currency": CURRENCY, "amount": AMOUNT},
        })
        .to_string();
        for _ in 0..TRIES {
            let asked = Instant::now();
            match tokio::time::timeout(PATIENCE, self.ask(&order, &body)).await {
                Ok(Ok(Some(transfer))) => return self.receipts.note(order, transfer, asked),
                Ok(Ok(None)) => {}
                Ok(Err(_)) | Err(_) => self.connection = None,
            }
            self.receipts.retries.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(AGAIN).await;
        }
        lock(&self.receipts.wrong).push(format!("{order} was given up"));
    }

    /// The transfer that was made; `None` when the server says that it cannot now.
    async fn ask(&mut self, order: &str, body: &str) -> anyhow::Result<Option<u64>> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.turn += 1;
                let Some(address) = self.counter.any(self.turn) else {
                    return Ok(None);
                };
                (address, Connection::open(address).await?)
            }
        };
        let (address, connection) = self.connection.insert(connection);
        let (key, token, length) = (&self.world.key, &self.token, body.len());
        let request = format!(
            "POST /multi/transfers HTTP/1.1\r\nHost: {address}\r\napi-key: {key}\r\n\
             Authorization: Bearer {token}\r\nidempotency-ref: {order}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = connection.exchange(request.as_bytes()).await?;
        match answer.status {
            200 => Ok(answer.number_after(br#""id":""#)),
            429 | 503 => {
                // Another server may know better.
                self.connection = None;
                Ok(None)
            }
            _ => {
                let said = answer.text();
                lock(&self.receipts.wrong).push(said);
                Ok(None)
            }
        }
    }
}
