//! The views against the journal, table by table.

use rusqlite::Connection;

use super::{Replay, VerifyError, difference, pages, programme, rules, unreadable};
use crate::embedded::{load, reads, rows};
use crate::verify::{Sums, TransferFacts, record_digest};

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
    pages::check(connection, replay)?;
    programme::check(connection, &replay.sums.programme)?;
    replay.sums.programme.compare_state(&memory.state)?;
    rules::check(connection, &replay.sums.rules)?;
    replay.sums.rules.compare_state(&memory.state)?;
    compare_keys(connection, &replay.sums)?;
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
