//! Managed accounts and cards: opening, renaming, blocking and closing them, deposits and
//! purchases.

use std::sync::Arc;

use ledger::profile::{DepositFee, Fee};
use ledger::{
    AccountId, AccountKind, AccountState, Amount, ChangeAccount, ChangeDetails, ChangeProfile,
    Command, DETAILS_MAX, Instrument, InstrumentClass, MoneyIn, MoneyOut, OpenInstrument, Origin,
    OwnerId, ProfileId, Rejection, Reply, Side, StateReason, TenantId, TenantMode, Transfer,
};

use crate::programme::{Programme, free, rate};
use crate::table::{check, spoken};
use crate::world::{EUR, INCOME, START, USD, eur, usd};

fn text(length: usize) -> Option<Arc<str>> {
    Some(Arc::from("x".repeat(length)))
}

#[test]
fn refusals_of_opening_an_account() {
    let mut p = Programme::new();
    let (tenant, owner) = (p.world.tenant, p.world.owner);
    let elsewhere = p.world.new_tenant(TenantMode::Sandbox).id;
    let (accounts, prepaid) = (p.accounts, p.prepaid);
    p.change(ChangeProfile {
        active: Some(false),
        currencies: Some(vec![EUR]),
        ..p.changing(accounts)
    });
    let on = Command::ChangeProfile(ChangeProfile {
        active: Some(true),
        ..p.changing(accounts)
    });
    let opening = OpenInstrument {
        tenant: TenantId::new(3),
        owner: OwnerId::new(4),
        profile: ProfileId::new(5),
        class: InstrumentClass::Account,
        name: Arc::from(""),
        currency: None,
        parent: Some(AccountId::new(6)),
        tag: text(51),
        details: text(DETAILS_MAX + 1),
    };
    check(&mut p.world, opening, Command::OpenInstrument)
        .row("tenant_not_found", |_, _| {})
        .row("owner_not_found", |_, c| {
            (c.tenant, c.owner) = (elsewhere, owner);
        })
        .row("profile_not_found", |_, c| c.tenant = tenant)
        // A profile for cards is none for accounts.
        .row("profile_not_found", |_, c| c.profile = prepaid)
        .row("profile_inactive", |_, c| c.profile = accounts)
        .row("invalid_parameters name", |world, _| {
            world.run(&on).expect("it may be switched on");
        })
        .row("invalid_parameters tag", |_, c| c.name = Arc::from("Main"))
        .row("invalid_parameters details", |_, c| c.tag = text(50))
        .row("invalid_parameters parent", |_, c| {
            c.details = text(DETAILS_MAX);
        })
        .row("invalid_parameters currency", |_, c| c.parent = None)
        .row("currency_not_in_profile", |_, c| c.currency = Some(USD))
        .row("ok", |_, c| c.currency = Some(EUR))
        .end();
}

#[test]
fn refusals_of_opening_a_debit_card() {
    let mut p = Programme::new();
    let main = p.account(0);
    let (blocked, card) = (p.account(0), p.card(0));
    p.block(blocked);
    let income = p.world.account(INCOME);
    let (mine, other) = (p.world.owner, p.world.new_owner(p.world.tenant).id);
    p.world.owner = other;
    let theirs = p.account(0);
    p.world.owner = mine;
    p.change(ChangeProfile {
        currencies: Some(vec![EUR]),
        ..p.changing(p.debit)
    });
    let dollars = Command::ChangeProfile(ChangeProfile {
        currencies: Some(vec![EUR, USD]),
        ..p.changing(p.debit)
    });
    let opening = OpenInstrument {
        profile: p.debit,
        currency: Some(EUR),
        parent: None,
        ..p.opening(InstrumentClass::Card)
    };
    check(&mut p.world, opening, Command::OpenInstrument)
        .row("invalid_parameters parent", |_, _| {})
        .row("parent_not_found", |_, c| {
            c.parent = Some(AccountId::new(9))
        })
        .row("parent_not_found", |_, c| c.parent = Some(theirs.id))
        .row("parent_not_found", |_, c| c.parent = Some(card.id))
        .row("parent_not_found", |_, c| c.parent = Some(income))
        .row("parent_not_active", |_, c| c.parent = Some(blocked.id))
        .row("currency_mismatch", |_, c| c.parent = Some(main.id))
        .row("currency_not_in_profile", |_, c| c.currency = None)
        .row("ok", |world, _| {
            world.run(&dollars).expect("it may be changed");
        })
        .end();
}

#[test]
fn what_is_opened() {
    let mut p = Programme::new();
    let main = p.open(OpenInstrument {
        tag: text(3),
        details: Some(Arc::from("{}")),
        ..p.opening(InstrumentClass::Account)
    });
    let (card, debit) = (p.card(0), p.debit_card(main));
    let shown = |instrument: Instrument| {
        let account = p.world.get(instrument.id);
        let roles = (account.can_be_source, account.can_be_destination);
        (account.kind, account.currency, account.parent, roles)
    };
    let both = (true, true);
    assert_eq!(shown(main), (AccountKind::Pod, USD, None, both));
    assert_eq!(shown(card), (AccountKind::PrepaidCard, USD, None, both));
    let parent = Some(main.id);
    assert_eq!(
        shown(debit),
        (AccountKind::DebitCard, USD, parent, (false, false))
    );
    let account = p.world.get(main.id);
    assert_eq!(account.profile, Some(p.accounts));
    assert_eq!(
        (&account.tag, account.details.as_deref()),
        (&text(3), Some("{}"))
    );
    assert_eq!(
        (account.state, account.reason),
        (AccountState::Active, None)
    );
    assert_eq!((account.created_at, account.balance), (START, 0));
    assert_eq!(account.number_last_four, None);
    for card in [card, debit] {
        let digits = p.world.get(card.id).number_last_four.clone();
        let digits = digits.expect("cards are told apart by them");
        assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()));
    }
    // Cards are opened under a profile, not by hand.
    for kind in [AccountKind::PrepaidCard, AccountKind::DebitCard] {
        let opening = p.world.opening(kind, USD);
        let answer = spoken(p.world.run(&Command::OpenAccount(opening)));
        assert_eq!(answer, "invalid_parameters type");
    }
}

fn details(was: Option<&str>, bytes: usize) -> ChangeDetails {
    ChangeDetails {
        was: was.map(Arc::from),
        now: text(bytes).expect("it is some"),
    }
}

#[test]
fn renaming() {
    let mut p = Programme::new();
    let (tenant, owner) = (p.world.tenant, p.world.owner);
    let other = p.world.new_owner(tenant).id;
    let (gone, main) = (p.account(0), p.account(5));
    p.set_state(gone, AccountState::Destroyed)
        .expect("it is empty");
    let change = ChangeAccount {
        tenant: TenantId::new(3),
        owner: Some(other),
        account: AccountId::new(9),
        name: text(101),
        tag: text(51),
        details: Some(details(Some("[]"), DETAILS_MAX + 1)),
    };
    check(&mut p.world, change, Command::ChangeAccount)
        .row("tenant_not_found", |_, _| {})
        .row("account_not_found", |_, c| c.tenant = tenant)
        .row("account_not_found", |_, c| c.account = gone.id)
        .row("already_in_state", |_, c| c.owner = Some(owner))
        .row("invalid_parameters name", |_, c| c.account = main.id)
        .row("invalid_parameters tag", |_, c| c.name = text(100))
        .row("invalid_parameters details", |_, c| c.tag = text(50))
        .row("details_changed", |_, c| {
            c.details = Some(details(Some("[]"), DETAILS_MAX));
        })
        .row("ok", |_, c| c.details = Some(details(None, DETAILS_MAX)))
        .end();
    // What is not named stays as it is, and so does the money.
    p.world.now = p.world.now.plus(5);
    let change = ChangeAccount {
        tenant,
        owner: None,
        account: main.id,
        name: None,
        tag: None,
        details: Some(ChangeDetails {
            was: text(DETAILS_MAX),
            now: Arc::from("{}"),
        }),
    };
    let reply = p.world.run(&Command::ChangeAccount(change));
    let account = p.world.get(main.id);
    assert_eq!(reply, Ok(Reply::Account(account.clone())));
    assert_eq!(
        (Some(account.name.clone()), &account.tag),
        (text(100), &text(50))
    );
    assert_eq!(account.details.as_deref(), Some("{}"));
    assert_eq!((account.balance, account.updated_at), (5, START.plus(5)));
}

/// Sets a state for a reason.
fn set(
    p: &mut Programme,
    account: Instrument,
    state: AccountState,
    reason: StateReason,
) -> Result<Reply, Rejection> {
    let command = Command::SetAccountState {
        tenant: p.world.tenant,
        owner: Some(p.world.owner),
        account: account.id,
        reason,
        state,
    };
    p.world.run(&command)
}

/// A user lifts the user's own blocks; the operator lifts any.
#[test]
fn who_lifts_a_block() {
    use AccountState::{Active, Blocked};
    use StateReason::{Lost, System, User};
    for (blocked_by, lifted_by, expected) in [
        (User, User, Ok(())),
        (User, System, Ok(())),
        (System, System, Ok(())),
        (Lost, System, Ok(())),
        (System, User, Err(Rejection::BlockedByOther)),
        (Lost, User, Err(Rejection::BlockedByOther)),
    ] {
        let mut p = Programme::new();
        let card = p.card(10);
        set(&mut p, card, Blocked, blocked_by).expect("it is active");
        let account = p.world.get(card.id);
        assert_eq!((account.state, account.reason), (Blocked, Some(blocked_by)));
        // It is blocked already, whoever asks.
        let again = set(&mut p, card, Blocked, System);
        assert_eq!(again, Err(Rejection::AlreadyInState { state: Blocked }));
        let lifted = set(&mut p, card, Active, lifted_by).map(|_| ());
        assert_eq!(lifted, expected, "{blocked_by:?} by {lifted_by:?}");
        let account = p.world.get(card.id);
        let after = match expected {
            Ok(()) => (Active, None),
            Err(_) => (Blocked, Some(blocked_by)),
        };
        assert_eq!((account.state, account.reason), after);
    }
}

#[test]
fn another_owners_account_does_not_exist() {
    let mut p = Programme::new();
    let main = p.account(0);
    let (mine, other) = (p.world.owner, p.world.new_owner(p.world.tenant).id);
    p.world.owner = other;
    let blocked = p.set_state(main, AccountState::Blocked);
    assert_eq!(blocked, Err(Rejection::AccountNotFound));
    p.world.owner = mine;
    p.block(main);
}

/// An account is not closed while a card spends from it.
#[test]
fn linked_cards() {
    let mut p = Programme::new();
    let (main, spare) = (p.account(0), p.account(0));
    let [first, second] = [p.debit_card(main), p.debit_card(main)];
    let third = p.debit_card(spare);
    let close = |p: &mut Programme, account| {
        let closed = p.set_state(account, AccountState::Destroyed);
        spoken(closed)
    };
    assert_eq!(close(&mut p, main), "linked_cards");
    assert_eq!(close(&mut p, first), "ok");
    assert_eq!(close(&mut p, main), "linked_cards");
    // A block is no end.
    p.block(second);
    assert_eq!(close(&mut p, main), "linked_cards");
    assert_eq!(close(&mut p, second), "ok");
    assert_eq!(close(&mut p, main), "ok");
    assert_eq!(close(&mut p, spare), "linked_cards");
    assert_eq!(close(&mut p, third), "ok");
    assert_eq!(close(&mut p, spare), "ok");
}

fn money_in(p: &mut Programme, to: AccountId, amount: Amount, origin: Origin) -> Transfer {
    let money = MoneyIn {
        tenant: p.world.tenant,
        destination: to,
        amount,
        origin,
        description: None,
    };
    match p.world.run(&Command::MoneyIn(money)) {
        Ok(Reply::Transfer { transfer, .. }) => transfer,
        other => panic!("no transfer: {other:?}"),
    }
}

/// A deposit of `minor` into an account with such a fee: what the fee is.
#[track_caller]
fn check_deposit(of: Fee, minor: i64, expected: i64) {
    let mut p = Programme::new();
    let line = DepositFee {
        currency: USD,
        fee: of,
    };
    p.set_account_terms(None, Some(line));
    let account = p.account(0);
    let deposit = p.deposit(account.id, usd(minor));
    assert_eq!(deposit.fee_minor, expected, "{of:?} on {minor}");
    assert_eq!(deposit.amount, usd(minor));
    assert_eq!(p.world.balance(account.id), minor - expected);
    assert_eq!(p.world.fee_income(), expected);
    assert_eq!(p.world.outside(), -minor);
    let entries = p.entries(deposit.id);
    let credits = entries.iter().filter(|entry| entry.side == Side::Credit);
    let credits: Vec<i64> = credits.map(|entry| entry.amount.minor()).collect();
    let shown: Vec<i64> = [minor - expected, expected]
        .into_iter()
        .filter(|minor| *minor > 0)
        .collect();
    assert_eq!(credits, shown);
}

/// Deposits are credited in full unless there is a fee that leaves something of them.
#[test]
fn deposits_and_their_fees() {
    check_deposit(Fee::Flat(0), 10, 0);
    check_deposit(Fee::Flat(3), 10, 3);
    check_deposit(Fee::Flat(9), 10, 9);
    check_deposit(Fee::Flat(10), 10, 0);
    check_deposit(Fee::Flat(11), 10, 0);
    check_deposit(Fee::Percentage(rate(150_000)), 10, 2);
    check_deposit(Fee::Percentage(rate(1_000_000)), 10, 0);
    check_deposit(Fee::Plus(3, rate(100_000)), 10, 4);
    check_deposit(Fee::Min(3, rate(100_000)), 10, 1);
    check_deposit(Fee::Max(3, rate(100_000)), 10, 3);
    check_deposit(Fee::Plus(i64::MAX, rate(100_000)), 10, 0);
}

/// The fee is for deposits alone, of its own currency, into accounts alone.
#[test]
fn what_has_no_deposit_fee() {
    let mut p = Programme::new();
    let three = DepositFee {
        currency: USD,
        fee: Fee::Flat(3),
    };
    p.set_account_terms(None, Some(three));
    let (main, card) = (p.account(0), p.card(0));
    let debit = p.debit_card(main);
    let euros = OpenInstrument {
        currency: Some(EUR),
        ..p.opening(InstrumentClass::Account)
    };
    let euros = p.open(euros);
    for origin in [Origin::Paycheck, Origin::Cashback, Origin::CardRefund] {
        assert_eq!(money_in(&mut p, main.id, usd(10), origin).fee_minor, 0);
    }
    assert_eq!(p.deposit(card.id, usd(10)).fee_minor, 0);
    assert_eq!(p.deposit(euros.id, eur(10)).fee_minor, 0);
    assert_eq!(p.world.balance(main.id), 30);
    // What a debit card gets goes to its parent, under the parent's terms.
    let deposit = p.deposit(debit.id, usd(10));
    assert_eq!((deposit.destination, deposit.fee_minor), (Some(main.id), 3));
    assert_eq!(p.world.balance(main.id), 37);
    assert_eq!(p.world.balance(debit.id), 0);
}

/// Which card paid is known, also when the money is on its parent.
#[test]
fn a_transfer_names_its_card() {
    let mut p = Programme::new();
    let (main, prepaid) = (p.account(100), p.card(50));
    let debit = p.debit_card(main);
    for (card, account) in [(debit, main), (prepaid, prepaid)] {
        let paid = spend(&mut p, card, Origin::CardPurchase);
        assert_eq!((paid.source, paid.card), (Some(account.id), Some(card.id)));
        let back = money_in(&mut p, card.id, usd(1), Origin::CardRefund);
        assert_eq!(
            (back.destination, back.card),
            (Some(account.id), Some(card.id))
        );
        // What comes or goes in another way is no card's.
        let deposit = money_in(&mut p, card.id, usd(1), Origin::Deposit);
        assert_eq!(deposit.card, None);
        assert_eq!(spend(&mut p, card, Origin::ExternalPull).card, None);
    }
    // An account pays with no card.
    assert_eq!(spend(&mut p, main, Origin::CardPurchase).card, None);
}

fn spend(p: &mut Programme, from: Instrument, origin: Origin) -> Transfer {
    let money = MoneyOut {
        tenant: p.world.tenant,
        source: from.id,
        amount: usd(1),
        origin,
        description: None,
    };
    match p.world.run(&Command::MoneyOut(money)) {
        Ok(Reply::Transfer { transfer, .. }) => transfer,
        other => panic!("{other:?}"),
    }
}

/// A purchase with a card: its code, or `ok`.
fn purchase(p: &mut Programme, card: Instrument, minor: i64) -> String {
    let money = MoneyOut {
        tenant: p.world.tenant,
        source: card.id,
        amount: usd(minor),
        origin: Origin::CardPurchase,
        description: None,
    };
    spoken(p.world.run(&Command::MoneyOut(money)))
}

#[test]
fn purchases() {
    let mut p = Programme::new();
    let (main, prepaid) = (p.account(100), p.card(50));
    let debit = p.debit_card(main);
    assert_eq!(purchase(&mut p, prepaid, 51), "insufficient_funds");
    assert_eq!(purchase(&mut p, prepaid, 50), "ok");
    assert_eq!(purchase(&mut p, debit, 101), "insufficient_funds");
    p.world.hold(main.id, 60, None).expect("it is there");
    assert_eq!(purchase(&mut p, debit, 41), "insufficient_funds");
    assert_eq!(purchase(&mut p, debit, 40), "ok");
    assert_eq!(p.balances([main, prepaid, debit]), [60, 0, 0]);
    // The merchant gives some back: to where it came from.
    money_in(&mut p, debit.id, usd(15), Origin::CardRefund);
    money_in(&mut p, prepaid.id, usd(5), Origin::CardRefund);
    assert_eq!(p.balances([main, prepaid, debit]), [75, 5, 0]);

    // Neither a blocked card nor a card of a blocked account spends anything.
    p.block(prepaid);
    assert_eq!(purchase(&mut p, prepaid, 1), "source_not_active");
    p.block(debit);
    assert_eq!(purchase(&mut p, debit, 1), "source_not_active");
    p.set_state(debit, AccountState::Active)
        .expect("its own block");
    assert_eq!(purchase(&mut p, debit, 1), "ok");
    p.block(main);
    assert_eq!(purchase(&mut p, debit, 1), "source_not_active");
    p.set_state(debit, AccountState::Destroyed)
        .expect("it is empty");
    p.set_state(main, AccountState::Active)
        .expect("its own block");
    assert_eq!(purchase(&mut p, debit, 1), "source_not_active");
    assert_eq!(p.balances([main, prepaid]), [74, 5]);
}

/// There is no play money for live cards.
#[test]
fn a_live_card_buys_nothing_here() {
    let mut p = Programme::with(TenantMode::Live, free());
    let card = p.card(0);
    assert_eq!(purchase(&mut p, card, 1), "sandbox_only");
}
