//! Connections for reads.
//!
//! Statements are prepared once on each connection and kept. A read that finds no connection in
//! time, or loses it, is "unavailable": it has changed nothing and can be tried again.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::connect::{ConnectError, DatabaseUrl, PoolOptions};
use super::error::{Damaged, DbError};
use super::sql::BEGIN_READ;

/// The connections of one server for reads.
pub(crate) const READS: PoolOptions = PoolOptions {
    size: 16,
    statement_timeout: Duration::from_secs(10),
    wait: Duration::from_secs(3),
};

/// How much later than the database the reader itself gives a statement up: then the database is
/// not merely slow but cannot be reached.
const GRACE: Duration = Duration::from_secs(1);

/// Whether the database makes a plan for each answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// It may keep one: the best plan does not depend on the values.
    Kept,
    /// Anew each time: which filters are asked for decides which plan is good. That costs some
    /// tenths of a millisecond; a plan for all of them at once, seconds.
    Anew,
}

/// One question to the database.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub sql: &'static str,
    pub values: &'a [&'a (dyn ToSql + Sync)],
}

/// The connections that reads use.
pub(crate) struct Readers {
    pool: Pool,
    patience: Duration,
}

impl Readers {
    /// Readers that connect when they are needed first.
    ///
    /// # Errors
    /// [`ConnectError`] when there can be no pool; the database is not asked yet.
    pub(crate) fn new(url: &DatabaseUrl, options: &PoolOptions) -> Result<Readers, ConnectError> {
        Ok(Readers {
            pool: url.pool(options)?,
            patience: options.statement_timeout.saturating_add(GRACE),
        })
    }

    /// Closes every connection; reads from now on are "unavailable".
    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Runs `work` on a connection. One that does not answer in time is given up for good.
    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&Object) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let client = self.pool.get().await?;
        match tokio::time::timeout(self.patience, work(&client)).await {
            Ok(done) => done,
            Err(_) => {
                drop(Object::take(client));
                Err(DbError::Away("it does not answer".into()))
            }
        }
    }

    /// The rows of the answer.
    pub(crate) async fn rows(&self, plan: Plan, ask: Ask<'_>) -> Result<Vec<Row>, DbError> {
        self.with(async |client| {
            let statement = client.prepare_cached(ask.sql).await?;
            Ok(answer(client, plan, &statement, ask).await?)
        })
        .await
    }

    /// The answers to two questions, both of the same moment, in one trip to the database.
    pub(crate) async fn rows_at_once(
        &self,
        plan: Plan,
        one: Ask<'_>,
        other: Ask<'_>,
    ) -> Result<(Vec<Row>, Vec<Row>), DbError> {
        self.with(async |client| {
            let first = client.prepare_cached(one.sql).await?;
            let second = client.prepare_cached(other.sql).await?;
            // Each is sent when it is polled first, and so in this order. The last is always sent
            // with the others: no transaction stays open when nobody waits for the answer.
            let (begun, ones, others, ended) = tokio::join!(
                biased;
                client.batch_execute(BEGIN_READ),
                answer(client, plan, &first, one),
                answer(client, plan, &second, other),
                client.batch_execute("COMMIT"),
            );
            begun?;
            let both = (ones?, others?);
            ended?;
            Ok(both)
        })
        .await
    }

    /// The answers to questions that have the same values, all of the same moment, in one trip to
    /// the database.
    pub(crate) async fn rows_of_moment(
        &self,
        questions: &[&'static str],
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Vec<Row>>, DbError> {
        self.with(async |client| {
            let mut statements = Vec::with_capacity(questions.len());
            for sql in questions {
                statements.push(client.prepare_cached(sql).await?);
            }
            let answers = statements.iter().map(|ask| client.query(ask, values));
            // As above: sent in this order, the last always with the others.
            let (begun, answers, ended) = tokio::join!(
                biased;
                client.batch_execute(BEGIN_READ),
                join_all(answers),
                client.batch_execute("COMMIT"),
            );
            begun?;
            let answers: Result<Vec<_>, _> = answers.into_iter().collect();
            let answers = answers?;
            ended?;
            Ok(answers)
        })
        .await
    }

    /// Every row, read.
    pub(crate) async fn all<T>(
        &self,
        ask: Ask<'_>,
        read: impl Fn(&Row) -> Result<T, Damaged>,
    ) -> Result<Vec<T>, DbError> {
        all(&self.rows(Plan::Kept, ask).await?, read)
    }

    /// The only row, read.
    pub(crate) async fn one<T>(
        &self,
        ask: Ask<'_>,
        read: impl Fn(&Row) -> Result<T, Damaged>,
    ) -> Result<Option<T>, DbError> {
        one(&self.rows(Plan::Kept, ask).await?, read)
    }
}

/// Asks; `statement` is that of the question, which knows the types of its values.
async fn answer(
    client: &Object,
    plan: Plan,
    statement: &Statement,
    ask: Ask<'_>,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    match plan {
        Plan::Kept => client.query(statement, ask.values).await,
        Plan::Anew => {
            let types = statement.params().iter().cloned();
            let values: Vec<_> = ask.values.iter().copied().zip(types).collect();
            client.query_typed(ask.sql, &values).await
        }
    }
}

/// Every row, read.
pub(crate) fn all<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Damaged>,
) -> Result<Vec<T>, DbError> {
    let read: Result<Vec<T>, Damaged> = rows.iter().map(read).collect();
    Ok(read?)
}

/// The first row, read; two are an error.
pub(crate) fn one<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Damaged>,
) -> Result<Option<T>, DbError> {
    match rows {
        [] => Ok(None),
        [row] => Ok(Some(read(row)?)),
        _ => Err(DbError::damaged("two rows where there can be one")),
    }
}

#[cfg(test)]
mod tests;
