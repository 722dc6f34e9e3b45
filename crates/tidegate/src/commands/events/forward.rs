//! Sends events to a URL of the developer's own machine, signed and tried again like webhooks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::Value;
use webhooks::{
    Limits, Outgoing, Policy, Secret, Sender, SystemResolver, Target, standard_signature,
};

/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Where events go.
pub(super) struct Forward {
    sender: Sender,
    target: Target,
    secret: Secret,
    tries: Option<u32>,
}

impl Forward {
    /// Prints the secret when it makes one.
    pub(super) fn new(
        to: &str,
        secret: Option<&str>,
        tries: Option<u32>,
    ) -> anyhow::Result<Forward> {
        // It is the developer's own machine that connects, to where its user says.
        let everywhere = ["0.0.0.0/0", "::/0"].map(str::parse);
        let policy = Policy {
            allowed: everywhere.into_iter().collect::<Result<_, _>>()?,
        };
        let target = Target::parse(to, &policy).with_context(|| format!("--to {to}"))?;
        let secret = match secret {
            Some(text) => Secret::parse(text).context("--secret must be whsec_ and 32 bytes")?,
            None => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
                let secret = Secret::new(bytes);
                eprintln!("signing with {}", secret.text());
                secret
            }
        };
        Ok(Forward {
            sender: Sender::new(policy, Arc::new(SystemResolver), Limits::default()),
            target,
            secret,
            tries,
        })
    }

    /// Sends one event until it is taken.
    pub(super) async fn send(&mut self, event: &Value) -> anyhow::Result<()> {
        let id = event["id"].as_str().context("an event without an id")?;
        let name = event["type"].as_str().unwrap_or("-");
        let mut pause = Duration::from_secs(1);
        let mut tried: u32 = 0;
        loop {
            tried = tried.saturating_add(1);
            let sent = self.sender.send(&self.request(id, event)?).await;
            let elapsed_ms = sent.elapsed.as_millis();
            let said = match sent.result {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    crate::output::line(&format!(
                        "{id}  {name:<24}  {}  {elapsed_ms} ms",
                        answer.status
                    ));
                    return Ok(());
                }
                Ok(answer) => format!("status {}", answer.status),
                Err(failure) => failure.to_string(),
            };
            crate::output::line(&format!("{id}  {name:<24}  {said}  {elapsed_ms} ms"));
            if self.tries.is_some_and(|tries| tried >= tries) {
                bail!("{id} was not taken in {tried} tries: {said}");
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    /// The request of one try, with a timestamp and a signature of its own.
    fn request(&self, id: &str, event: &Value) -> anyhow::Result<Outgoing> {
        let now = jiff::Timestamp::now().as_second();
        let body = event.to_string();
        let secrets = std::slice::from_ref(&self.secret);
        let signature = standard_signature(secrets, id, now, body.as_bytes());
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (
                HeaderName::from_static("webhook-id"),
                HeaderValue::from_str(id)?,
            ),
            (
                HeaderName::from_static("webhook-timestamp"),
                HeaderValue::from(now),
            ),
            (
                HeaderName::from_static("webhook-signature"),
                HeaderValue::from_str(&signature)?,
            ),
        ];
        Ok(Outgoing {
            target: self.target.clone(),
            headers,
            body: body.into(),
        })
    }
}
