//! Rows of rules, their counters and their runs.
//!
//! Rules and runs are kept whole, as bytes; the columns beside them are copies to find them by.

use ledger::rule::TriggerKind;
use ledger::rule::calendar::Day;
use ledger::rule::snapshot::CapUsed;
use ledger::{Execution, ExecutionMode, ExecutionStatus, Rule, RuleId};
use rusqlite::Row;

use super::{Read, code, impossible, millis_option, raw, raw_option};
use crate::codec;
use crate::codes::Code;
use crate::gather::CapPlace;
use crate::query::RuleRow;

pub(crate) const RULE: &str = "body, deleted_ms";
/// The copies beside a rule.
pub(crate) const RULE_COPIES: &str = "id, tenant, owner, account, enabled";
pub(crate) const CAP: &str = "rule, step, action_group, period, since_day, used";
pub(crate) const EXECUTION: &str = "body";
/// The copies beside a run.
pub(crate) const EXECUTION_COPIES: &str =
    "id, tenant, owner, rule, status, cause, mode, created_ms";

pub(crate) fn rule(row: &Row<'_>) -> Read<RuleRow> {
    let rule = codec::rule_from_bytes(row.get_ref(0)?.as_blob()?);
    Ok(RuleRow {
        rule: rule.map_err(|_| impossible(0, "rule"))?,
        deleted_at: millis_option(row, 1)?,
    })
}

/// Whether the copies, from `column` on, are those of this rule.
pub(crate) fn copies_rule(row: &Row<'_>, column: usize, rule: &Rule) -> Read<bool> {
    Ok(raw(row, column)? == rule.id.raw()
        && raw(row, column + 1)? == rule.tenant.raw()
        && raw(row, column + 2)? == rule.owner.raw()
        && raw_option(row, column + 3)? == rule.trigger.account().map(|id| id.raw())
        && row.get::<_, bool>(column + 4)? == rule.enabled)
}

pub(crate) fn cap(row: &Row<'_>) -> Read<(CapPlace, CapUsed)> {
    let used = CapUsed {
        period: code(row, 3)?,
        since: Day(row.get(4)?),
        used_minor: row.get(5)?,
    };
    let rule = RuleId::new(raw(row, 0)?);
    Ok(((rule, row.get(1)?, row.get(2)?), used))
}

pub(crate) fn execution(row: &Row<'_>) -> Read<Execution> {
    let execution = codec::execution_from_bytes(row.get_ref(0)?.as_blob()?);
    execution.map_err(|_| impossible(0, "run of a rule"))
}

/// Whether the copies, from `column` on, are those of this run.
pub(crate) fn copies_execution(row: &Row<'_>, column: usize, run: &Execution) -> Read<bool> {
    Ok(raw(row, column)? == run.id.raw()
        && raw(row, column + 1)? == run.tenant.raw()
        && raw(row, column + 2)? == run.owner.raw()
        && raw(row, column + 3)? == run.rule.raw()
        && ExecutionStatus::from_code(row.get(column + 4)?) == Some(run.status)
        && TriggerKind::from_code(row.get(column + 5)?) == Some(run.cause.kind())
        && ExecutionMode::from_code(row.get(column + 6)?) == Some(run.mode)
        && row.get::<_, i64>(column + 7)? == run.created_at.0)
}
