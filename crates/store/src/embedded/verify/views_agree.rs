//! The views against the journal, table by table.

use std::collections::HashMap;

use ledger::{AccountId, Millis};
use rusqlite::Connection;

use super::sums::{AccountSums, Sums, TransferFacts, record_digest, remembered_digest};
use super::{Replay, VerifyError, difference, unreadable};
use crate::embedded::{load, reads, rows};

/// Compares every table of the views with the journal up to the place they have reached.
pub(super) fn check(connection: &Connection, replay: &Replay) -> Result<(), VerifyError> {
    let (memory, _) = load::load(connection).map_err(unreadable)?;
    let state = &replay.state;
    for account in state.accounts() {
        match memory.state.account(account.id) {
            None => {
                return Err(difference(format!(
                    "account {} is not in the views",
                    account.id
                )));
            }
            Some(seen) if seen.balance != account.balance => {
                return Err(difference(format!(
                    "account {}: balance {} in the journal, {} in the views",
                    account.id, account.balance, seen.balance
                )));
            }
            Some(seen) if seen != account => {
                return Err(difference(format!(
                    "account {} differs in the views",
                    account.id
                )));
            }
            Some(_) => {}
        }
    }
    if memory.state.accounts().count() != state.accounts().count() {
        return Err(difference(
            "the views have accounts that the journal has not",
        ));
    }
    for transfer in state.open_transfers() {
        if memory.state.open_transfer(transfer.id) != Some(transfer) {
            return Err(difference(format!(
                "open transfer {} differs in the views",
                transfer.id
            )));
        }
    }
    for owner in state.owners() {
        if memory.state.owner(owner.id) != Some(owner) {
            let what = format!("owner {} differs in the views", owner.id);
            return Err(difference(what));
        }
    }
    for tenant in state.tenants() {
        if memory.state.tenant(tenant.id) != Some(tenant) {
            return Err(difference(format!(
                "tenant {} differs in the views",
                tenant.id
            )));
        }
        if let Some(due) = state
            .due_of(tenant.id)
            .find(|due| !memory.state.is_due(due))
        {
            return Err(difference(format!("work is not in the views: {due:?}")));
        }
    }
    if memory.state.due_len() != state.due_len() {
        return Err(difference(format!(
            "{} pieces of work wait in the journal, {} in the views",
            state.due_len(),
            memory.state.due_len()
        )));
    }
    for hold in state.holds() {
        if memory.state.hold(hold.id) != Some(hold) {
            return Err(difference(format!("hold {} differs in the views", hold.id)));
        }
    }
    if memory.state.holds().count() != state.holds().count() {
        return Err(difference("the views have holds that the journal has not"));
    }
    compare_transfers(connection, &replay.sums)?;
    compare_account_transfers(connection)?;
    compare_entries(connection, &replay.sums)?;
    replay.sums.programme.compare_views(connection)?;
    replay.sums.programme.compare_state(&memory.state)?;
    compare_keys(connection, &replay.sums)?;
    compare_remembered(connection, &replay.sums)?;
    compare_records(connection, &replay.sums)
}

fn compare_transfers(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = format!("SELECT {} FROM transfers t ORDER BY t.id", rows::TRANSFER);
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut found = 0;
    let transfers = statement
        .query_map([], rows::transfer)
        .map_err(unreadable)?;
    for transfer in transfers {
        let transfer = transfer.map_err(unreadable)?;
        let id = transfer.id;
        let Some(known) = sums.transfers.get(&id) else {
            return Err(difference(format!("transfer {id} is only in the views")));
        };
        let seen = TransferFacts::of(&transfer);
        if known.status != seen.status {
            return Err(difference(format!(
                "transfer {id}: {:?} in the journal, {:?} in the views",
                known.status, seen.status
            )));
        }
        if known.minor != seen.minor {
            return Err(difference(format!(
                "transfer {id}: {} in the journal, {} in the views",
                known.minor, seen.minor
            )));
        }
        if *known != seen {
            return Err(difference(format!("transfer {id} differs in the views")));
        }
        found += 1;
    }
    if found != sums.transfers.len() {
        let missing = sums.transfers.len() - found;
        let what = format!("{missing} transfers are not in the views");
        return Err(difference(what));
    }
    Ok(())
}

/// Each account's list says what the transfers say, and lists all of them.
fn compare_account_transfers(connection: &Connection) -> Result<(), VerifyError> {
    let astray = "SELECT x.account, x.transfer FROM account_transfers x \
                  LEFT JOIN transfers t ON t.id = x.transfer AND t.created_ms = x.created_ms \
                  AND t.status = x.status AND t.direction = x.direction AND t.origin = x.origin \
                  AND t.execution IS x.execution \
                  AND x.account = CASE x.role WHEN 1 THEN t.source WHEN 2 THEN t.destination END \
                  WHERE t.id IS NULL LIMIT 1";
    let mut statement = connection.prepare(astray).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    if let Some(row) = rows.next().map_err(unreadable)? {
        let account: i64 = row.get(0).map_err(unreadable)?;
        let transfer: i64 = row.get(1).map_err(unreadable)?;
        return Err(difference(format!(
            "account {account}: transfer {transfer} differs in the list of the views"
        )));
    }
    let missing = "SELECT (SELECT count(source) + count(destination) FROM transfers) \
                   - (SELECT count(*) FROM account_transfers)";
    let missing: i64 = connection
        .query_row(missing, [], |row| row.get(0))
        .map_err(unreadable)?;
    if missing != 0 {
        return Err(difference(format!(
            "accounts' lists in the views lack {missing} transfers"
        )));
    }
    Ok(())
}

/// The views' own entries must add up to the same balances, for the same transfers.
fn compare_entries(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = format!(
        "SELECT {}, account FROM entries ORDER BY account, sequence",
        rows::ENTRY
    );
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    let mut added: HashMap<AccountId, AccountSums> = HashMap::new();
    while let Some(row) = rows.next().map_err(unreadable)? {
        let entry = rows::entry(row).map_err(unreadable)?;
        let account: i64 = row.get(6).map_err(unreadable)?;
        let account = AccountId::new(account.cast_unsigned());
        let sum = added.entry(account).or_default();
        sum.add(entry.side, entry.amount_minor, entry.transfer, entry.at);
        if sum.balance != i128::from(entry.balance_after) || sum.entries != entry.sequence {
            return Err(difference(format!(
                "account {account}: entry {} of the views says {} after it, \
                 its entries add up to {}",
                entry.sequence, entry.balance_after, sum.balance
            )));
        }
    }
    if let Some(account) = added
        .keys()
        .find(|account| !sums.accounts.contains_key(account))
    {
        let what = format!("account {account}: its entries are only in the views");
        return Err(difference(what));
    }
    for (account, expected) in &sums.accounts {
        let seen = added.get(account).copied().unwrap_or_default();
        if (seen.balance, seen.entries) != (expected.balance, expected.entries) {
            return Err(difference(format!(
                "account {account}: {} entries adding up to {} in the journal, {} and {} in the views",
                expected.entries, expected.balance, seen.entries, seen.balance
            )));
        }
        if seen != *expected {
            let what = format!("account {account}: its entries differ in the views");
            return Err(difference(what));
        }
    }
    Ok(())
}

fn compare_keys(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let seen = reads::keys(connection, None).map_err(unreadable)?;
    if let Some(key) = seen.iter().find(|key| sums.keys.get(&key.id) != Some(key)) {
        return Err(difference(format!(
            "API key {} differs in the views",
            key.id
        )));
    }
    if seen.len() != sums.keys.len() {
        return Err(difference("API keys are missing in the views"));
    }
    Ok(())
}

fn compare_remembered(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = "SELECT number, key, body, at_ms, request_id, reply FROM remembered ORDER BY number";
    let mut statement = connection.prepare(sql).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    let mut found = 0;
    while let Some(row) = rows.next().map_err(unreadable)? {
        let read = || -> rusqlite::Result<(u64, u64)> {
            let key: [u8; 16] = row.get(1)?;
            let body: [u8; 16] = row.get(2)?;
            let at = Millis(row.get(3)?);
            let (request_id, reply) = (row.get_ref(4)?.as_str()?, row.get_ref(5)?.as_blob()?);
            let digest = remembered_digest(&key, &body, at, request_id, reply);
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), digest))
        };
        let (number, digest) = read().map_err(unreadable)?;
        if sums.remembered.get(&number) != Some(&digest) {
            return Err(difference(format!(
                "idempotency record {number} differs in the views"
            )));
        }
        found += 1;
    }
    if found != sums.remembered.len() {
        return Err(difference("idempotency records are missing in the views"));
    }
    Ok(())
}

fn compare_records(connection: &Connection, sums: &Sums) -> Result<(), VerifyError> {
    let sql = format!("SELECT {} FROM records", rows::RECORD);
    let mut statement = connection.prepare(&sql).map_err(unreadable)?;
    let mut found = 0;
    let records = statement.query_map([], rows::record).map_err(unreadable)?;
    for record in records {
        let record = record.map_err(unreadable)?;
        if sums.records.get(&(record.kind, record.id)) != Some(&record_digest(&record)) {
            return Err(difference(format!(
                "record {} ({}) differs in the views",
                record.id,
                record.kind.word()
            )));
        }
        found += 1;
    }
    if found != sums.records.len() {
        return Err(difference("records are missing in the views"));
    }
    Ok(())
}
