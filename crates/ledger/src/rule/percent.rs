//! Percentages, and one amount divided into parts: exact to the minor unit.
//!
//! Products are 128 bits wide: 63 bits of an amount times 34 bits of a percentage, or times 63
//! bits of another amount. What a division leaves is handed out one unit at a time, so that the
//! parts always add up to the whole.

use std::cmp::Reverse;
use std::fmt;

/// Decimals of a percentage.
const DECIMALS: usize = 8;
/// One per cent.
const ONE: i64 = 100_000_000;
/// All of it.
const HUNDRED: i64 = 10_000_000_000;

/// A percentage from 0 to 100 with eight decimals: 20 % is 2,000,000,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Percent(i64);

impl Percent {
    /// All of it.
    pub const HUNDRED: Percent = Percent(HUNDRED);

    /// So many hundred-millionths of a per cent; `None` below 0 or above 100 %.
    #[must_use]
    pub fn from_scaled(scaled: i64) -> Option<Percent> {
        (0..=HUNDRED).contains(&scaled).then_some(Percent(scaled))
    }

    /// Hundred-millionths of a per cent.
    #[must_use]
    pub fn scaled(self) -> i64 {
        self.0
    }

    /// The percentage written like `33.25`; `None` for anything but plain digits with a point,
    /// for more than eight decimals that are not zero, and above 100.
    #[must_use]
    pub fn parse(text: &str) -> Option<Percent> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let fraction = match fraction.trim_end_matches('0') {
            "" if digits(fraction) => "0",
            trimmed => trimmed,
        };
        if !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let fraction: i64 = format!("{fraction:0<DECIMALS$}").parse().ok()?;
        Percent::from_scaled(whole.checked_mul(ONE)?.checked_add(fraction)?)
    }

    /// This share of `minor` units, rounded half to even.
    #[must_use]
    pub fn of(self, minor: i64) -> i64 {
        shares(minor, &[(self, 0)]).first().copied().unwrap_or(0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0.div_euclid(ONE), self.0.rem_euclid(ONE));
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{fraction:0DECIMALS$}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

/// Several shares of one amount, in minor units.
///
/// Their sum is the exact sum of the shares, rounded once, half to even. Each part is its exact
/// share rounded down, or one unit more: the units that are left go to the largest remainders,
/// among equal ones to the lowest number beside the share, then to the first in the list.
#[must_use]
pub fn shares(base: i64, parts: &[(Percent, u64)]) -> Vec<i64> {
    let base = i128::from(base.max(0));
    let numerators: Vec<(i128, u64)> = parts
        .iter()
        .map(|(percent, tie)| (base.saturating_mul(i128::from(percent.0)), *tie))
        .collect();
    let exact = numerators
        .iter()
        .fold(0_i128, |sum, (numerator, _)| sum.saturating_add(*numerator));
    let denominator = i128::from(HUNDRED);
    largest_remainder(half_even(exact, denominator), &numerators, denominator)
}

/// Divides `total` in proportion to the weights, in minor units.
///
/// The parts add up to `total` exactly. What rounding down leaves goes to the largest remainders,
/// among equal ones to the lowest number beside the weight, then to the first in the list. As
/// long as `total` is not more than the weights together, no part is more than its weight. All
/// parts are 0 when all weights are.
#[must_use]
pub fn divide(total: i64, parts: &[(i64, u64)]) -> Vec<i64> {
    let total = i128::from(total.max(0));
    let weight = |weight: i64| i128::from(weight.max(0));
    let sum = parts
        .iter()
        .fold(0_i128, |sum, part| sum.saturating_add(weight(part.0)));
    if sum == 0 {
        return vec![0; parts.len()];
    }
    let numerators: Vec<(i128, u64)> = parts
        .iter()
        .map(|part| (total.saturating_mul(weight(part.0)), part.1))
        .collect();
    largest_remainder(total, &numerators, sum)
}

fn half_even(numerator: i128, denominator: i128) -> i128 {
    let whole = numerator.div_euclid(denominator);
    let twice = numerator.rem_euclid(denominator).saturating_mul(2);
    let up = twice > denominator || (twice == denominator && whole.rem_euclid(2) == 1);
    whole.saturating_add(i128::from(up))
}

/// `total` is at most one unit for each part more than the quotients rounded down.
fn largest_remainder(total: i128, numerators: &[(i128, u64)], denominator: i128) -> Vec<i64> {
    let mut parts: Vec<i128> = numerators
        .iter()
        .map(|(numerator, _)| numerator.div_euclid(denominator))
        .collect();
    let given = parts
        .iter()
        .fold(0_i128, |sum, part| sum.saturating_add(*part));
    let left = usize::try_from(total.saturating_sub(given)).expect("parts are rounded down");
    assert!(left <= parts.len(), "more is left than rounding can leave");
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| {
        let (numerator, tie) = numerators[*index];
        (Reverse(numerator.rem_euclid(denominator)), tie, *index)
    });
    for index in order.into_iter().take(left) {
        parts[index] = parts[index].saturating_add(1);
    }
    parts
        .into_iter()
        .map(|part| i64::try_from(part).expect("a part is within the whole"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> Percent {
        Percent::parse(text).expect(text)
    }

    #[test]
    fn percentages_are_read_and_written_exactly() {
        for text in ["0", "0.00000001", "20", "33.25", "99.99999999", "100"] {
            assert_eq!(percent(text).to_string(), text);
        }
        assert_eq!(percent("20").scaled(), 2_000_000_000);
        assert_eq!(percent("12.50000000000"), percent("12.5"));
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e2",
            "100.00000001",
            "0.000000001",
            "1,5",
            "½",
            "99999999999999999999",
        ] {
            assert_eq!(Percent::parse(text), None, "{text:?}");
        }
        assert_eq!(Percent::from_scaled(-1), None);
        assert_eq!(Percent::from_scaled(HUNDRED + 1), None);
    }

    #[test]
    fn one_share_rounds_half_to_even() {
        // 2.5 % of 20 is 0.5, of 60 is 1.5, of 100 is 2.5; 33.3333 % of 3 is 0.999999.
        for (text, minor, expected) in [
            ("2.5", 20, 0),
            ("2.5", 60, 2),
            ("2.5", 100, 2),
            ("33.3333", 3, 1),
            ("100", i64::MAX, i64::MAX),
            // 9,223,372,036,854,775,807 less 922,337,203.69.
            ("99.99999999", i64::MAX, 9_223_372_035_932_438_603),
            ("50", -7, 0),
        ] {
            assert_eq!(percent(text).of(minor), expected, "{text} % of {minor}");
        }
    }

    #[test]
    fn shares_of_a_whole_lose_and_invent_nothing() {
        let thirds = [
            (percent("33.33333333"), 3),
            (percent("33.33333333"), 2),
            (percent("33.33333334"), 1),
        ];
        // Exact: 3333.333333 twice and 3333.333334; the unit left goes to the largest remainder.
        assert_eq!(shares(10_000, &thirds), [3_333, 3_333, 3_334]);
        let halves = [(percent("50"), 9), (percent("50"), 4)];
        // Two halves of 1: the unit goes to the lower number beside the share.
        assert_eq!(shares(1, &halves), [0, 1]);
        assert_eq!(shares(i64::MAX, &halves), [i64::MAX / 2, i64::MAX / 2 + 1]);
        // 0.5 and 0.5 and 0.5 are 1.5, rounded to 2.
        let eighths = [
            (percent("12.5"), 0),
            (percent("12.5"), 0),
            (percent("12.5"), 0),
        ];
        assert_eq!(shares(4, &eighths), [1, 1, 0]);
    }

    #[test]
    fn a_total_is_divided_in_proportion() {
        assert_eq!(divide(100, &[(60, 0), (40, 0)]), [60, 40]);
        assert_eq!(divide(10, &[(60, 0), (40, 0)]), [6, 4]);
        assert_eq!(divide(10, &[(1, 5), (1, 1), (1, 3)]), [3, 4, 3]);
        assert_eq!(divide(5, &[(0, 0), (0, 0)]), [0, 0]);
        assert_eq!(divide(0, &[(3, 0), (4, 0)]), [0, 0]);
        let most = i64::MAX;
        assert_eq!(
            divide(most, &[(most, 0), (most, 1)]),
            [most / 2 + 1, most / 2]
        );
    }

    #[test]
    fn no_part_is_more_than_its_weight() {
        for total in 0..=30 {
            let weights = [(3, 0), (7, 1), (20, 2), (0, 3)];
            let parts = divide(total, &weights);
            assert_eq!(parts.iter().sum::<i64>(), total);
            assert!(
                parts
                    .iter()
                    .zip(&weights)
                    .all(|(part, (weight, _))| part <= weight)
            );
        }
    }
}
