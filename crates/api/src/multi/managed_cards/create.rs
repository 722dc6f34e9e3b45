//! `POST /managed_cards`: makes a card under a profile.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, AccountId, Currency, InstrumentClass, ProfileId};
use service::multi::{IdentityKind, NewInstrument, Surface};
use utoipa::ToSchema;

use super::details::{
    BillingAddress, CardDetails, DigitalWallets, ExternalData, RenewalType, ThreeDSecure,
    TimeoutDecision,
};
use super::issue::StoredCard;
use super::wire::{CardMode, MODES, ManagedCardBody};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::request_ref::RequestRef;
use crate::multi::wire::succeed;
use crate::multi::{auth, errors, fields, idempotency, rules, schemas};
use crate::{App, metrics};

/// A card to make. A prepaid card needs `currency`, a debit card `parentManagedAccountId`.
#[derive(ToSchema)]
#[schema(as = ManagedCardRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CreateCardBody {
    #[schema(value_type = schemas::ProfileId)]
    profile_id: String,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = schemas::FriendlyName)]
    friendly_name: String,
    #[schema(value_type = schemas::NameOnCard)]
    name_on_card: String,
    #[schema(value_type = Option<schemas::NameLine>)]
    name_on_card_line2: Option<String>,
    #[schema(value_type = Option<schemas::MobileNumber>)]
    cardholder_mobile_number: Option<String>,
    billing_address: BillingAddress,
    digital_wallets: Option<DigitalWallets>,
    auth_forwarding_default_timeout_decision: Option<TimeoutDecision>,
    #[schema(rename = "threeDSecureAuthConfig")]
    three_d_secure: Option<ThreeDSecure>,
    #[schema(max_items = 10)]
    external_data: Option<Vec<ExternalData>>,
    renewal_type: Option<RenewalType>,
    #[schema(value_type = Option<schemas::Id>)]
    user_id: Option<String>,
    mode: CardMode,
    /// Of a prepaid card.
    #[schema(value_type = Option<schemas::Currency>)]
    currency: Option<String>,
    /// Of a debit card: the account that it spends from.
    #[schema(value_type = Option<schemas::Id>)]
    parent_managed_account_id: Option<String>,
    /// A currency to show a debit card's purchases in.
    #[schema(value_type = Option<schemas::Currency>)]
    user_currency: Option<String>,
}

/// What is asked for. Ids of 0 are nobody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct CreateCard {
    pub profile: u64,
    pub tag: Option<String>,
    pub friendly_name: String,
    pub details: CardDetails,
    pub mode: CardMode,
    /// Three capitals, perhaps of no currency; set for prepaid cards.
    pub currency: Option<String>,
    /// Set for debit cards.
    pub parent: Option<u64>,
    /// A currency to show purchases in, which no programme here has enabled.
    pub user_currency: Option<String>,
}

impl CreateCard {
    fn new_instrument(self, kind: IdentityKind) -> NewInstrument {
        let holder = self.details.holder();
        let currency = self.currency.as_deref().map(Currency::parse);
        NewInstrument {
            profile: ProfileId::new(self.profile),
            class: InstrumentClass::Card,
            name: Arc::from(self.friendly_name),
            currency: currency.and_then(Result::ok),
            parent: self.parent.map(AccountId::new),
            tag: self.tag.map(Arc::from),
            details: Some(Arc::from(StoredCard::new(kind, self.details).render())),
            holder,
            has_user_currency: self.user_currency.is_some(),
        }
    }
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    Extension(request): Extension<RequestRef>,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match create(&app, surface, request, &parts, body).await {
            Ok(card) => succeed(StatusCode::OK, &ManagedCardBody::of(&card)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiCreateCard", answer).await
}

async fn create(
    app: &App,
    surface: Surface,
    request: RequestRef,
    parts: &Parts,
    body: Body,
) -> Result<Account, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let (reference, new) = both(
        idempotency::reference(&parts.headers),
        parse(&bytes, call.strict),
    )?;
    let reference = idempotency::bind(reference, request);
    let (actor, new) = (call.actor(), new.new_instrument(call.caller.identity));
    let opened = app
        .service()
        .open_instrument(&actor, new, reference.as_ref());
    Ok(opened.await?)
}

/// Reads the body.
pub(in crate::multi) fn parse(bytes: &[u8], strict: bool) -> Result<CreateCard, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        let profile = fields.id("profileId", &rules::PROFILE_ID);
        let tag = fields.optional_text("tag", &rules::TAG);
        let friendly_name = fields.text("friendlyName", &rules::FRIENDLY_NAME);
        let details = CardDetails::read(fields);
        let has_mode = fields.has("mode");
        let mode = fields.choice("mode", MODES);
        // What a card of the other mode would need is read as well, and not used.
        let needs = |field: &str, fields: &fields::Fields<'_>| {
            let needed = match mode {
                CardMode::Prepaid => "currency",
                CardMode::Debit => "parentManagedAccountId",
            };
            has_mode && field == needed && !fields.has(field)
        };
        if needs("currency", fields) {
            fields.text("currency", &rules::CURRENCY);
        }
        if needs("parentManagedAccountId", fields) {
            fields.id("parentManagedAccountId", &rules::ID);
        }
        let currency = fields.optional_text("currency", &rules::CURRENCY);
        let parent = fields.optional_id("parentManagedAccountId", &rules::ID);
        let user_currency = fields.optional_text("userCurrency", &rules::CURRENCY);
        let is_prepaid = mode == CardMode::Prepaid;
        CreateCard {
            profile,
            tag,
            friendly_name,
            details,
            mode,
            currency: currency.filter(|_| is_prepaid),
            parent: parent.filter(|_| !is_prepaid),
            user_currency: user_currency.filter(|_| !is_prepaid),
        }
    })
}

/// Why a card can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "PAYMENT_MODEL_CONSTRAINTS_VIOLATED",
    "PROFILE_NOT_FOUND",
    "PROFILE_INACTIVE",
    "CURRENCY_NOT_SUPPORTED_BY_PROFILE",
    "PROVIDER_NOT_SUPPORTED_BY_PROFILE",
    "INSTRUMENT_NOT_FOUND",
    "COUNTRY_INVALID",
    "OWNER_IDENTITY_NOT_VERIFIED",
    "IDENTITY_LIMITS_EXCEEDED",
    "PROGRAMME_LIMITS_EXCEEDED",
    "INNOVATOR_LIMITS_EXCEEDED",
    "SYSTEM_LIMITS_EXCEEDED",
    "PARENT_MANAGED_ACCOUNT_NOT_ACTIVE",
    "PARENT_MANAGED_ACCOUNT_NOT_FOUND",
    "WALLETS_NOT_ENABLED",
    "WALLET_ARTWORK_NOT_SPECIFIED",
    "WALLET_ARTWORK_INVALID",
    "IDENTITY_KYC_LEVEL_STEPUP_REQUIRED",
    "PUSHPROVISIONING_NOT_ENABLED",
    "AUTH_FORWARDING_NOT_ENABLED",
    "USER_NOT_ENROLLED_FOR_BIOMETRICS",
    "BIOMETRIC_AUTHENTICATION_NOT_SUPPORTED",
    "LINKED_USER_NOT_FOUND",
    "USER_INACTIVE",
    "INVALID_CHANNELS_SELECTED",
    "INVALID_PRIMARY_CHANNEL_SELECTED",
    "USER_MOBILE_NUMBER_DOES_NOT_EXIST",
    "MORE_THAN_ONE_MOBILE_NUMBER_PROVIDED",
    "MOBILE_NUMBER_ALREADY_EXISTS",
    "TWILIO_AUTHY_AUTHENTICATION_NOT_SUPPORTED",
    "USER_NOT_ENROLLED_FOR_TWILIO_AUTHY",
    "RENEWAL_TYPE_NOT_SUPPORTED_BY_PROFILE",
    "USER_CURRENCY_NOT_ENABLED",
    "USER_CURRENCY_NOT_SUPPORTED_BY_PROFILE",
    "USER_CURRENCY_SAME_AS_BASE_CURRENCY",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ManagedCardConflict = CONFLICTS;
}

/// Create a managed card.
#[utoipa::path(
    post, path = "/managed_cards", operation_id = "managedCardCreate", tag = "Managed Cards",
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = CreateCardBody,
    responses(
        (status = 200, description = "Made.", body = ManagedCardBody),
        (status = 409, description = "The state of things does not allow it.", body = ManagedCardConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "profileId": "1", "friendlyName": "Travel", "nameOnCard": "Zoë Borg",
        "billingAddress": {"addressLine1": "1 Road", "city": "Valletta", "postCode": "VLT 1", "country": "MT"},
        "mode": "PREPAID_MODE", "currency": "EUR"
    }"#;

    fn faults(body: &str) -> Vec<String> {
        let faults = parse(body.as_bytes(), true).err().unwrap_or_default();
        let tell = |fault: &InvalidField| {
            let (name, rule, _) = fault.parts();
            format!("{name} {rule:?}")
        };
        faults.iter().map(tell).collect()
    }

    #[test]
    fn a_card_needs_what_its_mode_needs() {
        let card = parse(GOOD.as_bytes(), true).expect("all is there");
        assert_eq!((card.currency.as_deref(), card.parent), (Some("EUR"), None));
        assert_eq!(card.details.name_on_card, "Zoë Borg");
        let debit = GOOD.replace("PREPAID", "DEBIT");
        assert_eq!(faults(&debit), ["parentManagedAccountId Required"]);
        let debit = debit.replace(r#""currency": "EUR""#, r#""parentManagedAccountId": "9""#);
        let card = parse(debit.as_bytes(), true).expect("all is there");
        assert_eq!((card.currency, card.parent), (None, Some(9)));
        let prepaid = debit.replace("DEBIT", "PREPAID");
        assert_eq!(faults(&prepaid), ["currency Required"]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let expected = [
            "profileId Required",
            "friendlyName Required",
            "nameOnCard Required",
            "billingAddress Required",
            "mode Required",
        ];
        assert_eq!(faults("{}"), expected);
        let address = GOOD.replace("\"MT\"", "\"Malta\"").replace("1 Road", "");
        let expected = [
            "billingAddress.addressLine1 Size",
            "billingAddress.country Size",
            "billingAddress.country Regex",
        ];
        assert_eq!(faults(&address), expected);
        let more = |more: &str| GOOD.replacen('{', &format!("{{{more},"), 1);
        let twice = r#""externalData":[{"name":"a","value":"b"},{"name":"a","value":"b"}]"#;
        assert_eq!(faults(&more(twice)), ["externalData In"]);
        let wrong = r#""renewalType":"NEVER","digitalWallets":{"walletsEnabled":"yes"},
            "cardholderMobileNumber":"123","userId":"x","threeDSecureAuthConfig":{}"#;
        let expected = [
            "cardholderMobileNumber Size",
            "cardholderMobileNumber Regex",
            "digitalWallets.walletsEnabled Regex",
            "threeDSecureAuthConfig.linkedUserId Required",
            "threeDSecureAuthConfig.primaryChannel Required",
            "renewalType NotIn",
            "userId Regex",
        ];
        assert_eq!(faults(&more(wrong)), expected);
        let number = r#""cardNumber":"4111111111111111""#;
        assert_eq!(faults(&more(number)), ["cardNumber NotIn"]);
    }

    #[test]
    fn a_name_at_both_sides_of_its_bounds() {
        let named = |name: &str| faults(&GOOD.replace("Zoë Borg", name));
        assert!(named(&"n".repeat(27)).is_empty());
        assert_eq!(named(&"n".repeat(28)), ["nameOnCard Size"]);
        assert_eq!(named(""), ["nameOnCard Size"]);
    }
}
