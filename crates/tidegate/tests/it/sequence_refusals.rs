//! What `/api/v1` refuses, and in which order: one table per endpoint, in which each row repairs
//! the fault of the row above while every later fault is still there.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Neighbour, Reply, World, everything, id, transfer_body};
use crate::random::Random;

/// Bodies longer than this are refused.
const BODY_MAX: usize = 64 * 1024;

/// A world with everything that can be at fault.
struct Ground {
    world: World,
    neighbour: Neighbour,
    /// A pod that takes no part for now.
    blocked: String,
    /// A pod that is closed.
    gone: String,
    /// A pod in euros, and one that is blocked too.
    euros: String,
    blocked_euros: String,
    /// Another owner's pod that is blocked, and an account that only gives.
    strange: String,
    strange_pay: String,
    /// A key that has been revoked.
    revoked: String,
}

/// Ids that nobody has, well-formed and not.
const NOBODY: &str = "acc_0000000000009";
const NOBODY_ELSE: &str = "acc_0000000000010";

impl Ground {
    async fn new() -> Ground {
        let world = World::new().await;
        let neighbour = Neighbour::of(&world).await;
        let pod = |name: &str| json!({"type": "pod", "name": name});
        let euro_pod = |name: &str| json!({"type": "pod", "name": name, "currency": "EUR"});
        let blocked = world.open(&pod("Blocked")).await;
        let gone = world.open(&pod("Gone")).await;
        let euros = world.open(&euro_pod("Euros")).await;
        let blocked_euros = world.open(&euro_pod("Blocked euros")).await;
        let strange = world.stranger().await;
        let owner = world.account(&strange).await["owner_id"].clone();
        let body = json!({"owner_id": owner, "type": "income_source", "name": "Her pay"});
        let accounts = world.path("/accounts");
        let strange_pay = id(&world.server.admin_post(&accounts, &body).await);
        for account in [&blocked, &blocked_euros, &strange] {
            world.set_state(account, "block").await.expect(200);
        }
        world.set_state(&gone, "close").await.expect(200);
        let key = world.server.whole_key(&world.tenant, &everything()).await;
        let path = world.path(&format!("/keys/{}", id(&key)));
        let revoked = world.server.admin(Method::DELETE, &path, None).await;
        revoked.expect(204);
        let revoked = key["secret"].as_str().expect("shown once").to_owned();
        Ground {
            world,
            neighbour,
            blocked,
            gone,
            euros,
            blocked_euros,
            strange,
            strange_pay,
            revoked,
        }
    }

    async fn key(&self, permissions: Value) -> String {
        let world = &self.world;
        world.server.key(&world.tenant, &permissions).await
    }

    /// Sends a call that must be refused and change nothing.
    async fn refuse(
        &self,
        what: &str,
        call: Call,
        status: u16,
        code: &str,
        words: &[&str],
    ) -> Reply {
        let world = &self.world;
        let before = world.snapshot().await;
        let reply = world.server.call(call.clone()).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        reply.refused(status, code, words);
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{what}"
        );
        assert!(reply.header("x-request-id").is_some(), "{what}");
        match status {
            401 => {
                let body =
                    r#"{"error":{"code":"unauthorized","message":"Missing or invalid API key."}}"#;
                assert_eq!(reply.text(), body, "{what}");
                assert_eq!(reply.header("www-authenticate"), Some("ApiKey"), "{what}");
            }
            403 if code == "forbidden" => {
                let body = r#"{"error":{"code":"forbidden","message":"This API key does not have the required permission."}}"#;
                assert_eq!(reply.text(), body, "{what}");
            }
            405 => assert!(reply.header("allow").is_some(), "{what}"),
            _ => {}
        }
        world.quiesce().await;
        assert_eq!(world.snapshot().await, before, "{what}");
        reply
    }

    /// The rows that every endpoint begins with: path, method, key. Answers the call with the
    /// last of them repaired but for its key.
    async fn front_rows(&self, call: &Call, path: &str, wrong_method: Method) {
        let call = call.clone().without("authorization");
        let mut wrong = call.clone();
        wrong.path = format!("{}z{}", path, &call.path[path.len()..]);
        let not_found = |what| (what, 404, "not_found");
        let (what, status, code) = not_found("an unknown path");
        self.refuse(what, wrong, status, code, &[]).await;

        let mut wrong = call.clone();
        wrong.method = wrong_method;
        self.refuse("the wrong method", wrong, 405, "method_not_allowed", &[])
            .await;

        let unknown = service::Secret::from_entropy([9; 32]);
        let key = &self.world.key;
        let mut typo = key.clone();
        typo.pop();
        for (what, authorization) in [
            ("an empty header", String::new()),
            ("no scheme", key.clone()),
            ("another scheme", format!("Bearer {key}")),
            ("no key", "ApiKey ".to_owned()),
            ("no key of ours", "ApiKey nonsense".to_owned()),
            ("half a key", format!("ApiKey {typo}")),
            ("an unknown key", format!("ApiKey {}", unknown.reveal())),
            ("a revoked key", format!("ApiKey {}", self.revoked)),
        ] {
            let call = call.clone().header("authorization", authorization);
            self.refuse(what, call, 401, "unauthorized", &[]).await;
        }
        let twice = call.clone().key(key);
        let twice = twice.another_header("authorization", format!("ApiKey {key}"));
        self.refuse("two keys", twice, 401, "unauthorized", &[])
            .await;
        let odd = call.clone().header("authorization", b"ApiKey \xff\xfe");
        self.refuse("no text", odd, 401, "unauthorized", &[]).await;
        self.refuse("no header", call, 401, "unauthorized", &[])
            .await;
    }
}

macro_rules! tables {
    ($($route:literal => $name:ident, $table:path);+ $(;)?) => {
        /// The routes that have a table here.
        pub const ROUTES: &[&str] = &[$($route),+];
        $(
            #[tokio::test]
            async fn $name() {
                $table(&Ground::new().await).await;
            }
        )+
    };
}

pub mod accounts;
pub mod cards;
pub mod rules;

tables! {
    "GET /accounts" => list_accounts_in_order, list_accounts;
    "GET /accounts/{id}" => get_account_in_order, get_account;
    "POST /transfers" => create_transfer_in_order, create_transfer;
    "GET /transfers" => list_transfers_in_order, list_transfers;
    "GET /transfers/{id}" => get_transfer_in_order, get_transfer;
    "GET /idempotency-keys/{key}" => look_up_key_in_order, look_up_key;
}

const LONG: [u8; 256] = [b'x'; 256];

async fn list_accounts(ground: &Ground) {
    let path = "/api/v1/accounts";
    let call = Call::get(format!("{path}?type=savings")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::POST).await;
    let blind = json!([{"scope": "READ_ACCOUNTS", "resources": "*"}]);
    let call = call.key(&ground.key(blind).await);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let call = call.key(&ground.world.key);
    let invalid = "invalid_parameters";
    ground
        .refuse(
            "a long request id",
            call.clone(),
            400,
            invalid,
            &["X-Request-ID"],
        )
        .await;
    let call = call.header("x-request-id", "short");
    ground
        .refuse("an unknown type", call.clone(), 400, invalid, &["type"])
        .await;
    for query in ["?type=", "?type=POD", "?type=pod&type=pod", "?type=%ff"] {
        let call = Call {
            path: format!("{path}{query}"),
            ..call.clone()
        };
        ground.refuse(query, call, 400, invalid, &["type"]).await;
    }
    let call = Call {
        path: format!("{path}?type=pod"),
        ..call
    };
    ground.world.server.call(call).await.expect(200);
}

async fn get_account(ground: &Ground) {
    let path = "/api/v1/accounts";
    let call = Call::get(format!("{path}/{NOBODY}")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::PATCH).await;
    let invalid = "invalid_parameters";
    let blind = ground.key(json!([{"scope": "LIST_ACCOUNTS"}])).await;
    let call = call.key(&blind);
    ground
        .refuse(
            "a long request id",
            call.clone(),
            400,
            invalid,
            &["X-Request-ID"],
        )
        .await;
    let call = call.header("x-request-id", "short");
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let fund = &ground.world.fund;
    let narrow = json!([{"scope": "READ_ACCOUNTS", "resources": [fund]}]);
    let call = call.key(&ground.key(narrow).await);
    ground
        .refuse("outside the list", call.clone(), 403, "forbidden", &[])
        .await;
    let naming = json!([{"scope": "READ_ACCOUNTS", "resources": [NOBODY]}]);
    let call = call.key(&ground.key(naming).await);
    ground
        .refuse(
            "named, but nobody's",
            call.clone(),
            404,
            "not_found",
            &["account"],
        )
        .await;
    let call = call.key(&ground.world.key);
    ground
        .refuse("nobody's", call.clone(), 404, "not_found", &["account"])
        .await;
    let call = Call {
        path: format!("{path}/{fund}"),
        ..call
    };
    ground.world.server.call(call).await.expect(200);
}

async fn look_up_key(ground: &Ground) {
    let path = "/api/v1/idempotency-keys";
    let call = Call::get(format!("{path}/{}", "k".repeat(256)));
    let call = call.header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::DELETE).await;
    let (invalid, call) = ("invalid_parameters", call.key(&ground.world.key));
    let words = &["X-Request-ID"];
    ground
        .refuse("a long request id", call.clone(), 400, invalid, words)
        .await;
    let call = call.header("x-request-id", "short");
    let words = &["Idempotency-Key", "255"];
    ground
        .refuse("a long key", call.clone(), 400, invalid, words)
        .await;
    let path = format!("{path}/k");
    let passed = ground.world.server.call(Call { path, ..call }).await;
    passed.expect(200);
}

async fn get_transfer(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/transfers";
    let moved = id(&world.moved(&world.pay, &world.fund, 100).await);
    let call = Call::get(format!("{path}/txr_0000000000009")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::DELETE).await;
    let invalid = "invalid_parameters";
    let call = call.key(&ground.key(json!([{"scope": "LIST_ACCOUNTS"}])).await);
    ground
        .refuse(
            "a long request id",
            call.clone(),
            400,
            invalid,
            &["X-Request-ID"],
        )
        .await;
    let call = call.header("x-request-id", "short");
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let narrow = json!([{"scope": "READ_TRANSFERS", "resources": [world.trip]}]);
    let call = call.key(&ground.key(narrow).await);
    ground
        .refuse("nobody's", call.clone(), 404, "not_found", &["transfer"])
        .await;
    let call = Call {
        path: format!("{path}/{moved}"),
        ..call
    };
    ground
        .refuse("not covered", call.clone(), 403, "forbidden", &[])
        .await;
    for end in [&world.pay, &world.fund] {
        let key = json!([{"scope": "READ_TRANSFERS", "resources": [end]}]);
        let call = call.clone().key(&ground.key(key).await);
        world.server.call(call).await.expect(200);
    }
}

async fn list_transfers(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/transfers";
    let hers = format!("cursor_{}", &ground.neighbour.transfer[4..]);
    let wrong = "?account_role=both&direction=up&origin=magic&status=done&from=now&to=then\
                 &first=0&after=x";
    let call = Call::get(format!("{path}{wrong}")).header("x-request-id", LONG);
    ground.front_rows(&call, path, Method::PUT).await;
    let call = call.key(&ground.key(json!([{"scope": "LIST_ACCOUNTS"}])).await);
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let narrow = json!([{"scope": "READ_TRANSFERS", "resources": [world.trip]}]);
    let narrow = ground.key(narrow).await;
    let call = call.key(&narrow);
    let invalid = "invalid_parameters";
    ground
        .refuse(
            "a long request id",
            call.clone(),
            400,
            invalid,
            &["X-Request-ID"],
        )
        .await;
    let call = call.header("x-request-id", "short");
    // Everything that is wrong is named at once.
    let names = [
        "account_id",
        "account_role",
        "direction",
        "origin",
        "status",
        "from",
        "to",
        "first",
        "after",
    ];
    ground
        .refuse("all is wrong", call.clone(), 400, invalid, &names)
        .await;
    let at = |query: String| Call {
        path: format!("{path}?{query}"),
        ..call.clone()
    };
    let missing = at(format!("account_id=&after={hers}"));
    ground
        .refuse("no account", missing, 400, invalid, &["account_id"])
        .await;
    let outside = at(format!("account_id={NOBODY}&after={hers}"));
    ground
        .refuse("outside the list", outside, 403, "forbidden", &[])
        .await;
    let covered = at(format!("account_id={}&after={hers}", world.trip));
    ground
        .refuse("a neighbour's cursor", covered, 400, invalid, &["after"])
        .await;
    let right = at(format!("account_id={}", world.trip));
    world.server.call(right).await.expect(200);
}

async fn create_transfer(ground: &Ground) {
    let world = &ground.world;
    let path = "/api/v1/transfers";
    let too_long = vec![b'['; BODY_MAX + 1];
    let call = Call::post(path)
        .header("x-request-id", LONG)
        .header("idempotency-key", LONG)
        .header("content-type", "text/plain")
        .body(too_long);
    ground.front_rows(&call, path, Method::DELETE).await;

    let call = call.key(&ground.key(json!([{"scope": "LIST_ACCOUNTS"}])).await);
    let unsupported = "unsupported_media_type";
    for content_type in [
        "text/plain",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "",
    ] {
        let call = call.clone().header("content-type", content_type);
        ground
            .refuse(content_type, call, 415, unsupported, &["application/json"])
            .await;
    }
    let undeclared = call.clone().without("content-type");
    ground
        .refuse(
            "no type",
            undeclared,
            415,
            unsupported,
            &["application/json"],
        )
        .await;
    let call = call.header("content-type", "application/json; charset=utf-8");
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
    let invalid = "invalid_parameters";
    for request_id in [&LONG[..], b"caf\xc3\xa9", b"a\tb"] {
        let call = call.clone().header("x-request-id", request_id);
        ground
            .refuse("request id", call, 400, invalid, &["X-Request-ID"])
            .await;
    }
    let call = call.header("x-request-id", "short");
    for key in [&LONG[..], b"", b"\xff"] {
        let call = call.clone().header("idempotency-key", key);
        ground
            .refuse("idempotency key", call, 400, invalid, &["Idempotency-Key"])
            .await;
    }
    let call = call.header("idempotency-key", "used");

    // The body, from no JSON at all to one that only lacks permission.
    let fields = [
        "source_account_id",
        "destination_account_id",
        "amount_in_cents",
    ];
    let [source, destination, amount] = fields;
    for (body, words) in [
        ("[".to_owned(), &["body"][..]),
        (r#"[{"amount_in_cents":1}]"#.to_owned(), &["body"]),
        (
            r#"{"amount_in_cents":99,"amount_in_cents":1}"#.to_owned(),
            &["amount_in_cents"],
        ),
        ("{}".to_owned(), &fields),
        (
            json!({source: 1, amount: "100"}).to_string(),
            &[
                "source_account_id must be a string",
                "destination_account_id is required",
                "amount_in_cents must be an integer",
            ],
        ),
        (
            transfer_body(NOBODY, NOBODY, 99).to_string(),
            &["amount_in_cents must be at least 100", destination],
        ),
        (
            transfer_body(NOBODY, NOBODY, 5_001).to_string(),
            &["destination_account_id must not be the source_account_id"],
        ),
    ] {
        ground
            .refuse(&body, call.clone().body(&*body), 400, invalid, words)
            .await;
    }

    // The key.
    let call = call.json(&transfer_body(NOBODY, NOBODY_ELSE, 5_001));
    ground
        .refuse("no scope", call.clone(), 403, "forbidden", &[])
        .await;
    let sets = async |sets: Value| {
        let entry = json!([{"scope": "MANUAL_TRANSFER", "resources": sets}]);
        ground.key(entry).await
    };
    let reverse = sets(json!([{"source": NOBODY_ELSE, "target": NOBODY}])).await;
    let call = call.key(&reverse);
    ground
        .refuse("another pair", call.clone(), 403, "forbidden", &[])
        .await;
    let limited = json!([{"source": NOBODY, "target": "*", "max_amount": 5_000}]);
    let call = call.key(&sets(limited).await);
    ground
        .refuse("above the most", call.clone(), 403, "forbidden", &[])
        .await;
    let call = call.key(&world.key);
    let first = world
        .john()
        .transfer_once("used", &world.pay, &world.fund, 100)
        .await;
    first.expect(201);
    world.quiesce().await;
    let mismatch = "idempotency_key_mismatch";
    ground
        .refuse(
            "a used key",
            call.clone(),
            400,
            mismatch,
            &["Idempotency-Key"],
        )
        .await;
    let call = call.header("idempotency-key", "fresh");

    // The accounts.
    for (from, to, code, field) in [
        (NOBODY, NOBODY_ELSE, "transfer_source_not_found", source),
        (
            &*ground.gone,
            NOBODY_ELSE,
            "transfer_destination_not_found",
            destination,
        ),
        (
            &*ground.gone,
            &*world.pay,
            "transfer_source_not_found",
            source,
        ),
        (
            &*world.card,
            &*ground.gone,
            "transfer_destination_not_found",
            destination,
        ),
        (&*world.card, &*world.pay, "source_not_allowed", source),
        (&*world.broker, &*world.pay, "source_not_allowed", source),
        (
            &*ground.blocked,
            &*ground.strange_pay,
            "destination_not_allowed",
            destination,
        ),
        (
            &*ground.blocked,
            &*ground.strange,
            "owners_differ",
            destination,
        ),
        (
            &*ground.blocked,
            &*ground.blocked_euros,
            "source_not_active",
            source,
        ),
        (
            &*world.fund,
            &*ground.blocked_euros,
            "destination_not_active",
            destination,
        ),
        (&*world.fund, &*ground.euros, "currency_mismatch", amount),
    ] {
        let call = call.clone().json(&transfer_body(from, to, 5_001));
        ground.refuse(code, call, 400, code, &[field]).await;
    }
    let call = call.json(&transfer_body(&world.fund, &world.trip, 5_001));
    world.server.call(call).await.expect(201);
}

// --- bodies -----------------------------------------------------------------------------------

#[tokio::test]
async fn an_amount_is_an_integer_of_at_least_a_hundred_within_64_bits() {
    let ground = Ground::new().await;
    let (pay, fund) = (&ground.world.pay, &ground.world.fund);
    let call = |amount: &str| {
        let body =
            format!(r#"{{"source_account_id":"{pay}","destination_account_id":"{fund}"{amount}}}"#);
        Call::post("/api/v1/transfers")
            .key(&ground.world.key)
            .json_text(body)
    };
    for amount in [
        "99",
        "1",
        "0",
        "-0",
        "-1",
        "-100",
        r#""100""#,
        "100.0",
        "100.5",
        "1e2",
        "1E2",
        "1e400",
        "-1e400",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1000000000000000000000000000000",
        "null",
        "true",
        "[100]",
        r#"{"cents":100}"#,
    ] {
        let call = call(&format!(r#","amount_in_cents":{amount}"#));
        let words = ["amount_in_cents"];
        ground
            .refuse(amount, call, 400, "invalid_parameters", &words)
            .await;
    }
    ground
        .refuse(
            "missing",
            call(""),
            400,
            "invalid_parameters",
            &["amount_in_cents"],
        )
        .await;
    for amount in ["0100", "+100", "0x64", "100_000", "NaN", "Infinity"] {
        let call = call(&format!(r#","amount_in_cents":{amount}"#));
        ground
            .refuse(amount, call, 400, "invalid_parameters", &["body"])
            .await;
    }
    for amount in ["100", "101", "9223372036854775807"] {
        let call = call(&format!(r#","amount_in_cents":{amount}"#));
        let made = ground.world.server.call(call).await.expect(201);
        assert_eq!(made["data"]["amount_in_cents"].to_string(), amount);
    }
    ground.world.quiesce().await;
    // The largest amount there is was recorded, and lacked the money.
    assert_eq!(ground.world.balance(fund).await, 50_201);
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let ground = Ground::new().await;
    let (pay, fund) = (&ground.world.pay, &ground.world.fund);
    let right = transfer_body(pay, fund, 100).to_string();
    let inner = &right[1..right.len() - 1];
    let many: Vec<String> = (0..101).map(|n| format!(r#""m{n}":0"#)).collect();
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b" ".to_vec(),
        b"null".to_vec(),
        b"1".to_vec(),
        b"\"text\"".to_vec(),
        b"{".to_vec(),
        b"}".to_vec(),
        b"source_account_id=x&amount_in_cents=100".to_vec(),
        b"<transfer/>".to_vec(),
        format!("[{right}]").into_bytes(),
        format!("{right}{right}").into_bytes(),
        format!("{right} x").into_bytes(),
        format!("{{{inner},}}").into_bytes(),
        format!("{{{inner},{inner}}}").into_bytes(),
        format!(r#"{{{inner},"amount_in_cents":100}}"#).into_bytes(),
        format!(r#"{{{inner},"amount_in\u005fcents":100}}"#).into_bytes(),
        format!(r#"{{{inner},"note":"\ud800"}}"#).into_bytes(),
        format!(r#"{{{inner},"\udfff":1}}"#).into_bytes(),
        format!("\u{feff}{right}").into_bytes(),
        format!("{{{inner},\"note\":\"\u{0}\"}}").into_bytes(),
        format!(
            r#"{{{inner},"note":{}{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        )
        .into_bytes(),
        format!(r#"{{{inner},"note":{}"#, r#"{"a":"#.repeat(10_000)).into_bytes(),
        format!("{{{}}}", many.join(",")).into_bytes(),
        "[".repeat(BODY_MAX).into_bytes(),
        [right.as_bytes(), b"\0"].concat(),
        [b"{\"note\":\"\xff\",", inner.as_bytes(), b"}"].concat(),
        right.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ];
    for body in bodies {
        let what = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let call = Call::post("/api/v1/transfers")
            .key(&ground.world.key)
            .json_text(body);
        ground
            .refuse(&what, call, 400, "invalid_parameters", &["body"])
            .await;
    }
}

#[tokio::test]
async fn ids_of_any_form_are_ids_that_nobody_has() {
    let ground = Ground::new().await;
    let (pay, fund) = (&ground.world.pay, &ground.world.fund);
    let lower = fund.to_lowercase();
    let padded = format!(" {fund}");
    let transfer = fund.replace("acc_", "txr_");
    let long = "a".repeat(60_000);
    for text in [
        "x",
        "acc_",
        "acc_0000000000000",
        "acc_ZZZZZZZZZZZZZ",
        "*",
        "null",
        "0",
        "\u{0}",
        "💰",
        "acc_00000000000I0",
        "'; drop table accounts; --",
        &lower,
        &padded,
        &transfer,
        &long,
    ] {
        for (from, to, code) in [
            (text, &**fund, "transfer_source_not_found"),
            (pay, text, "transfer_destination_not_found"),
        ] {
            let body = transfer_body(from, to, 100);
            let call = Call::post("/api/v1/transfers")
                .key(&ground.world.key)
                .json(&body);
            let what = &text[..text.len().min(30)];
            ground.refuse(what, call, 400, code, &["_account_id"]).await;
        }
    }
    let empty = transfer_body("", fund, 100);
    let call = Call::post("/api/v1/transfers")
        .key(&ground.world.key)
        .json(&empty);
    ground
        .refuse(
            "empty",
            call,
            400,
            "transfer_source_not_found",
            &["source_account_id"],
        )
        .await;
}

#[tokio::test]
async fn limits_hold_on_both_sides() {
    let ground = Ground::new().await;
    let world = &ground.world;
    let call = Call::post("/api/v1/transfers").key(&world.key);
    let right = transfer_body(&world.pay, &world.fund, 100).to_string();
    let padded = |length: usize| format!("{right}{}", " ".repeat(length - right.len()));
    let fits = call.clone().json_text(padded(BODY_MAX));
    world.server.call(fits).await.expect(201);
    world.quiesce().await;
    let too_long = call.clone().json_text(padded(BODY_MAX + 1));
    ground
        .refuse("a byte more", too_long, 413, "payload_too_large", &[])
        .await;
    for name in ["x-request-id", "idempotency-key"] {
        let fits = call.clone().json_text(&*right).header(name, &LONG[..255]);
        world.server.call(fits).await.expect(201);
    }
    // 255 characters, not bytes.
    let umlauts = "ü".repeat(255);
    let fits = call
        .clone()
        .json_text(&*right)
        .header("idempotency-key", &umlauts);
    world.server.call(fits).await.expect(201);
    world.quiesce().await;
    let longer = call
        .json_text(&*right)
        .header("idempotency-key", format!("{umlauts}ü"));
    ground
        .refuse(
            "256",
            longer,
            400,
            "invalid_parameters",
            &["Idempotency-Key"],
        )
        .await;
}

// --- parameters -------------------------------------------------------------------------------

#[tokio::test]
async fn every_parameter_of_the_list_is_checked() {
    let ground = Ground::new().await;
    let world = &ground.world;
    let hers = format!("cursor_{}", &ground.neighbour.transfer[4..]);
    let refuse = async |name: &str, value: &str| {
        let path = format!("/api/v1/transfers?account_id={}&{name}={value}", world.fund);
        let call = Call::get(path).key(&world.key);
        ground
            .refuse(value, call, 400, "invalid_parameters", &[name])
            .await;
    };
    for (name, values) in [
        ("account_role", &["both", "Source", ""][..]),
        ("direction", &["in", "MONEY_IN", "", "outgoing"]),
        ("origin", &["salary", "direct_deposit", "unknown", ""]),
        ("status", &["done", "rejected", "scheduled", "COMPLETE", ""]),
        (
            "first",
            &[
                "0",
                "101",
                "abc",
                "-1",
                "",
                "1.0",
                "1e1",
                "%201",
                "9223372036854775808",
                "340282366920938463463374607431768211457",
                "null",
                "٣",
            ],
        ),
        ("from", TIMESTAMPS),
        ("to", TIMESTAMPS),
        (
            "after",
            &[
                "",
                "x",
                "cursor_",
                "cursor_01HGHI3333",
                "cursor_0000000000000",
                "cursor_0000000000009",
                "cursor_ZZZZZZZZZZZZZ",
                "0",
                "%00",
                "%ff",
                &hers,
            ],
        ),
    ] {
        for value in values {
            refuse(name, value).await;
        }
    }
    // A cursor of another kind of id.
    refuse("after", &world.fund).await;
    refuse("after", &format!("cursor_{}", &world.fund[4..])).await;
}

const TIMESTAMPS: &[&str] = &[
    "",
    "yesterday",
    "2024-04-23",
    "09:15:04Z",
    "2024-04-23T09:15:04",
    "2024-13-01T00:00:00Z",
    "2024-02-30T00:00:00Z",
    "2024-04-23T25:00:00Z",
    "1713863704",
    "1713863704000",
    "99999-01-01T00:00:00Z",
    "2024-04-23T09:15:04Z%00",
];

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let ground = Ground::new().await;
    let world = &ground.world;
    let at = "2027-01-15T08:00:00Z";
    for (name, value) in [
        ("account_id", &*world.fund),
        ("account_role", "either"),
        ("direction", "internal"),
        ("origin", "user"),
        ("status", "complete"),
        ("rule_execution_id", "rex_01HABC4567"),
        ("from", at),
        ("to", at),
        ("first", "20"),
        ("after", "cursor_0000000000009"),
    ] {
        let once = match name {
            "account_id" => String::new(),
            _ => format!("account_id={}&", world.fund),
        };
        let path = format!("/api/v1/transfers?{once}{name}={value}&{name}={value}");
        let call = Call::get(path).key(&world.key);
        ground
            .refuse(name, call, 400, "invalid_parameters", &[name, "once"])
            .await;
    }
}

#[tokio::test]
async fn the_first_page_has_one_to_a_hundred_transfers() {
    let world = World::new().await;
    for first in ["1", "2", "100", "020"] {
        let path = format!("/transfers?account_id={}&first={first}", world.fund);
        world.john().get(&path).await.expect(200);
    }
}

// --- paths ------------------------------------------------------------------------------------

#[tokio::test]
async fn paths_that_lead_nowhere_are_answered_in_the_dialects_envelope() {
    let ground = Ground::new().await;
    let world = &ground.world;
    for path in [
        "/api/v1",
        "/api/v1/",
        "/api/v1/accounts/",
        "/api/v1//accounts",
        "/api/v1/transfers/",
        "/api/v1/Accounts",
        "/api/v1/rule",
        "/api/v1/accounts/x/y",
        "/api/v1/%61ccounts/x/",
        "/api/v1/transfers/txr_0000000000009/return",
    ] {
        for call in [
            Call::get(path),
            Call::get(path).key(&world.key),
            Call::post(path),
        ] {
            ground.refuse(path, call, 404, "not_found", &[]).await;
        }
    }
    // Ids of any form are ids that nobody has.
    let long = "a".repeat(8_000);
    for text in [
        "x",
        "%ff",
        "%00",
        "%20",
        "%F0%9F%92%B0",
        "..",
        "%2e%2e",
        "acc_%ff",
        "*",
        "acc_1",
        "a%2Fb",
        "%",
        &long,
    ] {
        for what in ["accounts", "transfers"] {
            let call = Call::get(format!("/api/v1/{what}/{text}")).key(&world.key);
            ground.refuse(text, call, 404, "not_found", &[]).await;
        }
    }
}

#[tokio::test]
async fn methods_that_a_path_does_not_have_are_refused_by_name() {
    let ground = Ground::new().await;
    let odd = Method::from_bytes(b"BREW").expect("a token");
    let all = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        odd,
    ];
    for (path, allowed) in [
        ("/api/v1/accounts", &["GET", "HEAD"][..]),
        ("/api/v1/accounts/acc_1", &["DELETE", "GET", "HEAD"]),
        ("/api/v1/cards", &["GET", "HEAD"]),
        ("/api/v1/cards/card_1", &["GET", "HEAD"]),
        ("/api/v1/cards/card_1/transactions", &["GET", "HEAD"]),
        ("/api/v1/transfers", &["GET", "HEAD", "POST"]),
        ("/api/v1/transfers/txr_1", &["GET", "HEAD"]),
    ] {
        for method in &all {
            if allowed.contains(&method.as_str()) {
                continue;
            }
            let call = Call::new(method.clone(), path).key(&ground.world.key);
            let reply = ground
                .refuse(path, call, 405, "method_not_allowed", &[])
                .await;
            let mut told: Vec<&str> = reply.header("allow").expect("told").split(',').collect();
            told.sort_unstable();
            assert_eq!(told, allowed, "{method} {path}");
        }
    }
}

// --- other tenants, narrow keys ---------------------------------------------------------------

#[tokio::test]
async fn a_neighbours_ids_are_like_ids_that_do_not_exist() {
    let ground = Ground::new().await;
    let (world, hers) = (&ground.world, &ground.neighbour);
    let john = world.john();
    let same = |real: &Reply, none: &Reply| {
        assert_eq!(real.status, none.status);
        assert_eq!(real.text(), none.text());
    };
    let real = john.get(&format!("/accounts/{}", hers.pod)).await;
    same(&real, &john.get(&format!("/accounts/{NOBODY}")).await);
    let real = john.get(&format!("/transfers/{}", hers.transfer)).await;
    same(&real, &john.get("/transfers/txr_0000000000009").await);
    let real = john.transfer(&hers.pod, &world.fund, 100).await;
    same(&real, &john.transfer(NOBODY, &world.fund, 100).await);
    let real = john.transfer(&world.fund, &hers.pod, 100).await;
    same(&real, &john.transfer(&world.fund, NOBODY, 100).await);
    let list = async |account: &str| {
        let list = john.get(&format!("/transfers?account_id={account}")).await;
        let mut body = list.expect(200);
        body["request_id"] = Value::Null;
        body
    };
    assert_eq!(list(&hers.pod).await, list(NOBODY).await);
    // Her key sees nothing of his either, and his money is where it was.
    let eve = world.as_key(&hers.key);
    let reply = eve.transfer(&world.fund, &hers.pod, 100).await;
    reply.refused(400, "transfer_source_not_found", &["source_account_id"]);
    world.quiesce().await;
    assert_eq!(world.balance(&world.fund).await, 50_000);
    // A key that names a neighbour's account gains nothing by it.
    let naming = json!([
        {"scope": "READ_ACCOUNTS", "resources": [hers.pod]},
        {"scope": "READ_TRANSFERS", "resources": [hers.pod]},
        {"scope": "MANUAL_TRANSFER", "resources": [{"source": hers.pod, "target": world.fund}]},
    ]);
    let naming = world.with_permissions(&naming).await;
    let reply = naming.get(&format!("/accounts/{}", hers.pod)).await;
    reply.refused(404, "not_found", &[]);
    let path = format!("/transfers?account_id={}", hers.pod);
    assert_eq!(naming.get(&path).await.data(), json!([]));
    let reply = naming.get(&format!("/transfers/{}", hers.transfer)).await;
    reply.refused(404, "not_found", &[]);
    let reply = naming.transfer(&hers.pod, &world.fund, 100).await;
    reply.refused(400, "transfer_source_not_found", &["source_account_id"]);
}

#[tokio::test]
async fn a_narrow_key_learns_nothing_beyond_its_list() {
    let ground = Ground::new().await;
    let world = &ground.world;
    let narrow = world
        .with_permissions(&json!([
            {"scope": "READ_ACCOUNTS", "resources": [world.fund]},
            {"scope": "READ_TRANSFERS", "resources": [world.fund]},
            {"scope": "MANUAL_TRANSFER", "resources": [{"source": world.fund, "target": world.trip}]},
        ]))
        .await;
    let mut answers = Vec::new();
    for account in [
        &*world.trip,
        NOBODY,
        &ground.neighbour.pod,
        &ground.gone,
        "x",
    ] {
        answers.push(narrow.get(&format!("/accounts/{account}")).await);
        answers.push(
            narrow
                .get(&format!("/transfers?account_id={account}"))
                .await,
        );
        answers.push(narrow.transfer(account, &world.fund, 100).await);
        answers.push(narrow.transfer(&world.pay, account, 100).await);
    }
    for answer in answers {
        answer.refused(403, "forbidden", &[]);
    }
    // Its own list it can use, and a `*` key sees that the others are not there.
    narrow
        .get(&format!("/accounts/{}", world.fund))
        .await
        .expect(200);
    narrow
        .transfer(&world.fund, &world.trip, 100)
        .await
        .expect(201);
    let john = world.john();
    john.get(&format!("/accounts/{NOBODY}"))
        .await
        .refused(404, "not_found", &[]);
    john.transfer(NOBODY, &world.fund, 100)
        .await
        .refused(400, "transfer_source_not_found", &[]);
}

// --- anything at all --------------------------------------------------------------------------

/// Requests put together and damaged at random: every answer is a documented one, none is a 500,
/// and whatever they did, the books are sound. (The harness checks each answer.)
#[tokio::test]
async fn random_requests_get_documented_answers() {
    let ground = Ground::new().await;
    let world = &ground.world;
    let mut random = Random::seeded("REQUEST_SEED", 11);
    let accounts = [
        &*world.pay,
        &world.fund,
        &world.trip,
        &world.bank,
        &world.card,
        NOBODY,
        &ground.strange,
        &ground.euros,
        &ground.neighbour.pod,
        "",
        "x",
    ];
    let amounts = [
        "100",
        "99",
        "5000",
        "-1",
        "1e2",
        "9223372036854775807",
        "null",
        "\"100\"",
    ];
    let keys = [&*world.key, &ground.neighbour.key, &ground.revoked, ""];
    let values = [
        "either",
        "source",
        "money_in",
        "user",
        "complete",
        "2027-01-15T08:00:00Z",
        "1",
        "100",
        "0",
        "cursor_0000000000009",
        "%00",
        "%ff",
        "+",
        "",
        "pod",
    ];
    let names = [
        "account_role",
        "direction",
        "origin",
        "status",
        "rule_execution_id",
        "from",
        "to",
        "first",
        "after",
        "type",
        "account_id",
        "x",
    ];
    let mut statuses = std::collections::BTreeMap::new();
    // Mostly a key and accounts that make sense, so that many requests get far.
    let key_of = |random: &mut Random| match random.below(3) {
        0 => *random.pick(&keys),
        _ => keys[0],
    };
    let account_of = |random: &mut Random| match random.below(3) {
        0 => *random.pick(&accounts),
        _ => accounts[random.below(4)],
    };
    for _ in 0..3_000 {
        let mut call = match random.below(5) {
            0 | 1 => {
                let body = format!(
                    r#"{{"source_account_id":"{}","destination_account_id":"{}","amount_in_cents":{}}}"#,
                    account_of(&mut random),
                    account_of(&mut random),
                    random.pick(&amounts)
                );
                Call::post("/api/v1/transfers").json_text(damaged(body, &mut random))
            }
            2 | 3 => {
                let mut query = format!("account_id={}", account_of(&mut random));
                for _ in 0..random.below(4) {
                    query = format!("{query}&{}={}", random.pick(&names), random.pick(&values));
                }
                let what = random.pick(&["accounts", "transfers"]);
                Call::get(format!("/api/v1/{what}?{query}"))
            }
            _ => {
                let what = random.pick(&["accounts", "transfers"]);
                Call::get(format!("/api/v1/{what}/{}", account_of(&mut random)))
            }
        };
        if random.below(10) > 0 {
            call = call.key(key_of(&mut random));
        }
        if random.below(4) == 0 {
            // Few enough to meet again, with the same body or another.
            call = call.header("idempotency-key", format!("k{}", random.below(40)));
        }
        let reply = world.server.call(call).await;
        *statuses.entry(reply.status).or_insert(0) += 1;
        assert!(reply.header("x-request-id").is_some());
    }
    for status in [200, 201, 400, 401, 404] {
        assert!(statuses.contains_key(&status), "{status}: {statuses:?}");
    }
    world.quiesce().await;
    let status = world.server.admin_get("/status").await;
    assert_eq!(
        status["sum_of_all_balances"],
        json!({"EUR": "0", "USD": "0"})
    );
    assert_eq!(status["writable"], true);
}

/// The text, most often with a few bytes changed, doubled or gone.
fn damaged(text: String, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    for _ in 0..random.below(3) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] = random.below(256) as u8,
            1 => drop(bytes.remove(at)),
            2 => bytes.truncate(at + 1),
            _ => {
                let part = bytes[at..].to_vec();
                bytes.extend(part);
            }
        }
    }
    bytes
}
