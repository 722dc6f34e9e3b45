//! `idempotency-ref`: whatever becomes of a request or its answer, the money moves once.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Reply, START, id};
use crate::multi_client::{MultiClient, PASSWORD};
use crate::multi_world::{DAY, FUNDS, MultiWorld, SECOND, open_account, order, party, profiles};
use crate::multi_world::{programme, scheduled};

/// What a reused reference is refused with.
const REUSED: [(&str, &str); 1] = [("idempotency-ref", "NOT_IN")];

/// EUR 10.00 of the corporate, with everything that can be said of a transfer.
fn rent(world: &MultiWorld) -> Value {
    let acme = &world.acme;
    let mut body = order(
        &world.profiles.free,
        &acme.main,
        &acme.reserve,
        "EUR",
        1_000,
    );
    (body["tag"], body["description"]) = (json!("rent"), json!("Rent"));
    body
}

async fn once(client: &MultiClient<'_>, reference: &str, body: &Value) -> Reply {
    client.post_once(reference, "/transfers", body).await
}

/// The same answer again: status and bytes.
#[track_caller]
fn same(first: &Reply, again: &Reply) {
    assert_eq!(first.status, again.status, "{}", again.text());
    assert_eq!(first.text(), again.text());
    let type_of = |reply: &Reply| reply.header("content-type").map(str::to_owned);
    assert_eq!(type_of(first), type_of(again));
}

/// How many transfers the corporate has made, and what its main account holds.
async fn made(world: &MultiWorld) -> (i64, i64) {
    let list = world.acme().get("/transfers?limit=1").await.expect(200);
    let count = list["count"].as_i64().expect("an integer");
    (count, world.balance(&world.acme, &world.acme.main).await)
}

#[tokio::test]
async fn without_a_reference_or_with_another_each_call_is_a_new_one() {
    let world = MultiWorld::new().await;
    let body = rent(&world);
    let mut ids = std::collections::BTreeSet::new();
    for reference in [None, None, Some("a"), Some("b"), Some("A"), Some(" a b ")] {
        let acme = world.acme();
        let reply = match reference {
            None => acme.post("/transfers", &body).await,
            Some(reference) => once(&acme, reference, &body).await,
        };
        assert!(ids.insert(id(&reply.expect(200))));
    }
    assert_eq!(made(&world).await, (6, FUNDS - 6_000));
}

#[tokio::test]
async fn a_repeated_call_gets_the_first_answer_byte_for_byte() {
    let mut world = MultiWorld::new().await;
    let body = rent(&world);
    let longest = "r".repeat(255);
    let first = once(&world.acme(), &longest, &body).await;
    first.expect(200);
    for _ in 0..3 {
        let again = once(&world.acme(), &longest, &body).await;
        same(&first, &again);
        // The request is another one.
        assert_ne!(first.header("request-ref"), again.header("request-ref"));
    }
    // The same intent in other bytes: order of members, spaces, absence written as null.
    let text = body.to_string();
    let (source, rest) = (body["source"].to_string(), &body);
    let other_order = format!(
        "\n{{ \"destinationAmount\" : {}, \"destination\":{}, \"scheduledTimestamp\": null,\
         \t\"tag\":\"re\\u006et\", \"description\":\"Rent\", \"source\":{source},\"profileId\":{} }} ",
        rest["destinationAmount"], rest["destination"], rest["profileId"]
    );
    for (text, odd) in [(text, false), (other_order, true)] {
        let acme = world.acme();
        let call = acme.call(Method::POST, "/transfers").json_text(text);
        let call = call.header("idempotency-ref", &longest);
        let call = if odd { call.odd() } else { call };
        same(&first, &acme.send(call).await);
    }
    // A second less than a day later, and after a restart.
    world.server.advance(DAY - 1);
    world.log_in_again().await;
    same(&first, &once(&world.acme(), &longest, &body).await);
    world.restart().await;
    same(&first, &once(&world.acme(), &longest, &body).await);
    assert_eq!(made(&world).await, (1, FUNDS - 1_000));
    world.check_sum().await;
}

#[tokio::test]
async fn another_payload_under_the_same_reference_is_refused() {
    let mut world = MultiWorld::new().await;
    let body = rent(&world);
    let first = once(&world.acme(), "r", &body).await;
    first.expect(200);
    let acme = world.acme.clone();
    let set = |member: &str, value: Value| {
        let mut changed = body.clone();
        *changed.pointer_mut(member).expect("a member") = value;
        changed
    };
    let without = |member: &str| {
        let mut changed = body.clone();
        changed.as_object_mut().expect("an object").remove(member);
        changed
    };
    let with_time = scheduled(body.clone(), START.0 + DAY);
    let others = [
        set("/profileId", json!(world.profiles.paid)),
        set("/profileId", json!("1")),
        set("/source", acme.dollars.json()),
        set("/source/type", json!("managed_cards")),
        set("/destination", acme.travel.json()),
        set("/destinationAmount/amount", json!(1_001)),
        set("/destinationAmount/amount", json!(0)),
        set("/destinationAmount/currency", json!("GBP")),
        set("/destinationAmount/currency", json!("QQQ")),
        set("/tag", json!("rent2")),
        set("/description", json!("Rent.")),
        set("/description", json!("")),
        without("tag"),
        without("description"),
        with_time,
    ];
    for later in [false, true] {
        if later {
            world.server.advance(3 * DAY);
            world.restart().await;
            world.log_in_again().await;
        }
        for other in &others {
            let before = world.snapshot().await;
            once(&world.acme(), "r", other).await.invalid(&REUSED);
            assert_eq!(world.snapshot().await, before, "{other}");
        }
    }
    // The reference still stands for what it was used for.
    let again = once(&world.acme(), "r", &body).await;
    assert_eq!(id(&again.expect(200)), id(&first.expect(200)));
    assert_eq!(made(&world).await, (1, FUNDS - 1_000));
}

#[tokio::test]
async fn a_refusal_is_remembered_so_that_a_late_duplicate_moves_nothing() {
    let mut world = MultiWorld::new().await;
    let acme = world.acme.clone();
    let dear = order(
        &world.profiles.free,
        &acme.reserve,
        &acme.main,
        "EUR",
        1_000,
    );
    let poor = once(&world.acme(), "poor", &dear).await;
    poor.conflict("FUNDS_INSUFFICIENT");
    let mut unknown = dear.clone();
    unknown["profileId"] = json!("1");
    let nowhere = once(&world.acme(), "nowhere", &unknown).await;
    nowhere.coded(404, "PROFILE_NOT_FOUND");
    // What was missing is there now.
    world.moved(&acme.main, &acme.reserve, 5_000).await;
    for restarted in [false, true] {
        if restarted {
            world.restart().await;
        }
        same(&poor, &once(&world.acme(), "poor", &dear).await);
        same(&nowhere, &once(&world.acme(), "nowhere", &unknown).await);
        once(&world.acme(), "poor", &unknown).await.invalid(&REUSED);
    }
    assert_eq!(made(&world).await.0, 1);
    // Asked anew it is done.
    once(&world.acme(), "rich", &dear).await.expect(200);
    assert_eq!(made(&world).await.0, 2);
    assert_eq!(world.balance(&acme, &acme.reserve).await, 4_000);
}

/// All 21 conflicts are remembered, as far as a chain of them can tell: see `multi_refusals`. Here
/// is what is not.
#[tokio::test]
async fn what_was_never_decided_does_not_use_a_reference_up() {
    let world = MultiWorld::new().await;
    let body = rent(&world);
    let acme = world.acme();
    let good = acme.call(Method::POST, "/transfers").json(&body);
    let good = good.header("idempotency-ref", "r");
    let mut malformed = body.clone();
    malformed["tag"] = json!("no spaces");
    let faulty: [(u16, Call); 6] = [
        (401, good.clone().without("api-key")),
        (401, good.clone().without("authorization")),
        (401, good.clone().header("authorization", "Bearer nobody")),
        (400, good.clone().json(&malformed)),
        (400, good.clone().json_text("{")),
        (415, good.clone().header("content-type", "text/plain")),
    ];
    for (status, call) in faulty {
        assert_eq!(acme.send(call).await.status, status);
    }
    let (_, other) = programme(&world.server, "Another").await;
    assert_eq!(
        acme.send(good.clone().header("api-key", other))
            .await
            .status,
        403
    );
    world
        .set(&json!({"rate_limits": [{"requests": 1, "window_s": 60}]}))
        .await;
    acme.get("/transfers").await.expect(200);
    acme.send(good.clone()).await.bare(429);
    world.set(&json!({"rate_limits": []})).await;
    acme.send(good).await.expect(200);
    assert_eq!(made(&world).await, (1, FUNDS - 1_000));
}

#[tokio::test]
async fn a_reference_has_1_to_255_characters() {
    let world = MultiWorld::new().await;
    let body = rent(&world);
    for length in [0, 256, 5_000] {
        let reply = once(&world.acme(), &"r".repeat(length), &body).await;
        reply.invalid(&[("idempotency-ref", "SIZE")]);
        assert_eq!(reply.faults()[0].2, ["1", "255"]);
    }
    assert_eq!(made(&world).await, (0, FUNDS));
}

#[tokio::test]
async fn a_scheduled_transfer_is_replayed_as_it_was_and_after_a_day_shown_as_it_is() {
    let mut world = MultiWorld::new().await;
    let at = START.0 + 10 * SECOND;
    let (body, late) = (rent(&world), scheduled(rent(&world), START.0 + 90 * DAY));
    let soon = scheduled(body, at);
    let done = once(&world.acme(), "done", &soon).await;
    let off = once(&world.acme(), "off", &soon).await;
    let waits = once(&world.acme(), "waits", &late).await;
    for reply in [&done, &off, &waits] {
        assert_eq!(reply.expect(200)["state"], "SCHEDULED");
    }
    let cancel = json!({"cancellations": [{"id": id(&off.json()), "cancellationReason": "no"}]});
    let path = "/transfers/bulk/cancel";
    world.acme().post(path, &cancel).await.expect(200);
    world.advance(20 * SECOND).await;
    // Until a day has passed the answers are what they were; GET tells the present.
    same(&done, &once(&world.acme(), "done", &soon).await);
    same(&off, &once(&world.acme(), "off", &soon).await);
    same(&waits, &once(&world.acme(), "waits", &late).await);
    let now = async |world: &MultiWorld, reply: &Reply| {
        let path = format!("/transfers/{}", id(&reply.json()));
        world.acme().get(&path).await.expect(200)
    };
    assert_eq!(now(&world, &done).await["state"], "COMPLETED");
    let cancelled = now(&world, &off).await;
    assert_eq!(cancelled["state"], "CANCELLED");
    // A day later they tell the present too, and still make nothing new.
    world.server.advance(DAY);
    world.log_in_again().await;
    for (reference, body, first) in [
        ("done", &soon, &done),
        ("off", &soon, &off),
        ("waits", &late, &waits),
    ] {
        let again = once(&world.acme(), reference, body).await.expect(200);
        assert_eq!(again, now(&world, first).await, "{reference}");
        assert_eq!(id(&again), id(&first.json()), "{reference}");
    }
    once(&world.acme(), "off", &late).await.invalid(&REUSED);
    assert_eq!(made(&world).await, (3, FUNDS - 1_000));
}

/// One caller's references never meet another's, nor those of another operation.
#[tokio::test]
async fn a_reference_belongs_to_programme_identity_and_operation() {
    let world = MultiWorld::new().await;
    let (acme, jane) = (&world.acme, &world.jane);
    let body = rent(&world);
    let first = once(&world.acme(), "r", &body).await;
    first.expect(200);

    // Other operations of the same identity.
    let opening =
        json!({"profileId": world.profiles.account, "friendlyName": "A", "currency": "EUR"});
    let opened = world
        .acme()
        .post_once("r", "/managed_accounts", &opening)
        .await;
    assert_eq!(opened.expect(200)["friendlyName"], "A");
    let operations = json!([{"requestBody": body}]);
    let bulk = world
        .acme()
        .post_once("r", "/bulks/transfers", &operations)
        .await;
    assert_eq!(bulk.expect(201)["operationCount"], 1);
    let block = world.acme().call(Method::POST, &acme.travel.path("/block"));
    let block = block.header("idempotency-ref", "r");
    world.acme().send(block).await.bare(204);

    // Another identity, with her own instruments and with the very same payload.
    let hers = order(
        &world.profiles.free,
        &jane.main,
        &jane.reserve,
        "EUR",
        1_000,
    );
    let her_first = once(&world.jane(), "r", &hers).await;
    assert_ne!(id(&her_first.expect(200)), id(&first.json()));
    let reply = once(&world.jane(), "s", &body).await;
    reply.conflict("SOURCE_NOT_FOUND");
    once(&world.acme(), "s", &body).await.expect(200);

    // Another programme on the same server.
    let (tenant, key) = programme(&world.server, "Another").await;
    let client = MultiClient::new(&world.server, &key);
    let theirs = profiles(&world.server, &tenant).await;
    let other = party(&client, &theirs, "corporates", &acme.email).await;
    let user = client.with_token(&other.token);
    let reply = once(&user, "r", &body).await;
    reply.coded(404, "PROFILE_NOT_FOUND");
    open_account(&user, &theirs.account, "EUR").await;

    // Another user of the same identity, and the Back Office in its place, repeat the same call.
    let clerk = json!({"name": "Cy", "surname": "Clerk", "email": "clerk@acme.example"});
    let clerk = world.acme().post("/users", &clerk).await.expect(200);
    let path = format!("/passwords/{}/create", id(&clerk));
    let password = json!({"password": {"value": PASSWORD}});
    world.programme().post(&path, &password).await.expect(200);
    let clerk = world
        .programme()
        .login("clerk@acme.example", PASSWORD)
        .await;
    same(&first, &once(&clerk, "r", &body).await);
    let office = world.programme().acting_for(&acme.identity).await;
    same(&first, &once(&office, "r", &body).await);
    assert_eq!(made(&world).await, (2, FUNDS - 2_000));
    world.check_sum().await;
}

#[tokio::test]
async fn twins_in_flight_get_one_answer_between_them() {
    let world = MultiWorld::new().await;
    let body = rent(&world);
    let acme = world.acme();
    let mut other = body.clone();
    other["destinationAmount"]["amount"] = json!(999);
    for round in 0..10 {
        let reference = format!("twins-{round}");
        let send = || once(&acme, &reference, &body);
        let (a, b, c, d, stranger, e) = tokio::join!(
            send(),
            send(),
            send(),
            send(),
            once(&acme, &reference, &other),
            send()
        );
        for twin in [&b, &c, &d, &e] {
            same(&a, twin);
        }
        a.expect(200);
        stranger.invalid(&REUSED);
    }
    assert_eq!(made(&world).await, (10, FUNDS - 10_000));

    // Twins that are refused learn it both.
    let mut dear = body.clone();
    dear["destinationAmount"]["amount"] = json!(FUNDS);
    let send = || once(&acme, "dear", &dear);
    let (a, b, c) = tokio::join!(send(), send(), send());
    a.conflict("FUNDS_INSUFFICIENT");
    same(&a, &b);
    same(&a, &c);
    // And twins without a reference are two.
    let send = || acme.post("/transfers", &body);
    let (a, b) = tokio::join!(send(), send());
    assert_ne!(id(&a.expect(200)), id(&b.expect(200)));
    assert_eq!(made(&world).await, (12, FUNDS - 12_000));
}
