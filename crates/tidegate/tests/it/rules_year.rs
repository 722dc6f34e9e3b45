//! A year of a household and one of a small business, lived through with the user's clock and
//! compared with what was worked out and is kept in `years/`.
//!
//! Each line of a result is the end of a month: every balance in dollars, then how many runs of
//! rules there were so far and how they ended. `TIDEGATE_WRITE_YEARS=1` writes the results anew, to
//! be looked through by hand before they are kept: the comments at their heads say how.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use axum::http::Method;
use ledger::rule::calendar::Day;
use ledger::{ExecutionStatus, Millis, TenantId};
use serde_json::{Value, json};
use store::ExecutionQuery;

use crate::harness::{START, World};

const DAY_MS: i64 = 86_400_000;
/// A year and the days until a month ends.
const DAYS: i64 = 365;

struct Year {
    world: World,
    /// Names as they stand in the result, and accounts.
    accounts: Vec<(&'static str, String)>,
    text: String,
}

impl Year {
    async fn new(accounts: &[(&'static str, Value)]) -> Year {
        let world = World::new().await;
        let mut year = Year {
            world,
            accounts: Vec::new(),
            text: String::new(),
        };
        // Nothing happens by itself: time is what the test says.
        year.clock(json!({"frozen": true})).await;
        for (name, account) in accounts {
            let id = year.world.open(account).await;
            year.accounts.push((name, id));
        }
        year
    }

    async fn clock(&self, body: Value) {
        let path = self.world.path("/clock");
        let reply = self.world.server.admin(Method::PUT, &path, Some(&body));
        reply.await.expect(200);
    }

    fn id(&self, name: &str) -> &str {
        let found = self.accounts.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("no {name}")).1
    }

    /// A rule that is on. In `actions`, `from` and `to` are names of accounts.
    async fn rule(&self, name: &str, trigger: Value, steps: Value) {
        let rule = json!({
            "nickname": name, "status": "disabled",
            "trigger": self.named(trigger), "steps": self.named(steps),
        });
        self.world.rule_on(&rule).await;
    }

    /// Replaces the names of accounts by their ids, wherever they stand alone.
    fn named(&self, value: Value) -> Value {
        match value {
            Value::String(text) => {
                let found = self.accounts.iter().find(|(name, _)| *name == text);
                Value::String(found.map_or(text, |(_, id)| id.clone()))
            }
            Value::Array(items) => items.into_iter().map(|item| self.named(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (name, self.named(value)))
                .collect(),
            other => other,
        }
    }

    /// Lives through the days. `happens` says what comes in on which and where, or is drawn there.
    async fn live(&mut self, happens: impl Fn(Day) -> Vec<(&'static str, i64)>) {
        for number in 1..=DAYS {
            self.clock(json!({"advance_ms": DAY_MS})).await;
            let today = Day::at(START.plus(number * DAY_MS), 0);
            for (account, cents) in happens(today) {
                let what = if cents > 0 {
                    "paycheck"
                } else {
                    "external-pull"
                };
                let account = self.id(account);
                self.world.simulate(what, account, cents.abs()).await;
            }
            self.world.quiesce().await;
            if Day(today.0 + 1).date().day == 1 {
                self.note(today).await;
            }
        }
    }

    async fn note(&mut self, day: Day) {
        let date = day.date();
        let mut line = format!("{:04}-{:02}-{:02}", date.year, date.month, date.day);
        for (name, account) in &self.accounts {
            let cents = self.world.balance(account).await;
            write!(line, "  {name} {}.{:02}", cents / 100, cents % 100).expect("a text");
        }
        let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
        for run in self.runs().await {
            *ends.entry(run).or_default() += 1;
        }
        for (end, count) in ends {
            write!(line, "  {end} {count}").expect("a text");
        }
        writeln!(self.text, "{line}").expect("a text");
    }

    async fn runs(&self) -> Vec<&'static str> {
        let tenant = service::spelling::parse_id(&self.world.tenant[4..]).expect("an id");
        let query = ExecutionQuery::new(TenantId::new(tenant), usize::MAX);
        let store = self.world.server.app().service().store();
        let runs = store.executions(query).await.expect("reads work");
        let end = |status| match status {
            ExecutionStatus::InProgress => "in progress",
            ExecutionStatus::Executed => "executed",
            ExecutionStatus::Partial => "partial",
            ExecutionStatus::Failed => "failed",
        };
        runs.iter().map(|run| end(run.status)).collect()
    }

    /// Compares with what is kept, after the lines that begin with `#`.
    fn check(&self, name: &str) {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/years"));
        let file = folder.join(format!("{name}.txt"));
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let is_head = |line: &&str| line.starts_with('#');
        let head: String = kept
            .lines()
            .filter(is_head)
            .map(|l| format!("{l}\n"))
            .collect();
        let body: Vec<&str> = kept.lines().filter(|line| !is_head(line)).collect();
        let lived: Vec<&str> = self.text.lines().collect();
        if std::env::var_os("TIDEGATE_WRITE_YEARS").is_some() {
            std::fs::write(&file, format!("{head}{}", self.text)).expect("the file is written");
            return;
        }
        for (number, (lived, kept)) in lived.iter().zip(&body).enumerate() {
            assert_eq!(lived, kept, "{name}, month {}", number + 1);
        }
        assert_eq!(lived.len(), body.len(), "{name}: months");
    }
}

fn pod(name: &str) -> Value {
    json!({"type": "pod", "name": name})
}

fn debt(name: &str, balance: i64, minimum: i64) -> Value {
    json!({
        "type": "external_account", "external_account_type": "LIABILITY", "name": name,
        "reported_balance": balance, "reported_next_payment_minimum": minimum,
    })
}

fn share(percent: &str, to: &str) -> Value {
    let percent: Value = serde_json::from_str(percent).expect("a number");
    json!({"type": "percentage", "percentage_value": percent,
           "percentage_target": "INCOMING_AMOUNT", "destination": {"id": to}})
}

fn on_money(account: &str) -> Value {
    json!({"type": "ON_FUNDS_TRANSFERRED", "account_id": account})
}

fn by_time(account: &str, kind: &str, start: &str) -> Value {
    json!({"type": "SCHEDULED", "schedule_type": kind, "start_date": start, "account_id": account})
}

#[tokio::test]
async fn a_household_has_the_year_that_was_worked_out() {
    let mut year = Year::new(&[
        ("pay", json!({"type": "income_source", "name": "Pay"})),
        ("safety", pod("Safety")),
        ("taxes", pod("Taxes")),
        ("food", pod("Food")),
        (
            "landlord",
            json!({"type": "external_account", "external_account_type": "DEPOSITORY",
                            "name": "Landlord"}),
        ),
        ("card", debt("Credit card", 120_000, 3_500)),
        (
            "broker",
            json!({"type": "external_account", "external_account_type": "INVESTMENT",
                          "name": "Broker"}),
        ),
    ])
    .await;
    let mut safety = share("10", "safety");
    safety["limit"] = json!({"period": "PER_MONTH", "amount_in_cents": 40_000});
    let steps = json!([{"actions": [share("15", "taxes"), {
        "type": "percentage", "percentage_value": 10, "percentage_target": "INCOMING_AMOUNT",
        "destination": {"id": "safety"}, "group_index": 1, "limit": safety["limit"],
    }]}]);
    year.rule("Split pay", on_money("pay"), steps).await;
    let rent = json!([{"actions": [
        {"type": "fixed_amount", "amount_in_cents": 145_000, "destination": {"id": "landlord"}}]}]);
    let first = by_time("pay", "MONTHLY", "2027-02-01T06:00:00Z");
    year.rule("Rent", first, rent).await;
    let card = json!([{"actions": [
        {"type": "next_payment_minimum", "destination": {"id": "card"}}]}]);
    let fifth = by_time("pay", "MONTHLY", "2027-02-05T06:00:00Z");
    year.rule("Card", fifth, card).await;
    let food = json!([
        {"conditions": {"condition": {"fact": "BALANCE", "operator": "LESS_THAN", "value": 30_000}},
         "actions": [{"type": "top_up", "amount_in_cents": 10_000, "destination": {"id": "food"}}]},
        {"actions": [{"type": "top_up", "amount_in_cents": 20_000, "destination": {"id": "food"}}]},
    ]);
    let weekly = by_time("pay", "WEEKLY", "2027-01-18T05:00:00Z");
    year.rule("Food", weekly, food).await;
    let savings = json!([{
        "conditions": {"condition": {"fact": "BALANCE", "operator": "GREATER_THAN", "value": 300_000}},
        "actions": [{"type": "round_down", "amount_in_cents": 100_000,
                     "destination": {"id": "broker"}}]}]);
    let half_months = by_time("safety", "BI_WEEKLY", "2027-02-01T07:00:00Z");
    year.rule("Savings", half_months, savings).await;
    // Every other Friday 2,400.00 come in, the first time on 2027-01-22; food is bought on Tuesdays,
    // for 45.00 at first and for a dollar more in every month.
    let Day(first) = Day::at(Millis(1_800_604_800_000), 0);
    year.live(|Day(today)| {
        let mut happens = Vec::new();
        if today >= first && (today - first) % 14 == 0 {
            happens.push(("pay", 240_000));
        }
        if today > first && Day(today).weekday() == 2 {
            happens.push(("food", -4_500 - 100 * i64::from(Day(today).date().month)));
        }
        happens
    })
    .await;
    year.check("household");
}

#[tokio::test]
async fn a_small_business_has_the_year_that_was_worked_out() {
    let mut year = Year::new(&[
        ("sales", json!({"type": "income_source", "name": "Sales"})),
        ("profit", pod("Profit")),
        ("owner", pod("Owner's pay")),
        ("tax", pod("Tax")),
        ("costs", pod("Costs")),
        (
            "payroll",
            json!({"type": "external_account", "external_account_type": "DEPOSITORY",
                           "name": "Payroll"}),
        ),
        ("loan", debt("Equipment loan", 2_500_000, 40_000)),
        ("line", debt("Credit line", 900_000, 25_000)),
    ])
    .await;
    let steps = json!([
        {"conditions": {"condition":
            {"fact": "TRANSFER_AMOUNT", "operator": "GREATER_THAN_OR_EQUAL", "value": 50_000}},
         "actions": [share("5", "profit"), share("50", "owner"), share("15", "tax"),
                     share("30", "costs")]},
        {"actions": [share("12.5", "tax"), share("87.5", "costs")]},
    ]);
    year.rule("Profit first", on_money("sales"), steps).await;
    let payroll = json!([{"actions": [
        {"type": "fixed_amount", "amount_in_cents": 320_000, "destination": {"id": "payroll"}}]}]);
    let half_months = by_time("costs", "BI_WEEKLY", "2027-02-01T09:00:00Z");
    year.rule("Payroll", half_months, payroll).await;
    let debts = json!([{"actions": [
        {"type": "avalanche", "amount_in_cents": 90_000, "up_to_enabled": true, "liabilities": [
            {"id": "loan", "interest_rate_percentage": 7.9},
            {"id": "line", "interest_rate_percentage": 19.5}]}]}]);
    let monthly = by_time("costs", "MONTHLY", "2027-01-31T10:00:00Z");
    year.rule("Debts", monthly, debts).await;
    let sweep = json!([{"actions": [
        {"type": "round_down", "amount_in_cents": 100_000, "destination": {"id": "costs"}}]}]);
    let weekly = by_time("profit", "WEEKLY", "2027-01-22T11:00:00Z");
    year.rule("Keep whole thousands of profit", weekly, sweep)
        .await;
    // On weekdays some 250.00 to 750.00, never the same twice in a row.
    year.live(|day| match day.weekday() {
        1..=5 => vec![("sales", 25_000 + day.0 * 7_919 % 50_021)],
        _ => vec![],
    })
    .await;
    year.check("business");
}
