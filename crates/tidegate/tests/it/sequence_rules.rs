//! Rules over `/api/v1`: written by keys, switched on by operators, run by money, time and hand.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, RAIL_MS, Reply, World, id};

/// 20 % of what comes in to `from` goes to `to`.
pub fn split(from: &str, to: &str) -> Value {
    json!({
        "nickname": "Auto-save on deposit",
        "description": "Saves 20% of every incoming deposit",
        "status": "enabled",
        "trigger": {"type": "ON_FUNDS_TRANSFERRED", "account_id": from},
        "steps": [{"conditions": null, "actions": [{
            "type": "percentage", "percentage_value": 20, "percentage_target": "INCOMING_AMOUNT",
            "source": {"id": from, "type": "income_source"}, "destination": {"id": to, "type": "pod"},
            "group_index": 0, "up_to_enabled": false, "is_direct_deposit": false,
        }]}],
    })
}

/// A rule with one action that runs by hand.
fn by_hand(account: &str, action: Value) -> Value {
    json!({
        "nickname": "By hand", "status": "disabled",
        "trigger": {"type": "MANUAL", "account_id": account},
        "steps": [{"actions": [action]}],
    })
}

fn fixed(to: &str, cents: i64) -> Value {
    json!({"type": "fixed_amount", "amount_in_cents": cents, "destination": {"id": to}})
}

impl World {
    /// Makes a rule as an operator and answers its id.
    pub async fn rule(&self, rule: &Value) -> String {
        id(&self.server.admin_post(&self.path("/rules"), rule).await)
    }

    /// `enable` or `disable`.
    pub async fn switch(&self, rule: &str, action: &str) -> Reply {
        let path = self.path(&format!("/rules/{rule}/{action}"));
        self.server.admin(Method::POST, &path, None).await
    }

    /// A rule that is on.
    pub async fn rule_on(&self, rule: &Value) -> String {
        let rule = self.rule(rule).await;
        self.switch(&rule, "enable").await.expect(200);
        rule
    }

    /// The runs of a rule as the public API tells them, newest first.
    pub async fn runs(&self, rule: &str) -> Vec<Value> {
        let path = format!("/rule-executions?rule_id={rule}");
        let list = self.john().get(&path).await;
        list.data().as_array().expect("a list").clone()
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Reply {
        let mut call = Call::new(method, format!("/api/v1{path}")).key(&self.key);
        if let Some(key) = key {
            call = call.header("idempotency-key", key);
        }
        if !body.is_null() {
            call = call.json(body);
        }
        self.server.call(call).await
    }

    async fn trigger(&self, rule: &str, body: &Value) -> Reply {
        let path = format!("/rules/{rule}/trigger");
        self.send(Method::POST, &path, None, body).await
    }

    /// The run that a trigger's answer names, when nothing is due any more.
    async fn ran(&self, triggered: &Reply) -> Value {
        let run = triggered.expect(202)["data"]["execution_id"].clone();
        self.quiesce().await;
        let path = format!("/rule-executions/{}", run.as_str().expect("an id"));
        self.john().get(&path).await.data()
    }
}

#[tokio::test]
async fn a_paycheck_splits_itself() {
    let world = World::new().await;
    let body = split(&world.pay, &world.fund);
    let made = world.john().post("/rules", &body).await;
    let made = made.expect(201)["data"].take();
    // Whatever its writer said, it is off.
    assert_eq!(made["status"], "disabled");
    assert_eq!(made["warnings"], json!([]));
    let rule = id(&made);
    world.paycheck(&world.pay, 100_000).await;
    world.quiesce().await;
    assert!(world.runs(&rule).await.is_empty());

    world.switch(&rule, "enable").await.expect(200);
    let john = world.john();
    let list = john.get("/rules").await.data();
    assert_eq!(list[0]["id"], rule);
    assert_eq!(list[0]["status"], "enabled");
    assert_eq!(list[0]["trigger_type"], "ON_FUNDS_TRANSFERRED");
    assert_eq!(
        list[0]["source"],
        json!({"id": world.pay, "type": "income_source", "name": "Main Payroll"})
    );
    let of = async |account: &str| {
        let list = world
            .john()
            .get(&format!("/rules?source_id={account}"))
            .await;
        list.data().as_array().map(Vec::len)
    };
    assert_eq!(of(&world.pay).await, Some(1));
    assert_eq!(of(&world.fund).await, Some(0));
    let whole = john.get(&format!("/rules/{rule}")).await.data();
    let action = &whole["steps"][0]["actions"][0];
    assert_eq!(action["percentage_value"], 20);
    assert_eq!(action["destination"]["name"], "Emergency Fund");
    assert_eq!(
        whole["trigger"],
        json!({"type": "ON_FUNDS_TRANSFERRED", "account_id": world.pay})
    );
    assert_eq!(whole.get("warnings"), None);

    let before = world.balance(&world.fund).await;
    world.paycheck(&world.pay, 123_450).await;
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, before + 24_690);
    let runs = world.runs(&rule).await;
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!(run["status"], "executed");
    assert_eq!(run["trigger_type"], "on_funds_transferred");
    assert_eq!(
        run["trigger_details"],
        json!({"type": "on_funds_transferred", "amount_in_cents": 123_450})
    );
    assert_eq!(run["step_index_matched"], 0);
    assert_eq!(run["transfers_completed"], 1);
    assert_eq!(run.get("explanation"), None);
    let transfer = run["transfer_ids"][0].as_str().expect("an id");
    let transfer = world.transfer(transfer).await;
    assert_eq!(transfer["origin"], "rule");
    assert_eq!(transfer["rule_id"], rule);
    assert_eq!(transfer["rule_execution_id"], run["id"]);
    let path = format!(
        "/transfers?account_id={}&rule_execution_id={}",
        world.fund,
        id(run)
    );
    let list = world.john().get(&path).await.data();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0], transfer);

    let path = format!("/rule-executions/{}?include=explanation", id(run));
    let explained = world.john().get(&path).await.data();
    let action = &explained["explanation"]["actions"][0];
    assert_eq!(action["moved_in_cents"], 24_690);
    assert_eq!(action["outcome"], "moved");
    assert_eq!(
        action["terms"],
        json!([
            {"name": "incoming_amount", "account_id": null, "amount_in_cents": 123_450,
             "percentage_value": null},
            {"name": "share", "account_id": null, "amount_in_cents": null, "percentage_value": 20},
        ])
    );
}

#[tokio::test]
async fn a_rule_is_run_by_hand_with_an_amount() {
    let world = World::new().await;
    let rule = world.rule_on(&split(&world.pay, &world.trip)).await;
    let amount = json!({"manual_execute_amount": 50_000});
    let run = world.ran(&world.trigger(&rule, &amount).await).await;
    assert_eq!(
        run["trigger_details"],
        json!({"type": "manual", "amount_in_cents": 50_000})
    );
    assert_eq!(world.balance(&world.trip).await, 10_000);
    // Without an amount nothing is known to have come in; a body is not needed.
    let run = world.ran(&world.trigger(&rule, &Value::Null).await).await;
    assert_eq!(
        run["trigger_details"],
        json!({"type": "manual", "amount_in_cents": null})
    );
    assert_eq!(run["status"], "executed");
    assert_eq!(run["transfers_attempted"], 1);
    assert_eq!(run["transfer_ids"], json!([]));
    assert_eq!(world.balance(&world.trip).await, 10_000);
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first() {
    let world = World::new().await;
    let send = async |method: Method, path: &str, body: &Value| {
        let call = Call::new(method, format!("/api/v1{path}"))
            .key(&world.key)
            .header("idempotency-key", "once");
        let call = if body.is_null() {
            call
        } else {
            call.json(body)
        };
        world.server.call(call).await
    };
    let body = split(&world.pay, &world.fund);
    let made = send(Method::POST, "/rules", &body).await;
    let rule = id(&made.expect(201)["data"]);
    let mut changed = body.clone();
    changed["nickname"] = json!("Changed");
    let path = format!("/rules/{rule}");
    let put = send(Method::PUT, &path, &changed).await;
    assert_eq!(put.expect(200)["data"]["nickname"], "Changed");
    // The members stand in another order; the body is the same.
    let again = Call::post("/api/v1/rules")
        .key(&world.key)
        .header("idempotency-key", "once")
        .json_text(format!(" {body}"));
    let again = world.server.call(again).await;
    assert_eq!((again.status, &again.bytes), (201, &made.bytes));
    world.switch(&rule, "enable").await.expect(200);
    let again = send(Method::PUT, &path, &changed).await;
    assert_eq!((again.status, &again.bytes), (200, &put.bytes));
    let now = world.john().get(&path).await.data();
    assert_eq!(now["status"], "enabled", "nothing was changed again");

    let trigger = format!("{path}/trigger");
    let amount = json!({"manual_execute_amount": 5_000});
    let first = send(Method::POST, &trigger, &amount).await;
    first.expect(202);
    world.quiesce().await;
    let again = send(Method::POST, &trigger, &amount).await;
    assert_eq!((again.status, &again.bytes), (202, &first.bytes));
    world.quiesce().await;
    assert_eq!(world.runs(&rule).await.len(), 1);
    assert_eq!(world.balance(&world.fund).await, 51_000);

    for _ in 0..2 {
        send(Method::DELETE, &path, &Value::Null).await.expect(204);
    }
    world
        .john()
        .get(&path)
        .await
        .refused(404, "not_found", &["rule"]);
    let list = world.john().get("/rules").await.data();
    assert_eq!(list, json!([]));
    // What it did stays.
    assert_eq!(world.runs(&rule).await.len(), 1);
}

#[tokio::test]
async fn a_changed_rule_is_off_until_it_is_switched_on_again() {
    let world = World::new().await;
    let rule = world.rule_on(&split(&world.pay, &world.fund)).await;
    let mut changed = split(&world.pay, &world.trip);
    changed["description"] = Value::Null;
    let path = format!("/rules/{rule}");
    let put = world
        .send(Method::PUT, &path, None, &changed)
        .await
        .expect(200);
    assert_eq!(put["data"]["status"], "disabled");
    assert_eq!(put["data"]["description"], Value::Null);
    world.paycheck(&world.pay, 10_000).await;
    world.quiesce().await;
    assert_eq!(world.balance(&world.trip).await, 0);
    world
        .trigger(&rule, &json!({}))
        .await
        .refused(403, "rule_deactivated", &[]);
    world.switch(&rule, "enable").await.expect(200);
    world.paycheck(&world.pay, 10_000).await;
    world.quiesce().await;
    assert_eq!(world.balance(&world.trip).await, 2_000);
    assert_eq!(world.balance(&world.fund).await, 50_000);
}

#[tokio::test]
async fn every_fault_is_named_with_its_path() {
    let world = World::new().await;
    let stranger = world.stranger().await;
    let mut body = split(&world.pay, &world.fund);
    body["steps"] = json!([
        {"actions": [
            {"type": "percentage", "percentage_value": 10, "destination": {"id": world.pay}},
            {"type": "top_up", "destination": {"id": stranger}},
        ]},
        {"conditions": {"any": []}, "actions": [
            {"type": "avalanche", "amount_in_cents": 100, "liabilities": [{"id": world.card}]},
        ]},
    ]);
    let reply = world.john().post("/rules", &body).await;
    reply.refused(
        400,
        "rule_faulty",
        &[
            "steps[0].actions[0].destination must be another account than the source",
            "steps[0].actions[0].percentage_target is required",
            "steps[0].actions[1].destination belongs to another owner",
            "steps[0].actions[1] must have exactly one of an amount and the three accounts",
            "steps[1].conditions.any must have at least one member",
            "steps[1].actions[0].liabilities[0].interest_rate_percentage is required",
        ],
    );
}

#[tokio::test]
async fn what_may_not_work_is_told_and_what_cannot_is_refused() {
    let world = World::new().await;
    let mut body = split(&world.pay, &world.fund);
    body["trigger"] = json!({
        "type": "SCHEDULED", "schedule_type": "DAILY", "start_date": "2027-01-16T08:00:00Z",
        "account_id": world.pay,
    });
    let made = world.john().post("/rules", &body).await.expect(201);
    assert_eq!(
        made["data"]["warnings"],
        json!([{
            "code": "amount_never_known", "severity": "warning",
            "path": "steps[0].actions[0].percentage_target",
            "message": "A run by the time does not know an incoming amount.",
        }])
    );
    assert_eq!(made["data"]["trigger"]["schedule_type"], "DAILY");
    // A rule that would set itself off can never be switched on, whatever others there are.
    let mut own = split(&world.fund, &world.trip);
    own["steps"][0]["actions"] = json!([
        {"type": "fixed_amount", "amount_in_cents": 1_000, "source": {"id": world.pay},
         "destination": {"id": world.fund}},
    ]);
    let reply = world.john().post("/rules", &own).await;
    reply.refused(
        400,
        "rule_unsound",
        &["steps[0].actions[0].destination: ", "set itself off"],
    );
    // Of two rules that set each other off each can be kept, and one switched on.
    let there = world.rule_on(&split(&world.fund, &world.trip)).await;
    let back = world
        .john()
        .post("/rules", &split(&world.trip, &world.fund))
        .await;
    let back = id(&back.expect(201)["data"]);
    let refused = world.switch(&back, "enable").await;
    refused.problem(
        409,
        "rule_unsound",
        &["steps[0].actions[0].destination", "round"],
    );
    world.switch(&there, "disable").await.expect(200);
    world.switch(&back, "enable").await.expect(200);
}

#[tokio::test]
async fn words_are_read_in_any_case_and_shown_in_one() {
    let world = World::new().await;
    let mut body = by_hand(
        &world.pay,
        json!({"type": "fixed", "amount_in_cents": 500, "destination": {"id": world.fund}}),
    );
    body["trigger"]["type"] = json!("manual");
    body["status"] = json!("DISABLED");
    body["steps"] = json!([{
        "conditions": {"condition": {
            "fact": "balance", "operator": "greater_than", "value_fact": "next_payment_minimum_amount",
            "params": {"account_id": world.pay, "value_account_id": world.card},
        }},
        "actions": [
            body["steps"][0]["actions"][0],
            {"type": "PERCENTAGE", "percentage_value": 33.25, "percentage_target": "source_account",
             "group_index": 1, "destination": {"id": world.trip},
             "limit": {"period": "per_month", "amount_in_cents": 50_000}},
        ],
    }]);
    let made = world.john().post("/rules", &body).await.expect(201)["data"].take();
    assert_eq!(made["trigger"]["type"], "MANUAL");
    let step = &made["steps"][0];
    assert_eq!(
        step["conditions"]["condition"],
        json!({
            "fact": "BALANCE", "operator": "GREATER_THAN", "value": null,
            "value_fact": "NEXT_PAYMENT_MINIMUM_AMOUNT",
            "params": {"account_id": world.pay, "value_account_id": world.card},
        })
    );
    assert_eq!(step["actions"][0]["type"], "fixed_amount");
    assert_eq!(step["actions"][1]["percentage_value"].to_string(), "33.25");
    assert_eq!(step["actions"][1]["percentage_target"], "SOURCE_ACCOUNT");
    assert_eq!(
        step["actions"][1]["limit"],
        json!({"period": "PER_MONTH", "amount_in_cents": 50_000})
    );
    // What was shown can be sent back.
    let mut back = made.clone();
    back["nickname"] = json!("Sent back");
    let path = format!("/rules/{}", id(&made));
    let put = world
        .send(Method::PUT, &path, None, &back)
        .await
        .expect(200);
    assert_eq!(put["data"]["steps"], made["steps"]);
}

#[tokio::test]
async fn a_run_is_partial_when_a_later_transfer_lacks_money() {
    let world = World::new().await;
    let mut rule = by_hand(&world.fund, fixed(&world.trip, 30_000));
    rule["steps"][0]["actions"] = json!([
        fixed(&world.trip, 30_000),
        fixed(&world.pay, 1),
        fixed(&world.trip, 30_000)
    ]);
    // An income source only gives.
    let reply = world.john().post("/rules", &rule).await;
    reply.refused(
        400,
        "rule_faulty",
        &["steps[0].actions[1].destination cannot be a destination"],
    );
    rule["steps"][0]["actions"] = json!([fixed(&world.trip, 30_000), fixed(&world.card, 30_000)]);
    let rule = world.rule_on(&rule).await;
    let run = world.ran(&world.trigger(&rule, &json!({})).await).await;
    assert_eq!(run["status"], "partial");
    assert_eq!(
        run["error_message"],
        "Insufficient funds in source account."
    );
    assert_eq!(
        (&run["transfers_completed"], &run["transfers_failed"]),
        (&json!(1), &json!(1))
    );
    let failed = run["transfer_ids"][1].as_str().expect("recorded too");
    let failed = world.transfer(failed).await;
    assert_eq!(failed["status"], "incomplete");
    assert_eq!(failed["error_code"], "INSUFFICIENT_FUNDS");
    assert_eq!(world.balance(&world.fund).await, 20_000);
}

#[tokio::test]
async fn a_run_is_in_progress_until_its_payment_has_settled() {
    let world = World::new().await;
    let rule = world
        .rule_on(&by_hand(&world.pay, fixed(&world.card, 20_000)))
        .await;
    let run = world.ran(&world.trigger(&rule, &json!({})).await).await;
    assert_eq!(run["status"], "in_progress");
    assert_eq!(run["transfers_pending"], 1);
    world.advance(RAIL_MS).await;
    let run = world.runs(&rule).await.remove(0);
    assert_eq!(run["status"], "executed");
    assert_eq!(
        (&run["transfers_pending"], &run["transfers_completed"]),
        (&json!(0), &json!(1))
    );
}

#[tokio::test]
async fn a_schedule_keeps_its_hours_over_restarts() {
    let mut world = World::new().await;
    let mut daily = by_hand(&world.pay, fixed(&world.trip, 1_000));
    daily["trigger"] = json!({
        "type": "SCHEDULED", "schedule_type": "daily", "start_date": "2027-01-15T09:00:00Z",
        "account_id": world.pay,
    });
    let rule = world.rule_on(&daily).await;
    const HOUR: i64 = 3_600_000;
    world.advance(HOUR - 1).await;
    assert!(world.runs(&rule).await.is_empty());
    world.server.restart().await;
    world.advance(1).await;
    let runs = world.runs(&rule).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(
        runs[0]["trigger_details"],
        json!({"type": "scheduled", "scheduled_time": "2027-01-15T09:00:00Z"})
    );
    world.advance(24 * HOUR).await;
    assert_eq!(world.runs(&rule).await.len(), 2);
    assert_eq!(world.balance(&world.trip).await, 2_000);
}

#[tokio::test]
async fn runs_are_listed_page_by_page_and_filtered() {
    let world = World::new().await;
    let rule = world.rule_on(&split(&world.pay, &world.fund)).await;
    let mut newest_first = Vec::new();
    for number in 0..5 {
        world.advance(60_000).await;
        match number {
            // A fifth of 4.00 is less than a dollar.
            2 => drop(
                world
                    .ran(
                        &world
                            .trigger(&rule, &json!({"manual_execute_amount": 400}))
                            .await,
                    )
                    .await,
            ),
            _ => drop(world.paycheck(&world.pay, 10_000).await),
        }
        world.quiesce().await;
        newest_first.insert(0, id(&world.runs(&rule).await[0]));
    }
    let list = async |query: &str| {
        let path = format!("/rule-executions?rule_id={rule}{query}");
        let body = world.john().get(&path).await.expect(200);
        let ids: Vec<String> = body["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(id)
            .collect();
        (ids, body["page_info"].clone())
    };
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (ids, info) = list(&format!("&first=2{after}")).await;
        seen.extend(ids);
        let cursor = info["end_cursor"].as_str().expect("not empty").to_owned();
        after = format!("&after={cursor}");
        if info["has_next_page"] == false {
            break;
        }
    }
    assert_eq!(seen, newest_first);
    let failed = vec![newest_first[2].clone()];
    assert_eq!(list("&status=failed").await.0, failed);
    assert_eq!(list("&trigger_type=manual").await.0, failed);
    assert_eq!(
        list("&status=executed&trigger_type=on_funds_transferred")
            .await
            .0
            .len(),
        4
    );
    assert_eq!(list("&trigger_type=scheduled").await.0.len(), 0);
    let (from, to) = ("2027-01-15T08:02:00Z", "2027-01-15T08:03:00Z");
    assert_eq!(
        list(&format!("&from={from}&to={to}")).await.0,
        newest_first[2..4]
    );
    assert_eq!(list(&format!("&from={to}&to={from}")).await.0.len(), 0);
    let path = format!("/rule-executions?rule_id={rule}&include=explanation");
    let body = world.john().get(&path).await.data();
    assert_eq!(
        body[2]["explanation"]["actions"][0]["reason"],
        "TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR"
    );
}

#[tokio::test]
async fn a_neighbour_sees_and_touches_nothing() {
    let world = World::new().await;
    let hers = crate::harness::Neighbour::of(&world).await;
    let rule = world.rule_on(&split(&world.pay, &world.fund)).await;
    let eve = world.as_key(&hers.key);
    assert_eq!(eve.get("/rules").await.data(), json!([]));
    eve.get(&format!("/rules/{rule}"))
        .await
        .refused(404, "not_found", &["rule"]);
    let list = eve.get(&format!("/rule-executions?rule_id={rule}")).await;
    assert_eq!(list.data(), json!([]));
    let reply = eve
        .post(&format!("/rules/{rule}/trigger"), &json!({}))
        .await;
    reply.refused(404, "not_found", &["rule"]);
    let reply = eve.post("/rules", &split(&world.pay, &world.fund)).await;
    reply.refused(400, "rule_faulty", &["trigger.account_id does not exist"]);
}
