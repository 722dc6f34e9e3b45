//! What was written already, as far as the write path asks for it.

use std::collections::{BTreeSet, HashMap, HashSet};

use ledger::{AccountId, Due, HoldId, ProfileId, RuleId, TenantId};

use crate::postgres::group::Changed;
use crate::postgres::write::{End, Stored};
use crate::records::{Fingerprint, RecordKind};

/// See the module. Some 100 bytes an account; less for all else.
#[derive(Default)]
pub(super) struct Kept {
    tenants: BTreeSet<TenantId>,
    profiles: BTreeSet<ProfileId>,
    holds: HashSet<HoldId>,
    rules: HashSet<RuleId>,
    due: BTreeSet<Due>,
    ends: HashMap<AccountId, End>,
    records: HashMap<(RecordKind, u64), (TenantId, Option<Fingerprint>)>,
}

impl Kept {
    /// Learns what was written; `ends` are those of the accounts with new entries.
    pub(super) fn learn(
        &mut self,
        changed: &Changed,
        ends: impl IntoIterator<Item = (AccountId, End)>,
    ) {
        let gathered = &changed.gathered;
        self.tenants.extend(gathered.tenants.keys());
        self.profiles.extend(gathered.profiles.keys());
        self.rules.extend(gathered.rules.rules.keys());
        for (hold, (_, lasts)) in &gathered.holds {
            match lasts {
                true => self.holds.insert(*hold),
                false => self.holds.remove(hold),
            };
        }
        for (due, waits) in gathered.due.sorted() {
            match waits {
                true => self.due.insert(due),
                false => self.due.remove(&due),
            };
        }
        for account in &gathered.accounts {
            self.ends.entry(*account).or_default();
        }
        self.ends.extend(ends);
        for (at, record) in &gathered.records {
            match record {
                Some(record) => self.records.insert(*at, (record.tenant, record.unique)),
                None => self.records.remove(at),
            };
        }
    }
}

impl Stored for Kept {
    fn has_tenant(&self, id: TenantId) -> bool {
        self.tenants.contains(&id)
    }

    fn has_profile(&self, id: ProfileId) -> bool {
        self.profiles.contains(&id)
    }

    fn has_hold(&self, id: HoldId) -> bool {
        self.holds.contains(&id)
    }

    fn has_rule(&self, id: RuleId) -> bool {
        self.rules.contains(&id)
    }

    fn has_due(&self, due: &Due) -> bool {
        self.due.contains(due)
    }

    fn end_of(&self, id: AccountId) -> Option<End> {
        self.ends.get(&id).copied()
    }

    fn record(&self, kind: RecordKind, id: u64) -> Option<(TenantId, Option<Fingerprint>)> {
        self.records.get(&(kind, id)).copied()
    }
}
