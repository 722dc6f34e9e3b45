//! What the Multi dialect refuses, and in which order: each row repairs the fault of the row above
//! while every later fault is still there. Nothing is left behind by any of them.
//!
//! The order is that of `docs/decisions/2026-11-21-multi-refusals.md`.

mod transfers;

use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Reply, everything, id};
use crate::multi_client::{MultiClient, PASSWORD, corporate};
use crate::multi_world::{Instrument, MultiWorld, SECOND, party, profiles, programme};

/// A world with everything that can be at fault.
struct Ground {
    world: MultiWorld,
    /// Another programme's key, and its corporate's token.
    other_key: String,
    other_token: String,
    /// Keys that are none for this dialect: one that was revoked, one of the other dialect.
    revoked: String,
    sequence: String,
    /// Tokens of the corporate's: one that was logged out, one for choosing an identity, one of the
    /// Back Office.
    ended: String,
    auth: String,
    office: String,
    /// Limits of requests that were set.
    windows: AtomicU32,
}

/// What a refusal says.
#[derive(Clone, Debug)]
enum Refusal {
    /// A status and nothing else.
    Bare(u16),
    /// A status with a code and a message.
    Coded(u16, &'static str),
    /// A 403 with a code.
    Forbidden(&'static str),
    /// A 409.
    Conflict(&'static str),
    /// A 400 with these fields and rules.
    Invalid(Vec<(&'static str, &'static str)>),
}

use Refusal::{Bare, Coded, Conflict, Forbidden, Invalid};

impl Refusal {
    #[track_caller]
    fn check(&self, reply: &Reply) {
        match self {
            Bare(status) => reply.bare(*status),
            Coded(status, code) => reply.coded(*status, code),
            Forbidden(code) => {
                let body = json!({"errorCode": code, "message": code});
                assert_eq!(reply.expect(403), body);
            }
            Conflict(code) => reply.conflict(code),
            Invalid(faults) => reply.invalid(faults),
        }
    }
}

impl Ground {
    async fn new() -> Ground {
        let world = MultiWorld::new().await;
        let server = &world.server;
        let (tenant, other_key) = programme(server, "Another").await;
        let other = MultiClient::new(server, &other_key);
        let theirs = profiles(server, &tenant).await;
        let them = party(&other, &theirs, "corporates", "root@other.example").await;

        let permissions = json!([{"scope": "PROGRAMME"}]);
        let key = server.whole_key(&world.tenant, &permissions).await;
        let path = world.path(&format!("/keys/{}", id(&key)));
        server.admin(Method::DELETE, &path, None).await.expect(204);
        let revoked = key["secret"].as_str().expect("shown once").to_owned();
        let sequence = server.key(&world.tenant, &everything()).await;

        let client = world.programme();
        let leaving = client.login(&world.acme.email, PASSWORD).await;
        leaving.act("/logout").await.bare(204);
        world.set(&json!({"multi_identity": true})).await;
        let (profile, many) = (&world.profiles.corporate, "many@acme.example");
        client.corporate(profile, many).await;
        let second = corporate(profile, many);
        client.post("/corporates", &second).await.expect(200);
        let choosing = client.login(many, PASSWORD).await;
        let office = client.acting_for(&world.acme.identity).await;
        Ground {
            other_key,
            other_token: them.token,
            revoked,
            sequence,
            ended: leaving.token().to_owned(),
            auth: choosing.token().to_owned(),
            office: office.token().to_owned(),
            windows: AtomicU32::new(0),
            world,
        }
    }

    /// Sends a call that must be refused so and change nothing at all.
    async fn refuse(&self, what: &str, call: &Call, refusal: Refusal) -> Reply {
        let world = &self.world;
        let before = world.snapshot().await;
        println!("{what}: {refusal:?}");
        let reply = world.server.call(call.clone()).await;
        refusal.check(&reply);
        world.server.quiesce(&world.tenant).await;
        assert_eq!(world.snapshot().await, before, "{what}");
        reply
    }

    /// The rows that every operation with a token begins with: path, method, key, token, the two
    /// together, the limit of requests. `call` has no credentials; the answer has them, and all
    /// later faults.
    async fn front_rows(&self, call: Call, wrong_method: Method) -> Call {
        let token = match call.path.starts_with("/multi/backoffice/") {
            true => (&self.office, &self.world.acme.token),
            false => (&self.world.acme.token, &self.office),
        };
        let (token, of_the_other_api) = token;
        let mut wrong = call.clone();
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        wrong.path = format!("{path}/no/such/path?{query}");
        self.refuse("an unknown path", &wrong, Coded(404, "NOT_FOUND"))
            .await;
        let mut wrong = call.clone();
        wrong.method = wrong_method;
        let refusal = Coded(405, "METHOD_NOT_ALLOWED");
        self.refuse("the wrong method", &wrong, refusal).await;

        self.without_key(&call, token).await;
        self.without_token(&call, of_the_other_api).await;
        let call = self.strangers(call, token, of_the_other_api).await;

        // Each time another window: one that is set again goes on counting.
        let world = &self.world;
        let window = 60 + self.windows.fetch_add(1, Ordering::Relaxed);
        let limits = json!([{"requests": 1, "window_s": window}]);
        world.set(&json!({"rate_limits": limits})).await;
        world.acme().get("/managed_accounts").await.expect(200);
        let reply = self.refuse("too many requests", &call, Bare(429)).await;
        let told = format!("1, 1;w={window}");
        assert_eq!(reply.header("x-ratelimit-limit"), Some(&*told));
        let told = window.to_string();
        assert_eq!(reply.header("x-ratelimit-reset"), Some(&*told));
        world.set(&json!({"rate_limits": []})).await;
        call
    }

    /// Whatever is wrong with the key is a 401, before the token is looked at.
    async fn without_key(&self, call: &Call, token: &str) {
        let unknown = service::Secret::from_entropy([9; 32]);
        let key = &self.world.key;
        let mut typo = key.clone();
        typo.pop();
        for authorization in [format!("Bearer {token}"), "Bearer nobody".to_owned()] {
            let call = call.clone().header("authorization", authorization);
            self.refuse("no key", &call, Bare(401)).await;
            for (what, key) in [
                ("an empty key", ""),
                ("no key of ours", "nonsense"),
                ("half a key", &typo),
                ("an unknown key", unknown.reveal()),
                ("a revoked key", &self.revoked),
                ("a token", &self.world.acme.token),
            ] {
                let call = call.clone().header("api-key", key);
                self.refuse(what, &call, Bare(401)).await;
            }
            let twice = call
                .clone()
                .header("api-key", key)
                .another_header("api-key", key);
            self.refuse("two keys", &twice, Bare(401)).await;
            let odd = call.clone().header("api-key", b"\xff\xfe");
            self.refuse("no text", &odd, Bare(401)).await;
        }
    }

    /// Whatever is wrong with the token is a 401, also where the key would be forbidden.
    async fn without_token(&self, call: &Call, of_the_other_api: &str) {
        for key in [&self.world.key, &self.other_key, &self.sequence] {
            let call = call.clone().header("api-key", key);
            self.refuse("no token", &call, Bare(401)).await;
            for (what, authorization) in [
                ("an empty header", String::new()),
                ("no scheme", self.world.acme.token.clone()),
                (
                    "another scheme",
                    format!("ApiKey {}", self.world.acme.token),
                ),
                ("nothing behind the scheme", "Bearer ".to_owned()),
                ("an unknown token", "Bearer nobody".to_owned()),
                ("a key", format!("Bearer {}", self.world.key)),
                (
                    "a token that was logged out",
                    format!("Bearer {}", self.ended),
                ),
                ("half a token", format!("Bearer {}", &of_the_other_api[1..])),
            ] {
                let call = call.clone().header("authorization", authorization);
                self.refuse(what, &call, Bare(401)).await;
            }
            let bearer = format!("Bearer {}", self.world.acme.token);
            let twice = call.clone().header("authorization", &bearer);
            let twice = twice.another_header("authorization", &bearer);
            self.refuse("two tokens", &twice, Bare(401)).await;
        }
    }

    /// Key and token are genuine and do not belong together.
    async fn strangers(&self, call: Call, token: &str, of_the_other_api: &str) -> Call {
        let bearer = |token: &str| format!("Bearer {token}");
        for (what, key, token) in [
            ("a key of the other dialect", &self.sequence, token),
            ("another programme's key", &self.other_key, token),
            (
                "another programme's token",
                &self.world.key,
                &*self.other_token,
            ),
            (
                "a token for the other API",
                &self.world.key,
                of_the_other_api,
            ),
        ] {
            let call = call.clone().header("api-key", key);
            let call = call.header("authorization", bearer(token));
            self.refuse(what, &call, Bare(403)).await;
        }
        let call = call.header("api-key", &self.world.key);
        let choosing = call.clone().header("authorization", bearer(&self.auth));
        let refusal = match call.path.starts_with("/multi/backoffice/") {
            true => Bare(403),
            false => Forbidden("ACCESS_TOKEN_REQUIRED"),
        };
        self.refuse("no identity was chosen", &choosing, refusal)
            .await;
        call.header("authorization", bearer(token))
    }

    /// The rows of a body: its type, its length, whether it is JSON at all.
    async fn body_rows(&self, call: &Call, limit: usize) {
        let too_long = vec![b' '; limit + 1];
        for (what, declared) in [
            ("no content type", None),
            ("plain text", Some("text/plain")),
            ("a form", Some("application/x-www-form-urlencoded")),
            ("nearly JSON", Some("application/jsonp")),
        ] {
            let call = call.clone().body(too_long.clone()).without("content-type");
            let call = match declared {
                Some(declared) => call.header("content-type", declared),
                None => call,
            };
            let refusal = Coded(415, "UNSUPPORTED_MEDIA_TYPE");
            self.refuse(what, &call, refusal).await;
        }
        let long = call.clone().json_text(too_long);
        let refusal = Coded(413, "PAYLOAD_TOO_LARGE");
        self.refuse("a long body", &long, refusal).await;
        for text in [
            "",
            " ",
            "{",
            "nonsense",
            "{}{}",
            "\u{feff}{}",
            "null",
            "[1",
            "\"x\"",
        ] {
            let call = call.clone().json_text(text);
            let reply = self.world.server.call(call).await;
            let faults = reply.faults();
            assert!(
                faults.iter().any(|fault| fault.0 == "body"),
                "{text}: {faults:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_session_ends_five_minutes_after_it_was_used_last() {
    let mut world = MultiWorld::new().await;
    for _ in 0..5 {
        world.server.advance(300 * SECOND - 1);
        world.acme().get("/transfers").await.expect(200);
    }
    // A refused call uses it too.
    world.server.advance(299 * SECOND);
    world
        .acme()
        .get("/transfers?limit=0")
        .await
        .invalid(&[("limit", "RANGE")]);
    world.server.advance(300 * SECOND - 1);
    world.acme().get("/transfers").await.expect(200);
    world.server.advance(300 * SECOND);
    world.acme().get("/transfers").await.bare(401);
    world.restart().await;
    world.acme().get("/transfers").await.bare(401);
    world.log_in_again().await;
    world.acme().get("/transfers").await.expect(200);
}

#[tokio::test]
async fn listing_transfers_in_order() {
    let ground = Ground::new().await;
    for base in ["/multi", "/multi/backoffice"] {
        let wrong = "offset=-1&limit=0&profileId=x&type=cards&id=y&state=DONE&createdFrom=now\
                     &createdTo=1.5&executedFrom=&executedTo=99999999999999999999&tag=%00";
        let call = Call::get(format!("{base}/transfers?{wrong}"));
        let call = ground.front_rows(call, Method::PUT).await;
        let faults = vec![
            ("offset", "RANGE"),
            ("limit", "RANGE"),
            ("profileId", "REGEX"),
            ("instrumentId.id", "REGEX"),
            ("instrumentId.type", "NOT_IN"),
            ("state", "NOT_IN"),
            ("createdFrom", "REGEX"),
            ("createdTo", "REGEX"),
            ("executedFrom", "REGEX"),
            ("executedTo", "RANGE"),
            ("tag", "REGEX"),
        ];
        ground
            .refuse("a faulty query", &call, Invalid(faults))
            .await;
        let at = |query: &str| Call {
            path: format!("{base}/transfers?{query}"),
            ..call.clone()
        };
        for (query, field, rule) in [
            ("offset=-1", "offset", "RANGE"),
            ("offset=2147483648", "offset", "RANGE"),
            ("offset=one", "offset", "REGEX"),
            ("limit=0", "limit", "RANGE"),
            ("limit=-100", "limit", "RANGE"),
            ("limit=", "limit", "REGEX"),
            ("limit=1&limit=2", "limit", "AT_MOST"),
            ("state=COMPLETED&state=completed", "state", "NOT_IN"),
            ("state=", "state", "NOT_IN"),
            ("state=COMPLETED,", "state", "NOT_IN"),
            ("id=1", "instrumentId.type", "REQUIRED"),
            ("type=managed_cards", "instrumentId.id", "REQUIRED"),
            ("instrumentId[id]=1", "instrumentId.type", "REQUIRED"),
            ("id=1&type=accounts", "instrumentId.type", "NOT_IN"),
            ("id=1&id=2&type=managed_cards", "instrumentId.id", "AT_MOST"),
            ("instrumentId=x", "instrumentId", "REGEX"),
            ("tag=a&tag=a", "tag", "AT_MOST"),
            ("profileId=-1", "profileId", "REGEX"),
            ("createdFrom=1e3", "createdFrom", "REGEX"),
        ] {
            let refusal = Invalid(vec![(field, rule)]);
            ground.refuse(query, &at(query), refusal).await;
        }
        ground.world.server.call(at("limit=1")).await.expect(200);
    }
}

#[tokio::test]
async fn getting_a_transfer_in_order() {
    let ground = Ground::new().await;
    let world = &ground.world;
    let (acme, jane) = (&world.acme, &world.jane);
    let made = id(&world.moved(&acme.main, &acme.reserve, 1).await);
    let hers = crate::multi_world::order(&world.profiles.free, &jane.main, &jane.reserve, "EUR", 1);
    let hers = world.jane().post("/transfers", &hers).await.expect(200);
    for base in ["/multi", "/multi/backoffice"] {
        let call = Call::get(format!("{base}/transfers/x"));
        let call = ground.front_rows(call, Method::DELETE).await;
        let at = |id: &str| Call {
            path: format!("{base}/transfers/{id}"),
            ..call.clone()
        };
        for odd in [
            "x",
            "-1",
            "1.0",
            "1x",
            "%20",
            "%31a",
            "+1",
            "txr_038RRBH800000",
        ] {
            let refusal = Invalid(vec![("id", "REGEX")]);
            ground.refuse(odd, &at(odd), refusal).await;
        }
        let hers = id(&hers);
        let long = "9".repeat(100);
        let padded = format!("0{made}");
        for nobody in ["0", "1", &hers, &padded, &long, &acme.main.id, acme.id()] {
            let refusal = Coded(404, "TRANSFER_NOT_FOUND");
            ground.refuse(nobody, &at(nobody), refusal).await;
        }
        let shown = world.server.call(at(&made)).await.expect(200);
        assert_eq!(shown["id"], *made);
    }
}

#[tokio::test]
async fn calling_transfers_off_in_order() {
    let ground = Ground::new().await;
    let call = Call::post("/multi/transfers/bulk/cancel");
    let call = ground.front_rows(call, Method::PATCH).await;
    ground.body_rows(&call, api::multi::BODY_MAX).await;
    let made = ground.world.acme().get("/transfers").await.expect(200);
    assert_eq!(made["count"], 0);
    let (long, spaced) = ("r".repeat(51), "because, well");
    let rows: [(Value, Vec<(&str, &str)>); 9] = [
        (json!({}), vec![("cancellations", "REQUIRED")]),
        (
            json!({"cancellations": null}),
            vec![("cancellations", "REQUIRED")],
        ),
        (
            json!({"cancellations": {}}),
            vec![("cancellations", "REGEX")],
        ),
        (
            json!({"cancellations": ["1"]}),
            vec![("cancellations[0]", "REGEX")],
        ),
        (
            json!({"cancellations": [{}]}),
            vec![("cancellations[0].id", "REQUIRED")],
        ),
        (
            json!({"cancellations": [{"id": "1"}, {"id": 1}, {"id": "-1"}]}),
            vec![
                ("cancellations[1].id", "REGEX"),
                ("cancellations[2].id", "REGEX"),
            ],
        ),
        (
            json!({"cancellations": [{"id": "1", "cancellationReason": long}]}),
            vec![("cancellations[0].cancellationReason", "SIZE")],
        ),
        (
            json!({"cancellations": [{"id": "1", "cancellationReason": spaced}]}),
            vec![("cancellations[0].cancellationReason", "REGEX")],
        ),
        (
            json!({"cancellations": [{"id": "1", "cancellationReason": ""}]}),
            vec![("cancellations[0].cancellationReason", "REGEX")],
        ),
    ];
    for (body, faults) in rows {
        let what = body.to_string();
        ground
            .refuse(&what, &call.clone().json(&body), Invalid(faults))
            .await;
    }
    let body = json!({"cancellations": [{"id": "1", "cancellationReason": "because"}]});
    let answer = ground.world.server.call(call.json(&body)).await.expect(200);
    assert_eq!(answer["cancellations"][0]["errorCode"], "NOT_FOUND");
}
