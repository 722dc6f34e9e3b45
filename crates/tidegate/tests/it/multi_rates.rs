//! How many requests a programme may make, and what an operator sets for it otherwise.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Reply, Server};
use crate::multi_client::MultiClient;
use crate::multi_world::{DAY, MultiWorld, SECOND, order};

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A live tenant whose programme has no identity yet, and a key of it.
async fn live(server: &Server) -> (String, String) {
    let tenant = server.tenant("Live", "live").await;
    let key = server.key(&tenant, &json!([{"scope": "PROGRAMME"}])).await;
    (tenant, key)
}

/// A call that counts and does nothing: what it asks for is malformed.
async fn ask(client: &MultiClient<'_>) -> Reply {
    client.post("/login_with_password", &json!({})).await
}

/// So many calls, none of which is too many.
async fn spend(client: &MultiClient<'_>, count: usize) {
    for number in 1..=count {
        let reply = ask(client).await;
        assert_eq!(reply.status, 400, "{number} of {count}");
    }
}

/// A call too many, and what it is told: the limit that was exceeded and all limits, and after how
/// many seconds to come again.
#[track_caller]
fn check_exceeded(reply: &Reply, limits: &str, reset: &str) {
    reply.bare(429);
    assert_eq!(reply.header("x-ratelimit-limit"), Some(limits));
    assert_eq!(reply.header("x-ratelimit-reset"), Some(reset));
}

async fn set(server: &Server, tenant: &str, settings: &Value) -> Value {
    let path = format!("/tenants/{tenant}/settings");
    let reply = server.admin(Method::PUT, &path, Some(settings)).await;
    reply.expect(200)
}

#[tokio::test]
async fn a_live_programme_has_a_hundred_calls_a_minute_and_a_thousand_an_hour() {
    let server = Server::new().await;
    let (_, key) = live(&server).await;
    let client = MultiClient::new(&server, &key);
    let limits = "100;w=60, 1000;w=3600, 10000;w=86400";
    let exceeded = |limit: u32| format!("{limit}, {limits}");
    for minute in 0..10 {
        spend(&client, 100).await;
        let last = minute == 9;
        let (limit, reset) = if last {
            (1_000, HOUR - 9 * MINUTE)
        } else {
            (100, MINUTE)
        };
        let reply = ask(&client).await;
        check_exceeded(&reply, &exceeded(limit), &(reset / SECOND).to_string());
        server.advance(MINUTE);
    }
    // The hour is used up, however many minutes pass; what was refused does not count.
    for left in [3_000, 1_234, 1] {
        server.clock.set(ledger::Millis(
            crate::harness::START.0 + HOUR - left * SECOND,
        ));
        let reply = ask(&client).await;
        check_exceeded(&reply, &exceeded(1_000), &left.to_string());
    }
    server.advance(SECOND);
    spend(&client, 100).await;
    check_exceeded(&ask(&client).await, &exceeded(100), "60");
}

#[tokio::test]
async fn a_window_begins_with_its_first_call_and_seconds_are_rounded_up() {
    let server = Server::new().await;
    let (tenant, key) = live(&server).await;
    let client = MultiClient::new(&server, &key);
    let limits = json!({"rate_limits": [{"requests": 2, "window_s": 10}]});
    set(&server, &tenant, &limits).await;
    server.advance(7 * SECOND);
    spend(&client, 1).await;
    server.advance(4 * SECOND + 1);
    spend(&client, 1).await;
    let told = "2, 2;w=10";
    check_exceeded(&ask(&client).await, told, "6");
    server.advance(5 * SECOND + 998);
    check_exceeded(&ask(&client).await, told, "1");
    server.advance(1);
    spend(&client, 2).await;
    check_exceeded(&ask(&client).await, told, "10");
    server.advance(10 * SECOND);
    spend(&client, 2).await;
}

#[tokio::test]
async fn of_several_limits_the_one_that_lasts_longest_is_told() {
    let server = Server::new().await;
    let (tenant, key) = live(&server).await;
    let client = MultiClient::new(&server, &key);
    let limits = json!({"rate_limits": [
        {"requests": 3, "window_s": 60}, {"requests": 5, "window_s": 3600},
        {"requests": 6, "window_s": 86_400},
    ]});
    let shown = set(&server, &tenant, &limits).await;
    assert_eq!(shown["rate_limits"], limits["rate_limits"]);
    let told = |limit: u32| format!("{limit}, 3;w=60, 5;w=3600, 6;w=86400");
    spend(&client, 3).await;
    check_exceeded(&ask(&client).await, &told(3), "60");
    server.advance(MINUTE);
    spend(&client, 2).await;
    check_exceeded(&ask(&client).await, &told(5), "3540");
    server.advance(59 * MINUTE);
    spend(&client, 1).await;
    check_exceeded(&ask(&client).await, &told(6), &(23 * 3_600).to_string());
    server.advance(DAY - HOUR);
    spend(&client, 3).await;
}

/// Every call of a programme counts, whichever API it goes to and whoever makes it; what is
/// nobody's does not.
#[tokio::test]
async fn a_limit_is_the_programmes() {
    let world = MultiWorld::new().await;
    let office = world.programme().acting_for(&world.acme.identity).await;
    let path = format!("/accounts/{}/deposit", world.acme.main.id);
    let deposit = json!({"depositAmount": {"currency": "EUR", "amount": 1}});
    let simulator = world.programme().simulator();
    world
        .set(&json!({"rate_limits": [{"requests": 5, "window_s": 60}]}))
        .await;
    world.acme().get("/transfers").await.expect(200);
    world.jane().get("/managed_cards").await.expect(200);
    office.get("/transfers").await.expect(200);
    simulator.post(&path, &deposit).await.expect(200);
    // Refused calls count, except for want of credentials.
    world
        .programme()
        .with_token("nobody")
        .get("/transfers")
        .await
        .bare(401);
    MultiClient::new(&world.server, "nobody")
        .get("/transfers")
        .await
        .bare(401);
    world.acme().get("/nothing").await.coded(404, "NOT_FOUND");
    world
        .acme()
        .get("/transfers/1")
        .await
        .coded(404, "TRANSFER_NOT_FOUND");
    let before = world.snapshot().await;
    let acme = &world.acme;
    let body = order(&world.profiles.free, &acme.main, &acme.reserve, "EUR", 1);
    world.acme().post("/transfers", &body).await.bare(429);
    world.jane().get("/managed_cards").await.bare(429);
    office.get("/transfers").await.bare(429);
    simulator.post(&path, &deposit).await.bare(429);
    ask(&world.programme()).await.bare(429);
    assert_eq!(world.snapshot().await, before);
    // Another key of the same programme is the same programme.
    let second = world
        .server
        .key(&world.tenant, &json!([{"scope": "PROGRAMME"}]))
        .await;
    ask(&MultiClient::new(&world.server, &second))
        .await
        .bare(429);
    // Another programme is another.
    let (_, other) = live(&world.server).await;
    spend(&MultiClient::new(&world.server, &other), 1).await;
    // And so is this one's other dialect.
    let key = world.sequence_key().await;
    let call = crate::harness::Call::get("/api/v1/accounts").key(&key);
    world.server.call(call).await.expect(200);
}

#[tokio::test]
async fn a_sandbox_has_no_limit_unless_one_is_set() {
    let world = MultiWorld::new().await;
    let shown = world.server.admin_get(&world.path("/settings")).await;
    assert_eq!(shown["rate_limits"], json!([]), "{shown}");
    spend(&world.programme(), 150).await;
    // In force at once, and gone at once.
    for window in [60, 61] {
        let limits = json!([{"requests": 1, "window_s": window}]);
        world.set(&json!({"rate_limits": limits})).await;
        spend(&world.programme(), 1).await;
        let (told, reset) = (format!("1, 1;w={window}"), window.to_string());
        check_exceeded(&ask(&world.programme()).await, &told, &reset);
        world.set(&json!({"rate_limits": []})).await;
        spend(&world.programme(), 150).await;
    }
}

#[tokio::test]
async fn settings_outlive_a_restart_and_can_be_taken_back() {
    let mut server = Server::new().await;
    let (tenant, key) = live(&server).await;
    let limits = json!([{"requests": 1, "window_s": 60}]);
    set(
        &server,
        &tenant,
        &json!({"rate_limits": limits, "strict": true}),
    )
    .await;
    server.restart().await;
    let path = format!("/tenants/{tenant}/settings");
    let shown = server.admin_get(&path).await;
    assert_eq!(shown["rate_limits"], limits, "{shown}");
    assert_eq!(shown["strict"], true, "{shown}");
    let client = MultiClient::new(&server, &key);
    spend(&client, 1).await;
    check_exceeded(&ask(&client).await, "1, 1;w=60", "60");
    // What is not said stays as it is.
    set(&server, &tenant, &json!({"strict": false})).await;
    check_exceeded(&ask(&client).await, "1, 1;w=60", "60");
    set(&server, &tenant, &json!({"default_rate_limits": true})).await;
    spend(&client, 100).await;
    assert_eq!(ask(&client).await.status, 429);
    set(&server, &tenant, &json!({"rate_limits": []})).await;
    spend(&client, 150).await;
}

/// Members that are not known are passed over, as the vendor's API does, unless the programme wants
/// to be told.
#[tokio::test]
async fn a_strict_programme_is_told_of_members_that_are_not_known() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let plain = order(&world.profiles.free, &acme.main, &acme.reserve, "EUR", 1);
    let mut body = plain.clone();
    body["colour"] = json!("red");
    body["source"]["iban"] = json!("MT00");
    body["destinationAmount"]["scale"] = json!(2);
    let client = world.acme();
    let call = |path: &str, body: &Value| client.call(Method::POST, path).json(body).odd();
    client.send(call("/transfers", &body)).await.expect(200);
    let bulk = json!([{"requestBody": body, "more": 1}]);
    client
        .send(call("/bulks/transfers", &bulk))
        .await
        .expect(201);
    let cancel = json!({"cancellations": [{"id": "1", "why": "x"}], "dry": true});
    client
        .send(call("/transfers/bulk/cancel", &cancel))
        .await
        .expect(200);

    world.set(&json!({"strict": true})).await;
    let before = world.snapshot().await;
    let unknown = |fields: &[&str]| -> Vec<(String, String)> {
        fields
            .iter()
            .map(|field| ((*field).to_owned(), "NOT_IN".to_owned()))
            .collect()
    };
    for (path, body, fields) in [
        (
            "/transfers",
            &body,
            vec!["source.iban", "destinationAmount.scale", "colour"],
        ),
        (
            "/bulks/transfers",
            &bulk,
            vec![
                "[0].requestBody.source.iban",
                "[0].requestBody.destinationAmount.scale",
                "[0].requestBody.colour",
                "[0].more",
            ],
        ),
        (
            "/transfers/bulk/cancel",
            &cancel,
            vec!["cancellations[0].why", "dry"],
        ),
    ] {
        let reply = client.send(call(path, body)).await;
        let faults = reply.faults();
        let found: Vec<(String, String)> = faults
            .into_iter()
            .map(|(field, rule, _)| (field, rule))
            .collect();
        assert_eq!(found, unknown(&fields), "{path}");
    }
    assert_eq!(world.snapshot().await, before);
    // Parameters of a query are passed over all the same: proxies add to them.
    let get = client.call(Method::GET, "/transfers?colour=red").odd();
    client.send(get).await.expect(200);
    client.post("/transfers", &plain).await.expect(200);
    // Another programme is as it was.
    world.set(&json!({"strict": false})).await;
    client.send(call("/transfers", &body)).await.expect(200);
}
