//! Schedules that draw on one account at the same instant.

use std::collections::BTreeSet;

use super::super::Rule;
use super::super::calendar::{DAY_MS, Day};
use super::super::schedule::{Schedule, ScheduleKind};
use super::{Lint, LintCode};
use crate::id::AccountId;
use crate::time::Millis;

/// Turns that two schedules are compared for: months with a weekly one, years with each other's
/// rarer days.
const TURNS_MAX: usize = 100;

pub(super) fn look(lint: &mut Lint, rules: &[&Rule]) {
    let scheduled: Vec<(&Rule, Schedule, BTreeSet<AccountId>)> = rules
        .iter()
        .filter_map(|rule| Some((*rule, rule.trigger.schedule()?, sources(rule))))
        .collect();
    for (index, (rule, schedule, drawn)) in scheduled.iter().enumerate() {
        for (other, others, also_drawn) in scheduled.iter().take(index) {
            if drawn.is_disjoint(also_drawn) {
                continue;
            }
            let Some(at) = meeting(rule, *schedule, *others) else {
                continue;
            };
            let date = Day::at(at, i32::from(rule.settings.utc_offset_minutes)).date();
            let text = format!(
                "It draws on the same account as \"{}\" at the same instant, first on \
                 {:04}-{:02}-{:02}; which of the two comes first is decided by their ids.",
                other.name, date.year, date.month, date.day
            );
            lint.warn(LintCode::SameInstant, rule, "trigger".to_owned(), text);
        }
    }
}

fn sources(rule: &Rule) -> BTreeSet<AccountId> {
    let actions = rule.steps.iter().flat_map(|step| step.actions.iter());
    actions.map(|action| rule.source_of(action)).collect()
}

/// The first instant at which both run, if it is near enough.
fn meeting(rule: &Rule, one: Schedule, other: Schedule) -> Option<Millis> {
    // Both go by the same fixed offset: other times of day never meet.
    let apart_ms = one.start.since(other.start);
    if apart_ms.rem_euclid(DAY_MS) != 0 {
        return None;
    }
    let minutes = i32::from(rule.settings.utc_offset_minutes);
    let offset = |_: Millis| minutes;
    let once = |schedule: Schedule| schedule.kind == ScheduleKind::OneTime;
    let (one, other) = if once(other) {
        (other, one)
    } else {
        (one, other)
    };
    let mut at = one.start.max(other.start);
    for _ in 0..TURNS_MAX {
        let first = one.next(at, &offset)?;
        let second = other.next(first, &offset)?;
        if first == second {
            return Some(first);
        }
        at = second;
    }
    None
}
