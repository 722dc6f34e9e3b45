//! Steps of a programme: profiles, instruments, transfers under a profile, and bulks.

mod ask;
mod begin;

use ledger::profile::{
    CardMode, DepositFee, Fee, FeePolicy, Pair as Classes, Rate, Terms, TransferFee, TransferTerms,
};
use ledger::{Amount, BulkMode, Currency, Steer};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::steps::{Text, Voice, euros, minor, text, voice};
pub use ask::apply;
pub use begin::begin;

#[derive(Clone, Debug)]
pub enum ProgrammeStep {
    NewProfile(Index, Vec<Currency>, Terms, Text),
    ChangeProfile(Index, ProfileChange),
    Open(Box<Opening>),
    /// Which, by whom, to what name, tag and details, and whether the details are up to date.
    Rename(Index, Voice, Text, Text, (Text, Text)),
    Transfer(Order, Voice),
    Cancel(Index, Voice, Text),
    Submit(Vec<Order>, Voice),
    Steer(Index, Voice, Steer),
}

#[derive(Clone, Debug)]
pub enum ProfileChange {
    Switch(bool),
    Currencies(Vec<Currency>),
    Terms(Terms),
    Name(Text),
}

/// An instrument to open: an odd one out of ten parents is a stranger's.
#[derive(Clone, Debug)]
pub struct Opening {
    profile: Index,
    owner: Index,
    parent: Index,
    euros: bool,
    /// What of the usual is said the other way round, if anything.
    odd: Option<Odd>,
    tag: Text,
    details: Text,
}

#[derive(Clone, Copy, Debug)]
enum Odd {
    Class,
    Parent,
    Currency,
    Tenant,
    /// A parent where none belongs, and none where one does.
    Linked,
}

/// An order, mostly one that could be done.
#[derive(Clone, Debug)]
pub struct Order {
    profile: Index,
    source: Index,
    destination: Index,
    minor: i64,
    /// All that is available but so much, instead.
    all_but: Option<i64>,
    /// Of any account and any profile, not of those that fit together.
    far: bool,
    /// Between accounts that fit together, in one currency and with balances.
    fits: bool,
    same: bool,
    wrong_class: bool,
    currency: Money,
    /// Milliseconds from now, if not at once.
    schedule: Option<i64>,
    tag: Text,
    description: Text,
}

#[derive(Clone, Copy, Debug)]
enum Money {
    OfSource,
    OfDestination,
    None,
    Pounds,
}

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![4 => Just(Currency::USD), 2 => Just(Currency::EUR), 1 => Just(Currency::GBP)]
}

fn fee() -> impl Strategy<Value = Fee> {
    let flat = prop_oneof![8 => 0..20_i64, 1 => Just(-1), 1 => Just(i64::MAX)];
    let ppm = prop_oneof![
        select(vec![0_u32, 1, 15_000, 333_333, 500_000, 1_000_000]),
        0..=1_000_000_u32
    ];
    let rate = ppm.prop_map(|ppm: u32| Rate::from_ppm(ppm).expect("at most the whole"));
    (0..5_u8, flat, rate).prop_map(|(kind, flat, rate)| match kind {
        0 => Fee::Flat(flat),
        1 => Fee::Percentage(rate),
        2 => Fee::Plus(flat, rate),
        3 => Fee::Min(flat, rate),
        _ => Fee::Max(flat, rate),
    })
}

fn limits(least: i64) -> impl Strategy<Value = Vec<Amount>> {
    let limit = (currency(), least..600).prop_map(|(currency, minor)| usual(minor, currency));
    prop::collection::vec(limit, 0..3)
}

fn terms() -> impl Strategy<Value = Terms> {
    let deposits = prop::collection::vec((currency(), fee()), 0..3);
    let accounts = (limits(100), deposits).prop_map(|(max_balances, lines)| {
        let line = |(currency, fee)| DepositFee { currency, fee };
        Terms::ManagedAccount {
            max_balances,
            deposit_fees: lines.into_iter().map(line).collect(),
        }
    });
    let cards = (any::<bool>(), limits(100)).prop_map(|(debit, max_balances)| Terms::ManagedCard {
        mode: if debit {
            CardMode::Debit
        } else {
            CardMode::Prepaid
        },
        max_balances,
    });
    let pair = || select(Classes::ALL.to_vec());
    let fees = prop::collection::vec((pair(), currency(), fee()), 0..6).prop_map(|lines| {
        let line = |(pair, currency, fee)| TransferFee {
            pair,
            currency,
            fee,
        };
        lines.into_iter().map(line).collect::<Vec<_>>()
    });
    let pairs = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(pair(), 1..3)];
    let rest = (limits(50), limits(50), any::<bool>(), any::<bool>());
    let transfers = (pairs, fees, rest).prop_map(|(pairs, fees, rest)| {
        let (max_amounts, deny_above, required, forex) = rest;
        Terms::Transfer(TransferTerms {
            pairs,
            fees,
            fee_policy: if required {
                FeePolicy::Required
            } else {
                FeePolicy::BestEffort
            },
            max_amounts,
            deny_above,
            forex,
        })
    });
    prop_oneof![
        1 => Just(Terms::Corporate),
        1 => Just(Terms::Consumer),
        3 => accounts,
        3 => cards,
        6 => transfers,
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let at = any::<Index>;
    let amount = prop_oneof![20 => 1..150_i64, 4 => minor(), 1 => -2..=0_i64];
    let money = prop_oneof![
        20 => Just(Money::OfSource),
        6 => Just(Money::OfDestination),
        1 => Just(Money::None),
        1 => Just(Money::Pounds),
    ];
    let schedule = prop_oneof![
        12 => Just(None),
        6 => (1..4_000_i64).prop_map(Some),
        1 => (-3_000..=0_i64).prop_map(Some),
        1 => Just(Some(i64::MAX)),
    ];
    let flag = prop::bool::weighted;
    let flags = (flag(0.08), flag(0.7), flag(0.03), flag(0.03));
    let amount = (amount, prop::option::weighted(0.15, 0..8_i64));
    let texts = (rare_text(), rare_text());
    (at(), at(), at(), amount, flags, money, schedule, texts).prop_map(
        |(profile, source, destination, minor, flags, currency, schedule, texts)| Order {
            profile,
            source,
            destination,
            minor: minor.0,
            all_but: minor.1,
            far: flags.0,
            fits: flags.1,
            same: flags.2,
            wrong_class: flags.3,
            currency,
            schedule,
            tag: texts.0,
            description: texts.1,
        },
    )
}

/// Mostly none, so that not every order fails for its texts.
fn rare_text() -> impl Strategy<Value = Text> {
    prop_oneof![40 => Just(Text::None), 6 => Just(Text::Good), 1 => Just(Text::Bad)]
}

pub fn step() -> impl Strategy<Value = ProgrammeStep> {
    let at = any::<Index>;
    let currencies = || {
        prop_oneof![
            3 => Just(Vec::new()),
            2 => prop::collection::vec(currency(), 1..4),
        ]
    };
    let change = prop_oneof![
        4 => prop::bool::weighted(0.7).prop_map(ProfileChange::Switch),
        1 => currencies().prop_map(ProfileChange::Currencies),
        3 => terms().prop_map(ProfileChange::Terms),
        1 => text().prop_map(ProfileChange::Name),
    ];
    let odd = prop::option::weighted(
        0.25,
        select(vec![
            Odd::Class,
            Odd::Parent,
            Odd::Currency,
            Odd::Tenant,
            Odd::Linked,
        ]),
    );
    let opening = (at(), at(), at(), euros(), odd, text(), text()).prop_map(
        |(profile, owner, parent, euros, odd, tag, details)| {
            ProgrammeStep::Open(Box::new(Opening {
                profile,
                owner,
                parent,
                euros,
                odd,
                tag,
                details,
            }))
        },
    );
    let orders = prop::collection::vec(order(), 0..6);
    let steer = prop_oneof![
        4 => Just(Steer::Execute(BulkMode::ContinueOnFailure)),
        3 => Just(Steer::Execute(BulkMode::StopOnFailure)),
        2 => Just(Steer::Pause),
        2 => Just(Steer::Resume),
        1 => Just(Steer::Cancel),
    ];
    prop_oneof![
        2 => (at(), currencies(), terms(), text())
            .prop_map(|(t, c, terms, n)| ProgrammeStep::NewProfile(t, c, terms, n)),
        2 => (at(), change).prop_map(|(profile, c)| ProgrammeStep::ChangeProfile(profile, c)),
        4 => opening,
        2 => (at(), voice(), text(), text(), (text(), text()))
            .prop_map(|(a, v, n, t, d)| ProgrammeStep::Rename(a, v, n, t, d)),
        24 => (order(), voice()).prop_map(|(order, v)| ProgrammeStep::Transfer(order, v)),
        4 => (at(), voice(), text()).prop_map(|(t, v, r)| ProgrammeStep::Cancel(t, v, r)),
        4 => (orders, voice()).prop_map(|(orders, v)| ProgrammeStep::Submit(orders, v)),
        8 => (at(), voice(), steer).prop_map(|(b, v, s)| ProgrammeStep::Steer(b, v, s)),
    ]
}

fn usual(minor: i64, currency: Currency) -> Amount {
    Amount::new(minor, currency).expect("greater than zero")
}
