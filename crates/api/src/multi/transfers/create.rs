//! `POST /transfers`: moves money now or at a later time (seed 003).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use ledger::{Currency, Millis, ProfileId, TransferOrder};
use service::multi::{InstrumentTransfer, Surface};
use utoipa::ToSchema;

use super::wire::{TransferBody, TransferConflict};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::request_ref::{RequestRef, Whole};
use crate::multi::wire::{Instrument, InstrumentBody, Sum, SumBody, succeed};
use crate::multi::{Place, auth, fields, idempotency, rules, schemas};
use crate::{App, metrics};

/// A transfer to make.
#[derive(ToSchema)]
#[schema(as = CreateTransferRequest, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct CreateTransferBody {
    #[schema(value_type = schemas::ProfileId)]
    profile_id: String,
    #[schema(value_type = Option<schemas::Tag>)]
    tag: Option<String>,
    source: InstrumentBody,
    #[schema(value_type = Option<schemas::Description>)]
    description: Option<String>,
    destination: InstrumentBody,
    /// Without fees, in the currency of both instruments.
    destination_amount: SumBody,
    /// When to move the money; at once when absent.
    #[schema(value_type = Option<schemas::TimestampText>)]
    scheduled_timestamp: Option<String>,
}

/// What is asked for. Ids of 0 are nobody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::multi) struct CreateTransfer {
    pub profile: u64,
    pub tag: Option<String>,
    pub source: Instrument,
    pub description: Option<String>,
    pub destination: Instrument,
    /// The currency may be none; the amount may be anything.
    pub amount: Sum,
    /// Milliseconds since 1970.
    pub scheduled_at: Option<i64>,
}

impl CreateTransfer {
    /// As the ledger is asked. A currency that is none is one that no instrument has.
    pub(in crate::multi) fn order(self) -> TransferOrder {
        TransferOrder {
            profile: ProfileId::new(self.profile),
            source: self.source.into(),
            destination: self.destination.into(),
            currency: Currency::parse(&self.amount.currency).ok(),
            amount_minor: self.amount.amount_minor,
            tag: self.tag.map(Arc::from),
            description: self.description.map(Arc::from),
            scheduled_at: self.scheduled_at.map(Millis),
        }
    }
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(Place { app, surface }): State<Place>,
    Whole { id, parts, body }: Whole,
) -> Response {
    let answer = async {
        match create(&app, surface, id, &parts.headers, body).await {
            Ok(transfer) => succeed(StatusCode::OK, &TransferBody::of(&transfer)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiCreateTransfer", answer).await
}

async fn create(
    app: &App,
    surface: Surface,
    id: RequestRef,
    headers: &HeaderMap,
    body: Body,
) -> Result<InstrumentTransfer, Failure> {
    let call = auth::call(app, headers, surface)?;
    let bytes = body::json(headers, body, BODY_MAX).await?;
    let (reference, new) = both(idempotency::reference(headers), parse(&bytes, call.strict))?;
    let reference = idempotency::bind(reference, id);
    let ordered = app
        .service()
        .order_transfer(call.actor(), new.order(), reference);
    Ok(ordered.await?)
}

/// Reads the body.
pub(in crate::multi) fn parse(
    bytes: &[u8],
    strict: bool,
) -> Result<CreateTransfer, Vec<InvalidField>> {
    fields::parse(bytes, strict, read)
}

/// Reads the object, also as one operation of a bulk.
pub(in crate::multi) fn read(fields: &mut fields::Fields<'_>) -> CreateTransfer {
    CreateTransfer {
        profile: fields.id("profileId", &rules::PROFILE_ID),
        tag: fields.optional_text("tag", &rules::TAG),
        source: fields.object("source", Instrument::read),
        description: fields.optional_text("description", &rules::DESCRIPTION),
        destination: fields.object("destination", Instrument::read),
        amount: fields.object("destinationAmount", Sum::read),
        scheduled_at: fields.optional_timestamp("scheduledTimestamp"),
    }
}

/// Create a transfer transaction.
#[utoipa::path(
    post, path = "/transfers", operation_id = "transferCreate", tag = "Transfers",
    params(("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header)),
    request_body = CreateTransferBody,
    responses(
        (status = 200, description = "Made: `COMPLETED`, or `SCHEDULED` when a time was given.", body = TransferBody),
        (status = 404, description = "No such profile.", body = ErrorBody),
        (status = 409, description = "The state of things does not allow it; nothing has moved.", body = TransferConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;
    use crate::multi::wire::InstrumentType;

    const GOOD: &str = r#"{
        "profileId": "12", "tag": "rent-5", "description": "Rent, May",
        "source": {"id": "1", "type": "managed_accounts"},
        "destination": {"id": "2", "type": "managed_cards"},
        "destinationAmount": {"currency": "EUR", "amount": 1000},
        "scheduledTimestamp": "1800000000000"
    }"#;

    /// The good body with one text in place of another.
    fn with(old: &str, new: &str) -> String {
        assert!(GOOD.contains(old), "{old}");
        GOOD.replacen(old, new, 1)
    }

    #[test]
    fn every_field_is_read() {
        let expected = CreateTransfer {
            profile: 12,
            tag: Some("rent-5".to_owned()),
            source: Instrument {
                id: 1,
                class: InstrumentType::ManagedAccounts,
            },
            description: Some("Rent, May".to_owned()),
            destination: Instrument {
                id: 2,
                class: InstrumentType::ManagedCards,
            },
            amount: Sum {
                currency: "EUR".to_owned(),
                amount_minor: 1000,
            },
            scheduled_at: Some(1_800_000_000_000),
        };
        assert_eq!(parse(GOOD.as_bytes(), true), Ok(expected));
    }

    #[test]
    fn what_the_ledger_decides_is_no_fault_of_syntax() {
        for body in [
            with("\"EUR\"", "\"ZZZ\""),
            with("1000}", "0}"),
            with("1000}", "-5}"),
            with("\"1800000000000\"", "\"0\""),
            with("\"1800000000000\"", "\"99999999999999999999999\""),
            with("\"12\"", "\"99999999999999999999999\""),
            with("\"id\": \"2\"", "\"id\": \"1\""),
        ] {
            assert!(parse(body.as_bytes(), true).is_ok(), "{body}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let body = r#"{
            "profileId": 12, "tag": "a b", "description": "\\", "extra": 1,
            "source": {"id": "x", "type": "managed_cars", "more": 1},
            "destination": [],
            "destinationAmount": {"currency": "euro", "amount": 100.0},
            "scheduledTimestamp": ""
        }"#;
        let faults = parse(body.as_bytes(), false).expect_err("much is wrong");
        let named: Vec<String> = faults
            .iter()
            .map(|fault| {
                let (name, rule, _) = fault.parts();
                format!("{name} {rule:?}")
            })
            .collect();
        let expected = [
            "profileId Regex",
            "tag Regex",
            "source.id Regex",
            "source.type NotIn",
            "description Regex",
            "destination Regex",
            "destinationAmount.currency Size",
            "destinationAmount.currency Regex",
            "destinationAmount.amount Regex",
            "scheduledTimestamp Regex",
        ];
        assert_eq!(named, expected);
        let strict = parse(body.as_bytes(), true).expect_err("more is wrong");
        assert_eq!(strict.len(), expected.len() + 2);
        let empty = parse(b"{}", false).expect_err("four are required");
        assert_eq!(
            message(&empty),
            "profileId is required; source is required; destination is required; \
             destinationAmount is required"
        );
    }

    #[test]
    fn each_text_at_both_sides_of_its_bounds() {
        let tag = |length: usize| with("rent-5", &"t".repeat(length));
        assert!(parse(tag(50).as_bytes(), true).is_ok());
        assert!(parse(tag(51).as_bytes(), true).is_err());
        let description = |length: usize| with("Rent, May", &"d".repeat(length));
        assert!(parse(description(0).as_bytes(), true).is_ok());
        assert!(parse(description(255).as_bytes(), true).is_ok());
        assert!(parse(description(256).as_bytes(), true).is_err());
    }
}
