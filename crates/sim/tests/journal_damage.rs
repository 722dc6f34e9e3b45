//! Every kind of damage and every kind of tear, on every byte.

mod shared;

use journal::{Cut, Journal, JournalError, Opened, Options, Position};
use shared::{Records, commit, noise, open, options, options_known, read_through};
use sim::disk::FaultyDisk;

const SEGMENT_HEADER_BYTES: u64 = 60;
const SECTOR_BYTES: usize = 512;

/// A journal of several segments; the last batch spans several sectors.
struct Sample {
    disk: FaultyDisk,
    /// Where each batch ends; the first is [`Position::START`].
    ends: Vec<Position>,
    batches: Vec<Records>,
}

fn sample() -> Sample {
    let batches: Vec<Records> = (1..=14)
        .map(|number| {
            let records = if number == 14 { 6 } else { 1 + number % 3 };
            (0..records)
                .map(|record| noise(number * 100 + record, 250 + 90 * record as usize))
                .collect()
        })
        .collect();
    sample_of(batches)
}

fn sample_of(batches: Vec<Records>) -> Sample {
    let disk = FaultyDisk::new(1);
    let (mut journal, _) = open(&disk);
    let mut ends = vec![Position::START];
    for records in &batches {
        ends.push(commit(&mut journal, records).expect("the disk is good"));
    }
    journal.finish().expect("the disk is good");
    Sample {
        disk,
        ends,
        batches,
    }
}

fn segment_name(number: u32) -> String {
    format!("{number:08}.tgj")
}

impl Sample {
    fn last(&self) -> (Position, String) {
        let last = *self.ends.last().expect("there is one");
        (last, segment_name(last.segment))
    }

    /// Where the batch before the last one ends, which is in the same segment.
    fn before_last(&self) -> Position {
        let (last, _) = self.last();
        let before = self.ends[self.ends.len() - 2];
        assert_eq!(before.segment, last.segment);
        before
    }

    /// The batch that holds a byte, and where it begins; a segment header
    /// counts as the first batch's, beginning at 0.
    fn batch_at(&self, segment: u32, offset: u64) -> (u64, u64) {
        let index = self
            .ends
            .iter()
            .position(|end| end.segment == segment && end.offset > offset)
            .expect("the byte is in a batch");
        let before = self.ends[index - 1];
        let start = match before.segment == segment && before.offset > 0 {
            true => before.offset,
            false if offset < SEGMENT_HEADER_BYTES => 0,
            false => SEGMENT_HEADER_BYTES,
        };
        (self.ends[index].batch, start)
    }

    /// Checks that the disk is refused, read-only or not, and not touched.
    fn check_refused(&self, options: Options) -> JournalError {
        let before = contents(&self.disk);
        let operations = self.disk.operations();
        let error = Journal::open(self.disk.storage(), options.clone()).expect_err("damaged");
        let read_only = Options {
            read_only: true,
            ..options
        };
        let again = Journal::open(self.disk.storage(), read_only).expect_err("damaged");
        assert_eq!(error.to_string(), again.to_string());
        assert_eq!(
            contents(&self.disk),
            before,
            "a refused journal was changed"
        );
        assert_eq!(self.disk.operations(), operations);
        error
    }

    fn check_damaged(&self, expected_file: &str, expected_batch: u64) -> u64 {
        match self.check_refused(options()) {
            JournalError::Damaged {
                file,
                offset,
                batch,
                repair,
                ..
            } => {
                assert_eq!(file, expected_file);
                assert_eq!(batch, expected_batch);
                assert_eq!(
                    repair,
                    format!("restore {file} from a backup; nothing was changed")
                );
                offset
            }
            error => panic!("{error}"),
        }
    }

    /// Opens and checks that exactly the last batch was cut. What is told of it begins where the
    /// batch before it ends, and ends where only zeros follow; of zeros alone nothing is told.
    fn check_cut(&self) {
        let before_last = self.before_last();
        let segment = self.last().1;
        let bytes = self.disk.bytes(&segment);
        let written = bytes.iter().rposition(|byte| *byte != 0);
        let written = written.expect("the batches before it") as u64 + 1;
        let (_, opened) = open(&self.disk);
        let cut = written.checked_sub(before_last.offset).filter(|it| *it > 0);
        let cut = cut.map(|bytes| Cut {
            segment,
            offset: before_last.offset,
            bytes,
        });
        assert_eq!(opened.cut, cut);
        self.check_without_last(&opened);
    }

    /// Checks that all but the last batch are there and that the journal goes on.
    fn check_without_last(&self, opened: &Opened) {
        let before_last = self.before_last();
        assert_eq!(opened.end, before_last);
        let kept = self.batches.len() - 1;
        assert!(read_through(&self.disk, u64::MAX) == self.batches[..kept]);
        let (mut journal, reopened) = open(&self.disk);
        assert_eq!(reopened.cut, None);
        assert_eq!(reopened.bytes, opened.bytes);
        let end = commit(&mut journal, &self.batches[kept]).expect("the disk is good");
        assert_eq!(end, self.last().0);
    }
}

fn contents(disk: &FaultyDisk) -> Vec<(String, Vec<u8>)> {
    let names = disk.names().into_iter();
    names
        .map(|name| {
            let bytes = disk.bytes(&name);
            (name, bytes)
        })
        .collect()
}

#[test]
fn every_flipped_byte_is_damage_at_its_place() {
    let sample = sample();
    let (last, _) = sample.last();
    assert!(last.segment >= 3);
    for segment in 1..=last.segment {
        let name = segment_name(segment);
        for offset in 0..sample.disk.bytes(&name).len() as u64 {
            let (batch, start) = sample.batch_at(segment, offset);
            for mask in [0x01, 0x80, 0xFF] {
                sample.disk.flip(&name, offset, mask);
                let found = sample.check_damaged(&name, batch);
                assert!(
                    (start..=offset).contains(&found),
                    "{name} {offset}: {found}"
                );
                sample.disk.flip(&name, offset, mask);
            }
        }
    }
    open(&sample.disk);
}

#[test]
fn a_flipped_byte_is_damage_though_another_record_is_zeros() {
    let mut batches = sample().batches;
    batches.pop();
    batches.push(vec![noise(1, 700), vec![0; 2000], noise(2, 700)]);
    let sample = sample_of(batches);
    let (last, name) = sample.last();
    let start = sample.before_last().offset;
    let zeros = start + 24 + 8 + 700;
    for offset in start..last.offset {
        if (zeros..zeros + 8 + 2000).contains(&offset) {
            continue;
        }
        sample.disk.flip(&name, offset, 0x10);
        sample.check_damaged(&name, last.batch);
        sample.disk.flip(&name, offset, 0x10);
    }
}

#[test]
fn every_truncation_of_the_last_batch_is_cut() {
    let sample = sample();
    let (last, name) = sample.last();
    let start = sample.before_last().offset;
    let whole = sample.disk.bytes(&name);
    for length in start + 1..last.offset {
        sample.disk.put(&name, &whole[..length as usize]);
        sample.check_cut();
    }
    // Without a single byte of it there is nothing to cut.
    sample.disk.put(&name, &whole[..start as usize]);
    let (_, opened) = open(&sample.disk);
    assert_eq!(opened.cut, None);
    sample.check_without_last(&opened);
}

#[test]
fn every_truncation_before_a_known_place_is_damage() {
    let sample = sample();
    let (last, name) = sample.last();
    let whole = sample.disk.bytes(&name);
    for length in 0..last.offset {
        sample.disk.put(&name, &whole[..length as usize]);
        match sample.check_refused(options_known(last)) {
            JournalError::Damaged { file, repair, .. } => {
                assert_eq!(file, name);
                assert!(repair.contains("nothing was changed"));
            }
            JournalError::Behind { seen_batch, .. } => assert_eq!(seen_batch, last.batch),
            error => panic!("{error}"),
        }
    }
}

/// The parts of sectors that the last batch occupies, as ranges of file offsets.
fn sectors(sample: &Sample) -> Vec<std::ops::Range<usize>> {
    let start = sample.before_last().offset as usize;
    let end = sample.last().0.offset as usize;
    (start / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES))
        .map(|sector| (sector * SECTOR_BYTES).max(start)..((sector + 1) * SECTOR_BYTES).min(end))
        .collect()
}

#[test]
fn any_lost_sectors_of_the_last_batch_are_cut() {
    let sample = sample();
    let (last, name) = sample.last();
    let start = sample.before_last().offset;
    let whole = sample.disk.bytes(&name);
    let sectors = sectors(&sample);
    assert!((5..12).contains(&sectors.len()), "{}", sectors.len());
    for lost in 1u32..1 << sectors.len() {
        let mut bytes = whole.clone();
        for (index, range) in sectors.iter().enumerate() {
            if lost & (1 << index) != 0 {
                bytes[range.clone()].fill(0);
            }
        }
        sample.disk.put(&name, &bytes);
        sample.check_cut();
        // The file may be shorter, too.
        let shorter = start + 1 + u64::from(lost) * 7 % (last.offset - start - 1);
        sample.disk.put(&name, &bytes[..shorter as usize]);
        sample.check_cut();
    }
}

#[test]
fn any_lost_sector_is_cut_wherever_the_batch_begins() {
    for length in 0..=SECTOR_BYTES {
        let first = vec![noise(1, length)];
        let second = vec![noise(2, 300), noise(3, 1), noise(4, 400), noise(5, 80)];
        let sample = sample_of(vec![first, second]);
        let (_, name) = sample.last();
        let whole = sample.disk.bytes(&name);
        for range in sectors(&sample) {
            let mut bytes = whole.clone();
            bytes[range].fill(0);
            sample.disk.put(&name, &bytes);
            sample.check_cut();
        }
    }
}

#[test]
fn a_lost_sector_with_a_flipped_byte_elsewhere_is_damage() {
    let sample = sample();
    let (last, name) = sample.last();
    let sectors = sectors(&sample);
    let mut bytes = sample.disk.bytes(&name);
    // The last record is torn, the first one flipped.
    bytes[sectors[sectors.len() - 2].clone()].fill(0);
    bytes[sectors[0].start + 24 + 20] ^= 1;
    sample.disk.put(&name, &bytes);
    sample.check_damaged(&name, last.batch);
}

#[test]
fn zeros_behind_the_last_batch_are_no_tear() {
    let sample = sample();
    let (last, name) = sample.last();
    for zeros in [1, 23, 24, 25, 511, 512, 5000] {
        let whole = sample.disk.bytes(&name);
        let mut bytes = whole.clone();
        bytes.resize(bytes.len() + zeros, 0);
        sample.disk.put(&name, &bytes);
        let (_, opened) = open(&sample.disk);
        assert_eq!((opened.cut, opened.end), (None, last));
        assert_eq!(sample.disk.bytes(&name), whole, "the zeros are gone");
    }
}

/// What every byte and every sector means does not depend on zeros behind the last batch.
#[test]
fn tears_and_damage_before_zeros_are_told_apart() {
    let sample = sample();
    let (last, name) = sample.last();
    let mut padded = sample.disk.bytes(&name);
    padded.resize(padded.len() + 1700, 0);
    sample.disk.put(&name, &padded);
    for offset in 0..last.offset {
        let (batch, _) = sample.batch_at(last.segment, offset);
        for mask in [0x01, 0xFF] {
            sample.disk.flip(&name, offset, mask);
            sample.check_damaged(&name, batch);
            sample.disk.flip(&name, offset, mask);
        }
    }
    for lost in 1u32..1 << sectors(&sample).len() {
        let mut bytes = padded.clone();
        for (index, range) in sectors(&sample).into_iter().enumerate() {
            if lost & (1 << index) != 0 {
                bytes[range].fill(0);
            }
        }
        sample.disk.put(&name, &bytes);
        sample.check_cut();
    }
}

#[test]
fn a_last_batch_that_reads_as_zeros_is_missed_when_it_was_seen() {
    let sample = sample();
    let (last, name) = sample.last();
    let mut bytes = sample.disk.bytes(&name);
    bytes[sample.before_last().offset as usize..].fill(0);
    sample.disk.put(&name, &bytes);
    match sample.check_refused(options_known(last)) {
        JournalError::Behind { seen_batch, .. } => assert_eq!(seen_batch, last.batch),
        error => panic!("{error}"),
    }
}

#[test]
fn bytes_after_the_last_batch_are_damage() {
    let mut batches = sample().batches;
    batches[13].push(noise(9, 100));
    let sample = sample_of(batches);
    let (last, name) = sample.last();
    let whole = sample.disk.bytes(&name);
    // A header that crosses a sector could be torn; this one does not.
    assert!(last.offset % SECTOR_BYTES as u64 + 24 <= SECTOR_BYTES as u64);
    for zeros_after in [0, 900] {
        for written in [1, 24, 2000] {
            let mut bytes = whole.clone();
            bytes.extend_from_slice(&noise(5, written));
            bytes.resize(bytes.len() + zeros_after, 0);
            sample.disk.put(&name, &bytes);
            if written + zeros_after < 24 {
                // Less than a header: the file ends inside a batch.
                let (_, opened) = open(&sample.disk);
                assert_eq!(opened.cut.map(|cut| cut.bytes), Some(written as u64));
            } else {
                let found = sample.check_damaged(&name, last.batch + 1);
                assert_eq!(found, last.offset);
            }
        }
    }
}

#[test]
fn lost_sectors_before_the_last_batch_are_damage() {
    let sample = sample();
    let (last, _) = sample.last();
    for segment in 1..=last.segment {
        let name = segment_name(segment);
        let whole = sample.disk.bytes(&name);
        let end = match segment == last.segment {
            true => sample.before_last().offset as usize,
            false => whole.len(),
        };
        for sector in 0..end.div_ceil(SECTOR_BYTES) {
            let range = sector * SECTOR_BYTES..((sector + 1) * SECTOR_BYTES).min(whole.len());
            let (batch, _) = sample.batch_at(segment, range.start as u64);
            let mut bytes = whole.clone();
            bytes[range].fill(0);
            sample.disk.put(&name, &bytes);
            sample.check_damaged(&name, batch);
        }
        sample.disk.put(&name, &whole);
    }
}

#[test]
fn a_lost_header_is_damage_when_another_batch_follows() {
    for length in 0..=SECTOR_BYTES {
        let batches = vec![vec![noise(1, length)], vec![noise(2, 600)], vec![vec![3]]];
        let sample = sample_of(batches);
        let (_, name) = sample.last();
        let start = sample.ends[1].offset as usize;
        let mut bytes = sample.disk.bytes(&name);
        bytes[start..start.next_multiple_of(SECTOR_BYTES)].fill(0);
        if start.is_multiple_of(SECTOR_BYTES) {
            bytes[start..start + SECTOR_BYTES].fill(0);
        }
        sample.disk.put(&name, &bytes);
        assert_eq!(sample.check_damaged(&name, 2), start as u64);
    }
}

#[test]
fn a_missing_segment_is_damage_or_behind() {
    let sample = sample();
    let (last, _) = sample.last();
    for segment in 1..=last.segment {
        let name = segment_name(segment);
        let bytes = sample.disk.bytes(&name);
        sample.disk.delete(&name);
        if segment < last.segment {
            let (batch, _) = sample.batch_at(segment, SEGMENT_HEADER_BYTES);
            assert_eq!(sample.check_damaged(&name, batch), 0);
        } else {
            match sample.check_refused(options_known(last)) {
                JournalError::Behind { seen_batch, .. } => assert_eq!(seen_batch, last.batch),
                error => panic!("{error}"),
            }
        }
        sample.disk.put(&name, &bytes);
    }
}

#[test]
fn swapped_and_foreign_segments_are_damage() {
    let sample = sample();
    let (one, two) = (segment_name(1), segment_name(2));
    let (first, second) = (sample.disk.bytes(&one), sample.disk.bytes(&two));
    sample.disk.put(&one, &second);
    sample.disk.put(&two, &first);
    sample.check_damaged(&one, 1);
    sample.disk.put(&one, &first);

    // The same segment of a journal with another history.
    let mut batches = sample.batches.clone();
    batches[0][0][0] ^= 1;
    let other = sample_of(batches);
    sample.disk.put(&two, &other.disk.bytes(&two));
    let (batch, _) = sample.batch_at(2, SEGMENT_HEADER_BYTES);
    assert_eq!(sample.check_damaged(&two, batch), 0);
}

#[test]
fn a_torn_roll_is_removed() {
    let sample = sample();
    let (last, name) = sample.last();
    let next = segment_name(last.segment + 1);
    let header = &sample.disk.bytes(&name)[..60];
    for length in 0..=60 {
        // At its full length only zeros are a torn header.
        let start = match length {
            60 => vec![0; 60],
            _ => header[..length].to_vec(),
        };
        sample.disk.put(&next, &start);
        let (_, opened) = open(&sample.disk);
        let cut = Cut {
            segment: next.clone(),
            offset: 0,
            bytes: length as u64,
        };
        assert_eq!(opened.cut, Some(cut));
        assert_eq!(opened.end, last);
        assert!(!sample.disk.names().contains(&next));
    }
    // A segment is started only when the batch before it is durable.
    let whole = sample.disk.bytes(&name);
    sample.disk.put(&name, &whole[..whole.len() - 1]);
    sample.disk.put(&next, b"");
    sample.check_damaged(&name, last.batch);
    sample.disk.put(&name, &whole);

    sample.disk.put(&next, &[7; 60]);
    assert_eq!(sample.check_damaged(&next, last.batch + 1), 0);
    sample.disk.put(&next, &[0; 61]);
    assert_eq!(sample.check_damaged(&next, last.batch + 1), 0);
}
