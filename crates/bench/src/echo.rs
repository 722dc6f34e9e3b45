//! A server that answers `POST /api/v1/transfers` as Tidegate does and keeps nothing.
//!
//! Same HTTP stack, same runtime, same JSON in and out, same headers; no key is looked up, nothing
//! is decided and nothing is written. What it can do is what is left when the ledger costs nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use api::sequence::create_transfer::CreateTransferBody;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;
use service::spelling::id_text;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves until the process is asked to end.
///
/// # Errors
/// When it cannot listen.
pub fn run(listen: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        println!("listening api=http://{}", listener.local_addr()?);
        let numbers = Arc::new(AtomicU64::new(1 << 60));
        let routes = Router::new()
            .nest("/api/v1", Router::new().route("/transfers", post(answer)))
            .with_state(numbers);
        let mut end = signal(SignalKind::terminate())?;
        let stop = async move {
            let _ = end.recv().await;
        };
        tidegate::listen::serve(listener, routes, stop).await;
        Ok(())
    })
}

#[derive(Serialize)]
struct Success<'a> {
    request_id: &'a str,
    data: TransferBody,
}

#[derive(Serialize)]
struct TransferBody {
    id: String,
    amount_in_cents: i64,
    direction: &'static str,
    origin: &'static str,
    status: &'static str,
    source: PartyBody,
    destination: PartyBody,
    rule_id: Option<String>,
    rule_execution_id: Option<String>,
    error_code: Option<&'static str>,
    created_at: String,
    completed_at: Option<String>,
}

#[derive(Serialize)]
struct PartyBody {
    id: String,
    name: String,
    r#type: &'static str,
}

impl PartyBody {
    fn new(id: String) -> PartyBody {
        PartyBody {
            id,
            name: "Pod".to_owned(),
            r#type: "pod",
        }
    }
}

async fn answer(
    State(numbers): State<Arc<AtomicU64>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(request) = serde_json::from_slice::<CreateTransferBody>(&body) else {
        return reply(StatusCode::BAD_REQUEST, Vec::new());
    };
    let number = numbers.fetch_add(1, Ordering::Relaxed);
    let request_id = match headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
    {
        Some(id) => id.to_owned(),
        None => spell("req_", number),
    };
    let success = Success {
        request_id: &request_id,
        data: TransferBody {
            id: spell("txr_", number),
            amount_in_cents: request.amount_in_cents,
            direction: "internal",
            origin: "user",
            status: "processing",
            source: PartyBody::new(request.source_account_id),
            destination: PartyBody::new(request.destination_account_id),
            rule_id: None,
            rule_execution_id: None,
            error_code: None,
            created_at: "2024-04-25T10:00:00Z".to_owned(),
            completed_at: None,
        },
    };
    let body = serde_json::to_vec(&success).expect("all keys are texts");
    let mut response = reply(StatusCode::CREATED, body);
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn reply(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn spell(prefix: &str, number: u64) -> String {
    let mut text = String::with_capacity(prefix.len() + 13);
    text.push_str(prefix);
    text.extend(id_text(number).map(char::from));
    text
}
