//! Profiles and bulks: the journal, the state and the views against each other.
//!
//! Of a bulk's operations and their outcomes, which can be many, only digests are kept.

use std::collections::{BTreeMap, HashMap};

use ledger::{
    Bulk, BulkId, BulkMode, BulkStatus, Effect, Millis, OperationOutcome, Profile, ProfileId,
    ProfileKind, State,
};
use rusqlite::Connection;

use super::sums::digest;
use super::{VerifyError, difference, unreadable};
use crate::codec;
use crate::codes::Code;
use crate::embedded::rows;

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
struct Outcomes {
    succeeded: u32,
    failed: u32,
    digest: u64,
}

impl Outcomes {
    fn add(&mut self, operation: u32, outcome: OperationOutcome) {
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

/// What the journal says of profiles and bulks up to a place.
#[derive(Default)]
pub(super) struct Programme {
    profiles: BTreeMap<ProfileId, Profile>,
    bulks: BTreeMap<BulkId, BulkFacts>,
    outcomes: HashMap<BulkId, Outcomes>,
}

impl Programme {
    pub(super) fn add(&mut self, effect: &Effect) {
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
    pub(super) fn compare_state(&self, state: &State) -> Result<(), VerifyError> {
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

    /// The tables of profiles, bulks and their operations say what the journal says.
    pub(super) fn compare_views(&self, connection: &Connection) -> Result<(), VerifyError> {
        self.compare_profiles(connection)?;
        self.compare_bulks(connection)?;
        self.compare_operations(connection)?;
        one_transfer_an_operation(connection)
    }

    fn compare_profiles(&self, connection: &Connection) -> Result<(), VerifyError> {
        let sql = format!("SELECT {}, kind FROM profiles ORDER BY id", rows::PROFILE);
        let mut statement = connection.prepare(&sql).map_err(unreadable)?;
        let mut rows = statement.query([]).map_err(unreadable)?;
        let mut found = 0;
        while let Some(row) = rows.next().map_err(unreadable)? {
            let profile = rows::profile(row).map_err(unreadable)?;
            let kind: u8 = row.get(8).map_err(unreadable)?;
            let same = self.profiles.get(&profile.id) == Some(&profile);
            if !same || ProfileKind::from_code(kind) != Some(profile.terms.kind()) {
                let what = format!("profile {} differs in the views", profile.id);
                return Err(difference(what));
            }
            found += 1;
        }
        if found != self.profiles.len() {
            return Err(difference("profiles are missing in the views"));
        }
        Ok(())
    }

    fn compare_bulks(&self, connection: &Connection) -> Result<(), VerifyError> {
        let sql = format!("SELECT {}, submitted FROM bulks ORDER BY id", rows::BULK);
        let mut statement = connection.prepare(&sql).map_err(unreadable)?;
        let mut found = 0;
        let bulks = statement
            .query_map([], |row| Ok((rows::bulk(row)?, row.get::<_, u32>(12)?)))
            .map_err(unreadable)?;
        for bulk in bulks {
            let (bulk, submitted) = bulk.map_err(unreadable)?;
            let counted = u32::try_from(bulk.operations.len()) == Ok(submitted);
            if !counted || self.bulks.get(&bulk.id) != Some(&BulkFacts::of(&bulk)) {
                let what = format!("bulk {} differs in the views", bulk.id);
                return Err(difference(what));
            }
            found += 1;
        }
        if found != self.bulks.len() {
            return Err(difference("bulks are missing in the views"));
        }
        Ok(())
    }

    fn compare_operations(&self, connection: &Connection) -> Result<(), VerifyError> {
        let sql = format!(
            "SELECT {}, bulk FROM bulk_operations ORDER BY bulk, operation",
            rows::BULK_OPERATION
        );
        let mut statement = connection.prepare(&sql).map_err(unreadable)?;
        let mut rows = statement.query([]).map_err(unreadable)?;
        let mut seen: HashMap<BulkId, Outcomes> = HashMap::new();
        while let Some(row) = rows.next().map_err(unreadable)? {
            let (operation, outcome) = rows::bulk_operation(row).map_err(unreadable)?;
            let bulk: i64 = row.get(4).map_err(unreadable)?;
            let outcomes = seen.entry(BulkId::new(bulk.cast_unsigned())).or_default();
            outcomes.add(operation, outcome);
        }
        let bulks = self.outcomes.keys().chain(seen.keys());
        for bulk in bulks {
            if self.outcomes.get(bulk) != seen.get(bulk) {
                let what = format!("bulk {bulk}: its operations differ in the views");
                return Err(difference(what));
            }
        }
        Ok(())
    }
}

/// What an operation made is a transfer, and no other operation's.
fn one_transfer_an_operation(connection: &Connection) -> Result<(), VerifyError> {
    let sql = "SELECT o.bulk, o.operation FROM bulk_operations o \
               LEFT JOIN transfers t ON t.id = o.transfer WHERE o.transfer IS NOT NULL \
               GROUP BY o.transfer HAVING count(*) > 1 OR count(t.id) = 0 LIMIT 1";
    let mut statement = connection.prepare(sql).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    let Some(row) = rows.next().map_err(unreadable)? else {
        return Ok(());
    };
    let bulk: i64 = row.get(0).map_err(unreadable)?;
    let operation: i64 = row.get(1).map_err(unreadable)?;
    Err(difference(format!(
        "bulk {bulk}: operation {operation} has no transfer of its own"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::views;

    /// No view says it: the journal itself would have to be wrong.
    #[test]
    fn an_operation_without_a_transfer_of_its_own_is_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let views = views::open(folder.path()).expect("new views");
        let run = |sql: &str| views.execute_batch(sql).expect("a valid statement");
        let check = || one_transfer_an_operation(&views).map_err(|error| error.to_string());
        run(
            "INSERT INTO transfers (id, tenant, owner, currency, amount, direction, origin, \
             rail_delay_ms, status, created_ms, updated_ms, fee) \
             VALUES (7, 1, 1, 'USD', 1, 3, 6, 0, 5, 0, 0, 0)",
        );
        assert_eq!(check(), Ok(()));
        run(
            "INSERT INTO bulk_operations VALUES (3, 0, 7, 5, NULL), (3, 1, NULL, NULL, 4), \
             (3, 2, NULL, NULL, 4), (4, 0, NULL, NULL, NULL)",
        );
        assert_eq!(check(), Ok(()));
        run("INSERT INTO bulk_operations VALUES (3, 3, 8, 5, NULL)");
        let found = "difference: bulk 3: operation 3 has no transfer of its own";
        assert_eq!(check(), Err(found.to_owned()));
        run("DELETE FROM bulk_operations WHERE operation = 3");
        run("INSERT INTO bulk_operations VALUES (4, 1, 7, 5, NULL)");
        let error = check().expect_err("transfer 7 has two operations");
        assert!(error.contains("has no transfer of its own"), "{error}");
    }
}
