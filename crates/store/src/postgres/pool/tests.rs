use ledger::{AccountId, OwnerId, TenantId};
use sim::postgres::{Cluster, Options};

use super::*;
use crate::postgres::migrate::Migrator;
use crate::postgres::migrate::tests::complete;
use crate::{AccountQuery, OwnerTransferQuery, StoreError};

fn readers(url: &str, options: &PoolOptions) -> Readers {
    let url: DatabaseUrl = url.parse().expect("a URL");
    Readers::new(&url, options).expect("a pool")
}

fn ask(sql: &'static str) -> Ask<'static> {
    Ask { sql, values: &[] }
}

fn is_away<T: std::fmt::Debug>(done: Result<T, StoreError>, why: &str) {
    match done {
        Err(StoreError::Unavailable {
            reason,
            retry_after_s,
        }) => {
            assert!(reason.contains(why), "{reason}");
            assert!(retry_after_s > 0);
        }
        other => panic!("not unavailable: {other:?}"),
    }
}

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn a_read_waits_for_a_connection_only_so_long() {
    let database = complete();
    let options = PoolOptions {
        size: 1,
        wait: Duration::from_millis(20),
        ..READS
    };
    let readers = readers(database.url(), &options);
    let taken = readers.pool.get().await.expect("a connection");
    is_away(
        is_send(readers.tenants()).await,
        "every connection is in use",
    );
    drop(taken);
    readers.tenants().await.expect("it is free again");
    readers.close();
    is_away(readers.tenants().await, "closed");
}

#[tokio::test]
async fn a_statement_runs_only_so_long() {
    let database = complete();
    let options = PoolOptions {
        size: 1,
        statement_timeout: Duration::from_millis(20),
        ..READS
    };
    let readers = readers(database.url(), &options);
    let slow = readers.rows(Plan::Kept, ask("SELECT pg_sleep(60)")).await;
    let slow = slow.map_err(StoreError::from);
    is_away(slow.map(|_| ()), "statement timeout");
    readers
        .tenants()
        .await
        .expect("the connection is still good");
}

/// Both questions are asked within one transaction, which ends however they end.
#[tokio::test]
async fn two_answers_are_of_one_moment() {
    let database = complete();
    let readers = readers(database.url(), &PoolOptions { size: 1, ..READS });
    let isolation = "SELECT current_setting('transaction_isolation')";
    let read_only = "SELECT current_setting('transaction_read_only')";
    for plan in [Plan::Kept, Plan::Anew] {
        let both = readers
            .rows_at_once(plan, ask(isolation), ask(read_only))
            .await;
        let (one, other) = both.expect("they can be asked");
        assert_eq!(one[0].get::<_, &str>(0), "repeatable read");
        assert_eq!(other[0].get::<_, &str>(0), "on");
        let failed = readers
            .rows_at_once(plan, ask("SELECT 1 / 0"), ask(read_only))
            .await;
        let failed = failed.map(|_| ()).map_err(StoreError::from);
        is_away(failed, "division by zero");
        let alone = readers
            .rows(plan, ask(isolation))
            .await
            .expect("no transaction is open");
        assert_eq!(alone[0].get::<_, &str>(0), "read committed");
    }
}

#[tokio::test]
async fn damaged_rows_are_corrupt() {
    let database = complete();
    database.sql(
        "INSERT INTO owners VALUES (1, 1, 1, 'Ada', 0, ''); \
         INSERT INTO accounts (owner, id, tenant, kind, name, currency, state, can_be_source, \
         can_be_destination, created_ms, updated_ms, balance, held, entries, chain, \
         entries_until_ms) \
         VALUES (1, 5, 1, 2, 'Pod', '???', 1, true, true, 0, 0, 0, 0, 0, '', 0)",
    );
    let readers = readers(database.url(), &READS);
    let (tenant, account) = (TenantId::new(1), AccountId::new(5));
    for (change, what) in [
        ("currency = '???'", "currency"),
        ("currency = 'USD', state = 77", "account state"),
        ("state = -1", "account state"),
        ("state = 1, kind = 9", "kind of account"),
    ] {
        database.sql(&format!("UPDATE accounts SET {change}"));
        let query = AccountQuery::new(tenant);
        for read in [
            readers.account(tenant, account).await.map(|_| ()),
            readers.accounts(&query).await.map(|_| ()),
            readers.accounts_page(&query).await.map(|_| ()),
        ] {
            match read {
                Err(StoreError::Corrupt(said)) => assert!(said.contains(what), "{said}"),
                other => panic!("not corrupt: {other:?}"),
            }
        }
    }
}

/// Reads come back by themselves when the database does.
#[tokio::test]
async fn a_database_that_is_away_is_unavailable() {
    let cluster = Cluster::start(&Options::default());
    let url = cluster.url("postgres");
    let migrator = Migrator::new(url.parse().expect("a URL"));
    migrator.run(|_, _| {}).await.expect("an empty database");
    let options = PoolOptions {
        statement_timeout: Duration::from_millis(300),
        ..READS
    };
    let readers = readers(&url, &options);
    let query = OwnerTransferQuery::new(TenantId::new(1), OwnerId::new(1), 5);
    readers.tenants().await.expect("it is there");
    readers.owner_transfers(&query).await.expect("it is there");

    cluster.kill();
    is_away(readers.tenants().await, "the database: ");
    is_away(
        readers.owner_transfers(&query).await.map(|_| ()),
        "the database: ",
    );
    cluster.start_again();
    readers.tenants().await.expect("it is back");

    cluster.block();
    is_away(readers.tenants().await, "it does not answer");
    cluster.unblock();
    readers.owner_transfers(&query).await.expect("it goes on");
}
