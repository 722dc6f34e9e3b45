//! Wrong passwords in a row, and the lock that follows.
//!
//! Memory is ahead of the user's record: a wrong password is counted here before its answer and
//! written behind it, so that the answer takes no longer than that to an unknown e-mail address,
//! which nothing is written for. The count that locks is durable before its answer. There is one
//! small entry for each user who was wrong since the start.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ledger::{Millis, TenantId};

use super::facts::Attempts;

/// Wrong passwords in a row that lock.
pub(super) const FAILURES_MAX: u32 = 5;
/// How long a lock lasts: 30 minutes.
pub(super) const LOCK_MS: i64 = 30 * 60 * 1_000;

/// A user among all tenants.
pub(super) type UserKey = (TenantId, u64);

/// What is ahead of the records.
#[derive(Default)]
pub(super) struct Lockouts {
    ahead: Mutex<HashMap<UserKey, Attempts>>,
}

impl Lockouts {
    fn ahead(&self) -> std::sync::MutexGuard<'_, HashMap<UserKey, Attempts>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no password is looked at now. `recorded` is what the user's record says.
    pub(super) fn is_locked(&self, user: UserKey, recorded: Attempts, now: Millis) -> bool {
        let attempts = self.ahead().get(&user).copied().unwrap_or(recorded);
        attempts.locked_until_ms > now.0
    }

    /// Counts a wrong password and says how things stand.
    pub(super) fn failed(&self, user: UserKey, recorded: Attempts, now: Millis) -> Attempts {
        let mut ahead = self.ahead();
        let attempts = ahead.entry(user).or_insert(recorded);
        attempts.failed = attempts.failed.saturating_add(1);
        if attempts.failed >= FAILURES_MAX {
            attempts.failed = 0;
            attempts.locked_until_ms = now.plus(LOCK_MS).0;
        }
        *attempts
    }

    /// How things stand, if that may be ahead of the record.
    pub(super) fn of(&self, user: UserKey) -> Option<Attempts> {
        self.ahead().get(&user).copied()
    }

    /// The record says how things stand: another server has written it.
    pub(super) fn forget(&self, user: UserKey) {
        self.ahead().remove(&user);
    }

    /// All records say how things stand.
    pub(super) fn forget_all(&self) {
        self.ahead().clear();
    }

    /// The right password was shown, and the record says so.
    pub(super) fn cleared(&self, user: UserKey) {
        if let Some(attempts) = self.ahead().get_mut(&user) {
            *attempts = Attempts::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: UserKey = (TenantId::new(1), 2);

    #[test]
    fn the_fifth_wrong_password_locks_for_half_an_hour() {
        let lockouts = Lockouts::default();
        let now = Millis(1_000);
        let fresh = Attempts::default();
        for count in 1..FAILURES_MAX {
            let attempts = lockouts.failed(USER, fresh, now);
            assert_eq!((attempts.failed, attempts.locked_until_ms), (count, 0));
            assert!(!lockouts.is_locked(USER, fresh, now));
        }
        let locked = lockouts.failed(USER, fresh, now);
        assert_eq!(locked.locked_until_ms, 1_000 + LOCK_MS);
        let last = Millis(999 + LOCK_MS);
        assert!(lockouts.is_locked(USER, fresh, last));
        assert!(!lockouts.is_locked(USER, fresh, last.plus(1)));
        // After a restart there is only the record.
        let lockouts = Lockouts::default();
        assert!(lockouts.is_locked(USER, locked, last));
        assert!(!lockouts.is_locked(USER, locked, last.plus(1)));
    }

    #[test]
    fn counting_goes_on_from_the_record_and_ends_with_the_right_password() {
        let lockouts = Lockouts::default();
        let recorded = Attempts {
            failed: 4,
            locked_until_ms: 0,
        };
        let attempts = lockouts.failed(USER, recorded, Millis(0));
        assert_eq!(attempts.locked_until_ms, LOCK_MS);
        // Who read the record before it was written counts on from here all the same.
        let attempts = lockouts.failed(USER, Attempts::default(), Millis(0));
        assert_eq!(attempts.failed, 1);
        assert_eq!(attempts.locked_until_ms, LOCK_MS);
        lockouts.cleared(USER);
        assert_eq!(lockouts.of(USER), Some(Attempts::default()));
        assert!(!lockouts.is_locked(USER, recorded, Millis(0)));
    }
}
