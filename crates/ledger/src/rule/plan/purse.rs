//! What accounts hold while a run goes on.

use std::collections::BTreeMap;

use super::super::Rule;
use super::super::snapshot::{AccountSeen, Incoming, Snapshot};
use crate::id::AccountId;

/// The accounts as they are after the groups that are done, less what the current one has taken.
///
/// What a group pays is there when the group is done: inside it nobody spends what another action
/// of it has just paid.
pub(super) struct Purse {
    accounts: BTreeMap<AccountId, AccountSeen>,
    /// The account whose balance is pretended, and what is left of it.
    pretended: Option<(AccountId, i64)>,
    /// What the current group takes: from where, to where, how much.
    carried: Vec<(AccountId, AccountId, i64)>,
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
            carried: Vec::new(),
        }
    }

    pub(super) fn get(&self, id: AccountId) -> Option<&AccountSeen> {
        self.accounts.get(&id)
    }

    /// What can be taken from the account now; `None` when nobody knows.
    pub(super) fn spendable(&self, id: AccountId) -> Option<i64> {
        let available = self.accounts.get(&id)?.available?;
        Some(available.max(0))
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

    /// Whether the account can record so much more, with all that the group brings it and whatever
    /// the group takes from it.
    pub(super) fn fits(&self, id: AccountId, minor: i64) -> bool {
        let held = self.accounts.get(&id).filter(|account| account.is_held());
        let Some(balance) = held.and_then(|account| account.balance) else {
            return true;
        };
        let sum = |of: &dyn Fn(&(AccountId, AccountId, i64)) -> bool| -> i128 {
            let carried = self.carried.iter().filter(|one| of(one));
            carried.map(|(.., minor)| i128::from(*minor)).sum()
        };
        let (taken, brought) = (sum(&|one| one.0 == id), sum(&|one| one.1 == id));
        let after = [taken, brought, i128::from(minor)]
            .iter()
            .fold(i128::from(balance), |sum, more| sum.saturating_add(*more));
        i64::try_from(after).is_ok()
    }

    /// Takes money from its source.
    pub(super) fn carry(&mut self, source: AccountId, destination: AccountId, minor: i64) {
        self.carried.push((source, destination, minor));
        if let Some(account) = self.accounts.get_mut(&source) {
            account.available = less(account.available, minor);
            account.balance = less(account.balance, minor);
        }
    }

    /// Ends the group: what it took has come where it goes. What goes from one held account to
    /// another is there; what goes to a liability is not owed any more; anything else is on its
    /// way.
    pub(super) fn settle(&mut self) {
        for (source, destination, minor) in std::mem::take(&mut self.carried) {
            if let Some((account, left)) = &mut self.pretended
                && *account == source
            {
                *left = left.saturating_sub(minor).max(0);
            }
            let from_held = self.accounts.get(&source).is_some_and(AccountSeen::is_held);
            let Some(account) = self.accounts.get_mut(&destination) else {
                continue;
            };
            let more = |sum: Option<i64>| sum.map(|sum| sum.saturating_add(minor));
            if account.is_liability() {
                account.balance = less(account.balance, minor);
            } else if from_held && account.is_held() {
                account.available = more(account.available);
                account.balance = more(account.balance);
            } else {
                account.arriving = account.arriving.saturating_add(minor);
            }
        }
    }
}

fn less(sum: Option<i64>, minor: i64) -> Option<i64> {
    sum.map(|sum| sum.saturating_sub(minor))
}
