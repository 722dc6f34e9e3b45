//! Commands about profiles.

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Answer, at, get, post};
use crate::cli::{OneProfile, ProfileCommand};
use crate::client::Client;

const PROFILE: &[&str] = &["id", "multi_id", "name", "type", "active", "currencies"];

pub(super) async fn profile(client: &Client, command: ProfileCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        ProfileCommand::Create {
            tenant,
            name,
            r#type,
            currencies,
            mode,
            terms,
        } => {
            let currencies = (!currencies.is_empty()).then_some(currencies);
            let body = body(
                terms.as_deref(),
                [
                    ("name", json!(name)),
                    ("type", json!(r#type)),
                    ("currencies", json!(currencies)),
                    ("mode", json!(mode)),
                ],
            )?;
            let path = format!("{}/profiles", at(client, &tenant).await?);
            post(client, &path, &body).await?
        }
        ProfileCommand::List { tenant } => {
            get(client, &format!("{}/profiles", at(client, &tenant).await?)).await?
        }
        ProfileCommand::Show(profile) => get(client, &path(client, &profile).await?).await?,
        ProfileCommand::Change {
            profile,
            name,
            currencies,
            terms,
        } => {
            let currencies = (!currencies.is_empty()).then_some(currencies);
            let changes = [("name", json!(name)), ("currencies", json!(currencies))];
            let body = body(terms.as_deref(), changes)?;
            patch(client, &profile, &body).await?
        }
        ProfileCommand::Activate(profile) => {
            patch(client, &profile, &json!({"active": true})).await?
        }
        ProfileCommand::Deactivate(profile) => {
            patch(client, &profile, &json!({"active": false})).await?
        }
    };
    Ok((answer, PROFILE))
}

async fn path(client: &Client, one: &OneProfile) -> anyhow::Result<String> {
    let base = at(client, &one.tenant).await?;
    Ok(format!("{base}/profiles/{}", one.profile))
}

async fn patch(client: &Client, one: &OneProfile, body: &Value) -> anyhow::Result<Value> {
    let path = path(client, one).await?;
    client.call(Method::PATCH, &path, Some(body)).await
}

/// The terms with what the flags say; a flag that was not given says nothing.
fn body<const N: usize>(terms: Option<&str>, flags: [(&str, Value); N]) -> anyhow::Result<Value> {
    let mut members = match terms {
        Some(terms) => read(terms)?,
        None => Map::new(),
    };
    for (name, value) in flags {
        if value.is_null() {
            continue;
        }
        if members.insert(name.to_owned(), value).is_some() {
            bail!("`{name}` is given twice: as a flag and in --terms");
        }
    }
    Ok(Value::Object(members))
}

/// JSON, or `@FILE` with JSON in it.
fn read(terms: &str) -> anyhow::Result<Map<String, Value>> {
    let text = match terms.strip_prefix('@') {
        Some("-") => std::io::read_to_string(std::io::stdin()).context("reading standard input")?,
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("reading {file}"))?,
        None => terms.to_owned(),
    };
    serde_json::from_str(&text).context("--terms must be a JSON object")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_terms_make_one_body() {
        let flags = || [("name", json!("T")), ("mode", Value::Null)];
        let made = body(Some(r#"{"forex": true}"#), flags()).expect("an object");
        assert_eq!(made, json!({"name": "T", "forex": true}));
        assert_eq!(body(None, flags()).expect("flags"), json!({"name": "T"}));
        for wrong in [r#"{"name": "U"}"#, "[]", "{", "@/nowhere/terms.json"] {
            assert!(body(Some(wrong), flags()).is_err(), "{wrong}");
        }
    }
}
