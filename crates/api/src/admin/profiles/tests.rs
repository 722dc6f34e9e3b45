use ledger::{Millis, Profile, TenantId};
use serde_json::json;

use super::*;

/// A profile as it would be made from this body, or everything that is wrong with it.
fn made(body: &Value) -> Result<Profile, Vec<String>> {
    let mut fields = Fields::parse(body.to_string().as_bytes()).expect("an object");
    let kind = read_kind(&mut fields);
    let currencies = read_currencies(&mut fields).unwrap_or_default();
    let terms = kind.map(|kind| terms::read(&mut fields, kind));
    told(fields)?;
    Ok(Profile {
        id: ProfileId::new(1_234),
        tenant: TenantId::new(1),
        name: Arc::from("P"),
        active: true,
        currencies,
        terms: terms.expect("a type"),
        created_at: Millis(0),
        updated_at: Millis(0),
    })
}

fn told(fields: Fields) -> Result<(), Vec<String>> {
    fields
        .finish()
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// What is answered has every member that was written, as it was written.
#[track_caller]
fn check_comes_back(body: &Value) {
    let profile = made(body).expect("a good body");
    let answer = serde_json::to_value(ProfileBody::new(&profile)).expect("string keys");
    for (member, value) in body.as_object().expect("an object") {
        assert_eq!(&answer[member], value, "{member}");
    }
    assert_eq!(answer["multi_id"], "1234");
    assert_eq!(answer["id"], "prf_000000000016J");
}

#[test]
fn every_type_comes_back_as_it_was_written() {
    check_comes_back(&json!({"type": "corporate", "currencies": []}));
    check_comes_back(&json!({"type": "consumer", "currencies": ["GBP"]}));
    check_comes_back(&json!({
        "type": "managed_account", "currencies": ["EUR", "USD"],
        "max_balances": [{"currency": "EUR", "amount": 5_000_000}],
        "deposit_fees": [{"currency": "EUR", "type": "PERCENTAGE", "percent": "0.0001"}],
    }));
    check_comes_back(&json!({"type": "managed_card", "mode": "prepaid", "max_balances": []}));
    check_comes_back(&json!({"type": "managed_card", "mode": "debit"}));
    let fee = |kind: &str, flat: Option<i64>, percent: Option<&str>| {
        let mut fee = json!({"source": "managed_accounts", "destination": "managed_cards",
                             "currency": "EUR", "type": kind});
        if let Some(flat) = flat {
            fee["flat"] = json!(flat);
        }
        if let Some(percent) = percent {
            fee["percent"] = json!(percent);
        }
        fee
    };
    check_comes_back(&json!({
        "type": "transfer", "currencies": ["EUR"],
        "pairs": [{"source": "managed_accounts", "destination": "managed_cards"},
                  {"source": "managed_cards", "destination": "managed_cards"}],
        "fees": [fee("FLAT", Some(0), None), fee("PERCENTAGE", None, Some("100")),
                 fee("PLUS", Some(25), Some("1.25")), fee("MIN", Some(1), Some("2")),
                 fee("MAX", Some(i64::MAX), Some("0"))],
        "fee_policy": "required",
        "max_amounts": [{"currency": "EUR", "amount": 1}],
        "deny_above": [{"currency": "EUR", "amount": 2}],
        "forex": true,
    }));
}

#[test]
fn what_is_absent_limits_nothing_and_costs_nothing() {
    let answer = |body: &Value| {
        let profile = made(body).expect("a good body");
        serde_json::to_value(ProfileBody::new(&profile)).expect("string keys")
    };
    let transfer = answer(&json!({"type": "transfer", "fees": null}));
    for list in ["currencies", "pairs", "fees", "max_amounts", "deny_above"] {
        assert_eq!(transfer[list], json!([]), "{list}");
    }
    assert_eq!(transfer["fee_policy"], "best_effort");
    assert_eq!(transfer["forex"], false);
    assert_eq!(transfer.get("max_balances"), None);
    let corporate = answer(&json!({"type": "corporate"}));
    assert_eq!(corporate.get("fees"), None);
}

#[track_caller]
fn check_faults(body: &Value, expected: &[&str]) {
    assert_eq!(made(body).expect_err("much is wrong"), expected);
}

#[test]
fn every_fault_is_told_at_once() {
    check_faults(&json!({}), &["type is required"]);
    check_faults(
        &json!({"type": ""}),
        &["type must be one of corporate, consumer, managed_account, managed_card, transfer"],
    );
    check_faults(&json!({"type": "managed_card"}), &["mode is required"]);
    check_faults(
        &json!({"type": "managed_card", "mode": "credit", "currencies": ["EURO"]}),
        &[
            "currencies must be a list of ISO 4217 codes",
            "mode must be one of prepaid, debit",
        ],
    );
    check_faults(
        &json!({"type": "consumer", "fees": [], "max_balances": [], "mode": "debit"}),
        &[
            "fees is for profiles of type transfer only",
            "mode is for profiles of type managed_card only",
            "max_balances is for profiles of type managed_account or managed_card only",
        ],
    );
    check_faults(
        &json!({
            "type": "transfer",
            "pairs": [{"source": "managed_accounts"}, "x", {"source": "pods", "destination": 1}],
            "fees": [
                {"source": "managed_accounts", "destination": "managed_cards", "currency": "",
                 "type": "FLAT", "flat": -1, "percent": "1"},
                {"source": "managed_accounts", "destination": "managed_cards", "currency": "EUR",
                 "type": "PLUS", "percent": "1.00001"},
                {"source": "managed_accounts", "destination": "managed_cards", "currency": "EUR",
                 "type": "TIER"},
            ],
            "fee_policy": "",
            "max_amounts": {},
            "deny_above": [{"currency": "EUR", "amount": 0}],
            "forex": "yes",
        }),
        &[
            "pairs[0].destination is required",
            "pairs[1] must be an object",
            "pairs[2].source must be one of managed_accounts, managed_cards",
            "pairs[2].destination must be a string",
            "fees[0].currency is not an ISO 4217 currency code",
            "fees[0].flat must be at least 0",
            "fees[0].percent is not for a fee of this type",
            "fees[1].flat is required",
            "fees[1].percent must be a percentage from 0 to 100 with at most 4 decimals, such as \
             \"1.25\"",
            "fees[2].type must be one of FLAT, PERCENTAGE, PLUS, MIN, MAX",
            "fee_policy must be one of best_effort, required",
            "max_amounts must be a list",
            "deny_above[0].amount must be at least 1",
            "forex must be true or false",
        ],
    );
    let pair = json!({"source": "managed_accounts", "destination": "managed_cards"});
    let pairs = vec![pair; ledger::profile::LINES_MAX + 1];
    check_faults(
        &json!({"type": "transfer", "pairs": pairs}),
        &["pairs must have at most 200 lines"],
    );
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let known = made(&json!({
        "type": "transfer", "forex": true, "fee_policy": "required",
        "max_amounts": [{"currency": "EUR", "amount": 1}],
    }));
    let known = known.expect("a good body");
    let changed = |body: &Value| {
        let mut fields = Fields::parse(body.to_string().as_bytes()).expect("an object");
        let terms = terms::change(&mut fields, known.terms.clone());
        told(fields).map(|()| terms)
    };
    assert_eq!(changed(&json!({})), Ok(known.terms.clone()));
    let Ok(ledger::Terms::Transfer(terms)) = changed(&json!({"max_amounts": [], "forex": false}))
    else {
        panic!("the type stays");
    };
    assert_eq!(terms.max_amounts, []);
    assert!(!terms.forex);
    assert_eq!(terms.fee_policy, ledger::profile::FeePolicy::Required);
    assert!(changed(&json!({"mode": "debit"})).is_err());
}

#[test]
fn the_mode_of_cards_never_changes() {
    let known = made(&json!({"type": "managed_card", "mode": "debit"})).expect("a good body");
    let mut fields = Fields::parse(br#"{"mode": "prepaid"}"#).expect("an object");
    terms::change(&mut fields, known.terms.clone());
    assert_eq!(told(fields), Err(vec!["mode never changes".to_owned()]));
    let mut fields = Fields::parse(br#"{"mode": "debit"}"#).expect("an object");
    assert_eq!(terms::change(&mut fields, known.terms.clone()), known.terms);
    assert_eq!(told(fields), Ok(()));
}
