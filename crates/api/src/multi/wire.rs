//! What several endpoints read and write: ids, times, instruments and sums.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use ledger::{AccountId, Amount, Currency, InstrumentClass};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::choices::choices;
use super::fields::{self, Fields};
use super::invalid::InvalidField;
use super::{rules, schemas};
use crate::http::{PathText, json_response};

/// A number that is text on the wire: an id, or milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text64<T>(pub T);

impl<T: itoa::Integer + Copy> Serialize for Text64<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

/// An id as it is written.
pub type Id = Text64<u64>;
/// A time as it is written where it is text.
pub type Millis = Text64<i64>;

choices! {
    /// The two types of instruments.
    #[derive(Default)]
    InstrumentType, INSTRUMENT_TYPES {
        /// A managed card.
        ManagedCards = "managed_cards",
        /// A managed account.
        #[default]
        ManagedAccounts = "managed_accounts",
    }
}

impl From<InstrumentClass> for InstrumentType {
    fn from(class: InstrumentClass) -> InstrumentType {
        match class {
            InstrumentClass::Card => InstrumentType::ManagedCards,
            InstrumentClass::Account => InstrumentType::ManagedAccounts,
        }
    }
}

impl From<InstrumentType> for InstrumentClass {
    fn from(class: InstrumentType) -> InstrumentClass {
        match class {
            InstrumentType::ManagedCards => InstrumentClass::Card,
            InstrumentType::ManagedAccounts => InstrumentClass::Account,
        }
    }
}

impl From<Instrument> for ledger::Instrument {
    fn from(instrument: Instrument) -> ledger::Instrument {
        ledger::Instrument {
            id: AccountId::new(instrument.id),
            class: instrument.class.into(),
        }
    }
}

/// An instrument, as a request names it. Id 0 is nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Instrument {
    /// Its id.
    pub id: u64,
    /// Its type.
    pub class: InstrumentType,
}

impl Instrument {
    /// The members of the object, for query strings.
    pub(super) const MEMBERS: &'static [&'static str] = &["id", "type"];

    /// Reads the object.
    pub(super) fn read(fields: &mut Fields<'_>) -> Instrument {
        Instrument {
            id: fields.id("id", &rules::ID),
            class: fields.choice("type", INSTRUMENT_TYPES),
        }
    }
}

/// An instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = InstrumentId)]
pub struct InstrumentBody {
    #[schema(value_type = schemas::Id)]
    id: Id,
    r#type: InstrumentType,
}

impl From<Instrument> for InstrumentBody {
    fn from(instrument: Instrument) -> InstrumentBody {
        InstrumentBody {
            id: Text64(instrument.id),
            r#type: instrument.class,
        }
    }
}

/// A sum, as a request names it: any 64-bit number of the lowest unit of something spelt like a
/// currency.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// Three capitals, perhaps of no currency.
    pub currency: String,
    /// Minor units.
    pub amount_minor: i64,
}

impl Sum {
    /// Reads the object.
    pub(super) fn read(fields: &mut Fields<'_>) -> Sum {
        Sum {
            currency: fields.text("currency", &rules::CURRENCY),
            amount_minor: fields.integer("amount", i64::MIN..=i64::MAX),
        }
    }
}

/// A sum in the lowest unit of its currency: 1000 for EUR 10.00.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = CurrencyAmount)]
pub struct SumBody {
    #[serde(serialize_with = "currency_code")]
    #[schema(value_type = schemas::Currency)]
    currency: Currency,
    #[schema(value_type = schemas::Minor)]
    amount: i64,
}

/// A currency by its code.
pub(super) fn currency_code<S: Serializer>(
    currency: &Currency,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(currency.code())
}

impl SumBody {
    /// A sum of minor units, of either sign.
    pub(super) fn new(currency: Currency, amount_minor: i64) -> SumBody {
        SumBody {
            currency,
            amount: amount_minor,
        }
    }
}

impl SumBody {
    /// The currency.
    pub(super) fn currency(&self) -> &Currency {
        &self.currency
    }

    /// The minor units.
    pub(super) fn minor(self) -> i64 {
        self.amount
    }
}

impl From<Amount> for SumBody {
    fn from(amount: Amount) -> SumBody {
        SumBody::new(amount.currency(), amount.minor())
    }
}

/// The id in a path; 0 for one that nobody has.
pub(super) fn path_id(name: &str, text: PathText) -> Result<u64, Vec<InvalidField>> {
    // Bytes that are no UTF-8 are no digits either.
    let text = text.map_or_else(|_| String::new(), |Path(text)| text);
    let mut faults = Vec::new();
    fields::check_text(|| name.to_owned(), &text, &rules::ID, &mut faults);
    if faults.is_empty() {
        Ok(rules::id_number(&text).unwrap_or(0))
    } else {
        Err(faults)
    }
}

/// A success with a body.
pub(super) fn succeed(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body);
    json_response(status, body.expect("wire types have string keys only"))
}

/// A success with nothing to say.
pub(super) fn done() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
