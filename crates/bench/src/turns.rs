//! A server beside an echo: both get the same load in turns, each on an otherwise idle machine.

use std::time::{Duration, Instant};

use anyhow::Result;
use comfy_table::Table;
use serde::Serialize;

use crate::child::Child;
use crate::histogram::Histogram;
use crate::load::{Driven, Load, Scripts, drive};
use crate::process;
use crate::report::{Checks, median, ms, per_second, table, us_each, whole};

/// How long a process must be idle before the next measurement. Longer than the server lets its
/// views lag, so that the work they still have is not done at the cost of the next one.
const IDLE_WINDOW: Duration = Duration::from_millis(600);
/// How often it is looked at.
const IDLE_STEP: Duration = Duration::from_millis(100);
/// Processor time within it that still counts as idle.
const IDLE_CPU: Duration = Duration::from_millis(10);
/// How long to wait for that.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What one system came to with one load.
#[derive(Serialize)]
pub struct Row {
    connections: u16,
    /// What the requests ask for, where a benchmark asks for several things.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<&'static str>,
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
pub struct Ratio {
    /// Of the rounds.
    pub median: f64,
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

    /// Checks it against what is aimed at.
    pub fn note(&self, name: &'static str, target: f64, checks: &mut Checks) {
        let detail = format!("{:.2} in the median, {target:.2} at least", self.median);
        checks.note(name, self.median >= target, detail);
    }
}

/// The rows as people read them.
pub fn rows_table(rows: &[Row]) -> Table {
    let several = rows.iter().any(|row| row.of.is_some());
    let mut header = vec!["connections", "system"];
    if several {
        header.insert(1, "of");
    }
    let left = header.len();
    header.extend([
        "requests/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "CPU us",
        "client us",
        "ratio (min-max)",
        "sync us",
        "RSS MB",
    ]);
    let mut table = table(left, &header);
    for row in rows {
        let ratio = row.ratio.as_ref().map_or_else(String::new, |ratio| {
            format!("{:.2} ({:.2}-{:.2})", ratio.median, ratio.min, ratio.max)
        });
        let mut cells = vec![row.connections.to_string(), row.system.to_owned()];
        if several {
            cells.insert(1, row.of.unwrap_or_default().to_owned());
        }
        cells.extend([
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
        table.add_row(cells);
    }
    table
}

/// One measured process and everything it answered.
pub struct System {
    /// The process.
    pub child: Child,
    /// The transfers that it acknowledged.
    pub ids: Vec<u64>,
    runs: u32,
    sent: u64,
    failures: u64,
    failure: Option<String>,
}

impl System {
    /// A process that has answered nothing yet.
    pub fn new(child: Child) -> System {
        System {
            child,
            ids: Vec::new(),
            runs: 0,
            sent: 0,
            failures: 0,
            failure: None,
        }
    }

    /// One load. Its transfers and failures are kept.
    ///
    /// # Errors
    /// When it cannot connect.
    pub async fn drive(&mut self, load: Load, scripts: &Scripts<'_>) -> Result<Driven> {
        self.runs += 1;
        let mut driven = drive(self.child.api, self.runs, load, scripts).await?;
        self.sent += driven.sent;
        self.ids.append(&mut driven.ids);
        self.failures += driven.failures;
        if let Some(failure) = driven.failure.take() {
            self.failure.get_or_insert(failure);
        }
        Ok(driven)
    }

    /// One round: load, then wait until everything it caused is done.
    ///
    /// # Errors
    /// When it cannot connect, or the process does not become idle.
    pub async fn measure(
        &mut self,
        load: Load,
        scripts: &Scripts<'_>,
        rounds: &mut Rounds,
    ) -> Result<()> {
        let (pid, own) = (self.child.pid(), std::process::id());
        let (before, own_before) = (process::cpu(pid)?, process::cpu(own)?);
        let driven = self.drive(load, scripts).await?;
        let own_after = process::cpu(own)?;
        self.idle().await?;
        rounds.cpu += process::cpu(pid)?.saturating_sub(before);
        rounds.client_cpu += own_after.saturating_sub(own_before);
        rounds.memory = process::memory(pid)?;
        rounds.sent += driven.sent;
        rounds
            .rates
            .push(per_second(driven.latencies.count(), load.span));
        rounds.latencies.add(&driven.latencies);
        Ok(())
    }

    /// Waits until the process has nothing to do.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn idle(&self) -> Result<()> {
        let pid = self.child.pid();
        let begun = Instant::now();
        // Since when it has been idle, and what it had used then.
        let (mut since, mut used) = (begun, process::cpu(pid)?);
        while begun.elapsed() < IDLE_MAX {
            tokio::time::sleep(IDLE_STEP).await;
            let now = process::cpu(pid)?;
            if now.saturating_sub(used) > IDLE_CPU {
                (since, used) = (Instant::now(), now);
            } else if since.elapsed() >= IDLE_WINDOW {
                return Ok(());
            }
        }
        anyhow::bail!("a process is still busy {IDLE_MAX:?} after its load ended")
    }

    /// Checks that every request so far was answered as it should be.
    pub fn note_failures(&self, name: &'static str, checks: &mut Checks) {
        let first = self
            .failure
            .as_ref()
            .map_or_else(String::new, |text| format!("; {text}"));
        let detail = format!("{} of {} were not{first}", self.failures, self.sent);
        checks.note(name, self.failures == 0, detail);
    }
}

/// All rounds of one system with one load.
#[derive(Default)]
pub struct Rounds {
    /// Of a bare `fdatasync` just before each round, in microseconds.
    pub syncs: Vec<f64>,
    rates: Vec<f64>,
    latencies: Histogram,
    sent: u64,
    cpu: Duration,
    client_cpu: Duration,
    memory: u64,
}

impl Rounds {
    /// The server's rounds by those of the echo.
    pub fn ratio(&self, echo: &Rounds) -> Ratio {
        Ratio::new(&self.rates, &echo.rates)
    }

    /// What they came to.
    pub fn row(
        self,
        connections: u16,
        of: Option<&'static str>,
        system: &'static str,
        ratio: Option<Ratio>,
    ) -> Row {
        Row {
            connections,
            of,
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

/// The rows of one load: the echo's, and the server's if it was measured.
pub fn pair(
    connections: u16,
    of: Option<&'static str>,
    echo: Rounds,
    server: Option<Rounds>,
) -> Vec<Row> {
    let server = server.map(|server| {
        let ratio = server.ratio(&echo);
        server.row(connections, of, "tidegate", Some(ratio))
    });
    let echo = echo.row(connections, of, "echo", None);
    std::iter::once(echo).chain(server).collect()
}
