//! Enums of the dialect, as text.

use ledger::{Direction, Origin, Status};
use store::{AccountClass, AccountRole};

pub(super) fn account_type(text: &str) -> Option<AccountClass> {
    Some(match text {
        "income_source" => AccountClass::IncomeSource,
        "pod" => AccountClass::Pod,
        "external_account" => AccountClass::External,
        _ => return None,
    })
}

pub(super) fn account_role(text: &str) -> Option<AccountRole> {
    Some(match text {
        "source" => AccountRole::Source,
        "destination" => AccountRole::Destination,
        "either" => AccountRole::Either,
        _ => return None,
    })
}

pub(super) fn direction_text(direction: Direction) -> &'static str {
    match direction {
        Direction::MoneyIn => "money_in",
        Direction::MoneyOut => "money_out",
        Direction::Internal => "internal",
    }
}

pub(super) fn direction(text: &str) -> Option<Direction> {
    [Direction::MoneyIn, Direction::MoneyOut, Direction::Internal]
        .into_iter()
        .find(|direction| direction_text(*direction) == text)
}

const ORIGINS: [Origin; 7] = [
    Origin::Paycheck,
    Origin::CheckDeposit,
    Origin::Cashback,
    Origin::UserPull,
    Origin::Rule,
    Origin::User,
    Origin::ExternalPull,
];

pub(super) fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Paycheck => "paycheck",
        Origin::CheckDeposit => "check_deposit",
        Origin::Cashback => "cashback",
        Origin::UserPull => "user_pull",
        Origin::Rule => "rule",
        Origin::User => "user",
        Origin::ExternalPull => "external_pull",
    }
}

pub(super) fn origin(text: &str) -> Option<Origin> {
    ORIGINS
        .into_iter()
        .find(|origin| origin_text(*origin) == text)
}

/// The seven statuses of the dialect. A scheduled transfer (Multi's) shows as processing, a
/// rejected one as error.
pub(super) fn status_text(status: Status) -> &'static str {
    match status {
        Status::PendingApproval => "pending_approval",
        Status::Processing | Status::Scheduled => "processing",
        Status::Pending => "pending",
        Status::Complete => "complete",
        Status::Incomplete => "incomplete",
        Status::Error | Status::Rejected => "error",
        Status::Cancelled => "cancelled",
    }
}

/// The core's statuses that are shown as this one.
pub(super) fn statuses(text: &str) -> Option<Vec<Status>> {
    let shown: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|status| status_text(*status) == text)
        .collect();
    (!shown.is_empty()).then_some(shown)
}
