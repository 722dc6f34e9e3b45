//! Start-up over a data folder with history: the time to the first request, and the memory.
//!
//! The folder is filled in this process through the store itself, with idempotency records and
//! views, and closed; then the server is started over it several times.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ledger::{
    AccountId, AccountKind, Amount, Command, CreateTransfer, Currency, KeyId, MoneyIn, OpenAccount,
    Origin, OwnerKind, Reply, TenantId, TenantMode,
};
use serde::Serialize;
use service::spelling::id_text;
use store::{Action, Claim, Embedded, KeyRecord, Options, Outcome, Store, Submit};
use tokio::task::JoinSet;

use crate::child::Child;
use crate::random::{Random, fingerprint};
use crate::report::{Checks, Report, median, ms, per_second, table, whole};
use crate::{args, process, setup};

/// Minor units on every pod at the start.
const FUNDS: i64 = 1_000_000_000_000;
/// Minor units of the largest transfer beyond the smallest.
const AMOUNT_MAX: u64 = 100_000;
/// Transfers that wait for the store at a time.
const IN_FLIGHT: u64 = 4096;
/// Accounts whose newest transfers are read before memory is looked at.
const READS: usize = 10;
/// The longest a start shall take.
const START_TARGET: Duration = Duration::from_secs(2);
/// The most memory it shall take.
const MEMORY_TARGET: u64 = 500_000_000;

/// One start.
#[derive(Serialize)]
struct Row {
    /// From the start of the process until it takes requests.
    start_ms: f64,
    /// After a few reads.
    memory_mb: f64,
    /// From the request to end until the end.
    stop_ms: f64,
}

/// Measures; true when all checks passed.
///
/// # Errors
/// When it could not be measured.
pub fn run(args: args::Startup) -> Result<bool> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let data = folder.path().join("data");
    let mut checks = Checks::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let begun = Instant::now();
    let tenant = runtime.block_on(build(&data, args.transfers, args.accounts))?;
    let built = begun.elapsed();
    checks.note("the folder was filled", true, {
        let rate = whole(per_second(args.transfers, built));
        format!(
            "{} transfers in {built:.1?}, views included, {rate} a second",
            args.transfers
        )
    });
    let mut rows = Vec::new();
    if !args.build_only {
        for _ in 0..args.starts {
            rows.push(runtime.block_on(start(&data, tenant))?);
        }
        note_targets(&rows, &mut checks);
    }
    crate::audit::in_the_files(&data, &mut checks);
    let mut table = table(0, &["start", "ready after ms", "RSS MB", "ended after ms"]);
    for (index, row) in rows.iter().enumerate() {
        table.add_row([
            (index + 1).to_string(),
            whole(row.start_ms),
            whole(row.memory_mb),
            whole(row.stop_ms),
        ]);
    }
    let json = args.json;
    let report = Report::new("startup", args, rows, checks);
    report.print(json, &table)?;
    Ok(report.passed)
}

fn note_targets(rows: &[Row], checks: &mut Checks) {
    let start = median(rows.iter().map(|row| row.start_ms).collect());
    let memory = median(rows.iter().map(|row| row.memory_mb).collect());
    let target = ms(START_TARGET);
    let detail = format!("{start:.0} ms in the median, {target:.0} ms at most");
    checks.note("it starts soon", start <= target, detail);
    let target = MEMORY_TARGET as f64 / 1e6;
    let detail = format!("{memory:.0} MB in the median, {target:.0} MB at most");
    checks.note("it needs little memory", memory <= target, detail);
}

async fn start(data: &Path, tenant: TenantId) -> Result<Row> {
    let server = Child::server(data)?;
    let mut admin = setup::admin(&server, data).await?;
    let secret = setup::key(&mut admin, &spell("ten_", tenant.raw())).await?;
    let mut public = setup::public(&server, &secret).await?;
    let accounts = public.get("/api/v1/accounts").await?;
    let accounts = accounts
        .get("data")
        .and_then(|data| data.as_array())
        .context("no accounts")?;
    for account in accounts.iter().take(READS) {
        let id = account
            .get("id")
            .and_then(|id| id.as_str())
            .context("an account without id")?;
        public.get(&format!("/api/v1/accounts/{id}")).await?;
        public
            .get(&format!("/api/v1/transfers?account_id={id}&first=100"))
            .await?;
    }
    let memory = process::memory(server.pid())?;
    let started = server.start;
    let stopping = server.stop()?;
    Ok(Row {
        start_ms: ms(started),
        memory_mb: memory as f64 / 1e6,
        stop_ms: ms(stopping),
    })
}

/// Fills a new data folder; returns its tenant.
async fn build(data: &Path, transfers: u64, accounts: u16) -> Result<TenantId> {
    let store = Arc::new(Embedded::open(&Options::new(data))?);
    let owner = owner(&store).await?;
    let key = key(&store, owner.tenant).await?;
    let pods = pods(&store, &owner, accounts).await?;
    let filler = Filler {
        store: Arc::clone(&store),
        tenant: owner.tenant,
        key,
        pods: pods.into(),
        left: Arc::new(AtomicU64::new(transfers)),
    };
    let mut tasks = JoinSet::new();
    for index in 0..IN_FLIGHT.min(transfers) {
        tasks.spawn(filler.clone().fill(Random::new(index)));
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    store.quiesce(owner.tenant).await?;
    store.shut_down().await?;
    Ok(owner.tenant)
}

async fn submit(store: &Embedded, command: Command) -> Result<Reply> {
    match store.submit(Submit::command(command)).await? {
        Outcome::Done(reply) => Ok(reply),
        other => bail!("unexpected: {other:?}"),
    }
}

async fn owner(store: &Embedded) -> Result<ledger::Owner> {
    let name: Arc<str> = Arc::from("Benchmark");
    let create = Command::CreateTenant {
        name: Arc::clone(&name),
        mode: TenantMode::Sandbox,
    };
    let Reply::Tenant(tenant) = submit(store, create).await? else {
        bail!("no tenant")
    };
    let create = Command::CreateOwner {
        tenant: tenant.id,
        kind: OwnerKind::Beneficiary,
        name,
    };
    let Reply::Owner(owner) = submit(store, create).await? else {
        bail!("no owner")
    };
    Ok(owner)
}

/// A key that nobody can use: the transfers only name it.
async fn key(store: &Embedded, tenant: TenantId) -> Result<KeyId> {
    let key = KeyRecord {
        id: KeyId::new(0),
        tenant,
        name: Arc::from("History"),
        hash: [0; 32],
        hint: Arc::from("0000"),
        permissions: Vec::new(),
        created_at: ledger::Millis(0),
        revoked_at: None,
    };
    match store
        .submit(Submit {
            action: Action::CreateKey(key),
            claim: None,
        })
        .await?
    {
        Outcome::Key(key) => Ok(key.id),
        other => bail!("unexpected: {other:?}"),
    }
}

async fn pods(store: &Embedded, owner: &ledger::Owner, accounts: u16) -> Result<Vec<AccountId>> {
    let mut pods = Vec::new();
    for index in 0..accounts {
        let open = OpenAccount {
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
        };
        let Reply::Account(pod) = submit(store, Command::OpenAccount(open)).await? else {
            bail!("no account")
        };
        let fund = MoneyIn {
            tenant: owner.tenant,
            destination: pod.id,
            amount: Amount::new(FUNDS, Currency::USD)?,
            origin: Origin::Paycheck,
            description: None,
        };
        submit(store, Command::MoneyIn(fund)).await?;
        pods.push(pod.id);
    }
    Ok(pods)
}

/// Submits transfers until enough have been.
#[derive(Clone)]
struct Filler {
    store: Arc<Embedded>,
    tenant: TenantId,
    key: KeyId,
    pods: Arc<[AccountId]>,
    left: Arc<AtomicU64>,
}

impl Filler {
    async fn fill(self, mut random: Random) -> Result<()> {
        loop {
            let take = |left: u64| left.checked_sub(1);
            let Ok(number) = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            else {
                return Ok(());
            };
            let (source, destination) = random.two_of(self.pods.len());
            let minor = 100 + i64::try_from(random.below(AMOUNT_MAX))?;
            let command = Command::CreateTransfer(CreateTransfer {
                tenant: self.tenant,
                key: Some(self.key),
                source: self.pods[source],
                destination: self.pods[destination],
                amount: Amount::new(minor, Currency::USD)?,
                rail_delay_ms: 0,
                description: None,
                needs_approval: false,
                fails_with: None,
            });
            let claim = Claim {
                key: fingerprint(number),
                body: fingerprint(!number),
                request_id: Arc::from(spell("req_", number)),
                remember_refusals: false,
            };
            let submit = Submit {
                action: Action::Command(command),
                claim: Some(claim),
            };
            match self.store.submit(submit).await? {
                Outcome::Done(_) => {}
                other => bail!("unexpected: {other:?}"),
            }
        }
    }
}

fn spell(prefix: &str, number: u64) -> String {
    let mut text = prefix.to_owned();
    text.extend(id_text(number).map(char::from));
    text
}
