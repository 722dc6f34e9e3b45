//! A programme with one corporate, its user, its accounts and the profiles, made over HTTP as any
//! programme makes them.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use service::spelling::parse_id;

use crate::child::Child;
use crate::client::JsonClient;
use crate::setup::{id_of, text_of};

/// Minor units on every funded account at the start: more than any load moves.
pub const FUNDS: i64 = 1_000_000_000_000;
/// What all accounts are counted in.
pub const CURRENCY: &str = "EUR";
const PASSWORD: &str = "Correct-Horse-7";

/// What is to be made.
pub struct Plan {
    /// Managed accounts that get [`FUNDS`].
    pub funded: u16,
    /// Managed accounts that get nothing.
    pub empty: u16,
    /// Transfer profiles.
    pub transfer_profiles: u16,
    /// How to set the programme's clock before anything happens, if at all.
    pub clock: Option<Value>,
}

/// What was made. Ids are as Multi writes them.
#[derive(Clone)]
pub struct World {
    /// The programme's tenant, as the admin API writes its id.
    pub tenant: String,
    /// The programme's key.
    pub key: String,
    /// The corporate.
    pub identity: String,
    /// Its root user's e-mail address.
    pub email: String,
    /// The transfer profiles.
    pub profiles: Vec<String>,
    /// The managed accounts, funded ones first.
    pub accounts: Vec<String>,
}

impl World {
    /// The tenant's number.
    ///
    /// # Errors
    /// When its id has none.
    pub fn tenant_number(&self) -> Result<u64> {
        let number = self.tenant.strip_prefix("ten_").and_then(parse_id);
        number.with_context(|| format!("the tenant id {}", self.tenant))
    }

    /// A world that nobody has made, for an echo alone.
    pub fn imagined(accounts: u16) -> World {
        // Ids of eighteen digits, as those of today are.
        let id = |number: u16| format!("1{number:017}");
        World {
            tenant: "ten_0000000000000".to_owned(),
            key: format!("tg_{}", "0".repeat(58)),
            identity: id(0),
            email: email(0),
            profiles: vec![id(1)],
            accounts: (0..accounts).map(|index| id(100 + index)).collect(),
        }
    }
}

fn email(index: u16) -> String {
    format!("root{index}@bench.example")
}

/// Makes a world.
///
/// # Errors
/// When the server refuses.
pub async fn make(server: &Child, admin: &mut JsonClient, plan: &Plan) -> Result<World> {
    let mut worlds = make_many(server, admin, plan, 1).await?;
    worlds.pop().context("one was made")
}

/// Makes worlds of one programme: several identities, each with what the plan says.
///
/// # Errors
/// When the server refuses.
pub async fn make_many(
    server: &Child,
    admin: &mut JsonClient,
    plan: &Plan,
    identities: u16,
) -> Result<Vec<World>> {
    let tenant = json!({"name": "Benchmark", "mode": "sandbox"});
    let tenant = id_of(&admin.post("/admin/v1/tenants", &tenant).await?)?;
    let base = format!("/admin/v1/tenants/{tenant}");
    if let Some(clock) = &plan.clock {
        admin.put(&format!("{base}/clock"), clock).await?;
    }
    let key = json!({"name": "Benchmark", "permissions": [{"scope": "PROGRAMME"}]});
    let key = text_of(&admin.post(&format!("{base}/keys"), &key).await?, "secret")?;

    let mut profiles = Profiles { admin, base: &base };
    let corporates = profiles.make("Corporates", "corporate").await?;
    let managed_accounts = profiles.make("Accounts", "managed_account").await?;
    let mut transfers = Vec::new();
    for index in 0..plan.transfer_profiles {
        let name = format!("Transfers {index}");
        transfers.push(profiles.make(&name, "transfer").await?);
    }

    let mut worlds = Vec::new();
    for index in 0..identities {
        let email = email(index);
        let identity = corporate(server, &key, &corporates, &email).await?;
        let mut world = World {
            tenant: tenant.clone(),
            key: key.clone(),
            identity,
            email,
            profiles: transfers.clone(),
            accounts: Vec::new(),
        };
        open_accounts(server, &mut world, plan, &managed_accounts).await?;
        worlds.push(world);
    }
    Ok(worlds)
}

/// Profiles come from the admin API.
struct Profiles<'a> {
    admin: &'a mut JsonClient,
    base: &'a str,
}

impl Profiles<'_> {
    /// The new profile's id as Multi writes it.
    async fn make(&mut self, name: &str, kind: &str) -> Result<String> {
        let mut profile = json!({"name": name, "type": kind});
        if kind == "transfer" {
            profile["currencies"] = json!([CURRENCY]);
        }
        let path = format!("{}/profiles", self.base);
        text_of(&self.admin.post(&path, &profile).await?, "multi_id")
    }
}

/// A verified corporate whose root user can log in; its id.
async fn corporate(server: &Child, key: &str, profile: &str, email: &str) -> Result<String> {
    let mut programme = JsonClient::open(server.api, &[("api-key", key)]).await?;
    let corporate = json!({
        "profileId": profile,
        "rootUser": {
            "name": "Ada", "surname": "Bench", "email": email,
            "mobile": {"countryCode": "+356", "number": "79797979"},
            "companyPosition": "DIRECTOR",
        },
        "company": {
            "type": "LLC", "name": "Benchmark Ltd",
            "registrationNumber": "C12345", "registrationCountry": "MT",
        },
        "acceptedTerms": true,
        "ipAddress": "127.0.0.1",
        "baseCurrency": CURRENCY,
    });
    let made = programme.post("/multi/corporates", &corporate).await?;
    let identity = text_at(&made, "/id/id")?;
    let user = text_at(&made, "/rootUser/id/id")?;
    let password = json!({"password": {"value": PASSWORD}});
    let path = format!("/multi/passwords/{user}/create");
    programme.post(&path, &password).await?;

    let mut simulator = JsonClient::open(server.api, &[("programme-key", key)]).await?;
    let path = format!("/simulate/api/corporates/{identity}/verify");
    simulator.act(&path).await?;
    Ok(identity)
}

async fn open_accounts(
    server: &Child,
    world: &mut World,
    plan: &Plan,
    profile: &str,
) -> Result<()> {
    let mut user = user(server, world).await?;
    let key = &world.key;
    let mut simulator = JsonClient::open(server.api, &[("programme-key", key)]).await?;
    for index in 0..plan.funded + plan.empty {
        let name = format!("Account {index}");
        let account = json!({"profileId": profile, "friendlyName": name, "currency": CURRENCY});
        let made = user.post("/multi/managed_accounts", &account).await?;
        let account = text_at(&made, "/id")?;
        if index < plan.funded {
            let path = format!("/simulate/api/accounts/{account}/deposit");
            let sum = json!({"depositAmount": {"currency": CURRENCY, "amount": FUNDS}});
            let done = simulator.post(&path, &sum).await?;
            ensure!(text_at(&done, "/code")? == "COMPLETED", "a deposit: {done}");
        }
        world.accounts.push(account);
    }
    Ok(())
}

/// Logs the root user in; its token. Tokens end when they have not been used for minutes.
///
/// # Errors
/// When the server refuses.
pub async fn log_in(server: &Child, world: &World) -> Result<String> {
    let key = &world.key;
    let mut programme = JsonClient::open(server.api, &[("api-key", key)]).await?;
    let login = json!({"email": world.email, "password": {"value": PASSWORD}});
    let login = programme.post("/multi/login_with_password", &login).await?;
    let token = text_at(&login, "/token")?;
    if text_at(&login, "/tokenType")? != "AUTH" {
        return Ok(token);
    }
    let authorization = format!("Bearer {token}");
    let credentials = [("api-key", &**key), ("Authorization", &authorization)];
    let mut user = JsonClient::open(server.api, &credentials).await?;
    let identity = json!({"identity": {"type": "CORPORATE", "id": world.identity}});
    text_at(
        &user.post("/multi/access_token", &identity).await?,
        "/token",
    )
}

/// A connection of the root user, logged in.
///
/// # Errors
/// When the server refuses.
pub async fn user(server: &Child, world: &World) -> Result<JsonClient> {
    let authorization = format!("Bearer {}", log_in(server, world).await?);
    let credentials = [("api-key", &*world.key), ("Authorization", &authorization)];
    JsonClient::open(server.api, &credentials).await
}

/// The text at a place of an answer.
///
/// # Errors
/// When there is none.
pub fn text_at(value: &Value, pointer: &str) -> Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text
        .with_context(|| format!("no {pointer} in {value}"))?
        .to_owned())
}

/// The integer at a place of an answer.
///
/// # Errors
/// When there is none.
pub fn integer_at(value: &Value, pointer: &str) -> Result<i64> {
    let integer = value.pointer(pointer).and_then(Value::as_i64);
    integer.with_context(|| format!("no {pointer} in {value}"))
}
