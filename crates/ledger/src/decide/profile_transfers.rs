//! Transfers between two instruments of one identity, under a profile.
//!
//! All checks stand in [`check`], in the documented order, source before destination
//! (weavr-api §5.2, `docs/decisions/2026-11-21-multi-refusals.md`). A scheduled transfer goes
//! through them twice: when it is made, except what depends on money, and when its time has come.

use std::sync::Arc;

use super::accounts::system_account;
use super::{
    Context, Decision, Reply, TAG_MAX, TEXT_MAX, check_tag, check_text, owner_of, profiles,
    seen_by, tenant_of, transfers,
};
use crate::account::{Account, AccountKind, AccountState, SystemKind};
use crate::command::{Instrument, ProfileTransfer, TransferOrder};
use crate::effect::{Due, Effect, Work};
use crate::id::{KeyId, OwnerId, TenantId, TransferId};
use crate::money::Amount;
use crate::posting::Posting;
use crate::profile::{FeePolicy, Pair, ProfileKind, Terms, TransferTerms, limit};
use crate::rejection::Rejection;
use crate::state::State;
use crate::time::Millis;
use crate::transfer::{Denial, Direction, ErrorCode, Origin, Status, Transfer};

/// The last time that a transfer can be scheduled for: the end of the year 9999, the last that
/// every form of a timestamp can write.
pub(super) const SCHEDULED_LATEST: Millis = Millis(253_402_300_799_999);

/// Executes a transfer at once, or records it for later.
pub(super) fn create(
    state: &State,
    transfer: &ProfileTransfer,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, transfer.tenant)?;
    let now = tenant.clock.now(context.now);
    let by = By {
        tenant: tenant.id,
        owner: transfer.owner,
        key: transfer.key,
    };
    make(state, by, &transfer.order, now, context)
}

/// Who makes a transfer.
#[derive(Clone, Copy)]
pub(super) struct By {
    pub tenant: TenantId,
    pub owner: OwnerId,
    pub key: Option<KeyId>,
}

pub(super) fn make(
    state: &State,
    by: By,
    order: &TransferOrder,
    now: Millis,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    owner_of(state, by.tenant, by.owner)?;
    check_texts(order)?;
    let checked = check(state, by.tenant, by.owner, order, Some(now))?;
    let mut transfer = Transfer {
        id: TransferId::new(context.new_id()),
        tenant: by.tenant,
        owner: by.owner,
        source: Some(checked.source.id),
        destination: Some(checked.destination.id),
        amount: checked.amount,
        direction: Direction::Internal,
        origin: Origin::User,
        rail: None,
        rail_delay_ms: 0,
        status: Status::Scheduled,
        error: None,
        rule: None,
        key: by.key,
        description: order.description.clone(),
        profile: Some(order.profile),
        tag: order.tag.clone(),
        scheduled_at: order.scheduled_at,
        fee_minor: 0,
        cancel_reason: None,
        card: None,
        created_at: now,
        updated_at: now,
        completed_at: None,
    };
    let parties = (checked.source.party(), checked.destination.party());
    let mut effects = Vec::with_capacity(2);
    if let Some(at) = order.scheduled_at {
        effects.push(Effect::TransferRecorded(transfer.clone()));
        effects.push(Effect::DueAdded(Due {
            tenant: by.tenant,
            at,
            work: Work::Settle(transfer.id),
        }));
    } else {
        let fee_minor = afford(&checked)?;
        transfer.status = Status::Complete;
        transfer.completed_at = Some(now);
        transfer.fee_minor = fee_minor;
        let id = transfer.id;
        let posting = post(state, by, &checked, fee_minor, now, context)?;
        effects.push(Effect::TransferRecorded(transfer.clone()));
        effects.splice(0..0, posting.opened);
        effects.push(Effect::Posted {
            transfer: id,
            at: now,
            posting: posting.entries,
        });
    }
    Ok(Decision {
        effects,
        reply: Reply::Transfer {
            transfer,
            source: Some(parties.0),
            destination: Some(parties.1),
        },
    })
}

/// The texts of an order, which need nothing but themselves to be looked at.
pub(super) fn check_texts(order: &TransferOrder) -> Result<(), Rejection> {
    if let Some(description) = &order.description {
        check_description(description)?;
    }
    check_tag("tag", order.tag.as_deref())
}

/// Notes of Multi may have line breaks and other white space, which a name may not.
fn check_description(description: &str) -> Result<(), Rejection> {
    let line = |c: char| if matches!(c, '\t'..='\r') { ' ' } else { c };
    let flat: String = description.chars().map(line).collect();
    check_text("description", &flat, 0, TEXT_MAX)
}

/// A transfer that passed every check but those about money.
struct Checked<'a> {
    terms: &'a TransferTerms,
    source: &'a Account,
    destination: &'a Account,
    destination_limit: Option<i64>,
    amount: Amount,
    fee_minor: i64,
}

/// Every check but those about money, in the documented order. `created_at` is when it is made;
/// `None` when its time has come.
fn check<'a>(
    state: &'a State,
    tenant: TenantId,
    owner: OwnerId,
    order: &TransferOrder,
    created_at: Option<Millis>,
) -> Result<Checked<'a>, Rejection> {
    let denied = |denial| Err(Rejection::Denied(denial));
    let profile = profiles::usable(state, tenant, order.profile, ProfileKind::Transfer).map_err(
        |rejection| match rejection {
            Rejection::ProfileInactive => Rejection::Denied(Denial::ProfileInactive),
            other => other,
        },
    )?;
    let Terms::Transfer(terms) = &profile.terms else {
        return Err(Rejection::ProfileNotFound);
    };
    if order.amount_minor <= 0 {
        return denied(Denial::AmountInvalid);
    }
    let find = |instrument: Instrument, missing| {
        seen_by(state, tenant, Some(owner), instrument.id)
            .filter(|account| account.kind.instrument() == Some(instrument.class))
            .ok_or(Rejection::Denied(missing))
    };
    let source = find(order.source, Denial::SourceNotFound)?;
    let destination = find(order.destination, Denial::DestinationNotFound)?;
    if source.id == destination.id {
        return denied(Denial::SameInstrument);
    }
    check_instruments(source, destination)?;
    let amount = check_currencies(terms, order, source, destination)?;
    if let (Some(at), Some(now)) = (order.scheduled_at, created_at)
        && (at <= now || at > SCHEDULED_LATEST)
    {
        return denied(Denial::ScheduledTimeInvalid);
    }
    let pair = Pair {
        source: order.source.class,
        destination: order.destination.class,
    };
    if !terms.pairs.is_empty() && !terms.pairs.contains(&pair) {
        return denied(Denial::PairUnsupported);
    }
    let fee_minor = fee(terms, pair, amount)?;
    let above = |limits| limit(limits, amount.currency()).is_some_and(|most| amount.minor() > most);
    if !profile.allows(amount.currency()) || above(&terms.max_amounts) {
        return denied(Denial::ModelConstraintsViolated);
    }
    if above(&terms.deny_above) {
        return denied(Denial::InterceptorDenied);
    }
    let destination_limit = destination
        .profile
        .and_then(|id| state.profile(id))
        .and_then(|profile| profile.terms.max_balance(amount.currency()));
    Ok(Checked {
        terms,
        source,
        destination,
        destination_limit,
        amount,
        fee_minor,
    })
}

/// Debit cards, then what is destroyed, then what is blocked, then what takes no part.
fn check_instruments(source: &Account, destination: &Account) -> Result<(), Rejection> {
    let debit = |account: &Account| account.kind == AccountKind::DebitCard;
    let is = |account: &Account, state| account.state == state;
    use AccountState::{Blocked, Destroyed};
    let denial = match () {
        () if debit(source) => Denial::SourceIsDebitCard,
        () if debit(destination) => Denial::DestinationIsDebitCard,
        () if is(source, Destroyed) => Denial::SourceDestroyed,
        () if is(destination, Destroyed) => Denial::DestinationDestroyed,
        () if is(source, Blocked) => Denial::SourceBlocked,
        () if is(destination, Blocked) => Denial::DestinationBlocked,
        () if !source.can_be_source || !destination.can_be_destination => Denial::InstrumentDenied,
        () => return Ok(()),
    };
    Err(Rejection::Denied(denial))
}

fn check_currencies(
    terms: &TransferTerms,
    order: &TransferOrder,
    source: &Account,
    destination: &Account,
) -> Result<Amount, Rejection> {
    let trade = source.currency != destination.currency;
    match order.currency {
        Some(currency) if currency == destination.currency && !trade => {
            Amount::new(order.amount_minor, currency)
                .map_err(|_| Rejection::Denied(Denial::AmountInvalid))
        }
        Some(currency) if currency == destination.currency && terms.forex => {
            Err(Rejection::Denied(Denial::ForexTradeDenied))
        }
        _ => Err(Rejection::Denied(Denial::CurrencyMismatch)),
    }
}

/// The fee of this pair in this currency. A pair without any fee costs nothing.
fn fee(terms: &TransferTerms, pair: Pair, amount: Amount) -> Result<i64, Rejection> {
    let mut of_pair = terms.fees.iter().filter(|fee| fee.pair == pair).peekable();
    if of_pair.peek().is_none() {
        return Ok(0);
    }
    let missing = Rejection::Denied(Denial::FeeNotConfiguredForCurrency);
    let line = of_pair
        .find(|fee| fee.currency == amount.currency())
        .ok_or(missing)?;
    // A fee beyond 64 bits is one that nobody can afford.
    Ok(line.fee.on(amount.minor()).unwrap_or(i64::MAX))
}

/// Whether the source has the money and the destination has the room. Gives the fee to take.
fn afford(checked: &Checked<'_>) -> Result<i64, Rejection> {
    let denied = |denial| Err(Rejection::Denied(denial));
    let minor = checked.amount.minor();
    let available = checked.source.available();
    let rest = available.saturating_sub(minor);
    if available < minor {
        return denied(Denial::FundsInsufficient);
    }
    let fee_minor = match checked.terms.fee_policy {
        _ if rest >= checked.fee_minor => checked.fee_minor,
        FeePolicy::BestEffort => 0,
        FeePolicy::Required => return denied(Denial::FundsInsufficient),
    };
    let limit = checked.destination_limit.unwrap_or(i64::MAX);
    match checked.destination.balance.checked_add(minor) {
        Some(after) if after <= limit => Ok(fee_minor),
        _ => denied(Denial::DestinationLimitExceeded),
    }
}

struct Posted {
    opened: Option<Effect>,
    entries: Posting,
}

fn post(
    state: &State,
    by: By,
    checked: &Checked<'_>,
    fee_minor: i64,
    now: Millis,
    context: &mut Context<'_>,
) -> Result<Posted, Rejection> {
    let (amount, from, to) = (checked.amount, checked.source, checked.destination);
    if fee_minor == 0 {
        let entries = Posting::movement(amount, from, to).ok_or(Rejection::BalanceOverflow)?;
        return Ok(Posted {
            opened: None,
            entries,
        });
    }
    let (fees, opened) = system_account(
        state,
        by.tenant,
        by.owner,
        SystemKind::FeeIncome,
        amount.currency(),
        now,
        context,
    );
    let entries = Posting::movement_with_fee(amount, fee_minor, from, to, &fees)
        .ok_or(Rejection::BalanceOverflow)?;
    Ok(Posted { opened, entries })
}

/// Executes a scheduled transfer whose time has come: all checks again, then the money.
pub(super) fn execute(
    state: &State,
    transfer: &Transfer,
    now: Millis,
    context: &mut Context<'_>,
) -> Result<Executed, ErrorCode> {
    try_execute(state, transfer, now, context).map_err(|rejection| match rejection {
        Rejection::Denied(denial) => ErrorCode::Denied(denial),
        _ => ErrorCode::PaymentFailed,
    })
}

/// What an executed transfer does.
pub(super) struct Executed {
    pub opened: Option<Effect>,
    pub posting: Posting,
    pub fee_minor: i64,
}

fn try_execute(
    state: &State,
    transfer: &Transfer,
    now: Millis,
    context: &mut Context<'_>,
) -> Result<Executed, Rejection> {
    let by = By {
        tenant: transfer.tenant,
        owner: transfer.owner,
        key: transfer.key,
    };
    let instrument = |id: Option<_>| {
        let account = id.and_then(|id| state.account(id));
        account.and_then(|account| {
            let class = account.kind.instrument()?;
            Some(Instrument {
                id: account.id,
                class,
            })
        })
    };
    let order = TransferOrder {
        profile: transfer.profile.ok_or(Rejection::ProfileNotFound)?,
        source: instrument(transfer.source).ok_or(Rejection::Denied(Denial::SourceNotFound))?,
        destination: instrument(transfer.destination)
            .ok_or(Rejection::Denied(Denial::DestinationNotFound))?,
        currency: Some(transfer.amount.currency()),
        amount_minor: transfer.amount.minor(),
        tag: None,
        description: None,
        scheduled_at: transfer.scheduled_at,
    };
    let checked = check(state, by.tenant, by.owner, &order, None)?;
    let fee_minor = afford(&checked)?;
    let posted = post(state, by, &checked, fee_minor, now, context)?;
    Ok(Executed {
        opened: posted.opened,
        posting: posted.entries,
        fee_minor,
    })
}

/// Calls a scheduled transfer off. Whoever comes second, this or its execution, finds it ended.
pub(super) fn cancel(
    state: &State,
    (tenant, owner): (TenantId, OwnerId),
    transfer: TransferId,
    reason: &Option<Arc<str>>,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    if let Some(reason) = reason {
        check_text("cancellationReason", reason, 1, TAG_MAX)?;
    }
    let transfer = state
        .open_transfer(transfer)
        .filter(|transfer| transfer.tenant == tenant.id)
        .ok_or(Rejection::TransferNotFound)?;
    if transfer.owner != owner {
        return Err(Rejection::TransferOfOther);
    }
    let status = transfer.status;
    if status != Status::Scheduled {
        return Err(Rejection::NotScheduled { status });
    }
    let at = tenant.clock.now(context.now);
    let waiting = transfer.scheduled_at.map(|at| Due {
        tenant: tenant.id,
        at,
        work: Work::Settle(transfer.id),
    });
    let mut effects: Vec<Effect> = waiting
        .filter(|due| state.is_due(due))
        .map(Effect::DueRemoved)
        .into_iter()
        .collect();
    effects.push(Effect::TransferMoved {
        transfer: transfer.id,
        from: status,
        to: Status::Cancelled,
        error: None,
        fee_minor: 0,
        cancel_reason: reason.clone(),
        at,
    });
    let changed = Transfer {
        status: Status::Cancelled,
        cancel_reason: reason.clone(),
        updated_at: at,
        ..transfer.clone()
    };
    Ok(Decision {
        effects,
        reply: transfers::reply(state, changed),
    })
}
