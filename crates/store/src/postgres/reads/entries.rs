//! Entries of an account, found by their numbers and by their times.
//!
//! Entries never change and have no gaps. How many there are is read first, and what is read
//! afterwards cannot contradict it: no transaction is needed.

use ledger::AccountId;

use super::id;
use crate::Result;
use crate::postgres::error::DbError;
use crate::postgres::pool::{Ask, Plan, Readers, all, one};
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::query::{EntryPage, EntryQuery, EntryRow};

const RANGE: &str = sql!(
    "SELECT ",
    rows::ENTRY,
    " FROM entries e WHERE e.owner = $1 AND e.account = $2 AND e.sequence >= $3 \
     AND e.sequence < $4 ORDER BY e.sequence"
);

/// The number of the first of entries 1 to `$4` less 1 that counts as made at or after `$3`, `$4`
/// when there is none. `until_ms` never falls from one entry to the next, so that halving finds
/// it: some twenty rows are read of a million.
const FIRST_AT: &str = "WITH RECURSIVE search (low, high) AS (\
     SELECT 1::bigint, $4::bigint UNION ALL \
     SELECT CASE WHEN e.until_ms >= $3 THEN s.low ELSE e.sequence + 1 END, \
     CASE WHEN e.until_ms >= $3 THEN e.sequence ELSE s.high END \
     FROM search s JOIN entries e \
     ON e.owner = $1 AND e.account = $2 AND e.sequence = (s.low + s.high) / 2 \
     WHERE s.low < s.high) SELECT s.low FROM search s WHERE s.low = s.high";

const BALANCES: &str = "SELECT e.sequence, e.balance_after FROM entries e \
     WHERE e.owner = $1 AND e.account = $2 AND e.sequence = ANY ($3)";

fn missing() -> DbError {
    DbError::damaged("entries of an account are missing")
}

/// One past the number of the last entry of an account, and its owner.
struct Account {
    owner: i64,
    id: i64,
    end: u64,
}

/// `entries` if they are as many as they should be.
fn whole(
    entries: Vec<EntryRow>,
    first: u64,
    end: u64,
) -> std::result::Result<Vec<EntryRow>, DbError> {
    if entries.len() as u64 == end.saturating_sub(first) {
        Ok(entries)
    } else {
        Err(missing())
    }
}

impl Readers {
    async fn entries_of(
        &self,
        account: AccountId,
    ) -> std::result::Result<Option<Account>, DbError> {
        let found = self.owner_and_entries(account).await?;
        Ok(found.map(|(owner, entries)| Account {
            owner,
            id: id(account.raw()),
            end: entries.saturating_add(1),
        }))
    }

    pub(crate) async fn entries(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<EntryRow>> {
        let Some(account) = self.entries_of(account).await? else {
            return Ok(Vec::new());
        };
        let end = account.end.min(before.unwrap_or(u64::MAX));
        let first = end.saturating_sub(limit as u64).max(1);
        let ask = Ask {
            sql: RANGE,
            values: &[&account.owner, &account.id, &id(first), &id(end)],
        };
        let entries = self.all(ask, rows::entry).await?;
        let mut entries = whole(entries, first, end)?;
        entries.reverse();
        Ok(entries)
    }

    pub(crate) async fn entries_between(&self, query: &EntryQuery) -> Result<EntryPage> {
        let Some(account) = self.entries_of(query.account).await? else {
            return Ok(EntryPage::default());
        };
        let (first, end) = self.span(&account, query).await?;
        let count = end.saturating_sub(first);
        let offset = (query.offset as u64).min(count);
        let limit = (query.limit as u64).min(count.saturating_sub(offset));
        let page = if query.newest_first {
            let end = end.saturating_sub(offset);
            (end.saturating_sub(limit), end)
        } else {
            let first = first.saturating_add(offset);
            (first, first.saturating_add(limit))
        };
        let ends = (first.saturating_sub(1), end.saturating_sub(1));
        let range = Ask {
            sql: RANGE,
            values: &[&account.owner, &account.id, &id(page.0), &id(page.1)],
        };
        let balances = Ask {
            sql: BALANCES,
            values: &[&account.owner, &account.id, &vec![id(ends.0), id(ends.1)]],
        };
        let (range, balances) = self.rows_at_once(Plan::Kept, range, balances).await?;
        let mut rows = whole(all(&range, rows::entry)?, page.0, page.1)?;
        if query.newest_first {
            rows.reverse();
        }
        let balances = all(&balances, |row| {
            Ok((rows::raw(row, 0)?, rows::get::<i64>(row, 1)?))
        })?;
        let balance_after = |sequence: u64| {
            let found = balances.iter().find(|(number, _)| *number == sequence);
            match found {
                Some((_, balance)) => Ok(*balance),
                None if sequence == 0 => Ok(0),
                None => Err(missing()),
            }
        };
        Ok(EntryPage {
            rows,
            count,
            balance_before: balance_after(ends.0)?,
            balance_after: balance_after(ends.1)?,
        })
    }

    /// The numbers of the first entry of a span of time and of the one after its last. Entries
    /// that were made late stand after younger ones and count as being as young.
    async fn span(
        &self,
        account: &Account,
        query: &EntryQuery,
    ) -> std::result::Result<(u64, u64), DbError> {
        let from = query.from.map_or(i64::MIN, |from| from.0);
        // Without an end, or with that of time itself, every entry there is.
        let after = query.to.and_then(|to| to.0.checked_add(1));
        let end = id(account.end);
        let first = Ask {
            sql: FIRST_AT,
            values: &[&account.owner, &account.id, &from, &end],
        };
        let last = Ask {
            sql: FIRST_AT,
            values: &[
                &account.owner,
                &account.id,
                &after.unwrap_or(i64::MAX),
                &end,
            ],
        };
        let (first, last) = self.rows_at_once(Plan::Kept, first, last).await?;
        let number =
            |rows: &[tokio_postgres::Row]| one(rows, |row| rows::raw(row, 0))?.ok_or_else(missing);
        let first = number(&first)?;
        let end = match after {
            Some(_) => number(&last)?,
            None => account.end,
        };
        Ok((first, end.max(first)))
    }
}

#[cfg(test)]
mod tests;
