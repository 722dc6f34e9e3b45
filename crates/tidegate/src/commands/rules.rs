//! Commands about rules.

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, at, get, only, post};
use crate::cli::{InTenant, OneRule, RuleCommand};
use crate::client::Client;

const RULE: &[&str] = &[
    "id",
    "nickname",
    "status",
    "trigger.type",
    "owner_id",
    "updated_at",
];
const RUN: &[&str] = &[
    "id",
    "rule_name",
    "trigger_type",
    "execution_mode",
    "status",
    "transfers_completed",
    "transfers_failed",
    "transfers_pending",
    "created_at",
];
const FOUND: &[&str] = &["severity", "code", "rule_id", "path", "message"];

pub(super) async fn rule(client: &Client, command: RuleCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        RuleCommand::Create {
            tenant,
            file,
            owner,
        } => {
            let mut body = read(&file)?;
            if let Some(owner) = owner {
                body["owner_id"] = json!(owner);
            }
            let path = format!("{}/rules", at(client, &tenant).await?);
            post(client, &path, &body).await?
        }
        RuleCommand::Template {
            tenant,
            template,
            from,
            to,
            debt,
            amount,
            start,
            name,
        } => {
            let body = json!({
                "template": template, "nickname": name, "source_id": from,
                "destinations": with_numbers(&to, "percentage_value")?,
                "liabilities": with_numbers(&debt, "interest_rate_percentage")?,
                "amount_in_cents": amount, "start_date": start,
            });
            let path = format!("{}/rules/from-template", at(client, &tenant).await?);
            post(client, &path, &body).await?
        }
        RuleCommand::List { tenant } => {
            get(client, &format!("{}/rules", at(client, &tenant).await?)).await?
        }
        RuleCommand::Show(rule) => get(client, &path(client, &rule, "").await?).await?,
        RuleCommand::Change { rule, file } => {
            let (path, body) = (path(client, &rule, "").await?, read(&file)?);
            client.call(Method::PUT, &path, Some(&body)).await?
        }
        RuleCommand::Delete(rule) => {
            let path = path(client, &rule, "").await?;
            client.call(Method::DELETE, &path, None).await?
        }
        RuleCommand::Enable(rule) => act(client, &rule, "/enable").await?,
        RuleCommand::Approval { rule, above } => {
            let (path, body) = (
                path(client, &rule, "/approval").await?,
                json!({"approval_above": above}),
            );
            client.call(Method::PUT, &path, Some(&body)).await?
        }
        RuleCommand::Disable(rule) => act(client, &rule, "/disable").await?,
        RuleCommand::Lint {
            tenant,
            file,
            owner,
        } => return lint(client, &tenant, file.as_deref(), owner).await,
        RuleCommand::Trigger { rule, amount } => {
            return run(client, &rule, "/trigger", amount).await;
        }
        RuleCommand::Simulate { rule, amount } => {
            return run(client, &rule, "/simulate", amount).await;
        }
        RuleCommand::Runs { tenant, rule } => {
            let base = at(client, &tenant).await?;
            let filter = rule.map_or_else(String::new, |rule| format!("?rule_id={rule}"));
            let path = format!("{base}/rule-executions{filter}");
            return Ok((get(client, &path).await?, RUN));
        }
        RuleCommand::Run { tenant, execution } => {
            let base = at(client, &tenant).await?;
            let path = format!("{base}/rule-executions/{execution}");
            return Ok((get(client, &path).await?, RUN));
        }
    };
    Ok((answer, RULE))
}

async fn path(client: &Client, one: &OneRule, rest: &str) -> anyhow::Result<String> {
    let base = at(client, &one.tenant).await?;
    Ok(format!("{base}/rules/{}{rest}", one.rule))
}

async fn act(client: &Client, one: &OneRule, action: &str) -> anyhow::Result<Value> {
    let path = path(client, one, action).await?;
    client.call(Method::POST, &path, None).await
}

async fn run(
    client: &Client,
    one: &OneRule,
    action: &str,
    amount: Option<i64>,
) -> anyhow::Result<Answer> {
    let path = path(client, one, action).await?;
    let body = json!({"amount_in_cents": amount});
    Ok((post(client, &path, &body).await?, RUN))
}

/// Faults and findings in one table. Anything worse than a warning is an error of the command.
async fn lint(
    client: &Client,
    tenant: &InTenant,
    file: Option<&str>,
    owner: Option<String>,
) -> anyhow::Result<Answer> {
    let base = at(client, tenant).await?;
    let rule = file.map(read).transpose()?;
    let owner = match (owner, &rule) {
        (None, None) => {
            let owners = get(client, &format!("{base}/owners")).await?;
            Some(only(&owners, "owner", "--owner")?)
        }
        (owner, _) => owner,
    };
    let body = json!({"owner_id": owner, "rule": rule});
    let answer = post(client, &format!("{base}/rules/lint"), &body).await?;
    let faults = answer["faults"].as_array().into_iter().flatten();
    let mut rows: Vec<Value> = faults
        .map(|fault| {
            let mut row = fault.clone();
            row["severity"] = json!("error");
            row
        })
        .collect();
    rows.extend(answer["findings"].as_array().into_iter().flatten().cloned());
    let errors: Vec<String> = rows
        .iter()
        .filter(|row| row["severity"] == "error")
        .map(|row| {
            let word = |name: &str| row[name].as_str().unwrap_or("?").to_owned();
            format!("{}: {} ({})", word("path"), word("message"), word("code"))
        })
        .collect();
    if !errors.is_empty() {
        bail!("{}", errors.join("\n"));
    }
    Ok((json!({"data": rows}), FOUND))
}

/// `acc_…` or `acc_…=20`, with the number under this name.
fn with_numbers(texts: &[String], name: &str) -> anyhow::Result<Vec<Value>> {
    let member = |text: &String| {
        let (id, number) = match text.split_once('=') {
            None => (text.as_str(), Value::Null),
            Some((id, number)) => {
                let number: Value = serde_json::from_str(number)
                    .with_context(|| format!("`{number}` is no number"))?;
                (id, number)
            }
        };
        Ok(json!({"id": id, name: number}))
    };
    texts.iter().map(member).collect()
}

/// JSON from a file, or from standard input.
fn read(file: &str) -> anyhow::Result<Value> {
    let text = match file {
        "-" => std::io::read_to_string(std::io::stdin()).context("reading standard input")?,
        file => std::fs::read_to_string(file).with_context(|| format!("reading {file}"))?,
    };
    let rule: Value = serde_json::from_str(&text).with_context(|| format!("{file} is not JSON"))?;
    if !rule.is_object() {
        bail!("{file} must be a JSON object");
    }
    Ok(rule)
}
