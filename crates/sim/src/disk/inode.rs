//! One file: what programs see, what is durable, and which sectors are dirty.

use std::collections::BTreeSet;

use super::SplitMix64;

/// What a disk writes whole or not at all, in bytes.
const SECTOR_BYTES: usize = 512;

#[derive(Clone)]
pub(super) struct Inode {
    /// As programs see it.
    now: Vec<u8>,
    /// As it is after a power failure that keeps nothing unsynced.
    durable: Vec<u8>,
    /// Numbers of the sectors written since they were synced, or since a sync
    /// of them failed.
    dirty: BTreeSet<usize>,
}

impl Inode {
    pub(super) fn durable(bytes: &[u8]) -> Inode {
        Inode {
            now: bytes.to_vec(),
            durable: bytes.to_vec(),
            dirty: BTreeSet::new(),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.now
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.now.len() < end {
            self.now.resize(end, 0);
        }
        self.now[offset..end].copy_from_slice(bytes);
        self.dirty
            .extend(offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES));
    }

    /// Writes the first `written` bytes or somewhat fewer: over what was there before a system
    /// writes whole sectors (in truth whole pages of its cache), or the rest of `bytes`.
    pub(super) fn write_part(&mut self, bytes: &[u8], written: usize, offset: usize) {
        let end = offset + written;
        let whole = if end < self.now.len() && written < bytes.len() {
            (end / SECTOR_BYTES * SECTOR_BYTES).max(offset)
        } else {
            end
        };
        self.write(&bytes[..whole - offset], offset);
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.now.resize(length, 0);
        self.dirty.insert(length / SECTOR_BYTES);
    }

    /// Dirty sectors and the length become durable.
    pub(super) fn sync(&mut self) {
        self.durable.resize(self.now.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            self.keep(sector);
        }
    }

    /// Some dirty sectors become durable; all are taken for clean.
    pub(super) fn fail_sync(&mut self, random: &mut SplitMix64) {
        for sector in std::mem::take(&mut self.dirty) {
            if random.below(2) == 0 {
                self.keep(sector);
            }
        }
    }

    /// Copies a sector of `now` to `durable`, growing it with zeros.
    fn keep(&mut self, sector: usize) {
        let from = sector * SECTOR_BYTES;
        let to = (from + SECTOR_BYTES).min(self.now.len());
        if from >= to {
            return;
        }
        if self.durable.len() < to {
            self.durable.resize(to, 0);
        }
        self.durable[from..to].copy_from_slice(&self.now[from..to]);
    }

    /// Power fails: dirty sectors and the length are kept or forgotten.
    pub(super) fn crash(&mut self, random: &mut SplitMix64) {
        let length_now = self.now.len();
        let length_durable = self.durable.len();
        let dirty = std::mem::take(&mut self.dirty);
        // All, none, a prefix, or any subset reaches the disk.
        let way = random.below(4);
        let prefix = random.below(dirty.len() + 1);
        for (index, sector) in dirty.into_iter().enumerate() {
            let kept = match way {
                0 => true,
                1 => false,
                2 => index < prefix,
                _ => random.below(2) == 0,
            };
            if kept {
                self.keep(sector);
            }
        }
        let length = match (way, random.below(3)) {
            (0, _) => length_now,
            (1, _) => length_durable,
            (_, 0) => length_now,
            (_, 1) => length_durable,
            _ => {
                let shorter = length_now.min(length_durable);
                shorter + random.below(length_now.abs_diff(length_durable) + 1)
            }
        };
        self.durable.resize(length, 0);
        self.now = self.durable.clone();
    }
}
