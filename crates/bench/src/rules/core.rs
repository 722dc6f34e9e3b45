//! The pure parts: one plan, one forecast.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use ledger::account::Reported;
use ledger::forecast::{Income, Question};
use ledger::rule::plan::plan as reckon;
use ledger::rule::schedule::{Schedule, ScheduleKind};
use ledger::rule::snapshot::{AccountSeen, Answers, CapsUsed, Snapshot};
use ledger::{
    AccountId, AccountKind, Amount, Command, Context, Currency, IdSource, Incoming, Millis,
    MoneyIn, OpenAccount, Origin, OwnerId, OwnerKind, Reply, Rule, RuleId, State, TenantId,
    TenantMode, decide,
};

use super::draft::{by_time, fixed, on_money, rule, share, twenty_conditions};
use crate::histogram::Histogram;

const START: Millis = Millis(1_800_000_000_000);
const DAY_MS: i64 = 86_400_000;
const PLANS: usize = 200_000;
const FORECASTS: usize = 30;

/// A ledger in memory with one owner.
struct World {
    state: State,
    ids: IdSource,
    tenant: TenantId,
    owner: OwnerId,
}

impl World {
    fn new() -> Result<World> {
        let mut world = World {
            state: State::default(),
            ids: IdSource::new(0, 0),
            tenant: TenantId::new(0),
            owner: OwnerId::new(0),
        };
        let made = world.run(&Command::CreateTenant {
            name: Arc::from("Bench"),
            mode: TenantMode::Sandbox,
        });
        let Reply::Tenant(tenant) = made? else {
            bail!("no tenant");
        };
        world.tenant = tenant.id;
        let made = world.run(&Command::CreateOwner {
            tenant: tenant.id,
            kind: OwnerKind::Beneficiary,
            name: Arc::from("Household"),
        });
        let Reply::Owner(owner) = made? else {
            bail!("no owner");
        };
        world.owner = owner.id;
        Ok(world)
    }

    fn run(&mut self, command: &Command) -> Result<Reply> {
        let mut context = Context {
            now: START,
            ids: &mut self.ids,
        };
        let decision = decide(&self.state, command, &mut context)?;
        for effect in &decision.effects {
            self.state
                .apply(effect)
                .map_err(|error| anyhow!("{error}"))?;
        }
        Ok(decision.reply)
    }

    fn account(&mut self, kind: AccountKind) -> Result<AccountId> {
        let opened = self.run(&Command::OpenAccount(OpenAccount {
            tenant: self.tenant,
            owner: self.owner,
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
        match opened? {
            Reply::Account(account) => Ok(account.id),
            other => bail!("no account: {other:?}"),
        }
    }

    fn deposit(&mut self, destination: AccountId, minor: i64) -> Result<()> {
        self.run(&Command::MoneyIn(MoneyIn {
            tenant: self.tenant,
            destination,
            amount: Amount::new(minor, Currency::USD)?,
            origin: Origin::Paycheck,
            description: None,
        }))?;
        Ok(())
    }

    fn rule(&mut self, command: &Command) -> Result<RuleId> {
        let Reply::Rule(rule) = self.run(command)? else {
            bail!("no rule");
        };
        self.run(&Command::SwitchRule {
            tenant: self.tenant,
            owner: None,
            rule: rule.id,
            enabled: true,
        })?;
        Ok(rule.id)
    }
}

/// Times plans of a rule with 20 conditions, all of which are looked at, and 10 actions, all of
/// which move money. The snapshot is part of it, as in a run.
pub fn plan() -> Result<Histogram> {
    let mut world = World::new()?;
    let pay = world.account(AccountKind::IncomeSource)?;
    let mut actions = Vec::new();
    for index in 0..10 {
        let pod = world.account(AccountKind::Pod)?;
        actions.push(match index % 2 {
            0 => share(pod, 10),
            _ => fixed(pod, 1_000),
        });
    }
    world.deposit(pay, 1_000_000)?;
    let owner = (world.tenant, world.owner);
    let made = rule(owner, on_money(pay), Some(twenty_conditions(pay)), actions);
    let id = world.rule(&made)?;
    let rule = world.state.rule(id).ok_or_else(|| anyhow!("no rule"))?;
    let (caps, answers) = (CapsUsed::new(), Answers::new());
    let incoming = Incoming::Amount(1_000_000);
    let first = reckon(
        rule,
        &snapshot(&world.state, rule),
        incoming,
        &caps,
        &answers,
    );
    if first.transfers.len() != 10 {
        bail!("the rule moves money {} times", first.transfers.len());
    }
    let mut times = Histogram::default();
    for _ in 0..PLANS {
        let begun = Instant::now();
        let seen = snapshot(&world.state, rule);
        black_box(reckon(black_box(rule), &seen, incoming, &caps, &answers));
        times.record(begun.elapsed());
    }
    Ok(times)
}

fn snapshot(state: &State, rule: &Rule) -> Snapshot {
    let seen = rule.accounts().into_iter().filter_map(|id| {
        let account = state.account(id)?;
        Some((id, AccountSeen::of(account, state.arriving(id))))
    });
    Snapshot {
        at: START,
        accounts: seen.collect::<BTreeMap<_, _>>(),
    }
}

/// Times forecasts of 90 days over 20 accounts with 50 rules: one splits pay, the others run daily,
/// weekly and monthly. Gives the number of runs in each, too.
pub fn forecast() -> Result<(Histogram, u32)> {
    let mut world = World::new()?;
    let pay = world.account(AccountKind::IncomeSource)?;
    let mut pods = Vec::new();
    for _ in 1..20 {
        pods.push(world.account(AccountKind::Pod)?);
    }
    world.deposit(pay, 10_000_000)?;
    let owner = (world.tenant, world.owner);
    let shares = pods.iter().take(5).map(|pod| share(*pod, 10)).collect();
    world.rule(&rule(owner, on_money(pay), None, shares))?;
    let kinds = [
        ScheduleKind::Daily,
        ScheduleKind::Weekly,
        ScheduleKind::EveryOtherWeek,
        ScheduleKind::BiWeekly,
        ScheduleKind::Monthly,
    ];
    let turns = kinds.iter().cycle().zip(pods.iter().cycle());
    for (index, (kind, pod)) in (1_i64..50).zip(turns) {
        let start = START.plus(index * 3_600_000);
        let made = rule(
            owner,
            by_time(pay, *kind, start),
            None,
            vec![fixed(*pod, 500)],
        );
        world.rule(&made)?;
    }
    let question = Question {
        tenant: world.tenant,
        owner: world.owner,
        days: 90,
        utc_offset_minutes: 0,
        income: vec![Income {
            account: pay,
            minor: 300_000,
            schedule: Schedule {
                kind: ScheduleKind::EveryOtherWeek,
                start: START.plus(DAY_MS),
            },
        }],
    };
    let mut times = Histogram::default();
    let mut runs = 0;
    for _ in 0..FORECASTS {
        let state = world.state.clone();
        let begun = Instant::now();
        let told = ledger::forecast::forecast(state, &question, START)?;
        times.record(begun.elapsed());
        runs = told.runs;
    }
    Ok((times, runs))
}
