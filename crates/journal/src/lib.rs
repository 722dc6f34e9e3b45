//! An append-only journal: numbered batches of opaque records in segment files.
//!
//! What goes in comes out in the same order, or the journal says where it is
//! damaged. It never knows what a record means.
//!
//! * [`Journal`] is the one writer: [`Journal::commit`] appends one [`Batch`]
//!   with one write and one `fdatasync`, and everything before it is durable.
//! * [`Reader`] reads committed batches, also while the writer appends.
//! * [`copy`](copy()) brings a copy in another folder to where the journal ends.
//! * [`Storage`] is the folder underneath: [`Folder`] for real files.
//!
//! Guarantees after a crash: every batch whose commit returned is there; a
//! batch whose commit did not return is there whole or not at all. Damage to
//! anything that was once durable is refused on open, with the place and the
//! way to repair, and nothing is changed.
//!
//! Absences: the journal reads no clock, starts no thread and takes no lock on
//! its folder; the caller sees to it that there is one writer.
//!
//! The bytes are described in [`format`](mod@format) and in `FORMAT.md`.

mod batch;
mod copy;
mod error;
mod folder;
pub mod format;
mod journal;
mod position;
mod reader;
mod recover;
mod scan;
mod storage;
mod tear;
mod window;

pub use batch::Batch;
pub use copy::{COPYING, Copied, CopyError, copy};
pub use error::JournalError;
pub use folder::Folder;
pub use journal::{Cut, Journal, Opened, Options};
pub use position::{Chain, Position};
pub use reader::{ReadBatch, Reader, Records};
pub use storage::{Storage, StorageFile};
