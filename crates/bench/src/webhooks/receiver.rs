//! A receiver that takes everything, notes when the news of each transfer came, and costs little.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use service::spelling::{ID_CHARS, parse_id};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What stands before the number of a transfer in the news that it was made.
const CREATED: &[u8] = br#""type":"transfer.created""#;
const ID_FIELD: &[u8] = br#""data":{"id":"txr_"#;
const LENGTH: &[u8] = b"content-length: ";
const TAKEN: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
/// Bytes of a request.
const REQUEST_MAX: usize = 64 << 10;

/// What came.
#[derive(Default)]
struct Seen {
    deliveries: u64,
    last: Option<Instant>,
    /// When which transfer was told of.
    created: Vec<(u64, Instant)>,
}

/// See the module. It runs in a thread of its own, until the program ends.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    /// Listens.
    ///
    /// # Errors
    /// When it cannot.
    pub fn start() -> Result<Receiver> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let seen = Arc::<Mutex<Seen>>::default();
        let noting = Arc::clone(&seen);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener)?;
                loop {
                    let (stream, _) = listener.accept().await?;
                    let noting = Arc::clone(&noting);
                    // A connection ends with an error when its sender has gone.
                    tokio::spawn(async move { serve(stream, &noting).await.ok() });
                }
                #[expect(unreachable_code, reason = "it gives the block its type")]
                anyhow::Ok(())
            })
        });
        Ok(Receiver { address, seen })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many deliveries came, and when the last one did.
    pub fn count(&self) -> (u64, Option<Instant>) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.deliveries, seen.last)
    }

    /// When which transfer was told of; forgotten here.
    pub fn take_created(&self) -> Vec<(u64, Instant)> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut seen.created)
    }

    /// Waits until so many deliveries came; when the last of them did.
    ///
    /// # Errors
    /// When that takes longer than `patience`.
    pub async fn wait(&self, count: u64, patience: Duration) -> Result<Instant> {
        let begun = Instant::now();
        loop {
            let (deliveries, last) = self.count();
            if deliveries >= count {
                return last.context("nothing came");
            }
            let waited = begun.elapsed();
            ensure!(
                waited < patience,
                "{deliveries} of {count} deliveries came in {waited:.0?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Seen>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; REQUEST_MAX];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the sender has gone, or sends too much");
        filled += read;
        let Some(body) = whole(&buffer[..filled]) else {
            continue;
        };
        let created = find(body, CREATED).and_then(|_| transfer_id(body));
        {
            let now = Instant::now();
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.deliveries += 1;
            seen.last = Some(now);
            seen.created.extend(created.map(|id| (id, now)));
        }
        filled = 0;
        stream.write_all(TAKEN).await?;
    }
}

/// The body of a request that has come whole.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let head = find(bytes, b"\r\n\r\n")?;
    let at = find(&bytes[..head], LENGTH)? + LENGTH.len();
    let digits = bytes[at..].split(|byte| *byte == b'\r').next()?;
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let body = bytes.get(head + 4..)?;
    (body.len() == length).then_some(body)
}

fn transfer_id(body: &[u8]) -> Option<u64> {
    let at = find(body, ID_FIELD)? + ID_FIELD.len();
    let number = body.get(at..at + ID_CHARS)?;
    parse_id(std::str::from_utf8(number).ok()?)
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_it_is_whole() {
        let body = r#"{"id":"evt_1","type":"transfer.created","data":{"id":"txr_0000000000012"}}"#;
        let head = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", body.len());
        let request = format!("{head}{body}");
        for end in 0..request.len() {
            assert_eq!(whole(&request.as_bytes()[..end]), None);
        }
        assert_eq!(whole(request.as_bytes()), Some(body.as_bytes()));
        assert_eq!(transfer_id(body.as_bytes()), Some(34));
    }
}
