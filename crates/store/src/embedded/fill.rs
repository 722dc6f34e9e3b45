//! Writes what a run adds to the pages: entries, idempotency records, owners' transfers.
//!
//! A statement costs SQLite about as much as its row, whatever the row holds: so a row holds many
//! entries, records or transfers. Only the last page of an account, and of all records, is ever
//! written again; of an owner's transfers also the pages of those that changed.

use ledger::{AccountId, OwnerId};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::owner_page::{self, LINE_BYTES, LINES_MAX, Line, OwnerPageError, Summary};
use super::remembered_page::{self, RememberedPage, RememberedRun};
use super::{entry_page, rows};
use crate::query::EntryRow;

/// Appends entries, which are sorted by account and number.
pub(crate) fn entries(
    connection: &Connection,
    entries: &[(AccountId, EntryRow)],
) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("REPLACE INTO entry_pages VALUES (?1, ?2, ?3, ?4)")?;
    let mut text = Vec::with_capacity(8_192);
    for of_account in entries.chunk_by(|one, next| one.0 == next.0) {
        let Some((account, first)) = of_account.first() else {
            continue;
        };
        text.clear();
        let mut until = open_entries(connection, *account, first.sequence, &mut text)?;
        let page_of = |line: &(AccountId, EntryRow)| entry_page::page_of(line.1.sequence);
        for of_page in of_account.chunk_by(|one, next| page_of(one) == page_of(next)) {
            for (_, entry) in of_page {
                entry_page::push(&mut text, entry);
                until = until.max(entry.at.0);
            }
            put.execute(params![
                account.raw().cast_signed(),
                of_page.first().map(page_of).unwrap_or(0).cast_signed(),
                until,
                str::from_utf8(&text).expect("digits and brackets"),
            ])?;
            text.clear();
        }
    }
    Ok(())
}

/// Finds the page that entry `sequence` goes to: its text so far, and the latest time before.
fn open_entries(
    connection: &Connection,
    account: AccountId,
    sequence: u64,
    text: &mut Vec<u8>,
) -> rusqlite::Result<i64> {
    if sequence == 1 {
        return Ok(i64::MIN);
    }
    // The page of the entry before; if that one is full, only its time is needed.
    let page = entry_page::page_of(sequence.saturating_sub(1));
    let begins_page = sequence == entry_page::first_of(entry_page::page_of(sequence));
    let mut find = connection.prepare_cached(
        "SELECT until_ms, entries FROM entry_pages WHERE account = ?1 AND page = ?2",
    )?;
    let key = [account.raw().cast_signed(), page.cast_signed()];
    find.query_row(key, |row| {
        if !begins_page {
            text.extend_from_slice(row.get_ref(1)?.as_str()?.as_bytes());
            let found = text.iter().filter(|byte| **byte == b'[').count() as u64;
            // One bracket for each entry and one for the page.
            if found.saturating_add(entry_page::first_of(page)) != sequence.saturating_add(1) {
                return Err(rows::damaged(
                    1,
                    "a page of entries is not as long as it should be",
                ));
            }
        }
        row.get(0)
    })
}

/// Appends idempotency records.
pub(crate) fn remembered(connection: &Connection, run: &RememberedRun) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("REPLACE INTO remembered_pages VALUES (?1, ?2, ?3)")?;
    for (number, keys, answers) in run.parts() {
        let page = remembered_page::page_of(number).cast_signed();
        if number == remembered_page::first_of(remembered_page::page_of(number)) {
            put.execute(params![page, keys, answers])?;
        } else {
            let mut open = open_remembered(connection, number)?;
            open.keys.extend_from_slice(keys);
            open.answers.extend_from_slice(answers);
            put.execute(params![page, open.keys, open.answers])?;
        }
    }
    Ok(())
}

/// The page that record `number` goes to, as it is.
fn open_remembered(connection: &Connection, number: u64) -> rusqlite::Result<RememberedPage> {
    let page = remembered_page::page_of(number);
    let before = number.saturating_sub(remembered_page::first_of(page));
    let mut find =
        connection.prepare_cached("SELECT keys, answers FROM remembered_pages WHERE page = ?1")?;
    find.query_row([page.cast_signed()], |row| {
        let (keys, answers): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        if keys.len() as u64 != before.saturating_mul(16) {
            let what = "a page of idempotency records is not as long as it should be";
            return Err(rows::damaged(0, what));
        }
        Ok(RememberedPage { keys, answers })
    })
}

/// A line that is new in its owner's list, or changed there.
pub(crate) struct ListLine {
    pub owner: OwnerId,
    pub line: Line,
    /// Whether the list has it already.
    pub seen: bool,
}

/// Brings owners' lists up to date. The lines are sorted by owner, those that are seen first, and by
/// id.
pub(crate) fn owner_lists(connection: &Connection, lines: &[ListLine]) -> rusqlite::Result<()> {
    let mut lists = Lists::prepare(connection)?;
    for of_owner in lines.chunk_by(|one, next| one.owner == next.owner) {
        let Some(ListLine { owner, .. }) = of_owner.first() else {
            continue;
        };
        let changed = of_owner.partition_point(|line| line.seen);
        let (changed, new) = of_owner.split_at(changed);
        lists.change(*owner, changed)?;
        lists.append(*owner, new)?;
    }
    Ok(())
}

/// A page of an owner's list that is being worked on.
struct OpenPage {
    number: u64,
    /// Transfers between instruments on the pages before.
    instruments_before: u64,
    lines: Vec<u8>,
}

impl OpenPage {
    fn is_full(&self) -> bool {
        self.lines.len() == LINES_MAX * LINE_BYTES
    }
}

struct Lists<'c> {
    tail: CachedStatement<'c>,
    get: CachedStatement<'c>,
    last_page: CachedStatement<'c>,
    last_id: CachedStatement<'c>,
    lines: CachedStatement<'c>,
    put: CachedStatement<'c>,
    put_lines: CachedStatement<'c>,
    cut_lines: CachedStatement<'c>,
}

fn broken(error: OwnerPageError) -> rusqlite::Error {
    rows::damaged(0, error)
}

impl<'c> Lists<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Lists<'c>> {
        Ok(Lists {
            tail: connection.prepare_cached(
                "SELECT page, instruments_before, first_id FROM owner_pages WHERE owner = ?1 \
                 ORDER BY page DESC LIMIT 1",
            )?,
            get: connection.prepare_cached(
                "SELECT page, instruments_before, first_id FROM owner_pages \
                 WHERE owner = ?1 AND page = ?2",
            )?,
            last_page: connection.prepare_cached(
                "SELECT page FROM owner_pages WHERE owner = ?1 ORDER BY page DESC LIMIT 1",
            )?,
            last_id: connection
                .prepare_cached("SELECT last_id FROM owner_pages WHERE owner = ?1 AND page = ?2")?,
            lines: connection
                .prepare_cached("SELECT lines FROM owner_lines WHERE first_id = ?1")?,
            put: connection.prepare_cached(
                "REPLACE INTO owner_pages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
                 ?12, ?13)",
            )?,
            put_lines: connection.prepare_cached("REPLACE INTO owner_lines VALUES (?1, ?2)")?,
            cut_lines: connection.prepare_cached("DELETE FROM owner_lines WHERE first_id = ?1")?,
        })
    }

    fn change(&mut self, owner: OwnerId, changed: &[ListLine]) -> rusqlite::Result<()> {
        let mut rest = changed;
        let mut from = 0;
        while let Some(first) = rest.first() {
            let number = self.page_with(owner, first.line.id.raw(), from)?;
            let key = [owner.raw().cast_signed(), number.cast_signed()];
            let found = self.get.query_row(key, page_head)?;
            let mut page = self.open(found)?;
            let lines = owner_page::lines(&page.lines).map_err(broken)?;
            let last = lines.last().map_or(0, |line| line.id());
            let here = rest.partition_point(|line| line.line.id.raw() <= last);
            if here == 0 {
                let what = "a transfer that changed is not in its owner's list";
                return Err(rows::damaged(0, what));
            }
            let (on_page, after) = rest.split_at(here);
            for line in on_page {
                owner_page::replace(&mut page.lines, line.line).map_err(broken)?;
            }
            self.write(owner, &page)?;
            from = number.saturating_add(1);
            rest = after;
        }
        Ok(())
    }

    /// The page that transfer `id` is on, which is page `from` or a later one.
    fn page_with(&mut self, owner: OwnerId, id: u64, from: u64) -> rusqlite::Result<u64> {
        let owner = owner.raw().cast_signed();
        let last: i64 = self.last_page.query_row([owner], |row| row.get(0))?;
        let (mut low, mut high) = (from, last.cast_unsigned());
        // Changes are mostly to the newest transfers, and next to each other: the ends first.
        let mut probe = from;
        while low < high {
            let key = [owner, probe.cast_signed()];
            let last_id: i64 = self.last_id.query_row(key, |row| row.get(0))?;
            if last_id.cast_unsigned() >= id {
                high = probe;
            } else {
                low = probe.saturating_add(1);
            }
            let near_end = probe == from && high > low.saturating_add(4);
            probe = if near_end {
                high.saturating_sub(2)
            } else {
                low.midpoint(high)
            };
        }
        Ok(low)
    }

    fn append(&mut self, owner: OwnerId, new: &[ListLine]) -> rusqlite::Result<()> {
        let Some(first) = new.first() else {
            return Ok(());
        };
        let tail = self.tail.query_row([owner.raw().cast_signed()], page_head);
        let mut page = match tail.optional()? {
            Some(found) => {
                let page = self.open(found)?;
                let lines = owner_page::lines(&page.lines).map_err(broken)?;
                let last = lines.last().map_or(0, |line| line.id());
                if last >= first.line.id.raw() {
                    return self.merge(owner, new);
                }
                page
            }
            None => OpenPage {
                number: 0,
                instruments_before: 0,
                lines: Vec::new(),
            },
        };
        let mut dirty = false;
        for line in new {
            if page.is_full() {
                let instruments = match dirty {
                    true => self.write(owner, &page)?,
                    false => Summary::of(&page.lines)
                        .map_err(broken)?
                        .between_instruments(),
                };
                page.number = page.number.saturating_add(1);
                page.instruments_before = page.instruments_before.saturating_add(instruments);
                page.lines.clear();
            }
            owner_page::push(&mut page.lines, line.line).map_err(broken)?;
            dirty = true;
        }
        self.write(owner, &page).map(drop)
    }

    /// Puts new lines in their places, of which some are before lines that are there: with several
    /// servers, ids and commits are not quite in the same order. Pages from the first place on are
    /// made anew; it is near the list's end.
    fn merge(&mut self, owner: OwnerId, new: &[ListLine]) -> rusqlite::Result<()> {
        let mut lines: Vec<Line> = new.iter().map(|line| line.line).collect();
        let first = lines.first().map_or(0, |line| line.id.raw());
        let number = self.page_with(owner, first, 0)?;
        let key = owner.raw().cast_signed();
        let last: i64 = self.last_page.query_row([key], |row| row.get(0))?;
        let mut page = OpenPage {
            number,
            instruments_before: 0,
            lines: Vec::new(),
        };
        let mut old_lines = Vec::new();
        for old in number..=last.cast_unsigned() {
            let head = self.get.query_row([key, old.cast_signed()], page_head)?;
            old_lines.push(head.2);
            let open = self.open(head)?;
            if old == number {
                page.instruments_before = open.instruments_before;
            }
            for line in owner_page::lines(&open.lines).map_err(broken)? {
                lines.push(line.read().map_err(broken)?);
            }
        }
        lines.sort_by_key(|line| line.id);
        if lines.windows(2).any(|pair| pair[0].id == pair[1].id) {
            return Err(rows::damaged(
                0,
                "a transfer is in its owner's list already",
            ));
        }
        for first_id in old_lines {
            self.cut_lines.execute([first_id])?;
        }
        for line in lines {
            if page.is_full() {
                let instruments = self.write(owner, &page)?;
                page.number = page.number.saturating_add(1);
                page.instruments_before = page.instruments_before.saturating_add(instruments);
                page.lines.clear();
            }
            owner_page::push(&mut page.lines, line).map_err(broken)?;
        }
        self.write(owner, &page).map(drop)
    }

    fn open(&mut self, head: (u64, u64, i64)) -> rusqlite::Result<OpenPage> {
        let (number, instruments_before, first_id) = head;
        Ok(OpenPage {
            number,
            instruments_before,
            lines: self.lines.query_row([first_id], |row| row.get(0))?,
        })
    }

    /// Writes a page; how many of its transfers are between instruments.
    fn write(&mut self, owner: OwnerId, page: &OpenPage) -> rusqlite::Result<u64> {
        let summary = Summary::of(&page.lines).map_err(broken)?;
        let instruments = summary.between_instruments();
        let first_id = summary.first_id.cast_signed();
        self.put.execute(params![
            owner.raw().cast_signed(),
            page.number.cast_signed(),
            summary.count.cast_signed(),
            instruments.cast_signed(),
            page.instruments_before.cast_signed(),
            first_id,
            summary.last_id.cast_signed(),
            summary.created_ms.0,
            summary.created_ms.1,
            summary.executed_ms.map(|bounds| bounds.0),
            summary.executed_ms.map(|bounds| bounds.1),
            summary.statuses,
            summary.marks,
        ])?;
        self.put_lines.execute(params![first_id, page.lines])?;
        Ok(instruments)
    }
}

/// A page's number, the transfers between instruments before it, and its first transfer.
fn page_head(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, u64, i64)> {
    let number = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok((number(0)?, number(1)?, row.get(2)?))
}

#[cfg(test)]
mod tests;
