use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::{Folder, Reader};

type Batches = Vec<Vec<Vec<u8>>>;

fn small_segments() -> Options {
    Options {
        segment_bytes: 400,
        ..Options::default()
    }
}

fn storage(path: &Path) -> Arc<dyn Storage> {
    Arc::new(Folder::open(path).expect("a temporary folder"))
}

fn open(path: &Path, options: Options) -> (Journal, Opened) {
    Journal::open(storage(path), options).expect("a good journal")
}

fn refused(path: &Path, options: Options) -> JournalError {
    Journal::open(storage(path), options).expect_err("a bad journal")
}

fn commit(journal: &mut Journal, records: &[Vec<u8>]) -> Position {
    let mut batch = Batch::new();
    for record in records {
        batch.push(record);
    }
    let end = journal.commit(&mut batch).expect("the disk is good");
    assert!(batch.is_empty());
    assert_eq!(end, journal.end());
    end
}

/// Batch `number` of every test: one to three records, some of them empty.
fn records(number: u8) -> Vec<Vec<u8>> {
    (0..=number % 3)
        .map(|index| vec![number; usize::from(number * index % 97)])
        .collect()
}

fn fill(journal: &mut Journal, numbers: std::ops::Range<u8>) -> Vec<Position> {
    numbers
        .map(|number| commit(journal, &records(number)))
        .collect()
}

fn read_all(path: &Path, from: Position) -> Batches {
    let mut reader = Reader::new(storage(path), from);
    let mut batches = Batches::new();
    while let Some(batch) = reader.next(u64::MAX).expect("a good journal") {
        batches.push(batch.records().map(<[u8]>::to_vec).collect());
    }
    batches
}

fn expected(numbers: std::ops::Range<u8>) -> Batches {
    numbers.map(records).collect()
}

#[test]
fn a_new_journal_is_empty() {
    let dir = TempDir::new().expect("a temporary folder");
    let path = dir.path().join("journal");
    let (journal, opened) = open(&path, Options::default());
    assert_eq!(journal.end(), Position::START);
    assert_eq!(opened.end, Position::START);
    assert_eq!((opened.segments, opened.bytes), (1, 60));
    assert_eq!(opened.cut, None);
    let mode = fs::metadata(&path).expect("just made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let file = fs::metadata(path.join("00000001.tgj")).expect("just made");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn round_trip_over_several_segments_and_openings() {
    let dir = TempDir::new().expect("a temporary folder");
    for round in 0..4 {
        let (mut journal, opened) = open(dir.path(), small_segments());
        assert_eq!(opened.end.batch, u64::from(round) * 20);
        assert_eq!(opened.cut, None);
        fill(&mut journal, round * 20..(round + 1) * 20);
    }
    let (journal, opened) = open(dir.path(), small_segments());
    assert!(opened.segments > 3, "{opened:?}");
    assert_eq!(journal.end().batch, 80);
    assert_eq!(read_all(dir.path(), Position::START), expected(0..80));
}

#[test]
fn a_commit_is_one_sync_and_a_roll_one_more() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, opened) = open(dir.path(), small_segments());
    fill(&mut journal, 0..50);
    let (_, reopened) = open(dir.path(), small_segments());
    let rolls = (reopened.segments - opened.segments) as u64;
    assert!(rolls > 0);
    assert_eq!(journal.syncs(), 50 + rolls);
}

#[test]
fn segments_are_rolled_at_their_limit() {
    let dir = TempDir::new().expect("a temporary folder");
    let batch_bytes = 24 + 8 + 100 + 36;
    for (segment_bytes, expected_segment) in [
        (60 + batch_bytes, 2),     // the first segment is exactly full
        (60 + batch_bytes + 1, 1), // one byte is left
        (0, 2),                    // every batch gets its own
    ] {
        let path = dir.path().join(segment_bytes.to_string());
        let options = Options {
            segment_bytes,
            ..Options::default()
        };
        let (mut journal, _) = open(&path, options);
        assert_eq!(commit(&mut journal, &[vec![1; 100]]).segment, 1);
        assert_eq!(
            commit(&mut journal, &[vec![1; 100]]).segment,
            expected_segment
        );
    }
}

#[test]
fn a_segment_grows_in_steps_of_zeros_and_ends_whole() {
    let dir = TempDir::new().expect("a temporary folder");
    let options = Options {
        segment_bytes: 1000,
        grow_bytes: 300,
        ..Options::default()
    };
    let (mut journal, _) = open(dir.path(), options.clone());
    let mut lengths = Vec::new();
    for number in 0..12 {
        let end = commit(&mut journal, &[vec![number; 60]]);
        let segment = dir.path().join(format!("{:08}.tgj", end.segment));
        let bytes = fs::read(segment).expect("it is there");
        assert!(bytes[end.offset as usize..].iter().all(|byte| *byte == 0));
        lengths.push((end.segment, end.offset, bytes.len() as u64));
    }
    // A batch takes 128 bytes. It grows the file when it goes beyond it, by 300 bytes more, to at
    // most 1000; the batch that passes the limit ends the file.
    let expected = [
        (1, 188, 488),
        (1, 316, 488),
        (1, 444, 488),
        (1, 572, 872),
        (1, 700, 872),
        (1, 828, 872),
        (1, 956, 1000),
        (1, 1084, 1084),
        (2, 188, 488),
        (2, 316, 488),
        (2, 444, 488),
        (2, 572, 872),
    ];
    assert_eq!(lengths, expected);
    assert_eq!(read_all(dir.path(), Position::START).len(), 12);

    let second = dir.path().join("00000002.tgj");
    let length = || fs::metadata(&second).expect("it is there").len();
    let end = journal.end();
    journal.finish().expect("the disk is good");
    assert_eq!(length(), 572, "an orderly end takes the zeros away");

    let (mut journal, opened) = open(dir.path(), options.clone());
    assert_eq!((opened.end, opened.cut), (end, None));
    commit(&mut journal, &[vec![12; 60]]);
    drop(journal);
    assert_eq!(length(), 1000, "a crash leaves them");
    let (journal, opened) = open(dir.path(), options);
    assert_eq!((opened.end, opened.cut), (journal.end(), None));
    assert_eq!(length(), 700, "the next opening takes them away");
}

#[test]
fn a_batch_over_the_limit_is_refused_and_the_journal_goes_on() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), Options::default());
    let mut batch = Batch::new();
    batch.record(|out| out.resize(out.len() + crate::format::RECORD_BYTES_MAX + 1, 1));
    let error = journal.commit(&mut batch).expect_err("too large");
    assert!(matches!(
        error,
        JournalError::TooLarge { what: "record", .. }
    ));
    assert_eq!(batch.len(), 1);
    assert_eq!(journal.syncs(), 0);
    commit(&mut journal, &records(0));
    assert_eq!(read_all(dir.path(), Position::START), expected(0..1));
}

#[test]
#[should_panic(expected = "an empty batch is never committed")]
fn an_empty_batch_is_refused() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), Options::default());
    let _ = journal.commit(&mut Batch::new());
}

#[test]
fn read_only_reports_a_tear_and_writes_nothing() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), Options::default());
    let ends = fill(&mut journal, 1..4);
    let segment = dir.path().join("00000001.tgj");
    let torn = &fs::read(&segment).expect("it is there")[..ends[2].offset as usize - 1];
    fs::write(&segment, torn).expect("a temporary folder");

    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    let folder = Folder::open_read_only(dir.path()).expect("it is there");
    let (_, opened) = Journal::open(Arc::new(folder), read_only).expect("a torn tail");
    let cut = Cut {
        segment: "00000001.tgj".to_owned(),
        offset: ends[1].offset,
        bytes: ends[2].offset - 1 - ends[1].offset,
    };
    assert_eq!(opened.cut, Some(cut.clone()));
    assert_eq!(opened.end, ends[1]);
    assert_eq!(fs::read(&segment).expect("it is there"), torn);

    let (_, opened) = open(dir.path(), Options::default());
    assert_eq!(opened.cut, Some(cut));
    assert_eq!(
        fs::read(&segment).expect("it is there"),
        &torn[..ends[1].offset as usize]
    );
    let (_, opened) = open(dir.path(), Options::default());
    assert_eq!(opened.cut, None);
}

#[test]
fn read_only_beside_a_writer() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), small_segments());
    let mut seen = Position::START;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..10 {
                fill(&mut journal, 0..100);
            }
        });
        while !writer.is_finished() {
            let folder = Folder::open_read_only(dir.path()).expect("it is there");
            let options = Options {
                read_only: true,
                known: Some(seen),
                ..small_segments()
            };
            let (_, opened) = Journal::open(Arc::new(folder), options).expect("a good journal");
            assert!(opened.end.batch >= seen.batch);
            seen = opened.end;
        }
    });
    assert_eq!(journal.end().batch, 1000);
}

#[test]
fn a_read_only_folder_refuses_changes() {
    let dir = TempDir::new().expect("a temporary folder");
    let folder = Folder::open_read_only(dir.path()).expect("it is there");
    let error = Journal::open(Arc::new(folder), Options::default()).expect_err("nothing there");
    assert!(error.is_read_only(), "{error}");
    assert!(!error.is_disk_full());
    assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
}

#[test]
fn a_read_only_journal_may_be_empty() {
    let dir = TempDir::new().expect("a temporary folder");
    let folder = Folder::open_read_only(dir.path()).expect("it is there");
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    let (_, opened) = Journal::open(Arc::new(folder), options).expect("nothing is wrong");
    assert_eq!(opened.end, Position::START);
    assert_eq!((opened.segments, opened.bytes), (0, 0));
}

#[test]
fn other_files_are_left_alone() {
    let dir = TempDir::new().expect("a temporary folder");
    fs::write(dir.path().join("notes.txt"), b"mine").expect("a temporary folder");
    let (_, opened) = open(dir.path(), Options::default());
    assert_eq!(opened.segments, 1);
    assert!(dir.path().join("notes.txt").exists());
}

#[test]
fn a_version_from_the_future_is_refused() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), Options::default());
    fill(&mut journal, 0..3);
    let segment = dir.path().join("00000001.tgj");
    let mut bytes = fs::read(&segment).expect("it is there");
    bytes[8] = 2;
    let crc = crc32fast::hash(&bytes[..56]);
    bytes[56..60].copy_from_slice(&crc.to_le_bytes());
    fs::write(&segment, &bytes).expect("a temporary folder");
    match refused(dir.path(), Options::default()) {
        JournalError::Format {
            file,
            found: 2,
            supported: 1,
        } => assert_eq!(file, "00000001.tgj"),
        error => panic!("{error}"),
    }
}

#[test]
fn old_segments_are_checked_by_header_and_link_only() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), small_segments());
    let ends = fill(&mut journal, 1..60);
    let last = ends.last().expect("59 batches").segment;
    assert!(last >= 4);
    let quick = |known| Options {
        check_bytes: 0,
        known,
        ..small_segments()
    };

    let segment = dir.path().join("00000002.tgj");
    let good = fs::read(&segment).expect("it is there");
    let mut bytes = good.clone();
    bytes[100] ^= 1;
    fs::write(&segment, &bytes).expect("a temporary folder");
    let (_, opened) = open(dir.path(), quick(None));
    assert_eq!(opened.end, ends[58]);
    refused(dir.path(), small_segments());
    // What follows a known place is always checked.
    let of = |segment| {
        *ends
            .iter()
            .find(|end| end.segment == segment)
            .expect("it holds one")
    };
    refused(dir.path(), quick(Some(of(1))));
    open(dir.path(), quick(Some(of(3))));

    // A sealed segment that lost its last batch no longer links to the next.
    let shorter = ends
        .iter()
        .filter(|end| end.segment == 2)
        .rev()
        .nth(1)
        .expect("two batches");
    fs::write(&segment, &good[..shorter.offset as usize]).expect("a temporary folder");
    for options in [quick(None), small_segments()] {
        match refused(dir.path(), options) {
            JournalError::Damaged { file, .. } => assert_eq!(file, "00000002.tgj"),
            error => panic!("{error}"),
        }
    }
}

#[test]
fn a_known_place_must_be_in_the_journal() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), small_segments());
    let ends = fill(&mut journal, 1..30);
    let with = |known| Options {
        known: Some(known),
        ..small_segments()
    };
    for end in &ends {
        open(dir.path(), with(*end));
    }
    open(dir.path(), with(Position::START));

    let other = Position {
        chain: [7; 32],
        ..ends[5]
    };
    match refused(dir.path(), with(other)) {
        JournalError::Damaged { batch: 6, .. } => {}
        error => panic!("{error}"),
    }
    let later = Position {
        batch: 30,
        ..ends[28]
    };
    match refused(dir.path(), with(later)) {
        JournalError::Behind {
            seen_batch: 30,
            end_batch: 29,
            ..
        } => {}
        error => panic!("{error}"),
    }
    // Nothing there at all is behind, too.
    match refused(&dir.path().join("new"), with(ends[0])) {
        JournalError::Behind {
            seen_batch: 1,
            end_batch: 0,
            ..
        } => {}
        error => panic!("{error}"),
    }
}

#[test]
fn errors_name_the_place_and_the_repair() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = open(dir.path(), Options::default());
    fill(&mut journal, 1..4);
    let segment = dir.path().join("00000001.tgj");
    let mut bytes = fs::read(&segment).expect("it is there");
    bytes[60 + 24 + 8 + 2] ^= 1;
    fs::write(&segment, &bytes).expect("a temporary folder");
    assert_eq!(
        refused(dir.path(), Options::default()).to_string(),
        "00000001.tgj is damaged at byte 92, batch 1: record checksum; \
         restore 00000001.tgj from a backup; nothing was changed"
    );
}
