//! The one writer of a journal.

use std::sync::Arc;

use crate::format::{
    FIRST_SEGMENT, SEGMENT_HEADER_BYTES, SEGMENT_NUMBER_MAX, SegmentHeader, segment_name,
};
use crate::recover::{create_segment, examine, repair};
use crate::{Batch, JournalError, Position, Storage, StorageFile};

/// How to open a journal.
#[derive(Clone, Debug)]
pub struct Options {
    /// A new segment is started when the current one is at least this long, in
    /// bytes. A segment is longer than this by at most one batch.
    pub segment_bytes: u64,
    /// A segment file grows by this many bytes at a time, with zeros that batches then overwrite,
    /// but never beyond `segment_bytes`; 0 grows it by each batch alone. A sync that need not
    /// record a new length is much cheaper.
    pub grow_bytes: u64,
    /// On open, check at least this many of the newest bytes. Of older segments
    /// only the header and the link to the next one are checked.
    pub check_bytes: u64,
    /// A place that a reader has durably seen. The journal must contain it, and
    /// everything after it is checked.
    pub known: Option<Position>,
    /// Write nothing: a torn tail is reported but stays. Beside a running writer
    /// a batch that is just being written may be reported as one.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: 64 << 20,
            grow_bytes: 1 << 20,
            check_bytes: 4 << 30,
            known: None,
            read_only: false,
        }
    }
}

/// What was found on open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// The place after the last batch.
    pub end: Position,
    /// What was cut off, or would be if not opened read-only.
    pub cut: Option<Cut>,
    /// Number of segments, without a cut one.
    pub segments: usize,
    /// Bytes in them, without cut ones.
    pub bytes: u64,
}

/// A torn tail: what a power failure left of a batch, or of a new segment, that
/// was never acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// File name of the segment.
    pub segment: String,
    /// Where the tail begins; 0 when the whole file is removed.
    pub offset: u64,
    /// Length of the tail in bytes.
    pub bytes: u64,
}

/// The writer of a journal. There must be only one for a folder.
pub struct Journal {
    storage: Arc<dyn Storage>,
    segment_bytes: u64,
    grow_bytes: u64,
    end: Position,
    /// The segment that is appended to; `None` when opened read-only.
    tail: Option<Tail>,
    syncs: u64,
    closed: bool,
}

struct Tail {
    file: Arc<dyn StorageFile>,
    segment: u32,
    name: String,
    /// Where the last batch ends and the next one goes.
    length: u64,
    /// Length of the file: from `length` to here it holds zeros.
    filled: u64,
}

impl Journal {
    /// Opens the journal in `storage`, checks it, cuts a torn tail and makes
    /// what is left durable. An empty folder becomes an empty journal.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Behind`] and
    /// [`JournalError::Format`] refuse the journal and leave it as it is.
    pub fn open(
        storage: Arc<dyn Storage>,
        options: Options,
    ) -> Result<(Journal, Opened), JournalError> {
        let found = examine(&*storage, &options)?;
        let mut opened = Opened {
            end: found.end,
            cut: found.cut.clone(),
            segments: found.segments.len(),
            bytes: found.segments.iter().map(|segment| segment.bytes).sum(),
        };
        let tail = if options.read_only {
            None
        } else {
            repair(&*storage, &found)?;
            let tail = match found.segments.last() {
                Some(last) => Tail::open(&*storage, last.header.number, last.bytes)?,
                None => Tail::create(&*storage, FIRST_SEGMENT, &found.end)?,
            };
            if found.segments.is_empty() {
                opened.segments = 1;
                opened.bytes = tail.length;
            }
            Some(tail)
        };
        let journal = Journal {
            storage,
            segment_bytes: options.segment_bytes,
            grow_bytes: options.grow_bytes,
            end: found.end,
            tail,
            syncs: 0,
            closed: false,
        };
        Ok((journal, opened))
    }

    /// The place after the last committed batch.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Appends `batch` as one numbered batch, makes it durable and clears it.
    ///
    /// One write and one sync; growing the file takes one write more, starting a
    /// new segment one write and two syncs. When this returns an error the batch keeps its records.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`] before anything is written; the journal stays
    /// open. [`JournalError::Io`] once, after which the journal is closed: the
    /// batch may or may not be found when it is opened again.
    /// [`JournalError::Closed`] from then on.
    ///
    /// # Panics
    /// When the batch is empty or the journal was opened read-only.
    pub fn commit(&mut self, batch: &mut Batch) -> Result<Position, JournalError> {
        assert!(!batch.is_empty(), "an empty batch is never committed");
        assert!(self.tail.is_some(), "the journal was opened read-only");
        if self.closed {
            return Err(JournalError::Closed);
        }
        batch.check_limits()?;
        // Open again only when everything below has succeeded.
        self.closed = true;
        match self.append(batch) {
            Ok(end) => {
                assert_eq!(end.batch, self.end.batch + 1);
                self.end = end;
                self.closed = false;
                batch.clear();
                Ok(end)
            }
            Err(error) => {
                // Refused before anything was written.
                self.closed = !matches!(error, JournalError::TooLarge { .. });
                Err(error)
            }
        }
    }

    /// How many times commits have called `sync_data`.
    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    /// Ends in order: takes the zeros behind the last batch away, so that the file ends where the
    /// journal does. Without it the next opening does so. After a failed commit nothing is written.
    ///
    /// # Errors
    /// [`JournalError::Io`]; whatever was committed stays.
    pub fn finish(mut self) -> Result<(), JournalError> {
        let Some(tail) = self.tail.take().filter(|_| !self.closed) else {
            return Ok(());
        };
        if tail.filled == tail.length {
            return Ok(());
        }
        tail.file
            .truncate(tail.length)
            .map_err(JournalError::io("truncate", &tail.name))?;
        tail.file
            .sync_data()
            .map_err(JournalError::io("sync", &tail.name))
    }

    fn append(&mut self, batch: &mut Batch) -> Result<Position, JournalError> {
        let mut tail = self.tail.take().expect("commit checked that it is there");
        let result = self.append_to(&mut tail, batch);
        self.tail = Some(tail);
        result
    }

    fn append_to(&mut self, tail: &mut Tail, batch: &mut Batch) -> Result<Position, JournalError> {
        let holds_batches = tail.length > SEGMENT_HEADER_BYTES as u64;
        if holds_batches && tail.length >= self.segment_bytes {
            // The file was never filled beyond `segment_bytes`, so it ends where its batches do.
            assert_eq!(tail.filled, tail.length, "{} is sealed whole", tail.name);
            self.syncs += 1;
            *tail = Tail::create(&*self.storage, tail.segment + 1, &self.end)?;
        }
        let (bytes, chain) = batch.seal(self.end.batch + 1, &self.end.chain);
        tail.file
            .write_all_at(bytes, tail.length)
            .map_err(JournalError::io("write", &tail.name))?;
        tail.length += bytes.len() as u64;
        if tail.length > tail.filled {
            tail.grow(self.grow_bytes, self.segment_bytes)?;
        }
        self.syncs += 1;
        tail.file
            .sync_data()
            .map_err(JournalError::io("sync", &tail.name))?;
        Ok(Position {
            batch: self.end.batch + 1,
            segment: tail.segment,
            offset: tail.length,
            chain,
        })
    }
}

impl Tail {
    fn open(storage: &dyn Storage, segment: u32, length: u64) -> Result<Tail, JournalError> {
        let name = segment_name(segment);
        let file = storage
            .open(&name)
            .map_err(JournalError::io("open", &name))?;
        Ok(Tail {
            file,
            segment,
            name,
            length,
            // Recovery cut whatever was behind the last batch.
            filled: length,
        })
    }

    /// Adds zeros behind a batch that was written beyond them; the batch's own sync makes them
    /// durable. The bytes after `length` are never anything but zeros: see [`crate::tear`].
    fn grow(&mut self, grow_bytes: u64, segment_bytes: u64) -> Result<(), JournalError> {
        let wanted = self.length.saturating_add(grow_bytes).min(segment_bytes);
        self.filled = self.length.max(wanted);
        let zeros = self.filled - self.length;
        // At most `grow_bytes`, which fit into memory.
        let zeros = vec![0; usize::try_from(zeros).unwrap_or(0)];
        if !zeros.is_empty() {
            self.file
                .write_all_at(&zeros, self.length)
                .map_err(JournalError::io("write", &self.name))?;
        }
        Ok(())
    }

    /// Starts the segment that follows `end`.
    fn create(storage: &dyn Storage, segment: u32, end: &Position) -> Result<Tail, JournalError> {
        if segment > SEGMENT_NUMBER_MAX {
            return Err(JournalError::TooLarge {
                what: "segment number",
                size: u64::from(segment),
                limit: u64::from(SEGMENT_NUMBER_MAX),
            });
        }
        let header = SegmentHeader {
            number: segment,
            first_batch: end.batch + 1,
            chain: end.chain,
        };
        Ok(Tail {
            file: create_segment(storage, &header)?,
            segment,
            name: segment_name(segment),
            length: SEGMENT_HEADER_BYTES as u64,
            filled: SEGMENT_HEADER_BYTES as u64,
        })
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("end", &self.end)
            .field("syncs", &self.syncs)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
