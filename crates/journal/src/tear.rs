//! Telling a torn tail from damage.
//!
//! The writer has at most one batch under way, and writes it over zeros or behind
//! the end of the file. When power fails, each of that batch's sectors is on disk
//! or reads as zeros, and the file may be shorter. So a bad batch is a tear only
//! if nothing but zeros follows it in the file and every fault in it that can be
//! told apart lies in a sector of zeros. A fault in
//! bytes that were written is damage: cutting it could drop a batch that was
//! acknowledged.
//!
//! What cannot be told apart: a batch whose own data holds a sector of zeros and
//! was damaged in the very record that holds it. That counts as torn.

use std::io;
use std::ops::Range;

use crate::format::{
    BATCH_HEADER_BYTES, BATCH_MAGIC, BatchHeader, RECORD_HEADER_BYTES, RecordCheck, SECTOR_BYTES,
    TRAILER_BYTES, check_record, encode_trailer, next_chain,
};
use crate::storage::read_full;
use crate::{Chain, StorageFile};

/// Bytes searched at a time for a later batch, or for anything but zeros.
const SEARCH_BYTES: usize = 1 << 20;

/// Whether the bad batch at `offset`, the one after `previous_batch`, is what a
/// power failure leaves as the last batch in a file of `length` bytes.
pub(crate) fn is_torn(
    file: &dyn StorageFile,
    offset: u64,
    length: u64,
    previous_batch: u64,
    previous: &Chain,
) -> io::Result<bool> {
    let mut start = [0; BATCH_HEADER_BYTES];
    if read_full(file, &mut start, offset)? < BATCH_HEADER_BYTES {
        return Ok(true);
    }
    let Some(header) = BatchHeader::decode(&start) else {
        let explained = overlaps_zero_sector(file, offset, length, 0..BATCH_HEADER_BYTES)?;
        return Ok(explained && !later_batch_exists(file, offset, length, previous_batch + 1)?);
    };
    if header.number != previous_batch + 1 {
        return Ok(false);
    }
    let end = offset + header.total_bytes() as u64;
    if end > length {
        return Ok(true);
    }
    if written_end(file, end, length)? > end {
        return Ok(false);
    }
    let mut bytes = vec![0; header.total_bytes()];
    if read_full(file, &mut bytes, offset)? < bytes.len() {
        return Ok(true);
    }
    Ok(faults_are_zero_sectors(&bytes, offset, &header, previous))
}

/// Where the zeros begin that the file ends with, or `offset` when there are only zeros behind it.
pub(crate) fn written_end(file: &dyn StorageFile, offset: u64, length: u64) -> io::Result<u64> {
    let mut chunk = vec![0; SEARCH_BYTES];
    let mut end = offset;
    let mut at = offset;
    while at < length {
        let read = read_full(file, &mut chunk, at)?;
        if let Some(last) = chunk[..read].iter().rposition(|byte| *byte != 0) {
            end = at + last as u64 + 1;
        }
        at += SEARCH_BYTES as u64;
    }
    Ok(end)
}

/// Whether every fault in a batch with a valid header lies in a sector of zeros.
fn faults_are_zero_sectors(
    bytes: &[u8],
    offset: u64,
    header: &BatchHeader,
    previous: &Chain,
) -> bool {
    let trailer_start = bytes.len() - TRAILER_BYTES;
    let mut at = BATCH_HEADER_BYTES;
    let mut torn_record = false;
    for _ in 0..header.records {
        let head = at..(at + RECORD_HEADER_BYTES).min(trailer_start);
        match check_record(&bytes[at..trailer_start]) {
            RecordCheck::Valid { end } => at += end,
            // The length itself may be torn off: what follows cannot be found.
            _ if any_zero_sector(bytes, offset, head) => return true,
            RecordCheck::Wrong { end } if any_zero_sector(bytes, offset, at..at + end) => {
                torn_record = true;
                at += end;
            }
            RecordCheck::Wrong { .. } | RecordCheck::Overrun => return false,
        }
    }
    if torn_record {
        return true;
    }
    if at != trailer_start {
        return false;
    }
    // All records are good, so what the trailer must be is known.
    let expected = encode_trailer(&next_chain(previous, &bytes[..trailer_start]));
    (trailer_start..bytes.len()).all(|index| {
        bytes[index] == expected[index - trailer_start]
            || any_zero_sector(bytes, offset, index..index + 1)
    })
}

/// Whether one of the sectors that `range` touches holds only zeros. `bytes`
/// are the file from `offset` to its end; what lies before is not looked at.
fn any_zero_sector(bytes: &[u8], offset: u64, range: Range<usize>) -> bool {
    let end = offset + bytes.len() as u64;
    let first = (offset + range.start as u64) / SECTOR_BYTES;
    let last = (offset + range.end as u64).div_ceil(SECTOR_BYTES);
    (first..last).any(|sector| {
        let from = (sector * SECTOR_BYTES).max(offset);
        let to = ((sector + 1) * SECTOR_BYTES).min(end);
        // Both lie within `bytes`.
        bytes[(from - offset) as usize..(to - offset) as usize]
            .iter()
            .all(|byte| *byte == 0)
    })
}

/// The same question for bytes that are not in memory; `range` is relative to `offset`.
fn overlaps_zero_sector(
    file: &dyn StorageFile,
    offset: u64,
    length: u64,
    range: Range<usize>,
) -> io::Result<bool> {
    let last_sector = (offset + range.end as u64).div_ceil(SECTOR_BYTES);
    let end = (last_sector * SECTOR_BYTES).min(length);
    // At most the range and one sector.
    let mut bytes = vec![0; (end - offset) as usize];
    let read = read_full(file, &mut bytes, offset)?;
    bytes.truncate(read);
    let range = range.start..range.end.min(read);
    Ok(any_zero_sector(&bytes, offset, range))
}

/// Whether the header of a batch after `batch` is found behind `offset`.
fn later_batch_exists(
    file: &dyn StorageFile,
    offset: u64,
    length: u64,
    batch: u64,
) -> io::Result<bool> {
    let mut chunk = vec![0; SEARCH_BYTES + BATCH_HEADER_BYTES];
    let mut at = offset + 1;
    while at < length {
        // Chunks overlap by a header, so that none is missed between two.
        let read = read_full(file, &mut chunk, at)?;
        let found = chunk[..read]
            .windows(BATCH_HEADER_BYTES)
            .filter(|bytes| bytes.starts_with(&BATCH_MAGIC))
            .filter_map(BatchHeader::decode)
            .any(|header| header.number > batch);
        if found {
            return Ok(true);
        }
        at += SEARCH_BYTES as u64;
    }
    Ok(false)
}
