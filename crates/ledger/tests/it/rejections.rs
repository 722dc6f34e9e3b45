//! Refusals in the order of their precedence: each row repairs the fault of the row above, so
//! that the next check in line is the one that speaks.

use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    AccountId, AccountKind, AccountState, Command, CreateTransfer, Currency, ErrorCode, Millis,
    MoneyIn, MoneyOut, OpenAccount, Origin, OwnerId, PlaceHold, Rejection, StateReason, SystemKind,
    TenantClock, TenantId, TenantMode, TransferId,
};

use crate::table::{check, spoken};
use crate::world::{BANK, EUR, INCOME, LOAN, POD, RAIL_MS, START, USD, World, eur, usd};

const GHOST: AccountId = AccountId::new(1);
const OTHER_GHOST: AccountId = AccountId::new(2);
const NO_TENANT: TenantId = TenantId::new(3);

/// A tenant with an owner and a funded pod, beside the world's own.
fn neighbour(world: &mut World, mode: TenantMode) -> (TenantId, OwnerId, AccountId) {
    let (tenant, owner) = (world.tenant, world.owner);
    world.tenant = world.new_tenant(mode).id;
    world.owner = world.new_owner(world.tenant).id;
    let theirs = (world.tenant, world.owner, world.account(POD));
    (world.tenant, world.owner) = (tenant, owner);
    theirs
}

fn closed(world: &mut World, kind: AccountKind) -> AccountId {
    let account = world.account(kind);
    world
        .set_state(account, AccountState::Destroyed)
        .expect("it is empty");
    account
}

fn blocked(world: &mut World, kind: AccountKind, currency: Currency) -> AccountId {
    let account = world.open(world.opening(kind, currency));
    world
        .set_state(account, AccountState::Blocked)
        .expect("it is active");
    account
}

fn too_long() -> Option<Arc<str>> {
    Some(Arc::from("x".repeat(256)))
}

fn longest() -> Option<Arc<str>> {
    Some(Arc::from("é".repeat(255)))
}

#[test]
fn create_transfer() {
    let mut world = World::new();
    let (_, _, theirs) = neighbour(&mut world, TenantMode::Sandbox);
    let (live, _, _) = neighbour(&mut world, TenantMode::Live);
    world.funded(POD, 100); // makes the owner's world account
    let system = world
        .state
        .system_account(world.owner, SystemKind::World, USD)
        .expect("opened by the paycheck")
        .id;
    let (gone_source, gone_destination) = (closed(&mut world, POD), closed(&mut world, POD));
    let loan = blocked(&mut world, LOAN, USD);
    let source = blocked(&mut world, POD, USD);
    let destination = blocked(&mut world, POD, EUR);
    let pod = world.account(POD);
    let (mine, other) = (world.owner, world.new_owner(world.tenant).id);
    world.owner = other;
    let strange_income = world.account(INCOME);
    let strange_pod = blocked(&mut world, POD, EUR);
    world.owner = mine;

    let command = CreateTransfer {
        tenant: NO_TENANT,
        description: too_long(),
        fails_with: Some(ErrorCode::PaymentFailed),
        ..world.transfer_of(GHOST, GHOST, 10)
    };
    let tenant = world.tenant;
    check(&mut world, command, Command::CreateTransfer)
        .row("tenant_not_found", |_, _| {})
        .row("sandbox_only", |_, c| c.tenant = live)
        .row("same_account", |_, c| c.tenant = tenant)
        .row("transfer_source_not_found", |_, c| {
            c.destination = OTHER_GHOST;
        })
        .row("transfer_source_not_found", |_, c| c.source = theirs)
        .row("transfer_source_not_found", |_, c| c.source = system)
        .row("transfer_destination_not_found", |_, c| {
            c.source = gone_source;
        })
        .row("transfer_destination_not_found", |_, c| {
            c.destination = theirs;
        })
        .row("transfer_destination_not_found", |_, c| {
            c.destination = system;
        })
        .row("transfer_source_not_found", |_, c| {
            c.destination = gone_destination;
        })
        .row("transfer_destination_not_found", |_, c| c.source = loan)
        .row("source_not_allowed", |_, c| c.destination = strange_income)
        .row("destination_not_allowed", |_, c| c.source = source)
        .row("owners_differ", |_, c| c.destination = strange_pod)
        .row("source_not_active", |_, c| c.destination = destination)
        .row("destination_not_active", |w, _| {
            w.set_state(source, AccountState::Active).expect("blocked");
        })
        .row("currency_mismatch", |w, _| {
            w.set_state(destination, AccountState::Active)
                .expect("blocked");
        })
        .row("currency_mismatch", |_, c| c.amount = eur(10))
        .row("invalid_parameters description", |_, c| {
            c.amount = usd(10);
            c.destination = pod;
        })
        .row("invalid_parameters description", |_, c| {
            c.description = Some(Arc::from("bell \u{7}"));
        })
        // Whether there is enough money is asked when it settles.
        .row("ok", |_, c| c.description = longest())
        .end();
}

#[test]
fn money_in() {
    let mut world = World::new();
    let (live, _, live_pod) = neighbour(&mut world, TenantMode::Live);
    let pod = blocked(&mut world, POD, USD);
    let bank = blocked(&mut world, BANK, USD);
    let tenant = world.tenant;
    let command = MoneyIn {
        tenant: NO_TENANT,
        destination: live_pod,
        amount: eur(i64::MAX),
        origin: Origin::Paycheck,
        description: too_long(),
    };
    check(&mut world, command, Command::MoneyIn)
        .row("tenant_not_found", |_, _| {})
        .row("sandbox_only", |_, c| c.tenant = live)
        .row("transfer_destination_not_found", |_, c| c.tenant = tenant)
        .row("transfer_destination_not_found", |_, c| {
            c.destination = GHOST;
        })
        .row("destination_not_allowed", |_, c| c.destination = bank)
        .row("destination_not_active", |_, c| c.destination = pod)
        .row("invalid_parameters description", |w, _| {
            w.set_state(pod, AccountState::Active).expect("blocked");
        })
        .row("currency_mismatch", |_, c| c.description = longest())
        .row("balance_overflow", |w, c| {
            w.fund(pod, 1);
            c.amount = usd(i64::MAX);
        })
        .row("ok", |_, c| c.amount = usd(i64::MAX - 1))
        .end();
}

#[test]
fn money_out() {
    let mut world = World::new();
    let (live, _, live_pod) = neighbour(&mut world, TenantMode::Live);
    let pod = world.funded(POD, 100);
    world.hold(pod, 1, None).expect("there is more than enough");
    world.set_state(pod, AccountState::Blocked).expect("active");
    let bank = blocked(&mut world, BANK, USD);
    let tenant = world.tenant;
    let command = MoneyOut {
        tenant: NO_TENANT,
        source: live_pod,
        amount: eur(100),
        origin: Origin::ExternalPull,
        description: too_long(),
    };
    check(&mut world, command, Command::MoneyOut)
        .row("tenant_not_found", |_, _| {})
        .row("sandbox_only", |_, c| c.tenant = live)
        .row("transfer_source_not_found", |_, c| c.tenant = tenant)
        .row("transfer_source_not_found", |_, c| c.source = GHOST)
        .row("source_not_allowed", |_, c| c.source = bank)
        .row("source_not_active", |_, c| c.source = pod)
        .row("invalid_parameters description", |w, _| {
            w.set_state(pod, AccountState::Active).expect("blocked");
        })
        .row("currency_mismatch", |_, c| c.description = longest())
        // 100 on it, 1 of them held.
        .row("insufficient_funds", |_, c| c.amount = usd(100))
        .row("ok", |_, c| c.amount = usd(99))
        .end();
}

#[test]
fn return_transfer() {
    let mut world = World::new();
    let (live, _, _) = neighbour(&mut world, TenantMode::Live);
    let (near, far, _) = neighbour(&mut world, TenantMode::Sandbox);
    let (bank, pod) = (world.account(BANK), world.account(POD));
    let theirs = {
        let (tenant, owner) = (world.tenant, world.owner);
        (world.tenant, world.owner) = (near, far);
        let (from, to) = (world.account(BANK), world.account(POD));
        let transfer = world.transfer(from, to, 5);
        (world.tenant, world.owner) = (tenant, owner);
        transfer
    };
    let ended = world.transfer(bank, pod, 5);
    world.pass(RAIL_MS);
    let open = world.transfer(bank, pod, 5);
    let tenant = world.tenant;
    let wrap = |(tenant, transfer)| Command::ReturnTransfer {
        tenant,
        transfer,
        code: ErrorCode::NameMismatch,
    };
    check(&mut world, (NO_TENANT, theirs), wrap)
        .row("tenant_not_found", |_, _| {})
        .row("sandbox_only", |_, c| c.0 = live)
        .row("transfer_not_found", |_, c| c.0 = tenant)
        .row("transfer_not_found", |_, c| c.1 = TransferId::new(9))
        .row("transfer_not_found", |_, c| c.1 = ended)
        .row("transfer_not_pending", |_, c| c.1 = open)
        .row("ok", |w, _| w.run_due())
        .end();
}

#[test]
fn place_hold() {
    let mut world = World::new();
    let (_, _, theirs) = neighbour(&mut world, TenantMode::Sandbox);
    let pod = world.funded(POD, 100);
    world.set_state(pod, AccountState::Blocked).expect("active");
    let bank = blocked(&mut world, BANK, USD);
    let tenant = world.tenant;
    let command = PlaceHold {
        tenant: NO_TENANT,
        account: GHOST,
        amount: eur(101),
        expires_at: Some(START),
    };
    check(&mut world, command, Command::PlaceHold)
        .row("tenant_not_found", |_, _| {})
        .row("account_not_found", |_, c| c.tenant = tenant)
        .row("account_not_found", |_, c| c.account = theirs)
        .row("source_not_allowed", |_, c| c.account = bank)
        .row("source_not_active", |_, c| c.account = pod)
        .row("currency_mismatch", |w, _| {
            w.set_state(pod, AccountState::Active).expect("blocked");
        })
        .row("invalid_parameters expires_at", |_, c| c.amount = usd(101))
        .row("insufficient_funds", |_, c| {
            c.expires_at = Some(START.plus(1));
        })
        .row("ok", |_, c| c.amount = usd(100))
        .end();
}

#[test]
fn open_account() {
    let mut world = World::new();
    let (_, their_owner, _) = neighbour(&mut world, TenantMode::Sandbox);
    let text = |text: &str| Some(Arc::from(text));
    let (tenant, owner) = (world.tenant, world.owner);
    let command = OpenAccount {
        tenant: NO_TENANT,
        owner: OwnerId::new(7),
        kind: AccountKind::System(SystemKind::World),
        name: Arc::from(""),
        description: too_long(),
        institution: text(" "),
        number_last_four: text("12345"),
        routing_last_four: text("12a4"),
        currency: USD,
        can_be_source: Some(true),
        can_be_destination: None,
        reported: Reported {
            balance: Some(5),
            ..Reported::default()
        },
    };
    check(&mut world, command, Command::OpenAccount)
        .row("tenant_not_found", |_, _| {})
        .row("owner_not_found", |_, c| c.tenant = tenant)
        .row("owner_not_found", |_, c| c.owner = their_owner)
        .row("invalid_parameters type", |_, c| c.owner = owner)
        .row("invalid_parameters name", |_, c| c.kind = POD)
        .row("invalid_parameters name", |_, c| c.name = Arc::from("  "))
        .row("invalid_parameters name", |_, c| {
            c.name = Arc::from("a\nb");
        })
        .row("invalid_parameters name", |_, c| {
            c.name = Arc::from("é".repeat(101));
        })
        .row("invalid_parameters description", |_, c| {
            c.name = Arc::from("é".repeat(100));
        })
        .row("invalid_parameters institution_name", |_, c| {
            c.description = longest();
        })
        .row("invalid_parameters account_number_last_four", |_, c| {
            c.institution = text("First Bank");
        })
        .row("invalid_parameters account_number_last_four", |_, c| {
            c.number_last_four = text("١٢"); // four bytes, no ASCII digit
        })
        .row("invalid_parameters routing_number_last_four", |_, c| {
            c.number_last_four = text("0000");
        })
        .row("invalid_parameters reported", |_, c| {
            c.routing_last_four = text("9999");
        })
        .row("invalid_parameters can_be_source", |_, c| c.kind = LOAN)
        .row("ok", |_, c| c.can_be_source = None)
        .end();
}

#[test]
fn delete_account() {
    let mut world = World::new();
    let (_, _, theirs) = neighbour(&mut world, TenantMode::Sandbox);
    let gone = closed(&mut world, POD);
    let pod = world.funded(POD, 100);
    let bank = world.account(BANK);
    let open = world.transfer(bank, pod, 1);
    let tenant = world.tenant;
    let wrap = |(tenant, account)| Command::DeleteAccount { tenant, account };
    check(&mut world, (NO_TENANT, GHOST), wrap)
        .row("tenant_not_found", |_, _| {})
        .row("account_not_found", |_, c| c.0 = tenant)
        .row("account_not_found", |_, c| c.1 = theirs)
        .row("already_in_state", |_, c| c.1 = gone)
        .row("balance_not_zero", |_, c| c.1 = pod)
        .row("account_in_use", |w, _| {
            let all = w.withdrawal(pod, 100);
            w.run(&all).expect("it is all there");
        })
        .row("ok", |w, _| {
            w.run_due();
            w.give_back(open, ErrorCode::PaymentFailed)
                .expect("pending");
        })
        .end();
}

#[test]
fn set_account_state() {
    let mut world = World::new();
    let (_, _, theirs) = neighbour(&mut world, TenantMode::Sandbox);
    let gone = closed(&mut world, POD);
    let pod = world.funded(POD, 100);
    let bank = world.account(BANK);
    let open = world.transfer(bank, pod, 1);
    let tenant = world.tenant;
    let wrap = |(tenant, account)| Command::SetAccountState {
        tenant,
        owner: None,
        account,
        reason: StateReason::System,
        state: AccountState::Destroyed,
    };
    check(&mut world, (NO_TENANT, GHOST), wrap)
        .row("tenant_not_found", |_, _| {})
        .row("account_not_found", |_, c| c.0 = tenant)
        .row("account_not_found", |_, c| c.1 = theirs)
        .row("already_in_state", |_, c| c.1 = gone)
        .row("balance_not_zero", |_, c| c.1 = pod)
        .row("account_in_use", |w, _| {
            let all = w.withdrawal(pod, 100);
            w.run(&all).expect("it is all there");
        })
        .row("ok", |w, _| {
            w.run_due();
            w.give_back(open, ErrorCode::PaymentFailed)
                .expect("pending");
        })
        .end();
    for state in [
        AccountState::Active,
        AccountState::Blocked,
        AccountState::Destroyed,
    ] {
        assert_eq!(
            world.set_state(pod, state),
            Err(Rejection::AlreadyInState {
                state: AccountState::Destroyed
            })
        );
    }
}

#[test]
fn an_account_with_a_hold_is_in_use() {
    let mut world = World::new();
    let pod = world.funded(POD, 10);
    world.hold(pod, 10, None).expect("there is enough");
    // A hold implies money, so the balance speaks first.
    assert_eq!(
        world.set_state(pod, AccountState::Destroyed),
        Err(Rejection::BalanceNotZero { balance: 10 })
    );
}

#[test]
fn an_active_account_cannot_be_activated_nor_a_blocked_one_blocked() {
    let mut world = World::new();
    let pod = world.account(POD);
    let already = |state| Err(Rejection::AlreadyInState { state });
    let active = AccountState::Active;
    assert_eq!(world.set_state(pod, active), already(active));
    let stopped = AccountState::Blocked;
    assert!(world.set_state(pod, stopped).is_ok());
    assert_eq!(world.set_state(pod, stopped), already(stopped));
    assert!(world.set_state(pod, active).is_ok());
}

#[test]
fn set_clock() {
    let mut world = World::new();
    let (live, _, _) = neighbour(&mut world, TenantMode::Live);
    world.account(POD);
    let tenant = world.tenant;
    let wrap = |(tenant, clock)| Command::SetClock { tenant, clock };
    let before = TenantClock::Frozen { at: START.plus(-1) };
    check(&mut world, (NO_TENANT, before), wrap)
        .row("tenant_not_found", |_, _| {})
        .row("sandbox_only", |_, c| c.0 = live)
        .row("clock_backwards", |_, c| c.0 = tenant)
        .row("clock_backwards", |_, c| {
            c.1 = TenantClock::Running { offset_ms: -1 };
        })
        .row("ok", |_, c| c.1 = TenantClock::Frozen { at: START })
        .end();
}

#[test]
fn the_clock_of_an_untouched_sandbox_may_start_in_the_past() {
    let mut world = World::new();
    let past = TenantClock::Frozen { at: Millis(0) };
    world.set_clock(past);
    assert_eq!(
        spoken(world.run(&Command::SetClock {
            tenant: world.tenant,
            clock: TenantClock::Frozen { at: Millis(-1) },
        })),
        "clock_backwards",
        "only the first time"
    );
}

#[test]
fn move_clock() {
    let mut world = World::new();
    let (live, _, _) = neighbour(&mut world, TenantMode::Live);
    world.account(POD);
    let tenant = world.tenant;
    let wrap = |(tenant, advance_ms)| Command::MoveClock {
        tenant,
        advance_ms,
        frozen: None,
    };
    check(&mut world, (NO_TENANT, -1), wrap)
        .row("tenant_not_found", |_, _| {})
        .row("sandbox_only", |_, c| c.0 = live)
        .row("clock_backwards", |_, c| c.0 = tenant)
        .row("ok", |_, c| c.1 = 0)
        .end();
}

#[test]
fn clock_to_next_due() {
    let mut world = World::new();
    let (live, _, _) = neighbour(&mut world, TenantMode::Live);
    let (pod, tenant) = (world.funded(POD, 10), world.tenant);
    let wrap = |tenant| Command::ClockToNextDue { tenant };
    check(&mut world, NO_TENANT, wrap)
        .row("tenant_not_found", |_, _| {})
        .row("sandbox_only", |_, c| *c = live)
        .row("nothing_due", |_, c| *c = tenant)
        .row("ok", |world, _| {
            let end = Some(START.plus(1_000));
            world.hold(pod, 10, end).expect("there is enough");
        })
        .end();
}

#[test]
fn release_hold() {
    let mut world = World::new();
    let pod = world.funded(POD, 10);
    let hold = world.hold(pod, 10, None).expect("there is enough").id;
    let (near, _, _) = neighbour(&mut world, TenantMode::Sandbox);
    let mut release = |tenant| spoken(world.run(&Command::ReleaseHold { tenant, hold }));
    assert_eq!(release(NO_TENANT), "tenant_not_found");
    assert_eq!(release(near), "hold_not_found");
    let tenant = world.tenant;
    let mut release = |tenant| spoken(world.run(&Command::ReleaseHold { tenant, hold }));
    assert_eq!(release(tenant), "ok");
    assert_eq!(release(tenant), "hold_not_found");
}

#[test]
fn create_tenant_and_owner() {
    let mut world = World::new();
    let name = Arc::from("a".repeat(101));
    let mode = TenantMode::Live;
    let made = world.run(&Command::CreateTenant { name, mode });
    assert_eq!(spoken(made), "invalid_parameters name");
    let owner = |tenant, name: &str| Command::CreateOwner {
        tenant,
        kind: ledger::OwnerKind::Corporate,
        name: Arc::from(name),
    };
    assert_eq!(spoken(world.run(&owner(NO_TENANT, ""))), "tenant_not_found");
    let tenant = world.tenant;
    assert_eq!(
        spoken(world.run(&owner(tenant, ""))),
        "invalid_parameters name"
    );
    assert_eq!(spoken(world.run(&owner(tenant, "Corp"))), "ok");
}
