//! Runs of rules: set off, put off, made, and over when the last transfer has ended.

use std::collections::BTreeMap;

use ledger::execution::{Cause, ExecutionError};
use ledger::rule::failure::Failure;
use ledger::rule::snapshot::{AccountSeen, Answers, CapUsed, CapsUsed, Incoming, Snapshot};
use ledger::{
    AccountId, AccountState, ErrorCode, ExecutionId, ExecutionMode, ExecutionStatus, Millis, Rule,
    RuleId, Status, TenantId, TransferId, TriggerRule,
};

use super::due::Made;
use super::rail::APPROVAL_MS;
use super::rules::{listens_on, next_run};
use super::{Model, Refusal, Transfer, fits, is_held, refuse_when};
use crate::rules::{End, Run as Reckoned};

/// Milliseconds between the tries of a run that waits.
const WAITS_MS: [i64; 3] = [60_000, 300_000, 1_800_000];

/// A run, over or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which rule.
    pub rule: RuleId,
    /// Why.
    pub cause: Cause,
    /// Whether nothing moves.
    pub simulated: bool,
    /// How many rules led to it.
    pub depth: u8,
    /// When it is made or tried again; `None` once it was made.
    pub turn: Option<Millis>,
    /// How often it was put off.
    pub delays: usize,
    /// The step and action whose amount it waits for.
    pub asks: Option<(usize, usize)>,
    /// Attempted, completed, failed, and on their way.
    pub counts: (u32, u32, u32, u32),
    /// Why it failed or was cut short.
    pub error: Option<ExecutionError>,
    /// The rule's version that ran, and the step that was taken.
    pub ran: Option<(u32, Option<usize>)>,
}

impl Run {
    fn new(rule: &Rule, cause: Cause, depth: u8) -> Run {
        Run {
            tenant: rule.tenant,
            rule: rule.id,
            cause,
            simulated: false,
            depth,
            turn: None,
            delays: 0,
            asks: None,
            counts: (0, 0, 0, 0),
            error: None,
            ran: None,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> ExecutionStatus {
        match self.counts {
            _ if self.turn.is_some() => ExecutionStatus::InProgress,
            _ if self.ran.is_none() => ExecutionStatus::Failed,
            (_, _, _, 1..) => ExecutionStatus::InProgress,
            (_, _, 0, _) => ExecutionStatus::Executed,
            (_, 0, _, _) => ExecutionStatus::Failed,
            _ => ExecutionStatus::Partial,
        }
    }
}

impl Model {
    pub(super) fn trigger_rule(
        &mut self,
        trigger: &TriggerRule,
        machine: Millis,
        id: impl Fn() -> u64,
    ) -> Result<(), Refusal> {
        let now = self.now(trigger.tenant, machine)?;
        let rule = self.rule(trigger.tenant, trigger.owner, trigger.rule)?;
        let negative = trigger.incoming.minor().is_some_and(|minor| minor < 0);
        refuse_when(negative, "invalid_parameters")?;
        let live = trigger.mode == ExecutionMode::Live;
        refuse_when(live && !rule.on, "rule_deactivated")?;
        let waits = self.runs.values().any(|run| {
            let asked = matches!(run.cause, Cause::Manual { .. });
            asked && run.rule == trigger.rule && run.turn.is_some()
        });
        refuse_when(live && waits, "rule_execution_in_progress")?;
        let cause = Cause::Manual {
            incoming: trigger.incoming,
            key: trigger.key,
        };
        let mut run = Run::new(&rule.said, cause, 0);
        let rule = rule.clone();
        let id = ExecutionId::new(id());
        if live {
            run.turn = Some(now);
        } else {
            run.simulated = true;
            let mut seen = self.snapshot(&rule.said, now);
            if let (Incoming::Pretended(minor), Some(account)) =
                (trigger.incoming, rule.said.trigger.account())
            {
                let account = seen.accounts.get_mut(&account).expect("it was there");
                (account.available, account.balance) = (Some(minor), Some(minor));
            }
            let none = Answers::new();
            let plan = crate::rules::run(&rule.said, &seen, trigger.incoming, &rule.caps, &none);
            let moves = plan.made.iter().filter(|made| made.4.is_none()).count();
            run.take(&plan, rule.version, u32::try_from(moves).expect("few"), 0);
        }
        self.runs.insert(id, run);
        Ok(())
    }

    pub(super) fn answer_amounts(
        &mut self,
        tenant: TenantId,
        id: ExecutionId,
        answers: &Answers,
        machine: Millis,
        made: &Made,
    ) -> Result<(), Refusal> {
        let now = self.now(tenant, machine)?;
        let none = "rule_execution_not_found";
        let run = self.runs.get(&id).ok_or(none)?;
        refuse_when(run.tenant != tenant || run.asks.is_none(), none)?;
        let negative = answers.values().any(|minor| *minor < 0);
        refuse_when(negative, "invalid_parameters")?;
        self.make_run(id, answers, now, made);
        Ok(())
    }

    /// Money came to an account, at the tenant's time `at`.
    pub(super) fn arrived(
        &mut self,
        account: AccountId,
        transfer: TransferId,
        minor: i128,
        at: Millis,
        made: &Made,
    ) {
        let waits = |rule: &&Rule| listens_on(rule) == Some(account);
        let on = self.rules.values().filter(|rule| rule.on);
        let Some(rule) = on.map(|rule| &rule.said).find(waits) else {
            return;
        };
        let by_run = self.transfers[&transfer].run.map(|run| &self.runs[&run]);
        let depth = by_run.map_or(0, |run| run.depth + 1);
        let minor = i64::try_from(minor).expect("it fits an account");
        let mut run = Run::new(rule, Cause::FundsTransferred { transfer, minor }, depth);
        if depth > 8 {
            run.error = Some(ExecutionError::CascadeTooLong);
        } else {
            run.turn = Some(at);
        }
        let id = made.set_off.get(&(rule.id, transfer));
        let id = *id.expect("the ledger set nothing off");
        self.runs.insert(id, run);
    }

    /// The scheduled run of a rule, at the tenant's time `at`.
    pub(super) fn run_rule(&mut self, id: RuleId, at: Millis, made: &Made) {
        let rule = self
            .rules
            .get_mut(&id)
            .expect("only rules that are on wait");
        let due = rule.next.take().expect("it waited");
        rule.next = next_run(&rule.said, at.plus(1));
        let cause = Cause::Scheduled { at: due };
        let run = Run::new(&rule.said, cause, 0);
        let execution = made.scheduled[&(id, due)];
        self.runs.insert(execution, run);
        self.make_run(execution, &Answers::new(), at, made);
    }

    /// Makes a run that waits, puts it off, or fails it.
    pub(super) fn make_run(&mut self, id: ExecutionId, answers: &Answers, at: Millis, made: &Made) {
        let run = self.runs.get_mut(&id).expect("it was recorded");
        run.turn = None;
        run.asks = None;
        let (rule, incoming) = (run.rule, run.cause.incoming());
        let Some(rule) = self.rules.get(&rule).cloned() else {
            run.error = Some(ExecutionError::RuleDeleted);
            return;
        };
        if !rule.on {
            run.error = Some(ExecutionError::RuleDisabled);
            return;
        }
        let seen = self.snapshot(&rule.said, at);
        let plan = crate::rules::run(&rule.said, &seen, incoming, &rule.caps, answers);
        let run = self.runs.get_mut(&id).expect("it was recorded");
        let failed = plan.ends.iter().find_map(|(action, end)| match end {
            End::Failed(failure) => Some((*action, *failure)),
            _ => None,
        });
        let asks = failed.filter(|(_, failure)| *failure == Failure::QueryUnanswered);
        let unknown = failed.is_some_and(|(_, failure)| failure == Failure::NullBalance);
        let waits = asks.is_some() || (unknown && plan.made.is_empty());
        if waits && run.delays < WAITS_MS.len() {
            run.turn = Some(at.plus(WAITS_MS[run.delays]));
            run.delays += 1;
            run.asks = asks.map(|(action, _)| (plan.step.expect("it failed in one"), action));
            return;
        }
        self.perform(id, &rule.said, &plan, at, made);
        let counted = &mut self.rules.get_mut(&rule.said.id).expect("it is on").caps;
        count(counted, &plan);
    }

    fn perform(&mut self, id: ExecutionId, rule: &Rule, plan: &Reckoned, at: Millis, made: &Made) {
        let ids = made.transfers.get(&id).cloned().unwrap_or_default();
        let (mut completed, mut pending, mut broken) = (0, 0, None);
        for (index, (_, source, destination, minor, failure)) in plan.made.iter().enumerate() {
            let (inside, out) = (self.is_inside(*source), self.is_inside(*destination));
            let pot = (rule.owner, rule.currency);
            let transit = self.transit.get(&pot).copied().unwrap_or(0);
            let asks = self.rules[&rule.id].asks(*minor);
            let full = inside && !out && !asks && !fits(transit + minor);
            broken = full.then_some(Failure::PaymentFailed);
            let failure = failure.or(broken);
            let mut transfer = Transfer {
                tenant: rule.tenant,
                owner: rule.owner,
                source: Some(*source),
                destination: Some(*destination),
                minor: *minor,
                currency: rule.currency,
                delay_ms: rule.settings.rail_delay_ms.max(0),
                status: Status::Complete,
                error: None,
                next: None,
                completed_at: None,
                order: None,
                fee: 0,
                cancel_reason: None,
                card: None,
                run: Some(id),
            };
            let transfer_id = ids[index];
            if failure.is_none() && asks {
                transfer.status = Status::PendingApproval;
                transfer.next = Some(at.plus(APPROVAL_MS));
                pending += 1;
                self.transfers.insert(transfer_id, transfer);
                continue;
            }
            if let Some(failure) = failure {
                let (status, code) = failed(failure);
                (transfer.status, transfer.error) = (status, Some(code));
                self.transfers.insert(transfer_id, transfer);
                if broken.is_some() {
                    break;
                }
                continue;
            }
            if inside {
                self.add(*source, -minor);
            }
            if inside && out {
                self.add(*destination, *minor);
                transfer.completed_at = Some(at);
                completed += 1;
            } else {
                if inside {
                    *self.transit.entry(pot).or_default() += minor;
                }
                transfer.status = Status::Pending;
                transfer.next = Some(at.plus(transfer.delay_ms));
                pending += 1;
            }
            self.transfers.insert(transfer_id, transfer);
        }
        let version = self.rules[&rule.id].version;
        let run = self.runs.get_mut(&id).expect("it was recorded");
        run.take(plan, version, completed, pending);
        if let Some(failure) = broken {
            run.counts.2 = 1;
            run.error = run.error.or(Some(ExecutionError::Action(failure)));
        }
        // All of it has happened when the first of it sets something off.
        for id in ids {
            let transfer = self.transfers[&id].clone();
            if let (Status::Complete, Some(to)) = (transfer.status, transfer.destination) {
                self.arrived(to, id, transfer.minor, at, made);
            }
        }
    }

    /// A transfer that was on its way has ended.
    pub(super) fn ended(&mut self, transfer: TransferId, well: bool) {
        let Some(id) = self.transfers[&transfer].run else {
            return;
        };
        let run = self.runs.get_mut(&id).expect("it was recorded");
        let (_, completed, failed, pending) = &mut run.counts;
        *pending -= 1;
        *(if well { completed } else { failed }) += 1;
    }

    fn is_inside(&self, id: AccountId) -> bool {
        is_held(self.accounts[&id].kind)
    }

    fn snapshot(&self, rule: &Rule, at: Millis) -> Snapshot {
        let accounts: BTreeMap<AccountId, AccountSeen> = rule
            .accounts()
            .into_iter()
            .map(|id| {
                let account = &self.accounts[&id];
                let held = is_held(account.kind);
                let nowhere = !held && !self.tenants[&account.tenant].sandbox;
                let trouble = match account.state {
                    AccountState::Destroyed => Some(Failure::ResourceDeleted),
                    AccountState::Blocked => Some(Failure::PaymentNotSupported),
                    AccountState::Active => nowhere.then_some(Failure::PaymentNotSupported),
                };
                let small = |sum: i128| i64::try_from(sum).expect("a balance fits");
                let coming = self.transfers.values().filter(|transfer| {
                    let both = transfer.source.zip(transfer.destination);
                    let open = transfer.next.is_some() && transfer.status != Status::Scheduled;
                    let inside = |from| held && self.is_inside(from);
                    open && both.is_some_and(|(from, to)| {
                        to == id && (!inside(from) || transfer.run.is_some())
                    })
                });
                let coming: i128 = coming.map(|transfer| transfer.minor).sum();
                let seen = AccountSeen {
                    kind: account.kind,
                    trouble,
                    available: held.then(|| small(self.available(id))),
                    balance: held.then(|| small(account.balance)),
                    arriving: i64::try_from(coming).unwrap_or(i64::MAX),
                    last_statement: None,
                    next_payment_minimum: None,
                };
                (id, seen)
            })
            .collect();
        Snapshot { at, accounts }
    }
}

impl Run {
    fn take(&mut self, plan: &Reckoned, version: u32, completed: u32, pending: u32) {
        let failure = plan.ends.iter().find_map(|(_, end)| match end {
            End::Failed(failure) => Some(*failure),
            _ => None,
        });
        let others = plan
            .ends
            .iter()
            .filter(|(_, end)| matches!(end, End::Skipped(_) | End::Failed(_)));
        let moves = plan.made.iter().filter(|made| made.4.is_none());
        let attempted = u32::try_from(others.count() + moves.count()).expect("few");
        self.counts = (attempted, completed, u32::from(failure.is_some()), pending);
        self.error = failure.map(ExecutionError::Action);
        self.ran = Some((version, plan.step));
    }
}

fn count(caps: &mut CapsUsed, plan: &Reckoned) {
    let step = plan.step.and_then(|step| u16::try_from(step).ok());
    for (group, (period, since, used)) in &plan.counted {
        let used = CapUsed {
            period: *period,
            since: *since,
            used_minor: i64::try_from(*used).expect("no more than the cap"),
        };
        caps.insert((step.expect("a step counted"), *group), used);
    }
}

fn failed(failure: Failure) -> (Status, ErrorCode) {
    match failure {
        Failure::InsufficientFunds => (Status::Incomplete, ErrorCode::InsufficientFunds),
        Failure::LessThanOneDollar => (Status::Error, ErrorCode::LessThanOneDollar),
        Failure::PaymentFailed => (Status::Error, ErrorCode::PaymentFailed),
        other => panic!("{other} leaves no transfer"),
    }
}
