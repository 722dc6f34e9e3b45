//! Transfers that wait for a person, from the key that asks to the operator who decides.

use axum::http::Method;
use serde_json::{Value, json};

use crate::cli::Desk;
use crate::harness::{Call, Caller, Reply, World, id, transfer_body};
use crate::process::{Place, poll};
use crate::sequence_rules::split;

const HOUR: i64 = 3_600_000;

/// A key that may move 50.00 alone and 500.00 at all.
async fn careful(world: &World) -> Caller<'_> {
    let sets = json!([{"source": "*", "target": "*", "max_amount": 50_000,
                       "approval_above": 5_000}]);
    world
        .with_permissions(&json!([
            {"scope": "MANUAL_TRANSFER", "resources": sets},
            {"scope": "READ_TRANSFERS", "resources": "*"},
        ]))
        .await
}

async fn asked(world: &World, amount: i64) -> Value {
    let caller = careful(world).await;
    let reply = caller.transfer(&world.pay, &world.fund, amount).await;
    world.quiesce().await;
    reply.expect(201)["data"].clone()
}

async fn decide(world: &World, transfer: &str, how: &str, body: &Value) -> Reply {
    let path = world.path(&format!("/transfers/{transfer}/{how}"));
    world.server.admin(Method::POST, &path, Some(body)).await
}

async fn waiting(world: &World) -> Vec<String> {
    let list = world.server.admin_get(&world.path("/approvals")).await;
    list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(id)
        .collect()
}

#[tokio::test]
async fn a_key_moves_small_sums_alone_and_asks_for_large_ones() {
    let world = World::new().await;
    let small = asked(&world, 5_000).await;
    assert_eq!(small["status"], "processing");
    assert_eq!(world.transfer(&id(&small)).await["status"], "complete");
    let large = asked(&world, 5_001).await;
    assert_eq!(large["status"], "pending_approval");
    assert_eq!(world.balance(&world.fund).await, 55_000);
    assert_eq!(waiting(&world).await, [id(&large)]);

    let approved = decide(&world, &id(&large), "approve", &json!({}))
        .await
        .expect(200);
    assert_eq!(approved["status"], "processing");
    world.quiesce().await;
    assert_eq!(world.transfer(&id(&large)).await["status"], "complete");
    assert_eq!(world.balance(&world.fund).await, 60_001);
    assert!(waiting(&world).await.is_empty());
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_whatever_was_decided() {
    let world = World::new().await;
    let caller = careful(&world).await;
    let ask = async || {
        let reply = caller
            .transfer_once("rent-1", &world.pay, &world.fund, 9_000)
            .await;
        reply.expect(201)
    };
    let first = ask().await;
    decide(&world, &id(&first["data"]), "approve", &json!({}))
        .await
        .expect(200);
    world.quiesce().await;
    let again = ask().await;
    assert_eq!(again["data"], first["data"]);
    assert_eq!(again["data"]["status"], "pending_approval");
    assert_eq!(world.balance(&world.fund).await, 59_000);
}

#[tokio::test]
async fn what_is_denied_or_forgotten_is_cancelled() {
    let mut world = World::new().await;
    let denied = id(&asked(&world, 6_000).await);
    let body = json!({"reason": "Not this month"});
    let told = decide(&world, &denied, "deny", &body).await.expect(200);
    assert_eq!(told["status"], "cancelled");
    assert_eq!(told["cancel_reason"], "Not this month");
    let forgotten = id(&asked(&world, 7_000).await);
    // A restart forgets neither that it waits nor until when.
    world.server.restart().await;
    world.advance(24 * HOUR - 1).await;
    assert_eq!(waiting(&world).await, std::slice::from_ref(&forgotten));
    world.advance(1).await;
    assert_eq!(world.transfer(&forgotten).await["status"], "cancelled");
    assert!(waiting(&world).await.is_empty());
    assert_eq!(world.balance(&world.fund).await, 50_000);
    let late = decide(&world, &forgotten, "approve", &json!({})).await;
    late.problem(409, "transfer_not_pending_approval", &[]);
}

#[tokio::test]
async fn who_decided_is_in_the_audit_log() {
    let world = World::new().await;
    let (yes, no) = (
        id(&asked(&world, 6_000).await),
        id(&asked(&world, 7_000).await),
    );
    let by = json!({"by": "Ada", "reason": "Not this month"});
    decide(&world, &yes, "approve", &by).await.expect(200);
    decide(&world, &no, "deny", &by).await.expect(200);
    // What is refused was not decided.
    decide(&world, &no, "approve", &by).await.expect(409);
    let scopes = json!([{"scope": "READ_AUDIT_LOGS"}]);
    let key = world.server.key(&world.tenant, &scopes).await;
    let call = Call::new(Method::GET, "/platform/v1/audit-logs");
    let call = call.header("authorization", format!("Bearer {key}"));
    let log = world.server.call(call).await.expect(200);
    let items = log["data"]["items"].as_array().expect("a list");
    let told: Vec<[&str; 3]> = items
        .iter()
        .map(|entry| {
            ["apiKeyName", "action", "path"].map(|field| entry[field].as_str().unwrap_or("-"))
        })
        .filter(|[who, ..]| *who == "Ada")
        .collect();
    let (yes, no) = (format!("/transfers/{yes}"), format!("/transfers/{no}"));
    assert_eq!(
        told,
        [
            ["Ada", "DENY_TRANSFER", &*no],
            ["Ada", "APPROVE_TRANSFER", &*yes]
        ]
    );
}

#[tokio::test]
async fn a_rule_asks_above_its_amount_and_its_run_waits() {
    let world = World::new().await;
    let rule = world.rule_on(&split(&world.pay, &world.fund)).await;
    let path = world.path(&format!("/rules/{rule}/approval"));
    let set = async |above: Value| {
        let body = json!({"approval_above": above});
        world.server.admin(Method::PUT, &path, Some(&body)).await
    };
    let told = set(json!(10_000)).await.expect(200);
    assert_eq!(told, json!({"rule_id": rule, "approval_above": 10_000}));
    let shown = world
        .server
        .admin_get(&world.path(&format!("/rules/{rule}")))
        .await;
    assert_eq!(shown["approval_above"], 10_000);
    set(json!(-1))
        .await
        .problem(400, "invalid_parameters", &["approval_above"]);
    // A fifth of 500.00 goes alone, of 500.05 it waits.
    world.paycheck(&world.pay, 50_000).await;
    world.paycheck(&world.pay, 50_005).await;
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 60_000);
    let [waits] = &waiting(&world).await[..] else {
        panic!("one transfer waits");
    };
    let run = &world.runs(&rule).await[0];
    assert_eq!(run["status"], "in_progress");
    let asked = world.transfer(waits).await;
    assert_eq!(asked["rule_id"], rule.as_str());
    assert_eq!(asked["rule_execution_id"], run["id"]);
    decide(&world, waits, "approve", &json!({}))
        .await
        .expect(200);
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 70_001);
    assert_eq!(world.runs(&rule).await[0]["status"], "executed");
    let none = set(Value::Null).await.expect(200);
    assert_eq!(none["approval_above"], Value::Null);
}

#[tokio::test]
async fn refusals_come_in_order_and_leave_nothing_behind() {
    let world = World::new().await;
    let waits = id(&asked(&world, 6_000).await);
    let done = id(&asked(&world, 100).await);
    let before = world.snapshot().await;
    let long = json!({"reason": "x".repeat(51)});
    let nobody = format!("txr_{}", "0".repeat(13));
    let elsewhere = "/tenants/ten_0000000000000/transfers";
    let path = format!("{elsewhere}/{waits}/deny");
    let reply = world.server.admin(Method::POST, &path, Some(&long)).await;
    reply.problem(404, "tenant_not_found", &[]);
    for (transfer, how, body, status, code, fields) in [
        (&nobody, "deny", &long, 404, "not_found", &[][..]),
        (&nobody, "approve", &json!({}), 404, "not_found", &[]),
        (
            &done,
            "deny",
            &long,
            409,
            "transfer_not_pending_approval",
            &[],
        ),
        (
            &done,
            "approve",
            &json!({}),
            409,
            "transfer_not_pending_approval",
            &[],
        ),
        (
            &waits,
            "deny",
            &long,
            400,
            "invalid_parameters",
            &["reason"],
        ),
        (
            &waits,
            "deny",
            &json!({"reason": 7}),
            400,
            "invalid_parameters",
            &["reason"],
        ),
    ] {
        let reply = decide(&world, transfer, how, body).await;
        reply.problem(status, code, fields);
    }
    let path = world.path("/approvals?limit=0");
    let reply = world.server.admin(Method::GET, &path, None).await;
    reply.problem(400, "invalid_parameters", &["limit"]);
    let entry = json!({"source": "*", "target": "*", "approval_above": -1});
    let body = json!({"name": "k", "permissions": [
        {"scope": "MANUAL_TRANSFER", "resources": [entry]}]});
    let path = world.path("/keys");
    let reply = world.server.admin(Method::POST, &path, Some(&body)).await;
    let field = "permissions[0].resources[0].approval_above";
    reply.problem(400, "invalid_parameters", &[field]);
    assert_eq!(world.snapshot().await, before);
    let refused = careful(&world).await;
    let body = transfer_body(&world.pay, &world.fund, 50_001);
    refused.post("/transfers", &body).await.expect(403);
}

#[test]
fn the_command_line_lists_approves_and_denies() {
    let Desk {
        place,
        process,
        pay,
        fund,
        ..
    } = Desk::at(Place::new());
    let sets = "MANUAL_TRANSFER=*>*::5000";
    let made = place.json(&["key", "create", "--name", "careful", "--permission", sets]);
    assert_eq!(
        made["permissions"][0]["resources"],
        json!([{"source": "*", "target": "*", "approval_above": 5000}])
    );
    let mut http = process.as_key(made["secret"].as_str().expect("shown once"));
    let mut ask = || {
        let body = transfer_body(&pay, &fund, 6_000);
        id(&http.post("/api/v1/transfers", &body)["data"])
    };
    let (first, second) = (ask(), ask());
    let listed = place.ok(&["transfer", "waiting"]);
    for transfer in [&first, &second] {
        assert!(listed.contains(transfer.as_str()), "{listed}");
    }
    let denied = place.json(&["transfer", "deny", &first, "--reason", "Too much"]);
    assert_eq!(denied["cancel_reason"], "Too much");
    let approved = place.json(&["transfer", "approve", &second]);
    assert_eq!(approved["status"], "processing");
    poll(|| {
        let shown = place.json(&["transfer", "show", &second]);
        (shown["status"] == "complete").then_some(())
    });
    let said = place.fails(1, &["transfer", "approve", &first]);
    assert!(said.contains("transfer_not_pending_approval"), "{said}");
    assert_eq!(place.json(&["transfer", "waiting"])["data"], json!([]));
}
