//! The transfers of a run: those recorded in it, and older ones that changed in it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ledger::{Transfer, TransferId};

/// Transfers as they are after what was noted so far.
#[derive(Default)]
pub(crate) struct Transfers {
    /// Recorded in this run, in the order of their ids.
    ///
    /// That is the order they come in, but for histories of several servers: a server takes the
    /// time of a group's ids before it waits for another one's to end.
    recorded: Vec<Transfer>,
    /// Their ids, apart from them: a search touches less memory.
    ids: Vec<TransferId>,
    /// Older ones.
    changed: BTreeMap<TransferId, Transfer>,
}

impl Transfers {
    pub(crate) fn len(&self) -> usize {
        self.recorded.len() + self.changed.len()
    }

    /// Notes a transfer that was recorded.
    ///
    /// # Errors
    /// When it was recorded before.
    pub(crate) fn record(&mut self, transfer: &Transfer) -> Result<(), &'static str> {
        if self.ids.last().is_none_or(|last| *last < transfer.id) {
            self.ids.push(transfer.id);
            self.recorded.push(transfer.clone());
            return Ok(());
        }
        match self.ids.binary_search(&transfer.id) {
            Ok(_) => Err("a transfer is recorded twice"),
            Err(place) => {
                self.ids.insert(place, transfer.id);
                self.recorded.insert(place, transfer.clone());
                Ok(())
            }
        }
    }

    /// The transfer that changes, from the run or as `open` finds it.
    pub(crate) fn changing<'a>(
        &mut self,
        id: TransferId,
        open: impl FnOnce() -> Option<&'a Transfer>,
    ) -> Option<&mut Transfer> {
        if let Ok(place) = self.ids.binary_search(&id) {
            return self.recorded.get_mut(place);
        }
        match self.changed.entry(id) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(place) => Some(place.insert(open()?.clone())),
        }
    }

    /// All of them in the order of their ids, each with whether it was there before.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Transfer, bool)> {
        let changed = self.changed.values().map(|transfer| (transfer, true));
        changed.chain(self.recorded.iter().map(|transfer| (transfer, false)))
    }

    /// Forgets them, but not the room they took.
    pub(crate) fn clear(&mut self) {
        self.recorded.clear();
        self.ids.clear();
        self.changed.clear();
    }
}
