//! Why a use case of the Multi dialect did not happen.

use ledger::Rejection;
use store::StoreError;

use super::rates::Exceeded;

/// See each variant; the dialect maps them in one `match`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The API key or the token is missing, unknown or has ended.
    #[error("no valid credentials")]
    Unauthenticated,
    /// The credentials are genuine and may not do this.
    #[error("the credentials may not do this")]
    Forbidden,
    /// The token's user has several identities and must choose one first.
    #[error("an access token is required")]
    AccessTokenRequired,
    /// Too many wrong passwords.
    #[error("the user is locked out for a while")]
    Locked,
    /// A window's requests are used up.
    #[error("the programme has used up its requests")]
    TooManyRequests(Exceeded),
    /// The state of things does not allow it.
    #[error("{}", .0.code())]
    Conflict(Conflict),
    /// The operator has not set up what it needs.
    #[error("{what} is not configured on this server")]
    NotConfigured {
        /// What is missing.
        what: &'static str,
    },
    /// What any use case can say.
    #[error(transparent)]
    Service(#[from] crate::Error),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        Error::Service(error.into())
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Error {
        Error::Service(rejection.into())
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Error {
        Error::Conflict(conflict)
    }
}

/// A result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! conflicts {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)+) => {
        /// Why the state of things does not allow something, in the dialect's codes.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Conflict { $($(#[$doc])* $name,)+ }

        impl Conflict {
            /// Its stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Conflict::$name => $code,)+ }
            }

            /// The one with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Conflict> {
                match code { $($code => Some(Conflict::$name),)+ _ => None }
            }
        }

        #[cfg(test)]
        const ALL: &[Conflict] = &[$(Conflict::$name,)+];
    };
}

conflicts! {
    /// No such profile of this kind.
    ProfileNotFound = "PROFILE_NOT_FOUND",
    /// The profile is switched off.
    ProfileInactive = "PROFILE_INACTIVE",
    /// Somebody else has the root user's e-mail address.
    RootEmailNotUnique = "ROOT_EMAIL_NOT_UNIQUE",
    /// Somebody else has the e-mail address.
    EmailNotUnique = "EMAIL_NOT_UNIQUE",
    /// Nobody has the e-mail address.
    EmailNotFound = "EMAIL_NOT_FOUND",
    /// The e-mail address has been verified.
    AlreadyVerified = "ALREADY_VERIFIED",
    /// The code is not the one that was sent.
    VerificationCodeInvalid = "VERIFICATION_CODE_INVALID",
    /// The profile does not allow the base currency.
    CurrencyUnsupported = "CURRENCY_UNSUPPORTED",
    /// The same, when an identity is changed.
    UnsupportedCurrency = "UNSUPPORTED_CURRENCY",
    /// There is no such fee group.
    FeeGroupInvalid = "FEE_GROUP_INVALID",
    /// There is no such country.
    CountryInvalid = "COUNTRY_INVALID",
    /// There is no such country of residence.
    CountryOfResidenceInvalid = "COUNTRY_OF_RESIDENCE_INVALID",
    /// No country has this calling code.
    MobileOrCountryCodeInvalid = "MOBILE_OR_COUNTRY_CODE_INVALID",
    /// The root user who would have another identity is switched off.
    RootUserInactive = "ROOT_USER_INACTIVE",
    /// The root user who would have another identity has not verified the e-mail address.
    RootEmailNotVerified = "ROOT_EMAIL_NOT_VERIFIED",
    /// The person is a consumer of the programme already.
    ConsumerAlreadyExists = "CONSUMER_ALREADY_EXISTS",
    /// What due diligence has looked at cannot be changed any more: corporates.
    RootUserAlreadyVerified = "ROOT_USER_ALREADY_VERIFIED",
    /// What due diligence has looked at cannot be changed any more: consumers.
    ConsumerVerified = "CONSUMER_VERIFIED",
    /// No identity or user has this id.
    UnresolvedIdentity = "UNRESOLVED_IDENTITY",
    /// Fewer than 8 characters.
    PasswordTooShort = "PASSWORD_TOO_SHORT",
    /// More than 30 characters.
    PasswordTooLong = "PASSWORD_TOO_LONG",
    /// Without lower case, upper case, digit or special character.
    PasswordTooSimple = "PASSWORD_TOO_SIMPLE",
    /// There is a password already.
    PasswordAlreadyCreated = "PASSWORD_ALREADY_CREATED",
    /// One of the last five passwords.
    PasswordAlreadyUsed = "PASSWORD_ALREADY_USED",
    /// Not the password there is.
    PasswordIncorrect = "PASSWORD_INCORRECT",
    /// The identity's address is not verified, or due diligence has not ended well.
    OwnerIdentityNotVerified = "OWNER_IDENTITY_NOT_VERIFIED",
    /// The profile does not allow the instrument's currency.
    CurrencyNotSupportedByProfile = "CURRENCY_NOT_SUPPORTED_BY_PROFILE",
    /// The profile's cards pay the other way.
    PaymentModelConstraintsViolated = "PAYMENT_MODEL_CONSTRAINTS_VIOLATED",
    /// There is no such account to spend from.
    ParentManagedAccountNotFound = "PARENT_MANAGED_ACCOUNT_NOT_FOUND",
    /// The account to spend from is blocked or destroyed.
    ParentManagedAccountNotActive = "PARENT_MANAGED_ACCOUNT_NOT_ACTIVE",
    /// The identity has no such user to link a card to.
    LinkedUserNotFound = "LINKED_USER_NOT_FOUND",
    /// The user to link a card to is switched off.
    UserInactive = "USER_INACTIVE",
    /// No programme shows purchases in another currency.
    UserCurrencyNotEnabled = "USER_CURRENCY_NOT_ENABLED",
    /// The account was not blocked by its user.
    InstrumentInactive = "INSTRUMENT_INACTIVE",
    /// The instrument is blocked.
    InstrumentAlreadyBlocked = "INSTRUMENT_ALREADY_BLOCKED",
    /// The instrument is not blocked, or not by its user.
    InstrumentNotBlocked = "INSTRUMENT_NOT_BLOCKED",
    /// The card was reported lost or stolen.
    InstrumentMarkedLostStolen = "INSTRUMENT_MARKED_LOST_STOLEN",
    /// The instrument is gone for good.
    InstrumentDestroyed = "INSTRUMENT_DESTROYED",
    /// The same, when it is to be removed.
    InstrumentAlreadyRemoved = "INSTRUMENT_ALREADY_REMOVED",
    /// Something of the account is reserved, or on its way.
    InstrumentHasPendingActions = "INSTRUMENT_HAS_PENDING_ACTIONS",
    /// Debit cards spend from the account.
    InstrumentHasLinkedCards = "INSTRUMENT_HAS_LINKED_CARDS",
    /// The instrument is not empty.
    BalanceNotZero = "BALANCE_NOT_ZERO",
    /// The card is not plastic.
    InstrumentNotPhysical = "INSTRUMENT_NOT_PHYSICAL",
    /// The card is not empty, so that it cannot end.
    InstrumentNotExpirable = "INSTRUMENT_NOT_EXPIRABLE",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for conflict in ALL {
            assert_eq!(Conflict::from_code(conflict.code()), Some(*conflict));
        }
        assert_eq!(Conflict::from_code("ELSE"), None);
    }
}
