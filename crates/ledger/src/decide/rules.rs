//! Making, changing and switching rules.

use super::{Context, Decision, Reply, owner_of, tenant_of};
use crate::command::{ChangeRule, NewRule};
use crate::effect::{Due, Effect, Work};
use crate::id::{OwnerId, RuleId, TenantId};
use crate::rejection::Rejection;
use crate::rule::draft::RuleDraft;
use crate::rule::lint::blocking;
use crate::rule::validate::{Checked, validate};
use crate::rule::{RULES_MAX, Rule};
use crate::state::State;
use crate::time::Millis;

/// A new rule is off: whoever may switch it on looks at it first (sequence-api §3.9).
pub(super) fn create(
    state: &State,
    new: &NewRule,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, new.tenant)?;
    let owner = owner_of(state, tenant.id, new.owner)?;
    if state.rules_of(owner.id).count() >= RULES_MAX {
        return Err(Rejection::TooManyRules);
    }
    let checked = check(state, tenant.id, owner.id, &new.draft)?;
    let now = tenant.clock.now(context.now);
    let rule = Rule {
        id: RuleId::new(context.new_id()),
        tenant: tenant.id,
        owner: owner.id,
        name: checked.name,
        description: checked.description,
        enabled: false,
        trigger: checked.trigger,
        steps: checked.steps,
        currency: checked.currency,
        settings: new.settings,
        approval_above_minor: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Ok(set(Vec::new(), rule))
}

/// A changed rule is off until somebody switches it on again.
pub(super) fn change(
    state: &State,
    change: &ChangeRule,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, change.tenant)?;
    let known = rule_of(state, tenant.id, change.owner, change.rule)?;
    let checked = check(state, tenant.id, known.owner, &change.draft)?;
    if checked.trigger != known.trigger {
        return Err(Rejection::Invalid {
            field: "trigger",
            reason: "never changes",
        });
    }
    let rule = Rule {
        name: checked.name,
        description: checked.description,
        enabled: false,
        steps: checked.steps,
        currency: checked.currency,
        settings: change.settings,
        version: known.version.saturating_add(1),
        updated_at: tenant.clock.now(context.now),
        ..known.clone()
    };
    Ok(set(unscheduled(state, known), rule))
}

pub(super) fn delete(
    state: &State,
    (tenant, owner): (TenantId, Option<OwnerId>),
    rule: RuleId,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let rule = rule_of(state, tenant.id, owner, rule)?;
    let mut effects = unscheduled(state, rule);
    effects.push(Effect::RuleDeleted {
        rule: rule.id,
        at: tenant.clock.now(context.now),
    });
    Ok(Decision {
        effects,
        reply: Reply::Done,
    })
}

/// Switching on looks at all of the owner's rules that are on: what would go round, or cannot
/// work, is refused here and nowhere else, so that it can never run.
pub(super) fn switch(
    state: &State,
    (tenant, owner): (TenantId, Option<OwnerId>),
    rule: RuleId,
    enabled: bool,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let known = rule_of(state, tenant.id, owner, rule)?;
    if known.enabled == enabled {
        return Ok(Decision {
            effects: Vec::new(),
            reply: Reply::Rule(known.clone()),
        });
    }
    let now = tenant.clock.now(context.now);
    let rule = Rule {
        enabled,
        updated_at: now,
        ..known.clone()
    };
    if !enabled {
        return Ok(set(unscheduled(state, known), rule));
    }
    let on: Vec<&Rule> = state.rules_of(rule.owner).filter(|r| r.enabled).collect();
    if let Some(found) = blocking(&rule, &on) {
        return Err(Rejection::RuleUnsound {
            code: found.code,
            path: found.path,
            text: found.text,
        });
    }
    // Not now itself: a rule that is switched off and on while a clock stands has run by then.
    let next = rule.next_run(now.plus(1)).map(|at| scheduled(&rule, at));
    let mut decision = set(Vec::new(), rule);
    decision.effects.extend(next.map(Effect::DueAdded));
    Ok(decision)
}

/// What a rule may move without asking. Whether it is on does not change, nor its version.
pub(super) fn set_approval(
    state: &State,
    (tenant, owner): (TenantId, Option<OwnerId>),
    rule: RuleId,
    above_minor: Option<i64>,
    context: &mut Context<'_>,
) -> Result<Decision, Rejection> {
    let tenant = tenant_of(state, tenant)?;
    let known = rule_of(state, tenant.id, owner, rule)?;
    if above_minor.is_some_and(|minor| minor < 0) {
        return Err(Rejection::Invalid {
            field: "approval_above",
            reason: "must be 0 or more",
        });
    }
    let rule = Rule {
        approval_above_minor: above_minor,
        updated_at: tenant.clock.now(context.now),
        ..known.clone()
    };
    Ok(set(Vec::new(), rule))
}

/// A rule of the tenant; with an owner, other owners' rules do not exist.
pub(super) fn rule_of(
    state: &State,
    tenant: TenantId,
    owner: Option<OwnerId>,
    id: RuleId,
) -> Result<&Rule, Rejection> {
    state
        .rule(id)
        .filter(|rule| rule.tenant == tenant)
        .filter(|rule| owner.is_none_or(|owner| rule.owner == owner))
        .ok_or(Rejection::RuleNotFound)
}

pub(super) fn scheduled(rule: &Rule, at: Millis) -> Due {
    Due {
        tenant: rule.tenant,
        at,
        work: Work::RunRule(rule.id),
    }
}

fn unscheduled(state: &State, rule: &Rule) -> Vec<Effect> {
    let waiting = state.next_run(rule.id).map(|at| scheduled(rule, at));
    waiting.map(Effect::DueRemoved).into_iter().collect()
}

fn check(
    state: &State,
    tenant: TenantId,
    owner: OwnerId,
    draft: &RuleDraft,
) -> Result<Checked, Rejection> {
    let lookup = |id| super::account_of(state, tenant, id);
    validate(draft, owner, &lookup).map_err(Rejection::RuleFaulty)
}

fn set(mut effects: Vec<Effect>, rule: Rule) -> Decision {
    effects.push(Effect::RuleSet(rule.clone()));
    Decision {
        effects,
        reply: Reply::Rule(rule),
    }
}
