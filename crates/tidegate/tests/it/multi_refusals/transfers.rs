//! `POST /transfers`: one table of everything that can be wrong with it.

use super::*;
use crate::harness::START;
use crate::multi_world::{FUNDS, scheduled};

/// What is asked for; the faults stand in its parts.
#[derive(Clone)]
struct Wish {
    profile: String,
    source: Instrument,
    destination: Instrument,
    currency: &'static str,
    minor: i64,
    at: Option<i64>,
}

impl Wish {
    fn body(&self) -> Value {
        let (from, to) = (&self.source, &self.destination);
        let body = crate::multi_world::order(&self.profile, from, to, self.currency, self.minor);
        match self.at {
            Some(at) => scheduled(body, at),
            None => body,
        }
    }
}

/// What can stand at the ends of a transfer, and must not.
struct Ends {
    debit: [Instrument; 2],
    destroyed: [Instrument; 2],
    blocked: [Instrument; 2],
    /// Accounts in EUR that only take, and only give.
    takes: Instrument,
    gives: Instrument,
    /// An income source: no instrument at all.
    pay: Instrument,
    /// In EUR, with room for 50,000.
    capped: Instrument,
}

impl Ends {
    async fn of(world: &MultiWorld) -> Ends {
        let acme = &world.acme;
        let euros = async || world.open(acme, &world.profiles.account, "EUR").await;
        let destroyed = [euros().await, world.prepaid(acme).await];
        for instrument in &destroyed {
            world.steer(acme, instrument, "remove").await.bare(204);
        }
        let blocked = [world.prepaid(acme).await, euros().await];
        for instrument in &blocked {
            world.steer(acme, instrument, "block").await.bare(204);
        }
        let pod = json!({"type": "pod", "currency": "EUR"});
        let with = |role: &str| {
            let mut pod = pod.clone();
            pod[role] = json!(false);
            pod
        };
        let capped = world.open(acme, &world.profiles.capped, "EUR").await;
        world.deposit(&capped, 100_000).await;
        Ends {
            debit: [acme.debit.clone(), world.debit(acme, &acme.reserve).await],
            destroyed,
            blocked,
            takes: world.open_as_operator(acme, &with("can_be_source")).await,
            gives: world
                .open_as_operator(acme, &with("can_be_destination"))
                .await,
            pay: world
                .open_as_operator(acme, &json!({"type": "income_source", "currency": "EUR"}))
                .await,
            capped,
        }
    }
}

/// A transfer profile that stands in the way of everything.
async fn forbidding(world: &MultiWorld) -> String {
    let least = |minor: i64| json!([{"currency": "EUR", "amount": minor}]);
    let fee = json!([{"source": "managed_accounts", "destination": "managed_accounts",
                      "currency": "GBP", "type": "FLAT", "flat": 5}]);
    let profile = world
        .profile(&json!({
            "type": "transfer", "currencies": ["GBP"], "fee_policy": "required", "forex": true,
            "pairs": [{"source": "managed_cards", "destination": "managed_cards"}],
            "fees": fee, "max_amounts": least(50), "deny_above": least(40),
        }))
        .await;
    world.change(&profile, &json!({"active": false})).await;
    profile
}

/// The table, as one goes through it.
struct Table<'a> {
    ground: &'a Ground,
    call: Call,
    rows: usize,
}

impl Table<'_> {
    /// The next row: the wish as it is must be refused so, with and without a reference, under which
    /// the refusal stands.
    async fn row(&mut self, what: &str, wish: &Wish, refusal: Refusal) {
        let call = self.call.clone().json(&wish.body());
        let first = self.ground.refuse(what, &call, refusal.clone()).await;
        self.rows += 1;
        let reference = format!("row {} at {}", self.rows, self.call.path);
        let call = call.header("idempotency-ref", reference);
        let world = &self.ground.world;
        let before = world.snapshot().await;
        for _ in 0..2 {
            let reply = world.server.call(call.clone()).await;
            refusal.check(&reply);
            assert_eq!(reply.text(), first.text(), "{what}");
        }
        let mut after = world.snapshot().await;
        let commits = |snapshot: &Value| snapshot["commits"].as_i64().expect("a number");
        assert_eq!(commits(&after), commits(&before) + 1, "{what}");
        after["commits"] = before["commits"].clone();
        assert_eq!(after, before, "{what}");
    }
}

#[tokio::test]
async fn making_a_transfer_in_order() {
    let ground = Ground::new().await;
    in_order(&ground, "/multi/transfers").await;
}

#[tokio::test]
async fn making_a_transfer_at_the_back_office_in_the_same_order() {
    let ground = Ground::new().await;
    in_order(&ground, "/multi/backoffice/transfers").await;
}

async fn in_order(ground: &Ground, path: &str) {
    let world = &ground.world;
    let acme = &world.acme;
    let long = "r".repeat(256);
    let call = Call::post(path).header("idempotency-ref", &long);
    let call = call.json_text("nonsense");
    let call = ground.front_rows(call, Method::PATCH).await;
    ground.body_rows(&call, api::multi::BODY_MAX).await;

    // All that is wrong is told at once.
    let faulty = json!({
        "profileId": "x", "tag": "two words", "description": "[]", "source": {"type": "account"},
        "destination": {"id": "y", "type": "managed_cards"},
        "destinationAmount": {"currency": "eur", "amount": "1"}, "scheduledTimestamp": "soon",
    });
    let faults = vec![
        ("idempotency-ref", "SIZE"),
        ("profileId", "REGEX"),
        ("tag", "REGEX"),
        ("source.id", "REQUIRED"),
        ("source.type", "NOT_IN"),
        ("description", "REGEX"),
        ("destination.id", "REGEX"),
        ("destinationAmount.currency", "REGEX"),
        ("destinationAmount.amount", "REGEX"),
        ("scheduledTimestamp", "REGEX"),
    ];
    let what = "everything is faulty";
    ground
        .refuse(what, &call.clone().json(&faulty), Invalid(faults))
        .await;
    let nobody = Instrument::account("1");
    let mut wish = Wish {
        profile: "1".to_owned(),
        source: nobody.clone(),
        destination: nobody,
        currency: "QQQ",
        minor: i64::MIN,
        at: Some(START.0),
    };
    let faults = vec![("idempotency-ref", "SIZE")];
    let what = "a long reference";
    ground
        .refuse(what, &call.clone().json(&wish.body()), Invalid(faults))
        .await;

    // A reference that stands for another call.
    let call = call.header("idempotency-ref", format!("used at {path}"));
    let other = Wish {
        profile: world.profiles.free.clone(),
        source: acme.main.clone(),
        destination: acme.reserve.clone(),
        currency: "EUR",
        minor: 1,
        at: None,
    };
    world
        .server
        .call(call.clone().json(&other.body()))
        .await
        .expect(200);
    let faults = vec![("idempotency-ref", "NOT_IN")];
    let what = "a used reference";
    ground
        .refuse(what, &call.clone().json(&wish.body()), Invalid(faults))
        .await;

    let mut table = Table {
        ground,
        call: call.without("idempotency-ref"),
        rows: 0,
    };
    let profile = forbidding(world).await;
    profiles_in_order(&mut table, &mut wish, &profile).await;
    let ends = Ends::of(world).await;
    ends_in_order(&mut table, &mut wish, &ends).await;
    terms_in_order(&mut table, &mut wish, &profile).await;

    // Everything is repaired.
    let held = [&acme.main, &ends.capped];
    let before = world.balances(acme, held).await;
    let call = table.call.json(&wish.body());
    let made = world.server.call(call).await.expect(200);
    assert_eq!(made["state"], "COMPLETED");
    let expected = [before[0] - 50_000 - 5, before[1] + 50_000];
    assert_eq!(world.balances(acme, held).await, expected);
    world.check_sum().await;
}

async fn profiles_in_order(table: &mut Table<'_>, wish: &mut Wish, profile: &str) {
    let world = &table.ground.world;
    let not_found = Coded(404, "PROFILE_NOT_FOUND");
    let strange = {
        let (tenant, _) = programme(&world.server, "A third").await;
        profiles(&world.server, &tenant).await.free
    };
    let no_transfers = [&world.profiles.account, &world.profiles.corporate];
    let nobody = ["1", "0", "007", "18446744073709551616"].map(str::to_owned);
    for id in nobody
        .iter()
        .chain([&strange, &format!("0{profile}")])
        .chain(no_transfers)
    {
        wish.profile = id.clone();
        table.row("no such profile", wish, not_found.clone()).await;
    }
    wish.profile = profile.to_owned();
    let row = table.row("a profile that is off", wish, Conflict("PROFILE_INACTIVE"));
    row.await;
    world.change(profile, &json!({"active": true})).await;
    for minor in [i64::MIN, -1, 0] {
        wish.minor = minor;
        let row = table.row("no amount", wish, Conflict("AMOUNT_INVALID"));
        row.await;
    }
    wish.minor = 2 * FUNDS;
}

async fn ends_in_order(table: &mut Table<'_>, wish: &mut Wish, ends: &Ends) {
    let world = &table.ground.world;
    let (acme, jane) = (&world.acme, &world.jane);
    // Nobody's, another identity's, of the other class, no instrument.
    let nobody = [
        Instrument::account("1"),
        Instrument::card("18446744073709551616"),
        jane.main.clone(),
        jane.debit.clone(),
        Instrument::card(&acme.main.id),
        Instrument::account(&acme.debit.id),
        Instrument::account(acme.id()),
        ends.pay.clone(),
    ];
    for source in &nobody {
        wish.source = source.clone();
        for destination in [source, &jane.main] {
            wish.destination = destination.clone();
            table
                .row("no source", wish, Conflict("SOURCE_NOT_FOUND"))
                .await;
        }
    }
    let [debit, other_debit] = &ends.debit;
    wish.source = debit.clone();
    for destination in &nobody {
        wish.destination = destination.clone();
        let row = table.row("no destination", wish, Conflict("DESTINATION_NOT_FOUND"));
        row.await;
    }
    let [gone, gone_card] = &ends.destroyed;
    let [blocked_card, blocked] = &ends.blocked;
    let steps: [(&Instrument, &Instrument, &'static str); 10] = [
        (debit, debit, "SOURCE_AND_DESTINATION_MUST_BE_DIFFERENT"),
        (debit, other_debit, "SOURCE_CANNOT_BE_DEBIT_MODE_CARD"),
        (gone, other_debit, "DESTINATION_CANNOT_BE_DEBIT_MODE_CARD"),
        (gone, gone_card, "SOURCE_INSTRUMENT_DESTROYED"),
        (blocked_card, gone_card, "DESTINATION_INSTRUMENT_DESTROYED"),
        (blocked_card, blocked, "SOURCE_INSTRUMENT_BLOCKED"),
        (&ends.takes, blocked, "DESTINATION_INSTRUMENT_BLOCKED"),
        (&ends.takes, &acme.pounds, "INSTRUMENT_DENIED_TRANSACTION"),
        (&acme.pounds, &ends.gives, "INSTRUMENT_DENIED_TRANSACTION"),
        (&acme.main, &acme.pounds, "CURRENCY_MISMATCH"),
    ];
    for (source, destination, code) in steps {
        (wish.source, wish.destination) = (source.clone(), destination.clone());
        table.row("the two ends", wish, Conflict(code)).await;
    }
    for currency in ["EUR", "USD", "ZZZ"] {
        wish.currency = currency;
        let row = table.row("three currencies", wish, Conflict("CURRENCY_MISMATCH"));
        row.await;
    }
    // A trade, where the profile knows of them.
    wish.currency = "GBP";
    let row = table.row("a trade", wish, Conflict("FOREX_TRADE_DENIED_TRANSACTION"));
    row.await;
    wish.destination = ends.capped.clone();
    for currency in ["GBP", "USD", "ZZZ"] {
        wish.currency = currency;
        let row = table.row("another currency", wish, Conflict("CURRENCY_MISMATCH"));
        row.await;
    }
    wish.currency = "EUR";
}

async fn terms_in_order(table: &mut Table<'_>, wish: &mut Wish, profile: &str) {
    let world = &table.ground.world;
    for at in [0, START.0 / 1_000, START.0] {
        wish.at = Some(at);
        let row = table.row(
            "a time that is past",
            wish,
            Conflict("SCHEDULED_TIMESTAMP_INVALID"),
        );
        row.await;
    }
    let fees = json!([{"source": "managed_accounts", "destination": "managed_accounts",
                       "currency": "EUR", "type": "FLAT", "flat": 5}]);
    let model = "MODEL_CONSTRAINTS_VIOLATED";
    let steps = [
        (
            "TRANSFER_BETWEEN_INSTRUMENTS_UNSUPPORTED",
            json!({"pairs": []}),
        ),
        ("FEE_NOT_CONFIGURED_FOR_CURRENCY", json!({"fees": fees})),
        (model, json!({"currencies": ["GBP", "EUR"]})),
        (model, json!({"max_amounts": []})),
        ("INTERCEPTOR_DENIED_TRANSACTION", json!({"deny_above": []})),
    ];
    // A time to come is no way around any of these.
    for (code, repair) in steps {
        for at in [Some(START.0 + 1), None] {
            wish.at = at;
            table.row("the profile's terms", wish, Conflict(code)).await;
        }
        world.change(profile, &repair).await;
    }
    // Neither the amount nor what comes on top of it.
    let main = &world.acme.main;
    let funds = world.balance(&world.acme, main).await;
    for minor in [2 * FUNDS, funds + 1, funds, funds - 4] {
        wish.minor = minor;
        let row = table.row("too little money", wish, Conflict("FUNDS_INSUFFICIENT"));
        row.await;
    }
    for minor in [funds - 5, 50_001] {
        wish.minor = minor;
        let row = table.row(
            "too little room",
            wish,
            Conflict("DESTINATION_LIMIT_EXCEEDED"),
        );
        row.await;
    }
    wish.minor = 50_000;
}

/// Every code of the seed occurs in the table above.
#[test]
fn all_21_conflicts_have_a_row() {
    let source = include_str!("transfers.rs");
    let document = crate::openapi::multi();
    let operation = crate::openapi::operation(document, "POST", "/multi/transfers");
    let responses = &operation.expect("it is documented").data["responses"];
    let body = &responses["409"]["content"]["application/json"]["schema"];
    let body = crate::schema::resolve(document, body);
    let codes = crate::schema::resolve(document, &body["properties"]["errorCode"]);
    let codes = codes["enum"].as_array().expect("an enumeration");
    assert_eq!(codes.len(), 21);
    for code in codes {
        let code = code.as_str().expect("a text");
        assert!(source.contains(&format!("\"{code}\"")), "{code}");
    }
}

/// What depends on money waits until the time of a scheduled transfer has come.
#[tokio::test]
async fn a_scheduled_transfer_may_lack_money_and_room_when_it_is_made() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let capped = world.open(acme, &world.profiles.capped, "EUR").await;
    let body = crate::multi_world::order(
        &world.profiles.free,
        &acme.reserve,
        &capped,
        "EUR",
        i64::MAX,
    );
    let reply = world.acme().post("/transfers", &body).await;
    reply.conflict("FUNDS_INSUFFICIENT");
    let later = scheduled(body, START.0 + 1);
    let made = world.acme().post("/transfers", &later).await.expect(200);
    assert_eq!(made["state"], "SCHEDULED");
}
