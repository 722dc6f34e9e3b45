//! What lists cost over a million transfers of one owner, and what filling the views costs.
//!
//! ```text
//! cargo test --release -p store --test it -- --ignored --nocapture measure
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ledger::profile::{CardMode, Terms};
use ledger::{
    AccountId, Command, Currency, Instrument, InstrumentClass, Millis, MoneyIn, OpenInstrument,
    Origin, OwnerId, ProfileId, ProfileTransfer, Status, TenantId, TransferId, TransferOrder,
};
use store::embedded::rebuild_views;
use store::{
    AccountRole, Embedded, EntryQuery, Options, Outcome, OwnerTransferQuery, Submit, TransferQuery,
};
use tokio::task::JoinSet;

use crate::bed::{Ground, Opened, claim, done, usd};
use crate::programme;

/// Transfers of the owner.
const TRANSFERS: u64 = 1_000_000;
/// Times each list is asked for.
const ROUNDS: usize = 200;

/// Who moves money between what.
struct World {
    tenant: TenantId,
    owner: OwnerId,
    profiles: Vec<ProfileId>,
    instruments: Vec<Instrument>,
}

async fn world(store: &Opened) -> World {
    let Ground { tenant, owner, .. } = Ground::new(store).await;
    let mut profiles = Vec::new();
    for _ in 0..10 {
        profiles.push(programme::profile(store, tenant, programme::transfer_terms()).await);
    }
    let cards = Terms::ManagedCard {
        mode: CardMode::Prepaid,
        max_balances: Vec::new(),
    };
    let cards = programme::profile(store, tenant, cards).await;
    let mut instruments = Vec::new();
    for number in 0..100 {
        let open = OpenInstrument {
            tenant,
            owner,
            profile: cards,
            class: InstrumentClass::Card,
            name: Arc::from(format!("Card {number}")),
            currency: Some(Currency::USD),
            parent: None,
            tag: None,
            details: None,
        };
        let card = programme::instrument(store, open).await;
        let deposit = Command::MoneyIn(MoneyIn {
            tenant,
            destination: card.id,
            amount: usd(1_000_000_000),
            origin: Origin::Deposit,
            description: None,
        });
        done(store, deposit).await;
        instruments.push(card);
    }
    World {
        tenant,
        owner,
        profiles,
        instruments,
    }
}

/// Numbers that look random.
fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 8
}

impl World {
    /// Every tenth waits for a far day; a thousand tags and one that is rare.
    fn command(&self, number: u64, far: Millis) -> Command {
        let random = mixed(number);
        let pick = |shift: u32, of: usize| (random >> shift) as usize % of;
        let source = pick(0, 99);
        let tag = match number % 5_000 {
            0 => "rare".to_owned(),
            _ => format!("tag {}", pick(8, 1_000)),
        };
        Command::Transfer(ProfileTransfer {
            tenant: self.tenant,
            owner: self.owner,
            key: None,
            order: TransferOrder {
                profile: self.profiles[pick(20, 10)],
                source: self.instruments[source],
                destination: self.instruments[(source + 1 + pick(12, 98)) % 99],
                currency: Some(Currency::USD),
                amount_minor: 1 + pick(24, 50) as i64,
                tag: Some(Arc::from(tag)),
                description: None,
                scheduled_at: number.is_multiple_of(10).then_some(far),
            },
        })
    }
}

async fn fill(store: &Opened, world: &Arc<World>) {
    let next = Arc::new(AtomicU64::new(0));
    let far = store.now().plus(1_000_000_000);
    let mut tasks = JoinSet::new();
    for _ in 0..4_096 {
        let (store, world, next) = (Arc::clone(store), Arc::clone(world), Arc::clone(&next));
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= TRANSFERS {
                    return;
                }
                let submit = Submit {
                    claim: Some(claim(number)),
                    ..Submit::command(world.command(number, far))
                };
                let outcome = store.submit(submit).await;
                assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
            }
        });
    }
    tasks.join_all().await;
}

/// Processor time of this thread.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let first = text.split_ascii_whitespace().next().expect("a number");
    Duration::from_nanos(first.parse().expect("a number"))
}

/// Median and 99th percentile.
fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn lists(world: &World, newest: Millis) -> Vec<(&'static str, u64, OwnerTransferQuery)> {
    let all = OwnerTransferQuery {
        instruments_only: true,
        ..OwnerTransferQuery::new(world.tenant, world.owner, 100)
    };
    let with = |change: &dyn Fn(&mut OwnerTransferQuery)| {
        let mut query = all.clone();
        change(&mut query);
        query
    };
    let tag = |tag: &str| Some(Arc::from(tag));
    vec![
        ("all", 50, all.clone()),
        ("all, from 500,000", 50, with(&|q| q.offset = 500_000)),
        (
            "state completed",
            250,
            with(&|q| q.statuses = vec![Status::Complete]),
        ),
        (
            "state scheduled",
            250,
            with(&|q| q.statuses = vec![Status::Scheduled]),
        ),
        (
            "state cancelled",
            250,
            with(&|q| q.statuses = vec![Status::Cancelled]),
        ),
        (
            "profile",
            250,
            with(&|q| q.profile = world.profiles.first().copied()),
        ),
        (
            "profile unknown",
            250,
            with(&|q| q.profile = Some(ProfileId::new(7))),
        ),
        (
            "source",
            250,
            with(&|q| q.source = Some(world.instruments[3].id)),
        ),
        (
            "source idle",
            250,
            with(&|q| q.source = Some(world.instruments[99].id)),
        ),
        ("tag", 250, with(&|q| q.tag = tag("tag 7"))),
        ("tag rare", 250, with(&|q| q.tag = tag("rare"))),
        ("tag unknown", 250, with(&|q| q.tag = tag("nobody's"))),
        (
            "created to",
            250,
            with(&|q| q.created_to = Some(newest.plus(-3))),
        ),
        (
            "created from",
            250,
            with(&|q| q.created_from = Some(newest.plus(-2_000))),
        ),
        (
            "executed to",
            250,
            with(&|q| q.executed_to = Some(newest.plus(-3))),
        ),
        (
            "executed from",
            250,
            with(&|q| q.executed_from = Some(newest.plus(-2_000))),
        ),
        (
            "source, profile, state and tag",
            250,
            with(&|q| {
                q.source = Some(world.instruments[3].id);
                q.profile = world.profiles.first().copied();
                q.statuses = vec![Status::Complete];
                q.tag = tag("tag 7");
            }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute and measures"]
async fn a_million_transfers_of_one_owner() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = Options::new(folder.path());
    let store: Opened = Arc::new(Embedded::open(&options).expect("an empty folder"));
    let world = Arc::new(world(&store).await);
    let begun = Instant::now();
    fill(&store, &world).await;
    println!("committed in {:.1?}", begun.elapsed());
    store.shut_down().await.expect("no thread has panicked");
    drop(store);
    let (begun, before) = (Instant::now(), cpu());
    rebuild_views(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    let (took, worked) = (begun.elapsed(), cpu() - before);
    let each = |time: Duration| time.as_nanos() / u128::from(TRANSFERS);
    println!(
        "views: {} ns a transfer, {} ns of processor time",
        each(took),
        each(worked)
    );

    let store = Embedded::open(&options).expect("the views are there");
    println!("opened in {:.0?}", store.opened().elapsed);
    let store: Opened = Arc::new(store);
    let newest = OwnerTransferQuery::new(world.tenant, world.owner, 1);
    let newest = store.owner_transfers(newest).await.expect("reads work");
    let newest = newest.rows[0].transfer.created_at;
    let mut slow = Vec::new();
    for (name, limit_ms, query) in lists(&world, newest) {
        let mut times = Vec::new();
        let mut count = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let page = store
                .owner_transfers(query.clone())
                .await
                .expect("reads work");
            times.push(begun.elapsed());
            count = page.count;
        }
        let (half, most) = quantiles(times);
        println!("{name}: {count} match, p50 {half:.1?}, p99 {most:.1?}");
        if most > Duration::from_millis(limit_ms) {
            slow.push(format!("{name}: {most:.1?}"));
        }
    }
    others(&store, &world).await;
    let ids = OwnerTransferQuery {
        statuses: vec![Status::Complete],
        ..OwnerTransferQuery::new(world.tenant, world.owner, 60_000)
    };
    let ids = store.owner_transfers(ids).await.expect("reads work").rows;
    let mut ids: Vec<TransferId> = ids.into_iter().map(|row| row.transfer.id).collect();
    ids.sort_by_key(|id| mixed(id.raw()));
    singles(&store, &world, &ids.into()).await;
    assert!(slow.is_empty(), "too slow: {slow:?}");
}

/// Single transfers, 64 at a time, each of as many as are kept in memory twice.
async fn singles(store: &Opened, world: &Arc<World>, ids: &Arc<[TransferId]>) {
    for name in ["from the views", "from memory"] {
        let next = Arc::new(AtomicU64::new(0));
        let (begun, before) = (Instant::now(), process_cpu());
        let mut tasks = JoinSet::new();
        for _ in 0..64 {
            let (store, world) = (Arc::clone(store), Arc::clone(world));
            let (ids, next) = (Arc::clone(ids), Arc::clone(&next));
            tasks.spawn(async move {
                let step = || next.fetch_add(1, Ordering::Relaxed) as usize;
                while let Some(id) = ids.get(step()) {
                    let row = store.transfer(world.tenant, *id).await.expect("reads work");
                    assert!(row.is_some());
                }
            });
        }
        tasks.join_all().await;
        let (took, worked) = (begun.elapsed(), process_cpu() - before);
        let each = |time: Duration| time.as_nanos() / ids.len() as u128;
        println!(
            "a transfer {name}: {} ns, {} ns of processor time",
            each(took),
            each(worked)
        );
    }
}

/// Processor time of the process.
fn process_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = text.rsplit_once(')').expect("a name in brackets");
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<u64>().expect("a number");
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// Lists of one account, statements and single transfers.
async fn others(store: &Opened, world: &World) {
    let account = |index: usize, after: Option<TransferId>| TransferQuery {
        tenant: world.tenant,
        account: world.instruments[index].id,
        role: AccountRole::Either,
        direction: None,
        origin: Vec::new(),
        status: Vec::new(),
        execution: None,
        card: None,
        from: None,
        to: None,
        after,
        first: 100,
    };
    let newest = store.transfers(account(3, None)).await.expect("reads work");
    let ids: Vec<TransferId> = newest.iter().map(|row| row.transfer.id).collect();
    for (name, query) in [
        ("an account's newest", account(3, None)),
        ("an account's next", account(3, ids.last().copied())),
        ("an idle account's", account(99, None)),
    ] {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            store.transfers(query.clone()).await.expect("reads work");
            times.push(begun.elapsed());
        }
        let (half, most) = quantiles(times);
        println!("{name}: p50 {half:.1?}, p99 {most:.1?}");
    }
    let statement = statement(store, world.instruments[3].id).await;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        store
            .entries_between(statement.clone())
            .await
            .expect("reads work");
        times.push(begun.elapsed());
    }
    let (half, most) = quantiles(times);
    println!("a statement: p50 {half:.1?}, p99 {most:.1?}");
}

async fn statement(store: &Opened, account: AccountId) -> EntryQuery {
    let newest = store
        .entries(account, None, 1_000)
        .await
        .expect("reads work");
    EntryQuery {
        account,
        from: newest.last().map(|entry| entry.at),
        to: newest.first().map(|entry| entry.at.plus(-1)),
        newest_first: true,
        offset: 0,
        limit: 100,
    }
}
