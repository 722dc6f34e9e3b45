//! The connection of the write path: statements that are prepared once, sent together and answered
//! in their order.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::connect::{BEGIN_SESSION, DatabaseUrl};
use super::failure::Failure;
use super::wire::{Prepared, Row, Wire};
use crate::words::WordMap;

/// How much later than the database the server itself gives a statement up: then the database is
/// not slow but cannot be reached.
const GRACE: Duration = Duration::from_secs(2);

/// What sessions that write begin with, besides [`BEGIN_SESSION`].
const BEGIN_WRITER: &str = "SELECT set_config('lock_timeout', $1, false)";
/// Advice to PostgreSQL's planner, which other engines need not know. These sessions look rows up
/// by key only: a plan that reads a whole table, made while it was small, must not be kept, one plan
/// for each statement is as good as one for each group, and nothing is worth being compiled.
const ADVISE: &str = "SELECT set_config('enable_seqscan', 'off', false),
    set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('jit', 'off', false)";

type Value = Box<dyn ToSql + Sync + Send>;

/// A statement with its values.
pub(crate) struct Call {
    sql: &'static str,
    values: Vec<Value>,
}

impl Call {
    pub(crate) fn new(sql: &'static str) -> Call {
        Call {
            sql,
            values: Vec::new(),
        }
    }

    /// Adds numbers as the next value.
    pub(crate) fn with_numbers(self, numbers: Vec<i64>) -> Call {
        self.with(Numbers(numbers))
    }

    fn text(&self) -> Text {
        (self.sql.as_ptr().addr(), self.sql.len())
    }

    /// Adds the next value.
    pub(crate) fn with(mut self, value: impl ToSql + Sync + Send + 'static) -> Call {
        self.values.push(Box::new(value));
        self
    }
}

/// Numbers as an array of `bigint`: of what a group writes, most of the bytes are these.
#[derive(Debug)]
struct Numbers(Vec<i64>);

impl ToSql for Numbers {
    /// One dimension that begins at 1, no nulls; then each number with its length.
    fn to_sql(
        &self,
        _ty: &Type,
        buffer: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let count = i32::try_from(self.0.len())?;
        for head in [1, 0, Type::INT8.oid().cast_signed(), count, 1] {
            buffer.put_i32(head);
        }
        buffer.reserve(self.0.len() * 12);
        for number in &self.0 {
            let mut sent = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
            sent[4..].copy_from_slice(&number.to_be_bytes());
            buffer.extend_from_slice(&sent);
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INT8_ARRAY
    }

    to_sql_checked!();
}

/// How long a session may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// One statement, and a transaction without one.
    pub statement: Duration,
    /// Waiting for a row that somebody else has locked.
    pub lock: Duration,
}

/// Where a statement's text is, and its length: texts are constants, and long to compare.
type Text = (usize, usize);

/// One connection and what was prepared on it.
pub(crate) struct Session {
    wire: Wire,
    statements: WordMap<Text, Prepared>,
    patience: Duration,
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// [`Failure::Away`] when nobody answers or lets us in.
    pub(crate) async fn open(url: &DatabaseUrl, limits: &Limits) -> Result<Session, Failure> {
        let mut session = Session {
            wire: Wire::new(url.stream().await?),
            statements: WordMap::default(),
            patience: limits.statement.saturating_add(GRACE),
        };
        let ms = |limit: Duration| limit.as_millis().to_string();
        let begin = vec![
            Call::new(BEGIN_SESSION).with(ms(limits.statement)),
            Call::new(BEGIN_WRITER).with(ms(limits.lock)),
        ];
        session.calls(begin).await?;
        match session.call(Call::new(ADVISE)).await {
            Err(Failure::Lost(reason)) => Err(Failure::Away(reason)),
            _ => Ok(session),
        }
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn call(&mut self, call: Call) -> Result<Vec<Row>, Failure> {
        Ok(self.calls(vec![call]).await?.pop().unwrap_or_default())
    }

    /// The rows of each statement. All are sent at once and done in their order; the database does
    /// nothing of what follows a statement that failed.
    ///
    /// # Errors
    /// The first failure. After [`Failure::Lost`] the session is of no use any more.
    pub(crate) async fn calls(&mut self, calls: Vec<Call>) -> Result<Vec<Vec<Row>>, Failure> {
        self.calls_while(calls, || ()).await
    }

    /// The same, and does something when the statements are on their way.
    ///
    /// # Errors
    /// As [`Session::calls`].
    pub(crate) async fn calls_while(
        &mut self,
        calls: Vec<Call>,
        sent: impl FnOnce(),
    ) -> Result<Vec<Vec<Row>>, Failure> {
        let patience = self.patience;
        let answered = tokio::time::timeout(patience, async {
            self.prepare(&calls).await?;
            let bound = calls.iter().try_for_each(|call| {
                let values = call.values.iter();
                let values = values.map(|value| &**value as &(dyn ToSql + Sync));
                self.wire.send(&self.statements[&call.text()], values)
            });
            if let Err(failure) = bound {
                self.wire.unsend();
                return Err(failure);
            }
            let statements: Vec<&Prepared> = calls
                .iter()
                .map(|call| &self.statements[&call.text()])
                .collect();
            self.wire.answers(&statements, sent).await
        });
        answered
            .await
            .unwrap_or_else(|_| Err(Failure::Lost("it does not answer".into())))
    }

    async fn prepare(&mut self, calls: &[Call]) -> Result<(), Failure> {
        let new = calls.iter().map(|call| (call.text(), call.sql));
        let missing: BTreeMap<Text, &str> = new
            .filter(|(text, _)| !self.statements.contains_key(text))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let texts: Vec<&str> = missing.values().copied().collect();
        let prepared = self.wire.prepare(&texts).await?;
        self.statements.extend(missing.into_keys().zip(prepared));
        Ok(())
    }
}
