//! `tidegate forecast`: asks the server to look ahead, and shows what matters of the answer.

use anyhow::Context;
use serde_json::{Value, json};

use super::{at, get, only, post};
use crate::cli::ForecastFlags;
use crate::client::Client;
use crate::output::{line, table};

/// Days that a table shows: the first of each week, and the last of all.
const WEEK: usize = 7;

pub(super) async fn ask(client: &Client, flags: ForecastFlags) -> anyhow::Result<Value> {
    let base = at(client, &flags.tenant).await?;
    let owner = match flags.owner {
        Some(owner) => owner,
        None => {
            let owners = get(client, &format!("{base}/owners")).await?;
            only(&owners, "owner", "--owner")?
        }
    };
    let income: Vec<Value> = flags
        .income
        .iter()
        .map(|income| {
            json!({
                "account_id": income.account, "amount_in_cents": income.amount,
                "schedule_type": income.schedule, "start_date": income.start,
            })
        })
        .collect();
    let body = json!({"days": flags.days, "income": income});
    post(client, &format!("{base}/owners/{owner}/forecast"), &body).await
}

/// Balances week by week, the least on each account, and what will not work.
pub(super) fn print(told: &Value) -> anyhow::Result<()> {
    let list = |field: &str| {
        let items = told[field].as_array();
        items.with_context(|| format!("the server sent no {field}"))
    };
    let (accounts, days) = (list("accounts")?, list("days")?);
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let mut header = vec!["date"];
    header.extend(
        accounts
            .iter()
            .filter_map(|account| account["name"].as_str()),
    );
    let mut balances = table(&header);
    let last = days.len().saturating_sub(1);
    for (index, day) in days.iter().enumerate() {
        if index % WEEK == 0 || index == last {
            let sums = day["balances"].as_array().into_iter().flatten();
            balances.add_row(std::iter::once(text(&day["date"])).chain(sums.map(text)));
        }
    }
    line(&balances);
    let mut lowest = table(&["account", "lowest balance", "at"]);
    for account in accounts {
        let cells = ["name", "lowest_balance", "lowest_at"];
        lowest.add_row(cells.map(|field| text(&account[field])));
    }
    line(&format!("\n{lowest}\n"));
    let count = |field: &str| text(&told[field]);
    line(&format!(
        "{} runs of rules, {} transfers, {} to approve, {} that will not work",
        count("runs"),
        count("transfers"),
        count("approvals"),
        count("failed"),
    ));
    for (field, columns) in [
        ("failures", &["at", "kind", "id", "error"][..]),
        ("caps", &["first_at", "rule_id", "period", "times", "cut"]),
        (
            "starved",
            &["first_at", "rule_id", "by_rule_id", "account_id", "missing"],
        ),
    ] {
        let items = list(field)?;
        if items.is_empty() {
            continue;
        }
        let mut rows = table(columns);
        for item in items {
            rows.add_row(columns.iter().map(|column| text(&item[*column])));
        }
        line(&format!("\n{field}\n{rows}"));
    }
    Ok(())
}
