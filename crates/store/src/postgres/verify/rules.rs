//! Rules, their counters and their runs against what was committed.

use super::snapshot::{Snapshot, differs};
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::verify::{Replay, VerifyError, difference};

const RULES: &str = sql!(
    "SELECT ",
    rows::RULE,
    ", ",
    rows::RULE_COPIES,
    " FROM rules u"
);
const CAPS: &str = sql!("SELECT ", rows::CAP, " FROM rule_caps c");
const EXECUTIONS: &str = sql!(
    "SELECT ",
    rows::EXECUTION,
    ", ",
    rows::EXECUTION_COPIES,
    " FROM executions y"
);

/// Compares the tables of rules.
pub(super) async fn compare(snapshot: &Snapshot, replay: &Replay) -> Result<(), VerifyError> {
    let (rules, state) = (&replay.sums.rules, &replay.state);
    let mut found = 0;
    snapshot
        .each("rules", RULES, |row| {
            let seen = rows::rule(row)?;
            if !rows::copies_rule(row, 2, &seen)? || !rules.has_rule(&seen) {
                return differs(format!(
                    "rules: rule {} differs in the tables",
                    seen.rule.id
                ));
            }
            found += 1;
            Ok(())
        })
        .await?;
    if found != rules.rules() {
        return Err(difference("rules: a rule is missing in the tables"));
    }
    let mut found = 0;
    snapshot
        .each("rule_caps", CAPS, |row| {
            let (place, used, owner) = rows::cap(row)?;
            let is_owned = state.rule(place.0).is_some_and(|rule| rule.owner == owner);
            if !is_owned || !rules.has_cap(place, used) {
                return differs(format!(
                    "rule_caps: a cap of rule {} differs in the tables",
                    place.0
                ));
            }
            found += 1;
            Ok(())
        })
        .await?;
    if found != rules.caps() {
        return Err(difference("rule_caps: a cap is missing in the tables"));
    }
    let mut found = 0;
    snapshot
        .each("executions", EXECUTIONS, |row| {
            let seen = rows::execution(row)?;
            if !rows::copies_execution(row, 1, &seen)? || !rules.has_execution(&seen) {
                let what = format!("executions: run {} differs in the tables", seen.id);
                return differs(what);
            }
            found += 1;
            Ok(())
        })
        .await?;
    if found != rules.executions() {
        return Err(difference("executions: a run is missing in the tables"));
    }
    Ok(())
}
