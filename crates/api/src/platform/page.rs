//! Parameters that many lists have, and the envelope of a list.

use std::collections::BTreeMap;

use ledger::{AccountId, Millis};
use serde_json::{Value, json};
use service::{PAGE_DEPTH_MAX, Page};

use super::errors::Failure;
use super::ids;
use crate::http::Query;
use crate::json::Fault;
use crate::time;

/// Objects on a page unless asked otherwise, and at most.
const SIZE_DEFAULT: usize = 10;
const SIZE_MAX: usize = 100;
/// Accounts that one list may be of.
const ACCOUNTS_MAX: usize = 100;
/// Days that lists with a limit reach back.
const DAYS_BACK: i64 = 90;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Which page: by number, from 1.
pub(super) struct Paging {
    number: usize,
    /// The same, counted in objects.
    pub page: Page,
}

/// `page` and `pageSize`.
pub(super) fn paging(query: &mut Query) -> Paging {
    let size = query.read("pageSize", "must be an integer from 1 to 100", |text| {
        let size = text.parse().ok();
        size.filter(|size| (1..=SIZE_MAX).contains(size))
    });
    let size = size.unwrap_or(SIZE_DEFAULT);
    let number = query.read(
        "page",
        "must be an integer from 1, within the first 10000 objects",
        |text| {
            let number: usize = text.parse().ok()?;
            let end = number.checked_mul(size)?;
            (number >= 1 && end <= PAGE_DEPTH_MAX).then_some(number)
        },
    );
    let number = number.unwrap_or(1);
    let page = Page {
        offset: number.saturating_sub(1).saturating_mul(size),
        size,
    };
    Paging { number, page }
}

/// `{"items": …, "pagination": …}`.
pub(super) fn list(items: Vec<Value>, paging: &Paging, more: bool) -> Value {
    json!({
        "items": items,
        "pagination": {"page": paging.number, "pageSize": paging.page.size, "hasNextPage": more},
    })
}

/// `from` and `to`, both inclusive.
pub(super) fn span(query: &mut Query) -> (Option<Millis>, Option<Millis>) {
    let reason = "must be an RFC 3339 timestamp, such as 2024-04-23T09:15:04Z";
    let from = query.read("from", reason, time::parse);
    let to = query.read("to", reason, time::end_of);
    (from, to)
}

/// A `from` that reaches back 90 days at most, which is also the default.
pub(super) fn within_90_days(from: Option<Millis>, now: Millis) -> Result<Millis, Failure> {
    let earliest = now.plus(-DAYS_BACK * DAY_MS);
    match from {
        Some(from) if from < earliest => {
            Err(Failure::invalid("from", "must be within the last 90 days"))
        }
        Some(from) => Ok(from),
        None => Ok(earliest),
    }
}

/// The accounts of `accountIds[]=` or `accountIds=`, each once; at least one.
pub(super) fn accounts(query: Option<&str>) -> Result<Vec<AccountId>, Fault> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let named: BTreeMap<AccountId, ()> = pairs
        .filter(|(name, _)| matches!(&**name, "accountIds" | "accountIds[]"))
        .map(|(_, text)| (AccountId::new(ids::read(&text).unwrap_or(0)), ()))
        .collect();
    match named.len() {
        0 => Err(Fault::new("accountIds", "is required")),
        1..=ACCOUNTS_MAX => Ok(named.into_keys().collect()),
        _ => Err(Fault::new("accountIds", "must be at most 100")),
    }
}

/// One of a list of words.
pub(super) fn word<T>(query: &mut Query, name: &str, words: &[(&str, T)]) -> Option<T>
where
    T: Clone,
{
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let reason = format!("must be one of {}", known.join(", "));
    query.read(name, &reason, |text| {
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| value.clone())
    })
}
