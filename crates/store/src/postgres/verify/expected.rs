//! What a table should have, and what it has not.

use std::collections::HashMap;
use std::hash::Hash;

use super::snapshot::Wrong;
use crate::verify::{VerifyError, difference};

/// What a table should have, ticked off row by row.
pub(super) struct Expected<K, V> {
    name: fn(&K) -> String,
    left: HashMap<K, V>,
}

impl<K: Eq + Hash + Ord, V> Expected<K, V> {
    pub(super) fn new(name: fn(&K) -> String, all: impl IntoIterator<Item = (K, V)>) -> Self {
        Expected {
            name,
            left: all.into_iter().collect(),
        }
    }

    /// What the row of this key should say.
    pub(super) fn tick(&mut self, key: &K) -> Result<V, Wrong> {
        let found = self.left.remove(key);
        found.ok_or_else(|| Wrong::Differs(self.says(key, "is only in the tables")))
    }

    /// Ticks off a row that says `row`.
    pub(super) fn same<R: ?Sized>(&mut self, key: &K, row: &R) -> Result<(), Wrong>
    where
        V: PartialEq<R> + Sized,
    {
        if self.tick(key)? == *row {
            return Ok(());
        }
        Err(self.differs(key))
    }

    pub(super) fn differs(&self, key: &K) -> Wrong {
        Wrong::Differs(self.says(key, "differs in the tables"))
    }

    fn says(&self, key: &K, what: &str) -> String {
        format!("{} {what}", (self.name)(key))
    }

    /// Nothing is left that no row was for.
    pub(super) fn end(self) -> Result<(), VerifyError> {
        match self.left.keys().min() {
            Some(first) => Err(difference(self.says(first, "is not in the tables"))),
            None => Ok(()),
        }
    }
}
