//! The history of a tenant: what its commits have done, in order, from the first one on.
//!
//! Engines give the records of commits with their numbers; what is told of them is made here, the
//! same for every engine. Nothing is kept for it besides the commits
//! (`docs/decisions/2026-11-21-events.md`).

use ledger::{Effect, KeyId, Millis, State, TenantId};

use crate::codec::{self, Change, CodecError};
use crate::records::{KeyRecord, Record, RecordKind};

/// Bits of a place below the number of its commit.
const COMMIT_SHIFT: u32 = 16;
/// Bits of a place for the parts of one change.
const PART_BITS: u32 = 2;
/// After every change that a commit can have.
const END: u64 = (1 << COMMIT_SHIFT) - 1;
/// Changes of one commit that can be told.
const CHANGES_MAX: usize = (END >> PART_BITS) as usize;

/// A place in a tenant's history: a commit, a change within it, and a part of what that means.
///
/// Commits are numbered from 1. A place is never given to anything else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place(u64);

impl Place {
    /// Before everything.
    pub const START: Place = Place(0);
    /// Parts that one change can have.
    pub const PARTS: usize = 1 << PART_BITS;

    /// The place that [`Place::raw`] gives as a number.
    #[must_use]
    pub fn from_raw(raw: u64) -> Place {
        Place(raw)
    }

    /// It as a number, in the same order.
    #[must_use]
    pub fn raw(self) -> u64 {
        self.0
    }

    /// The number of the commit.
    #[must_use]
    pub fn commit(self) -> u64 {
        self.0 >> COMMIT_SHIFT
    }

    /// After everything in a commit.
    #[must_use]
    pub fn end_of(commit: u64) -> Place {
        Place((commit << COMMIT_SHIFT) | END)
    }

    /// A part of the change that stands here, from 0.
    #[must_use]
    pub fn part(self, part: usize) -> Place {
        let part = part.min(Place::PARTS - 1) as u64;
        Place(self.0 & !(Place::PARTS as u64 - 1) | part)
    }

    /// The first commit that has something after this place.
    pub(crate) fn next_commit(self) -> u64 {
        let is_end = self.0 & END == END;
        let commit = self.commit();
        if is_end {
            commit.saturating_add(1)
        } else {
            commit.max(1)
        }
    }

    fn change(commit: u64, index: usize) -> Option<Place> {
        let index = (index < CHANGES_MAX).then_some(index as u64)?;
        Some(Place((commit << COMMIT_SHIFT) | (index << PART_BITS)))
    }
}

/// Which part of a history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryQuery {
    /// Of this tenant.
    pub tenant: TenantId,
    /// After this place.
    pub after: Place,
    /// At most so many commits are looked at.
    pub commits: usize,
}

/// Part of a history.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    /// What happened, in order.
    pub facts: Vec<FactRow>,
    /// How far was looked: after the last commit, or where the query began.
    pub through: Place,
    /// Whether there may be more behind that already.
    pub more: bool,
}

/// Something that happened, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FactRow {
    /// Its place; the first of its parts.
    pub place: Place,
    /// When it was committed, by the machine's clock.
    pub at: Millis,
    /// What happened.
    pub fact: Fact,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all facts are effects")]
pub enum Fact {
    /// In the ledger.
    Ledger(Effect),
    /// An API key was made.
    KeyCreated(KeyRecord),
    /// An API key was revoked.
    KeyRevoked(KeyId),
    /// A record was written.
    Record(Record),
    /// A record was deleted.
    RecordDeleted {
        /// Its kind.
        kind: RecordKind,
        /// Its id.
        id: u64,
    },
}

/// Collects what commits did.
pub(crate) struct Collector {
    page: HistoryPage,
    commits: usize,
    limit: usize,
    changes: Vec<Change>,
}

impl Collector {
    pub(crate) fn new(query: &HistoryQuery) -> Collector {
        Collector {
            page: HistoryPage {
                facts: Vec::new(),
                through: query.after,
                more: false,
            },
            commits: 0,
            limit: query.commits,
            changes: Vec::new(),
        }
    }

    /// Whether no more commits are wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.commits >= self.limit
    }

    /// Takes the record of the commit with this number.
    ///
    /// # Errors
    /// When it is no record.
    pub(crate) fn take(&mut self, number: u64, record: &[u8]) -> Result<(), CodecError> {
        let at = codec::decode_into(record, &mut self.changes)?;
        let after = self.page.through;
        for (index, change) in self.changes.drain(..).enumerate() {
            let Some(place) = Place::change(number, index) else {
                break;
            };
            let Some(fact) = fact(change) else { continue };
            if place.part(Place::PARTS - 1) > after {
                self.page.facts.push(FactRow { place, at, fact });
            }
        }
        self.changes.clear();
        self.page.through = self.page.through.max(Place::end_of(number));
        self.commits += 1;
        self.page.more = self.is_full();
        Ok(())
    }

    pub(crate) fn end(self) -> HistoryPage {
        self.page
    }
}

/// What a change tells.
fn fact(change: Change) -> Option<Fact> {
    match change {
        Change::Ledger(effect) => Some(Fact::Ledger(effect)),
        Change::KeyCreated(key) => Some(Fact::KeyCreated(key)),
        Change::KeyRevoked { key, .. } => Some(Fact::KeyRevoked(key)),
        Change::RecordPut(record) => Some(Fact::Record(record)),
        Change::RecordDeleted { kind, id } => Some(Fact::RecordDeleted { kind, id }),
        Change::Remembered(_) | Change::Of(_) => None,
    }
}

/// In whose history a commit is that has this change, by the state before it. Keys that are revoked
/// and records that are deleted do not tell; a commit that has nothing else begins with its tenant.
pub(crate) fn tenant_of_change(state: &State, change: &Change) -> Option<TenantId> {
    match change {
        Change::Ledger(effect) => tenant_of_effect(state, effect),
        Change::KeyCreated(key) => Some(key.tenant),
        Change::RecordPut(record) => Some(record.tenant),
        Change::Of(tenant) => Some(*tenant),
        Change::KeyRevoked { .. } | Change::RecordDeleted { .. } | Change::Remembered(_) => None,
    }
}

fn tenant_of_effect(state: &State, effect: &Effect) -> Option<TenantId> {
    match effect {
        Effect::TenantCreated(it) => Some(it.id),
        Effect::ClockSet { tenant, .. } => Some(*tenant),
        Effect::OwnerCreated(it) => Some(it.tenant),
        Effect::AccountOpened(it) => Some(it.tenant),
        Effect::AccountStateSet { account, .. } | Effect::AccountChanged { account, .. } => {
            Some(state.account(*account)?.tenant)
        }
        Effect::ProfileSet(it) => Some(it.tenant),
        Effect::TransferRecorded(it) => Some(it.tenant),
        Effect::TransferMoved { transfer, .. } => Some(state.open_transfer(*transfer)?.tenant),
        Effect::Posted { posting, .. } => {
            let entry = posting.entries().first()?;
            Some(state.account(entry.account)?.tenant)
        }
        Effect::HoldPlaced(it) => Some(it.tenant),
        Effect::HoldReleased(hold) => Some(state.hold(*hold)?.tenant),
        Effect::BulkSubmitted(it) => Some(it.tenant),
        Effect::BulkMoved { bulk, .. } | Effect::BulkStepped { bulk, .. } => {
            Some(state.bulk(*bulk)?.tenant)
        }
        Effect::RuleSet(it) => Some(it.tenant),
        Effect::RuleDeleted { rule, .. } | Effect::CapCounted { rule, .. } => {
            Some(state.rule(*rule)?.tenant)
        }
        Effect::ExecutionRecorded(it) => Some(it.tenant),
        Effect::ExecutionMoved { execution, .. } => Some(state.execution(*execution)?.tenant),
        Effect::DueAdded(due) | Effect::DueRemoved(due) => Some(due.tenant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_commits_changes_and_parts() {
        let place = |commit, change, part| {
            let place = Place::change(commit, change).expect("few changes");
            place.part(part)
        };
        let inside = [
            place(1, 0, 0),
            place(1, 0, 3),
            place(1, 1, 0),
            place(1, 9, 0),
        ];
        let mut all = vec![Place::START];
        all.extend(inside);
        all.extend([Place::end_of(1), place(2, 0, 0), Place::end_of(2)]);
        assert!(all.is_sorted_by(|one, next| one < next), "{all:?}");
        for place in inside {
            assert_eq!(place.commit(), 1);
            assert_eq!(place.next_commit(), 1);
            assert_eq!(Place::from_raw(place.raw()), place);
        }
        assert_eq!(Place::START.next_commit(), 1);
        assert_eq!(Place::end_of(1).next_commit(), 2);
        assert_eq!(place(7, 3, 2).part(0), place(7, 3, 0));
        assert!(Place::change(1, CHANGES_MAX - 1).is_some_and(|last| last < Place::end_of(1)));
        assert_eq!(Place::change(1, CHANGES_MAX), None);
    }
}
