//! Rules in a random history: made, changed, switched, run, answered, deleted.

use std::sync::Arc;

use ledger::rule::action::{ActionType, Cap, CapPeriod, PercentageTarget};
use ledger::rule::draft::{ActionDraft, RuleDraft, StepDraft, TriggerDraft};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::ScheduleKind;
use ledger::rule::snapshot::Answers;
use ledger::rule::{Settings, TriggerKind};
use ledger::{
    AccountId, ChangeRule, Command, ExecutionId, ExecutionMode, Incoming, NewRule, Reply, RuleId,
    TriggerRule,
};

use super::{START, World, done};

fn draft(kind: TriggerKind, account: AccountId, action: ActionDraft) -> RuleDraft {
    let scheduled = kind == TriggerKind::Scheduled;
    RuleDraft {
        name: Arc::from("Savings"),
        description: None,
        trigger: TriggerDraft {
            kind,
            account: Some(account),
            schedule_kind: scheduled.then_some(ScheduleKind::Daily),
            start: scheduled.then_some(START),
        },
        steps: vec![StepDraft {
            conditions: None,
            actions: vec![action],
        }],
    }
}

fn share(destination: AccountId) -> ActionDraft {
    ActionDraft {
        destination: Some(destination),
        percentage_value: Percent::parse("20"),
        percentage_target: Some(PercentageTarget::IncomingAmount),
        limit: Some(Cap {
            period: CapPeriod::PerYear,
            minor: 1_000_000,
        }),
        ..ActionDraft::of(ActionType::Percentage)
    }
}

fn asking(destination: AccountId) -> ActionDraft {
    ActionDraft {
        destination: Some(destination),
        ..ActionDraft::of(ActionType::QueriedAmount)
    }
}

fn fixed(destination: AccountId) -> ActionDraft {
    ActionDraft {
        destination: Some(destination),
        minor: Some(150),
        up_to_enabled: true,
        ..ActionDraft::of(ActionType::FixedAmount)
    }
}

impl World {
    /// A rule that waits for pay, for each owner.
    pub(super) async fn begin_rules(&mut self) {
        for owner in 0..self.owners.len() {
            let it = &self.owners[owner];
            let saving = draft(
                TriggerKind::OnFundsTransferred,
                it.pay,
                share(it.instruments[1].id),
            );
            self.switched_on(owner, saving).await;
        }
    }

    /// Rules that wait for the time and for an answer, and a counter that has counted.
    pub(super) async fn finish_rules(&mut self) {
        let (pay, pod) = (self.owners[0].pay, self.owners[0].instruments[1].id);
        let daily = draft(TriggerKind::Scheduled, pay, fixed(pod));
        self.switched_on(0, daily).await;
        let query = draft(TriggerKind::Manual, pay, asking(pod));
        let rule = self.switched_on(0, query).await;
        let trigger = self.trigger(rule, ExecutionMode::Live);
        done(self.store(), trigger).await;
        done(self.store(), self.paycheck(0, 1_000)).await;
    }

    async fn switched_on(&mut self, owner: usize, draft: RuleDraft) -> RuleId {
        let new = self.new_rule(owner, draft);
        let Reply::Rule(rule) = done(self.store(), new).await else {
            panic!("no rule")
        };
        done(self.store(), self.switch(rule.id, true)).await;
        rule.id
    }

    fn new_rule(&self, owner: usize, draft: RuleDraft) -> Command {
        Command::CreateRule(NewRule {
            tenant: self.tenant,
            owner: self.owners[owner].id,
            draft,
            settings: Settings::default(),
        })
    }

    fn switch(&self, rule: RuleId, enabled: bool) -> Command {
        Command::SwitchRule {
            tenant: self.tenant,
            owner: None,
            rule,
            enabled,
        }
    }

    fn trigger(&self, rule: RuleId, mode: ExecutionMode) -> Command {
        Command::TriggerRule(TriggerRule {
            tenant: self.tenant,
            owner: None,
            rule,
            key: None,
            incoming: Incoming::Amount(700),
            mode,
        })
    }

    /// What a random rule of an owner says, and what sets it off.
    fn random_draft(&mut self, owner: usize) -> RuleDraft {
        let it = &self.owners[owner];
        let pods = [it.instruments[0].id, it.instruments[1].id];
        let destination = [pods[0], pods[1], it.bank][self.random.below(3)];
        let source = [it.pay, pods[0], pods[1]][self.random.below(3)];
        let action = match self.random.below(4) {
            0 => asking(destination),
            1 => fixed(destination),
            _ => share(destination),
        };
        let kind = TriggerKind::ALL[self.random.below(3)];
        draft(kind, source, action)
    }

    /// Something about a rule; it may be refused.
    pub(super) async fn rule_step(&mut self, owner: usize) {
        let tenant = self.tenant;
        let some = self.random.below(self.rules.len().max(1));
        let Some(rule) = self.rules.get(some).copied() else {
            let draft = self.random_draft(owner);
            let new = self.new_rule(owner, draft);
            return self.rule_command(new).await;
        };
        let command = match self.random.below(12) {
            0..=2 => {
                let draft = self.random_draft(owner);
                self.new_rule(owner, draft)
            }
            3 => Command::ChangeRule(ChangeRule {
                tenant,
                owner: None,
                rule,
                draft: self.random_draft(owner),
                settings: Settings::default(),
            }),
            4..=6 => self.switch(rule, true),
            7 => self.switch(rule, false),
            8 => self.trigger(rule, ExecutionMode::Simulation),
            9 | 10 => self.trigger(rule, ExecutionMode::Live),
            _ if self.random.below(3) == 0 => {
                self.rules.retain(|known| *known != rule);
                Command::DeleteRule {
                    tenant,
                    owner: None,
                    rule,
                }
            }
            _ => {
                let execution = self.asked.last().copied();
                Command::AnswerAmounts {
                    tenant,
                    execution: execution.unwrap_or(ExecutionId::new(7)),
                    answers: Answers::from([((0, 0), 250)]),
                }
            }
        };
        self.rule_command(command).await;
    }

    async fn rule_command(&mut self, command: Command) {
        match self.command(command).await {
            Some(Reply::Rule(rule)) if !self.rules.contains(&rule.id) => self.rules.push(rule.id),
            Some(Reply::Execution(execution)) => self.asked.push(execution.id),
            _ => {}
        }
    }
}
