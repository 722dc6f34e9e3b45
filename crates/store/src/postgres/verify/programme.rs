//! Profiles and bulks against what was committed.

use std::collections::HashMap;

use ledger::{BulkId, ProfileKind};

use super::expected::Expected;
use super::snapshot::{Snapshot, Walk, differs};
use crate::codes::Code;
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::verify::{Outcomes, Replay, VerifyError, difference};

const PROFILES: &str = sql!("SELECT ", rows::PROFILE, ", p.kind FROM profiles p");
const BULKS: &str = sql!("SELECT ", rows::BULK, " FROM bulks b");
/// Every bulk's outcomes in the order of its operations, each with whether its bulk is the owner's.
const OPERATIONS: Walk = Walk {
    table: "bulk_operations",
    sql: sql!(
        "SELECT ",
        rows::BULK_OPERATION,
        ", x.owner, x.bulk, b.id IS NOT NULL FROM bulk_operations x \
         LEFT JOIN bulks b ON b.owner = x.owner AND b.id = x.bulk \
         WHERE (x.owner, x.bulk, x.operation) > ($1, $2, $3) \
         ORDER BY x.owner, x.bulk, x.operation LIMIT $4"
    ),
    key: &[4, 5, 0],
};
/// What an operation made is a transfer, and no other operation's.
const NOT_ONE_TRANSFER: &str = "SELECT min(x.bulk), min(x.operation) FROM bulk_operations x \
     LEFT JOIN transfers t ON t.owner = x.owner AND t.id = x.transfer \
     WHERE x.transfer IS NOT NULL GROUP BY x.owner, x.transfer \
     HAVING count(*) > 1 OR count(t.id) = 0 LIMIT 1";

/// Compares the tables of programmes.
pub(super) async fn compare(snapshot: &Snapshot, replay: &Replay) -> Result<(), VerifyError> {
    let programme = &replay.sums.programme;
    let profiles = programme.profiles().map(|id| (id, ()));
    let mut profiles = Expected::new(|id| format!("profile {id}"), profiles);
    snapshot
        .each("profiles", PROFILES, |row| {
            let kind: i64 = rows::get(row, 8)?;
            let kind = u8::try_from(kind).ok().and_then(ProfileKind::from_code);
            let row = rows::profile(row)?;
            profiles.tick(&row.id)?;
            if programme.has_profile(&row, kind) {
                Ok(())
            } else {
                Err(profiles.differs(&row.id))
            }
        })
        .await?;
    profiles.end()?;
    let bulks = programme.bulks().map(|id| (id, ()));
    let mut bulks = Expected::new(|id| format!("bulk {id}"), bulks);
    snapshot
        .each("bulks", BULKS, |row| {
            let row = rows::bulk(row)?;
            bulks.tick(&row.id)?;
            if programme.has_bulk(&row) {
                Ok(())
            } else {
                Err(bulks.differs(&row.id))
            }
        })
        .await?;
    bulks.end()?;
    compare_operations(snapshot, replay).await
}

async fn compare_operations(snapshot: &Snapshot, replay: &Replay) -> Result<(), VerifyError> {
    let differ = |bulk: BulkId| format!("bulk {bulk}: its operations differ in the tables");
    let mut seen: HashMap<BulkId, Outcomes> = HashMap::new();
    snapshot
        .walk(&OPERATIONS, |row| {
            let bulk = BulkId::new(rows::raw(row, 5)?);
            if !rows::get::<bool>(row, 6)? {
                return differs(differ(bulk));
            }
            let (operation, outcome) = rows::bulk_operation(row)?;
            seen.entry(bulk).or_default().add(operation, outcome);
            Ok(())
        })
        .await?;
    let outcomes = replay.sums.programme.has_outcomes(&seen);
    outcomes.map_err(|bulk| difference(differ(bulk)))?;
    snapshot
        .each("bulk_operations", NOT_ONE_TRANSFER, |row| {
            let (bulk, operation) = (rows::raw(row, 0)?, rows::raw(row, 1)?);
            differs(format!(
                "bulk {bulk}: operation {operation} has no transfer of its own"
            ))
        })
        .await
}
