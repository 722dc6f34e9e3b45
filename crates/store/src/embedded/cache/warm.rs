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

#[cfg(test)]
mod tests {
    use ledger::{TenantId, TransferId};

    use super::*;

    /// Transfers from 1 on, every fifth of them still processing.
    fn folder_with(transfers: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let views = views::open(folder.path()).expect("new views");
        let sql = format!(
            "WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < {transfers}) \
             INSERT INTO transfers (id, tenant, owner, currency, amount, direction, origin, \
             rail_delay_ms, status, created_ms, updated_ms, fee) \
             SELECT id, 1, 1, 'USD', 1, 3, 6, 0, iif(id % 5 = 0, 3, 5), 0, 0, 0 FROM ids"
        );
        views.execute_batch(&sql).expect("a valid statement");
        folder
    }

    fn kept(ended: &EndedTransfers, transfers: usize) -> Vec<usize> {
        let is_kept = |id: &usize| {
            let id = TransferId::new(*id as u64);
            ended.get(TenantId::new(1), id).is_some()
        };
        (1..=transfers).filter(is_kept).collect()
    }

    #[test]
    fn everything_that_has_ended_is_read_step_by_step() {
        for transfers in [1, STEP - 1, STEP, STEP + 1, 3 * STEP + 7] {
            let folder = folder_with(transfers);
            let ended = EndedTransfers::new();
            warm(folder.path(), &ended, || false).expect("views that can be read");
            let expected: Vec<usize> = (1..=transfers).filter(|id| id % 5 != 0).collect();
            assert_eq!(kept(&ended, transfers), expected);
        }
    }

    #[test]
    fn the_newest_come_first_and_the_end_of_the_store_ends_it() {
        let folder = folder_with(3 * STEP);
        let ended = EndedTransfers::new();
        let steps = std::cell::Cell::new(0);
        let closing = || steps.replace(steps.get() + 1) == 1;
        warm(folder.path(), &ended, closing).expect("views that can be read");
        let kept = kept(&ended, 3 * STEP);
        assert!(kept.iter().all(|id| *id > 2 * STEP) && !kept.is_empty());
    }
}
