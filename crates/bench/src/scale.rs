//! Capacity on paper: owners spread over the nodes of a database that distributes rows by key.
//!
//! Nothing is measured here. Owners are active as a Zipf law says (the busiest `n` times as much as
//! the `n`-th, to the power of the skew), each lies in a shard by a hash of its id, and shards are
//! dealt out to the nodes in turn. A node does as many transfers a second as one was measured to do,
//! and so does an owner, whose transfers come one group after the other. What all nodes do together
//! is then limited by the busiest node or by the busiest owner, whichever is full first.

use anyhow::{Result, ensure};
use comfy_table::Table;
use serde::Serialize;

use crate::args;
use crate::random::Random;
use crate::report::{Checks, Report, table, whole};

/// One number of nodes.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
struct Row {
    nodes: u32,
    /// What all nodes do together before the first is full.
    transfers_per_second: f64,
    /// The busiest node's load by the mean one.
    busiest_node: f64,
    /// The busiest owner's share of all transfers.
    busiest_owner: f64,
    /// What is full first: a node, or the busiest owner.
    limit: &'static str,
}

/// Computes; true when the numbers make sense.
///
/// # Errors
/// When they cannot be computed.
pub fn run(args: args::Scale) -> Result<bool> {
    ensure!(
        args.nodes.iter().all(|nodes| *nodes <= args.shards),
        "a node needs a shard of its own"
    );
    let shards = shard_loads(&args);
    let busiest_owner = 1.0 / weights(&args).sum::<f64>();
    let rows: Vec<Row> = args
        .nodes
        .iter()
        .map(|nodes| row(&args, &shards, *nodes, busiest_owner))
        .collect();
    let mut checks = Checks::default();
    let sum: f64 = shards.iter().sum();
    let detail = format!("{sum:.9} of 1");
    checks.note("all load is somewhere", (sum - 1.0).abs() < 1e-6, detail);
    let table = rows_table(&rows);
    let json = args.json;
    let report = Report::new("scale", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

/// How active each owner is, the busiest first; not yet shares of one.
fn weights(args: &args::Scale) -> impl Iterator<Item = f64> + use<> {
    let skew = f64::from(args.skew_per_mille) / 1000.0;
    (1..=args.owners).map(move |rank| (rank as f64).powf(-skew))
}

/// Each shard's share of all transfers.
fn shard_loads(args: &args::Scale) -> Vec<f64> {
    let mut shards = vec![0.0; args.shards as usize];
    let total: f64 = weights(args).sum();
    for (owner, weight) in (1_u64..).zip(weights(args)) {
        // As good as a hash of the owner's id.
        let shard = Random::new(owner).below(u64::from(args.shards));
        shards[shard as usize] += weight / total;
    }
    shards
}

fn row(args: &args::Scale, shards: &[f64], nodes: u32, busiest_owner: f64) -> Row {
    let mut loads = vec![0.0; nodes as usize];
    for (index, load) in shards.iter().enumerate() {
        loads[index % nodes as usize] += load;
    }
    let busiest = loads.iter().copied().fold(0.0, f64::max);
    let by_node = f64::from(args.per_node) / busiest;
    let by_owner = f64::from(args.per_owner) / busiest_owner;
    Row {
        nodes,
        transfers_per_second: by_node.min(by_owner),
        busiest_node: busiest * f64::from(nodes),
        busiest_owner,
        limit: if by_owner < by_node { "owner" } else { "node" },
    }
}

fn rows_table(rows: &[Row]) -> Table {
    let header = [
        "nodes",
        "transfers/s",
        "busiest node",
        "busiest owner %",
        "limit",
    ];
    let mut table = table(0, &header);
    for row in rows {
        table.add_row([
            row.nodes.to_string(),
            whole(row.transfers_per_second),
            format!("{:.2}", row.busiest_node),
            format!("{:.4}", row.busiest_owner * 100.0),
            row.limit.to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(owners: u64, skew_per_mille: u32) -> args::Scale {
        args::Scale {
            nodes: vec![1, 16],
            shards: 1_024,
            owners,
            skew_per_mille,
            per_node: 10_000,
            per_owner: 5_000,
            json: false,
        }
    }

    fn rows(args: &args::Scale) -> Vec<Row> {
        let shards = shard_loads(args);
        let busiest_owner = 1.0 / weights(args).sum::<f64>();
        let row = |nodes: &u32| row(args, &shards, *nodes, busiest_owner);
        args.nodes.iter().map(row).collect()
    }

    #[test]
    fn one_node_does_what_one_was_measured_to_do() {
        let rows = rows(&args(100_000, 0));
        assert!((rows[0].transfers_per_second - 10_000.0).abs() < 1.0);
        assert!((rows[0].busiest_node - 1.0).abs() < 1e-9);
    }

    #[test]
    fn even_owners_spread_evenly() {
        let rows = rows(&args(1_000_000, 0));
        assert!(rows[1].busiest_node < 1.05, "{:?}", rows[1]);
        assert!(rows[1].transfers_per_second > 150_000.0, "{:?}", rows[1]);
        assert_eq!(rows[1].limit, "node");
    }

    #[test]
    fn an_owner_that_is_too_busy_is_the_limit_whatever_the_nodes() {
        // Of ten owners with a skew of two the first has two thirds of all.
        let few = rows(&args(10, 2_000));
        assert_eq!(few[1].limit, "owner");
        let expected = 5_000.0 / few[1].busiest_owner;
        assert!((few[1].transfers_per_second - expected).abs() < 1.0);
        assert!(few[1].busiest_owner > 0.6);
    }
}
