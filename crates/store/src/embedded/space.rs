//! Room on the disk: writes stop while there is too little left, so that what was committed can
//! still be indexed and read.
//!
//! Two reserves. Below [`RESERVE`] free bytes the writer takes no commands (503) until there is
//! room again; nothing has failed, so no restart is needed. If the disk fills all the same, the
//! ballast file is given up so that the views can finish.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Free bytes below which writes stop (a sixteenth of small file systems).
const RESERVE: u64 = 32 << 20;
/// Bytes of the ballast (a thirty-second part of small file systems).
const BALLAST: u64 = 8 << 20;
/// How long an answer is believed.
const EVERY: Duration = Duration::from_millis(100);

/// Watches one folder's file system.
pub(crate) struct Space {
    folder: PathBuf,
    reserve: u64,
    ballast: u64,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Space {
    pub(crate) fn new(folder: &Path) -> Space {
        let total = rustix::fs::statvfs(folder)
            .map_or(u64::MAX, |fs| fs.f_blocks.saturating_mul(fs.f_frsize));
        let space = Space {
            folder: folder.to_owned(),
            reserve: RESERVE.min(total / 16),
            ballast: BALLAST.min(total / 32),
            last: Mutex::new(None),
        };
        space.take_ballast();
        space
    }

    /// Whether there is room to write.
    pub(crate) fn has_room(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, room)) = *last
            && at.elapsed() < EVERY
        {
            return room;
        }
        let had_room = last.is_none_or(|(_, room)| room);
        // A file system that cannot be asked is left to fail by itself.
        let room = self.free().is_none_or(|free| free >= self.reserve);
        *last = Some((Instant::now(), room));
        drop(last);
        if room && !had_room {
            tracing::info!("the disk has room again; writes go on");
            self.take_ballast();
        }
        if !room && had_room {
            tracing::error!(
                reserve_bytes = self.reserve,
                "the disk is full; writes stop"
            );
        }
        room
    }

    fn free(&self) -> Option<u64> {
        let fs = rustix::fs::statvfs(&self.folder).ok()?;
        Some(fs.f_bavail.saturating_mul(fs.f_frsize))
    }

    /// Gives the ballast's room to whoever needs it now; whether there was any.
    pub(crate) fn release_ballast(&self) -> bool {
        let released = fs::remove_file(self.folder.join("ballast")).is_ok();
        if released {
            tracing::warn!("the disk is full; the ballast was given up");
        }
        released
    }

    fn take_ballast(&self) {
        let path = self.folder.join("ballast");
        let there = fs::metadata(&path).is_ok_and(|meta| meta.len() == self.ballast);
        let fits = self
            .free()
            .is_some_and(|free| free >= self.reserve.saturating_add(self.ballast));
        if there || !fits {
            return;
        }
        if let Err(error) = fill(&path, self.ballast) {
            tracing::warn!(%error, "no ballast could be set aside");
            drop(fs::remove_file(&path));
        }
    }
}

fn fill(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let zeros = vec![0; 1 << 16];
    let mut left = bytes;
    while left > 0 {
        let chunk = left.min(zeros.len() as u64) as usize;
        file.write_all(&zeros[..chunk])?;
        left -= chunk as u64;
    }
    file.sync_data()
}
