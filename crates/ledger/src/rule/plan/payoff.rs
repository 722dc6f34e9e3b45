//! A sum spread over debts: minimums first, the rest on one debt after the other.
//!
//! Source: sequence-api §3.7. The debts are put in order once: for an avalanche the highest rate
//! first, for a snowball the least owed first, equal ones as they are listed. In that order each
//! gets its minimum payment as far as the sum goes, then, in the same order, all that is still
//! owed on it.

use std::cmp::Reverse;

use super::super::TRANSFER_MIN_MINOR;
use super::super::action::{Apr, Debt, Strategy};
use super::purse::Purse;
use crate::id::AccountId;

/// A debt while the sum is spread.
struct Part {
    account: AccountId,
    apr: Option<Apr>,
    owed: i64,
    minimum: i64,
    paid: i64,
}

/// How much of `total` each debt gets, in the order of the strategy. What would be less than a
/// transfer may be is left out, and stays where it is.
pub(super) fn spread(
    purse: &Purse,
    strategy: Strategy,
    debts: &[Debt],
    total: i64,
) -> Vec<(AccountId, i64)> {
    let mut parts: Vec<Part> = debts
        .iter()
        .filter_map(|debt| {
            let account = purse.get(debt.account)?;
            let owed = account.balance?.max(0);
            let minimum = account.next_payment_minimum.unwrap_or(0).max(0);
            Some(Part {
                account: debt.account,
                apr: debt.apr,
                owed,
                minimum: minimum.min(owed),
                paid: 0,
            })
        })
        .collect();
    match strategy {
        Strategy::Avalanche => parts.sort_by_key(|part| Reverse(part.apr)),
        Strategy::Snowball => parts.sort_by_key(|part| part.owed),
    }
    let mut left = total;
    let mut give = |part: &mut Part, up_to: i64| {
        let more = up_to.saturating_sub(part.paid).clamp(0, left);
        part.paid = part.paid.saturating_add(more);
        left = left.saturating_sub(more);
    };
    for part in &mut parts {
        let minimum = part.minimum;
        give(part, minimum);
    }
    for part in &mut parts {
        let owed = part.owed;
        give(part, owed);
    }
    parts
        .into_iter()
        .filter(|part| part.paid >= TRANSFER_MIN_MINOR)
        .map(|part| (part.account, part.paid))
        .collect()
}
