//! Transfers between two instruments under a profile: who may, in which order it is said why not,
//! and what it costs.

use std::sync::Arc;

use ledger::profile::{Fee, FeePolicy, Terms, TransferTerms};
use ledger::{
    AccountId, AccountState, ChangeProfile, Command, Currency, Denial, Direction, Instrument,
    InstrumentClass, Millis, OpenAccount, OpenInstrument, Origin, OwnerId, ProfileId,
    ProfileTransfer, Side, Status, SystemKind, TenantId, TenantMode,
};

use crate::programme::{Programme, TO_ACCOUNT, TO_CARD, fee, free, rate};
use crate::table::check;
use crate::world::{EUR, INCOME, POD, START, USD, eur, usd};

fn named(id: AccountId, class: InstrumentClass) -> Instrument {
    Instrument { id, class }
}

fn account(id: AccountId) -> Instrument {
    named(id, InstrumentClass::Account)
}

fn card(id: AccountId) -> Instrument {
    named(id, InstrumentClass::Card)
}

const GHOST: AccountId = AccountId::new(1);

/// Everything at once is wrong with the first row; every row repairs what the row above said.
#[test]
fn the_21_denials_in_their_order() {
    let mut p = Programme::new();
    // What the profile will say when all that is about the request has been repaired.
    let strict = TransferTerms {
        pairs: vec![TO_CARD],
        fees: vec![fee(TO_ACCOUNT, EUR, Fee::Flat(1))],
        fee_policy: FeePolicy::Required,
        max_amounts: vec![usd(400)],
        deny_above: vec![usd(300)],
        forex: true,
    };
    p.set_transfer_terms(strict.clone());
    p.change(ChangeProfile {
        currencies: Some(vec![EUR]),
        active: Some(false),
        ..p.changing(p.transfers)
    });
    p.set_account_terms(Some(usd(600)), None);

    let income = account(p.world.account(INCOME));
    let (mine, other) = (p.world.owner, p.world.new_owner(p.world.tenant).id);
    p.world.owner = other;
    let theirs = p.account(0);
    p.world.owner = mine;
    let source = p.account(500);
    let world_account = p.world.state.system_account(mine, SystemKind::World, USD);
    let world_account = account(world_account.expect("opened by the money").id);
    let (debit, other_debit) = (p.debit_card(source), p.debit_card(source));
    let (gone, other_gone) = (p.account(0), p.account(0));
    for gone in [gone, other_gone] {
        let closed = p.set_state(gone, AccountState::Destroyed);
        closed.expect("it is empty");
    }
    let (blocked, other_blocked) = (p.account(9), p.account(9));
    p.block(blocked);
    p.block(other_blocked);
    let mut shut = |roles: (bool, bool)| {
        let opening = OpenAccount {
            can_be_source: Some(roles.0),
            can_be_destination: Some(roles.1),
            ..p.world.opening(POD, USD)
        };
        account(p.world.open(opening))
    };
    let (no_source, no_destination) = (shut((false, true)), shut((true, false)));
    let euros = OpenInstrument {
        currency: Some(EUR),
        ..p.opening(InstrumentClass::Account)
    };
    let euros = p.open(euros);
    let destination = p.account(300);

    let (tenant, transfers, accounts) = (p.world.tenant, p.transfers, p.accounts);
    let change = p.changing(transfers);
    let set = |terms: &TransferTerms| {
        Command::ChangeProfile(ChangeProfile {
            terms: Some(Terms::Transfer(terms.clone())),
            ..change.clone()
        })
    };
    let currencies = |currencies| {
        Command::ChangeProfile(ChangeProfile {
            currencies: Some(currencies),
            ..change.clone()
        })
    };
    let switch_on = Command::ChangeProfile(ChangeProfile {
        active: Some(true),
        ..change.clone()
    });
    let room = Command::ChangeProfile(ChangeProfile {
        terms: Some(Terms::ManagedAccount {
            max_balances: vec![usd(650)],
            deposit_fees: Vec::new(),
        }),
        ..p.changing(accounts)
    });
    let mut order = p.order(account(GHOST), account(GHOST), 0);
    order.profile = ProfileId::new(7);
    order.currency = None;
    order.tag = Some(Arc::from("x".repeat(51)));
    order.description = Some(Arc::from("x".repeat(256)));
    order.scheduled_at = Some(START);
    let asked = ProfileTransfer {
        tenant: TenantId::new(3),
        owner: OwnerId::new(4),
        key: None,
        order,
    };
    let mut repaired = strict;
    let spend = p.world.withdrawal(source.id, 160);
    let hold = ledger::PlaceHold {
        tenant,
        account: source.id,
        amount: usd(45),
        expires_at: None,
    };
    let run = |world: &mut crate::world::World, command: &Command| {
        world.run(command).expect("it repairs something");
    };

    check(&mut p.world, asked, Command::Transfer)
        .row("tenant_not_found", |_, _| {})
        .row("owner_not_found", |_, c| c.tenant = tenant)
        .row("invalid_parameters description", |_, c| c.owner = mine)
        .row("invalid_parameters tag", |_, c| c.order.description = None)
        .row("profile_not_found", |_, c| c.order.tag = None)
        // A profile for something else is none.
        .row("profile_not_found", |_, c| c.order.profile = accounts)
        .row("PROFILE_INACTIVE", |_, c| c.order.profile = transfers)
        .row("AMOUNT_INVALID", |world, _| run(world, &switch_on))
        .row("AMOUNT_INVALID", |_, c| c.order.amount_minor = -1)
        .row("SOURCE_NOT_FOUND", |_, c| c.order.amount_minor = 401)
        // Another identity's, a system account, no instrument at all, one of the other class.
        .row("SOURCE_NOT_FOUND", |_, c| c.order.source = theirs)
        .row("SOURCE_NOT_FOUND", |_, c| c.order.source = world_account)
        .row("SOURCE_NOT_FOUND", |_, c| c.order.source = income)
        .row("SOURCE_NOT_FOUND", |_, c| c.order.source = card(source.id))
        .row("DESTINATION_NOT_FOUND", |_, c| c.order.source = debit)
        .row("DESTINATION_NOT_FOUND", |_, c| c.order.destination = theirs)
        .row("DESTINATION_NOT_FOUND", |_, c| {
            c.order.destination = world_account;
        })
        .row("DESTINATION_NOT_FOUND", |_, c| c.order.destination = income)
        .row("DESTINATION_NOT_FOUND", |_, c| {
            c.order.destination = account(debit.id);
        })
        .row("SOURCE_AND_DESTINATION_MUST_BE_DIFFERENT", |_, c| {
            c.order.destination = debit;
        })
        .row("SOURCE_CANNOT_BE_DEBIT_MODE_CARD", |_, c| {
            c.order.destination = other_debit;
        })
        .row("DESTINATION_CANNOT_BE_DEBIT_MODE_CARD", |_, c| {
            c.order.source = gone;
        })
        .row("SOURCE_INSTRUMENT_DESTROYED", |_, c| {
            c.order.destination = other_gone;
        })
        .row("DESTINATION_INSTRUMENT_DESTROYED", |_, c| {
            c.order.source = blocked;
        })
        .row("SOURCE_INSTRUMENT_BLOCKED", |_, c| {
            c.order.destination = other_blocked;
        })
        .row("DESTINATION_INSTRUMENT_BLOCKED", |_, c| {
            c.order.source = no_source;
        })
        .row("INSTRUMENT_DENIED_TRANSACTION", |_, c| {
            c.order.destination = no_destination;
        })
        .row("INSTRUMENT_DENIED_TRANSACTION", |_, c| {
            c.order.source = source;
        })
        .row("CURRENCY_MISMATCH", |_, c| c.order.destination = euros)
        // The source's currency is not what arrives: no trade, just a mistake.
        .row("CURRENCY_MISMATCH", |_, c| c.order.currency = Some(USD))
        .row("FOREX_TRADE_DENIED_TRANSACTION", |_, c| {
            c.order.currency = Some(EUR);
        })
        .row("CURRENCY_MISMATCH", |world, _| {
            repaired.forex = false;
            run(world, &set(&repaired));
        })
        .row("CURRENCY_MISMATCH", |_, c| {
            c.order.destination = destination
        })
        .row("SCHEDULED_TIMESTAMP_INVALID", |_, c| {
            c.order.currency = Some(USD);
        })
        .row("SCHEDULED_TIMESTAMP_INVALID", |_, c| {
            c.order.scheduled_at = Some(Millis(1));
        })
        .row("TRANSFER_BETWEEN_INSTRUMENTS_UNSUPPORTED", |_, c| {
            c.order.scheduled_at = None;
        })
        .row("FEE_NOT_CONFIGURED_FOR_CURRENCY", |world, _| {
            repaired.pairs.push(TO_ACCOUNT);
            run(world, &set(&repaired));
        })
        // Too much, and in a currency that the profile is not for.
        .row("MODEL_CONSTRAINTS_VIOLATED", |world, _| {
            repaired.fees.push(fee(TO_ACCOUNT, USD, Fee::Flat(5)));
            run(world, &set(&repaired));
        })
        .row("MODEL_CONSTRAINTS_VIOLATED", |world, _| {
            run(world, &currencies(vec![EUR, USD]));
        })
        .row("INTERCEPTOR_DENIED_TRANSACTION", |_, c| {
            c.order.amount_minor = 400;
        })
        .row("INTERCEPTOR_DENIED_TRANSACTION", |_, c| {
            c.order.amount_minor = 301;
        })
        // 500 were enough; 340 less 45 that are held are not.
        .row("FUNDS_INSUFFICIENT", |world, c| {
            run(world, &spend);
            run(world, &Command::PlaceHold(hold));
            c.order.amount_minor = 300;
        })
        // 305 pay for the amount and its fee, 300 for the amount alone.
        .row("FUNDS_INSUFFICIENT", |world, _| {
            let five = world.paycheck(source.id, 5);
            run(world, &five);
        })
        // The destination has 300 and may have 600: the fee is not for it.
        .row("DESTINATION_LIMIT_EXCEEDED", |world, _| {
            for (account, minor) in [(source, 10), (destination, 1)] {
                let pay = world.paycheck(account.id, minor);
                run(world, &pay);
            }
        })
        .row("ok", |world, _| run(world, &room))
        .end();
    let source = p.world.get(source.id);
    assert_eq!((source.balance, source.available()), (50, 5));
    assert_eq!(p.world.balance(destination.id), 601);
    assert_eq!(p.world.fee_income(), 5);
}

/// What depends on money is looked at when the time has come; everything else at once.
#[test]
fn a_scheduled_transfer_is_looked_at_when_it_is_made() {
    let mut p = Programme::new();
    p.set_account_terms(Some(usd(100)), None);
    let (poor, full) = (p.account(0), p.account(100));
    let order = p.order(poor, full, 1_000_000);
    p.schedule(order.clone(), 1);

    let later = Some(p.now().plus(1_000));
    let mut order = ledger::TransferOrder {
        scheduled_at: later,
        ..order
    };
    p.set_transfer_terms(TransferTerms {
        deny_above: vec![usd(999_999)],
        ..free()
    });
    assert_eq!(p.denied(order.clone()), Denial::InterceptorDenied);
    order.amount_minor = 0;
    assert_eq!(p.denied(order.clone()), Denial::AmountInvalid);
    order.amount_minor = 10;
    p.block(full);
    assert_eq!(p.denied(order.clone()), Denial::DestinationBlocked);
    p.switch(p.transfers, false);
    assert_eq!(p.denied(order), Denial::ProfileInactive);
}

#[test]
fn an_immediate_transfer_is_complete_when_it_is_answered() {
    let mut p = Programme::new();
    let (source, destination) = (p.account(100), p.card(0));
    let order = ledger::TransferOrder {
        tag: Some(Arc::from("rent")),
        description: Some(Arc::from("for\r\nJune\t2027")),
        ..p.order(source, destination, 100)
    };
    let transfer = p.transfer(order.clone()).expect("there is enough");
    assert_eq!(transfer.status, Status::Complete);
    assert_eq!(transfer.completed_at, Some(START));
    assert_eq!((transfer.created_at, transfer.updated_at), (START, START));
    let ends = (transfer.source, transfer.destination);
    assert_eq!(ends, (Some(source.id), Some(destination.id)));
    assert_eq!(transfer.direction, Direction::Internal);
    assert_eq!(transfer.origin, Origin::User);
    assert_eq!(transfer.amount, usd(100));
    assert_eq!(
        (transfer.profile, transfer.fee_minor),
        (Some(p.transfers), 0)
    );
    assert_eq!(
        (transfer.tag, transfer.description),
        (order.tag, order.description)
    );
    assert_eq!((transfer.error, transfer.scheduled_at), (None, None));
    assert_eq!(p.balances([source, destination]), [0, 100]);
    assert!(p.world.due().is_empty());
    assert!(p.world.state.open_transfer(transfer.id).is_none());
}

/// A fee is part of the posting: one line on the source's statement over amount and fee.
#[test]
fn a_fee_is_a_third_entry() {
    let flat = fee(TO_CARD, USD, Fee::Flat(5));
    let terms = TransferTerms {
        fees: vec![flat],
        ..free()
    };
    let mut p = Programme::with(TenantMode::Sandbox, terms);
    let (source, destination) = (p.account(200), p.card(0));
    for (round, after) in [(1, [95, 100, 5]), (2, [40, 150, 10])] {
        let minor = if round == 1 { 100 } else { 50 };
        let order = p.order(source, destination, minor);
        let transfer = p.transfer(order).expect("there is enough");
        assert_eq!(transfer.amount, usd(minor));
        assert_eq!(transfer.fee_minor, 5);
        let entries = p.entries(transfer.id);
        let [debit, credit, fee] = entries[..] else {
            panic!("not three entries: {entries:?}")
        };
        assert_eq!((debit.account, debit.side), (source.id, Side::Debit));
        assert_eq!(debit.amount, usd(minor + 5));
        assert_eq!(
            (credit.account, credit.side),
            (destination.id, Side::Credit)
        );
        assert_eq!(credit.amount, usd(minor));
        let owner = p.world.owner;
        let income = p
            .world
            .state
            .system_account(owner, SystemKind::FeeIncome, USD);
        let income = income.expect("opened by the first fee").id;
        assert_eq!((fee.account, fee.side), (income, Side::Credit));
        assert_eq!(fee.amount, usd(5));
        let balances = [debit, credit, fee].map(|entry| entry.balance_after);
        assert_eq!(balances, after);
        // The first entry of the source and of a card may be another's; they go up by one.
        let numbers = [debit, credit, fee].map(|entry| entry.sequence);
        assert_eq!(numbers, [round + 1, round, round]);
    }
    assert_eq!(p.balances([source, destination]), [40, 150]);
    assert_eq!(p.world.fee_income(), 10);
}

/// A transfer of 1,000 out of `has`, under a fee: what is taken, or why it is denied.
#[track_caller]
fn check_fee(policy: FeePolicy, of: Fee, has: i64, expected: Result<i64, Denial>) {
    let terms = TransferTerms {
        fees: vec![fee(TO_ACCOUNT, USD, of)],
        fee_policy: policy,
        ..free()
    };
    let mut p = Programme::with(TenantMode::Sandbox, terms);
    let (source, destination) = (p.account(has), p.account(0));
    let order = p.order(source, destination, 1_000);
    match expected {
        Ok(taken) => {
            let transfer = p.transfer(order).expect("there is enough");
            assert_eq!(transfer.fee_minor, taken);
            assert_eq!(
                p.balances([source, destination]),
                [has - 1_000 - taken, 1_000]
            );
            assert_eq!(p.world.fee_income(), taken);
            let entries = if taken == 0 { 2 } else { 3 };
            assert_eq!(p.entries(transfer.id).len(), entries);
        }
        Err(denial) => {
            assert_eq!(p.denied(order), denial);
            assert_eq!(p.balances([source, destination]), [has, 0]);
            assert_eq!(p.world.fee_income(), 0);
        }
    }
}

#[test]
fn the_five_kinds_of_fee() {
    let best = FeePolicy::BestEffort;
    let percent = rate(10_000);
    check_fee(best, Fee::Flat(7), 2_000, Ok(7));
    check_fee(best, Fee::Flat(0), 2_000, Ok(0));
    check_fee(best, Fee::Percentage(percent), 2_000, Ok(10));
    check_fee(best, Fee::Plus(7, percent), 2_000, Ok(17));
    check_fee(best, Fee::Min(7, percent), 2_000, Ok(7));
    check_fee(best, Fee::Min(11, percent), 2_000, Ok(10));
    check_fee(best, Fee::Max(7, percent), 2_000, Ok(10));
    check_fee(best, Fee::Max(11, percent), 2_000, Ok(11));
    // 0.05 % are half a unit, 0.15 % one and a half: to the even neighbour.
    check_fee(best, Fee::Percentage(rate(500)), 2_000, Ok(0));
    check_fee(best, Fee::Percentage(rate(1_500)), 2_000, Ok(2));
    check_fee(best, Fee::Percentage(rate(501)), 2_000, Ok(1));
}

#[test]
fn a_fee_is_taken_whole_or_not_at_all() {
    let (best, required) = (FeePolicy::BestEffort, FeePolicy::Required);
    let five = Fee::Flat(5);
    let poor = Err(Denial::FundsInsufficient);
    for policy in [best, required] {
        check_fee(policy, five, 1_005, Ok(5));
        check_fee(policy, five, 999, poor);
    }
    check_fee(best, five, 1_004, Ok(0));
    check_fee(best, five, 1_000, Ok(0));
    check_fee(required, five, 1_004, poor);
    check_fee(required, five, 1_000, poor);
    check_fee(required, Fee::Flat(0), 1_000, Ok(0));
    // More than anybody can have.
    let endless = Fee::Plus(i64::MAX, rate(1_000_000));
    check_fee(best, endless, 2_000, Ok(0));
    check_fee(required, endless, 2_000, poor);
    check_fee(best, Fee::Flat(i64::MAX), 2_000, Ok(0));
}

/// Each pair and each currency has a fee of its own, or none.
#[test]
fn a_fee_is_of_one_pair_and_one_currency() {
    let terms = TransferTerms {
        fees: vec![
            fee(TO_CARD, USD, Fee::Flat(1)),
            fee(TO_CARD, Currency::GBP, Fee::Flat(2)),
            fee(TO_ACCOUNT, EUR, Fee::Flat(3)),
        ],
        ..free()
    };
    let mut p = Programme::with(TenantMode::Sandbox, terms);
    let (source, other, prepaid) = (p.account(100), p.account(0), p.card(0));
    let order = p.order(source, prepaid, 10);
    assert_eq!(p.transfer(order).expect("a fee is set").fee_minor, 1);
    let order = p.order(source, other, 10);
    assert_eq!(p.denied(order), Denial::FeeNotConfiguredForCurrency);
    // Nothing is set for cards as a source.
    let order = p.order(prepaid, other, 5);
    assert_eq!(p.transfer(order).expect("it is free").fee_minor, 0);
    let euros = |class| OpenInstrument {
        currency: Some(EUR),
        ..p.opening(class)
    };
    let (main, spare) = (
        euros(InstrumentClass::Account),
        euros(InstrumentClass::Account),
    );
    let travel = euros(InstrumentClass::Card);
    let (main, spare, travel) = (p.open(main), p.open(spare), p.open(travel));
    p.deposit(main.id, eur(100));
    let mut order = p.order(main, spare, 10);
    order.currency = Some(EUR);
    assert_eq!(
        p.transfer(order.clone()).expect("a fee is set").fee_minor,
        3
    );
    order.destination = travel;
    assert_eq!(p.denied(order), Denial::FeeNotConfiguredForCurrency);
}

/// The limits are of the profile of the destination, on what is there afterwards; what is held
/// there counts.
#[test]
fn the_destination_has_room_to_the_last_unit() {
    let mut p = Programme::new();
    p.set_account_terms(Some(usd(100)), None);
    let (source, destination) = (p.card(1_000), p.account(60));
    p.world.hold(destination.id, 50, None).expect("it is there");
    let order = |p: &Programme, minor| p.order(source, destination, minor);
    let too_much = order(&p, 41);
    assert_eq!(p.denied(too_much), Denial::DestinationLimitExceeded);
    let order = order(&p, 40);
    p.transfer(order).expect("100 are allowed");
    // The source may be above its own limit, and money may come in from outside.
    p.set_account_terms(Some(usd(10)), None);
    p.deposit(destination.id, usd(1));
    let order = p.order(destination, source, 51);
    p.transfer(order).expect("leaving is always allowed");
    // A pod of nobody's profile has no limit.
    let pod = account(p.world.account(POD));
    let order = p.order(source, pod, 900);
    p.transfer(order).expect("nobody limits it");
}

/// The largest sums there are: what no balance can record is more than the destination may hold.
#[test]
fn a_balance_beyond_64_bits_is_denied() {
    let mut p = Programme::new();
    let half = i64::MAX / 2 + 1;
    let (source, destination) = (p.account(half), p.account(half - 1));
    let order = p.order(source, destination, half);
    p.transfer(order).expect("it is the largest balance");
    assert_eq!(p.balances([source, destination]), [0, i64::MAX]);
    let order = p.order(destination, source, i64::MAX);
    p.transfer(order).expect("back again");
    // All that the world can give: its own balance goes down to the lowest there is.
    p.world.fund(destination.id, 1);
    let order = p.order(destination, source, 1);
    assert_eq!(p.denied(order), Denial::DestinationLimitExceeded);
}

/// Live money moves between instruments as play money does: no rail is in between.
#[test]
fn a_live_tenant_has_transfers_too() {
    let mut p = Programme::with(TenantMode::Live, free());
    let (source, destination) = (p.account(0), p.account(0));
    let order = p.order(source, destination, 1);
    assert_eq!(p.denied(order), Denial::FundsInsufficient);
}
