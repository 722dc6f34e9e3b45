//! The tables of the routes about cards.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Ground, LONG, NOBODY};
use crate::harness::Call;
use crate::wallet::{Wallet, card_id};

tables! {
    "GET /cards" => list_cards_in_order, list_cards;
    "GET /cards/{id}" => get_card_in_order, get_card;
    "GET /cards/{id}/transactions" => list_transactions_in_order, list_transactions;
}

const NO_CARD: &str = "card_0000000000009";
const INVALID: &str = "invalid_parameters";

impl Ground {
    async fn cards_of(&self, resources: Value) -> String {
        self.key(json!([{"scope": "READ_CARDS", "resources": resources}]))
            .await
    }

    async fn without_cards(&self) -> String {
        self.key(json!([{"scope": "READ_ACCOUNTS", "resources": "*"}]))
            .await
    }
}

fn at(call: &Call, path: String) -> Call {
    Call {
        path,
        ..call.clone()
    }
}

async fn list_cards(ground: &Ground) {
    let wallet = Wallet::of(&ground.world).await;
    let path = "/api/v1/cards";
    let call = Call::get(format!("{path}?status=melted&type=wooden")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::POST).await;
    let call = call.key(&ground.without_cards().await);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let account = wallet.account.acc();
    let call = call.key(&ground.cards_of(json!([account])).await);
    let words = ["X-Request-ID"];
    ground
        .refuse("a long request id", call.clone(), 400, INVALID, &words)
        .await;
    let call = call.header("x-request-id", "short");
    let names = ["account_id is required", "status", "type"];
    ground
        .refuse("all is wrong", call.clone(), 400, INVALID, &names)
        .await;
    let empty = at(&call, format!("{path}?account_id="));
    ground
        .refuse("no account", empty, 400, INVALID, &["account_id"])
        .await;
    for (query, word) in [
        ("status=ACTIVE", "status"),
        ("status=", "status"),
        ("status=active&status=lost", "status"),
        ("type=VIRTUAL", "type"),
    ] {
        let call = at(&call, format!("{path}?account_id={NOBODY}&{query}"));
        ground.refuse(query, call, 400, INVALID, &[word]).await;
    }
    for account in [NOBODY, &ground.neighbour.pod, &ground.world.fund, "x"] {
        let call = at(&call, format!("{path}?account_id={account}"));
        ground.refuse(account, call, 403, "forbidden", &[]).await;
    }
    let right = at(&call, format!("{path}?account_id={account}"));
    ground.world.server.call(right.clone()).await.expect(200);
    // A neighbour's star does not reach it.
    let hers = right.key(&ground.neighbour.key);
    let none = ground.world.server.call(hers).await.expect(200);
    assert_eq!(none["data"], json!([]));
}

/// The rows about the card of the path.
async fn card_rows(ground: &Ground, wallet: &Wallet, call: Call, rest: &str) {
    let path = |card: &str| format!("/api/v1/cards/{card}{rest}");
    let narrow = ground.cards_of(json!([ground.world.fund])).await;
    let call = call.key(&narrow);
    for nobody in [NO_CARD, "card_x", "x"] {
        let call = at(&call, path(nobody));
        ground
            .refuse(nobody, call, 404, "not_found", &["card"])
            .await;
    }
    let call = at(&call, path(&card_id(&wallet.debit)));
    ground
        .refuse("not covered", call.clone(), 403, "forbidden", &[])
        .await;
    let hers = call.clone().key(&ground.neighbour.key);
    ground
        .refuse("a neighbour's", hers, 404, "not_found", &["card"])
        .await;
    let call = call.key(&ground.cards_of(json!([wallet.account.acc()])).await);
    ground.world.server.call(call).await.expect(200);
}

async fn get_card(ground: &Ground) {
    let wallet = Wallet::of(&ground.world).await;
    let path = "/api/v1/cards";
    let call = Call::get(format!("{path}/{NO_CARD}")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = call.key(&ground.without_cards().await);
    let words = ["X-Request-ID"];
    ground
        .refuse("a long request id", call.clone(), 400, INVALID, &words)
        .await;
    let call = call.header("x-request-id", "short");
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    card_rows(ground, &wallet, call, "").await;
}

async fn list_transactions(ground: &Ground) {
    let world = &ground.world;
    let wallet = Wallet::of(world).await;
    wallet
        .at_merchant(world, &wallet.debit, "purchase", 100)
        .await;
    let path = "/api/v1/cards";
    let wrong = "transactions?direction=up&from=now&to=then&first=101&after=x";
    let call = Call::get(format!("{path}/{NO_CARD}/{wrong}")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::POST).await;
    let call = call.key(&ground.without_cards().await);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let call = call.key(&ground.cards_of(json!([world.fund])).await);
    let words = ["X-Request-ID"];
    ground
        .refuse("a long request id", call.clone(), 400, INVALID, &words)
        .await;
    let call = call.header("x-request-id", "short");
    let names = ["direction", "from", "to", "first", "after"];
    ground
        .refuse("all is wrong", call.clone(), 400, INVALID, &names)
        .await;
    // A cursor is looked at after the card.
    let hers = format!(
        "/transactions?after=cursor_{}",
        &ground.neighbour.transfer[4..]
    );
    let nobody = at(&call, format!("{path}/{NO_CARD}{hers}"));
    ground
        .refuse("nobody's", nobody, 404, "not_found", &["card"])
        .await;
    let debit = card_id(&wallet.debit);
    let outside = at(&call, format!("{path}/{debit}{hers}"));
    ground
        .refuse("not covered", outside.clone(), 403, "forbidden", &[])
        .await;
    let covered = outside.key(&ground.cards_of(json!([wallet.account.acc()])).await);
    ground
        .refuse(
            "a neighbour's cursor",
            covered.clone(),
            400,
            INVALID,
            &["after"],
        )
        .await;
    // A transfer that no card made is no place in this list.
    let paid = world.paycheck(&world.pay, 100).await;
    let paid = crate::harness::id(&paid);
    let other = at(
        &covered,
        format!("{path}/{debit}/transactions?after=cursor_{}", &paid[4..]),
    );
    ground
        .refuse("another cursor", other, 400, INVALID, &["after"])
        .await;
    card_rows(ground, &wallet, covered, "/transactions").await;
}
