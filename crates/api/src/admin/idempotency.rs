//! What became of an idempotency key, for whoever is asked by a client that does not know.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use ledger::{KeyId, OwnerId};
use serde::Serialize;
use service::{Became, KeyCaller, KeyUse, Made};
use store::RecordKind;
use utoipa::ToSchema;

use super::ids::{self, spell};
use super::problem::Problem;
use super::request::{Answer, finish, ok};
use super::tenants::tenant_id;
use super::wire::TransferBody;
use crate::App;
use crate::http::Query;
use crate::key_state::KeyState;
use crate::time;

/// What became of an idempotency key.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyStateBody {
    /// `applied`, `refused`, `in_flight` or `never_seen`.
    #[schema(value_type = String)]
    state: KeyState,
    /// Who used it for what, API keys first; one key may be used once by each for each operation.
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
    /// The API key that used it.
    key_id: Option<String>,
    /// The identity whose user used it.
    owner_id: Option<String>,
    /// When it was decided, by the machine's clock.
    at: Option<String>,
    /// The request id of the original answer.
    request_id: Option<String>,
    /// What was made or changed.
    object_id: Option<String>,
    /// The transfer that was made, as it is now.
    transfer: Option<TransferBody>,
    /// Why it was refused.
    error: Option<KeyErrorBody>,
}

/// Why a use of a key was refused.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyErrorBody {
    code: String,
    message: String,
    /// Whether the key may be used again, for anything.
    key_is_free: bool,
}

impl KeyUseBody {
    fn new(found: &KeyUse) -> KeyUseBody {
        let (key_id, owner_id) = match found.caller {
            KeyCaller::Key(key) => (Some(spell(ids::KEY, key.raw())), None),
            KeyCaller::Identity(owner) => (None, Some(spell(ids::OWNER, owner.raw()))),
            KeyCaller::Programme => (None, None),
        };
        let mut body = KeyUseBody {
            state: KeyState::of(found),
            operation: found.operation.clone(),
            key_id,
            owner_id,
            at: None,
            request_id: None,
            object_id: None,
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
                body.object_id = object(made);
                if let Made::Transfer(row) = made {
                    body.transfer = Some(TransferBody::new(row));
                }
            }
            Became::Refused {
                at,
                request_id,
                code,
                message,
                is_free,
            } => {
                body.at = Some(time::render(*at));
                body.request_id = request_id.as_deref().map(str::to_owned);
                body.error = Some(KeyErrorBody {
                    code: code.to_string(),
                    message: message.to_string(),
                    key_is_free: *is_free,
                });
            }
        }
        body
    }
}

fn object(made: &Made) -> Option<String> {
    let (prefix, id) = match made {
        Made::Transfer(row) => (ids::TRANSFER, row.transfer.id.raw()),
        Made::Account(id) => (ids::ACCOUNT, id.raw()),
        Made::Bulk(id) => (ids::BULK, id.raw()),
        Made::Rule(id) => (ids::RULE, id.raw()),
        Made::Execution(id) => (ids::EXECUTION, id.raw()),
        Made::Record(RecordKind::User, id) => (ids::USER, *id),
        Made::Record(RecordKind::Identity, id) => (ids::OWNER, *id),
        Made::Record(..) | Made::Nothing => return None,
    };
    Some(spell(prefix, id))
}

pub(super) async fn look_up(
    State(app): State<Arc<App>>,
    Path((tenant, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    finish(find(&app, &tenant, &key, query.as_deref()).await)
}

async fn find(app: &App, tenant: &str, text: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let key = query.take("key_id");
    let owner = query.take("owner_id");
    if key.is_some() && owner.is_some() {
        query.fault("owner_id", "must be absent when key_id is given");
    }
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let (service, tenant) = (app.service(), tenant_id(tenant));
    let caller = match (&key, &owner) {
        (Some(key), _) => Some(KeyCaller::Key(KeyId::new(ids::read(ids::KEY, key)))),
        (None, Some(owner)) => {
            let owner = OwnerId::new(ids::read(ids::OWNER, owner));
            Some(KeyCaller::Identity(owner))
        }
        (None, None) => None,
    };
    let uses = match caller {
        Some(caller) => {
            service.tenant(tenant).await?;
            service.look_up_key(tenant, text, &[caller]).await?
        }
        None => service.look_up_key_of_all(tenant, text).await?,
    };
    ok(&KeyStateBody {
        state: KeyState::of_all(&uses),
        uses: uses.iter().map(KeyUseBody::new).collect(),
    })
}
