//! `POST /accounts/deposit`: money arrives for an account number. No account here has one, so that
//! nobody is ever found.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, InstrumentClass};
use utoipa::ToSchema;

use super::call_ref;
use super::deposit::{Deposit, PaymentNetwork, read};
use super::money::{DepositCode, DepositCodeBody, SimulatedSumBody};
use crate::multi::body::{self, BODY_MAX};
use crate::multi::failure::Failure;
use crate::multi::fields::{self, Fields};
use crate::multi::invalid::{InvalidField, both};
use crate::multi::wire::succeed;
use crate::multi::{auth, errors, rules, schemas};
use crate::{App, metrics};

/// Money that arrives for an account number.
#[derive(ToSchema)]
#[schema(as = SimulatedDepositByIban, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct DepositByIbanBody {
    deposit_amount: SimulatedSumBody,
    destination_iban_details: Option<IbanBody>,
    #[schema(value_type = Option<schemas::Note>)]
    iban: Option<String>,
    #[schema(value_type = Option<schemas::Note>)]
    payment_reference: Option<String>,
    #[schema(value_type = Option<schemas::Note>)]
    sender_name: Option<String>,
    #[schema(value_type = Option<schemas::Note>)]
    reference: Option<String>,
    #[schema(value_type = Option<schemas::Note>)]
    receiver_name: Option<String>,
    payment_network: Option<PaymentNetwork>,
}

/// An account at a bank.
#[derive(ToSchema)]
#[schema(as = SimulatedIban, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct IbanBody {
    #[schema(value_type = schemas::AccountNumber)]
    iban: String,
    #[schema(value_type = Option<schemas::AccountNumber>)]
    bank_identifier_code: Option<String>,
}

fn parse(bytes: &[u8], strict: bool) -> Result<Deposit, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        let deposit = read(fields);
        let iban = |fields: &mut Fields<'_>| {
            fields.text("iban", &rules::ACCOUNT_NUMBER);
            fields.optional_text("bankIdentifierCode", &rules::ACCOUNT_NUMBER);
        };
        fields.optional_object("destinationIbanDetails", iban);
        fields.optional_text("iban", &rules::NOTE);
        fields.optional_text("paymentReference", &rules::NOTE);
        for field in [
            "destinationFasterPaymentsDetails",
            "senderIbanDetails",
            "senderFasterPaymentsDetails",
            "senderAccountDescriptorDetails",
        ] {
            fields.ignored(field);
        }
        deposit
    })
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match deposit(&app, &parts, body).await {
            Ok(code) => succeed(StatusCode::OK, &DepositCodeBody { code }),
            Err(failure) => errors::respond_simulator(failure),
        }
    };
    metrics::observed(&app, "simulateDepositByIban", answer).await
}

async fn deposit(app: &App, parts: &Parts, body: Body) -> Result<DepositCode, Failure> {
    let programme = auth::simulator(app, &parts.headers)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    both(call_ref(&parts.headers), parse(&bytes, strict))?;
    // Also where a live programme is turned away.
    let (service, nobody) = (app.service(), AccountId::new(0));
    let found = service.simulated(programme.tenant, InstrumentClass::Account, nobody);
    match found.await? {
        None => Ok(DepositCode::AccountNotFound),
        Some(_) => Ok(DepositCode::Other),
    }
}

/// Simulate an incoming wire transfer using IBAN.
#[utoipa::path(
    post, path = "/accounts/deposit", operation_id = "accounts_deposit", tag = "Simulator",
    params(("call-ref" = inline(Option<schemas::CallRef>), Header)),
    request_body = DepositByIbanBody,
    responses((status = 200, description = "`DENIED_ACCOUNT_NOT_FOUND`: no account has an IBAN.", body = DepositCodeBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_numbers_are_read_and_not_used() {
        let read = |body: &str| parse(body.as_bytes(), true).map_err(|faults| faults.len());
        let body = r#"{"depositAmount":{"currency":"EUR","amount":1},
            "destinationIbanDetails":{"iban":"MT84MALT01","bankIdentifierCode":"X"},
            "iban":"old","paymentReference":"p","senderIbanDetails":{"iban":"Y"}}"#;
        assert!(read(body).is_ok());
        assert_eq!(read("{}"), Err(1));
        let wrong = body.replace("MT84", "mt84").replace(r#""X""#, "1");
        assert_eq!(read(&wrong), Err(2));
    }
}
