//! Random steps, with places in lists instead of ids: what they mean depends on what exists by
//! then.

use std::sync::Arc;

use ledger::{AccountState, ErrorCode, Origin, StateReason};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::pair::KINDS;
use crate::programme::{self, ProgrammeStep};
use crate::rules::{self, RuleStep};

#[derive(Clone, Debug)]
pub enum Step {
    NewTenant(bool),
    NewOwner(Index),
    NewAccount(Index, Index, usize, bool, Option<bool>, Text),
    SetState(Index, AccountState, StateReason, Voice),
    Transfer(Index, Index, i64, bool, i64, Text),
    MoneyIn(Index, i64, bool, Origin, Text),
    MoneyOut(Index, i64, bool, Origin, Text),
    Return(Index, ErrorCode),
    /// Yes or no to a transfer that waits, in whose name, with what reason.
    Approve(Index, bool, bool, Text),
    Hold(Index, i64, Option<i64>),
    Release(Index),
    /// Forward by so many milliseconds, running or frozen; or to an odd place.
    Clock(Index, i64, bool),
    /// The next command speaks for a tenant that may not be the right one.
    Stranger(Index),
    Pass(i64),
    RunDue,
    /// The first piece of what is due, and no more.
    RunOne,
    /// Work that was due once, or never.
    StaleDue(Index),
    Programme(ProgrammeStep),
    Rule(RuleStep),
}

#[derive(Clone, Copy, Debug)]
pub enum Text {
    None,
    Good,
    Bad,
}

impl Text {
    pub fn note(self) -> Option<Arc<str>> {
        match self {
            Text::None => None,
            Text::Good => Some(Arc::from("x".repeat(255))),
            Text::Bad => Some(Arc::from("a\u{0}")),
        }
    }

    /// A text of up to so many characters, or one too long.
    pub fn of(self, most: usize) -> Option<Arc<str>> {
        match self {
            Text::None => None,
            Text::Good => Some(Arc::from("x".repeat(most))),
            Text::Bad => Some(Arc::from("x".repeat(most + 1))),
        }
    }
}

/// Who asks about an account.
#[derive(Clone, Copy, Debug)]
pub enum Voice {
    /// The operator, who sees every owner's.
    Operator,
    /// Its owner.
    Owner,
    /// Some owner, likely another.
    Other,
}

pub fn text() -> impl Strategy<Value = Text> {
    prop_oneof![8 => Just(Text::None), 1 => Just(Text::Good), 1 => Just(Text::Bad)]
}

pub fn voice() -> impl Strategy<Value = Voice> {
    prop_oneof![
        4 => Just(Voice::Operator),
        8 => Just(Voice::Owner),
        1 => Just(Voice::Other),
    ]
}

pub fn minor() -> impl Strategy<Value = i64> {
    prop_oneof![
        10 => 1..300_i64,
        1 => i64::MAX - 300..=i64::MAX,
        1 => (i64::MAX / 2 - 300)..(i64::MAX / 2 + 300),
    ]
}

fn delay() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..5_000_i64, 1 => Just(0), 1 => Just(-7), 1 => Just(i64::MAX)]
}

/// Dollars four times out of five.
pub fn euros() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.2)
}

fn ledger_step() -> impl Strategy<Value = Step> {
    let at = any::<Index>;
    let code = prop::sample::select(ErrorCode::ALL.to_vec());
    let state = prop_oneof![
        3 => Just(AccountState::Active),
        2 => Just(AccountState::Blocked),
        1 => Just(AccountState::Destroyed),
    ];
    let reason = prop::sample::select(vec![
        StateReason::User,
        StateReason::User,
        StateReason::System,
        StateReason::Lost,
        StateReason::Stolen,
    ]);
    let inward = prop::sample::select(vec![
        Origin::Deposit,
        Origin::Cashback,
        Origin::CardRefund,
        Origin::Deposit,
    ]);
    let outward = prop::sample::select(vec![Origin::ExternalPull, Origin::CardPurchase]);
    let role = prop::option::weighted(0.2, any::<bool>());
    let forward = prop_oneof![
        30 => 0..9_000_i64,
        4 => -5_000..0_i64,
        1 => Just(i64::MAX),
    ];
    prop_oneof![
        1 => any::<bool>().prop_map(Step::NewTenant),
        1 => at().prop_map(Step::NewOwner),
        3 => (at(), at(), 0..KINDS.len(), euros(), role, text())
            .prop_map(|(t, o, k, e, r, n)| Step::NewAccount(t, o, k, e, r, n)),
        9 => (at(), state, reason, voice())
            .prop_map(|(account, state, r, v)| Step::SetState(account, state, r, v)),
        16 => (at(), at(), minor(), euros(), delay(), text())
            .prop_map(|(s, d, m, e, delay, n)| Step::Transfer(s, d, m, e, delay, n)),
        8 => (at(), minor(), euros(), inward, text())
            .prop_map(|(d, m, e, o, n)| Step::MoneyIn(d, m, e, o, n)),
        4 => (at(), minor(), euros(), outward, text())
            .prop_map(|(s, m, e, o, n)| Step::MoneyOut(s, m, e, o, n)),
        6 => (at(), code).prop_map(|(transfer, code)| Step::Return(transfer, code)),
        3 => (at(), any::<bool>(), prop::bool::weighted(0.3), text())
            .prop_map(|(transfer, yes, named, reason)| Step::Approve(transfer, yes, named, reason)),
        4 => (at(), minor(), prop::option::of(-100..9_000_i64))
            .prop_map(|(account, m, end)| Step::Hold(account, m, end)),
        2 => at().prop_map(Step::Release),
        5 => (at(), forward, any::<bool>()).prop_map(|(t, by, run)| Step::Clock(t, by, run)),
        2 => at().prop_map(Step::Stranger),
        4 => (0..6_000_i64).prop_map(Step::Pass),
        6 => Just(Step::RunDue),
        4 => Just(Step::RunOne),
        2 => at().prop_map(Step::StaleDue),
    ]
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => ledger_step(),
        3 => programme::step().prop_map(Step::Programme),
        2 => rules::step().prop_map(Step::Rule),
    ]
}
