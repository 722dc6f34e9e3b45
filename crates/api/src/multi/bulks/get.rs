//! `GET /bulks/{bulk_id}`: one bulk, and how many of its operations stand where.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::BulkId;
use serde::Serialize;
use service::multi::Surface;
use store::BulkRow;
use utoipa::ToSchema;

use super::wire::{BulkBody, OperationState};
use crate::http::PathText;
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::wire::{path_id, succeed};
use crate::multi::{auth, schemas};
use crate::{App, metrics};

/// A bulk with its counts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BulkProcessDetails)]
pub struct BulkDetailsBody {
    #[serde(flatten)]
    bulk: BulkBody,
    operation_status_counts: Vec<StatusCount>,
}

/// How many operations stand there.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkProcessOperationStatusCounts)]
pub struct StatusCount {
    status: OperationState,
    count: u32,
}

impl BulkDetailsBody {
    fn of(bulk: &BulkRow) -> BulkDetailsBody {
        let tried = bulk.succeeded.saturating_add(bulk.failed);
        let rest = bulk.operations.saturating_sub(tried);
        let counts = [
            (OperationState::of(bulk.status, None), rest),
            (OperationState::Completed, bulk.succeeded),
            (OperationState::Failed, bulk.failed),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        BulkDetailsBody {
            bulk: BulkBody::of(bulk),
            operation_status_counts: counts
                .map(|(status, count)| StatusCount { status, count })
                .collect(),
        }
    }
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    bulk: PathText,
    parts: Parts,
) -> Response {
    let answer = async {
        match get(&app, surface, bulk, &parts).await {
            Ok(bulk) => succeed(StatusCode::OK, &BulkDetailsBody::of(&bulk)),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiGetBulk", answer).await
}

async fn get(
    app: &App,
    surface: Surface,
    bulk: PathText,
    parts: &Parts,
) -> Result<BulkRow, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let id = BulkId::new(path_id("bulk_id", bulk)?);
    Ok(app.service().bulk(&call.actor(), id).await?)
}

/// Get a bulk.
#[utoipa::path(
    get, path = "/bulks/{bulk_id}", operation_id = "bulkIdGet", tag = "Bulk processes",
    params(("bulk_id" = schemas::Id, Path, description = "The bulk.")),
    responses(
        (status = 200, description = "As it is now.", body = BulkDetailsBody),
        (status = 404, description = "The caller's identity has no such bulk.", body = ErrorBody),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
