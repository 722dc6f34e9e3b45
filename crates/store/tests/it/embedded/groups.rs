//! How many commits share one sync, by a disk whose syncs are held up.

use std::sync::Arc;

use ledger::{Command, PlaceHold, Status};
use sim::disk::FaultyDisk;
use store::{Outcome, StoreError, Submit};
use tokio::task::JoinSet;

use super::gate::Gate;
use crate::bed::{Bed, Ground, Opened, claim, claimed, close, done, dump, made, usd};
use crate::commits::check_twins;

/// A store whose syncs can be held up.
struct Gated {
    bed: Bed,
    gate: Gate,
    disk: FaultyDisk,
    store: Opened,
    ground: Ground,
}

async fn gated() -> Gated {
    let disk = FaultyDisk::new(1);
    let gate = Gate::new(disk.storage());
    let bed = Bed::over(gate.storage());
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    Gated {
        bed,
        gate,
        disk,
        store,
        ground,
    }
}

/// Submits and returns when the writer is held up in the sync of that group.
async fn occupy_writer(gated: &Gated) -> tokio::task::JoinHandle<Result<Outcome, StoreError>> {
    gated.gate.close_after(0);
    let (store, command) = (Arc::clone(&gated.store), gated.ground.paycheck(1));
    let first = tokio::spawn(async move { store.submit(Submit::command(command)).await });
    tokio::task::yield_now().await;
    gated.gate.wait_for_one();
    first
}

/// Submits all and returns when all are queued behind the occupied writer.
async fn enqueue(store: &Opened, submits: Vec<Submit>) -> JoinSet<Result<Outcome, StoreError>> {
    let expected = store.health().queued + submits.len();
    let mut tasks = JoinSet::new();
    for submit in submits {
        let store = Arc::clone(store);
        tasks.spawn(async move { store.submit(submit).await });
    }
    while store.health().queued < expected {
        tokio::task::yield_now().await;
    }
    tasks
}

#[tokio::test]
async fn concurrent_submits_share_one_sync() {
    let gated = gated().await;
    let Gated { gate, store, .. } = &gated;
    let (before, disk_before) = (store.health(), gated.disk.syncs());
    let first = occupy_writer(&gated).await;
    let submits = (0..100)
        .map(|_| Submit::command(gated.ground.paycheck(1)))
        .collect();
    let tasks = enqueue(store, submits).await;
    gate.open();
    made(first.await.expect("no panic"));
    for outcome in tasks.join_all().await {
        made(outcome);
    }
    let after = store.health();
    assert_eq!(after.commits - before.commits, 101);
    assert_eq!(after.committed - before.committed, 2, "groups");
    assert_eq!(after.syncs - before.syncs, 2, "one sync a group");
    assert_eq!(gated.disk.syncs() - disk_before, 2);
    assert_eq!(gated.ground.balance(store, gated.ground.pay).await, 101);
    close(gated.store).await;
}

#[tokio::test]
async fn a_lone_submit_costs_one_sync() {
    let gated = gated().await;
    let before = gated.store.health();
    for _ in 0..10 {
        done(&gated.store, gated.ground.paycheck(1)).await;
    }
    let after = gated.store.health();
    assert_eq!(after.syncs - before.syncs, 10);
    assert_eq!(after.committed - before.committed, 10);
    close(gated.store).await;
}

#[tokio::test]
async fn a_refusal_costs_no_sync() {
    let gated = gated().await;
    let before = gated.store.health();
    let unknown = Command::PlaceHold(PlaceHold {
        tenant: gated.ground.tenant,
        account: gated.ground.bank,
        amount: usd(1),
        expires_at: None,
    });
    let outcome = gated.store.submit(Submit::command(unknown)).await;
    assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    assert_eq!(gated.store.health().syncs, before.syncs);
    close(gated.store).await;
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_durable() {
    let gated = gated().await;
    let first = occupy_writer(&gated).await;
    let committed = gated.store.health().committed;
    tokio::task::yield_now().await;
    assert!(!first.is_finished(), "answered while its sync is held up");
    // A read does not see it either.
    assert_eq!(
        gated.ground.balance(&gated.store, gated.ground.pay).await,
        0
    );
    gated.gate.open();
    made(first.await.expect("no panic"));
    assert_eq!(gated.store.health().committed, committed + 1);
    assert_eq!(
        gated.ground.balance(&gated.store, gated.ground.pay).await,
        1
    );
    close(gated.store).await;
}

#[tokio::test]
async fn a_full_queue_refuses_before_anything_is_decided() {
    const QUEUE_MAX: usize = 16_384;
    let gated = gated().await;
    let first = occupy_writer(&gated).await;
    let paycheck = || Submit::command(gated.ground.paycheck(1));
    let submits = (0..QUEUE_MAX).map(|_| paycheck()).collect();
    let tasks = enqueue(&gated.store, submits).await;
    let outcome = gated.store.submit(paycheck()).await;
    let Err(StoreError::Unavailable { reason, .. }) = outcome else {
        panic!("one more was taken: {outcome:?}")
    };
    assert_eq!(&*reason, "too many requests are waiting");
    gated.gate.open();
    made(first.await.expect("no panic"));
    for outcome in tasks.join_all().await {
        made(outcome);
    }
    made(gated.store.submit(paycheck()).await);
    let paid = gated.ground.balance(&gated.store, gated.ground.pay).await;
    assert_eq!(paid, 1 + 16_384 + 1, "the refused one left nothing");
    close(gated.store).await;
}

#[tokio::test]
async fn of_two_submits_with_one_key_in_one_group_one_is_done() {
    let gated = gated().await;
    let first = occupy_writer(&gated).await;
    let twins = (0..10)
        .map(|_| claimed(gated.ground.paycheck(10), claim(7)))
        .collect();
    let tasks = enqueue(&gated.store, twins).await;
    gated.gate.open();
    made(first.await.expect("no panic"));
    let mut outcomes = Vec::new();
    for outcome in tasks.join_all().await {
        outcomes.push(outcome.expect("the disk is good"));
    }
    check_twins(&gated.store, &gated.ground, outcomes).await;
    assert_eq!(
        gated.ground.balance(&gated.store, gated.ground.pay).await,
        11
    );
    close(gated.store).await;
}

#[tokio::test]
async fn work_settled_in_one_group_leaves_no_row_of_due_work() {
    // A rail without delay makes work that is equal to the work that made it. The views have
    // seen the first when the second comes and goes.
    let Gated {
        bed,
        gate,
        disk,
        store,
        ground,
    } = gated().await;
    done(&store, ground.paycheck(100)).await;
    gate.close_after(1);
    let create = ledger::CreateTransfer {
        rail_delay_ms: 0,
        ..ground.transfer_of(ground.pay, ground.bank, 10)
    };
    let outcome = store
        .submit(Submit::command(Command::CreateTransfer(create)))
        .await;
    let transfer = made(outcome);
    gate.wait_for_one();
    assert_eq!(ground.status(&store, transfer).await, Status::Processing);
    gate.open();
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, transfer).await, Status::Complete);
    close(store).await;
    let rows = dump(bed.path());
    assert_eq!(rows["due"], [""; 0]);
    bed.land(&disk);
    store::embedded::verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    let store = bed.open().await;
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.balance(&store, ground.pay).await, 90);
    close(store).await;
    bed.land(&disk);
    store::embedded::verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn after_shutting_down_reads_answer() {
    let bed = Bed::embedded();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(5)).await;
    store.shut_down().await.expect("no thread has panicked");
    assert_eq!(ground.balance(&store, ground.pay).await, 5);
    close(store).await;
}
