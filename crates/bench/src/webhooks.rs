//! Webhooks: what events cost transfers, how fast and how soon they are delivered, and what events
//! that nobody takes cost everybody else.
//!
//! Two real servers with the same past, measured in turns. The *plain* one has no endpoint, the
//! *queueing* one has one whose receiver is dead: what it is to be told waits. Each has another
//! endpoint while deliveries are measured. Its receiver is a thread of this process.

mod receiver;
mod site;

use std::collections::HashMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::args;
use crate::histogram::Histogram;
use crate::report::{Checks, Report, median, ms, table, whole};
use receiver::Receiver;
use site::{Sample, Site, bare};

/// What a queue of events may cost, in percent.
const ENQUEUEING_MAX: f64 = 10.0;
const UNDELIVERED_MAX: f64 = 5.0;
/// Deliveries a second, at least.
const DELIVERIES_MIN: f64 = 2_000.0;
/// From a commit to the first attempt, at most, for 99 of 100.
const SOON: Duration = Duration::from_millis(250);
/// How long the last events of a load may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One thing that was measured.
#[derive(Serialize)]
struct Row {
    what: &'static str,
    server: &'static str,
    /// The median of the rounds.
    per_second: f64,
    cpu_us: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
}

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Webhooks) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut bench = Bench {
        args,
        rows: Vec::new(),
        checks: Checks::default(),
    };
    runtime.block_on(bench.measure())?;
    let mut table = table(
        2,
        &["what", "server", "per second", "CPU us", "p50 ms", "p99 ms"],
    );
    let text = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.1}"));
    for row in &bench.rows {
        table.add_row([
            row.what.to_owned(),
            row.server.to_owned(),
            whole(row.per_second),
            text(row.cpu_us),
            text(row.p50_ms),
            text(row.p99_ms),
        ]);
    }
    let json = bench.args.json;
    let report = Report::new("webhooks", bench.args, bench.rows, bench.checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

struct Bench {
    args: args::Webhooks,
    rows: Vec<Row>,
    checks: Checks,
}

impl Bench {
    async fn measure(&mut self) -> Result<()> {
        let folder = crate::temporary_folder(self.args.folder.as_deref())?;
        let receiver = Receiver::start()?;
        let mut plain = Site::start(&self.args, &folder.path().join("plain")).await?;
        let mut queueing = Site::start(&self.args, &folder.path().join("queueing")).await?;
        queueing.endpoint(&dead_url()?, 8).await?;
        let costs = self.turns("transfers", &mut plain, &mut queueing).await?;
        self.note_costs(
            "events that are enqueued make transfers at most 10 % dearer",
            costs,
            ENQUEUEING_MAX,
        );
        if self.args.undelivered > 0 {
            // A transfer is two events. Both servers keep the same past.
            let transfers = self.args.undelivered.div_ceil(2);
            for site in [&mut plain, &mut queueing] {
                site.transfers(&self.args, transfers).await?;
            }
        }
        let what = "transfers beside undelivered events";
        let costs = self.turns(what, &mut plain, &mut queueing).await?;
        self.note_costs(
            "undelivered events make transfers at most 5 % dearer",
            costs,
            UNDELIVERED_MAX,
        );
        self.deliveries(&mut plain, &mut queueing, &receiver)
            .await?;
        self.steady(&mut plain, &receiver).await?;
        self.told(&mut plain).await?;
        for site in [plain, queueing] {
            let name = "every transfer was answered 201";
            site.system.note_failures(name, &mut self.checks);
            site.system.child.stop()?;
        }
        Ok(())
    }

    /// Transfers on both, in turns: rate and processor time of the second as multiples of the first's.
    async fn turns(
        &mut self,
        what: &'static str,
        plain: &mut Site,
        queueing: &mut Site,
    ) -> Result<(f64, f64)> {
        let mut samples = [Vec::new(), Vec::new()];
        for round in 0..self.args.rounds {
            // Whatever else the machine does, it does to both.
            for index in order(round) {
                let site = if index == 0 {
                    &mut *plain
                } else {
                    &mut *queueing
                };
                samples[index].push(site.load(&self.args).await?);
            }
        }
        Ok(self.compare(what, &samples))
    }

    /// Notes both: rate and processor time of the second as multiples of the first's.
    fn compare(&mut self, what: &'static str, samples: &[Vec<Sample>; 2]) -> (f64, f64) {
        let [first, second] = samples;
        self.rows.push(row(what, "plain", first));
        self.rows.push(row(what, "queueing", second));
        let pairs = || second.iter().zip(first);
        let rate = pairs().map(|(queueing, plain)| queueing.rate / plain.rate);
        let cpu = pairs().map(|(queueing, plain)| queueing.cpu_us / plain.cpu_us);
        (median(rate.collect()), median(cpu.collect()))
    }

    fn note_costs(&mut self, name: &'static str, (rate, cpu): (f64, f64), most: f64) {
        let (slower, dearer) = ((1.0 - rate) * 100.0, (cpu - 1.0) * 100.0);
        let passed = slower <= most && dearer <= most;
        let detail = format!(
            "{slower:+.1} % of the rate lost, {dearer:+.1} % processor time, in the median of {} \
             rounds",
            self.args.rounds
        );
        self.checks.note(name, passed, detail);
    }

    /// Deliveries of both servers in turns, beside what the receiver takes without them.
    async fn deliveries(
        &mut self,
        plain: &mut Site,
        queueing: &mut Site,
        receiver: &Receiver,
    ) -> Result<()> {
        let (url, concurrency) = (receiver.url(), self.args.concurrency);
        let mut endpoints = Vec::new();
        for site in [&mut *plain, &mut *queueing] {
            let endpoint = site.endpoint(&url, concurrency).await?;
            site.switch(&endpoint, false).await?;
            endpoints.push(endpoint);
        }
        let mut bares = Vec::new();
        let mut samples = [Vec::new(), Vec::new()];
        for round in 0..self.args.rounds {
            bares.push(bare(receiver, concurrency, self.args.transfers * 2).await?);
            for index in order(round) {
                let site = if index == 0 {
                    &mut *plain
                } else {
                    &mut *queueing
                };
                let to = (&*endpoints[index], receiver);
                samples[index].push(site.deliveries(&self.args, to).await?);
            }
        }
        let bare = median(bares);
        self.rows.push(Row {
            what: "deliveries",
            server: "none",
            per_second: bare,
            cpu_us: None,
            p50_ms: None,
            p99_ms: None,
        });
        let costs = self.compare("deliveries", &samples);
        let rate = median(samples[0].iter().map(|sample| sample.rate).collect());
        self.checks.note(
            "2,000 deliveries a second",
            rate >= DELIVERIES_MIN,
            format!(
                "{} in the median; the receiver takes {} without a server",
                whole(rate),
                whole(bare)
            ),
        );
        self.note_costs(
            "undelivered events make another endpoint's deliveries at most 5 % dearer",
            costs,
            UNDELIVERED_MAX,
        );
        Ok(())
    }

    /// How soon events are delivered at a fixed rate: from the sending of the request that causes
    /// one, which is before its commit.
    async fn steady(&mut self, plain: &mut Site, receiver: &Receiver) -> Result<()> {
        let url = receiver.url();
        let endpoint = plain.endpoint(&url, self.args.concurrency).await?;
        let (before, _) = receiver.count();
        receiver.take_created();
        let begun = Instant::now();
        let sent = plain.steady(&self.args).await?;
        let rate = sent.len() as f64 / begun.elapsed().as_secs_f64();
        let wanted = before + 2 * u64::try_from(sent.len())?;
        receiver.wait(wanted, PATIENCE).await?;
        plain.switch(&endpoint, false).await?;
        let told: HashMap<u64, Instant> = receiver.take_created().into_iter().collect();
        let (mut answers, mut soon) = (Histogram::default(), Histogram::default());
        for one in &sent {
            answers.record(one.answered - one.begun);
            let told = told.get(&one.id).context("a transfer was not told of")?;
            soon.record(told.saturating_duration_since(one.begun));
        }
        for (what, times) in [
            ("from request to answer", &answers),
            ("from request to first attempt", &soon),
        ] {
            self.rows.push(Row {
                what,
                server: "plain",
                per_second: rate,
                cpu_us: None,
                p50_ms: Some(ms(times.quantile(500))),
                p99_ms: Some(ms(times.quantile(990))),
            });
        }
        self.checks.note(
            "99 of 100 events are sent within 250 ms of their commit",
            soon.quantile(990) <= SOON,
            format!(
                "{:.1} ms from the request, {} transfers/s; its answer took {:.1} ms",
                ms(soon.quantile(990)),
                whole(rate),
                ms(answers.quantile(990))
            ),
        );
        Ok(())
    }

    /// Transfers while all of their events are delivered. It shows what the deliveries themselves
    /// take; nothing is aimed at.
    async fn told(&mut self, plain: &mut Site) -> Result<()> {
        let beside = Receiver::start()?;
        let url = beside.url();
        let endpoint = plain.endpoint(&url, self.args.concurrency).await?;
        let sample = plain.load(&self.args).await?;
        plain.switch(&endpoint, false).await?;
        self.rows
            .push(row("transfers that are told of", "plain", &[sample]));
        Ok(())
    }
}

fn row(what: &'static str, server: &'static str, samples: &[Sample]) -> Row {
    let of = |part: fn(&Sample) -> f64| median(samples.iter().map(part).collect());
    Row {
        what,
        server,
        per_second: of(|sample| sample.rate),
        cpu_us: Some(of(|sample| sample.cpu_us)),
        p50_ms: None,
        p99_ms: None,
    }
}

/// Which server is first in a round: each in its turn.
fn order(round: u32) -> [usize; 2] {
    if round.is_multiple_of(2) {
        [0, 1]
    } else {
        [1, 0]
    }
}

/// Where nobody listens.
fn dead_url() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    Ok(format!("http://{address}/hook"))
}
