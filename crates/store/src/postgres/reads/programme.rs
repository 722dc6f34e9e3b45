//! Profiles and bulks.

use std::collections::HashMap;

use ledger::{BulkId, OperationOutcome, Profile, ProfileId, ProfileKind, TenantId};

use super::{codes, count, id, number};
use crate::Result;
use crate::codes::Code;
use crate::postgres::pool::{Ask, Plan, Readers, all, one};
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::query::{
    BulkOperationPage, BulkOperationQuery, BulkOperationRow, BulkPage, BulkQuery, BulkRow,
};

const PROFILES: &str = sql!(
    "SELECT ",
    rows::PROFILE,
    " FROM profiles p WHERE p.tenant = $1 AND ($2::bigint IS NULL OR p.kind = $2) ORDER BY p.id"
);
const PROFILE: &str = sql!(
    "SELECT ",
    rows::PROFILE,
    " FROM profiles p WHERE p.tenant = $1 AND p.id = $2"
);

const BULKS_OF_OWNER: &str = " FROM bulks b WHERE b.owner = $2 AND b.tenant = $1 \
     AND ($3::bigint[] IS NULL OR b.status = ANY ($3))";
const BULK_COUNT: &str = sql!("SELECT count(*)", BULKS_OF_OWNER);
const BULKS: &str = sql!(
    "SELECT ",
    rows::BULK_ROW,
    BULKS_OF_OWNER,
    " ORDER BY b.id DESC LIMIT $4 OFFSET $5"
);
const BULK: &str = sql!(
    "SELECT ",
    rows::BULK_ROW,
    " FROM bulks b WHERE b.id = $2 AND b.tenant = $1"
);
const BULK_WITH_OPERATIONS: &str = sql!(
    "SELECT ",
    rows::BULK,
    " FROM bulks b WHERE b.id = $2 AND b.tenant = $1"
);
const OUTCOMES: &str = sql!(
    "SELECT ",
    rows::BULK_OPERATION,
    " FROM bulks b JOIN bulk_operations x ON x.owner = b.owner AND x.bulk = b.id \
     WHERE b.id = $2 AND b.tenant = $1"
);

impl Readers {
    pub(crate) async fn profiles(
        &self,
        tenant: TenantId,
        kind: Option<ProfileKind>,
    ) -> Result<Vec<Profile>> {
        let ask = Ask {
            sql: PROFILES,
            values: &[&id(tenant.raw()), &kind.map(|kind| i64::from(kind.code()))],
        };
        Ok(self.all(ask, rows::profile).await?)
    }

    pub(crate) async fn profile(
        &self,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<Option<Profile>> {
        let ask = Ask {
            sql: PROFILE,
            values: &[&id(tenant.raw()), &id(profile.raw())],
        };
        Ok(self.one(ask, rows::profile).await?)
    }

    pub(crate) async fn bulks(&self, query: &BulkQuery) -> Result<BulkPage> {
        let (tenant, owner) = (id(query.tenant.raw()), id(query.owner.raw()));
        let statuses = codes(&query.statuses);
        let (limit, offset) = (number(query.limit), number(query.offset));
        let counting = Ask {
            sql: BULK_COUNT,
            values: &[&tenant, &owner, &statuses],
        };
        let page = Ask {
            sql: BULKS,
            values: &[&tenant, &owner, &statuses, &limit, &offset],
        };
        let (counted, page) = self.rows_at_once(Plan::Kept, counting, page).await?;
        Ok(BulkPage {
            rows: all(&page, rows::bulk_row)?,
            count: count(&counted)?,
        })
    }

    pub(crate) async fn bulk(&self, tenant: TenantId, bulk: BulkId) -> Result<Option<BulkRow>> {
        let ask = Ask {
            sql: BULK,
            values: &[&id(tenant.raw()), &id(bulk.raw())],
        };
        Ok(self.one(ask, rows::bulk_row).await?)
    }

    /// Operations are one value of their bulk, so that pages are cut here.
    pub(crate) async fn bulk_operations(
        &self,
        query: &BulkOperationQuery,
    ) -> Result<BulkOperationPage> {
        let key = (id(query.tenant.raw()), id(query.bulk.raw()));
        let bulk = Ask {
            sql: BULK_WITH_OPERATIONS,
            values: &[&key.0, &key.1],
        };
        let outcomes = Ask {
            sql: OUTCOMES,
            values: &[&key.0, &key.1],
        };
        let (bulk, outcomes) = self.rows_at_once(Plan::Kept, bulk, outcomes).await?;
        let Some(bulk) = one(&bulk, rows::bulk)? else {
            return Ok(BulkOperationPage::default());
        };
        let outcomes: HashMap<u32, OperationOutcome> =
            all(&outcomes, rows::bulk_operation)?.into_iter().collect();
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
        let count = matching.len() as u64;
        let rows = matching.into_iter().skip(query.offset).take(query.limit);
        Ok(BulkOperationPage {
            rows: rows.collect(),
            count,
        })
    }
}
