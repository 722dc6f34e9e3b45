//! Ledgers that go from one engine to the other and back, and what is refused.

use std::path::Path;

use ledger::{Command, Millis, MoneyIn, Origin, Reply};
use sim::postgres::Database;

use super::*;
use crate::embedded::Embedded;
use crate::postgres::migrate::tests::complete;
use crate::postgres::testing::{START, World, usd};
use crate::postgres::{Options, Postgres};
use crate::{
    AccountQuery, AccountRole, Action, BulkOperationQuery, BulkQuery, ManualClock, Outcome,
    OwnerTransferQuery, RecordKind, RecordQuery, Store, Submit, TransferQuery,
};

/// More than there is of anything.
const ALL: usize = 10_000;

type Shared = Arc<dyn Store>;

fn clock(at: Millis) -> Arc<ManualClock> {
    Arc::new(ManualClock::new(at))
}

fn open_folder(folder: &Path, clock: &Arc<ManualClock>) -> Shared {
    let store = Embedded::open(&crate::Options {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        ..crate::Options::new(folder)
    });
    Arc::new(store.unwrap_or_else(|error| panic!("{error}")))
}

fn url(database: &Database) -> DatabaseUrl {
    database.url().parse().expect("a URL")
}

async fn open_database(database: &Database, clock: &Arc<ManualClock>) -> Shared {
    let opened = try_database(database, clock).await;
    Arc::new(opened.unwrap_or_else(|error| panic!("{error}")))
}

async fn try_database(
    database: &Database,
    clock: &Arc<ManualClock>,
) -> Result<Postgres, crate::postgres::OpenError> {
    let options = Options {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        ..Options::new(url(database))
    };
    Postgres::open(&options).await
}

/// Ends a store. Its folder is free once nobody has it: see [`release`].
async fn close(store: Shared) {
    store.shut_down().await.expect("it ends");
}

/// Takes from the worlds the store that they were over.
fn release(worlds: &mut [World]) {
    for world in worlds {
        world.leave();
    }
}

fn plan(from: Place, to: Place, clock: &Arc<ManualClock>) -> Plan {
    Plan {
        from,
        to,
        facts: Vec::new(),
        files: Vec::new(),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
    }
}

async fn there(folder: &Path, database: &Database, clock: &Arc<ManualClock>) -> Report {
    let to = Place::Database(Box::new(url(database)));
    let copied = copy(&plan(Place::Folder(folder.to_owned()), to, clock), |_| ()).await;
    let verified = crate::postgres::verify(&url(database)).await;
    verified.unwrap_or_else(|error| panic!("{error}"));
    copied.unwrap_or_else(|error| panic!("{error}"))
}

async fn back(database: &Database, folder: &Path, clock: &Arc<ManualClock>) -> Report {
    let from = Place::Database(Box::new(url(database)));
    let copied = copy(&plan(from, Place::Folder(folder.to_owned()), clock), |_| ()).await;
    let copied = copied.unwrap_or_else(|error| panic!("{error}"));
    let verified = crate::embedded::verify(folder);
    let verified = verified.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(verified.views_batches, Some(verified.batches));
    copied
}

async fn refused(plan: &Plan) -> String {
    match copy(plan, |_| ()).await {
        Err(CopyError::Refused(what)) => what,
        Err(CopyError::Open(error)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

/// Histories of two tenants.
async fn histories(store: &Shared, clock: &ManualClock, seed: u64, steps: usize) -> Vec<World> {
    let mut worlds = Vec::new();
    for number in 0..2 {
        worlds.push(World::new(Arc::clone(store), seed + number).await);
    }
    go_on(&mut worlds, store, clock, steps).await;
    for world in &mut worlds {
        world.finish().await;
    }
    worlds
}

async fn go_on(worlds: &mut [World], store: &Shared, clock: &ManualClock, steps: usize) {
    for world in worlds.iter_mut() {
        world.move_to(Arc::clone(store));
    }
    for _ in 0..steps {
        for world in worlds.iter_mut() {
            world.step(clock).await;
        }
    }
    for world in worlds {
        store.quiesce(world.tenant).await.expect("writes work");
    }
}

/// Everything that reads tell.
async fn everything(store: &Shared, worlds: &[World]) -> Vec<String> {
    let mut all = Vec::new();
    macro_rules! tell {
        ($read:ident($($value:expr),*)) => {{
            let found = store.$read($($value),*).await.expect("reads work");
            all.push(format!("{}: {found:#?}", stringify!($read)));
            found
        }};
    }
    tell!(tenants());
    tell!(totals());
    tell!(keys(None));
    for world in worlds {
        let tenant = world.tenant;
        tell!(profiles(tenant, None));
        for kind in [RecordKind::User, RecordKind::Session] {
            tell!(records(RecordQuery {
                kind,
                tenant,
                owner: None,
                after: 0,
                before: u64::MAX,
                newest_first: false,
                limit: ALL,
            }));
        }
        let closed = AccountQuery {
            include_closed: true,
            ..AccountQuery::new(tenant)
        };
        for account in tell!(accounts(closed)) {
            let account = account.account.id;
            tell!(entries(account, None, ALL));
            tell!(holds(account));
            tell!(transfers(TransferQuery {
                tenant,
                account,
                role: AccountRole::Either,
                direction: None,
                origin: Vec::new(),
                status: Vec::new(),
                execution: None,
                card: None,
                from: None,
                to: None,
                after: None,
                first: ALL,
            }));
        }
        for owner in tell!(owners(tenant)) {
            let owner = owner.id;
            tell!(owner_total(owner));
            tell!(owner_transfers(OwnerTransferQuery::new(tenant, owner, ALL)));
            let bulks = tell!(bulks(BulkQuery {
                tenant,
                owner,
                statuses: Vec::new(),
                offset: 0,
                limit: ALL,
            }));
            for bulk in bulks.rows {
                tell!(bulk_operations(BulkOperationQuery {
                    tenant,
                    bulk: bulk.id,
                    index: None,
                    states: Vec::new(),
                    offset: 0,
                    limit: ALL,
                }));
            }
        }
    }
    all
}

/// What every idempotency key of the histories was used for. Those that were not are used now.
async fn replays(store: &Shared, worlds: &[World]) -> Vec<String> {
    let mut all = Vec::new();
    for world in worlds {
        for claim in world.claimed() {
            let refuse = Action::Refuse {
                tenant: world.tenant,
                code: Arc::from("not_used"),
                message: Arc::from("before"),
            };
            let submit = Submit {
                action: refuse,
                claim: Some(claim),
            };
            let Outcome::Replay(number) = store.submit(submit).await.expect("writes work") else {
                all.push("not used".to_owned());
                continue;
            };
            let found = store.remembered(number).await.expect("reads work");
            let mut found = found.expect("it is remembered");
            found.number = 0;
            all.push(format!("{found:?}"));
        }
    }
    all
}

fn same(left: &[String], right: &[String]) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left, right);
    }
}

#[tokio::test]
async fn a_ledger_goes_there_and_back_and_goes_on_at_each_end() {
    let folders = tempfile::tempdir().expect("a temporary folder");
    let (first, second) = (folders.path().join("first"), folders.path().join("second"));
    let database = complete();
    let clock = clock(START);

    let store = open_folder(&first, &clock);
    let mut worlds = histories(&store, &clock, 11, 300).await;
    let before = everything(&store, &worlds).await;
    assert!(before.len() > 50, "little has happened");
    close(store).await;
    release(&mut worlds);
    let report = there(&first, &database, &clock).await;
    assert!(report.transfers > 100 && report.remembered > 50, "{report}");

    let store = open_database(&database, &clock).await;
    same(&before, &everything(&store, &worlds).await);
    close(store).await;
    assert_eq!(back(&database, &second, &clock).await, report);
    let (here, there) = (open_folder(&first, &clock), open_folder(&second, &clock));
    same(&before, &everything(&there, &worlds).await);

    // Each goes on by itself from here; old keys give old answers everywhere.
    let store = open_database(&database, &clock).await;
    let known = replays(&here, &worlds).await;
    assert!(known.iter().any(|replay| replay != "not used"));
    same(&known, &replays(&there, &worlds).await);
    same(&known, &replays(&store, &worlds).await);
    close(here).await;
    close(there).await;
    go_on(&mut worlds, &store, &clock, 100).await;

    // Everything that waits comes to its end.
    clock.advance(1 << 42);
    store.wake();
    for world in &worlds {
        store.quiesce(world.tenant).await.expect("writes work");
    }
    let after = everything(&store, &worlds).await;
    close(store).await;
    release(&mut worlds);
    let third = folders.path().join("third");
    let report = back(&database, &third, &clock).await;
    let store = open_folder(&third, &clock);
    same(&after, &everything(&store, &worlds).await);
    go_on(&mut worlds, &store, &clock, 100).await;
    close(store).await;
    release(&mut worlds);
    let verified = crate::embedded::verify(&third);
    let verified = verified.unwrap_or_else(|error| panic!("{error}"));
    assert!(verified.records > report.commits);
}

/// Servers whose clocks differ give a ledger ids that are not in the order of its commits.
#[tokio::test]
async fn ids_of_several_servers_come_back_in_order() {
    let folders = tempfile::tempdir().expect("a temporary folder");
    let database = complete();
    let (early, late) = (clock(START), clock(START.plus(900)));
    let one = open_database(&database, &early).await;
    let other = open_database(&database, &late).await;
    let world = World::new(Arc::clone(&one), 5).await;
    late.advance(3_000);
    let owner = &world.owners[0];
    let mut made = Vec::new();
    for number in 0..300 {
        // Runs of one, and of another: pages of lists are filled and opened again.
        let store = if number / 7 % 2 == 0 { &other } else { &one };
        let deposit = Command::MoneyIn(MoneyIn {
            tenant: world.tenant,
            destination: owner.pay,
            amount: usd(100 + number),
            origin: Origin::Paycheck,
            description: None,
        });
        let done = store.submit(Submit::command(deposit)).await;
        let Ok(Outcome::Done(Reply::Transfer { transfer, .. })) = done else {
            panic!("not done: {done:?}")
        };
        made.push(transfer.id);
    }
    assert!(!made.is_sorted(), "they were in order");
    let worlds = [world];
    let before = everything(&one, &worlds).await;
    close(one).await;
    close(other).await;
    let folder = folders.path().join("data");
    back(&database, &folder, &late).await;
    let store = open_folder(&folder, &early);
    same(&before, &everything(&store, &worlds).await);
    // New ids come after all of them, although the clock has not got there.
    let deposit = Command::MoneyIn(MoneyIn {
        tenant: worlds[0].tenant,
        destination: worlds[0].owners[0].pay,
        amount: usd(1),
        origin: Origin::Paycheck,
        description: None,
    });
    let done = store.submit(Submit::command(deposit)).await;
    let Ok(Outcome::Done(Reply::Transfer { transfer, .. })) = done else {
        panic!("not done: {done:?}")
    };
    assert!(Some(&transfer.id) > made.iter().max());
    let again = complete();
    close(store).await;
    there(&folder, &again, &late).await;
}

/// A small ledger in a folder.
async fn small(folder: &Path, clock: &Arc<ManualClock>) {
    let store = open_folder(folder, clock);
    World::new(Arc::clone(&store), 3).await;
    close(store).await;
}

#[tokio::test]
async fn a_source_in_use_is_refused() {
    let folders = tempfile::tempdir().expect("a temporary folder");
    let (folder, target) = (folders.path().join("one"), folders.path().join("two"));
    let database = complete();
    let clock = clock(START);
    let (of_folder, of_database) = (
        Place::Folder(folder.clone()),
        Place::Database(Box::new(url(&database))),
    );
    let into_database = plan(of_folder.clone(), of_database.clone(), &clock);
    let into_folder = plan(of_database.clone(), Place::Folder(target.clone()), &clock);

    assert!(refused(&into_database).await.contains("has no ledger"));
    let store = open_folder(&folder, &clock);
    World::new(Arc::clone(&store), 3).await;
    assert!(refused(&into_database).await.contains("is in use"));
    close(store).await;
    assert!(refused(&into_folder).await.contains("has no ledger"));
    // A server over an empty target, too.
    let store = open_database(&database, &clock).await;
    let said = refused(&into_database).await;
    assert!(said.contains("is in use by tidegate"), "{said}");
    close(store).await;
    there(&folder, &database, &clock).await;
    let store = open_database(&database, &clock).await;
    let said = refused(&into_folder).await;
    assert!(said.contains("is in use by tidegate"), "{said}");
    assert!(!target.exists() && !folders.path().join("two.partial").exists());
    close(store).await;
    back(&database, &target, &clock).await;

    for sides in [(&of_folder, &of_folder), (&of_database, &of_database)] {
        let said = refused(&plan(sides.0.clone(), sides.1.clone(), &clock)).await;
        assert!(
            said.contains("from a data folder into a database"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_target_that_has_something_is_refused_and_left_alone() {
    let folders = tempfile::tempdir().expect("a temporary folder");
    let (folder, other) = (folders.path().join("one"), folders.path().join("two"));
    let database = complete();
    let clock = clock(START);
    small(&folder, &clock).await;
    let mut into_database = plan(
        Place::Folder(folder.clone()),
        Place::Database(Box::new(url(&database))),
        &clock,
    );
    // What the servers must agree on is agreed on.
    database.sql("INSERT INTO facts VALUES ('colour', 'blue')");
    into_database.facts = vec![("colour".to_owned(), b"red".to_vec())];
    assert!(refused(&into_database).await.contains("another colour"));
    into_database.facts = vec![("colour".to_owned(), b"blue".to_vec())];
    copy(&into_database, |_| ()).await.expect("it is empty");
    let said = refused(&into_database).await;
    assert!(said.contains("has a ledger already: 1 tenants"), "{said}");
    let store = open_database(&database, &clock).await;
    close(store).await;

    let mut into_folder = plan(
        Place::Database(Box::new(url(&database))),
        Place::Folder(folder.clone()),
        &clock,
    );
    assert!(refused(&into_folder).await.contains("has a ledger already"));
    std::fs::create_dir(&other).expect("a new folder");
    std::fs::write(other.join("notes"), "x").expect("a new file");
    into_folder.to = Place::Folder(other.clone());
    assert!(refused(&into_folder).await.contains("it has notes"));
    std::fs::remove_file(other.join("notes")).expect("it is there");
    into_folder.files = vec![("secret".to_owned(), b"x".to_vec())];
    copy(&into_folder, |_| ()).await.expect("it is empty");
    assert_eq!(std::fs::read(other.join("secret")).expect("a file"), b"x");
    crate::embedded::verify(&other).expect("it is whole");
}

#[tokio::test]
async fn what_an_interrupted_copy_leaves_is_no_ledger() {
    let folders = tempfile::tempdir().expect("a temporary folder");
    let folder = folders.path().join("one");
    let clock = clock(START);
    small(&folder, &clock).await;

    let database = complete();
    let source = folder::Source::open(&folder).expect("a ledger");
    let mut reader = source.reader();
    let mut target = database::Target::begin(&url(&database), &[], START)
        .await
        .expect("an empty database");
    for _ in 0..3 {
        let batch = reader.next(source.last_batch()).expect("a journal");
        for record in batch.expect("a batch").records() {
            target.take(record).expect("it fits");
        }
    }
    target.write().await.expect("it can be written");
    drop((target, source));
    let opened = try_database(&database, &clock).await;
    let said = opened.err().expect("it opened").to_string();
    assert!(said.contains("drop the database"), "{said}");
    let verified = crate::postgres::verify(&url(&database)).await;
    let said = verified.expect_err("it verified").to_string();
    assert!(said.contains("drop the database"), "{said}");
    let (here, there) = (
        Place::Folder(folder.clone()),
        Place::Database(Box::new(url(&database))),
    );
    let said = refused(&plan(here.clone(), there.clone(), &clock)).await;
    assert!(said.contains("drop the database"), "{said}");
    let into = Place::Folder(folders.path().join("two"));
    let said = refused(&plan(there, into.clone(), &clock)).await;
    assert!(said.contains("drop the database"), "{said}");

    let database = complete();
    self::there(&folder, &database, &clock).await;
    let source = database::Source::open(&url(&database), START).await;
    let source = source.expect("a ledger");
    let mut target = folder::Target::begin(&folders.path().join("two")).expect("nothing is there");
    let record = source.commits().next().await.expect("it can be read");
    target.take(&record.expect("a commit")).expect("it fits");
    drop(target);
    assert!(!folders.path().join("two").exists());
    let said = refused(&plan(
        Place::Database(Box::new(url(&database))),
        into,
        &clock,
    ))
    .await;
    assert!(
        said.contains("two.partial") && said.contains("delete it"),
        "{said}"
    );
}

/// A side that was damaged on the way is found.
#[tokio::test]
async fn every_difference_is_found() {
    let folders = tempfile::tempdir().expect("a temporary folder");
    let clock = clock(START);
    let store = open_folder(folders.path(), &clock);
    let mut worlds = histories(&store, &clock, 7, 60).await;
    close(store).await;
    release(&mut worlds);
    let source = folder::Source::open(folders.path()).expect("a ledger");
    let tally = || source.verify().expect("it is whole");
    let report = tally().compare(&tally()).expect("they are the same");
    assert_eq!(report.accounts, tally().accounts.len() as u64);
    let changes: [fn(&mut Tally); 9] = [
        |tally| drop(tally.accounts.pop_first()),
        |tally| first(tally).balance += 1,
        |tally| first(tally).held += 1,
        |tally| first(tally).entries += 1,
        |tally| first(tally).chain[0] ^= 1,
        |tally| tally.transfers += 1,
        |tally| tally.remembered += 1,
        |tally| tally.records += 1,
        |tally| tally.commits += 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut other = tally();
        change(&mut other);
        for (left, right) in [(&tally(), &other), (&other, &tally())] {
            let compared = left.compare(right);
            assert!(
                matches!(compared, Err(CopyError::Difference(_))),
                "{number}: {compared:?}"
            );
        }
    }
    let mut unbalanced = tally();
    first(&mut unbalanced).balance += 1;
    let compared = unbalanced.compare(&{
        let mut same = tally();
        first(&mut same).balance += 1;
        same
    });
    assert!(compared.is_err_and(|error| error.to_string().contains("not to 0")));
}

fn first(tally: &mut Tally) -> &mut AccountTally {
    tally.accounts.values_mut().next().expect("an account")
}
