//! Transfers of an owner or of one of its accounts, newest first, by walking the owner's list.
//!
//! Most pages are told from others by their summary: passed over, or counted without a look at
//! their lines.

use ledger::{OwnerId, Status, TenantId, TransferId, Work};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::id;
use super::transfers::Lookup;
use crate::codec::work_parts;
use crate::codes::Code;
use crate::embedded::owner_page::{
    self, LINES_MAX, Mark, OwnerPageError, RawLine, Statuses, Summary, TagMark,
};
use crate::embedded::rows;
use crate::query::{
    AccountRole, OwnerTransferPage, OwnerTransferQuery, TransferQuery, TransferRow,
};

/// What is wanted of a list.
struct Filter {
    between_instruments: bool,
    statuses: Statuses,
    created_ms: (i64, i64),
    /// Only executed ones, from and to.
    executed_ms: Option<(i64, i64)>,
    /// Older than this transfer.
    before: u64,
    account: Option<(u64, AccountRole)>,
    profile: Option<u64>,
    execution: Option<u64>,
    card: Option<u64>,
    tag: Option<TagMark>,
    direction: Option<u8>,
    /// A bit for each code; any when 0.
    origins: u16,
}

/// A line has 0 where there is none: who asks for 0 asks for what nobody has.
fn of_somebody(id: u64) -> u64 {
    if id == 0 { u64::MAX } else { id }
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            between_instruments: false,
            statuses: Statuses::ANY,
            created_ms: (i64::MIN, i64::MAX),
            executed_ms: None,
            before: u64::MAX,
            account: None,
            profile: None,
            execution: None,
            card: None,
            tag: None,
            direction: None,
            origins: 0,
        }
    }
}

fn within(at: i64, (from, to): (i64, i64)) -> bool {
    (from..=to).contains(&at)
}

impl Filter {
    fn of_owner(query: &OwnerTransferQuery) -> Filter {
        let bounds = |from: Option<ledger::Millis>, to: Option<ledger::Millis>| {
            (
                from.map_or(i64::MIN, |at| at.0),
                to.map_or(i64::MAX, |at| at.0),
            )
        };
        let executed = query.executed_from.is_some() || query.executed_to.is_some();
        Filter {
            between_instruments: query.instruments_only,
            statuses: Statuses::among(&query.statuses),
            created_ms: bounds(query.created_from, query.created_to),
            executed_ms: executed.then(|| bounds(query.executed_from, query.executed_to)),
            account: query.source.map(|id| (id.raw(), AccountRole::Source)),
            profile: query.profile.map(|id| of_somebody(id.raw())),
            tag: query.tag.as_deref().map(owner_page::tag_mark),
            ..Filter::default()
        }
    }

    fn of_account(query: &TransferQuery) -> Filter {
        Filter {
            statuses: Statuses::among(&query.status),
            created_ms: (
                query.from.map_or(i64::MIN, |at| at.0),
                query.to.map_or(i64::MAX, |at| at.0),
            ),
            before: query.after.map_or(u64::MAX, TransferId::raw),
            account: Some((query.account.raw(), query.role)),
            execution: query.execution.map(|id| of_somebody(id.raw())),
            card: query.card.map(|id| of_somebody(id.raw())),
            direction: query.direction.map(Code::code),
            origins: query
                .origin
                .iter()
                .fold(0, |set, origin| set | 1 << origin.code()),
            ..Filter::default()
        }
    }

    /// Whether it wants everything but for the instruments.
    fn is_plain(&self) -> bool {
        self.statuses == Statuses::ANY
            && self.executed_ms.is_none()
            && self.is_of_page()
            && self.created_ms == (i64::MIN, i64::MAX)
    }

    /// Whether nothing is asked that only lines can tell.
    fn is_of_page(&self) -> bool {
        self.account.is_none()
            && self.profile.is_none()
            && self.execution.is_none()
            && self.card.is_none()
            && self.tag.is_none()
            && self.direction.is_none()
            && self.origins == 0
            && self.before == u64::MAX
    }

    /// How many lines of a page match, when its summary tells.
    fn count(&self, page: &Summary) -> Option<u64> {
        let none = page.first_id >= self.before
            || page.created_ms.1 < self.created_ms.0
            || page.created_ms.0 > self.created_ms.1
            || page.count_of(self.statuses, self.between_instruments) == 0;
        if none || !self.may_have_marks(page) {
            return Some(0);
        }
        let statuses = match (self.executed_ms, page.executed_ms) {
            (None, _) => self.statuses,
            (Some(_), None) => return Some(0),
            (Some((from, to)), Some((first, last))) => {
                if last < from || first > to {
                    return Some(0);
                }
                if first < from || last > to {
                    return None;
                }
                self.statuses.and(Statuses::executed())
            }
        };
        let all_created = within(page.created_ms.0, self.created_ms)
            && within(page.created_ms.1, self.created_ms);
        let told = self.is_of_page() && all_created;
        told.then(|| page.count_of(statuses, self.between_instruments))
    }

    fn may_have_marks(&self, page: &Summary) -> bool {
        [
            self.account.map(|(id, _)| Mark::account(id)),
            self.profile.map(Mark::profile),
            self.execution.map(Mark::execution),
            self.card.map(Mark::card),
            self.tag.map(Mark::tag),
        ]
        .into_iter()
        .flatten()
        .all(|mark| page.may_have(mark))
    }

    fn matches(&self, line: RawLine<'_>) -> bool {
        let is = |wanted: Option<u64>, found: u64| wanted.is_none_or(|id| id == found);
        line.id() < self.before
            && self.statuses.has(line.status())
            && (!self.between_instruments || line.between_instruments())
            && within(line.created_ms(), self.created_ms)
            && self.account.is_none_or(|(account, role)| match role {
                AccountRole::Source => line.source() == account,
                AccountRole::Destination => line.destination() == account,
                AccountRole::Either => line.source() == account || line.destination() == account,
            })
            && self
                .executed_ms
                .is_none_or(|bounds| line.executed_ms().is_some_and(|at| within(at, bounds)))
            && is(self.profile, line.profile())
            && is(self.execution, line.execution())
            && is(self.card, line.card())
            && self.direction.is_none_or(|code| line.direction() == code)
            && (self.origins == 0 || self.origins & 1 << (line.origin() & 15) != 0)
            && self.tag.is_none_or(|tag| line.tag() == Some(tag))
    }
}

fn broken(error: OwnerPageError) -> rusqlite::Error {
    rows::damaged(0, error)
}

/// The list of one owner.
struct List<'c> {
    connection: &'c Connection,
    owner: i64,
    lines: CachedStatement<'c>,
}

impl<'c> List<'c> {
    fn open(connection: &'c Connection, owner: OwnerId) -> rusqlite::Result<List<'c>> {
        let lines = "SELECT lines FROM owner_lines WHERE first_id = ?1";
        Ok(List {
            connection,
            owner: id(owner.raw()),
            lines: connection.prepare_cached(lines)?,
        })
    }

    /// Gives the ids on a page that match, newest first, to `take`, until that is false. Pages are
    /// named by their first transfer.
    fn each_match(
        &mut self,
        first_id: u64,
        filter: &Filter,
        mut take: impl FnMut(TransferId) -> bool,
    ) -> rusqlite::Result<()> {
        self.lines.query_row([id(first_id)], |row| {
            let bytes = row.get_ref(0)?.as_blob()?;
            let lines = owner_page::lines(bytes).map_err(broken)?;
            let mut found = lines.rev().filter(|line| filter.matches(*line));
            found.all(|line| take(TransferId::new(line.id())));
            Ok(())
        })
    }

    /// The last page, and how many transfers there are; those between instruments if so wished.
    fn total(&self, between_instruments: bool) -> rusqlite::Result<Option<(i64, u64)>> {
        let sql = "SELECT page, transfers, instruments_before + instruments FROM owner_pages \
                   WHERE owner = ?1 ORDER BY page DESC LIMIT 1";
        let mut find = self.connection.prepare_cached(sql)?;
        let total = find.query_row([self.owner], |row| {
            let (page, transfers, instruments): (i64, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let before = page.saturating_mul(LINES_MAX as i64);
            let total = if between_instruments {
                instruments
            } else {
                before.saturating_add(transfers)
            };
            Ok((page, total.cast_unsigned()))
        });
        total.optional()
    }

    /// Transfers on the pages before; those between instruments if so wished.
    fn before(&self, page: i64, between_instruments: bool) -> rusqlite::Result<u64> {
        if !between_instruments {
            return Ok(page.saturating_mul(LINES_MAX as i64).cast_unsigned());
        }
        let sql = "SELECT instruments_before FROM owner_pages WHERE owner = ?1 AND page = ?2";
        let mut find = self.connection.prepare_cached(sql)?;
        let before: i64 = find.query_row([self.owner, page], |row| row.get(0))?;
        Ok(before.cast_unsigned())
    }

    /// A page of the whole list, without a look at any other.
    fn plain(
        &mut self,
        filter: &Filter,
        offset: u64,
        limit: usize,
    ) -> rusqlite::Result<(Vec<TransferId>, u64)> {
        let between = filter.between_instruments;
        let Some((last, total)) = self.total(between)? else {
            return Ok((Vec::new(), 0));
        };
        let mut ids = Vec::new();
        let Some(oldest_but) = total
            .checked_sub(offset)
            .filter(|left| *left > 0 && limit > 0)
        else {
            return Ok((ids, total));
        };
        // The last page with fewer than `oldest_but` before it has the newest that is wanted.
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = high.saturating_sub((high - low) / 2);
            if self.before(middle, between)? < oldest_but {
                low = middle;
            } else {
                high = middle.saturating_sub(1);
            }
        }
        let mut page = low;
        let next = match page == last {
            true => total,
            false => self.before(page.saturating_add(1), between)?,
        };
        let mut skip = next.saturating_sub(oldest_but);
        while page >= 0 && ids.len() < limit {
            self.each_match(self.first_id(page)?, filter, |id| {
                if skip > 0 {
                    skip -= 1;
                } else {
                    ids.push(id);
                }
                ids.len() < limit
            })?;
            page -= 1;
        }
        Ok((ids, total))
    }

    /// A page of what matches, and how many match.
    fn filtered(
        &mut self,
        filter: &Filter,
        offset: u64,
        limit: usize,
    ) -> rusqlite::Result<(Vec<TransferId>, u64)> {
        let (mut ids, mut count) = (Vec::new(), 0_u64);
        let connection = self.connection;
        let mut pages = connection.prepare_cached(&summaries("WHERE owner = ?1"))?;
        let mut found = pages.query([self.owner])?;
        while let Some(row) = found.next()? {
            let summary = rows::owner_page(row)?;
            let told = filter.count(&summary);
            let end = count.saturating_add(told.unwrap_or(0));
            let is_elsewhere = end <= offset || ids.len() >= limit;
            if let Some(told) = told.filter(|told| *told == 0 || is_elsewhere) {
                count = count.saturating_add(told);
                continue;
            }
            self.each_match(summary.first_id, filter, |id| {
                if count >= offset && ids.len() < limit {
                    ids.push(id);
                }
                count += 1;
                true
            })?;
        }
        Ok((ids, count))
    }

    /// The newest that match.
    fn newest(&mut self, filter: &Filter, limit: usize) -> rusqlite::Result<Vec<TransferId>> {
        let mut ids = Vec::new();
        let Some((last, _)) = self.total(false)? else {
            return Ok(ids);
        };
        let from = self.page_before(filter.before, last)?;
        let connection = self.connection;
        let mut pages = connection.prepare_cached(&summaries("WHERE owner = ?1 AND page <= ?2"))?;
        let mut found = pages.query([self.owner, from])?;
        while ids.len() < limit
            && let Some(row) = found.next()?
        {
            let summary = rows::owner_page(row)?;
            if filter.count(&summary) == Some(0) {
                continue;
            }
            self.each_match(summary.first_id, filter, |id| {
                ids.push(id);
                ids.len() < limit
            })?;
        }
        Ok(ids)
    }

    /// The first transfer of a page.
    fn first_id(&self, page: i64) -> rusqlite::Result<u64> {
        let sql = "SELECT first_id FROM owner_pages WHERE owner = ?1 AND page = ?2";
        let mut find = self.connection.prepare_cached(sql)?;
        let first: i64 = find.query_row([self.owner, page], |row| row.get(0))?;
        Ok(first.cast_unsigned())
    }

    /// The last page with a transfer older than `before`, or the first page.
    fn page_before(&self, before: u64, last: i64) -> rusqlite::Result<i64> {
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = high.saturating_sub((high - low) / 2);
            if self.first_id(middle)? < before {
                low = middle;
            } else {
                high = middle.saturating_sub(1);
            }
        }
        Ok(low)
    }
}

/// Summaries of pages, the newest first.
fn summaries(condition: &str) -> String {
    let columns = rows::OWNER_PAGE;
    format!("SELECT {columns} FROM owner_pages {condition} ORDER BY page DESC")
}

pub(crate) fn owner_transfers(
    connection: &Connection,
    query: &OwnerTransferQuery,
) -> rusqlite::Result<OwnerTransferPage> {
    let sql = "SELECT 1 FROM owners WHERE id = ?1 AND tenant = ?2";
    let mut find = connection.prepare_cached(sql)?;
    if !find.exists([id(query.owner.raw()), id(query.tenant.raw())])? {
        return Ok(OwnerTransferPage::default());
    }
    let filter = Filter::of_owner(query);
    let mut list = List::open(connection, query.owner)?;
    let (ids, count) = if filter.is_plain() {
        list.plain(&filter, query.offset as u64, query.limit)?
    } else {
        list.filtered(&filter, query.offset as u64, query.limit)?
    };
    Ok(OwnerTransferPage {
        rows: rows_of(connection, &ids)?,
        count,
    })
}

pub(crate) fn transfers(
    connection: &Connection,
    query: &TransferQuery,
) -> rusqlite::Result<Vec<TransferRow>> {
    let sql = "SELECT owner FROM accounts WHERE tenant = ?1 AND id = ?2";
    let mut find = connection.prepare_cached(sql)?;
    let account = [id(query.tenant.raw()), id(query.account.raw())];
    let owner: Option<i64> = find.query_row(account, |row| row.get(0)).optional()?;
    let Some(owner) = owner else {
        return Ok(Vec::new());
    };
    let mut list = List::open(connection, OwnerId::new(owner.cast_unsigned()))?;
    let wanted = query.first.saturating_add(1);
    let ids = list.newest(&Filter::of_account(query), wanted)?;
    rows_of(connection, &ids)
}

fn rows_of(connection: &Connection, ids: &[TransferId]) -> rusqlite::Result<Vec<TransferRow>> {
    let mut lookup = Lookup::prepare(connection)?;
    let missing = || rows::damaged(0, "a transfer of a list is missing");
    ids.iter()
        .map(|id| lookup.find(*id)?.ok_or_else(missing))
        .collect()
}

/// A tenant's transfers at one status that something waits to be done with, oldest first.
pub(crate) fn waiting_transfers(
    connection: &Connection,
    tenant: TenantId,
    status: Status,
    limit: usize,
) -> rusqlite::Result<Vec<TransferRow>> {
    let sql = "SELECT object FROM due WHERE tenant = ?1 AND kind = ?2 ORDER BY object";
    let mut find = connection.prepare_cached(sql)?;
    let (kind, _) = work_parts(Work::Settle(TransferId::new(0)));
    let mut objects = find.query((id(tenant.raw()), kind))?;
    let mut lookup = Lookup::prepare(connection)?;
    let mut found = Vec::new();
    while let Some(row) = objects.next()? {
        if found.len() >= limit {
            break;
        }
        let object: i64 = row.get(0)?;
        let transfer = TransferId::new(object.cast_unsigned());
        let row = lookup.find(transfer)?;
        found.extend(row.filter(|row| row.transfer.status == status));
    }
    Ok(found)
}

/// The transfers that have not ended, of one owner or of all, oldest first within an owner.
pub(crate) fn open_transfers(
    connection: &Connection,
    owner: Option<OwnerId>,
) -> rusqlite::Result<Vec<TransferId>> {
    // The first four counts are those of the statuses that are not final. Lines are read of pages
    // with such transfers only.
    let sql = "SELECT lines FROM owner_pages JOIN owner_lines USING (first_id) \
               WHERE (?1 IS NULL OR owner = ?1) AND substr(statuses, 1, 4) <> zeroblob(4)";
    let mut find = connection.prepare(sql)?;
    let mut pages = find.query([owner.map(|owner| id(owner.raw()))])?;
    let mut ids = Vec::new();
    while let Some(row) = pages.next()? {
        let bytes = row.get_ref(0)?.as_blob()?;
        let lines = owner_page::lines(bytes).map_err(broken)?;
        let open = lines.filter(|line| Statuses::open().has(line.status()));
        ids.extend(open.map(|line| TransferId::new(line.id())));
    }
    Ok(ids)
}
