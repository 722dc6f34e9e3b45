//! Copying a journal into another folder, whole or what a copy made earlier lacks of it.
//!
//! A copy has the same bytes at the same places, so it is a journal itself and tells how far it goes.
//! While it is being made there is a file beside it: a power failure leaves more of it in disorder
//! than one of a writer, which has one batch under way. Then what is good of it is gone on with.

use std::sync::Arc;

use crate::format::{FIRST_SEGMENT, segment_name};
use crate::storage::read_full;
use crate::{Journal, JournalError, Options, Position, Reader, Storage, StorageFile};

/// A file of this name is in a journal's folder while a copy is being made there.
pub const COPYING: &str = "copying";
/// Bytes that are moved at a time.
const PIECE: usize = 1 << 20;

/// What a copy came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Where the copy ends now. The chain hash covers everything in it.
    pub end: Position,
    /// The last batch that the copy had before.
    pub had: u64,
    /// Bytes that were written.
    pub bytes: u64,
}

/// Why a journal was not copied.
#[derive(thiserror::Error, Debug)]
pub enum CopyError {
    /// The journal that is copied cannot be read.
    #[error("the journal cannot be read")]
    From(#[source] JournalError),
    /// The copy cannot be read or written.
    #[error("the copy cannot be written")]
    To(#[source] JournalError),
    /// What is there is no copy of this journal, or one of a later state of it. It was left as it is.
    #[error(
        "there is another journal: its batch {batch} is not this journal's; take an empty folder"
    )]
    Differs {
        /// The last batch that is there.
        batch: u64,
    },
}

/// Brings `to`, an empty folder or an earlier copy, to where `from` ends now; beside the writer of
/// `from`, too. Every checksum and the chain are checked, of what is read and of what was written,
/// and the copy is durable when this returns.
///
/// # Errors
/// [`CopyError`]; after [`CopyError::To`] the copy may end earlier, and copying again goes on with it.
pub fn copy(from: Arc<dyn Storage>, to: Arc<dyn Storage>) -> Result<Copied, CopyError> {
    let options = Options {
        check_bytes: u64::MAX,
        read_only: true,
        ..Options::default()
    };
    let (_, opened) = Journal::open(Arc::clone(&from), options).map_err(CopyError::From)?;
    let end = opened.end;
    let had = end_of_copy(&to).map_err(CopyError::To)?;

    let mut reader = Reader::new(Arc::clone(&from), Position::START);
    read_through(&mut reader, had.batch).map_err(CopyError::From)?;
    if reader.position() != had {
        return Err(CopyError::Differs { batch: had.batch });
    }
    read_through(&mut reader, end.batch).map_err(CopyError::From)?;

    let marking = |error| CopyError::To(JournalError::io("write", COPYING)(error));
    mark(&*to).map_err(marking)?;
    let mut bytes = 0;
    for number in had.segment..=end.segment {
        let begin = if number == had.segment { had.offset } else { 0 };
        let until = (number == end.segment).then_some(end.offset);
        bytes += copy_segment(&*from, &*to, number, begin, until)?;
    }
    let mut written = Reader::new(Arc::clone(&to), had);
    read_through(&mut written, end.batch).map_err(CopyError::To)?;
    assert_eq!(written.position(), end, "a journal has one end");
    to.remove(COPYING).map_err(marking)?;
    to.sync_folder().map_err(marking)?;
    Ok(Copied {
        end,
        had: had.batch,
        bytes,
    })
}

/// Where an earlier copy ends; of one that was cut short, how far it is good.
fn end_of_copy(to: &Arc<dyn Storage>) -> Result<Position, JournalError> {
    let names = to.list().map_err(JournalError::io("list", "the folder"))?;
    if names.iter().any(|name| name == COPYING) {
        let mut reader = Reader::new(Arc::clone(to), Position::START);
        // It ends where the disorder begins.
        drop(read_through(&mut reader, u64::MAX));
        return Ok(reader.position());
    }
    let options = Options {
        check_bytes: u64::MAX,
        read_only: true,
        ..Options::default()
    };
    let (_, opened) = Journal::open(Arc::clone(to), options)?;
    Ok(opened.end)
}

fn mark(to: &dyn Storage) -> std::io::Result<()> {
    match to.create(COPYING) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    to.sync_folder()
}

fn read_through(reader: &mut Reader, batch: u64) -> Result<(), JournalError> {
    while reader.next(batch)?.is_some() {}
    Ok(())
}

/// Copies a segment from `begin` to `until`, or to its end. Returns the bytes written.
fn copy_segment(
    from: &dyn Storage,
    to: &dyn Storage,
    number: u32,
    begin: u64,
    until: Option<u64>,
) -> Result<u64, CopyError> {
    let name = segment_name(number);
    // A journal without a batch has no segment that must be there.
    if number == FIRST_SEGMENT && until == Some(0) {
        return Ok(0);
    }
    let reading = |error| CopyError::From(JournalError::io("read", &name)(error));
    let writing = |error| CopyError::To(JournalError::io("write", &name)(error));
    let source = from.open(&name).map_err(reading)?;
    let until = match until {
        Some(until) => until,
        None => source.len().map_err(reading)?,
    };
    let target: Arc<dyn StorageFile> = match to.open(&name) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let created = to.create(&name).map_err(writing)?;
            // Segments appear in order, whenever the power fails.
            to.sync_folder().map_err(writing)?;
            created
        }
        opened => opened.map_err(writing)?,
    };
    let mut piece = vec![0; PIECE];
    let mut at = begin;
    while at < until {
        let wanted = usize::try_from(until - at).map_or(PIECE, |left| left.min(PIECE));
        let read = read_full(&*source, &mut piece[..wanted], at).map_err(reading)?;
        if read == 0 {
            return Err(reading(std::io::ErrorKind::UnexpectedEof.into()));
        }
        target.write_all_at(&piece[..read], at).map_err(writing)?;
        at += read as u64;
    }
    target.truncate(until).map_err(writing)?;
    target.sync_data().map_err(writing)?;
    Ok(until - begin.min(until))
}
