//! Bulks: many transfers handed in together, done one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::bulk::OPERATIONS_MAX;
use ledger::{
    AccountState, BulkId, BulkMode, BulkStatus, Command, Denial, Due, Effect, Instrument,
    OperationOutcome, ProfileId, Rejection, Reply, Status, Steer, TenantId, TenantMode,
    TransferOrder, Work,
};

use crate::programme::{Programme, free};
use crate::table::check;
use crate::world::START;

const STOP: Steer = Steer::Execute(BulkMode::StopOnFailure);
const GO_ON: Steer = Steer::Execute(BulkMode::ContinueOnFailure);

/// Two accounts, the first with 100.
fn ground() -> (Programme, [Instrument; 2]) {
    let mut p = Programme::new();
    let accounts = [p.account(100), p.account(0)];
    (p, accounts)
}

/// Transfers of these amounts from the first account to the second.
fn orders(p: &Programme, [from, to]: [Instrument; 2], minors: &[i64]) -> Vec<TransferOrder> {
    minors
        .iter()
        .map(|minor| p.order(from, to, *minor))
        .collect()
}

/// What became of each operation: the amount it moved, or why it moved nothing.
fn outcomes(p: &Programme, bulk: BulkId) -> Vec<Result<i64, Denial>> {
    let (_, outcomes) = p.world.bulk(bulk);
    let seen = |outcome: &OperationOutcome| match *outcome {
        OperationOutcome::Made(transfer, status) => {
            let seen = p.world.seen(transfer);
            assert_eq!(seen.status, status);
            Ok(seen.amount.minor())
        }
        OperationOutcome::Denied(denial) => Err(denial),
        OperationOutcome::ProfileNotFound => panic!("there is a profile"),
    };
    outcomes.iter().map(seen).collect()
}

/// Hands in transfers of these amounts out of 100, runs them, and compares how that ended.
#[track_caller]
fn check_run(minors: &[i64], steer: Steer, status: BulkStatus, ends: &[Result<i64, Denial>]) {
    let (mut p, accounts) = ground();
    let orders = orders(&p, accounts, minors);
    let bulk = p.submit(orders);
    p.steer(bulk, steer).expect("it was handed in");
    assert_eq!(p.world.bulk(bulk).0.status, BulkStatus::Running);
    p.world.run_due();
    assert_eq!(outcomes(&p, bulk), ends);
    let (seen, _) = p.world.bulk(bulk);
    assert_eq!(seen.status, status);
    let done = ends.iter().filter(|end| end.is_ok()).count();
    let counts = (seen.succeeded as usize, seen.failed as usize);
    assert_eq!(counts, (done, ends.len() - done));
    assert_eq!(seen.finished_at, Some(START));
    let moved: i64 = ends.iter().flatten().sum();
    assert_eq!(p.balances(accounts), [100 - moved, moved]);
    assert!(p.world.due().is_empty());
    assert!(
        p.world.state.bulk(bulk).is_none(),
        "memory keeps open bulks only"
    );
}

#[test]
fn what_a_failure_means() {
    let (zero, poor) = (Err(Denial::AmountInvalid), Err(Denial::FundsInsufficient));
    use BulkStatus::{Completed, Failed, PartiallyCompleted};
    for steer in [STOP, GO_ON] {
        check_run(&[1], steer, Completed, &[Ok(1)]);
        check_run(&[10, 20, 30], steer, Completed, &[Ok(10), Ok(20), Ok(30)]);
        check_run(&[0], steer, Failed, &[zero]);
        check_run(&[10, 0], steer, PartiallyCompleted, &[Ok(10), zero]);
    }
    check_run(&[10, 0, 30], STOP, PartiallyCompleted, &[Ok(10), zero]);
    let all = [Ok(10), zero, Ok(30)];
    check_run(&[10, 0, 30], GO_ON, PartiallyCompleted, &all);
    check_run(&[0, 10], STOP, Failed, &[zero]);
    check_run(&[0, 10], GO_ON, PartiallyCompleted, &[zero, Ok(10)]);
    check_run(&[0, -1], GO_ON, Failed, &[zero, zero]);
    // Each sees what those before it left.
    let ends = [Ok(60), poor, Ok(40), poor];
    check_run(&[60, 60, 40, 1], GO_ON, PartiallyCompleted, &ends);
}

/// One operation is one commit: it says its index, and makes its transfer or nothing.
#[test]
fn each_operation_makes_one_transfer_in_a_commit_of_its_own() {
    let (mut p, accounts) = ground();
    let before = p.world.all_transfers().count();
    let orders = orders(&p, accounts, &[1, 0, 3, 4]);
    let bulk = p.submit(orders);
    p.steer(bulk, GO_ON).expect("it was handed in");
    let mut made = BTreeSet::new();
    for operation in 0..4 {
        let due = Due {
            tenant: p.world.tenant,
            at: START,
            work: Work::RunBulk(bulk),
        };
        assert_eq!(p.world.due(), [due]);
        let begun = p.world.log.len();
        p.world.run(&Command::RunDue(due)).expect("never refused");
        let commit = &p.world.log[begun..];
        assert_eq!(commit[0], Effect::DueRemoved(due));
        let recorded: Vec<_> = commit
            .iter()
            .filter_map(|effect| match effect {
                Effect::TransferRecorded(transfer) => Some(transfer.id),
                _ => None,
            })
            .collect();
        let stepped: Vec<_> = commit
            .iter()
            .filter_map(|effect| match effect {
                Effect::BulkStepped {
                    operation, outcome, ..
                } => Some((*operation, *outcome)),
                _ => None,
            })
            .collect();
        let expected = match recorded[..] {
            [transfer] => OperationOutcome::Made(transfer, Status::Complete),
            [] => OperationOutcome::Denied(Denial::AmountInvalid),
            _ => panic!("more than one transfer: {recorded:?}"),
        };
        assert_eq!(stepped, [(operation, expected)]);
        assert_eq!(recorded.is_empty(), operation == 1);
        made.extend(recorded);
    }
    assert_eq!(made.len(), 3);
    assert_eq!(p.world.all_transfers().count(), before + 3);
    assert!(p.world.due().is_empty());
    // The same work again does nothing.
    let begun = p.world.log.len();
    let due = Due {
        tenant: p.world.tenant,
        at: START,
        work: Work::RunBulk(bulk),
    };
    p.world.run(&Command::RunDue(due)).expect("never refused");
    assert_eq!(p.world.log.len(), begun);
}

/// A running bulk of three operations of which the first is done.
fn begun() -> (Programme, [Instrument; 2], BulkId) {
    let (mut p, accounts) = ground();
    let orders = orders(&p, accounts, &[10, 20, 30]);
    let bulk = p.submit(orders);
    p.steer(bulk, STOP).expect("it was handed in");
    do_one(&mut p);
    assert_eq!(p.balances(accounts), [90, 10]);
    (p, accounts, bulk)
}

fn do_one(p: &mut Programme) {
    let due = p
        .world
        .state
        .next_due(p.world.now)
        .expect("something is due");
    p.world.run(&Command::RunDue(due)).expect("never refused");
}

#[test]
fn pausing_and_going_on() {
    let (mut p, accounts, bulk) = begun();
    let running = p.world.due();
    p.steer(bulk, Steer::Pause).expect("it runs");
    assert_eq!(p.world.bulk(bulk).0.status, BulkStatus::Paused);
    assert!(p.world.due().is_empty());
    p.world.pass(1_000);
    // Work that was about to be done when it was paused.
    let begun = p.world.log.len();
    p.world
        .run(&Command::RunDue(running[0]))
        .expect("never refused");
    assert_eq!(p.world.log.len(), begun, "a paused bulk goes on");
    assert_eq!(p.balances(accounts), [90, 10]);

    p.steer(bulk, Steer::Resume).expect("it is paused");
    do_one(&mut p);
    assert_eq!(p.balances(accounts), [70, 30]);
    p.steer(bulk, Steer::Pause).expect("it runs");
    p.steer(bulk, Steer::Resume).expect("it is paused");
    p.world.run_due();
    assert_eq!(outcomes(&p, bulk), [Ok(10), Ok(20), Ok(30)]);
    let (seen, _) = p.world.bulk(bulk);
    assert_eq!(seen.status, BulkStatus::Completed);
    assert_eq!(seen.mode, Some(BulkMode::StopOnFailure));
    assert_eq!(seen.started_at, Some(START));
    assert_eq!(seen.finished_at, Some(START.plus(1_000)));
}

#[test]
fn calling_off() {
    // Before it runs, while it runs, while it is paused.
    let (mut p, accounts) = ground();
    let orders = orders(&p, accounts, &[10]);
    let bulk = p.submit(orders);
    p.steer(bulk, Steer::Cancel).expect("it was handed in");
    let (seen, _) = p.world.bulk(bulk);
    assert_eq!((seen.status, seen.mode), (BulkStatus::Cancelled, None));
    assert_eq!((seen.started_at, seen.finished_at), (None, Some(START)));
    assert_eq!(p.balances(accounts), [100, 0]);

    for pause in [false, true] {
        let (mut p, accounts, bulk) = begun();
        if pause {
            p.steer(bulk, Steer::Pause).expect("it runs");
        }
        let reply = p.steer(bulk, Steer::Cancel).expect("it has not ended");
        let (seen, done) = p.world.bulk(bulk);
        assert_eq!(reply, Reply::Bulk(seen.clone()));
        assert_eq!(seen.status, BulkStatus::Cancelled);
        assert_eq!((seen.succeeded, seen.failed, done.len()), (1, 0, 1));
        assert!(p.world.due().is_empty());
        p.world.pass(1_000);
        // What was done stays done.
        assert_eq!(p.balances(accounts), [90, 10]);
        assert_eq!(p.steer(bulk, Steer::Cancel), Err(Rejection::BulkNotFound));
    }
}

#[test]
fn what_can_be_done_where_a_bulk_stands() {
    use BulkStatus::{Paused, Running, Submitted};
    for (to, allowed) in [
        (Submitted, vec![STOP, GO_ON, Steer::Cancel]),
        (Running, vec![Steer::Pause, Steer::Cancel]),
        (Paused, vec![Steer::Resume, Steer::Cancel]),
    ] {
        for steer in [STOP, GO_ON, Steer::Pause, Steer::Resume, Steer::Cancel] {
            let (mut p, accounts) = ground();
            let orders = orders(&p, accounts, &[1, 2]);
            let bulk = p.submit(orders);
            if to != Submitted {
                p.steer(bulk, STOP).expect("it was handed in");
            }
            if to == Paused {
                p.steer(bulk, Steer::Pause).expect("it runs");
            }
            let begun = p.world.log.len();
            let answer = p.steer(bulk, steer).map(|_| ());
            let expected = match allowed.contains(&steer) {
                true => Ok(()),
                false => Err(Rejection::BulkState { status: to }),
            };
            assert_eq!(answer, expected, "{steer:?} while {to:?}");
            assert_eq!(p.world.log.len() > begun, answer.is_ok());
        }
    }
}

#[test]
fn refusals_of_handing_in() {
    let (mut p, accounts) = ground();
    let (tenant, owner) = (p.world.tenant, p.world.owner);
    let elsewhere = p.world.new_tenant(TenantMode::Sandbox).id;
    let good = p.order(accounts[0], accounts[1], 1);
    let bad = |tag: usize, description: usize| TransferOrder {
        tag: Some(Arc::from("x".repeat(tag))),
        description: Some(Arc::from("x".repeat(description))),
        ..good.clone()
    };
    let wrap = |(tenant, operations): (TenantId, Vec<TransferOrder>)| Command::SubmitBulk {
        tenant,
        owner,
        key: None,
        operations: Arc::from(operations),
    };
    let many = |count| vec![good.clone(); count];
    check(&mut p.world, (TenantId::new(3), Vec::new()), wrap)
        .row("tenant_not_found", |_, _| {})
        .row("owner_not_found", |_, c| c.0 = elsewhere)
        .row("invalid_parameters operations", |_, c| c.0 = tenant)
        .row("invalid_parameters operations", |_, c| {
            c.1 = many(OPERATIONS_MAX + 1);
        })
        .row("invalid_parameters description", |_, c| {
            c.1 = vec![good.clone(), bad(51, 256)];
        })
        .row("invalid_parameters tag", |_, c| {
            c.1 = vec![good.clone(), bad(51, 255)];
        })
        .row("ok", |_, c| c.1 = vec![good.clone(), bad(50, 255)])
        .end();
    let most = many(OPERATIONS_MAX);
    p.submit(most);
}

#[test]
fn refusals_of_steering() {
    let (mut p, accounts) = ground();
    let orders = orders(&p, accounts, &[1]);
    let bulk = p.submit(orders);
    let (tenant, owner) = (p.world.tenant, p.world.owner);
    let other = p.world.new_owner(tenant).id;
    let elsewhere = p.world.new_tenant(TenantMode::Sandbox).id;
    let wrap = |(tenant, owner, bulk)| Command::SteerBulk {
        tenant,
        owner,
        bulk,
        steer: Steer::Cancel,
    };
    let command = (TenantId::new(3), other, BulkId::new(9));
    check(&mut p.world, command, wrap)
        .row("tenant_not_found", |_, _| {})
        .row("bulk_not_found", |_, c| c.0 = elsewhere)
        .row("bulk_not_found", |_, c| c.2 = bulk)
        .row("bulk_not_found", |_, c| c.0 = tenant)
        .row("ok", |_, c| c.1 = owner)
        .end();
}

/// An operation is like any other transfer: it can be for later, and a profile can be missing.
#[test]
fn operations_of_every_kind() {
    let (mut p, accounts) = ground();
    let good = p.order(accounts[0], accounts[1], 10);
    let later = TransferOrder {
        scheduled_at: Some(START.plus(500)),
        ..good.clone()
    };
    let nowhere = TransferOrder {
        profile: ProfileId::new(7),
        ..good.clone()
    };
    let other = p.world.new_owner(p.world.tenant).id;
    let mine = p.world.owner;
    p.world.owner = other;
    let theirs = p.account(50);
    p.world.owner = mine;
    let stranger = TransferOrder {
        source: theirs,
        ..good.clone()
    };
    let bulk = p.submit(vec![later, nowhere, stranger, good]);
    p.steer(bulk, GO_ON).expect("it was handed in");
    p.world.run_due();
    let (seen, done) = p.world.bulk(bulk);
    assert_eq!(seen.status, BulkStatus::PartiallyCompleted);
    let [
        OperationOutcome::Made(later, Status::Scheduled),
        OperationOutcome::ProfileNotFound,
        OperationOutcome::Denied(Denial::SourceNotFound),
        OperationOutcome::Made(_, Status::Complete),
    ] = *done
    else {
        panic!("{done:?}")
    };
    // The bulk is done when its operations are; what was scheduled has its own time.
    assert_eq!(p.balances(accounts), [90, 10]);
    p.world.pass(500);
    assert_eq!(p.world.status(later), (Status::Complete, None));
    assert_eq!(p.balances(accounts), [80, 20]);
    assert_eq!(p.world.balance(theirs.id), 50);
}

/// Each operation is looked at when its turn comes, not when the bulk was handed in.
#[test]
fn what_changes_between_two_operations_counts() {
    let (mut p, accounts, bulk) = begun();
    p.block(accounts[1]);
    p.world.run_due();
    let blocked = Err(Denial::DestinationBlocked);
    assert_eq!(outcomes(&p, bulk), [Ok(10), blocked]);
    assert_eq!(p.world.bulk(bulk).0.status, BulkStatus::PartiallyCompleted);

    // An account that a bulk only means to use can be closed.
    let (mut p, accounts) = ground();
    let orders = orders(&p, [accounts[1], accounts[0]], &[10]);
    let bulk = p.submit(orders);
    p.set_state(accounts[1], AccountState::Destroyed)
        .expect("it is empty and nothing has begun");
    p.steer(bulk, STOP).expect("it was handed in");
    p.world.run_due();
    assert_eq!(outcomes(&p, bulk), [Err(Denial::SourceDestroyed)]);
}

/// Of two bulks at one time the older runs to its end first; neither has the other's operations.
#[test]
fn two_bulks_of_one_owner() {
    let (mut p, accounts) = ground();
    let first = orders(&p, accounts, &[60, 30]);
    let second = orders(&p, accounts, &[20, 10]);
    let (first, second) = (p.submit(first), p.submit(second));
    p.steer(second, GO_ON).expect("it was handed in");
    p.steer(first, GO_ON).expect("it was handed in");
    p.world.run_due();
    assert_eq!(outcomes(&p, first), [Ok(60), Ok(30)]);
    let poor = Err(Denial::FundsInsufficient);
    assert_eq!(outcomes(&p, second), [poor, Ok(10)]);
    assert_eq!(p.balances(accounts), [0, 100]);
}

/// A live tenant's bulk runs by the machine's clock.
#[test]
fn a_live_bulk() {
    let mut p = Programme::with(TenantMode::Live, free());
    let accounts = [p.account(0), p.account(0)];
    let orders = orders(&p, accounts, &[1]);
    let bulk = p.submit(orders);
    p.steer(bulk, STOP).expect("it was handed in");
    p.world.pass(700);
    assert_eq!(outcomes(&p, bulk), [Err(Denial::FundsInsufficient)]);
    let (seen, _) = p.world.bulk(bulk);
    assert_eq!(seen.finished_at, Some(START.plus(700)));
}
