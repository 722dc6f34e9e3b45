//! What is kept in memory for lookups of transfers by id.
//!
//! A transfer that has ended never changes, so one that is kept is never wrong. What its accounts
//! are called may change, and is kept apart: see [`parties`].

mod parties;
mod warm;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{TenantId, Transfer, TransferId};

use crate::codec;
pub(crate) use parties::Parties;
pub(crate) use warm::warm;

/// See the module.
pub(crate) struct Kept {
    pub ended: EndedTransfers,
    /// The indexer makes it forget.
    pub parties: Parties,
}

impl Kept {
    pub(crate) fn new() -> Kept {
        Kept {
            ended: EndedTransfers::new(),
            parties: Parties::new(),
        }
    }
}

/// Places, each with a lock of its own.
const PLACES: usize = 1 << 15;
/// Bytes kept in one place; in all places together 64 MiB, enough for some 500,000 transfers.
const PLACE_BYTES: usize = 2 << 10;
/// Bytes that a transfer takes besides its own: its id, and where it is.
const OVERHEAD: usize = 32;

/// The place of an id among `places`. Ids follow each other in steps of one or of many, so they are
/// mixed before they are cut.
fn place_of(id: u64, places: usize) -> usize {
    let hash = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    hash as usize % places
}

/// Transfers that have ended.
pub(crate) struct EndedTransfers {
    places: Box<[Mutex<Place>]>,
}

/// The oldest make room.
#[derive(Default)]
struct Place {
    bytes: usize,
    /// The ids of `transfers`, beside each other for looking through.
    ids: VecDeque<TransferId>,
    transfers: VecDeque<Box<[u8]>>,
}

impl Place {
    fn find(&self, id: TransferId) -> Option<&[u8]> {
        let index = self.ids.iter().position(|kept| *kept == id)?;
        self.transfers.get(index).map(|transfer| &**transfer)
    }

    fn has_room_for(&self, transfer: &[u8]) -> bool {
        self.bytes + transfer.len() + OVERHEAD <= PLACE_BYTES
    }

    fn push(&mut self, id: TransferId, transfer: Box<[u8]>) {
        self.bytes += transfer.len() + OVERHEAD;
        self.ids.push_back(id);
        self.transfers.push_back(transfer);
        while self.bytes > PLACE_BYTES {
            self.ids.pop_front();
            let gone = self.transfers.pop_front();
            self.bytes -= gone.map_or(0, |transfer| transfer.len()) + OVERHEAD;
        }
    }
}

impl EndedTransfers {
    pub(crate) fn new() -> EndedTransfers {
        EndedTransfers {
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
        }
    }

    fn place(&self, id: TransferId) -> MutexGuard<'_, Place> {
        let place = &self.places[place_of(id.raw(), PLACES)];
        place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transfer, if it is kept.
    pub(crate) fn get(&self, tenant: TenantId, id: TransferId) -> Option<Transfer> {
        // What was encoded here can be decoded; if it could not, it is read from the views again.
        let transfer = codec::transfer_from_bytes(self.place(id).find(id)?).ok()?;
        (transfer.tenant == tenant).then_some(transfer)
    }

    /// Keeps a transfer that has ended if nothing must make room for it. False when there is none.
    fn offer(&self, transfer: &Transfer) -> bool {
        if !transfer.status.is_final() {
            return true;
        }
        let bytes = codec::transfer_to_bytes(transfer);
        let mut place = self.place(transfer.id);
        let is_kept = place.find(transfer.id).is_some();
        let has_room = is_kept || place.has_room_for(&bytes);
        if !is_kept && has_room {
            place.push(transfer.id, bytes);
        }
        has_room
    }

    /// Keeps a transfer, if it has ended. The oldest of its place make room.
    pub(crate) fn put(&self, transfer: &Transfer) {
        if !transfer.status.is_final() {
            return;
        }
        let bytes = codec::transfer_to_bytes(transfer);
        let mut place = self.place(transfer.id);
        if place.find(transfer.id).is_none() {
            place.push(transfer.id, bytes);
        }
    }
}

#[cfg(test)]
mod tests;
