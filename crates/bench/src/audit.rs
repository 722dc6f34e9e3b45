//! Whether a server still has what it acknowledged.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use service::spelling::parse_id;
use store::embedded;

use crate::child::Child;
use crate::client::JsonClient;
use crate::report::Checks;
use crate::setup::{FUNDS, World, public};

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Item<'a>>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct Item<'a> {
    id: &'a str,
    status: &'a str,
}

#[derive(Deserialize)]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

/// Waits until no account has a transfer that is neither settled nor ended.
///
/// # Errors
/// When that takes longer than `at_most` from `begun`.
pub async fn all_settled(
    server: &Child,
    world: &World,
    begun: Instant,
    at_most: Duration,
) -> Result<()> {
    let mut public = public(server, &world.secret).await?;
    for account in &world.accounts {
        // Nothing is sent any more, so an account that was seen settled stays so.
        for status in ["processing", "pending"] {
            let path = format!("/api/v1/transfers?account_id={account}&status={status}&first=1");
            while !serde_json::from_slice::<Page>(public.get_bytes(&path).await?)?
                .data
                .is_empty()
            {
                ensure!(
                    begun.elapsed() < at_most,
                    "{account} has {status} transfers for too long"
                );
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}

/// Looks for every acknowledged transfer in the lists of all accounts, and adds up the balances.
///
/// # Errors
/// When the server cannot be asked.
pub async fn over_the_api(
    server: &Child,
    world: &World,
    acknowledged: &[u64],
    checks: &mut Checks,
) -> Result<()> {
    let mut public = public(server, &world.secret).await?;
    let mut sum = 0;
    for account in &world.accounts {
        let details = public.get(&format!("/api/v1/accounts/{account}")).await?;
        let balance = details
            .pointer("/data/balance/balance_in_cents")
            .and_then(Value::as_i64);
        sum += i128::from(balance.with_context(|| format!("no balance in {details}"))?);
    }
    let funded = i128::from(FUNDS) * world.accounts.len() as i128;
    checks.note(
        "no money appeared or vanished",
        sum == funded,
        format!("{sum} of {funded} cents"),
    );

    let mut listed = Vec::new();
    let mut incomplete = 0;
    for account in &world.accounts {
        incomplete += list(&mut public, account, &mut listed).await?;
    }
    checks.note(
        "every transfer is complete",
        incomplete == 0,
        format!("{incomplete} of {} are not", listed.len()),
    );
    let name = "every acknowledged transfer exists, and no other";
    note_difference(name, acknowledged, &listed, checks);
    Ok(())
}

/// Checks that what was found is what was acknowledged, each once.
pub fn note_difference(
    name: &'static str,
    acknowledged: &[u64],
    found: &[u64],
    checks: &mut Checks,
) {
    let difference = Difference::of(acknowledged, found);
    let Difference {
        missing,
        unknown,
        twice,
    } = difference;
    let detail = format!(
        "{} acknowledged, {missing} missing, {unknown} not acknowledged, {twice} twice",
        acknowledged.len()
    );
    checks.note(name, difference.is_none(), detail);
}

/// Asks a server to end.
///
/// # Errors
/// When it does not, or not in order.
pub fn stop(server: Child, checks: &mut Checks) -> Result<()> {
    let took = server.stop()?;
    checks.note(
        "the server ended when asked to",
        true,
        format!("after {took:.0?}"),
    );
    Ok(())
}

/// Adds the transfers that leave one account to `listed`; how many of them are not complete.
async fn list(public: &mut JsonClient, account: &str, listed: &mut Vec<u64>) -> Result<usize> {
    let base = format!("/api/v1/transfers?account_id={account}&account_role=source&first=100");
    let mut path = base.clone();
    let mut incomplete = 0;
    loop {
        let page: Page = serde_json::from_slice(public.get_bytes(&path).await?)?;
        for item in &page.data {
            let id = item.id.strip_prefix("txr_").and_then(parse_id);
            listed.push(id.with_context(|| format!("the transfer id {}", item.id))?);
            incomplete += usize::from(item.status != "complete");
        }
        match page.page_info {
            PageInfo {
                has_next_page: true,
                end_cursor: Some(cursor),
            } => {
                path = format!("{base}&after={cursor}");
            }
            PageInfo { has_next_page, .. } => {
                ensure!(!has_next_page, "a page without a cursor has a next one");
                return Ok(incomplete);
            }
        }
    }
}

/// How two lists of ids differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Difference {
    missing: usize,
    unknown: usize,
    twice: usize,
}

impl Difference {
    fn of(acknowledged: &[u64], listed: &[u64]) -> Difference {
        let sorted = |ids: &[u64]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            let before = ids.len();
            ids.dedup();
            let twice = before - ids.len();
            (ids, twice)
        };
        let ((acknowledged, one), (listed, other)) = (sorted(acknowledged), sorted(listed));
        let lacks = |ids: &[u64], others: &[u64]| {
            ids.iter()
                .filter(|id| others.binary_search(id).is_err())
                .count()
        };
        Difference {
            missing: lacks(&acknowledged, &listed),
            unknown: lacks(&listed, &acknowledged),
            twice: one + other,
        }
    }

    fn is_none(self) -> bool {
        self == Difference {
            missing: 0,
            unknown: 0,
            twice: 0,
        }
    }
}

/// Verifies journal and views of a server that has ended.
pub fn in_the_files(data: &Path, checks: &mut Checks) {
    const NAME: &str = "journal and views are sound";
    match embedded::verify(data) {
        Ok(report) => {
            let embedded::Report {
                batches,
                records,
                transfers,
                ..
            } = report;
            let each = records / batches.max(1);
            let detail = format!(
                "{transfers} transfers, {records} commits in {batches} batches, {each} a batch"
            );
            checks.note(NAME, true, detail);
        }
        Err(error) => checks.note(NAME, false, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(acknowledged: &[u64], listed: &[u64], expected: (usize, usize, usize)) {
        let Difference {
            missing,
            unknown,
            twice,
        } = Difference::of(acknowledged, listed);
        assert_eq!((missing, unknown, twice), expected);
    }

    #[test]
    fn every_kind_of_difference_is_seen() {
        check(&[], &[], (0, 0, 0));
        check(&[3, 1, 2], &[1, 2, 3], (0, 0, 0));
        check(&[1, 2], &[2], (1, 0, 0));
        check(&[1], &[1, 9], (0, 1, 0));
        check(&[1], &[1, 1], (0, 0, 1));
        check(&[1, 1], &[1], (0, 0, 1));
    }

    #[test]
    fn a_page_is_read() {
        let text = r#"{"request_id":"r","data":[{"id":"txr_1","status":"complete","rule_id":null}],
            "page_info":{"has_next_page":true,"end_cursor":"cursor_1"}}"#;
        let page: Page = serde_json::from_str(text).expect("a page");
        assert_eq!(page.data[0].id, "txr_1");
        assert_eq!(page.data[0].status, "complete");
        assert_eq!(page.page_info.end_cursor.as_deref(), Some("cursor_1"));
    }
}
