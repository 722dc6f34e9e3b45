//! Work whose time has come.
//!
//! Idempotent: work that is no longer waiting, or whose object has moved on, changes nothing but
//! the list of what waits. A sandbox tenant's work happens at the time it was due, so that a clock
//! that jumps a year leaves the same history as a year that passes
//! (`docs/decisions/2026-11-21-tenant-clocks.md`).

use super::accounts::system_account;
use super::{Context, Decision, Reply, approvals, bulks, executions, profile_transfers};
use crate::account::{Account, AccountState, Rail, SystemKind};
use crate::effect::{Due, Effect, Work};
use crate::id::TransferId;
use crate::posting::Posting;
use crate::state::State;
use crate::tenant::TenantMode;
use crate::time::Millis;
use crate::transfer::{ErrorCode, Event, Status, Transfer};

pub(super) fn run(state: &State, due: &Due, context: &mut Context<'_>) -> Decision {
    let mut effects = Vec::new();
    if state.is_due(due) {
        effects.push(Effect::DueRemoved(*due));
        let now = time_of(state, due, context);
        match due.work {
            Work::Settle(transfer) => settle(state, transfer, now, context, &mut effects),
            Work::ExpireHold(hold) => {
                effects.extend(state.hold(hold).map(|hold| Effect::HoldReleased(hold.id)));
            }
            Work::RunBulk(bulk) => bulks::run(state, bulk, now, context, &mut effects),
            Work::RunRule(rule) => {
                executions::run_scheduled(state, rule, due.at, now, context, &mut effects);
            }
            Work::RunExecution(execution) => {
                executions::run(state, execution, now, context, &mut effects);
            }
        }
    }
    Decision {
        effects,
        reply: Reply::Done,
    }
}

fn time_of(state: &State, due: &Due, context: &Context<'_>) -> Millis {
    match state.tenant(due.tenant) {
        Some(tenant) if tenant.mode == TenantMode::Sandbox => due.at,
        Some(tenant) => tenant.clock.now(context.now),
        None => context.now,
    }
}

fn settle(
    state: &State,
    id: TransferId,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    let Some(transfer) = state.open_transfer(id) else {
        return;
    };
    if transfer.status == Status::PendingApproval {
        effects.push(approvals::expire(transfer, now));
        return;
    }
    let mut fee_minor = 0;
    let step = match (transfer.status, transfer.rail) {
        (Status::Scheduled, _) => {
            let executed = profile_transfers::execute(state, transfer, now, context);
            executed.map(|executed| {
                effects.extend(executed.opened);
                fee_minor = executed.fee_minor;
                (Event::Settle, Some(executed.posting))
            })
        }
        (Status::Processing, None) => settle_inside(state, transfer),
        (Status::Processing, Some(_)) => submit(state, transfer, now, context, effects),
        (Status::Pending, _) => arrive(state, transfer, now, context, effects),
        _ => return,
    };
    let (event, error) = match step {
        Ok((event, posting)) => {
            effects.extend(posting.map(|posting| Effect::Posted {
                transfer: id,
                at: now,
                posting,
            }));
            (event, None)
        }
        Err(code) => (code.event(), Some(code)),
    };
    let to = transfer
        .status
        .after(event)
        .expect("the table has every step of settlement");
    effects.push(Effect::TransferMoved {
        transfer: id,
        from: transfer.status,
        to,
        error,
        fee_minor,
        cancel_reason: None,
        at: now,
    });
    if event == Event::Submit {
        let at = now.plus(transfer.rail_delay_ms);
        effects.push(Effect::DueAdded(Due {
            tenant: transfer.tenant,
            at,
            work: Work::Settle(id),
        }));
    }
}

/// What a step does to the transfer and which entries it makes, or why the transfer ends.
type Step = Result<(Event, Option<Posting>), ErrorCode>;

/// An account that money can be taken from or put into right now.
fn usable(account: Option<&Account>) -> Result<&Account, ErrorCode> {
    let account = account.ok_or(ErrorCode::ResourceDeleted)?;
    match account.state {
        AccountState::Active => Ok(account),
        AccountState::Blocked => Err(ErrorCode::PaymentNotSupported),
        AccountState::Destroyed => Err(ErrorCode::ResourceDeleted),
    }
}

fn funded<'a>(account: &'a Account, transfer: &Transfer) -> Result<&'a Account, ErrorCode> {
    if account.available() < transfer.amount.minor() {
        return Err(ErrorCode::InsufficientFunds);
    }
    Ok(account)
}

fn settle_inside(state: &State, transfer: &Transfer) -> Step {
    let source = usable(transfer.source.and_then(|id| state.account(id)))?;
    let destination = usable(transfer.destination.and_then(|id| state.account(id)))?;
    let source = funded(source, transfer)?;
    let posting =
        Posting::movement(transfer.amount, source, destination).ok_or(ErrorCode::PaymentFailed)?;
    Ok((Event::Settle, Some(posting)))
}

/// The simulated rail is for play money: on a live tenant it would take real money nowhere, or
/// make some out of nothing.
fn rail_exists(state: &State, transfer: &Transfer) -> bool {
    let tenant = state.tenant(transfer.tenant);
    tenant.is_some_and(|tenant| tenant.mode == TenantMode::Sandbox)
}

/// Hands a transfer to its rail. Money that is ours leaves its account now.
fn submit(
    state: &State,
    transfer: &Transfer,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Step {
    if !rail_exists(state, transfer) {
        return Err(ErrorCode::PaymentNotSupported);
    }
    let source = usable(transfer.source.and_then(|id| state.account(id)))?;
    usable(transfer.destination.and_then(|id| state.account(id)))?;
    if !source.kind.is_held() {
        return Ok((Event::Submit, None));
    }
    let source = funded(source, transfer)?;
    let (transit, opened) = system_account(
        state,
        transfer.tenant,
        transfer.owner,
        SystemKind::InTransit(Rail::Simulated),
        transfer.amount.currency(),
        now,
        context,
    );
    let posting =
        Posting::movement(transfer.amount, source, &transit).ok_or(ErrorCode::PaymentFailed)?;
    effects.extend(opened);
    Ok((Event::Submit, Some(posting)))
}

/// The rail says that the money arrived.
fn arrive(
    state: &State,
    transfer: &Transfer,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Step {
    let held = |id: Option<_>| {
        id.and_then(|id| state.account(id))
            .filter(|account| account.kind.is_held())
    };
    let (from, to) = (held(transfer.source), held(transfer.destination));
    let mut system = |kind| {
        let currency = transfer.amount.currency();
        let (tenant, owner) = (transfer.tenant, transfer.owner);
        let (account, opened) = system_account(state, tenant, owner, kind, currency, now, context);
        (account, opened)
    };
    let posting = match (from, to) {
        // Both ends are outside: no money of ours moved.
        (None, None) => return Ok((Event::Settle, None)),
        (_, Some(destination)) => {
            usable(Some(destination))?;
            let (world, opened) = system(SystemKind::World);
            let posting = Posting::movement(transfer.amount, &world, destination);
            effects.extend(opened);
            posting
        }
        (Some(_), None) => {
            let (transit, _) = system(SystemKind::InTransit(Rail::Simulated));
            let (world, opened) = system(SystemKind::World);
            let posting = Posting::movement(transfer.amount, &transit, &world);
            effects.extend(opened);
            posting
        }
    };
    Ok((
        Event::Settle,
        Some(posting.ok_or(ErrorCode::PaymentFailed)?),
    ))
}
