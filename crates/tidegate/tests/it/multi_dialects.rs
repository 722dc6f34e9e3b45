//! One ledger, two dialects: what is done in one is seen in the other, to the cent and at once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Caller, RAIL_MS, START, Server, id};
use crate::multi_world::{
    ACCOUNTS, CARDS, Instrument, MultiWorld, SECOND, card, decimal, order, scheduled, spelled,
};
use crate::random::Random;

/// The corporate's money in US dollars, which is what the other dialect knows of.
struct Dollars {
    world: MultiWorld,
    /// A key of the other dialect.
    key: String,
    /// Two accounts and two prepaid cards.
    held: [Instrument; 4],
    /// A debit card of the first account.
    debit: Instrument,
    /// What the corporate has that is no instrument: an income source, and an account elsewhere.
    pay: String,
    bank: String,
    /// Transfers that cost 25 and 1 % between any two.
    paid: String,
}

impl Dollars {
    async fn new() -> Dollars {
        let world = MultiWorld::on(Server::new().await).await;
        let acme = &world.acme;
        let second = world.open(acme, &world.profiles.account, "USD").await;
        let prepaid = async || {
            let mut body = card(&world.profiles.prepaid);
            (body["mode"], body["currency"]) = (json!("PREPAID_MODE"), json!("USD"));
            let made = world.acme().post("/managed_cards", &body).await.expect(200);
            Instrument::card(id(&made))
        };
        let (first_card, second_card) = (prepaid().await, prepaid().await);
        let debit = world.debit(acme, &acme.dollars).await;
        let pay = json!({"type": "income_source"});
        let pay = world.open_as_operator(acme, &pay).await;
        let bank = json!({"type": "external_account", "external_account_type": "DEPOSITORY"});
        let bank = world.open_as_operator(acme, &bank).await;
        let fee = |from: &str, to: &str| {
            json!({"source": from, "destination": to, "currency": "USD", "type": "PLUS",
                   "flat": 25, "percent": "1"})
        };
        let fees = json!([
            fee(ACCOUNTS, ACCOUNTS),
            fee(ACCOUNTS, CARDS),
            fee(CARDS, ACCOUNTS),
            fee(CARDS, CARDS),
        ]);
        let paid = world
            .profile(&json!({"type": "transfer", "fees": fees}))
            .await;
        let key = world.sequence_key().await;
        Dollars {
            key,
            held: [acme.dollars.clone(), second, first_card, second_card],
            debit,
            pay: pay.acc(),
            bank: bank.acc(),
            paid,
            world,
        }
    }

    fn sequence(&self) -> Caller<'_> {
        self.world.server.caller(&self.key)
    }

    async fn quiesce(&self) {
        self.world.server.quiesce(&self.world.tenant).await;
    }

    /// What each instrument holds, as Multi's two lists tell.
    async fn in_multi(&self) -> Vec<i64> {
        let mut balances = BTreeMap::new();
        for (path, list) in [
            ("/managed_accounts", "accounts"),
            ("/managed_cards", "cards"),
        ] {
            let page = self.world.acme().get(path).await.expect(200);
            for shown in page[list].as_array().expect("a list") {
                balances.insert(id(shown), shown["balances"]["actualBalance"].as_i64());
            }
        }
        let held = self.held.iter();
        held.map(|it| balances[&it.id].expect("a balance"))
            .collect()
    }

    /// What an account holds, as the other dialect tells.
    async fn in_sequence(&self, account: &str) -> i64 {
        let shown = self.sequence().get(&format!("/accounts/{account}")).await;
        let balance = shown.data()["balance"].clone();
        assert_eq!(
            balance["balance_in_cents"],
            balance["available_balance_in_cents"]
        );
        balance["balance_in_cents"].as_i64().expect("an integer")
    }

    /// A transfer in the other dialect, settled as far as it can be.
    async fn settled(&self, from: &str, to: &str, cents: i64) -> Value {
        let made = self.sequence().transfer(from, to, cents).await.expect(201);
        self.quiesce().await;
        let path = format!("/transfers/{}", id(&made["data"]));
        self.sequence().get(&path).await.data()
    }
}

#[tokio::test]
async fn what_multi_moves_is_seen_in_sequence() {
    let dollars = Dollars::new().await;
    let world = &dollars.world;
    let [main, second, first_card, _] = &dollars.held;
    let body = order(&dollars.paid, main, first_card, "USD", 10_000);
    let made = world.acme().post("/transfers", &body).await.expect(200);
    let path = format!("/transfers/{}", spelled("txr_", &id(&made)));
    let seen = dollars.sequence().get(&path).await.data();
    let party = |instrument: &Instrument, name: &str| json!({"id": instrument.acc(), "name": name, "type": "pod"});
    let expected = json!({
        "id": spelled("txr_", &id(&made)), "amount_in_cents": 10_000, "direction": "internal",
        "origin": "user", "status": "complete", "source": party(main, "Account"),
        "destination": party(first_card, "Card"), "rule_id": null, "rule_execution_id": null,
        "error_code": null, "created_at": "2027-01-15T08:00:00Z",
        "completed_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(seen, expected);
    assert_eq!(dollars.in_sequence(&main.acc()).await, 100_000 - 10_125);
    assert_eq!(dollars.in_sequence(&first_card.acc()).await, 10_000);

    // One that waits is not done yet; one that is called off or fails has ended.
    let mut waiting = Vec::new();
    for minor in [1, 2, 999_999] {
        let body = order(&dollars.paid, second, main, "USD", minor);
        let body = scheduled(body, START.0 + SECOND);
        let made = world.acme().post("/transfers", &body).await.expect(200);
        waiting.push(id(&made));
    }
    let status = async |number: &String| {
        let path = format!("/transfers/{}", spelled("txr_", number));
        let seen = dollars.sequence().get(&path).await.data();
        (seen["status"].clone(), seen["error_code"].clone())
    };
    for number in &waiting {
        assert_eq!(status(number).await, (json!("processing"), Value::Null));
    }
    let cancel = json!({"cancellations": [{"id": waiting[0]}]});
    world
        .acme()
        .post("/transfers/bulk/cancel", &cancel)
        .await
        .expect(200);
    world.moved_in("USD", main, second, 2).await;
    world.advance(SECOND).await;
    assert_eq!(status(&waiting[0]).await, (json!("cancelled"), Value::Null));
    assert_eq!(status(&waiting[1]).await, (json!("complete"), Value::Null));
    let (ended, code) = status(&waiting[2]).await;
    assert_eq!(ended, "error");
    assert_eq!(code, "INSUFFICIENT_FUNDS");
}

#[tokio::test]
async fn what_sequence_moves_is_seen_in_multi() {
    let dollars = Dollars::new().await;
    let world = &dollars.world;
    let [main, second, first_card, _] = &dollars.held;
    let moved = dollars.settled(&main.acc(), &first_card.acc(), 5_000).await;
    let lacking = dollars.settled(&second.acc(), &main.acc(), 5_000).await;
    assert_eq!(lacking["status"], "incomplete");
    // With something that is no instrument at an end: Multi has the money, not the transfer.
    let out = dollars.settled(&main.acc(), &dollars.bank, 700).await;
    assert_eq!(out["status"], "pending");
    let shown = |transfer: &Value, from: &Instrument, to: &Instrument, cents: i64, state: &str| {
        json!({
            "id": decimal(&id(transfer)), "profileId": "0", "source": from.json(),
            "destination": to.json(), "destinationAmount": {"currency": "USD", "amount": cents},
            "state": state, "creationTimestamp": START.0,
            "executionTimestamp": START.0.to_string(),
        })
    };
    let moved = shown(&moved, main, first_card, 5_000, "COMPLETED");
    let lacking = shown(&lacking, second, main, 5_000, "FAILED");
    let list = world.acme().get("/transfers").await.expect(200);
    assert_eq!(list["transfer"], json!([lacking, moved]));
    assert_eq!(list["count"], 2);
    let path = format!("/transfers/{}", decimal(&id(&out)));
    world
        .acme()
        .get(&path)
        .await
        .coded(404, "TRANSFER_NOT_FOUND");
    assert_eq!(dollars.in_multi().await, [100_000 - 5_700, 0, 5_000, 0]);
    // The statement has every movement, whoever caused it.
    let statement = world.acme().get(&main.path("/statement")).await.expect(200);
    assert_eq!(statement["count"], 3);
    assert_eq!(statement["entry"][0]["transactionAmount"]["amount"], -700);
    assert_eq!(statement["entry"][1]["transactionAmount"]["amount"], -5_000);
    assert_eq!(statement["entry"][1]["transactionId"]["type"], "TRANSFER");
}

#[tokio::test]
async fn accounts_add_up_to_the_same_sum_in_both() {
    let dollars = Dollars::new().await;
    let [main, _, first_card, second_card] = &dollars.held;
    let shown = dollars.sequence().get("/accounts").await.data();
    let shown = shown.as_array().expect("a list");
    let named = |account: &str| shown.iter().find(|it| it["id"] == account);
    for instrument in &dollars.held {
        let found = named(&instrument.acc()).expect("it is there");
        assert_eq!(found["type"], "pod");
        assert_eq!(found["beneficiary_name"], "Acme Ltd");
    }
    // A debit card holds nothing, euros are not this dialect's.
    for hidden in [
        &dollars.debit,
        &dollars.world.acme.main,
        &dollars.world.acme.card,
    ] {
        assert!(named(&hidden.acc()).is_none(), "{hidden:?}");
        let path = format!("/accounts/{}", hidden.acc());
        let reply = dollars.sequence().get(&path).await;
        reply.refused(404, "not_found", &[]);
    }
    // Nor can its clients move money into one.
    let reply = dollars
        .sequence()
        .transfer(&main.acc(), &dollars.debit.acc(), 100)
        .await;
    assert!((400..500).contains(&reply.status), "{}", reply.text());

    // What is blocked or removed in one is so in the other.
    let world = &dollars.world;
    world
        .steer(&world.acme, first_card, "block")
        .await
        .bare(204);
    let reply = dollars
        .sequence()
        .transfer(&main.acc(), &first_card.acc(), 100)
        .await;
    assert!((400..500).contains(&reply.status), "{}", reply.text());
    world
        .steer(&world.acme, second_card, "remove")
        .await
        .bare(204);
    let path = format!("/accounts/{}", second_card.acc());
    dollars
        .sequence()
        .get(&path)
        .await
        .refused(404, "not_found", &[]);
    world.operate(main, "block").await;
    let state = world.shown(&world.acme, main).await["state"].clone();
    assert_eq!(state["state"], "BLOCKED");
    assert_eq!(state["blockedReason"], "SYSTEM");
}

// --- at random ---------------------------------------------------------------------------------

/// What is under way, by the time and the transfer that it is due with.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// A scheduled transfer of Multi, between two of the held ones.
    Scheduled(usize, usize, i64, bool),
    /// Money from the account elsewhere.
    Arrival(usize, i64),
}

/// What should be on each of the four instruments and, fifth, on the income source.
struct Books {
    balances: [i64; 5],
    due: BTreeMap<(i64, u64), Due>,
    now: i64,
    /// Fees taken.
    fees: i64,
}

/// 25 and one percent, half a cent to the even neighbour.
fn fee_on(minor: i64) -> i64 {
    let (whole, rest) = (minor / 100, minor % 100);
    let up = rest > 50 || (rest == 50 && whole % 2 == 1);
    25 + whole + i64::from(up)
}

impl Books {
    /// Moves money if it is there, and takes the fee if that is there too.
    fn moves(&mut self, from: usize, to: usize, minor: i64, paid: bool) -> bool {
        if self.balances[from] < minor {
            return false;
        }
        self.balances[from] -= minor;
        self.balances[to] += minor;
        let fee = if paid { fee_on(minor) } else { 0 };
        if self.balances[from] >= fee {
            self.balances[from] -= fee;
            self.fees += fee;
        }
        true
    }

    fn advance(&mut self, delta_ms: i64) {
        self.now += delta_ms;
        let later = self.due.split_off(&(self.now, u64::MAX));
        for due in std::mem::replace(&mut self.due, later).into_values() {
            match due {
                Due::Scheduled(from, to, minor, paid) => {
                    self.moves(from, to, minor, paid);
                }
                Due::Arrival(to, minor) => self.balances[to] += minor,
            }
        }
    }
}

/// A random run of both dialects, simulator money, cards and fees.
struct Run {
    dollars: Dollars,
    random: Random,
    books: Books,
    /// How often each kind of step was taken.
    taken: BTreeMap<&'static str, usize>,
}

impl Run {
    /// Two different ones of the four instruments.
    fn two(&mut self) -> (usize, usize) {
        let from = self.random.below(4);
        (from, (from + 1 + self.random.below(3)) % 4)
    }

    /// Mostly a small amount, at times one that may be too much.
    fn amount(&mut self) -> i64 {
        match self.random.below(10) {
            0 => 20_000 + self.random.below(80_000) as i64,
            1 => 100,
            _ => 100 + self.random.below(5_000) as i64,
        }
    }

    async fn step(&mut self) {
        let what = match self.random.below(12) {
            0..=2 => self.in_multi().await,
            3 | 4 => self.in_sequence().await,
            5 => self.over_the_rail().await,
            6 => self.for_later().await,
            7 => self.in_bulk().await,
            8 => self.outside_pays().await,
            9 | 10 => self.with_a_card().await,
            _ => {
                let delta = self.random.below(8) as i64 * SECOND;
                self.dollars.world.advance(delta).await;
                self.books.advance(delta);
                "time"
            }
        };
        *self.taken.entry(what).or_default() += 1;
    }

    fn order(&mut self) -> (Value, (usize, usize, i64, bool)) {
        let ((from, to), minor) = (self.two(), self.amount());
        let paid = self.random.below(2) == 0;
        let free = &self.dollars.world.profiles.free;
        let profile = if paid { &self.dollars.paid } else { free };
        let held = &self.dollars.held;
        let body = order(profile, &held[from], &held[to], "USD", minor);
        (body, (from, to, minor, paid))
    }

    async fn in_multi(&mut self) -> &'static str {
        let (body, (from, to, minor, paid)) = self.order();
        let world = &self.dollars.world;
        let client = match self.random.below(4) {
            0 => world.programme().acting_for(&world.acme.identity).await,
            _ => world.acme(),
        };
        let reply = client.post("/transfers", &body).await;
        if self.books.moves(from, to, minor, paid) {
            assert_eq!(reply.expect(200)["state"], "COMPLETED");
            "multi"
        } else {
            reply.conflict("FUNDS_INSUFFICIENT");
            "multi without money"
        }
    }

    async fn in_sequence(&mut self) -> &'static str {
        let ((from, to), minor) = (self.two(), self.amount());
        // The income source gives too.
        let from = if self.random.below(4) == 0 { 4 } else { from };
        let dollars = &self.dollars;
        let source = dollars
            .held
            .get(from)
            .map_or(dollars.pay.clone(), Instrument::acc);
        let seen = dollars
            .settled(&source, &dollars.held[to].acc(), minor)
            .await;
        if self.books.moves(from, to, minor, false) {
            assert_eq!(seen["status"], "complete");
            "sequence"
        } else {
            assert_eq!(seen["status"], "incomplete");
            "sequence without money"
        }
    }

    async fn over_the_rail(&mut self) -> &'static str {
        let (which, minor) = (self.random.below(4), self.amount());
        let (dollars, books) = (&self.dollars, &mut self.books);
        let account = dollars.held[which].acc();
        if self.random.below(2) == 0 {
            let seen = dollars.settled(&account, &dollars.bank, minor).await;
            if books.balances[which] < minor {
                assert_eq!(seen["status"], "incomplete");
                return "rail without money";
            }
            assert_eq!(seen["status"], "pending");
            books.balances[which] -= minor;
            "money out"
        } else {
            let seen = dollars.settled(&dollars.bank, &account, minor).await;
            let number = decimal(&id(&seen)).parse().expect("a number");
            let due = Due::Arrival(which, minor);
            books.due.insert((books.now + RAIL_MS, number), due);
            "money in"
        }
    }

    async fn for_later(&mut self) -> &'static str {
        let (body, (from, to, minor, paid)) = self.order();
        let at = self.books.now + 1 + self.random.below(20_000) as i64;
        let reply = self
            .dollars
            .world
            .acme()
            .post("/transfers", &scheduled(body, at))
            .await;
        let number = id(&reply.expect(200));
        if self.random.below(4) == 0 {
            let body = json!({"cancellations": [{"id": number}]});
            let path = "/transfers/bulk/cancel";
            self.dollars
                .world
                .acme()
                .post(path, &body)
                .await
                .expect(200);
            return "called off";
        }
        let number = number.parse().expect("a number");
        let due = Due::Scheduled(from, to, minor, paid);
        self.books.due.insert((at, number), due);
        "scheduled"
    }

    async fn in_bulk(&mut self) -> &'static str {
        let mut operations = Vec::new();
        for _ in 0..1 + self.random.below(5) {
            let (body, (from, to, minor, paid)) = self.order();
            self.books.moves(from, to, minor, paid);
            operations.push(json!({"requestBody": body}));
        }
        let acme = self.dollars.world.acme();
        let bulk = acme
            .post("/bulks/transfers", &json!(operations))
            .await
            .expect(201);
        let path = format!("/bulks/{}/execute", bulk["bulkId"].as_str().expect("an id"));
        let mode = json!({"mode": "ON_FAILURE_CONTINUE"});
        acme.post(&path, &mode).await.bare(204);
        self.dollars.quiesce().await;
        "bulk"
    }

    async fn outside_pays(&mut self) -> &'static str {
        let (which, minor) = (self.random.below(4), self.amount());
        let world = &self.dollars.world;
        self.books.balances[which] += minor;
        let instrument = &self.dollars.held[which];
        if which < 2 && self.random.below(2) == 0 {
            world.deposit(instrument, minor).await;
            "deposit"
        } else {
            world.give(instrument, minor).await;
            "cashback"
        }
    }

    async fn with_a_card(&mut self) -> &'static str {
        let (which, minor) = (self.random.below(3), self.amount());
        // The debit card spends from the first account.
        let (card, from) = match which {
            0 => (&self.dollars.debit, 0),
            which => (&self.dollars.held[which + 1], which + 1),
        };
        let amount = json!({"currency": "USD", "amount": minor});
        let body = json!({"merchantName": "Shop", "transactionAmount": amount});
        let back = self.random.below(3) == 0;
        let what = if back { "merchant_refund" } else { "purchase" };
        let path = format!("/cards/{}/{what}", card.id);
        let simulator = self.dollars.world.programme().simulator();
        let code = simulator.post(&path, &body).await.expect(200)["code"].clone();
        let balance = &mut self.books.balances[from];
        if back {
            assert_eq!(code, "APPROVED");
            *balance += minor;
            "refund"
        } else if *balance < minor {
            assert_eq!(code, "DENIED_NOT_ENOUGH_FUNDS");
            "purchase without money"
        } else {
            assert_eq!(code, "APPROVED");
            *balance -= minor;
            "purchase"
        }
    }

    /// Both dialects tell what the books say, and all money is accounted for.
    async fn check(&self) {
        let dollars = &self.dollars;
        assert_eq!(dollars.in_multi().await, self.books.balances[..4]);
        let mut told = Vec::new();
        for account in dollars
            .held
            .iter()
            .map(Instrument::acc)
            .chain([dollars.pay.clone()])
        {
            told.push(dollars.in_sequence(&account).await);
        }
        assert_eq!(told, self.books.balances);
        dollars.world.check_sum().await;
    }
}

#[tokio::test]
async fn both_dialects_agree_to_the_cent_whatever_is_done_in_either() {
    let dollars = Dollars::new().await;
    let pay = json!({"account_id": dollars.pay, "amount_in_cents": 300_000});
    let path = dollars.world.path("/simulate/paycheck");
    dollars.world.server.admin_post(&path, &pay).await;
    let mut run = Run {
        dollars,
        random: Random::seeded("DIALECTS_SEED", 20_270_115),
        books: Books {
            balances: [100_000, 0, 0, 0, 300_000],
            due: BTreeMap::new(),
            now: START.0,
            fees: 0,
        },
        taken: BTreeMap::new(),
    };
    run.check().await;
    for step in 0..300 {
        if step % 100 == 99 {
            run.dollars.world.restart().await;
        }
        run.step().await;
        run.check().await;
    }
    // Whatever is still under way.
    run.dollars.world.advance(60 * SECOND).await;
    run.books.advance(60 * SECOND);
    run.check().await;
    println!("{:?}, {} in fees", run.taken, run.books.fees);
    assert_eq!(run.taken.len(), 16, "every kind of step: {:?}", run.taken);
    assert!(run.books.fees > 0);
    the_lists_agree(&run.dollars).await;
}

/// Every transfer between two instruments stands in both lists, and says the same in both.
async fn the_lists_agree(dollars: &Dollars) {
    let mut in_multi = BTreeMap::new();
    loop {
        let path = format!("/transfers?offset={}&limit=100", in_multi.len());
        let page = dollars.world.acme().get(&path).await.expect(200);
        let transfers = page["transfer"].as_array().expect("a list").clone();
        if transfers.is_empty() {
            assert_eq!(page["count"], in_multi.len());
            break;
        }
        for transfer in transfers {
            in_multi.insert(spelled("txr_", &id(&transfer)), transfer);
        }
    }
    let mut in_sequence = BTreeMap::new();
    let held: Vec<String> = dollars.held.iter().map(Instrument::acc).collect();
    for account in &held {
        let mut after = String::new();
        loop {
            let path = format!("/transfers?account_id={account}&first=100{after}");
            let page = dollars.sequence().get(&path).await.expect(200);
            for transfer in page["data"].as_array().expect("a list") {
                in_sequence.insert(id(transfer), transfer.clone());
            }
            let info = &page["page_info"];
            if info["has_next_page"] == false {
                break;
            }
            after = format!("&after={}", info["end_cursor"].as_str().expect("a cursor"));
        }
    }
    let is_held = |end: &Value| held.iter().any(|account| end["id"] == **account);
    in_sequence.retain(|_, it| is_held(&it["source"]) && is_held(&it["destination"]));
    let ids = |list: &BTreeMap<String, Value>| list.keys().cloned().collect::<Vec<String>>();
    assert_eq!(ids(&in_multi), ids(&in_sequence));
    assert!(in_multi.len() > 100, "{}", in_multi.len());
    for (number, multi) in &in_multi {
        let sequence = &in_sequence[number];
        assert_eq!(
            multi["destinationAmount"]["amount"],
            sequence["amount_in_cents"]
        );
        for end in ["source", "destination"] {
            let number = multi[end]["id"].as_str().expect("an id");
            assert_eq!(sequence[end]["id"], spelled("acc_", number));
        }
        let status = sequence["status"].as_str().expect("a status");
        let expected = match multi["state"].as_str().expect("a state") {
            "COMPLETED" => &["complete"][..],
            "FAILED" => &["error", "incomplete"],
            "CANCELLED" => &["cancelled"],
            other => panic!("{number} is still {other}"),
        };
        assert!(expected.contains(&status), "{number}: {status}");
    }
}
