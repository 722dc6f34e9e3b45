//! The buffer in which a batch is put together.

use crate::format::{
    BATCH_BYTES_MAX, BATCH_HEADER_BYTES, BatchHeader, RECORD_BYTES_MAX, RECORD_HEADER_BYTES,
    encode_trailer, next_chain, record_crc,
};
use crate::{Chain, JournalError};

/// Records to be committed together. Reusable: committing clears it and keeps
/// its memory.
///
/// The buffer is laid out as on disk, room for the header first, so a commit
/// writes it without copying.
#[derive(Debug)]
pub struct Batch {
    /// Batch header, complete records, and possibly bytes after `end` that a
    /// failed commit or a panicking closure left and that mean nothing.
    buffer: Vec<u8>,
    /// Where the last complete record ends.
    end: usize,
    records: u32,
    /// Length of the longest record in bytes.
    longest: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Batch::new()
    }
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch {
            buffer: vec![0; BATCH_HEADER_BYTES],
            end: BATCH_HEADER_BYTES,
            records: 0,
            longest: 0,
        }
    }

    /// Adds one record.
    ///
    /// The limits ([`RECORD_BYTES_MAX`], [`BATCH_BYTES_MAX`]) are checked by
    /// [`Journal::commit`](crate::Journal::commit).
    pub fn push(&mut self, record: &[u8]) {
        self.record(|out| out.extend_from_slice(record));
    }

    /// Adds one record that `write` appends in place.
    ///
    /// # Panics
    /// When `write` removes bytes that were there before it.
    pub fn record(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.truncate(self.end);
        self.buffer.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
        let start = self.buffer.len();
        write(&mut self.buffer);
        assert!(self.buffer.len() >= start, "a record only appends");
        let bytes = &self.buffer[start..];
        self.longest = self.longest.max(bytes.len());
        // A length beyond 32 bits is far over the limit, so it is never written.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let crc = record_crc(length, bytes);
        self.buffer[self.end..self.end + 4].copy_from_slice(&length.to_le_bytes());
        self.buffer[self.end + 4..start].copy_from_slice(&crc.to_le_bytes());
        self.end = self.buffer.len();
        // Four billion records would be 32 GiB of record headers, over the limit.
        self.records = self.records.saturating_add(1);
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records as usize
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Payload bytes so far, record headers included: what counts against
    /// [`BATCH_BYTES_MAX`].
    pub fn bytes(&self) -> usize {
        self.end - BATCH_HEADER_BYTES
    }

    /// Forgets all records and keeps the memory.
    pub fn clear(&mut self) {
        self.buffer.truncate(BATCH_HEADER_BYTES);
        self.end = BATCH_HEADER_BYTES;
        self.records = 0;
        self.longest = 0;
    }

    pub(crate) fn check_limits(&self) -> Result<(), JournalError> {
        let too_large = |what, size: usize, limit: usize| JournalError::TooLarge {
            what,
            size: size as u64,
            limit: limit as u64,
        };
        if self.longest > RECORD_BYTES_MAX {
            return Err(too_large("record", self.longest, RECORD_BYTES_MAX));
        }
        if self.bytes() > BATCH_BYTES_MAX {
            return Err(too_large("batch", self.bytes(), BATCH_BYTES_MAX));
        }
        Ok(())
    }

    /// Fills in header and trailer; returns the bytes to write and the chain
    /// hash after them. The limits must have been checked.
    pub(crate) fn seal(&mut self, number: u64, previous: &Chain) -> (&[u8], Chain) {
        let payload = u32::try_from(self.bytes()).expect("the batch limit is below 4 GiB");
        let header = BatchHeader {
            number,
            records: self.records,
            payload,
        };
        self.buffer.truncate(self.end);
        self.buffer[..BATCH_HEADER_BYTES].copy_from_slice(&header.encode());
        let chain = next_chain(previous, &self.buffer);
        self.buffer.extend_from_slice(&encode_trailer(&chain));
        assert_eq!(self.buffer.len(), header.total_bytes());
        (&self.buffer, chain)
    }
}

#[cfg(test)]
mod tests;
