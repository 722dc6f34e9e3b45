//! Transfers: one, several by id, those of an account, those of an owner.
//!
//! Pages are found first and joined with the names of their accounts afterwards. Lists of an owner
//! walk the primary key from its newest end, so that a first page costs the same however many
//! transfers there are; the count without a filter is read from that index alone.

use std::collections::HashMap;

use ledger::{AccountId, Party, Status, TenantId, TransferId, Work};
use tokio_postgres::Row;

use super::{bound, codes, count, id, number, time};
use crate::Result;
use crate::codec::work_parts;
use crate::codes::Code;
use crate::postgres::error::Damaged;
use crate::postgres::pool::{Ask, Plan, Readers, all};
use crate::postgres::rows::{self, TRANSFER_LEN};
use crate::postgres::sql::sql;
use crate::query::{
    AccountRole, OwnerTransferPage, OwnerTransferQuery, TransferQuery, TransferRow, is_executed,
};

const COLUMNS: &str = sql!(rows::TRANSFER, ", s.kind, s.name, c.kind, c.name");
/// The accounts of a transfer: `s` where the money comes from, `c` where it goes.
const PARTIES: &str = " LEFT JOIN accounts s ON s.owner = t.owner AND s.id = t.source \
     LEFT JOIN accounts c ON c.owner = t.owner AND c.id = t.destination";

const TRANSFER: &str = sql!(
    "SELECT ",
    COLUMNS,
    " FROM transfers t",
    PARTIES,
    " WHERE t.id = $2 AND t.tenant = $1"
);
const BY_ID: &str = sql!(
    "SELECT ",
    COLUMNS,
    " FROM transfers t",
    PARTIES,
    " WHERE t.id = ANY ($2) AND t.tenant = $1"
);

/// Something waits to be done with every transfer that has not ended.
const OPEN: &str = sql!(
    "SELECT ",
    COLUMNS,
    " FROM (SELECT t.* FROM due d JOIN transfers t ON t.owner = d.owner AND t.id = d.object \
     WHERE d.tenant = $1 AND d.kind = $2 AND t.status = $3 ORDER BY t.id LIMIT $4) t",
    PARTIES,
    " ORDER BY t.id"
);

const OWNER_OF_ACCOUNT: &str = "SELECT a.owner FROM accounts a WHERE a.id = $2 AND a.tenant = $1";
const OF_ACCOUNT: &str = sql!(
    "SELECT ",
    COLUMNS,
    " FROM (SELECT t.* FROM transfers t WHERE t.owner = $1 AND t.id < $2 \
     AND (($4::boolean AND t.source = $3) OR ($5::boolean AND t.destination = $3)) \
     AND ($6::bigint IS NULL OR t.direction = $6) \
     AND ($7::bigint[] IS NULL OR t.origin = ANY ($7)) \
     AND ($8::bigint[] IS NULL OR t.status = ANY ($8)) \
     AND ($9::bigint IS NULL OR t.execution = $9) \
     AND ($10::bigint IS NULL OR t.created_ms >= $10) \
     AND ($11::bigint IS NULL OR t.created_ms <= $11) \
     AND ($12::bigint IS NULL OR t.card = $12) ORDER BY t.id DESC LIMIT $13) t",
    PARTIES,
    " ORDER BY t.id DESC"
);

/// An owner of the tenant; nothing otherwise.
const OF_OWNER: &str = " WHERE t.owner = $1 \
     AND EXISTS (SELECT 1 FROM owners o WHERE o.id = $1 AND o.tenant = $2)";
const FILTER: &str = " AND ($3::bigint[] IS NULL OR t.status = ANY ($3)) \
     AND ($4::bigint IS NULL OR t.profile = $4) AND ($5::bigint IS NULL OR t.source = $5) \
     AND ($6::text IS NULL OR t.tag = $6) AND ($7::bigint IS NULL OR t.created_ms >= $7) \
     AND ($8::bigint IS NULL OR t.created_ms <= $8) \
     AND ($9::bigint IS NULL OR t.updated_ms >= $9) \
     AND ($10::bigint IS NULL OR t.updated_ms <= $10) \
     AND ($11::boolean IS NULL OR t.between_instruments = $11)";

const COUNT_ALL: &str = sql!("SELECT count(*) FROM transfers t", OF_OWNER);
const COUNT: &str = sql!("SELECT count(*) FROM transfers t", OF_OWNER, FILTER);
const PAGE: &str = sql!(
    "SELECT ",
    COLUMNS,
    " FROM (SELECT t.* FROM transfers t",
    OF_OWNER,
    FILTER,
    " ORDER BY t.id DESC LIMIT $12 OFFSET $13) t",
    PARTIES,
    " ORDER BY t.id DESC"
);

/// A row of [`COLUMNS`].
fn transfer_row(row: &Row) -> std::result::Result<TransferRow, Damaged> {
    let transfer = rows::transfer(row)?;
    let party = |account: Option<AccountId>, column| -> std::result::Result<_, Damaged> {
        let party = account.map(|account| rows::party(row, account, column));
        party.transpose()
    };
    let source: Option<Party> = party(transfer.source, TRANSFER_LEN)?;
    let destination: Option<Party> = party(transfer.destination, TRANSFER_LEN + 2)?;
    Ok(TransferRow {
        source,
        destination,
        transfer,
    })
}

/// The statuses asked for; only of transfers that were executed when its time matters.
fn statuses(query: &OwnerTransferQuery) -> Option<Vec<i64>> {
    if query.executed_from.is_none() && query.executed_to.is_none() {
        return codes(&query.statuses);
    }
    let wanted = |status: &ledger::Status| {
        is_executed(*status) && (query.statuses.is_empty() || query.statuses.contains(status))
    };
    let statuses = ledger::Status::ALL.into_iter().filter(wanted);
    Some(statuses.map(|status| i64::from(status.code())).collect())
}

/// Whether nothing is asked but for the owner.
fn is_plain(query: &OwnerTransferQuery) -> bool {
    !query.instruments_only
        && query.statuses.is_empty()
        && query.profile.is_none()
        && query.source.is_none()
        && query.tag.is_none()
        && query.created_from.is_none()
        && query.created_to.is_none()
        && query.executed_from.is_none()
        && query.executed_to.is_none()
}

impl Readers {
    pub(crate) async fn transfer(
        &self,
        tenant: TenantId,
        transfer: TransferId,
    ) -> Result<Option<TransferRow>> {
        let ask = Ask {
            sql: TRANSFER,
            values: &[&id(tenant.raw()), &id(transfer.raw())],
        };
        Ok(self.one(ask, transfer_row).await?)
    }

    pub(crate) async fn transfers_by_id(
        &self,
        tenant: TenantId,
        ids: &[TransferId],
    ) -> Result<Vec<Option<TransferRow>>> {
        let wanted: Vec<i64> = ids.iter().map(|transfer| id(transfer.raw())).collect();
        let ask = Ask {
            sql: BY_ID,
            values: &[&id(tenant.raw()), &wanted],
        };
        let found = self.all(ask, transfer_row).await?;
        let found: HashMap<TransferId, TransferRow> = found
            .into_iter()
            .map(|row| (row.transfer.id, row))
            .collect();
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    pub(crate) async fn open_transfers(
        &self,
        tenant: TenantId,
        status: Status,
        limit: usize,
    ) -> Result<Vec<TransferRow>> {
        let (kind, _) = work_parts(Work::Settle(TransferId::new(0)));
        let ask = Ask {
            sql: OPEN,
            values: &[
                &id(tenant.raw()),
                &i64::from(kind),
                &i64::from(status.code()),
                &number(limit),
            ],
        };
        Ok(self.all(ask, transfer_row).await?)
    }

    pub(crate) async fn transfers(&self, query: &TransferQuery) -> Result<Vec<TransferRow>> {
        let account = id(query.account.raw());
        let ask = Ask {
            sql: OWNER_OF_ACCOUNT,
            values: &[&id(query.tenant.raw()), &account],
        };
        let owner: Option<i64> = self.one(ask, |row| rows::get(row, 0)).await?;
        let Some(owner) = owner else {
            return Ok(Vec::new());
        };
        let is_source = query.role != AccountRole::Destination;
        let is_destination = query.role != AccountRole::Source;
        let ask = Ask {
            sql: OF_ACCOUNT,
            values: &[
                &owner,
                &query.after.map_or(i64::MAX, |after| bound(after.raw())),
                &account,
                &is_source,
                &is_destination,
                &query.direction.map(|direction| i64::from(direction.code())),
                &codes(&query.origin),
                &codes(&query.status),
                &query.execution.map(|execution| id(execution.raw())),
                &time(query.from),
                &time(query.to),
                &query.card.map(|card| id(card.raw())),
                &number(query.first.saturating_add(1)),
            ],
        };
        Ok(all(&self.rows(Plan::Anew, ask).await?, transfer_row)?)
    }

    pub(crate) async fn owner_transfers(
        &self,
        query: &OwnerTransferQuery,
    ) -> Result<OwnerTransferPage> {
        let statuses = statuses(query);
        let (owner, tenant) = (id(query.owner.raw()), id(query.tenant.raw()));
        let profile = query.profile.map(|profile| id(profile.raw()));
        let source = query.source.map(|source| id(source.raw()));
        let tag = query.tag.as_deref();
        let created = (time(query.created_from), time(query.created_to));
        let executed = (time(query.executed_from), time(query.executed_to));
        let instruments = query.instruments_only.then_some(true);
        let (limit, offset) = (number(query.limit), number(query.offset));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 13] = [
            &owner,
            &tenant,
            &statuses,
            &profile,
            &source,
            &tag,
            &created.0,
            &created.1,
            &executed.0,
            &executed.1,
            &instruments,
            &limit,
            &offset,
        ];
        let (sql, used) = if is_plain(query) {
            (COUNT_ALL, 2)
        } else {
            (COUNT, 11)
        };
        let counting = Ask {
            sql,
            values: &values[..used],
        };
        let page = Ask {
            sql: PAGE,
            values: &values,
        };
        let (counted, page) = self.rows_at_once(Plan::Anew, counting, page).await?;
        Ok(OwnerTransferPage {
            rows: all(&page, transfer_row)?,
            count: count(&counted)?,
        })
    }
}

#[cfg(test)]
mod tests;
