//! What a card carries beside its account: kept as JSON with it, in the words of the wire.
//!
//! The ledger does not look at any of this. There is no card number in it and no code: what a card
//! has are the last four digits and the months of its validity.

use serde::{Deserialize, Serialize};
use service::multi::Holder;
use utoipa::ToSchema;

use crate::multi::choices::choices;
use crate::multi::fields::Fields;
use crate::multi::invalid::Rule;
use crate::multi::{rules, schemas};

choices! {
    /// What happens to a card when it is about to expire.
    #[derive(Default)]
    #[schema(as = CardRenewalType)]
    RenewalType, RENEWAL_TYPES {
        /// It gets a new date.
        Renew = "RENEW",
        /// It ends.
        #[default]
        NoRenew = "NO_RENEW",
    }
}

choices! {
    /// What to decide when whoever is asked for an authorisation does not answer in time.
    TimeoutDecision, TIMEOUT_DECISIONS {
        /// Yes.
        Approve = "APPROVE",
        /// No.
        Decline = "DECLINE",
    }
}

choices! {
    /// How a cardholder proves a purchase.
    #[derive(Default)]
    Channel, CHANNELS {
        /// A code by text message.
        #[default]
        OtpSms = "OTP_SMS",
        /// A fingerprint or a face.
        Biometrics = "BIOMETRICS",
        /// A push message.
        TwilioAuthy = "TWILIO_AUTHY",
    }
}

choices! {
    /// How a cardholder proves a purchase when the first way fails.
    FallbackChannel, FALLBACK_CHANNELS {
        /// A code by text message.
        OtpSms = "OTP_SMS",
    }
}

/// Where the cardholder lives.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillingAddress {
    #[schema(value_type = schemas::AddressLine)]
    address_line1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::AddressLine2, required = false)]
    address_line2: Option<String>,
    #[schema(value_type = schemas::Place)]
    city: String,
    #[schema(value_type = schemas::PostCode)]
    post_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Place, required = false)]
    state: Option<String>,
    #[schema(value_type = schemas::Country)]
    country: String,
}

impl BillingAddress {
    fn read(fields: &mut Fields<'_>) -> BillingAddress {
        BillingAddress {
            address_line1: fields.text("addressLine1", &rules::ADDRESS_LINE),
            address_line2: fields.optional_text("addressLine2", &rules::ADDRESS_LINE_2),
            city: fields.text("city", &rules::PLACE),
            post_code: fields.text("postCode", &rules::POST_CODE),
            state: fields.optional_text("state", &rules::PLACE),
            country: fields.text("country", &rules::COUNTRY),
        }
    }
}

/// Whether a card can be put into a digital wallet.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DigitalWallets {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    push_provisioning_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    wallets_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Artwork, required = false)]
    artwork_reference: Option<String>,
}

impl DigitalWallets {
    fn read(fields: &mut Fields<'_>) -> DigitalWallets {
        DigitalWallets {
            push_provisioning_enabled: fields.optional_flag("pushProvisioningEnabled"),
            wallets_enabled: fields.optional_flag("walletsEnabled"),
            artwork_reference: fields.optional_text("artworkReference", &rules::ARTWORK),
        }
    }
}

/// Whose proof counts for purchases; superseded by `userId`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ThreeDSecureAuthConfig)]
pub struct ThreeDSecure {
    #[schema(value_type = schemas::Id)]
    linked_user_id: String,
    primary_channel: Channel,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = FallbackChannel, required = false)]
    fallback_channel: Option<FallbackChannel>,
}

impl ThreeDSecure {
    fn read(fields: &mut Fields<'_>) -> ThreeDSecure {
        ThreeDSecure {
            linked_user_id: fields.text("linkedUserId", &rules::ID),
            primary_channel: fields.choice("primaryChannel", CHANNELS),
            fallback_channel: fields.optional_choice("fallbackChannel", FALLBACK_CHANNELS),
        }
    }
}

/// Something the caller keeps with a card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExternalData {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::External, required = false)]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::External, required = false)]
    value: Option<String>,
}

/// Entries of `externalData`.
const EXTERNAL_MAX: usize = 10;

fn external_data(fields: &mut Fields<'_>) -> Option<Vec<ExternalData>> {
    let read = |fields: &mut Fields<'_>| ExternalData {
        name: fields.optional_text("name", &rules::EXTERNAL),
        value: fields.optional_text("value", &rules::EXTERNAL),
    };
    let data = fields.optional_objects("externalData", 0..=EXTERNAL_MAX, read)?;
    let repeats = |(index, entry)| data.iter().skip(index).skip(1).any(|other| other == entry);
    if data.iter().enumerate().any(repeats) {
        let reason = "must not have an entry twice";
        fields.fault("externalData", Rule::In, reason, &[]);
    }
    Some(data)
}

/// What the caller can set and change.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardDetails {
    #[schema(value_type = schemas::NameLine)]
    pub(in crate::multi) name_on_card: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::NameLine, required = false)]
    pub(in crate::multi) name_on_card_line2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::MobileNumber, required = false)]
    pub(in crate::multi) cardholder_mobile_number: Option<String>,
    pub(in crate::multi) billing_address: BillingAddress,
    pub(in crate::multi) digital_wallets: DigitalWallets,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TimeoutDecision, required = false)]
    pub(in crate::multi) auth_forwarding_default_timeout_decision: Option<TimeoutDecision>,
    #[serde(
        rename = "threeDSecureAuthConfig",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = ThreeDSecure, required = false)]
    pub(in crate::multi) three_d_secure: Option<ThreeDSecure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<ExternalData>, required = false)]
    pub(in crate::multi) external_data: Option<Vec<ExternalData>>,
    pub(in crate::multi) renewal_type: RenewalType,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Id, required = false)]
    pub(in crate::multi) user_id: Option<String>,
}

impl CardDetails {
    /// Reads what a card is made with.
    pub(super) fn read(fields: &mut Fields<'_>) -> CardDetails {
        let name_on_card = fields.text("nameOnCard", &rules::NAME_ON_CARD);
        let has_address = fields.has("billingAddress");
        let changes = DetailChanges::read(fields);
        if !has_address {
            // Says that it is required.
            fields.object("billingAddress", BillingAddress::read);
        }
        CardDetails {
            name_on_card,
            ..CardDetails::default()
        }
        .with(changes)
    }

    /// Who holds the card.
    pub(super) fn holder(&self) -> Holder {
        holder(
            Some(&self.billing_address),
            self.user_id.as_deref(),
            self.three_d_secure.as_ref(),
        )
    }

    /// The details with what a change has set.
    pub(in crate::multi) fn with(self, changes: DetailChanges) -> CardDetails {
        CardDetails {
            name_on_card: changes.name_on_card.unwrap_or(self.name_on_card),
            name_on_card_line2: changes.name_on_card_line2.or(self.name_on_card_line2),
            cardholder_mobile_number: changes
                .cardholder_mobile_number
                .or(self.cardholder_mobile_number),
            billing_address: changes.billing_address.unwrap_or(self.billing_address),
            digital_wallets: changes.digital_wallets.unwrap_or(self.digital_wallets),
            auth_forwarding_default_timeout_decision: changes
                .timeout_decision
                .or(self.auth_forwarding_default_timeout_decision),
            three_d_secure: changes.three_d_secure.or(self.three_d_secure),
            external_data: changes.external_data.or(self.external_data),
            renewal_type: changes.renewal_type.unwrap_or(self.renewal_type),
            user_id: changes.user_id.or(self.user_id),
        }
    }
}

/// What of a card's details is to be set; `None` leaves a field as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::multi) struct DetailChanges {
    name_on_card: Option<String>,
    name_on_card_line2: Option<String>,
    cardholder_mobile_number: Option<String>,
    billing_address: Option<BillingAddress>,
    digital_wallets: Option<DigitalWallets>,
    timeout_decision: Option<TimeoutDecision>,
    three_d_secure: Option<ThreeDSecure>,
    external_data: Option<Vec<ExternalData>>,
    renewal_type: Option<RenewalType>,
    user_id: Option<String>,
}

/// Users of 0 are nobody.
fn holder(
    address: Option<&BillingAddress>,
    user: Option<&str>,
    three_d_secure: Option<&ThreeDSecure>,
) -> Holder {
    let linked = three_d_secure.map(|config| &*config.linked_user_id);
    let users = user.into_iter().chain(linked);
    Holder {
        country: address.map(|address| address.country.clone()),
        users: users.map(|id| rules::id_number(id).unwrap_or(0)).collect(),
    }
}

impl DetailChanges {
    /// Who holds the card from now on, as far as that changes.
    pub(super) fn holder(&self) -> Holder {
        holder(
            self.billing_address.as_ref(),
            self.user_id.as_deref(),
            self.three_d_secure.as_ref(),
        )
    }

    /// Reads what is there.
    pub(super) fn read(fields: &mut Fields<'_>) -> DetailChanges {
        let mobile = &rules::MOBILE_NUMBER;
        DetailChanges {
            name_on_card: fields.optional_text("nameOnCard", &rules::NAME_LINE),
            name_on_card_line2: fields.optional_text("nameOnCardLine2", &rules::NAME_LINE),
            cardholder_mobile_number: fields.optional_text("cardholderMobileNumber", mobile),
            billing_address: fields.optional_object("billingAddress", BillingAddress::read),
            digital_wallets: fields.optional_object("digitalWallets", DigitalWallets::read),
            timeout_decision: fields
                .optional_choice("authForwardingDefaultTimeoutDecision", TIMEOUT_DECISIONS),
            three_d_secure: fields.optional_object("threeDSecureAuthConfig", ThreeDSecure::read),
            external_data: external_data(fields),
            renewal_type: fields.optional_choice("renewalType", RENEWAL_TYPES),
            user_id: fields.optional_text("userId", &rules::ID),
        }
    }
}
