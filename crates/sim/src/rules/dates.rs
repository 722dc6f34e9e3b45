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
    let (mut year, mut month, mut left) = (1970, 1, day);
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
    let begins = |day: i64| {
        let (_, month, of_month) = date(day);
        match period {
            CapPeriod::PerTransfer => true,
            // Day 4 was a Monday.
            CapPeriod::PerWeek => (day - 4) % 7 == 0,
            CapPeriod::PerMonth => of_month == 1,
            CapPeriod::PerYear => (month, of_month) == (1, 1),
        }
    };
    if period == CapPeriod::PerTransfer {
        return None;
    }
    let mut first = day;
    while !begins(first) {
        first -= 1;
    }
    Some(first)
}
