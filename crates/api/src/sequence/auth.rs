//! `Authorization: ApiKey <key>`.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use service::ApiKey;

use super::errors::Failure;
use crate::App;

/// The calling key. The scheme's name is case-insensitive, as in all of HTTP (RFC 9110 §11.1).
pub(super) fn authenticate(app: &App, headers: &HeaderMap) -> Result<Arc<ApiKey>, Failure> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Failure::Unauthorized);
    };
    let text = value.to_str().map_err(|_| Failure::Unauthorized)?;
    let (scheme, key) = text.split_once(' ').ok_or(Failure::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("ApiKey") {
        return Err(Failure::Unauthorized);
    }
    app.service()
        .authenticate(key.trim())?
        .ok_or(Failure::Unauthorized)
}
