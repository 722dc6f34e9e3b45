//! A rule as it is shown.

use std::collections::BTreeMap;

use ledger::rule::action::{Action, Budget, Cap, Movement, Reckoning, TopUp};
use ledger::rule::condition::{Against, Condition, Conditions, Fact};
use ledger::rule::lint::Finding;
use ledger::rule::percent::Percent;
use ledger::rule::{Step, Trigger};
use ledger::{AccountId, Party, Rule};
use serde_json::{Map, Value, json};
use service::RuleView;

use super::{Spelling, camel};
use crate::time;

/// The whole rule.
pub(crate) fn rule(view: &RuleView, spelling: &Spelling) -> Value {
    let writer = Writer {
        spelling,
        accounts: &view.accounts,
    };
    let mut object = head(&view.rule, spelling);
    object.insert("trigger".into(), writer.trigger(view.rule.trigger));
    let steps = view
        .rule
        .steps
        .iter()
        .map(|step| writer.step(&view.rule, step));
    object.insert("steps".into(), steps.collect());
    finish(object, view, spelling)
}

/// A rule in a list: without its steps. Platform's lists say instead whether its rules can be
/// shown at all.
pub(crate) fn summary(view: &RuleView, spelling: &Spelling) -> Value {
    let writer = Writer {
        spelling,
        accounts: &view.accounts,
    };
    let mut object = head(&view.rule, spelling);
    if spelling.camel {
        object.insert("is_supported".into(), json!(view.is_supported()));
    } else {
        let trigger = view.rule.trigger;
        object.insert("trigger_type".into(), json!(trigger.kind().name()));
        let source = trigger.account().map(|account| writer.node(account));
        object.insert("source".into(), json!(source));
    }
    finish(object, view, spelling)
}

/// What the linter found.
pub(crate) fn finding(finding: &Finding, spelling: &Spelling) -> Value {
    json!({
        "code": finding.code.name(),
        "severity": finding.severity.name(),
        "path": spelling.path(&finding.path),
        "message": &*finding.text,
    })
}

fn head(rule: &Rule, spelling: &Spelling) -> Map<String, Value> {
    let status = if rule.enabled { "enabled" } else { "disabled" };
    let members = [
        ("id", json!((spelling.rule)(rule.id.raw()))),
        (spelling.name, json!(&*rule.name)),
        ("description", json!(rule.description.as_deref())),
        ("status", json!(spelling.word(status))),
        ("created_at", json!(time::render(rule.created_at))),
        ("updated_at", json!(time::render(rule.updated_at))),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn finish(mut object: Map<String, Value>, view: &RuleView, spelling: &Spelling) -> Value {
    if spelling.camel {
        object.insert(
            "deleted_at".into(),
            json!(view.deleted_at.map(time::render)),
        );
    }
    respell(Value::Object(object), spelling)
}

/// Every member in the case of the dialect.
pub(super) fn respell(value: Value, spelling: &Spelling) -> Value {
    match value {
        Value::Object(members) if spelling.camel => members
            .into_iter()
            .map(|(name, value)| (camel(&name), respell(value, spelling)))
            .collect(),
        Value::Array(items) if spelling.camel => items
            .into_iter()
            .map(|item| respell(item, spelling))
            .collect(),
        other => other,
    }
}

/// A percentage as a JSON number, digit for digit.
pub(super) fn percent(percent: Percent) -> Value {
    decimal(&percent.to_string())
}

/// A decimal number as JSON; its shortest form has the same digits.
fn decimal(text: &str) -> Value {
    let number: Result<Value, _> = serde_json::from_str(text);
    number.unwrap_or_default()
}

struct Writer<'a> {
    spelling: &'a Spelling,
    accounts: &'a BTreeMap<AccountId, Party>,
}

impl Writer<'_> {
    fn id(&self, account: AccountId) -> String {
        (self.spelling.account)(account.raw())
    }

    fn node(&self, account: AccountId) -> Value {
        let party = self.accounts.get(&account);
        json!({
            "id": self.id(account),
            "type": party.map(|party| self.spelling.kind(party.kind)),
            "name": party.map(|party| &*party.name),
        })
    }

    fn trigger(&self, trigger: Trigger) -> Value {
        let mut object = json!({
            "type": trigger.kind().name(),
            "account_id": trigger.account().map(|account| self.id(account)),
        });
        if let Some(schedule) = trigger.schedule() {
            object["schedule_type"] = json!(schedule.kind.name());
            object["start_date"] = json!(time::render(schedule.start));
        }
        object
    }

    fn step(&self, rule: &Rule, step: &Step) -> Value {
        let actions = step.actions.iter().map(|action| self.action(rule, action));
        json!({
            "conditions": step.conditions.as_ref().map(|conditions| self.conditions(conditions)),
            "actions": actions.collect::<Vec<Value>>(),
        })
    }

    fn conditions(&self, conditions: &Conditions) -> Value {
        let branches = |branches: &[Conditions]| -> Vec<Value> {
            branches
                .iter()
                .map(|branch| self.conditions(branch))
                .collect()
        };
        match conditions {
            Conditions::Leaf(condition) => json!({"condition": self.condition(condition)}),
            Conditions::Any(nodes) => json!({"any": branches(nodes)}),
            Conditions::All(nodes) => json!({"all": branches(nodes)}),
        }
    }

    fn condition(&self, condition: &Condition) -> Value {
        let (value, value_fact, right) = match condition.against {
            Against::Value(value) => (Some(value), None, None),
            Against::Fact(fact, account) => (None, Some(fact.name()), account),
        };
        let id = |account: Option<AccountId>| account.map(|account| self.id(account));
        let params = match (condition.fact, condition.account, right) {
            (_, None, None) => Value::Null,
            (Fact::Balance, account, None) => json!({"account_id": id(account)}),
            (Fact::Balance, account, right) => {
                json!({"account_id": id(account), "value_account_id": id(right)})
            }
            (_, _, right) => json!({"account_id": id(right)}),
        };
        json!({
            "fact": condition.fact.name(),
            "operator": condition.operator.name(),
            "value": value,
            "value_fact": value_fact,
            "params": params,
        })
    }

    fn action(&self, rule: &Rule, action: &Action) -> Value {
        let destination = match &action.movement {
            Movement::Pay { destination, .. } => self.node(*destination),
            Movement::PayOff { .. } => Value::Null,
        };
        let mut object = json!({
            "type": self.spelling.action(action.action_type()),
            "source": self.node(rule.source_of(action)),
            "destination": destination,
            "group_index": action.group_index,
            "up_to_enabled": action.up_to_enabled,
            "is_direct_deposit": action.direct_deposit,
            "limit": action.limit.map(cap),
            "ach_description": action.ach_description.as_deref(),
        });
        self.amount(action, &mut object);
        object
    }

    /// What is of one type only.
    fn amount(&self, action: &Action, object: &mut Value) {
        if let Some((share, target)) = action.share() {
            object["percentage_value"] = percent(share);
            object["percentage_target"] = json!(target.name());
        }
        if let Some(minor) = action.fixed() {
            object["amount_in_cents"] = json!(minor);
        }
        match &action.movement {
            Movement::Pay { reckoning, .. } => match reckoning {
                Reckoning::RoundDown(minor) => object["amount_in_cents"] = json!(minor),
                Reckoning::PercentageLiabilityBalance(share) => {
                    object["percentage_value"] = percent(*share);
                }
                Reckoning::TopUp(top_up) => self.top_up(*top_up, object),
                _ => {}
            },
            Movement::PayOff { debts, budget, .. } => {
                let debts = debts.iter().map(|debt| {
                    let mut node = self.node(debt.account);
                    node["interest_rate_percentage"] = json!(debt.apr.map(rate));
                    node
                });
                object["liabilities"] = debts.collect();
                if let Budget::Percentage(..) = budget {
                    object["amount_in_cents"] = Value::Null;
                }
            }
        }
    }

    fn top_up(&self, top_up: TopUp, object: &mut Value) {
        for name in [
            "amount_in_cents",
            "next_payment_minimum_account",
            "current_balance_account",
            "last_statement_balance_account",
        ] {
            object[name] = Value::Null;
        }
        let (name, value) = match top_up {
            TopUp::Amount(minor) => ("amount_in_cents", json!(minor)),
            TopUp::NextPaymentMinimum(account) => {
                ("next_payment_minimum_account", self.node(account))
            }
            TopUp::CurrentBalance(account) => ("current_balance_account", self.node(account)),
            TopUp::LastStatementBalance(account) => {
                ("last_statement_balance_account", self.node(account))
            }
        };
        object[name] = value;
    }
}

/// A rate of 2,499 hundredths is 24.99.
fn rate(apr: ledger::rule::action::Apr) -> Value {
    let (whole, rest) = (apr.0.div_euclid(100), apr.0.rem_euclid(100));
    match rest {
        0 => json!(whole),
        rest => decimal(&format!("{whole}.{rest:02}")),
    }
}

pub(super) fn cap(cap: Cap) -> Value {
    json!({"period": cap.period.name(), "amount_in_cents": cap.minor})
}
