//! Scheduled transfers: many that fall due at the same moment, and some that fall due alone.
//!
//! The programme's clock stands still while the many are handed in, and then runs from shortly
//! before their time: they fall due by time going by, however long handing in took. What counts is
//! the time until the API lists none as scheduled any more.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::audit;
use super::scripts::{AMOUNT, Orders};
use super::world::{self, CURRENCY, FUNDS, Plan, World, integer_at, text_at};
use crate::child::Child;
use crate::client::JsonClient;
use crate::load::Load;
use crate::random::Random;
use crate::report::{Checks, Report, ms, per_second, table, whole};
use crate::turns::System;
use crate::{args, setup};

/// Where the clock stands at first, and the same in milliseconds since 1970.
const BEGIN: &str = "2030-01-01T00:00:00Z";
const BEGIN_MS: i64 = 1_893_456_000_000;
/// When the many fall due: an hour later.
const DUE_MS: i64 = BEGIN_MS + 60 * 60 * 1000;
/// How long before it the clock begins to run.
const LEAD_MS: i64 = 2_000;
/// How long before its time one that falls due alone is handed in, at least.
const ALONE_LEAD_MS: i64 = 1_000;
/// How long the many may take to be executed, and one alone.
const MANY_MAX: Duration = Duration::from_secs(10);
const ALONE_MAX: Duration = Duration::from_secs(1);
/// When to give up: far beyond what is aimed at.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long handing in may take.
const HANDING_IN_MAX: Duration = Duration::from_secs(3600);
/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(5);

/// How late scheduled transfers were seen to be executed.
#[derive(Serialize)]
struct Row {
    what: &'static str,
    /// Transfers that fell due.
    transfers: u64,
    /// From their time until the first was seen to be executed.
    first_ms: f64,
    /// Until the last was.
    last_ms: f64,
}

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Scheduled) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut checks = Checks::default();
    let rows = runtime.block_on(measure(&args, &mut checks))?;
    let mut table = table(1, &["due", "transfers", "first after ms", "last after ms"]);
    for row in &rows {
        table.add_row([
            row.what.to_owned(),
            row.transfers.to_string(),
            format!("{:.1}", row.first_ms),
            format!("{:.1}", row.last_ms),
        ]);
    }
    let json = args.json;
    let report = Report::new("scheduled", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

async fn measure(args: &args::Scheduled, checks: &mut Checks) -> Result<Vec<Row>> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let data = folder.path().join("data");
    let server = Child::server(&data)?;
    let mut admin = setup::admin(&server, &data).await?;
    let plan = Plan {
        funded: args.accounts,
        empty: 0,
        transfer_profiles: 1,
        clock: Some(json!({"at": BEGIN, "frozen": true})),
    };
    let world = world::make(&server, &mut admin, &plan).await?;
    let mut server = System::new(server);
    hand_in(&mut server, &world, args, checks).await?;
    server.note_failures("every transfer was scheduled", checks);
    server.idle().await?;

    let mut user = world::user(&server.child, &world).await?;
    let waiting = audit::count(&mut user, "limit=1&state=SCHEDULED").await?;
    let detail = format!("{waiting} of {}", args.transfers);
    checks.note(
        "all wait while the clock stands",
        waiting == args.transfers,
        detail,
    );
    let clock = Clock::start(&mut admin, &world).await?;
    let many = fall_due(&mut user, &clock, args.transfers).await?;
    note_limit(&many, MANY_MAX, checks);
    server.idle().await?;
    let (alone, ids) = alone(&mut user, &clock, &world, args.alone).await?;
    note_limit(&alone, ALONE_MAX, checks);
    server.ids.extend(ids);
    check(server, &world, &data, checks).await?;
    Ok(vec![many, alone])
}

/// The first half of the accounts pays the second.
fn halves(world: &World) -> (&[String], &[String]) {
    world.accounts.split_at(world.accounts.len() / 2)
}

async fn hand_in(
    server: &mut System,
    world: &World,
    args: &args::Scheduled,
    checks: &mut Checks,
) -> Result<()> {
    let token = world::log_in(&server.child, world).await?;
    let (sources, destinations) = halves(world);
    let orders = Orders::new(world, &token)?
        .scheduled(sources, destinations, DUE_MS)
        .at_most(args.transfers);
    let load = Load {
        connections: args.connections,
        warm_up: Duration::ZERO,
        span: HANDING_IN_MAX,
    };
    let begun = Instant::now();
    server.drive(load, &*orders.scripts()).await?;
    let took = begun.elapsed();
    let made = server.ids.len() as u64;
    let rate = whole(per_second(made, took));
    let detail = format!(
        "{made} of {} in {took:.1?}, {rate} a second",
        args.transfers
    );
    checks.note("all were handed in", made == args.transfers, detail);
    Ok(())
}

/// The programme's running clock, as reckoned from outside: never behind the real one, so that what
/// happens looks later than it was, if anything.
struct Clock {
    /// A moment of the machine.
    moment: Instant,
    /// What the clock showed then, or a little later: setting it takes its time.
    at_ms: i64,
}

impl Clock {
    async fn start(admin: &mut JsonClient, world: &World) -> Result<Clock> {
        let advance_ms = DUE_MS - LEAD_MS - BEGIN_MS;
        let run = json!({"advance_ms": advance_ms, "frozen": false});
        let path = format!("/admin/v1/tenants/{}/clock", world.tenant);
        let moment = Instant::now();
        admin.put(&path, &run).await?;
        Ok(Clock {
            moment,
            at_ms: DUE_MS - LEAD_MS,
        })
    }

    fn now_ms(&self) -> i64 {
        let passed = self.moment.elapsed().as_millis();
        self.at_ms
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// When it shows `at_ms`.
    ///
    /// # Errors
    /// When it has been shown already.
    fn moment_of(&self, at_ms: i64) -> Result<Instant> {
        let ahead = u64::try_from(at_ms - self.at_ms).context("a time that is over")?;
        Ok(self.moment + Duration::from_millis(ahead))
    }
}

/// Waits until none of the many is scheduled any more.
async fn fall_due(user: &mut JsonClient, clock: &Clock, transfers: u64) -> Result<Row> {
    let due = clock.moment_of(DUE_MS)?;
    let early = audit::count(user, "limit=1&state=SCHEDULED").await?;
    // An answer that came after their time tells nothing of before.
    ensure!(
        early == transfers || Instant::now() >= due,
        "{early} of {transfers} are scheduled before their time"
    );
    sleep(due.saturating_duration_since(Instant::now())).await;
    let mut first = None;
    loop {
        let path = "/multi/transfers?limit=1&state=SCHEDULED";
        // While the views lag far behind, a list is refused.
        let page = user.get_if_available(path).await?;
        let late = due.elapsed();
        if let Some(page) = page {
            let left = u64::try_from(integer_at(&page, "/count")?)?;
            if left < transfers {
                first.get_or_insert(late);
            }
            if left == 0 {
                return Ok(Row {
                    what: "all at once",
                    transfers,
                    first_ms: ms(first.unwrap_or(late)),
                    last_ms: ms(late),
                });
            }
        }
        ensure!(late < PATIENCE, "transfers are still scheduled: {late:.0?}");
        sleep(PAUSE).await;
    }
}

/// Transfers that fall due one after the other; the soonest and the latest, and their ids.
async fn alone(
    user: &mut JsonClient,
    clock: &Clock,
    world: &World,
    count: u32,
) -> Result<(Row, Vec<u64>)> {
    let mut random = Random::new(u64::from(count));
    let mut ids = Vec::new();
    let mut row = Row {
        what: "one alone",
        transfers: u64::from(count),
        first_ms: f64::INFINITY,
        last_ms: 0.0,
    };
    for _ in 0..count {
        let at_ms = clock.now_ms() + ALONE_LEAD_MS + i64::try_from(random.below(1_000))?;
        let due = clock.moment_of(at_ms)?;
        let made = user.post("/multi/transfers", &order(world, at_ms)).await?;
        let id = text_at(&made, "/id")?;
        ensure!(text_at(&made, "/state")? == "SCHEDULED", "{made}");
        sleep(due.saturating_duration_since(Instant::now())).await;
        let late = ms(executed(user, &id, due).await?);
        row.first_ms = row.first_ms.min(late);
        row.last_ms = row.last_ms.max(late);
        ids.push(id.parse()?);
    }
    Ok((row, ids))
}

fn order(world: &World, at_ms: i64) -> Value {
    let (sources, destinations) = halves(world);
    let instrument = |id: &String| json!({"id": id, "type": "managed_accounts"});
    json!({
        "profileId": world.profiles[0],
        "source": instrument(&sources[0]),
        "destination": instrument(&destinations[0]),
        "destinationAmount": {"currency": CURRENCY, "amount": AMOUNT},
        "scheduledTimestamp": at_ms.to_string(),
    })
}

/// How long after its time a transfer is seen to be completed.
async fn executed(user: &mut JsonClient, id: &str, due: Instant) -> Result<Duration> {
    loop {
        let transfer = user.get(&format!("/multi/transfers/{id}")).await?;
        let late = due.elapsed();
        match &*text_at(&transfer, "/state")? {
            "COMPLETED" => return Ok(late),
            "SCHEDULED" => {}
            other => anyhow::bail!("a transfer became {other}"),
        }
        ensure!(late < PATIENCE, "a transfer is still scheduled: {late:.0?}");
        sleep(PAUSE).await;
    }
}

fn note_limit(row: &Row, at_most: Duration, checks: &mut Checks) {
    let name = match row.what {
        "one alone" => "one alone is executed at its time",
        _ => "many are executed soon after their time",
    };
    let limit = ms(at_most);
    let detail = format!("{:.0} ms late, {limit:.0} ms at most", row.last_ms);
    checks.note(name, row.last_ms <= limit, detail);
}

/// Each was executed once: in the API's counts, the balances and the entries.
async fn check(server: System, world: &World, data: &Path, checks: &mut Checks) -> Result<()> {
    let mut user = world::user(&server.child, world).await?;
    audit::counts(&mut user, server.ids.len(), checks).await?;
    let (sources, destinations) = halves(world);
    let moved = i128::from(AMOUNT) * server.ids.len() as i128;
    for (name, accounts, change) in [
        ("the sources paid for each transfer once", sources, -moved),
        (
            "the destinations got each transfer once",
            destinations,
            moved,
        ),
    ] {
        let sum = audit::balances(&mut user, accounts).await?;
        let expected = i128::from(FUNDS) * accounts.len() as i128 + change;
        checks.note(name, sum == expected, format!("{sum} of {expected} cents"));
    }
    crate::audit::stop(server.child, checks)?;
    crate::audit::in_the_files(data, checks);
    audit::entries(data, world, &server.ids, checks).await
}
