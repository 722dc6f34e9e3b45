//! When a delivery is tried again, and what an answer means for it.

/// How deliveries are tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// Five retries, each six times as long after the one before: 10 seconds to 3.6 hours; only
    /// after answers that promise something (weavr-api §10).
    Multi,
    /// Nine retries over three days, after any answer but a success.
    Standard,
}

/// Delays before each retry of [`Schedule::Multi`], in milliseconds.
const MULTI_MS: [i64; 5] = [10_000, 60_000, 360_000, 2_160_000, 12_960_000];
/// Delays before each retry of [`Schedule::Standard`], in milliseconds: 5 seconds, 5 minutes, half an
/// hour, 2, 5, 10, 14, 20 and 24 hours.
const STANDARD_MS: [i64; 9] = [
    5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
    86_400_000,
];
/// The longest wait that a receiver can ask for, in seconds: a day.
const ASKED_MAX_S: i64 = 86_400;

/// What an attempt means for its delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was taken.
    Delivered,
    /// It is tried again after so many milliseconds.
    Retry {
        /// From the end of this attempt.
        after_ms: i64,
    },
    /// It is tried no more.
    Failed,
    /// The receiver wants nothing any more (410).
    Gone,
}

impl Schedule {
    /// What the end of an attempt means: `tries` attempts have been made, this one among them. The
    /// status is `None` when there was no whole answer. `asked_s` is what the receiver asked for
    /// with `Retry-After`.
    #[must_use]
    pub fn verdict(self, tries: u32, status: Option<u16>, asked_s: Option<u32>) -> Verdict {
        match status {
            Some(200..=299) => return Verdict::Delivered,
            Some(410) if self == Schedule::Standard => return Verdict::Gone,
            _ => {}
        }
        if self == Schedule::Multi && !promises(status) {
            return Verdict::Failed;
        }
        let delays: &[i64] = match self {
            Schedule::Multi => &MULTI_MS,
            Schedule::Standard => &STANDARD_MS,
        };
        let made = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
        match delays.get(made) {
            Some(delay) => {
                let asked = asked_s.filter(|_| self == Schedule::Standard).unwrap_or(0);
                let asked_ms = i64::from(asked).min(ASKED_MAX_S).saturating_mul(1_000);
                Verdict::Retry {
                    after_ms: asked_ms.max(*delay),
                }
            }
            None => Verdict::Failed,
        }
    }
}

/// Whether Multi tries again after such an answer; after none it does.
fn promises(status: Option<u16>) -> bool {
    matches!(status, None | Some(408 | 409 | 425 | 500..=599))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(schedule: Schedule) -> Vec<i64> {
        let after = |tries| match schedule.verdict(tries, Some(500), None) {
            Verdict::Retry { after_ms } => Some(after_ms),
            _ => None,
        };
        (1..).map_while(after).collect()
    }

    #[test]
    fn multi_tries_five_times_more_each_six_times_later() {
        let delays = delays(Schedule::Multi);
        assert_eq!(delays, [10_000, 60_000, 360_000, 2_160_000, 12_960_000]);
        assert!(delays.windows(2).all(|pair| pair[1] == pair[0] * 6));
        assert_eq!(Schedule::Multi.verdict(6, None, None), Verdict::Failed);
    }

    #[test]
    fn others_try_for_days() {
        let delays = delays(Schedule::Standard);
        assert_eq!(delays.len(), 9);
        let sum: i64 = delays.iter().sum();
        assert!(sum > 3 * 86_400_000, "{sum}");
    }

    #[test]
    fn answers_mean_what_is_documented() {
        let multi = |status| Schedule::Multi.verdict(1, status, None);
        let standard = |status| Schedule::Standard.verdict(1, status, None);
        for status in [200, 204, 299] {
            assert_eq!(multi(Some(status)), Verdict::Delivered);
            assert_eq!(standard(Some(status)), Verdict::Delivered);
        }
        for status in [Some(408), Some(409), Some(425), Some(500), Some(503), None] {
            assert_eq!(
                multi(status),
                Verdict::Retry { after_ms: 10_000 },
                "{status:?}"
            );
            assert_eq!(
                standard(status),
                Verdict::Retry { after_ms: 5_000 },
                "{status:?}"
            );
        }
        for status in [301, 400, 404, 410, 429] {
            assert_eq!(multi(Some(status)), Verdict::Failed, "{status}");
        }
        for status in [301, 400, 404, 429] {
            assert_eq!(
                standard(Some(status)),
                Verdict::Retry { after_ms: 5_000 },
                "{status}"
            );
        }
        assert_eq!(standard(Some(410)), Verdict::Gone);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
        let asked = |seconds| Schedule::Standard.verdict(1, Some(429), Some(seconds));
        assert_eq!(asked(1), Verdict::Retry { after_ms: 5_000 });
        assert_eq!(asked(60), Verdict::Retry { after_ms: 60_000 });
        assert_eq!(
            asked(u32::MAX),
            Verdict::Retry {
                after_ms: 86_400_000
            }
        );
    }
}
