//! One owner's part of the ledger, as a state of its own.

use ledger::{Due, Effect, Inconsistency, OwnerId, State, TenantId, Work};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{all, id, lists, programme};
use crate::embedded::{rows, views};

pub(crate) fn fork(
    connection: &Connection,
    tenant: TenantId,
    owner: OwnerId,
) -> rusqlite::Result<Option<State>> {
    // All of it is of one moment.
    let moment = connection.unchecked_transaction()?;
    let state = state_of(&moment, tenant, owner)?;
    moment.finish()?;
    Ok(state)
}

fn wrong(error: Inconsistency) -> rusqlite::Error {
    rows::damaged(0, error)
}

/// The rows of a statement that has the owner as its only value.
fn of_owner<T>(
    connection: &Connection,
    owner: OwnerId,
    sql: String,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    all(connection, &sql, [id(owner.raw())], read)
}

fn state_of(
    connection: &Connection,
    tenant: TenantId,
    owner: OwnerId,
) -> rusqlite::Result<Option<State>> {
    let sql = format!(
        "SELECT {} FROM owners WHERE id = ?1 AND tenant = ?2",
        rows::OWNER
    );
    let mut find = connection.prepare_cached(&sql)?;
    let key = [id(owner.raw()), id(tenant.raw())];
    let known = find.query_row(key, rows::owner).optional()?;
    let (Some(tenant), Some(known)) = (super::tenant(connection, tenant)?, known) else {
        return Ok(None);
    };
    let mut state = State::default();
    let tenant_id = tenant.id;
    state.restore_tenant(tenant).map_err(wrong)?;
    state.apply(&Effect::OwnerCreated(known)).map_err(wrong)?;
    for profile in programme::profiles(connection, tenant_id, None)? {
        state.apply(&Effect::ProfileSet(profile)).map_err(wrong)?;
    }
    let sql = format!(
        "SELECT {} FROM accounts a WHERE a.owner = ?1",
        rows::ACCOUNT
    );
    for account in of_owner(connection, owner, sql, rows::account)? {
        state.restore_account(account).map_err(wrong)?;
    }
    let sql = format!("SELECT {} FROM transfers t WHERE t.id = ?1", rows::TRANSFER);
    let mut find = connection.prepare_cached(&sql)?;
    for transfer in lists::open_transfers(connection, Some(owner))? {
        let transfer = find.query_row([id(transfer.raw())], rows::transfer)?;
        state.restore_open_transfer(transfer).map_err(wrong)?;
    }
    let sql = format!(
        "SELECT {} FROM holds WHERE account IN (SELECT id FROM accounts WHERE owner = ?1)",
        rows::HOLD
    );
    for hold in of_owner(connection, owner, sql, rows::hold)? {
        state.restore_hold(hold).map_err(wrong)?;
    }
    let sql = format!(
        "SELECT {} FROM bulks WHERE owner = ?1 AND status IN (1, 2, 3)",
        rows::BULK
    );
    for bulk in of_owner(connection, owner, sql, rows::bulk)? {
        state.restore_bulk(bulk).map_err(wrong)?;
    }
    restore_rules(connection, owner, &mut state)?;
    let sql = format!("SELECT {} FROM due WHERE tenant = ?1", rows::DUE);
    let waiting = all(connection, &sql, [id(tenant_id.raw())], rows::due)?;
    for due in waiting
        .into_iter()
        .filter(|due| concerns(&state, due))
        .collect::<Vec<_>>()
    {
        state.restore_due(due).map_err(wrong)?;
    }
    state.observe_id(views::progress(connection)?.last_id);
    Ok(Some(state))
}

fn restore_rules(
    connection: &Connection,
    owner: OwnerId,
    state: &mut State,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {} FROM rules WHERE owner = ?1 AND deleted_ms IS NULL",
        rows::RULE
    );
    for row in of_owner(connection, owner, sql, rows::rule)? {
        state.restore_rule(&row.rule).map_err(wrong)?;
    }
    let sql = format!(
        "SELECT {} FROM rule_caps WHERE rule IN (SELECT id FROM rules WHERE owner = ?1)",
        rows::CAP
    );
    for ((rule, step, group), used) in of_owner(connection, owner, sql, rows::cap)? {
        let restored = state.restore_cap(rule, (step, group), used);
        restored.map_err(wrong)?;
    }
    let sql = format!(
        "SELECT {} FROM executions INDEXED BY executions_open WHERE status = 1 AND owner = ?1",
        rows::EXECUTION
    );
    for execution in of_owner(connection, owner, sql, rows::execution)? {
        state.restore_execution(execution).map_err(wrong)?;
    }
    Ok(())
}

/// Whether the work is about something in the state.
fn concerns(state: &State, due: &Due) -> bool {
    match due.work {
        Work::Settle(transfer) => state.open_transfer(transfer).is_some(),
        Work::ExpireHold(hold) => state.hold(hold).is_some(),
        Work::RunBulk(bulk) => state.bulk(bulk).is_some(),
        Work::RunRule(rule) => state.rule(rule).is_some(),
        Work::RunExecution(execution) => state.execution(execution).is_some(),
    }
}
