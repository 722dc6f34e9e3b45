//! Success and error envelopes, with the request id in header and body.

use axum::body::Body;
use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::errors::{Failure, refusal};
use super::request_id;
use crate::App;
use crate::http::json_response;

/// `{"request_id": …, "data": …}`, for lists with `page_info` beside `data`.
#[derive(Serialize)]
pub(super) struct Success<'a, T> {
    pub request_id: &'a str,
    pub data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_info: Option<PageInfo>,
}

/// Where the next page begins.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct PageInfo {
    /// Whether there are older items.
    pub has_next_page: bool,
    /// The cursor for `after`; null on an empty page.
    #[schema(required)]
    pub end_cursor: Option<String>,
}

/// `{"error": {"code": …, "message": …}}`; the seeds show no request id in it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ErrorEnvelope {
    error: ErrorBody,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ErrorBody {
    /// Stable; compare this.
    code: &'static str,
    /// For people.
    message: String,
}

/// A success. `header_id` is this request's; `body_id` differs from it in a replayed answer.
pub(super) fn succeed<T: Serialize>(
    status: StatusCode,
    header_id: &str,
    body_id: &str,
    data: T,
    page_info: Option<PageInfo>,
) -> Response {
    let body = serde_json::to_vec(&Success {
        request_id: body_id,
        data,
        page_info,
    });
    with_id(
        json_response(status, body.expect("wire types have string keys only")),
        header_id,
    )
}

/// A success without a body.
pub(super) fn done(header_id: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    with_id(response, header_id)
}

/// A refusal of a request whose id has not been looked at yet.
pub(super) fn refuse(app: &App, headers: &HeaderMap, failure: Failure) -> Response {
    let (id, _) = request_id::of(app, headers);
    fail(&id, &failure)
}

/// A refusal.
pub(super) fn fail(id: &str, failure: &Failure) -> Response {
    let refusal = refusal(failure);
    if refusal.status.is_server_error() {
        tracing::error!(request_id = id, ?failure, "request failed");
    }
    let error = ErrorBody {
        code: refusal.code,
        message: refusal.message,
    };
    let body = serde_json::to_vec(&ErrorEnvelope { error });
    let mut response = json_response(
        refusal.status,
        body.expect("wire types have string keys only"),
    );
    if refusal.status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("ApiKey");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    if let Some(seconds) = refusal.retry_after_s {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    with_id(response, id)
}

fn with_id(mut response: Response, id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(request_id::NAME, value);
    }
    response
}
