//! Cards of held accounts, and what was paid with them, as keys read them.
//!
//! A card belongs to the account it spends from: a debit card to its parent, a prepaid card, which
//! is a pod with a card, to itself (`docs/decisions/2026-11-21-cards-are-accounts.md`). Cards that
//! were closed are still shown, and so is what they paid.

use std::sync::Arc;

use ledger::{
    Account, AccountId, AccountKind, Currency, Direction, InstrumentClass, Millis, Origin,
    TenantId, TransferId,
};
use store::{AccountQuery, AccountRole, AccountRow, TransferQuery};

use crate::Service;
use crate::error::{Error, Result};
use crate::keys::ApiKey;
use crate::permission::{Wish, allows};
use crate::platform::Page;
use crate::reads::TransferPage;

/// A card as it is shown.
#[derive(Clone, Debug)]
pub struct CardView {
    /// The card's own account.
    pub card: Account,
    /// The account it spends from.
    pub account: AccountId,
    /// The name of its owner.
    pub owner_name: Arc<str>,
}

impl CardView {
    fn of(row: AccountRow) -> Option<CardView> {
        let card = row.account;
        (card.kind.instrument() == Some(InstrumentClass::Card)).then(|| CardView {
            account: card.parent.unwrap_or(card.id),
            owner_name: row.owner_name,
            card,
        })
    }
}

/// Which of a card's transactions.
#[derive(Clone, Copy, Debug)]
pub struct CardTransactions {
    /// What was paid, or what was paid back; both when `None`.
    pub direction: Option<Direction>,
    /// Made at or after.
    pub from: Option<Millis>,
    /// Made at or before.
    pub to: Option<Millis>,
    /// At most this many.
    pub first: usize,
}

impl CardTransactions {
    fn query(
        &self,
        tenant: TenantId,
        account: AccountId,
        card: Option<AccountId>,
    ) -> TransferQuery {
        TransferQuery {
            tenant,
            account,
            role: AccountRole::Either,
            direction: self.direction,
            origin: vec![Origin::CardPurchase, Origin::CardRefund],
            status: Vec::new(),
            execution: None,
            card,
            from: self.from,
            to: self.to,
            after: None,
            first: self.first,
        }
    }
}

const NOT_FOUND: Error = Error::NotFound { what: "card" };

impl Service {
    /// Whether the key has the scope to see cards at all.
    #[must_use]
    pub fn may_read_cards(&self, key: &ApiKey) -> bool {
        allows(&key.permissions, Wish::ReadSomeCards)
    }

    /// The cards that spend from an account, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the account is outside the key's list.
    pub async fn cards(
        &self,
        key: &ApiKey,
        account: AccountId,
        currency: Currency,
    ) -> Result<Vec<CardView>> {
        if !allows(&key.permissions, Wish::ReadCardsOf(account)) {
            return Err(Error::Forbidden);
        }
        let own = self.store.account(key.tenant, account).await?;
        let own = own.filter(|row| row.account.kind == AccountKind::PrepaidCard);
        let query = AccountQuery {
            parent: Some(account),
            ..AccountQuery::new(key.tenant)
        };
        let linked = self.store.accounts(query).await?;
        let cards = own.into_iter().chain(linked).filter_map(CardView::of);
        Ok(cards
            .filter(|view| view.card.currency == currency)
            .collect())
    }

    /// A card whose account the key covers.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the scope, or when its account is not covered;
    /// [`Error::NotFound`].
    pub async fn card(
        &self,
        key: &ApiKey,
        id: Option<AccountId>,
        currency: Currency,
    ) -> Result<CardView> {
        if !self.may_read_cards(key) {
            return Err(Error::Forbidden);
        }
        let Some(id) = id else { return Err(NOT_FOUND) };
        let row = self.store.account(key.tenant, id).await?;
        let view = row.and_then(CardView::of).ok_or(NOT_FOUND)?;
        if view.card.currency != currency {
            return Err(NOT_FOUND);
        }
        match allows(&key.permissions, Wish::ReadCardsOf(view.account)) {
            true => Ok(view),
            false => Err(Error::Forbidden),
        }
    }

    /// A page of what a card paid and was paid back, newest first. `after` is the last one of the
    /// page before.
    ///
    /// # Errors
    /// As of [`Service::card`]; then [`Error::Invalid`] when `after` is no transaction of a card of
    /// this tenant.
    pub async fn card_transactions(
        &self,
        key: &ApiKey,
        id: Option<AccountId>,
        currency: Currency,
        wanted: CardTransactions,
        after: Option<TransferId>,
    ) -> Result<TransferPage> {
        let view = self.card(key, id, currency).await?;
        if let Some(after) = after {
            let row = self.store.transfer(key.tenant, after).await?;
            let is_of_card = row.is_some_and(|row| row.transfer.card.is_some());
            if !is_of_card {
                return Err(Error::Invalid {
                    field: "after",
                    reason: "is not a cursor",
                });
            }
        }
        let query = TransferQuery {
            after,
            ..wanted.query(key.tenant, view.account, Some(view.card.id))
        };
        let mut items = self.store.transfers(query).await?;
        let more = items.len() > wanted.first;
        items.truncate(wanted.first);
        Ok(TransferPage { items, more })
    }

    /// A page of what the cards of an account paid and were paid back, or of one of them, newest
    /// first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the account's transfers are outside the key's list.
    pub async fn card_transactions_of(
        &self,
        key: &ApiKey,
        account: AccountId,
        card: Option<AccountId>,
        wanted: CardTransactions,
        page: Page,
    ) -> Result<TransferPage> {
        let query = wanted.query(key.tenant, account, card);
        self.transfers_of(key, &[account], &query, page).await
    }
}
