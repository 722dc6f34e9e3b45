//! A storage whose syncs can be held up, so that a test decides what is in a group.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use journal::{Storage, StorageFile};

/// A sync held up for longer fails, so that a test that failed ends.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Door {
    /// How many syncs may still pass; `None`: all.
    passing: Option<u64>,
    waiting: bool,
}

/// Holds up `sync_data` when closed. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<dyn Storage>,
    door: Arc<(Mutex<Door>, Condvar)>,
}

impl Gate {
    /// An open gate in front of `inner`.
    pub fn new(inner: Arc<dyn Storage>) -> Gate {
        Gate {
            inner,
            door: Arc::default(),
        }
    }

    /// The same as a store takes it.
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.clone())
    }

    /// Lets `syncs` more pass and holds up the next one.
    pub fn close_after(&self, syncs: u64) {
        self.door().passing = Some(syncs);
    }

    /// Lets everything pass.
    pub fn open(&self) {
        self.door().passing = None;
        self.door.1.notify_all();
    }

    /// Returns when a sync is being held up.
    pub fn wait_for_one(&self) {
        let mut door = self.door();
        while !door.waiting {
            door = self
                .door
                .1
                .wait(door)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) -> io::Result<()> {
        let mut door = self.door();
        while door.passing == Some(0) {
            door.waiting = true;
            self.door.1.notify_all();
            let (held, gave_up) = self
                .door
                .1
                .wait_timeout(door, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner);
            door = held;
            if gave_up.timed_out() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        door.waiting = false;
        door.passing = door.passing.map(|left| left - 1);
        Ok(())
    }
}

impl Storage for Gate {
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.inner.create(name)?;
        let gate = self.clone();
        Ok(Arc::new(Gated { file, gate }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.inner.open(name)?;
        let gate = self.clone();
        Ok(Arc::new(Gated { file, gate }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.inner.sync_folder()
    }
}

struct Gated {
    file: Arc<dyn StorageFile>,
    gate: Gate,
}

impl StorageFile for Gated {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.gate.pass()?;
        self.file.sync_data()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }
}
