//! Numbers of servers, their leases and their lanes.

use std::sync::Arc;
use std::time::Duration;

use ledger::{Status, TransferId};
use store::Submit;
use store::postgres::{Point, Postgres};

use super::{Script, Servers};
use crate::bed::{Ground, RAIL_MS, close, done, made};
use crate::postgres;

/// An hour: nobody renews it while a test runs.
const LEASE: Duration = Duration::from_secs(3_600);
const HOUR: i64 = 3_600_000;

fn node_of(id: TransferId) -> u64 {
    (id.raw() >> 10) & 63
}

#[tokio::test]
async fn servers_have_numbers_of_their_own_and_give_them_back() {
    let servers = Servers::new();
    let (one, two) = (servers.open().await, servers.open().await);
    let ground = Ground::new(&one).await;
    let first = made(one.submit(Submit::command(ground.paycheck(1))).await);
    let second = made(two.submit(Submit::command(ground.paycheck(1))).await);
    assert_eq!((node_of(first), node_of(second)), (0, 1));
    close(one).await;
    let again = servers.open().await;
    let third = made(again.submit(Submit::command(ground.paycheck(1))).await);
    assert_eq!(node_of(third), 0);
    assert!(third > first, "ids of a number keep increasing");
    close(two).await;
    close(again).await;
    servers.verify().await;
}

/// A server that was taken for dead cannot commit under the number that another one has now.
#[tokio::test]
async fn a_server_that_was_taken_for_dead_takes_another_number() {
    let servers = Servers::new();
    let slow = servers.open_with(|options| options.lease = LEASE).await;
    let ground = Ground::new(&slow).await;
    servers.clock.advance(2 * HOUR);
    let fast = servers.open_with(|options| options.lease = LEASE).await;
    let theirs = made(fast.submit(Submit::command(ground.paycheck(1))).await);
    assert_eq!(node_of(theirs), 0, "the lease had ended");
    let ours = made(slow.submit(Submit::command(ground.paycheck(1))).await);
    assert_eq!(node_of(ours), 1);
    assert_eq!(ground.balance(&fast, ground.pay).await, 2);
    close(slow).await;
    close(fast).await;
    servers.verify().await;
}

/// A transaction that is under way is waited for before its number is taken.
#[tokio::test]
async fn a_number_is_not_taken_during_a_transaction() {
    let servers = Servers::new();
    let script = Script::new();
    let faults = Arc::clone(&script) as Arc<dyn store::postgres::Faults>;
    let slow = servers
        .open_with(|options| {
            options.lease = LEASE;
            options.faults = Some(faults);
        })
        .await;
    let ground = Ground::new(&slow).await;
    script.close(Point::Commit);
    let paycheck = {
        let (store, paycheck) = (Arc::clone(&slow), ground.paycheck(1));
        tokio::spawn(async move { store.submit(Submit::command(paycheck)).await })
    };
    script.wait_for_one().await;
    servers.clock.advance(2 * HOUR);
    let opening = servers.open_with(|options| options.lease = LEASE);
    let both = async {
        let blocked = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while servers.number(blocked) == 0 {
            tokio::task::yield_now().await;
        }
        script.open();
        made(paycheck.await.expect("no panic"))
    };
    let (fast, ours) = tokio::join!(opening, both);
    let theirs = made(fast.submit(Submit::command(ground.paycheck(1))).await);
    assert_eq!((node_of(ours), node_of(theirs)), (0, 0));
    assert!(theirs > ours, "it was waited for");
    let next = made(slow.submit(Submit::command(ground.paycheck(1))).await);
    assert_eq!(node_of(next), 1);
    close(slow).await;
    close(fast).await;
    servers.verify().await;
}

#[tokio::test]
async fn there_are_64_numbers() {
    let servers = Servers::new();
    servers.database.sql(
        "INSERT INTO nodes SELECT n, 1, 'other', 9223372036854775807, 0, 0 \
         FROM generate_series(0, 63) n",
    );
    let options = store::postgres::Options {
        clock: Arc::clone(&servers.clock) as Arc<dyn store::Clock>,
        ..store::postgres::Options::new(postgres::url(&servers.database))
    };
    let Err(error) = Postgres::open(&options).await else {
        panic!("there was a number left")
    };
    let text = error.to_string();
    assert!(text.contains("all 64 server numbers are in use"), "{text}");
    servers
        .database
        .sql("UPDATE nodes SET lease_until_ms = 0 WHERE node = 63");
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    let id = made(store.submit(Submit::command(ground.paycheck(1))).await);
    assert_eq!(node_of(id), 63);
    close(store).await;
}

/// Waits until the lanes are held as a query says.
async fn until(servers: &Servers, sql: &str, expected: i64) {
    while servers.number(sql) != expected {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn lanes_are_shared_fairly_and_pass_on() {
    let servers = Servers::new();
    let now = servers.clock.as_ref();
    let now = store::Clock::now(now).0;
    let held = |node: i64| {
        format!("SELECT count(*) FROM lanes WHERE node = {node} AND lease_until_ms > {now}")
    };
    let one = servers.open().await;
    until(&servers, &held(0), 64).await;
    let two = servers.open().await;
    until(&servers, &held(1), 32).await;
    until(&servers, &held(0), 32).await;
    assert_eq!(servers.number("SELECT min(fence) FROM lanes"), 1);
    assert_eq!(servers.number("SELECT max(fence) FROM lanes"), 2);
    let three = servers.open().await;
    until(&servers, "SELECT count(DISTINCT node) FROM lanes", 3).await;
    until(
        &servers,
        "SELECT count(*) FROM (SELECT node FROM lanes GROUP BY node HAVING count(*) > 22) s",
        0,
    )
    .await;
    close(one).await;
    close(two).await;
    until(&servers, &held(2), 64).await;
    close(three).await;
    until(
        &servers,
        &format!("SELECT count(*) FROM lanes WHERE lease_until_ms > {now}"),
        0,
    )
    .await;
}

/// The lanes of a server that has died are taken over when its leases have ended, and its work is
/// done.
#[tokio::test]
async fn the_work_of_a_dead_server_is_done_by_another() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    let pull = ground.transfer(ground.bank, ground.pod, 40);
    let id = made(store.submit(Submit::command(pull)).await);
    close(store).await;
    // Somebody else holds everything, and does nothing.
    servers.clock.advance(RAIL_MS);
    let until_ms = store::Clock::now(servers.clock.as_ref()).0 + HOUR;
    servers.database.sql(&format!(
        "UPDATE lanes SET node = 9, instance = 99, fence = fence + 1, lease_until_ms = {until_ms}; \
         INSERT INTO nodes VALUES (9, 99, 'dead', {until_ms}, 0, 0)"
    ));
    let store = servers.open().await;
    // What this server does itself is done by it, whoever holds the lane.
    done(&store, ground.paycheck(1)).await;
    servers.clock.advance(HOUR + 1);
    while ground.status(&store, id).await != Status::Complete {
        store.wake();
        tokio::task::yield_now().await;
    }
    close(store).await;
    servers.verify().await;
}

/// A server that has nothing to do keeps its number.
#[tokio::test]
async fn an_idle_server_renews_its_lease() {
    let servers = Servers::new();
    let lease = Duration::from_millis(300);
    let store = servers.open_with(|options| options.lease = lease).await;
    let until = "SELECT lease_until_ms FROM nodes WHERE node = 0";
    let before = servers.number(until);
    servers.clock.advance(200);
    while servers.number(until) != before + 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    close(store).await;
    assert_eq!(servers.number(until), 0);
}
