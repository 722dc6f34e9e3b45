//! The state at the place the views have reached, read from them at start-up.

use std::collections::HashMap;

use ledger::{Inconsistency, State};
use rusqlite::Connection;

use super::views::{self, Progress};
use super::{reads, remembered_page, rows};
use crate::codes::{Code, Listed};
use crate::records::{Fingerprint, RecordKind};
use crate::shelf::Shelf;

/// Everything the writer needs to go on from a place in the journal.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub state: State,
    /// Which idempotency key was used by which remembered answer. About 30 bytes a key: this, not
    /// transfers, is what grows with history, so that a retry however late is recognised.
    pub remembered: HashMap<Fingerprint, u64, FingerprintHasher>,
    pub last_remembered: u64,
    pub shelf: Shelf,
    /// The machine's time of the last commit.
    pub last_at_ms: i64,
}

/// Fingerprints are uniform already: their first bytes are their hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct FingerprintHasher(u64);

impl std::hash::BuildHasher for FingerprintHasher {
    type Hasher = FingerprintHasher;

    fn build_hasher(&self) -> FingerprintHasher {
        FingerprintHasher(0)
    }
}

impl std::hash::Hasher for FingerprintHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

/// Why the views could not be loaded: they are to be filled again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Inconsistent(#[from] Inconsistency),
    #[error("{0}")]
    Records(&'static str),
}

/// Reads the state and how far it goes.
pub(crate) fn load(connection: &Connection) -> Result<(Memory, Progress), LoadError> {
    let progress = views::progress(connection)?;
    let mut memory = Memory {
        last_remembered: progress.last_remembered,
        last_at_ms: progress.last_at_ms,
        ..Memory::default()
    };
    let state = &mut memory.state;
    each(
        connection,
        &format!("SELECT {} FROM tenants ORDER BY id", rows::TENANT),
        |row| Ok(state.restore_tenant(rows::tenant(row)?)?),
    )?;
    each(
        connection,
        &format!("SELECT {} FROM owners ORDER BY id", rows::OWNER),
        |row| Ok(state.apply(&ledger::Effect::OwnerCreated(rows::owner(row)?))?),
    )?;
    each(
        connection,
        &format!("SELECT {} FROM accounts a", rows::ACCOUNT),
        |row| Ok(state.restore_account(rows::account(row)?)?),
    )?;
    let find = format!("SELECT {} FROM transfers t WHERE t.id = ?1", rows::TRANSFER);
    let mut find = connection.prepare(&find)?;
    for id in reads::open_transfers(connection, None)? {
        let transfer = find.query_row([id.raw().cast_signed()], rows::transfer)?;
        state.restore_open_transfer(transfer)?;
    }
    each(
        connection,
        &format!("SELECT {} FROM holds", rows::HOLD),
        |row| Ok(state.restore_hold(rows::hold(row)?)?),
    )?;
    each(
        connection,
        &format!("SELECT {} FROM due", rows::DUE),
        |row| Ok(state.restore_due(rows::due(row)?)?),
    )?;
    each(
        connection,
        &format!("SELECT {} FROM profiles", rows::PROFILE),
        |row| Ok(state.apply(&ledger::Effect::ProfileSet(rows::profile(row)?))?),
    )?;
    each(
        connection,
        &format!("SELECT {} FROM bulks WHERE status IN (1, 2, 3)", rows::BULK),
        |row| Ok(state.restore_bulk(rows::bulk(row)?)?),
    )?;
    load_rules(connection, state)?;
    state.observe_id(progress.last_id);
    let remembered = &mut memory.remembered;
    remembered.reserve(usize::try_from(progress.last_remembered).unwrap_or(0));
    each(
        connection,
        "SELECT page, keys FROM remembered_pages",
        |row| {
            let page = row.get::<_, i64>(0)?.cast_unsigned();
            let keys = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let keys =
                remembered_page::keys(page, keys).map_err(|error| rows::damaged(1, error))?;
            remembered.extend(keys.map(|(number, key)| (key, number)));
            Ok(())
        },
    )?;
    let shelf = &mut memory.shelf;
    let kept = RecordKind::ALL.iter().filter(|kind| !kind.is_log());
    let kept: Vec<String> = kept.map(|kind| kind.code().to_string()).collect();
    let columns = rows::RECORD;
    let sql = format!(
        "SELECT {columns} FROM records WHERE kind IN ({})",
        kept.join(", ")
    );
    each(connection, &sql, |row| {
        let record = rows::record(row)?;
        shelf.restore(&record).map_err(LoadError::Records)
    })?;
    Ok((memory, progress))
}

fn load_rules(connection: &Connection, state: &mut State) -> Result<(), LoadError> {
    let sql = format!("SELECT {} FROM rules WHERE deleted_ms IS NULL", rows::RULE);
    each(connection, &sql, |row| {
        Ok(state.restore_rule(&rows::rule(row)?.rule)?)
    })?;
    let sql = format!("SELECT {} FROM rule_caps", rows::CAP);
    each(connection, &sql, |row| {
        let ((rule, step, group), used) = rows::cap(row)?;
        Ok(state.restore_cap(rule, (step, group), used)?)
    })?;
    let sql = format!(
        "SELECT {} FROM executions INDEXED BY executions_open WHERE status = 1",
        rows::EXECUTION
    );
    each(connection, &sql, |row| {
        Ok(state.restore_execution(rows::execution(row)?)?)
    })
}

fn each(
    connection: &Connection,
    sql: &str,
    mut row: impl FnMut(&rusqlite::Row<'_>) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(next) = rows.next()? {
        row(next)?;
    }
    Ok(())
}
