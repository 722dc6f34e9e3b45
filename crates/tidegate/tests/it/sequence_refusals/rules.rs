//! The tables of the routes about rules and their executions.

use axum::http::Method;
use serde_json::{Value, json};

use super::{BODY_MAX, Ground, LONG};
use crate::harness::{Call, id};
use crate::sequence_rules::split;

tables! {
    "GET /rules" => list_rules_in_order, list_rules;
    "GET /rules/{id}" => get_rule_in_order, get_rule;
    "POST /rules" => create_rule_in_order, create_rule;
    "PUT /rules/{id}" => update_rule_in_order, update_rule;
    "DELETE /rules/{id}" => delete_rule_in_order, delete_rule;
    "POST /rules/{id}/trigger" => trigger_rule_in_order, trigger_rule;
    "GET /rule-executions" => list_executions_in_order, list_executions;
    "GET /rule-executions/{id}" => get_execution_in_order, get_execution;
}

const NO_RULE: &str = "rule_0000000000009";
const NO_RUN: &str = "rex_0000000000009";
const INVALID: &str = "invalid_parameters";

impl Ground {
    async fn on(&self, scope: &str, resources: Value) -> String {
        self.key(json!([{"scope": scope, "resources": resources}]))
            .await
    }

    async fn blind(&self) -> String {
        self.key(json!([{"scope": "LIST_ACCOUNTS"}])).await
    }

    /// A rule of the world that is on.
    async fn rule(&self) -> String {
        let world = &self.world;
        let rule = world.rule(&split(&world.pay, &world.fund)).await;
        world.switch(&rule, "enable").await.expect(200);
        rule
    }

    /// The rows about the request id, which every route has.
    async fn request_id_row(&self, call: Call) -> Call {
        let words = ["X-Request-ID"];
        self.refuse("a long request id", call.clone(), 400, INVALID, &words)
            .await;
        call.header("x-request-id", "short")
    }

    /// The rows about an object of the path: no scope, outside the list, nobody's.
    async fn object_rows(&self, call: Call, scope: &str, nobody: &str, what: &str) -> Call {
        let call = call.key(&self.blind().await);
        self.refuse("no scope", call.clone(), 403, "forbidden", &[])
            .await;
        let other = self.rule().await;
        let call = call.key(&self.on(scope, json!([other])).await);
        self.refuse("outside the list", call.clone(), 403, "forbidden", &[])
            .await;
        let naming = self.on(scope, json!([nobody])).await;
        let named = call.clone().key(&naming);
        self.refuse("named, but nobody's", named, 404, "not_found", &[what])
            .await;
        let call = call.key(&self.world.key);
        self.refuse("nobody's", call.clone(), 404, "not_found", &[what])
            .await;
        call
    }

    /// The rows about type, size and headers of a body.
    async fn body_rows(&self, call: Call) -> Call {
        let call = call.key(&self.blind().await);
        let words = ["application/json"];
        self.refuse(
            "no JSON",
            call.clone(),
            415,
            "unsupported_media_type",
            &words,
        )
        .await;
        let call = call.header("content-type", "application/json");
        self.refuse(
            "too long",
            call.clone(),
            413,
            "payload_too_large",
            &["65536"],
        )
        .await;
        let call = self.request_id_row(call.body("[")).await;
        let words = ["Idempotency-Key"];
        self.refuse("a long key", call.clone(), 400, INVALID, &words)
            .await;
        call.header("idempotency-key", "fresh")
    }
}

fn at(call: &Call, path: String) -> Call {
    Call {
        path,
        ..call.clone()
    }
}

async fn list_rules(ground: &Ground) {
    let path = "/api/v1/rules";
    let call = Call::get(format!("{path}?source_id=a&source_id=b")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = call.key(&ground.on("READ_RULES", json!("*")).await);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let call = ground.request_id_row(call.key(&ground.world.key)).await;
    ground
        .refuse("two sources", call.clone(), 400, INVALID, &["source_id"])
        .await;
    // An account that nobody has is the source of no rule.
    let call = at(&call, format!("{path}?source_id=a"));
    let none = ground.world.server.call(call).await.expect(200);
    assert_eq!(none["data"], json!([]));
}

async fn get_rule(ground: &Ground) {
    let path = "/api/v1/rules";
    let call = Call::get(format!("{path}/{NO_RULE}")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = ground.request_id_row(call.key(&ground.blind().await)).await;
    let call = ground
        .object_rows(call, "READ_RULES", NO_RULE, "rule")
        .await;
    let world = &ground.world;
    let rule = world.rule(&split(&world.trip, &world.fund)).await;
    let call = at(&call, format!("{path}/{rule}"));
    world.server.call(call.clone()).await.expect(200);
    let euros = split(&ground.euros, &ground.blocked_euros);
    let euros = world.rule(&euros).await;
    let hidden = at(&call, format!("{path}/{euros}"));
    ground
        .refuse("in euros", hidden, 404, "not_found", &["rule"])
        .await;
    let hers = call.key(&ground.neighbour.key);
    ground
        .refuse("a neighbour's", hers, 404, "not_found", &["rule"])
        .await;
}

/// Bodies from no JSON at all to one that only the ledger refuses, with the words of each refusal.
fn bodies(ground: &Ground) -> Vec<(Value, &'static str, Vec<&'static str>)> {
    let world = &ground.world;
    let good = split(&world.trip, &world.fund);
    let with = |place: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(place).expect("a place of it") = value;
        body
    };
    let path = "steps[0].actions[0]";
    vec![
        (json!([]), INVALID, vec!["body"]),
        (
            json!({}),
            INVALID,
            vec![
                "status is required",
                "trigger is required",
                "steps is required",
            ],
        ),
        (
            with("/status", json!("on")),
            INVALID,
            vec!["status must be one of"],
        ),
        (
            with("/trigger/type", json!(7)),
            INVALID,
            vec!["trigger.type must be one of"],
        ),
        (
            with("/steps/0/actions", json!({})),
            INVALID,
            vec!["steps[0].actions must be a list"],
        ),
        (
            with("/steps/0/actions/0/percentage_value", json!(100.5)),
            INVALID,
            vec![path, "percentage_value must be a number from 0 to 100"],
        ),
        (
            with("/steps/0/actions/0/type", json!("queried_amount")),
            INVALID,
            vec!["steps[0].actions[0].type must be one of"],
        ),
    ]
}

/// What the ledger and the linter say of a rule, in this order.
fn refused_rules(ground: &Ground) -> Vec<(Value, &'static str, &'static str)> {
    let world = &ground.world;
    let good = split(&world.trip, &world.fund);
    let with = |place: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(place).expect("a place of it") = value;
        body
    };
    let destination = "/steps/0/actions/0/destination/id";
    let fault = "steps[0].actions[0].destination";
    vec![
        (
            with("/steps", json!([])),
            "rule_faulty",
            "steps must have at least one member",
        ),
        (
            with("/trigger/account_id", json!("acc_0000000000009")),
            "rule_faulty",
            "trigger.account_id does not exist",
        ),
        (
            with(destination, json!("acc_0000000000009")),
            "rule_faulty",
            fault,
        ),
        (with(destination, json!(ground.gone)), "rule_faulty", fault),
        (
            with(destination, json!(ground.strange)),
            "rule_faulty",
            fault,
        ),
        (with(destination, json!(ground.euros)), "rule_faulty", fault),
        (
            with(destination, json!(ground.neighbour.pod)),
            "rule_faulty",
            fault,
        ),
        (with(destination, json!(world.trip)), "rule_faulty", fault),
        (
            split(&ground.euros, &ground.blocked_euros),
            "rule_faulty",
            "does not exist",
        ),
        (
            {
                let mut body = good.clone();
                let twice = body["steps"][0]["actions"][0].clone();
                body["steps"][0]["actions"][0]["percentage_value"] = json!(60);
                body["steps"][0]["actions"]
                    .as_array_mut()
                    .expect("a list")
                    .push(twice);
                body["steps"][0]["actions"][1]["percentage_value"] = json!(60);
                body
            },
            "rule_unsound",
            "steps[0].actions[1].percentage_value: ",
        ),
    ]
}

async fn create_rule(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/rules";
    let call = Call::post(path)
        .header("x-request-id", LONG)
        .header("idempotency-key", LONG)
        .header("content-type", "text/plain")
        .body(vec![b'['; BODY_MAX + 1]);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = ground.body_rows(call).await;
    for (body, code, words) in bodies(ground) {
        ground
            .refuse(words[0], call.clone().json(&body), 400, code, &words)
            .await;
    }
    let good = split(&world.trip, &world.fund);
    let mut faulty = good.clone();
    faulty["steps"][0]["actions"][0]["destination"]["id"] = json!(world.trip);
    let call = call.json(&faulty);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let some = ground.on("CREATE_AND_EDIT_RULES", json!([NO_RULE])).await;
    ground
        .refuse(
            "only some rules",
            call.clone().key(&some),
            403,
            "forbidden",
            &[],
        )
        .await;
    let call = call.key(&ground.on("CREATE_AND_EDIT_RULES", json!("*")).await);
    for (body, code, words) in refused_rules(ground) {
        ground
            .refuse(words, call.clone().json(&body), 400, code, &[words])
            .await;
    }
    world
        .server
        .call(call.clone().json(&good))
        .await
        .expect(201);
    let mut other = good;
    other["nickname"] = json!("Another");
    let words = ["Idempotency-Key"];
    ground
        .refuse(
            "a used key",
            call.json(&other),
            400,
            "idempotency_key_mismatch",
            &words,
        )
        .await;
}

async fn update_rule(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/rules";
    let call = Call::new(Method::PUT, format!("{path}/{NO_RULE}"))
        .header("x-request-id", LONG)
        .header("idempotency-key", LONG)
        .header("content-type", "text/plain")
        .body(vec![b'['; BODY_MAX + 1]);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = ground.body_rows(call).await;
    for (body, code, words) in bodies(ground) {
        ground
            .refuse(words[0], call.clone().json(&body), 400, code, &words)
            .await;
    }
    let good = split(&world.trip, &world.fund);
    let call = call.json(&good);
    let scope = "CREATE_AND_EDIT_RULES";
    let call = ground.object_rows(call, scope, NO_RULE, "rule").await;
    let rule = world.rule(&good).await;
    let call = at(&call, format!("{path}/{rule}"));
    let call = call.key(&ground.on(scope, json!([rule])).await);
    for (body, code, words) in refused_rules(ground) {
        ground
            .refuse(words, call.clone().json(&body), 400, code, &[words])
            .await;
    }
    let mut other = good.clone();
    other["trigger"]["type"] = json!("MANUAL");
    ground
        .refuse(
            "another trigger",
            call.clone().json(&other),
            400,
            INVALID,
            &["trigger never changes"],
        )
        .await;
    world.server.call(call.clone()).await.expect(200);
    let mut other = good;
    other["nickname"] = json!("Another");
    let words = ["Idempotency-Key"];
    ground
        .refuse(
            "a used key",
            call.json(&other),
            400,
            "idempotency_key_mismatch",
            &words,
        )
        .await;
}

async fn delete_rule(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/rules";
    let call = Call::new(Method::DELETE, format!("{path}/{NO_RULE}"))
        .header("x-request-id", LONG)
        .header("idempotency-key", LONG);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = ground.request_id_row(call.key(&ground.blind().await)).await;
    let words = ["Idempotency-Key"];
    ground
        .refuse("a long key", call.clone(), 400, INVALID, &words)
        .await;
    let call = call.header("idempotency-key", "fresh");
    let scope = "CREATE_AND_EDIT_RULES";
    let call = ground.object_rows(call, scope, NO_RULE, "rule").await;
    let one = world.rule(&split(&world.trip, &world.fund)).await;
    let other = world.rule(&split(&world.fund, &world.trip)).await;
    let done = at(&call, format!("{path}/{one}"));
    world.server.call(done.clone()).await.expect(204);
    // Again with the key: as it was. Without it: there is nothing any more.
    world.server.call(done.clone()).await.expect(204);
    let gone = done.without("idempotency-key");
    ground
        .refuse("gone", gone, 404, "not_found", &["rule"])
        .await;
    let mismatch = at(&call, format!("{path}/{other}"));
    ground
        .refuse(
            "a used key",
            mismatch,
            400,
            "idempotency_key_mismatch",
            &words,
        )
        .await;
}

async fn trigger_rule(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/rules";
    let call = Call::post(format!("{path}/{NO_RULE}/trigger"))
        .header("x-request-id", LONG)
        .header("idempotency-key", LONG)
        .header("content-type", "text/plain")
        .body(vec![b'['; BODY_MAX + 1]);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = ground.body_rows(call).await;
    for (body, words) in [
        ("[", "body"),
        (
            r#"{"manual_execute_amount":-1}"#,
            "manual_execute_amount must be at least 0",
        ),
        (
            r#"{"manual_execute_amount":"1"}"#,
            "manual_execute_amount must be an integer",
        ),
        (
            r#"{"manual_execute_amount":1.5}"#,
            "manual_execute_amount must be an integer",
        ),
    ] {
        ground
            .refuse(body, call.clone().body(body), 400, INVALID, &[words])
            .await;
    }
    let call = call.body("{}");
    let call = ground
        .object_rows(call, "TRIGGER_RULES", NO_RULE, "rule")
        .await;
    // Nobody knows what is on this account: a run of its rule waits for that.
    let mut waits = split(&world.bank, &world.fund);
    waits["trigger"] = json!({"type": "MANUAL", "account_id": world.bank});
    waits["steps"][0]["actions"][0]["percentage_target"] = json!("SOURCE_ACCOUNT");
    let rule = world.rule(&waits).await;
    let call = at(&call, format!("{path}/{rule}/trigger"));
    ground
        .refuse(
            "off",
            call.clone(),
            403,
            "rule_deactivated",
            &["deactivated"],
        )
        .await;
    world.switch(&rule, "enable").await.expect(200);
    world.server.call(call.clone()).await.expect(202);
    world.quiesce().await;
    let words = ["Idempotency-Key"];
    let other = call.clone().body(r#"{"manual_execute_amount":100}"#);
    ground
        .refuse("a used key", other, 400, "idempotency_key_mismatch", &words)
        .await;
    let again = call.header("idempotency-key", "another");
    ground
        .refuse(
            "it waits",
            again,
            409,
            "rule_execution_in_progress",
            &["not run yet"],
        )
        .await;
}

async fn list_executions(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/rule-executions";
    let wrong = "?status=done&trigger_type=magic&from=now&to=then&include=all&first=0&after=x";
    let call = Call::get(format!("{path}{wrong}")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::PUT).await;
    let call = call.key(&ground.blind().await);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let rule = ground.rule().await;
    let scope = "READ_RULE_EXECUTIONS";
    let call = call.key(&ground.on(scope, json!([rule])).await);
    let call = ground.request_id_row(call).await;
    let names = [
        "rule_id",
        "status",
        "trigger_type",
        "from",
        "to",
        "include",
        "first",
        "after",
    ];
    ground
        .refuse("all is wrong", call.clone(), 400, INVALID, &names)
        .await;
    let hers = format!("cursor_{}", &ground.neighbour.transfer[4..]);
    let missing = at(&call, format!("{path}?rule_id=&after={hers}"));
    ground
        .refuse("no rule", missing, 400, INVALID, &["rule_id"])
        .await;
    let outside = at(&call, format!("{path}?rule_id={NO_RULE}&after={hers}"));
    ground
        .refuse("outside the list", outside, 403, "forbidden", &[])
        .await;
    let covered = at(&call, format!("{path}?rule_id={rule}&after={hers}"));
    ground
        .refuse("no cursor", covered, 400, INVALID, &["after"])
        .await;
    let right = at(&call, format!("{path}?rule_id={rule}"));
    world.server.call(right).await.expect(200);
    let nobody = at(&call, format!("{path}?rule_id={NO_RULE}")).key(&world.key);
    let none = world.server.call(nobody).await.expect(200);
    assert_eq!(none["data"], json!([]));
}

async fn get_execution(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/rule-executions";
    let call = Call::get(format!("{path}/{NO_RUN}?include=all")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::PUT).await;
    let call = ground.request_id_row(call.key(&ground.blind().await)).await;
    ground
        .refuse("what is included", call.clone(), 400, INVALID, &["include"])
        .await;
    let call = at(&call, format!("{path}/{NO_RUN}"));
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let scope = "READ_RULE_EXECUTIONS";
    let narrow = ground.on(scope, json!([NO_RULE])).await;
    let call = call.key(&narrow);
    let words = ["rule execution"];
    ground
        .refuse("nobody's", call.clone(), 404, "not_found", &words)
        .await;
    let rule = ground.rule().await;
    world.paycheck(&world.pay, 10_000).await;
    world.quiesce().await;
    let runs = world.runs(&rule).await;
    let run = id(&runs[0]);
    let call = at(&call, format!("{path}/{run}"));
    ground
        .refuse("not covered", call.clone(), 403, "forbidden", &[])
        .await;
    let hers = call.clone().key(&ground.neighbour.key);
    ground
        .refuse("a neighbour's", hers, 404, "not_found", &words)
        .await;
    let call = call.key(&ground.on(scope, json!([rule])).await);
    world.server.call(call).await.expect(200);
}
