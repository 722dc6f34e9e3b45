//! Transfers that have ended, kept in memory for lookups by id.
//!
//! A transfer that has ended never changes, so a kept row is never wrong, except for the names of
//! its two accounts. When an account is renamed, everything is forgotten, by counting up
//! `generation`: rows are kept under the generation they were read in and found in that one only.
//!
//! No reader gets an older name than it may. The indexer commits the rename to the views, then
//! counts up, then tells that the views have reached the rename. A reader that arrived after the
//! rename was answered waits for the last of these, and so sees the new generation, in which
//! nothing older is found. And nothing older is put there: whoever puts a row has loaded the
//! generation before its query began, so the query saw every rename counted until then; if one was
//! counted since, the row is not kept, or kept under a generation that nobody looks in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{TenantId, TransferId};

use crate::query::TransferRow;

/// Rows found under the same place.
const WAYS: usize = 8;
/// Places. With [`WAYS`] rows of some 450 bytes each that is at most 60 MB.
const PLACES: usize = 1 << 14;

/// See the module.
pub(crate) struct EndedTransfers {
    generation: AtomicU64,
    places: Box<[Mutex<Place>]>,
}

/// Rows of one generation; the oldest makes room.
#[derive(Default)]
struct Place {
    generation: u64,
    rows: Vec<TransferRow>,
    next: usize,
}

impl EndedTransfers {
    pub(crate) fn new() -> EndedTransfers {
        EndedTransfers {
            generation: AtomicU64::new(0),
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
        }
    }

    fn place(&self, id: TransferId) -> MutexGuard<'_, Place> {
        // Ids follow each other in steps of one or of many: mix before cutting.
        let hash = id.raw().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let place = &self.places[hash as usize % PLACES];
        place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be loaded before the query whose row is [`EndedTransfers::put`].
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The transfer, if it is kept.
    pub(crate) fn get(&self, tenant: TenantId, id: TransferId) -> Option<TransferRow> {
        let place = self.place(id);
        if place.generation != self.generation() {
            return None;
        }
        let found = place.rows.iter().find(|row| row.transfer.id == id);
        found.filter(|row| row.transfer.tenant == tenant).cloned()
    }

    /// Keeps a transfer that was read when the generation was `generation`, if it has ended.
    pub(crate) fn put(&self, generation: u64, row: &TransferRow) {
        let id = row.transfer.id;
        if !row.transfer.status.is_final() {
            return;
        }
        let mut place = self.place(id);
        if self.generation() != generation {
            return;
        }
        if place.generation != generation {
            place.rows.clear();
            place.generation = generation;
            place.next = 0;
        }
        if place.rows.iter().any(|kept| kept.transfer.id == id) {
            return;
        }
        if place.rows.len() < WAYS {
            place.rows.push(row.clone());
        } else {
            let oldest = place.next;
            place.rows[oldest] = row.clone();
            place.next = (oldest + 1) % WAYS;
        }
    }

    /// Forgets everything. To be called when the views show a new name, before anybody is told
    /// that they do.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
