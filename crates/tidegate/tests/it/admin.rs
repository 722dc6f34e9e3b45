//! The admin API as operators would tell it, and its errors.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN_TOKEN, Call, Neighbour, RAIL_MS, Reply, Server, World, id};
use crate::openapi;

async fn put(world: &World, path: &str, body: &Value) -> Reply {
    world
        .server
        .admin(Method::PUT, &world.path(path), Some(body))
        .await
}

async fn post(world: &World, path: &str, body: &Value) -> Reply {
    world
        .server
        .admin(Method::POST, &world.path(path), Some(body))
        .await
}

async fn delete(world: &World, path: &str) -> Reply {
    world
        .server
        .admin(Method::DELETE, &world.path(path), None)
        .await
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {object}"))
}

// --- the token --------------------------------------------------------------------------------

#[tokio::test]
async fn nothing_is_done_without_the_token() {
    let server = Server::new().await;
    let routes = openapi::routes(openapi::admin());
    assert!(routes.len() > 20);
    for route in &routes {
        let (method, path) = route.split_once(' ').expect("method and path");
        let path = path.replace("{tenant}", "ten_0000000000001");
        let path = path.replace("{account}", "acc_1").replace("{key}", "key_1");
        let path = path
            .replace("{hold}", "hold_1")
            .replace("{transfer}", "txr_1");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let call = Call::new(method, format!("/admin/v1{path}"));
        let wrong = [
            call.clone(),
            call.clone().header("authorization", ""),
            call.clone().header("authorization", ADMIN_TOKEN),
            call.clone().header("authorization", "Bearer"),
            call.clone().header("authorization", "Bearer tga_wrong"),
            call.clone()
                .header("authorization", format!("Bearer {ADMIN_TOKEN}x")),
            call.clone()
                .header("authorization", format!("ApiKey {ADMIN_TOKEN}")),
            call.header("authorization", b"Bearer \xff"),
        ];
        for call in wrong {
            let reply = server.call_admin(call).await;
            reply.problem(401, "unauthorized", &["admin token"]);
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        }
    }
    // Unknown paths too: who has no token learns nothing of what there is.
    let reply = server.call_admin(Call::get("/admin/v1/nothing")).await;
    reply.problem(401, "unauthorized", &[]);
    let tenants = server.admin_get("/tenants").await;
    assert_eq!(tenants["data"], json!([]));
}

#[tokio::test]
async fn an_api_key_is_no_admin_token_nor_the_other_way_round() {
    let world = World::new().await;
    let call = Call::get("/admin/v1/tenants");
    let call = call.header("authorization", format!("Bearer {}", world.key));
    let reply = world.server.call_admin(call).await;
    reply.problem(401, "unauthorized", &[]);
    let reply = world.as_key(ADMIN_TOKEN).get("/accounts").await;
    reply.refused(401, "unauthorized", &[]);
}

#[tokio::test]
async fn the_public_listener_has_no_admin_and_the_admin_listener_no_dialect() {
    let world = World::new().await;
    for path in [
        "/admin/v1/tenants",
        "/metrics",
        "/readyz",
        "/openapi/admin.json",
        "/",
    ] {
        let call = Call::get(path).header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        assert_eq!(world.server.call(call).await.status, 404, "{path}");
    }
    let call = Call::get("/api/v1/accounts").key(&world.key);
    let reply = world.server.call_admin(call).await;
    reply.problem(404, "not_found", &[]);
}

// --- errors -----------------------------------------------------------------------------------

#[tokio::test]
async fn errors_come_in_a_fixed_order() {
    let world = World::new().await;
    let server = &world.server;
    let token = format!("Bearer {ADMIN_TOKEN}");
    let call = Call::post("/admin/v1/tenantsz").body(vec![b'['; (1 << 20) + 1]);
    server
        .call_admin(call.clone())
        .await
        .problem(401, "unauthorized", &[]);
    let call = call.header("authorization", &*token);
    server
        .call_admin(call.clone())
        .await
        .problem(404, "not_found", &[]);
    let nobody = "/admin/v1/tenants/ten_0000000000009/simulate/paycheck";
    let call = Call {
        path: nobody.to_owned(),
        ..call
    };
    let wrong = Call {
        method: Method::PUT,
        ..call.clone()
    };
    let reply = server.call_admin(wrong).await;
    reply.problem(405, "method_not_allowed", &[]);
    assert_eq!(reply.header("allow"), Some("POST"));
    server
        .call_admin(call.clone())
        .await
        .problem(415, "unsupported_media_type", &[]);
    let call = call.header("content-type", "application/json");
    server
        .call_admin(call.clone())
        .await
        .problem(413, "payload_too_large", &["1048576"]);
    let call = call.body("[");
    server
        .call_admin(call.clone())
        .await
        .problem(400, "invalid_parameters", &["body"]);
    // Every field that is wrong is named, in words and one by one.
    let call = call.json_text(r#"{"account_id": 1, "amount_in_cents": 0, "description": 7}"#);
    let reply = server.call_admin(call.clone()).await;
    let names = ["account_id", "amount_in_cents", "description"];
    reply.problem(400, "invalid_parameters", &names);
    let errors = reply.json()["errors"].take();
    let fields: Vec<&str> = errors
        .as_array()
        .expect("a list")
        .iter()
        .map(|error| text(error, "field"))
        .collect();
    assert_eq!(fields, names);
    let body = json!({"account_id": world.card, "amount_in_cents": 100});
    let call = call.json(&body);
    server
        .call_admin(call.clone())
        .await
        .problem(404, "not_found", &["account"]);
    let call = Call {
        path: format!("/admin/v1{}", world.path("/simulate/paycheck")),
        ..call
    };
    let reply = server.call_admin(call.clone()).await;
    reply.problem(409, "destination_not_allowed", &["destination"]);
    let body = json!({"account_id": world.pay, "amount_in_cents": 100});
    server.call_admin(call.json(&body)).await.expect(201);
}

#[tokio::test]
async fn ids_of_any_form_are_ids_that_nobody_has() {
    let world = World::new().await;
    let neighbour = Neighbour::of(&world).await;
    let long = "a".repeat(8_000);
    for text in [
        "x",
        "%ff",
        "%00",
        "%F0%9F%92%B0",
        "acc_1",
        "ten_%ff",
        "*",
        "%",
        &long,
        &neighbour.pod,
        &neighbour.transfer,
    ] {
        for path in [
            format!("/tenants/{text}"),
            format!("/tenants/{text}/clock"),
            format!("/tenants/{text}/accounts"),
            world.path(&format!("/accounts/{text}")),
            world.path(&format!("/accounts/{text}/entries")),
            world.path(&format!("/accounts/{text}/holds")),
            world.path(&format!("/transfers/{text}")),
        ] {
            let reply = world.server.admin(Method::GET, &path, None).await;
            reply.problem(404, "not_found", &[]);
        }
        for path in [
            world.path(&format!("/accounts/{text}/block")),
            world.path(&format!("/accounts/{text}/close")),
        ] {
            let reply = world.server.admin(Method::POST, &path, None).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.text());
        }
        for path in [format!("/keys/{text}"), format!("/holds/{text}")] {
            assert_eq!(delete(&world, &path).await.status, 404, "{path}");
        }
        let reply = post(&world, &format!("/transfers/{text}/return"), &json!({})).await;
        assert_eq!(reply.status, 404, "{text}: {}", reply.text());
    }
    for path in ["/", "", "/tenants/", "/tenants/x/y"] {
        let reply = world.server.admin(Method::GET, path, None).await;
        reply.problem(404, "not_found", &["Unknown path."]);
    }
}

#[tokio::test]
async fn parameters_of_lists_are_checked() {
    let world = World::new().await;
    for (path, name) in [
        ("/accounts?type=savings", "type"),
        ("/accounts?type=pod&type=pod", "type"),
        ("/transfers", "account_id"),
        ("/transfers?account_id=x", "account_id"),
        ("/transfers?account_id=", "account_id"),
        ("/transfers?account_id=acc_0000000000009&limit=0", "limit"),
        (
            "/transfers?account_id=acc_0000000000009&limit=1001",
            "limit",
        ),
        ("/accounts/acc_0000000000009/entries?limit=x", "limit"),
        ("/accounts/acc_0000000000009/entries?before=0", "before"),
        ("/accounts/acc_0000000000009/entries?before=-1", "before"),
    ] {
        let reply = world
            .server
            .admin(Method::GET, &world.path(path), None)
            .await;
        reply.problem(400, "invalid_parameters", &[name]);
        assert_eq!(reply.json()["errors"][0]["field"], name);
    }
}

#[tokio::test]
async fn texts_and_kinds_are_checked() {
    let world = World::new().await;
    let long = "x".repeat(101);
    let longer = "x".repeat(256);
    let owner = json!(world.owner);
    let pod = json!({"owner_id": owner, "type": "pod", "name": "A pod"});
    let with = |base: &Value, name: &str, value: Value| {
        let mut body = base.clone();
        body[name] = value;
        body
    };
    let tenant = json!({"name": "T"});
    let bank = json!({"owner_id": owner, "type": "external_account", "name": "A bank"});
    for (path, body, field) in [
        ("/tenants".to_owned(), json!({}), "name"),
        ("/tenants".to_owned(), json!({"name": ""}), "name"),
        ("/tenants".to_owned(), json!({"name": "  "}), "name"),
        ("/tenants".to_owned(), json!({"name": long}), "name"),
        ("/tenants".to_owned(), json!({"name": "a\u{0}b"}), "name"),
        ("/tenants".to_owned(), json!({"name": "a\nb"}), "name"),
        (
            "/tenants".to_owned(),
            with(&tenant, "mode", json!("test")),
            "mode",
        ),
        (world.path("/owners"), json!({"name": long}), "name"),
        (
            world.path("/owners"),
            json!({"name": "O", "kind": "dog"}),
            "kind",
        ),
        (
            world.path("/accounts"),
            with(&pod, "name", json!(long)),
            "name",
        ),
        (
            world.path("/accounts"),
            with(&pod, "type", json!("savings")),
            "type",
        ),
        (
            world.path("/accounts"),
            with(&pod, "type", Value::Null),
            "type",
        ),
        (
            world.path("/accounts"),
            with(&pod, "currency", json!("XXZ")),
            "currency",
        ),
        (
            world.path("/accounts"),
            with(&pod, "currency", json!("usd")),
            "currency",
        ),
        (
            world.path("/accounts"),
            with(&pod, "description", json!(longer)),
            "description",
        ),
        (
            world.path("/accounts"),
            with(&pod, "external_account_type", json!("DEPOSITORY")),
            "external_account_type",
        ),
        (
            world.path("/accounts"),
            with(&bank, "external_account_type", json!("BANK")),
            "external_account_type",
        ),
        (
            world.path("/accounts"),
            with(&pod, "account_number_last_four", json!("12345")),
            "account_number_last_four",
        ),
        (
            world.path("/accounts"),
            with(&pod, "routing_number_last_four", json!("12a4")),
            "routing_number_last_four",
        ),
        (
            world.path("/accounts"),
            with(&pod, "reported_balance", json!(1)),
            "reported",
        ),
        (
            world.path("/accounts"),
            with(&bank, "reported_balance", json!(1.5)),
            "reported_balance",
        ),
        (
            world.path("/accounts"),
            with(&bank, "reported_last_statement_date", json!("2027-02-30")),
            "reported_last_statement_date",
        ),
        (
            world.path("/accounts"),
            with(&pod, "can_be_source", json!("yes")),
            "can_be_source",
        ),
    ] {
        let reply = world.server.admin(Method::POST, &path, Some(&body)).await;
        reply.problem(400, "invalid_parameters", &[field]);
    }
    let strange = with(&pod, "owner_id", json!("own_0000000000009"));
    let reply = post(&world, "/accounts", &strange).await;
    reply.problem(404, "owner_not_found", &[]);
    // A hundred characters of any kind are a name.
    let name = "ü".repeat(100);
    let body = with(&pod, "name", json!(name));
    let made = post(&world, "/accounts", &body).await.expect(201);
    assert_eq!(made["name"], *name);
}

// --- tenants, owners, accounts ----------------------------------------------------------------

#[tokio::test]
async fn tenants_owners_and_accounts_are_made_found_and_listed() {
    let server = Server::new().await;
    let tenant = server
        .admin_post("/tenants", &json!({"name": "Acme"}))
        .await;
    assert_eq!(tenant["mode"], "sandbox");
    assert_eq!(tenant["frozen"], false);
    assert_eq!(tenant["now"], "2027-01-15T08:00:00Z");
    let base = format!("/tenants/{}", text(&tenant, "id"));
    assert_eq!(server.admin_get(&base).await, tenant);
    let live = server
        .admin_post("/tenants", &json!({"name": "Real", "mode": "live"}))
        .await;
    assert_eq!(live["mode"], "live");
    let list = server.admin_get("/tenants").await;
    assert_eq!(list["data"], json!([tenant, live]));

    let mut owners = Vec::new();
    for kind in ["beneficiary", "corporate", "consumer"] {
        let body = json!({"name": kind, "kind": kind});
        let owner = server.admin_post(&format!("{base}/owners"), &body).await;
        assert_eq!(owner["kind"], kind);
        owners.push(owner);
    }
    let list = server.admin_get(&format!("{base}/owners")).await;
    assert_eq!(list["data"], json!(owners));

    let mut accounts = Vec::new();
    for (kind, owner, source, destination) in [
        ("income_source", &owners[0], true, false),
        ("pod", &owners[0], true, true),
        ("external_account", &owners[1], true, true),
    ] {
        let body = json!({"owner_id": owner["id"], "type": kind, "name": kind});
        let account = server.admin_post(&format!("{base}/accounts"), &body).await;
        assert_eq!(account["state"], "active");
        assert_eq!(account["currency"], "USD");
        assert_eq!(account["balance"], 0);
        assert_eq!(account["can_be_source"], source);
        assert_eq!(account["can_be_destination"], destination);
        let path = format!("{base}/accounts/{}", text(&account, "id"));
        assert_eq!(server.admin_get(&path).await, account);
        accounts.push(account);
    }
    let listed = async |query: &str| {
        let list = server.admin_get(&format!("{base}/accounts{query}")).await;
        list["data"].as_array().expect("a list").clone()
    };
    assert_eq!(listed("").await, accounts);
    assert_eq!(listed("?type=pod").await, accounts[1..2]);
    let of_second = format!("?owner_id={}", text(&owners[1], "id"));
    assert_eq!(listed(&of_second).await, accounts[2..]);
    assert_eq!(
        listed("?owner_id=own_0000000000009").await,
        [Value::Null; 0]
    );
    // The other tenant has none of it.
    let other = format!("/tenants/{}/accounts", text(&live, "id"));
    assert_eq!(server.admin_get(&other).await["data"], json!([]));
}

#[tokio::test]
async fn an_account_is_blocked_unblocked_and_closed() {
    let world = World::new().await;
    let blocked = world.set_state(&world.fund, "block").await.expect(200);
    assert_eq!(blocked["state"], "blocked");
    assert_eq!(blocked["balance"], 50_000, "its money stays");
    let again = world.set_state(&world.fund, "block").await;
    again.problem(409, "already_in_state", &["blocked"]);
    let john = world.john();
    john.transfer(&world.fund, &world.trip, 100).await.refused(
        400,
        "source_not_active",
        &["source_account_id"],
    );
    john.transfer(&world.pay, &world.fund, 100).await.refused(
        400,
        "destination_not_active",
        &["destination_account_id"],
    );
    let pay = json!({"account_id": world.fund, "amount_in_cents": 100});
    let refused = post(&world, "/simulate/paycheck", &pay).await;
    refused.problem(409, "destination_not_active", &[]);
    world.set_state(&world.fund, "unblock").await.expect(200);
    assert_eq!(
        world.moved(&world.pay, &world.fund, 100).await["status"],
        "complete"
    );

    // Closing needs nothing left on it, nothing held and nothing on the way.
    let refused = world.set_state(&world.fund, "close").await;
    refused.problem(409, "balance_not_zero", &["50100"]);
    world.moved(&world.fund, &world.trip, 50_100).await;
    let on_the_way = world.moved(&world.bank, &world.fund, 500).await;
    assert_eq!(on_the_way["status"], "pending");
    let refused = world.set_state(&world.fund, "close").await;
    refused.problem(409, "account_in_use", &[]);
    world.advance(RAIL_MS).await;
    world.moved(&world.fund, &world.trip, 500).await;
    let closed = world.set_state(&world.fund, "close").await.expect(200);
    assert_eq!(closed["state"], "closed");
    for action in ["close", "unblock", "block"] {
        let refused = world.set_state(&world.fund, action).await;
        refused.problem(409, "already_in_state", &["closed"]);
    }
    // Operators still see it, with its history.
    assert_eq!(world.account(&world.fund).await["state"], "closed");
    let path = world.path(&format!("/accounts/{}/entries", world.fund));
    let entries = world.server.admin_get(&path).await;
    assert_eq!(entries["data"].as_array().map(Vec::len), Some(5));
}

// --- keys -------------------------------------------------------------------------------------

#[tokio::test]
async fn a_keys_secret_is_shown_once() {
    let mut world = World::new().await;
    let permissions = json!([
        {"scope": "LIST_ACCOUNTS"},
        {"scope": "LIST_RULES"},
        {"scope": "PROGRAMME"},
        {"scope": "SIMULATOR"},
        {"scope": "READ_ACCOUNTS", "resources": [world.fund]},
        {"scope": "READ_RULES", "resources": ["rule_0000000000001"]},
        {"scope": "TRIGGER_RULES", "resources": "*"},
        {"scope": "READ_RULE_EXECUTIONS", "resources": []},
        {"scope": "READ_TRANSFERS", "resources": "*"},
        {"scope": "READ_CARDS", "resources": [world.fund, world.trip]},
        {"scope": "MANUAL_TRANSFER", "resources": [
            {"source": world.fund, "target": "*", "max_amount": 5000},
            {"source": "*", "target": world.trip},
        ]},
    ]);
    let made = world.server.whole_key(&world.tenant, &permissions).await;
    let secret = text(&made, "secret").to_owned();
    assert!(secret.starts_with("tg_"));
    assert_eq!(made["permissions"], permissions);
    assert!(secret.ends_with(text(&made, "hint")));
    assert_eq!(made["revoked_at"], Value::Null);
    let path = world.path("/keys");
    let mut expected = made.clone();
    expected
        .as_object_mut()
        .expect("an object")
        .remove("secret");
    for _ in 0..2 {
        let list = world.server.admin_get(&path).await;
        assert!(!list.to_string().contains(&secret));
        assert!(list["data"].as_array().expect("a list").contains(&expected));
        world.server.restart().await;
    }
    // Nowhere in the data folder either.
    for file in walk(world.server.folder()) {
        let bytes = std::fs::read(&file).expect("a file of ours");
        let found = bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "the secret is in {}", file.display());
    }
    let revoke = format!("/keys/{}", text(&made, "id"));
    delete(&world, &revoke).await.expect(204);
    let list = world.server.admin_get(&path).await;
    let listed = list["data"].as_array().expect("a list").iter();
    let revoked = listed
        .filter(|key| key["id"] == made["id"])
        .collect::<Vec<_>>();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0]["revoked_at"], "2027-01-15T08:00:00Z");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[tokio::test]
async fn permission_entries_are_checked_one_by_one() {
    let world = World::new().await;
    let many: Vec<Value> = vec![json!({"scope": "LIST_ACCOUNTS"}); 1001];
    let long: Vec<Value> = vec![json!(world.fund); 1001];
    let set = |set: Value| json!([{"scope": "MANUAL_TRANSFER", "resources": [set]}]);
    for (permissions, field) in [
        (Value::Null, "permissions"),
        (json!({}), "permissions"),
        (json!("*"), "permissions"),
        (json!(many), "permissions"),
        (json!(["LIST_ACCOUNTS"]), "permissions[0]"),
        (json!([{}]), "permissions[0].scope"),
        (
            json!([{"scope": "LIST_ACCOUNTS"}, {"scope": "ROOT"}]),
            "permissions[1].scope",
        ),
        (json!([{"scope": "list_accounts"}]), "permissions[0].scope"),
        (
            json!([{"scope": "LIST_ACCOUNTS", "resources": "*"}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "READ_ACCOUNTS"}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "READ_ACCOUNTS", "resources": "all"}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "READ_ACCOUNTS", "resources": ["*"]}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "READ_ACCOUNTS", "resources": ["x"]}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "READ_ACCOUNTS", "resources": [1]}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "READ_ACCOUNTS", "resources": long}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "READ_RULES", "resources": [world.fund]}]),
            "permissions[0].resources",
        ),
        (
            json!([{"scope": "MANUAL_TRANSFER", "resources": "*"}]),
            "permissions[0].resources",
        ),
        (set(json!("*")), "permissions[0].resources[0]"),
        (
            set(json!({"source": "*"})),
            "permissions[0].resources[0].target",
        ),
        (
            set(json!({"source": "x", "target": "*"})),
            "permissions[0].resources[0].source",
        ),
        (
            set(json!({"source": "*", "target": "*", "max_amount": -1})),
            "permissions[0].resources[0].max_amount",
        ),
        (
            set(json!({"source": "*", "target": "*", "max_amount": "100"})),
            "permissions[0].resources[0].max_amount",
        ),
    ] {
        let body = json!({"name": "k", "permissions": permissions});
        let reply = post(&world, "/keys", &body).await;
        reply.problem(400, "invalid_parameters", &[field]);
        assert_eq!(reply.json()["errors"][0]["field"], field);
    }
    let nobody = json!({"name": "k", "permissions": []});
    let reply = world
        .server
        .admin(
            Method::POST,
            "/tenants/ten_0000000000009/keys",
            Some(&nobody),
        )
        .await;
    reply.problem(404, "tenant_not_found", &[]);
    let list = world.server.admin_get(&world.path("/keys")).await;
    assert_eq!(
        list["data"].as_array().map(Vec::len),
        Some(1),
        "only the world's own"
    );
}

#[tokio::test]
async fn an_entry_that_says_two_things_is_refused() {
    let world = World::new().await;
    // Which of the two limits would hold? None is guessed.
    let body = r#"{"name": "k", "permissions": [{"scope": "MANUAL_TRANSFER", "resources": [
        {"source": "*", "target": "*", "max_amount": 100, "max_amount": 100000000}]}]}"#;
    let call = Call::post(format!("/admin/v1{}", world.path("/keys")))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .json_text(body);
    let reply = world.server.call_admin(call).await;
    reply.problem(400, "invalid_parameters", &["max_amount"]);
}

#[tokio::test]
async fn a_neighbours_key_cannot_be_revoked_here() {
    let world = World::new().await;
    let neighbour = Neighbour::of(&world).await;
    let path = format!("/tenants/{}/keys", neighbour.tenant);
    let hers = world.server.admin_get(&path).await["data"][0].clone();
    let reply = delete(&world, &format!("/keys/{}", text(&hers, "id"))).await;
    reply.problem(404, "not_found", &[]);
    world
        .as_key(&neighbour.key)
        .get("/accounts")
        .await
        .expect(200);
}

// --- holds ------------------------------------------------------------------------------------

#[tokio::test]
async fn held_money_cannot_be_spent_until_it_is_free_again() {
    let world = World::new().await;
    let holds = format!("/accounts/{}/holds", world.fund);
    let hold = post(&world, &holds, &json!({"amount_in_cents": 40_000}))
        .await
        .expect(201);
    assert_eq!(hold["expires_at"], Value::Null);
    let fund = world.account(&world.fund).await;
    assert_eq!(fund["balance"], 50_000);
    assert_eq!(fund["held"], 40_000);
    assert_eq!(fund["available"], 10_000);
    let listed = world.server.admin_get(&world.path(&holds)).await;
    assert_eq!(listed["data"], json!([hold]));
    let path = format!("/accounts/{}", world.fund);
    let shown = world.john().get(&path).await.data();
    assert_eq!(shown["balance"]["available_balance_in_cents"], 10_000);

    let ended = world.moved(&world.fund, &world.trip, 10_001).await;
    assert_eq!(ended["error_code"], "INSUFFICIENT_FUNDS");
    let pull = json!({"account_id": world.fund, "amount_in_cents": 10_001});
    let refused = post(&world, "/simulate/external-pull", &pull).await;
    refused.problem(409, "insufficient_funds", &["10000", "10001"]);
    let more = post(&world, &holds, &json!({"amount_in_cents": 10_001})).await;
    more.problem(409, "insufficient_funds", &[]);
    assert_eq!(
        world.moved(&world.fund, &world.trip, 10_000).await["status"],
        "complete"
    );

    let release = format!("/holds/{}", text(&hold, "id"));
    delete(&world, &release).await.expect(204);
    delete(&world, &release)
        .await
        .problem(404, "hold_not_found", &[]);
    assert_eq!(world.account(&world.fund).await["available"], 40_000);
    assert_eq!(
        world.moved(&world.fund, &world.trip, 40_000).await["status"],
        "complete"
    );
}

#[tokio::test]
async fn a_hold_ends_by_itself_at_its_time() {
    let mut world = World::new().await;
    let holds = format!("/accounts/{}/holds", world.fund);
    let body = json!({"amount_in_cents": 40_000, "expires_at": "2027-01-15T09:00:00Z"});
    let hold = post(&world, &holds, &body).await.expect(201);
    assert_eq!(hold["expires_at"], "2027-01-15T09:00:00Z");
    world.advance(60 * 60 * 1000 - 1).await;
    assert_eq!(world.account(&world.fund).await["held"], 40_000);
    world.server.restart().await;
    world.advance(1).await;
    assert_eq!(world.account(&world.fund).await["held"], 0);
    let listed = world.server.admin_get(&world.path(&holds)).await;
    assert_eq!(listed["data"], json!([]));
    for (body, field) in [
        (json!({}), "amount_in_cents"),
        (json!({"amount_in_cents": 0}), "amount_in_cents"),
        (
            json!({"amount_in_cents": 1, "expires_at": "soon"}),
            "expires_at",
        ),
        (
            json!({"amount_in_cents": 1, "expires_at": "2027-01-15T09:00:00Z"}),
            "expires_at",
        ),
    ] {
        let reply = post(&world, &holds, &body).await;
        reply.problem(400, "invalid_parameters", &[field]);
    }
    let elsewhere = format!("/accounts/{}/holds", world.bank);
    let reply = post(&world, &elsewhere, &json!({"amount_in_cents": 1})).await;
    reply.problem(409, "source_not_allowed", &[]);
}

// --- simulated money, transfers by an operator ------------------------------------------------

#[tokio::test]
async fn simulated_money_settles_at_once_and_only_in_a_sandbox() {
    let world = World::new().await;
    for (what, origin, direction, sign) in [
        ("paycheck", "paycheck", "money_in", 1),
        ("check-deposit", "check_deposit", "money_in", 1),
        ("cashback", "cashback", "money_in", 1),
        ("external-pull", "external_pull", "money_out", -1),
    ] {
        let before = world.balance(&world.fund).await;
        let path = format!("/simulate/{what}");
        let body = json!({
            "account_id": world.fund, "amount_in_cents": 1_234, "description": "a note",
        });
        let made = post(&world, &path, &body).await.expect(201);
        assert_eq!(made["origin"], origin);
        assert_eq!(made["direction"], direction);
        assert_eq!(made["status"], "complete");
        assert_eq!(made["description"], "a note");
        assert_eq!(made["api_key_id"], Value::Null);
        assert_eq!(world.balance(&world.fund).await, before + sign * 1_234);
        let found = world.path(&format!("/transfers/{}", text(&made, "id")));
        assert_eq!(world.server.admin_get(&found).await, made);
    }
    let server = &world.server;
    let live = server.tenant("Real", "live").await;
    let owners = format!("/tenants/{live}/owners");
    let owner = id(&server.admin_post(&owners, &json!({"name": "O"})).await);
    let accounts = format!("/tenants/{live}/accounts");
    let body = json!({"owner_id": owner, "type": "pod", "name": "P"});
    let pod = id(&server.admin_post(&accounts, &body).await);
    let body = json!({"account_id": pod, "amount_in_cents": 100});
    for what in ["paycheck", "check-deposit", "cashback", "external-pull"] {
        let path = format!("/tenants/{live}/simulate/{what}");
        let reply = server.admin(Method::POST, &path, Some(&body)).await;
        reply.problem(409, "sandbox_only", &[]);
    }
    let clock = format!("/tenants/{live}/clock");
    let reply = server
        .admin(Method::PUT, &clock, Some(&json!({"frozen": true})))
        .await;
    reply.problem(409, "sandbox_only", &[]);
}

#[tokio::test]
async fn an_operator_moves_money_and_takes_a_payment_back() {
    let world = World::new().await;
    let body = json!({
        "source_account_id": world.fund, "destination_account_id": world.bank,
        "amount_in_cents": 1, "description": "by hand",
    });
    let made = post(&world, "/transfers", &body).await.expect(201);
    assert_eq!(made["status"], "processing");
    assert_eq!(made["description"], "by hand");
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 49_999);
    let back = format!("/transfers/{}/return", text(&made, "id"));
    let reply = post(&world, &back, &json!({"error_code": "BAD_LUCK"})).await;
    reply.problem(400, "invalid_parameters", &["error_code", "NAME_MISMATCH"]);
    let returned = post(&world, &back, &json!({})).await.expect(200);
    assert_eq!(returned["status"], "error");
    assert_eq!(returned["error_code"], "PAYMENT_FAILED");
    let again = post(&world, &back, &json!({})).await;
    again.problem(409, "transfer_not_pending", &["in error"]);
    let settled = id(&world.moved(&world.pay, &world.fund, 100).await);
    let reply = post(&world, &format!("/transfers/{settled}/return"), &json!({})).await;
    reply.problem(409, "transfer_not_pending", &["complete"]);

    let same = json!({
        "source_account_id": world.fund, "destination_account_id": world.fund,
        "amount_in_cents": 1,
    });
    post(&world, "/transfers", &same)
        .await
        .problem(400, "same_account", &[]);
    let stranger = world.stranger().await;
    let theirs = json!({
        "source_account_id": world.fund, "destination_account_id": stranger,
        "amount_in_cents": 1,
    });
    post(&world, "/transfers", &theirs)
        .await
        .problem(409, "owners_differ", &[]);
}

#[tokio::test]
async fn a_return_that_lacked_funds_is_incomplete() {
    let world = World::new().await;
    let pulled = world.moved(&world.bank, &world.fund, 900).await;
    let back = format!("/transfers/{}/return", text(&pulled, "id"));
    let body = json!({"error_code": "INSUFFICIENT_FUNDS"});
    let returned = post(&world, &back, &body).await.expect(200);
    assert_eq!(returned["status"], "incomplete");
    world.advance(RAIL_MS).await;
    assert_eq!(world.balance(&world.fund).await, 50_000);
}

// --- clocks -----------------------------------------------------------------------------------

#[tokio::test]
async fn a_clock_is_frozen_advanced_and_resumed() {
    let world = World::new().await;
    let now = async || {
        let clock = world.server.admin_get(&world.path("/clock")).await;
        (text(&clock, "now").to_owned(), clock["frozen"] == true)
    };
    let at = |time: &str, frozen: bool| (format!("2027-01-{time}Z"), frozen);
    assert_eq!(now().await, at("15T08:00:00", false));
    world.advance(1_000).await;
    assert_eq!(now().await, at("15T08:00:01", false));
    put(&world, "/clock", &json!({"frozen": true}))
        .await
        .expect(200);
    world.advance(60_000).await;
    assert_eq!(now().await, at("15T08:00:01", true));

    // What is due while it stands still does not happen.
    let sent = world.moved(&world.fund, &world.bank, 100).await;
    let later = world.moved(&world.bank, &world.fund, 200).await;
    world.advance(RAIL_MS * 10).await;
    assert_eq!(world.transfer(&id(&sent)).await["status"], "pending");
    // Moved forward, everything happens at the time it was due.
    let two_days = json!({"advance_ms": 2 * 24 * 60 * 60 * 1000});
    let set = put(&world, "/clock", &two_days).await.expect(200);
    assert_eq!(set["now"], "2027-01-17T08:00:01Z");
    for transfer in [&sent, &later] {
        let settled = world.transfer(&id(transfer)).await;
        assert_eq!(settled["status"], "complete");
        assert_eq!(settled["completed_at"], "2027-01-15T08:00:06Z");
    }
    let to = json!({"at": "2027-01-20T00:00:00Z"});
    put(&world, "/clock", &to).await.expect(200);
    assert_eq!(now().await, at("20T00:00:00", true));
    put(&world, "/clock", &json!({"frozen": false}))
        .await
        .expect(200);
    world.advance(1_000).await;
    assert_eq!(now().await, at("20T00:00:01", false));
    put(&world, "/clock", &json!({"advance_ms": 500}))
        .await
        .expect(200);
    world.advance(500).await;
    assert_eq!(now().await, at("20T00:00:02", false));
    // Nothing said, nothing changed.
    put(&world, "/clock", &json!({})).await.expect(200);
    assert_eq!(now().await, at("20T00:00:02", false));
}

#[tokio::test]
async fn a_clock_runs_to_the_next_event() {
    let world = World::new().await;
    put(&world, "/clock", &json!({"frozen": true}))
        .await
        .expect(200);
    let next = async || post(&world, "/clock/next", &json!({})).await;
    next().await.problem(409, "nothing_due", &[]);
    let sent = world.moved(&world.fund, &world.bank, 100).await;
    assert_eq!(world.transfer(&id(&sent)).await["status"], "pending");
    let clock = next().await.expect(200);
    assert_eq!(clock["now"], "2027-01-15T08:00:05Z");
    assert_eq!(world.transfer(&id(&sent)).await["status"], "complete");
    next().await.problem(409, "nothing_due", &[]);
}

#[tokio::test]
async fn a_clock_survives_a_restart_and_never_goes_back() {
    let mut world = World::new().await;
    let to = json!({"frozen": true, "at": "2027-03-01T00:00:00Z"});
    put(&world, "/clock", &to).await.expect(200);
    world.server.restart().await;
    let clock = world.server.admin_get(&world.path("/clock")).await;
    assert_eq!(clock["now"], "2027-03-01T00:00:00Z");
    assert_eq!(clock["frozen"], true);
    let back = put(&world, "/clock", &json!({"at": "2027-02-28T23:59:59Z"})).await;
    back.problem(409, "clock_backwards", &[]);
    for (body, field) in [
        (json!({"frozen": "yes"}), "frozen"),
        (json!({"at": "tomorrow"}), "at"),
        (json!({"at": 5}), "at"),
        (json!({"advance_ms": -1}), "advance_ms"),
        (json!({"advance_ms": 1.5}), "advance_ms"),
        (json!({"advance_ms": i64::MAX}), "advance_ms"),
        (
            json!({"at": "2027-04-01T00:00:00Z", "advance_ms": 1}),
            "advance_ms",
        ),
    ] {
        let reply = put(&world, "/clock", &body).await;
        reply.problem(400, "invalid_parameters", &[field]);
    }
}

#[tokio::test]
async fn settings_are_changed_one_by_one_and_kept() {
    let mut world = World::new().await;
    let path = world.path("/settings");
    let default = json!({
        "strict": false, "multi_identity": false, "default_rate_limits": true, "rate_limits": [],
        "round_down": "MULTIPLE", "utc_offset_minutes": 0, "faults": [],
    });
    assert_eq!(world.server.admin_get(&path).await, default);
    let minute = json!([{"requests": 5, "window_s": 60}]);
    for (body, field, value) in [
        (json!({"strict": true}), "strict", json!(true)),
        (
            json!({"multi_identity": true}),
            "multi_identity",
            json!(true),
        ),
        (
            json!({"rate_limits": minute}),
            "rate_limits",
            minute.clone(),
        ),
    ] {
        let set = put(&world, "/settings", &body).await.expect(200);
        assert_eq!(set[field], value);
    }
    world.server.restart().await;
    let kept = json!({
        "strict": true, "multi_identity": true, "default_rate_limits": false,
        "rate_limits": minute, "round_down": "MULTIPLE", "utc_offset_minutes": 0, "faults": [],
    });
    assert_eq!(world.server.admin_get(&path).await, kept);
    let back = json!({"default_rate_limits": true, "strict": false, "multi_identity": false});
    let set = put(&world, "/settings", &back).await.expect(200);
    assert_eq!(set, default);

    let live = world.server.tenant("Real", "live").await;
    let path = format!("/tenants/{live}/settings");
    let limits = world.server.admin_get(&path).await["rate_limits"].take();
    assert_eq!(limits[0], json!({"requests": 100, "window_s": 60}));
    assert_eq!(limits.as_array().map(Vec::len), Some(3));

    let many = vec![json!({"requests": 1, "window_s": 1}); 9];
    for (body, field) in [
        (json!({"strict": "yes"}), "strict"),
        (json!({"multi_identity": 1}), "multi_identity"),
        (json!({"rate_limits": {}}), "rate_limits"),
        (json!({"rate_limits": many}), "rate_limits"),
        (json!({"rate_limits": [1]}), "rate_limits[0]"),
        (
            json!({"rate_limits": [{"requests": 1}]}),
            "rate_limits[0].window_s",
        ),
        (
            json!({"rate_limits": [{"requests": 0, "window_s": 1}]}),
            "rate_limits[0].requests",
        ),
        (
            json!({"rate_limits": [{"requests": 1, "window_s": 4_294_967_296_i64}]}),
            "rate_limits[0].window_s",
        ),
        (
            json!({"rate_limits": [], "default_rate_limits": true}),
            "rate_limits",
        ),
    ] {
        let reply = put(&world, "/settings", &body).await;
        reply.problem(400, "invalid_parameters", &[field]);
    }
    let nobody = "/tenants/ten_0000000000009/settings";
    let reply = world.server.admin(Method::GET, nobody, None).await;
    reply.problem(404, "not_found", &[]);
}

#[tokio::test]
async fn a_clock_at_the_end_of_time_still_answers() {
    let world = World::new().await;
    let end = json!({"frozen": true, "at": "9999-12-30T22:00:00Z"});
    put(&world, "/clock", &end).await.expect(200);
    let sent = world.moved(&world.fund, &world.bank, 100).await;
    assert_eq!(sent["status"], "pending");
    let more = json!({"advance_ms": 100_i64 * 365 * 24 * 60 * 60 * 1000});
    let reply = put(&world, "/clock", &more).await;
    assert!(matches!(reply.status, 200 | 400), "{}", reply.text());
    let list = format!("/transfers?account_id={}", world.fund);
    world.john().get(&list).await.expect(200);
    world.john().get("/accounts").await.expect(200);
    assert_eq!(
        world.moved(&world.pay, &world.fund, 100).await["status"],
        "complete"
    );
}

// --- the books --------------------------------------------------------------------------------

#[tokio::test]
async fn entries_add_up_to_every_balance_and_all_balances_to_zero() {
    let world = World::new().await;
    for round in 1..=12 {
        world.moved(&world.pay, &world.fund, 100 * round).await;
        world.moved(&world.fund, &world.trip, 100 + round).await;
        world.moved(&world.trip, &world.card, 100).await;
        world.moved(&world.bank, &world.trip, 300).await;
        world.simulate("external-pull", &world.fund, 30).await;
        world.advance(1_000).await;
    }
    let returned = world.moved(&world.fund, &world.bank, 700).await;
    let back = format!("/transfers/{}/return", text(&returned, "id"));
    post(&world, &back, &json!({})).await.expect(200);
    world.advance(RAIL_MS).await;
    for account in world.accounts().await {
        let balance = world.balance(&account).await;
        let path = world.path(&format!("/accounts/{account}/entries"));
        let all = world.server.admin_get(&format!("{path}?limit=1000")).await;
        let all = all["data"].as_array().expect("a list");
        let mut sum = 0;
        for (index, entry) in all.iter().rev().enumerate() {
            let amount = entry["amount"].as_i64().expect("an integer");
            assert!(amount > 0);
            sum += match text(entry, "side") {
                "credit" => amount,
                "debit" => -amount,
                side => panic!("{side}"),
            };
            assert_eq!(entry["balance_after"], sum);
            assert_eq!(entry["sequence"], index + 1);
        }
        assert_eq!(sum, balance);
        // The same in pages.
        let mut paged = Vec::new();
        let mut before = String::new();
        loop {
            let page = world
                .server
                .admin_get(&format!("{path}?limit=7{before}"))
                .await;
            let page = page["data"].as_array().expect("a list").clone();
            let Some(last) = page.last() else { break };
            before = format!("&before={}", last["sequence"]);
            paged.extend(page);
        }
        assert_eq!(paged, *all);
    }
    let status = world.server.admin_get("/status").await;
    assert_eq!(status["sum_of_all_balances"], json!({"USD": "0"}));
    assert_eq!(status["writable"], true);
    assert_eq!(status["stopped"], Value::Null);
}

// --- health -----------------------------------------------------------------------------------

#[tokio::test]
async fn health_readiness_and_metrics_need_no_token() {
    let world = World::new().await;
    let get = async |path: &str| world.server.call_admin(Call::get(path)).await;
    assert_eq!(get("/healthz").await.text(), "ok\n");
    let ready = get("/readyz").await;
    assert_eq!((ready.status, ready.text()), (200, "ready\n"));
    world.john().get("/accounts").await.expect(200);
    world
        .john()
        .get("/nothing")
        .await
        .refused(404, "not_found", &[]);
    let metrics = get("/metrics").await;
    assert_eq!(metrics.status, 200);
    let content_type = metrics.header("content-type").expect("told");
    assert!(
        content_type.starts_with("application/openmetrics-text"),
        "{content_type}"
    );
    for line in [
        r#"tidegate_http_requests_total{operation="listAccounts",status="200"} 1"#,
        "tidegate_writable 1",
        "tidegate_queued 0",
        "# EOF",
    ] {
        assert!(metrics.text().lines().any(|found| found == line), "{line}");
    }
    assert!(!metrics.text().contains(&world.key));

    world.server.app().drain();
    let ready = get("/readyz").await;
    assert_eq!((ready.status, ready.text()), (503, "draining\n"));
    assert_eq!(get("/healthz").await.status, 200);
    let reply = get("/nothing").await;
    reply.problem(404, "not_found", &[]);
}

#[tokio::test]
async fn metrics_do_not_grow_with_what_callers_invent() {
    let world = World::new().await;
    let lines = async || {
        let metrics = world.server.call_admin(Call::get("/metrics")).await;
        metrics
            .text()
            .lines()
            .filter(|line| line.contains("requests_total{"))
            .count()
    };
    for number in 0..3 {
        let method = Method::from_bytes(format!("ODD{number}").as_bytes()).expect("a token");
        for path in ["/api/v1/accounts".to_owned(), format!("/odd/{number}")] {
            world.server.call(Call::new(method.clone(), path)).await;
        }
    }
    let before = lines().await;
    for number in 3..50 {
        let method = Method::from_bytes(format!("ODD{number}").as_bytes()).expect("a token");
        for path in ["/api/v1/accounts".to_owned(), format!("/odd/{number}")] {
            world.server.call(Call::new(method.clone(), path)).await;
        }
    }
    assert_eq!(lines().await, before);
}
