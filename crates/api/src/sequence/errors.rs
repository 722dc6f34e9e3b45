//! Every refusal of the dialect: one `match` to status, code and message.

use axum::http::StatusCode;
use ledger::Rejection;

use super::ids;
use crate::http::BodyError;
use crate::json::{Fault, sentence};

/// Why a request was refused.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// No such path.
    UnknownPath,
    /// The path exists, not with this method.
    WrongMethod,
    /// No key, or none that is valid.
    Unauthorized,
    /// The body is not declared as JSON.
    NotJson,
    /// The body is too large or broke off.
    Body(BodyError),
    /// Something in the request is wrong.
    Invalid(Vec<Fault>),
    /// What the use case said.
    Service(service::Error),
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Failure {
        Failure::Service(error)
    }
}

/// Status, code and message of a refusal; seconds to wait, for 429 and 503.
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
            retry_after_s: None,
        }
    }
}

/// The table. The texts of 401 and 403 are the seeds'.
pub(super) fn refusal(failure: &Failure) -> Refusal {
    use StatusCode as S;
    match failure {
        Failure::UnknownPath => Refusal::new(S::NOT_FOUND, "not_found", "Unknown path."),
        Failure::WrongMethod => Refusal::new(
            S::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This path does not support the request's method.",
        ),
        Failure::Unauthorized => Refusal::new(
            S::UNAUTHORIZED,
            "unauthorized",
            "Missing or invalid API key.",
        ),
        Failure::NotJson => Refusal::new(
            S::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Content-Type must be application/json.",
        ),
        Failure::Body(BodyError::TooLarge) => Refusal::new(
            S::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("The body must have at most {} bytes.", super::BODY_MAX),
        ),
        Failure::Body(BodyError::Broken) => {
            invalid("The body broke off before its end.".to_owned())
        }
        Failure::Invalid(faults) => invalid(sentence(faults)),
        Failure::Service(error) => service_refusal(error),
    }
}

fn invalid(message: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_parameters", message)
}

fn service_refusal(error: &service::Error) -> Refusal {
    use StatusCode as S;
    match error {
        service::Error::Forbidden => Refusal::new(
            S::FORBIDDEN,
            "forbidden",
            "This API key does not have the required permission.",
        ),
        service::Error::NotFound { what } => Refusal::new(
            S::NOT_FOUND,
            "not_found",
            format!("The {what} does not exist."),
        ),
        service::Error::KeyReused => Refusal::new(
            S::BAD_REQUEST,
            "idempotency_key_mismatch",
            "Idempotency-Key was already used with a different request body. \
             Use a fresh key for new operations.",
        ),
        service::Error::Invalid { field, reason } => invalid(format!("{field} {reason}")),
        service::Error::TooManyRequests {
            per_minute,
            retry_after_s,
        } => Refusal {
            retry_after_s: Some(*retry_after_s),
            ..Refusal::new(
                S::TOO_MANY_REQUESTS,
                "rate_limit_exceeded",
                format!("Rate limit exceeded. Maximum {per_minute} requests per minute per token."),
            )
        },
        service::Error::Rejected(Rejection::RuleDisabled) => Refusal::new(
            S::FORBIDDEN,
            "rule_deactivated",
            "This rule is deactivated and cannot be triggered using the API.",
        ),
        service::Error::Rejected(Rejection::RuleInProgress) => Refusal::new(
            S::CONFLICT,
            "rule_execution_in_progress",
            "The rule was triggered before and has not run yet.",
        ),
        service::Error::Rejected(Rejection::RuleFaulty(faults)) => Refusal::new(
            S::BAD_REQUEST,
            "rule_faulty",
            sentence(&ids::RULES.faults(faults)),
        ),
        service::Error::Rejected(Rejection::RuleUnsound { path, text, .. }) => Refusal::new(
            S::BAD_REQUEST,
            "rule_unsound",
            format!("{}: {text}", ids::RULES.path(path)),
        ),
        // An account to which something still leads (docs/reference/sequence.md, "Delete").
        service::Error::Rejected(
            rejection @ (Rejection::BalanceNotZero { .. }
            | Rejection::AccountInUse
            | Rejection::LinkedCards
            | Rejection::NamedByRule { .. }),
        ) => Refusal::new(S::CONFLICT, rejection.code(), format!("{rejection}.")),
        service::Error::Rejected(rejection) => rejected(rejection),
        service::Error::Store(store::StoreError::Unavailable { retry_after_s, .. }) => Refusal {
            retry_after_s: Some(*retry_after_s),
            ..Refusal::new(
                S::SERVICE_UNAVAILABLE,
                "service_unavailable",
                "The request cannot be processed right now. Retry with the same Idempotency-Key.",
            )
        },
        service::Error::Store(store::StoreError::Corrupt(_)) => Refusal::new(
            S::INTERNAL_SERVER_ERROR,
            "unexpected_error",
            "Something went wrong. The request id tells the operator what.",
        ),
    }
}

/// The ledger's refusals, with the field of this dialect that each is about.
fn rejected(rejection: &Rejection) -> Refusal {
    let field = match rejection {
        Rejection::SourceNotFound
        | Rejection::SourceNotActive { .. }
        | Rejection::SourceNotAllowed => "source_account_id: ",
        Rejection::DestinationNotFound
        | Rejection::DestinationNotActive { .. }
        | Rejection::DestinationNotAllowed
        | Rejection::SameAccount
        | Rejection::OwnersDiffer => "destination_account_id: ",
        Rejection::CurrencyMismatch
        | Rejection::InsufficientFunds { .. }
        | Rejection::BalanceOverflow => "amount_in_cents: ",
        Rejection::Invalid { .. }
        | Rejection::TenantNotFound
        | Rejection::OwnerNotFound
        | Rejection::AccountNotFound
        | Rejection::TransferNotFound
        | Rejection::HoldNotFound
        | Rejection::NotPending { .. }
        | Rejection::NotAwaitingApproval { .. }
        | Rejection::SandboxOnly
        | Rejection::ClockBackwards
        | Rejection::NothingDue
        | Rejection::AlreadyInState { .. }
        | Rejection::BalanceNotZero { .. }
        | Rejection::AccountInUse
        | Rejection::LinkedCards
        | Rejection::NamedByRule { .. }
        | Rejection::BlockedByOther
        | Rejection::DetailsChanged
        | Rejection::ProfileNotFound
        | Rejection::ProfileInactive
        | Rejection::CurrencyNotInProfile
        | Rejection::ParentNotFound
        | Rejection::ParentNotActive
        | Rejection::Denied(_)
        | Rejection::NotScheduled { .. }
        | Rejection::TransferOfOther
        | Rejection::BulkNotFound
        | Rejection::BulkState { .. }
        | Rejection::RuleNotFound
        | Rejection::TooManyRules
        | Rejection::RuleFaulty(_)
        | Rejection::RuleUnsound { .. }
        | Rejection::RuleDisabled
        | Rejection::RuleInProgress
        | Rejection::ExecutionNotFound => "",
    };
    let message = format!("{field}{rejection}.");
    Refusal::new(StatusCode::BAD_REQUEST, rejection.code(), message)
}
