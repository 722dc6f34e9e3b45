//! What records say of identities and users.

use serde::{Deserialize, Serialize};
use store::RecordKind;

use super::stored::Facts;

/// Whether an identity is a business or a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// A business.
    Corporate,
    /// A person.
    Consumer,
}

/// A mobile number.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Mobile {
    /// `+` and digits.
    pub country_code: String,
    /// Digits.
    pub number: String,
}

/// A day, as it was written: no calendar is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Date {
    /// 1900 to 2100.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

/// An address. Which parts there must be depends on what it is for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub line1: Option<String>,
    /// What does not fit into the first line.
    pub line2: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The post code.
    pub post_code: Option<String>,
    /// The state or province.
    pub state: Option<String>,
    /// ISO 3166-1, two letters.
    pub country: Option<String>,
}

/// A business.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Company {
    /// Its legal form, in the dialect's words.
    pub kind: String,
    /// Its registered name.
    pub name: String,
    /// Its number in the register.
    pub registration_number: Option<String>,
    /// Where it is registered: ISO 3166-1, two letters.
    pub registration_country: String,
    /// Where it works.
    pub business_address: Option<Address>,
}

/// What is told of somebody who logs in. Which parts there must be depends on who it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Person {
    /// First name.
    pub name: String,
    /// Last name.
    pub surname: String,
    /// E-mail address, as it was written.
    pub email: String,
    /// Mobile number.
    pub mobile: Option<Mobile>,
    /// Day of birth.
    pub date_of_birth: Option<Date>,
    /// A mark to search by.
    pub tag: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// Which templates notifications use.
    pub brand: Option<String>,
    /// Where a user lives: ISO 3166-1, two letters.
    pub country_of_residence: Option<String>,
    /// What a corporate's root user is in the company, in the dialect's words.
    pub company_position: Option<String>,
    /// What a consumer does, in the dialect's words.
    pub occupation: Option<String>,
    /// Where a consumer lives.
    pub address: Option<Address>,
    /// A consumer's nationality: ISO 3166-1, two letters.
    pub nationality: Option<String>,
    /// Where a consumer was born.
    pub place_of_birth: Option<String>,
}

/// What shall change of a person. What is `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct PersonPatch {
    /// First name.
    pub name: Option<String>,
    /// Last name.
    pub surname: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Mobile number.
    pub mobile: Option<Mobile>,
    /// Day of birth.
    pub date_of_birth: Option<Date>,
    /// A mark to search by.
    pub tag: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// Which templates notifications use.
    pub brand: Option<String>,
    /// What a consumer does.
    pub occupation: Option<String>,
    /// Where a consumer lives.
    pub address: Option<Address>,
    /// A consumer's nationality.
    pub nationality: Option<String>,
    /// Where a consumer was born.
    pub place_of_birth: Option<String>,
}

impl Person {
    /// Takes over what the patch says.
    pub(super) fn change(&mut self, patch: &PersonPatch) {
        fn set<T: Clone>(to: &mut T, from: Option<&T>) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        fn put<T: Clone>(to: &mut Option<T>, from: Option<&T>) {
            if from.is_some() {
                *to = from.cloned();
            }
        }
        set(&mut self.name, patch.name.as_ref());
        set(&mut self.surname, patch.surname.as_ref());
        set(&mut self.email, patch.email.as_ref());
        put(&mut self.mobile, patch.mobile.as_ref());
        put(&mut self.date_of_birth, patch.date_of_birth.as_ref());
        put(&mut self.tag, patch.tag.as_ref());
        put(&mut self.locale, patch.locale.as_ref());
        put(&mut self.brand, patch.brand.as_ref());
        put(&mut self.occupation, patch.occupation.as_ref());
        put(&mut self.address, patch.address.as_ref());
        put(&mut self.nationality, patch.nationality.as_ref());
        put(&mut self.place_of_birth, patch.place_of_birth.as_ref());
    }

    /// Whether what due diligence looks at is the same.
    pub(super) fn is_same_to_due_diligence(&self, other: &Person) -> bool {
        self.name == other.name
            && self.surname == other.surname
            && self.email == other.email
            && self.mobile == other.mobile
            && self.date_of_birth == other.date_of_birth
            && self.address == other.address
    }
}

/// What is known of an identity besides its root user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IdentityFacts {
    /// A business or a person.
    pub kind: IdentityKind,
    /// The profile it was made under.
    pub profile: u64,
    /// A mark to search by.
    pub tag: Option<String>,
    /// The business, of a corporate.
    pub company: Option<Company>,
    /// Its industry, in the dialect's words.
    pub industry: Option<String>,
    /// Where its money comes from, in the dialect's words.
    pub source_of_funds: Option<String>,
    /// The same in its own words.
    pub source_of_funds_other: Option<String>,
    /// Whether terms were accepted, if that was told.
    pub accepted_terms: Option<bool>,
    /// From where it was registered.
    pub ip_address: String,
    /// ISO 4217.
    pub base_currency: Option<String>,
    /// Which fees it pays.
    pub fee_group: Option<String>,
    /// Whether due diligence has ended well.
    pub approved: bool,
    /// When it was made: milliseconds since 1970 by the tenant's clock.
    pub created_at_ms: i64,
}

impl Facts for IdentityFacts {
    const KIND: RecordKind = RecordKind::Identity;
}

/// What is known of somebody who logs in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UserFacts {
    /// Whether the identity was made with them.
    pub is_root: bool,
    /// A business's or a person's.
    pub identity: IdentityKind,
    /// Who they are.
    pub person: Person,
    /// Whether they may log in.
    pub active: bool,
    /// Whether the e-mail address is known to be theirs.
    pub email_verified: bool,
    /// Whether the mobile number is known to be theirs.
    pub mobile_verified: bool,
    /// Whether they had a password, from another identity, when they were made.
    pub had_password: bool,
    /// The root user of another identity who is the same person and keeps the password.
    pub(super) keeper: Option<u64>,
    /// What they prove themselves with.
    pub(super) secrets: Secrets,
}

impl Facts for UserFacts {
    const KIND: RecordKind = RecordKind::User;
}

impl UserFacts {
    /// Somebody new, who may log in once there is a password.
    pub(super) fn new(person: Person, identity: IdentityKind, is_root: bool) -> UserFacts {
        UserFacts {
            is_root,
            identity,
            person,
            active: true,
            email_verified: false,
            mobile_verified: false,
            had_password: false,
            keeper: None,
            secrets: Secrets::default(),
        }
    }
}

/// Hashes of passwords, and how often wrong ones were tried.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Secrets {
    /// The password's hash as a PHC string.
    pub password: Option<String>,
    /// Those before it, newest first.
    pub previous: Vec<String>,
    pub attempts: Attempts,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// Wrong passwords in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Attempts {
    /// Since the last right one, or since the last lock.
    pub failed: u32,
    /// Until when no password is looked at: milliseconds since 1970, 0 when it is.
    pub locked_until_ms: i64,
}
