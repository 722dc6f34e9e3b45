use ledger::transfer::Origin;
use ledger::{
    AccountKind, AccountState, Currency, MoneyOut, OwnerId, PlaceHold, ProfileId, TenantMode,
};

use super::*;
use crate::multi::UserFacts;
use crate::multi::ground::{Ground, eur, reference};
use crate::multi::{Credentials, Person, Reference, Surface};

const ACCOUNT: InstrumentClass = InstrumentClass::Account;
const CARD: InstrumentClass = InstrumentClass::Card;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, expected: Conflict) {
    match result {
        Err(Error::Conflict(conflict)) => assert_eq!(conflict, expected),
        other => panic!("{other:?}, not {expected:?}"),
    }
}

#[track_caller]
fn not_found<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.expect_err("nobody has it");
    assert!(
        matches!(error, Error::Service(crate::Error::NotFound { .. })),
        "{error:?}"
    );
}

#[track_caller]
fn reused<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.expect_err("the reference is another call's");
    assert!(
        matches!(error, Error::Service(crate::Error::KeyReused)),
        "{error:?}"
    );
}

/// Done by whoever blocks and closes besides the user.
async fn set_state(ground: &Ground, id: AccountId, reason: StateReason, state: AccountState) {
    ground
        .command(Command::SetAccountState {
            tenant: ground.actor.tenant,
            owner: None,
            account: id,
            reason,
            state,
        })
        .await;
}

#[tokio::test]
async fn instruments_are_the_ledgers_accounts() {
    let ground = Ground::new().await;
    let new = NewInstrument {
        tag: Some(Arc::from("t")),
        ..ground.account()
    };
    let account = ground.open(new).await;
    assert_eq!(account.kind, AccountKind::Pod);
    assert_eq!(account.owner, ground.actor.owner);
    assert_eq!(account.profile, Some(ground.accounts));
    assert_eq!(
        (&*account.name, account.tag.as_deref()),
        ("Main", Some("t"))
    );
    assert_eq!((account.currency, account.balance), (Currency::EUR, 0));
    let prepaid = ground.open(ground.prepaid()).await;
    assert_eq!(prepaid.kind, AccountKind::PrepaidCard);
    assert_eq!(prepaid.details.as_deref(), Some("{}"));
    assert_eq!(
        prepaid.number_last_four.as_ref().map(|four| four.len()),
        Some(4)
    );
    let debit = ground.open(ground.debit(account.id)).await;
    assert_eq!(debit.kind, AccountKind::DebitCard);
    assert_eq!(
        (debit.parent, debit.currency),
        (Some(account.id), Currency::EUR)
    );
    for opened in [&account, &prepaid, &debit] {
        assert_eq!(ground.now(opened).await, *opened);
    }
}

#[tokio::test]
async fn another_class_or_identity_has_no_such_instrument() {
    let ground = Ground::new().await;
    let other = ground.other("eve@example.com").await;
    let account = ground.open(ground.account()).await;
    let service = &ground.bed.service;
    for (actor, class, id) in [
        (&ground.actor, CARD, account.id),
        (&other, ACCOUNT, account.id),
        (&ground.actor, ACCOUNT, AccountId::new(0)),
        (&ground.actor, ACCOUNT, AccountId::new(u64::MAX)),
    ] {
        not_found(service.instrument(actor, class, id).await);
        let change = InstrumentChange::default();
        not_found(
            service
                .change_instrument(actor, class, id, change, |_| None)
                .await,
        );
        not_found(service.block_instrument(actor, class, id, None).await);
        not_found(service.unblock_instrument(actor, class, id, None).await);
        not_found(service.remove_instrument(actor, class, id).await);
    }
    assert_eq!(ground.now(&account).await, account);
}

/// Opens an instrument that is refused.
async fn check_refused(ground: &Ground, new: NewInstrument, expected: Conflict) {
    let service = &ground.bed.service;
    refused(
        service
            .open_instrument(&ground.actor, new.clone(), None)
            .await,
        expected,
    );
    // The refusal is given again, even when nothing is in the way any more.
    let mark = reference(expected.code());
    for _ in 0..2 {
        let opened = service.open_instrument(&ground.actor, new.clone(), Some(&mark));
        refused(opened.await, expected);
    }
}

#[tokio::test]
async fn every_conflict_of_opening_happens() {
    let ground = Ground::new().await;
    let account = ground.open(ground.account()).await;
    let good = || ground.account();
    for profile in [ProfileId::new(0), ground.prepaid] {
        let new = NewInstrument { profile, ..good() };
        let opened = ground.bed.service.open_instrument(&ground.actor, new, None);
        refused(opened.await, Conflict::ProfileNotFound);
    }
    let new = NewInstrument {
        profile: ground.transfers,
        ..good()
    };
    check_refused(&ground, new, Conflict::ProfileNotFound).await;
    ground.set_active(ground.prepaid, false).await;
    check_refused(&ground, ground.prepaid(), Conflict::ProfileInactive).await;
    ground.set_active(ground.prepaid, true).await;
    for currency in [Some(Currency::GBP), None] {
        let new = NewInstrument { currency, ..good() };
        let opened = ground.bed.service.open_instrument(&ground.actor, new, None);
        refused(opened.await, Conflict::CurrencyNotSupportedByProfile);
    }
    let new = NewInstrument {
        currency: None,
        ..ground.prepaid()
    };
    check_refused(&ground, new, Conflict::CurrencyNotSupportedByProfile).await;
    let as_debit = NewInstrument {
        profile: ground.prepaid,
        ..ground.debit(account.id)
    };
    let opened = ground
        .bed
        .service
        .open_instrument(&ground.actor, as_debit, None);
    refused(opened.await, Conflict::PaymentModelConstraintsViolated);
    let as_prepaid = NewInstrument {
        profile: ground.debit,
        ..ground.prepaid()
    };
    check_refused(
        &ground,
        as_prepaid,
        Conflict::PaymentModelConstraintsViolated,
    )
    .await;
    let nobody = ground.debit(AccountId::new(1));
    check_refused(&ground, nobody, Conflict::ParentManagedAccountNotFound).await;
    set_state(
        &ground,
        account.id,
        StateReason::User,
        AccountState::Blocked,
    )
    .await;
    let blocked = ground.debit(account.id);
    check_refused(&ground, blocked, Conflict::ParentManagedAccountNotActive).await;
    let new = NewInstrument {
        has_user_currency: true,
        ..ground.debit(account.id)
    };
    check_refused(&ground, new, Conflict::UserCurrencyNotEnabled).await;
    let holder = |country: Option<&str>, users: Vec<u64>| NewInstrument {
        holder: Holder {
            country: country.map(str::to_owned),
            users,
        },
        ..ground.prepaid()
    };
    check_refused(
        &ground,
        holder(Some("XX"), Vec::new()),
        Conflict::CountryInvalid,
    )
    .await;
    check_refused(&ground, holder(None, vec![7]), Conflict::LinkedUserNotFound).await;
    let root = ground.actor.owner.raw();
    ground.open(holder(Some("MT"), vec![root])).await;
}

#[tokio::test]
async fn a_parent_is_of_the_same_identity() {
    let ground = Ground::new().await;
    let other = ground.other("eve@example.com").await;
    let account = ground.open(ground.account()).await;
    let new = ground.debit(account.id);
    let opened = ground.bed.service.open_instrument(&other, new, None);
    refused(opened.await, Conflict::ParentManagedAccountNotFound);
}

#[tokio::test]
async fn a_card_is_linked_to_active_users_of_its_identity() {
    let ground = Ground::new().await;
    let other = ground.other("eve@example.com").await;
    let (bed, service) = (&ground.bed, &ground.bed.service);
    let login = bed.password(ground.actor.owner.raw()).await;
    let caller = service.caller(&bed.programme, &login.token, Surface::Multi);
    let caller = caller.expect("live");
    assert_eq!(caller.credentials, Credentials::Root);
    let person = Person {
        name: "Bob".to_owned(),
        surname: "Byron".to_owned(),
        email: "bob@example.com".to_owned(),
        ..Person::default()
    };
    let user = service
        .create_user(&caller, person, None)
        .await
        .expect("new");
    let facts: &UserFacts = &user.facts;
    assert!(facts.active);
    let linked = |id| NewInstrument {
        holder: Holder {
            country: None,
            users: vec![id],
        },
        ..ground.prepaid()
    };
    let card = ground.open(linked(user.id)).await;
    let opened = service.open_instrument(&other, linked(user.id), None);
    refused(opened.await, Conflict::LinkedUserNotFound);
    service
        .set_user_active(&caller, user.id, false)
        .await
        .expect("it is another's");
    let opened = service.open_instrument(&ground.actor, linked(user.id), None);
    refused(opened.await, Conflict::UserInactive);
    let change = InstrumentChange {
        holder: linked(user.id).holder,
        ..InstrumentChange::default()
    };
    let changed = service.change_instrument(&ground.actor, CARD, card.id, change, |_| None);
    refused(changed.await, Conflict::UserInactive);
}

#[tokio::test]
async fn an_identity_is_verified_first() {
    let ground = Ground::unverified(TenantMode::Sandbox).await;
    check_refused(
        &ground,
        ground.account(),
        Conflict::OwnerIdentityNotVerified,
    )
    .await;
    ground.verify().await;
    check_again(&ground, Conflict::OwnerIdentityNotVerified).await;
    ground.open(ground.account()).await;
}

async fn check_again(ground: &Ground, expected: Conflict) {
    let mark = reference(expected.code());
    let service = &ground.bed.service;
    let opened = service.open_instrument(&ground.actor, ground.account(), Some(&mark));
    refused(opened.await, expected);
}

#[tokio::test]
async fn a_repeated_reference_opens_nothing_and_gets_the_first_answer() {
    let mut ground = Ground::new().await;
    let mark = reference("k");
    let service = &ground.bed.service;
    let first = service.open_instrument(&ground.actor, ground.account(), Some(&mark));
    let first = first.await.expect("new");
    let renamed = NewInstrument {
        name: Arc::from("Other"),
        ..ground.account()
    };
    reused(
        service
            .open_instrument(&ground.actor, renamed, Some(&mark))
            .await,
    );
    // Another operation or identity has references of its own.
    let card = service.open_instrument(&ground.actor, ground.prepaid(), Some(&mark));
    assert_ne!(card.await.expect("new").id, first.id);
    let other = ground.other("eve@example.com").await;
    let others = service.open_instrument(&other, ground.account(), Some(&mark));
    assert_ne!(others.await.expect("new").id, first.id);
    // Whatever has happened to it since.
    ground.deposit(&first, 500).await;
    let blocked = service.block_instrument(&ground.actor, ACCOUNT, first.id, None);
    blocked.await.expect("it was active");
    ground.bed = ground.bed.reopen().await;
    let again = async |ground: &Ground| {
        let (service, new) = (&ground.bed.service, ground.account());
        let mark = reference("k");
        let opened = service.open_instrument(&ground.actor, new, Some(&mark));
        opened.await.expect("known")
    };
    assert_eq!(again(&ground).await, first);
    // After a day it is answered as it is.
    ground.bed.clock.advance(24 * 60 * 60 * 1_000);
    let late = again(&ground).await;
    assert_eq!((late.id, late.balance), (first.id, 500));
    assert_eq!(late.state, AccountState::Blocked);
}

#[tokio::test]
async fn accounts_are_blocked_and_unblocked_by_the_codes() {
    let ground = Ground::new().await;
    let (service, actor) = (&ground.bed.service, &ground.actor);
    let id = ground.open(ground.account()).await.id;
    let block = |mark: Option<Reference>| async move {
        service
            .block_instrument(actor, ACCOUNT, id, mark.as_ref())
            .await
    };
    let unblock = |mark: Option<Reference>| async move {
        service
            .unblock_instrument(actor, ACCOUNT, id, mark.as_ref())
            .await
    };
    refused(unblock(None).await, Conflict::InstrumentNotBlocked);
    let mark = Some(reference("k"));
    for _ in 0..2 {
        block(mark.clone()).await.expect("done, then done before");
    }
    refused(block(None).await, Conflict::InstrumentAlreadyBlocked);
    // The same reference of another operation is another.
    unblock(mark.clone()).await.expect("the user's own block");
    block(mark).await.expect("done before: nothing happens");
    let now = service.instrument(actor, ACCOUNT, id).await.expect("there");
    assert_eq!(now.state, AccountState::Active);
    set_state(&ground, id, StateReason::System, AccountState::Blocked).await;
    let mark = Some(reference("system"));
    for _ in 0..2 {
        refused(unblock(mark.clone()).await, Conflict::InstrumentInactive);
    }
    service
        .remove_instrument(actor, ACCOUNT, id)
        .await
        .expect("empty");
    refused(block(None).await, Conflict::InstrumentDestroyed);
    refused(unblock(None).await, Conflict::InstrumentDestroyed);
    let removed = service.remove_instrument(actor, ACCOUNT, id).await;
    refused(removed, Conflict::InstrumentAlreadyRemoved);
    let change =
        service.change_instrument(actor, ACCOUNT, id, InstrumentChange::default(), |_| None);
    refused(change.await, Conflict::InstrumentDestroyed);
    let now = service.instrument(actor, ACCOUNT, id).await.expect("there");
    assert_eq!(now.reason, Some(StateReason::User));
}

#[tokio::test]
async fn a_reference_is_bound_to_the_instrument() {
    let ground = Ground::new().await;
    let (service, actor) = (&ground.bed.service, &ground.actor);
    let one = ground.open(ground.account()).await;
    let two = ground.open(ground.account()).await;
    let mark = reference("k");
    let block = |id| service.block_instrument(actor, ACCOUNT, id, Some(&mark));
    block(one.id).await.expect("it was active");
    reused(block(two.id).await);
    assert_eq!(ground.now(&two).await.state, AccountState::Active);
}

#[tokio::test]
async fn lost_cards_have_a_code_of_their_own() {
    let ground = Ground::new().await;
    let (service, actor) = (&ground.bed.service, &ground.actor);
    let card = ground.open(ground.prepaid()).await;
    set_state(&ground, card.id, StateReason::Lost, AccountState::Blocked).await;
    let block = service.block_instrument(actor, CARD, card.id, None).await;
    refused(block, Conflict::InstrumentMarkedLostStolen);
    let unblock = service.unblock_instrument(actor, CARD, card.id, None).await;
    refused(unblock, Conflict::InstrumentMarkedLostStolen);
    let card = ground.open(ground.prepaid()).await;
    set_state(&ground, card.id, StateReason::System, AccountState::Blocked).await;
    let block = service.block_instrument(actor, CARD, card.id, None).await;
    refused(block, Conflict::InstrumentAlreadyBlocked);
    let unblock = service.unblock_instrument(actor, CARD, card.id, None).await;
    refused(unblock, Conflict::InstrumentNotBlocked);
}

#[tokio::test]
async fn only_what_is_empty_and_unused_is_removed() {
    let ground = Ground::new().await;
    let (service, actor) = (&ground.bed.service, &ground.actor);
    let account = ground.open(ground.account()).await;
    let prepaid = ground.open(ground.prepaid()).await;
    let debit = ground.open(ground.debit(account.id)).await;
    let remove = |class, id| service.remove_instrument(actor, class, id);
    refused(
        remove(ACCOUNT, account.id).await,
        Conflict::InstrumentHasLinkedCards,
    );
    remove(CARD, debit.id).await.expect("it has no balance");
    ground.deposit(&account, 100).await;
    refused(remove(ACCOUNT, account.id).await, Conflict::BalanceNotZero);
    let spend = MoneyOut {
        tenant: actor.tenant,
        source: account.id,
        amount: eur(100),
        origin: Origin::ExternalPull,
        description: None,
    };
    ground.command(Command::MoneyOut(spend)).await;
    let later = ledger::TransferOrder {
        profile: ground.transfers,
        source: ledger::Instrument {
            id: account.id,
            class: ACCOUNT,
        },
        destination: ledger::Instrument {
            id: prepaid.id,
            class: CARD,
        },
        currency: Some(Currency::EUR),
        amount_minor: 5,
        tag: None,
        description: None,
        scheduled_at: Some(ledger::Millis(4_000_000_000_000)),
    };
    ground
        .command(Command::Transfer(ledger::ProfileTransfer {
            tenant: actor.tenant,
            owner: actor.owner,
            key: None,
            order: later,
        }))
        .await;
    refused(
        remove(ACCOUNT, account.id).await,
        Conflict::InstrumentHasPendingActions,
    );
    // A card has no such code.
    refused(remove(CARD, prepaid.id).await, Conflict::BalanceNotZero);
    let card = ground.open(ground.prepaid()).await;
    let refund = ledger::MoneyIn {
        tenant: actor.tenant,
        destination: card.id,
        amount: eur(1),
        origin: Origin::CardRefund,
        description: None,
    };
    ground.command(Command::MoneyIn(refund)).await;
    refused(remove(CARD, card.id).await, Conflict::BalanceNotZero);
    let hold = PlaceHold {
        tenant: actor.tenant,
        account: card.id,
        amount: eur(1),
        expires_at: None,
    };
    ground.command(Command::PlaceHold(hold)).await;
    let held = ground.now(&card).await;
    assert_eq!((held.balance, held.available()), (1, 0));
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let ground = Ground::new().await;
    let (service, actor) = (&ground.bed.service, &ground.actor);
    let card = ground.open(ground.prepaid()).await;
    let change = |change| service.change_instrument(actor, CARD, card.id, change, |_| None);
    let named = InstrumentChange {
        name: Some(Arc::from("Travel")),
        tag: Some(Arc::from("t")),
        ..InstrumentChange::default()
    };
    let named = change(named).await.expect("active");
    assert_eq!((&*named.name, named.tag.as_deref()), ("Travel", Some("t")));
    assert_eq!(named.details, card.details);
    let nothing = InstrumentChange::default();
    let one = |_: &Account| Some(Arc::from("[1]"));
    let detailed = service.change_instrument(actor, CARD, card.id, nothing, one);
    let detailed = detailed.await.expect("active");
    assert_eq!(
        (&*detailed.name, detailed.details.as_deref()),
        ("Travel", Some("[1]"))
    );
    assert_eq!(ground.now(&card).await, detailed);
    let abroad = InstrumentChange {
        holder: Holder {
            country: Some("ZZ".to_owned()),
            users: Vec::new(),
        },
        ..InstrumentChange::default()
    };
    refused(change(abroad).await, Conflict::CountryInvalid);
    let plastic = InstrumentChange {
        needs_plastic: true,
        ..InstrumentChange::default()
    };
    refused(change(plastic).await, Conflict::InstrumentNotPhysical);
}

#[tokio::test]
async fn what_is_malformed_binds_no_reference() {
    let ground = Ground::new().await;
    let mark = reference("k");
    let service = &ground.bed.service;
    let wrong = NewInstrument {
        name: Arc::from("two\nlines"),
        ..ground.account()
    };
    let opened = service
        .open_instrument(&ground.actor, wrong, Some(&mark))
        .await;
    let error = opened.expect_err("a control character");
    assert!(
        matches!(
            error,
            Error::Service(crate::Error::Rejected(Rejection::Invalid { .. }))
        ),
        "{error:?}"
    );
    let large = NewInstrument {
        details: Some(Arc::from("x".repeat(ledger::DETAILS_MAX + 1))),
        ..ground.prepaid()
    };
    assert!(
        service
            .open_instrument(&ground.actor, large, Some(&mark))
            .await
            .is_err()
    );
    let opened = service.open_instrument(&ground.actor, ground.account(), Some(&mark));
    opened.await.expect("the reference is free");
}

/// An owner that only an operator knows of has nothing to verify.
#[tokio::test]
async fn an_owner_without_an_identity_answers_for_itself() {
    let ground = Ground::new().await;
    let (bed, service) = (&ground.bed, &ground.bed.service);
    let owner = service
        .create_owner(bed.programme.tenant, ledger::OwnerKind::Corporate, "Ours")
        .await
        .expect("a name");
    let actor = Actor {
        owner: OwnerId::new(owner.id.raw()),
        ..ground.actor
    };
    let opened = service.open_instrument(&actor, ground.account(), None);
    assert_eq!(opened.await.expect("ours").owner, owner.id);
}
