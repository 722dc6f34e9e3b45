//! Connections to the database: one alone, or a pool of them.

mod stream;
mod tls;
mod url;

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::chain;
pub(crate) use stream::Stream;
pub use url::{DatabaseUrl, UrlError};

/// What every session that writes begins with; `$1` is how many milliseconds a statement may run,
/// and a transaction may stay open without one. A statement or a transaction that a server has left
/// behind must not keep the rows of an owner locked; a commit is answered when it is durable, so a
/// database that was told otherwise is overruled for our sessions. Compiling statements to machine
/// code costs more than any of ours runs for.
pub(crate) const BEGIN_SESSION: &str = "SELECT
    set_config('statement_timeout', $1, false),
    set_config('idle_in_transaction_session_timeout', $1, false),
    set_config('synchronous_commit',
        CASE current_setting('synchronous_commit')
            WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),
    set_config('jit', 'off', false)";

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A certificate or key cannot be used.
    #[error("TLS to the database cannot be set up: {0}")]
    Tls(String),
    /// The database did not let us in.
    #[error("no connection to {url}: {}", chain(.error))]
    Refused {
        /// The database, without the password.
        url: String,
        /// What it said, or the system.
        error: tokio_postgres::Error,
    },
    /// Nobody listens on a local socket.
    #[error("no connection to {url}: {error}")]
    Closed {
        /// The database, without the password.
        url: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// It did not answer in time.
    #[error("no connection to {url}: no answer within {} s", .within.as_secs())]
    Late {
        /// The database, without the password.
        url: String,
        /// How long was waited.
        within: Duration,
    },
    /// The pool cannot be made.
    #[error("{0}")]
    Pool(String),
}

/// How many connections there are and how long they may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolOptions {
    /// Connections at most.
    pub size: usize,
    /// How long one statement may run, and a transaction may stay open without one.
    pub statement_timeout: Duration,
    /// How long to wait for a connection that is free.
    pub wait: Duration,
}

impl DatabaseUrl {
    /// One connection. Its task ends when the client is dropped.
    pub(crate) async fn connect(&self) -> Result<Client, ConnectError> {
        let tls = self.tls()?;
        let connecting = async {
            let connected = self.config.connect(tls).await;
            connected.map_err(|error| self.refused(error))
        };
        let (client, connection) = self.in_time(connecting).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(
                    error = chain(&error),
                    "a connection to the database has ended"
                );
            }
        });
        Ok(client)
    }

    /// The time-out of the library ends when there is a socket; a server that hangs has one.
    async fn in_time<T>(
        &self,
        connecting: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let within = self.connect_timeout();
        let late = |_| ConnectError::Late {
            url: self.to_string(),
            within,
        };
        let connected = tokio::time::timeout(within, connecting).await;
        connected.map_err(late)?
    }

    /// A pool of connections, each with the settings of [`BEGIN_SESSION`]. Connects to nothing yet.
    pub(crate) fn pool(&self, options: &PoolOptions) -> Result<Pool, ConnectError> {
        let tls = self.tls()?;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(self.config.clone(), tls, recycling);
        let timeout = options.statement_timeout.as_millis().to_string();
        Pool::builder(manager)
            .max_size(options.size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(self.connect_timeout()))
            .recycle_timeout(Some(self.connect_timeout()))
            .post_create(Hook::async_fn(move |client, _| {
                let timeout = timeout.clone();
                Box::pin(async move {
                    let begun = client.execute(BEGIN_SESSION, &[&timeout]).await;
                    begun.map(drop).map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| ConnectError::Pool(error.to_string()))
    }

    /// Reads the files that the URL names.
    fn tls(&self) -> Result<MakeRustlsConnect, ConnectError> {
        Ok(MakeRustlsConnect::new(tls::client_config(&self.tls)?))
    }

    fn refused(&self, error: tokio_postgres::Error) -> ConnectError {
        ConnectError::Refused {
            url: self.to_string(),
            error,
        }
    }
}

#[cfg(test)]
mod tests;
