//! The transfer and its state machine: one table says which changes exist.

use std::sync::Arc;

use crate::account::Rail;
use crate::id::{AccountId, ExecutionId, KeyId, OwnerId, ProfileId, RuleId, TenantId, TransferId};
use crate::money::Amount;
use crate::time::Millis;

/// Where a transfer stands. Every dialect maps from this list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Status {
    /// To be executed at a later time.
    Scheduled,
    /// Waiting for a person's approval.
    PendingApproval,
    /// Recorded; the money has not moved.
    Processing,
    /// Handed to a rail; not settled.
    Pending,
    /// Settled.
    Complete,
    /// Ended for want of money.
    Incomplete,
    /// Ended by a failure.
    Error,
    /// Refused after it was pending.
    Rejected,
    /// Called off before it settled.
    Cancelled,
}

impl Status {
    /// Every status, in the order of the list above.
    pub const ALL: [Status; 9] = [
        Status::Scheduled,
        Status::PendingApproval,
        Status::Processing,
        Status::Pending,
        Status::Complete,
        Status::Incomplete,
        Status::Error,
        Status::Rejected,
        Status::Cancelled,
    ];

    /// Whether nothing can happen to the transfer any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        !TRANSITIONS.iter().any(|(from, _, _)| *from == self)
    }

    /// The status after `event`, or `None` when the event cannot happen now.
    #[must_use]
    pub fn after(self, event: Event) -> Option<Status> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == event)
            .map(|(_, _, to)| *to)
    }
}

/// Milliseconds that a transfer waits for approval before it is called off: 24 hours
/// (sequence-api §4.2 and §15, 20).
pub const APPROVAL_MS: i64 = 24 * 3_600_000;

/// What can happen to a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// A person approved it.
    Approve,
    /// A person called it off, or approval did not come in time.
    Cancel,
    /// It was handed to a rail.
    Submit,
    /// The money arrived.
    Settle,
    /// The source had too little money.
    LackFunds,
    /// Something else went wrong, a return over the rail among them.
    Fail,
    /// It was refused while pending.
    Reject,
}

/// Every change of status there is: from, event, to.
pub const TRANSITIONS: &[(Status, Event, Status)] = &[
    (Status::Scheduled, Event::Settle, Status::Complete),
    (Status::Scheduled, Event::Submit, Status::Pending),
    (Status::Scheduled, Event::LackFunds, Status::Error),
    (Status::Scheduled, Event::Fail, Status::Error),
    (Status::Scheduled, Event::Cancel, Status::Cancelled),
    (Status::PendingApproval, Event::Approve, Status::Processing),
    (Status::PendingApproval, Event::Cancel, Status::Cancelled),
    (Status::Processing, Event::Settle, Status::Complete),
    (Status::Processing, Event::Submit, Status::Pending),
    (Status::Processing, Event::LackFunds, Status::Incomplete),
    (Status::Processing, Event::Fail, Status::Error),
    (Status::Processing, Event::Cancel, Status::Cancelled),
    (Status::Pending, Event::Settle, Status::Complete),
    (Status::Pending, Event::LackFunds, Status::Incomplete),
    (Status::Pending, Event::Fail, Status::Error),
    (Status::Pending, Event::Reject, Status::Rejected),
];

/// Which way the money goes, seen from the accounts the ledger holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From outside to a held account.
    MoneyIn,
    /// From a held account to the outside (or between two outside accounts).
    MoneyOut,
    /// Between two held accounts.
    Internal,
}

/// What caused a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// Pay that arrived.
    Paycheck,
    /// A check that was paid in.
    CheckDeposit,
    /// A reward.
    Cashback,
    /// The user drew money from a linked external account.
    UserPull,
    /// A rule.
    Rule,
    /// The user, by hand or by API key.
    User,
    /// Somebody outside drew money: a cash machine, a direct debit, a cleared check.
    ExternalPull,
    /// Money that was sent to an instrument from outside.
    Deposit,
    /// Something bought with a card.
    CardPurchase,
    /// A merchant gave back what a card had paid.
    CardRefund,
}

impl Origin {
    /// Whether a card made it.
    #[must_use]
    pub fn is_of_card(self) -> bool {
        matches!(self, Origin::CardPurchase | Origin::CardRefund)
    }
}

/// Why a transfer ended as incomplete or in error.
///
/// Source: the open list of sequence-api §4.2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorCode {
    /// The source had too little money.
    InsufficientFunds,
    /// The link to the external account is broken.
    DisconnectedAccount,
    /// The receiving bank found another name.
    NameMismatch,
    /// The rail could not pay.
    PaymentFailed,
    /// The account does not take this kind of payment.
    PaymentNotSupported,
    /// An account was closed before the transfer settled.
    ResourceDeleted,
    /// A rule was to move less than may be moved at once.
    LessThanOneDollar,
    /// A check of its profile or instruments refused it when its time came.
    Denied(Denial),
}

impl ErrorCode {
    /// Every code that a rail can give back.
    pub const ALL: [ErrorCode; 6] = [
        ErrorCode::InsufficientFunds,
        ErrorCode::DisconnectedAccount,
        ErrorCode::NameMismatch,
        ErrorCode::PaymentFailed,
        ErrorCode::PaymentNotSupported,
        ErrorCode::ResourceDeleted,
    ];

    /// The code as it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ErrorCode::InsufficientFunds => "INSUFFICIENT_FUNDS",
            ErrorCode::DisconnectedAccount => "DISCONNECTED_ACCOUNT",
            ErrorCode::NameMismatch => "NAME_MISMATCH",
            ErrorCode::PaymentFailed => "PAYMENT_FAILED",
            ErrorCode::PaymentNotSupported => "PAYMENT_NOT_SUPPORTED",
            ErrorCode::ResourceDeleted => "RESOURCE_DELETED",
            ErrorCode::LessThanOneDollar => "TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
            ErrorCode::Denied(denial) => denial.name(),
        }
    }

    /// The code with this name.
    #[must_use]
    pub fn parse(code: &str) -> Option<ErrorCode> {
        ErrorCode::ALL
            .into_iter()
            .find(|known| known.name() == code)
    }

    /// What happened to the transfer, as its state machine sees it.
    #[must_use]
    pub fn event(self) -> Event {
        match self {
            ErrorCode::InsufficientFunds | ErrorCode::Denied(Denial::FundsInsufficient) => {
                Event::LackFunds
            }
            _ => Event::Fail,
        }
    }
}

/// Why a transfer under a profile is refused.
///
/// Source: the 21 conflict codes of seed 003, in its order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[allow(
    missing_docs,
    reason = "each says what its name says; `Denial::reason` has the sentence"
)]
pub enum Denial {
    ProfileInactive,
    ModelConstraintsViolated,
    InterceptorDenied,
    InstrumentDenied,
    SourceDestroyed,
    DestinationDestroyed,
    ForexTradeDenied,
    CurrencyMismatch,
    SourceBlocked,
    DestinationBlocked,
    FundsInsufficient,
    AmountInvalid,
    SourceNotFound,
    DestinationNotFound,
    FeeNotConfiguredForCurrency,
    DestinationLimitExceeded,
    SourceIsDebitCard,
    DestinationIsDebitCard,
    PairUnsupported,
    SameInstrument,
    ScheduledTimeInvalid,
}

impl Denial {
    /// Every reason, in the order of the seed.
    pub const ALL: [Denial; 21] = [
        Denial::ProfileInactive,
        Denial::ModelConstraintsViolated,
        Denial::InterceptorDenied,
        Denial::InstrumentDenied,
        Denial::SourceDestroyed,
        Denial::DestinationDestroyed,
        Denial::ForexTradeDenied,
        Denial::CurrencyMismatch,
        Denial::SourceBlocked,
        Denial::DestinationBlocked,
        Denial::FundsInsufficient,
        Denial::AmountInvalid,
        Denial::SourceNotFound,
        Denial::DestinationNotFound,
        Denial::FeeNotConfiguredForCurrency,
        Denial::DestinationLimitExceeded,
        Denial::SourceIsDebitCard,
        Denial::DestinationIsDebitCard,
        Denial::PairUnsupported,
        Denial::SameInstrument,
        Denial::ScheduledTimeInvalid,
    ];

    /// The code as seed 003 spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Denial::ProfileInactive => "PROFILE_INACTIVE",
            Denial::ModelConstraintsViolated => "MODEL_CONSTRAINTS_VIOLATED",
            Denial::InterceptorDenied => "INTERCEPTOR_DENIED_TRANSACTION",
            Denial::InstrumentDenied => "INSTRUMENT_DENIED_TRANSACTION",
            Denial::SourceDestroyed => "SOURCE_INSTRUMENT_DESTROYED",
            Denial::DestinationDestroyed => "DESTINATION_INSTRUMENT_DESTROYED",
            Denial::ForexTradeDenied => "FOREX_TRADE_DENIED_TRANSACTION",
            Denial::CurrencyMismatch => "CURRENCY_MISMATCH",
            Denial::SourceBlocked => "SOURCE_INSTRUMENT_BLOCKED",
            Denial::DestinationBlocked => "DESTINATION_INSTRUMENT_BLOCKED",
            Denial::FundsInsufficient => "FUNDS_INSUFFICIENT",
            Denial::AmountInvalid => "AMOUNT_INVALID",
            Denial::SourceNotFound => "SOURCE_NOT_FOUND",
            Denial::DestinationNotFound => "DESTINATION_NOT_FOUND",
            Denial::FeeNotConfiguredForCurrency => "FEE_NOT_CONFIGURED_FOR_CURRENCY",
            Denial::DestinationLimitExceeded => "DESTINATION_LIMIT_EXCEEDED",
            Denial::SourceIsDebitCard => "SOURCE_CANNOT_BE_DEBIT_MODE_CARD",
            Denial::DestinationIsDebitCard => "DESTINATION_CANNOT_BE_DEBIT_MODE_CARD",
            Denial::PairUnsupported => "TRANSFER_BETWEEN_INSTRUMENTS_UNSUPPORTED",
            Denial::SameInstrument => "SOURCE_AND_DESTINATION_MUST_BE_DIFFERENT",
            Denial::ScheduledTimeInvalid => "SCHEDULED_TIMESTAMP_INVALID",
        }
    }

    /// The reason with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Denial> {
        Denial::ALL.into_iter().find(|known| known.name() == code)
    }

    /// The reason as a sentence without its end.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Denial::ProfileInactive => "the profile is switched off",
            Denial::ModelConstraintsViolated => {
                "the profile does not allow this currency or an amount this large"
            }
            Denial::InterceptorDenied => "the amount is above what is let through unreviewed",
            Denial::InstrumentDenied => "an instrument does not take part in transfers",
            Denial::SourceDestroyed => "the source has been removed",
            Denial::DestinationDestroyed => "the destination has been removed",
            Denial::ForexTradeDenied => "the instruments differ in currency and nobody converts",
            Denial::CurrencyMismatch => "the amount and both instruments must have one currency",
            Denial::SourceBlocked => "the source is blocked",
            Denial::DestinationBlocked => "the destination is blocked",
            Denial::FundsInsufficient => "the source has too little available",
            Denial::AmountInvalid => "the amount must be greater than zero",
            Denial::SourceNotFound => "the source does not exist",
            Denial::DestinationNotFound => "the destination does not exist",
            Denial::FeeNotConfiguredForCurrency => {
                "the profile has a fee for these instruments, but none in this currency"
            }
            Denial::DestinationLimitExceeded => "the destination would hold more than it may",
            Denial::SourceIsDebitCard => "a debit card has no balance to take money from",
            Denial::DestinationIsDebitCard => "a debit card has no balance to put money into",
            Denial::PairUnsupported => "the profile does not allow these two kinds of instruments",
            Denial::SameInstrument => "source and destination must be different",
            Denial::ScheduledTimeInvalid => "the scheduled time must be in the future",
        }
    }
}

/// An instruction to move money, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The owner of its accounts.
    pub owner: OwnerId,
    /// Where the money comes from; `None` for senders outside that are not linked.
    pub source: Option<AccountId>,
    /// Where it goes; `None` when it was drawn by somebody outside.
    pub destination: Option<AccountId>,
    /// How much.
    pub amount: Amount,
    /// Which way.
    pub direction: Direction,
    /// What caused it.
    pub origin: Origin,
    /// The rail it takes, when one of its accounts is external.
    pub rail: Option<Rail>,
    /// Milliseconds the rail takes from submission to settlement.
    pub rail_delay_ms: i64,
    /// Where it stands.
    pub status: Status,
    /// Why it ended as incomplete or in error.
    pub error: Option<ErrorCode>,
    /// The rule that made it, and the run of that rule.
    pub rule: Option<(RuleId, ExecutionId)>,
    /// The API key that made it.
    pub key: Option<KeyId>,
    /// A note, up to 255 characters.
    pub description: Option<Arc<str>>,
    /// The profile it was made under, for transfers between instruments.
    pub profile: Option<ProfileId>,
    /// The user's own mark to search by, up to 50 characters.
    pub tag: Option<Arc<str>>,
    /// When it is or was to be executed, if not at once, by the tenant's clock.
    pub scheduled_at: Option<Millis>,
    /// The fee that was taken from the source besides the amount, in minor units.
    pub fee_minor: i64,
    /// Why it was called off, up to 50 characters.
    pub cancel_reason: Option<Arc<str>>,
    /// The card that paid, or was paid back: a debit card's money is on its parent, which is the
    /// end of the transfer. Only of [`Origin::CardPurchase`] and [`Origin::CardRefund`], and of
    /// none that was recorded before cards were.
    pub card: Option<AccountId>,
    /// When it was recorded, by the tenant's clock.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
    /// When it settled.
    pub completed_at: Option<Millis>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_status_and_event_has_one_outcome() {
        for (index, (from, by, _)) in TRANSITIONS.iter().enumerate() {
            let twins = TRANSITIONS
                .iter()
                .skip(index + 1)
                .filter(|(f, b, _)| f == from && b == by);
            assert_eq!(twins.count(), 0, "{from:?} has two outcomes for {by:?}");
        }
    }

    #[test]
    fn the_final_statuses_are_the_documented_ones() {
        let finals: Vec<Status> = Status::ALL.into_iter().filter(|s| s.is_final()).collect();
        assert_eq!(
            finals,
            [
                Status::Complete,
                Status::Incomplete,
                Status::Error,
                Status::Rejected,
                Status::Cancelled
            ]
        );
    }

    #[test]
    fn every_status_that_is_not_final_can_reach_a_final_one() {
        for status in Status::ALL.into_iter().filter(|s| !s.is_final()) {
            let mut reached = vec![status];
            for _ in 0..Status::ALL.len() {
                let next: Vec<Status> = TRANSITIONS
                    .iter()
                    .filter(|(from, _, to)| reached.contains(from) && !reached.contains(to))
                    .map(|(_, _, to)| *to)
                    .collect();
                reached.extend(next);
            }
            assert!(
                reached.iter().any(|s| s.is_final()),
                "{status:?} is a dead end"
            );
        }
    }

    #[test]
    fn error_codes_parse_back() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.name()), Some(code));
        }
        assert_eq!(ErrorCode::parse("insufficient_funds"), None);
    }
}
