//! `/api/v1/cards`: cards that Multi made, and what was paid with them, as Sequence tells it.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{World, id};
use crate::wallet::{Wallet, card_id};

async fn cards(world: &World, query: &str) -> Vec<Value> {
    let list = world
        .john()
        .get(&format!("/cards?{query}"))
        .await
        .expect(200);
    assert!(list.get("page_info").is_none(), "the list is whole");
    list["data"].as_array().expect("a list").clone()
}

fn ids(list: &[Value]) -> Vec<String> {
    list.iter().map(id).collect()
}

#[tokio::test]
async fn cards_are_listed_by_the_account_they_spend_from() {
    let world = World::new().await;
    let wallet = Wallet::of(&world).await;
    let account = wallet.account.acc();
    let of_account = cards(&world, &format!("account_id={account}")).await;
    assert_eq!(
        ids(&of_account),
        [card_id(&wallet.debit), card_id(&wallet.other)]
    );
    let user = wallet.user(&world);
    let told = user.get(&wallet.debit.path("")).await.expect(200);
    assert_eq!(
        of_account[0],
        json!({
            "id": card_id(&wallet.debit), "type": "virtual", "status": "active",
            "last_four": told["cardNumberLastFour"], "holder_name": "Jane Doe",
            "expiration_date": "01/30", "account_id": account,
            "created_at": "2027-01-15T08:00:00Z",
        })
    );
    assert_eq!(told["expiryMmyy"], "0130");
    // A prepaid card is a pod with a card.
    let prepaid = wallet.prepaid.acc();
    let of_prepaid = cards(&world, &format!("account_id={prepaid}")).await;
    assert_eq!(ids(&of_prepaid), [card_id(&wallet.prepaid)]);
    assert_eq!(of_prepaid[0]["account_id"], prepaid);
    // Others have none; what is in euros is not there at all.
    for account in [&world.fund, &wallet.euros.acc(), &wallet.debit.acc()] {
        assert_eq!(
            cards(&world, &format!("account_id={account}")).await,
            [] as [Value; 0]
        );
    }
    let one = format!("/cards/{}", card_id(&wallet.debit));
    assert_eq!(world.john().get(&one).await.data(), of_account[0]);
    let euros = format!("/cards/{}", card_id(&wallet.euros));
    world
        .john()
        .get(&euros)
        .await
        .refused(404, "not_found", &["card"]);
    // An account is no card, whatever it is spelled like.
    let pod = world.fund.replace("acc_", "card_");
    let pod = world.john().get(&format!("/cards/{pod}")).await;
    pod.refused(404, "not_found", &["card"]);
}

#[tokio::test]
async fn the_status_of_a_card_is_what_was_done_to_it() {
    let world = World::new().await;
    let wallet = Wallet::of(&world).await;
    let account = wallet.account.acc();
    let status = async |card: &crate::multi_world::Instrument| {
        let path = format!("/cards/{}", card_id(card));
        world.john().get(&path).await.data()["status"].clone()
    };
    let user = wallet.user(&world);
    let act = async |card: &crate::multi_world::Instrument, what: &str| {
        user.act(&card.path(what)).await.bare(204);
    };
    act(&wallet.debit, "/block").await;
    assert_eq!(status(&wallet.debit).await, "frozen");
    act(&wallet.debit, "/unblock").await;
    assert_eq!(status(&wallet.debit).await, "active");
    act(&wallet.other, "/remove").await;
    assert_eq!(status(&wallet.other).await, "inactive");
    for (query, expected) in [
        ("status=active", vec![card_id(&wallet.debit)]),
        ("status=inactive", vec![card_id(&wallet.other)]),
        ("status=frozen", vec![]),
        ("status=lost", vec![]),
        ("status=stolen", vec![]),
        (
            "type=virtual",
            vec![card_id(&wallet.debit), card_id(&wallet.other)],
        ),
        ("type=physical", vec![]),
        ("type=virtual&status=active", vec![card_id(&wallet.debit)]),
    ] {
        let list = cards(&world, &format!("account_id={account}&{query}")).await;
        assert_eq!(ids(&list), expected, "{query}");
    }
}

#[tokio::test]
async fn what_a_card_paid_is_its_own() {
    let world = World::new().await;
    let wallet = Wallet::of(&world).await;
    for cents in [100, 200, 300] {
        wallet
            .at_merchant(&world, &wallet.debit, "purchase", cents)
            .await;
        wallet
            .at_merchant(&world, &wallet.other, "purchase", cents + 5)
            .await;
        world.advance(1_000).await;
    }
    wallet
        .at_merchant(&world, &wallet.debit, "merchant_refund", 50)
        .await;
    let path = format!("/cards/{}/transactions", card_id(&wallet.debit));
    let john = world.john();
    let all = john.get(&path).await.expect(200);
    let seen = |list: &Value| -> Vec<(String, i64)> {
        let items = list["data"].as_array().expect("a list").iter();
        let told = items.map(|item| {
            let direction = item["direction"].as_str().expect("a word").to_owned();
            (direction, item["amount_in_cents"].as_i64().expect("cents"))
        });
        told.collect()
    };
    let debit = |cents| ("debit".to_owned(), cents);
    let credit = ("credit".to_owned(), 50);
    assert_eq!(
        seen(&all),
        [credit.clone(), debit(300), debit(200), debit(100)]
    );
    let first = &all["data"][3];
    assert!(id(first).starts_with("ctx_"));
    let mut expected = first.clone();
    expected["card_id"] = json!(card_id(&wallet.debit));
    expected["status"] = json!("complete");
    expected["description"] = json!("Café");
    expected["created_at"] = json!("2027-01-15T08:00:00Z");
    expected["completed_at"] = json!("2027-01-15T08:00:00Z");
    assert_eq!(*first, expected);
    assert_eq!(first.as_object().map(serde_json::Map::len), Some(8));
    for (query, expected) in [
        ("direction=credit", vec![credit.clone()]),
        ("direction=debit&first=1", vec![debit(300)]),
        (
            "from=2027-01-15T08:00:01Z&to=2027-01-15T08:00:02Z",
            vec![debit(300), debit(200)],
        ),
        ("to=2027-01-15T07:59:59Z", vec![]),
        ("from=2027-01-15T08:00:02Z&to=2027-01-15T08:00:01Z", vec![]),
    ] {
        let list = john.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(seen(&list), expected, "{query}");
    }
    // Two pages, and none after the last.
    let page = john.get(&format!("{path}?first=3")).await.expect(200);
    assert_eq!(page["page_info"]["has_next_page"], true);
    let cursor = page["page_info"]["end_cursor"].as_str().expect("a cursor");
    let rest = john.get(&format!("{path}?first=3&after={cursor}")).await;
    let rest = rest.expect(200);
    assert_eq!(seen(&rest), [debit(100)]);
    assert_eq!(rest["page_info"]["has_next_page"], false);
    let cursor = rest["page_info"]["end_cursor"].as_str().expect("a cursor");
    let none = john
        .get(&format!("{path}?after={cursor}"))
        .await
        .expect(200);
    assert_eq!(
        none["page_info"],
        json!({"has_next_page": false, "end_cursor": null})
    );
    // The money is that of the account, in whose transfers it stands as before.
    assert_eq!(
        world.balance(&wallet.account.acc()).await,
        100_000 - 615 - 600 + 50
    );
    // What is closed has still paid.
    wallet
        .user(&world)
        .act(&wallet.debit.path("/remove"))
        .await
        .bare(204);
    let after = john.get(&path).await.expect(200);
    assert_eq!(after["data"], all["data"]);
    // In Multi it is the statement of the card.
    let statement = wallet.debit.path("/statement");
    let statement = wallet.user(&world).get(&statement).await.expect(200);
    assert_eq!(statement["count"], 4);
    assert!(
        statement.get("startBalance").is_none(),
        "it has no money of its own"
    );
    let entry = &statement["entry"][0];
    assert_eq!(entry["transactionId"]["type"], "MERCHANT_REFUND");
    assert_eq!(
        entry["transactionAmount"],
        json!({"currency": "USD", "amount": 50})
    );
}

#[tokio::test]
async fn a_key_sees_the_cards_of_its_accounts() {
    let world = World::new().await;
    let wallet = Wallet::of(&world).await;
    wallet
        .at_merchant(&world, &wallet.debit, "purchase", 100)
        .await;
    let debit = format!("/cards/{}", card_id(&wallet.debit));
    let prepaid = format!("/cards/{}", card_id(&wallet.prepaid));
    let entry = json!([{"scope": "READ_CARDS", "resources": [wallet.account.acc()]}]);
    let key = world.with_permissions(&entry).await;
    key.get(&debit).await.expect(200);
    key.get(&format!("{debit}/transactions")).await.expect(200);
    key.get(&format!("/cards?account_id={}", wallet.account.acc()))
        .await
        .expect(200);
    for path in [
        prepaid.clone(),
        format!("{prepaid}/transactions"),
        format!("/cards?account_id={}", wallet.prepaid.acc()),
        // The card is not the account it spends from.
        format!("/cards?account_id={}", wallet.debit.acc()),
    ] {
        key.get(&path).await.refused(403, "forbidden", &[]);
    }
}

/// An account that cards spend from is deleted after them, and an empty prepaid card as any pod.
#[tokio::test]
async fn accounts_with_cards_stay_until_the_cards_are_gone() {
    let world = World::new().await;
    let wallet = Wallet::of(&world).await;
    let account = format!("/accounts/{}", wallet.account.acc());
    let delete = async |path: &str| world.john().send(Method::DELETE, path, None).await;
    let refused = delete(&account).await;
    refused.refused(409, "balance_not_zero", &["100000"]);
    let body = json!({"account_id": wallet.account.acc(), "amount_in_cents": 100_000});
    let path = world.path("/simulate/external-pull");
    world.server.admin_post(&path, &body).await;
    delete(&account).await.refused(409, "linked_cards", &[]);
    let user = wallet.user(&world);
    for card in [&wallet.debit, &wallet.other] {
        user.act(&card.path("/remove")).await.bare(204);
    }
    delete(&account).await.expect(204);
    delete(&format!("/accounts/{}", wallet.prepaid.acc()))
        .await
        .expect(204);
    let gone = user.get(&wallet.prepaid.path("")).await.expect(200);
    assert_eq!(gone["state"]["state"], "DESTROYED");
}
