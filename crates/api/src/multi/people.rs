//! What is told of identities and of people: ids, names, numbers, addresses.

use serde::Serialize;
use service::multi::{
    Address, Credentials, Date, IdentityKind, Mobile, Person, PersonPatch, TokenKind,
};
use utoipa::ToSchema;

use super::choices::choices;
use super::fields::Fields;
use super::wire::{Id, Text64};
use super::{rules, schemas};

choices! {
    /// A business or a person.
    IdentityType, IDENTITY_TYPES {
        /// A person.
        Consumer = "CONSUMER",
        /// A business.
        Corporate = "CORPORATE",
    }
}

/// What kind of user somebody is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum CredentialType {
    /// The one an identity was made with.
    Root,
    /// One who was added.
    User,
}

/// What a token is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenType {
    /// For `GET /identities` and `POST /access_token`.
    Auth,
    /// For everything.
    Access,
}

choices! {
    /// What a corporate's root user is in the company.
    CompanyPosition, COMPANY_POSITIONS {
        /// A director.
        Director = "DIRECTOR",
        /// Somebody who may sign for it.
        AuthorisedRepresentative = "AUTHORISED_REPRESENTATIVE",
    }
}

choices! {
    /// What a consumer does.
    Occupation, OCCUPATIONS {
        /// `ACCOUNTING`
        Accounting = "ACCOUNTING",
        /// `AUDIT`
        Audit = "AUDIT",
        /// `FINANCE`
        Finance = "FINANCE",
        /// `PUBLIC_SECTOR_ADMINISTRATION`
        PublicSectorAdministration = "PUBLIC_SECTOR_ADMINISTRATION",
        /// `ART_ENTERTAINMENT`
        ArtEntertainment = "ART_ENTERTAINMENT",
        /// `AUTO_AVIATION`
        AutoAviation = "AUTO_AVIATION",
        /// `BANKING_LENDING`
        BankingLending = "BANKING_LENDING",
        /// `BUSINESS_CONSULTANCY_LEGAL`
        BusinessConsultancyLegal = "BUSINESS_CONSULTANCY_LEGAL",
        /// `CONSTRUCTION_REPAIR`
        ConstructionRepair = "CONSTRUCTION_REPAIR",
        /// `EDUCATION_PROFESSIONAL_SERVICES`
        EducationProfessionalServices = "EDUCATION_PROFESSIONAL_SERVICES",
        /// `INFORMATIONAL_TECHNOLOGIES`
        InformationalTechnologies = "INFORMATIONAL_TECHNOLOGIES",
        /// `TOBACCO_ALCOHOL`
        TobaccoAlcohol = "TOBACCO_ALCOHOL",
        /// `GAMING_GAMBLING`
        GamingGambling = "GAMING_GAMBLING",
        /// `MEDICAL_SERVICES`
        MedicalServices = "MEDICAL_SERVICES",
        /// `MANUFACTURING`
        Manufacturing = "MANUFACTURING",
        /// `PR_MARKETING`
        PrMarketing = "PR_MARKETING",
        /// `PRECIOUS_GOODS_JEWELRY`
        PreciousGoodsJewelry = "PRECIOUS_GOODS_JEWELRY",
        /// `NON_GOVERNMENTAL_ORGANIZATION`
        NonGovernmentalOrganization = "NON_GOVERNMENTAL_ORGANIZATION",
        /// `INSURANCE_SECURITY`
        InsuranceSecurity = "INSURANCE_SECURITY",
        /// `RETAIL_WHOLESALE`
        RetailWholesale = "RETAIL_WHOLESALE",
        /// `TRAVEL_TOURISM`
        TravelTourism = "TRAVEL_TOURISM",
        /// `FREELANCER`
        Freelancer = "FREELANCER",
        /// `STUDENT`
        Student = "STUDENT",
        /// `UNEMPLOYED`
        Unemployed = "UNEMPLOYED",
        /// `RETIRED`
        Retired = "RETIRED",
        /// `OTHER`
        Other = "OTHER",
    }
}

impl From<IdentityKind> for IdentityType {
    fn from(kind: IdentityKind) -> IdentityType {
        match kind {
            IdentityKind::Corporate => IdentityType::Corporate,
            IdentityKind::Consumer => IdentityType::Consumer,
        }
    }
}

impl From<TokenKind> for TokenType {
    fn from(kind: TokenKind) -> TokenType {
        match kind {
            TokenKind::Auth => TokenType::Auth,
            TokenKind::Access => TokenType::Access,
        }
    }
}

/// An identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = IdentityId)]
pub struct IdentityIdBody {
    r#type: IdentityType,
    #[schema(value_type = schemas::Id)]
    id: Id,
}

impl IdentityIdBody {
    /// The identity with this number.
    pub(super) fn new(kind: IdentityKind, id: u64) -> IdentityIdBody {
        IdentityIdBody {
            r#type: kind.into(),
            id: Text64(id),
        }
    }
}

/// An identity, as a request names it. Id 0 is nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct IdentityRef {
    /// A business or a person.
    pub kind: IdentityKind,
    /// Its id.
    pub id: u64,
}

impl Default for IdentityRef {
    fn default() -> IdentityRef {
        IdentityRef {
            kind: IdentityKind::Consumer,
            id: 0,
        }
    }
}

impl IdentityRef {
    /// Reads the object.
    pub(super) fn read(fields: &mut Fields<'_>) -> IdentityRef {
        IdentityRef {
            kind: match fields.choice("type", IDENTITY_TYPES) {
                IdentityType::Corporate => IdentityKind::Corporate,
                IdentityType::Consumer => IdentityKind::Consumer,
            },
            id: fields.id("id", &rules::ID),
        }
    }
}

/// A user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = CredentialId)]
pub struct CredentialBody {
    r#type: CredentialType,
    #[schema(value_type = schemas::Id)]
    id: Id,
}

impl CredentialBody {
    /// The user with this number.
    pub(super) fn new(credentials: Credentials, id: u64) -> CredentialBody {
        CredentialBody {
            r#type: match credentials {
                Credentials::Root => CredentialType::Root,
                Credentials::User => CredentialType::User,
            },
            id: Text64(id),
        }
    }
}

/// A mobile number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Mobile)]
pub struct MobileBody<'a> {
    #[schema(value_type = schemas::CallingCode)]
    country_code: &'a str,
    #[schema(value_type = schemas::Subscriber)]
    number: &'a str,
}

impl<'a> From<&'a Mobile> for MobileBody<'a> {
    fn from(mobile: &'a Mobile) -> MobileBody<'a> {
        MobileBody {
            country_code: &mobile.country_code,
            number: &mobile.number,
        }
    }
}

fn mobile(fields: &mut Fields<'_>) -> Mobile {
    Mobile {
        country_code: fields.text("countryCode", &rules::CALLING_CODE),
        number: fields.text("number", &rules::SUBSCRIBER),
    }
}

/// A day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = Date)]
pub struct DateBody {
    #[schema(minimum = 1900, maximum = 2100)]
    year: i64,
    #[schema(minimum = 1, maximum = 12)]
    month: i64,
    #[schema(minimum = 1, maximum = 31)]
    day: i64,
}

impl From<Date> for DateBody {
    fn from(date: Date) -> DateBody {
        let Date { year, month, day } = date;
        DateBody { year, month, day }
    }
}

fn date(fields: &mut Fields<'_>) -> Date {
    Date {
        year: fields.integer("year", 1900..=2100),
        month: fields.integer("month", 1..=12),
        day: fields.integer("day", 1..=31),
    }
}

/// An address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HomeAddress)]
pub struct AddressBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    address_line1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    address_line2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::PostCode, required = false)]
    post_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Place, required = false)]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Country, required = true)]
    country: Option<&'a str>,
}

/// The address of a business.
#[derive(ToSchema)]
#[schema(as = Address, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct BusinessAddressBody {
    #[schema(value_type = schemas::AddressLine)]
    address_line1: String,
    #[schema(value_type = Option<schemas::AddressLine2>)]
    address_line2: Option<String>,
    #[schema(value_type = schemas::Place)]
    city: String,
    #[schema(value_type = schemas::PostCode)]
    post_code: String,
    #[schema(value_type = Option<schemas::Place>)]
    state: Option<String>,
    #[schema(value_type = schemas::Country)]
    country: String,
}

impl<'a> From<&'a Address> for AddressBody<'a> {
    fn from(address: &'a Address) -> AddressBody<'a> {
        AddressBody {
            address_line1: address.line1.as_deref(),
            address_line2: address.line2.as_deref(),
            city: address.city.as_deref(),
            post_code: address.post_code.as_deref(),
            state: address.state.as_deref(),
            country: address.country.as_deref(),
        }
    }
}

/// Reads the address of a business.
pub(super) fn business_address(fields: &mut Fields<'_>) -> Address {
    Address {
        line1: Some(fields.text("addressLine1", &rules::ADDRESS_LINE)),
        line2: fields.optional_text("addressLine2", &rules::ADDRESS_LINE_2),
        city: Some(fields.text("city", &rules::PLACE)),
        post_code: Some(fields.text("postCode", &rules::POST_CODE)),
        state: fields.optional_text("state", &rules::PLACE),
        country: Some(fields.text("country", &rules::COUNTRY)),
    }
}

/// Reads the address of a person.
pub(super) fn home_address(fields: &mut Fields<'_>) -> Address {
    Address {
        line1: fields.optional_text("addressLine1", &rules::FREE),
        line2: fields.optional_text("addressLine2", &rules::FREE),
        city: fields.optional_text("city", &rules::FREE),
        post_code: fields.optional_text("postCode", &rules::POST_CODE),
        state: fields.optional_text("state", &rules::PLACE),
        country: Some(fields.text("country", &rules::COUNTRY)),
    }
}

/// Reads what everybody who logs in is asked for. The mobile number must be there if `reachable`.
pub(super) fn person(fields: &mut Fields<'_>, reachable: bool) -> Person {
    Person {
        name: fields.text("name", &rules::PERSON_NAME),
        surname: fields.text("surname", &rules::PERSON_NAME),
        email: fields.text("email", &rules::EMAIL),
        mobile: match reachable {
            true => Some(fields.object("mobile", mobile)),
            false => fields.optional_object("mobile", mobile),
        },
        date_of_birth: fields.optional_object("dateOfBirth", date),
        tag: fields.optional_text("tag", &rules::TAG),
        locale: fields.optional_text("locale", &rules::LOCALE),
        brand: fields.optional_text("brand", &rules::BRAND),
        ..Person::default()
    }
}

/// Reads what can be changed of everybody who logs in; names of root users are told differently,
/// and so is their tag.
pub(super) fn patch(fields: &mut Fields<'_>, name: &rules::Text, tag: &str) -> PersonPatch {
    PersonPatch {
        name: fields.optional_text("name", name),
        surname: fields.optional_text("surname", name),
        email: fields.optional_text("email", &rules::EMAIL),
        mobile: fields.optional_object("mobile", mobile),
        date_of_birth: fields.optional_object("dateOfBirth", date),
        tag: fields.optional_text(tag, &rules::TAG),
        locale: fields.optional_text("locale", &rules::LOCALE),
        brand: fields.optional_text("brand", &rules::BRAND),
        ..PersonPatch::default()
    }
}

/// A day of birth that must be there.
pub(super) fn birth(fields: &mut Fields<'_>) -> Date {
    fields.object("dateOfBirth", date)
}

/// The value of a closed set as it is kept.
pub(super) fn kept<T>(choice: Option<T>, name: impl FnOnce(T) -> &'static str) -> Option<String> {
    choice.map(|choice| name(choice).to_owned())
}
