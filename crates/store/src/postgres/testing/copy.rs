//! The rows of an embedded store in the tables of PostgreSQL, and its journal as commits.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use journal::{Folder, Position, Reader, Storage};
use ledger::{AccountId, Effect, OwnerId, TenantId};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sim::postgres::Database;

use crate::Store;
use crate::codec::{self, Change};
use crate::embedded::{Embedded, JOURNAL};
use crate::postgres::chain;
use crate::postgres::due::lane_of;

/// Tables whose rows need nothing but an owner, if anything: columns, and what gives them.
const TABLES: &[(&str, &str, &str)] = &[
    (
        "tenants",
        "id, name, mode, clock_offset_ms, clock_frozen_ms, created_ms",
        "SELECT id, name, mode, clock_offset_ms, clock_frozen_ms, created_ms FROM tenants",
    ),
    (
        "owners",
        "id, tenant, kind, name, created_ms, system_accounts",
        "SELECT id, tenant, kind, name, created_ms, \
         (SELECT coalesce(group_concat(kind || ':' || currency || ':' || id, ' '), '') \
          FROM accounts WHERE owner = owners.id AND kind >= 16) FROM owners",
    ),
    (
        "transfers",
        "id, tenant, owner, source, destination, currency, amount, direction, origin, rail, \
         rail_delay_ms, status, error, rule, execution, api_key, description, created_ms, \
         updated_ms, completed_ms, profile, tag, scheduled_ms, fee, cancel_reason, \
         between_instruments",
        "SELECT t.*, coalesce(s.kind IN (2, 6, 7) AND c.kind IN (2, 6, 7), 0) FROM transfers t \
         LEFT JOIN accounts s ON s.id = t.source LEFT JOIN accounts c ON c.id = t.destination",
    ),
    (
        "holds",
        "account, id, tenant, currency, amount, created_ms, expires_ms, owner",
        "SELECT h.*, a.owner FROM holds h JOIN accounts a ON a.id = h.account",
    ),
    (
        "due",
        "tenant, at_ms, kind, object, lane, machine_ms, owner",
        "SELECT d.*, 0, 0, CASE d.kind \
         WHEN 1 THEN (SELECT owner FROM transfers WHERE id = d.object) \
         WHEN 2 THEN (SELECT a.owner FROM holds h JOIN accounts a ON a.id = h.account \
                      WHERE h.id = d.object) \
         ELSE (SELECT owner FROM bulks WHERE id = d.object) END FROM due d",
    ),
    (
        "profiles",
        "id, tenant, name, active, currencies, kind, terms, created_ms, updated_ms",
        "SELECT * FROM profiles",
    ),
    (
        "bulks",
        "id, tenant, owner, api_key, status, mode, succeeded, failed, created_ms, started_ms, \
         finished_ms, submitted, operations",
        "SELECT * FROM bulks",
    ),
    (
        "bulk_operations",
        "bulk, operation, transfer, status, denial, owner",
        "SELECT x.*, b.owner FROM bulk_operations x JOIN bulks b ON b.id = x.bulk",
    ),
    (
        "api_keys",
        "id, tenant, name, hash, hint, permissions, created_ms, revoked_ms",
        "SELECT * FROM api_keys",
    ),
    (
        "records",
        "kind, id, tenant, owner, version, unique_key, body, at_ms",
        "SELECT * FROM records",
    ),
];

const ACCOUNTS: &str = "tenant, id, owner, kind, name, description, institution, \
     number_last_four, routing_last_four, currency, state, can_be_source, can_be_destination, \
     reported_balance, reported_available, reported_last_statement, \
     reported_next_payment_minimum, reported_last_statement_date, \
     reported_next_payment_due_date, reported_updated_ms, created_ms, updated_ms, balance, held, \
     entries, profile, parent, tag, details, reason";

pub(super) async fn all(folder: &Path, store: &Embedded, database: &Database) {
    let mut script = Vec::new();
    let views = Connection::open(folder.join("views.sqlite")).expect("the views are there");
    for (table, columns, rows) in TABLES {
        for row in select(&views, rows, columns) {
            script.push(format!("INSERT INTO {table} ({columns}) VALUES ({row})"));
        }
    }
    for owner in select(&views, "SELECT id FROM owners", "id") {
        let lane = lane_of(OwnerId::new(owner.parse().expect("an id")));
        script.push(format!(
            "UPDATE due SET lane = {lane} WHERE owner = {owner}"
        ));
    }
    accounts(&views, store, &mut script).await;
    remembered(store, &mut script).await;
    commits(folder, &mut script);
    database.sql(&script.join(";"));
}

fn bytes(bytes: &[u8]) -> String {
    let mut hex = String::from("'\\x");
    for byte in bytes {
        write!(hex, "{byte:02x}").expect("room in a text");
    }
    hex + "'"
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The rows of a query, each as values for an INSERT into these columns.
fn select(views: &Connection, sql: &str, columns: &str) -> Vec<String> {
    let names: Vec<&str> = columns.split(',').map(str::trim).collect();
    let mut statement = views.prepare(sql).expect("a valid query");
    let rows = statement.query_map([], |row| {
        let values: rusqlite::Result<Vec<String>> = (0..names.len())
            .map(|column| {
                let booleans = [
                    "active",
                    "between_instruments",
                    "can_be_source",
                    "can_be_destination",
                ];
                let is_boolean = booleans.contains(&names[column]);
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => "NULL".to_owned(),
                    ValueRef::Integer(number) if is_boolean => (number != 0).to_string(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Text(value) => text(&String::from_utf8_lossy(value)),
                    ValueRef::Blob(value) => bytes(value),
                    ValueRef::Real(number) => panic!("{number} is no integer"),
                })
            })
            .collect();
        Ok(values?.join(", "))
    });
    let rows: rusqlite::Result<_> = rows.expect("a valid query").collect();
    rows.expect("the views can be read")
}

/// Accounts with their entries and chains.
async fn accounts(views: &Connection, store: &Embedded, script: &mut Vec<String>) {
    let all = format!("SELECT {ACCOUNTS} FROM accounts ORDER BY id");
    let rows = select(views, &all, ACCOUNTS);
    let keys = select(
        views,
        "SELECT id, owner FROM accounts ORDER BY id",
        "id, owner",
    );
    for (row, key) in rows.iter().zip(keys) {
        let (account, owner) = key.split_once(", ").expect("two numbers");
        let account: i64 = account.parse().expect("a number");
        let id = AccountId::new(account.cast_unsigned());
        let entries = store.entries(id, None, usize::MAX).await;
        let (mut chain, mut until) = (chain::EMPTY, i64::MIN);
        for entry in entries.expect("reads work").iter().rev() {
            chain = chain::next(&chain, id, entry);
            until = until.max(entry.at.0);
            script.push(format!(
                "INSERT INTO entries VALUES ({owner}, {account}, {}, {}, {}, {}, {}, {}, {until}, \
                 {})",
                entry.sequence,
                entry.transfer,
                if entry.side == ledger::Side::Debit {
                    1
                } else {
                    2
                },
                entry.amount_minor,
                entry.balance_after,
                entry.at.0,
                bytes(&chain)
            ));
        }
        script.push(format!(
            "INSERT INTO accounts ({ACCOUNTS}, chain, entries_until_ms) VALUES ({row}, {}, {until})",
            bytes(&chain)
        ));
    }
}

async fn remembered(store: &Embedded, script: &mut Vec<String>) {
    for number in 1.. {
        let Some(it) = store.remembered(number).await.expect("reads work") else {
            return;
        };
        script.push(format!(
            "INSERT INTO remembered (key, number, body, at_ms, request_id, reply) \
             VALUES ({}, {number}, {}, {}, {}, {})",
            bytes(&it.key),
            bytes(&it.body),
            it.at.0,
            text(&it.request_id),
            bytes(&codec::reply_to_bytes(&it.reply, it.at))
        ));
    }
}

/// The object that a change is about, and its tenant if it makes the object.
fn object_of(change: &Change) -> (u64, Option<TenantId>) {
    match change {
        Change::Ledger(effect) => match effect {
            Effect::TenantCreated(it) => (it.id.raw(), Some(it.id)),
            Effect::ClockSet { tenant, .. } => (tenant.raw(), None),
            Effect::OwnerCreated(it) => (it.id.raw(), Some(it.tenant)),
            Effect::AccountOpened(it) => (it.id.raw(), Some(it.tenant)),
            Effect::AccountStateSet { account, .. } | Effect::AccountChanged { account, .. } => {
                (account.raw(), None)
            }
            Effect::ProfileSet(it) => (it.id.raw(), Some(it.tenant)),
            Effect::TransferRecorded(it) => (it.id.raw(), Some(it.tenant)),
            Effect::TransferMoved { transfer, .. } | Effect::Posted { transfer, .. } => {
                (transfer.raw(), None)
            }
            Effect::HoldPlaced(it) => (it.id.raw(), Some(it.tenant)),
            Effect::HoldReleased(hold) => (hold.raw(), None),
            Effect::BulkSubmitted(it) => (it.id.raw(), Some(it.tenant)),
            Effect::BulkMoved { bulk, .. } | Effect::BulkStepped { bulk, .. } => (bulk.raw(), None),
            Effect::DueAdded(due) | Effect::DueRemoved(due) => (due.tenant.raw(), None),
        },
        Change::KeyCreated(it) => (it.id.raw(), Some(it.tenant)),
        Change::KeyRevoked { key, .. } => (key.raw(), None),
        Change::RecordPut(it) => (it.id, Some(it.tenant)),
        Change::RecordDeleted { id, .. } => (*id, None),
        Change::Remembered(_) => (0, None),
    }
}

/// Each record of the journal as a commit of its tenant; refusals that are remembered belong to any.
fn commits(folder: &Path, script: &mut Vec<String>) {
    let storage = Folder::open_read_only(&folder.join(JOURNAL)).expect("the journal is there");
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let mut reader = Reader::new(storage, Position::START);
    let mut tenants: HashMap<u64, TenantId> = HashMap::new();
    let mut heads: HashMap<TenantId, u64> = HashMap::new();
    let mut last = TenantId::new(0);
    let mut changes = Vec::new();
    while let Some(batch) = reader.next(u64::MAX).expect("the journal is whole") {
        let number = batch.number();
        for record in batch.records() {
            codec::decode_into(record, &mut changes).expect("a record");
            for change in changes.drain(..) {
                let (object, tenant) = object_of(&change);
                if let Some(tenant) = tenant {
                    tenants.insert(object, tenant);
                }
                last = tenants.get(&object).copied().unwrap_or(last);
            }
            let head = heads.entry(last).or_default();
            *head += 1;
            script.push(format!(
                "INSERT INTO commits (tenant, number, batch, record) \
                 VALUES ({last}, {head}, {number}, {})",
                bytes(record)
            ));
        }
    }
    for (tenant, head) in heads {
        script.push(format!("INSERT INTO heads VALUES ({tenant}, {head})"));
    }
}
