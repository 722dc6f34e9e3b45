//! A page of idempotency records: their keys, which are read at every start, and apart from them
//! what was answered.
//!
//! Records have numbers without gaps, so a record's place is its page and index. For each there
//! are 16 bytes of key in `keys`, and in `answers` body hash, time, two lengths, request id and
//! reply. Little-endian.

use ledger::Millis;

use crate::codec;
use crate::records::{Fingerprint, Remembered};

/// Records of a full page: with names of usual length it is just below a page of SQLite's.
pub(crate) const RECORDS_MAX: u64 = 32;

/// Bytes that are no page of idempotency records.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a page of idempotency records is wrong: {0}")]
pub(crate) struct RememberedPageError(String);

fn wrong(what: &str) -> RememberedPageError {
    RememberedPageError(what.to_owned())
}

/// The page that record `number` is on; the first record has number 1.
pub(crate) fn page_of(number: u64) -> u64 {
    number.saturating_sub(1) / RECORDS_MAX
}

/// The number of the first record of a page.
pub(crate) fn first_of(page: u64) -> u64 {
    page.saturating_mul(RECORDS_MAX).saturating_add(1)
}

/// A page in the making.
#[derive(Default)]
pub(crate) struct RememberedPage {
    pub keys: Vec<u8>,
    pub answers: Vec<u8>,
}

impl RememberedPage {
    /// Appends a record.
    pub(crate) fn push(&mut self, record: &Remembered) {
        self.keys.extend_from_slice(&record.key);
        let answers = &mut self.answers;
        answers.extend_from_slice(&record.body);
        answers.extend_from_slice(&record.at.0.to_le_bytes());
        answers.extend_from_slice(&length(record.request_id.len()));
        let reply_length = answers.len();
        answers.extend_from_slice(&[0; 4]);
        answers.extend_from_slice(record.request_id.as_bytes());
        let reply = answers.len();
        codec::append_reply(answers, &record.reply, record.at);
        let bytes = length(answers.len() - reply);
        answers[reply_length..reply_length + 4].copy_from_slice(&bytes);
    }
}

/// Records that follow each other, already as bytes.
#[derive(Default)]
pub(crate) struct RememberedRun {
    /// The number of the first one.
    first: u64,
    all: RememberedPage,
    /// Where in the answers each ends.
    ends: Vec<usize>,
}

impl RememberedRun {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Appends a record.
    ///
    /// # Errors
    /// When its number does not follow.
    pub(crate) fn push(&mut self, record: &Remembered) -> Result<(), &'static str> {
        if self.ends.is_empty() {
            self.first = record.number;
        }
        if self.first.checked_add(self.ends.len() as u64) != Some(record.number) {
            return Err("an idempotency record is out of order");
        }
        self.all.push(record);
        self.ends.push(self.all.answers.len());
        Ok(())
    }

    /// The records, cut where pages begin: the number of each part's first, its keys and answers.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (u64, &[u8], &[u8])> {
        let mut done = 0;
        std::iter::from_fn(move || {
            let number = self.first.saturating_add(done as u64);
            let next = first_of(page_of(number).saturating_add(1));
            let count = next
                .saturating_sub(number)
                .min((self.ends.len() - done) as u64) as usize;
            let end = done.checked_add(count).filter(|end| *end > done)?;
            let begin = done.checked_sub(1).map_or(0, |last| self.ends[last]);
            let keys = &self.all.keys[done * 16..end * 16];
            let answers = &self.all.answers[begin..self.ends[end - 1]];
            done = end;
            Some((number, keys, answers))
        })
    }

    /// Forgets them, but not the room they took.
    pub(crate) fn clear(&mut self) {
        self.all.keys.clear();
        self.all.answers.clear();
        self.ends.clear();
    }
}

/// Texts of a record come from the journal, whose batches are far below four gigabytes.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes)
        .expect("a record is small")
        .to_le_bytes()
}

/// A record as it lies in its page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RawRemembered<'a> {
    pub number: u64,
    pub key: Fingerprint,
    pub body: Fingerprint,
    pub at: Millis,
    pub request_id: &'a str,
    pub reply: &'a [u8],
}

impl RawRemembered<'_> {
    /// The record.
    ///
    /// # Errors
    /// [`RememberedPageError`] when its reply is none.
    pub(crate) fn read(self) -> Result<Remembered, RememberedPageError> {
        let reply = codec::reply_from_bytes(self.reply, self.at);
        Ok(Remembered {
            number: self.number,
            key: self.key,
            body: self.body,
            at: self.at,
            request_id: self.request_id.into(),
            reply: reply.map_err(|error| wrong(&error.to_string()))?,
        })
    }
}

/// The numbers and keys of a page's records.
///
/// # Errors
/// [`RememberedPageError`] when there are none, too many, or bytes left over.
pub(crate) fn keys(
    page: u64,
    keys: &[u8],
) -> Result<impl ExactSizeIterator<Item = (u64, Fingerprint)>, RememberedPageError> {
    let (keys, rest) = keys.as_chunks::<16>();
    if !rest.is_empty() || keys.is_empty() || keys.len() as u64 > RECORDS_MAX {
        return Err(wrong("the length of its keys"));
    }
    let first = first_of(page);
    let numbered = keys.iter().enumerate();
    Ok(numbered.map(move |(index, key)| (first.saturating_add(index as u64), *key)))
}

/// A page's records.
///
/// # Errors
/// [`RememberedPageError`] when there are not as many answers as keys.
pub(crate) fn records<'a>(
    page: u64,
    page_keys: &[u8],
    answers: &'a [u8],
) -> Result<Vec<RawRemembered<'a>>, RememberedPageError> {
    let mut rest = answers;
    let mut records = Vec::with_capacity(RECORDS_MAX as usize);
    for (number, key) in keys(page, page_keys)? {
        let short = || wrong("an answer ends too early");
        let body = take::<16>(&mut rest).ok_or_else(short)?;
        let at = take(&mut rest).map(i64::from_le_bytes).ok_or_else(short)?;
        let request_id = take_length(&mut rest).ok_or_else(short)?;
        let reply = take_length(&mut rest).ok_or_else(short)?;
        let request_id = take_slice(&mut rest, request_id).ok_or_else(short)?;
        let reply = take_slice(&mut rest, reply).ok_or_else(short)?;
        records.push(RawRemembered {
            number,
            key,
            body,
            at: Millis(at),
            request_id: str::from_utf8(request_id).map_err(|_| wrong("a request id"))?,
            reply,
        });
    }
    if rest.is_empty() {
        Ok(records)
    } else {
        Err(wrong("answers are left over"))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(take(rest)?)).ok()
}

fn take_slice<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (first, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(first)
}

#[cfg(test)]
mod tests;
