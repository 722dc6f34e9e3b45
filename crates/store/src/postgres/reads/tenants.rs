//! Tenants, owners, API keys, and sums over all accounts.

use ledger::{Owner, OwnerId, Tenant, TenantId};
use tokio_postgres::Row;

use super::id;
use crate::Result;
use crate::postgres::error::{Damaged, DbError};
use crate::postgres::pool::{Ask, Readers};
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::records::KeyRecord;

const TENANTS: &str = sql!("SELECT ", rows::TENANT, " FROM tenants n ORDER BY n.id");
const TENANT: &str = sql!("SELECT ", rows::TENANT, " FROM tenants n WHERE n.id = $1");
const OWNERS: &str = sql!(
    "SELECT ",
    rows::OWNER,
    " FROM owners o WHERE o.tenant = $1 ORDER BY o.id"
);
const KEYS: &str = sql!("SELECT ", rows::KEY, " FROM api_keys k ORDER BY k.id");
const KEYS_OF_TENANT: &str = sql!(
    "SELECT ",
    rows::KEY,
    " FROM api_keys k WHERE k.tenant = $1 ORDER BY k.id"
);
const KEY_BY_HASH: &str = sql!("SELECT ", rows::KEY, " FROM api_keys k WHERE k.hash = $1");
/// As text: a sum of 64-bit numbers has more than 64 bits.
const TOTALS: &str = "SELECT a.currency, sum(a.balance)::text FROM accounts a GROUP BY a.currency";
const OWNER_TOTAL: &str =
    "SELECT coalesce(sum(a.balance), 0)::text FROM accounts a WHERE a.owner = $1";

/// The sum in `column`.
fn sum(row: &Row, column: usize) -> std::result::Result<i128, Damaged> {
    let text: &str = rows::get(row, column)?;
    text.parse().map_err(|_| Damaged::new(column, "sum"))
}

impl Readers {
    pub(crate) async fn tenants(&self) -> Result<Vec<Tenant>> {
        let ask = Ask {
            sql: TENANTS,
            values: &[],
        };
        Ok(self.all(ask, rows::tenant).await?)
    }

    pub(crate) async fn tenant(&self, tenant: TenantId) -> Result<Option<Tenant>> {
        let ask = Ask {
            sql: TENANT,
            values: &[&id(tenant.raw())],
        };
        Ok(self.one(ask, rows::tenant).await?)
    }

    pub(crate) async fn owners(&self, tenant: TenantId) -> Result<Vec<Owner>> {
        let ask = Ask {
            sql: OWNERS,
            values: &[&id(tenant.raw())],
        };
        Ok(self.all(ask, rows::owner).await?)
    }

    pub(crate) async fn keys(&self, tenant: Option<TenantId>) -> Result<Vec<KeyRecord>> {
        let keys = match tenant {
            None => {
                let ask = Ask {
                    sql: KEYS,
                    values: &[],
                };
                self.all(ask, rows::key).await?
            }
            Some(tenant) => {
                let ask = Ask {
                    sql: KEYS_OF_TENANT,
                    values: &[&id(tenant.raw())],
                };
                self.all(ask, rows::key).await?
            }
        };
        Ok(keys)
    }

    pub(crate) async fn key_by_hash(&self, hash: [u8; 32]) -> Result<Option<KeyRecord>> {
        let ask = Ask {
            sql: KEY_BY_HASH,
            values: &[&hash.as_slice()],
        };
        let found = self.all(ask, rows::key).await?;
        Ok(found.into_iter().next())
    }

    pub(crate) async fn totals(&self) -> Result<Vec<(String, i128)>> {
        let ask = Ask {
            sql: TOTALS,
            values: &[],
        };
        let total = |row: &Row| Ok((rows::get(row, 0)?, sum(row, 1)?));
        let mut totals = self.all(ask, total).await?;
        // Here and not there: the order of texts is the database's own.
        totals.sort();
        Ok(totals)
    }

    pub(crate) async fn owner_total(&self, owner: OwnerId) -> Result<i128> {
        let ask = Ask {
            sql: OWNER_TOTAL,
            values: &[&id(owner.raw())],
        };
        let total = self.one(ask, |row| sum(row, 0)).await?;
        Ok(total.ok_or_else(|| DbError::damaged("nothing was added up"))?)
    }
}
