//! A disk in memory that fails on demand and forgets what was not synced.
//!
//! It keeps two states, what programs see and what would survive a power
//! failure, and between them which 512-byte sectors are *dirty*: written since
//! they were last synced. [`FaultyDisk::crash`] decides by a seed, for every
//! dirty sector, whether it reached the disk; one that did not reads as before,
//! or as zeros where the file was shorter. The same goes for a file's length and
//! for each created or removed name.
//!
//! A sync that fails leaves its sectors clean though they may not be on disk, as
//! real systems do: a second sync does not write them. Only another write does.
//!
//! The same seed and the same calls give the same disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use journal::{Storage, StorageFile};

mod inode;
mod random;

use inode::Inode;
pub use random::SplitMix64;

/// What is going to fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A write stops somewhere in the middle with this kind of error.
    Write(io::ErrorKind),
    /// A sync of a file or of the folder; what it should have made durable may
    /// or may not be.
    Sync,
    /// A write or creation finds the disk full.
    DiskFull,
    /// Power fails during any change or sync: it and everything after it fails
    /// until [`FaultyDisk::crash`].
    Power,
}

/// What a program asks of the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Create,
    Remove,
    Write,
    Truncate,
    SyncFile,
    SyncFolder,
}

impl Fault {
    fn hits(self, operation: Operation) -> bool {
        match self {
            Fault::Write(_) => operation == Operation::Write,
            Fault::Sync => matches!(operation, Operation::SyncFile | Operation::SyncFolder),
            Fault::DiskFull => matches!(operation, Operation::Write | Operation::Create),
            Fault::Power => true,
        }
    }

    fn error(self) -> io::Error {
        match self {
            Fault::Write(kind) => kind.into(),
            Fault::Sync => io::Error::other("sync failed"),
            Fault::DiskFull => io::ErrorKind::StorageFull.into(),
            Fault::Power => power_is_off(),
        }
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("power is off")
}

/// A disk with one folder. Clones are the same disk.
#[derive(Clone)]
pub struct FaultyDisk {
    shared: Arc<Mutex<Disk>>,
}

#[derive(Clone)]
struct Disk {
    inodes: BTreeMap<u64, Inode>,
    inode_next: u64,
    /// Names as programs see them.
    names: BTreeMap<String, u64>,
    /// Names that survive a crash.
    names_durable: BTreeMap<String, u64>,
    /// Names created or removed since the folder was last synced.
    names_dirty: BTreeSet<String>,
    /// How many operations pass before the fault may strike, and the fault.
    armed: Option<(u64, Fault)>,
    power_off: bool,
    /// Number of crashes; files opened before the last one are dead.
    crashes: u64,
    random: SplitMix64,
    writes: u64,
    syncs: u64,
    operations: u64,
}

impl FaultyDisk {
    /// An empty disk. `seed` decides how much of a failing write is written.
    pub fn new(seed: u64) -> FaultyDisk {
        FaultyDisk {
            shared: Arc::new(Mutex::new(Disk {
                inodes: BTreeMap::new(),
                inode_next: 0,
                names: BTreeMap::new(),
                names_durable: BTreeMap::new(),
                names_dirty: BTreeSet::new(),
                armed: None,
                power_off: false,
                crashes: 0,
                random: SplitMix64::new(seed),
                writes: 0,
                syncs: 0,
                operations: 0,
            })),
        }
    }

    /// The same disk as a journal takes it.
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.clone())
    }

    /// Another disk with the same content, also of what is not yet synced.
    pub fn duplicate(&self) -> FaultyDisk {
        FaultyDisk {
            shared: Arc::new(Mutex::new(self.disk().clone())),
        }
    }

    /// Makes the next operation that `fault` can hit fail.
    pub fn fail_next(&self, fault: Fault) {
        self.fail_after(0, fault);
    }

    /// Lets `operations` changes and syncs pass, then makes the next one that
    /// `fault` can hit fail. Replaces an earlier fault.
    pub fn fail_after(&self, operations: u64, fault: Fault) {
        self.disk().armed = Some((operations, fault));
    }

    /// Loses power and comes back: a subset of what was not synced, chosen by
    /// `seed`, is forgotten. Open files are dead; no fault is armed.
    pub fn crash(&self, seed: u64) {
        let mut disk = self.disk();
        let disk = &mut *disk;
        let mut random = SplitMix64::new(seed);
        for inode in disk.inodes.values_mut() {
            inode.crash(&mut random);
        }
        for name in std::mem::take(&mut disk.names_dirty) {
            if random.below(2) == 0 {
                copy_entry(&disk.names, &mut disk.names_durable, &name);
            }
        }
        disk.names = disk.names_durable.clone();
        disk.forget_unnamed();
        disk.armed = None;
        disk.power_off = false;
        disk.crashes += 1;
    }

    /// Number of writes asked for, failed ones included.
    pub fn writes(&self) -> u64 {
        self.disk().writes
    }

    /// Number of file syncs asked for, failed ones included.
    pub fn syncs(&self) -> u64 {
        self.disk().syncs
    }

    /// Number of changes and syncs of any kind, failed ones included.
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// All names, in order.
    pub fn names(&self) -> Vec<String> {
        self.disk().names.keys().cloned().collect()
    }

    /// What programs see in a file.
    ///
    /// # Panics
    /// When there is no such file, as for all the following.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.disk().named(name).bytes().to_vec()
    }

    /// Flips the bits in `mask` of one byte, durably.
    pub fn flip(&self, name: &str, offset: u64, mask: u8) {
        assert_ne!(mask, 0, "a mask of zero changes nothing");
        let mut bytes = self.bytes(name);
        bytes[index(offset)] ^= mask;
        self.put(name, &bytes);
    }

    /// Puts a file with this content on the disk, durably, or replaces it.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut disk = self.disk();
        let id = match disk.names.get(name) {
            Some(id) => *id,
            None => disk.add_inode(),
        };
        disk.inodes.insert(id, Inode::durable(bytes));
        disk.names.insert(name.to_owned(), id);
        disk.names_durable.insert(name.to_owned(), id);
        disk.names_dirty.remove(name);
    }

    /// Deletes a file, durably.
    pub fn delete(&self, name: &str) {
        let mut disk = self.disk();
        disk.named(name);
        disk.names.remove(name);
        disk.names_durable.remove(name);
        disk.names_dirty.remove(name);
        disk.forget_unnamed();
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.shared.lock().expect("no operation on the disk panics")
    }
}

impl Disk {
    /// Counts an operation and fails it when its time has come.
    fn begin(&mut self, operation: Operation) -> Result<(), Fault> {
        self.operations += 1;
        match operation {
            Operation::Write => self.writes += 1,
            Operation::SyncFile => self.syncs += 1,
            _ => {}
        }
        if self.power_off {
            return Err(Fault::Power);
        }
        match &mut self.armed {
            Some((0, fault)) if fault.hits(operation) => {
                let fault = *fault;
                self.armed = None;
                self.power_off = fault == Fault::Power;
                Err(fault)
            }
            Some((passing, _)) => {
                *passing = passing.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn add_inode(&mut self) -> u64 {
        self.inode_next += 1;
        self.inode_next
    }

    fn named(&mut self, name: &str) -> &mut Inode {
        let id = self.names.get(name);
        let id = id.unwrap_or_else(|| panic!("no file {name} on the disk"));
        self.inodes.get_mut(id).expect("every name has an inode")
    }

    fn forget_unnamed(&mut self) {
        let names = self.names.values().chain(self.names_durable.values());
        let named: BTreeSet<u64> = names.copied().collect();
        self.inodes.retain(|id, _| named.contains(id));
    }
}

fn copy_entry(from: &BTreeMap<String, u64>, to: &mut BTreeMap<String, u64>, name: &str) {
    match from.get(name) {
        Some(id) => to.insert(name.to_owned(), *id),
        None => to.remove(name),
    };
}

/// Offsets are below the length of a `Vec` in memory.
fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("files in memory are small")
}

impl Storage for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let disk = self.disk();
        if disk.power_off {
            return Err(power_is_off());
        }
        Ok(disk.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let mut disk = self.disk();
        disk.begin(Operation::Create).map_err(Fault::error)?;
        if disk.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = disk.add_inode();
        disk.inodes.insert(id, Inode::durable(&[]));
        disk.names.insert(name.to_owned(), id);
        disk.names_dirty.insert(name.to_owned());
        Ok(self.handle(id, disk.crashes))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let disk = self.disk();
        if disk.power_off {
            return Err(power_is_off());
        }
        let id = disk.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(*id, disk.crashes))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.begin(Operation::Remove).map_err(Fault::error)?;
        disk.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        disk.names_dirty.insert(name.to_owned());
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut disk = self.disk();
        let failed = disk.begin(Operation::SyncFolder).err();
        let disk = &mut *disk;
        if disk.power_off {
            return Err(power_is_off());
        }
        // A folder, unlike data, stays dirty when its sync fails.
        if let Some(fault) = failed {
            return Err(fault.error());
        }
        for name in std::mem::take(&mut disk.names_dirty) {
            copy_entry(&disk.names, &mut disk.names_durable, &name);
        }
        Ok(())
    }
}

/// An open file.
struct Handle {
    disk: FaultyDisk,
    inode: u64,
    /// [`Disk::crashes`] when it was opened.
    crashes: u64,
}

impl FaultyDisk {
    fn handle(&self, inode: u64, crashes: u64) -> Arc<dyn StorageFile> {
        Arc::new(Handle {
            disk: self.clone(),
            inode,
            crashes,
        })
    }
}

impl Handle {
    /// The disk, if it is still the one on which the file was opened.
    fn alive(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.disk();
        if disk.crashes != self.crashes {
            return Err(io::Error::other("the file was opened before a crash"));
        }
        Ok(disk)
    }

    fn readable(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.alive()?;
        if disk.power_off {
            return Err(power_is_off());
        }
        Ok(disk)
    }
}

impl Disk {
    fn inode(&mut self, id: u64) -> io::Result<&mut Inode> {
        // Gone only when a test deleted the file behind its user's back.
        self.inodes
            .get_mut(&id)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl StorageFile for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.readable()?.inode(self.inode)?.bytes().len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.readable()?;
        let bytes = disk.inode(self.inode)?.bytes();
        let from = index(offset).min(bytes.len());
        let read = buf.len().min(bytes.len() - from);
        buf[..read].copy_from_slice(&bytes[from..from + read]);
        Ok(read)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = self.alive()?;
        let was_off = disk.power_off;
        let Err(fault) = disk.begin(Operation::Write) else {
            disk.inode(self.inode)?.write(bytes, index(offset));
            return Ok(());
        };
        if !was_off {
            // Part of a failing write is written, perhaps all of it.
            let written = disk.random.below(bytes.len() + 1);
            disk.inode(self.inode)?
                .write_part(bytes, written, index(offset));
        }
        Err(fault.error())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.alive()?;
        match disk.begin(Operation::SyncFile) {
            Ok(()) => disk.inode(self.inode)?.sync(),
            Err(Fault::Power) => return Err(power_is_off()),
            Err(fault) => {
                let mut random = SplitMix64::new(disk.random.next_u64());
                disk.inode(self.inode)?.fail_sync(&mut random);
                return Err(fault.error());
            }
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut disk = self.alive()?;
        disk.begin(Operation::Truncate).map_err(Fault::error)?;
        disk.inode(self.inode)?.truncate(index(len));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
