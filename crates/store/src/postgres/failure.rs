//! What a failure of the database means to the write path.

use std::sync::Arc;

use super::connect::ConnectError;
use super::error::{Damaged, DbError, chain};
use crate::StoreError;

/// Why a transaction did not come to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Somebody else was faster, or it took too long. The same may work the next time.
    #[error("{0}")]
    Again(Arc<str>),
    /// Somebody else has what only one may have. Who looks first finds it there.
    #[error("{0}")]
    Taken(Arc<str>),
    /// An account is not as this server knew it.
    #[error("{0}")]
    Stale(Arc<str>),
    /// The connection is gone. Whatever was open on it is not committed.
    #[error("{0}")]
    Lost(Arc<str>),
    /// The database is there and takes no writes now.
    #[error("{0}")]
    Away(Arc<str>),
    /// Another server has this server's number: it was taken for dead.
    #[error("another server has taken this server's number over")]
    Fenced,
    /// What was asked cannot be done, now or later.
    #[error("{0}")]
    Impossible(Arc<str>),
    /// What is stored contradicts itself.
    #[error("{0}")]
    Corrupt(Arc<str>),
}

impl Failure {
    /// The failure that a state of SQL means (<https://www.postgresql.org/docs/15/errcodes-appendix.html>).
    pub(crate) fn of_state(state: &str, text: String) -> Failure {
        let text: Arc<str> = text.into();
        match state {
            // Serialization failure, deadlock, lock or statement that took too long.
            "40001" | "40P01" | "55P03" | "57014" => Failure::Again(text),
            // A unique key that is there already.
            "23505" => Failure::Taken(text),
            // What is written when an account is not as it was known.
            "23502" => Failure::Stale(text),
            // The server or the session is being shut down.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Failure::Lost(text),
            // A standby, or a database that was made read-only.
            "25006" => Failure::Away(text),
            _ => match state.get(..2) {
                Some("08") => Failure::Lost(text),
                // Too few resources, system errors, no login.
                Some("53" | "58" | "28" | "3D") => Failure::Away(text),
                Some("XX") => Failure::Corrupt(text),
                _ => Failure::Impossible(text),
            },
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        let text = chain(&error);
        match error.code() {
            Some(state) => Failure::of_state(state.code(), text),
            // A value that does not fit its column is our mistake; all else is the connection's.
            None if text.starts_with("error serializing") => Failure::Impossible(text.into()),
            None => Failure::Lost(text.into()),
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        Failure::Away(error.to_string().into())
    }
}

impl From<Damaged> for Failure {
    fn from(damaged: Damaged) -> Failure {
        Failure::Corrupt(damaged.to_string().into())
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Failure {
        match error {
            DbError::Database(error) => error.into(),
            DbError::Damaged(damaged) => damaged.into(),
            DbError::Away(reason) => Failure::Away(reason),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> StoreError {
        match failure {
            Failure::Corrupt(what) => StoreError::Corrupt(what),
            other => StoreError::unavailable(format!("the database: {other}")),
        }
    }
}
