//! Entries of an account, found by their numbers and by their times.

use ledger::AccountId;
use rusqlite::{Connection, OptionalExtension};

use super::id;
use crate::embedded::{entry_page, rows};
use crate::query::{EntryPage, EntryQuery, EntryRow};

/// Pages of entries of one account.
struct Pages<'c> {
    connection: &'c Connection,
    account: i64,
}

impl Pages<'_> {
    /// The entries of a page; none when there is no such page.
    fn get(&self, page: u64) -> rusqlite::Result<Vec<EntryRow>> {
        let sql = "SELECT entries FROM entry_pages WHERE account = ?1 AND page = ?2";
        let mut find = self.connection.prepare_cached(sql)?;
        let found = find.query_row([self.account, page.cast_signed()], |row| {
            let text = row.get_ref(0)?.as_str()?;
            entry_page::parse(page, text).map_err(|error| rows::damaged(0, error))
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    fn last(&self) -> rusqlite::Result<Option<u64>> {
        let sql = "SELECT page FROM entry_pages WHERE account = ?1 ORDER BY page DESC LIMIT 1";
        let mut find = self.connection.prepare_cached(sql)?;
        let page: Option<i64> = find
            .query_row([self.account], |row| row.get(0))
            .optional()?;
        Ok(page.map(i64::cast_unsigned))
    }

    fn until_ms(&self, page: u64) -> rusqlite::Result<i64> {
        let sql = "SELECT until_ms FROM entry_pages WHERE account = ?1 AND page = ?2";
        let mut find = self.connection.prepare_cached(sql)?;
        find.query_row([self.account, page.cast_signed()], |row| row.get(0))
    }

    /// The entries numbered from `first` to `end`, which is not among them.
    fn range(&self, first: u64, end: u64) -> rusqlite::Result<Vec<EntryRow>> {
        let mut entries = Vec::new();
        let mut next = first;
        while next < end {
            let page = entry_page::page_of(next);
            let found = self.get(page)?;
            let wanted = found
                .into_iter()
                .filter(|entry| (next..end).contains(&entry.sequence));
            let before = entries.len();
            entries.extend(wanted);
            if entries.len() == before {
                return Err(rows::damaged(0, "entries of an account are missing"));
            }
            next = entry_page::first_of(page.saturating_add(1));
        }
        Ok(entries)
    }

    /// The number of the first entry at or after `at_ms` in time; one past the last when there is
    /// none. Entries that were made late stand after younger ones and count as being as young:
    /// then the entries up to a time are always the first so many.
    fn first_at(&self, at_ms: i64, last_page: u64) -> rusqlite::Result<u64> {
        let (mut low, mut high) = (0, last_page);
        // The first page whose latest time, or that of one before it, is late enough.
        while low < high {
            let middle = low.midpoint(high);
            if self.until_ms(middle)? >= at_ms {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        let entries = self.get(low)?;
        let after = entries
            .last()
            .map_or(1, |last| last.sequence.saturating_add(1));
        let found = entries.iter().find(|entry| entry.at.0 >= at_ms);
        Ok(found.map_or(after, |entry| entry.sequence))
    }

    fn balance_after(&self, sequence: u64) -> rusqlite::Result<i64> {
        if sequence == 0 {
            return Ok(0);
        }
        let entries = self.range(sequence, sequence.saturating_add(1))?;
        Ok(entries.first().map_or(0, |entry| entry.balance_after))
    }

    /// One past the number of the last entry.
    fn end(&self, last_page: u64) -> rusqlite::Result<u64> {
        let entries = self.get(last_page)?;
        Ok(entries
            .last()
            .map_or(1, |last| last.sequence.saturating_add(1)))
    }
}

pub(crate) fn entries(
    connection: &Connection,
    account: AccountId,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<EntryRow>> {
    let pages = Pages {
        connection,
        account: id(account.raw()),
    };
    let Some(last_page) = pages.last()? else {
        return Ok(Vec::new());
    };
    let end = pages.end(last_page)?.min(before.unwrap_or(u64::MAX));
    let first = end.saturating_sub(limit as u64).max(1);
    let mut entries = pages.range(first, end)?;
    entries.reverse();
    Ok(entries)
}

pub(crate) fn entries_between(
    connection: &Connection,
    query: &EntryQuery,
) -> rusqlite::Result<EntryPage> {
    let pages = Pages {
        connection,
        account: id(query.account.raw()),
    };
    let Some(last_page) = pages.last()? else {
        return Ok(EntryPage::default());
    };
    let first = match query.from {
        None => 1,
        Some(from) => pages.first_at(from.0, last_page)?,
    };
    let end = match query.to.map(|to| to.0.checked_add(1)) {
        Some(Some(after)) => pages.first_at(after, last_page)?,
        _ => pages.end(last_page)?,
    };
    let end = end.max(first);
    let count = end.saturating_sub(first);
    let offset = (query.offset as u64).min(count);
    let limit = (query.limit as u64).min(count.saturating_sub(offset));
    let rows = if query.newest_first {
        let end = end.saturating_sub(offset);
        let mut rows = pages.range(end.saturating_sub(limit), end)?;
        rows.reverse();
        rows
    } else {
        let first = first.saturating_add(offset);
        pages.range(first, first.saturating_add(limit))?
    };
    Ok(EntryPage {
        rows,
        count,
        balance_before: pages.balance_after(first.saturating_sub(1))?,
        balance_after: pages.balance_after(end.saturating_sub(1))?,
    })
}

#[cfg(test)]
mod tests;
