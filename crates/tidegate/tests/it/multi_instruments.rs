//! Managed accounts and cards, their statements, and the simulator that pays into and out of them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::Server;
use crate::multi_client::{MultiClient, PASSWORD};

/// A programme with profiles and one verified corporate.
struct Ground {
    server: Server,
    key: String,
    token: String,
    accounts: String,
    prepaid: String,
    debit: String,
    transfers: String,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

impl Ground {
    async fn new() -> Ground {
        let server = Server::new().await;
        let tenant = server.tenant("Acme", "sandbox").await;
        let key = server.key(&tenant, &json!([{"scope": "PROGRAMME"}])).await;
        let profiles = format!("/tenants/{tenant}/profiles");
        let profile = async |body: Value| {
            let made = server.admin_post(&profiles, &body).await;
            made["multi_id"].as_str().expect("an id").to_owned()
        };
        let accounts = profile(json!({
            "name": "Accounts", "type": "managed_account", "currencies": ["EUR", "USD"],
        }));
        let accounts = accounts.await;
        let prepaid = json!({"name": "Prepaid", "type": "managed_card", "mode": "prepaid"});
        let prepaid = profile(prepaid).await;
        let debit = json!({"name": "Debit", "type": "managed_card", "mode": "debit"});
        let debit = profile(debit).await;
        let transfers = profile(json!({
            "name": "Transfers", "type": "transfer",
            "fees": [{"source": "managed_accounts", "destination": "managed_cards",
                      "currency": "EUR", "type": "PLUS", "flat": 10, "percent": "1.25"}],
        }));
        let transfers = transfers.await;
        let corporates = json!({"name": "Corporates", "type": "corporate"});
        let corporates = profile(corporates).await;
        let programme = MultiClient::new(&server, &key);
        programme.corporate(&corporates, "jane@example.com").await;
        let user = programme.login("jane@example.com", PASSWORD).await;
        let token = user.token().to_owned();
        Ground {
            server,
            key,
            token,
            accounts,
            prepaid,
            debit,
            transfers,
        }
    }

    fn user(&self) -> MultiClient<'_> {
        MultiClient::new(&self.server, &self.key).with_token(&self.token)
    }

    async fn account(&self) -> Value {
        let body = json!({"profileId": self.accounts, "friendlyName": "Main", "currency": "EUR"});
        self.user()
            .post("/managed_accounts", &body)
            .await
            .expect(200)
    }

    fn prepaid(&self) -> Value {
        json!({
            "profileId": self.prepaid, "friendlyName": "Travel", "nameOnCard": "Zoë Borg",
            "billingAddress": {"addressLine1": "1 Road", "city": "Valletta", "postCode": "VLT 1",
                               "country": "MT"},
            "mode": "PREPAID_MODE", "currency": "EUR",
        })
    }

    fn debit(&self, account: &Value) -> Value {
        let mut card = self.prepaid();
        card["profileId"] = json!(self.debit);
        card["mode"] = json!("DEBIT_MODE");
        card["parentManagedAccountId"] = account["id"].clone();
        card.as_object_mut().expect("an object").remove("currency");
        card
    }

    async fn card(&self, body: &Value) -> Value {
        self.user().post("/managed_cards", body).await.expect(200)
    }

    async fn deposit(&self, account: &Value, amount: i64) {
        let body = json!({"depositAmount": {"currency": "EUR", "amount": amount},
                          "reference": "Invoice 7", "senderName": "Ada"});
        let path = format!("/accounts/{}/deposit", id(account));
        let answer = self.user().simulator().post(&path, &body).await;
        assert_eq!(answer.expect(200), json!({"code": "COMPLETED"}));
    }

    async fn at_merchant(&self, card: &Value, what: &str, amount: i64) -> Value {
        let body = json!({"merchantName": "Café", "transactionAmount":
                          {"currency": "EUR", "amount": amount}});
        let path = format!("/cards/{}/{what}", id(card));
        let answer = self.user().simulator().post(&path, &body).await.expect(200);
        answer["code"].clone()
    }
}

fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

fn eur(amount: i64) -> Value {
    json!({"currency": "EUR", "amount": amount})
}

#[tokio::test]
async fn an_account_from_its_opening_to_its_end() {
    let ground = Ground::new().await;
    let user = ground.user();
    let account = ground.account().await;
    let path = format!("/managed_accounts/{}", id(&account));
    assert_eq!(account["profileId"], json!(ground.accounts));
    assert_eq!(account["state"], json!({"state": "ACTIVE"}));
    let nothing = json!({"availableBalance": 0, "actualBalance": 0});
    assert_eq!(account["balances"], nothing);
    assert_eq!(user.get(&path).await.expect(200), account);
    let renamed = json!({"friendlyName": "Reserve", "tag": "r"});
    let renamed = user.patch(&path, &renamed).await.expect(200);
    assert_eq!(
        (&renamed["friendlyName"], &renamed["tag"]),
        (&json!("Reserve"), &json!("r"))
    );
    user.act(&format!("{path}/unblock"))
        .await
        .conflict("INSTRUMENT_NOT_BLOCKED");
    user.act(&format!("{path}/block")).await.bare(204);
    let blocked = json!({"state": "BLOCKED", "blockedReason": "USER"});
    assert_eq!(user.get(&path).await.expect(200)["state"], blocked);
    user.act(&format!("{path}/block"))
        .await
        .conflict("INSTRUMENT_ALREADY_BLOCKED");
    user.act(&format!("{path}/unblock")).await.bare(204);
    ground.deposit(&account, 5).await;
    user.act(&format!("{path}/remove"))
        .await
        .conflict("BALANCE_NOT_ZERO");
    let card = ground.card(&ground.debit(&account)).await;
    assert_eq!(ground.at_merchant(&card, "purchase", 5).await, "APPROVED");
    user.act(&format!("{path}/remove"))
        .await
        .conflict("INSTRUMENT_HAS_LINKED_CARDS");
    user.act(&format!("/managed_cards/{}/remove", id(&card)))
        .await
        .bare(204);
    user.act(&format!("{path}/remove")).await.bare(204);
    user.act(&format!("{path}/remove"))
        .await
        .conflict("INSTRUMENT_ALREADY_REMOVED");
    user.act(&format!("{path}/block"))
        .await
        .conflict("INSTRUMENT_DESTROYED");
    user.act(&format!("{path}/unblock"))
        .await
        .conflict("INSTRUMENT_DESTROYED");
    let changed = user.patch(&path, &json!({})).await;
    changed.coded(409, "INSTRUMENT_DESTROYED");
    let gone = json!({"state": "DESTROYED", "destroyedReason": "USER"});
    assert_eq!(user.get(&path).await.expect(200)["state"], gone);
}

#[tokio::test]
async fn cards_of_both_modes() {
    let ground = Ground::new().await;
    let user = ground.user();
    let account = ground.account().await;
    let prepaid = ground.card(&ground.prepaid()).await;
    assert_eq!(prepaid["mode"], "PREPAID_MODE");
    assert_eq!(prepaid["cardLevelClassification"], "CORPORATE");
    assert_eq!(
        (&prepaid["cardNumber"], &prepaid["cvv"]),
        (&json!({}), &json!({}))
    );
    assert_eq!(prepaid["balances"]["actualBalance"], 0);
    let debit = ground.card(&ground.debit(&account)).await;
    assert_eq!(debit["parentManagedAccountId"], account["id"]);
    assert_eq!(
        (debit.get("balances"), &debit["currency"]),
        (None, &json!("EUR"))
    );
    let path = format!("/managed_cards/{}", id(&prepaid));
    let change = json!({"nameOnCard": "Zoe Borg", "renewalType": "RENEW",
                        "billingAddress": {"addressLine1": "2 Road", "city": "V", "postCode": "1",
                                           "country": "IT"}});
    let changed = user.patch(&path, &change).await.expect(200);
    assert_eq!(changed["nameOnCard"], "Zoe Borg");
    assert_eq!(changed["billingAddress"]["country"], "IT");
    assert_eq!(changed["expiryMmyy"], prepaid["expiryMmyy"]);
    assert_eq!(user.get(&path).await.expect(200), changed);
    let plastic = json!({"deliveryMethod": "COURIER"});
    user.patch(&path, &plastic)
        .await
        .conflict("INSTRUMENT_NOT_PHYSICAL");
    let abroad = json!({"billingAddress": {"addressLine1": "2", "city": "V", "postCode": "1",
                                           "country": "ZZ"}});
    user.patch(&path, &abroad).await.conflict("COUNTRY_INVALID");
    let mut other_mode = ground.prepaid();
    other_mode["profileId"] = json!(ground.debit);
    let refused = user.post("/managed_cards", &other_mode).await;
    refused.conflict("PAYMENT_MODEL_CONSTRAINTS_VIOLATED");
    let nobody = ground.debit(&json!({"id": "1"}));
    let refused = user.post("/managed_cards", &nobody).await;
    refused.conflict("PARENT_MANAGED_ACCOUNT_NOT_FOUND");
    let path = format!("/managed_cards/{}", id(&debit));
    user.act(&format!("{path}/block")).await.bare(204);
    assert_eq!(
        ground.at_merchant(&debit, "purchase", 5).await,
        "DENIED_CARD_INACTIVE"
    );
    user.act(&format!("{path}/unblock")).await.bare(204);
    // An id of the other class is one that nobody has.
    let wrong = format!("/managed_accounts/{}", id(&debit));
    user.get(&wrong).await.coded(404, "INSTRUMENT_NOT_FOUND");
}

/// Each of five requests at the same time changes another field: none of them undoes another.
#[tokio::test]
async fn changes_of_one_card_at_the_same_time_are_all_kept() {
    let ground = Ground::new().await;
    let user = ground.user();
    let card = ground.card(&ground.prepaid()).await;
    let path = format!("/managed_cards/{}", id(&card));
    for round in 1..=8 {
        let text = |what: &str| json!(format!("{what} {round}"));
        let changes = [
            ("nameOnCard", text("Zoe")),
            ("nameOnCardLine2", text("Borg")),
            (
                "cardholderMobileNumber",
                json!(format!("+3567921234{round}")),
            ),
            (
                "externalData",
                json!([{"name": "trip", "value": text("t")}]),
            ),
            ("tag", json!(format!("tag-{round}"))),
        ];
        let change = async |index: usize| {
            let (field, value) = &changes[index];
            let mut body = json!({});
            body[*field] = value.clone();
            user.patch(&path, &body).await.expect(200)
        };
        tokio::join!(change(0), change(1), change(2), change(3), change(4));
        let card = user.get(&path).await.expect(200);
        for (field, value) in &changes {
            assert_eq!(&card[*field], value, "{field} in round {round}");
        }
    }
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let ground = Ground::new().await;
    let user = ground.user();
    let account = ground.account().await;
    let mut card = ground.prepaid();
    card["tag"] = json!("t");
    card["renewalType"] = json!("RENEW");
    let prepaid = ground.card(&card).await;
    let debit = ground.card(&ground.debit(&account)).await;
    let last_four = prepaid["cardNumberLastFour"].as_str().expect("digits");
    let handle = prepaid["externalHandle"].as_str().expect("a code");
    let parent = id(&account);
    let (both, first, second, none) = (
        vec![id(&debit), id(&prepaid)],
        vec![id(&prepaid)],
        vec![id(&debit)],
        Vec::new(),
    );
    for (query, expected, count) in [
        ("", &both, 2),
        ("limit=1", &second, 2),
        ("limit=1&offset=1", &first, 2),
        ("tag=t", &first, 1),
        ("mode=DEBIT_MODE", &second, 1),
        (&*format!("parentManagedAccountId={parent}"), &second, 1),
        ("type=PHYSICAL", &none, 0),
        ("manufacturingState=SENT_FOR_FULFILLMENT", &none, 0),
        ("type=VIRTUAL&state=ACTIVE&friendlyName=Travel", &both, 2),
        ("renewalType=RENEW", &first, 1),
        ("cardNumberFirstSix=555555&limit=1&offset=1", &first, 2),
        ("cardNumberFirstSix=411111", &none, 0),
        (
            &*format!("externalHandle={handle}&cardNumberLastFour={last_four}"),
            &first,
            1,
        ),
        ("externalHandle=nonsense", &none, 0),
        ("state.blockedReason=USER", &none, 0),
        ("currency=ZZZ", &none, 0),
        ("createdTo=1", &none, 0),
        ("userId=7", &none, 0),
    ] {
        let page = user
            .get(&format!("/managed_cards?{query}"))
            .await
            .expect(200);
        let found: Vec<&str> = page["cards"]
            .as_array()
            .expect("cards")
            .iter()
            .map(id)
            .collect();
        assert_eq!(found, *expected, "{query}");
        assert_eq!(
            (&page["count"], &page["responseCount"]),
            (&json!(count), &json!(found.len())),
            "{query}"
        );
    }
    let page = user
        .get("/managed_accounts?currency=EUR&state=ACTIVE")
        .await
        .expect(200);
    assert_eq!(page["accounts"], json!([account]));
    let wrong = user.get("/managed_accounts?state=GONE&limit=0").await;
    wrong.invalid(&[("limit", "RANGE"), ("state", "NOT_IN")]);
}

#[tokio::test]
async fn statements_in_both_forms() {
    let ground = Ground::new().await;
    let user = ground.user();
    let account = ground.account().await;
    let card = ground.card(&ground.prepaid()).await;
    ground.deposit(&account, 10_000).await;
    ground.server.advance(1_000);
    let transfer = json!({
        "profileId": ground.transfers, "destinationAmount": eur(1_000),
        "source": {"id": account["id"], "type": "managed_accounts"},
        "destination": {"id": card["id"], "type": "managed_cards"},
    });
    let transfer = user.post("/transfers", &transfer).await.expect(200);
    assert_eq!(ground.at_merchant(&card, "purchase", 300).await, "APPROVED");
    assert_eq!(
        ground.at_merchant(&card, "merchant_refund", 50).await,
        "APPROVED"
    );
    let path = format!("/managed_accounts/{}/statement", id(&account));
    let statement = user.get(&path).await.expect(200);
    assert_eq!(
        (&statement["count"], &statement["responseCount"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(statement["startBalance"], eur(0));
    // 10 and 1.25 % of 1000: 22.5 goes to the even neighbour.
    assert_eq!(statement["endBalance"], eur(10_000 - 1_022));
    let paid = &statement["entry"][0];
    assert_eq!(
        paid["transactionId"],
        json!({"type": "TRANSFER", "id": transfer["id"]})
    );
    assert_eq!(
        (&paid["transactionAmount"], &paid["transactionFee"]),
        (&eur(-1_022), &eur(22))
    );
    assert_eq!(
        paid["additionalFields"]["destinationInstrumentId"],
        card["id"]
    );
    assert_eq!(
        statement["entry"][1]["additionalFields"]["senderReference"],
        "Invoice 7"
    );
    let since = transfer["creationTimestamp"].as_i64().expect("a time");
    let late = user
        .get(&format!("{path}?fromTimestamp={since}"))
        .await
        .expect(200);
    assert_eq!(
        (&late["count"], &late["startBalance"]),
        (&json!(1), &eur(10_000))
    );
    let path = format!("/managed_cards/{}/statement", id(&card));
    let query = "?transactionType=SETTLEMENT&transactionType=TRANSFER&orderByTimestamp=ASC";
    let chosen = user.get(&format!("{path}{query}")).await.expect(200);
    let types: Vec<&Value> = chosen["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| &entry["transactionId"]["type"])
        .collect();
    assert_eq!(types, ["TRANSFER", "SETTLEMENT"]);
    let call = user.call(Method::GET, &path).header("accept", "text/csv");
    let csv = user.send(call).await;
    assert_eq!(csv.status, 200);
    assert!(
        csv.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/csv"))
    );
    let lines: Vec<&str> = csv.text().lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with("MERCHANT_REFUND,") && lines[1].contains("Café"));
    let debit = ground.card(&ground.debit(&account)).await;
    let path = format!("/managed_cards/{}/statement", id(&debit));
    let empty = json!({"entry": [], "count": 0, "responseCount": 0});
    assert_eq!(user.get(&path).await.expect(200), empty);
    let wrong = user
        .get(&format!("{path}?fromTimestamp=5&toTimestamp=5"))
        .await;
    wrong.invalid(&[("toTimestamp", "RANGE")]);
}

#[tokio::test]
async fn the_simulator_denies_with_a_code() {
    let ground = Ground::new().await;
    let simulator = ground.user().simulator();
    let account = ground.account().await;
    let card = ground.card(&ground.prepaid()).await;
    let deposit = async |path: &str, sum: Value| {
        let body = json!({"depositAmount": sum});
        simulator.post(path, &body).await.expect(200)["code"].clone()
    };
    let path = format!("/accounts/{}/deposit", id(&account));
    let usd = json!({"currency": "USD", "amount": 1});
    for (path, sum, code) in [
        ("/accounts/1/deposit", eur(1), "DENIED_ACCOUNT_NOT_FOUND"),
        ("/accounts/deposit", eur(1), "DENIED_ACCOUNT_NOT_FOUND"),
        (&*path, eur(0), "DENIED_AMOUNT_NOT_POSITIVE"),
        (&*path, usd, "DENIED_CURRENCY_NOT_ACCOUNT_CURRENCY"),
    ] {
        assert_eq!(deposit(path, sum).await, code);
    }
    assert_eq!(
        ground.at_merchant(&card, "purchase", 1).await,
        "DENIED_NOT_ENOUGH_FUNDS"
    );
    assert_eq!(
        ground.at_merchant(&account, "purchase", 1).await,
        "DENIED_CARD_NOT_FOUND"
    );
    let wrong = simulator.post(&path, &json!({"depositAmount": {}})).await;
    wrong.invalid(&[("depositAmount.currency", "REQUIRED")]);
    assert_eq!(
        ground.at_merchant(&card, "merchant_refund", 1).await,
        "APPROVED"
    );
    // A card is good for 36 months, to the end of the last one.
    ground.server.advance(35 * 30 * DAY_MS);
    assert_eq!(
        ground.at_merchant(&card, "purchase", 0).await,
        "DENIED_AMOUNT_NOT_POSITIVE"
    );
    ground.server.advance(80 * DAY_MS);
    assert_eq!(
        ground.at_merchant(&card, "purchase", 1).await,
        "DENIED_CARD_EXPIRY"
    );
    let path = format!("/cards/{}/expire", id(&card));
    simulator
        .act(&path)
        .await
        .conflict("INSTRUMENT_NOT_EXPIRABLE");
    simulator
        .act("/cards/1/expire")
        .await
        .coded(404, "INSTRUMENT_NOT_FOUND");
    let nobody = MultiClient::new(&ground.server, "nobody").simulator();
    nobody.act(&path).await.bare(401);
}

#[tokio::test]
async fn a_repeated_reference_makes_one_instrument() {
    let ground = Ground::new().await;
    let user = ground.user();
    let body = json!({"profileId": ground.accounts, "friendlyName": "Main", "currency": "EUR"});
    let first = user.post_once("k", "/managed_accounts", &body).await;
    let again = user.post_once("k", "/managed_accounts", &body).await;
    assert_eq!(first.text(), again.text());
    let other = json!({"profileId": ground.accounts, "friendlyName": "Else", "currency": "EUR"});
    let refused = user.post_once("k", "/managed_accounts", &other).await;
    refused.invalid(&[("idempotency-ref", "NOT_IN")]);
    let card = user
        .post_once("k", "/managed_cards", &ground.prepaid())
        .await;
    let again = user
        .post_once("k", "/managed_cards", &ground.prepaid())
        .await;
    assert_eq!(card.text(), again.text());
    let page = user.get("/managed_accounts").await.expect(200);
    assert_eq!(page["count"], 1);
}
