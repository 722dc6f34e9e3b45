//! Due work by the machine's clock and by a tenant's own.

use ledger::{Command, Millis, PlaceHold, Reply, Status, TenantClock};
use store::Submit;

use crate::bed::{Bed, Ground, RAIL_MS, START, check_sound, close, done, made, usd};

const DAY: i64 = 86_400_000;

#[tokio::test]
async fn work_is_done_when_the_machines_clock_reaches_it() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(100)).await;
    let out = ground.transfer(ground.pay, ground.bank, 40);
    let id = made(store.submit(Submit::command(out)).await);
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, id).await, Status::Pending);
    bed.clock.advance(RAIL_MS - 1);
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, id).await, Status::Pending);
    bed.clock.advance(1);
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, id).await, Status::Complete);
    assert_eq!(ground.balance(&store, ground.pay).await, 60);
    check_sound(&store, &ground).await;
    close(store).await;
}

#[tokio::test]
async fn a_woken_store_looks_at_the_clock() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let pull = ground.transfer(ground.bank, ground.pod, 40);
    let id = made(store.submit(Submit::command(pull)).await);
    store.quiesce(ground.tenant).await.expect("writes work");
    bed.clock.advance(RAIL_MS);
    store.wake();
    while ground.status(&store, id).await != Status::Complete {
        tokio::task::yield_now().await;
    }
    close(store).await;
}

#[tokio::test]
async fn a_sandbox_clock_that_is_set_forward_settles_what_waited() {
    let bed = Bed::new();
    let store = bed.open().await;
    let (ground, other) = (Ground::new(&store).await, Ground::new(&store).await);
    done(&store, ground.paycheck(100)).await;
    done(&store, other.paycheck(100)).await;
    let out = |ground: &Ground| Submit::command(ground.transfer(ground.pay, ground.bank, 40));
    let mine = made(store.submit(out(&ground)).await);
    let theirs = made(store.submit(out(&other)).await);
    let hold = done(
        &store,
        Command::PlaceHold(PlaceHold {
            tenant: ground.tenant,
            account: ground.pay,
            amount: usd(60),
            expires_at: Some(START.plus(DAY)),
        }),
    )
    .await;
    assert!(matches!(hold, Reply::Hold(_)));
    // The hold and the submission wait for the same money; the submission was due first.
    ground
        .set_clock(&store, TenantClock::Running { offset_ms: 2 * DAY })
        .await;
    store.quiesce(ground.tenant).await.expect("writes work");
    let seen = store.transfer(ground.tenant, mine).await;
    let seen = seen.expect("reads work").expect("it was recorded").transfer;
    assert_eq!(seen.status, Status::Complete);
    assert_eq!(seen.completed_at, Some(START.plus(RAIL_MS)));
    assert!(
        store
            .holds(ground.pay)
            .await
            .expect("reads work")
            .is_empty()
    );
    store.quiesce(other.tenant).await.expect("writes work");
    assert_eq!(other.status(&store, theirs).await, Status::Pending);
    check_sound(&store, &ground).await;
    close(store).await;
}

#[tokio::test]
async fn a_frozen_tenant_is_quiet_although_work_waits() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    ground
        .set_clock(&store, TenantClock::Frozen { at: START })
        .await;
    let pull = ground.transfer(ground.bank, ground.pod, 40);
    let id = made(store.submit(Submit::command(pull)).await);
    bed.clock.advance(365 * DAY);
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, id).await, Status::Pending);
    close(store).await;

    // Frozen across a restart too.
    let store = bed.open().await;
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, id).await, Status::Pending);
    let at = START.plus(RAIL_MS);
    ground.set_clock(&store, TenantClock::Frozen { at }).await;
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, id).await, Status::Complete);
    close(store).await;
}

#[tokio::test]
async fn work_that_fell_due_while_the_store_was_closed_is_done_at_the_start() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let pull = ground.transfer(ground.bank, ground.pod, 40);
    let id = made(store.submit(Submit::command(pull)).await);
    close(store).await;
    bed.clock.advance(DAY);
    let store = bed.open().await;
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, id).await, Status::Complete);
    close(store).await;
}

#[tokio::test]
async fn machine_time_that_goes_back_is_not_followed() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let first = made(store.submit(Submit::command(ground.paycheck(1))).await);
    close(store).await;
    bed.clock.set(Millis(START.0 - DAY));
    let store = bed.open().await;
    let second = made(store.submit(Submit::command(ground.paycheck(1))).await);
    assert!(second > first, "ids keep increasing");
    let transfers = ground.transfers(&store).await;
    assert_eq!(transfers[&second].transfer.created_at, START);
    close(store).await;
}

#[tokio::test]
async fn nobody_waits_for_a_tenant_that_does_not_exist() {
    let bed = Bed::new();
    let store = bed.open().await;
    let nobody = ledger::TenantId::new(5);
    store.quiesce(nobody).await.expect("writes work");
    close(store).await;
}
