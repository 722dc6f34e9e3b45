//! What no operation of the Multi dialect takes, whatever it does: one test per kind of fault, over
//! every operation that the dialect's OpenAPI document has. Each call has a single fault, made in a
//! request that the document allows; where credentials are at fault everything after them is too.
//!
//! No request here is without fault, so nothing happens, whatever the ids in it name.

mod bodies;

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use crate::harness::{Call, Reply, Server, everything, id};
use crate::multi_client::{MultiClient, PASSWORD};
use crate::openapi::{self, Operation, matches, operations};
use crate::samples::{Place, sample, schema_at};
use crate::schema::resolve;

/// Whether the document has operations that the server does not have yet. They are passed over
/// until it has; then this is untrue, and they must all be there.
const AHEAD: bool = false;

/// A server with one programme that has a user.
struct Ground {
    server: Server,
    tenant: String,
    key: String,
    /// A key that was one.
    revoked: String,
    /// A user's token, and one of the Back Office in the user's place; as far as a target needs one.
    token: String,
    /// A consumer's, for what is a consumer's only.
    consumer: String,
    office: String,
    targets: Vec<Target>,
}

/// One operation, with a request to spoil.
struct Target {
    name: String,
    method: Method,
    /// With ids of nobody in the place of parameters.
    path: String,
    data: &'static Value,
    /// The sets of credentials, by the names of their schemes.
    credentials: Vec<BTreeSet<&'static str>>,
    /// A body that the document allows, and its schema; `Null` for none.
    body: Value,
    schema: &'static Value,
}

fn target(operation: Operation<'static>) -> Target {
    let document = openapi::multi();
    let security = operation.data.get("security");
    let sets = security.or(document.get("security")).expect("credentials");
    let names = |set: &'static Value| set.as_object().expect("schemes").keys();
    let content = &resolve(document, &operation.data["requestBody"])["content"];
    let schema = &content["application/json"]["schema"];
    let mut path = operation.template.to_owned();
    for (name, schema) in parameters(operation.data, "path") {
        let value = sample(document, schema);
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    Target {
        name: operation.name(),
        method: Method::from_bytes(operation.method.as_bytes()).expect("a method"),
        path,
        data: operation.data,
        credentials: sets
            .as_array()
            .expect("sets")
            .iter()
            .map(|set| names(set).map(String::as_str).collect())
            .collect(),
        body: match schema {
            Value::Null => Value::Null,
            schema => sample(document, schema),
        },
        schema,
    }
}

/// Every operation of the document that there is.
async fn targets(server: &Server) -> Vec<Target> {
    let mut found = Vec::new();
    let mut passed_over = 0;
    for target in operations(openapi::multi()).map(target) {
        let reply = server.call(target.bare()).await;
        match reply.status {
            401 => found.push(target),
            404 | 405 if AHEAD => passed_over += 1,
            other => panic!("{}: {other} to nobody: {}", target.name, reply.text()),
        }
    }
    assert_eq!(passed_over > 0, AHEAD, "AHEAD says otherwise");
    found
}

/// Names and schemas of an operation's parameters in one place.
fn parameters(
    operation: &'static Value,
    place: &'static str,
) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let list = operation["parameters"].as_array().into_iter().flatten();
    list.map(|parameter| resolve(openapi::multi(), parameter))
        .filter(move |parameter| parameter["in"] == place)
        .map(|parameter| {
            let name = parameter["name"].as_str().expect("a name");
            (name, &parameter["schema"])
        })
}

impl Target {
    /// The request without credentials and body.
    fn bare(&self) -> Call {
        Call::new(self.method.clone(), &*self.path)
    }

    /// The header of the programme's key.
    fn key_header(&self) -> &'static str {
        match self.path.starts_with("/simulate/api") {
            true => "programme-key",
            false => "api-key",
        }
    }

    fn is_of_the_office(&self) -> bool {
        self.path.starts_with("/multi/backoffice/")
    }

    fn needs_token(&self) -> bool {
        self.credentials
            .iter()
            .all(|set| set.contains("auth_token"))
    }

    /// The request with a body.
    fn with_body(&self, ground: &Ground, text: impl Into<Vec<u8>>) -> Call {
        ground.trusted(self).json_text(text)
    }

    fn schema_at(&self, place: &Place<'_>) -> Option<&'static Value> {
        schema_at(openapi::multi(), self.schema, &place.pointer)
    }

    /// Bytes of a body at most.
    fn body_max(&self) -> usize {
        match self.name.as_str() {
            "POST /multi/bulks/transfers" => api::multi::BULK_BODY_MAX,
            _ => api::multi::BODY_MAX,
        }
    }
}

impl Ground {
    async fn new() -> Ground {
        let server = Server::new().await;
        let tenant = server.tenant("Acme", "sandbox").await;
        let targets = targets(&server).await;
        let mut ground = Ground {
            server,
            tenant,
            key: String::new(),
            revoked: String::new(),
            token: String::new(),
            consumer: String::new(),
            office: String::new(),
            targets,
        };
        if !ground.targets.is_empty() {
            ground.settle().await;
        }
        ground
    }

    /// Gets the credentials that the targets need.
    async fn settle(&mut self) {
        let (server, tenant) = (&self.server, &self.tenant);
        let permissions = json!([{"scope": "PROGRAMME"}]);
        self.key = server.key(tenant, &permissions).await;
        let revoked = server.whole_key(tenant, &permissions).await;
        let path = format!("/tenants/{tenant}/keys/{}", id(&revoked));
        let gone = server.admin(Method::DELETE, &path, None).await;
        gone.expect(204);
        let revoked = revoked["secret"].as_str().expect("shown once");
        revoked.clone_into(&mut self.revoked);
        if !self.targets.iter().any(Target::needs_token) {
            return;
        }
        let programme = MultiClient::new(server, &self.key);
        let profiles = format!("/tenants/{tenant}/profiles");
        let profile = json!({"type": "corporate", "name": "Corporates"});
        let profile = server.admin_post(&profiles, &profile).await;
        let profile = profile["multi_id"].as_str().expect("an id");
        let corporate = programme.corporate(profile, "jane@example.com").await;
        let user = programme.login("jane@example.com", PASSWORD).await;
        user.token().clone_into(&mut self.token);
        let profile = json!({"type": "consumer", "name": "Consumers"});
        let profile = server.admin_post(&profiles, &profile).await;
        let profile = profile["multi_id"].as_str().expect("an id");
        programme.consumer(profile, "john@example.com").await;
        let consumer = programme.login("john@example.com", PASSWORD).await;
        consumer.token().clone_into(&mut self.consumer);
        if self.targets.iter().any(Target::is_of_the_office) {
            let acting = programme.acting_for(&corporate["id"]).await;
            acting.token().clone_into(&mut self.office);
        }
    }

    /// The targets that take a body.
    fn with_bodies(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| !target.body.is_null())
    }

    /// The token that the target needs.
    fn token_for(&self, target: &Target) -> &str {
        match &*target.path {
            _ if target.is_of_the_office() => &self.office,
            "/multi/consumers" => &self.consumer,
            _ => &self.token,
        }
    }

    /// The request with good credentials.
    fn trusted(&self, target: &Target) -> Call {
        let call = target.bare().header(target.key_header(), &self.key);
        match target.needs_token() {
            true => {
                let token = self.token_for(target);
                call.header("authorization", format!("Bearer {token}"))
            }
            false => call,
        }
    }

    async fn refuse(&self, target: &Target, what: &str, call: Call, status: u16) -> Reply {
        let reply = self.server.call(call).await;
        let name = &target.name;
        assert_eq!(reply.status, status, "{name}: {what}: {}", reply.text());
        reply
    }

    /// Sends a call that must be refused for one field.
    async fn refuse_field(&self, target: &Target, what: &str, call: Call, field: &str, rule: &str) {
        let reply = self.refuse(target, what, call, 400).await;
        let faults = reply.faults();
        let found: Vec<(&str, &str)> = faults
            .iter()
            .map(|(field, rule, _)| (&**field, &**rule))
            .collect();
        let name = &target.name;
        assert_eq!(found, [(field, rule)], "{name}: {what}: {}", reply.text());
    }

    /// Sends a body that must be refused as a whole.
    async fn refuse_body(&self, target: &Target, what: &str, text: impl Into<Vec<u8>>) {
        let call = target.with_body(self, text);
        self.refuse_field(target, what, call, "body", "REGEX").await;
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_come_first() {
    let server = Server::new().await;
    let targets = targets(&server).await;
    let served = |path: &str, method: &Method| {
        operations(openapi::multi()).any(|operation| {
            matches(operation.template, path) && *operation.method == *method.as_str()
        })
    };
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    for target in &targets {
        for tail in ["z", "/", "/z", "/z/z/z"] {
            let path = format!("{}{tail}", target.path);
            if methods.iter().any(|method| served(&path, method)) {
                continue;
            }
            let call = Call::new(target.method.clone(), &*path).body("[");
            server.call(call).await.coded(404, "NOT_FOUND");
        }
        for method in &methods {
            if served(&target.path, method) {
                continue;
            }
            let call = Call::new(method.clone(), &*target.path).body("[");
            let reply = server.call(call).await;
            reply.coded(405, "METHOD_NOT_ALLOWED");
            let allowed = reply.header("allow").expect("what is allowed");
            assert!(allowed.contains(target.method.as_str()), "{allowed}");
        }
    }
    for base in ["/multi", "/multi/backoffice", "/simulate/api"] {
        for tail in ["", "/", "/nothing", "//transfers", "/%ff", "/transfers%00"] {
            let call = Call::get(format!("{base}{tail}"));
            server.call(call).await.coded(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn without_a_genuine_key_nothing_is_said() {
    let ground = Ground::new().await;
    let unknown = service::Secret::from_entropy([9; 32]);
    let mut half = ground.key.clone();
    half.pop();
    for target in &ground.targets {
        let header = target.key_header();
        let call = ground.trusted(target).without(header).body("[");
        for (what, key) in [
            ("an empty key", &b""[..]),
            ("no key of ours", b"nonsense"),
            ("no text", b"\xff\xfe"),
            ("half a key", half.as_bytes()),
            ("an unknown key", unknown.reveal().as_bytes()),
            ("a revoked key", ground.revoked.as_bytes()),
        ] {
            let call = call.clone().header(header, key);
            ground.refuse(target, what, call, 401).await.bare(401);
        }
        let twice = call.clone().header(header, &ground.key);
        let twice = twice.another_header(header, &ground.key);
        ground
            .refuse(target, "two keys", twice, 401)
            .await
            .bare(401);
        let elsewhere = call.clone().key(&ground.key);
        ground
            .refuse(target, "a key in its place for others", elsewhere, 401)
            .await
            .bare(401);
        ground.refuse(target, "no key", call, 401).await.bare(401);
    }
}

#[tokio::test]
async fn without_a_living_token_nothing_is_said() {
    let ground = Ground::new().await;
    for target in &ground.targets {
        if !target.needs_token() {
            continue;
        }
        let token = ground.token_for(target);
        let call = ground.trusted(target).without("authorization").body("[");
        for (what, authorization) in [
            ("an empty header", String::new()),
            ("no scheme", token.to_owned()),
            ("another scheme", format!("Basic {token}")),
            ("no token", "Bearer ".to_owned()),
            ("no token of ours", "Bearer nonsense".to_owned()),
            ("a key as token", format!("Bearer {}", ground.key)),
            ("more than a token", format!("Bearer {token}x")),
        ] {
            let call = call.clone().header("authorization", authorization);
            ground.refuse(target, what, call, 401).await.bare(401);
        }
        let good = format!("Bearer {token}");
        let twice = call.clone().header("authorization", &good);
        let twice = twice.another_header("authorization", &good);
        ground
            .refuse(target, "two tokens", twice, 401)
            .await
            .bare(401);
        ground.refuse(target, "no token", call, 401).await.bare(401);
    }
}

#[tokio::test]
async fn bodies_are_declared_as_json() {
    let ground = Ground::new().await;
    for target in ground.with_bodies() {
        for declared in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "application",
            "",
        ] {
            let call = target.with_body(&ground, "[");
            let call = call.header("content-type", declared);
            let reply = ground.refuse(target, declared, call, 415).await;
            reply.coded(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let call = target.with_body(&ground, "[").without("content-type");
        let reply = ground.refuse(target, "nothing declared", call, 415).await;
        reply.coded(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let ground = Ground::new().await;
    // Nobody reads the body of a GET.
    let reads = |target: &&Target| target.method != Method::GET;
    for target in ground.targets.iter().filter(reads) {
        let limit = target.body_max();
        let call = target.with_body(&ground, vec![b' '; limit + 1]);
        let reply = ground.refuse(target, "a long body", call, 413).await;
        reply.coded(413, "PAYLOAD_TOO_LARGE");
    }
    for target in ground.with_bodies() {
        let limit = target.body_max();
        ground
            .refuse_body(target, "a long body", vec![b' '; limit])
            .await;
    }
}

#[tokio::test]
async fn parameters_are_what_they_should_be() {
    let ground = Ground::new().await;
    for target in &ground.targets {
        for (name, schema) in parameters(target.data, "query") {
            let schema = resolve(openapi::multi(), schema);
            let send = |query: &str| Call {
                path: format!("{}?{query}", target.path),
                ..ground.trusted(target)
            };
            let rows: &[(&str, &str)] = match schema["type"].as_str() {
                Some("integer") => &[
                    ("x", "REGEX"),
                    ("", "REGEX"),
                    ("1.0", "REGEX"),
                    ("%2B1", "REGEX"),
                    ("0x1", "REGEX"),
                    ("-9223372036854775809", "RANGE"),
                    ("1%00", "REGEX"),
                ],
                Some("boolean") => &[("yes", "NOT_IN"), ("", "NOT_IN"), ("1", "NOT_IN")],
                Some("string") if schema.get("enum").is_some() => {
                    &[("nothing", "NOT_IN"), ("", "NOT_IN"), ("%00", "NOT_IN")]
                }
                Some("array") => &[("nothing", "NOT_IN"), ("%00", "NOT_IN")],
                _ => &[("%00", "REGEX")],
            };
            for (value, rule) in rows {
                let call = send(&format!("{name}={value}"));
                let faults = ground.refuse(target, value, call, 400).await.faults();
                let named = faults
                    .iter()
                    .any(|fault| fault.0 == name && fault.1 == *rule);
                assert!(named, "{} {name}={value}: {faults:?}", target.name);
            }
        }
        let header = "idempotency-ref";
        if parameters(target.data, "header").any(|(name, _)| name == header) {
            let call = target.with_body(&ground, target.body.to_string());
            for (what, call) in [
                ("empty", call.clone().header(header, "")),
                ("too long", call.clone().header(header, [b'x'; 256])),
                (
                    "twice",
                    call.clone().header(header, "a").another_header(header, "a"),
                ),
            ] {
                let faults = ground.refuse(target, what, call, 400).await.faults();
                assert_eq!(faults.len(), 1, "{}: {what}: {faults:?}", target.name);
                assert_eq!(faults[0].0, header, "{}: {what}", target.name);
            }
        }
    }
}

/// The key of another dialect is genuine, and no programme's.
#[tokio::test]
async fn a_key_of_no_programme_is_no_key_here() {
    let ground = Ground::new().await;
    let other = ground.server.key(&ground.tenant, &everything()).await;
    for target in &ground.targets {
        let call = ground.trusted(target).header(target.key_header(), &other);
        let reply = ground.server.call(call).await;
        assert_eq!(reply.status, 403, "{}", target.name);
        assert!(reply.bytes.is_empty(), "{}", target.name);
    }
}
