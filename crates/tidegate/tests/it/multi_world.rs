//! A programme of the Multi dialect with everything in it: profiles of every kind, a corporate and a
//! consumer who are ready to use, and their accounts and cards. All but the programme itself is made
//! through the documented calls.

use axum::http::Method;
use serde_json::{Value, json};
use service::spelling;

use crate::harness::{Reply, Server, everything, id};
use crate::multi_client::{MultiClient, PASSWORD};

/// The classes of instruments.
pub const ACCOUNTS: &str = "managed_accounts";
pub const CARDS: &str = "managed_cards";

/// What a well-funded account and a card begin with, in minor units.
pub const FUNDS: i64 = 100_000;
pub const CARD_FUNDS: i64 = 20_000;

/// A second, a day, in milliseconds.
pub const SECOND: i64 = 1_000;
pub const DAY: i64 = 24 * 60 * 60 * SECOND;

/// An account or a card as callers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    pub class: &'static str,
    pub id: String,
}

impl Instrument {
    pub fn account(id: impl Into<String>) -> Instrument {
        Instrument {
            class: ACCOUNTS,
            id: id.into(),
        }
    }

    pub fn card(id: impl Into<String>) -> Instrument {
        Instrument {
            class: CARDS,
            id: id.into(),
        }
    }

    /// As it stands in bodies.
    pub fn json(&self) -> Value {
        json!({"id": self.id, "type": self.class})
    }

    /// Where it is found, and what is below.
    pub fn path(&self, rest: &str) -> String {
        format!("/{}/{}{rest}", self.class, self.id)
    }

    /// Its id in the other dialects.
    pub fn acc(&self) -> String {
        spelled("acc_", &self.id)
    }
}

/// A decimal id of Multi as the other dialects spell it.
pub fn spelled(prefix: &str, decimal: &str) -> String {
    let number = decimal.parse().expect("ids are decimal numbers");
    let text = spelling::id_text(number);
    format!("{prefix}{}", str::from_utf8(&text).expect("base 32"))
}

/// The decimal id of Multi behind an id of the other dialects.
pub fn decimal(spelled: &str) -> String {
    let (_, text) = spelled.split_once('_').expect("a prefix");
    let number = spelling::parse_id(text).expect("base 32");
    number.to_string()
}

/// The decimal ids of the programme's profiles.
pub struct Profiles {
    pub corporate: String,
    pub consumer: String,
    pub account: String,
    /// Of accounts that hold at most EUR 1,500.00.
    pub capped: String,
    pub prepaid: String,
    pub debit: String,
    /// Transfers that cost nothing.
    pub free: String,
    /// Transfers that cost: the four ways to reckon a fee, one for each pair in EUR.
    pub paid: String,
}

/// The fees of [`Profiles::paid`]: source, destination, currency, and how much.
fn fees() -> Value {
    let fee = |from: &str, to: &str, currency: &str, mut how: Value| {
        how["source"] = json!(from);
        how["destination"] = json!(to);
        how["currency"] = json!(currency);
        how
    };
    let plus = json!({"type": "PLUS", "flat": 25, "percent": "1"});
    json!([
        fee(ACCOUNTS, ACCOUNTS, "EUR", plus),
        fee(
            ACCOUNTS,
            ACCOUNTS,
            "GBP",
            json!({"type": "FLAT", "flat": 40})
        ),
        fee(
            ACCOUNTS,
            CARDS,
            "EUR",
            json!({"type": "PERCENTAGE", "percent": "2.5"})
        ),
        fee(
            CARDS,
            ACCOUNTS,
            "EUR",
            json!({"type": "MIN", "flat": 50, "percent": "10"})
        ),
        fee(
            CARDS,
            CARDS,
            "EUR",
            json!({"type": "MAX", "flat": 50, "percent": "10"})
        ),
    ])
}

/// An identity with a user who is logged in, and instruments.
#[derive(Clone, Debug)]
pub struct Party {
    /// `corporates` or `consumers`.
    pub plural: &'static str,
    /// `{"type": …, "id": …}`.
    pub identity: Value,
    pub email: String,
    pub token: String,
    /// In EUR, with [`FUNDS`].
    pub main: Instrument,
    /// In EUR, empty.
    pub reserve: Instrument,
    /// In GBP, with [`FUNDS`].
    pub pounds: Instrument,
    /// In USD, with [`FUNDS`].
    pub dollars: Instrument,
    /// A prepaid card in EUR, with [`CARD_FUNDS`].
    pub card: Instrument,
    /// A prepaid card in EUR, empty.
    pub travel: Instrument,
    /// A debit card of [`Party::main`].
    pub debit: Instrument,
}

impl Party {
    /// The identity's id.
    pub fn id(&self) -> &str {
        self.identity["id"].as_str().expect("an id")
    }

    pub fn instruments(&self) -> [&Instrument; 7] {
        [
            &self.main,
            &self.reserve,
            &self.pounds,
            &self.dollars,
            &self.card,
            &self.travel,
            &self.debit,
        ]
    }
}

/// A programme: a sandbox tenant with a key.
pub struct MultiWorld {
    pub server: Server,
    pub tenant: String,
    pub key: String,
    pub profiles: Profiles,
    /// A corporate.
    pub acme: Party,
    /// A consumer.
    pub jane: Party,
}

impl MultiWorld {
    pub async fn new() -> MultiWorld {
        MultiWorld::on(Server::new().await).await
    }

    pub async fn on(server: Server) -> MultiWorld {
        let (tenant, key) = programme(&server, "Programme").await;
        let profiles = profiles(&server, &tenant).await;
        let client = MultiClient::new(&server, &key);
        let (cor, con) = ("corporates", "consumers");
        let acme = party(&client, &profiles, cor, "root@acme.example").await;
        let jane = party(&client, &profiles, con, "jane@doe.example").await;
        let world = MultiWorld {
            server,
            tenant,
            key,
            profiles,
            acme,
            jane,
        };
        for party in [&world.acme, &world.jane] {
            for account in [&party.main, &party.pounds, &party.dollars] {
                world.deposit(account, FUNDS).await;
            }
            world.give(&party.card, CARD_FUNDS).await;
        }
        world
    }

    /// The programme itself, without a user.
    pub fn programme(&self) -> MultiClient<'_> {
        MultiClient::new(&self.server, &self.key)
    }

    pub fn client(&self, party: &Party) -> MultiClient<'_> {
        self.programme().with_token(&party.token)
    }

    /// The corporate's root user.
    pub fn acme(&self) -> MultiClient<'_> {
        self.client(&self.acme)
    }

    /// The consumer.
    pub fn jane(&self) -> MultiClient<'_> {
        self.client(&self.jane)
    }

    /// Logs both root users in again: their sessions end five minutes after they were used.
    pub async fn log_in_again(&mut self) {
        let client = MultiClient::new(&self.server, &self.key);
        let acme = client.login(&self.acme.email, PASSWORD).await;
        let jane = client.login(&self.jane.email, PASSWORD).await;
        let (acme, jane) = (acme.token().to_owned(), jane.token().to_owned());
        (self.acme.token, self.jane.token) = (acme, jane);
    }

    pub async fn restart(&mut self) {
        self.server.restart().await;
    }

    /// The programme's path in the admin API.
    pub fn path(&self, rest: &str) -> String {
        format!("/tenants/{}{rest}", self.tenant)
    }

    /// Money from outside through the simulator, in the account's own currency.
    pub async fn deposit(&self, account: &Instrument, minor: i64) {
        let path = self.path(&format!("/accounts/{}", account.acc()));
        let currency = self.server.admin_get(&path).await["currency"].clone();
        let amount = json!({"currency": currency, "amount": minor});
        let body = json!({"depositAmount": amount, "senderName": "Employer Ltd"});
        let path = format!("/accounts/{}/deposit", account.id);
        let answer = self.programme().simulator().post(&path, &body).await;
        assert_eq!(answer.expect(200)["code"], "COMPLETED");
    }

    /// Money from outside on whatever holds some.
    pub async fn give(&self, instrument: &Instrument, minor: i64) {
        let body = json!({"account_id": instrument.acc(), "amount_in_cents": minor});
        let path = self.path("/simulate/cashback");
        self.server.admin_post(&path, &body).await;
    }

    /// An instrument as Multi shows it to its holder.
    pub async fn shown(&self, party: &Party, instrument: &Instrument) -> Value {
        let reply = self.client(party).get(&instrument.path("")).await;
        reply.expect(200)
    }

    /// What an instrument holds; all of it is available.
    pub async fn balance(&self, party: &Party, instrument: &Instrument) -> i64 {
        let balances = self.shown(party, instrument).await["balances"].clone();
        let minor = |name: &str| balances[name].as_i64().expect("an integer");
        assert_eq!(minor("availableBalance"), minor("actualBalance"));
        minor("actualBalance")
    }

    /// The same of several.
    pub async fn balances<const N: usize>(
        &self,
        party: &Party,
        instruments: [&Instrument; N],
    ) -> [i64; N] {
        let mut balances = [0; N];
        for (balance, instrument) in balances.iter_mut().zip(instruments) {
            *balance = self.balance(party, instrument).await;
        }
        balances
    }

    /// `block`, `unblock` or `remove`, as the holder.
    pub async fn steer(&self, party: &Party, instrument: &Instrument, action: &str) -> Reply {
        let path = instrument.path(&format!("/{action}"));
        self.client(party).act(&path).await
    }

    /// Opens another account.
    pub async fn open(&self, party: &Party, profile: &str, currency: &str) -> Instrument {
        open_account(&self.client(party), profile, currency).await
    }

    /// Makes another prepaid card in EUR.
    pub async fn prepaid(&self, party: &Party) -> Instrument {
        prepaid_card(&self.client(party), &self.profiles.prepaid).await
    }

    /// Makes another debit card.
    pub async fn debit(&self, party: &Party, parent: &Instrument) -> Instrument {
        debit_card(&self.client(party), &self.profiles.debit, parent).await
    }

    /// A new profile of the programme.
    pub async fn profile(&self, body: &Value) -> String {
        profile(&self.server, &self.tenant, body).await
    }

    /// Changes a profile.
    pub async fn change(&self, profile: &str, body: &Value) {
        let path = self.path(&format!("/profiles/{}", spelled("prf_", profile)));
        let reply = self.server.admin(Method::PATCH, &path, Some(body)).await;
        reply.expect(200);
    }

    /// Changes what is set for the programme.
    pub async fn set(&self, settings: &Value) {
        let path = self.path("/settings");
        let reply = self.server.admin(Method::PUT, &path, Some(settings));
        reply.await.expect(200);
    }

    /// Moves the programme's clock, not the machine's, and lets everything happen that becomes due.
    pub async fn advance(&self, delta_ms: i64) {
        let body = json!({"advance_ms": delta_ms});
        let path = self.path("/clock");
        let reply = self.server.admin(Method::PUT, &path, Some(&body)).await;
        reply.expect(200);
        self.server.quiesce(&self.tenant).await;
    }

    /// Stops the programme's clock, so that times in answers can be compared.
    pub async fn freeze(&self) {
        let body = json!({"frozen": true});
        let path = self.path("/clock");
        let reply = self.server.admin(Method::PUT, &path, Some(&body)).await;
        reply.expect(200);
    }

    /// An operator blocks, unblocks or closes an instrument.
    pub async fn operate(&self, instrument: &Instrument, action: &str) {
        let path = self.path(&format!("/accounts/{}/{action}", instrument.acc()));
        let reply = self.server.admin(Method::POST, &path, None).await;
        reply.expect(200);
    }

    /// An account of an identity that Multi does not make: other kinds, other roles.
    pub async fn open_as_operator(&self, party: &Party, account: &Value) -> Instrument {
        let mut body = account.clone();
        body["owner_id"] = json!(spelled("own_", party.id()));
        body["name"] = json!("By the operator");
        let opened = self.server.admin_post(&self.path("/accounts"), &body).await;
        Instrument::account(decimal(&id(&opened)))
    }

    /// Everything that a refusal must leave as it was: every account with its balance, every
    /// transfer, and how much has ever been written.
    pub async fn snapshot(&self) -> Value {
        let accounts = self.server.admin_get(&self.path("/accounts")).await;
        let mut transfers = Vec::new();
        for account in accounts["data"].as_array().expect("a list").iter().map(id) {
            let path = format!("/transfers?account_id={account}&limit=1000");
            transfers.push(self.server.admin_get(&self.path(&path)).await);
        }
        let status = self.server.admin_get("/status").await;
        json!({"accounts": accounts, "transfers": transfers, "commits": status["commits"],
               "sums": status["sum_of_all_balances"]})
    }

    /// All balances together are nothing.
    pub async fn check_sum(&self) {
        let status = self.server.admin_get("/status").await;
        for (currency, sum) in status["sum_of_all_balances"].as_object().expect("sums") {
            assert_eq!(sum, "0", "{currency}");
        }
    }

    /// A key for the other dialect.
    pub async fn sequence_key(&self) -> String {
        self.server.key(&self.tenant, &everything()).await
    }

    /// `POST /transfers` by the corporate without fees, which must succeed; the transfer.
    pub async fn moved(&self, from: &Instrument, to: &Instrument, minor: i64) -> Value {
        self.moved_in("EUR", from, to, minor).await
    }

    /// The same in another currency.
    pub async fn moved_in(
        &self,
        currency: &str,
        from: &Instrument,
        to: &Instrument,
        minor: i64,
    ) -> Value {
        let body = order(&self.profiles.free, from, to, currency, minor);
        self.acme().post("/transfers", &body).await.expect(200)
    }
}

/// A sandbox tenant and a key that speaks for it.
pub async fn programme(server: &Server, name: &str) -> (String, String) {
    let tenant = server.tenant(name, "sandbox").await;
    let key = server.key(&tenant, &json!([{"scope": "PROGRAMME"}])).await;
    (tenant, key)
}

async fn profile(server: &Server, tenant: &str, body: &Value) -> String {
    let mut body = body.clone();
    if body.get("name").is_none() {
        body["name"] = body["type"].clone();
    }
    let path = format!("/tenants/{tenant}/profiles");
    let made = server.admin_post(&path, &body).await;
    made["multi_id"].as_str().expect("a decimal id").to_owned()
}

/// Profiles of every kind.
pub async fn profiles(server: &Server, tenant: &str) -> Profiles {
    let make = |body: Value| async move { profile(server, tenant, &body).await };
    let most = json!([{"currency": "EUR", "amount": 150_000}]);
    Profiles {
        corporate: make(json!({"type": "corporate"})).await,
        consumer: make(json!({"type": "consumer"})).await,
        account: make(json!({"type": "managed_account"})).await,
        capped: make(json!({"type": "managed_account", "max_balances": most})).await,
        prepaid: make(json!({"type": "managed_card", "mode": "prepaid"})).await,
        debit: make(json!({"type": "managed_card", "mode": "debit"})).await,
        free: make(json!({"type": "transfer", "name": "free"})).await,
        paid: make(json!({"type": "transfer", "name": "paid", "fees": fees()})).await,
    }
}

/// An identity that is ready to use, with instruments that are empty.
pub async fn party(
    client: &MultiClient<'_>,
    profiles: &Profiles,
    plural: &'static str,
    email: &str,
) -> Party {
    let made = match plural {
        "corporates" => client.corporate(&profiles.corporate, email).await,
        _ => client.consumer(&profiles.consumer, email).await,
    };
    let user = client.login(email, PASSWORD).await;
    let account = async |currency| open_account(&user, &profiles.account, currency).await;
    let main = account("EUR").await;
    Party {
        plural,
        identity: made["id"].clone(),
        email: email.to_owned(),
        token: user.token().to_owned(),
        reserve: account("EUR").await,
        pounds: account("GBP").await,
        dollars: account("USD").await,
        card: prepaid_card(&user, &profiles.prepaid).await,
        travel: prepaid_card(&user, &profiles.prepaid).await,
        debit: debit_card(&user, &profiles.debit, &main).await,
        main,
    }
}

pub async fn open_account(user: &MultiClient<'_>, profile: &str, currency: &str) -> Instrument {
    let body = json!({"profileId": profile, "friendlyName": "Account", "currency": currency});
    let opened = user.post("/managed_accounts", &body).await.expect(200);
    Instrument::account(id(&opened))
}

/// What every card has.
pub fn card(profile: &str) -> Value {
    json!({
        "profileId": profile, "friendlyName": "Card", "nameOnCard": "Jane Doe",
        "billingAddress": {"addressLine1": "1 Main Street", "city": "Valletta",
                           "postCode": "VLT1111", "country": "MT"},
    })
}

async fn prepaid_card(user: &MultiClient<'_>, profile: &str) -> Instrument {
    let mut body = card(profile);
    (body["mode"], body["currency"]) = (json!("PREPAID_MODE"), json!("EUR"));
    let made = user.post("/managed_cards", &body).await.expect(200);
    Instrument::card(id(&made))
}

async fn debit_card(user: &MultiClient<'_>, profile: &str, parent: &Instrument) -> Instrument {
    let mut body = card(profile);
    (body["mode"], body["parentManagedAccountId"]) = (json!("DEBIT_MODE"), json!(parent.id));
    let made = user.post("/managed_cards", &body).await.expect(200);
    Instrument::card(id(&made))
}

/// The body of `POST /transfers`.
pub fn order(
    profile: &str,
    from: &Instrument,
    to: &Instrument,
    currency: &str,
    minor: i64,
) -> Value {
    json!({
        "profileId": profile, "source": from.json(), "destination": to.json(),
        "destinationAmount": {"currency": currency, "amount": minor},
    })
}

/// The same for a time to come.
pub fn scheduled(mut order: Value, at: i64) -> Value {
    order["scheduledTimestamp"] = json!(at.to_string());
    order
}

#[tokio::test]
async fn a_programme_is_ready_to_use() {
    let world = MultiWorld::new().await;
    for party in [&world.acme, &world.jane] {
        let expected = [FUNDS, 0, FUNDS, FUNDS, CARD_FUNDS, 0];
        let [main, reserve, pounds, dollars, card, travel, debit] = party.instruments();
        let held = [main, reserve, pounds, dollars, card, travel];
        assert_eq!(world.balances(party, held).await, expected);
        let debit = world.shown(party, debit).await;
        assert_eq!(debit["mode"], "DEBIT_MODE");
        assert_eq!(debit["parentManagedAccountId"], main.id.as_str());
        assert!(debit.get("balances").is_none(), "{debit}");
    }
    let kinds = [&world.acme, &world.jane].map(|party| party.identity["type"].clone());
    assert_eq!(kinds, ["CORPORATE", "CONSUMER"]);
    world.check_sum().await;
    let ids: Vec<&String> = [&world.acme, &world.jane]
        .iter()
        .flat_map(|party| party.instruments().map(|instrument| &instrument.id))
        .collect();
    let distinct: std::collections::BTreeSet<&&String> = ids.iter().collect();
    assert_eq!(distinct.len(), 14);
}
