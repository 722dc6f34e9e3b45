//! Server-sent events, read until somebody has enough. A stream that is cut is gone on with where it
//! was.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::client::Client;

/// How long to wait before a stream that was cut is opened again.
const PAUSE: Duration = Duration::from_millis(500);

/// A stream of events.
pub(super) struct Lines<'a> {
    client: &'a Client,
    path: String,
    response: reqwest::Response,
    /// Bytes after the last whole event.
    rest: Vec<u8>,
    waiting: VecDeque<Value>,
    last: Option<String>,
}

impl<'a> Lines<'a> {
    pub(super) async fn open(client: &'a Client, path: String) -> anyhow::Result<Lines<'a>> {
        let response = client.stream(&path, None).await?;
        Ok(Lines {
            client,
            path,
            response,
            rest: Vec::new(),
            waiting: VecDeque::new(),
            last: None,
        })
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> anyhow::Result<Value> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.last = event["id"].as_str().map(str::to_owned);
                return Ok(event);
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => {
                    self.rest.extend_from_slice(&bytes);
                    self.waiting = take_whole(&mut self.rest)?;
                }
                Ok(None) | Err(_) => self.open_again().await?,
            }
        }
    }

    async fn open_again(&mut self) -> anyhow::Result<()> {
        self.rest.clear();
        tokio::time::sleep(PAUSE).await;
        let again = self.client.stream(&self.path, self.last.as_deref()).await;
        self.response = again.context("the stream was cut and cannot be opened again")?;
        Ok(())
    }
}

/// Takes the whole events off the front of what was read.
fn take_whole(rest: &mut Vec<u8>) -> anyhow::Result<VecDeque<Value>> {
    let mut events = VecDeque::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
        let whole: Vec<u8> = rest.drain(..end + 2).collect();
        let text = std::str::from_utf8(&whole).context("the stream is not UTF-8")?;
        if let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) {
            let event = serde_json::from_str(data).context("an event is not JSON")?;
            events.push_back(event);
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_when_they_are_whole() {
        let mut rest =
            b":\n\nid: evt_1\nevent: a\ndata: {\"id\":\"evt_1\"}\n\nid: evt_2\n".to_vec();
        let events = take_whole(&mut rest).expect("JSON");
        assert_eq!(events, [serde_json::json!({"id": "evt_1"})]);
        assert_eq!(rest, b"id: evt_2\n");
        rest.extend_from_slice(b"data: {\"id\":\"evt_2\"}\n\n");
        let events = take_whole(&mut rest).expect("JSON");
        assert_eq!(events, [serde_json::json!({"id": "evt_2"})]);
        assert!(rest.is_empty());
    }
}
