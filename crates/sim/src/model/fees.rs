//! What a fee comes to, in numbers that are wider than any amount.

use ledger::Currency;
use ledger::profile::{Fee, Pair, Rate, TransferTerms};

/// A share, to the nearest unit; a half goes to the even one.
fn share(rate: Rate, minor: i128) -> i128 {
    let twice = 2 * minor * i128::from(rate.ppm());
    let whole = 2_000_000;
    let nearest = (twice + whole / 2) / whole;
    let half = (twice + whole / 2) % whole == 0;
    if half { nearest - nearest % 2 } else { nearest }
}

/// A fee on an amount. Not bounded: what is more than anybody has, nobody pays.
pub(super) fn on(fee: Fee, minor: i128) -> i128 {
    match fee {
        Fee::Flat(flat) => i128::from(flat),
        Fee::Percentage(rate) => share(rate, minor),
        Fee::Plus(flat, rate) => i128::from(flat) + share(rate, minor),
        Fee::Min(flat, rate) => i128::from(flat).min(share(rate, minor)),
        Fee::Max(flat, rate) => i128::from(flat).max(share(rate, minor)),
    }
}

/// The fee of a pair in a currency: none at all when the pair has no line, `Err` when it has
/// lines, but none in this currency.
pub(super) fn of_pair(
    terms: &TransferTerms,
    pair: Pair,
    currency: Currency,
    minor: i128,
) -> Result<i128, ()> {
    let lines: Vec<_> = terms.fees.iter().filter(|line| line.pair == pair).collect();
    match lines.iter().find(|line| line.currency == currency) {
        Some(line) => Ok(on(line.fee, minor)),
        None if lines.is_empty() => Ok(0),
        None => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One unit of the share is a millionth: the halves lie where the rest is 500,000.
    #[test]
    fn a_half_goes_to_the_even_unit() {
        let half = Rate::from_ppm(500_000).expect("within the whole");
        let shares: Vec<i128> = (0..8).map(|minor| share(half, minor)).collect();
        assert_eq!(shares, [0, 0, 1, 2, 2, 2, 3, 4]);
        let third = Rate::from_ppm(333_333).expect("within the whole");
        assert_eq!((share(third, 1), share(third, 2)), (0, 1));
        let nearly = Rate::from_ppm(499_999).expect("within the whole");
        assert_eq!((share(nearly, 1), share(nearly, 3)), (0, 1));
        let over = Rate::from_ppm(500_001).expect("within the whole");
        assert_eq!((share(over, 1), share(over, 3)), (1, 2));
        let whole = Rate::from_ppm(1_000_000).expect("within the whole");
        let most = i128::from(i64::MAX);
        assert_eq!(share(whole, most), most);
    }
}
