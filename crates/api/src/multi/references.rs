//! `GET /idempotency_refs/{ref}`: what became of a reference that the caller's identity has used. An
//! addition of ours.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use service::multi::Surface;
use service::{Became, KeyCaller, KeyUse, Made};
use utoipa::ToSchema;

use super::auth::{self, Answer, finish};
use super::transfers::wire::TransferBody;
use super::wire::succeed;
use crate::http::{PathText, path_text};
use crate::key_state::KeyState;
use crate::{App, metrics};

/// What became of an idempotency reference.
#[derive(Serialize, ToSchema)]
#[schema(as = IdempotencyRefGetResponse)]
pub(super) struct ReferenceBody {
    /// `APPLIED`, `REFUSED`, `IN_FLIGHT` or `NEVER_SEEN`.
    state: &'static str,
    /// What it was used for; one reference may be used once for each operation.
    uses: Vec<ReferenceUseBody>,
}

/// One use of a reference.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IdempotencyRefUse)]
pub(super) struct ReferenceUseBody {
    /// `APPLIED`, `REFUSED` or `IN_FLIGHT`.
    state: &'static str,
    /// Such as `transfer`.
    operation: String,
    /// When it was decided, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    /// The `request-ref` of the original answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_ref: Option<String>,
    /// What was made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The transfer that was made, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TransferBody>)]
    transfer: Option<Value>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
}

impl ReferenceUseBody {
    fn new(found: &KeyUse) -> ReferenceUseBody {
        let mut body = ReferenceUseBody {
            state: word(KeyState::of(found)),
            operation: found.operation.clone(),
            timestamp: None,
            request_ref: None,
            id: None,
            transfer: None,
            error_code: None,
        };
        match &found.became {
            Became::InFlight => {}
            Became::Applied {
                at,
                request_id,
                made,
            } => {
                body.timestamp = Some(at.0);
                body.request_ref = Some(request_id.to_string());
                body.id = made_id(made).map(|id| id.to_string());
                if let Made::Transfer(row) = made {
                    let transfer = service::multi::InstrumentTransfer::of((**row).clone());
                    body.transfer = transfer.as_ref().map(|transfer| {
                        let body = serde_json::to_value(TransferBody::of(transfer));
                        body.expect("wire types have string keys only")
                    });
                }
            }
            Became::Refused {
                at,
                request_id,
                code,
                ..
            } => {
                body.timestamp = Some(at.0);
                body.request_ref = request_id.as_deref().map(str::to_owned);
                body.error_code = Some(code.to_string());
            }
        }
        body
    }
}

fn made_id(made: &Made) -> Option<u64> {
    match made {
        Made::Transfer(row) => Some(row.transfer.id.raw()),
        Made::Account(id) => Some(id.raw()),
        Made::Bulk(id) => Some(id.raw()),
        Made::Record(_, id) => Some(*id),
        Made::Rule(_) | Made::Execution(_) | Made::Nothing => None,
    }
}

fn word(state: KeyState) -> &'static str {
    match state {
        KeyState::Applied => "APPLIED",
        KeyState::Refused => "REFUSED",
        KeyState::InFlight => "IN_FLIGHT",
        KeyState::NeverSeen => "NEVER_SEEN",
    }
}

/// What became of an idempotency reference.
#[utoipa::path(
    get, path = "/idempotency_refs/{ref}", operation_id = "idempotencyRefGet", tag = "Access",
    params(("ref" = String, Path, description = "As it was sent in `idempotency-ref`.")),
    responses((status = 200, description = "What became of it, by now.", body = ReferenceBody)),
)]
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    reference: PathText,
    parts: Parts,
) -> Response {
    let answer = async { finish(look_up(&app, surface, &path_text(reference), &parts).await) };
    metrics::observed(&app, "multiLookUpReference", answer).await
}

async fn look_up(app: &App, surface: Surface, text: &str, parts: &Parts) -> Answer {
    let call = auth::call(app, &parts.headers, surface)?;
    let (tenant, owner) = (call.caller.tenant, call.caller.owner);
    let callers = [KeyCaller::Identity(owner)];
    let uses = app.service().look_up_key(tenant, text, &callers).await?;
    Ok(succeed(
        StatusCode::OK,
        &ReferenceBody {
            state: word(KeyState::of_all(&uses)),
            uses: uses.iter().map(ReferenceUseBody::new).collect(),
        },
    ))
}
