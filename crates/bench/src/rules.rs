//! Rules: how long planning one and looking ahead take, how soon money has been spread after a
//! deposit, and what rules cost the deposits that set none off.
//!
//! All of it inside one process, without HTTP: the planner and the forecast are pure, the rest goes
//! through an embedded store with its journal and its syncs.

mod core;
mod deposits;
mod draft;

use anyhow::Result;
use serde::Serialize;

use crate::args;
use crate::histogram::Histogram;
use crate::report::{Checks, Report, median, table, us};

/// One thing that was timed.
#[derive(Serialize)]
struct Row {
    /// What.
    what: &'static str,
    /// How often.
    times: u64,
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
}

impl Row {
    fn new(what: &'static str, times: &Histogram) -> Row {
        Row {
            what,
            times: times.count(),
            p50_us: us(times.quantile(500)),
            p99_us: us(times.quantile(990)),
            max_us: us(times.max()),
        }
    }
}

/// Measures everything; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Rules) -> Result<bool> {
    let mut checks = Checks::default();
    let mut rows = Vec::new();
    let planned = core::plan()?;
    let per_plan = us(planned.quantile(500));
    checks.note(
        "a rule with 20 conditions and 10 actions is planned in less than 20 us",
        per_plan < 20.0,
        format!("{per_plan:.1} us in the median"),
    );
    rows.push(Row::new("plan a rule", &planned));
    let (foretold, runs) = core::forecast()?;
    let per_forecast = us(foretold.quantile(500)) / 1e3;
    checks.note(
        "90 days of 50 rules over 20 accounts are foretold in less than 100 ms",
        per_forecast < 100.0,
        format!("{per_forecast:.1} ms in the median, {runs} runs of rules in each"),
    );
    rows.push(Row::new("forecast", &foretold));
    let runtime = tokio::runtime::Runtime::new()?;
    let spread = runtime.block_on(deposits::spread(&args, &mut checks))?;
    let p99_ms = us(spread.quantile(990)) / 1e3;
    checks.note(
        "ten internal transfers are complete within 50 ms of the deposit's commit",
        p99_ms < 50.0,
        format!(
            "{p99_ms:.1} ms at the 99th percentile, {} deposits/s",
            args.rate
        ),
    );
    rows.push(Row::new("deposit to ten transfers", &spread));
    let ratios = runtime.block_on(deposits::beside_rules(&args, &mut rows))?;
    let more = (median(ratios) - 1.0) * 100.0;
    checks.note(
        "rules that a deposit does not set off make it at most 10 % dearer",
        more <= 10.0,
        format!(
            "{more:+.1} % processor time in the median of {} rounds, {} rules",
            args.rounds,
            args.tenants.saturating_mul(5)
        ),
    );
    let mut table = table(1, &["what", "times", "p50 us", "p99 us", "max us"]);
    for row in &rows {
        table.add_row([
            row.what.to_owned(),
            row.times.to_string(),
            format!("{:.1}", row.p50_us),
            format!("{:.1}", row.p99_us),
            format!("{:.1}", row.max_us),
        ]);
    }
    let json = args.json;
    let report = Report::new("rules", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}
