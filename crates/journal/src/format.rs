//! The bytes of a segment file, format version 1. All integers are little-endian.
//!
//! ```text
//! segment  = segment header, batch*
//! header   = magic "TIDEGATE" (8), version u32, segment number u32,
//!            first batch u64, chain hash before it (32), crc32 u32     60 bytes
//! batch    = batch header, payload, trailer
//! header   = magic u32, batch number u64, record count u32,
//!            payload length u32, crc32 u32                             24 bytes
//! payload  = record*
//! record   = length u32, crc32 u32, bytes
//! trailer  = chain hash (32), crc32 u32                                36 bytes
//! ```
//!
//! Each crc32 (IEEE) of a header or trailer covers the bytes before it in that
//! header or trailer; a record's covers its length and its bytes, so that zeros
//! are never a valid record. A batch's chain hash is BLAKE3 of the previous
//! chain hash, the batch header and the payload. Segments are named by their
//! number, `00000001.tgj` onwards, and batches are numbered from 1 without gaps.
//!
//! Magic and version stay where they are in every future version.

use crate::Chain;

/// The first bytes of every segment.
pub const MAGIC: [u8; 8] = *b"TIDEGATE";
/// The only format version that is read and written.
pub const VERSION: u32 = 1;
/// Number of the first segment.
pub const FIRST_SEGMENT: u32 = 1;
/// Largest segment number: eight digits.
pub const SEGMENT_NUMBER_MAX: u32 = 99_999_999;
/// Bytes of a segment header.
pub const SEGMENT_HEADER_BYTES: usize = 60;
/// Bytes of a batch header.
pub const BATCH_HEADER_BYTES: usize = 24;
/// Bytes in front of each record.
pub const RECORD_HEADER_BYTES: usize = 8;
/// Bytes of a batch trailer.
pub const TRAILER_BYTES: usize = 36;
/// Largest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// Largest payload of one batch, record headers included, in bytes.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// What a disk writes whole or not at all, in bytes.
pub const SECTOR_BYTES: u64 = 512;

/// The first bytes of every batch. Two of them cannot occur in UTF-8, so text in
/// a record never looks like a batch.
pub(crate) const BATCH_MAGIC: [u8; 4] = [0xF5, b'T', b'G', 0xFE];

const _: () = assert!(RECORD_BYTES_MAX + RECORD_HEADER_BYTES <= BATCH_BYTES_MAX);
const _: () = assert!(BATCH_BYTES_MAX <= u32::MAX as usize);
// A header fits into the first sector, so it is torn off whole or not at all.
const _: () = assert!(SEGMENT_HEADER_BYTES as u64 <= SECTOR_BYTES);

/// File name of a segment.
pub fn segment_name(number: u32) -> String {
    format!("{number:08}.tgj")
}

/// The number of the segment with this file name; `None` for other files.
pub fn parse_segment_name(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".tgj")?;
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits
        .parse()
        .ok()
        .filter(|number| *number >= FIRST_SEGMENT)
}

/// The start of a segment file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u32,
    /// Number of the first batch in this segment.
    pub(crate) first_batch: u64,
    /// Chain hash of the batch before that.
    pub(crate) chain: Chain,
}

/// Why a segment header was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeaderFault {
    Damaged(&'static str),
    Version(u32),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_batch.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.chain);
        let crc = crc32fast::hash(&bytes[..56]);
        bytes[56..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<Self, HeaderFault> {
        if bytes[..8] != MAGIC {
            return Err(HeaderFault::Damaged("not a journal segment"));
        }
        let version = u32_at(bytes, 8);
        if version != VERSION {
            // A header that is whole but for its version has a damaged version.
            let mut as_ours = *bytes;
            as_ours[8..12].copy_from_slice(&VERSION.to_le_bytes());
            if crc32fast::hash(&as_ours[..56]) != u32_at(bytes, 56) {
                return Err(HeaderFault::Version(version));
            }
        }
        if crc32fast::hash(&bytes[..56]) != u32_at(bytes, 56) {
            return Err(HeaderFault::Damaged("segment header checksum"));
        }
        Ok(SegmentHeader {
            number: u32_at(bytes, 12),
            first_batch: u64_at(bytes, 16),
            chain: chain_at(bytes, 24),
        })
    }
}

/// The start of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BatchHeader {
    pub(crate) number: u64,
    pub(crate) records: u32,
    /// Payload length in bytes.
    pub(crate) payload: u32,
}

impl BatchHeader {
    pub(crate) fn encode(&self) -> [u8; BATCH_HEADER_BYTES] {
        let mut bytes = [0; BATCH_HEADER_BYTES];
        bytes[..4].copy_from_slice(&BATCH_MAGIC);
        bytes[4..12].copy_from_slice(&self.number.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.records.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.payload.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..20]);
        bytes[20..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` when magic, checksum or limits are wrong.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < BATCH_HEADER_BYTES
            || bytes[..4] != BATCH_MAGIC
            || crc32fast::hash(&bytes[..20]) != u32_at(bytes, 20)
        {
            return None;
        }
        let header = BatchHeader {
            number: u64_at(bytes, 4),
            records: u32_at(bytes, 12),
            payload: u32_at(bytes, 16),
        };
        // Each record takes at least its header; the product fits 64 bits.
        let payload_min = u64::from(header.records) * RECORD_HEADER_BYTES as u64;
        let valid = header.records > 0
            && payload_min <= u64::from(header.payload)
            && header.payload as usize <= BATCH_BYTES_MAX;
        valid.then_some(header)
    }

    /// Bytes of the whole batch; at most [`BATCH_BYTES_MAX`] and 60 more.
    pub(crate) fn total_bytes(&self) -> usize {
        BATCH_HEADER_BYTES + self.payload as usize + TRAILER_BYTES
    }
}

/// Where a batch is wrong, as an offset from its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BatchFault {
    pub(crate) offset: usize,
    pub(crate) what: &'static str,
}

/// Checks records, trailer and chain of a batch that is all there, and returns
/// its chain hash. `bytes` begin with the encoded `header`.
pub(crate) fn check_batch(
    bytes: &[u8],
    header: &BatchHeader,
    previous: &Chain,
) -> Result<Chain, BatchFault> {
    assert_eq!(bytes.len(), header.total_bytes());
    let trailer_start = bytes.len() - TRAILER_BYTES;
    let mut offset = BATCH_HEADER_BYTES;
    for _ in 0..header.records {
        match check_record(&bytes[offset..trailer_start]) {
            RecordCheck::Valid { end } => offset += end,
            _ => {
                return Err(BatchFault {
                    offset,
                    what: "record checksum",
                });
            }
        }
    }
    if offset != trailer_start {
        return Err(BatchFault {
            offset,
            what: "bytes after the last record",
        });
    }
    let trailer = &bytes[trailer_start..];
    if crc32fast::hash(&trailer[..32]) != u32_at(trailer, 32) {
        return Err(BatchFault {
            offset: trailer_start,
            what: "trailer checksum",
        });
    }
    let chain = next_chain(previous, &bytes[..trailer_start]);
    if trailer[..32] != chain {
        return Err(BatchFault {
            offset: trailer_start,
            what: "hash chain broken",
        });
    }
    Ok(chain)
}

/// What the bytes at the start of a slice are.
pub(crate) enum RecordCheck {
    /// A record that ends `end` bytes after its start.
    Valid { end: usize },
    /// Length possible, checksum wrong.
    Wrong { end: usize },
    /// No room for the length it claims, or for a record header.
    Overrun,
}

/// Checks the record at the start of `payload`.
pub(crate) fn check_record(payload: &[u8]) -> RecordCheck {
    if payload.len() < RECORD_HEADER_BYTES {
        return RecordCheck::Overrun;
    }
    let length = u32_at(payload, 0);
    let end = RECORD_HEADER_BYTES + length as usize;
    if length as usize > RECORD_BYTES_MAX || end > payload.len() {
        return RecordCheck::Overrun;
    }
    if record_crc(length, &payload[RECORD_HEADER_BYTES..end]) == u32_at(payload, 4) {
        RecordCheck::Valid { end }
    } else {
        RecordCheck::Wrong { end }
    }
}

/// Checksum of a record: its length, then its bytes.
pub(crate) fn record_crc(length: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// Chain hash after a batch; `sealed` is its header and payload.
pub(crate) fn next_chain(previous: &Chain, sealed: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(sealed);
    *hasher.finalize().as_bytes()
}

/// The trailer that carries `chain`.
pub(crate) fn encode_trailer(chain: &Chain) -> [u8; TRAILER_BYTES] {
    let mut bytes = [0; TRAILER_BYTES];
    bytes[..32].copy_from_slice(chain);
    bytes[32..].copy_from_slice(&crc32fast::hash(chain).to_le_bytes());
    bytes
}

/// The chain hash in a trailer; `None` when its checksum is wrong.
pub(crate) fn decode_trailer(bytes: &[u8; TRAILER_BYTES]) -> Option<Chain> {
    (crc32fast::hash(&bytes[..32]) == u32_at(bytes, 32)).then(|| chain_at(bytes, 0))
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let field = bytes[offset..offset + 4].try_into();
    u32::from_le_bytes(field.expect("the slice has four bytes"))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let field = bytes[offset..offset + 8].try_into();
    u64::from_le_bytes(field.expect("the slice has eight bytes"))
}

fn chain_at(bytes: &[u8], offset: usize) -> Chain {
    let field = bytes[offset..offset + 32].try_into();
    field.expect("the slice has 32 bytes")
}

#[cfg(test)]
mod tests;
