//! The schemas of rules and runs for the dialects' OpenAPI documents.
//!
//! They are made from the same lists of words as the objects themselves, and every answer of the
//! tests is held against them.

use ledger::rule::TriggerKind;
use ledger::rule::action::{ActionType, CapPeriod, PercentageTarget};
use ledger::rule::condition::{Fact, Operator, ValueFact};
use ledger::rule::schedule::ScheduleKind;
use serde_json::{Map, Value, json};

use super::Spelling;

/// Adds the schemas to a document's components.
pub(crate) fn insert(document: &mut Value, spelling: &Spelling) {
    let schemas = Schemas { spelling };
    for (name, schema) in schemas.all() {
        document["components"]["schemas"][name] = schema;
    }
}

/// The body that makes a rule, or replaces what it says.
pub(crate) fn body_schema(spelling: &Spelling, with_status: bool) -> Value {
    let schemas = Schemas { spelling };
    let mut properties = vec![
        (
            spelling.name,
            json!({"type": ["string", "null"], "maxLength": 100}),
        ),
        (
            "description",
            json!({"type": ["string", "null"], "maxLength": 255}),
        ),
        ("trigger", reference("RuleTrigger")),
        ("steps", list_of(reference("RuleStep"))),
    ];
    let mut required = vec!["trigger", "steps"];
    if with_status {
        properties.push(("status", schemas.words(&["enabled", "disabled"])));
        required.push("status");
    }
    schemas.object_with(&properties, &required)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn list_of(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn nullable(schema: Value) -> Value {
    json!({"oneOf": [schema, {"type": "null"}]})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn optional_text() -> Value {
    json!({"type": ["string", "null"]})
}

fn cents() -> Value {
    json!({"type": "integer", "format": "int64"})
}

fn optional_cents() -> Value {
    json!({"type": ["integer", "null"], "format": "int64"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> String) -> Value {
    let names: Vec<String> = all.iter().map(|member| name(*member)).collect();
    json!({"type": "string", "enum": names})
}

struct Schemas<'a> {
    spelling: &'a Spelling,
}

type Member = (&'static str, Value);

impl Schemas<'_> {
    fn all(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("RuleNode", self.node()),
            ("RuleTrigger", self.trigger()),
            ("RuleConditions", self.conditions()),
            ("RuleCondition", self.condition()),
            ("RuleLimit", self.limit()),
            ("RuleAction", self.action()),
            ("RuleStep", self.step()),
            ("RuleBody", self.rule()),
            ("RuleSummary", self.summary()),
            ("RuleExecution", self.execution(true)),
            ("RuleExecutionSummary", self.execution(false)),
            ("RuleExplanation", self.explanation()),
            ("RuleFinding", self.finding()),
        ]
    }

    fn words(&self, words: &[&str]) -> Value {
        let words: Vec<String> = words.iter().map(|word| self.spelling.word(word)).collect();
        json!({"type": "string", "enum": words})
    }

    fn object(&self, members: &[Member]) -> Value {
        let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
        self.object_with(members, &required)
    }

    fn object_with(&self, members: &[Member], required: &[&str]) -> Value {
        let named = |name: &str| self.spelling.member(name).into_owned();
        let properties: Map<String, Value> = members
            .iter()
            .map(|(name, schema)| (named(name), schema.clone()))
            .collect();
        let required: Vec<String> = required.iter().map(|name| named(name)).collect();
        json!({"type": "object", "properties": properties, "required": required})
    }

    fn node(&self) -> Value {
        let kinds = self.words(&["income_source", "pod", "external_account"]);
        let members = [
            ("id", text()),
            ("type", nullable(kinds)),
            ("name", optional_text()),
        ];
        self.object_with(&members, &["id"])
    }

    fn trigger(&self) -> Value {
        let members = [
            (
                "type",
                names(TriggerKind::ALL, |kind| kind.name().to_owned()),
            ),
            ("account_id", optional_text()),
            (
                "schedule_type",
                names(ScheduleKind::ALL, |kind| kind.name().to_owned()),
            ),
            (
                "start_date",
                json!({"type": "string", "format": "date-time"}),
            ),
        ];
        self.object_with(&members, &["type"])
    }

    fn conditions(&self) -> Value {
        let branches = || list_of(reference("RuleConditions"));
        let members = [
            ("condition", reference("RuleCondition")),
            ("any", branches()),
            ("all", branches()),
        ];
        self.object_with(&members, &[])
    }

    fn condition(&self) -> Value {
        let fact = names(ValueFact::ALL, |fact| fact.name().to_owned());
        let params = self.object_with(
            &[
                ("account_id", optional_text()),
                ("value_account_id", optional_text()),
            ],
            &[],
        );
        let members = [
            ("fact", names(Fact::ALL, |fact| fact.name().to_owned())),
            ("operator", names(Operator::ALL, |it| it.name().to_owned())),
            ("value", optional_cents()),
            ("value_fact", nullable(fact)),
            ("params", nullable(params)),
        ];
        self.object_with(&members, &["fact", "operator"])
    }

    fn limit(&self) -> Value {
        let period = names(CapPeriod::ALL, |period| period.name().to_owned());
        self.object(&[("period", period), ("amount_in_cents", cents())])
    }

    fn action(&self) -> Value {
        let spelling = self.spelling;
        let known = ActionType::ALL.iter().copied();
        let known: Vec<ActionType> = known
            // It is read where it cannot be made; Platform has no word for it at all.
            .filter(|action| *action != ActionType::QueriedAmount || !spelling.camel)
            .collect();
        let node = || nullable(reference("RuleNode"));
        let mut debt = self.node();
        let rate = self.spelling.member("interest_rate_percentage");
        debt["properties"][&*rate] = json!({"type": ["number", "null"]});
        let target = names(PercentageTarget::ALL, |target| target.name().to_owned());
        let members = [
            ("type", names(&known, |action| spelling.action(action))),
            ("source", node()),
            ("destination", node()),
            ("amount_in_cents", optional_cents()),
            (
                "percentage_value",
                json!({"type": "number", "minimum": 0, "maximum": 100}),
            ),
            ("percentage_target", target),
            ("next_payment_minimum_account", node()),
            ("current_balance_account", node()),
            ("last_statement_balance_account", node()),
            ("liabilities", list_of(debt)),
            ("group_index", count()),
            ("up_to_enabled", json!({"type": "boolean"})),
            ("is_direct_deposit", json!({"type": "boolean"})),
            ("limit", nullable(reference("RuleLimit"))),
            ("ach_description", optional_text()),
        ];
        self.object_with(&members, &["type"])
    }

    fn step(&self) -> Value {
        let members = [
            ("conditions", nullable(reference("RuleConditions"))),
            ("actions", list_of(reference("RuleAction"))),
        ];
        self.object_with(&members, &["actions"])
    }

    fn head(&self) -> Vec<Member> {
        let mut members = vec![
            ("id", text()),
            (self.spelling.name, text()),
            ("description", optional_text()),
            ("status", self.words(&["enabled", "disabled"])),
            ("created_at", text()),
            ("updated_at", text()),
        ];
        if self.spelling.camel {
            members.push(("deleted_at", optional_text()));
        }
        members
    }

    fn rule(&self) -> Value {
        let mut members = self.head();
        members.push(("trigger", reference("RuleTrigger")));
        members.push(("steps", list_of(reference("RuleStep"))));
        let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
        let mut members = members.clone();
        members.push((
            "warnings",
            json!({"type": "array", "items": reference("RuleFinding"),
                   "description": "In the answer that makes or changes the rule only."}),
        ));
        self.object_with(&members, &required)
    }

    fn summary(&self) -> Value {
        let mut members = self.head();
        if self.spelling.camel {
            members.push(("is_supported", json!({"type": "boolean"})));
        } else {
            members.push((
                "trigger_type",
                names(TriggerKind::ALL, |kind| kind.name().to_owned()),
            ));
            members.push(("source", nullable(reference("RuleNode"))));
        }
        self.object(&members)
    }

    fn execution(&self, whole: bool) -> Value {
        let statuses = self.words(&["in_progress", "executed", "partial", "failed"]);
        let mut members = vec![
            ("id", text()),
            ("rule_id", text()),
            ("status", statuses),
            ("created_at", text()),
        ];
        if self.spelling.camel {
            members.push(("execution_mode", self.words(&["live", "simulation"])));
        }
        if !whole {
            return self.object(&members);
        }
        let causes = || match self.spelling.camel {
            true => self.words(&[
                "manual",
                "sequence_api",
                "scheduled",
                "on_funds_transferred",
                "remote_api",
            ]),
            false => self.words(&["manual", "scheduled", "on_funds_transferred"]),
        };
        let details = self.object_with(
            &[
                ("type", causes()),
                ("amount_in_cents", optional_cents()),
                ("scheduled_time", optional_text()),
            ],
            &["type"],
        );
        if !self.spelling.camel {
            members.push(("trigger_type", causes()));
        }
        members.extend([
            ("rule_name", text()),
            ("trigger_details", details),
            ("step_index_matched", optional_cents()),
            ("conditions_not_met", json!({"type": "boolean"})),
            ("transfers_attempted", count()),
            ("transfers_completed", count()),
            ("transfers_failed", count()),
            ("transfers_pending", count()),
            ("transfer_ids", list_of(text())),
            ("error_message", optional_text()),
            ("next_attempt_at", optional_text()),
        ]);
        let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
        let mut members = members.clone();
        members.push(("explanation", nullable(reference("RuleExplanation"))));
        self.object_with(&members, &required)
    }

    fn explanation(&self) -> Value {
        let spelling = self.spelling;
        let condition = self.object(&[
            ("path", text()),
            ("fact", text()),
            ("operator", text()),
            ("value_fact", optional_text()),
            ("left", optional_cents()),
            ("right", optional_cents()),
            ("holds", json!({"type": "boolean"})),
        ]);
        let term = self.object(&[
            ("name", text()),
            ("account_id", optional_text()),
            ("amount_in_cents", optional_cents()),
            ("percentage_value", json!({"type": ["number", "null"]})),
        ]);
        let action = self.object(&[
            ("action_index", count()),
            ("group_index", count()),
            ("type", names(ActionType::ALL, |it| spelling.action(it))),
            ("source_id", text()),
            ("terms", list_of(term)),
            ("wanted_in_cents", optional_cents()),
            ("allowed_in_cents", cents()),
            ("spendable_in_cents", optional_cents()),
            ("moved_in_cents", cents()),
            (
                "outcome",
                self.words(&["moved", "skipped", "failed", "not_reached"]),
            ),
            ("reason", optional_text()),
        ]);
        let cap = self.object(&[
            ("group_index", count()),
            ("limit", reference("RuleLimit")),
            ("since", optional_text()),
            ("used_before_in_cents", cents()),
            ("used_after_in_cents", cents()),
        ]);
        let shortfall = self.object(&[
            ("action_index", count()),
            ("account_id", text()),
            ("wanted_in_cents", cents()),
            ("spendable_in_cents", cents()),
        ]);
        self.object(&[
            ("step_index", optional_cents()),
            ("conditions", list_of(condition)),
            ("actions", list_of(action)),
            ("caps", list_of(cap)),
            ("shortfalls", list_of(shortfall)),
        ])
    }

    fn finding(&self) -> Value {
        self.object(&[
            ("code", text()),
            (
                "severity",
                json!({"type": "string", "enum": ["error", "warning"]}),
            ),
            ("path", text()),
            ("message", text()),
        ])
    }
}
