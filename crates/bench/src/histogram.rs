//! A histogram of durations with a relative error below 1.6 %.
//!
//! Buckets are exact up to 127 ns; from there each power of two is cut into 64. Recording is an
//! index computation and an addition, so that it does not disturb what is measured.

use std::time::Duration;

/// Buckets in a power of two.
const STEPS: usize = 64;
const STEP_BITS: u32 = STEPS.ilog2();
/// Longer durations count as this: 2^40 ns, about 18 minutes.
const LONGEST: u64 = (1 << 40) - 1;
const BUCKETS: usize = bucket_of(LONGEST) + 1;

/// How often which duration was seen.
#[derive(Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            buckets: vec![0; BUCKETS],
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).map_or(LONGEST, |ns| ns.min(LONGEST));
        self.buckets[bucket_of(ns)] += 1;
        self.count += 1;
        self.max = self.max.max(ns);
    }

    /// Counts everything that `other` counted.
    pub fn add(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The duration that `per_mille` thousandths do not exceed; zero when nothing was counted.
    pub fn quantile(&self, per_mille: u64) -> Duration {
        assert!(
            per_mille <= 1000,
            "{per_mille} thousandths are more than all"
        );
        let rank = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_end(bucket).min(self.max));
            }
        }
        Duration::ZERO
    }
}

/// The bucket of a duration in nanoseconds, at most [`LONGEST`].
const fn bucket_of(ns: u64) -> usize {
    let shift = match ns.checked_ilog2() {
        Some(log) => log.saturating_sub(STEP_BITS),
        None => 0,
    };
    // After the shift at most 127 is left, and the shift is below 34.
    shift as usize * STEPS + (ns >> shift) as usize
}

/// The longest duration of a bucket.
const fn upper_end(bucket: usize) -> u64 {
    if bucket < 2 * STEPS {
        return bucket as u64;
    }
    let shift = bucket / STEPS - 1;
    (((bucket % STEPS + STEPS + 1) as u64) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_join_without_gaps_or_overlaps() {
        for bucket in 0..BUCKETS {
            let end = upper_end(bucket);
            assert_eq!(bucket_of(end), bucket, "the end {end} of bucket {bucket}");
            if end < LONGEST {
                assert_eq!(bucket_of(end + 1), bucket + 1, "after the end {end}");
            }
        }
        assert_eq!(upper_end(BUCKETS - 1), LONGEST);
    }

    #[test]
    fn a_quantile_is_off_by_one_part_in_sixty_four_at_most() {
        let mut histogram = Histogram::default();
        for us in 1..=10_000 {
            histogram.record(Duration::from_micros(us));
        }
        assert_eq!(histogram.count(), 10_000);
        assert_eq!(histogram.max(), Duration::from_millis(10));
        for (per_mille, exact_us) in [(0, 1), (1, 10), (500, 5_000), (990, 9_900), (1000, 10_000)] {
            let exact = Duration::from_micros(exact_us);
            let found = histogram.quantile(per_mille);
            assert!(found >= exact, "{per_mille}: {found:?} is below {exact:?}");
            assert!(
                found <= exact + exact / 64,
                "{per_mille}: {found:?} is far above {exact:?}"
            );
        }
    }

    #[test]
    fn an_empty_histogram_answers_zero() {
        assert_eq!(Histogram::default().quantile(500), Duration::ZERO);
        assert_eq!(Histogram::default().max(), Duration::ZERO);
    }

    #[test]
    fn too_long_a_duration_counts_as_the_longest() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.quantile(1000), Duration::from_nanos(LONGEST));
    }

    #[test]
    fn adding_counts_both() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        one.record(Duration::from_nanos(7));
        other.record(Duration::from_nanos(90));
        one.add(&other);
        assert_eq!(one.count(), 2);
        assert_eq!(one.quantile(500), Duration::from_nanos(7));
        assert_eq!(one.quantile(1000), Duration::from_nanos(90));
    }
}
