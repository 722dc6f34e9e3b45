//! The calendar, counted month by month from 1970.

use ledger::rule::action::CapPeriod;

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 400 == 0 => 29,
        2 if year % 100 == 0 => 28,
        2 if year % 4 == 0 => 29,
        2 => 28,
        _ => 31,
    }
}

/// Year, month and day of the month of a day since 1970-01-01.
pub(super) fn date(day: i64) -> (i64, i64, i64) {
    assert!(day >= 0, "tests begin in 1970");
    // After 400 years all begins again.
    let (mut year, mut month, mut left) = (1970 + day / 146_097 * 400, 1, day % 146_097);
    while left >= days_of(year, month) {
        left -= days_of(year, month);
        month += 1;
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    (year, month, left + 1)
}

/// The first day of the period that a day is in.
pub(super) fn period_start(period: CapPeriod, day: i64) -> Option<i64> {
    let (year, month, of_month) = date(day);
    let gone = match period {
        CapPeriod::PerTransfer => return None,
        // Day 4 was a Monday.
        CapPeriod::PerWeek => (day - 4) % 7,
        CapPeriod::PerMonth => of_month - 1,
        CapPeriod::PerYear => (1..month).map(|m| days_of(year, m)).sum::<i64>() + of_month - 1,
    };
    Some(day - gone)
}
