//! What never changes about objects, kept in memory: whose they are and what they lead to.
//!
//! A transaction locks owners first, and most commands name only accounts. What is not known here
//! is asked from the database; nothing that is known here can be wrong. Nothing is kept of what was
//! not found: it may come to be.
//!
//! Of accounts it is also kept what changes. That can be wrong, and who uses it makes sure that it was
//! not.

use std::hash::Hash;
use std::sync::Arc;

use ledger::touches::{AccountLinks, ExecutionLinks, HoldLinks, TransferLinks};
use ledger::{
    AccountId, BulkId, Currency, Effect, ExecutionId, HoldId, OwnerId, RuleId, SystemKind,
    TenantId, TransferId, Work,
};

use super::rows::StoredAccount;
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

    fn cut(&mut self, key: K) {
        self.young.remove(&key);
        self.old.remove(&key);
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
    /// Accounts as they were when they were loaded or written last.
    stored: Kept<AccountId, Arc<StoredAccount>>,
    /// Those of them that nothing is known to have changed since.
    newest: Kept<AccountId, u64>,
    /// What `newest` must say to be believed.
    era: u64,
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
            stored: Kept::new(50_000),
            newest: Kept::new(50_000),
            era: 0,
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

    /// An account as it was: what [`rows::CHANGING`](super::rows::CHANGING) does not name is as it is now,
    /// all else may not be.
    pub(crate) fn stored(&mut self, id: AccountId) -> Option<Arc<StoredAccount>> {
        self.stored.get(id)
    }

    /// Whether an account is now as it was, for all that this server knows: unless another server has
    /// changed it.
    pub(crate) fn is_newest(&mut self, id: AccountId) -> bool {
        self.newest.get(id) == Some(self.era)
    }

    /// Another server changes accounts that are known here.
    pub(crate) fn doubt_accounts(&mut self) {
        self.era += 1;
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

    /// Keeps an account as it is now. What may be long is not kept, and then it is loaded again.
    pub(crate) fn put_stored(&mut self, mut stored: Arc<StoredAccount>) {
        let id = stored.account.id;
        if stored.account.details.is_some() {
            Arc::make_mut(&mut stored).account.details = None;
            self.newest.cut(id);
        } else {
            self.newest.put(id, self.era);
        }
        self.stored.put(id, stored);
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
