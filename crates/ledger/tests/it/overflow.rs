//! Sums near the ends of 64 bits: refused or failed, never wrapped, never lost.

use ledger::{Command, Entry, ErrorCode, Posting, Rejection, Side, Status, TransferId};

use crate::world::{BANK, POD, RAIL_MS, World, usd};

const MAX: i64 = i64::MAX;

#[test]
fn an_account_can_hold_the_largest_sum_and_give_it_away() {
    let mut world = World::new();
    let (rich, other) = (world.funded(POD, MAX), world.account(POD));
    let one = world.paycheck(rich, 1);
    assert_eq!(world.run(&one), Err(Rejection::BalanceOverflow));
    let transfer = world.transfer(rich, other, MAX);
    world.run_due();
    assert_eq!(world.status(transfer), (Status::Complete, None));
    assert_eq!((world.balance(rich), world.balance(other)), (0, MAX));
}

#[test]
fn the_world_owes_no_more_than_it_can_record() {
    let mut world = World::new();
    let (_, other) = (world.funded(POD, MAX), world.account(POD));
    // The world stands at -MAX; one more fits (i64::MIN), a second does not.
    world.fund(other, 1);
    assert_eq!(world.outside(), i64::MIN);
    let one = world.paycheck(other, 1);
    assert_eq!(world.run(&one), Err(Rejection::BalanceOverflow));
}

#[test]
fn a_transfer_that_would_overflow_its_destination_fails_and_moves_nothing() {
    let mut world = World::new();
    let (rich, poor) = (world.funded(POD, MAX), world.funded(POD, 1));
    let transfer = world.transfer(poor, rich, 1);
    world.run_due();
    assert_eq!(
        world.status(transfer),
        (Status::Error, Some(ErrorCode::PaymentFailed))
    );
    assert_eq!((world.balance(rich), world.balance(poor)), (MAX, 1));
}

#[test]
fn money_in_transit_that_would_overflow_stays_where_it_was() {
    let mut world = World::new();
    let (rich, poor) = (world.funded(POD, MAX), world.funded(POD, 1));
    let bank = world.account(BANK);
    let (first, second) = (
        world.transfer(rich, bank, MAX),
        world.transfer(poor, bank, 1),
    );
    world.run_due();
    assert_eq!(world.status(first), (Status::Pending, None));
    assert_eq!(
        world.status(second),
        (Status::Error, Some(ErrorCode::PaymentFailed))
    );
    assert_eq!((world.in_transit(), world.balance(poor)), (MAX, 1));
    world.pass(RAIL_MS);
    assert_eq!(world.status(first), (Status::Complete, None));
    assert_eq!(world.in_transit(), 0);
}

#[test]
fn a_pull_that_would_overflow_fails_and_moves_nothing() {
    let mut world = World::new();
    let (bank, rich) = (world.account(BANK), world.funded(POD, MAX));
    let transfer = world.transfer(bank, rich, MAX);
    world.pass(RAIL_MS);
    assert_eq!(
        world.status(transfer),
        (Status::Error, Some(ErrorCode::PaymentFailed))
    );
    assert_eq!((world.balance(rich), world.outside()), (MAX, -MAX));
}

#[test]
fn a_return_that_does_not_fit_is_refused_and_can_be_tried_again() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 10), world.account(BANK));
    let transfer = world.transfer(pod, bank, 10);
    world.run_due();
    world.fund(pod, MAX - 9);
    let code = ErrorCode::PaymentFailed;
    assert_eq!(
        world.give_back(transfer, code),
        Err(Rejection::BalanceOverflow)
    );
    assert_eq!(world.status(transfer), (Status::Pending, None));
    let some = world.withdrawal(pod, 1);
    world.run(&some).expect("there is plenty");
    world.give_back(transfer, code).expect("now it fits");
    assert_eq!((world.balance(pod), world.in_transit()), (MAX, 0));
}

#[test]
fn holds_reach_the_whole_balance_and_no_further() {
    let mut world = World::new();
    let pod = world.funded(POD, MAX);
    world.hold(pod, MAX, None).expect("it is all there");
    assert_eq!(world.available(pod), 0);
    assert!(world.hold(pod, 1, None).is_err());
    assert!(world.run(&world.withdrawal(pod, MAX)).is_err());
}

#[test]
fn the_sums_of_a_posting_are_wider_than_its_entries() {
    let mut world = World::new();
    let pods: Vec<_> = (0..4).map(|_| world.account(POD)).collect();
    let entry = |index: usize, side, minor| Entry {
        account: pods[index],
        sequence: 1,
        side,
        amount: usd(minor),
        balance_after: 0,
    };
    let debits = [entry(0, Side::Debit, MAX), entry(1, Side::Debit, MAX)];
    let credits = [entry(2, Side::Credit, MAX), entry(3, Side::Credit, MAX)];
    let all = debits.iter().chain(&credits).copied().collect();
    assert!(Posting::new(all).is_ok());
    // Wrapped to 64 bits these two sides would look equal.
    let wrapped = vec![debits[0], debits[1], entry(2, Side::Credit, 1)];
    assert!(Posting::new(wrapped).is_err());
}

#[test]
fn a_movement_that_overflows_is_none() {
    let mut world = World::new();
    let (rich, other) = (world.funded(POD, MAX), world.funded(POD, 1));
    let movement = |from, to| Posting::movement(usd(1), world.get(from), world.get(to));
    assert!(movement(other, rich).is_none());
    assert!(movement(rich, other).is_some());
    let mut old = world.get(other).clone();
    old.entries = u64::MAX;
    assert!(Posting::movement(usd(1), world.get(rich), &old).is_none());
}

#[test]
fn a_command_near_the_end_of_time_does_not_panic() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 10), world.account(BANK));
    world.set_clock(ledger::TenantClock::Running { offset_ms: MAX });
    let transfer = world.transfer(pod, bank, 10);
    world.run_due();
    let (status, _) = world.status(transfer);
    assert!(matches!(status, Status::Pending | Status::Complete));
    let tenant = world.tenant;
    let transfer = TransferId::new(u64::MAX);
    let code = ErrorCode::PaymentFailed;
    assert_eq!(
        world.run(&Command::ReturnTransfer {
            tenant,
            transfer,
            code
        }),
        Err(Rejection::TransferNotFound)
    );
}
