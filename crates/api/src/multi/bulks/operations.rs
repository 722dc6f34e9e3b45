//! `GET /bulks/{bulk_id}/operations`: what a bulk does, in its order, and what became of it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::BulkId;
use serde::Serialize;
use service::multi::Surface;
use store::BulkOperationQuery;
use utoipa::ToSchema;

use super::wire::{OPERATION_STATES, OperationBody, OperationState};
use crate::http::PathText;
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::query::Query;
use crate::multi::wire::{path_id, succeed};
use crate::multi::{auth, schemas};
use crate::{App, metrics};

/// A page of operations.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BulkProcessOperationsPaged)]
pub struct OperationsBody {
    operations: Vec<OperationBody>,
    /// How many match in all.
    count: u64,
    /// How many are in this answer.
    response_count: usize,
}

struct ListOperations {
    offset: u32,
    limit: u32,
    sequence: Option<i64>,
    status: Option<OperationState>,
}

fn parse(query: Option<&str>) -> Result<ListOperations, Vec<InvalidField>> {
    let mut query = Query::parse(query);
    let list = ListOperations {
        offset: query.offset(),
        limit: query.limit(),
        sequence: query.integer("sequence", i64::MIN..=i64::MAX),
        status: query.choice("status", OPERATION_STATES),
    };
    query.finish()?;
    Ok(list)
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    bulk: PathText,
    parts: Parts,
) -> Response {
    let answer = async {
        match list(&app, surface, bulk, &parts).await {
            Ok(body) => succeed(StatusCode::OK, &body),
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiListBulkOperations", answer).await
}

async fn list(
    app: &App,
    surface: Surface,
    bulk: PathText,
    parts: &Parts,
) -> Result<OperationsBody, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let (id, list) = both(path_id("bulk_id", bulk), parse(parts.uri.query()))?;
    let (service, actor) = (app.service(), call.actor());
    let bulk = service.bulk(&actor, BulkId::new(id)).await?;
    let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let state = list.status.map(|status| status.wanted(bulk.status));
    // Places are shown from 1 and kept from 0.
    let index = list.sequence.map(|sequence| {
        let index = sequence.checked_sub(1)?;
        u32::try_from(index).ok()
    });
    let (operations, count) = match (state, index) {
        (Some(None), _) | (_, Some(None)) => (Vec::new(), 0),
        (state, index) => {
            let query = BulkOperationQuery {
                tenant: bulk.tenant,
                bulk: bulk.id,
                index: index.flatten(),
                states: state.flatten().into_iter().collect(),
                offset: number(list.offset),
                limit: number(list.limit),
            };
            service.bulk_operations(&actor, query).await?
        }
    };
    let operations: Vec<OperationBody> = operations
        .iter()
        .map(|operation| OperationBody::of(&bulk, operation))
        .collect();
    Ok(OperationsBody {
        response_count: operations.len(),
        operations,
        count,
    })
}

/// Get a bulk's operations.
#[utoipa::path(
    get, path = "/bulks/{bulk_id}/operations", operation_id = "bulkIdOperationsGet", tag = "Bulk processes",
    params(
        ("bulk_id" = schemas::Id, Path, description = "The bulk."),
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("limit" = inline(Option<schemas::Limit>), Query),
        ("sequence" = inline(Option<schemas::Timestamp>), Query, description = "At this place, from 1."),
        ("status" = Option<OperationState>, Query, description = "With this status."),
    ),
    responses(
        (status = 200, description = "A page, in the bulk's order.", body = OperationsBody),
        (status = 404, description = "The caller's identity has no such bulk.", body = ErrorBody),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
