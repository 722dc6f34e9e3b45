//! The tables of the routes that open and delete accounts.

use axum::http::Method;
use serde_json::{Value, json};

use super::{BODY_MAX, Ground, LONG, NOBODY};
use crate::harness::{Call, id};
use crate::sequence_rules::split;

tables! {
    "POST /accounts/income-sources" => create_income_source_in_order, create_income_source;
    "DELETE /accounts/{id}" => delete_account_in_order, delete_account;
}

const INVALID: &str = "invalid_parameters";
const SCOPE: &str = "CREATE_AND_DELETE_ACCOUNTS";

impl Ground {
    async fn writer(&self, resources: Value) -> String {
        self.key(json!([{"scope": SCOPE, "resources": resources}]))
            .await
    }
}

async fn create_income_source(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/accounts/income-sources";
    let call = Call::post(path)
        .header("x-request-id", LONG)
        .header("idempotency-key", LONG)
        .header("content-type", "text/plain")
        .body(vec![b'['; BODY_MAX + 1]);
    ground
        .front_rows(&call, "/api/v1/accounts", Method::PATCH)
        .await;
    let call = call.key(&ground.key(json!([{"scope": "LIST_ACCOUNTS"}])).await);
    let words = ["application/json"];
    ground
        .refuse(
            "no JSON",
            call.clone(),
            415,
            "unsupported_media_type",
            &words,
        )
        .await;
    let call = call.header("content-type", "application/json");
    ground
        .refuse(
            "too long",
            call.clone(),
            413,
            "payload_too_large",
            &["65536"],
        )
        .await;
    let call = call.body("[");
    ground
        .refuse(
            "a long request id",
            call.clone(),
            400,
            INVALID,
            &["X-Request-ID"],
        )
        .await;
    let call = call.header("x-request-id", "short");
    ground
        .refuse(
            "a long key",
            call.clone(),
            400,
            INVALID,
            &["Idempotency-Key"],
        )
        .await;
    let call = call.header("idempotency-key", "fresh");
    let long = "n".repeat(101);
    for (body, words) in [
        (json!([]), vec!["body"]),
        (json!({}), vec!["nickname is required"]),
        (
            json!({"nickname": null, "icon": 7}),
            vec!["nickname", "icon"],
        ),
        (json!({"nickname": ""}), vec!["nickname"]),
        (
            json!({"nickname": "  "}),
            vec!["nickname must not be empty"],
        ),
        (
            json!({"nickname": long, "icon": long}),
            vec!["nickname must have at most 100", "icon"],
        ),
        (
            json!({"nickname": "a\u{0}"}),
            vec!["nickname must not have control characters"],
        ),
    ] {
        let what = body.to_string();
        ground
            .refuse(&what, call.clone().json(&body), 400, INVALID, &words)
            .await;
    }
    let body = json!({"nickname": "Second job", "icon": "briefcase"});
    let call = call.json(&body);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let some = call.clone().key(&ground.writer(json!([world.pay])).await);
    ground
        .refuse("only some accounts", some, 403, "forbidden", &[])
        .await;
    let empty = world.server.tenant("Nobody yet", "sandbox").await;
    let all = json!([{"scope": SCOPE, "resources": "*"}]);
    let nobody = call.clone().key(&world.server.key(&empty, &all).await);
    ground
        .refuse("no owner", nobody, 400, "owner_not_found", &[])
        .await;
    let call = call.key(&ground.writer(json!("*")).await);
    let made = world.server.call(call.clone()).await.expect(201);
    let other = call.json(&json!({"nickname": "Third job"}));
    ground
        .refuse(
            "a used key",
            other.clone(),
            400,
            "idempotency_key_mismatch",
            &["Idempotency-Key"],
        )
        .await;
    let other = other.json(&body);
    assert_eq!(world.server.call(other).await.expect(201), made);
}

async fn delete_account(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/accounts";
    let at = |call: &Call, account: &str| Call {
        path: format!("{path}/{account}"),
        ..call.clone()
    };
    let call = Call::new(Method::DELETE, format!("{path}/{NOBODY}"))
        .header("x-request-id", LONG)
        .header("idempotency-key", LONG);
    ground.front_rows(&call, path, Method::PATCH).await;
    let call = call.key(&ground.key(json!([{"scope": "LIST_ACCOUNTS"}])).await);
    ground
        .refuse(
            "a long request id",
            call.clone(),
            400,
            INVALID,
            &["X-Request-ID"],
        )
        .await;
    let call = call.header("x-request-id", "short");
    ground
        .refuse(
            "a long key",
            call.clone(),
            400,
            INVALID,
            &["Idempotency-Key"],
        )
        .await;
    let call = call.header("idempotency-key", "fresh");
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let call = call.key(&ground.writer(json!([world.trip])).await);
    ground
        .refuse("outside the list", call.clone(), 403, "forbidden", &[])
        .await;
    let named = call.clone().key(&ground.writer(json!([NOBODY])).await);
    ground
        .refuse("named, but nobody's", named, 404, "not_found", &["account"])
        .await;
    let call = call.key(&ground.writer(json!("*")).await);
    for (what, account) in [
        ("nobody's", NOBODY),
        ("no id", "x"),
        ("in euros", &ground.euros),
        ("closed already", &ground.gone),
        ("a neighbour's", &ground.neighbour.pod),
    ] {
        ground
            .refuse(what, at(&call, account), 404, "not_found", &["account"])
            .await;
    }
    // Everything that leads to it, one after the other.
    let rule = world.rule(&split(&world.trip, &world.fund)).await;
    world.paycheck(&world.trip, 700).await;
    let doomed = at(&call, &world.trip);
    ground
        .refuse("money", doomed.clone(), 409, "balance_not_zero", &["700"])
        .await;
    let pending = world.moved(&world.trip, &world.bank, 700).await;
    assert_eq!(pending["status"], "pending");
    ground
        .refuse(
            "a transfer",
            doomed.clone(),
            409,
            "account_in_use",
            &["open transfers"],
        )
        .await;
    let all = world.path(&format!("/transfers/{}/return", id(&pending)));
    let code = json!({"error_code": "PAYMENT_FAILED"});
    world
        .server
        .admin(Method::POST, &all, Some(&code))
        .await
        .expect(200);
    let path = world.path(&format!("/accounts/{}/holds", world.trip));
    let hold = json!({"amount_in_cents": 700});
    let hold = world.server.admin_post(&path, &hold).await;
    ground
        .refuse(
            "money again",
            doomed.clone(),
            409,
            "balance_not_zero",
            &["700"],
        )
        .await;
    let hold = world.path(&format!("/holds/{}", id(&hold)));
    let released = world.server.admin(Method::DELETE, &hold, None).await;
    released.expect(204);
    world.simulate("external-pull", &world.trip, 700).await;
    ground
        .refuse("a rule", doomed.clone(), 409, "named_by_rule", &["rule"])
        .await;
    let named = at(&call, &world.bank);
    world.rule(&split(&world.pay, &world.bank)).await;
    ground
        .refuse("as a destination", named, 409, "named_by_rule", &["rule"])
        .await;
    let gone = format!("/rules/{rule}");
    let gone = world.john().send(Method::DELETE, &gone, None).await;
    gone.expect(204);
    world.server.call(doomed.clone()).await.expect(204);
    // The same key again: the same answer. Another: it is not there.
    world.server.call(doomed.clone()).await.expect(204);
    let other = at(&doomed, &world.broker);
    ground
        .refuse(
            "a used key",
            other,
            400,
            "idempotency_key_mismatch",
            &["Idempotency-Key"],
        )
        .await;
    let again = doomed.header("idempotency-key", "another");
    ground
        .refuse("gone", again, 404, "not_found", &["account"])
        .await;
}
