//! PostgreSQL's extended query protocol, as the write path needs it: many statements are sent together
//! and end with one `Sync`, so the database answers all of them at once, and does nothing of what
//! follows one that failed (<https://www.postgresql.org/docs/15/protocol-flow.html>).
//!
//! The library that everything else uses ends each statement with a `Sync` of its own: then the
//! database answers each in a packet of its own, and both sides are woken for each.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};
use postgres_protocol::message::frontend::{self, BindError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::connect::Stream;
use super::error::Damaged;
use super::failure::Failure;
use super::rows::Columns;

/// Bytes that are read at a time, at least.
const CHUNK: usize = 16 * 1024;

/// A statement that the database has prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    name: String,
    parameters: Vec<Type>,
    columns: Arc<[Type]>,
}

/// A row, as it came.
#[derive(Debug)]
pub(crate) struct Row {
    columns: Arc<[Type]>,
    values: Vec<Option<Range<usize>>>,
    bytes: Bytes,
}

impl Columns for Row {
    fn value<'a, T: FromSql<'a>>(&'a self, column: usize) -> Result<T, Damaged> {
        let (Some(ty), Some(value)) = (self.columns.get(column), self.values.get(column)) else {
            return Err(Damaged::new(column, "there is no such column"));
        };
        if !T::accepts(ty) {
            return Err(Damaged::new(column, format!("of type {ty}")));
        }
        let bytes = value.clone().and_then(|range| self.bytes.get(range));
        T::from_sql_nullable(ty, bytes).map_err(|error| Damaged::new(column, error.to_string()))
    }
}

/// A connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    /// What was not sent yet.
    output: BytesMut,
    /// What was received and not read.
    input: BytesMut,
    /// Statements that were prepared.
    prepared: usize,
    /// Whether everything that was asked was answered.
    is_idle: bool,
}

impl Wire {
    /// A connection that is logged in.
    pub(crate) fn new(stream: Box<dyn Stream>) -> Wire {
        Wire {
            stream,
            output: BytesMut::new(),
            input: BytesMut::new(),
            prepared: 0,
            is_idle: true,
        }
    }

    /// Has statements prepared.
    ///
    /// # Errors
    /// The first failure; then the connection is of no use if it is [`Failure::Lost`].
    pub(crate) async fn prepare(&mut self, texts: &[&str]) -> Result<Vec<Prepared>, Failure> {
        let mut made: Vec<Prepared> = Vec::with_capacity(texts.len());
        for text in texts {
            self.prepared += 1;
            let name = format!("s{}", self.prepared);
            let parse = frontend::parse(&name, text, [], &mut self.output);
            parse.map_err(unsendable)?;
            frontend::describe(b'S', &name, &mut self.output).map_err(unsendable)?;
            made.push(Prepared {
                name,
                parameters: Vec::new(),
                columns: Arc::default(),
            });
        }
        let mut at = 0;
        let answered = self.round(
            || (),
            |message| {
                let Some(statement) = made.get_mut(at) else {
                    return Err(unexpected());
                };
                match message {
                    Message::ParseComplete => {}
                    Message::ParameterDescription(body) => {
                        statement.parameters = body.parameters().map(type_of).collect()?;
                    }
                    Message::RowDescription(body) => {
                        let types = body.fields().map(|field| type_of(field.type_oid()));
                        statement.columns = types.collect::<Vec<_>>()?.into();
                        at += 1;
                    }
                    Message::NoData => at += 1,
                    _ => return Err(unexpected()),
                }
                Ok(())
            },
        );
        answered.await?;
        Ok(made)
    }

    /// Adds a statement to what is sent with the next [`Wire::answers`].
    ///
    /// # Errors
    /// [`Failure::Impossible`] of a value that does not fit its place.
    pub(crate) fn send<'a>(
        &mut self,
        statement: &Prepared,
        values: impl ExactSizeIterator<Item = &'a (dyn ToSql + Sync)>,
    ) -> Result<(), Failure> {
        if values.len() != statement.parameters.len() {
            return Err(Failure::Impossible("too few or too many values".into()));
        }
        let before = self.output.len();
        let bound = frontend::bind(
            "",
            &statement.name,
            [1],
            values.zip(&statement.parameters),
            |(value, ty), buffer| match value.to_sql_checked(ty, buffer)? {
                tokio_postgres::types::IsNull::Yes => Ok(postgres_protocol::IsNull::Yes),
                tokio_postgres::types::IsNull::No => Ok(postgres_protocol::IsNull::No),
            },
            [1],
            &mut self.output,
        );
        if let Err(error) = bound {
            self.output.truncate(before);
            return Err(match error {
                BindError::Conversion(error) => Failure::Impossible(error.to_string().into()),
                BindError::Serialization(error) => unsendable(error),
            });
        }
        frontend::execute("", 0, &mut self.output).map_err(unsendable)
    }

    /// Forgets what [`Wire::send`] added.
    pub(crate) fn unsend(&mut self) {
        self.output.clear();
    }

    /// Sends what was added, and gives the rows of each statement. Calls `sent` when the database has
    /// what it takes at once.
    ///
    /// # Errors
    /// The first failure; nothing of the statements after it was done. The connection is of no use if
    /// it is [`Failure::Lost`].
    pub(crate) async fn answers(
        &mut self,
        statements: &[&Prepared],
        sent: impl FnOnce(),
    ) -> Result<Vec<Vec<Row>>, Failure> {
        let mut answers = Vec::with_capacity(statements.len());
        let mut rows = Vec::new();
        let answered = self.round(sent, |message| {
            let Some(statement) = statements.get(answers.len()) else {
                return Err(unexpected());
            };
            match message {
                Message::BindComplete => {}
                Message::DataRow(body) => rows.push(row(&statement.columns, &body)?),
                Message::CommandComplete(_) | Message::EmptyQueryResponse => {
                    answers.push(std::mem::take(&mut rows));
                }
                _ => return Err(unexpected()),
            }
            Ok(())
        });
        answered.await?;
        Ok(answers)
    }

    /// Sends everything, and hands the messages out until the database is ready again.
    async fn round(
        &mut self,
        sent: impl FnOnce(),
        mut each: impl FnMut(Message) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.is_idle, false) {
            return Err(Failure::Lost("an answer was not waited for".into()));
        }
        frontend::sync(&mut self.output);
        let begun = poll_fn(|context| Poll::Ready(self.poll_send(context))).await;
        begun.map_err(lost)?;
        sent();
        let mut failed = None;
        loop {
            let message = match poll_fn(|context| self.poll_message(context)).await {
                Ok(message) => message,
                // What the database said before it went tells more.
                Err(error) => return Err(failed.unwrap_or_else(|| lost(error))),
            };
            match message {
                Message::ReadyForQuery(_) => break,
                Message::ErrorResponse(body) => {
                    failed = failed.or(Some(failure(&body).map_err(lost)?));
                }
                Message::NoticeResponse(_)
                | Message::ParameterStatus(_)
                | Message::NotificationResponse(_) => {}
                message => each(message).map_err(lost)?,
            }
        }
        self.is_idle = true;
        failed.map_or(Ok(()), Err)
    }

    /// The next message. Sends meanwhile: a database whose answers nobody takes stops reading.
    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Message>> {
        self.poll_send(context)?;
        loop {
            if let Some(message) = Message::parse(&mut self.input)? {
                return Poll::Ready(Ok(message));
            }
            if ready!(self.poll_receive(context))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while !self.output.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, &self.output)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(sent) => self.output.advance(sent),
                Poll::Pending => return Ok(()),
            }
        }
        let _flushed = Pin::new(&mut self.stream).poll_flush(context)?;
        Ok(())
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let filled = self.input.len();
        self.input.resize(filled + CHUNK, 0);
        let mut buffer = ReadBuf::new(&mut self.input[filled..]);
        let polled = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
        let received = buffer.filled().len();
        self.input.truncate(filled + received);
        polled.map_ok(|()| received)
    }
}

fn row(columns: &Arc<[Type]>, body: &DataRowBody) -> io::Result<Row> {
    Ok(Row {
        columns: Arc::clone(columns),
        values: body.ranges().collect()?,
        bytes: body.buffer_bytes().clone(),
    })
}

/// Only types that every PostgreSQL has are in our tables.
fn type_of(oid: u32) -> io::Result<Type> {
    Type::from_oid(oid).ok_or_else(|| io::Error::other(format!("a value of type {oid}")))
}

fn failure(body: &ErrorResponseBody) -> io::Result<Failure> {
    let (mut state, mut text) = (String::new(), String::new());
    let mut fields = body.fields();
    while let Some(field) = fields.next()? {
        let value = String::from_utf8_lossy(field.value_bytes());
        match field.type_() {
            b'C' => state = value.into_owned(),
            b'M' => text.insert_str(0, &value),
            b'D' => {
                text.push_str(": ");
                text.push_str(&value);
            }
            _ => {}
        }
    }
    Ok(Failure::of_state(&state, text))
}

fn unexpected() -> io::Error {
    io::Error::other("the database said something unexpected")
}

fn unsendable(error: io::Error) -> Failure {
    Failure::Impossible(error.to_string().into())
}

fn lost(error: io::Error) -> Failure {
    Failure::Lost(error.to_string().into())
}

#[cfg(test)]
mod tests;
