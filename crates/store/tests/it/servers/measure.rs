//! How many transfers a second servers commit; run with `--ignored --nocapture`.

use std::sync::Arc;
use std::time::Instant;

use store::Submit;
use tokio::task::JoinSet;

use super::Servers;
use crate::bed::{Ground, close, done, made};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures"]
async fn transfers_a_second() {
    const OWNERS: usize = 100;
    const EACH: usize = 40;
    for (count, clients) in [(1, 1), (1, 16), (1, 256), (2, 256)] {
        let servers = Servers::new();
        let mut stores = Vec::new();
        for _ in 0..count {
            stores.push(servers.open().await);
        }
        let first = Ground::new(&stores[0]).await;
        let mut grounds = vec![first];
        while grounds.len() < OWNERS {
            grounds.push(Ground::of(&stores[0], first.tenant).await);
        }
        for ground in &grounds {
            done(&stores[0], ground.paycheck(1_000_000)).await;
        }
        let begun = Instant::now();
        let mut sending = JoinSet::new();
        for client in 0..clients {
            let store = Arc::clone(&stores[client % count]);
            let ground = grounds[client % OWNERS];
            sending.spawn(async move {
                for _ in 0..EACH {
                    let transfer = ground.transfer(ground.pay, ground.pod, 1);
                    made(store.submit(Submit::command(transfer)).await);
                }
            });
        }
        sending.join_all().await;
        let elapsed = begun.elapsed();
        let transfers = clients * EACH;
        let groups: u64 = stores.iter().map(|store| store.health().committed).sum();
        println!(
            "{count} servers, {clients} clients: {} transfers in {elapsed:?}, {} a second, {groups} groups",
            transfers,
            transfers as u128 * 1_000 / elapsed.as_millis().max(1)
        );
        for store in stores {
            close(store).await;
        }
        servers.verify().await;
    }
}
