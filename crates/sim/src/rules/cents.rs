//! Whole cents from fractions of them.

use ledger::AccountId;
use ledger::rule::action::{Action, Movement};

use super::End;

/// The least that is moved at once.
pub(super) const DOLLAR: i128 = 100;
/// All of it, in hundred-millionths of a per cent.
pub(super) const WHOLE: i128 = 10_000_000_000;

pub(super) fn first_destination(action: &Action) -> AccountId {
    match &action.movement {
        Movement::Pay { destination, .. } => *destination,
        Movement::PayOff { debts, .. } => debts[0].account,
    }
}

/// What a group's cap leaves of each want: all of it, or its part of what is left.
pub(super) fn let_through(
    actions: &[Action],
    members: &[usize],
    wants: &[Result<i128, End>],
    left: Option<i128>,
) -> Vec<i128> {
    let wants: Vec<i128> = wants.iter().map(|want| want.unwrap_or(0)).collect();
    let sum: i128 = wants.iter().sum();
    match left {
        Some(left) if sum > left => {
            let parts: Vec<(i128, AccountId)> = members
                .iter()
                .zip(&wants)
                .map(|(i, want)| (left * want, first_destination(&actions[*i])))
                .collect();
            hand_out(left, &parts, sum)
        }
        _ => wants,
    }
}

/// Hundred-millionths of per cents to whole units, half to even.
pub(super) fn to_even(scaled: i128) -> i128 {
    let down = scaled / WHOLE;
    let rest = scaled - down * WHOLE;
    if rest * 2 > WHOLE || (rest * 2 == WHOLE && down % 2 != 0) {
        down + 1
    } else {
        down
    }
}

/// Gives `total` units to parts that are owed fractions of `per`: first the whole ones, then one
/// at a time to whoever still lacks most; among equals to the oldest account, then to the first.
pub(super) fn hand_out(total: i128, owed: &[(i128, AccountId)], per: i128) -> Vec<i128> {
    let mut given: Vec<i128> = owed.iter().map(|(owed, _)| owed / per).collect();
    while given.iter().sum::<i128>() < total {
        let lacks = |i: usize| owed[i].0 - given[i] * per;
        let mut next = 0;
        for other in 1..owed.len() {
            let more = lacks(other) > lacks(next);
            let older = lacks(other) == lacks(next) && owed[other].1 < owed[next].1;
            if more || older {
                next = other;
            }
        }
        given[next] += 1;
    }
    given
}
