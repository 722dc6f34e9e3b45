//! Transfers: of one account, of several, one of them, and made.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::{
    AccountId, Currency, Direction, ErrorCode, ExecutionId, Origin, Party, Status, Transfer,
    TransferId,
};
use serde_json::{Value, json};
use service::{NewTransfer, Request};
use store::{AccountRole, TransferQuery, TransferRow};

use super::call::{Call, Done, idempotency_key, serve};
use super::errors::Failure;
use super::page::{Paging, paging, span, word};
use super::{BODY_MAX, ids, page};
use crate::http::{PathText, Query, is_json, path_text, read_body};
use crate::json::{Fault, Fields, strict};
use crate::{App, time};

/// Cents of the smallest transfer.
const AMOUNT_MIN: i64 = 100;
/// Characters that the receiving bank shows.
const DESCRIPTION_MAX: usize = 10;

const DIRECTIONS: &[(&str, Direction)] = &[
    ("MONEY_IN", Direction::MoneyIn),
    ("MONEY_OUT", Direction::MoneyOut),
    ("INTERNAL", Direction::Internal),
];
const ORIGINS: &[(&str, &[Origin])] = &[
    ("DIRECT_DEPOSIT", &[Origin::Paycheck]),
    ("CHECK_DEPOSIT", &[Origin::CheckDeposit, Origin::Deposit]),
    ("CASHBACK", &[Origin::Cashback, Origin::CardRefund]),
    ("USER_PULL", &[Origin::UserPull]),
    ("RULE", &[Origin::Rule]),
    ("USER", &[Origin::User]),
    (
        "EXTERNAL_PULL",
        &[Origin::ExternalPull, Origin::CardPurchase],
    ),
];
const STATUSES: &[(&str, &[Status])] = &[
    ("PENDING_APPROVAL", &[Status::PendingApproval]),
    ("PROCESSING", &[Status::Processing, Status::Scheduled]),
    ("PENDING", &[Status::Pending]),
    ("COMPLETE", &[Status::Complete]),
    ("INCOMPLETE", &[Status::Incomplete]),
    ("ERROR", &[Status::Error, Status::Rejected]),
    ("CANCELLED", &[Status::Cancelled]),
];

pub(super) async fn list(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let work = async |call: &Call| {
        let accounts = page::accounts(parts.uri.query());
        answer(&app, call, &parts, accounts).await
    };
    serve(
        &app,
        &parts,
        ("LIST_TRANSFERS", "platformListTransfers"),
        work,
    )
    .await
}

pub(super) async fn of_account(
    State(app): State<Arc<App>>,
    account: PathText,
    parts: Parts,
) -> Response {
    let account = AccountId::new(ids::read(&path_text(account)).unwrap_or(0));
    let work = async |call: &Call| answer(&app, call, &parts, Ok(vec![account])).await;
    let names = ("LIST_TRANSFERS", "platformListAccountTransfers");
    serve(&app, &parts, names, work).await
}

async fn answer(
    app: &App,
    call: &Call,
    parts: &Parts,
    accounts: Result<Vec<AccountId>, Fault>,
) -> Result<Done, Failure> {
    if !app.service().may_read_transfers(&call.key) {
        return Err(service::Error::Forbidden.into());
    }
    let mut query = Query::parse(parts.uri.query());
    let accounts = accounts.unwrap_or_else(|fault| {
        query.faults.push(fault);
        Vec::new()
    });
    let (asked, mode) = filters(call, &mut query);
    let paging: Paging = paging(&mut query);
    if !query.faults.is_empty() {
        return Err(Failure::Invalid(query.faults));
    }
    let service = app.service();
    if mode == Modes::Live {
        let found = service.transfers_of(&call.key, &accounts, &asked, paging.page);
        let found = found.await?;
        let items = found.items.iter().map(|row| shown(row, false)).collect();
        return Ok(Done::ok(page::list(items, &paging, found.more)));
    }
    // What a rule's dry run would move is in its explanation, and no transfer of its own.
    let which = (paging.page, mode == Modes::All);
    let found = service.transfers_and_dry_runs(&call.key, &accounts, &asked, which);
    let (rows, dry, more) = found.await?;
    let items = rows.iter();
    let items = items.map(|row| shown(row, dry.contains(&row.transfer.id)));
    Ok(Done::ok(page::list(items.collect(), &paging, more)))
}

/// Which transfers are listed: those that were made, dry runs, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Modes {
    Live,
    Simulation,
    All,
}

fn filters(call: &Call, query: &mut Query) -> (TransferQuery, Modes) {
    let role = word(
        query,
        "accountRole",
        &[
            ("source", AccountRole::Source),
            ("destination", AccountRole::Destination),
            ("either", AccountRole::Either),
        ],
    );
    let direction = word(query, "direction", DIRECTIONS);
    let status = word(query, "status", STATUSES);
    let origin = word(query, "origin", ORIGINS);
    let mode = word(
        query,
        "executionMode",
        &[
            ("LIVE", Modes::Live),
            ("SIMULATION", Modes::Simulation),
            ("ALL", Modes::All),
        ],
    );
    let execution = query
        .take("rule_execution_id")
        .map(|text| ExecutionId::new(ids::read(&text).unwrap_or(0)));
    let (from, to) = span(query);
    let asked = TransferQuery {
        tenant: call.key.tenant,
        account: AccountId::new(0),
        role: role.unwrap_or(AccountRole::Either),
        direction,
        origin: origin.map(<[Origin]>::to_vec).unwrap_or_default(),
        status: status.map(<[Status]>::to_vec).unwrap_or_default(),
        execution,
        card: None,
        from,
        to,
        after: None,
        first: 0,
    };
    (asked, mode.unwrap_or(Modes::Live))
}

pub(super) async fn find(State(app): State<Arc<App>>, id: PathText, parts: Parts) -> Response {
    let id = ids::read(&path_text(id)).map(TransferId::new);
    let work = async |call: &Call| {
        let service = app.service();
        let found = service.transfer(&call.key, id).await;
        if let (Err(service::Error::NotFound { .. }), Some(id)) = (&found, id)
            && let Some(dry) = service.dry_transfer(&call.key, id).await?
        {
            return Ok(Done::ok(shown(&dry, true)));
        }
        Ok(Done::ok(shown(&found?, false)))
    };
    serve(&app, &parts, ("GET_TRANSFER", "platformGetTransfer"), work).await
}

pub(super) async fn create(State(app): State<Arc<App>>, parts: Parts, body: Body) -> Response {
    let work = async |call: &Call| make(&app, call, &parts, body).await;
    let names = ("CREATE_TRANSFER", "platformCreateTransfer");
    serve(&app, &parts, names, work).await
}

async fn make(app: &App, call: &Call, parts: &Parts, body: Body) -> Result<Done, Failure> {
    if !is_json(&parts.headers) {
        return Err(Failure::NotJson);
    }
    let bytes = read_body(body, BODY_MAX).await.map_err(Failure::Body)?;
    let idempotency = idempotency_key(parts, &call.request_id)?;
    let (new, is_dry) = parse(&bytes).map_err(Failure::Invalid)?;
    let (source, destination) = (new.source, new.destination);
    let service = app.service();
    let made = if is_dry {
        let canonical = strict(&bytes).map_or_else(|_| String::new(), |body| body.to_string());
        let request = Request {
            idempotency,
            body: canonical.as_bytes(),
            id: &call.request_id,
        };
        service.simulate_transfer(&call.key, new, request).await
    } else {
        service
            .create_transfer(&call.key, new, idempotency, &call.request_id)
            .await
    };
    let made = made.map_err(|error| match error {
        service::Error::Forbidden if service.may_transfer(&call.key, source, destination) => {
            Failure::AmountTooLarge
        }
        error => error.into(),
    })?;
    Ok(Done {
        status: StatusCode::CREATED,
        data: body_of(
            &made.transfer,
            made.source.as_ref(),
            made.destination.as_ref(),
            is_dry,
        ),
        request_id: Some(made.request_id),
    })
}

/// The transfer, and whether it is only tried out.
fn parse(bytes: &[u8]) -> Result<(NewTransfer, bool), Vec<Fault>> {
    let mut fields = Fields::parse(bytes)?;
    let source = fields.text("sourceAccountId");
    let destination = fields.text("destinationAccountId");
    let amount_minor = fields.integer("amountInCents", AMOUNT_MIN);
    let description = fields.optional_text("description");
    let plain = |text: &String| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b' ';
        text.len() <= DESCRIPTION_MAX && text.bytes().all(fits)
    };
    if !description.as_ref().is_none_or(plain) {
        let reason = "must have at most 10 letters, digits and spaces";
        fields.fault("description", reason);
    }
    let is_dry = fields.optional_flag("simulation").unwrap_or(false);
    if !source.is_empty() && source == destination {
        fields.fault("destinationAccountId", "must not be the sourceAccountId");
    }
    fields.finish()?;
    let new = NewTransfer {
        source: AccountId::new(ids::read(&source).unwrap_or(0)),
        // Another number that nobody has: two strangers are not the same account.
        destination: AccountId::new(ids::read(&destination).unwrap_or(u64::MAX)),
        amount_minor,
        currency: Currency::USD,
        description: description.map(Arc::from),
    };
    Ok((new, is_dry))
}

fn shown(row: &TransferRow, is_dry: bool) -> Value {
    let (source, destination) = (row.source.as_ref(), row.destination.as_ref());
    body_of(&row.transfer, source, destination, is_dry)
}

fn body_of(
    transfer: &Transfer,
    source: Option<&Party>,
    destination: Option<&Party>,
    is_dry: bool,
) -> Value {
    let (rule, execution) = transfer.rule.unzip();
    let direction = DIRECTIONS.iter().find(|(_, it)| *it == transfer.direction);
    json!({
        "id": ids::spell(transfer.id.raw()),
        "amountInCents": transfer.amount.minor(),
        "direction": direction.map(|(name, _)| name),
        "origin": name_in(ORIGINS, &transfer.origin),
        "status": name_in(STATUSES, &transfer.status),
        "executionMode": if is_dry { "SIMULATION" } else { "LIVE" },
        "source": party(source),
        "destination": party(destination),
        "ruleId": rule.map(|rule| ids::spell(rule.raw())),
        "ruleExecutionId": execution.map(|run| ids::spell(run.raw())),
        "errorCode": transfer.error.map(ErrorCode::name),
        "description": transfer.description.as_deref(),
        "createdAt": time::render(transfer.created_at),
        "completedAt": transfer.completed_at.map(time::render),
    })
}

fn name_in<T: PartialEq>(names: &[(&'static str, &[T])], value: &T) -> Option<&'static str> {
    let found = names.iter().find(|(_, values)| values.contains(value));
    found.map(|(name, _)| *name)
}

/// Whoever is outside and not linked has no id.
pub(super) fn party(party: Option<&Party>) -> Value {
    match party {
        Some(party) => json!({
            "id": ids::spell(party.id.raw()),
            "name": &*party.name,
            "type": ids::RULES.kind(party.kind),
            "isDeleted": null,
        }),
        None => json!({
            "id": null, "name": "External", "type": "EXTERNAL_ENTITY", "isDeleted": null,
        }),
    }
}
