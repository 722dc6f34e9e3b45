//! Why a use case did not happen.

use ledger::Rejection;
use store::StoreError;

/// See each variant; a dialect maps them in one `match`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The key may not do this.
    #[error("the key does not have the required permission")]
    Forbidden,
    /// There is no such object, or none that this caller can know of.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The idempotency key was used with another body.
    #[error("the idempotency key was already used with a different request body")]
    KeyReused,
    /// A value of the request is not acceptable.
    #[error("{field} {reason}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// Why, to be read after the field's name.
        reason: &'static str,
    },
    /// The key has used up its requests for now.
    #[error("rate limit exceeded: at most {per_minute} requests a minute")]
    TooManyRequests {
        /// The limit.
        per_minute: u32,
        /// When to try again.
        retry_after_s: u32,
    },
    /// The ledger said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A result of a use case.
pub type Result<T> = std::result::Result<T, Error>;
