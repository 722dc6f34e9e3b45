//! How answers are printed.

use comfy_table::Table;
use serde_json::Value;

/// A plain table: aligned columns, no lines, no colour.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header);
    table
}

/// One row per element of `data` or of a key's `uses`, or per field of an object.
pub(crate) fn print_table(value: &Value, columns: &[&str]) {
    line(&match rows(value) {
        Some(items) => {
            let mut table = table(columns);
            for item in items {
                table.add_row(columns.iter().map(|column| cell(lookup(item, column))));
            }
            table
        }
        None => {
            let mut table = table(&["field", "value"]);
            for (field, value) in value.as_object().into_iter().flatten() {
                table.add_row([field.clone(), cell(Some(value))]);
            }
            table
        }
    });
}

/// What has a row each. A key that nobody has used has one with its state alone.
fn rows(value: &Value) -> Option<Vec<&Value>> {
    let list = |member| value.get(member).and_then(Value::as_array);
    match (list("data"), list("uses")) {
        (Some(items), _) => Some(items.iter().collect()),
        (None, Some(uses)) if uses.is_empty() => Some(vec![value]),
        (None, Some(uses)) => Some(uses.iter().collect()),
        (None, None) => None,
    }
}

fn lookup<'a>(item: &'a Value, column: &str) -> Option<&'a Value> {
    column
        .split('.')
        .try_fold(item, |value, part| value.get(part))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(object)) => object
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| Value::Object(object.clone()).to_string(), str::to_owned),
        Some(other) => other.to_string(),
    }
}

/// One answer on standard output. A reader that has gone, such as `head`, is no error.
pub(crate) fn line(text: &impl std::fmt::Display) {
    use std::io::Write;
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}
