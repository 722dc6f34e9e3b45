//! `State::apply` refuses every effect that does not fit: the second check of what `decide` made.

use ledger::{
    Account, AccountId, AccountState, Due, Effect, Entry, ErrorCode, Hold, HoldId, Millis, Owner,
    OwnerId, OwnerKind, Posting, Rail, Side, State, Status, SystemKind, Tenant, TenantClock,
    TenantId, TenantMode, Transfer, TransferId, Work,
};

use crate::world::{BANK, EUR, POD, START, World, eur, usd};

/// A world with a pod of 100, of which 40 are held, an empty pod, and an open transfer.
struct Stage {
    world: World,
    pod: AccountId,
    empty: AccountId,
    transfer: TransferId,
    hold: Hold,
}

fn stage() -> Stage {
    let mut world = World::new();
    let pod = world.funded(POD, 100);
    let empty = world.account(POD);
    let transfer = world.transfer(pod, empty, 10);
    let hold = world.hold(pod, 40, None).expect("there is enough");
    Stage {
        world,
        pod,
        empty,
        transfer,
        hold,
    }
}

/// Applies a copy of the stage's state to `effect` and expects the complaint to contain `part`.
fn check(stage: &Stage, effect: &Effect, part: &str) {
    let mut state: State = stage.world.state.clone();
    let complaint = match state.apply(effect) {
        Ok(()) => panic!("accepted, but expected {part:?}: {effect:?}"),
        Err(inconsistency) => inconsistency.to_string(),
    };
    assert!(complaint.contains(part), "{complaint:?} lacks {part:?}");
}

fn fits(stage: &Stage, effect: &Effect) {
    let mut state: State = stage.world.state.clone();
    state.apply(effect).expect("this one fits");
}

fn posted(stage: &Stage, entries: Vec<Entry>) -> Effect {
    Effect::Posted {
        transfer: stage.transfer,
        at: START,
        posting: Posting::new(entries).expect("on balance"),
    }
}

fn entry(account: AccountId, sequence: u64, side: Side, minor: i64, after: i64) -> Entry {
    Entry {
        account,
        sequence,
        side,
        amount: usd(minor),
        balance_after: after,
    }
}

#[test]
fn a_posting_off_balance_cannot_be_built() {
    let (a, b) = (AccountId::new(1), AccountId::new(2));
    let one = entry(a, 1, Side::Debit, 5, -5);
    for (entries, what) in [
        (vec![], "nothing"),
        (vec![one], "one side"),
        (vec![one, entry(b, 1, Side::Credit, 4, 4)], "too little"),
        (vec![one, entry(b, 1, Side::Credit, 6, 6)], "too much"),
        (vec![one, entry(b, 1, Side::Debit, 5, -5)], "the same side"),
        (
            vec![
                one,
                Entry {
                    amount: eur(5),
                    ..entry(b, 1, Side::Credit, 5, 5)
                },
            ],
            "another currency",
        ),
    ] {
        assert!(Posting::new(entries).is_err(), "{what}");
    }
}

#[test]
fn postings() {
    let stage = stage();
    let (pod, empty) = (stage.pod, stage.empty);
    let debit = |sequence, minor, after| entry(pod, sequence, Side::Debit, minor, after);
    let credit = |sequence, minor, after| entry(empty, sequence, Side::Credit, minor, after);
    let refused = |entries, part| check(&stage, &posted(&stage, entries), part);

    fits(
        &stage,
        &posted(&stage, vec![debit(2, 60, 40), credit(1, 60, 60)]),
    );
    refused(
        vec![debit(1, 60, 40), credit(1, 60, 60)],
        "the next is numbered",
    );
    refused(
        vec![debit(3, 60, 40), credit(1, 60, 60)],
        "the next is numbered",
    );
    refused(
        vec![debit(2, 60, 40), credit(0, 60, 60)],
        "the next is numbered",
    );
    refused(vec![debit(2, 60, 41), credit(1, 60, 60)], "would have 40");
    refused(vec![debit(2, 60, 40), credit(1, 60, -60)], "would have 60");
    // 100 on it and 40 of them held: 61 are too many.
    refused(vec![debit(2, 61, 39), credit(1, 61, 61)], "its floor is 0");
    let ghost = entry(AccountId::new(9), 1, Side::Credit, 60, 60);
    refused(vec![debit(2, 60, 40), ghost], "account 9 is unknown");
    // The same account twice needs two numbers.
    refused(
        vec![debit(2, 5, 95), entry(pod, 2, Side::Credit, 5, 100)],
        "the next is numbered",
    );
}

#[test]
fn a_posting_in_another_currency_than_its_accounts() {
    let mut stage = stage();
    let euros = stage.world.open(stage.world.opening(POD, EUR));
    let (pod, tenant) = (stage.pod, stage.world.tenant);
    assert_eq!(stage.world.get(pod).tenant, tenant);
    let entries = vec![
        Entry {
            amount: eur(5),
            ..entry(pod, 2, Side::Debit, 5, 95)
        },
        Entry {
            amount: eur(5),
            ..entry(euros, 1, Side::Credit, 5, 5)
        },
    ];
    check(&stage, &posted(&stage, entries), "is not in EUR");
}

#[test]
fn a_balance_after_beyond_64_bits() {
    let mut stage = stage();
    // The world owes each owner separately, so that this sum fits beside the first.
    stage.world.owner = stage.world.new_owner(stage.world.tenant).id;
    let full = stage.world.funded(POD, i64::MAX);
    let entries = vec![
        entry(stage.pod, 2, Side::Debit, 1, 99),
        entry(full, 2, Side::Credit, 1, i64::MIN),
    ];
    check(
        &stage,
        &posted(&stage, entries),
        "would have 9223372036854775808",
    );
}

#[test]
fn tenants_owners_and_clocks() {
    let stage = stage();
    let tenant = stage
        .world
        .state
        .tenant(stage.world.tenant)
        .expect("it was made")
        .clone();
    check(&stage, &Effect::TenantCreated(tenant), "made twice");
    let owner = stage
        .world
        .state
        .owner(stage.world.owner)
        .expect("it was made")
        .clone();
    check(&stage, &Effect::OwnerCreated(owner.clone()), "made twice");
    let orphan = Owner {
        id: OwnerId::new(8),
        tenant: TenantId::new(9),
        kind: OwnerKind::Consumer,
        ..owner
    };
    check(&stage, &Effect::OwnerCreated(orphan), "lacks a tenant");
    let clock = Effect::ClockSet {
        tenant: TenantId::new(9),
        clock: TenantClock::MACHINE,
    };
    check(&stage, &clock, "tenant 9 is unknown");
}

#[test]
fn accounts() {
    let stage = stage();
    let known = stage.world.get(stage.empty).clone();
    let fresh = Account {
        id: AccountId::new(9),
        ..known.clone()
    };
    let opened = |account: Account| Effect::AccountOpened(account);
    fits(&stage, &opened(fresh.clone()));
    check(&stage, &opened(known), "was opened twice");
    let with = |change: &dyn Fn(&mut Account)| {
        let mut account = fresh.clone();
        change(&mut account);
        opened(account)
    };
    check(&stage, &with(&|a| a.balance = 1), "opens with money");
    check(&stage, &with(&|a| a.held = 1), "opens with a hold");
    check(&stage, &with(&|a| a.entries = 1), "opens with entries");
    check(
        &stage,
        &with(&|a| a.owner = OwnerId::new(9)),
        "lacks an owner",
    );
    let world = ledger::AccountKind::System(SystemKind::World);
    check(&stage, &with(&|a| a.kind = world), "twice");
    let transit = ledger::AccountKind::System(SystemKind::InTransit(Rail::Simulated));
    fits(&stage, &with(&|a| a.kind = transit));

    let set = |account, state| Effect::AccountStateSet {
        account,
        state,
        reason: None,
        at: START,
    };
    let ghost = set(AccountId::new(9), AccountState::Blocked);
    check(&stage, &ghost, "account 9 is unknown");
    let mut stage = stage;
    stage
        .world
        .state
        .apply(&set(stage.empty, AccountState::Destroyed))
        .expect("it is active");
    let back = set(stage.empty, AccountState::Active);
    check(&stage, &back, "changes after it was closed");
}

#[test]
fn transfers() {
    let stage = stage();
    let open: Transfer = stage
        .world
        .state
        .open_transfer(stage.transfer)
        .expect("it is processing")
        .clone();
    check(
        &stage,
        &Effect::TransferRecorded(open.clone()),
        "recorded twice",
    );
    let moved = |transfer, from, to| Effect::TransferMoved {
        transfer,
        from,
        to,
        error: None,
        fee_minor: 0,
        cancel_reason: None,
        at: START,
    };
    let (ghost, known) = (TransferId::new(9), open.id);
    use Status::{Cancelled, Complete, Pending, Processing, Rejected, Scheduled};
    fits(&stage, &moved(known, Processing, Complete));
    check(&stage, &moved(ghost, Processing, Complete), "is not open");
    check(
        &stage,
        &moved(known, Pending, Complete),
        "is Processing, not Pending",
    );
    check(
        &stage,
        &moved(known, Processing, Rejected),
        "cannot go from",
    );
    check(
        &stage,
        &moved(known, Processing, Scheduled),
        "cannot go from",
    );
    check(
        &stage,
        &moved(known, Complete, Processing),
        "cannot go from",
    );
    check(&stage, &moved(known, Cancelled, Complete), "cannot go from");
    // Once it has ended nothing moves it.
    let mut stage = stage;
    stage
        .world
        .state
        .apply(&moved(known, Processing, Complete))
        .expect("the table has it");
    check(&stage, &moved(known, Processing, Complete), "is not open");
    let mut state = stage.world.state.clone();
    let ended = Transfer {
        status: Complete,
        ..open
    };
    assert!(state.restore_open_transfer(ended).is_err());
}

#[test]
fn every_change_of_status_that_is_not_in_the_table() {
    let stage = stage();
    for from in Status::ALL {
        for to in Status::ALL {
            let listed = ledger::transfer::TRANSITIONS
                .iter()
                .any(|(a, _, b)| *a == from && *b == to);
            let effect = Effect::TransferMoved {
                transfer: stage.transfer,
                from,
                to,
                error: Some(ErrorCode::PaymentFailed),
                fee_minor: 0,
                cancel_reason: None,
                at: START,
            };
            if listed && from == Status::Processing {
                fits(&stage, &effect);
            } else {
                let part = if listed { "is Processing" } else { "cannot go" };
                check(&stage, &effect, part);
            }
        }
    }
}

#[test]
fn holds() {
    let stage = stage();
    let hold = stage.hold;
    check(
        &stage,
        &Effect::HoldPlaced(Hold {
            amount: usd(1),
            ..hold
        }),
        "was placed twice",
    );
    let second = Hold {
        id: HoldId::new(9),
        amount: usd(60),
        ..hold
    };
    let placed = |hold| Effect::HoldPlaced(hold);
    fits(&stage, &placed(second));
    let over = Hold {
        amount: usd(61),
        ..second
    };
    check(&stage, &placed(over), "its floor is 0");
    let wide = Hold {
        amount: usd(i64::MAX),
        ..second
    };
    check(&stage, &placed(wide), "overflow");
    let ghost = Hold {
        account: AccountId::new(9),
        ..second
    };
    check(&stage, &placed(ghost), "account 9 is unknown");
    let released = Effect::HoldReleased;
    fits(&stage, &released(hold.id));
    check(&stage, &released(HoldId::new(9)), "released but unknown");
    let mut stage = stage;
    stage
        .world
        .state
        .apply(&released(hold.id))
        .expect("it lasts");
    check(&stage, &released(hold.id), "released but unknown");
}

#[test]
fn due_work() {
    let stage = stage();
    let due = stage.world.due()[0];
    check(&stage, &Effect::DueAdded(due), "added twice");
    let later = Due {
        at: due.at.plus(1),
        ..due
    };
    fits(&stage, &Effect::DueAdded(later));
    check(&stage, &Effect::DueRemoved(later), "was not waiting");
    let stranger = Due {
        tenant: TenantId::new(9),
        ..due
    };
    check(&stage, &Effect::DueAdded(stranger), "unknown tenant 9");
    check(&stage, &Effect::DueRemoved(stranger), "was not waiting");
    let other = Due {
        work: Work::ExpireHold(stage.hold.id),
        ..due
    };
    check(&stage, &Effect::DueRemoved(other), "was not waiting");
}

#[test]
fn a_final_transfer_leaves_nothing_open() {
    let mut world = World::new();
    let pod = world.funded(POD, 5);
    assert_eq!(world.state.open_transfers().count(), 0);
    assert_eq!(world.balance(pod), 5);
    let bank = world.account(BANK);
    assert_eq!(world.balance(bank), 0);
}

#[test]
fn the_last_id_follows_every_effect_that_carries_one() {
    let mut state = State::default();
    let tenant = Tenant {
        id: TenantId::new(7),
        name: "a".into(),
        mode: TenantMode::Live,
        clock: TenantClock::MACHINE,
        created_at: Millis(0),
    };
    state
        .apply(&Effect::TenantCreated(tenant))
        .expect("nothing else is there");
    assert_eq!(state.last_id(), 7);
    state.observe_id(5);
    assert_eq!(state.last_id(), 7, "it never falls");
    let stage = stage();
    let known = stage.world.log.iter().filter_map(|effect| match effect {
        Effect::TenantCreated(tenant) => Some(tenant.id.raw()),
        Effect::OwnerCreated(owner) => Some(owner.id.raw()),
        Effect::AccountOpened(account) => Some(account.id.raw()),
        Effect::TransferRecorded(transfer) => Some(transfer.id.raw()),
        Effect::HoldPlaced(hold) => Some(hold.id.raw()),
        _ => None,
    });
    assert_eq!(Some(stage.world.state.last_id()), known.max());
}
