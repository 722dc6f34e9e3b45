//! Loading what a transaction can look at, under the locks of its owners.
//!
//! All of one round is sent together. What a round finds may lead further: work that is due, a
//! system account that another server has opened, the next operations of a bulk, what a rule says. Usually the facts
//! in memory foretell everything and one round is enough.

mod absorb;
mod ask;
mod rules;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ledger::rule::snapshot::CapUsed;
use ledger::touches::{Found, of_order};
use ledger::{
    AccountId, Bulk, BulkId, Command, Due, Effect, Execution, ExecutionId, Hold, HoldId, KeyId,
    Millis, Owner, OwnerId, Profile, ProfileId, Rule, RuleId, State, Tenant, TenantId, Touch,
    Transfer, TransferId, touches,
};

use super::facts::{Facts, SystemAccount};
use super::failure::Failure;
use super::links;
use super::plan::{Plan, Wants};
use super::rows::StoredAccount;
use super::session::{Call, Session};
use super::wire::Row;
use crate::gather::CapPlace;
use crate::records::{Fingerprint, Record, RecordKind};
use crate::shelf::Shelf;
use crate::words::WordMap;
use ask::Asked;
pub(crate) use ask::{changing, remembered};

/// Pieces of due work that one transaction loads.
pub(crate) const DUE_MAX: usize = 4_096;
/// Operations of a running bulk that one transaction loads what it needs for.
const TURNS_MAX: usize = 1_024;

/// Rows that are locked or read besides what commands touch.
#[derive(Default)]
pub(crate) struct Besides {
    /// Tenants whose clocks may be set.
    pub clocks: BTreeSet<TenantId>,
    /// Profiles that may be changed.
    pub profiles: BTreeSet<(TenantId, ProfileId)>,
    /// API keys that may be revoked.
    pub keys: BTreeSet<(TenantId, KeyId)>,
    /// Records that may be written.
    pub records: BTreeSet<(TenantId, RecordKind, u64)>,
    /// What records to be written must have alone.
    pub uniques: BTreeSet<(TenantId, RecordKind, Fingerprint)>,
    /// Owners that records name. They are not locked.
    pub owners: BTreeSet<OwnerId>,
    /// Whether accounts are believed to be as this server knows them.
    pub trusts: bool,
    /// Claimed idempotency keys that are looked up.
    pub claims: BTreeSet<Fingerprint>,
}

/// What was loaded.
#[derive(Default)]
pub(crate) struct Loaded {
    /// Everything that was looked for, whether it was there or not.
    pub known: Wants,
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// The number of each tenant's newest commit when it was read.
    pub heads: BTreeMap<TenantId, i64>,
    pub owners: BTreeMap<OwnerId, Owner>,
    pub systems: BTreeMap<OwnerId, Vec<SystemAccount>>,
    pub accounts: BTreeMap<AccountId, Arc<StoredAccount>>,
    /// Accounts that were known before, as they were then.
    before: WordMap<AccountId, Arc<StoredAccount>>,
    /// Accounts that were not read: they are believed to be as they were.
    pub trusted: BTreeSet<(OwnerId, AccountId)>,
    pub profiles: BTreeMap<ProfileId, Profile>,
    pub transfers: BTreeMap<TransferId, Transfer>,
    pub holds: BTreeMap<HoldId, Hold>,
    pub bulks: BTreeMap<BulkId, Bulk>,
    pub rules: BTreeMap<RuleId, Rule>,
    pub caps: BTreeMap<CapPlace, CapUsed>,
    /// Runs that are not over.
    pub executions: BTreeMap<ExecutionId, Execution>,
    /// Waiting work, due or not.
    pub due: BTreeSet<Due>,
    /// The work of locked owners that was due, in order of tenant and time: the first
    /// [`DUE_MAX`] pieces.
    pub now_due: Vec<Due>,
    pub remembered: HashMap<Fingerprint, u64>,
    /// API keys that are not revoked.
    pub keys: HashMap<KeyId, TenantId>,
    pub records: BTreeMap<(RecordKind, u64), Record>,
}

/// What was found and followed already.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Followed {
    Due(Due),
    Bulk(BulkId),
    Rule(RuleId),
}

/// What the transaction does before it decides. `begin` is sent first, then locks, then everything
/// that is known to be needed, then what that leads to.
///
/// # Errors
/// [`Failure`]; also when `check` does not like the answers to `begin`.
pub(crate) async fn load(
    session: &mut Session,
    facts: &mut Facts,
    plan: &mut Plan,
    besides: &Besides,
    begin: Vec<Call>,
    check: impl Fn(&[Vec<Row>]) -> Result<(), Failure>,
    now: Millis,
) -> Result<Loaded, Failure> {
    let mut loaded = Loaded::default();
    let begun = begin.len();
    let mut asked = Asked::begin(begin);
    asked.lock(besides, &plan.wants, &mut loaded.known, now);
    let mut followed = BTreeSet::new();
    let mut is_begun = false;
    loop {
        let mut new = plan.wants.take_new(&mut loaded.known);
        for (owner, id) in std::mem::take(&mut new.accounts) {
            let before = facts.stored(id);
            let is_trusted = besides.trusts && facts.is_newest(id);
            if let (Some(before), true) = (&before, is_trusted) {
                loaded.accounts.insert(id, Arc::clone(before));
                loaded.trusted.insert((owner, id));
                continue;
            }
            new.accounts.insert((owner, id));
            loaded.before.extend(before.map(|before| (id, before)));
        }
        asked.ask(&new, &loaded.before);
        let (parts, calls) = asked.take();
        if calls.is_empty() {
            return Ok(loaded);
        }
        let answers = session.calls(calls).await?;
        if !std::mem::replace(&mut is_begun, true) {
            check(&answers[..begun])?;
        }
        for (part, rows) in parts.into_iter().zip(&answers) {
            loaded.absorb(part, rows, facts)?;
        }
        loaded.lead(facts, plan, &mut followed);
        links::complete(session, facts, plan).await?;
    }
}

impl Loaded {
    /// Follows what was found.
    fn lead(&self, facts: &mut Facts, plan: &mut Plan, followed: &mut BTreeSet<Followed>) {
        for due in &self.now_due {
            if followed.insert(Followed::Due(*due)) {
                plan.follow(facts, due.tenant, touches(&Command::RunDue(*due)));
            }
        }
        for (tenant, id) in std::mem::take(&mut plan.turns) {
            match self.bulks.get(&id) {
                Some(bulk) if followed.insert(Followed::Bulk(id)) => {
                    let next = bulk.operations.iter().skip(bulk.next()).take(TURNS_MAX);
                    for order in next {
                        plan.follow(facts, tenant, of_order(tenant, bulk.owner, order));
                    }
                }
                Some(_) => {}
                // It comes with the next round, unless it was looked for and has ended.
                None if self.known.bulks.iter().any(|(_, known)| *known == id) => {}
                None => plan.turns.push((tenant, id)),
            }
        }
        for (tenant, id) in std::mem::take(&mut plan.runs) {
            match self.rules.get(&id) {
                Some(rule) if followed.insert(Followed::Rule(id)) => {
                    plan.follow(facts, tenant, Touch::RunOf(id).then(Found::Rule(rule)));
                }
                Some(_) => {}
                // It comes with the next round, unless it was looked for and is gone.
                None if self.known.rules.iter().any(|(_, known)| *known == id) => {}
                None => plan.runs.push((tenant, id)),
            }
        }
        let wants = &mut plan.wants;
        // Nobody knows an owner without its tenant.
        let tenants = self.owners.values().map(|owner| owner.tenant);
        wants.tenants.extend(tenants);
        for (owner, kind, currency) in &wants.system {
            let known = self.systems.get(owner).into_iter().flatten();
            let ids = known.filter(|(k, c, _)| (k, c) == (kind, currency));
            wants.accounts.extend(ids.map(|(_, _, id)| (*owner, *id)));
        }
    }

    /// The last piece of work up to which everything that is due was loaded, if there is more.
    pub(crate) fn horizon(&self) -> Option<Due> {
        let last = self.now_due.last().copied();
        last.filter(|_| self.now_due.len() >= DUE_MAX)
    }

    /// A state that knows what was loaded, and the records.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] when the rows do not fit each other.
    pub(crate) fn state(&self) -> Result<(State, Shelf), Failure> {
        let wrong = |error: ledger::Inconsistency| Failure::Corrupt(error.to_string().into());
        let mut state = State::default();
        for tenant in self.tenants.values() {
            state.restore_tenant(tenant.clone()).map_err(wrong)?;
        }
        for owner in self.owners.values() {
            let made = Effect::OwnerCreated(owner.clone());
            state.apply(&made).map_err(wrong)?;
        }
        for profile in self.profiles.values() {
            let set = Effect::ProfileSet(profile.clone());
            state.apply(&set).map_err(wrong)?;
        }
        state.reserve_accounts(self.accounts.len());
        for stored in self.accounts.values() {
            let account = stored.account.clone();
            state.restore_account(account).map_err(wrong)?;
        }
        for transfer in self.transfers.values() {
            let transfer = transfer.clone();
            state.restore_open_transfer(transfer).map_err(wrong)?;
        }
        for hold in self.holds.values() {
            state.restore_hold(*hold).map_err(wrong)?;
        }
        for bulk in self.bulks.values() {
            state.restore_bulk(bulk.clone()).map_err(wrong)?;
        }
        for rule in self.rules.values() {
            state.restore_rule(rule).map_err(wrong)?;
        }
        for ((rule, step, group), used) in &self.caps {
            let restored = state.restore_cap(*rule, (*step, *group), *used);
            restored.map_err(wrong)?;
        }
        for execution in self.executions.values() {
            let execution = execution.clone();
            state.restore_execution(execution).map_err(wrong)?;
        }
        for due in &self.due {
            state.restore_due(*due).map_err(wrong)?;
        }
        let mut shelf = Shelf::default();
        for record in self.records.values() {
            let restored = shelf.restore(record);
            restored.map_err(|what| Failure::Corrupt(what.into()))?;
        }
        Ok((state, shelf))
    }
}
