//! Faults and power failures at every operation: what was acknowledged stays,
//! what was not is there whole or not at all, and nothing else is ever there.

mod shared;

use std::io::ErrorKind;

use journal::{Batch, Journal, JournalError, Position};
use proptest::prelude::*;
use shared::{Records, batch_of, commit, noise, open, options, options_known, read_through};
use sim::disk::{Fault, FaultyDisk, SplitMix64};

/// The records of batch `number`: mostly small, now and then several sectors.
fn records(number: u64) -> Records {
    let mut random = SplitMix64::new(number);
    let longest = if number.is_multiple_of(4) { 1500 } else { 200 };
    (0..=random.below(4))
        .map(|_| {
            let seed = random.next_u64();
            noise(seed, random.below(longest))
        })
        .collect()
}

fn expected(batches: u64) -> Vec<Records> {
    (1..=batches).map(records).collect()
}

/// Commits until a commit fails; returns the last acknowledged place.
fn commit_until_failure(journal: &mut Journal, batches: u64) -> (Position, JournalError) {
    let mut acknowledged = journal.end();
    while acknowledged.batch < batches {
        match commit(journal, &records(acknowledged.batch + 1)) {
            Ok(end) => acknowledged = end,
            Err(error) => return (acknowledged, error),
        }
    }
    panic!("no commit failed");
}

fn check_closed(journal: &mut Journal) {
    let mut batch = batch_of(&records(1));
    for _ in 0..2 {
        let error = journal
            .commit(&mut batch)
            .expect_err("the journal is closed");
        assert!(matches!(error, JournalError::Closed), "{error}");
    }
    assert_eq!(batch.len(), records(1).len());
}

/// Opens and checks that `acknowledged` is there and at most one batch more;
/// then appends some and checks everything again.
fn check_recovered(disk: &FaultyDisk, acknowledged: Position) {
    let opened = Journal::open(disk.storage(), options_known(acknowledged));
    let (mut journal, opened) = opened.unwrap_or_else(|error| panic!("{error}"));
    let end = opened.end.batch;
    assert!(
        end == acknowledged.batch || end == acknowledged.batch + 1,
        "acknowledged {}, found {end}",
        acknowledged.batch
    );
    assert!(read_through(disk, u64::MAX) == expected(end));
    for _ in 0..3 {
        let next = records(journal.end().batch + 1);
        commit(&mut journal, &next).expect("the disk is good again");
    }
    let (_, opened) = open(disk);
    assert_eq!(opened.end, journal.end());
    assert_eq!(opened.cut, None);
    assert!(read_through(disk, u64::MAX) == expected(end + 3));
}

#[test]
fn a_failed_write_or_sync_closes_the_journal() {
    let faults = [
        Fault::Write(ErrorKind::Other),
        Fault::Write(ErrorKind::QuotaExceeded),
        Fault::Sync,
        Fault::DiskFull,
    ];
    for fault in faults {
        for seed in 0..200 {
            let disk = FaultyDisk::new(seed);
            let (mut journal, _) = open(&disk);
            disk.fail_after(seed % 60, fault);
            let (acknowledged, error) = commit_until_failure(&mut journal, 100);
            let full = matches!(
                fault,
                Fault::DiskFull | Fault::Write(ErrorKind::QuotaExceeded)
            );
            assert_eq!(error.is_disk_full(), full, "{error}");
            assert!(!error.is_read_only());
            let operations = disk.operations();
            check_closed(&mut journal);
            assert_eq!(
                disk.operations(),
                operations,
                "a closed journal writes nothing"
            );
            assert_eq!(journal.end(), acknowledged);

            // The process starts again, on the same running system or after a
            // power failure, at once or after it was opened once more.
            let powered = disk.duplicate();
            check_recovered(&powered, acknowledged);
            disk.crash(seed);
            check_recovered(&disk, acknowledged);
        }
    }
}

#[test]
fn what_was_found_on_open_survives_a_later_crash() {
    for seed in 0..2000 {
        let disk = FaultyDisk::new(seed);
        let (mut journal, _) = open(&disk);
        disk.fail_after(seed % 60, Fault::Sync);
        commit_until_failure(&mut journal, 100);
        // The failed sync left bytes that look written. If open shows the batch
        // it must be durable, though the system takes those bytes for clean.
        let (_, opened) = open(&disk);
        disk.crash(seed);
        let (_, after) = open(&disk);
        assert_eq!(after.end, opened.end, "seed {seed}");
        assert_eq!(after.cut, None, "seed {seed}");
    }
}

#[test]
fn power_failure_at_every_operation() {
    let batches = 25;
    let counted = FaultyDisk::new(0);
    let before = {
        let (mut journal, _) = open(&counted);
        let before = counted.operations();
        for number in 1..=batches {
            commit(&mut journal, &records(number)).expect("the disk is good");
        }
        before
    };
    for operation in 0..counted.operations() - before {
        for seed in 0..20 {
            let disk = FaultyDisk::new(seed);
            let (mut journal, _) = open(&disk);
            disk.fail_after(operation, Fault::Power);
            let (acknowledged, _) = commit_until_failure(&mut journal, batches);
            disk.crash(seed);
            check_recovered(&disk, acknowledged);
        }
    }
}

#[test]
fn power_failure_during_recovery() {
    for seed in 0..3000 {
        let disk = FaultyDisk::new(seed);
        let mut random = SplitMix64::new(seed);
        let (mut journal, _) = open(&disk);
        disk.fail_after(random.next_u64() % 60, Fault::Power);
        let (acknowledged, _) = commit_until_failure(&mut journal, 100);
        disk.crash(random.next_u64());
        for operation in 0..4 {
            disk.fail_after(operation, Fault::Power);
            let _ = Journal::open(disk.storage(), options_known(acknowledged));
            disk.crash(random.next_u64());
        }
        check_recovered(&disk, acknowledged);
    }
}

#[test]
fn power_failure_while_the_journal_is_created() {
    for operation in 0..10 {
        for seed in 0..50 {
            let disk = FaultyDisk::new(seed);
            disk.fail_after(operation, Fault::Power);
            let _ = Journal::open(disk.storage(), options());
            disk.crash(seed);
            check_recovered(&disk, Position::START);
        }
    }
}

#[test]
fn a_commit_is_one_write_and_one_sync_and_growing_one_write_more() {
    let disk = FaultyDisk::new(0);
    let (mut journal, _) = open(&disk);
    let mut batch = Batch::new();
    // Of 276 bytes: the first and the fifth make the file grow.
    for number in 0..8 {
        let (writes, syncs) = (disk.writes(), disk.syncs());
        let operations = disk.operations();
        batch.push(&[1; 100]);
        batch.push(&[2; 100]);
        journal.commit(&mut batch).expect("the disk is good");
        let grown = u64::from(number % 4 == 0);
        assert_eq!(disk.writes() - writes, 1 + grown);
        assert_eq!(disk.syncs() - syncs, 1);
        assert_eq!(disk.operations() - operations, 2 + grown);
    }
}

/// What happens to a journal.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<usize>),
    Fail(Fault, u64),
    Crash(u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::Write(ErrorKind::Other)),
        Just(Fault::Sync),
        Just(Fault::DiskFull),
        Just(Fault::Power),
    ];
    prop_oneof![
        10 => prop::collection::vec(0..900usize, 1..6).prop_map(Step::Commit),
        2 => (fault, 0..12u64).prop_map(|(fault, after)| Step::Fail(fault, after)),
        2 => any::<u64>().prop_map(Step::Crash),
        1 => Just(Step::Reopen),
    ]
}

/// A journal, and the batches that must be in it.
struct Model {
    disk: FaultyDisk,
    journal: Option<Journal>,
    acknowledged: Vec<Records>,
    /// The batch whose commit failed, which may be there too.
    doubtful: Option<Records>,
    known: Position,
}

impl Model {
    /// Opens and takes over what is there, which must be what may be there.
    fn reopen(&mut self) {
        let open = || Journal::open(self.disk.storage(), options_known(self.known));
        let (journal, opened) = open().unwrap_or_else(|_| {
            // An armed fault may be in the way; a crash disarms it.
            self.disk.crash(self.known.batch);
            open().expect("no fault is armed")
        });
        if opened.end.batch as usize == self.acknowledged.len() + 1 {
            let doubtful = self.doubtful.take();
            self.acknowledged
                .push(doubtful.expect("nothing else was written"));
        }
        self.doubtful = None;
        assert_eq!(opened.end.batch as usize, self.acknowledged.len());
        assert!(read_through(&self.disk, u64::MAX) == self.acknowledged);
        self.known = opened.end;
        self.journal = Some(journal);
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Commit(lengths) => {
                let number = self.acknowledged.len() as u64;
                let records: Records = lengths
                    .iter()
                    .enumerate()
                    .map(|(index, length)| noise(number * 10 + index as u64, *length))
                    .collect();
                let journal = self.journal.as_mut().expect("it is open");
                match commit(journal, &records) {
                    Ok(end) => {
                        self.known = end;
                        self.acknowledged.push(records);
                    }
                    Err(JournalError::Closed) => {}
                    Err(_) => self.doubtful = Some(records),
                }
            }
            Step::Fail(fault, after) => self.disk.fail_after(after, fault),
            Step::Crash(seed) => {
                self.disk.crash(seed);
                self.journal = None;
                self.reopen();
            }
            Step::Reopen => {
                self.journal = None;
                self.reopen();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_journal_is_a_vec_of_batches(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut model = Model {
            disk: FaultyDisk::new(seed),
            journal: None,
            acknowledged: Vec::new(),
            doubtful: None,
            known: Position::START,
        };
        model.reopen();
        for step in steps {
            model.run(step);
        }
        model.run(Step::Crash(seed));
    }
}
