//! Steps of rules: making and switching them, running them by hand, answering them.

use std::sync::Arc;

use ledger::rule::action::{ActionType, Cap, CapPeriod, PercentageTarget};
use ledger::rule::condition::{Fact, Operator};
use ledger::rule::draft::{
    ActionDraft, ConditionDraft, ConditionsDraft, RuleDraft, StepDraft, TriggerDraft,
};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::snapshot::{Answers, Incoming};
use ledger::rule::{RoundDown, Settings, TriggerKind};
use ledger::{
    Account, AccountId, AccountState, ChangeRule, Command, ExecutionId, ExecutionMode, NewRule,
    OwnerId, RuleId, StateReason, TenantId, TriggerRule,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::pair::{NOTHING, Pair};
use crate::pick::mostly;
use crate::steps::{Text, Voice, text, voice};

#[derive(Clone, Debug)]
pub enum RuleStep {
    Create(Box<Wish>),
    Change(Index, Voice, Box<Wish>),
    Delete(Index, Voice),
    Switch(Index, Voice, bool),
    /// Above what a person is asked.
    Ask(Index, Voice, Option<i64>),
    Trigger(Index, Voice, Incoming, bool),
    Answer(Index, i64),
    /// A deposit on an account that a rule waits on.
    Feed(Index, i64),
    /// Closing an account that a rule pays into.
    Close(Index),
}

/// A rule that is wished for.
#[derive(Clone, Debug)]
pub struct Wish {
    trigger: TriggerKind,
    schedule: (ScheduleKind, i64),
    account: Index,
    actions: Vec<ActionWish>,
    /// Only when the balance is above this.
    above: Option<i64>,
    settings: Settings,
    name: Text,
    /// Another trigger than before, when the rule is changed.
    other: bool,
}

#[derive(Clone, Debug)]
struct ActionWish {
    action_type: ActionType,
    minor: i64,
    percent: Percent,
    target: PercentageTarget,
    source: Option<Index>,
    destination: Index,
    group: u32,
    up_to: bool,
    cap: Option<(CapPeriod, i64)>,
    /// To or from an account that does not fit.
    odd: bool,
}

fn action() -> impl Strategy<Value = ActionWish> {
    let action_type = select(vec![
        ActionType::FixedAmount,
        ActionType::FixedAmount,
        ActionType::Percentage,
        ActionType::Percentage,
        ActionType::TopUp,
        ActionType::RoundDown,
        ActionType::QueriedAmount,
    ]);
    let minor = prop_oneof![40 => 100..300_i64, 1 => 0..100_i64];
    let percent = select(vec![10, 25, 50, 50, 50]);
    let source = prop::option::weighted(0.2, any::<Index>());
    let cap = prop::option::weighted(0.3, (select(CapPeriod::ALL.to_vec()), 0..400_i64));
    let odd = prop::bool::weighted(0.05);
    let rest = (any::<Index>(), 0..2_u32, any::<bool>(), cap, odd);
    (
        action_type,
        minor,
        percent,
        select(PercentageTarget::ALL.to_vec()),
        source,
        rest,
    )
        .prop_map(|(action_type, minor, percent, target, source, rest)| {
            let (destination, group, up_to, cap, odd) = rest;
            ActionWish {
                action_type,
                minor,
                percent: Percent::from_scaled(percent * 100_000_000).expect("in range"),
                target,
                source,
                destination,
                group,
                up_to,
                cap,
                odd,
            }
        })
}

fn wish() -> impl Strategy<Value = Wish> {
    let trigger = prop_oneof![
        4 => Just(TriggerKind::OnFundsTransferred),
        1 => Just(TriggerKind::Manual),
        1 => Just(TriggerKind::Scheduled),
    ];
    let schedule = (
        select(vec![ScheduleKind::OneTime, ScheduleKind::Daily]),
        -3_000..9_000_i64,
    );
    let settings =
        (0..5_000_i64, select(RoundDown::ALL.to_vec())).prop_map(|(delay, round_down)| Settings {
            round_down,
            rail_delay_ms: delay - 100,
            ..Settings::default()
        });
    let actions = prop::collection::vec(action(), 1..4);
    let above = prop::option::weighted(0.3, 0..600_i64);
    let odd = (text(), prop::bool::weighted(0.1));
    (
        trigger,
        schedule,
        any::<Index>(),
        actions,
        above,
        settings,
        odd,
    )
        .prop_map(
            |(trigger, schedule, account, actions, above, settings, (name, other))| Wish {
                trigger,
                schedule,
                account,
                actions,
                above,
                settings,
                name,
                other,
            },
        )
}

pub fn step() -> impl Strategy<Value = RuleStep> {
    let at = any::<Index>;
    let incoming = prop_oneof![
        2 => Just(Incoming::Unknown),
        4 => (0..600_i64).prop_map(Incoming::Amount),
        2 => (0..600_i64).prop_map(Incoming::Pretended),
        1 => Just(Incoming::Amount(-1)),
    ];
    prop_oneof![
        6 => wish().prop_map(|wish| RuleStep::Create(Box::new(wish))),
        2 => (at(), voice(), wish()).prop_map(|(r, v, w)| RuleStep::Change(r, v, Box::new(w))),
        1 => (at(), voice()).prop_map(|(r, v)| RuleStep::Delete(r, v)),
        8 => (at(), voice(), prop::bool::weighted(0.8))
            .prop_map(|(r, v, on)| RuleStep::Switch(r, v, on)),
        1 => (at(), voice(), prop::option::weighted(0.6, -40..300_i64))
            .prop_map(|(r, v, above)| RuleStep::Ask(r, v, above)),
        6 => (at(), voice(), incoming, prop::bool::weighted(0.2))
            .prop_map(|(r, v, i, s)| RuleStep::Trigger(r, v, i, s)),
        7 => (at(), -20..400_i64).prop_map(|(run, minor)| RuleStep::Answer(run, minor)),
        8 => (at(), 100..900_i64).prop_map(|(rule, minor)| RuleStep::Feed(rule, minor)),
        1 => at().prop_map(RuleStep::Close),
    ]
}

pub fn apply(pair: &mut Pair, step: &RuleStep) {
    match step {
        RuleStep::Create(wish) => {
            let (account, own) = pair.pick_held(&wish.account);
            let known = pair.state.account(account);
            let owner = known.map_or(OwnerId::new(NOTHING), |account| account.owner);
            let draft = pair.draft(wish, account, None);
            let tenant = pair.speaker(own);
            pair.run(&Command::CreateRule(NewRule {
                tenant,
                owner,
                draft,
                settings: wish.settings,
            }));
        }
        RuleStep::Close(rule) => {
            let (rule, own) = pair.pick_rule(rule, |rule| rule.enabled);
            let known = pair.state.rule(rule);
            let paid = known.and_then(|rule| {
                let actions = rule.steps.iter().flat_map(|step| &step.actions);
                actions.flat_map(|action| action.destinations()).next()
            });
            let tenant = pair.speaker(own);
            pair.run(&Command::SetAccountState {
                tenant,
                owner: None,
                account: paid.unwrap_or(AccountId::new(NOTHING)),
                reason: StateReason::User,
                state: AccountState::Destroyed,
            });
        }
        RuleStep::Ask(rule, voice, above_minor) => {
            let (rule, own) = pair.pick_rule(rule, |_| true);
            let owner = pair.rule_voice(*voice, rule);
            let tenant = pair.speaker(own);
            pair.run(&Command::SetRuleApproval {
                tenant,
                owner,
                rule,
                above_minor: *above_minor,
            });
        }
        RuleStep::Change(rule, voice, wish) => {
            let (rule, own) = pair.pick_rule(rule, |_| true);
            let trigger = pair.state.rule(rule).map(|rule| rule.trigger);
            let before = trigger.and_then(|trigger| trigger.account());
            let draft = pair.draft(wish, before.unwrap_or(AccountId::new(NOTHING)), trigger);
            let owner = pair.rule_voice(*voice, rule);
            let tenant = pair.speaker(own);
            pair.run(&Command::ChangeRule(ChangeRule {
                tenant,
                owner,
                rule,
                draft,
                settings: wish.settings,
            }));
        }
        RuleStep::Delete(rule, voice) => {
            let (rule, own) = pair.pick_rule(rule, |_| true);
            let owner = pair.rule_voice(*voice, rule);
            let tenant = pair.speaker(own);
            pair.run(&Command::DeleteRule {
                tenant,
                owner,
                rule,
            });
        }
        RuleStep::Switch(rule, voice, enabled) => {
            let (rule, own) = pair.pick_rule(rule, |rule| rule.enabled != *enabled);
            let owner = pair.rule_voice(*voice, rule);
            let tenant = pair.speaker(own);
            pair.run(&Command::SwitchRule {
                tenant,
                owner,
                rule,
                enabled: *enabled,
            });
        }
        RuleStep::Trigger(rule, voice, incoming, simulated) => {
            let (rule, own) = pair.pick_rule(rule, |rule| rule.enabled);
            let owner = pair.rule_voice(*voice, rule);
            let tenant = pair.speaker(own);
            pair.run(&Command::TriggerRule(TriggerRule {
                tenant,
                owner,
                rule,
                key: None,
                incoming: *incoming,
                mode: if *simulated {
                    ExecutionMode::Simulation
                } else {
                    ExecutionMode::Live
                },
            }));
        }
        RuleStep::Answer(run, minor) => {
            let (execution, own) = pair.pick_run(run);
            let tenant = pair.speaker(own);
            // Every action that can be asked about, so that some answers are to nothing.
            let answers: Answers = (0..3).map(|action| ((0, action), *minor)).collect();
            pair.run(&Command::AnswerAmounts {
                tenant,
                execution,
                answers,
            });
        }
        RuleStep::Feed(rule, minor) => {
            let (rule, own) = pair.pick_rule(rule, |rule| rule.listens_on().is_some());
            let Some(account) = pair
                .state
                .rule(rule)
                .and_then(|rule| rule.trigger.account())
            else {
                return;
            };
            let tenant = pair.speaker(own);
            let amount = pair.money(*minor, account, false);
            pair.run(&Command::MoneyIn(ledger::MoneyIn {
                tenant,
                destination: account,
                amount,
                origin: ledger::Origin::Paycheck,
                description: None,
            }));
        }
    }
}

impl Pair {
    /// A draft about accounts of the same owner, mostly; with a trigger that it keeps, mostly.
    fn draft(
        &self,
        wish: &Wish,
        account: AccountId,
        before: Option<ledger::rule::Trigger>,
    ) -> RuleDraft {
        let kept = before.filter(|_| !wish.other);
        let kind = kept.map_or(wish.trigger, |trigger| trigger.kind());
        let now = self.state.account(account).map(|a| self.time_of(a.tenant));
        let (schedule_kind, start) = match kept {
            Some(trigger) => (
                trigger.schedule().map(|schedule| schedule.kind),
                trigger.schedule().map(|schedule| schedule.start),
            ),
            None => {
                let start = now.unwrap_or(crate::pair::START).plus(wish.schedule.1);
                let scheduled = kind == TriggerKind::Scheduled;
                (
                    scheduled.then_some(wish.schedule.0),
                    scheduled.then_some(start),
                )
            }
        };
        let caps: Vec<Option<Cap>> = (0..2)
            .map(|group| {
                let first = wish.actions.iter().find(|action| action.group == group)?;
                first.cap.map(|(period, minor)| Cap { period, minor })
            })
            .collect();
        let actions = wish.actions.iter().map(|action| {
            let source = action
                .source
                .map(|index| self.pick_end(&index, action.odd, account, |a| a.can_be_source));
            let from = source.unwrap_or(account);
            let destination = self.pick_end(&action.destination, action.odd, from, |a| {
                a.can_be_destination
            });
            let share = action.action_type == ActionType::Percentage;
            let sum = matches!(
                action.action_type,
                ActionType::FixedAmount | ActionType::TopUp | ActionType::RoundDown
            );
            ActionDraft {
                source,
                destination: Some(destination),
                minor: sum.then_some(action.minor),
                percentage_value: share.then_some(action.percent),
                percentage_target: share.then_some(action.target),
                group_index: action.group,
                up_to_enabled: action.up_to,
                limit: caps[action.group as usize],
                ..ActionDraft::of(action.action_type)
            }
        });
        let condition = wish.above.map(|minor| ConditionsDraft {
            condition: Some(ConditionDraft {
                fact: Fact::Balance,
                operator: Operator::GreaterThan,
                value: Some(minor),
                value_fact: None,
                account: None,
                value_account: None,
            }),
            ..ConditionsDraft::default()
        });
        RuleDraft {
            name: match wish.name {
                Text::Bad => Arc::from(""),
                _ => Arc::from("Save"),
            },
            description: None,
            trigger: TriggerDraft {
                kind,
                account: Some(account),
                schedule_kind,
                start,
            },
            steps: vec![StepDraft {
                conditions: condition,
                actions: actions.collect(),
            }],
        }
    }

    /// Another account of the same owner and currency that can be used like this, or an odd one.
    /// Never a liability, which top-ups do not go to.
    fn pick_end(
        &self,
        index: &Index,
        odd: bool,
        beside: AccountId,
        role: impl Fn(&Account) -> bool,
    ) -> AccountId {
        let near = self.state.account(beside);
        let (mut good, mut bad) = (Vec::new(), vec![AccountId::new(NOTHING)]);
        for (id, _) in &self.accounts {
            let Some(account) = self.state.account(*id) else {
                continue;
            };
            if account.kind == crate::pair::KINDS[4] {
                continue;
            }
            let fits = near.is_some_and(|near| {
                account.owner == near.owner
                    && account.currency == near.currency
                    && account.id != near.id
                    && account.state == AccountState::Active
                    && role(account)
            });
            if fits { &mut good } else { &mut bad }.push(*id);
        }
        *index.get(if odd || good.is_empty() { &bad } else { &good })
    }

    /// An account that money can arrive on, mostly.
    fn pick_held(&self, index: &Index) -> (AccountId, TenantId) {
        let fits = |(id, tenant): &(AccountId, TenantId)| {
            let account = self.state.account(*id);
            self.is_sandbox(*tenant)
                && account.is_some_and(|a| a.kind.is_held() && a.state == AccountState::Active)
        };
        let (good, bad): (Vec<_>, Vec<_>) = self.accounts.iter().copied().partition(fits);
        mostly(index, &good, &bad)
    }

    fn pick_rule(&self, index: &Index, good: impl Fn(&ledger::Rule) -> bool) -> (RuleId, TenantId) {
        let fits = |(id, _): &(RuleId, TenantId)| self.state.rule(*id).is_some_and(&good);
        let (good, bad): (Vec<_>, Vec<_>) = self.rules.iter().copied().partition(fits);
        mostly(index, &good, &bad)
    }

    /// A run: mostly one that waits for an amount.
    fn pick_run(&self, index: &Index) -> (ExecutionId, TenantId) {
        let named = |run: &&ledger::Execution| (run.id, run.tenant);
        let all = self.executions.values();
        let (good, rest): (Vec<_>, Vec<_>) = all.partition(|run| run.asks.is_some());
        let good: Vec<_> = good.iter().map(named).collect();
        let mut bad: Vec<_> = rest.iter().take(2).map(named).collect();
        bad.push((ExecutionId::new(NOTHING), self.tenants[0]));
        mostly(index, &good, &bad)
    }

    /// Whom a command about a rule speaks for.
    fn rule_voice(&self, voice: Voice, rule: RuleId) -> Option<OwnerId> {
        let own = self.state.rule(rule).map(|rule| rule.owner);
        match voice {
            Voice::Operator => None,
            Voice::Owner => own,
            Voice::Other => own.map(|own| self.neighbour(own)),
        }
    }
}

/// Two rules that set each other off, of the owner's first pods.
pub fn begin(pair: &mut Pair, tenant: TenantId, owner: OwnerId) {
    let own = |account: &Account| account.owner == owner && account.can_be_source;
    let mut held: Vec<AccountId> = pair
        .state
        .accounts()
        .filter(|account| own(account) && account.kind.is_held())
        .map(|account| account.id)
        .collect();
    held.sort_unstable();
    for ends in held.windows(2).take(2) {
        let mut action = ActionDraft::of(ActionType::Percentage);
        action.destination = Some(ends[1]);
        action.percentage_value = Percent::parse("50");
        action.percentage_target = Some(PercentageTarget::IncomingAmount);
        let draft = RuleDraft {
            name: Arc::from("Half"),
            description: None,
            trigger: TriggerDraft {
                kind: TriggerKind::OnFundsTransferred,
                account: Some(ends[0]),
                schedule_kind: None,
                start: None,
            },
            steps: vec![StepDraft {
                conditions: None,
                actions: vec![action],
            }],
        };
        pair.run(&Command::CreateRule(NewRule {
            tenant,
            owner,
            draft,
            settings: Settings::default(),
        }));
        let (rule, _) = *pair.rules.last().expect("just made");
        pair.run(&Command::SwitchRule {
            tenant,
            owner: None,
            rule,
            enabled: true,
        });
    }
}
