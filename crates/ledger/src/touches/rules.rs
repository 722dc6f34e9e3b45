//! What rules and their runs look at.

use std::collections::BTreeSet;

use super::Touch;
use crate::account::{Rail, SystemKind};
use crate::command::{ChangeRule, NewRule, TriggerRule};
use crate::effect::Work;
use crate::execution::{Execution, ExecutionMode};
use crate::id::{AccountId, ExecutionId, OwnerId, RuleId, TenantId};
use crate::rule::Rule;
use crate::rule::action::Action;
use crate::rule::draft::{ActionDraft, ConditionsDraft, RuleDraft};

/// What a run of a rule leads to. Never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExecutionLinks {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its owner.
    pub owner: OwnerId,
    /// The rule.
    pub rule: RuleId,
}

impl From<&Execution> for ExecutionLinks {
    fn from(execution: &Execution) -> ExecutionLinks {
        ExecutionLinks {
            tenant: execution.tenant,
            owner: execution.owner,
            rule: execution.rule,
        }
    }
}

pub(super) fn of_new(new: &NewRule) -> Vec<Touch> {
    let mut touches = vec![
        Touch::Tenant(new.tenant),
        Touch::Owner(new.owner),
        Touch::Rules(new.owner),
    ];
    touches.extend(of_draft(&new.draft));
    touches
}

pub(super) fn of_change(change: &ChangeRule) -> Vec<Touch> {
    let mut touches = of_end(change.tenant, change.rule);
    touches.extend(of_draft(&change.draft));
    touches
}

/// A rule that is changed, deleted or switched off runs no more by the time.
pub(super) fn of_end(tenant: TenantId, rule: RuleId) -> Vec<Touch> {
    vec![
        Touch::Tenant(tenant),
        Touch::Rule(rule),
        Touch::Waiting(Work::RunRule(rule)),
    ]
}

pub(super) fn of_switch(tenant: TenantId, rule: RuleId, enabled: bool) -> Vec<Touch> {
    let mut touches = of_end(tenant, rule);
    if enabled {
        touches.push(Touch::Siblings(rule));
    }
    touches
}

pub(super) fn of_trigger(trigger: &TriggerRule) -> Vec<Touch> {
    let tenant = Touch::Tenant(trigger.tenant);
    match trigger.mode {
        ExecutionMode::Live => vec![
            tenant,
            Touch::Rule(trigger.rule),
            Touch::Asked(trigger.rule),
        ],
        ExecutionMode::Simulation => vec![tenant, Touch::RunOf(trigger.rule)],
    }
}

pub(super) fn of_answer(tenant: TenantId, execution: ExecutionId) -> Vec<Touch> {
    vec![
        Touch::Tenant(tenant),
        Touch::Run(execution),
        Touch::Waiting(Work::RunExecution(execution)),
    ]
}

/// What a rule leads to that may run now.
pub(super) fn of_run(rule: &Rule) -> Vec<Touch> {
    let in_transit = SystemKind::InTransit(Rail::Simulated);
    let mut touches = vec![
        Touch::Owner(rule.owner),
        Touch::System(rule.owner, in_transit, rule.currency),
    ];
    let accounts = rule.accounts().into_iter();
    touches.extend(accounts.flat_map(|id| [Touch::Account(id), Touch::Arriving(id)]));
    let actions = rule.steps.iter().flat_map(|step| &step.actions);
    let paid: BTreeSet<AccountId> = actions.flat_map(Action::destinations).collect();
    touches.extend(paid.into_iter().map(Touch::Listener));
    touches
}

/// Every account that a draft names, in whatever field.
fn of_draft(draft: &RuleDraft) -> impl Iterator<Item = Touch> {
    let mut accounts: BTreeSet<AccountId> = draft.trigger.account.into_iter().collect();
    for step in &draft.steps {
        if let Some(conditions) = &step.conditions {
            of_conditions(conditions, &mut accounts);
        }
        accounts.extend(step.actions.iter().flat_map(of_action));
    }
    accounts.into_iter().map(Touch::Account)
}

fn of_conditions(conditions: &ConditionsDraft, accounts: &mut BTreeSet<AccountId>) {
    if let Some(condition) = &conditions.condition {
        accounts.extend(condition.account);
        accounts.extend(condition.value_account);
    }
    let branches = [&conditions.any, &conditions.all].into_iter().flatten();
    for branch in branches.flatten() {
        of_conditions(branch, accounts);
    }
}

fn of_action(action: &ActionDraft) -> impl Iterator<Item = AccountId> {
    let named = [
        action.source,
        action.destination,
        action.next_payment_minimum_account,
        action.current_balance_account,
        action.last_statement_balance_account,
    ];
    let debts = action.liabilities.iter().map(|debt| debt.account);
    named.into_iter().flatten().chain(debts)
}
