//! The transfer and its state machine: one table says which changes exist.

use std::sync::Arc;

use crate::account::Rail;
use crate::id::{AccountId, ExecutionId, KeyId, OwnerId, RuleId, TenantId, TransferId};
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
}

impl ErrorCode {
    /// Every code.
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
            ErrorCode::InsufficientFunds => Event::LackFunds,
            _ => Event::Fail,
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
