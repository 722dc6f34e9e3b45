//! Civil dates: days, months and ISO weeks of the Gregorian calendar, and local time.
//!
//! There is no time zone database here. Local time is UTC plus an offset in minutes that is handed
//! in, as a number or as a function of the instant.

// Years are those of a 64-bit number of milliseconds, days below 2^37: nothing can overflow.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "every intermediate is far below 64 bits, see above"
)]

use crate::time::Millis;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// A day, counted from 1970-01-01, which is day 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Day(pub i64);

/// A day by its year, month (1 to 12) and day of the month (1 to 31).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    /// The year, negative before the year 0.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Day {
    /// The local day at `at`, where local time is `offset_minutes` ahead of UTC.
    #[must_use]
    pub fn at(at: Millis, offset_minutes: i32) -> Day {
        let local = at.plus(i64::from(offset_minutes) * MINUTE_MS);
        Day(local.0.div_euclid(DAY_MS))
    }

    /// The day's date.
    ///
    /// Counts in eras of 400 years that begin on the first of March, so that a leap day is the
    /// last day of its year.
    #[must_use]
    pub fn date(self) -> Date {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = (march_month + 2) % 12 + 1;
        Date {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: u8::try_from(month).expect("1 to 12"),
            day: u8::try_from(day).expect("1 to 31"),
        }
    }

    /// 1 for Monday to 7 for Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.0 + 3).rem_euclid(7) + 1).expect("1 to 7")
    }

    /// The number of its ISO week, 1 to 53: the week of the year that its Thursday is in.
    #[must_use]
    pub fn iso_week(self) -> u8 {
        let thursday = Day(self.0 - i64::from(self.weekday()) + 4);
        let first = Date {
            year: thursday.date().year,
            month: 1,
            day: 1,
        };
        u8::try_from((thursday.0 - first.day_number().0) / 7 + 1).expect("1 to 53")
    }

    /// The Monday of its week.
    #[must_use]
    pub fn week_start(self) -> Day {
        Day(self.0 - i64::from(self.weekday()) + 1)
    }

    /// The first day of its month.
    #[must_use]
    pub fn month_start(self) -> Day {
        Date {
            day: 1,
            ..self.date()
        }
        .day_number()
    }

    /// The first of January of its year.
    #[must_use]
    pub fn year_start(self) -> Day {
        Date {
            month: 1,
            day: 1,
            ..self.date()
        }
        .day_number()
    }
}

impl Date {
    /// The day that has this date.
    #[must_use]
    pub fn day_number(self) -> Day {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let march_month = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * march_month + 2) / 5 + i64::from(self.day) - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        Day(era * 146_097 + of_era - 719_468)
    }

    /// How many days its month has, which is the month's last day.
    #[must_use]
    pub fn days_in_month(self) -> u8 {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

/// Minutes that local time is ahead of UTC at an instant.
pub type Offset<'a> = &'a dyn Fn(Millis) -> i32;

/// UTC itself.
#[must_use]
pub fn utc(_: Millis) -> i32 {
    0
}

/// The instant at which local clocks show the time `of_day_ms` of `day`.
///
/// A time that occurs twice is the first of the two. A time that is left out when clocks go
/// forward is as much later as they go forward: 02:30 becomes 03:30.
#[must_use]
pub fn instant(day: Day, of_day_ms: i64, offset: Offset<'_>) -> Millis {
    let local = Millis(day.0.saturating_mul(DAY_MS).saturating_add(of_day_ms));
    let back = |minutes: i32| local.plus(-i64::from(minutes) * MINUTE_MS);
    let (before, after) = (offset(local.plus(-DAY_MS)), offset(local.plus(DAY_MS)));
    let shows_it = |minutes: &i32| offset(back(*minutes)) == *minutes;
    // The larger offset gives the earlier instant.
    let candidates = [before.max(after), before.min(after)];
    let found = candidates.into_iter().find(shows_it);
    back(found.unwrap_or(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i64, month: u8, day: u8) -> Day {
        Date { year, month, day }.day_number()
    }

    #[test]
    fn days_and_dates_are_each_others_inverse_and_follow_one_another() {
        let mut yesterday = Day(-800_000).date();
        for number in -799_999..800_000 {
            let date = Day(number).date();
            assert_eq!(date.day_number(), Day(number));
            let expected = if yesterday.day < yesterday.days_in_month() {
                Date {
                    day: yesterday.day + 1,
                    ..yesterday
                }
            } else if yesterday.month < 12 {
                Date {
                    month: yesterday.month + 1,
                    day: 1,
                    ..yesterday
                }
            } else {
                Date {
                    year: yesterday.year + 1,
                    month: 1,
                    day: 1,
                }
            };
            assert_eq!(date, expected);
            yesterday = date;
        }
        assert_eq!(day(1970, 1, 1), Day(0));
        assert_eq!(day(2000, 2, 29), Day(11_016));
    }

    #[test]
    fn weeks_are_those_of_the_iso() {
        // The well-known edges: years of 53 weeks, and days that belong to another year's week.
        for ((year, month, of_month), weekday, week) in [
            ((1970, 1, 1), 4, 1),
            ((2005, 1, 1), 6, 53),
            ((2008, 12, 29), 1, 1),
            ((2010, 1, 3), 7, 53),
            ((2020, 12, 31), 4, 53),
            ((2021, 1, 4), 1, 1),
            ((2026, 11, 21), 6, 47),
            ((2026, 12, 31), 4, 53),
        ] {
            let day = day(year, month, of_month);
            assert_eq!(
                (day.weekday(), day.iso_week()),
                (weekday, week),
                "{:?}",
                day.date()
            );
        }
    }

    #[test]
    fn periods_begin_on_monday_the_first_and_new_year() {
        let today = day(2026, 11, 21);
        assert_eq!(today.week_start(), day(2026, 11, 16));
        assert_eq!(today.month_start(), day(2026, 11, 1));
        assert_eq!(today.year_start(), day(2026, 1, 1));
        assert_eq!(day(2026, 11, 16).week_start(), day(2026, 11, 16));
    }

    #[test]
    fn the_local_day_is_not_always_that_of_utc() {
        let at = Millis(day(2026, 11, 21).0 * DAY_MS + 23 * 3_600_000);
        assert_eq!(Day::at(at, 0), day(2026, 11, 21));
        assert_eq!(Day::at(at, 60), day(2026, 11, 22));
        assert_eq!(Day::at(at, -24 * 60), day(2026, 11, 20));
    }

    /// One hour ahead from 01:00 UTC on 29 March to 01:00 UTC on 25 October, else UTC.
    fn summer(at: Millis) -> i32 {
        let hour = 3_600_000;
        let begin = day(2026, 3, 29).0 * DAY_MS + hour;
        let end = day(2026, 10, 25).0 * DAY_MS + hour;
        if (begin..end).contains(&at.0) { 60 } else { 0 }
    }

    #[test]
    fn local_times_that_do_not_exist_or_exist_twice() {
        let hour = 3_600_000;
        let at = |date: Day, of_day| instant(date, of_day, &summer).0 - date.0 * DAY_MS;
        let (spring, autumn) = (day(2026, 3, 29), day(2026, 10, 25));
        assert_eq!(at(day(2026, 3, 28), 9 * hour), 9 * hour);
        assert_eq!(at(spring, 9 * hour), 8 * hour);
        // 01:30 is left out: clocks then show 02:30, which is 01:30 UTC.
        assert_eq!(at(spring, hour + hour / 2), hour + hour / 2);
        assert_eq!(at(spring, hour / 2), hour / 2);
        assert_eq!(at(spring, 2 * hour), hour);
        // 01:30 occurs twice: at 00:30 UTC and at 01:30 UTC.
        assert_eq!(at(autumn, hour + hour / 2), hour / 2);
        assert_eq!(at(autumn, 2 * hour), 2 * hour);
        assert_eq!(at(autumn, hour - 1), -1);
    }
}
