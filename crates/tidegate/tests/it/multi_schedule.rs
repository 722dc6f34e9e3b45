//! Transfers of the Multi dialect that wait for their time, and calling them off.

use axum::http::Method;
use ledger::Millis;
use serde_json::{Value, json};

use crate::harness::{START, id};
use crate::multi_world::{
    DAY, FUNDS, Instrument, MultiWorld, Party, SECOND, order, scheduled, spelled,
};

/// A time after the beginning of a test.
fn after(ms: i64) -> i64 {
    START.0 + ms
}

impl MultiWorld {
    /// A transfer of the corporate as it stands now.
    async fn now(&self, transfer: &Value) -> Value {
        let path = format!("/transfers/{}", id(transfer));
        self.acme().get(&path).await.expect(200)
    }

    /// Makes a transfer of the corporate for a time to come.
    async fn later(&self, from: &Instrument, to: &Instrument, minor: i64, at: i64) -> Value {
        let body = order(&self.profiles.free, from, to, "EUR", minor);
        let reply = self.acme().post("/transfers", &scheduled(body, at)).await;
        let made = reply.expect(200);
        assert_eq!(made["state"], "SCHEDULED");
        made
    }

    /// Calls transfers of the corporate off; the outcomes as `SUCCESS` or an error's code.
    async fn cancel(&self, transfers: &[&Value]) -> Vec<String> {
        let ids: Vec<String> = transfers.iter().map(|transfer| id(transfer)).collect();
        let items = ids.iter().map(|id| json!({"id": id}));
        let body = json!({"cancellations": items.collect::<Vec<Value>>()});
        let answer = self.acme().post("/transfers/bulk/cancel", &body).await;
        outcomes(&answer.expect(200), &ids)
    }
}

/// What became of each cancellation, which must stand in the order asked.
fn outcomes(answer: &Value, ids: &[String]) -> Vec<String> {
    let items = answer["cancellations"].as_array().expect("a list");
    let told: Vec<&str> = items
        .iter()
        .map(|it| it["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(told, ids);
    items
        .iter()
        .map(|item| match (&item["state"], item.get("errorCode")) {
            (state, None) if state == "SUCCESS" => "SUCCESS".to_owned(),
            (state, Some(code)) if state == "ERROR" => code.as_str().expect("a code").to_owned(),
            _ => panic!("{item}"),
        })
        .collect()
}

/// How many lines a statement has.
async fn lines(world: &MultiWorld, party: &Party, instrument: &Instrument) -> i64 {
    let path = format!("/accounts/{}/entries", instrument.acc());
    let entries = world.server.admin_get(&world.path(&path)).await;
    assert!(party.instruments().contains(&instrument));
    entries["data"].as_array().expect("a list").len() as i64
}

// --- waiting and happening --------------------------------------------------------------------

#[tokio::test]
async fn a_scheduled_transfer_happens_once_at_its_time() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let at = after(DAY);
    let mut body = order(
        &world.profiles.free,
        &acme.main,
        &acme.reserve,
        "EUR",
        7_000,
    );
    (body["tag"], body["description"]) = (json!("rent"), json!("Rent, February"));
    let body = scheduled(body, at);
    let made = world.acme().post("/transfers", &body).await.expect(200);
    let mut expected = body.clone();
    expected["id"] = made["id"].clone();
    expected["state"] = json!("SCHEDULED");
    expected["creationTimestamp"] = json!(START.0);
    assert_eq!(made, expected);
    let held = [&acme.main, &acme.reserve];
    // Nothing is held until then: all of it can be spent.
    assert_eq!(world.balances(acme, held).await, [FUNDS, 0]);
    // An operator sees what it waits for, and under what it was made.
    let path = format!("/transfers/{}", spelled("txr_", &id(&made)));
    let seen = world.server.admin_get(&world.path(&path)).await;
    let profile = spelled("prf_", &world.profiles.free);
    assert_eq!(
        [&seen["status"], &seen["tag"], &seen["profile_id"]],
        [&json!("scheduled"), &json!("rent"), &json!(profile)]
    );
    assert_eq!(
        seen["scheduled_at"],
        json!(api::render_timestamp(Millis(at)))
    );
    assert_eq!(
        [&seen["fee"], &seen["cancel_reason"]],
        [&json!(0), &json!(null)]
    );
    world.advance(DAY - 1).await;
    assert_eq!(world.now(&made).await, expected);
    assert_eq!(world.balances(acme, held).await, [FUNDS, 0]);

    world.advance(1).await;
    expected["state"] = json!("COMPLETED");
    expected["executionTimestamp"] = json!(at.to_string());
    assert_eq!(world.now(&made).await, expected);
    assert_eq!(world.balances(acme, held).await, [FUNDS - 7_000, 7_000]);
    world.advance(400 * DAY).await;
    assert_eq!(world.now(&made).await, expected);
    assert_eq!(world.balances(acme, held).await, [FUNDS - 7_000, 7_000]);
    assert_eq!(lines(&world, acme, &acme.reserve).await, 1);
    world.check_sum().await;
}

#[tokio::test]
async fn a_time_must_be_to_come() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    world.advance(5 * SECOND).await;
    let now = after(5 * SECOND);
    let body = order(&world.profiles.free, &acme.main, &acme.reserve, "EUR", 1);
    // The end of the year 9999: later times cannot be written in every dialect.
    let latest = 253_402_300_799_999;
    // Seconds in place of milliseconds are long ago.
    for at in [now, now - 1, now / 1_000, 1, 0, latest + 1, i64::MAX] {
        let reply = world
            .acme()
            .post("/transfers", &scheduled(body.clone(), at))
            .await;
        reply.conflict("SCHEDULED_TIMESTAMP_INVALID");
    }
    for at in [now + 1, now + 36_500 * DAY, latest] {
        let reply = world
            .acme()
            .post("/transfers", &scheduled(body.clone(), at))
            .await;
        let made = reply.expect(200);
        assert_eq!(made["scheduledTimestamp"], at.to_string());
        assert_eq!(world.now(&made).await["state"], "SCHEDULED");
    }
}

#[tokio::test]
async fn a_scheduled_transfer_pays_the_fee_of_its_day() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let body = order(
        &world.profiles.paid,
        &acme.main,
        &acme.reserve,
        "EUR",
        10_000,
    );
    let body = scheduled(body, after(DAY));
    world.acme().post("/transfers", &body).await.expect(200);
    let fee = json!([{"source": "managed_accounts", "destination": "managed_accounts",
                      "currency": "EUR", "type": "FLAT", "flat": 3}]);
    world
        .change(&world.profiles.paid, &json!({"fees": fee}))
        .await;
    world.advance(DAY).await;
    assert_eq!(world.balance(acme, &acme.main).await, FUNDS - 10_003);
    assert_eq!(world.balance(acme, &acme.reserve).await, 10_000);
    world.check_sum().await;
}

/// Everything that is looked at when a transfer is made is looked at again when its time has come.
#[tokio::test]
async fn what_was_in_order_may_not_be_when_its_time_has_come() {
    let limits = json!([{"currency": "EUR", "amount": 999}]);
    let cards_only = json!([{"source": "managed_cards", "destination": "managed_cards"}]);
    let pounds_only = json!([{"source": "managed_accounts", "destination": "managed_accounts",
                              "currency": "GBP", "type": "FLAT", "flat": 1}]);
    // What an operator changes of the transfer's profile, and why it then fails.
    let changes = [
        ("PROFILE_INACTIVE", json!({"active": false})),
        (
            "TRANSFER_BETWEEN_INSTRUMENTS_UNSUPPORTED",
            json!({"pairs": cards_only}),
        ),
        (
            "FEE_NOT_CONFIGURED_FOR_CURRENCY",
            json!({"fees": pounds_only}),
        ),
        ("MODEL_CONSTRAINTS_VIOLATED", json!({"currencies": ["GBP"]})),
        ("MODEL_CONSTRAINTS_VIOLATED", json!({"max_amounts": limits})),
        (
            "INTERCEPTOR_DENIED_TRANSACTION",
            json!({"deny_above": limits}),
        ),
    ];
    for (reason, change) in changes {
        let fails = Failing::new().await;
        fails.world.change(&fails.profile, &change).await;
        fails.check(reason).await;
    }
    for (reason, block_source) in [
        ("SOURCE_INSTRUMENT_BLOCKED", true),
        ("DESTINATION_INSTRUMENT_BLOCKED", false),
    ] {
        let fails = Failing::new().await;
        let party = &fails.world.acme;
        let blocked = if block_source {
            &party.main
        } else {
            &fails.capped
        };
        fails.world.steer(party, blocked, "block").await.bare(204);
        fails.check(reason).await;
    }
    let fails = Failing::new().await;
    let acme = fails.world.acme.clone();
    fails
        .world
        .moved(&acme.main, &acme.reserve, FUNDS - 999)
        .await;
    fails.check("FUNDS_INSUFFICIENT").await;
    let fails = Failing::new().await;
    fails.world.deposit(&fails.capped, 150_000 - 999).await;
    fails.check("DESTINATION_LIMIT_EXCEEDED").await;
}

/// A transfer of EUR 10.00 that waits for its day, to an account that has a limit.
struct Failing {
    world: MultiWorld,
    profile: String,
    capped: Instrument,
    made: Value,
}

impl Failing {
    async fn new() -> Failing {
        let world = MultiWorld::new().await;
        let profile = world.profile(&json!({"type": "transfer"})).await;
        let capped = world.open(&world.acme, &world.profiles.capped, "EUR").await;
        let body = order(&profile, &world.acme.main, &capped, "EUR", 1_000);
        let body = scheduled(body, after(DAY));
        let made = world.acme().post("/transfers", &body).await.expect(200);
        Failing {
            world,
            profile,
            capped,
            made,
        }
    }

    /// It fails for this reason, and what is put right afterwards does not call it back.
    async fn check(self, reason: &str) {
        let Failing { world, made, .. } = &self;
        let held = [&world.acme.main, &self.capped];
        let before = world.balances(&world.acme, held).await;
        world.advance(DAY).await;
        let mut expected = made.clone();
        expected["state"] = json!("FAILED");
        expected["executionTimestamp"] = json!(after(DAY).to_string());
        assert_eq!(world.now(made).await, expected, "{reason}");
        let path = format!(
            "/transfers/{}",
            crate::multi_world::spelled("txr_", &id(made))
        );
        let kept = world.server.admin_get(&world.path(&path)).await;
        assert_eq!(kept["error_code"], reason);
        assert_eq!(world.balances(&world.acme, held).await, before, "{reason}");
        let right = json!({"active": true, "pairs": [], "fees": [], "currencies": [],
                           "max_amounts": [], "deny_above": []});
        world.change(&self.profile, &right).await;
        world.deposit(&world.acme.pounds, 1).await;
        world.advance(DAY).await;
        assert_eq!(world.now(made).await, expected, "{reason}");
        assert_eq!(world.balances(&world.acme, held).await, before, "{reason}");
        world.check_sum().await;
    }
}

#[tokio::test]
async fn an_instrument_with_a_transfer_to_come_stays() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let made = world
        .later(&acme.reserve, &acme.travel, 1, after(DAY))
        .await;
    let reply = world.steer(acme, &acme.reserve, "remove").await;
    reply.conflict("INSTRUMENT_HAS_PENDING_ACTIONS");
    // Cards have no code of their own for it.
    let reply = world.steer(acme, &acme.travel, "remove").await;
    reply.conflict("BALANCE_NOT_ZERO");
    assert_eq!(world.cancel(&[&made]).await, ["SUCCESS"]);
    for instrument in [&acme.reserve, &acme.travel] {
        world.steer(acme, instrument, "remove").await.bare(204);
    }
    assert_eq!(world.now(&made).await["state"], "CANCELLED");
}

#[tokio::test]
async fn transfers_of_one_time_happen_in_the_order_in_which_they_were_made() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let mut made = Vec::new();
    for minor in [60_000, 60_000, 30_000, 20_000] {
        made.push(
            world
                .later(&acme.main, &acme.reserve, minor, after(SECOND))
                .await,
        );
    }
    let back = world
        .later(&acme.reserve, &acme.main, 90_000, after(SECOND))
        .await;
    world.advance(SECOND).await;
    let mut states = Vec::new();
    for transfer in made.iter().chain([&back]) {
        states.push(world.now(transfer).await["state"].clone());
    }
    let expected = ["COMPLETED", "FAILED", "COMPLETED", "FAILED", "COMPLETED"];
    assert_eq!(states, expected);
    let held = [&acme.main, &acme.reserve];
    assert_eq!(world.balances(acme, held).await, [FUNDS, 0]);
}

// --- time that passes unseen -------------------------------------------------------------------

#[tokio::test]
async fn a_restart_forgets_nothing_that_is_to_come() {
    let mut world = MultiWorld::new().await;
    let acme = world.acme.clone();
    let first = world
        .later(&acme.main, &acme.reserve, 100, after(DAY))
        .await;
    let second = world
        .later(&acme.main, &acme.card, 200, after(2 * DAY))
        .await;
    let third = world
        .later(&acme.main, &acme.reserve, 400, after(3 * DAY))
        .await;
    let dropped = world
        .later(&acme.main, &acme.reserve, 800, after(2 * DAY))
        .await;
    assert_eq!(world.cancel(&[&dropped]).await, ["SUCCESS"]);
    world.restart().await;
    world.advance(DAY).await;
    assert_eq!(world.now(&first).await["state"], "COMPLETED");
    assert_eq!(world.now(&second).await["state"], "SCHEDULED");
    // While it is down a day and more pass.
    world.server.clock.advance(DAY + SECOND);
    world.restart().await;
    world.log_in_again().await;
    world.server.quiesce(&world.tenant).await;
    let late = world.now(&second).await;
    assert_eq!(late["state"], "COMPLETED");
    assert_eq!(late["executionTimestamp"], after(2 * DAY).to_string());
    assert_eq!(world.now(&third).await["state"], "SCHEDULED");
    assert_eq!(world.now(&dropped).await["state"], "CANCELLED");
    world.restart().await;
    world.advance(DAY).await;
    world.restart().await;
    for transfer in [&first, &second, &third] {
        assert_eq!(world.now(transfer).await["state"], "COMPLETED");
    }
    assert_eq!(world.balance(&world.acme, &acme.main).await, FUNDS - 700);
    assert_eq!(world.balance(&world.acme, &acme.reserve).await, 500);
    assert_eq!(lines(&world, &acme, &acme.reserve).await, 2);
    world.check_sum().await;
}

/// The first of each month of 2027 from February on, at midnight.
const MONTHS: [i64; 12] = [
    1_801_440_000_000,
    1_803_859_200_000,
    1_806_537_600_000,
    1_809_129_600_000,
    1_811_808_000_000,
    1_814_400_000_000,
    1_817_078_400_000,
    1_819_756_800_000,
    1_822_348_800_000,
    1_825_027_200_000,
    1_827_619_200_000,
    1_830_297_600_000,
];

/// A year of rent from an account that has enough for seven months, and a gift in autumn.
async fn a_year_to_come(world: &MultiWorld) {
    let acme = &world.acme;
    for at in MONTHS {
        world.later(&acme.main, &acme.reserve, 13_000, at).await;
    }
    let gift = MONTHS[8] + 5 * DAY;
    world.later(&acme.card, &acme.main, 15_000, gift).await;
}

/// What a year of rent has come to: each transfer without its id, and each balance.
async fn told(world: &MultiWorld) -> Value {
    let mut list = world.acme().get("/transfers").await.expect(200);
    for transfer in list["transfer"].as_array_mut().expect("a list") {
        let object = transfer.as_object_mut().expect("an object");
        object.retain(|name, _| {
            ["state", "scheduledTimestamp", "executionTimestamp"].contains(&name.as_str())
        });
    }
    let acme = &world.acme;
    let held = [&acme.main, &acme.reserve, &acme.card];
    json!({"list": list, "balances": world.balances(acme, held).await})
}

#[tokio::test]
async fn a_year_of_rent_goes_by_month_by_month_and_at_once_alike() {
    let world = MultiWorld::new().await;
    a_year_to_come(&world).await;
    let acme = &world.acme;
    let (mut now, mut main, mut reserve) = (START.0, FUNDS, 0);
    for (month, at) in MONTHS.into_iter().enumerate() {
        world.advance(at - 1 - now).await;
        if month == 9 {
            main += 15_000;
        }
        let held = [&acme.main, &acme.reserve];
        assert_eq!(
            world.balances(acme, held).await,
            [main, reserve],
            "before {month}"
        );
        world.advance(1).await;
        now = at;
        if main >= 13_000 {
            (main, reserve) = (main - 13_000, reserve + 13_000);
        }
        assert_eq!(
            world.balances(acme, held).await,
            [main, reserve],
            "after {month}"
        );
    }
    assert_eq!(
        reserve,
        8 * 13_000,
        "seven months and the one after the gift"
    );
    let step_by_step = told(&world).await;

    let world = MultiWorld::new().await;
    a_year_to_come(&world).await;
    world.advance(MONTHS[11] - START.0).await;
    assert_eq!(told(&world).await, step_by_step);

    // From event to event, with the clock standing still in between.
    let world = MultiWorld::new().await;
    world.freeze().await;
    a_year_to_come(&world).await;
    for _ in 0..13 {
        let path = world.path("/clock/next");
        world
            .server
            .admin(Method::POST, &path, None)
            .await
            .expect(200);
        world.server.quiesce(&world.tenant).await;
    }
    assert_eq!(told(&world).await, step_by_step);
    let path = world.path("/clock/next");
    let reply = world.server.admin(Method::POST, &path, None).await;
    assert_eq!(reply.status, 409, "{}", reply.text());
}

// --- calling off -------------------------------------------------------------------------------

#[tokio::test]
async fn a_transfer_that_is_called_off_never_happens() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let made = world
        .later(&acme.main, &acme.reserve, 100, after(DAY))
        .await;
    let silent = world
        .later(&acme.main, &acme.reserve, 100, after(DAY))
        .await;
    world.advance(SECOND).await;
    let longest = "No need any more - it was paid in cash_ 2027 01 16";
    assert_eq!(longest.len(), 50);
    let body = json!({"cancellations": [
        {"id": id(&made), "cancellationReason": longest}, {"id": id(&silent)},
    ]});
    let answer = world
        .acme()
        .post("/transfers/bulk/cancel", &body)
        .await
        .expect(200);
    let expected = json!({"cancellations": [
        {"id": id(&made), "state": "SUCCESS"}, {"id": id(&silent), "state": "SUCCESS"},
    ]});
    assert_eq!(answer, expected);
    let mut off = made.clone();
    off["state"] = json!("CANCELLED");
    off["cancellationReason"] = json!(longest);
    let mut silently = silent.clone();
    silently["state"] = json!("CANCELLED");
    world.advance(2 * DAY).await;
    assert_eq!(world.now(&made).await, off);
    assert_eq!(world.now(&silent).await, silently);
    assert_eq!(world.balance(acme, &acme.main).await, FUNDS);
}

#[tokio::test]
async fn each_cancellation_has_its_own_outcome() {
    let world = MultiWorld::new().await;
    let (acme, jane) = (&world.acme, &world.jane);
    let done = world.moved(&acme.main, &acme.reserve, 1).await;
    let failing = world
        .later(&acme.travel, &acme.reserve, 1, after(SECOND))
        .await;
    world.advance(SECOND).await;
    assert_eq!(world.now(&failing).await["state"], "FAILED");
    let first = world.later(&acme.main, &acme.reserve, 1, after(DAY)).await;
    let second = world.later(&acme.main, &acme.reserve, 1, after(DAY)).await;
    let body = order(&world.profiles.free, &jane.main, &jane.reserve, "EUR", 1);
    let hers = scheduled(body.clone(), after(DAY));
    let hers = world.jane().post("/transfers", &hers).await.expect(200);
    let her_done = world.jane().post("/transfers", &body).await.expect(200);
    let ids = [
        id(&first),
        id(&hers),
        id(&done),
        "1".to_owned(),
        id(&second),
        // Twice in one request.
        id(&first),
        id(&failing),
        id(&her_done),
        "0".to_owned(),
        format!("0{}", id(&second)),
        "9".repeat(40),
        // Other things have ids too.
        acme.main.id.clone(),
    ];
    let items: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"cancellations": items});
    let answer = world.acme().post("/transfers/bulk/cancel", &body).await;
    let (not_scheduled, not_found) = ("TRANSACTION_NOT_SCHEDULED", "NOT_FOUND");
    let expected = [
        "SUCCESS",
        "FORBIDDEN",
        not_scheduled,
        not_found,
        "SUCCESS",
        not_scheduled,
        not_scheduled,
        "FORBIDDEN",
        not_found,
        not_found,
        not_found,
        not_found,
    ];
    assert_eq!(outcomes(&answer.expect(200), &ids), expected);
    world.advance(DAY).await;
    // The other identity's has happened all the same.
    let path = format!("/transfers/{}", id(&hers));
    let hers = world.jane().get(&path).await.expect(200);
    assert_eq!(hers["state"], "COMPLETED");
    assert_eq!(world.balance(acme, &acme.main).await, FUNDS - 1);
    // Again, the same request finds nothing left to do.
    let answer = world.acme().post("/transfers/bulk/cancel", &body).await;
    let mut expected = expected;
    (expected[0], expected[4]) = (not_scheduled, not_scheduled);
    assert_eq!(outcomes(&answer.expect(200), &ids), expected);
}

#[tokio::test]
async fn nothing_to_cancel_is_done_at_once_and_many_are_done_together() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    assert!(world.cancel(&[]).await.is_empty());
    let mut made = Vec::new();
    for _ in 0..300 {
        made.push(world.later(&acme.main, &acme.reserve, 1, after(DAY)).await);
    }
    let all: Vec<&Value> = made.iter().collect();
    assert_eq!(world.cancel(&all).await, vec!["SUCCESS"; 300]);
    world.advance(DAY).await;
    let list = world.acme().get("/transfers?state=CANCELLED&limit=1").await;
    assert_eq!(list.expect(200)["count"], 300);
    assert_eq!(world.balance(acme, &acme.main).await, FUNDS);
}

/// Cancellation and execution at the same time: one of them comes first, and both tell the same.
#[tokio::test]
async fn a_transfer_is_called_off_or_happens_and_never_both() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    // A millisecond before its time, and at it.
    let early = world
        .later(&acme.main, &acme.reserve, 1, after(SECOND))
        .await;
    let late = world
        .later(&acme.main, &acme.reserve, 10, after(SECOND))
        .await;
    world.advance(SECOND - 1).await;
    assert_eq!(world.cancel(&[&early]).await, ["SUCCESS"]);
    world.advance(1).await;
    assert_eq!(world.cancel(&[&late]).await, ["TRANSACTION_NOT_SCHEDULED"]);
    assert_eq!(world.balance(acme, &acme.reserve).await, 10);

    let (mut moved, mut wins) = (10, [0, 0]);
    for round in 0..40 {
        let at = after((round + 2) * SECOND);
        let made = world.later(&acme.main, &acme.reserve, 1, at).await;
        let list = [&made];
        let (cancel, advance) = (world.cancel(&list), world.advance(SECOND));
        let told = if round % 2 == 0 {
            tokio::join!(cancel, advance).0
        } else {
            tokio::join!(advance, cancel).1
        };
        let state = world.now(&made).await["state"].clone();
        match &*told[0] {
            "SUCCESS" => {
                assert_eq!(state, "CANCELLED");
                wins[0] += 1;
            }
            "TRANSACTION_NOT_SCHEDULED" => {
                assert_eq!(state, "COMPLETED");
                (moved, wins[1]) = (moved + 1, wins[1] + 1);
            }
            other => panic!("{other}"),
        }
        assert_eq!(world.balance(acme, &acme.reserve).await, moved);
    }
    println!("{} called off, {} executed", wins[0], wins[1]);
    world.check_sum().await;
}
