//! What `/platform/v1` refuses, and in which order: one table for each route, in which each row
//! repairs the fault of the row above while every later fault is still there. Nothing is left behind.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Neighbour, World, everything, id};
use crate::platform::uuid;
use crate::sequence_rules::split;

macro_rules! tables {
    ($($route:literal => $name:ident, $table:path);+ $(;)?) => {
        /// The routes that have a table here.
        pub const ROUTES: &[&str] = &[$($route),+];
        $(
            #[tokio::test]
            async fn $name() {
                $table(&Ground::new().await).await;
            }
        )+
    };
}

tables! {
    "GET /accounts" => list_accounts_in_order, list_accounts;
    "GET /accounts/{id}" => get_account_in_order, get_account;
    "GET /accounts/{id}/transfers" => list_account_transfers_in_order, list_account_transfers;
    "GET /transfers" => list_transfers_in_order, list_transfers;
    "POST /transfers" => create_transfer_in_order, create_transfer;
    "GET /transfers/{id}" => get_transfer_in_order, get_transfer;
    "GET /rules" => list_rules_in_order, list_rules;
    "GET /rules/{id}" => get_rule_in_order, get_rule;
    "POST /rules" => create_rule_in_order, create_rule;
    "PATCH /rules/{id}" => update_rule_in_order, update_rule;
    "POST /rules/{id}/trigger" => trigger_rule_in_order, trigger_rule;
    "GET /rules/{id}/executions" => list_executions_in_order, list_executions;
    "GET /rules/{id}/executions/{run}" => get_execution_in_order, get_execution;
    "GET /external-transactions" => external_transactions_in_order, external_transactions;
    "GET /card-transactions" => card_transactions_in_order, card_transactions;
    "GET /audit-logs" => audit_logs_in_order, audit_logs;
}

const NOBODY: &str = "00000000-0000-8000-8000-000000000009";
const INVALID: &str = "INVALID_PARAMETERS";
const DENIED: &str = "ACCESS_DENIED";

struct Ground {
    world: World,
    neighbour: Neighbour,
    revoked: String,
    /// A key without any scope.
    blind: String,
}

impl Ground {
    async fn new() -> Ground {
        let world = World::new().await;
        let neighbour = Neighbour::of(&world).await;
        let key = world.server.whole_key(&world.tenant, &everything()).await;
        let path = world.path(&format!("/keys/{}", id(&key)));
        let gone = world.server.admin(Method::DELETE, &path, None).await;
        gone.expect(204);
        let blind = world.server.key(&world.tenant, &json!([])).await;
        Ground {
            revoked: key["secret"].as_str().expect("shown once").to_owned(),
            blind,
            world,
            neighbour,
        }
    }

    async fn on(&self, scope: &str, resources: Value) -> String {
        let entry = json!([{"scope": scope, "resources": resources}]);
        self.world.server.key(&self.world.tenant, &entry).await
    }

    /// Sends a call that must be refused and change nothing.
    async fn refuse(&self, what: &str, call: &Call, status: u16, code: &str, words: &[&str]) {
        let world = &self.world;
        let before = world.snapshot().await;
        let reply = world.server.call(call.clone()).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        reply.refused(status, code, words);
        assert!(reply.header("x-request-id").is_some(), "{what}");
        world.quiesce().await;
        assert_eq!(world.snapshot().await, before, "{what}");
    }

    /// The rows that every route begins with: path, method, key.
    async fn front_rows(&self, call: &Call, wrong_method: Method) {
        let world = &self.world;
        let call = call.clone().without("authorization");
        let mut unknown = call.clone();
        unknown.path = unknown.path.replacen("/platform/v1/", "/platform/v1/z", 1);
        let mut wrong = call.clone();
        wrong.method = wrong_method;
        for call in [unknown, wrong] {
            let reply = world.server.call(call).await;
            assert_eq!((reply.status, reply.text()), (404, "Not Found"));
        }
        let unknown = service::Secret::from_entropy([9; 32]);
        for (what, authorization) in [
            ("no scheme", world.key.clone()),
            ("another scheme", format!("ApiKey {}", world.key)),
            ("no key", "Bearer ".to_owned()),
            ("an unknown key", format!("Bearer {}", unknown.reveal())),
            ("a revoked key", format!("Bearer {}", self.revoked)),
        ] {
            let call = call.clone().header("authorization", authorization);
            self.refuse(what, &call, 401, "UNAUTHORIZED", &["Unauthorized"])
                .await;
        }
        self.refuse("no header", &call, 401, "UNAUTHORIZED", &[])
            .await;
    }

    /// The rows about type, size and key of a body. The call comes back with a body that is JSON.
    async fn body_rows(&self, call: Call) -> Call {
        let call = call
            .header("content-type", "text/plain")
            .header("idempotency-key", "a b")
            .body(vec![b'['; 64 * 1024 + 1]);
        let call = bearer(&call, &self.blind);
        self.refuse("no JSON", &call, 400, INVALID, &["application/json"])
            .await;
        let call = call.header("content-type", "application/json");
        self.refuse("too long", &call, 413, INVALID, &["65536"])
            .await;
        let call = call.body("[");
        for key in ["a b", "", &"k".repeat(37)] {
            let call = call.clone().header("idempotency-key", key);
            self.refuse(key, &call, 400, INVALID, &["idempotency-key"])
                .await;
        }
        let call = call.header("idempotency-key", "fresh");
        self.refuse("broken", &call, 400, INVALID, &[]).await;
        self.refuse("a list", &call.clone().body("[]"), 400, INVALID, &["body"])
            .await;
        call
    }

    /// The rows about an object of the path.
    async fn object_rows(
        &self,
        call: &Call,
        (scope, other): (&str, Value),
        (nobody, code): (Value, &str),
    ) {
        self.refuse("no scope", &bearer(call, &self.blind), 403, DENIED, &[])
            .await;
        let outside = bearer(call, &self.on(scope, other).await);
        self.refuse("outside the list", &outside, 403, DENIED, &[])
            .await;
        let named = bearer(call, &self.on(scope, nobody).await);
        self.refuse("named, but nobody's", &named, 404, code, &["access to it"])
            .await;
        let star = bearer(call, &self.on(scope, json!("*")).await);
        self.refuse("nobody's", &star, 404, code, &[]).await;
    }

    /// The rows of a list about an account: the scope first, then the parameters, then the account.
    async fn account_list_rows(&self, path: &str, wrong: &str, names: &[&str], parameter: &str) {
        let call = get(&format!("{path}?{wrong}"));
        self.front_rows(&call, Method::PUT).await;
        let blind = bearer(&call, &self.blind);
        self.refuse("no scope", &blind, 403, DENIED, &[]).await;
        let world = &self.world;
        let narrow = self.on("READ_TRANSFERS", json!([world.fund])).await;
        let call = bearer(&call, &narrow);
        self.refuse("all is wrong", &call, 400, INVALID, names)
            .await;
        for account in [uuid(&world.pay), NOBODY.to_owned(), "x".to_owned()] {
            let outside = at(&call, &format!("{path}?{parameter}={account}"));
            self.refuse(&account, &outside, 403, DENIED, &[]).await;
        }
        let covered = at(&call, &format!("{path}?{parameter}={}", uuid(&world.fund)));
        world.server.call(covered).await.expect(200);
    }

    /// A rule of the world that is on, by its id in the other dialects.
    async fn rule(&self) -> String {
        let world = &self.world;
        world.rule_on(&split(&world.trip, &world.fund)).await
    }
}

fn get(path: &str) -> Call {
    Call::get(format!("/platform/v1{path}"))
}

fn at(call: &Call, path: &str) -> Call {
    Call {
        path: format!("/platform/v1{path}"),
        ..call.clone()
    }
}

fn bearer(call: &Call, key: &str) -> Call {
    call.clone()
        .header("authorization", format!("Bearer {key}"))
}

async fn list_accounts(ground: &Ground) {
    let call = get("/accounts?type=pod&state=GONE&page=0&pageSize=101");
    ground.front_rows(&call, Method::POST).await;
    let call = bearer(&call, &ground.blind);
    let names = ["type", "state", "page", "pageSize"];
    ground
        .refuse("all is wrong", &call, 400, INVALID, &names)
        .await;
    let call = at(&call, "/accounts");
    ground.refuse("no scope", &call, 403, DENIED, &[]).await;
    let call = bearer(&call, &ground.world.key);
    ground.world.server.call(call).await.expect(200);
}

async fn get_account(ground: &Ground) {
    let world = &ground.world;
    let call = get(&format!("/accounts/{NOBODY}"));
    ground.front_rows(&call, Method::POST).await;
    let nobody = json!(["acc_0000000000009"]);
    let scope = ("READ_ACCOUNTS", json!([world.fund]));
    ground
        .object_rows(&call, scope, (nobody, "ACCOUNT_NOT_FOUND"))
        .await;
    let hers = bearer(
        &at(&call, &format!("/accounts/{}", uuid(&ground.neighbour.pod))),
        &world.key,
    );
    ground
        .refuse("a neighbour's", &hers, 404, "ACCOUNT_NOT_FOUND", &[])
        .await;
    let mine = bearer(
        &at(&call, &format!("/accounts/{}", uuid(&world.fund))),
        &world.key,
    );
    world.server.call(mine).await.expect(200);
}

const WRONG_FILTER: &str = "accountRole=both&direction=UP&status=done&origin=MAGIC\
     &executionMode=DRY&from=now&to=then&page=0&pageSize=0";
const FILTERS: [&str; 9] = [
    "accountRole",
    "direction",
    "status",
    "origin",
    "executionMode",
    "from",
    "to",
    "page",
    "pageSize",
];

async fn list_account_transfers(ground: &Ground) {
    let world = &ground.world;
    let path = |account: &str| format!("/accounts/{account}/transfers");
    let call = get(&format!("{}?{WRONG_FILTER}", path(NOBODY)));
    ground.front_rows(&call, Method::POST).await;
    let blind = bearer(&call, &ground.blind);
    ground.refuse("no scope", &blind, 403, DENIED, &[]).await;
    let narrow = ground.on("READ_TRANSFERS", json!([world.fund])).await;
    let call = bearer(&call, &narrow);
    ground
        .refuse("all is wrong", &call, 400, INVALID, &FILTERS)
        .await;
    for query in ["", "?executionMode=SIMULATION", "?executionMode=ALL"] {
        let call = at(&call, &format!("{}{query}", path(NOBODY)));
        ground.refuse("outside", &call, 403, DENIED, &[]).await;
    }
    let call = at(&call, &path(&uuid(&world.fund)));
    world.server.call(call).await.expect(200);
}

async fn list_transfers(ground: &Ground) {
    let names: Vec<&str> = ["accountIds"].into_iter().chain(FILTERS).collect();
    ground
        .account_list_rows("/transfers", WRONG_FILTER, &names, "accountIds")
        .await;
    // One account outside is enough, however it is listed.
    let world = &ground.world;
    let narrow = ground.on("READ_TRANSFERS", json!([world.fund])).await;
    let both = format!(
        "accountIds[]={}&accountIds[]={}",
        uuid(&world.fund),
        uuid(&world.pay)
    );
    for mode in ["LIVE", "SIMULATION", "ALL"] {
        let call = get(&format!("/transfers?{both}&executionMode={mode}"));
        ground
            .refuse(mode, &bearer(&call, &narrow), 403, DENIED, &[])
            .await;
    }
}

async fn create_transfer(ground: &Ground) {
    let world = &ground.world;
    let call = Call::post("/platform/v1/transfers");
    ground.front_rows(&call, Method::PUT).await;
    let call = ground.body_rows(call).await;
    let good = |from: &str, to: &str, cents: i64| json!({"sourceAccountId": from, "destinationAccountId": to, "amountInCents": cents});
    let (fund, trip) = (uuid(&world.fund), uuid(&world.trip));
    let with = |member: &str, value: Value| {
        let mut body = good(&fund, &trip, 100);
        body[member] = value;
        body
    };
    for (body, words) in [
        (
            json!({}),
            vec!["sourceAccountId", "destinationAccountId", "amountInCents"],
        ),
        (
            with("amountInCents", json!(99)),
            vec!["amountInCents must be at least 100"],
        ),
        (with("amountInCents", json!(100.5)), vec!["amountInCents"]),
        (
            with("description", json!("eleven char")),
            vec!["description"],
        ),
        (with("description", json!("a-b")), vec!["description"]),
        (with("simulation", json!("yes")), vec!["simulation"]),
        (good(&fund, &fund, 100), vec!["destinationAccountId"]),
    ] {
        let what = body.to_string();
        ground
            .refuse(&what, &call.clone().json(&body), 400, INVALID, &words)
            .await;
    }
    // The same for a transfer and for its dry run.
    let euros = world
        .open(&json!({"type": "pod", "name": "Euros", "currency": "EUR"}))
        .await;
    let gone = world.open(&json!({"type": "pod", "name": "Gone"})).await;
    let blocked = world.open(&json!({"type": "pod", "name": "Blocked"})).await;
    let strange = uuid(&world.stranger().await);
    world.set_state(&gone, "close").await.expect(200);
    world.set_state(&blocked, "block").await.expect(200);
    let (euros, gone, blocked) = (uuid(&euros), uuid(&gone), uuid(&blocked));
    let (broker, card) = (uuid(&world.broker), uuid(&world.card));
    let pair = json!([{"source": world.fund, "target": world.trip, "max_amount": 500}]);
    let pair = ground.on("MANUAL_TRANSFER", pair).await;
    let star = json!([{"source": "*", "target": "*"}]);
    let star = ground.on("MANUAL_TRANSFER", star).await;
    let (no_source, no_destination) = (
        "TRANSFER_SOURCE_NOT_FOUND",
        "TRANSFER_DESTINATION_NOT_FOUND",
    );
    for simulation in [false, true] {
        let send =
            async |what: &str, body: Value, key: &str, status: u16, code: &str, word: &str| {
                let mut body = body;
                body["simulation"] = json!(simulation);
                let call = bearer(&call.clone().json(&body), key);
                ground.refuse(what, &call, status, code, &[word]).await;
            };
        send(
            "no scope",
            good(NOBODY, &gone, 100),
            &ground.blind,
            403,
            DENIED,
            "",
        )
        .await;
        send(
            "another pair",
            good(&trip, &fund, 100),
            &pair,
            403,
            DENIED,
            "",
        )
        .await;
        let exceeded = "MAXIMUM_AMOUNT_EXCEEDED";
        send(
            "too much",
            good(&fund, &trip, 501),
            &pair,
            403,
            exceeded,
            "",
        )
        .await;
        for (what, from, to, code, word) in [
            ("nobody gives", NOBODY, NOBODY, no_source, ""),
            (
                "a neighbour gives",
                &*uuid(&ground.neighbour.pod),
                NOBODY,
                no_source,
                "",
            ),
            ("nobody takes", &*fund, NOBODY, no_destination, ""),
            ("gone gives", &*gone, &*fund, no_source, ""),
            ("gone takes", &*fund, &*gone, no_destination, ""),
            (
                "a broker gives",
                &*broker,
                &*fund,
                INVALID,
                "source account cannot be",
            ),
            (
                "a loan gives",
                &*card,
                &*strange,
                INVALID,
                "source account cannot be",
            ),
            ("another's", &*fund, &*strange, INVALID, "same owner"),
            (
                "a blocked one gives",
                &*blocked,
                &*euros,
                INVALID,
                "source account is blocked",
            ),
            (
                "a blocked one takes",
                &*euros,
                &*blocked,
                INVALID,
                "destination account is blocked",
            ),
            (
                "another currency",
                &*fund,
                &*euros,
                INVALID,
                "same currency",
            ),
        ] {
            send(what, good(from, to, 100), &star, 400, code, word).await;
        }
    }
    let done = bearer(&call.clone().json(&good(&fund, &trip, 100)), &star);
    world.server.call(done.clone()).await.expect(201);
    world.quiesce().await;
    let other = done.json(&good(&fund, &trip, 200));
    ground
        .refuse("a used key", &other, 400, "IDEMPOTENCY_KEY_MISMATCH", &[])
        .await;
}

async fn get_transfer(ground: &Ground) {
    let world = &ground.world;
    let call = get(&format!("/transfers/{NOBODY}"));
    ground.front_rows(&call, Method::POST).await;
    let blind = bearer(&call, &ground.blind);
    ground.refuse("no scope", &blind, 403, DENIED, &[]).await;
    let narrow = ground.on("READ_TRANSFERS", json!([world.trip])).await;
    let call = bearer(&call, &narrow);
    let code = "TRANSFER_NOT_FOUND";
    for transfer in [NOBODY, "x", &uuid(&ground.neighbour.transfer)] {
        let call = at(&call, &format!("/transfers/{transfer}"));
        ground.refuse(transfer, &call, 404, code, &[]).await;
    }
    let moved = id(&world.moved(&world.pay, &world.fund, 100).await);
    let call = at(&call, &format!("/transfers/{}", uuid(&moved)));
    ground.refuse("not covered", &call, 403, DENIED, &[]).await;
    let covered = ground.on("READ_TRANSFERS", json!([world.fund])).await;
    world.server.call(bearer(&call, &covered)).await.expect(200);
}

async fn list_rules(ground: &Ground) {
    let call = get("/rules?sourceId=acc_1&page=x");
    ground.front_rows(&call, Method::PUT).await;
    let call = bearer(&call, &ground.blind);
    ground
        .refuse("all is wrong", &call, 400, INVALID, &["sourceId", "page"])
        .await;
    let call = at(&call, "/rules");
    ground.refuse("no scope", &call, 403, DENIED, &[]).await;
    let call = bearer(&call, &ground.world.key);
    ground.world.server.call(call).await.expect(200);
}

async fn get_rule(ground: &Ground) {
    let world = &ground.world;
    let call = get(&format!("/rules/{NOBODY}"));
    ground.front_rows(&call, Method::PUT).await;
    let rule = ground.rule().await;
    let nobody = json!(["rule_0000000000009"]);
    let scope = ("READ_RULES", json!([rule]));
    ground
        .object_rows(&call, scope, (nobody, "RULE_NOT_FOUND"))
        .await;
    let mut asks = split(&world.pay, &world.fund);
    let action = &mut asks["steps"][0]["actions"][0];
    action["type"] = json!("queried_amount");
    action["percentage_value"] = Value::Null;
    action["percentage_target"] = Value::Null;
    let unsupported = uuid(&world.rule(&asks).await);
    let call = bearer(&call, &world.key);
    let unsupported = at(&call, &format!("/rules/{unsupported}"));
    ground
        .refuse("no words for it", &unsupported, 403, "INVALID_RULE", &[])
        .await;
    let call = at(&call, &format!("/rules/{}", uuid(&rule)));
    world.server.call(call).await.expect(200);
}

/// A rule in this dialect's words.
fn save(from: &str, to: &str) -> Value {
    json!({
        "name": "Save", "trigger": {"type": "ON_FUNDS_TRANSFERRED", "accountId": uuid(from)},
        "steps": [{"conditions": null, "actions": [{
            "type": "PERCENTAGE", "percentageValue": 20, "percentageTarget": "INCOMING_AMOUNT",
            "source": {"id": uuid(from), "type": "INCOME_SOURCE"},
            "destination": {"id": uuid(to), "type": "POD"}, "groupIndex": 0,
        }]}],
    })
}

/// The rows about a rule's body, which hold for making and for changing it.
async fn rule_body_rows(ground: &Ground, call: &Call) {
    let world = &ground.world;
    let with = |place: &str, value: Value| {
        let mut body = save(&world.pay, &world.fund);
        *body.pointer_mut(place).expect("a place of it") = value;
        body
    };
    for (body, word) in [
        (json!({}), "trigger is required"),
        (with("/trigger/type", json!("LATER")), "trigger.type"),
        (with("/steps/0/actions", json!({})), "steps[0].actions"),
        (
            with("/steps/0/actions/0/percentageValue", json!(101)),
            "steps[0].actions[0].percentageValue",
        ),
        (
            with("/steps/0/actions/0/type", json!("QUERIED_AMOUNT")),
            "steps[0].actions[0].type",
        ),
    ] {
        ground
            .refuse(word, &call.clone().json(&body), 400, INVALID, &[word])
            .await;
    }
}

async fn create_rule(ground: &Ground) {
    let world = &ground.world;
    let call = Call::post("/platform/v1/rules");
    ground.front_rows(&call, Method::PUT).await;
    let call = ground.body_rows(call).await;
    rule_body_rows(ground, &call).await;
    let mut faulty = save(&world.pay, &world.fund);
    faulty["steps"][0]["actions"][0]["destination"]["id"] = json!(NOBODY);
    let call = call.json(&faulty);
    ground.refuse("no scope", &call, 403, DENIED, &[]).await;
    let scope = "CREATE_AND_EDIT_RULES";
    let some = ground.on(scope, json!(["rule_0000000000009"])).await;
    ground
        .refuse("only some rules", &bearer(&call, &some), 403, DENIED, &[])
        .await;
    let call = bearer(&call, &ground.on(scope, json!("*")).await);
    let fault = ["steps[0].actions[0].destination"];
    ground.refuse("nobody's", &call, 400, INVALID, &fault).await;
    let good = call.json(&save(&world.pay, &world.fund));
    world.server.call(good.clone()).await.expect(201);
    let other = good.json(&save(&world.pay, &world.trip));
    ground
        .refuse("a used key", &other, 400, "IDEMPOTENCY_KEY_MISMATCH", &[])
        .await;
}

async fn update_rule(ground: &Ground) {
    let world = &ground.world;
    let path = format!("/platform/v1/rules/{NOBODY}");
    let call = Call::new(Method::PATCH, path);
    ground.front_rows(&call, Method::PUT).await;
    let call = ground.body_rows(call).await;
    rule_body_rows(ground, &call).await;
    let call = call.json(&save(&world.trip, &world.card));
    let rule = ground.rule().await;
    let nobody = json!(["rule_0000000000009"]);
    let scope = ("CREATE_AND_EDIT_RULES", json!([rule]));
    ground
        .object_rows(&call, scope, (nobody, "RULE_NOT_FOUND"))
        .await;
    let call = bearer(&call, &world.key);
    let call = at(&call, &format!("/rules/{}", uuid(&rule)));
    let moved = call.clone().json(&save(&world.pay, &world.fund));
    ground
        .refuse("another trigger", &moved, 400, INVALID, &["trigger"])
        .await;
    let good = call.json(&save(&world.trip, &world.fund));
    world.server.call(good).await.expect(200);
}

async fn trigger_rule(ground: &Ground) {
    let world = &ground.world;
    let path = format!("/platform/v1/rules/{NOBODY}/trigger");
    let call = Call::post(path);
    ground.front_rows(&call, Method::GET).await;
    let call = ground.body_rows(call).await;
    for (body, word) in [
        (json!({"executeAmount": -1}), "executeAmount"),
        (json!({"executeAmount": "1"}), "executeAmount"),
        (json!({"simulation": 1}), "simulation"),
    ] {
        ground
            .refuse(word, &call.clone().json(&body), 400, INVALID, &[word])
            .await;
    }
    let call = call.json(&json!({}));
    let rule = world.rule(&split(&world.trip, &world.fund)).await;
    let nobody = json!(["rule_0000000000009"]);
    let scope = ("TRIGGER_RULES", json!([rule]));
    ground
        .object_rows(&call, scope, (nobody, "RULE_NOT_FOUND"))
        .await;
    let call = bearer(&call, &world.key);
    let call = at(&call, &format!("/rules/{}/trigger", uuid(&rule)));
    ground
        .refuse("off", &call, 403, "RULE_DEACTIVATED", &["deactivated"])
        .await;
    world.switch(&rule, "enable").await.expect(200);
    world.server.call(call.clone()).await.expect(202);
    world.quiesce().await;
    let other = call.json(&json!({"executeAmount": 5}));
    ground
        .refuse("a used key", &other, 400, "IDEMPOTENCY_KEY_MISMATCH", &[])
        .await;
    // Nobody knows what is on this account: a run of its rule waits for that.
    let mut waits = split(&world.bank, &world.fund);
    waits["trigger"] = json!({"type": "MANUAL", "account_id": world.bank});
    waits["steps"][0]["actions"][0]["percentage_target"] = json!("SOURCE_ACCOUNT");
    let rule = world.rule_on(&waits).await;
    let call = bearer(&Call::post("").json(&json!({})), &world.key);
    let call = at(&call, &format!("/rules/{}/trigger", uuid(&rule)));
    world.server.call(call.clone()).await.expect(202);
    world.quiesce().await;
    ground
        .refuse("it waits", &call, 409, "RULE_EXECUTION_IN_PROGRESS", &[])
        .await;
}

async fn list_executions(ground: &Ground) {
    let path = |rule: &str| format!("/rules/{rule}/executions");
    let wrong = "status=done&triggerType=LATER&executionMode=DRY&from=now&to=then&page=0";
    let call = get(&format!("{}?{wrong}", path(NOBODY)));
    ground.front_rows(&call, Method::POST).await;
    let names = [
        "status",
        "triggerType",
        "executionMode",
        "from",
        "to",
        "page",
    ];
    let blind = bearer(&call, &ground.blind);
    ground
        .refuse("all is wrong", &blind, 400, INVALID, &names)
        .await;
    let call = at(&call, &path(NOBODY));
    let rule = ground.rule().await;
    let nobody = json!(["rule_0000000000009"]);
    let scope = ("READ_RULES", json!([rule]));
    ground
        .object_rows(&call, scope, (nobody, "RULE_NOT_FOUND"))
        .await;
    let call = bearer(&at(&call, &path(&uuid(&rule))), &ground.world.key);
    ground.world.server.call(call).await.expect(200);
}

async fn get_execution(ground: &Ground) {
    let world = &ground.world;
    let path = |rule: &str, run: &str| format!("/rules/{rule}/executions/{run}");
    let call = get(&format!("{}?include=all", path(NOBODY, NOBODY)));
    ground.front_rows(&call, Method::POST).await;
    let blind = bearer(&call, &ground.blind);
    ground
        .refuse("what is included", &blind, 400, INVALID, &["include"])
        .await;
    let call = at(&call, &path(NOBODY, NOBODY));
    let rule = ground.rule().await;
    let nobody = json!(["rule_0000000000009"]);
    let scope = ("READ_RULES", json!([rule]));
    ground
        .object_rows(&call, scope, (nobody, "RULE_NOT_FOUND"))
        .await;
    world.paycheck(&world.trip, 1_000).await;
    world.quiesce().await;
    let run = uuid(&id(&world.runs(&rule).await[0]));
    let other = world.rule(&split(&world.pay, &world.fund)).await;
    let call = bearer(&call, &world.key);
    for (what, rule, run) in [
        ("no run", uuid(&rule), NOBODY),
        ("another rule's", uuid(&other), &*run),
    ] {
        let call = at(&call, &path(&rule, run));
        ground
            .refuse(what, &call, 404, "RULE_EXECUTION_NOT_FOUND", &[])
            .await;
    }
    let call = at(&call, &path(&uuid(&rule), &run));
    world.server.call(call).await.expect(200);
}

async fn external_transactions(ground: &Ground) {
    let wrong = "direction=UP&status=done&from=now&to=then&page=0";
    let names = ["accountIds", "direction", "status", "from", "to", "page"];
    ground
        .account_list_rows("/external-transactions", wrong, &names, "accountIds")
        .await;
    let old = format!(
        "/external-transactions?accountIds={}&from=2026-10-17T07:59:59Z",
        uuid(&ground.world.card)
    );
    let old = bearer(&get(&old), &ground.world.key);
    ground
        .refuse(
            "too far back",
            &old,
            400,
            INVALID,
            &["within the last 90 days"],
        )
        .await;
}

async fn card_transactions(ground: &Ground) {
    let wrong = "from=now&to=then&page=0&pageSize=0";
    let names = ["accountId is required", "from", "to", "page", "pageSize"];
    ground
        .account_list_rows("/card-transactions", wrong, &names, "accountId")
        .await;
}

async fn audit_logs(ground: &Ground) {
    let call = get("/audit-logs?apiKeyId=x&action=NOTHING&from=now&to=then&page=0");
    ground.front_rows(&call, Method::POST).await;
    let call = bearer(&call, &ground.blind);
    let names = ["apiKeyId", "action", "from", "to", "page"];
    ground
        .refuse("all is wrong", &call, 400, INVALID, &names)
        .await;
    let call = at(&call, "/audit-logs?from=2026-10-17T07:59:59Z");
    ground
        .refuse(
            "too far back",
            &call,
            400,
            INVALID,
            &["within the last 90 days"],
        )
        .await;
    let call = at(&call, "/audit-logs");
    ground.refuse("no scope", &call, 403, DENIED, &[]).await;
    let call = bearer(&call, &ground.on("READ_AUDIT_LOGS", json!("*")).await);
    ground.world.server.call(call).await.expect(200);
}
