//! Ids as UUIDs (version 8, RFC 9562 §5.8) that carry the same number as in the other dialects.

use crate::rules::Spelling;

/// The upper 48 bits in front, the lower 16 at the end.
pub(super) fn spell(id: u64) -> String {
    let (front, middle, end) = (id >> 32, (id >> 16) & 0xffff, id & 0xffff);
    format!("{front:08x}-{middle:04x}-8000-8000-{end:012x}")
}

/// The number behind a UUID of ours, in either case. Any other text is an id that nobody has.
pub(super) fn read(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let mut parts = lower.split('-');
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    let (front, middle) = (number()?, number()?);
    let (_, _, end) = (number()?, number()?, number()?);
    let id = front
        .checked_mul(1 << 32)?
        .checked_add(middle.checked_mul(1 << 16)?)?
        .checked_add(end)?;
    (spell(id) == lower).then_some(id)
}

/// How rules are written here.
pub(super) const RULES: Spelling = Spelling {
    camel: true,
    name: "name",
    asks: false,
    account: spell,
    read_account: read,
    rule: spell,
    execution: spell,
    transfer: spell,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_have_one_spelling() {
        for id in [0, 1, 0xffff, 1 << 16, u64::MAX, 117_637_160_960_000_000] {
            assert_eq!(read(&spell(id)), Some(id));
            assert_eq!(read(&spell(id).to_ascii_uppercase()), Some(id));
        }
        assert_eq!(
            spell(0x0123_4567_89ab_cdef),
            "01234567-89ab-8000-8000-00000000cdef"
        );
        for wrong in [
            "",
            "acc_0000000000009",
            "01234567-89ab-4000-8000-00000000cdef",
            "01234567-89ab-8000-8000-00000001cdef",
            "1234567-89ab-8000-8000-00000000cdef",
            "01234567-89ab-8000-8000-00000000cdef-",
            "ffffffffffffffffffff-0-0-0-0",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
