//! Transfers over PostgreSQL: the server beside a plain ledger in SQL on the same cluster, in turns;
//! then two servers on one database.
//!
//! Phases: start a cluster that syncs each commit, fill both ledgers, then measure. *Spread* moves
//! money between accounts at random; *hot* pays every transfer into one account. At the end both
//! ledgers are checked, ours with `verify`.

mod plain;
mod world;

use std::time::Duration;

use anyhow::{Context, Result};
use comfy_table::Table;
use serde::Serialize;
use sim::postgres::{Cluster, Options};

use crate::args;
use crate::histogram::Histogram;
use crate::load::{Driven, Load, Scripts};
use crate::process;
use crate::report::{Checks, Report, median, ms, table, us_each, whole};
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
    /// Transfers that were committed together, in the mean of all rounds.
    group: f64,
    /// Processor time of a transfer, in microseconds, in the mean of all rounds.
    cpu_us: Cpu<f64>,
}

/// Processor time, by who used it.
#[derive(Clone, Copy, Default, Serialize)]
struct Cpu<T> {
    /// All processes of the cluster.
    database: T,
    servers: T,
    clients: T,
}

impl Cpu<Duration> {
    /// What was used until now.
    fn now(cluster: &Cluster, site: &Site) -> Result<Cpu<Duration>> {
        Ok(Cpu {
            database: process::family_cpu(cluster.pid())?,
            servers: site.cpu()?,
            clients: process::cpu(std::process::id())?,
        })
    }

    fn add(&mut self, before: Cpu<Duration>, after: Cpu<Duration>) {
        self.database += after.database.saturating_sub(before.database);
        self.servers += after.servers.saturating_sub(before.servers);
        self.clients += after.clients.saturating_sub(before.clients);
    }

    fn each(self, transfers: u64) -> Cpu<f64> {
        Cpu {
            database: us_each(self.database, transfers),
            servers: us_each(self.servers, transfers),
            clients: us_each(self.clients, transfers),
        }
    }
}

/// Rounds of one system.
#[derive(Default)]
struct Rounds {
    per_second: Vec<f64>,
    latencies: Histogram,
    transfers: u64,
    groups: u64,
    cpu: Cpu<Duration>,
}

impl Rounds {
    fn take(&mut self, driven: &Driven, span: Duration) {
        let counted = driven.latencies.count() as f64;
        self.per_second.push(counted / span.as_secs_f64());
        self.latencies.add(&driven.latencies);
        self.transfers += driven.ids.len() as u64;
    }

    /// One load on our servers.
    async fn measure(
        &mut self,
        cluster: &Cluster,
        site: &mut Site,
        load: Load,
        scripts: &Scripts<'_>,
        checks: &mut Checks,
    ) -> Result<()> {
        let newest = number(cluster, "SELECT coalesce(max(batch), 0) FROM commits")?;
        let before = Cpu::now(cluster, site)?;
        let driven = site.drive(load, scripts).await?;
        self.cpu.add(before, Cpu::now(cluster, site)?);
        let groups = format!("SELECT count(DISTINCT batch) FROM commits WHERE batch > {newest}");
        self.groups += number(cluster, &groups)?;
        note_failures(&driven, checks);
        self.take(&driven, load.span);
        Ok(())
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
            group: self.transfers as f64 / self.groups.max(1) as f64,
            cpu_us: self.cpu.each(self.transfers),
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

    let empty = database_bytes(cluster)?;
    let mut rows = Vec::new();
    let mut made = 0;
    for (shape, target) in [(Shape::Spread, SPREAD_TARGET), (Shape::Hot, HOT_TARGET)] {
        let (mut theirs, mut ours) = (Rounds::default(), Rounds::default());
        for _ in 0..args.rounds {
            let before = Cpu::now(cluster, &site)?;
            let driven = plain.drive(load, shape).await?;
            theirs.cpu.add(before, Cpu::now(cluster, &site)?);
            theirs.groups += driven.ids.len() as u64;
            theirs.take(&driven, load.span);
            let scripts = worlds.scripts(&site, shape).await?;
            ours.measure(cluster, &mut site, load, &*scripts, checks)
                .await?;
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
        site.uses = 1;
        alone
            .measure(cluster, &mut site, load, &*scripts, checks)
            .await?;
        site.uses = 2;
        pair.measure(cluster, &mut site, load, &*scripts, checks)
            .await?;
    }
    let ratio = pair.ratio_to(&alone);
    let detail = format!("{ratio:.2} times in the median, {PAIR_TARGET:.1} at least");
    checks.note("two servers do more than one", ratio >= PAIR_TARGET, detail);
    made += alone.transfers + pair.transfers;
    rows.push(alone.row(Shape::Spread, "tidegate, one of two", None));
    rows.push(pair.row(Shape::Spread, "tidegate, two", Some(ratio)));

    let grown = database_bytes(cluster)?.saturating_sub(empty);
    let detail = format!("{} bytes a transfer", grown / made.max(1));
    checks.note("what the database grows by", made > 0, detail);
    plain.check(checks).await?;
    worlds.check(&site, made, checks).await?;
    site.stop(checks)?;
    site.verify(&cluster.url("tidegate"), checks)?;
    Ok(rows)
}

/// What the server's database has on disk, indexes included.
fn database_bytes(cluster: &Cluster) -> Result<u64> {
    first_number(&cluster.sql("CHECKPOINT; SELECT pg_database_size('tidegate')"))
}

/// A number from the server's database.
fn number(cluster: &Cluster, sql: &str) -> Result<u64> {
    let rows = sim::postgres::run(&cluster.socket_url("tidegate"), sql);
    first_number(&rows.map_err(anyhow::Error::msg)?)
}

fn first_number(rows: &[sim::postgres::Row]) -> Result<u64> {
    let value = rows.last().and_then(|row| row.first()?.as_deref());
    Ok(value.context("no number")?.parse()?)
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
        "group",
        "database us",
        "servers us",
        "clients us",
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
            format!("{:.1}", row.group),
            whole(row.cpu_us.database),
            whole(row.cpu_us.servers),
            whole(row.cpu_us.clients),
        ]);
    }
    table
}
