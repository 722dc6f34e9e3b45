use axum::http::HeaderMap;
use http_body_util::BodyExt;
use ledger::{
    Account, AccountKind, AccountState, Amount, Direction, ExternalKind, Origin, OwnerId, TenantId,
    Transfer, TransferId,
};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{EntryRow, TransferRow};

use super::*;
use crate::multi::statements::wire::ENTRY_TYPES;

fn account() -> Account {
    Account {
        id: AccountId::new(5),
        tenant: TenantId::new(1),
        owner: OwnerId::new(2),
        kind: AccountKind::Pod,
        name: "Main".into(),
        description: None,
        institution: None,
        number_last_four: None,
        routing_last_four: None,
        currency: Currency::EUR,
        profile: None,
        parent: None,
        tag: None,
        details: None,
        state: AccountState::Active,
        reason: None,
        can_be_source: true,
        can_be_destination: true,
        reported: ledger::account::Reported::default(),
        created_at: Millis(0),
        updated_at: Millis(0),
        balance: 0,
        held: 0,
        entries: 0,
    }
}

fn party(id: u64, kind: AccountKind, name: &str) -> Option<Party> {
    Some(Party {
        id: AccountId::new(id),
        kind,
        name: Arc::from(name),
    })
}

/// A line of 100, with a fee of 7, between "From" and "To".
fn line(side: Side, direction: Direction, origin: Origin, status: Status) -> StatementLine {
    StatementLine {
        entry: EntryRow {
            sequence: 1,
            transfer: TransferId::new(9),
            side,
            amount_minor: 100,
            balance_after: 900,
            at: Millis(1_800_000_000_000),
        },
        transfer: TransferRow {
            transfer: Transfer {
                id: TransferId::new(9),
                tenant: TenantId::new(1),
                owner: OwnerId::new(2),
                source: None,
                destination: None,
                amount: Amount::new(93, Currency::EUR).expect("positive"),
                direction,
                origin,
                rail: None,
                rail_delay_ms: 0,
                status,
                error: None,
                rule: None,
                key: None,
                description: Some("Rent".into()),
                profile: None,
                tag: None,
                scheduled_at: None,
                fee_minor: 7,
                cancel_reason: None,
                card: None,
                created_at: Millis(0),
                updated_at: Millis(0),
                completed_at: None,
            },
            source: party(3, AccountKind::Pod, "From"),
            destination: party(4, AccountKind::PrepaidCard, "To"),
        },
    }
}

fn shown(line: &StatementLine) -> Value {
    serde_json::to_value(entry(line, Currency::EUR)).expect("names are texts")
}

#[test]
fn the_source_pays_the_fee_and_names_the_destination() {
    let done = Status::Complete;
    let paid = shown(&line(Side::Debit, Direction::Internal, Origin::User, done));
    assert_eq!(
        paid["transactionId"],
        json!({"type": "TRANSFER", "id": "9"})
    );
    let sum = |amount: i64| json!({"currency": "EUR", "amount": amount});
    for field in [
        "transactionAmount",
        "availableBalanceAdjustment",
        "actualBalanceAdjustment",
    ] {
        assert_eq!(paid[field], sum(-100), "{field}");
    }
    for field in [
        "balanceAfter",
        "availableBalanceAfter",
        "actualBalanceAfter",
    ] {
        assert_eq!(paid[field], sum(900), "{field}");
    }
    assert_eq!(
        (&paid["transactionFee"], &paid["cardholderFee"]),
        (&sum(7), &sum(7))
    );
    assert_eq!(paid["entryState"], "COMPLETED");
    let expected = json!({
        "destinationInstrumentType": "managed_cards", "destinationInstrumentId": "4",
        "destinationInstrumentFriendlyName": "To", "description": "Rent",
    });
    assert_eq!(paid["additionalFields"], expected);

    let got = shown(&line(Side::Credit, Direction::Internal, Origin::User, done));
    assert_eq!(got["transactionAmount"], sum(100));
    assert_eq!(
        (got.get("transactionFee"), got.get("cardholderFee")),
        (None, None)
    );
    let expected = json!({
        "sourceInstrumentType": "managed_accounts", "sourceInstrumentId": "3",
        "sourceInstrumentFriendlyName": "From", "description": "Rent",
    });
    assert_eq!(got["additionalFields"], expected);
}

#[test]
fn each_movement_has_its_type_and_fields() {
    use Direction::{MoneyIn, MoneyOut};
    use Side::{Credit, Debit};
    for (side, direction, origin, kind, field) in [
        (
            Credit,
            MoneyIn,
            Origin::Deposit,
            "DEPOSIT",
            "senderReference",
        ),
        (Credit, MoneyIn, Origin::Paycheck, "DEPOSIT", "sender"),
        (
            Debit,
            MoneyOut,
            Origin::CardPurchase,
            "SETTLEMENT",
            "merchantName",
        ),
        (
            Credit,
            MoneyIn,
            Origin::CardRefund,
            "MERCHANT_REFUND",
            "merchantName",
        ),
        (
            Debit,
            MoneyOut,
            Origin::User,
            "OUTGOING_WIRE_TRANSFER",
            "beneficiaryName",
        ),
        (
            Debit,
            MoneyOut,
            Origin::ExternalPull,
            "OUTGOING_DIRECT_DEBIT_COLLECTION",
            "description",
        ),
    ] {
        let entry = shown(&line(side, direction, origin, Status::Complete));
        assert_eq!(entry["transactionId"]["type"], kind);
        assert!(
            entry["additionalFields"][field].is_string(),
            "{kind} {field}"
        );
    }
}

#[test]
fn money_on_its_way_is_pending() {
    let state = |status| {
        let line = line(Side::Debit, Direction::MoneyOut, Origin::User, status);
        shown(&line)["entryState"].clone()
    };
    assert_eq!(state(Status::Pending), "PENDING");
    assert_eq!(state(Status::Complete), "COMPLETED");
    // Money that came back has been somewhere and is here again.
    assert_eq!(state(Status::Error), "COMPLETED");
}

#[test]
fn what_is_no_instrument_has_a_name_only() {
    let mut line = line(
        Side::Credit,
        Direction::Internal,
        Origin::Rule,
        Status::Complete,
    );
    line.transfer.source = party(3, AccountKind::IncomeSource, "Payroll");
    let fields = &shown(&line)["additionalFields"];
    assert_eq!(fields["sourceInstrumentFriendlyName"], "Payroll");
    assert_eq!(fields.get("sourceInstrumentId"), None);
    line.transfer.source = party(3, AccountKind::External(ExternalKind::Depository), "Bank");
    line.transfer.transfer.direction = Direction::MoneyIn;
    assert_eq!(shown(&line)["additionalFields"]["sender"], "Bank");
}

#[test]
fn filters_name_what_entries_show() {
    for (movement, shown, asked) in TYPES {
        assert_eq!(shown.name(), asked.name());
        assert_eq!(super::movement(asked), Some(movement));
        assert_eq!(entry_type(movement), shown);
    }
    assert_eq!(movement(TransactionType::Send), None);
    let request = |query: &str| query_of(query);
    assert_eq!(request("").movements, None);
    assert_eq!(request("transactionType=SEND").movements, Some(Vec::new()));
    let two = request("transactionType=SEND,DEPOSIT&orderByTimestamp=ASC&statementLimit=9999");
    assert_eq!(two.movements, Some(vec![Movement::Deposit]));
    assert_eq!((two.newest_first, two.limit), (false, 500));
    assert!(ENTRY_TYPES.len() >= TYPES.len());
}

fn query_of(text: &str) -> StatementQuery {
    query(&request::parse(Some(text)).expect("nothing is wrong"))
}

#[test]
fn a_debit_cards_statement_has_no_balances() {
    let statement = |balances| Statement {
        account: account(),
        lines: vec![line(
            Side::Debit,
            Direction::Internal,
            Origin::User,
            Status::Complete,
        )],
        count: 3,
        balances,
    };
    let text = |balances| serde_json::to_value(body(&statement(balances))).expect("texts");
    let with = text(Some((1_000, 900)));
    assert_eq!(
        with["startBalance"],
        json!({"currency": "EUR", "amount": 1_000})
    );
    assert_eq!(
        with["endBalance"],
        json!({"currency": "EUR", "amount": 900})
    );
    assert_eq!(
        (&with["count"], &with["responseCount"]),
        (&json!(3), &json!(1))
    );
    let without = text(None);
    assert_eq!(
        (without.get("startBalance"), without.get("endBalance")),
        (None, None)
    );
}

#[tokio::test]
async fn a_csv_statement_says_what_it_is() {
    let response = csv(&[]);
    let headers: &HeaderMap = response.headers();
    assert_eq!(headers[CONTENT_TYPE], "text/csv");
    let body = response.into_body().collect().await.expect("it is whole");
    assert!(body.to_bytes().starts_with(b"transactionType,"));
}
