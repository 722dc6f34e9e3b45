//! The rules, counters and runs of rules that change in a run of commits.

use std::collections::BTreeMap;

use ledger::rule::snapshot::CapUsed;
use ledger::{Effect, Execution, ExecutionId, Millis, OwnerId, Rule, RuleId, State};

/// The place of a counter: its rule, step and group.
pub(crate) type CapPlace = (RuleId, u16, u32);

/// A run as it is after what was noted so far.
pub(crate) struct ExecutionLine {
    pub execution: Execution,
    /// Whether it was there before.
    pub seen: bool,
}

/// See the module.
#[derive(Default)]
pub(crate) struct RuleLines {
    /// Rules that were set or deleted, each with when it was deleted. A rule that is deleted takes
    /// its counters with it.
    pub rules: BTreeMap<RuleId, (Rule, Option<Millis>)>,
    /// Counters that counted, each with the owner of its rule.
    pub caps: BTreeMap<CapPlace, (OwnerId, CapUsed)>,
    pub executions: BTreeMap<ExecutionId, ExecutionLine>,
}

/// Whether what the effect ends is gone from the state afterwards.
pub(crate) fn ends(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::RuleDeleted { .. } | Effect::ExecutionMoved { .. }
    )
}

impl RuleLines {
    /// A rough number of rows to write.
    pub(crate) fn len(&self) -> usize {
        self.rules.len() + self.caps.len() + self.executions.len()
    }

    /// Notes an effect on rules. The state is as before one that [`ends`] something, and as after
    /// any other.
    ///
    /// # Errors
    /// A description when it is about what is not there.
    pub(crate) fn note(&mut self, state: &State, effect: &Effect) -> Result<(), String> {
        match effect {
            Effect::RuleSet(rule) => drop(self.rules.insert(rule.id, (rule.clone(), None))),
            Effect::RuleDeleted { rule: id, at } => {
                let rule = state.rule(*id).ok_or("an unknown rule is deleted")?;
                self.rules.insert(*id, (rule.clone(), Some(*at)));
                self.caps.retain(|(rule, _, _), _| rule != id);
            }
            Effect::CapCounted {
                rule,
                step,
                group,
                used,
            } => {
                let owner = state.rule(*rule).ok_or("an unknown rule counts")?.owner;
                self.caps.insert((*rule, *step, *group), (owner, *used));
            }
            Effect::ExecutionRecorded(execution) => {
                let line = ExecutionLine {
                    execution: execution.clone(),
                    seen: false,
                };
                self.executions.insert(execution.id, line);
            }
            Effect::ExecutionMoved {
                execution: id,
                step,
                at,
            } => {
                let known = state.execution(*id).ok_or("an unknown run moves")?;
                let line = self.executions.entry(*id).or_insert_with(|| ExecutionLine {
                    execution: known.clone(),
                    seen: true,
                });
                line.execution.moved(step, *at);
            }
            _ => {}
        }
        Ok(())
    }
}
