//! A place for a ledger with its clock, and short ways to use the store in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::Storage;
use ledger::account::Reported;
use ledger::{
    AccountId, AccountKind, Amount, Command, CreateTransfer, Currency, ExternalKind, Millis,
    MoneyIn, OpenAccount, Origin, OwnerId, OwnerKind, Reply, Status, TenantClock, TenantId,
    TenantMode, TransferId,
};
use rusqlite::Connection;
use rusqlite::types::Value;
use sim::disk::FaultyDisk;
use sim::postgres::Database;
use store::embedded::{JOURNAL, OpenError, rebuild_views};
use store::{
    AccountRole, Action, Claim, Embedded, ManualClock, Options, Outcome, Store, StoreError, Submit,
    TransferQuery, TransferRow,
};
use tempfile::TempDir;

use crate::postgres;

/// An open store of either engine.
pub type Opened = Arc<dyn Store>;

/// Where the machine's clock stands when a test begins.
pub const START: Millis = Millis(1_800_000_000_000);
/// Milliseconds that transfers over the rail take.
pub const RAIL_MS: i64 = 5_000;
/// Bytes of the store's ballast file.
const BALLAST: u64 = 8 << 20;

/// Where a ledger is, and its clock.
pub struct Bed {
    folder: TempDir,
    database: Option<Database>,
    pub clock: Arc<ManualClock>,
    pub storage: Option<Arc<dyn Storage>>,
    pub segment_bytes: u64,
}

impl Bed {
    /// A database, if the tests are run on one; else a folder.
    pub fn new() -> Bed {
        Bed {
            database: postgres::database(),
            ..Bed::embedded()
        }
    }

    /// A folder with a journal of real files.
    pub fn embedded() -> Bed {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A sparse ballast is found in place; writing eight megabytes a test would be slow.
        let ballast = File::create(folder.path().join("ballast")).expect("a new file");
        ballast.set_len(BALLAST).expect("room for nothing");
        Bed {
            folder,
            database: None,
            clock: Arc::new(ManualClock::new(START)),
            storage: None,
            segment_bytes: 64 << 20,
        }
    }

    /// A folder whose journal is somewhere else.
    pub fn over(storage: Arc<dyn Storage>) -> Bed {
        Bed {
            storage: Some(storage),
            ..Bed::embedded()
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Opens the folder.
    pub fn try_open(&self) -> Result<Arc<Embedded>, OpenError> {
        Embedded::open(&Options {
            clock: Arc::clone(&self.clock) as Arc<dyn store::Clock>,
            storage: self.storage.clone(),
            segment_bytes: self.segment_bytes,
            ..Options::new(self.path())
        })
        .map(Arc::new)
    }

    /// Opens the folder, and tells what was found in it.
    pub fn open_folder(&self) -> (Opened, store::embedded::Opened) {
        let store = self.try_open().unwrap_or_else(|error| panic!("{error}"));
        let found = store.opened().clone();
        (store, found)
    }

    pub async fn open(&self) -> Opened {
        match &self.database {
            Some(database) => postgres::open(database, &self.clock).await,
            None => self.open_folder().0,
        }
    }

    /// Checks all that is stored.
    pub async fn verify(&self) {
        match &self.database {
            Some(database) => postgres::verify(database).await,
            None => {
                let verified = store::embedded::verify(self.path());
                verified.unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }

    /// Views that are filled at one go are the same as those that grew. A database has none.
    pub fn check_rebuilt(&self) {
        if self.database.is_some() {
            return;
        }
        let before = dump(self.path());
        rebuild_views(self.path()).unwrap_or_else(|error| panic!("{error}"));
        let after = dump(self.path());
        for (table, rows) in &before {
            assert_eq!(Some(rows), after.get(table), "{table}");
        }
    }

    /// The ids of an owner's transfers, the newest first, not asked from the store.
    pub fn transfers_of(&self, owner: OwnerId) -> Vec<TransferId> {
        let owner = owner.raw().cast_signed();
        let sql = format!("SELECT id FROM transfers WHERE owner = {owner} ORDER BY id DESC");
        let ids: Vec<i64> = match &self.database {
            Some(database) => {
                let rows = database.sql(&sql).into_iter().flatten().flatten();
                rows.map(|id| id.parse().expect("a number")).collect()
            }
            None => {
                let views = Connection::open(self.file("views.sqlite")).expect("the views");
                let mut find = views.prepare(&sql).expect("a valid query");
                let ids = find.query_map([], |row| row.get(0));
                let ids: rusqlite::Result<_> = ids.expect("a valid query").collect();
                ids.expect("the views can be read")
            }
        };
        let ids = ids.into_iter().map(i64::cast_unsigned);
        ids.map(TransferId::new).collect()
    }

    /// Copies the journal off a disk in memory, so that `verify` can read it.
    pub fn land(&self, disk: &FaultyDisk) {
        let journal = self.file(JOURNAL);
        std::fs::create_dir_all(&journal).expect("a folder in the temporary folder");
        for name in disk.names() {
            std::fs::write(journal.join(&name), disk.bytes(&name)).expect("room for a copy");
        }
    }
}

/// Closes a store and waits for its threads.
pub async fn close(store: Opened) {
    store.shut_down().await.expect("no thread has panicked");
    assert_eq!(Arc::strong_count(&store), 1, "somebody still has the store");
}

/// Every table of the views, each row as text, in the order of all its columns.
pub fn dump(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(folder.join("views.sqlite")).expect("the views are there");
    let mut names = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .expect("a valid query");
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .expect("a valid query")
        .map(|name| name.expect("names are texts"))
        .collect();
    let mut tables = BTreeMap::new();
    for name in names {
        let mut rows = connection
            .prepare(&format!("SELECT * FROM {name}"))
            .expect("a valid query");
        let columns = rows.column_count();
        let rows = rows.query_map([], |row| {
            let values: rusqlite::Result<Vec<Value>> =
                (0..columns).map(|column| row.get(column)).collect();
            Ok(format!("{:?}", values?))
        });
        let rows: rusqlite::Result<Vec<String>> = rows.expect("a valid query").collect();
        let mut rows = rows.expect("the views can be read");
        rows.sort();
        tables.insert(name, rows);
    }
    tables
}

/// The entries of all accounts as the views show them to an operator: account, sequence, transfer,
/// side, amount, balance after and time.
pub fn entries(folder: &Path) -> Vec<[i64; 7]> {
    let connection = Connection::open(folder.join("views.sqlite")).expect("the views are there");
    let sql = "SELECT account, sequence, transfer, side, amount, balance_after, at_ms \
               FROM entries ORDER BY account, sequence";
    let mut find = connection.prepare(sql).expect("a valid query");
    let entries = find.query_map([], |row| {
        let mut entry = [0; 7];
        for (column, value) in entry.iter_mut().enumerate() {
            *value = row.get(column)?;
        }
        Ok(entry)
    });
    let entries: rusqlite::Result<_> = entries.expect("a valid query").collect();
    entries.expect("the views can be read")
}

/// How many idempotency records the views have.
pub fn remembered_len(folder: &Path) -> usize {
    let connection = Connection::open(folder.join("views.sqlite")).expect("the views are there");
    let sql = "SELECT coalesce(sum(length(keys)), 0) FROM remembered_pages";
    let bytes: u32 = connection
        .query_row(sql, [], |row| row.get(0))
        .expect("a valid query");
    bytes as usize / 16
}

/// Changes the views behind the store's back.
pub fn tamper(folder: &Path, sql: &str) {
    let connection = Connection::open(folder.join("views.sqlite")).expect("the views are there");
    let changed = connection.execute(sql, []).expect("a valid statement");
    assert!(changed > 0, "nothing was changed by {sql}");
}

/// Decides and commits; panics unless it was done.
pub async fn done(store: &Opened, command: Command) -> Reply {
    match store.submit(Submit::command(command)).await {
        Ok(Outcome::Done(reply)) => reply,
        other => panic!("not done: {other:?}"),
    }
}

/// An idempotency key, numbered, with its number as its body too.
pub fn claim(number: u64) -> Claim {
    let mut key = [0; 16];
    // The store takes keys for uniform: spread the number over the first bytes.
    key[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    key[8..].copy_from_slice(&number.to_le_bytes());
    Claim {
        key,
        body: key,
        request_id: Arc::from(format!("req-{number}")),
        remember_refusals: false,
    }
}

pub fn usd(minor: i64) -> Amount {
    Amount::new(minor, Currency::USD).expect("tests use positive amounts")
}

/// A sandbox tenant with an owner and its accounts.
#[derive(Clone, Copy)]
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
    pub async fn new(store: &Opened) -> Ground {
        let create = Command::CreateTenant {
            name: Arc::from("Acme"),
            mode: TenantMode::Sandbox,
        };
        let Reply::Tenant(tenant) = done(store, create).await else {
            panic!("no tenant")
        };
        Ground::of(store, tenant.id).await
    }

    /// Another owner of a tenant, with accounts.
    pub async fn of(store: &Opened, tenant: TenantId) -> Ground {
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
        Command::CreateTransfer(self.transfer_of(source, destination, minor))
    }

    pub fn transfer_of(
        &self,
        source: AccountId,
        destination: AccountId,
        minor: i64,
    ) -> CreateTransfer {
        CreateTransfer {
            tenant: self.tenant,
            key: None,
            source,
            destination,
            amount: usd(minor),
            rail_delay_ms: RAIL_MS,
            description: None,
            needs_approval: false,
            fails_with: None,
        }
    }

    pub async fn set_clock(&self, store: &Opened, clock: TenantClock) {
        let tenant = self.tenant;
        done(store, Command::SetClock { tenant, clock }).await;
    }

    pub async fn balance(&self, store: &Opened, account: AccountId) -> i64 {
        let row = store
            .account(self.tenant, account)
            .await
            .expect("reads work");
        row.expect("it was opened").account.balance
    }

    pub async fn status(&self, store: &Opened, transfer: TransferId) -> Status {
        let row = store
            .transfer(self.tenant, transfer)
            .await
            .expect("reads work");
        row.expect("it was recorded").transfer.status
    }

    /// Every transfer of the ground's accounts by id.
    pub async fn transfers(&self, store: &Opened) -> BTreeMap<TransferId, TransferRow> {
        let mut all = BTreeMap::new();
        for account in [self.pay, self.pod, self.bank] {
            let rows = store
                .transfers(TransferQuery {
                    tenant: self.tenant,
                    account,
                    role: AccountRole::Either,
                    direction: None,
                    origin: Vec::new(),
                    status: Vec::new(),
                    execution: None,
                    card: None,
                    from: None,
                    to: None,
                    after: None,
                    first: usize::MAX,
                })
                .await
                .expect("reads work");
            all.extend(rows.into_iter().map(|row| (row.transfer.id, row)));
        }
        all
    }
}

/// The id of the transfer that was made.
pub fn made(outcome: Result<Outcome, StoreError>) -> TransferId {
    match outcome {
        Ok(Outcome::Done(Reply::Transfer { transfer, .. })) => transfer.id,
        other => panic!("no transfer: {other:?}"),
    }
}

/// A command under an idempotency key.
pub fn claimed(command: Command, claim: Claim) -> Submit {
    Submit {
        action: Action::Command(command),
        claim: Some(claim),
    }
}

/// Checks what must hold of every store at any time, by its reads alone.
pub async fn check_sound(store: &Opened, ground: &Ground) {
    // Between two reads nothing may change; a store that has stopped changes nothing anyway.
    drop(store.quiesce(ground.tenant).await);
    for (currency, total) in store.totals().await.expect("reads work") {
        assert_eq!(total, 0, "{currency} is off balance");
    }
    assert_eq!(
        store.owner_total(ground.owner).await.expect("reads work"),
        0
    );
    for account in [ground.pay, ground.pod, ground.bank] {
        let row = store.account(ground.tenant, account).await;
        let row = row.expect("reads work").expect("it was opened").account;
        assert!(row.available() >= 0, "{row:?}");
        let entries = store.entries(account, None, usize::MAX).await;
        let entries = entries.expect("reads work");
        assert_eq!(entries.len() as u64, row.entries);
        let sum: i64 = entries
            .iter()
            .map(|entry| match entry.side {
                ledger::Side::Credit => entry.amount_minor,
                ledger::Side::Debit => -entry.amount_minor,
            })
            .sum();
        assert_eq!(sum, row.balance);
        let newest = entries.first().map_or(0, |entry| entry.balance_after);
        assert_eq!(newest, row.balance);
    }
}
