//! Transfers that are recorded first and settled by due work, some over the simulated rail.

use ledger::{
    AccountId, AccountState, CreateTransfer, ErrorCode, Millis, OwnerId, Status, TenantId,
    TransferId,
};

use super::due::Made;
use super::{Model, Refusal, Transfer, fits, is_held, is_note, is_text, refuse_when};

/// Milliseconds that somebody has to say yes.
pub(super) const APPROVAL_MS: i64 = 86_400_000;

impl Model {
    pub(super) fn create_transfer(
        &mut self,
        create: &CreateTransfer,
        machine: Millis,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        let now = self.now(create.tenant, machine)?;
        if create.fails_with.is_some() {
            self.sandbox(create.tenant)?;
        }
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
            owner: source.owner,
            source: Some(create.source),
            destination: Some(create.destination),
            minor: i128::from(create.amount.minor()),
            currency,
            delay_ms: create.rail_delay_ms.max(0),
            status: match create.needs_approval {
                true => Status::PendingApproval,
                false => Status::Processing,
            },
            error: None,
            next: Some(match create.needs_approval {
                true => now.plus(APPROVAL_MS),
                false => now,
            }),
            completed_at: None,
            order: None,
            fee: 0,
            cancel_reason: None,
            card: None,
            run: None,
        };
        let id = TransferId::new(id());
        self.transfers.insert(id, transfer);
        if let Some(code) = create.fails_with.filter(|_| !create.needs_approval) {
            self.fail(id, code);
        }
        Ok(())
    }

    /// A person lets a transfer go that waits for it, or calls it off.
    pub(super) fn decide_approval(
        &mut self,
        (tenant, owner): (TenantId, Option<OwnerId>),
        id: TransferId,
        (approved, reason): (bool, Option<&str>),
        machine: Millis,
    ) -> Result<(), Refusal> {
        let now = self.now(tenant, machine)?;
        let transfer = self.transfers.get_mut(&id).ok_or("transfer_not_found")?;
        let open = transfer.next.is_some() && transfer.tenant == tenant;
        let own = owner.is_none_or(|owner| transfer.owner == owner);
        refuse_when(!open || !own, "transfer_not_found")?;
        let waits = transfer.status == Status::PendingApproval;
        refuse_when(!waits, "transfer_not_pending_approval")?;
        let told = reason.is_none_or(|reason| is_text(reason, 1, 50));
        refuse_when(!told, "invalid_parameters")?;
        if approved {
            transfer.status = Status::Processing;
            transfer.next = Some(now);
        } else {
            self.call_off(id, reason.unwrap_or("Denied"));
        }
        Ok(())
    }

    fn call_off(&mut self, id: TransferId, reason: &str) {
        let transfer = self.transfers.get_mut(&id).expect("it exists");
        transfer.status = Status::Cancelled;
        transfer.next = None;
        transfer.cancel_reason = Some(reason.to_owned());
        self.ended(id, false);
    }

    pub(super) fn give_back(
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

    /// Only what was recorded for a later time ends in an error for want of money.
    pub(super) fn fail(&mut self, id: TransferId, code: ErrorCode) {
        let transfer = self.transfers.get_mut(&id).expect("it exists");
        transfer.status = match code {
            ErrorCode::InsufficientFunds => Status::Incomplete,
            _ => Status::Error,
        };
        transfer.error = Some(code);
        transfer.next = None;
        self.ended(id, false);
    }

    pub(super) fn complete(&mut self, id: TransferId, at: Millis) {
        let transfer = self.transfers.get_mut(&id).expect("it exists");
        transfer.status = Status::Complete;
        transfer.next = None;
        transfer.completed_at = Some(at);
        self.ended(id, true);
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
    pub(super) fn take_step(&mut self, id: TransferId, at: Millis, made: &Made) {
        let transfer = self.transfers[&id].clone();
        if transfer.status == Status::Scheduled {
            return self.execute(id, at, made);
        }
        if transfer.status == Status::PendingApproval {
            return self.call_off(id, "Not approved within 24 hours");
        }
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
                self.complete(id, at);
                return self.arrived(destination, id, minor, at, made);
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
            self.add(destination, minor);
            *self.world.entry(pot).or_default() -= minor;
            self.complete(id, at);
            return self.arrived(destination, id, minor, at, made);
        } else if ours.0 {
            *self.transit.entry(pot).or_default() -= minor;
            *self.world.entry(pot).or_default() += minor;
        }
        self.complete(id, at);
    }
}
