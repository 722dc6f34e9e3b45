//! A corporate as JSON.

use serde::Serialize;
use service::multi::{Company, Identity};
use utoipa::ToSchema;

use crate::multi::choices::choices;
use crate::multi::people::{
    AddressBody, BusinessAddressBody, CompanyPosition, DateBody, IdentityIdBody, MobileBody,
};
use crate::multi::schemas;
use crate::multi::wire::{Id, Text64};

choices! {
    /// A company's legal form.
    CompanyType, COMPANY_TYPES {
        /// One person.
        SoleTrader = "SOLE_TRADER",
        /// A limited liability company.
        Llc = "LLC",
        /// A public limited company.
        PublicLimitedCompany = "PUBLIC_LIMITED_COMPANY",
        /// A limited liability partnership.
        LimitedLiabilityPartnership = "LIMITED_LIABILITY_PARTNERSHIP",
        /// Not for profit.
        NonProfitOrganisation = "NON_PROFIT_ORGANISATION",
    }
}

choices! {
    /// What a company does.
    Industry, INDUSTRIES {
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
    }
}

choices! {
    /// Where a company's money comes from.
    CorporateSourceOfFunds, SOURCES {
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
        /// `SALE_OF_COMPANY_SHARES_BUSINESS`
        SaleOfCompanySharesBusiness = "SALE_OF_COMPANY_SHARES_BUSINESS",
        /// `OTHER`
        Other = "OTHER",
        /// `DONATION`
        Donation = "DONATION",
        /// `INHERITANCE`
        Inheritance = "INHERITANCE",
        /// `ORIGIN_OF_FUNDS_UNKNOWN`
        OriginOfFundsUnknown = "ORIGIN_OF_FUNDS_UNKNOWN",
    }
}

/// A corporate. What is absent is left out, never `null`.
pub type CorporateBody<'a> = CorporateOf<'a, CorporateRootUserBody<'a>>;
/// The answer that made one, which tells more of the root user.
pub type CreatedCorporateBody<'a> = CorporateOf<'a, CreatedRootUserBody<'a>>;

/// A corporate with its root user told in one way or the other.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Corporate)]
pub struct CorporateOf<'a, R> {
    id: IdentityIdBody,
    #[schema(value_type = schemas::ProfileId)]
    profile_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Tag, required = false)]
    tag: Option<&'a str>,
    root_user: R,
    company: CompanyBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Industry, required = false)]
    industry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CorporateSourceOfFunds, required = false)]
    source_of_funds: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    source_of_funds_other: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    accepted_terms: Option<bool>,
    #[schema(value_type = schemas::IpAddress)]
    ip_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Currency, required = true)]
    base_currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Free, required = false)]
    fee_group: Option<&'a str>,
    #[schema(value_type = schemas::Timestamp)]
    creation_timestamp: i64,
}

/// The user that a corporate was made with.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CorporateRootUser)]
pub struct CorporateRootUserBody<'a> {
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
    #[schema(value_type = CompanyPosition, required = true)]
    company_position: Option<&'a str>,
    /// Whether they may log in.
    active: bool,
    email_verified: bool,
    mobile_number_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = DateBody, required = false)]
    date_of_birth: Option<DateBody>,
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

/// The same when the corporate was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreatedCorporateRootUser)]
pub struct CreatedRootUserBody<'a> {
    #[serde(flatten)]
    user: CorporateRootUserBody<'a>,
    /// Whether they have a password from another identity.
    password_already_set: bool,
}

/// A business.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Company)]
pub struct CompanyBody<'a> {
    #[schema(value_type = schemas::CompanyName)]
    name: &'a str,
    #[schema(value_type = CompanyType)]
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::RegistrationNumber, required = false)]
    registration_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BusinessAddressBody, required = false)]
    business_address: Option<AddressBody<'a>>,
    #[schema(value_type = schemas::Country)]
    country_of_registration: &'a str,
}

impl<'a> CompanyBody<'a> {
    fn new(company: Option<&'a Company>) -> CompanyBody<'a> {
        let text = |read: fn(&Company) -> &String| company.map_or("", |company| read(company));
        CompanyBody {
            name: text(|company| &company.name),
            r#type: text(|company| &company.kind),
            registration_number: company.and_then(|c| c.registration_number.as_deref()),
            business_address: company
                .and_then(|c| c.business_address.as_ref())
                .map(AddressBody::from),
            country_of_registration: text(|company| &company.registration_country),
        }
    }
}

impl<'a> CorporateBody<'a> {
    /// A corporate as it is.
    pub(in crate::multi) fn new(identity: &'a Identity) -> CorporateBody<'a> {
        CorporateOf::with(identity, CorporateRootUserBody::new(identity))
    }
}

impl<'a> CreatedCorporateBody<'a> {
    /// A corporate that was just made.
    pub(in crate::multi) fn created(identity: &'a Identity) -> CreatedCorporateBody<'a> {
        let root = CreatedRootUserBody {
            user: CorporateRootUserBody::new(identity),
            password_already_set: identity.root.facts.had_password,
        };
        CorporateOf::with(identity, root)
    }
}

impl<'a, R> CorporateOf<'a, R> {
    fn with(identity: &'a Identity, root_user: R) -> CorporateOf<'a, R> {
        let facts = &identity.facts.facts;
        CorporateOf {
            id: IdentityIdBody::new(facts.kind, identity.facts.id),
            profile_id: Text64(facts.profile),
            tag: facts.tag.as_deref(),
            root_user,
            company: CompanyBody::new(facts.company.as_ref()),
            industry: facts.industry.as_deref(),
            source_of_funds: facts.source_of_funds.as_deref(),
            source_of_funds_other: facts.source_of_funds_other.as_deref(),
            accepted_terms: facts.accepted_terms,
            ip_address: &facts.ip_address,
            base_currency: facts.base_currency.as_deref(),
            fee_group: facts.fee_group.as_deref(),
            creation_timestamp: facts.created_at_ms,
        }
    }
}

impl<'a> CorporateRootUserBody<'a> {
    fn new(identity: &'a Identity) -> CorporateRootUserBody<'a> {
        let facts = &identity.root.facts;
        let person = &facts.person;
        CorporateRootUserBody {
            id: IdentityIdBody::new(facts.identity, identity.root.id),
            name: &person.name,
            surname: &person.surname,
            email: &person.email,
            mobile: person.mobile.as_ref().map(MobileBody::from),
            company_position: person.company_position.as_deref(),
            active: facts.active,
            email_verified: facts.email_verified,
            mobile_number_verified: facts.mobile_verified,
            date_of_birth: person.date_of_birth.map(DateBody::from),
            tag: person.tag.as_deref(),
            locale: person.locale.as_deref(),
            brand: person.brand.as_deref(),
        }
    }
}
