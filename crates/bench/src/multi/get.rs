//! One transfer at a time, by its id: the server beside an echo, in turns.
//!
//! Phases: make an identity, give it a history through the store, start the server over it, make
//! the newest transfers over HTTP, then read ids drawn from the newest, and from all.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::history::{self, Made};
use super::scripts::{Credentials, Orders, gets};
use super::world::{self, Plan, World};
use crate::child::Child;
use crate::load::Load;
use crate::report::{Checks, Report};
use crate::turns::{Rounds, Row, System, pair, rows_table};
use crate::{args, setup};

/// The least share of the echo's requests per second.
const TARGET: f64 = 0.8;
/// Connections that make the newest transfers.
const MAKERS: u16 = 64;
/// How long they may take.
const MAKING_MAX: Duration = Duration::from_secs(3600);

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Get) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut checks = Checks::default();
    let rows = runtime.block_on(measure(&args, &mut checks))?;
    let json = args.json;
    let table = rows_table(&rows);
    let report = Report::new("get", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

async fn measure(args: &args::Get, checks: &mut Checks) -> Result<Vec<Row>> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let data = folder.path().join("data");
    let plan = Plan {
        funded: args.accounts,
        empty: 1,
        transfer_profiles: 4,
        clock: None,
    };
    let recent = args.recent.min(args.transfers);
    let (world, made) = with_history(&data, &plan, args.transfers - recent).await?;
    let mut server = System::new(Child::server(&data)?);
    make_recent(&mut server, &world, recent).await?;
    server.note_failures("the newest transfers were made", checks);
    let newest = server.ids.clone();
    let mut all: Vec<u64> = made.iter().map(|made| made.id).collect();
    all.extend(&newest);
    server.idle().await?;

    let mut echo = System::new(Child::echo(folder.path())?);
    let mut rows = Vec::new();
    for &connections in &args.connections {
        let load = Load {
            connections,
            warm_up: Duration::from_millis(args.warm_up_ms),
            span: Duration::from_secs(args.seconds),
        };
        for (of, ids) in [("newest", &newest), ("all", &all)] {
            let (mut echo_rounds, mut rounds) = (Rounds::default(), Rounds::default());
            for _ in 0..args.rounds {
                // A token may have ended while the echo had its turn.
                let token = world::log_in(&server.child, &world).await?;
                let scripts = gets(Credentials::new(&world, &token), ids)?;
                echo.measure(load, &*scripts, &mut echo_rounds).await?;
                server.measure(load, &*scripts, &mut rounds).await?;
            }
            let name = match of {
                "newest" => "reading the newest keeps its share of the echo's requests",
                _ => "reading any keeps its share of the echo's requests",
            };
            rounds.ratio(&echo_rounds).note(name, TARGET, checks);
            rows.extend(pair(connections, Some(of), echo_rounds, Some(rounds)));
        }
    }
    echo.note_failures("every request to the echo was answered 200", checks);
    echo.child.stop()?;
    server.note_failures("every answer was the transfer that was asked for", checks);
    crate::audit::stop(server.child, checks)?;
    crate::audit::in_the_files(&data, checks);
    Ok(rows)
}

/// A world with a history; no server runs over it any more.
///
/// # Errors
/// When server or store refuse.
pub async fn with_history(data: &Path, plan: &Plan, transfers: u64) -> Result<(World, Vec<Made>)> {
    let server = Child::server(data)?;
    let mut admin = setup::admin(&server, data).await?;
    let world = world::make(&server, &mut admin, plan).await?;
    server.stop()?;
    let made = history::fill(data, &world, transfers).await?;
    Ok((world, made))
}

async fn make_recent(server: &mut System, world: &World, recent: u64) -> Result<()> {
    let token = world::log_in(&server.child, world).await?;
    let mut funded = world.clone();
    // The last one is empty.
    funded.accounts.pop();
    let scripts = Orders::new(&funded, &token)?.at_most(recent).scripts();
    let load = Load {
        connections: MAKERS,
        warm_up: Duration::ZERO,
        span: MAKING_MAX,
    };
    server.drive(load, &*scripts).await?;
    Ok(())
}
