//! Reads of the views.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{
    AccountId, Hold, KeyId, Millis, Owner, OwnerId, Profile, ProfileId, Tenant, TenantId,
    TransferId,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use tokio::sync::Semaphore;

use super::codec;
use super::codes::Code;
use super::{rows, views};
use crate::query::{
    AccountClass, AccountQuery, AccountRole, AccountRow, EntryRow, OwnerTransferPage,
    OwnerTransferQuery, RecordQuery, TransferQuery, TransferRow,
};
use crate::records::{Fingerprint, KeyRecord, Record, RecordKind, Remembered};
use crate::{Result, StoreError};

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

pub(crate) fn profiles(views: &Connection, tenant: TenantId) -> rusqlite::Result<Vec<Profile>> {
    let sql = format!(
        "SELECT {} FROM profiles WHERE tenant = ?1 ORDER BY id",
        rows::PROFILE
    );
    all(views, &sql, [id(tenant.raw())], rows::profile)
}

pub(crate) fn profile(
    views: &Connection,
    tenant: TenantId,
    profile: ProfileId,
) -> rusqlite::Result<Option<Profile>> {
    let sql = format!(
        "SELECT {} FROM profiles WHERE id = ?1 AND tenant = ?2",
        rows::PROFILE
    );
    let mut statement = views.prepare_cached(&sql)?;
    let values = [id(profile.raw()), id(tenant.raw())];
    statement.query_row(values, rows::profile).optional()
}

fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    let owner_name = Arc::from(row.get_ref(30)?.as_str()?);
    Ok(AccountRow {
        account: rows::account(row)?,
        owner_name,
    })
}

/// Customers' accounts only: system accounts are never listed.
pub(crate) fn accounts(
    views: &Connection,
    query: &AccountQuery,
) -> rusqlite::Result<Vec<AccountRow>> {
    let mut sql = format!(
        "SELECT {}, o.name FROM accounts a JOIN owners o ON o.id = a.owner \
         WHERE a.tenant = ?1 AND a.kind < 16",
        rows::ACCOUNT
    );
    let mut values = vec![Value::from(id(query.tenant.raw()))];
    let mut condition = |sql: &mut String, text: &str, value: Value| {
        values.push(value);
        sql.push_str(&text.replace('?', &format!("?{}", values.len())));
    };
    if let Some(owner) = query.owner {
        condition(&mut sql, " AND a.owner = ?", id(owner.raw()).into());
    }
    if let Some(currency) = query.currency {
        condition(
            &mut sql,
            " AND a.currency = ?",
            currency.code().to_owned().into(),
        );
    }
    match query.class {
        None => {}
        Some(AccountClass::IncomeSource) => sql.push_str(" AND a.kind = 1"),
        Some(AccountClass::Pod) => sql.push_str(" AND a.kind IN (2, 6)"),
        Some(AccountClass::External) => sql.push_str(" AND a.kind IN (3, 4, 5)"),
    }
    if !query.include_closed {
        sql.push_str(" AND a.state <> 3");
    }
    sql.push_str(" ORDER BY a.created_ms, a.id");
    all(views, &sql, params_from_iter(values), account_row)
}

pub(crate) fn accounts_page(
    views: &Connection,
    query: &AccountQuery,
) -> rusqlite::Result<crate::AccountPage> {
    let everything = AccountQuery {
        include_closed: true,
        ..query.clone()
    };
    let mut rows = accounts(views, &everything)?;
    rows.retain(|row| {
        let account = &row.account;
        (query.kinds.is_empty() || query.kinds.contains(&account.kind))
            && query
                .profile
                .is_none_or(|wanted| account.profile == Some(wanted))
            && query
                .parent
                .is_none_or(|wanted| account.parent == Some(wanted))
            && query
                .name
                .as_ref()
                .is_none_or(|wanted| account.name == *wanted)
            && query
                .tag
                .as_ref()
                .is_none_or(|wanted| account.tag.as_ref() == Some(wanted))
            && (query.states.is_empty() || query.states.contains(&account.state))
            && (query.reasons.is_empty()
                || query.reasons.iter().any(|(state, reason)| {
                    account.state == *state && account.reason == Some(*reason)
                }))
            && query
                .created_from
                .is_none_or(|from| account.created_at >= from)
            && query.created_to.is_none_or(|to| account.created_at <= to)
    });
    if query.newest_first {
        rows.reverse();
    }
    let count = rows.len() as u64;
    let rows = rows
        .into_iter()
        .skip(query.offset)
        .take(query.limit)
        .collect();
    Ok(crate::AccountPage { rows, count })
}

pub(crate) fn entries_between(
    views: &Connection,
    query: &crate::EntryQuery,
) -> rusqlite::Result<crate::EntryPage> {
    let mut rows = entries(views, query.account, None, usize::MAX >> 1)?;
    rows.reverse();
    let before = rows
        .iter()
        .rfind(|row| query.from.is_some_and(|from| row.at < from));
    let balance_before = before.map_or(0, |row| row.balance_after);
    rows.retain(|row| {
        query.from.is_none_or(|from| row.at >= from) && query.to.is_none_or(|to| row.at <= to)
    });
    let balance_after = rows.last().map_or(balance_before, |row| row.balance_after);
    if query.newest_first {
        rows.reverse();
    }
    let count = rows.len() as u64;
    let rows = rows
        .into_iter()
        .skip(query.offset)
        .take(query.limit)
        .collect();
    Ok(crate::EntryPage {
        rows,
        count,
        balance_before,
        balance_after,
    })
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
        .query_row([id(tenant.raw()), id(account.raw())], account_row)
        .optional()
}

fn transfer_columns() -> String {
    format!("{}, {}", rows::TRANSFER, rows::PARTIES)
}

const PARTY_JOINS: &str = "LEFT JOIN accounts s ON s.tenant = t.tenant AND s.id = t.source \
     LEFT JOIN accounts d ON d.tenant = t.tenant AND d.id = t.destination";

pub(crate) fn transfer(
    views: &Connection,
    tenant: TenantId,
    transfer: TransferId,
) -> rusqlite::Result<Option<TransferRow>> {
    let sql = format!(
        "SELECT {} FROM transfers t {PARTY_JOINS} WHERE t.id = ?1 AND t.tenant = ?2",
        transfer_columns()
    );
    let mut statement = views.prepare_cached(&sql)?;
    statement
        .query_row([id(transfer.raw()), id(tenant.raw())], rows::transfer_row)
        .optional()
}

/// Walks the account's own list, newest first, and looks the transfers up by id.
pub(crate) fn transfers(
    views: &Connection,
    query: &TransferQuery,
) -> rusqlite::Result<Vec<TransferRow>> {
    let mut sql = format!(
        "SELECT {} FROM account_transfers x JOIN transfers t ON t.id = x.transfer {PARTY_JOINS} \
         WHERE x.account = ?1 AND t.tenant = ?2",
        transfer_columns()
    );
    let mut values = vec![
        Value::from(id(query.account.raw())),
        Value::from(id(query.tenant.raw())),
    ];
    let mut condition = |sql: &mut String, text: &str, value: i64| {
        values.push(Value::from(value));
        sql.push_str(&text.replace('?', &format!("?{}", values.len())));
    };
    match query.role {
        AccountRole::Either => {}
        AccountRole::Source => sql.push_str(" AND x.role = 1"),
        AccountRole::Destination => sql.push_str(" AND x.role = 2"),
    }
    if let Some(direction) = query.direction {
        condition(&mut sql, " AND x.direction = ?", direction.code().into());
    }
    if !query.origin.is_empty() {
        let codes: Vec<String> = query.origin.iter().map(|o| o.code().to_string()).collect();
        sql.push_str(&format!(" AND x.origin IN ({})", codes.join(", ")));
    }
    if !query.status.is_empty() {
        let codes: Vec<String> = query.status.iter().map(|s| s.code().to_string()).collect();
        sql.push_str(&format!(" AND x.status IN ({})", codes.join(", ")));
    }
    if let Some(execution) = query.execution {
        condition(&mut sql, " AND x.execution = ?", id(execution.raw()));
    }
    if let Some(Millis(from)) = query.from {
        condition(&mut sql, " AND x.created_ms >= ?", from);
    }
    if let Some(Millis(to)) = query.to {
        condition(&mut sql, " AND x.created_ms <= ?", to);
    }
    if let Some((Millis(at), transfer)) = query.after {
        condition(&mut sql, " AND (x.created_ms, x.transfer) < (?, ", at);
        condition(&mut sql, "?)", id(transfer.raw()));
    }
    let limit = i64::try_from(query.first.saturating_add(1)).unwrap_or(i64::MAX);
    condition(
        &mut sql,
        " ORDER BY x.created_ms DESC, x.transfer DESC LIMIT ?",
        limit,
    );
    all(views, &sql, params_from_iter(values), rows::transfer_row)
}

pub(crate) fn owner_transfers(
    views: &Connection,
    query: &OwnerTransferQuery,
) -> rusqlite::Result<OwnerTransferPage> {
    let sql = format!(
        "SELECT {} FROM transfers t {PARTY_JOINS} WHERE t.owner = ?1 AND t.tenant = ?2 ORDER BY t.id DESC",
        transfer_columns()
    );
    let rows = all(
        views,
        &sql,
        [id(query.owner.raw()), id(query.tenant.raw())],
        rows::transfer_row,
    )?;
    let matching = rows.into_iter().filter(|row| {
        let t = &row.transfer;
        let executed =
            (t.status.is_final() && t.status != ledger::Status::Cancelled).then_some(t.updated_at);
        let instrument = |party: &Option<ledger::Party>| {
            party
                .as_ref()
                .is_some_and(|p| p.kind.instrument().is_some())
        };
        (!query.instruments_only || (instrument(&row.source) && instrument(&row.destination)))
            && query.profile.is_none_or(|p| t.profile == Some(p))
            && query.source.is_none_or(|s| t.source == Some(s))
            && (query.statuses.is_empty() || query.statuses.contains(&t.status))
            && query.created_from.is_none_or(|at| t.created_at >= at)
            && query.created_to.is_none_or(|at| t.created_at <= at)
            && query
                .executed_from
                .is_none_or(|at| executed.is_some_and(|e| e >= at))
            && query
                .executed_to
                .is_none_or(|at| executed.is_some_and(|e| e <= at))
            && query.tag.is_none() | (query.tag == t.tag)
    });
    let rows: Vec<TransferRow> = matching.collect();
    let count = rows.len() as u64;
    let rows = rows
        .into_iter()
        .skip(query.offset as usize)
        .take(query.limit)
        .collect();
    Ok(OwnerTransferPage { rows, count })
}

pub(crate) fn entries(
    views: &Connection,
    account: AccountId,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<EntryRow>> {
    let sql = format!(
        "SELECT {} FROM entries WHERE account = ?1 AND sequence < ?2 \
         ORDER BY sequence DESC LIMIT ?3",
        rows::ENTRY
    );
    let before = before.map_or(i64::MAX, id);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(
        views,
        &sql,
        params![id(account.raw()), before, limit],
        rows::entry,
    )
}

pub(crate) fn holds(views: &Connection, account: AccountId) -> rusqlite::Result<Vec<Hold>> {
    let sql = format!(
        "SELECT {} FROM holds WHERE account = ?1 ORDER BY id",
        rows::HOLD
    );
    all(views, &sql, [id(account.raw())], rows::hold)
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
    let sql = "SELECT key, body, at_ms, request_id, reply FROM remembered WHERE number = ?1";
    let mut statement = views.prepare_cached(sql)?;
    statement
        .query_row([id(number)], |row| {
            let at = Millis(row.get(2)?);
            let reply =
                codec::reply_from_bytes(row.get_ref(4)?.as_blob()?, at).map_err(|error| {
                    let kind = rusqlite::types::Type::Blob;
                    rusqlite::Error::FromSqlConversionFailure(4, kind, Box::new(error))
                })?;
            Ok(Remembered {
                number,
                key: row.get(0)?,
                body: row.get(1)?,
                at,
                request_id: Arc::from(row.get_ref(3)?.as_str()?),
                reply,
            })
        })
        .optional()
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
        "SELECT {} FROM records WHERE kind = ?1 AND tenant = ?2 AND id > ?3",
        rows::RECORD
    );
    if query.owner.is_some() {
        sql.push_str(" AND owner = ?5");
    } else {
        sql.push_str(" AND ?5 IS NULL");
    }
    sql.push_str(" ORDER BY id LIMIT ?4");
    let values = params![
        query.kind.code(),
        id(query.tenant.raw()),
        id(query.after),
        i64::try_from(query.limit).unwrap_or(i64::MAX),
        query.owner.map(|owner| id(owner.raw())),
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
