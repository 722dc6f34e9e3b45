//! Closed-loop load: each connection sends its next request when the last one is answered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::client::{Answer, Connection};
use crate::histogram::Histogram;

/// Failures after which a connection gives up.
const FAILURES_MAX: u64 = 100;

/// What one connection sends, and how it reads what comes back.
pub trait Script: Send {
    /// The next request; `None` when there is nothing more to send.
    fn next(&mut self) -> Option<&[u8]>;

    /// The id of the transfer that the answer to the last request acknowledges, if it made one.
    ///
    /// # Errors
    /// What is wrong with the answer.
    fn read(&mut self, answer: &Answer<'_>) -> Result<Option<u64>, String>;
}

/// For which connection a script is.
#[derive(Clone, Copy)]
pub struct Caller {
    /// Whom it calls.
    pub address: SocketAddr,
    /// A number that no other load of this server has.
    pub run: u32,
    /// Which connection of the load, from 0.
    pub index: usize,
}

impl Caller {
    /// A number that no other caller of this server has.
    pub fn seed(&self) -> u64 {
        (u64::from(self.run) << 16) + self.index as u64
    }
}

/// Makes the script of each connection.
pub type Scripts<'a> = dyn Fn(Caller) -> Box<dyn Script> + 'a;

/// How much, and how long.
#[derive(Clone, Copy)]
pub struct Load {
    /// Connections at a time.
    pub connections: u16,
    /// How long before answers count.
    pub warm_up: Duration,
    /// How long answers count.
    pub span: Duration,
}

/// What came of it.
#[derive(Default)]
pub struct Driven {
    /// From request to answer, of the answers that arrived while they counted.
    pub latencies: Histogram,
    /// Requests ever sent, warm-up included.
    pub sent: u64,
    /// The transfers that were acknowledged.
    pub ids: Vec<u64>,
    /// Requests that were not answered as they should be.
    pub failures: u64,
    /// What was wrong with the first of these answers.
    pub failure: Option<String>,
}

impl Driven {
    fn fail(&mut self, reason: String) {
        self.failures += 1;
        self.failure.get_or_insert(reason);
    }
}

/// Sends requests from all connections until the time is up, or nothing is left to send, and every
/// answer has arrived.
///
/// # Errors
/// When it cannot connect.
pub async fn drive(
    address: SocketAddr,
    run: u32,
    load: Load,
    scripts: &Scripts<'_>,
) -> Result<Driven> {
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(Connection::open(address).await?);
    }
    let driven = Arc::new(Mutex::new(Driven::default()));
    let from = Instant::now() + load.warm_up;
    let window = Window {
        from,
        until: from + load.span,
    };
    let mut tasks = JoinSet::new();
    for (index, connection) in connections.into_iter().enumerate() {
        let one = One {
            connection,
            script: scripts(Caller {
                address,
                run,
                index,
            }),
            driven: Arc::clone(&driven),
        };
        tasks.spawn(one.run(window));
    }
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(std::mem::take(
        &mut *driven.lock().unwrap_or_else(PoisonError::into_inner),
    ))
}

/// When answers count.
#[derive(Clone, Copy)]
struct Window {
    from: Instant,
    until: Instant,
}

/// One connection and what it sends.
struct One {
    connection: Connection,
    script: Box<dyn Script>,
    driven: Arc<Mutex<Driven>>,
}

impl One {
    async fn run(mut self, window: Window) {
        let mut begun = Instant::now();
        let mut failures = 0;
        while let Some(request) = self.script.next() {
            let answer = self.connection.exchange(request).await;
            let now = Instant::now();
            let mut driven = self.driven.lock().unwrap_or_else(PoisonError::into_inner);
            driven.sent += 1;
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    driven.fail(format!("{error:#}"));
                    return;
                }
            };
            match self.script.read(&answer) {
                Ok(id) => driven.ids.extend(id),
                Err(reason) => {
                    driven.fail(reason);
                    failures += 1;
                }
            }
            if now >= window.from && now < window.until {
                driven.latencies.record(now - begun);
            }
            if now >= window.until || failures >= FAILURES_MAX {
                return;
            }
            begun = now;
        }
    }
}
