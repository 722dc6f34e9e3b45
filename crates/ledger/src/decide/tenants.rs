//! Tenants, their clocks, and owners.

use std::sync::Arc;

use super::{Context, Decision, NAME_MAX, Reply, check_text, tenant_of};
use crate::effect::Effect;
use crate::id::{OwnerId, TenantId};
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::{Owner, OwnerKind, Tenant, TenantClock, TenantMode};

pub(super) fn create(
    name: &Arc<str>,
    mode: TenantMode,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    check_text("name", name, 1, NAME_MAX)?;
    let tenant = Tenant {
        id: TenantId::new(context.new_id()),
        name: Arc::clone(name),
        mode,
        clock: TenantClock::MACHINE,
        created_at: context.now,
    };
    Ok(Decision {
        effects: vec![Effect::TenantCreated(tenant.clone())],
        reply: Reply::Tenant(tenant),
    })
}

pub(super) fn set_clock(
    state: &State,
    tenant: TenantId,
    clock: TenantClock,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    if tenant.mode != TenantMode::Sandbox {
        return Err(Rejection::SandboxOnly);
    }
    let untouched = tenant.clock == TenantClock::MACHINE
        && !state.accounts().any(|account| account.tenant == tenant.id);
    if clock.now(context.now) < tenant.clock.now(context.now) && !untouched {
        return Err(Rejection::ClockBackwards);
    }
    let changed = Tenant {
        clock,
        ..tenant.clone()
    };
    Ok(Decision {
        effects: vec![Effect::ClockSet {
            tenant: tenant.id,
            clock,
        }],
        reply: Reply::Tenant(changed),
    })
}

/// Like [`set_clock`], counted from the tenant's time at the moment of the decision.
pub(super) fn move_clock(
    state: &State,
    tenant: TenantId,
    advance_ms: i64,
    frozen: Option<bool>,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let known = tenant_of(state, tenant)?;
    let then = known.clock.now(context.now).plus(advance_ms);
    let stands = matches!(known.clock, TenantClock::Frozen { .. });
    let clock = if frozen.unwrap_or(stands) {
        TenantClock::Frozen { at: then }
    } else {
        TenantClock::Running {
            offset_ms: then.since(context.now),
        }
    };
    set_clock(state, tenant, clock, context)
}

/// Moves the clock to the next work, which the writer then does before anything else.
pub(super) fn clock_to_next_due(
    state: &State,
    tenant: TenantId,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let known = tenant_of(state, tenant)?;
    if known.mode != TenantMode::Sandbox {
        return Err(Rejection::SandboxOnly);
    }
    let next = state.due_of(tenant).next().ok_or(Rejection::NothingDue)?;
    let wait_ms = next.at.since(known.clock.now(context.now)).max(0);
    move_clock(state, tenant, wait_ms, None, context)
}

pub(super) fn create_owner(
    state: &State,
    tenant: TenantId,
    kind: OwnerKind,
    name: &Arc<str>,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    check_text("name", name, 1, NAME_MAX)?;
    let owner = Owner {
        id: OwnerId::new(context.new_id()),
        tenant: tenant.id,
        kind,
        name: Arc::clone(name),
        created_at: tenant.clock.now(context.now),
    };
    Ok(Decision {
        effects: vec![Effect::OwnerCreated(owner.clone())],
        reply: Reply::Owner(owner),
    })
}
