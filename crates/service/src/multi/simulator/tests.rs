use ledger::Origin;

use super::*;
use crate::multi::ground::Ground;

fn money(instrument: AccountId, amount_minor: i64, currency: Option<Currency>) -> Simulated {
    Simulated {
        instrument,
        amount_minor,
        currency,
        description: Some(Arc::from("Café")),
    }
}

async fn set_state(ground: &Ground, id: AccountId, state: AccountState) {
    ground
        .command(Command::SetAccountState {
            tenant: ground.actor.tenant,
            owner: None,
            account: id,
            reason: StateReason::System,
            state,
        })
        .await;
}

#[tokio::test]
async fn every_outcome_of_a_deposit() {
    let ground = Ground::new().await;
    let account = ground.open(ground.account()).await;
    let card = ground.open(ground.prepaid()).await;
    let (tenant, eur) = (ground.actor.tenant, Some(Currency::EUR));
    let check = async |money: Simulated, expected: Outside| {
        let done = ground.bed.service.simulate_deposit(tenant, money.clone());
        assert_eq!(done.await.expect("a sandbox"), expected, "{money:?}");
    };
    check(money(AccountId::new(0), 5, eur), Outside::NotFound).await;
    check(money(card.id, 5, eur), Outside::NotFound).await;
    for amount in [0, -1, i64::MIN] {
        check(money(account.id, amount, eur), Outside::AmountNotPositive).await;
    }
    for currency in [None, Some(Currency::USD)] {
        check(money(account.id, 5, currency), Outside::CurrencyDiffers).await;
    }
    check(money(account.id, i64::MAX, eur), Outside::Done).await;
    check(money(account.id, 1, eur), Outside::Denied).await;
    assert_eq!(ground.now(&account).await.balance, i64::MAX);
    set_state(&ground, account.id, AccountState::Blocked).await;
    check(money(account.id, 5, eur), Outside::Inactive).await;
}

#[tokio::test]
async fn every_outcome_of_a_purchase() {
    let ground = Ground::new().await;
    let account = ground.open(ground.account()).await;
    let debit = ground.open(ground.debit(account.id)).await;
    let (tenant, eur) = (ground.actor.tenant, Some(Currency::EUR));
    let service = &ground.bed.service;
    let check = async |money: Simulated, expected: Outside| {
        let done = service.simulate_purchase(tenant, money.clone());
        assert_eq!(done.await.expect("a sandbox"), expected, "{money:?}");
    };
    check(money(account.id, 5, eur), Outside::NotFound).await;
    check(money(debit.id, 0, eur), Outside::AmountNotPositive).await;
    check(
        money(debit.id, 5, Some(Currency::GBP)),
        Outside::CurrencyDiffers,
    )
    .await;
    check(money(debit.id, 5, eur), Outside::InsufficientFunds).await;
    ground.deposit(&account, 10).await;
    check(money(debit.id, 4, eur), Outside::Done).await;
    assert_eq!(ground.now(&account).await.balance, 6);
    let refund = service.simulate_refund(tenant, money(debit.id, 3, eur));
    assert_eq!(refund.await.expect("a sandbox"), Outside::Done);
    assert_eq!(ground.now(&account).await.balance, 9);
    set_state(&ground, debit.id, AccountState::Blocked).await;
    check(money(debit.id, 4, eur), Outside::Inactive).await;
    set_state(&ground, debit.id, AccountState::Active).await;
    set_state(&ground, account.id, AccountState::Blocked).await;
    check(money(debit.id, 4, eur), Outside::Inactive).await;
    let prepaid = ground.open(ground.prepaid()).await;
    let refund = service.simulate_refund(tenant, money(prepaid.id, 3, eur));
    assert_eq!(refund.await.expect("a sandbox"), Outside::Done);
    check(money(prepaid.id, 3, eur), Outside::Done).await;
    assert_eq!(ground.now(&prepaid).await.balance, 0);
}

/// In a dollar account a deposit costs 1 %.
#[tokio::test]
async fn a_deposit_fee_is_taken_out_of_the_deposit() {
    let ground = Ground::new().await;
    let new = crate::multi::NewInstrument {
        currency: Some(Currency::USD),
        ..ground.account()
    };
    let account = ground.open(new).await;
    ground.deposit(&account, 1_050).await;
    // Half a cent goes to the even neighbour: 10.5 is 10.
    assert_eq!(ground.now(&account).await.balance, 1_040);
    let total = ground.bed.service.store().owner_total(ground.actor.owner);
    assert_eq!(total.await.expect("reads work"), 0);
}

#[tokio::test]
async fn an_empty_card_expires() {
    let ground = Ground::new().await;
    let (tenant, service) = (ground.actor.tenant, &ground.bed.service);
    let card = ground.open(ground.prepaid()).await;
    let eur = Some(Currency::EUR);
    let refund = service.simulate_refund(tenant, money(card.id, 3, eur));
    assert_eq!(refund.await.expect("a sandbox"), Outside::Done);
    let conflict = |result: Result<()>| match result {
        Err(Error::Conflict(conflict)) => conflict,
        other => panic!("{other:?}"),
    };
    let full = service.simulate_expiry(tenant, card.id).await;
    assert_eq!(conflict(full), Conflict::InstrumentNotExpirable);
    let spent = service.simulate_purchase(tenant, money(card.id, 3, eur));
    assert_eq!(spent.await.expect("a sandbox"), Outside::Done);
    service
        .simulate_expiry(tenant, card.id)
        .await
        .expect("empty");
    let now = ground.now(&card).await;
    assert_eq!(
        (now.state, now.reason),
        (AccountState::Destroyed, Some(StateReason::Expired))
    );
    let again = service.simulate_expiry(tenant, card.id).await;
    assert_eq!(conflict(again), Conflict::InstrumentDestroyed);
    let account = ground.open(ground.account()).await;
    assert!(service.simulate_expiry(tenant, account.id).await.is_err());
}

#[tokio::test]
async fn live_programmes_have_no_play_money() {
    let ground = Ground::unverified(TenantMode::Live).await;
    let tenant = ground.actor.tenant;
    let nobody = || money(AccountId::new(1), 5, Some(Currency::EUR));
    let service = &ground.bed.service;
    for refused in [
        service.simulate_deposit(tenant, nobody()).await,
        service.simulate_purchase(tenant, nobody()).await,
        service.simulate_refund(tenant, nobody()).await,
    ] {
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    }
    let expired = service.simulate_expiry(tenant, AccountId::new(1)).await;
    assert!(matches!(expired, Err(Error::Forbidden)), "{expired:?}");
}

#[tokio::test]
async fn what_it_was_for_is_kept() {
    let ground = Ground::new().await;
    let account = ground.open(ground.account()).await;
    let tenant = ground.actor.tenant;
    let service = &ground.bed.service;
    let done = service.simulate_deposit(tenant, money(account.id, 5, Some(Currency::EUR)));
    assert_eq!(done.await.expect("a sandbox"), Outside::Done);
    let entries = service
        .entries(tenant, account.id, None, 10)
        .await
        .expect("reads work");
    let transfer = service
        .any_transfer(tenant, entries[0].transfer)
        .await
        .expect("there");
    assert_eq!(transfer.transfer.origin, Origin::Deposit);
    assert_eq!(transfer.transfer.description.as_deref(), Some("Café"));
}
