//! That lists of an owner begin at the newest end of the primary key, whatever other owners do.

use sim::postgres::Database;

use super::*;
use crate::postgres::migrate::tests::complete;

/// Owner 1 with a third of all transfers, most of them between its instruments, and a hundred
/// owners with the rest.
fn table() -> Database {
    let database = complete();
    database.sql(
        "INSERT INTO owners SELECT n, 1, 1, 'Ada', 0, '' FROM generate_series(1, 100) n; \
         INSERT INTO accounts (owner, id, tenant, kind, name, currency, state, can_be_source, \
         can_be_destination, created_ms, updated_ms, balance, held, entries, chain, \
         entries_until_ms) \
         SELECT n, n * 10 + k, 1, k, 'Pod', 'USD', 1, true, true, 0, 0, 0, 0, 0, '', 0 \
         FROM generate_series(1, 100) n, generate_series(1, 3) k; \
         INSERT INTO transfers (owner, id, tenant, source, destination, currency, amount, \
         direction, origin, rail_delay_ms, status, created_ms, updated_ms, fee, \
         between_instruments) \
         SELECT CASE WHEN n % 3 = 0 THEN 1 ELSE 2 + n % 99 END, n, 1, 12, 11 + n % 3, \
         'USD', 1, 3, 6, 0, 5, n, n, 0, n % 7 > 0 FROM generate_series(1, 30000) n",
    );
    // It cannot be within a transaction, as statements sent together are.
    database.sql("VACUUM ANALYZE");
    database
}

/// How the database would answer, with these values.
fn plan(database: &Database, sql: &str, values: &[&str]) -> String {
    let mut sql = sql.to_owned();
    // The last first: `$1` begins `$12`.
    for (place, value) in values.iter().enumerate().rev() {
        sql = sql.replace(&format!("${}", place + 1), value);
    }
    let rows = database.sql(&format!("EXPLAIN {sql}"));
    let lines = rows.into_iter().filter_map(|mut row| row.pop().flatten());
    lines.collect::<Vec<_>>().join("\n")
}

/// Before no transfer.
const NEWEST: &str = "'9223372036854775807'::bigint";

#[test]
fn lists_begin_at_the_newest_end_of_the_primary_key() {
    let database = table();
    let walks = "Index Scan Backward using transfers_pkey";
    for instruments in ["NULL", "true"] {
        let filter = [&["1", "1"][..], &["NULL"; 8], &[instruments, "25", "0"]].concat();
        let plan = plan(&database, PAGE, &filter);
        assert!(plan.contains(walks), "{plan}");
    }
    for (role, account) in [(["true", "false"], "12"), (["true", "true"], "11")] {
        let values = [&["1", NEWEST, account], &role[..], &["NULL"; 7], &["26"]].concat();
        let plan = plan(&database, OF_ACCOUNT, &values);
        assert!(plan.contains(walks), "{plan}");
    }
}

#[test]
fn a_plain_count_reads_the_primary_key_alone() {
    let database = table();
    let plan = plan(&database, COUNT_ALL, &["2", "1"]);
    assert!(
        plan.contains("Index Only Scan using transfers_pkey"),
        "{plan}"
    );
}

#[test]
fn one_transfer_is_found_by_its_id() {
    let database = table();
    for (sql, id) in [(TRANSFER, "7"), (BY_ID, "ARRAY[7, 8, 9]::bigint[]")] {
        let plan = plan(&database, sql, &["1", id]);
        assert!(plan.contains("transfers_by_id"), "{plan}");
    }
}
