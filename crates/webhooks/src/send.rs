//! One request and its answer, both within bounds.
//!
//! Phases: resolve and check the addresses, connect to one of them, TLS, send, read the answer to its
//! end. All of it has one deadline. Connections are used again for a while, each by one target alone.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::target::{Policy, Resolve, Target, TargetError};
use crate::tls;

/// Headers that an answer may have.
const HEADERS_MAX: usize = 64;
/// Bytes of an answer's head.
const HEAD_MAX: usize = 16 * 1_024;
/// How long a connection is kept without use.
const IDLE: Duration = Duration::from_secs(5);
/// Connections that are kept for all targets together.
const KEPT_MAX: usize = 256;

/// What a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the beginning to the end of the answer.
    pub time: Duration,
    /// Bytes of the answer's body; more is a failure.
    pub body: usize,
    /// Bytes of the answer's body that are kept.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            time: Duration::from_secs(15),
            body: 64 * 1_024,
            kept: 2 * 1_024,
        }
    }
}

/// A header of a request.
pub type Header = (HeaderName, HeaderValue);

/// A header with this name and value; `None` when it is none.
#[must_use]
pub fn header(name: &'static str, value: &str) -> Option<Header> {
    let value = HeaderValue::from_str(value).ok()?;
    Some((HeaderName::from_static(name), value))
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Where to.
    pub target: Target,
    /// Its headers besides `Host` and `Content-Length`.
    pub headers: Vec<Header>,
    /// Its body.
    pub body: Bytes,
}

/// A whole answer, as far as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// What `Retry-After` says in seconds, if it says it so.
    pub retry_after_s: Option<u32>,
    /// The beginning of its body.
    pub body: Vec<u8>,
}

/// Why there was no whole answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The target may not be connected to.
    #[error("refused: {0}")]
    Refused(#[from] TargetError),
    /// The name has no address.
    #[error("the name cannot be resolved: {0}")]
    Name(String),
    /// There is no connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection is not trusted.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection broke, or what came was no answer.
    #[error("no answer: {0}")]
    Broken(String),
    /// It took too long.
    #[error("no answer in time")]
    Time,
    /// The answer was too long; its status is told.
    #[error("the answer (status {0}) was too long")]
    Long(u16),
    /// This program cannot make TLS connections.
    #[error("TLS cannot be used")]
    NoTls,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The answer, or why there was none.
    pub result: Result<Answer, Failure>,
    /// The address that was connected to.
    pub address: Option<IpAddr>,
    /// How long it took.
    pub elapsed: Duration,
}

type Connection = SendRequest<Full<Bytes>>;

/// A connection that waits to be used again.
struct Kept {
    /// Scheme, host and port.
    key: String,
    address: IpAddr,
    connection: Connection,
    since: Instant,
}

/// Sends requests.
pub struct Sender {
    policy: Policy,
    resolver: Arc<dyn Resolve>,
    limits: Limits,
    tls: Option<TlsConnector>,
    kept: Mutex<Vec<Kept>>,
}

impl Sender {
    /// A sender with the system's certificates.
    #[must_use]
    pub fn new(policy: Policy, resolver: Arc<dyn Resolve>, limits: Limits) -> Sender {
        let tls = tls::config();
        if let Err(error) = &tls {
            tracing::error!(%error, "webhooks cannot be sent over TLS");
        }
        Sender {
            policy,
            resolver,
            limits,
            tls: tls.ok().map(TlsConnector::from),
            kept: Mutex::default(),
        }
    }

    /// Where it may send to.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether a URL may be sent to by what it resolves to now. A name that does not resolve may.
    ///
    /// # Errors
    /// [`TargetError`].
    pub async fn check(&self, text: &str) -> Result<Target, TargetError> {
        let target = Target::parse(text, &self.policy)?;
        let resolved = target.resolve(&*self.resolver, &self.policy);
        if let Ok(Ok(found)) = tokio::time::timeout(self.limits.time, resolved).await {
            found?;
        }
        Ok(target)
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: &Outgoing) -> Sent {
        let begun = Instant::now();
        let mut address = None;
        let whole = self.exchange(request, &mut address);
        let result = match tokio::time::timeout(self.limits.time, whole).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Time),
        };
        Sent {
            result,
            address,
            elapsed: begun.elapsed(),
        }
    }

    async fn exchange(
        &self,
        request: &Outgoing,
        address: &mut Option<IpAddr>,
    ) -> Result<Answer, Failure> {
        let key = key_of(&request.target);
        if let Some(kept) = self.take(&key) {
            *address = Some(kept.address);
            let mut connection = kept.connection;
            match connection.send_request(head(request)?).await {
                Ok(response) => {
                    return self.finish(response, key, kept.address, connection).await;
                }
                // Closed before anything was sent: as if there had been none.
                Err(error) if error.is_canceled() || error.is_closed() => {}
                Err(error) => return Err(broken(&error)),
            }
        }
        let (mut connection, at) = self.connect(&request.target, address).await?;
        let response = connection.send_request(head(request)?).await;
        let response = response.map_err(|error| broken(&error))?;
        self.finish(response, key, at, connection).await
    }

    async fn connect(
        &self,
        target: &Target,
        address: &mut Option<IpAddr>,
    ) -> Result<(Connection, IpAddr), Failure> {
        let found = target.resolve(&*self.resolver, &self.policy).await;
        let found = found.map_err(|error| Failure::Name(error.to_string()))??;
        let stream = connect_any(&found, address).await;
        let stream = stream.map_err(|error| Failure::Connect(error.to_string()))?;
        let at = stream.peer_addr().map(|peer| peer.ip());
        let at = at.map_err(|error| Failure::Connect(error.to_string()))?;
        drop(stream.set_nodelay(true));
        if target.is_plain() {
            return Ok((shake(stream).await?, at));
        }
        let tls = self.tls.as_ref().ok_or(Failure::NoTls)?;
        let name = ServerName::try_from(target.host());
        let name = name.map_err(|error| Failure::Tls(error.to_string()))?;
        let stream = tls.connect(name, stream).await;
        let stream = stream.map_err(|error| Failure::Tls(error.to_string()))?;
        Ok((shake(stream).await?, at))
    }

    /// Reads the rest of an answer; a connection that is whole afterwards is kept.
    async fn finish(
        &self,
        mut response: Response<Incoming>,
        key: String,
        address: IpAddr,
        connection: Connection,
    ) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let retry_after_s = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        let mut length = 0_usize;
        while let Some(frame) = response.body_mut().frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            length = length.saturating_add(data.len());
            if length > self.limits.body {
                return Err(Failure::Long(status));
            }
            let room = self.limits.kept.saturating_sub(body.len());
            body.extend_from_slice(&data[..data.len().min(room)]);
        }
        self.keep(Kept {
            key,
            address,
            connection,
            since: Instant::now(),
        });
        Ok(Answer {
            status,
            retry_after_s,
            body,
        })
    }

    fn take(&self, key: &str) -> Option<Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.since.elapsed() < IDLE && !one.connection.is_closed());
        let place = kept.iter().rposition(|one| one.key == key)?;
        Some(kept.swap_remove(place))
    }

    fn keep(&self, one: Kept) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX && !one.connection.is_closed() {
            kept.push(one);
        }
    }
}

fn key_of(target: &Target) -> String {
    format!("{} {}", target.is_plain(), target.authority())
}

async fn connect_any(found: &[SocketAddr], address: &mut Option<IpAddr>) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for at in found {
        *address = Some(at.ip());
        match TcpStream::connect(at).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn shake<S>(stream: S) -> Result<Connection, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX)
        .handshake(TokioIo::new(stream))
        .await;
    let (connection, driver) = shaken.map_err(|error| broken(&error))?;
    // It ends when its connection is dropped.
    tokio::spawn(async move { drop(driver.await) });
    Ok(connection)
}

fn head(request: &Outgoing) -> Result<Request<Full<Bytes>>, Failure> {
    let mut built = Request::builder()
        .method(Method::POST)
        .uri(request.target.path_and_query())
        .header(HOST, request.target.authority());
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    let body = Full::new(request.body.clone());
    built
        .body(body)
        .map_err(|error| Failure::Broken(error.to_string()))
}

fn broken(error: &hyper::Error) -> Failure {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Failure::Broken(text)
}

#[cfg(test)]
mod tests;
