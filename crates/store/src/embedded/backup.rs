//! The journal of a data folder, copied into another one: a backup, or a backup brought back.
//!
//! The journal is the truth and all else is made from it, so a folder with its copy is a data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::format::parse_segment_name;
use journal::{Copied, CopyError, Folder, Storage, copy};

use super::{JOURNAL, OpenError, lock_folder};

/// Why a journal was not copied.
#[derive(thiserror::Error, Debug)]
pub enum BackupError {
    /// There is no ledger to copy.
    #[error("{} holds no ledger", folder.display())]
    NoLedger {
        /// The folder.
        folder: PathBuf,
        /// What reading it came to.
        #[source]
        source: std::io::Error,
    },
    /// The folder that is copied to cannot be used, or a server is running on it.
    #[error(transparent)]
    Target(#[from] OpenError),
    /// Its journal's folder cannot be made.
    #[error("{} cannot be written", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The file system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Reading, writing or comparing failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
}

/// Brings the journal in the data folder `to` to where that of `from` ends now. A server may be running
/// on `from`, but not on `to`, which is made when missing.
///
/// # Errors
/// [`BackupError`]. What was copied before a failure is gone on with by the next copy; until then
/// neither a server nor `verify` takes the folder.
pub fn copy_journal(from: &Path, to: &Path) -> Result<Copied, BackupError> {
    let source =
        Folder::open_read_only(&from.join(JOURNAL)).map_err(|source| BackupError::NoLedger {
            folder: from.to_owned(),
            source,
        })?;
    let _lock = lock_folder(to)?;
    let journal = to.join(JOURNAL);
    let target = Folder::open(&journal).map_err(|source| BackupError::Folder {
        folder: journal,
        source,
    })?;
    let (source, target): (Arc<dyn Storage>, Arc<dyn Storage>) =
        (Arc::new(source), Arc::new(target));
    Ok(copy(source, target)?)
}

/// Whether a folder has a ledger, be it an empty one. One whose copying was cut short is none yet.
///
/// # Errors
/// What the file system answers, except that the folder is missing.
pub fn has_ledger(folder: &Path) -> std::io::Result<bool> {
    let names = match Folder::open_read_only(&folder.join(JOURNAL)) {
        Ok(journal) => journal.list()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let is_cut_short = names.iter().any(|name| name == journal::COPYING);
    let has_segments = names.iter().any(|name| parse_segment_name(name).is_some());
    Ok(has_segments && !is_cut_short)
}
