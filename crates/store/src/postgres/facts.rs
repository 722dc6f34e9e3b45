//! What never changes about objects, kept in memory: whose they are and what they lead to.
//!
//! A transaction locks owners first, and most commands name only accounts. What is not known here
//! is asked from the database; nothing that is known here can be wrong. Nothing is kept of what was
//! not found: it may come to be.

use std::hash::Hash;
use std::sync::Arc;

use ledger::touches::{AccountLinks, ExecutionLinks, HoldLinks, TransferLinks};
use ledger::{
    Account, AccountId, BulkId, Currency, Effect, ExecutionId, HoldId, OwnerId, RuleId, SystemKind,
    TenantId, TransferId, Work,
};

use crate::words::WordMap;

/// Keeps what was used last, between half of `capacity` and all of it.
struct Kept<K, V> {
    capacity: usize,
    young: WordMap<K, V>,
    old: WordMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> Kept<K, V> {
    fn new(capacity: usize) -> Kept<K, V> {
        Kept {
            capacity,
            young: WordMap::default(),
            old: WordMap::default(),
        }
    }

    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity / 2 {
            // Both keep their room.
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
        }
        self.young.insert(key, value);
    }

    fn get(&mut self, key: K) -> Option<V> {
        if let Some(value) = self.young.get(&key) {
            return Some(value.clone());
        }
        let value = self.old.remove(&key)?;
        self.put(key, value.clone());
        Some(value)
    }
}

/// A system account of an owner.
pub(crate) type SystemAccount = (SystemKind, Currency, AccountId);

/// See the module.
pub(crate) struct Facts {
    owners: Kept<OwnerId, TenantId>,
    accounts: Kept<AccountId, AccountLinks>,
    /// What is not read again of accounts that were loaded.
    constants: Kept<AccountId, Arc<Account>>,
    transfers: Kept<TransferId, TransferLinks>,
    holds: Kept<HoldId, HoldLinks>,
    bulks: Kept<BulkId, (TenantId, OwnerId)>,
    rules: Kept<RuleId, (TenantId, OwnerId)>,
    executions: Kept<ExecutionId, ExecutionLinks>,
    systems: Kept<OwnerId, Vec<SystemAccount>>,
}

/// At most some 80 MB together.
impl Default for Facts {
    fn default() -> Facts {
        Facts {
            owners: Kept::new(200_000),
            accounts: Kept::new(400_000),
            constants: Kept::new(50_000),
            transfers: Kept::new(50_000),
            holds: Kept::new(50_000),
            bulks: Kept::new(5_000),
            rules: Kept::new(20_000),
            executions: Kept::new(20_000),
            systems: Kept::new(50_000),
        }
    }
}

impl Facts {
    /// The tenant of an owner.
    pub(crate) fn owner(&mut self, id: OwnerId) -> Option<TenantId> {
        self.owners.get(id)
    }

    pub(crate) fn account(&mut self, id: AccountId) -> Option<AccountLinks> {
        self.accounts.get(id)
    }

    /// An account as it was loaded before: what [`rows::CHANGING`](super::rows::CHANGING) does not
    /// name is as it is now, all else is not.
    pub(crate) fn constants(&mut self, id: AccountId) -> Option<Arc<Account>> {
        self.constants.get(id)
    }

    pub(crate) fn transfer(&mut self, id: TransferId) -> Option<TransferLinks> {
        self.transfers.get(id)
    }

    pub(crate) fn hold(&mut self, id: HoldId) -> Option<HoldLinks> {
        self.holds.get(id)
    }

    pub(crate) fn bulk(&mut self, id: BulkId) -> Option<(TenantId, OwnerId)> {
        self.bulks.get(id)
    }

    pub(crate) fn rule(&mut self, id: RuleId) -> Option<(TenantId, OwnerId)> {
        self.rules.get(id)
    }

    pub(crate) fn execution(&mut self, id: ExecutionId) -> Option<ExecutionLinks> {
        self.executions.get(id)
    }

    /// The system accounts of an owner that are known. There may be more.
    pub(crate) fn system_accounts(&mut self, owner: OwnerId) -> Vec<SystemAccount> {
        self.systems.get(owner).unwrap_or_default()
    }

    /// Whose work it is.
    pub(crate) fn owner_of(&mut self, work: Work) -> Option<OwnerId> {
        match work {
            Work::Settle(transfer) => Some(self.transfer(transfer)?.owner),
            Work::ExpireHold(hold) => {
                let account = self.hold(hold)?.account;
                Some(self.account(account)?.owner)
            }
            Work::RunBulk(bulk) => Some(self.bulk(bulk)?.1),
            Work::RunRule(rule) => Some(self.rule(rule)?.1),
            Work::RunExecution(execution) => Some(self.execution(execution)?.owner),
        }
    }

    pub(crate) fn put_owner(&mut self, id: OwnerId, tenant: TenantId) {
        self.owners.put(id, tenant);
    }

    pub(crate) fn put_account(&mut self, id: AccountId, links: AccountLinks) {
        self.owners.put(links.owner, links.tenant);
        self.accounts.put(id, links);
    }

    /// Keeps what never changes of an account whose row was loaded.
    pub(crate) fn put_constants(&mut self, account: &Account) {
        let constants = Account {
            tag: None,
            details: None,
            ..account.clone()
        };
        self.constants.put(account.id, Arc::new(constants));
    }

    pub(crate) fn put_transfer(&mut self, id: TransferId, links: TransferLinks) {
        self.owners.put(links.owner, links.tenant);
        self.transfers.put(id, links);
    }

    pub(crate) fn put_hold(&mut self, id: HoldId, links: HoldLinks) {
        self.holds.put(id, links);
    }

    pub(crate) fn put_bulk(&mut self, id: BulkId, tenant: TenantId, owner: OwnerId) {
        self.owners.put(owner, tenant);
        self.bulks.put(id, (tenant, owner));
    }

    pub(crate) fn put_rule(&mut self, id: RuleId, tenant: TenantId, owner: OwnerId) {
        self.owners.put(owner, tenant);
        self.rules.put(id, (tenant, owner));
    }

    pub(crate) fn put_execution(&mut self, id: ExecutionId, links: ExecutionLinks) {
        self.put_rule(links.rule, links.tenant, links.owner);
        self.executions.put(id, links);
    }

    pub(crate) fn put_system_accounts(&mut self, owner: OwnerId, known: &[SystemAccount]) {
        self.systems.put(owner, known.to_vec());
    }

    /// Learns of what an effect makes.
    pub(crate) fn learn(&mut self, effect: &Effect) {
        match effect {
            Effect::OwnerCreated(owner) => self.put_owner(owner.id, owner.tenant),
            Effect::AccountOpened(account) => self.put_account(account.id, account.into()),
            Effect::TransferRecorded(transfer) => self.put_transfer(transfer.id, transfer.into()),
            Effect::HoldPlaced(hold) => self.put_hold(hold.id, hold.into()),
            Effect::BulkSubmitted(bulk) => self.put_bulk(bulk.id, bulk.tenant, bulk.owner),
            Effect::RuleSet(rule) => self.put_rule(rule.id, rule.tenant, rule.owner),
            Effect::ExecutionRecorded(run) => self.put_execution(run.id, run.into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn what_is_used_stays_and_the_number_is_bounded() {
        let mut kept = Kept::new(10);
        for number in 0..1_000 {
            kept.put(number, number);
            assert_eq!(kept.get(0), Some(0), "used after {number}");
            assert!(kept.young.len() + kept.old.len() <= 10);
        }
        assert_eq!(kept.get(999), Some(999));
        assert_eq!(kept.get(500), None);
    }
}
