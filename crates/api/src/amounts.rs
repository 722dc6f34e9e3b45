//! Questions for amounts and their answers, as the remote API has them (sequence-api §10).
//!
//! The notes tell the answer, `{"amountInCents": 25000}`, and not what is in the question: it names
//! the rule, its run and the action, in the remote API's spelling.

use serde_json::{Value, json};
use service::amounts::{Asked, Question, Words};

use service::spelling::id_text;

use crate::json::strict;

/// The remote API's words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Amounts;

impl Words for Amounts {
    fn question(&self, asked: &Asked) -> Question {
        let execution = spell("rex_", asked.execution.raw());
        let body = json!({
            "ruleId": spell("rule_", asked.rule.raw()),
            "executionId": execution,
            "stepIndex": asked.step,
            "actionIndex": asked.action,
        });
        Question {
            body: body.to_string(),
            id: format!("{execution}-{}-{}", asked.step, asked.action),
        }
    }

    fn amount(&self, answer: &[u8]) -> Option<i64> {
        let Ok(Value::Object(members)) = strict(answer) else {
            return None;
        };
        let minor = members.get("amountInCents")?;
        // `100.0` and `1e2` are no integers here either.
        minor.as_i64().filter(|minor| *minor >= 0)
    }
}

/// An id as the remote API spells it, which is the Sequence API's way.
fn spell(prefix: &str, id: u64) -> String {
    let text = id_text(id);
    let letters = text.iter().copied().map(char::from);
    prefix.chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use ledger::{ExecutionId, RuleId};

    use super::*;

    #[test]
    fn only_a_whole_number_of_cents_is_an_amount() {
        let read = |text: &str| Amounts.amount(text.as_bytes());
        assert_eq!(read(r#"{"amountInCents": 25000}"#), Some(25_000));
        assert_eq!(read(r#"{"amountInCents": 0, "note": "none"}"#), Some(0));
        let most = format!(r#"{{"amountInCents": {}}}"#, i64::MAX);
        assert_eq!(read(&most), Some(i64::MAX));
        for wrong in [
            "",
            "25000",
            "[]",
            "{}",
            "<html>",
            r#"{"amountInCents": null}"#,
            r#"{"amountInCents": -1}"#,
            r#"{"amountInCents": 1.5}"#,
            r#"{"amountInCents": 1e2}"#,
            r#"{"amountInCents": "100"}"#,
            r#"{"amountInCents": 9223372036854775808}"#,
            r#"{"amountInCents": 1, "amountInCents": 2}"#,
            r#"{"amount_in_cents": 100}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_question_names_what_it_is_for() {
        let asked = Asked {
            rule: RuleId::new(1),
            execution: ExecutionId::new(2),
            step: 0,
            action: 3,
        };
        let question = Amounts.question(&asked);
        let body: Value = serde_json::from_str(&question.body).expect("JSON");
        assert_eq!(
            body,
            json!({"ruleId": "rule_0000000000001", "executionId": "rex_0000000000002",
                   "stepIndex": 0, "actionIndex": 3})
        );
        assert_eq!(question.id, "rex_0000000000002-0-3");
    }
}
