//! Copies of a journal on faulty disks: a copy is the journal, is gone on with whatever stopped it,
//! and is never made of another journal or of damage.

mod shared;

use std::io::ErrorKind;
use std::sync::Arc;

use journal::{CopyError, Journal, JournalError, Options, Position, copy};
use shared::{Records, commit, noise, open, options, options_known, read_through};
use sim::disk::{Fault, FaultyDisk, SplitMix64};

fn records(number: u64) -> Records {
    let mut random = SplitMix64::new(number);
    (0..=random.below(3))
        .map(|_| noise(random.next_u64(), random.below(700)))
        .collect()
}

fn write(journal: &mut Journal, batches: u64) {
    for _ in 0..batches {
        let next = records(journal.end().batch + 1);
        commit(journal, &next).expect("the disk is good");
    }
}

/// A journal of several segments.
fn written(batches: u64) -> (FaultyDisk, Journal) {
    let disk = FaultyDisk::new(1);
    let (mut journal, _) = open(&disk);
    write(&mut journal, batches);
    (disk, journal)
}

fn read_only() -> Options {
    Options {
        check_bytes: u64::MAX,
        read_only: true,
        ..options()
    }
}

/// A copy opens as a journal, ends where it should, holds the same, and is written on.
fn check_copy(copied: &FaultyDisk, end: Position) {
    let (mut journal, opened) = Journal::open(copied.storage(), options_known(end)).expect("good");
    assert_eq!((opened.end, opened.cut), (end, None));
    let all: Vec<Records> = (1..=end.batch).map(records).collect();
    assert!(read_through(copied, u64::MAX) == all);
    write(&mut journal, 3);
    assert_eq!(read_through(copied, u64::MAX).len() as u64, end.batch + 3);
}

#[test]
fn a_copy_is_the_journal() {
    for batches in [0, 1, 2, 7, 40] {
        let (disk, journal) = written(batches);
        let target = FaultyDisk::new(2);
        let copied = copy(disk.storage(), target.storage()).expect("good disks");
        assert_eq!((copied.end, copied.had), (journal.end(), 0));
        check_copy(&target, journal.end());
    }
}

#[test]
fn a_copy_is_brought_up_to_date_with_only_what_it_lacks() {
    let (disk, mut journal) = written(5);
    let target = FaultyDisk::new(2);
    let mut bytes = copy(disk.storage(), target.storage())
        .expect("good disks")
        .bytes;
    for more in [0, 1, 13, 0, 30] {
        let had = journal.end().batch;
        write(&mut journal, more);
        let copied = copy(disk.storage(), target.storage()).expect("good disks");
        assert_eq!((copied.had, copied.end), (had, journal.end()));
        assert_eq!(copied.bytes > 0, more > 0);
        bytes += copied.bytes;
    }
    let whole = FaultyDisk::new(3);
    let at_once = copy(disk.storage(), whole.storage()).expect("good disks");
    assert_eq!(at_once.bytes, bytes, "nothing was written twice");
    assert_eq!(whole.names(), target.names());
    for name in whole.names() {
        assert!(whole.bytes(&name) == target.bytes(&name), "{name}");
    }
    check_copy(&target, journal.end());
}

#[test]
fn power_failures_of_the_copys_disk_lose_nothing_but_time() {
    let (disk, journal) = written(40);
    let quiet = FaultyDisk::new(2);
    copy(disk.storage(), quiet.storage()).expect("good disks");
    let operations = quiet.operations();
    assert!(operations > 20, "{operations}");
    for operation in 0..operations {
        for fault in [
            Fault::Write(ErrorKind::Other),
            Fault::Sync,
            Fault::DiskFull,
            Fault::Power,
        ] {
            let target = FaultyDisk::new(operation);
            target.fail_after(operation, fault);
            match copy(disk.storage(), target.storage()) {
                Err(CopyError::To(JournalError::Io { .. })) => {}
                // The fault was of a kind that this operation does not feel.
                Ok(copied) => assert_eq!(copied.end, journal.end()),
                Err(other) => panic!("{operation} {fault:?}: {other}"),
            }
            target.crash(operation);
            // Until then it is no journal, or it is a whole one.
            match Journal::open(target.storage(), read_only()) {
                Err(JournalError::Unfinished) => {}
                Ok((_, opened)) => assert!([0, journal.end().batch].contains(&opened.end.batch)),
                Err(other) => panic!("{operation} {fault:?}: {other}"),
            }
            let again = copy(disk.storage(), target.storage());
            let again = again.unwrap_or_else(|error| panic!("{operation} {fault:?}: {error:?}"));
            assert_eq!(again.end, journal.end());
            check_copy(&target, journal.end());
        }
    }
}

#[test]
fn a_copy_of_another_journal_is_left_as_it_is() {
    let (disk, _) = written(10);
    let other = FaultyDisk::new(7);
    let (mut journal, _) = open(&other);
    for number in 100..103 {
        commit(&mut journal, &records(number)).expect("the disk is good");
    }
    journal.finish().expect("the disk is good");
    let before: Vec<_> = other.names().iter().map(|name| other.bytes(name)).collect();
    let refused = copy(disk.storage(), other.storage()).expect_err("another journal");
    assert!(
        matches!(refused, CopyError::Differs { batch: 3 }),
        "{refused}"
    );
    let after: Vec<_> = other.names().iter().map(|name| other.bytes(name)).collect();
    assert!(before == after);

    // So is a copy that knows more than the journal.
    let (longer, _) = written(12);
    let target = FaultyDisk::new(8);
    copy(longer.storage(), target.storage()).expect("good disks");
    let refused = copy(disk.storage(), target.storage()).expect_err("a later state");
    assert!(
        matches!(refused, CopyError::Differs { batch: 12 }),
        "{refused}"
    );
}

#[test]
fn damage_is_not_copied() {
    let (disk, _) = written(40);
    let names = disk.names();
    for (nth, name) in names.iter().enumerate() {
        let length = disk.bytes(name).len() as u64;
        for offset in (0..length).step_by(211) {
            let damaged = disk.duplicate();
            damaged.flip(name, offset, 0x10);
            let read = Journal::open(damaged.storage(), read_only());
            let target = FaultyDisk::new(3);
            match (read, copy(damaged.storage(), target.storage())) {
                (Err(_), Err(CopyError::From(_))) => {}
                // A flipped bit in the zeros behind the end, or in the last batch, which then looks
                // torn: what there is, is whole.
                (Ok((_, opened)), Ok(copied)) => {
                    assert_eq!(nth + 1, names.len(), "{name} {offset}");
                    assert_eq!(copied.end, opened.end);
                    check_copy(&target, opened.end);
                }
                (read, copied) => panic!("{name} {offset}: {:?} {copied:?}", read.is_ok()),
            }
        }
    }
}

#[test]
fn a_copy_is_made_beside_the_writer() {
    let (disk, mut journal) = written(3);
    let target = FaultyDisk::new(2);
    let (source, storage) = (disk.storage(), target.storage());
    let copying = std::thread::spawn(move || {
        let mut ends = Vec::new();
        while ends.last() != Some(&200) {
            let copied = copy(Arc::clone(&source), Arc::clone(&storage));
            ends.push(copied.expect("good disks").end.batch);
        }
        ends
    });
    write(&mut journal, 197);
    let ends = copying.join().expect("no panic");
    assert!(ends.is_sorted());
    check_copy(&target, journal.end());
}
