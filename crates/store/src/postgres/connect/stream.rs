//! A connection as a stream of bytes: opened, encrypted and logged in by the library, and then taken
//! out of its hands, for [`Wire`](crate::postgres::wire::Wire) to speak on.
//!
//! The library finds the host, opens the socket and logs in. It keeps the stream that its TLS connector
//! makes, so the connector given to it makes one that can be taken back, with TLS or, if that was what
//! the URL says, without.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::UnixStream;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ConnectError, DatabaseUrl};

/// The port when the URL names none.
const PORT: u16 = 5_432;
/// Asks whether the server speaks TLS
/// (<https://www.postgresql.org/docs/15/protocol-message-formats.html>).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What a connection is made of.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

impl DatabaseUrl {
    /// A connection that is logged in, and on which nothing has been said.
    pub(crate) async fn stream(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let hosts = self.config.get_hosts();
        let dirs = hosts
            .iter()
            .enumerate()
            .filter_map(|(at, host)| match host {
                Host::Unix(dir) => Some((at, dir)),
                Host::Tcp(_) => None,
            });
        let sockets: Vec<_> = dirs
            .map(|(at, dir)| dir.join(format!(".s.PGSQL.{}", port(&self.config, at))))
            .collect();
        if sockets.is_empty() || sockets.len() < hosts.len() {
            return self.in_time(self.remote()).await;
        }
        let mut refused = None;
        for socket in sockets {
            match self.in_time(self.local(&socket)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| ConnectError::Tls("there is no host".to_owned())))
    }

    async fn local(&self, socket: &std::path::Path) -> Result<Box<dyn Stream>, ConnectError> {
        let opened = UnixStream::connect(socket).await;
        let mut stream = opened.map_err(|error| ConnectError::Closed {
            url: self.to_string(),
            error,
        })?;
        let logged_in = self.config.connect_raw(&mut stream, NoTls).await;
        drop(logged_in.map_err(|error| self.refused(error))?);
        Ok(Box::new(stream))
    }

    async fn remote(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let taken = Taken::default();
        let connector = Connector {
            tls: self.tls()?,
            mode: self.config.get_ssl_mode(),
            negotiation: self.config.get_ssl_negotiation(),
            taken: taken.clone(),
        };
        let mut config = self.config.clone();
        // The connector does what the URL says; the library only has to call it.
        config.ssl_mode(SslMode::Require);
        config.ssl_negotiation(SslNegotiation::Direct);
        if config.get_hosts().is_empty() {
            let addresses = config.get_hostaddrs().to_vec();
            for address in addresses {
                config.host(address.to_string());
            }
        }
        let logged_in = config.connect(connector).await;
        drop(logged_in.map_err(|error| self.refused(error))?);
        let stream = taken.lock().take();
        stream.ok_or_else(|| ConnectError::Tls("the connection was lost".to_owned()))
    }
}

fn port(config: &Config, at: usize) -> u16 {
    let ports = config.get_ports();
    ports.get(at).or(ports.first()).copied().unwrap_or(PORT)
}

/// Where the library's stream is, for as long as it logs in and afterwards.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Option<Box<dyn Stream>>>>);

impl Taken {
    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Stream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll<T>(
        &self,
        poll: impl FnOnce(Pin<&mut dyn Stream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self.lock().as_deref_mut() {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

/// Opens [`Lent`] streams.
struct Connector {
    tls: MakeRustlsConnect,
    mode: SslMode,
    negotiation: SslNegotiation,
    taken: Taken,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Lent;
    type TlsConnect = Opening;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Opening> {
        let Ok(tls) = MakeTlsConnect::<Socket>::make_tls_connect(&mut self.tls, host);
        Ok(Opening {
            tls,
            mode: self.mode,
            negotiation: self.negotiation,
            taken: self.taken.clone(),
        })
    }
}

/// One that is being opened.
struct Opening {
    tls: <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect,
    mode: SslMode,
    negotiation: SslNegotiation,
    taken: Taken,
}

impl TlsConnect<Socket> for Opening {
    type Stream = Lent;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Lent>>;

    fn connect(self, mut socket: Socket) -> Self::Future {
        Box::pin(async move {
            let direct = self.negotiation == SslNegotiation::Direct;
            let encrypted = match self.mode {
                SslMode::Disable => false,
                _ if direct => true,
                mode => {
                    socket.write_all(&SSL_REQUEST).await?;
                    let answer = socket.read_u8().await?;
                    if answer != b'S' && mode == SslMode::Require {
                        return Err(io::Error::other("server does not support TLS"));
                    }
                    answer == b'S'
                }
            };
            let (stream, endpoint): (Box<dyn Stream>, _) = if encrypted {
                let stream = self.tls.connect(socket).await?;
                let binding = stream.channel_binding();
                (Box::new(stream), binding)
            } else {
                (Box::new(socket), ChannelBinding::none())
            };
            *self.taken.lock() = Some(stream);
            Ok(Lent {
                taken: self.taken,
                binding: Mutex::new(Some(endpoint)),
            })
        })
    }
}

/// The stream while the library has it.
struct Lent {
    taken: Taken,
    /// Asked for once.
    binding: Mutex<Option<ChannelBinding>>,
}

impl TlsStream for Lent {
    fn channel_binding(&self) -> ChannelBinding {
        let mut binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner);
        binding.take().unwrap_or_else(ChannelBinding::none)
    }
}

impl AsyncRead for Lent {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.taken.poll(|stream| stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Lent {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.taken.poll(|stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.taken.poll(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.taken.poll(|stream| stream.poll_shutdown(context))
    }
}
