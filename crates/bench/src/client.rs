//! An HTTP/1.1 client that costs little, because it shares the processors with what it measures.
//!
//! One request at a time on each connection. Requests are bytes that were made beforehand; of the
//! answer only the status line and the length are looked at.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes that a connection has room for at first; more is made as needed.
const BUFFER: usize = 4096;
/// Bytes of a head, and of a body.
const HEAD_MAX: usize = 16 << 10;
const BODY_MAX: usize = 64 << 20;

/// A kept-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The answer to one request.
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// Status and body as text, to tell what is wrong with them.
    pub fn text(&self) -> String {
        format!("{}: {}", self.status, String::from_utf8_lossy(self.body))
    }

    /// The bytes that follow `before` in the body.
    pub fn after(&self, before: &[u8]) -> Option<&[u8]> {
        let mut windows = self.body.windows(before.len());
        let at = windows.position(|window| window == before)?;
        self.body.get(at + before.len()..)
    }

    /// The decimal number that follows `before` in the body.
    pub fn number_after(&self, before: &[u8]) -> Option<u64> {
        let rest = self.after(before)?;
        let end = rest.iter().position(|byte| !byte.is_ascii_digit());
        std::str::from_utf8(rest.get(..end?)?).ok()?.parse().ok()
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            buffer: vec![0; BUFFER],
        })
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// When the connection breaks or the answer cannot be understood.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            filled += self.fill(filled).await?;
            if let Some(head) = parse_head(&self.buffer[..filled])? {
                break head;
            }
            ensure!(filled < HEAD_MAX, "the head of an answer has no end");
        };
        let end = head.bytes + head.body_bytes;
        while filled < end {
            filled += self.fill(filled).await?;
        }
        ensure!(
            filled == end,
            "bytes follow the answer that nobody asked for"
        );
        Ok(Answer {
            status: head.status,
            body: &self.buffer[head.bytes..end],
        })
    }

    async fn fill(&mut self, filled: usize) -> Result<usize> {
        if filled == self.buffer.len() {
            self.buffer.resize(filled * 2, 0);
        }
        let read = self.stream.read(&mut self.buffer[filled..]).await?;
        ensure!(read > 0, "the connection was closed");
        Ok(read)
    }
}

/// What counts in the head of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Head {
    status: u16,
    /// Length of the head, the empty line included.
    bytes: usize,
    body_bytes: usize,
}

/// The head at the front of `bytes`; `None` while it has not arrived whole.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let mut lines = bytes[..end].split(|byte| *byte == b'\n');
    let status_line = lines.next().unwrap_or_default();
    let status = status_line
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| parse_number(rest.get(..3)?))
        .context("an answer without a status")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(LENGTH.len())?;
        name.eq_ignore_ascii_case(LENGTH).then_some(value)
    });
    let length = length.and_then(|value| parse_number(value.trim_ascii()));
    let body_bytes = match length {
        Some(length) => length,
        None if status == 204 => 0,
        None => bail!("an answer without a length"),
    };
    ensure!(body_bytes <= BODY_MAX, "an answer of {body_bytes} bytes");
    Ok(Some(Head {
        status: u16::try_from(status)?,
        bytes: end + 4,
        body_bytes,
    }))
}

const LENGTH: &[u8] = b"content-length:";

fn parse_number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + usize::from(digit - b'0'))
    })
}

/// A connection that speaks JSON with fixed credentials, for everything that is not measured.
pub struct JsonClient {
    connection: Connection,
    /// The lines of every head from `Host` on, up to the length.
    headers: String,
}

impl JsonClient {
    /// Connects; `credentials` are headers and their values.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn open(address: SocketAddr, credentials: &[(&str, &str)]) -> Result<JsonClient> {
        let connection = Connection::open(address).await?;
        let mut headers = format!("Host: {address}\r\nContent-Type: application/json\r\n");
        for (name, value) in credentials {
            headers.extend([name, ": ", value, "\r\n"]);
        }
        Ok(JsonClient {
            connection,
            headers,
        })
    }

    /// `GET`, the body as bytes.
    ///
    /// # Errors
    /// When the answer is anything but a success.
    pub async fn get_bytes(&mut self, path: &str) -> Result<&[u8]> {
        self.call("GET", path, "").await
    }

    /// `GET`.
    ///
    /// # Errors
    /// When the answer is anything but JSON and a success.
    pub async fn get(&mut self, path: &str) -> Result<Value> {
        Ok(serde_json::from_slice(self.call("GET", path, "").await?)?)
    }

    /// `GET`; `None` when the server says that it cannot answer now.
    ///
    /// # Errors
    /// When the answer is anything else but JSON and a success.
    pub async fn get_if_available(&mut self, path: &str) -> Result<Option<Value>> {
        let answer = self.ask("GET", path, "").await?;
        if answer.status == 503 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(success("GET", path, answer)?)?))
    }

    /// `POST`.
    ///
    /// # Errors
    /// When the answer is anything but JSON and a success.
    pub async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        Ok(serde_json::from_slice(
            self.call("POST", path, &body.to_string()).await?,
        )?)
    }

    /// `POST` without a body, to something that answers without one.
    ///
    /// # Errors
    /// When the answer is anything but a success.
    pub async fn act(&mut self, path: &str) -> Result<()> {
        self.call("POST", path, "").await?;
        Ok(())
    }

    /// `PUT`.
    ///
    /// # Errors
    /// When the answer is anything but JSON and a success.
    pub async fn put(&mut self, path: &str, body: &Value) -> Result<Value> {
        Ok(serde_json::from_slice(
            self.call("PUT", path, &body.to_string()).await?,
        )?)
    }

    /// `PATCH`.
    ///
    /// # Errors
    /// When the answer is anything but JSON and a success.
    pub async fn patch(&mut self, path: &str, body: &Value) -> Result<Value> {
        Ok(serde_json::from_slice(
            self.call("PATCH", path, &body.to_string()).await?,
        )?)
    }

    async fn call(&mut self, method: &str, path: &str, body: &str) -> Result<&[u8]> {
        success(method, path, self.ask(method, path, body).await?)
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Answer<'_>> {
        let JsonClient {
            connection,
            headers,
        } = self;
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        let answer = connection.exchange(request.as_bytes()).await;
        answer.with_context(|| format!("{method} {path}"))
    }
}

/// The body of an answer that is a success.
fn success<'a>(method: &str, path: &str, answer: Answer<'a>) -> Result<&'a [u8]> {
    let Answer { status, body } = answer;
    ensure!(
        (200..300).contains(&status),
        "{method} {path} was answered {status}: {}",
        String::from_utf8_lossy(body)
    );
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &str, expected: Option<(u16, usize, usize)>) {
        let head = parse_head(bytes.as_bytes()).expect("a head");
        assert_eq!(
            head.map(|head| (head.status, head.bytes, head.body_bytes)),
            expected
        );
    }

    #[test]
    fn a_head_is_taken_when_it_is_whole() {
        let whole = "HTTP/1.1 201 Created\r\ncontent-type: x\r\ncontent-length: 12\r\n\r\n";
        for end in 0..whole.len() {
            check(&whole[..end], None);
        }
        check(whole, Some((201, whole.len(), 12)));
        check(&format!("{whole}{{\r\n\r\n"), Some((201, whole.len(), 12)));
    }

    #[test]
    fn the_length_is_found_in_any_case_and_place() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length:7\r\ndate: x\r\n\r\n";
        check(head, Some((200, head.len(), 7)));
        let head = "HTTP/1.1 200 OK\r\ndate: x\r\nCONTENT-LENGTH:  0 \r\n\r\n";
        check(head, Some((200, head.len(), 0)));
        let head = "HTTP/1.1 204 No Content\r\n\r\n";
        check(head, Some((204, head.len(), 0)));
    }

    #[test]
    fn numbers_are_found_in_a_body() {
        let answer = Answer {
            status: 200,
            body: br#"{"id":"17","count":5,"responseCount":2,"last":9"#,
        };
        assert_eq!(answer.number_after(br#""id":""#), Some(17));
        assert_eq!(answer.number_after(br#""count":"#), Some(5));
        assert_eq!(answer.number_after(br#""missing":"#), None);
        // A number that nothing follows may have been cut.
        assert_eq!(answer.number_after(br#""last":"#), None);
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        for wrong in [
            "\r\n\r\n",
            "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\ncontent-length: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n",
        ] {
            assert!(parse_head(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
