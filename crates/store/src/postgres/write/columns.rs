//! Rows as arrays, which is how many of them go into one statement.
//!
//! [`row`] sends an array for each column, to be put side by side by `unnest`. PostgreSQL reads each
//! argument of `unnest` through a store of its own, which for a wide row costs more than the insert.
//! So what is written with every transfer is sent as [`line`]s: one array has the numbers of all
//! rows, one row after the other, and the statement takes them out by their place in it.

use std::sync::Arc;

use crate::postgres::failure::Failure;

/// Rows of one statement of [`line`]s. Elements of a text array are found by walking it, so it must
/// not be long.
pub(super) const LINES_MAX: usize = 256;

/// Stands for a number that is not there. No id and no time is this one.
const NOTHING: i64 = -i64::MAX;

/// Declares a row: a struct whose fields are the values of a statement, from left to right, and
/// `call`, which sends many of them as one array for each field.
macro_rules! row {
    ($name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        struct $name { $($field: $type),+ }

        impl $name {
            fn call(
                sql: &'static str,
                rows: impl IntoIterator<Item = $name>,
                calls: &mut Vec<$crate::postgres::session::Call>,
            ) {
                let rows = rows.into_iter();
                let room = rows.size_hint().0;
                $(let mut $field: Vec<$type> = Vec::with_capacity(room);)+
                for row in rows {
                    $($field.push(row.$field);)+
                }
                let lengths = [$($field.len()),+];
                if lengths[0] > 0 {
                    calls.push($crate::postgres::session::Call::new(sql)$(.with($field))+);
                }
            }
        }
    };
}

pub(super) use row;

/// A number of a [`line`].
pub(super) trait Number {
    /// As it is sent.
    ///
    /// # Errors
    /// [`Failure::Impossible`] of the one that stands for nothing.
    fn sent(self) -> Result<i64, Failure>;
}

impl Number for i64 {
    fn sent(self) -> Result<i64, Failure> {
        Ok(self)
    }
}

impl Number for Option<i64> {
    fn sent(self) -> Result<i64, Failure> {
        match self {
            Some(NOTHING) => Err(Failure::Impossible("a number that cannot be sent".into())),
            number => Ok(number.unwrap_or(NOTHING)),
        }
    }
}

impl Number for bool {
    fn sent(self) -> Result<i64, Failure> {
        Ok(i64::from(self))
    }
}

/// Declares a row that is sent as a line: `numbers` go into one array in this order, `texts`, which
/// may be bytes, into an array each. The statement has the numbers of the lines, from 1, as `$1`, how
/// many numbers there are before each as `$2`, the numbers as `$3`, and then the texts. More than
/// [`LINES_MAX`] are sent in several statements.
macro_rules! line {
    ($name:ident {
        numbers { $($number:ident: $kind:ty),+ $(,)? }
        texts { $($text:ident: $type:ty),* $(,)? }
    }) => {
        struct $name { $($number: $kind,)+ $($text: $type,)* }

        impl $name {
            fn call(
                sql: &'static str,
                rows: impl IntoIterator<Item = $name>,
                calls: &mut Vec<$crate::postgres::session::Call>,
            ) -> Result<(), $crate::postgres::failure::Failure> {
                use $crate::postgres::write::columns::{LINES_MAX, Number};
                const WIDTH: usize = [$(stringify!($number)),+].len();
                let mut rows = rows.into_iter();
                loop {
                    let (least, most) = rows.size_hint();
                    let room = most.unwrap_or(least).min(LINES_MAX);
                    let mut lines: Vec<i64> = Vec::with_capacity(room);
                    let mut places: Vec<i64> = Vec::with_capacity(room);
                    let mut numbers: Vec<i64> = Vec::with_capacity(room * WIDTH);
                    $(let mut $text: Vec<$type> = Vec::with_capacity(room);)*
                    let (mut line, mut place) = (0, 0);
                    for row in rows.by_ref().take(LINES_MAX) {
                        line += 1;
                        lines.push(line);
                        places.push(place);
                        $(
                            numbers.push(Number::sent(row.$number)?);
                            place += 1;
                        )+
                        $($text.push(row.$text);)*
                    }
                    if lines.is_empty() {
                        return Ok(());
                    }
                    let call = $crate::postgres::session::Call::new(sql);
                    let call = call.with_numbers(lines).with_numbers(places).with_numbers(numbers);
                    calls.push(call$(.with($text))*);
                }
            }
        }
    };
}

pub(super) use line;

/// An id as it is stored.
pub(super) fn signed(raw: u64) -> i64 {
    raw.cast_signed()
}

/// A text as it is sent.
pub(super) fn text(text: &Option<Arc<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

/// A number of an enum as it is stored.
pub(super) fn code<T: crate::codes::Code>(value: T) -> i64 {
    i64::from(value.code())
}
