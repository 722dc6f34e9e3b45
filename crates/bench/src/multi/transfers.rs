//! Immediate transfers over HTTP: the server beside an echo, in turns, and a check of what is left
//! behind.
//!
//! Phases: start both, make an identity with funded accounts, then for each number of connections
//! echo and server in turns, each on an otherwise idle machine; then everything that was
//! acknowledged is looked for, over the API and in the files.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::audit;
use super::scripts::Orders;
use super::world::{self, FUNDS, Plan, World};
use crate::child::Child;
use crate::load::{Load, Scripts};
use crate::report::{Checks, Report};
use crate::turns::{Ratio, Rounds, Row, System, pair, rows_table};
use crate::{args, disk, setup};

/// The least share of the echo's requests per second at [`TARGET_CONNECTIONS`].
const TARGET: f64 = 0.5;
const TARGET_CONNECTIONS: u16 = 64;
/// As long as a token, for an echo alone.
const TOKEN: &str = "0000000000000000000000000000000000000000000";

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Multi) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut checks = Checks::default();
    let rows = runtime.block_on(measure(&args, &mut checks))?;
    let json = args.json;
    let table = rows_table(&rows);
    let report = Report::new("multi", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

async fn measure(args: &args::Multi, checks: &mut Checks) -> Result<Vec<Row>> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let data = folder.path().join("data");
    let mut echo = System::new(Child::echo(folder.path())?);
    let (world, mut server) = if args.echo_only {
        (World::imagined(args.accounts), None)
    } else {
        let (world, server) = start(args, &data).await?;
        (world, Some(System::new(server)))
    };
    let mut rows = Vec::new();
    for &connections in &args.connections {
        let load = Load {
            connections,
            warm_up: Duration::from_millis(args.warm_up_ms),
            span: Duration::from_secs(args.seconds),
        };
        let (mut echo_rounds, mut rounds) = (Rounds::default(), Rounds::default());
        for _ in 0..args.rounds {
            let scripts = scripts(args, &world, TOKEN)?;
            echo.measure(load, &*scripts, &mut echo_rounds).await?;
            if let Some(server) = &mut server {
                // A token may have ended while the echo had its turn.
                let token = world::log_in(&server.child, &world).await?;
                rounds.syncs.push(disk::sync_us(folder.path())?);
                let scripts = self::scripts(args, &world, &token)?;
                server.measure(load, &*scripts, &mut rounds).await?;
            }
        }
        if server.is_some() && connections == TARGET_CONNECTIONS {
            note_ratio(&rounds.ratio(&echo_rounds), checks);
        }
        let rounds = server.is_some().then_some(rounds);
        rows.extend(pair(connections, None, echo_rounds, rounds));
    }
    echo.note_failures("every request to the echo was answered 200", checks);
    echo.child.stop()?;
    if let Some(server) = server {
        server.note_failures("every request was answered 200, completed", checks);
        check(server, &world, &data, checks).await?;
    }
    Ok(rows)
}

fn note_ratio(ratio: &Ratio, checks: &mut Checks) {
    let name = "with 64 connections it keeps its share of the echo's requests";
    ratio.note(name, TARGET, checks);
}

async fn start(args: &args::Multi, data: &Path) -> Result<(World, Child)> {
    let server = Child::server(data)?;
    let mut admin = setup::admin(&server, data).await?;
    let plan = Plan {
        funded: args.accounts,
        empty: 0,
        transfer_profiles: 1,
        clock: None,
    };
    let world = world::make(&server, &mut admin, &plan).await?;
    Ok((world, server))
}

fn scripts(args: &args::Multi, world: &World, token: &str) -> Result<Box<Scripts<'static>>> {
    let orders = Orders::new(world, token)?;
    let orders = if args.no_idempotency_ref {
        orders.without_reference()
    } else {
        orders
    };
    Ok(orders.scripts())
}

/// Everything that the server acknowledged is there, and nothing else.
async fn check(server: System, world: &World, data: &Path, checks: &mut Checks) -> Result<()> {
    let mut user = world::user(&server.child, world).await?;
    audit::counts(&mut user, server.ids.len(), checks).await?;
    let sum = audit::balances(&mut user, &world.accounts).await?;
    let funded = i128::from(FUNDS) * world.accounts.len() as i128;
    let detail = format!("{sum} of {funded} cents");
    checks.note("no money appeared or vanished", sum == funded, detail);
    crate::audit::stop(server.child, checks)?;
    crate::audit::in_the_files(data, checks);
    audit::entries(data, world, &server.ids, checks).await
}
