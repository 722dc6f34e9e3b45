//! The event log as its readers meet it: by pages, as a stream, and on the command line.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use axum::http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::harness::{ADMIN_TOKEN, Call, Reply, Server, World, id};
use crate::process::Place;

/// A page of the world's events.
async fn page(world: &World, query: &str) -> Value {
    let path = format!("/events?tenant={}{query}", world.tenant);
    world.server.admin_get(&path).await
}

fn types(page: &Value) -> Vec<&str> {
    let events = page["data"].as_array().expect("a list");
    events
        .iter()
        .map(|event| event["type"].as_str().expect("a type"))
        .collect()
}

#[tokio::test]
async fn a_transfer_tells_every_step_in_order() {
    let world = World::new().await;
    let before = page(&world, "&after=now").await["next"].clone();
    let before = before.as_str().expect("an id");
    let made = world.moved(&world.fund, &world.bank, 2_000).await;
    world.advance(crate::harness::RAIL_MS).await;
    let told = page(&world, &format!("&after={before}")).await;
    let steps: Vec<(&str, &str, &Value)> = told["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| {
            let data = &event["data"];
            assert_eq!(data["id"], made["id"]);
            assert_eq!(event["tenant_id"], world.tenant.as_str());
            let name = event["type"].as_str().expect("a type");
            (
                name,
                data["status"].as_str().expect("a status"),
                &data["previous_status"],
            )
        })
        .collect();
    let from = |status: &str| json!(status);
    assert_eq!(
        steps,
        [
            ("transfer.created", "processing", &Value::Null),
            ("transfer.status_changed", "pending", &from("processing")),
            ("transfer.status_changed", "complete", &from("pending")),
        ]
    );
    // The full form has the transfer as it was at each step.
    let full = page(&world, &format!("&after={before}&form=full")).await;
    let was: Vec<(&Value, &Value)> = full["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| {
            let object = &event["data"]["object"];
            (&object["status"], &object["completed_at"])
        })
        .collect();
    let (created, done) = (json!("processing"), json!("2027-01-15T08:00:05Z"));
    assert_eq!(was[0], (&created, &Value::Null));
    assert_eq!(was[2], (&json!("complete"), &done));
    let last = id(&full["data"][2]);
    let path = world.path(&format!("/events/{last}"));
    assert_eq!(world.server.admin_get(&path).await, full["data"][2]);
    let none = page(&world, &format!("&after={last}")).await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn everything_that_happens_is_told_once() {
    let world = World::new().await;
    world.set_state(&world.trip, "block").await.expect(200);
    world.set_state(&world.trip, "unblock").await.expect(200);
    world.set_state(&world.trip, "close").await.expect(200);
    let key = world
        .server
        .whole_key(&world.tenant, &json!([{"scope": "LIST_ACCOUNTS"}]))
        .await;
    let path = world.path(&format!("/keys/{}", id(&key)));
    world
        .server
        .admin(Method::DELETE, &path, None)
        .await
        .expect(204);
    let hold = json!({"amount_in_cents": 5});
    let path = world.path(&format!("/accounts/{}/holds", world.fund));
    let hold = world.server.admin_post(&path, &hold).await;
    let path = world.path(&format!("/holds/{}", id(&hold)));
    world
        .server
        .admin(Method::DELETE, &path, None)
        .await
        .expect(204);
    let told = page(&world, "&limit=1000").await;
    let told = types(&told);
    let count = |name: &str| told.iter().filter(|known| **known == name).count();
    assert_eq!(told[0], "tenant.created");
    for (name, times) in [
        ("tenant.created", 1),
        ("owner.created", 1),
        ("account.created", 6),
        ("account.blocked", 1),
        ("account.unblocked", 1),
        ("account.closed", 1),
        ("key.created", 2),
        ("key.revoked", 1),
        ("hold.placed", 1),
        ("hold.released", 1),
        ("transfer.created", 2),
    ] {
        assert_eq!(count(name), times, "{name}");
    }
    let transfers = page(&world, "&types=transfer.*").await;
    assert_eq!(types(&transfers), ["transfer.created"; 2]);
    let of_account = page(&world, &format!("&accounts={}", world.trip)).await;
    let names = [
        "account.created",
        "account.blocked",
        "account.unblocked",
        "account.closed",
    ];
    assert_eq!(types(&of_account), names);
    let text = page(&world, "&limit=1000&form=full").await.to_string();
    assert!(!text.contains(key["secret"].as_str().expect("a secret")));
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_events_after_a_restart_too() {
    let mut world = World::new().await;
    let whole = page(&world, "&limit=1000").await;
    world.server.restart().await;
    let (mut after, mut found) = ("start".to_owned(), Vec::new());
    loop {
        let part = page(&world, &format!("&limit=3&after={after}")).await;
        found.extend(part["data"].as_array().expect("a list").clone());
        after = part["next"].as_str().expect("an id").to_owned();
        if part["more"] == false {
            break;
        }
    }
    assert_eq!(json!(found), whole["data"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_told() {
    let world = World::new().await;
    let ask = async |query: &str| -> Reply {
        let path = format!("/events?{query}");
        world.server.admin(Method::GET, &path, None).await
    };
    let tenant = format!("tenant={}", world.tenant);
    for (query, word) in [
        (String::new(), "tenant"),
        (format!("{tenant}&after=evt_1"), "after"),
        (format!("{tenant}&after=yesterday"), "after"),
        (format!("{tenant}&limit=0"), "limit"),
        (format!("{tenant}&limit=1001"), "limit"),
        (format!("{tenant}&form=fat"), "form"),
        (format!("{tenant}&types=transfer.deleted"), "types"),
        (format!("{tenant}&types="), "types"),
        (format!("{tenant}&accounts=x"), "accounts"),
        (format!("{tenant}&owners=own_x"), "owners"),
        (format!("{tenant}&{tenant}"), "once"),
    ] {
        ask(&query)
            .await
            .problem(400, "invalid_parameters", &[word]);
    }
    ask("tenant=ten_0000000000001")
        .await
        .problem(404, "not_found", &["tenant"]);
    let path = world.path("/events/evt_0000000000001");
    let reply = world.server.admin(Method::GET, &path, None).await;
    reply.problem(404, "not_found", &["event"]);
}

/// The ids in so many events of a stream.
async fn stream(server: &Server, query: &str, last: Option<&str>, count: usize) -> Vec<String> {
    let mut call = Call::get(format!("/admin/v1/events/stream?{query}"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    if let Some(last) = last {
        call = call.header("last-event-id", last);
    }
    let mut body = server.open_admin(&call).await;
    let mut text = String::new();
    // At once it says that it is heard.
    while text.matches("\n\n").count() < count + 1 {
        let frame = body
            .frame()
            .await
            .expect("an open stream")
            .expect("no error");
        let bytes = frame.into_data().expect("data");
        text.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
    }
    assert!(text.starts_with(":\n\n"), "{text}");
    let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_stream_tells_what_is_there_and_what_comes() {
    let world = World::new().await;
    let whole = page(&world, "&limit=1000").await;
    let whole: Vec<String> = whole["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(id)
        .collect();
    let query = format!("tenant={}&after=start", world.tenant);
    let told = stream(&world.server, &query, None, whole.len()).await;
    assert_eq!(told, whole);
    // Who comes back goes on where it was, whatever its URL says.
    let rest = stream(&world.server, &query, Some(&whole[3]), whole.len() - 4).await;
    assert_eq!(rest, whole[4..]);
    let last = whole.last().expect("one");
    let query = format!(
        "tenant={}&types=transfer.created&after={last}",
        world.tenant
    );
    let told = stream(&world.server, &query, None, 1);
    let makes = world.moved(&world.pay, &world.fund, 100);
    let (told, _) = tokio::join!(told, makes);
    let made = page(&world, &format!("&types=transfer.created&after={last}")).await;
    assert_eq!(told, [id(&made["data"][0])]);
}

#[test]
fn the_command_line_lists_and_follows_events() {
    let place = Place::new();
    let process = place.serve(&[]);
    place.json(&["tenant", "create", "--name", "Acme"]);
    place.json(&["owner", "create", "--name", "John"]);
    let listed = place.json(&["events", "list"]);
    let names: Vec<&Value> = listed["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| &e["type"])
        .collect();
    assert_eq!(names, ["tenant.created", "owner.created"]);
    let table = place.ok(&["events", "list", "--types", "owner.*"]);
    assert!(
        table.contains("owner.created") && !table.contains("tenant.created"),
        "{table}"
    );
    let mut tail = place
        .command(&[
            "events", "tail", "--after", "start", "--limit", "3", "--output", "json",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(tail.stdout.take().expect("piped")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("UTF-8");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(next()["type"], "tenant.created");
    assert_eq!(next()["type"], "owner.created");
    place.json(&["owner", "create", "--name", "Jane"]);
    let third = next();
    assert_eq!(third["type"], "owner.created");
    assert_eq!(third["data"]["name"], "Jane");
    assert!(tail.wait().expect("it ends").success());
    drop(process);
}
