//! Rules and their runs.
//!
//! Each list walks one index, which is named: SQLite has no statistics to choose by. The indexes of
//! runs have everything that a filter asks, so that a run is read only when it is on the page.

use ledger::{Execution, ExecutionId, OwnerId, RuleId, TenantId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::{all, id};
use crate::codes::Code;
use crate::embedded::rows;
use crate::query::{ExecutionQuery, RuleQuery, RuleRow};

/// The conditions of a list and their values.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn and(&mut self, condition: &str, value: i64) {
        self.values.push(Value::Integer(value));
        self.sql
            .push_str(&format!(" AND {condition} ?{}", self.values.len()));
    }

    /// One of these codes; any when there are none.
    fn among(&mut self, column: &str, codes: impl Iterator<Item = u8>) {
        let codes: Vec<String> = codes.map(|code| code.to_string()).collect();
        if !codes.is_empty() {
            let codes = codes.join(", ");
            self.sql.push_str(&format!(" AND {column} IN ({codes})"));
        }
    }

    /// Where on the list the page is.
    fn page(&mut self, limit: usize, offset: usize) -> String {
        let number = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        self.values.extend([number(limit), number(offset)]);
        let last = self.values.len();
        format!("LIMIT ?{} OFFSET ?{last}", last - 1)
    }
}

pub(crate) fn rules(views: &Connection, query: &RuleQuery) -> rusqlite::Result<Vec<RuleRow>> {
    let mut conditions = Conditions::default();
    conditions.and("tenant =", id(query.tenant.raw()));
    let mut index = "rules_of_tenant";
    if let Some(owner) = query.owner {
        conditions.and("owner =", id(owner.raw()));
        index = "rules_of_owner";
    }
    if let Some(account) = query.source {
        conditions.and("account =", id(account.raw()));
        index = "rules_of_account";
    }
    if let Some(enabled) = query.enabled {
        conditions.and("enabled =", i64::from(enabled));
    }
    if !query.include_deleted {
        conditions.sql.push_str(" AND deleted_ms IS NULL");
    }
    let page = conditions.page(query.limit, query.offset);
    let sql = format!(
        "SELECT {} FROM rules INDEXED BY {index} WHERE TRUE{} ORDER BY id {page}",
        rows::RULE,
        conditions.sql
    );
    all(views, &sql, params_from_iter(conditions.values), rows::rule)
}

pub(crate) fn rule(
    views: &Connection,
    tenant: TenantId,
    rule: RuleId,
) -> rusqlite::Result<Option<RuleRow>> {
    let sql = format!(
        "SELECT {} FROM rules WHERE id = ?1 AND tenant = ?2",
        rows::RULE
    );
    let mut find = views.prepare_cached(&sql)?;
    let key = [id(rule.raw()), id(tenant.raw())];
    find.query_row(key, rows::rule).optional()
}

pub(crate) fn executions(
    views: &Connection,
    query: &ExecutionQuery,
) -> rusqlite::Result<Vec<Execution>> {
    let mut conditions = Conditions::default();
    let Some(index) = begin(views, query, &mut conditions)? else {
        return Ok(Vec::new());
    };
    let sql = list(index, query, &mut conditions);
    all(
        views,
        &sql,
        params_from_iter(conditions.values),
        rows::execution,
    )
}

/// The statement of a list over this index.
fn list(index: &str, query: &ExecutionQuery, conditions: &mut Conditions) -> String {
    if let Some(after) = query.after {
        conditions.and("id <", i64::try_from(after.raw()).unwrap_or(i64::MAX));
    }
    conditions.among("status", query.statuses.iter().map(|status| status.code()));
    conditions.among("cause", query.causes.iter().map(|cause| cause.code()));
    conditions.among("mode", query.mode.iter().map(|mode| mode.code()));
    if let Some(from) = query.from {
        conditions.and("created_ms >=", from.0);
    }
    if let Some(to) = query.to {
        conditions.and("created_ms <=", to.0);
    }
    let page = conditions.page(query.limit, query.offset);
    format!(
        "SELECT {} FROM executions WHERE id IN \
         (SELECT id FROM executions INDEXED BY {index} WHERE TRUE{} ORDER BY id DESC {page}) \
         ORDER BY id DESC",
        rows::EXECUTION,
        conditions.sql
    )
}

/// The narrowest index for a query, with its first condition; `None` when the rule or the owner is
/// not the tenant's, or the rule not the owner's.
fn begin(
    views: &Connection,
    query: &ExecutionQuery,
    conditions: &mut Conditions,
) -> rusqlite::Result<Option<&'static str>> {
    if let Some(rule) = query.rule {
        let sql = "SELECT tenant, owner FROM rules WHERE id = ?1";
        let mut find = views.prepare_cached(sql)?;
        let whose = find.query_row([id(rule.raw())], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        });
        let of = |owner: OwnerId| id(owner.raw());
        let fits = whose.optional()?.is_some_and(|(tenant, owner)| {
            tenant == id(query.tenant.raw()) && query.owner.is_none_or(|of_| of(of_) == owner)
        });
        conditions.and("rule =", id(rule.raw()));
        return Ok(fits.then_some("executions_of_rule"));
    }
    if let Some(owner) = query.owner {
        let sql = "SELECT 1 FROM owners WHERE id = ?1 AND tenant = ?2";
        let mut find = views.prepare_cached(sql)?;
        let fits = find.exists([id(owner.raw()), id(query.tenant.raw())])?;
        conditions.and("owner =", id(owner.raw()));
        return Ok(fits.then_some("executions_of_owner"));
    }
    conditions.and("tenant =", id(query.tenant.raw()));
    Ok(Some("executions_of_tenant"))
}

pub(crate) fn execution(
    views: &Connection,
    tenant: TenantId,
    execution: ExecutionId,
) -> rusqlite::Result<Option<Execution>> {
    let sql = format!(
        "SELECT {} FROM executions WHERE id = ?1 AND tenant = ?2",
        rows::EXECUTION
    );
    let mut find = views.prepare_cached(&sql)?;
    let key = [id(execution.raw()), id(tenant.raw())];
    find.query_row(key, rows::execution).optional()
}

#[cfg(test)]
mod tests {
    use ledger::rule::TriggerKind;
    use ledger::{ExecutionMode, ExecutionStatus, Millis};

    use super::*;
    use crate::embedded::views;

    /// However many runs there are, only those on the page are read.
    #[test]
    fn a_list_of_runs_is_chosen_from_its_index_alone() {
        let views = views::in_memory();
        let query = ExecutionQuery {
            statuses: vec![ExecutionStatus::Failed, ExecutionStatus::Partial],
            causes: vec![TriggerKind::Manual],
            mode: Some(ExecutionMode::Live),
            from: Some(Millis(1)),
            to: Some(Millis(9)),
            after: Some(ExecutionId::new(7)),
            offset: 3,
            ..ExecutionQuery::new(TenantId::new(1), 10)
        };
        for (index, first) in [
            ("executions_of_rule", "rule ="),
            ("executions_of_owner", "owner ="),
            ("executions_of_tenant", "tenant ="),
        ] {
            let mut conditions = Conditions::default();
            conditions.and(first, 1);
            let sql = list(index, &query, &mut conditions);
            let plan = format!("EXPLAIN QUERY PLAN {sql}");
            let values = params_from_iter(conditions.values);
            let steps = all(&views, &plan, values, |row| row.get::<_, String>(3));
            let steps = steps.expect("a valid statement").join("; ");
            assert!(
                steps.contains(&format!("COVERING INDEX {index}")),
                "{steps}"
            );
            // In the order of the index: nothing is sorted but the page.
            let sorts = steps.matches("TEMP B-TREE").count();
            assert!(sorts <= 1, "{steps}");
        }
    }
}
