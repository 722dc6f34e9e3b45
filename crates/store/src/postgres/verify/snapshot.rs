//! One moment of the database, read from end to end.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::postgres::connect::{BEGIN_SESSION, DatabaseUrl};
use crate::postgres::error::{Damaged, chain};
use crate::postgres::rows;
use crate::postgres::sql::BEGIN_READ;
use crate::verify::{VerifyError, difference};

/// Rows of a page.
const PAGE: i64 = 1_000;

/// A table in the order of a key.
pub(in crate::postgres) struct Walk {
    pub table: &'static str,
    /// Takes the key of the row before as its first parameters, then the number of rows.
    pub sql: &'static str,
    /// Where the key is in the row.
    pub key: &'static [usize],
}

/// A connection in a transaction that sees one moment. It ends with this.
pub(in crate::postgres) struct Snapshot {
    client: Client,
}

fn unreadable(error: &tokio_postgres::Error) -> VerifyError {
    VerifyError::Unreadable(format!("the database cannot be read: {}", chain(error)))
}

/// What is wrong about a row.
pub(in crate::postgres) enum Wrong {
    /// It cannot be read.
    Damaged(Damaged),
    /// It is not what it should be.
    Differs(String),
}

impl From<Damaged> for Wrong {
    fn from(error: Damaged) -> Wrong {
        Wrong::Damaged(error)
    }
}

/// A row that is not what it should be.
pub(in crate::postgres) fn differs<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Differs(what.into()))
}

impl Wrong {
    fn of(self, table: &str) -> VerifyError {
        match self {
            Wrong::Damaged(error) => difference(format!("{table}: a row is damaged, {error}")),
            Wrong::Differs(what) => difference(what),
        }
    }
}

impl Snapshot {
    pub(in crate::postgres) async fn open(url: &DatabaseUrl) -> Result<Snapshot, VerifyError> {
        let connected = url.connect().await;
        let client = connected.map_err(|error| VerifyError::Unreadable(error.to_string()))?;
        // Whole tables are read: no statement may be given up for taking long.
        let forever: &(dyn ToSql + Sync) = &"0";
        let begun = client.execute(BEGIN_SESSION, &[forever]).await;
        begun.map_err(|error| unreadable(&error))?;
        let begun = client.batch_execute(BEGIN_READ).await;
        begun.map_err(|error| unreadable(&error))?;
        Ok(Snapshot { client })
    }

    /// Hands every row to `take`, in no particular order.
    pub(in crate::postgres) async fn each(
        &self,
        table: &str,
        sql: &'static str,
        mut take: impl FnMut(&Row) -> Result<(), Wrong>,
    ) -> Result<(), VerifyError> {
        let none: [&(dyn ToSql + Sync); 0] = [];
        let rows = self.client.query_raw(sql, none).await;
        let mut rows = pin!(rows.map_err(|error| unreadable(&error))?);
        while let Some(row) = rows.try_next().await.map_err(|error| unreadable(&error))? {
            take(&row).map_err(|wrong| wrong.of(table))?;
        }
        Ok(())
    }

    /// The rows of one statement.
    pub(in crate::postgres) async fn rows(
        &self,
        sql: &'static str,
        numbers: &[i64],
    ) -> Result<Vec<Row>, VerifyError> {
        let values: Vec<&(dyn ToSql + Sync)> = numbers.iter().map(|number| number as _).collect();
        let rows = self.client.query(sql, &values).await;
        rows.map_err(|error| unreadable(&error))
    }

    /// Hands every row to `take`, in the order of the key.
    pub(in crate::postgres) async fn walk(
        &self,
        walk: &Walk,
        mut take: impl FnMut(&Row) -> Result<(), Wrong>,
    ) -> Result<(), VerifyError> {
        let statement = self.client.prepare(walk.sql).await;
        let statement = statement.map_err(|error| unreadable(&error))?;
        let mut key = vec![i64::MIN; walk.key.len()];
        loop {
            let numbers = key.iter().chain([&PAGE]);
            let values: Vec<&(dyn ToSql + Sync)> = numbers.map(|number| number as _).collect();
            let page = self.client.query(&statement, &values).await;
            let page = page.map_err(|error| unreadable(&error))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            let next = walk.key.iter().map(|column| rows::get(last, *column));
            let next: Result<Vec<i64>, Damaged> = next.collect();
            key = next.map_err(|error| Wrong::Damaged(error).of(walk.table))?;
            let taken = page.iter().try_for_each(&mut take);
            taken.map_err(|wrong| wrong.of(walk.table))?;
        }
    }
}
