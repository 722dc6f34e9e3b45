//! How the engine is opened, and why it is not.

use std::sync::Arc;
use std::time::Duration;

use super::connect::{ConnectError, DatabaseUrl};
use super::copy::UNFINISHED;
use super::failure::Failure;
use super::faults::Faults;
use super::migrate::MigrateError;
use super::pool::READS;
use super::session::Limits;
use crate::clock::{Clock, SystemClock};

/// How transactions are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Isolation {
    /// By the locks that they take. The default.
    #[default]
    ReadCommitted,
    /// By the database too: it makes those who were too late try again.
    Serializable,
}

/// How to open the engine.
#[derive(Clone)]
pub struct Options {
    /// The database. Its tables must be there ([`Migrator`]).
    pub url: DatabaseUrl,
    /// The machine's clock. The clocks of all servers must agree within a second.
    pub clock: Arc<dyn Clock>,
    /// What the server is called in the database, for operators.
    pub name: Arc<str>,
    /// How transactions are kept apart.
    pub isolation: Isolation,
    /// Connections for reads at most. Two more write and look around.
    pub read_connections: usize,
    /// How long the database works on one statement at most, and a transaction stays open without
    /// one.
    pub statement_timeout: Duration,
    /// How long to wait for rows that another server has locked.
    pub lock_timeout: Duration,
    /// How long requests wait for a database that is away before they are refused.
    pub patience: Duration,
    /// How long a server that has died keeps its number and its share of the waiting work.
    pub lease: Duration,
    /// What tells this process from others with the same number; random when not given.
    pub instance: Option<i64>,
    /// Faults, for tests.
    pub faults: Option<Arc<dyn Faults>>,
}

impl Options {
    /// The usual options for a database.
    #[must_use]
    pub fn new(url: DatabaseUrl) -> Options {
        Options {
            url,
            clock: Arc::new(SystemClock),
            name: Arc::from("tidegate"),
            isolation: Isolation::default(),
            read_connections: READS.size,
            statement_timeout: READS.statement_timeout,
            lock_timeout: Duration::from_secs(5),
            patience: Duration::from_secs(2),
            lease: Duration::from_secs(10),
            instance: None,
            faults: None,
        }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            statement: self.statement_timeout,
            lock: self.lock_timeout,
        }
    }
}

/// Why the engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The tables are not there, or not those of this program.
    #[error(transparent)]
    Tables(#[from] MigrateError),
    /// The tables are of an older program, or were never made.
    #[error("{missing} of the tables' {known} steps are missing; run `tidegate migrate`")]
    Behind {
        /// Steps that are missing.
        missing: usize,
        /// Steps of this program.
        known: usize,
    },
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database did not let this server in.
    #[error("the database: {0}")]
    Database(String),
    /// The database is being filled.
    #[error("{UNFINISHED}")]
    Unfinished,
    /// There are no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// No thread could be started.
    #[error("the committer's thread cannot be started: {0}")]
    Thread(std::io::Error),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> OpenError {
        OpenError::Database(failure.to_string())
    }
}
