//! The primary dies in the middle of its work and its synchronous standby takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sim::postgres::{Cluster, run};
use store::postgres::{DatabaseUrl, Migrator, Options, Postgres};
use store::{Clock, ManualClock, Outcome, StoreError};
use tokio::task::JoinSet;

use crate::bed::{Ground, Opened, START, claim, claimed, close};

const CLIENTS: u64 = 8;
/// Orders of each client.
const ORDERS: u64 = 40;
/// Orders that are acknowledged before the primary dies.
const BEFORE: i64 = 100;

/// Sends every order under its own key until it is acknowledged; notes each acknowledgement.
async fn send_all(store: Opened, ground: Ground, client: u64, acknowledged: Arc<AtomicI64>) {
    for order in 0..ORDERS {
        let claim = claim(client * ORDERS + order);
        loop {
            let paid = store.submit(claimed(ground.paycheck(1), claim.clone()));
            match paid.await {
                Ok(Outcome::Done(_) | Outcome::Replay(_)) => break,
                Err(StoreError::Unavailable { .. }) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                other => panic!("{other:?}"),
            }
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

/// What was acknowledged is on the standby, and what was sent again because nobody answered is done
/// once. No server is opened anew.
#[tokio::test]
async fn a_standby_takes_over_with_every_acknowledged_commit_once() {
    let primary = Cluster::start(&sim::postgres::Options::default());
    primary.sql("CREATE DATABASE ledger");
    let standby = primary.standby();
    let (one, other) = (primary.port(), standby.port());
    let url: DatabaseUrl = format!(
        "postgres://postgres@127.0.0.1:{one},127.0.0.1:{other}/ledger\
         ?target_session_attrs=read-write&sslmode=disable&connect_timeout=2"
    )
    .parse()
    .expect("a URL");
    let migrator = Migrator::new(url.clone());
    migrator.run(|_, _| {}).await.expect("an empty database");
    let clock = Arc::new(ManualClock::new(START));
    let mut stores: Vec<Opened> = Vec::new();
    for _ in 0..2 {
        let options = Options {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            patience: Duration::from_millis(100),
            ..Options::new(url.clone())
        };
        let opened = Postgres::open(&options).await;
        stores.push(Arc::new(opened.unwrap_or_else(|error| panic!("{error}"))));
    }
    let grounds = [Ground::new(&stores[0]).await, Ground::new(&stores[0]).await];

    let acknowledged = Arc::new(AtomicI64::new(0));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let store = Arc::clone(&stores[client as usize % stores.len()]);
        let ground = grounds[client as usize / 2 % grounds.len()];
        clients.spawn(send_all(store, ground, client, Arc::clone(&acknowledged)));
    }
    while acknowledged.load(Ordering::Relaxed) < BEFORE {
        tokio::task::yield_now().await;
    }
    primary.kill();
    standby.promote();
    clients.join_all().await;

    let sent = i64::try_from(CLIENTS * ORDERS).expect("a few");
    assert_eq!(acknowledged.load(Ordering::Relaxed), sent);
    let mut sum = 0;
    for ground in &grounds {
        sum += ground.balance(&stores[1], ground.pay).await;
    }
    assert_eq!(sum, sent);
    let kept = run(&standby.url("ledger"), "SELECT count(*) FROM transfers");
    assert_eq!(
        kept.expect("it takes over"),
        [[Some(sent.to_string())]],
        "each transfer once"
    );
    for store in stores {
        close(store).await;
    }
    let alone: DatabaseUrl = standby.url("ledger").parse().expect("a URL");
    let verified = store::postgres::verify(&alone).await;
    verified.unwrap_or_else(|error| panic!("{error}"));
}
