//! Reads of the views.

mod accounts;
mod entries;
mod fork;
mod history;
mod lists;
mod programme;
mod rules;
mod transfers;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{AccountId, Hold, KeyId, Owner, OwnerId, Tenant, TenantId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Semaphore;

use super::remembered_page::{self, RawRemembered};
use super::{rows, views};
use crate::codes::Code;
use crate::query::{AccountRow, RecordQuery};
use crate::records::{Fingerprint, KeyRecord, Record, RecordKind, Remembered};
use crate::{Result, StoreError};
pub(crate) use accounts::{accounts, accounts_page};
pub(crate) use entries::{entries, entries_between};
pub(crate) use fork::fork;
pub(crate) use history::history;
pub(crate) use lists::{open_transfers, owner_transfers, transfers, waiting_transfers};
pub(crate) use programme::{bulk, bulk_operations, bulks, profile, profiles};
pub(crate) use rules::{execution, executions, rule, rules};
pub(crate) use transfers::{kept_transfer, transfer};

/// Connections that read at the same time.
const READERS: usize = 8;

/// A small pool of reading connections.
pub(crate) struct Readers {
    folder: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(folder: &Path) -> Readers {
        Readers {
            folder: folder.to_owned(),
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Runs a query at once, on the calling thread.
    pub(crate) async fn run_here<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let Ok(_turn) = self.turns.try_acquire() else {
            return self.run(query).await;
        };
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = idle().pop();
        let connection = match spare {
            Some(connection) => Ok(connection),
            None => views::open_reader(&self.folder),
        };
        let result = connection.and_then(|connection| {
            let result = query(&connection);
            idle().push(connection);
            result
        });
        result.map_err(|error| StoreError::Corrupt(Arc::from(error.to_string())))
    }

    /// Runs a query off the async threads.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| StoreError::unavailable("the store is closed"))?;
        let idle = Arc::clone(&self.idle);
        let folder = self.folder.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let spare = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match spare {
                Some(connection) => connection,
                None => views::open_reader(&folder)?,
            };
            let result = query(&connection);
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
            result
        });
        match done.await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(StoreError::Corrupt(Arc::from(error.to_string()))),
            Err(_) => Err(StoreError::Corrupt(Arc::from("a read has panicked"))),
        }
    }
}

fn id(raw: u64) -> i64 {
    raw.cast_signed()
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(values, |row| read(row))?.collect()
}

pub(crate) fn tenants(views: &Connection) -> rusqlite::Result<Vec<Tenant>> {
    let sql = format!("SELECT {} FROM tenants ORDER BY id", rows::TENANT);
    all(views, &sql, [], rows::tenant)
}

pub(crate) fn tenant(views: &Connection, tenant: TenantId) -> rusqlite::Result<Option<Tenant>> {
    let sql = format!("SELECT {} FROM tenants WHERE id = ?1", rows::TENANT);
    let mut statement = views.prepare_cached(&sql)?;
    statement
        .query_row([id(tenant.raw())], rows::tenant)
        .optional()
}

pub(crate) fn owners(views: &Connection, tenant: TenantId) -> rusqlite::Result<Vec<Owner>> {
    let sql = format!(
        "SELECT {} FROM owners WHERE tenant = ?1 ORDER BY id",
        rows::OWNER
    );
    all(views, &sql, [id(tenant.raw())], rows::owner)
}

pub(crate) fn account(
    views: &Connection,
    tenant: TenantId,
    account: AccountId,
) -> rusqlite::Result<Option<AccountRow>> {
    let sql = format!(
        "SELECT {}, o.name FROM accounts a JOIN owners o ON o.id = a.owner \
         WHERE a.tenant = ?1 AND a.id = ?2 AND a.kind < 16",
        rows::ACCOUNT
    );
    let mut statement = views.prepare_cached(&sql)?;
    statement
        .query_row([id(tenant.raw()), id(account.raw())], accounts::account_row)
        .optional()
}

pub(crate) fn holds(views: &Connection, account: AccountId) -> rusqlite::Result<Vec<Hold>> {
    let sql = format!(
        "SELECT {} FROM holds WHERE account = ?1 ORDER BY id",
        rows::HOLD
    );
    all(views, &sql, [id(account.raw())], rows::hold)
}

pub(crate) fn key_by_hash(
    views: &Connection,
    hash: &[u8; 32],
) -> rusqlite::Result<Option<KeyRecord>> {
    let sql = format!("SELECT {} FROM api_keys WHERE hash = ?1", rows::KEY);
    let found = all(views, &sql, [hash.as_slice()], rows::key)?;
    Ok(found.into_iter().next())
}

pub(crate) fn keys(
    views: &Connection,
    tenant: Option<TenantId>,
) -> rusqlite::Result<Vec<KeyRecord>> {
    let sql = format!(
        "SELECT {} FROM api_keys WHERE ?1 IS NULL OR tenant = ?1 ORDER BY id",
        rows::KEY
    );
    all(
        views,
        &sql,
        [tenant.map(|tenant| id(tenant.raw()))],
        rows::key,
    )
}

/// Which tenant each API key belongs to that has not been revoked.
pub(crate) fn key_owners(views: &Connection) -> rusqlite::Result<HashMap<KeyId, TenantId>> {
    let keys = keys(views, None)?;
    let live = keys.into_iter().filter(|key| key.revoked_at.is_none());
    Ok(live.map(|key| (key.id, key.tenant)).collect())
}

pub(crate) fn remembered(views: &Connection, number: u64) -> rusqlite::Result<Option<Remembered>> {
    let page = remembered_page::page_of(number);
    let sql = "SELECT keys, answers FROM remembered_pages WHERE page = ?1";
    let mut statement = views.prepare_cached(sql)?;
    let found = statement.query_row([id(page)], |row| {
        let (keys, answers) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        let records = remembered_page::records(page, keys, answers);
        let records = records.map_err(|error| rows::damaged(0, error))?;
        let record = records.into_iter().find(|record| record.number == number);
        let record = record.map(RawRemembered::read).transpose();
        record.map_err(|error| rows::damaged(1, error))
    });
    Ok(found.optional()?.flatten())
}

pub(crate) fn record(
    views: &Connection,
    kind: RecordKind,
    tenant: TenantId,
    record: u64,
) -> rusqlite::Result<Option<Record>> {
    let sql = format!(
        "SELECT {} FROM records WHERE kind = ?1 AND id = ?2 AND tenant = ?3",
        rows::RECORD
    );
    let mut statement = views.prepare_cached(&sql)?;
    let values = params![kind.code(), id(record), id(tenant.raw())];
    statement.query_row(values, rows::record).optional()
}

pub(crate) fn records(views: &Connection, query: &RecordQuery) -> rusqlite::Result<Vec<Record>> {
    let mut sql = format!(
        "SELECT {} FROM records WHERE kind = ?1 AND tenant = ?2 AND id > ?3 AND id < ?6",
        rows::RECORD
    );
    if query.owner.is_some() {
        sql.push_str(" AND owner = ?5");
    } else {
        sql.push_str(" AND ?5 IS NULL");
    }
    sql.push_str(match query.newest_first {
        true => " ORDER BY id DESC LIMIT ?4",
        false => " ORDER BY id LIMIT ?4",
    });
    let values = params![
        query.kind.code(),
        id(query.tenant.raw()),
        // No id exceeds the greatest number there is.
        i64::try_from(query.after).unwrap_or(i64::MAX),
        i64::try_from(query.limit).unwrap_or(i64::MAX),
        query.owner.map(|owner| id(owner.raw())),
        i64::try_from(query.before).unwrap_or(i64::MAX),
    ];
    all(views, &sql, values, rows::record)
}

pub(crate) fn record_by_unique(
    views: &Connection,
    kind: RecordKind,
    tenant: TenantId,
    unique: Fingerprint,
) -> rusqlite::Result<Option<Record>> {
    let sql = format!(
        "SELECT {} FROM records WHERE kind = ?1 AND tenant = ?2 AND unique_key = ?3",
        rows::RECORD
    );
    let mut statement = views.prepare_cached(&sql)?;
    let values = params![kind.code(), id(tenant.raw()), unique];
    statement.query_row(values, rows::record).optional()
}

/// Sums in two 32-bit halves: SQLite's own sum of 64-bit numbers can overflow.
const HALVES: &str = "sum(balance >> 32), sum(balance & 4294967295)";

fn whole(high: i64, low: i64) -> i128 {
    (i128::from(high) << 32) + i128::from(low)
}

pub(crate) fn totals(views: &Connection) -> rusqlite::Result<Vec<(String, i128)>> {
    let sql =
        format!("SELECT currency, {HALVES} FROM accounts GROUP BY currency ORDER BY currency");
    all(views, &sql, [], |row| {
        Ok((row.get(0)?, whole(row.get(1)?, row.get(2)?)))
    })
}

pub(crate) fn owner_total(views: &Connection, owner: OwnerId) -> rusqlite::Result<i128> {
    let sql = format!("SELECT {HALVES} FROM accounts WHERE owner = ?1");
    views.query_row(&sql, [id(owner.raw())], |row| {
        Ok(whole(
            row.get::<_, Option<i64>>(0)?.unwrap_or(0),
            row.get::<_, Option<i64>>(1)?.unwrap_or(0),
        ))
    })
}
