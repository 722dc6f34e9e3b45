//! A database that a ledger is copied out of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use ledger::{Millis, TenantId};

use super::{UNFINISHED, check_servers, is_unfinished, open, tally};
use crate::codec;
use crate::copy::{CopyError, Tally};
use crate::postgres::connect::DatabaseUrl;
use crate::postgres::failure::Failure;
use crate::postgres::rows::{self, Columns};
use crate::postgres::session::{Call, Session};
use crate::postgres::verify::snapshot::Snapshot;
use crate::postgres::verify::verify_moment;

const HEADS: &str = "SELECT h.tenant, h.number FROM heads h ORDER BY h.tenant";
const COMMITS: &str = "SELECT c.number, c.record FROM commits c \
     WHERE c.tenant = $1 AND c.number > $2 ORDER BY c.number LIMIT $3";

/// Records of all tenants that are kept in memory, and of one at least and at most.
const AHEAD: usize = 65_536;
const AHEAD_MIN: usize = 16;
const AHEAD_MAX: usize = 1_024;

/// See the module: one moment of it.
pub(crate) struct Source {
    url: DatabaseUrl,
    session: Session,
    snapshot: Snapshot,
    heads: Vec<(TenantId, i64)>,
}

impl Source {
    /// Opens a database that has a whole ledger and no server.
    ///
    /// # Errors
    /// [`CopyError::Refused`] when it has not.
    pub(crate) async fn open(url: &DatabaseUrl, now: Millis) -> Result<Source, CopyError> {
        let mut session = open(url).await?;
        if is_unfinished(&mut session).await? {
            return Err(CopyError::Refused(format!("{url}: {UNFINISHED}")));
        }
        check_servers(&mut session, url, now).await?;
        let snapshot = Snapshot::open(url).await?;
        let heads = heads(&snapshot.rows(HEADS, &[]).await?)?;
        if heads.is_empty() {
            return Err(CopyError::Refused(format!("{url} has no ledger")));
        }
        Ok(Source {
            url: url.clone(),
            session,
            snapshot,
            heads,
        })
    }

    /// Every tenant's commits, each tenant's in the order of its numbers, all of them in the order
    /// of their times as far as that allows.
    pub(crate) fn commits(&self) -> Commits<'_> {
        let tenants = self.heads.len().max(1);
        let ahead = (AHEAD / tenants).clamp(AHEAD_MIN, AHEAD_MAX);
        Commits {
            snapshot: &self.snapshot,
            page: i64::try_from(ahead).unwrap_or(i64::MAX),
            unread: self.heads.iter().map(|(tenant, _)| *tenant).collect(),
            ahead: BTreeMap::new(),
            order: BinaryHeap::new(),
        }
    }

    /// Verifies everything and gives what it comes to.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) async fn verify(&self) -> Result<Tally, CopyError> {
        verify_moment(&self.snapshot).await?;
        tally(&self.snapshot).await
    }

    /// Nobody has written since it was opened.
    ///
    /// # Errors
    /// [`CopyError::Refused`] when somebody has, or may any moment.
    pub(crate) async fn check_still(&mut self, now: Millis) -> Result<(), CopyError> {
        check_servers(&mut self.session, &self.url, now).await?;
        let rows = self.session.call(Call::new(HEADS)).await?;
        if heads(&rows)? != self.heads {
            return Err(CopyError::Refused(format!(
                "{} was written to while it was copied; stop every server and copy again",
                self.url
            )));
        }
        Ok(())
    }
}

fn heads(rows: &[impl Columns]) -> Result<Vec<(TenantId, i64)>, CopyError> {
    let head = |row: &_| Ok((TenantId::new(rows::raw(row, 0)?), rows::get(row, 1)?));
    let heads: Result<_, Failure> = rows.iter().map(head).collect();
    Ok(heads?)
}

/// The commits of one tenant that were read and not yet given.
struct Ahead {
    records: VecDeque<Vec<u8>>,
    /// The number of the last one that was read.
    last: i64,
}

/// See [`Source::commits`].
pub(crate) struct Commits<'a> {
    snapshot: &'a Snapshot,
    page: i64,
    /// Tenants of which nothing was read.
    unread: Vec<TenantId>,
    ahead: BTreeMap<TenantId, Ahead>,
    /// The time of each tenant's next commit.
    order: BinaryHeap<Reverse<(Millis, TenantId)>>,
}

impl Commits<'_> {
    /// The record of the next commit.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, CopyError> {
        while let Some(tenant) = self.unread.pop() {
            let none = Ahead {
                records: VecDeque::new(),
                last: 0,
            };
            self.ahead.insert(tenant, none);
            self.line_up(tenant).await?;
        }
        let Some(Reverse((_, tenant))) = self.order.pop() else {
            return Ok(None);
        };
        let ahead = self.ahead.get_mut(&tenant);
        let record = ahead.and_then(|ahead| ahead.records.pop_front());
        self.line_up(tenant).await?;
        Ok(record)
    }

    /// Puts a tenant's next commit in its place among those of the others.
    async fn line_up(&mut self, tenant: TenantId) -> Result<(), CopyError> {
        let Some(ahead) = self.ahead.get_mut(&tenant) else {
            return Ok(());
        };
        if ahead.records.is_empty() {
            let key = [tenant.raw().cast_signed(), ahead.last, self.page];
            for row in self.snapshot.rows(COMMITS, &key).await? {
                ahead.last = rows::get(&row, 0).map_err(Failure::from)?;
                let record = rows::get(&row, 1).map_err(Failure::from)?;
                ahead.records.push_back(record);
            }
        }
        if let Some(record) = ahead.records.front() {
            let at = codec::time_of(record);
            let at = at.map_err(|error| CopyError::Inconsistent(error.to_string()))?;
            self.order.push(Reverse((at, tenant)));
        }
        Ok(())
    }
}
