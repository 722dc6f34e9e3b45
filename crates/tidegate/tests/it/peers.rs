//! Two servers over one database: what one of them says, the other knows.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;

use crate::harness::{Reply, Server};
use crate::multi_client::PASSWORD;
use crate::multi_world::{FUNDS, MultiWorld, order};

/// Asks until the answer has this status; within a second, and some patience for a busy machine.
async fn until<F: Future<Output = Reply>>(status: u16, ask: impl Fn() -> F) {
    let begun = Instant::now();
    loop {
        let reply = ask().await;
        if reply.status == status {
            return;
        }
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(20), "still {}", reply.status);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_login_on_one_server_is_good_on_all_of_them_at_once() {
    let world = MultiWorld::on(Server::shared().await).await;
    let peer = world.server.peer().await;
    let acme = &world.acme;
    // The newest token there can be, on a server that has never seen it.
    let fresh = world.programme().login("root@acme.example", PASSWORD).await;
    let there = fresh.at(&peer);
    let body = order(
        &world.profiles.free,
        &acme.main,
        &acme.reserve,
        "EUR",
        4_200,
    );
    let made = there.post("/transfers", &body).await.expect(200);
    assert_eq!(made["state"], "COMPLETED");
    let held = [&acme.main, &acme.reserve];
    assert_eq!(world.balances(acme, held).await, [FUNDS - 4_200, 4_200]);
    world.check_sum().await;
}

#[tokio::test]
async fn who_logs_out_of_one_server_is_out_of_all_of_them() {
    let world = MultiWorld::on(Server::shared().await).await;
    let peer = world.server.peer().await;
    let there = world.acme().at(&peer);
    there.get("/managed_accounts").await.expect(200);
    assert_eq!(world.acme().act("/logout").await.status, 204);
    until(401, || there.get("/managed_accounts")).await;
}

#[tokio::test]
async fn a_key_is_known_at_once_and_gone_soon() {
    let server = Server::shared().await;
    let peer = server.peer().await;
    let tenant = server.tenant("Household", "sandbox").await;
    let key = server
        .whole_key(&tenant, &json!([{"scope": "LIST_ACCOUNTS"}]))
        .await;
    let secret = key["secret"].as_str().expect("shown once");
    let caller = peer.caller(secret);
    caller.get("/accounts").await.expect(200);
    let path = format!(
        "/tenants/{tenant}/keys/{}",
        key["id"].as_str().expect("an id")
    );
    assert_eq!(server.admin(Method::DELETE, &path, None).await.status, 204);
    until(401, || caller.get("/accounts")).await;
}

#[tokio::test]
async fn settings_are_in_force_everywhere_soon() {
    let world = MultiWorld::on(Server::shared().await).await;
    let peer = world.server.peer().await;
    let there = world.acme().at(&peer);
    there.get("/managed_accounts").await.expect(200);
    let limits = json!({"rate_limits": [{"requests": 1, "window_s": 3600}]});
    world.set(&limits).await;
    until(429, || there.get("/managed_accounts")).await;
}
