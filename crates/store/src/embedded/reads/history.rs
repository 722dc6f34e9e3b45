//! Reads of the history: places from the views, records from the journal.

use std::sync::Arc;

use journal::{Reader, Storage};
use rusqlite::Connection;

use crate::embedded::commit_page::{self, CommitPage};
use crate::embedded::rows::damaged;
use crate::history::{Collector, HistoryPage, HistoryQuery};

/// Part of a tenant's history, as far as the views have come.
pub(crate) fn history(
    views: &Connection,
    storage: &Arc<dyn Storage>,
    query: &HistoryQuery,
) -> rusqlite::Result<HistoryPage> {
    let mut collector = Collector::new(query);
    let mut next = query.after.next_commit();
    while !collector.is_full()
        && let Some(page) = commit_page::find(views, query.tenant, next)?
    {
        take(&page, next, storage, &mut collector)?;
        next = page.first.saturating_add(page.commits);
    }
    Ok(collector.end())
}

/// Takes the commits of a page from number `next` on, until enough are taken.
fn take(
    page: &CommitPage,
    next: u64,
    storage: &Arc<dyn Storage>,
    collector: &mut Collector,
) -> rusqlite::Result<()> {
    let mut reader = Reader::new(Arc::clone(storage), page.begin);
    let last = page.runs.last().map_or(page.begin.batch, |run| run.batch);
    let mut number = page.first;
    let mut runs = page.runs.iter().peekable();
    while let Some(wanted) = runs.peek().map(|run| run.batch) {
        let batch = reader.next(last);
        let batch = batch.map_err(|error| damaged(0, error.to_string()))?;
        let Some(batch) = batch else {
            return Err(damaged(
                0,
                "the journal ends before a commit that was indexed",
            ));
        };
        if batch.number() < wanted {
            continue;
        }
        let mut records = batch.records().enumerate();
        while let Some(run) = runs.next_if(|run| run.batch == wanted) {
            let end = run.from.saturating_add(run.count);
            for (index, record) in records.by_ref() {
                let index = index as u64;
                if index >= run.from {
                    if number >= next {
                        if collector.is_full() {
                            return Ok(());
                        }
                        let taken = collector.take(number, record);
                        taken.map_err(|error| damaged(0, error.to_string()))?;
                    }
                    number = number.saturating_add(1);
                }
                if index.saturating_add(1) >= end {
                    break;
                }
            }
        }
    }
    Ok(())
}
