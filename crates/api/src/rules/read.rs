//! A rule as somebody asks for it, read from a body.
//!
//! Words are taken in any case, and `fixed` for `fixed_amount`; `type` and `name` of an account
//! beside its id are not looked at. What the fields may say together is for
//! [`ledger::rule::validate`].

use std::sync::Arc;

use ledger::AccountId;
use ledger::rule::TriggerKind;
use ledger::rule::action::{ActionType, Apr, Cap, CapPeriod, PercentageTarget};
use ledger::rule::condition::{Fact, Operator, ValueFact};
use ledger::rule::draft::{
    ActionDraft, ConditionDraft, ConditionsDraft, DebtDraft, RuleDraft, StepDraft, TriggerDraft,
};
use ledger::rule::percent::Percent;
use ledger::rule::schedule::ScheduleKind;
use serde_json::{Number, Value};

use super::Spelling;
use crate::json::{Fault, Fields};
use crate::time;

/// What a rule is called when its writer does not say.
const UNNAMED: &str = "Untitled rule";

/// What is to be done with a `status` in the body: it never switches a rule on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// It must be there.
    Required,
    /// It is not looked at.
    Ignored,
}

/// Reads a draft. What is wrong is noted in `fields`, and the draft is then of no use.
pub(crate) fn draft(fields: &mut Fields, spelling: &Spelling, status: Status) -> RuleDraft {
    let reader = Reader { spelling };
    let name = fields.optional_text(spelling.name);
    let description = fields.optional_text("description");
    if status == Status::Required {
        reader.word(fields, "status", "enabled, disabled", |word| match word {
            "ENABLED" | "DISABLED" => Some(()),
            _ => None,
        });
    }
    let trigger = match fields.take("trigger") {
        Some(value) => reader.within(fields, "trigger", value, |fields| reader.trigger(fields)),
        None => {
            fields.require("trigger");
            None
        }
    };
    let steps = reader.list(fields, "steps", true, |fields| reader.step(fields));
    RuleDraft {
        name: Arc::from(name.as_deref().unwrap_or(UNNAMED)),
        description: description.map(Arc::from),
        trigger: trigger.unwrap_or(TriggerDraft {
            kind: TriggerKind::Manual,
            account: None,
            schedule_kind: None,
            start: None,
        }),
        steps,
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    spelling: &'a Spelling,
}

impl Reader<'_> {
    fn trigger(self, fields: &mut Fields) -> TriggerDraft {
        let kind = self.word(fields, "type", TRIGGERS, TriggerKind::parse);
        let start = self.member("start_date");
        TriggerDraft {
            kind: kind.unwrap_or(TriggerKind::Manual),
            account: self.account_id(fields, "account_id"),
            schedule_kind: self.optional_word(
                fields,
                "schedule_type",
                SCHEDULES,
                ScheduleKind::parse,
            ),
            start: fields.optional_text(&start).and_then(|text| {
                let at = time::parse(&text);
                if at.is_none() {
                    fields.fault(&start, "must be an RFC 3339 timestamp");
                }
                at
            }),
        }
    }

    fn step(self, fields: &mut Fields) -> StepDraft {
        let conditions = fields.take("conditions").and_then(|value| {
            self.within(fields, "conditions", value, |fields| {
                self.conditions(fields)
            })
        });
        StepDraft {
            conditions,
            actions: self.list(fields, "actions", true, |fields| self.action(fields)),
        }
    }

    /// A node. It is nested no deeper than a body can be.
    fn conditions(self, fields: &mut Fields) -> ConditionsDraft {
        let condition = fields.take("condition").and_then(|value| {
            self.within(fields, "condition", value, |fields| self.condition(fields))
        });
        let mut branches = |name: &str| {
            let value = fields.take(name)?;
            Some(self.list_of(fields, name, value, |fields| self.conditions(fields)))
        };
        let any = branches("any");
        let all = branches("all");
        ConditionsDraft {
            condition,
            any,
            all,
        }
    }

    /// `params.account_id` is the account of the fact that is about one; when both are,
    /// `params.value_account_id` is that of the right side.
    fn condition(self, fields: &mut Fields) -> ConditionDraft {
        let fact = self.word(fields, "fact", FACTS, Fact::parse);
        let operator = self.word(fields, "operator", OPERATORS, Operator::parse);
        let value = fields.optional_integer("value");
        let value_fact = self.optional_word(fields, "value_fact", VALUE_FACTS, ValueFact::parse);
        let (mut account, mut value_account) = (None, None);
        if let Some(params) = fields.take("params") {
            self.within(fields, "params", params, |fields| {
                account = self.account_id(fields, "account_id");
                value_account = self.account_id(fields, "value_account_id");
            });
        }
        let fact = fact.unwrap_or(Fact::Balance);
        let of_right = value_fact.is_some_and(ValueFact::is_of_account);
        if fact != Fact::Balance && of_right && value_account.is_none() {
            value_account = account.take();
        }
        ConditionDraft {
            fact,
            operator: operator.unwrap_or(Operator::Equals),
            value,
            value_fact,
            account,
            value_account,
        }
    }

    fn action(self, fields: &mut Fields) -> ActionDraft {
        let kind = self.word(fields, "type", ACTIONS, |word| match word {
            "FIXED" => Some(ActionType::FixedAmount),
            word => ActionType::parse(&word.to_ascii_lowercase())
                .filter(|action| *action != ActionType::QueriedAmount || self.spelling.asks),
        });
        let group = self.member("group_index");
        let group_index = fields.optional_integer(&group).unwrap_or(0);
        ActionDraft {
            source: self.node(fields, "source"),
            destination: self.node(fields, "destination"),
            minor: fields.optional_integer(&self.member("amount_in_cents")),
            percentage_value: self.percent(fields),
            percentage_target: self.optional_word(
                fields,
                "percentage_target",
                TARGETS,
                PercentageTarget::parse,
            ),
            next_payment_minimum_account: self.node(fields, "next_payment_minimum_account"),
            current_balance_account: self.node(fields, "current_balance_account"),
            last_statement_balance_account: self.node(fields, "last_statement_balance_account"),
            liabilities: self.list(fields, "liabilities", false, |fields| self.debt(fields)),
            group_index: u32::try_from(group_index).unwrap_or_else(|_| {
                fields.fault(&group, "must be from 0 to 4294967295");
                0
            }),
            up_to_enabled: self.flag(fields, "up_to_enabled"),
            limit: fields
                .take("limit")
                .and_then(|value| self.within(fields, "limit", value, |fields| self.cap(fields)))
                .flatten(),
            is_direct_deposit: self.flag(fields, "is_direct_deposit"),
            ach_description: fields
                .optional_text(&self.member("ach_description"))
                .map(Arc::from),
            ..ActionDraft::of(kind.unwrap_or(ActionType::FixedAmount))
        }
    }

    fn cap(self, fields: &mut Fields) -> Option<Cap> {
        let period = self.word(fields, "period", PERIODS, CapPeriod::parse);
        let amount = self.member("amount_in_cents");
        let minor = fields.integer(&amount, 0);
        period.map(|period| Cap { period, minor })
    }

    fn debt(self, fields: &mut Fields) -> DebtDraft {
        let account = fields.text("id");
        let apr = rate_of(fields, &self.member("interest_rate_percentage"));
        DebtDraft {
            account: self.spelling.account_of(&account),
            apr,
        }
    }

    fn percent(self, fields: &mut Fields) -> Option<Percent> {
        percent_of(fields, &self.member("percentage_value"))
    }

    /// `{"id": …}`.
    fn node(self, fields: &mut Fields, name: &str) -> Option<AccountId> {
        let name = self.member(name);
        let value = fields.take(&name)?;
        let id = self.within(fields, &name, value, |fields| fields.text("id"))?;
        Some(self.spelling.account_of(&id))
    }

    fn account_id(self, fields: &mut Fields, name: &str) -> Option<AccountId> {
        let text = fields.optional_text(&self.member(name))?;
        Some(self.spelling.account_of(&text))
    }

    fn flag(self, fields: &mut Fields, name: &str) -> bool {
        fields.optional_flag(&self.member(name)).unwrap_or(false)
    }

    fn member(self, snake: &str) -> String {
        self.spelling.member(snake).into_owned()
    }

    /// A word that must be there; `parse` gets it in capitals.
    fn word<T>(
        self,
        fields: &mut Fields,
        name: &str,
        words: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let name = self.member(name);
        let Some(value) = fields.take(&name) else {
            fields.require(&name);
            return None;
        };
        let parsed = value
            .as_str()
            .and_then(|text| parse(&text.to_ascii_uppercase()));
        if parsed.is_none() {
            fields.fault(&name, format!("must be one of {words}"));
        }
        parsed
    }

    /// A word that may be there.
    fn optional_word<T>(
        self,
        fields: &mut Fields,
        name: &str,
        words: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let name = self.member(name);
        let value = fields.take(&name)?;
        let parsed = value
            .as_str()
            .and_then(|text| parse(&text.to_ascii_uppercase()));
        if parsed.is_none() {
            fields.fault(&name, format!("must be one of {words}"));
        }
        parsed
    }

    /// The objects of a list.
    fn list<T>(
        self,
        fields: &mut Fields,
        name: &str,
        required: bool,
        read: impl Fn(&mut Fields) -> T,
    ) -> Vec<T> {
        let name = self.member(name);
        match fields.take(&name) {
            Some(value) => self.list_of(fields, &name, value, read),
            None if required => {
                fields.require(&name);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn list_of<T>(
        self,
        fields: &mut Fields,
        name: &str,
        value: Value,
        read: impl Fn(&mut Fields) -> T,
    ) -> Vec<T> {
        let Value::Array(values) = value else {
            fields.fault(name, "must be a list");
            return Vec::new();
        };
        values
            .into_iter()
            .enumerate()
            .filter_map(|(index, value)| {
                self.within(fields, &format!("{name}[{index}]"), value, &read)
            })
            .collect()
    }

    /// Reads a nested object; its faults are added to those of `fields`.
    fn within<T>(
        self,
        fields: &mut Fields,
        name: &str,
        value: Value,
        read: impl FnOnce(&mut Fields) -> T,
    ) -> Option<T> {
        if !value.is_object() {
            fields.fault(name, "must be an object");
            return None;
        }
        let mut nested = fields.nested(name, value);
        let read = read(&mut nested);
        for Fault { field, reason } in nested.into_faults() {
            fields.absolute_fault(field, reason);
        }
        Some(read)
    }
}

/// A percentage that may be there.
pub(crate) fn percent_of(fields: &mut Fields, name: &str) -> Option<Percent> {
    let value = fields.take(name)?;
    let percent = number_text(&value).and_then(|text| Percent::parse(&text));
    if percent.is_none() {
        let reason = "must be a number from 0 to 100 with at most 8 decimals";
        fields.fault(name, reason);
    }
    percent
}

/// A rate of interest that may be there.
pub(crate) fn rate_of(fields: &mut Fields, name: &str) -> Option<Apr> {
    let value = fields.take(name)?;
    let rate = number_text(&value).and_then(|text| hundredths(&text));
    if rate.is_none() {
        let reason = "must be a number from 0 to 1000 with at most 2 decimals";
        fields.fault(name, reason);
    }
    rate.map(Apr)
}

/// A number as plain digits with a point, without an exponent.
fn number_text(value: &Value) -> Option<String> {
    let number: &Number = match value {
        Value::Number(number) => number,
        _ => return None,
    };
    Some(match (number.as_u64(), number.as_f64()) {
        (Some(integer), _) => integer.to_string(),
        (None, Some(float)) => format!("{float}"),
        (None, None) => return None,
    })
}

/// `24.99` as 2,499; at most 1,000.
fn hundredths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 2 {
        return None;
    }
    let hundredths: u32 = format!("{whole}{fraction:0<2}").parse().ok()?;
    (hundredths <= 100_000).then_some(hundredths)
}

const TRIGGERS: &str = "ON_FUNDS_TRANSFERRED, SCHEDULED, MANUAL";
const SCHEDULES: &str = "ONE_TIME, DAILY, WEEKLY, BI_WEEKLY, MONTHLY, EVERY_OTHER_WEEK";
const FACTS: &str = "TRANSFER_AMOUNT, BALANCE, DATE";
const VALUE_FACTS: &str = "TRANSFER_AMOUNT, BALANCE, DATE, LAST_DAY_OF_MONTH, \
     NEXT_PAYMENT_MINIMUM_AMOUNT, LAST_STATEMENT_BALANCE";
const OPERATORS: &str = "EQUALS, NOT_EQUALS, GREATER_THAN, LESS_THAN, GREATER_THAN_OR_EQUAL, \
     LESS_THAN_OR_EQUAL";
const ACTIONS: &str = "fixed_amount, percentage, top_up, round_down, next_payment_minimum, \
     total_amount_due, last_statement_balance, percentage_liability_balance, avalanche, snowball";
const TARGETS: &str = "INCOMING_AMOUNT, SOURCE_ACCOUNT";
const PERIODS: &str = "PER_TRANSFER, PER_WEEK, PER_MONTH, PER_YEAR";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_the_last_digit() {
        for (number, text) in [
            ("20", "20"),
            ("33.25", "33.25"),
            ("20.0", "20"),
            ("0.00000001", "0.00000001"),
            ("1e-7", "0.0000001"),
            ("33.33333333", "33.33333333"),
        ] {
            let value: Value = serde_json::from_str(number).expect("a number");
            assert_eq!(number_text(&value).as_deref(), Some(text), "{number}");
        }
        assert_eq!(number_text(&Value::from("20")), None);
        assert_eq!(number_text(&Value::Null), None);
    }

    #[test]
    fn rates_have_two_decimals() {
        for (text, hundredths_of_a_per_cent) in [
            ("24.99", Some(2_499)),
            ("24.9", Some(2_490)),
            ("0", Some(0)),
            ("1000", Some(100_000)),
            ("1000.01", None),
            ("24.999", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(hundredths(text), hundredths_of_a_per_cent, "{text}");
        }
    }
}
