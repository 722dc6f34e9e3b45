//! Profiles: which can be made, and what of them can change.

use std::sync::Arc;

use ledger::profile::{
    CardMode, DepositFee, Fee, LINES_MAX, Pair, Terms, TransferFee, TransferTerms,
};
use ledger::{
    Amount, ChangeProfile, Command, Currency, NewProfile, Profile, ProfileId, Rejection, Reply,
    TenantId, TenantMode,
};

use crate::programme::{Programme, TO_ACCOUNT, TO_CARD, fee, free, rate};
use crate::table::{check, spoken};
use crate::world::{EUR, START, USD, eur, usd};

/// Every currency there is.
fn currencies() -> Vec<Currency> {
    let letters = || (b'A'..=b'Z').map(char::from);
    let codes = letters().flat_map(|a| letters().map(move |b| (a, b)));
    let codes = codes.flat_map(|(a, b)| letters().map(move |c| format!("{a}{b}{c}")));
    codes
        .filter_map(|code| Currency::parse(&code).ok())
        .collect()
}

/// Fees for so many pairs and currencies.
fn fees(count: usize) -> Vec<TransferFee> {
    let lines = currencies()
        .into_iter()
        .flat_map(|currency| Pair::ALL.map(|pair| fee(pair, currency, Fee::Flat(1))));
    let lines: Vec<_> = lines.take(count).collect();
    assert_eq!(lines.len(), count, "there are enough currencies");
    lines
}

/// Whether such terms are taken, when they are new and in place of others.
#[track_caller]
fn check_terms(terms: &Terms, expected: &str) {
    let mut p = Programme::new();
    let new = Command::CreateProfile(p.new_profile(terms.clone()));
    assert_eq!(spoken(p.world.run(&new)), expected, "{terms:?}");
    let known = match terms {
        Terms::ManagedAccount { .. } => p.accounts,
        Terms::ManagedCard { .. } => p.prepaid,
        Terms::Transfer(_) => p.transfers,
        Terms::Corporate | Terms::Consumer => return,
    };
    let change = Command::ChangeProfile(ChangeProfile {
        terms: Some(terms.clone()),
        ..p.changing(known)
    });
    assert_eq!(
        spoken(p.world.run(&change)),
        expected,
        "changed to {terms:?}"
    );
}

fn transfers(fill: impl FnOnce(&mut TransferTerms)) -> Terms {
    let mut terms = free();
    fill(&mut terms);
    Terms::Transfer(terms)
}

fn accounts(max_balances: &[Amount], deposit_fees: &[(Currency, Fee)]) -> Terms {
    let line = |(currency, fee): &(Currency, Fee)| DepositFee {
        currency: *currency,
        fee: *fee,
    };
    Terms::ManagedAccount {
        max_balances: max_balances.to_vec(),
        deposit_fees: deposit_fees.iter().map(line).collect(),
    }
}

#[test]
fn what_profiles_may_say() {
    let half = rate(500_000);
    check_terms(&Terms::Corporate, "ok");
    check_terms(&Terms::Consumer, "ok");
    check_terms(&accounts(&[], &[]), "ok");
    check_terms(&accounts(&[usd(1), eur(1)], &[]), "ok");
    check_terms(
        &accounts(&[], &[(USD, Fee::Flat(0)), (EUR, Fee::Flat(1))]),
        "ok",
    );
    check_terms(&transfers(|_| {}), "ok");
    check_terms(&transfers(|t| t.pairs = Pair::ALL.to_vec()), "ok");
    check_terms(&transfers(|t| t.fees = fees(LINES_MAX)), "ok");
    check_terms(&transfers(|t| t.max_amounts = vec![usd(1), eur(2)]), "ok");
    let card = |max_balances| Terms::ManagedCard {
        mode: CardMode::Prepaid,
        max_balances,
    };
    check_terms(&card(vec![usd(1), eur(1)]), "ok");

    // Of two lines about the same thing none is guessed.
    let twice = [usd(1), eur(1), usd(2)];
    let (max_balances, deposits) = (
        "invalid_parameters max_balances",
        "invalid_parameters deposit_fees",
    );
    check_terms(&accounts(&twice, &[]), max_balances);
    check_terms(&card(twice.to_vec()), max_balances);
    let lines = [(USD, Fee::Flat(1)), (USD, Fee::Percentage(half))];
    check_terms(&accounts(&[], &lines), deposits);
    let pairs = transfers(|t| t.pairs = vec![TO_CARD, TO_ACCOUNT, TO_CARD]);
    check_terms(&pairs, "invalid_parameters pairs");
    let same = |t: &mut TransferTerms| {
        t.fees = vec![
            fee(TO_CARD, USD, Fee::Flat(1)),
            fee(TO_CARD, USD, Fee::Flat(1)),
        ];
    };
    check_terms(&transfers(same), "invalid_parameters fees");
    let maximums = transfers(|t| t.max_amounts = twice.to_vec());
    check_terms(&maximums, "invalid_parameters max_amounts");
    let denials = transfers(|t| t.deny_above = twice.to_vec());
    check_terms(&denials, "invalid_parameters deny_above");

    let many = transfers(|t| t.fees = fees(LINES_MAX + 1));
    check_terms(&many, "invalid_parameters fees");

    // A fee is no gift; its share cannot be one.
    for fee_of in [
        Fee::Flat(-1),
        Fee::Plus(-1, half),
        Fee::Min(-1, half),
        Fee::Max(-1, half),
        Fee::Flat(i64::MIN),
    ] {
        check_terms(
            &accounts(&[], &[(EUR, Fee::Flat(1)), (USD, fee_of)]),
            deposits,
        );
        let terms = transfers(|t| t.fees = vec![fee(TO_CARD, EUR, fee_of)]);
        check_terms(&terms, "invalid_parameters fees");
    }
    for fee_of in [
        Fee::Flat(i64::MAX),
        Fee::Percentage(half),
        Fee::Plus(0, rate(1_000_000)),
    ] {
        check_terms(&accounts(&[], &[(USD, fee_of)]), "ok");
    }
}

#[test]
fn refusals_of_making_one() {
    let mut p = Programme::new();
    let tenant = p.world.tenant;
    let twice = accounts(&[usd(1), usd(1)], &[]);
    let new = NewProfile {
        tenant: TenantId::new(3),
        name: Arc::from(""),
        currencies: vec![USD, EUR, USD],
        terms: twice,
    };
    let profiles = p.world.state.profiles().count();
    check(&mut p.world, new, Command::CreateProfile)
        .row("tenant_not_found", |_, _| {})
        .row("invalid_parameters name", |_, c| c.tenant = tenant)
        .row("invalid_parameters name", |_, c| c.name = Arc::from(" "))
        .row("invalid_parameters name", |_, c| {
            c.name = Arc::from("é".repeat(101));
        })
        .row("invalid_parameters currencies", |_, c| {
            c.name = Arc::from("é".repeat(100));
        })
        .row("invalid_parameters max_balances", |_, c| {
            c.currencies = vec![USD, EUR];
        })
        .row("ok", |_, c| c.terms = accounts(&[usd(1)], &[]))
        .end();
    assert_eq!(p.world.state.profiles().count(), profiles + 1);
}

#[test]
fn refusals_of_changing_one() {
    let mut p = Programme::new();
    let (tenant, transfers) = (p.world.tenant, p.transfers);
    let elsewhere = p.world.new_tenant(TenantMode::Sandbox).id;
    let change = ChangeProfile {
        tenant: TenantId::new(3),
        profile: ProfileId::new(9),
        name: Some(Arc::from("x".repeat(101))),
        active: None,
        currencies: Some(vec![USD, USD]),
        terms: Some(Terms::Corporate),
    };
    check(&mut p.world, change, Command::ChangeProfile)
        .row("tenant_not_found", |_, _| {})
        .row("profile_not_found", |_, c| c.tenant = tenant)
        // Another tenant's does not exist.
        .row("profile_not_found", |_, c| {
            (c.tenant, c.profile) = (elsewhere, transfers);
        })
        .row("invalid_parameters name", |_, c| c.tenant = tenant)
        .row("invalid_parameters currencies", |_, c| c.name = None)
        .row("invalid_parameters type", |_, c| c.currencies = None)
        .row("ok", |_, c| c.terms = None)
        .end();
}

/// What kind of object it is for, and how its cards pay, are said once.
#[test]
fn the_kind_never_changes() {
    let mut p = Programme::new();
    let corporate = p.profile(Terms::Corporate);
    let consumer = p.profile(Terms::Consumer);
    let cards = |mode| Terms::ManagedCard {
        mode,
        max_balances: vec![usd(5)],
    };
    let all = [
        (corporate, Terms::Corporate),
        (consumer, Terms::Consumer),
        (p.accounts, accounts(&[usd(5)], &[])),
        (p.prepaid, cards(CardMode::Prepaid)),
        (p.debit, cards(CardMode::Debit)),
        (p.transfers, transfers(|t| t.forex = true)),
    ];
    for (profile, own) in &all {
        for (_, terms) in &all {
            let before = p.world.state.profile(*profile).cloned();
            let change = Command::ChangeProfile(ChangeProfile {
                terms: Some(terms.clone()),
                ..p.changing(*profile)
            });
            let answer = spoken(p.world.run(&change));
            let same = terms == own;
            let expected = if same {
                "ok"
            } else {
                "invalid_parameters type"
            };
            assert_eq!(answer, expected, "{own:?} to {terms:?}");
            let after = p.world.state.profile(*profile).cloned();
            if same {
                assert_eq!(after.expect("it was made").terms, *terms);
            } else {
                assert_eq!(after, before, "a refusal leaves what was there");
            }
        }
    }
}

#[test]
fn what_is_not_named_stays_as_it_is() {
    let mut p = Programme::new();
    let new = NewProfile {
        currencies: vec![EUR, USD],
        ..p.new_profile(accounts(&[usd(7)], &[]))
    };
    let Ok(Reply::Profile(made)) = p.world.run(&Command::CreateProfile(new)) else {
        panic!("it may be made")
    };
    assert_eq!(made.tenant, p.world.tenant);
    assert!(made.active);
    assert_eq!((made.created_at, made.updated_at), (START, START));
    assert_eq!(made.currencies, [EUR, USD]);
    let mut expected = made.clone();
    let change = |p: &mut Programme, change: ChangeProfile, expected: &mut Profile| {
        p.world.now = p.world.now.plus(1);
        expected.updated_at = p.world.now;
        let reply = p.world.run(&Command::ChangeProfile(change));
        assert_eq!(reply, Ok(Reply::Profile(expected.clone())));
        assert_eq!(p.world.state.profile(expected.id), Some(&*expected));
    };
    let nothing = p.changing(made.id);
    change(&mut p, nothing.clone(), &mut expected);
    let rename = ChangeProfile {
        name: Some(Arc::from("Other")),
        ..nothing.clone()
    };
    expected.name = Arc::from("Other");
    change(&mut p, rename, &mut expected);
    let switch = ChangeProfile {
        active: Some(false),
        ..nothing.clone()
    };
    expected.active = false;
    change(&mut p, switch, &mut expected);
    let any_currency = ChangeProfile {
        currencies: Some(Vec::new()),
        ..nothing.clone()
    };
    expected.currencies = Vec::new();
    change(&mut p, any_currency, &mut expected);
    let unlimited = ChangeProfile {
        terms: Some(accounts(&[], &[])),
        ..nothing
    };
    expected.terms = accounts(&[], &[]);
    change(&mut p, unlimited, &mut expected);
}

/// A profile that is switched off lets what was made under it be used.
#[test]
fn switched_off() {
    let mut p = Programme::new();
    let (source, destination) = (p.account(10), p.account(0));
    p.switch(p.accounts, false);
    let opening = p.opening(ledger::InstrumentClass::Account);
    let refused = p.world.run(&Command::OpenInstrument(opening.clone()));
    assert_eq!(refused, Err(Rejection::ProfileInactive));
    let order = p.order(source, destination, 10);
    p.transfer(order).expect("both are open");
    p.switch(p.accounts, true);
    p.open(opening);
}
