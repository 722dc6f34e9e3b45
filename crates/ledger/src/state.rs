//! The state that decisions are made against, and the only way to change it.
//!
//! Phases: an effect is checked against the state, then applied; an effect that does not fit is
//! an [`Inconsistency`], never a silent repair. The writer treats one as a broken invariant and
//! stops, `verify` reports it, recovery refuses to start. Final transfers are not kept: memory is
//! bounded by accounts and by what is still open.

macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(Inconsistency(format!($($message)+)));
        }
    };
}

mod due;
mod rules;

use std::collections::HashMap;

use crate::account::{Account, AccountState, SystemKind};
use crate::bulk::{BULK_TRANSITIONS, Bulk, BulkStatus, OperationOutcome};
use crate::effect::{Due, Effect, Hold, Work};
use crate::execution::Execution;
use crate::id::{
    AccountId, BulkId, ExecutionId, HoldId, OwnerId, ProfileId, RuleId, TenantId, TransferId,
};
use crate::money::Currency;
use crate::posting::{Entry, Posting, Side};
use crate::profile::Profile;
use crate::rule::Rule;
use crate::rule::snapshot::{CapUsed, CapsUsed};
use crate::tenant::{Owner, Tenant, TenantClock, TenantMode};
use crate::time::Millis;
use crate::transfer::{Status, TRANSITIONS, Transfer};
use due::DueQueue;
use rules::Rules;

/// An effect that does not fit the state: our mistake or damaged data, never the user's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Inconsistency(pub String);

/// Everything a decision can look at.
#[derive(Clone, Default, Debug)]
pub struct State {
    tenants: HashMap<TenantId, Tenant>,
    owners: HashMap<OwnerId, Owner>,
    accounts: HashMap<AccountId, Account>,
    system: HashMap<(OwnerId, SystemKind, Currency), AccountId>,
    open: HashMap<TransferId, Transfer>,
    holds: HashMap<HoldId, Hold>,
    profiles: HashMap<ProfileId, Profile>,
    bulks: HashMap<BulkId, Bulk>,
    /// How many debit cards that are not closed spend from an account.
    linked: HashMap<AccountId, u32>,
    rules: Rules,
    /// What is on its way to an account over a rail, in minor units.
    arriving: HashMap<AccountId, i128>,
    due: DueQueue,
    last_id: u64,
}

impl State {
    /// The tenant with this id.
    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// The owner with this id.
    #[must_use]
    pub fn owner(&self, id: OwnerId) -> Option<&Owner> {
        self.owners.get(&id)
    }

    /// The account with this id, system accounts included.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// An owner's system account, once it exists.
    #[must_use]
    pub fn system_account(
        &self,
        owner: OwnerId,
        kind: SystemKind,
        currency: Currency,
    ) -> Option<&Account> {
        self.system
            .get(&(owner, kind, currency))
            .and_then(|id| self.accounts.get(id))
    }

    /// The transfer with this id, while it is open.
    #[must_use]
    pub fn open_transfer(&self, id: TransferId) -> Option<&Transfer> {
        self.open.get(&id)
    }

    /// The hold with this id, while it lasts.
    #[must_use]
    pub fn hold(&self, id: HoldId) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// The profile with this id.
    #[must_use]
    pub fn profile(&self, id: ProfileId) -> Option<&Profile> {
        self.profiles.get(&id)
    }

    /// The bulk with this id, while it has not ended.
    #[must_use]
    pub fn bulk(&self, id: BulkId) -> Option<&Bulk> {
        self.bulks.get(&id)
    }

    /// Every bulk that has not ended, in no particular order.
    pub fn bulks(&self) -> impl Iterator<Item = &Bulk> {
        self.bulks.values()
    }

    /// Every profile, in no particular order.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values()
    }

    /// The rule with this id.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// An owner's rules, oldest first.
    pub fn rules_of(&self, owner: OwnerId) -> impl Iterator<Item = &Rule> {
        self.rules.of_owner(owner)
    }

    /// Every rule, in no particular order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.all()
    }

    /// The rule that is on and waits for money on this account.
    #[must_use]
    pub fn rule_listening_on(&self, account: AccountId) -> Option<&Rule> {
        self.rules.listening_on(account)
    }

    /// What the caps of a rule have counted, by step and group; `None` when nothing was counted.
    #[must_use]
    pub fn caps_used(&self, rule: RuleId) -> Option<&CapsUsed> {
        self.rules.caps(rule)
    }

    /// The run with this id, while it is not over.
    #[must_use]
    pub fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.rules.execution(id)
    }

    /// Every run that is not over, in no particular order.
    pub fn executions(&self) -> impl Iterator<Item = &Execution> {
        self.rules.executions()
    }

    /// The run of a rule that somebody asked for and that has not been made.
    #[must_use]
    pub fn asked_execution(&self, rule: RuleId) -> Option<&Execution> {
        self.rules.asked(rule)
    }

    /// When a rule's next scheduled run is due.
    #[must_use]
    pub fn next_run(&self, rule: RuleId) -> Option<Millis> {
        self.rules.next_run(rule)
    }

    /// What is on its way to an account over a rail, in minor units.
    #[must_use]
    pub fn arriving(&self, account: AccountId) -> i64 {
        let minor = self.arriving.get(&account).copied().unwrap_or(0);
        i64::try_from(minor).unwrap_or(i64::MAX)
    }

    /// Whether a debit card that is not closed spends from this account.
    #[must_use]
    pub fn has_linked_cards(&self, account: AccountId) -> bool {
        self.linked.contains_key(&account)
    }

    /// Every account, in no particular order.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// Every open transfer, in no particular order.
    pub fn open_transfers(&self) -> impl Iterator<Item = &Transfer> {
        self.open.values()
    }

    /// Every tenant, in no particular order.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// Every owner, in no particular order.
    pub fn owners(&self) -> impl Iterator<Item = &Owner> {
        self.owners.values()
    }

    /// Every hold, in no particular order.
    pub fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.values()
    }

    /// How much work is waiting, due or not.
    #[must_use]
    pub fn due_len(&self) -> usize {
        self.due.len()
    }

    /// Whether this work is waiting.
    #[must_use]
    pub fn is_due(&self, due: &Due) -> bool {
        self.due.contains(due)
    }

    /// The work to do first when the machine's clock shows `machine`, if any is due by then.
    #[must_use]
    pub fn next_due(&self, machine: Millis) -> Option<Due> {
        self.due.next(machine)
    }

    /// The machine's time at which the next work becomes due; [`Millis::NEVER`] when none will.
    #[must_use]
    pub fn next_due_at(&self) -> Millis {
        self.due.next_at()
    }

    /// A tenant's waiting work, first due first.
    pub fn due_of(&self, tenant: TenantId) -> impl Iterator<Item = &Due> {
        self.due.of(tenant)
    }

    /// The greatest id seen in any effect.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Makes a copy of a state one to look ahead with: the tenant's time is the machine's, and it
    /// plays with simulated money. For states that are not kept.
    ///
    /// # Errors
    /// [`Inconsistency`] when there is no such tenant.
    pub fn rehearse(&mut self, tenant: TenantId) -> Result<(), Inconsistency> {
        let Some(known) = self.tenants.get_mut(&tenant) else {
            return Err(Inconsistency(format!("tenant {tenant} is unknown")));
        };
        known.mode = TenantMode::Sandbox;
        self.apply_clock(tenant, TenantClock::MACHINE)
    }

    /// Makes `id` known as issued, so that later ids are greater.
    pub fn observe_id(&mut self, id: u64) {
        self.last_id = self.last_id.max(id);
    }

    /// Changes the state by one effect.
    ///
    /// # Errors
    /// [`Inconsistency`] when the effect does not fit. The state is then not to be used further.
    pub fn apply(&mut self, effect: &Effect) -> Result<(), Inconsistency> {
        match effect {
            Effect::TenantCreated(tenant) => {
                let twin = self.tenants.insert(tenant.id, tenant.clone());
                ensure!(twin.is_none(), "tenant {} was made twice", tenant.id);
                self.observe_id(tenant.id.raw());
            }
            Effect::ClockSet { tenant, clock } => self.apply_clock(*tenant, *clock)?,
            Effect::OwnerCreated(owner) => {
                ensure!(
                    self.tenants.contains_key(&owner.tenant),
                    "owner {} lacks a tenant",
                    owner.id
                );
                let twin = self.owners.insert(owner.id, owner.clone());
                ensure!(twin.is_none(), "owner {} was made twice", owner.id);
                self.observe_id(owner.id.raw());
            }
            Effect::AccountOpened(account) => {
                ensure!(
                    account.balance == 0,
                    "account {} opens with money",
                    account.id
                );
                ensure!(
                    account.held == 0,
                    "account {} opens with a hold",
                    account.id
                );
                ensure!(
                    account.entries == 0,
                    "account {} opens with entries",
                    account.id
                );
                self.restore_account(account.clone())?;
            }
            Effect::AccountStateSet {
                account,
                state,
                reason,
                at,
            } => {
                let account = self.account_mut(*account)?;
                ensure!(
                    account.state != AccountState::Destroyed,
                    "account {} changes after it was closed",
                    account.id
                );
                account.state = *state;
                account.reason = *reason;
                account.updated_at = *at;
                if *state == AccountState::Destroyed
                    && let Some(parent) = account.parent
                {
                    self.unlink(parent);
                }
            }
            Effect::AccountChanged {
                account,
                name,
                tag,
                details,
                at,
            } => {
                let account = self.account_mut(*account)?;
                ensure!(
                    account.state != AccountState::Destroyed,
                    "account {} changes after it was closed",
                    account.id
                );
                account.name.clone_from(name);
                account.tag.clone_from(tag);
                account.details.clone_from(details);
                account.updated_at = *at;
            }
            Effect::ProfileSet(profile) => {
                ensure!(
                    self.tenants.contains_key(&profile.tenant),
                    "profile {} lacks a tenant",
                    profile.id
                );
                self.observe_id(profile.id.raw());
                if let Some(before) = self.profiles.insert(profile.id, profile.clone()) {
                    let same = before.tenant == profile.tenant
                        && before.terms.kind() == profile.terms.kind();
                    ensure!(same, "profile {} becomes another one", profile.id);
                }
            }
            Effect::TransferRecorded(transfer) => {
                if transfer.status.is_final() {
                    self.observe_id(transfer.id.raw());
                } else {
                    self.restore_open_transfer(transfer.clone())?;
                }
            }
            Effect::TransferMoved {
                transfer,
                from,
                to,
                error,
                at,
                ..
            } => {
                self.apply_move(*transfer, *from, *to, *error, *at)?;
            }
            Effect::Posted { posting, .. } => self.apply_posting(posting)?,
            Effect::HoldPlaced(hold) => {
                let account = self.account_mut(hold.account)?;
                account.held = account
                    .held
                    .checked_add(hold.amount.minor())
                    .ok_or_else(|| Inconsistency(format!("holds of {} overflow", account.id)))?;
                check_floor(account)?;
                self.restore_hold(*hold)?;
            }
            Effect::HoldReleased(id) => {
                let hold = self
                    .holds
                    .remove(id)
                    .ok_or_else(|| Inconsistency(format!("hold {id} is released but unknown")))?;
                let account = self.account_mut(hold.account)?;
                ensure!(
                    account.held >= hold.amount.minor(),
                    "account {} holds too little",
                    account.id
                );
                account.held = account.held.saturating_sub(hold.amount.minor());
            }
            Effect::BulkSubmitted(bulk) => self.restore_bulk(bulk.clone())?,
            Effect::BulkMoved {
                bulk,
                from,
                to,
                mode,
                at,
            } => self.apply_bulk_move(*bulk, (*from, *to), *mode, *at)?,
            Effect::BulkStepped {
                bulk,
                operation,
                outcome,
            } => self.apply_bulk_step(*bulk, *operation, *outcome)?,
            Effect::RuleSet(rule) => self.restore_rule(rule)?,
            Effect::RuleDeleted { rule, .. } => self.rules.delete(*rule)?,
            Effect::CapCounted {
                rule,
                step,
                group,
                used,
            } => self.restore_cap(*rule, (*step, *group), *used)?,
            Effect::ExecutionRecorded(execution) => self.restore_execution(execution.clone())?,
            Effect::ExecutionMoved {
                execution,
                step,
                at,
            } => self.rules.step(*execution, step, *at)?,
            Effect::DueAdded(due) => self.restore_due(*due)?,
            Effect::DueRemoved(due) => {
                ensure!(
                    self.due.remove(due),
                    "work that was not waiting is removed: {due:?}"
                );
                if let Work::RunRule(rule) = due.work {
                    self.rules.set_next_run(rule, None);
                }
            }
        }
        Ok(())
    }

    /// Puts back a tenant that was saved.
    ///
    /// # Errors
    /// [`Inconsistency`] when it is there already.
    pub fn restore_tenant(&mut self, tenant: Tenant) -> Result<(), Inconsistency> {
        self.apply(&Effect::TenantCreated(tenant))
    }

    /// Makes room for this many more accounts, for who is about to restore them.
    pub fn reserve_accounts(&mut self, accounts: usize) {
        self.accounts.reserve(accounts);
    }

    /// Puts back an account that was saved, with its balance.
    ///
    /// # Errors
    /// [`Inconsistency`] when it is there already or its owner is not.
    pub fn restore_account(&mut self, account: Account) -> Result<(), Inconsistency> {
        ensure!(
            self.owners.contains_key(&account.owner),
            "account {} lacks an owner",
            account.id
        );
        if let crate::account::AccountKind::System(kind) = account.kind {
            let key = (account.owner, kind, account.currency);
            let twin = self.system.insert(key, account.id);
            ensure!(twin.is_none(), "owner {} has {kind:?} twice", account.owner);
        }
        self.observe_id(account.id.raw());
        if let Some(parent) = account
            .parent
            .filter(|_| account.state != AccountState::Destroyed)
        {
            let cards = self.linked.entry(parent).or_default();
            *cards = cards.saturating_add(1);
        }
        let id = account.id;
        let twin = self.accounts.insert(id, account);
        ensure!(twin.is_none(), "account {id} was opened twice");
        Ok(())
    }

    /// Puts back a bulk that had not ended when it was saved.
    ///
    /// # Errors
    /// [`Inconsistency`] when it is there already or has ended.
    pub fn restore_bulk(&mut self, bulk: Bulk) -> Result<(), Inconsistency> {
        ensure!(!bulk.status.is_final(), "bulk {} has ended", bulk.id);
        self.observe_id(bulk.id.raw());
        let id = bulk.id;
        let twin = self.bulks.insert(id, bulk);
        ensure!(twin.is_none(), "bulk {id} was handed in twice");
        Ok(())
    }

    /// Puts back a transfer that was open when it was saved.
    ///
    /// # Errors
    /// [`Inconsistency`] when it is there already or has ended.
    pub fn restore_open_transfer(&mut self, transfer: Transfer) -> Result<(), Inconsistency> {
        ensure!(
            !transfer.status.is_final(),
            "transfer {} has ended",
            transfer.id
        );
        self.observe_id(transfer.id.raw());
        let id = transfer.id;
        self.arrive(&transfer, Arrival::Begins);
        let twin = self.open.insert(id, transfer);
        ensure!(twin.is_none(), "transfer {id} was recorded twice");
        Ok(())
    }

    /// Puts back a hold that was saved; its account's `held` already counts it.
    ///
    /// # Errors
    /// [`Inconsistency`] when it is there already.
    pub fn restore_hold(&mut self, hold: Hold) -> Result<(), Inconsistency> {
        self.observe_id(hold.id.raw());
        let twin = self.holds.insert(hold.id, hold);
        ensure!(twin.is_none(), "hold {} was placed twice", hold.id);
        Ok(())
    }

    /// Puts back work that was waiting.
    ///
    /// # Errors
    /// [`Inconsistency`] when it waits already or its tenant is unknown.
    pub fn restore_due(&mut self, due: Due) -> Result<(), Inconsistency> {
        let Some(tenant) = self.tenants.get(&due.tenant) else {
            return Err(Inconsistency(format!(
                "work of unknown tenant {}",
                due.tenant
            )));
        };
        ensure!(
            self.due.insert(due, tenant.clock),
            "work was added twice: {due:?}"
        );
        if let Work::RunRule(rule) = due.work {
            self.rules.set_next_run(rule, Some(due.at));
        }
        Ok(())
    }

    /// Puts back a rule that was saved.
    ///
    /// # Errors
    /// [`Inconsistency`] when its owner is not there, it was another one before, or another rule
    /// that is on waits for money on the same account.
    pub fn restore_rule(&mut self, rule: &Rule) -> Result<(), Inconsistency> {
        ensure!(
            self.owners.contains_key(&rule.owner),
            "rule {} lacks an owner",
            rule.id
        );
        self.observe_id(rule.id.raw());
        self.rules.set(rule)
    }

    /// Puts back what a cap of a rule has counted, by step and group.
    ///
    /// # Errors
    /// [`Inconsistency`] when the rule is not there or more was counted before.
    pub fn restore_cap(
        &mut self,
        rule: RuleId,
        place: (u16, u32),
        used: CapUsed,
    ) -> Result<(), Inconsistency> {
        self.rules.count(rule, place, used)
    }

    /// Puts back a run that was not over when it was saved.
    ///
    /// # Errors
    /// [`Inconsistency`] when it is there already, is over, or is the second one that somebody
    /// asked for.
    pub fn restore_execution(&mut self, execution: Execution) -> Result<(), Inconsistency> {
        ensure!(
            self.owners.contains_key(&execution.owner),
            "run {} lacks an owner",
            execution.id
        );
        self.observe_id(execution.id.raw());
        self.rules.record(execution)
    }

    /// Counts what is on its way: over a rail, or made by a rule and waiting for approval.
    fn arrive(&mut self, transfer: &Transfer, arrival: Arrival) {
        let on_its_way = transfer.rail.is_some() || transfer.rule.is_some();
        let Some(account) = transfer.destination.filter(|_| on_its_way) else {
            return;
        };
        let minor = i128::from(transfer.amount.minor());
        let sum = self.arriving.entry(account).or_default();
        *sum = match arrival {
            Arrival::Begins => sum.saturating_add(minor),
            Arrival::Ends => sum.saturating_sub(minor),
        };
        if *sum == 0 {
            self.arriving.remove(&account);
        }
    }

    fn account_mut(&mut self, id: AccountId) -> Result<&mut Account, Inconsistency> {
        self.accounts
            .get_mut(&id)
            .ok_or_else(|| Inconsistency(format!("account {id} is unknown")))
    }

    fn unlink(&mut self, parent: AccountId) {
        if let Some(cards) = self.linked.get_mut(&parent) {
            *cards = cards.saturating_sub(1);
            if *cards == 0 {
                self.linked.remove(&parent);
            }
        }
    }

    fn bulk_mut(&mut self, id: BulkId) -> Result<&mut Bulk, Inconsistency> {
        self.bulks
            .get_mut(&id)
            .ok_or_else(|| Inconsistency(format!("bulk {id} is unknown or has ended")))
    }

    fn apply_bulk_move(
        &mut self,
        id: BulkId,
        (from, to): (BulkStatus, BulkStatus),
        mode: Option<crate::bulk::BulkMode>,
        at: Millis,
    ) -> Result<(), Inconsistency> {
        ensure!(
            BULK_TRANSITIONS.contains(&(from, to)),
            "bulk {id} cannot go from {from:?} to {to:?}"
        );
        let bulk = self.bulk_mut(id)?;
        ensure!(
            bulk.status == from,
            "bulk {id} is {:?}, not {from:?}",
            bulk.status
        );
        bulk.moved(to, mode, at);
        if to.is_final() {
            self.bulks.remove(&id);
        }
        Ok(())
    }

    fn apply_bulk_step(
        &mut self,
        id: BulkId,
        operation: u32,
        outcome: OperationOutcome,
    ) -> Result<(), Inconsistency> {
        let bulk = self.bulk_mut(id)?;
        ensure!(
            bulk.status == BulkStatus::Running,
            "bulk {id} does an operation while {:?}",
            bulk.status
        );
        ensure!(
            usize::try_from(operation) == Ok(bulk.next()),
            "bulk {id} does operation {operation} out of turn"
        );
        ensure!(
            bulk.next() < bulk.operations.len(),
            "bulk {id} does more than it has"
        );
        bulk.stepped(outcome);
        Ok(())
    }

    fn apply_clock(&mut self, id: TenantId, clock: TenantClock) -> Result<(), Inconsistency> {
        let Some(tenant) = self.tenants.get_mut(&id) else {
            return Err(Inconsistency(format!("tenant {id} is unknown")));
        };
        tenant.clock = clock;
        self.due.set_clock(id, clock);
        Ok(())
    }

    fn apply_move(
        &mut self,
        id: TransferId,
        from: Status,
        to: Status,
        error: Option<crate::transfer::ErrorCode>,
        at: Millis,
    ) -> Result<(), Inconsistency> {
        let known = TRANSITIONS.iter().any(|(a, _, b)| *a == from && *b == to);
        ensure!(known, "transfer {id} cannot go from {from:?} to {to:?}");
        let Some(transfer) = self.open.get_mut(&id) else {
            return Err(Inconsistency(format!(
                "transfer {id} moves but is not open"
            )));
        };
        ensure!(
            transfer.status == from,
            "transfer {id} is {:?}, not {from:?}",
            transfer.status
        );
        if to.is_final() {
            if let Some(ended) = self.open.remove(&id) {
                self.arrive(&ended, Arrival::Ends);
            }
        } else {
            transfer.status = to;
            transfer.error = error;
            transfer.updated_at = at;
        }
        Ok(())
    }

    fn apply_posting(&mut self, posting: &Posting) -> Result<(), Inconsistency> {
        let net: i128 = posting.entries().iter().map(signed).sum();
        ensure!(net == 0, "a posting is off balance by {net}");
        let mut owner = None;
        for entry in posting.entries() {
            let account = self.account_mut(entry.account)?;
            ensure!(
                account.entries.checked_add(1) == Some(entry.sequence),
                "account {} has {} entries, the next is numbered {}",
                account.id,
                account.entries,
                entry.sequence
            );
            ensure!(
                account.currency == entry.amount.currency(),
                "account {} is not in {}",
                account.id,
                entry.amount.currency()
            );
            let after = i128::from(account.balance).saturating_add(signed(entry));
            ensure!(
                after == i128::from(entry.balance_after),
                "account {} would have {after}, its entry {} says {}",
                account.id,
                entry.sequence,
                entry.balance_after
            );
            ensure!(
                *owner.get_or_insert(account.owner) == account.owner,
                "a posting crosses owners"
            );
            account.balance = entry.balance_after;
            account.entries = entry.sequence;
            if entry.side == Side::Debit {
                check_floor(account)?;
            }
        }
        Ok(())
    }
}

/// Whether a transfer begins or ends to be on its way.
#[derive(Clone, Copy)]
enum Arrival {
    Begins,
    Ends,
}

fn signed(entry: &Entry) -> i128 {
    let minor = i128::from(entry.amount.minor());
    match entry.side {
        Side::Debit => minor.saturating_neg(),
        Side::Credit => minor,
    }
}

fn check_floor(account: &Account) -> Result<(), Inconsistency> {
    if let Some(floor) = account.kind.floor() {
        ensure!(
            account.available() >= floor,
            "account {} would have {} available, its floor is {floor}",
            account.id,
            account.available()
        );
    }
    Ok(())
}
