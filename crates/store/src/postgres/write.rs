//! Writing what a group has changed: one statement of many rows for each kind of change, each row
//! once, as it is at last. The node's row, the tenants' heads and their commits come at the end:
//! heads are what servers of one tenant wait for.

mod accounts;
mod columns;
mod owners;
mod rules;
mod transfers;

use std::collections::BTreeMap;

use ledger::{
    Account, AccountId, Due, HoldId, Millis, OwnerId, ProfileId, RuleId, State, TenantId, Work,
};

use super::failure::Failure;
use super::group::{Changed, NOBODY};
use super::load::Loaded;
use super::session::Call;
use crate::records::{Fingerprint, RecordKind};
pub(crate) use accounts::End;
use columns::signed;

/// Locks the heads of several tenants in one order for everybody.
const LOCK_HEADS: &str =
    "SELECT h.tenant FROM heads h WHERE h.tenant = ANY ($1) ORDER BY h.tenant FOR UPDATE";
/// Commits without a tenant have a head of their own.
const ADD_HEADS: &str = "INSERT INTO heads (tenant, number) \
     SELECT w.tenant, 0 FROM unnest($1::bigint[]) AS w (tenant) ON CONFLICT (tenant) DO NOTHING";
const MOVE_HEADS: &str = "UPDATE heads AS h SET number = h.number + w.commits \
     FROM unnest($1::bigint[], $2::bigint[]) AS w (tenant, commits) WHERE h.tenant = w.tenant";
/// `later` counts the commits of the same tenant that follow in the group.
const ADD_COMMITS: &str = "INSERT INTO commits (tenant, number, batch, record) \
     SELECT w.tenant, h.number - w.later, $4, w.record \
     FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS w (tenant, later, record) \
     JOIN heads h ON h.tenant = w.tenant";
/// The same when all are of one tenant: its head is looked up once.
const ADD_COMMITS_OF: &str = "INSERT INTO commits (tenant, number, batch, record) \
     SELECT h.tenant, h.number - w.later, $4, w.record \
     FROM heads h CROSS JOIN unnest($2::bigint[], $3::bytea[]) AS w (later, record) \
     WHERE h.tenant = $1";

/// What the tables have before anything is written, of what may change.
pub(crate) trait Stored: Sync {
    fn has_tenant(&self, id: TenantId) -> bool;
    fn has_profile(&self, id: ProfileId) -> bool;
    fn has_hold(&self, id: HoldId) -> bool;
    fn has_rule(&self, id: RuleId) -> bool;
    fn has_due(&self, due: &Due) -> bool;
    /// Whether accounts are only believed to be as they are said to be.
    fn is_trusted(&self) -> bool {
        false
    }
    /// An account, if what can change of it is known.
    fn account(&self, _id: AccountId) -> Option<&Account> {
        None
    }
    /// Where the entries of an account end; `None` when there is no such account.
    fn end_of(&self, id: AccountId) -> Option<End>;
    /// The tenant of a record, and what it must have alone.
    fn record(&self, kind: RecordKind, id: u64) -> Option<(TenantId, Option<Fingerprint>)>;
}

impl Stored for Loaded {
    fn is_trusted(&self) -> bool {
        !self.trusted.is_empty()
    }

    fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id).map(|stored| &stored.account)
    }

    fn has_tenant(&self, id: TenantId) -> bool {
        self.tenants.contains_key(&id)
    }

    fn has_profile(&self, id: ProfileId) -> bool {
        self.profiles.contains_key(&id)
    }

    fn has_hold(&self, id: HoldId) -> bool {
        self.holds.contains_key(&id)
    }

    fn has_rule(&self, id: RuleId) -> bool {
        self.rules.contains_key(&id)
    }

    fn has_due(&self, due: &Due) -> bool {
        self.due.contains(due)
    }

    fn end_of(&self, id: AccountId) -> Option<End> {
        self.accounts.get(&id).map(|stored| End {
            chain: stored.chain,
            until: stored.entries_until,
        })
    }

    fn record(&self, kind: RecordKind, id: u64) -> Option<(TenantId, Option<Fingerprint>)> {
        let record = self.records.get(&(kind, id))?;
        Some((record.tenant, record.unique))
    }
}

/// What is written from.
pub(crate) struct Write<'a> {
    pub stored: &'a dyn Stored,
    pub changed: &'a Changed,
    /// The state with all changes.
    pub state: &'a State,
    pub now: Millis,
    /// The number that all commits of the group have in common.
    pub batch: u64,
}

impl Write<'_> {
    /// The statements, in the order to send them; without the node's row and the end. With them, where
    /// the entries of accounts end that have new ones. `owner_of` tells whose a piece of work is.
    ///
    /// # Errors
    /// [`Failure::Again`] when that was forgotten meanwhile, [`Failure::Impossible`] of a number that
    /// cannot be sent.
    pub(crate) fn calls(
        &self,
        owner_of: impl FnMut(Work) -> Option<OwnerId>,
    ) -> Result<(Vec<Call>, BTreeMap<AccountId, End>), Failure> {
        let mut calls = Vec::new();
        self.tenants(&mut calls);
        self.owners(&mut calls);
        self.profiles(&mut calls);
        let ends = self.accounts(&mut calls)?;
        self.transfers(&mut calls)?;
        self.holds(&mut calls);
        self.due(owner_of, &mut calls)?;
        self.bulks(&mut calls);
        self.rules(&mut calls);
        self.executions(&mut calls);
        self.keys(&mut calls);
        self.records(&mut calls);
        self.remembered(&mut calls)?;
        self.notices(&mut calls);
        Ok((calls, ends))
    }

    /// The statements that number the commits: the last ones.
    pub(crate) fn commits(&self) -> Vec<Call> {
        let mut counts: BTreeMap<TenantId, i64> = BTreeMap::new();
        for (tenant, _) in &self.changed.commits {
            *counts.entry(*tenant).or_default() += 1;
        }
        let tenants: Vec<i64> = counts.keys().map(|id| signed(id.raw())).collect();
        let numbers: Vec<i64> = counts.values().copied().collect();
        let mut calls = Vec::new();
        if counts.contains_key(&NOBODY) {
            let nobody = vec![signed(NOBODY.raw())];
            calls.push(Call::new(ADD_HEADS).with(nobody));
        }
        if tenants.len() > 1 {
            calls.push(Call::new(LOCK_HEADS).with(tenants.clone()));
        }
        calls.push(Call::new(MOVE_HEADS).with(tenants).with(numbers));
        let room = self.changed.commits.len();
        let mut of = Vec::with_capacity(room);
        let mut later = Vec::with_capacity(room);
        let mut records = Vec::with_capacity(room);
        for (tenant, record) in &self.changed.commits {
            let left = counts.entry(*tenant).or_default();
            *left -= 1;
            of.push(signed(tenant.raw()));
            later.push(*left);
            records.push(record.clone());
        }
        let add = match (counts.len(), of.first()) {
            (1, Some(tenant)) => Call::new(ADD_COMMITS_OF).with(*tenant),
            _ => Call::new(ADD_COMMITS).with(of),
        };
        calls.push(add.with(later).with(records).with(signed(self.batch)));
        calls
    }
}
