//! Lanes: shares of the waiting work, each looked after by one server at a time.
//!
//! Who holds a lane matters only for the load: work is done once whoever does it. A lane that
//! changes hands gets the next fencing number, and who holds it by an older one is told so when it
//! renews its lease.

use std::collections::BTreeMap;

use ledger::Millis;

use super::due::LANES;
use super::failure::Failure;
use super::node::Name;
use super::rows;
use super::session::{Call, Session};

const BEGIN: &str = "INSERT INTO lanes (lane, node, instance, fence, lease_until_ms) \
     SELECT w.lane, 0, 0, 0, 0 FROM unnest($1::bigint[]) AS w (lane) ON CONFLICT (lane) DO NOTHING";
const ALL: &str =
    "SELECT l.lane, l.instance, l.fence, l.lease_until_ms FROM lanes l ORDER BY l.lane";
const LIVE: &str = "SELECT count(*) FROM nodes f WHERE f.lease_until_ms > $1";
const TAKE: &str = "UPDATE lanes AS l \
     SET node = $3, instance = $4, fence = l.fence + 1, lease_until_ms = $5 \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (lane, fence) \
     WHERE l.lane = w.lane AND l.fence = w.fence AND l.lease_until_ms <= $6 \
     RETURNING l.lane, l.fence";
/// Renews leases, and gives lanes back with a lease that has ended.
const KEEP: &str = "UPDATE lanes AS l SET lease_until_ms = $3 \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (lane, fence) \
     WHERE l.lane = w.lane AND l.fence = w.fence RETURNING l.lane, l.fence";

/// The lanes that a server holds.
#[derive(Default, Debug)]
pub(crate) struct Lanes {
    /// Lane by fencing number.
    held: BTreeMap<i64, i64>,
    lease_until: Millis,
}

impl Lanes {
    /// Makes the rows of all lanes where they are missing.
    pub(crate) fn begin() -> Call {
        let lanes: Vec<i64> = (0..i64::from(LANES)).collect();
        Call::new(BEGIN).with(lanes)
    }

    /// The lanes to look after at `now`; none when the lease has ended.
    pub(crate) fn held(&self, now: Millis) -> Vec<i64> {
        if self.lease_until <= now {
            return Vec::new();
        }
        self.held.keys().copied().collect()
    }

    /// Takes its share of the lanes, gives what is more back, and renews what is left.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn share(
        &mut self,
        session: &mut Session,
        name: &Name,
        number: u8,
        now: Millis,
    ) -> Result<(), Failure> {
        let asked = vec![Call::new(ALL), Call::new(LIVE).with(now.0)];
        let found = session.calls(asked).await?;
        let [lanes, live] = &found[..] else {
            return Ok(());
        };
        let live = live.first().map_or(Ok(1), |row| rows::raw(row, 0))?.max(1);
        let share = usize::try_from(u64::from(LANES).div_ceil(live)).unwrap_or(usize::MAX);
        let (mut mine, mut free) = (BTreeMap::new(), BTreeMap::new());
        for row in lanes {
            let [lane, instance, fence, until] = [
                rows::get::<i64>(row, 0)?,
                rows::get(row, 1)?,
                rows::get(row, 2)?,
                rows::get(row, 3)?,
            ];
            if instance == name.instance && until > now.0 {
                mine.insert(lane, fence);
            } else if until <= now.0 {
                free.insert(lane, fence);
            }
        }
        let surplus = mine.split_off(&nth(&mine, share));
        if !surplus.is_empty() {
            session.call(keep(&surplus, Millis(0))).await?;
        }
        free.retain(|lane, _| !surplus.contains_key(lane));
        let wanted = share.saturating_sub(mine.len()).min(free.len());
        let lease_until = name.lease_from(now);
        if wanted > 0 {
            let (lanes, fences): (Vec<i64>, Vec<i64>) = free.iter().take(wanted).unzip();
            let call = Call::new(TAKE)
                .with(lanes)
                .with(fences)
                .with(i64::from(number))
                .with(name.instance)
                .with(lease_until.0)
                .with(now.0);
            for row in session.call(call).await? {
                mine.insert(rows::get(&row, 0)?, rows::get(&row, 1)?);
            }
        }
        self.held = mine;
        // All leases end together: they are renewed when one was taken, or a third has gone.
        let whole = lease_until.since(now);
        if wanted > 0 || self.lease_until.since(now) <= whole - whole / 3 {
            self.renew(session, lease_until).await?;
        }
        Ok(())
    }

    async fn renew(&mut self, session: &mut Session, until: Millis) -> Result<(), Failure> {
        let mut kept = BTreeMap::new();
        if !self.held.is_empty() {
            for row in session.call(keep(&self.held, until)).await? {
                kept.insert(rows::get(&row, 0)?, rows::get(&row, 1)?);
            }
        }
        self.held = kept;
        self.lease_until = until;
        Ok(())
    }

    /// Gives all lanes back.
    pub(crate) async fn leave(&mut self, session: &mut Session) -> Result<(), Failure> {
        if !self.held.is_empty() {
            session.call(keep(&self.held, Millis(0))).await?;
            self.held.clear();
        }
        Ok(())
    }
}

/// The lane in this place; past the last one there is none of.
fn nth(lanes: &BTreeMap<i64, i64>, place: usize) -> i64 {
    lanes.keys().nth(place).copied().unwrap_or(i64::MAX)
}

fn keep(lanes: &BTreeMap<i64, i64>, until: Millis) -> Call {
    let (lanes, fences): (Vec<i64>, Vec<i64>) = lanes.iter().unzip();
    Call::new(KEEP).with(lanes).with(fences).with(until.0)
}
