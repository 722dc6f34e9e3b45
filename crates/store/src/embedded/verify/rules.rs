//! Rules, their counters and their runs in the views against the journal.

use rusqlite::Connection;

use super::{VerifyError, difference, unreadable};
use crate::embedded::rows;
use crate::verify::Rules;

/// The tables of rules, caps and runs say what the journal says.
pub(super) fn check(connection: &Connection, rules: &Rules) -> Result<(), VerifyError> {
    compare_rules(connection, rules)?;
    compare_caps(connection, rules)?;
    compare_executions(connection, rules)
}

fn compare_rules(connection: &Connection, rules: &Rules) -> Result<(), VerifyError> {
    let sql = format!("SELECT {}, {} FROM rules", rows::RULE, rows::RULE_COPIES);
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut found = 0;
    let seen = statement
        .query_map([], |row| {
            let seen = rows::rule(row)?;
            let copied = rows::copies_rule(row, 2, &seen.rule)?;
            Ok((seen, copied))
        })
        .map_err(unreadable)?;
    for row in seen {
        let (row, copied) = row.map_err(unreadable)?;
        if !copied || !rules.has_rule(&row) {
            let what = format!("rule {} differs in the views", row.rule.id);
            return Err(difference(what));
        }
        found += 1;
    }
    if found != rules.rules() {
        return Err(difference("rules are missing in the views"));
    }
    Ok(())
}

fn compare_caps(connection: &Connection, rules: &Rules) -> Result<(), VerifyError> {
    let sql = format!("SELECT {} FROM rule_caps", rows::CAP);
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut found = 0;
    for row in statement.query_map([], rows::cap).map_err(unreadable)? {
        let (place, used) = row.map_err(unreadable)?;
        if !rules.has_cap(place, used) {
            let what = format!("a cap of rule {} differs in the views", place.0);
            return Err(difference(what));
        }
        found += 1;
    }
    if found != rules.caps() {
        return Err(difference("caps of rules are missing in the views"));
    }
    Ok(())
}

fn compare_executions(connection: &Connection, rules: &Rules) -> Result<(), VerifyError> {
    let sql = format!(
        "SELECT {}, {} FROM executions",
        rows::EXECUTION,
        rows::EXECUTION_COPIES
    );
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut found = 0;
    let seen = statement
        .query_map([], |row| {
            let seen = rows::execution(row)?;
            let copied = rows::copies_execution(row, 1, &seen)?;
            Ok((seen, copied))
        })
        .map_err(unreadable)?;
    for row in seen {
        let (execution, copied) = row.map_err(unreadable)?;
        if !copied || !rules.has_execution(&execution) {
            let what = format!("run {} of a rule differs in the views", execution.id);
            return Err(difference(what));
        }
        found += 1;
    }
    if found != rules.executions() {
        return Err(difference("runs of rules are missing in the views"));
    }
    Ok(())
}
