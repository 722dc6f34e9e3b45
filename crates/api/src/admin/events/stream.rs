//! The event log as server-sent events: what is there, then what comes.
//!
//! A reader that was cut off comes back with `Last-Event-ID` and misses nothing. A slow reader holds
//! up nobody: what it has not taken is read when it takes it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use futures_util::stream;
use service::events::EventQuery;
use store::Place;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Asked, EventBody, Form, event_id, read_event};
use crate::App;
use crate::admin::problem::Problem;
use crate::admin::request::{Answer, finish};

/// How often a quiet stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);
/// What it says then: a line that is no event.
const ALIVE_COMMENT: &[u8] = b":\n\n";
/// How long news of this server are waited for before it is looked whether the server stops.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is looked for what other servers have committed.
const LOOK_PEERS: Duration = Duration::from_millis(250);

pub(in crate::admin) async fn stream(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    finish(open(app, &headers, query.as_deref()).await)
}

async fn open(app: Arc<App>, headers: &HeaderMap, query: Option<&str>) -> Answer {
    let asked = Asked::read(query)?;
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| read_event(id.to_str().ok()?));
    let default = match last {
        Some(last) => last,
        None => newest(&app, &asked).await?,
    };
    let mut query = asked.query(&app, default).await?;
    // A reader that comes back has read more than its URL says.
    query.after = last.unwrap_or(query.after);
    let news = app.service().store().news();
    let follower = Follower {
        look: if app.service().has_peers() {
            LOOK_PEERS
        } else {
            LOOK
        },
        app,
        query,
        form: asked.form,
        news,
        // Said at once: until something comes, a reader would not know that it is heard.
        waiting: VecDeque::from([Bytes::from_static(ALIVE_COMMENT)]),
        spoken_at: Instant::now(),
    };
    let chunks = stream::unfold(follower, |mut follower| async move {
        let chunk = follower.next().await?;
        Some((Ok::<Bytes, Infallible>(chunk), follower))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn newest(app: &App, asked: &Asked) -> Result<Place, Problem> {
    let tenant = super::tenant_id(&asked.tenant);
    Ok(app.service().newest_event(tenant).await?)
}

struct Follower {
    app: Arc<App>,
    query: EventQuery,
    form: Form,
    news: watch::Receiver<u64>,
    waiting: VecDeque<Bytes>,
    look: Duration,
    spoken_at: Instant,
}

impl Follower {
    /// The next piece of the stream; `None` when the server stops or cannot read.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.waiting.pop_front() {
                self.spoken_at = Instant::now();
                return Some(chunk);
            }
            if self.app.is_draining() {
                return None;
            }
            self.news.borrow_and_update();
            let page = match self.app.service().events(&self.query).await {
                Ok(page) => page,
                Err(error) => {
                    // The reader comes back and goes on where it was.
                    tracing::warn!(%error, "a stream of events was cut");
                    return None;
                }
            };
            self.query.after = page.through;
            let chunks = page.events.iter().map(|event| self.chunk(event));
            self.waiting = chunks.collect();
            if !self.waiting.is_empty() || page.more {
                continue;
            }
            if self.spoken_at.elapsed() >= ALIVE {
                self.waiting.push_back(Bytes::from_static(ALIVE_COMMENT));
                continue;
            }
            // Either the news or the time; a closed store is found by the next read.
            drop(tokio::time::timeout(self.look, self.news.changed()).await);
        }
    }

    fn chunk(&self, event: &service::events::Event) -> Bytes {
        let body = serde_json::to_string(&EventBody::new(event, self.form))
            .expect("wire types have string keys only");
        let (id, name) = (event_id(event.id), event.name);
        Bytes::from(format!("id: {id}\nevent: {name}\ndata: {body}\n\n"))
    }
}
