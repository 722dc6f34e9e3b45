//! `POST /bulks/{bulk_id}/execute`, `/pause`, `/resume` and `/cancel`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{BulkId, BulkMode, Steer};
use service::multi::Surface;
use utoipa::ToSchema;

use super::wire::{MODES, Mode};
use crate::http::PathText;
use crate::multi::body::{self, BODY_MAX};
use crate::multi::errors::{self, ErrorBody};
use crate::multi::failure::Failure;
use crate::multi::invalid::{InvalidField, both};
use crate::multi::wire::{done, path_id};
use crate::multi::{auth, fields, schemas};
use crate::{App, metrics};

/// How to execute, for the document.
#[derive(ToSchema)]
#[schema(as = BulkProcessExecute, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is read field by field")]
pub struct ExecuteBody {
    /// `ON_FAILURE_STOP` when absent.
    mode: Option<Mode>,
    /// After how many operations a webhook is sent.
    #[schema(minimum = 1, maximum = 2147483647)]
    webhook_interval: Option<i32>,
}

/// Reads how to execute. Without a mode the bulk stops at a failure, the more careful of the two.
fn parse(bytes: &[u8], strict: bool) -> Result<BulkMode, Vec<InvalidField>> {
    fields::parse(bytes, strict, |fields| {
        fields.optional_integer("webhookInterval", 1..=i64::from(i32::MAX));
        let mode = fields.optional_choice("mode", MODES);
        mode.map_or(BulkMode::StopOnFailure, BulkMode::from)
    })
}

/// Answers `execute`.
pub(in crate::multi) async fn execute(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    bulk: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let answer = async {
        let begun = async {
            let call = auth::call(&app, &parts.headers, surface)?;
            let bytes = body::json(&parts.headers, body, BODY_MAX).await?;
            let (id, mode) = both(path_id("bulk_id", bulk), parse(&bytes, call.strict))?;
            steer(&app, &call, id, Steer::Execute(mode)).await
        };
        finish(begun.await)
    };
    metrics::observed(&app, "multiExecuteBulk", answer).await
}

async fn steer(app: &App, call: &auth::Call, id: u64, steer: Steer) -> Result<(), Failure> {
    let (actor, bulk) = (call.actor(), BulkId::new(id));
    app.service().steer_bulk(&actor, bulk, steer).await?;
    Ok(())
}

fn finish(steered: Result<(), Failure>) -> Response {
    match steered {
        Ok(()) => done(),
        Err(failure) => errors::respond(failure),
    }
}

async fn without_body(
    app: &App,
    surface: Surface,
    bulk: PathText,
    parts: &Parts,
    body: Body,
    wanted: Steer,
) -> Response {
    let steered = async {
        let call = auth::call(app, &parts.headers, surface)?;
        body::nothing(body).await?;
        let id = path_id("bulk_id", bulk)?;
        steer(app, &call, id, wanted).await
    };
    finish(steered.await)
}

macro_rules! steers {
    ($($(#[$doc:meta])* $handler:ident, $steer:expr, $metric:literal;)*) => { $(
        $(#[$doc])*
        pub(in crate::multi) async fn $handler(
            State(app): State<Arc<App>>,
            State(surface): State<Surface>,
            bulk: PathText,
            parts: Parts,
            body: Body,
        ) -> Response {
            let answer = without_body(&app, surface, bulk, &parts, body, $steer);
            metrics::observed(&app, $metric, answer).await
        }
    )* };
}

steers! {
    /// Answers `pause`.
    pause, Steer::Pause, "multiPauseBulk";
    /// Answers `resume`.
    resume, Steer::Resume, "multiResumeBulk";
    /// Answers `cancel`.
    cancel, Steer::Cancel, "multiCancelBulk";
}

/// Execute a bulk.
#[utoipa::path(
    post, path = "/bulks/{bulk_id}/execute", operation_id = "bulkIdExecute", tag = "Bulk processes",
    params(("bulk_id" = schemas::Id, Path, description = "The bulk.")),
    request_body = ExecuteBody,
    responses(
        (status = 204, description = "It runs."),
        (status = 404, description = "The caller's identity has no such bulk.", body = ErrorBody),
        (status = 409, description = "It is not `SUBMITTED`.", body = super::wire::BulkConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn execute_operation() {}

/// Pause a bulk between two operations.
#[utoipa::path(
    post, path = "/bulks/{bulk_id}/pause", operation_id = "bulkIdPause", tag = "Bulk processes",
    params(("bulk_id" = schemas::Id, Path, description = "The bulk.")),
    responses(
        (status = 204, description = "It stands still."),
        (status = 404, description = "The caller's identity has no such bulk.", body = ErrorBody),
        (status = 409, description = "It is not `RUNNING`.", body = super::wire::BulkConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn pause_operation() {}

/// Resume a bulk.
#[utoipa::path(
    post, path = "/bulks/{bulk_id}/resume", operation_id = "bulkIdResume", tag = "Bulk processes",
    params(("bulk_id" = schemas::Id, Path, description = "The bulk.")),
    responses(
        (status = 204, description = "It runs again."),
        (status = 404, description = "The caller's identity has no such bulk.", body = ErrorBody),
        (status = 409, description = "It is not `PAUSED`.", body = super::wire::BulkConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn resume_operation() {}

/// Cancel a bulk; what has run stays.
#[utoipa::path(
    post, path = "/bulks/{bulk_id}/cancel", operation_id = "bulkIdCancel", tag = "Bulk processes",
    params(("bulk_id" = schemas::Id, Path, description = "The bulk.")),
    responses(
        (status = 204, description = "It will not run further."),
        (status = 404, description = "The caller's identity has no such bulk.", body = ErrorBody),
        (status = 409, description = "It has ended.", body = super::wire::BulkConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn cancel_operation() {}
