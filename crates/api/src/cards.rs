//! What dialects show of a card beside its account: whose name is on it, and until when it is good.
//!
//! The Multi dialect makes cards and keeps this with them as JSON, in its own words
//! (`multi::managed_cards::issue`); a test there holds both readings together.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use ledger::{Account, Millis};
use serde::Deserialize;

/// What of a card's details others than Multi look at.
#[derive(Deserialize)]
struct Kept {
    validity_months: u32,
    details: KeptName,
}

#[derive(Deserialize)]
struct KeptName {
    #[serde(rename = "nameOnCard")]
    name_on_card: String,
}

/// A card's face.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Face {
    /// The name on the card, if one was given.
    pub holder: Option<String>,
    /// The last month in which it is good.
    pub expires: Month,
}

/// Months that a card is good for unless its details say otherwise.
pub(crate) const VALIDITY_MONTHS: u32 = 36;

impl Face {
    /// What is kept with a card's account. A card that was made without anything is as plain as can
    /// be.
    pub(crate) fn of(card: &Account) -> Face {
        let details = card.details.as_deref();
        let kept: Option<Kept> = details.and_then(|text| serde_json::from_str(text).ok());
        let months = kept
            .as_ref()
            .map_or(VALIDITY_MONTHS, |kept| kept.validity_months);
        let holder = kept.map(|kept| kept.details.name_on_card);
        Face {
            holder: holder.filter(|name| !name.is_empty()),
            expires: Month::after(card.created_at, months),
        }
    }
}

/// A month of a year, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Month {
    /// 1 to 12.
    pub month: i8,
    /// The last two digits of the year.
    pub year: i16,
}

impl Month {
    /// The month so many months after a moment. Beyond the calendar it is its last month.
    pub(crate) fn after(from: Millis, months: u32) -> Month {
        let nearest = if from.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        let from = Timestamp::from_millisecond(from.0).unwrap_or(nearest);
        let date = from.to_zoned(TimeZone::UTC).date();
        let span = Span::new().try_months(months).unwrap_or_default();
        let date = date.saturating_add(span);
        Month {
            month: date.month(),
            year: date.year().rem_euclid(100),
        }
    }
}
