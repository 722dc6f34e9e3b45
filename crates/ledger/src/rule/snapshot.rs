//! What a run can see: accounts, the time, what came in, what caps have counted, what was answered.

use std::collections::BTreeMap;

use super::action::CapPeriod;
use super::calendar::Day;
use super::failure::Failure;
use crate::account::{Account, AccountKind, AccountState, ExternalKind};
use crate::id::AccountId;
use crate::time::Millis;

/// An account as a run sees it. All sums in minor units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountSeen {
    /// What kind of account it is.
    pub kind: AccountKind,
    /// Why no money can be moved from or to it now.
    pub trouble: Option<Failure>,
    /// What can be spent: the balance less what is held, or what its institution said last.
    pub available: Option<i64>,
    /// What is on it, or what its institution said last; what is owed, for a liability.
    pub balance: Option<i64>,
    /// What is on its way to it and not part of the balance.
    pub arriving: i64,
    /// The balance of the last statement.
    pub last_statement: Option<i64>,
    /// The least to pay next.
    pub next_payment_minimum: Option<i64>,
}

impl AccountSeen {
    /// The account as it is now, with what is on its way to it.
    #[must_use]
    pub fn of(account: &Account, arriving: i64) -> AccountSeen {
        let held = account.kind.is_held();
        let reported = &account.reported;
        AccountSeen {
            kind: account.kind,
            trouble: match account.state {
                AccountState::Active => None,
                AccountState::Blocked => Some(Failure::PaymentNotSupported),
                AccountState::Destroyed => Some(Failure::ResourceDeleted),
            },
            available: held
                .then(|| account.available())
                .or_else(|| reported.available.or(reported.balance)),
            balance: held.then_some(account.balance).or(reported.balance),
            arriving,
            last_statement: reported.last_statement,
            next_payment_minimum: reported.next_payment_minimum,
        }
    }

    /// Whether the ledger holds its money.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.kind.is_held()
    }

    /// Whether what is on it is owed.
    #[must_use]
    pub fn is_liability(&self) -> bool {
        self.kind == AccountKind::External(ExternalKind::Liability)
    }
}

/// The accounts at one moment. An account of the rule that is not among them is gone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The tenant's time.
    pub at: Millis,
    /// The accounts that the rule names.
    pub accounts: BTreeMap<AccountId, AccountSeen>,
}

/// What is known of the money that a run is about, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Incoming {
    /// Nothing.
    #[default]
    Unknown,
    /// So much came in, or was said to have come in.
    Amount(i64),
    /// As if so much had come in and were all that is available on the trigger's account. What is
    /// really available still limits what can be moved.
    Pretended(i64),
}

impl Incoming {
    /// How much.
    #[must_use]
    pub fn minor(self) -> Option<i64> {
        match self {
            Incoming::Unknown => None,
            Incoming::Amount(minor) | Incoming::Pretended(minor) => Some(minor),
        }
    }
}

/// What a cap has counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CapUsed {
    /// Over what time it counts.
    pub period: CapPeriod,
    /// The first day of the period that it was counted in.
    pub since: Day,
    /// Minor units that were moved in that period.
    pub used_minor: i64,
}

/// Counters by step and group. One that is not there stands at 0, and so does one of another
/// period.
pub type CapsUsed = BTreeMap<(u16, u32), CapUsed>;

/// Amounts in minor units that the user's server answered, by step and action.
pub type Answers = BTreeMap<(u16, u16), i64>;

/// The first day of the period that `today` is in; `None` for a cap that counts no time.
#[must_use]
pub fn period_start(period: CapPeriod, today: Day) -> Option<Day> {
    match period {
        CapPeriod::PerTransfer => None,
        CapPeriod::PerWeek => Some(today.week_start()),
        CapPeriod::PerMonth => Some(today.month_start()),
        CapPeriod::PerYear => Some(today.year_start()),
    }
}
