//! Transfers for a later time: when they are executed, how they end, and calling them off.

use std::sync::Arc;

use ledger::profile::{Fee, FeePolicy, Terms, TransferTerms};
use ledger::{
    AccountState, ChangeProfile, Command, Denial, Due, ErrorCode, Instrument, Millis, Rejection,
    Reply, Status, TenantClock, TenantId, TenantMode, TransferId, TransferOrder, Work,
};

use crate::programme::{Programme, TO_ACCOUNT, TO_CARD, fee, free};
use crate::table::check;
use crate::world::{BANK, EUR, START, USD, usd};

const HOUR: i64 = 3_600_000;

/// Two accounts, the first with 1,000, and a transfer of 400 between them in an hour.
fn scheduled() -> (Programme, [Instrument; 2], TransferId) {
    let mut p = Programme::new();
    let accounts = [p.account(1_000), p.account(0)];
    let order = p.order(accounts[0], accounts[1], 400);
    let transfer = p.schedule(order, HOUR);
    (p, accounts, transfer)
}

fn due_of(p: &Programme, transfer: TransferId) -> Due {
    Due {
        tenant: p.world.tenant,
        at: START.plus(HOUR),
        work: Work::Settle(transfer),
    }
}

#[test]
fn nothing_is_held_until_its_time() {
    let (mut p, accounts, transfer) = scheduled();
    let seen = p.world.seen(transfer);
    assert_eq!(seen.scheduled_at, Some(START.plus(HOUR)));
    assert_eq!((seen.completed_at, seen.fee_minor), (None, 0));
    assert_eq!(p.world.due(), [due_of(&p, transfer)]);
    p.world.pass(HOUR - 1);
    assert_eq!(p.world.status(transfer), (Status::Scheduled, None));
    assert_eq!(p.world.available(accounts[0].id), 1_000);
    assert_eq!(p.balances(accounts), [1_000, 0]);
    p.world.pass(1);
    assert_eq!(p.world.status(transfer), (Status::Complete, None));
    assert_eq!(p.balances(accounts), [600, 400]);
    let seen = p.world.seen(transfer);
    assert_eq!(seen.completed_at, Some(START.plus(HOUR)));
    assert!(p.world.due().is_empty());
}

/// A sandbox's clock that jumps leaves the history of one that passes; live time is the machine's.
#[test]
fn it_is_executed_at_its_time_however_late_somebody_looks() {
    let (mut p, _, transfer) = scheduled();
    let at = START.plus(1_000 * HOUR);
    p.world.set_clock(TenantClock::Frozen { at });
    p.world.run_due();
    let seen = p.world.seen(transfer);
    assert_eq!(seen.completed_at, Some(START.plus(HOUR)));

    let mut p = Programme::with(TenantMode::Live, free());
    let accounts = [p.account(0), p.account(0)];
    let order = p.order(accounts[0], accounts[1], 400);
    let transfer = p.schedule(order, HOUR);
    p.world.pass(2 * HOUR);
    let seen = p.world.seen(transfer);
    let poor = ErrorCode::Denied(Denial::FundsInsufficient);
    assert_eq!((seen.status, seen.error), (Status::Error, Some(poor)));
    assert_eq!(seen.updated_at, START.plus(2 * HOUR));
}

/// The fee is that of the profile at the time of execution.
#[test]
fn a_fee_is_taken_when_it_is_executed() {
    let (mut p, accounts, transfer) = scheduled();
    p.set_transfer_terms(TransferTerms {
        fees: vec![fee(TO_ACCOUNT, USD, Fee::Flat(7))],
        ..free()
    });
    assert_eq!(p.world.seen(transfer).fee_minor, 0);
    p.world.pass(HOUR);
    assert_eq!(p.world.status(transfer), (Status::Complete, None));
    assert_eq!(p.world.seen(transfer).fee_minor, 7);
    assert_eq!(p.balances(accounts), [593, 400]);
    assert_eq!(p.world.fee_income(), 7);
    assert_eq!(p.entries(transfer).len(), 3);
}

/// Whatever became impossible in the meantime ends it, with its reason and without a second try.
#[test]
fn every_reason_to_fail() {
    type Spoil = fn(&mut Programme, [Instrument; 2]);
    let spoils: [(Denial, Spoil); 13] = [
        (Denial::ProfileInactive, |p, _| p.switch(p.transfers, false)),
        (Denial::SourceBlocked, |p, [source, _]| p.block(source)),
        (Denial::DestinationBlocked, |p, [_, to]| p.block(to)),
        (Denial::PairUnsupported, |p, _| {
            p.set_transfer_terms(TransferTerms {
                pairs: vec![TO_CARD],
                ..free()
            });
        }),
        (Denial::FeeNotConfiguredForCurrency, |p, _| {
            p.set_transfer_terms(TransferTerms {
                fees: vec![fee(TO_ACCOUNT, EUR, Fee::Flat(1))],
                ..free()
            });
        }),
        (Denial::ModelConstraintsViolated, |p, _| {
            p.change(ChangeProfile {
                currencies: Some(vec![EUR]),
                ..p.changing(p.transfers)
            });
        }),
        (Denial::ModelConstraintsViolated, |p, _| {
            p.set_transfer_terms(TransferTerms {
                max_amounts: vec![usd(399)],
                ..free()
            });
        }),
        (Denial::InterceptorDenied, |p, _| {
            p.set_transfer_terms(TransferTerms {
                deny_above: vec![usd(399)],
                ..free()
            });
        }),
        (Denial::FundsInsufficient, |p, [source, to]| {
            let order = p.order(source, to, 601);
            p.transfer(order).expect("nothing is held");
        }),
        (Denial::FundsInsufficient, |p, [source, _]| {
            p.world.hold(source.id, 601, None).expect("it is there");
        }),
        (Denial::FundsInsufficient, |p, _| {
            p.set_transfer_terms(TransferTerms {
                fees: vec![fee(TO_ACCOUNT, USD, Fee::Flat(601))],
                fee_policy: FeePolicy::Required,
                ..free()
            });
        }),
        (Denial::DestinationLimitExceeded, |p, _| {
            p.set_account_terms(Some(usd(399)), None);
        }),
        (Denial::DestinationLimitExceeded, |p, [_, to]| {
            p.set_account_terms(Some(usd(500)), None);
            p.deposit(to.id, usd(101));
        }),
    ];
    for (index, (denial, spoil)) in spoils.into_iter().enumerate() {
        let (mut p, accounts, transfer) = scheduled();
        spoil(&mut p, accounts);
        let before = p.balances(accounts);
        p.world.pass(HOUR);
        let ended = (Status::Error, Some(ErrorCode::Denied(denial)));
        assert_eq!(p.world.status(transfer), ended, "row {index}");
        let seen = p.world.seen(transfer);
        assert_eq!((seen.completed_at, seen.fee_minor), (None, 0));
        assert_eq!(seen.updated_at, START.plus(HOUR));
        assert_eq!(p.balances(accounts), before, "row {index}: money has moved");
        assert!(p.entries(transfer).is_empty());
        assert!(p.world.state.open_transfer(transfer).is_none());
        assert!(p.world.due().is_empty(), "row {index}: it is tried again");
        // What is repaired too late helps nobody.
        p.set_terms(p.transfers, Terms::Transfer(free()));
        p.world.pass(HOUR);
        assert_eq!(p.world.status(transfer), ended, "row {index}");
    }
}

/// Neither end can be closed while the transfer waits, so that it cannot fail for that.
#[test]
fn its_accounts_cannot_be_closed() {
    let mut p = Programme::new();
    let accounts = [p.account(0), p.account(0)];
    let order = p.order(accounts[0], accounts[1], 400);
    let transfer = p.schedule(order, HOUR);
    for account in accounts {
        let closed = p.set_state(account, AccountState::Destroyed);
        assert_eq!(closed, Err(Rejection::AccountInUse));
    }
    p.cancel(transfer).expect("it is scheduled");
    for account in accounts {
        let closed = p.set_state(account, AccountState::Destroyed);
        closed.expect("nothing waits any more");
    }
}

#[test]
fn calling_off() {
    let (mut p, accounts, transfer) = scheduled();
    p.world.pass(HOUR / 2);
    let reply = p.cancel(transfer).expect("it is scheduled");
    let Reply::Transfer { transfer: seen, .. } = reply else {
        panic!("another reply: {reply:?}")
    };
    assert_eq!(&seen, p.world.seen(transfer));
    assert_eq!((seen.status, seen.error), (Status::Cancelled, None));
    assert_eq!(seen.cancel_reason.as_deref(), Some("not any more"));
    assert_eq!(seen.updated_at, START.plus(HOUR / 2));
    assert_eq!(seen.completed_at, None);
    assert!(p.world.due().is_empty());
    p.world.pass(HOUR);
    assert_eq!(p.balances(accounts), [1_000, 0]);
}

#[test]
fn refusals_of_calling_off() {
    let (mut p, _, transfer) = scheduled();
    let (tenant, owner) = (p.world.tenant, p.world.owner);
    let other = p.world.new_owner(tenant).id;
    let elsewhere = p.world.new_tenant(TenantMode::Sandbox).id;
    let (bank, pod) = (p.world.account(BANK), p.account(0));
    let processing = p.world.transfer(bank, pod.id, 1);
    let wrap =
        |(tenant, owner, transfer, reason): (_, _, _, Option<&str>)| Command::CancelTransfer {
            tenant,
            owner,
            transfer,
            reason: reason.map(Arc::from),
        };
    let (ghost, long) = (TransferId::new(9), "x".repeat(51));
    let longest = "x".repeat(50);
    let command = (TenantId::new(3), other, ghost, Some(&*long));
    check(&mut p.world, command, wrap)
        .row("tenant_not_found", |_, _| {})
        .row("invalid_parameters cancellationReason", |_, c| {
            c.0 = elsewhere;
        })
        .row("transfer_not_found", |_, c| c.3 = Some(&longest))
        // Another tenant's does not exist.
        .row("transfer_not_found", |_, c| c.2 = processing)
        .row("transfer_of_other", |_, c| c.0 = tenant)
        .row("transfer_not_scheduled", |_, c| c.1 = owner)
        .row("ok", |_, c| c.2 = transfer)
        .end();
}

/// Whoever comes second finds it ended: money moves once or not at all.
#[test]
fn calling_off_and_execution_do_not_both_happen() {
    // Its time has come, but nobody has done the work: calling off comes first.
    let (mut p, accounts, transfer) = scheduled();
    let due = due_of(&p, transfer);
    p.world.now = p.world.now.plus(2 * HOUR);
    assert_eq!(p.world.state.next_due(p.world.now), Some(due));
    p.cancel(transfer).expect("it is scheduled still");
    let before = p.world.log.len();
    p.world.run(&Command::RunDue(due)).expect("never refused");
    assert_eq!(p.world.log.len(), before, "work of a cancelled transfer");
    assert_eq!(p.world.status(transfer), (Status::Cancelled, None));
    assert_eq!(p.balances(accounts), [1_000, 0]);

    // The work comes first.
    let (mut p, accounts, transfer) = scheduled();
    p.world.pass(HOUR);
    assert_eq!(p.cancel(transfer), Err(Rejection::TransferNotFound));
    assert_eq!(p.world.status(transfer), (Status::Complete, None));
    assert_eq!(p.balances(accounts), [600, 400]);
    // Nor does either happen twice.
    let before = p.world.log.len();
    p.world.run(&Command::RunDue(due)).expect("never refused");
    assert_eq!(p.cancel(transfer), Err(Rejection::TransferNotFound));
    assert_eq!(p.world.log.len(), before);
}

/// Of two that want the same money at one time the older one gets it.
#[test]
fn two_of_one_time_are_executed_in_their_order() {
    let mut p = Programme::new();
    let accounts = [p.account(500), p.account(0), p.account(0)];
    let [source, first, second] = accounts;
    let orders = [p.order(source, first, 400), p.order(source, second, 400)];
    let transfers = orders.map(|order| p.schedule(order, HOUR));
    p.world.pass(HOUR);
    let poor = ErrorCode::Denied(Denial::FundsInsufficient);
    assert_eq!(p.world.status(transfers[0]), (Status::Complete, None));
    assert_eq!(p.world.status(transfers[1]), (Status::Error, Some(poor)));
    assert_eq!(p.balances(accounts), [100, 400, 0]);
}

/// The next event of a sandbox's clock is the scheduled time.
#[test]
fn the_clock_can_move_to_it() {
    let (mut p, accounts, transfer) = scheduled();
    let tenant = p.world.tenant;
    p.world
        .run(&Command::ClockToNextDue { tenant })
        .expect("it waits");
    assert_eq!(p.now(), START.plus(HOUR));
    p.world.run_due();
    assert_eq!(p.world.status(transfer), (Status::Complete, None));
    assert_eq!(p.balances(accounts), [600, 400]);
}

/// The last millisecond of the year 9999 is a time like any other; after it there is none.
#[test]
fn the_end_of_time() {
    const LAST: Millis = Millis(253_402_300_799_999);
    let mut p = Programme::new();
    let accounts = [p.account(10), p.account(0)];
    let order = |p: &Programme, at| TransferOrder {
        scheduled_at: Some(at),
        ..p.order(accounts[0], accounts[1], 1)
    };
    for beyond in [LAST.plus(1), Millis::NEVER] {
        let order = order(&p, beyond);
        assert_eq!(p.denied(order), Denial::ScheduledTimeInvalid);
    }
    let last = order(&p, LAST);
    let transfer = p.transfer(last).expect("it lies in the future");
    p.world.pass(1_000 * HOUR);
    assert_eq!(p.world.status(transfer.id), (Status::Scheduled, None));
    p.world.set_clock(TenantClock::Frozen { at: LAST });
    p.world.run_due();
    assert_eq!(p.world.status(transfer.id), (Status::Complete, None));
    assert_eq!(p.balances(accounts), [9, 1]);
}
