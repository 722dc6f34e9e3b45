//! Whose work is due.
//!
//! Work is done by visiting its owner: the transaction that locks an owner does everything that is
//! due of it, in order, and deletes the rows. So nothing is done twice, whoever comes first, and here
//! it need only be found out whom to visit.
//!
//! A row says when it is due by the machine's clock, as reckoned when it was written. For a tenant
//! whose clock was set since, that is wrong: such rows are found by the tenant's clock, and rows that
//! are not due yet are corrected when they are met.

use std::collections::BTreeMap;

use ledger::{Due, Millis, OwnerId, TenantClock, TenantId};

use super::failure::Failure;
use super::rows;
use super::session::{Call, Session};
use super::sql::sql;
use crate::codec::work_parts;

/// Shares of the waiting work.
pub(crate) const LANES: u8 = 64;
/// Rows of one look.
const LOOK_MAX: i64 = 4_096;

/// The time of tenant `n` when the machine's is `$1`, which is not negative.
pub(crate) const TENANT_NOW: &str = "coalesce(n.clock_frozen_ms, \
     least(n.clock_offset_ms, 9223372036854775807 - $1::bigint) + $1::bigint)";

const OF_LANES: &str = sql!(
    "SELECT ",
    rows::DUE,
    ", d.owner, n.clock_offset_ms, n.clock_frozen_ms FROM due d JOIN tenants n ON n.id = d.tenant \
     WHERE d.lane = ANY ($2) AND d.machine_ms <= $1 ORDER BY d.machine_ms, d.at_ms LIMIT $3"
);
/// What the clocks of tenants have passed that run otherwise than the machine's.
const PASSED: &str = sql!(
    "SELECT d.owner, d.tenant FROM tenants n JOIN due d ON d.tenant = n.id AND d.at_ms <= ",
    TENANT_NOW,
    " WHERE (n.clock_frozen_ms IS NOT NULL OR n.clock_offset_ms <> 0) \
     AND d.machine_ms > $1 AND d.lane = ANY ($2) LIMIT $3"
);
const CORRECT: &str = "UPDATE due AS d SET machine_ms = w.machine_ms \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
     AS w (owner, kind, object, at_ms, machine_ms) \
     WHERE d.owner = w.owner AND d.kind = w.kind AND d.object = w.object AND d.at_ms = w.at_ms";
const OF_TENANT: &str = sql!(
    "SELECT d.owner FROM tenants n JOIN due d ON d.tenant = n.id AND d.at_ms <= ",
    TENANT_NOW,
    " WHERE n.id = $2 ORDER BY d.at_ms, d.kind, d.object LIMIT $3"
);

/// Owners with work that is due, and their tenants.
pub(crate) type Visits = BTreeMap<OwnerId, TenantId>;

/// The share of the waiting work that an owner's is in. Ids of one moment are spread over all.
pub(crate) fn lane_of(owner: OwnerId) -> i64 {
    let spread = owner.raw().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    i64::try_from(spread >> 58).unwrap_or_default()
}

/// Whom to visit for work of these lanes.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn of_lanes(
    session: &mut Session,
    lanes: &[i64],
    now: Millis,
) -> Result<Visits, Failure> {
    let look = |sql| {
        Call::new(sql)
            .with(now.0.max(0))
            .with(lanes.to_vec())
            .with(LOOK_MAX)
    };
    let found = session.calls(vec![look(OF_LANES), look(PASSED)]).await?;
    let [of_lanes, passed] = &found[..] else {
        return Ok(Visits::new());
    };
    let mut visits = Visits::new();
    let mut early = Vec::new();
    for row in of_lanes {
        let due = rows::due(row)?;
        let owner = OwnerId::new(rows::raw(row, 4)?);
        let clock = match (
            rows::get::<Option<i64>>(row, 5)?,
            rows::millis_option(row, 6)?,
        ) {
            (_, Some(at)) => TenantClock::Frozen { at },
            (offset, None) => TenantClock::Running {
                offset_ms: offset.unwrap_or(0),
            },
        };
        if due.at <= clock.now(now) {
            visits.insert(owner, due.tenant);
        } else {
            early.push((due, owner, clock.machine_time_of(due.at)));
        }
    }
    for row in passed {
        let tenant = TenantId::new(rows::raw(row, 1)?);
        visits.insert(OwnerId::new(rows::raw(row, 0)?), tenant);
    }
    if !early.is_empty() {
        session.call(correct(&early)).await?;
    }
    Ok(visits)
}

fn correct(early: &[(Due, OwnerId, Millis)]) -> Call {
    let mut columns: [Vec<i64>; 5] = Default::default();
    for (due, owner, machine) in early {
        let (kind, object) = work_parts(due.work);
        let values = [
            owner.raw().cast_signed(),
            i64::from(kind),
            object.cast_signed(),
            due.at.0,
            machine.0,
        ];
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    columns.into_iter().fold(Call::new(CORRECT), Call::with)
}

/// Whom to visit for the first of a tenant's work that is due; nobody when nothing is.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn of_tenant(
    session: &mut Session,
    tenant: TenantId,
    now: Millis,
) -> Result<Visits, Failure> {
    let call = Call::new(OF_TENANT)
        .with(now.0.max(0))
        .with(tenant.raw().cast_signed())
        .with(LOOK_MAX);
    let mut visits = Visits::new();
    for row in session.call(call).await? {
        visits.insert(OwnerId::new(rows::raw(&row, 0)?), tenant);
    }
    Ok(visits)
}

#[cfg(test)]
mod tests {
    use ledger::{IdSource, Millis, OwnerId};

    use super::{LANES, lane_of};

    #[test]
    fn owners_are_spread_over_all_lanes() {
        let mut ids = IdSource::new(0, 0);
        let mut lanes = [0; LANES as usize];
        for owner in 0..6_400 {
            let at = Millis(1_800_000_000_000 + owner * 7);
            let lane = lane_of(OwnerId::new(ids.issue(at)));
            lanes[usize::try_from(lane).expect("0 to 63")] += 1;
        }
        assert!(
            lanes.iter().all(|owners| (50..200).contains(owners)),
            "{lanes:?}"
        );
    }
}
