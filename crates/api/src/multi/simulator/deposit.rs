//! `POST /accounts/{account_id}/deposit`: money arrives on a managed account.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use service::multi::Outside;
use utoipa::ToSchema;

use super::money::{DepositCode, DepositCodeBody, SimulatedSumBody, simulated, sum};
use super::target;
use crate::http::PathText;
use crate::multi::body::{self, BODY_MAX};
use crate::multi::choices::choices;
use crate::multi::failure::Failure;
use crate::multi::fields::{self, Fields};
use crate::multi::invalid::{InvalidField, both};
use crate::multi::wire::{Sum, succeed};
use crate::multi::{auth, errors, rules, schemas};
use crate::{App, metrics};

choices! {
    /// How the money travels; nothing depends on it.
    PaymentNetwork, PAYMENT_NETWORKS {
        /// Euros.
        Sepa = "SEPA",
        /// Pounds, at once.
        FasterPayments = "FASTER_PAYMENTS",
        /// Anything, anywhere.
        Swift = "SWIFT",
        /// Pounds, in time.
        Bacs = "BACS",
        /// Pounds, large sums.
        Chaps = "CHAPS",
        /// Kronor.
        Rix = "RIX",
    }
}

/// Money that arrives. `txId` and what is told of the sender's bank is not looked at.
#[derive(ToSchema)]
#[schema(as = SimulatedDeposit, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct DepositBody {
    deposit_amount: SimulatedSumBody,
    /// Kept as the deposit's description when there is no `reference`.
    #[schema(value_type = Option<schemas::Note>)]
    sender_name: Option<String>,
    /// Kept as the deposit's description.
    #[schema(value_type = Option<schemas::Note>)]
    reference: Option<String>,
    #[schema(value_type = Option<schemas::Note>)]
    receiver_name: Option<String>,
    payment_network: Option<PaymentNetwork>,
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Deposit {
    pub sum: Sum,
    pub description: Option<String>,
}

/// Reads what both kinds of deposits have.
pub(super) fn read(fields: &mut Fields<'_>) -> Deposit {
    let sum = fields.object("depositAmount", sum);
    let sender = fields.optional_text("senderName", &rules::NOTE);
    let reference = fields.optional_text("reference", &rules::NOTE);
    fields.optional_text("receiverName", &rules::NOTE);
    fields.optional_choice("paymentNetwork", PAYMENT_NETWORKS);
    fields.ignored("txId");
    Deposit {
        sum,
        description: reference.filter(|text| !text.is_empty()).or(sender),
    }
}

fn parse(bytes: &[u8], strict: bool) -> Result<Deposit, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        let deposit = read(fields);
        for field in ["sepa", "fasterPayments", "accountDescriptor", "senderIban"] {
            fields.ignored(field);
        }
        deposit
    })
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        match deposit(&app, id, &parts, body).await {
            Ok(code) => succeed(StatusCode::OK, &DepositCodeBody { code }),
            Err(failure) => errors::respond_simulator(failure),
        }
    };
    metrics::observed(&app, "simulateDeposit", answer).await
}

async fn deposit(
    app: &App,
    id: PathText,
    parts: &Parts,
    body: Body,
) -> Result<DepositCode, Failure> {
    let programme = auth::simulator(app, &parts.headers)?;
    let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
    let strict = programme.is_strict();
    let target = target("account_id", id, &parts.headers);
    let (id, deposit) = both(target, parse(&bytes, strict))?;
    let money = simulated(id, &deposit.sum, deposit.description);
    let done = app.service().simulate_deposit(programme.tenant, money);
    Ok(match done.await? {
        Outside::Done => DepositCode::Completed,
        Outside::NotFound => DepositCode::AccountNotFound,
        Outside::AmountNotPositive => DepositCode::AmountNotPositive,
        Outside::CurrencyDiffers => DepositCode::CurrencyNotAccountCurrency,
        Outside::Inactive => DepositCode::AccountInactive,
        Outside::InsufficientFunds | Outside::Denied => DepositCode::Other,
    })
}

/// Simulate an incoming wire transfer using account id.
#[utoipa::path(
    post, path = "/accounts/{account_id}/deposit", operation_id = "accounts_account_id_deposit", tag = "Simulator",
    params(
        ("account_id" = schemas::Id, Path, description = "The account."),
        ("call-ref" = inline(Option<schemas::CallRef>), Header),
    ),
    request_body = DepositBody,
    responses((status = 200, description = "What became of it; a denial is an answer too.", body = DepositCodeBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi::invalid::message;

    #[test]
    fn everything_that_is_known_is_let_through() {
        let body = r#"{"depositAmount":{"currency":"EUR","amount":1000},"senderName":"Ada",
            "reference":"Rent","receiverName":"Bob","txId":7,"paymentNetwork":"SEPA",
            "sepa":{"iban":"X"},"fasterPayments":{},"accountDescriptor":{},"senderIban":"I"}"#;
        let deposit = parse(body.as_bytes(), true).expect("all is known");
        assert_eq!(deposit.sum.amount_minor, 1000);
        assert_eq!(deposit.description.as_deref(), Some("Rent"));
        let sender = body.replace("Rent", "");
        let deposit = parse(sender.as_bytes(), true).expect("all is known");
        assert_eq!(deposit.description.as_deref(), Some("Ada"));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = |body: &str| {
            let faults = parse(body.as_bytes(), true).expect_err("something is wrong");
            message(&faults)
        };
        assert_eq!(faults("{}"), "depositAmount is required");
        let body = r#"{"depositAmount":{"currency":"E","amount":"1"},"reference":"a\u0007",
            "paymentNetwork":"PIGEON","amount":1}"#;
        let told = faults(body);
        for part in [
            "depositAmount.currency must have 3 to 3 characters",
            "depositAmount.amount must be an integer",
            "reference does not match",
            "paymentNetwork must be one of SEPA",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
}
