//! One server alone.

use ledger::{Status, TenantClock};
use store::Submit;

use super::Servers;
use crate::bed::{Ground, RAIL_MS, START, close, done, made};

#[tokio::test]
async fn money_moves_and_everything_agrees() {
    let servers = Servers::new();
    let store = servers.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(100)).await;
    let inside = made(
        store
            .submit(Submit::command(ground.transfer(ground.pay, ground.pod, 30)))
            .await,
    );
    let lacking = made(
        store
            .submit(Submit::command(
                ground.transfer(ground.pay, ground.pod, 300),
            ))
            .await,
    );
    let outside = made(
        store
            .submit(Submit::command(ground.transfer(
                ground.pay,
                ground.bank,
                50,
            )))
            .await,
    );
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, inside).await, Status::Complete);
    assert_eq!(ground.status(&store, lacking).await, Status::Incomplete);
    assert_eq!(ground.status(&store, outside).await, Status::Pending);
    assert_eq!(ground.balance(&store, ground.pay).await, 20);
    assert_eq!(ground.balance(&store, ground.pod).await, 30);
    servers.clock.advance(RAIL_MS);
    store.quiesce(ground.tenant).await.expect("writes work");
    assert_eq!(ground.status(&store, outside).await, Status::Complete);
    let at = START.plus(RAIL_MS + 1_000);
    ground.set_clock(&store, TenantClock::Frozen { at }).await;
    assert_eq!(
        store.owner_total(ground.owner).await.expect("reads work"),
        0
    );
    close(store).await;
    servers.verify().await;
}
