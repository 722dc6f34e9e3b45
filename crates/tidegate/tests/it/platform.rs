//! The Platform dialect: the same ledger, in other words.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Neighbour, RAIL_MS, Reply, World, everything, id};
use crate::sequence_rules::split;
use crate::wallet::Wallet;

const BASE: &str = "/platform/v1";

/// The UUID of an id such as `acc_…`.
pub fn uuid(id: &str) -> String {
    let text = id.rsplit('_').next().expect("a prefix");
    let number = service::spelling::parse_id(text).expect("an id");
    let (front, middle, end) = (number >> 32, (number >> 16) & 0xffff, number & 0xffff);
    format!("{front:08x}-{middle:04x}-8000-8000-{end:012x}")
}

/// A rule as this dialect writes it: 20 % of what comes in.
fn save(from: &str, to: &str) -> Value {
    json!({
        "name": "Auto-save on deposit",
        "trigger": {"type": "ON_FUNDS_TRANSFERRED", "accountId": uuid(from)},
        "steps": [{"conditions": null, "actions": [{
            "type": "PERCENTAGE", "percentageValue": 20, "percentageTarget": "INCOMING_AMOUNT",
            "source": {"id": uuid(from), "type": "INCOME_SOURCE"},
            "destination": {"id": uuid(to), "type": "POD"}, "groupIndex": 0,
        }]}],
    })
}

/// Calls this dialect with a key.
struct Client<'a> {
    world: &'a World,
    key: String,
}

impl<'a> Client<'a> {
    async fn new(world: &'a World) -> Client<'a> {
        Client::with(world, &everything()).await
    }

    async fn with(world: &'a World, scopes: &Value) -> Client<'a> {
        let key = world.server.key(&world.tenant, scopes).await;
        Client { world, key }
    }

    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(method, format!("{BASE}{path}"))
            .header("authorization", format!("Bearer {}", self.key))
    }

    async fn get(&self, path: &str) -> Reply {
        self.world.server.call(self.call(Method::GET, path)).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Reply {
        let call = self.call(method, path).json(body);
        self.world.server.call(call).await
    }

    async fn items(&self, path: &str) -> Vec<Value> {
        let list = self.get(path).await.expect(200);
        list["data"]["items"].as_array().expect("a list").clone()
    }
}

#[tokio::test]
async fn accounts_are_those_of_the_other_dialect() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let list = client.get("/accounts").await.expect(200);
    assert_eq!(
        list["data"]["pagination"],
        json!({"page": 1, "pageSize": 10, "hasNextPage": false})
    );
    assert!(
        list["requestId"]
            .as_str()
            .is_some_and(|id| id.starts_with("req-"))
    );
    let mine = world.john().get("/accounts").await.data();
    let mine = mine.as_array().expect("a list");
    let items = list["data"]["items"].as_array().expect("a list");
    assert_eq!(items.len(), mine.len());
    for (item, account) in items.iter().zip(mine) {
        assert_eq!(item["id"], uuid(&id(account)));
        assert_eq!(item["name"], account["name"]);
        let kind = account["type"].as_str().expect("a type").to_uppercase();
        assert_eq!(item["type"], kind);
        assert_eq!(item["canBeSource"], account["can_be_source"]);
    }
    let pay = client
        .get(&format!("/accounts/{}", uuid(&world.pay)))
        .await
        .expect(200);
    assert_eq!(pay["data"]["balance"]["balanceInCents"], 1_000_000);
    assert_eq!(pay["data"]["bankAccountNumber"], "••••4567");
    let card = client
        .get(&format!("/accounts/{}", uuid(&world.card)))
        .await
        .expect(200);
    assert_eq!(card["data"]["externalAccountType"], "LIABILITY");
    assert_eq!(card["data"]["balance"]["nextPaymentMinimumInCents"], 3_500);
    // Closed accounts are listed when they are asked for.
    world.set_state(&world.trip, "close").await.expect(200);
    assert_eq!(client.items("/accounts?type=POD").await.len(), 1);
    let all = client.items("/accounts?type=POD&state=ALL").await;
    assert_eq!(all.len(), 2);
    assert!(all.iter().any(|account| account["deletedAt"].is_string()));
    // A base URL that ends with a slash gives two.
    client.get("//accounts").await.expect(200);
}

#[tokio::test]
async fn lists_have_pages_of_ten() {
    let world = World::new().await;
    for _ in 0..12 {
        world.paycheck(&world.fund, 100).await;
    }
    let client = Client::new(&world).await;
    let path = format!("/accounts/{}/transfers", uuid(&world.fund));
    let first = client.get(&path).await.expect(200);
    assert_eq!(first["data"]["items"].as_array().map(Vec::len), Some(10));
    assert_eq!(first["data"]["pagination"]["hasNextPage"], true);
    let second = client.get(&format!("{path}?page=2")).await.expect(200);
    assert_eq!(second["data"]["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(second["data"]["pagination"]["hasNextPage"], false);
    let all = client.items(&format!("{path}?pageSize=100")).await;
    let shown: Vec<&Value> = [&first, &second]
        .iter()
        .flat_map(|page| page["data"]["items"].as_array().expect("a list"))
        .collect();
    assert_eq!(all.iter().collect::<Vec<_>>(), shown);
    for query in [
        "page=0",
        "pageSize=0",
        "pageSize=101",
        "page=x",
        "page=101&pageSize=100",
    ] {
        let reply = client.get(&format!("{path}?{query}")).await;
        reply.refused(400, "INVALID_PARAMETERS", &["page"]);
    }
}

#[tokio::test]
async fn a_transfer_is_made_and_found_in_both_dialects() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let body = json!({
        "sourceAccountId": uuid(&world.fund), "destinationAccountId": uuid(&world.card),
        "amountInCents": 5_000, "description": "CARD 12",
    });
    let call = client
        .call(Method::POST, "/transfers")
        .header("idempotency-key", "k:1")
        .json(&body);
    let made = world.server.call(call.clone()).await;
    let data = made.expect(201)["data"].take();
    assert_eq!(data["status"], "PROCESSING");
    assert_eq!(data["executionMode"], "LIVE");
    assert_eq!(
        (&data["origin"], &data["direction"]),
        (&json!("USER"), &json!("MONEY_OUT"))
    );
    let again = world.server.call(call.clone()).await;
    assert_eq!((again.status, &again.bytes), (201, &made.bytes));
    let mut other = body.clone();
    other["description"] = json!("OTHER");
    let reply = world.server.call(call.json(&other)).await;
    reply.refused(400, "IDEMPOTENCY_KEY_MISMATCH", &[]);
    world.quiesce().await;
    world.advance(RAIL_MS).await;
    let found = client
        .get(&format!("/transfers/{}", id(&data)))
        .await
        .expect(200);
    assert_eq!(found["data"]["status"], "COMPLETE");
    assert_eq!(world.balance(&world.fund).await, 45_000, "once");
    let list = world
        .john()
        .get(&format!("/transfers?account_id={}", world.card))
        .await
        .data();
    assert_eq!(uuid(&id(&list[0])), id(&data));

    // The list over several accounts has each transfer once, newest first.
    let both = format!(
        "accountIds={}&accountIds[]={}",
        uuid(&world.fund),
        uuid(&world.card)
    );
    let items = client.items(&format!("/transfers?{both}")).await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["id"], data["id"]);
    assert_eq!(items[1]["origin"], "DIRECT_DEPOSIT");
    assert_eq!(items[1]["source"]["type"], "EXTERNAL_ENTITY");
    for (filter, count) in [
        ("direction=MONEY_OUT", 1),
        ("origin=DIRECT_DEPOSIT", 1),
        ("status=COMPLETE", 2),
        ("status=PENDING", 0),
        ("executionMode=SIMULATION", 0),
        ("executionMode=ALL", 2),
        ("accountRole=source", 1),
        ("rule_execution_id=00000000-0000-8000-8000-000000000001", 0),
    ] {
        let items = client.items(&format!("/transfers?{both}&{filter}")).await;
        assert_eq!(items.len(), count, "{filter}");
    }
    // What the card's bank would show of it.
    let path = format!("/external-transactions?accountIds={}", uuid(&world.card));
    let outside = client.items(&path).await;
    assert_eq!(outside.len(), 1);
    assert_eq!(outside[0]["direction"], "MONEY_IN");
    assert_eq!(
        (&outside[0]["status"], &outside[0]["amountInCents"]),
        (&json!("COMPLETE"), &json!(5_000))
    );
    assert_eq!(
        client
            .items(&format!("{path}&direction=MONEY_OUT"))
            .await
            .len(),
        0
    );
    let reply = client
        .get(&format!("{path}&from=2026-01-01T00:00:00Z"))
        .await;
    reply.refused(
        400,
        "INVALID_PARAMETERS",
        &["from must be within the last 90 days"],
    );
}

#[tokio::test]
async fn card_transactions_are_those_of_an_accounts_cards() {
    let world = World::new().await;
    let wallet = Wallet::of(&world).await;
    let client = Client::new(&world).await;
    let at_merchant = async |card, what, cents| {
        wallet.at_merchant(&world, card, what, cents).await;
        world.advance(1_000).await;
    };
    at_merchant(&wallet.debit, "purchase", 700).await;
    at_merchant(&wallet.other, "purchase", 300).await;
    at_merchant(&wallet.debit, "merchant_refund", 200).await;
    let account = uuid(&wallet.account.acc());
    let path = format!("/card-transactions?accountId={account}");
    let debit = uuid(&wallet.debit.acc());
    let all = client.items(&path).await;
    let told = |items: &[Value]| -> Vec<Value> {
        let told = items.iter().map(|it| {
            json!([
                it["cardId"],
                it["direction"],
                it["subtype"],
                it["amountInCents"]
            ])
        });
        told.collect()
    };
    let other = uuid(&wallet.other.acc());
    let refund = json!([debit, "MONEY_IN", "REFUND", 200]);
    let small = json!([other, "MONEY_OUT", "PURCHASE", 300]);
    let large = json!([debit, "MONEY_OUT", "PURCHASE", 700]);
    assert_eq!(told(&all), [refund.clone(), small.clone(), large.clone()]);
    assert_eq!(all[0]["status"], "COMPLETE");
    assert_eq!(all[0]["cardType"], "DEBIT_CARD");
    assert_eq!(all[0]["description"], "Café");
    assert_eq!(
        all[0]["account"],
        json!({"id": account, "name": "Account", "type": "POD", "isDeleted": null})
    );
    for (query, expected) in [
        (
            format!("cardId={debit}"),
            vec![refund.clone(), large.clone()],
        ),
        (format!("cardId={other}"), vec![small.clone()]),
        ("cardId=x".to_owned(), vec![]),
        (
            "from=2027-01-15T08:00:01Z&to=2027-01-15T08:00:01Z".to_owned(),
            vec![small],
        ),
        ("pageSize=1&page=3".to_owned(), vec![large]),
    ] {
        let items = client.items(&format!("{path}&{query}")).await;
        assert_eq!(told(&items), expected, "{query}");
    }
    let page = client.get(&format!("{path}&pageSize=1")).await.expect(200);
    assert_eq!(page["data"]["pagination"]["hasNextPage"], true);
    let reply = client.get("/card-transactions?from=now&page=0").await;
    let words = ["accountId is required", "from", "page"];
    reply.refused(400, "INVALID_PARAMETERS", &words);
    let scopes = json!([{"scope": "READ_TRANSFERS", "resources": [world.fund]}]);
    let narrow = Client::with(&world, &scopes).await;
    narrow.get(&path).await.refused(403, "ACCESS_DENIED", &[]);
    let scopes = json!([{"scope": "READ_CARDS", "resources": "*"}]);
    let blind = Client::with(&world, &scopes).await;
    blind
        .get("/card-transactions")
        .await
        .refused(403, "ACCESS_DENIED", &[]);
    let seen = client
        .items("/audit-logs?action=LIST_CARD_TRANSACTIONS")
        .await;
    assert!(seen.len() >= 7, "{seen:?}");
}

#[tokio::test]
async fn a_dry_transfer_tells_what_would_come_and_moves_nothing() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (fund, trip, bank) = (uuid(&world.fund), uuid(&world.trip), uuid(&world.bank));
    let body = |from: &str, to: &str, cents: i64| {
        json!({"sourceAccountId": from, "destinationAccountId": to, "amountInCents": cents,
               "simulation": true})
    };
    let before = world.snapshot().await;
    let mut made = Vec::new();
    for (from, to, cents, status, error) in [
        (&fund, &trip, 50_000, "COMPLETE", Value::Null),
        (
            &fund,
            &trip,
            50_001,
            "INCOMPLETE",
            json!("INSUFFICIENT_FUNDS"),
        ),
        (&fund, &bank, 100, "COMPLETE", Value::Null),
    ] {
        let reply = client
            .send(Method::POST, "/transfers", &body(from, to, cents))
            .await;
        let dry = reply.expect(201)["data"].take();
        assert_eq!(
            (&dry["status"], &dry["errorCode"]),
            (&json!(status), &error),
            "{dry}"
        );
        assert_eq!(dry["executionMode"], "SIMULATION");
        made.push(dry);
    }
    assert_eq!(made[0]["completedAt"], "2027-01-15T08:00:00Z");
    assert_eq!(made[2]["completedAt"], "2027-01-15T08:00:05Z");
    assert_eq!(made[2]["direction"], "MONEY_OUT");
    world.quiesce().await;
    assert_eq!(world.snapshot().await, before, "nothing has moved");
    // It is found by its id and listed when it is asked for.
    for dry in &made {
        let found = client.get(&format!("/transfers/{}", id(dry))).await;
        assert_eq!(found.expect(200)["data"], *dry);
    }
    let path = format!("/accounts/{fund}/transfers");
    let listed = async |query: &str| -> Vec<String> {
        let items = client.items(&format!("{path}?{query}")).await;
        items.iter().map(id).collect()
    };
    let ids: Vec<String> = made.iter().rev().map(id).collect();
    let real = listed("").await;
    assert_eq!(real.len(), 1);
    assert_eq!(listed("executionMode=SIMULATION").await, ids);
    assert_eq!(
        listed("executionMode=ALL").await,
        [&ids[..], &real[..]].concat()
    );
    assert_eq!(
        listed("executionMode=ALL&pageSize=2&page=2").await,
        [&ids[2..], &real[..]].concat()
    );
    assert_eq!(
        listed("executionMode=SIMULATION&status=INCOMPLETE").await,
        ids[1..2]
    );
    assert_eq!(
        listed("executionMode=SIMULATION&direction=MONEY_OUT").await,
        ids[..1]
    );
    assert_eq!(
        listed("executionMode=SIMULATION&accountRole=destination").await,
        [""; 0]
    );
    let both = format!("/transfers?executionMode=SIMULATION&accountIds={fund}&accountIds={trip}");
    assert_eq!(client.items(&both).await.len(), 3);
    // A key that may read another account sees none of it.
    let scopes = json!([{"scope": "READ_TRANSFERS", "resources": [world.card]}]);
    let other = Client::with(&world, &scopes).await;
    other
        .get(&format!("/transfers/{}", ids[0]))
        .await
        .refused(403, "ACCESS_DENIED", &[]);
    other.get(&both).await.refused(403, "ACCESS_DENIED", &[]);
    // The other dialect knows nothing of it.
    let theirs = format!("/transfers?account_id={}", world.fund);
    assert_eq!(
        world
            .john()
            .get(&theirs)
            .await
            .data()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    // What would be refused is refused.
    let stranger = uuid(&world.stranger().await);
    world.set_state(&world.trip, "block").await.expect(200);
    for (from, to, code, words) in [
        ("x", &*fund, "TRANSFER_SOURCE_NOT_FOUND", ""),
        (&*fund, "x", "TRANSFER_DESTINATION_NOT_FOUND", ""),
        (&*fund, &*stranger, "INVALID_PARAMETERS", "same owner"),
        (
            &*fund,
            &*trip,
            "INVALID_PARAMETERS",
            "destination account is blocked",
        ),
    ] {
        let dry = client
            .send(Method::POST, "/transfers", &body(from, to, 100))
            .await;
        dry.refused(400, code, &[words]);
        let mut real = body(from, to, 100);
        real["simulation"] = json!(false);
        let real = client.send(Method::POST, "/transfers", &real).await;
        assert_eq!(dry.json(), real.json(), "as it would be");
    }
    // A repeated one is the same; the key is bound to it.
    let once = |body: &Value| {
        client
            .call(Method::POST, "/transfers")
            .header("idempotency-key", "k")
            .json(body)
    };
    let first = world
        .server
        .call(once(&body(&fund, &bank, 300)))
        .await
        .expect(201);
    let again = world
        .server
        .call(once(&body(&fund, &bank, 300)))
        .await
        .expect(201);
    assert_eq!(first, again);
    let mut live = body(&fund, &bank, 300);
    live["simulation"] = json!(false);
    let mismatch = world.server.call(once(&live)).await;
    mismatch.refused(400, "IDEMPOTENCY_KEY_MISMATCH", &[]);
    // Above what a key may move it is refused, too.
    let scopes = json!([{"scope": "MANUAL_TRANSFER",
        "resources": [{"source": world.fund, "target": world.bank, "max_amount": 200}]}]);
    let narrow = Client::with(&world, &scopes).await;
    let most = narrow
        .send(Method::POST, "/transfers", &body(&fund, &bank, 201))
        .await;
    most.refused(403, "MAXIMUM_AMOUNT_EXCEEDED", &[]);
    let denied = narrow
        .send(Method::POST, "/transfers", &body(&bank, &fund, 100))
        .await;
    denied.refused(403, "ACCESS_DENIED", &[]);
}

#[tokio::test]
async fn a_dry_transfer_can_end_in_a_chosen_error() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let before = world.snapshot().await;
    for (code, status) in [
        ("INSUFFICIENT_FUNDS", "INCOMPLETE"),
        ("NAME_MISMATCH", "ERROR"),
        ("PAYMENT_FAILED", "ERROR"),
    ] {
        let call = client
            .call(Method::POST, "/transfers")
            .header("tidegate-fault", format!("transfer-error={code}"))
            .json(
                &json!({"sourceAccountId": uuid(&world.fund), "simulation": true,
                          "destinationAccountId": uuid(&world.trip), "amountInCents": 100}),
            );
        let dry = world.server.call(call).await.expect(201)["data"].take();
        assert_eq!(
            (&dry["status"], &dry["errorCode"], &dry["completedAt"]),
            (&json!(status), &json!(code), &Value::Null)
        );
        let found = client.get(&format!("/transfers/{}", id(&dry))).await;
        assert_eq!(found.expect(200)["data"], dry);
    }
    assert_eq!(world.snapshot().await, before, "nothing has moved");
}

#[tokio::test]
async fn a_repeated_dry_transfer_is_answered_as_it_was_first_whatever_has_come_since() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let dry = async |key: &str, cents: i64| {
        let call = client
            .call(Method::POST, "/transfers")
            .header("idempotency-key", key)
            .json(
                &json!({"sourceAccountId": uuid(&world.fund), "simulation": true,
                          "destinationAccountId": uuid(&world.trip), "amountInCents": cents}),
            );
        world.server.call(call).await
    };
    let first = dry("k1", 300).await.expect(201);
    world.set_state(&world.trip, "block").await.expect(200);
    let refused = dry("k2", 300).await;
    refused.refused(
        400,
        "INVALID_PARAMETERS",
        &["destination account is blocked"],
    );
    assert_eq!(dry("k1", 300).await.expect(201), first);
    let other = dry("k1", 301).await;
    other.refused(400, "IDEMPOTENCY_KEY_MISMATCH", &[]);
    // What was refused has not used its key up.
    world.set_state(&world.trip, "unblock").await.expect(200);
    dry("k2", 300).await.expect(201);
}

#[tokio::test]
async fn audit_entries_are_kept_for_ninety_days() {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let world = World::new().await;
    let client = Client::new(&world).await;
    let service = world.server.app().service();
    for _ in 0..40 {
        client.get("/accounts").await.expect(200);
    }
    world.advance(60 * DAY_MS).await;
    client.get("/rules").await.expect(200);
    assert_eq!(
        service.prune_audit_log().await.expect("it can be written"),
        0
    );
    let all = "/audit-logs?pageSize=100";
    let actions = |items: &[Value]| -> Vec<Value> {
        items.iter().map(|item| item["action"].clone()).collect()
    };
    let seen = client.items(all).await;
    assert_eq!((seen.len(), &seen[0]["action"]), (41, &json!("LIST_RULES")));
    // By page and by filter, from the newest end.
    let second = client.items("/audit-logs?pageSize=20&page=3").await;
    assert_eq!(second.len(), 2);
    let rules = client.items("/audit-logs?action=LIST_RULES").await;
    assert_eq!(actions(&rules), [json!("LIST_RULES")]);
    world.advance(30 * DAY_MS + 1).await;
    assert_eq!(
        service.prune_audit_log().await.expect("it can be written"),
        40
    );
    assert_eq!(
        service.prune_audit_log().await.expect("it can be written"),
        0
    );
    let left = client.items(all).await;
    assert_eq!(
        actions(&left),
        [
            "LIST_AUDIT_LOGS",
            "LIST_AUDIT_LOGS",
            "LIST_AUDIT_LOGS",
            "LIST_RULES"
        ]
        .map(|action| json!(action))
    );
}

#[tokio::test]
async fn a_rule_is_the_same_in_both_dialects() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let made = client
        .send(Method::POST, "/rules", &save(&world.pay, &world.fund))
        .await;
    let made = made.expect(201)["data"].take();
    assert_eq!(made["status"], "DISABLED");
    let theirs = world.john().get("/rules").await.data();
    let rule = id(&theirs[0]);
    assert_eq!(uuid(&rule), id(&made));
    assert_eq!(theirs[0]["nickname"], "Auto-save on deposit");
    let path = format!("/rules/{}", id(&made));
    let reply = client
        .send(Method::POST, &format!("{path}/trigger"), &json!({}))
        .await;
    reply.refused(403, "RULE_DEACTIVATED", &["deactivated"]);
    world.switch(&rule, "enable").await.expect(200);
    world.paycheck(&world.pay, 50_000).await;
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 60_000);
    let amount = json!({"executeAmount": 20_000});
    let triggered = client
        .send(Method::POST, &format!("{path}/trigger"), &amount)
        .await;
    let run = triggered.expect(202)["data"]["executionId"].clone();
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 64_000);
    let runs = client.items(&format!("{path}/executions")).await;
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["id"], run);
    let whole = client
        .get(&format!("{path}/executions/{}", id(&runs[0])))
        .await
        .expect(200);
    assert_eq!(
        whole["data"]["triggerDetails"],
        json!({"type": "SEQUENCE_API", "amountInCents": 20_000})
    );
    assert_eq!(whole["data"]["transfersCompleted"], 1);
    let transfer = whole["data"]["transferIds"][0].as_str().expect("an id");
    let transfer = client
        .get(&format!("/transfers/{transfer}"))
        .await
        .expect(200);
    assert_eq!(transfer["data"]["ruleExecutionId"], run);
    // A dry run moves nothing and is hidden unless it is asked for.
    let dry = json!({"executeAmount": 90_000, "simulation": true});
    let dry = client
        .send(Method::POST, &format!("{path}/trigger"), &dry)
        .await
        .expect(202);
    let dry = dry["data"]["executionId"].clone();
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 64_000);
    assert_eq!(client.items(&format!("{path}/executions")).await.len(), 2);
    let simulated = client
        .items(&format!("{path}/executions?executionMode=SIMULATION"))
        .await;
    assert_eq!(simulated.len(), 1);
    assert_eq!(
        (&simulated[0]["id"], &simulated[0]["executionMode"]),
        (&dry, &json!("SIMULATION"))
    );
    assert_eq!(
        client
            .items(&format!("{path}/executions?executionMode=ALL"))
            .await
            .len(),
        3
    );
    let filter = "status=EXECUTED&triggerType=ON_FUNDS_TRANSFERRED";
    assert_eq!(
        client
            .items(&format!("{path}/executions?{filter}"))
            .await
            .len(),
        1
    );
    let explained = format!(
        "{path}/executions/{}?include=explanation",
        dry.as_str().expect("an id")
    );
    let explained = client.get(&explained).await.expect(200);
    let action = &explained["data"]["explanation"]["actions"][0];
    assert_eq!(
        (&action["movedInCents"], &action["outcome"]),
        (&json!(18_000), &json!("MOVED"))
    );

    let mut changed = save(&world.pay, &world.trip);
    changed["name"] = json!("To the trip");
    let changed = client
        .send(Method::PATCH, &path, &changed)
        .await
        .expect(200);
    assert_eq!(
        (&changed["data"]["name"], &changed["data"]["status"]),
        (&json!("To the trip"), &json!("DISABLED"))
    );
    let mut faulty = save(&world.pay, &world.fund);
    faulty["steps"][0]["actions"][0]["percentageValue"] = Value::Null;
    let reply = client.send(Method::POST, "/rules", &faulty).await;
    reply.refused(
        400,
        "INVALID_PARAMETERS",
        &["steps[0].actions[0].percentageValue is required"],
    );
    // What has no words here is listed as unsupported and not shown.
    let mut debts = split(&world.trip, &world.fund);
    debts["steps"][0]["actions"] = json!([{
        "type": "snowball", "amount_in_cents": 10_000, "liabilities": [{"id": world.card}],
    }]);
    let debts = uuid(&world.rule(&debts).await);
    let listed = client
        .items(&format!("/rules?sourceId={}", uuid(&world.trip)))
        .await;
    assert_eq!(
        (&listed[0]["id"], &listed[0]["isSupported"]),
        (&json!(debts), &json!(false))
    );
    let reply = client.get(&format!("/rules/{debts}")).await;
    reply.refused(403, "INVALID_RULE", &[]);
}

#[tokio::test]
async fn every_refusal_has_the_dialects_code() {
    let world = World::new().await;
    let neighbour = Neighbour::of(&world).await;
    let client = Client::new(&world).await;
    let narrow = Client::with(
        &world,
        &json!([
            {"scope": "READ_ACCOUNTS", "resources": [world.fund]},
            {"scope": "READ_TRANSFERS", "resources": [world.fund]},
            {"scope": "MANUAL_TRANSFER", "resources": [
                {"source": world.fund, "target": world.trip, "max_amount": 5_000},
            ]},
        ]),
    )
    .await;
    let blind = Client::with(&world, &json!([])).await;
    let before = world.snapshot().await;
    let nobody = "00000000-0000-8000-8000-000000000009";
    let hers = uuid(&neighbour.pod);
    for path in [
        "/accounts".to_owned(),
        format!("/accounts/{}", uuid(&world.fund)),
        format!("/accounts/{}/transfers", uuid(&world.fund)),
        format!("/transfers?accountIds={}", uuid(&world.fund)),
        format!("/transfers/{nobody}"),
        format!("/external-transactions?accountIds={}", uuid(&world.card)),
        "/rules".to_owned(),
        format!("/rules/{nobody}"),
        format!("/rules/{nobody}/executions"),
        format!("/rules/{nobody}/executions/{nobody}"),
        "/audit-logs".to_owned(),
    ] {
        let call = Call::get(format!("{BASE}{path}"));
        let reply = world.server.call(call.clone()).await;
        reply.refused(401, "UNAUTHORIZED", &["Unauthorized"]);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        let other = call.header("authorization", format!("ApiKey {}", client.key));
        world
            .server
            .call(other)
            .await
            .refused(401, "UNAUTHORIZED", &[]);
        blind
            .get(&path)
            .await
            .refused(403, "ACCESS_DENIED", &["required permissions"]);
    }
    for (path, code) in [
        (format!("/accounts/{nobody}"), "ACCOUNT_NOT_FOUND"),
        (format!("/accounts/{hers}"), "ACCOUNT_NOT_FOUND"),
        (format!("/accounts/{}", world.fund), "ACCOUNT_NOT_FOUND"),
        (format!("/transfers/{nobody}"), "TRANSFER_NOT_FOUND"),
        (format!("/rules/{nobody}"), "RULE_NOT_FOUND"),
        (format!("/rules/{nobody}/executions"), "RULE_NOT_FOUND"),
        (
            format!("/rules/{nobody}/executions/{nobody}"),
            "RULE_NOT_FOUND",
        ),
    ] {
        client
            .get(&path)
            .await
            .refused(404, code, &["access to it"]);
    }
    for (path, word) in [
        ("/accounts?type=pod", "type"),
        ("/accounts?state=CLOSED", "state"),
        ("/transfers", "accountIds"),
        ("/transfers?accountIds=x&status=done", "status"),
        ("/rules?sourceId=x", "sourceId"),
        ("/audit-logs?action=NOTHING", "action"),
        (
            "/audit-logs?from=2020-01-01T00:00:00Z",
            "from must be within the last 90 days",
        ),
    ] {
        client
            .get(path)
            .await
            .refused(400, "INVALID_PARAMETERS", &[word]);
    }
    let outside = format!(
        "/transfers?accountIds={}&accountIds={}",
        uuid(&world.fund),
        uuid(&world.pay)
    );
    narrow
        .get(&outside)
        .await
        .refused(403, "ACCESS_DENIED", &[]);
    narrow
        .get(&format!("/accounts/{}", uuid(&world.pay)))
        .await
        .refused(403, "ACCESS_DENIED", &[]);
    assert_eq!(
        narrow.items("/accounts").await.len(),
        1,
        "only what it may read"
    );

    let body = |from: &str, to: &str, amount: i64| json!({"sourceAccountId": from, "destinationAccountId": to, "amountInCents": amount});
    let (fund, trip) = (uuid(&world.fund), uuid(&world.trip));
    for (who, body, status, code) in [
        (&client, json!({}), 400, "INVALID_PARAMETERS"),
        (&client, body(&fund, &trip, 99), 400, "INVALID_PARAMETERS"),
        (&client, body(&fund, &fund, 100), 400, "INVALID_PARAMETERS"),
        (&narrow, body(&trip, &fund, 100), 403, "ACCESS_DENIED"),
        (
            &narrow,
            body(&fund, &trip, 5_001),
            403,
            "MAXIMUM_AMOUNT_EXCEEDED",
        ),
        (
            &client,
            body(nobody, &trip, 100),
            400,
            "TRANSFER_SOURCE_NOT_FOUND",
        ),
        (
            &client,
            body(&fund, &hers, 100),
            400,
            "TRANSFER_DESTINATION_NOT_FOUND",
        ),
        (
            &client,
            body(&uuid(&world.card), &fund, 100),
            400,
            "INVALID_PARAMETERS",
        ),
    ] {
        who.send(Method::POST, "/transfers", &body)
            .await
            .refused(status, code, &[]);
    }
    for (name, value) in [
        ("description", json!("more than ten")),
        ("description", json!("a-b")),
        ("simulation", json!("yes")),
    ] {
        let mut wrong = body(&fund, &trip, 100);
        wrong[name] = value;
        let reply = client.send(Method::POST, "/transfers", &wrong).await;
        reply.refused(400, "INVALID_PARAMETERS", &[name]);
    }
    for key in ["", "a b", "ä", &"k".repeat(37)] {
        let call = client
            .call(Method::POST, "/transfers")
            .json(&body(&fund, &trip, 100));
        let reply = world.server.call(call.header("idempotency-key", key)).await;
        reply.refused(400, "INVALID_PARAMETERS", &["idempotency-key"]);
    }
    let call = client.call(Method::POST, "/transfers").body("{}");
    world
        .server
        .call(call)
        .await
        .refused(400, "INVALID_PARAMETERS", &["Content-Type"]);
    // What is not listed is plain text, with or without a key.
    for (method, path) in [
        (Method::DELETE, "/accounts"),
        (Method::PUT, "/rules/x"),
        (Method::GET, "/nothing"),
        (Method::POST, "/audit-logs"),
    ] {
        let reply = world.server.call(client.call(method, path)).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(
            reply
                .header("content-type")
                .is_some_and(|it| it.starts_with("text/plain"))
        );
    }
    world.quiesce().await;
    assert_eq!(world.snapshot().await, before, "nothing was left behind");
}

#[tokio::test]
async fn every_call_is_in_the_audit_log() {
    let mut world = World::new().await;
    let key = {
        let client = Client::new(&world).await;
        let call = client
            .call(Method::GET, "/accounts")
            .header("x-called-reason", "monthly report");
        world.server.call(call).await.expect(200);
        let nobody = "/transfers/00000000-0000-8000-8000-000000000009";
        client
            .get(nobody)
            .await
            .refused(404, "TRANSFER_NOT_FOUND", &[]);
        // Without a key nobody has asked.
        world
            .server
            .call(Call::get(format!("{BASE}/accounts")))
            .await
            .expect(401);
        let rule = world.rule(&split(&world.pay, &world.fund)).await;
        world.switch(&rule, "enable").await.expect(200);
        client.key
    };
    world.server.restart().await;
    let client = Client { world: &world, key };
    let log = client.items("/audit-logs").await;
    let told: Vec<(&str, &str)> = log
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().expect("a text");
            (text("action"), text("outcome"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ENABLE_RULE", "SUCCESS"),
            ("CREATE_RULE", "SUCCESS"),
            ("GET_TRANSFER", "FAILURE"),
            ("LIST_ACCOUNTS", "SUCCESS"),
        ]
    );
    assert_eq!(log[0]["apiKeyName"], "operator");
    assert_eq!(log[2]["errorCode"], "TRANSFER_NOT_FOUND");
    assert_eq!(log[3]["apiKeyName"], "test");
    assert_eq!(log[3]["calledReason"], "monthly report");
    assert_eq!(log[3]["path"], "/platform/v1/accounts");
    let key = log[3]["apiKeyId"].as_str().expect("an id");
    assert_eq!(
        client
            .items(&format!("/audit-logs?apiKeyId={key}&action=GET_TRANSFER"))
            .await
            .len(),
        1
    );
    // Reading the log is in the log.
    assert_eq!(
        client
            .items("/audit-logs?action=LIST_AUDIT_LOGS")
            .await
            .len(),
        2
    );
    let page = client
        .get("/audit-logs?pageSize=1&page=2")
        .await
        .expect(200);
    assert_eq!(page["data"]["pagination"]["hasNextPage"], true);
    let neighbour = Neighbour::of(&world).await;
    let scopes = json!([{"scope": "READ_AUDIT_LOGS"}]);
    let hers = world.server.key(&neighbour.tenant, &scopes).await;
    let hers = Client {
        world: &world,
        key: hers,
    };
    assert_eq!(hers.items("/audit-logs").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_key_may_be_spelled_as_the_dialects_clients_expect() {
    let world = World::new().await;
    let spelled = format!("sk_{}", &world.key[3..]);
    let call = Call::get(format!("{BASE}/accounts"));
    let call = call.header("authorization", format!("Bearer {spelled}"));
    world.server.call(call).await.expect(200);
    world.as_key(&spelled).get("/accounts").await.expect(200);
    let other = format!("sx_{}", &world.key[3..]);
    world
        .as_key(&other)
        .get("/accounts")
        .await
        .refused(401, "unauthorized", &[]);
}
