//! The engine over PostgreSQL: what only it has. What every engine does is tested beside this
//! folder.

mod basics;

use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    AccountId, AccountKind, Amount, Command, CreateTransfer, Currency, ExternalKind, Millis,
    MoneyIn, OpenAccount, Origin, OwnerId, OwnerKind, Reply, Status, TenantClock, TenantId,
    TenantMode, TransferId,
};
use sim::postgres::Database;
use store::postgres::{DatabaseUrl, Migrator, Options, Postgres, verify};
use store::{Clock, ManualClock, Outcome, Store, StoreError, Submit};

/// Where the machine's clock stands when a test begins.
pub const START: Millis = Millis(1_800_000_000_000);
/// Milliseconds that transfers over the rail take.
pub const RAIL_MS: i64 = 5_000;

/// A database and the clock of its servers.
pub struct Bed {
    pub database: Database,
    pub clock: Arc<ManualClock>,
}

impl Bed {
    pub fn new() -> Bed {
        let nobody: DatabaseUrl = "postgres://nobody".parse().expect("a URL");
        let digest = Migrator::new(nobody).digest();
        let database = sim::postgres::database(&digest, async |url| {
            let url = url.parse().expect("a URL");
            let migrated = Migrator::new(url).run(|_, _| {}).await;
            migrated.expect("an empty database");
        });
        Bed {
            database,
            clock: Arc::new(ManualClock::new(START)),
        }
    }

    pub fn url(&self) -> DatabaseUrl {
        self.database.url().parse().expect("a URL")
    }

    pub fn options(&self) -> Options {
        Options {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ..Options::new(self.url())
        }
    }

    /// A server.
    pub async fn open(&self) -> Postgres {
        self.open_with(|_| {}).await
    }

    pub async fn open_with(&self, change: impl FnOnce(&mut Options)) -> Postgres {
        let mut options = self.options();
        change(&mut options);
        let opened = Postgres::open(&options).await;
        opened.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Checks everything against everything.
    pub async fn verify(&self) -> store::postgres::Report {
        let verified = verify(&self.url()).await;
        verified.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Decides and commits; panics unless it was done.
pub async fn done(store: &impl Store, command: Command) -> Reply {
    match store.submit(Submit::command(command)).await {
        Ok(Outcome::Done(reply)) => reply,
        other => panic!("not done: {other:?}"),
    }
}

pub fn usd(minor: i64) -> Amount {
    Amount::new(minor, Currency::USD).expect("tests use positive amounts")
}

/// The id of the transfer that was made.
pub fn made(outcome: Result<Outcome, StoreError>) -> TransferId {
    match outcome {
        Ok(Outcome::Done(Reply::Transfer { transfer, .. })) => transfer.id,
        other => panic!("no transfer: {other:?}"),
    }
}

/// A sandbox tenant with an owner and its accounts.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    pub tenant: TenantId,
    pub owner: OwnerId,
    /// Where pay arrives.
    pub pay: AccountId,
    pub pod: AccountId,
    /// An external account.
    pub bank: AccountId,
}

impl Ground {
    pub async fn new(store: &impl Store) -> Ground {
        let create = Command::CreateTenant {
            name: Arc::from("Acme"),
            mode: TenantMode::Sandbox,
        };
        let Reply::Tenant(tenant) = done(store, create).await else {
            panic!("no tenant")
        };
        Ground::of(store, tenant.id).await
    }

    /// Another owner of a tenant.
    pub async fn of(store: &impl Store, tenant: TenantId) -> Ground {
        let create = Command::CreateOwner {
            tenant,
            kind: OwnerKind::Beneficiary,
            name: Arc::from("Ada"),
        };
        let Reply::Owner(owner) = done(store, create).await else {
            panic!("no owner")
        };
        let owner = owner.id;
        let mut accounts = Vec::new();
        for kind in [
            AccountKind::IncomeSource,
            AccountKind::Pod,
            AccountKind::External(ExternalKind::Depository),
        ] {
            let opening = Command::OpenAccount(OpenAccount {
                tenant,
                owner,
                kind,
                name: Arc::from("Rainy days"),
                description: None,
                institution: None,
                number_last_four: None,
                routing_last_four: None,
                currency: Currency::USD,
                can_be_source: None,
                can_be_destination: None,
                reported: Reported::default(),
            });
            let Reply::Account(account) = done(store, opening).await else {
                panic!("no account")
            };
            accounts.push(account.id);
        }
        let [pay, pod, bank] = accounts[..] else {
            unreachable!("three were opened")
        };
        Ground {
            tenant,
            owner,
            pay,
            pod,
            bank,
        }
    }

    pub fn paycheck(&self, minor: i64) -> Command {
        Command::MoneyIn(MoneyIn {
            tenant: self.tenant,
            destination: self.pay,
            amount: usd(minor),
            origin: Origin::Paycheck,
            description: None,
        })
    }

    pub fn transfer(&self, source: AccountId, destination: AccountId, minor: i64) -> Command {
        Command::CreateTransfer(CreateTransfer {
            tenant: self.tenant,
            key: None,
            source,
            destination,
            amount: usd(minor),
            rail_delay_ms: RAIL_MS,
            description: None,
        })
    }

    pub async fn set_clock(&self, store: &impl Store, clock: TenantClock) {
        let tenant = self.tenant;
        done(store, Command::SetClock { tenant, clock }).await;
    }

    pub async fn balance(&self, store: &impl Store, account: AccountId) -> i64 {
        let row = store.account(self.tenant, account).await;
        row.expect("reads work")
            .expect("it was opened")
            .account
            .balance
    }

    pub async fn status(&self, store: &impl Store, transfer: TransferId) -> Status {
        let row = store.transfer(self.tenant, transfer).await;
        row.expect("reads work")
            .expect("it was recorded")
            .transfer
            .status
    }
}
