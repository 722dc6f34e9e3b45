//! `POST /managed_accounts/{id}/block`: stops an account until it is unblocked. There is no body; one that comes is not
//! looked at.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::InstrumentClass;
use service::multi::Surface;

use crate::http::PathText;
use crate::multi::errors::ErrorBody;
use crate::multi::instruments::{Step, step};
use crate::multi::request_ref::RequestRef;
use crate::multi::schemas;
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    Extension(request): Extension<RequestRef>,
    id: PathText,
    parts: Parts,
    body: Body,
) -> Response {
    let what = (InstrumentClass::Account, Step::Block);
    let answer = step(&app, what, (surface, request), id, &parts, body);
    metrics::observed(&app, "multiBlockAccount", answer).await
}

/// Why it can be refused by the state of things.
pub(in crate::multi) const CONFLICTS: &[&str] = &[
    "INSTRUMENT_INACTIVE",
    "INSTRUMENT_ALREADY_BLOCKED",
    "INSTRUMENT_DESTROYED",
];

schemas::conflicts! {
    /// A refusal with one of [`CONFLICTS`].
    ManagedAccountBlockConflict = CONFLICTS;
}

/// Block a managed account.
#[utoipa::path(
    post, path = "/managed_accounts/{id}/block", operation_id = "managedAccountBlock", tag = "Managed Accounts",
    params(
        ("id" = schemas::Id, Path, description = "The account."),
        ("idempotency-ref" = inline(Option<schemas::IdempotencyRef>), Header),
    ),
    responses(
        (status = 204, description = "Blocked."),
        (status = 404, description = "The caller's identity has no such account.", body = ErrorBody),
        (status = 409, description = "The account's state does not allow it.", body = ManagedAccountBlockConflict),
    ),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
