//! Single transfers with the names of their two accounts.

use ledger::{AccountId, Party, TenantId, TransferId};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::id;
use crate::embedded::rows;
use crate::query::TransferRow;

/// Looks transfers up by id.
///
/// The accounts are looked up by a statement of their own: SQLite prepares a cached statement with
/// an outer join anew each time it is used, which costs ten times as much as the lookup.
pub(super) struct Lookup<'c> {
    transfer: CachedStatement<'c>,
    party: CachedStatement<'c>,
}

impl<'c> Lookup<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Lookup<'c>> {
        Ok(Lookup {
            transfer: connection.prepare_cached(&format!(
                "SELECT {} FROM transfers t WHERE t.id = ?1",
                rows::TRANSFER
            ))?,
            party: connection
                .prepare_cached("SELECT kind, name FROM accounts WHERE tenant = ?1 AND id = ?2")?,
        })
    }

    pub(super) fn find(&mut self, transfer: TransferId) -> rusqlite::Result<Option<TransferRow>> {
        let found = self
            .transfer
            .query_row([id(transfer.raw())], rows::transfer);
        let Some(transfer) = found.optional()? else {
            return Ok(None);
        };
        Ok(Some(TransferRow {
            source: self.party(transfer.tenant, transfer.source)?,
            destination: self.party(transfer.tenant, transfer.destination)?,
            transfer,
        }))
    }

    fn party(
        &mut self,
        tenant: TenantId,
        account: Option<AccountId>,
    ) -> rusqlite::Result<Option<Party>> {
        let Some(account) = account else {
            return Ok(None);
        };
        let key = [id(tenant.raw()), id(account.raw())];
        let party = self.party.query_row(key, |row| rows::party(row, account));
        party.map(Some)
    }
}

pub(crate) fn transfer(
    views: &Connection,
    tenant: TenantId,
    transfer: TransferId,
) -> rusqlite::Result<Option<TransferRow>> {
    let found = Lookup::prepare(views)?.find(transfer)?;
    Ok(found.filter(|row| row.transfer.tenant == tenant))
}
