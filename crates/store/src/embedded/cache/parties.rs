//! What accounts are called, kept in memory for lookups of transfers.
//!
//! When an account is renamed, everything is forgotten, by counting up `generation`: names are kept
//! under the generation they were read in and found in that one only.
//!
//! No reader gets an older name than it may. The indexer commits the rename to the views, then
//! counts up, then tells that the views have reached the rename. A reader that arrived after the
//! rename was answered waits for the last of these, and so sees the new generation, in which
//! nothing older is found. And nothing older is put there: whoever puts a name has loaded the
//! generation before its query began, so the query saw every rename counted until then; if one was
//! counted since, the name is not kept, or kept under a generation that nobody looks in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{AccountId, Party, TenantId};

use super::place_of;

/// Places, each with a lock of its own.
const PLACES: usize = 64;
/// Accounts kept in one place; when it is full, it begins anew. In all places together 65,536.
const PLACE_MAX: usize = 1 << 10;

/// See the module.
pub(crate) struct Parties {
    generation: AtomicU64,
    places: Box<[Mutex<Place>]>,
}

/// Accounts of one generation, each with its tenant.
#[derive(Default)]
struct Place {
    generation: u64,
    parties: HashMap<AccountId, (TenantId, Party)>,
}

impl Parties {
    pub(crate) fn new() -> Parties {
        Parties {
            generation: AtomicU64::new(0),
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
        }
    }

    fn place(&self, id: AccountId) -> MutexGuard<'_, Place> {
        let place = &self.places[place_of(id.raw(), PLACES)];
        place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be loaded before the query whose names are [`Parties::put`].
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The tenant's account, if it is kept.
    pub(crate) fn get(&self, tenant: TenantId, id: AccountId) -> Option<Party> {
        let place = self.place(id);
        if place.generation != self.generation() {
            return None;
        }
        let (of, party) = place.parties.get(&id)?;
        (*of == tenant).then(|| party.clone())
    }

    /// Keeps an account that was read when the generation was `generation`.
    pub(crate) fn put(&self, generation: u64, tenant: TenantId, party: &Party) {
        let mut place = self.place(party.id);
        if self.generation() != generation {
            return;
        }
        if place.generation != generation || place.parties.len() >= PLACE_MAX {
            place.generation = generation;
            place.parties.clear();
        }
        place.parties.insert(party.id, (tenant, party.clone()));
    }

    /// Forgets everything. To be called when the views show a new name, before anybody is told
    /// that they do.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
