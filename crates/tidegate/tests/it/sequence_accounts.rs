//! `/api/v1/accounts` as its users would tell it.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Neighbour, World, id};
use crate::shape::assert_like;

async fn names(world: &World, query: &str) -> Vec<String> {
    let list = world.john().get(&format!("/accounts{query}")).await.data();
    let list = list.as_array().expect("a list").clone();
    let name = |account: &Value| account["name"].as_str().expect("a name").to_owned();
    list.iter().map(name).collect()
}

#[tokio::test]
async fn the_list_looks_like_the_vendors() {
    let world = World::new().await;
    let example: Value =
        serde_json::from_str(include_str!("seeds/list_accounts.json")).expect("JSON");
    let body = world.john().get("/accounts").await.expect(200);
    assert_like(&example, &body);
    // The example's three accounts, field by field where the world has the same.
    for (index, account) in [(0, &world.pay), (1, &world.fund), (2, &world.card)] {
        let example = &example["data"][index];
        let list = body["data"].as_array().expect("a list");
        let actual = list.iter().find(|found| id(found) == *account);
        let actual = actual.expect("it is listed");
        for name in [
            "type",
            "description",
            "external_account_type",
            "beneficiary_name",
            "institution_name",
            "can_be_source",
            "can_be_destination",
        ] {
            assert_eq!(example[name], actual[name], "{index} {name}");
        }
    }
}

#[tokio::test]
async fn the_list_is_whole_oldest_first_and_filtered_by_type() {
    let world = World::new().await;
    let (pay, fund, trip) = ("Main Payroll", "Emergency Fund", "Vacation");
    let (bank, card, broker) = (
        "Chase Checking ••8810",
        "Amex Gold ••1234",
        "Vanguard ••7702",
    );
    assert_eq!(
        names(&world, "").await,
        [pay, fund, trip, bank, card, broker]
    );
    assert_eq!(names(&world, "?type=income_source").await, [pay]);
    assert_eq!(names(&world, "?type=pod").await, [fund, trip]);
    assert_eq!(
        names(&world, "?type=external_account").await,
        [bank, card, broker]
    );
    // There is no paging: what belongs to it is not known here, and no page_info is answered.
    let body = world.john().get("/accounts?first=1").await.expect(200);
    assert_eq!(body["data"].as_array().map(Vec::len), Some(6));
    assert_eq!(body.get("page_info"), None);
    for index in 0..150 {
        let body = json!({"type": "pod", "name": format!("Pod {index}")});
        world.open(&body).await;
    }
    assert_eq!(names(&world, "?type=pod").await.len(), 152);
}

#[tokio::test]
async fn what_is_closed_in_another_currency_or_a_neighbours_is_not_there() {
    let world = World::new().await;
    let neighbour = Neighbour::of(&world).await;
    let euros = world
        .open(&json!({"type": "pod", "name": "Euros", "currency": "EUR"}))
        .await;
    world.set_state(&world.trip, "close").await.expect(200);
    let listed = names(&world, "").await;
    for absent in ["Vacation", "Euros", "Hers"] {
        assert!(!listed.iter().any(|name| name == absent), "{absent}");
    }
    for account in [&world.trip, &euros, &neighbour.pod] {
        let reply = world.john().get(&format!("/accounts/{account}")).await;
        reply.refused(404, "not_found", &["account"]);
    }
    world.set_state(&world.fund, "block").await.expect(200);
    assert!(
        names(&world, "")
            .await
            .contains(&"Emergency Fund".to_owned())
    );
}

#[tokio::test]
async fn an_account_shows_masked_details_and_what_can_be_spent() {
    let world = World::new().await;
    let hold = json!({"amount_in_cents": 12_000});
    let path = world.path(&format!("/accounts/{}/holds", world.fund));
    world.server.admin_post(&path, &hold).await;
    world.advance(61_000).await;

    let fund = world
        .john()
        .get(&format!("/accounts/{}", world.fund))
        .await
        .data();
    assert_eq!(fund["routing_number"], Value::Null);
    let balance = json!({
        "balance_in_cents": 50_000,
        "available_balance_in_cents": 38_000,
        "last_statement_balance_in_cents": null,
        "last_statement_date": null,
        "next_payment_minimum_in_cents": null,
        "next_payment_due_date": null,
        "balance_last_updated_at": "2027-01-15T08:01:01Z",
        "error": null,
        "interest_rate_percentage": null,
        "original_loan_amount_in_cents": null,
    });
    assert_eq!(fund["balance"], balance);

    let pay = world
        .john()
        .get(&format!("/accounts/{}", world.pay))
        .await
        .data();
    assert_eq!(pay["bank_account_number"], "••••4567");
    assert_eq!(pay["routing_number"], "••••0021");
    assert_eq!(pay["balance"]["balance_in_cents"], 1_000_000);
}

#[tokio::test]
async fn an_account_elsewhere_shows_what_its_bank_reported() {
    let world = World::new().await;
    let card = world
        .john()
        .get(&format!("/accounts/{}", world.card))
        .await
        .data();
    assert_eq!(card["external_account_type"], "LIABILITY");
    assert_eq!(card["bank_account_number"], "••••1234");
    let balance = &card["balance"];
    assert_eq!(
        balance["balance_in_cents"], 245_000,
        "what is owed, positive"
    );
    assert_eq!(balance["available_balance_in_cents"], Value::Null);
    assert_eq!(balance["last_statement_balance_in_cents"], 198_000);
    assert_eq!(balance["last_statement_date"], "2027-01-02");
    assert_eq!(balance["next_payment_minimum_in_cents"], 3_500);
    assert_eq!(balance["next_payment_due_date"], "2027-02-01");
    assert_eq!(balance["balance_last_updated_at"], "2027-01-15T08:00:00Z");
    // Of the other one nothing is known.
    let bank = world
        .john()
        .get(&format!("/accounts/{}", world.bank))
        .await
        .data();
    assert_eq!(bank["balance"], Value::Null);
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let world = World::new().await;
    for (key, status) in [(&*world.key, 200), ("", 401)] {
        let call = Call::new(Method::HEAD, "/api/v1/accounts").key(key);
        let reply = world.server.call(call.header("x-request-id", "mine")).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("x-request-id"), Some("mine"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_summary_and_its_details_agree() {
    let world = World::new().await;
    let list = world.john().get("/accounts").await.data();
    for summary in list.as_array().expect("a list") {
        let details = world
            .john()
            .get(&format!("/accounts/{}", id(summary)))
            .await;
        let details = details.data();
        for (name, value) in summary.as_object().expect("an object") {
            assert_eq!(details[name], *value, "{name}");
        }
    }
}
