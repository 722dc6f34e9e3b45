//! That a rule's runs are chosen from their index alone, whatever is asked of them.

use sim::postgres::Database;

use super::*;
use crate::postgres::migrate::tests::complete;

/// Rule 7 with most of its owner's runs, one in a hundred of them failed.
fn table() -> Database {
    let database = complete();
    database.sql(
        "INSERT INTO rules (owner, id, tenant, enabled, body) \
         SELECT 1 + n % 2, n, 1, true, '' FROM generate_series(1, 50) n; \
         INSERT INTO executions (owner, id, tenant, rule, status, cause, mode, created_ms, body) \
         SELECT CASE WHEN n % 3 = 0 THEN 1 ELSE 2 END, n, 1, CASE WHEN n % 3 = 0 THEN 8 ELSE 7 END, \
         CASE WHEN n % 100 = 0 THEN 4 ELSE 2 END, 2, 1, n, repeat('x', 300)::bytea \
         FROM generate_series(1, 30000) n",
    );
    // It cannot be within a transaction, as statements sent together are.
    database.sql("VACUUM ANALYZE");
    database
}

/// How the database would answer, with these values.
fn plan(database: &Database, sql: &str, values: &[&str]) -> String {
    let mut sql = sql.to_owned();
    // The last first: `$1` begins `$11`.
    for (place, value) in values.iter().enumerate().rev() {
        sql = sql.replace(&format!("${}", place + 1), value);
    }
    let rows = database.sql(&format!("EXPLAIN {sql}"));
    let lines = rows.into_iter().filter_map(|mut row| row.pop().flatten());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_list_of_runs_is_chosen_from_its_index_alone() {
    let database = table();
    for (place, value) in [
        (3, "ARRAY[4]::bigint[]"),
        (4, "ARRAY[2]::bigint[]"),
        (5, "1"),
        (6, "10000"),
        (7, "20000"),
        (8, "15000"),
    ] {
        let mut values = [
            "1", "NULL", "7", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "25", "0",
        ];
        values[place] = value;
        let plan = plan(&database, EXECUTIONS_OF_RULE, &values);
        let walks = "Index Only Scan Backward using executions_of_rule";
        assert!(plan.contains(walks), "{value}: {plan}");
    }
}
