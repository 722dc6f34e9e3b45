//! `POST /consumers`: makes a personal identity and its root user.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service::multi::{IdentityKind, NewIdentity, Person};
use utoipa::ToSchema;

use super::wire::{ConsumerBody, ConsumerSourceOfFunds, SOURCES};
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::fields::{self, Fields};
use crate::multi::invalid::{InvalidField, both};
use crate::multi::people::{
    AddressBody, DateBody, MobileBody, OCCUPATIONS, Occupation, birth, home_address, kept, person,
};
use crate::multi::request_ref::RequestRef;
use crate::multi::wire::succeed;
use crate::multi::{rules, schemas};

/// A consumer to make.
#[derive(ToSchema)]
#[schema(as = ConsumerCreateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CreateConsumerBody {
    #[schema(value_type = schemas::ProfileId)]
    profile_id: String,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    root_user: NewConsumerRootUserBody,
    #[schema(value_type = schemas::IpAddress)]
    ip_address: String,
    accepted_terms: Option<bool>,
    #[schema(value_type = Option<schemas::Currency>)]
    base_currency: Option<String>,
    /// `DEFAULT` is the only one.
    #[schema(value_type = Option<schemas::Free>)]
    fee_group: Option<String>,
    source_of_funds: Option<ConsumerSourceOfFunds>,
    #[schema(value_type = Option<schemas::Free>)]
    source_of_funds_other: Option<String>,
}

/// The person.
#[derive(ToSchema)]
#[schema(as = NewConsumerRootUser, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct NewConsumerRootUserBody {
    #[schema(value_type = schemas::PersonName)]
    name: String,
    #[schema(value_type = schemas::PersonName)]
    surname: String,
    #[schema(value_type = schemas::Email)]
    email: String,
    mobile: MobileBody<'static>,
    date_of_birth: DateBody,
    occupation: Option<Occupation>,
    address: AddressBody<'static>,
    #[schema(value_type = Option<schemas::Free>)]
    place_of_birth: Option<String>,
    #[schema(value_type = Option<schemas::Country>)]
    nationality: Option<String>,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = Option<schemas::Locale>)]
    locale: Option<String>,
    #[schema(value_type = Option<schemas::Brand>)]
    brand: Option<String>,
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "PROFILE_NOT_FOUND",
    "PROFILE_INACTIVE",
    "ROOT_EMAIL_NOT_UNIQUE",
    "CURRENCY_UNSUPPORTED",
    "FEE_GROUP_INVALID",
    "COUNTRY_INVALID",
    "MOBILE_OR_COUNTRY_CODE_INVALID",
    "CONSUMER_ALREADY_EXISTS",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ConsumerCreateConflict = CONFLICTS;
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<NewIdentity, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| NewIdentity {
        kind: IdentityKind::Consumer,
        profile: fields.id("profileId", &rules::PROFILE_ID),
        tag: fields.optional_text("tag", &rules::TAG),
        root: fields.object("rootUser", root_user),
        company: None,
        industry: None,
        source_of_funds: kept(
            fields.optional_choice("sourceOfFunds", SOURCES),
            ConsumerSourceOfFunds::name,
        ),
        source_of_funds_other: fields.optional_text("sourceOfFundsOther", &rules::FREE),
        accepted_terms: fields.optional_flag("acceptedTerms"),
        ip_address: fields.text("ipAddress", &rules::IP_ADDRESS),
        base_currency: fields.optional_text("baseCurrency", &rules::CURRENCY),
        fee_group: fields.optional_text("feeGroup", &rules::FREE),
    })
}

fn root_user(fields: &mut Fields<'_>) -> Person {
    Person {
        date_of_birth: Some(birth(fields)),
        occupation: kept(
            fields.optional_choice("occupation", OCCUPATIONS),
            Occupation::name,
        ),
        address: Some(fields.object("address", home_address)),
        nationality: fields.optional_text("nationality", &rules::COUNTRY),
        place_of_birth: fields.optional_text("placeOfBirth", &rules::FREE),
        ..person(fields, true)
    }
}

/// Create a consumer.
#[utoipa::path(
    post, path = "/consumers", operation_id = "consumerCreate", tag = "Consumers",
    security(("api-key" = [])),
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = CreateConsumerBody,
    responses(
        (status = 200, description = "Made. It may have instruments once it is verified.", body = ConsumerBody),
        (status = 409, description = "The state of things does not allow it.", body = ConsumerCreateConflict),
    ),
)]
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    Extension(request): Extension<RequestRef>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create(&app, &request, &headers, body).await)
}

async fn create(app: &App, request: &RequestRef, headers: &HeaderMap, body: Body) -> Answer {
    let programme = auth::programme(app, headers)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let reference = auth::reference(headers, request);
    let (reference, new) = both(reference, parse(&bytes, strict))?;
    let made = app
        .service()
        .create_identity(&programme, new, reference.as_ref());
    let made = made.await?;
    Ok(succeed(StatusCode::OK, &ConsumerBody::new(&made)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    const GOOD: &str = r#"{
        "profileId": "12",
        "rootUser": {
            "name": "Ada", "surname": "Byron", "email": "ada@example.com",
            "mobile": {"countryCode": "+356", "number": "79000000"},
            "dateOfBirth": {"year": 1980, "month": 12, "day": 10},
            "occupation": "RETIRED", "address": {"country": "MT"}, "placeOfBirth": "London",
            "nationality": "GB"
        },
        "ipAddress": "10.0.0.1"
    }"#;

    #[test]
    fn every_field_is_read() {
        let new = parse(GOOD.as_bytes(), true).expect("it is good");
        assert!(new.company.is_none() && new.base_currency.is_none());
        let root = new.root;
        assert_eq!(root.occupation.as_deref(), Some("RETIRED"));
        let address = root.address.expect("it was given");
        assert_eq!(address.country.as_deref(), Some("MT"));
        assert_eq!(root.nationality.as_deref(), Some("GB"));
        assert_eq!(root.place_of_birth.as_deref(), Some("London"));
        assert_eq!(root.date_of_birth.map(|date| date.day), Some(10));
    }

    #[test]
    fn what_a_person_must_tell() {
        let bare = parse(
            br#"{"profileId":"1","rootUser":{},"ipAddress":"10.0.0.1"}"#,
            true,
        );
        assert_eq!(
            message(&bare.expect_err("much is required")),
            "rootUser.dateOfBirth is required; rootUser.address is required; \
             rootUser.name is required; rootUser.surname is required; \
             rootUser.email is required; rootUser.mobile is required"
        );
    }
}
