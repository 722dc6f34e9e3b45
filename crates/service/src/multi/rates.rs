//! How many requests a programme may make: fixed windows, counted in this process.
//!
//! A window begins with its first request and ends after its length; a refused request counts in
//! none. Source: weavr-api §8.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ledger::{Millis, TenantId};
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};

/// So many requests in a window of so many seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests, at least 1.
    pub requests: u32,
    /// Seconds, at least 1.
    pub window_s: u32,
}

/// The limits of live tenants unless set otherwise: 100 a minute, 1,000 an hour, 10,000 a day.
pub(super) const LIVE_DEFAULT: [RateLimit; 3] = [
    RateLimit {
        requests: 100,
        window_s: 60,
    },
    RateLimit {
        requests: 1_000,
        window_s: 3_600,
    },
    RateLimit {
        requests: 10_000,
        window_s: 86_400,
    },
];

/// The limits in force when one was exceeded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exceeded {
    /// Requests of the window that is used up; of several, the one that lasts longest.
    pub requests: u32,
    /// Every limit.
    pub limits: Vec<RateLimit>,
    /// Seconds until that window ends, rounded up.
    pub reset_s: u32,
}

struct Window {
    limit: RateLimit,
    began: Millis,
    used: u32,
}

impl Window {
    /// Milliseconds until it ends; not positive once it has.
    fn left_ms(&self, now: Millis) -> i64 {
        let length = i64::from(self.limit.window_s) * 1_000;
        // A clock that was set back does not make a window longer than it is.
        length - now.since(self.began).max(0)
    }
}

/// Every programme's windows.
#[derive(Default)]
pub(super) struct Rates {
    windows: Mutex<HashMap<TenantId, Vec<Window>>>,
}

impl Rates {
    /// Counts a request in each of the tenant's windows.
    pub(super) fn take(&self, tenant: TenantId, limits: &[RateLimit], now: Millis) -> Result<()> {
        if limits.is_empty() {
            return Ok(());
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let windows = windows.entry(tenant).or_default();
        let same = windows
            .iter()
            .map(|window| window.limit)
            .eq(limits.iter().copied());
        if !same {
            *windows = limits.iter().map(|limit| fresh(*limit, now)).collect();
        }
        let ended = |window: &Window| window.left_ms(now) <= 0 || window.began > now;
        let used_up = windows
            .iter()
            .filter(|window| !ended(window) && window.used >= window.limit.requests)
            .max_by_key(|window| window.left_ms(now));
        if let Some(window) = used_up {
            let seconds = window.left_ms(now).max(1).cast_unsigned().div_ceil(1_000);
            return Err(Error::TooManyRequests(Exceeded {
                requests: window.limit.requests,
                limits: limits.to_vec(),
                reset_s: u32::try_from(seconds).unwrap_or(u32::MAX),
            }));
        }
        for window in windows {
            // A refused request begins no window either.
            if ended(window) {
                *window = fresh(window.limit, now);
            }
            window.used += 1;
        }
        Ok(())
    }
}

fn fresh(limit: RateLimit, now: Millis) -> Window {
    Window {
        limit,
        began: now,
        used: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: TenantId = TenantId::new(1);

    fn limits(limits: &[(u32, u32)]) -> Vec<RateLimit> {
        let limit = |&(requests, window_s)| RateLimit { requests, window_s };
        limits.iter().map(limit).collect()
    }

    #[track_caller]
    fn exceeded(result: Result<()>) -> (u32, u32) {
        match result {
            Err(Error::TooManyRequests(exceeded)) => (exceeded.requests, exceeded.reset_s),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_window_ends_and_another_begins() {
        let rates = Rates::default();
        let limits = limits(&[(2, 60)]);
        let take = |ms| rates.take(T, &limits, Millis(ms));
        take(1_000).expect("the first");
        take(30_000).expect("the second");
        assert_eq!(exceeded(take(30_000)), (2, 31));
        assert_eq!(exceeded(take(60_999)), (2, 1));
        // The window began at 1,000, with its first request; the refused ones do not count.
        take(61_000).expect("a new window");
        take(61_000).expect("its second");
        assert_eq!(exceeded(take(61_000)), (2, 60));
    }

    #[test]
    fn of_two_windows_that_are_used_up_the_longer_one_is_told() {
        let rates = Rates::default();
        let limits = limits(&[(1, 10), (2, 3_600)]);
        let take = |ms| rates.take(T, &limits, Millis(ms));
        take(0).expect("the first");
        assert_eq!(exceeded(take(1)), (1, 10));
        take(10_000).expect("a new short window");
        assert_eq!(exceeded(take(10_000)), (2, 3_590));
    }

    #[test]
    fn a_refused_request_begins_no_window() {
        let rates = Rates::default();
        let limits = limits(&[(1, 10), (2, 3_600)]);
        let take = |ms| rates.take(T, &limits, Millis(ms));
        take(0).expect("the first");
        take(10_000).expect("the second");
        // The short window is over; the long one refuses.
        assert_eq!(exceeded(take(3_599_000)), (2, 1));
        take(3_600_000).expect("both are over");
        assert_eq!(exceeded(take(3_600_000)), (1, 10));
    }

    #[test]
    fn tenants_do_not_share_and_no_limits_are_no_limits() {
        let rates = Rates::default();
        let one = limits(&[(1, 60)]);
        rates.take(T, &one, Millis(0)).expect("the first");
        rates
            .take(TenantId::new(2), &one, Millis(0))
            .expect("another's");
        exceeded(rates.take(T, &one, Millis(0)));
        for _ in 0..1_000 {
            rates.take(T, &[], Millis(0)).expect("none");
        }
        // New limits begin at once.
        let wider = limits(&[(2, 60)]);
        rates.take(T, &wider, Millis(0)).expect("new limits");
    }

    #[test]
    fn a_clock_set_back_does_not_lock_a_programme_out() {
        let rates = Rates::default();
        let limits = limits(&[(1, 60)]);
        rates
            .take(T, &limits, Millis(1_000_000))
            .expect("the first");
        rates.take(T, &limits, Millis(5)).expect("a new window");
        assert_eq!(exceeded(rates.take(T, &limits, Millis(5))), (1, 60));
    }
}
