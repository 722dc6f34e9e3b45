//! A business "no": closed, with data, a stable code and the field at fault.

use std::sync::Arc;

use crate::account::AccountState;
use crate::bulk::BulkStatus;
use crate::id::{AccountId, RuleId};
use crate::rule::lint::LintCode;
use crate::rule::validate::Fault;
use crate::transfer::{Denial, Status};

/// Why a command was refused. Nothing has changed when it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejection {
    /// A field of the command is out of its bounds.
    #[error("{field} {reason}")]
    Invalid {
        /// The field, as the command names it.
        field: &'static str,
        /// What is wrong with it, to be read after the field's name.
        reason: &'static str,
    },
    /// No such tenant.
    #[error("the tenant does not exist")]
    TenantNotFound,
    /// No such owner in this tenant.
    #[error("the owner does not exist")]
    OwnerNotFound,
    /// No such account in this tenant.
    #[error("the account does not exist")]
    AccountNotFound,
    /// No such open transfer in this tenant.
    #[error("the transfer does not exist or has ended")]
    TransferNotFound,
    /// No such hold in this tenant.
    #[error("the hold does not exist")]
    HoldNotFound,
    /// The source is not an account of this tenant.
    #[error("the source account does not exist")]
    SourceNotFound,
    /// The destination is not an account of this tenant.
    #[error("the destination account does not exist")]
    DestinationNotFound,
    /// Source and destination are one account.
    #[error("source and destination must be different accounts")]
    SameAccount,
    /// The source is blocked or closed.
    #[error("the source account is {}", state_word(*state))]
    SourceNotActive {
        /// What it is instead of active.
        state: AccountState,
    },
    /// The destination is blocked or closed.
    #[error("the destination account is {}", state_word(*state))]
    DestinationNotActive {
        /// What it is instead of active.
        state: AccountState,
    },
    /// Money cannot be taken from the source by a transfer.
    #[error("the source account cannot be the source of a transfer")]
    SourceNotAllowed,
    /// Money cannot be put into the destination by a transfer.
    #[error("the destination account cannot be the destination of a transfer")]
    DestinationNotAllowed,
    /// Source and destination belong to different owners.
    #[error("money moves only between accounts of the same owner")]
    OwnersDiffer,
    /// The amount's currency is not that of an account.
    #[error("the amount and both accounts must have the same currency")]
    CurrencyMismatch,
    /// Too little money on an account.
    #[error("account {account} has {available} available, {requested} requested")]
    InsufficientFunds {
        /// The account.
        account: AccountId,
        /// What it has available, in minor units.
        available: i64,
        /// What was asked for, in minor units.
        requested: i64,
    },
    /// A balance would leave the 64-bit range.
    #[error("the balance would be too large to record")]
    BalanceOverflow,
    /// The transfer is not where it would have to be.
    #[error("the transfer is {}, not pending", status_word(*status))]
    NotPending {
        /// Where it stands.
        status: Status,
    },
    /// The transfer is not waiting for approval.
    #[error("the transfer is {}, not waiting for approval", status_word(*status))]
    NotAwaitingApproval {
        /// Where it stands.
        status: Status,
    },
    /// Simulated money and clocks are for sandbox tenants.
    #[error("only a sandbox tenant can do this")]
    SandboxOnly,
    /// A tenant's clock only moves forward.
    #[error("the clock can only move forward")]
    ClockBackwards,
    /// A clock cannot be moved to the next event when there is none.
    #[error("no work is waiting for a time")]
    NothingDue,
    /// The account is in this state already, or has been closed for good.
    #[error("the account is already {}", state_word(*state))]
    AlreadyInState {
        /// The state it is in.
        state: AccountState,
    },
    /// Money is left on the account.
    #[error("the account's balance must be zero, it is {balance}")]
    BalanceNotZero {
        /// The balance in minor units.
        balance: i64,
    },
    /// Transfers or holds of the account are still open.
    #[error("the account has open transfers or holds")]
    AccountInUse,
    /// Debit cards still spend from the account.
    #[error("cards are linked to the account")]
    LinkedCards,
    /// A rule moves money from or to the account, or looks at it.
    #[error("a rule names the account")]
    NamedByRule {
        /// One of those that do.
        rule: RuleId,
    },
    /// The user cannot lift a block of the operator or of a lost card.
    #[error("the account was not blocked by its user")]
    BlockedByOther,
    /// The account's details are not those any more that the new ones were made of.
    #[error("the account was changed in the meantime")]
    DetailsChanged,
    /// No such profile of this kind in this tenant.
    #[error("the profile does not exist")]
    ProfileNotFound,
    /// The profile is switched off.
    #[error("the profile is switched off")]
    ProfileInactive,
    /// The profile does not allow the currency.
    #[error("the profile does not allow this currency")]
    CurrencyNotInProfile,
    /// The account that a debit card shall spend from is not there.
    #[error("the parent account does not exist")]
    ParentNotFound,
    /// The account that a debit card shall spend from is blocked or closed.
    #[error("the parent account is not active")]
    ParentNotActive,
    /// A transfer under a profile was refused.
    #[error("{}", .0.reason())]
    Denied(Denial),
    /// The transfer is not waiting for its time.
    #[error("the transfer is {}, not scheduled", status_word(*status))]
    NotScheduled {
        /// Where it stands.
        status: Status,
    },
    /// The transfer is another identity's.
    #[error("the transfer belongs to another identity")]
    TransferOfOther,
    /// No such bulk that has not ended.
    #[error("the bulk does not exist or has ended")]
    BulkNotFound,
    /// The bulk is not where it would have to be.
    #[error("the bulk is {}", bulk_word(*status))]
    BulkState {
        /// Where it stands.
        status: BulkStatus,
    },
    /// No such rule in this tenant.
    #[error("the rule does not exist")]
    RuleNotFound,
    /// The owner has as many rules as one may have.
    #[error("the owner has as many rules as it may have")]
    TooManyRules,
    /// The rule cannot be kept as it is.
    #[error("{}", fault_words(.0))]
    RuleFaulty(Vec<Fault>),
    /// The rule would not work and cannot be switched on.
    #[error("{path}: {text}")]
    RuleUnsound {
        /// What was found.
        code: LintCode,
        /// Where in the rule.
        path: String,
        /// A sentence for whoever wrote it.
        text: Arc<str>,
    },
    /// The rule is switched off.
    #[error("the rule is switched off")]
    RuleDisabled,
    /// The rule was triggered by hand before and has not run yet.
    #[error("the rule is being run")]
    RuleInProgress,
    /// No such run that waits for amounts.
    #[error("the run does not exist or does not wait for an amount")]
    ExecutionNotFound,
}

/// The first fault, and how many there are besides.
fn fault_words(faults: &[Fault]) -> String {
    let first = faults
        .first()
        .map(|fault| format!("{} {}", fault.path, fault.reason));
    let more = faults.len().saturating_sub(1);
    match (first, more) {
        (None, _) => "the rule is faulty".to_owned(),
        (Some(first), 0) => first,
        (Some(first), more) => format!("{first}, and {more} more faults"),
    }
}

fn state_word(state: AccountState) -> &'static str {
    match state {
        AccountState::Active => "active",
        AccountState::Blocked => "blocked",
        AccountState::Destroyed => "closed",
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Scheduled => "scheduled",
        Status::PendingApproval => "waiting for approval",
        Status::Processing => "processing",
        Status::Pending => "pending",
        Status::Complete => "complete",
        Status::Incomplete => "incomplete",
        Status::Error => "in error",
        Status::Rejected => "rejected",
        Status::Cancelled => "cancelled",
    }
}

fn bulk_word(status: BulkStatus) -> &'static str {
    match status {
        BulkStatus::Submitted => "submitted",
        BulkStatus::Running => "running",
        BulkStatus::Paused => "paused",
        BulkStatus::Completed => "completed",
        BulkStatus::PartiallyCompleted => "partially completed",
        BulkStatus::Failed => "failed",
        BulkStatus::Cancelled => "cancelled",
    }
}

impl Rejection {
    /// The stable code: what programs compare and documents list.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::Invalid { .. } => "invalid_parameters",
            Rejection::TenantNotFound => "tenant_not_found",
            Rejection::OwnerNotFound => "owner_not_found",
            Rejection::AccountNotFound => "account_not_found",
            Rejection::TransferNotFound => "transfer_not_found",
            Rejection::HoldNotFound => "hold_not_found",
            Rejection::SourceNotFound => "transfer_source_not_found",
            Rejection::DestinationNotFound => "transfer_destination_not_found",
            Rejection::SameAccount => "same_account",
            Rejection::SourceNotActive { .. } => "source_not_active",
            Rejection::DestinationNotActive { .. } => "destination_not_active",
            Rejection::SourceNotAllowed => "source_not_allowed",
            Rejection::DestinationNotAllowed => "destination_not_allowed",
            Rejection::OwnersDiffer => "owners_differ",
            Rejection::CurrencyMismatch => "currency_mismatch",
            Rejection::InsufficientFunds { .. } => "insufficient_funds",
            Rejection::BalanceOverflow => "balance_overflow",
            Rejection::NotPending { .. } => "transfer_not_pending",
            Rejection::NotAwaitingApproval { .. } => "transfer_not_pending_approval",
            Rejection::SandboxOnly => "sandbox_only",
            Rejection::ClockBackwards => "clock_backwards",
            Rejection::NothingDue => "nothing_due",
            Rejection::AlreadyInState { .. } => "already_in_state",
            Rejection::BalanceNotZero { .. } => "balance_not_zero",
            Rejection::AccountInUse => "account_in_use",
            Rejection::LinkedCards => "linked_cards",
            Rejection::NamedByRule { .. } => "named_by_rule",
            Rejection::BlockedByOther => "blocked_by_other",
            Rejection::DetailsChanged => "details_changed",
            Rejection::ProfileNotFound => "profile_not_found",
            Rejection::ProfileInactive => "profile_inactive",
            Rejection::CurrencyNotInProfile => "currency_not_in_profile",
            Rejection::ParentNotFound => "parent_not_found",
            Rejection::ParentNotActive => "parent_not_active",
            Rejection::Denied(denial) => denial.name(),
            Rejection::NotScheduled { .. } => "transfer_not_scheduled",
            Rejection::TransferOfOther => "transfer_of_other",
            Rejection::BulkNotFound => "bulk_not_found",
            Rejection::BulkState { .. } => "bulk_state",
            Rejection::RuleNotFound => "rule_not_found",
            Rejection::TooManyRules => "too_many_rules",
            Rejection::RuleFaulty(_) => "rule_faulty",
            Rejection::RuleUnsound { .. } => "rule_unsound",
            Rejection::RuleDisabled => "rule_deactivated",
            Rejection::RuleInProgress => "rule_execution_in_progress",
            Rejection::ExecutionNotFound => "rule_execution_not_found",
        }
    }
}
