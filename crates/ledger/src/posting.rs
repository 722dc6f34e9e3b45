//! Double entry: what moves between accounts, always in equal and opposite parts.

use crate::account::Account;
use crate::id::AccountId;
use crate::money::Amount;

/// The side of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Money leaves the account.
    Debit,
    /// Money enters the account.
    Credit,
}

/// One side of a posting on one account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The account.
    pub account: AccountId,
    /// The account's own number of this entry, counting from 1 without gaps.
    pub sequence: u64,
    /// Debit or credit.
    pub side: Side,
    /// The amount, positive; the side carries the sign.
    pub amount: Amount,
    /// The account's balance after this entry, in minor units.
    pub balance_after: i64,
}

/// Two entries or more that sum to zero in their currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    entries: Vec<Entry>,
}

impl Posting {
    /// A posting of these entries.
    ///
    /// # Errors
    /// A description when there are fewer than two entries, more than one currency, or debits
    /// that differ from credits.
    pub fn new(entries: Vec<Entry>) -> Result<Posting, &'static str> {
        if entries.len() < 2 {
            return Err("a posting has at least two entries");
        }
        let currency = entries[0].amount.currency();
        // Sums are i128: no number of 64-bit amounts that fits in memory can overflow them.
        let mut debits: i128 = 0;
        let mut credits: i128 = 0;
        for entry in &entries {
            if entry.amount.currency() != currency {
                return Err("a posting has one currency");
            }
            let minor = i128::from(entry.amount.minor());
            match entry.side {
                Side::Debit => debits = debits.saturating_add(minor),
                Side::Credit => credits = credits.saturating_add(minor),
            }
        }
        if debits != credits {
            return Err("the debits of a posting equal its credits");
        }
        Ok(Posting { entries })
    }

    /// Moves `amount` from one account to another.
    ///
    /// Returns `None` when a balance would leave the 64-bit range. Whether the source has the
    /// money is for the caller to decide before.
    ///
    /// # Panics
    /// When the accounts are the same or of another currency: the caller's mistake.
    #[must_use]
    pub fn movement(amount: Amount, from: &Account, to: &Account) -> Option<Posting> {
        assert_ne!(from.id, to.id, "a movement has two accounts");
        assert_eq!(amount.currency(), from.currency, "currency of the source");
        assert_eq!(
            amount.currency(),
            to.currency,
            "currency of the destination"
        );
        let debit = Entry {
            account: from.id,
            sequence: from.entries.checked_add(1)?,
            side: Side::Debit,
            amount,
            balance_after: from.balance.checked_sub(amount.minor())?,
        };
        let credit = Entry {
            account: to.id,
            sequence: to.entries.checked_add(1)?,
            side: Side::Credit,
            amount,
            balance_after: to.balance.checked_add(amount.minor())?,
        };
        Some(Posting::new(vec![debit, credit]).expect("one debit equals one credit"))
    }

    /// Moves `amount` from one account to another and `fee_minor` from the first to a third.
    ///
    /// The first account has one entry over both, so that its statement has one line. Returns
    /// `None` when a balance would leave the 64-bit range.
    ///
    /// # Panics
    /// When two of the accounts are the same, or of another currency: the caller's mistake.
    #[must_use]
    pub fn movement_with_fee(
        amount: Amount,
        fee_minor: i64,
        from: &Account,
        to: &Account,
        fees: &Account,
    ) -> Option<Posting> {
        let Ok(fee) = Amount::new(fee_minor, amount.currency()) else {
            return Posting::movement(amount, from, to);
        };
        let total = amount.minor().checked_add(fee_minor)?;
        let total = Amount::new(total, amount.currency()).ok()?;
        assert!(from.id != to.id && to.id != fees.id, "three accounts");
        let currency = amount.currency();
        for account in [from, to, fees] {
            assert_eq!(account.currency, currency, "currency of {}", account.id);
        }
        let credit = |account: &Account, amount: Amount| {
            Some(Entry {
                account: account.id,
                sequence: account.entries.checked_add(1)?,
                side: Side::Credit,
                amount,
                balance_after: account.balance.checked_add(amount.minor())?,
            })
        };
        let debit = Entry {
            account: from.id,
            sequence: from.entries.checked_add(1)?,
            side: Side::Debit,
            amount: total,
            balance_after: from.balance.checked_sub(total.minor())?,
        };
        let entries = vec![debit, credit(to, amount)?, credit(fees, fee)?];
        Some(Posting::new(entries).expect("one debit equals two credits"))
    }

    /// The entries, in the order they were made.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
