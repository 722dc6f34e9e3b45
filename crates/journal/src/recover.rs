//! Opening a journal: look at everything first, then repair the tail.
//!
//! 1. List the segments; their numbers must have no gap.
//! 2. Read every segment header; each must continue the one before. A last file
//!    with an incomplete header is a torn roll.
//! 3. Check every batch from the first segment that must be checked to the end.
//!    A bad batch at the very end may be torn; see [`crate::tear`].
//! 4. Compare with the place that was already seen.
//! 5. Only then, and not when opened read-only: remove the torn roll, cut the
//!    torn tail and the zeros behind the last batch, make the rest durable.
//!
//! Steps 1 to 4 write nothing, so a refused journal is as it was found.

use std::io;
use std::sync::Arc;

use crate::copy::COPYING;
use crate::format::{
    FIRST_SEGMENT, HeaderFault, SEGMENT_HEADER_BYTES, SegmentHeader, TRAILER_BYTES, VERSION,
    decode_trailer, parse_segment_name, segment_name,
};
use crate::scan::{Scan, scan};
use crate::storage::read_full;
use crate::tear::{is_torn, written_end};
use crate::window::Window;
use crate::{Cut, JournalError, Options, Position, Storage, StorageFile};

/// How often a bad batch is looked at again when there may be a writer in the middle of it.
const LOOKS: u32 = 8;

/// A segment with a valid header.
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    /// Length in bytes, without a torn tail and without zeros behind the last batch.
    pub(crate) bytes: u64,
}

/// What steps 1 to 4 found.
pub(crate) struct Found {
    pub(crate) segments: Vec<Segment>,
    pub(crate) end: Position,
    pub(crate) cut: Option<Cut>,
    torn_roll: bool,
    /// Where the last batch of the last segment begins; 0 when it holds none.
    tail_start: u64,
}

/// Where checking the batches of one segment ended.
struct Walked {
    end: Position,
    /// 0 when the segment holds no batch.
    last_batch_start: u64,
    /// Where the last batch ends, and so the segment without a torn tail.
    bytes: u64,
    /// Length of a torn tail in bytes, without zeros behind it.
    torn_bytes: Option<u64>,
}

/// Steps 1 to 4.
pub(crate) fn examine(storage: &dyn Storage, options: &Options) -> Result<Found, JournalError> {
    let numbers = segment_numbers(storage)?;
    let (mut segments, torn_roll) = load_headers(storage, &numbers)?;
    let first = first_to_check(&segments, options);
    for index in 0..first {
        check_link(storage, &segments, index)?;
    }

    let mut cut = torn_roll;
    let torn_roll = cut.is_some();
    let mut end = start_of(&segments, first);
    let mut tail_start = 0;
    for index in first..segments.len() {
        let is_tail = index + 1 == segments.len() && !torn_roll;
        let at = start_of(&segments, index);
        let walked = walk(storage, &segments[index], at, options, is_tail)?;
        if let Some(bytes) = walked.torn_bytes {
            cut = Some(Cut {
                segment: segment_name(segments[index].header.number),
                offset: walked.bytes,
                bytes,
            });
        }
        segments[index].bytes = walked.bytes;
        if let Some(next) = segments.get(index + 1) {
            check_continues(&walked.end, &segments[index], &next.header)?;
        }
        end = walked.end;
        tail_start = walked.last_batch_start;
    }
    check_reached(&end, cut.as_ref(), options.known.as_ref())?;
    Ok(Found {
        segments,
        end,
        cut,
        torn_roll,
        tail_start,
    })
}

/// Step 5. Afterwards everything up to the end is durable and the last segment
/// can be appended to.
pub(crate) fn repair(storage: &dyn Storage, found: &Found) -> Result<(), JournalError> {
    if let Some(cut) = &found.cut
        && found.torn_roll
    {
        storage
            .remove(&cut.segment)
            .map_err(JournalError::io("remove", &cut.segment))?;
    }
    if let Some(last) = found.segments.last() {
        let name = segment_name(last.header.number);
        let file = storage
            .open(&name)
            .map_err(JournalError::io("open", &name))?;
        let length = file.len().map_err(JournalError::io("read", &name))?;
        if length > last.bytes {
            file.truncate(last.bytes)
                .map_err(JournalError::io("truncate", &name))?;
        }
        rewrite_tail(&*file, found.tail_start, last.bytes)
            .map_err(JournalError::io("rewrite", &name))?;
        file.sync_data().map_err(JournalError::io("sync", &name))?;
    }
    storage
        .sync_folder()
        .map_err(JournalError::io("sync", "the folder"))
}

/// Writes the last batch again, unchanged. After a failed sync the system may
/// show bytes that are not on disk and that another sync would not write; once
/// they have been written again it does.
fn rewrite_tail(file: &dyn StorageFile, from: u64, to: u64) -> io::Result<()> {
    // A batch, or a header and a batch: bounded by the batch limit.
    let mut bytes = vec![0; (to - from) as usize];
    if read_full(file, &mut bytes, from)? < bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.write_all_at(&bytes, from)
}

fn segment_numbers(storage: &dyn Storage) -> Result<Vec<u32>, JournalError> {
    let names = storage
        .list()
        .map_err(JournalError::io("list", "the folder"))?;
    if names.iter().any(|name| name == COPYING) {
        return Err(JournalError::Unfinished);
    }
    let mut numbers: Vec<u32> = names
        .iter()
        .filter_map(|name| parse_segment_name(name))
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Step 2. The second result is a torn roll, which is not among the segments.
fn load_headers(
    storage: &dyn Storage,
    numbers: &[u32],
) -> Result<(Vec<Segment>, Option<Cut>), JournalError> {
    let mut segments: Vec<Segment> = Vec::with_capacity(numbers.len());
    for (&number, expected) in numbers.iter().zip(FIRST_SEGMENT..) {
        if number != expected {
            let batch = batch_after(storage, &segments);
            return Err(JournalError::damaged(
                expected,
                0,
                batch,
                "the file is missing",
            ));
        }
        let name = segment_name(number);
        let file = storage
            .open(&name)
            .map_err(JournalError::io("open", &name))?;
        let bytes = file.len().map_err(JournalError::io("read", &name))?;
        let mut start = [0; SEGMENT_HEADER_BYTES];
        let read = read_full(&*file, &mut start, 0).map_err(JournalError::io("read", &name))?;
        // The header is durable before any batch is written behind it.
        let only_header = bytes <= SEGMENT_HEADER_BYTES as u64;
        let incomplete = read < start.len() || start.iter().all(|byte| *byte == 0);
        if segments.len() + 1 == numbers.len() && only_header && incomplete {
            let segment = name;
            return Ok((
                segments,
                Some(Cut {
                    segment,
                    offset: 0,
                    bytes,
                }),
            ));
        }
        let damaged =
            |what: &str| JournalError::damaged(number, 0, batch_after(storage, &segments), what);
        if read < start.len() {
            return Err(damaged("the segment header is incomplete"));
        }
        let header = match SegmentHeader::decode(&start) {
            Ok(header) => header,
            Err(HeaderFault::Damaged(what)) => return Err(damaged(what)),
            Err(HeaderFault::Version(found)) => {
                let supported = VERSION;
                return Err(JournalError::Format {
                    file: name,
                    found,
                    supported,
                });
            }
        };
        if header.number != number {
            return Err(damaged(&format!(
                "it is segment {}, renamed",
                header.number
            )));
        }
        let follows = match segments.last() {
            Some(previous) => header.first_batch > previous.header.first_batch,
            None => header.first_batch == 1 && header.chain == Position::START.chain,
        };
        if !follows {
            return Err(damaged("it does not continue the segment before it"));
        }
        segments.push(Segment { header, bytes });
    }
    Ok((segments, None))
}

/// The batch that must follow the loaded segments, as far as it can be told.
fn batch_after(storage: &dyn Storage, segments: &[Segment]) -> u64 {
    let Some(index) = segments.len().checked_sub(1) else {
        return 1;
    };
    let at = start_of(segments, index);
    match walk(storage, &segments[index], at, &Options::default(), false) {
        Ok(walked) => walked.end.batch + 1,
        Err(_) => segments[index].header.first_batch,
    }
}

/// The place right before the first batch of a segment.
fn start_of(segments: &[Segment], index: usize) -> Position {
    let Some(before) = index.checked_sub(1) else {
        return Position::START;
    };
    let header = &segments[index].header;
    Position {
        batch: header.first_batch - 1,
        segment: header.number - 1,
        offset: segments[before].bytes,
        chain: header.chain,
    }
}

/// The oldest segment whose batches must be checked: the newest `check_bytes`,
/// what follows the known place, and always the last segment.
fn first_to_check(segments: &[Segment], options: &Options) -> usize {
    let mut checked = 0;
    let mut first = segments.len().saturating_sub(1);
    for (index, segment) in segments.iter().enumerate().rev() {
        if checked >= options.check_bytes && index < first {
            break;
        }
        checked += segment.bytes;
        first = index;
    }
    match options.known {
        Some(known) if known.batch > 0 => {
            let holding = segments.partition_point(|it| it.header.first_batch <= known.batch);
            first.min(holding.saturating_sub(1))
        }
        _ => first,
    }
}

/// Checks that a sealed segment ends with the chain hash its successor begins with.
fn check_link(
    storage: &dyn Storage,
    segments: &[Segment],
    index: usize,
) -> Result<(), JournalError> {
    let number = segments[index].header.number;
    let next = &segments[index + 1].header;
    let name = segment_name(number);
    let last_batch = next.first_batch - 1;
    let bytes = segments[index].bytes;
    let at = bytes.saturating_sub(TRAILER_BYTES as u64);
    let mut trailer = [0; TRAILER_BYTES];
    let file = storage
        .open(&name)
        .map_err(JournalError::io("open", &name))?;
    let read = read_full(&*file, &mut trailer, at).map_err(JournalError::io("read", &name))?;
    if read == trailer.len() && decode_trailer(&trailer) == Some(next.chain) {
        return Ok(());
    }
    let what = "its end does not match the next segment";
    Err(JournalError::damaged(number, at, last_batch, what))
}

/// Checks that a segment whose batches are all good is continued by the next one.
fn check_continues(
    end: &Position,
    segment: &Segment,
    next: &SegmentHeader,
) -> Result<(), JournalError> {
    if end.batch + 1 < next.first_batch {
        let what = format!("batches up to {} are missing", next.first_batch - 1);
        let number = segment.header.number;
        return Err(JournalError::damaged(
            number,
            segment.bytes,
            end.batch + 1,
            what,
        ));
    }
    if end.batch + 1 > next.first_batch || end.chain != next.chain {
        let what = "it does not continue the segment before it";
        return Err(JournalError::damaged(next.number, 0, end.batch + 1, what));
    }
    Ok(())
}

/// Checks all batches of a segment, from `at` right before its first one.
fn walk(
    storage: &dyn Storage,
    segment: &Segment,
    at: Position,
    options: &Options,
    is_tail: bool,
) -> Result<Walked, JournalError> {
    let number = segment.header.number;
    let name = segment_name(number);
    let file = storage
        .open(&name)
        .map_err(JournalError::io("open", &name))?;
    let read_error = || JournalError::io("read", &name);
    let mut length = segment.bytes;
    let mut window = Window::default();
    let mut looks = 0;
    let mut walked = Walked {
        end: at,
        last_batch_start: 0,
        bytes: SEGMENT_HEADER_BYTES as u64,
        torn_bytes: None,
    };
    loop {
        let end = &mut walked.end;
        let offset = walked.bytes;
        let found =
            scan(&mut window, &*file, offset, end.batch, &end.chain).map_err(read_error())?;
        let (bad_at, what) = match found {
            Scan::End => return Ok(walked),
            Scan::Whole { header, chain } => {
                walked.last_batch_start = offset;
                walked.bytes += header.total_bytes() as u64;
                *end = Position {
                    batch: header.number,
                    segment: number,
                    offset: walked.bytes,
                    chain,
                };
                check_known(end, options.known.as_ref())?;
                looks = 0;
                continue;
            }
            Scan::Blank => {
                let written = written_end(&*file, offset, length).map_err(read_error())?;
                if is_tail && written == offset {
                    return Ok(walked);
                }
                (offset, "zeros in place of a batch header".to_owned())
            }
            Scan::Short => (offset, "the file ends inside the batch".to_owned()),
            Scan::Bad { offset, what } => (offset, what),
        };
        if options.read_only && looks < LOOKS {
            // There may be a writer in the middle of this batch.
            looks += 1;
            length = file.len().map_err(read_error())?;
            window.clear();
            std::thread::yield_now();
            continue;
        }
        let torn = is_tail
            && is_torn(&*file, offset, length, end.batch, &end.chain).map_err(read_error())?;
        if !torn {
            return Err(JournalError::damaged(number, bad_at, end.batch + 1, what));
        }
        let written = written_end(&*file, offset, length).map_err(read_error())?;
        walked.torn_bytes = Some(written - offset);
        return Ok(walked);
    }
}

/// Compares a batch that is there with the place that was already seen.
fn check_known(here: &Position, known: Option<&Position>) -> Result<(), JournalError> {
    match known {
        Some(known) if known.batch == here.batch && known != here => Err(JournalError::Damaged {
            file: segment_name(here.segment),
            offset: here.offset,
            batch: here.batch,
            what: "this batch is not the one that was already seen".to_owned(),
            repair: "restore the journal and what was made from it from the same backup; \
                     nothing was changed"
                .to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Checks that the journal has not lost the place that was already seen.
fn check_reached(
    end: &Position,
    cut: Option<&Cut>,
    known: Option<&Position>,
) -> Result<(), JournalError> {
    let Some(known) = known.filter(|known| known.batch > end.batch) else {
        return Ok(());
    };
    match cut {
        Some(cut) => Err(JournalError::Damaged {
            file: cut.segment.clone(),
            offset: cut.offset,
            batch: end.batch + 1,
            what: format!(
                "the file ends here, but batch {} was already seen",
                known.batch
            ),
            repair: format!("restore {} from a backup; nothing was changed", cut.segment),
        }),
        None => Err(JournalError::Behind {
            seen_batch: known.batch,
            end_batch: end.batch,
            file: segment_name(end.segment),
            offset: end.offset,
            repair: format!(
                "restore {} and what follows it from a backup; nothing was changed",
                segment_name(end.segment)
            ),
        }),
    }
}

/// Creates a segment with a durable header and a durable name.
///
/// The header is durable before the first batch is written, so a file that
/// holds any batch bytes has a whole header.
pub(crate) fn create_segment(
    storage: &dyn Storage,
    header: &SegmentHeader,
) -> Result<Arc<dyn StorageFile>, JournalError> {
    let name = segment_name(header.number);
    let file = storage
        .create(&name)
        .map_err(JournalError::io("create", &name))?;
    file.write_all_at(&header.encode(), 0)
        .map_err(JournalError::io("write", &name))?;
    file.sync_data().map_err(JournalError::io("sync", &name))?;
    storage
        .sync_folder()
        .map_err(JournalError::io("sync", "the folder"))?;
    Ok(file)
}
