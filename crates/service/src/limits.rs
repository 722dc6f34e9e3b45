//! Rate limits: so many requests a minute for each key of a live tenant.
//!
//! Source: sequence-api §1.8 (a bucket of 100 tokens that refills evenly over a minute). Sandbox
//! tenants have none. Counted in this process only.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ledger::KeyId;

use crate::error::{Error, Result};

/// Requests a minute unless configured.
pub const PER_MINUTE_DEFAULT: NonZeroU32 = NonZeroU32::new(100).expect("100 is not 0");

pub(crate) struct Limits {
    buckets: DefaultKeyedRateLimiter<KeyId>,
    clock: DefaultClock,
    per_minute: NonZeroU32,
}

impl Limits {
    pub(crate) fn new(per_minute: NonZeroU32) -> Limits {
        Limits {
            buckets: RateLimiter::keyed(Quota::per_minute(per_minute)),
            clock: DefaultClock::default(),
            per_minute,
        }
    }

    /// Takes one token of the key's bucket.
    pub(crate) fn take(&self, key: KeyId) -> Result<()> {
        self.buckets.check_key(&key).map_err(|refusal| {
            let wait = refusal.wait_time_from(self.clock.now());
            Error::TooManyRequests {
                per_minute: self.per_minute.get(),
                retry_after_s: whole_seconds(wait),
            }
        })
    }
}

/// Rounded up, at least one: a client that waits so long is not refused again.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_bucket_of_its_own() {
        let limits = Limits::new(NonZeroU32::new(3).expect("3 is not 0"));
        let (one, other) = (KeyId::new(1), KeyId::new(2));
        for _ in 0..3 {
            limits.take(one).expect("within the limit");
        }
        match limits.take(one) {
            // A token takes 20 s to come back.
            Err(Error::TooManyRequests {
                per_minute: 3,
                retry_after_s: 19..=20,
            }) => {}
            result => panic!("{result:?}"),
        }
        limits.take(other).expect("another key");
    }

    #[test]
    fn waiting_is_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1001)), 2);
    }
}
