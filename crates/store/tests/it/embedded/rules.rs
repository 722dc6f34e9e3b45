//! Rules in the views and through a loss of power: `verify` finds what was changed, and what caused
//! a run causes one run.

use std::collections::BTreeSet;

use ledger::execution::Cause;
use ledger::rule::TriggerKind;
use ledger::{ExecutionMode, ExecutionStatus, TransferId};
use sim::disk::{Fault, FaultyDisk};
use store::embedded::{VerifyError, rebuild_views, verify};
use store::{Outcome, Submit};

use crate::bed::{Bed, Ground, check_sound, close, done, tamper};
use crate::rules::{draft, fixed, half, run, runs, switched_on, trigger};

/// Changes the views by each statement; each is found, and gone when they are made anew.
#[tokio::test]
async fn a_change_to_rules_caps_or_runs_is_found() {
    let bed = Bed::embedded();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let saving = draft(
        TriggerKind::OnFundsTransferred,
        ground.pay,
        vec![half(ground.pod, 9_000)],
    );
    switched_on(&store, &ground, saving).await;
    let moving = draft(
        TriggerKind::Manual,
        ground.pod,
        vec![fixed(ground.bank, 700)],
    );
    let moving = switched_on(&store, &ground, moving).await;
    done(&store, ground.paycheck(8_000)).await;
    store.quiesce(ground.tenant).await.expect("writes work");
    run(
        &store,
        trigger(&ground, moving.id, ExecutionMode::Simulation),
    )
    .await;
    run(&store, trigger(&ground, moving.id, ExecutionMode::Live)).await;
    store.quiesce(ground.tenant).await.expect("writes work");
    close(store).await;
    let columns = |table: &str, key: &str, columns: &[&str]| -> Vec<String> {
        let one = format!("WHERE {key} = (SELECT max({key}) FROM {table})");
        let changes = columns.iter().map(|column| match *column {
            "body" => format!("UPDATE {table} SET body = body || x'00' {one}"),
            "enabled" => format!("UPDATE {table} SET enabled = 1 - enabled {one}"),
            column => format!("UPDATE {table} SET {column} = coalesce({column}, 0) + 1 {one}"),
        });
        changes
            .chain([format!("DELETE FROM {table} {one}")])
            .collect()
    };
    let mut changes = columns(
        "rules",
        "id",
        &[
            "id",
            "tenant",
            "owner",
            "account",
            "enabled",
            "deleted_ms",
            "body",
        ],
    );
    changes.extend(columns(
        "rule_caps",
        "rule",
        &[
            "rule",
            "step",
            "action_group",
            "period",
            "since_day",
            "used",
        ],
    ));
    changes.extend(columns(
        "executions",
        "id",
        &[
            "id",
            "tenant",
            "owner",
            "rule",
            "status",
            "cause",
            "mode",
            "created_ms",
            "body",
        ],
    ));
    changes.push("INSERT INTO rule_caps VALUES (7, 0, 0, 3, 0, 100)".to_owned());
    for sql in changes {
        verify(bed.path()).unwrap_or_else(|error| panic!("before {sql}: {error}"));
        tamper(bed.path(), &sql);
        let error = verify(bed.path()).expect_err(&sql);
        let found = matches!(
            error,
            VerifyError::Difference(_) | VerifyError::Unreadable(_)
        );
        assert!(found, "{sql}: {error}");
        rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    }
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}

/// Paychecks sent before giving up on the armed fault.
const PAYCHECKS_MAX: usize = 20;

async fn check(operations: u64, seed: u64) {
    println!("power fails after {operations} operations, seed {seed}");
    let disk = FaultyDisk::new(seed);
    let mut bed = Bed::over(disk.storage());
    bed.segment_bytes = 4_000;
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let saving = draft(
        TriggerKind::OnFundsTransferred,
        ground.pay,
        vec![half(ground.pod, 1_000_000)],
    );
    let saving = switched_on(&store, &ground, saving).await;
    close(store).await;

    let store = bed.open().await;
    disk.fail_after(operations, Fault::Power);
    let mut answered = BTreeSet::new();
    for _ in 0..PAYCHECKS_MAX {
        let paid = store.submit(Submit::command(ground.paycheck(1_000))).await;
        match paid {
            Ok(Outcome::Done(ledger::Reply::Transfer { transfer, .. })) => {
                answered.insert(transfer.id);
            }
            Ok(other) => panic!("not paid: {other:?}"),
            Err(_) => break,
        }
    }
    disk.fail_next(Fault::Power);
    store.shut_down().await.expect("no thread has panicked");
    drop(store);
    disk.crash(seed);

    let store = bed.open().await;
    store.quiesce(ground.tenant).await.expect("writes work");
    check_sound(&store, &ground).await;
    let seen = runs(&store, &ground, saving.id).await;
    let mut causes: BTreeSet<TransferId> = BTreeSet::new();
    for run in &seen {
        let Cause::FundsTransferred { transfer, minor } = run.cause else {
            panic!("another cause: {run:?}")
        };
        assert!(causes.insert(transfer), "{transfer} caused two runs");
        assert_eq!((minor, run.status), (1_000, ExecutionStatus::Executed));
    }
    // A paycheck that was not answered may be there: then its run is, too.
    assert!(causes.is_superset(&answered), "a run is missing");
    assert!(causes.len() <= answered.len() + 1);
    let paid = i64::try_from(seen.len()).expect("few") * 500;
    assert_eq!(ground.balance(&store, ground.pod).await, paid);
    assert_eq!(ground.balance(&store, ground.pay).await, paid);
    close(store).await;
    bed.land(&disk);
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn power_fails_between_a_cause_and_its_run() {
    for operations in 0..40 {
        check(operations, operations.wrapping_mul(77)).await;
    }
}
