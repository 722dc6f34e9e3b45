//! A managed account as JSON.

use ledger::{Account, Currency, ProfileId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::multi::instruments::{BalancesBody, StateBody};
use crate::multi::schemas;
use crate::multi::wire::{Id, Text64, currency_code};

/// A managed account. What is absent is left out, never `null`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedAccount)]
pub struct ManagedAccountBody<'a> {
    #[schema(value_type = schemas::Id)]
    pub(in crate::multi) id: Id,
    /// `0` for an account that was opened without a profile, through another API.
    #[schema(value_type = schemas::ProfileId)]
    pub(in crate::multi) profile_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Tag, required = false)]
    pub(in crate::multi) tag: Option<&'a str>,
    #[schema(value_type = schemas::FriendlyName)]
    pub(in crate::multi) friendly_name: &'a str,
    #[serde(serialize_with = "currency_code")]
    #[schema(value_type = schemas::Currency)]
    pub(in crate::multi) currency: Currency,
    pub(in crate::multi) balances: BalancesBody,
    pub(in crate::multi) state: StateBody,
    #[schema(value_type = schemas::Timestamp)]
    pub(in crate::multi) creation_timestamp: i64,
}

impl<'a> ManagedAccountBody<'a> {
    /// An account as it is, or as it was answered.
    pub(in crate::multi) fn of(account: &'a Account) -> ManagedAccountBody<'a> {
        ManagedAccountBody {
            id: Text64(account.id.raw()),
            profile_id: Text64(account.profile.map_or(0, ProfileId::raw)),
            tag: account.tag.as_deref(),
            friendly_name: &account.name,
            currency: account.currency,
            balances: BalancesBody::of(account),
            state: StateBody::of(account),
            creation_timestamp: account.created_at.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::instruments::InstrumentState;

    #[test]
    fn an_account_is_written_as_documented() {
        let account = ManagedAccountBody {
            id: Text64(1),
            profile_id: Text64(2),
            tag: None,
            friendly_name: "Main",
            currency: Currency::EUR,
            balances: BalancesBody {
                available_balance: 900,
                actual_balance: 1000,
            },
            state: StateBody {
                state: InstrumentState::Active,
                blocked_reason: None,
                destroyed_reason: None,
            },
            creation_timestamp: 5,
        };
        assert_eq!(
            serde_json::to_string(&account).expect("names are texts"),
            r#"{"id":"1","profileId":"2","friendlyName":"Main","currency":"EUR","balances":{"availableBalance":900,"actualBalance":1000},"state":{"state":"ACTIVE"},"creationTimestamp":5}"#
        );
    }
}
