//! The views: SQLite tables filled from the journal, for reads only.
//!
//! They can be deleted at any time; the next start fills them again. One connection writes (the
//! indexer's), a few read. Write-ahead log with `synchronous=NORMAL`: after a power cut the views
//! may have lost their newest batches, never their order, and the journal fills them in.

use std::path::{Path, PathBuf};

use journal::Position;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// The file in the data folder.
pub(crate) const FILE: &str = "views.sqlite";

/// Version of the tables below; other versions are deleted and filled again.
const SCHEMA_VERSION: i64 = 8;

/// Tables are clustered by the order they are read in, and only accounts and bulks, of which there are
/// few, have another index: sorted inserts into few trees are what keeps filling them cheap. What grows
/// with every transfer is gathered in pages, except the transfers themselves
/// (`docs/decisions/2026-11-21-view-pages.md`).
/// Records and rules change seldom and are looked for in several ways; they have indexes. So have runs
/// of rules, each of which is written twice at most unless it waits for a rail: their indexes hold all
/// that a list filters by.
const SCHEMA: &str = "
CREATE TABLE meta (
    only INTEGER PRIMARY KEY CHECK (only = 1), schema INTEGER NOT NULL,
    batch INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, chain BLOB NOT NULL,
    last_id INTEGER NOT NULL, last_remembered INTEGER NOT NULL, last_at_ms INTEGER NOT NULL);
CREATE TABLE tenants (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, mode INTEGER NOT NULL,
    clock_offset_ms INTEGER, clock_frozen_ms INTEGER, created_ms INTEGER NOT NULL);
CREATE TABLE owners (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
    created_ms INTEGER NOT NULL);
CREATE TABLE accounts (
    tenant INTEGER NOT NULL, id INTEGER NOT NULL, owner INTEGER NOT NULL, kind INTEGER NOT NULL,
    name TEXT NOT NULL, description TEXT, institution TEXT, number_last_four TEXT,
    routing_last_four TEXT, currency TEXT NOT NULL, state INTEGER NOT NULL,
    can_be_source INTEGER NOT NULL, can_be_destination INTEGER NOT NULL,
    reported_balance INTEGER, reported_available INTEGER, reported_last_statement INTEGER,
    reported_next_payment_minimum INTEGER, reported_last_statement_date TEXT,
    reported_next_payment_due_date TEXT, reported_updated_ms INTEGER,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    balance INTEGER NOT NULL, held INTEGER NOT NULL, entries INTEGER NOT NULL,
    profile INTEGER, parent INTEGER, tag TEXT, details TEXT, reason INTEGER,
    PRIMARY KEY (tenant, id)) WITHOUT ROWID;
CREATE INDEX accounts_of_owner ON accounts (owner);
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT NOT NULL, active INTEGER NOT NULL,
    currencies TEXT NOT NULL, kind INTEGER NOT NULL, terms BLOB NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);
CREATE TABLE bulks (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, owner INTEGER NOT NULL, api_key INTEGER,
    status INTEGER NOT NULL, mode INTEGER, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, started_ms INTEGER, finished_ms INTEGER,
    submitted INTEGER NOT NULL, operations BLOB NOT NULL);
CREATE INDEX bulks_of_owner ON bulks (owner);
CREATE TABLE bulk_operations (
    bulk INTEGER NOT NULL, operation INTEGER NOT NULL, transfer INTEGER, status INTEGER,
    denial INTEGER,
    PRIMARY KEY (bulk, operation)) WITHOUT ROWID;
CREATE TABLE rules (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, owner INTEGER NOT NULL, account INTEGER,
    enabled INTEGER NOT NULL, deleted_ms INTEGER, body BLOB NOT NULL);
CREATE INDEX rules_of_tenant ON rules (tenant);
CREATE INDEX rules_of_owner ON rules (owner);
CREATE INDEX rules_of_account ON rules (account);
CREATE TABLE rule_caps (
    rule INTEGER NOT NULL, step INTEGER NOT NULL, action_group INTEGER NOT NULL,
    period INTEGER NOT NULL, since_day INTEGER NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (rule, step, action_group)) WITHOUT ROWID;
CREATE TABLE executions (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, owner INTEGER NOT NULL,
    rule INTEGER NOT NULL, status INTEGER NOT NULL, cause INTEGER NOT NULL, mode INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX executions_of_tenant ON executions (tenant, id, status, cause, mode, created_ms);
CREATE INDEX executions_of_owner ON executions (owner, id, status, cause, mode, created_ms);
CREATE INDEX executions_of_rule ON executions (rule, id, status, cause, mode, created_ms);
CREATE INDEX executions_open ON executions (owner) WHERE status = 1;
CREATE TABLE transfers (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, owner INTEGER NOT NULL,
    source INTEGER, destination INTEGER, currency TEXT NOT NULL, amount INTEGER NOT NULL,
    direction INTEGER NOT NULL, origin INTEGER NOT NULL, rail INTEGER,
    rail_delay_ms INTEGER NOT NULL, status INTEGER NOT NULL, error INTEGER,
    rule INTEGER, execution INTEGER, api_key INTEGER, description TEXT,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, completed_ms INTEGER,
    profile INTEGER, tag TEXT, scheduled_ms INTEGER, fee INTEGER NOT NULL, cancel_reason TEXT,
    card INTEGER);
CREATE TABLE owner_pages (
    owner INTEGER NOT NULL, page INTEGER NOT NULL, transfers INTEGER NOT NULL,
    instruments INTEGER NOT NULL, instruments_before INTEGER NOT NULL,
    first_id INTEGER NOT NULL, last_id INTEGER NOT NULL,
    created_from_ms INTEGER NOT NULL, created_to_ms INTEGER NOT NULL,
    executed_from_ms INTEGER, executed_to_ms INTEGER,
    statuses BLOB NOT NULL, marks BLOB NOT NULL,
    PRIMARY KEY (owner, page)) WITHOUT ROWID;
CREATE TABLE owner_lines (first_id INTEGER PRIMARY KEY, lines BLOB NOT NULL);
CREATE TABLE entry_pages (
    account INTEGER NOT NULL, page INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (account, page)) WITHOUT ROWID;
CREATE TABLE holds (
    account INTEGER NOT NULL, id INTEGER NOT NULL, tenant INTEGER NOT NULL,
    currency TEXT NOT NULL, amount INTEGER NOT NULL, created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    PRIMARY KEY (account, id)) WITHOUT ROWID;
CREATE TABLE due (
    tenant INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL, object INTEGER NOT NULL,
    PRIMARY KEY (tenant, at_ms, kind, object)) WITHOUT ROWID;
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT NOT NULL, hash BLOB NOT NULL,
    hint TEXT NOT NULL, permissions TEXT NOT NULL, created_ms INTEGER NOT NULL,
    revoked_ms INTEGER);
CREATE TABLE records (
    kind INTEGER NOT NULL, id INTEGER NOT NULL, tenant INTEGER NOT NULL, owner INTEGER,
    version INTEGER NOT NULL, unique_key BLOB, body TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX records_of_owner ON records (kind, tenant, owner, id);
CREATE INDEX records_unique ON records (kind, tenant, unique_key) WHERE unique_key IS NOT NULL;
CREATE TABLE remembered_pages (
    page INTEGER PRIMARY KEY, keys BLOB NOT NULL, answers BLOB NOT NULL);
CREATE TABLE commit_pages (
    tenant INTEGER NOT NULL, first INTEGER NOT NULL, commits INTEGER NOT NULL,
    batch INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, chain BLOB NOT NULL,
    runs BLOB NOT NULL,
    PRIMARY KEY (tenant, first)) WITHOUT ROWID;
CREATE VIEW entries AS SELECT
    p.account AS account, p.page * 16 + e.key + 1 AS sequence, e.value ->> 0 AS transfer,
    CASE WHEN e.value ->> 1 < 0 THEN 1 ELSE 2 END AS side, abs(e.value ->> 1) AS amount,
    e.value ->> 2 AS balance_after, e.value ->> 3 AS at_ms
  FROM entry_pages p, json_each(p.entries) e;
CREATE VIEW transfers_readable AS SELECT
    id, amount, currency,
    CASE status WHEN 1 THEN 'scheduled' WHEN 2 THEN 'pending_approval' WHEN 3 THEN 'processing'
        WHEN 4 THEN 'pending' WHEN 5 THEN 'complete' WHEN 6 THEN 'incomplete' WHEN 7 THEN 'error'
        WHEN 8 THEN 'rejected' WHEN 9 THEN 'cancelled' END AS status,
    CASE direction WHEN 1 THEN 'money_in' WHEN 2 THEN 'money_out' ELSE 'internal' END AS direction,
    source, destination, datetime(created_ms / 1000, 'unixepoch') AS created,
    datetime(completed_ms / 1000, 'unixepoch') AS completed
  FROM transfers;
";

// The view `entries` says it too.
const _: () = assert!(super::entry_page::ENTRIES_MAX == 16);

/// How far the views have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub position: Position,
    pub last_id: u64,
    pub last_remembered: u64,
    pub last_at_ms: i64,
}

impl Progress {
    pub(crate) const NOTHING: Progress = Progress {
        position: Position::START,
        last_id: 0,
        last_remembered: 0,
        last_at_ms: 0,
    };
}

/// Opens the views for writing, making or remaking them when they are missing or of another
/// version.
pub(crate) fn open(folder: &Path) -> rusqlite::Result<Connection> {
    let path = folder.join(FILE);
    let connection = connect(&path)?;
    match version(&connection) {
        Ok(Some(SCHEMA_VERSION)) => return Ok(connection),
        Ok(None) if is_empty(&connection)? => {}
        _ => {
            drop(connection);
            remove(folder).map_err(|_| rusqlite::Error::InvalidPath(path.clone()))?;
            return open_new(&path);
        }
    }
    create(&connection)?;
    Ok(connection)
}

/// Deletes the views.
pub(crate) fn remove(folder: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::remove_file(folder.join(format!("{FILE}{suffix}"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Opens the views for reading, beside the indexer or alone.
pub(crate) fn open_reader(folder: &Path) -> rusqlite::Result<Connection> {
    let path: PathBuf = folder.join(FILE);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn open_new(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    create(&connection)?;
    Ok(connection)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // One thread uses it: no locking within SQLite.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -64_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    connection.pragma_update(None, "journal_size_limit", 64_000_000)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Empty views for tests of one table.
#[cfg(test)]
pub(crate) fn in_memory() -> Connection {
    let connection = Connection::open_in_memory().expect("room for a database");
    create(&connection).expect("valid statements");
    connection
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))?;
    connection.execute(
        "INSERT INTO meta VALUES (1, ?1, 0, ?2, ?3, ?4, 0, 0, 0)",
        params![
            SCHEMA_VERSION,
            Position::START.segment,
            Position::START.offset.cast_signed(),
            Position::START.chain
        ],
    )?;
    Ok(())
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
        row.get(0)
    })
}

fn version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let known: bool = connection.query_row(
        "SELECT count(*) = 1 FROM sqlite_schema WHERE name = 'meta'",
        [],
        |row| row.get(0),
    )?;
    if !known {
        return Ok(None);
    }
    connection
        .query_row("SELECT schema FROM meta", [], |row| row.get(0))
        .optional()
}

/// How far these views have come.
pub(crate) fn progress(connection: &Connection) -> rusqlite::Result<Progress> {
    connection.query_row(
        "SELECT batch, segment, offset, chain, last_id, last_remembered, last_at_ms FROM meta",
        [],
        |row| {
            Ok(Progress {
                position: Position {
                    batch: row.get::<_, i64>(0)?.cast_unsigned(),
                    segment: row.get(1)?,
                    offset: row.get::<_, i64>(2)?.cast_unsigned(),
                    chain: row.get(3)?,
                },
                last_id: row.get::<_, i64>(4)?.cast_unsigned(),
                last_remembered: row.get::<_, i64>(5)?.cast_unsigned(),
                last_at_ms: row.get(6)?,
            })
        },
    )
}

/// Writes how far these views have come; part of the transaction that brought them there.
pub(crate) fn set_progress(connection: &Connection, to: &Progress) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE meta SET batch = ?1, segment = ?2, offset = ?3, chain = ?4, last_id = ?5, \
             last_remembered = ?6, last_at_ms = ?7",
        )?
        .execute(params![
            to.position.batch.cast_signed(),
            to.position.segment,
            to.position.offset.cast_signed(),
            to.position.chain,
            to.last_id.cast_signed(),
            to.last_remembered.cast_signed(),
            to.last_at_ms,
        ])?;
    Ok(())
}
