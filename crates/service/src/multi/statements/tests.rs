use ledger::{
    Command, CreateTransfer, Currency, ExternalKind, Instrument, OpenAccount, ProfileTransfer,
    Reply, Side, TransferOrder,
};

use super::*;
use crate::multi::ground::{Ground, eur};
use crate::multi::{Outside, Simulated};

const ACCOUNT: InstrumentClass = InstrumentClass::Account;
const CARD: InstrumentClass = InstrumentClass::Card;

const ALL: StatementQuery = StatementQuery {
    from: None,
    to: None,
    newest_first: true,
    movements: None,
    settled_only: false,
    offset: 0,
    limit: 500,
};

async fn statement(ground: &Ground, account: &Account, query: &StatementQuery) -> Statement {
    let class = account.kind.instrument().expect("an instrument");
    let service = &ground.bed.service;
    let found = service.statement(&ground.actor, class, account.id, query);
    found.await.expect("it is there")
}

/// What each line says: movement, signed amount, balance after it.
fn told(statement: &Statement) -> Vec<(Movement, i64, i64)> {
    let lines = statement.lines.iter();
    lines
        .map(|line| {
            let amount = match line.entry.side {
                Side::Debit => -line.entry.amount_minor,
                Side::Credit => line.entry.amount_minor,
            };
            let movement = Movement::of(&line.transfer.transfer);
            (movement, amount, line.entry.balance_after)
        })
        .collect()
}

async fn transfer(ground: &Ground, from: &Account, to: &Account, amount_minor: i64) {
    let instrument = |account: &Account| Instrument {
        id: account.id,
        class: account.kind.instrument().expect("an instrument"),
    };
    let order = TransferOrder {
        profile: ground.transfers,
        source: instrument(from),
        destination: instrument(to),
        currency: Some(Currency::EUR),
        amount_minor,
        tag: None,
        description: None,
        scheduled_at: None,
    };
    ground
        .command(Command::Transfer(ProfileTransfer {
            tenant: ground.actor.tenant,
            owner: ground.actor.owner,
            key: None,
            order,
        }))
        .await;
}

fn at_merchant(card: &Account, amount_minor: i64) -> Simulated {
    Simulated {
        instrument: card.id,
        amount_minor,
        currency: Some(Currency::EUR),
        description: None,
    }
}

async fn purchase(ground: &Ground, card: &Account, amount_minor: i64) {
    let (service, tenant) = (&ground.bed.service, ground.actor.tenant);
    let done = service.simulate_purchase(tenant, at_merchant(card, amount_minor));
    assert_eq!(done.await.expect("a sandbox"), Outside::Done);
}

async fn refund(ground: &Ground, card: &Account, amount_minor: i64) {
    let (service, tenant) = (&ground.bed.service, ground.actor.tenant);
    let done = service.simulate_refund(tenant, at_merchant(card, amount_minor));
    assert_eq!(done.await.expect("a sandbox"), Outside::Done);
}

#[tokio::test]
async fn both_sides_of_a_transfer_with_its_fee() {
    let ground = Ground::new().await;
    let main = ground.open(ground.account()).await;
    let reserve = ground.open(ground.account()).await;
    ground.deposit(&main, 5_000).await;
    transfer(&ground, &main, &reserve, 1_000).await;
    let source = statement(&ground, &main, &ALL).await;
    // A fee of 10 and 1 %, in one entry with the amount.
    let expected = [
        (Movement::Transfer, -1_020, 3_980),
        (Movement::Deposit, 5_000, 5_000),
    ];
    assert_eq!(told(&source), expected);
    assert_eq!((source.count, source.balances), (2, Some((0, 3_980))));
    let made = &source.lines[0].transfer;
    assert_eq!(made.transfer.fee_minor, 20);
    let other = made.destination.as_ref().expect("an account");
    assert_eq!((other.id, &*other.name), (reserve.id, "Main"));
    let destination = statement(&ground, &reserve, &ALL).await;
    assert_eq!(told(&destination), [(Movement::Transfer, 1_000, 1_000)]);
    assert_eq!(destination.balances, Some((0, 1_000)));
}

#[tokio::test]
async fn a_window_has_the_balances_around_it() {
    let ground = Ground::new().await;
    let account = ground.open(ground.account()).await;
    let begin = ground.bed.clock_ms();
    for amount in [1, 20, 300, 4_000] {
        ground.deposit(&account, amount).await;
        ground.bed.clock.advance(10);
    }
    let window = |from: i64, to: i64| StatementQuery {
        from: Some(Millis(begin + from)),
        to: Some(Millis(begin + to)),
        newest_first: false,
        ..ALL
    };
    // Both ends are included.
    let middle = statement(&ground, &account, &window(10, 20)).await;
    let expected = [(Movement::Deposit, 20, 21), (Movement::Deposit, 300, 321)];
    assert_eq!(told(&middle), expected);
    assert_eq!((middle.count, middle.balances), (2, Some((1, 321))));
    let second = StatementQuery {
        offset: 1,
        limit: 1,
        ..window(10, 20)
    };
    let second = statement(&ground, &account, &second).await;
    assert_eq!(told(&second), expected[1..]);
    assert_eq!((second.count, second.balances), (2, Some((1, 321))));
    let beyond = StatementQuery {
        offset: 2,
        ..window(10, 20)
    };
    assert_eq!(told(&statement(&ground, &account, &beyond).await), []);
    for (from, to, balance) in [(11, 19, 21), (-20, -10, 0), (31, 40, 4_321)] {
        let nothing = statement(&ground, &account, &window(from, to)).await;
        assert_eq!((told(&nothing), nothing.count), (vec![], 0));
        assert_eq!(nothing.balances, Some((balance, balance)));
    }
}

#[tokio::test]
async fn movements_are_told_apart_and_chosen() {
    let ground = Ground::new().await;
    let account = ground.open(ground.account()).await;
    let card = ground.open(ground.prepaid()).await;
    let debit = ground.open(ground.debit(account.id)).await;
    ground.deposit(&account, 1_000).await;
    transfer(&ground, &account, &card, 100).await;
    purchase(&ground, &card, 30).await;
    refund(&ground, &card, 5).await;
    purchase(&ground, &debit, 40).await;
    let spent = statement(&ground, &card, &ALL).await;
    let expected = [
        (Movement::Refund, 5, 75),
        (Movement::Purchase, -30, 70),
        (Movement::Transfer, 100, 100),
    ];
    assert_eq!(told(&spent), expected);
    // What a debit card spends stands in its account's statement and in its own, which has no
    // balances; what another card of the account spends does not.
    let other = ground.open(ground.debit(account.id)).await;
    purchase(&ground, &other, 7).await;
    refund(&ground, &debit, 3).await;
    let own = statement(&ground, &debit, &ALL).await;
    let expected = [(Movement::Refund, 3, 856), (Movement::Purchase, -40, 860)];
    assert_eq!((told(&own), own.count), (expected.to_vec(), 2));
    assert_eq!(own.balances, None);
    let bought = StatementQuery {
        movements: Some(vec![Movement::Purchase]),
        ..ALL
    };
    let bought = statement(&ground, &debit, &bought).await;
    assert_eq!(told(&bought), expected[1..]);
    let main = statement(&ground, &account, &ALL).await;
    assert_eq!(told(&main)[1], (Movement::Purchase, -7, 853));
    let only = |movements: Vec<Movement>| StatementQuery {
        movements: Some(movements),
        newest_first: false,
        ..ALL
    };
    let wanted = only(vec![Movement::Transfer, Movement::Purchase]);
    let chosen = statement(&ground, &card, &wanted).await;
    assert_eq!(
        told(&chosen),
        [
            (Movement::Transfer, 100, 100),
            (Movement::Purchase, -30, 70)
        ]
    );
    assert_eq!((chosen.count, chosen.balances), (2, Some((0, 75))));
    let second = StatementQuery {
        offset: 1,
        limit: 1,
        ..wanted
    };
    let second = statement(&ground, &card, &second).await;
    assert_eq!(told(&second), [(Movement::Purchase, -30, 70)]);
    assert_eq!(second.count, 2);
    let none = statement(&ground, &card, &only(Vec::new())).await;
    assert_eq!((told(&none), none.count), (vec![], 0));
    assert_eq!(none.balances, Some((0, 75)));
}

/// More entries than are looked at together.
#[tokio::test]
async fn a_choice_goes_through_every_entry() {
    let ground = Ground::new().await;
    let card = ground.open(ground.prepaid()).await;
    for number in 0..RUN + 20 {
        refund(&ground, &card, 2).await;
        if number % 100 == 0 {
            purchase(&ground, &card, 1).await;
        }
    }
    let query = StatementQuery {
        movements: Some(vec![Movement::Purchase]),
        offset: 1,
        limit: 3,
        ..ALL
    };
    let chosen = statement(&ground, &card, &query).await;
    assert_eq!((chosen.lines.len(), chosen.count), (3, 6));
}

#[tokio::test]
async fn money_on_its_way_out_is_not_settled() {
    let ground = Ground::new().await;
    let (service, actor) = (&ground.bed.service, &ground.actor);
    let account = ground.open(ground.account()).await;
    ground.deposit(&account, 1_000).await;
    let bank = service
        .open_account(OpenAccount {
            tenant: actor.tenant,
            owner: actor.owner,
            kind: AccountKind::External(ExternalKind::Depository),
            name: "Bank".into(),
            description: None,
            institution: None,
            number_last_four: None,
            routing_last_four: None,
            currency: Currency::EUR,
            can_be_source: None,
            can_be_destination: None,
            reported: ledger::account::Reported::default(),
        })
        .await
        .expect("a good account");
    let reply = ground
        .command(Command::CreateTransfer(CreateTransfer {
            tenant: actor.tenant,
            key: None,
            source: account.id,
            destination: bank.id,
            amount: eur(300),
            rail_delay_ms: 5_000,
            description: None,
            needs_approval: false,
            fails_with: None,
        }))
        .await;
    assert!(matches!(reply, Reply::Transfer { .. }));
    service.quiesce(actor.tenant).await.expect("no panic");
    let settled = StatementQuery {
        settled_only: true,
        ..ALL
    };
    let underway = statement(&ground, &account, &ALL).await;
    assert_eq!(told(&underway)[0], (Movement::Payment, -300, 700));
    assert_eq!(underway.lines[0].transfer.transfer.status, Status::Pending);
    let done = statement(&ground, &account, &settled).await;
    assert_eq!(told(&done), [(Movement::Deposit, 1_000, 1_000)]);
    assert_eq!((done.count, done.balances), (1, Some((0, 700))));
    ground.bed.clock.advance(5_000);
    service.quiesce(actor.tenant).await.expect("no panic");
    let done = statement(&ground, &account, &settled).await;
    assert_eq!(told(&done).len(), 2);
}

#[tokio::test]
async fn another_identity_has_no_such_instrument() {
    let ground = Ground::new().await;
    let other = ground.other("eve@example.com").await;
    let account = ground.open(ground.account()).await;
    let service = &ground.bed.service;
    for (actor, class) in [(&other, ACCOUNT), (&ground.actor, CARD)] {
        let found = service.statement(actor, class, account.id, &ALL).await;
        assert!(found.is_err(), "{found:?}");
    }
}
