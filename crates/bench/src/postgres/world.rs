//! Our side: one or two servers over a database, and identities that pay among their own accounts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Shape;
use crate::child::Child;
use crate::load::{Driven, Load, Scripts, drive};
use crate::multi::audit;
use crate::multi::scripts::Orders;
use crate::multi::world::{self, FUNDS, Plan, World};
use crate::report::Checks;
use crate::{args, process, setup};

/// Files that every server over one database has the same of.
const SHARED: [&str; 2] = ["server.secret", "admin.token"];

/// The servers.
pub(super) struct Site {
    folder: PathBuf,
    url: String,
    servers: Vec<Child>,
    runs: u32,
    /// How many of the servers get load.
    pub(super) uses: u32,
}

impl Site {
    /// One server over an empty database.
    pub(super) fn start(folder: &Path, url: &str) -> Result<Site> {
        let mut site = Site {
            folder: folder.to_owned(),
            url: url.to_owned(),
            servers: Vec::new(),
            runs: 0,
            uses: 1,
        };
        let server = Child::server_over(&site.data(0), url)?;
        site.servers.push(server);
        Ok(site)
    }

    fn data(&self, index: usize) -> PathBuf {
        self.folder.join(format!("server{index}"))
    }

    /// A second server over the same database.
    pub(super) fn add_peer(&mut self) -> Result<()> {
        let (first, own) = (self.data(0), self.data(self.servers.len()));
        std::fs::create_dir_all(&own)?;
        for file in SHARED {
            std::fs::copy(first.join(file), own.join(file)).with_context(|| file.to_owned())?;
        }
        self.servers.push(Child::server_over(&own, &self.url)?);
        Ok(())
    }

    /// Processor time that the servers have used.
    pub(super) fn cpu(&self) -> Result<Duration> {
        self.servers
            .iter()
            .map(|server| process::cpu(server.pid()))
            .sum()
    }

    fn first(&self) -> Result<&Child> {
        self.servers.first().context("no server")
    }

    /// One load, on the first server or half of its connections on each of two.
    pub(super) async fn drive(&mut self, load: Load, scripts: &Scripts<'_>) -> Result<Driven> {
        if self.uses == 1 {
            self.runs += 1;
            return drive(self.first()?.api, self.runs, load, scripts).await;
        }
        ensure!(self.servers.len() == 2, "there is one server");
        let half = Load {
            connections: load.connections / 2,
            ..load
        };
        self.runs += 2;
        let (one, other) = (self.servers[0].api, self.servers[1].api);
        let (one, other) = tokio::join!(
            drive(one, self.runs - 1, half, scripts),
            drive(other, self.runs, half, scripts)
        );
        let (mut driven, other) = (one?, other?);
        driven.latencies.add(&other.latencies);
        driven.sent += other.sent;
        driven.ids.extend(other.ids);
        driven.failures += other.failures;
        driven.failure = driven.failure.or(other.failure);
        Ok(driven)
    }

    /// Ends all servers.
    pub(super) fn stop(&mut self, checks: &mut Checks) -> Result<()> {
        for server in self.servers.drain(..) {
            let time = server.stop()?;
            let detail = format!("after {}ms", time.as_millis());
            checks.note("a server ended when asked to", true, detail);
        }
        Ok(())
    }

    /// What `tidegate verify` says of the database.
    pub(super) fn verify(&self, url: &str, checks: &mut Checks) -> Result<()> {
        let verified = Child::verify_over(&self.data(0), url)?;
        checks.note("verify finds the books right", verified.0, verified.1);
        Ok(())
    }
}

/// The identities.
pub(super) struct Worlds(Vec<World>);

impl Worlds {
    /// Makes them over HTTP.
    pub(super) async fn make(site: &Site, args: &args::Postgres) -> Result<Worlds> {
        let server = site.first()?;
        let mut admin = setup::admin(server, &site.data(0)).await?;
        let plan = Plan {
            funded: args.accounts,
            empty: 0,
            transfer_profiles: 1,
            clock: None,
        };
        let worlds = world::make_many(server, &mut admin, &plan, args.identities).await?;
        Ok(Worlds(worlds))
    }

    /// What each connection sends: it pays among the accounts of an identity of its own, or, when
    /// one account is hot, of the first identity.
    pub(super) async fn scripts(&self, site: &Site, shape: Shape) -> Result<Box<Scripts<'static>>> {
        let server = site.first()?;
        let mut scripts = Vec::new();
        let taken = match shape {
            Shape::Spread => &self.0[..],
            Shape::Hot => &self.0[..1],
        };
        for world in taken {
            let token = world::log_in(server, world).await?;
            let orders = Orders::new(world, &token)?;
            let orders = match shape {
                Shape::Spread => orders,
                Shape::Hot => orders.between(&world.accounts[1..], &world.accounts[..1]),
            };
            scripts.push(orders.scripts());
        }
        Ok(Box::new(move |caller| {
            // The halves of a load on two servers have different identities.
            let index = caller.index + 32 * caller.run as usize;
            scripts[index % scripts.len()](caller)
        }))
    }

    /// Everything that was acknowledged is counted, and no money was made or lost.
    pub(super) async fn check(&self, site: &Site, made: u64, checks: &mut Checks) -> Result<()> {
        let server = site.first()?;
        let (mut counted, mut sum, mut funded) = (0, 0, 0);
        for world in &self.0 {
            let mut user = world::user(server, world).await?;
            counted += audit::completed(&mut user).await?;
            sum += audit::balances(&mut user, &world.accounts).await?;
            funded += i128::from(FUNDS) * world.accounts.len() as i128;
        }
        let detail = format!("{made} acknowledged, {counted} counted");
        checks.note(
            "every acknowledged transfer is there once",
            counted == made,
            detail,
        );
        let detail = format!("{sum} of {funded} cents");
        checks.note("no money appeared or vanished", sum == funded, detail);
        Ok(())
    }
}
