//! Rules as operators look after them: they alone switch a rule on, lint all rules of an owner and
//! try one with made-up money.
//!
//! Callers have shown the admin token; there is no finer permission here.

use std::sync::Arc;

use ledger::execution::{Execution, ExecutionMode};
use ledger::rule::draft::RuleDraft;
use ledger::rule::lint::{Finding, blocking, lint};
use ledger::rule::validate::{Fault, validate};
use ledger::{Command, ExecutionId, Incoming, OwnerId, Reply, Rule, RuleId, TenantId, TriggerRule};
use store::{ExecutionQuery, Outcome, RuleQuery};

use crate::Service;
use crate::audit::AuditEntry;
use crate::error::{Error, Result};
use crate::executions::ExecutionPage;
use crate::rules::{NO_RULE, NOT_FOUND, RuleAnswer, RuleView, check_alone};
use crate::spelling::spelled;
use crate::transfers::unexpected;

/// What is wrong with a draft, or may go wrong.
#[derive(Clone, Debug)]
pub struct Linted {
    /// What keeps it from being a rule at all. The linter has then not looked at it.
    pub faults: Vec<Fault>,
    /// What the linter found in it, beside the rules that are on.
    pub findings: Vec<Finding>,
}

impl Service {
    /// Rules of a tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn all_rules(&self, query: RuleQuery) -> Result<Vec<RuleView>> {
        self.tenant(query.tenant).await?;
        let rows = self.store.rules(query).await?;
        self.rule_views(rows).await
    }

    /// One rule, deleted or not.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn any_rule(&self, tenant: TenantId, id: RuleId) -> Result<RuleView> {
        let row = self.store.rule(tenant, id).await?;
        self.rule_view(row.ok_or(NOT_FOUND)?).await
    }

    /// Makes a rule, which is off.
    ///
    /// # Errors
    /// An error of the linter in the rule by itself; the ledger's refusals.
    pub async fn create_rule_as_operator(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        draft: RuleDraft,
    ) -> Result<RuleAnswer> {
        self.tenant(tenant).await?;
        let new = self.new_rule(tenant, owner, draft, None).await?;
        let command = Command::CreateRule(new);
        let rule = self
            .audited_rule("CREATE_RULE", tenant, None, command)
            .await?;
        self.answered(rule, Arc::from("")).await
    }

    /// Makes a rule do something else. It is off afterwards.
    ///
    /// # Errors
    /// [`Error::NotFound`]; an error of the linter in the rule by itself; the ledger's refusals.
    pub async fn change_rule_as_operator(
        &self,
        tenant: TenantId,
        rule: RuleId,
        draft: RuleDraft,
    ) -> Result<RuleAnswer> {
        let known = self.store.rule(tenant, rule).await?.ok_or(NOT_FOUND)?;
        let change = self.changed_rule(&known.rule, draft, None).await?;
        let command = Command::ChangeRule(change);
        let rule = self
            .audited_rule("UPDATE_RULE", tenant, Some(rule), command)
            .await?;
        self.answered(rule, Arc::from("")).await
    }

    /// Takes a rule away.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn delete_rule_as_operator(&self, tenant: TenantId, rule: RuleId) -> Result<()> {
        let command = Command::DeleteRule {
            tenant,
            owner: None,
            rule,
        };
        let entry = entry("DELETE_RULE", Some(rule));
        self.audited(tenant, command, &entry).await?;
        Ok(())
    }

    /// Switches a rule on or off.
    ///
    /// # Errors
    /// The ledger's refusals: `rule_unsound` with the first error of the linter over all rules of
    /// the owner that are on.
    pub async fn switch_rule(
        &self,
        tenant: TenantId,
        rule: RuleId,
        enabled: bool,
    ) -> Result<RuleView> {
        let command = Command::SwitchRule {
            tenant,
            owner: None,
            rule,
            enabled,
        };
        let action = if enabled {
            "ENABLE_RULE"
        } else {
            "DISABLE_RULE"
        };
        let rule = self
            .audited_rule(action, tenant, Some(rule), command)
            .await?;
        self.rule_view(store::RuleRow {
            rule,
            deleted_at: None,
        })
        .await
    }

    /// Runs a rule, or reckons what a run would do. A simulation may be of a rule that is off, and
    /// is made when this returns.
    ///
    /// # Errors
    /// The ledger's refusals.
    pub async fn trigger_rule_as_operator(
        &self,
        tenant: TenantId,
        rule: RuleId,
        incoming: Incoming,
        mode: ExecutionMode,
    ) -> Result<Execution> {
        let command = Command::TriggerRule(TriggerRule {
            tenant,
            owner: None,
            rule,
            key: None,
            incoming,
            mode,
        });
        match self.command(command).await? {
            Reply::Execution(execution) => Ok(execution),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }

    /// What is wrong with a draft, beside the owner's rules that are on but the one that it shall
    /// replace.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn lint_draft(
        &self,
        tenant: TenantId,
        owner: Option<OwnerId>,
        draft: &RuleDraft,
        replaced: Option<RuleId>,
    ) -> Result<Linted> {
        self.tenant(tenant).await?;
        let owner = match owner {
            Some(owner) => Ok(owner),
            None => self.owner_of_draft(tenant, draft).await,
        };
        let owner = match owner {
            Err(Error::Rejected(ledger::Rejection::RuleFaulty(faults))) => {
                return Ok(Linted {
                    faults,
                    findings: Vec::new(),
                });
            }
            other => other?,
        };
        let accounts = self.owned_accounts(tenant, owner).await?;
        let settings = self.rule_settings(tenant);
        let who = (tenant, owner, NO_RULE);
        let Some(rule) = check_alone(draft, who, settings, &accounts, None)? else {
            let lookup = |id| accounts.get(&id);
            let faults = validate(draft, owner, &lookup).err().unwrap_or_default();
            return Ok(Linted {
                faults,
                findings: Vec::new(),
            });
        };
        let mut on = self.rules_that_are_on(tenant, owner).await?;
        on.retain(|other| Some(other.id) != replaced);
        Ok(Linted {
            faults: Vec::new(),
            findings: beside(&rule, &on),
        })
    }

    /// What the linter finds in an owner's rules: in those that are on taken together, and in each
    /// one that is off beside them.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn lint_rules(&self, tenant: TenantId, owner: OwnerId) -> Result<Vec<Finding>> {
        let query = RuleQuery {
            owner: Some(owner),
            ..RuleQuery::new(tenant)
        };
        let views = self.all_rules(query).await?;
        let (on, off): (Vec<Rule>, Vec<Rule>) = views
            .into_iter()
            .map(|view| view.rule)
            .partition(|rule| rule.enabled);
        let mut findings = lint(&on.iter().collect::<Vec<&Rule>>());
        for rule in &off {
            findings.extend(beside(rule, &on));
        }
        Ok(findings)
    }

    /// A page of runs, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a tenant.
    pub async fn all_executions(&self, query: ExecutionQuery) -> Result<ExecutionPage> {
        self.tenant(query.tenant).await?;
        self.execution_page(query).await
    }

    /// One run.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn any_execution(&self, tenant: TenantId, id: ExecutionId) -> Result<Execution> {
        let run = self.store.execution(tenant, id).await?;
        run.ok_or(Error::NotFound {
            what: "rule execution",
        })
    }

    async fn rules_that_are_on(&self, tenant: TenantId, owner: OwnerId) -> Result<Vec<Rule>> {
        let query = RuleQuery {
            owner: Some(owner),
            enabled: Some(true),
            ..RuleQuery::new(tenant)
        };
        let rows = self.store.rules(query).await?;
        Ok(rows.into_iter().map(|row| row.rule).collect())
    }

    /// Runs a command about a rule; who changes rules is in the tenant's audit log in the same
    /// commit.
    pub(crate) async fn audited_rule(
        &self,
        action: &str,
        tenant: TenantId,
        rule: Option<RuleId>,
        command: Command,
    ) -> Result<Rule> {
        match self.audited(tenant, command, &entry(action, rule)).await? {
            Reply::Rule(rule) => Ok(rule),
            other => Err(unexpected(&Outcome::Done(other))),
        }
    }
}

/// What an operator does to a rule; one that is being made has no id yet.
fn entry(action: &str, rule: Option<RuleId>) -> AuditEntry {
    let path = rule.map_or_else(
        || "/rules".to_owned(),
        |rule| format!("/rules/{}", spelled("rule_", rule.raw())),
    );
    AuditEntry::by_operator(action, path)
}

/// What is found in a rule when it stands beside those that are on.
fn beside(rule: &Rule, on: &[Rule]) -> Vec<Finding> {
    let mut rules: Vec<&Rule> = on.iter().filter(|other| other.id != rule.id).collect();
    rules.push(rule);
    let mut findings = lint(&rules);
    findings.retain(|finding| finding.rule == rule.id);
    // A row of rules that is too long because of this one is found at its beginning.
    let blocking = blocking(rule, &rules);
    findings.extend(blocking.filter(|found| found.rule != rule.id));
    findings
}
