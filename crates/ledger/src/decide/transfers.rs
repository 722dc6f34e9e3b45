//! Transfers between accounts: recording them, and taking them back from a rail.

use super::accounts::system_account;
use super::{Context, Decision, Reply, TEXT_MAX, account_of, approvals, check_text, tenant_of};
use crate::account::{Account, AccountKind, AccountState, Rail, SystemKind};
use crate::command::CreateTransfer;
use crate::effect::{Due, Effect, Work};
use crate::id::{TenantId, TransferId};
use crate::posting::Posting;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::TenantMode;
use crate::time::Millis;
use crate::transfer::{Direction, ErrorCode, Origin, Status, Transfer};

/// Records a transfer as `processing` with due work to settle it now, or as one that waits for
/// approval with due work to call it off. No money moves yet: whether there is enough is decided
/// when it settles (sequence-api §4.5).
pub(super) fn create(
    state: &State,
    create: &CreateTransfer,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, create.tenant)?;
    if create.fails_with.is_some() && tenant.mode != TenantMode::Sandbox {
        return Err(Rejection::SandboxOnly);
    }
    let (source, destination) = ends(state, create)?;
    if let Some(description) = &create.description {
        check_text("description", description, 0, TEXT_MAX)?;
    }
    let direction = direction(source, destination);
    let origin = match direction {
        Direction::MoneyIn => Origin::UserPull,
        Direction::MoneyOut | Direction::Internal => Origin::User,
    };
    let now = tenant.clock.now(context.now);
    let transfer = Transfer {
        id: TransferId::new(context.new_id()),
        tenant: tenant.id,
        owner: source.owner,
        source: Some(source.id),
        destination: Some(destination.id),
        amount: create.amount,
        direction,
        origin,
        rail: (direction != Direction::Internal).then_some(Rail::Simulated),
        rail_delay_ms: create.rail_delay_ms.max(0),
        status: if create.needs_approval {
            Status::PendingApproval
        } else {
            Status::Processing
        },
        error: None,
        rule: None,
        key: create.key,
        description: create.description.clone(),
        profile: None,
        tag: None,
        scheduled_at: None,
        fee_minor: 0,
        cancel_reason: None,
        card: None,
        created_at: now,
        updated_at: now,
        completed_at: None,
    };
    let due = if create.needs_approval {
        approvals::deadline(&transfer)
    } else {
        Due {
            tenant: tenant.id,
            at: now,
            work: Work::Settle(transfer.id),
        }
    };
    let then = match create.fails_with {
        Some(code) if !create.needs_approval => fail(&transfer, code, now),
        _ => Effect::DueAdded(due),
    };
    Ok(Decision {
        effects: vec![Effect::TransferRecorded(transfer.clone()), then],
        reply: Reply::Transfer {
            source: Some(source.party()),
            destination: Some(destination.party()),
            transfer,
        },
    })
}

/// A transfer that has just been recorded ends in an error; no money has moved.
fn fail(transfer: &Transfer, code: ErrorCode, at: Millis) -> Effect {
    let to = transfer.status.after(code.event());
    Effect::TransferMoved {
        transfer: transfer.id,
        from: transfer.status,
        to: to.expect("the table lets what is processing end in any error"),
        error: Some(code),
        fee_minor: 0,
        cancel_reason: None,
        at,
    }
}

/// Which way money goes from one account to another.
pub(super) fn direction(source: &Account, destination: &Account) -> Direction {
    let external = |account: &Account| matches!(account.kind, AccountKind::External(_));
    match (external(source), external(destination)) {
        (false, false) => Direction::Internal,
        (_, true) => Direction::MoneyOut,
        (true, false) => Direction::MoneyIn,
    }
}

/// The two accounts of a transfer, checked in the documented order, source before destination.
fn ends<'a>(
    state: &'a State,
    create: &CreateTransfer,
) -> Result<(&'a Account, &'a Account), Rejection> {
    if create.source == create.destination {
        return Err(Rejection::SameAccount);
    }
    let source =
        account_of(state, create.tenant, create.source).ok_or(Rejection::SourceNotFound)?;
    let destination = account_of(state, create.tenant, create.destination)
        .ok_or(Rejection::DestinationNotFound)?;
    if source.state == AccountState::Destroyed {
        return Err(Rejection::SourceNotFound);
    }
    if destination.state == AccountState::Destroyed {
        return Err(Rejection::DestinationNotFound);
    }
    if !source.can_be_source {
        return Err(Rejection::SourceNotAllowed);
    }
    if !destination.can_be_destination {
        return Err(Rejection::DestinationNotAllowed);
    }
    if source.owner != destination.owner {
        return Err(Rejection::OwnersDiffer);
    }
    if source.state != AccountState::Active {
        return Err(Rejection::SourceNotActive {
            state: source.state,
        });
    }
    if destination.state != AccountState::Active {
        return Err(Rejection::DestinationNotActive {
            state: destination.state,
        });
    }
    let currency = create.amount.currency();
    if source.currency != currency || destination.currency != currency {
        return Err(Rejection::CurrencyMismatch);
    }
    Ok((source, destination))
}

/// The rail gives a pending transfer back: money that left its source returns to it.
pub(super) fn give_back(
    state: &State,
    tenant: TenantId,
    transfer: TransferId,
    code: ErrorCode,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    if tenant.mode != TenantMode::Sandbox {
        return Err(Rejection::SandboxOnly);
    }
    let transfer = state
        .open_transfer(transfer)
        .filter(|transfer| transfer.tenant == tenant.id)
        .ok_or(Rejection::TransferNotFound)?;
    let Some(to) = transfer
        .status
        .after(code.event())
        .filter(|_| transfer.status == Status::Pending)
    else {
        return Err(Rejection::NotPending {
            status: transfer.status,
        });
    };
    let now = tenant.clock.now(context.now);
    let waiting = state
        .due_of(tenant.id)
        .find(|due| due.work == Work::Settle(transfer.id))
        .copied();
    let mut effects: Vec<Effect> = waiting.map(Effect::DueRemoved).into_iter().collect();
    let source = transfer.source.and_then(|id| state.account(id));
    if let Some(source) = source.filter(|account| account.kind.is_held()) {
        let (transit, opened) = system_account(
            state,
            tenant.id,
            transfer.owner,
            SystemKind::InTransit(Rail::Simulated),
            transfer.amount.currency(),
            now,
            context,
        );
        effects.extend(opened);
        let posting = Posting::movement(transfer.amount, &transit, source)
            .ok_or(Rejection::BalanceOverflow)?;
        effects.push(Effect::Posted {
            transfer: transfer.id,
            at: now,
            posting,
        });
    }
    effects.push(Effect::TransferMoved {
        transfer: transfer.id,
        from: transfer.status,
        to,
        error: Some(code),
        fee_minor: 0,
        cancel_reason: None,
        at: now,
    });
    let changed = Transfer {
        status: to,
        error: Some(code),
        updated_at: now,
        ..transfer.clone()
    };
    Ok(Decision {
        effects,
        reply: reply(state, changed),
    })
}

pub(super) fn reply(state: &State, transfer: Transfer) -> Reply {
    let party = |id: Option<_>| id.and_then(|id| state.account(id)).map(Account::party);
    Reply::Transfer {
        source: party(transfer.source),
        destination: party(transfer.destination),
        transfer,
    }
}
