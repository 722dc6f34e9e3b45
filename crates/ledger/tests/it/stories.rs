//! What becomes of money, step by step.

use ledger::{
    AccountState, Command, CreateTransfer, Currency, Due, Effect, ErrorCode, Millis, Rejection,
    Reply, Status, TenantClock, TenantMode, TransferId, Work, decide,
};

use crate::world::{BANK, INCOME, LOAN, POD, RAIL_MS, START, World, usd};

const DAY: i64 = 86_400_000;

fn complete() -> (Status, Option<ErrorCode>) {
    (Status::Complete, None)
}

#[test]
fn an_internal_transfer_settles_at_once() {
    let mut world = World::new();
    let (pay, pod) = (world.funded(INCOME, 100), world.account(POD));
    let transfer = world.transfer(pay, pod, 30);
    assert_eq!((world.balance(pay), world.balance(pod)), (100, 0));
    world.run_due();
    assert_eq!(world.status(transfer), complete());
    assert_eq!(world.seen(transfer).completed_at, Some(START));
    assert_eq!((world.balance(pay), world.balance(pod)), (70, 30));
    assert_eq!(world.in_transit(), 0);
    assert!(
        world.state.open_transfer(transfer).is_none(),
        "memory keeps open transfers only"
    );
}

#[test]
fn all_of_the_money_can_go_but_not_one_cent_more() {
    for (asked, expected) in [
        (100, complete()),
        (
            101,
            (Status::Incomplete, Some(ErrorCode::InsufficientFunds)),
        ),
    ] {
        let mut world = World::new();
        let (pay, pod) = (world.funded(INCOME, 100), world.account(POD));
        let transfer = world.transfer(pay, pod, asked);
        world.run_due();
        assert_eq!(world.status(transfer), expected);
        let moved = if expected == complete() { asked } else { 0 };
        assert_eq!(world.balance(pay), 100 - moved);
        assert_eq!(world.balance(pod), moved);
        assert!(world.due().is_empty());
    }
}

#[test]
fn a_transfer_of_a_sandbox_ends_in_the_error_that_was_asked_for() {
    for (code, status) in [
        (ErrorCode::InsufficientFunds, Status::Incomplete),
        (ErrorCode::PaymentFailed, Status::Error),
    ] {
        let mut world = World::new();
        let (pay, pod) = (world.funded(INCOME, 100), world.account(POD));
        let create = CreateTransfer {
            fails_with: Some(code),
            ..world.transfer_of(pay, pod, 30)
        };
        let Ok(Reply::Transfer { transfer, .. }) = world.run(&Command::CreateTransfer(create))
        else {
            panic!("no transfer");
        };
        // The caller sees what every caller sees; it has ended when it is looked at.
        assert_eq!(transfer.status, Status::Processing);
        assert_eq!(world.status(transfer.id), (status, Some(code)));
        assert_eq!(world.seen(transfer.id).completed_at, None);
        assert_eq!((world.balance(pay), world.balance(pod)), (100, 0));
        assert!(world.due().is_empty());
        assert!(world.state.open_transfer(transfer.id).is_none());
    }
}

#[test]
fn two_transfers_of_the_same_money_do_not_both_settle() {
    let mut world = World::new();
    let (pay, pod) = (world.funded(INCOME, 100), world.account(POD));
    let (first, second) = (world.transfer(pay, pod, 100), world.transfer(pay, pod, 100));
    world.run_due();
    assert_eq!(world.status(first), complete());
    assert_eq!(
        world.status(second),
        (Status::Incomplete, Some(ErrorCode::InsufficientFunds))
    );
    assert_eq!((world.balance(pay), world.balance(pod)), (0, 100));
}

#[test]
fn money_to_an_external_account_is_in_transit_until_the_rail_settles() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let transfer = world.transfer(pod, bank, 60);
    world.run_due();
    assert_eq!(world.status(transfer), (Status::Pending, None));
    assert_eq!((world.balance(pod), world.in_transit()), (40, 60));
    world.pass(RAIL_MS - 1);
    assert_eq!(world.status(transfer), (Status::Pending, None));
    world.pass(1);
    assert_eq!(world.status(transfer), complete());
    assert_eq!((world.balance(pod), world.in_transit()), (40, 0));
    assert_eq!(world.outside(), -40, "60 of the 100 went out again");
    assert_eq!(world.balance(bank), 0, "its money is not ours to hold");
}

#[test]
fn a_return_puts_the_money_back_with_its_reason() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let transfer = world.transfer(pod, bank, 60);
    world.run_due();
    let code = ErrorCode::NameMismatch;
    let Ok(Reply::Transfer { transfer: told, .. }) = world.give_back(transfer, code) else {
        panic!("a pending transfer can be returned");
    };
    assert_eq!((told.status, told.error), (Status::Error, Some(code)));
    assert_eq!(world.status(transfer), (Status::Error, Some(code)));
    assert_eq!((world.balance(pod), world.in_transit()), (100, 0));
    assert!(world.due().is_empty(), "its settlement is called off");
    world.pass(RAIL_MS);
    assert_eq!(world.status(transfer), (Status::Error, Some(code)));
    assert_eq!(
        world.give_back(transfer, code),
        Err(Rejection::TransferNotFound)
    );
    assert_eq!(world.balance(pod), 100, "once only");
}

#[test]
fn a_return_for_want_of_money_leaves_the_transfer_incomplete() {
    let mut world = World::new();
    let (bank, pod) = (world.account(BANK), world.account(POD));
    let transfer = world.transfer(bank, pod, 60);
    world.run_due();
    let code = ErrorCode::InsufficientFunds;
    world.give_back(transfer, code).expect("it is pending");
    assert_eq!(world.status(transfer), (Status::Incomplete, Some(code)));
    assert_eq!((world.balance(pod), world.outside()), (0, 0));
}

#[test]
fn money_returned_to_a_blocked_account_is_not_lost() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let transfer = world.transfer(pod, bank, 100);
    world.run_due();
    world
        .set_state(pod, AccountState::Blocked)
        .expect("it is active");
    world
        .give_back(transfer, ErrorCode::PaymentFailed)
        .expect("it is pending");
    assert_eq!((world.balance(pod), world.in_transit()), (100, 0));
}

#[test]
fn a_pull_from_an_external_account_arrives_when_the_rail_settles() {
    let mut world = World::new();
    let (bank, pod) = (world.account(BANK), world.account(POD));
    let transfer = world.transfer(bank, pod, 60);
    world.run_due();
    assert_eq!(world.status(transfer), (Status::Pending, None));
    assert_eq!((world.balance(pod), world.in_transit()), (0, 0));
    world.pass(RAIL_MS);
    assert_eq!(world.status(transfer), complete());
    assert_eq!((world.balance(pod), world.outside()), (60, -60));
}

#[test]
fn between_two_external_accounts_no_money_of_ours_moves() {
    let mut world = World::new();
    let (bank, loan) = (world.account(BANK), world.account(LOAN));
    let transfer = world.transfer(bank, loan, 60);
    world.run_due();
    assert_eq!(world.status(transfer), (Status::Pending, None));
    world.pass(RAIL_MS);
    assert_eq!(world.status(transfer), complete());
    assert_eq!(world.posted, []);
    assert_eq!(world.outside(), 0);
}

#[test]
fn a_rail_without_delay_settles_in_the_same_instant() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    for rail_delay_ms in [0, -5, i64::MIN] {
        let create = CreateTransfer {
            rail_delay_ms,
            ..world.transfer_of(pod, bank, 10)
        };
        let Ok(Reply::Transfer { transfer, .. }) = world.run(&Command::CreateTransfer(create))
        else {
            panic!("nothing is wrong with it");
        };
        world.run_due();
        assert_eq!(world.status(transfer.id), complete());
        assert_eq!(world.seen(transfer.id).completed_at, Some(START));
    }
    assert_eq!((world.balance(pod), world.outside()), (70, -70));
}

#[test]
fn a_rail_that_takes_for_ever_never_settles_but_can_return() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let create = CreateTransfer {
        rail_delay_ms: i64::MAX,
        ..world.transfer_of(pod, bank, 10)
    };
    let Ok(Reply::Transfer { transfer, .. }) = world.run(&Command::CreateTransfer(create)) else {
        panic!("nothing is wrong with it");
    };
    world.pass(1000 * 365 * DAY);
    assert_eq!(world.status(transfer.id), (Status::Pending, None));
    assert_eq!(world.due()[0].at, Millis::NEVER);
    world
        .give_back(transfer.id, ErrorCode::PaymentFailed)
        .expect("it is pending");
    assert_eq!((world.balance(pod), world.due().len()), (100, 0));
}

#[test]
fn a_hold_makes_money_unavailable_until_it_is_released() {
    let mut world = World::new();
    let (pod, other) = (world.funded(POD, 100), world.account(POD));
    let hold = world.hold(pod, 70, None).expect("there is enough");
    assert_eq!((world.balance(pod), world.available(pod)), (100, 30));
    assert_eq!(
        world.hold(pod, 31, None),
        Err(Rejection::InsufficientFunds {
            account: pod,
            available: 30,
            requested: 31
        })
    );
    let transfer = world.transfer(pod, other, 31);
    world.run_due();
    assert_eq!(
        world.status(transfer),
        (Status::Incomplete, Some(ErrorCode::InsufficientFunds))
    );
    let tenant = world.tenant;
    world
        .run(&Command::ReleaseHold {
            tenant,
            hold: hold.id,
        })
        .expect("it lasts");
    assert_eq!(world.available(pod), 100);
    let transfer = world.transfer(pod, other, 100);
    world.run_due();
    assert_eq!(world.status(transfer), complete());
}

#[test]
fn a_hold_expires_at_its_time() {
    let mut world = World::new();
    let pod = world.funded(POD, 100);
    let hold = world
        .hold(pod, 70, Some(START.plus(DAY)))
        .expect("there is enough");
    world.pass(DAY - 1);
    assert_eq!(world.available(pod), 30);
    world.pass(1);
    assert_eq!(world.available(pod), 100);
    assert!(world.state.hold(hold.id).is_none());
    assert!(world.due().is_empty());
}

#[test]
fn a_hold_released_early_does_not_expire_later() {
    let mut world = World::new();
    let pod = world.funded(POD, 100);
    let hold = world
        .hold(pod, 70, Some(START.plus(DAY)))
        .expect("there is enough");
    let due = world.due()[0];
    let tenant = world.tenant;
    world
        .run(&Command::ReleaseHold {
            tenant,
            hold: hold.id,
        })
        .expect("it lasts");
    assert!(world.due().is_empty());
    let before = world.log.len();
    world.now = START.plus(2 * DAY);
    world
        .run(&Command::RunDue(due))
        .expect("due work is never refused");
    assert_eq!(
        world.log.len(),
        before,
        "work that no longer waits is nothing"
    );
}

/// Creates a transfer, lets `state` befall one end, and settles.
fn ends_with(to_source: bool, external: bool, state: AccountState) -> (Status, Option<ErrorCode>) {
    let mut world = World::new();
    let source = world.funded(POD, 50);
    let destination = world.account(if external { BANK } else { POD });
    let transfer = world.transfer(source, destination, 50);
    let struck = if to_source { source } else { destination };
    world.set_state(struck, state).expect("it is active");
    world.pass(RAIL_MS);
    assert_eq!(world.balance(source), 50, "nothing moved");
    assert_eq!(world.balance(destination), 0, "nothing moved");
    assert_eq!(world.in_transit(), 0);
    world.status(transfer)
}

#[test]
fn an_account_blocked_between_creation_and_settlement_fails_the_transfer() {
    let failed = (Status::Error, Some(ErrorCode::PaymentNotSupported));
    for to_source in [true, false] {
        for external in [true, false] {
            let ended = ends_with(to_source, external, AccountState::Blocked);
            assert_eq!(ended, failed, "source {to_source}, external {external}");
        }
    }
}

#[test]
fn a_pull_into_an_account_blocked_on_the_way_fails_and_moves_nothing() {
    let mut world = World::new();
    let (bank, pod) = (world.account(BANK), world.account(POD));
    let transfer = world.transfer(bank, pod, 60);
    world.run_due();
    world
        .set_state(pod, AccountState::Blocked)
        .expect("it is active");
    world.pass(RAIL_MS);
    assert_eq!(
        world.status(transfer),
        (Status::Error, Some(ErrorCode::PaymentNotSupported))
    );
    assert_eq!((world.balance(pod), world.outside()), (0, 0));
}

#[test]
fn an_account_with_an_open_transfer_cannot_be_closed() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 50), world.account(BANK));
    let transfer = world.transfer(pod, bank, 50);
    world.run_due();
    for account in [pod, bank] {
        assert_eq!(
            world.set_state(account, AccountState::Destroyed),
            Err(Rejection::AccountInUse)
        );
    }
    world.pass(RAIL_MS);
    assert_eq!(world.status(transfer), complete());
    for account in [pod, bank] {
        assert!(world.set_state(account, AccountState::Destroyed).is_ok());
    }
}

#[test]
fn due_work_done_twice_is_done_once() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let transfer = world.transfer(pod, bank, 10);
    let submit = world.due()[0];
    for _ in 0..2 {
        world
            .run(&Command::RunDue(submit))
            .expect("due work is never refused");
    }
    assert_eq!(world.in_transit(), 10);
    world.now = world.now.plus(RAIL_MS);
    let arrive = world.due()[0];
    for due in [arrive, arrive, submit] {
        world
            .run(&Command::RunDue(due))
            .expect("due work is never refused");
    }
    assert_eq!(world.status(transfer), complete());
    assert_eq!((world.balance(pod), world.outside()), (90, -90));
}

#[test]
fn due_work_nobody_added_changes_nothing() {
    let mut world = World::new();
    let due = Due {
        tenant: world.tenant,
        at: START,
        work: Work::Settle(TransferId::new(5)),
    };
    let before = world.log.len();
    let reply = world.run(&Command::RunDue(due));
    assert_eq!(reply, Ok(Reply::Done));
    assert_eq!(world.log.len(), before);
}

#[test]
fn a_sandbox_does_late_work_at_the_time_it_was_due() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let transfer = world.transfer(pod, bank, 10);
    world.pass(DAY);
    assert_eq!(
        world.seen(transfer).completed_at,
        Some(START.plus(RAIL_MS)),
        "as if somebody had been there"
    );
    assert_eq!(
        world.posted[1..],
        [(transfer, START), (transfer, START.plus(RAIL_MS)),]
    );
}

#[test]
fn a_live_tenant_does_late_work_when_it_is_done() {
    let mut world = World::of_mode(TenantMode::Live);
    let (pod, other) = (world.account(POD), world.account(POD));
    let transfer = world.transfer(pod, other, 10);
    world.pass(DAY);
    assert_eq!(
        world.status(transfer),
        (Status::Incomplete, Some(ErrorCode::InsufficientFunds))
    );
    assert_eq!(
        world.seen(transfer).updated_at,
        START.plus(DAY),
        "a live tenant's time is the machine's"
    );
}

#[test]
fn a_live_tenant_has_no_simulated_rail() {
    let mut world = World::of_mode(TenantMode::Live);
    let (pod, bank, loan) = (world.account(POD), world.account(BANK), world.account(LOAN));
    for (from, to) in [(bank, pod), (bank, loan), (pod, bank)] {
        let transfer = world.transfer(from, to, 10);
        world.run_due();
        assert_eq!(
            world.status(transfer),
            (Status::Error, Some(ErrorCode::PaymentNotSupported)),
            "money of nobody would come from nowhere"
        );
    }
    assert_eq!(world.balance(pod), 0);
}

#[test]
fn a_clock_that_jumps_runs_work_in_the_order_of_its_time() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    // Due at +5 s, +3 s and +4 s, made in another order.
    let slow = world.transfer(pod, bank, 10);
    world.run_due();
    let hold = world
        .hold(pod, 90, Some(START.plus(3_000)))
        .expect("there is enough");
    let create = CreateTransfer {
        rail_delay_ms: 4_000,
        ..world.transfer_of(bank, pod, 7)
    };
    let Ok(Reply::Transfer { transfer: pull, .. }) = world.run(&Command::CreateTransfer(create))
    else {
        panic!("nothing is wrong with it");
    };
    world.run_due();
    let begun = world.log.len();
    world.set_clock(TenantClock::Frozen {
        at: START.plus(365 * DAY),
    });
    world.run_due();
    let done: Vec<Effect> = world.log[begun..]
        .iter()
        .filter(|effect| {
            matches!(
                effect,
                Effect::HoldReleased(_) | Effect::TransferMoved { .. }
            )
        })
        .cloned()
        .collect();
    let moved = |transfer, delta| Effect::TransferMoved {
        transfer,
        from: Status::Pending,
        to: Status::Complete,
        error: None,
        fee_minor: 0,
        cancel_reason: None,
        at: START.plus(delta),
    };
    assert_eq!(
        done,
        [
            Effect::HoldReleased(hold.id),
            moved(pull.id, 4_000),
            moved(slow, RAIL_MS),
        ]
    );
}

#[test]
fn work_that_work_makes_is_done_in_order_too() {
    // At the jump both transfers wait for submission; each then waits for its rail.
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    world.set_clock(TenantClock::Frozen { at: START });
    let first = world.transfer(pod, bank, 10);
    let second = world.transfer(pod, bank, 20);
    world.set_clock(TenantClock::Frozen {
        at: START.plus(DAY),
    });
    world.run_due();
    let arrived = START.plus(RAIL_MS);
    assert_eq!(
        world.posted[1..],
        [
            (first, START),
            (second, START),
            (first, arrived),
            (second, arrived),
        ]
    );
}

#[test]
fn a_frozen_clock_does_nothing_until_it_moves() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    world.set_clock(TenantClock::Frozen { at: START });
    let transfer = world.transfer(pod, bank, 10);
    world.pass(365 * DAY);
    assert_eq!(world.status(transfer), (Status::Pending, None));
    assert_eq!(world.state.next_due_at(), Millis::NEVER);
    world.set_clock(TenantClock::Frozen {
        at: START.plus(RAIL_MS),
    });
    world.run_due();
    assert_eq!(world.status(transfer), complete());
}

#[test]
fn a_running_clock_with_an_offset_wakes_at_the_right_machine_time() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    world.set_clock(TenantClock::Running { offset_ms: DAY });
    let transfer = world.transfer(pod, bank, 10);
    world.run_due();
    assert_eq!(world.seen(transfer).created_at, START.plus(DAY));
    assert_eq!(world.state.next_due_at(), START.plus(RAIL_MS));
    world.pass(RAIL_MS);
    assert_eq!(
        world.seen(transfer).completed_at,
        Some(START.plus(DAY + RAIL_MS))
    );
}

#[test]
fn a_clock_is_frozen_and_moved_from_where_it_stands_when_it_is_decided() {
    let mut world = World::new();
    let tenant = world.tenant;
    let clock = |world: &World| world.state.tenant(tenant).expect("it exists").clock;
    let move_clock = |world: &mut World, advance_ms, frozen| {
        let command = Command::MoveClock {
            tenant,
            advance_ms,
            frozen,
        };
        world.run(&command).expect("forward");
    };
    world.pass(5);
    move_clock(&mut world, 0, Some(true));
    let at = START.plus(5);
    assert_eq!(clock(&world), TenantClock::Frozen { at });
    world.pass(100);
    move_clock(&mut world, DAY, None);
    let at = at.plus(DAY);
    assert_eq!(clock(&world), TenantClock::Frozen { at }, "it stays frozen");
    move_clock(&mut world, 0, Some(false));
    let offset_ms = DAY - 100;
    assert_eq!(clock(&world), TenantClock::Running { offset_ms });
}

#[test]
fn a_clock_is_moved_from_event_to_event() {
    let mut world = World::new();
    let (pod, bank, tenant) = (world.funded(POD, 100), world.account(BANK), world.tenant);
    world.set_clock(TenantClock::Frozen { at: START });
    let transfer = world.transfer(pod, bank, 10);
    let end = START.plus(DAY);
    world.hold(pod, 20, Some(end)).expect("there is enough");
    let mut seen = Vec::new();
    while world.run(&Command::ClockToNextDue { tenant }).is_ok() {
        world.run_due();
        let clock = world.state.tenant(tenant).expect("it exists").clock;
        let available = world.state.account(pod).expect("it exists").available();
        seen.push((clock.now(START), world.status(transfer).0, available));
    }
    let arrival = START.plus(RAIL_MS);
    let expected = [
        (START, Status::Pending, 70),
        (arrival, Status::Complete, 70),
        (end, Status::Complete, 90),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn another_tenants_clock_moves_nothing_here() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let transfer = world.transfer(pod, bank, 10);
    world.run_due();
    let tenant = world.new_tenant(TenantMode::Sandbox).id;
    let clock = TenantClock::Frozen {
        at: START.plus(365 * DAY),
    };
    world
        .run(&Command::SetClock { tenant, clock })
        .expect("forward");
    world.run_due();
    assert_eq!(world.status(transfer), (Status::Pending, None));
}

#[test]
fn each_currency_has_its_own_money() {
    let mut world = World::new();
    let euros = world.open(world.opening(POD, Currency::EUR));
    let dollars = world.funded(POD, 100);
    let create = world.transfer_of(dollars, euros, 10);
    assert_eq!(
        world.run(&Command::CreateTransfer(create)),
        Err(Rejection::CurrencyMismatch)
    );
    assert_eq!(world.balance(euros), 0);
}

#[test]
fn the_same_input_gives_the_same_decision() {
    let mut world = World::new();
    let (pod, bank) = (world.funded(POD, 100), world.account(BANK));
    let command = Command::CreateTransfer(CreateTransfer {
        amount: usd(5),
        ..world.transfer_of(pod, bank, 10)
    });
    let again = || {
        let mut ids = world.ids.clone();
        let mut context = ledger::Context {
            now: world.now,
            ids: &mut ids,
        };
        decide(&world.state, &command, &mut context)
    };
    assert_eq!(again(), again());
}
