//! A managed card as JSON.

use ledger::{Account, AccountKind, Currency, ProfileId};
use serde::Serialize;
use utoipa::ToSchema;

use super::details::CardDetails;
use super::issue::{CardIssue, StoredCard};
use crate::multi::choices::choices;
use crate::multi::instruments::{BalancesBody, StateBody};
use crate::multi::schemas;
use crate::multi::wire::{Id, Text64, currency_code};

choices! {
    /// Whether a card has money of its own.
    CardMode, MODES {
        /// It has a balance of its own.
        Prepaid = "PREPAID_MODE",
        /// It spends from its parent account.
        Debit = "DEBIT_MODE",
    }
}

/// Something that this server never has: always without a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[schema(as = Sensitive)]
pub struct NothingBody {}

/// A managed card. What is absent is left out, never `null`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedCard)]
pub struct ManagedCardBody<'a> {
    #[schema(value_type = schemas::Id)]
    pub(in crate::multi) id: Id,
    #[schema(value_type = schemas::ProfileId)]
    pub(in crate::multi) profile_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Tag, required = false)]
    pub(in crate::multi) tag: Option<&'a str>,
    #[schema(value_type = schemas::FriendlyName)]
    pub(in crate::multi) friendly_name: &'a str,
    /// A debit card's is that of its parent account.
    #[serde(serialize_with = "currency_code")]
    #[schema(value_type = schemas::Currency)]
    pub(in crate::multi) currency: Currency,
    pub(in crate::multi) state: StateBody,
    pub(in crate::multi) mode: CardMode,
    /// Set for prepaid cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BalancesBody, required = false)]
    pub(in crate::multi) balances: Option<BalancesBody>,
    /// Set for debit cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Id, required = false)]
    pub(in crate::multi) parent_managed_account_id: Option<Id>,
    #[serde(flatten)]
    pub(in crate::multi) issue: CardIssue,
    pub(in crate::multi) card_number: NothingBody,
    pub(in crate::multi) cvv: NothingBody,
    #[serde(flatten)]
    pub(in crate::multi) details: CardDetails,
    #[schema(value_type = schemas::Timestamp)]
    pub(in crate::multi) creation_timestamp: i64,
}

impl<'a> ManagedCardBody<'a> {
    /// A card as it is, or as it was answered.
    pub(in crate::multi) fn of(account: &'a Account) -> ManagedCardBody<'a> {
        let stored = StoredCard::of(account);
        let mode = CardMode::of(account.kind);
        ManagedCardBody {
            id: Text64(account.id.raw()),
            profile_id: Text64(account.profile.map_or(0, ProfileId::raw)),
            tag: account.tag.as_deref(),
            friendly_name: &account.name,
            currency: account.currency,
            state: StateBody::of(account),
            mode,
            balances: (mode == CardMode::Prepaid).then(|| BalancesBody::of(account)),
            parent_managed_account_id: account.parent.map(|parent| Text64(parent.raw())),
            issue: CardIssue::of(account, &stored),
            card_number: NothingBody {},
            cvv: NothingBody {},
            details: stored.details,
            creation_timestamp: account.created_at.0,
        }
    }
}

impl CardMode {
    fn of(kind: AccountKind) -> CardMode {
        match kind {
            AccountKind::DebitCard => CardMode::Debit,
            _ => CardMode::Prepaid,
        }
    }

    /// The kind of account that cards of this mode are.
    pub(in crate::multi) fn kind(self) -> AccountKind {
        match self {
            CardMode::Prepaid => AccountKind::PrepaidCard,
            CardMode::Debit => AccountKind::DebitCard,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::issue::{CardBrand, CardClassification, CardType};
    use super::*;
    use crate::multi::instruments::InstrumentState;

    fn issue() -> CardIssue {
        CardIssue {
            external_handle: "h".to_owned(),
            r#type: CardType::Virtual,
            card_brand: CardBrand::Mastercard,
            card_number_first_six: "555555",
            card_number_last_four: "0042".to_owned(),
            start_mmyy: "0127".to_owned(),
            expiry_mmyy: "0130".to_owned(),
            card_level_classification: CardClassification::Corporate,
            expiry_period_months: 36,
        }
    }

    #[test]
    fn a_card_has_every_field_that_the_published_shape_requires() {
        let card = ManagedCardBody {
            id: Text64(1),
            profile_id: Text64(2),
            tag: None,
            friendly_name: "Travel",
            currency: Currency::EUR,
            state: StateBody {
                state: InstrumentState::Active,
                blocked_reason: None,
                destroyed_reason: None,
            },
            mode: CardMode::Debit,
            balances: None,
            parent_managed_account_id: Some(Text64(9)),
            issue: issue(),
            card_number: NothingBody {},
            cvv: NothingBody {},
            details: CardDetails::default(),
            creation_timestamp: 5,
        };
        let card = serde_json::to_value(&card).expect("names are texts");
        for name in [
            "externalHandle",
            "cardBrand",
            "cardLevelClassification",
            "creationTimestamp",
            "currency",
            "expiryPeriodMonths",
            "friendlyName",
            "id",
            "nameOnCard",
            "profileId",
            "renewalType",
            "type",
            "mode",
            "state",
            "cardNumber",
            "cvv",
            "cardNumberFirstSix",
            "cardNumberLastFour",
            "startMmyy",
            "expiryMmyy",
            "billingAddress",
            "digitalWallets",
            "parentManagedAccountId",
        ] {
            assert!(card.get(name).is_some(), "{name}");
        }
        assert_eq!(card["cardNumber"], json!({}));
        assert_eq!(card["cvv"], json!({}));
        let nulls = |value: &Value| {
            value
                .as_object()
                .is_some_and(|o| o.values().any(Value::is_null))
        };
        assert!(!nulls(&card) && !nulls(&card["billingAddress"]));
    }
}
