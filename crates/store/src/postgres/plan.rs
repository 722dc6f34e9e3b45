//! What a transaction locks and loads, found by following what its commands touch.
//!
//! Everything but a bulk's place and what a rule says is followed through [`Facts`] alone, before anything is locked.
//! Objects of another tenant than the command's are treated as if they did not exist, here already:
//! nobody can lock a stranger's rows by naming them.

use std::collections::{BTreeSet, HashSet};

use ledger::touches::Found;
use ledger::{
    AccountId, BulkId, Currency, Effect, ExecutionId, HoldId, OwnerId, ProfileId, RuleId,
    SystemKind, TenantId, Touch, TransferId, Work,
};

use super::facts::Facts;

/// Touches of a transfer, about.
const TOUCHES: usize = 8;

/// Rows, by their keys.
#[derive(Clone, Default, Debug)]
pub(crate) struct Wants {
    pub tenants: BTreeSet<TenantId>,
    /// Tenants of which any account is wanted.
    pub in_use: BTreeSet<TenantId>,
    /// Tenants of which the first waiting work is wanted.
    pub first_due: BTreeSet<TenantId>,
    /// Owners, to be locked.
    pub owners: BTreeSet<OwnerId>,
    pub accounts: BTreeSet<(OwnerId, AccountId)>,
    /// Accounts of which it is wanted whether cards or open transfers use them.
    pub uses: BTreeSet<(OwnerId, AccountId)>,
    pub system: BTreeSet<(OwnerId, SystemKind, Currency)>,
    pub profiles: BTreeSet<(TenantId, ProfileId)>,
    pub transfers: BTreeSet<(OwnerId, TransferId)>,
    pub holds: BTreeSet<HoldId>,
    pub bulks: BTreeSet<(OwnerId, BulkId)>,
    pub rules: BTreeSet<(OwnerId, RuleId)>,
    /// Owners of which all rules are wanted.
    pub all_rules: BTreeSet<OwnerId>,
    /// Accounts of which the rule is wanted that waits for money on them.
    pub listeners: BTreeSet<(OwnerId, AccountId)>,
    /// Accounts of which the transfers are wanted that are on their way to them.
    pub arriving: BTreeSet<(OwnerId, AccountId)>,
    /// Rules of which the counters are wanted.
    pub caps: BTreeSet<(OwnerId, RuleId)>,
    /// Rules of which the run is wanted that somebody asked for.
    pub asked: BTreeSet<(OwnerId, RuleId)>,
    /// Runs that are not over.
    pub executions: BTreeSet<(OwnerId, ExecutionId)>,
    /// Objects of which the waiting work is wanted.
    pub waiting: BTreeSet<(OwnerId, Work)>,
}

impl Wants {
    /// Whether `known` has all of it.
    pub(crate) fn are_within(&self, known: &Wants) -> bool {
        self.tenants.is_subset(&known.tenants)
            && self.in_use.is_subset(&known.in_use)
            && self.first_due.is_subset(&known.first_due)
            && self.owners.is_subset(&known.owners)
            && self.accounts.is_subset(&known.accounts)
            && self.uses.is_subset(&known.uses)
            && self.system.is_subset(&known.system)
            && self.profiles.is_subset(&known.profiles)
            && self.transfers.is_subset(&known.transfers)
            && self.holds.is_subset(&known.holds)
            && self.bulks.is_subset(&known.bulks)
            && self.rules.is_subset(&known.rules)
            && self.all_rules.is_subset(&known.all_rules)
            && self.listeners.is_subset(&known.listeners)
            && self.arriving.is_subset(&known.arriving)
            && self.caps.is_subset(&known.caps)
            && self.asked.is_subset(&known.asked)
            && self.executions.is_subset(&known.executions)
            && self.waiting.is_subset(&known.waiting)
    }

    /// Takes out what `known` has and puts the rest into it.
    pub(crate) fn take_new(&self, known: &mut Wants) -> Wants {
        fn new<T: Ord + Copy>(wanted: &BTreeSet<T>, known: &mut BTreeSet<T>) -> BTreeSet<T> {
            let new = wanted.iter().copied().filter(|key| known.insert(*key));
            new.collect()
        }
        Wants {
            tenants: new(&self.tenants, &mut known.tenants),
            in_use: new(&self.in_use, &mut known.in_use),
            first_due: new(&self.first_due, &mut known.first_due),
            owners: new(&self.owners, &mut known.owners),
            accounts: new(&self.accounts, &mut known.accounts),
            uses: new(&self.uses, &mut known.uses),
            system: new(&self.system, &mut known.system),
            profiles: new(&self.profiles, &mut known.profiles),
            transfers: new(&self.transfers, &mut known.transfers),
            holds: new(&self.holds, &mut known.holds),
            bulks: new(&self.bulks, &mut known.bulks),
            rules: new(&self.rules, &mut known.rules),
            all_rules: new(&self.all_rules, &mut known.all_rules),
            listeners: new(&self.listeners, &mut known.listeners),
            arriving: new(&self.arriving, &mut known.arriving),
            caps: new(&self.caps, &mut known.caps),
            asked: new(&self.asked, &mut known.asked),
            executions: new(&self.executions, &mut known.executions),
            waiting: new(&self.waiting, &mut known.waiting),
        }
    }

    /// Adds what an effect makes. `facts` have learned of it.
    pub(crate) fn learn(&mut self, effect: &Effect, facts: &mut Facts) {
        match effect {
            Effect::TenantCreated(tenant) => drop(self.tenants.insert(tenant.id)),
            Effect::OwnerCreated(owner) => drop(self.owners.insert(owner.id)),
            Effect::AccountOpened(account) => {
                self.accounts.insert((account.owner, account.id));
            }
            Effect::ProfileSet(profile) => {
                self.profiles.insert((profile.tenant, profile.id));
            }
            Effect::TransferRecorded(transfer) => {
                self.transfers.insert((transfer.owner, transfer.id));
            }
            Effect::HoldPlaced(hold) => drop(self.holds.insert(hold.id)),
            Effect::BulkSubmitted(bulk) => {
                self.bulks.insert((bulk.owner, bulk.id));
            }
            Effect::RuleSet(rule) => drop(self.rules.insert((rule.owner, rule.id))),
            Effect::ExecutionRecorded(run) => drop(self.executions.insert((run.owner, run.id))),
            Effect::DueAdded(due) => {
                if let Some(owner) = facts.owner_of(due.work) {
                    self.waiting.insert((owner, due.work));
                }
            }
            _ => {}
        }
    }
}

/// An object of which the facts may be missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Subject {
    Owner(OwnerId),
    Account(AccountId),
    Transfer(TransferId),
    Hold(HoldId),
    Bulk(BulkId),
    Rule(RuleId),
    Execution(ExecutionId),
}

/// See the module.
#[derive(Default, Debug)]
pub(crate) struct Plan {
    /// What is reached so far.
    pub wants: Wants,
    /// Bulks that may do their next operation, each to be followed when it was loaded.
    pub turns: Vec<(TenantId, BulkId)>,
    /// Rules that may run, each to be followed when it was loaded.
    pub runs: Vec<(TenantId, RuleId)>,
    seen: HashSet<(TenantId, Touch)>,
    /// What cannot be followed before facts are there.
    parked: Vec<(TenantId, Touch, Subject)>,
    /// What facts were asked of and do not exist.
    absent: HashSet<Subject>,
}

impl Plan {
    /// A plan with room for what this many commands touch, usually.
    pub(crate) fn for_commands(count: usize) -> Plan {
        Plan {
            seen: HashSet::with_capacity(count * TOUCHES),
            ..Plan::default()
        }
    }

    /// Follows what a command of this tenant touches as far as facts go.
    pub(crate) fn follow(&mut self, facts: &mut Facts, tenant: TenantId, touches: Vec<Touch>) {
        let mut waiting = touches;
        while let Some(touch) = waiting.pop() {
            if self.seen.insert((tenant, touch)) {
                match self.step(facts, tenant, touch) {
                    Ok(then) => waiting.extend(then),
                    Err(subject) if self.absent.contains(&subject) => {}
                    Err(subject) => self.parked.push((tenant, touch, subject)),
                }
            }
        }
    }

    /// Follows what was parked, now that facts were asked for: what they lack does not exist.
    pub(crate) fn resume(&mut self, facts: &mut Facts) {
        let parked = std::mem::take(&mut self.parked);
        for (_, _, subject) in &parked {
            self.absent.insert(*subject);
        }
        for (tenant, touch, _) in parked {
            self.seen.remove(&(tenant, touch));
            self.follow(facts, tenant, vec![touch]);
        }
    }

    /// What facts are missing of.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Subject> {
        self.parked.iter().map(|(_, _, subject)| *subject)
    }

    /// Whether nothing is missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.parked.is_empty()
    }

    /// Notes what is wanted for one touch and gives what it leads to.
    ///
    /// # Errors
    /// The object of which the facts are missing.
    fn step(
        &mut self,
        facts: &mut Facts,
        tenant: TenantId,
        touch: Touch,
    ) -> Result<Vec<Touch>, Subject> {
        let wants = &mut self.wants;
        match touch {
            Touch::Tenant(id) => drop(wants.tenants.insert(id)),
            Touch::TenantInUse(id) => drop(wants.in_use.insert(id)),
            Touch::FirstDue(id) => drop(wants.first_due.insert(id)),
            Touch::Profile(of, id) => drop(wants.profiles.insert((of, id))),
            Touch::Owner(id) => {
                if facts.owner(id).ok_or(Subject::Owner(id))? == tenant {
                    wants.owners.insert(id);
                }
            }
            Touch::Account(id)
            | Touch::Money(id)
            | Touch::Uses(id)
            | Touch::Listener(id)
            | Touch::Arriving(id)
            | Touch::RulesBeside(id)
            | Touch::SystemOf(id, ..) => {
                let links = facts.account(id).ok_or(Subject::Account(id))?;
                if links.tenant != tenant {
                    return Ok(Vec::new());
                }
                let key = (links.owner, id);
                match touch {
                    Touch::Uses(_) => drop(wants.uses.insert(key)),
                    Touch::Listener(_) => drop(wants.listeners.insert(key)),
                    Touch::Arriving(_) => drop(wants.arriving.insert(key)),
                    Touch::SystemOf(..) | Touch::RulesBeside(_) => {}
                    _ => drop(wants.accounts.insert(key)),
                }
                return Ok(touch.then(Found::Account(links)));
            }
            Touch::System(owner, kind, currency) => {
                wants.system.insert((owner, kind, currency));
                // What is known already need not wait for the owner's row.
                let known = facts.system_accounts(owner).into_iter();
                let ids = known.filter(|(k, c, _)| (*k, *c) == (kind, currency));
                wants.accounts.extend(ids.map(|(_, _, id)| (owner, id)));
            }
            Touch::Transfer(id) | Touch::Settlement(id) => {
                let links = facts.transfer(id).ok_or(Subject::Transfer(id))?;
                if links.tenant != tenant {
                    return Ok(Vec::new());
                }
                wants.transfers.insert((links.owner, id));
                return Ok(touch.then(Found::Transfer(links)));
            }
            Touch::Hold(id) => {
                let links = facts.hold(id).ok_or(Subject::Hold(id))?;
                if links.tenant != tenant {
                    return Ok(Vec::new());
                }
                wants.holds.insert(id);
                return Ok(touch.then(Found::Hold(links)));
            }
            Touch::Bulk(id) | Touch::Turn(id) => {
                let (of, owner) = facts.bulk(id).ok_or(Subject::Bulk(id))?;
                if of != tenant {
                    return Ok(Vec::new());
                }
                wants.bulks.insert((owner, id));
                if matches!(touch, Touch::Turn(_)) {
                    self.turns.push((tenant, id));
                }
                return Ok(vec![Touch::Owner(owner), Touch::Waiting(Work::RunBulk(id))]);
            }
            Touch::Rules(id) => {
                if facts.owner(id).ok_or(Subject::Owner(id))? == tenant {
                    wants.all_rules.insert(id);
                }
            }
            Touch::Rule(id) | Touch::Siblings(id) | Touch::RunOf(id) | Touch::Asked(id) => {
                let (of, owner) = facts.rule(id).ok_or(Subject::Rule(id))?;
                if of == tenant {
                    self.rule(touch, tenant, owner, id);
                    return Ok(vec![Touch::Owner(owner)]);
                }
            }
            Touch::Execution(id) | Touch::Run(id) => {
                let links = facts.execution(id).ok_or(Subject::Execution(id))?;
                if links.tenant != tenant {
                    return Ok(Vec::new());
                }
                wants.executions.insert((links.owner, id));
                return Ok(touch.then(Found::Execution(links)));
            }
            Touch::Waiting(work) => return self.wait(facts, tenant, work).map(|()| Vec::new()),
        }
        Ok(Vec::new())
    }

    fn rule(&mut self, touch: Touch, tenant: TenantId, owner: OwnerId, id: RuleId) {
        let wants = &mut self.wants;
        match touch {
            Touch::Asked(_) => drop(wants.asked.insert((owner, id))),
            Touch::Siblings(_) => drop(wants.all_rules.insert(owner)),
            Touch::RunOf(_) => {
                wants.rules.insert((owner, id));
                wants.caps.insert((owner, id));
                self.runs.push((tenant, id));
            }
            _ => drop(wants.rules.insert((owner, id))),
        }
    }

    fn wait(&mut self, facts: &mut Facts, tenant: TenantId, work: Work) -> Result<(), Subject> {
        let (of, owner) = match work {
            Work::Settle(id) => {
                let links = facts.transfer(id).ok_or(Subject::Transfer(id))?;
                (links.tenant, links.owner)
            }
            Work::ExpireHold(id) => {
                let account = facts.hold(id).ok_or(Subject::Hold(id))?.account;
                let links = facts.account(account).ok_or(Subject::Account(account))?;
                (links.tenant, links.owner)
            }
            Work::RunBulk(id) => facts.bulk(id).ok_or(Subject::Bulk(id))?,
            Work::RunRule(id) => facts.rule(id).ok_or(Subject::Rule(id))?,
            Work::RunExecution(id) => {
                let links = facts.execution(id).ok_or(Subject::Execution(id))?;
                (links.tenant, links.owner)
            }
        };
        if of == tenant {
            self.wants.waiting.insert((owner, work));
        }
        Ok(())
    }
}
