//! `GET /transfers`: one account's transfers, newest first (seed 001).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{AccountId, ExecutionId, TransferId};
use service::{ApiKey, TransferPage};
use store::{AccountRole, TransferQuery};

use super::envelope::PageInfo;
use super::errors::Failure;
use super::wire::TransferBody;
use super::{auth, envelope, ids, params, request_id};
use crate::http::Query;
use crate::{App, metrics, time};

/// Transfers on a page unless asked otherwise, and at most.
pub(super) const FIRST_DEFAULT: usize = 20;
const FIRST_MAX: usize = 100;

/// List one account's transfers, newest first.
#[utoipa::path(
    get, path = "/transfers", operation_id = "listTransfers", tag = "Transfers",
    params(
        ("account_id" = String, Query, description = "Account ID to filter by."),
        ("account_role" = Option<String>, Query, description = "`source`, `destination` or `either` (the default)."),
        ("direction" = Option<String>, Query, description = "`money_in`, `money_out` or `internal`."),
        ("origin" = Option<String>, Query, description = "`paycheck`, `check_deposit`, `cashback`, `user_pull`, `rule`, `user` or `external_pull`."),
        ("status" = Option<String>, Query, description = "`pending_approval`, `processing`, `pending`, `complete`, `incomplete`, `error` or `cancelled`."),
        ("rule_execution_id" = Option<String>, Query, description = "Transfers created by one execution."),
        ("from" = Option<String>, Query, description = "Created at or after this RFC 3339 timestamp."),
        ("to" = Option<String>, Query, description = "Created at or before this RFC 3339 timestamp; in whole seconds, the whole second is included."),
        ("first" = Option<i64>, Query, description = "Number of results.", minimum = 1, maximum = 100),
        ("after" = Option<String>, Query, description = "Cursor from a previous response's `page_info.end_cursor`."),
        ("X-Request-ID" = Option<String>, Header, description = "Echoed in the response header and the `request_id` field."),
    ),
    responses(
        (status = 200, description = "A page of transfers, ordered by `created_at` descending.", body = inline(super::openapi::TransferList)),
        (status = 400, description = "A parameter is wrong; the message names it.", body = super::envelope::ErrorEnvelope),
        (status = 401, description = "Missing or invalid API key.", body = super::envelope::ErrorEnvelope),
        (status = 403, description = "The account is not in the key's `READ_TRANSFERS` resources.", body = super::envelope::ErrorEnvelope),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again.", body = super::envelope::ErrorEnvelope),
        (status = 503, description = "Not now.", body = super::envelope::ErrorEnvelope),
    ),
)]
pub async fn handle(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let answer = async {
        let (id, usable) = request_id::of(&app, &parts.headers);
        match list(&app, &parts, usable).await {
            Ok(page) => {
                let data: Vec<TransferBody> = page
                    .items
                    .iter()
                    .map(|row| {
                        TransferBody::new(
                            &row.transfer,
                            row.source.as_ref(),
                            row.destination.as_ref(),
                        )
                    })
                    .collect();
                let last = page.items.last().map(|row| row.transfer.id.raw());
                let page_info = PageInfo {
                    has_next_page: page.more,
                    end_cursor: last.map(|id| ids::spell(ids::CURSOR, id)),
                };
                envelope::succeed(StatusCode::OK, &id, &id, data, Some(page_info))
            }
            Err(failure) => envelope::fail(&id, &failure),
        }
    };
    metrics::observed(&app, "listTransfers", answer).await
}

async fn list(
    app: &App,
    parts: &Parts,
    usable: Result<(), Failure>,
) -> Result<TransferPage, Failure> {
    let key = auth::authenticate(app, &parts.headers)?;
    if !app.service().may_read_transfers(&key) {
        return Err(Failure::Service(service::Error::Forbidden));
    }
    usable?;
    let (query, after) = parse(&key, parts.uri.query())?;
    Ok(app.service().transfers(&key, query, after).await?)
}

fn parse(
    key: &ApiKey,
    query: Option<&str>,
) -> Result<(TransferQuery, Option<TransferId>), Failure> {
    let mut query = Query::parse(query);
    let account = query.take("account_id");
    if account.as_deref().is_none_or(str::is_empty) {
        query.fault("account_id", "is required");
    }
    let account = account
        .and_then(|text| ids::read(ids::ACCOUNT, &text))
        .unwrap_or(0);
    let role = query.read("account_role", ONE_OF_ROLES, params::account_role);
    let direction = query.read("direction", ONE_OF_DIRECTIONS, params::direction);
    let origin = query.read("origin", ONE_OF_ORIGINS, params::origins);
    let status = query.read("status", ONE_OF_STATUSES, params::statuses);
    // An execution that nobody has matches nothing.
    let execution = query
        .take("rule_execution_id")
        .map(|text| ExecutionId::new(ids::read(ids::EXECUTION, &text).unwrap_or(0)));
    let from = query.read("from", TIMESTAMP, time::parse);
    let to = query.read("to", TIMESTAMP, time::end_of);
    let first = first(&mut query);
    let after = query.read("after", "is not a cursor", |text| {
        ids::read(ids::CURSOR, text).map(TransferId::new)
    });
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    let query = TransferQuery {
        tenant: key.tenant,
        account: AccountId::new(account),
        role: role.unwrap_or(AccountRole::Either),
        direction,
        origin: origin.unwrap_or_default(),
        status: status.unwrap_or_default(),
        execution,
        card: None,
        from,
        to,
        after: None,
        first: first.unwrap_or(FIRST_DEFAULT),
    };
    Ok((query, after))
}

/// How many items a page shall have.
pub(super) fn first(query: &mut Query) -> Option<usize> {
    query.read("first", "must be an integer from 1 to 100", |text| {
        text.parse()
            .ok()
            .filter(|first| (1..=FIRST_MAX).contains(first))
    })
}

pub(super) const TIMESTAMP: &str = "must be an RFC 3339 timestamp, such as 2024-04-23T09:15:04Z";
const ONE_OF_ROLES: &str = "must be one of source, destination, either";
const ONE_OF_DIRECTIONS: &str = "must be one of money_in, money_out, internal";
const ONE_OF_ORIGINS: &str = "must be one of paycheck, check_deposit, cashback, user_pull, rule, \
     user, external_pull";
const ONE_OF_STATUSES: &str = "must be one of pending_approval, processing, pending, complete, \
     incomplete, error, cancelled";
