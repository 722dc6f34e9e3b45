//! Transfers that wait until a person lets them go.
//!
//! Nothing is reserved meanwhile: whether there is enough money is decided when the transfer
//! settles, as without approval. Who does not answer in time has said no.
//!
//! Source: sequence-api §4.2 and §15, 20; `docs/decisions/2026-11-21-approvals.md`.

use std::sync::Arc;

use super::{Context, Decision, TAG_MAX, check_text, tenant_of, transfers};
use crate::effect::{Due, Effect, Work};
use crate::id::{OwnerId, TenantId, TransferId};
use crate::rejection::Rejection;
use crate::state::State;
use crate::time::Millis;
use crate::transfer::{APPROVAL_MS, Event, Status, Transfer};

/// The reason of a transfer that nobody approved in time.
pub(crate) const EXPIRED: &str = "Not approved within 24 hours";
/// The reason of a transfer that was denied without one.
const DENIED: &str = "Denied";

/// The work that calls the transfer off unless somebody decides before.
pub(super) fn deadline(transfer: &Transfer) -> Due {
    Due {
        tenant: transfer.tenant,
        at: transfer.created_at.plus(APPROVAL_MS),
        work: Work::Settle(transfer.id),
    }
}

/// Nobody has decided in time.
pub(super) fn expire(transfer: &Transfer, now: Millis) -> Effect {
    moved(transfer, Event::Cancel, Some(Arc::from(EXPIRED)), now)
}

/// A person has decided. What was approved settles by due work, like any other transfer.
pub(super) fn decide(
    state: &State,
    (tenant, owner): (TenantId, Option<OwnerId>),
    transfer: TransferId,
    (approved, reason): (bool, Option<&Arc<str>>),
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let transfer = state
        .open_transfer(transfer)
        .filter(|transfer| transfer.tenant == tenant.id)
        .filter(|transfer| owner.is_none_or(|owner| transfer.owner == owner))
        .ok_or(Rejection::TransferNotFound)?;
    if transfer.status != Status::PendingApproval {
        return Err(Rejection::NotAwaitingApproval {
            status: transfer.status,
        });
    }
    if let Some(reason) = reason {
        check_text("reason", reason, 1, TAG_MAX)?;
    }
    let now = tenant.clock.now(context.now);
    let mut effects = vec![Effect::DueRemoved(deadline(transfer))];
    let (event, reason) = if approved {
        (Event::Approve, None)
    } else {
        let reason = reason.cloned().unwrap_or_else(|| Arc::from(DENIED));
        (Event::Cancel, Some(reason))
    };
    effects.push(moved(transfer, event, reason.clone(), now));
    if approved {
        effects.push(Effect::DueAdded(Due {
            tenant: tenant.id,
            at: now,
            work: Work::Settle(transfer.id),
        }));
    }
    let changed = Transfer {
        status: after(event),
        cancel_reason: reason,
        updated_at: now,
        ..transfer.clone()
    };
    Ok(Decision {
        effects,
        reply: transfers::reply(state, changed),
    })
}

fn after(event: Event) -> Status {
    let after = Status::PendingApproval.after(event);
    after.expect("the table has what a person can decide")
}

fn moved(transfer: &Transfer, event: Event, reason: Option<Arc<str>>, at: Millis) -> Effect {
    Effect::TransferMoved {
        transfer: transfer.id,
        from: Status::PendingApproval,
        to: after(event),
        error: None,
        fee_minor: 0,
        cancel_reason: reason,
        at,
    }
}
