//! What is in a commit.

use std::sync::Arc;

use ledger::{Command, KeyId, Millis, PlaceHold, Reply, TenantId};
use store::{
    Action, Claim, KeyRecord, Outcome, Permission, RememberedReply, Resources, Submit, Used,
};
use tokio::task::JoinSet;

use crate::bed::{Bed, Ground, Opened, check_sound, claim, claimed, close, done, usd};

/// One was done; all others point to what is remembered of it.
pub async fn check_twins(store: &Opened, ground: &Ground, outcomes: Vec<Outcome>) {
    let count = outcomes.len();
    let mut made = Vec::new();
    let mut replays = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Done(Reply::Transfer { transfer, .. }) => made.push(transfer),
            Outcome::Replay(number) => replays.push(number),
            other => panic!("neither done nor replayed: {other:?}"),
        }
    }
    assert_eq!((made.len(), replays.len()), (1, count - 1));
    replays.dedup();
    let [number] = replays[..] else {
        panic!("several numbers: {replays:?}")
    };
    let remembered = store.remembered(number).await.expect("reads work");
    let remembered = remembered.expect("what is replayed can be read");
    assert_eq!(remembered.key, claim(7).key);
    assert_eq!(remembered.body, claim(7).body);
    assert_eq!(&*remembered.request_id, "req-7");
    let RememberedReply::Transfer { id, status, .. } = remembered.reply else {
        panic!("not a transfer: {remembered:?}")
    };
    assert_eq!((id, status), (made[0].id, made[0].status));
    assert!(ground.transfers(store).await.contains_key(&id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_submits_with_one_key_one_is_done() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(1_000)).await;
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let store = Arc::clone(&store);
        let submit = claimed(ground.transfer(ground.pay, ground.pod, 600), claim(7));
        tasks.spawn(async move { store.submit(submit).await.expect("the disk is good") });
    }
    check_twins(&store, &ground, tasks.join_all().await).await;
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.balance(&store, ground.pod).await, 600);
    check_sound(&store, &ground).await;
    close(store).await;
}

/// What would be refused now was done then.
#[tokio::test]
async fn a_used_key_is_found_although_nothing_would_be_remembered_now() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(500)).await;
    let all = |number| {
        let hold = Command::PlaceHold(PlaceHold {
            tenant: ground.tenant,
            account: ground.pay,
            amount: usd(500),
            expires_at: None,
        });
        claimed(hold, claim(number))
    };
    let outcome = store.submit(all(1)).await;
    assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    close(store).await;

    let store = bed.open().await;
    let outcome = store.submit(all(2)).await;
    assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    for _ in 0..3 {
        let outcome = store.submit(all(1)).await;
        let Ok(Outcome::Replay(used)) = outcome else {
            panic!("it was decided again: {outcome:?}")
        };
        assert_eq!(used.key, claim(1).key);
    }
    let outcome = store.submit(all(2)).await;
    assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    close(store).await;
}

#[tokio::test]
async fn a_refusal_is_remembered_when_asked_for() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let hold = |minor| {
        Command::PlaceHold(PlaceHold {
            tenant: ground.tenant,
            account: ground.pay,
            amount: usd(minor),
            expires_at: None,
        })
    };
    let remembering = |number| Claim {
        remember_refusals: true,
        ..claim(number)
    };
    let kept = || claimed(hold(5), remembering(1));
    let not_kept = || claimed(hold(5), claim(2));
    for submit in [kept(), not_kept()] {
        let outcome = store.submit(submit).await;
        assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    }
    done(&store, ground.paycheck(100)).await;
    // With money there the second goes through; the first stays refused.
    let outcome = store.submit(kept()).await;
    let Ok(Outcome::Replay(number)) = outcome else {
        panic!("a late duplicate moved money after a no: {outcome:?}")
    };
    let remembered = store.remembered(number).await.expect("reads work");
    let RememberedReply::Refused { code, message } = remembered.expect("kept").reply else {
        panic!("not a refusal")
    };
    assert_eq!(&*code, "insufficient_funds");
    assert!(
        message.contains("has 0 available, 5 requested"),
        "{message}"
    );
    let outcome = store.submit(not_kept()).await;
    assert!(
        matches!(outcome, Ok(Outcome::Done(Reply::Hold(_)))),
        "{outcome:?}"
    );
    let outcome = store.submit(not_kept()).await;
    let Ok(Outcome::Replay(second)) = outcome else {
        panic!("not remembered: {outcome:?}")
    };
    assert_ne!(second, number);
    let missing = store
        .remembered(Used {
            number: second.number + 1,
            ..second
        })
        .await
        .expect("reads work");
    assert_eq!(missing, None);
    close(store).await;
}

#[tokio::test]
async fn api_keys_are_kept_and_revoked_by_their_tenant_only() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let record = KeyRecord {
        id: KeyId::new(0),
        tenant: ground.tenant,
        name: Arc::from("payroll"),
        hash: [7; 32],
        hint: Arc::from("x9z2"),
        permissions: vec![
            Permission::ListAccounts,
            Permission::ReadTransfers(Resources::Ids(vec![1, u64::MAX])),
        ],
        created_at: Millis(0),
        revoked_at: None,
    };
    let submit = |action| Submit {
        action,
        claim: None,
    };
    let created = store
        .submit(submit(Action::CreateKey(record.clone())))
        .await;
    let Ok(Outcome::Key(key)) = created else {
        panic!("no key: {created:?}")
    };
    assert_eq!(
        store.keys(None).await.expect("reads work"),
        std::slice::from_ref(&key)
    );
    close(store).await;

    let store = bed.open().await;
    let other = Ground::new(&store).await;
    assert!(
        store
            .keys(Some(other.tenant))
            .await
            .expect("reads work")
            .is_empty()
    );
    let revoke = |tenant| {
        submit(Action::RevokeKey {
            tenant,
            key: key.id,
        })
    };
    let outcome = store.submit(revoke(other.tenant)).await;
    assert!(matches!(outcome, Ok(Outcome::KeyNotFound)), "{outcome:?}");
    let outcome = store.submit(revoke(ground.tenant)).await;
    assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    let seen = store.keys(Some(ground.tenant)).await.expect("reads work");
    assert_eq!(seen[0].revoked_at, Some(store.now()));
    let strangers = KeyRecord {
        tenant: TenantId::new(1),
        ..record
    };
    let outcome = store.submit(submit(Action::CreateKey(strangers))).await;
    assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    close(store).await;
}
