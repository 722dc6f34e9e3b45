//! A server that answers as Tidegate does and keeps nothing.
//!
//! Same HTTP stack, same runtime, same JSON in and out, same headers; no key is looked up, nothing
//! is decided and nothing is written. What it can do is what is left when the ledger costs nothing.

mod multi;
mod sequence;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use axum::Router;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use service::spelling::id_text;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// As many decimal digits as the ids of today have: eighteen.
const FIRST_NUMBER: u64 = 1 << 57;

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
        let sequence = Router::new().route("/transfers", post(sequence::create));
        let multi = Router::new()
            .route("/transfers", post(multi::create))
            .route("/transfers/{id}", get(multi::find));
        let routes = Router::new()
            .nest("/api/v1", sequence)
            .nest("/multi", multi)
            .with_state(Arc::new(Numbers(AtomicU64::new(FIRST_NUMBER))));
        let mut end = signal(SignalKind::terminate())?;
        let stop = async move {
            let _ = end.recv().await;
        };
        tidegate::listen::serve(listener, routes, stop).await;
        Ok(())
    })
}

/// Numbers for ids: each of the server's, and each of its requests'.
struct Numbers(AtomicU64);

impl Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// An answer in JSON, with the request's id in a header.
fn reply(status: StatusCode, name: HeaderName, request_id: &str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(name, value);
    }
    response
}

fn spell(prefix: &str, number: u64) -> String {
    let mut text = String::with_capacity(prefix.len() + 13);
    text.push_str(prefix);
    text.extend(id_text(number).map(char::from));
    text
}
