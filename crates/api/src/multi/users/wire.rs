//! A user as JSON.

use serde::Serialize;
use service::multi::User;
use utoipa::ToSchema;

use crate::multi::people::{DateBody, IdentityIdBody, MobileBody};
use crate::multi::schemas;
use crate::multi::wire::{Id, Text64};

/// A user. What is absent is left out, never `null`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct UserBody<'a> {
    #[schema(value_type = schemas::Id)]
    id: Id,
    identity: IdentityIdBody,
    name: &'a str,
    surname: &'a str,
    #[schema(value_type = schemas::Email)]
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MobileBody, required = false)]
    mobile: Option<MobileBody<'a>>,
    /// Whether they may log in.
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = DateBody, required = false)]
    date_of_birth: Option<DateBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Tag, required = false)]
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Country, required = false)]
    country_of_residence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Locale, required = false)]
    locale: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Brand, required = false)]
    brand: Option<&'a str>,
}

impl<'a> From<&'a User> for UserBody<'a> {
    fn from(user: &'a User) -> UserBody<'a> {
        let person = &user.facts.person;
        UserBody {
            id: Text64(user.id),
            identity: IdentityIdBody::new(user.facts.identity, user.owner.raw()),
            name: &person.name,
            surname: &person.surname,
            email: &person.email,
            mobile: person.mobile.as_ref().map(MobileBody::from),
            active: user.facts.active,
            date_of_birth: person.date_of_birth.map(DateBody::from),
            tag: person.tag.as_deref(),
            country_of_residence: person.country_of_residence.as_deref(),
            locale: person.locale.as_deref(),
            brand: person.brand.as_deref(),
        }
    }
}
