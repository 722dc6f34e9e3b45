//! Time as the core knows it: a number that is handed in.

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Millis(pub i64);

impl Millis {
    /// The last instant there is; due work at this time never runs.
    pub const NEVER: Millis = Millis(i64::MAX);

    /// `self` moved by `delta_ms` milliseconds, clamped at both ends of the range.
    #[must_use]
    pub fn plus(self, delta_ms: i64) -> Millis {
        Millis(self.0.saturating_add(delta_ms))
    }

    /// Milliseconds from `earlier` to `self`, negative when `self` comes first.
    #[must_use]
    pub fn since(self, earlier: Millis) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
