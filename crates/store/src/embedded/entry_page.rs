//! A page of an account's entries as text: `[[transfer,amount,balance_after,at_ms],…]`.
//!
//! JSON, so that an operator can read it and the view `entries` can expand it. Debits are
//! negative. The entry's number is its place: page and index. There is one spelling of a page: no
//! spaces, no leading zeros; whatever else is found is an error.

use ledger::{Millis, Side, TransferId};

use crate::query::EntryRow;

/// Entries of a full page. So many that SQLite keeps the page whole beside three others: a row of
/// more than 1,002 bytes would get a page of its own for the rest.
pub(crate) const ENTRIES_MAX: u64 = 16;

/// A text that is no page of entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a page of entries is wrong at byte {0}")]
pub(crate) struct EntryPageError(usize);

/// The page that entry `sequence` is on; the first entry has number 1.
pub(crate) fn page_of(sequence: u64) -> u64 {
    sequence.saturating_sub(1) / ENTRIES_MAX
}

/// The number of the first entry of a page.
pub(crate) fn first_of(page: u64) -> u64 {
    page.saturating_mul(ENTRIES_MAX).saturating_add(1)
}

/// Appends an entry to a page's text; an empty text becomes a page of one.
pub(crate) fn push(text: &mut Vec<u8>, entry: &EntryRow) {
    if text.pop().is_some() {
        text.push(b',');
    } else {
        text.push(b'[');
    }
    let amount = match entry.side {
        Side::Debit => entry.amount_minor.saturating_neg(),
        Side::Credit => entry.amount_minor,
    };
    text.push(b'[');
    push_int(text, entry.transfer.raw().cast_signed());
    text.push(b',');
    push_int(text, amount);
    text.push(b',');
    push_int(text, entry.balance_after);
    text.push(b',');
    push_int(text, entry.at.0);
    text.extend_from_slice(b"]]");
}

/// Two digits at a time.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
                            2021222324252627282930313233343536373839\
                            4041424344454647484950515253545556575859\
                            6061626364656667686970717273747576777879\
                            8081828384858687888990919293949596979899";

fn push_int(text: &mut Vec<u8>, value: i64) {
    // The longest has 19 digits.
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    while rest >= 100 {
        let pair = (rest % 100) as usize * 2;
        rest /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if rest >= 10 {
        let pair = rest as usize * 2;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        digits[at] = b'0' + rest as u8;
    }
    if value < 0 {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[at..]);
}

/// The entries in a page's text, in order.
///
/// # Errors
/// [`EntryPageError`] unless [`push`] makes exactly this text.
pub(crate) fn parse(page: u64, text: &str) -> Result<Vec<EntryRow>, EntryPageError> {
    let mut parser = Parser {
        text: text.as_bytes(),
        at: 0,
    };
    let mut entries = Vec::with_capacity(ENTRIES_MAX as usize);
    let mut sequence = first_of(page);
    parser.take(b'[')?;
    loop {
        entries.push(parser.entry(sequence)?);
        sequence = sequence.saturating_add(1);
        if parser.next() == Some(b']') {
            break;
        }
        parser.take(b',')?;
        if entries.len() as u64 == ENTRIES_MAX {
            return Err(EntryPageError(parser.at));
        }
    }
    parser.take(b']')?;
    if parser.at < text.len() {
        return Err(EntryPageError(parser.at));
    }
    Ok(entries)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn next(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Result<(), EntryPageError> {
        if self.next() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(EntryPageError(self.at))
        }
    }

    fn entry(&mut self, sequence: u64) -> Result<EntryRow, EntryPageError> {
        self.take(b'[')?;
        let transfer = self.int()?;
        self.take(b',')?;
        let amount_at = self.at;
        let amount = self.int()?;
        self.take(b',')?;
        let balance_after = self.int()?;
        self.take(b',')?;
        let at = self.int()?;
        self.take(b']')?;
        let side = match amount {
            0 | i64::MIN => return Err(EntryPageError(amount_at)),
            ..0 => Side::Debit,
            _ => Side::Credit,
        };
        Ok(EntryRow {
            sequence,
            transfer: TransferId::new(transfer.cast_unsigned()),
            side,
            amount_minor: amount.saturating_abs(),
            balance_after,
            at: Millis(at),
        })
    }

    fn int(&mut self) -> Result<i64, EntryPageError> {
        let begin = self.at;
        let negative = self.next() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let digits = self.at;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.next() {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(u64::from(digit - b'0')))
                .ok_or(EntryPageError(begin))?;
            self.at += 1;
        }
        let padded = self.text.get(digits) == Some(&b'0') && (self.at - digits > 1 || negative);
        if self.at == digits || padded {
            return Err(EntryPageError(begin));
        }
        let value = if negative {
            0_i64.checked_sub_unsigned(value)
        } else {
            i64::try_from(value).ok()
        };
        value.ok_or(EntryPageError(begin))
    }
}

#[cfg(test)]
mod tests;
