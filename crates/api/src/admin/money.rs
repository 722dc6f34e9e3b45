//! Transfers on an operator's word, and simulated money.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::{AccountId, Amount, ErrorCode, MoneyIn, MoneyOut, Origin, TenantId, TransferId};
use store::{AccountRole, TransferQuery};

use super::accounts::account_id;
use super::ids;
use super::problem::Problem;
use super::request::{Answer, List, created, fields, finish, ok};
use super::tenants::tenant_id;
use super::wire::TransferBody;
use crate::App;
use crate::http::Query;

pub(super) async fn transfer(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(create_transfer(&app, &tenant, &headers, body).await)
}

async fn create_transfer(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let mut fields = fields(headers, body).await?;
    let source = account_id(&fields.text("source_account_id"));
    let destination = account_id(&fields.text("destination_account_id"));
    let minor = fields.integer("amount_in_cents", 1);
    let description = fields.optional_text("description").map(Arc::from);
    fields.finish()?;
    let tenant = tenant_id(tenant);
    let amount = in_currency_of(app, tenant, source, minor).await?;
    let service = app.service();
    let row = service
        .transfer_as_operator(tenant, source, destination, amount, description)
        .await?;
    created(&TransferBody::new(&row))
}

/// `minor` units in an account's currency.
async fn in_currency_of(
    app: &App,
    tenant: TenantId,
    account: AccountId,
    minor: i64,
) -> Result<Amount, Problem> {
    let row = app.service().any_account(tenant, account).await?;
    Ok(Amount::new(minor, row.account.currency).expect("checked to be at least 1"))
}

/// The fields that all simulated money has.
struct Simulated {
    tenant: TenantId,
    account: AccountId,
    amount: Amount,
    description: Option<Arc<str>>,
}

async fn simulated(
    app: &App,
    tenant: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Simulated, Problem> {
    let mut fields = fields(headers, body).await?;
    let account = account_id(&fields.text("account_id"));
    let minor = fields.integer("amount_in_cents", 1);
    let description = fields.optional_text("description").map(Arc::from);
    fields.finish()?;
    let tenant = tenant_id(tenant);
    let amount = in_currency_of(app, tenant, account, minor).await?;
    Ok(Simulated {
        tenant,
        account,
        amount,
        description,
    })
}

async fn money_in(
    app: &App,
    tenant: &str,
    headers: &HeaderMap,
    body: Body,
    origin: Origin,
) -> Answer {
    let Simulated {
        tenant,
        account,
        amount,
        description,
    } = simulated(app, tenant, headers, body).await?;
    let money = MoneyIn {
        tenant,
        destination: account,
        amount,
        origin,
        description,
    };
    created(&TransferBody::new(&app.service().money_in(money).await?))
}

macro_rules! money_in_handlers {
    ($($name:ident: $origin:expr),+ $(,)?) => { $(
        pub(super) async fn $name(
            State(app): State<Arc<App>>,
            Path(tenant): Path<String>,
            headers: HeaderMap,
            body: Body,
        ) -> Response {
            finish(money_in(&app, &tenant, &headers, body, $origin).await)
        }
    )+ };
}

money_in_handlers! {
    paycheck: Origin::Paycheck,
    check_deposit: Origin::CheckDeposit,
    cashback: Origin::Cashback,
}

pub(super) async fn external_pull(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(pull(&app, &tenant, &headers, body).await)
}

async fn pull(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let Simulated {
        tenant,
        account,
        amount,
        description,
    } = simulated(app, tenant, headers, body).await?;
    let money = MoneyOut {
        tenant,
        source: account,
        amount,
        origin: ledger::Origin::ExternalPull,
        description,
    };
    created(&TransferBody::new(&app.service().money_out(money).await?))
}

pub(super) async fn give_back(
    State(app): State<Arc<App>>,
    Path((tenant, transfer)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(return_transfer(&app, &tenant, &transfer, &headers, body).await)
}

async fn return_transfer(
    app: &App,
    tenant: &str,
    transfer: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let code = fields
        .optional_text("error_code")
        .map_or(Some(ErrorCode::PaymentFailed), |text| {
            let code = ErrorCode::parse(&text);
            if code.is_none() {
                let known: Vec<&str> = ErrorCode::ALL.into_iter().map(ErrorCode::name).collect();
                fields.fault("error_code", format!("must be one of {}", known.join(", ")));
            }
            code
        });
    fields.finish()?;
    let code = code.unwrap_or(ErrorCode::PaymentFailed);
    let row = app
        .service()
        .return_transfer(tenant_id(tenant), transfer_id(transfer), code)
        .await?;
    ok(&TransferBody::new(&row))
}

pub(super) async fn find(
    State(app): State<Arc<App>>,
    Path((tenant, transfer)): Path<(String, String)>,
) -> Response {
    finish(find_transfer(&app, &tenant, &transfer).await)
}

async fn find_transfer(app: &App, tenant: &str, transfer: &str) -> Answer {
    let row = app
        .service()
        .any_transfer(tenant_id(tenant), transfer_id(transfer))
        .await?;
    ok(&TransferBody::new(&row))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list_transfers(&app, &tenant, query.as_deref()).await)
}

async fn list_transfers(app: &App, tenant: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let account = query.read("account_id", "must be an account id (acc_…)", |text| {
        Some(AccountId::new(ids::read(ids::ACCOUNT, text))).filter(|id| id.raw() != 0)
    });
    if account.is_none() && query.faults.is_empty() {
        query.fault("account_id", "is required");
    }
    let limit = query.read("limit", "must be an integer from 1 to 1000", |text| {
        text.parse().ok().filter(|limit| (1..=1000).contains(limit))
    });
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let tenant = tenant_id(tenant);
    let account = account.unwrap_or(AccountId::new(0));
    app.service().any_account(tenant, account).await?;
    let query = TransferQuery {
        tenant,
        account,
        role: AccountRole::Either,
        direction: None,
        origin: Vec::new(),
        status: Vec::new(),
        execution: None,
        card: None,
        from: None,
        to: None,
        after: None,
        first: limit.unwrap_or(100),
    };
    let mut rows = app
        .service()
        .store()
        .transfers(query)
        .await
        .map_err(service::Error::from)?;
    rows.truncate(limit.unwrap_or(100));
    ok(&List {
        data: rows.iter().map(TransferBody::new).collect(),
    })
}

pub(super) fn transfer_id(text: &str) -> TransferId {
    TransferId::new(ids::read(ids::TRANSFER, text))
}
