//! What every HTTP surface needs: bodies of bounded size, query strings, plain answers.

use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::json::Fault;

/// Why a body could not be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BodyError {
    /// Longer than the limit.
    TooLarge,
    /// The connection broke or the framing was wrong.
    Broken,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<axum::body::Bytes, BodyError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(BodyError::TooLarge)
        }
        Err(_) => Err(BodyError::Broken),
    }
}

/// Whether the body is declared as JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 17
            && essence[..12].eq_ignore_ascii_case("application/")
            && essence[essence.len() - 5..].eq_ignore_ascii_case("+json"))
}

/// One parameter of a path, as far as it is text.
pub(crate) type PathText = Result<Path<String>, PathRejection>;

/// A path's parameter. Bytes that are no UTF-8 are an id that nobody has, like any other text that
/// is no id.
pub(crate) fn path_text(text: PathText) -> String {
    text.map_or_else(|_| String::new(), |Path(text)| text)
}

/// The parameters of a query string, each at most once.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    pub(crate) faults: Vec<Fault>,
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Query {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        Query {
            pairs,
            faults: Vec::new(),
        }
    }

    /// A parameter's value; a second one is a fault.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.clone());
        if values.next().is_some() {
            self.fault(name, "must be given once");
        }
        first
    }

    /// A parameter's value through `read`; what it refuses is a fault with this reason.
    pub(crate) fn read<T>(
        &mut self,
        name: &str,
        reason: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        let read = read(&value);
        if read.is_none() {
            self.fault(name, reason);
        }
        read
    }

    pub(crate) fn fault(&mut self, name: &str, reason: &str) {
        self.faults.push(Fault::new(name, reason));
    }
}

/// An answer in JSON.
pub(crate) fn json_response(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer to a path that belongs to no dialect.
pub(crate) async fn nothing_here() -> Response {
    let body = r#"{"message":"Nothing is served at this path. The APIs are at /api/v1, /platform/v1 and /multi."}"#;
    json_response(StatusCode::NOT_FOUND, body.into()).into_response()
}
