//! `POST /api/v1/transfers`.

use std::sync::Arc;

use api::sequence::create_transfer::CreateTransferBody;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::{Numbers, reply, spell};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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

pub(super) async fn create(
    State(numbers): State<Arc<Numbers>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(request) = serde_json::from_slice::<CreateTransferBody>(&body) else {
        return reply(StatusCode::BAD_REQUEST, REQUEST_ID, "", Vec::new());
    };
    let number = numbers.next();
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
    reply(StatusCode::CREATED, REQUEST_ID, &request_id, body)
}
