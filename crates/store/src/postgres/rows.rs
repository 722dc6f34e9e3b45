//! Rows of the tables as the ledger's types. One column list and one reader for each table, shared
//! by the write path, reads and verification.
//!
//! Every list names its table by a letter of its own, so that tables can be joined: `n` tenants,
//! `o` owners, `a` accounts, `t` transfers, `e` entries, `h` holds, `d` due, `p` profiles, `b`
//! bulks, `x` operations of bulks, `u` rules, `c` counters of rules, `y` runs of rules, `k` API keys,
//! `r` records, `m` remembered.

mod rules;

use std::sync::Arc;

use ledger::account::Reported;
use ledger::{
    Account, AccountId, Amount, Bulk, BulkId, Currency, Due, ExecutionId, Hold, HoldId, KeyId,
    Millis, OperationOutcome, Owner, OwnerId, Party, Profile, ProfileId, RuleId, Tenant,
    TenantClock, TenantId, Transfer, TransferId,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::error::Damaged;
use super::sql::sql;
use crate::codec::{self, work_of};
use crate::codes::Code;
use crate::query::{BulkRow, EntryRow};
use crate::records::{KeyRecord, Record, Remembered};
pub(crate) use rules::{cap, copies_execution, copies_rule, execution, listening, rule};

type Read<T> = Result<T, Damaged>;

pub(crate) const TENANT: &str =
    "n.id, n.name, n.mode, n.clock_offset_ms, n.clock_frozen_ms, n.created_ms";
pub(crate) const OWNER: &str = "o.id, o.tenant, o.kind, o.name, o.created_ms";
pub(crate) const ACCOUNT: &str = "a.id, a.tenant, a.owner, a.kind, a.name, a.description, \
     a.institution, a.number_last_four, a.routing_last_four, a.currency, a.state, \
     a.can_be_source, a.can_be_destination, a.reported_balance, a.reported_available, \
     a.reported_last_statement, a.reported_next_payment_minimum, \
     a.reported_last_statement_date, a.reported_next_payment_due_date, a.reported_updated_ms, \
     a.created_ms, a.updated_ms, a.balance, a.held, a.entries, a.profile, a.parent, a.tag, \
     a.details, a.reason";
/// Columns of [`ACCOUNT`].
pub(crate) const ACCOUNT_LEN: usize = 30;
/// An account with what the next entry is chained to.
pub(crate) const STORED_ACCOUNT: &str = sql!(ACCOUNT, ", a.chain, a.entries_until_ms");
/// All that can change of an account, with what the next entry is chained to.
pub(crate) const CHANGING: &str = "a.id, a.name, a.state, a.updated_ms, a.balance, a.held, \
     a.entries, a.tag, a.details, a.reason, a.chain, a.entries_until_ms";
pub(crate) const TRANSFER: &str = "t.id, t.tenant, t.owner, t.source, t.destination, t.currency, \
     t.amount, t.direction, t.origin, t.rail, t.rail_delay_ms, t.status, t.error, t.rule, \
     t.execution, t.api_key, t.description, t.created_ms, t.updated_ms, t.completed_ms, \
     t.profile, t.tag, t.scheduled_ms, t.fee, t.cancel_reason, t.card";
/// Columns of [`TRANSFER`].
pub(crate) const TRANSFER_LEN: usize = 26;
pub(crate) const ENTRY: &str = "e.sequence, e.transfer, e.side, e.amount, e.balance_after, e.at_ms";
/// An entry with where it stands and what holds it there.
pub(crate) const STORED_ENTRY: &str = sql!(ENTRY, ", e.owner, e.account, e.until_ms, e.chain");
pub(crate) const PROFILE: &str =
    "p.id, p.tenant, p.name, p.active, p.currencies, p.terms, p.created_ms, p.updated_ms";
/// What lists say of a bulk.
pub(crate) const BULK_ROW: &str = "b.id, b.tenant, b.owner, b.api_key, b.status, b.mode, \
     b.succeeded, b.failed, b.created_ms, b.started_ms, b.finished_ms, b.submitted";
pub(crate) const BULK: &str = sql!(BULK_ROW, ", b.operations");
pub(crate) const BULK_OPERATION: &str = "x.operation, x.transfer, x.status, x.denial";
pub(crate) const HOLD: &str =
    "h.id, h.tenant, h.account, h.currency, h.amount, h.created_ms, h.expires_ms";
pub(crate) const DUE: &str = "d.tenant, d.at_ms, d.kind, d.object";
pub(crate) const KEY: &str =
    "k.id, k.tenant, k.name, k.hash, k.hint, k.permissions, k.created_ms, k.revoked_ms";
pub(crate) const RECORD: &str =
    "r.kind, r.id, r.tenant, r.owner, r.version, r.unique_key, r.body, r.at_ms";
pub(crate) const REMEMBERED: &str = "m.number, m.key, m.body, m.at_ms, m.request_id, m.reply";

pub(crate) const RULE: &str = "u.body, u.deleted_ms";
/// The columns beside a rule that are copies of what it says.
pub(crate) const RULE_COPIES: &str = "u.id, u.tenant, u.owner, u.account, u.listening, u.enabled";
pub(crate) const CAP: &str =
    "c.rule, c.step, c.action_group, c.period, c.since_day, c.used, c.owner";
pub(crate) const EXECUTION: &str = "y.body";
/// The columns beside a run that are copies of what it says.
pub(crate) const EXECUTION_COPIES: &str =
    "y.id, y.tenant, y.owner, y.rule, y.status, y.cause, y.mode, y.created_ms";

/// An account with what only the tables know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredAccount {
    pub account: Account,
    /// The hash of its newest entry; zeros before the first.
    pub chain: [u8; 32],
    /// The latest time of its entries; [`i64::MIN`] before the first.
    pub entries_until: Millis,
}

/// An entry with what only the tables know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredEntry {
    pub entry: EntryRow,
    pub owner: OwnerId,
    pub account: AccountId,
    /// Its own time or that of an entry before it, whichever is later.
    pub until: Millis,
    /// The hash of it and of the chain before it.
    pub chain: [u8; 32],
}

/// A row of either kind of connection.
pub(crate) trait Columns {
    /// The value in `column`.
    ///
    /// # Errors
    /// [`Damaged`].
    fn value<'a, T: FromSql<'a>>(&'a self, column: usize) -> Read<T>;
}

impl Columns for Row {
    fn value<'a, T: FromSql<'a>>(&'a self, column: usize) -> Read<T> {
        self.try_get(column)
            .map_err(|error| Damaged::new(column, super::error::chain(&error)))
    }
}

/// The value in `column`.
pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a impl Columns, column: usize) -> Read<T> {
    row.value(column)
}

pub(crate) fn raw(row: &impl Columns, column: usize) -> Read<u64> {
    get::<i64>(row, column).map(i64::cast_unsigned)
}

pub(crate) fn raw_option(row: &impl Columns, column: usize) -> Read<Option<u64>> {
    Ok(get::<Option<i64>>(row, column)?.map(i64::cast_unsigned))
}

fn count(row: &impl Columns, column: usize) -> Read<u32> {
    u32::try_from(get::<i64>(row, column)?).map_err(|_| Damaged::new(column, "count"))
}

fn code_of<T: Code>(column: usize, code: i64) -> Read<T> {
    let code = u8::try_from(code).ok().and_then(T::from_code);
    code.ok_or_else(|| Damaged::new(column, T::WHAT))
}

pub(crate) fn code<T: Code>(row: &impl Columns, column: usize) -> Read<T> {
    code_of(column, get(row, column)?)
}

pub(crate) fn code_option<T: Code>(row: &impl Columns, column: usize) -> Read<Option<T>> {
    get::<Option<i64>>(row, column)?
        .map(|code| code_of(column, code))
        .transpose()
}

pub(crate) fn millis(row: &impl Columns, column: usize) -> Read<Millis> {
    get(row, column).map(Millis)
}

pub(crate) fn millis_option(row: &impl Columns, column: usize) -> Read<Option<Millis>> {
    Ok(get::<Option<i64>>(row, column)?.map(Millis))
}

pub(crate) fn text(row: &impl Columns, column: usize) -> Read<Arc<str>> {
    get::<&str>(row, column).map(Arc::from)
}

fn text_option(row: &impl Columns, column: usize) -> Read<Option<Arc<str>>> {
    Ok(get::<Option<&str>>(row, column)?.map(Arc::from))
}

/// Bytes of a fixed number.
pub(crate) fn array<const N: usize>(row: &impl Columns, column: usize) -> Read<[u8; N]> {
    let bytes: &[u8] = get(row, column)?;
    bytes
        .try_into()
        .map_err(|_| Damaged::new(column, format!("{N} bytes")))
}

fn array_option<const N: usize>(row: &impl Columns, column: usize) -> Read<Option<[u8; N]>> {
    match get::<Option<&[u8]>>(row, column)? {
        Some(_) => array(row, column).map(Some),
        None => Ok(None),
    }
}

fn currency_of(column: usize, code: &str) -> Read<Currency> {
    Currency::parse(code).map_err(|_| Damaged::new(column, "currency"))
}

pub(crate) fn currency(row: &impl Columns, column: usize) -> Read<Currency> {
    currency_of(column, get(row, column)?)
}

/// Minor units in `column`, in the currency before it.
fn amount(row: &impl Columns, column: usize) -> Read<Amount> {
    let currency = currency(row, column.saturating_sub(1))?;
    Amount::new(get(row, column)?, currency).map_err(|_| Damaged::new(column, "amount"))
}

pub(crate) fn tenant(row: &impl Columns) -> Read<Tenant> {
    let clock = match (get(row, 3)?, millis_option(row, 4)?) {
        (Some(offset_ms), None) => TenantClock::Running { offset_ms },
        (None, Some(at)) => TenantClock::Frozen { at },
        _ => return Err(Damaged::new(3, "clock")),
    };
    Ok(Tenant {
        id: TenantId::new(raw(row, 0)?),
        name: text(row, 1)?,
        mode: code(row, 2)?,
        clock,
        created_at: millis(row, 5)?,
    })
}

pub(crate) fn owner(row: &impl Columns) -> Read<Owner> {
    Ok(Owner {
        id: OwnerId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        kind: code(row, 2)?,
        name: text(row, 3)?,
        created_at: millis(row, 4)?,
    })
}

pub(crate) fn account(row: &impl Columns) -> Read<Account> {
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
        can_be_source: get(row, 11)?,
        can_be_destination: get(row, 12)?,
        reported: Reported {
            balance: get(row, 13)?,
            available: get(row, 14)?,
            last_statement: get(row, 15)?,
            next_payment_minimum: get(row, 16)?,
            last_statement_date: text_option(row, 17)?,
            next_payment_due_date: text_option(row, 18)?,
            updated_at: millis_option(row, 19)?,
        },
        created_at: millis(row, 20)?,
        updated_at: millis(row, 21)?,
        balance: get(row, 22)?,
        held: get(row, 23)?,
        entries: raw(row, 24)?,
        profile: raw_option(row, 25)?.map(ProfileId::new),
        parent: raw_option(row, 26)?.map(AccountId::new),
        tag: text_option(row, 27)?,
        details: text_option(row, 28)?,
        reason: code_option(row, 29)?,
    })
}

/// A row of [`STORED_ACCOUNT`].
pub(crate) fn stored_account(row: &impl Columns) -> Read<StoredAccount> {
    Ok(StoredAccount {
        account: account(row)?,
        chain: array(row, ACCOUNT_LEN)?,
        entries_until: millis(row, ACCOUNT_LEN + 1)?,
    })
}

/// A row of [`CHANGING`], with the rest from when the account was loaded before.
pub(crate) fn changing(row: &impl Columns, constants: &Account) -> Read<StoredAccount> {
    Ok(StoredAccount {
        account: Account {
            name: text(row, 1)?,
            state: code(row, 2)?,
            updated_at: millis(row, 3)?,
            balance: get(row, 4)?,
            held: get(row, 5)?,
            entries: raw(row, 6)?,
            tag: text_option(row, 7)?,
            details: text_option(row, 8)?,
            reason: code_option(row, 9)?,
            ..constants.clone()
        },
        chain: array(row, 10)?,
        entries_until: millis(row, 11)?,
    })
}

pub(crate) fn transfer(row: &impl Columns) -> Read<Transfer> {
    let rule = match (raw_option(row, 13)?, raw_option(row, 14)?) {
        (Some(rule), Some(execution)) => Some((RuleId::new(rule), ExecutionId::new(execution))),
        (None, None) => None,
        _ => return Err(Damaged::new(13, "rule")),
    };
    Ok(Transfer {
        id: TransferId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        owner: OwnerId::new(raw(row, 2)?),
        source: raw_option(row, 3)?.map(AccountId::new),
        destination: raw_option(row, 4)?.map(AccountId::new),
        amount: amount(row, 6)?,
        direction: code(row, 7)?,
        origin: code(row, 8)?,
        rail: code_option(row, 9)?,
        rail_delay_ms: get(row, 10)?,
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
        fee_minor: get(row, 23)?,
        cancel_reason: text_option(row, 24)?,
        card: raw_option(row, 25)?.map(AccountId::new),
    })
}

/// `account` with its kind in `column` and its name in the one after.
pub(crate) fn party(row: &impl Columns, account: AccountId, column: usize) -> Read<Party> {
    Ok(Party {
        id: account,
        kind: code(row, column)?,
        name: text(row, column + 1)?,
    })
}

/// A row of [`ENTRY`].
pub(crate) fn entry(row: &impl Columns) -> Read<EntryRow> {
    Ok(EntryRow {
        sequence: raw(row, 0)?,
        transfer: TransferId::new(raw(row, 1)?),
        side: code(row, 2)?,
        amount_minor: get(row, 3)?,
        balance_after: get(row, 4)?,
        at: millis(row, 5)?,
    })
}

/// A row of [`STORED_ENTRY`].
pub(crate) fn stored_entry(row: &impl Columns) -> Read<StoredEntry> {
    Ok(StoredEntry {
        entry: entry(row)?,
        owner: OwnerId::new(raw(row, 6)?),
        account: AccountId::new(raw(row, 7)?),
        until: millis(row, 8)?,
        chain: array(row, 9)?,
    })
}

pub(crate) fn hold(row: &impl Columns) -> Read<Hold> {
    Ok(Hold {
        id: HoldId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        account: AccountId::new(raw(row, 2)?),
        amount: amount(row, 4)?,
        created_at: millis(row, 5)?,
        expires_at: millis_option(row, 6)?,
    })
}

pub(crate) fn due(row: &impl Columns) -> Read<Due> {
    let kind = u8::try_from(get::<i64>(row, 2)?).ok();
    let object = raw(row, 3)?;
    let work = kind.and_then(|kind| work_of(kind, object));
    Ok(Due {
        tenant: TenantId::new(raw(row, 0)?),
        at: millis(row, 1)?,
        work: work.ok_or_else(|| Damaged::new(2, "work"))?,
    })
}

pub(crate) fn key(row: &impl Columns) -> Read<KeyRecord> {
    let permissions = codec::permissions_from_text(get(row, 5)?);
    Ok(KeyRecord {
        id: KeyId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        name: text(row, 2)?,
        hash: array(row, 3)?,
        hint: text(row, 4)?,
        permissions: permissions.map_err(|_| Damaged::new(5, "permissions"))?,
        created_at: millis(row, 6)?,
        revoked_at: millis_option(row, 7)?,
    })
}

pub(crate) fn record(row: &impl Columns) -> Read<Record> {
    Ok(Record {
        kind: code(row, 0)?,
        id: raw(row, 1)?,
        tenant: TenantId::new(raw(row, 2)?),
        owner: raw_option(row, 3)?.map(OwnerId::new),
        version: raw(row, 4)?,
        unique: array_option(row, 5)?,
        body: text(row, 6)?,
        at: millis(row, 7)?,
    })
}

pub(crate) fn remembered(row: &impl Columns) -> Read<Remembered> {
    let at = millis(row, 3)?;
    let reply = codec::reply_from_bytes(get(row, 5)?, at);
    Ok(Remembered {
        number: raw(row, 0)?,
        key: array(row, 1)?,
        body: array(row, 2)?,
        at,
        request_id: text(row, 4)?,
        reply: reply.map_err(|_| Damaged::new(5, "reply"))?,
    })
}

pub(crate) fn profile(row: &impl Columns) -> Read<Profile> {
    let codes = get::<&str>(row, 4)?.split_ascii_whitespace();
    let currencies = codes.map(|code| currency_of(4, code)).collect::<Read<_>>();
    let terms = codec::terms_from_bytes(get(row, 5)?);
    Ok(Profile {
        id: ProfileId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        name: text(row, 2)?,
        active: get(row, 3)?,
        currencies: currencies?,
        terms: terms.map_err(|_| Damaged::new(5, "terms"))?,
        created_at: millis(row, 6)?,
        updated_at: millis(row, 7)?,
    })
}

/// A row of [`BULK`].
pub(crate) fn bulk(row: &impl Columns) -> Read<Bulk> {
    let operations = codec::operations_from_bytes(get(row, 12)?);
    let operations = operations.map_err(|_| Damaged::new(12, "operations"))?;
    let summary = bulk_row(row)?;
    if usize::try_from(summary.operations) != Ok(operations.len()) {
        return Err(Damaged::new(11, "number of operations"));
    }
    Ok(Bulk {
        id: summary.id,
        tenant: summary.tenant,
        owner: summary.owner,
        key: summary.key,
        operations,
        status: summary.status,
        mode: summary.mode,
        succeeded: summary.succeeded,
        failed: summary.failed,
        created_at: summary.created_at,
        started_at: summary.started_at,
        finished_at: summary.finished_at,
    })
}

/// A row of [`BULK_ROW`].
pub(crate) fn bulk_row(row: &impl Columns) -> Read<BulkRow> {
    Ok(BulkRow {
        id: BulkId::new(raw(row, 0)?),
        tenant: TenantId::new(raw(row, 1)?),
        owner: OwnerId::new(raw(row, 2)?),
        key: raw_option(row, 3)?.map(KeyId::new),
        status: code(row, 4)?,
        mode: code_option(row, 5)?,
        succeeded: count(row, 6)?,
        failed: count(row, 7)?,
        created_at: millis(row, 8)?,
        started_at: millis_option(row, 9)?,
        finished_at: millis_option(row, 10)?,
        operations: count(row, 11)?,
    })
}

/// An operation's index and what became of it.
pub(crate) fn bulk_operation(row: &impl Columns) -> Read<(u32, OperationOutcome)> {
    let transfer = raw_option(row, 1)?.map(TransferId::new);
    let outcome = match (transfer, code_option(row, 2)?, code_option(row, 3)?) {
        (Some(transfer), Some(status), None) => OperationOutcome::Made(transfer, status),
        (None, None, Some(denial)) => OperationOutcome::Denied(denial),
        (None, None, None) => OperationOutcome::ProfileNotFound,
        _ => return Err(Damaged::new(1, "outcome")),
    };
    Ok((count(row, 0)?, outcome))
}
