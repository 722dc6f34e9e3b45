//! What is in a commit, and how many commits share one sync.

use std::sync::Arc;

use ledger::{Command, KeyId, Millis, PlaceHold, Reply, Status, TenantId};
use sim::disk::FaultyDisk;
use store::{
    Action, Claim, Embedded, KeyRecord, Outcome, Permission, RememberedReply, Resources, Store,
    StoreError, Submit,
};
use tokio::task::JoinSet;

use crate::bed::{Bed, Ground, check_sound, claim, claimed, close, done, made, usd};
use crate::gate::Gate;

/// A store whose syncs can be held up.
struct Gated {
    bed: Bed,
    gate: Gate,
    disk: FaultyDisk,
    store: Arc<Embedded>,
    ground: Ground,
}

async fn gated() -> Gated {
    let disk = FaultyDisk::new(1);
    let gate = Gate::new(disk.storage());
    let bed = Bed::over(gate.storage());
    let store = bed.open();
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
async fn enqueue(
    store: &Arc<Embedded>,
    submits: Vec<Submit>,
) -> JoinSet<Result<Outcome, StoreError>> {
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

/// One was done; all others point to what is remembered of it.
async fn check_twins(store: &Embedded, ground: &Ground, outcomes: Vec<Outcome>) {
    let count = outcomes.len();
    let mut made = Vec::new();
    let mut replays = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Done(Reply::Transfer { transfer, .. }) => made.push(transfer),
            Outcome::Replay(number) => replays.push(number),
            other => panic!("neither done nor replayed: {other:?}"),
        }
    }
    assert_eq!((made.len(), replays.len()), (1, count - 1));
    replays.dedup();
    let [number] = replays[..] else {
        panic!("several numbers: {replays:?}")
    };
    let remembered = store.remembered(number).await.expect("reads work");
    let remembered = remembered.expect("what is replayed can be read");
    assert_eq!(remembered.key, claim(7).key);
    assert_eq!(remembered.body, claim(7).body);
    assert_eq!(&*remembered.request_id, "req-7");
    let RememberedReply::Transfer { id, status, .. } = remembered.reply else {
        panic!("not a transfer: {remembered:?}")
    };
    assert_eq!((id, status), (made[0].id, made[0].status));
    assert!(ground.transfers(store).await.contains_key(&id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_submits_with_one_key_one_is_done() {
    let bed = Bed::new();
    let store = bed.open();
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(1_000)).await;
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let store = Arc::clone(&store);
        let submit = claimed(ground.transfer(ground.pay, ground.pod, 600), claim(7));
        tasks.spawn(async move { store.submit(submit).await.expect("the disk is good") });
    }
    check_twins(&store, &ground, tasks.join_all().await).await;
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.balance(&store, ground.pod).await, 600);
    check_sound(&store, &ground).await;
    close(store).await;
}

#[tokio::test]
async fn a_refusal_is_remembered_when_asked_for() {
    let bed = Bed::new();
    let store = bed.open();
    let ground = Ground::new(&store).await;
    let hold = |minor| {
        Command::PlaceHold(PlaceHold {
            tenant: ground.tenant,
            account: ground.pay,
            amount: usd(minor),
            expires_at: None,
        })
    };
    let remembering = |number| Claim {
        remember_refusals: true,
        ..claim(number)
    };
    let kept = || claimed(hold(5), remembering(1));
    let not_kept = || claimed(hold(5), claim(2));
    for submit in [kept(), not_kept()] {
        let outcome = store.submit(submit).await;
        assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    }
    done(&store, ground.paycheck(100)).await;
    // With money there the second goes through; the first stays refused.
    let outcome = store.submit(kept()).await;
    let Ok(Outcome::Replay(number)) = outcome else {
        panic!("a late duplicate moved money after a no: {outcome:?}")
    };
    let remembered = store.remembered(number).await.expect("reads work");
    let RememberedReply::Refused { code, message } = remembered.expect("kept").reply else {
        panic!("not a refusal")
    };
    assert_eq!(&*code, "insufficient_funds");
    assert!(
        message.contains("has 0 available, 5 requested"),
        "{message}"
    );
    let outcome = store.submit(not_kept()).await;
    assert!(
        matches!(outcome, Ok(Outcome::Done(Reply::Hold(_)))),
        "{outcome:?}"
    );
    let outcome = store.submit(not_kept()).await;
    assert!(matches!(outcome, Ok(Outcome::Replay(2))), "{outcome:?}");
    let missing = store.remembered(3).await.expect("reads work");
    assert_eq!(missing, None);
    close(store).await;
}

#[tokio::test]
async fn api_keys_are_kept_and_revoked_by_their_tenant_only() {
    let bed = Bed::new();
    let store = bed.open();
    let ground = Ground::new(&store).await;
    let record = KeyRecord {
        id: KeyId::new(0),
        tenant: ground.tenant,
        name: Arc::from("payroll"),
        hash: [7; 32],
        hint: Arc::from("x9z2"),
        permissions: vec![
            Permission::ListAccounts,
            Permission::ReadTransfers(Resources::Ids(vec![1, u64::MAX])),
        ],
        created_at: Millis(0),
        revoked_at: None,
    };
    let submit = |action| Submit {
        action,
        claim: None,
    };
    let created = store
        .submit(submit(Action::CreateKey(record.clone())))
        .await;
    let Ok(Outcome::Key(key)) = created else {
        panic!("no key: {created:?}")
    };
    assert_eq!(
        store.keys(None).await.expect("reads work"),
        std::slice::from_ref(&key)
    );
    close(store).await;

    let store = bed.open();
    let other = Ground::new(&store).await;
    assert!(
        store
            .keys(Some(other.tenant))
            .await
            .expect("reads work")
            .is_empty()
    );
    let revoke = |tenant| {
        submit(Action::RevokeKey {
            tenant,
            key: key.id,
        })
    };
    let outcome = store.submit(revoke(other.tenant)).await;
    assert!(matches!(outcome, Ok(Outcome::KeyNotFound)), "{outcome:?}");
    let outcome = store.submit(revoke(ground.tenant)).await;
    assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    let seen = store.keys(Some(ground.tenant)).await.expect("reads work");
    assert_eq!(seen[0].revoked_at, Some(store.now()));
    let strangers = KeyRecord {
        tenant: TenantId::new(1),
        ..record
    };
    let outcome = store.submit(submit(Action::CreateKey(strangers))).await;
    assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    close(store).await;
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
    let rows = crate::bed::dump(bed.path());
    assert_eq!(rows["due"], [""; 0]);
    bed.land(&disk);
    store::embedded::verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    let store = bed.open();
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.balance(&store, ground.pay).await, 90);
    close(store).await;
    bed.land(&disk);
    store::embedded::verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}
