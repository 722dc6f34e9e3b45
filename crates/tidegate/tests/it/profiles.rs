//! Profiles: made, shown and changed through the admin API and the command line.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::Server;
use crate::process::Place;

/// A sandbox tenant, and the path of its profiles.
async fn tenant(server: &Server, name: &str) -> String {
    format!("/tenants/{}/profiles", server.tenant(name, "sandbox").await)
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {object}"))
}

#[tokio::test]
async fn a_profile_is_made_shown_listed_and_changed() {
    let server = Server::new().await;
    let profiles = tenant(&server, "Acme").await;
    let fee = json!({"source": "managed_accounts", "destination": "managed_cards",
                     "currency": "EUR", "type": "PLUS", "flat": 25, "percent": "1.25"});
    let body = json!({"name": "Everyday", "type": "transfer", "currencies": ["EUR"],
                      "fees": [fee], "max_amounts": [{"currency": "EUR", "amount": 1_000_000}]});
    let made = server.admin_post(&profiles, &body).await;
    assert_eq!(made["active"], true);
    for (member, value) in body.as_object().expect("an object") {
        assert_eq!(&made[member], value, "{member}");
    }
    let path = format!("{profiles}/{}", text(&made, "id"));
    assert_eq!(server.admin_get(&path).await, made);
    let cards = json!({"name": "Cards", "type": "managed_card", "mode": "debit"});
    let cards = server.admin_post(&profiles, &cards).await;
    let listed = server.admin_get(&profiles).await;
    assert_eq!(listed["data"], json!([made, cards]));
    let change = json!({"name": "Weekday", "active": false, "max_amounts": [], "forex": true});
    let changed = server.admin(Method::PATCH, &path, Some(&change)).await;
    let changed = changed.expect(200);
    for (member, value) in change.as_object().expect("an object") {
        assert_eq!(&changed[member], value, "{member}");
    }
    assert_eq!(changed["fees"], made["fees"]);
    assert_eq!(server.admin_get(&path).await, changed);
    // Whatever stands in the journal is there after a restart too.
    let mut server = server;
    server.restart().await;
    assert_eq!(server.admin_get(&path).await, changed);
}

#[tokio::test]
async fn what_is_wrong_with_a_profile_is_told() {
    let server = Server::new().await;
    let profiles = tenant(&server, "Acme").await;
    let refused = async |method: Method, path: &str, body: Value| {
        server.admin(method, path, Some(&body)).await
    };
    let post = |body: Value| refused(Method::POST, &profiles, body);
    post(json!({"name": "P", "type": "loan"}))
        .await
        .problem(400, "invalid_parameters", &["type"]);
    let wrong = json!({"name": "P", "type": "managed_account", "mode": "debit",
        "deposit_fees": [{"currency": "EUR", "type": "FLAT", "flat": -1}]});
    let reply = post(wrong).await;
    let told = reply.expect(400);
    let fields: Vec<&str> = told["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|error| text(error, "field"))
        .collect();
    assert_eq!(fields, ["mode", "deposit_fees[0].flat"]);
    // What the ledger finds: two lines about the same thing, a name of nothing.
    let twice = json!({"name": "P", "type": "managed_account", "max_balances":
        [{"currency": "EUR", "amount": 1}, {"currency": "EUR", "amount": 2}]});
    post(twice)
        .await
        .problem(400, "invalid_parameters", &["max_balances"]);
    post(json!({"name": " ", "type": "consumer"}))
        .await
        .problem(400, "invalid_parameters", &["name"]);
    let nobody = format!("{profiles}/prf_0000000000001");
    server
        .admin(Method::GET, &nobody, None)
        .await
        .problem(404, "not_found", &["profile"]);
    refused(Method::PATCH, &nobody, json!({}))
        .await
        .problem(404, "not_found", &["profile"]);
    let made = json!({"name": "P", "type": "consumer"});
    let made = server.admin_post(&profiles, &made).await;
    let path = format!("{profiles}/{}", text(&made, "id"));
    refused(Method::PATCH, &path, json!({"type": "corporate"}))
        .await
        .problem(400, "invalid_parameters", &["type"]);
    // Another tenant's profile does not exist.
    let others = tenant(&server, "Other").await;
    let others = format!("{others}/{}", text(&made, "id"));
    server
        .admin(Method::GET, &others, None)
        .await
        .problem(404, "not_found", &["profile"]);
}

#[test]
fn the_command_line_makes_and_switches_profiles() {
    let place = Place::new();
    let process = place.serve(&[]);
    place.json(&["tenant", "create", "--name", "Acme"]);
    let fees = r#"{"fees": [{"source": "managed_cards", "destination": "managed_accounts",
                             "currency": "EUR", "type": "FLAT", "flat": 5}]}"#;
    let create = [
        "profile", "create", "--name", "Everyday", "--type", "transfer",
    ];
    let made = place.json(&[&create[..], &["--currency", "EUR", "--terms", fees]].concat());
    assert_eq!(made["fees"][0]["flat"], 5);
    assert_eq!(made["currencies"], json!(["EUR"]));
    let id = text(&made, "id");
    let off = place.json(&["profile", "deactivate", id]);
    assert_eq!(off["active"], false);
    let on = place.json(&["profile", "activate", id]);
    assert_eq!(on["active"], true);
    let terms = r#"{"fee_policy": "required"}"#;
    let changed = [
        "profile", "change", id, "--name", "Weekday", "--terms", terms,
    ];
    let changed = place.json(&changed);
    assert_eq!(changed["name"], "Weekday");
    assert_eq!(changed["fee_policy"], "required");
    assert_eq!(changed["fees"], made["fees"]);
    assert_eq!(place.json(&["profile", "show", id]), changed);
    let listed = place.json(&["profile", "list"]);
    assert_eq!(listed["data"], json!([changed]));
    let table = place.ok(&["profile", "list"]);
    assert!(table.contains("Weekday") && table.contains(id), "{table}");
    drop(process);
}
