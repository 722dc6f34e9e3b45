//! Deposits through an embedded store: those that set a rule off, and those that do not.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use ledger::account::Reported;
use ledger::{
    AccountId, AccountKind, Amount, Command, Currency, MoneyIn, OpenAccount, Origin, OwnerId,
    OwnerKind, Reply, TenantId, TenantMode,
};
use store::{Embedded, ExecutionQuery, Options, Outcome, Store, Submit};
use tokio::task::JoinSet;

use super::Row;
use super::draft::{fixed, on_money, rule, share};
use crate::args;
use crate::histogram::Histogram;
use crate::process;
use crate::report::Checks;

/// Tenants whose deposits set a rule off, in turn.
const HOUSEHOLDS: usize = 100;
/// Deposits of one measurement beside rules, and how many are in flight.
const DEPOSITS: usize = 50_000;
const IN_FLIGHT: usize = 64;
/// Tenants that are made at a time.
const MADE_AT_ONCE: usize = 64;

/// An owner that money comes to.
#[derive(Clone, Copy)]
struct Household {
    tenant: TenantId,
    owner: OwnerId,
    pay: AccountId,
}

#[derive(Clone)]
struct Bench {
    store: Arc<Embedded>,
}

impl Bench {
    fn open(folder: &Path) -> Result<Bench> {
        let store = Arc::new(Embedded::open(&Options::new(folder))?);
        Ok(Bench { store })
    }

    async fn run(&self, command: Command) -> Result<Reply> {
        match self.store.submit(Submit::command(command)).await? {
            Outcome::Done(reply) => Ok(reply),
            other => bail!("unexpected: {other:?}"),
        }
    }

    async fn household(&self) -> Result<Household> {
        let made = self.run(Command::CreateTenant {
            name: Arc::from("Bench"),
            mode: TenantMode::Sandbox,
        });
        let Reply::Tenant(tenant) = made.await? else {
            bail!("no tenant");
        };
        let made = self.run(Command::CreateOwner {
            tenant: tenant.id,
            kind: OwnerKind::Beneficiary,
            name: Arc::from("Household"),
        });
        let Reply::Owner(owner) = made.await? else {
            bail!("no owner");
        };
        let (tenant, owner) = (tenant.id, owner.id);
        let pay = self.account((tenant, owner), AccountKind::IncomeSource);
        Ok(Household {
            pay: pay.await?,
            tenant,
            owner,
        })
    }

    async fn account(
        &self,
        (tenant, owner): (TenantId, OwnerId),
        kind: AccountKind,
    ) -> Result<AccountId> {
        let opened = self.run(Command::OpenAccount(OpenAccount {
            tenant,
            owner,
            kind,
            name: Arc::from("Account"),
            description: None,
            institution: None,
            number_last_four: None,
            routing_last_four: None,
            currency: Currency::USD,
            can_be_source: None,
            can_be_destination: None,
            reported: Reported::default(),
        }));
        match opened.await? {
            Reply::Account(account) => Ok(account.id),
            other => bail!("no account: {other:?}"),
        }
    }

    async fn switched_on(&self, household: Household, made: Command) -> Result<()> {
        let Reply::Rule(rule) = self.run(made).await? else {
            bail!("no rule");
        };
        self.run(Command::SwitchRule {
            tenant: household.tenant,
            owner: None,
            rule: rule.id,
            enabled: true,
        })
        .await?;
        Ok(())
    }

    /// A rule of ten actions on the pay.
    async fn ten_actions(&self, household: Household) -> Result<()> {
        let owner = (household.tenant, household.owner);
        let mut actions = Vec::new();
        for _ in 0..10 {
            actions.push(share(self.account(owner, AccountKind::Pod).await?, 10));
        }
        let made = rule(owner, on_money(household.pay), None, actions);
        self.switched_on(household, made).await
    }

    /// Five rules that wait on pods of their own, to which nothing comes.
    async fn five_rules(self, household: Household) -> Result<()> {
        let owner = (household.tenant, household.owner);
        for _ in 0..5 {
            let from = self.account(owner, AccountKind::Pod).await?;
            let to = self.account(owner, AccountKind::Pod).await?;
            let made = rule(owner, on_money(from), None, vec![fixed(to, 500)]);
            self.switched_on(household, made).await?;
        }
        Ok(())
    }

    async fn deposit(&self, household: Household) -> Result<()> {
        self.run(Command::MoneyIn(MoneyIn {
            tenant: household.tenant,
            destination: household.pay,
            amount: Amount::new(100_000, Currency::USD)?,
            origin: Origin::Paycheck,
            description: None,
        }))
        .await?;
        Ok(())
    }

    /// Many deposits, as fast as they go. Processor time of each.
    async fn deposits(&self, households: &[Household]) -> Result<Duration> {
        let before = process::cpu(std::process::id())?;
        let mut tasks = JoinSet::new();
        for index in 0..DEPOSITS {
            if tasks.len() >= IN_FLIGHT
                && let Some(done) = tasks.join_next().await
            {
                done??;
            }
            let household = households[index % households.len()];
            let bench = self.clone();
            tasks.spawn(async move { bench.deposit(household).await });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        // Until the views have them, too.
        self.store
            .account(households[0].tenant, households[0].pay)
            .await?;
        Ok((process::cpu(std::process::id())? - before) / u32::try_from(DEPOSITS)?)
    }
}

/// Times from the commit of a deposit to that of the ten transfers it sets off.
pub async fn spread(args: &args::Rules, checks: &mut Checks) -> Result<Histogram> {
    let folder = crate::temporary_folder(args.folder.as_deref())?;
    let bench = Bench::open(folder.path())?;
    let mut households = Vec::new();
    for _ in 0..HOUSEHOLDS {
        let household = bench.household().await?;
        bench.ten_actions(household).await?;
        households.push(household);
    }
    let pause = Duration::from_secs(1) / args.rate;
    let mut ticks = tokio::time::interval(pause);
    let mut tasks = JoinSet::new();
    let count = args.rate.saturating_mul(args.seconds);
    for index in 0..count as usize {
        ticks.tick().await;
        let (bench, household) = (bench.clone(), households[index % HOUSEHOLDS]);
        tasks.spawn(async move {
            bench.deposit(household).await?;
            let committed = Instant::now();
            bench.store.quiesce(household.tenant).await?;
            anyhow::Ok(committed.elapsed())
        });
    }
    let mut times = Histogram::default();
    while let Some(done) = tasks.join_next().await {
        times.record(done??);
    }
    let mut runs = 0;
    let mut moved = 0;
    for household in households {
        let query = ExecutionQuery::new(household.tenant, usize::MAX);
        let executions = bench.store.executions(query).await?;
        runs += executions.len();
        moved += executions
            .iter()
            .filter_map(|execution| execution.ran.as_ref())
            .map(|ran| ran.counts.completed)
            .sum::<u32>();
    }
    checks.note(
        "every deposit was spread once, whole",
        runs == count as usize && moved == count * 10,
        format!("{count} deposits, {runs} runs, {moved} transfers completed"),
    );
    bench.store.shut_down().await?;
    Ok(times)
}

/// Processor time of deposits beside rules as a multiple of that without them, in each round.
pub async fn beside_rules(args: &args::Rules, rows: &mut Vec<Row>) -> Result<Vec<f64>> {
    let folders = [
        crate::temporary_folder(args.folder.as_deref())?,
        crate::temporary_folder(args.folder.as_deref())?,
    ];
    let plain = Bench::open(folders[0].path())?;
    let ruled = Bench::open(folders[1].path())?;
    let without = crowd(&plain, args.tenants, false).await?;
    let with = crowd(&ruled, args.tenants, true).await?;
    let mut times = [Histogram::default(), Histogram::default()];
    let mut ratios = Vec::new();
    for _ in 0..args.rounds {
        let base = plain.deposits(&without).await?;
        let beside = ruled.deposits(&with).await?;
        times[0].record(base);
        times[1].record(beside);
        ratios.push(beside.as_secs_f64() / base.as_secs_f64());
    }
    rows.push(Row::new("deposit without rules, CPU", &times[0]));
    rows.push(Row::new("deposit beside rules, CPU", &times[1]));
    plain.store.shut_down().await?;
    ruled.store.shut_down().await?;
    Ok(ratios)
}

/// Tenants with an account for pay and ten pods, with five rules between them or without.
async fn crowd(bench: &Bench, count: u32, rules: bool) -> Result<Vec<Household>> {
    let mut tasks = JoinSet::new();
    let mut households = Vec::new();
    for _ in 0..count {
        if tasks.len() >= MADE_AT_ONCE
            && let Some(done) = tasks.join_next().await
        {
            households.push(done??);
        }
        let bench = bench.clone();
        tasks.spawn(async move {
            let household = bench.household().await?;
            if rules {
                bench.five_rules(household).await?;
            } else {
                let owner = (household.tenant, household.owner);
                for _ in 0..10 {
                    bench.account(owner, AccountKind::Pod).await?;
                }
            }
            anyhow::Ok(household)
        });
    }
    while let Some(done) = tasks.join_next().await {
        households.push(done??);
    }
    Ok(households)
}
