//! `/api/v1/transfers` as its users would tell it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{Call, Neighbour, RAIL_MS, World, everything, id, transfer_body};
use crate::shape::assert_like;

fn example(text: &str) -> Value {
    serde_json::from_str(text).expect("the vendor's example is JSON")
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(id).collect()
}

// --- moving money -----------------------------------------------------------------------------

#[tokio::test]
async fn an_internal_transfer_is_answered_processing_and_settles_at_once() {
    let world = World::new().await;
    let reply = world.john().transfer(&world.pay, &world.fund, 20_000).await;
    let body = reply.expect(201);
    assert_like(&example(include_str!("seeds/create_transfer.json")), &body);
    let made = &body["data"];
    assert_eq!(made["status"], "processing");
    assert_eq!(made["direction"], "internal");
    assert_eq!(made["origin"], "user");
    assert_eq!(made["amount_in_cents"], 20_000);
    let source = json!({"id": world.pay, "name": "Main Payroll", "type": "income_source"});
    assert_eq!(made["source"], source);
    let destination = json!({"id": world.fund, "name": "Emergency Fund", "type": "pod"});
    assert_eq!(made["destination"], destination);
    assert_eq!(made["created_at"], "2027-01-15T08:00:00Z");
    assert_eq!(made["completed_at"], Value::Null);

    world.quiesce().await;
    let settled = world.transfer(&id(made)).await;
    assert_eq!(settled["status"], "complete");
    assert_eq!(settled["error_code"], Value::Null);
    assert_eq!(settled["completed_at"], "2027-01-15T08:00:00Z");
    assert_eq!(world.balance(&world.pay).await, 980_000);
    assert_eq!(world.balance(&world.fund).await, 70_000);
}

#[tokio::test]
async fn a_payment_over_the_rail_leaves_at_once_and_arrives_after_the_delay() {
    let world = World::new().await;
    let sent = world.moved(&world.fund, &world.bank, 20_000).await;
    assert_eq!(sent["status"], "pending");
    assert_eq!(sent["direction"], "money_out");
    assert_eq!(sent["origin"], "user");
    assert_eq!(sent["completed_at"], Value::Null);
    assert_eq!(world.balance(&world.fund).await, 30_000);

    world.advance(RAIL_MS - 1).await;
    assert_eq!(world.transfer(&id(&sent)).await["status"], "pending");
    world.advance(1).await;
    let arrived = world.transfer(&id(&sent)).await;
    assert_eq!(arrived["status"], "complete");
    assert_eq!(arrived["created_at"], "2027-01-15T08:00:00Z");
    assert_eq!(arrived["completed_at"], "2027-01-15T08:00:05Z");
    assert_eq!(world.balance(&world.fund).await, 30_000);
    assert_eq!(world.balance(&world.bank).await, 0, "its money is not ours");
}

#[tokio::test]
async fn a_payment_waits_on_the_rail_while_the_server_is_down() {
    let mut world = World::new().await;
    let sent = world.moved(&world.fund, &world.card, 1_000).await;
    world.server.restart().await;
    assert_eq!(world.transfer(&id(&sent)).await["status"], "pending");
    world.advance(RAIL_MS).await;
    assert_eq!(world.transfer(&id(&sent)).await["status"], "complete");
}

#[tokio::test]
async fn a_payment_that_comes_back_ends_in_error_and_the_money_returns() {
    let world = World::new().await;
    let sent = world.moved(&world.fund, &world.bank, 20_000).await;
    let path = world.path(&format!("/transfers/{}/return", id(&sent)));
    let body = json!({"error_code": "NAME_MISMATCH"});
    let returned = world
        .server
        .admin(axum::http::Method::POST, &path, Some(&body))
        .await;
    assert_eq!(returned.expect(200)["status"], "error");

    let seen = world.transfer(&id(&sent)).await;
    assert_eq!(seen["status"], "error");
    assert_eq!(seen["error_code"], "NAME_MISMATCH");
    assert_eq!(seen["completed_at"], Value::Null);
    assert_eq!(world.balance(&world.fund).await, 50_000);
    // What the rail would have done later does not happen any more.
    world.advance(RAIL_MS).await;
    assert_eq!(world.transfer(&id(&sent)).await["status"], "error");
    assert_eq!(world.balance(&world.fund).await, 50_000);
}

#[tokio::test]
async fn too_little_money_ends_incomplete_and_moves_nothing() {
    let world = World::new().await;
    for destination in [&world.trip, &world.bank] {
        let ended = world.moved(&world.fund, destination, 50_001).await;
        assert_eq!(ended["status"], "incomplete");
        assert_eq!(ended["error_code"], "INSUFFICIENT_FUNDS");
        assert_eq!(ended["completed_at"], Value::Null);
    }
    assert_eq!(world.balance(&world.fund).await, 50_000);
    assert_eq!(world.balance(&world.trip).await, 0);
    // To the cent it works.
    let ended = world.moved(&world.fund, &world.trip, 50_000).await;
    assert_eq!(ended["status"], "complete");
    assert_eq!(world.balance(&world.fund).await, 0);
}

#[tokio::test]
async fn the_user_pulls_money_from_a_linked_account() {
    let world = World::new().await;
    let pulled = world.moved(&world.bank, &world.fund, 7_500).await;
    assert_eq!(pulled["status"], "pending");
    assert_eq!(pulled["direction"], "money_in");
    assert_eq!(pulled["origin"], "user_pull");
    assert_eq!(world.balance(&world.fund).await, 50_000, "not there yet");
    world.advance(RAIL_MS).await;
    assert_eq!(world.transfer(&id(&pulled)).await["status"], "complete");
    assert_eq!(world.balance(&world.fund).await, 57_500);
}

#[tokio::test]
async fn between_two_accounts_elsewhere_no_money_of_ours_moves() {
    let world = World::new().await;
    let before = world.server.admin_get(&world.path("/accounts")).await;
    let sent = world.moved(&world.bank, &world.card, 10_000).await;
    assert_eq!(sent["status"], "pending");
    assert_eq!(sent["direction"], "money_out");
    assert_eq!(sent["origin"], "user");
    world.advance(RAIL_MS).await;
    assert_eq!(world.transfer(&id(&sent)).await["status"], "complete");
    let after = world.server.admin_get(&world.path("/accounts")).await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn an_account_that_is_blocked_or_closed_meanwhile_ends_the_transfer() {
    let world = World::new().await;
    let sent = world.moved(&world.bank, &world.trip, 1_000).await;
    world.set_state(&world.trip, "block").await.expect(200);
    world.advance(RAIL_MS).await;
    let ended = world.transfer(&id(&sent)).await;
    assert_eq!(ended["status"], "error");
    assert_eq!(ended["error_code"], "PAYMENT_NOT_SUPPORTED");
    assert_eq!(world.balance(&world.trip).await, 0);
}

#[tokio::test]
async fn sums_too_large_to_record_are_refused_and_everything_else_goes_on() {
    let world = World::new().await;
    // All that the outside can owe: its balance is at the end of 64 bits.
    world.paycheck(&world.pay, i64::MAX - 1_050_000).await;
    let body = json!({"account_id": world.fund, "amount_in_cents": 100});
    let path = world.path("/simulate/paycheck");
    let method = axum::http::Method::POST;
    let reply = world.server.admin(method, &path, Some(&body)).await;
    reply.problem(409, "balance_overflow", &[]);
    let pulled = world.moved(&world.bank, &world.trip, 100).await;
    world.advance(RAIL_MS).await;
    let ended = world.transfer(&id(&pulled)).await;
    assert_eq!(ended["status"], "error");
    assert_eq!(ended["error_code"], "PAYMENT_FAILED");
    // Between accounts all of it can be moved, and out of the house too.
    let all = world.balance(&world.pay).await;
    assert_eq!(
        world.moved(&world.pay, &world.fund, all).await["status"],
        "complete"
    );
    assert_eq!(world.balance(&world.fund).await, i64::MAX);
    let out = world.moved(&world.fund, &world.bank, i64::MAX).await;
    world.advance(RAIL_MS).await;
    assert_eq!(world.transfer(&id(&out)).await["status"], "complete");
    let status = world.server.admin_get("/status").await;
    assert_eq!(status["sum_of_all_balances"], json!({"USD": "0"}));
}

// --- what appears in lists --------------------------------------------------------------------

/// A world in which every origin, direction and end of a transfer occurs, at different times.
async fn eventful() -> World {
    let world = World::new().await;
    for what in ["check-deposit", "cashback", "external-pull"] {
        world.advance(1_000).await;
        world.simulate(what, &world.fund, 2_000).await;
    }
    for (from, to, amount) in [
        (&world.pay, &world.fund, 30_000),
        (&world.pay, &world.trip, 5_000),
        (&world.fund, &world.trip, 100),
        (&world.trip, &world.fund, 900_000),
        (&world.pay, &world.card, 4_000),
        (&world.bank, &world.fund, 6_000),
    ] {
        world.advance(1_000).await;
        world.moved(from, to, amount).await;
    }
    world.advance(RAIL_MS).await;
    let returned = world.moved(&world.fund, &world.bank, 700).await;
    let path = world.path(&format!("/transfers/{}/return", id(&returned)));
    world
        .server
        .admin(axum::http::Method::POST, &path, Some(&json!({})))
        .await
        .expect(200);
    world.advance(1_000).await;
    world.moved(&world.fund, &world.bank, 800).await;
    world.moved(&world.bank, &world.fund, 900).await;
    world
}

async fn list(world: &World, query: &str) -> Value {
    let path = format!("/transfers?account_id={}&first=100{query}", world.fund);
    world.john().get(&path).await.expect(200)
}

#[tokio::test]
async fn a_list_looks_like_the_vendors_and_is_ordered_newest_first() {
    let world = eventful().await;
    let body = list(&world, "").await;
    let mut example = example(include_str!("seeds/list_transfers.json"));
    assert_like(&example, &body);
    let transfers = body["data"].as_array().expect("a list");
    let order: Vec<(&str, &str)> = transfers
        .iter()
        .map(|t| {
            let text = |name: &str| t[name].as_str().expect("a text");
            (text("created_at"), text("id"))
        })
        .collect();
    assert!(
        order.is_sorted_by(|newer, older| newer > older),
        "{order:?}"
    );

    let with_origin = |origin: &str| {
        let found = transfers.iter().find(|t| t["origin"] == origin);
        found.unwrap_or_else(|| panic!("no {origin}"))
    };
    // The examples of money from and to the outside, null for null.
    let examples = example["data"].as_array_mut().expect("a list");
    let (paycheck, pull) = (examples.swap_remove(1), examples.swap_remove(1));
    for (example, origin) in [
        (&paycheck, "paycheck"),
        (&paycheck, "check_deposit"),
        (&paycheck, "cashback"),
        (&pull, "external_pull"),
    ] {
        let actual = with_origin(origin);
        for (name, value) in example.as_object().expect("an object") {
            assert_eq!(value.is_null(), actual[name].is_null(), "{origin} {name}");
        }
        assert_eq!(example["direction"], actual["direction"]);
        assert_eq!(example["status"], actual["status"]);
        assert_eq!(actual["created_at"], actual["completed_at"]);
    }
    for (origin, direction) in [("user", "internal"), ("user_pull", "money_in")] {
        let _ = with_origin(origin);
        let both = transfers
            .iter()
            .any(|t| t["origin"] == origin && t["direction"] == direction);
        assert!(both, "{origin} {direction}");
    }
}

#[tokio::test]
async fn every_filter_alone_and_with_every_other() {
    let world = eventful().await;
    let all = list(&world, "").await["data"].clone();
    let all = all.as_array().expect("a list");
    let is = |t: &Value, name: &str, wanted: Option<&str>| wanted.is_none_or(|w| t[name] == w);
    let is_role = |t: &Value, role: Option<&str>| match role {
        Some("source") => t["source"]["id"] == world.fund,
        Some("destination") => t["destination"]["id"] == world.fund,
        _ => true,
    };
    let mut found_some = BTreeSet::new();
    let mut combinations = 0;
    for role in [None, Some("source"), Some("destination"), Some("either")] {
        for direction in options(&["money_in", "money_out", "internal"]) {
            for origin in options(&[
                "paycheck",
                "check_deposit",
                "cashback",
                "user_pull",
                "rule",
                "user",
                "external_pull",
            ]) {
                for status in options(&[
                    "pending_approval",
                    "processing",
                    "pending",
                    "complete",
                    "incomplete",
                    "error",
                    "cancelled",
                ]) {
                    let filters = [
                        ("account_role", role),
                        ("direction", direction),
                        ("origin", origin),
                        ("status", status),
                    ];
                    let query: String = filters
                        .iter()
                        .filter_map(|(name, value)| Some(format!("&{name}={}", (*value)?)))
                        .collect();
                    let expected: Vec<String> = all
                        .iter()
                        .filter(|t| is_role(t, role) && is(t, "direction", direction))
                        .filter(|t| is(t, "origin", origin) && is(t, "status", status))
                        .map(id)
                        .collect();
                    let found = ids(&list(&world, &query).await["data"]);
                    assert_eq!(found, expected, "{query}");
                    combinations += 1;
                    if !found.is_empty() {
                        found_some.extend(filters.iter().filter_map(|(_, value)| *value));
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 4 * 4 * 8 * 8);
    // Each value that data without rules can have was found by some combination.
    for value in [
        "source",
        "destination",
        "either",
        "money_in",
        "money_out",
        "internal",
        "paycheck",
        "check_deposit",
        "cashback",
        "user_pull",
        "user",
        "external_pull",
        "pending",
        "complete",
        "incomplete",
        "error",
    ] {
        assert!(found_some.contains(value), "{value} was never found");
    }
}

fn options<'a>(values: &[&'a str]) -> Vec<Option<&'a str>> {
    std::iter::once(None)
        .chain(values.iter().copied().map(Some))
        .collect()
}

#[tokio::test]
async fn an_execution_that_nobody_has_matches_nothing() {
    let world = World::new().await;
    for execution in ["rex_01HABC4567", "rex_0000000000001", "anything"] {
        let found = list(&world, &format!("&rule_execution_id={execution}")).await;
        assert_eq!(found["data"], json!([]));
        assert_eq!(
            found["page_info"],
            json!({"has_next_page": false, "end_cursor": null})
        );
    }
}

#[tokio::test]
async fn from_and_to_include_their_ends() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..4 {
        // Half a second beside the whole one, which the answer does not show.
        world.advance(1_500).await;
        made.push(world.moved(&world.pay, &world.fund, 100).await);
    }
    let times: Vec<String> = made
        .iter()
        .map(|t| t["created_at"].as_str().expect("a time").to_owned())
        .collect();
    assert_eq!(times[0], "2027-01-15T08:00:01Z");
    assert_eq!(times[1], "2027-01-15T08:00:03Z");
    let between = async |query: String| {
        let found = list(&world, &format!("&origin=user{query}")).await;
        let found: Vec<usize> = ids(&found["data"])
            .iter()
            .filter_map(|found| made.iter().position(|t| id(t) == *found))
            .collect();
        found
    };
    let [first, second, third, last] = &times[..] else {
        unreachable!("four were made")
    };
    assert_eq!(between(format!("&from={second}")).await, [3, 2, 1]);
    assert_eq!(between(format!("&to={second}")).await, [1, 0]);
    assert_eq!(between(format!("&from={second}&to={third}")).await, [2, 1]);
    assert_eq!(
        between(format!("&from={first}&to={last}")).await,
        [3, 2, 1, 0]
    );
    assert_eq!(between(format!("&from={third}&to={second}")).await, [0; 0]);
    // To the millisecond, with offsets, and with the plus of an offset as forms send it.
    assert_eq!(
        between("&to=2027-01-15T08:00:01.499Z".to_owned()).await,
        [0; 0]
    );
    assert_eq!(
        between("&to=2027-01-15T08:00:01.500Z".to_owned()).await,
        [0]
    );
    assert_eq!(
        between("&from=2027-01-15T08:00:01.501Z".to_owned()).await,
        [3, 2, 1]
    );
    assert_eq!(
        between("&to=2027-01-15T10:00:03%2B02:00".to_owned()).await,
        [1, 0]
    );
    assert_eq!(
        between("&to=2027-01-15T10:00:03+02:00".to_owned()).await,
        [1, 0]
    );
    assert_eq!(
        between("&to=2027-01-15T03:00:03-05:00".to_owned()).await,
        [1, 0]
    );
}

/// Every page of the fund's transfers, with `arrivals` new transfers after each page.
async fn all_pages(world: &World, first: usize, arrivals: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/transfers?account_id={}&first={first}{after}", world.fund);
        let page = world.john().get(&path).await.expect(200);
        let page_ids = ids(&page["data"]);
        assert!(page_ids.len() <= first);
        found.extend(page_ids);
        for _ in 0..arrivals {
            let made = world.john().transfer(&world.fund, &world.trip, 100).await;
            made.expect(201);
        }
        let info = &page["page_info"];
        if info["has_next_page"] == false {
            return found;
        }
        let cursor = info["end_cursor"].as_str().expect("a cursor");
        after = format!("&after={cursor}");
    }
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_also_while_transfers_arrive() {
    let world = World::new().await;
    let mut expected = ids(&list(&world, "").await["data"]);
    expected.reverse();
    for index in 0..130 {
        // Several in the same millisecond, so that time alone does not order them.
        if index % 4 == 0 {
            world.advance(1).await;
        }
        let made = world.john().transfer(&world.pay, &world.fund, 100).await;
        expected.push(id(&made.data()));
    }
    expected.reverse();
    for (first, arrivals) in [(1, 1), (7, 2), (20, 3), (100, 5)] {
        assert_eq!(all_pages(&world, first, 0).await, expected, "first={first}");
        // What arrives meanwhile is newer than every page to come.
        let found = all_pages(&world, first, arrivals).await;
        assert_eq!(found, expected, "first={first} with arrivals");
        expected = all_pages(&world, 100, 0).await;
    }
    let distinct: BTreeSet<&String> = expected.iter().collect();
    assert_eq!(distinct.len(), expected.len());
    let path = format!("/transfers?account_id={}", world.fund);
    let default = world.john().get(&path).await.expect(200);
    assert_eq!(ids(&default["data"]), expected[..20]);
    assert_eq!(default["page_info"]["has_next_page"], true);
}

#[tokio::test]
async fn a_page_that_is_exactly_full_is_the_last() {
    let world = World::new().await;
    for _ in 0..4 {
        world.moved(&world.pay, &world.trip, 100).await;
    }
    let path = format!("/transfers?account_id={}&first=4", world.trip);
    let page = world.john().get(&path).await.expect(200);
    assert_eq!(page["page_info"]["has_next_page"], false);
    let last = page["data"][3]["id"].as_str().expect("an id");
    let cursor = format!("cursor_{}", &last[4..]);
    assert_eq!(page["page_info"]["end_cursor"], *cursor);
    // A cursor is a place in the order, whichever list it came from.
    let other = format!("/transfers?account_id={}&after={cursor}", world.pay);
    let other = world.john().get(&other).await.expect(200);
    assert_eq!(other["data"][0]["origin"], "paycheck");
    let beyond = world.john().get(&format!("{path}&after={cursor}")).await;
    let beyond = beyond.expect(200);
    assert_eq!(beyond["data"], json!([]));
    assert_eq!(
        beyond["page_info"],
        json!({"has_next_page": false, "end_cursor": null})
    );
}

// --- request ids ------------------------------------------------------------------------------

#[tokio::test]
async fn a_request_id_is_echoed_in_header_and_body_or_made() {
    let world = World::new().await;
    let transfer = id(&world.moved(&world.pay, &world.fund, 100).await);
    let calls = [
        Call::get("/api/v1/accounts"),
        Call::get(format!("/api/v1/accounts/{}", world.pay)),
        Call::get(format!("/api/v1/transfers?account_id={}", world.pay)),
        Call::get(format!("/api/v1/transfers/{transfer}")),
        Call::post("/api/v1/transfers").json(&transfer_body(&world.pay, &world.fund, 100)),
    ];
    let mut made = BTreeSet::new();
    for call in calls {
        let call = call.key(&world.key);
        let reply = world
            .server
            .call(call.clone().header("x-request-id", "mine-1"))
            .await;
        assert_eq!(reply.header("x-request-id"), Some("mine-1"));
        assert_eq!(reply.json()["request_id"], "mine-1");

        // An empty one is none.
        let empty = call.clone().header("x-request-id", "");
        let reply = world.server.call(empty).await;
        let header = reply.header("x-request-id").expect("made");
        assert!(header.starts_with("req_"), "{header}");

        let reply = world.server.call(call).await;
        let header = reply.header("x-request-id").expect("made").to_owned();
        assert_eq!(reply.json()["request_id"], header);
        assert!(header.starts_with("req_"), "{header}");
        assert!(made.insert(header), "the same id twice");
    }
    // Errors carry it in the header only, as in the vendor's examples.
    for call in [
        Call::get("/api/v1/accounts"),
        Call::get("/api/v1/nothing"),
        Call::new(axum::http::Method::DELETE, "/api/v1/accounts"),
        Call::get("/api/v1/transfers").key(&world.key),
    ] {
        let reply = world
            .server
            .call(call.clone().header("x-request-id", "mine-2"))
            .await;
        assert_eq!(reply.header("x-request-id"), Some("mine-2"));
        assert_eq!(reply.json().as_object().map(serde_json::Map::len), Some(1));
        let reply = world.server.call(call).await;
        assert!(
            reply
                .header("x-request-id")
                .is_some_and(|id| id.starts_with("req_"))
        );
    }
}

// --- idempotency ------------------------------------------------------------------------------

async fn number_of_transfers(world: &World) -> usize {
    let path = world.path(&format!("/transfers?account_id={}&limit=1000", world.fund));
    let list = world.server.admin_get(&path).await;
    list["data"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_byte_for_byte() {
    let mut world = World::new().await;
    let body = transfer_body(&world.pay, &world.fund, 1_000);
    let call = Call::post("/api/v1/transfers")
        .key(&world.key)
        .header("idempotency-key", "k-1")
        .header("x-request-id", "first")
        .json(&body);
    let first = world.server.call(call.clone()).await;
    first.expect(201);
    world.quiesce().await;
    let before = world.snapshot().await;

    let again = async |world: &World, request_id: &str| {
        let call = call.clone().header("x-request-id", request_id);
        let again = world.server.call(call).await;
        assert_eq!(again.status, 201);
        assert_eq!(again.bytes, first.bytes);
        assert_eq!(again.header("x-request-id"), Some(request_id));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        world.quiesce().await;
        assert_eq!(world.snapshot().await, before);
    };
    again(&world, "first").await;
    again(&world, "second").await;
    // The same members in another order and with other white space are the same body.
    let spaced = format!(
        r#" {{ "amount_in_cents" : 1000, "destination_account_id": "{}",
        "source_account_id": "{}" }} "#,
        world.fund, world.pay
    );
    let reply = world.server.call(call.clone().json_text(spaced)).await;
    assert_eq!(reply.bytes, first.bytes);
    world.server.restart().await;
    again(&world, "third").await;
    // The transfer has gone on meanwhile; the answer has not.
    assert_eq!(first.json()["data"]["status"], "processing");
    let now = world.transfer(&id(&first.data())).await;
    assert_eq!(now["status"], "complete");
    // A day later no second movement either.
    world.advance(25 * 60 * 60 * 1000).await;
    let late = world.server.call(call.clone()).await;
    assert_eq!(late.status, 201);
    assert_eq!(id(&late.data()), id(&first.data()));
    world.quiesce().await;
    assert_eq!(world.snapshot().await, before);
}

#[tokio::test]
async fn a_repeated_payment_that_has_ended_badly_still_gets_the_first_answer() {
    let world = World::new().await;
    let john = world.john();
    let first = john
        .transfer_once("k", &world.trip, &world.fund, 5_000)
        .await;
    world.quiesce().await;
    assert_eq!(
        world.transfer(&id(&first.data())).await["status"],
        "incomplete"
    );
    world.paycheck(&world.trip, 10_000).await;
    let again = john
        .transfer_once("k", &world.trip, &world.fund, 5_000)
        .await;
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(world.balance(&world.trip).await, 10_000);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused_and_moves_nothing() {
    let world = World::new().await;
    let john = world.john();
    let first = john
        .transfer_once("k", &world.pay, &world.fund, 1_000)
        .await;
    first.expect(201);
    world.quiesce().await;
    let before = world.snapshot().await;
    for (from, to, amount) in [
        (&world.pay, &world.fund, 1_001),
        (&world.pay, &world.trip, 1_000),
        (&world.fund, &world.trip, 1_000),
    ] {
        let reply = john.transfer_once("k", from, to, amount).await;
        reply.refused(400, "idempotency_key_mismatch", &["Idempotency-Key"]);
    }
    world.quiesce().await;
    assert_eq!(world.snapshot().await, before);
    let again = john
        .transfer_once("k", &world.pay, &world.fund, 1_000)
        .await;
    assert_eq!(again.bytes, first.bytes, "the first answer is still there");
}

#[tokio::test]
async fn a_refused_request_may_be_sent_again_with_its_key() {
    let world = World::new().await;
    let john = world.john();
    world.set_state(&world.fund, "block").await.expect(200);
    let refused = john
        .transfer_once("k", &world.pay, &world.fund, 1_000)
        .await;
    refused.refused(400, "destination_not_active", &["destination_account_id"]);
    world.set_state(&world.fund, "unblock").await.expect(200);
    let done = john
        .transfer_once("k", &world.pay, &world.fund, 1_000)
        .await;
    done.expect(201);
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 51_000);
}

#[tokio::test]
async fn keys_of_other_operations_callers_and_tenants_are_separate() {
    let world = World::new().await;
    let neighbour = Neighbour::of(&world).await;
    let second = world.with_permissions(&everything()).await;
    let john = world.john();
    let made = [
        john.transfer_once("k", &world.pay, &world.fund, 1_000)
            .await,
        john.transfer_once("k2", &world.pay, &world.fund, 1_000)
            .await,
        john.transfer_once("K", &world.pay, &world.fund, 1_000)
            .await,
        second
            .transfer_once("k", &world.pay, &world.fund, 1_000)
            .await,
        john.transfer(&world.pay, &world.fund, 1_000).await,
        john.transfer(&world.pay, &world.fund, 1_000).await,
    ];
    let distinct: BTreeSet<String> = made.iter().map(|reply| id(&reply.data())).collect();
    assert_eq!(distinct.len(), made.len());
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 56_000);
    // With the very same key a neighbour's own transfer happens.
    let eve = world.as_key(&neighbour.key);
    let hers = eve
        .transfer_once("k", &neighbour.pod, &neighbour.other_pod, 1_000)
        .await;
    assert_eq!(hers.data()["source"]["id"], neighbour.pod);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_in_flight_move_money_once_and_get_one_answer() {
    let world = Arc::new(World::new().await);
    for round in 0..5 {
        let key = format!("twins-{round}");
        let before = number_of_transfers(&world).await;
        let mut twins = tokio::task::JoinSet::new();
        for twin in 0..12 {
            let (world, key) = (Arc::clone(&world), key.clone());
            twins.spawn(async move {
                let call = Call::post("/api/v1/transfers")
                    .key(&world.key)
                    .header("idempotency-key", key)
                    .header("x-request-id", format!("twin-{twin}"))
                    .json(&transfer_body(&world.pay, &world.fund, 1_000));
                (twin, world.server.call(call).await)
            });
        }
        let replies = twins.join_all().await;
        for (twin, reply) in &replies {
            assert_eq!(reply.status, 201);
            assert_eq!(reply.bytes, replies[0].1.bytes);
            assert_eq!(reply.header("x-request-id"), Some(&*format!("twin-{twin}")));
        }
        assert_eq!(number_of_transfers(&world).await, before + 1);
    }
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 55_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivals_in_flight_for_one_key_move_money_once() {
    let world = Arc::new(World::new().await);
    let mut rivals = tokio::task::JoinSet::new();
    for amount in 101..113 {
        let world = Arc::clone(&world);
        rivals.spawn(async move {
            let john = world.john();
            let reply = john
                .transfer_once("one", &world.pay, &world.fund, amount)
                .await;
            (amount, reply)
        });
    }
    let mut winners = Vec::new();
    for (amount, reply) in rivals.join_all().await {
        match reply.status {
            201 => winners.push(amount),
            _ => reply.refused(400, "idempotency_key_mismatch", &[]),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 50_000 + winners[0]);
}

// --- times ------------------------------------------------------------------------------------

#[tokio::test]
async fn times_are_the_tenants_own() {
    let world = World::new().await;
    let body = json!({"frozen": true, "at": "2030-06-01T12:00:00Z"});
    let clock = world.path("/clock");
    let set = world
        .server
        .admin(axum::http::Method::PUT, &clock, Some(&body))
        .await;
    set.expect(200);
    world.advance(60_000).await;
    let moved = world.moved(&world.pay, &world.fund, 100).await;
    assert_eq!(moved["created_at"], "2030-06-01T12:00:00Z");
    assert_eq!(moved["completed_at"], "2030-06-01T12:00:00Z");
}
