//! Rules that money sets off, on three servers, in a database in which things go wrong all the
//! time: every deposit has exactly one run, and every run moved its money once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ledger::execution::Cause;
use ledger::rule::TriggerKind;
use ledger::{ExecutionStatus, TransferId};
use sim::disk::SplitMix64;
use store::postgres::{Faults, Isolation};
use store::{ExecutionQuery, OwnerTransferQuery};
use tokio::task::JoinSet;

use super::Servers;
use super::chaos::{Chaos, pay_minor};
use crate::bed::{Ground, close};
use crate::rules::{draft, fixed, switched_on};

/// What a deposit brings, and what its rule moves on.
const DEPOSIT: i64 = 300;
const MOVED: i64 = 100;

async fn deposits(isolation: Isolation) {
    const CLIENTS: u64 = 16;
    const EACH: u64 = 15;
    let servers = Servers::new();
    let chaos = Arc::new(Chaos::new(7));
    let mut stores = Vec::new();
    for _ in 0..3 {
        let faults = Arc::clone(&chaos) as Arc<dyn Faults>;
        let change = |options: &mut store::postgres::Options| {
            options.isolation = isolation;
            options.faults = Some(faults);
        };
        stores.push(servers.open_with(change).await);
    }
    let first = Ground::new(&stores[0]).await;
    let second = Ground::of(&stores[0], first.tenant).await;
    let grounds = [first, second];
    let mut rules = Vec::new();
    for ground in &grounds {
        let moves = vec![fixed(ground.pod, MOVED)];
        let draft = draft(TriggerKind::OnFundsTransferred, ground.pay, moves);
        rules.push(switched_on(&stores[0], ground, draft).await.id);
    }
    chaos.on.store(true, Ordering::Relaxed);
    let mut paying = JoinSet::new();
    for client in 0..CLIENTS {
        let (stores, ground) = (stores.clone(), grounds[client as usize % 2]);
        paying.spawn(async move {
            let mut random = SplitMix64::new(client);
            for number in 0..EACH {
                // Two clients share each key, which are of the same owner.
                let number = (client / 4 * EACH + number) * 2 + client % 2;
                pay_minor(&stores, ground, (DEPOSIT, number), &mut random).await;
            }
        });
    }
    // Connections that die besides, wherever their transactions are.
    let killer = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid() \
                  ORDER BY random() LIMIT 1";
    while paying.len() > CLIENTS as usize / 2 {
        drop(servers.database.sql(killer));
        drop(paying.join_next().await);
    }
    paying.join_all().await;
    chaos.on.store(false, Ordering::Relaxed);
    // A connection that was killed is noticed when it is used.
    while stores[1].quiesce(first.tenant).await.is_err() {
        tokio::task::yield_now().await;
    }
    let keys = i64::try_from(CLIENTS / 4 * EACH).expect("few");
    for (ground, rule) in grounds.iter().zip(rules) {
        let owned = OwnerTransferQuery::new(ground.tenant, ground.owner, usize::MAX);
        let all = stores[2].owner_transfers(owned).await.expect("reads work");
        let deposited: BTreeSet<TransferId> = all
            .rows
            .iter()
            .filter(|row| row.transfer.source.is_none())
            .map(|row| row.transfer.id)
            .collect();
        assert_eq!(deposited.len() as i64, keys, "each key once");
        let query = ExecutionQuery {
            rule: Some(rule),
            ..ExecutionQuery::new(ground.tenant, usize::MAX)
        };
        let runs = stores[2].executions(query).await.expect("reads work");
        let mut of_deposits = BTreeSet::new();
        for run in &runs {
            let Cause::FundsTransferred { transfer, minor } = run.cause else {
                panic!("{run:?}")
            };
            assert_eq!(minor, DEPOSIT);
            assert!(of_deposits.insert(transfer), "{transfer} has two runs");
            assert_eq!(run.status, ExecutionStatus::Executed, "{run:?}");
            let ran = run.ran.as_ref().expect("it ran");
            assert_eq!((ran.counts.completed, ran.transfers.len()), (1, 1));
        }
        assert_eq!(of_deposits, deposited, "each deposit has its run");
        let pod = ground.balance(&stores[2], ground.pod).await;
        let pay = ground.balance(&stores[2], ground.pay).await;
        assert_eq!((pod, pay), (keys * MOVED, keys * (DEPOSIT - MOVED)));
    }
    assert_eq!(servers.number("SELECT count(*) FROM due"), 0);
    for store in stores {
        close(store).await;
    }
    servers.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_deposit_has_one_run_in_chaos() {
    deposits(Isolation::ReadCommitted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_has_when_the_database_keeps_servers_apart() {
    deposits(Isolation::Serializable).await;
}
