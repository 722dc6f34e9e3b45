//! Errors by RFC 9457.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::Response;
use ledger::Rejection;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::BodyError;
use crate::json::{Fault, sentence};

/// An error's body.
#[derive(Serialize, ToSchema, Debug)]
pub(super) struct Problem {
    /// Always `about:blank`; compare `code`.
    r#type: &'static str,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// Stable; compare this.
    code: &'static str,
    /// For people.
    detail: String,
    /// Every field at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

#[derive(Serialize, ToSchema, Debug)]
struct FieldError {
    field: String,
    reason: String,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
        }
    }

    pub(super) fn unknown_path() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "Unknown path.")
    }

    pub(super) fn wrong_method() -> Problem {
        let detail = "This path does not support the request's method.";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub(super) fn unauthorized() -> Problem {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Missing or invalid admin token.",
        )
    }

    pub(super) fn not_json() -> Problem {
        let detail = "Content-Type must be application/json.";
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    pub(super) fn body(error: BodyError) -> Problem {
        match error {
            BodyError::TooLarge => {
                let detail = format!("The body must have at most {} bytes.", super::BODY_MAX);
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
            }
            BodyError::Broken => {
                let detail = "The body broke off before its end.";
                Problem::new(StatusCode::BAD_REQUEST, "invalid_parameters", detail)
            }
        }
    }

    pub(super) fn invalid(faults: Vec<Fault>) -> Problem {
        let detail = sentence(&faults);
        let errors = faults
            .into_iter()
            .map(|fault| FieldError {
                field: fault.field,
                reason: fault.reason,
            })
            .collect();
        Problem {
            errors,
            ..Problem::new(StatusCode::BAD_REQUEST, "invalid_parameters", detail)
        }
    }

    pub(super) fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem has string keys only");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).expect("made from a status code");
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == 401 {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Vec<Fault>> for Problem {
    fn from(faults: Vec<Fault>) -> Problem {
        Problem::invalid(faults)
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Problem {
        match error {
            service::Error::Forbidden => {
                Problem::new(StatusCode::FORBIDDEN, "forbidden", error.to_string())
            }
            service::Error::NotFound { .. } => {
                Problem::new(StatusCode::NOT_FOUND, "not_found", error.to_string())
            }
            service::Error::KeyReused => Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_mismatch",
                error.to_string(),
            ),
            service::Error::Invalid { field, reason } => {
                Problem::invalid(vec![Fault::new(field, reason)])
            }
            service::Error::TooManyRequests { retry_after_s, .. } => Problem {
                retry_after_s: Some(retry_after_s),
                ..Problem::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "rate_limit_exceeded",
                    error.to_string(),
                )
            },
            service::Error::Rejected(rejection) => rejected(&rejection),
            service::Error::Store(store::StoreError::Unavailable {
                reason,
                retry_after_s,
            }) => Problem {
                retry_after_s: Some(retry_after_s),
                ..Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "service_unavailable",
                    &*reason,
                )
            },
            service::Error::Store(store::StoreError::Corrupt(reason)) => {
                tracing::error!(%reason, "stored data is damaged");
                let detail = "Stored data is damaged; run `tidegate verify`.";
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "unexpected_error",
                    detail,
                )
            }
        }
    }
}

/// What does not exist is 404, what is malformed 400, what the state forbids 409.
fn rejected(rejection: &Rejection) -> Problem {
    let status = match rejection {
        Rejection::Invalid { field, reason } => {
            return Problem::invalid(vec![Fault::new(*field, *reason)]);
        }
        Rejection::RuleFaulty(faults) => {
            let problem = Problem::invalid(super::ids::RULES.faults(faults));
            return Problem {
                code: rejection.code(),
                ..problem
            };
        }
        Rejection::RuleUnsound { path, text, .. } => {
            let reason: &str = text;
            let fault = Fault::new(path.as_str(), reason);
            return Problem {
                errors: Problem::invalid(vec![fault]).errors,
                ..Problem::new(
                    StatusCode::CONFLICT,
                    rejection.code(),
                    rejection.to_string(),
                )
            };
        }
        Rejection::RuleNotFound
        | Rejection::ExecutionNotFound
        | Rejection::TenantNotFound
        | Rejection::OwnerNotFound
        | Rejection::AccountNotFound
        | Rejection::TransferNotFound
        | Rejection::HoldNotFound
        | Rejection::SourceNotFound
        | Rejection::DestinationNotFound
        | Rejection::ProfileNotFound
        | Rejection::ParentNotFound
        | Rejection::TransferOfOther
        | Rejection::BulkNotFound => StatusCode::NOT_FOUND,
        Rejection::SameAccount => StatusCode::BAD_REQUEST,
        Rejection::SourceNotActive { .. }
        | Rejection::DestinationNotActive { .. }
        | Rejection::SourceNotAllowed
        | Rejection::DestinationNotAllowed
        | Rejection::OwnersDiffer
        | Rejection::CurrencyMismatch
        | Rejection::InsufficientFunds { .. }
        | Rejection::BalanceOverflow
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
        | Rejection::ProfileInactive
        | Rejection::CurrencyNotInProfile
        | Rejection::ParentNotActive
        | Rejection::Denied(_)
        | Rejection::NotScheduled { .. }
        | Rejection::TooManyRules
        | Rejection::RuleDisabled
        | Rejection::RuleInProgress
        | Rejection::BulkState { .. } => StatusCode::CONFLICT,
    };
    Problem::new(status, rejection.code(), rejection.to_string())
}
