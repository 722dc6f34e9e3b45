//! A statement from what the ledger knows.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, Currency, InstrumentClass, Millis, Party, Side, Status};
use service::multi::{Movement, Statement, StatementLine, StatementQuery, Surface};

use super::request::{Order, StatementRequest, TransactionType};
use super::wire::{EntryBody, EntryState, EntryType, StatementBody, TransactionBody};
use super::{Form, render_csv, request, wanted};
use crate::App;
use crate::http::PathText;
use crate::multi::auth;
use crate::multi::errors;
use crate::multi::failure::Failure;
use crate::multi::invalid::both;
use crate::multi::wire::{InstrumentType, SumBody, Text64, path_id, succeed};

/// Answers a request for the statement of an instrument of this class.
pub(in crate::multi) async fn answer(
    app: &App,
    class: InstrumentClass,
    surface: Surface,
    id: PathText,
    parts: &Parts,
) -> Response {
    match find(app, class, surface, id, parts).await {
        Ok(statement) => match wanted(&parts.headers) {
            Form::Json => succeed(StatusCode::OK, &body(&statement)),
            Form::Csv => csv(&entries(&statement)),
        },
        Err(failure) => errors::respond(failure),
    }
}

async fn find(
    app: &App,
    class: InstrumentClass,
    surface: Surface,
    id: PathText,
    parts: &Parts,
) -> Result<Statement, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let (id, request) = both(path_id("id", id), request::parse(parts.uri.query()))?;
    let (actor, id, query) = (call.actor(), AccountId::new(id), query(&request));
    Ok(app.service().statement(&actor, class, id, &query).await?)
}

/// Every entry here moves money, so that `showFundMovementsOnly` asks for what there is anyway.
fn query(request: &StatementRequest) -> StatementQuery {
    let types = request.types.iter().filter_map(|known| movement(*known));
    StatementQuery {
        from: request.from.map(Millis),
        to: request.to.map(Millis),
        newest_first: request.order == Order::Descending,
        movements: (!request.types.is_empty()).then(|| types.collect()),
        settled_only: request.single_entries,
        offset: usize::try_from(request.offset).unwrap_or(usize::MAX),
        limit: usize::try_from(request.limit).unwrap_or(usize::MAX),
    }
}

/// The type under which each movement stands in statements. A purchase is settled at once, so
/// that its authorisation is no entry of its own.
const TYPES: [(Movement, EntryType, TransactionType); 6] = [
    (
        Movement::Transfer,
        EntryType::Transfer,
        TransactionType::Transfer,
    ),
    (
        Movement::Deposit,
        EntryType::Deposit,
        TransactionType::Deposit,
    ),
    (
        Movement::Purchase,
        EntryType::Settlement,
        TransactionType::Settlement,
    ),
    (
        Movement::Refund,
        EntryType::MerchantRefund,
        TransactionType::MerchantRefund,
    ),
    (
        Movement::Payment,
        EntryType::OutgoingWireTransfer,
        TransactionType::OutgoingWireTransfer,
    ),
    (
        Movement::Collection,
        EntryType::OutgoingDirectDebitCollection,
        TransactionType::OutgoingDirectDebitCollection,
    ),
];

fn movement(wanted: TransactionType) -> Option<Movement> {
    let found = TYPES.iter().find(|(_, _, known)| *known == wanted);
    found.map(|(movement, _, _)| *movement)
}

fn entry_type(movement: Movement) -> EntryType {
    let found = TYPES.iter().find(|(known, _, _)| *known == movement);
    found.expect("every movement has a type").1
}

fn body(statement: &Statement) -> StatementBody {
    let sum = |minor| SumBody::new(statement.account.currency, minor);
    let balances = statement.balances;
    StatementBody::new(
        entries(statement),
        statement.count,
        balances.map(|(before, after)| (sum(before), sum(after))),
    )
}

fn csv(entries: &[EntryBody]) -> Response {
    let mut response = Response::new(Body::from(render_csv(entries)));
    // UTF-8, which is what CSV is in unless it says otherwise (RFC 7111).
    let kind = HeaderValue::from_static("text/csv");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn entries(statement: &Statement) -> Vec<EntryBody> {
    let currency = statement.account.currency;
    let lines = statement.lines.iter();
    lines.map(|line| entry(line, currency)).collect()
}

/// The fee stands at whoever paid it: the source of a transfer, the account of a deposit.
fn entry(line: &StatementLine, currency: Currency) -> EntryBody {
    let (row, transfer) = (&line.entry, &line.transfer.transfer);
    let movement = Movement::of(transfer);
    let outward = row.side == Side::Debit;
    let adjustment = SumBody::new(
        currency,
        if outward {
            row.amount_minor.saturating_neg()
        } else {
            row.amount_minor
        },
    );
    let after = SumBody::new(currency, row.balance_after);
    let paid = outward || movement == Movement::Deposit;
    let fee = Some(transfer.fee_minor).filter(|fee| *fee > 0 && paid);
    let fee = fee.map(|fee| SumBody::new(currency, fee));
    let underway = matches!(transfer.status, Status::Pending | Status::Processing);
    EntryBody {
        transaction_id: TransactionBody {
            r#type: entry_type(movement),
            id: Text64(transfer.id.raw()),
        },
        entry_state: if underway {
            EntryState::Pending
        } else {
            EntryState::Completed
        },
        transaction_amount: adjustment,
        available_balance_adjustment: adjustment,
        actual_balance_adjustment: adjustment,
        balance_after: after,
        available_balance_after: after,
        actual_balance_after: after,
        transaction_fee: fee,
        cardholder_fee: fee,
        processed_timestamp: row.at.0,
        additional_fields: additional(line, movement, outward),
    }
}

type Additional = BTreeMap<&'static str, String>;

fn additional(line: &StatementLine, movement: Movement, outward: bool) -> Additional {
    let mut fields = Additional::new();
    let note = line.transfer.transfer.description.as_deref();
    let mut put = |name: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            fields.insert(name, value.to_owned());
        }
    };
    let name = |party: &Option<Party>| party.as_ref().map(|party| party.name.to_string());
    match movement {
        Movement::Transfer => {
            put("description", note);
            let (party, names) = if outward {
                (&line.transfer.destination, &DESTINATION)
            } else {
                (&line.transfer.source, &SOURCE)
            };
            if let Some(party) = party {
                other_side(&mut fields, party, names);
            }
        }
        Movement::Deposit => {
            put("sender", name(&line.transfer.source).as_deref());
            put("senderReference", note);
            put("description", note);
        }
        Movement::Purchase | Movement::Refund => put("merchantName", note),
        Movement::Payment => {
            put(
                "beneficiaryName",
                name(&line.transfer.destination).as_deref(),
            );
            put("description", note);
        }
        Movement::Collection => put("description", note),
    }
    fields
}

/// The names of the fields about one end of a transfer: type, id and friendly name.
type Names = [&'static str; 3];

const SOURCE: Names = [
    "sourceInstrumentType",
    "sourceInstrumentId",
    "sourceInstrumentFriendlyName",
];
const DESTINATION: Names = [
    "destinationInstrumentType",
    "destinationInstrumentId",
    "destinationInstrumentFriendlyName",
];

/// An account that is no instrument here, such as an income source, has its name only.
fn other_side(fields: &mut Additional, party: &Party, [kind, id, name]: &Names) {
    if let Some(class) = party.kind.instrument() {
        fields.insert(kind, InstrumentType::from(class).name().to_owned());
        fields.insert(id, party.id.raw().to_string());
    }
    fields.insert(name, party.name.to_string());
}

#[cfg(test)]
mod tests;
