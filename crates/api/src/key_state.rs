//! What became of an idempotency key, in one word.

use serde::Serialize;
use service::{Became, KeyUse};

/// See the module. Later words go before earlier ones when a key was used more than once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyState {
    /// Nobody who was asked about has used it.
    NeverSeen,
    /// It was refused.
    Refused,
    /// It is being done.
    InFlight,
    /// It was done.
    Applied,
}

impl KeyState {
    pub(crate) fn of(found: &KeyUse) -> KeyState {
        match found.became {
            Became::Applied { .. } => KeyState::Applied,
            Became::Refused { .. } => KeyState::Refused,
            Became::InFlight => KeyState::InFlight,
        }
    }

    pub(crate) fn of_all(uses: &[KeyUse]) -> KeyState {
        let states = uses.iter().map(KeyState::of);
        states.max().unwrap_or(KeyState::NeverSeen)
    }
}
