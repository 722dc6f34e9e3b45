//! What a card is given when it is made, and what is shown of it.
//!
//! There is no card number behind a card and no code: the first six digits are those of its brand's
//! test numbers, the last four are the ledger's, and nothing is in between.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use ledger::{Account, Millis};
use serde::{Deserialize, Serialize};
use service::multi::IdentityKind;
use service::spelling::{id_text, parse_id};
use utoipa::ToSchema;

use super::details::CardDetails;
use crate::cards::{Month, VALIDITY_MONTHS};
use crate::multi::choices::choices;
use crate::multi::schemas;

choices! {
    /// What a card is made of.
    CardType, TYPES {
        /// Data only.
        Virtual = "VIRTUAL",
        /// Plastic.
        Physical = "PHYSICAL",
    }
}

choices! {
    /// The card's scheme.
    #[derive(Default)]
    CardBrand, BRANDS {
        /// Mastercard.
        #[default]
        Mastercard = "MASTERCARD",
        /// Visa.
        Visa = "VISA",
    }
}

choices! {
    /// Whose kind of card it is.
    #[derive(Default)]
    CardClassification, CLASSIFICATIONS {
        /// A person's.
        #[default]
        Consumer = "CONSUMER",
        /// A business's.
        Corporate = "CORPORATE",
    }
}

impl CardBrand {
    /// The first digits of the brand's published test numbers: no bank has them.
    pub(in crate::multi) fn first_six(self) -> &'static str {
        match self {
            CardBrand::Mastercard => "555555",
            CardBrand::Visa => "411111",
        }
    }
}

impl From<IdentityKind> for CardClassification {
    fn from(kind: IdentityKind) -> CardClassification {
        match kind {
            IdentityKind::Consumer => CardClassification::Consumer,
            IdentityKind::Corporate => CardClassification::Corporate,
        }
    }
}

/// Everything that is kept with a card's account, as the JSON text of its details.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::multi) struct StoredCard {
    pub brand: CardBrand,
    pub classification: CardClassification,
    /// Months from when it was made, 1 to 120.
    pub validity_months: u32,
    pub details: CardDetails,
}

impl StoredCard {
    /// A new card of an identity.
    pub(in crate::multi) fn new(kind: IdentityKind, details: CardDetails) -> StoredCard {
        StoredCard {
            classification: kind.into(),
            details,
            ..StoredCard::default()
        }
    }

    /// What is kept with an account. A card that was made without anything is as plain as can be.
    pub(in crate::multi) fn of(account: &Account) -> StoredCard {
        let details = account.details.as_deref();
        let stored = details.and_then(|text| serde_json::from_str(text).ok());
        stored.unwrap_or_default()
    }

    /// The text to keep.
    pub(in crate::multi) fn render(&self) -> String {
        serde_json::to_string(self).expect("wire types have string keys only")
    }

    /// The first moment at which a card made at `created_at` is not good any more: the end of its
    /// last month, as on any card. `None` beyond the calendar.
    pub(in crate::multi) fn expires_at(&self, created_at: Millis) -> Option<Millis> {
        let made = Timestamp::from_millisecond(created_at.0).ok()?;
        let month = made.to_zoned(TimeZone::UTC).date().first_of_month();
        let months = Span::new().try_months(self.validity_months).ok()?;
        let end = month
            .checked_add(months)
            .ok()?
            .checked_add(Span::new().months(1))
            .ok()?;
        let end = end.to_zoned(TimeZone::UTC).ok()?;
        Some(Millis(end.timestamp().as_millisecond()))
    }
}

impl Default for StoredCard {
    fn default() -> StoredCard {
        StoredCard {
            brand: CardBrand::default(),
            classification: CardClassification::default(),
            validity_months: VALIDITY_MONTHS,
            details: CardDetails::default(),
        }
    }
}

/// The code to name a card by elsewhere: its id in another alphabet, so that nobody takes it for
/// a number of the card's.
pub(in crate::multi) fn handle_of(id: u64) -> String {
    id_text(id).iter().copied().map(char::from).collect()
}

/// The id behind a code.
pub(in crate::multi) fn id_of(handle: &str) -> Option<u64> {
    parse_id(handle)
}

/// What was given to a card when it was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardIssue {
    /// A code to name the card by elsewhere.
    pub(in crate::multi) external_handle: String,
    pub(in crate::multi) r#type: CardType,
    pub(in crate::multi) card_brand: CardBrand,
    #[schema(value_type = schemas::FirstSix)]
    pub(in crate::multi) card_number_first_six: &'static str,
    #[schema(value_type = schemas::LastFour)]
    pub(in crate::multi) card_number_last_four: String,
    #[schema(value_type = schemas::Mmyy)]
    pub(in crate::multi) start_mmyy: String,
    #[schema(value_type = schemas::Mmyy)]
    pub(in crate::multi) expiry_mmyy: String,
    pub(in crate::multi) card_level_classification: CardClassification,
    /// 1 to 120.
    #[schema(minimum = 1, maximum = 120)]
    pub(in crate::multi) expiry_period_months: u32,
}

impl CardIssue {
    /// What a card's account shows with what is kept with it.
    pub(in crate::multi) fn of(account: &Account, stored: &StoredCard) -> CardIssue {
        let last_four = account.number_last_four.as_deref().unwrap_or("0000");
        CardIssue {
            external_handle: handle_of(account.id.raw()),
            r#type: CardType::Virtual,
            card_brand: stored.brand,
            card_number_first_six: stored.brand.first_six(),
            card_number_last_four: last_four.to_owned(),
            start_mmyy: mmyy(account.created_at, 0),
            expiry_mmyy: mmyy(account.created_at, stored.validity_months),
            card_level_classification: stored.classification,
            expiry_period_months: stored.validity_months,
        }
    }
}

/// Month and year, so many months after a moment, in UTC.
fn mmyy(from: Millis, months: u32) -> String {
    let Month { month, year } = Month::after(from, months);
    format!("{month:02}{year:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2027-01-31T23:59:59.999Z
    const LAST_OF_JANUARY: Millis = Millis(1_801_439_999_999);

    #[test]
    fn a_card_is_good_to_the_end_of_its_last_month() {
        assert_eq!(mmyy(LAST_OF_JANUARY, 0), "0127");
        assert_eq!(mmyy(LAST_OF_JANUARY, 1), "0227");
        assert_eq!(mmyy(LAST_OF_JANUARY, 36), "0130");
        assert_eq!(mmyy(LAST_OF_JANUARY.plus(1), 0), "0227");
        assert_eq!(mmyy(Millis(i64::MAX), 36), "1299");
        assert_eq!(mmyy(Millis(i64::MIN), 0).len(), 4);
        let card = StoredCard::default();
        // 2030-02-01T00:00:00Z
        let end = Some(Millis(1_896_134_400_000));
        assert_eq!(card.expires_at(LAST_OF_JANUARY), end);
        assert_eq!(
            card.expires_at(Millis(1_799_000_000_000)),
            Some(Millis(1_896_134_400_000))
        );
        assert_eq!(card.expires_at(Millis(i64::MAX)), None);
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let details = CardDetails {
            name_on_card: "Zoë Borg".to_owned(),
            ..CardDetails::default()
        };
        let stored = StoredCard::new(IdentityKind::Corporate, details);
        let text = stored.render();
        assert_eq!(serde_json::from_str::<StoredCard>(&text).ok(), Some(stored));
        assert!(text.contains("CORPORATE"));
    }

    #[test]
    fn a_handle_is_an_id_and_no_number() {
        for id in [1, 117_637_632_312_509_126, u64::MAX] {
            let handle = handle_of(id);
            assert_eq!(id_of(&handle), Some(id));
            assert_eq!(handle.len(), 13);
        }
        assert_eq!(id_of("117637632312509126"), None);
    }

    #[test]
    fn brands_have_test_digits() {
        for (_, brand) in BRANDS {
            let six = brand.first_six();
            assert!(six.len() == 6 && six.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
}
