//! Profiles and bulks in the views against the journal.

use std::collections::HashMap;

use ledger::{BulkId, ProfileKind};
use rusqlite::Connection;

use super::{VerifyError, difference, unreadable};
use crate::codes::Code;
use crate::embedded::rows;
use crate::verify::{Outcomes, Programme};

/// The tables of profiles, bulks and their operations say what the journal says.
pub(super) fn check(connection: &Connection, programme: &Programme) -> Result<(), VerifyError> {
    compare_profiles(connection, programme)?;
    compare_bulks(connection, programme)?;
    compare_operations(connection, programme)?;
    one_transfer_an_operation(connection)
}

fn compare_profiles(connection: &Connection, programme: &Programme) -> Result<(), VerifyError> {
    let sql = format!("SELECT {}, kind FROM profiles ORDER BY id", rows::PROFILE);
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    let mut found = 0;
    while let Some(row) = rows.next().map_err(unreadable)? {
        let profile = rows::profile(row).map_err(unreadable)?;
        let kind: u8 = row.get(8).map_err(unreadable)?;
        if !programme.has_profile(&profile, ProfileKind::from_code(kind)) {
            let what = format!("profile {} differs in the views", profile.id);
            return Err(difference(what));
        }
        found += 1;
    }
    if found != programme.profiles().len() {
        return Err(difference("profiles are missing in the views"));
    }
    Ok(())
}

fn compare_bulks(connection: &Connection, programme: &Programme) -> Result<(), VerifyError> {
    let sql = format!("SELECT {}, submitted FROM bulks ORDER BY id", rows::BULK);
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut found = 0;
    let bulks = statement
        .query_map([], |row| Ok((rows::bulk(row)?, row.get::<_, u32>(12)?)))
        .map_err(unreadable)?;
    for bulk in bulks {
        let (bulk, submitted) = bulk.map_err(unreadable)?;
        let counted = u32::try_from(bulk.operations.len()) == Ok(submitted);
        if !counted || !programme.has_bulk(&bulk) {
            let what = format!("bulk {} differs in the views", bulk.id);
            return Err(difference(what));
        }
        found += 1;
    }
    if found != programme.bulks().len() {
        return Err(difference("bulks are missing in the views"));
    }
    Ok(())
}

fn compare_operations(connection: &Connection, programme: &Programme) -> Result<(), VerifyError> {
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
    programme
        .has_outcomes(&seen)
        .map_err(|bulk| difference(format!("bulk {bulk}: its operations differ in the views")))
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
