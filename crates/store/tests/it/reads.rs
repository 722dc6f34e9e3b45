//! Every read sees everything that was committed before it.

use std::sync::Arc;

use ledger::{AccountId, Status, TransferId};
use store::{Submit, Used};
use tokio::task::JoinSet;

use crate::bed::{Bed, Ground, check_sound, claim, claimed, close, done, made};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_reads_what_it_wrote_a_thousand_times() {
    const CLIENTS: u64 = 4;
    const EACH: u64 = 250;
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(1_000_000)).await;
    let mut tasks = JoinSet::new();
    for client in 0..CLIENTS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for step in 0..EACH {
                let number = client * EACH + step;
                let command = ground.transfer(ground.pay, ground.pod, 1);
                let id = made(store.submit(claimed(command, claim(number))).await);
                let seen = store.transfer(ground.tenant, id).await.expect("reads work");
                let seen = seen.expect("a transfer that was answered can be read");
                assert!(matches!(
                    seen.transfer.status,
                    Status::Processing | Status::Complete
                ));
            }
        });
    }
    tasks.join_all().await;
    store.quiesce(ground.tenant).await.expect("writes work");
    let moved = i64::try_from(CLIENTS * EACH).expect("a small number");
    assert_eq!(ground.balance(&store, ground.pod).await, moved);
    check_sound(&store, &ground).await;
    let health = store.health();
    assert_eq!(health.indexed, health.committed);
    close(store).await;
}

#[tokio::test]
async fn the_balance_after_a_paycheck_is_never_old() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    for sum in 1..=300 {
        done(&store, ground.paycheck(1)).await;
        assert_eq!(ground.balance(&store, ground.pay).await, sum);
    }
    close(store).await;
}

#[tokio::test]
async fn reads_of_another_tenant_find_nothing() {
    let bed = Bed::new();
    let store = bed.open().await;
    let (mine, theirs) = (Ground::new(&store).await, Ground::new(&store).await);
    let id = made(store.submit(Submit::command(mine.paycheck(5))).await);
    let transfer = store.transfer(theirs.tenant, id).await.expect("reads work");
    assert!(transfer.is_none());
    let account = store.account(theirs.tenant, mine.pay).await;
    assert!(account.expect("reads work").is_none());
    let owners = store.owners(theirs.tenant).await.expect("reads work");
    assert_eq!(owners.len(), 1);
    assert_eq!(owners[0].id, theirs.owner);
    let strange = Ground {
        pay: mine.pay,
        pod: mine.pod,
        bank: mine.bank,
        ..theirs
    };
    assert!(strange.transfers(&store).await.is_empty());
    close(store).await;
}

#[tokio::test]
async fn what_does_not_exist_is_none() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    for raw in [0, 1, u64::MAX] {
        let transfer = store.transfer(ground.tenant, TransferId::new(raw)).await;
        assert!(transfer.expect("reads work").is_none());
        let account = store.account(ground.tenant, AccountId::new(raw)).await;
        assert!(account.expect("reads work").is_none());
        let entries = store.entries(AccountId::new(raw), None, 10).await;
        assert!(entries.expect("reads work").is_empty());
        let never = Used {
            key: [7; 16],
            number: raw,
        };
        let remembered = store.remembered(never).await;
        assert!(remembered.expect("reads work").is_none());
    }
    close(store).await;
}

#[tokio::test]
async fn after_shutting_down_submits_are_refused() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(5)).await;
    store.shut_down().await.expect("no thread has panicked");
    let refused = store.submit(Submit::command(ground.paycheck(5))).await;
    assert!(refused.is_err());
    assert!(store.quiesce(ground.tenant).await.is_err());
    // Shutting down again is nothing.
    store.shut_down().await.expect("no thread has panicked");
    // A task that has not ended yet may still hold the old one; it keeps nobody out.
    let next = bed.open().await;
    assert_eq!(ground.balance(&next, ground.pay).await, 5);
    close(store).await;
    done(&next, ground.paycheck(5)).await;
    assert_eq!(ground.balance(&next, ground.pay).await, 10);
    close(next).await;
}
