//! The views are a copy: whatever happens to them, the journal fills them again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ledger::{KeyId, Millis};
use store::{Action, KeyRecord, Outcome, Permission, Submit};

use crate::bed::{
    Bed, Ground, Opened, RAIL_MS, check_sound, claim, claimed, close, done, dump, made, tamper,
};

/// A store with some history of every kind, closed.
pub async fn history(bed: &Bed) -> Ground {
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    write_history(bed, &store, &ground).await;
    close(store).await;
    ground
}

pub async fn write_history(bed: &Bed, store: &Opened, ground: &Ground) {
    let expires_at = Some(store.now().plus(RAIL_MS / 2));
    done(store, ground.paycheck(1_000)).await;
    for (minor, expires_at) in [(5, None), (6, expires_at)] {
        let hold = ledger::PlaceHold {
            tenant: ground.tenant,
            account: ground.pay,
            amount: crate::bed::usd(minor),
            expires_at,
        };
        done(store, ledger::Command::PlaceHold(hold)).await;
    }
    for number in 0..20 {
        let (source, destination) = match number % 4 {
            0 => (ground.pay, ground.pod),
            1 => (ground.pay, ground.bank),
            2 => (ground.bank, ground.pod),
            _ => (ground.pod, ground.bank),
        };
        let command = ground.transfer(source, destination, 10 + number);
        let number = number.cast_unsigned();
        made(store.submit(claimed(command, claim(number))).await);
    }
    store.quiesce(ground.tenant).await.expect("writes work");
    bed.clock.advance(RAIL_MS);
    store.quiesce(ground.tenant).await.expect("writes work");
    let mut ids = Vec::new();
    for byte in [7, 8] {
        let created = store
            .submit(act(Action::CreateKey(key(ground, byte))))
            .await;
        let Ok(Outcome::Key(key)) = created else {
            panic!("no key: {created:?}")
        };
        ids.push(key.id);
    }
    let revoked = store.submit(act(Action::RevokeKey {
        tenant: ground.tenant,
        key: ids[0],
    }));
    assert!(matches!(revoked.await, Ok(Outcome::Done(_))));
    // Some that are still open.
    for _ in 0..3 {
        let pull = ground.transfer(ground.bank, ground.pod, 7);
        made(store.submit(Submit::command(pull)).await);
    }
    store.quiesce(ground.tenant).await.expect("writes work");
}

fn act(action: Action) -> Submit {
    Submit {
        action,
        claim: None,
    }
}

fn key(ground: &Ground, byte: u8) -> KeyRecord {
    KeyRecord {
        id: KeyId::new(0),
        tenant: ground.tenant,
        name: Arc::from("payroll"),
        hash: [byte; 32],
        hint: Arc::from("x9z2"),
        permissions: vec![Permission::ListAccounts],
        created_at: Millis(0),
        revoked_at: None,
    }
}

/// Spoils the views, opens the store, and expects the same rows as before.
async fn check(spoil: impl Fn(&Path)) {
    let bed = Bed::embedded();
    let ground = history(&bed).await;
    let before = dump(bed.path());
    spoil(bed.path());
    let (store, opened) = bed.open_folder();
    check_sound(&store, &ground).await;
    assert_eq!(ground.transfers(&store).await.len(), 24);
    assert_eq!(opened.replayed, opened.batches, "filled from the start");
    close(store).await;
    assert!(dump(bed.path()) == before, "not the same rows");
    store::embedded::verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}

fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("views.sqlite")
}

#[tokio::test]
async fn of_an_older_version() {
    check(|folder| tamper(folder, "UPDATE meta SET schema = 0")).await;
}

#[tokio::test]
async fn of_a_newer_version() {
    check(|folder| tamper(folder, "UPDATE meta SET schema = schema + 1")).await;
}

#[tokio::test]
async fn missing() {
    check(|folder| fs::remove_file(file(folder)).expect("it is there")).await;
}

#[tokio::test]
async fn empty() {
    check(|folder| fs::write(file(folder), b"").expect("it can be written")).await;
}

#[tokio::test]
async fn garbage() {
    check(|folder| {
        let noise: Vec<u8> = (0..40_000_u32).map(|i| (i * 37 % 251) as u8).collect();
        fs::write(file(folder), noise).expect("it can be written");
    })
    .await;
}

#[tokio::test]
async fn garbage_after_a_good_header() {
    check(|folder| {
        let mut bytes = fs::read(file(folder)).expect("it is there");
        bytes[100..].fill(0xA5);
        fs::write(file(folder), bytes).expect("it can be written");
    })
    .await;
}

#[tokio::test]
async fn cut_short() {
    check(|folder| {
        let bytes = fs::read(file(folder)).expect("it is there");
        fs::write(file(folder), &bytes[..4096]).expect("it can be written");
    })
    .await;
}

#[tokio::test]
async fn of_another_program() {
    check(|folder| {
        fs::remove_file(file(folder)).expect("it is there");
        let other = rusqlite::Connection::open(file(folder)).expect("a new file");
        other
            .execute_batch("CREATE TABLE songs (name TEXT)")
            .expect("a valid statement");
    })
    .await;
}

#[tokio::test]
async fn without_its_row_of_progress() {
    check(|folder| tamper(folder, "DELETE FROM meta")).await;
}

#[tokio::test]
async fn that_contradict_themselves() {
    check(|folder| tamper(folder, "UPDATE accounts SET kind = 99 WHERE kind = 1")).await;
}

#[tokio::test]
async fn behind_by_some_batches_are_brought_up_to_date() {
    let bed = Bed::embedded();
    let ground = history(&bed).await;
    let old = fs::read(file(bed.path())).expect("it is there");
    let (store, opened) = bed.open_folder();
    assert_eq!(opened.replayed, 0);
    for number in 100..110 {
        let command = ground.transfer(ground.bank, ground.pod, 3);
        made(store.submit(claimed(command, claim(number))).await);
    }
    store.quiesce(ground.tenant).await.expect("writes work");
    close(store).await;
    let newest = dump(bed.path());
    fs::write(file(bed.path()), old).expect("it can be written");

    let (store, opened) = bed.open_folder();
    assert!(
        opened.replayed > 0 && opened.replayed < opened.batches,
        "{opened:?}"
    );
    let again = ground.transfer(ground.bank, ground.pod, 3);
    let outcome = store.submit(claimed(again, claim(105))).await;
    assert!(
        matches!(outcome, Ok(store::Outcome::Replay(_))),
        "{outcome:?}"
    );
    check_sound(&store, &ground).await;
    close(store).await;
    assert!(dump(bed.path()) == newest, "not the same rows");
}

#[tokio::test]
async fn an_unchanged_store_reads_nothing_again() {
    let bed = Bed::embedded();
    history(&bed).await;
    let before = dump(bed.path());
    for _ in 0..3 {
        let (store, opened) = bed.open_folder();
        assert_eq!(opened.replayed, 0);
        assert_eq!(opened.cut_bytes, 0);
        close(store).await;
    }
    assert!(dump(bed.path()) == before, "opening changed something");
}
