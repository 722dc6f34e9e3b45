//! The console: a page in the browser that speaks to the admin API, served beside it at `/console/`.
//!
//! Its built files (`console/dist`) are part of the program; a debug build reads them from the source
//! tree. Nothing here knows a secret: whoever opens the page shows the admin token.

use std::borrow::Cow;

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};
use service::spelling::bytes_text;

/// Where the page is, on the admin listener.
pub(crate) const PATH: &str = "/console/";

/// The page may load what is beside it and ask the listener it came from, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const INDEX: &str = "index.html";
/// Files below have the hash of what they contain in their names.
const HASHED: &str = "assets/";

#[derive(Embed)]
#[folder = "../../console/dist"]
struct Files;

/// The console's routes: its files, its page at every other path below [`PATH`], and a way there from
/// `/`.
pub fn router() -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary(PATH) }))
        .route("/console", get(|| async { Redirect::temporary(PATH) }))
        .route("/console/", get(serve))
        .route("/console/{*path}", get(serve))
}

/// An address that opens the console and signs in. What is behind `#` stays in the browser.
pub(crate) fn link(admin: &str, token: &str) -> String {
    format!("{admin}{PATH}#token={token}")
}

async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().strip_prefix(PATH).unwrap_or_default();
    if let Some(file) = Files::get(path) {
        return answer(path, file, &headers);
    }
    // Paths of the page's own, such as `/console/ten_…/money`, are the page's to understand.
    let page = Files::get(INDEX).filter(|_| !path.starts_with(HASHED));
    match page {
        Some(page) => answer(INDEX, page, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(path: &str, file: EmbeddedFile, request: &HeaderMap) -> Response {
    // Hashed when the program was built.
    let tag = format!("\"{}\"", bytes_text(&file.metadata.sha256_hash()));
    let known = request
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known == &tag);
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => match file.data {
            Cow::Borrowed(bytes) => Body::from(bytes).into_response(),
            Cow::Owned(bytes) => Body::from(bytes).into_response(),
        },
    };
    let caching = match path.starts_with(HASHED) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_TYPE, content_type(path));
    set(CACHE_CONTROL, caching);
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "no-referrer");
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
