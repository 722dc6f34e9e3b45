//! Rows of the views as the ledger's types. One column list and one reader per table, shared by
//! start-up, reads and verification.

mod rules;

use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    Account, AccountId, Amount, Bulk, BulkId, Currency, Due, ExecutionId, Hold, HoldId, KeyId,
    Millis, OperationOutcome, Owner, OwnerId, Party, Profile, ProfileId, RuleId, Tenant,
    TenantClock, TenantId, Transfer, TransferId,
};
use rusqlite::Row;
use rusqlite::types::Type;

use super::owner_page::Summary;
use crate::codec::{self, work_of};
use crate::codes::Code;
use crate::query::BulkRow;
use crate::records::{KeyRecord, Record};
pub(crate) use rules::{
    CAP, EXECUTION, EXECUTION_COPIES, RULE, RULE_COPIES, cap, copies_execution, copies_rule,
    execution, rule,
};

type Read<T> = rusqlite::Result<T>;

pub(crate) const TENANT: &str = "id, name, mode, clock_offset_ms, clock_frozen_ms, created_ms";
pub(crate) const OWNER: &str = "id, tenant, kind, name, created_ms";
pub(crate) const ACCOUNT: &str = "a.id, a.tenant, a.owner, a.kind, a.name, a.description, \
     a.institution, a.number_last_four, a.routing_last_four, a.currency, a.state, \
     a.can_be_source, a.can_be_destination, a.reported_balance, a.reported_available, \
     a.reported_last_statement, a.reported_next_payment_minimum, \
     a.reported_last_statement_date, a.reported_next_payment_due_date, a.reported_updated_ms, \
     a.created_ms, a.updated_ms, a.balance, a.held, a.entries, a.profile, a.parent, a.tag, \
     a.details, a.reason";
pub(crate) const TRANSFER: &str = "t.id, t.tenant, t.owner, t.source, t.destination, t.currency, \
     t.amount, t.direction, t.origin, t.rail, t.rail_delay_ms, t.status, t.error, t.rule, \
     t.execution, t.api_key, t.description, t.created_ms, t.updated_ms, t.completed_ms, \
     t.profile, t.tag, t.scheduled_ms, t.fee, t.cancel_reason, t.card";
pub(crate) const PROFILE: &str =
    "id, tenant, name, active, currencies, terms, created_ms, updated_ms";
pub(crate) const BULK: &str = "id, tenant, owner, api_key, status, mode, succeeded, failed, \
     created_ms, started_ms, finished_ms, operations";
/// What lists say of a bulk.
pub(crate) const BULK_ROW: &str = "id, tenant, owner, api_key, status, mode, succeeded, failed, \
     created_ms, started_ms, finished_ms, submitted";
pub(crate) const BULK_OPERATION: &str = "operation, transfer, status, denial";
/// The summary of a page of an owner's list, after its number.
pub(crate) const OWNER_PAGE: &str = "page, transfers, first_id, last_id, created_from_ms, \
     created_to_ms, executed_from_ms, executed_to_ms, statuses, marks";
pub(crate) const HOLD: &str = "id, tenant, account, currency, amount, created_ms, expires_ms";
pub(crate) const DUE: &str = "tenant, at_ms, kind, object";
pub(crate) const KEY: &str = "id, tenant, name, hash, hint, permissions, created_ms, revoked_ms";
pub(crate) const RECORD: &str = "kind, id, tenant, owner, version, unique_key, body, at_ms";

fn impossible(column: usize, what: &'static str) -> rusqlite::Error {
    damaged(column, what)
}

/// What is stored in `column` is not what it should be.
pub(crate) fn damaged(
    column: usize,
    what: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, what.into())
}

fn raw(row: &Row<'_>, column: usize) -> Read<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn raw_option(row: &Row<'_>, column: usize) -> Read<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
}

fn code<T: Code>(row: &Row<'_>, column: usize) -> Read<T> {
    T::from_code(row.get(column)?).ok_or_else(|| impossible(column, T::WHAT))
}

fn code_option<T: Code>(row: &Row<'_>, column: usize) -> Read<Option<T>> {
    row.get::<_, Option<u8>>(column)?
        .map(|code| T::from_code(code).ok_or_else(|| impossible(column, T::WHAT)))
        .transpose()
}

fn millis(row: &Row<'_>, column: usize) -> Read<Millis> {
    row.get(column).map(Millis)
}

fn millis_option(row: &Row<'_>, column: usize) -> Read<Option<Millis>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Millis))
}

fn text(row: &Row<'_>, column: usize) -> Read<Arc<str>> {
    Ok(Arc::from(row.get_ref(column)?.as_str()?))
}

fn text_option(row: &Row<'_>, column: usize) -> Read<Option<Arc<str>>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.map(Arc::from))
}

fn currency(row: &Row<'_>, column: usize) -> Read<Currency> {
    Currency::parse(row.get_ref(column)?.as_str()?).map_err(|_| impossible(column, "currency"))
}

pub(crate) fn tenant(row: &Row<'_>) -> Read<Tenant> {
    let clock = match (row.get(3)?, row.get(4)?) {
        (Some(offset_ms), None) => TenantClock::Running { offset_ms },
        (None, Some(at)) => TenantClock::Frozen { at: Millis(at) },
        _ => return Err(impossible(3, "clock")),
    };
    Ok(Tenant {
        id: TenantId::new(raw(row, 0)?),
        name: text(row, 1)?,
        mode: code(row, 2)?,
        clock,
        created_at: millis(row, 5)?,
    })
}

pub(crate) fn owner(row: &Row<'_>) -> Read<Owner> {
    Ok(Owner {
        id: OwnerId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        kind: code(row, 2)?,
        name: text(row, 3)?,
        created_at: millis(row, 4)?,
    })
}

pub(crate) fn account(row: &Row<'_>) -> Read<Account> {
    Ok(Account {
        id: AccountId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        owner: OwnerId::new(raw(row, 2)?),
        kind: code(row, 3)?,
        name: text(row, 4)?,
        description: text_option(row, 5)?,
        institution: text_option(row, 6)?,
        number_last_four: text_option(row, 7)?,
        routing_last_four: text_option(row, 8)?,
        currency: currency(row, 9)?,
        state: code(row, 10)?,
        can_be_source: row.get(11)?,
        can_be_destination: row.get(12)?,
        reported: Reported {
            balance: row.get(13)?,
            available: row.get(14)?,
            last_statement: row.get(15)?,
            next_payment_minimum: row.get(16)?,
            last_statement_date: text_option(row, 17)?,
            next_payment_due_date: text_option(row, 18)?,
            updated_at: millis_option(row, 19)?,
        },
        created_at: millis(row, 20)?,
        updated_at: millis(row, 21)?,
        balance: row.get(22)?,
        held: row.get(23)?,
        entries: raw(row, 24)?,
        profile: raw_option(row, 25)?.map(ProfileId::new),
        parent: raw_option(row, 26)?.map(AccountId::new),
        tag: text_option(row, 27)?,
        details: text_option(row, 28)?,
        reason: code_option(row, 29)?,
    })
}

pub(crate) fn transfer(row: &Row<'_>) -> Read<Transfer> {
    let rule = match (raw_option(row, 13)?, raw_option(row, 14)?) {
        (Some(rule), Some(execution)) => Some((RuleId::new(rule), ExecutionId::new(execution))),
        _ => None,
    };
    Ok(Transfer {
        id: TransferId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        owner: OwnerId::new(raw(row, 2)?),
        source: raw_option(row, 3)?.map(AccountId::new),
        destination: raw_option(row, 4)?.map(AccountId::new),
        amount: Amount::new(row.get(6)?, currency(row, 5)?).map_err(|_| impossible(6, "amount"))?,
        direction: code(row, 7)?,
        origin: code(row, 8)?,
        rail: code_option(row, 9)?,
        rail_delay_ms: row.get(10)?,
        status: code(row, 11)?,
        error: code_option(row, 12)?,
        rule,
        key: raw_option(row, 15)?.map(KeyId::new),
        description: text_option(row, 16)?,
        created_at: millis(row, 17)?,
        updated_at: millis(row, 18)?,
        completed_at: millis_option(row, 19)?,
        profile: raw_option(row, 20)?.map(ProfileId::new),
        tag: text_option(row, 21)?,
        scheduled_at: millis_option(row, 22)?,
        fee_minor: row.get(23)?,
        cancel_reason: text_option(row, 24)?,
        card: raw_option(row, 25)?.map(AccountId::new),
    })
}

/// The kind and the name of `account`.
pub(crate) fn party(row: &Row<'_>, account: AccountId) -> Read<Party> {
    Ok(Party {
        id: account,
        kind: code(row, 0)?,
        name: text(row, 1)?,
    })
}

pub(crate) fn owner_page(row: &Row<'_>) -> Read<Summary> {
    let executed_from: Option<i64> = row.get(6)?;
    Ok(Summary {
        count: raw(row, 1)?,
        first_id: raw(row, 2)?,
        last_id: raw(row, 3)?,
        created_ms: (row.get(4)?, row.get(5)?),
        executed_ms: executed_from.zip(row.get(7)?),
        statuses: row.get(8)?,
        marks: row.get(9)?,
    })
}

pub(crate) fn hold(row: &Row<'_>) -> Read<Hold> {
    Ok(Hold {
        id: HoldId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        account: AccountId::new(raw(row, 2)?),
        amount: Amount::new(row.get(4)?, currency(row, 3)?).map_err(|_| impossible(4, "amount"))?,
        created_at: millis(row, 5)?,
        expires_at: millis_option(row, 6)?,
    })
}

pub(crate) fn due(row: &Row<'_>) -> Read<Due> {
    let work = work_of(row.get(2)?, raw(row, 3)?).ok_or_else(|| impossible(2, "work"))?;
    Ok(Due {
        tenant: TenantId::new(raw(row, 0)?),
        at: millis(row, 1)?,
        work,
    })
}

pub(crate) fn key(row: &Row<'_>) -> Read<KeyRecord> {
    let permissions = codec::permissions_from_text(row.get_ref(5)?.as_str()?)
        .map_err(|_| impossible(5, "permissions"))?;
    Ok(KeyRecord {
        id: KeyId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        name: text(row, 2)?,
        hash: row.get(3)?,
        hint: text(row, 4)?,
        permissions,
        created_at: millis(row, 6)?,
        revoked_at: millis_option(row, 7)?,
    })
}

pub(crate) fn record(row: &Row<'_>) -> Read<Record> {
    Ok(Record {
        kind: code(row, 0)?,
        id: raw(row, 1)?,
        tenant: TenantId::new(raw(row, 2)?),
        owner: raw_option(row, 3)?.map(OwnerId::new),
        version: raw(row, 4)?,
        unique: row.get(5)?,
        body: text(row, 6)?,
        at: millis(row, 7)?,
    })
}

pub(crate) fn profile(row: &Row<'_>) -> Read<Profile> {
    let codes = row.get_ref(4)?.as_str()?.split_ascii_whitespace();
    let currencies = codes
        .map(|code| Currency::parse(code).map_err(|_| impossible(4, "currency")))
        .collect::<Read<_>>()?;
    let terms = codec::terms_from_bytes(row.get_ref(5)?.as_blob()?);
    Ok(Profile {
        id: ProfileId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        name: text(row, 2)?,
        active: row.get(3)?,
        currencies,
        terms: terms.map_err(|_| impossible(5, "terms"))?,
        created_at: millis(row, 6)?,
        updated_at: millis(row, 7)?,
    })
}

pub(crate) fn bulk(row: &Row<'_>) -> Read<Bulk> {
    let operations = codec::operations_from_bytes(row.get_ref(11)?.as_blob()?);
    Ok(Bulk {
        operations: operations.map_err(|_| impossible(11, "operations"))?,
        ..bulk_summary(row)?
    })
}

/// The bulk with no operations.
pub(crate) fn bulk_summary(row: &Row<'_>) -> Read<Bulk> {
    Ok(Bulk {
        id: BulkId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        owner: OwnerId::new(raw(row, 2)?),
        key: raw_option(row, 3)?.map(KeyId::new),
        operations: Arc::from([]),
        status: code(row, 4)?,
        mode: code_option(row, 5)?,
        succeeded: row.get(6)?,
        failed: row.get(7)?,
        created_at: millis(row, 8)?,
        started_at: millis_option(row, 9)?,
        finished_at: millis_option(row, 10)?,
    })
}

/// A bulk without its operations.
pub(crate) fn bulk_row(row: &Row<'_>) -> Read<BulkRow> {
    Ok(BulkRow {
        id: BulkId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        owner: OwnerId::new(raw(row, 2)?),
        key: raw_option(row, 3)?.map(KeyId::new),
        status: code(row, 4)?,
        mode: code_option(row, 5)?,
        succeeded: row.get(6)?,
        failed: row.get(7)?,
        created_at: millis(row, 8)?,
        started_at: millis_option(row, 9)?,
        finished_at: millis_option(row, 10)?,
        operations: row.get(11)?,
    })
}

/// An operation's index and what became of it.
pub(crate) fn bulk_operation(row: &Row<'_>) -> Read<(u32, OperationOutcome)> {
    let transfer = raw_option(row, 1)?.map(TransferId::new);
    let outcome = match (transfer, code_option(row, 2)?, code_option(row, 3)?) {
        (Some(transfer), Some(status), None) => OperationOutcome::Made(transfer, status),
        (None, None, Some(denial)) => OperationOutcome::Denied(denial),
        (None, None, None) => OperationOutcome::ProfileNotFound,
        _ => return Err(impossible(1, "outcome")),
    };
    Ok((row.get(0)?, outcome))
}
