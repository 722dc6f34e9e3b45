//! The due work that comes and goes in a run.
//!
//! The same work can go and come within one run: a transfer over a rail without delay is settled
//! by work equal to the work that submitted it.

use ledger::Due;

use crate::words::WordMap;

/// What happens to a row of due work.
struct DueRow {
    /// Whether it was there before this run.
    seen: bool,
    /// Whether it waits after what was noted so far.
    waiting: bool,
}

/// Work that is not as it was before.
#[derive(Default)]
pub(crate) struct DueRows(WordMap<Due, DueRow>);

impl DueRows {
    pub(crate) fn add(&mut self, due: Due) {
        let row = self.0.entry(due).or_insert(DueRow {
            seen: false,
            waiting: true,
        });
        row.waiting = true;
    }

    pub(crate) fn remove(&mut self, due: &Due) {
        match self.0.get_mut(due) {
            // Added and removed within one run: nobody sees it.
            Some(row) if !row.seen => {
                self.0.remove(due);
            }
            Some(row) => row.waiting = false,
            None => {
                let row = DueRow {
                    seen: true,
                    waiting: false,
                };
                self.0.insert(*due, row);
            }
        }
    }

    /// All of it in order, each with whether it waits.
    pub(crate) fn sorted(&self) -> Vec<(Due, bool)> {
        let rows = self.0.iter().map(|(due, row)| (*due, row.waiting));
        let mut rows: Vec<(Due, bool)> = rows.collect();
        rows.sort_unstable();
        rows
    }
}
