//! Why a request was refused.

use service::multi;

use super::invalid::InvalidField;

/// Every refusal of the dialect; [`super::errors`] says what each is answered with.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// No such path.
    UnknownPath,
    /// The path exists, not with this method.
    WrongMethod,
    /// No key or token, or one that is not valid.
    Unauthorized,
    /// Genuine credentials that may not do this.
    Forbidden,
    /// They may, after something else: `STEP_UP_REQUIRED` or `ACCESS_TOKEN_REQUIRED`.
    ForbiddenUntil(&'static str),
    /// A window's requests are used up.
    TooManyRequests(RateLimit),
    /// The body is not declared as JSON.
    NotJson,
    /// The body is longer than `limit` bytes.
    TooLarge {
        /// The limit of this endpoint.
        limit: usize,
    },
    /// The body broke off before its end.
    Broken,
    /// Something in the request is wrong.
    Invalid(Vec<InvalidField>),
    /// There is no such object, or none that this caller can know of.
    NotFound {
        /// For programs, such as `PROFILE_NOT_FOUND`.
        code: &'static str,
    },
    /// The state of things does not allow it; the endpoint's `errorCode`.
    Conflict(&'static str),
    /// The same, at an endpoint for which no `errorCode` is documented: a code and a message.
    State(&'static str),
    /// Locked out for a while after too many failures.
    Locked,
    /// The operator has not set up what it needs.
    NotConfigured {
        /// What is missing.
        what: &'static str,
    },
    /// What the use case said.
    Service(service::Error),
}

impl From<multi::Error> for Failure {
    fn from(error: multi::Error) -> Failure {
        match error {
            multi::Error::Unauthenticated => Failure::Unauthorized,
            multi::Error::Forbidden => Failure::Forbidden,
            multi::Error::AccessTokenRequired => Failure::ForbiddenUntil("ACCESS_TOKEN_REQUIRED"),
            multi::Error::Locked => Failure::Locked,
            multi::Error::TooManyRequests(exceeded) => Failure::TooManyRequests(RateLimit {
                exceeded: exceeded.requests,
                windows: exceeded
                    .limits
                    .iter()
                    .map(|limit| (limit.requests, limit.window_s))
                    .collect(),
                reset_s: exceeded.reset_s,
            }),
            multi::Error::Conflict(conflict) => Failure::Conflict(conflict.code()),
            multi::Error::NotConfigured { what } => Failure::NotConfigured { what },
            multi::Error::Service(error) => Failure::Service(error),
        }
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Failure {
        Failure::Service(error)
    }
}

impl From<Vec<InvalidField>> for Failure {
    fn from(faults: Vec<InvalidField>) -> Failure {
        Failure::Invalid(faults)
    }
}

/// The limits in force when one was exceeded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RateLimit {
    /// Requests of the window that is used up.
    pub exceeded: u32,
    /// Every window: requests, and its length in seconds.
    pub windows: Vec<(u32, u32)>,
    /// Seconds until the used-up window ends.
    pub reset_s: u32,
}
