//! Rules: whether they can be kept and switched on, and when they run by the time.

use ledger::rule::action::{Movement, PercentageTarget, Reckoning, TopUp};
use ledger::rule::draft::{ActionDraft, RuleDraft};
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::snapshot::CapsUsed;
use ledger::rule::{RoundDown, Step, Trigger, TriggerKind};
use ledger::{
    AccountId, AccountState, ChangeRule, Currency, Millis, NewRule, OwnerId, Rule, RuleId, TenantId,
};

use super::due::Made;
use super::{Model, Refusal, is_note, is_text, refuse_when};

/// A rule.
#[derive(Clone, Debug)]
pub struct KnownRule {
    /// What it says, as the ledger made it from the draft.
    pub said: Rule,
    /// Whether it runs.
    pub on: bool,
    /// How often what it says was changed.
    pub version: u32,
    /// When it runs next by the time.
    pub next: Option<Millis>,
    /// What its caps have counted.
    pub caps: CapsUsed,
    /// Above what a person is asked.
    pub approval_above: Option<i64>,
}

impl KnownRule {
    /// Whether a person is asked before it moves so much.
    pub(super) fn asks(&self, minor: i128) -> bool {
        self.approval_above
            .is_some_and(|above| minor > above.into())
    }
}

impl Model {
    pub(super) fn create_rule(
        &mut self,
        new: &NewRule,
        id: impl Fn() -> u64,
        made: &Made,
    ) -> Result<(), Refusal> {
        self.identity(new.tenant, new.owner)?;
        let own = self.rules.values().filter(|r| r.said.owner == new.owner);
        refuse_when(own.count() >= 200, "too_many_rules")?;
        let sound = self.is_sound(new.tenant, new.owner, &new.draft);
        refuse_when(!sound, "rule_faulty")?;
        let id = RuleId::new(id());
        let rule = KnownRule {
            said: made.rules[&id].clone(),
            on: false,
            version: 1,
            next: None,
            caps: CapsUsed::new(),
            approval_above: None,
        };
        self.rules.insert(id, rule);
        Ok(())
    }

    pub(super) fn change_rule(&mut self, change: &ChangeRule, made: &Made) -> Result<(), Refusal> {
        let known = self.rule(change.tenant, change.owner, change.rule)?;
        let trigger = known.said.trigger;
        let sound = self.is_sound(change.tenant, known.said.owner, &change.draft);
        refuse_when(!sound, "rule_faulty")?;
        let same = change.draft.trigger.kind == trigger.kind()
            && change.draft.trigger.account == trigger.account()
            && change.draft.trigger.schedule_kind == trigger.schedule().map(|s| s.kind)
            && change.draft.trigger.start == trigger.schedule().map(|s| s.start);
        refuse_when(!same, "invalid_parameters")?;
        let rule = self.rules.get_mut(&change.rule).expect("found above");
        rule.said = made.rules[&change.rule].clone();
        rule.on = false;
        rule.version += 1;
        rule.next = None;
        Ok(())
    }

    pub(super) fn delete_rule(
        &mut self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        id: RuleId,
    ) -> Result<(), Refusal> {
        self.rule(tenant, owner, id)?;
        self.rules.remove(&id);
        Ok(())
    }

    pub(super) fn switch_rule(
        &mut self,
        (tenant, owner): (TenantId, Option<OwnerId>),
        id: RuleId,
        on: bool,
        machine: Millis,
    ) -> Result<(), Refusal> {
        let now = self.now(tenant, machine)?;
        let rule = self.rule(tenant, owner, id)?;
        if rule.on == on {
            return Ok(());
        }
        refuse_when(on && !self.would_work(&rule.said), "rule_unsound")?;
        let next = next_run(&rule.said, now.plus(1));
        let rule = self.rules.get_mut(&id).expect("found above");
        rule.on = on;
        rule.next = next.filter(|_| on);
        Ok(())
    }

    pub(super) fn set_rule_approval(
        &mut self,
        (tenant, owner): (TenantId, Option<OwnerId>),
        id: RuleId,
        above: Option<i64>,
    ) -> Result<(), Refusal> {
        self.rule(tenant, owner, id)?;
        let negative = above.is_some_and(|minor| minor < 0);
        refuse_when(negative, "invalid_parameters")?;
        let rule = self.rules.get_mut(&id).expect("found above");
        rule.approval_above = above;
        Ok(())
    }

    /// A tenant's rule; with an owner, only that owner's.
    pub(super) fn rule(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        id: RuleId,
    ) -> Result<&KnownRule, Refusal> {
        self.tenant(tenant)?;
        let rule = self.rules.get(&id).ok_or("rule_not_found")?;
        let own = rule.said.tenant == tenant && owner.is_none_or(|o| rule.said.owner == o);
        refuse_when(!own, "rule_not_found")?;
        Ok(rule)
    }

    /// What the tests can get wrong in a draft.
    fn is_sound(&self, tenant: TenantId, owner: OwnerId, draft: &RuleDraft) -> bool {
        let mut currency: Option<Currency> = None;
        let mut usable = |id: AccountId, role: fn((bool, bool)) -> bool| {
            let found = self.accounts.get(&id).filter(|account| {
                account.tenant == tenant
                    && account.owner == owner
                    && account.state != AccountState::Destroyed
                    && role(account.roles)
            });
            found.is_some_and(|account| {
                *currency.get_or_insert(account.currency) == account.currency
            })
        };
        let scheduled = draft.trigger.kind == TriggerKind::Scheduled;
        let timed = draft.trigger.schedule_kind.is_some()
            && draft
                .trigger
                .start
                .is_some_and(|at| (0..253_402_300_800_000).contains(&at.0));
        let Some(trigger) = draft.trigger.account else {
            return false;
        };
        let mut sound = is_text(&draft.name, 1, 100)
            && is_note(draft.description.as_deref())
            && scheduled == timed
            && usable(trigger, |_| true)
            && !draft.steps.is_empty();
        for step in &draft.steps {
            sound &= !step.actions.is_empty();
            for action in &step.actions {
                let source = action.source.unwrap_or(trigger);
                let destination = action.destination.expect("the tests name one");
                sound &= usable(source, |(source, _)| source)
                    && usable(destination, |(_, destination)| destination)
                    && source != destination
                    && action.minor.is_none_or(|minor| minor >= at_least(action));
            }
        }
        sound
    }

    /// Whether nothing keeps a rule from being switched on beside those that are on.
    fn would_work(&self, rule: &Rule) -> bool {
        let beside = self
            .rules
            .values()
            .filter(|other| other.on && other.said.owner == rule.owner && other.said.id != rule.id);
        let mut all: Vec<&Rule> = beside.map(|other| &other.said).collect();
        all.push(rule);
        let mut heard: Vec<AccountId> = all.iter().filter_map(|r| listens_on(r)).collect();
        let listeners = heard.len();
        heard.sort_unstable();
        heard.dedup();
        // Where a rule still leads after as many steps as there are rules, money goes round.
        let row = |rule: &Rule| {
            let mut reached = vec![rule];
            for row in 0..=all.len() {
                let paid: Vec<AccountId> = reached.iter().flat_map(|r| destinations(r)).collect();
                let next = all.iter().filter(|other| {
                    listens_on(other).is_some_and(|account| paid.contains(&account))
                });
                reached = next.copied().collect();
                if reached.is_empty() {
                    return row;
                }
            }
            usize::MAX
        };
        listeners == heard.len()
            && all.iter().all(|rule| row(rule) <= 8)
            && all
                .iter()
                .all(|rule| rule.steps.iter().all(|step| can_work(rule, step)))
    }
}

/// The first run at or after a moment: the tests have daily schedules and single ones.
pub(super) fn next_run(rule: &Rule, from: Millis) -> Option<Millis> {
    let Trigger::Scheduled { schedule, .. } = rule.trigger else {
        return None;
    };
    const DAY_MS: i64 = 86_400_000;
    // Nothing runs after the year 9999.
    const END: Millis = Millis(253_402_300_800_000);
    let late_ms = from.since(schedule.start).max(0);
    let next = match schedule.kind {
        ScheduleKind::OneTime => (late_ms == 0).then_some(schedule.start),
        ScheduleKind::Daily => {
            let days = late_ms / DAY_MS + i64::from(late_ms % DAY_MS > 0);
            Some(schedule.start.plus(days * DAY_MS))
        }
        other => panic!("the model knows no {other}"),
    };
    next.filter(|at| *at < END && from < END)
}

pub(super) fn listens_on(rule: &Rule) -> Option<AccountId> {
    match rule.trigger {
        Trigger::OnFundsTransferred { account } => Some(account),
        _ => None,
    }
}

fn destinations(rule: &Rule) -> Vec<AccountId> {
    let actions = rule.steps.iter().flat_map(|step| &step.actions);
    actions.flat_map(|action| action.destinations()).collect()
}

fn at_least(action: &ActionDraft) -> i64 {
    i64::from(action.action_type.name() != "top_up")
}

/// No action always wants less than a dollar, and no shares of one amount are more than all of it
/// unless each of them takes what it can get.
fn can_work(rule: &Rule, step: &Step) -> bool {
    let enough = step.actions.iter().all(|action| match action.movement {
        Movement::Pay { reckoning, .. } => match reckoning {
            Reckoning::FixedAmount(minor) | Reckoning::TopUp(TopUp::Amount(minor)) => minor >= 100,
            Reckoning::RoundDown(minor) => {
                minor > 100 || rule.settings.round_down == RoundDown::Buffer
            }
            _ => true,
        },
        Movement::PayOff { .. } => panic!("the tests pay nothing off"),
    });
    let fits = step.actions.iter().enumerate().all(|(last, action)| {
        let Some((_, target)) = action.share() else {
            return true;
        };
        let of_source = target == PercentageTarget::SourceAccount;
        let same = step.actions[..=last].iter().filter(|other| {
            other.share().is_some_and(|(_, of)| of == target)
                && rule.source_of(other) == rule.source_of(action)
                && (!of_source || other.group_index == action.group_index)
        });
        let shares: Vec<(i64, bool)> = same
            .map(|other| {
                let (percent, _) = other.share().expect("filtered");
                (percent.scaled(), other.up_to_enabled)
            })
            .collect();
        let sum: i64 = shares.iter().map(|(percent, _)| percent).sum();
        let before = sum - shares.last().expect("itself").0;
        let all = 10_000_000_000;
        // Said once, of the share that is too much.
        sum <= all || before > all || shares.iter().all(|(_, modest)| *modest)
    });
    enough && fits
}
