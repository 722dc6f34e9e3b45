//! `POST /transfers` and `GET /transfers/{id}` of the Multi dialect as its users would tell it.

use serde_json::{Value, json};

use crate::harness::{START, id};
use crate::multi_client::PASSWORD;
use crate::multi_world::{CARD_FUNDS, FUNDS, Instrument, MultiWorld, Party, order};

/// The newest entry of a statement.
async fn newest_entry(world: &MultiWorld, party: &Party, instrument: &Instrument) -> Value {
    let path = instrument.path("/statement");
    let statement = world.client(party).get(&path).await.expect(200);
    statement["entry"][0].clone()
}

/// Panics unless `object` has every member of `expected`, as it stands there.
#[track_caller]
fn has(object: &Value, expected: &Value) {
    for (name, value) in expected.as_object().expect("members") {
        assert_eq!(&object[name], value, "{name} of {object}");
    }
}

fn euros(minor: i64) -> Value {
    json!({"currency": "EUR", "amount": minor})
}

#[tokio::test]
async fn money_moves_at_once_and_the_answer_is_complete() {
    let world = MultiWorld::new().await;
    let (profile, acme) = (&world.profiles.free, &world.acme);
    let body = order(profile, &acme.main, &acme.reserve, "EUR", 12_345);
    let made = world.acme().post("/transfers", &body).await.expect(200);
    let expected = json!({
        "id": made["id"], "profileId": profile,
        "source": acme.main.json(), "destination": acme.reserve.json(),
        "destinationAmount": euros(12_345), "state": "COMPLETED",
        "creationTimestamp": START.0, "executionTimestamp": START.0.to_string(),
    });
    assert_eq!(made, expected);
    let held = [&acme.main, &acme.reserve];
    assert_eq!(world.balances(acme, held).await, [FUNDS - 12_345, 12_345]);
    let path = format!("/transfers/{}", id(&made));
    assert_eq!(world.acme().get(&path).await.expect(200), made);
    let list = world.acme().get("/transfers").await.expect(200);
    assert_eq!(
        list,
        json!({"transfer": [made], "count": 1, "responseCount": 1})
    );
    world.check_sum().await;
}

#[tokio::test]
async fn both_statements_tell_a_transfer_and_only_the_source_its_fee() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let body = order(
        &world.profiles.paid,
        &acme.main,
        &acme.reserve,
        "EUR",
        10_000,
    );
    let made = world.acme().post("/transfers", &body).await.expect(200);
    let line = |moved: i64, after: i64| {
        json!({
            "transactionId": {"type": "TRANSFER", "id": made["id"]}, "entryState": "COMPLETED",
            "transactionAmount": euros(moved), "availableBalanceAdjustment": euros(moved),
            "actualBalanceAdjustment": euros(moved), "balanceAfter": euros(after),
            "availableBalanceAfter": euros(after), "actualBalanceAfter": euros(after),
            "processedTimestamp": START.0,
        })
    };
    // 25 and one percent.
    let paid = newest_entry(&world, acme, &acme.main).await;
    has(&paid, &line(-10_125, FUNDS - 10_125));
    has(
        &paid,
        &json!({"transactionFee": euros(125), "cardholderFee": euros(125)}),
    );
    has(
        &paid["additionalFields"],
        &json!({
            "destinationInstrumentType": "managed_accounts",
            "destinationInstrumentId": acme.reserve.id,
            "destinationInstrumentFriendlyName": "Account",
        }),
    );
    let got = newest_entry(&world, acme, &acme.reserve).await;
    has(&got, &line(10_000, 10_000));
    assert!(got.get("transactionFee").is_none(), "{got}");
    assert!(got.get("cardholderFee").is_none(), "{got}");
    has(
        &got["additionalFields"],
        &json!({
            "sourceInstrumentType": "managed_accounts",
            "sourceInstrumentId": acme.main.id,
            "sourceInstrumentFriendlyName": "Account",
        }),
    );
    world.check_sum().await;
}

#[tokio::test]
async fn accounts_and_prepaid_cards_give_to_each_other() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let (mut main, mut card, mut reserve, mut travel) = (FUNDS, CARD_FUNDS, 0, 0);
    world.moved(&acme.main, &acme.card, 1_000).await;
    (main, card) = (main - 1_000, card + 1_000);
    world.moved(&acme.card, &acme.reserve, 400).await;
    (card, reserve) = (card - 400, reserve + 400);
    world.moved(&acme.card, &acme.travel, 70).await;
    (card, travel) = (card - 70, travel + 70);
    world.moved(&acme.reserve, &acme.main, 8).await;
    (reserve, main) = (reserve - 8, main + 8);
    let held = [&acme.main, &acme.card, &acme.reserve, &acme.travel];
    let expected = [main, card, reserve, travel];
    assert_eq!(world.balances(acme, held).await, expected);
    // A card's statement is like an account's.
    let entry = newest_entry(&world, acme, &acme.travel).await;
    assert_eq!(entry["transactionAmount"], euros(70));
    assert_eq!(
        entry["additionalFields"]["sourceInstrumentType"],
        "managed_cards"
    );
    assert_eq!(
        entry["additionalFields"]["sourceInstrumentId"],
        acme.card.id.as_str()
    );
    world.check_sum().await;
}

#[tokio::test]
async fn the_last_cent_moves_and_not_one_more() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    world.moved(&acme.main, &acme.reserve, FUNDS).await;
    assert_eq!(world.balance(acme, &acme.main).await, 0);
    for minor in [1, FUNDS, i64::MAX] {
        let body = order(
            &world.profiles.free,
            &acme.main,
            &acme.reserve,
            "EUR",
            minor,
        );
        let reply = world.acme().post("/transfers", &body).await;
        reply.conflict("FUNDS_INSUFFICIENT");
    }
    world.moved(&acme.reserve, &acme.main, FUNDS - 1).await;
    world.moved(&acme.reserve, &acme.main, 1).await;
    assert_eq!(world.balance(acme, &acme.main).await, FUNDS);
}

/// Each way to reckon a fee, rounded half to even once, at its edges.
#[tokio::test]
async fn every_kind_of_fee_is_taken_beside_the_amount() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let other_pounds = world.open(acme, &world.profiles.account, "GBP").await;
    let (main, reserve, card, travel) = (&acme.main, &acme.reserve, &acme.card, &acme.travel);
    let rows: [(&Instrument, &Instrument, &str, i64, i64); 14] = [
        // 25 and 1 %: 0.5 and 2.5 fall to the even neighbour, 1.5 rises to it.
        (main, reserve, "EUR", 10_000, 125),
        (main, reserve, "EUR", 50, 25),
        (main, reserve, "EUR", 51, 26),
        (main, reserve, "EUR", 150, 27),
        (main, reserve, "EUR", 250, 27),
        // 2.5 %.
        (main, card, "EUR", 10_000, 250),
        (main, card, "EUR", 20, 0),
        (main, card, "EUR", 60, 2),
        // The lower of 50 and 10 %.
        (card, main, "EUR", 300, 30),
        (card, main, "EUR", 501, 50),
        // The higher of 50 and 10 %.
        (card, travel, "EUR", 300, 50),
        (card, travel, "EUR", 1_000, 100),
        // Flat.
        (&acme.pounds, &other_pounds, "GBP", 1, 40),
        (&acme.pounds, &other_pounds, "GBP", 50_000, 40),
    ];
    for (from, to, currency, minor, fee) in rows {
        let what = format!("{} to {}: {minor}", from.class, to.class);
        let before = world.balances(acme, [from, to]).await;
        let body = order(&world.profiles.paid, from, to, currency, minor);
        let made = world.acme().post("/transfers", &body).await.expect(200);
        assert_eq!(made["destinationAmount"]["amount"], minor, "{what}");
        let expected = [before[0] - minor - fee, before[1] + minor];
        assert_eq!(world.balances(acme, [from, to]).await, expected, "{what}");
        let entry = newest_entry(&world, acme, from).await;
        assert_eq!(entry["transactionAmount"]["amount"], -minor - fee, "{what}");
        let told = entry.get("transactionFee").map(|fee| fee["amount"].clone());
        assert_eq!(told.unwrap_or(json!(0)), fee, "{what}");
    }
    world.check_sum().await;
}

#[tokio::test]
async fn a_fee_is_taken_whole_or_not_at_all() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let required = json!({
        "type": "transfer", "fee_policy": "required",
        "fees": [{"source": "managed_accounts", "destination": "managed_accounts",
                  "currency": "EUR", "type": "PLUS", "flat": 25, "percent": "1"}],
    });
    let required = world.profile(&required).await;
    // Both, exactly: 965 and a fee of 25 and 9.65.
    world.moved(&acme.main, &acme.reserve, 1_000).await;
    let body = order(&required, &acme.reserve, &acme.main, "EUR", 966);
    let reply = world.acme().post("/transfers", &body).await;
    reply.conflict("FUNDS_INSUFFICIENT");
    assert_eq!(world.balance(acme, &acme.reserve).await, 1_000);
    let body = order(&required, &acme.reserve, &acme.main, "EUR", 965);
    world.acme().post("/transfers", &body).await.expect(200);
    assert_eq!(world.balance(acme, &acme.reserve).await, 0);
    let entry = newest_entry(&world, acme, &acme.reserve).await;
    assert_eq!(entry["transactionFee"], euros(35));
    // One cent more, and a profile that does without: no part of the fee is taken.
    world.moved(&acme.main, &acme.reserve, 1_000).await;
    let body = order(&world.profiles.paid, &acme.reserve, &acme.main, "EUR", 966);
    world.acme().post("/transfers", &body).await.expect(200);
    assert_eq!(world.balance(acme, &acme.reserve).await, 34);
    let entry = newest_entry(&world, acme, &acme.reserve).await;
    assert_eq!(entry["transactionAmount"], euros(-966));
    assert!(entry.get("transactionFee").is_none(), "{entry}");
    world.check_sum().await;
}

#[tokio::test]
async fn what_a_caller_adds_comes_back_as_it_was() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let every_character = "aZ09/-?:().$_,'+ #=!\"%&*<>;{@\t\r\nend";
    let (longest, longest_tag) = ("d".repeat(255), "t".repeat(50));
    let additions = [
        json!({}),
        json!({"tag": "rent_2027-01"}),
        json!({"tag": "T"}),
        json!({"tag": longest_tag}),
        json!({"description": "Rent, January"}),
        json!({"description": ""}),
        json!({"description": every_character}),
        json!({"description": longest}),
        json!({"tag": "-", "description": " "}),
    ];
    let mut all = Vec::new();
    for added in &additions {
        let mut body = order(&world.profiles.free, &acme.main, &acme.reserve, "EUR", 1);
        let given = added.as_object().expect("members").clone();
        body.as_object_mut().expect("an object").extend(given);
        let made = world.acme().post("/transfers", &body).await.expect(200);
        for member in ["tag", "description"] {
            assert_eq!(made.get(member), added.get(member), "{added}");
        }
        let path = format!("/transfers/{}", id(&made));
        assert_eq!(world.acme().get(&path).await.expect(200), made, "{added}");
        all.insert(0, made);
    }
    let list = world.acme().get("/transfers").await.expect(200);
    assert_eq!(list["transfer"], json!(all));
}

#[tokio::test]
async fn every_user_of_an_identity_acts_for_it_and_nobody_else_does() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let clerk = json!({"name": "Cy", "surname": "Clerk", "email": "clerk@acme.example"});
    let made = world.acme().post("/users", &clerk).await.expect(200);
    let path = format!("/passwords/{}/create", id(&made));
    let password = json!({"password": {"value": PASSWORD}});
    world.programme().post(&path, &password).await.expect(200);
    let clerk = world
        .programme()
        .login("clerk@acme.example", PASSWORD)
        .await;

    let body = order(&world.profiles.free, &acme.main, &acme.reserve, "EUR", 500);
    let by_root = world.acme().post("/transfers", &body).await.expect(200);
    let by_clerk = clerk.post("/transfers", &body).await.expect(200);
    for user in [&clerk, &world.acme()] {
        let list = user.get("/transfers").await.expect(200);
        assert_eq!(list["transfer"], json!([by_clerk, by_root]));
    }
    for transfer in [&by_root, &by_clerk] {
        let path = format!("/transfers/{}", id(transfer));
        assert_eq!(clerk.get(&path).await.expect(200), *transfer);
        world
            .jane()
            .get(&path)
            .await
            .coded(404, "TRANSFER_NOT_FOUND");
    }
    let hers = world.jane().get("/transfers").await.expect(200);
    assert_eq!(
        hers,
        json!({"transfer": [], "count": 0, "responseCount": 0})
    );
}

#[tokio::test]
async fn the_back_office_acts_in_an_identitys_place() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    let office = world.programme().acting_for(&acme.identity).await;
    let body = order(&world.profiles.paid, &acme.main, &acme.card, "EUR", 1_000);
    let made = office.post("/transfers", &body).await.expect(200);
    assert_eq!(made["state"], "COMPLETED");
    let held = [&acme.main, &acme.card];
    let expected = [FUNDS - 1_025, CARD_FUNDS + 1_000];
    assert_eq!(world.balances(acme, held).await, expected);
    let own = world.moved(&acme.main, &acme.reserve, 1).await;
    for client in [&office, &world.acme()] {
        for transfer in [&made, &own] {
            let path = format!("/transfers/{}", id(transfer));
            assert_eq!(client.get(&path).await.expect(200), *transfer);
        }
        let list = client.get("/transfers?state=COMPLETED").await.expect(200);
        assert_eq!(list["transfer"], json!([own, made]));
        for instrument in held {
            let statement = client.get(&instrument.path("/statement")).await.expect(200);
            let shown = client.get(&instrument.path("")).await.expect(200);
            let now = &shown["balances"]["actualBalance"];
            assert_eq!(statement["entry"][0]["balanceAfter"]["amount"], *now);
        }
    }
    // Nothing of the consumer's is there in the corporate's place.
    let body = order(&world.profiles.free, &world.jane.main, &acme.main, "EUR", 1);
    let reply = office.post("/transfers", &body).await;
    reply.conflict("SOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_statement_adds_up_line_by_line() {
    let world = MultiWorld::new().await;
    let acme = &world.acme;
    for minor in [1_000, 33, 700] {
        let body = order(
            &world.profiles.paid,
            &acme.main,
            &acme.reserve,
            "EUR",
            minor,
        );
        world.acme().post("/transfers", &body).await.expect(200);
        world.moved(&acme.card, &acme.main, minor).await;
    }
    world.deposit(&acme.main, 5_000).await;
    for instrument in [&acme.main, &acme.reserve, &acme.card] {
        let path = instrument.path("/statement?orderByTimestamp=ASC");
        let statement = world.acme().get(&path).await.expect(200);
        let mut balance = 0;
        for entry in statement["entry"].as_array().expect("entries") {
            balance += entry["actualBalanceAdjustment"]["amount"]
                .as_i64()
                .expect("minor units");
            assert_eq!(entry["balanceAfter"]["amount"], balance, "{entry}");
        }
        assert_eq!(world.balance(acme, instrument).await, balance);
        assert_eq!(statement["count"], statement["responseCount"]);
    }
}
