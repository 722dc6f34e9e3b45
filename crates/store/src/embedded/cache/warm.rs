//! Fills the memory for lookups after a start, from the newest transfer back, so that they are soon
//! as quick as they were before it.
//!
//! Beside everything else and without haste: nobody waits for it, and whatever is asked for
//! meanwhile is read as usual. Only what has ended is kept, which nothing changes any more.

use std::path::Path;
use std::time::Duration;

use ledger::Transfer;
use rusqlite::Connection;

use super::EndedTransfers;
use crate::embedded::{rows, views};

/// Transfers read at a time: some three milliseconds of work.
const STEP: usize = 1_024;
/// How long a step leaves the machine to others.
const PAUSE: Duration = Duration::from_millis(3);

/// Reads until memory is full, nothing is left, or the store is `closing`.
///
/// # Errors
/// When the views cannot be read. What was read stays.
pub(crate) fn warm(
    folder: &Path,
    ended: &EndedTransfers,
    closing: impl Fn() -> bool,
) -> rusqlite::Result<()> {
    let views = views::open_reader(folder)?;
    let mut before = i64::MAX;
    while !closing() {
        let transfers = step(&views, before)?;
        let kept = transfers.iter().filter(|one| ended.offer(one)).count();
        let Some(last) = transfers.last().filter(|_| transfers.len() == STEP) else {
            break;
        };
        // Places fill unevenly; when most are full it is enough.
        if kept < STEP / 2 {
            break;
        }
        before = last.id.raw().cast_signed();
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// The newest transfers before one.
fn step(views: &Connection, before: i64) -> rusqlite::Result<Vec<Transfer>> {
    let sql = format!(
        "SELECT {} FROM transfers t WHERE t.id < ?1 ORDER BY t.id DESC LIMIT {STEP}",
        rows::TRANSFER
    );
    let mut find = views.prepare_cached(&sql)?;
    let found = find.query_map([before], rows::transfer)?;
    found.collect()
}
