//! Notices: what was changed by other servers and is kept in memory by this one.
//!
//! A notice is a row written in the commit that changes a record or an API key. Its id tells when
//! and by which server it was made; commits of different servers become visible in another order
//! than that of their ids, so that every look goes back a little and skips what it has seen.

use std::collections::BTreeSet;

use ledger::{IdSource, KeyId, Millis, TenantId};

use super::failure::Failure;
use super::node::node_of;
use super::rows;
use super::session::{Call, Session};
use crate::codes::Code;
use crate::records::RecordKind;

/// The kind of a notice about an API key; the other kinds are those of records.
pub(crate) const API_KEYS: i64 = 100;
/// How far back a look goes, in milliseconds: longer than a transaction may take.
const LOOK_BACK_MS: i64 = 30_000;
/// How long notices are kept, in milliseconds.
const KEEP_MS: i64 = 300_000;
/// How often old ones are deleted, in milliseconds.
const CLEAN_MS: i64 = 60_000;
/// Notices of one look. There are never so many, unless somebody has been away.
const LOOK_MAX: usize = 10_000;

const LATER: &str = "SELECT c.id, c.tenant, c.kind, c.object FROM notices c \
     WHERE c.id >= $1 ORDER BY c.id LIMIT $2";
const CLEAN: &str = "DELETE FROM notices AS c WHERE c.id < $1";

/// Something that another server has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A record was written or deleted.
    Record {
        /// Its tenant.
        tenant: TenantId,
        /// Its kind.
        kind: RecordKind,
        /// Its id.
        id: u64,
    },
    /// An API key was made or revoked.
    Key {
        /// Its tenant.
        tenant: TenantId,
        /// The key.
        key: KeyId,
    },
    /// Notices may have been missed: everything that is kept in memory may have changed.
    Missed,
}

/// A notice to be written.
pub(crate) struct Noted {
    pub id: u64,
    pub tenant: TenantId,
    pub kind: i64,
    pub object: u64,
}

/// What was seen of notices.
pub(crate) struct Seen {
    /// The ids of notices from a little before the last look on.
    ids: BTreeSet<u64>,
    looked_at: Millis,
    cleaned_at: Millis,
}

impl Seen {
    /// Everything before `now` is known from the tables themselves.
    pub(crate) fn new(now: Millis) -> Seen {
        Seen {
            ids: BTreeSet::new(),
            looked_at: now,
            cleaned_at: now,
        }
    }

    /// What other servers have changed since the last look.
    ///
    /// # Errors
    /// [`Failure`]; what was not seen is seen by the next look.
    pub(crate) async fn look(
        &mut self,
        session: &mut Session,
        node: u8,
        now: Millis,
    ) -> Result<Vec<Notice>, Failure> {
        let was_away = now.since(self.looked_at) > KEEP_MS - LOOK_BACK_MS;
        let since = if was_away { now } else { self.looked_at };
        let from = IdSource::first_at(since.plus(-LOOK_BACK_MS));
        let limit = i64::try_from(LOOK_MAX).unwrap_or(i64::MAX);
        let call = Call::new(LATER).with(from.cast_signed()).with(limit);
        let found = session.call(call).await?;
        let mut notices = Vec::new();
        // Rather look at everything again than at so much one by one.
        if was_away || found.len() >= LOOK_MAX {
            notices.push(Notice::Missed);
        }
        for row in &found {
            let id = rows::raw(row, 0)?;
            if self.ids.insert(id) && node_of(id) != node {
                let tenant = TenantId::new(rows::raw(row, 1)?);
                notices.extend(notice(tenant, rows::get(row, 2)?, rows::raw(row, 3)?));
            }
        }
        self.looked_at = now;
        self.ids = self.ids.split_off(&from);
        Ok(notices)
    }

    /// Deletes what everybody has seen, now and then.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn clean(
        &mut self,
        session: &mut Session,
        now: Millis,
    ) -> Result<(), Failure> {
        if now.since(self.cleaned_at) >= CLEAN_MS {
            let until = IdSource::first_at(now.plus(-KEEP_MS));
            session
                .call(Call::new(CLEAN).with(until.cast_signed()))
                .await?;
            self.cleaned_at = now;
        }
        Ok(())
    }
}

/// Kinds that a newer server writes are nothing that this one keeps.
fn notice(tenant: TenantId, kind: i64, object: u64) -> Option<Notice> {
    if kind == API_KEYS {
        let key = KeyId::new(object);
        return Some(Notice::Key { tenant, key });
    }
    let kind = RecordKind::from_code(u8::try_from(kind).ok()?)?;
    let id = object;
    Some(Notice::Record { tenant, kind, id })
}
