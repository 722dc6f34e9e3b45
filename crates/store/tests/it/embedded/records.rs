//! Records in the files of the embedded engine.

use sim::disk::{Fault, FaultyDisk};
use store::embedded::{rebuild_views, verify};
use store::{Action, Outcome, Record, RecordConflict, RecordKind};

use crate::bed::{Bed, Ground, Opened, close, dump, tamper};
use crate::records::{act, again, all, conflict, create_owner, of_owner, put, user};

#[tokio::test]
async fn tampering_with_a_record_is_found() {
    let changes = [
        ("UPDATE records SET body = '{}'", "differs in the views"),
        ("UPDATE records SET version = version + 1", "differs"),
        ("UPDATE records SET owner = NULL", "differs in the views"),
        ("UPDATE records SET at_ms = 1", "differs in the views"),
        ("UPDATE records SET unique_key = NULL", "differs"),
        ("DELETE FROM records", "records are missing in the views"),
    ];
    for (sql, part) in changes {
        let bed = Bed::embedded();
        let store = bed.open().await;
        let ground = Ground::new(&store).await;
        put(&store, vec![user(&ground, r#"{"a":1}"#, Some(1))]).await;
        close(store).await;
        verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
        tamper(bed.path(), sql);
        let error = verify(bed.path()).expect_err("a row was changed");
        assert!(error.to_string().contains(part), "{sql}: {error}");
        rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
        verify(bed.path()).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

/// Makes a user, changes it and makes another, and says what was answered.
async fn traffic(store: &Opened, ground: &Ground) -> Vec<Record> {
    let mut answered = Vec::new();
    for unique in 0..20 {
        let outcome = store
            .submit(act(Action::Together {
                command: create_owner(ground, "Acme Ltd"),
                puts: vec![
                    of_owner(ground, RecordKind::Identity, None),
                    of_owner(ground, RecordKind::User, Some(unique)),
                ],
            }))
            .await;
        let Ok(Outcome::Stored { records, .. }) = outcome else {
            return answered;
        };
        let rewritten = again(&records[1], Some(r#"{"n":2}"#));
        answered.extend(records);
        match store.submit(act(Action::Put(vec![rewritten]))).await {
            Ok(Outcome::Stored { mut records, .. }) => {
                answered.pop();
                answered.append(&mut records);
            }
            _ => return answered,
        }
    }
    answered
}

#[tokio::test]
async fn what_was_answered_survives_a_power_cut_and_comes_whole() {
    for operations in 0..40 {
        let disk = FaultyDisk::new(operations);
        let bed = Bed::over(disk.storage());
        let store = bed.open().await;
        let ground = Ground::new(&store).await;
        disk.fail_after(operations, Fault::Power);
        let answered = traffic(&store, &ground).await;
        disk.fail_next(Fault::Power);
        store.shut_down().await.expect("no thread has panicked");
        drop(store);
        disk.crash(operations);
        if operations % 2 == 0 {
            std::fs::remove_file(bed.file("views.sqlite")).expect("it is there");
        }

        let store = bed.open().await;
        for record in &answered {
            let seen = store.record(record.kind, record.tenant, record.id).await;
            let seen = seen.expect("reads work").expect("it was answered");
            // A second version may have been written without being answered.
            assert!(seen == *record || seen.version == record.version + 1);
        }
        let identities = all(&store, &ground, RecordKind::Identity).await;
        let users = all(&store, &ground, RecordKind::User).await;
        assert_eq!(identities.len(), users.len(), "half a commit");
        let owners = store.owners(ground.tenant).await.expect("reads work");
        assert_eq!(owners.len(), 1 + identities.len());
        // Uniques are still kept.
        let taken = vec![user(&ground, "{}", Some(0))];
        if users.is_empty() {
            put(&store, taken).await;
        } else {
            let expected = RecordConflict::Taken(RecordKind::User);
            assert_eq!(conflict(&store, taken).await, expected);
        }
        close(store).await;
        bed.land(&disk);
        verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[tokio::test]
async fn rebuilt_views_have_the_same_records() {
    let bed = Bed::embedded();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let made = put(
        &store,
        (0..3).map(|i| user(&ground, "{}", Some(i))).collect(),
    )
    .await;
    put(&store, vec![again(&made[0], None)]).await;
    put(&store, vec![again(&made[1], Some(r#"{"a":2}"#))]).await;
    close(store).await;
    let before = dump(bed.path());
    assert_eq!(before["records"].len(), 2);
    rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    assert!(dump(bed.path()) == before);
    // Ids go on after those that only records have.
    let store = bed.open().await;
    let next = put(&store, vec![user(&ground, "{}", None)]).await;
    assert!(next[0].id > made[2].id);
    close(store).await;
}
