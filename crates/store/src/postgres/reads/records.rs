//! Records and what idempotency keys were used for.

use ledger::TenantId;

use super::{bound, id, number};
use crate::Result;
use crate::codes::Code;
use crate::postgres::pool::{Ask, Readers};
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::query::RecordQuery;
use crate::records::{Fingerprint, Record, RecordKind, Remembered};

const REMEMBERED: &str = sql!(
    "SELECT ",
    rows::REMEMBERED,
    " FROM remembered m WHERE m.number = $1"
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
const RECORDS: &str = sql!(
    "SELECT ",
    rows::RECORD,
    " FROM records r WHERE r.tenant = $1 AND r.kind = $2 AND r.id > $3 ORDER BY r.id LIMIT $4"
);
const OF_OWNER: &str = sql!(
    "SELECT ",
    rows::RECORD,
    " FROM records r WHERE r.tenant = $1 AND r.kind = $2 AND r.owner = $5 AND r.id > $3 \
     ORDER BY r.id LIMIT $4"
);

impl Readers {
    pub(crate) async fn remembered(&self, number: u64) -> Result<Option<Remembered>> {
        let ask = Ask {
            sql: REMEMBERED,
            values: &[&id(number)],
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
        let (after, limit) = (bound(query.after), number(query.limit));
        let records = match query.owner {
            None => {
                let ask = Ask {
                    sql: RECORDS,
                    values: &[&tenant, &kind, &after, &limit],
                };
                self.all(ask, rows::record).await?
            }
            Some(owner) => {
                let ask = Ask {
                    sql: OF_OWNER,
                    values: &[&tenant, &kind, &after, &limit, &id(owner.raw())],
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
