//! A server with a tenant whose transfers are told of, and what is done with it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use super::receiver::Receiver;
use crate::args;
use crate::child::Child;
use crate::client::{Answer, Connection, JsonClient};
use crate::load::{Caller, Load, Script, Scripts};
use crate::report::{per_second, us_each};
use crate::setup::{self, World};
use crate::turns::System;
use crate::{process, transfers};

/// Connections of transfers at a fixed rate.
const STEADY: u32 = 32;
/// The number of the load at a fixed rate; others count from one.
const STEADY_RUN: u32 = 1 << 20;
/// Answers of a load count from here on.
const WARM_UP: Duration = Duration::from_millis(300);
/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server.
pub struct Site {
    pub system: System,
    pub world: World,
    data: PathBuf,
}

/// What a load on it came to: transfers or deliveries.
#[derive(Clone, Copy)]
pub struct Sample {
    pub rate: f64,
    /// Processor time of the server for each, until it is idle again.
    pub cpu_us: f64,
}

/// A transfer at a fixed rate.
pub struct Sent {
    pub id: u64,
    pub begun: Instant,
    pub answered: Instant,
}

impl Site {
    /// Starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(args: &args::Webhooks, data: &Path) -> Result<Site> {
        let child = Child::server_with(data, &["--webhook-networks", "127.0.0.0/8"])?;
        let mut admin = setup::admin(&child, data).await?;
        Ok(Site {
            world: setup::world(&mut admin, args.accounts).await?,
            system: System::new(child),
            data: data.to_owned(),
        })
    }

    /// A connection of its own for each call: between two of them the server would close it.
    async fn admin(&self) -> Result<JsonClient> {
        setup::admin(&self.system.child, &self.data).await
    }

    /// Makes an endpoint that is told of transfers; its path.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn endpoint(&self, url: &str, concurrency: u16) -> Result<String> {
        let path = format!("/admin/v1/tenants/{}/webhooks", self.world.tenant);
        let body = json!({"url": url, "events": ["transfer.*"], "concurrency": concurrency});
        let made = self.admin().await?.post(&path, &body).await?;
        Ok(format!("{path}/{}", setup::id_of(&made)?))
    }

    /// Switches an endpoint on or off.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn switch(&self, endpoint: &str, enabled: bool) -> Result<()> {
        let body = json!({"enabled": enabled});
        self.admin().await?.patch(endpoint, &body).await?;
        Ok(())
    }

    /// As many transfers as go.
    ///
    /// # Errors
    /// When it cannot connect.
    pub async fn load(&mut self, args: &args::Webhooks) -> Result<Sample> {
        let load = Load {
            connections: args.connections,
            warm_up: WARM_UP,
            span: Duration::from_secs(args.seconds),
        };
        let scripts = transfers::scripts(&self.world)?;
        let pid = self.system.child.pid();
        let before = process::cpu(pid)?;
        let driven = self.system.drive(load, &*scripts).await?;
        self.system.idle().await?;
        let cpu = process::cpu(pid)?.saturating_sub(before);
        Ok(Sample {
            rate: per_second(driven.latencies.count(), load.span),
            cpu_us: us_each(cpu, driven.sent),
        })
    }

    /// So many transfers, whose measure is nobody's concern.
    ///
    /// # Errors
    /// When it cannot connect.
    pub async fn transfers(&mut self, args: &args::Webhooks, count: u64) -> Result<u64> {
        let each = count.div_ceil(u64::from(args.connections));
        let scripts = transfers::scripts(&self.world)?;
        let bounded: Box<Scripts<'_>> = Box::new(|caller| {
            Box::new(Bounded {
                script: scripts(caller),
                left: each,
            })
        });
        let load = Load {
            connections: args.connections,
            warm_up: Duration::ZERO,
            span: Duration::from_secs(24 * 3_600),
        };
        let driven = self.system.drive(load, &*bounded).await?;
        ensure!(
            driven.failures == 0,
            "transfers failed: {:?}",
            driven.failure
        );
        self.system.idle().await?;
        Ok(driven.sent)
    }

    /// Deliveries a second of events that have waited for them.
    ///
    /// # Errors
    /// When they do not come.
    pub async fn deliveries(
        &mut self,
        args: &args::Webhooks,
        (endpoint, receiver): (&str, &Receiver),
    ) -> Result<Sample> {
        let made = self.transfers(args, args.transfers).await?;
        // Each is made, and completed later.
        let wanted = made * 2;
        let pid = self.system.child.pid();
        let cpu = process::cpu(pid)?;
        let (before, _) = receiver.count();
        self.switch(endpoint, true).await?;
        receiver.wait(before + 1, PATIENCE).await?;
        let (first, begun) = receiver.count();
        let ended = receiver.wait(before + wanted, PATIENCE).await?;
        self.switch(endpoint, false).await?;
        self.system.idle().await?;
        let cpu = process::cpu(pid)?.saturating_sub(cpu);
        let took = begun.map_or(Duration::ZERO, |begun| ended - begun);
        let (after, _) = receiver.count();
        ensure!(after == before + wanted, "deliveries came twice");
        Ok(Sample {
            rate: per_second(before + wanted - first, took),
            cpu_us: us_each(cpu, wanted),
        })
    }

    /// Transfers at a fixed rate, each sent when its time has come.
    ///
    /// # Errors
    /// When one fails.
    pub async fn steady(&self, args: &args::Webhooks) -> Result<Vec<Sent>> {
        let scripts = transfers::scripts(&self.world)?;
        let connections = STEADY.min(args.rate);
        let between = Duration::from_secs(1) * connections / args.rate;
        let until = Instant::now() + Duration::from_secs(args.seconds);
        let mut tasks = JoinSet::new();
        for index in 0..connections {
            let address = self.system.child.api;
            let caller = Caller {
                address,
                run: STEADY_RUN,
                index: usize::try_from(index)?,
            };
            let delay = between * index / connections;
            tasks.spawn(steady(address, scripts(caller), delay, between, until));
        }
        let mut sent = Vec::new();
        while let Some(done) = tasks.join_next().await {
            sent.append(&mut done??);
        }
        Ok(sent)
    }
}

async fn steady(
    address: SocketAddr,
    mut script: Box<dyn Script>,
    delay: Duration,
    between: Duration,
    until: Instant,
) -> Result<Vec<Sent>> {
    let mut connection = Connection::open(address).await?;
    let first = tokio::time::Instant::now() + delay;
    let mut ticks = tokio::time::interval_at(first, between);
    let mut sent = Vec::new();
    while Instant::now() < until
        && let Some(request) = script.next()
    {
        ticks.tick().await;
        let begun = Instant::now();
        let answer = connection.exchange(request).await?;
        let answered = Instant::now();
        let id = script.read(&answer).map_err(anyhow::Error::msg)?;
        sent.extend(id.map(|id| Sent {
            id,
            begun,
            answered,
        }));
    }
    Ok(sent)
}

/// A script that ends.
struct Bounded {
    script: Box<dyn Script>,
    left: u64,
}

impl Script for Bounded {
    fn next(&mut self) -> Option<&[u8]> {
        self.left = self.left.checked_sub(1)?;
        self.script.next()
    }

    fn read(&mut self, answer: &Answer<'_>) -> Result<Option<u64>, String> {
        self.script.read(answer)
    }
}

/// Requests a second that a receiver takes from this program itself: what the machine can do.
///
/// # Errors
/// When it does not answer.
pub async fn bare(receiver: &Receiver, connections: u16, count: u64) -> Result<f64> {
    let body = format!(
        r#"{{"id":"evt_0","type":"bare","data":"{}"}}"#,
        "x".repeat(200)
    );
    let address = receiver.address;
    let length = body.len();
    let head = format!("POST /hook HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n");
    let request = format!("{head}content-type: application/json\r\n\r\n{body}");
    let each = count.div_ceil(u64::from(connections));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let request = request.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            for _ in 0..each {
                let answer = connection.exchange(request.as_bytes()).await?;
                ensure!(answer.status == 204, "{}", answer.text());
            }
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(per_second(each * u64::from(connections), begun.elapsed()))
}
