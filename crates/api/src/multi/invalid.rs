//! What is wrong with a request, field by field, in the dialect's words.
//!
//! Each entry of `syntaxErrors.invalidFields` names a field by the path a caller would write
//! (`source.id`, `cancellations[0].id`, a header or parameter by its name, `body` for the body as a
//! whole), a rule, and that rule's bounds. What each rule means here:
//!
//! | rule | meaning | `params` |
//! | --- | --- | --- |
//! | `REQUIRED` | missing, or `null` | none |
//! | `HAS_TEXT` | nothing but white space | none |
//! | `REQUIRES` | another field must come with it | that field |
//! | `SIZE` | length of a text (characters) or of a list outside its bounds | least, most |
//! | `RANGE` | number outside its bounds, also one beyond 64 bits | least, most |
//! | `IN` | a value that is forbidden here | none |
//! | `NOT_IN` | not one of the allowed values; in strict mode, a field that is not known | none |
//! | `REGEX` | not of the documented form: a text off its pattern or with a NUL, a value of another JSON type, an integer not written as one, a body that is no acceptable JSON | none |
//! | `EXACTLY`, `AT_LEAST`, `AT_MOST` | so many of a group; `AT_MOST` `1` also for a parameter or header given twice | how many |
//! | `ALL_OR_NONE` | a group must come as a whole | none |
//!
//! A field that breaks two rules has two entries. Values are never repeated in an answer.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

/// The rule that a field breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(dead_code, reason = "the dialect's whole list, for the document")]
pub enum Rule {
    /// Missing.
    Required,
    /// Blank.
    HasText,
    /// Another field must come with it.
    Requires,
    /// Length outside its bounds.
    Size,
    /// Number outside its bounds.
    Range,
    /// A value that is forbidden here.
    In,
    /// Not one of the allowed values.
    NotIn,
    /// Not of the documented form.
    Regex,
    /// So many of a group.
    Exactly,
    /// Too few of a group.
    AtLeast,
    /// Too many of a group.
    AtMost,
    /// A group must come as a whole.
    AllOrNone,
}

/// One fault of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvalidField {
    /// The rule's bounds.
    params: Vec<String>,
    /// The field's path, as a caller would write it.
    field_name: String,
    /// The rule.
    error: Rule,
    /// What is wrong, to be read after the field's name.
    #[serde(skip)]
    reason: Cow<'static, str>,
}

impl InvalidField {
    /// A fault without bounds.
    pub(super) fn new(
        field: impl Into<String>,
        error: Rule,
        reason: impl Into<Cow<'static, str>>,
    ) -> InvalidField {
        InvalidField {
            params: Vec::new(),
            field_name: field.into(),
            error,
            reason: reason.into(),
        }
    }

    /// The same fault with the rule's bounds.
    pub(super) fn with(mut self, params: &[&dyn ToString]) -> InvalidField {
        self.params = params.iter().map(|param| param.to_string()).collect();
        self
    }

    /// A value that must be there and is not.
    pub(super) fn required(field: impl Into<String>) -> InvalidField {
        InvalidField::new(field, Rule::Required, "is required")
    }

    /// A length outside `min..=max`; `what` is counted.
    pub(super) fn size(
        field: impl Into<String>,
        min: usize,
        max: usize,
        what: &str,
    ) -> InvalidField {
        let reason = format!("must have {min} to {max} {what}");
        InvalidField::new(field, Rule::Size, reason).with(&[&min, &max])
    }

    /// A number outside `min..=max`.
    pub(super) fn range(field: impl Into<String>, min: i64, max: i64) -> InvalidField {
        let reason = format!("must be from {min} to {max}");
        InvalidField::new(field, Rule::Range, reason).with(&[&min, &max])
    }

    /// A header or parameter that stands more than once.
    pub(super) fn twice(field: impl Into<String>) -> InvalidField {
        InvalidField::new(field, Rule::AtMost, "must be given once").with(&[&1])
    }

    /// The rule, for the simulator, which writes the same in another shape.
    pub(super) fn parts(&self) -> (&str, Rule, &[String]) {
        (&self.field_name, self.error, &self.params)
    }
}

/// Characters of a 400's `message`.
pub(super) const MESSAGE_MAX: usize = 255;

/// All faults in one sentence, cut where the dialect's limit is.
pub(super) fn message(faults: &[InvalidField]) -> String {
    let mut text = String::new();
    for (index, fault) in faults.iter().enumerate() {
        if index > 0 {
            text.push_str("; ");
        }
        text.push_str(&fault.field_name);
        text.push(' ');
        text.push_str(&fault.reason);
        if text.len() > 4 * MESSAGE_MAX {
            break;
        }
    }
    match text.char_indices().nth(MESSAGE_MAX) {
        None => text,
        Some(_) => {
            let kept: String = text.chars().take(MESSAGE_MAX.saturating_sub(1)).collect();
            format!("{kept}…")
        }
    }
}

/// What was looked at in two places (headers, path, query, body): both, or every fault of both.
pub(super) fn both<A, B>(
    first: Result<A, Vec<InvalidField>>,
    second: Result<B, Vec<InvalidField>>,
) -> Result<(A, B), Vec<InvalidField>> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(mut faults), Err(more)) => {
            faults.extend(more);
            Err(faults)
        }
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_in_the_notes() {
        let fault = InvalidField::range("limit", 1, 100);
        let json = serde_json::to_string(&fault).expect("names are texts");
        assert_eq!(
            json,
            r#"{"params":["1","100"],"fieldName":"limit","error":"RANGE"}"#
        );
        let fault = InvalidField::new("state", Rule::NotIn, "must be known");
        let json = serde_json::to_string(&fault).expect("names are texts");
        assert_eq!(
            json,
            r#"{"params":[],"fieldName":"state","error":"NOT_IN"}"#
        );
    }

    #[test]
    fn a_message_has_at_most_255_characters() {
        let fault = |name: &str| InvalidField::required(name);
        assert_eq!(
            message(&[fault("a"), fault("b")]),
            "a is required; b is required"
        );
        // " is required" has 12 characters.
        let fits = "é".repeat(243);
        assert_eq!(message(&[fault(&fits)]).chars().count(), 255);
        assert!(message(&[fault(&fits)]).ends_with("is required"));
        let long = message(&[fault(&"é".repeat(244))]);
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with('…'));
        let many: Vec<InvalidField> = (0..10_000).map(|_| fault("x")).collect();
        assert_eq!(message(&many).chars().count(), 255);
    }

    #[test]
    fn faults_of_two_places_come_in_one_answer() {
        let bad = |name: &str| Err::<(), _>(vec![InvalidField::required(name)]);
        let Err(faults) = both(bad("a"), bad("b")) else {
            panic!("both are wrong");
        };
        assert_eq!(message(&faults), "a is required; b is required");
        assert!(both(Ok(1), bad("b")).is_err());
        assert!(both(bad("a"), Ok(1)).is_err());
        assert!(matches!(both(Ok(1), Ok(2)), Ok((1, 2))));
    }
}
