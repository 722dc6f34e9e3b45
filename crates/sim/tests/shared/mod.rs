//! What the journal's tests on the faulty disk share.

use journal::{Batch, Journal, JournalError, Opened, Options, Position, Reader};
use sim::disk::FaultyDisk;

/// The records of one batch.
pub type Records = Vec<Vec<u8>>;

/// Segments small enough that a few batches fill one.
pub const SEGMENT_BYTES: u64 = 3000;
/// Segments grow by a few small batches at a time.
pub const GROW_BYTES: u64 = 1100;

pub fn options() -> Options {
    Options {
        segment_bytes: SEGMENT_BYTES,
        grow_bytes: GROW_BYTES,
        ..Options::default()
    }
}

pub fn options_known(known: Position) -> Options {
    Options {
        known: Some(known),
        ..options()
    }
}

pub fn open(disk: &FaultyDisk) -> (Journal, Opened) {
    Journal::open(disk.storage(), options()).expect("the journal is good")
}

pub fn batch_of(records: &Records) -> Batch {
    let mut batch = Batch::new();
    for record in records {
        batch.push(record);
    }
    batch
}

pub fn commit(journal: &mut Journal, records: &Records) -> Result<Position, JournalError> {
    journal.commit(&mut batch_of(records))
}

/// All batches up to `through`.
pub fn read_through(disk: &FaultyDisk, through: u64) -> Vec<Records> {
    let mut reader = Reader::new(disk.storage(), Position::START);
    let mut batches = Vec::new();
    while let Some(batch) = reader.next(through).expect("the journal is good") {
        batches.push(batch.records().map(<[u8]>::to_vec).collect());
    }
    assert_eq!(reader.position().batch, batches.len() as u64);
    batches
}

/// Bytes without a zero among them, different for each seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = sim::disk::SplitMix64::new(seed);
    // Below 255, so that it fits a byte after adding one.
    (0..length).map(|_| random.below(255) as u8 + 1).collect()
}
