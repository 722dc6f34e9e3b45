//! The engine against the embedded one: the same random history on both, compared after each step.

use std::sync::Arc;

use ledger::{AccountId, TransferId};
use tempfile::TempDir;

use super::engine::Postgres;
use super::migrate::tests::complete;
use super::options::{Isolation, Options};
use super::testing::{START, World};
use super::verify::verify;
use crate::embedded::{self, Embedded};
use crate::{BulkQuery, Clock, ManualClock, OwnerTransferQuery, RecordKind, RecordQuery, Store};

/// One engine with its history. On several servers each step happens on another one.
struct Side {
    servers: Vec<Arc<dyn Store>>,
    clock: Arc<ManualClock>,
    world: World,
}

impl Side {
    async fn new(servers: Vec<Arc<dyn Store>>, clock: Arc<ManualClock>, seed: u64) -> Side {
        let world = World::new(Arc::clone(&servers[0]), seed).await;
        Side {
            servers,
            clock,
            world,
        }
    }

    async fn step(&mut self, number: usize) {
        // The ids of two servers are in the order of their milliseconds.
        self.clock.advance(20);
        self.world
            .move_to(Arc::clone(&self.servers[number % self.servers.len()]));
        self.world.step(&self.clock).await;
        let quiet = self.world.store().quiesce(self.world.tenant).await;
        quiet.expect("writes work");
    }

    /// Everything there is, without ids: these differ.
    async fn picture(&self) -> Vec<String> {
        let (store, tenant) = (self.world.store(), self.world.tenant);
        let mut lines = Vec::new();
        let mut accounts: Vec<AccountId> = Vec::new();
        for owner in &self.world.owners {
            accounts.extend([owner.pay, owner.bank]);
            accounts.extend(owner.instruments.iter().map(|instrument| instrument.id));
            let total = store.owner_total(owner.id).await.expect("reads work");
            lines.push(format!("owner {total}"));
            let bulks = store.bulks(BulkQuery {
                tenant,
                owner: owner.id,
                statuses: Vec::new(),
                offset: 0,
                limit: usize::MAX,
            });
            for bulk in bulks.await.expect("reads work").rows {
                let times = (bulk.created_at, bulk.started_at, bulk.finished_at);
                let counts = (bulk.succeeded, bulk.failed, bulk.operations);
                lines.push(format!("bulk {:?} {counts:?} {times:?}", bulk.status));
            }
            let query = OwnerTransferQuery::new(tenant, owner.id, usize::MAX);
            let transfers = store.owner_transfers(query);
            let transfers = transfers.await.expect("reads work");
            let places: Vec<_> = transfers
                .rows
                .iter()
                .map(|row| self.place(row.transfer.id))
                .collect();
            lines.push(format!("list {places:?}"));
        }
        for id in accounts {
            let row = store.account(tenant, id).await.expect("reads work");
            let it = row.expect("it was opened").account;
            let money = (it.balance, it.held, it.entries);
            let rest = (it.name, it.tag, it.state, it.updated_at);
            lines.push(format!("account {money:?} {rest:?}"));
            let entries = store.entries(id, None, usize::MAX).await;
            for entry in entries.expect("reads work") {
                let money = (entry.side, entry.amount_minor, entry.balance_after);
                let place = self.place(entry.transfer);
                lines.push(format!(
                    "entry {} {money:?} {:?} {place:?}",
                    entry.sequence, entry.at
                ));
            }
            for hold in store.holds(id).await.expect("reads work") {
                lines.push(format!("hold {} {:?}", hold.amount, hold.expires_at));
            }
        }
        let made = self.world.made.clone();
        let rows = store.transfers_by_id(tenant, made).await;
        for row in rows.expect("reads work") {
            let it = row.expect("it was made").transfer;
            let times = (it.created_at, it.updated_at, it.completed_at);
            let ends = (it.status, it.error, it.fee_minor, it.cancel_reason);
            lines.push(format!("transfer {} {ends:?} {times:?}", it.amount));
        }
        for kind in [RecordKind::User, RecordKind::Session] {
            let records = store.records(RecordQuery {
                kind,
                tenant,
                owner: None,
                after: 0,
                before: u64::MAX,
                newest_first: false,
                limit: usize::MAX,
            });
            for record in records.await.expect("reads work") {
                let line = (
                    record.version,
                    record.unique,
                    record.owner.is_some(),
                    record.at,
                );
                lines.push(format!("record {line:?}"));
            }
        }
        let keys = store.keys(Some(tenant)).await.expect("reads work");
        let keys: Vec<_> = keys
            .iter()
            .map(|key| (key.hash[0], key.revoked_at))
            .collect();
        lines.push(format!("keys {keys:?}"));
        let known = store.tenant(tenant).await.expect("reads work");
        lines.push(format!("clock {:?}", known.expect("it was made").clock));
        lines
    }

    /// A transfer's place among those that commands have made.
    fn place(&self, id: TransferId) -> Option<usize> {
        self.world.made.iter().position(|made| *made == id)
    }
}

async fn compare(seed: u64, steps: usize, servers: usize, isolation: Isolation) {
    let folder: TempDir = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(ManualClock::new(START));
    let store = Embedded::open(&embedded::Options {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        ..embedded::Options::new(folder.path())
    });
    let store: Arc<dyn Store> = Arc::new(store.expect("a new store"));
    let mut one = Side::new(vec![store], clock, seed).await;

    let database = complete();
    let url = database.url().parse().expect("a URL");
    let clock = Arc::new(ManualClock::new(START));
    let options = Options {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        isolation,
        ..Options::new(url)
    };
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..servers {
        let store = Postgres::open(&options)
            .await
            .expect("the tables are there");
        stores.push(Arc::new(store));
    }
    let mut other = Side::new(stores, clock, seed).await;
    for number in 0..steps {
        one.step(number).await;
        other.step(number).await;
        let (left, right) = (one.picture().await, other.picture().await);
        for (left, right) in left.iter().zip(&right) {
            assert_eq!(left, right, "seed {seed}, step {number}");
        }
        assert_eq!(left.len(), right.len(), "seed {seed}, step {number}");
    }
    for store in one.servers.iter().chain(&other.servers) {
        store.shut_down().await.expect("nothing has panicked");
    }
    let verified = verify(&options.url).await;
    verified.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn one_server_does_what_the_embedded_engine_does() {
    for seed in 0..4 {
        compare(seed, 120, 1, Isolation::ReadCommitted).await;
    }
}

#[tokio::test]
async fn so_do_three_servers_in_turn() {
    for seed in 4..7 {
        compare(seed, 120, 3, Isolation::ReadCommitted).await;
    }
}

#[tokio::test]
async fn so_do_two_that_the_database_keeps_apart() {
    compare(7, 120, 2, Isolation::Serializable).await;
}
