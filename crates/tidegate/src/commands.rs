//! Commands that speak to a running server: each is one call of the admin API.

mod events;
mod forecast;
mod profiles;
mod rules;
mod webhooks;

use std::process::ExitCode;

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::{
    AccountCommand, AdminCommand, ClockCommand, Connection, EventsCommand, HoldCommand, InTenant,
    KeyCommand, Output, OwnerCommand, SimulateCommand, Simulated, TenantCommand, TransferCommand,
};
use crate::client::Client;
use crate::output::print_table;

const TENANT: &[&str] = &["id", "name", "mode", "now", "frozen"];
const OWNER: &[&str] = &["id", "name", "kind", "created_at"];
const ACCOUNT: &[&str] = &[
    "id",
    "name",
    "type",
    "owner_name",
    "currency",
    "balance",
    "available",
    "state",
];
const KEY_USE: &[&str] = &[
    "state",
    "operation",
    "object_id",
    "at",
    "request_id",
    "key_id",
    "owner_id",
    "error.code",
];
const KEY: &[&str] = &["id", "name", "hint", "created_at", "revoked_at"];
const TRANSFER: &[&str] = &[
    "id",
    "amount",
    "currency",
    "status",
    "origin",
    "source",
    "destination",
    "created_at",
];
const ENTRY: &[&str] = &[
    "sequence",
    "side",
    "amount",
    "balance_after",
    "transfer_id",
    "at",
];
const HOLD: &[&str] = &["id", "amount", "currency", "created_at", "expires_at"];

/// Runs one command and prints its answer.
pub(crate) fn run(connection: &Connection, command: AdminCommand) -> anyhow::Result<ExitCode> {
    let client = Client::connect(connection)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let AdminCommand::Events(command) = &command
        && !matches!(command, EventsCommand::List(_))
    {
        return runtime.block_on(events::follow(&client, connection.output, command));
    }
    let is_forecast = matches!(command, AdminCommand::Forecast(_));
    let (answer, columns) = runtime.block_on(call(&client, command))?;
    match connection.output {
        Output::Json => crate::output::line(&serde_json::to_string_pretty(&answer)?),
        Output::Table if is_forecast => forecast::print(&answer)?,
        Output::Table if answer.is_null() => crate::output::line(&"done"),
        Output::Table => print_table(&answer, columns),
    }
    Ok(ExitCode::SUCCESS)
}

type Answer = (Value, &'static [&'static str]);

async fn call(client: &Client, command: AdminCommand) -> anyhow::Result<Answer> {
    match command {
        AdminCommand::Tenant(command) => tenant(client, command).await,
        AdminCommand::Owner(command) => owner(client, command).await,
        AdminCommand::Account(command) => account(client, command).await,
        AdminCommand::Key(command) => key(client, command).await,
        AdminCommand::Profile(command) => profiles::profile(client, command).await,
        AdminCommand::Rule(command) => rules::rule(client, command).await,
        AdminCommand::Transfer(command) => transfer(client, command).await,
        AdminCommand::Hold(command) => hold(client, command).await,
        AdminCommand::Clock(command) => clock(client, command).await,
        AdminCommand::Simulate(command) => simulate(client, command).await,
        AdminCommand::Events(
            EventsCommand::List(which)
            | EventsCommand::Tail(which)
            | EventsCommand::Forward { which, .. },
        ) => events::list(client, &which).await,
        AdminCommand::Webhook(command) => webhooks::webhook(client, command).await,
        AdminCommand::Forecast(flags) => Ok((forecast::ask(client, flags).await?, &[])),
        AdminCommand::Status => Ok((get(client, "/status").await?, &[])),
    }
}

async fn get(client: &Client, path: &str) -> anyhow::Result<Value> {
    client.call(Method::GET, path, None).await
}

async fn post(client: &Client, path: &str, body: &Value) -> anyhow::Result<Value> {
    client.call(Method::POST, path, Some(body)).await
}

/// The path of a tenant: the named one, or the only one there is.
async fn at(client: &Client, tenant: &InTenant) -> anyhow::Result<String> {
    if let Some(tenant) = &tenant.tenant {
        return Ok(format!("/tenants/{tenant}"));
    }
    let id = only(&get(client, "/tenants").await?, "tenant", "--tenant")?;
    Ok(format!("/tenants/{id}"))
}

fn only(list: &Value, what: &str, flag: &str) -> anyhow::Result<String> {
    let items = list["data"].as_array().context("the server sent no list")?;
    match items.as_slice() {
        [one] => Ok(one["id"]
            .as_str()
            .context("the server sent no id")?
            .to_owned()),
        [] => bail!("there is no {what} yet"),
        _ => bail!("there are {} {what}s: choose one with {flag}", items.len()),
    }
}

async fn tenant(client: &Client, command: TenantCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        TenantCommand::Create { name, mode } => {
            post(client, "/tenants", &json!({"name": name, "mode": mode})).await?
        }
        TenantCommand::List => get(client, "/tenants").await?,
        TenantCommand::Settings {
            tenant,
            strict,
            multi_identity,
            rate_limits,
            round_down,
            utc_offset_minutes,
            faults,
        } => {
            let path = format!("{}/settings", at(client, &tenant).await?);
            let mut body = rate_limits.as_deref().map_or(Ok(json!({})), limits_body)?;
            body["strict"] = json!(strict);
            body["multi_identity"] = json!(multi_identity);
            body["round_down"] = json!(round_down);
            body["utc_offset_minutes"] = json!(utc_offset_minutes);
            body["faults"] = json!(faults.as_deref().map(switches).transpose()?);
            let mut members = body.as_object().into_iter().flatten();
            let shows_only = members.all(|(_, value)| value.is_null());
            let (method, body) = match shows_only {
                true => (Method::GET, None),
                false => (Method::PUT, Some(&body)),
            };
            client.call(method, &path, body).await?
        }
    };
    Ok((answer, TENANT))
}

/// `100/60,1000/3600`, `none` or `default`.
fn limits_body(text: &str) -> anyhow::Result<Value> {
    match text {
        "default" => return Ok(json!({"default_rate_limits": true})),
        "none" => return Ok(json!({"rate_limits": []})),
        _ => {}
    }
    let limit = |part: &str| -> Option<Value> {
        let (requests, window) = part.split_once('/')?;
        let (requests, window): (u32, u32) = (requests.parse().ok()?, window.parse().ok()?);
        Some(json!({"requests": requests, "window_s": window}))
    };
    let limits: Option<Vec<Value>> = text.split(',').map(limit).collect();
    let limits = limits.with_context(|| {
        format!("`{text}` is no list of limits such as 100/60,1000/3600, nor `none` or `default`")
    })?;
    Ok(json!({"rate_limits": limits}))
}

/// `commit-then-500/3,webhook=duplicate` or `none`.
fn switches(text: &str) -> anyhow::Result<Vec<Value>> {
    if text == "none" {
        return Ok(Vec::new());
    }
    let switch = |part: &str| -> anyhow::Result<Value> {
        let (fault, every) = match part.rsplit_once('/') {
            Some((fault, every)) => (fault, every.parse::<u32>()),
            None => (part, Ok(1)),
        };
        let every = every.with_context(|| format!("`{part}`: how often must be a number"))?;
        Ok(json!({"fault": fault.trim(), "every": every}))
    };
    text.split(',').map(switch).collect()
}

async fn owner(client: &Client, command: OwnerCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        OwnerCommand::Create { tenant, name, kind } => {
            let path = format!("{}/owners", at(client, &tenant).await?);
            post(client, &path, &json!({"name": name, "kind": kind})).await?
        }
        OwnerCommand::List { tenant } => {
            get(client, &format!("{}/owners", at(client, &tenant).await?)).await?
        }
    };
    Ok((answer, OWNER))
}

async fn account(client: &Client, command: AccountCommand) -> anyhow::Result<Answer> {
    let act = async |tenant: InTenant, account: String, action: &str| {
        let path = format!("{}/accounts/{account}/{action}", at(client, &tenant).await?);
        client.call(Method::POST, &path, None).await
    };
    let answer = match command {
        AccountCommand::Create {
            tenant,
            owner,
            r#type,
            external_type,
            name,
            description,
            institution,
            currency,
        } => {
            let base = at(client, &tenant).await?;
            let owner = match owner {
                Some(owner) => owner,
                None => only(
                    &get(client, &format!("{base}/owners")).await?,
                    "owner",
                    "--owner",
                )?,
            };
            let body = json!({
                "owner_id": owner, "type": r#type, "external_account_type": external_type,
                "name": name, "description": description, "institution_name": institution,
                "currency": currency,
            });
            post(client, &format!("{base}/accounts"), &body).await?
        }
        AccountCommand::List { tenant } => {
            get(client, &format!("{}/accounts", at(client, &tenant).await?)).await?
        }
        AccountCommand::Show { tenant, account } => {
            get(
                client,
                &format!("{}/accounts/{account}", at(client, &tenant).await?),
            )
            .await?
        }
        AccountCommand::Entries { tenant, account } => {
            let path = format!("{}/accounts/{account}/entries", at(client, &tenant).await?);
            return Ok((get(client, &path).await?, ENTRY));
        }
        AccountCommand::Block { tenant, account } => act(tenant, account, "block").await?,
        AccountCommand::Unblock { tenant, account } => act(tenant, account, "unblock").await?,
        AccountCommand::Close { tenant, account } => act(tenant, account, "close").await?,
    };
    Ok((answer, ACCOUNT))
}

async fn key(client: &Client, command: KeyCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        KeyCommand::Create {
            tenant,
            name,
            permissions,
        } => {
            let entries: Vec<Value> = permissions
                .iter()
                .map(|text| permission(text))
                .collect::<Result<_, _>>()?;
            let path = format!("{}/keys", at(client, &tenant).await?);
            post(
                client,
                &path,
                &json!({"name": name, "permissions": entries}),
            )
            .await?
        }
        KeyCommand::List { tenant } => {
            get(client, &format!("{}/keys", at(client, &tenant).await?)).await?
        }
        KeyCommand::Revoke { tenant, key } => {
            let path = format!("{}/keys/{key}", at(client, &tenant).await?);
            client.call(Method::DELETE, &path, None).await?
        }
        KeyCommand::Lookup {
            tenant,
            idempotency_key,
            key_id,
            owner_id,
        } => {
            let key: String = form_urlencoded::byte_serialize(idempotency_key.as_bytes()).collect();
            let key = key.replace('+', "%20");
            let who = match (key_id, owner_id) {
                (Some(id), _) => format!("?key_id={id}"),
                (None, Some(id)) => format!("?owner_id={id}"),
                (None, None) => String::new(),
            };
            let path = format!("{}/idempotency-keys/{key}{who}", at(client, &tenant).await?);
            return Ok((get(client, &path).await?, KEY_USE));
        }
    };
    Ok((answer, KEY))
}

/// `SCOPE`, `SCOPE=*`, `SCOPE=id,id` or `MANUAL_TRANSFER=source>target:max:approval,…`.
fn permission(text: &str) -> anyhow::Result<Value> {
    let Some((scope, resources)) = text.split_once('=') else {
        return Ok(json!({"scope": text}));
    };
    if scope != "MANUAL_TRANSFER" {
        return Ok(match resources {
            "*" => json!({"scope": scope, "resources": "*"}),
            ids => json!({"scope": scope, "resources": ids.split(',').collect::<Vec<_>>()}),
        });
    }
    let sets: Vec<Value> = resources
        .split(',')
        .map(|set| {
            let (source, rest) = set
                .split_once('>')
                .with_context(|| format!("`{set}` must be source>target or source>target:max"))?;
            let mut parts = rest.splitn(3, ':');
            let mut pair = json!({"source": source, "target": parts.next()});
            for (field, text) in ["max_amount", "approval_above"].into_iter().zip(parts) {
                if !text.is_empty() {
                    let sum: i64 = text
                        .parse()
                        .with_context(|| format!("`{text}` is no amount"))?;
                    pair[field] = json!(sum);
                }
            }
            Ok(pair)
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(json!({"scope": scope, "resources": sets}))
}

async fn transfer(client: &Client, command: TransferCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        TransferCommand::Create {
            tenant,
            from,
            to,
            amount,
        } => {
            let path = format!("{}/transfers", at(client, &tenant).await?);
            let body = json!({
                "source_account_id": from, "destination_account_id": to, "amount_in_cents": amount,
            });
            post(client, &path, &body).await?
        }
        TransferCommand::List { tenant, account } => {
            let base = at(client, &tenant).await?;
            get(client, &format!("{base}/transfers?account_id={account}")).await?
        }
        TransferCommand::Waiting { tenant } => {
            get(client, &format!("{}/approvals", at(client, &tenant).await?)).await?
        }
        TransferCommand::Approve {
            tenant,
            transfer,
            by,
        } => {
            let base = at(client, &tenant).await?;
            let path = format!("{base}/transfers/{transfer}/approve");
            post(client, &path, &json!({"by": by})).await?
        }
        TransferCommand::Deny {
            tenant,
            transfer,
            reason,
            by,
        } => {
            let base = at(client, &tenant).await?;
            let path = format!("{base}/transfers/{transfer}/deny");
            post(client, &path, &json!({"reason": reason, "by": by})).await?
        }
        TransferCommand::Show { tenant, transfer } => {
            get(
                client,
                &format!("{}/transfers/{transfer}", at(client, &tenant).await?),
            )
            .await?
        }
    };
    Ok((answer, TRANSFER))
}

async fn hold(client: &Client, command: HoldCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        HoldCommand::Place {
            tenant,
            account,
            amount,
            expires_at,
        } => {
            let path = format!("{}/accounts/{account}/holds", at(client, &tenant).await?);
            post(
                client,
                &path,
                &json!({"amount_in_cents": amount, "expires_at": expires_at}),
            )
            .await?
        }
        HoldCommand::List { tenant, account } => {
            get(
                client,
                &format!("{}/accounts/{account}/holds", at(client, &tenant).await?),
            )
            .await?
        }
        HoldCommand::Release { tenant, hold } => {
            let path = format!("{}/holds/{hold}", at(client, &tenant).await?);
            client.call(Method::DELETE, &path, None).await?
        }
    };
    Ok((answer, HOLD))
}

async fn clock(client: &Client, command: ClockCommand) -> anyhow::Result<Answer> {
    let (tenant, body) = match command {
        ClockCommand::Show { tenant } => {
            let path = format!("{}/clock", at(client, &tenant).await?);
            return Ok((get(client, &path).await?, TENANT));
        }
        ClockCommand::Next { tenant } => {
            let path = format!("{}/clock/next", at(client, &tenant).await?);
            return Ok((client.call(Method::POST, &path, None).await?, TENANT));
        }
        ClockCommand::Freeze { tenant, at } => (tenant, json!({"frozen": true, "at": at})),
        ClockCommand::Advance {
            tenant,
            by: Some(by),
            ..
        } => (tenant, json!({"advance_ms": duration_ms(&by)?})),
        ClockCommand::Advance { tenant, to, .. } => (tenant, json!({"at": to})),
        ClockCommand::Resume { tenant } => (tenant, json!({"frozen": false})),
    };
    let path = format!("{}/clock", at(client, &tenant).await?);
    Ok((client.call(Method::PUT, &path, Some(&body)).await?, TENANT))
}

/// `90s`, `2h 30m`, `30 days`: hours and days only, as months have no fixed length.
fn duration_ms(text: &str) -> anyhow::Result<i64> {
    let span: jiff::Span = text
        .parse()
        .with_context(|| format!("`{text}` is no duration such as 90s or 30 days"))?;
    let ms = span
        .total((
            jiff::Unit::Millisecond,
            jiff::SpanRelativeTo::days_are_24_hours(),
        ))
        .with_context(|| {
            format!("`{text}` has no fixed length; use days, hours, minutes, seconds")
        })?;
    Ok(ms as i64)
}

async fn simulate(client: &Client, command: SimulateCommand) -> anyhow::Result<Answer> {
    let (what, simulated) = match command {
        SimulateCommand::Paycheck(simulated) => ("paycheck", simulated),
        SimulateCommand::CheckDeposit(simulated) => ("check-deposit", simulated),
        SimulateCommand::Cashback(simulated) => ("cashback", simulated),
        SimulateCommand::ExternalPull(simulated) => ("external-pull", simulated),
        SimulateCommand::Return {
            tenant,
            transfer,
            code,
        } => {
            let path = format!("{}/transfers/{transfer}/return", at(client, &tenant).await?);
            return Ok((
                post(client, &path, &json!({"error_code": code})).await?,
                TRANSFER,
            ));
        }
    };
    let Simulated {
        tenant,
        account,
        amount,
        description,
    } = simulated;
    let path = format!("{}/simulate/{what}", at(client, &tenant).await?);
    let body =
        json!({"account_id": account, "amount_in_cents": amount, "description": description});
    Ok((post(client, &path, &body).await?, TRANSFER))
}
