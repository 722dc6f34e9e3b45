//! Reads of bulks and their operations.

use ledger::{Bulk, BulkId, OperationOutcome, TenantId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::codes::Code;
use super::rows;
use crate::query::{BulkQuery, BulkRow};

/// The page that was asked for, newest first, and how many match in all.
pub(crate) fn bulks(
    views: &Connection,
    query: &BulkQuery,
) -> rusqlite::Result<(Vec<BulkRow>, u64)> {
    let mut matching = "FROM bulks WHERE tenant = ?1 AND owner = ?2".to_owned();
    let mut values = vec![
        Value::from(query.tenant.raw().cast_signed()),
        Value::from(query.owner.raw().cast_signed()),
    ];
    if let Some(status) = query.status {
        matching.push_str(" AND status = ?3");
        values.push(i64::from(status.code()).into());
    }
    let count: i64 = views
        .prepare_cached(&format!("SELECT count(*) {matching}"))?
        .query_row(params_from_iter(&values), |row| row.get(0))?;
    let (limit, offset) = (values.len() + 1, values.len() + 2);
    let sql = format!(
        "SELECT {}, size {matching} ORDER BY id DESC LIMIT ?{limit} OFFSET ?{offset}",
        rows::BULK_SUMMARY
    );
    let bound = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    values.push(bound(query.limit as u64));
    values.push(bound(query.offset));
    let mut statement = views.prepare_cached(&sql)?;
    let page = statement.query_map(params_from_iter(values), |row| {
        Ok(BulkRow {
            bulk: rows::bulk_summary(row)?,
            operations: row.get(11)?,
        })
    })?;
    Ok((
        page.collect::<rusqlite::Result<_>>()?,
        count.cast_unsigned(),
    ))
}

pub(crate) fn bulk(
    views: &Connection,
    tenant: TenantId,
    id: BulkId,
) -> rusqlite::Result<Option<Bulk>> {
    let sql = format!(
        "SELECT {} FROM bulks WHERE id = ?1 AND tenant = ?2",
        rows::BULK
    );
    let mut statement = views.prepare_cached(&sql)?;
    let values = [id.raw().cast_signed(), tenant.raw().cast_signed()];
    statement.query_row(values, rows::bulk).optional()
}

/// In the order of the operations, which is the order of their turns: without gaps.
pub(crate) fn outcomes(
    views: &Connection,
    bulk: BulkId,
) -> rusqlite::Result<Vec<OperationOutcome>> {
    let sql = format!(
        "SELECT {} FROM bulk_operations WHERE bulk = ?1 ORDER BY operation",
        rows::BULK_OPERATION
    );
    let mut statement = views.prepare_cached(&sql)?;
    let outcomes = statement.query_map([bulk.raw().cast_signed()], |row| {
        rows::bulk_operation(row).map(|(_, outcome)| outcome)
    })?;
    outcomes.collect()
}
