//! Opening, blocking and closing accounts.

use std::sync::Arc;

use super::{Context, Decision, NAME_MAX, Reply, TEXT_MAX, account_of, check_text, tenant_of};
use crate::account::{Account, AccountKind, AccountState, Reported, StateReason, SystemKind};
use crate::command::OpenAccount;
use crate::effect::Effect;
use crate::id::{AccountId, OwnerId, TenantId};
use crate::money::Currency;
use crate::rejection::Rejection;
use crate::state::State;
use crate::time::Millis;

pub(super) fn open(
    state: &State,
    open: &OpenAccount,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, open.tenant)?;
    let owner = state
        .owner(open.owner)
        .filter(|owner| owner.tenant == tenant.id)
        .ok_or(Rejection::OwnerNotFound)?;
    check_open(open)?;
    let (source, destination) = open.kind.default_roles();
    let now = tenant.clock.now(context.now);
    let account = Account {
        id: AccountId::new(context.new_id()),
        tenant: tenant.id,
        owner: owner.id,
        kind: open.kind,
        name: Arc::clone(&open.name),
        description: open.description.clone(),
        institution: open.institution.clone(),
        number_last_four: open.number_last_four.clone(),
        routing_last_four: open.routing_last_four.clone(),
        currency: open.currency,
        profile: None,
        parent: None,
        tag: None,
        details: None,
        state: AccountState::Active,
        reason: None,
        can_be_source: open.can_be_source.unwrap_or(source),
        can_be_destination: open.can_be_destination.unwrap_or(destination),
        reported: Reported {
            updated_at: (open.reported != Reported::default()).then_some(now),
            ..open.reported.clone()
        },
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

fn check_open(open: &OpenAccount) -> Result<(), Rejection> {
    let invalid = |field, reason| Err(Rejection::Invalid { field, reason });
    if matches!(open.kind, AccountKind::System(_)) {
        return invalid("type", "must not be a system account");
    }
    if matches!(open.kind, AccountKind::PrepaidCard | AccountKind::DebitCard) {
        return invalid(
            "type",
            "must not be a card: cards are opened under a profile",
        );
    }
    check_text("name", &open.name, 1, NAME_MAX)?;
    if let Some(description) = &open.description {
        check_text("description", description, 0, TEXT_MAX)?;
    }
    if let Some(institution) = &open.institution {
        check_text("institution_name", institution, 1, NAME_MAX)?;
    }
    for (field, digits) in [
        ("account_number_last_four", &open.number_last_four),
        ("routing_number_last_four", &open.routing_last_four),
    ] {
        if let Some(digits) = digits
            && (digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return invalid(field, "must be four digits");
        }
    }
    let external = matches!(open.kind, AccountKind::External(_));
    if !external && open.reported != Reported::default() {
        return invalid("reported", "is for external accounts only");
    }
    if open.can_be_source == Some(true) && external && !open.kind.default_roles().0 {
        return invalid(
            "can_be_source",
            "must be false: this account only takes money in",
        );
    }
    Ok(())
}

/// Blocks, unblocks or closes `account`, for a reason. A block of another's is not the user's to
/// lift (weavr-api §4.1).
pub(super) fn set_state(
    state: &State,
    tenant: TenantId,
    account: Option<&Account>,
    (wanted, reason): (AccountState, StateReason),
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let account = account.ok_or(Rejection::AccountNotFound)?;
    if account.state == wanted || account.state == AccountState::Destroyed {
        return Err(Rejection::AlreadyInState {
            state: account.state,
        });
    }
    let others = account.reason.unwrap_or(StateReason::User) != StateReason::User;
    if wanted == AccountState::Active && others && reason == StateReason::User {
        return Err(Rejection::BlockedByOther);
    }
    if wanted == AccountState::Destroyed {
        if account.balance != 0 {
            return Err(Rejection::BalanceNotZero {
                balance: account.balance,
            });
        }
        let id = Some(account.id);
        let in_use = state
            .open_transfers()
            .any(|t| t.source == id || t.destination == id);
        if account.held != 0 || in_use {
            return Err(Rejection::AccountInUse);
        }
        if state.has_linked_cards(account.id) {
            return Err(Rejection::LinkedCards);
        }
    }
    let at = tenant.clock.now(context.now);
    let reason = (wanted != AccountState::Active).then_some(reason);
    let changed = Account {
        state: wanted,
        reason,
        updated_at: at,
        ..account.clone()
    };
    Ok(Decision {
        effects: vec![Effect::AccountStateSet {
            account: account.id,
            state: wanted,
            reason,
            at,
        }],
        reply: Reply::Account(changed),
    })
}

/// Closes `account` for its user. A rule that names it, on or off, would fail from then on.
pub(super) fn delete(
    state: &State,
    tenant: TenantId,
    account: AccountId,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let known = account_of(state, tenant, account);
    let wanted = (AccountState::Destroyed, StateReason::User);
    let decision = set_state(state, tenant, known, wanted, context)?;
    let mut rules = known.into_iter().flat_map(|it| state.rules_of(it.owner));
    match rules.find(|rule| rule.accounts().contains(&account)) {
        Some(rule) => Err(Rejection::NamedByRule { rule: rule.id }),
        None => Ok(decision),
    }
}

/// The owner's system account of this kind, opened now if it is not there yet.
///
/// The second part is the effect that opens it.
pub(super) fn system_account(
    state: &State,
    tenant: TenantId,
    owner: OwnerId,
    kind: SystemKind,
    currency: Currency,
    at: Millis,
    context: &mut Context<'_>,
) -> (Account, Option<Effect>) {
    if let Some(account) = state.system_account(owner, kind, currency) {
        return (account.clone(), None);
    }
    let name = match kind {
        SystemKind::World => "world",
        SystemKind::InTransit(_) => "in transit",
        SystemKind::FeeIncome => "fee income",
    };
    let account = Account {
        id: AccountId::new(context.new_id()),
        tenant,
        owner,
        kind: AccountKind::System(kind),
        name: Arc::from(name),
        description: None,
        institution: None,
        number_last_four: None,
        routing_last_four: None,
        currency,
        profile: None,
        parent: None,
        tag: None,
        details: None,
        state: AccountState::Active,
        reason: None,
        can_be_source: false,
        can_be_destination: false,
        reported: Reported::default(),
        created_at: at,
        updated_at: at,
        balance: 0,
        held: 0,
        entries: 0,
    };
    (account.clone(), Some(Effect::AccountOpened(account)))
}
