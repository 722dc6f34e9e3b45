//! Reading admin requests, and answering them.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::BODY_MAX;
use super::problem::Problem;
use crate::http::{is_json, json_response, read_body};
use crate::json::Fields;

/// The answer of a handler.
pub(super) type Answer = Result<Response, Problem>;

/// A JSON body's fields.
pub(super) async fn fields(headers: &HeaderMap, body: Body) -> Result<Fields, Problem> {
    if !is_json(headers) {
        return Err(Problem::not_json());
    }
    let bytes = read_body(body, BODY_MAX).await.map_err(Problem::body)?;
    Ok(Fields::parse(&bytes)?)
}

/// The response of a handler.
pub(super) fn finish(answer: Answer) -> Response {
    answer.unwrap_or_else(Problem::into_response)
}

pub(super) fn ok(body: &impl Serialize) -> Answer {
    answer(StatusCode::OK, body)
}

pub(super) fn created(body: &impl Serialize) -> Answer {
    answer(StatusCode::CREATED, body)
}

pub(super) fn no_content() -> Answer {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// `{"data": […]}`.
#[derive(Serialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
}

fn answer(status: StatusCode, body: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(body).expect("wire types have string keys only");
    Ok(json_response(status, bytes))
}
