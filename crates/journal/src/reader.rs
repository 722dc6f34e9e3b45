//! Reading committed batches, also while the writer appends.
//!
//! Bytes of a committed batch never change, so what was read ahead of it stays
//! good. What was read ahead of the writer is older than the file: before the end
//! is believed, or anything is called damaged, it is read afresh once.

use std::io;
use std::sync::Arc;

use crate::format::{
    BATCH_HEADER_BYTES, HeaderFault, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader,
    VERSION, segment_name, u32_at,
};
use crate::scan::{Scan, scan};
use crate::storage::read_full;
use crate::window::Window;
use crate::{JournalError, Position, Storage, StorageFile};

/// Reads batches in order from some place on.
///
/// It checks every checksum and the chain, but does not tell a torn tail from
/// damage: read no further than the end that the writer reported.
pub struct Reader {
    storage: Arc<dyn Storage>,
    position: Position,
    source: Option<Source>,
    window: Window,
}

/// The segment that is being read. It may be newer than the position's segment,
/// when that one is finished and this one holds no batch yet.
struct Source {
    file: Arc<dyn StorageFile>,
    segment: u32,
    /// Where the next batch begins.
    offset: u64,
}

/// One committed batch, all of it checked.
#[derive(Clone, Copy, Debug)]
pub struct ReadBatch<'a> {
    end: Position,
    records: u32,
    payload: &'a [u8],
}

/// The records of a batch, in the order in which they were pushed.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    left: u32,
    payload: &'a [u8],
}

impl Reader {
    /// A reader of what follows `from`. Nothing is read yet.
    pub fn new(storage: Arc<dyn Storage>, from: Position) -> Reader {
        Reader {
            storage,
            position: from,
            source: None,
            window: Window::default(),
        }
    }

    /// The place after the last batch that was read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next batch, or `None` when the reader stands at `through_batch` or
    /// at the end. After `None` it may be called again to see what was appended.
    ///
    /// While there is a writer, `through_batch` must be a batch whose commit has
    /// returned: what lies behind it may vanish in a crash, and while it is being
    /// written over zeros it looks like damage.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] at bytes that are not the next batch, or when
    /// the place where the reader began is not in the journal.
    pub fn next(&mut self, through_batch: u64) -> Result<Option<ReadBatch<'_>>, JournalError> {
        if self.position.batch >= through_batch {
            return Ok(None);
        }
        let Some((at, records, payload)) = self.advance()? else {
            return Ok(None);
        };
        Ok(Some(ReadBatch {
            end: self.position,
            records,
            payload: self.window.bytes(at, payload),
        }))
    }

    /// Reads the next batch into the window; returns where its payload begins,
    /// how many records it has and how many bytes.
    fn advance(&mut self) -> Result<Option<(u64, u32, usize)>, JournalError> {
        let mut next_exists = false;
        loop {
            let Some(source) = self.source()? else {
                return Ok(None);
            };
            let segment = source.segment;
            let offset = source.offset;
            let file = Arc::clone(&source.file);
            let name = segment_name(segment);
            let read_ahead = !self.window.is_empty();
            let previous = self.position;
            let found = scan(
                &mut self.window,
                &*file,
                offset,
                previous.batch,
                &previous.chain,
            )
            .map_err(JournalError::io("read", &name))?;
            let what = match &found {
                Scan::Whole { header, chain } => {
                    let end = offset + header.total_bytes() as u64;
                    self.position = Position {
                        batch: header.number,
                        segment,
                        offset: end,
                        chain: *chain,
                    };
                    self.source = Some(Source {
                        file,
                        segment,
                        offset: end,
                    });
                    let payload = offset + BATCH_HEADER_BYTES as u64;
                    return Ok(Some((payload, header.records, header.payload as usize)));
                }
                // What was read ahead may be older than the file.
                _ if read_ahead => {
                    self.window.clear();
                    continue;
                }
                Scan::Bad { offset, what } => {
                    return Err(JournalError::damaged(
                        segment,
                        *offset,
                        previous.batch + 1,
                        what.as_str(),
                    ));
                }
                Scan::End | Scan::Blank => None,
                Scan::Short => Some("the file ends inside the batch"),
            };
            // Nothing more here. If there is a next segment this one is
            // finished, but it may have grown since it was read: look again.
            if !next_exists {
                if self.open_segment(segment + 1)?.is_none() {
                    return Ok(None);
                }
                next_exists = true;
                self.window.clear();
                continue;
            }
            if let Some(what) = what {
                return Err(JournalError::damaged(
                    segment,
                    offset,
                    previous.batch + 1,
                    what,
                ));
            }
            if !self.enter(segment + 1)? {
                return Ok(None);
            }
            next_exists = false;
        }
    }

    /// The segment to read from, opened when need be; `None` when there is
    /// nothing yet after [`Position::START`].
    fn source(&mut self) -> Result<Option<&Source>, JournalError> {
        if self.source.is_none() {
            if self.position.offset == 0 {
                if !self.enter(self.position.segment)? {
                    return Ok(None);
                }
            } else {
                self.source = Some(self.resume()?);
            }
        }
        Ok(self.source.as_ref())
    }

    /// Goes on in the middle of a segment, at the position.
    fn resume(&mut self) -> Result<Source, JournalError> {
        let Position {
            batch,
            segment,
            offset,
            ..
        } = self.position;
        let name = segment_name(segment);
        let Some(file) = self.open_segment(segment)? else {
            return Err(JournalError::damaged(
                segment,
                0,
                batch,
                "the file is missing",
            ));
        };
        let length = file.len().map_err(JournalError::io("read", &name))?;
        if length < offset {
            let what = format!("the file ends before byte {offset}, which was already seen");
            return Err(JournalError::damaged(segment, length, batch, what));
        }
        read_header(&*file, segment, batch)?;
        Ok(Source {
            file,
            segment,
            offset,
        })
    }

    /// Goes to the first batch of a segment, which must continue the position;
    /// false when the segment is not there or its header is not yet whole.
    fn enter(&mut self, segment: u32) -> Result<bool, JournalError> {
        let Some(file) = self.open_segment(segment)? else {
            return Ok(false);
        };
        let batch = self.position.batch + 1;
        let Some(header) = read_header(&*file, segment, batch)? else {
            return Ok(false);
        };
        if header.first_batch != batch || header.chain != self.position.chain {
            let what = "it does not continue the segment before it";
            return Err(JournalError::damaged(segment, 0, batch, what));
        }
        self.window.clear();
        self.source = Some(Source {
            file,
            segment,
            offset: SEGMENT_HEADER_BYTES as u64,
        });
        Ok(true)
    }

    fn open_segment(&self, segment: u32) -> Result<Option<Arc<dyn StorageFile>>, JournalError> {
        let name = segment_name(segment);
        match self.storage.open(&name) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(JournalError::io("open", &name)(error)),
        }
    }
}

/// Reads a segment's header; `None` when the file is shorter than one. `batch`
/// is only for the error.
fn read_header(
    file: &dyn StorageFile,
    segment: u32,
    batch: u64,
) -> Result<Option<SegmentHeader>, JournalError> {
    let name = segment_name(segment);
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    let read = read_full(file, &mut bytes, 0).map_err(JournalError::io("read", &name))?;
    if read < bytes.len() {
        return Ok(None);
    }
    match SegmentHeader::decode(&bytes) {
        Ok(header) if header.number == segment => Ok(Some(header)),
        Ok(header) => {
            let what = format!("it is segment {}, renamed", header.number);
            Err(JournalError::damaged(segment, 0, batch, what))
        }
        Err(HeaderFault::Damaged(what)) => Err(JournalError::damaged(segment, 0, batch, what)),
        Err(HeaderFault::Version(found)) => Err(JournalError::Format {
            file: name,
            found,
            supported: VERSION,
        }),
    }
}

impl<'a> ReadBatch<'a> {
    /// The batch's number.
    pub fn number(&self) -> u64 {
        self.end.batch
    }

    /// The place right after this batch.
    pub fn end(&self) -> Position {
        self.end
    }

    /// The records, in order.
    pub fn records(&self) -> Records<'a> {
        Records {
            left: self.records,
            payload: self.payload,
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        // The records were checked to fill the payload exactly.
        let end = RECORD_HEADER_BYTES + u32_at(self.payload, 0) as usize;
        let record = &self.payload[RECORD_HEADER_BYTES..end];
        self.payload = &self.payload[end..];
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Records<'_> {}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
