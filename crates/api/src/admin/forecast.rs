//! Looking ahead over HTTP.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::forecast::{
    CapHit, DAYS_MAX, FailureKind, FailureSeen, Forecast, INCOME_MAX, Income, Question, Starved,
};
use ledger::rule::calendar::{Date, Day};
use ledger::rule::schedule::{Schedule, ScheduleKind};
use ledger::{AccountId, Millis, OwnerId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::accounts::account_id;
use super::ids::{self, spell};
use super::request::{Answer, fields, finish, ok};
use super::tenants::tenant_id;
use crate::App;
use crate::json::{Fault, Fields};
use crate::time;

/// Days that are looked ahead unless the question says.
const DAYS: i64 = 90;

/// What the coming days would bring. Sums are minor units.
#[derive(Serialize, ToSchema)]
pub(super) struct ForecastBody {
    from: String,
    /// The owner's accounts that the ledger holds.
    accounts: Vec<ForecastAccount>,
    days: Vec<ForecastDay>,
    /// Runs of rules.
    runs: u32,
    /// Transfers that complete, assumed income included.
    transfers: u32,
    /// Transfers that a person has to approve; all are taken as approved at once.
    approvals: u32,
    /// How many things do not work.
    failed: u32,
    /// The first hundred of them, in order of time.
    failures: Vec<ForecastFailure>,
    /// Caps that cut what a rule wants to move.
    caps: Vec<ForecastCap>,
    /// Rules that find too little, and who took it.
    starved: Vec<ForecastStarved>,
    /// Whether it stops early because too much happens.
    cut_short: bool,
}

/// An account, and the least that is on it.
#[derive(Serialize, ToSchema)]
pub(super) struct ForecastAccount {
    id: String,
    name: String,
    lowest_balance: i64,
    lowest_at: String,
}

/// The end of a local day.
#[derive(Serialize, ToSchema)]
pub(super) struct ForecastDay {
    /// `2027-01-31`
    date: String,
    /// In the order of `accounts`.
    balances: Vec<i64>,
}

/// Something that does not work.
#[derive(Serialize, ToSchema)]
pub(super) struct ForecastFailure {
    at: String,
    /// `rule` or `transfer`.
    kind: &'static str,
    id: String,
    /// The error; null for a transfer that is called off.
    #[schema(required)]
    error: Option<&'static str>,
}

/// A cap that cuts.
#[derive(Serialize, ToSchema)]
pub(super) struct ForecastCap {
    rule_id: String,
    /// The step, from 0.
    step: u16,
    group_index: u32,
    period: &'static str,
    amount_in_cents: i64,
    times: u32,
    /// What was wanted and not let through, altogether.
    cut: i128,
    first_at: String,
}

/// A rule that finds too little.
#[derive(Serialize, ToSchema)]
pub(super) struct ForecastStarved {
    rule_id: String,
    /// The rule that took from the same account since money last came in there.
    by_rule_id: String,
    account_id: String,
    times: u32,
    /// What was missing, altogether.
    missing: i128,
    first_at: String,
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Path((tenant, owner)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    finish(look_ahead(&app, &tenant, &owner, &headers, body).await)
}

async fn look_ahead(
    app: &App,
    tenant: &str,
    owner: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let mut fields = fields(headers, body).await?;
    let days = fields.optional_integer("days").unwrap_or(DAYS);
    let days = u16::try_from(days).unwrap_or(0);
    if !(1..=DAYS_MAX).contains(&days) {
        fields.fault("days", format!("must be an integer from 1 to {DAYS_MAX}"));
    }
    let offset = fields.optional_integer("utc_offset_minutes").unwrap_or(0);
    let utc_offset_minutes = i16::try_from(offset).unwrap_or(i16::MAX);
    if !(-840..=840).contains(&utc_offset_minutes) {
        fields.fault("utc_offset_minutes", "must be an integer from -840 to 840");
    }
    let income = income(&mut fields);
    fields.finish()?;
    let question = Question {
        tenant: tenant_id(tenant),
        owner: OwnerId::new(ids::read(ids::OWNER, owner)),
        days,
        utc_offset_minutes,
        income,
    };
    let tenant = question.tenant;
    let told = app.service().forecast(question).await?;
    let mut names = Vec::with_capacity(told.accounts.len());
    for account in &told.accounts {
        let row = app.service().any_account(tenant, *account).await?;
        names.push(row.account.name.to_string());
    }
    ok(&ForecastBody::new(&told, names))
}

fn income(fields: &mut Fields) -> Vec<Income> {
    let entries = match fields.take("income") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(entries)) if entries.len() <= INCOME_MAX => entries,
        Some(_) => {
            fields.fault("income", "must be a list of at most 100 entries");
            return Vec::new();
        }
    };
    let mut income = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let mut nested = fields.nested(&format!("income[{index}]"), entry);
        income.push(one_income(&mut nested));
        for Fault { field, reason } in nested.into_faults() {
            fields.absolute_fault(field, reason);
        }
    }
    income
}

fn one_income(fields: &mut Fields) -> Income {
    let account = fields.text("account_id");
    let minor = fields.integer("amount_in_cents", 1);
    let kind = fields.text("schedule_type");
    let mut kinds = ScheduleKind::ALL.iter().copied();
    let known = kinds.find(|known| known.name() == kind);
    if known.is_none() && !kind.is_empty() {
        let names: Vec<&str> = ScheduleKind::ALL.iter().map(|kind| kind.name()).collect();
        fields.fault(
            "schedule_type",
            format!("must be one of {}", names.join(", ")),
        );
    }
    let start = fields.text("start_date");
    let parsed = time::parse(&start);
    if parsed.is_none() && !start.is_empty() {
        fields.fault("start_date", "must be an RFC 3339 timestamp");
    }
    Income {
        account: account_id(&account),
        minor,
        schedule: Schedule {
            kind: known.unwrap_or(ScheduleKind::OneTime),
            start: parsed.unwrap_or(Millis(0)),
        },
    }
}

impl ForecastBody {
    fn new(told: &Forecast, names: Vec<String>) -> ForecastBody {
        let accounts = told.accounts.iter().zip(&told.lowest).zip(names);
        ForecastBody {
            from: time::render(told.from),
            accounts: accounts
                .map(|((account, lowest), name)| ForecastAccount {
                    id: account_text(*account),
                    name,
                    lowest_balance: lowest.minor,
                    lowest_at: time::render(lowest.at),
                })
                .collect(),
            days: told
                .days
                .iter()
                .map(|end| ForecastDay {
                    date: date_text(end.day),
                    balances: end.balances.clone(),
                })
                .collect(),
            runs: told.runs,
            transfers: told.transfers,
            approvals: told.approvals,
            failed: told.failed,
            failures: told.failures.iter().map(failure).collect(),
            caps: told.caps.iter().map(cap).collect(),
            starved: told.starved.iter().map(starved).collect(),
            cut_short: told.cut_short,
        }
    }
}

fn failure(seen: &FailureSeen) -> ForecastFailure {
    let (kind, id, error) = match seen.kind {
        FailureKind::Run(rule, error) => ("rule", spell(ids::RULE, rule.raw()), Some(error.name())),
        FailureKind::Transfer(transfer, error) => {
            let id = spell(ids::TRANSFER, transfer.raw());
            ("transfer", id, error.map(ledger::ErrorCode::name))
        }
    };
    ForecastFailure {
        at: time::render(seen.at),
        kind,
        id,
        error,
    }
}

fn cap(hit: &CapHit) -> ForecastCap {
    ForecastCap {
        rule_id: spell(ids::RULE, hit.rule.raw()),
        step: hit.step,
        group_index: hit.group,
        period: hit.cap.period.name(),
        amount_in_cents: hit.cap.minor,
        times: hit.times,
        cut: hit.cut_minor,
        first_at: time::render(hit.first_at),
    }
}

fn starved(starved: &Starved) -> ForecastStarved {
    ForecastStarved {
        rule_id: spell(ids::RULE, starved.rule.raw()),
        by_rule_id: spell(ids::RULE, starved.by.raw()),
        account_id: account_text(starved.account),
        times: starved.times,
        missing: starved.missing_minor,
        first_at: time::render(starved.first_at),
    }
}

fn account_text(account: AccountId) -> String {
    spell(ids::ACCOUNT, account.raw())
}

fn date_text(day: Day) -> String {
    let Date { year, month, day } = day.date();
    format!("{year:04}-{month:02}-{day:02}")
}
