//! Why a statement gave no answer, and what that means to whoever asked.

use std::error::Error as _;
use std::sync::Arc;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use crate::StoreError;

/// A stored value that is not what its column holds.
#[derive(Debug, thiserror::Error)]
#[error("column {column}: {what}")]
pub(crate) struct Damaged {
    /// Its place in the row, from 0.
    pub column: usize,
    /// What it is not, or why it cannot be read.
    pub what: Arc<str>,
}

impl Damaged {
    pub(crate) fn new(column: usize, what: impl Into<Arc<str>>) -> Damaged {
        Damaged {
            column,
            what: what.into(),
        }
    }
}

/// Why a statement or a row gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// The connection or the database.
    #[error("{}", chain(.0))]
    Database(#[from] tokio_postgres::Error),
    /// A row.
    #[error("{0}")]
    Damaged(#[from] Damaged),
    /// No connection could be had.
    #[error("{0}")]
    Away(Arc<str>),
}

impl From<PoolError> for DbError {
    fn from(error: PoolError) -> DbError {
        match error {
            PoolError::Backend(error) => DbError::Database(error),
            PoolError::Timeout(TimeoutType::Wait) => {
                DbError::Away(Arc::from("every connection is in use"))
            }
            other => DbError::Away(Arc::from(other.to_string())),
        }
    }
}

impl DbError {
    /// What [`Damaged`] says, of something that is no single column.
    pub(crate) fn damaged(what: impl Into<Arc<str>>) -> DbError {
        DbError::Damaged(Damaged::new(0, what))
    }

    /// Whether the database says that its own data is broken (SQLSTATE class XX).
    fn is_corrupt(error: &tokio_postgres::Error) -> bool {
        let state = error.code().map(SqlState::code);
        state.is_some_and(|state| state.starts_with("XX"))
    }
}

/// Rows that are damaged stay so; everything else may be better next time.
impl From<DbError> for StoreError {
    fn from(error: DbError) -> StoreError {
        match &error {
            DbError::Damaged(_) => StoreError::Corrupt(Arc::from(error.to_string())),
            DbError::Database(inner) if DbError::is_corrupt(inner) => {
                StoreError::Corrupt(Arc::from(error.to_string()))
            }
            DbError::Database(_) | DbError::Away(_) => {
                StoreError::unavailable(format!("the database: {error}"))
            }
        }
    }
}

/// The error and its causes: alone it says no more than "db error".
pub(crate) fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
