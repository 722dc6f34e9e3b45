//! When a scheduled rule runs.
//!
//! Source: sequence-api §3.5. A schedule is its kind and its start: the time of day, the weekday
//! and the day of the month are those of the start, in local time. Nothing is counted from the
//! last run, so a run that was late or left out moves none of those after it.

use super::calendar::{DAY_MS, Day, Offset, instant};
use super::names::named;
use crate::time::Millis;

named! {
    /// How often.
    pub enum ScheduleKind {
        /// Once, at the start.
        OneTime = "ONE_TIME",
        /// Every day.
        Daily = "DAILY",
        /// Every week, on the weekday of the start.
        Weekly = "WEEKLY",
        /// On the 1st and the 15th of every month.
        BiWeekly = "BI_WEEKLY",
        /// Every month, on the day of the start; on the last day of a month that is too short.
        Monthly = "MONTHLY",
        /// In weeks with an even ISO number, on the weekday of the start. After a year of 53
        /// weeks three weeks lie between two runs.
        EveryOtherWeek = "EVERY_OTHER_WEEK",
    }
}

/// A kind and a start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Schedule {
    /// How often.
    pub kind: ScheduleKind,
    /// The first moment at which it may run.
    pub start: Millis,
}

/// The end of the year 9999 (UTC): nothing runs from then on, so that the last run has no next.
pub const SCHEDULE_END: Millis = Millis(253_402_300_800_000);
/// Days within which every schedule has a run: three weeks, or a month and a day for what the
/// clock's changes may move.
const SEARCH_DAYS: i64 = 33;

impl Schedule {
    /// The first run at or after `from`; `None` when there is none any more.
    ///
    /// `offset` gives the minutes that local time is ahead of UTC.
    #[must_use]
    pub fn next(self, from: Millis, offset: Offset<'_>) -> Option<Millis> {
        if from >= SCHEDULE_END || self.start >= SCHEDULE_END {
            return None;
        }
        if self.kind == ScheduleKind::OneTime {
            return (from <= self.start).then_some(self.start);
        }
        let from = from.max(self.start);
        let start_day = Day::at(self.start, offset(self.start));
        let of_day_ms = self.of_day_ms(start_day, offset);
        let Day(first) = Day::at(from, offset(from));
        (first.saturating_sub(1)..=first.saturating_add(SEARCH_DAYS))
            .map(Day)
            .filter(|day| self.runs_on(*day, start_day))
            .map(|day| instant(day, of_day_ms, offset))
            .find(|at| *at >= from)
            .filter(|at| *at < SCHEDULE_END)
    }

    /// The local time of day of the start.
    fn of_day_ms(self, start_day: Day, offset: Offset<'_>) -> i64 {
        let ahead_ms = i64::from(offset(self.start)).saturating_mul(60_000);
        let local = self.start.plus(ahead_ms);
        local.since(Millis(start_day.0.saturating_mul(DAY_MS)))
    }

    fn runs_on(self, day: Day, start_day: Day) -> bool {
        let same_weekday = || day.weekday() == start_day.weekday();
        match self.kind {
            ScheduleKind::OneTime => day == start_day,
            ScheduleKind::Daily => true,
            ScheduleKind::Weekly => same_weekday(),
            ScheduleKind::BiWeekly => matches!(day.date().day, 1 | 15),
            ScheduleKind::Monthly => {
                let date = day.date();
                date.day == start_day.date().day.min(date.days_in_month())
            }
            ScheduleKind::EveryOtherWeek => same_weekday() && day.iso_week().is_multiple_of(2),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "tests overflow loudly, and use small numbers"
)]
mod tests {
    use super::super::calendar::{Date, utc};
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(year: i64, month: u8, day: u8, of_day_ms: i64) -> Millis {
        let Day(number) = Date { year, month, day }.day_number();
        Millis(number * DAY_MS + of_day_ms)
    }

    /// The runs from the start on, as days of UTC.
    #[track_caller]
    fn check(kind: ScheduleKind, start: Millis, offset: Offset<'_>, expected: &[Millis]) {
        let schedule = Schedule { kind, start };
        let mut from = Millis(start.0 - 90 * DAY_MS);
        for (index, run) in expected.iter().enumerate() {
            let next = schedule.next(from, offset);
            assert_eq!(next, Some(*run), "{kind} run {index}");
            assert_eq!(
                schedule.next(*run, offset),
                Some(*run),
                "a run is at its own time"
            );
            from = run.plus(1);
        }
        if kind == ScheduleKind::OneTime {
            assert_eq!(schedule.next(from, offset), None);
        }
    }

    #[test]
    fn one_time_daily_and_weekly() {
        let start = at(2026, 2, 27, 9 * HOUR);
        check(ScheduleKind::OneTime, start, &utc, &[start]);
        let days = [
            start,
            at(2026, 2, 28, 9 * HOUR),
            at(2026, 3, 1, 9 * HOUR),
            at(2026, 3, 2, 9 * HOUR),
        ];
        check(ScheduleKind::Daily, start, &utc, &days);
        let weeks = [start, at(2026, 3, 6, 9 * HOUR), at(2026, 3, 13, 9 * HOUR)];
        check(ScheduleKind::Weekly, start, &utc, &weeks);
    }

    #[test]
    fn twice_a_month_is_on_the_1st_and_the_15th() {
        let start = at(2026, 1, 16, 6 * HOUR);
        let runs = [
            at(2026, 2, 1, 6 * HOUR),
            at(2026, 2, 15, 6 * HOUR),
            at(2026, 3, 1, 6 * HOUR),
        ];
        check(ScheduleKind::BiWeekly, start, &utc, &runs);
        let start = at(2026, 1, 15, 6 * HOUR);
        check(ScheduleKind::BiWeekly, start, &utc, &[start, runs[0]]);
    }

    #[test]
    fn a_month_without_the_day_has_its_run_on_its_last_day() {
        let start = at(2027, 12, 31, 0);
        let runs = [
            start,
            at(2028, 1, 31, 0),
            at(2028, 2, 29, 0),
            at(2028, 3, 31, 0),
            at(2028, 4, 30, 0),
            at(2028, 5, 31, 0),
        ];
        check(ScheduleKind::Monthly, start, &utc, &runs);
        let start = at(2027, 1, 30, 0);
        let runs = [start, at(2027, 2, 28, 0), at(2027, 3, 30, 0)];
        check(ScheduleKind::Monthly, start, &utc, &runs);
        let start = at(2027, 1, 5, 0);
        check(
            ScheduleKind::Monthly,
            start,
            &utc,
            &[start, at(2027, 2, 5, 0)],
        );
    }

    #[test]
    fn every_other_week_is_every_even_iso_week() {
        // Week 51 of 2020 is odd. After week 52 come 53 and 1, then 2.
        let start = at(2020, 12, 18, 0);
        let runs = [at(2020, 12, 25, 0), at(2021, 1, 15, 0), at(2021, 1, 29, 0)];
        check(ScheduleKind::EveryOtherWeek, start, &utc, &runs);
        // 2021 has 52 weeks: two weeks between 52 and 2.
        let start = at(2021, 12, 31, 0);
        check(
            ScheduleKind::EveryOtherWeek,
            start,
            &utc,
            &[start, at(2022, 1, 14, 0)],
        );
    }

    #[test]
    fn local_time_decides_about_the_day_and_keeps_the_time_of_day() {
        // 23:30 UTC on the 31st is 00:30 on the 1st, one hour ahead.
        let ahead = |_: Millis| 60;
        let start = at(2026, 1, 31, 23 * HOUR + HOUR / 2);
        let runs = [start, at(2026, 2, 28, 23 * HOUR + HOUR / 2)];
        check(ScheduleKind::Monthly, start, &ahead, &runs);
        // Clocks go one hour forward on 29 March: 09:00 is at 09:00 UTC before, 08:00 after.
        let change = at(2026, 3, 29, HOUR);
        let summer = move |instant: Millis| if instant < change { 0 } else { 60 };
        let start = at(2026, 3, 28, 9 * HOUR);
        let runs = [start, at(2026, 3, 29, 8 * HOUR), at(2026, 3, 30, 8 * HOUR)];
        check(ScheduleKind::Daily, start, &summer, &runs);
        // 01:30 is left out that night: the run is at 02:30 local time, once.
        let start = at(2026, 3, 28, HOUR + HOUR / 2);
        let half_past = HOUR + HOUR / 2;
        let runs = [start, at(2026, 3, 29, half_past), at(2026, 3, 30, HOUR / 2)];
        check(ScheduleKind::Daily, start, &summer, &runs);
    }

    #[test]
    fn nothing_runs_before_the_start_and_the_end_of_time_is_no_trap() {
        let start = at(2026, 1, 5, 12 * HOUR);
        for kind in ScheduleKind::ALL {
            let schedule = Schedule { kind: *kind, start };
            let next = schedule
                .next(Millis(i64::MIN), &utc)
                .expect("all run at least once");
            assert!(next >= start);
            assert_eq!(schedule.next(Millis::NEVER, &utc), None);
            assert_eq!(schedule.next(SCHEDULE_END, &utc), None);
            let last = SCHEDULE_END.plus(-DAY_MS);
            let next = schedule.next(last, &utc);
            assert!(
                next.is_none_or(|next| next < SCHEDULE_END),
                "{kind} at {next:?}"
            );
            let start = Millis(i64::MAX - 1);
            let never = Schedule { kind: *kind, start };
            assert_eq!(never.next(Millis(0), &utc), None);
        }
    }
}
