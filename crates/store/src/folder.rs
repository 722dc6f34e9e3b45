//! A data folder and the lock that keeps a second process out of it.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// A data folder that no other process has.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Makes the folder when it is missing, and takes its lock.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] when somebody has it, otherwise what the file system answers.
    pub fn take(folder: &Path) -> Result<FolderLock, TryLockError> {
        // Balances and hashes of keys are nobody else's business.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(TryLockError::Error)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))
            .map_err(TryLockError::Error)?;
        file.try_lock()?;
        Ok(FolderLock { file })
    }
}

/// The lock is given back, not only closed: a process that is just being started by another thread
/// has a copy of every open file until its program runs, and would keep the folder for as long.
impl Drop for FolderLock {
    fn drop(&mut self) {
        // The file is closed next, which gives the lock back where this does not.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_a_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = FolderLock::take(folder.path()).expect("it is free");
        let second = FolderLock::take(folder.path());
        assert!(matches!(second, Err(TryLockError::WouldBlock)));
        drop(first);
        FolderLock::take(folder.path()).expect("it is free again");
    }

    #[test]
    fn a_copy_of_the_file_does_not_keep_the_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lock = FolderLock::take(folder.path()).expect("it is free");
        // What a process that is being started has until its program runs.
        let copy = lock.file.try_clone().expect("a copy");
        drop(lock);
        FolderLock::take(folder.path()).expect("it is free again");
        drop(copy);
    }
}
