//! Rules that ask the user's own server for an amount.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use service::Settings;

use crate::harness::{RAIL_MS, Reply, Server, World};
use crate::receiver::{Received, Receiver, Told};

const MINUTE: i64 = 60_000;
/// The waits of a run that has no answer.
const WAITS: [i64; 3] = [MINUTE, 5 * MINUTE, 30 * MINUTE];

/// A world with a rule that asks what to move from the income source to the fund.
struct Asking {
    world: World,
    receiver: Receiver,
    rule: String,
}

impl Asking {
    async fn new() -> Asking {
        let server = Server::with(Settings {
            rail_delay_ms: RAIL_MS,
            webhook_networks: vec!["127.0.0.0/8".parse().expect("a network")],
            amount_query_time: Duration::from_millis(300),
            ..Settings::default()
        });
        let world = World::on(server.await).await;
        let receiver = Receiver::new().await;
        let rule = world.rule_on(&asks(&world, 1)).await;
        let asking = Asking {
            world,
            receiver,
            rule,
        };
        asking.source(&asking.receiver.url()).await.expect(200);
        asking
    }

    fn path(&self) -> String {
        self.world
            .path(&format!("/rules/{}/amount-source", self.rule))
    }

    async fn source(&self, url: &str) -> Reply {
        let body = json!({"url": url});
        let server = &self.world.server;
        server.admin(Method::PUT, &self.path(), Some(&body)).await
    }

    /// Triggers the rule and answers the id of its run.
    async fn trigger(&self) -> String {
        let path = format!("/rules/{}/trigger", self.rule);
        let reply = self.world.john().post(&path, &json!({})).await;
        let run = reply.expect(202)["data"]["execution_id"].clone();
        self.world.quiesce().await;
        run.as_str().expect("an id").to_owned()
    }

    async fn run(&self, run: &str) -> Value {
        let path = format!("/rule-executions/{run}?include=explanation");
        self.world.john().get(&path).await.data()
    }

    /// The run, once it does not wait any more.
    async fn ended(&self, run: &str) -> Value {
        Receiver::until(async || {
            self.world.quiesce().await;
            self.run(run).await["status"] != "in_progress"
        })
        .await;
        self.run(run).await
    }

    async fn fund(&self) -> i64 {
        self.world.balance(&self.world.fund).await
    }
}

/// A rule with so many actions that ask.
fn asks(world: &World, actions: usize) -> Value {
    let action = json!({
        "type": "queried_amount", "group_index": 0,
        "source": {"id": world.pay, "type": "income_source"},
        "destination": {"id": world.fund, "type": "pod"},
    });
    json!({
        "nickname": "Ask me", "status": "disabled",
        "trigger": {"type": "MANUAL", "account_id": world.pay},
        "steps": [{"conditions": null, "actions": vec![action; actions]}],
    })
}

fn cents(cents: i64) -> impl Fn(&Received, usize) -> Told + Send + 'static {
    move |_, _| Told::body(json!({"amountInCents": cents}).to_string())
}

#[tokio::test]
async fn a_good_answer_is_moved() {
    let asking = Asking::new().await;
    asking.receiver.tell(cents(25_000));
    let before = asking.fund().await;
    let run = asking.trigger().await;
    let ended = asking.ended(&run).await;
    assert_eq!(ended["status"], "executed", "{ended}");
    assert_eq!(asking.fund().await, before + 25_000);
    let questions = asking.receiver.all();
    assert_eq!(questions.len(), 1);
    let question = &questions[0];
    assert_eq!(
        question.json(),
        json!({"ruleId": asking.rule, "executionId": run, "stepIndex": 0, "actionIndex": 0})
    );
    assert_eq!(question.header("content-type"), "application/json");
    assert_eq!(question.header("idempotency-key"), format!("{run}-0-0"));
    let shown = asking.world.server.admin_get(&asking.path()).await;
    let secret = shown["secret"].as_str().expect("shown");
    assert_eq!(
        question.header("x-sequence-signature"),
        format!("Bearer {secret}")
    );
    assert_eq!(shown["url"], asking.receiver.url());
    // Another rule has another secret.
    let other = asking.world.rule(&asks(&asking.world, 1)).await;
    let path = asking.world.path(&format!("/rules/{other}/amount-source"));
    let body = json!({"url": asking.receiver.url()});
    let server = &asking.world.server;
    let other = server.admin(Method::PUT, &path, Some(&body)).await;
    assert_ne!(other.expect(200)["secret"], shown["secret"]);
    // Nothing to move is an answer too.
    asking.receiver.tell(cents(0));
    let run = asking.trigger().await;
    assert_eq!(asking.ended(&run).await["status"], "executed");
    assert_eq!(asking.fund().await, before + 25_000);
}

#[tokio::test]
async fn all_amounts_of_a_step_are_asked_for_together() {
    let asking = Asking::new().await;
    let rule = asking.world.rule_on(&asks(&asking.world, 5)).await;
    let asking = Asking { rule, ..asking };
    asking.source(&asking.receiver.url()).await.expect(200);
    asking.receiver.tell(|received, _| {
        let action = received.json()["actionIndex"].as_i64().expect("a number");
        Told::body(json!({"amountInCents": 1_000 + action}).to_string())
    });
    let before = asking.fund().await;
    let run = asking.trigger().await;
    assert_eq!(asking.ended(&run).await["status"], "executed");
    assert_eq!(asking.fund().await, before + 5_010);
    assert_eq!(asking.receiver.all().len(), 5);
}

#[tokio::test]
async fn after_a_failure_it_is_asked_again_by_the_tenants_clock() {
    let asking = Asking::new().await;
    asking.receiver.answer(|_, _| 500);
    let before = asking.fund().await;
    let run = asking.trigger().await;
    asking.receiver.wait(1).await;
    let waiting = asking.run(&run).await;
    assert_eq!(waiting["status"], "in_progress");
    assert_eq!(waiting["next_attempt_at"], "2027-01-15T08:01:00Z");
    // However often somebody looks, it is asked once until its time has come.
    asking.world.advance(MINUTE - 1).await;
    asking.receiver.tell(cents(700));
    asking.world.advance(1).await;
    let ended = asking.ended(&run).await;
    assert_eq!(ended["status"], "executed");
    assert_eq!(asking.fund().await, before + 700);
    assert_eq!(asking.receiver.all().len(), 2);
}

/// Whatever is no amount ends in the same way: asked three times, failed, and the reason told.
async fn fails(told: impl Fn(&Received, usize) -> Told + Send + 'static) -> Asking {
    let asking = Asking::new().await;
    asking.receiver.tell(told);
    let before = asking.fund().await;
    let run = asking.trigger().await;
    for (index, wait) in WAITS.into_iter().enumerate() {
        asking.receiver.wait(index + 1).await;
        assert_eq!(asking.run(&run).await["status"], "in_progress");
        asking.world.advance(wait).await;
    }
    let ended = asking.ended(&run).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert_eq!(
        ended["error_message"],
        "The amount was asked for and not answered."
    );
    let explanation = ended["explanation"].to_string();
    assert!(
        explanation.contains("AMOUNT_QUERY_UNANSWERED"),
        "{explanation}"
    );
    assert_eq!(asking.fund().await, before);
    assert_eq!(asking.receiver.all().len(), 3);
    asking
}

#[tokio::test]
async fn garbage_is_no_amount() {
    fails(|_, before| match before {
        0 => Told::body("<html>"),
        1 => Told::body(r#"{"amountInCents": -5}"#),
        _ => Told::body(r#"{"amountInCents": 1.5}"#),
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for() {
    let hang = || Told {
        hangs: true,
        ..Told::status(200)
    };
    fails(move |_, _| hang()).await;
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    fails(|_, _| {
        let mut body = br#"{"amountInCents": 100, "filler": ""#.to_vec();
        body.resize(1 << 20, b'x');
        body.extend_from_slice(br#""}"#);
        Told::body(body)
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::new().await;
    elsewhere.tell(cents(100));
    let location = elsewhere.url();
    fails(move |_, _| Told {
        location: Some(location.clone()),
        ..Told::status(307)
    })
    .await;
    assert!(elsewhere.all().is_empty());
}

#[tokio::test]
async fn a_run_that_waits_is_asked_for_again_after_a_restart() {
    let mut asking = Asking::new().await;
    asking.receiver.tell(|_, _| Told {
        hangs: true,
        ..Told::status(200)
    });
    let before = asking.fund().await;
    let run = asking.trigger().await;
    asking.receiver.wait(1).await;
    asking.receiver.tell(cents(300));
    asking.world.server.restart().await;
    let ended = asking.ended(&run).await;
    assert_eq!(ended["status"], "executed");
    assert_eq!(asking.fund().await, before + 300);
    assert_eq!(asking.receiver.all().len(), 2);
    // What has run is not asked for again.
    asking.world.server.restart().await;
    let next = asking.trigger().await;
    asking.ended(&next).await;
    let last = asking.receiver.all().pop().expect("asked");
    assert_eq!(asking.receiver.all().len(), 3);
    assert_eq!(last.json()["executionId"], next);
    assert_eq!(asking.fund().await, before + 600);
}

#[tokio::test]
async fn a_source_goes_where_webhooks_may_go() {
    let asking = Asking::new().await;
    for url in [
        "http://10.0.0.1/x",
        "https://192.168.1.1/",
        "ftp://example.com",
        "nonsense",
        "",
    ] {
        let refused = asking.source(url).await;
        refused.problem(400, "invalid_parameters", &["url"]);
    }
    let server = &asking.world.server;
    assert_eq!(
        server.admin_get(&asking.path()).await["url"],
        asking.receiver.url()
    );
    let nobody = asking.world.path("/rules/rule_0000000000009/amount-source");
    let body = json!({"url": asking.receiver.url()});
    let refused = server.admin(Method::PUT, &nobody, Some(&body)).await;
    refused.problem(404, "not_found", &["rule"]);
    let deleted = server.admin(Method::DELETE, &asking.path(), None).await;
    deleted.expect(204);
    for method in [Method::GET, Method::DELETE] {
        let gone = server.admin(method, &asking.path(), None).await;
        gone.problem(404, "not_found", &["amount source"]);
    }
    // A rule without a source waits as long, and fails.
    let run = asking.trigger().await;
    for wait in WAITS {
        asking.world.advance(wait).await;
    }
    assert_eq!(asking.ended(&run).await["status"], "failed");
    assert!(asking.receiver.all().is_empty());
    // Only operators make such rules.
    let refused = asking
        .world
        .john()
        .post("/rules", &asks(&asking.world, 1))
        .await;
    refused.refused(
        400,
        "invalid_parameters",
        &["steps[0].actions[0].type must be one of"],
    );
    let shown = format!("/rules/{}", asking.rule);
    let shown = asking.world.john().get(&shown).await.data();
    assert_eq!(shown["steps"][0]["actions"][0]["type"], "queried_amount");
}
