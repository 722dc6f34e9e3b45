//! A database that is away: refusals come soon, and nothing has to be restarted.

use std::sync::Arc;
use std::time::Duration;

use sim::postgres::{Cluster, Link};
use store::postgres::{DatabaseUrl, Fault, Migrator, Options, Point, Postgres};
use store::{Clock, ManualClock, StoreError, Submit};

use super::{Script, Servers};
use crate::bed::{Ground, Opened, START, claim, claimed, close, done, made};

fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable { .. }))
}

async fn until_it_is_back(store: &Opened) {
    while store.health().stopped.is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A read-only database refuses writes; when it takes them again, nothing has to be done.
#[tokio::test]
async fn a_database_that_takes_no_writes_is_away() {
    let servers = Servers::new();
    let script = Script::new();
    let faults = Arc::clone(&script) as Arc<dyn store::postgres::Faults>;
    let store = servers
        .open_with(|options| {
            options.faults = Some(faults);
            options.patience = Duration::ZERO;
        })
        .await;
    let ground = Ground::new(&store).await;
    script.fault(Point::Loaded, Fault::State("25006"));
    let outcome = store.submit(Submit::command(ground.paycheck(1))).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    until_it_is_back(&store).await;
    done(&store, ground.paycheck(1)).await;
    assert_eq!(ground.balance(&store, ground.pay).await, 1);
    close(store).await;
    servers.verify().await;
}

/// A cluster of its own, so that it can be killed.
#[tokio::test]
async fn a_server_outlives_its_database() {
    let cluster = Cluster::start(&sim::postgres::Options::default());
    cluster.sql("CREATE DATABASE ledger");
    let url: DatabaseUrl = cluster.url("ledger").parse().expect("a URL");
    Migrator::new(url.clone())
        .run(|_, _| {})
        .await
        .expect("an empty database");
    let options = Options {
        clock: Arc::new(ManualClock::new(START)) as Arc<dyn Clock>,
        patience: Duration::from_millis(300),
        ..Options::new(url.clone())
    };
    let store: Opened = Arc::new(Postgres::open(&options).await.expect("a new database"));
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(100)).await;
    cluster.kill();
    let outcome = store.submit(claimed(ground.paycheck(1), claim(1))).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    while store.health().stopped.is_none() {
        tokio::task::yield_now().await;
    }
    // While it is known to be away nobody waits.
    let soon = store.submit(claimed(ground.paycheck(1), claim(1)));
    let outcome = tokio::time::timeout(Duration::from_millis(100), soon).await;
    assert!(is_unavailable(&outcome.expect("at once")));
    let outcome = store.quiesce(ground.tenant).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    cluster.start_again();
    until_it_is_back(&store).await;
    made(store.submit(claimed(ground.paycheck(1), claim(1))).await);
    assert_eq!(ground.balance(&store, ground.pay).await, 101);
    close(store).await;
    let verified = store::postgres::verify(&url).await;
    verified.unwrap_or_else(|error| panic!("{error}"));
}

/// A database that does not answer is given up, and what was sent to it is looked for later.
#[tokio::test]
async fn a_network_that_swallows_an_answer_loses_no_commit() {
    let cluster = Cluster::start(&sim::postgres::Options::default());
    cluster.sql("CREATE DATABASE ledger");
    let direct: DatabaseUrl = cluster.url("ledger").parse().expect("a URL");
    Migrator::new(direct.clone())
        .run(|_, _| {})
        .await
        .expect("an empty database");
    let link = Link::to(cluster.port());
    let script = Script::new();
    let options = Options {
        clock: Arc::new(ManualClock::new(START)) as Arc<dyn Clock>,
        statement_timeout: Duration::from_millis(500),
        patience: Duration::from_secs(20),
        faults: Some(Arc::clone(&script) as Arc<dyn store::postgres::Faults>),
        ..Options::new(link.url("ledger").parse().expect("a URL"))
    };
    let store: Opened = Arc::new(Postgres::open(&options).await.expect("a new database"));
    let ground = Ground::new(&store).await;
    // From now on the statements are known on the connection.
    done(&store, ground.paycheck(3)).await;
    script.close(Point::Commit);
    let waiting = {
        let (store, paycheck) = (Arc::clone(&store), ground.paycheck(7));
        tokio::spawn(async move { store.submit(Submit::command(paycheck)).await })
    };
    script.wait_for_one().await;
    // The commit arrives, the answer does not.
    link.hold_answers();
    script.open();
    let count = format!("SELECT balance FROM accounts WHERE id = {}", ground.pay);
    let committed = async {
        loop {
            let rows = sim::postgres::run(&cluster.url("ledger"), &count).expect("it answers");
            if rows == [[Some("10".to_owned())]] {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    committed.await;
    link.cut();
    link.let_pass();
    made(waiting.await.expect("no panic"));
    assert_eq!(ground.balance(&store, ground.pay).await, 10);
    close(store).await;
    let verified = store::postgres::verify(&direct).await;
    verified.unwrap_or_else(|error| panic!("{error}"));
}
