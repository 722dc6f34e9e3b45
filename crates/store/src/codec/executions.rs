//! Runs of rules as bytes, in the journal and in the views.

use std::sync::Arc;

use ledger::execution::{Cause, Counts, ExecutionError, Ran};
use ledger::rule::calendar::Day;
use ledger::rule::explain::{
    ActionSeen, CapSeen, ConditionSeen, Explanation, Outcome, Shortfall, Term,
};
use ledger::{
    Execution, ExecutionId, ExecutionStep, Incoming, KeyId, Millis, OwnerId, RuleId, TenantId,
    TransferId,
};

use super::programme::{decode_list, encode_list};
use super::rules::{
    account, decode_cap, decode_condition, decode_percent, encode_account, encode_cap,
    encode_condition, encode_percent, small,
};
use super::wire::{CodecError, Decoder, Encoder};
use crate::codes::Code;

type Decoded<T> = Result<T, CodecError>;

pub(super) fn encode_execution(e: &mut Encoder<'_>, execution: &Execution) {
    e.id(execution.id.raw());
    e.id(execution.tenant.raw());
    e.id(execution.owner.raw());
    e.id(execution.rule.raw());
    e.text(&execution.rule_name);
    encode_cause(e, execution.cause);
    e.byte(execution.mode.code());
    e.byte(execution.depth);
    e.byte(execution.status.code());
    e.option(execution.error, encode_error);
    e.byte(execution.delays);
    e.option(execution.next_attempt_at, Encoder::time);
    e.option(execution.asks, encode_place);
    e.option(execution.ran.as_ref(), encode_ran);
    e.time(execution.created_at);
    e.time(execution.updated_at);
}

pub(super) fn decode_execution(d: &mut Decoder<'_>) -> Decoded<Execution> {
    Ok(Execution {
        id: ExecutionId::new(d.id()?),
        tenant: TenantId::new(d.id()?),
        owner: OwnerId::new(d.id()?),
        rule: RuleId::new(d.id()?),
        rule_name: d.text()?,
        cause: decode_cause(d)?,
        mode: d.code()?,
        depth: d.byte()?,
        status: d.code()?,
        error: d.option(decode_error)?,
        delays: d.byte()?,
        next_attempt_at: d.option(Decoder::time)?,
        asks: d.option(decode_place)?,
        ran: d.option(decode_ran)?,
        created_at: d.time()?,
        updated_at: d.time()?,
    })
}

pub(super) fn encode_step(e: &mut Encoder<'_>, step: &ExecutionStep) {
    match step {
        ExecutionStep::Ran(ran, error) => {
            e.byte(1);
            encode_ran(e, ran);
            e.option(*error, encode_error);
        }
        ExecutionStep::PutOff { until, asks } => {
            e.byte(2);
            e.time(*until);
            e.option(*asks, encode_place);
        }
        ExecutionStep::TransferEnded(counts) => {
            e.byte(3);
            encode_counts(e, *counts);
        }
        ExecutionStep::Failed(error) => {
            e.byte(4);
            encode_error(e, *error);
        }
    }
}

pub(super) fn decode_step(d: &mut Decoder<'_>) -> Decoded<ExecutionStep> {
    Ok(match d.byte()? {
        1 => ExecutionStep::Ran(decode_ran(d)?, d.option(decode_error)?),
        2 => ExecutionStep::PutOff {
            until: d.time()?,
            asks: d.option(decode_place)?,
        },
        3 => ExecutionStep::TransferEnded(decode_counts(d)?),
        4 => ExecutionStep::Failed(decode_error(d)?),
        tag => {
            return Err(CodecError::Tag {
                what: "step of a run",
                tag,
            });
        }
    })
}

fn encode_cause(e: &mut Encoder<'_>, cause: Cause) {
    match cause {
        Cause::Manual { incoming, key } => {
            e.byte(1);
            encode_incoming(e, incoming);
            e.option(key, |e, key: KeyId| e.id(key.raw()));
        }
        Cause::FundsTransferred { transfer, minor } => {
            e.byte(2);
            e.id(transfer.raw());
            e.int(minor);
        }
        Cause::Scheduled { at } => {
            e.byte(3);
            e.time(at);
        }
    }
}

fn decode_cause(d: &mut Decoder<'_>) -> Decoded<Cause> {
    Ok(match d.byte()? {
        1 => Cause::Manual {
            incoming: decode_incoming(d)?,
            key: d.option(|d| d.id().map(KeyId::new))?,
        },
        2 => Cause::FundsTransferred {
            transfer: TransferId::new(d.id()?),
            minor: d.int()?,
        },
        3 => Cause::Scheduled { at: d.time()? },
        tag => return Err(CodecError::Tag { what: "cause", tag }),
    })
}

fn encode_incoming(e: &mut Encoder<'_>, incoming: Incoming) {
    e.byte(match incoming {
        Incoming::Unknown => 1,
        Incoming::Amount(_) => 2,
        Incoming::Pretended(_) => 3,
    });
    if let Some(minor) = incoming.minor() {
        e.int(minor);
    }
}

fn decode_incoming(d: &mut Decoder<'_>) -> Decoded<Incoming> {
    Ok(match d.byte()? {
        1 => Incoming::Unknown,
        2 => Incoming::Amount(d.int()?),
        3 => Incoming::Pretended(d.int()?),
        tag => {
            return Err(CodecError::Tag {
                what: "amount that came in",
                tag,
            });
        }
    })
}

fn encode_error(e: &mut Encoder<'_>, error: ExecutionError) {
    match error {
        ExecutionError::Action(failure) => {
            e.byte(1);
            e.byte(failure.code());
        }
        ExecutionError::RuleDisabled => e.byte(2),
        ExecutionError::RuleDeleted => e.byte(3),
        ExecutionError::CascadeTooLong => e.byte(4),
    }
}

fn decode_error(d: &mut Decoder<'_>) -> Decoded<ExecutionError> {
    Ok(match d.byte()? {
        1 => ExecutionError::Action(d.code()?),
        2 => ExecutionError::RuleDisabled,
        3 => ExecutionError::RuleDeleted,
        4 => ExecutionError::CascadeTooLong,
        tag => {
            return Err(CodecError::Tag {
                what: "error of a run",
                tag,
            });
        }
    })
}

/// A step and an action.
fn encode_place(e: &mut Encoder<'_>, (step, action): (u16, u16)) {
    e.uint(u64::from(step));
    e.uint(u64::from(action));
}

fn decode_place(d: &mut Decoder<'_>) -> Decoded<(u16, u16)> {
    Ok((small(d, "step")?, small(d, "action")?))
}

fn encode_counts(e: &mut Encoder<'_>, counts: Counts) {
    let Counts {
        attempted,
        completed,
        failed,
        pending,
    } = counts;
    for count in [attempted, completed, failed, pending] {
        e.uint(u64::from(count));
    }
}

fn decode_counts(d: &mut Decoder<'_>) -> Decoded<Counts> {
    Ok(Counts {
        attempted: small(d, "count")?,
        completed: small(d, "count")?,
        failed: small(d, "count")?,
        pending: small(d, "count")?,
    })
}

fn encode_ran(e: &mut Encoder<'_>, ran: &Ran) {
    e.uint(u64::from(ran.version));
    encode_counts(e, ran.counts);
    encode_list(e, &ran.transfers, |e, transfer| e.id(transfer.raw()));
    encode_explanation(e, &ran.explanation);
}

fn decode_ran(d: &mut Decoder<'_>) -> Decoded<Ran> {
    Ok(Ran {
        version: small(d, "version of a rule")?,
        counts: decode_counts(d)?,
        transfers: Arc::from(decode_list(d, |d| d.id().map(TransferId::new))?),
        explanation: Arc::new(decode_explanation(d)?),
    })
}

fn encode_explanation(e: &mut Encoder<'_>, explanation: &Explanation) {
    e.option(explanation.step, |e, step| e.uint(u64::from(step)));
    encode_list(e, &explanation.conditions, |e, seen| {
        e.text(&seen.path);
        encode_condition(e, &seen.condition);
        e.option(seen.left, Encoder::int);
        e.option(seen.right, Encoder::int);
        e.bool(seen.holds);
    });
    encode_list(e, &explanation.actions, encode_action_seen);
    encode_list(e, &explanation.caps, |e, seen| {
        e.uint(u64::from(seen.group));
        encode_cap(e, seen.cap);
        e.option(seen.since, |e, Day(day)| e.int(day));
        e.int(seen.before);
        e.int(seen.after);
    });
    encode_list(e, &explanation.shortfalls, |e, short| {
        e.uint(u64::from(short.action));
        encode_account(e, short.account);
        e.int(short.wanted);
        e.int(short.spendable);
    });
}

fn decode_explanation(d: &mut Decoder<'_>) -> Decoded<Explanation> {
    Ok(Explanation {
        step: d.option(|d| small(d, "step"))?,
        conditions: decode_list(d, |d| {
            Ok(ConditionSeen {
                path: d.text()?.to_string(),
                condition: decode_condition(d)?,
                left: d.option(Decoder::int)?,
                right: d.option(Decoder::int)?,
                holds: d.bool()?,
            })
        })?,
        actions: decode_list(d, decode_action_seen)?,
        caps: decode_list(d, |d| {
            Ok(CapSeen {
                group: small(d, "group")?,
                cap: decode_cap(d)?,
                since: d.option(|d| d.int().map(Day))?,
                before: d.int()?,
                after: d.int()?,
            })
        })?,
        shortfalls: decode_list(d, |d| {
            Ok(Shortfall {
                action: small(d, "action")?,
                account: account(d)?,
                wanted: d.int()?,
                spendable: d.int()?,
            })
        })?,
    })
}

fn encode_action_seen(e: &mut Encoder<'_>, seen: &ActionSeen) {
    e.uint(u64::from(seen.action));
    e.uint(u64::from(seen.group));
    e.byte(seen.action_type.code());
    encode_account(e, seen.source);
    encode_list(e, &seen.terms, |e, term| encode_term(e, *term));
    e.option(seen.wanted, Encoder::int);
    e.int(seen.allowed);
    e.option(seen.spendable, Encoder::int);
    e.int(seen.moved);
    match seen.outcome {
        Outcome::Moved => e.byte(1),
        Outcome::Skipped(skip) => {
            e.byte(2);
            e.byte(skip.code());
        }
        Outcome::Failed(failure) => {
            e.byte(3);
            e.byte(failure.code());
        }
        Outcome::NotReached => e.byte(4),
    }
}

fn decode_action_seen(d: &mut Decoder<'_>) -> Decoded<ActionSeen> {
    Ok(ActionSeen {
        action: small(d, "action")?,
        group: small(d, "group")?,
        action_type: d.code()?,
        source: account(d)?,
        terms: decode_list(d, decode_term)?,
        wanted: d.option(Decoder::int)?,
        allowed: d.int()?,
        spendable: d.option(Decoder::int)?,
        moved: d.int()?,
        outcome: match d.byte()? {
            1 => Outcome::Moved,
            2 => Outcome::Skipped(d.code()?),
            3 => Outcome::Failed(d.code()?),
            4 => Outcome::NotReached,
            tag => {
                return Err(CodecError::Tag {
                    what: "outcome of an action",
                    tag,
                });
            }
        },
    })
}

fn encode_term(e: &mut Encoder<'_>, term: Term) {
    match term {
        Term::Minor(quantity, minor) => {
            e.byte(1);
            e.byte(quantity.code());
            e.int(minor);
        }
        Term::Debt(quantity, account, minor) => {
            e.byte(2);
            e.byte(quantity.code());
            encode_account(e, account);
            e.int(minor);
        }
        Term::Share(percent) => {
            e.byte(3);
            encode_percent(e, percent);
        }
    }
}

fn decode_term(d: &mut Decoder<'_>) -> Decoded<Term> {
    Ok(match d.byte()? {
        1 => Term::Minor(d.code()?, d.int()?),
        2 => Term::Debt(d.code()?, account(d)?, d.int()?),
        3 => Term::Share(decode_percent(d)?),
        tag => return Err(CodecError::Tag { what: "term", tag }),
    })
}

/// A run as the views keep it.
pub(crate) fn execution_to_bytes(execution: &Execution) -> Vec<u8> {
    let mut out = Vec::new();
    encode_execution(&mut Encoder::new(&mut out, Millis(0)), execution);
    out
}

/// The run in bytes made by [`execution_to_bytes`].
pub(crate) fn execution_from_bytes(bytes: &[u8]) -> Decoded<Execution> {
    let mut d = Decoder::new(bytes, Millis(0));
    let execution = decode_execution(&mut d)?;
    d.finish()?;
    Ok(execution)
}
