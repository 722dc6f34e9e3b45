//! `POST /multi/transfers` and `GET /multi/transfers/{id}`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{Numbers, reply, spell};

const REQUEST_REF: HeaderName = HeaderName::from_static("request-ref");
/// A time of thirteen digits, as those of today are.
const AT: i64 = 1_800_000_000_000;

/// The body of a request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateTransferBody {
    profile_id: String,
    tag: Option<String>,
    source: InstrumentBody,
    description: Option<String>,
    destination: InstrumentBody,
    destination_amount: SumBody,
    scheduled_timestamp: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct InstrumentBody {
    id: String,
    r#type: InstrumentType,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InstrumentType {
    ManagedCards,
    ManagedAccounts,
}

#[derive(Serialize, Deserialize)]
struct SumBody {
    currency: String,
    amount: i64,
}

/// The body of an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TransferBody {
    id: String,
    profile_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    source: InstrumentBody,
    destination: InstrumentBody,
    destination_amount: SumBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    state: &'static str,
    creation_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_timestamp: Option<String>,
}

pub(super) async fn create(State(numbers): State<Arc<Numbers>>, body: Bytes) -> Response {
    let request_ref = spell("req_", numbers.next());
    let Ok(request) = serde_json::from_slice::<CreateTransferBody>(&body) else {
        return reply(
            StatusCode::BAD_REQUEST,
            REQUEST_REF,
            &request_ref,
            Vec::new(),
        );
    };
    let executed = request.scheduled_timestamp.is_none();
    let transfer = TransferBody {
        id: numbers.next().to_string(),
        profile_id: request.profile_id,
        tag: request.tag,
        source: request.source,
        destination: request.destination,
        destination_amount: request.destination_amount,
        description: request.description,
        state: if executed { "COMPLETED" } else { "SCHEDULED" },
        creation_timestamp: AT,
        scheduled_timestamp: request.scheduled_timestamp,
        execution_timestamp: executed.then(|| AT.to_string()),
    };
    render(&request_ref, &transfer)
}

/// A transfer with the id that was asked for and nothing else of its own.
pub(super) async fn find(State(numbers): State<Arc<Numbers>>, Path(id): Path<String>) -> Response {
    let request_ref = spell("req_", numbers.next());
    if id.parse::<u64>().is_err() {
        return reply(
            StatusCode::BAD_REQUEST,
            REQUEST_REF,
            &request_ref,
            Vec::new(),
        );
    }
    let instrument = |id: u64| InstrumentBody {
        id: id.to_string(),
        r#type: InstrumentType::ManagedAccounts,
    };
    // Ids of eighteen digits, as those of today are.
    let transfer = TransferBody {
        id,
        profile_id: (100_000_000_000_000_000_u64).to_string(),
        tag: None,
        source: instrument(100_000_000_000_000_001),
        destination: instrument(100_000_000_000_000_002),
        destination_amount: SumBody {
            currency: "EUR".to_owned(),
            amount: 100,
        },
        description: None,
        state: "COMPLETED",
        creation_timestamp: AT,
        scheduled_timestamp: None,
        execution_timestamp: Some(AT.to_string()),
    };
    render(&request_ref, &transfer)
}

fn render(request_ref: &str, transfer: &TransferBody) -> Response {
    let body = serde_json::to_vec(transfer).expect("all keys are texts");
    reply(StatusCode::OK, REQUEST_REF, request_ref, body)
}
