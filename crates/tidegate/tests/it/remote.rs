//! The legacy remote API: balances, and rules run from outside.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Reply, World};
use crate::sequence_rules::split;

async fn post(world: &World, path: &str, header: &'static str, key: &str) -> Reply {
    let call = Call::post(path).header(header, format!("Bearer {key}"));
    world.server.call(call.json(&json!({}))).await
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    let body = reply.expect(status);
    assert_eq!(body["code"], code, "{body}");
    assert!(body["message"].is_string());
}

const TOKEN: &str = "x-sequence-access-token";
const SECRET: &str = "x-sequence-signature";

#[tokio::test]
async fn balances_are_told_in_dollars() {
    let world = World::new().await;
    let reply = post(&world, "/accounts", TOKEN, &world.key)
        .await
        .expect(200);
    assert_eq!(reply["message"], "OK");
    assert_eq!(reply["data"]["errors"], json!([]));
    let accounts = reply["data"]["accounts"].as_array().expect("a list");
    let of = |name: &str| {
        accounts
            .iter()
            .find(|it| it["name"] == name)
            .expect("listed")
    };
    assert_eq!(of("Emergency Fund")["type"], "Pod");
    assert_eq!(
        of("Emergency Fund")["balance"],
        json!({"amountInDollars": 500.0, "error": null})
    );
    assert_eq!(of("Main Payroll")["type"], "Income Source");
    assert_eq!(of("Amex Gold ••1234")["balance"]["amountInDollars"], 2450.0);
    let unknown = of("Chase Checking ••8810");
    assert_eq!(unknown["balance"]["amountInDollars"], Value::Null);
    assert!(unknown["balance"]["error"].is_string());
    // A token for one account tells that one.
    let entry = json!([{"scope": "READ_ACCOUNTS", "resources": [world.fund]}]);
    let one = world.server.key(&world.tenant, &entry).await;
    let one = post(&world, "/accounts", TOKEN, &one).await.expect(200);
    assert_eq!(one["data"]["accounts"].as_array().map(Vec::len), Some(1));

    let blind = world.server.key(&world.tenant, &json!([])).await;
    refused(
        &post(&world, "/accounts", TOKEN, &blind).await,
        401,
        "INVALID_ACCESS_TOKEN",
    );
    refused(
        &post(&world, "/accounts", TOKEN, "nonsense").await,
        401,
        "INVALID_ACCESS_TOKEN",
    );
    refused(
        &post(&world, "/accounts", SECRET, &world.key).await,
        401,
        "INVALID_ACCESS_TOKEN",
    );
    refused(
        &world.server.call(Call::get("/accounts")).await,
        405,
        "METHOD_NOT_ALLOWED",
    );
    let call = Call::post("/accounts").header(TOKEN, format!("Bearer {}", world.key));
    refused(
        &world.server.call(call.clone()).await,
        400,
        "INVALID_REQUEST",
    );
    refused(
        &world.server.call(call.json_text("[]")).await,
        400,
        "INVALID_REQUEST",
    );
}

#[tokio::test]
async fn a_rule_is_run_from_outside_with_its_secret() {
    let world = World::new().await;
    let mut rule = split(&world.pay, &world.trip);
    rule["trigger"]["type"] = json!("MANUAL");
    rule["steps"][0]["actions"] = json!([{"type": "fixed_amount", "amount_in_cents": 2_500, "destination": {"id": world.trip}}]);
    let rule = world.rule_on(&rule).await;
    let other = world.rule(&split(&world.pay, &world.fund)).await;
    let entry = json!([{"scope": "TRIGGER_RULES", "resources": [rule]}]);
    let secret = world.server.key(&world.tenant, &entry).await;
    for path in [
        format!("/rules/{rule}/trigger"),
        format!("/remote-api/rules/{rule}/trigger"),
    ] {
        let done = post(&world, &path, SECRET, &secret).await.expect(200);
        assert_eq!(done["code"], "OK");
        assert_eq!(
            done["message"],
            format!("Rule with id {rule} has been triggered")
        );
        assert!(done["data"]["requestId"].is_string());
        world.quiesce().await;
    }
    assert_eq!(world.balance(&world.trip).await, 5_000);
    // With a key of its own a request is done once.
    let call = Call::post(format!("/rules/{rule}/trigger"))
        .header(SECRET, format!("Bearer {secret}"))
        .header("idempotency-key", "once")
        .json(&json!({}));
    for _ in 0..2 {
        world.server.call(call.clone()).await.expect(200);
        world.quiesce().await;
    }
    assert_eq!(world.balance(&world.trip).await, 7_500);
    let before = world.snapshot().await;
    let path = format!("/rules/{other}/trigger");
    refused(
        &post(&world, &path, SECRET, &secret).await,
        401,
        "INVALID_API_SECRET",
    );
    refused(
        &post(&world, &path, SECRET, "nonsense").await,
        401,
        "INVALID_API_SECRET",
    );
    let path = "/rules/ru_12345/trigger";
    refused(
        &post(&world, path, SECRET, &world.key).await,
        401,
        "INVALID_API_SECRET",
    );
    world.switch(&rule, "disable").await.expect(200);
    let path = format!("/rules/{rule}/trigger");
    refused(
        &post(&world, &path, SECRET, &secret).await,
        400,
        "INVALID_REQUEST",
    );
    let get = Call::new(Method::GET, path);
    refused(&world.server.call(get).await, 405, "METHOD_NOT_ALLOWED");
    world.quiesce().await;
    let after = world.snapshot().await;
    assert_eq!(
        (&after["transfers"], &after["runs"]),
        (&before["transfers"], &before["runs"])
    );
}
