//! `GET /idempotency-keys/{key}`: what became of a key that the caller has used. An addition of ours.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use service::{Became, KeyCaller, KeyUse, Made};
use utoipa::ToSchema;

use super::errors::Failure;
use super::wire::TransferBody;
use super::{auth, envelope, ids, request_id};
use crate::http::{PathText, path_text};
use crate::key_state::KeyState;
use crate::{App, metrics, time};

/// What became of an idempotency key.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyBody {
    /// `applied`, `refused`, `in_flight` or `never_seen`.
    #[schema(value_type = String)]
    state: KeyState,
    /// What it was used for; one key may be used once for each operation.
    uses: Vec<KeyUseBody>,
}

/// One use of a key.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyUseBody {
    /// `applied`, `refused` or `in_flight`.
    #[schema(value_type = String)]
    state: KeyState,
    /// Such as `create_transfer`.
    operation: String,
    /// When it was decided.
    at: Option<String>,
    /// The request id of the original answer.
    request_id: Option<String>,
    /// What was made or changed.
    resource_id: Option<String>,
    /// The transfer that was made, as it is now.
    transfer: Option<TransferBody>,
    /// Why it was refused.
    error: Option<KeyErrorBody>,
}

/// Why a use of a key was refused. The key is free again.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyErrorBody {
    code: String,
    message: String,
}

impl KeyUseBody {
    fn new(found: &KeyUse) -> KeyUseBody {
        let mut body = KeyUseBody {
            state: KeyState::of(found),
            operation: found.operation.clone(),
            at: None,
            request_id: None,
            resource_id: None,
            transfer: None,
            error: None,
        };
        match &found.became {
            Became::InFlight => {}
            Became::Applied {
                at,
                request_id,
                made,
            } => {
                body.at = Some(time::render(*at));
                body.request_id = Some(request_id.to_string());
                body.resource_id = resource(made);
                if let Made::Transfer(row) = made {
                    let (source, destination) = (row.source.as_ref(), row.destination.as_ref());
                    body.transfer = Some(TransferBody::new(&row.transfer, source, destination));
                }
            }
            Became::Refused {
                at,
                request_id,
                code,
                message,
                ..
            } => {
                body.at = Some(time::render(*at));
                body.request_id = request_id.as_deref().map(str::to_owned);
                body.error = Some(KeyErrorBody {
                    code: code.to_string(),
                    message: message.to_string(),
                });
            }
        }
        body
    }
}

fn resource(made: &Made) -> Option<String> {
    match made {
        Made::Transfer(row) => Some(ids::spell(ids::TRANSFER, row.transfer.id.raw())),
        Made::Account(id) => Some(ids::spell(ids::ACCOUNT, id.raw())),
        Made::Rule(id) => Some(ids::spell(ids::RULE, id.raw())),
        Made::Execution(id) => Some(ids::spell(ids::EXECUTION, id.raw())),
        Made::Bulk(_) | Made::Record(..) | Made::Nothing => None,
    }
}

/// What became of an idempotency key of the caller.
#[utoipa::path(
    get, path = "/idempotency-keys/{key}", operation_id = "lookUpIdempotencyKey", tag = "Idempotency",
    params(
        ("key" = String, Path, description = "As it was sent in `Idempotency-Key`."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "What became of it, by now.", body = inline(super::openapi::KeySuccess)),
        (status = 400, description = "It is no key: 1 to 255 characters.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, key: PathText, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match look_up(&app, &parts.headers, &path_text(key), usable).await {
            Ok(uses) => {
                let data = KeyBody {
                    state: KeyState::of_all(&uses),
                    uses: uses.iter().map(KeyUseBody::new).collect(),
                };
                envelope::succeed(StatusCode::OK, &id, &id, data, None)
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "lookUpIdempotencyKey", answer).await
}

async fn look_up(
    app: &App,
    headers: &HeaderMap,
    text: &str,
    usable: Result<(), Failure>,
) -> Result<Vec<KeyUse>, Failure> {
    let key = auth::authenticate(app, headers)?;
    usable?;
    let callers = [KeyCaller::Key(key.id)];
    Ok(app
        .service()
        .look_up_key(key.tenant, text, &callers)
        .await?)
}
