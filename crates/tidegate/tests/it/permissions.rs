//! What each scope opens, and what it does not.

use std::num::NonZeroU32;

use axum::http::Method;
use serde_json::{Value, json};
use service::Settings;

use crate::harness::{Call, Caller, RAIL_MS, Reply, Server, World, everything, id, transfer_body};
use crate::sequence_rules::split;
use crate::wallet::{Wallet, card_id};

/// Each route with the scope that opens it (the table of the vendor's documents).
const OPENED_BY: [(&str, &str); 18] = [
    ("GET /accounts", "LIST_ACCOUNTS"),
    ("GET /accounts/{id}", "READ_ACCOUNTS"),
    ("POST /transfers", "MANUAL_TRANSFER"),
    ("GET /transfers", "READ_TRANSFERS"),
    ("GET /transfers/{id}", "READ_TRANSFERS"),
    ("GET /rules", "LIST_RULES"),
    ("GET /rules/{id}", "READ_RULES"),
    ("POST /rules/{id}/trigger", "TRIGGER_RULES"),
    ("GET /rule-executions", "READ_RULE_EXECUTIONS"),
    ("GET /rule-executions/{id}", "READ_RULE_EXECUTIONS"),
    ("POST /rules", "CREATE_AND_EDIT_RULES"),
    ("PUT /rules/{id}", "CREATE_AND_EDIT_RULES"),
    ("DELETE /rules/{id}", "CREATE_AND_EDIT_RULES"),
    ("GET /cards", "READ_CARDS"),
    ("GET /cards/{id}", "READ_CARDS"),
    ("GET /cards/{id}/transactions", "READ_CARDS"),
    (
        "POST /accounts/income-sources",
        "CREATE_AND_DELETE_ACCOUNTS",
    ),
    ("DELETE /accounts/{id}", "CREATE_AND_DELETE_ACCOUNTS"),
];

/// Routes that every key may use: they tell of its own doing.
const OPEN: [&str; 1] = ["GET /idempotency-keys/{key}"];

/// The routes that have a test here.
pub fn routes() -> impl Iterator<Item = &'static str> {
    OPENED_BY.iter().map(|(route, _)| *route).chain(OPEN)
}

/// Each scope, on everything.
fn scopes() -> [(&'static str, Value); 14] {
    let all = |scope: &str| json!({"scope": scope, "resources": "*"});
    let pairs = json!([{"source": "*", "target": "*"}]);
    [
        ("LIST_ACCOUNTS", json!({"scope": "LIST_ACCOUNTS"})),
        ("READ_ACCOUNTS", all("READ_ACCOUNTS")),
        ("LIST_RULES", json!({"scope": "LIST_RULES"})),
        ("READ_RULES", all("READ_RULES")),
        ("TRIGGER_RULES", all("TRIGGER_RULES")),
        ("READ_RULE_EXECUTIONS", all("READ_RULE_EXECUTIONS")),
        ("CREATE_AND_EDIT_RULES", all("CREATE_AND_EDIT_RULES")),
        ("READ_TRANSFERS", all("READ_TRANSFERS")),
        (
            "MANUAL_TRANSFER",
            json!({"scope": "MANUAL_TRANSFER", "resources": pairs}),
        ),
        ("READ_CARDS", all("READ_CARDS")),
        (
            "CREATE_AND_DELETE_ACCOUNTS",
            all("CREATE_AND_DELETE_ACCOUNTS"),
        ),
        ("READ_AUDIT_LOGS", all("READ_AUDIT_LOGS")),
        ("PROGRAMME", json!({"scope": "PROGRAMME"})),
        ("SIMULATOR", json!({"scope": "SIMULATOR"})),
    ]
}

/// Objects that are there.
struct There {
    transfer: String,
    /// A rule that is on, and a run of it.
    rule: String,
    run: String,
    /// A card, and its account.
    card: String,
    account: String,
    /// An account to which nothing leads.
    idle: String,
}

impl There {
    async fn of(world: &World) -> There {
        let transfer = id(&world.moved(&world.pay, &world.fund, 100).await);
        let rule = world.rule_on(&split(&world.trip, &world.fund)).await;
        world.paycheck(&world.trip, 400).await;
        world.quiesce().await;
        let run = id(&world.runs(&rule).await[0]);
        let wallet = Wallet::of(world).await;
        There {
            transfer,
            rule,
            run,
            card: card_id(&wallet.debit),
            account: wallet.account.acc(),
            idle: world.broker.clone(),
        }
    }
}

/// Calls a route with ids that are there.
async fn call(world: &World, key: &Caller<'_>, route: &str, there: &There) -> Reply {
    let There {
        transfer,
        rule,
        run,
        card,
        account,
        idle,
    } = there;
    match route {
        "GET /rules" => key.get("/rules").await,
        "GET /rules/{id}" => key.get(&format!("/rules/{rule}")).await,
        "POST /rules" => key.post("/rules", &split(&world.pay, &world.fund)).await,
        "PUT /rules/{id}" => {
            let body = split(&world.trip, &world.fund);
            let path = format!("/rules/{rule}");
            key.send(Method::PUT, &path, Some(&body)).await
        }
        "DELETE /rules/{id}" => {
            key.send(Method::DELETE, &format!("/rules/{rule}"), None)
                .await
        }
        "POST /rules/{id}/trigger" => {
            key.post(&format!("/rules/{rule}/trigger"), &json!({}))
                .await
        }
        "GET /rule-executions" => key.get(&format!("/rule-executions?rule_id={rule}")).await,
        "GET /rule-executions/{id}" => key.get(&format!("/rule-executions/{run}")).await,
        "GET /accounts" => key.get("/accounts").await,
        "GET /accounts/{id}" => key.get(&format!("/accounts/{}", world.fund)).await,
        "POST /transfers" => key.transfer(&world.pay, &world.fund, 100).await,
        "GET /transfers" => {
            key.get(&format!("/transfers?account_id={}", world.fund))
                .await
        }
        "GET /transfers/{id}" => key.get(&format!("/transfers/{transfer}")).await,
        "GET /cards" => key.get(&format!("/cards?account_id={account}")).await,
        "GET /cards/{id}" => key.get(&format!("/cards/{card}")).await,
        "GET /cards/{id}/transactions" => key.get(&format!("/cards/{card}/transactions")).await,
        "POST /accounts/income-sources" => {
            let body = json!({"nickname": "Second job"});
            key.post("/accounts/income-sources", &body).await
        }
        "DELETE /accounts/{id}" => {
            key.send(Method::DELETE, &format!("/accounts/{idle}"), None)
                .await
        }
        _ => panic!("{route} is not known here"),
    }
}

fn is_forbidden(reply: &Reply) {
    reply.refused(403, "forbidden", &["does not have the required permission"]);
}

#[tokio::test]
async fn every_key_may_ask_about_its_own_idempotency_keys() {
    let world = World::new().await;
    for (_, scope) in scopes() {
        let key = world.with_permissions(&json!([scope])).await;
        key.get("/idempotency-keys/k").await.expect(200);
    }
}

#[tokio::test]
async fn each_scope_opens_its_routes_and_no_others() {
    let world = World::new().await;
    let there = There::of(&world).await;
    let before = world.balance(&world.fund).await;
    for (scope, entry) in scopes() {
        let key = world.with_permissions(&json!([entry])).await;
        for (route, opened_by) in OPENED_BY {
            let reply = call(&world, &key, route, &there).await;
            if scope == opened_by {
                assert!(reply.status < 300, "{scope} {route}: {}", reply.text());
            } else {
                is_forbidden(&reply);
            }
        }
    }
    world.quiesce().await;
    assert_eq!(
        world.balance(&world.fund).await,
        before + 100,
        "one transfer of fourteen"
    );
}

#[tokio::test]
async fn every_scope_but_one_is_not_that_one() {
    let world = World::new().await;
    let there = There::of(&world).await;
    for (route, opened_by) in OPENED_BY {
        let others: Vec<Value> = scopes()
            .into_iter()
            .filter(|(scope, _)| *scope != opened_by)
            .map(|(_, entry)| entry)
            .collect();
        assert_eq!(others.len(), 13);
        let key = world.with_permissions(&json!(others)).await;
        is_forbidden(&call(&world, &key, route, &there).await);
    }
}

#[tokio::test]
async fn a_key_without_entries_may_do_nothing() {
    let world = World::new().await;
    let there = There::of(&world).await;
    let empty = json!([
        {"scope": "READ_ACCOUNTS", "resources": []},
        {"scope": "READ_TRANSFERS", "resources": []},
        {"scope": "MANUAL_TRANSFER", "resources": []},
        {"scope": "READ_RULES", "resources": []},
        {"scope": "TRIGGER_RULES", "resources": []},
        {"scope": "READ_RULE_EXECUTIONS", "resources": []},
        {"scope": "CREATE_AND_EDIT_RULES", "resources": []},
        {"scope": "CREATE_AND_DELETE_ACCOUNTS", "resources": []},
        {"scope": "READ_CARDS", "resources": []},
    ]);
    for permissions in [json!([]), empty] {
        let key = world.with_permissions(&permissions).await;
        for (route, _) in OPENED_BY {
            is_forbidden(&call(&world, &key, route, &there).await);
        }
    }
}

#[tokio::test]
async fn a_list_of_resources_opens_those_and_no_others() {
    let world = World::new().await;
    let inside = id(&world.moved(&world.pay, &world.fund, 100).await);
    let outside = id(&world.moved(&world.pay, &world.trip, 100).await);
    let key = world
        .with_permissions(&json!([
            {"scope": "READ_ACCOUNTS", "resources": [world.fund]},
            {"scope": "READ_ACCOUNTS", "resources": [world.card]},
            {"scope": "READ_TRANSFERS", "resources": [world.fund, world.card]},
        ]))
        .await;
    for account in [&world.fund, &world.card] {
        key.get(&format!("/accounts/{account}")).await.expect(200);
        key.get(&format!("/transfers?account_id={account}"))
            .await
            .expect(200);
    }
    for account in [&world.pay, &world.trip, &world.bank, &world.broker] {
        is_forbidden(&key.get(&format!("/accounts/{account}")).await);
        is_forbidden(&key.get(&format!("/transfers?account_id={account}")).await);
    }
    key.get(&format!("/transfers/{inside}")).await.expect(200);
    is_forbidden(&key.get(&format!("/transfers/{outside}")).await);
    is_forbidden(&key.get("/accounts").await);
}

#[tokio::test]
async fn either_end_of_a_transfer_lets_it_be_seen() {
    let world = World::new().await;
    let inside = id(&world.moved(&world.pay, &world.fund, 100).await);
    let paycheck = id(&world.paycheck(&world.pay, 100).await);
    let pull = id(&world.simulate("external-pull", &world.pay, 100).await);
    for (account, transfer, seen) in [
        (&world.pay, &inside, true),
        (&world.fund, &inside, true),
        (&world.trip, &inside, false),
        (&world.pay, &paycheck, true),
        (&world.fund, &paycheck, false),
        (&world.pay, &pull, true),
        (&world.fund, &pull, false),
    ] {
        let entry = json!([{"scope": "READ_TRANSFERS", "resources": [account]}]);
        let key = world.with_permissions(&entry).await;
        let reply = key.get(&format!("/transfers/{transfer}")).await;
        if seen {
            reply.expect(200);
        } else {
            is_forbidden(&reply);
        }
    }
}

#[tokio::test]
async fn sets_say_from_where_to_where_and_how_much() {
    let world = World::new().await;
    let (pay, fund, trip) = (&*world.pay, &*world.fund, &*world.trip);
    let pair = |source: &str, target: &str| json!({"source": source, "target": target});
    let limited = |source: &str, target: &str, most: i64| json!({"source": source, "target": target, "max_amount": most});
    let check = async |sets: Value, from: &str, to: &str, amount: i64, allowed: bool| {
        let entry = json!([{"scope": "MANUAL_TRANSFER", "resources": sets}]);
        let key = world.with_permissions(&entry).await;
        let reply = key.transfer(from, to, amount).await;
        if allowed {
            reply.expect(201);
        } else {
            is_forbidden(&reply);
        }
    };
    check(json!([pair(pay, fund)]), pay, fund, 900_000, true).await;
    check(json!([pair(pay, fund)]), fund, trip, 100, false).await;
    check(json!([pair(fund, trip)]), trip, fund, 100, false).await;
    // The limit is per request and includes itself.
    let sets = json!([limited(fund, trip, 5_000)]);
    check(sets.clone(), fund, trip, 5_000, true).await;
    check(sets.clone(), fund, trip, 5_001, false).await;
    check(sets, fund, trip, i64::MAX, false).await;
    check(json!([limited(fund, trip, 0)]), fund, trip, 100, false).await;
    // A star is any account of the tenant, on its own side only.
    check(json!([pair("*", trip)]), fund, trip, 100, true).await;
    check(json!([pair("*", trip)]), trip, fund, 100, false).await;
    check(json!([pair(fund, "*")]), fund, trip, 100, true).await;
    check(json!([pair(fund, "*")]), pay, trip, 100, false).await;
    check(json!([pair("*", "*")]), pay, trip, 100, true).await;
    check(json!([limited("*", "*", 100)]), pay, trip, 100, true).await;
    check(json!([limited("*", "*", 100)]), pay, trip, 101, false).await;
    // Several sets match: one that admits the amount is enough, in whatever order.
    let wide_last = json!([limited(fund, trip, 100), limited("*", trip, 300)]);
    let wide_first = json!([limited("*", trip, 300), limited(fund, trip, 100)]);
    for sets in [wide_last, wide_first] {
        check(sets.clone(), fund, trip, 300, true).await;
        check(sets.clone(), fund, trip, 301, false).await;
        check(sets, pay, fund, 100, false).await;
    }
    // Two entries of one scope add up.
    let entries = json!([
        {"scope": "MANUAL_TRANSFER", "resources": [pair(fund, trip)]},
        {"scope": "MANUAL_TRANSFER", "resources": [limited(pay, trip, 200)]},
    ]);
    let key = world.with_permissions(&entries).await;
    key.transfer(fund, trip, 100).await.expect(201);
    key.transfer(pay, trip, 200).await.expect(201);
    is_forbidden(&key.transfer(pay, trip, 201).await);
}

#[tokio::test]
async fn a_limit_does_not_add_up_over_requests() {
    let world = World::new().await;
    let sets = json!([{"source": world.fund, "target": world.trip, "max_amount": 5_000}]);
    let key = json!([{"scope": "MANUAL_TRANSFER", "resources": sets}]);
    let key = world.with_permissions(&key).await;
    for _ in 0..3 {
        key.transfer(&world.fund, &world.trip, 5_000)
            .await
            .expect(201);
    }
    world.quiesce().await;
    assert_eq!(world.balance(&world.trip).await, 15_000);
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_for_good() {
    let mut world = World::new().await;
    let key = world.server.whole_key(&world.tenant, &everything()).await;
    let secret = key["secret"].as_str().expect("shown once").to_owned();
    let there = There::of(&world).await;
    let path = world.path(&format!("/keys/{}", id(&key)));
    {
        let caller = world.as_key(&secret);
        let done = caller
            .transfer_once("k", &world.pay, &world.fund, 100)
            .await;
        done.expect(201);
        let revoked = world.server.admin(Method::DELETE, &path, None).await;
        revoked.expect(204);
        for (route, _) in OPENED_BY {
            let reply = call(&world, &caller, route, &there).await;
            reply.refused(401, "unauthorized", &["Missing or invalid API key."]);
        }
        // Not even for the answer it had.
        let again = caller
            .transfer_once("k", &world.pay, &world.fund, 100)
            .await;
        again.refused(401, "unauthorized", &[]);
    }
    world.server.restart().await;
    let reply = world.as_key(&secret).get("/accounts").await;
    reply.refused(401, "unauthorized", &[]);
    // Others go on, also after a restart.
    world.john().get("/accounts").await.expect(200);
}

#[tokio::test]
async fn the_name_of_the_scheme_is_read_as_http_says() {
    let world = World::new().await;
    for scheme in ["ApiKey", "apikey", "APIKEY"] {
        let call = Call::get("/api/v1/accounts");
        let call = call.header("authorization", format!("{scheme} {}", world.key));
        world.server.call(call).await.expect(200);
    }
}

#[tokio::test]
async fn keys_of_live_tenants_have_a_rate_limit_each() {
    let server = Server::with(Settings {
        rail_delay_ms: RAIL_MS,
        requests_per_minute: NonZeroU32::new(3).expect("3 is not 0"),
        ..Settings::default()
    })
    .await;
    let live = server.tenant("Real money", "live").await;
    let one = server.key(&live, &everything()).await;
    let other = server.key(&live, &everything()).await;
    let get = async |key: &str| server.call(Call::get("/api/v1/accounts").key(key)).await;
    for _ in 0..3 {
        get(&one).await.expect(200);
    }
    // A refused call counts too, and is refused before anything else is looked at.
    let reply = get(&one).await;
    reply.refused(429, "rate_limit_exceeded", &["3 requests"]);
    let wait: u32 = reply
        .header("retry-after")
        .expect("told")
        .parse()
        .expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    assert!(reply.header("x-request-id").is_some());
    let call = Call::post("/api/v1/transfers").key(&one);
    let call = call.json(&transfer_body("acc_1", "acc_2", 100));
    server
        .call(call)
        .await
        .refused(429, "rate_limit_exceeded", &[]);
    get(&other).await.expect(200);
    // A sandbox has none.
    let sandbox = server.tenant("Play money", "sandbox").await;
    let key = server.key(&sandbox, &everything()).await;
    for _ in 0..10 {
        get(&key).await.expect(200);
    }
}
