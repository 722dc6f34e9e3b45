//! Profiles and bulks: what was committed, the state and the rows against each other.
//!
//! Of a bulk's operations and their outcomes, which can be many, only digests are kept.

use std::collections::{BTreeMap, HashMap};

use ledger::{
    Bulk, BulkId, BulkMode, BulkStatus, Effect, Millis, OperationOutcome, Profile, ProfileId,
    ProfileKind, State,
};

use super::sums::digest;
use super::{VerifyError, difference};
use crate::codec;
use crate::codes::Code;

/// What is known of a bulk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct BulkFacts {
    status: BulkStatus,
    mode: Option<BulkMode>,
    succeeded: u32,
    failed: u32,
    started_at: Option<Millis>,
    finished_at: Option<Millis>,
    /// Of everything that never changes, its operations among it.
    fixed: u64,
}

impl BulkFacts {
    fn of(bulk: &Bulk) -> BulkFacts {
        let ids = (bulk.id, bulk.tenant, bulk.owner, bulk.key);
        let operations = codec::operations_to_bytes(&bulk.operations);
        BulkFacts {
            status: bulk.status,
            mode: bulk.mode,
            succeeded: bulk.succeeded,
            failed: bulk.failed,
            started_at: bulk.started_at,
            finished_at: bulk.finished_at,
            fixed: digest(&(ids, bulk.created_at, operations)),
        }
    }
}

/// What became of a bulk's operations, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Outcomes {
    succeeded: u32,
    failed: u32,
    digest: u64,
}

impl Outcomes {
    pub(crate) fn add(&mut self, operation: u32, outcome: OperationOutcome) {
        let said = match outcome {
            OperationOutcome::Made(transfer, status) => (1, transfer.raw(), status.code()),
            OperationOutcome::Denied(denial) => (2, 0, denial.code()),
            OperationOutcome::ProfileNotFound => (3, 0, 0),
        };
        match outcome {
            OperationOutcome::Made(..) => self.succeeded += 1,
            OperationOutcome::Denied(_) | OperationOutcome::ProfileNotFound => self.failed += 1,
        }
        self.digest = digest(&(self.digest, operation, said));
    }
}

/// What was committed of profiles and bulks up to a place.
#[derive(Default)]
pub(crate) struct Programme {
    profiles: BTreeMap<ProfileId, Profile>,
    bulks: BTreeMap<BulkId, BulkFacts>,
    outcomes: HashMap<BulkId, Outcomes>,
}

impl Programme {
    pub(crate) fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::ProfileSet(profile) => {
                self.profiles.insert(profile.id, profile.clone());
            }
            Effect::BulkSubmitted(bulk) => {
                self.bulks.insert(bulk.id, BulkFacts::of(bulk));
            }
            Effect::BulkMoved {
                bulk, to, mode, at, ..
            } => {
                if let Some(facts) = self.bulks.get_mut(bulk) {
                    facts.status = *to;
                    if let Some(mode) = mode {
                        facts.mode = Some(*mode);
                        facts.started_at = Some(*at);
                    }
                    facts.finished_at = to.is_final().then_some(*at);
                }
            }
            Effect::BulkStepped {
                bulk,
                operation,
                outcome,
            } => {
                let outcomes = self.outcomes.entry(*bulk).or_default();
                outcomes.add(*operation, *outcome);
                if let Some(facts) = self.bulks.get_mut(bulk) {
                    facts.succeeded = outcomes.succeeded;
                    facts.failed = outcomes.failed;
                }
            }
            _ => {}
        }
    }

    /// The state has every profile as it was last set, and every bulk that has not ended.
    pub(crate) fn compare_state(&self, state: &State) -> Result<(), VerifyError> {
        for (id, profile) in &self.profiles {
            if state.profile(*id) != Some(profile) {
                return Err(difference(format!("profile {id} differs in the state")));
            }
        }
        if state.profiles().count() != self.profiles.len() {
            return Err(difference("the state has profiles that were never set"));
        }
        for (id, facts) in &self.bulks {
            let seen = state.bulk(*id).map(BulkFacts::of);
            let open = (!facts.status.is_final()).then_some(*facts);
            if seen != open {
                return Err(difference(format!("bulk {id} differs in the state")));
            }
        }
        if let Some(bulk) = state
            .bulks()
            .find(|bulk| !self.bulks.contains_key(&bulk.id))
        {
            let what = format!("bulk {} is only in the state", bulk.id);
            return Err(difference(what));
        }
        Ok(())
    }

    /// Whether this is what a profile was last set to, listed under this kind.
    pub(crate) fn has_profile(&self, profile: &Profile, kind: Option<ProfileKind>) -> bool {
        self.profiles.get(&profile.id) == Some(profile) && kind == Some(profile.terms.kind())
    }

    /// Whether this is how far a bulk has come.
    pub(crate) fn has_bulk(&self, bulk: &Bulk) -> bool {
        self.bulks.get(&bulk.id) == Some(&BulkFacts::of(bulk))
    }

    /// The profiles that were ever set.
    pub(crate) fn profiles(&self) -> impl ExactSizeIterator<Item = ProfileId> {
        self.profiles.keys().copied()
    }

    /// The bulks that were ever handed in.
    pub(crate) fn bulks(&self) -> impl ExactSizeIterator<Item = BulkId> {
        self.bulks.keys().copied()
    }

    /// Whether these are all outcomes of all operations that were done.
    ///
    /// # Errors
    /// A bulk of which they are not.
    pub(crate) fn has_outcomes(&self, seen: &HashMap<BulkId, Outcomes>) -> Result<(), BulkId> {
        let mut bulks = self.outcomes.keys().chain(seen.keys());
        let differs = |bulk: &&BulkId| self.outcomes.get(*bulk) != seen.get(*bulk);
        bulks.find(differs).map_or(Ok(()), |bulk| Err(*bulk))
    }
}
