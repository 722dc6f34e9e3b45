//! `GET /bulks`: the identity's bulks, newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::BulkStatus;
use serde::Serialize;
use service::multi::Surface;
use store::{BulkPage, BulkQuery};
use utoipa::ToSchema;

use super::wire::{BulkBody, BulkState, STATES};
use crate::multi::failure::Failure;
use crate::multi::invalid::InvalidField;
use crate::multi::query::Query;
use crate::multi::wire::succeed;
use crate::multi::{auth, errors, schemas};
use crate::{App, metrics};

/// A page of bulks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BulkProcessesPaged)]
pub struct BulksBody {
    bulk_processes: Vec<BulkBody>,
    /// How many match in all.
    count: u64,
    /// How many are in this answer.
    response_count: usize,
}

struct ListBulks {
    offset: u32,
    limit: u32,
    status: Option<BulkStatus>,
}

fn parse(query: Option<&str>) -> Result<ListBulks, Vec<InvalidField>> {
    let mut query = Query::parse(query);
    let list = ListBulks {
        offset: query.offset(),
        limit: query.limit(),
        status: query.choice("status", STATES).map(BulkStatus::from),
    };
    query.finish()?;
    Ok(list)
}

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    parts: Parts,
) -> Response {
    let answer = async {
        match list(&app, surface, &parts).await {
            Ok(BulkPage { rows, count }) => {
                let bulk_processes: Vec<BulkBody> = rows.iter().map(BulkBody::of).collect();
                let body = BulksBody {
                    response_count: bulk_processes.len(),
                    bulk_processes,
                    count,
                };
                succeed(StatusCode::OK, &body)
            }
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiListBulks", answer).await
}

async fn list(app: &App, surface: Surface, parts: &Parts) -> Result<BulkPage, Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let list = parse(parts.uri.query())?;
    let query = BulkQuery {
        tenant: call.caller.tenant,
        owner: call.caller.owner,
        statuses: list.status.into_iter().collect(),
        offset: usize::try_from(list.offset).unwrap_or(usize::MAX),
        limit: usize::try_from(list.limit).unwrap_or(usize::MAX),
    };
    Ok(app.service().bulks(query).await?)
}

/// Get all bulks.
#[utoipa::path(
    get, path = "/bulks", operation_id = "bulksGet", tag = "Bulk processes",
    params(
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("limit" = inline(Option<schemas::Limit>), Query),
        ("status" = Option<BulkState>, Query, description = "With this status."),
    ),
    responses((status = 200, description = "A page, newest first.", body = BulksBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
