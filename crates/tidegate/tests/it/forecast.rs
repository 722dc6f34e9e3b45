//! Looking ahead through the admin API and the command line.

use axum::http::Method;
use serde_json::{Value, json};

use crate::cli::Desk;
use crate::harness::{Reply, World};
use crate::process::Place;

const DAY: i64 = 86_400_000;

async fn ask(world: &World, body: &Value) -> Reply {
    let path = world.path(&format!("/owners/{}/forecast", world.owner));
    world.server.admin(Method::POST, &path, Some(body)).await
}

fn income(account: &str, schedule: &str, start: &str) -> Value {
    json!({"account_id": account, "amount_in_cents": 100_000, "schedule_type": schedule,
           "start_date": start})
}

/// The moment at which worlds begin.
const NOW: &str = "2027-01-15T08:00:00Z";

#[tokio::test]
async fn assumed_income_arrives_and_nothing_is_written() {
    let world = World::new().await;
    let before = world.snapshot().await;
    let body = json!({"days": 10, "income": [income(&world.pay, "DAILY", NOW)]});
    let told = ask(&world, &body).await.expect(200);
    let names: Vec<&str> = told["accounts"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|account| account["name"].as_str())
        .collect();
    // What the ledger does not hold has no balance to foretell.
    assert_eq!(names, ["Main Payroll", "Emergency Fund", "Vacation"]);
    let days = told["days"].as_array().expect("a list");
    assert_eq!(days.len(), 10);
    // Ten days from now, today included; the first payday is tomorrow at this time.
    assert_eq!(
        days[9]["balances"],
        json!([1_000_000 + 9 * 100_000, 50_000, 0])
    );
    assert_eq!(told["transfers"], 9);
    assert_eq!(told["failed"], 0);
    assert_eq!(told["accounts"][0]["lowest_balance"], 1_000_000);
    world.advance(DAY).await;
    let after = world.snapshot().await;
    assert_eq!(after["accounts"], before["accounts"]);
}

#[tokio::test]
async fn what_is_on_its_way_is_foretold_too() {
    let world = World::new().await;
    world
        .john()
        .transfer(&world.pay, &world.bank, 30_000)
        .await
        .expect(201);
    world
        .john()
        .transfer(&world.bank, &world.fund, 20_000)
        .await
        .expect(201);
    let told = ask(&world, &json!({"days": 2})).await.expect(200);
    assert_eq!(told["days"][1]["balances"], json!([970_000, 70_000, 0]));
    assert_eq!(told["transfers"], 2);
}

#[tokio::test]
async fn questions_are_refused_in_order() {
    let world = World::new().await;
    let before = world.snapshot().await;
    let good = income(&world.pay, "MONTHLY", NOW);
    let with = |field: &str, value: Value| {
        let mut entry = good.clone();
        entry[field] = value;
        json!({"income": [entry]})
    };
    for (body, words) in [
        (json!({"days": 0}), &["days"][..]),
        (json!({"days": 367}), &["days"]),
        (json!({"days": "ten"}), &["days"]),
        (json!({"utc_offset_minutes": 900}), &["utc_offset_minutes"]),
        (json!({"income": 7}), &["income"]),
        (
            with("amount_in_cents", json!(0)),
            &["income[0].amount_in_cents"],
        ),
        (
            with("schedule_type", json!("YEARLY")),
            &["income[0].schedule_type", "MONTHLY"],
        ),
        (with("start_date", json!("soon")), &["income[0].start_date"]),
        (
            json!({"income": [{}]}),
            &["income[0].account_id", "income[0].schedule_type"],
        ),
    ] {
        ask(&world, &body)
            .await
            .problem(400, "invalid_parameters", words);
    }
    let (bank, stranger) = (world.bank.clone(), world.stranger().await);
    for account in [bank, stranger] {
        let body = with("account_id", json!(account));
        ask(&world, &body)
            .await
            .problem(404, "account_not_found", &[]);
    }
    let path = world.path("/owners/own_0000000000000/forecast");
    let reply = world
        .server
        .admin(Method::POST, &path, Some(&json!({})))
        .await;
    reply.problem(404, "not_found", &[]);
    let after = world.snapshot().await;
    let money = |snapshot: &Value| snapshot["transfers"][0].clone();
    assert_eq!(money(&after), money(&before));
}

#[test]
fn the_command_line_shows_a_table() {
    let Desk {
        place,
        process,
        pay,
        ..
    } = Desk::at(Place::new());
    let income = format!("{pay}=5000@WEEKLY@2020-01-06T09:00:00Z");
    let said = place.ok(&["forecast", "--days", "15", "--income", &income]);
    // The first of each week and the last day; 500,000 cents are there, two or three weeks come in.
    assert!(said.contains("Main Payroll"), "{said}");
    assert!(said.contains("510000"), "{said}");
    assert!(said.contains("0 runs of rules"), "{said}");
    let json = place.json(&["forecast", "--days", "3"]);
    assert_eq!(json["days"].as_array().map(Vec::len), Some(3));
    let said = place.fails(2, &["forecast", "--income", "x"]);
    assert!(said.contains("ACCOUNT=AMOUNT@SCHEDULE@START"), "{said}");
    let _ = process;
}
