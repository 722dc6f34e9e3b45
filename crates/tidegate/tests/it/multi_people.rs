//! Logging in, identities and users of the Multi dialect.

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Reply, Server};

const PASSWORD: &str = "Passw0rd!";
const MINUTE: i64 = 60_000;
/// Stand for the ids of a programme's profiles until a body is sent.
const CORPORATES: &str = "the corporates' profile";
const CONSUMERS: &str = "the consumers' profile";

/// A programme with its key.
struct Programme {
    server: Server,
    tenant: String,
    key: String,
    /// What the two constants stand for.
    profiles: Vec<(&'static str, String)>,
}

/// Something that speaks for the programme, with or without a token.
#[derive(Clone, Copy)]
struct Caller<'a> {
    programme: &'a Programme,
    key: &'a str,
    token: Option<&'a str>,
}

impl Programme {
    async fn new() -> Programme {
        Programme::with("sandbox").await
    }

    async fn with(mode: &str) -> Programme {
        let server = Server::new().await;
        let tenant = server.tenant("Acme", mode).await;
        let key = server.key(&tenant, &json!([{"scope": "PROGRAMME"}])).await;
        let path = format!("/tenants/{tenant}/profiles");
        let mut profiles = Vec::new();
        for (name, kind) in [(CORPORATES, "corporate"), (CONSUMERS, "consumer")] {
            let profile = json!({"type": kind, "name": "Identities"});
            let made = server.admin_post(&path, &profile).await;
            profiles.push((name, text(&made["multi_id"])));
        }
        Programme {
            server,
            tenant,
            key,
            profiles,
        }
    }

    /// A body as it is sent.
    fn body(&self, body: &Value) -> String {
        let replace = |body: String, (name, id): &(&str, String)| body.replace(name, id);
        self.profiles.iter().fold(body.to_string(), replace)
    }

    /// With the key alone.
    fn alone(&self) -> Caller<'_> {
        Caller {
            programme: self,
            key: &self.key,
            token: None,
        }
    }

    /// With a user's token.
    fn user<'a>(&'a self, token: &'a str) -> Caller<'a> {
        Caller {
            token: Some(token),
            ..self.alone()
        }
    }

    async fn set(&self, settings: Value) {
        let path = format!("/tenants/{}/settings", self.tenant);
        let set = self.server.admin(Method::PUT, &path, Some(&settings));
        set.await.expect(200);
    }

    /// A corporate whose root user has this address; its id.
    async fn corporate(&self, email: &str) -> String {
        let made = self.alone().post("/corporates", &corporate(email)).await;
        text(&made.expect(200)["id"]["id"])
    }

    /// Creates the usual password of a user and answers the token.
    async fn password(&self, user: &str) -> String {
        let path = format!("/passwords/{user}/create");
        let body = json!({"password": {"value": PASSWORD}});
        let set = self.alone().post(&path, &body).await;
        text(&set.expect(200)["token"])
    }

    async fn log_in(&self, email: &str, password: &str) -> Reply {
        let body = json!({"email": email, "password": {"value": password}});
        self.alone().post("/login_with_password", &body).await
    }

    async fn simulate(&self, path: &str) -> Reply {
        let call = Call::post(format!("/simulate/api{path}"));
        let call = call.header("programme-key", &self.key);
        self.server.call(call).await
    }
}

impl Caller<'_> {
    fn call(&self, method: Method, path: &str) -> Call {
        let call = Call::new(method, format!("/multi{path}")).header("api-key", self.key);
        match self.token {
            Some(token) => call.header("authorization", format!("Bearer {token}")),
            None => call,
        }
    }

    async fn send(&self, call: Call) -> Reply {
        let reply = self.programme.server.call(call).await;
        assert!(reply.header("request-ref").is_some(), "on every answer");
        reply
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(self.call(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let body = self.programme.body(body);
        self.send(self.call(Method::POST, path).json_text(body))
            .await
    }

    async fn patch(&self, path: &str, body: &Value) -> Reply {
        let body = self.programme.body(body);
        self.send(self.call(Method::PATCH, path).json_text(body))
            .await
    }

    /// A call without a body, declared as a form's, as clients do.
    async fn act(&self, path: &str) -> Reply {
        let form = "application/x-www-form-urlencoded";
        let call = self.call(Method::POST, path).header("content-type", form);
        self.send(call).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn corporate(email: &str) -> Value {
    json!({
        "profileId": CORPORATES, "tag": "vip",
        "rootUser": {
            "name": "Ada", "surname": "Byron", "email": email,
            "mobile": {"countryCode": "+356", "number": "79000000"},
            "companyPosition": "DIRECTOR",
            "dateOfBirth": {"year": 1980, "month": 12, "day": 10},
        },
        "company": {
            "type": "LLC", "name": "Engines Ltd", "registrationNumber": "C1",
            "registrationCountry": "MT",
            "businessAddress": {
                "addressLine1": "1, Strait Street", "city": "Valletta", "postCode": "VLT 1000",
                "country": "MT",
            },
        },
        "industry": "ACCOUNTING", "acceptedTerms": true,
        "ipAddress": "10.0.0.1", "baseCurrency": "EUR",
    })
}

fn consumer(email: &str) -> Value {
    json!({
        "profileId": CONSUMERS,
        "rootUser": {
            "name": "Grace", "surname": "Hopper", "email": email,
            "mobile": {"countryCode": "+1", "number": "5550100"},
            "dateOfBirth": {"year": 1976, "month": 12, "day": 9},
            "address": {"addressLine1": "2, Quay", "country": "US"},
            "occupation": "RETIRED", "nationality": "US", "placeOfBirth": "New York",
        },
        "ipAddress": "10.0.0.2", "baseCurrency": "USD",
    })
}

#[track_caller]
fn is_empty(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert!(reply.bytes.is_empty(), "{}", reply.text());
}

#[track_caller]
fn conflict(reply: &Reply, code: &str) {
    assert_eq!(reply.expect(409), json!({"errorCode": code}));
}

/// The faults of a 400, as `field RULE`.
#[track_caller]
fn faults(reply: &Reply) -> Vec<String> {
    let body = reply.expect(400);
    let faults = body["syntaxErrors"]["invalidFields"].as_array();
    let faults = faults.expect("a list").iter();
    let told =
        faults.map(|fault| format!("{} {}", text(&fault["fieldName"]), text(&fault["error"])));
    told.collect()
}

#[tokio::test]
async fn a_corporate_is_made_logs_in_is_verified_and_logs_out() {
    let programme = Programme::new().await;
    let made = programme
        .alone()
        .post("/corporates", &corporate("ada@example.com"))
        .await
        .expect(200);
    let id = text(&made["id"]["id"]);
    assert_eq!(made["id"]["type"], "CORPORATE");
    assert_eq!(made["creationTimestamp"], 1_800_000_000_000_i64);
    let root = &made["rootUser"];
    assert_eq!(root["id"], made["id"], "a root user's id is the identity's");
    assert_eq!(root["passwordAlreadySet"], false);
    assert_eq!(
        (
            &root["active"],
            &root["emailVerified"],
            &root["mobileNumberVerified"]
        ),
        (&json!(true), &json!(false), &json!(false))
    );
    assert_eq!(made["company"]["countryOfRegistration"], "MT");
    assert_eq!(
        made["company"]["businessAddress"]["addressLine1"],
        "1, Strait Street"
    );

    let nobody = programme.log_in("ada@example.com", PASSWORD).await;
    is_empty(&nobody, 403);
    let token = programme.password(&id).await;
    let login = programme
        .log_in("Ada@Example.com", PASSWORD)
        .await
        .expect(200);
    let expected = json!({
        "token": login["token"], "tokenType": "ACCESS",
        "identity": {"type": "CORPORATE", "id": id}, "credentials": {"type": "ROOT", "id": id},
    });
    assert_eq!(login, expected);
    let second = text(&login["token"]);

    let user = programme.user(&token);
    let mut seen = user.get("/corporates").await.expect(200);
    let mut without = made.clone();
    without["rootUser"]
        .as_object_mut()
        .expect("an object")
        .remove("passwordAlreadySet");
    assert_eq!(seen, without);
    is_empty(&user.get("/consumers").await, 403);
    let identities = user.get("/identities").await.expect(200);
    let expected = json!({
        "identities": [{"id": {"type": "CORPORATE", "id": id}, "name": "Engines Ltd"}],
        "count": 1, "responseCount": 1,
    });
    assert_eq!(identities, expected);

    let alone = programme.alone();
    let email = json!({"email": "ada@example.com"});
    let send = alone.post("/corporates/verification/email/send", &email);
    is_empty(&send.await, 204);
    for (code, expected) in [("000000", false), ("123456", true)] {
        let body = json!({"email": "ada@example.com", "verificationCode": code});
        let reply = alone
            .post("/corporates/verification/email/verify", &body)
            .await;
        if expected {
            is_empty(&reply, 204);
        } else {
            conflict(&reply, "VERIFICATION_CODE_INVALID");
        }
    }
    let send = alone.post("/corporates/verification/email/send", &email);
    conflict(&send.await, "ALREADY_VERIFIED");
    let rename = json!({"name": "Augusta", "userTag": "u"});
    seen = user.patch("/corporates", &rename).await.expect(200);
    assert_eq!(seen["rootUser"]["name"], "Augusta");
    assert_eq!(
        (&seen["rootUser"]["tag"], &seen["tag"]),
        (&json!("u"), &json!("vip"))
    );

    is_empty(
        &programme
            .simulate(&format!("/corporates/{id}/verify"))
            .await,
        204,
    );
    seen = user.get("/corporates").await.expect(200);
    assert_eq!(seen["rootUser"]["mobileNumberVerified"], true);
    let renamed = user.patch("/corporates", &json!({"name": "Ada"})).await;
    conflict(&renamed, "ROOT_USER_ALREADY_VERIFIED");
    let gold = json!({"tag": "gold", "baseCurrency": "GBP"});
    let tagged = user.patch("/corporates", &gold).await.expect(200);
    assert_eq!(tagged["baseCurrency"], "GBP");

    is_empty(&user.act("/logout").await, 204);
    is_empty(&user.get("/corporates").await, 401);
    is_empty(&user.act("/logout").await, 401);
    programme.user(&second).get("/corporates").await.expect(200);
}

#[tokio::test]
async fn a_consumer_is_made_changed_and_verified() {
    let programme = Programme::new().await;
    let alone = programme.alone();
    let made = alone
        .post("/consumers", &consumer("grace@example.com"))
        .await
        .expect(200);
    let id = text(&made["id"]["id"]);
    assert_eq!(
        made["rootUser"]["address"],
        json!({"addressLine1": "2, Quay", "country": "US"})
    );
    let token = programme.password(&id).await;
    let user = programme.user(&token);
    is_empty(&user.get("/corporates").await, 403);
    is_empty(&user.patch("/corporates", &json!({})).await, 403);
    let change = json!({
        "address": {"city": "Boston", "country": "US"}, "occupation": "FREELANCER",
        "email": "amazing@example.com",
    });
    let seen = user.patch("/consumers", &change).await.expect(200);
    assert_eq!(seen["rootUser"]["email"], "amazing@example.com");
    assert_eq!(seen["rootUser"]["occupation"], "FREELANCER");
    let code = json!({"email": "amazing@example.com", "verificationCode": "123456"});
    let verify = alone.post("/consumers/verification/email/verify", &code);
    is_empty(&verify.await, 204);
    is_empty(
        &programme.simulate(&format!("/consumers/{id}/verify")).await,
        204,
    );
    conflict(
        &user.patch("/consumers", &json!({"surname": "H"})).await,
        "CONSUMER_VERIFIED",
    );
    let odd = user
        .patch("/consumers", &json!({"baseCurrency": "ZZZ"}))
        .await;
    assert_eq!(faults(&odd), ["baseCurrency NOT_IN"]);
    for (path, code) in [
        (format!("/corporates/{id}/verify"), "IDENTITY_NOT_FOUND"),
        ("/consumers/5/verify".to_owned(), "IDENTITY_NOT_FOUND"),
    ] {
        assert_eq!(programme.simulate(&path).await.expect(404)["code"], code);
    }
    let odd = programme.simulate("/consumers/x/verify").await.expect(400);
    let field = &odd["validation"]["fields"][0];
    assert_eq!(field["name"], "consumer_id");
    assert_eq!(field["errors"][0]["type"], "REGEX");
}

#[tokio::test]
async fn every_conflict_of_making_and_changing_identities_occurs() {
    let programme = Programme::new().await;
    let id = programme.corporate("ada@example.com").await;
    programme.corporate("other@example.com").await;
    let token = programme.password(&id).await;
    let with = |pointer: &str, value: Value| {
        let mut body = corporate("new@example.com");
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => body[&pointer[1..]] = value,
        }
        body
    };
    let calling = json!({"countryCode": "+0", "number": "1"});
    for (pointer, value, code) in [
        (
            "/rootUser/email",
            json!("ADA@example.com"),
            "ROOT_EMAIL_NOT_UNIQUE",
        ),
        ("/baseCurrency", json!("ZZZ"), "CURRENCY_UNSUPPORTED"),
        ("/feeGroup", json!("GOLD"), "FEE_GROUP_INVALID"),
        (
            "/company/registrationCountry",
            json!("XX"),
            "COUNTRY_INVALID",
        ),
        (
            "/company/businessAddress/country",
            json!("XX"),
            "COUNTRY_INVALID",
        ),
        (
            "/rootUser/mobile",
            calling.clone(),
            "MOBILE_OR_COUNTRY_CODE_INVALID",
        ),
    ] {
        let body = with(pointer, value);
        conflict(&programme.alone().post("/corporates", &body).await, code);
    }
    let user = programme.user(&token);
    let address = json!({
        "addressLine1": "1", "city": "V", "postCode": "", "country": "XX",
    });
    for (body, code) in [
        (json!({"email": "other@example.com"}), "EMAIL_NOT_UNIQUE"),
        (json!({"baseCurrency": "ZZZ"}), "UNSUPPORTED_CURRENCY"),
        (json!({"feeGroup": "GOLD"}), "FEE_GROUP_INVALID"),
        (
            json!({"companyBusinessAddress": address}),
            "COUNTRY_INVALID",
        ),
        (json!({"mobile": calling}), "MOBILE_OR_COUNTRY_CODE_INVALID"),
    ] {
        conflict(&user.patch("/corporates", &body).await, code);
    }
    let email = json!({"email": "nobody@example.com"});
    let alone = programme.alone();
    let send = alone.post("/corporates/verification/email/send", &email);
    conflict(&send.await, "EMAIL_NOT_FOUND");
}

#[tokio::test]
async fn refusals_come_in_a_fixed_order() {
    let programme = Programme::new().await;
    let server = &programme.server;
    let list = server
        .key(&programme.tenant, &json!([{"scope": "LIST_ACCOUNTS"}]))
        .await;
    let simulator = server
        .key(&programme.tenant, &json!([{"scope": "SIMULATOR"}]))
        .await;
    programme
        .set(json!({"rate_limits": [{"requests": 2, "window_s": 60}]}))
        .await;
    let limits = |reply: &Reply| {
        is_empty(reply, 429);
        let limit = reply.header("x-ratelimit-limit").map(str::to_owned);
        let reset = reply.header("x-ratelimit-reset").map(str::to_owned);
        (limit.expect("it is told"), reset.expect("it is told"))
    };
    // Each call repairs the fault of the one before.
    let call = Call::new(Method::PUT, "/multi/corporate").body(vec![b'['; 70_000]);
    assert_eq!(
        server.call(call.clone()).await.expect(404)["code"],
        "NOT_FOUND"
    );
    let call = Call {
        path: "/multi/corporates".to_owned(),
        ..call
    };
    let wrong = server.call(call.clone()).await;
    assert_eq!(wrong.expect(405)["code"], "METHOD_NOT_ALLOWED");
    let call = Call {
        method: Method::POST,
        ..call
    };
    for key in [None, Some("tg_wrong"), Some(ADMIN)] {
        let call = match key {
            Some(key) => call.clone().header("api-key", key),
            None => call.clone(),
        };
        is_empty(&server.call(call).await, 401);
    }
    for key in [&list, &simulator] {
        is_empty(&server.call(call.clone().header("api-key", key)).await, 403);
    }
    let call = call.header("api-key", &programme.key);
    let media = server.call(call.clone()).await;
    assert_eq!(media.expect(415)["code"], "UNSUPPORTED_MEDIA_TYPE");
    let call = call.header("content-type", "application/json; charset=utf-8");
    let large = server.call(call.clone()).await;
    assert_eq!(large.expect(413)["code"], "PAYLOAD_TOO_LARGE");
    let spent = limits(&server.call(call.clone()).await);
    assert_eq!(spent, ("2, 2;w=60".to_owned(), "60".to_owned()));
    programme.set(json!({"default_rate_limits": true})).await;
    let call = call.body("{}").header("idempotency-ref", "");
    let invalid = faults(&server.call(call.clone()).await);
    assert_eq!(
        invalid,
        [
            "idempotency-ref SIZE",
            "profileId REQUIRED",
            "rootUser REQUIRED",
            "company REQUIRED",
            "ipAddress REQUIRED",
            "baseCurrency REQUIRED",
        ]
    );
    let call = call
        .json_text(programme.body(&corporate("ada@example.com")))
        .header("idempotency-ref", "a");
    server.call(call.clone()).await.expect(200);
    let other = programme.body(&corporate("other@example.com"));
    let reused = call.clone().json_text(other);
    assert_eq!(
        faults(&server.call(reused).await),
        ["idempotency-ref NOT_IN"]
    );
    conflict(
        &server.call(call.without("idempotency-ref")).await,
        "ROOT_EMAIL_NOT_UNIQUE",
    );
}

/// A well-formed key of nobody.
const ADMIN: &str = "tg_0000000000000000000000000000000000000000000000000000000000";

#[tokio::test]
async fn every_route_of_a_user_wants_the_users_token() {
    let programme = Programme::new().await;
    let id = programme.corporate("ada@example.com").await;
    let token = programme.password(&id).await;
    let other = programme.server.tenant("Other", "sandbox").await;
    let scope = json!([{"scope": "PROGRAMME"}]);
    let others = programme.server.key(&other, &scope).await;
    let body = json!({"identity": {"type": "CORPORATE", "id": id}});
    let made = programme
        .alone()
        .post("/backoffice/access_token", &body)
        .await;
    let made = made.expect(200);
    assert_eq!(made["credentials"], json!({"type": "ROOT", "id": id}));
    let backoffice = text(&made["token"]["token"]);
    for (method, path) in [
        (Method::POST, "/logout"),
        (Method::POST, "/access_token"),
        (Method::GET, "/identities"),
        (Method::POST, "/passwords/update"),
        (Method::GET, "/corporates"),
        (Method::PATCH, "/corporates"),
        (Method::GET, "/consumers"),
        (Method::PATCH, "/consumers"),
        (Method::POST, "/users"),
        (Method::GET, "/users"),
        (Method::GET, "/users/1"),
        (Method::PATCH, "/users/1"),
        (Method::POST, "/users/1/activate"),
        (Method::POST, "/users/1/deactivate"),
    ] {
        let alone = programme.alone();
        let user = programme.user(&token);
        let call = |caller: Caller<'_>| caller.call(method.clone(), path);
        let keyless = call(user).without("api-key");
        for call in [
            call(alone),
            keyless,
            call(programme.user("x")),
            call(programme.user(&token[1..])),
            call(user).header("authorization", &token),
            call(user).header("authorization", format!("Basic {token}")),
        ] {
            is_empty(&programme.server.call(call).await, 401);
        }
        let foreign = Caller {
            key: &others,
            ..user
        };
        for call in [call(foreign), call(programme.user(&backoffice))] {
            is_empty(&programme.server.call(call).await, 403);
        }
    }
    let unknown = json!({"identity": {"type": "CONSUMER", "id": id}});
    let refused = programme
        .alone()
        .post("/backoffice/access_token", &unknown)
        .await;
    conflict(&refused, "UNRESOLVED_IDENTITY");
}

#[tokio::test]
async fn a_token_lives_five_minutes_from_its_last_use_and_through_restarts() {
    let mut programme = Programme::new().await;
    let id = programme.corporate("ada@example.com").await;
    let token = programme.password(&id).await;
    for _ in 0..3 {
        programme.server.advance(4 * MINUTE);
        programme.user(&token).get("/corporates").await.expect(200);
        // The use is handed to the store behind the answer: as soon as this task makes way.
        tokio::task::yield_now().await;
    }
    programme.server.restart().await;
    programme.user(&token).get("/corporates").await.expect(200);
    programme.server.advance(5 * MINUTE);
    is_empty(&programme.user(&token).get("/corporates").await, 401);
    programme.server.restart().await;
    is_empty(&programme.user(&token).get("/corporates").await, 401);
}

#[tokio::test]
async fn passwords_have_rules_and_five_wrong_ones_lock() {
    let programme = Programme::new().await;
    let id = programme.corporate("ada@example.com").await;
    let alone = programme.alone();
    let path = format!("/passwords/{id}/create");
    let value = |text: &str| json!({"password": {"value": text}});
    for (text, code) in [
        ("aB3$", "PASSWORD_TOO_SHORT"),
        ("aB3$56789012345678901234567890x", "PASSWORD_TOO_LONG"),
        ("password", "PASSWORD_TOO_SIMPLE"),
    ] {
        conflict(&alone.post(&path, &value(text)).await, code);
    }
    let unknown = alone.post("/passwords/5/create", &value(PASSWORD)).await;
    conflict(&unknown, "UNRESOLVED_IDENTITY");
    let odd = alone
        .post("/passwords/x/create", &value(&"x".repeat(101)))
        .await;
    assert_eq!(faults(&odd), ["user_id REGEX", "password.value SIZE"]);
    let token = programme.password(&id).await;
    conflict(
        &alone.post(&path, &value(PASSWORD)).await,
        "PASSWORD_ALREADY_CREATED",
    );

    let user = programme.user(&token);
    let update = |old: &str, new: &str| json!({"oldPassword": {"value": old}, "newPassword": {"value": new}});
    for (old, new, code) in [
        (PASSWORD, "short", "PASSWORD_TOO_SHORT"),
        ("Wr0ng!!!", "New-Pa55word", "PASSWORD_INCORRECT"),
        (PASSWORD, PASSWORD, "PASSWORD_ALREADY_USED"),
    ] {
        conflict(
            &user.post("/passwords/update", &update(old, new)).await,
            code,
        );
    }
    let new = update(PASSWORD, "New-Pa55word");
    let set = user.post("/passwords/update", &new);
    let expected = json!({
        "passwordInfo": {"identityId": {"type": "CORPORATE", "id": id}, "expiryDate": 0},
        "token": token,
    });
    assert_eq!(set.await.expect(200), expected);
    is_empty(&programme.log_in("ada@example.com", PASSWORD).await, 403);
    programme
        .log_in("ada@example.com", "New-Pa55word")
        .await
        .expect(200);

    for _ in 0..5 {
        is_empty(&programme.log_in("ada@example.com", "Wr0ng!!!").await, 403);
    }
    for _ in 0..2 {
        let locked = programme.log_in("ada@example.com", "New-Pa55word").await;
        is_empty(&locked, 423);
        programme.server.advance(29 * MINUTE);
        is_empty(&programme.log_in("nobody@example.com", PASSWORD).await, 403);
        programme.server.advance(-28 * MINUTE);
    }
    programme.server.advance(30 * MINUTE);
    programme
        .log_in("ada@example.com", "New-Pa55word")
        .await
        .expect(200);
}

#[tokio::test]
async fn users_are_added_listed_changed_and_switched_off() {
    let programme = Programme::new().await;
    let id = programme.corporate("ada@example.com").await;
    let token = programme.password(&id).await;
    let root = programme.user(&token);
    let user = |number: u32| {
        json!({"name": "User", "surname": "Byron", "email": format!("u{number}@example.com"),
               "tag": format!("t{}", number % 2), "countryOfResidence": "MT"})
    };
    let mut made = Vec::new();
    for number in 0..3 {
        made.push(root.post("/users", &user(number)).await.expect(200));
    }
    let one = text(&made[1]["id"]);
    assert_eq!(made[1]["identity"], json!({"type": "CORPORATE", "id": id}));
    let page = root.get("/users?offset=1&limit=1").await.expect(200);
    let expected = json!({"users": [made[1]], "count": 3, "responseCount": 1});
    assert_eq!(page, expected);
    let tagged = root.get("/users?tag=t0&active=true").await.expect(200);
    assert_eq!(tagged["count"], 2);
    assert_eq!(
        root.get(&format!("/users/{one}")).await.expect(200),
        made[1]
    );
    for (body, code) in [
        (user(1), "EMAIL_NOT_UNIQUE"),
        (
            json!({"name": "a", "surname": "b", "email": "a@b", "countryOfResidence": "XX"}),
            "COUNTRY_OF_RESIDENCE_INVALID",
        ),
        (
            json!({"name": "a", "surname": "b", "email": "a@b",
                   "mobile": {"countryCode": "+0", "number": "1"}}),
            "MOBILE_OR_COUNTRY_CODE_INVALID",
        ),
    ] {
        conflict(&root.post("/users", &body).await, code);
    }
    let path = format!("/users/{one}");
    let changed = root
        .patch(&path, &json!({"name": "Renamed"}))
        .await
        .expect(200);
    assert_eq!(changed["name"], "Renamed");
    let taken = root.patch(&path, &json!({"email": "u2@example.com"})).await;
    conflict(&taken, "EMAIL_NOT_UNIQUE");
    for path in [
        "/users/5",
        &format!("/users/{id}"),
        "/users/99999999999999999999",
    ] {
        assert_eq!(root.get(path).await.expect(404)["code"], "USER_NOT_FOUND");
        let patched = root.patch(path, &json!({})).await;
        assert_eq!(patched.expect(404)["code"], "USER_NOT_FOUND");
    }
    assert_eq!(faults(&root.get("/users/x").await), ["user_id REGEX"]);

    let token = programme.password(&one).await;
    let login = programme
        .log_in("u1@example.com", PASSWORD)
        .await
        .expect(200);
    assert_eq!(login["credentials"], json!({"type": "USER", "id": one}));
    programme.user(&token).get("/corporates").await.expect(200);
    is_empty(&root.act(&format!("{path}/deactivate")).await, 204);
    assert_eq!(root.get(&path).await.expect(200)["active"], false);
    is_empty(&programme.user(&token).get("/corporates").await, 401);
    is_empty(&programme.log_in("u1@example.com", PASSWORD).await, 403);
    is_empty(&root.act(&format!("{path}/activate")).await, 204);
    programme
        .log_in("u1@example.com", PASSWORD)
        .await
        .expect(200);
    assert_eq!(
        root.act("/users/5/activate").await.expect(404)["code"],
        "USER_NOT_FOUND"
    );
}

#[tokio::test]
async fn a_reference_is_answered_byte_for_byte() {
    let mut programme = Programme::new().await;
    let id = programme.corporate("ada@example.com").await;
    let token = programme.password(&id).await;
    let body = json!({"name": "User", "surname": "Byron", "email": "u@example.com"});
    // Another order of keys and other spaces are no other intent.
    let shuffled = r#"{ "email":"u@example.com",  "surname":"Byron","name":"User"}"#;
    let first = {
        let root = programme.user(&token);
        let call = root
            .call(Method::POST, "/users")
            .header("idempotency-ref", "k");
        let first = root.send(call.clone().json(&body)).await;
        let user = text(&first.expect(200)["id"]);
        let (path, rename) = (format!("/users/{user}"), json!({"name": "Else"}));
        root.patch(&path, &rename).await.expect(200);
        first
    };
    programme.server.restart().await;
    let root = programme.user(&token);
    let call = root
        .call(Method::POST, "/users")
        .header("idempotency-ref", "k");
    let again = root.send(call.clone().json_text(shuffled)).await;
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    assert_ne!(again.header("request-ref"), first.header("request-ref"));
    let other = json!({"name": "User", "surname": "Byron", "email": "v@example.com"});
    let other = root.send(call.json(&other)).await;
    assert_eq!(faults(&other), ["idempotency-ref NOT_IN"]);
    // The same for an identity, and for a refusal.
    let alone = programme.alone();
    for (email, status) in [("new@example.com", 200), ("ada@example.com", 409)] {
        let call = alone
            .call(Method::POST, "/corporates")
            .header("idempotency-ref", email);
        let call = call.json_text(programme.body(&corporate(email)));
        let first = alone.send(call.clone()).await;
        assert_eq!(first.status, status);
        let again = alone.send(call).await;
        assert_eq!((again.status, again.bytes), (status, first.bytes));
    }
}

#[tokio::test]
async fn a_person_with_two_identities_chooses_one() {
    let programme = Programme::new().await;
    programme.set(json!({"multi_identity": true})).await;
    let alone = programme.alone();
    let first = programme.corporate("ada@example.com").await;
    let token = programme.password(&first).await;
    let again = alone.post("/consumers", &consumer("ada@example.com")).await;
    conflict(&again, "ROOT_EMAIL_NOT_UNIQUE");
    let again = alone
        .post("/corporates", &corporate("ada@example.com"))
        .await;
    conflict(&again, "ROOT_EMAIL_NOT_VERIFIED");
    let code = json!({"email": "ada@example.com", "verificationCode": "123456"});
    let verify = alone.post("/corporates/verification/email/verify", &code);
    is_empty(&verify.await, 204);
    let made = alone
        .post("/consumers", &consumer("ada@example.com"))
        .await
        .expect(200);
    let second = text(&made["id"]["id"]);
    let again = alone.post("/consumers", &consumer("ada@example.com")).await;
    conflict(&again, "CONSUMER_ALREADY_EXISTS");
    let third = alone
        .post("/corporates", &corporate("ada@example.com"))
        .await;
    assert_eq!(third.expect(200)["rootUser"]["passwordAlreadySet"], true);

    let login = programme
        .log_in("ada@example.com", PASSWORD)
        .await
        .expect(200);
    assert_eq!(login["tokenType"], "AUTH");
    let auth = text(&login["token"]);
    let holder = programme.user(&auth);
    for path in ["/corporates", "/consumers", "/users"] {
        is_empty(&holder.get(path).await, 403);
    }
    let identities = holder.get("/identities?limit=1&offset=1").await.expect(200);
    assert_eq!(identities["count"], 3);
    assert_eq!(identities["identities"][0]["id"]["id"], second);
    let choose = |kind: &str, id: &str| json!({"identity": {"type": kind, "id": id}});
    let chosen = holder
        .post("/access_token", &choose("CONSUMER", &second))
        .await;
    let chosen = chosen.expect(200);
    assert_eq!(chosen["status"], "STANDARD");
    let access = text(&chosen["token"]);
    programme.user(&access).get("/consumers").await.expect(200);
    is_empty(
        &holder
            .post("/access_token", &choose("CORPORATE", &second))
            .await,
        403,
    );
    is_empty(
        &holder.post("/access_token", &choose("CONSUMER", "5")).await,
        403,
    );
    is_empty(&holder.act("/logout").await, 204);
    is_empty(&holder.get("/identities").await, 401);
    programme.user(&token).get("/corporates").await.expect(200);
}

#[tokio::test]
async fn strict_programmes_refuse_unknown_fields() {
    let programme = Programme::new().await;
    let body = json!({"email": "a@b", "password": {"value": "x", "more": 1}, "extra": true});
    let alone = programme.alone();
    is_empty(&alone.post("/login_with_password", &body).await, 403);
    programme.set(json!({"strict": true})).await;
    let refused = alone.post("/login_with_password", &body).await;
    assert_eq!(faults(&refused), ["password.more NOT_IN", "extra NOT_IN"]);
}

#[tokio::test]
async fn live_programmes_send_no_codes_and_have_no_simulator() {
    let programme = Programme::with("live").await;
    let id = programme.corporate("ada@example.com").await;
    let alone = programme.alone();
    let email = json!({"email": "ada@example.com"});
    let sent = alone
        .post("/corporates/verification/email/send", &email)
        .await;
    assert_eq!(sent.expect(501)["code"], "NOT_CONFIGURED");
    let code = json!({"email": "ada@example.com", "verificationCode": "123456"});
    let verify = alone.post("/corporates/verification/email/verify", &code);
    conflict(&verify.await, "VERIFICATION_CODE_INVALID");
    let simulated = programme
        .simulate(&format!("/corporates/{id}/verify"))
        .await;
    is_empty(&simulated, 403);
    // Three requests were counted; a live programme has a hundred a minute.
    for _ in 0..97 {
        alone
            .post("/login_with_password", &json!({}))
            .await
            .expect(400);
    }
    let spent = alone.post("/login_with_password", &json!({})).await;
    is_empty(&spent, 429);
    let limits = "100, 100;w=60, 1000;w=3600, 10000;w=86400";
    assert_eq!(spent.header("x-ratelimit-limit"), Some(limits));
}
