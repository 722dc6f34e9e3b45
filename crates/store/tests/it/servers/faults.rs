//! What goes wrong in a transaction, and what the caller is told.

use std::sync::Arc;

use ledger::Reply;
use store::postgres::{Fault, Point};
use store::{Action, Claim, Outcome, StoreError, Submit};

use super::{Script, Servers};
use crate::bed::{Ground, claim, claimed, close, done, made, usd};

/// Whatever goes wrong once, the caller gets its answer and the money moves once.
async fn survives(point: Point, fault: Fault) {
    let servers = Servers::new();
    let script = Script::new();
    let store = servers.open_faulty(&script).await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(100)).await;
    script.fault(point, fault);
    let claimed = claimed(ground.paycheck(10), claim(1));
    let first = made(store.submit(claimed.clone()).await);
    assert_eq!(script.left(), 0, "the fault has happened");
    assert_eq!(ground.balance(&store, ground.pay).await, 110);
    let outcome = store.submit(claimed).await;
    assert!(matches!(outcome, Ok(Outcome::Replay(_))), "{outcome:?}");
    let count = format!("SELECT count(*) FROM transfers WHERE id = {first}");
    assert_eq!(servers.number(&count), 1);
    assert_eq!(servers.number("SELECT count(*) FROM remembered"), 1);
    assert_eq!(ground.balance(&store, ground.pay).await, 110);
    close(store).await;
    servers.verify().await;
}

#[tokio::test]
async fn a_conflict_is_tried_again() {
    for point in [Point::Begin, Point::Loaded, Point::Commit] {
        for state in ["40001", "40P01", "55P03", "57014", "23505"] {
            survives(point, Fault::State(state)).await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_commit_is_made_anew() {
    for point in [Point::Begin, Point::Loaded] {
        survives(point, Fault::Cut).await;
        survives(point, Fault::State("57P01")).await;
    }
}

#[tokio::test]
async fn a_commit_that_was_never_sent_is_decided_again() {
    survives(Point::Commit, Fault::Cut).await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found() {
    survives(Point::Committed, Fault::Cut).await;
    survives(Point::Committed, Fault::State("08006")).await;
}

/// The same while the database cannot be reached for a while.
#[tokio::test]
async fn a_lost_commit_is_found_after_more_faults() {
    let servers = Servers::new();
    let script = Script::new();
    let store = servers.open_faulty(&script).await;
    let ground = Ground::new(&store).await;
    // Two in a row: the first was not committed, the second was.
    script.fault(Point::Commit, Fault::Cut);
    script.fault(Point::Committed, Fault::Cut);
    done(&store, ground.paycheck(100)).await;
    assert_eq!(script.left(), 0);
    assert_eq!(ground.balance(&store, ground.pay).await, 100);
    close(store).await;
    servers.verify().await;
}

/// A lost transaction may still be open in the database: it is waited for.
#[tokio::test]
async fn a_backend_that_is_killed_in_its_transaction_has_committed_nothing() {
    let servers = Servers::new();
    let script = Script::new();
    let store = servers.open_faulty(&script).await;
    let ground = Ground::new(&store).await;
    script.close(Point::Commit);
    let submit = {
        let (store, paycheck) = (Arc::clone(&store), ground.paycheck(100));
        tokio::spawn(async move { store.submit(Submit::command(paycheck)).await })
    };
    script.wait_for_one().await;
    let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                  WHERE datname = current_database() AND state = 'idle in transaction'";
    assert_eq!(servers.number(killed), 1);
    script.open();
    made(submit.await.expect("no panic"));
    assert_eq!(ground.balance(&store, ground.pay).await, 100);
    close(store).await;
    servers.verify().await;
}

/// What others are always faster in is given up, and nothing of it is there.
#[tokio::test]
async fn a_conflict_that_never_ends_is_told() {
    let servers = Servers::new();
    let script = Script::new();
    let store = servers.open_faulty(&script).await;
    let ground = Ground::new(&store).await;
    for _ in 0..100 {
        script.fault(Point::Commit, Fault::State("40001"));
    }
    let outcome = store.submit(Submit::command(ground.paycheck(1))).await;
    assert!(
        matches!(outcome, Err(StoreError::Unavailable { .. })),
        "{outcome:?}"
    );
    assert!(script.left() > 50, "it was given up: {}", script.left());
    assert_eq!(store.health().queued, 0, "whoever was told waits no more");
    assert_eq!(ground.balance(&store, ground.pay).await, 0);
    close(store).await;
}

/// One submit that the database cannot store does not harm the others of its group.
#[tokio::test]
async fn what_cannot_be_stored_is_refused_alone() {
    let servers = Servers::new();
    let script = Script::new();
    let store = servers.open_faulty(&script).await;
    let ground = Ground::new(&store).await;
    script.close(Point::Begin);
    let submits: Vec<_> = (0..20)
        .map(|number| {
            let mut submit = claimed(ground.paycheck(1), claim(number));
            if number == 7 {
                let request_id = Arc::from("no\0text");
                submit.claim = Some(Claim {
                    request_id,
                    ..claim(number)
                });
            }
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.submit(submit).await })
        })
        .collect();
    script.wait_for_one().await;
    while store.health().queued < 19 {
        tokio::task::yield_now().await;
    }
    script.open();
    for (number, submit) in submits.into_iter().enumerate() {
        let outcome = submit.await.expect("no panic");
        let is_refused = matches!(outcome, Err(StoreError::Unavailable { .. }));
        assert_eq!(is_refused, number == 7, "{number}: {outcome:?}");
    }
    assert_eq!(ground.balance(&store, ground.pay).await, 19);
    close(store).await;
    servers.verify().await;
}

/// A record that another server has taken since is a conflict, not a failure.
#[tokio::test]
async fn a_unique_that_is_taken_meanwhile_is_a_conflict() {
    use store::{Expect, Put, PutId, PutOwner, RecordConflict, RecordKind};

    let servers = Servers::new();
    let script = Script::new();
    let slow = servers.open_faulty(&script).await;
    let fast = servers.open().await;
    let ground = Ground::new(&fast).await;
    let put = Submit {
        action: Action::Put(vec![Put {
            kind: RecordKind::User,
            id: PutId::New,
            tenant: ground.tenant,
            owner: PutOwner::Known(ground.owner),
            unique: Some([1; 16]),
            expect: Expect::Absent,
            body: Some(Arc::from("{}")),
        }]),
        claim: None,
    };
    script.close(Point::Commit);
    let waiting = {
        let (store, put) = (Arc::clone(&slow), put.clone());
        tokio::spawn(async move { store.submit(put).await })
    };
    script.wait_for_one().await;
    let outcome = fast.submit(put).await;
    assert!(matches!(outcome, Ok(Outcome::Stored { .. })), "{outcome:?}");
    script.open();
    let outcome = waiting.await.expect("no panic");
    let taken = RecordConflict::Taken(RecordKind::User);
    assert!(
        matches!(outcome, Ok(Outcome::Conflict(conflict)) if conflict == taken),
        "{outcome:?}"
    );
    close(slow).await;
    close(fast).await;
    servers.verify().await;
}

/// Two servers get the same idempotency key, and neither sees the other's before it writes.
#[tokio::test]
async fn twins_on_two_servers_are_done_once() {
    let servers = Servers::new();
    let script = Script::new();
    let slow = servers.open_faulty(&script).await;
    let fast = servers.open().await;
    let (one, other) = (Ground::new(&fast).await, Ground::new(&fast).await);
    script.close(Point::Commit);
    // Different owners: no lock makes one wait for the other.
    let waiting = {
        let (store, submit) = (Arc::clone(&slow), claimed(one.paycheck(5), claim(1)));
        tokio::spawn(async move { store.submit(submit).await })
    };
    script.wait_for_one().await;
    made(fast.submit(claimed(other.paycheck(7), claim(1))).await);
    script.open();
    let outcome = waiting.await.expect("no panic");
    let Ok(Outcome::Replay(number)) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(slow.remembered(number).await.expect("reads work").is_some());
    assert_eq!(one.balance(&fast, one.pay).await, 0);
    assert_eq!(other.balance(&fast, other.pay).await, 7);
    close(slow).await;
    close(fast).await;
    servers.verify().await;
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_no_reason_to_ask_again_and_again() {
    let servers = Servers::new();
    let store = servers.open().await;
    let (ground, stranger) = (Ground::new(&store).await, Ground::new(&store).await);
    let nobody = ledger::AccountId::new(5);
    for strange in [nobody, stranger.pay] {
        let transfer = ground.transfer(ground.pay, strange, 1);
        let outcome = store.submit(Submit::command(transfer)).await;
        let missing = ledger::Rejection::DestinationNotFound;
        assert!(
            matches!(&outcome, Ok(Outcome::Refused(rejection)) if *rejection == missing),
            "{outcome:?}"
        );
    }
    let hold = ledger::Command::PlaceHold(ledger::PlaceHold {
        tenant: stranger.tenant,
        account: stranger.pay,
        amount: usd(1),
        expires_at: None,
    });
    done(&store, stranger.paycheck(1)).await;
    let Reply::Hold(hold) = done(&store, hold).await else {
        panic!("no hold")
    };
    let release = ledger::Command::ReleaseHold {
        tenant: ground.tenant,
        hold: hold.id,
    };
    let outcome = store.submit(Submit::command(release)).await;
    assert!(
        matches!(
            outcome,
            Ok(Outcome::Refused(ledger::Rejection::HoldNotFound))
        ),
        "{outcome:?}"
    );
    close(store).await;
    servers.verify().await;
}
