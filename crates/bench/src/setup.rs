//! What a server needs before it can be measured, made over its admin API.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::child::Child;
use crate::client::JsonClient;

/// Cents on every pod at the start: more than any load moves.
pub const FUNDS: i64 = 1_000_000_000;

/// A tenant with one owner, funded pods and an API key.
#[derive(Clone)]
pub struct World {
    /// The tenant's id.
    pub tenant: String,
    /// The pods' ids.
    pub accounts: Vec<String>,
    /// The API key's secret.
    pub secret: String,
}

/// The admin API of a server over `data`.
///
/// # Errors
/// When the server has none or its token is not there.
pub async fn admin(server: &Child, data: &Path) -> Result<JsonClient> {
    let token = fs::read_to_string(data.join("admin.token")).context("the admin token")?;
    let address = server.admin.context("a server without an admin listener")?;
    let authorization = format!("Bearer {}", token.trim());
    JsonClient::open(address, &[("Authorization", &authorization)]).await
}

/// Makes a world with this many pods.
///
/// # Errors
/// When the server refuses.
pub async fn world(admin: &mut JsonClient, accounts: u16) -> Result<World> {
    let tenant = json!({"name": "Benchmark", "mode": "sandbox"});
    let tenant = id_of(&admin.post("/admin/v1/tenants", &tenant).await?)?;
    let base = format!("/admin/v1/tenants/{tenant}");
    let owner = json!({"name": "Benchmark", "kind": "beneficiary"});
    let owner = id_of(&admin.post(&format!("{base}/owners"), &owner).await?)?;
    let mut world = World {
        tenant: tenant.clone(),
        accounts: Vec::new(),
        secret: String::new(),
    };
    for index in 0..accounts {
        let name = format!("Pod {index}");
        let pod = json!({"owner_id": owner, "type": "pod", "name": name, "currency": "USD"});
        let pod = id_of(&admin.post(&format!("{base}/accounts"), &pod).await?)?;
        let pay = json!({"account_id": pod, "amount_in_cents": FUNDS});
        admin
            .post(&format!("{base}/simulate/paycheck"), &pay)
            .await?;
        world.accounts.push(pod);
    }
    world.secret = key(admin, &tenant).await?;
    Ok(world)
}

/// Makes an API key that may do everything a benchmark does; its secret.
///
/// # Errors
/// When the server refuses.
pub async fn key(admin: &mut JsonClient, tenant: &str) -> Result<String> {
    let key = json!({
        "name": "Benchmark",
        "permissions": [
            {"scope": "MANUAL_TRANSFER", "resources": [{"source": "*", "target": "*"}]},
            {"scope": "READ_TRANSFERS", "resources": "*"},
            {"scope": "READ_ACCOUNTS", "resources": "*"},
            {"scope": "LIST_ACCOUNTS"},
        ],
    });
    let key = admin
        .post(&format!("/admin/v1/tenants/{tenant}/keys"), &key)
        .await?;
    text_of(&key, "secret")
}

/// The public API, with an API key.
///
/// # Errors
/// When nobody answers.
pub async fn public(server: &Child, secret: &str) -> Result<JsonClient> {
    let authorization = format!("ApiKey {secret}");
    JsonClient::open(server.api, &[("Authorization", &authorization)]).await
}

/// The `id` of what was made.
///
/// # Errors
/// When there is none.
pub fn id_of(value: &Value) -> Result<String> {
    text_of(value, "id")
}

/// A text of an answer.
///
/// # Errors
/// When there is none.
pub fn text_of(value: &Value, field: &str) -> Result<String> {
    let text = value.get(field).and_then(Value::as_str);
    Ok(text
        .with_context(|| format!("no {field} in {value}"))?
        .to_owned())
}
