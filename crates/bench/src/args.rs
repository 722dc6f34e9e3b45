//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;

/// Measures Tidegate.
#[derive(Parser)]
#[command(name = "bench")]
pub struct Cli {
    /// What to measure.
    #[command(subcommand)]
    pub command: Command,
}

/// What to measure.
#[derive(Subcommand)]
pub enum Command {
    /// Transfers of the Sequence dialect over HTTP, server and echo in turns.
    Transfers(Transfers),
    /// Transfers of the Multi dialect over HTTP, server and echo in turns.
    Multi(Multi),
    /// Multi's transfers read one at a time, server and echo in turns.
    Get(Get),
    /// Multi's lists of the transfers of an identity that has many.
    List(List),
    /// Multi's scheduled transfers: many that fall due at once, and some alone.
    Scheduled(Scheduled),
    /// Transfers over PostgreSQL, beside a plain ledger in SQL, and over two servers.
    Postgres(Postgres),
    /// Servers, connections and the primary of PostgreSQL die under load.
    Failover(Failover),
    /// Capacity on paper: owners over the nodes of a distributed database.
    Scale(Scale),
    /// The writer alone: decide, journal, sync.
    Writer(Writer),
    /// Rules: planning one, looking ahead, and what they cost deposits
    Rules(Rules),
    /// Webhooks: what events and endpoints cost transfers, how fast and how soon they are delivered.
    Webhooks(Webhooks),
    /// Start-up over a data folder with history.
    Startup(Startup),
    /// The server, as a process of its own.
    #[command(hide = true)]
    ChildServer {
        /// The server's own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// The echo, as a process of its own.
    #[command(hide = true)]
    ChildEcho {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
    },
}

/// Options of `transfers`.
#[derive(Args, Serialize)]
pub struct Transfers {
    /// Seconds of each measurement, after the warm-up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Milliseconds of load before each measurement.
    #[arg(long, default_value_t = 500)]
    pub warm_up_ms: u64,
    /// Connections at a time; several numbers measure several loads.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 256])]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: Vec<u16>,
    /// Times that echo and server are measured in turn at each load.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Pods of one owner between which the money moves.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Measure the echo only; nothing is started that keeps money.
    #[arg(long)]
    pub echo_only: bool,
    /// Where the data folder is made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `multi`.
#[derive(Args, Serialize)]
pub struct Multi {
    /// Seconds of each measurement, after the warm-up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Milliseconds of load before each measurement.
    #[arg(long, default_value_t = 500)]
    pub warm_up_ms: u64,
    /// Connections at a time; several numbers measure several loads.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 256])]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: Vec<u16>,
    /// Times that echo and server are measured in turn at each load.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Managed accounts of one identity between which the money moves.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Send no `idempotency-ref`; real clients send one with each transfer.
    #[arg(long)]
    pub no_idempotency_ref: bool,
    /// Measure the echo only; nothing is started that keeps money.
    #[arg(long)]
    pub echo_only: bool,
    /// Where the data folder is made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `postgres`.
#[derive(Args, Serialize)]
pub struct Postgres {
    /// Seconds of each measurement, after the warm-up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Milliseconds of load before each measurement.
    #[arg(long, default_value_t = 1000)]
    pub warm_up_ms: u64,
    /// Connections at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(2..=200))]
    pub connections: u16,
    /// Times that the systems are measured in turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Identities that pay among their own accounts.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub identities: u16,
    /// Managed accounts of each.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub accounts: u16,
    /// Lines for `postgresql.conf`, the same for both ledgers.
    #[arg(long)]
    pub settings: Vec<String>,
    /// Where the servers' folders are made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `failover`.
#[derive(Args, Serialize)]
pub struct Failover {
    /// Seconds of killing servers and breaking connections, before the primary dies.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub seconds: u64,
    /// Servers.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub servers: u16,
    /// Clients that pay.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub connections: u16,
    /// Identities that they belong to.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub identities: u16,
    /// What decides about the order of the faults.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the servers' folders are made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `scale`.
#[derive(Args, Serialize)]
pub struct Scale {
    /// Nodes of the database; several numbers compute several sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16, 64, 256])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub nodes: Vec<u32>,
    /// Shards that owners lie in.
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub shards: u32,
    /// Owners.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub owners: u64,
    /// How unevenly active they are: 0 for all the same, 1000 for Zipf's law.
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u32).range(0..=3000))]
    pub skew_per_mille: u32,
    /// Transfers a second of one node, as `postgres` measures them.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub per_node: u32,
    /// Transfers a second of one owner, as `postgres` measures them for a hot account.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub per_owner: u32,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `get`.
#[derive(Args, Serialize)]
pub struct Get {
    /// Transfers that there are.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub transfers: u64,
    /// How many of them are made last, over HTTP, and read by themselves.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub recent: u64,
    /// Seconds of each measurement, after the warm-up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Milliseconds of load before each measurement.
    #[arg(long, default_value_t = 500)]
    pub warm_up_ms: u64,
    /// Connections at a time; several numbers measure several loads.
    #[arg(long, value_delimiter = ',', default_values_t = [64])]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: Vec<u16>,
    /// Times that echo and server are measured in turn at each load.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Managed accounts of one identity between which the money moves.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Where the data folder is made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `list`.
#[derive(Args, Serialize)]
pub struct List {
    /// Transfers of the identity.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub transfers: u64,
    /// Seconds of each measurement, after the warm-up.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Milliseconds of load before each measurement.
    #[arg(long, default_value_t = 500)]
    pub warm_up_ms: u64,
    /// Connections at a time; several numbers measure several loads.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8])]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: Vec<u16>,
    /// Managed accounts of the identity.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Where the data folder is made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `scheduled`.
#[derive(Args, Serialize)]
pub struct Scheduled {
    /// Transfers that fall due at the same moment.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub transfers: u64,
    /// Connections over which they are handed in.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Transfers that fall due alone, one after the other.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub alone: u32,
    /// Managed accounts of one identity: one half pays the other.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Where the data folder is made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `writer`.
#[derive(Args, Serialize)]
pub struct Writer {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Transfers in a group; several numbers measure several sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 128, 1024])]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=2048))]
    pub groups: Vec<u16>,
    /// Pods of one owner between which the money moves.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Where the journal is written; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `rules`.
#[derive(Args, Serialize)]
pub struct Rules {
    /// Deposits a second while rules run.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub rate: u32,
    /// Seconds of that.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
    /// Tenants with five rules each, beside deposits that set none off.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tenants: u32,
    /// Times that deposits are measured with and without those rules, in turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: u32,
    /// Where the data folders are made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `webhooks`.
#[derive(Args, Serialize)]
pub struct Webhooks {
    /// Events that wait for a receiver that does not answer.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(0..=100_000_000))]
    pub undelivered: u64,
    /// Seconds of each measurement of transfers, and of deliveries at a fixed rate.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Times that the servers are measured in turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Connections that transfers come over.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Transfers that are made for each measurement of how fast their events are delivered.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub transfers: u64,
    /// Transfers a second while it is measured how soon their events are delivered.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub rate: u32,
    /// Deliveries of an endpoint that are under way at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,
    /// Pods between which the money moves.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Where the data folders are made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Options of `startup`.
#[derive(Args, Serialize)]
pub struct Startup {
    /// Settled transfers in the data folder.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub transfers: u64,
    /// Times that the server is started.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub starts: u32,
    /// Pods of one owner between which the money moves.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(2..))]
    pub accounts: u16,
    /// Where the data folder is made; the system's temporary folder when not given.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Build the data folder and measure nothing.
    #[arg(long)]
    pub build_only: bool,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn lists_are_given_with_commas() {
        let cli = Cli::parse_from(["bench", "transfers", "--connections", "1,8"]);
        let Command::Transfers(transfers) = cli.command else {
            panic!("transfers was asked for")
        };
        assert_eq!(transfers.connections, [1, 8]);
    }

    #[test]
    fn the_server_gets_its_arguments_as_they_are() {
        let cli = Cli::parse_from(["bench", "child-server", "serve", "--listen", "127.0.0.1:0"]);
        let Command::ChildServer { args } = cli.command else {
            panic!("a child was asked for")
        };
        assert_eq!(args, ["serve", "--listen", "127.0.0.1:0"]);
    }
}
