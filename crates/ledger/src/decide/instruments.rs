//! Managed accounts and cards: opening them under a profile, and what they are called.

use std::sync::Arc;

use super::{
    Context, Decision, NAME_MAX, Reply, check_tag, check_text, owner_of, profiles, seen_by,
    tenant_of,
};
use crate::account::{Account, AccountKind, AccountState, InstrumentClass, Reported};
use crate::command::{ChangeAccount, DETAILS_MAX, OpenInstrument};
use crate::effect::Effect;
use crate::id::AccountId;
use crate::money::Currency;
use crate::profile::{CardMode, ProfileKind, Terms};
use crate::rejection::Rejection;
use crate::state::State;

/// Refusals in this order: owner, profile (missing, switched off), texts, parent, currency.
pub(super) fn open(
    state: &State,
    open: &OpenInstrument,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, open.tenant)?;
    let owner = owner_of(state, tenant.id, open.owner)?;
    let wanted = match open.class {
        InstrumentClass::Account => ProfileKind::ManagedAccount,
        InstrumentClass::Card => ProfileKind::ManagedCard,
    };
    let profile = profiles::usable(state, tenant.id, open.profile, wanted)?;
    let kind = match profile.terms {
        Terms::ManagedCard {
            mode: CardMode::Debit,
            ..
        } => AccountKind::DebitCard,
        Terms::ManagedCard { .. } => AccountKind::PrepaidCard,
        _ => AccountKind::Pod,
    };
    check_text("name", &open.name, 1, NAME_MAX)?;
    check_tag("tag", open.tag.as_deref())?;
    check_details(open.details.as_deref())?;
    let currency = currency(state, open, kind)?;
    if !profile.allows(currency) {
        return Err(Rejection::CurrencyNotInProfile);
    }
    let id = AccountId::new(context.new_id());
    let (can_be_source, can_be_destination) = kind.default_roles();
    let now = tenant.clock.now(context.now);
    let card = open.class == InstrumentClass::Card;
    let account = Account {
        id,
        tenant: tenant.id,
        owner: owner.id,
        kind,
        name: Arc::clone(&open.name),
        description: None,
        institution: None,
        number_last_four: card.then(|| last_four(id)),
        routing_last_four: None,
        currency,
        profile: Some(profile.id),
        parent: open.parent,
        tag: open.tag.clone(),
        details: open.details.clone(),
        state: AccountState::Active,
        reason: None,
        can_be_source,
        can_be_destination,
        reported: Reported::default(),
        created_at: now,
        updated_at: now,
        balance: 0,
        held: 0,
        entries: 0,
    };
    Ok(Decision {
        effects: vec![Effect::AccountOpened(account.clone())],
        reply: Reply::Account(account),
    })
}

/// A debit card is counted in what its parent is counted in; anything else says it itself.
fn currency(
    state: &State,
    open: &OpenInstrument,
    kind: AccountKind,
) -> Result<Currency, Rejection> {
    let invalid = |field, reason| Err(Rejection::Invalid { field, reason });
    let Some(parent) = open.parent else {
        return match open.currency {
            _ if kind == AccountKind::DebitCard => {
                invalid("parent", "is required for a debit card")
            }
            Some(currency) => Ok(currency),
            None => invalid("currency", "is required"),
        };
    };
    if kind != AccountKind::DebitCard {
        return invalid("parent", "is for debit cards only");
    }
    let parent = seen_by(state, open.tenant, Some(open.owner), parent)
        .filter(|account| account.kind == AccountKind::Pod)
        .ok_or(Rejection::ParentNotFound)?;
    if parent.state != AccountState::Active {
        return Err(Rejection::ParentNotActive);
    }
    if open
        .currency
        .is_some_and(|wanted| wanted != parent.currency)
    {
        return Err(Rejection::CurrencyMismatch);
    }
    Ok(parent.currency)
}

/// Four digits that make cards tell apart: there is no card number behind them.
fn last_four(id: AccountId) -> Arc<str> {
    // The sequence of an id is in its lower bits; a multiplication spreads it over the digits.
    let spread = id.raw().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    Arc::from(format!("{:04}", spread.rem_euclid(10_000)))
}

fn check_details(details: Option<&str>) -> Result<(), Rejection> {
    if details.is_some_and(|details| details.len() > DETAILS_MAX) {
        let (field, reason) = ("details", "must have at most 32768 bytes");
        return Err(Rejection::Invalid { field, reason });
    }
    Ok(())
}

pub(super) fn change(
    state: &State,
    change: &ChangeAccount,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, change.tenant)?;
    let account = seen_by(state, tenant.id, change.owner, change.account)
        .ok_or(Rejection::AccountNotFound)?;
    if account.state == AccountState::Destroyed {
        return Err(Rejection::AlreadyInState {
            state: account.state,
        });
    }
    if let Some(name) = &change.name {
        check_text("name", name, 1, NAME_MAX)?;
    }
    check_tag("tag", change.tag.as_deref())?;
    if let Some(details) = &change.details {
        check_details(Some(&*details.now))?;
        if details.was != account.details {
            return Err(Rejection::DetailsChanged);
        }
    }
    let at = tenant.clock.now(context.now);
    let changed = Account {
        name: Arc::clone(change.name.as_ref().unwrap_or(&account.name)),
        tag: change.tag.clone().or_else(|| account.tag.clone()),
        details: match &change.details {
            Some(details) => Some(Arc::clone(&details.now)),
            None => account.details.clone(),
        },
        updated_at: at,
        ..account.clone()
    };
    Ok(Decision {
        effects: vec![Effect::AccountChanged {
            account: account.id,
            name: Arc::clone(&changed.name),
            tag: changed.tag.clone(),
            details: changed.details.clone(),
            at,
        }],
        reply: Reply::Account(changed),
    })
}
