//! A whole ledger into a data folder, and out of one, with no server over it.
//!
//! A folder is filled under another name: `<folder>.partial` becomes `<folder>` when everything is
//! there and verified. A server that is started over `<folder>` meanwhile finds no ledger of ours.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Batch, Folder, Journal, Position, Reader, Storage};

use super::{JOURNAL, OpenError, lock_folder, rebuild_views, verify, views};
use crate::codec::{self, Change};
use crate::copy::{Adding, CopyError, Tally};
use crate::folder::FolderLock;

/// Bytes of records from which on a batch is written.
const BATCH_BYTES: usize = 4 << 20;
/// Records of a batch at most: views are filled batch by batch.
const BATCH_RECORDS: usize = 16_384;
/// Names end so while a folder is being filled.
const PARTIAL: &str = ".partial";

/// A data folder that a ledger is copied out of. It is locked as by a server.
pub(crate) struct Source {
    folder: PathBuf,
    storage: Arc<dyn Storage>,
    last_batch: u64,
    _lock: FolderLock,
}

impl Source {
    /// Opens a folder that has a ledger and no server.
    ///
    /// # Errors
    /// [`CopyError`] when it has not, or the journal is damaged.
    pub(crate) fn open(folder: &Path) -> Result<Source, CopyError> {
        if !folder.join(JOURNAL).is_dir() {
            return Err(CopyError::Refused(format!(
                "{} has no ledger",
                folder.display()
            )));
        }
        let lock = lock_folder(folder)?;
        let known = match folder.join(views::FILE).exists() {
            true => views::open_reader(folder)
                .and_then(|views| views::progress(&views))
                .ok(),
            false => None,
        };
        let storage = open_journal(folder)?;
        let (_, opened) = Journal::open(
            Arc::clone(&storage),
            journal::Options {
                check_bytes: u64::MAX,
                known: known.map(|progress| progress.position),
                read_only: true,
                ..journal::Options::default()
            },
        )?;
        Ok(Source {
            folder: folder.to_owned(),
            storage,
            last_batch: opened.end.batch,
            _lock: lock,
        })
    }

    /// All batches from the first one.
    pub(crate) fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.storage), Position::START)
    }

    /// The number of the last batch. What may follow was cut short in a crash.
    pub(crate) fn last_batch(&self) -> u64 {
        self.last_batch
    }

    /// Verifies the journal and what is there of the views, and gives what it comes to.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) fn verify(&self) -> Result<Tally, CopyError> {
        verify(&self.folder)?;
        tally(self.reader(), self.last_batch)
    }
}

fn open_journal(folder: &Path) -> Result<Arc<dyn Storage>, CopyError> {
    let journal = folder.join(JOURNAL);
    let storage = Folder::open_read_only(&journal).map_err(|source| OpenError::Folder {
        folder: journal,
        source,
    })?;
    Ok(Arc::new(storage))
}

fn tally(mut reader: Reader, through: u64) -> Result<Tally, CopyError> {
    let mut adding = Adding::default();
    while let Some(batch) = reader.next(through)? {
        for record in batch.records() {
            adding.add(record).map_err(CopyError::Inconsistent)?;
        }
    }
    Ok(adding.end())
}

/// A data folder that a ledger is copied into.
pub(crate) struct Target {
    folders: Folders,
    journal: Journal,
    batch: Batch,
    last_remembered: u64,
    changes: Vec<Change>,
    lock: FolderLock,
}

/// The two names of a target.
struct Folders {
    partial: PathBuf,
    folder: PathBuf,
}

impl Target {
    /// Begins to fill a folder that is missing or empty.
    ///
    /// # Errors
    /// [`CopyError::Refused`] when it is not, or a part of a copy is beside it.
    pub(crate) fn begin(folder: &Path) -> Result<Target, CopyError> {
        check_empty(folder)?;
        let folders = Folders {
            partial: partial(folder)?,
            folder: folder.to_owned(),
        };
        let path = &folders.partial;
        if let Some(parent) = parent(path) {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
            made.map_err(file_error(parent))?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(CopyError::Refused(format!(
                    "{} is a part of a ledger that is being copied, or whose copy was interrupted; \
                     if no copy is running, delete it and copy again",
                    path.display()
                )));
            }
            made => made.map_err(file_error(path))?,
        }
        let lock = lock_folder(path)?;
        let journal = path.join(JOURNAL);
        let storage = Folder::open(&journal).map_err(file_error(&journal))?;
        let (journal, _) = Journal::open(Arc::new(storage), journal::Options::default())?;
        Ok(Target {
            folders,
            journal,
            batch: Batch::new(),
            last_remembered: 0,
            changes: Vec::new(),
            lock,
        })
    }

    /// Takes the record of the next commit. True when a batch was written.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) fn take(&mut self, record: &[u8]) -> Result<bool, CopyError> {
        self.changes.clear();
        let at = codec::decode_into(record, &mut self.changes);
        let at = at.map_err(|error| CopyError::Inconsistent(error.to_string()))?;
        let mut renumbered = false;
        for change in &mut self.changes {
            if let Change::Remembered(remembered) = change {
                self.last_remembered += 1;
                remembered.number = self.last_remembered;
                renumbered = true;
            }
        }
        if renumbered {
            let changes = &self.changes;
            self.batch.record(|out| {
                let mut encoder = codec::begin(out, at);
                for change in changes {
                    codec::encode_change(&mut encoder, change);
                }
            });
        } else {
            self.batch.push(record);
        }
        let full = self.batch.bytes() >= BATCH_BYTES || self.batch.len() >= BATCH_RECORDS;
        if full {
            self.journal.commit(&mut self.batch)?;
        }
        Ok(full)
    }

    /// Writes the rest and fills the views.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) fn complete(mut self) -> Result<Complete, CopyError> {
        if !self.batch.is_empty() {
            self.journal.commit(&mut self.batch)?;
        }
        let last_batch = self.journal.end().batch;
        let Target {
            folders,
            journal,
            lock,
            ..
        } = self;
        drop((journal, lock));
        rebuild_views(&folders.partial)?;
        Ok(Complete {
            folders,
            last_batch,
        })
    }
}

/// A folder that has everything, still under its other name.
pub(crate) struct Complete {
    folders: Folders,
    last_batch: u64,
}

impl Complete {
    /// Verifies journal and views and gives what they come to.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) fn verify(&self) -> Result<Tally, CopyError> {
        verify(&self.folders.partial)?;
        let storage = open_journal(&self.folders.partial)?;
        tally(Reader::new(storage, Position::START), self.last_batch)
    }

    /// Writes `files` beside the ledger and gives the folder its name, durably.
    ///
    /// # Errors
    /// [`CopyError`].
    pub(crate) fn finish(self, files: &[(String, Vec<u8>)]) -> Result<(), CopyError> {
        let Folders { partial, folder } = &self.folders;
        for (name, bytes) in files {
            let path = partial.join(name);
            write_private(&path, bytes).map_err(file_error(&path))?;
        }
        sync_folder(partial)?;
        fs::rename(partial, folder).map_err(file_error(folder))?;
        sync_folder(parent(folder).unwrap_or(Path::new(".")))
    }
}

/// Nothing but an empty folder may be there.
fn check_empty(folder: &Path) -> Result<(), CopyError> {
    let mut found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(file_error(folder)(error)),
    };
    let Some(first) = found.next() else {
        return Ok(());
    };
    let first = first.map_err(file_error(folder))?.file_name();
    let what = if folder.join(JOURNAL).exists() {
        "has a ledger already".to_owned()
    } else {
        format!("is not empty, it has {}", first.display())
    };
    Err(CopyError::Refused(format!(
        "{} {what}; copy into a folder that is empty or missing",
        folder.display()
    )))
}

fn partial(folder: &Path) -> Result<PathBuf, CopyError> {
    let Some(name) = folder.file_name() else {
        return Err(CopyError::Refused(format!(
            "{} has no name of its own; name the folder to copy into",
            folder.display()
        )));
    };
    let mut name = OsString::from(name);
    name.push(PARTIAL);
    Ok(folder.with_file_name(name))
}

/// The folder that a path is in; `None` when that is where the program runs.
fn parent(path: &Path) -> Option<&Path> {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::File { path, source }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> Result<(), CopyError> {
    let synced = File::open(folder).and_then(|opened| opened.sync_all());
    synced.map_err(file_error(folder))
}
