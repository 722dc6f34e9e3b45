//! `PATCH /managed_cards/{id}`: changes what a card carries.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, AccountId, InstrumentClass};
use service::multi::{InstrumentChange, Surface};
use utoipa::ToSchema;

use super::details::{
    BillingAddress, DetailChanges, DigitalWallets, ExternalData, RenewalType, ThreeDSecure,
    TimeoutDecision,
};
use super::issue::StoredCard;
use super::wire::ManagedCardBody;
use crate::http::PathText;
use crate::multi::body::{self, BODY_MAX};
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::wire::{path_id, succeed};
use crate::multi::{auth, fields, rules, schemas};
use crate::{App, metrics};

/// What to change; what is absent stays.
#[derive(ToSchema)]
#[schema(as = ManagedCardUpdateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct UpdateCardBody {
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = Option<schemas::FriendlyName>)]
    friendly_name: Option<String>,
    #[schema(value_type = Option<schemas::NameLine>)]
    name_on_card: Option<String>,
    #[schema(value_type = Option<schemas::NameLine>)]
    name_on_card_line2: Option<String>,
    #[schema(value_type = Option<schemas::MobileNumber>)]
    cardholder_mobile_number: Option<String>,
    billing_address: Option<BillingAddress>,
    digital_wallets: Option<DigitalWallets>,
    auth_forwarding_default_timeout_decision: Option<TimeoutDecision>,
    #[schema(rename = "threeDSecureAuthConfig")]
    three_d_secure: Option<ThreeDSecure>,
    #[schema(max_items = 10)]
    external_data: Option<Vec<ExternalData>>,
    renewal_type: Option<RenewalType>,
    #[schema(value_type = Option<schemas::Id>)]
    user_id: Option<String>,
}

/// What is asked for; `None` leaves a field as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct UpdateCard {
    pub tag: Option<String>,
    pub friendly_name: Option<String>,
    pub details: DetailChanges,
    /// Whether a field was given that only plastic cards have: 409 `INSTRUMENT_NOT_PHYSICAL`.
    pub needs_plastic: bool,
}

/// Fields of plastic cards, which nobody can order here.
const PLASTIC: &[&str] = &[
    "deliveryAddress",
    "deliveryMethod",
    "bulkDelivery",
    "activationCode",
    "productReference",
    "carrierType",
];

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match update(&app, surface, id, &parts, body).await {
            Ok(card) => succeed(StatusCode::OK, &ManagedCardBody::of(&card)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiUpdateCard", answer).await
}

async fn update(
    app: &App,
    surface: Surface,
    id: PathText,
    parts: &Parts,
    body: Body,
) -> Result<Account, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let (id, update) = both(path_id("id", id), parse(&bytes, call.strict))?;
    let (actor, id, class) = (call.actor(), AccountId::new(id), InstrumentClass::Card);
    let change = InstrumentChange {
        name: update.friendly_name.map(Arc::from),
        tag: update.tag.map(Arc::from),
        holder: update.details.holder(),
        needs_plastic: update.needs_plastic,
    };
    let details = |card: &Account| {
        let before = StoredCard::of(card);
        let after = StoredCard {
            details: before.details.clone().with(update.details.clone()),
            ..before.clone()
        };
        (after != before).then(|| Arc::from(after.render()))
    };
    let changed = app
        .service()
        .change_instrument(&actor, class, id, change, details);
    Ok(changed.await?)
}

/// Reads the body.
pub(in crate::multi) fn parse(bytes: &[u8], strict: bool) -> Result<UpdateCard, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        let tag = fields.optional_text("tag", &rules::TAG);
        let friendly_name = fields.optional_text("friendlyName", &rules::FRIENDLY_NAME);
        let details = DetailChanges::read(fields);
        let plastic = PLASTIC.iter().filter(|field| fields.ignored(field));
        UpdateCard {
            tag,
            friendly_name,
            details,
            needs_plastic: plastic.count() > 0,
        }
    })
}

/// Why a change can be refused by the state of things, as far as it can happen here.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "INSTRUMENT_DESTROYED",
    "INSTRUMENT_NOT_PHYSICAL",
    "COUNTRY_INVALID",
    "WALLETS_NOT_ENABLED",
    "WALLET_ARTWORK_NOT_SPECIFIED",
    "WALLET_ARTWORK_INVALID",
    "PUSHPROVISIONING_NOT_ENABLED",
    "AUTH_FORWARDING_NOT_ENABLED",
    "THREEDS_DETAILS_NOT_PROVIDED",
    "LINKED_USER_NOT_FOUND",
    "USER_INACTIVE",
    "RENEWAL_TYPE_NOT_SUPPORTED_BY_PROFILE",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ManagedCardUpdateConflict = CONFLICTS;
}

/// Update a managed card.
#[utoipa::path(
    patch, path = "/managed_cards/{id}", operation_id = "managedCardUpdate", tag = "Managed Cards",
    params(("id" = schemas::Id, Path, description = "The card.")),
    request_body = UpdateCardBody,
    responses(
        (status = 200, description = "As it is now.", body = ManagedCardBody),
        (status = 404, description = "The caller's identity has no such card.", body = ErrorBody),
        (status = 409, description = "The state of things does not allow it.", body = ManagedCardUpdateConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::super::details::CardDetails;
    use super::*;

    fn read(body: &str) -> UpdateCard {
        parse(body.as_bytes(), true).expect("nothing is wrong")
    }

    #[test]
    fn a_change_sets_what_it_names() {
        let before = CardDetails {
            name_on_card: "Old".to_owned(),
            user_id: Some("7".to_owned()),
            ..CardDetails::default()
        };
        let nothing = read("{}");
        assert_eq!(before.clone().with(nothing.details), before);
        let change = read(r#"{"nameOnCard":"New","renewalType":"RENEW"}"#);
        let after = before.clone().with(change.details);
        assert_eq!(after.name_on_card, "New");
        assert_eq!(after.renewal_type, RenewalType::Renew);
        assert_eq!(after.user_id, before.user_id);
    }

    #[test]
    fn what_only_plastic_has_is_noticed() {
        assert!(!read("{}").needs_plastic);
        for field in PLASTIC {
            assert!(
                read(&format!(r#"{{"{field}":true}}"#)).needs_plastic,
                "{field}"
            );
        }
    }
}
