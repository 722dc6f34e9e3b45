//! Rows of rules, their counters and their runs.
//!
//! Rules and runs are kept whole, as bytes; the columns beside them are copies to find them by.

use ledger::rule::TriggerKind;
use ledger::rule::calendar::Day;
use ledger::rule::snapshot::CapUsed;
use ledger::{AccountId, Execution, ExecutionMode, ExecutionStatus, OwnerId, Rule, RuleId};

use super::{Columns, Damaged, Read, code, get, millis_option, raw, raw_option};
use crate::codec;
use crate::gather::CapPlace;
use crate::query::RuleRow;

/// The account that a rule waits on, while it is on.
pub(crate) fn listening(rule: &Rule, is_deleted: bool) -> Option<AccountId> {
    rule.listens_on().filter(|_| rule.enabled && !is_deleted)
}

pub(crate) fn rule(row: &impl Columns) -> Read<RuleRow> {
    let rule = codec::rule_from_bytes(get(row, 0)?);
    Ok(RuleRow {
        rule: rule.map_err(|_| Damaged::new(0, "rule"))?,
        deleted_at: millis_option(row, 1)?,
    })
}

/// Whether the copies, from `column` on, are those of this rule.
pub(crate) fn copies_rule(row: &impl Columns, column: usize, seen: &RuleRow) -> Read<bool> {
    let rule = &seen.rule;
    let account = |id: Option<AccountId>| id.map(AccountId::raw);
    Ok(raw(row, column)? == rule.id.raw()
        && raw(row, column + 1)? == rule.tenant.raw()
        && raw(row, column + 2)? == rule.owner.raw()
        && raw_option(row, column + 3)? == account(rule.trigger.account())
        && raw_option(row, column + 4)? == account(listening(rule, seen.deleted_at.is_some()))
        && get::<bool>(row, column + 5)? == rule.enabled)
}

/// A counter, and the owner of its rule.
pub(crate) fn cap(row: &impl Columns) -> Read<(CapPlace, CapUsed, OwnerId)> {
    let used = CapUsed {
        period: code(row, 3)?,
        since: Day(get(row, 4)?),
        used_minor: get(row, 5)?,
    };
    let step = u16::try_from(get::<i64>(row, 1)?).map_err(|_| Damaged::new(1, "step"))?;
    let group = u32::try_from(get::<i64>(row, 2)?).map_err(|_| Damaged::new(2, "group"))?;
    let place = (RuleId::new(raw(row, 0)?), step, group);
    Ok((place, used, OwnerId::new(raw(row, 6)?)))
}

pub(crate) fn execution(row: &impl Columns) -> Read<Execution> {
    let execution = codec::execution_from_bytes(get(row, 0)?);
    execution.map_err(|_| Damaged::new(0, "run of a rule"))
}

/// Whether the copies, from `column` on, are those of this run.
pub(crate) fn copies_execution(row: &impl Columns, column: usize, run: &Execution) -> Read<bool> {
    Ok(raw(row, column)? == run.id.raw()
        && raw(row, column + 1)? == run.tenant.raw()
        && raw(row, column + 2)? == run.owner.raw()
        && raw(row, column + 3)? == run.rule.raw()
        && code::<ExecutionStatus>(row, column + 4)? == run.status
        && code::<TriggerKind>(row, column + 5)? == run.cause.kind()
        && code::<ExecutionMode>(row, column + 6)? == run.mode
        && get::<i64>(row, column + 7)? == run.created_at.0)
}
