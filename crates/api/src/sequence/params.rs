//! Enums of the dialect, as text.

use ledger::rule::TriggerKind;
use ledger::{Denial, Direction, ErrorCode, ExecutionStatus, Origin, Status};
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

const ORIGINS: [Origin; 10] = [
    Origin::Paycheck,
    Origin::CheckDeposit,
    Origin::Cashback,
    Origin::UserPull,
    Origin::Rule,
    Origin::User,
    Origin::ExternalPull,
    Origin::Deposit,
    Origin::CardPurchase,
    Origin::CardRefund,
];

pub(super) fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Paycheck => "paycheck",
        Origin::CheckDeposit | Origin::Deposit => "check_deposit",
        Origin::Cashback | Origin::CardRefund => "cashback",
        Origin::UserPull => "user_pull",
        Origin::Rule => "rule",
        Origin::User => "user",
        Origin::ExternalPull | Origin::CardPurchase => "external_pull",
    }
}

/// The core's origins that are shown as this one.
pub(super) fn origins(text: &str) -> Option<Vec<Origin>> {
    let shown: Vec<Origin> = ORIGINS
        .into_iter()
        .filter(|origin| origin_text(*origin) == text)
        .collect();
    (!shown.is_empty()).then_some(shown)
}

/// Why a transfer ended badly. What refused a scheduled transfer of Multi has no code here: the
/// nearest of the documented ones stands for it.
pub(super) fn error_text(code: ErrorCode) -> &'static str {
    let code = match code {
        ErrorCode::Denied(Denial::FundsInsufficient) => ErrorCode::InsufficientFunds,
        ErrorCode::Denied(Denial::SourceDestroyed | Denial::DestinationDestroyed) => {
            ErrorCode::ResourceDeleted
        }
        ErrorCode::Denied(_) => ErrorCode::PaymentNotSupported,
        other => other,
    };
    code.name()
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

pub(super) fn execution_status(text: &str) -> Option<ExecutionStatus> {
    Some(match text {
        "in_progress" => ExecutionStatus::InProgress,
        "executed" => ExecutionStatus::Executed,
        "partial" => ExecutionStatus::Partial,
        "failed" => ExecutionStatus::Failed,
        _ => return None,
    })
}

pub(super) fn trigger_kind(text: &str) -> Option<TriggerKind> {
    Some(match text {
        "manual" => TriggerKind::Manual,
        "scheduled" => TriggerKind::Scheduled,
        "on_funds_transferred" => TriggerKind::OnFundsTransferred,
        _ => return None,
    })
}
