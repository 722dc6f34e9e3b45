//! Reads of the tables.
//!
//! Every statement is a constant: a filter that was not asked for is a NULL that switches its
//! condition off. What has to be of one moment, as a page and its count, is read in one
//! transaction; entries need none, because they never change once they are there.

mod accounts;
mod attempts;
mod entries;
mod history;
mod programme;
mod records;
mod rules;
mod tenants;
mod transfers;

#[cfg(test)]
mod tests;

use ledger::Millis;

/// An id as it is stored.
fn id(raw: u64) -> i64 {
    raw.cast_signed()
}

/// A bound on ids: no id that was issued exceeds the greatest number there is.
fn bound(raw: u64) -> i64 {
    i64::try_from(raw).unwrap_or(i64::MAX)
}

/// A number of rows.
fn number(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A time to begin from or to end with.
fn time(at: Option<Millis>) -> Option<i64> {
    at.map(|at| at.0)
}

/// The numbers of some values; `None`, which stands for all, when there are none.
fn codes<T: crate::codes::Code>(values: &[T]) -> Option<Vec<i64>> {
    let codes = values.iter().map(|value| i64::from(value.code()));
    (!values.is_empty()).then(|| codes.collect())
}

/// The count in a row of its own.
fn count(rows: &[tokio_postgres::Row]) -> Result<u64, super::error::DbError> {
    let count = super::pool::one(rows, |row| super::rows::raw(row, 0))?;
    count.ok_or_else(|| super::error::DbError::damaged("nothing was counted"))
}
