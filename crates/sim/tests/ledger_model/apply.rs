//! What a step asks for, given what exists.

use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    AccountId, AccountKind, AccountState, Amount, Command, CreateTransfer, Currency, Due,
    ErrorCode, MoneyIn, MoneyOut, OpenAccount, Origin, OwnerId, OwnerKind, PlaceHold, StateReason,
    Status, TenantClock, TenantId, TenantMode, TransferId, Work,
};

use crate::pair::{KINDS, NOTHING, Pair, START};
use crate::programme;
use crate::rules;
use crate::steps::{Step, Text};

impl Pair {
    pub fn apply(&mut self, step: &Step) {
        let euros = |euro: bool| if euro { Currency::EUR } else { Currency::USD };
        match step {
            Step::NewTenant(sandbox) => {
                let mode = if *sandbox {
                    TenantMode::Sandbox
                } else {
                    TenantMode::Live
                };
                let name = Arc::from(if *sandbox { "Acme" } else { "" });
                self.run(&Command::CreateTenant { name, mode });
            }
            Step::NewOwner(tenant) => {
                let tenant = self.pick_tenant(tenant);
                let kind = OwnerKind::Corporate;
                let name = Arc::from("Corp");
                self.run(&Command::CreateOwner { tenant, kind, name });
            }
            Step::NewAccount(tenant, owner, kind, euro, role, note) => {
                let (owner, own) = *owner.get(&self.owners);
                let strange = *tenant.get(&self.tenants);
                let tenant = if matches!(note, Text::Good) {
                    strange
                } else {
                    own
                };
                let currency = euros(*euro);
                let open = opening(tenant, owner, KINDS[*kind], currency);
                self.run(&Command::OpenAccount(OpenAccount {
                    can_be_source: *role,
                    can_be_destination: *role,
                    description: note.note(),
                    ..open
                }));
            }
            Step::SetState(account, state, reason, voice) => {
                let (account, own) = self.pick_for_state(account, *state);
                let owner = self.voice(*voice, account);
                let tenant = self.speaker(own);
                // Some closings are deletions, which say no reason.
                if (*state, *reason) == (AccountState::Destroyed, StateReason::Stolen) {
                    self.run(&Command::DeleteAccount { tenant, account });
                    return;
                }
                self.run(&Command::SetAccountState {
                    owner,
                    reason: *reason,
                    tenant,
                    account,
                    state: *state,
                });
            }
            Step::Transfer(source, destination, minor, euro, rail_delay_ms, note) => {
                let (source, own) = self.pick_account(source);
                let destination = self.pick_partner(destination, source);
                let tenant = self.speaker(own);
                self.run(&Command::CreateTransfer(CreateTransfer {
                    tenant,
                    key: None,
                    source,
                    destination,
                    amount: self.money(*minor, source, *euro),
                    rail_delay_ms: *rail_delay_ms,
                    description: note.note(),
                    needs_approval: minor % 8 == 3,
                    fails_with: match minor % 16 {
                        5 => Some(ErrorCode::PaymentFailed),
                        11 => Some(ErrorCode::NameMismatch),
                        13 => Some(ErrorCode::InsufficientFunds),
                        _ => None,
                    },
                }));
            }
            Step::MoneyIn(account, minor, euro, origin, note) => {
                let (destination, own) = self.pick_account(account);
                let tenant = self.speaker(own);
                self.run(&Command::MoneyIn(MoneyIn {
                    tenant,
                    destination,
                    amount: self.money(*minor, destination, *euro),
                    origin: *origin,
                    description: note.note(),
                }));
            }
            Step::MoneyOut(account, minor, euro, origin, note) => {
                let (source, own) = match origin {
                    Origin::CardPurchase => self.pick_card(account),
                    _ => self.pick_account(account),
                };
                let tenant = self.speaker(own);
                self.run(&Command::MoneyOut(MoneyOut {
                    origin: *origin,
                    tenant,
                    source,
                    amount: self.money(*minor, source, *euro),
                    description: note.note(),
                }));
            }
            Step::Return(transfer, code) => {
                let (transfer, _, own) = self.pick_transfer(transfer, Status::Pending);
                let tenant = self.speaker(own);
                let code = *code;
                self.run(&Command::ReturnTransfer {
                    tenant,
                    transfer,
                    code,
                });
            }
            Step::Approve(transfer, approved, named, reason) => {
                let waits = Status::PendingApproval;
                let (transfer, owner, own) = self.pick_transfer(transfer, waits);
                let tenant = self.speaker(own);
                self.run(&Command::DecideApproval {
                    tenant,
                    owner: named.then_some(owner),
                    transfer,
                    approved: *approved,
                    reason: reason.of(50),
                });
            }
            Step::Hold(account, minor, end) => {
                let (account, own) = self.pick_account(account);
                let tenant = self.speaker(own);
                let now = self.time_of(own);
                self.run(&Command::PlaceHold(PlaceHold {
                    tenant,
                    account,
                    amount: self.money(*minor, account, false),
                    expires_at: end.map(|end| now.plus(end)),
                }));
            }
            Step::Release(hold) => {
                let (hold, own) = self.pick_hold(hold);
                let tenant = self.speaker(own);
                self.run(&Command::ReleaseHold { tenant, hold });
            }
            Step::Clock(tenant, by, running) => {
                let tenant = self.pick_tenant(tenant);
                let now = self.time_of(tenant);
                // A schedule that is on would run on every day until the end of time.
                let daily = self
                    .state
                    .rules()
                    .any(|rule| self.state.next_run(rule.id).is_some());
                let by = if daily { (*by).min(400_000_000) } else { *by };
                let at = now.plus(by);
                let clock = if *running {
                    let offset_ms = at.since(self.machine);
                    TenantClock::Running { offset_ms }
                } else {
                    TenantClock::Frozen { at }
                };
                // A change is said in three ways: where to, by how much, or to the next event.
                if by % 5 == 0 {
                    self.run(&Command::ClockToNextDue { tenant });
                } else if at.0 % 2 == 0 {
                    self.run(&Command::SetClock { tenant, clock });
                } else {
                    self.run(&Command::MoveClock {
                        tenant,
                        advance_ms: by,
                        frozen: Some(!*running),
                    });
                }
            }
            Step::Stranger(tenant) => self.stranger = Some(*tenant.get(&self.tenants)),
            Step::Pass(ms) => self.machine = self.machine.plus(*ms),
            Step::RunDue => self.run_due(),
            Step::RunOne => self.run_one(),
            Step::Programme(step) => programme::apply(self, step),
            Step::Rule(step) => rules::apply(self, step),
            Step::StaleDue(which) => {
                let waiting = |due: &&Due| !self.state.is_due(due);
                let mut stale: Vec<Due> = self.due.iter().filter(waiting).copied().collect();
                stale.push(Due {
                    tenant: self.tenants[0],
                    at: START,
                    work: Work::Settle(TransferId::new(NOTHING)),
                });
                let due = *which.get(&stale);
                let before = self.log.len();
                self.run(&Command::RunDue(due));
                assert_eq!(self.log.len(), before, "stale work did something");
            }
        }
    }
}

pub fn opening(
    tenant: TenantId,
    owner: OwnerId,
    kind: AccountKind,
    currency: Currency,
) -> OpenAccount {
    OpenAccount {
        tenant,
        owner,
        kind,
        name: Arc::from("Rainy days"),
        description: None,
        institution: None,
        number_last_four: None,
        routing_last_four: None,
        currency,
        can_be_source: None,
        can_be_destination: None,
        reported: Reported::default(),
    }
}

pub fn paycheck(tenant: TenantId, destination: AccountId, minor: i64) -> Command {
    Command::MoneyIn(MoneyIn {
        tenant,
        destination,
        amount: Amount::new(minor, Currency::USD).expect("positive"),
        origin: Origin::Paycheck,
        description: None,
    })
}
