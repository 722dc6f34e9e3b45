//! A journal that cannot be written: writes stop, reads go on, nothing answered is lost.

use std::io::ErrorKind;
use std::sync::Arc;

use ledger::TransferId;
use sim::disk::{Fault, FaultyDisk};
use store::embedded::verify;
use store::{Outcome, StoreError, Submit};
use tokio::task::JoinSet;

use super::gate::Gate;
use crate::bed::{Bed, Ground, Opened, check_sound, claim, claimed, close, done, made};

/// Submits in the batch that fails.
const GROUP: u64 = 5;

fn is_unavailable(outcome: &Result<Outcome, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable { .. }))
}

/// A store with some transfers that were acknowledged.
async fn acknowledged(bed: &Bed) -> (Opened, Ground, Vec<TransferId>) {
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let mut ids = vec![made(
        store.submit(Submit::command(ground.paycheck(1_000))).await,
    )];
    for number in 0..10 {
        let command = ground.transfer(ground.pay, ground.pod, 1);
        ids.push(made(store.submit(claimed(command, claim(number))).await));
    }
    store.quiesce(ground.tenant).await.expect("writes work");
    (store, ground, ids)
}

/// Opens what is left on `disk` and checks it: all that was acknowledged, and the group that
/// failed whole or not at all. Returns whether it is there.
async fn check_reopened(
    disk: &FaultyDisk,
    bed: &mut Bed,
    ground: &Ground,
    ids: &[TransferId],
) -> bool {
    bed.storage = Some(disk.storage());
    let store = bed.open().await;
    check_sound(&store, ground).await;
    let transfers = ground.transfers(&store).await;
    for id in ids {
        assert!(transfers.contains_key(id), "{id} was acknowledged");
    }
    let extra = transfers.len() - ids.len();
    assert!(
        extra == 0 || extra as u64 == GROUP,
        "{extra} of the {GROUP} of the group that failed"
    );
    let mut replayed = 0;
    for number in 100..100 + GROUP {
        let command = ground.transfer(ground.pay, ground.pod, 1);
        match store.submit(claimed(command, claim(number))).await {
            Ok(Outcome::Replay(_)) => replayed += 1,
            outcome => drop(made(outcome)),
        }
    }
    assert_eq!(replayed, extra, "a retry tells which it was");
    store.quiesce(ground.tenant).await.expect("writes work");
    // All but the two paychecks moved one unit each.
    let moved = i64::try_from(ids.len() as u64 - 2 + GROUP).expect("a small number");
    assert_eq!(ground.balance(&store, ground.pod).await, moved);
    check_sound(&store, ground).await;
    close(store).await;
    bed.land(disk);
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    extra > 0
}

async fn check(fault: Fault, seed: u64) -> bool {
    let disk = FaultyDisk::new(seed);
    let gate = Gate::new(disk.storage());
    let mut bed = Bed::over(gate.storage());
    let (store, ground, ids) = acknowledged(&bed).await;

    // Hold the writer up so that the next group is known, then let it fail.
    gate.close_after(0);
    let first = {
        let (store, command) = (Arc::clone(&store), ground.paycheck(1));
        tokio::spawn(async move { store.submit(Submit::command(command)).await })
    };
    tokio::task::yield_now().await;
    gate.wait_for_one();
    let mut tasks = JoinSet::new();
    for number in 100..100 + GROUP {
        let store = Arc::clone(&store);
        let command = ground.transfer(ground.pay, ground.pod, 1);
        tasks.spawn(async move { store.submit(claimed(command, claim(number))).await });
    }
    while (store.health().queued as u64) < GROUP {
        tokio::task::yield_now().await;
    }
    // The sync that is held up passes, then the fault strikes.
    disk.fail_after(1, fault);
    gate.open();
    let mut ids = ids;
    ids.push(made(first.await.expect("no panic")));
    for outcome in tasks.join_all().await {
        assert!(is_unavailable(&outcome), "{fault:?}: {outcome:?}");
    }

    // Writes have stopped, reads have not.
    let health = store.health();
    let reason = health.stopped.expect("writes have stopped");
    assert!(reason.starts_with("writes stopped: cannot"), "{reason}");
    for _ in 0..3 {
        let outcome = store.submit(Submit::command(ground.paycheck(1))).await;
        assert!(is_unavailable(&outcome), "{fault:?}: {outcome:?}");
        assert!(store.quiesce(ground.tenant).await.is_err());
    }
    let transfers = ground.transfers(&store).await;
    assert_eq!(
        transfers.len(),
        ids.len(),
        "reads show what is durable only"
    );
    check_sound(&store, &ground).await;
    assert_eq!(store.health().committed, health.committed);
    close(store).await;

    // The process starts again on the same system, or after a power failure.
    let views = std::fs::read(bed.file("views.sqlite")).expect("they are there");
    let powered = disk.duplicate();
    let same = check_reopened(&powered, &mut bed, &ground, &ids).await;
    std::fs::write(bed.file("views.sqlite"), views).expect("room for a copy");
    disk.crash(seed);
    let crashed = check_reopened(&disk, &mut bed, &ground, &ids).await;
    same || crashed
}

#[tokio::test]
async fn a_failed_sync() {
    let mut found = 0;
    for seed in 0..8 {
        println!("seed {seed}");
        found += u32::from(check(Fault::Sync, seed).await);
    }
    assert!(found > 0, "no seed kept the group that failed");
}

#[tokio::test]
async fn a_full_disk() {
    for seed in 0..4 {
        println!("seed {seed}");
        check(Fault::DiskFull, seed).await;
    }
}

#[tokio::test]
async fn a_file_system_that_became_read_only() {
    for seed in 0..4 {
        println!("seed {seed}");
        check(Fault::Write(ErrorKind::ReadOnlyFilesystem), seed).await;
    }
}

#[tokio::test]
async fn a_quota_that_is_used_up() {
    check(Fault::Write(ErrorKind::QuotaExceeded), 1).await;
}

#[tokio::test]
async fn a_new_segment_that_cannot_be_made() {
    for operations in 0..12 {
        println!("fault after {operations} operations");
        let disk = FaultyDisk::new(operations);
        let mut bed = Bed::over(disk.storage());
        bed.segment_bytes = 400;
        let store = bed.open().await;
        let ground = Ground::new(&store).await;
        disk.fail_after(operations, Fault::DiskFull);
        let mut paid = 0;
        while let Ok(outcome) = store.submit(Submit::command(ground.paycheck(1))).await {
            made(Ok(outcome));
            paid += 1;
        }
        assert_eq!(ground.balance(&store, ground.pay).await, paid);
        close(store).await;
        disk.crash(operations);
        let store = bed.open().await;
        let found = ground.balance(&store, ground.pay).await;
        assert!(
            found == paid || found == paid + 1,
            "{paid} paid, {found} found"
        );
        done(&store, ground.paycheck(1)).await;
        assert_eq!(ground.balance(&store, ground.pay).await, found + 1);
        close(store).await;
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_leaves_its_folder_free() {
    let disk = FaultyDisk::new(1);
    let bed = Bed::over(disk.storage());
    disk.fail_next(Fault::DiskFull);
    assert!(bed.try_open().is_err());
    close(bed.open().await).await;
}
