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

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{TenantId, TransferId};

use crate::codec;
use crate::query::TransferRow;

/// Places, each with a lock of its own.
const PLACES: usize = 1 << 15;
/// Bytes kept in one place; in all places together 64 MiB, enough for some 400,000 transfers.
const PLACE_BYTES: usize = 2 << 10;
/// Bytes that a row takes besides its own: its id, and where it is.
const ROW_OVERHEAD: usize = 32;

/// See the module.
pub(crate) struct EndedTransfers {
    generation: AtomicU64,
    places: Box<[Mutex<Place>]>,
}

/// Rows of one generation; the oldest make room.
#[derive(Default)]
struct Place {
    generation: u64,
    bytes: usize,
    /// The ids of `rows`, beside each other for looking through.
    ids: VecDeque<TransferId>,
    rows: VecDeque<Box<[u8]>>,
}

impl Place {
    fn clear(&mut self, generation: u64) {
        self.generation = generation;
        self.bytes = 0;
        self.ids.clear();
        self.rows.clear();
    }

    fn find(&self, id: TransferId) -> Option<&[u8]> {
        let index = self.ids.iter().position(|kept| *kept == id)?;
        self.rows.get(index).map(|row| &**row)
    }

    fn push(&mut self, id: TransferId, row: Box<[u8]>) {
        self.bytes += row.len() + ROW_OVERHEAD;
        self.ids.push_back(id);
        self.rows.push_back(row);
        while self.bytes > PLACE_BYTES {
            self.ids.pop_front();
            let gone = self.rows.pop_front().map_or(0, |row| row.len());
            self.bytes -= gone + ROW_OVERHEAD;
        }
    }
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
        // What was encoded here can be decoded; if it could not, it is read from the views again.
        let row = codec::row_from_bytes(place.find(id)?).ok()?;
        (row.transfer.tenant == tenant).then_some(row)
    }

    /// Keeps a transfer that was read when the generation was `generation`, if it has ended.
    pub(crate) fn put(&self, generation: u64, row: &TransferRow) {
        let id = row.transfer.id;
        if !row.transfer.status.is_final() {
            return;
        }
        let bytes = codec::row_to_bytes(row);
        let mut place = self.place(id);
        if self.generation() != generation {
            return;
        }
        if place.generation != generation {
            place.clear(generation);
        }
        if place.find(id).is_none() {
            place.push(id, bytes);
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
