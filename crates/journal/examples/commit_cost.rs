//! What a batch costs: `commit_cost FOLDER [BATCHES]`.
//!
//! On a folder in memory (`/dev/shm`) this is processor time; on a disk the
//! commit includes its sync.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Batch, Folder, Journal, Options, Position, Reader, Storage};

const RECORDS: usize = 1024;
const RECORD_BYTES: usize = 250;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let batches: u32 = match arguments.next() {
        Some(count) => count.to_str().ok_or("a number of batches")?.parse()?,
        None => 1000,
    };
    let storage: Arc<dyn Storage> = Arc::new(Folder::open(&folder)?);
    let (mut journal, opened) = Journal::open(Arc::clone(&storage), Options::default())?;
    if opened.end != Position::START {
        return Err("the folder already holds a journal".into());
    }

    let record: Vec<u8> = (0..RECORD_BYTES).map(|index| index as u8).collect();
    let mut batch = Batch::new();
    let mut filling = Duration::ZERO;
    let mut committing = Duration::ZERO;
    for _ in 0..batches {
        let start = Instant::now();
        for _ in 0..RECORDS {
            batch.push(&record);
        }
        filling += start.elapsed();
        let start = Instant::now();
        journal.commit(&mut batch)?;
        committing += start.elapsed();
    }
    let syncs = journal.syncs();
    drop(journal);

    let start = Instant::now();
    let (_, opened) = Journal::open(Arc::clone(&storage), Options::default())?;
    let opening = start.elapsed();

    let start = Instant::now();
    let mut reader = Reader::new(storage, Position::START);
    let mut bytes = 0;
    while let Some(batch) = reader.next(u64::MAX)? {
        bytes += batch.records().map(<[u8]>::len).sum::<usize>();
    }
    let reading = start.elapsed();
    assert_eq!(bytes, RECORDS * RECORD_BYTES * batches as usize);

    println!(
        "{batches} batches of {RECORDS} records of {RECORD_BYTES} bytes, \
         {} segments, {syncs} syncs; per batch:",
        opened.segments
    );
    for (what, time) in [
        ("push", filling),
        ("commit", committing),
        ("open and check", opening),
        ("read", reading),
    ] {
        println!("{what:>15} {:>7} us", (time / batches).as_micros());
    }
    Ok(())
}
