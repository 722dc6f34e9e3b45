//! Records beside the ledger: written with a command or not at all, and found again.

use std::sync::Arc;

use ledger::{Command, OwnerKind, Rejection, Reply};
use store::{
    Action, Claim, Expect, Fingerprint, Outcome, PUTS_MAX, Put, PutId, PutOwner, RECORD_TAKEN,
    Record, RecordConflict, RecordKind, RecordQuery, RememberedReply, Submit,
};

use crate::bed::{Bed, Ground, Opened, claim, close};

/// A new user with this body and, if any, this unique.
pub fn user(ground: &Ground, body: &str, unique: Option<u8>) -> Put {
    Put {
        kind: RecordKind::User,
        id: PutId::New,
        tenant: ground.tenant,
        owner: PutOwner::Known(ground.owner),
        unique: unique.map(fingerprint),
        expect: Expect::Absent,
        body: Some(Arc::from(body)),
    }
}

fn fingerprint(byte: u8) -> Fingerprint {
    [byte; 16]
}

/// The put that writes a record once more.
pub fn again(record: &Record, body: Option<&str>) -> Put {
    Put {
        kind: record.kind,
        id: PutId::Known(record.id),
        tenant: record.tenant,
        owner: record.owner.map_or(PutOwner::None, PutOwner::Known),
        unique: record.unique,
        expect: Expect::Version(record.version),
        body: body.map(Arc::from),
    }
}

pub fn act(action: Action) -> Submit {
    Submit {
        action,
        claim: None,
    }
}

/// Writes records; panics unless they were written.
pub async fn put(store: &Opened, puts: Vec<Put>) -> Vec<Record> {
    match store.submit(act(Action::Put(puts))).await {
        Ok(Outcome::Stored {
            reply: Reply::Done,
            records,
        }) => records,
        other => panic!("not stored: {other:?}"),
    }
}

pub async fn conflict(store: &Opened, puts: Vec<Put>) -> RecordConflict {
    match store.submit(act(Action::Put(puts))).await {
        Ok(Outcome::Conflict(conflict)) => conflict,
        other => panic!("no conflict: {other:?}"),
    }
}

async fn find(store: &Opened, ground: &Ground, id: u64) -> Option<Record> {
    let record = store.record(RecordKind::User, ground.tenant, id).await;
    record.expect("reads work")
}

pub async fn all(store: &Opened, ground: &Ground, kind: RecordKind) -> Vec<Record> {
    let query = RecordQuery {
        kind,
        tenant: ground.tenant,
        owner: None,
        after: 0,
        before: u64::MAX,
        newest_first: false,
        limit: usize::MAX,
    };
    store.records(query).await.expect("reads work")
}

pub fn create_owner(ground: &Ground, name: &str) -> Command {
    Command::CreateOwner {
        tenant: ground.tenant,
        kind: OwnerKind::Corporate,
        name: Arc::from(name),
    }
}

/// An identity and its first user, to be written with the owner they belong to.
pub fn of_owner(ground: &Ground, kind: RecordKind, unique: Option<u8>) -> Put {
    Put {
        kind,
        id: PutId::OfReply,
        owner: PutOwner::OfReply,
        ..user(ground, "{}", unique)
    }
}

#[tokio::test]
async fn a_record_is_made_changed_and_deleted() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let made = put(&store, vec![user(&ground, r#"{"a":1}"#, Some(1))]).await;
    let [first] = &made[..] else {
        panic!("{made:?}")
    };
    assert_eq!((first.version, first.at), (1, store.now()));
    assert_eq!(find(&store, &ground, first.id).await.as_ref(), Some(first));

    bed.clock.advance(7);
    let changed = put(&store, vec![again(first, Some(r#"{"a":2}"#))]).await;
    let second = &changed[0];
    assert_eq!((second.id, second.version), (first.id, 2));
    assert_eq!((&*second.body, second.at), (r#"{"a":2}"#, store.now()));
    assert_eq!(second.owner, Some(ground.owner));
    assert_eq!(find(&store, &ground, first.id).await.as_ref(), Some(second));

    let stale = again(first, Some("{}"));
    let changed = RecordConflict::Changed(RecordKind::User);
    assert_eq!(conflict(&store, vec![stale]).await, changed);
    assert_eq!(conflict(&store, vec![again(first, None)]).await, changed);

    let blindly = |body| Put {
        expect: Expect::Present,
        ..again(first, body)
    };
    let third = put(&store, vec![blindly(Some("3"))]).await.remove(0);
    assert_eq!((third.version, &*third.body), (3, "3"));

    assert_eq!(put(&store, vec![again(&third, None)]).await, []);
    assert_eq!(find(&store, &ground, first.id).await, None);
    for gone in [again(&third, None), blindly(None), blindly(Some("4"))] {
        assert_eq!(conflict(&store, vec![gone]).await, changed);
    }
    // It may be made anew under its old id.
    let anew = Put {
        expect: Expect::Absent,
        ..again(second, Some("{}"))
    };
    assert_eq!(put(&store, vec![anew.clone()]).await[0].version, 1);
    assert_eq!(conflict(&store, vec![anew]).await, changed);
    close(store).await;
    bed.verify().await;
}

#[tokio::test]
async fn records_are_found_by_owner_place_and_unique() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let stranger = Ground::new(&store).await;
    let mut puts: Vec<Put> = (0..5).map(|i| user(&ground, "{}", Some(i))).collect();
    puts[4].owner = PutOwner::None;
    puts.push(user(&stranger, "{}", Some(0)));
    let made = put(&store, puts).await;
    let ids: Vec<u64> = made.iter().map(|record| record.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");

    assert_eq!(
        all(&store, &ground, RecordKind::User).await,
        made[..5].to_vec()
    );
    assert_eq!(all(&store, &ground, RecordKind::Session).await, []);
    let page = |owner, after, limit| {
        store.records(RecordQuery {
            kind: RecordKind::User,
            tenant: ground.tenant,
            owner,
            after,
            before: u64::MAX,
            newest_first: false,
            limit,
        })
    };
    let of_owner = page(Some(ground.owner), 0, 9).await.expect("reads work");
    assert_eq!(of_owner, made[..4].to_vec());
    let second = page(Some(ground.owner), ids[0], 2)
        .await
        .expect("reads work");
    assert_eq!(second, made[1..3].to_vec());
    let strange = page(Some(stranger.owner), 0, 9).await.expect("reads work");
    assert_eq!(strange, []);

    let unique = |ground: &Ground, byte| {
        store.record_by_unique(RecordKind::User, ground.tenant, fingerprint(byte))
    };
    assert_eq!(
        unique(&ground, 3).await.expect("reads work").as_ref(),
        Some(&made[3])
    );
    assert_eq!(
        unique(&stranger, 0).await.expect("reads work").as_ref(),
        Some(&made[5])
    );
    assert_eq!(unique(&stranger, 3).await.expect("reads work"), None);
    assert_eq!(
        find(&store, &stranger, ids[0]).await,
        None,
        "another tenant's"
    );
    close(store).await;
}

#[tokio::test]
async fn a_unique_is_taken_until_its_record_gives_it_up() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let holder = put(&store, vec![user(&ground, "{}", Some(1))])
        .await
        .remove(0);
    let taken = RecordConflict::Taken(RecordKind::User);
    let wanting = || user(&ground, "{}", Some(1));
    assert_eq!(conflict(&store, vec![wanting()]).await, taken);
    let twins = vec![user(&ground, "{}", Some(2)), user(&ground, "{}", Some(2))];
    assert_eq!(
        conflict(&store, twins).await,
        taken,
        "two in one action want it"
    );
    // Neither of the twins is there, nor what came before a conflict in its action.
    let mixed = vec![user(&ground, "{}", Some(3)), wanting()];
    assert_eq!(conflict(&store, mixed).await, taken);
    assert_eq!(all(&store, &ground, RecordKind::User).await.len(), 1);

    // Writing it again with its own unique is no conflict; another kind has its own uniques.
    let holder = put(&store, vec![again(&holder, Some("{}"))])
        .await
        .remove(0);
    let session = Put {
        kind: RecordKind::Session,
        ..wanting()
    };
    put(&store, vec![session]).await;

    close(store).await;
    let store = bed.open().await;
    assert_eq!(
        conflict(&store, vec![wanting()]).await,
        taken,
        "after a restart"
    );
    // Given up and taken over in one action, in this order only.
    let given_up = Put {
        unique: Some(fingerprint(9)),
        ..again(&holder, Some("{}"))
    };
    let reversed = vec![wanting(), given_up.clone()];
    assert_eq!(conflict(&store, reversed).await, taken);
    let moved = put(&store, vec![given_up, wanting()]).await;
    assert_eq!(moved[1].unique, Some(fingerprint(1)));
    // Deleted, it is free.
    put(&store, vec![again(&moved[1], None)]).await;
    put(&store, vec![wanting()]).await;
    close(store).await;
    bed.verify().await;
}

#[tokio::test]
async fn a_command_and_its_records_are_one_commit() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let together = |name: &str| {
        act(Action::Together {
            command: create_owner(&ground, name),
            puts: vec![
                of_owner(&ground, RecordKind::Identity, None),
                of_owner(&ground, RecordKind::User, Some(1)),
            ],
        })
    };
    let before = store.health().commits;
    let outcome = store.submit(together("Acme Ltd")).await;
    let Ok(Outcome::Stored {
        reply: Reply::Owner(owner),
        records,
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(store.health().commits, before + 1);
    let kinds: Vec<RecordKind> = records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [RecordKind::Identity, RecordKind::User]);
    for record in &records {
        assert_eq!(record.id, owner.id.raw());
        assert_eq!(record.owner, Some(owner.id));
    }

    // The records' conflict comes first, and then there is no owner either.
    let owners = store.owners(ground.tenant).await.expect("reads work");
    let outcome = store.submit(together("")).await;
    let taken = RecordConflict::Taken(RecordKind::User);
    assert!(
        matches!(&outcome, Ok(Outcome::Conflict(conflict)) if *conflict == taken),
        "{outcome:?}"
    );
    // A refused command leaves no records.
    let refused = act(Action::Together {
        command: create_owner(&ground, ""),
        puts: vec![of_owner(&ground, RecordKind::User, Some(2))],
    });
    let outcome = store.submit(refused).await;
    let is_refused = matches!(&outcome, Ok(Outcome::Refused(Rejection::Invalid { field, .. })) if *field == "name");
    assert!(is_refused, "{outcome:?}");
    assert_eq!(
        store.owners(ground.tenant).await.expect("reads work"),
        owners
    );
    assert_eq!(all(&store, &ground, RecordKind::User).await.len(), 1);
    close(store).await;
}

#[tokio::test]
async fn impossible_puts_are_refused() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let stranger = Ground::new(&store).await;
    let known = put(&store, vec![user(&ground, "{}", None)]).await.remove(0);
    let of_nothing = of_owner(&ground, RecordKind::User, None);
    let refusals = [
        ("too many", vec![user(&ground, "{}", None); PUTS_MAX + 1]),
        (
            "too large",
            vec![user(&ground, &"x".repeat(store::RECORD_BODY_MAX + 1), None)],
        ),
        ("need what a command makes", vec![of_nothing]),
        (
            "never issued",
            vec![Put {
                id: PutId::Known(u64::MAX),
                ..user(&ground, "{}", None)
            }],
        ),
        (
            "the owner does not exist",
            vec![Put {
                owner: PutOwner::Known(stranger.owner),
                ..user(&ground, "{}", None)
            }],
        ),
        (
            "the tenant does not exist",
            vec![Put {
                tenant: ledger::TenantId::new(1),
                ..user(&ground, "{}", None)
            }],
        ),
    ];
    for (part, puts) in refusals {
        match store.submit(act(Action::Put(puts))).await {
            Ok(Outcome::Refused(rejection)) => {
                let text = rejection.to_string();
                assert!(text.contains(part), "{text:?} lacks {part:?}");
            }
            other => panic!("{part}: {other:?}"),
        }
    }
    let changed = RecordConflict::Changed(RecordKind::User);
    let stolen = Put {
        tenant: stranger.tenant,
        owner: PutOwner::None,
        ..again(&known, Some("{}"))
    };
    assert_eq!(conflict(&store, vec![stolen]).await, changed);
    let twice = vec![again(&known, Some("{}")), again(&known, Some("{}"))];
    assert_eq!(conflict(&store, twice).await, changed);
    let largest = user(&ground, &"x".repeat(store::RECORD_BODY_MAX), None);
    put(&store, vec![largest; PUTS_MAX]).await;
    close(store).await;
    bed.verify().await;
}

#[tokio::test]
async fn records_are_remembered_as_they_were() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let create = || Submit {
        action: Action::Put(vec![user(&ground, r#"{"a":1}"#, Some(1))]),
        claim: Some(claim(1)),
    };
    let Ok(Outcome::Stored { records, .. }) = store.submit(create()).await else {
        panic!("not stored")
    };
    put(&store, vec![again(&records[0], Some("{}"))]).await;
    close(store).await;

    let store = bed.open().await;
    let outcome = store.submit(create()).await;
    let Ok(Outcome::Replay(number)) = outcome else {
        panic!("{outcome:?}")
    };
    let remembered = store.remembered(number).await.expect("reads work");
    let reply = remembered.expect("it is kept").reply;
    assert_eq!(reply, RememberedReply::Records(records));
    close(store).await;
}

#[tokio::test]
async fn a_taken_unique_is_remembered_when_asked_for_and_a_lost_race_never() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let holder = put(&store, vec![user(&ground, "{}", Some(1))])
        .await
        .remove(0);
    let holder = put(&store, vec![again(&holder, Some("{}"))])
        .await
        .remove(0);
    let submit = |put: Put, number, remember_refusals| Submit {
        action: Action::Put(vec![put]),
        claim: Some(Claim {
            remember_refusals,
            ..claim(number)
        }),
    };
    let wanting = || user(&ground, "{}", Some(1));
    let stale = Put {
        expect: Expect::Version(1),
        ..again(&holder, Some("{}"))
    };
    for submit in [
        submit(wanting(), 1, true),
        submit(wanting(), 2, false),
        submit(stale, 3, true),
    ] {
        let outcome = store.submit(submit).await;
        assert!(matches!(outcome, Ok(Outcome::Conflict(_))), "{outcome:?}");
    }
    put(&store, vec![again(&holder, None)]).await;
    let outcome = store.submit(submit(wanting(), 1, true)).await;
    let Ok(Outcome::Replay(number)) = outcome else {
        panic!("{outcome:?}")
    };
    let remembered = store.remembered(number).await.expect("reads work");
    let RememberedReply::Refused { code, message } = remembered.expect("it is kept").reply else {
        panic!("not a refusal")
    };
    assert_eq!((&*code, &*message), (RECORD_TAKEN, "user"));
    for number in [2, 3] {
        let free = user(&ground, "{}", Some(1 + number));
        let outcome = store.submit(submit(free, number.into(), true)).await;
        assert!(matches!(outcome, Ok(Outcome::Stored { .. })), "{outcome:?}");
    }
    close(store).await;
}

#[tokio::test]
async fn a_refusal_decided_elsewhere_is_remembered() {
    let bed = Bed::new();
    let store = bed.open().await;
    let tenant = Ground::new(&store).await.tenant;
    let refuse = |code: &str| Submit {
        action: Action::Refuse {
            tenant,
            code: Arc::from(code),
            message: Arc::from("no"),
        },
        claim: Some(Claim {
            remember_refusals: true,
            ..claim(1)
        }),
    };
    let outcome = store.submit(refuse("PROFILE_INACTIVE")).await;
    assert!(
        matches!(outcome, Ok(Outcome::Done(Reply::Done))),
        "{outcome:?}"
    );
    let outcome = store.submit(refuse("ANOTHER")).await;
    let Ok(Outcome::Replay(number)) = outcome else {
        panic!("{outcome:?}")
    };
    let remembered = store.remembered(number).await.expect("reads work");
    let RememberedReply::Refused { code, .. } = remembered.expect("it is kept").reply else {
        panic!("not a refusal")
    };
    assert_eq!(&*code, "PROFILE_INACTIVE");
    close(store).await;
}

#[tokio::test]
async fn a_log_is_only_ever_added_to() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let entry = |body: &str| Put {
        kind: RecordKind::Audit,
        owner: PutOwner::None,
        ..user(&ground, body, None)
    };
    let written = put(&store, vec![entry("1"), entry("2")]).await;
    close(store).await;
    // Started again it knows no more of them, and they are there.
    let store = bed.open().await;
    let one = written[0].clone();
    for wrong in [
        again(&one, Some("3")),
        again(&one, None),
        Put {
            expect: Expect::Absent,
            ..again(&one, Some("3"))
        },
        Put {
            unique: Some(fingerprint(1)),
            ..entry("3")
        },
    ] {
        let refused = store.submit(act(Action::Put(vec![wrong]))).await;
        let Ok(Outcome::Refused(Rejection::Invalid { field, .. })) = refused else {
            panic!("not refused: {refused:?}");
        };
        assert_eq!(field, "records");
    }
    let third = put(&store, vec![entry("3")]).await;
    let expected = [&written[..], &third[..]].concat();
    assert_eq!(all(&store, &ground, RecordKind::Audit).await, expected);
    // Old ones are thrown away, once or twice; that is all that can happen to them.
    let old = Put {
        expect: Expect::Present,
        ..again(&one, None)
    };
    for _ in 0..2 {
        put(&store, vec![old.clone()]).await;
        assert_eq!(all(&store, &ground, RecordKind::Audit).await, expected[1..]);
    }
    let kept = Put {
        body: Some(Arc::from("4")),
        ..old
    };
    let refused = store.submit(act(Action::Put(vec![kept]))).await;
    assert!(matches!(refused, Ok(Outcome::Refused(_))), "{refused:?}");
    close(store).await;
    bed.verify().await;
    bed.check_rebuilt();
    let store = bed.open().await;
    assert_eq!(all(&store, &ground, RecordKind::Audit).await, expected[1..]);
    close(store).await;
}

#[tokio::test]
async fn records_are_read_from_either_end() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let entry = |body: &str| Put {
        kind: RecordKind::Audit,
        owner: PutOwner::None,
        ..user(&ground, body, None)
    };
    let mut written = Vec::new();
    for number in 0..5 {
        written.extend(put(&store, vec![entry(&number.to_string())]).await);
    }
    let whole = RecordQuery::new(RecordKind::Audit, ground.tenant);
    let ids = async |query: RecordQuery| {
        let records = store.records(query).await.expect("reads work");
        records.iter().map(|record| record.id).collect::<Vec<_>>()
    };
    let made: Vec<u64> = written.iter().map(|record| record.id).collect();
    assert_eq!(ids(whole).await, made);
    let newest = RecordQuery {
        newest_first: true,
        limit: 2,
        ..whole
    };
    assert_eq!(ids(newest).await, [made[4], made[3]]);
    let before = RecordQuery {
        before: made[3],
        after: made[0],
        limit: 9,
        ..newest
    };
    assert_eq!(ids(before).await, [made[2], made[1]]);
    let upwards = RecordQuery {
        newest_first: false,
        limit: 1,
        ..before
    };
    assert_eq!(ids(upwards).await, [made[1]]);
    let of_owner = RecordQuery {
        owner: Some(ground.owner),
        ..newest
    };
    assert_eq!(ids(of_owner).await, [] as [u64; 0]);
    close(store).await;
}
