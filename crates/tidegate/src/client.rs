//! The command line's side of the admin API.

use anyhow::{Context, anyhow};
use reqwest::Method;
use serde_json::Value;

use crate::cli::Connection;
use crate::config::Whereabouts;
use crate::{console, secrets, serve};

/// A connection to a running server.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    /// Finds the server and its token: by flags and environment, else in the data folder.
    pub(crate) fn connect(connection: &Connection) -> anyhow::Result<Client> {
        let place = Whereabouts::find(connection.data_dir.as_deref(), None)?;
        let folder = place.data_dir;
        let base = match &connection.admin_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let path = serve::contact_path(&folder);
                let text = std::fs::read_to_string(&path).with_context(|| {
                    format!(
                        "no server is running on {} ({} is not there); start `tidegate serve`, \
                         or name its admin API with --admin-url",
                        folder.display(),
                        path.display()
                    )
                })?;
                let place: Value = serde_json::from_str(&text)
                    .with_context(|| format!("{} is not valid", path.display()))?;
                place["admin"]
                    .as_str()
                    .context("the server's place has no admin URL")?
                    .to_owned()
            }
        };
        let token = match &connection.admin_token {
            Some(token) => token.clone(),
            None => secrets::read_token(&secrets::admin_token_path(
                &folder,
                place.admin_token_file.as_deref(),
            ))
            .context("give the admin token with --admin-token or TIDEGATE_ADMIN_TOKEN")?,
        };
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Client { http, base, token })
    }

    /// An address that opens the server's console and signs in.
    pub(crate) fn console_link(&self) -> String {
        console::link(&self.base, &self.token)
    }

    /// A stream below `/admin/v1`, from after the event `last`.
    pub(crate) async fn stream(
        &self,
        path: &str,
        last: Option<&str>,
    ) -> anyhow::Result<reqwest::Response> {
        let url = format!("{}/admin/v1{path}", self.base);
        let mut request = self.http.get(&url).bearer_auth(&self.token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("no answer from {}", self.base))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    /// One call below `/admin/v1`. An answer without a body is `null`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/admin/v1{path}", self.base);
        let mut request = self.http.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("no answer from {}", self.base))?;
        let status = response.status();
        let bytes = response.bytes().await.context("the answer broke off")?;
        let answer: Value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).context("the answer is not JSON")?
        };
        if !status.is_success() {
            return Err(said(&answer, status));
        }
        Ok(answer)
    }
}

async fn refusal(response: reqwest::Response) -> anyhow::Error {
    let status = response.status();
    let bytes = response.bytes().await.unwrap_or_default();
    said(&serde_json::from_slice(&bytes).unwrap_or_default(), status)
}

fn said(answer: &Value, status: reqwest::StatusCode) -> anyhow::Error {
    let detail = answer["detail"].as_str().unwrap_or("no reason given");
    let code = answer["code"].as_str().unwrap_or("unknown");
    anyhow!("{detail} ({code}, HTTP {})", status.as_u16())
}
