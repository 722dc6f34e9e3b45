//! Which records there are, in which version and with what unique: what must be known of
//! them to decide. Their bodies are elsewhere. Of what is only ever added to, nothing must be known.

use std::collections::HashMap;

use ledger::{Millis, OwnerId, Rejection, Reply, State, TenantId};

use crate::codec::Change;
use crate::records::{
    Expect, Fingerprint, PUTS_MAX, Put, PutId, PutOwner, RECORD_BODY_MAX, Record, RecordConflict,
    RecordKind,
};

/// What is known of one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Kept {
    tenant: TenantId,
    version: u64,
    unique: Option<Fingerprint>,
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    kept: HashMap<(RecordKind, u64), Kept>,
    /// Who has what must be unique.
    taken: HashMap<(RecordKind, TenantId, Fingerprint), u64>,
}

/// Why puts are not written.
pub(crate) enum Refusal {
    Conflict(RecordConflict),
    Rejected(Rejection),
}

impl From<RecordConflict> for Refusal {
    fn from(conflict: RecordConflict) -> Refusal {
        Refusal::Conflict(conflict)
    }
}

fn invalid(reason: &'static str) -> Refusal {
    Refusal::Rejected(Rejection::Invalid {
        field: "records",
        reason,
    })
}

impl Shelf {
    fn get(&self, kind: RecordKind, id: u64) -> Option<&Kept> {
        self.kept.get(&(kind, id))
    }

    /// Whether all of `puts` may be written now.
    pub(crate) fn check(&self, puts: &[Put], state: &State) -> Result<(), Refusal> {
        if puts.len() > PUTS_MAX {
            return Err(invalid("are too many"));
        }
        for (index, put) in puts.iter().enumerate() {
            if put.body.as_ref().is_some_and(|b| b.len() > RECORD_BODY_MAX) {
                return Err(invalid("are too large"));
            }
            if state.tenant(put.tenant).is_none() {
                return Err(Refusal::Rejected(Rejection::TenantNotFound));
            }
            if let PutOwner::Known(id) = put.owner
                && state
                    .owner(id)
                    .is_none_or(|owner| owner.tenant != put.tenant)
            {
                return Err(Refusal::Rejected(Rejection::OwnerNotFound));
            }
            self.check_version(put, state)?;
            if puts[..index].iter().any(|earlier| same(earlier, put)) {
                return Err(RecordConflict::Changed(put.kind).into());
            }
            self.check_unique(puts, index)?;
        }
        Ok(())
    }

    fn check_version(&self, put: &Put, state: &State) -> Result<(), Refusal> {
        let changed = Err(RecordConflict::Changed(put.kind).into());
        let added = put.id == PutId::New && put.body.is_some() && put.unique.is_none();
        let thrown_away = matches!(put.id, PutId::Known(id) if id <= state.last_id())
            && put.body.is_none()
            && put.expect == Expect::Present;
        if put.kind.is_log() && thrown_away {
            // Nothing is known of them: one that is gone already is thrown away in vain.
            return Ok(());
        }
        if put.kind.is_log() && !added {
            return Err(invalid("of a log are only ever added, and thrown away"));
        }
        let known = match put.id {
            PutId::Known(id) if id > state.last_id() => {
                return Err(invalid("have an id that was never issued"));
            }
            PutId::Known(id) => self.get(put.kind, id),
            PutId::New | PutId::OfReply => None,
        };
        match (put.expect, known) {
            (Expect::Absent, None) if put.body.is_some() => Ok(()),
            (Expect::Version(version), Some(known))
                if known.version == version && known.tenant == put.tenant =>
            {
                Ok(())
            }
            (Expect::Present, Some(known)) if known.tenant == put.tenant => Ok(()),
            _ => changed,
        }
    }

    /// A unique may be taken over from a record that gives it up earlier in the same action.
    fn check_unique(&self, puts: &[Put], index: usize) -> Result<(), Refusal> {
        let put = &puts[index];
        let Some(unique) = put.unique.filter(|_| put.body.is_some()) else {
            return Ok(());
        };
        let wants = |other: &Put| {
            other.kind == put.kind
                && other.tenant == put.tenant
                && other.body.is_some()
                && other.unique == Some(unique)
        };
        let taken = Err(RecordConflict::Taken(put.kind).into());
        if puts[..index].iter().any(wants) {
            return taken;
        }
        let Some(holder) = self.taken.get(&(put.kind, put.tenant, unique)) else {
            return Ok(());
        };
        let is_own = put.id == PutId::Known(*holder);
        let given_up = puts[..index]
            .iter()
            .any(|earlier| earlier.kind == put.kind && earlier.id == PutId::Known(*holder));
        if is_own || given_up { Ok(()) } else { taken }
    }

    /// The change that a checked put makes. `reply` is the answer of the command beside it, and
    /// `new_id` the id for a record that needs one.
    pub(crate) fn record(
        &self,
        put: &Put,
        reply: &Reply,
        now: Millis,
        new_id: u64,
    ) -> Result<Change, Refusal> {
        let made = made_by(reply);
        let of_reply = || invalid("need what a command makes");
        let id = match put.id {
            PutId::Known(id) => id,
            PutId::New => new_id,
            PutId::OfReply => made.0.ok_or_else(of_reply)?,
        };
        let owner = match put.owner {
            PutOwner::None => None,
            PutOwner::Known(owner) => Some(owner),
            PutOwner::OfReply => Some(made.1.ok_or_else(of_reply)?),
        };
        let Some(body) = put.body.clone() else {
            return Ok(Change::RecordDeleted { kind: put.kind, id });
        };
        let before = self.get(put.kind, id).map_or(0, |kept| kept.version);
        Ok(Change::RecordPut(Record {
            kind: put.kind,
            id,
            tenant: put.tenant,
            owner,
            version: before.saturating_add(1),
            unique: put.unique,
            body,
            at: now,
        }))
    }

    /// Notes what a change does to records.
    ///
    /// # Errors
    /// What contradicts what is there.
    pub(crate) fn keep(&mut self, change: &Change) -> Result<(), &'static str> {
        match change {
            Change::RecordPut(record) if record.kind.is_log() => match record.version {
                1 => Ok(()),
                _ => Err("a record of a log is written again"),
            },
            Change::RecordDeleted { kind, .. } if kind.is_log() => Ok(()),
            Change::RecordPut(record) => self.put(record),
            Change::RecordDeleted { kind, id } => self.delete(*kind, *id),
            _ => Ok(()),
        }
    }

    /// Notes a record.
    ///
    /// # Errors
    /// What contradicts what is there.
    fn put(&mut self, record: &Record) -> Result<(), &'static str> {
        let key = (record.kind, record.id);
        let before = self.kept.get(&key).copied();
        let version = before.map_or(0, |kept| kept.version);
        if version.checked_add(1) != Some(record.version) {
            return Err("a record's version does not follow the one before");
        }
        if before.is_some_and(|kept| kept.tenant != record.tenant) {
            return Err("a record changes its tenant");
        }
        self.forget_unique(record.kind, before);
        self.restore(record)
    }

    /// Notes a record in whatever version it is in, where there was none.
    ///
    /// # Errors
    /// When its unique is another record's.
    pub(crate) fn restore(&mut self, record: &Record) -> Result<(), &'static str> {
        if let Some(unique) = record.unique {
            let taken = (record.kind, record.tenant, unique);
            if self.taken.insert(taken, record.id).is_some() {
                return Err("two records have what must be unique");
            }
        }
        let kept = Kept {
            tenant: record.tenant,
            version: record.version,
            unique: record.unique,
        };
        self.kept.insert((record.kind, record.id), kept);
        Ok(())
    }

    /// Forgets a record.
    ///
    /// # Errors
    /// When there is none.
    fn delete(&mut self, kind: RecordKind, id: u64) -> Result<(), &'static str> {
        let kept = self.kept.remove(&(kind, id));
        if kept.is_none() {
            return Err("a record is deleted that does not exist");
        }
        self.forget_unique(kind, kept);
        Ok(())
    }

    fn forget_unique(&mut self, kind: RecordKind, kept: Option<Kept>) {
        if let Some((tenant, unique)) = kept.and_then(|kept| Some((kept.tenant, kept.unique?))) {
            self.taken.remove(&(kind, tenant, unique));
        }
    }
}

fn same(one: &Put, other: &Put) -> bool {
    one.kind == other.kind && one.id == other.id && one.id != PutId::New
}

/// The id and the owner of what a command has made.
fn made_by(reply: &Reply) -> (Option<u64>, Option<OwnerId>) {
    match reply {
        Reply::Owner(owner) => (Some(owner.id.raw()), Some(owner.id)),
        Reply::Account(account) => (Some(account.id.raw()), Some(account.owner)),
        Reply::Transfer { transfer, .. } => (Some(transfer.id.raw()), Some(transfer.owner)),
        Reply::Hold(hold) => (Some(hold.id.raw()), None),
        Reply::Tenant(tenant) => (Some(tenant.id.raw()), None),
        Reply::Profile(profile) => (Some(profile.id.raw()), None),
        Reply::Bulk(bulk) => (Some(bulk.id.raw()), Some(bulk.owner)),
        Reply::Rule(rule) => (Some(rule.id.raw()), Some(rule.owner)),
        Reply::Execution(execution) => (Some(execution.id.raw()), Some(execution.owner)),
        Reply::Done => (None, None),
    }
}
