//! Rules, their counters and their runs: what was committed, the state and the rows against each
//! other.
//!
//! Of rules, and of runs that are over, only digests are kept.

use std::collections::BTreeMap;

use ledger::rule::snapshot::CapUsed;
use ledger::{Effect, Execution, ExecutionId, ExecutionStatus, Millis, Rule, RuleId, State};

use super::sums::digest;
use super::{VerifyError, difference};
use crate::codec;
use crate::gather::CapPlace;
use crate::query::RuleRow;

/// What is known of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct RuleFacts {
    said: u64,
    deleted_at: Option<Millis>,
}

impl RuleFacts {
    fn of(rule: &Rule, deleted_at: Option<Millis>) -> RuleFacts {
        RuleFacts {
            said: digest(&codec::rule_to_bytes(rule)),
            deleted_at,
        }
    }
}

fn digest_of(execution: &Execution) -> u64 {
    digest(&codec::execution_to_bytes(execution))
}

/// What was committed of rules up to a place.
#[derive(Default)]
pub(crate) struct Rules {
    rules: BTreeMap<RuleId, RuleFacts>,
    caps: BTreeMap<CapPlace, CapUsed>,
    /// Runs that are not over.
    open: BTreeMap<ExecutionId, Execution>,
    over: BTreeMap<ExecutionId, u64>,
}

impl Rules {
    pub(crate) fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::RuleSet(rule) => {
                self.rules.insert(rule.id, RuleFacts::of(rule, None));
            }
            Effect::RuleDeleted { rule: id, at } => {
                if let Some(facts) = self.rules.get_mut(id) {
                    facts.deleted_at = Some(*at);
                }
                self.caps.retain(|(rule, _, _), _| rule != id);
            }
            Effect::CapCounted {
                rule,
                step,
                group,
                used,
            } => {
                self.caps.insert((*rule, *step, *group), *used);
            }
            Effect::ExecutionRecorded(execution) => {
                self.open.insert(execution.id, execution.clone());
            }
            Effect::ExecutionMoved {
                execution: id,
                step,
                at,
            } => {
                let Some(execution) = self.open.get_mut(id) else {
                    return;
                };
                execution.moved(step, *at);
                if execution.status != ExecutionStatus::InProgress {
                    self.over.insert(*id, digest_of(execution));
                    self.open.remove(id);
                }
            }
            _ => {}
        }
    }

    /// The state has every rule as it was last set, every counter where it came to, and every run
    /// that is not over.
    pub(crate) fn compare_state(&self, state: &State) -> Result<(), VerifyError> {
        let there = |facts: &&RuleFacts| facts.deleted_at.is_none();
        for rule in state.rules() {
            if self.rules.get(&rule.id) != Some(&RuleFacts::of(rule, None)) {
                let what = format!("rule {} differs in the state", rule.id);
                return Err(difference(what));
            }
            let counted = state.caps_used(rule.id).into_iter().flatten();
            for ((step, group), used) in counted {
                if self.caps.get(&(rule.id, *step, *group)) != Some(used) {
                    let what = format!("a cap of rule {} differs in the state", rule.id);
                    return Err(difference(what));
                }
            }
        }
        if state.rules().count() != self.rules.values().filter(there).count() {
            return Err(difference("rules are missing in the state"));
        }
        let counters = |rule: &Rule| state.caps_used(rule.id).map_or(0, |caps| caps.len());
        if state.rules().map(counters).sum::<usize>() != self.caps.len() {
            return Err(difference("caps of rules are missing in the state"));
        }
        for execution in state.executions() {
            if self.open.get(&execution.id) != Some(execution) {
                let what = format!("run {} of a rule differs in the state", execution.id);
                return Err(difference(what));
            }
        }
        if state.executions().count() != self.open.len() {
            return Err(difference("runs of rules are missing in the state"));
        }
        Ok(())
    }

    /// Whether this is what a rule was last set to, and when it was deleted.
    pub(crate) fn has_rule(&self, row: &RuleRow) -> bool {
        let facts = RuleFacts::of(&row.rule, row.deleted_at);
        self.rules.get(&row.rule.id) == Some(&facts)
    }

    /// Whether a counter came to this.
    pub(crate) fn has_cap(&self, place: CapPlace, used: CapUsed) -> bool {
        self.caps.get(&place) == Some(&used)
    }

    /// Whether this is how far a run has come.
    pub(crate) fn has_execution(&self, execution: &Execution) -> bool {
        match self.open.get(&execution.id) {
            Some(open) => open == execution,
            None => self.over.get(&execution.id) == Some(&digest_of(execution)),
        }
    }

    /// How many rules were ever made.
    pub(crate) fn rules(&self) -> usize {
        self.rules.len()
    }

    /// How many counters there are.
    pub(crate) fn caps(&self) -> usize {
        self.caps.len()
    }

    /// How many runs were ever recorded.
    pub(crate) fn executions(&self) -> usize {
        self.open.len() + self.over.len()
    }
}
