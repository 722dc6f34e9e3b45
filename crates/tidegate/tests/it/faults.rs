//! Faults on demand: what a sandbox's programs can be taught to live with.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Reply, World, everything, id, transfer_body};
use crate::multi_world::{MultiWorld, order};
use crate::process::{Ground, Place};
use crate::receiver::{Received, Receiver};

/// A transfer of 100.00 from pay to fund with this fault, under an idempotency key.
async fn transfer(world: &World, key: &str, fault: &str) -> Reply {
    let call = Call::post("/api/v1/transfers")
        .key(&world.key)
        .header("idempotency-key", key)
        .header("tidegate-fault", fault)
        .json(&transfer_body(&world.pay, &world.fund, 10_000));
    world.server.call(call).await
}

async fn again(world: &World, key: &str) -> Reply {
    let john = world.john();
    john.transfer_once(key, &world.pay, &world.fund, 10_000)
        .await
}

async fn set(world: &World, faults: &Value) -> Reply {
    let path = world.path("/settings");
    let body = json!({"faults": faults});
    world.server.admin(Method::PUT, &path, Some(&body)).await
}

#[tokio::test]
async fn money_moves_although_the_answer_is_a_500() {
    let world = World::new().await;
    let reply = transfer(&world, "k1", "commit-then-500").await;
    assert_eq!(reply.status, 500);
    assert_eq!(reply.header("tidegate-fault"), Some("commit-then-500"));
    let body = reply.json();
    assert!(body["error"]["code"].is_string(), "{body}");
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 60_000);
    // The client repeats with its key and gets the answer that it should have had.
    let made = again(&world, "k1").await.expect(201);
    world.quiesce().await;
    assert_eq!(made["data"]["status"], "processing");
    assert_eq!(world.balance(&world.fund).await, 60_000);
}

#[test]
fn money_moves_although_the_connection_is_closed_without_an_answer() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut admin = server.as_admin(&place);
    let ground = Ground::prepare(&mut admin, 1, 50_000);
    let mut client = server.as_key(&ground.key);
    let body = transfer_body(&ground.pay, &ground.pods[0], 10_000).to_string();
    let headers = [
        ("idempotency-key", "k1"),
        ("tidegate-fault", "commit-then-drop"),
    ];
    let dropped = client.send("POST", "/api/v1/transfers", &headers, Some(&body));
    let error = dropped.expect_err("no answer");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
    let made = client.transfer("k1", &body).expect("an answer").expect(201);
    let id = made["data"]["id"].as_str().expect("an id").to_owned();
    let all = client.get(&format!("/api/v1/transfers?account_id={}", ground.pay));
    let ids: Vec<&Value> = all["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|transfer| transfer["source"]["id"] == ground.pay)
        .map(|transfer| &transfer["id"])
        .collect();
    assert_eq!(ids, [&json!(id)]);
}

#[tokio::test]
async fn an_answer_can_be_late() {
    let world = World::new().await;
    let begin = std::time::Instant::now();
    transfer(&world, "k1", "delay=80").await.expect(201);
    assert!(begin.elapsed().as_millis() >= 80);
}

#[tokio::test]
async fn a_burst_of_refusals_leaves_nothing_and_ends() {
    let world = World::new().await;
    let before = world.snapshot().await;
    let reply = transfer(&world, "k1", "429=3").await;
    reply.refused(429, "rate_limit_exceeded", &["Rate limit"]);
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(reply.header("tidegate-fault"), Some("429"));
    // The next two are refused without asking for it, reads of the tenant's other keys too.
    let other = world.with_permissions(&everything()).await;
    assert_eq!(other.get("/accounts").await.status, 429);
    assert_eq!(again(&world, "k1").await.status, 429);
    assert_eq!(world.snapshot().await, before);
    again(&world, "k1").await.expect(201);
}

#[tokio::test]
async fn a_transfer_can_end_in_a_chosen_error() {
    let world = World::new().await;
    for (index, (code, status)) in [
        ("INSUFFICIENT_FUNDS", "incomplete"),
        ("NAME_MISMATCH", "error"),
        ("PAYMENT_FAILED", "error"),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("k{index}");
        let made = transfer(&world, &key, &format!("transfer-error={code}")).await;
        let made = made.expect(201);
        assert_eq!(made["data"]["status"], "processing");
        world.quiesce().await;
        let ended = world.transfer(&id(&made["data"])).await;
        assert_eq!(ended["status"], status);
        assert_eq!(ended["error_code"], code);
    }
    assert_eq!(world.balance(&world.pay).await, 1_000_000);
}

#[tokio::test]
async fn multi_refuses_with_a_chosen_conflict_and_remembers_it() {
    let world = MultiWorld::new().await;
    let acme = world.acme();
    let (from, to) = (&world.acme.main, &world.acme.reserve);
    let body = order(&world.profiles.free, from, to, "EUR", 100);
    let untouched = async || {
        let mut all = world.snapshot().await;
        // What is remembered of a reference is a commit.
        all["commits"].take();
        all
    };
    let before = untouched().await;
    let call = acme
        .call(Method::POST, "/transfers")
        .header("idempotency-ref", "r1")
        .header("tidegate-fault", "transfer-error=PROFILE_INACTIVE")
        .json(&body);
    acme.send(call).await.conflict("PROFILE_INACTIVE");
    // The reference is used up, as by any refusal.
    let repeated = acme.post_once("r1", "/transfers", &body).await;
    repeated.conflict("PROFILE_INACTIVE");
    assert_eq!(untouched().await, before);
    let call = acme
        .call(Method::POST, "/transfers")
        .header("tidegate-fault", "transfer-error=NAME_MISMATCH")
        .json(&body);
    assert_eq!(acme.send(call).await.status, 400);
    assert_eq!(untouched().await, before);
}

#[tokio::test]
async fn what_is_no_fault_is_refused_and_nothing_done() {
    let world = World::new().await;
    let before = world.snapshot().await;
    for text in ["", "explode", "delay=60001", "429=0", "commit-then-500;429"] {
        let reply = transfer(&world, "k1", text).await;
        reply.refused(
            400,
            "invalid_parameters",
            &["Tidegate-Fault", "commit-then-500"],
        );
    }
    assert_eq!(world.snapshot().await, before);
    // A key that nobody has is told so first.
    let call = Call::get("/api/v1/accounts")
        .key("tgk_nobody")
        .header("tidegate-fault", "explode");
    assert_eq!(world.server.call(call).await.status, 401);
}

#[tokio::test]
async fn live_tenants_have_no_faults() {
    let world = World::new().await;
    let tenant = world.server.tenant("Real", "live").await;
    let key = world.server.key(&tenant, &everything()).await;
    for fault in ["commit-then-500", "429", "delay=1"] {
        let call = Call::get("/api/v1/accounts")
            .key(&key)
            .header("tidegate-fault", fault);
        let reply = world.server.call(call).await;
        reply.refused(400, "invalid_parameters", &["Tidegate-Fault", "sandbox"]);
    }
    let path = format!("/tenants/{tenant}/settings");
    let body = json!({"faults": [{"fault": "commit-then-500"}]});
    let reply = world.server.admin(Method::PUT, &path, Some(&body)).await;
    assert_eq!(reply.status, 409, "{}", reply.text());
    assert_eq!(reply.json()["code"], "sandbox_only");
    let settings = world.server.admin_get(&path).await;
    assert_eq!(settings["faults"], json!([]));
}

#[tokio::test]
async fn an_operator_switches_faults_on_and_off() {
    let mut world = World::new().await;
    let on = json!([{"fault": "commit-then-500", "every": 2}]);
    let shown = set(&world, &on).await.expect(200);
    assert_eq!(shown["faults"], on);
    world.server.restart().await;
    let mut statuses = Vec::new();
    for number in 0..4 {
        statuses.push(again(&world, &format!("k{number}")).await.status);
    }
    assert_eq!(statuses, [500, 201, 500, 201]);
    // Reads are let alone.
    assert_eq!(world.john().get("/accounts").await.status, 200);
    set(&world, &json!([])).await.expect(200);
    again(&world, "k0").await.expect(201);
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 90_000);
    for (faults, word) in [
        (json!([{"fault": "explode"}]), "commit-then-500"),
        (json!([{"fault": "429", "every": 0}]), "every"),
        (json!([{"every": 1}]), "faults[0].fault"),
        (json!("429"), "list"),
        (json!(vec![json!({"fault": "429"}); 9]), "at most 8"),
    ] {
        let reply = set(&world, &faults).await;
        reply.problem(400, "invalid_parameters", &["faults", word]);
    }
}

/// A world with an endpoint that is told of transfers; its receiver and its secret.
async fn hooked() -> (World, Receiver, String) {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    let body = json!({"url": receiver.url(), "events": ["transfer.created"]});
    let made = world
        .server
        .admin_post(&world.path("/webhooks"), &body)
        .await;
    let secret = made["secrets"][0].as_str().expect("a secret").to_owned();
    (world, receiver, secret)
}

fn ids(received: &[Received]) -> Vec<String> {
    received
        .iter()
        .map(|one| one.header("webhook-id").to_owned())
        .collect()
}

/// Retries are due five seconds after their attempt has been noted, which nobody tells.
async fn advance_until(world: &World, receiver: &Receiver, count: usize) {
    Receiver::until(async || {
        world.advance(5_000).await;
        receiver.all().len() >= count
    })
    .await;
}

#[tokio::test]
async fn deliveries_can_come_twice() {
    let (world, receiver, secret) = hooked().await;
    transfer(&world, "k1", "webhook=duplicate")
        .await
        .expect(201);
    let received = receiver.wait(2).await;
    let ids = ids(&received);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(received[0].body, received[1].body);
    for one in &received {
        assert!(crate::webhooks::is_signed(one, &secret));
    }
    again(&world, "k2").await.expect(201);
    let ids = self::ids(&receiver.wait(3).await);
    assert_ne!(ids[2], ids[0]);
}

#[tokio::test]
async fn deliveries_can_be_unsigned_or_badly_signed_until_they_are_tried_again() {
    let (world, receiver, secret) = hooked().await;
    let checked = secret.clone();
    receiver.answer(
        move |one, _| match crate::webhooks::is_signed(one, &checked) {
            true => 204,
            false => 401,
        },
    );
    transfer(&world, "k1", "webhook=unsigned").await.expect(201);
    let received = receiver.wait(1).await;
    assert_eq!(received[0].header("webhook-signature"), "");
    advance_until(&world, &receiver, 2).await;
    let received = receiver.wait(2).await;
    assert!(crate::webhooks::is_signed(&received[1], &secret));
    transfer(&world, "k2", "webhook=bad-signature")
        .await
        .expect(201);
    let received = receiver.wait(3).await;
    assert!(received[2].header("webhook-signature").starts_with("v1,"));
    assert!(!crate::webhooks::is_signed(&received[2], &secret));
    advance_until(&world, &receiver, 4).await;
    let received = receiver.wait(4).await;
    assert!(crate::webhooks::is_signed(&received[3], &secret));
    let ids = ids(&received);
    assert_eq!((&ids[0], &ids[2]), (&ids[1], &ids[3]));
}

#[tokio::test]
async fn deliveries_can_overtake_each_other() {
    let (world, receiver, _) = hooked().await;
    let first = transfer(&world, "k1", "webhook=reorder").await.expect(201);
    let second = again(&world, "k2").await.expect(201);
    let received = receiver.wait(2).await;
    let order: Vec<Value> = received
        .iter()
        .map(|one| one.json()["data"]["id"].clone())
        .collect();
    assert_eq!(
        order,
        [second["data"]["id"].clone(), first["data"]["id"].clone()]
    );
}

#[tokio::test]
async fn deliveries_can_be_late_by_a_switch() {
    let (world, receiver, _) = hooked().await;
    set(
        &world,
        &json!([{"fault": "webhook=late:60000", "every": 2}]),
    )
    .await
    .expect(200);
    let late = again(&world, "k1").await.expect(201);
    let body = json!({"account_id": world.trip, "amount_in_cents": 100});
    let path = world.path("/simulate/paycheck");
    let quick = world.server.admin_post(&path, &body).await;
    let received = receiver.wait(1).await;
    assert_eq!(received[0].json()["data"]["id"], quick["id"]);
    world.advance(60_000).await;
    let received = receiver.wait(2).await;
    assert_eq!(received[1].json()["data"]["id"], late["data"]["id"]);
}
