//! Reading one batch and checking all of it.

use std::io;

use crate::format::{BATCH_HEADER_BYTES, BatchHeader, check_batch};
use crate::window::Window;
use crate::{Chain, StorageFile};

/// What there is at an offset where a batch may begin.
pub(crate) enum Scan {
    /// A whole and valid batch, held by the window.
    Whole { header: BatchHeader, chain: Chain },
    /// The file ends exactly here.
    End,
    /// Zeros in place of a batch header, as far as the file goes: nothing was written here, or it
    /// was lost.
    Blank,
    /// The file ends inside the batch.
    Short,
    /// Something that is not the expected batch.
    Bad {
        /// File offset of the wrong header, record or trailer.
        offset: u64,
        what: String,
    },
}

/// Reads the batch at `offset`, which must be the one after `previous_batch`
/// with chain hash `previous`.
pub(crate) fn scan(
    window: &mut Window,
    file: &dyn StorageFile,
    offset: u64,
    previous_batch: u64,
    previous: &Chain,
) -> io::Result<Scan> {
    let held = window.ensure(file, offset, BATCH_HEADER_BYTES)?;
    if held == 0 {
        return Ok(Scan::End);
    }
    let start = window.bytes(offset, held.min(BATCH_HEADER_BYTES));
    if start.iter().all(|byte| *byte == 0) {
        return Ok(Scan::Blank);
    }
    if held < BATCH_HEADER_BYTES {
        return Ok(Scan::Short);
    }
    let Some(header) = BatchHeader::decode(window.bytes(offset, BATCH_HEADER_BYTES)) else {
        let what = "batch header checksum".to_owned();
        return Ok(Scan::Bad { offset, what });
    };
    if header.number != previous_batch + 1 {
        let what = format!("batch {} follows batch {previous_batch}", header.number);
        return Ok(Scan::Bad { offset, what });
    }
    let total = header.total_bytes();
    if window.ensure(file, offset, total)? < total {
        return Ok(Scan::Short);
    }
    Ok(
        match check_batch(window.bytes(offset, total), &header, previous) {
            Ok(chain) => Scan::Whole { header, chain },
            Err(fault) => Scan::Bad {
                offset: offset + fault.offset as u64,
                what: fault.what.to_owned(),
            },
        },
    )
}
