//! The ledger as one would explain it: a few maps, no postings, no effects, no indexes.
//!
//! Written from the design, the dialects' documents and the documented order of refusals, not
//! from the ledger's code, so that the two can be compared step by step. Slow and plain on
//! purpose: every question is answered by looking at everything. Ids are not made here; the
//! ledger's are handed in.

mod accounts;
mod bulks;
pub mod due;
mod fees;
mod outside;
mod profile_transfers;
mod profiles;
mod rail;
mod rules;
mod runs;

use std::collections::BTreeMap;

use ledger::{
    AccountId, AccountKind, AccountState, BulkId, BulkMode, BulkStatus, Command, Currency,
    ErrorCode, ExecutionId, HoldId, Millis, OwnerId, ProfileId, RuleId, StateReason, Status,
    TenantClock, TenantId, TenantMode, Terms, TransferId, TransferOrder,
};

use due::Made;
pub use rules::KnownRule;
pub use runs::Run;

/// A tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Whether its money is play money and its clock its user's.
    pub sandbox: bool,
    /// Its time.
    pub clock: TenantClock,
}

/// An account that a customer sees.
#[derive(Clone, Debug)]
pub struct Account {
    /// Whose it is.
    pub tenant: TenantId,
    /// Whose it is among the tenant's owners.
    pub owner: OwnerId,
    /// What it is.
    pub kind: AccountKind,
    /// In what it is counted.
    pub currency: Currency,
    /// Whether it is in use.
    pub state: AccountState,
    /// Why it is not.
    pub reason: Option<StateReason>,
    /// Whether a transfer may take from it and put into it.
    pub roles: (bool, bool),
    /// What it was opened under.
    pub profile: Option<ProfileId>,
    /// What a debit card spends from.
    pub parent: Option<AccountId>,
    /// What it is called: name, tag and details.
    pub texts: (String, Option<String>, Option<String>),
    /// What is on it. Wider than the ledger's, so that nothing here can overflow.
    pub balance: i128,
}

/// A transfer, ended or not.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Whose it is.
    pub tenant: TenantId,
    /// Whose it is among the tenant's owners.
    pub owner: OwnerId,
    /// Where from.
    pub source: Option<AccountId>,
    /// Where to.
    pub destination: Option<AccountId>,
    /// Minor units.
    pub minor: i128,
    /// Of what.
    pub currency: Currency,
    /// How long the rail takes.
    pub delay_ms: i64,
    /// Where it stands.
    pub status: Status,
    /// Why it ended badly.
    pub error: Option<ErrorCode>,
    /// When it takes its next step, by the tenant's clock; `None` once it has ended.
    pub next: Option<Millis>,
    /// When it was completed.
    pub completed_at: Option<Millis>,
    /// What was ordered, for a transfer under a profile.
    pub order: Option<TransferOrder>,
    /// What was taken besides, or kept of a deposit.
    pub fee: i128,
    /// Why it was called off.
    pub cancel_reason: Option<String>,
    /// The card that paid or was paid back.
    pub card: Option<AccountId>,
    /// The run of a rule that made it.
    pub run: Option<ExecutionId>,
}

/// Reserved money.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Whose it is.
    pub tenant: TenantId,
    /// On what account.
    pub account: AccountId,
    /// Minor units.
    pub minor: i128,
    /// When it ends by itself.
    pub expires_at: Option<Millis>,
}

/// Terms with a switch.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is called.
    pub name: String,
    /// Whether something new may be made under it.
    pub active: bool,
    /// The currencies it is for; all when there are none.
    pub currencies: Vec<Currency>,
    /// What it says.
    pub terms: Terms,
}

/// What became of an operation: its transfer with its first status, or why there is none.
pub type Outcome = Result<(TransferId, Status), Refusal>;

/// A bulk, ended or not.
#[derive(Clone, Debug)]
pub struct Bulk {
    /// Whose it is.
    pub tenant: TenantId,
    /// Whose it is among the tenant's owners.
    pub owner: OwnerId,
    /// What is to be done.
    pub orders: Vec<TransferOrder>,
    /// Where it stands.
    pub status: BulkStatus,
    /// What a failure means.
    pub mode: Option<BulkMode>,
    /// What became of the first operations.
    pub outcomes: Vec<Outcome>,
    /// When the next operation is done; `None` unless it runs.
    pub turn: Option<Millis>,
    /// When it was first run.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
}

/// Everything there is.
#[derive(Clone, Default, Debug)]
pub struct Model {
    /// Tenants by id; the same for what follows.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// Which tenant each owner belongs to.
    pub owners: BTreeMap<OwnerId, TenantId>,
    /// Accounts.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Transfers, ended ones too.
    pub transfers: BTreeMap<TransferId, Transfer>,
    /// Holds that last.
    pub holds: BTreeMap<HoldId, Hold>,
    /// Profiles.
    pub profiles: BTreeMap<ProfileId, Profile>,
    /// Bulks, ended ones too.
    pub bulks: BTreeMap<BulkId, Bulk>,
    /// Rules, those that are off too.
    pub rules: BTreeMap<RuleId, KnownRule>,
    /// Runs of rules, those that are over too.
    pub runs: BTreeMap<ExecutionId, Run>,
    /// What the world has (less than zero: has given) per owner and currency.
    pub world: BTreeMap<(OwnerId, Currency), i128>,
    /// What left an account and has not arrived, per owner and currency.
    pub transit: BTreeMap<(OwnerId, Currency), i128>,
    /// What was taken in fees, per owner and currency.
    pub fees: BTreeMap<(OwnerId, Currency), i128>,
}

/// The code of a refusal.
pub type Refusal = &'static str;

fn refuse_when(bad: bool, code: Refusal) -> Result<(), Refusal> {
    if bad { Err(code) } else { Ok(()) }
}

fn fits(balance: i128) -> bool {
    i64::try_from(balance).is_ok()
}

/// Whether an account's money is here.
fn is_held(kind: AccountKind) -> bool {
    matches!(
        kind,
        AccountKind::IncomeSource | AccountKind::Pod | AccountKind::PrepaidCard
    )
}

fn is_text(text: &str, at_least: usize, at_most: usize) -> bool {
    let length = text.chars().count();
    let blank = at_least > 0 && text.trim().is_empty();
    (at_least..=at_most).contains(&length) && !blank && !text.chars().any(char::is_control)
}

fn is_note(note: Option<&str>) -> bool {
    note.is_none_or(|note| is_text(note, 0, 255))
}

fn is_tag(tag: Option<&str>) -> bool {
    tag.is_none_or(|tag| is_text(tag, 1, 50))
}

impl Model {
    /// Does what the command asks at machine time `machine`, or says why not. `id` is that of
    /// the one thing the command makes, if the ledger made it, and `made` has what else it made.
    ///
    /// # Errors
    /// The code of the refusal.
    ///
    /// # Panics
    /// When something is made here for which the ledger has no id: they disagree.
    pub fn run(
        &mut self,
        command: &Command,
        machine: Millis,
        id: Option<u64>,
        made: &Made,
    ) -> Result<(), Refusal> {
        let id = || id.expect("the ledger refused what the model makes");
        match command {
            Command::CreateTenant { name, mode } => {
                refuse_when(!is_text(name, 1, 100), "invalid_parameters")?;
                let sandbox = *mode == TenantMode::Sandbox;
                let clock = TenantClock::Running { offset_ms: 0 };
                self.tenants
                    .insert(TenantId::new(id()), Tenant { sandbox, clock });
                Ok(())
            }
            Command::SetClock { tenant, clock } => self.set_clock(*tenant, *clock, machine),
            Command::MoveClock {
                tenant,
                advance_ms,
                frozen,
            } => self.move_clock(*tenant, *advance_ms, *frozen, machine),
            Command::ClockToNextDue { tenant } => self.clock_to_next_due(*tenant, machine),
            Command::CreateOwner { tenant, name, .. } => {
                self.tenant(*tenant)?;
                refuse_when(!is_text(name, 1, 100), "invalid_parameters")?;
                self.owners.insert(OwnerId::new(id()), *tenant);
                Ok(())
            }
            Command::OpenAccount(open) => self.open_account(open, id),
            Command::OpenInstrument(open) => self.open_instrument(open, id),
            Command::ChangeAccount(change) => self.change_account(change),
            Command::SetAccountState {
                tenant,
                owner,
                account,
                reason,
                state,
            } => self.set_state((*tenant, *owner), *account, (*state, *reason)),
            Command::DeleteAccount { tenant, account } => self.delete_account(*tenant, *account),
            Command::CreateTransfer(create) => self.create_transfer(create, machine, id),
            Command::CreateProfile(new) => self.create_profile(new, id),
            Command::ChangeProfile(change) => self.change_profile(change),
            Command::Transfer(transfer) => {
                let now = self.now(transfer.tenant, machine)?;
                let by = (transfer.tenant, transfer.owner);
                self.order(by, &transfer.order, now, || TransferId::new(id()), made)?;
                Ok(())
            }
            Command::CancelTransfer {
                tenant,
                owner,
                transfer,
                reason,
            } => self.cancel((*tenant, *owner), *transfer, reason.as_deref()),
            Command::SubmitBulk {
                tenant,
                owner,
                operations,
                ..
            } => self.submit_bulk((*tenant, *owner), operations, id),
            Command::SteerBulk {
                tenant,
                owner,
                bulk,
                steer,
            } => self.steer_bulk((*tenant, *owner), *bulk, *steer, machine),
            Command::MoneyIn(money) => self.money_in(money, machine, id, made),
            Command::MoneyOut(money) => self.money_out(money, machine, id),
            Command::ReturnTransfer {
                tenant,
                transfer,
                code,
            } => self.give_back(*tenant, *transfer, *code),
            Command::DecideApproval {
                tenant,
                owner,
                transfer,
                approved,
                reason,
            } => {
                let said = (*approved, reason.as_deref());
                self.decide_approval((*tenant, *owner), *transfer, said, machine)
            }
            Command::SetRuleApproval {
                tenant,
                owner,
                rule,
                above_minor,
            } => self.set_rule_approval((*tenant, *owner), *rule, *above_minor),
            Command::PlaceHold(place) => self.place_hold(place, machine, id),
            Command::ReleaseHold { tenant, hold } => {
                self.tenant(*tenant)?;
                let known = self.holds.get(hold).is_some_and(|h| h.tenant == *tenant);
                refuse_when(!known, "hold_not_found")?;
                self.holds.remove(hold);
                Ok(())
            }
            Command::CreateRule(new) => self.create_rule(new, id, made),
            Command::ChangeRule(change) => self.change_rule(change, made),
            Command::DeleteRule {
                tenant,
                owner,
                rule,
            } => self.delete_rule(*tenant, *owner, *rule),
            Command::SwitchRule {
                tenant,
                owner,
                rule,
                enabled,
            } => self.switch_rule((*tenant, *owner), *rule, *enabled, machine),
            Command::TriggerRule(trigger) => self.trigger_rule(trigger, machine, id),
            Command::AnswerAmounts {
                tenant,
                execution,
                answers,
            } => self.answer_amounts(*tenant, *execution, answers, machine, made),
            // One piece of work by itself: see `run_due`.
            Command::RunDue(_) => Ok(()),
        }
    }

    /// What an account may spend: what is on it less what is held.
    #[must_use]
    pub fn available(&self, id: AccountId) -> i128 {
        self.accounts[&id].balance - self.held(id)
    }

    /// What is held on an account.
    #[must_use]
    pub fn held(&self, id: AccountId) -> i128 {
        let of_account = self.holds.values().filter(|hold| hold.account == id);
        of_account.map(|hold| hold.minor).sum()
    }

    /// The sum of everything in one currency. Always zero.
    #[must_use]
    pub fn total(&self, currency: Currency) -> i128 {
        let accounts = self.accounts.values().filter(|a| a.currency == currency);
        let pots = self.world.iter().chain(&self.transit).chain(&self.fees);
        let outside = pots.filter(|((_, of), _)| *of == currency);
        accounts.map(|a| a.balance).sum::<i128>() + outside.map(|(_, sum)| sum).sum::<i128>()
    }

    fn tenant(&self, id: TenantId) -> Result<&Tenant, Refusal> {
        self.tenants.get(&id).ok_or("tenant_not_found")
    }

    fn sandbox(&self, id: TenantId) -> Result<&Tenant, Refusal> {
        let tenant = self.tenant(id)?;
        refuse_when(!tenant.sandbox, "sandbox_only")?;
        Ok(tenant)
    }

    fn now(&self, id: TenantId, machine: Millis) -> Result<Millis, Refusal> {
        Ok(due::time(self.tenant(id)?.clock, machine))
    }

    fn identity(&self, tenant: TenantId, owner: OwnerId) -> Result<(), Refusal> {
        self.tenant(tenant)?;
        let known = self.owners.get(&owner) == Some(&tenant);
        refuse_when(!known, "owner_not_found")
    }

    fn account(&self, tenant: TenantId, id: AccountId, code: Refusal) -> Result<&Account, Refusal> {
        let account = self.accounts.get(&id).ok_or(code)?;
        refuse_when(account.tenant != tenant, code)?;
        Ok(account)
    }

    fn add(&mut self, id: AccountId, minor: i128) {
        let account = self.accounts.get_mut(&id).expect("it exists");
        account.balance += minor;
        assert!(fits(account.balance) && account.balance >= 0);
    }
}
