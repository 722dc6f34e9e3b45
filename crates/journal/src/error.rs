//! What can go wrong, and what to do about it.

use std::io;

use crate::format::segment_name;

/// Why the journal could not be opened, read or written.
#[derive(thiserror::Error, Debug)]
pub enum JournalError {
    /// The file system refused.
    #[error("cannot {action} {file}")]
    Io {
        /// What was tried, as a verb: "write", "sync".
        action: &'static str,
        /// File name in the journal's folder; "the folder" for the folder.
        file: String,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },

    /// Bytes that were once durable have changed or are gone.
    #[error("{file} is damaged at byte {offset}, batch {batch}: {what}; {repair}")]
    Damaged {
        /// The damaged or missing segment.
        file: String,
        /// Where the damaged header, record or trailer begins.
        offset: u64,
        /// The batch that cannot be read.
        batch: u64,
        /// What is wrong there.
        what: String,
        /// What an operator can do.
        repair: String,
    },

    /// A segment of another format version.
    #[error("{file} has journal format {found}; this program reads format {supported}")]
    Format {
        /// The segment.
        file: String,
        /// Its version.
        found: u32,
        /// The only version that is read.
        supported: u32,
    },

    /// The journal ends before a place that was already seen.
    #[error(
        "the journal ends with batch {end_batch} ({file}, byte {offset}), \
         but batch {seen_batch} was already seen; {repair}"
    )]
    Behind {
        /// The batch that was seen.
        seen_batch: u64,
        /// The last batch that is there.
        end_batch: u64,
        /// The segment in which the journal ends.
        file: String,
        /// The offset at which it ends.
        offset: u64,
        /// What an operator can do.
        repair: String,
    },

    /// A copy into this folder was cut short: see [`copy`](crate::copy()).
    #[error("a copy of a journal into this folder was cut short; copy it again")]
    Unfinished,

    /// An earlier write or sync failed. What reached the disk is unknown, so
    /// nothing more is written until the journal is opened again.
    #[error("the journal was closed by an earlier input/output error; open it again to recover")]
    Closed,

    /// More than the format allows. Nothing was written and the journal is open.
    #[error("a {what} of {size} exceeds the limit of {limit}")]
    TooLarge {
        /// "record", "batch" or "segment number".
        what: &'static str,
        /// Size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl JournalError {
    /// Whether the disk or the quota is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self.io_kind(),
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        )
    }

    /// Whether the file system is mounted read-only.
    pub fn is_read_only(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::ReadOnlyFilesystem)
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            JournalError::Io { source, .. } => Some(source.kind()),
            _ => None,
        }
    }

    /// For `map_err`: adds what was tried on which file.
    pub(crate) fn io(action: &'static str, file: &str) -> impl FnOnce(io::Error) -> JournalError {
        move |source| JournalError::Io {
            action,
            file: file.to_owned(),
            source,
        }
    }

    /// Damage in a segment that a backup can replace.
    pub(crate) fn damaged(
        segment: u32,
        offset: u64,
        batch: u64,
        what: impl Into<String>,
    ) -> JournalError {
        let file = segment_name(segment);
        let repair = format!("restore {file} from a backup; nothing was changed");
        JournalError::Damaged {
            file,
            offset,
            batch,
            what: what.into(),
            repair,
        }
    }
}
