//! The server is killed at random moments under load, a hundred times and more, and started again
//! on the same folder. Nothing that was acknowledged may be lost, nothing may happen twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Ground, Http, PATIENCE, Place, Process, text};
use crate::random::Random;

/// Kills under load, and kills while the server starts.
const KILLS: usize = 104;
const CLIENTS: usize = 8;
/// Milliseconds that transfers over the rail take: some settle before a kill, some after.
const RAIL_MS: &str = "60";
/// Cents on every funded account.
const FUNDS: i64 = 100_000_000_000;
const PODS: usize = 6;

/// One transfer that a client wants, under its idempotency key.
#[derive(Clone, Debug)]
struct Wish {
    key: String,
    body: String,
}

/// What a client was told: key and answer.
type Acknowledged = BTreeMap<String, (Wish, Vec<u8>)>;

struct Client {
    number: usize,
    random: Random,
    made: usize,
    acknowledged: Vec<(Wish, Vec<u8>)>,
    unanswered: Vec<Wish>,
}

impl Client {
    fn next_wish(&mut self, ground: &Ground) -> Wish {
        self.made += 1;
        let key = format!("client-{}-{}", self.number, self.made);
        // Mostly between pods; one in eight over the rail, one in sixteen pulled over it. The
        // last pod begins empty, so that some transfers lack money.
        let pods = &ground.pods;
        let (from, to) = match self.random.below(16) {
            0 | 1 => (self.random.pick(pods), &ground.bank),
            2 => (&ground.bank, self.random.pick(pods)),
            3 => (&ground.pay, self.random.pick(pods)),
            _ => {
                let from = self.random.below(PODS);
                let to = (from + 1 + self.random.below(PODS - 1)) % PODS;
                (&pods[from], &pods[to])
            }
        };
        let amount = 100 + self.random.below(900);
        let body = json!({
            "source_account_id": from, "destination_account_id": to, "amount_in_cents": amount,
        });
        Wish {
            key,
            body: body.to_string(),
        }
    }

    /// Sends transfers until the server is gone.
    fn load(&mut self, http: &mut Http, ground: &Ground, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let wish = self.next_wish(ground);
            match http.transfer(&wish.key, &wish.body) {
                Ok(answer) if answer.status == 201 => {
                    self.acknowledged.push((wish, answer.body));
                }
                Ok(answer) => panic!("{wish:?}: {answer:?}"),
                Err(_) => {
                    self.unanswered.push(wish);
                    return;
                }
            }
        }
    }
}

fn clients(random: &mut Random) -> Vec<Client> {
    (0..CLIENTS)
        .map(|number| Client {
            number,
            random: Random::new(random.next()),
            made: 0,
            acknowledged: Vec::new(),
            unanswered: Vec::new(),
        })
        .collect()
}

/// Runs the clients against the server and ends it after `moment`.
fn under_load<T>(
    process: Process,
    ground: &Ground,
    clients: &mut [Client],
    moment: Duration,
    end: impl FnOnce(Process) -> T,
) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in clients {
            let mut http = process.as_key(&ground.key);
            let over = &over;
            scope.spawn(move || client.load(&mut http, ground, over));
        }
        std::thread::sleep(moment);
        let ended = end(process);
        over.store(true, Ordering::Relaxed);
        ended
    })
}

/// Sends again what was not answered. The answer may be the first or a repeated one.
fn retry(http: &mut Http, clients: &mut [Client], acknowledged: &mut Acknowledged) -> usize {
    let mut retried = 0;
    for client in clients {
        for (wish, answer) in client.acknowledged.drain(..) {
            let known = acknowledged.insert(wish.key.clone(), (wish, answer));
            assert!(known.is_none(), "a key was used twice by the test itself");
        }
        for wish in client.unanswered.drain(..) {
            let answer = http.transfer(&wish.key, &wish.body).expect("an answer");
            answer.expect(201);
            acknowledged.insert(wish.key.clone(), (wish, answer.body));
            retried += 1;
        }
    }
    retried
}

/// Sends acknowledged transfers again: the answers must be the first ones, byte for byte.
fn repeat(http: &mut Http, random: &mut Random, acknowledged: &Acknowledged, times: usize) {
    let known: Vec<&(Wish, Vec<u8>)> = acknowledged.values().collect();
    for _ in 0..times.min(known.len()) {
        let (wish, first) = random.pick(&known);
        let again = http.transfer(&wish.key, &wish.body).expect("an answer");
        again.expect(201);
        assert_eq!(text(&again.body), text(first), "{wish:?}");
    }
}

#[test]
fn killed_at_random_moments_it_loses_nothing_and_doubles_nothing() {
    let begun = Instant::now();
    let mut random = Random::seeded("CRASH_SEED", 20_261_121);
    let place = Place::new();
    let serve = |place: &Place| place.serve(&["--rail-delay-ms", RAIL_MS]);
    let mut process = serve(&place);
    let ground = Ground::prepare(&mut process.as_admin(&place), PODS, FUNDS);
    let mut clients = clients(&mut random);
    let mut acknowledged = Acknowledged::new();
    let (mut retried, mut started_in_vain) = (0, 0);
    for kill in 1..=KILLS {
        let moment = Duration::from_millis(10 + random.below(190) as u64);
        under_load(process, &ground, &mut clients, moment, Process::kill);
        if kill % 10 == 0 {
            place.verify();
        }
        if random.below(8) == 0 {
            // And once more while it starts: recovery itself may be cut short.
            let mut child = place.spawn(&["--rail-delay-ms", RAIL_MS]);
            std::thread::sleep(Duration::from_millis(random.below(60) as u64));
            child.kill().expect("it can be killed");
            child.wait().expect("it was started");
            started_in_vain += 1;
        }
        process = serve(&place);
        let mut http = process.as_key(&ground.key);
        retried += retry(&mut http, &mut clients, &mut acknowledged);
        repeat(&mut http, &mut random, &acknowledged, 5);
        check_sum(&mut process.as_admin(&place));
    }
    println!(
        "{KILLS} kills under load and {started_in_vain} at the start, {} transfers, {retried} \
         retried, {:.0?}",
        acknowledged.len(),
        begun.elapsed()
    );
    assert!(acknowledged.len() > KILLS * CLIENTS, "hardly any load");
    assert!(retried > KILLS / 2, "hardly any request was cut short");

    let mut http = process.as_key(&ground.key);
    repeat(&mut http, &mut random, &acknowledged, 500);
    let mut admin = process.as_admin(&place);
    settle(&mut admin, &ground);
    check_books(&mut http, &mut admin, &ground, &acknowledged);
    place.verify();
    assert_eq!(process.terminate().code(), Some(0));
    place.verify();
    println!("in all {:.0?}", begun.elapsed());
}

/// Waits until nothing is on the way any more.
fn settle(admin: &mut Http, ground: &Ground) {
    let begun = Instant::now();
    let path = format!("/admin/v1/tenants/{}/clock", ground.tenant);
    loop {
        // Moves the clock past every settlement and returns when they have happened.
        admin
            .call("PUT", &path, Some(&json!({"advance_ms": 1_000})))
            .expect(200);
        let path = format!("/admin/v1/tenants/{}/transfers", ground.tenant);
        let newest = admin.get(&format!("{path}?account_id={}&limit=1000", ground.bank));
        let open = |t: &Value| t["status"] == "pending" || t["status"] == "processing";
        if !newest["data"].as_array().expect("a list").iter().any(open) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "transfers do not settle");
    }
}

/// Every acknowledged transfer is there exactly once, and nothing else; the balances are what the
/// transfers say; all money is accounted for.
fn check_books(http: &mut Http, admin: &mut Http, ground: &Ground, acknowledged: &Acknowledged) {
    let accounts: Vec<&String> = std::iter::once(&ground.pay)
        .chain(&ground.pods)
        .chain(std::iter::once(&ground.bank))
        .collect();
    let mut transfers: BTreeMap<String, Value> = BTreeMap::new();
    for account in &accounts {
        for transfer in all_transfers(http, account) {
            let id = transfer["id"].as_str().expect("an id").to_owned();
            let twin = transfers.insert(id, transfer.clone());
            assert!(twin.is_none_or(|twin| twin == transfer), "{transfer}");
        }
    }
    let funded = 1 + ground.pods.len() - 1;
    let (paychecks, made): (Vec<&Value>, Vec<&Value>) =
        transfers.values().partition(|t| t["origin"] == "paycheck");
    assert_eq!(paychecks.len(), funded);
    assert_eq!(made.len(), acknowledged.len(), "lost or doubled");

    let mut seen = BTreeSet::new();
    for (wish, answer) in acknowledged.values() {
        let answer: Value = serde_json::from_slice(answer).expect("JSON");
        let told = &answer["data"];
        let id = told["id"].as_str().expect("an id");
        assert!(
            seen.insert(id.to_owned()),
            "{id} answers two keys, {} among them",
            wish.key
        );
        let found = transfers
            .get(id)
            .unwrap_or_else(|| panic!("{wish:?} is lost"));
        let wanted: Value = serde_json::from_str(&wish.body).expect("JSON");
        assert_eq!(found["amount_in_cents"], wanted["amount_in_cents"]);
        assert_eq!(found["source"]["id"], wanted["source_account_id"]);
        assert_eq!(found["destination"]["id"], wanted["destination_account_id"]);
        assert_eq!(found["created_at"], told["created_at"]);
        let status = found["status"].as_str().expect("a status");
        assert!(matches!(status, "complete" | "incomplete"), "{found}");
    }

    let mut total = 0;
    for account in &accounts {
        let sum: i64 = transfers
            .values()
            .filter(|t| t["status"] == "complete")
            .map(|t| {
                let amount = t["amount_in_cents"].as_i64().expect("an integer");
                let is = |end: &str| i64::from(t[end]["id"] == ***account);
                amount * (is("destination") - is("source"))
            })
            .sum();
        if **account == ground.bank {
            total -= sum;
            continue;
        }
        let balance = ground.balance(admin, account);
        assert_eq!(balance, sum, "{account}");
        assert!(balance >= 0);
        total -= balance;
    }
    assert_eq!(total, -FUNDS * funded as i64, "money was made or lost");
    check_sum(admin);
}

/// All balances together are nothing.
fn check_sum(admin: &mut Http) {
    let status = admin.get("/admin/v1/status");
    assert_eq!(status["sum_of_all_balances"], json!({"USD": "0"}));
}

#[test]
fn told_to_stop_under_load_it_keeps_what_it_answered() {
    let mut random = Random::seeded("STOP_SEED", 5);
    let place = Place::new();
    let mut process = place.serve(&["--rail-delay-ms", RAIL_MS]);
    let ground = Ground::prepare(&mut process.as_admin(&place), PODS, FUNDS);
    let mut clients = clients(&mut random);
    let mut acknowledged = Acknowledged::new();
    for _ in 0..6 {
        let moment = Duration::from_millis(10 + random.below(100) as u64);
        let stopped = under_load(process, &ground, &mut clients, moment, Process::terminate);
        assert_eq!(stopped.code(), Some(0));
        place.verify();
        process = place.serve(&["--rail-delay-ms", RAIL_MS]);
        let mut http = process.as_key(&ground.key);
        retry(&mut http, &mut clients, &mut acknowledged);
    }
    let mut http = process.as_key(&ground.key);
    let mut admin = process.as_admin(&place);
    settle(&mut admin, &ground);
    check_books(&mut http, &mut admin, &ground, &acknowledged);
    place.verify();
}

fn all_transfers(http: &mut Http, account: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/transfers?account_id={account}&first=100{after}");
        let mut page = http.get(&path);
        found.append(page["data"].as_array_mut().expect("a list"));
        let info = &page["page_info"];
        if info["has_next_page"] == false {
            return found;
        }
        after = format!("&after={}", info["end_cursor"].as_str().expect("a cursor"));
    }
}
