//! Rules as operators see them: linted, tried, switched, explained, and how they are read.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Reply, World, id};
use crate::sequence_rules::split;

async fn send(world: &World, method: Method, path: &str, body: &Value) -> Reply {
    let body = (!body.is_null()).then_some(body);
    world.server.admin(method, &world.path(path), body).await
}

#[tokio::test]
async fn a_rule_is_made_found_changed_and_deleted() {
    let world = World::new().await;
    let mut body = split(&world.pay, &world.fund);
    body["owner_id"] = json!(world.owner);
    let made = send(&world, Method::POST, "/rules", &body)
        .await
        .expect(201);
    assert_eq!(made["owner_id"], world.owner);
    assert_eq!(made["status"], "disabled");
    let path = format!("/rules/{}", id(&made));
    let found = send(&world, Method::GET, &path, &Value::Null)
        .await
        .expect(200);
    assert_eq!(found["steps"], made["steps"]);
    let count = async |query: &str| {
        let list = send(&world, Method::GET, &format!("/rules{query}"), &Value::Null).await;
        list.expect(200)["data"].as_array().map(Vec::len)
    };
    assert_eq!(count("").await, Some(1));
    assert_eq!(
        count(&format!("?owner_id={}&enabled=false", world.owner)).await,
        Some(1)
    );
    assert_eq!(count("?enabled=true").await, Some(0));
    assert_eq!(count(&format!("?source_id={}", world.fund)).await, Some(0));
    assert_eq!(count("?owner_id=own_0000000000009").await, Some(0));
    let reply = send(&world, Method::GET, "/rules?enabled=maybe", &Value::Null).await;
    reply.problem(400, "invalid_parameters", &["enabled"]);
    body["nickname"] = json!("Renamed");
    let changed = send(&world, Method::PUT, &path, &body).await.expect(200);
    assert_eq!(changed["nickname"], "Renamed");
    send(&world, Method::DELETE, &path, &Value::Null)
        .await
        .expect(204);
    assert_eq!(count("").await, Some(0));
    for (method, rest) in [
        (Method::DELETE, ""),
        (Method::PUT, ""),
        (Method::POST, "/enable"),
        (Method::POST, "/trigger"),
        (Method::POST, "/simulate"),
    ] {
        let sent = match rest {
            "" if method == Method::PUT => body.clone(),
            "/enable" | "" => Value::Null,
            _ => json!({}),
        };
        let reply = send(&world, method, &format!("{path}{rest}"), &sent).await;
        assert_eq!(reply.status, 404, "{rest}: {}", reply.text());
    }
}

#[tokio::test]
async fn faults_come_with_their_fields() {
    let world = World::new().await;
    let mut body = split(&world.pay, &world.fund);
    body["steps"][0]["actions"][0]["percentage_value"] = json!("20");
    let reply = send(&world, Method::POST, "/rules", &body).await;
    reply.problem(
        400,
        "invalid_parameters",
        &["steps[0].actions[0].percentage_value"],
    );
    body["steps"][0]["actions"][0]["percentage_value"] = Value::Null;
    let reply = send(&world, Method::POST, "/rules", &body).await;
    reply.problem(400, "rule_faulty", &["is required"]);
    let error = &reply.json()["errors"][0];
    assert_eq!(error["field"], "steps[0].actions[0].percentage_value");
}

#[tokio::test]
async fn rules_are_linted_before_they_are_made_and_together() {
    let world = World::new().await;
    let lint = async |body: Value| {
        send(&world, Method::POST, "/rules/lint", &body)
            .await
            .expect(200)
    };
    let there = split(&world.fund, &world.trip);
    let back = split(&world.trip, &world.fund);
    assert_eq!(
        lint(json!({"rule": there})).await,
        json!({"faults": [], "findings": []})
    );
    let there_id = world.rule_on(&there).await;
    // The same again would be a second rule, unless it is to replace the first one.
    let found = lint(json!({"rule": there})).await;
    assert_eq!(found["findings"][0]["code"], "second_listener");
    assert_eq!(
        lint(json!({"rule": there, "rule_id": there_id})).await,
        json!({"faults": [], "findings": []})
    );
    // The draft of the way back is looked at beside what is on.
    let found = lint(json!({"rule": back})).await;
    assert_eq!(found["findings"][0]["code"], "cycle");
    assert_eq!(found["findings"][0]["severity"], "error");
    assert_eq!(found["findings"][0]["rule_id"], Value::Null);
    let back_id = world.rule(&back).await;
    let found = lint(json!({"owner_id": world.owner})).await;
    assert_eq!(found["findings"][0]["code"], "cycle");
    assert_eq!(found["findings"][0]["rule_id"], back_id);
    let mut faulty = back;
    faulty["steps"][0]["actions"][0]["destination"] = Value::Null;
    let found = lint(json!({"rule": faulty})).await;
    assert_eq!(
        found["faults"],
        json!([{"code": "missing", "path": "steps[0].actions[0].destination",
                "message": "is required"}])
    );
    let reply = send(&world, Method::POST, "/rules/lint", &json!({})).await;
    reply.problem(400, "invalid_parameters", &["owner_id"]);
    let body = json!({"rule": {"trigger": 1}});
    let reply = send(&world, Method::POST, "/rules/lint", &body).await;
    reply.problem(
        400,
        "invalid_parameters",
        &["rule.trigger must be an object", "rule.steps"],
    );
    let runs = send(&world, Method::GET, "/rule-executions", &Value::Null).await;
    assert_eq!(runs.expect(200)["data"], json!([]), "nothing was run");
}

#[tokio::test]
async fn a_rule_is_tried_with_money_that_is_not_there() {
    let world = World::new().await;
    // Off, and yet it can be tried.
    let mut rule = split(&world.trip, &world.fund);
    rule["steps"][0]["actions"][0]["percentage_target"] = json!("SOURCE_ACCOUNT");
    let rule = world.rule(&rule).await;
    let before = (
        world.balance(&world.trip).await,
        world.balance(&world.fund).await,
    );
    let path = format!("/rules/{rule}/simulate");
    let body = json!({"amount_in_cents": 200_000});
    let run = send(&world, Method::POST, &path, &body).await.expect(201);
    assert_eq!(run["execution_mode"], "simulation");
    let action = &run["explanation"]["actions"][0];
    assert_eq!(
        action["wanted_in_cents"], 40_000,
        "a fifth of what was pretended"
    );
    assert_eq!(action["moved_in_cents"], 40_000);
    assert_eq!(
        (&run["status"], &run["transfers_completed"]),
        (&json!("executed"), &json!(1))
    );
    assert_eq!(run["transfer_ids"], json!([]));
    world.quiesce().await;
    let after = (
        world.balance(&world.trip).await,
        world.balance(&world.fund).await,
    );
    assert_eq!(before, after);
    assert!(world.runs(&rule).await.is_empty(), "keys are not shown it");
    let list = async |query: &str| {
        let path = format!("/rule-executions?rule_id={rule}{query}");
        let list = send(&world, Method::GET, &path, &Value::Null)
            .await
            .expect(200);
        list["data"].as_array().map(Vec::len)
    };
    assert_eq!(list("&execution_mode=simulation").await, Some(1));
    assert_eq!(list("&execution_mode=live").await, Some(0));
    assert_eq!(list("&status=executed").await, Some(1));
    let reply = send(&world, Method::POST, &path, &json!({"amount_in_cents": -1})).await;
    reply.problem(400, "invalid_parameters", &["amount_in_cents"]);
}

#[tokio::test]
async fn an_operator_runs_a_rule_and_reads_why() {
    let world = World::new().await;
    let rule = world.rule(&split(&world.pay, &world.fund)).await;
    let path = format!("/rules/{rule}/trigger");
    let body = json!({"amount_in_cents": 10_000});
    let reply = send(&world, Method::POST, &path, &body).await;
    reply.problem(409, "rule_deactivated", &["switched off"]);
    world.switch(&rule, "enable").await.expect(200);
    let run = id(&send(&world, Method::POST, &path, &body).await.expect(201));
    world.quiesce().await;
    let path = format!("/rule-executions/{run}");
    let run = send(&world, Method::GET, &path, &Value::Null)
        .await
        .expect(200);
    assert_eq!(run["status"], "executed");
    assert_eq!(run["explanation"]["actions"][0]["moved_in_cents"], 2_000);
    let nobody = "/rule-executions/rex_0000000000009";
    let reply = send(&world, Method::GET, nobody, &Value::Null).await;
    reply.problem(404, "not_found", &["rule execution"]);
    for (query, name) in [
        ("status=done", "status"),
        ("limit=0", "limit"),
        ("after=x", "after"),
        ("execution_mode=x", "execution_mode"),
    ] {
        let path = format!("/rule-executions?{query}");
        let reply = send(&world, Method::GET, &path, &Value::Null).await;
        reply.problem(400, "invalid_parameters", &[name]);
    }
}

#[tokio::test]
async fn how_rules_are_read_is_set_for_those_written_afterwards() {
    let world = World::new().await;
    let settings = async |body: &Value| send(&world, Method::PUT, "/settings", body).await;
    let now = send(&world, Method::GET, "/settings", &Value::Null)
        .await
        .expect(200);
    assert_eq!(
        (&now["round_down"], &now["utc_offset_minutes"]),
        (&json!("MULTIPLE"), &json!(0))
    );
    let mut sweep = split(&world.fund, &world.trip);
    sweep["trigger"]["type"] = json!("MANUAL");
    sweep["steps"][0]["actions"] = json!([{
        "type": "round_down", "amount_in_cents": 20_000, "destination": {"id": world.trip},
    }]);
    let multiple = world.rule_on(&sweep).await;
    let set = settings(&json!({"round_down": "BUFFER", "utc_offset_minutes": -300}))
        .await
        .expect(200);
    assert_eq!(
        (&set["round_down"], &set["utc_offset_minutes"]),
        (&json!("BUFFER"), &json!(-300))
    );
    let buffer = world.rule_on(&sweep).await;
    // 500.00: what is above a multiple of 200.00 is 100.00; then a buffer of 200.00 leaves 200.00.
    for (rule, left) in [(&multiple, 40_000), (&buffer, 20_000)] {
        let path = format!("/rules/{rule}/trigger");
        send(&world, Method::POST, &path, &json!({}))
            .await
            .expect(201);
        world.quiesce().await;
        assert_eq!(world.balance(&world.fund).await, left);
    }
    settings(&json!({"round_down": "UP"})).await.problem(
        400,
        "invalid_parameters",
        &["round_down"],
    );
    settings(&json!({"utc_offset_minutes": 841})).await.problem(
        400,
        "invalid_parameters",
        &["utc_offset_minutes"],
    );
    settings(&json!({"utc_offset_minutes": 99_999}))
        .await
        .problem(400, "invalid_parameters", &["utc_offset_minutes"]);
    let now = send(&world, Method::GET, "/settings", &Value::Null)
        .await
        .expect(200);
    assert_eq!(now["utc_offset_minutes"], -300);
}

#[tokio::test]
async fn rules_are_made_from_templates() {
    let world = World::new().await;
    let (pay, fund, trip, card) = (&world.pay, &world.fund, &world.trip, &world.card);
    let start = "2027-02-01T09:00:00Z";
    let make = async |body: Value| send(&world, Method::POST, "/rules/from-template", &body).await;
    for (body, action) in [
        (
            json!({"template": "profit_first", "source_id": pay, "destinations": [
                {"id": fund, "percentage_value": 30}, {"id": trip, "percentage_value": 12.5}]}),
            "percentage",
        ),
        (
            json!({"template": "tax_reserve", "source_id": trip,
                   "destinations": [{"id": fund, "percentage_value": 25}]}),
            "percentage",
        ),
        (
            json!({"template": "emergency_fund", "source_id": pay, "amount_in_cents": 300_000,
                   "destinations": [{"id": fund}]}),
            "top_up",
        ),
        (
            json!({"template": "debt_avalanche", "source_id": fund, "amount_in_cents": 40_000,
                   "start_date": start,
                   "liabilities": [{"id": card, "interest_rate_percentage": 24.99}]}),
            "avalanche",
        ),
        (
            json!({"template": "debt_snowball", "source_id": fund, "amount_in_cents": 40_000,
                   "start_date": start, "liabilities": [{"id": card}]}),
            "snowball",
        ),
        (
            json!({"template": "wallet_refill", "source_id": fund, "amount_in_cents": 20_000,
                   "start_date": start, "destinations": [{"id": trip}]}),
            "top_up",
        ),
        (
            json!({"template": "bill_pay_ahead", "source_id": fund, "start_date": start,
                   "destinations": [{"id": card}], "nickname": "Amex"}),
            "next_payment_minimum",
        ),
    ] {
        let made = make(body.clone()).await.expect(201);
        assert_eq!(made["status"], "disabled");
        assert_eq!(made["steps"][0]["actions"][0]["type"], action, "{body}");
        assert_eq!(made["warnings"], json!([]), "{body}");
        if body["template"] == "profit_first" {
            world.switch(&id(&made), "enable").await.expect(200);
        }
    }
    let before = world.balance(fund).await;
    world.paycheck(pay, 100_000).await;
    world.quiesce().await;
    assert_eq!(world.balance(fund).await, before + 30_000);
    assert_eq!(world.balance(trip).await, 12_500);
    for (body, field) in [
        (json!({"source_id": pay}), "template"),
        (json!({"template": "magic", "source_id": pay}), "template"),
        (json!({"template": "tax_reserve"}), "source_id"),
        (
            json!({"template": "tax_reserve", "source_id": pay}),
            "destinations",
        ),
        (
            json!({"template": "tax_reserve", "source_id": pay, "destinations": [{"id": fund}]}),
            "destinations",
        ),
        (
            json!({"template": "emergency_fund", "source_id": pay, "destinations": [{"id": fund}]}),
            "amount_in_cents",
        ),
        (
            json!({"template": "bill_pay_ahead", "source_id": pay, "destinations": [{"id": card}]}),
            "start_date",
        ),
        (
            json!({"template": "tax_reserve", "source_id": pay, "start_date": start,
                "destinations": [{"id": fund, "percentage_value": 1}]}),
            "start_date",
        ),
        (
            json!({"template": "tax_reserve", "source_id": pay, "amount_in_cents": 1,
                "destinations": [{"id": fund, "percentage_value": 1}]}),
            "amount_in_cents",
        ),
        (
            json!({"template": "tax_reserve", "source_id": pay,
                "destinations": [{"id": fund, "percentage_value": 101}]}),
            "destinations[0].percentage_value",
        ),
    ] {
        make(body)
            .await
            .problem(400, "invalid_parameters", &[field]);
    }
    let faulty = json!({"template": "bill_pay_ahead", "source_id": pay, "start_date": start,
                        "destinations": [{"id": fund}]});
    make(faulty)
        .await
        .problem(400, "rule_faulty", &["destination"]);
}
