//! Transfers over HTTP: the server beside an echo, in turns, and a check of what is left behind.
//!
//! Phases: start both, make accounts, then for each number of connections echo and server in
//! turns, each on an otherwise idle machine; a last burst and the time until nothing is unsettled;
//! then everything that was acknowledged is looked for, over the API and in the files.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::audit;
use crate::child::Child;
use crate::histogram::Histogram;
use crate::load::{Driven, Load, Target, drive};
use crate::report::{Checks, Report, median, ms, per_second, table, us_each, whole};
use crate::setup::{self, World};
use crate::{args, disk, process};

/// How long a process must be idle before the next measurement. Longer than the server lets its
/// views lag, so that the work they still have is not done at the cost of the next one.
const IDLE_WINDOW: Duration = Duration::from_millis(600);
/// Processor time within it that still counts as idle.
const IDLE_CPU: Duration = Duration::from_millis(10);
/// How long to wait for that.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long the burst lasts after which settling is timed.
const BURST: Duration = Duration::from_secs(1);
/// How long settling may take.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// What one system came to with one number of connections.
#[derive(Serialize)]
struct Row {
    connections: u16,
    system: &'static str,
    /// Answers that counted, of all rounds.
    requests: u64,
    /// The median of the rounds.
    requests_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// Processor time of the system, until it was idle again, for each request.
    cpu_us_per_request: f64,
    /// Processor time of this process for each request.
    client_cpu_us_per_request: f64,
    /// After the last round.
    memory_mb: f64,
    /// What a bare `fdatasync` cost on the server's disk, just before each of its rounds, in the
    /// median.
    sync_us: Option<f64>,
    /// Requests per second in each round.
    rounds: Vec<f64>,
    ratio: Option<Ratio>,
}

/// The server's requests per second by those of the echo measured just before it.
#[derive(Clone, Serialize)]
struct Ratio {
    median: f64,
    min: f64,
    max: f64,
}

impl Ratio {
    fn new(server: &[f64], echo: &[f64]) -> Ratio {
        let ratios: Vec<f64> = server
            .iter()
            .zip(echo)
            .map(|(server, echo)| if *echo > 0.0 { server / echo } else { 0.0 })
            .collect();
        Ratio {
            min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            max: ratios.iter().copied().fold(0.0, f64::max),
            median: median(ratios),
        }
    }
}

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Transfers) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut checks = Checks::default();
    let rows = runtime.block_on(measure(&args, &mut checks))?;
    let json = args.json;
    let mut table = table(
        2,
        &[
            "connections",
            "system",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "max ms",
            "CPU us",
            "client us",
            "ratio (min-max)",
            "sync us",
            "RSS MB",
        ],
    );
    for row in &rows {
        let ratio = row.ratio.as_ref().map_or_else(String::new, |ratio| {
            format!("{:.2} ({:.2}-{:.2})", ratio.median, ratio.min, ratio.max)
        });
        table.add_row([
            row.connections.to_string(),
            row.system.to_owned(),
            whole(row.requests_per_second),
            format!("{:.2}", row.p50_ms),
            format!("{:.2}", row.p99_ms),
            format!("{:.1}", row.max_ms),
            format!("{:.1}", row.cpu_us_per_request),
            format!("{:.1}", row.client_cpu_us_per_request),
            ratio,
            row.sync_us.map_or_else(String::new, whole),
            whole(row.memory_mb),
        ]);
    }
    let report = Report::new("transfers", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

async fn measure(args: &args::Transfers, checks: &mut Checks) -> Result<Vec<Row>> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let data = folder.path().join("data");
    let mut systems = Systems::start(args, folder.path(), &data).await?;
    let mut rows = Vec::new();
    for &connections in &args.connections {
        let (mut echo, mut server) = (Rounds::default(), Rounds::default());
        for _ in 0..args.rounds {
            systems.echo.measure(connections, args, &mut echo).await?;
            if let Some(system) = &mut systems.server {
                server.syncs.push(disk::sync_us(folder.path())?);
                system.measure(connections, args, &mut server).await?;
            }
        }
        let ratio = Ratio::new(&server.rates, &echo.rates);
        rows.push(echo.row(connections, "echo", None));
        if systems.server.is_some() {
            rows.push(server.row(connections, "tidegate", Some(ratio)));
        }
    }
    systems
        .echo
        .note_failures("every request to the echo was answered 201", checks);
    systems.echo.child.stop()?;
    if let Some(mut server) = systems.server {
        let connections = args.connections.iter().copied().max().unwrap_or(1);
        settle(&mut server, connections, checks).await?;
        server.note_failures("every request was answered 201", checks);
        audit::over_the_api(&server.child, &server.world, &server.ids, checks).await?;
        let stopping = server.child.stop()?;
        checks.note(
            "the server ended when asked to",
            true,
            format!("after {stopping:.0?}"),
        );
        audit::in_the_files(&data, checks);
    }
    Ok(rows)
}

/// The measured processes.
struct Systems {
    echo: System,
    server: Option<System>,
}

impl Systems {
    async fn start(args: &args::Transfers, folder: &Path, data: &Path) -> Result<Systems> {
        let echo = Child::echo(folder)?;
        if args.echo_only {
            let accounts = (0..args.accounts)
                .map(|index| format!("acc_{index:013}"))
                .collect();
            let secret = format!("tg_{}", "0".repeat(52));
            let echo = System::new(echo, World { accounts, secret });
            return Ok(Systems { echo, server: None });
        }
        let server = Child::server(data)?;
        let mut admin = setup::admin(&server, data).await?;
        let world = setup::world(&mut admin, args.accounts).await?;
        Ok(Systems {
            echo: System::new(echo, world.clone()),
            server: Some(System::new(server, world)),
        })
    }
}

/// One process and everything it answered.
struct System {
    child: Child,
    world: World,
    runs: u32,
    sent: u64,
    ids: Vec<u64>,
    failures: u64,
    failure: Option<String>,
}

impl System {
    fn new(child: Child, world: World) -> System {
        System {
            child,
            world,
            runs: 0,
            sent: 0,
            ids: Vec::new(),
            failures: 0,
            failure: None,
        }
    }

    async fn drive(
        &mut self,
        connections: u16,
        warm_up: Duration,
        span: Duration,
    ) -> Result<Driven> {
        let World { accounts, secret } = &self.world;
        let target = Target {
            address: self.child.api,
            secret,
            accounts,
        };
        self.runs += 1;
        let load = Load {
            connections,
            warm_up,
            span,
            run: self.runs,
        };
        let mut driven = drive(&target, load).await?;
        self.sent += driven.sent;
        self.ids.append(&mut driven.ids);
        self.failures += driven.failures;
        if let Some(failure) = driven.failure.take() {
            self.failure.get_or_insert(failure);
        }
        Ok(driven)
    }

    /// One round: load, then wait until everything it caused is done.
    async fn measure(
        &mut self,
        connections: u16,
        args: &args::Transfers,
        rounds: &mut Rounds,
    ) -> Result<()> {
        let (pid, own) = (self.child.pid(), std::process::id());
        let (before, own_before) = (process::cpu(pid)?, process::cpu(own)?);
        let span = Duration::from_secs(args.seconds);
        let warm_up = Duration::from_millis(args.warm_up_ms);
        let driven = self.drive(connections, warm_up, span).await?;
        let own_after = process::cpu(own)?;
        idle(pid).await?;
        rounds.cpu += process::cpu(pid)?.saturating_sub(before);
        rounds.client_cpu += own_after.saturating_sub(own_before);
        rounds.memory = process::memory(pid)?;
        rounds.sent += driven.sent;
        rounds
            .rates
            .push(per_second(driven.latencies.count(), span));
        rounds.latencies.add(&driven.latencies);
        Ok(())
    }

    fn note_failures(&self, name: &'static str, checks: &mut Checks) {
        let first = self
            .failure
            .as_ref()
            .map_or_else(String::new, |text| format!("; {text}"));
        let detail = format!("{} of {} were not{first}", self.failures, self.sent);
        checks.note(name, self.failures == 0, detail);
    }
}

/// All rounds of one system with one number of connections.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    syncs: Vec<f64>,
    latencies: Histogram,
    sent: u64,
    cpu: Duration,
    client_cpu: Duration,
    memory: u64,
}

impl Rounds {
    fn row(self, connections: u16, system: &'static str, ratio: Option<Ratio>) -> Row {
        Row {
            connections,
            system,
            requests: self.latencies.count(),
            requests_per_second: median(self.rates.clone()),
            p50_ms: ms(self.latencies.quantile(500)),
            p99_ms: ms(self.latencies.quantile(990)),
            max_ms: ms(self.latencies.max()),
            cpu_us_per_request: us_each(self.cpu, self.sent),
            client_cpu_us_per_request: us_each(self.client_cpu, self.sent),
            memory_mb: self.memory as f64 / 1e6,
            sync_us: (!self.syncs.is_empty()).then(|| median(self.syncs)),
            rounds: self.rates,
            ratio,
        }
    }
}

/// Waits until a process has nothing to do.
async fn idle(pid: u32) -> Result<()> {
    let begun = Instant::now();
    let mut before = process::cpu(pid)?;
    while begun.elapsed() < IDLE_MAX {
        tokio::time::sleep(IDLE_WINDOW).await;
        let now = process::cpu(pid)?;
        if now.saturating_sub(before) <= IDLE_CPU {
            return Ok(());
        }
        before = now;
    }
    anyhow::bail!("a process is still busy {IDLE_MAX:?} after its load ended")
}

/// A burst, then the time until no transfer is unsettled.
async fn settle(server: &mut System, connections: u16, checks: &mut Checks) -> Result<()> {
    let driven = server.drive(connections, Duration::ZERO, BURST).await?;
    let begun = Instant::now();
    audit::all_settled(&server.child, &server.world, begun, 20 * SETTLE_MAX).await?;
    let took = begun.elapsed();
    checks.note(
        "all transfers settle soon",
        took <= SETTLE_MAX,
        format!(
            "{took:.0?} after {} transfers by {connections} connections",
            driven.sent
        ),
    );
    Ok(())
}
