//! Transfers over PostgreSQL: the server beside a plain ledger in SQL on the same cluster, in turns;
//! then two servers on one database.
//!
//! Phases: start a cluster that syncs each commit, fill both ledgers, then measure. *Spread* moves
//! money between accounts at random; *hot* pays every transfer into one account. At the end both
//! ledgers are checked, ours with `verify`.

mod plain;
mod world;

use std::time::Duration;

use anyhow::Result;
use comfy_table::Table;
use serde::Serialize;
use sim::postgres::{Cluster, Options};

use crate::args;
use crate::histogram::Histogram;
use crate::load::{Driven, Load};
use crate::report::{Checks, Report, median, ms, table, whole};
use plain::Plain;
use world::{Site, Worlds};

/// Our transfers a second by those of the plain ledger, at least.
const SPREAD_TARGET: f64 = 3.0;
/// The same, with one account in every transfer.
const HOT_TARGET: f64 = 10.0;
/// Two servers' transfers a second by one's, at least.
const PAIR_TARGET: f64 = 1.2;

/// Which accounts take part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    /// Any two of one owner.
    Spread,
    /// Any, and always the same one.
    Hot,
}

/// What one system came to.
#[derive(Serialize)]
struct Row {
    shape: Shape,
    system: &'static str,
    /// Acknowledged transfers of all rounds.
    transfers: u64,
    /// The median of the rounds.
    transfers_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// By the transfers a second of what it is compared with, measured just before; the median.
    ratio: Option<f64>,
}

/// Rounds of one system.
#[derive(Default)]
struct Rounds {
    per_second: Vec<f64>,
    latencies: Histogram,
    transfers: u64,
}

impl Rounds {
    fn take(&mut self, driven: &Driven, span: Duration) {
        let counted = driven.latencies.count() as f64;
        self.per_second.push(counted / span.as_secs_f64());
        self.latencies.add(&driven.latencies);
        self.transfers += driven.ids.len() as u64;
    }

    fn ratio_to(&self, other: &Rounds) -> f64 {
        let pairs = self.per_second.iter().zip(&other.per_second);
        median(pairs.map(|(ours, theirs)| ours / theirs).collect())
    }

    fn row(&self, shape: Shape, system: &'static str, ratio: Option<f64>) -> Row {
        Row {
            shape,
            system,
            transfers: self.transfers,
            transfers_per_second: median(self.per_second.clone()),
            p50_ms: ms(self.latencies.quantile(500)),
            p99_ms: ms(self.latencies.quantile(990)),
            max_ms: ms(self.latencies.max()),
            ratio,
        }
    }
}

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Postgres) -> Result<bool> {
    let cluster = Cluster::start(&Options {
        durable: true,
        settings: args.settings.join("\n"),
        ..Options::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut checks = Checks::default();
    let rows = runtime.block_on(measure(&args, &cluster, &mut checks))?;
    let json = args.json;
    let table = rows_table(&rows);
    let report = Report::new("postgres", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

async fn measure(
    args: &args::Postgres,
    cluster: &Cluster,
    checks: &mut Checks,
) -> Result<Vec<Row>> {
    for name in ["plain", "tidegate"] {
        cluster.sql(&format!("CREATE DATABASE {name}"));
    }
    let accounts = usize::from(args.identities) * usize::from(args.accounts);
    let plain = Plain::make(&cluster.url("plain"), accounts).await?;
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let mut site = Site::start(folder.path(), &cluster.url("tidegate"))?;
    let worlds = Worlds::make(&site, args).await?;
    let load = Load {
        connections: args.connections,
        warm_up: Duration::from_millis(args.warm_up_ms),
        span: Duration::from_secs(args.seconds),
    };

    let empty = database_bytes(cluster);
    let mut rows = Vec::new();
    let mut made = 0;
    for (shape, target) in [(Shape::Spread, SPREAD_TARGET), (Shape::Hot, HOT_TARGET)] {
        let (mut theirs, mut ours) = (Rounds::default(), Rounds::default());
        for _ in 0..args.rounds {
            theirs.take(&plain.drive(load, shape).await?, load.span);
            let scripts = worlds.scripts(&site, shape).await?;
            let driven = site.drive(load, &*scripts).await?;
            note_failures(&driven, checks);
            ours.take(&driven, load.span);
        }
        let ratio = ours.ratio_to(&theirs);
        let name = match shape {
            Shape::Spread => "more transfers than the plain ledger",
            Shape::Hot => "more transfers than the plain ledger into one account",
        };
        let detail = format!("{ratio:.2} times in the median, {target:.1} at least");
        checks.note(name, ratio >= target, detail);
        made += ours.transfers;
        rows.push(theirs.row(shape, "plain SQL", None));
        rows.push(ours.row(shape, "tidegate", Some(ratio)));
    }

    site.add_peer()?;
    let (mut alone, mut pair) = (Rounds::default(), Rounds::default());
    for _ in 0..args.rounds {
        let scripts = worlds.scripts(&site, Shape::Spread).await?;
        let driven = site.drive(load, &*scripts).await?;
        note_failures(&driven, checks);
        alone.take(&driven, load.span);
        let driven = site.drive_both(load, &*scripts).await?;
        note_failures(&driven, checks);
        pair.take(&driven, load.span);
    }
    let ratio = pair.ratio_to(&alone);
    let detail = format!("{ratio:.2} times in the median, {PAIR_TARGET:.1} at least");
    checks.note("two servers do more than one", ratio >= PAIR_TARGET, detail);
    made += alone.transfers + pair.transfers;
    rows.push(alone.row(Shape::Spread, "tidegate, one of two", None));
    rows.push(pair.row(Shape::Spread, "tidegate, two", Some(ratio)));

    let grown = database_bytes(cluster).saturating_sub(empty);
    let detail = format!("{} bytes a transfer", grown / made.max(1));
    checks.note("what the database grows by", made > 0, detail);
    plain.check(checks).await?;
    worlds.check(&site, made, checks).await?;
    site.stop(checks)?;
    site.verify(&cluster.url("tidegate"), checks)?;
    Ok(rows)
}

/// What the server's database has on disk, indexes included.
fn database_bytes(cluster: &Cluster) -> u64 {
    let rows = cluster.sql("CHECKPOINT; SELECT pg_database_size('tidegate')");
    let size = rows.last().and_then(|row| row.first()?.as_deref());
    size.and_then(|size| size.parse().ok()).unwrap_or(0)
}

fn note_failures(driven: &Driven, checks: &mut Checks) {
    if driven.failures == 0 {
        return;
    }
    let first = driven.failure.as_deref().unwrap_or_default();
    let detail = format!("{} of {}; the first: {first}", driven.failures, driven.sent);
    checks.note("every request was answered 200, completed", false, detail);
}

fn rows_table(rows: &[Row]) -> Table {
    let header = [
        "shape",
        "system",
        "transfers/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "ratio",
    ];
    let mut table = table(2, &header);
    for row in rows {
        let shape = match row.shape {
            Shape::Spread => "spread",
            Shape::Hot => "hot",
        };
        table.add_row([
            shape.to_owned(),
            row.system.to_owned(),
            whole(row.transfers_per_second),
            format!("{:.2}", row.p50_ms),
            format!("{:.2}", row.p99_ms),
            format!("{:.1}", row.max_ms),
            row.ratio
                .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        ]);
    }
    table
}
