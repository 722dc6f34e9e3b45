//! What accounts hold while a run goes on.

use std::collections::BTreeMap;

use super::super::Rule;
use super::super::snapshot::{AccountSeen, Incoming, Snapshot};
use crate::id::AccountId;

/// The accounts as they are after what the run has moved so far.
pub(super) struct Purse {
    accounts: BTreeMap<AccountId, AccountSeen>,
    /// The account whose balance is pretended, and what is left of it.
    pretended: Option<(AccountId, i64)>,
}

impl Purse {
    pub(super) fn new(snapshot: &Snapshot, rule: &Rule, incoming: Incoming) -> Purse {
        let pretended = match incoming {
            Incoming::Pretended(minor) => rule.trigger.account().map(|account| (account, minor)),
            _ => None,
        };
        Purse {
            accounts: snapshot.accounts.clone(),
            pretended,
        }
    }

    pub(super) fn get(&self, id: AccountId) -> Option<&AccountSeen> {
        self.accounts.get(&id)
    }

    /// What can be taken from the account; `None` when nobody knows.
    pub(super) fn spendable(&self, id: AccountId) -> Option<i64> {
        let available = self.accounts.get(&id)?.available;
        available.map(|available| available.max(0))
    }

    /// What amounts and conditions go by: what is available, what is owed, or what is pretended.
    pub(super) fn balance(&self, id: AccountId) -> Option<i64> {
        if let Some((account, minor)) = self.pretended
            && account == id
        {
            return Some(minor);
        }
        let account = self.accounts.get(&id)?;
        if account.is_liability() {
            account.balance
        } else {
            account.available
        }
    }

    /// Whether the account can record so much more.
    pub(super) fn fits(&self, id: AccountId, minor: i64) -> bool {
        let held = self.accounts.get(&id).filter(|account| account.is_held());
        held.is_none_or(|account| {
            let balance = account.balance.unwrap_or(0);
            balance.checked_add(minor).is_some()
        })
    }

    /// Moves money. What goes from one held account to another has arrived; what goes to a
    /// liability is not owed any more; anything else is on its way.
    pub(super) fn carry(&mut self, source: AccountId, destination: AccountId, minor: i64) {
        let less = |sum: Option<i64>| sum.map(|sum| sum.saturating_sub(minor));
        if let Some((account, left)) = &mut self.pretended
            && *account == source
        {
            *left = left.saturating_sub(minor).max(0);
        }
        let mut from_held = false;
        if let Some(account) = self.accounts.get_mut(&source) {
            from_held = account.is_held();
            account.available = less(account.available);
            account.balance = less(account.balance);
        }
        let Some(account) = self.accounts.get_mut(&destination) else {
            return;
        };
        let more = |sum: Option<i64>| sum.map(|sum| sum.saturating_add(minor));
        if account.is_liability() {
            account.balance = less(account.balance);
        } else if from_held && account.is_held() {
            account.available = more(account.available);
            account.balance = more(account.balance);
        } else {
            account.arriving = account.arriving.saturating_add(minor);
        }
    }
}
