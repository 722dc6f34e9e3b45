//! Does an answer look like the example in the vendor's documents?

use serde_json::Value;

/// Members that may be null in one and a value in the other.
const NULLABLE: [&str; 13] = [
    "source",
    "destination",
    "rule_id",
    "rule_execution_id",
    "error_code",
    "completed_at",
    "description",
    "external_account_type",
    "institution_name",
    "beneficiary_name",
    "end_cursor",
    "balance",
    "routing_number",
];

/// Panics unless `actual` has exactly the members and types of `example`; every item of a list is
/// compared with the first example that has its nulls in the same places, or else with the first.
#[track_caller]
pub fn assert_like(example: &Value, actual: &Value) {
    if let Err(fault) = like(example, actual, "$") {
        panic!("{fault}\nexample: {example}\nactual: {actual}");
    }
}

fn like(example: &Value, actual: &Value, at: &str) -> Result<(), String> {
    match (example, actual) {
        (Value::Object(example), Value::Object(actual)) => {
            let expected: Vec<&String> = example.keys().collect();
            let found: Vec<&String> = actual.keys().collect();
            if expected != found {
                return Err(format!("{at} has members {found:?}, not {expected:?}"));
            }
            for (name, example) in example {
                let actual = &actual[name];
                let one_is_null = example.is_null() != actual.is_null();
                if one_is_null && NULLABLE.contains(&name.as_str()) {
                    continue;
                }
                like(example, actual, &format!("{at}.{name}"))?;
            }
            Ok(())
        }
        (Value::Array(examples), Value::Array(actual)) => {
            for (index, item) in actual.iter().enumerate() {
                let at = format!("{at}[{index}]");
                let faults: Vec<String> = examples
                    .iter()
                    .filter_map(|example| like(example, item, &at).err())
                    .collect();
                if faults.len() == examples.len() {
                    return Err(faults.join("; "));
                }
            }
            Ok(())
        }
        (Value::Null, Value::Null) | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        (Value::String(example), Value::String(actual)) => texts(example, actual, at),
        (Value::Number(example), Value::Number(actual)) if example.is_i64() == actual.is_i64() => {
            Ok(())
        }
        _ => Err(format!("{at} is {actual}, the example has {example}")),
    }
}

/// A timestamp stays a timestamp of the same form, an id keeps its prefix.
fn texts(example: &str, actual: &str, at: &str) -> Result<(), String> {
    let fault = || Err(format!("{at} is {actual:?}, the example has {example:?}"));
    if is_timestamp(example) && !is_timestamp(actual) {
        return fault();
    }
    for prefix in ["acc_", "txr_", "rule_", "rex_", "cursor_"] {
        if example.starts_with(prefix) != actual.starts_with(prefix) {
            return fault();
        }
    }
    Ok(())
}

/// `2024-04-25T10:00:00Z`: UTC, to the second.
fn is_timestamp(text: &str) -> bool {
    text.len() == 20
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}
