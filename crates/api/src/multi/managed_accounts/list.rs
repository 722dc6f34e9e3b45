//! `GET /managed_accounts`: the identity's accounts, newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{Account, AccountKind};
use serde::Serialize;
use service::multi::Surface;
use utoipa::ToSchema;

use super::wire::ManagedAccountBody;
use crate::multi::failure::Failure;
use crate::multi::instruments::{
    BlockedReason, DestroyedReason, InstrumentFilter, InstrumentState,
};
use crate::multi::invalid::InvalidField;
use crate::multi::query::Query;
use crate::multi::wire::succeed;
use crate::multi::{auth, errors, schemas};
use crate::{App, metrics};

/// Answers the request.
pub(in crate::multi) async fn handle(
    State(app): State<Arc<App>>,
    State(surface): State<Surface>,
    parts: Parts,
) -> Response {
    let answer = async {
        match list(&app, surface, &parts).await {
            Ok((accounts, count)) => {
                let accounts = accounts.iter().map(ManagedAccountBody::of).collect();
                succeed(StatusCode::OK, &ManagedAccountsBody::new(accounts, count))
            }
            Err(failure) => errors::respond(failure),
        }
    };
    metrics::observed(&app, "multiListAccounts", answer).await
}

async fn list(app: &App, surface: Surface, parts: &Parts) -> Result<(Vec<Account>, u64), Failure> {
    let call = auth::call(app, &parts.headers, surface)?;
    let filter = parse(parts.uri.query())?;
    let Some(query) = filter.query(&call.actor(), vec![AccountKind::Pod]) else {
        return Ok((Vec::new(), 0));
    };
    Ok(app.service().instruments(query).await?)
}

/// Reads the query string.
pub(in crate::multi) fn parse(query: Option<&str>) -> Result<InstrumentFilter, Vec<InvalidField>> {
    let mut query = Query::parse(query);
    let filter = InstrumentFilter::read(&mut query);
    query.finish()?;
    Ok(filter)
}

/// A page of accounts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedAccountsGetResponse)]
pub struct ManagedAccountsBody<'a> {
    accounts: Vec<ManagedAccountBody<'a>>,
    /// How many match in all.
    count: u64,
    /// How many are in this answer.
    response_count: usize,
}

impl<'a> ManagedAccountsBody<'a> {
    /// A page out of `count` matching accounts.
    pub(in crate::multi) fn new(accounts: Vec<ManagedAccountBody<'a>>, count: u64) -> Self {
        ManagedAccountsBody {
            response_count: accounts.len(),
            accounts,
            count,
        }
    }
}

/// Get all managed accounts.
#[utoipa::path(
    get, path = "/managed_accounts", operation_id = "managedAccountsGet", tag = "Managed Accounts",
    params(
        ("offset" = inline(Option<schemas::Offset>), Query),
        ("limit" = inline(Option<schemas::Limit>), Query),
        ("profileId" = Option<schemas::ProfileId>, Query, description = "Of this profile."),
        ("friendlyName" = Option<schemas::FriendlyName>, Query, description = "With exactly this name."),
        ("state" = Option<Vec<InstrumentState>>, Query, description = "In one of these states."),
        ("state.blockedReason" = Option<Vec<BlockedReason>>, Query, description = "Blocked for one of these reasons."),
        ("state.destroyedReason" = Option<Vec<DestroyedReason>>, Query, description = "Destroyed for one of these reasons."),
        ("currency" = Option<schemas::Currency>, Query, description = "In this currency."),
        ("createdFrom" = inline(Option<schemas::Timestamp>), Query, description = "Created at or after."),
        ("createdTo" = inline(Option<schemas::Timestamp>), Query, description = "Created at or before."),
        ("tag" = inline(Option<schemas::Wanted>), Query, description = "With exactly this tag."),
    ),
    responses((status = 200, description = "A page, newest first.", body = ManagedAccountsBody)),
)]
#[allow(dead_code, reason = "carries the description of the operation")]
pub(in crate::multi) fn operation() {}
