//! Rules, their counters and their runs.

use super::Write;
use super::columns::{code, row, signed};
use crate::codec;
use crate::postgres::rows;
use crate::postgres::session::Call;

const ADD_RULES: &str = "INSERT INTO rules \
     (owner, id, tenant, account, listening, enabled, deleted_ms, body) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::boolean[], $7::bigint[], $8::bytea[])";
const SET_RULES: &str = "UPDATE rules AS u \
     SET listening = w.listening, enabled = w.enabled, deleted_ms = w.deleted_ms, body = w.body \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::boolean[], $7::bigint[], $8::bytea[]) \
     AS w (owner, id, tenant, account, listening, enabled, deleted_ms, body) \
     WHERE u.owner = w.owner AND u.id = w.id";
/// A rule that is gone takes its counters with it.
const CUT_CAPS_OF_RULES: &str = "DELETE FROM rule_caps AS c \
     USING unnest($1::bigint[], $2::bigint[]) AS w (owner, rule) \
     WHERE c.owner = w.owner AND c.rule = w.rule";
const CUT_CAPS: &str = "DELETE FROM rule_caps AS c \
     USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
     AS w (owner, rule, step, action_group) \
     WHERE c.owner = w.owner AND c.rule = w.rule AND c.step = w.step \
     AND c.action_group = w.action_group";
const ADD_CAPS: &str = "INSERT INTO rule_caps \
     (owner, rule, step, action_group, period, since_day, used) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[], $7::bigint[])";
const ADD_EXECUTIONS: &str = "INSERT INTO executions \
     (owner, id, tenant, rule, status, cause, mode, created_ms, body) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
     $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[])";
const SET_EXECUTIONS: &str = "UPDATE executions AS y SET status = w.status, body = w.body \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) \
     AS w (owner, id, status, body) WHERE y.owner = w.owner AND y.id = w.id";

row!(RuleLine {
    owner: i64,
    id: i64,
    tenant: i64,
    account: Option<i64>,
    listening: Option<i64>,
    enabled: bool,
    deleted_ms: Option<i64>,
    body: Vec<u8>,
});
row!(RuleKey {
    owner: i64,
    rule: i64,
});
row!(CapKey {
    owner: i64,
    rule: i64,
    step: i64,
    action_group: i64,
});
row!(CapLine {
    owner: i64,
    rule: i64,
    step: i64,
    action_group: i64,
    period: i64,
    since_day: i64,
    used: i64,
});
row!(NewExecution {
    owner: i64,
    id: i64,
    tenant: i64,
    rule: i64,
    status: i64,
    cause: i64,
    mode: i64,
    created_ms: i64,
    body: Vec<u8>,
});
row!(MovedExecution {
    owner: i64,
    id: i64,
    status: i64,
    body: Vec<u8>,
});

impl Write<'_> {
    pub(super) fn rules(&self, calls: &mut Vec<Call>) {
        let lines = &self.changed.gathered.rules;
        let rules = lines.rules.values();
        let (known, new): (Vec<_>, Vec<_>) =
            rules.partition(|(rule, _)| self.stored.has_rule(rule.id));
        for (sql, rules) in [(SET_RULES, &known), (ADD_RULES, &new)] {
            let rows = rules.iter().map(|(rule, deleted_at)| RuleLine {
                owner: signed(rule.owner.raw()),
                id: signed(rule.id.raw()),
                tenant: signed(rule.tenant.raw()),
                account: rule.trigger.account().map(|id| signed(id.raw())),
                listening: rows::listening(rule, deleted_at.is_some()).map(|id| signed(id.raw())),
                enabled: rule.enabled,
                deleted_ms: deleted_at.map(|at| at.0),
                body: codec::rule_to_bytes(rule),
            });
            RuleLine::call(sql, rows, calls);
        }
        let gone = known.iter().filter(|(_, deleted_at)| deleted_at.is_some());
        let gone = gone.map(|(rule, _)| RuleKey {
            owner: signed(rule.owner.raw()),
            rule: signed(rule.id.raw()),
        });
        RuleKey::call(CUT_CAPS_OF_RULES, gone, calls);
        // Cut and made anew: whether a counter was there need not be known.
        let keys = lines
            .caps
            .iter()
            .map(|((rule, step, group), (owner, _))| CapKey {
                owner: signed(owner.raw()),
                rule: signed(rule.raw()),
                step: i64::from(*step),
                action_group: i64::from(*group),
            });
        CapKey::call(CUT_CAPS, keys, calls);
        let rows = lines
            .caps
            .iter()
            .map(|((rule, step, group), (owner, used))| CapLine {
                owner: signed(owner.raw()),
                rule: signed(rule.raw()),
                step: i64::from(*step),
                action_group: i64::from(*group),
                period: code(used.period),
                since_day: used.since.0,
                used: used.used_minor,
            });
        CapLine::call(ADD_CAPS, rows, calls);
    }

    pub(super) fn executions(&self, calls: &mut Vec<Call>) {
        let lines = self.changed.gathered.rules.executions.values();
        let (known, new): (Vec<_>, Vec<_>) = lines.partition(|line| line.seen);
        let rows = new.into_iter().map(|line| &line.execution);
        let rows = rows.map(|run| NewExecution {
            owner: signed(run.owner.raw()),
            id: signed(run.id.raw()),
            tenant: signed(run.tenant.raw()),
            rule: signed(run.rule.raw()),
            status: code(run.status),
            cause: code(run.cause.kind()),
            mode: code(run.mode),
            created_ms: run.created_at.0,
            body: codec::execution_to_bytes(run),
        });
        NewExecution::call(ADD_EXECUTIONS, rows, calls);
        let rows = known.into_iter().map(|line| &line.execution);
        let rows = rows.map(|run| MovedExecution {
            owner: signed(run.owner.raw()),
            id: signed(run.id.raw()),
            status: code(run.status),
            body: codec::execution_to_bytes(run),
        });
        MovedExecution::call(SET_EXECUTIONS, rows, calls);
    }
}
