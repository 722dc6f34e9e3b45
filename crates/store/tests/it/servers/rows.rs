//! How rows are sent and what is not read again: neither shows.

use std::sync::Arc;

use ledger::profile::Terms;
use ledger::{
    AccountState, ChangeAccount, ChangeDetails, Command, Currency, Instrument, InstrumentClass,
    MoneyIn, OpenInstrument, Origin, ProfileTransfer, Rejection, Reply, StateReason, TransferOrder,
};
use store::{Outcome, Submit};
use tokio::task::JoinSet;

use super::Servers;
use crate::bed::{Ground, Opened, claim, claimed, close, done, made, usd};
use crate::programme::{instrument, profile, transfer_terms};

/// A group has more rows than one statement takes.
#[tokio::test]
async fn a_group_of_many_rows_is_written_whole() {
    const MANY: u64 = 700;
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    let groups = store.health().syncs;
    let mut paying = JoinSet::new();
    for number in 0..MANY {
        let (store, paycheck) = (Arc::clone(&store), ground.paycheck(1));
        paying.spawn(async move { made(store.submit(claimed(paycheck, claim(number))).await) });
    }
    paying.join_all().await;
    let groups = store.health().syncs - groups;
    assert!(groups <= 2, "{groups} groups");
    for table in ["transfers", "remembered"] {
        let rows = servers.number(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(rows, 700, "{table}");
    }
    assert_eq!(servers.number("SELECT count(*) FROM entries"), 1_400);
    assert_eq!(ground.balance(&store, ground.pay).await, 700);
    close(store).await;
    servers.verify().await;
}

async fn pay(store: &Opened, ground: &Ground, order: &TransferOrder) -> Outcome {
    let command = Command::Transfer(ProfileTransfer {
        tenant: ground.tenant,
        owner: ground.owner,
        key: None,
        order: order.clone(),
    });
    let paid = store.submit(Submit::command(command)).await;
    paid.expect("writes work")
}

/// What another server changes of accounts that this one has loaded is seen by the next decision.
#[tokio::test]
async fn an_account_that_another_server_changes_is_seen_as_it_is() {
    let servers = Servers::new();
    let (one, other) = (servers.open().await, servers.open().await);
    let ground = Ground::new(&one).await;
    let terms = Terms::ManagedAccount {
        max_balances: Vec::new(),
        deposit_fees: Vec::new(),
    };
    let accounts = profile(&one, ground.tenant, terms).await;
    let mut instruments: Vec<Instrument> = Vec::new();
    for _ in 0..2 {
        let open = OpenInstrument {
            tenant: ground.tenant,
            owner: ground.owner,
            profile: accounts,
            class: InstrumentClass::Account,
            name: Arc::from("Main"),
            currency: Some(Currency::USD),
            parent: None,
            tag: Some(Arc::from("a")),
            details: Some(Arc::from("{}")),
        };
        instruments.push(instrument(&one, open).await);
    }
    let [source, destination] = instruments[..] else {
        panic!("two of them")
    };
    let deposit = MoneyIn {
        tenant: ground.tenant,
        destination: source.id,
        amount: usd(10),
        origin: Origin::Deposit,
        description: None,
    };
    done(&one, Command::MoneyIn(deposit)).await;
    let order = TransferOrder {
        profile: profile(&one, ground.tenant, transfer_terms()).await,
        source,
        destination,
        currency: Some(Currency::USD),
        amount_minor: 4,
        tag: None,
        description: None,
        scheduled_at: None,
    };
    for _ in 0..2 {
        made(Ok(pay(&other, &ground, &order).await));
    }
    let renamed = ChangeAccount {
        tenant: ground.tenant,
        owner: Some(ground.owner),
        account: destination.id,
        name: Some(Arc::from("Rainy days")),
        tag: Some(Arc::from("b")),
        details: Some(ChangeDetails {
            was: Some(Arc::from("{}")),
            now: Arc::from("{\"a\":1}"),
        }),
    };
    done(&one, Command::ChangeAccount(renamed)).await;
    let state = |state| Command::SetAccountState {
        tenant: ground.tenant,
        owner: Some(ground.owner),
        account: source.id,
        reason: StateReason::User,
        state,
    };
    done(&one, state(AccountState::Blocked)).await;
    let outcome = pay(&other, &ground, &order).await;
    assert!(
        matches!(outcome, Outcome::Refused(Rejection::Denied(_))),
        "{outcome:?}"
    );
    done(&one, state(AccountState::Active)).await;
    // Two are left: one order is too much, a smaller one is not.
    let outcome = pay(&other, &ground, &order).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    let rest = TransferOrder {
        amount_minor: 2,
        ..order
    };
    match pay(&other, &ground, &rest).await {
        Outcome::Done(Reply::Transfer { destination, .. }) => {
            let name = destination.map(|party| party.name);
            assert_eq!(name.as_deref(), Some("Rainy days"));
        }
        outcome => panic!("{outcome:?}"),
    }
    assert_eq!(ground.balance(&one, source.id).await, 0);
    assert_eq!(ground.balance(&one, destination.id).await, 10);
    for store in [one, other] {
        close(store).await;
    }
    servers.verify().await;
}
