//! A rule in each spelling reads back as what it was written from.

use ledger::rule::draft::RuleDraft;
use serde_json::{Value, json};

use super::{Spelling, Status, camel, draft};
use crate::json::Fields;

fn number(text: &str) -> Option<u64> {
    text.strip_prefix("acc_").unwrap_or(text).parse().ok()
}

fn spelling(is_camel: bool) -> Spelling {
    Spelling {
        camel: is_camel,
        name: if is_camel { "name" } else { "nickname" },
        asks: false,
        account: |id| format!("acc_{id}"),
        read_account: number,
        rule: |id| format!("rule_{id}"),
        execution: |id| format!("rex_{id}"),
        transfer: |id| format!("txr_{id}"),
    }
}

fn body() -> Value {
    json!({
        "nickname": "Split", "description": null, "status": "enabled",
        "trigger": {"type": "ON_FUNDS_TRANSFERRED", "account_id": "acc_1"},
        "steps": [
            {"conditions": {"all": [
                {"condition": {"fact": "BALANCE", "operator": "GREATER_THAN", "value": 50_000}},
                {"any": [{"condition": {
                    "fact": "date", "operator": "less_than", "value_fact": "LAST_DAY_OF_MONTH",
                }}, {"condition": {
                    "fact": "TRANSFER_AMOUNT", "operator": "LESS_THAN",
                    "value_fact": "LAST_STATEMENT_BALANCE", "params": {"account_id": "acc_4"},
                }}]},
            ]},
             "actions": [
                {"type": "percentage", "percentage_value": 33.25,
                 "percentage_target": "INCOMING_AMOUNT", "destination": {"id": "acc_2"},
                 "limit": {"period": "PER_MONTH", "amount_in_cents": 100_000}},
                {"type": "fixed", "amount_in_cents": 5_000, "up_to_enabled": true,
                 "source": {"id": "acc_1", "type": "pod"},
                 "destination": {"id": "acc_3"}, "group_index": 1},
             ]},
            {"conditions": null, "actions": [{
                "type": "avalanche", "amount_in_cents": 20_000, "liabilities": [
                    {"id": "acc_4", "interest_rate_percentage": 24.99},
                    {"id": "acc_5", "interest_rate_percentage": 7},
                ],
            }]},
        ],
    })
}

/// The same body in camel case.
fn camel_body(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| match &*name {
                "nickname" => ("name".to_owned(), value),
                name => (camel(name), camel_body(value)),
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(camel_body).collect(),
        other => other,
    }
}

fn read(body: &Value, spelling: &Spelling) -> Result<RuleDraft, Vec<String>> {
    let mut fields = Fields::parse(body.to_string().as_bytes()).expect("an object");
    let draft = draft(&mut fields, spelling, Status::Required);
    let faults: Vec<String> = fields
        .into_faults()
        .iter()
        .map(ToString::to_string)
        .collect();
    if faults.is_empty() {
        Ok(draft)
    } else {
        Err(faults)
    }
}

#[test]
fn both_spellings_say_the_same() {
    let snake = read(&body(), &spelling(false)).expect("well spelled");
    let camel = read(&camel_body(body()), &spelling(true)).expect("well spelled");
    assert_eq!(snake, camel);
    assert_eq!(&*snake.name, "Split");
    assert_eq!(snake.steps.len(), 2);
    let debts = &snake.steps[1].actions[0].liabilities;
    assert_eq!(debts[0].apr.map(|apr| apr.0), Some(2_499));
    let any = snake.steps[0]
        .conditions
        .as_ref()
        .and_then(|it| it.all.as_ref());
    let right = &any.and_then(|all| all[1].any.as_ref()).expect("nested")[1];
    assert!(
        right
            .condition
            .is_some_and(|it| it.account.is_none() && it.value_account.is_some())
    );
}

#[test]
fn every_fault_has_its_path() {
    let mut wrong = body();
    wrong["trigger"]["type"] = json!("SOMETIMES");
    wrong["status"] = json!("on");
    let action = &mut wrong["steps"][0]["actions"][0];
    action["percentage_value"] = json!(100.5);
    action["limit"]["amount_in_cents"] = json!(-1);
    wrong["steps"][1]["actions"][0]["liabilities"][1] = json!("acc_5");
    let faults = read(&wrong, &spelling(false)).expect_err("faulty");
    for start in [
        "status must be one of",
        "trigger.type must be one of",
        "steps[0].actions[0].percentage_value must be a number",
        "steps[0].actions[0].limit.amount_in_cents must be at least 0",
        "steps[1].actions[0].liabilities[1] must be an object",
    ] {
        let found = faults.iter().any(|fault| fault.starts_with(start));
        assert!(found, "{start}: {faults:?}");
    }
    let faults = read(&camel_body(wrong), &spelling(true)).expect_err("faulty");
    let path = "steps[0].actions[0].percentageValue";
    assert!(
        faults.iter().any(|fault| fault.starts_with(path)),
        "{faults:?}"
    );
}

#[test]
fn paths_of_the_core_are_respelled() {
    assert_eq!(spelling(false).path("nickname"), "nickname");
    assert_eq!(spelling(true).path("nickname"), "name");
    let path = "steps[1].actions[0].next_payment_minimum_account";
    assert_eq!(
        spelling(true).path(path),
        "steps[1].actions[0].nextPaymentMinimumAccount"
    );
}
