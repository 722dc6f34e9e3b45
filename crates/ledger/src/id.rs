//! Ids: 64 bits, milliseconds in the upper 48, node and sequence in the lower 16.
//!
//! One number on disk, one newtype per kind here; each dialect spells it its own way
//! (design decision: `docs/decisions/2026-11-21-ids.md`).

use crate::time::Millis;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(u64);

        impl $name {
            /// The id with this number.
            #[must_use]
            pub const fn new(raw: u64) -> Self {
                Self(raw)
            }

            /// The number, as it is stored.
            #[must_use]
            pub const fn raw(self) -> u64 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )* };
}

ids! {
    /// An organization (Sequence) or programme (Multi).
    TenantId,
    /// Who owns accounts: a beneficiary or an identity.
    OwnerId,
    /// An account of any kind, system accounts among them.
    AccountId,
    /// A transfer.
    TransferId,
    /// Money reserved on an account.
    HoldId,
    /// An API key's record (not the secret).
    KeyId,
    /// A rule that moves money.
    RuleId,
    /// One run of a rule.
    ExecutionId,
    /// A profile: the terms that instruments and transfers are made under.
    ProfileId,
    /// A bulk: many transfers that are handed in together.
    BulkId,
}

/// Bits below the milliseconds: 6 of node, 10 of sequence.
const LOW_BITS: u32 = 16;
const SEQUENCE_BITS: u32 = 10;
const SEQUENCE_MAX: u64 = (1 << SEQUENCE_BITS) - 1;
/// Nodes that may issue ids over one database.
pub const NODE_MAX: u8 = 63;

/// Issues ids that are unique and increasing per node.
///
/// Pure: the time comes in with each call. When more than 1,024 ids fall into one millisecond the
/// next one borrows from the millisecond after; when time goes backwards ids keep increasing.
#[derive(Clone, Debug)]
pub struct IdSource {
    node: u64,
    last: u64,
}

impl IdSource {
    /// A source for `node` whose next id is greater than `last_issued`.
    ///
    /// # Panics
    /// When `node` exceeds [`NODE_MAX`].
    #[must_use]
    pub fn new(node: u8, last_issued: u64) -> IdSource {
        assert!(node <= NODE_MAX, "node {node} is out of range");
        IdSource {
            node: u64::from(node),
            last: last_issued,
        }
    }

    /// The least id that any node issues at this time. Every id is greater that was issued later.
    #[must_use]
    pub fn first_at(at: Millis) -> u64 {
        at.0.max(0).cast_unsigned().saturating_mul(1 << LOW_BITS)
    }

    /// The next id, at or after `now`.
    ///
    /// # Panics
    /// When 48 bits of milliseconds are used up (the year 10889).
    pub fn issue(&mut self, now: Millis) -> u64 {
        let now_ms = u64::try_from(now.0.max(0)).expect("clamped at zero");
        let last_ms = self.last >> LOW_BITS;
        let (ms, sequence) = if now_ms > last_ms {
            (now_ms, 0)
        } else if self.last & SEQUENCE_MAX < SEQUENCE_MAX
            && (self.last >> SEQUENCE_BITS) & u64::from(NODE_MAX) == self.node
        {
            (last_ms, (self.last & SEQUENCE_MAX).saturating_add(1))
        } else {
            (last_ms.saturating_add(1), 0)
        };
        assert!(ms < 1 << 48, "ids have run out of milliseconds");
        self.last = (ms << LOW_BITS) | (self.node << SEQUENCE_BITS) | sequence;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_increase_within_a_millisecond_across_its_end_and_when_time_goes_back() {
        let mut ids = IdSource::new(3, 0);
        let mut last = 0;
        for step in 0..5_000_i64 {
            let now = Millis(1_000_000 - step / 1000);
            let id = ids.issue(now);
            assert!(id > last, "{id} after {last}");
            assert_eq!((id >> SEQUENCE_BITS) & 63, 3);
            last = id;
        }
        // 5,000 ids at 1,024 a millisecond reach at most five milliseconds ahead.
        assert!(last >> LOW_BITS <= 1_000_005);
    }

    #[test]
    fn an_id_carries_its_millisecond() {
        let id = IdSource::new(0, 0).issue(Millis(1_795_000_000_123));
        assert_eq!(id >> LOW_BITS, 1_795_000_000_123);
        let at = |ms| IdSource::first_at(Millis(ms));
        assert!(at(1_795_000_000_123) <= id && id < at(1_795_000_000_124));
        assert_eq!((at(-1), at(i64::MAX)), (0, u64::MAX));
    }
}
