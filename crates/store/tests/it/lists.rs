//! Lists of transfers and entries against a plain look at every one of them, for histories that
//! fill several pages and change on all of them.

use std::sync::Arc;

use ledger::account::Reported;
use ledger::profile::{CardMode, Terms};
use ledger::{
    AccountId, AccountKind, Command, CreateTransfer, Currency, Direction, ExternalKind, Instrument,
    InstrumentClass, Millis, MoneyIn, OpenAccount, OpenInstrument, Origin, OwnerId, ProfileId,
    Reply, Status, TransferOrder,
};
use sim::disk::SplitMix64;
use store::{AccountRole, EntryQuery, EntryRow, OwnerTransferQuery, TransferQuery, TransferRow};

use crate::bed::{Bed, Opened, RAIL_MS, START, close, done, usd};
use crate::programme::{self, Programme};

/// A programme with a second profile, a second card and a bank, and many transfers.
struct World {
    programme: Programme,
    other_profile: ProfileId,
    travel: Instrument,
    bank: AccountId,
}

impl World {
    async fn new(bed: &Bed, store: &Opened) -> World {
        let programme = programme::write_history(bed, store).await;
        let (tenant, owner) = (programme.tenant, programme.owner);
        let other_profile = programme::profile(store, tenant, programme::transfer_terms()).await;
        let cards = Terms::ManagedCard {
            mode: CardMode::Prepaid,
            max_balances: Vec::new(),
        };
        let open = OpenInstrument {
            tenant,
            owner,
            profile: programme::profile(store, tenant, cards).await,
            class: InstrumentClass::Card,
            name: Arc::from("Travel"),
            currency: Some(Currency::USD),
            parent: None,
            tag: None,
            details: None,
        };
        let travel = programme::instrument(store, open).await;
        let open = Command::OpenAccount(OpenAccount {
            tenant,
            owner,
            kind: AccountKind::External(ExternalKind::Depository),
            name: Arc::from("Bank"),
            description: None,
            institution: None,
            number_last_four: None,
            routing_last_four: None,
            currency: Currency::USD,
            can_be_source: None,
            can_be_destination: None,
            reported: Reported::default(),
        });
        let Reply::Account(bank) = done(store, open).await else {
            panic!("no account")
        };
        World {
            programme,
            other_profile,
            travel,
            bank: bank.id,
        }
    }

    /// Something that makes a transfer or ends one; most are done when it returns.
    async fn step(&self, bed: &Bed, store: &Opened, random: &mut SplitMix64) {
        let programme = &self.programme;
        let (tenant, owner) = (programme.tenant, programme.owner);
        let tag = ["rent", "food"]
            .get(random.below(4))
            .map(|tag| Arc::from(*tag));
        let order = TransferOrder {
            profile: [programme.transfers, self.other_profile][random.below(2)],
            destination: [programme.card, self.travel][random.below(2)],
            tag,
            ..programme.order(1 + random.below(3) as i64)
        };
        match random.below(12) {
            0 => {
                let at = store.now().plus(1 + random.below(40_000) as i64);
                let order = TransferOrder {
                    scheduled_at: Some(at),
                    ..order
                };
                let (transfer, _) = programme.transfer(store, order).await;
                if random.below(3) == 0 {
                    let cancel = Command::CancelTransfer {
                        tenant,
                        owner,
                        transfer,
                        reason: None,
                    };
                    done(store, cancel).await;
                }
            }
            1 | 2 => {
                let (source, destination) = match random.below(2) {
                    0 => (programme.main.id, self.bank),
                    _ => (self.bank, programme.main.id),
                };
                let command = Command::CreateTransfer(CreateTransfer {
                    tenant,
                    key: None,
                    source,
                    destination,
                    // Some are too much.
                    amount: usd([1, 2, 900_000][random.below(3)]),
                    rail_delay_ms: RAIL_MS,
                    description: None,
                    needs_approval: false,
                    fails_with: None,
                });
                done(store, command).await;
            }
            3 => {
                bed.clock.advance(random.below(5_000) as i64);
                store.wake();
            }
            4 => {
                // Cuts a run of the indexer.
                drop(store.account(tenant, self.bank).await);
            }
            5 => {
                let money = MoneyIn {
                    tenant,
                    destination: order.destination.id,
                    amount: usd(1),
                    origin: Origin::CardRefund,
                    description: None,
                };
                done(store, Command::MoneyIn(money)).await;
            }
            _ => {
                programme.transfer(store, order).await;
            }
        }
    }

    /// Every transfer of the owner, the newest first, each looked up by its id.
    async fn all(&self, bed: &Bed, store: &Opened) -> Vec<TransferRow> {
        let (tenant, owner) = (self.programme.tenant, self.programme.owner);
        // Brings the views to the end.
        drop(store.tenant(tenant).await.expect("reads work"));
        let ids = bed.transfers_of(owner);
        let mut all = Vec::new();
        for id in ids {
            let row = store.transfer(tenant, id).await.expect("reads work");
            all.push(row.expect("it was recorded"));
        }
        all
    }
}

fn is_instrument(party: Option<&ledger::Party>) -> bool {
    party.is_some_and(|party| party.kind.instrument().is_some())
}

fn wanted(query: &OwnerTransferQuery, row: &TransferRow) -> bool {
    let t = &row.transfer;
    let executed = (t.status.is_final() && t.status != Status::Cancelled).then_some(t.updated_at);
    let by_execution = query.executed_from.is_some() || query.executed_to.is_some();
    let both = is_instrument(row.source.as_ref()) && is_instrument(row.destination.as_ref());
    (!query.instruments_only || both)
        && query
            .profile
            .is_none_or(|profile| t.profile == Some(profile))
        && query.source.is_none_or(|source| t.source == Some(source))
        && (query.statuses.is_empty() || query.statuses.contains(&t.status))
        && query.created_from.is_none_or(|from| t.created_at >= from)
        && query.created_to.is_none_or(|to| t.created_at <= to)
        && (!by_execution
            || executed.is_some_and(|at| {
                query.executed_from.is_none_or(|from| at >= from)
                    && query.executed_to.is_none_or(|to| at <= to)
            }))
        && query
            .tag
            .as_ref()
            .is_none_or(|tag| t.tag.as_ref() == Some(tag))
}

/// A query with a few conditions, of which some match nothing.
fn some_query(world: &World, all: &[TransferRow], random: &mut SplitMix64) -> OwnerTransferQuery {
    let programme = &world.programme;
    let mut query = OwnerTransferQuery::new(programme.tenant, programme.owner, random.below(40));
    query.instruments_only = random.below(2) == 0;
    query.offset = [0, random.below(30), random.below(all.len() + 5)][random.below(3)];
    let time = |random: &mut SplitMix64| {
        let transfer = &all[random.below(all.len())].transfer;
        let time = [transfer.created_at, transfer.updated_at][random.below(2)];
        time.plus(random.below(3) as i64 - 1)
    };
    for _ in 0..random.below(3) {
        match random.below(8) {
            0 => {
                let profiles = [programme.transfers, world.other_profile, ProfileId::new(7)];
                query.profile = Some(profiles[random.below(3)]);
            }
            1 => {
                let sources = [programme.main.id, world.bank, world.travel.id];
                query.source = Some(sources[random.below(3)]);
            }
            2 => {
                let count = 1 + random.below(3);
                query.statuses = (0..count).map(|_| Status::ALL[random.below(9)]).collect();
            }
            3 => query.created_from = Some(time(random)),
            4 => query.created_to = Some(time(random)),
            5 => query.executed_from = Some(time(random)),
            6 => query.executed_to = Some(time(random)),
            _ => query.tag = Some(Arc::from(["rent", "food", "rent "][random.below(3)])),
        }
    }
    query
}

async fn check_owner_lists(world: &World, store: &Opened, all: &[TransferRow], seed: u64) {
    let mut random = SplitMix64::new(seed);
    for _ in 0..400 {
        let query = some_query(world, all, &mut random);
        let matching: Vec<&TransferRow> = all.iter().filter(|row| wanted(&query, row)).collect();
        let page = store
            .owner_transfers(query.clone())
            .await
            .expect("reads work");
        assert_eq!(page.count, matching.len() as u64, "{query:?}");
        let expected = matching.into_iter().skip(query.offset).take(query.limit);
        assert!(page.rows.iter().eq(expected), "{query:?}: {:?}", page.rows);
    }
}

async fn check_account_lists(world: &World, store: &Opened, all: &[TransferRow], seed: u64) {
    let mut random = SplitMix64::new(seed);
    let programme = &world.programme;
    for _ in 0..200 {
        let accounts = [
            programme.main.id,
            programme.card.id,
            world.bank,
            AccountId::new(7),
        ];
        let query = TransferQuery {
            tenant: programme.tenant,
            account: accounts[random.below(4)],
            role: [
                AccountRole::Either,
                AccountRole::Source,
                AccountRole::Destination,
            ][random.below(3)],
            direction: [None, Some(Direction::MoneyOut), Some(Direction::Internal)]
                [random.below(3)],
            origin: match random.below(3) {
                0 => vec![Origin::User, Origin::Deposit],
                _ => Vec::new(),
            },
            status: match random.below(3) {
                0 => vec![Status::Complete, Status::Pending],
                _ => Vec::new(),
            },
            execution: None,
            card: (random.below(4) == 0)
                .then(|| [programme.card, world.travel, programme.main][random.below(3)].id),
            from: (random.below(3) == 0).then(|| START.plus(random.below(60_000) as i64)),
            to: (random.below(3) == 0).then(|| START.plus(random.below(90_000) as i64)),
            after: (random.below(2) == 0).then(|| all[random.below(all.len())].transfer.id),
            first: random.below(60),
        };
        let wanted = |row: &&TransferRow| {
            let t = &row.transfer;
            let is_source = t.source == Some(query.account);
            let is_destination = t.destination == Some(query.account);
            let role = match query.role {
                AccountRole::Either => is_source || is_destination,
                AccountRole::Source => is_source,
                AccountRole::Destination => is_destination,
            };
            role && query
                .direction
                .is_none_or(|direction| t.direction == direction)
                && (query.origin.is_empty() || query.origin.contains(&t.origin))
                && (query.status.is_empty() || query.status.contains(&t.status))
                && (query.card.is_none() || query.card == t.card)
                && query.from.is_none_or(|from| t.created_at >= from)
                && query.to.is_none_or(|to| t.created_at <= to)
                && query.after.is_none_or(|after| t.id < after)
        };
        let rows = store.transfers(query.clone()).await.expect("reads work");
        let expected = all.iter().filter(wanted).take(query.first + 1);
        assert!(rows.iter().eq(expected), "{query:?}: {rows:?}");
    }
}

async fn check_entries(store: &Opened, account: AccountId, seed: u64) {
    let mut random = SplitMix64::new(seed);
    let all = store.entries(account, None, usize::MAX).await;
    let mut all = all.expect("reads work");
    all.reverse();
    assert!(
        all.is_sorted_by_key(|entry| entry.at),
        "nothing here is late"
    );
    for before in [0, 1, 2, 16, 17, 18, 40, u64::MAX] {
        for limit in [0, 1, 15, 16, 17, 50] {
            let older = all.iter().rev().filter(|entry| entry.sequence < before);
            let expected: Vec<EntryRow> = older.take(limit).cloned().collect();
            let found = store.entries(account, Some(before), limit).await;
            assert_eq!(
                found.expect("reads work"),
                expected,
                "{limit} before {before}"
            );
        }
    }
    let time = |random: &mut SplitMix64| {
        let at = all[random.below(all.len())].at;
        (random.below(3) > 0).then(|| at.plus(random.below(3) as i64 - 1))
    };
    for _ in 0..300 {
        let query = EntryQuery {
            account,
            from: time(&mut random),
            to: time(&mut random),
            newest_first: random.below(2) == 0,
            offset: random.below(30),
            limit: random.below(60),
        };
        let within = |entry: &&EntryRow| {
            query.from.is_none_or(|from| entry.at >= from)
                && query.to.is_none_or(|to| entry.at <= to)
        };
        let mut expected: Vec<EntryRow> = all.iter().filter(within).cloned().collect();
        let page = store
            .entries_between(query.clone())
            .await
            .expect("reads work");
        assert_eq!(page.count, expected.len() as u64, "{query:?}");
        if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
            let before = all
                .iter()
                .find(|entry| entry.sequence + 1 == first.sequence);
            let balance = before.map_or(0, |entry| entry.balance_after);
            assert_eq!(page.balance_before, balance, "{query:?}");
            assert_eq!(page.balance_after, last.balance_after, "{query:?}");
        } else {
            assert_eq!(page.balance_before, page.balance_after, "{query:?}");
        }
        if query.newest_first {
            expected.reverse();
        }
        let expected: Vec<EntryRow> = expected
            .into_iter()
            .skip(query.offset)
            .take(query.limit)
            .collect();
        assert_eq!(page.rows, expected, "{query:?}");
    }
}

async fn check_all(bed: &Bed, store: &Opened, world: &World, seed: u64) {
    // Nothing may change between two reads.
    store
        .quiesce(world.programme.tenant)
        .await
        .expect("writes work");
    let all = world.all(bed, store).await;
    check_owner_lists(world, store, &all, seed).await;
    check_account_lists(world, store, &all, seed).await;
    check_entries(store, world.programme.main.id, seed).await;
    check_entries(store, world.programme.card.id, seed).await;
}

#[tokio::test]
async fn lists_say_what_the_transfers_say() {
    let bed = Bed::new();
    let store = bed.open().await;
    let world = World::new(&bed, &store).await;
    let mut random = SplitMix64::new(3);
    for step in 0..500 {
        world.step(&bed, &store, &mut random).await;
        if step == 120 {
            check_all(&bed, &store, &world, 120).await;
        }
    }
    check_all(&bed, &store, &world, 1).await;
    // What was scheduled happens, on the first pages of the list too.
    bed.clock.advance(60_000);
    store
        .quiesce(world.programme.tenant)
        .await
        .expect("writes work");
    check_all(&bed, &store, &world, 2).await;
    let all = world.all(&bed, &store).await;
    let ended = |status| {
        all.iter()
            .filter(|row| row.transfer.status == status)
            .count()
    };
    assert!(
        all.len() > 350,
        "{} transfers do not fill four pages",
        all.len()
    );
    for status in [
        Status::Complete,
        Status::Cancelled,
        Status::Incomplete,
        Status::Error,
    ] {
        assert!(ended(status) > 0, "none is {status:?}");
    }
    close(store).await;
    bed.verify().await;
    bed.check_rebuilt();
    let store = bed.open().await;
    check_all(&bed, &store, &world, 3).await;
    close(store).await;
}

#[tokio::test]
async fn lists_of_nobody_are_empty() {
    let bed = Bed::new();
    let store = bed.open().await;
    let world = World::new(&bed, &store).await;
    let other = World::new(&bed, &store).await;
    let programme = &world.programme;
    let nobody = OwnerTransferQuery::new(programme.tenant, OwnerId::new(7), 10);
    // Another tenant's owner does not exist.
    let strange = OwnerTransferQuery::new(programme.tenant, other.programme.owner, 10);
    for query in [nobody, strange] {
        let page = store.owner_transfers(query).await.expect("reads work");
        assert_eq!((page.rows.len(), page.count), (0, 0));
    }
    let entries = EntryQuery {
        account: AccountId::new(7),
        from: None,
        to: Some(Millis(i64::MAX)),
        newest_first: true,
        offset: 0,
        limit: 10,
    };
    let page = store.entries_between(entries).await.expect("reads work");
    assert_eq!(page, store::EntryPage::default());
    close(store).await;
}
