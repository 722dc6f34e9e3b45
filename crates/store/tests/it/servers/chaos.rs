//! Three servers, clients that try again until they are told, and a database in which things go
//! wrong all the time. Afterwards every key was done once, and everything agrees.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::Reply;
use sim::disk::SplitMix64;
use store::postgres::{Fault, Faults, Isolation, Point};
use store::{BoxFuture, Outcome, StoreError};
use tokio::task::JoinSet;

use super::Servers;
use crate::bed::{Ground, Opened, claim, claimed, close, done};

/// One transaction in so many meets a fault.
const ONE_IN: usize = 5;

/// Faults at random places, as long as they are on.
pub struct Chaos {
    random: Mutex<SplitMix64>,
    pub on: AtomicBool,
}

impl Chaos {
    /// None yet.
    pub fn new(seed: u64) -> Chaos {
        Chaos {
            random: Mutex::new(SplitMix64::new(seed)),
            on: AtomicBool::new(false),
        }
    }
}

impl Faults for Chaos {
    fn at(&self, point: Point) -> BoxFuture<'_, Option<Fault>> {
        Box::pin(async move {
            let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.on.load(Ordering::Relaxed) || random.below(4 * ONE_IN) > 0 {
                return None;
            }
            Some(match random.below(4) {
                0 => Fault::Cut,
                // After the commit the only thing that can go wrong is the connection.
                _ if point == Point::Committed => Fault::Cut,
                1 => Fault::State("40001"),
                2 => Fault::State("57P01"),
                _ => Fault::State("23505"),
            })
        })
    }
}

/// Sends a paycheck under this key until its outcome is known; true when it was this call that was
/// done.
async fn pay(stores: &[Opened], ground: Ground, number: u64, random: &mut SplitMix64) -> bool {
    pay_minor(stores, ground, (1, number), random).await
}

/// The same with another sum.
pub async fn pay_minor(
    stores: &[Opened],
    ground: Ground,
    (minor, number): (i64, u64),
    random: &mut SplitMix64,
) -> bool {
    loop {
        let store = &stores[random.below(stores.len())];
        let paycheck = claimed(ground.paycheck(minor), claim(number));
        match store.submit(paycheck).await {
            Ok(Outcome::Done(Reply::Transfer { .. })) => return true,
            Ok(Outcome::Replay(_)) => return false,
            Err(StoreError::Unavailable { .. }) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

async fn chaos(isolation: Isolation) {
    const CLIENTS: u64 = 24;
    const EACH: u64 = 25;
    let servers = Servers::new();
    let chaos = Arc::new(Chaos::new(1));
    let mut stores = Vec::new();
    for _ in 0..3 {
        let faults = Arc::clone(&chaos) as Arc<dyn Faults>;
        let change = |options: &mut store::postgres::Options| {
            options.isolation = isolation;
            options.faults = Some(faults);
        };
        stores.push(servers.open_with(change).await);
    }
    let first = Ground::new(&stores[0]).await;
    let mut grounds = vec![first];
    while grounds.len() < 4 {
        grounds.push(Ground::of(&stores[0], first.tenant).await);
    }
    chaos.on.store(true, Ordering::Relaxed);
    let mut paying = JoinSet::new();
    for client in 0..CLIENTS {
        let (stores, ground) = (stores.clone(), grounds[client as usize % grounds.len()]);
        paying.spawn(async move {
            let mut random = SplitMix64::new(client);
            for number in 0..EACH {
                // Two clients share each key.
                let number = (client / 8 * EACH + number) * 4 + client % 4;
                pay(&stores, ground, number, &mut random).await;
                let transfer = ground.transfer(ground.pay, ground.pod, 1);
                drop(
                    stores[random.below(3)]
                        .submit(store::Submit::command(transfer))
                        .await,
                );
            }
        });
    }
    paying.join_all().await;
    chaos.on.store(false, Ordering::Relaxed);
    stores[1].quiesce(first.tenant).await.expect("writes work");
    let keys = CLIENTS / 8 * EACH;
    for ground in &grounds {
        let pay = ground.balance(&stores[2], ground.pay).await;
        let pod = ground.balance(&stores[2], ground.pod).await;
        assert_eq!(
            pay + pod,
            i64::try_from(keys).expect("few"),
            "each key once"
        );
        assert!(pay >= 0);
    }
    // Nobody was left behind: servers go on as if nothing had been.
    for store in &stores {
        done(store, first.paycheck(1)).await;
    }
    assert_eq!(servers.number("SELECT count(*) FROM due"), 0);
    for store in stores {
        close(store).await;
    }
    servers.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_is_done_once_in_chaos() {
    chaos(Isolation::ReadCommitted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_when_the_database_keeps_servers_apart() {
    chaos(Isolation::Serializable).await;
}
