//! What survives when servers, connections and the primary die under load.
//!
//! A PostgreSQL primary with a synchronous standby, several servers over both, and payers who send
//! each order until it is acknowledged, always under the same key and to whichever server answers.
//! Meanwhile servers are killed and started again, all connections to the database are broken, and
//! in the end the primary is killed and the standby promoted; no server is restarted for that. Then
//! every order must be in the database exactly once, acknowledged as it stands there.

mod payer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use comfy_table::Table;
use serde::Serialize;
use sim::postgres::{Cluster, Options};

use crate::args;
use crate::child::Child;
use crate::multi::world::{self, Plan, World};
use crate::random::Random;
use crate::report::{Checks, Report, table, whole};
use crate::setup;
use payer::{Counter, Payer, Receipts};

/// How soon after a promotion orders must be acknowledged again.
const BACK_MAX: Duration = Duration::from_secs(10);
/// Between two faults.
const PAUSE: Duration = Duration::from_secs(4);
/// How long a killed server stays away.
const DOWN: Duration = Duration::from_secs(1);
/// From the death of the primary to the promotion: what noticing it takes.
const NOTICE: Duration = Duration::from_millis(500);
/// Files that every server over one database has the same of.
const SHARED: [&str; 2] = ["server.secret", "admin.token"];

/// What was done and what came of it.
#[derive(Serialize)]
struct Row {
    fault: &'static str,
    times: u64,
    /// The longest time without an acknowledgement that began with one of them.
    longest_gap_ms: f64,
}

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Failover) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let mut checks = Checks::default();
    let rows = runtime.block_on(measure(&args, &mut checks))?;
    let json = args.json;
    let table = rows_table(&rows);
    let report = Report::new("failover", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

/// The database and the servers.
struct Site {
    folder: PathBuf,
    url: String,
    servers: Vec<Option<Child>>,
    counter: Arc<Counter>,
}

impl Site {
    fn data(&self, index: usize) -> PathBuf {
        self.folder.join(format!("server{index}"))
    }

    fn start(&mut self, index: usize) -> Result<()> {
        let (first, own) = (self.data(0), self.data(index));
        if index > 0 && !own.exists() {
            std::fs::create_dir_all(&own)?;
            for file in SHARED {
                std::fs::copy(first.join(file), own.join(file)).with_context(|| file.to_owned())?;
            }
        }
        let server = Child::server_over(&own, &self.url)?;
        self.counter.open(index, server.api);
        self.servers[index] = Some(server);
        Ok(())
    }

    /// Kills a server as the system does when memory is short.
    fn kill(&mut self, index: usize) {
        self.counter.close(index);
        self.servers[index] = None;
    }

    fn first(&self) -> Result<&Child> {
        self.servers
            .first()
            .and_then(Option::as_ref)
            .context("no server")
    }
}

async fn measure(args: &args::Failover, checks: &mut Checks) -> Result<Vec<Row>> {
    let primary = Cluster::start(&Options {
        durable: true,
        ..Options::default()
    });
    primary.sql("CREATE DATABASE tidegate");
    let standby = primary.standby();
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let mut site = site(args, folder.path(), &primary, &standby)?;
    for index in 0..site.servers.len() {
        site.start(index)?;
    }
    let worlds = worlds(args, &site).await?;

    let receipts = Arc::new(Receipts::default());
    let mut payers = tokio::task::JoinSet::new();
    for index in 0..args.connections {
        let world = &worlds[usize::from(index) % worlds.len()];
        let token = world::log_in(site.first()?, world).await?;
        let payer = Payer::new(index, world, &token, &site.counter, &receipts);
        payers.spawn(payer.run());
    }

    let mut faults = Faults::default();
    let until = Instant::now() + Duration::from_secs(args.seconds);
    let mut random = Random::new(args.seed);
    while Instant::now() < until {
        tokio::time::sleep(PAUSE).await;
        let begun = Instant::now();
        if random.below(2) == 0 {
            let index = random.below(site.servers.len() as u64) as usize;
            site.kill(index);
            tokio::time::sleep(DOWN).await;
            tokio::task::block_in_place(|| site.start(index))?;
            faults.servers.push(begun);
        } else {
            tokio::task::block_in_place(|| break_connections(&primary));
            faults.connections.push(begun);
        }
    }
    tokio::time::sleep(PAUSE).await;
    faults.primary.push(Instant::now());
    tokio::task::block_in_place(|| primary.kill());
    tokio::time::sleep(NOTICE).await;
    tokio::task::block_in_place(|| standby.promote());
    let promoted = Instant::now();
    tokio::time::sleep(BACK_MAX).await;
    receipts.stop();
    while let Some(ended) = payers.join_next().await {
        ended?;
    }

    let back = receipts.first_asked_after(promoted);
    let detail = match back {
        Some(at) => format!("{} ms after the promotion", (at - promoted).as_millis()),
        None => "never".to_owned(),
    };
    let in_time = back.is_some_and(|at| at - promoted <= BACK_MAX);
    checks.note("service is back, no server was restarted", in_time, detail);
    check(&standby, &receipts, checks)?;
    let data = site.data(0);
    for index in 0..site.servers.len() {
        if let Some(server) = site.servers[index].take() {
            let time = server.stop()?;
            let detail = format!("after {} ms", time.as_millis());
            checks.note("a server ended when asked to", true, detail);
        }
    }
    let (sound, said) = Child::verify_over(&data, &site.url)?;
    checks.note("verify finds the books right", sound, said);
    Ok(faults.rows(&receipts))
}

fn site(
    args: &args::Failover,
    folder: &Path,
    primary: &Cluster,
    standby: &Cluster,
) -> Result<Site> {
    let (one, other) = (primary.port(), standby.port());
    let url = format!(
        "postgres://postgres@127.0.0.1:{one},127.0.0.1:{other}/tidegate\
         ?target_session_attrs=read-write&sslmode=disable&connect_timeout=2"
    );
    Ok(Site {
        folder: folder.to_owned(),
        url,
        servers: (0..args.servers).map(|_| None).collect(),
        counter: Arc::new(Counter::new(usize::from(args.servers))),
    })
}

async fn worlds(args: &args::Failover, site: &Site) -> Result<Vec<World>> {
    let server = site.first()?;
    let mut admin = setup::admin(server, &site.data(0)).await?;
    let plan = Plan {
        funded: 4,
        empty: 0,
        transfer_profiles: 1,
        clock: None,
    };
    world::make_many(server, &mut admin, &plan, args.identities).await
}

/// Ends every connection that is not this one's.
fn break_connections(primary: &Cluster) {
    primary.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = 'tidegate' AND pid <> pg_backend_pid()",
    );
}

/// When each fault began.
#[derive(Default)]
struct Faults {
    servers: Vec<Instant>,
    connections: Vec<Instant>,
    primary: Vec<Instant>,
}

impl Faults {
    fn rows(&self, receipts: &Receipts) -> Vec<Row> {
        let row = |fault, times: &[Instant]| Row {
            fault,
            times: times.len() as u64,
            longest_gap_ms: times
                .iter()
                .map(|begun| receipts.gap_from(*begun).as_secs_f64() * 1e3)
                .fold(0.0, f64::max),
        };
        vec![
            row("a server was killed", &self.servers),
            row("all connections were broken", &self.connections),
            row("the primary was killed", &self.primary),
        ]
    }
}

/// Every order is there once, as it was acknowledged.
fn check(database: &Cluster, receipts: &Receipts, checks: &mut Checks) -> Result<()> {
    let rows = sim::postgres::run(
        &database.url("tidegate"),
        "SELECT tag, id, status FROM transfers WHERE tag IS NOT NULL",
    );
    let rows = rows.map_err(anyhow::Error::msg)?;
    let mut found: HashMap<String, Vec<(u64, String)>> = HashMap::new();
    for row in rows {
        let [Some(tag), Some(id), Some(status)] = &row[..] else {
            anyhow::bail!("a transfer without an id: {row:?}");
        };
        let seen = found.entry(tag.clone()).or_default();
        seen.push((id.parse()?, status.clone()));
    }
    let acknowledged = receipts.all();
    let lost = acknowledged
        .iter()
        .filter(|(tag, id)| {
            let there = found.get(*tag).and_then(|seen| seen.first());
            // 5 is `complete` on disk.
            there.is_none_or(|(found, status)| found != *id || status != "5")
        })
        .count();
    let twice = found.values().filter(|seen| seen.len() > 1).count();
    let strangers = found.keys().filter(|tag| !acknowledged.contains_key(*tag));
    let detail = format!("{} acknowledged, {lost} lost", acknowledged.len());
    checks.note("no acknowledged transfer is lost", lost == 0, detail);
    checks.note("none is there twice", twice == 0, format!("{twice} are"));
    let strangers = strangers.count();
    let detail = format!("{strangers} were never acknowledged");
    checks.note(
        "every order ended with an acknowledgement",
        strangers == 0,
        detail,
    );
    let wrong = receipts.wrong();
    let detail = match &wrong[..] {
        [] => format!("{} times 503 or a broken connection", receipts.retries()),
        [first, ..] => format!("{} others; the first: {first}", wrong.len()),
    };
    checks.note("no answer but 200, 429 and 503", wrong.is_empty(), detail);
    Ok(())
}

fn rows_table(rows: &[Row]) -> Table {
    let mut table = table(1, &["fault", "times", "longest gap ms"]);
    for row in rows {
        let cells = [whole(row.times as f64), whole(row.longest_gap_ms)];
        table.add_row([row.fault.to_owned()].into_iter().chain(cells));
    }
    table
}
