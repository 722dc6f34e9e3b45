//! First pages of the transfers of an identity that has many, with each filter by itself.
//!
//! Every answer is checked: its `count` and its first transfer must be those of the matching
//! transfers that were made.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use super::filters::{self, Filter};
use super::get::with_history;
use super::scripts::{Credentials, Wanted, lists};
use super::world::{self, Plan};
use crate::args;
use crate::child::Child;
use crate::load::Load;
use crate::report::{Checks, Report, ms, per_second, table, whole};
use crate::turns::System;

/// The slowest hundredth of first pages without a filter, and with one, may take so long.
const PLAIN_MAX: Duration = Duration::from_millis(50);
const FILTERED_MAX: Duration = Duration::from_millis(250);
/// When the history begins: long enough ago that all of it is in the past.
const BEGIN: &str = "2020-01-01T00:00:00Z";

/// What one filter came to with one number of connections.
#[derive(Serialize)]
struct Row {
    filter: &'static str,
    connections: u16,
    /// Answers that counted.
    requests: u64,
    requests_per_second: f64,
    /// Least and most transfers that a list of this kind had to count.
    matches: (u64, u64),
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// What the p99 may be.
    p99_limit_ms: f64,
}

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::List) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut checks = Checks::default();
    let rows = runtime.block_on(measure(&args, &mut checks))?;
    note_targets(&args, &rows, &mut checks);
    let mut table = table(
        1,
        &[
            "filter",
            "connections",
            "matches",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "max ms",
            "p99 at most",
        ],
    );
    for row in &rows {
        let (least, most) = row.matches;
        table.add_row([
            row.filter.to_owned(),
            row.connections.to_string(),
            format!("{least}-{most}"),
            whole(row.requests_per_second),
            format!("{:.2}", row.p50_ms),
            format!("{:.2}", row.p99_ms),
            format!("{:.1}", row.max_ms),
            whole(row.p99_limit_ms),
        ]);
    }
    let json = args.json;
    let report = Report::new("list", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

async fn measure(args: &args::List, checks: &mut Checks) -> Result<Vec<Row>> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let data = folder.path().join("data");
    let plan = Plan {
        funded: args.accounts,
        empty: 1,
        transfer_profiles: 4,
        clock: Some(serde_json::json!({"at": BEGIN, "frozen": false})),
    };
    let begun = Instant::now();
    let (world, made) = with_history(&data, &plan, args.transfers).await?;
    let took = begun.elapsed();
    let rate = whole(per_second(made.len() as u64, took));
    let detail = format!("{} transfers in {took:.1?}, {rate} a second", made.len());
    checks.note("the folder was filled", true, detail);
    let filters = filters::all(&world, &made);
    drop(made);

    let mut server = System::new(Child::server(&data)?);
    server.idle().await?;
    let mut rows = Vec::new();
    for &connections in &args.connections {
        let load = Load {
            connections,
            warm_up: Duration::from_millis(args.warm_up_ms),
            span: Duration::from_secs(args.seconds),
        };
        for filter in &filters {
            let token = world::log_in(&server.child, &world).await?;
            let credentials = Credentials::new(&world, &token);
            let scripts = lists(credentials, &filter.wanted);
            let driven = server.drive(load, &*scripts).await?;
            let latencies = driven.latencies;
            rows.push(Row {
                filter: filter.name,
                connections,
                requests: latencies.count(),
                requests_per_second: per_second(latencies.count(), load.span),
                matches: matches(filter),
                p50_ms: ms(latencies.quantile(500)),
                p99_ms: ms(latencies.quantile(990)),
                max_ms: ms(latencies.max()),
                p99_limit_ms: ms(limit(filter.name)),
            });
        }
    }
    server.note_failures(
        "every list had the right count and the newest first",
        checks,
    );
    crate::audit::stop(server.child, checks)?;
    crate::audit::in_the_files(&data, checks);
    Ok(rows)
}

fn limit(filter: &str) -> Duration {
    match filter {
        filters::NONE => PLAIN_MAX,
        _ => FILTERED_MAX,
    }
}

fn matches(filter: &Filter) -> (u64, u64) {
    let counts = filter.wanted.iter().map(|Wanted { count, .. }| *count);
    (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0))
}

/// One check for the list without a filter and one for the slowest filter, at each load.
fn note_targets(args: &args::List, rows: &[Row], checks: &mut Checks) {
    for &connections in &args.connections {
        for (name, plain) in [
            ("the first page comes soon", true),
            ("the first page of each filter comes soon", false),
        ] {
            let of_kind = rows
                .iter()
                .filter(|row| row.connections == connections)
                .filter(|row| (row.filter == filters::NONE) == plain);
            let slowest = of_kind.max_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms));
            let Some(row) = slowest else { continue };
            let passed = row.requests > 0 && row.p99_ms < row.p99_limit_ms;
            let detail = format!(
                "p99 {:.1} ms, below {:.0} ms; {connections} connections, filter {}",
                row.p99_ms, row.p99_limit_ms, row.filter
            );
            checks.note(name, passed, detail);
        }
    }
}
