//! A server's place among the servers of one database: a number from 0 to 63, held by lease.
//!
//! The number is part of every id that the server issues. The row of the number is locked by the
//! first statement of each of its transactions and names the process that holds it: a process that
//! was taken for dead finds another one there and commits nothing.

use std::sync::Arc;
use std::time::Duration;

use ledger::id::NODE_MAX;
use ledger::{IdSource, Millis};

use super::failure::Failure;
use super::rows;
use super::session::{Call, Session};
use super::wire::Row;

/// How much longer than its lease a number is left alone, in milliseconds: as much as the clocks of
/// two servers may differ, and as much again.
const GRACE_MS: i64 = 2_000;
/// Bits of an id below its node.
const SEQUENCE_BITS: u32 = 10;
/// A transaction claims the ids of as many milliseconds as it begins. One that needs more says so at its end.
const CLAIM_MS: i64 = 2;

const NODES: &str = "SELECT f.node, f.instance, f.lease_until_ms FROM nodes f";
const ADD: &str = "INSERT INTO nodes (node, instance, name, lease_until_ms, last_id, last_at_ms) \
     VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT (node) DO NOTHING RETURNING last_id, last_at_ms";
const TAKE: &str = "UPDATE nodes AS f SET instance = $2, name = $3, lease_until_ms = $4 \
     WHERE f.node = $1 AND f.instance = $5 AND f.lease_until_ms = $6 \
     RETURNING f.last_id, f.last_at_ms";
/// Waits until the server's earlier transaction has ended, whatever became of it.
const WAIT: &str = "SELECT f.instance FROM nodes f WHERE f.node = $1 FOR UPDATE";
const KEEP: &str = "UPDATE nodes AS f \
     SET lease_until_ms = $3, last_id = greatest(f.last_id, $4), \
     last_at_ms = greatest(f.last_at_ms, $5) \
     WHERE f.node = $1 AND f.instance = $2 RETURNING f.node";

/// The node that issued an id.
pub(crate) fn node_of(id: u64) -> u8 {
    let node = (id >> SEQUENCE_BITS) & u64::from(NODE_MAX);
    u8::try_from(node).unwrap_or(NODE_MAX)
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub number: u8,
    /// Which process holds the number; random.
    pub instance: i64,
    pub lease_until: Millis,
    /// No id is greater that the number's holders have issued in a commit.
    pub last_id: u64,
    /// The machine's time of their last commit.
    pub last_at: Millis,
}

/// How a server presents itself.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// For operators.
    pub text: Arc<str>,
    pub instance: i64,
    pub lease: Duration,
}

impl Name {
    pub(crate) fn lease_from(&self, now: Millis) -> Millis {
        now.plus(i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Node {
    /// Takes the lowest number that nobody holds.
    ///
    /// # Errors
    /// [`Failure::Away`] when all are held; others of the database.
    pub(crate) async fn claim(
        session: &mut Session,
        name: &Name,
        now: Millis,
    ) -> Result<Node, Failure> {
        let mut held = [None; NODE_MAX as usize + 1];
        for row in session.call(Call::new(NODES)).await? {
            let place = usize::try_from(rows::raw(&row, 0)?).ok();
            if let Some(node) = place.and_then(|place| held.get_mut(place)) {
                *node = Some((rows::get::<i64>(&row, 1)?, rows::get::<i64>(&row, 2)?));
            }
        }
        let lease_until = name.lease_from(now);
        for (number, holder) in (0..=NODE_MAX).zip(held) {
            let call = match holder {
                None => Call::new(ADD),
                Some((_, until)) if until.saturating_add(GRACE_MS) > now.0 => continue,
                Some(_) => Call::new(TAKE),
            };
            let mut call = call
                .with(i64::from(number))
                .with(name.instance)
                .with(name.text.to_string())
                .with(lease_until.0);
            if let Some((instance, until)) = holder {
                call = call.with(instance).with(until);
            }
            let claimed = match session.call(call).await {
                // Its holder is not dead but in a transaction that does not end.
                Err(Failure::Again(_)) => continue,
                claimed => claimed?,
            };
            if let Some(row) = claimed.first() {
                return Ok(Node {
                    number,
                    instance: name.instance,
                    lease_until,
                    last_id: rows::raw(row, 0)?,
                    last_at: Millis(rows::get(row, 1)?),
                });
            }
        }
        Err(Failure::Away(
            format!("all {} server numbers are in use", NODE_MAX + 1).into(),
        ))
    }

    /// The first statement when it must be known what became of the transaction before.
    pub(crate) fn wait(&self) -> Call {
        Call::new(WAIT).with(i64::from(self.number))
    }

    /// The first statement of every transaction that writes: waits as [`Node::wait`] does, checks that the
    /// number was not lost, renews the lease, and keeps what the transaction may issue.
    pub(crate) fn fence(&self, lease_until: Millis, now: Millis) -> Call {
        self.keep(lease_until, Node::claimed(now), now)
    }

    /// The greatest id that a transaction at this time can issue without saying so.
    pub(crate) fn claimed(now: Millis) -> u64 {
        IdSource::first_at(now.plus(CLAIM_MS)).saturating_sub(1)
    }

    /// Checks the answer to [`Node::fence`] or [`Node::keep`].
    ///
    /// # Errors
    /// [`Failure::Fenced`] when another process holds the number.
    pub(crate) fn check(answer: &[Row]) -> Result<(), Failure> {
        answer.first().map(drop).ok_or(Failure::Fenced)
    }

    /// Renews the lease and keeps what was issued last. No row comes back when the number is lost.
    pub(crate) fn keep(&self, lease_until: Millis, last_id: u64, last_at: Millis) -> Call {
        Call::new(KEEP)
            .with(i64::from(self.number))
            .with(self.instance)
            .with(lease_until.0)
            .with(last_id.cast_signed())
            .with(last_at.0)
    }
}

#[cfg(test)]
mod tests {
    use ledger::{IdSource, Millis};

    use super::node_of;

    #[test]
    fn ids_tell_their_node_and_time() {
        let at = Millis(1_800_000_000_000);
        for node in [0, 1, 63] {
            let id = IdSource::new(node, 0).issue(at);
            assert_eq!(node_of(id), node);
            assert!(IdSource::first_at(at) <= id && id < IdSource::first_at(at.plus(1)));
        }
    }
}
