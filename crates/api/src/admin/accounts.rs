//! Accounts: opening, listing, blocking, closing, and their entries.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::account::Reported;
use ledger::{AccountId, AccountKind, AccountState, Currency, ExternalKind, OpenAccount, OwnerId};
use store::{AccountClass, AccountQuery};

use super::ids;
use super::problem::Problem;
use super::request::{Answer, List, created, fields, finish, ok};
use super::tenants::tenant_id;
use super::wire::{AccountBody, EntryBody};
use crate::App;
use crate::http::Query;
use crate::json::Fields;

pub(super) async fn open(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(open_account(&app, &tenant, &headers, body).await)
}

async fn open_account(app: &App, tenant: &str, headers: &HeaderMap, body: Body) -> Answer {
    let open = parse_open(tenant, fields(headers, body).await?)?;
    let account = app.service().open_account(open).await?;
    let row = app
        .service()
        .any_account(account.tenant, account.id)
        .await?;
    created(&AccountBody::new(&row))
}

fn parse_open(tenant: &str, mut fields: Fields) -> Result<OpenAccount, Problem> {
    let owner = OwnerId::new(ids::read(ids::OWNER, &fields.text("owner_id")));
    let kind = parse_kind(&mut fields);
    let name = fields.text("name");
    let currency = fields
        .optional_text("currency")
        .map_or(Ok(Currency::USD), |code| {
            Currency::parse(&code).map_err(|error| fields.fault("currency", error.to_string()))
        });
    let description = fields.optional_text("description").map(Arc::from);
    let institution = fields.optional_text("institution_name").map(Arc::from);
    let number_last_four = fields
        .optional_text("account_number_last_four")
        .map(Arc::from);
    let routing_last_four = fields
        .optional_text("routing_number_last_four")
        .map(Arc::from);
    let can_be_source = fields.optional_flag("can_be_source");
    let can_be_destination = fields.optional_flag("can_be_destination");
    let reported = Reported {
        balance: fields.optional_integer("reported_balance"),
        available: fields.optional_integer("reported_available_balance"),
        last_statement: fields.optional_integer("reported_last_statement_balance"),
        next_payment_minimum: fields.optional_integer("reported_next_payment_minimum"),
        last_statement_date: date(&mut fields, "reported_last_statement_date"),
        next_payment_due_date: date(&mut fields, "reported_next_payment_due_date"),
        updated_at: None,
    };
    fields.finish()?;
    Ok(OpenAccount {
        tenant: tenant_id(tenant),
        owner,
        kind,
        name: Arc::from(name),
        description,
        institution,
        number_last_four,
        routing_last_four,
        currency: currency.unwrap_or(Currency::USD),
        can_be_source,
        can_be_destination,
        reported,
    })
}

fn date(fields: &mut Fields, name: &str) -> Option<Arc<str>> {
    let text = fields.optional_text(name)?;
    if text.parse::<jiff::civil::Date>().is_err() || text.len() != 10 {
        fields.fault(name, "must be a date, YYYY-MM-DD");
    }
    Some(Arc::from(text))
}

fn parse_kind(fields: &mut Fields) -> AccountKind {
    let external = fields.optional_text("external_account_type");
    let kind = match (fields.text("type").as_str(), external.as_deref()) {
        ("income_source", None) => Some(AccountKind::IncomeSource),
        ("pod", None) => Some(AccountKind::Pod),
        ("external_account", None | Some("DEPOSITORY")) => {
            Some(AccountKind::External(ExternalKind::Depository))
        }
        ("external_account", Some("INVESTMENT")) => {
            Some(AccountKind::External(ExternalKind::Investment))
        }
        ("external_account", Some("LIABILITY")) => {
            Some(AccountKind::External(ExternalKind::Liability))
        }
        ("external_account", Some(_)) => {
            let reason = "must be one of DEPOSITORY, INVESTMENT, LIABILITY";
            fields.fault("external_account_type", reason);
            None
        }
        ("income_source" | "pod", Some(_)) => {
            fields.fault("external_account_type", "is for external accounts only");
            None
        }
        ("", _) => None,
        _ => {
            fields.fault(
                "type",
                "must be one of income_source, pod, external_account",
            );
            None
        }
    };
    kind.unwrap_or(AccountKind::Pod)
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list_accounts(&app, &tenant, query.as_deref()).await)
}

async fn list_accounts(app: &App, tenant: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let owner = query
        .take("owner_id")
        .map(|text| OwnerId::new(ids::read(ids::OWNER, &text)));
    let one_of = "must be one of income_source, pod, external_account";
    let class = query.read("type", one_of, |text| {
        Some(match text {
            "income_source" => AccountClass::IncomeSource,
            "pod" => AccountClass::Pod,
            "external_account" => AccountClass::External,
            _ => return None,
        })
    });
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let query = AccountQuery {
        owner,
        class,
        ..AccountQuery::new(tenant_id(tenant))
    };
    let rows = app.service().all_accounts(query).await?;
    ok(&List {
        data: rows.iter().map(AccountBody::new).collect(),
    })
}

type TenantAndAccount = Path<(String, String)>;

pub(super) async fn find(
    State(app): State<Arc<App>>,
    Path((tenant, account)): TenantAndAccount,
) -> Response {
    finish(find_account(&app, &tenant, &account).await)
}

async fn find_account(app: &App, tenant: &str, account: &str) -> Answer {
    let row = app
        .service()
        .any_account(tenant_id(tenant), account_id(account))
        .await?;
    ok(&AccountBody::new(&row))
}

pub(super) async fn entries(
    State(app): State<Arc<App>>,
    Path((tenant, account)): TenantAndAccount,
    RawQuery(query): RawQuery,
) -> Response {
    finish(list_entries(&app, &tenant, &account, query.as_deref()).await)
}

async fn list_entries(app: &App, tenant: &str, account: &str, query: Option<&str>) -> Answer {
    let mut query = Query::parse(query);
    let before = query.read("before", "must be an entry's sequence number", |text| {
        text.parse()
            .ok()
            .filter(|sequence| (1..=i64::MAX.cast_unsigned()).contains(sequence))
    });
    let limit = query.read("limit", "must be an integer from 1 to 1000", |text| {
        text.parse().ok().filter(|limit| (1..=1000).contains(limit))
    });
    if !query.faults.is_empty() {
        return Err(Problem::invalid(query.faults));
    }
    let service = app.service();
    let entries = service
        .entries(
            tenant_id(tenant),
            account_id(account),
            before,
            limit.unwrap_or(100),
        )
        .await?;
    ok(&List {
        data: entries.iter().map(EntryBody::new).collect(),
    })
}

pub(super) async fn block(app: State<Arc<App>>, path: TenantAndAccount) -> Response {
    finish(set_state(&app, &path, AccountState::Blocked).await)
}

pub(super) async fn unblock(app: State<Arc<App>>, path: TenantAndAccount) -> Response {
    finish(set_state(&app, &path, AccountState::Active).await)
}

pub(super) async fn close(app: State<Arc<App>>, path: TenantAndAccount) -> Response {
    finish(set_state(&app, &path, AccountState::Destroyed).await)
}

async fn set_state(app: &App, path: &TenantAndAccount, state: AccountState) -> Answer {
    let (tenant, account) = (tenant_id(&path.0.0), account_id(&path.0.1));
    app.service()
        .set_account_state(tenant, account, state)
        .await?;
    let row = app.service().any_account(tenant, account).await?;
    ok(&AccountBody::new(&row))
}

pub(super) fn account_id(text: &str) -> AccountId {
    AccountId::new(ids::read(ids::ACCOUNT, text))
}
