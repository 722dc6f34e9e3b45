//! A buffered view of a file, moving forwards.

use std::io;

use crate::StorageFile;

/// Bytes asked for in one read, so that small batches share a system call.
const READ_AHEAD_BYTES: usize = 1 << 20;

/// The bytes of a file from some offset on. Holds at most the largest batch or
/// [`READ_AHEAD_BYTES`], whichever is more.
#[derive(Debug, Default)]
pub(crate) struct Window {
    buffer: Vec<u8>,
    /// File offset of the first byte.
    start: u64,
    /// How many bytes of `buffer` are from the file.
    filled: usize,
}

impl Window {
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Sees to it that `wanted` bytes from `offset` are held, or all there are;
    /// returns how many are held.
    pub(crate) fn ensure(
        &mut self,
        file: &dyn StorageFile,
        offset: u64,
        wanted: usize,
    ) -> io::Result<usize> {
        let held = self.held_from(offset);
        if held >= wanted {
            return Ok(held);
        }
        self.buffer.copy_within(self.filled - held..self.filled, 0);
        self.start = offset;
        self.filled = held;
        let room = wanted.max(READ_AHEAD_BYTES);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        while self.filled < wanted {
            let into = &mut self.buffer[self.filled..];
            match file.read_at(into, offset + self.filled as u64) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.filled)
    }

    /// `length` held bytes from `offset`.
    pub(crate) fn bytes(&self, offset: u64, length: usize) -> &[u8] {
        let held = self.held_from(offset);
        assert!(length <= held, "{length} bytes asked, {held} held");
        let from = self.filled - held;
        &self.buffer[from..from + length]
    }

    fn held_from(&self, offset: u64) -> usize {
        let end = self.start + self.filled as u64;
        if offset < self.start || offset > end {
            return 0;
        }
        // Below `filled`, which is a usize.
        (end - offset) as usize
    }
}
