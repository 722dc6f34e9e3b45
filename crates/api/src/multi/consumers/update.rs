//! `PATCH /consumers`: changes the caller's personal identity.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::Currency;
use service::multi::{IdentityKind, IdentityPatch, PersonPatch};
use utoipa::ToSchema;

use super::wire::{ConsumerBody, ConsumerSourceOfFunds, SOURCES};
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::fields::{self, Fields};
use crate::multi::invalid::{InvalidField, Rule};
use crate::multi::people::{
    AddressBody, DateBody, MobileBody, OCCUPATIONS, Occupation, home_address, kept, patch,
};
use crate::multi::wire::succeed;
use crate::multi::{rules, schemas};

/// What to change; what is absent stays.
#[derive(ToSchema)]
#[schema(as = ConsumerUpdateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct UpdateConsumerBody {
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = Option<schemas::ChangedName>)]
    name: Option<String>,
    #[schema(value_type = Option<schemas::ChangedName>)]
    surname: Option<String>,
    #[schema(value_type = Option<schemas::Email>)]
    email: Option<String>,
    mobile: Option<MobileBody<'static>>,
    date_of_birth: Option<DateBody>,
    address: Option<AddressBody<'static>>,
    #[schema(value_type = Option<schemas::Free>)]
    fee_group: Option<String>,
    /// One that there is.
    #[schema(value_type = Option<schemas::Currency>)]
    base_currency: Option<String>,
    occupation: Option<Occupation>,
    source_of_funds: Option<ConsumerSourceOfFunds>,
    #[schema(value_type = Option<schemas::Free>)]
    source_of_funds_other: Option<String>,
    #[schema(value_type = Option<schemas::Free>)]
    place_of_birth: Option<String>,
    #[schema(value_type = Option<schemas::Country>)]
    nationality: Option<String>,
    /// Nothing is counted; not looked at.
    reset_mobile_counter: Option<bool>,
    #[schema(value_type = Option<schemas::Tag>)]
    user_tag: Option<String>,
    #[schema(value_type = Option<schemas::Locale>)]
    locale: Option<String>,
    #[schema(value_type = Option<schemas::Brand>)]
    brand: Option<String>,
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "FEE_GROUP_INVALID",
    "COUNTRY_INVALID",
    "CONSUMER_VERIFIED",
    "EMAIL_NOT_UNIQUE",
    "MOBILE_OR_COUNTRY_CODE_INVALID",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ConsumerUpdateConflict = CONFLICTS;
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<IdentityPatch, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        fields.optional_flag("resetMobileCounter");
        IdentityPatch {
            tag: fields.optional_text("tag", &rules::TAG),
            industry: None,
            source_of_funds: kept(
                fields.optional_choice("sourceOfFunds", SOURCES),
                ConsumerSourceOfFunds::name,
            ),
            source_of_funds_other: fields.optional_text("sourceOfFundsOther", &rules::FREE),
            business_address: None,
            fee_group: fields.optional_text("feeGroup", &rules::FREE),
            base_currency: base_currency(fields),
            root: PersonPatch {
                address: fields.optional_object("address", home_address),
                occupation: kept(
                    fields.optional_choice("occupation", OCCUPATIONS),
                    Occupation::name,
                ),
                nationality: fields.optional_text("nationality", &rules::COUNTRY),
                place_of_birth: fields.optional_text("placeOfBirth", &rules::FREE),
                ..patch(fields, &rules::CHANGED_NAME, "userTag")
            },
        }
    })
}

/// A currency that does not exist is a fault here: this operation has no conflict to tell it by.
fn base_currency(fields: &mut Fields<'_>) -> Option<String> {
    let code = fields.optional_text("baseCurrency", &rules::CURRENCY)?;
    let is_spelt = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_spelt && Currency::parse(&code).is_err() {
        fields.fault("baseCurrency", Rule::NotIn, "must be a currency", &[]);
    }
    Some(code)
}

/// Update a consumer.
#[utoipa::path(
    patch, path = "/consumers", operation_id = "consumerUpdate", tag = "Consumers",
    request_body = UpdateConsumerBody,
    responses(
        (status = 200, description = "As it is now.", body = ConsumerBody),
        (status = 403, description = "The user's identity is no consumer."),
        (status = 409, description = "The state of things does not allow it. Once the consumer is verified, name, address, e-mail, number and birth stay.", body = ConsumerUpdateConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(update(&app, &headers, body).await)
}

async fn update(app: &App, headers: &HeaderMap, body: Body) -> Answer {
    let kind = IdentityKind::Consumer;
    let (programme, caller) = auth::user_of(app, headers, Some(kind))?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let wanted = parse(&bytes, programme.is_strict())?;
    let changed = app
        .service()
        .change_identity(&caller, kind, &wanted, None)
        .await?;
    Ok(succeed(StatusCode::OK, &ConsumerBody::new(&changed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays() {
        let nothing = parse(b"{}", true).expect("nothing is required");
        assert_eq!(nothing, IdentityPatch::default());
        let body = r#"{"address": {"country": "MT"}, "baseCurrency": "EUR", "nationality": "GB"}"#;
        let patch = parse(body.as_bytes(), true).expect("it is good");
        assert!(patch.root.address.is_some());
        let odd = parse(br#"{"baseCurrency":"ZZZ"}"#, true).expect_err("there is none");
        assert_eq!(odd[0].parts().1, Rule::NotIn);
        let odd = parse(br#"{"baseCurrency":"eur"}"#, true).expect_err("not spelt so");
        assert_eq!(odd.len(), 1);
    }
}
