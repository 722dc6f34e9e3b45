//! The ledger as one would explain it: a few maps, no postings, no effects, no indexes.
//!
//! Written from the design and the documented order of refusals, not from the ledger's code, so
//! that the two can be compared step by step. Slow and plain on purpose: every question is
//! answered by looking at everything. Ids are not made here; the ledger's are handed in.

use std::collections::BTreeMap;

use ledger::{
    AccountId, AccountKind, AccountState, Command, Currency, ErrorCode, ExternalKind, HoldId,
    Millis, OwnerId, Status, TenantClock, TenantId, TenantMode, TransferId,
};

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
    /// Whether a transfer may take from it and put into it.
    pub roles: (bool, bool),
    /// What is on it. Wider than the ledger's, so that nothing here can overflow.
    pub balance: i128,
}

/// A transfer, ended or not.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Whose it is.
    pub tenant: TenantId,
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
    /// What the world has (less than zero: has given) per owner and currency.
    pub world: BTreeMap<(OwnerId, Currency), i128>,
    /// What left an account and has not arrived, per owner and currency.
    pub transit: BTreeMap<(OwnerId, Currency), i128>,
}

/// The code of a refusal.
pub type Refusal = &'static str;

fn refuse_when(bad: bool, code: Refusal) -> Result<(), Refusal> {
    if bad { Err(code) } else { Ok(()) }
}

fn fits(balance: i128) -> bool {
    i64::try_from(balance).is_ok()
}

fn is_held(kind: AccountKind) -> bool {
    matches!(kind, AccountKind::IncomeSource | AccountKind::Pod)
}

fn is_text(text: &str, at_least: usize, at_most: usize) -> bool {
    let length = text.chars().count();
    let blank = at_least > 0 && text.trim().is_empty();
    (at_least..=at_most).contains(&length) && !blank && !text.chars().any(char::is_control)
}

fn is_note(note: Option<&str>) -> bool {
    note.is_none_or(|note| is_text(note, 0, 255))
}

fn are_digits(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.len() == 4 && text.chars().all(|c| c.is_ascii_digit()))
}

impl Model {
    /// Does what the command asks at machine time `machine`, or says why not. `id` is that of
    /// the one thing the command makes, if the ledger made it.
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
    ) -> Result<(), Refusal> {
        let id = || id.expect("the ledger refused what the model makes");
        match command {
            Command::CreateTenant { name, mode } => {
                refuse_when(!is_text(name, 1, 100), "invalid_parameters")?;
                let sandbox = *mode == TenantMode::Sandbox;
                let clock = TenantClock::Running { offset_ms: 0 };
                self.tenants
                    .insert(TenantId::new(id()), Tenant { sandbox, clock });
            }
            Command::SetClock { tenant, clock } => self.set_clock(*tenant, *clock, machine)?,
            Command::MoveClock {
                tenant,
                advance_ms,
                frozen,
            } => self.move_clock(*tenant, *advance_ms, *frozen, machine)?,
            Command::ClockToNextDue { tenant } => {
                self.sandbox(*tenant)?;
                let next = self.next_due_of(*tenant).ok_or("nothing_due")?;
                let wait_ms = (next.0 - self.now(*tenant, machine)?.0).max(0);
                self.move_clock(*tenant, wait_ms, None, machine)?;
            }
            Command::CreateOwner { tenant, name, .. } => {
                self.tenant(*tenant)?;
                refuse_when(!is_text(name, 1, 100), "invalid_parameters")?;
                self.owners.insert(OwnerId::new(id()), *tenant);
            }
            Command::OpenAccount(open) => {
                self.tenant(open.tenant)?;
                let owner = self.owners.get(&open.owner);
                refuse_when(owner != Some(&open.tenant), "owner_not_found")?;
                let external = matches!(open.kind, AccountKind::External(_));
                let pays_in_only =
                    external && open.kind != AccountKind::External(ExternalKind::Depository);
                let valid = !matches!(open.kind, AccountKind::System(_))
                    && is_text(&open.name, 1, 100)
                    && is_note(open.description.as_deref())
                    && open
                        .institution
                        .as_deref()
                        .is_none_or(|name| is_text(name, 1, 100))
                    && are_digits(open.number_last_four.as_deref())
                    && are_digits(open.routing_last_four.as_deref())
                    && (external || open.reported == ledger::account::Reported::default())
                    && !(open.can_be_source == Some(true) && pays_in_only);
                refuse_when(!valid, "invalid_parameters")?;
                let usual = match open.kind {
                    AccountKind::IncomeSource => (true, false),
                    _ => (!pays_in_only, true),
                };
                let account = Account {
                    tenant: open.tenant,
                    owner: open.owner,
                    kind: open.kind,
                    currency: open.currency,
                    state: AccountState::Active,
                    roles: (
                        open.can_be_source.unwrap_or(usual.0),
                        open.can_be_destination.unwrap_or(usual.1),
                    ),
                    balance: 0,
                };
                self.accounts.insert(AccountId::new(id()), account);
            }
            Command::SetAccountState {
                tenant,
                account,
                state,
            } => self.set_state(*tenant, *account, *state)?,
            Command::CreateTransfer(create) => self.create_transfer(create, machine, id)?,
            Command::MoneyIn(money) => {
                self.sandbox(money.tenant)?;
                let to = money.destination;
                let account = self.account(money.tenant, to, "transfer_destination_not_found")?;
                refuse_when(!is_held(account.kind), "destination_not_allowed")?;
                let active = account.state == AccountState::Active;
                refuse_when(!active, "destination_not_active")?;
                let note = money.description.as_deref();
                refuse_when(!is_note(note), "invalid_parameters")?;
                let currency = money.amount.currency();
                refuse_when(account.currency != currency, "currency_mismatch")?;
                let minor = i128::from(money.amount.minor());
                let world = self.world.get(&(account.owner, currency)).unwrap_or(&0);
                let possible = fits(account.balance + minor) && fits(world - minor);
                refuse_when(!possible, "balance_overflow")?;
                self.arrive_from_world(to, minor);
                self.record_done(id(), money.tenant, None, Some(to), minor, currency, machine);
            }
            Command::MoneyOut(money) => {
                self.sandbox(money.tenant)?;
                let from = money.source;
                let account = self.account(money.tenant, from, "transfer_source_not_found")?;
                refuse_when(!is_held(account.kind), "source_not_allowed")?;
                let active = account.state == AccountState::Active;
                refuse_when(!active, "source_not_active")?;
                let currency = money.amount.currency();
                let minor = i128::from(money.amount.minor());
                let mismatch = account.currency != currency;
                // Another currency is never enough nor too little: that is said further down.
                let lacking = !mismatch && self.available(from) < minor;
                refuse_when(lacking, "insufficient_funds")?;
                let note = money.description.as_deref();
                refuse_when(!is_note(note), "invalid_parameters")?;
                refuse_when(mismatch, "currency_mismatch")?;
                self.add(from, -minor);
                let owner = self.accounts[&from].owner;
                *self.world.entry((owner, currency)).or_default() += minor;
                self.record_done(
                    id(),
                    money.tenant,
                    Some(from),
                    None,
                    minor,
                    currency,
                    machine,
                );
            }
            Command::ReturnTransfer {
                tenant,
                transfer,
                code,
            } => self.give_back(*tenant, *transfer, *code)?,
            Command::PlaceHold(place) => {
                let now = self.now(place.tenant, machine)?;
                let account = self.account(place.tenant, place.account, "account_not_found")?;
                refuse_when(!is_held(account.kind), "source_not_allowed")?;
                let active = account.state == AccountState::Active;
                refuse_when(!active, "source_not_active")?;
                let currency = place.amount.currency();
                refuse_when(account.currency != currency, "currency_mismatch")?;
                let past = place.expires_at.is_some_and(|at| at <= now);
                refuse_when(past, "invalid_parameters")?;
                let minor = i128::from(place.amount.minor());
                let lacking = self.available(place.account) < minor;
                refuse_when(lacking, "insufficient_funds")?;
                let hold = Hold {
                    tenant: place.tenant,
                    account: place.account,
                    minor,
                    expires_at: place.expires_at,
                };
                self.holds.insert(HoldId::new(id()), hold);
            }
            Command::ReleaseHold { tenant, hold } => {
                self.tenant(*tenant)?;
                let known = self.holds.get(hold).is_some_and(|h| h.tenant == *tenant);
                refuse_when(!known, "hold_not_found")?;
                self.holds.remove(hold);
            }
            // One piece of work by itself: see `run_due`.
            Command::RunDue(_) => {}
        }
        Ok(())
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

    /// How many steps of transfers and ends of holds are still to come.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let steps = self.transfers.values().filter(|t| t.next.is_some());
        let ends = self.holds.values().filter(|hold| hold.expires_at.is_some());
        steps.count() + ends.count()
    }

    /// The sum of everything in one currency. Always zero.
    #[must_use]
    pub fn total(&self, currency: Currency) -> i128 {
        let accounts = self.accounts.values().filter(|a| a.currency == currency);
        let pots = self.world.iter().chain(&self.transit);
        let outside = pots.filter(|((_, of), _)| *of == currency);
        accounts.map(|a| a.balance).sum::<i128>() + outside.map(|(_, sum)| sum).sum::<i128>()
    }

    /// Does everything that is due at machine time `machine`, each tenant's in the order of time.
    pub fn run_due(&mut self, machine: Millis) {
        let tenants: Vec<TenantId> = self.tenants.keys().copied().collect();
        for tenant in tenants {
            while self.run_first_due(tenant, machine) {}
        }
    }

    /// Transfers go before holds, and older before newer, when their time is the same.
    fn run_first_due(&mut self, tenant: TenantId, machine: Millis) -> bool {
        let steps = self.transfers.iter().filter(|(_, t)| t.tenant == tenant);
        let step = steps.filter_map(|(id, t)| Some((t.next?, *id))).min();
        let ends = self.holds.iter().filter(|(_, hold)| hold.tenant == tenant);
        let end = ends
            .filter_map(|(id, hold)| Some((hold.expires_at?, *id)))
            .min();
        let now = self.now(tenant, machine).expect("it exists");
        match (step, end) {
            (Some((at, id)), end) if end.is_none_or(|(end, _)| at <= end) && at <= now => {
                let sandbox = self.tenants[&tenant].sandbox;
                self.take_step(id, if sandbox { at } else { now });
                true
            }
            (_, Some((at, id))) if step.is_none_or(|(step, _)| at < step) && at <= now => {
                self.holds.remove(&id);
                true
            }
            _ => false,
        }
    }

    /// When the tenant's next work is due, by its own clock.
    fn next_due_of(&self, tenant: TenantId) -> Option<Millis> {
        let steps = self.transfers.values().filter(|t| t.tenant == tenant);
        let ends = self.holds.values().filter(|hold| hold.tenant == tenant);
        let steps = steps.filter_map(|t| t.next);
        steps.chain(ends.filter_map(|hold| hold.expires_at)).min()
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
        Ok(time(self.tenant(id)?.clock, machine))
    }

    fn account(&self, tenant: TenantId, id: AccountId, code: Refusal) -> Result<&Account, Refusal> {
        let account = self.accounts.get(&id).ok_or(code)?;
        refuse_when(account.tenant != tenant, code)?;
        Ok(account)
    }

    fn set_clock(
        &mut self,
        id: TenantId,
        clock: TenantClock,
        machine: Millis,
    ) -> Result<(), Refusal> {
        let tenant = self.sandbox(id)?;
        let back = time(clock, machine) < time(tenant.clock, machine);
        let empty = !self.accounts.values().any(|account| account.tenant == id);
        let untouched = empty && tenant.clock == TenantClock::Running { offset_ms: 0 };
        refuse_when(back && !untouched, "clock_backwards")?;
        self.tenants.get_mut(&id).expect("found above").clock = clock;
        Ok(())
    }

    fn move_clock(
        &mut self,
        id: TenantId,
        advance_ms: i64,
        frozen: Option<bool>,
        machine: Millis,
    ) -> Result<(), Refusal> {
        let old = self.tenant(id)?.clock;
        let target = time(old, machine).plus(advance_ms);
        let was_frozen = matches!(old, TenantClock::Frozen { .. });
        let clock = match frozen.unwrap_or(was_frozen) {
            true => TenantClock::Frozen { at: target },
            false => TenantClock::Running {
                offset_ms: target.0 - machine.0,
            },
        };
        self.set_clock(id, clock, machine)
    }

    fn set_state(
        &mut self,
        tenant: TenantId,
        id: AccountId,
        wanted: AccountState,
    ) -> Result<(), Refusal> {
        self.tenant(tenant)?;
        let account = self.account(tenant, id, "account_not_found")?;
        let closed = account.state == AccountState::Destroyed;
        refuse_when(closed || account.state == wanted, "already_in_state")?;
        if wanted == AccountState::Destroyed {
            refuse_when(account.balance != 0, "balance_not_zero")?;
            let mut open = self.transfers.values().filter(|t| t.next.is_some());
            let used = open.any(|t| t.source == Some(id) || t.destination == Some(id));
            refuse_when(used || self.held(id) != 0, "account_in_use")?;
        }
        self.accounts.get_mut(&id).expect("found above").state = wanted;
        Ok(())
    }

    fn create_transfer(
        &mut self,
        create: &ledger::CreateTransfer,
        machine: Millis,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        let now = self.now(create.tenant, machine)?;
        refuse_when(create.source == create.destination, "same_account")?;
        let (no_source, no_destination) = (
            "transfer_source_not_found",
            "transfer_destination_not_found",
        );
        let source = self.account(create.tenant, create.source, no_source)?;
        let destination = self.account(create.tenant, create.destination, no_destination)?;
        refuse_when(source.state == AccountState::Destroyed, no_source)?;
        refuse_when(destination.state == AccountState::Destroyed, no_destination)?;
        refuse_when(!source.roles.0, "source_not_allowed")?;
        refuse_when(!destination.roles.1, "destination_not_allowed")?;
        refuse_when(source.owner != destination.owner, "owners_differ")?;
        let active = AccountState::Active;
        refuse_when(source.state != active, "source_not_active")?;
        refuse_when(destination.state != active, "destination_not_active")?;
        let currency = create.amount.currency();
        let same = source.currency == currency && destination.currency == currency;
        refuse_when(!same, "currency_mismatch")?;
        let note = create.description.as_deref();
        refuse_when(!is_note(note), "invalid_parameters")?;
        let transfer = Transfer {
            tenant: create.tenant,
            source: Some(create.source),
            destination: Some(create.destination),
            minor: i128::from(create.amount.minor()),
            currency,
            delay_ms: create.rail_delay_ms.max(0),
            status: Status::Processing,
            error: None,
            next: Some(now),
            completed_at: None,
        };
        self.transfers.insert(TransferId::new(id()), transfer);
        Ok(())
    }

    fn give_back(
        &mut self,
        tenant: TenantId,
        id: TransferId,
        code: ErrorCode,
    ) -> Result<(), Refusal> {
        self.sandbox(tenant)?;
        let transfer = self.transfers.get(&id).ok_or("transfer_not_found")?.clone();
        let open = transfer.next.is_some() && transfer.tenant == tenant;
        refuse_when(!open, "transfer_not_found")?;
        let pending = transfer.status == Status::Pending;
        refuse_when(!pending, "transfer_not_pending")?;
        if let Some(source) = transfer.source.filter(|id| self.holds_money(*id)) {
            let back = self.accounts[&source].balance + transfer.minor;
            refuse_when(!fits(back), "balance_overflow")?;
            self.add(source, transfer.minor);
            let owner = self.accounts[&source].owner;
            *self.transit.entry((owner, transfer.currency)).or_default() -= transfer.minor;
        }
        self.fail(id, code);
        Ok(())
    }

    fn holds_money(&self, id: AccountId) -> bool {
        is_held(self.accounts[&id].kind)
    }

    fn add(&mut self, id: AccountId, minor: i128) {
        let account = self.accounts.get_mut(&id).expect("it exists");
        account.balance += minor;
        assert!(fits(account.balance) && account.balance >= 0);
    }

    fn arrive_from_world(&mut self, to: AccountId, minor: i128) {
        self.add(to, minor);
        let (owner, currency) = (self.accounts[&to].owner, self.accounts[&to].currency);
        *self.world.entry((owner, currency)).or_default() -= minor;
    }

    fn fail(&mut self, id: TransferId, code: ErrorCode) {
        let transfer = self.transfers.get_mut(&id).expect("it exists");
        transfer.status = match code {
            ErrorCode::InsufficientFunds => Status::Incomplete,
            _ => Status::Error,
        };
        transfer.error = Some(code);
        transfer.next = None;
    }

    fn complete(&mut self, id: TransferId, at: Millis) {
        let transfer = self.transfers.get_mut(&id).expect("it exists");
        transfer.status = Status::Complete;
        transfer.next = None;
        transfer.completed_at = Some(at);
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    fn record_done(
        &mut self,
        id: u64,
        tenant: TenantId,
        source: Option<AccountId>,
        destination: Option<AccountId>,
        minor: i128,
        currency: Currency,
        machine: Millis,
    ) {
        let transfer = Transfer {
            tenant,
            source,
            destination,
            minor,
            currency,
            delay_ms: 0,
            status: Status::Complete,
            error: None,
            next: None,
            completed_at: Some(self.now(tenant, machine).expect("it exists")),
        };
        self.transfers.insert(TransferId::new(id), transfer);
    }

    /// Why an account takes no part right now.
    fn trouble(&self, id: AccountId) -> Option<ErrorCode> {
        match self.accounts[&id].state {
            AccountState::Active => None,
            AccountState::Blocked => Some(ErrorCode::PaymentNotSupported),
            AccountState::Destroyed => Some(ErrorCode::ResourceDeleted),
        }
    }

    /// The next step of a transfer between two accounts, at the tenant's time `at`.
    fn take_step(&mut self, id: TransferId, at: Millis) {
        let transfer = self.transfers[&id].clone();
        let both = transfer.source.zip(transfer.destination);
        let (source, destination) = both.expect("only those with two ends wait");
        let (owner, minor) = (self.accounts[&source].owner, transfer.minor);
        let pot = (owner, transfer.currency);
        let ours = (self.holds_money(source), self.holds_money(destination));
        if transfer.status == Status::Processing {
            let outward = ours != (true, true);
            if outward && !self.tenants[&transfer.tenant].sandbox {
                return self.fail(id, ErrorCode::PaymentNotSupported);
            }
            if let Some(code) = self.trouble(source).or(self.trouble(destination)) {
                return self.fail(id, code);
            }
            if ours.0 && self.available(source) < minor {
                return self.fail(id, ErrorCode::InsufficientFunds);
            }
            let into = match ours {
                (true, true) => self.accounts[&destination].balance,
                (true, false) => self.transit.get(&pot).copied().unwrap_or(0),
                (false, _) => 0,
            };
            if !fits(into + minor) {
                return self.fail(id, ErrorCode::PaymentFailed);
            }
            if ours.0 {
                self.add(source, -minor);
            }
            if ours == (true, true) {
                self.add(destination, minor);
                return self.complete(id, at);
            }
            if ours.0 {
                *self.transit.entry(pot).or_default() += minor;
            }
            let transfer = self.transfers.get_mut(&id).expect("it exists");
            transfer.status = Status::Pending;
            transfer.next = Some(at.plus(transfer.delay_ms));
            return;
        }
        if ours.1 {
            if let Some(code) = self.trouble(destination) {
                return self.fail(id, code);
            }
            let world = self.world.get(&pot).copied().unwrap_or(0);
            if !fits(self.accounts[&destination].balance + minor) || !fits(world - minor) {
                return self.fail(id, ErrorCode::PaymentFailed);
            }
            self.arrive_from_world(destination, minor);
        } else if ours.0 {
            *self.transit.entry(pot).or_default() -= minor;
            *self.world.entry(pot).or_default() += minor;
        }
        self.complete(id, at);
    }
}

fn time(clock: TenantClock, machine: Millis) -> Millis {
    match clock {
        TenantClock::Running { offset_ms } => machine.plus(offset_ms),
        TenantClock::Frozen { at } => at,
    }
}
