//! Server and receiver are killed while webhooks are delivered. Every event of the log arrives, each
//! account's in their order, and what arrives twice has the same id and the same body.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::process::{Ground, Http, PATIENCE, Place, Process, poll};
use crate::random::Random;
use crate::receiver::{Received, Receiver};
use crate::webhooks::{is_verified, secret};

const KILLS: usize = 8;
/// Kills before which the receiver goes away. An event that fails is tried again after five seconds
/// and then after five minutes, so these are close together.
const OUTAGES: [usize; 2] = [5, 6];
const CLIENTS: usize = 4;
/// Transfers that a client sends before a kill, at most.
const ORDERS: usize = 30;
const PODS: usize = 6;
/// Cents on every funded account.
const FUNDS: i64 = 100_000_000_000;
/// Bounds each read of the log.
const PAGE: usize = 1_000;

fn serve(place: &Place) -> Process {
    place.serve(&["--rail-delay-ms", "60", "--webhook-networks", "127.0.0.0/8"])
}

/// Sends transfers while `meanwhile` runs, which may kill the server.
fn under_load(process: &Process, ground: &Ground, random: &mut Random, meanwhile: impl FnOnce()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut http = process.as_key(&ground.key);
            let mut random = Random::new(random.next());
            let over = &over;
            scope.spawn(move || {
                for _ in 0..ORDERS {
                    if over.load(Ordering::Relaxed) || !order(&mut http, ground, &mut random) {
                        return;
                    }
                }
            });
        }
        meanwhile();
        over.store(true, Ordering::Relaxed);
    });
}

/// One transfer, one in eight of them over the rail. False when nobody answers any more.
fn order(http: &mut Http, ground: &Ground, random: &mut Random) -> bool {
    let from = random.below(PODS);
    let to = match random.below(8) {
        0 => &ground.bank,
        _ => &ground.pods[(from + 1 + random.below(PODS - 1)) % PODS],
    };
    let body = json!({
        "source_account_id": ground.pods[from], "destination_account_id": to,
        "amount_in_cents": 100 + random.below(900),
    });
    let key = format!("order-{}", random.next());
    match http.transfer(&key, &body.to_string()) {
        Ok(answer) => {
            answer.expect(201);
            true
        }
        Err(_) => false,
    }
}

/// What the log tells of transfers after an event, in the form that the endpoint gets.
fn log(admin: &mut Http, ground: &Ground, after: &str) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), after.to_owned());
    loop {
        let path = format!(
            "/admin/v1/events?tenant={}&types=transfer.*&form=full&limit={PAGE}&after={after}",
            ground.tenant
        );
        let mut page = admin.get(&path);
        events.append(page["data"].as_array_mut().expect("a list"));
        if page["more"] == false {
            return events;
        }
        page["next"]
            .as_str()
            .expect("a place")
            .clone_into(&mut after);
    }
}

/// Waits until everything in the log has arrived and nothing more comes into it.
fn wait(admin: &mut Http, ground: &Ground, from: &str, receiver: &Receiver) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let events = log(admin, ground, from);
        let received = receiver.all();
        let bodies: Vec<Value> = received.iter().map(Received::json).collect();
        let arrived: HashMap<&str, ()> = bodies.iter().map(|body| (id(body), ())).collect();
        let missing = events
            .iter()
            .filter(|event| !arrived.contains_key(id(event)));
        let missing: Vec<&str> = missing.map(id).collect();
        if missing.is_empty() && log(admin, ground, from).len() == events.len() {
            return events;
        }
        let waited = begun.elapsed();
        assert!(waited < PATIENCE, "{} are lost: {missing:?}", missing.len());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn id(event: &Value) -> &str {
    event["id"].as_str().expect("an id")
}

/// The accounts that an event of a transfer is about.
fn accounts(event: &Value) -> Vec<&str> {
    let object = &event["data"]["object"];
    let ends = ["source", "destination"].map(|end| object[end]["id"].as_str());
    let ends: Vec<&str> = ends.into_iter().flatten().collect();
    assert!(!ends.is_empty(), "{event}");
    ends
}

/// Everything that was received against the log. Answers how much came again.
fn check(events: &[Value], received: &[Received], secret: &str) -> usize {
    let places: HashMap<&str, usize> = events
        .iter()
        .enumerate()
        .map(|(place, event)| (id(event), place))
        .collect();
    let mut first: HashMap<usize, &Received> = HashMap::new();
    let mut lanes: HashMap<&str, Vec<usize>> = HashMap::new();
    for one in received {
        assert!(is_verified(one, secret), "{one:?}");
        let body = one.json();
        let place = *places.get(id(&body)).expect("only what is in the log");
        assert_eq!(body, events[place]);
        let before = *first.entry(place).or_insert(one);
        assert_eq!(before.body, one.body);
        assert_eq!(before.header("webhook-id"), one.header("webhook-id"));
        for account in accounts(&events[place]) {
            lanes.entry(account).or_default().push(place);
        }
    }
    assert_eq!(first.len(), events.len(), "something is lost");
    for (account, told) in lanes {
        let mut newest = None;
        let mut steps_back = 0;
        for pair in told.windows(2) {
            steps_back += usize::from(pair[1] < pair[0]);
        }
        // Only a server that was killed begins again at an event that has been told.
        assert!(steps_back <= KILLS, "{account}: {told:?}");
        for place in told {
            if newest.is_none_or(|newest| place > newest) {
                let between = newest.map_or(0, |newest| newest + 1)..place;
                let mut skipped = events[between].iter();
                let skips = skipped.any(|event| accounts(event).contains(&account));
                assert!(!skips, "{account}: {} came too soon", id(&events[place]));
                newest = Some(place);
            }
        }
    }
    received.len() - first.len()
}

#[test]
fn kills_of_server_and_receiver_lose_no_event_and_keep_each_accounts_order() {
    let begun = Instant::now();
    let mut random = Random::seeded("HOOK_CRASH_SEED", 20_261_122);
    let runtime = Runtime::new().expect("a runtime");
    let mut receiver = runtime.block_on(Receiver::new());
    let place = Place::new();
    let mut process = serve(&place);
    let mut admin = process.as_admin(&place);
    let ground = Ground::prepare(&mut admin, PODS, FUNDS);
    let webhooks = format!("/admin/v1/tenants/{}/webhooks", ground.tenant);
    let body = json!({"url": receiver.url(), "events": ["transfer.*"], "form": "full"});
    let made = admin.post(&webhooks, &body);
    let path = format!("{webhooks}/{}", id(&made));
    let now = format!("/admin/v1/events?tenant={}&after=now", ground.tenant);
    let from = admin.get(&now)["next"].clone();
    let from = from.as_str().expect("a place");
    for kill in 1..=KILLS {
        // Progress is written once a second: some servers die before that and some after.
        let longer = if kill % 3 == 0 { 1_000 } else { 0 };
        let moment = Duration::from_millis(100 + longer + random.below(200) as u64);
        let is_away = OUTAGES.contains(&kill);
        under_load(&process, &ground, &mut random, || {
            if is_away {
                std::thread::sleep(moment / 4);
                runtime.block_on(receiver.stop());
            }
            std::thread::sleep(moment);
            process.signal(Signal::KILL);
        });
        process.wait();
        process = serve(&place);
        if is_away {
            runtime.block_on(receiver.start_again());
        }
    }
    if sim::postgres::is_chosen() {
        // Over a database the deliveries of a killed server wait for the end of its lease, and so
        // nobody has missed the receiver yet.
        let count = receiver.all().len();
        runtime.block_on(receiver.wait(count + 1));
        under_load(&process, &ground, &mut random, || {
            runtime.block_on(receiver.stop());
            std::thread::sleep(Duration::from_millis(300));
        });
        runtime.block_on(receiver.start_again());
    }
    let mut admin = process.as_admin(&place);
    let events = wait(&mut admin, &ground, from, &receiver);
    // What was told before the last kill and not written down is told again to its end.
    poll(|| {
        let shown = admin.get(&path)["delivering"].take();
        let is_told = shown["cursor"].as_str() >= events.last().map(id);
        (is_told && shown["waiting"] == json!([]) && shown["held"] == 0).then_some(())
    });
    let again = check(&events, &receiver.all(), secret(&made));
    println!(
        "{KILLS} kills, {} events, {again} deliveries came again, {:.0?}",
        events.len(),
        begun.elapsed()
    );
    assert!(events.len() > KILLS * CLIENTS, "hardly any load");
    let shown = admin.get(&path);
    assert_eq!(shown["delivering"]["failed"], 0, "{shown}");
    // What it has told it has told: told to stop and started again, it says nothing twice.
    let count = receiver.all().len();
    assert_eq!(process.terminate().code(), Some(0));
    let process = serve(&place);
    let mut http = process.as_key(&ground.key);
    while !order(&mut http, &ground, &mut random) {}
    let mut admin = process.as_admin(&place);
    let events = wait(&mut admin, &ground, from, &receiver);
    let received = receiver.all();
    assert_eq!(check(&events, &received, secret(&made)), again);
    assert!(received.len() > count);
    println!("in all {:.0?}", begun.elapsed());
}
