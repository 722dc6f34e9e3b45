//! Every refusal of the dialect: one `match` to status, code and message (sequence-api §12).

use axum::http::StatusCode;
use ledger::Rejection;

use super::ids;
use crate::http::BodyError;
use crate::json::{Fault, sentence};

/// Why a request was refused.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// No key, or none that is valid.
    Unauthorized,
    /// The body is not declared as JSON.
    NotJson,
    /// The body is too large or broke off.
    Body(BodyError),
    /// Something in the request is wrong.
    Invalid(Vec<Fault>),
    /// The key may move money between the two, but not so much.
    AmountTooLarge,
    /// The rule has no words in this dialect.
    Unsupported,
    /// What the use case said.
    Service(service::Error),
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Failure {
        Failure::Service(error)
    }
}

impl Failure {
    pub(super) fn invalid(field: &str, reason: &str) -> Failure {
        Failure::Invalid(vec![Fault::new(field, reason)])
    }
}

/// Status, code and message of a refusal; seconds to wait, for 429 and 503.
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub retry_after_s: Option<u32>,
}

fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal {
        status,
        code,
        message: message.into(),
        retry_after_s: None,
    }
}

fn invalid(message: String) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, "INVALID_PARAMETERS", message)
}

/// The table.
pub(super) fn refusal(failure: &Failure) -> Refusal {
    use StatusCode as S;
    match failure {
        Failure::Unauthorized => refuse(S::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized"),
        Failure::NotJson => invalid("Content-Type must be application/json.".to_owned()),
        Failure::Body(BodyError::TooLarge) => refuse(
            S::PAYLOAD_TOO_LARGE,
            "INVALID_PARAMETERS",
            format!("The body must have at most {} bytes.", super::BODY_MAX),
        ),
        Failure::Body(BodyError::Broken) => {
            invalid("The body broke off before its end.".to_owned())
        }
        Failure::Invalid(faults) => invalid(sentence(faults)),
        Failure::AmountTooLarge => refuse(
            S::FORBIDDEN,
            "MAXIMUM_AMOUNT_EXCEEDED",
            "The amount exceeds the maximum that this API key allows for this transfer",
        ),
        Failure::Unsupported => refuse(
            S::FORBIDDEN,
            "INVALID_RULE",
            "This rule cannot be used through the API",
        ),
        Failure::Service(error) => service_refusal(error),
    }
}

fn service_refusal(error: &service::Error) -> Refusal {
    use StatusCode as S;
    match error {
        service::Error::Forbidden => refuse(
            S::FORBIDDEN,
            "ACCESS_DENIED",
            "API key does not have required permissions to access this resource",
        ),
        service::Error::NotFound { what } => {
            let (code, thing) = match *what {
                "account" => ("ACCOUNT_NOT_FOUND", "Account"),
                "rule" => ("RULE_NOT_FOUND", "Rule"),
                "rule execution" => ("RULE_EXECUTION_NOT_FOUND", "Rule execution"),
                _ => ("TRANSFER_NOT_FOUND", "Transfer"),
            };
            let message = format!("{thing} does not exist or you don't have access to it");
            refuse(S::NOT_FOUND, code, message)
        }
        service::Error::KeyReused => refuse(
            S::BAD_REQUEST,
            "IDEMPOTENCY_KEY_MISMATCH",
            "Idempotency-Key was already used with a different request body. \
             Use a fresh key for new operations.",
        ),
        service::Error::Invalid { field, reason } => invalid(format!("{field} {reason}")),
        service::Error::TooManyRequests {
            per_minute,
            retry_after_s,
        } => Refusal {
            retry_after_s: Some(*retry_after_s),
            ..refuse(
                S::TOO_MANY_REQUESTS,
                "RATE_LIMIT_EXCEEDED",
                format!("Rate limit exceeded. Maximum {per_minute} requests per minute per token."),
            )
        },
        service::Error::Rejected(rejection) => rejected(rejection),
        service::Error::Store(store::StoreError::Unavailable { retry_after_s, .. }) => Refusal {
            retry_after_s: Some(*retry_after_s),
            ..refuse(
                S::SERVICE_UNAVAILABLE,
                "UNEXPECTED_ERROR",
                "The request cannot be processed right now. Retry with the same idempotency-key.",
            )
        },
        service::Error::Store(store::StoreError::Corrupt(_)) => refuse(
            S::INTERNAL_SERVER_ERROR,
            "UNEXPECTED_ERROR",
            "Something went wrong. The request id tells the operator what.",
        ),
    }
}

/// The ledger's refusals: the few that the dialect has a code for, and all others by their text.
fn rejected(rejection: &Rejection) -> Refusal {
    use StatusCode as S;
    match rejection {
        Rejection::SourceNotFound => refuse(
            S::BAD_REQUEST,
            "TRANSFER_SOURCE_NOT_FOUND",
            "Source account does not exist or you don't have access to it",
        ),
        Rejection::DestinationNotFound => refuse(
            S::BAD_REQUEST,
            "TRANSFER_DESTINATION_NOT_FOUND",
            "Destination account does not exist or you don't have access to it",
        ),
        Rejection::RuleDisabled => refuse(
            S::FORBIDDEN,
            "RULE_DEACTIVATED",
            "This rule is deactivated and cannot be triggered using the API",
        ),
        Rejection::RuleInProgress => refuse(
            S::CONFLICT,
            "RULE_EXECUTION_IN_PROGRESS",
            "The rule was triggered before and has not run yet",
        ),
        Rejection::RuleFaulty(faults) => invalid(sentence(&ids::RULES.faults(faults))),
        Rejection::RuleUnsound { path, text, .. } => {
            invalid(format!("{}: {text}", ids::RULES.path(path)))
        }
        other => invalid(format!("{other}.")),
    }
}
