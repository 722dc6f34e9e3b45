//! Every statement of the engine keeps to the part of SQL that the decision record names
//! (`docs/decisions/2026-11-21-postgres-store.md`): other engines than PostgreSQL have it, too.

mod check;
mod scan;
mod tokens;

use super::schema::STEPS;
use scan::Sources;

#[test]
fn every_statement_is_within_the_subset() {
    let statements = Sources::of_the_engine().statements();
    let mut wrong = Vec::new();
    for found in &statements {
        if let Err(why) = check::statement(&found.sql) {
            wrong.push(format!("{}: {why}: {}", found.place, found.sql));
        }
    }
    for step in STEPS {
        if let Err(why) = check::statement(step.sql) {
            wrong.push(format!("{}: {why}: {}", step.name, step.sql));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        statements.len() > 100,
        "the sources are not where they were"
    );
}

#[test]
fn statements_outside_of_the_subset_are_refused() {
    for (sql, why) in [
        ("SELECT nextval('ids')", "function nextval"),
        ("SELECT pg_advisory_lock(1)", "function pg_advisory_lock"),
        ("SELECT now()", "function now"),
        (
            "SELECT id FROM due WHERE lane = $1 FOR UPDATE SKIP LOCKED",
            "SKIP LOCKED",
        ),
        (
            "SELECT id FROM due WHERE lane = $1 FOR UPDATE NOWAIT",
            "NOWAIT",
        ),
        ("SELECT id FROM due WHERE lane = $1 FOR SHARE", "FOR SHARE"),
        (
            "WITH gone AS (DELETE FROM due RETURNING id) SELECT id FROM gone",
            "changes data",
        ),
        (
            "WITH made AS (INSERT INTO due (id) VALUES (1) RETURNING id) SELECT id FROM made",
            "changes data",
        ),
        ("SELECT id::numeric FROM due", "type NUMERIC"),
        ("SELECT CAST(id AS integer) FROM due", "type INTEGER"),
        ("SELECT $1::timestamptz", "type TIMESTAMPTZ"),
        ("SELECT $1::jsonb", "type JSONB"),
        ("SELECT body -> 'name' FROM records", "operator ->"),
        ("SELECT id FROM records WHERE body ~ 'x'", "operator ~"),
        ("SELECT ($1::bigint[])[1:2]", "part ($1"),
        ("SELECT id INTO copied FROM records", "INTO"),
        ("SELECT ctid FROM records", "column ctid"),
        ("SELECT DISTINCT ON (id) id, at_ms FROM due", "DISTINCT ON"),
        (
            "SELECT * FROM generate_series(1, 2)",
            "function generate_series",
        ),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SAVEPOINT here", "not a statement of"),
        ("LISTEN news", "not a statement of"),
        ("NOTIFY news", "not a statement of"),
        ("LOCK TABLE due", "not a statement of"),
        ("TRUNCATE due", "not a statement of"),
        ("CALL work()", "not a statement of"),
        ("SELECT id FRM due", "not SQL"),
    ] {
        let refused = check::statement(sql).expect_err(sql);
        assert!(refused.contains(why), "{sql}: {refused}");
    }
}

#[test]
fn tables_and_indexes_outside_of_the_subset_are_refused() {
    let table = |columns: &str| format!("CREATE TABLE t ({columns}, PRIMARY KEY (id))");
    check::statement(&table("id bigint NOT NULL, name text")).expect("it is within the subset");
    for (sql, why) in [
        (table("id bigserial"), "column id bigserial"),
        (table("id integer NOT NULL"), "column id INTEGER"),
        (
            table("id bigint NOT NULL DEFAULT 1"),
            "column id BIGINT NOT NULL DEFAULT",
        ),
        (
            table("id bigint NOT NULL, o bigint REFERENCES owners (id)"),
            "REFERENCES",
        ),
        (table("id bigint NOT NULL, o bigint CHECK (o > 0)"), "CHECK"),
        (table("id bigint GENERATED ALWAYS AS IDENTITY"), "IDENTITY"),
        (
            table("id bigint NOT NULL, FOREIGN KEY (id) REFERENCES owners (id)"),
            "constraint FOREIGN KEY",
        ),
        (
            table("id bigint NOT NULL, UNIQUE (id)"),
            "constraint UNIQUE",
        ),
        (
            "CREATE TABLE t (id bigint NOT NULL)".to_owned(),
            "primary key",
        ),
        (
            table("id bigint NOT NULL").replace("TABLE", "TEMPORARY TABLE"),
            "TEMPORARY",
        ),
        (
            table("id bigint NOT NULL").replace("TABLE", "UNLOGGED TABLE"),
            "UNLOGGED",
        ),
        (
            table("id bigint NOT NULL").replace("TABLE", "TABLE IF NOT EXISTS"),
            "IF NOT EXISTS",
        ),
        (
            table("id bigint NOT NULL") + " PARTITION BY HASH (id)",
            "PARTITION BY",
        ),
        (
            table("id bigint NOT NULL") + " WITH (autovacuum_enabled = off)",
            "autovacuum",
        ),
        ("CREATE TABLE t AS SELECT 1".to_owned(), "primary key"),
        ("CREATE INDEX i ON t (id) WHERE id > 0".to_owned(), "WHERE"),
        (
            "CREATE INDEX i ON t (lower(name))".to_owned(),
            "column lower",
        ),
        (
            "CREATE INDEX i ON t (id) INCLUDE (name)".to_owned(),
            "INCLUDE",
        ),
        (
            "CREATE INDEX CONCURRENTLY i ON t (id)".to_owned(),
            "CONCURRENTLY",
        ),
        ("CREATE INDEX i ON t USING gin (id)".to_owned(), "USING"),
        (
            "ALTER TABLE t ADD COLUMN o bigint NOT NULL".to_owned(),
            "not a statement of",
        ),
        (
            "ALTER TABLE t ADD COLUMN o integer".to_owned(),
            "type integer",
        ),
        (
            "ALTER TABLE t DROP COLUMN o".to_owned(),
            "not a statement of",
        ),
        ("CREATE VIEW v AS SELECT 1".to_owned(), "not a statement of"),
        ("CREATE SEQUENCE s".to_owned(), "not a statement of"),
        (
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1'".to_owned(),
            "not a statement of",
        ),
        (
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY".to_owned(),
            "not a statement of",
        ),
    ] {
        let refused = check::statement(&sql).expect_err(&sql);
        assert!(refused.contains(why), "{sql}: {refused}");
    }
}
