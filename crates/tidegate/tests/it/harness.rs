//! A server without sockets: the embedded store in a temporary folder or, with
//! `TIDEGATE_TEST_STORE=postgres`, one over a database of its own; a clock set by hand, and the two
//! routers called directly. Every answer is compared with the served OpenAPI documents on the
//! way, and none may ever be a 500.

use std::convert::Infallible;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use api::amounts::Amounts;
use api::hooks::Bodies;
use api::{App, PublicRoutes};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use axum::response::Response;
use http_body_util::BodyExt;
use ledger::{Millis, TenantId};
use serde_json::{Value, json};
use service::{KeyHasher, Service, Settings};
use sim::postgres::Database;
use store::{Embedded, ManualClock, Options, Store};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::{contract, openapi, postgres};

/// Where the machine's clock stands when a test begins: 2027-01-15T08:00:00Z.
pub const START: Millis = Millis(1_800_000_000_000);
/// Milliseconds that transfers over the rail take.
pub const RAIL_MS: i64 = 5_000;
/// What admin calls show.
pub const ADMIN_TOKEN: &str = "tga_of_the_tests";
/// Bytes of the store's ballast file.
const BALLAST: u64 = 8 << 20;

/// One request as a test writes it.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Vec<u8>,
    /// Whether it is unlike what the clients of the Multi dialect's vendor send.
    pub odd: bool,
}

impl Call {
    pub fn new(method: Method, path: impl Into<String>) -> Call {
        Call {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            odd: false,
        }
    }

    pub fn get(path: impl Into<String>) -> Call {
        Call::new(Method::GET, path)
    }

    pub fn post(path: impl Into<String>) -> Call {
        Call::new(Method::POST, path)
    }

    /// Sets a header, in place of one that is there.
    pub fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Call {
        self = self.without(name);
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's bytes");
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    /// Adds a header beside one that is there.
    pub fn another_header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Call {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's bytes");
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    pub fn without(mut self, name: &'static str) -> Call {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Says that the vendor's clients send nothing like it, and that it is taken all the same.
    pub fn odd(mut self) -> Call {
        self.odd = true;
        self
    }

    /// Shows an API key.
    pub fn key(self, secret: &str) -> Call {
        self.header("authorization", format!("ApiKey {secret}"))
    }

    /// Sets the body as it is, without a content type.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Call {
        self.body = bytes.into();
        self
    }

    /// Sets a JSON text as the body.
    pub fn json_text(self, text: impl Into<Vec<u8>>) -> Call {
        self.header("content-type", "application/json").body(text)
    }

    pub fn json(self, body: &Value) -> Call {
        self.json_text(body.to_string())
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = Body::from(self.body.clone());
        request.body(body).expect("a request that can be sent")
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    what: String,
}

impl Reply {
    pub fn new(what: String, status: u16, headers: HeaderMap, bytes: Bytes) -> Reply {
        Reply {
            status,
            headers,
            bytes,
            what,
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}: {:?}", self.what, self.bytes))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("answers are UTF-8")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        Some(value.to_str().expect("our headers are ASCII"))
    }

    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        if self.bytes.is_empty() {
            return Value::Null;
        }
        self.json()
    }

    /// The `data` of a success.
    #[track_caller]
    pub fn data(&self) -> Value {
        assert!(self.status < 300, "{}: {}", self.what, self.text());
        self.json()["data"].take()
    }

    /// Checks a refusal of the Sequence dialect; the message must contain each of `words`.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, words: &[&str]) {
        let body = self.expect(status);
        assert_eq!(body["error"]["code"], code, "{}: {body}", self.what);
        let message = body["error"]["message"].as_str().expect("a message");
        for word in words {
            assert!(message.contains(word), "{}: {word}: {message}", self.what);
        }
    }

    /// Checks a refusal of the admin API; the detail must contain each of `words`.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str, words: &[&str]) {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{}: {body}", self.what);
        assert_eq!(body["status"], status, "{}", self.what);
        assert_eq!(body["type"], "about:blank", "{}", self.what);
        assert!(body["title"].is_string(), "{}", self.what);
        let content_type = self.header("content-type");
        assert_eq!(content_type, Some("application/problem+json"));
        let detail = body["detail"].as_str().expect("a detail");
        for word in words {
            assert!(detail.contains(word), "{}: {word}: {detail}", self.what);
        }
    }
}

struct Running {
    /// Stops the deliveries of webhooks.
    stop: watch::Sender<bool>,
    deliveries: JoinHandle<()>,
    questions: JoinHandle<()>,
    store: Arc<dyn Store>,
    app: Arc<App>,
    public: PublicRoutes,
    admin: Router,
}

/// The server.
pub struct Server {
    folder: TempDir,
    database: Option<Arc<Database>>,
    pub clock: Arc<ManualClock>,
    settings: Settings,
    running: Option<Running>,
}

impl Server {
    pub async fn new() -> Server {
        Server::with(Settings {
            rail_delay_ms: RAIL_MS,
            ..Server::settings()
        })
        .await
    }

    /// Receivers of webhooks may be on this machine.
    fn settings() -> Settings {
        Settings {
            webhook_networks: vec!["127.0.0.0/8".parse().expect("a network")],
            ..Settings::default()
        }
    }

    pub async fn with(settings: Settings) -> Server {
        Server::over(postgres::database().map(Arc::new), settings).await
    }

    /// A server over PostgreSQL, whatever the tests are run on, so that others can join it.
    pub async fn shared() -> Server {
        let database = Arc::new(postgres::with_tables());
        Server::over(Some(database), Server::settings()).await
    }

    /// Another server over the same database.
    pub async fn peer(&self) -> Server {
        let database = self.database.clone().expect("a server that can be joined");
        Server::over(Some(database), self.settings.clone()).await
    }

    async fn over(database: Option<Arc<Database>>, settings: Settings) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A sparse ballast is found in place; writing eight megabytes a test would be slow.
        let ballast = File::create(folder.path().join("ballast")).expect("a new file");
        ballast.set_len(BALLAST).expect("room for nothing");
        let mut server = Server {
            folder,
            database,
            clock: Arc::new(ManualClock::new(START)),
            settings,
            running: None,
        };
        server.start().await;
        server
    }

    async fn start(&mut self) {
        let clock = Arc::clone(&self.clock) as Arc<dyn store::Clock>;
        let store: Arc<dyn Store> = match &self.database {
            Some(database) => Arc::new(postgres::open(database, clock).await),
            None => {
                let options = Options {
                    clock,
                    ..Options::new(self.folder.path())
                };
                let store = Embedded::open(&options);
                Arc::new(store.unwrap_or_else(|error| panic!("{error}")))
            }
        };
        let hasher = KeyHasher::new([7; 32]);
        let shared = Arc::clone(&store);
        let service = Service::open(shared, hasher, self.settings.clone()).await;
        let service = Arc::new(service.expect("the keys can be read"));
        let following = Arc::clone(&service);
        tokio::spawn(async move { following.follow_peers().await });
        let (stop, stopping) = watch::channel(false);
        let delivering = Arc::clone(&service);
        let deliveries = tokio::spawn(async move {
            delivering
                .deliver_webhooks(Arc::new(Bodies), stopping)
                .await;
        });
        let asking = Arc::clone(&service);
        let stopping = stop.subscribe();
        let questions = tokio::spawn(async move {
            asking.answer_amounts(Arc::new(Amounts), stopping).await;
        });
        let app = Arc::new(App::new(service, ADMIN_TOKEN));
        self.running = Some(Running {
            stop,
            deliveries,
            questions,
            public: api::public_routes(&app),
            admin: api::admin_router(&app),
            app,
            store,
        });
    }

    /// Closes the store and opens it again.
    pub async fn restart(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.stop.send_replace(true);
        (&mut running.deliveries).await.expect("no task panicked");
        (&mut running.questions).await.expect("no task panicked");
        running.store.shut_down().await.expect("no thread panicked");
        drop(running);
        self.start().await;
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub fn app(&self) -> &App {
        &self.running().app
    }

    /// Calls the public listener.
    pub async fn call(&self, call: Call) -> Reply {
        let reply = send(&self.running().public, &call).await;
        if reply.header("tidegate-fault").is_some() {
            return reply;
        }
        openapi::check_sequence(&call, &reply);
        openapi::check_platform(&call, &reply);
        openapi::check_multi(&call, &reply);
        contract::check(&call, &reply);
        reply
    }

    /// Calls the admin listener as it stands in `call`.
    pub async fn call_admin(&self, call: Call) -> Reply {
        let reply = send(&self.running().admin, &call).await;
        openapi::check_admin(&call, &reply);
        reply
    }

    /// Opens a stream of the admin listener.
    pub async fn open_admin(&self, call: &Call) -> Body {
        let request = call.request();
        let response = self.running().admin.clone().oneshot(request).await;
        let response = response.expect("routers do not fail");
        assert_eq!(response.status().as_u16(), 200, "{call:?}");
        response.into_body()
    }

    /// Calls the admin API below `/admin/v1` with its token.
    pub async fn admin(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let mut call = Call::new(method, format!("/admin/v1{path}"))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        if let Some(body) = body {
            call = call.json(body);
        }
        self.call_admin(call).await
    }

    pub async fn admin_get(&self, path: &str) -> Value {
        self.admin(Method::GET, path, None).await.expect(200)
    }

    pub async fn admin_post(&self, path: &str, body: &Value) -> Value {
        self.admin(Method::POST, path, Some(body)).await.expect(201)
    }

    /// Makes a tenant and answers its id.
    pub async fn tenant(&self, name: &str, mode: &str) -> String {
        let body = json!({"name": name, "mode": mode});
        id(&self.admin_post("/tenants", &body).await)
    }

    /// Makes an API key and answers its secret.
    pub async fn key(&self, tenant: &str, permissions: &Value) -> String {
        let key = self.whole_key(tenant, permissions).await;
        key["secret"].as_str().expect("shown once").to_owned()
    }

    /// Makes an API key and answers all that is told of it.
    pub async fn whole_key(&self, tenant: &str, permissions: &Value) -> Value {
        let body = json!({"name": "test", "permissions": permissions});
        self.admin_post(&format!("/tenants/{tenant}/keys"), &body)
            .await
    }

    /// Returns when nothing of the tenant is due.
    pub async fn quiesce(&self, tenant: &str) {
        let number = service::spelling::parse_id(&tenant[4..]).expect("a tenant's id");
        let quiet = self.app().service().quiesce(TenantId::new(number)).await;
        quiet.expect("the store runs");
    }

    /// A key of the Sequence dialect, to call with.
    pub fn caller(&self, secret: &str) -> Caller<'_> {
        Caller {
            server: self,
            secret: secret.to_owned(),
        }
    }

    /// Moves the machine's clock; what is due happens when the store looks at it.
    pub fn advance(&self, delta_ms: i64) {
        self.clock.advance(delta_ms);
        self.running().store.wake();
    }
}

async fn send<S>(routes: &S, call: &Call) -> Reply
where
    S: tower::Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
{
    let response = routes.clone().oneshot(call.request()).await;
    let response = response.expect("routers do not fail");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body in memory").to_bytes();
    let what = format!("{} {}", call.method, call.path);
    let is_asked_for = parts.headers.contains_key("tidegate-fault");
    assert!(is_asked_for || parts.status != 500, "{what}: {bytes:?}");
    Reply::new(what, parts.status.as_u16(), parts.headers, bytes)
}

/// The `id` of an object.
#[track_caller]
pub fn id(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

/// Every scope on everything.
pub fn everything() -> Value {
    json!([
        {"scope": "LIST_ACCOUNTS"},
        {"scope": "READ_ACCOUNTS", "resources": "*"},
        {"scope": "LIST_RULES"},
        {"scope": "READ_RULES", "resources": "*"},
        {"scope": "TRIGGER_RULES", "resources": "*"},
        {"scope": "READ_RULE_EXECUTIONS", "resources": "*"},
        {"scope": "CREATE_AND_EDIT_RULES", "resources": "*"},
        {"scope": "READ_AUDIT_LOGS", "resources": "*"},
        {"scope": "READ_TRANSFERS", "resources": "*"},
        {"scope": "MANUAL_TRANSFER", "resources": [{"source": "*", "target": "*"}]},
        {"scope": "READ_CARDS", "resources": "*"},
        {"scope": "CREATE_AND_DELETE_ACCOUNTS", "resources": "*"},
    ])
}

/// A key of a server, to call with.
#[derive(Clone)]
pub struct Caller<'a> {
    server: &'a Server,
    secret: String,
}

impl Caller<'_> {
    /// `GET` below `/api/v1`.
    pub async fn get(&self, path: &str) -> Reply {
        let call = Call::get(format!("/api/v1{path}"));
        self.server.call(call.key(&self.secret)).await
    }

    /// `POST` below `/api/v1`.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let call = Call::post(format!("/api/v1{path}"));
        self.server.call(call.key(&self.secret).json(body)).await
    }

    /// Any method below `/api/v1`.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let call = Call::new(method, format!("/api/v1{path}")).key(&self.secret);
        let call = match body {
            Some(body) => call.json(body),
            None => call,
        };
        self.server.call(call).await
    }

    /// `POST /transfers`.
    pub async fn transfer(&self, from: &str, to: &str, amount: i64) -> Reply {
        self.post("/transfers", &transfer_body(from, to, amount))
            .await
    }

    /// `POST /transfers` with an idempotency key.
    pub async fn transfer_once(&self, key: &str, from: &str, to: &str, amount: i64) -> Reply {
        let call = Call::post("/api/v1/transfers")
            .key(&self.secret)
            .header("idempotency-key", key)
            .json(&transfer_body(from, to, amount));
        self.server.call(call).await
    }
}

/// The body of `POST /transfers`.
pub fn transfer_body(from: &str, to: &str, amount: i64) -> Value {
    json!({
        "source_account_id": from,
        "destination_account_id": to,
        "amount_in_cents": amount,
    })
}

/// A sandbox tenant with one owner, an account of every kind, and a key that may do everything.
pub struct World {
    pub server: Server,
    pub tenant: String,
    pub owner: String,
    /// An income source.
    pub pay: String,
    /// Pods.
    pub fund: String,
    pub trip: String,
    /// A checking account elsewhere.
    pub bank: String,
    /// A credit card elsewhere.
    pub card: String,
    /// A brokerage account elsewhere.
    pub broker: String,
    /// The secret of the key.
    pub key: String,
}

impl World {
    /// With 10,000.00 on the income source and 500.00 in the fund.
    pub async fn new() -> World {
        World::on(Server::new().await).await
    }

    pub async fn on(server: Server) -> World {
        let mut world = World::empty(server, "Acme").await;
        world.open_all().await;
        world.paycheck(&world.pay, 1_000_000).await;
        world.paycheck(&world.fund, 50_000).await;
        world
    }

    async fn empty(server: Server, name: &str) -> World {
        let tenant = server.tenant(name, "sandbox").await;
        let body = json!({"name": "John Smith"});
        let owners = format!("/tenants/{tenant}/owners");
        let owner = id(&server.admin_post(&owners, &body).await);
        let key = server.key(&tenant, &everything()).await;
        let nobody = String::new;
        World {
            server,
            tenant,
            owner,
            pay: nobody(),
            fund: nobody(),
            trip: nobody(),
            bank: nobody(),
            card: nobody(),
            broker: nobody(),
            key,
        }
    }

    async fn open_all(&mut self) {
        self.pay = self
            .open(&json!({
                "type": "income_source", "name": "Main Payroll", "institution_name": "Chase",
                "description": "Main payroll account", "account_number_last_four": "4567",
                "routing_number_last_four": "0021",
            }))
            .await;
        self.fund = self
            .open(&json!({"type": "pod", "name": "Emergency Fund"}))
            .await;
        self.trip = self.open(&json!({"type": "pod", "name": "Vacation"})).await;
        self.bank = self
            .open(&json!({
                "type": "external_account", "external_account_type": "DEPOSITORY",
                "name": "Chase Checking ••8810", "institution_name": "Chase",
            }))
            .await;
        self.card = self
            .open(&json!({
                "type": "external_account", "external_account_type": "LIABILITY",
                "name": "Amex Gold ••1234", "institution_name": "American Express",
                "account_number_last_four": "1234", "reported_balance": 245_000,
                "reported_last_statement_balance": 198_000,
                "reported_next_payment_minimum": 3_500,
                "reported_last_statement_date": "2027-01-02",
                "reported_next_payment_due_date": "2027-02-01",
            }))
            .await;
        self.broker = self
            .open(&json!({
                "type": "external_account", "external_account_type": "INVESTMENT",
                "name": "Vanguard ••7702",
            }))
            .await;
    }

    /// The world's path in the admin API.
    pub fn path(&self, rest: &str) -> String {
        format!("/tenants/{}{rest}", self.tenant)
    }

    /// Opens an account of the owner and answers its id.
    pub async fn open(&self, account: &Value) -> String {
        let mut body = account.clone();
        body["owner_id"] = json!(self.owner);
        id(&self.server.admin_post(&self.path("/accounts"), &body).await)
    }

    /// Another owner of the tenant with a pod; answers the pod's id.
    pub async fn stranger(&self) -> String {
        let body = json!({"name": "Jane Doe"});
        let owners = self.path("/owners");
        let owner = id(&self.server.admin_post(&owners, &body).await);
        let body = json!({"owner_id": owner, "type": "pod", "name": "Not John's"});
        id(&self.server.admin_post(&self.path("/accounts"), &body).await)
    }

    pub async fn paycheck(&self, account: &str, amount: i64) -> Value {
        self.simulate("paycheck", account, amount).await
    }

    pub async fn simulate(&self, what: &str, account: &str, amount: i64) -> Value {
        let body = json!({"account_id": account, "amount_in_cents": amount});
        let path = self.path(&format!("/simulate/{what}"));
        self.server.admin_post(&path, &body).await
    }

    /// `block`, `unblock` or `close`.
    pub async fn set_state(&self, account: &str, action: &str) -> Reply {
        let path = self.path(&format!("/accounts/{account}/{action}"));
        self.server.admin(Method::POST, &path, None).await
    }

    /// An account as the admin API shows it.
    pub async fn account(&self, account: &str) -> Value {
        let path = self.path(&format!("/accounts/{account}"));
        self.server.admin_get(&path).await
    }

    pub async fn balance(&self, account: &str) -> i64 {
        self.account(account).await["balance"]
            .as_i64()
            .expect("an integer")
    }

    /// Every account's id, oldest first.
    pub async fn accounts(&self) -> Vec<String> {
        let list = self.server.admin_get(&self.path("/accounts")).await;
        list["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(id)
            .collect()
    }

    /// Everything that a refusal must leave as it was: accounts with balances and holds, every
    /// transfer, and rules with their runs.
    pub async fn snapshot(&self) -> Value {
        let accounts = self.server.admin_get(&self.path("/accounts")).await;
        let mut transfers = Vec::new();
        for account in accounts["data"].as_array().expect("a list").iter().map(id) {
            let path = self.path(&format!("/transfers?account_id={account}&limit=1000"));
            transfers.push(self.server.admin_get(&path).await);
        }
        let rules = self.server.admin_get(&self.path("/rules")).await;
        let runs = self.path("/rule-executions?limit=1000");
        let runs = self.server.admin_get(&runs).await;
        json!({"accounts": accounts, "transfers": transfers, "rules": rules, "runs": runs})
    }

    pub async fn quiesce(&self) {
        self.server.quiesce(&self.tenant).await;
    }

    /// Moves the clock by `delta_ms` and lets everything happen that becomes due.
    pub async fn advance(&self, delta_ms: i64) {
        self.server.advance(delta_ms);
        self.quiesce().await;
    }

    /// Calls with the key that may do everything.
    pub fn john(&self) -> Caller<'_> {
        self.as_key(&self.key)
    }

    pub fn as_key(&self, secret: &str) -> Caller<'_> {
        self.server.caller(secret)
    }

    /// A new key with these permissions, to call with.
    pub async fn with_permissions(&self, permissions: &Value) -> Caller<'_> {
        let secret = self.server.key(&self.tenant, permissions).await;
        self.as_key(&secret)
    }

    /// The transfer with this id, as its tenant sees it now.
    pub async fn transfer(&self, id: &str) -> Value {
        self.john().get(&format!("/transfers/{id}")).await.data()
    }

    /// Makes a transfer, lets it happen and answers how it stands then.
    pub async fn moved(&self, from: &str, to: &str, amount: i64) -> Value {
        let made = self.john().transfer(from, to, amount).await.expect(201);
        self.quiesce().await;
        self.transfer(&id(&made["data"])).await
    }
}

/// A second tenant beside a world, with its own money and key.
pub struct Neighbour {
    pub tenant: String,
    pub pod: String,
    pub other_pod: String,
    pub key: String,
    /// A transfer of its own.
    pub transfer: String,
}

impl Neighbour {
    pub async fn of(world: &World) -> Neighbour {
        let server = &world.server;
        let tenant = server.tenant("Neighbours", "sandbox").await;
        let owners = format!("/tenants/{tenant}/owners");
        let owner = id(&server.admin_post(&owners, &json!({"name": "Eve"})).await);
        let accounts = format!("/tenants/{tenant}/accounts");
        let mut pods = Vec::new();
        for name in ["Hers", "Hers too"] {
            let body = json!({"owner_id": owner, "type": "pod", "name": name});
            pods.push(id(&server.admin_post(&accounts, &body).await));
        }
        let [pod, other_pod] = pods.try_into().expect("two were opened");
        let pay = json!({"account_id": pod, "amount_in_cents": 100_000});
        let path = format!("/tenants/{tenant}/simulate/paycheck");
        let transfer = id(&server.admin_post(&path, &pay).await);
        let key = server.key(&tenant, &everything()).await;
        Neighbour {
            tenant,
            pod,
            other_pod,
            key,
            transfer,
        }
    }
}
