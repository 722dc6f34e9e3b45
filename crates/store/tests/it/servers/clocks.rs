//! Work that a tenant's clock passes, and rows that say wrongly when it is due.

use ledger::profile::{FeePolicy, Terms, TransferTerms};
use ledger::{
    AccountId, BulkMode, Command, Currency, Instrument, InstrumentClass, Millis, NewProfile,
    OpenInstrument, Origin, ProfileId, Reply, Status, Steer, TenantClock, TransferOrder,
};
use store::{Outcome, Submit};

use super::Servers;
use crate::bed::{Ground, Opened, RAIL_MS, START, close, done, made, usd};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 86_400_000;

/// Many owners' work, more than one transaction does, is done before the answer.
#[tokio::test]
async fn what_a_clock_passes_is_done_before_the_answer() {
    let servers = Servers::new();
    let (store, other) = (servers.open().await, servers.open().await);
    let ground = Ground::new(&store).await;
    ground
        .set_clock(&store, TenantClock::Frozen { at: START })
        .await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        let ground = Ground::of(&store, ground.tenant).await;
        let pull = ground.transfer(ground.bank, ground.pod, 1);
        ids.push((ground, made(store.submit(Submit::command(pull)).await)));
    }
    assert_eq!(servers.number("SELECT count(*) FROM due"), 40);
    let at = START.plus(RAIL_MS);
    ground.set_clock(&store, TenantClock::Frozen { at }).await;
    // Nothing is waited for here.
    assert_eq!(servers.number("SELECT count(*) FROM due"), 0);
    for (ground, id) in ids {
        assert_eq!(ground.status(&other, id).await, Status::Complete);
    }
    close(store).await;
    close(other).await;
    servers.verify().await;
}

/// A hold that has ended is no obstacle, although nobody has come by to end it.
#[tokio::test]
async fn what_is_due_of_an_owner_comes_before_what_is_asked() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(10)).await;
    let hold = Command::PlaceHold(ledger::PlaceHold {
        tenant: ground.tenant,
        account: ground.pay,
        amount: usd(10),
        expires_at: Some(START.plus(HOUR)),
    });
    done(&store, hold).await;
    let draw = || {
        Submit::command(Command::MoneyOut(ledger::MoneyOut {
            tenant: ground.tenant,
            source: ground.pay,
            amount: usd(10),
            origin: Origin::ExternalPull,
            description: None,
        }))
    };
    let outcome = store.submit(draw()).await;
    assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    // Nobody's lanes, so that only the command itself can meet the hold.
    let until = START.plus(2 * HOUR).0;
    servers.database.sql(&format!(
        "UPDATE lanes SET instance = 99, lease_until_ms = {until}, fence = fence + 1"
    ));
    servers.clock.advance(HOUR);
    made(store.submit(draw()).await);
    close(store).await;
    servers.verify().await;
}

/// Work of one owner happens in the order of its time, also what comes up only by doing it.
#[tokio::test]
async fn passed_work_happens_in_the_order_of_its_time() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    ground
        .set_clock(&store, TenantClock::Frozen { at: START })
        .await;
    let programme = Programme::new(&store, ground).await;
    done(&store, programme.deposit(1_000)).await;
    let mut ids = Vec::new();
    // The later ones are made first.
    for hour in (1..=30_i64).rev() {
        let order = programme.order(1, Some(START.plus(hour * HOUR)));
        ids.push(made(
            store
                .submit(Submit::command(programme.transfer(order)))
                .await,
        ));
    }
    let at = START.plus(2 * DAY);
    ground.set_clock(&store, TenantClock::Frozen { at }).await;
    let count = "SELECT count(*) FROM entries e JOIN entries f ON f.account = e.account \
                 AND f.sequence = e.sequence + 1 AND f.at_ms < e.at_ms";
    assert_eq!(servers.number(count), 0, "entries are in the order of time");
    for id in ids {
        assert_eq!(ground.status(&store, id).await, Status::Complete);
    }
    close(store).await;
    servers.verify().await;
}

/// A bulk whose later operations need more than the first transaction loads for it.
#[tokio::test]
async fn a_long_bulk_is_done_over_several_transactions() {
    const OPERATIONS: i64 = 2_500;
    /// More than what a transaction looks ahead.
    const AHEAD: i64 = 1_100;
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    let programme = Programme::new(&store, ground).await;
    done(&store, programme.deposit(OPERATIONS - 1)).await;
    let other = programme.instrument(&store).await;
    let order = |number| TransferOrder {
        destination: if number < AHEAD {
            programme.destination
        } else {
            other
        },
        ..programme.order(1, None)
    };
    let submit = Command::SubmitBulk {
        tenant: ground.tenant,
        owner: ground.owner,
        key: None,
        operations: (0..OPERATIONS).map(order).collect(),
    };
    let Reply::Bulk(bulk) = done(&store, submit).await else {
        panic!("no bulk")
    };
    let before = store.health();
    let execute = Command::SteerBulk {
        tenant: ground.tenant,
        owner: ground.owner,
        bulk: bulk.id,
        steer: Steer::Execute(BulkMode::ContinueOnFailure),
    };
    done(&store, execute).await;
    store.quiesce(ground.tenant).await.expect("writes work");
    let bulk = store
        .bulk(ground.tenant, bulk.id)
        .await
        .expect("reads work");
    let bulk = bulk.expect("it was handed in");
    assert_eq!(i64::from(bulk.succeeded), OPERATIONS - 1);
    assert_eq!(bulk.failed, 1, "the last one lacks a cent");
    assert_eq!(
        ground.balance(&store, programme.destination.id).await,
        AHEAD
    );
    let rest = OPERATIONS - AHEAD - 1;
    assert_eq!(ground.balance(&store, other.id).await, rest);
    let after = store.health();
    let groups = after.committed - before.committed;
    assert_eq!(groups, 3, "one to execute it, one for each destination");
    close(store).await;
    servers.verify().await;
}

/// A row that was written by an old clock is found by the tenant's own.
#[tokio::test]
async fn work_that_is_due_earlier_than_its_row_says_is_done() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    let running = TenantClock::Running { offset_ms: DAY };
    ground.set_clock(&store, running).await;
    let pull = ground.transfer(ground.bank, ground.pod, 1);
    let id = made(store.submit(Submit::command(pull)).await);
    servers
        .database
        .sql("UPDATE due SET machine_ms = 9223372036854775807");
    servers.clock.advance(RAIL_MS);
    while ground.status(&store, id).await != Status::Complete {
        store.wake();
        tokio::task::yield_now().await;
    }
    close(store).await;
    servers.verify().await;
}

/// A row that says too early is corrected, and its work waits.
#[tokio::test]
async fn work_that_is_due_later_than_its_row_says_waits() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    let pull = ground.transfer(ground.bank, ground.pod, 1);
    let id = made(store.submit(Submit::command(pull)).await);
    ground
        .set_clock(&store, TenantClock::Frozen { at: START })
        .await;
    servers.clock.advance(2 * RAIL_MS);
    let never = "SELECT count(*) FROM due WHERE machine_ms = 9223372036854775807";
    while servers.number(never) == 0 {
        store.wake();
        tokio::task::yield_now().await;
    }
    assert_eq!(ground.status(&store, id).await, Status::Pending);
    let at = START.plus(RAIL_MS);
    ground.set_clock(&store, TenantClock::Frozen { at }).await;
    assert_eq!(ground.status(&store, id).await, Status::Complete);
    close(store).await;
    servers.verify().await;
}

/// Extreme clocks and times do not leave the range of numbers.
#[tokio::test]
async fn clocks_at_the_ends_of_time() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(10)).await;
    let hold = Command::PlaceHold(ledger::PlaceHold {
        tenant: ground.tenant,
        account: ground.pay,
        amount: usd(1),
        expires_at: Some(Millis(i64::MAX - 1)),
    });
    done(&store, hold).await;
    let running = TenantClock::Running {
        offset_ms: i64::MAX - 5,
    };
    ground.set_clock(&store, running).await;
    store.wake();
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(store.holds(ground.pay).await.expect("reads work"), []);
    close(store).await;
    servers.verify().await;
}

/// Before it is opened.
const NOWHERE: Instrument = Instrument {
    id: AccountId::new(0),
    class: InstrumentClass::Account,
};

/// Profiles and two instruments of one owner.
struct Programme {
    ground: Ground,
    /// Of the instruments, and of the transfers between them.
    accounts: ProfileId,
    profile: ProfileId,
    source: Instrument,
    destination: Instrument,
}

impl Programme {
    async fn new(store: &Opened, ground: Ground) -> Programme {
        let create = |terms| {
            Command::CreateProfile(NewProfile {
                tenant: ground.tenant,
                name: "Standard".into(),
                currencies: Vec::new(),
                terms,
            })
        };
        let accounts = Terms::ManagedAccount {
            max_balances: Vec::new(),
            deposit_fees: Vec::new(),
        };
        let transfers = Terms::Transfer(TransferTerms {
            pairs: Vec::new(),
            fees: Vec::new(),
            fee_policy: FeePolicy::BestEffort,
            max_amounts: Vec::new(),
            deny_above: Vec::new(),
            forex: false,
        });
        let mut profiles = Vec::new();
        for terms in [accounts, transfers] {
            let Reply::Profile(profile) = done(store, create(terms)).await else {
                panic!("no profile")
            };
            profiles.push(profile.id);
        }
        let mut programme = Programme {
            ground,
            accounts: profiles[0],
            profile: profiles[1],
            source: NOWHERE,
            destination: NOWHERE,
        };
        programme.source = programme.instrument(store).await;
        programme.destination = programme.instrument(store).await;
        programme
    }

    async fn instrument(&self, store: &Opened) -> Instrument {
        let class = InstrumentClass::Account;
        let open = Command::OpenInstrument(OpenInstrument {
            tenant: self.ground.tenant,
            owner: self.ground.owner,
            profile: self.accounts,
            class,
            name: "Main".into(),
            currency: Some(Currency::USD),
            parent: None,
            tag: None,
            details: None,
        });
        let Reply::Account(account) = done(store, open).await else {
            panic!("no account")
        };
        let id = account.id;
        Instrument { id, class }
    }

    fn deposit(&self, minor: i64) -> Command {
        Command::MoneyIn(ledger::MoneyIn {
            tenant: self.ground.tenant,
            destination: self.source.id,
            amount: usd(minor),
            origin: Origin::Deposit,
            description: None,
        })
    }

    fn order(&self, minor: i64, scheduled_at: Option<Millis>) -> TransferOrder {
        TransferOrder {
            profile: self.profile,
            source: self.source,
            destination: self.destination,
            currency: Some(Currency::USD),
            amount_minor: minor,
            tag: None,
            description: None,
            scheduled_at,
        }
    }

    fn transfer(&self, order: TransferOrder) -> Command {
        Command::Transfer(ledger::ProfileTransfer {
            tenant: self.ground.tenant,
            owner: self.ground.owner,
            key: None,
            order,
        })
    }
}
