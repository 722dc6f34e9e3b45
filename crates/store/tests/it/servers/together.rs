//! Several servers over one database at the same time.

use std::sync::Arc;

use ledger::{ChangeAccount, Command, MoneyOut, Origin, OwnerKind, PlaceHold, Reply, Status};
use store::postgres::Isolation;
use store::{
    Action, Expect, KeyRecord, Notice, Outcome, Permission, Put, PutId, PutOwner, RecordKind,
    Submit,
};
use tokio::task::JoinSet;

use super::Servers;
use crate::bed::{Ground, Opened, RAIL_MS, claim, claimed, close, done, made, usd};

/// Two servers draw one account down: exactly what was there comes out.
async fn race(isolation: Isolation) {
    const MONEY: i64 = 100;
    let servers = Servers::new();
    let mut stores = Vec::new();
    for _ in 0..2 {
        stores.push(
            servers
                .open_with(|options| options.isolation = isolation)
                .await,
        );
    }
    let ground = Ground::new(&stores[0]).await;
    done(&stores[0], ground.paycheck(MONEY)).await;
    let draw = Command::MoneyOut(MoneyOut {
        tenant: ground.tenant,
        source: ground.pay,
        amount: usd(1),
        origin: Origin::ExternalPull,
        description: None,
    });
    let mut drawing = JoinSet::new();
    for store in &stores {
        for _ in 0..4 {
            let (store, draw) = (Arc::clone(store), draw.clone());
            drawing.spawn(async move {
                let (mut drawn, mut refused) = (0, 0);
                for _ in 0..20 {
                    match store.submit(Submit::command(draw.clone())).await {
                        Ok(Outcome::Done(_)) => drawn += 1,
                        Ok(Outcome::Refused(_)) => refused += 1,
                        other => panic!("{other:?}"),
                    }
                }
                (drawn, refused)
            });
        }
    }
    let (drawn, refused): (Vec<i64>, Vec<i64>) = drawing.join_all().await.into_iter().unzip();
    assert_eq!(drawn.iter().sum::<i64>(), MONEY);
    assert_eq!(refused.iter().sum::<i64>(), 160 - MONEY);
    assert_eq!(ground.balance(&stores[0], ground.pay).await, 0);
    for store in stores {
        close(store).await;
    }
    servers.verify().await;
}

#[tokio::test]
async fn two_servers_draw_an_account_down_to_zero() {
    race(Isolation::ReadCommitted).await;
}

#[tokio::test]
async fn so_they_do_when_the_database_keeps_them_apart() {
    race(Isolation::Serializable).await;
}

/// The same keys are sent to two servers at once, again and again: each is done once.
#[tokio::test]
async fn twins_race() {
    let servers = Servers::new();
    let stores = [servers.open().await, servers.open().await];
    let grounds = [Ground::new(&stores[0]).await, Ground::new(&stores[0]).await];
    let mut sending = JoinSet::new();
    for number in 0..100 {
        for (store, ground) in stores.iter().zip(&grounds) {
            let store = Arc::clone(store);
            let submit = claimed(ground.paycheck(1), claim(number));
            sending.spawn(async move { store.submit(submit).await });
        }
    }
    let (mut done, mut again) = (0, 0);
    for outcome in sending.join_all().await {
        match outcome {
            Ok(Outcome::Done(_)) => done += 1,
            Ok(Outcome::Replay(_)) => again += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((done, again), (100, 100));
    let mut sum = 0;
    for ground in &grounds {
        sum += ground.balance(&stores[0], ground.pay).await;
    }
    assert_eq!(sum, 100);
    for store in stores {
        close(store).await;
    }
    servers.verify().await;
}

/// What a server knows of accounts from its last transaction is never used when another server has
/// changed them since.
#[tokio::test]
async fn what_another_server_has_changed_is_seen() {
    let servers = Servers::new();
    let other = servers.open().await;
    let first = Ground::new(&other).await;
    let hold = |ground: &Ground, minor| {
        Command::PlaceHold(PlaceHold {
            tenant: ground.tenant,
            account: ground.pay,
            amount: usd(minor),
            expires_at: None,
        })
    };
    let rename = |ground: &Ground| {
        Command::ChangeAccount(ChangeAccount {
            tenant: ground.tenant,
            owner: None,
            account: ground.pay,
            name: Some(Arc::from("Renamed")),
            tag: None,
            details: None,
        })
    };
    let delete = |ground: &Ground| Command::DeleteAccount {
        tenant: ground.tenant,
        account: ground.pod,
    };
    type Step<'a> = (&'a str, Vec<Command>, i64, bool, [i64; 2]);
    let steps = |ground: &Ground| -> Vec<Step<'_>> {
        let away = ground.transfer(ground.pay, ground.pod, 90);
        let more = ground.transfer(ground.pay, ground.pod, 20);
        let out = Command::MoneyOut(MoneyOut {
            tenant: ground.tenant,
            source: ground.pod,
            amount: usd(10),
            origin: Origin::ExternalPull,
            description: None,
        });
        vec![
            ("spent", vec![away], 50, false, [0, 100]),
            ("filled", vec![ground.paycheck(30)], 110, true, [10, 120]),
            ("both", vec![ground.paycheck(5), more], 60, true, [15, 90]),
            ("held", vec![hold(ground, 60)], 50, false, [90, 10]),
            ("renamed", vec![rename(ground)], 50, true, [40, 60]),
            ("gone", vec![out, delete(ground)], 50, false, [90, 0]),
        ]
    };
    for index in 0..6 {
        let ground = Ground::of(&other, first.tenant).await;
        let (what, changes, minor, goes, balances) = steps(&ground).swap_remove(index);
        // A new server is not wary yet.
        let store = servers.open().await;
        done(&store, ground.paycheck(100)).await;
        let known = ground.transfer(ground.pay, ground.pod, 10);
        let id = made(store.submit(Submit::command(known)).await);
        assert_eq!(ground.status(&store, id).await, Status::Complete, "{what}");
        for change in changes {
            done(&other, change).await;
        }
        let next = ground.transfer(ground.pay, ground.pod, minor);
        let went = match store.submit(Submit::command(next)).await {
            Ok(Outcome::Done(Reply::Transfer {
                transfer, source, ..
            })) => {
                let name = source.map(|party| party.name.to_string());
                let renamed = match what {
                    "renamed" => "Renamed",
                    _ => "Rainy days",
                };
                assert_eq!(name.as_deref(), Some(renamed), "{what}");
                ground.status(&store, transfer.id).await == Status::Complete
            }
            Ok(Outcome::Refused(_)) => false,
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(went, goes, "{what}");
        let pay = ground.balance(&store, ground.pay).await;
        let pod = ground.balance(&store, ground.pod).await;
        assert_eq!([pay, pod], balances, "{what}");
        close(store).await;
    }
    close(other).await;
    servers.verify().await;
}

/// Work that waits is done once by three servers that all look for it.
#[tokio::test]
async fn three_servers_do_due_work_once() {
    const OWNERS: usize = 20;
    const TRANSFERS: i64 = 5;
    let servers = Servers::new();
    let mut stores: Vec<Opened> = Vec::new();
    for _ in 0..3 {
        stores.push(servers.open().await);
    }
    let first = Ground::new(&stores[0]).await;
    let mut grounds = vec![first];
    while grounds.len() < OWNERS {
        grounds.push(Ground::of(&stores[0], first.tenant).await);
    }
    let mut ids = Vec::new();
    for (store, ground) in stores.iter().cycle().zip(&grounds) {
        for _ in 0..TRANSFERS {
            let pull = ground.transfer(ground.bank, ground.pod, 1);
            ids.push((*ground, made(store.submit(Submit::command(pull)).await)));
        }
    }
    servers.clock.advance(RAIL_MS);
    // Everybody at once: by looking around, and because somebody waits for it.
    let waiting = stores.iter().map(|store| {
        store.wake();
        store.quiesce(first.tenant)
    });
    for waited in waiting.collect::<Vec<_>>() {
        waited.await.expect("writes work");
    }
    for (ground, id) in ids {
        assert_eq!(ground.status(&stores[1], id).await, Status::Complete);
    }
    for ground in &grounds {
        assert_eq!(ground.balance(&stores[2], ground.pod).await, TRANSFERS);
    }
    assert_eq!(servers.number("SELECT count(*) FROM due"), 0);
    for store in stores {
        close(store).await;
    }
    servers.verify().await;
}

#[tokio::test]
async fn a_server_hears_what_others_change() {
    let servers = Servers::new();
    let (one, other) = (servers.open().await, servers.open().await);
    let ground = Ground::new(&one).await;
    let mut own = one.notices().expect("there are others");
    let mut heard = other.notices().expect("there are others");
    let put = Put {
        kind: RecordKind::User,
        id: PutId::New,
        tenant: ground.tenant,
        owner: PutOwner::Known(ground.owner),
        unique: None,
        expect: Expect::Absent,
        body: Some(Arc::from("{}")),
    };
    let act = |action| Submit {
        action,
        claim: None,
    };
    let Ok(Outcome::Stored { records, .. }) = one.submit(act(Action::Put(vec![put]))).await else {
        panic!("not stored")
    };
    let record = Notice::Record {
        tenant: ground.tenant,
        kind: RecordKind::User,
        id: records[0].id,
    };
    assert_eq!(heard.recv().await, Ok(record));
    let key = KeyRecord {
        id: ledger::KeyId::new(0),
        tenant: ground.tenant,
        name: Arc::from("key"),
        hash: [7; 32],
        hint: Arc::from("7777"),
        permissions: vec![Permission::Programme],
        created_at: ledger::Millis(0),
        revoked_at: None,
    };
    let Ok(Outcome::Key(key)) = one.submit(act(Action::CreateKey(key))).await else {
        panic!("no key")
    };
    let (tenant, key) = (ground.tenant, key.id);
    assert_eq!(heard.recv().await, Ok(Notice::Key { tenant, key }));
    let revoked = one.submit(act(Action::RevokeKey { tenant, key })).await;
    assert!(matches!(revoked, Ok(Outcome::Done(_))), "{revoked:?}");
    assert_eq!(heard.recv().await, Ok(Notice::Key { tenant, key }));
    let cut = Put {
        id: PutId::Known(records[0].id),
        body: None,
        expect: Expect::Present,
        kind: RecordKind::User,
        tenant,
        owner: PutOwner::None,
        unique: None,
    };
    let deleted = one.submit(act(Action::Put(vec![cut]))).await;
    assert!(matches!(deleted, Ok(Outcome::Stored { .. })), "{deleted:?}");
    assert_eq!(heard.recv().await, Ok(record));
    // Nobody hears of what it did itself.
    assert!(own.try_recv().is_err());
    // Who has been away for longer than notices are kept cannot know.
    servers.clock.advance(3_600_000);
    other.wake();
    assert_eq!(heard.recv().await, Ok(Notice::Missed));
    close(one).await;
    close(other).await;
    servers.verify().await;
}

/// System accounts are opened once for an owner, whoever needs them first.
#[tokio::test]
async fn two_servers_open_system_accounts_once() {
    let servers = Servers::new();
    let stores = [servers.open().await, servers.open().await];
    let ground = Ground::new(&stores[0]).await;
    let mut paying = JoinSet::new();
    for number in 0..20 {
        let (store, paycheck) = (Arc::clone(&stores[number % 2]), ground.paycheck(1));
        paying.spawn(async move { store.submit(Submit::command(paycheck)).await });
    }
    for outcome in paying.join_all().await {
        made(outcome);
    }
    assert_eq!(
        servers.number("SELECT count(*) FROM accounts WHERE kind >= 16"),
        1
    );
    for store in stores {
        close(store).await;
    }
    servers.verify().await;
}

/// A change that one server has committed is seen by the next command of another.
#[tokio::test]
async fn what_one_server_makes_another_can_use() {
    let servers = Servers::new();
    let (one, other) = (servers.open().await, servers.open().await);
    let ground = Ground::new(&one).await;
    done(&other, ground.paycheck(10)).await;
    let transfer = ground.transfer(ground.pay, ground.pod, 10);
    made(other.submit(Submit::command(transfer)).await);
    assert_eq!(ground.balance(&one, ground.pod).await, 10);
    let create = Command::CreateOwner {
        tenant: ground.tenant,
        kind: OwnerKind::Consumer,
        name: Arc::from("Bob"),
    };
    done(&other, create).await;
    assert_eq!(
        one.owners(ground.tenant).await.expect("reads work").len(),
        2
    );
    close(one).await;
    close(other).await;
    servers.verify().await;
}
