//! Closed-loop load: each connection sends its next transfer when the last one is answered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use service::spelling::{ID_CHARS, parse_id};
use tokio::task::JoinSet;

use crate::client::{Answer, Connection};
use crate::histogram::Histogram;
use crate::random::Random;

/// Cents of every transfer; the least that the API takes.
const AMOUNT: &str = "100";
/// Characters of an account id: prefix and number.
const ACCOUNT_CHARS: usize = 4 + ID_CHARS;
/// Hex digits of an idempotency key that count the requests of one connection.
const COUNT_DIGITS: usize = 12;
/// Failures after which a connection gives up.
const FAILURES_MAX: u64 = 100;
/// What stands before the number of the new transfer in an answer.
const ID_FIELD: &[u8] = br#""id":"txr_"#;

/// Whom to send transfers to, and between which accounts.
pub struct Target<'a> {
    /// The API.
    pub address: SocketAddr,
    /// The API key's secret.
    pub secret: &'a str,
    /// Ids of accounts.
    pub accounts: &'a [String],
}

/// How much, and how long.
#[derive(Clone, Copy)]
pub struct Load {
    /// Connections at a time.
    pub connections: u16,
    /// How long before answers count.
    pub warm_up: Duration,
    /// How long answers count.
    pub span: Duration,
    /// A number that no other load of this target has; part of the idempotency keys.
    pub run: u32,
}

/// What came of it.
#[derive(Default)]
pub struct Driven {
    /// From request to answer, of the answers that arrived while they counted.
    pub latencies: Histogram,
    /// Requests ever sent, warm-up included.
    pub sent: u64,
    /// The transfers that were answered with 201.
    pub ids: Vec<u64>,
    /// Requests that were not answered with 201.
    pub failures: u64,
    /// What the first of them was answered.
    pub failure: Option<String>,
}

impl Driven {
    fn fail(&mut self, reason: impl FnOnce() -> String) {
        self.failures += 1;
        self.failure.get_or_insert_with(reason);
    }
}

/// Sends transfers from all connections until the time is up and every answer has arrived.
///
/// # Errors
/// When it cannot connect.
pub async fn drive(target: &Target<'_>, load: Load) -> Result<Driven> {
    let accounts: Arc<[[u8; ACCOUNT_CHARS]]> = target
        .accounts
        .iter()
        .map(|id| {
            id.as_bytes()
                .try_into()
                .with_context(|| format!("the account id {id}"))
        })
        .collect::<Result<_>>()?;
    ensure!(accounts.len() >= 2, "a transfer needs two accounts");
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(Connection::open(target.address).await?);
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
            request: Request::new(target, load.run, index),
            accounts: Arc::clone(&accounts),
            random: Random::new((u64::from(load.run) << 16) + index as u64),
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
    request: Request,
    accounts: Arc<[[u8; ACCOUNT_CHARS]]>,
    random: Random,
    driven: Arc<Mutex<Driven>>,
}

impl One {
    async fn run(mut self, window: Window) {
        let mut begun = Instant::now();
        let mut failures = 0;
        for number in 0.. {
            let (source, destination) = self.random.two_of(self.accounts.len());
            let (source, destination) = (&self.accounts[source], &self.accounts[destination]);
            let request = self.request.next(number, source, destination);
            let answer = self.connection.exchange(request).await;
            let now = Instant::now();
            let mut driven = self.driven.lock().unwrap_or_else(PoisonError::into_inner);
            driven.sent += 1;
            let id = match answer {
                Ok(Answer { status: 201, body }) => transfer_id(body)
                    .ok_or_else(|| format!("201 without id: {}", String::from_utf8_lossy(body))),
                Ok(Answer { status, body }) => {
                    Err(format!("{status}: {}", String::from_utf8_lossy(body)))
                }
                Err(error) => {
                    driven.fail(|| format!("{error:#}"));
                    return;
                }
            };
            match id {
                Ok(id) => driven.ids.push(id),
                Err(reason) => {
                    driven.fail(|| reason);
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

/// The number of the transfer in an answer.
fn transfer_id(body: &[u8]) -> Option<u64> {
    let at = body
        .windows(ID_FIELD.len())
        .position(|window| window == ID_FIELD)?;
    let number = body.get(at + ID_FIELD.len()..)?.get(..ID_CHARS)?;
    parse_id(std::str::from_utf8(number).ok()?)
}

/// A request as bytes; of one transfer to the next only key and accounts are written anew.
struct Request {
    bytes: Vec<u8>,
    count_at: usize,
    source_at: usize,
    destination_at: usize,
}

impl Request {
    fn new(target: &Target<'_>, run: u32, connection: usize) -> Request {
        let blank = "x".repeat(ACCOUNT_CHARS);
        let body = format!(
            r#"{{"source_account_id":"{blank}","destination_account_id":"{blank}","amount_in_cents":{AMOUNT}}}"#
        );
        let key = format!("{run:08x}-{connection:04x}-4000-8000-");
        let head = format!(
            "POST /api/v1/transfers HTTP/1.1\r\nHost: {}\r\nAuthorization: ApiKey {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nIdempotency-Key: {key}",
            target.address,
            target.secret,
            body.len()
        );
        let count_at = head.len();
        let body_at = count_at + COUNT_DIGITS + 4;
        let count = "0".repeat(COUNT_DIGITS);
        let source_at = body_at + r#"{"source_account_id":""#.len();
        let between = r#"","destination_account_id":""#.len();
        Request {
            bytes: format!("{head}{count}\r\n\r\n{body}").into_bytes(),
            count_at,
            source_at,
            destination_at: source_at + ACCOUNT_CHARS + between,
        }
    }

    fn next(
        &mut self,
        number: u64,
        source: &[u8; ACCOUNT_CHARS],
        destination: &[u8; ACCOUNT_CHARS],
    ) -> &[u8] {
        let mut rest = number;
        for digit in self.bytes[self.count_at..][..COUNT_DIGITS].iter_mut().rev() {
            *digit = b"0123456789abcdef"[(rest & 15) as usize];
            rest >>= 4;
        }
        self.bytes[self.source_at..][..ACCOUNT_CHARS].copy_from_slice(source);
        self.bytes[self.destination_at..][..ACCOUNT_CHARS].copy_from_slice(destination);
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_anew_in_its_places() {
        let address = "127.0.0.1:80".parse().expect("an address");
        let target = Target {
            address,
            secret: "tg_s",
            accounts: &[],
        };
        let mut request = Request::new(&target, 7, 300);
        for (number, count) in [(0, "000000000000"), (0x1f, "00000000001f")] {
            let bytes = request
                .next(number, b"acc_1111111111111", b"acc_2222222222222")
                .to_vec();
            let text = String::from_utf8(bytes).expect("ASCII");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            assert!(
                head.contains("\r\nAuthorization: ApiKey tg_s\r\n"),
                "{head}"
            );
            assert!(
                head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())),
                "{head}"
            );
            let key = format!("\r\nIdempotency-Key: 00000007-012c-4000-8000-{count}");
            assert!(head.ends_with(&key), "{head}");
            assert_eq!(
                body,
                r#"{"source_account_id":"acc_1111111111111","destination_account_id":"acc_2222222222222","amount_in_cents":100}"#
            );
        }
    }

    #[test]
    fn the_transfer_is_found_in_an_answer() {
        let body =
            br#"{"request_id":"req_1","data":{"id":"txr_0000000000012","amount_in_cents":1}}"#;
        assert_eq!(transfer_id(body), Some(34));
        assert_eq!(transfer_id(br#"{"data":{"id":"txr_00"}}"#), None);
        assert_eq!(transfer_id(b"{}"), None);
    }
}
