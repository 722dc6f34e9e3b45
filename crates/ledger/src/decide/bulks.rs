//! Bulks: handing in, steering, and doing one operation after the other.

use std::sync::Arc;

use super::profile_transfers::{self, By};
use super::{Context, Decision, Reply, owner_of, tenant_of};
use crate::bulk::{Bulk, BulkMode, BulkStatus, OPERATIONS_MAX, OperationOutcome};
use crate::command::{Steer, TransferOrder};
use crate::effect::{Due, Effect, Work};
use crate::id::{BulkId, KeyId, OwnerId, TenantId};
use crate::rejection::Rejection;
use crate::state::State;
use crate::time::Millis;
use crate::transfer::Denial;

pub(super) fn submit(
    state: &State,
    (tenant, owner): (TenantId, OwnerId),
    key: Option<KeyId>,
    operations: &Arc<[TransferOrder]>,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let owner = owner_of(state, tenant.id, owner)?;
    if operations.is_empty() || operations.len() > OPERATIONS_MAX {
        return Err(Rejection::Invalid {
            field: "operations",
            reason: "must be 1 to 10000",
        });
    }
    for order in operations.iter() {
        profile_transfers::check_texts(order)?;
    }
    let bulk = Bulk {
        id: BulkId::new(context.new_id()),
        tenant: tenant.id,
        owner: owner.id,
        key,
        operations: Arc::clone(operations),
        status: BulkStatus::Submitted,
        mode: None,
        succeeded: 0,
        failed: 0,
        created_at: tenant.clock.now(context.now),
        started_at: None,
        finished_at: None,
    };
    Ok(Decision {
        effects: vec![Effect::BulkSubmitted(bulk.clone())],
        reply: Reply::Bulk(bulk),
    })
}

pub(super) fn steer(
    state: &State,
    (tenant, owner): (TenantId, OwnerId),
    bulk: BulkId,
    steer: Steer,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let bulk = state
        .bulk(bulk)
        .filter(|bulk| bulk.tenant == tenant.id && bulk.owner == owner)
        .ok_or(Rejection::BulkNotFound)?;
    let (to, mode) = match (bulk.status, steer) {
        (BulkStatus::Submitted, Steer::Execute(mode)) => (BulkStatus::Running, Some(mode)),
        (BulkStatus::Paused, Steer::Resume) => (BulkStatus::Running, None),
        (BulkStatus::Running, Steer::Pause) => (BulkStatus::Paused, None),
        (_, Steer::Cancel) => (BulkStatus::Cancelled, None),
        (status, _) => return Err(Rejection::BulkState { status }),
    };
    let now = tenant.clock.now(context.now);
    let mut effects = Vec::with_capacity(2);
    if to == BulkStatus::Running {
        effects.push(Effect::DueAdded(turn(bulk, now)));
    } else {
        let work = Work::RunBulk(bulk.id);
        let waiting = state.due_of(tenant.id).find(|due| due.work == work);
        effects.extend(waiting.map(|due| Effect::DueRemoved(*due)));
    }
    effects.push(moved(bulk, to, mode, now));
    let mut changed = bulk.clone();
    changed.moved(to, mode, now);
    Ok(Decision {
        effects,
        reply: Reply::Bulk(changed),
    })
}

/// Does the next operation of a running bulk, and ends the bulk after the last.
pub(super) fn run(
    state: &State,
    bulk: BulkId,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    let Some(bulk) = state
        .bulk(bulk)
        .filter(|bulk| bulk.status == BulkStatus::Running)
    else {
        return;
    };
    let mut after = bulk.clone();
    if let Some(order) = bulk.operations.get(bulk.next()) {
        let by = By {
            tenant: bulk.tenant,
            owner: bulk.owner,
            key: bulk.key,
        };
        let outcome = match profile_transfers::make(state, by, order, now, context) {
            Ok(Decision {
                effects: made,
                reply: Reply::Transfer { transfer, .. },
            }) => {
                effects.extend(made);
                OperationOutcome::Made(transfer.id, transfer.status)
            }
            Err(Rejection::Denied(denial)) => OperationOutcome::Denied(denial),
            Err(Rejection::ProfileNotFound) => OperationOutcome::ProfileNotFound,
            // Texts were checked when it was handed in; a balance out of range is left.
            Ok(_) | Err(_) => OperationOutcome::Denied(Denial::DestinationLimitExceeded),
        };
        effects.push(Effect::BulkStepped {
            bulk: bulk.id,
            operation: u32::try_from(bulk.next()).unwrap_or(u32::MAX),
            outcome,
        });
        after.stepped(outcome);
    }
    let stopped = after.failed > 0 && bulk.mode == Some(BulkMode::StopOnFailure);
    if stopped || after.next() >= bulk.operations.len() {
        effects.push(moved(bulk, after.result(), None, now));
    } else {
        effects.push(Effect::DueAdded(turn(bulk, now)));
    }
}

/// The next operation's place among all that is due: at once.
fn turn(bulk: &Bulk, at: Millis) -> Due {
    Due {
        tenant: bulk.tenant,
        at,
        work: Work::RunBulk(bulk.id),
    }
}

fn moved(bulk: &Bulk, to: BulkStatus, mode: Option<BulkMode>, at: Millis) -> Effect {
    Effect::BulkMoved {
        bulk: bulk.id,
        from: bulk.status,
        to,
        mode,
        at,
    }
}
