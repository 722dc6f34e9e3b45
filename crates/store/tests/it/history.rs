//! A tenant's history: every commit in order, for both engines, from any place on.

use std::sync::Arc;

use ledger::{Command, Effect, TenantMode};
use store::{Action, Claim, Fact, FactRow, HistoryQuery, Place, Submit};

use crate::bed::{Bed, Ground, Opened, claim, close};
use crate::records::{act, again, put, user};

async fn read(store: &Opened, ground: &Ground, after: Place, commits: usize) -> store::HistoryPage {
    let query = HistoryQuery {
        tenant: ground.tenant,
        after,
        commits,
    };
    store.history(query).await.expect("the store runs")
}

async fn all(store: &Opened, ground: &Ground) -> Vec<FactRow> {
    read(store, ground, Place::START, 10_000).await.facts
}

/// What happened, in words.
fn words(facts: &[FactRow]) -> Vec<&'static str> {
    let word = |row: &FactRow| match &row.fact {
        Fact::Ledger(Effect::TenantCreated(_)) => "tenant",
        Fact::Ledger(Effect::OwnerCreated(_)) => "owner",
        Fact::Ledger(_) => "ledger",
        Fact::KeyCreated(_) => "key",
        Fact::KeyRevoked(_) => "no key",
        Fact::Record(_) => "record",
        Fact::RecordDeleted { .. } => "no record",
    };
    facts.iter().map(word).collect()
}

#[tokio::test]
async fn what_every_kind_of_commit_did_is_told_in_order() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let before = all(&store, &ground).await.last().expect("a tenant").place;
    let before = Place::end_of(before.commit());
    let records = put(&store, vec![user(&ground, "{}", None)]).await;
    // A refusal that is remembered is a commit of the tenant, and nothing to tell.
    let refused = Submit {
        action: Action::Refuse {
            tenant: ground.tenant,
            code: Arc::from("no"),
            message: Arc::from("No."),
        },
        claim: Some(Claim {
            remember_refusals: true,
            ..claim(1)
        }),
    };
    store.submit(refused).await.expect("the store runs");
    let deleted = act(Action::Put(vec![again(&records[0], None)]));
    store.submit(deleted).await.expect("the store runs");
    let other = Command::CreateTenant {
        name: Arc::from("Other"),
        mode: TenantMode::Sandbox,
    };
    store
        .submit(Submit::command(other))
        .await
        .expect("the store runs");
    let page = read(&store, &ground, before, 100).await;
    assert_eq!(words(&page.facts), ["record", "no record"]);
    let commits: Vec<u64> = page.facts.iter().map(|row| row.place.commit()).collect();
    assert_eq!(commits[1], commits[0] + 2, "the refusal is between them");
    assert_eq!(page.through, Place::end_of(commits[1]));
    assert!(!page.more);
    let heads = store
        .heads(vec![ground.tenant])
        .await
        .expect("the store runs");
    assert_eq!(heads, [(ground.tenant, commits[1])]);
    close(store).await;
}

#[tokio::test]
async fn a_history_is_the_same_in_any_steps_and_after_a_restart() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    for number in 0..20_u8 {
        put(&store, vec![user(&ground, "{}", Some(number))]).await;
    }
    let whole = all(&store, &ground).await;
    assert!(whole.is_sorted_by(|one, next| one.place < next.place));
    for commits in [1, 3, 7] {
        let (mut after, mut found) = (Place::START, Vec::new());
        loop {
            let page = read(&store, &ground, after, commits).await;
            found.extend(page.facts);
            after = page.through;
            if !page.more {
                break;
            }
        }
        assert_eq!(found, whole, "in steps of {commits}");
    }
    // From inside a commit on, too.
    let inside = whole[1].place;
    let rest = read(&store, &ground, Place::from_raw(inside.raw() - 1), 10_000).await;
    assert_eq!(rest.facts, whole[1..]);
    close(store).await;
    let store = bed.open().await;
    assert_eq!(all(&store, &ground).await, whole);
    put(&store, vec![user(&ground, "{}", None)]).await;
    let longer = all(&store, &ground).await;
    assert_eq!(longer[..whole.len()], whole);
    assert_eq!(longer.len(), whole.len() + 1);
    close(store).await;
    bed.verify().await;
}

#[tokio::test]
async fn news_come_with_every_commit() {
    let bed = Bed::new();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let mut news = store.news();
    news.borrow_and_update();
    put(&store, vec![user(&ground, "{}", None)]).await;
    news.changed().await.expect("the store is open");
    close(store).await;
}

mod embedded {
    use super::*;

    #[tokio::test]
    async fn a_history_is_found_again_when_the_views_are_filled_again() {
        let bed = Bed::embedded();
        let store = bed.open().await;
        let ground = Ground::new(&store).await;
        for number in 0..5_u8 {
            put(&store, vec![user(&ground, "{}", Some(number))]).await;
        }
        let whole = all(&store, &ground).await;
        close(store).await;
        store::embedded::rebuild_views(bed.path()).expect("whole");
        let store = bed.open().await;
        assert_eq!(all(&store, &ground).await, whole);
        close(store).await;
    }

    #[tokio::test]
    async fn a_long_history_of_many_segments_is_read_from_its_middle() {
        let mut bed = Bed::embedded();
        bed.segment_bytes = 16 << 10;
        let store = bed.open().await;
        let ground = Ground::new(&store).await;
        let body = format!("{{\"x\":\"{}\"}}", "x".repeat(8 << 10));
        for _ in 0..100 {
            put(&store, vec![user(&ground, &body, None)]).await;
        }
        let whole = all(&store, &ground).await;
        let middle = whole[whole.len() / 2].place;
        let rest = read(&store, &ground, middle.part(Place::PARTS - 1), 10_000).await;
        assert_eq!(rest.facts, whole[whole.len() / 2 + 1..]);
        close(store).await;
    }
}
