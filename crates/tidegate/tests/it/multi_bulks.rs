//! `/bulks` of the Multi dialect: many transfers handed in together, run, stopped, called off.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Reply, START, id};
use crate::multi_client::{MultiClient, PASSWORD};
use crate::multi_world::{DAY, FUNDS, MultiWorld, SECOND, order, scheduled};

/// The most operations of one bulk.
const MOST: usize = 10_000;

/// The operations of a bulk, for the body.
fn operations(bodies: impl IntoIterator<Item = Value>) -> Value {
    bodies
        .into_iter()
        .map(|body| json!({"requestBody": body}))
        .collect()
}

impl MultiWorld {
    /// `minor` from the corporate's main account to its reserve.
    fn save(&self, minor: i64) -> Value {
        let (from, to) = (&self.acme.main, &self.acme.reserve);
        order(&self.profiles.free, from, to, "EUR", minor)
    }

    /// So many times a cent, each with a tag of its own.
    fn cents(&self, prefix: &str, count: usize) -> Value {
        operations((1..=count).map(|number| {
            let mut body = self.save(1);
            body["tag"] = json!(format!("{prefix}-{number}"));
            body
        }))
    }

    /// Hands a bulk in; its id.
    async fn submit(&self, operations: &Value) -> String {
        let reply = self.acme().post("/bulks/transfers", operations).await;
        let answer = reply.expect(201);
        let bulk = answer["bulkId"].as_str().expect("an id").to_owned();
        let count = operations.as_array().expect("a list").len();
        let path = format!("/bulks/{bulk}");
        let expected = json!({"bulkId": bulk, "operationCount": count, "path": path});
        assert_eq!(answer, expected);
        bulk
    }

    async fn execute(&self, bulk: &str, mode: &str) -> Reply {
        let path = format!("/bulks/{bulk}/execute");
        self.acme().post(&path, &json!({"mode": mode})).await
    }

    /// `pause`, `resume` or `cancel`.
    async fn steer_bulk(&self, bulk: &str, action: &str) -> Reply {
        self.acme().act(&format!("/bulks/{bulk}/{action}")).await
    }

    async fn bulk(&self, bulk: &str) -> Value {
        let reply = self.acme().get(&format!("/bulks/{bulk}")).await;
        reply.expect(200)
    }

    async fn operations(&self, bulk: &str, query: &str) -> Value {
        let path = format!("/bulks/{bulk}/operations{query}");
        self.acme().get(&path).await.expect(200)
    }

    /// Runs a bulk to its end.
    async fn run(&self, operations: &Value, mode: &str) -> String {
        let bulk = self.submit(operations).await;
        self.execute(&bulk, mode).await.bare(204);
        self.server.quiesce(&self.tenant).await;
        bulk
    }

    /// What became of each operation: status and, when refused, why.
    async fn outcomes(&self, bulk: &str) -> Vec<(String, String)> {
        let page = self.operations(bulk, "").await;
        let operations = page["operations"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        operations
            .iter()
            .map(|operation| {
                let told = match operation.get("responsePayload") {
                    Some(payload) => parsed(payload),
                    None => Value::Null,
                };
                let why = told.get("errorCode").or(told.get("code"));
                (
                    text(&operation["status"]),
                    text(why.unwrap_or(&told["state"])),
                )
            })
            .collect()
    }

    /// The tags of all of the corporate's transfers, each of which must be another.
    async fn tags(&self) -> BTreeSet<String> {
        let mut tags = BTreeSet::new();
        let mut offset = 0;
        loop {
            let path = format!("/transfers?offset={offset}&limit=100");
            let page = self.acme().get(&path).await.expect(200);
            let transfers = page["transfer"].as_array().expect("a list");
            for transfer in transfers {
                assert_eq!(transfer["state"], "COMPLETED", "{transfer}");
                let tag = transfer["tag"].as_str().expect("a tag").to_owned();
                assert!(tags.insert(tag), "twice: {transfer}");
            }
            offset += transfers.len();
            if transfers.is_empty() {
                assert_eq!(page["count"], tags.len());
                return tags;
            }
        }
    }

    /// Exactly `count` cents were moved, each by one transfer.
    async fn check_cents(&self, count: i64) {
        let held = [&self.acme.main, &self.acme.reserve];
        let expected = [FUNDS - count, count];
        assert_eq!(self.balances(&self.acme, held).await, expected);
        self.check_sum().await;
    }

    /// A bulk of five operations that was paused before its first.
    async fn paused(&self) -> String {
        let all = self.cents("p", 5);
        for _ in 0..100 {
            let bulk = self.submit(&all).await;
            // While the server writes something else, both requests come to wait for one another.
            let one = self.save(1);
            let acme = self.acme();
            let (_, begun, stopped) = tokio::join!(
                acme.post("/transfers", &one),
                self.execute(&bulk, "ON_FAILURE_STOP"),
                self.steer_bulk(&bulk, "pause")
            );
            begun.bare(204);
            if stopped.status == 204 {
                return bulk;
            }
            stopped.conflict("INVALID_STATE");
        }
        panic!("no bulk could be paused before its first operation");
    }

    /// A bulk of [`MOST`] operations that was stopped with `action` after its first operation and
    /// before its last.
    async fn stopped(&self, action: &str) -> Stopped {
        // The server does some thousands of operations in a row; what comes behind the request to
        // begin finds it at work, unless the server is uncommonly quick or slow.
        let mut before = 0;
        for attempt in 1..=10 {
            let bulk = self.submit(&self.cents(&format!("{attempt}"), MOST)).await;
            self.execute(&bulk, "ON_FAILURE_STOP").await.bare(204);
            let reply = self.steer_bulk(&bulk, action).await;
            let done = count_of(&self.bulk(&bulk).await, "COMPLETED");
            match reply.status {
                204 if done > 0 => {
                    println!("{action} after {done} operations");
                    assert!(done < MOST as i64, "what has ended cannot be stopped");
                    return Stopped { bulk, done, before };
                }
                204 => {
                    let _ = self.steer_bulk(&bulk, "cancel").await;
                }
                _ => {
                    reply.conflict("INVALID_STATE");
                    before += done;
                }
            }
        }
        panic!("no bulk could be stopped in its middle");
    }
}

/// A bulk that was stopped in its middle.
struct Stopped {
    bulk: String,
    /// Operations it has done, each of them a cent.
    done: i64,
    /// Cents that had been moved before it began.
    before: i64,
}

/// The text of a payload as JSON.
fn parsed(payload: &Value) -> Value {
    let text = payload.as_str().expect("a text");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// How many operations of a bulk have this status.
fn count_of(bulk: &Value, status: &str) -> i64 {
    let counts = bulk["operationStatusCounts"].as_array().expect("a list");
    let found = counts.iter().find(|count| count["status"] == status);
    found.map_or(0, |count| count["count"].as_i64().expect("an integer"))
}

/// The counts of a bulk, which add up to all of its operations, none of them nothing.
#[track_caller]
fn check_counts(bulk: &Value, expected: &[(&str, i64)]) {
    let counts = bulk["operationStatusCounts"].as_array().expect("a list");
    let all: i64 = counts
        .iter()
        .map(|it| it["count"].as_i64().expect("an integer"))
        .sum();
    assert_eq!(bulk["submittedItemsCount"], all, "{bulk}");
    assert_eq!(counts.len(), expected.len(), "{bulk}");
    for (status, count) in expected {
        assert_eq!(count_of(bulk, status), *count, "{status}: {bulk}");
    }
}

// --- handing in --------------------------------------------------------------------------------

#[tokio::test]
async fn a_bulk_of_one_is_handed_in_looked_at_and_run() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let mut body = world.save(1_000);
    (body["tag"], body["description"]) = (json!("first"), json!("The \"first\" of one\n"));
    let bulk = world.submit(&operations([body.clone()])).await;
    let mut shown = json!({
        "bulkId": bulk, "status": "SUBMITTED", "submittedItemsCount": 1, "operation": "/transfers",
    });
    let list = world.acme().get("/bulks").await.expect(200);
    assert_eq!(
        list,
        json!({"bulkProcesses": [shown], "count": 1, "responseCount": 1})
    );
    shown["operationStatusCounts"] = json!([{"status": "SUBMITTED", "count": 1}]);
    assert_eq!(world.bulk(&bulk).await, shown);
    let page = world.operations(&bulk, "").await;
    let operation = &page["operations"][0];
    assert_eq!(parsed(&operation["requestPayload"]), body);
    assert_eq!(operation["sequence"], 1);
    assert_eq!(operation["method"], "POST");
    assert_eq!(operation["path"], "/transfers");
    assert_eq!(operation["status"], "SUBMITTED");
    assert!(operation.get("responsePayload").is_none(), "{operation}");
    world.server.quiesce(&world.tenant).await;
    assert_eq!(world.balance(acme, &acme.main).await, FUNDS);

    // It never expires; whenever it is run it begins then.
    world.advance(DAY).await;
    world.execute(&bulk, "ON_FAILURE_CONTINUE").await.bare(204);
    world.server.quiesce(&world.tenant).await;
    let done = world.bulk(&bulk).await;
    assert_eq!(done["status"], "COMPLETED");
    assert_eq!(done["mode"], "ON_FAILURE_CONTINUE");
    assert_eq!(done["executionStart"], START.0 + DAY);
    assert_eq!(done["executionFinish"], START.0 + DAY);
    check_counts(&done, &[("COMPLETED", 1)]);
    let list = world.acme().get("/transfers").await.expect(200);
    let transfer = &list["transfer"][0];
    assert_eq!(transfer["tag"], "first");
    assert_eq!(transfer["state"], "COMPLETED");
    assert_eq!(transfer["creationTimestamp"], START.0 + DAY);
    let page = world.operations(&bulk, "").await;
    assert_eq!(parsed(&page["operations"][0]["responsePayload"]), *transfer);
    assert_eq!(world.balance(acme, &acme.reserve).await, 1_000);
}

#[tokio::test]
async fn a_bulk_has_1_to_10000_operations_each_of_them_in_order() {
    let world = MultiWorld::new().await;
    let good = world.save(1);
    let before = world.snapshot().await;
    let refused = async |body: &Value, faults: &[(&str, &str)]| {
        let reply = world.acme().post("/bulks/transfers", body).await;
        reply.invalid(faults);
        reply.faults()
    };
    for body in [json!([]), world.cents("c", MOST + 1)] {
        let faults = refused(&body, &[("body", "SIZE")]).await;
        assert_eq!(faults[0].2, ["1", "10000"]);
    }
    refused(&json!({}), &[("body", "REGEX")]).await;
    refused(&json!([good]), &[("[0].requestBody", "REQUIRED")]).await;
    refused(
        &json!([{"requestBody": [good]}]),
        &[("[0].requestBody", "REGEX")],
    )
    .await;
    // All that is wrong, each with its place.
    let mut all = world.cents("c", 1_000);
    all[17]["requestBody"]["tag"] = json!("two words");
    all[500]["requestBody"]["source"]["type"] = json!("card");
    all[999]["requestBody"]["destinationAmount"] = json!({"currency": "EUR"});
    let faults = [
        ("[17].requestBody.tag", "REGEX"),
        ("[500].requestBody.source.type", "NOT_IN"),
        ("[999].requestBody.destinationAmount.amount", "REQUIRED"),
    ];
    refused(&all, &faults).await;
    assert_eq!(world.snapshot().await, before);
    let list = world.acme().get("/bulks").await.expect(200);
    assert_eq!(list["count"], 0);

    let bulk = world.submit(&world.cents("c", MOST)).await;
    check_counts(&world.bulk(&bulk).await, &[("SUBMITTED", MOST as i64)]);
    let with_path = json!([{"requestBody": good, "pathParams": {}}]);
    world.submit(&with_path).await;
}

#[tokio::test]
async fn a_bulk_is_handed_in_once() {
    let mut world = MultiWorld::new().await;
    let all = world.cents("c", 3);
    let once = async |world: &MultiWorld, reference: &str, body: &Value| {
        world
            .acme()
            .post_once(reference, "/bulks/transfers", body)
            .await
    };
    let first = once(&world, "r", &all).await;
    let bulk = first.expect(201)["bulkId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (twin, other) = tokio::join!(once(&world, "r", &all), once(&world, "s", &all));
    assert_eq!(twin.text(), first.text());
    assert_ne!(other.expect(201)["bulkId"], *bulk);
    let mut changed = all.clone();
    changed[2]["requestBody"]["destinationAmount"]["amount"] = json!(2);
    let reused = [("idempotency-ref", "NOT_IN")];
    once(&world, "r", &changed).await.invalid(&reused);
    let fewer = json!([all[0], all[1]]);
    once(&world, "r", &fewer).await.invalid(&reused);
    world.execute(&bulk, "ON_FAILURE_STOP").await.bare(204);
    world.server.quiesce(&world.tenant).await;
    world.restart().await;
    for days in [0, 2] {
        world.server.advance(days * DAY);
        world.log_in_again().await;
        let again = once(&world, "r", &all).await;
        assert_eq!((again.status, again.text()), (201, first.text()));
    }
    let list = world.acme().get("/bulks").await.expect(200);
    assert_eq!(list["count"], 2);
    world.check_cents(3).await;
}

// --- running -----------------------------------------------------------------------------------

/// Six operations of which the third and the fifth are refused.
fn mixed(world: &MultiWorld) -> Value {
    let mut nowhere = world.save(16);
    nowhere["profileId"] = json!("1");
    let all = [1, 2, FUNDS, 8].map(|minor| world.save(minor));
    let [one, two, dear, eight] = all;
    operations([one, two, dear, eight, nowhere, world.save(32)])
}

#[tokio::test]
async fn a_bulk_goes_on_after_failures_when_told_to() {
    let world = MultiWorld::new().await;
    let bulk = world.run(&mixed(&world), "ON_FAILURE_CONTINUE").await;
    let shown = world.bulk(&bulk).await;
    assert_eq!(shown["status"], "PARTIALLY_COMPLETED");
    check_counts(&shown, &[("COMPLETED", 4), ("FAILED", 2)]);
    let (done, failed) = ("COMPLETED", "FAILED");
    let expected = [
        (done, "COMPLETED"),
        (done, "COMPLETED"),
        (failed, "FUNDS_INSUFFICIENT"),
        (done, "COMPLETED"),
        (failed, "PROFILE_NOT_FOUND"),
        (done, "COMPLETED"),
    ];
    let expected = expected.map(|(status, why)| (status.to_owned(), why.to_owned()));
    assert_eq!(world.outcomes(&bulk).await, expected);
    world.check_cents(1 + 2 + 8 + 32).await;
}

#[tokio::test]
async fn a_bulk_stops_at_the_first_failure_when_told_to_or_not_told_at_all() {
    for mode in [Some("ON_FAILURE_STOP"), None] {
        let world = MultiWorld::new().await;
        let bulk = world.submit(&mixed(&world)).await;
        let body = mode.map_or(
            json!({}),
            |mode| json!({"mode": mode, "webhookInterval": 25}),
        );
        let path = format!("/bulks/{bulk}/execute");
        world.acme().post(&path, &body).await.bare(204);
        world.server.quiesce(&world.tenant).await;
        let shown = world.bulk(&bulk).await;
        assert_eq!(shown["status"], "PARTIALLY_COMPLETED");
        assert_eq!(shown["mode"], "ON_FAILURE_STOP");
        let expected = [("COMPLETED", 2), ("FAILED", 1), ("CANCELLED", 3)];
        check_counts(&shown, &expected);
        let outcomes = world.outcomes(&bulk).await;
        assert_eq!(outcomes[2].1, "FUNDS_INSUFFICIENT");
        for (status, why) in &outcomes[3..] {
            assert_eq!((&**status, &**why), ("CANCELLED", ""));
        }
        world.check_cents(3).await;
    }
}

#[tokio::test]
async fn a_bulk_of_which_nothing_succeeds_has_failed() {
    let world = MultiWorld::new().await;
    let dear = [FUNDS + 1, 1].map(|minor| world.save(minor));
    let bulk = world.run(&operations(dear), "ON_FAILURE_STOP").await;
    let shown = world.bulk(&bulk).await;
    assert_eq!(shown["status"], "FAILED");
    check_counts(&shown, &[("FAILED", 1), ("CANCELLED", 1)]);
    let dear = [FUNDS + 1, FUNDS + 2].map(|minor| world.save(minor));
    let bulk = world.run(&operations(dear), "ON_FAILURE_CONTINUE").await;
    let shown = world.bulk(&bulk).await;
    assert_eq!(shown["status"], "FAILED");
    check_counts(&shown, &[("FAILED", 2)]);
    world.check_cents(0).await;
}

#[tokio::test]
async fn each_operation_is_decided_when_its_turn_comes() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let back = |minor| {
        order(
            &world.profiles.free,
            &acme.reserve,
            &acme.main,
            "EUR",
            minor,
        )
    };
    let paid = order(
        &world.profiles.paid,
        &acme.main,
        &acme.reserve,
        "EUR",
        10_000,
    );
    let later = scheduled(world.save(5), START.0 + SECOND);
    let past = scheduled(world.save(5), START.0);
    // Money that only the operation before has brought.
    let all = [world.save(700), back(700), back(1), paid, later, past];
    let bulk = world.run(&operations(all), "ON_FAILURE_CONTINUE").await;
    let why: Vec<String> = world
        .outcomes(&bulk)
        .await
        .into_iter()
        .map(|it| it.1)
        .collect();
    let expected = [
        "COMPLETED",
        "COMPLETED",
        "FUNDS_INSUFFICIENT",
        "COMPLETED",
        "SCHEDULED",
        "SCHEDULED_TIMESTAMP_INVALID",
    ];
    assert_eq!(why, expected);
    let held = [&acme.main, &acme.reserve];
    assert_eq!(world.balances(acme, held).await, [FUNDS - 10_125, 10_000]);
    world.advance(SECOND).await;
    assert_eq!(world.balances(acme, held).await, [FUNDS - 10_130, 10_005]);
    // The bulk tells what was answered, the transfer what has become of it.
    let told = world.operations(&bulk, "?sequence=5").await;
    let told = parsed(&told["operations"][0]["responsePayload"]);
    assert_eq!(told["state"], "SCHEDULED");
    let path = format!("/transfers/{}", id(&told));
    assert_eq!(
        world.acme().get(&path).await.expect(200)["state"],
        "COMPLETED"
    );
    world.check_sum().await;
}

#[tokio::test]
async fn two_bulks_and_single_transfers_share_the_money_there_is() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let all = |count: usize| operations((0..count).map(|_| world.save(100)));
    let (first, second) = (world.submit(&all(700)).await, world.submit(&all(700)).await);
    let (a, b) = tokio::join!(
        world.execute(&first, "ON_FAILURE_CONTINUE"),
        world.execute(&second, "ON_FAILURE_CONTINUE")
    );
    a.bare(204);
    b.bare(204);
    let mut single = 0;
    for _ in 0..20 {
        let reply = world.acme().post("/transfers", &world.save(100)).await;
        match reply.status {
            200 => single += 1,
            _ => reply.conflict("FUNDS_INSUFFICIENT"),
        }
    }
    world.server.quiesce(&world.tenant).await;
    let mut done = single;
    for bulk in [&first, &second] {
        let shown = world.bulk(bulk).await;
        done += count_of(&shown, "COMPLETED");
        let both = count_of(&shown, "COMPLETED") + count_of(&shown, "FAILED");
        assert_eq!(both, 700);
    }
    assert_eq!(done, 1_000, "all there was, and not a cent more");
    assert_eq!(world.balance(acme, &acme.main).await, 0);
    world.check_sum().await;
}

// --- stopping ----------------------------------------------------------------------------------

/// Everything that can be done to a bulk in each state it can rest in.
#[tokio::test]
async fn what_can_be_done_to_a_bulk_depends_on_where_it_stands() {
    let world = MultiWorld::new().await;
    let (execute, pause, resume, cancel) = ("execute", "pause", "resume", "cancel");
    let bring = async |state: &str| {
        let one = world.cents("c", 1);
        match state {
            "SUBMITTED" => world.submit(&one).await,
            "PAUSED" => world.paused().await,
            "CANCELLED" => {
                let bulk = world.submit(&one).await;
                world.steer_bulk(&bulk, cancel).await.bare(204);
                bulk
            }
            "FAILED" => {
                let dear = operations([world.save(FUNDS * 2)]);
                world.run(&dear, "ON_FAILURE_STOP").await
            }
            "PARTIALLY_COMPLETED" => {
                let half = operations([world.save(1), world.save(FUNDS * 2)]);
                world.run(&half, "ON_FAILURE_STOP").await
            }
            _ => world.run(&one, "ON_FAILURE_STOP").await,
        }
    };
    let table: [(&str, &[&str]); 6] = [
        ("SUBMITTED", &[execute, cancel]),
        ("PAUSED", &[resume, cancel]),
        ("COMPLETED", &[]),
        ("PARTIALLY_COMPLETED", &[]),
        ("FAILED", &[]),
        ("CANCELLED", &[]),
    ];
    for (state, allowed) in table {
        for action in [execute, pause, resume, cancel] {
            let bulk = bring(state).await;
            let before = world.bulk(&bulk).await;
            assert_eq!(before["status"], state);
            let reply = match action {
                "execute" => world.execute(&bulk, "ON_FAILURE_CONTINUE").await,
                _ => world.steer_bulk(&bulk, action).await,
            };
            world.server.quiesce(&world.tenant).await;
            if allowed.contains(&action) {
                reply.bare(204);
                let ended = if action == cancel {
                    "CANCELLED"
                } else {
                    "COMPLETED"
                };
                assert_eq!(world.bulk(&bulk).await["status"], ended, "{state} {action}");
            } else {
                reply.conflict("INVALID_STATE");
                assert_eq!(world.bulk(&bulk).await, before, "{state} {action}");
            }
        }
    }
    world.check_sum().await;
}

#[tokio::test]
async fn a_bulk_rests_in_its_middle_and_goes_on_where_it_was() {
    let mut world = MultiWorld::new().await;
    let Stopped { bulk, done, before } = world.stopped("pause").await;
    let rest = MOST as i64 - done;
    let shown = world.bulk(&bulk).await;
    assert_eq!(shown["status"], "PAUSED");
    assert!(shown.get("executionFinish").is_none(), "{shown}");
    check_counts(&shown, &[("COMPLETED", done), ("SUBMITTED", rest)]);
    world.check_cents(before + done).await;
    // Neither time nor a restart makes it go on.
    world.advance(30 * DAY).await;
    world.restart().await;
    world.server.quiesce(&world.tenant).await;
    assert_eq!(world.bulk(&bulk).await, shown);
    world.check_cents(before + done).await;
    let page = world
        .operations(&bulk, &format!("?offset={}&limit=2", done - 1))
        .await;
    assert_eq!(page["operations"][0]["status"], "COMPLETED");
    assert_eq!(page["operations"][1]["status"], "SUBMITTED");

    world.steer_bulk(&bulk, "resume").await.bare(204);
    world.server.quiesce(&world.tenant).await;
    let ended = world.bulk(&bulk).await;
    assert_eq!(ended["status"], "COMPLETED");
    assert_eq!(ended["executionStart"], START.0);
    assert_eq!(ended["executionFinish"], START.0 + 30 * DAY);
    check_counts(&ended, &[("COMPLETED", MOST as i64)]);
    world.check_cents(before + MOST as i64).await;
    assert_eq!(world.tags().await.len() as i64, before + MOST as i64);
}

#[tokio::test]
async fn a_bulk_that_is_called_off_in_its_middle_keeps_what_it_has_done() {
    let mut world = MultiWorld::new().await;
    let Stopped { bulk, done, before } = world.stopped("cancel").await;
    let rest = MOST as i64 - done;
    world.server.quiesce(&world.tenant).await;
    world.restart().await;
    world.server.quiesce(&world.tenant).await;
    let shown = world.bulk(&bulk).await;
    assert_eq!(shown["status"], "CANCELLED");
    assert_eq!(shown["executionFinish"], START.0);
    check_counts(&shown, &[("COMPLETED", done), ("CANCELLED", rest)]);
    world.check_cents(before + done).await;
    let (last, first) = (done, done + 1);
    for (sequence, status) in [(1, "COMPLETED"), (last, "COMPLETED"), (first, "CANCELLED")] {
        let page = world
            .operations(&bulk, &format!("?sequence={sequence}"))
            .await;
        assert_eq!(page["operations"][0]["status"], status, "{sequence}");
    }
    world
        .steer_bulk(&bulk, "resume")
        .await
        .conflict("INVALID_STATE");
    assert_eq!(world.tags().await.len() as i64, before + done);
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_bulk_loses_and_doubles_nothing() {
    let mut world = MultiWorld::new().await;
    let bulk = world.submit(&world.cents("c", MOST)).await;
    world.execute(&bulk, "ON_FAILURE_STOP").await.bare(204);
    world.restart().await;
    // What it is doing now can be looked at while it does it.
    let seen = count_of(&world.bulk(&bulk).await, "COMPLETED");
    world.restart().await;
    let seen_later = count_of(&world.bulk(&bulk).await, "COMPLETED");
    assert!(seen_later >= seen, "{seen} and then {seen_later}");
    println!("seen at {seen} and {seen_later}");
    world.server.quiesce(&world.tenant).await;
    let shown = world.bulk(&bulk).await;
    assert_eq!(shown["status"], "COMPLETED");
    check_counts(&shown, &[("COMPLETED", MOST as i64)]);
    world.check_cents(MOST as i64).await;
    assert_eq!(world.tags().await.len(), MOST);
}

// --- looking -----------------------------------------------------------------------------------

#[tokio::test]
async fn bulks_are_listed_newest_first_by_status_and_page() {
    let world = MultiWorld::new().await;
    let mut all = Vec::new();
    for (index, end) in ["run", "cancel", "none", "fail", "none"]
        .into_iter()
        .enumerate()
    {
        let bulk = match end {
            "run" => {
                world
                    .run(&world.cents(&format!("{index}"), 2), "ON_FAILURE_STOP")
                    .await
            }
            "fail" => {
                let dear = operations([world.save(FUNDS * 2)]);
                world.run(&dear, "ON_FAILURE_STOP").await
            }
            _ => world.submit(&world.cents(&format!("{index}"), 2)).await,
        };
        if end == "cancel" {
            world.steer_bulk(&bulk, "cancel").await.bare(204);
        }
        world.advance(SECOND).await;
        all.insert(0, bulk);
    }
    let ids = |page: &Value| -> Vec<String> {
        let bulks = page["bulkProcesses"].as_array().expect("a list").iter();
        bulks
            .map(|bulk| bulk["bulkId"].as_str().expect("an id").to_owned())
            .collect()
    };
    let list = async |query: &str| {
        world
            .acme()
            .get(&format!("/bulks{query}"))
            .await
            .expect(200)
    };
    let page = list("").await;
    assert_eq!(ids(&page), all);
    for (bulk, shown) in all
        .iter()
        .zip(page["bulkProcesses"].as_array().expect("a list"))
    {
        let mut alone = world.bulk(bulk).await;
        alone
            .as_object_mut()
            .expect("an object")
            .remove("operationStatusCounts");
        assert_eq!(&alone, shown);
    }
    for (status, expected) in [
        ("SUBMITTED", vec![&all[0], &all[2]]),
        ("FAILED", vec![&all[1]]),
        ("CANCELLED", vec![&all[3]]),
        ("COMPLETED", vec![&all[4]]),
        ("RUNNING", vec![]),
        ("PAUSED", vec![]),
        ("PARTIALLY_COMPLETED", vec![]),
    ] {
        let page = list(&format!("?status={status}")).await;
        let found = ids(&page);
        assert_eq!(found.iter().collect::<Vec<&String>>(), expected, "{status}");
        assert_eq!(page["count"], expected.len());
    }
    for limit in 1..=6 {
        let mut found = Vec::new();
        for offset in (0..6).step_by(limit) {
            let page = list(&format!("?offset={offset}&limit={limit}")).await;
            assert_eq!(page["count"], 5);
            found.extend(ids(&page));
        }
        assert_eq!(found, all, "{limit}");
    }
    let hers = world.jane().get("/bulks").await.expect(200);
    assert_eq!(
        hers,
        json!({"bulkProcesses": [], "count": 0, "responseCount": 0})
    );
}

#[tokio::test]
async fn operations_are_listed_in_their_order_by_status_place_and_page() {
    let world = MultiWorld::new().await;
    let bulk = world.run(&mixed(&world), "ON_FAILURE_CONTINUE").await;
    let all = world.operations(&bulk, "").await["operations"].clone();
    let all = all.as_array().expect("a list");
    let sequences: Vec<i64> = all
        .iter()
        .map(|it| it["sequence"].as_i64().expect("it"))
        .collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
    let ids: BTreeSet<&str> = all
        .iter()
        .map(|it| it["operationId"].as_str().expect("it"))
        .collect();
    assert_eq!(ids.len(), 6);
    let check = async |query: &str, matching: &dyn Fn(&Value) -> bool| {
        let page = world.operations(&bulk, query).await;
        let expected: Vec<&Value> = all.iter().filter(|it| matching(it)).collect();
        assert_eq!(page["operations"], json!(expected), "{query}");
        assert_eq!(page["count"], expected.len(), "{query}");
        assert_eq!(page["responseCount"], expected.len(), "{query}");
    };
    for status in ["SUBMITTED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] {
        check(&format!("?status={status}"), &|it| it["status"] == status).await;
    }
    for sequence in [0, 1, 3, 6, 7] {
        check(&format!("?sequence={sequence}"), &|it| {
            it["sequence"] == sequence
        })
        .await;
    }
    check("?sequence=3&status=FAILED", &|it| it["sequence"] == 3).await;
    check("?sequence=3&status=COMPLETED", &|_| false).await;
    for (offset, limit) in [(0, 1), (0, 4), (4, 4), (5, 1), (6, 1)] {
        let page = world
            .operations(&bulk, &format!("?offset={offset}&limit={limit}"))
            .await;
        let end = all.len().min(offset + limit);
        assert_eq!(page["operations"], json!(all[offset..end]));
        assert_eq!(page["count"], 6);
    }
}

#[tokio::test]
async fn a_bulk_belongs_to_its_identity_and_every_user_of_it() {
    let world = MultiWorld::new().await;
    let clerk = json!({"name": "Cy", "surname": "Clerk", "email": "clerk@acme.example"});
    let made = world.acme().post("/users", &clerk).await.expect(200);
    let path = format!("/passwords/{}/create", id(&made));
    let password = json!({"password": {"value": PASSWORD}});
    world.programme().post(&path, &password).await.expect(200);
    let clerk = world
        .programme()
        .login("clerk@acme.example", PASSWORD)
        .await;

    let bulk = world.submit(&world.cents("c", 2)).await;
    let mode = json!({"mode": "ON_FAILURE_STOP"});
    let paths = |client: &MultiClient<'_>| {
        [
            client.call(Method::GET, &format!("/bulks/{bulk}")),
            client.call(Method::GET, &format!("/bulks/{bulk}/operations")),
            client
                .call(Method::POST, &format!("/bulks/{bulk}/execute"))
                .json(&mode),
            client.call(Method::POST, &format!("/bulks/{bulk}/pause")),
            client.call(Method::POST, &format!("/bulks/{bulk}/resume")),
            client.call(Method::POST, &format!("/bulks/{bulk}/cancel")),
        ]
    };
    for call in paths(&world.jane()) {
        world.jane().send(call).await.coded(404, "NOT_FOUND");
    }
    assert_eq!(world.bulk(&bulk).await["status"], "SUBMITTED");
    for nobody in ["0", "1", "99999999999999999999", &world.acme.main.id] {
        let reply = world.acme().get(&format!("/bulks/{nobody}")).await;
        reply.coded(404, "NOT_FOUND");
        world
            .steer_bulk(nobody, "cancel")
            .await
            .coded(404, "NOT_FOUND");
        world
            .execute(nobody, "ON_FAILURE_STOP")
            .await
            .coded(404, "NOT_FOUND");
    }
    world
        .steer_bulk("x", "pause")
        .await
        .invalid(&[("bulk_id", "REGEX")]);
    let reply = world.execute(&bulk, "STOP").await;
    reply.invalid(&[("mode", "NOT_IN")]);
    let reply = world.execute("x", "STOP").await;
    reply.invalid(&[("bulk_id", "REGEX"), ("mode", "NOT_IN")]);

    let execute = &paths(&clerk)[2];
    clerk.send(execute.clone()).await.bare(204);
    world.server.quiesce(&world.tenant).await;
    let shown = clerk.get(&format!("/bulks/{bulk}")).await.expect(200);
    assert_eq!(shown["status"], "COMPLETED");
    world.check_cents(2).await;
}
