//! Statements: what happened on an instrument, entry by entry.

use ledger::{
    Account, AccountId, AccountKind, Direction, InstrumentClass, Millis, Origin, Status, Transfer,
};
use store::{EntryPage, EntryQuery, EntryRow, StoreError, TransferRow};

use super::actor::Actor;
use super::error::Result;
use crate::Service;

/// What an entry was made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Movement {
    /// Money between two accounts of the identity.
    Transfer,
    /// Money from outside.
    Deposit,
    /// Something bought with a card.
    Purchase,
    /// A merchant gave back what a card had paid.
    Refund,
    /// Money to a bank account outside, or back from one that did not take it.
    Payment,
    /// Somebody outside drew money.
    Collection,
}

impl Movement {
    /// What a transfer's entries were made for.
    #[must_use]
    pub fn of(transfer: &Transfer) -> Movement {
        match (transfer.direction, transfer.origin) {
            (Direction::Internal, _) => Movement::Transfer,
            (Direction::MoneyIn, Origin::CardRefund) => Movement::Refund,
            (Direction::MoneyIn, _) => Movement::Deposit,
            (Direction::MoneyOut, Origin::CardPurchase) => Movement::Purchase,
            (Direction::MoneyOut, Origin::ExternalPull) => Movement::Collection,
            (Direction::MoneyOut, _) => Movement::Payment,
        }
    }
}

/// Which entries of an instrument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementQuery {
    /// Made at or after.
    pub from: Option<Millis>,
    /// Made at or before.
    pub to: Option<Millis>,
    /// The newest first; else the oldest.
    pub newest_first: bool,
    /// Made for one of these; for anything when `None`.
    pub movements: Option<Vec<Movement>>,
    /// Only for transfers that have ended well.
    pub settled_only: bool,
    /// Matches to pass over.
    pub offset: usize,
    /// At most this many.
    pub limit: usize,
}

/// An entry with what it was made for.
#[derive(Clone, Debug)]
pub struct StatementLine {
    /// The entry.
    pub entry: EntryRow,
    /// Its transfer.
    pub transfer: TransferRow,
}

/// An instrument's entries.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The instrument as it is now.
    pub account: Account,
    /// The entries of the page.
    pub lines: Vec<StatementLine>,
    /// How many match, on this page or not.
    pub count: u64,
    /// The balances in minor units before and after the span of time; none for a debit card, which
    /// has no money of its own.
    pub balances: Option<(i64, i64)>,
}

/// Entries that are looked at together when their transfers must be known to choose them.
const RUN: usize = 500;

impl Service {
    /// A page of an instrument's statement.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`].
    pub async fn statement(
        &self,
        actor: &Actor,
        class: InstrumentClass,
        id: AccountId,
        query: &StatementQuery,
    ) -> Result<Statement> {
        let account = self.instrument(actor, class, id).await?;
        if account.kind == AccountKind::DebitCard {
            return self.debit_card_statement(actor, account, query).await;
        }
        let (lines, count, balances) = if query.movements.is_none() && !query.settled_only {
            let page = self
                .entries_of(id, query, query.offset, query.limit)
                .await?;
            let balances = (page.balance_before, page.balance_after);
            (self.lines(actor, page.rows).await?, page.count, balances)
        } else {
            self.chosen(actor, id, None, query).await?
        };
        Ok(Statement {
            account,
            lines,
            count,
            balances: Some(balances),
        })
    }

    /// What a debit card paid and was paid back: the entries that it made on the account it spends
    /// from, with that account's balances.
    async fn debit_card_statement(
        &self,
        actor: &Actor,
        card: Account,
        query: &StatementQuery,
    ) -> Result<Statement> {
        let missing = || StoreError::Corrupt("a debit card has no parent".into());
        let parent = card.parent.ok_or_else(missing)?;
        let (lines, count, _) = self.chosen(actor, parent, Some(card.id), query).await?;
        Ok(Statement {
            account: card,
            lines,
            count,
            balances: None,
        })
    }

    async fn entries_of(
        &self,
        account: AccountId,
        query: &StatementQuery,
        offset: usize,
        limit: usize,
    ) -> Result<EntryPage> {
        let query = EntryQuery {
            account,
            from: query.from,
            to: query.to,
            newest_first: query.newest_first,
            offset,
            limit,
        };
        Ok(self.store.entries_between(query).await?)
    }

    /// Each entry with its transfer.
    async fn lines(&self, actor: &Actor, entries: Vec<EntryRow>) -> Result<Vec<StatementLine>> {
        let ids = entries.iter().map(|entry| entry.transfer).collect();
        let transfers = self.store.transfers_by_id(actor.tenant, ids).await?;
        let lines = entries.into_iter().zip(transfers).map(|(entry, transfer)| {
            let missing = || StoreError::Corrupt("the transfer of an entry is missing".into());
            let transfer = transfer.ok_or_else(missing)?;
            Ok(StatementLine { entry, transfer })
        });
        lines.collect()
    }

    /// The page of those whose transfers match, and were made with `card` if one is given: every
    /// entry of the span is looked at.
    async fn chosen(
        &self,
        actor: &Actor,
        account: AccountId,
        card: Option<AccountId>,
        query: &StatementQuery,
    ) -> Result<(Vec<StatementLine>, u64, (i64, i64))> {
        let (mut found, mut count, mut seen) = (Vec::new(), 0_u64, 0_usize);
        // What no entry is made for needs no looking at: one run tells the balances.
        let hopeless = query.movements.as_ref().is_some_and(Vec::is_empty);
        loop {
            let page = self.entries_of(account, query, seen, RUN).await?;
            let balances = (page.balance_before, page.balance_after);
            let is_last = page.rows.len() < RUN || hopeless;
            seen = seen.saturating_add(page.rows.len());
            for line in self.lines(actor, page.rows).await? {
                let by_card = card.is_none() || line.transfer.transfer.card == card;
                if !by_card || !query.matches(&line) {
                    continue;
                }
                if count >= query.offset as u64 && found.len() < query.limit {
                    found.push(line);
                }
                count = count.saturating_add(1);
            }
            if is_last {
                return Ok((found, count, balances));
            }
        }
    }
}

impl StatementQuery {
    fn matches(&self, line: &StatementLine) -> bool {
        let transfer = &line.transfer.transfer;
        let movement = Movement::of(transfer);
        let wanted = self.movements.as_ref();
        (!self.settled_only || transfer.status == Status::Complete)
            && wanted.is_none_or(|wanted| wanted.contains(&movement))
    }
}

#[cfg(test)]
mod tests;
