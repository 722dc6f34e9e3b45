//! What is in a transaction, and how many commits share one.

use std::sync::Arc;

use ledger::{Command, PlaceHold, Status};
use store::postgres::Point;
use store::{Outcome, StoreError, Submit};
use tokio::task::JoinSet;

use super::{Script, Servers};
use crate::bed::{Ground, Opened, claim, claimed, close, done, made, usd};

type Outcomes = JoinSet<Result<Outcome, StoreError>>;

/// A server whose transactions can be held up.
struct Gated {
    servers: Servers,
    script: Arc<Script>,
    store: Opened,
    ground: Ground,
}

impl Gated {
    async fn new() -> Gated {
        let servers = Servers::new();
        let script = Script::new();
        let store = servers.open_faulty(&script).await;
        let ground = Ground::new(&store).await;
        Gated {
            servers,
            script,
            store,
            ground,
        }
    }

    /// Submits all so that they are decided together, in this order.
    async fn together(&self, submits: Vec<Submit>) -> Vec<Result<Outcome, StoreError>> {
        self.script.close(Point::Begin);
        let mut first = Outcomes::new();
        self.submit(&mut first, Submit::command(self.ground.paycheck(1)));
        self.script.wait_for_one().await;
        let mut answers = Vec::new();
        for submit in submits {
            let queued = self.store.health().queued;
            let store = Arc::clone(&self.store);
            answers.push(tokio::spawn(async move { store.submit(submit).await }));
            while self.store.health().queued == queued {
                tokio::task::yield_now().await;
            }
        }
        self.script.open();
        for outcome in first.join_all().await {
            made(outcome);
        }
        let mut outcomes = Vec::new();
        for answer in answers {
            outcomes.push(answer.await.expect("no panic"));
        }
        outcomes
    }

    /// Returns when this many wait besides those of the transaction that is held up.
    async fn wait_until_queued(&self, submits: usize) {
        while self.store.health().queued < submits {
            tokio::task::yield_now().await;
        }
    }

    fn submit(&self, outcomes: &mut Outcomes, submit: Submit) {
        let store = Arc::clone(&self.store);
        outcomes.spawn(async move { store.submit(submit).await });
    }

    async fn close(self) {
        close(self.store).await;
        self.servers.verify().await;
    }
}

#[tokio::test]
async fn concurrent_submits_share_one_transaction() {
    let gated = Gated::new().await;
    let before = gated.store.health();
    let paychecks = (0..100).map(|_| Submit::command(gated.ground.paycheck(1)));
    for outcome in gated.together(paychecks.collect()).await {
        made(outcome);
    }
    let after = gated.store.health();
    assert_eq!(after.commits - before.commits, 101);
    assert_eq!(after.committed - before.committed, 2, "groups");
    assert_eq!(
        gated.ground.balance(&gated.store, gated.ground.pay).await,
        101
    );
    gated.close().await;
}

#[tokio::test]
async fn a_refusal_leaves_nothing_and_does_not_harm_its_group() {
    let gated = Gated::new().await;
    let before = gated.store.health();
    let too_much = Submit::command(Command::PlaceHold(PlaceHold {
        tenant: gated.ground.tenant,
        account: gated.ground.pay,
        amount: usd(1_000),
        expires_at: None,
    }));
    let paycheck = Submit::command(gated.ground.paycheck(10));
    let submits = vec![paycheck.clone(), too_much.clone(), paycheck];
    let outcomes = gated.together(submits).await;
    let [
        Ok(Outcome::Done(_)),
        Ok(Outcome::Refused(_)),
        Ok(Outcome::Done(_)),
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    let outcome = gated.store.submit(too_much).await;
    assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
    let after = gated.store.health();
    assert_eq!(after.commits - before.commits, 3);
    assert_eq!(
        after.committed - before.committed,
        2,
        "a refusal commits nothing"
    );
    gated.close().await;
}

#[tokio::test]
async fn a_key_is_claimed_once_within_a_group() {
    let gated = Gated::new().await;
    let twin = || claimed(gated.ground.paycheck(10), claim(1));
    let outcomes = gated.together(vec![twin(), twin(), twin()]).await;
    let [
        Ok(Outcome::Done(_)),
        Ok(Outcome::Replay(one)),
        Ok(Outcome::Replay(two)),
    ] = outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(one, two);
    assert_eq!(
        gated.ground.balance(&gated.store, gated.ground.pay).await,
        11
    );
    gated.close().await;
}

/// The answers of a large group are given while the next one is written, but they do not wait for one
/// that is held up.
#[tokio::test]
async fn answers_do_not_wait_for_the_next_group() {
    let gated = Gated::new().await;
    let Gated { script, ground, .. } = &gated;
    let paycheck = || Submit::command(ground.paycheck(1));
    let (mut first, mut group, mut next) = (Outcomes::new(), Outcomes::new(), Outcomes::new());
    script.close(Point::Begin);
    gated.submit(&mut first, paycheck());
    script.wait_at(Point::Begin).await;
    (0..20).for_each(|_| gated.submit(&mut group, paycheck()));
    gated.wait_until_queued(20).await;
    script.close(Point::Committed);
    script.wait_at(Point::Committed).await;
    script.close(Point::Loaded);
    script.wait_at(Point::Loaded).await;
    for outcome in first.join_all().await {
        made(outcome);
    }

    gated.submit(&mut next, paycheck());
    script.close(Point::Committed);
    script.wait_at(Point::Committed).await;
    gated.wait_until_queued(1).await;
    script.close(Point::Begin);
    script.wait_at(Point::Begin).await;
    for outcome in group.join_all().await {
        made(outcome);
    }
    assert!(next.try_join_next().is_none(), "it is held up");
    script.open();
    for outcome in next.join_all().await {
        made(outcome);
    }
    assert_eq!(ground.balance(&gated.store, ground.pay).await, 22);
    gated.close().await;
}

/// Commands build on each other within a group as they do one by one.
#[tokio::test]
async fn money_that_comes_in_a_group_can_leave_in_it() {
    let gated = Gated::new().await;
    let Gated { ground, store, .. } = &gated;
    let hold = |minor| {
        Submit::command(Command::PlaceHold(PlaceHold {
            tenant: ground.tenant,
            account: ground.pay,
            amount: usd(minor),
            expires_at: None,
        }))
    };
    let submits = vec![
        Submit::command(ground.paycheck(50)),
        hold(50),
        hold(2),
        hold(1),
        Submit::command(ground.transfer(ground.pay, ground.pod, 1)),
        Submit::command(ground.paycheck(1)),
        Submit::command(ground.transfer(ground.pay, ground.pod, 1)),
    ];
    let outcomes = gated.together(submits).await;
    let refused = |outcome: &Result<Outcome, _>| matches!(outcome, Ok(Outcome::Refused(_)));
    let refused: Vec<bool> = outcomes.iter().map(refused).collect();
    assert_eq!(refused, [false, false, true, false, false, false, false]);
    let transfers: Vec<_> = outcomes.into_iter().skip(4).collect();
    let [first, _, second] = transfers.try_into().expect("three of them");
    let (first, second) = (made(first), made(second));
    store.quiesce(ground.tenant).await.expect("writes work");
    // One cent came after the first asked for one: whoever is due first gets it.
    assert_eq!(ground.status(store, first).await, Status::Complete);
    assert_eq!(ground.status(store, second).await, Status::Incomplete);
    gated.close().await;
}

/// A transfer over the rail is submitted in the transaction that records it; only what has to wait
/// is left.
#[tokio::test]
async fn what_is_due_at_once_is_done_at_once() {
    let gated = Gated::new().await;
    let Gated {
        ground,
        store,
        servers,
        ..
    } = &gated;
    done(store, ground.paycheck(100)).await;
    let before = store.health();
    let inside = made(
        store
            .submit(Submit::command(ground.transfer(ground.pay, ground.pod, 10)))
            .await,
    );
    assert_eq!(ground.status(store, inside).await, Status::Complete);
    assert_eq!(servers.number("SELECT count(*) FROM due"), 0);
    let outside = made(
        store
            .submit(Submit::command(ground.transfer(
                ground.pay,
                ground.bank,
                10,
            )))
            .await,
    );
    assert_eq!(ground.status(store, outside).await, Status::Pending);
    assert_eq!(servers.number("SELECT count(*) FROM due"), 1);
    let after = store.health();
    assert_eq!(after.commits - before.commits, 4);
    assert_eq!(after.committed - before.committed, 2, "groups");
    gated.close().await;
}

/// It is in no tenant's history, and kept all the same.
#[tokio::test]
async fn a_refusal_about_a_tenant_that_does_not_exist_is_remembered() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    let submit = |number| {
        let mut submit = claimed(
            Command::ClockToNextDue {
                tenant: ledger::TenantId::new(5),
            },
            claim(number),
        );
        submit
            .claim
            .as_mut()
            .expect("it is claimed")
            .remember_refusals = true;
        submit
    };
    for number in 0..2 {
        let outcome = store.submit(submit(number)).await;
        assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{outcome:?}");
        let outcome = store.submit(submit(number)).await;
        let Ok(Outcome::Replay(remembered)) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(
            store
                .remembered(remembered)
                .await
                .expect("reads work")
                .is_some()
        );
        // A commit in a tenant's history beside it.
        done(&store, ground.paycheck(1)).await;
    }
    assert_eq!(
        servers.number("SELECT number FROM heads WHERE tenant = 0"),
        2
    );
    close(store).await;
    servers.verify().await;
}
