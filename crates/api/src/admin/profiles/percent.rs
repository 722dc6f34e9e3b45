//! Percentages as text: at most four decimals, so that each is a whole number of parts per million.

use ledger::profile::Rate;

/// Decimals of a percentage.
const DECIMALS: usize = 4;

/// `1.25` is 12,500 parts per million; `None` for what is no percentage from 0 to 100.
pub(super) fn parse(text: &str) -> Option<Rate> {
    let (whole, decimals) = text
        .split_once('.')
        .map_or((text, None), |(whole, decimals)| (whole, Some(decimals)));
    let digits = |text: &str, most| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 3) || decimals.is_some_and(|decimals| !digits(decimals, DECIMALS)) {
        return None;
    }
    // At most seven digits.
    let parts = format!("{whole}{:0<DECIMALS$}", decimals.unwrap_or_default());
    Rate::from_ppm(parts.parse().ok()?)
}

/// The shortest text that [`parse`] reads as this rate.
pub(super) fn render(rate: Rate) -> String {
    let text = format!("{:0>5}", rate.ppm());
    let (whole, decimals) = text.split_at(text.len().saturating_sub(DECIMALS));
    match decimals.trim_end_matches('0') {
        "" => whole.to_owned(),
        decimals => format!("{whole}.{decimals}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, ppm: u32, shortest: &str) {
        let rate = parse(text).expect(text);
        assert_eq!(rate.ppm(), ppm, "{text}");
        assert_eq!(render(rate), shortest);
        assert_eq!(parse(shortest), Some(rate));
    }

    #[test]
    fn four_decimals_are_parts_per_million() {
        check("1.25", 12_500, "1.25");
        check("0.0001", 1, "0.0001");
        check("0", 0, "0");
        check("0.0", 0, "0");
        check("100", 1_000_000, "100");
        check("99.9999", 999_999, "99.9999");
        check("007.5000", 75_000, "7.5");
    }

    #[test]
    fn nothing_else_is_a_percentage() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1.00001", "100.0001", "101", "0100", "1,5", "1e1",
            "1%", " 1", "١",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
