//! Running rules: asking for a run, waiting, and all that one run does, in one decision.
//!
//! A run that money or somebody causes is recorded and put on the list of due work in the commit
//! of its cause; its id is that of this one cause. The work is taken off the list in the commit
//! that makes the run, with its transfers, their entries, the counters of caps and the
//! explanation. So a run is made once, or not at all.

mod book;
mod follow;

use std::sync::Arc;

use super::rules::{rule_of, scheduled};
use super::{Context, Decision, Reply, tenant_of};
use crate::account::{AccountKind, AccountState};
use crate::command::TriggerRule;
use crate::effect::{Due, Effect, Work};
use crate::execution::{
    Cause, Counts, Execution, ExecutionError, ExecutionMode, ExecutionStatus, ExecutionStep,
    RETRIES_MS, Ran,
};
use crate::id::{ExecutionId, RuleId, TenantId};
use crate::rejection::Rejection;
use crate::rule::Rule;
use crate::rule::explain::Outcome;
use crate::rule::failure::Failure;
use crate::rule::plan::{Plan, plan};
use crate::rule::snapshot::{AccountSeen, Answers, Incoming, Snapshot};
use crate::state::State;
use crate::tenant::TenantMode;
use crate::time::Millis;
use book::Book;
pub(super) use follow::follow;

/// Asks for a run. A simulation is made at once; it may be of a rule that is off.
pub(super) fn trigger(
    state: &State,
    trigger: &TriggerRule,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, trigger.tenant)?;
    let rule = rule_of(state, tenant.id, trigger.owner, trigger.rule)?;
    if trigger.incoming.minor().is_some_and(|minor| minor < 0) {
        return Err(Rejection::Invalid {
            field: "amount",
            reason: "must be 0 or more",
        });
    }
    let now = tenant.clock.now(context.now);
    let live = trigger.mode == ExecutionMode::Live;
    if live && !rule.enabled {
        return Err(Rejection::RuleDisabled);
    }
    if live && state.asked_execution(rule.id).is_some() {
        return Err(Rejection::RuleInProgress);
    }
    let cause = Cause::Manual {
        incoming: trigger.incoming,
        key: trigger.key,
    };
    let mut execution = recorded(rule, cause, 0, now, context);
    execution.mode = trigger.mode;
    let mut effects = vec![Effect::ExecutionRecorded(execution.clone())];
    if live {
        effects.push(Effect::DueAdded(turn(&execution, now)));
    } else {
        let made = simulate(state, rule, &execution, now);
        execution.moved(&made, now);
        effects.push(moved(&execution, made, now));
    }
    Ok(Decision {
        effects,
        reply: Reply::Execution(execution),
    })
}

/// Makes a run that waits for amounts, now that they are known.
pub(super) fn answer(
    state: &State,
    tenant: TenantId,
    execution: ExecutionId,
    answers: &Answers,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let execution = state
        .execution(execution)
        .filter(|execution| execution.tenant == tenant.id && execution.asks.is_some())
        .ok_or(Rejection::ExecutionNotFound)?;
    if answers.values().any(|minor| *minor < 0) {
        return Err(Rejection::Invalid {
            field: "amount",
            reason: "must be 0 or more",
        });
    }
    let now = tenant.clock.now(context.now);
    let waiting = execution.next_attempt_at.map(|at| turn(execution, at));
    let mut effects: Vec<Effect> = waiting.map(Effect::DueRemoved).into_iter().collect();
    let after = make(state, execution, answers, now, context, &mut effects);
    Ok(Decision {
        effects,
        reply: Reply::Execution(after),
    })
}

/// Makes a run that was recorded before.
pub(super) fn run(
    state: &State,
    id: ExecutionId,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    if let Some(execution) = state.execution(id).filter(|run| run.ran.is_none()) {
        make(state, execution, &Answers::new(), now, context, effects);
    }
}

/// Makes the scheduled run of a rule that was due at `at`, and puts the next one on the list.
///
/// The next one is after now: runs that were missed while nothing ran are made up by this one.
pub(super) fn run_scheduled(
    state: &State,
    rule: RuleId,
    at: Millis,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) {
    let Some(rule) = state.rule(rule).filter(|rule| rule.enabled) else {
        return;
    };
    let next = rule.next_run(now.plus(1));
    effects.extend(next.map(|at| Effect::DueAdded(scheduled(rule, at))));
    let execution = recorded(rule, Cause::Scheduled { at }, 0, now, context);
    effects.push(Effect::ExecutionRecorded(execution.clone()));
    make(state, &execution, &Answers::new(), now, context, effects);
}

fn recorded(
    rule: &Rule,
    cause: Cause,
    depth: u8,
    now: Millis,
    context: &mut Context<'_>,
) -> Execution {
    Execution {
        id: ExecutionId::new(context.new_id()),
        tenant: rule.tenant,
        owner: rule.owner,
        rule: rule.id,
        rule_name: Arc::clone(&rule.name),
        cause,
        mode: ExecutionMode::Live,
        depth,
        status: ExecutionStatus::InProgress,
        error: None,
        delays: 0,
        next_attempt_at: None,
        asks: None,
        ran: None,
        created_at: now,
        updated_at: now,
    }
}

fn turn(execution: &Execution, at: Millis) -> Due {
    Due {
        tenant: execution.tenant,
        at,
        work: Work::RunExecution(execution.id),
    }
}

fn moved(execution: &Execution, step: ExecutionStep, at: Millis) -> Effect {
    Effect::ExecutionMoved {
        execution: execution.id,
        step,
        at,
    }
}

/// Makes the run, puts it off, or fails it. Gives the run as it then is.
fn make(
    state: &State,
    execution: &Execution,
    answers: &Answers,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> Execution {
    let step = match state.rule(execution.rule) {
        None => ExecutionStep::Failed(ExecutionError::RuleDeleted),
        Some(rule) if !rule.enabled => ExecutionStep::Failed(ExecutionError::RuleDisabled),
        Some(rule) => {
            let incoming = execution.cause.incoming();
            let plan = planned(state, rule, incoming, answers, now);
            match put_off(execution, &plan, now) {
                Some((until, step)) => {
                    effects.push(Effect::DueAdded(turn(execution, until)));
                    step
                }
                None => perform(state, rule, execution, plan, now, context, effects),
            }
        }
    };
    let mut after = execution.clone();
    after.moved(&step, now);
    effects.push(moved(execution, step, now));
    after
}

fn planned(state: &State, rule: &Rule, incoming: Incoming, answers: &Answers, now: Millis) -> Plan {
    let snapshot = snapshot(state, rule, now);
    let none = Default::default();
    let caps = state.caps_used(rule.id).unwrap_or(&none);
    plan(rule, &snapshot, incoming, caps, answers)
}

/// The accounts of a rule as they are.
pub(super) fn snapshot(state: &State, rule: &Rule, at: Millis) -> Snapshot {
    let live = state
        .tenant(rule.tenant)
        .is_some_and(|tenant| tenant.mode == TenantMode::Live);
    let seen = rule.accounts().into_iter().filter_map(|id| {
        let account = state.account(id)?;
        let mut seen = AccountSeen::of(account, state.arriving(id));
        // The simulated rail is for play money.
        let outside = matches!(account.kind, AccountKind::External(_));
        if live && outside && account.state == AccountState::Active {
            seen.trouble = Some(Failure::PaymentNotSupported);
        }
        Some((id, seen))
    });
    Snapshot {
        at,
        accounts: seen.collect(),
    }
}

/// When to try again, if the run waits for something that may pass and nothing would be lost by
/// waiting: an amount that has to be asked for, or a balance before which nothing was moved.
fn put_off(execution: &Execution, plan: &Plan, now: Millis) -> Option<(Millis, ExecutionStep)> {
    let asks = plan.unanswered();
    let passing = plan.explanation.failure().is_some_and(Failure::is_passing);
    let waits = asks.is_some() || (passing && plan.transfers.is_empty());
    let delay_ms = RETRIES_MS
        .get(usize::from(execution.delays))
        .filter(|_| waits)?;
    let until = now.plus(*delay_ms);
    Some((until, ExecutionStep::PutOff { until, asks }))
}

fn perform(
    state: &State,
    rule: &Rule,
    execution: &Execution,
    plan: Plan,
    now: Millis,
    context: &mut Context<'_>,
    effects: &mut Vec<Effect>,
) -> ExecutionStep {
    let step = plan.explanation.step.unwrap_or(0);
    let mut book = Book::new(state, (rule, usize::from(step)), execution, now);
    let mut transfers = plan.transfers.iter();
    let made = transfers.try_for_each(|planned| book.make(planned, context, effects));
    // When the run breaks off here, caps have counted too much rather than too little.
    effects.extend(plan.counted.iter().map(|counted| Effect::CapCounted {
        rule: rule.id,
        step,
        group: counted.group,
        used: counted.used,
    }));
    let failure = plan.explanation.failure().or(made.err());
    let counts = Counts {
        attempted: attempted(&plan),
        failed: u32::from(failure.is_some()),
        ..book.counts
    };
    let ran = Ran {
        version: rule.version,
        counts,
        transfers: book.transfers.into(),
        explanation: plan.explanation.into(),
    };
    ExecutionStep::Ran(ran, failure.map(ExecutionError::Action))
}

/// A run that moves nothing: what it would move counts as settled.
fn simulate(state: &State, rule: &Rule, execution: &Execution, now: Millis) -> ExecutionStep {
    let incoming = execution.cause.incoming();
    let mut seen = snapshot(state, rule, now);
    if let (Incoming::Pretended(minor), Some(account)) = (incoming, rule.trigger.account())
        && let Some(account) = seen.accounts.get_mut(&account)
    {
        account.available = Some(minor);
        account.balance = Some(minor);
    }
    let none = Default::default();
    let caps = state.caps_used(rule.id).unwrap_or(&none);
    let plan = plan(rule, &seen, incoming, caps, &Answers::new());
    let failure = plan.explanation.failure();
    let moves = plan
        .transfers
        .iter()
        .filter(|t| t.failure.is_none())
        .count();
    let counts = Counts {
        attempted: attempted(&plan),
        completed: u32::try_from(moves).unwrap_or(u32::MAX),
        failed: u32::from(failure.is_some()),
        pending: 0,
    };
    let ran = Ran {
        version: rule.version,
        counts,
        transfers: [].into(),
        explanation: plan.explanation.into(),
    };
    ExecutionStep::Ran(ran, failure.map(ExecutionError::Action))
}

/// The transfers that were reckoned: those that are made, and one for each action that had nothing
/// to move or failed (sequence-api §5.1).
fn attempted(plan: &Plan) -> u32 {
    let others = plan
        .explanation
        .actions
        .iter()
        .filter(|seen| matches!(seen.outcome, Outcome::Skipped(_) | Outcome::Failed(_)));
    let moves = plan.transfers.iter().filter(|t| t.failure.is_none());
    u32::try_from(others.count().saturating_add(moves.count())).unwrap_or(u32::MAX)
}
