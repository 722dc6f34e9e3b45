//! Reserving money and giving it free.

use super::{Context, Decision, Reply, account_of, tenant_of};
use crate::account::AccountState;
use crate::command::PlaceHold;
use crate::effect::{Due, Effect, Hold, Work};
use crate::id::{HoldId, TenantId};
use crate::rejection::Rejection;
use crate::state::State;

pub(super) fn place(
    state: &State,
    place: &PlaceHold,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, place.tenant)?;
    let account = account_of(state, tenant.id, place.account).ok_or(Rejection::AccountNotFound)?;
    if !account.kind.is_held() {
        return Err(Rejection::SourceNotAllowed);
    }
    if account.state != AccountState::Active {
        return Err(Rejection::SourceNotActive {
            state: account.state,
        });
    }
    if account.currency != place.amount.currency() {
        return Err(Rejection::CurrencyMismatch);
    }
    let now = tenant.clock.now(context.now);
    if place.expires_at.is_some_and(|at| at <= now) {
        return Err(Rejection::Invalid {
            field: "expires_at",
            reason: "must be in the future",
        });
    }
    if account.available() < place.amount.minor() {
        return Err(Rejection::InsufficientFunds {
            account: account.id,
            available: account.available(),
            requested: place.amount.minor(),
        });
    }
    let hold = Hold {
        id: HoldId::new(context.new_id()),
        tenant: tenant.id,
        account: account.id,
        amount: place.amount,
        created_at: now,
        expires_at: place.expires_at,
    };
    let mut effects = vec![Effect::HoldPlaced(hold)];
    effects.extend(expiry(&hold).map(Effect::DueAdded));
    Ok(Decision {
        effects,
        reply: Reply::Hold(hold),
    })
}

pub(super) fn release(
    state: &State,
    tenant: TenantId,
    hold: HoldId,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let hold = state
        .hold(hold)
        .filter(|hold| hold.tenant == tenant.id)
        .ok_or(Rejection::HoldNotFound)?;
    let mut effects = vec![Effect::HoldReleased(hold.id)];
    effects.extend(expiry(hold).map(Effect::DueRemoved));
    Ok(Decision {
        effects,
        reply: Reply::Hold(*hold),
    })
}

fn expiry(hold: &Hold) -> Option<Due> {
    let at = hold.expires_at?;
    Some(Due {
        tenant: hold.tenant,
        at,
        work: Work::ExpireHold(hold.id),
    })
}
