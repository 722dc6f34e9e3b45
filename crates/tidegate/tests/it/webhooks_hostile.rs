//! Receivers that mean harm, or know no better: each attempt ends within bounds, is told of, and is
//! made again; nobody else notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::harness::{World, id};
use crate::receiver::Receiver;
use crate::webhooks::endpoint;

/// More than an answer may take, in milliseconds, on a slow machine.
const LONGEST_MS: i64 = 30_000;
/// More than the system takes from a receiver that is not read from.
const BUFFERS: usize = 32 << 20;

/// What a receiver does with the first request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Harm {
    /// Says nothing.
    Hang,
    /// Sends a byte from time to time, for ever.
    Drip,
    /// Sends as much as is taken, for ever.
    Flood,
    /// The same, after it has announced ten gigabytes.
    Announce,
    /// Sends headers without an end.
    Heads,
    /// Resets the connection.
    Reset,
    /// Sends half a status line and closes.
    Cut,
    /// Answers in another protocol.
    Babble,
    /// Sends the request on to this port of the machine itself.
    Redirect(u16),
}

/// A receiver that does harm once and takes everything from then on.
struct Hostile {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    /// Bytes that were taken from it.
    sent: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Hostile {
    async fn new(harm: Harm) -> Hostile {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (asked, sent) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (asking, sending) = (Arc::clone(&asked), Arc::clone(&sent));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(
                    stream,
                    harm,
                    Arc::clone(&asking),
                    Arc::clone(&sending),
                ));
            }
        });
        Hostile {
            address,
            asked,
            sent,
            task,
        }
    }
}

/// Answers every request of a connection; does harm to the first of all connections.
async fn serve(mut stream: TcpStream, harm: Harm, asked: Arc<AtomicUsize>, sent: Arc<AtomicUsize>) {
    while read_request(&mut stream).await {
        if asked.fetch_add(1, Ordering::SeqCst) > 0 {
            let taken = b"HTTP/1.1 204 No Content\r\n\r\n";
            if stream.write_all(taken).await.is_err() {
                return;
            }
            continue;
        }
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        let (head, rest): (Vec<u8>, Vec<u8>) = match harm {
            Harm::Hang => (Vec::new(), Vec::new()),
            Harm::Drip => (chunked, b"1\r\nx\r\n".to_vec()),
            Harm::Flood => (chunked, [b"1000\r\n", &[b'x'; 4_096][..], b"\r\n"].concat()),
            Harm::Announce => (
                b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n".to_vec(),
                vec![b'x'; 4_096],
            ),
            Harm::Heads => (
                b"HTTP/1.1 200 OK\r\n".to_vec(),
                format!("x: {}\r\n", "y".repeat(1_000)).into_bytes(),
            ),
            Harm::Reset => {
                stream.set_zero_linger().expect("an open socket");
                return;
            }
            Harm::Cut => (b"HTTP/1.1 2".to_vec(), Vec::new()),
            Harm::Babble => (b"220 mail.example ESMTP\r\n\r\n".to_vec(), Vec::new()),
            Harm::Redirect(port) => {
                let to = format!("location: http://127.0.0.1:{port}/\r\ncontent-length: 0");
                let answer = format!("HTTP/1.1 307 Temporary Redirect\r\n{to}\r\n\r\n");
                drop(stream.write_all(answer.as_bytes()).await);
                continue;
            }
        };
        drop(stream.write_all(&head).await);
        if matches!(harm, Harm::Cut | Harm::Babble) {
            return;
        }
        if harm == Harm::Hang {
            // Until the other side has had enough.
            drop(stream.read(&mut [0]).await);
            return;
        }
        while stream.write_all(&rest).await.is_ok() {
            sent.fetch_add(rest.len(), Ordering::SeqCst);
            if harm == Harm::Drip {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        return;
    }
}

/// Reads one request of JSON. False at the end of the connection.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let length = lines.find_map(|line| line.strip_prefix("content-length: "));
            if length.and_then(|length| length.parse().ok()) == Some(body.len()) {
                return true;
            }
        }
        if read == 0 {
            return false;
        }
    }
}

/// The attempts of an endpoint, oldest first.
async fn attempts(world: &World, made: &Value) -> Vec<Value> {
    let path = world.path(&format!("/webhooks/{}/deliveries", id(made)));
    let mut told = world.server.admin_get(&path).await;
    let mut told: Vec<Value> = serde_json::from_value(told["data"].take()).expect("a list");
    told.reverse();
    told
}

#[tokio::test]
async fn a_receiver_that_means_harm_is_bounded_told_of_and_tried_again() {
    let world = World::new().await;
    let inside = Receiver::new().await;
    let good = Receiver::new().await;
    let told = [
        (Harm::Hang, Value::Null, "no answer in time"),
        (Harm::Drip, Value::Null, "no answer in time"),
        (Harm::Flood, Value::Null, "(status 200) was too long"),
        (Harm::Announce, Value::Null, "(status 200) was too long"),
        (Harm::Heads, Value::Null, "no answer: "),
        (Harm::Reset, Value::Null, "no answer: "),
        (Harm::Cut, Value::Null, "no answer: "),
        (Harm::Babble, Value::Null, "no answer: "),
        (Harm::Redirect(inside.address.port()), json!(307), ""),
    ];
    let mut hostile = Vec::new();
    for (harm, status, failure) in told {
        let receiver = Hostile::new(harm).await;
        let url = format!("http://{}/hook", receiver.address);
        let body = json!({"url": url, "events": ["account.*"]});
        let made = endpoint(&world, &body).await;
        hostile.push((harm, receiver, made, status, failure));
    }
    let body = json!({"url": good.url(), "events": ["account.*"]});
    endpoint(&world, &body).await;
    world.set_state(&world.trip, "block").await.expect(200);
    for (_, receiver, ..) in &hostile {
        Receiver::until(async || receiver.asked.load(Ordering::SeqCst) == 1).await;
    }
    world.set_state(&world.fund, "block").await.expect(200);
    world.set_state(&world.trip, "unblock").await.expect(200);
    // While some of them still hang, others are told.
    good.wait(3).await;
    assert!(attempts(&world, &hostile[0].2).await.is_empty());
    for (harm, receiver, made, status, failure) in &hostile {
        Receiver::until(async || attempts(&world, made).await.len() == 2).await;
        let told = attempts(&world, made).await;
        // What is about the other account is taken beside the harm.
        let taken = told.iter().find(|one| one["status"] == 204);
        assert!(taken.is_some(), "{harm:?}: {told:?}");
        let harmed = told.iter().find(|one| one["status"] != 204);
        let harmed = harmed.unwrap_or_else(|| panic!("{harm:?}: {told:?}"));
        assert_eq!(&harmed["status"], status, "{harm:?}: {harmed}");
        let said = harmed["failure"].as_str().unwrap_or_default();
        assert!(said.contains(failure), "{harm:?}: {harmed}");
        let elapsed = harmed["elapsed_ms"].as_i64().expect("milliseconds");
        assert!(elapsed < LONGEST_MS, "{harm:?}: {harmed}");
        assert_eq!(harmed["request"]["address"], "127.0.0.1", "{harm:?}");
        assert!(receiver.sent.load(Ordering::SeqCst) < BUFFERS, "{harm:?}");
        assert_eq!(receiver.asked.load(Ordering::SeqCst), 2, "{harm:?}");
    }
    assert_eq!(inside.all().len(), 0, "a redirect was followed");
    // Five seconds later all of them take what they have not taken, each in its order.
    world.advance(5_000).await;
    for (harm, receiver, made, _, _) in &hostile {
        let path = world.path(&format!("/webhooks/{}", id(made)));
        let shown = async || world.server.admin_get(&path).await["delivering"].clone();
        Receiver::until(async || shown().await["delivered"] == 3).await;
        Receiver::until(async || attempts(&world, made).await.len() == 4).await;
        assert_eq!(receiver.asked.load(Ordering::SeqCst), 4, "{harm:?}");
        let told = attempts(&world, made).await;
        let harmed = told.iter().find(|one| one["status"] != 204);
        let event = &harmed.expect("it is told still")["event_id"];
        let again = told.iter().rfind(|one| &one["event_id"] == event);
        assert_eq!(again.expect("twice")["attempt"], 2, "{harm:?}: {told:?}");
        assert_eq!(shown().await["waiting"], json!([]), "{harm:?}");
        assert_eq!(shown().await["failing_since"], Value::Null, "{harm:?}");
    }
}
