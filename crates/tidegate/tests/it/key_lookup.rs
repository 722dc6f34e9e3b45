//! What became of an idempotency key: for clients that lost an answer, and for whoever they ask.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, World, everything, id};
use crate::multi_world::{MultiWorld, order};
use crate::process::{Ground, Place};

async fn asked(world: &World, key: &str) -> Value {
    let path = format!("/idempotency-keys/{key}");
    world.john().get(&path).await.data()
}

async fn told(world: &World, rest: &str) -> Value {
    let path = world.path(&format!("/idempotency-keys/{rest}"));
    world.server.admin_get(&path).await
}

#[tokio::test]
async fn a_client_learns_what_became_of_its_key() {
    let mut world = World::new().await;
    let never = json!({"state": "never_seen", "uses": []});
    assert_eq!(asked(&world, "k1").await, never);
    // Asking does not use it up.
    let john = world.john();
    let made = john
        .transfer_once("k1", &world.pay, &world.fund, 10_000)
        .await;
    let made = made.expect(201);
    world.quiesce().await;
    let known = asked(&world, "k1").await;
    assert_eq!(known["state"], "applied");
    let used = &known["uses"][0];
    assert_eq!(used["operation"], "create_transfer");
    assert_eq!(used["request_id"], made["request_id"]);
    assert_eq!(used["resource_id"], made["data"]["id"]);
    assert_eq!(used["transfer"]["status"], "complete");
    assert_eq!(used["transfer"]["id"], made["data"]["id"]);
    assert_eq!(known["uses"].as_array().map(Vec::len), Some(1));
    // Another key of the tenant has not used it; the operator sees who has.
    let other = world.with_permissions(&everything()).await;
    let path = "/idempotency-keys/k1";
    assert_eq!(other.get(path).await.data(), never);
    let whole = told(&world, "k1").await;
    assert_eq!(whole["state"], "applied");
    assert_eq!(whole["uses"][0]["object_id"], made["data"]["id"]);
    assert!(whole["uses"][0]["key_id"].is_string());
    world.server.restart().await;
    assert_eq!(asked(&world, "k1").await, known);
}

#[tokio::test]
async fn a_refusal_is_told_and_its_key_is_free() {
    let world = World::new().await;
    let john = world.john();
    let refused = john
        .transfer_once("k1", &world.bank, &world.card, 10_000)
        .await;
    assert_eq!(refused.status, 201, "{}", refused.text());
    let stranger = world.stranger().await;
    let refused = john
        .transfer_once("k2", &world.pay, &stranger, 10_000)
        .await;
    assert!(refused.status >= 400, "{}", refused.text());
    let known = asked(&world, "k2").await;
    assert_eq!(known["state"], "refused");
    assert!(known["uses"][0]["error"]["code"].is_string(), "{known}");
    assert!(known["uses"][0]["error"]["message"].is_string());
    assert_eq!(
        told(&world, "k2").await["uses"][0]["error"]["key_is_free"],
        true
    );
    // It is free: another request takes it.
    let made = john
        .transfer_once("k2", &world.pay, &world.fund, 10_000)
        .await;
    made.expect(201);
    assert_eq!(asked(&world, "k2").await["state"], "applied");
}

#[tokio::test]
async fn multi_tells_of_references_that_were_applied_and_refused() {
    let world = MultiWorld::new().await;
    let acme = world.acme();
    let path = "/idempotency_refs/r%2F1";
    let never = json!({"state": "NEVER_SEEN", "uses": []});
    assert_eq!(acme.get(path).await.expect(200), never);
    let (from, to) = (&world.acme.main, &world.acme.reserve);
    let body = order(&world.profiles.free, from, to, "EUR", 100);
    let made = acme.post_once("r/1", "/transfers", &body).await.expect(200);
    let known = acme.get(path).await.expect(200);
    assert_eq!(known["state"], "APPLIED");
    let used = &known["uses"][0];
    assert_eq!(used["operation"], "transfer");
    assert_eq!(used["id"], made["id"]);
    assert_eq!(used["transfer"], made);
    let body = order(&world.profiles.free, from, to, "EUR", 99_999_999);
    let refused = acme.post_once("r2", "/transfers", &body).await;
    refused.conflict("FUNDS_INSUFFICIENT");
    let known = acme.get("/idempotency_refs/r2").await.expect(200);
    assert_eq!(known["state"], "REFUSED");
    assert_eq!(known["uses"][0]["errorCode"], "FUNDS_INSUFFICIENT");
    // Another identity has not used it; the operator sees who has.
    assert_eq!(world.jane().get(path).await.expect(200), never);
    let admin = format!("{}/idempotency-keys/r2", world.path(""));
    let whole = world.server.admin_get(&admin).await;
    assert_eq!(whole["state"], "refused");
    assert_eq!(whole["uses"][0]["error"]["key_is_free"], false);
    let owner = whole["uses"][0]["owner_id"].as_str().expect("an owner");
    let narrowed = world
        .server
        .admin_get(&format!("{admin}?owner_id={owner}"))
        .await;
    assert_eq!(narrowed, whole);
    // What changes a user is found, too.
    let user = json!({"name": "U", "surname": "Ser", "email": "user@acme.test"});
    let user = acme.post("/users", &user).await.expect(200);
    let change = acme
        .call(Method::PATCH, &format!("/users/{}", id(&user)))
        .header("idempotency-ref", "r3")
        .json(&json!({"name": "Us"}));
    acme.send(change).await.expect(200);
    let known = acme.get("/idempotency_refs/r3").await.expect(200);
    assert_eq!(known["state"], "APPLIED");
    assert_eq!(known["uses"][0]["id"], user["id"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_told() {
    let world = World::new().await;
    let long = "k".repeat(256);
    let reply = world.john().get(&format!("/idempotency-keys/{long}")).await;
    reply.refused(400, "invalid_parameters", &["Idempotency-Key", "255"]);
    let call = Call::get("/api/v1/idempotency-keys/k");
    assert_eq!(world.server.call(call).await.status, 401);
    let admin = async |path: String| world.server.admin(Method::GET, &path, None).await;
    let reply = admin(world.path(&format!("/idempotency-keys/{long}"))).await;
    reply.problem(400, "invalid_parameters", &["Idempotency-Key", "255"]);
    let both = world.path("/idempotency-keys/k?key_id=key_1&owner_id=own_1");
    let reply = admin(both).await;
    reply.problem(400, "invalid_parameters", &["owner_id", "key_id"]);
    let reply = admin("/tenants/ten_0000000000001/idempotency-keys/k".to_owned()).await;
    reply.problem(404, "not_found", &["tenant"]);
}

#[test]
fn the_command_line_looks_a_key_up() {
    let place = Place::new();
    let server = place.serve(&[]);
    let tenant = place.json(&["tenant", "create", "--name", "Acme"]);
    let tenant = id(&tenant);
    let found = place.json(&["key", "lookup", "--tenant", &tenant, "a key/with signs"]);
    assert_eq!(found, json!({"state": "never_seen", "uses": []}));
    // As a table, each use has a line.
    let ground = Ground::prepare(&mut server.as_admin(&place), 1, 1_000);
    let mut client = server.as_key(&ground.key);
    let body = json!({"source_account_id": ground.pay, "amount_in_cents": 100,
                      "destination_account_id": ground.pods[0]});
    let made = client.transfer("k1", &body.to_string());
    let made = made.expect("it is answered").expect(201);
    let table = |key: &str| {
        let printed = place.ok(&["key", "lookup", "--tenant", &ground.tenant, key]);
        printed.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let used = table("k1");
    let words: Vec<&str> = used[1].split_whitespace().collect();
    let transfer = id(&made["data"]);
    assert_eq!(words[..3], ["applied", "create_transfer", &transfer]);
    assert_eq!(words[4], made["request_id"].as_str().expect("an id"));
    assert!(used.len() == 2 && used[1].len() < 200, "{used:?}");
    let never = table("k2");
    assert_eq!(never.len(), 2);
    assert!(never[1].trim().starts_with("never_seen  "), "{never:?}");
    let shown = place.json(&[
        "tenant",
        "settings",
        "--tenant",
        &tenant,
        "--faults",
        "commit-then-500/3,429",
    ]);
    let expected = json!([{"fault": "commit-then-500", "every": 3}, {"fault": "429", "every": 1}]);
    assert_eq!(shown["faults"], expected);
    let shown = place.json(&[
        "tenant", "settings", "--tenant", &tenant, "--faults", "none",
    ]);
    assert_eq!(shown["faults"], json!([]));
    drop(server);
}
