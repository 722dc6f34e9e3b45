//! Statements put together from constants, at compile time: what is sent is always a constant.

/// Joins constant texts: `sql!("SELECT ", rows::TENANT, " FROM tenants n")`.
macro_rules! sql {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&str] = &[$($part),+];
        const BYTES: [u8; $crate::postgres::sql::length(PARTS)] =
            $crate::postgres::sql::join(PARTS);
        match ::std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("texts joined are a text"),
        }
    }};
}

pub(crate) use sql;

/// Begins a transaction that sees one moment and changes nothing.
pub(crate) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Bytes of all texts together.
pub(crate) const fn length(parts: &[&str]) -> usize {
    let (mut sum, mut part) = (0, 0);
    while part < parts.len() {
        sum += parts[part].len();
        part += 1;
    }
    sum
}

/// The texts one after the other; `N` is their [`length`].
pub(crate) const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut end, mut part) = (0, 0);
    while part < parts.len() {
        let text = parts[part].as_bytes();
        let mut place = 0;
        while place < text.len() {
            bytes[end] = text[place];
            end += 1;
            place += 1;
        }
        part += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn parts_follow_each_other() {
        const NAMES: &str = "n.id, n.name";
        const JOINED: &str = sql!("SELECT ", NAMES, " FROM tenants n", "", " -- \u{e9}");
        assert_eq!(JOINED, "SELECT n.id, n.name FROM tenants n -- \u{e9}");
    }
}
