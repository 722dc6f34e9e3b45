//! Transfers over HTTP: the server beside an echo, in turns, and a check of what is left behind.
//!
//! Phases: start both, make accounts, then for each number of connections echo and server in
//! turns, each on an otherwise idle machine; a last burst and the time until nothing is unsettled;
//! then everything that was acknowledged is looked for, over the API and in the files.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use service::spelling::{ID_CHARS, parse_id};

use crate::audit;
use crate::child::Child;
use crate::client::Answer;
use crate::load::{Caller, Load, Script, Scripts};
use crate::random::Random;
use crate::report::{Checks, Report};
use crate::setup::{self, World};
use crate::template::Template;
use crate::turns::{Rounds, Row, System, pair, rows_table};
use crate::{args, disk};

/// How long the burst lasts after which settling is timed.
const BURST: Duration = Duration::from_secs(1);
/// How long settling may take.
const SETTLE_MAX: Duration = Duration::from_secs(2);
/// Cents of every transfer; the least that the API takes.
const AMOUNT: &str = "100";
/// Characters of an account id: prefix and number.
const ACCOUNT_CHARS: usize = 4 + ID_CHARS;
/// Hex digits of an idempotency key that count the requests of one connection.
const COUNT_DIGITS: usize = 12;
/// What stands before the number of the new transfer in an answer.
const ID_FIELD: &[u8] = br#""id":"txr_"#;

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
    let table = rows_table(&rows);
    let report = Report::new("transfers", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

async fn measure(args: &args::Transfers, checks: &mut Checks) -> Result<Vec<Row>> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let data = folder.path().join("data");
    let mut systems = Systems::start(args, folder.path(), &data).await?;
    let scripts = scripts(&systems.world)?;
    let mut rows = Vec::new();
    for &connections in &args.connections {
        let load = Load {
            connections,
            warm_up: Duration::from_millis(args.warm_up_ms),
            span: Duration::from_secs(args.seconds),
        };
        let (mut echo, mut server) = (Rounds::default(), Rounds::default());
        for _ in 0..args.rounds {
            systems.echo.measure(load, &*scripts, &mut echo).await?;
            if let Some(system) = &mut systems.server {
                server.syncs.push(disk::sync_us(folder.path())?);
                system.measure(load, &*scripts, &mut server).await?;
            }
        }
        let server = systems.server.is_some().then_some(server);
        rows.extend(pair(connections, None, echo, server));
    }
    systems
        .echo
        .note_failures("every request to the echo was answered 201", checks);
    systems.echo.child.stop()?;
    if let Some(mut server) = systems.server {
        let connections = args.connections.iter().copied().max().unwrap_or(1);
        let world = &systems.world;
        settle(&mut server, world, &*scripts, connections, checks).await?;
        server.note_failures("every request was answered 201", checks);
        audit::over_the_api(&server.child, world, &server.ids, checks).await?;
        audit::stop(server.child, checks)?;
        audit::in_the_files(&data, checks);
    }
    Ok(rows)
}

/// The measured processes.
struct Systems {
    world: World,
    echo: System,
    server: Option<System>,
}

impl Systems {
    async fn start(args: &args::Transfers, folder: &Path, data: &Path) -> Result<Systems> {
        let echo = System::new(Child::echo(folder)?);
        if args.echo_only {
            let accounts = (0..args.accounts)
                .map(|index| format!("acc_{index:013}"))
                .collect();
            let secret = format!("tg_{}", "0".repeat(52));
            return Ok(Systems {
                world: World {
                    tenant: String::new(),
                    accounts,
                    secret,
                },
                echo,
                server: None,
            });
        }
        let server = Child::server(data)?;
        let mut admin = setup::admin(&server, data).await?;
        Ok(Systems {
            world: setup::world(&mut admin, args.accounts).await?,
            echo,
            server: Some(System::new(server)),
        })
    }
}

/// A burst, then the time until no transfer is unsettled.
async fn settle(
    server: &mut System,
    world: &World,
    scripts: &Scripts<'_>,
    connections: u16,
    checks: &mut Checks,
) -> Result<()> {
    let burst = Load {
        connections,
        warm_up: Duration::ZERO,
        span: BURST,
    };
    let driven = server.drive(burst, scripts).await?;
    let begun = Instant::now();
    audit::all_settled(&server.child, world, begun, 20 * SETTLE_MAX).await?;
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

/// A script for each connection: transfers between the accounts of `world`.
///
/// # Errors
/// When there are too few accounts.
pub fn scripts(world: &World) -> Result<Box<Scripts<'static>>> {
    let accounts: Arc<[String]> = world.accounts.clone().into();
    ensure!(accounts.len() >= 2, "a transfer needs two accounts");
    for id in accounts.iter() {
        ensure!(id.len() == ACCOUNT_CHARS, "the account id {id}");
    }
    let secret = world.secret.clone();
    Ok(Box::new(move |caller| {
        Box::new(Transfers {
            request: request(caller, &secret),
            accounts: Arc::clone(&accounts),
            random: Random::new(caller.seed()),
            number: 0,
        })
    }))
}

/// What one connection sends.
struct Transfers {
    request: Template,
    accounts: Arc<[String]>,
    random: Random,
    number: u64,
}

impl Script for Transfers {
    fn next(&mut self) -> Option<&[u8]> {
        let (source, destination) = self.random.two_of(self.accounts.len());
        self.request.set_hex("count", self.number);
        self.number += 1;
        let source = self.accounts[source].as_bytes();
        self.request.set("source", source);
        let destination = self.accounts[destination].as_bytes();
        self.request.set("destination", destination);
        Some(self.request.bytes())
    }

    fn read(&mut self, answer: &Answer<'_>) -> Result<Option<u64>, String> {
        let id = transfer_id(answer).filter(|_| answer.status == 201);
        id.map(Some).ok_or_else(|| answer.text())
    }
}

/// The number of the transfer in an answer.
fn transfer_id(answer: &Answer<'_>) -> Option<u64> {
    let number = answer.after(ID_FIELD)?.get(..ID_CHARS)?;
    parse_id(std::str::from_utf8(number).ok()?)
}

fn request(caller: Caller, secret: &str) -> Template {
    let Caller {
        address,
        run,
        index,
    } = caller;
    let body = Template::new(r#"{"source_account_id":""#)
        .place("source", ACCOUNT_CHARS)
        .text(r#"","destination_account_id":""#)
        .place("destination", ACCOUNT_CHARS)
        .text(&format!(r#"","amount_in_cents":{AMOUNT}}}"#));
    let head = format!(
        "POST /api/v1/transfers HTTP/1.1\r\nHost: {address}\r\nAuthorization: ApiKey {secret}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: {run:08x}-{index:04x}-4000-8000-"
    );
    Template::new(&head).place("count", COUNT_DIGITS).body(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_anew_in_its_places() {
        let caller = Caller {
            address: "127.0.0.1:80".parse().expect("an address"),
            run: 7,
            index: 300,
        };
        let mut request = request(caller, "tg_s");
        for (number, count) in [(0, "000000000000"), (0x1f, "00000000001f")] {
            request.set_hex("count", number);
            request.set("source", b"acc_1111111111111");
            request.set("destination", b"acc_2222222222222");
            let text = String::from_utf8_lossy(request.bytes());
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            let key = format!("Idempotency-Key: 00000007-012c-4000-8000-{count}");
            let length = format!("Content-Length: {}", body.len());
            for line in ["Authorization: ApiKey tg_s", &key, &length] {
                assert!(head.lines().any(|found| found == line), "{line}: {head}");
            }
            assert_eq!(
                body,
                r#"{"source_account_id":"acc_1111111111111","destination_account_id":"acc_2222222222222","amount_in_cents":100}"#
            );
        }
    }

    #[test]
    fn the_transfer_is_found_in_an_answer() {
        let id = |body: &str| {
            transfer_id(&Answer {
                status: 201,
                body: body.as_bytes(),
            })
        };
        let body =
            r#"{"request_id":"req_1","data":{"id":"txr_0000000000012","amount_in_cents":1}}"#;
        assert_eq!(id(body), Some(34));
        assert_eq!(id(r#"{"data":{"id":"txr_00"}}"#), None);
        assert_eq!(id("{}"), None);
    }
}
