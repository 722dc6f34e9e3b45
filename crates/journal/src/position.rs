//! Places in the journal.

use crate::format::FIRST_SEGMENT;

/// The hash of everything up to a place: each batch's hash covers the one before.
pub type Chain = [u8; 32];

/// The place right after batch number `batch`.
///
/// A place has one spelling: the segment and offset where that batch ends, even
/// when a newer segment has been started but holds no batch yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Number of the batch that ends here; 0 is before everything.
    pub batch: u64,
    /// Number of the segment that holds that batch.
    pub segment: u32,
    /// Byte offset in the segment where the batch ends.
    pub offset: u64,
    /// Chain hash of that batch.
    pub chain: Chain,
}

impl Position {
    /// Before the first batch.
    pub const START: Position = Position {
        batch: 0,
        segment: FIRST_SEGMENT,
        offset: 0,
        chain: [0; 32],
    };
}
