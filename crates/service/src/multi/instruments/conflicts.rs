//! The ledger's refusals of an instrument in the dialect's codes.
//!
//! Each operation has its own few codes (the published data of 3.63.4), so some refusals share the
//! one that says most of it; where that is not plain the reason stands beside it.

use ledger::{Account, AccountState, InstrumentClass, Rejection};
use store::StoreError;

use super::{Refused, is_missing};
use crate::multi::error::Conflict;

/// Why an instrument could not be opened.
pub(super) fn of_opening(rejection: &Rejection) -> Option<Conflict> {
    Some(match rejection {
        Rejection::ProfileNotFound => Conflict::ProfileNotFound,
        Rejection::ProfileInactive => Conflict::ProfileInactive,
        // A code of no currency comes as no currency.
        Rejection::CurrencyNotInProfile
        | Rejection::Invalid {
            field: "currency", ..
        } => Conflict::CurrencyNotSupportedByProfile,
        // The profile says how its cards pay; a card that shall pay the other way is against it.
        Rejection::Invalid {
            field: "parent", ..
        } => Conflict::PaymentModelConstraintsViolated,
        Rejection::ParentNotFound => Conflict::ParentManagedAccountNotFound,
        Rejection::ParentNotActive => Conflict::ParentManagedAccountNotActive,
        _ => return None,
    })
}

/// Why `account` could not be brought into the state that was wanted.
pub(super) fn of_state(
    class: InstrumentClass,
    account: &Account,
    wanted: AccountState,
    rejection: &Rejection,
) -> Option<Conflict> {
    use AccountState::{Active, Blocked, Destroyed};
    let card = class == InstrumentClass::Card;
    let missing = card && is_missing(account);
    Some(match (wanted, rejection) {
        (Blocked, Rejection::AlreadyInState { state: Blocked }) if missing => {
            Conflict::InstrumentMarkedLostStolen
        }
        (Blocked, Rejection::AlreadyInState { state: Blocked }) => {
            Conflict::InstrumentAlreadyBlocked
        }
        (Active, Rejection::AlreadyInState { state: Active }) => Conflict::InstrumentNotBlocked,
        (Active, Rejection::BlockedByOther) if missing => Conflict::InstrumentMarkedLostStolen,
        // Cards have no code for a block of the operator's: there is none of the user's to lift.
        (Active, Rejection::BlockedByOther) if card => Conflict::InstrumentNotBlocked,
        (Active, Rejection::BlockedByOther) => Conflict::InstrumentInactive,
        (Destroyed, Rejection::AlreadyInState { .. }) => Conflict::InstrumentAlreadyRemoved,
        (_, Rejection::AlreadyInState { state: Destroyed }) => Conflict::InstrumentDestroyed,
        (Destroyed, Rejection::BalanceNotZero { .. }) => Conflict::BalanceNotZero,
        // "A card must be empty": one with money reserved, coming or going is not.
        (Destroyed, Rejection::AccountInUse) if card => Conflict::BalanceNotZero,
        (Destroyed, Rejection::AccountInUse) => Conflict::InstrumentHasPendingActions,
        (Destroyed, Rejection::LinkedCards) => Conflict::InstrumentHasLinkedCards,
        _ => return None,
    })
}

/// Every refusal that can be remembered with a reference of these operations. What an instrument
/// holds is no part of any: removing has no reference.
const REMEMBERED: [Rejection; 14] = [
    Rejection::OwnerNotFound,
    Rejection::AccountNotFound,
    Rejection::ProfileNotFound,
    Rejection::ProfileInactive,
    Rejection::CurrencyNotInProfile,
    Rejection::Invalid {
        field: "currency",
        reason: "is required",
    },
    Rejection::Invalid {
        field: "parent",
        reason: "is required for a debit card",
    },
    Rejection::Invalid {
        field: "parent",
        reason: "is for debit cards only",
    },
    Rejection::ParentNotFound,
    Rejection::ParentNotActive,
    Rejection::AlreadyInState {
        state: AccountState::Active,
    },
    Rejection::AlreadyInState {
        state: AccountState::Blocked,
    },
    Rejection::AlreadyInState {
        state: AccountState::Destroyed,
    },
    Rejection::BlockedByOther,
];

/// The refusal that was remembered as this code and text.
pub(super) fn remembered(code: &str, message: &str) -> Refused {
    if let Some(conflict) = Conflict::from_code(code) {
        return Refused::Conflict(conflict);
    }
    let known = REMEMBERED
        .into_iter()
        .find(|known| known.code() == code && known.to_string() == message);
    match known {
        Some(rejection) => Refused::Rejected(rejection),
        None => StoreError::Corrupt(format!("a refusal {code} is remembered").into()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remembered_refusal_reads_back() {
        for rejection in REMEMBERED {
            let read = remembered(rejection.code(), &rejection.to_string());
            assert!(
                matches!(&read, Refused::Rejected(known) if *known == rejection),
                "{rejection:?}"
            );
        }
        let conflict = Conflict::OwnerIdentityNotVerified;
        let read = remembered(conflict.code(), "");
        assert!(matches!(read, Refused::Conflict(known) if known == conflict));
        assert!(matches!(remembered("else", ""), Refused::Error(_)));
    }
}
