//! Reads of the history.

use ledger::TenantId;

use super::{bound, id, number};
use crate::Result;
use crate::history::{Collector, HistoryPage, HistoryQuery};
use crate::postgres::error::DbError;
use crate::postgres::pool::{Ask, Readers};
use crate::postgres::rows;

const COMMITS: &str = "SELECT c.number, c.record FROM commits c \
     WHERE c.tenant = $1 AND c.number >= $2 ORDER BY c.number LIMIT $3";
const HEADS: &str = "SELECT h.tenant, h.number FROM heads h WHERE h.tenant = ANY ($1)";

impl Readers {
    pub(crate) async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage> {
        let from = query.after.next_commit();
        let ask = Ask {
            sql: COMMITS,
            values: &[
                &id(query.tenant.raw()),
                &bound(from),
                &number(query.commits),
            ],
        };
        let commit = |row: &tokio_postgres::Row| {
            let record: Vec<u8> = rows::get(row, 1)?;
            Ok((rows::raw(row, 0)?, record))
        };
        let commits: Vec<(u64, Vec<u8>)> = self.all(ask, commit).await?;
        let mut collector = Collector::new(query);
        for (number, record) in commits {
            let taken = collector.take(number, &record);
            taken.map_err(|error| DbError::damaged(error.to_string()))?;
        }
        Ok(collector.end())
    }

    pub(crate) async fn heads(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, u64)>> {
        let tenants: Vec<i64> = tenants.iter().map(|tenant| id(tenant.raw())).collect();
        let ask = Ask {
            sql: HEADS,
            values: &[&tenants],
        };
        let head =
            |row: &tokio_postgres::Row| Ok((TenantId::new(rows::raw(row, 0)?), rows::raw(row, 1)?));
        Ok(self.all(ask, head).await?)
    }
}
