//! Two servers over one database: an endpoint is delivered to by one of them, and by the other when
//! that one is gone.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::harness::{Server, World, id};
use crate::process::PATIENCE;
use crate::receiver::{Received, Receiver};
use crate::webhooks::endpoint;

/// How long a server that says nothing keeps an endpoint, in milliseconds.
const LEASE_MS: i64 = 10_000;

/// A server that has an endpoint, another one, and a receiver: each with threads of its own, so that
/// the first can end without saying goodbye.
struct Pair {
    first: Option<Runtime>,
    second: Runtime,
    outside: Runtime,
    world: World,
    peer: Server,
    receiver: Receiver,
    made: Value,
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

async fn hold(server: &Server, world: &World, account: &str) {
    let path = world.path(&format!("/accounts/{account}/holds"));
    let body = json!({"amount_in_cents": 1});
    server.admin_post(&path, &body).await;
}

impl Pair {
    fn new() -> Pair {
        Pair::on(runtime())
    }

    /// The first server, on these threads, has delivered one event; the second came later.
    fn on(first: Runtime) -> Pair {
        let (second, outside) = (runtime(), runtime());
        let receiver = outside.block_on(Receiver::new());
        let world = first.block_on(async { World::on(Server::shared().await).await });
        let body = json!({"url": receiver.url(), "events": ["hold.placed"]});
        let made = first.block_on(endpoint(&world, &body));
        first.block_on(hold(&world.server, &world, &world.fund));
        first.block_on(receiver.wait(1));
        let peer = second.block_on(world.server.peer());
        Pair {
            first: Some(first),
            second,
            outside,
            world,
            peer,
            receiver,
            made,
        }
    }

    /// Ends the first server between two steps of its tasks: nothing is given back.
    fn end_first(&mut self) {
        let first = self.first.take().expect("once");
        first.shutdown_timeout(PATIENCE);
    }

    /// Places so many holds through the second server, on two accounts in turn.
    fn holds(&self, count: usize) {
        self.second.block_on(async {
            for index in 0..count {
                let account = [&self.world.fund, &self.world.pay][index % 2];
                hold(&self.peer, &self.world, account).await;
            }
        });
    }

    /// The path of the endpoint.
    fn path(&self) -> String {
        self.world.path(&format!("/webhooks/{}", id(&self.made)))
    }

    /// How far the deliveries have come.
    fn delivering(&self) -> Value {
        let shown = self.second.block_on(self.peer.admin_get(&self.path()));
        shown["delivering"].clone()
    }

    fn wait(&self, receiver: &Receiver, count: usize) -> Vec<Received> {
        self.outside.block_on(receiver.wait(count))
    }

    /// Waits until so many deliveries are written down.
    fn written(&self, count: usize) {
        let begun = std::time::Instant::now();
        while self.delivering()["delivered"] != count {
            assert!(begun.elapsed() < PATIENCE, "{}", self.delivering());
        }
    }

    /// Every hold that was ever placed, in the order of the log.
    fn log(&self) -> Vec<Value> {
        let path = format!(
            "/events?tenant={}&types=hold.placed&limit=1000",
            self.world.tenant
        );
        let mut page = self.second.block_on(self.peer.admin_get(&path));
        assert_eq!(page["more"], false);
        serde_json::from_value(page["data"].take()).expect("a list")
    }
}

/// The ids of what came for each account, in the order in which it came.
fn by_account(events: impl IntoIterator<Item = Value>) -> HashMap<String, Vec<String>> {
    let mut told: HashMap<String, Vec<String>> = HashMap::new();
    for event in events {
        let account = event["data"]["account_id"].as_str().expect("an account");
        told.entry(account.to_owned()).or_default().push(id(&event));
    }
    told
}

#[test]
fn the_endpoint_of_a_server_that_is_gone_is_taken_over_after_its_lease() {
    let mut pair = Pair::new();
    // Both run, and one delivers.
    pair.holds(30);
    pair.wait(&pair.receiver, 31);
    pair.written(31);
    pair.end_first();
    // The second delivers what is its own, and leaves alone what is leased.
    let other = pair.outside.block_on(Receiver::new());
    let body = json!({"url": other.url(), "events": ["hold.placed"]});
    let path = pair.world.path("/webhooks");
    pair.second.block_on(pair.peer.admin_post(&path, &body));
    pair.holds(20);
    pair.wait(&other, 20);
    pair.peer.advance(LEASE_MS - 1);
    pair.holds(1);
    pair.wait(&other, 21);
    assert_eq!(pair.receiver.all().len(), 31);
    pair.peer.advance(1);
    // Everything was written down: nothing comes twice.
    let all = pair.wait(&pair.receiver, 52);
    pair.written(52);
    assert_eq!(pair.receiver.all().len(), 52);
    let all = all.iter().map(Received::json);
    assert_eq!(by_account(all), by_account(pair.log()));
}

#[test]
fn a_server_that_was_suspended_beyond_its_lease_repeats_nothing() {
    // It has one thread, and that goes on only while it is waited for.
    let first = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let pair = Pair::on(first.expect("a runtime"));
    let first = pair.first.as_ref().expect("not ended");
    let (server, path) = (&pair.world.server, pair.path());
    let shown = async || server.admin_get(&path).await["delivering"].clone();
    first.block_on(Receiver::until(async || shown().await["delivered"] == 1));
    // Time goes on without it.
    server.advance(LEASE_MS);
    pair.peer.advance(LEASE_MS);
    pair.holds(20);
    pair.wait(&pair.receiver, 21);
    // It comes back, and sees that somebody else delivers.
    first.block_on(async {
        hold(server, &pair.world, &pair.world.fund).await;
        pair.receiver.wait(22).await;
        Receiver::until(async || shown().await["delivered"] == 22).await;
    });
    let all = pair.receiver.all();
    assert_eq!(all.len(), 22);
    let all = all.iter().map(Received::json);
    assert_eq!(by_account(all), by_account(pair.log()));
}

#[test]
fn a_server_that_ends_while_it_delivers_leaves_no_gap_and_repeats_what_it_had_not_written() {
    let mut pair = Pair::new();
    let first = pair.first.take().expect("once");
    let (before, written) = std::thread::scope(|scope| {
        scope.spawn(|| pair.holds(200));
        pair.wait(&pair.receiver, 40);
        first.shutdown_timeout(PATIENCE);
        (
            pair.receiver.all().len(),
            pair.delivering()["cursor"].clone(),
        )
    });
    let written = written.as_str().expect("a place").to_owned();
    pair.peer.advance(LEASE_MS);
    let all_told = || {
        let received = pair.receiver.all();
        let told: HashSet<String> = received.iter().map(|one| id(&one.json())).collect();
        told.len() == 201
    };
    pair.outside.block_on(Receiver::until(async || all_told()));
    let received = pair.receiver.all();
    let mut first: HashMap<String, &Received> = HashMap::new();
    for (index, one) in received.iter().enumerate() {
        let event = id(&one.json());
        assert!(
            index < before || event > written,
            "{event} was written down"
        );
        let twin = first.entry(event).or_insert(one);
        assert_eq!(twin.body, one.body);
        assert_eq!(twin.header("webhook-id"), one.header("webhook-id"));
    }
    // Told in order, begun once more by the second server, in order again.
    let log = by_account(pair.log());
    for (account, told) in by_account(received.iter().map(Received::json)) {
        let steps_back = told.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(steps_back <= 1, "{account}: {told:?}");
        let mut seen = HashSet::new();
        let mut told = told;
        told.retain(|event| seen.insert(event.clone()));
        assert_eq!(told, log[&account]);
    }
}

#[tokio::test]
async fn two_servers_that_run_deliver_nothing_twice() {
    let mut world = World::on(Server::shared().await).await;
    let peer = world.server.peer().await;
    let mut receivers = Vec::new();
    for _ in 0..6 {
        let receiver = Receiver::new().await;
        let body = json!({"url": receiver.url(), "events": ["hold.placed"]});
        let made = endpoint(&world, &body).await;
        receivers.push((receiver, world.path(&format!("/webhooks/{}", id(&made)))));
    }
    for index in 0..40 {
        let server = [&world.server, &peer][index % 2];
        hold(server, &world, &world.fund).await;
    }
    let all_written = async |server: &Server, count: usize| {
        for (receiver, path) in &receivers {
            let written = async || server.admin_get(path).await["delivering"]["delivered"] == count;
            Receiver::until(written).await;
            let received = receiver.all();
            assert_eq!(received.len(), count);
            let ids: Vec<String> = received.iter().map(|one| id(&one.json())).collect();
            assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
        }
    };
    all_written(&peer, 40).await;
    // One that stops in order gives its endpoints back at once: no clock is moved.
    world.server.restart().await;
    hold(&peer, &world, &world.fund).await;
    all_written(&peer, 41).await;
}
