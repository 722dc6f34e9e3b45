//! Binding a wide row without a pointer to each of its values.

use rusqlite::Statement;

/// Binds the values of one row from left to right.
pub(crate) struct Binder<'s, 'c> {
    statement: &'s mut Statement<'c>,
    bound: usize,
}

impl<'s, 'c> Binder<'s, 'c> {
    pub(crate) fn new(statement: &'s mut Statement<'c>) -> Binder<'s, 'c> {
        Binder {
            statement,
            bound: 0,
        }
    }

    fn bind(&mut self, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }

    pub(crate) fn int(&mut self, value: impl Into<i64>) -> rusqlite::Result<()> {
        self.bind(value.into())
    }

    pub(crate) fn id(&mut self, raw: u64) -> rusqlite::Result<()> {
        self.bind(raw.cast_signed())
    }

    pub(crate) fn int_option(&mut self, value: Option<impl Into<i64>>) -> rusqlite::Result<()> {
        self.bind(value.map(Into::into))
    }

    pub(crate) fn id_option(&mut self, raw: Option<u64>) -> rusqlite::Result<()> {
        self.bind(raw.map(u64::cast_signed))
    }

    pub(crate) fn text(&mut self, text: &str) -> rusqlite::Result<()> {
        self.bind(text)
    }

    pub(crate) fn text_option(&mut self, text: Option<&str>) -> rusqlite::Result<()> {
        self.bind(text)
    }

    /// Runs the statement with the values that were bound.
    pub(crate) fn execute(self) -> rusqlite::Result<()> {
        debug_assert_eq!(self.bound, self.statement.parameter_count());
        self.statement.raw_execute().map(drop)
    }
}
