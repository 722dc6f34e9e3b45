//! A consumer as JSON.

use serde::Serialize;
use service::multi::Identity;
use utoipa::ToSchema;

use crate::multi::choices::choices;
use crate::multi::people::{AddressBody, DateBody, IdentityIdBody, MobileBody, Occupation};
use crate::multi::schemas;
use crate::multi::wire::{Id, Text64};

choices! {
    /// Where a person's money comes from.
    ConsumerSourceOfFunds, SOURCES {
        /// `PERSONAL_SAVINGS`
        PersonalSavings = "PERSONAL_SAVINGS",
        /// `FAMILY_SAVINGS`
        FamilySavings = "FAMILY_SAVINGS",
        /// `LABOUR_CONTRACT`
        LabourContract = "LABOUR_CONTRACT",
        /// `CIVIL_CONTRACT`
        CivilContract = "CIVIL_CONTRACT",
        /// `RENT`
        Rent = "RENT",
        /// `FUNDS_FROM_OTHER_AUXILIARY_SOURCES`
        FundsFromOtherAuxiliarySources = "FUNDS_FROM_OTHER_AUXILIARY_SOURCES",
        /// `SALE_OF_MOVABLE_ASSETS`
        SaleOfMovableAssets = "SALE_OF_MOVABLE_ASSETS",
        /// `SALE_OF_REAL_ESTATE`
        SaleOfRealEstate = "SALE_OF_REAL_ESTATE",
        /// `ORDINARY_BUSINESS_ACTIVITY`
        OrdinaryBusinessActivity = "ORDINARY_BUSINESS_ACTIVITY",
        /// `DIVIDENDS`
        Dividends = "DIVIDENDS",
        /// `LOAN_FROM_FINANCIAL_INSTITUTIONS_CREDIT_UNIONS`
        LoanFromFinancialInstitutionsCreditUnions = "LOAN_FROM_FINANCIAL_INSTITUTIONS_CREDIT_UNIONS",
        /// `LOAN_FROM_THIRD_PARTIES`
        LoanFromThirdParties = "LOAN_FROM_THIRD_PARTIES",
        /// `INHERITANCE`
        Inheritance = "INHERITANCE",
        /// `SALE_OF_COMPANY_SHARES_BUSINESS`
        SaleOfCompanySharesBusiness = "SALE_OF_COMPANY_SHARES_BUSINESS",
        /// `OTHER`
        Other = "OTHER",
    }
}

/// A consumer. What is absent is left out, never `null`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Consumer)]
pub struct ConsumerBody<'a> {
    id: IdentityIdBody,
    #[schema(value_type = schemas::ProfileId)]
    profile_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Tag, required = false)]
    tag: Option<&'a str>,
    root_user: ConsumerRootUserBody<'a>,
    #[schema(value_type = schemas::Timestamp)]
    creation_timestamp: i64,
    #[schema(value_type = schemas::IpAddress)]
    ip_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    accepted_terms: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Currency, required = false)]
    base_currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    fee_group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ConsumerSourceOfFunds, required = false)]
    source_of_funds: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    source_of_funds_other: Option<&'a str>,
}

/// The person that a consumer is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConsumerRootUser)]
pub struct ConsumerRootUserBody<'a> {
    /// The identity's.
    id: IdentityIdBody,
    name: &'a str,
    surname: &'a str,
    #[schema(value_type = schemas::Email)]
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = true, nullable = false)]
    mobile: Option<MobileBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Occupation, required = false)]
    occupation: Option<&'a str>,
    /// Whether they may log in.
    active: bool,
    email_verified: bool,
    mobile_number_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = DateBody, required = false)]
    date_of_birth: Option<DateBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = AddressBody, required = false)]
    address: Option<AddressBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Country, required = false)]
    nationality: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    place_of_birth: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Tag, required = false)]
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Locale, required = false)]
    locale: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Brand, required = false)]
    brand: Option<&'a str>,
}

impl<'a> ConsumerBody<'a> {
    /// A consumer as it is.
    pub(in crate::multi) fn new(identity: &'a Identity) -> ConsumerBody<'a> {
        let facts = &identity.facts.facts;
        ConsumerBody {
            id: IdentityIdBody::new(facts.kind, identity.facts.id),
            profile_id: Text64(facts.profile),
            tag: facts.tag.as_deref(),
            root_user: ConsumerRootUserBody::new(identity),
            creation_timestamp: facts.created_at_ms,
            ip_address: &facts.ip_address,
            accepted_terms: facts.accepted_terms,
            base_currency: facts.base_currency.as_deref(),
            fee_group: facts.fee_group.as_deref(),
            source_of_funds: facts.source_of_funds.as_deref(),
            source_of_funds_other: facts.source_of_funds_other.as_deref(),
        }
    }
}

impl<'a> ConsumerRootUserBody<'a> {
    fn new(identity: &'a Identity) -> ConsumerRootUserBody<'a> {
        let facts = &identity.root.facts;
        let person = &facts.person;
        ConsumerRootUserBody {
            id: IdentityIdBody::new(facts.identity, identity.root.id),
            name: &person.name,
            surname: &person.surname,
            email: &person.email,
            mobile: person.mobile.as_ref().map(MobileBody::from),
            occupation: person.occupation.as_deref(),
            active: facts.active,
            email_verified: facts.email_verified,
            mobile_number_verified: facts.mobile_verified,
            date_of_birth: person.date_of_birth.map(DateBody::from),
            address: person.address.as_ref().map(AddressBody::from),
            nationality: person.nationality.as_deref(),
            place_of_birth: person.place_of_birth.as_deref(),
            tag: person.tag.as_deref(),
            locale: person.locale.as_deref(),
            brand: person.brand.as_deref(),
        }
    }
}
