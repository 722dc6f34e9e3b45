//! Commands about webhooks.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Answer, at, get, post};
use crate::cli::{OneWebhook, WebhookCommand};
use crate::client::Client;

const WEBHOOK: &[&str] = &[
    "id",
    "url",
    "format",
    "events",
    "enabled",
    "disabled_reason",
];
const ATTEMPT: &[&str] = &[
    "id",
    "event_id",
    "attempt",
    "at",
    "status",
    "failure",
    "elapsed_ms",
];
const REPLAY: &[&str] = &["id", "webhook_id", "url", "finished", "delivered", "failed"];

pub(super) async fn webhook(client: &Client, command: WebhookCommand) -> anyhow::Result<Answer> {
    let answer = match command {
        WebhookCommand::Create {
            tenant,
            url,
            format,
            full,
            events,
            accounts,
            concurrency,
            description,
        } => {
            let form = if full { "full" } else { "thin" };
            let body = given([
                ("url", json!(url)),
                ("format", json!(format)),
                ("form", json!(form)),
                ("events", json!(events)),
                ("accounts", json!(accounts)),
                ("concurrency", json!(concurrency)),
                ("description", json!(description)),
            ]);
            let path = format!("{}/webhooks", at(client, &tenant).await?);
            (post(client, &path, &body).await?, WEBHOOK)
        }
        WebhookCommand::List { tenant } => {
            let path = format!("{}/webhooks", at(client, &tenant).await?);
            (get(client, &path).await?, WEBHOOK)
        }
        WebhookCommand::Show(one) => (get(client, &path(client, &one).await?).await?, WEBHOOK),
        WebhookCommand::Disable(one) => (set(client, &one, false).await?, WEBHOOK),
        WebhookCommand::Enable(one) => (set(client, &one, true).await?, WEBHOOK),
        WebhookCommand::Delete(one) => {
            let path = path(client, &one).await?;
            (client.call(Method::DELETE, &path, None).await?, WEBHOOK)
        }
        WebhookCommand::Rotate { webhook, overlap } => {
            let path = format!("{}/rotate", path(client, &webhook).await?);
            let body = given([("overlap_s", json!(overlap))]);
            (post(client, &path, &body).await?, WEBHOOK)
        }
        WebhookCommand::Test(one) => {
            let path = format!("{}/test", path(client, &one).await?);
            (client.call(Method::POST, &path, None).await?, ATTEMPT)
        }
        WebhookCommand::Deliveries { webhook, event } => {
            let event = event.map(|event| format!("?event={event}"));
            let path = path(client, &webhook).await?;
            let path = format!("{path}/deliveries{}", event.unwrap_or_default());
            (get(client, &path).await?, ATTEMPT)
        }
        WebhookCommand::Replay {
            tenant,
            webhook,
            url,
            after,
            until,
            event,
            types,
        } => {
            let body = given([
                ("webhook_id", json!(webhook)),
                ("url", json!(url)),
                ("after", json!(after)),
                ("until", json!(until)),
                ("event", json!(event)),
                ("events", json!(types)),
            ]);
            let path = format!("{}/replays", at(client, &tenant).await?);
            (post(client, &path, &body).await?, REPLAY)
        }
        WebhookCommand::Replays { tenant } => {
            let path = format!("{}/replays", at(client, &tenant).await?);
            (get(client, &path).await?, REPLAY)
        }
    };
    Ok(answer)
}

/// What was given; a flag that was not says nothing.
fn given<const N: usize>(flags: [(&str, Value); N]) -> Value {
    let mut members = Map::new();
    for (name, value) in flags {
        if !value.is_null() && value != json!([]) {
            members.insert(name.to_owned(), value);
        }
    }
    Value::Object(members)
}

async fn path(client: &Client, one: &OneWebhook) -> anyhow::Result<String> {
    let base = at(client, &one.tenant).await?;
    Ok(format!("{base}/webhooks/{}", one.webhook))
}

async fn set(client: &Client, one: &OneWebhook, enabled: bool) -> anyhow::Result<Value> {
    let path = path(client, one).await?;
    let body = json!({"enabled": enabled});
    client.call(Method::PATCH, &path, Some(&body)).await
}
