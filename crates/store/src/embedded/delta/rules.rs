//! Rules, their counters and their runs into the views.

use rusqlite::{Connection, params};

use crate::codec;
use crate::codes::Code;
use crate::gather::RuleLines;

pub(super) fn write(connection: &Connection, lines: &RuleLines) -> rusqlite::Result<()> {
    if lines.len() == 0 {
        return Ok(());
    }
    write_rules(connection, lines)?;
    write_executions(connection, lines)
}

fn write_rules(connection: &Connection, lines: &RuleLines) -> rusqlite::Result<()> {
    let mut put =
        connection.prepare_cached("REPLACE INTO rules VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let mut cut = connection.prepare_cached("DELETE FROM rule_caps WHERE rule = ?1")?;
    for (rule, deleted_at) in lines.rules.values() {
        let id = rule.id.raw().cast_signed();
        put.execute(params![
            id,
            rule.tenant.raw().cast_signed(),
            rule.owner.raw().cast_signed(),
            rule.trigger.account().map(|id| id.raw().cast_signed()),
            rule.enabled,
            deleted_at.map(|at| at.0),
            codec::rule_to_bytes(rule),
        ])?;
        if deleted_at.is_some() {
            cut.execute([id])?;
        }
    }
    let mut put =
        connection.prepare_cached("REPLACE INTO rule_caps VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for ((rule, step, group), (_, used)) in &lines.caps {
        put.execute(params![
            rule.raw().cast_signed(),
            step,
            group,
            used.period.code(),
            used.since.0,
            used.used_minor,
        ])?;
    }
    Ok(())
}

fn write_executions(connection: &Connection, lines: &RuleLines) -> rusqlite::Result<()> {
    let mut put = connection
        .prepare_cached("INSERT INTO executions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let mut change =
        connection.prepare_cached("UPDATE executions SET status = ?2, body = ?3 WHERE id = ?1")?;
    for line in lines.executions.values() {
        let run = &line.execution;
        let id = run.id.raw().cast_signed();
        let body = codec::execution_to_bytes(run);
        if line.seen {
            change.execute(params![id, run.status.code(), body])?;
            continue;
        }
        put.execute(params![
            id,
            run.tenant.raw().cast_signed(),
            run.owner.raw().cast_signed(),
            run.rule.raw().cast_signed(),
            run.status.code(),
            run.cause.kind().code(),
            run.mode.code(),
            run.created_at.0,
            body,
        ])?;
    }
    Ok(())
}
