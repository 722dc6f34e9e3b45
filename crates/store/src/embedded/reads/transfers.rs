//! Single transfers with the names of their two accounts.

use std::sync::LazyLock;

use ledger::{AccountId, Party, TenantId, Transfer, TransferId};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::id;
use crate::embedded::cache::Kept;
use crate::embedded::rows;
use crate::query::TransferRow;

static TRANSFER: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM transfers t WHERE t.id = ?1", rows::TRANSFER));
const PARTY: &str = "SELECT kind, name FROM accounts WHERE tenant = ?1 AND id = ?2";

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
            transfer: connection.prepare_cached(&TRANSFER)?,
            party: connection.prepare_cached(PARTY)?,
        })
    }

    pub(super) fn find(&mut self, transfer: TransferId) -> rusqlite::Result<Option<TransferRow>> {
        let Some(transfer) = find_transfer(&mut self.transfer, transfer)? else {
            return Ok(None);
        };
        let mut party = |account| find_party(&mut self.party, transfer.tenant, account);
        Ok(Some(TransferRow {
            source: transfer.source.map(&mut party).transpose()?,
            destination: transfer.destination.map(&mut party).transpose()?,
            transfer,
        }))
    }
}

fn find_transfer(
    find: &mut CachedStatement<'_>,
    transfer: TransferId,
) -> rusqlite::Result<Option<Transfer>> {
    find.query_row([id(transfer.raw())], rows::transfer)
        .optional()
}

fn find_party(
    find: &mut CachedStatement<'_>,
    tenant: TenantId,
    account: AccountId,
) -> rusqlite::Result<Party> {
    let key = [id(tenant.raw()), id(account.raw())];
    find.query_row(key, |row| rows::party(row, account))
}

/// The tenant's transfer out of what is kept in memory; `None` when any of it is not.
pub(crate) fn kept_transfer(
    kept: &Kept,
    tenant: TenantId,
    transfer: TransferId,
) -> Option<TransferRow> {
    let transfer = kept.ended.get(tenant, transfer)?;
    let party = |account: Option<AccountId>| match account {
        Some(account) => kept.parties.get(tenant, account).map(Some),
        None => Some(None),
    };
    Some(TransferRow {
        source: party(transfer.source)?,
        destination: party(transfer.destination)?,
        transfer,
    })
}

/// The tenant's transfer; what of it is not kept in memory is looked up, and kept.
pub(crate) fn transfer(
    views: &Connection,
    kept: &Kept,
    tenant: TenantId,
    transfer: TransferId,
) -> rusqlite::Result<Option<TransferRow>> {
    let generation = kept.parties.generation();
    let transfer = match kept.ended.get(tenant, transfer) {
        Some(transfer) => transfer,
        None => match find_transfer(&mut views.prepare_cached(&TRANSFER)?, transfer)? {
            Some(transfer) if transfer.tenant == tenant => {
                kept.ended.put(&transfer);
                transfer
            }
            _ => return Ok(None),
        },
    };
    let mut party = |account| -> rusqlite::Result<Party> {
        if let Some(party) = kept.parties.get(tenant, account) {
            return Ok(party);
        }
        let party = find_party(&mut views.prepare_cached(PARTY)?, tenant, account)?;
        kept.parties.put(generation, tenant, &party);
        Ok(party)
    };
    Ok(Some(TransferRow {
        source: transfer.source.map(&mut party).transpose()?,
        destination: transfer.destination.map(&mut party).transpose()?,
        transfer,
    }))
}
