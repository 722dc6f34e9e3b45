//! Why an action, or a whole run, did not do what it was to do.

use super::names::named;

named! {
    /// Why an action failed. The names are those of sequence-api §4.2, and the last one ours.
    pub enum Failure {
        /// The source had less than the action wanted.
        InsufficientFunds = "INSUFFICIENT_FUNDS",
        /// Less than [`super::TRANSFER_MIN_MINOR`] was to be moved.
        LessThanOneDollar = "TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
        /// A balance that the amount rests on is not known.
        NullBalance = "NULL_BALANCE",
        /// The liability's next minimum payment is not known.
        NoMinimumPayment = "ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT",
        /// The liability's last statement is not known.
        NoLastStatement = "ACCOUNT_NO_LAST_STATEMENT_BALANCE",
        /// An account of the action is closed or gone.
        ResourceDeleted = "RESOURCE_DELETED",
        /// An account of the action is blocked, or nothing can be sent to it.
        PaymentNotSupported = "PAYMENT_NOT_SUPPORTED",
        /// The destination cannot record a balance that large.
        PaymentFailed = "PAYMENT_FAILED",
        /// The user's server was not asked for the amount, or did not answer.
        QueryUnanswered = "AMOUNT_QUERY_UNANSWERED",
    }
}

impl Failure {
    /// A sentence for the user.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Failure::InsufficientFunds => "Insufficient funds in source account.",
            Failure::LessThanOneDollar => "The amount to move is less than one dollar.",
            Failure::NullBalance => "The balance of an account is not known.",
            Failure::NoMinimumPayment => "The account has no minimum payment.",
            Failure::NoLastStatement => "The account has no last statement.",
            Failure::ResourceDeleted => "An account does not exist any more.",
            Failure::PaymentNotSupported => "An account does not take part in transfers.",
            Failure::PaymentFailed => "The destination's balance would be too large to record.",
            Failure::QueryUnanswered => "The amount was asked for and not answered.",
        }
    }

    /// Whether it may have passed a little later without anybody doing anything.
    #[must_use]
    pub fn is_passing(self) -> bool {
        matches!(self, Failure::NullBalance | Failure::QueryUnanswered)
    }
}
