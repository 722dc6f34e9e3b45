//! The writer alone: decide, journal, sync; no HTTP, no queue, no views.
//!
//! Each group first settles the transfers of the group before it, then records its own, all in
//! one durable batch. A transfer counts when both are durable, so a last group without commands
//! belongs to the measured time.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ledger::{
    Account, AccountId, AccountKind, AccountState, Amount, Command, CreateTransfer, Currency,
    MoneyIn, OpenAccount, Origin, OwnerKind, Reply, StateReason, TenantId, TenantMode,
};
use serde::Serialize;
use store::embedded::{BareWriter, JOURNAL};
use store::{Clock, SystemClock};

use crate::args;
use crate::random::Random;
use crate::report::{Checks, Report, per_second, table, us_each, whole};
use crate::{process, report};

/// Minor units on every pod at the start.
const FUNDS: i64 = 1_000_000_000_000;
/// Minor units of the largest transfer.
const AMOUNT_MAX: u64 = 100_000;
/// Commands that are made beforehand and submitted over and over.
const POOL: usize = 16_384;

/// What one group size came to.
#[derive(Serialize)]
struct Row {
    /// Transfers in a group.
    group: usize,
    /// Transfers recorded and settled, both durable.
    transfers: u64,
    transfers_per_second: f64,
    us_per_transfer: f64,
    /// Processor time of this process.
    cpu_us_per_transfer: f64,
    us_per_group: f64,
    /// Groups, the last one without commands included.
    groups: u64,
    /// `fdatasync` calls, those of new segments included.
    syncs: u64,
    /// Segments begun while measuring.
    segments: u64,
    bytes_per_transfer: f64,
}

/// Measures every group size; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Writer) -> Result<bool> {
    let mut checks = Checks::default();
    let mut rows = Vec::new();
    for &group in &args.groups {
        rows.push(measure(&args, usize::from(group), &mut checks)?);
    }
    let mut table = table(
        0,
        &[
            "group",
            "transfers/s",
            "us/transfer",
            "CPU us",
            "us/group",
            "groups",
            "syncs",
            "bytes/transfer",
        ],
    );
    for row in &rows {
        table.add_row([
            row.group.to_string(),
            whole(row.transfers_per_second),
            format!("{:.2}", row.us_per_transfer),
            format!("{:.2}", row.cpu_us_per_transfer),
            whole(row.us_per_group),
            row.groups.to_string(),
            row.syncs.to_string(),
            whole(row.bytes_per_transfer),
        ]);
    }
    let json = args.json;
    let report = Report::new("writer", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

fn measure(args: &args::Writer, group: usize, checks: &mut Checks) -> Result<Row> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let mut ledger = Bench::open(folder.path(), usize::from(args.accounts))?;
    let commands = ledger.transfers(POOL);
    let windows: Vec<&[Command]> = commands.chunks_exact(group).collect();
    let mut used = vec![0u64; windows.len()];

    let before = Disk::of(folder.path())?;
    let syncs_before = ledger.writer.syncs();
    let cpu_before = process::cpu(std::process::id())?;
    let begun = Instant::now();
    let span = Duration::from_secs(args.seconds);
    let mut groups = 0u64;
    for turn in (0..windows.len()).cycle() {
        ledger.group(windows[turn])?;
        used[turn] += 1;
        groups += 1;
        if begun.elapsed() >= span {
            break;
        }
    }
    let transfers = groups * group as u64;
    ledger.group(&[])?;
    groups += 1;
    let elapsed = begun.elapsed();
    let cpu = process::cpu(std::process::id())?.saturating_sub(cpu_before);
    let syncs = ledger.writer.syncs() - syncs_before;
    let after = Disk::of(folder.path())?;
    let segments = after.segments - before.segments;

    checks.note(
        "one sync a group",
        syncs == groups + segments,
        format!("groups of {group}: {syncs} syncs, {groups} groups, {segments} new segments"),
    );
    let total = ledger.writer.total();
    checks.note(
        "all balances sum to zero",
        total == 0,
        format!("groups of {group}: {total}"),
    );
    let wrong = ledger.wrong_balances(&windows, &used)?;
    checks.note(
        "every balance is as expected",
        wrong == 0,
        format!("groups of {group}: {wrong} of {} differ", ledger.pods.len()),
    );
    Ok(Row {
        group,
        transfers,
        transfers_per_second: per_second(transfers, elapsed),
        us_per_transfer: us_each(elapsed, transfers),
        cpu_us_per_transfer: us_each(cpu, transfers),
        us_per_group: us_each(elapsed, groups),
        groups,
        syncs,
        segments,
        bytes_per_transfer: report::each(after.bytes - before.bytes, transfers),
    })
}

/// A bare writer with one owner's funded pods.
struct Bench {
    writer: BareWriter,
    tenant: TenantId,
    pods: Vec<AccountId>,
}

impl Bench {
    fn open(folder: &Path, accounts: usize) -> Result<Bench> {
        let writer = BareWriter::open(folder)?;
        let mut bench = Bench {
            writer,
            tenant: TenantId::new(0),
            pods: Vec::new(),
        };
        let name: Arc<str> = Arc::from("Benchmark");
        let create = Command::CreateTenant {
            name: Arc::clone(&name),
            mode: TenantMode::Sandbox,
        };
        let [Reply::Tenant(tenant)] = &bench.group(&[create])?[..] else {
            bail!("a tenant was asked for")
        };
        bench.tenant = tenant.id;
        let kind = OwnerKind::Beneficiary;
        let create = Command::CreateOwner {
            tenant: bench.tenant,
            kind,
            name,
        };
        let [Reply::Owner(owner)] = &bench.group(&[create])?[..] else {
            bail!("an owner was asked for")
        };
        let opening: Vec<Command> = (0..accounts)
            .map(|index| Command::OpenAccount(pod(owner, index)))
            .collect();
        for reply in bench.group(&opening)? {
            let Reply::Account(account) = reply else {
                bail!("an account was asked for")
            };
            bench.pods.push(account.id);
        }
        let amount = Amount::new(FUNDS, Currency::USD)?;
        let funding: Vec<Command> = bench
            .pods
            .iter()
            .map(|&destination| {
                Command::MoneyIn(MoneyIn {
                    tenant: bench.tenant,
                    destination,
                    amount,
                    origin: Origin::Paycheck,
                    description: None,
                })
            })
            .collect();
        bench.group(&funding)?;
        Ok(bench)
    }

    fn group(&mut self, commands: &[Command]) -> Result<Vec<Reply>> {
        self.writer
            .group(commands, SystemClock.now())
            .map_err(|reason| anyhow!(reason))
    }

    /// Transfers of small random amounts between random pods.
    fn transfers(&self, count: usize) -> Vec<Command> {
        let mut random = Random::new(1);
        let transfer = |_| {
            let (source, destination) = random.two_of(self.pods.len());
            let minor = 1 + i64::try_from(random.below(AMOUNT_MAX)).unwrap_or(0);
            Command::CreateTransfer(CreateTransfer {
                tenant: self.tenant,
                key: None,
                source: self.pods[source],
                destination: self.pods[destination],
                amount: Amount::new(minor, Currency::USD).expect("at least one"),
                rail_delay_ms: 0,
                description: None,
                needs_approval: false,
                fails_with: None,
            })
        };
        (0..count).map(transfer).collect()
    }

    /// How many pods do not hold what the submitted transfers leave them.
    fn wrong_balances(&mut self, windows: &[&[Command]], used: &[u64]) -> Result<usize> {
        let mut expected = vec![i128::from(FUNDS); self.pods.len()];
        for (window, &times) in windows.iter().zip(used) {
            for command in *window {
                let Command::CreateTransfer(transfer) = command else {
                    continue;
                };
                let moved = i128::from(transfer.amount.minor()) * i128::from(times);
                for (id, signed) in [(transfer.source, -moved), (transfer.destination, moved)] {
                    let index = self
                        .pods
                        .binary_search(&id)
                        .ok()
                        .context("an unknown pod")?;
                    expected[index] += signed;
                }
            }
        }
        // A change of state answers with the account as it is.
        let blocking: Vec<Command> = self
            .pods
            .iter()
            .map(|&account| Command::SetAccountState {
                tenant: self.tenant,
                owner: None,
                account,
                reason: StateReason::System,
                state: AccountState::Blocked,
            })
            .collect();
        let replies = self.group(&blocking)?;
        ensure!(replies.len() == expected.len(), "an answer is missing");
        let differs = |(reply, expected): &(&Reply, &i128)| !matches!(reply, Reply::Account(Account { balance, .. }) if i128::from(*balance) == **expected);
        Ok(replies.iter().zip(&expected).filter(differs).count())
    }
}

fn pod(owner: &ledger::Owner, index: usize) -> OpenAccount {
    OpenAccount {
        tenant: owner.tenant,
        owner: owner.id,
        kind: AccountKind::Pod,
        name: Arc::from(format!("Pod {index}")),
        description: None,
        institution: None,
        number_last_four: None,
        routing_last_four: None,
        currency: Currency::USD,
        can_be_source: None,
        can_be_destination: None,
        reported: ledger::account::Reported::default(),
    }
}

/// What a journal occupies.
struct Disk {
    segments: u64,
    bytes: u64,
}

impl Disk {
    fn of(folder: &Path) -> Result<Disk> {
        let mut disk = Disk {
            segments: 0,
            bytes: 0,
        };
        for entry in fs::read_dir(folder.join(JOURNAL))? {
            disk.segments += 1;
            disk.bytes += entry?.metadata()?.len();
        }
        Ok(disk)
    }
}
