//! Making and changing profiles.

use std::sync::Arc;

use super::{Context, Decision, NAME_MAX, Reply, check_text, tenant_of};
use crate::command::{ChangeProfile, NewProfile};
use crate::effect::Effect;
use crate::id::{ProfileId, TenantId};
use crate::money::{Amount, Currency};
use crate::profile::{Fee, LINES_MAX, Profile, ProfileKind, Terms};
use crate::rejection::Rejection;
use crate::state::State;

pub(super) fn create(
    state: &State,
    new: &NewProfile,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, new.tenant)?;
    check(&new.name, &new.currencies, &new.terms)?;
    let now = tenant.clock.now(context.now);
    Ok(set(Profile {
        id: ProfileId::new(context.new_id()),
        tenant: tenant.id,
        name: Arc::clone(&new.name),
        active: true,
        currencies: new.currencies.clone(),
        terms: new.terms.clone(),
        created_at: now,
        updated_at: now,
    }))
}

pub(super) fn change(
    state: &State,
    change: &ChangeProfile,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, change.tenant)?;
    let known = state
        .profile(change.profile)
        .filter(|profile| profile.tenant == tenant.id)
        .ok_or(Rejection::ProfileNotFound)?;
    let or = |new: &Option<Vec<Currency>>| new.clone().unwrap_or(known.currencies.clone());
    let profile = Profile {
        name: Arc::clone(change.name.as_ref().unwrap_or(&known.name)),
        active: change.active.unwrap_or(known.active),
        currencies: or(&change.currencies),
        terms: change.terms.clone().unwrap_or(known.terms.clone()),
        updated_at: tenant.clock.now(context.now),
        ..known.clone()
    };
    check(&profile.name, &profile.currencies, &profile.terms)?;
    let same = profile.terms.kind() == known.terms.kind() && mode(&profile) == mode(known);
    if !same {
        return Err(Rejection::Invalid {
            field: "type",
            reason: "never changes",
        });
    }
    Ok(set(profile))
}

/// The profile of this kind that something new may be made under.
pub(super) fn usable(
    state: &State,
    tenant: TenantId,
    id: ProfileId,
    kind: ProfileKind,
) -> Result<&Profile, Rejection> {
    let profile = state
        .profile(id)
        .filter(|profile| profile.tenant == tenant && profile.terms.kind() == kind)
        .ok_or(Rejection::ProfileNotFound)?;
    if profile.active {
        Ok(profile)
    } else {
        Err(Rejection::ProfileInactive)
    }
}

fn mode(profile: &Profile) -> Option<crate::profile::CardMode> {
    match profile.terms {
        Terms::ManagedCard { mode, .. } => Some(mode),
        _ => None,
    }
}

fn set(profile: Profile) -> Decision {
    Decision {
        effects: vec![Effect::ProfileSet(profile.clone())],
        reply: Reply::Profile(profile),
    }
}

fn check(name: &str, currencies: &[Currency], terms: &Terms) -> Result<(), Rejection> {
    check_text("name", name, 1, NAME_MAX)?;
    once("currencies", currencies.iter())?;
    match terms {
        Terms::Corporate | Terms::Consumer => Ok(()),
        Terms::ManagedAccount {
            max_balances,
            deposit_fees,
        } => {
            limits("max_balances", max_balances)?;
            once("deposit_fees", deposit_fees.iter().map(|fee| fee.currency))?;
            fees("deposit_fees", deposit_fees.iter().map(|line| line.fee))
        }
        Terms::ManagedCard { max_balances, .. } => limits("max_balances", max_balances),
        Terms::Transfer(terms) => {
            once("pairs", terms.pairs.iter())?;
            once(
                "fees",
                terms.fees.iter().map(|fee| (fee.pair, fee.currency)),
            )?;
            fees("fees", terms.fees.iter().map(|line| line.fee))?;
            limits("max_amounts", &terms.max_amounts)?;
            limits("deny_above", &terms.deny_above)
        }
    }
}

fn limits(field: &'static str, limits: &[Amount]) -> Result<(), Rejection> {
    once(field, limits.iter().map(|limit| limit.currency()))
}

fn fees(field: &'static str, mut fees: impl Iterator<Item = Fee>) -> Result<(), Rejection> {
    if fees.any(|fee| fee.flat() < 0) {
        let reason = "must not be negative";
        return Err(Rejection::Invalid { field, reason });
    }
    Ok(())
}

/// Of two lines about the same thing none is guessed.
fn once<T: Ord>(field: &'static str, lines: impl Iterator<Item = T>) -> Result<(), Rejection> {
    let mut lines: Vec<T> = lines.collect();
    let count = lines.len();
    lines.sort_unstable();
    lines.dedup();
    let reason = if count > LINES_MAX {
        "must have at most 200 lines"
    } else if lines.len() != count {
        "must not have two lines about the same thing"
    } else {
        return Ok(());
    };
    Err(Rejection::Invalid { field, reason })
}
