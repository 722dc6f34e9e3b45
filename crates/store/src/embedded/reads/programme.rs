//! Profiles and bulks.

use std::collections::HashMap;

use ledger::{BulkId, OperationOutcome, Profile, ProfileId, ProfileKind, TenantId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{all, id};
use crate::codes::Code;
use crate::embedded::rows;
use crate::query::{
    BulkOperationPage, BulkOperationQuery, BulkOperationRow, BulkPage, BulkQuery, BulkRow,
};

pub(crate) fn profiles(
    views: &Connection,
    tenant: TenantId,
    kind: Option<ProfileKind>,
) -> rusqlite::Result<Vec<Profile>> {
    let sql = format!(
        "SELECT {} FROM profiles WHERE tenant = ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY id",
        rows::PROFILE
    );
    let values = params![id(tenant.raw()), kind.map(Code::code)];
    all(views, &sql, values, rows::profile)
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
    let mut find = views.prepare_cached(&sql)?;
    let key = [id(profile.raw()), id(tenant.raw())];
    find.query_row(key, rows::profile).optional()
}

pub(crate) fn bulks(views: &Connection, query: &BulkQuery) -> rusqlite::Result<BulkPage> {
    let mut condition = "tenant = ?1 AND owner = ?2".to_owned();
    if !query.statuses.is_empty() {
        let codes = query
            .statuses
            .iter()
            .map(|status| status.code().to_string());
        let codes = codes.collect::<Vec<_>>().join(", ");
        condition.push_str(&format!(" AND status IN ({codes})"));
    }
    let owner = [id(query.tenant.raw()), id(query.owner.raw())];
    let sql = format!("SELECT count(*) FROM bulks WHERE {condition}");
    let count: i64 = views
        .prepare_cached(&sql)?
        .query_row(owner, |row| row.get(0))?;
    let sql = format!(
        "SELECT {} FROM bulks WHERE {condition} ORDER BY id DESC LIMIT ?3 OFFSET ?4",
        rows::BULK_ROW
    );
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let values = params![
        owner[0],
        owner[1],
        number(query.limit),
        number(query.offset)
    ];
    Ok(BulkPage {
        rows: all(views, &sql, values, rows::bulk_row)?,
        count: count.cast_unsigned(),
    })
}

pub(crate) fn bulk(
    views: &Connection,
    tenant: TenantId,
    bulk: BulkId,
) -> rusqlite::Result<Option<BulkRow>> {
    let sql = format!(
        "SELECT {} FROM bulks WHERE id = ?1 AND tenant = ?2",
        rows::BULK_ROW
    );
    let mut find = views.prepare_cached(&sql)?;
    let key = [id(bulk.raw()), id(tenant.raw())];
    find.query_row(key, rows::bulk_row).optional()
}

pub(crate) fn bulk_operations(
    views: &Connection,
    query: &BulkOperationQuery,
) -> rusqlite::Result<BulkOperationPage> {
    let sql = format!(
        "SELECT {} FROM bulks WHERE id = ?1 AND tenant = ?2",
        rows::BULK
    );
    let mut find = views.prepare_cached(&sql)?;
    let key = [id(query.bulk.raw()), id(query.tenant.raw())];
    let Some(bulk) = find.query_row(key, rows::bulk).optional()? else {
        return Ok(BulkOperationPage::default());
    };
    let outcomes = outcomes(views, query.bulk)?;
    let wanted = |row: &BulkOperationRow| {
        query.index.is_none_or(|index| index == row.index)
            && (query.states.is_empty() || query.states.contains(&row.state()))
    };
    let matching: Vec<BulkOperationRow> = (0_u32..)
        .zip(bulk.operations.iter())
        .map(|(index, order)| BulkOperationRow {
            index,
            order: order.clone(),
            outcome: outcomes.get(&index).copied(),
        })
        .filter(wanted)
        .collect();
    Ok(BulkOperationPage {
        count: matching.len() as u64,
        rows: matching
            .into_iter()
            .skip(query.offset)
            .take(query.limit)
            .collect(),
    })
}

fn outcomes(views: &Connection, bulk: BulkId) -> rusqlite::Result<HashMap<u32, OperationOutcome>> {
    let sql = format!(
        "SELECT {} FROM bulk_operations WHERE bulk = ?1",
        rows::BULK_OPERATION
    );
    let outcomes = all(views, &sql, [id(bulk.raw())], rows::bulk_operation)?;
    Ok(outcomes.into_iter().collect())
}
