//! Which records of the journal are a tenant's, so that its history can be read from the journal.
//!
//! A page is about a stretch of the journal of at most [`SPAN`] bytes. It has the number of the
//! tenant's first commit there, the place before the first batch, and runs: how many batches on, how
//! many records of that batch are passed over, and how many are the tenant's. Varints.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use journal::Position;
use ledger::TenantId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::damaged;

/// Bytes of the journal that one page is about, and one batch more: what is read to find the first
/// of its commits.
const SPAN: u64 = 256 << 10;
/// Bytes of the runs of a page.
const RUNS_MAX: usize = 2 << 10;

/// Records of one batch, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    /// The number of the batch.
    pub batch: u64,
    /// The index of the first record.
    pub from: u64,
    /// How many.
    pub count: u64,
}

/// A page in the making.
#[derive(Clone, Debug)]
struct Open {
    first: u64,
    commits: u64,
    begin: Position,
    /// The runs that are complete.
    runs: Vec<u8>,
    /// Where the last complete one ended: its batch, and the index after it.
    reached: (u64, u64),
    run: Run,
}

impl Open {
    fn new(first: u64, begin: Position, batch: u64, index: u64) -> Open {
        Open {
            first,
            commits: 1,
            begin,
            runs: Vec::new(),
            reached: (begin.batch, 0),
            run: Run {
                batch,
                from: index,
                count: 1,
            },
        }
    }

    fn has_room(&self, before: &Position) -> bool {
        self.runs.len() < RUNS_MAX
            && before.segment == self.begin.segment
            && before.offset.saturating_sub(self.begin.offset) < SPAN
    }

    fn push(&mut self, batch: u64, index: u64) {
        self.commits = self.commits.saturating_add(1);
        let run = &mut self.run;
        if run.batch == batch && run.from.saturating_add(run.count) == index {
            run.count = run.count.saturating_add(1);
            return;
        }
        let closed = *run;
        *run = Run {
            batch,
            from: index,
            count: 1,
        };
        append(&mut self.runs, self.reached, closed);
        self.reached = (closed.batch, closed.from.saturating_add(closed.count));
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.runs.clone();
        append(&mut bytes, self.reached, self.run);
        bytes
    }
}

fn append(out: &mut Vec<u8>, reached: (u64, u64), run: Run) {
    let (batch, index) = reached;
    varint(out, run.batch.saturating_sub(batch));
    let from = if run.batch == batch { index } else { 0 };
    varint(out, run.from.saturating_sub(from));
    varint(out, run.count);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The pages of all tenants that are being filled, and those that are not written yet.
#[derive(Default)]
pub(crate) struct CommitPages {
    open: HashMap<TenantId, Open>,
    /// The number of each tenant's newest commit.
    newest: HashMap<TenantId, u64>,
    /// Pages that are complete and not written.
    full: Vec<(TenantId, Open)>,
    /// Tenants whose open page is not written as it is.
    changed: BTreeSet<TenantId>,
}

impl CommitPages {
    /// What goes on after the pages of these views.
    pub(crate) fn load(views: &Connection) -> rusqlite::Result<CommitPages> {
        let mut newest = HashMap::new();
        let mut tenants = views.prepare("SELECT id FROM tenants")?;
        let mut find = views.prepare(
            "SELECT first + commits - 1 FROM commit_pages WHERE tenant = ?1 \
             ORDER BY first DESC LIMIT 1",
        )?;
        let mut rows = tenants.query([])?;
        while let Some(row) = rows.next()? {
            let tenant: i64 = row.get(0)?;
            let number: Option<i64> = find.query_row([tenant], |row| row.get(0)).optional()?;
            if let Some(number) = number {
                newest.insert(
                    TenantId::new(tenant.cast_unsigned()),
                    number.cast_unsigned(),
                );
            }
        }
        Ok(CommitPages {
            newest,
            ..CommitPages::default()
        })
    }

    /// Notes the tenant's next commit: record `index` of the batch that follows `before`.
    pub(crate) fn note(&mut self, tenant: TenantId, before: &Position, batch: u64, index: u64) {
        let newest = self.newest.entry(tenant).or_default();
        *newest = newest.saturating_add(1);
        self.changed.insert(tenant);
        if let Some(open) = self.open.get_mut(&tenant)
            && (open.has_room(before) || open.run.batch == batch)
        {
            open.push(batch, index);
            return;
        }
        let page = Open::new(*newest, *before, batch, index);
        if let Some(full) = self.open.insert(tenant, page) {
            self.full.push((tenant, full));
        }
    }

    /// Writes what is not written.
    pub(crate) fn write(&self, views: &Connection) -> rusqlite::Result<()> {
        let mut put = views
            .prepare_cached("REPLACE INTO commit_pages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        let open = self.changed.iter().filter_map(|tenant| {
            let page = self.open.get(tenant)?;
            Some((tenant, page))
        });
        let full = self.full.iter().map(|(tenant, page)| (tenant, page));
        for (tenant, page) in full.chain(open) {
            put.execute(params![
                tenant.raw().cast_signed(),
                page.first.cast_signed(),
                page.commits.cast_signed(),
                page.begin.batch.cast_signed(),
                page.begin.segment,
                page.begin.offset.cast_signed(),
                page.begin.chain,
                page.bytes(),
            ])?;
        }
        Ok(())
    }

    /// All of it is written. Gives the newest commits of the tenants that have new ones.
    pub(crate) fn written(&mut self) -> BTreeMap<TenantId, u64> {
        self.full.clear();
        let changed = std::mem::take(&mut self.changed);
        let newest = |tenant| Some((tenant, *self.newest.get(&tenant)?));
        changed.into_iter().filter_map(newest).collect()
    }

    /// The number of each tenant's newest commit.
    pub(crate) fn newest(&self) -> &HashMap<TenantId, u64> {
        &self.newest
    }
}

/// A page as it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CommitPage {
    /// The number of its first commit.
    pub first: u64,
    /// How many it has.
    pub commits: u64,
    /// Before the first batch.
    pub begin: Position,
    /// Where they are, in order.
    pub runs: Vec<Run>,
}

/// The page that has a tenant's commit with this number.
pub(crate) fn find(
    views: &Connection,
    tenant: TenantId,
    number: u64,
) -> rusqlite::Result<Option<CommitPage>> {
    let mut find = views.prepare_cached(
        "SELECT first, commits, batch, segment, offset, chain, runs FROM commit_pages \
         WHERE tenant = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
    )?;
    let key = params![tenant.raw().cast_signed(), number.cast_signed()];
    let page = find.query_row(key, read).optional()?;
    Ok(page.filter(|page| number - page.first < page.commits))
}

fn read(row: &Row<'_>) -> rusqlite::Result<CommitPage> {
    let begin = Position {
        batch: row.get::<_, i64>(2)?.cast_unsigned(),
        segment: row.get(3)?,
        offset: row.get::<_, i64>(4)?.cast_unsigned(),
        chain: row.get(5)?,
    };
    let bytes: Vec<u8> = row.get(6)?;
    let page = CommitPage {
        first: row.get::<_, i64>(0)?.cast_unsigned(),
        commits: row.get::<_, i64>(1)?.cast_unsigned(),
        begin,
        runs: runs(&bytes, begin.batch).ok_or_else(|| damaged(6, "runs of commits are damaged"))?,
    };
    let sum: u64 = page.runs.iter().map(|run| run.count).sum();
    if sum != page.commits {
        return Err(damaged(6, "a page of commits has others than it says"));
    }
    Ok(page)
}

fn runs(mut bytes: &[u8], begin: u64) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let (mut batch, mut index) = (begin, 0_u64);
    while !bytes.is_empty() {
        let [on, skip, count] = [take(&mut bytes)?, take(&mut bytes)?, take(&mut bytes)?];
        if on > 0 {
            batch = batch.checked_add(on)?;
            index = 0;
        }
        let from = index.checked_add(skip)?;
        index = from.checked_add(count)?;
        runs.push(Run { batch, from, count });
    }
    Some(runs)
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::views;

    fn at(batch: u64, offset: u64) -> Position {
        Position {
            batch,
            offset,
            ..Position::START
        }
    }

    #[test]
    fn commits_are_found_where_they_were_noted() {
        let views = views::in_memory();
        let (one, other) = (TenantId::new(1), TenantId::new(2));
        let mut pages = CommitPages::default();
        // Batch 1: records 0, 1 and 3 are of the first tenant; batch 3: records 2 and 3.
        for (tenant, before, batch, index) in [
            (one, at(0, 0), 1, 0),
            (one, at(0, 0), 1, 1),
            (other, at(0, 0), 1, 2),
            (one, at(0, 0), 1, 3),
            (other, at(1, 900), 2, 0),
            (one, at(2, 1_000), 3, 2),
            (one, at(2, 1_000), 3, 3),
        ] {
            pages.note(tenant, &before, batch, index);
        }
        pages.write(&views).expect("room");
        assert_eq!(pages.written(), BTreeMap::from([(one, 5), (other, 2)]));
        // A later batch far behind begins a page.
        pages.note(one, &at(3, SPAN + 1_000), 4, 7);
        pages.write(&views).expect("room");
        assert_eq!(pages.written(), BTreeMap::from([(one, 6)]));
        let run = |batch, from, count| Run { batch, from, count };
        let page = find(&views, one, 5).expect("readable").expect("noted");
        assert_eq!((page.first, page.commits), (1, 5));
        assert_eq!(page.begin, at(0, 0));
        assert_eq!(page.runs, [run(1, 0, 2), run(1, 3, 1), run(3, 2, 2)]);
        let page = find(&views, other, 1).expect("readable").expect("noted");
        assert_eq!(page.runs, [run(1, 2, 1), run(2, 0, 1)]);
        let page = find(&views, one, 6).expect("readable").expect("noted");
        assert_eq!((page.first, page.begin), (6, at(3, SPAN + 1_000)));
        assert_eq!(page.runs, [run(4, 7, 1)]);
        assert_eq!(find(&views, one, 7).expect("readable"), None);
        assert_eq!(find(&views, TenantId::new(3), 1).expect("readable"), None);
    }

    #[test]
    fn damaged_runs_are_refused() {
        assert_eq!(runs(&[1, 0], 0), None);
        assert_eq!(runs(&[0xff; 30], 0), None);
        assert_eq!(runs(&[], 0), Some(Vec::new()));
    }
}
