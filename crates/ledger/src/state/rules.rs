//! Rules, their counters and their runs, with the ways to find them.
//!
//! What a transfer asks is one lookup by the account it reaches. Runs are kept until they are
//! over, counters as long as their rule.

use std::collections::{BTreeSet, HashMap};

use super::Inconsistency;
use crate::execution::{Cause, Execution, ExecutionMode, ExecutionStatus, ExecutionStep};
use crate::id::{AccountId, ExecutionId, OwnerId, RuleId};
use crate::rule::Rule;
use crate::rule::snapshot::{CapUsed, CapsUsed};
use crate::time::Millis;

#[derive(Clone, Default, Debug)]
pub(super) struct Rules {
    all: HashMap<RuleId, Rule>,
    of_owner: HashMap<OwnerId, BTreeSet<RuleId>>,
    /// The rule that is on and waits for money on an account; there is at most one.
    listening: HashMap<AccountId, RuleId>,
    caps: HashMap<RuleId, CapsUsed>,
    executions: HashMap<ExecutionId, Execution>,
    /// The run that somebody asked for and that has not been made.
    asked: HashMap<RuleId, ExecutionId>,
    /// When a rule's next scheduled run is due.
    next_runs: HashMap<RuleId, Millis>,
}

impl Rules {
    pub(super) fn get(&self, id: RuleId) -> Option<&Rule> {
        self.all.get(&id)
    }

    pub(super) fn of_owner(&self, owner: OwnerId) -> impl Iterator<Item = &Rule> {
        let ids = self.of_owner.get(&owner).into_iter().flatten();
        ids.filter_map(|id| self.all.get(id))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Rule> {
        self.all.values()
    }

    pub(super) fn listening_on(&self, account: AccountId) -> Option<&Rule> {
        self.all.get(self.listening.get(&account)?)
    }

    pub(super) fn caps(&self, rule: RuleId) -> Option<&CapsUsed> {
        self.caps.get(&rule)
    }

    pub(super) fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.executions.get(&id)
    }

    pub(super) fn executions(&self) -> impl Iterator<Item = &Execution> {
        self.executions.values()
    }

    pub(super) fn asked(&self, rule: RuleId) -> Option<&Execution> {
        self.executions.get(self.asked.get(&rule)?)
    }

    pub(super) fn next_run(&self, rule: RuleId) -> Option<Millis> {
        self.next_runs.get(&rule).copied()
    }

    pub(super) fn set_next_run(&mut self, rule: RuleId, at: Option<Millis>) {
        match at {
            Some(at) => self.next_runs.insert(rule, at),
            None => self.next_runs.remove(&rule),
        };
    }

    pub(super) fn set(&mut self, rule: &Rule) -> Result<(), Inconsistency> {
        if let Some(before) = self.all.get(&rule.id) {
            let same = before.tenant == rule.tenant
                && before.owner == rule.owner
                && before.trigger == rule.trigger;
            ensure!(same, "rule {} becomes another one", rule.id);
        }
        if let Some(account) = rule.listens_on() {
            let listener = self.listening.get(&account).copied();
            if rule.enabled {
                let free = listener.is_none_or(|listener| listener == rule.id);
                ensure!(free, "two rules wait on account {account}");
                self.listening.insert(account, rule.id);
            } else if listener == Some(rule.id) {
                self.listening.remove(&account);
            }
        }
        self.of_owner.entry(rule.owner).or_default().insert(rule.id);
        self.all.insert(rule.id, rule.clone());
        Ok(())
    }

    pub(super) fn delete(&mut self, id: RuleId) -> Result<(), Inconsistency> {
        let Some(rule) = self.all.remove(&id) else {
            return Err(Inconsistency(format!("rule {id} is deleted but unknown")));
        };
        if let Some(of_owner) = self.of_owner.get_mut(&rule.owner) {
            of_owner.remove(&id);
            if of_owner.is_empty() {
                self.of_owner.remove(&rule.owner);
            }
        }
        if let Some(account) = rule.listens_on()
            && self.listening.get(&account) == Some(&id)
        {
            self.listening.remove(&account);
        }
        self.caps.remove(&id);
        Ok(())
    }

    pub(super) fn count(
        &mut self,
        rule: RuleId,
        place: (u16, u32),
        used: CapUsed,
    ) -> Result<(), Inconsistency> {
        ensure!(
            self.all.contains_key(&rule),
            "a cap of unknown rule {rule} counts"
        );
        let caps = self.caps.entry(rule).or_default();
        if let Some(before) = caps.insert(place, used) {
            let same = before.period == used.period && before.since == used.since;
            ensure!(
                !same || before.used_minor <= used.used_minor,
                "a cap of rule {rule} counts backwards"
            );
        }
        Ok(())
    }

    pub(super) fn record(&mut self, execution: Execution) -> Result<(), Inconsistency> {
        let id = execution.id;
        ensure!(
            execution.status == ExecutionStatus::InProgress,
            "run {id} is over"
        );
        if is_asked(&execution) {
            let twin = self.asked.insert(execution.rule, id);
            ensure!(twin.is_none(), "rule {} is run twice", execution.rule);
        }
        let twin = self.executions.insert(id, execution);
        ensure!(twin.is_none(), "run {id} was recorded twice");
        Ok(())
    }

    pub(super) fn step(
        &mut self,
        id: ExecutionId,
        step: &ExecutionStep,
        at: Millis,
    ) -> Result<(), Inconsistency> {
        let Some(execution) = self.executions.get_mut(&id) else {
            return Err(Inconsistency(format!("run {id} is unknown or over")));
        };
        let first = !matches!(step, ExecutionStep::TransferEnded(_));
        ensure!(
            execution.ran.is_none() == first,
            "run {id} does not stand where it moves from"
        );
        let was_asked = is_asked(execution);
        execution.moved(step, at);
        let is_over = execution.status != ExecutionStatus::InProgress;
        let rule = execution.rule;
        if was_asked && (is_over || !is_asked(execution)) {
            self.asked.remove(&rule);
        }
        if is_over {
            self.executions.remove(&id);
        }
        Ok(())
    }
}

/// Whether somebody waits for the run to be made.
fn is_asked(execution: &Execution) -> bool {
    matches!(execution.cause, Cause::Manual { .. })
        && execution.mode == ExecutionMode::Live
        && execution.ran.is_none()
}
