//! Commands about events: a page of them, and following them as they happen.

mod forward;
mod lines;

use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use super::{Answer, at, get};
use crate::cli::{EventsCommand, Output, WhichEvents};
use crate::client::Client;
use lines::Lines;

const EVENT: &[&str] = &["id", "type", "created_at", "data.id", "data.status"];

/// A page of events.
pub(super) async fn list(client: &Client, which: &WhichEvents) -> anyhow::Result<Answer> {
    let limit = which.limit.map(|limit| format!("&limit={limit}"));
    let path = format!(
        "/events?{}{}",
        query(client, which).await?,
        limit.unwrap_or_default()
    );
    Ok((get(client, &path).await?, EVENT))
}

/// Follows events until enough have come, or for ever.
pub(crate) async fn follow(
    client: &Client,
    output: Output,
    command: &EventsCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        EventsCommand::List(_) => bail!("a list is no stream"),
        EventsCommand::Tail(which) => {
            let mut events = open(client, which).await?;
            let mut left = which.limit;
            while left != Some(0) {
                let event = events.next().await?;
                match output {
                    Output::Json => crate::output::line(&event),
                    Output::Table => crate::output::line(&line(&event)),
                }
                left = left.map(|left| left.saturating_sub(1));
            }
        }
        EventsCommand::Forward {
            which,
            to,
            secret,
            tries,
        } => {
            let mut events = open(client, which).await?;
            let mut forward = forward::Forward::new(to, secret.as_deref(), *tries)?;
            let mut left = which.limit;
            while left != Some(0) {
                let event = events.next().await?;
                forward.send(&event).await?;
                left = left.map(|left| left.saturating_sub(1));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn open<'a>(client: &'a Client, which: &WhichEvents) -> anyhow::Result<Lines<'a>> {
    let path = format!("/events/stream?{}", query(client, which).await?);
    Lines::open(client, path).await
}

async fn query(client: &Client, which: &WhichEvents) -> anyhow::Result<String> {
    let tenant = at(client, &which.tenant).await?;
    let tenant = tenant.trim_start_matches("/tenants/");
    let mut query = format!("tenant={tenant}");
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            query.push('&');
            query.push_str(name);
            query.push('=');
            query.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
    };
    add("after", which.after.as_deref());
    add("types", which.types.as_deref());
    add("accounts", which.accounts.as_deref());
    add("form", which.full.then_some("full"));
    Ok(query)
}

/// An event for people, in one line.
fn line(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!(
        "{}  {}  {:<24}  {}",
        text(&event["created_at"]),
        text(&event["id"]),
        text(&event["type"]),
        event["data"]
    )
}
