//! Webhooks: what receivers get, in which order, signed how, and what happens when they fail.

use std::collections::BTreeMap;

use axum::http::Method;
use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{RAIL_MS, World, id};
use crate::multi_world::MultiWorld;
use crate::process::Place;
use crate::receiver::{Received, Receiver};

/// Makes an endpoint of the world.
pub async fn endpoint(world: &World, body: &Value) -> Value {
    world
        .server
        .admin_post(&world.path("/webhooks"), body)
        .await
}

pub fn secret(endpoint: &Value) -> &str {
    endpoint["secrets"][0].as_str().expect("a secret")
}

/// Checks what Standard Webhooks asks for, by an HMAC of our own and by the published package, but
/// for the package's look at the clock, which is set by hand here.
pub fn is_signed(received: &Received, secret: &str) -> bool {
    let [id, at] = ["webhook-id", "webhook-timestamp"].map(|name| received.header(name));
    let key = secret.strip_prefix("whsec_").expect("a secret");
    let mut bytes = [0; 32];
    let key = Base64::decode(key, &mut bytes).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&received.body);
    let mut buffer = [0; 64];
    let expected = Base64::encode(&mac.finalize().into_bytes(), &mut buffer).expect("room");
    let expected = format!("v1,{expected}");
    let published = standardwebhooks::Webhook::new(secret).expect("a secret");
    let at = at.parse().expect("seconds");
    let signed = published.sign(id, at, &received.body);
    assert_eq!(signed.expect("UTF-8"), expected);
    let signatures = received.header("webhook-signature");
    signatures.split(' ').any(|signature| signature == expected)
}

/// Checks a delivery of the real program as a receiver with the published package does.
pub fn is_verified(received: &Received, secret: &str) -> bool {
    let published = standardwebhooks::Webhook::new(secret).expect("a secret");
    let verified = published.verify(&received.body, &received.headers);
    verified.is_ok() && is_signed(received, secret)
}

#[tokio::test]
async fn every_event_arrives_once_in_order_and_signed() {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    let made = endpoint(
        &world,
        &json!({"url": receiver.url(), "events": ["transfer.*"]}),
    )
    .await;
    for amount in 1..=10 {
        world.moved(&world.pay, &world.fund, amount * 100).await;
    }
    let received = receiver.wait(20).await;
    assert_eq!(received.len(), 20);
    for one in &received {
        assert!(is_signed(one, secret(&made)), "{one:?}");
        assert_eq!(one.path, "/hook");
        assert_eq!(one.header("content-type"), "application/json");
    }
    // All are about the same two accounts: they come in the order of the log.
    let ids: Vec<Value> = received
        .iter()
        .map(|one| one.json()["id"].clone())
        .collect();
    assert!(
        ids.is_sorted_by(|one, next| one.as_str() < next.as_str()),
        "{ids:?}"
    );
    let log = format!(
        "/events?tenant={}&types=transfer.*&after={}",
        world.tenant,
        before(&ids[0])
    );
    let log = world.server.admin_get(&log).await;
    let bodies: Vec<Value> = received.iter().map(Received::json).collect();
    assert_eq!(json!(bodies), log["data"]);
}

/// The cursor right before an event.
fn before(event: &Value) -> String {
    let id = event.as_str().expect("an id");
    let number = service::spelling::parse_id(&id[4..]).expect("a number");
    let text = service::spelling::id_text(number - 1);
    format!("evt_{}", std::str::from_utf8(&text).expect("ASCII"))
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id_and_holds_up_its_accounts_alone() {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    let body = json!({"url": receiver.url(), "events": ["account.blocked", "account.unblocked"]});
    let made = endpoint(&world, &body).await;
    let fund = world.fund.clone();
    receiver.answer(move |one, _| {
        if one.json()["data"]["id"] == fund.as_str() {
            500
        } else {
            204
        }
    });
    world.set_state(&world.fund, "block").await.expect(200);
    let failed = receiver.wait(1).await;
    world.set_state(&world.fund, "unblock").await.expect(200);
    world.set_state(&world.trip, "block").await.expect(200);
    world.set_state(&world.trip, "unblock").await.expect(200);
    let received = receiver.wait(3).await;
    assert_eq!(received[1].json()["data"]["id"], world.trip.as_str());
    assert_eq!(received[2].json()["data"]["id"], world.trip.as_str());
    receiver.answer(|_, _| 204);
    world.advance(5_000).await;
    let received = receiver.wait(5).await;
    let [again, next] = [&received[3], &received[4]];
    assert_eq!(again.json(), failed[0].json());
    assert_eq!(again.header("webhook-id"), failed[0].header("webhook-id"));
    assert_ne!(
        again.header("webhook-timestamp"),
        failed[0].header("webhook-timestamp")
    );
    assert_ne!(
        again.header("webhook-signature"),
        failed[0].header("webhook-signature")
    );
    assert!(is_signed(again, secret(&made)));
    assert_eq!(next.json()["type"], "account.unblocked");
    assert_eq!(next.json()["data"]["id"], world.fund.as_str());
    // The transcripts tell it all.
    let path = world.path(&format!("/webhooks/{}/deliveries", id(&made)));
    Receiver::until(async || {
        let told = world.server.admin_get(&path).await;
        told["data"].as_array().is_some_and(|told| told.len() == 5)
    })
    .await;
    let told = world.server.admin_get(&path).await;
    let first = &told["data"][4];
    assert_eq!(
        (&first["status"], &first["attempt"]),
        (&json!(500), &json!(1))
    );
    assert_eq!(first["request"]["url"], receiver.url());
    let body = String::from_utf8(failed[0].body.to_vec()).expect("JSON");
    assert_eq!(first["request"]["body"], body);
    let of_event = format!("{path}?event={}", id(&failed[0].json()));
    let of_event = world.server.admin_get(&of_event).await;
    let attempts: Vec<&Value> = of_event["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|a| &a["attempt"])
        .collect();
    assert_eq!(attempts, [&json!(2), &json!(1)]);
}

/// However much there is to tell of the account that fails, up to what the documents say.
#[tokio::test]
async fn an_account_that_fails_for_long_holds_up_no_other_and_is_told_in_order_at_last() {
    const TIMES: usize = 200;
    let mut world = World::new().await;
    let receiver = Receiver::new().await;
    let body = json!({"url": receiver.url(), "events": ["account.blocked", "account.unblocked"]});
    let made = endpoint(&world, &body).await;
    let path = world.path(&format!("/webhooks/{}", id(&made)));
    let fund = world.fund.clone();
    receiver.answer(
        move |one, _| match one.json()["data"]["id"] == fund.as_str() {
            true => 500,
            false => 204,
        },
    );
    for _ in 0..TIMES {
        world.set_state(&world.fund, "block").await.expect(200);
        world.set_state(&world.fund, "unblock").await.expect(200);
    }
    world.set_state(&world.trip, "block").await.expect(200);
    let received = receiver.wait(2).await;
    assert_eq!(received[1].json()["data"]["id"], world.trip.as_str());
    Receiver::until(async || {
        let shown = world.server.admin_get(&path).await;
        shown["delivering"]["delivered"] == 1
    })
    .await;
    let shown = world.server.admin_get(&path).await;
    assert_eq!(shown["delivering"]["held"], 2 * TIMES - 1);
    // A restart forgets neither what waits nor what was told.
    world.server.restart().await;
    world.set_state(&world.trip, "unblock").await.expect(200);
    let received = receiver.wait(3).await;
    assert_eq!(received[2].json()["type"], "account.unblocked");
    assert_eq!(received[2].json()["data"]["id"], world.trip.as_str());
    receiver.answer(|_, _| 204);
    world.advance(5_000).await;
    let received = receiver.wait(3 + 2 * TIMES).await;
    for (index, one) in received[3..].iter().enumerate() {
        let name = ["account.blocked", "account.unblocked"][index % 2];
        assert_eq!(one.json()["type"], name, "event {index}");
        assert_eq!(one.json()["data"]["id"], world.fund.as_str());
    }
}

#[tokio::test]
async fn nothing_is_lost_when_the_server_or_the_receiver_goes_away() {
    let mut world = World::new().await;
    let receiver = Receiver::new().await;
    let made = endpoint(
        &world,
        &json!({"url": receiver.url(), "events": ["transfer.*"]}),
    )
    .await;
    receiver.answer(|_, _| 503);
    for _ in 0..5 {
        world.moved(&world.pay, &world.fund, 100).await;
    }
    receiver.wait(1).await;
    world.server.restart().await;
    for _ in 0..5 {
        world.moved(&world.pay, &world.fund, 100).await;
    }
    receiver.answer(|_, _| 204);
    world.advance(5_000).await;
    let path = world.path(&format!("/webhooks/{}", id(&made)));
    Receiver::until(async || {
        let shown = world.server.admin_get(&path).await;
        shown["delivering"]["delivered"] == 20
    })
    .await;
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for one in receiver.all() {
        *taken
            .entry(one.header("webhook-id").to_owned())
            .or_default() += 1;
    }
    assert_eq!(taken.len(), 20);
    let log = format!("/events?tenant={}&types=transfer.*", world.tenant);
    let log = world.server.admin_get(&log).await;
    let log: Vec<String> = log["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(id)
        .collect();
    for one in receiver.all() {
        assert!(log.contains(&id(&one.json())));
    }
    let shown = world.server.admin_get(&path).await;
    assert_eq!(shown["delivering"]["waiting"], json!([]));
    assert_eq!(shown["delivering"]["failing_since"], Value::Null);
}

#[tokio::test]
async fn two_secrets_sign_while_they_are_rotated() {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    let made = endpoint(
        &world,
        &json!({"url": receiver.url(), "events": ["account.*"]}),
    )
    .await;
    let path = world.path(&format!("/webhooks/{}", id(&made)));
    let rotate = format!("{path}/rotate");
    let body = json!({"overlap_s": 60});
    let rotated = world
        .server
        .admin(Method::POST, &rotate, Some(&body))
        .await
        .expect(200);
    let secrets = rotated["secrets"].as_array().expect("secrets");
    assert_eq!(secrets.len(), 2);
    assert_eq!(secrets[1], made["secrets"][0]);
    let [new, old] = [0, 1].map(|place| secrets[place].as_str().expect("a secret").to_owned());
    let test = format!("{path}/test");
    world
        .server
        .admin(Method::POST, &test, None)
        .await
        .expect(200);
    let received = receiver.wait(1).await;
    assert!(is_signed(&received[0], &new) && is_signed(&received[0], &old));
    world.advance(60_000).await;
    world
        .server
        .admin(Method::POST, &test, None)
        .await
        .expect(200);
    let received = receiver.wait(2).await;
    assert!(is_signed(&received[1], &new) && !is_signed(&received[1], &old));
    let shown = world.server.admin_get(&path).await;
    assert_eq!(shown["secrets"], json!([new]));
}

#[tokio::test]
async fn an_endpoint_that_fails_too_long_or_is_gone_is_switched_off_with_an_event() {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    receiver.answer(|_, _| 500);
    let body = json!({"url": receiver.url(), "events": ["account.*"], "disable_after_s": 60});
    let failing = endpoint(&world, &body).await;
    let gone = Receiver::new().await;
    gone.answer(|_, _| 410);
    let gone = endpoint(&world, &json!({"url": gone.url(), "events": ["account.*"]})).await;
    world.set_state(&world.trip, "block").await.expect(200);
    receiver.wait(1).await;
    let shown = async |endpoint: &Value| {
        let path = world.path(&format!("/webhooks/{}", id(endpoint)));
        world.server.admin_get(&path).await
    };
    Receiver::until(async || shown(&gone).await["enabled"] == false).await;
    assert_eq!(shown(&failing).await["enabled"], true);
    world.advance(60_000).await;
    receiver.wait(2).await;
    Receiver::until(async || shown(&failing).await["enabled"] == false).await;
    let reason = shown(&failing).await["disabled_reason"].clone();
    assert!(
        reason
            .as_str()
            .is_some_and(|text| text.contains("too long")),
        "{reason}"
    );
    let log = format!("/events?tenant={}&types=webhook.disabled", world.tenant);
    let log = world.server.admin_get(&log).await;
    assert_eq!(log["data"].as_array().map(Vec::len), Some(2));
    // Switched on again it goes on where it was.
    receiver.answer(|_, _| 204);
    let path = world.path(&format!("/webhooks/{}", id(&failing)));
    let on = json!({"enabled": true});
    world
        .server
        .admin(Method::PATCH, &path, Some(&on))
        .await
        .expect(200);
    world.advance(600_000).await;
    let received = receiver.wait(3).await;
    assert_eq!(received[2].json(), received[0].json());
}

#[tokio::test]
async fn the_sequence_dialect_tells_of_transfers() {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    let made = endpoint(
        &world,
        &json!({"url": receiver.url(), "format": "sequence"}),
    )
    .await;
    let sent = world.moved(&world.fund, &world.bank, 2_000).await;
    world.advance(RAIL_MS).await;
    let received = receiver.wait(3).await;
    assert!(received.iter().all(|one| is_signed(one, secret(&made))));
    let bodies: Vec<Value> = received.iter().map(Received::json).collect();
    let sent = id(&sent);
    assert_eq!(bodies[0]["event"], "transfer.created");
    assert_eq!(
        bodies[0]["data"],
        json!({"id": sent, "status": "processing"})
    );
    assert_eq!(bodies[0]["created_at"], "2027-01-15T08:00:00Z");
    assert_eq!(bodies[1]["event"], "transfer.status_changed");
    let settled = json!({"id": sent, "status": "complete", "previous_status": "pending"});
    assert_eq!(bodies[2]["data"], settled);
}

/// HMAC-SHA-256 in base64, as anybody would write it.
fn hmac(key: &str, message: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
    message.iter().for_each(|part| mac.update(part));
    let mut buffer = [0; 64];
    let text = Base64::encode(&mac.finalize().into_bytes(), &mut buffer);
    text.expect("room").to_owned()
}

#[tokio::test]
async fn the_multi_dialect_has_paths_types_and_signatures_of_its_own() {
    let mut world = MultiWorld::new().await;
    let receiver = Receiver::new().await;
    let webhooks = format!("/tenants/{}/webhooks", world.tenant);
    let body = json!({"url": receiver.url(), "format": "multi"});
    let made = world.server.admin_post(&webhooks, &body).await;
    let key = secret(&made);
    let account = world
        .open(&world.acme, &world.profiles.account, "EUR")
        .await;
    world.deposit(&account, 5_000).await;
    world.moved(&account, &world.acme.reserve, 100).await;
    world.log_in_again().await;
    let received = receiver.wait(5).await;
    for one in &received {
        let [reference, at] = ["call-ref", "published-timestamp"].map(|name| one.header(name));
        assert_eq!(one.header("signature"), hmac(key, &[at.as_bytes()]));
        let second = [reference.as_bytes(), &one.body, at.as_bytes()];
        assert_eq!(one.header("signature-v2"), hmac(key, &second));
    }
    let paths: Vec<&str> = received.iter().map(|one| one.path.as_str()).collect();
    for path in [
        "/hook/managed_accounts/watch",
        "/hook/managed_accounts/deposits/watch",
        "/hook/transfers/watch",
        "/hook/login/watch",
    ] {
        assert!(paths.contains(&path), "{path}: {paths:?}");
    }
    let of = |path: &str| {
        let found = received.iter().find(|one| one.path.ends_with(path));
        found.expect("it came").json()
    };
    let transfer = of("/hook/transfers/watch");
    assert_eq!(transfer["eventType"], "COMPLETED");
    assert_eq!(transfer["transfer"]["state"], "COMPLETED");
    assert_eq!(transfer["transfer"]["conflict"], "NO_ERROR");
    assert_eq!(transfer["transfer"]["id"]["type"], "transfers");
    assert!(transfer["transfer"]["destinationAmount"]["amount"].is_string());
    assert!(transfer["transfer"]["creationTimestamp"].is_string());
    assert_eq!(of("/hook/managed_accounts/watch")["type"], "CREATED");
    assert_eq!(of("/login/watch")["status"], "VERIFIED");
    assert!(of("/deposits/watch")["transactionAmount"]["amount"].is_string());
}

#[tokio::test]
async fn what_is_no_endpoint_is_refused_with_the_reason() {
    let world = World::new().await;
    let path = world.path("/webhooks");
    let refused = async |body: Value, words: &[&str]| {
        let reply = world.server.admin(Method::POST, &path, Some(&body)).await;
        reply.problem(400, "invalid_parameters", words);
    };
    refused(json!({}), &["url"]).await;
    for url in [
        "",
        "example.com",
        "ftp://example.com/",
        "https://u:p@example.com/",
    ] {
        refused(json!({"url": url}), &["url", "must"]).await;
    }
    refused(json!({"url": "http://1.1.1.1/"}), &["https"]).await;
    for inside in [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://3232235777/",
        "https://0xc0a80001/",
        "https://0300.0250.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::1]/",
    ] {
        refused(json!({"url": inside}), &["url", "private"]).await;
    }
    let fine = "http://127.0.0.1:9/hook";
    refused(
        json!({"url": fine, "events": ["transfer.deleted"]}),
        &["events[0]"],
    )
    .await;
    refused(json!({"url": fine, "events": "transfer.*"}), &["events"]).await;
    refused(json!({"url": fine, "accounts": ["x"]}), &["accounts[0]"]).await;
    refused(json!({"url": fine, "format": "soap"}), &["format"]).await;
    refused(json!({"url": fine, "form": "fat"}), &["form"]).await;
    refused(json!({"url": fine, "concurrency": 65}), &["concurrency"]).await;
    refused(
        json!({"url": fine, "disable_after_s": 59}),
        &["disable_after_s"],
    )
    .await;
    for _ in 0..20 {
        endpoint(&world, &json!({"url": fine, "events": ["clock.set"]})).await;
    }
    refused(json!({"url": fine}), &["at most 20"]).await;
    let nobody = format!("{path}/whk_0000000000001");
    let reply = world.server.admin(Method::GET, &nobody, None).await;
    reply.problem(404, "not_found", &["webhook"]);
}

#[tokio::test]
async fn events_are_sent_once_more_to_an_endpoint_or_a_url() {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    let made = endpoint(
        &world,
        &json!({"url": receiver.url(), "events": ["transfer.*"]}),
    )
    .await;
    world.moved(&world.pay, &world.fund, 100).await;
    let first = receiver.wait(2).await;
    // One event to the endpoint.
    let event = id(&first[1].json());
    let body = json!({"webhook_id": id(&made), "event": event});
    world
        .server
        .admin_post(&world.path("/replays"), &body)
        .await;
    let again = receiver.wait(3).await;
    assert_eq!(again[2].json(), first[1].json());
    assert_eq!(again[2].header("webhook-id"), first[1].header("webhook-id"));
    assert!(is_signed(&again[2], secret(&made)));
    // Everything that was ever told of accounts to another place.
    let other = Receiver::new().await;
    let body = json!({"url": other.url(), "events": ["account.created"]});
    let replay = world
        .server
        .admin_post(&world.path("/replays"), &body)
        .await;
    let received = other.wait(6).await;
    let key = replay["secret"].as_str().expect("a secret");
    assert!(received.iter().all(|one| is_signed(one, key)));
    assert!(
        received
            .iter()
            .all(|one| one.json()["type"] == "account.created")
    );
    let path = world.path(&format!("/replays/{}", id(&replay)));
    Receiver::until(async || world.server.admin_get(&path).await["finished"] == true).await;
    assert_eq!(world.server.admin_get(&path).await["delivered"], 6);
    let told = world.path(&format!("/webhooks/{}/deliveries", id(&replay)));
    let told = world.server.admin_get(&told).await;
    assert_eq!(told["data"].as_array().map(Vec::len), Some(6));
    assert_eq!(receiver.all().len(), 3, "the endpoint got nothing of it");
    let both = json!({"url": other.url(), "webhook_id": id(&made)});
    let reply = world
        .server
        .admin(Method::POST, &world.path("/replays"), Some(&both))
        .await;
    reply.problem(400, "invalid_parameters", &["either"]);
    world
        .server
        .admin(Method::DELETE, &path, None)
        .await
        .expect(204);
    world
        .server
        .admin(Method::GET, &path, None)
        .await
        .expect(404);
}

#[tokio::test]
async fn a_test_delivery_shows_what_became_of_it() {
    let world = World::new().await;
    let receiver = Receiver::new().await;
    let made = endpoint(&world, &json!({"url": receiver.url()})).await;
    let path = world.path(&format!("/webhooks/{}", id(&made)));
    let test = format!("{path}/test");
    let told = world
        .server
        .admin(Method::POST, &test, None)
        .await
        .expect(200);
    assert_eq!(
        (&told["delivered"], &told["status"]),
        (&json!(true), &json!(204))
    );
    let received = receiver.wait(1).await;
    let sent = received
        .iter()
        .find(|one| one.json()["type"] == "webhook.test");
    assert!(is_signed(sent.expect("it came"), secret(&made)));
    let nobody = json!({"url": "http://127.0.0.1:1/hook"});
    world
        .server
        .admin(Method::PATCH, &path, Some(&nobody))
        .await
        .expect(200);
    let told = world
        .server
        .admin(Method::POST, &test, None)
        .await
        .expect(200);
    assert_eq!(told["delivered"], false);
    assert!(
        told["failure"]
            .as_str()
            .is_some_and(|why| why.contains("no connection")),
        "{told}"
    );
}

#[tokio::test]
async fn a_dead_endpoint_slows_no_other() {
    let world = World::new().await;
    let dead = Receiver::new().await;
    dead.answer(|_, _| 500);
    let alive = Receiver::new().await;
    let body = |receiver: &Receiver| json!({"url": receiver.url(), "events": ["hold.*"]});
    endpoint(&world, &body(&dead)).await;
    let made = endpoint(&world, &body(&alive)).await;
    let holds = world.path(&format!("/accounts/{}/holds", world.fund));
    for _ in 0..300 {
        world
            .server
            .admin_post(&holds, &json!({"amount_in_cents": 1}))
            .await;
    }
    alive.wait(300).await;
    let path = world.path(&format!("/webhooks/{}", id(&made)));
    Receiver::until(async || world.server.admin_get(&path).await["delivering"]["delivered"] == 300)
        .await;
    assert_eq!(
        dead.all().len(),
        1,
        "the first waits, and its account with it"
    );
    let ids: Vec<Value> = alive
        .all()
        .iter()
        .map(|one| one.json()["id"].clone())
        .collect();
    assert!(ids.is_sorted_by(|one, next| one.as_str() < next.as_str()));
}

#[test]
fn the_command_line_makes_tests_and_forwards() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let receiver = runtime.block_on(Receiver::new());
    let place = Place::new();
    let process = place.serve(&["--webhook-networks", "127.0.0.0/8"]);
    place.json(&["tenant", "create", "--name", "Acme"]);
    let url = receiver.url();
    let made = place.json(&["webhook", "create", "--url", &url, "--event", "owner.*"]);
    let webhook = id(&made);
    place.json(&["owner", "create", "--name", "John"]);
    let received = runtime.block_on(receiver.wait(1));
    assert_eq!(received[0].json()["data"]["name"], "John");
    assert!(is_verified(&received[0], secret(&made)));
    let tested = place.json(&["webhook", "test", &webhook]);
    assert_eq!(tested["delivered"], true);
    place.json(&["webhook", "disable", &webhook]);
    let listed = place.json(&["webhook", "list"]);
    assert_eq!(listed["data"][0]["enabled"], false);
    let event = id(&received[0].json());
    place.json(&["webhook", "enable", &webhook]);
    place.json(&[
        "webhook",
        "replay",
        "--webhook",
        &webhook,
        "--event",
        &event,
    ]);
    let received = runtime.block_on(receiver.wait(3));
    assert_eq!(received[2].json(), received[0].json());
    let key = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let forward = [
        "events", "forward", "--to", &url, "--after", "start", "--limit", "2", "--secret", key,
    ];
    // It is tried again until it is taken.
    receiver.answer(|_, before| if before == 3 { 500 } else { 200 });
    let printed = place.ok(&forward);
    assert!(printed.contains("status 500"), "{printed}");
    let received = runtime.block_on(receiver.wait(6));
    assert_eq!(
        received[3].header("webhook-id"),
        received[4].header("webhook-id")
    );
    assert!(received[3..].iter().all(|one| is_verified(one, key)));
    place.json(&["webhook", "delete", &webhook]);
    drop(process);
}
