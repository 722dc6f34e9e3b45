//! Lists of accounts, profiles and bulks, and the names in transfers that are kept in memory.

use std::sync::Arc;

use ledger::{
    AccountKind, AccountState, BulkId, BulkMode, BulkStatus, ChangeAccount, Command, Currency,
    OperationOutcome, ProfileKind, StateReason, Status, Steer, TransferOrder,
};
use store::{AccountQuery, AccountRow, BulkOperationQuery, BulkQuery, OperationState};

use crate::bed::{Bed, Ground, Opened, close, done};
use crate::programme::{self, Programme};

async fn names(store: &Opened, query: AccountQuery) -> Vec<String> {
    let page = store
        .accounts_page(query.clone())
        .await
        .expect("reads work");
    let rows = store.accounts(query.clone()).await.expect("reads work");
    let ids = |rows: &[AccountRow]| -> Vec<_> { rows.iter().map(|row| row.account.id).collect() };
    assert_eq!(ids(&page.rows), ids(&rows), "{query:?}");
    if query.offset == 0 && query.limit == usize::MAX {
        assert_eq!(page.count, rows.len() as u64, "{query:?}");
    }
    rows.iter()
        .map(|row| row.account.name.to_string())
        .collect()
}

#[tokio::test]
async fn accounts_are_found_by_what_is_known_of_them() {
    let bed = Bed::new();
    let store = bed.open().await;
    let Programme {
        tenant,
        owner,
        main,
        card,
        ..
    } = programme::write_history(&bed, &store).await;
    let stranger = Ground::new(&store).await;
    let other = Ground::new(&store).await;
    let all = || AccountQuery {
        owner: Some(owner),
        ..AccountQuery::new(tenant)
    };
    // Three of the ground's; then the main account, two cards and one that was removed.
    let every = [
        "Rainy days",
        "Rainy days",
        "Rainy days",
        "Main",
        "Travel",
        "Main",
        "Main",
    ];
    assert_eq!(names(&store, all()).await, every);
    let newest = AccountQuery {
        newest_first: true,
        ..all()
    };
    let mut backwards = every;
    backwards.reverse();
    assert_eq!(names(&store, newest.clone()).await, backwards);
    let cut = AccountQuery {
        offset: 1,
        limit: 3,
        ..newest
    };
    assert_eq!(names(&store, cut.clone()).await, backwards[1..4]);
    assert_eq!(store.accounts_page(cut).await.expect("reads work").count, 7);

    let pods = vec![AccountKind::Pod];
    let cards = vec![AccountKind::PrepaidCard, AccountKind::DebitCard];
    let one = |change: &dyn Fn(&mut AccountQuery)| {
        let mut query = all();
        change(&mut query);
        query
    };
    let profile = store.account(tenant, main.id).await.expect("reads work");
    let profile = profile.expect("it was opened").account.profile;
    for (query, count) in [
        (one(&|q| q.kinds = cards.clone()), 2),
        (one(&|q| q.kinds = pods.clone()), 3),
        (one(&|q| q.profile = profile), 2),
        (one(&|q| q.parent = Some(main.id)), 1),
        (one(&|q| q.parent = Some(card.id)), 0),
        (one(&|q| q.name = Some(Arc::from("Travel"))), 1),
        (one(&|q| q.name = Some(Arc::from("travel"))), 0),
        (one(&|q| q.tag = Some(Arc::from("a"))), 4),
        (one(&|q| q.tag = Some(Arc::from("' OR 1 --"))), 0),
        (one(&|q| q.currency = Some(Currency::EUR)), 0),
        (one(&|q| q.include_closed = false), 6),
        (one(&|q| q.states = vec![AccountState::Active]), 5),
        (
            one(&|q| q.states = vec![AccountState::Blocked, AccountState::Destroyed]),
            2,
        ),
        (
            one(&|q| q.reasons = vec![(AccountState::Blocked, StateReason::Lost)]),
            1,
        ),
        (
            one(&|q| q.reasons = vec![(AccountState::Destroyed, StateReason::Lost)]),
            0,
        ),
        (
            one(&|q| {
                q.reasons = vec![
                    (AccountState::Blocked, StateReason::Lost),
                    (AccountState::Destroyed, StateReason::User),
                ];
            }),
            2,
        ),
        (one(&|q| q.created_from = Some(crate::bed::START)), 7),
        (
            one(&|q| q.created_from = Some(crate::bed::START.plus(1))),
            0,
        ),
        (one(&|q| q.created_to = Some(crate::bed::START)), 7),
        (one(&|q| q.created_to = Some(crate::bed::START.plus(-1))), 0),
        (one(&|q| q.owner = Some(stranger.owner)), 0),
        (AccountQuery::new(stranger.tenant), 3),
        (
            AccountQuery {
                owner: Some(other.owner),
                ..AccountQuery::new(stranger.tenant)
            },
            0,
        ),
    ] {
        assert_eq!(names(&store, query.clone()).await.len(), count, "{query:?}");
    }
    close(store).await;
}

#[tokio::test]
async fn profiles_are_found_by_id_and_kind() {
    let bed = Bed::new();
    let store = bed.open().await;
    let Programme {
        tenant, transfers, ..
    } = programme::write_history(&bed, &store).await;
    let stranger = Ground::new(&store).await;
    let count = async |tenant, kind| {
        let profiles = store.profiles(tenant, kind).await.expect("reads work");
        assert!(profiles.is_sorted_by_key(|profile| profile.id));
        profiles.len()
    };
    assert_eq!(count(tenant, None).await, 6);
    assert_eq!(count(tenant, Some(ProfileKind::ManagedCard)).await, 2);
    assert_eq!(count(tenant, Some(ProfileKind::Transfer)).await, 1);
    assert_eq!(count(stranger.tenant, None).await, 0);
    let found = store.profile(tenant, transfers).await.expect("reads work");
    assert_eq!(
        found.map(|profile| profile.terms),
        Some(programme::transfer_terms())
    );
    let found = store.profile(stranger.tenant, transfers).await;
    assert_eq!(found.expect("reads work"), None);
    close(store).await;
}

#[tokio::test]
async fn bulks_and_their_operations_are_listed() {
    let bed = Bed::new();
    let store = bed.open().await;
    let world = programme::write_history(&bed, &store).await;
    let stranger = Ground::new(&store).await;
    let query = BulkQuery {
        tenant: world.tenant,
        owner: world.owner,
        statuses: Vec::new(),
        offset: 0,
        limit: usize::MAX,
    };
    let page = store.bulks(query.clone()).await.expect("reads work");
    let said: Vec<(BulkStatus, u32, u32, u32)> = page
        .rows
        .iter()
        .map(|bulk| (bulk.status, bulk.operations, bulk.succeeded, bulk.failed))
        .collect();
    // The newest first.
    let expected = [
        (BulkStatus::Submitted, 1, 0, 0),
        (BulkStatus::Cancelled, 1, 0, 0),
        (BulkStatus::Failed, 1, 0, 1),
        (BulkStatus::Failed, 2, 0, 1),
        (BulkStatus::PartiallyCompleted, 3, 2, 1),
        (BulkStatus::Completed, 2, 2, 0),
    ];
    assert_eq!(said, expected);
    assert_eq!(page.count, 6);
    for bulk in &page.rows {
        let one = store.bulk(world.tenant, bulk.id).await.expect("reads work");
        assert_eq!(one.as_ref(), Some(bulk));
        let none = store.bulk(stranger.tenant, bulk.id).await;
        assert_eq!(none.expect("reads work"), None);
    }
    let failed = vec![BulkStatus::Failed, BulkStatus::Running];
    let some = BulkQuery {
        statuses: failed,
        offset: 1,
        limit: 5,
        ..query.clone()
    };
    let some = store.bulks(some).await.expect("reads work");
    assert_eq!((some.rows.len(), some.count), (1, 2));
    let strange = BulkQuery {
        tenant: stranger.tenant,
        ..query
    };
    assert_eq!(store.bulks(strange).await.expect("reads work").count, 0);
    check_operations(&store, &world, page.rows[4].id).await;
    close(store).await;
}

/// Of a bulk whose second of three operations was refused.
async fn check_operations(store: &Opened, world: &Programme, bulk: BulkId) {
    let query = BulkOperationQuery {
        tenant: world.tenant,
        bulk,
        index: None,
        states: Vec::new(),
        offset: 0,
        limit: usize::MAX,
    };
    let page = store
        .bulk_operations(query.clone())
        .await
        .expect("reads work");
    assert_eq!(page.count, 3);
    let orders: Vec<(u32, TransferOrder)> = (0..)
        .zip([100, 0, 100])
        .map(|(index, minor)| (index, world.order(minor)))
        .collect();
    let found: Vec<(u32, TransferOrder)> = page
        .rows
        .iter()
        .map(|row| (row.index, row.order.clone()))
        .collect();
    assert_eq!(found, orders);
    let states: Vec<OperationState> = page.rows.iter().map(|row| row.state()).collect();
    let expected = [
        OperationState::Done,
        OperationState::Refused,
        OperationState::Done,
    ];
    assert_eq!(states, expected);
    let Some(OperationOutcome::Made(transfer, Status::Complete)) = page.rows[0].outcome else {
        panic!("{:?}", page.rows[0])
    };
    let made = store.transfer(world.tenant, transfer).await;
    assert!(made.expect("reads work").is_some());
    let count = async |change: &dyn Fn(&mut BulkOperationQuery)| {
        let mut query = query.clone();
        change(&mut query);
        let page = store.bulk_operations(query).await.expect("reads work");
        (
            page.rows.iter().map(|row| row.index).collect::<Vec<_>>(),
            page.count,
        )
    };
    assert_eq!(count(&|q| q.index = Some(2)).await, (vec![2], 1));
    assert_eq!(count(&|q| q.index = Some(3)).await, (vec![], 0));
    assert_eq!(
        count(&|q| q.states = vec![OperationState::Done]).await,
        (vec![0, 2], 2)
    );
    assert_eq!(
        count(&|q| q.states = vec![OperationState::Waiting]).await,
        (vec![], 0)
    );
    assert_eq!(count(&|q| (q.offset, q.limit) = (1, 1)).await, (vec![1], 3));
    assert_eq!(count(&|q| q.bulk = BulkId::new(7)).await, (vec![], 0));
}

#[tokio::test]
async fn operations_that_were_not_tried_wait() {
    let bed = Bed::new();
    let store = bed.open().await;
    let world = programme::write_history(&bed, &store).await;
    let bad = world.order(0);
    let bulk = world
        .submit(&store, vec![bad, world.order(1), world.order(1)])
        .await;
    world
        .steer(&store, bulk, Steer::Execute(BulkMode::StopOnFailure))
        .await;
    store.quiesce(world.tenant).await.expect("writes work");
    let query = BulkOperationQuery {
        tenant: world.tenant,
        bulk,
        index: None,
        states: vec![OperationState::Waiting],
        offset: 0,
        limit: 10,
    };
    let page = store.bulk_operations(query).await.expect("reads work");
    let waiting: Vec<u32> = page.rows.iter().map(|row| row.index).collect();
    assert_eq!((waiting, page.count), (vec![1, 2], 2));
    close(store).await;
}

/// A transfer that was looked up before keeps nothing that has changed since.
#[tokio::test]
async fn a_renamed_account_is_renamed_in_every_transfer() {
    let bed = Bed::new();
    let store = bed.open().await;
    let world = programme::write_history(&bed, &store).await;
    let (transfer, _) = world.transfer(&store, world.order(1)).await;
    let names = async || {
        let row = store.transfer(world.tenant, transfer).await;
        let row = row.expect("reads work").expect("it was recorded");
        let name = |party: Option<ledger::Party>| party.expect("both are known").name.to_string();
        (name(row.source), name(row.destination))
    };
    let mut expected = ("Main".to_owned(), "Travel".to_owned());
    for round in 0..20 {
        // From memory, from the second time on.
        for _ in 0..3 {
            assert_eq!(names().await, expected);
        }
        let account = if round % 2 == 0 {
            world.main.id
        } else {
            world.card.id
        };
        let name = format!("Name {round}");
        let change = ChangeAccount {
            tenant: world.tenant,
            owner: Some(world.owner),
            account,
            name: Some(Arc::from(name.as_str())),
            tag: None,
            details: None,
        };
        done(&store, Command::ChangeAccount(change)).await;
        if round % 2 == 0 {
            expected.0 = name;
        } else {
            expected.1 = name;
        }
    }
    assert_eq!(names().await, expected);
    close(store).await;
}

/// What is looked up while it is open is looked up again when it has ended.
#[tokio::test]
async fn a_transfer_that_ends_is_not_kept_as_it_was() {
    let bed = Bed::new();
    let store = bed.open().await;
    let world = programme::write_history(&bed, &store).await;
    let at = store.now().plus(50);
    let order = TransferOrder {
        scheduled_at: Some(at),
        ..world.order(1)
    };
    let (transfer, _) = world.transfer(&store, order).await;
    let status = async || {
        let row = store.transfer(world.tenant, transfer).await;
        row.expect("reads work")
            .expect("it was recorded")
            .transfer
            .status
    };
    for _ in 0..3 {
        assert_eq!(status().await, Status::Scheduled);
    }
    bed.clock.advance(50);
    store.quiesce(world.tenant).await.expect("writes work");
    for _ in 0..3 {
        assert_eq!(status().await, Status::Complete);
    }
    close(store).await;
}
