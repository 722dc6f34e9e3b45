//! The server is killed while it speaks Multi: transfers at once and for later, cancellations, and
//! a bulk at work. Nothing that was acknowledged may be lost, nothing may happen twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::multi_client::{PASSWORD, corporate};
use crate::process::{Answer, Http, Place, Process, text};
use crate::random::Random;

/// Kills under load, and kills while the server starts.
const KILLS: usize = 40;
/// Before one in so many kills bulks are begun, and so many.
const KILLS_OF_BULKS: usize = 20;
const BULKS_AT_ONCE: usize = 2;
const CLIENTS: usize = 6;
const ACCOUNTS: usize = 6;
/// Minor units on every account.
const FUNDS: i64 = 100_000_000_000;
/// Operations of a bulk, of a cent each.
const OPERATIONS: i64 = 10_000;
const HOUR: i64 = 60 * 60 * 1_000;

/// A programme of a running server with one corporate, and a token that outlives every kill.
#[derive(Clone)]
struct Ground {
    tenant: String,
    key: String,
    token: String,
    /// A transfer profile.
    profile: String,
    accounts: Vec<String>,
}

/// A connection to one of the Multi APIs.
struct Multi {
    http: Http,
    key: String,
}

impl Multi {
    fn new(process: &Process, key: &str, token: &str) -> Multi {
        Multi {
            http: Http::new(&process.api, &format!("Bearer {token}")),
            key: key.to_owned(),
        }
    }

    /// Sends a request; after an error its fate is unknown.
    fn send(
        &mut self,
        method: &str,
        path: &str,
        reference: Option<&str>,
        body: Option<&str>,
    ) -> std::io::Result<Answer> {
        let mut headers = vec![("api-key", &*self.key)];
        headers.extend(reference.map(|reference| ("idempotency-ref", reference)));
        self.http.send(method, path, &headers, body)
    }

    /// A call that must be answered, whatever the answer.
    #[track_caller]
    fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string);
        let answer = self.send(method, path, None, body.as_deref());
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    #[track_caller]
    fn get(&mut self, path: &str) -> Value {
        self.call("GET", &format!("/multi{path}"), None).expect(200)
    }

    #[track_caller]
    fn post(&mut self, path: &str, body: &Value) -> Value {
        self.call("POST", path, Some(body)).expect(200)
    }
}

fn string(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl Ground {
    fn prepare(process: &Process, place: &Place) -> Ground {
        let mut admin = process.as_admin(place);
        let tenant = admin.post("/admin/v1/tenants", &json!({"name": "Programme"}));
        let tenant = string(&tenant["id"]);
        let base = format!("/admin/v1/tenants/{tenant}");
        let permissions = json!({"name": "k", "permissions": [{"scope": "PROGRAMME"}]});
        let key = string(&admin.post(&format!("{base}/keys"), &permissions)["secret"]);
        let mut profile = |kind: &str| {
            let body = json!({"name": kind, "type": kind});
            string(&admin.post(&format!("{base}/profiles"), &body)["multi_id"])
        };
        let profiles = ["corporate", "managed_account", "transfer"].map(&mut profile);
        let [of_corporates, of_accounts, of_transfers] = profiles;

        let mut multi = Multi::new(process, &key, "nobody");
        let email = "root@acme.example";
        let made = multi.post("/multi/corporates", &corporate(&of_corporates, email));
        let root = string(&made["id"]["id"]);
        let verify = format!("/simulate/api/corporates/{root}/verify");
        multi.call("POST", &verify, None).expect(204);
        let password = json!({"password": {"value": PASSWORD}});
        multi.post(&format!("/multi/passwords/{root}/create"), &password);
        let login = json!({"email": email, "password": {"value": PASSWORD}});
        let login = multi.post("/multi/login_with_password", &login);
        let token = string(&login["token"]);

        let mut multi = Multi::new(process, &key, &token);
        let accounts = (1..=ACCOUNTS).map(|number| {
            let name = format!("Account {number}");
            let body = json!({"profileId": of_accounts, "friendlyName": name, "currency": "EUR"});
            let account = string(&multi.post("/multi/managed_accounts", &body)["id"]);
            let amount = json!({"currency": "EUR", "amount": FUNDS});
            let path = format!("/simulate/api/accounts/{account}/deposit");
            let paid = multi.post(&path, &json!({"depositAmount": amount}));
            assert_eq!(paid["code"], "COMPLETED");
            account
        });
        let accounts = accounts.collect();
        Ground {
            tenant,
            key,
            token,
            profile: of_transfers,
            accounts,
        }
    }

    fn multi(&self, process: &Process) -> Multi {
        Multi::new(process, &self.key, &self.token)
    }

    fn order(&self, tag: &str, from: usize, to: usize, minor: i64) -> Value {
        let end = |which: usize| json!({"id": self.accounts[which], "type": "managed_accounts"});
        json!({
            "profileId": self.profile, "tag": tag, "source": end(from), "destination": end(to),
            "destinationAmount": {"currency": "EUR", "amount": minor},
        })
    }
}

/// One transfer that a client wants, under a reference that is its tag too.
#[derive(Clone, Debug)]
struct Wish {
    reference: String,
    body: String,
    /// The client calls it off as soon as it is made.
    to_cancel: bool,
}

/// What became of a wish to call something off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cancelled {
    NotTried,
    Unanswered,
    Acknowledged,
}

/// A wish with the answer it got.
struct Kept {
    wish: Wish,
    answer: Vec<u8>,
    cancelled: Cancelled,
}

struct Client {
    number: usize,
    random: Random,
    made: usize,
    kept: Vec<Kept>,
    unanswered: Vec<Wish>,
}

/// Milliseconds since 1970 by this machine's clock, which is the server's too.
fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH
        .elapsed()
        .expect("it is later than 1970");
    i64::try_from(since.as_millis()).expect("and not that much later")
}

impl Client {
    fn next_wish(&mut self, ground: &Ground) -> Wish {
        self.made += 1;
        let reference = format!("client-{}-{}", self.number, self.made);
        let from = self.random.below(ACCOUNTS);
        let to = (from + 1 + self.random.below(ACCOUNTS - 1)) % ACCOUNTS;
        let minor = 1 + self.random.below(900) as i64;
        let mut body = ground.order(&reference, from, to, minor);
        // One in four for later: soon, around the next kill, or after all of them.
        let (delay, to_cancel) = match self.random.below(16) {
            0..=2 => (Some(1 + self.random.below(500) as i64), false),
            3 => (Some(HOUR), self.random.below(2) == 0),
            _ => (None, false),
        };
        if let Some(delay) = delay {
            body["scheduledTimestamp"] = json!((now_ms() + delay).to_string());
        }
        Wish {
            reference,
            body: body.to_string(),
            to_cancel,
        }
    }

    /// Sends transfers until the server is gone.
    fn load(&mut self, multi: &mut Multi, ground: &Ground, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let wish = self.next_wish(ground);
            match transfer(multi, &wish) {
                Ok(answer) => self.kept.push(Kept::new(wish, answer)),
                Err(_) => {
                    self.unanswered.push(wish);
                    return;
                }
            }
            if let Some(kept) = self.kept.last_mut().filter(|kept| kept.wish.to_cancel) {
                kept.cancel(multi);
            }
        }
    }
}

/// An answer of 200, or none. A time that has passed on the way is refused and wished no more.
fn transfer(multi: &mut Multi, wish: &Wish) -> std::io::Result<Answer> {
    let path = "/multi/transfers";
    let answer = multi.send("POST", path, Some(&wish.reference), Some(&wish.body))?;
    let late = answer.status == 409 && text(&answer.body).contains("SCHEDULED_TIMESTAMP_INVALID");
    assert!(answer.status == 200 || late, "{wish:?}: {answer:?}");
    Ok(answer)
}

impl Kept {
    fn new(wish: Wish, answer: Answer) -> Kept {
        Kept {
            wish,
            answer: answer.body,
            cancelled: Cancelled::NotTried,
        }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.answer).expect("JSON")
    }

    /// Whether a transfer was made of it, not a refusal.
    fn is_made(&self) -> bool {
        self.json().get("errorCode").is_none()
    }

    fn cancel(&mut self, multi: &mut Multi) {
        let id = &self.json()["id"];
        let body = json!({"cancellations": [{"id": id}]}).to_string();
        let path = "/multi/transfers/bulk/cancel";
        self.cancelled = match multi.send("POST", path, None, Some(&body)) {
            Ok(answer) => {
                let told = answer.expect(200);
                assert_eq!(told["cancellations"][0]["state"], "SUCCESS", "{told}");
                Cancelled::Acknowledged
            }
            Err(_) => Cancelled::Unanswered,
        };
    }
}

/// Runs the clients against the server and kills it after `moment`; when that was.
fn killed_under_load(
    process: Process,
    ground: &Ground,
    clients: &mut [Client],
    moment: Duration,
) -> i64 {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in clients {
            let mut multi = ground.multi(&process);
            let over = &over;
            scope.spawn(move || client.load(&mut multi, ground, over));
        }
        std::thread::sleep(moment);
        process.kill();
        over.store(true, Ordering::Relaxed);
        now_ms()
    })
}

/// Sends again what was not answered. The answer may be the first or a repeated one.
fn retry(multi: &mut Multi, clients: &mut [Client], all: &mut BTreeMap<String, Kept>) -> usize {
    let mut retried = 0;
    for client in clients {
        for wish in client.unanswered.drain(..) {
            let answer = transfer(multi, &wish).expect("an answer");
            client.kept.push(Kept::new(wish, answer));
            retried += 1;
        }
        for kept in client.kept.drain(..) {
            let twin = all.insert(kept.wish.reference.clone(), kept);
            assert!(
                twin.is_none(),
                "a reference was used twice by the test itself"
            );
        }
    }
    retried
}

/// Sends acknowledged transfers again: the answers must be the first ones, byte for byte.
fn repeat(multi: &mut Multi, random: &mut Random, all: &BTreeMap<String, Kept>, times: usize) {
    let known: Vec<&Kept> = all.values().collect();
    for _ in 0..times.min(known.len()) {
        let first = random.pick(&known);
        let again = transfer(multi, &first.wish).expect("an answer");
        assert_eq!(text(&again.body), text(&first.answer), "{:?}", first.wish);
    }
}

/// A bulk that is handed in, and how far it has been seen to have come.
struct Bulk {
    number: usize,
    id: String,
    seen: i64,
}

impl Bulk {
    /// Hands a bulk in.
    fn submit(multi: &mut Multi, ground: &Ground, number: usize) -> Bulk {
        let operations: Vec<Value> = (1..=OPERATIONS)
            .map(|operation| {
                let tag = format!("bulk-{number}-{operation}");
                json!({"requestBody": ground.order(&tag, 0, 1, 1)})
            })
            .collect();
        let body = json!(operations).to_string();
        let reference = format!("bulk-{number}");
        let path = "/multi/bulks/transfers";
        let answer = multi.send("POST", path, Some(&reference), Some(&body));
        let answer = answer.expect("an answer").expect(201);
        Bulk {
            number,
            id: string(&answer["bulkId"]),
            seen: 0,
        }
    }

    /// Has it run.
    fn execute(&self, multi: &mut Multi) {
        let path = format!("/multi/bulks/{}/execute", self.id);
        let mode = json!({"mode": "ON_FAILURE_STOP"});
        multi.call("POST", &path, Some(&mode)).expect(204);
    }

    /// What it has done stays done; what it was told to do it does.
    fn look(&mut self, multi: &mut Multi) {
        let shown = multi.get(&format!("/bulks/{}", self.id));
        let counts = shown["operationStatusCounts"].as_array().expect("a list");
        let done = counts.iter().find(|count| count["status"] == "COMPLETED");
        let done = done.map_or(0, |count| count["count"].as_i64().expect("an integer"));
        assert!(
            done >= self.seen,
            "bulk {}: {} and then {shown}",
            self.number,
            self.seen
        );
        let status = if done == OPERATIONS {
            "COMPLETED"
        } else {
            "RUNNING"
        };
        assert_eq!(shown["status"], status, "{shown}");
        self.seen = done;
    }

    /// Whether it has made its last transfer after this time: an id carries the time of its making.
    fn ended_after(&self, multi: &mut Multi, at_ms: i64) -> bool {
        let path = format!("/bulks/{}/operations?sequence={OPERATIONS}", self.id);
        let page = multi.get(&path);
        let payload = page["operations"][0].get("responsePayload");
        // Without an answer it is still at work.
        payload.is_none_or(|payload| {
            let transfer: Value = serde_json::from_str(&string(payload)).expect("JSON");
            let id: i64 = string(&transfer["id"]).parse().expect("a number");
            id >> 16 > at_ms
        })
    }
}

#[test]
fn killed_while_it_speaks_multi_it_loses_nothing_and_doubles_nothing() {
    let begun = Instant::now();
    let mut random = Random::seeded("MULTI_CRASH_SEED", 20_261_122);
    let place = Place::new();
    let mut process = place.serve(&[]);
    let ground = Ground::prepare(&process, &place);
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|number| Client {
            number,
            random: Random::new(random.next()),
            made: 0,
            kept: Vec::new(),
            unanswered: Vec::new(),
        })
        .collect();
    let mut all = BTreeMap::new();
    let mut bulks: Vec<Bulk> = Vec::new();
    let (mut retried, mut interrupted) = (0, 0);
    for kill in 0..KILLS {
        let mut moment = 10 + random.below(190) as u64;
        let known = bulks.len();
        if kill % KILLS_OF_BULKS == 0 {
            let mut multi = ground.multi(&process);
            for number in known..known + BULKS_AT_ONCE {
                bulks.push(Bulk::submit(&mut multi, &ground, number));
            }
            for bulk in &bulks[known..] {
                bulk.execute(&mut multi);
            }
            // Soon enough to find them at work.
            moment = random.below(15) as u64;
        }
        let moment = Duration::from_millis(moment);
        let killed_at = killed_under_load(process, &ground, &mut clients, moment);
        if kill % 10 == 9 {
            place.verify();
        }
        if random.below(6) == 0 {
            // And once more while it starts, and has work to do that is due.
            let mut child = place.spawn(&[]);
            std::thread::sleep(Duration::from_millis(random.below(120) as u64));
            child.kill().expect("it can be killed");
            child.wait().expect("it was started");
        }
        process = place.serve(&[]);
        // Nobody was logged out by it.
        let mut multi = ground.multi(&process);
        for bulk in &mut bulks {
            bulk.look(&mut multi);
        }
        for bulk in &bulks[known..] {
            interrupted += usize::from(bulk.ended_after(&mut multi, killed_at));
        }
        retried += retry(&mut multi, &mut clients, &mut all);
        repeat(&mut multi, &mut random, &all, 5);
        check_sum(&mut process.as_admin(&place));
    }
    println!(
        "{KILLS} kills, {} wishes, {retried} retried, {interrupted} of {} bulks interrupted, {:.0?}",
        all.len(),
        bulks.len(),
        begun.elapsed()
    );
    assert!(interrupted > 0, "no bulk was cut short");
    assert!(all.len() > KILLS * CLIENTS, "hardly any load");
    assert!(retried > KILLS / 2, "hardly any request was cut short");

    let mut multi = ground.multi(&process);
    repeat(&mut multi, &mut random, &all, 300);
    // Whatever waits for its time happens now, and so does the rest of the bulks.
    let mut admin = process.as_admin(&place);
    let path = format!("/admin/v1/tenants/{}/clock", ground.tenant);
    let later = json!({"advance_ms": 2 * HOUR});
    admin.call("PUT", &path, Some(&later)).expect(200);
    for bulk in &mut bulks {
        bulk.look(&mut multi);
        assert_eq!(bulk.seen, OPERATIONS, "bulk {} has ended", bulk.number);
    }
    check_books(&mut multi, &ground, &all, bulks.len());
    check_sum(&mut process.as_admin(&place));
    place.verify();
    assert_eq!(process.terminate().code(), Some(0));
    place.verify();
    println!("in all {:.0?}", begun.elapsed());
}

/// All balances together are nothing.
fn check_sum(admin: &mut Http) {
    let status = admin.get("/admin/v1/status");
    assert_eq!(status["sum_of_all_balances"], json!({"EUR": "0"}));
}

/// The most transfers that are paged through: a page far behind the first costs the more.
const WINDOW: i64 = 1_000;

/// Every transfer by its tag, which none has twice.
fn all_transfers(multi: &mut Multi) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut windows = vec![(0, now_ms() + 10 * HOUR)];
    while let Some((from, to)) = windows.pop() {
        let window = format!("/transfers?createdFrom={from}&createdTo={to}");
        let first = multi.get(&format!("{window}&limit=1"));
        let count = first["count"].as_i64().expect("an integer");
        if count > WINDOW && from < to {
            let middle = from + (to - from) / 2;
            windows.extend([(from, middle), (middle + 1, to)]);
            continue;
        }
        for offset in (0..count).step_by(100) {
            let page = multi.get(&format!("{window}&offset={offset}&limit=100"));
            for transfer in page["transfer"].as_array().expect("a list") {
                let twin = found.insert(string(&transfer["tag"]), transfer.clone());
                assert!(twin.is_none(), "twice: {transfer}");
            }
        }
    }
    let all = multi.get("/transfers?limit=1");
    assert_eq!(all["count"], found.len());
    found
}

/// Every acknowledged wish has come true exactly once, every operation of every bulk has too, and
/// nothing else has happened; the balances are what the transfers say.
fn check_books(multi: &mut Multi, ground: &Ground, all: &BTreeMap<String, Kept>, bulks: usize) {
    let mut transfers = all_transfers(multi);
    let mut balances: BTreeMap<&str, i64> = ground
        .accounts
        .iter()
        .map(|account| (&**account, FUNDS))
        .collect();
    for transfer in transfers.values().filter(|it| it["state"] == "COMPLETED") {
        let minor = transfer["destinationAmount"]["amount"]
            .as_i64()
            .expect("an integer");
        let mut add = |end: &str, minor: i64| {
            let account = transfer[end]["id"].as_str().expect("an id");
            *balances.get_mut(account).expect("one of ours") += minor;
        };
        add("source", -minor);
        add("destination", minor);
    }
    for (account, expected) in balances {
        let shown = multi.get(&format!("/managed_accounts/{account}"));
        assert_eq!(shown["balances"]["actualBalance"], expected, "{account}");
        assert_eq!(shown["balances"]["availableBalance"], expected, "{account}");
    }
    for bulk in 0..bulks {
        for operation in 1..=OPERATIONS {
            let tag = format!("bulk-{bulk}-{operation}");
            let transfer = transfers.remove(&tag);
            let transfer = transfer.unwrap_or_else(|| panic!("{tag} is lost"));
            assert_eq!(transfer["state"], "COMPLETED");
        }
    }
    let mut told = BTreeMap::from([("COMPLETED", 0), ("CANCELLED", 0), ("refused", 0)]);
    for (reference, kept) in all {
        if !kept.is_made() {
            assert!(
                !transfers.contains_key(reference),
                "{reference} was refused"
            );
            *told.get_mut("refused").expect("it is there") += 1;
            continue;
        }
        let answer = kept.json();
        let found = transfers.remove(reference);
        let found = found.unwrap_or_else(|| panic!("{reference} is lost"));
        for member in [
            "id",
            "destinationAmount",
            "source",
            "destination",
            "creationTimestamp",
        ] {
            assert_eq!(found[member], answer[member], "{reference}: {found}");
        }
        let possible = match kept.cancelled {
            Cancelled::NotTried => &["COMPLETED"][..],
            Cancelled::Acknowledged => &["CANCELLED"],
            Cancelled::Unanswered => &["CANCELLED", "COMPLETED"],
        };
        let state = found["state"].as_str().expect("a state");
        assert!(possible.contains(&state), "{reference}: {found}");
        *told.get_mut(state).expect("one of these") += 1;
        // A sandbox does its work at the time it was due, however late it comes to it.
        if state == "COMPLETED" && answer["state"] == "SCHEDULED" {
            assert_eq!(found["executionTimestamp"], found["scheduledTimestamp"]);
        }
    }
    assert!(transfers.is_empty(), "nobody wished for {transfers:?}");
    println!("{told:?}");
    assert!(told["CANCELLED"] > 0, "{told:?}");
}
