//! `POST /corporates`: makes a business identity and its root user.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use service::multi::{Company, IdentityKind, NewIdentity, Person};
use utoipa::ToSchema;

use super::wire::{
    COMPANY_TYPES, CompanyType, CorporateOf, CorporateSourceOfFunds, CreatedCorporateBody,
    CreatedRootUserBody, INDUSTRIES, Industry, SOURCES,
};
use crate::App;
use crate::multi::auth::{self, Answer, finish};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::fields::{self, Fields};
use crate::multi::invalid::{InvalidField, both};
use crate::multi::people::{
    BusinessAddressBody, COMPANY_POSITIONS, CompanyPosition, DateBody, MobileBody,
    business_address, kept, person,
};
use crate::multi::request_ref::RequestRef;
use crate::multi::wire::succeed;
use crate::multi::{rules, schemas};

/// A corporate to make.
#[derive(ToSchema)]
#[schema(as = CorporateCreateRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CreateCorporateBody {
    #[schema(value_type = schemas::ProfileId)]
    profile_id: String,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    root_user: NewCorporateRootUserBody,
    company: NewCompanyBody,
    industry: Option<Industry>,
    source_of_funds: Option<CorporateSourceOfFunds>,
    #[schema(value_type = Option<schemas::Free>)]
    source_of_funds_other: Option<String>,
    accepted_terms: Option<bool>,
    #[schema(value_type = schemas::IpAddress)]
    ip_address: String,
    #[schema(value_type = schemas::Currency)]
    base_currency: String,
    /// `DEFAULT` is the only one.
    #[schema(value_type = Option<schemas::Free>)]
    fee_group: Option<String>,
}

/// The user to make it with.
#[derive(ToSchema)]
#[schema(as = NewCorporateRootUser, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct NewCorporateRootUserBody {
    #[schema(value_type = schemas::PersonName)]
    name: String,
    #[schema(value_type = schemas::PersonName)]
    surname: String,
    #[schema(value_type = schemas::Email)]
    email: String,
    mobile: MobileBody<'static>,
    company_position: CompanyPosition,
    date_of_birth: Option<DateBody>,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    #[schema(value_type = Option<schemas::Locale>)]
    locale: Option<String>,
    #[schema(value_type = Option<schemas::Brand>)]
    brand: Option<String>,
}

/// The business.
#[derive(ToSchema)]
#[schema(as = NewCompany, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct NewCompanyBody {
    r#type: CompanyType,
    business_address: Option<BusinessAddressBody>,
    #[schema(value_type = schemas::CompanyName)]
    name: String,
    #[schema(value_type = Option<schemas::RegistrationNumber>)]
    registration_number: Option<String>,
    #[schema(value_type = schemas::Country)]
    registration_country: String,
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
    "ROOT_USER_INACTIVE",
    "ROOT_EMAIL_NOT_VERIFIED",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    CorporateCreateConflict = CONFLICTS;
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<NewIdentity, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| NewIdentity {
        kind: IdentityKind::Corporate,
        profile: fields.id("profileId", &rules::PROFILE_ID),
        tag: fields.optional_text("tag", &rules::TAG),
        root: fields.object("rootUser", root_user),
        company: Some(fields.object("company", company)),
        industry: kept(
            fields.optional_choice("industry", INDUSTRIES),
            Industry::name,
        ),
        source_of_funds: kept(
            fields.optional_choice("sourceOfFunds", SOURCES),
            CorporateSourceOfFunds::name,
        ),
        source_of_funds_other: fields.optional_text("sourceOfFundsOther", &rules::FREE),
        accepted_terms: fields.optional_flag("acceptedTerms"),
        ip_address: fields.text("ipAddress", &rules::IP_ADDRESS),
        base_currency: Some(fields.text("baseCurrency", &rules::CURRENCY)),
        fee_group: fields.optional_text("feeGroup", &rules::FREE),
    })
}

fn root_user(fields: &mut Fields<'_>) -> Person {
    let position = fields.choice("companyPosition", COMPANY_POSITIONS);
    Person {
        company_position: Some(position.name().to_owned()),
        ..person(fields, true)
    }
}

fn company(fields: &mut Fields<'_>) -> Company {
    Company {
        kind: fields.choice("type", COMPANY_TYPES).name().to_owned(),
        name: fields.text("name", &rules::COMPANY_NAME),
        registration_number: fields
            .optional_text("registrationNumber", &rules::REGISTRATION_NUMBER),
        registration_country: fields.text("registrationCountry", &rules::COUNTRY),
        business_address: fields.optional_object("businessAddress", business_address),
    }
}

/// Create a corporate.
#[utoipa::path(
    post, path = "/corporates", operation_id = "corporateCreate", tag = "Corporates",
    security(("api-key" = [])),
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = CreateCorporateBody,
    responses(
        (status = 200, description = "Made. It may have instruments once it is verified.", body = CorporateOf<'static, CreatedRootUserBody<'static>>),
        (status = 409, description = "The state of things does not allow it.", body = CorporateCreateConflict),
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
    Ok(succeed(
        StatusCode::OK,
        &CreatedCorporateBody::created(&made),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    const GOOD: &str = r#"{
        "profileId": "12", "tag": "t",
        "rootUser": {
            "name": "Ada", "surname": "Byron", "email": "ada@example.com",
            "mobile": {"countryCode": "+356", "number": "79000000"},
            "companyPosition": "DIRECTOR",
            "dateOfBirth": {"year": 1980, "month": 12, "day": 10},
            "tag": "r", "locale": "en-GB", "brand": "Engines"
        },
        "company": {
            "type": "LLC", "name": "Engines Ltd", "registrationNumber": "C1",
            "registrationCountry": "MT",
            "businessAddress": {
                "addressLine1": "1, Strait Street", "city": "Valletta", "postCode": "VLT 1000",
                "country": "MT"
            }
        },
        "industry": "ACCOUNTING", "sourceOfFunds": "OTHER", "sourceOfFundsOther": "sales",
        "acceptedTerms": true, "ipAddress": "10.0.0.1", "baseCurrency": "EUR",
        "feeGroup": "DEFAULT"
    }"#;

    #[test]
    fn every_field_is_read() {
        let new = parse(GOOD.as_bytes(), true).expect("it is good");
        let company = new.company.expect("it was given");
        assert_eq!((&*company.kind, &*company.name), ("LLC", "Engines Ltd"));
        assert_eq!(company.registration_country, "MT");
        let address = company.business_address.expect("it was given");
        assert_eq!(address.city.as_deref(), Some("Valletta"));
        let root = new.root;
        assert_eq!(root.company_position.as_deref(), Some("DIRECTOR"));
        assert_eq!(root.date_of_birth.map(|date| date.month), Some(12));
        assert_eq!(
            root.mobile.map(|mobile| mobile.number),
            Some("79000000".to_owned())
        );
        assert_eq!(new.profile, 12);
        assert_eq!(new.industry.as_deref(), Some("ACCOUNTING"));
        assert_eq!(new.base_currency.as_deref(), Some("EUR"));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let empty = parse(b"{}", false).expect_err("much is required");
        assert_eq!(
            message(&empty),
            "profileId is required; rootUser is required; company is required; \
             ipAddress is required; baseCurrency is required"
        );
        let body = r#"{
            "profileId": "x", "ipAddress": "1", "baseCurrency": "eur",
            "rootUser": {
                "name": " ", "surname": "B", "email": "ada", "companyPosition": "BOSS",
                "mobile": {"countryCode": "356", "number": "1234567890123"},
                "dateOfBirth": {"year": 1899, "month": 13, "day": 0}, "locale": "EN"
            },
            "company": {"type": "GMBH", "name": "E", "registrationCountry": "mt"}
        }"#;
        let faults = parse(body.as_bytes(), false).expect_err("much is wrong");
        let names: Vec<&str> = faults.iter().map(|fault| fault.parts().0).collect();
        assert_eq!(
            names,
            [
                "profileId",
                "rootUser.companyPosition",
                "rootUser.name",
                "rootUser.email",
                "rootUser.mobile.countryCode",
                "rootUser.mobile.number",
                "rootUser.dateOfBirth.year",
                "rootUser.dateOfBirth.month",
                "rootUser.dateOfBirth.day",
                "rootUser.locale",
                "company.type",
                "company.registrationCountry",
                "ipAddress",
                "baseCurrency",
            ]
        );
    }
}
