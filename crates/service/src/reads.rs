//! What a key may read.

use ledger::{AccountId, AccountKind, Currency, TransferId};
use store::{AccountClass, AccountQuery, AccountRow, TransferQuery, TransferRow};

use crate::Service;
use crate::error::{Error, Result};
use crate::keys::ApiKey;
use crate::permission::{Wish, allows};

/// One page of transfers.
#[derive(Clone, Debug)]
pub struct TransferPage {
    /// The transfers, newest first.
    pub items: Vec<TransferRow>,
    /// Whether there are older ones.
    pub more: bool,
}

/// A debit card has no money of its own: it is no account to keys
/// (`docs/decisions/2026-11-21-cards-are-accounts.md`).
pub(crate) fn is_shown(row: &AccountRow) -> bool {
    row.account.kind != AccountKind::DebitCard
}

impl Service {
    /// The tenant's open accounts in one currency.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope.
    pub async fn accounts(
        &self,
        key: &ApiKey,
        class: Option<AccountClass>,
        currency: Currency,
    ) -> Result<Vec<AccountRow>> {
        if !allows(&key.permissions, Wish::ListAccounts) {
            return Err(Error::Forbidden);
        }
        let query = AccountQuery {
            class,
            currency: Some(currency),
            include_closed: false,
            ..AccountQuery::new(key.tenant)
        };
        let mut rows = self.store.accounts(query).await?;
        rows.retain(is_shown);
        Ok(rows)
    }

    /// One open account with its balance. `id` is `None` for a text that is no id at all: it is
    /// treated as any id that nobody has.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the id is outside the key's list, whether it exists or not;
    /// [`Error::NotFound`].
    pub async fn account(
        &self,
        key: &ApiKey,
        id: Option<AccountId>,
        currency: Currency,
    ) -> Result<AccountRow> {
        let wish = Wish::ReadAccount(id.unwrap_or(NOBODY));
        if !allows(&key.permissions, wish) {
            return Err(Error::Forbidden);
        }
        let row = match id {
            Some(id) => self.store.account(key.tenant, id).await?,
            None => None,
        };
        row.filter(|row| row.account.currency == currency && is_shown(row))
            .filter(|row| row.account.state != ledger::AccountState::Destroyed)
            .ok_or(Error::NotFound { what: "account" })
    }

    /// A page of one account's transfers. `after` is the last transfer of the page before.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the account is outside the key's list; [`Error::Invalid`] when
    /// `after` is no transfer of this tenant.
    pub async fn transfers(
        &self,
        key: &ApiKey,
        mut query: TransferQuery,
        after: Option<TransferId>,
    ) -> Result<TransferPage> {
        if !allows(&key.permissions, Wish::ReadTransfersOf(query.account)) {
            return Err(Error::Forbidden);
        }
        if let Some(id) = after {
            let row = self.store.transfer(key.tenant, id).await?;
            let last = row.ok_or(Error::Invalid {
                field: "after",
                reason: "is not a cursor",
            })?;
            query.after = Some(last.transfer.id);
        }
        let first = query.first;
        let mut items = self.store.transfers(query).await?;
        let more = items.len() > first;
        items.truncate(first);
        Ok(TransferPage { items, more })
    }

    /// Whether the key may list accounts.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope.
    pub fn check_list_accounts(&self, key: &ApiKey) -> Result<()> {
        if allows(&key.permissions, Wish::ListAccounts) {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }

    /// The tenant's time now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn time_of(&self, tenant: ledger::TenantId) -> Result<ledger::Millis> {
        Ok(self.tenant(tenant).await?.clock.now(self.store.now()))
    }

    /// Whether the key has the scope to see transfers at all.
    #[must_use]
    pub fn may_read_transfers(&self, key: &ApiKey) -> bool {
        allows(&key.permissions, Wish::ReadSomeTransfers)
    }
}

/// An id that is never issued.
pub(crate) const NOBODY: AccountId = AccountId::new(0);
