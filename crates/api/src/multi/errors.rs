//! Every refusal as an answer: one `match` to status, headers and body.
//!
//! 401, 423, 429, 500 and 503 have no body. 400 has `message` and `syntaxErrors`, 409 and 410
//! `errorCode`, every other refusal with something to say `code` and `message`. The simulator
//! writes a 400 its own way.

use axum::body::Body;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use ledger::{AccountState, Rejection};
use serde::Serialize;
use utoipa::ToSchema;

use super::failure::{Failure, RateLimit};
use super::idempotency;
use super::invalid::{self, InvalidField, Rule};
use crate::http::json_response;

/// The limit that was exceeded, then all limits in force with their windows in seconds.
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// Seconds until the window is over.
pub(super) const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// A 400.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BadRequest)]
pub struct BadRequestBody {
    /// For people: everything that is wrong, as far as it fits.
    #[schema(max_length = 255)]
    message: String,
    /// For programs: everything that is wrong.
    syntax_errors: SyntaxErrors,
}

/// The faults of a 400.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyntaxErrors {
    invalid_fields: Vec<InvalidField>,
}

/// A 404, 405, 413 or 415.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// For programs.
    code: &'static str,
    /// For people.
    message: String,
}

/// A 409 or 410; the document has each endpoint's codes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConflictBody {
    /// Which of the endpoint's reasons.
    error_code: &'static str,
}

/// A 403 that another step would lift. `message` repeats the code, for clients that look there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Forbidden)]
pub struct ForbiddenBody {
    /// `STEP_UP_REQUIRED` or `ACCESS_TOKEN_REQUIRED`.
    error_code: &'static str,
    message: &'static str,
}

/// A 400 of the simulator.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatorBadRequest)]
pub struct SimulatorBadRequestBody {
    /// For people: everything that is wrong, as far as it fits.
    #[schema(max_length = 255)]
    message: String,
    /// For programs: everything that is wrong.
    validation: Validation,
}

/// The faults of a simulator's 400.
#[derive(Serialize, ToSchema)]
pub struct Validation {
    /// Always true.
    invalid: bool,
    fields: Vec<FieldErrors>,
}

/// What is wrong with one field.
#[derive(Serialize, ToSchema)]
pub struct FieldErrors {
    name: String,
    errors: Vec<FieldError>,
}

/// One rule that a field breaks.
#[derive(Serialize, ToSchema)]
pub struct FieldError {
    r#type: Rule,
    params: Vec<String>,
}

/// What the log says of an answer that does not say it: [`super::request_ref`] logs it.
#[derive(Clone)]
pub(super) struct Cause(pub String);

/// A refusal of `/multi` or `/multi/backoffice`.
pub(super) fn respond(failure: Failure) -> Response {
    answer(failure, |faults| {
        body(&BadRequestBody {
            message: invalid::message(&faults),
            syntax_errors: SyntaxErrors {
                invalid_fields: faults,
            },
        })
    })
}

/// A refusal of the simulator.
pub(super) fn respond_simulator(failure: Failure) -> Response {
    answer(failure, |faults| {
        let mut fields: Vec<FieldErrors> = Vec::new();
        for fault in &faults {
            let (name, r#type, params) = fault.parts();
            let params = params.to_vec();
            let error = FieldError { r#type, params };
            match fields.iter_mut().find(|known| known.name == name) {
                Some(known) => known.errors.push(error),
                None => fields.push(FieldErrors {
                    name: name.to_owned(),
                    errors: vec![error],
                }),
            }
        }
        body(&SimulatorBadRequestBody {
            message: invalid::message(&faults),
            validation: Validation {
                invalid: true,
                fields,
            },
        })
    })
}

fn body(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("wire types have string keys only")
}

/// The table.
fn answer(failure: Failure, bad_request: impl FnOnce(Vec<InvalidField>) -> Vec<u8>) -> Response {
    use StatusCode as S;
    match failure {
        Failure::UnknownPath => error(S::NOT_FOUND, "NOT_FOUND", "Nothing is served at this path."),
        Failure::WrongMethod => error(
            S::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "This path does not support the request's method.",
        ),
        Failure::Unauthorized => {
            let mut response = empty(S::UNAUTHORIZED);
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            response
        }
        Failure::Forbidden => empty(S::FORBIDDEN),
        Failure::ForbiddenUntil(error_code) => {
            let message = error_code;
            let forbidden = body(&ForbiddenBody {
                error_code,
                message,
            });
            json_response(S::FORBIDDEN, forbidden)
        }
        Failure::TooManyRequests(limit) => too_many_requests(&limit),
        Failure::NotJson => error(
            S::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Content-Type must be application/json.",
        ),
        Failure::TooLarge { limit } => error(
            S::PAYLOAD_TOO_LARGE,
            "PAYLOAD_TOO_LARGE",
            format!("The body must have at most {limit} bytes."),
        ),
        Failure::Broken => {
            let fault = InvalidField::new("body", Rule::Regex, "broke off before its end");
            json_response(S::BAD_REQUEST, bad_request(vec![fault]))
        }
        Failure::Invalid(faults) => json_response(S::BAD_REQUEST, bad_request(faults)),
        Failure::NotFound { code } => error(S::NOT_FOUND, code, NOT_FOUND),
        Failure::Conflict(code) => conflict(S::CONFLICT, code),
        Failure::State(code) => error(S::CONFLICT, code, "The state of things does not allow it."),
        Failure::Locked => empty(S::LOCKED),
        Failure::NotConfigured { what } => error(
            S::NOT_IMPLEMENTED,
            "NOT_CONFIGURED",
            format!("This server is not configured for {what}."),
        ),
        Failure::Service(error) => match service_failure(error) {
            Ok(failure) => answer(failure, bad_request),
            Err(error) => store_trouble(&error),
        },
    }
}

/// The body of a 409, for an operation of a bulk.
pub(super) fn conflict_text(error_code: &'static str) -> String {
    text(&ConflictBody { error_code })
}

/// The body of a 404 for want of a profile, likewise.
pub(super) fn profile_not_found() -> String {
    text(&ErrorBody {
        code: "PROFILE_NOT_FOUND",
        message: NOT_FOUND.to_owned(),
    })
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys only")
}

/// 503 or 500, with the cause for the log only.
fn store_trouble(error: &store::StoreError) -> Response {
    let mut response = match error {
        store::StoreError::Unavailable { retry_after_s, .. } => {
            let mut response = empty(StatusCode::SERVICE_UNAVAILABLE);
            let seconds = HeaderValue::from(*retry_after_s);
            response.headers_mut().insert(RETRY_AFTER, seconds);
            response
        }
        store::StoreError::Corrupt(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let cause = Cause(format!("{error:?}"));
    response.extensions_mut().insert(cause);
    response
}

const NOT_FOUND: &str = "The requested resource couldn't be found.";

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn error(status: StatusCode, code: &'static str, message: impl Into<String>) -> Response {
    let message = message.into();
    json_response(status, body(&ErrorBody { code, message }))
}

fn conflict(status: StatusCode, error_code: &'static str) -> Response {
    json_response(status, body(&ConflictBody { error_code }))
}

fn too_many_requests(limit: &RateLimit) -> Response {
    let mut limits = limit.exceeded.to_string();
    for (requests, seconds) in &limit.windows {
        limits.push_str(&format!(", {requests};w={seconds}"));
    }
    let mut response = empty(StatusCode::TOO_MANY_REQUESTS);
    let headers = response.headers_mut();
    if let Ok(limits) = HeaderValue::from_str(&limits) {
        headers.insert(RATE_LIMIT, limits);
    }
    headers.insert(RATE_RESET, HeaderValue::from(limit.reset_s));
    response
}

/// What a use case said, as a refusal of the dialect; the store's own troubles stay what they are.
fn service_failure(error: service::Error) -> Result<Failure, store::StoreError> {
    Ok(match error {
        service::Error::Forbidden => Failure::Forbidden,
        service::Error::NotFound { what } => Failure::NotFound {
            code: not_found_code(what),
        },
        service::Error::KeyReused => Failure::Invalid(vec![idempotency::reused()]),
        service::Error::Invalid { field, reason } => {
            Failure::Invalid(vec![InvalidField::new(field, Rule::Regex, reason)])
        }
        service::Error::TooManyRequests {
            per_minute,
            retry_after_s,
        } => Failure::TooManyRequests(RateLimit {
            exceeded: per_minute,
            windows: vec![(per_minute, 60)],
            reset_s: retry_after_s,
        }),
        service::Error::Rejected(rejection) => rejected(&rejection),
        service::Error::Store(error) => return Err(error),
    })
}

fn not_found_code(what: &str) -> &'static str {
    match what {
        "transfer" => "TRANSFER_NOT_FOUND",
        "profile" => "PROFILE_NOT_FOUND",
        "account" => "INSTRUMENT_NOT_FOUND",
        "user" => "USER_NOT_FOUND",
        "identity" => "IDENTITY_NOT_FOUND",
        _ => "NOT_FOUND",
    }
}

/// The ledger's refusals of a transfer; what cannot be said in the dialect's codes is what the
/// programme's model does not allow. Endpoints whose codes differ look at the rejection first.
fn rejected(rejection: &Rejection) -> Failure {
    let code = match rejection {
        Rejection::Invalid { field, reason } => {
            return Failure::Invalid(vec![InvalidField::new(*field, Rule::Regex, *reason)]);
        }
        Rejection::TenantNotFound
        | Rejection::OwnerNotFound
        | Rejection::AccountNotFound
        | Rejection::TransferNotFound
        | Rejection::HoldNotFound
        | Rejection::TransferOfOther
        | Rejection::RuleNotFound
        | Rejection::ExecutionNotFound
        | Rejection::BulkNotFound => return Failure::NotFound { code: "NOT_FOUND" },
        // Not among the conflict codes of a transfer (weavr-api §5.2).
        Rejection::ProfileNotFound => {
            return Failure::NotFound {
                code: "PROFILE_NOT_FOUND",
            };
        }
        Rejection::Denied(denial) => denial.name(),
        Rejection::ProfileInactive => "PROFILE_INACTIVE",
        Rejection::CurrencyNotInProfile => "CURRENCY_NOT_SUPPORTED_BY_PROFILE",
        Rejection::ParentNotFound => "INSTRUMENT_NOT_FOUND",
        Rejection::ParentNotActive => "INSTRUMENT_INACTIVE",
        Rejection::LinkedCards => "INSTRUMENT_HAS_LINKED_CARDS",
        Rejection::BlockedByOther => "INSTRUMENT_NOT_BLOCKED",
        Rejection::NotScheduled { .. } => "TRANSACTION_NOT_SCHEDULED",
        Rejection::BulkState { .. } => "INVALID_STATE",
        Rejection::SourceNotFound => "SOURCE_NOT_FOUND",
        // Another identity's instrument does not exist for this one.
        Rejection::DestinationNotFound | Rejection::OwnersDiffer => "DESTINATION_NOT_FOUND",
        Rejection::SameAccount => "SOURCE_AND_DESTINATION_MUST_BE_DIFFERENT",
        Rejection::SourceNotActive {
            state: AccountState::Destroyed,
        } => "SOURCE_INSTRUMENT_DESTROYED",
        Rejection::SourceNotActive {
            state: AccountState::Active | AccountState::Blocked,
        } => "SOURCE_INSTRUMENT_BLOCKED",
        Rejection::DestinationNotActive {
            state: AccountState::Destroyed,
        } => "DESTINATION_INSTRUMENT_DESTROYED",
        Rejection::DestinationNotActive {
            state: AccountState::Active | AccountState::Blocked,
        } => "DESTINATION_INSTRUMENT_BLOCKED",
        Rejection::SourceNotAllowed | Rejection::DestinationNotAllowed => {
            "INSTRUMENT_DENIED_TRANSACTION"
        }
        Rejection::CurrencyMismatch => "CURRENCY_MISMATCH",
        Rejection::InsufficientFunds { .. } => "FUNDS_INSUFFICIENT",
        Rejection::BalanceOverflow => "DESTINATION_LIMIT_EXCEEDED",
        Rejection::BalanceNotZero { .. } => "BALANCE_NOT_ZERO",
        Rejection::AccountInUse => "INSTRUMENT_HAS_PENDING_ACTIONS",
        Rejection::AlreadyInState {
            state: AccountState::Blocked,
        } => "INSTRUMENT_ALREADY_BLOCKED",
        Rejection::AlreadyInState {
            state: AccountState::Active,
        } => "INSTRUMENT_NOT_BLOCKED",
        Rejection::AlreadyInState {
            state: AccountState::Destroyed,
        } => "INSTRUMENT_DESTROYED",
        Rejection::NotPending { .. } | Rejection::NotAwaitingApproval { .. } => "INVALID_STATE",
        // The dialect has no rules, and changes what has changed again.
        Rejection::SandboxOnly
        | Rejection::ClockBackwards
        | Rejection::NothingDue
        | Rejection::DetailsChanged
        | Rejection::TooManyRules
        | Rejection::NamedByRule { .. }
        | Rejection::RuleFaulty(_)
        | Rejection::RuleUnsound { .. }
        | Rejection::RuleDisabled
        | Rejection::RuleInProgress => "MODEL_CONSTRAINTS_VIOLATED",
    };
    Failure::Conflict(code)
}

#[cfg(test)]
mod tests;
