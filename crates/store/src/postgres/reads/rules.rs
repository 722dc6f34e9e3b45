//! Rules and their runs, and one owner's part of the ledger as a state of its own.

use ledger::{
    Effect, Execution, ExecutionId, IdSource, Inconsistency, Millis, OwnerId, RuleId, State,
    TenantId,
};

use super::{bound, codes, id, number, time};
use crate::Result;
use crate::codes::Code;
use crate::postgres::error::DbError;
use crate::postgres::pool::{Ask, Plan, Readers, all, one};
use crate::postgres::rows;
use crate::postgres::sql::sql;
use crate::query::{ExecutionQuery, RuleQuery, RuleRow};

const RULES: &str = sql!(
    "SELECT ",
    rows::RULE,
    " FROM rules u WHERE u.tenant = $1 AND ($2::bigint IS NULL OR u.owner = $2) \
     AND ($3::bigint IS NULL OR u.account = $3) AND ($4::boolean IS NULL OR u.enabled = $4) \
     AND ($5::boolean OR u.deleted_ms IS NULL) ORDER BY u.id LIMIT $6 OFFSET $7"
);
const RULE: &str = sql!(
    "SELECT ",
    rows::RULE,
    " FROM rules u WHERE u.id = $2 AND u.tenant = $1"
);
/// What runs are chosen by. The index of a rule's runs has all of it, so that a run is read only
/// when it is on the page.
const CHOSEN: &str = " AND ($2::bigint IS NULL OR y.owner = $2) \
     AND ($4::bigint[] IS NULL OR y.status = ANY ($4)) \
     AND ($5::bigint[] IS NULL OR y.cause = ANY ($5)) \
     AND ($6::bigint IS NULL OR y.mode = $6) \
     AND ($7::bigint IS NULL OR y.created_ms >= $7) \
     AND ($8::bigint IS NULL OR y.created_ms <= $8) \
     AND ($9::bigint IS NULL OR y.id < $9) \
     ORDER BY y.id DESC LIMIT $10 OFFSET $11";
const EXECUTIONS: &str = sql!(
    "SELECT ",
    rows::EXECUTION,
    " FROM executions y WHERE y.tenant = $1 AND $3::bigint IS NULL",
    CHOSEN
);
const EXECUTIONS_OF_RULE: &str = sql!(
    "SELECT ",
    rows::EXECUTION,
    " FROM executions y JOIN (SELECT y.owner, y.id FROM executions y \
     WHERE y.owner = (SELECT u.owner FROM rules u WHERE u.id = $3 AND u.tenant = $1) \
     AND y.rule = $3",
    CHOSEN,
    ") AS w ON w.owner = y.owner AND w.id = y.id ORDER BY y.id DESC"
);
const EXECUTION: &str = sql!(
    "SELECT ",
    rows::EXECUTION,
    " FROM executions y WHERE y.id = $2 AND y.tenant = $1"
);

const OWN_TENANT: &str = sql!(
    "SELECT ",
    rows::TENANT,
    " FROM tenants n JOIN owners o ON o.tenant = n.id WHERE o.id = $1"
);
const OWN: &str = sql!("SELECT ", rows::OWNER, " FROM owners o WHERE o.id = $1");
const OWN_PROFILES: &str = sql!(
    "SELECT ",
    rows::PROFILE,
    " FROM profiles p JOIN owners o ON o.tenant = p.tenant WHERE o.id = $1"
);
const OWN_ACCOUNTS: &str = sql!(
    "SELECT ",
    rows::ACCOUNT,
    " FROM accounts a WHERE a.owner = $1"
);
/// Transfers that have not ended: each of them waits for something.
const OWN_TRANSFERS: &str = sql!(
    "SELECT ",
    rows::TRANSFER,
    " FROM due d JOIN transfers t ON t.owner = d.owner AND t.id = d.object \
     WHERE d.owner = $1 AND d.kind = 1"
);
const OWN_HOLDS: &str = sql!("SELECT ", rows::HOLD, " FROM holds h WHERE h.owner = $1");
const OWN_BULKS: &str = sql!(
    "SELECT ",
    rows::BULK,
    " FROM bulks b WHERE b.owner = $1 AND b.status <= 3"
);
const OWN_RULES: &str = sql!(
    "SELECT ",
    rows::RULE,
    " FROM rules u WHERE u.owner = $1 AND u.deleted_ms IS NULL"
);
const OWN_CAPS: &str = sql!("SELECT ", rows::CAP, " FROM rule_caps c WHERE c.owner = $1");
const OWN_EXECUTIONS: &str = sql!(
    "SELECT ",
    rows::EXECUTION,
    " FROM executions y WHERE y.owner = $1 AND y.status = 1"
);
const OWN_DUE: &str = sql!("SELECT ", rows::DUE, " FROM due d WHERE d.owner = $1");

impl Readers {
    pub(crate) async fn rules(&self, query: &RuleQuery) -> Result<Vec<RuleRow>> {
        let ask = Ask {
            sql: RULES,
            values: &[
                &id(query.tenant.raw()),
                &query.owner.map(|owner| id(owner.raw())),
                &query.source.map(|account| id(account.raw())),
                &query.enabled,
                &query.include_deleted,
                &number(query.limit),
                &number(query.offset),
            ],
        };
        Ok(all(&self.rows(Plan::Anew, ask).await?, rows::rule)?)
    }

    pub(crate) async fn rule(&self, tenant: TenantId, rule: RuleId) -> Result<Option<RuleRow>> {
        let ask = Ask {
            sql: RULE,
            values: &[&id(tenant.raw()), &id(rule.raw())],
        };
        Ok(self.one(ask, rows::rule).await?)
    }

    pub(crate) async fn executions(&self, query: &ExecutionQuery) -> Result<Vec<Execution>> {
        let ask = Ask {
            sql: match query.rule {
                None => EXECUTIONS,
                Some(_) => EXECUTIONS_OF_RULE,
            },
            values: &[
                &id(query.tenant.raw()),
                &query.owner.map(|owner| id(owner.raw())),
                &query.rule.map(|rule| id(rule.raw())),
                &codes(&query.statuses),
                &codes(&query.causes),
                &query.mode.map(|mode| i64::from(mode.code())),
                &time(query.from),
                &time(query.to),
                &query.after.map(|after| bound(after.raw())),
                &number(query.limit),
                &number(query.offset),
            ],
        };
        Ok(all(&self.rows(Plan::Anew, ask).await?, rows::execution)?)
    }

    pub(crate) async fn execution(
        &self,
        tenant: TenantId,
        execution: ExecutionId,
    ) -> Result<Option<Execution>> {
        let ask = Ask {
            sql: EXECUTION,
            values: &[&id(tenant.raw()), &id(execution.raw())],
        };
        Ok(self.one(ask, rows::execution).await?)
    }

    /// See [`Store::fork`](crate::Store::fork). Ids that are issued for it at `now` or later are
    /// greater than those that are in it.
    pub(crate) async fn fork(
        &self,
        tenant: TenantId,
        owner: OwnerId,
        now: Millis,
    ) -> Result<Option<State>> {
        let own = id(owner.raw());
        let asks = [
            OWN_TENANT,
            OWN,
            OWN_PROFILES,
            OWN_ACCOUNTS,
            OWN_TRANSFERS,
            OWN_HOLDS,
            OWN_BULKS,
            OWN_RULES,
            OWN_CAPS,
            OWN_EXECUTIONS,
            OWN_DUE,
        ];
        let answers = self.rows_of_moment(&asks, &[&own]).await?;
        let mut state = State::default();
        let mut answers = answers.iter();
        let mut next = || answers.next().map_or(&[][..], Vec::as_slice);
        let wrong = |error: Inconsistency| DbError::damaged(error.to_string());
        let (of, known) = (one(next(), rows::tenant)?, one(next(), rows::owner)?);
        let (Some(of), Some(known)) = (of.filter(|of| of.id == tenant), known) else {
            return Ok(None);
        };
        state.restore_tenant(of).map_err(wrong)?;
        state.apply(&Effect::OwnerCreated(known)).map_err(wrong)?;
        for profile in all(next(), rows::profile)? {
            state.apply(&Effect::ProfileSet(profile)).map_err(wrong)?;
        }
        for account in all(next(), rows::account)? {
            state.restore_account(account).map_err(wrong)?;
        }
        for transfer in all(next(), rows::transfer)? {
            state.restore_open_transfer(transfer).map_err(wrong)?;
        }
        for hold in all(next(), rows::hold)? {
            state.restore_hold(hold).map_err(wrong)?;
        }
        for bulk in all(next(), rows::bulk)? {
            state.restore_bulk(bulk).map_err(wrong)?;
        }
        for row in all(next(), rows::rule)? {
            state.restore_rule(&row.rule).map_err(wrong)?;
        }
        for ((rule, step, group), used, _) in all(next(), rows::cap)? {
            let restored = state.restore_cap(rule, (step, group), used);
            restored.map_err(wrong)?;
        }
        for execution in all(next(), rows::execution)? {
            state.restore_execution(execution).map_err(wrong)?;
        }
        for due in all(next(), rows::due)? {
            state.restore_due(due).map_err(wrong)?;
        }
        state.observe_id(IdSource::first_at(now));
        Ok(Some(state))
    }
}

#[cfg(test)]
mod tests;
