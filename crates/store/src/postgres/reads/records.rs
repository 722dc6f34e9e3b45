//! Records and what idempotency keys were used for.

use ledger::TenantId;

use super::{bound, id, number};
use crate::Result;
use crate::codes::Code;
use crate::postgres::pool::{Ask, Readers};
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::query::RecordQuery;
use crate::records::{Fingerprint, Record, RecordKind, Remembered, Used};

const REMEMBERED: &str = sql!(
    "SELECT ",
    rows::REMEMBERED,
    " FROM remembered m WHERE m.key = $1 AND m.number = $2"
);
const RECORD: &str = sql!(
    "SELECT ",
    rows::RECORD,
    " FROM records r WHERE r.tenant = $1 AND r.kind = $2 AND r.id = $3"
);
const BY_UNIQUE: &str = sql!(
    "SELECT ",
    rows::RECORD,
    " FROM records r WHERE r.tenant = $1 AND r.kind = $2 AND r.unique_key = $3"
);
const OF_KIND: &str =
    " FROM records r WHERE r.tenant = $1 AND r.kind = $2 AND r.id > $3 AND r.id < $5";
const OF_OWNER: &str = " AND r.owner = $6";
const UPWARDS: &str = " ORDER BY r.id LIMIT $4";
const DOWNWARDS: &str = " ORDER BY r.id DESC LIMIT $4";
const RECORDS: [&str; 2] = [
    sql!("SELECT ", rows::RECORD, OF_KIND, UPWARDS),
    sql!("SELECT ", rows::RECORD, OF_KIND, DOWNWARDS),
];
const RECORDS_OF_OWNER: [&str; 2] = [
    sql!("SELECT ", rows::RECORD, OF_KIND, OF_OWNER, UPWARDS),
    sql!("SELECT ", rows::RECORD, OF_KIND, OF_OWNER, DOWNWARDS),
];

impl Readers {
    pub(crate) async fn remembered(&self, used: Used) -> Result<Option<Remembered>> {
        let ask = Ask {
            sql: REMEMBERED,
            values: &[&used.key.as_slice(), &id(used.number)],
        };
        Ok(self.one(ask, rows::remembered).await?)
    }

    pub(crate) async fn record(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        record: u64,
    ) -> Result<Option<Record>> {
        let ask = Ask {
            sql: RECORD,
            values: &[&id(tenant.raw()), &i64::from(kind.code()), &id(record)],
        };
        Ok(self.one(ask, rows::record).await?)
    }

    pub(crate) async fn records(&self, query: &RecordQuery) -> Result<Vec<Record>> {
        let (tenant, kind) = (id(query.tenant.raw()), i64::from(query.kind.code()));
        let (after, before) = (bound(query.after), bound(query.before));
        let limit = number(query.limit);
        let way = usize::from(query.newest_first);
        let records = match query.owner {
            None => {
                let ask = Ask {
                    sql: RECORDS[way],
                    values: &[&tenant, &kind, &after, &limit, &before],
                };
                self.all(ask, rows::record).await?
            }
            Some(owner) => {
                let ask = Ask {
                    sql: RECORDS_OF_OWNER[way],
                    values: &[&tenant, &kind, &after, &limit, &before, &id(owner.raw())],
                };
                self.all(ask, rows::record).await?
            }
        };
        Ok(records)
    }

    pub(crate) async fn record_by_unique(
        &self,
        kind: RecordKind,
        tenant: TenantId,
        unique: Fingerprint,
    ) -> Result<Option<Record>> {
        let ask = Ask {
            sql: BY_UNIQUE,
            values: &[
                &id(tenant.raw()),
                &i64::from(kind.code()),
                &unique.as_slice(),
            ],
        };
        Ok(self.one(ask, rows::record).await?)
    }
}
