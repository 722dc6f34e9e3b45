//! The tables of the ledger, of API keys, records and idempotency keys against what was committed.

use std::collections::HashMap;

use ledger::{
    Account, AccountId, AccountKind, Currency, Due, KeyId, OwnerId, State, TransferId, Work,
};

use super::entries::Added;
use super::expected::Expected;
use super::snapshot::{Snapshot, Wrong, differs};
use crate::codec;
use crate::postgres::due::lane_of;
use crate::postgres::facts::SystemAccount;
use crate::postgres::rows::{self, StoredAccount};
use crate::postgres::sql::sql;
use crate::postgres::system;
use crate::records::RecordKind;
use crate::verify::{
    Replay, TransferFacts, VerifyError, difference, record_digest, remembered_digest,
};

const TENANTS: &str = sql!("SELECT ", rows::TENANT, " FROM tenants n");
const OWNERS: &str = sql!("SELECT ", rows::OWNER, ", o.system_accounts FROM owners o");
const ACCOUNTS: &str = sql!("SELECT ", rows::STORED_ACCOUNT, " FROM accounts a");
const TRANSFERS: &str = sql!(
    "SELECT ",
    rows::TRANSFER,
    ", t.between_instruments FROM transfers t"
);
const HOLDS: &str = sql!("SELECT ", rows::HOLD, ", h.owner FROM holds h");
const DUE: &str = sql!("SELECT ", rows::DUE, ", d.owner, d.lane FROM due d");
const KEYS: &str = sql!("SELECT ", rows::KEY, " FROM api_keys k");
const RECORDS: &str = sql!("SELECT ", rows::RECORD, " FROM records r");
const REMEMBERED: &str = sql!("SELECT ", rows::REMEMBERED, " FROM remembered m");

/// Compares every table but those of entries and of programmes.
pub(super) async fn compare(
    snapshot: &Snapshot,
    replay: &mut Replay,
    entries: &HashMap<AccountId, Added>,
) -> Result<(), VerifyError> {
    tenants_and_owners(snapshot, &replay.state).await?;
    accounts(snapshot, &replay.state, entries).await?;
    let facts = std::mem::take(&mut replay.sums.transfers);
    transfers(snapshot, &replay.state, facts).await?;
    holds(snapshot, &replay.state).await?;
    due(snapshot, &replay.state).await?;
    keys_and_records(snapshot, replay).await?;
    remembered(snapshot, std::mem::take(&mut replay.sums.remembered)).await
}

async fn tenants_and_owners(snapshot: &Snapshot, state: &State) -> Result<(), VerifyError> {
    let tenants = state.tenants().map(|tenant| (tenant.id, tenant));
    let mut tenants = Expected::new(|id| format!("tenant {id}"), tenants);
    snapshot
        .each("tenants", TENANTS, |row| {
            let row = rows::tenant(row)?;
            tenants.same(&row.id, &&row)
        })
        .await?;
    tenants.end()?;
    let mut systems: HashMap<OwnerId, Vec<SystemAccount>> = HashMap::new();
    for account in state.accounts() {
        if let AccountKind::System(kind) = account.kind {
            let system = (kind, account.currency, account.id);
            systems.entry(account.owner).or_default().push(system);
        }
    }
    let owners = state.owners().map(|owner| (owner.id, owner));
    let mut owners = Expected::new(|id| format!("owner {id}"), owners);
    snapshot
        .each("owners", OWNERS, |row| {
            let listed = system::from_text(rows::get(row, 5)?);
            let row = rows::owner(row)?;
            owners.same(&row.id, &&row)?;
            let mut expected = systems.remove(&row.id).unwrap_or_default();
            let by_id = |(_, _, id): &SystemAccount| *id;
            expected.sort_by_key(by_id);
            let listed = listed.map(|mut listed| {
                listed.sort_by_key(by_id);
                listed
            });
            if listed == Some(expected) {
                return Ok(());
            }
            differs(format!(
                "owner {}: its system accounts differ in the tables",
                row.id
            ))
        })
        .await?;
    owners.end()
}

/// Accounts, what their entries come to, and that each owner's add up to zero.
async fn accounts(
    snapshot: &Snapshot,
    state: &State,
    entries: &HashMap<AccountId, Added>,
) -> Result<(), VerifyError> {
    let accounts = state.accounts().map(|account| (account.id, account));
    let mut accounts = Expected::new(|id| format!("account {id}"), accounts);
    let mut totals: HashMap<(OwnerId, Currency), i128> = HashMap::new();
    snapshot
        .each("accounts", ACCOUNTS, |row| {
            let row = rows::stored_account(row)?;
            let id = row.account.id;
            let expected = accounts.tick(&id)?;
            account(expected, &row, entries.get(&id))?;
            let total = totals.entry((row.account.owner, row.account.currency));
            *total.or_default() += i128::from(row.account.balance);
            Ok(())
        })
        .await?;
    accounts.end()?;
    let wrong = totals.iter().find(|(_, total)| **total != 0);
    wrong.map_or(Ok(()), |((owner, currency), total)| {
        Err(difference(format!(
            "owner {owner}: its accounts in {} add up to {total}, not to 0",
            currency.code()
        )))
    })
}

fn account(expected: &Account, row: &StoredAccount, entries: Option<&Added>) -> Result<(), Wrong> {
    let (id, seen) = (expected.id, &row.account);
    if seen.balance != expected.balance {
        return differs(format!(
            "account {id}: balance {} in the commits, {} in the tables",
            expected.balance, seen.balance
        ));
    }
    if seen != expected {
        return differs(format!("account {id} differs in the tables"));
    }
    let entries = entries.copied().unwrap_or_default();
    if row.chain != entries.chain {
        let what = format!("account {id}: the end of its chain differs from its entries");
        return differs(what);
    }
    if row.entries_until.0 != entries.until {
        let what = format!("account {id}: the time of its last entry differs from its entries");
        return differs(what);
    }
    Ok(())
}

async fn transfers(
    snapshot: &Snapshot,
    state: &State,
    facts: HashMap<TransferId, TransferFacts>,
) -> Result<(), VerifyError> {
    let mut transfers = Expected::new(|id| format!("transfer {id}"), facts);
    snapshot
        .each("transfers", TRANSFERS, |row| {
            let between_instruments: bool = rows::get(row, rows::TRANSFER_LEN)?;
            let row = rows::transfer(row)?;
            let (id, seen) = (row.id, TransferFacts::of(&row));
            let known = transfers.tick(&id)?;
            if known.status != seen.status {
                return differs(format!(
                    "transfer {id}: {:?} in the commits, {:?} in the tables",
                    known.status, seen.status
                ));
            }
            if known.minor != seen.minor {
                return differs(format!(
                    "transfer {id}: {} in the commits, {} in the tables",
                    known.minor, seen.minor
                ));
            }
            let is_instrument = |account: Option<AccountId>| {
                let account = account.and_then(|id| state.account(id));
                account.is_some_and(|account| account.kind.instrument().is_some())
            };
            let is_between = is_instrument(row.source) && is_instrument(row.destination);
            let open = state.open_transfer(id);
            let is_open_as_seen = open.is_none_or(|open| *open == row);
            if known != seen || !is_open_as_seen || between_instruments != is_between {
                return Err(transfers.differs(&id));
            }
            Ok(())
        })
        .await?;
    transfers.end()
}

async fn holds(snapshot: &Snapshot, state: &State) -> Result<(), VerifyError> {
    let holds = state.holds().map(|hold| (hold.id, *hold));
    let mut holds = Expected::new(|id| format!("hold {id}"), holds);
    snapshot
        .each("holds", HOLDS, |row| {
            let owner = OwnerId::new(rows::raw(row, 7)?);
            let row = rows::hold(row)?;
            let account = state.account(row.account);
            let expected = holds.tick(&row.id)?;
            if expected != row || account.is_none_or(|account| account.owner != owner) {
                return Err(holds.differs(&row.id));
            }
            Ok(())
        })
        .await?;
    holds.end()
}

/// Whose work it is.
fn owner_of(state: &State, work: Work) -> Option<OwnerId> {
    match work {
        Work::Settle(transfer) => Some(state.open_transfer(transfer)?.owner),
        Work::ExpireHold(hold) => Some(state.account(state.hold(hold)?.account)?.owner),
        Work::RunBulk(bulk) => Some(state.bulk(bulk)?.owner),
        Work::RunRule(rule) => Some(state.rule(rule)?.owner),
        Work::RunExecution(execution) => Some(state.execution(execution)?.owner),
    }
}

async fn due(snapshot: &Snapshot, state: &State) -> Result<(), VerifyError> {
    let tenants = state.tenants();
    let due = tenants.flat_map(|tenant| state.due_of(tenant.id).map(|due| (*due, ())));
    let mut due = Expected::new(|due: &Due| format!("work {due:?}"), due);
    snapshot
        .each("due", DUE, |row| {
            let (owner, lane) = (OwnerId::new(rows::raw(row, 4)?), rows::get::<i64>(row, 5)?);
            let row = rows::due(row)?;
            due.tick(&row)?;
            if owner_of(state, row.work) != Some(owner) || lane != lane_of(owner) {
                return Err(due.differs(&row));
            }
            Ok(())
        })
        .await?;
    due.end()
}

async fn keys_and_records(snapshot: &Snapshot, replay: &mut Replay) -> Result<(), VerifyError> {
    let keys = std::mem::take(&mut replay.sums.keys);
    let mut keys = Expected::new(|id: &KeyId| format!("API key {id}"), keys);
    snapshot
        .each("api_keys", KEYS, |row| {
            let row = rows::key(row)?;
            keys.same(&row.id, &row)
        })
        .await?;
    keys.end()?;
    let name = |(kind, id): &(RecordKind, u64)| format!("record {id} ({})", kind.word());
    let records = std::mem::take(&mut replay.sums.records);
    let mut records = Expected::new(name, records);
    snapshot
        .each("records", RECORDS, |row| {
            let row = rows::record(row)?;
            records.same(&(row.kind, row.id), &record_digest(&row))
        })
        .await?;
    records.end()
}

async fn remembered(snapshot: &Snapshot, digests: HashMap<u64, u64>) -> Result<(), VerifyError> {
    let name = |number: &u64| format!("idempotency record {number}");
    let mut remembered = Expected::new(name, digests);
    snapshot
        .each("remembered", REMEMBERED, |row| {
            // Its answer has only one form as bytes.
            let row = rows::remembered(row)?;
            let reply = codec::reply_to_bytes(&row.reply, row.at);
            let digest = remembered_digest(&row.key, &row.body, row.at, &row.request_id, &reply);
            remembered.same(&row.number, &digest)
        })
        .await?;
    remembered.end()
}
