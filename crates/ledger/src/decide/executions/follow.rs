//! What a transfer means for rules: money that arrived sets a rule off, a transfer that ended may
//! end the run that made it.
//!
//! Every decision goes through here, so that no way for money to arrive can be forgotten. For each
//! credit it looks up once whether a rule waits on the account.

use super::super::{Context, Decision};
use super::{moved, recorded, turn};
use crate::effect::Effect;
use crate::execution::{Cause, Counts, Execution, ExecutionError, ExecutionStep};
use crate::id::{ExecutionId, TransferId};
use crate::posting::{Entry, Side};
use crate::rule::CASCADE_MAX;
use crate::rule::Rule;
use crate::state::State;
use crate::time::Millis;
use crate::transfer::{Status, Transfer};

/// Adds to the decision what follows from its transfers.
pub(in super::super) fn follow(state: &State, decision: &mut Decision, context: &mut Context<'_>) {
    let mut more = Vec::new();
    let mut ended: Vec<(ExecutionId, Counts)> = Vec::new();
    for effect in &decision.effects {
        match effect {
            Effect::Posted {
                transfer,
                at,
                posting,
            } => {
                for entry in posting.entries() {
                    let Some(rule) = listener(state, entry) else {
                        continue;
                    };
                    let transfer = found(state, &decision.effects, *transfer);
                    // What a rail gives back has not arrived from anywhere.
                    let arrived = transfer.filter(|t| t.destination == Some(entry.account));
                    if let Some(transfer) = arrived {
                        let depth = depth_after(state, &decision.effects, transfer);
                        let minor = entry.amount.minor();
                        more.extend(set_off(rule, (transfer.id, minor), depth, *at, context));
                    }
                }
            }
            Effect::TransferMoved {
                transfer, to, at, ..
            } if to.is_final() => {
                more.extend(end(state, *transfer, *to, *at, &mut ended));
            }
            _ => {}
        }
    }
    decision.effects.append(&mut more);
}

/// The rule that waits for this credit.
fn listener<'a>(state: &'a State, entry: &Entry) -> Option<&'a Rule> {
    if entry.side == Side::Debit {
        return None;
    }
    state.rule_listening_on(entry.account)
}

/// The transfer that is recorded in these effects, or was before.
fn found<'a>(state: &'a State, effects: &'a [Effect], id: TransferId) -> Option<&'a Transfer> {
    let recorded = effects.iter().find_map(|effect| match effect {
        Effect::TransferRecorded(transfer) if transfer.id == id => Some(transfer),
        _ => None,
    });
    recorded.or_else(|| state.open_transfer(id))
}

/// How many rules in a row led to what this transfer sets off.
fn depth_after(state: &State, effects: &[Effect], transfer: &Transfer) -> u8 {
    let Some((_, id)) = transfer.rule else {
        return 0;
    };
    let recorded = effects.iter().find_map(|effect| match effect {
        Effect::ExecutionRecorded(execution) if execution.id == id => Some(execution),
        _ => None,
    });
    let execution: Option<&Execution> = recorded.or_else(|| state.execution(id));
    execution.map_or(1, |execution| execution.depth.saturating_add(1))
}

/// Records the run of `rule` that a transfer causes, to be made at once.
fn set_off(
    rule: &Rule,
    (transfer, minor): (TransferId, i64),
    depth: u8,
    at: Millis,
    context: &mut Context<'_>,
) -> [Effect; 2] {
    let cause = Cause::FundsTransferred { transfer, minor };
    let execution = recorded(rule, cause, depth, at, context);
    let next = if usize::from(depth) > CASCADE_MAX {
        let step = ExecutionStep::Failed(ExecutionError::CascadeTooLong);
        moved(&execution, step, at)
    } else {
        Effect::DueAdded(turn(&execution, at))
    };
    [Effect::ExecutionRecorded(execution), next]
}

/// Counts a transfer of a run that was on its way and has ended. `ended` has the counts of runs
/// whose transfers ended before in the same decision.
fn end(
    state: &State,
    transfer: TransferId,
    to: Status,
    at: Millis,
    ended: &mut Vec<(ExecutionId, Counts)>,
) -> Option<Effect> {
    let (_, id) = state.open_transfer(transfer)?.rule?;
    let execution = state.execution(id)?;
    let known = ended.iter().position(|(known, _)| *known == id);
    let before = match known {
        Some(index) => ended.swap_remove(index).1,
        None => execution.ran.as_ref()?.counts,
    };
    let counts = before.ended(to == Status::Complete);
    ended.push((id, counts));
    Some(moved(execution, ExecutionStep::TransferEnded(counts), at))
}
