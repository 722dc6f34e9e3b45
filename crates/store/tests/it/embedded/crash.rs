//! Power fails at every change of the journal's disk; what was answered is there afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use ledger::{Command, CreateTransfer, MoneyIn, Origin, Reply, TransferId};
use sim::disk::{Fault, FaultyDisk, SplitMix64};
use store::embedded::verify;
use store::{Outcome, RememberedReply, Used};
use tokio::task::JoinSet;

use crate::bed::{
    Bed, Ground, Opened, RAIL_MS, check_sound, claim, claimed, close, remembered_len, usd,
};

/// Requests sent before giving up on the armed fault.
const REQUESTS_MAX: u64 = 60;

/// What a client knows of its requests, by their numbers.
#[derive(Default)]
struct Ledgered {
    /// The command that was sent.
    sent: BTreeMap<u64, Command>,
    /// The transfer that was answered.
    answered: BTreeMap<u64, TransferId>,
}

impl Ledgered {
    fn unanswered(&self) -> Vec<u64> {
        let sent = self.sent.keys().copied();
        sent.filter(|number| !self.answered.contains_key(number))
            .collect()
    }
}

/// A request whose transfer carries its number.
fn request(ground: &Ground, number: u64, random: &mut SplitMix64) -> Command {
    let minor = i64::try_from(random.below(50) + 1).expect("a small number");
    let description = Some(Arc::from(format!("request {number}")));
    let (source, destination) = match random.below(6) {
        0 | 1 => {
            return Command::MoneyIn(MoneyIn {
                tenant: ground.tenant,
                destination: ground.pay,
                amount: usd(minor * 4),
                origin: Origin::Paycheck,
                description,
            });
        }
        2 => (ground.pay, ground.bank),
        3 => (ground.bank, ground.pod),
        4 => (ground.pod, ground.bank),
        _ => (ground.pay, ground.pod),
    };
    Command::CreateTransfer(CreateTransfer {
        description,
        ..ground.transfer_of(source, destination, minor)
    })
}

/// Sends waves of concurrent requests until one is not answered or enough were.
async fn traffic(
    bed: &Bed,
    store: &Opened,
    ground: &Ground,
    known: &mut Ledgered,
    random: &mut SplitMix64,
) {
    let mut number = known.sent.len() as u64;
    let last = number + REQUESTS_MAX;
    while number < last {
        let mut wave = JoinSet::new();
        for _ in 0..=random.below(5) {
            let command = request(ground, number, random);
            known.sent.insert(number, command.clone());
            let store = Arc::clone(store);
            wave.spawn(
                async move { (number, store.submit(claimed(command, claim(number))).await) },
            );
            number += 1;
        }
        let mut failed = false;
        for (number, outcome) in wave.join_all().await {
            match outcome {
                Ok(Outcome::Done(Reply::Transfer { transfer, .. })) => {
                    known.answered.insert(number, transfer.id);
                }
                Ok(other) => panic!("request {number}: {other:?}"),
                Err(_) => failed = true,
            }
        }
        if failed {
            return;
        }
        if random.below(3) == 0 {
            bed.clock.advance(RAIL_MS / 2);
            store.wake();
        }
        if random.below(4) == 0 {
            // Moves the views on. After the power is off it may not be answered.
            drop(store.account(ground.tenant, ground.pay).await);
        }
    }
}

/// How many transfers carry each request's number.
async fn counted(store: &Opened, ground: &Ground) -> BTreeMap<u64, Vec<TransferId>> {
    let mut counts: BTreeMap<u64, Vec<TransferId>> = BTreeMap::new();
    for (id, row) in ground.transfers(store).await {
        let text = row.transfer.description.expect("every request has one");
        let number = text.strip_prefix("request ").expect("its number");
        let number = number.parse().expect("a number");
        counts.entry(number).or_default().push(id);
    }
    counts
}

/// Checks a store that was opened after a crash, then sends again what was not answered.
async fn check_recovered(store: &Opened, ground: &Ground, known: &mut Ledgered) {
    // Work that fell due before the crash goes on at once; what is read below is after it.
    store.quiesce(ground.tenant).await.expect("writes work");
    check_sound(store, ground).await;
    let counts = counted(store, ground).await;
    for (number, id) in &known.answered {
        assert_eq!(counts.get(number), Some(&vec![*id]), "request {number}");
    }
    for number in known.unanswered() {
        let there = counts.get(&number).map_or(0, Vec::len);
        assert!(there <= 1, "request {number} was done {there} times");
        let command = known.sent[&number].clone();
        let again = store.submit(claimed(command, claim(number))).await;
        let id = match again.expect("the disk is good again") {
            Outcome::Done(Reply::Transfer { transfer, .. }) => {
                assert_eq!(there, 0, "request {number} was done a second time");
                transfer.id
            }
            Outcome::Replay(place) => {
                assert_eq!(there, 1, "request {number} is remembered but was not done");
                remembered(store, number, place).await
            }
            other => panic!("request {number}: {other:?}"),
        };
        known.answered.insert(number, id);
    }
    // A retry of what was answered before the crash finds the same transfer.
    for (number, id) in known.answered.iter().rev().take(3) {
        let command = known.sent[number].clone();
        let again = store.submit(claimed(command, claim(*number))).await;
        let Ok(Outcome::Replay(place)) = again else {
            panic!("request {number}: {again:?}")
        };
        assert_eq!(remembered(store, *number, place).await, *id);
    }
    let counts = counted(store, ground).await;
    assert_eq!(counts.len(), known.sent.len());
    assert!(counts.values().all(|ids| ids.len() == 1));
}

async fn remembered(store: &Opened, number: u64, place: Used) -> TransferId {
    let found = store.remembered(place).await.expect("reads work");
    let found = found.expect("what is replayed can be read");
    assert_eq!(found.key, claim(number).key);
    assert_eq!(&*found.request_id, &*claim(number).request_id);
    match found.reply {
        RememberedReply::Transfer { id, .. } => id,
        other => panic!("request {number}: {other:?}"),
    }
}

/// What a crash leaves of the views: they may be behind, gone or spoiled, never ahead.
fn spoil_views(bed: &Bed, how: u64, old: &[u8]) {
    let views = bed.file("views.sqlite");
    match how {
        0 => {}
        1 => {
            fs::write(views, old).expect("room for a copy");
            // A copy is put back without the write-ahead log of the file it replaces.
            for log in ["views.sqlite-wal", "views.sqlite-shm"] {
                drop(fs::remove_file(bed.file(log)));
            }
        }
        2 => fs::remove_file(views).expect("it is there"),
        _ => fs::write(views, [0x5A; 9_000]).expect("room for garbage"),
    }
}

async fn check(operations: u64, seed: u64) {
    println!("power fails after {operations} operations, seed {seed}");
    let disk = FaultyDisk::new(seed);
    let mut bed = Bed::over(disk.storage());
    // Small segments, so that power also fails while a new one is made.
    bed.segment_bytes = 4_000;
    let mut random = SplitMix64::new(seed);
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let mut known = Ledgered::default();
    close(store).await;
    let old = fs::read(bed.file("views.sqlite")).expect("they are there");

    for round in 0..2 {
        let store = bed.open().await;
        disk.fail_after(operations, Fault::Power);
        traffic(&bed, &store, &ground, &mut known, &mut random).await;
        // If the fault has not struck yet it strikes now. The process is gone as soon as its
        // threads are; without power they write nothing.
        disk.fail_next(Fault::Power);
        let number = known.sent.len() as u64;
        let command = request(&ground, number, &mut random);
        known.sent.insert(number, command.clone());
        let last = store.submit(claimed(command, claim(number))).await;
        assert!(last.is_err(), "answered without power: {last:?}");
        store.shut_down().await.expect("no thread has panicked");
        drop(store);
        disk.crash(seed ^ round);
        spoil_views(&bed, (operations + seed + round) % 4, &old);

        let store = bed.open().await;
        check_recovered(&store, &ground, &mut known).await;
        bed.clock.advance(RAIL_MS);
        store.quiesce(ground.tenant).await.expect("writes work");
        check_sound(&store, &ground).await;
        close(store).await;
        bed.land(&disk);
        verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(remembered_len(bed.path()), known.sent.len());
}

#[tokio::test]
async fn at_every_change_of_the_disk() {
    for operations in 0..60 {
        check(operations, operations.wrapping_mul(77)).await;
    }
}

#[tokio::test]
async fn at_random_changes_of_the_disk() {
    let mut random = SplitMix64::new(20_261_121);
    for _ in 0..30 {
        check(random.next_u64() % 90, random.next_u64()).await;
    }
}
