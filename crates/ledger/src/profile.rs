//! Profiles: the terms under which Multi's identities, instruments and transfers are made.
//!
//! Source: weavr-api §7. Fees are integers of minor units; a percentage is parts per million of
//! the amount, rounded half to even, once (`docs/decisions/2026-11-21-fees.md`).

use std::sync::Arc;

use crate::account::InstrumentClass;
use crate::id::{ProfileId, TenantId};
use crate::money::{Amount, Currency};
use crate::time::Millis;

/// Fees and limits of one profile: a list that is longer helps nobody.
pub const LINES_MAX: usize = 200;
/// Parts of a whole that a [`Rate`] counts.
const PARTS: i128 = 1_000_000;

/// A share of an amount in parts per million: 12,500 are 1.25 %.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rate(u32);

impl Rate {
    /// `ppm` parts per million; `None` above the whole.
    #[must_use]
    pub fn from_ppm(ppm: u32) -> Option<Rate> {
        (i128::from(ppm) <= PARTS).then_some(Rate(ppm))
    }

    /// Parts per million.
    #[must_use]
    pub fn ppm(self) -> u32 {
        self.0
    }

    /// This share of `minor`, rounded half to even. Never more than `minor`.
    #[must_use]
    fn of(self, minor: i64) -> i64 {
        // 63 bits times 20 bits fit into 128.
        let product = i128::from(minor).saturating_mul(i128::from(self.0));
        let (whole, rest) = (
            product.div_euclid(PARTS),
            product.rem_euclid(PARTS).saturating_mul(2),
        );
        let up = rest > PARTS || (rest == PARTS && whole.rem_euclid(2) == 1);
        i64::try_from(whole.saturating_add(i128::from(up))).expect("a share is within the whole")
    }
}

/// How a fee is reckoned from the amount, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fee {
    /// The same for every amount.
    Flat(i64),
    /// A share of the amount.
    Percentage(Rate),
    /// Both together.
    Plus(i64, Rate),
    /// The lower of the two.
    Min(i64, Rate),
    /// The higher of the two.
    Max(i64, Rate),
}

impl Fee {
    /// The fee on `minor` units; `None` when it leaves the 64-bit range.
    #[must_use]
    pub fn on(self, minor: i64) -> Option<i64> {
        match self {
            Fee::Flat(flat) => Some(flat),
            Fee::Percentage(rate) => Some(rate.of(minor)),
            Fee::Plus(flat, rate) => flat.checked_add(rate.of(minor)),
            Fee::Min(flat, rate) => Some(flat.min(rate.of(minor))),
            Fee::Max(flat, rate) => Some(flat.max(rate.of(minor))),
        }
    }

    /// Its fixed part, 0 when it has none.
    #[must_use]
    pub fn flat(self) -> i64 {
        match self {
            Fee::Percentage(_) => 0,
            Fee::Flat(flat) | Fee::Plus(flat, _) | Fee::Min(flat, _) | Fee::Max(flat, _) => flat,
        }
    }
}

/// Whether a transfer waits for its fee.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FeePolicy {
    /// The fee is taken only if the source has enough for it beside the amount.
    BestEffort,
    /// Too little for the fee is too little for the transfer.
    Required,
}

/// The classes of source and destination.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pair {
    /// Of the source.
    pub source: InstrumentClass,
    /// Of the destination.
    pub destination: InstrumentClass,
}

impl Pair {
    /// All four.
    pub const ALL: [Pair; 4] = [
        Pair::of(InstrumentClass::Account, InstrumentClass::Account),
        Pair::of(InstrumentClass::Account, InstrumentClass::Card),
        Pair::of(InstrumentClass::Card, InstrumentClass::Account),
        Pair::of(InstrumentClass::Card, InstrumentClass::Card),
    ];

    const fn of(source: InstrumentClass, destination: InstrumentClass) -> Pair {
        Pair {
            source,
            destination,
        }
    }
}

/// A transfer fee of one pair and currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TransferFee {
    /// Between which classes.
    pub pair: Pair,
    /// In which currency.
    pub currency: Currency,
    /// How much.
    pub fee: Fee,
}

/// A deposit fee of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DepositFee {
    /// In which currency.
    pub currency: Currency,
    /// How much. A deposit that is not larger than its fee is free.
    pub fee: Fee,
}

/// How a card pays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CardMode {
    /// From a balance of its own.
    Prepaid,
    /// From its parent account.
    Debit,
}

/// What a profile says, by the kind of object it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Terms {
    /// For business identities.
    Corporate,
    /// For personal identities.
    Consumer,
    /// For managed accounts.
    ManagedAccount {
        /// The most an account may hold, at most one for each currency.
        max_balances: Vec<Amount>,
        /// What a deposit costs, at most one for each currency.
        deposit_fees: Vec<DepositFee>,
    },
    /// For managed cards.
    ManagedCard {
        /// How its cards pay; it never changes.
        mode: CardMode,
        /// The most a prepaid card may hold, at most one for each currency.
        max_balances: Vec<Amount>,
    },
    /// For transfers.
    Transfer(TransferTerms),
}

/// What a transfer profile says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferTerms {
    /// The pairs it allows; all four when empty.
    pub pairs: Vec<Pair>,
    /// Fees, at most one for each pair and currency. A pair without any costs nothing.
    pub fees: Vec<TransferFee>,
    /// Whether a transfer waits for its fee.
    pub fee_policy: FeePolicy,
    /// The most one transfer may move, at most one for each currency.
    pub max_amounts: Vec<Amount>,
    /// Amounts above are refused as by a risk assessment, at most one for each currency.
    pub deny_above: Vec<Amount>,
    /// Whether instruments of two currencies are a trade that is refused, not a mismatch.
    pub forex: bool,
}

/// What kind of object a profile is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ProfileKind {
    /// Business identities.
    Corporate,
    /// Personal identities.
    Consumer,
    /// Managed accounts.
    ManagedAccount,
    /// Managed cards.
    ManagedCard,
    /// Transfers.
    Transfer,
}

impl Terms {
    /// What kind of object they are for.
    #[must_use]
    pub fn kind(&self) -> ProfileKind {
        match self {
            Terms::Corporate => ProfileKind::Corporate,
            Terms::Consumer => ProfileKind::Consumer,
            Terms::ManagedAccount { .. } => ProfileKind::ManagedAccount,
            Terms::ManagedCard { .. } => ProfileKind::ManagedCard,
            Terms::Transfer(_) => ProfileKind::Transfer,
        }
    }

    /// The most an instrument under these terms may hold in `currency`, in minor units.
    #[must_use]
    pub fn max_balance(&self, currency: Currency) -> Option<i64> {
        match self {
            Terms::ManagedAccount { max_balances, .. }
            | Terms::ManagedCard { max_balances, .. } => limit(max_balances, currency),
            _ => None,
        }
    }
}

/// The limit in `currency` in minor units, if there is one.
#[must_use]
pub fn limit(limits: &[Amount], currency: Currency) -> Option<i64> {
    let found = limits.iter().find(|limit| limit.currency() == currency);
    found.map(|limit| limit.minor())
}

/// Terms with a name and a switch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Its name, 1 to 100 characters.
    pub name: Arc<str>,
    /// Whether anything new can be made under it.
    pub active: bool,
    /// The currencies it allows; any when empty.
    pub currencies: Vec<Currency>,
    /// What it says.
    pub terms: Terms,
    /// When it was made, by the tenant's clock.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
}

impl Profile {
    /// Whether it allows `currency`.
    #[must_use]
    pub fn allows(&self, currency: Currency) -> bool {
        self.currencies.is_empty() || self.currencies.contains(&currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fee: Fee, minor: i64, expected: Option<i64>) {
        assert_eq!(fee.on(minor), expected, "{fee:?} on {minor}");
    }

    fn ppm(ppm: u32) -> Rate {
        Rate::from_ppm(ppm).expect("at most the whole")
    }

    #[test]
    fn percentages_round_half_to_even() {
        // 1.5 % of 100 is 1.5, of 300 is 4.5, of 101 is 1.515.
        check(Fee::Percentage(ppm(15_000)), 100, Some(2));
        check(Fee::Percentage(ppm(15_000)), 300, Some(4));
        check(Fee::Percentage(ppm(15_000)), 101, Some(2));
        check(Fee::Percentage(ppm(15_000)), 33, Some(0));
        check(Fee::Percentage(ppm(15_000)), 34, Some(1));
        check(Fee::Percentage(ppm(1_000_000)), i64::MAX, Some(i64::MAX));
        check(Fee::Percentage(ppm(0)), i64::MAX, Some(0));
        assert_eq!(Rate::from_ppm(1_000_001), None);
    }

    #[test]
    fn the_five_kinds_of_fee() {
        let rate = ppm(10_000);
        check(Fee::Flat(25), 1, Some(25));
        check(Fee::Plus(25, rate), 1_000, Some(35));
        check(Fee::Min(25, rate), 1_000, Some(10));
        check(Fee::Min(25, rate), 10_000, Some(25));
        check(Fee::Max(25, rate), 1_000, Some(25));
        check(Fee::Max(25, rate), 10_000, Some(100));
        check(Fee::Plus(i64::MAX, rate), 1_000, None);
    }
}
