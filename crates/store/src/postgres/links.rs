//! Asking the database for facts that are not in memory.

use ledger::touches::{AccountLinks, ExecutionLinks, HoldLinks, TransferLinks};
use ledger::{
    AccountId, BulkId, ExecutionId, HoldId, OwnerId, ProfileId, RuleId, TenantId, TransferId,
};

use super::error::Damaged;
use super::facts::Facts;
use super::failure::Failure;
use super::plan::{Plan, Subject};
use super::rows;
use super::session::{Call, Session};
use super::wire::Row;

const OWNERS: &str = "SELECT o.id, o.tenant FROM owners o WHERE o.id = ANY ($1)";
const ACCOUNTS: &str = "SELECT a.id, a.tenant, a.owner, a.kind, a.profile, a.parent FROM accounts a \
     WHERE a.id = ANY ($1)";
const TRANSFERS: &str = "SELECT t.id, t.tenant, t.owner, t.source, t.destination, t.profile, \
     t.rail, t.currency, t.execution FROM transfers t WHERE t.id = ANY ($1)";
const HOLDS: &str = "SELECT h.id, h.tenant, h.account FROM holds h WHERE h.id = ANY ($1)";
const BULKS: &str = "SELECT b.id, b.tenant, b.owner FROM bulks b WHERE b.id = ANY ($1)";
const RULES: &str = "SELECT u.id, u.tenant, u.owner FROM rules u WHERE u.id = ANY ($1)";
const EXECUTIONS: &str =
    "SELECT y.id, y.tenant, y.owner, y.rule FROM executions y WHERE y.id = ANY ($1)";

/// Follows the plan until no facts are missing, asking for those that are.
///
/// # Errors
/// [`Failure`] of the database.
pub(crate) async fn complete(
    session: &mut Session,
    facts: &mut Facts,
    plan: &mut Plan,
) -> Result<(), Failure> {
    while !plan.is_whole() {
        ask(session, facts, plan.missing()).await?;
        plan.resume(facts);
    }
    Ok(())
}

async fn ask(
    session: &mut Session,
    facts: &mut Facts,
    subjects: impl Iterator<Item = Subject>,
) -> Result<(), Failure> {
    let mut ids: [Vec<i64>; 7] = Default::default();
    let [owners, accounts, transfers, holds, bulks, rules, executions] = &mut ids;
    for subject in subjects {
        match subject {
            Subject::Owner(id) => owners.push(id.raw().cast_signed()),
            Subject::Account(id) => accounts.push(id.raw().cast_signed()),
            Subject::Transfer(id) => transfers.push(id.raw().cast_signed()),
            Subject::Hold(id) => holds.push(id.raw().cast_signed()),
            Subject::Bulk(id) => bulks.push(id.raw().cast_signed()),
            Subject::Rule(id) => rules.push(id.raw().cast_signed()),
            Subject::Execution(id) => executions.push(id.raw().cast_signed()),
        }
    }
    let kinds: [(&'static str, Learn); 7] = [
        (OWNERS, owner),
        (ACCOUNTS, account),
        (TRANSFERS, transfer),
        (HOLDS, hold),
        (BULKS, bulk),
        (RULES, rule),
        (EXECUTIONS, execution),
    ];
    let mut learns = Vec::new();
    let mut calls = Vec::new();
    for ((sql, learn), ids) in kinds.into_iter().zip(ids) {
        if !ids.is_empty() {
            learns.push(learn);
            calls.push(Call::new(sql).with(ids));
        }
    }
    for (learn, rows) in learns.into_iter().zip(session.calls(calls).await?) {
        for row in rows {
            learn(&row, facts)?;
        }
    }
    Ok(())
}

type Learn = fn(&Row, &mut Facts) -> Result<(), Damaged>;

fn owner(row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
    let tenant = TenantId::new(rows::raw(row, 1)?);
    facts.put_owner(OwnerId::new(rows::raw(row, 0)?), tenant);
    Ok(())
}

fn account(row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
    let links = AccountLinks {
        tenant: TenantId::new(rows::raw(row, 1)?),
        owner: OwnerId::new(rows::raw(row, 2)?),
        kind: rows::code(row, 3)?,
        profile: rows::raw_option(row, 4)?.map(ProfileId::new),
        parent: rows::raw_option(row, 5)?.map(AccountId::new),
    };
    facts.put_account(AccountId::new(rows::raw(row, 0)?), links);
    Ok(())
}

fn transfer(row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
    let links = TransferLinks {
        tenant: TenantId::new(rows::raw(row, 1)?),
        owner: OwnerId::new(rows::raw(row, 2)?),
        source: rows::raw_option(row, 3)?.map(AccountId::new),
        destination: rows::raw_option(row, 4)?.map(AccountId::new),
        profile: rows::raw_option(row, 5)?.map(ProfileId::new),
        rail: rows::code_option(row, 6)?,
        currency: rows::currency(row, 7)?,
        execution: rows::raw_option(row, 8)?.map(ExecutionId::new),
    };
    facts.put_transfer(TransferId::new(rows::raw(row, 0)?), links);
    Ok(())
}

fn hold(row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
    let links = HoldLinks {
        tenant: TenantId::new(rows::raw(row, 1)?),
        account: AccountId::new(rows::raw(row, 2)?),
    };
    facts.put_hold(HoldId::new(rows::raw(row, 0)?), links);
    Ok(())
}

fn bulk(row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
    let tenant = TenantId::new(rows::raw(row, 1)?);
    let owner = OwnerId::new(rows::raw(row, 2)?);
    facts.put_bulk(BulkId::new(rows::raw(row, 0)?), tenant, owner);
    Ok(())
}

fn rule(row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
    let tenant = TenantId::new(rows::raw(row, 1)?);
    let owner = OwnerId::new(rows::raw(row, 2)?);
    facts.put_rule(RuleId::new(rows::raw(row, 0)?), tenant, owner);
    Ok(())
}

fn execution(row: &Row, facts: &mut Facts) -> Result<(), Damaged> {
    let links = ExecutionLinks {
        tenant: TenantId::new(rows::raw(row, 1)?),
        owner: OwnerId::new(rows::raw(row, 2)?),
        rule: RuleId::new(rows::raw(row, 3)?),
    };
    facts.put_execution(ExecutionId::new(rows::raw(row, 0)?), links);
    Ok(())
}
