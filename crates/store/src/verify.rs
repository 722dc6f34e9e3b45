//! What `verify` has in common over all engines: what was committed is replayed, added up in another
//! way, and both are compared with the tables.
//!
//! Three sources must agree: the state that applying every effect gives (with all of the ledger's
//! own checks), sums made from nothing but the entries, and the rows that reads are answered from.

mod programme;
mod rules;
mod sums;

use journal::JournalError;
use ledger::State;

use crate::codec::{self, Change};
use crate::shelf::Shelf;
pub(crate) use programme::{Outcomes, Programme};
pub(crate) use rules::Rules;
pub(crate) use sums::{AccountSums, Sums, TransferFacts, record_digest, remembered_digest};

/// Why what is stored does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The journal cannot be read whole.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Two of the three sources differ; the first place where they do.
    #[error("difference: {0}")]
    Difference(String),
    /// The data could not be read.
    #[error("{0}")]
    Unreadable(String),
}

pub(crate) fn difference(what: impl Into<String>) -> VerifyError {
    VerifyError::Difference(what.into())
}

/// Everything that was committed up to a place.
#[derive(Default)]
pub(crate) struct Replay {
    pub state: State,
    shelf: Shelf,
    pub sums: Sums,
    /// Commits.
    pub records: u64,
    changes: Vec<Change>,
}

impl Replay {
    /// Takes the record of a commit.
    ///
    /// # Errors
    /// What it contradicts of what came before, or why it is no record.
    pub(crate) fn record(&mut self, bytes: &[u8]) -> Result<(), String> {
        codec::decode_into(bytes, &mut self.changes).map_err(|error| error.to_string())?;
        self.records += 1;
        for change in self.changes.drain(..) {
            self.sums.add(&change);
            match change {
                Change::Ledger(effect) => {
                    let applied = self.state.apply(&effect);
                    applied.map_err(|error| error.to_string())?;
                }
                other => self.shelf.keep(&other)?,
            }
        }
        Ok(())
    }
}
