//! The kinds of text as components of the document, written from [`super::rules`].
//!
//! A wire type names one with `#[schema(value_type = schemas::Tag)]`, a parameter as its type.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::query::LIMIT_MAX;
use super::rules::{self, Text};

/// A text's schema: what is checked, no more and no less.
pub(super) fn schema(text: &Text) -> RefOr<Schema> {
    let pattern = match text.class {
        Some(class) => class.pattern,
        None if text.has_text => rules::HAS_TEXT_PATTERN,
        None => rules::ANY_PATTERN,
    };
    let (min, max) = text.size;
    let object = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(text.description))
        .min_length((min > 0).then_some(min))
        .max_length(max)
        .pattern(Some(pattern));
    object.into()
}

macro_rules! texts {
    ($($kind:ident = $rule:expr;)*) => { $(
        #[doc = concat!("`", stringify!($rule), "`")]
        pub(super) struct $kind;

        impl PartialSchema for $kind {
            fn schema() -> RefOr<Schema> {
                schema(&$rule)
            }
        }

        impl ToSchema for $kind {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($rule.name)
            }
        }
    )* };
}

texts! {
    Id = rules::ID;
    ProfileId = rules::PROFILE_ID;
    TimestampText = rules::TIMESTAMP;
    Tag = rules::TAG;
    Description = rules::DESCRIPTION;
    Currency = rules::CURRENCY;
    CancellationReason = rules::CANCELLATION_REASON;
    FriendlyName = rules::FRIENDLY_NAME;
    IdempotencyRef = rules::IDEMPOTENCY_REF;
    Wanted = rules::WANTED;
    NameOnCard = rules::NAME_ON_CARD;
    NameLine = rules::NAME_LINE;
    MobileNumber = rules::MOBILE_NUMBER;
    AddressLine = rules::ADDRESS_LINE;
    AddressLine2 = rules::ADDRESS_LINE_2;
    Place = rules::PLACE;
    PostCode = rules::POST_CODE;
    Country = rules::COUNTRY;
    External = rules::EXTERNAL;
    Artwork = rules::ARTWORK;
    FirstSix = rules::FIRST_SIX;
    LastFour = rules::LAST_FOUR;
    Mmyy = rules::MMYY;
    Note = rules::NOTE;
    MerchantName = rules::MERCHANT_NAME;
    MerchantId = rules::MERCHANT_ID;
    MerchantCategory = rules::MERCHANT_CATEGORY;
    Country3 = rules::COUNTRY_3;
    AccountNumber = rules::ACCOUNT_NUMBER;
    CallRef = rules::CALL_REF;
    PersonName = rules::PERSON_NAME;
    ChangedName = rules::CHANGED_NAME;
    Email = rules::EMAIL;
    CallingCode = rules::CALLING_CODE;
    Subscriber = rules::SUBSCRIBER;
    Locale = rules::LOCALE;
    Brand = rules::BRAND;
    CompanyName = rules::COMPANY_NAME;
    RegistrationNumber = rules::REGISTRATION_NUMBER;
    IpAddress = rules::IP_ADDRESS;
    Free = rules::FREE;
    Password = rules::PASSWORD;
    VerificationCode = rules::VERIFICATION_CODE;
}

/// An integer's schema.
fn integer(description: &'static str, min: i64, max: Option<i64>) -> RefOr<Schema> {
    let bound = |number: i64| isize::try_from(number).ok();
    let object = ObjectBuilder::new()
        .schema_type(Type::Integer)
        // Without an upper bound the format would be one.
        .format(max.map(|_| SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .description(Some(description))
        .minimum(bound(min))
        .maximum(max.and_then(bound));
    object.into()
}

/// The schema of a refusal with one of these codes.
pub(super) fn conflict(codes: &[&str]) -> RefOr<Schema> {
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(codes.iter().copied()));
    let object = ObjectBuilder::new()
        .property("errorCode", code)
        .required("errorCode");
    object.into()
}

/// Declares the schema of a refusal with one of these codes under a name.
macro_rules! conflicts {
    ($($(#[$doc:meta])* $name:ident = $codes:expr;)+) => { $(
        $(#[$doc])*
        pub(in crate::multi) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::multi::schemas::conflict($codes)
            }
        }

        impl utoipa::ToSchema for $name {}
    )+ };
}
pub(super) use conflicts;

macro_rules! integers {
    ($($kind:ident = $description:expr, $min:expr, $max:expr;)*) => { $(
        #[doc = $description]
        pub(super) struct $kind;

        impl PartialSchema for $kind {
            fn schema() -> RefOr<Schema> {
                integer($description, $min, $max)
            }
        }

        impl ToSchema for $kind {}
    )* };
}

// More than the most items on a page are not refused but capped, so there is no upper bound.
const _: () = assert!(LIMIT_MAX == 100, "as `Limit` says");

integers! {
    Minor = "Minor units of the currency.", i64::MIN, Some(i64::MAX);
    Timestamp = "Milliseconds since 1970 in UTC.", i64::MIN, Some(i64::MAX);
    Offset = "How many items to leave out from the front.", 0, Some(i32::MAX.into());
    StatementLimit = "How many entries to answer with; more than 500 are capped at 500.", 1, None;
    Limit = "How many items to answer with; more than 100 are capped at 100.", 1, None;
}
