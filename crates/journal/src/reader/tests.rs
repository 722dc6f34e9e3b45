use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::{Batch, Folder, Journal, Options};

const OPTIONS: fn() -> Options = || Options {
    segment_bytes: 2000,
    ..Options::default()
};

fn storage(path: &Path) -> Arc<dyn Storage> {
    Arc::new(Folder::open(path).expect("a temporary folder"))
}

fn record(number: u64) -> Vec<u8> {
    // At most 299 bytes, which fits a usize.
    vec![number as u8; (number * 31 % 300) as usize]
}

/// Appends batches of one record each.
fn append(journal: &mut Journal, count: u64) -> Vec<Position> {
    let mut batch = Batch::new();
    (0..count)
        .map(|_| {
            batch.push(&record(journal.end().batch + 1));
            journal.commit(&mut batch).expect("the disk is good")
        })
        .collect()
}

fn filled(path: &Path, count: u64) -> Vec<Position> {
    let (mut journal, _) = Journal::open(storage(path), OPTIONS()).expect("a new journal");
    append(&mut journal, count)
}

#[test]
fn resumes_at_every_place() {
    let dir = TempDir::new().expect("a temporary folder");
    let mut places = vec![Position::START];
    places.extend(filled(dir.path(), 60));
    assert!(places[60].segment > 3);
    for from in &places {
        let mut reader = Reader::new(storage(dir.path()), *from);
        let mut expected = from.batch;
        while let Some(batch) = reader.next(u64::MAX).expect("a good journal") {
            expected += 1;
            assert_eq!(batch.number(), expected);
            assert_eq!(batch.end(), places[expected as usize]);
            let records: Vec<&[u8]> = batch.records().collect();
            assert_eq!(records, [record(expected)]);
        }
        assert_eq!(expected, 60);
        assert_eq!(reader.position(), places[60]);
    }
}

#[test]
fn stops_at_the_batch_it_is_told() {
    let dir = TempDir::new().expect("a temporary folder");
    filled(dir.path(), 10);
    let mut reader = Reader::new(storage(dir.path()), Position::START);
    for through in [0, 3, 3, 10] {
        while reader.next(through).expect("a good journal").is_some() {}
        assert_eq!(reader.position().batch, through);
    }
    assert!(reader.next(u64::MAX).expect("a good journal").is_none());
}

#[test]
fn sees_what_is_appended_after_the_end() {
    let dir = TempDir::new().expect("a temporary folder");
    let mut reader = Reader::new(storage(dir.path()), Position::START);
    assert!(reader.next(u64::MAX).expect("nothing there yet").is_none());
    let (mut journal, _) = Journal::open(storage(dir.path()), OPTIONS()).expect("a new journal");
    assert!(reader.next(u64::MAX).expect("only a header").is_none());
    for _ in 0..100 {
        let end = append(&mut journal, 1)[0];
        let batch = reader.next(u64::MAX).expect("a good journal");
        assert_eq!(batch.expect("one was appended").end(), end);
        assert!(reader.next(u64::MAX).expect("a good journal").is_none());
    }
    assert!(journal.end().segment > 3);
}

#[test]
fn tails_a_writer_in_another_thread() {
    let dir = TempDir::new().expect("a temporary folder");
    let (mut journal, _) = Journal::open(storage(dir.path()), OPTIONS()).expect("a new journal");
    let committed = AtomicU64::new(0);
    let last = 1500;
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..last {
                let end = append(&mut journal, 1)[0];
                committed.store(end.batch, Ordering::Release);
            }
        });
        let mut reader = Reader::new(storage(dir.path()), Position::START);
        while reader.position().batch < last {
            let through = committed.load(Ordering::Acquire);
            while let Some(batch) = reader.next(through).expect("a good journal") {
                let number = batch.number();
                assert!(batch.records().eq([record(number).as_slice()]));
            }
            assert!(reader.position().batch >= through);
        }
    });
}

#[test]
fn a_torn_tail_is_the_end_and_damage_is_an_error() {
    let dir = TempDir::new().expect("a temporary folder");
    let ends = filled(dir.path(), 5);
    let segment = dir.path().join("00000001.tgj");
    let good = fs::read(&segment).expect("it is there");

    fs::write(&segment, &good[..ends[4].offset as usize - 1]).expect("a temporary folder");
    let mut reader = Reader::new(storage(dir.path()), ends[3]);
    assert!(
        reader
            .next(u64::MAX)
            .expect("the file ends early")
            .is_none()
    );

    let mut bytes = good.clone();
    bytes[ends[2].offset as usize + 30] ^= 1;
    fs::write(&segment, &bytes).expect("a temporary folder");
    let mut reader = Reader::new(storage(dir.path()), ends[1]);
    assert!(reader.next(u64::MAX).expect("this one is good").is_some());
    match reader.next(u64::MAX).expect_err("a flipped bit") {
        JournalError::Damaged { file, batch: 4, .. } => assert_eq!(file, "00000001.tgj"),
        error => panic!("{error}"),
    }
}

#[test]
fn bytes_read_ahead_of_the_writer_are_read_again() {
    let dir = TempDir::new().expect("a temporary folder");
    let ends = filled(dir.path(), 3);
    let segment = dir.path().join("00000001.tgj");
    let good = fs::read(&segment).expect("it is there");
    let mut half_written = good.clone();
    half_written[ends[1].offset as usize + 30..].fill(0);

    fs::write(&segment, &half_written).expect("a temporary folder");
    let mut reader = Reader::new(storage(dir.path()), Position::START);
    while reader.next(2).expect("these two are good").is_some() {}
    fs::write(&segment, &good).expect("a temporary folder");
    let batch = reader.next(3).expect("now this one is, too");
    assert_eq!(batch.expect("it is there").end(), ends[2]);
}

#[test]
fn a_place_of_another_journal_is_refused() {
    let dir = TempDir::new().expect("a temporary folder");
    let ends = filled(dir.path(), 40);
    let check = |from: Position| {
        let mut reader = Reader::new(storage(dir.path()), from);
        let error = reader.next(u64::MAX).expect_err("not in this journal");
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    };
    check(Position {
        chain: [7; 32],
        ..ends[3]
    });
    check(Position {
        chain: [7; 32],
        ..Position::START
    });
    check(Position {
        offset: ends[3].offset + 1,
        ..ends[3]
    });
    check(Position {
        offset: 1 << 40,
        ..ends[3]
    });
    check(Position {
        segment: 77,
        ..ends[3]
    });
    check(Position {
        batch: 77,
        ..ends[3]
    });
}

#[test]
fn a_missing_segment_in_the_middle_is_not_the_end() {
    let dir = TempDir::new().expect("a temporary folder");
    let ends = filled(dir.path(), 40);
    let first = ends.iter().filter(|end| end.segment == 1).count() as u64;
    fs::remove_file(dir.path().join("00000002.tgj")).expect("it is there");
    let mut reader = Reader::new(storage(dir.path()), Position::START);
    while reader
        .next(first)
        .expect("the first segment is good")
        .is_some()
    {}
    // Alone the reader cannot know of later segments; the caller, who asked for
    // a batch that is committed, sees that it did not get it.
    assert!(reader.next(40).expect("nothing to read").is_none());
    assert_eq!(reader.position().batch, first);
}
