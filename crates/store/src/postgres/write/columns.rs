//! Rows as columns of arrays, which is how many of them go into one statement.

use std::sync::Arc;

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
                $(let mut $field: Vec<$type> = Vec::new();)+
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
