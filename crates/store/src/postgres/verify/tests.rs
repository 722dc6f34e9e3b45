//! What verifies, and what does not once somebody has been at the tables.

use std::sync::Arc;

use sim::postgres::{Database, Row};

use super::*;
use crate::postgres::migrate::tests::complete;
use crate::postgres::testing::{START, Twins, World};
use crate::postgres::{Options, Postgres};
use crate::{Clock, ManualClock, Store};

/// What says which row it is, in each table that is verified.
const TABLES: &[(&str, &str)] = &[
    ("tenants", "id"),
    ("heads", "tenant"),
    ("commits", "tenant"),
    ("owners", "id"),
    ("accounts", "id"),
    ("transfers", "id"),
    ("entries", "account"),
    ("holds", "id"),
    ("due", "object"),
    ("profiles", "id"),
    ("bulks", "id"),
    ("bulk_operations", "bulk"),
    ("rules", "id"),
    ("rule_caps", "rule"),
    ("executions", "id"),
    ("api_keys", "id"),
    ("records", "id"),
    ("remembered", "number"),
];

/// Columns that commits do not tell: what a group's commits have in common, and when work is due by
/// a clock that may have been set since, which whoever meets the row puts right.
const NOT_VERIFIED: &[(&str, &str)] = &[("commits", "batch"), ("due", "machine_ms")];

async fn verified(database: &Database) -> Result<Report, String> {
    let url = database.url().parse().expect("a URL");
    verify(&url).await.map_err(|error| match error {
        VerifyError::Difference(what) => what,
        other => panic!("not a difference: {other}"),
    })
}

fn one(rows: &[Row]) -> Option<&str> {
    rows.first()?.first()?.as_deref()
}

/// A table that can be put back.
struct Table<'a> {
    database: &'a Database,
    name: &'a str,
    key: &'a str,
}

impl<'a> Table<'a> {
    fn of(database: &'a Database, (name, key): (&'a str, &'a str)) -> Table<'a> {
        database.sql(&format!("CREATE TABLE kept_{name} AS SELECT * FROM {name}"));
        Table {
            database,
            name,
            key,
        }
    }

    fn put_back(&self) {
        let name = self.name;
        self.database.sql(&format!(
            "DELETE FROM {name}; INSERT INTO {name} SELECT * FROM kept_{name}"
        ));
    }

    /// Its columns with their types.
    fn columns(&self) -> Vec<(String, String)> {
        let rows = self.database.sql(&format!(
            "SELECT column_name, data_type FROM information_schema.columns \
             WHERE table_name = '{}' ORDER BY ordinal_position",
            self.name
        ));
        let text = |value: &Option<String>| value.clone().expect("no null");
        rows.iter()
            .map(|row| (text(&row[0]), text(&row[1])))
            .collect()
    }

    /// Some row's key and place, of those where a condition holds.
    fn row(&self, condition: &str) -> Option<(String, String)> {
        let rows = self.database.sql(&format!(
            "SELECT {}, ctid FROM {} WHERE {condition} ORDER BY {0} DESC LIMIT 1",
            self.key, self.name
        ));
        let row = rows.first()?;
        Some((row[0].clone()?, row[1].clone()?))
    }

    /// `verify` names the row, or the table when the row cannot be read.
    async fn is_found(&self, done: &str, keys: &[&str]) {
        let what = verified(self.database).await;
        let what = what.expect_err(&format!("{}: {done} is not found", self.name));
        let named = keys.iter().any(|key| what.contains(key)) || what.contains(self.name);
        assert!(named, "{}: {done}: {what}", self.name);
        self.put_back();
    }
}

#[tokio::test]
async fn a_clean_database_is_reported() {
    let twins = Twins::new(11, 2, 150).await;
    let report = verified(&twins.database).await;
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.tenants, 2);
    let embedded =
        crate::embedded::verify(twins.folder()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.commits, embedded.records);
    assert_eq!(report.accounts, embedded.accounts);
    assert_eq!(report.transfers, embedded.transfers);
    assert_eq!(report.entries, embedded.entries);
    assert!(report.to_string().contains("sum 0"), "{report}");
    for (table, _) in TABLES {
        let rows = twins.database.sql(&format!("SELECT 1 FROM {table}"));
        assert!(!rows.is_empty(), "{table} is empty");
    }
    drop(twins.embedded.shut_down().await);
}

/// A server of a database, and its clock.
async fn server(database: &Database) -> (Arc<dyn Store>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let options = Options {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        ..Options::new(database.url().parse().expect("a URL"))
    };
    let store = Postgres::open(&options).await.expect("its tables");
    (Arc::new(store), clock)
}

/// A history of the engine itself, with two tenants at the same time.
#[tokio::test]
async fn what_the_engine_writes_verifies() {
    let database = complete();
    let (store, clock) = server(&database).await;
    let mut worlds = Vec::new();
    for seed in [21, 22] {
        worlds.push(World::new(Arc::clone(&store), seed).await);
    }
    for _ in 0..200 {
        for world in &mut worlds {
            world.step(&clock).await;
        }
    }
    for world in &mut worlds {
        world.finish().await;
        store.quiesce(world.tenant).await.expect("writes work");
    }
    let report = verified(&database).await;
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.tenants, 2);
    assert!(report.transfers > 100 && report.entries > 100, "{report}");
    for (table, _) in TABLES {
        let rows = database.sql(&format!("SELECT 1 FROM {table}"));
        assert!(!rows.is_empty(), "{table} is empty");
    }
    store.shut_down().await.expect("it ends");
}

#[tokio::test]
async fn verifying_beside_a_server_that_goes_on() {
    let database = complete();
    let (store, clock) = server(&database).await;
    let mut world = World::new(Arc::clone(&store), 31).await;
    let mut commits = 0;
    for _ in 0..8 {
        let steps = async {
            for _ in 0..10 {
                world.step(&clock).await;
            }
        };
        let (report, ()) = tokio::join!(verified(&database), steps);
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        assert!(report.commits >= commits, "{report}");
        commits = report.commits;
    }
    assert!(commits > 40, "{commits} commits");
    store.shut_down().await.expect("it ends");
}

#[tokio::test]
async fn an_empty_database_is_reported() {
    let database = complete();
    assert_eq!(verified(&database).await, Ok(Report::default()));
}

#[tokio::test]
async fn a_database_without_tables_is_unreadable() {
    let database = sim::postgres::empty_database();
    let url = database.url().parse().expect("a URL");
    let error = verify(&url).await.expect_err("there are no tables");
    assert!(matches!(error, VerifyError::Unreadable(_)), "{error}");
}

/// Another value of a column's type.
fn other(column: &str, kind: &str) -> String {
    match kind {
        "bigint" => format!("coalesce({column}, 0) + 1"),
        "text" => format!("coalesce({column}, '') || 'x'"),
        "boolean" => format!("NOT {column}"),
        "bytea" => format!("coalesce({column}, '') || '\\x01'"),
        other => panic!("a column of type {other}"),
    }
}

/// Every column, in a row where it says something and in one where it does not.
#[tokio::test]
async fn every_value_that_was_changed_is_found() {
    let twins = Twins::new(12, 1, 120).await;
    let database = &twins.database;
    verified(database).await.expect("it is clean at first");
    for table in TABLES {
        let table = Table::of(database, *table);
        for (column, kind) in table.columns() {
            if NOT_VERIFIED.contains(&(table.name, column.as_str())) {
                continue;
            }
            for condition in ["IS NOT NULL", "IS NULL"] {
                let Some((key, place)) = table.row(&format!("{column} {condition}")) else {
                    continue;
                };
                let changed = database.sql(&format!(
                    "UPDATE {} SET {column} = {} WHERE ctid = '{place}' RETURNING {}",
                    table.name,
                    other(&column, &kind),
                    table.key
                ));
                let now = one(&changed).expect("one row").to_owned();
                let done = format!("{column} of {key} ({condition})");
                table.is_found(&done, &[&key, &now]).await;
            }
        }
    }
}

#[tokio::test]
async fn every_row_that_is_gone_is_found() {
    let twins = Twins::new(13, 1, 120).await;
    for table in TABLES {
        let table = Table::of(&twins.database, *table);
        let (key, place) = table.row("true").expect("some row");
        let delete = format!("DELETE FROM {} WHERE ctid = '{place}'", table.name);
        twins.database.sql(&delete);
        table.is_found("a row less", &[&key]).await;
    }
}

/// Copies of rows under another key, and under another owner where there is one.
#[tokio::test]
async fn every_row_that_was_added_is_found() {
    let twins = Twins::new(14, 1, 120).await;
    for (name, column, value) in [
        ("tenants", "id", "77"),
        ("heads", "tenant", "77"),
        ("commits", "tenant", "77"),
        ("commits", "number", "99999"),
        ("owners", "id", "77"),
        ("accounts", "id", "77"),
        ("accounts", "owner", "owner + 1"),
        ("transfers", "id", "77"),
        ("transfers", "owner", "owner + 1"),
        ("entries", "account", "77"),
        ("entries", "sequence", "99999"),
        ("entries", "owner", "owner + 1"),
        ("entries", "owner", "owner - 1"),
        ("holds", "id", "77"),
        ("holds", "owner", "owner + 1"),
        ("due", "object", "77"),
        ("due", "at_ms", "at_ms + 1"),
        ("due", "owner", "owner + 1"),
        ("profiles", "id", "77"),
        ("profiles", "tenant", "tenant + 1"),
        ("bulks", "id", "77"),
        ("bulks", "owner", "owner + 1"),
        ("bulk_operations", "bulk", "77"),
        ("bulk_operations", "operation", "99999"),
        ("bulk_operations", "owner", "owner + 1"),
        ("rules", "id", "77"),
        ("rules", "owner", "owner + 1"),
        ("rule_caps", "rule", "77"),
        ("rule_caps", "step", "9"),
        ("rule_caps", "owner", "owner + 1"),
        ("executions", "id", "77"),
        ("executions", "owner", "owner + 1"),
        ("api_keys", "id", "77"),
        ("api_keys", "tenant", "tenant + 1"),
        ("records", "id", "77"),
        ("records", "tenant", "tenant + 1"),
        ("remembered", "number", "77"),
        ("remembered", "key", "key || '\\x01'"),
    ] {
        let database = &twins.database;
        let key = TABLES.iter().find(|(table, _)| *table == name);
        let (_, key) = *key.expect("a table of ours");
        let kept = format!("DROP TABLE IF EXISTS kept_{name}");
        database.sql(&kept);
        let table = Table::of(database, (name, key));
        let columns: Vec<String> = table.columns().into_iter().map(|(name, _)| name).collect();
        let values: Vec<&str> = columns
            .iter()
            .map(|this| match this.as_str() {
                this if this == column => value,
                // No two records may have it; idempotency keys neither.
                "unique_key" => "NULL",
                "key" if name == "remembered" => "'\\x00'",
                this => this,
            })
            .collect();
        let added = database.sql(&format!(
            "INSERT INTO {name} ({}) SELECT {} FROM {name} LIMIT 1 RETURNING {key}",
            columns.join(", "),
            values.join(", ")
        ));
        let added = one(&added).expect("one row").to_owned();
        // A tenant's first commit makes the tenant that it is of.
        let tenant = twins.worlds[0].tenant.to_string();
        table
            .is_found(&format!("{column} {value}"), &[&added, &tenant])
            .await;
    }
}

/// Changes that leave each table right by itself.
#[tokio::test]
async fn what_was_changed_with_care_is_found() {
    let twins = Twins::new(15, 1, 120).await;
    let database = &twins.database;
    let world = &twins.worlds[0];
    let keep: Vec<Table<'_>> = ["accounts", "entries", "commits", "heads"]
        .into_iter()
        .map(|name| {
            let key = TABLES.iter().find(|(table, _)| *table == name);
            Table::of(database, *key.expect("a table of ours"))
        })
        .collect();
    let found = async |what: &str| {
        let said = verified(database).await.expect_err(what);
        keep.iter().for_each(Table::put_back);
        said
    };
    let pay = world.owners[0].pay;
    // The account is set back together with its last entry.
    database.sql(&format!(
        "DELETE FROM entries e USING accounts a WHERE a.id = {pay} AND e.account = a.id \
         AND e.sequence = a.entries; \
         UPDATE accounts a SET entries = e.sequence, balance = e.balance_after, chain = e.chain, \
         entries_until_ms = e.until_ms FROM entries e WHERE a.id = {pay} AND e.account = {pay} \
         AND e.sequence = a.entries - 1"
    ));
    let said = found("an account set back").await;
    assert!(said.contains(&pay.to_string()), "{said}");
    // A transfer of an entry is another one, and the chain is made anew.
    let entries = twins.embedded.entries(pay, None, usize::MAX).await;
    let mut chain = crate::postgres::chain::EMPTY;
    let other = world.made[0];
    for mut entry in entries.expect("reads work").into_iter().rev() {
        entry.transfer = other;
        chain = crate::postgres::chain::next(&chain, pay, &entry);
        let hex: String = chain.iter().map(|byte| format!("{byte:02x}")).collect();
        database.sql(&format!(
            "UPDATE entries SET transfer = {other}, chain = '\\x{hex}' \
             WHERE account = {pay} AND sequence = {}; \
             UPDATE accounts SET chain = '\\x{hex}' WHERE id = {pay}",
            entry.sequence
        ));
    }
    let said = found("a chain made anew").await;
    assert!(said.contains(&pay.to_string()), "{said}");
    // The newest commits are forgotten.
    database.sql(
        "DELETE FROM commits c USING heads h WHERE c.tenant = h.tenant AND c.number > h.number - 9; \
         UPDATE heads SET number = number - 9",
    );
    found("commits forgotten").await;
    // A commit is there twice.
    database.sql(
        "INSERT INTO commits SELECT c.tenant, h.number + 1, c.batch, c.record \
         FROM commits c JOIN heads h ON h.tenant = c.tenant WHERE c.number = 1; \
         UPDATE heads SET number = number + 1",
    );
    found("a commit twice").await;
    verified(database).await.expect("it is clean again");
}
