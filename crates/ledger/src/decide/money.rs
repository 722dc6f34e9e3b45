//! Simulated money from and to the outside, settled at once.

use std::sync::Arc;

use super::accounts::system_account;
use super::{Context, Decision, Reply, TEXT_MAX, account_of, check_text, tenant_of};
use crate::account::{Account, AccountKind, AccountState, InstrumentClass, SystemKind};
use crate::command::{MoneyIn, MoneyOut};
use crate::effect::Effect;
use crate::id::{AccountId, TenantId, TransferId};
use crate::money::Amount;
use crate::posting::Posting;
use crate::profile::Terms;
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
    let presented =
        account_of(state, tenant.id, money.destination).ok_or(Rejection::DestinationNotFound)?;
    let account = behind_card(state, presented)
        .filter(|account| account.kind.is_held())
        .ok_or(Rejection::DestinationNotAllowed)?;
    if account.state != AccountState::Active {
        return Err(Rejection::DestinationNotActive {
            state: account.state,
        });
    }
    let outside = Outside {
        tenant,
        account,
        card: card_of(presented, money.origin),
        amount: money.amount,
        fee_minor: deposit_fee(state, account, money),
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
    let (presented, account) = source_accounts(state, tenant.id, money.source)?;
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
        card: card_of(presented, money.origin),
        amount: money.amount,
        fee_minor: 0,
        direction: Direction::MoneyOut,
        origin: money.origin,
        description: money.description.as_ref(),
    };
    settle_with_world(state, &outside, context)
}

/// What was presented, and the account that has its money.
fn source_accounts(
    state: &State,
    tenant: TenantId,
    id: AccountId,
) -> Result<(&Account, &Account), Rejection> {
    let presented = account_of(state, tenant, id).ok_or(Rejection::SourceNotFound)?;
    let account = behind_card(state, presented)
        .filter(|account| account.kind.is_held())
        .ok_or(Rejection::SourceNotAllowed)?;
    // A card that is blocked spends nothing, whatever is on its parent.
    for account in [presented, account] {
        if account.state != AccountState::Active {
            return Err(Rejection::SourceNotActive {
                state: account.state,
            });
        }
    }
    Ok((presented, account))
}

/// The card of what a card does.
fn card_of(presented: &Account, origin: Origin) -> Option<AccountId> {
    let is_card = presented.kind.instrument() == Some(InstrumentClass::Card);
    (is_card && origin.is_of_card()).then_some(presented.id)
}

/// The account whose money a card spends: its own, or that of a debit card's parent.
fn behind_card<'a>(state: &'a State, account: &'a Account) -> Option<&'a Account> {
    if account.kind == AccountKind::DebitCard {
        account.parent.and_then(|parent| state.account(parent))
    } else {
        Some(account)
    }
}

/// What the account's profile takes of a deposit, in minor units. A deposit that is not larger
/// than its fee is free: a fee is taken only where there is enough for it (weavr-api §7).
fn deposit_fee(state: &State, account: &Account, money: &MoneyIn) -> i64 {
    let profile = account.profile.and_then(|id| state.profile(id));
    let Some(Terms::ManagedAccount { deposit_fees, .. }) = profile.map(|profile| &profile.terms)
    else {
        return 0;
    };
    let currency = money.amount.currency();
    let line = deposit_fees.iter().find(|line| line.currency == currency);
    line.filter(|_| money.origin == Origin::Deposit)
        .and_then(|line| line.fee.on(money.amount.minor()))
        .filter(|fee| *fee < money.amount.minor())
        .unwrap_or(0)
}

/// One movement between an account and the outside world.
struct Outside<'a> {
    tenant: &'a Tenant,
    account: &'a Account,
    card: Option<AccountId>,
    amount: Amount,
    /// What of the amount is a fee.
    fee_minor: i64,
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
        card,
        amount,
        fee_minor,
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
        profile: None,
        tag: None,
        scheduled_at: None,
        fee_minor,
        cancel_reason: None,
        card,
        created_at: now,
        updated_at: now,
        completed_at: Some(now),
    };
    let mut system = |kind| {
        let (tenant, owner) = (tenant.id, account.owner);
        let currency = amount.currency();
        system_account(state, tenant, owner, kind, currency, now, context)
    };
    let (world, opened) = system(SystemKind::World);
    let mut effects: Vec<Effect> = opened.into_iter().collect();
    let net = Amount::new(amount.minor().saturating_sub(fee_minor), amount.currency());
    let posting = match (inward, net) {
        (true, Ok(net)) if fee_minor > 0 => {
            let (fees, opened) = system(SystemKind::FeeIncome);
            effects.extend(opened);
            Posting::movement_with_fee(net, fee_minor, &world, account, &fees)
        }
        (true, _) => Posting::movement(amount, &world, account),
        (false, _) => Posting::movement(amount, account, &world),
    };
    let posting = posting.ok_or(Rejection::BalanceOverflow)?;
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
