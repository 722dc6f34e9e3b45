//! What is noted while a forecast runs: who takes from which account, and where caps cut.

use std::collections::{BTreeMap, HashMap};

use super::{CapHit, Starved};
use crate::effect::Effect;
use crate::execution::{ExecutionError, ExecutionStep, Ran};
use crate::id::{AccountId, RuleId, TransferId};
use crate::posting::{Entry, Side};
use crate::rule::explain::Explanation;
use crate::state::State;
use crate::time::Millis;

#[derive(Default)]
pub(super) struct Notes {
    /// The rule of each run and transfer that began in the decision at hand.
    runs: HashMap<u64, RuleId>,
    /// Who has taken from an account since money last came in there.
    taken: HashMap<AccountId, Vec<RuleId>>,
    caps: BTreeMap<(RuleId, u16, u32), CapHit>,
    starved: BTreeMap<(RuleId, RuleId, AccountId), Starved>,
}

impl Notes {
    /// An entry, and the rule whose transfer made it.
    pub(super) fn posted(&mut self, entry: &Entry, transfer: TransferId, rule: Option<RuleId>) {
        let rule = rule.or_else(|| self.runs.get(&transfer.raw()).copied());
        match (entry.side, rule) {
            (Side::Credit, _) => {
                self.taken.remove(&entry.account);
            }
            (Side::Debit, Some(rule)) => {
                let taken = self.taken.entry(entry.account).or_default();
                if !taken.contains(&rule) {
                    taken.push(rule);
                }
            }
            (Side::Debit, None) => {}
        }
    }

    /// Takes a run down that is made in this effect. Gives its rule, and why it failed.
    pub(super) fn run(
        &mut self,
        effect: &Effect,
        state: &State,
        at: Millis,
    ) -> Option<(RuleId, Option<ExecutionError>)> {
        match effect {
            Effect::TransferRecorded(transfer) => {
                let rule = transfer.rule.map(|(rule, _)| rule);
                if let Some(rule) = rule.filter(|_| transfer.status.is_final()) {
                    self.runs.insert(transfer.id.raw(), rule);
                }
                None
            }
            Effect::ExecutionRecorded(execution) => {
                self.runs.insert(execution.id.raw(), execution.rule);
                None
            }
            Effect::ExecutionMoved {
                execution, step, ..
            } => {
                let known = state.execution(*execution).map(|run| run.rule);
                let rule = known.or_else(|| self.runs.get(&execution.raw()).copied())?;
                match step {
                    ExecutionStep::Ran(ran, error) => {
                        self.explained(rule, ran, at);
                        Some((rule, *error))
                    }
                    ExecutionStep::Failed(error) => Some((rule, Some(*error))),
                    ExecutionStep::PutOff { .. } | ExecutionStep::TransferEnded(_) => None,
                }
            }
            _ => None,
        }
    }

    fn explained(&mut self, rule: RuleId, ran: &Ran, at: Millis) {
        let explanation = &ran.explanation;
        let step = explanation.step.unwrap_or(0);
        for seen in &explanation.caps {
            let cut = cut_by(explanation, seen.group);
            if cut == 0 {
                continue;
            }
            let hit = self.caps.entry((rule, step, seen.group)).or_insert(CapHit {
                rule,
                step,
                group: seen.group,
                cap: seen.cap,
                times: 0,
                cut_minor: 0,
                first_at: at,
            });
            hit.times = hit.times.saturating_add(1);
            hit.cut_minor = hit.cut_minor.saturating_add(cut);
        }
        for short in &explanation.shortfalls {
            let missing = i128::from(short.wanted).saturating_sub(i128::from(short.spendable));
            let taken = self.taken.get(&short.account);
            let others = taken.into_iter().flatten().filter(|by| **by != rule);
            for by in others.copied() {
                let starved = self.starved.entry((rule, by, short.account));
                let starved = starved.or_insert(Starved {
                    rule,
                    by,
                    account: short.account,
                    times: 0,
                    missing_minor: 0,
                    first_at: at,
                });
                starved.times = starved.times.saturating_add(1);
                starved.missing_minor = starved.missing_minor.saturating_add(missing);
            }
        }
    }

    pub(super) fn finish(self) -> (Vec<CapHit>, Vec<Starved>) {
        let caps = self.caps.into_values().collect();
        (caps, self.starved.into_values().collect())
    }
}

/// What the actions of a group wanted and their cap did not let through, in minor units.
fn cut_by(explanation: &Explanation, group: u32) -> i128 {
    let members = explanation
        .actions
        .iter()
        .filter(|seen| seen.group == group);
    members
        .map(|seen| {
            let wanted = i128::from(seen.wanted.unwrap_or(0));
            wanted.saturating_sub(i128::from(seen.allowed)).max(0)
        })
        .sum()
}
