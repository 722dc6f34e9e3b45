//! Simulated money from and to the outside, settled at once.

use std::sync::Arc;

use super::accounts::system_account;
use super::{Context, Decision, Reply, TEXT_MAX, account_of, check_text, tenant_of};
use crate::account::{Account, AccountState, SystemKind};
use crate::command::{MoneyIn, MoneyOut};
use crate::effect::Effect;
use crate::id::{AccountId, TenantId, TransferId};
use crate::money::Amount;
use crate::posting::Posting;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::{Tenant, TenantMode};
use crate::transfer::{Direction, Origin, Status, Transfer};

pub(super) fn money_in(
    state: &State,
    money: &MoneyIn,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = sandbox_of(state, money.tenant)?;
    let account =
        account_of(state, tenant.id, money.destination).ok_or(Rejection::DestinationNotFound)?;
    if !account.kind.is_held() {
        return Err(Rejection::DestinationNotAllowed);
    }
    if account.state != AccountState::Active {
        return Err(Rejection::DestinationNotActive {
            state: account.state,
        });
    }
    let outside = Outside {
        tenant,
        account,
        amount: money.amount,
        direction: Direction::MoneyIn,
        origin: money.origin,
        description: money.description.as_ref(),
    };
    settle_with_world(state, &outside, context)
}

pub(super) fn money_out(
    state: &State,
    money: &MoneyOut,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = sandbox_of(state, money.tenant)?;
    let account = source_account(state, tenant.id, money.source)?;
    if account.currency == money.amount.currency() && account.available() < money.amount.minor() {
        return Err(Rejection::InsufficientFunds {
            account: account.id,
            available: account.available(),
            requested: money.amount.minor(),
        });
    }
    let outside = Outside {
        tenant,
        account,
        amount: money.amount,
        direction: Direction::MoneyOut,
        origin: Origin::ExternalPull,
        description: money.description.as_ref(),
    };
    settle_with_world(state, &outside, context)
}

fn source_account(state: &State, tenant: TenantId, id: AccountId) -> Result<&Account, Rejection> {
    let account = account_of(state, tenant, id).ok_or(Rejection::SourceNotFound)?;
    if !account.kind.is_held() {
        return Err(Rejection::SourceNotAllowed);
    }
    if account.state != AccountState::Active {
        return Err(Rejection::SourceNotActive {
            state: account.state,
        });
    }
    Ok(account)
}

/// One movement between an account and the outside world.
struct Outside<'a> {
    tenant: &'a Tenant,
    account: &'a Account,
    amount: Amount,
    direction: Direction,
    origin: Origin,
    description: Option<&'a Arc<str>>,
}

fn settle_with_world(
    state: &State,
    outside: &Outside<'_>,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let Outside {
        tenant,
        account,
        amount,
        ..
    } = *outside;
    if let Some(description) = outside.description {
        check_text("description", description, 0, TEXT_MAX)?;
    }
    if account.currency != amount.currency() {
        return Err(Rejection::CurrencyMismatch);
    }
    let now = tenant.clock.now(context.now);
    let inward = outside.direction == Direction::MoneyIn;
    let transfer = Transfer {
        id: TransferId::new(context.new_id()),
        tenant: tenant.id,
        owner: account.owner,
        source: (!inward).then_some(account.id),
        destination: inward.then_some(account.id),
        amount,
        direction: outside.direction,
        origin: outside.origin,
        rail: None,
        rail_delay_ms: 0,
        status: Status::Complete,
        error: None,
        rule: None,
        key: None,
        description: outside.description.cloned(),
        created_at: now,
        updated_at: now,
        completed_at: Some(now),
    };
    let (world, opened) = system_account(
        state,
        tenant.id,
        account.owner,
        SystemKind::World,
        amount.currency(),
        now,
        context,
    );
    let (from, to) = if inward {
        (&world, account)
    } else {
        (account, &world)
    };
    let posting = Posting::movement(amount, from, to).ok_or(Rejection::BalanceOverflow)?;
    let mut effects: Vec<Effect> = opened.into_iter().collect();
    effects.push(Effect::TransferRecorded(transfer.clone()));
    effects.push(Effect::Posted {
        transfer: transfer.id,
        at: now,
        posting,
    });
    let party = Some(account.party());
    let (source, destination) = if inward { (None, party) } else { (party, None) };
    Ok(Decision {
        effects,
        reply: Reply::Transfer {
            transfer,
            source,
            destination,
        },
    })
}

fn sandbox_of(state: &State, tenant: TenantId) -> Result<&Tenant, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    if tenant.mode != TenantMode::Sandbox {
        return Err(Rejection::SandboxOnly);
    }
    Ok(tenant)
}
