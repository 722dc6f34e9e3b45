//! The pages of the views against the journal: entries, owners' transfers, idempotency records.

use std::collections::HashMap;

use ledger::{AccountId, OwnerId, State, TransferId};
use rusqlite::{CachedStatement, Connection, Row};

use super::{Replay, VerifyError, difference, unreadable};
use crate::embedded::owner_page::{self, LINES_MAX, Line, RawLine, Summary};
use crate::embedded::{entry_page, remembered_page, rows};
use crate::verify::{AccountSums, Sums, remembered_digest};

/// Compares every page with the journal up to the place the views have reached.
pub(super) fn check(connection: &Connection, replay: &Replay) -> Result<(), VerifyError> {
    compare_lists(connection, replay)?;
    compare_entries(connection, &replay.sums)?;
    compare_remembered(connection, &replay.sums)
}

/// A list of an owner's transfers, as far as it has been compared.
#[derive(Default)]
struct Seen {
    pages: u64,
    transfers: u64,
    instruments: u64,
    last_id: u64,
}

/// Each owner's list says what the transfers say, and lists all of them.
fn compare_lists(connection: &Connection, replay: &Replay) -> Result<(), VerifyError> {
    let find = format!("SELECT {} FROM transfers t WHERE t.id = ?1", rows::TRANSFER);
    let mut find = connection.prepare_cached(&find).map_err(unreadable)?;
    let sql = format!(
        "SELECT {}, owner, instruments, instruments_before, \
         (SELECT lines FROM owner_lines l WHERE l.first_id = p.first_id) \
         FROM owner_pages p ORDER BY owner, page",
        rows::OWNER_PAGE
    );
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut pages = statement.query([]).map_err(unreadable)?;
    let (mut listed, mut of, mut seen) = (0, None, Seen::default());
    while let Some(row) = pages.next().map_err(unreadable)? {
        let owner: i64 = row.get(10).map_err(unreadable)?;
        let owner = OwnerId::new(owner.cast_unsigned());
        if of.replace(owner) != Some(owner) {
            seen = Seen::default();
        }
        let bytes = row.get_ref(13).map_err(unreadable)?;
        let bytes = bytes.as_blob_or_null().map_err(unreadable)?;
        let broken = |error| difference(format!("owner {owner}: {error}"));
        // No lines are no page.
        let bytes = bytes.unwrap_or_default();
        let summary = Summary::of(bytes).map_err(broken)?;
        compare_summary(row, owner, &summary, &seen)?;
        for line in owner_page::lines(bytes).map_err(broken)? {
            compare_line(&mut find, &replay.state, owner, line, &mut seen)?;
        }
        seen.pages += 1;
        seen.transfers += summary.count;
        seen.instruments += summary.between_instruments();
        listed += summary.count;
    }
    drop(pages);
    let astray = "SELECT (SELECT count(*) FROM owner_lines) - (SELECT count(*) FROM owner_pages)";
    let astray = connection.query_row(astray, [], |row| row.get::<_, i64>(0));
    if astray.map_err(unreadable)? != 0 {
        return Err(difference(
            "owners' lists in the views have pages of nobody",
        ));
    }
    let missing = (replay.sums.transfers.len() as u64).saturating_sub(listed);
    if missing > 0 {
        return Err(difference(format!(
            "owners' lists in the views lack {missing} transfers"
        )));
    }
    Ok(())
}

fn compare_summary(
    row: &Row<'_>,
    owner: OwnerId,
    expected: &Summary,
    seen: &Seen,
) -> Result<(), VerifyError> {
    let read = || -> rusqlite::Result<_> {
        let number = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
        Ok((number(0)?, rows::owner_page(row)?, number(11)?, number(12)?))
    };
    let (page, summary, instruments, before) = read().map_err(unreadable)?;
    let is_next = page == seen.pages && seen.transfers == page * LINES_MAX as u64;
    let counts = (expected.between_instruments(), seen.instruments);
    if is_next && summary == *expected && (instruments, before) == counts {
        return Ok(());
    }
    Err(difference(format!(
        "owner {owner}: page {page} of its transfers in the views does not add up"
    )))
}

fn compare_line(
    find: &mut CachedStatement<'_>,
    state: &State,
    owner: OwnerId,
    raw: RawLine<'_>,
    seen: &mut Seen,
) -> Result<(), VerifyError> {
    let id = TransferId::new(raw.id());
    let differs = || {
        difference(format!(
            "owner {owner}: transfer {id} differs in the list of the views"
        ))
    };
    let line = raw.read().map_err(|_| differs())?;
    let key = [id.raw().cast_signed()];
    let transfer = match find.query_row(key, rows::transfer) {
        Err(rusqlite::Error::QueryReturnedNoRows) => return Err(differs()),
        found => found.map_err(unreadable)?,
    };
    let kind = |id| state.account(id).map(|account| account.kind);
    let is_same = transfer.owner == owner && Line::of(&transfer, kind) == line;
    if !is_same || id.raw() <= seen.last_id {
        return Err(differs());
    }
    seen.last_id = id.raw();
    Ok(())
}

/// The views' own entries must add up to the same balances, for the same transfers.
fn compare_entries(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = "SELECT account, page, until_ms, entries FROM entry_pages ORDER BY account, page";
    let mut statement = connection.prepare(sql).map_err(unreadable)?;
    let mut pages = statement.query([]).map_err(unreadable)?;
    let mut added: HashMap<AccountId, (AccountSums, i64)> = HashMap::new();
    while let Some(row) = pages.next().map_err(unreadable)? {
        let account: i64 = row.get(0).map_err(unreadable)?;
        let account = AccountId::new(account.cast_unsigned());
        let page: i64 = row.get(1).map_err(unreadable)?;
        let text = row.get_ref(3).map_err(unreadable)?;
        let text = text.as_str().map_err(unreadable)?;
        let entries = entry_page::parse(page.cast_unsigned(), text)
            .map_err(|error| difference(format!("account {account}: {error}")))?;
        let (sum, until) = added
            .entry(account)
            .or_insert((AccountSums::default(), i64::MIN));
        for entry in entries {
            sum.add(entry.side, entry.amount_minor, entry.transfer, entry.at);
            *until = (*until).max(entry.at.0);
            if sum.balance != i128::from(entry.balance_after) || sum.entries != entry.sequence {
                return Err(difference(format!(
                    "account {account}: entry {} of the views says {} after it, \
                     its entries add up to {}",
                    entry.sequence, entry.balance_after, sum.balance
                )));
            }
        }
        if row.get::<_, i64>(2).map_err(unreadable)? != *until {
            return Err(difference(format!(
                "account {account}: the time of page {page} of its entries differs in the views"
            )));
        }
    }
    let sum_of = |account| added.get(account).map(|(sum, _)| *sum).unwrap_or_default();
    if let Some(account) = added
        .keys()
        .find(|account| !sums.accounts.contains_key(account))
    {
        let what = format!("account {account}: its entries are only in the views");
        return Err(difference(what));
    }
    for (account, expected) in &sums.accounts {
        let seen = sum_of(account);
        if (seen.balance, seen.entries) != (expected.balance, expected.entries) {
            return Err(difference(format!(
                "account {account}: {} entries adding up to {} in the journal, {} and {} in the views",
                expected.entries, expected.balance, seen.entries, seen.balance
            )));
        }
        if seen != *expected {
            let what = format!("account {account}: its entries differ in the views");
            return Err(difference(what));
        }
    }
    Ok(())
}

fn compare_remembered(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = "SELECT page, keys, answers FROM remembered_pages ORDER BY page";
    let mut statement = connection.prepare(sql).map_err(unreadable)?;
    let mut pages = statement.query([]).map_err(unreadable)?;
    let mut found = 0;
    while let Some(row) = pages.next().map_err(unreadable)? {
        let page: i64 = row.get(0).map_err(unreadable)?;
        let keys = row.get_ref(1).map_err(unreadable)?;
        let answers = row.get_ref(2).map_err(unreadable)?;
        let keys = keys.as_blob().map_err(unreadable)?;
        let answers = answers.as_blob().map_err(unreadable)?;
        let records = remembered_page::records(page.cast_unsigned(), keys, answers)
            .map_err(|error| difference(format!("idempotency records, page {page}: {error}")))?;
        for record in records {
            let (key, body) = (&record.key, &record.body);
            let digest = remembered_digest(key, body, record.at, record.request_id, record.reply);
            if sums.remembered.get(&record.number) != Some(&digest) {
                return Err(difference(format!(
                    "idempotency record {} differs in the views",
                    record.number
                )));
            }
            found += 1;
        }
    }
    if found != sums.remembered.len() {
        return Err(difference("idempotency records are missing in the views"));
    }
    Ok(())
}
