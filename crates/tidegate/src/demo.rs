//! The demo: a sandbox tenant that tells a story, and the files that lead into it.
//!
//! Six weeks in the life of one person: pay every other Friday that a rule splits over pods, rent and
//! a credit card paid over the simulated rail, a payment that came back, one that lacked money.
//! It is told on the tenant's own frozen clock, event by event, so that every settlement happens
//! in its time; then the clock is let run. The last step writes `demo.json`: a start that was cut
//! short before it begins again with a fresh tenant.

mod programme;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use api::App;
use ledger::account::Reported;
use ledger::rule::percent::Percent;
use ledger::{
    AccountId, AccountKind, Amount, Currency, ErrorCode, ExternalKind, Millis, MoneyIn, MoneyOut,
    OpenAccount, Origin, OwnerId, OwnerKind, RuleId, TenantClock, TenantId, TenantMode, TransferId,
};
use serde_json::{Value, json};
use service::spelling::id_text;
use service::{Filling, Service, Template};
use store::{Permission, Resources, Selector, TransferSet};

use crate::secrets;
use programme::Programme;

/// The listeners, as clients reach them.
pub(crate) struct Urls<'a> {
    pub api: &'a str,
    pub admin: &'a str,
}

const PAYCHECK_RULE: &str = "Paycheck split";
const TENANT_NAME: &str = "Tidegate demo";
const FILE: &str = "demo.json";
const ENV_FILE: &str = "demo.env";
const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;
/// Days of history.
const STORY_DAYS: i64 = 42;

/// Fills an empty store; on a store that has the demo already, only the addresses are brought up
/// to date.
pub(crate) async fn prepare(
    app: &Arc<App>,
    folder: &Path,
    urls: &Urls<'_>,
    admin_token: &str,
) -> anyhow::Result<()> {
    let service = app.service();
    let path = folder.join(FILE);
    if let Ok(text) = std::fs::read_to_string(&path) {
        let mut known: Value = serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is not valid; delete it and the data folder",
                path.display()
            )
        })?;
        set_addresses(&mut known, urls, admin_token);
        return write(folder, &known);
    }
    let tenants = service.tenants().await?;
    if tenants.iter().any(|tenant| &*tenant.name != TENANT_NAME) {
        tracing::warn!("the store is not empty: --demo leaves it as it is");
        return Ok(());
    }
    let mut demo = tell(app).await?;
    set_addresses(&mut demo, urls, admin_token);
    write(folder, &demo)?;
    tracing::info!(file = %path.display(), "demo ready: keys and accounts are in this file");
    Ok(())
}

fn set_addresses(demo: &mut Value, urls: &Urls<'_>, admin_token: &str) {
    demo["api"] = json!(urls.api);
    demo["admin"] = json!(urls.admin);
    demo["admin_token"] = json!(admin_token);
    demo["sequence"]["base_url"] = json!(format!("{}/api/v1", urls.api));
    demo["platform"]["base_url"] = json!(format!("{}/platform/v1", urls.api));
    demo["multi"]["base_url"] = json!(format!("{}/multi", urls.api));
    demo["multi"]["simulator_url"] = json!(format!("{}/simulate/api", urls.api));
}

fn write(folder: &Path, demo: &Value) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(demo)?;
    secrets::write_private(&folder.join(ENV_FILE), shell_variables(demo).as_bytes())?;
    secrets::write_private(&folder.join(FILE), format!("{text}\n").as_bytes())
}

/// The same as shell variables, for curl by hand: `. data/demo.env`.
fn shell_variables(demo: &Value) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &Value| {
        if let Some(value) = value.as_str() {
            text.push_str(&format!("{name}={value}\n"));
        }
    };
    line("API", &demo["sequence"]["base_url"]);
    line("API_KEY", &demo["sequence"]["api_key"]);
    line("ADMIN", &demo["admin"]);
    line("ADMIN_TOKEN", &demo["admin_token"]);
    line("TENANT", &demo["tenant"]);
    for (name, id) in demo["sequence"]["accounts"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let letters = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == ' ');
        let variable: String = letters
            .map(|c| {
                if c == ' ' {
                    '_'
                } else {
                    c.to_ascii_uppercase()
                }
            })
            .collect();
        line(variable.trim_matches('_'), id);
    }
    let multi = &demo["multi"];
    line("MULTI", &multi["base_url"]);
    line("SIMULATOR", &multi["simulator_url"]);
    line("MULTI_API_KEY", &multi["api_key"]);
    line("MULTI_PROGRAMME_KEY", &multi["programme_key"]);
    line("MULTI_PROFILE", &multi["profiles"]["transfer"]);
    let company = &multi["identities"][0];
    line("MULTI_EMAIL", &company["email"]);
    line("MULTI_PASSWORD", &company["password"]);
    line("EUR_MAIN", &company["managed_accounts"]["EUR main"]);
    line("EUR_RESERVE", &company["managed_accounts"]["EUR reserve"]);
    line("EUR_PREPAID", &company["managed_cards"]["EUR prepaid"]);
    text
}

fn spell(prefix: &str, id: u64) -> String {
    let text = id_text(id);
    format!(
        "{prefix}{}",
        std::str::from_utf8(&text).expect("base 32 is ASCII")
    )
}

async fn tell(app: &Arc<App>) -> anyhow::Result<Value> {
    let service: &Service = app.service();
    let tenant = service
        .create_tenant(TENANT_NAME, TenantMode::Sandbox)
        .await?;
    let now = service.store().now();
    let start = Millis((now.0 - STORY_DAYS * DAY).div_euclid(DAY) * DAY);
    service
        .set_clock(tenant.id, TenantClock::Frozen { at: start })
        .await?;
    let owner = service
        .create_owner(tenant.id, OwnerKind::Beneficiary, "John Smith")
        .await?;
    let mut story = Story {
        service,
        tenant: tenant.id,
        owner: owner.id,
        start,
        accounts: BTreeMap::new(),
        programme: Programme::new(service, api::public_routes(app), tenant.id).await?,
    };
    story.programme.open().await?;
    story.open_accounts().await?;
    let rule = story.split_paychecks().await?;
    story.six_weeks().await?;
    let last = service.tenant(tenant.id).await?.clock.now(now);
    let machine = service.store().now();
    // From here the tenant's time is the machine's, unless the story ended later in the day.
    let offset_ms = last.since(machine).max(0);
    service
        .set_clock(tenant.id, TenantClock::Running { offset_ms })
        .await?;

    let all = story.key("demo: everything", everything()).await?;
    let narrow = story.narrow_permissions();
    let narrow = story
        .key("demo: Emergency Fund to Vacation, up to 50.00", narrow)
        .await?;
    let mut accounts: BTreeMap<&str, String> = story
        .accounts
        .iter()
        .map(|(name, id)| (*name, spell("acc_", id.raw())))
        .collect();
    // The company's dollars are seen in both dialects.
    for (name, id) in story.programme.dollars() {
        accounts.insert(name, spell("acc_", id));
    }
    Ok(json!({
        "tenant": spell("ten_", tenant.id.raw()),
        "sequence": {
            "api_key": all,
            "narrow_api_key": narrow,
            "accounts": accounts,
            "rules": {PAYCHECK_RULE: spell("rule_", rule.raw())},
        },
        "platform": {"api_key": all.replacen("tg_", "sk_", 1)},
        "multi": story.programme.contact(),
    }))
}

/// Every scope on everything.
fn everything() -> Vec<Permission> {
    let every_pair = TransferSet {
        source: Selector::All,
        target: Selector::All,
        max_amount: None,
        approval_above: None,
    };
    vec![
        Permission::ListAccounts,
        Permission::ReadAccounts(Resources::All),
        Permission::ListRules,
        Permission::ReadRules(Resources::All),
        Permission::TriggerRules(Resources::All),
        Permission::ReadRuleExecutions(Resources::All),
        Permission::CreateAndEditRules(Resources::All),
        Permission::ReadAuditLogs,
        Permission::ReadTransfers(Resources::All),
        Permission::ManualTransfer(vec![every_pair]),
        Permission::ReadCards(Resources::All),
        Permission::CreateAndDeleteAccounts(Resources::All),
    ]
}

/// The story's accounts: name, kind, bank, last four digits, note.
type AccountLine = (
    &'static str,
    AccountKind,
    Option<&'static str>,
    &'static str,
    Option<&'static str>,
);

const ACCOUNTS: [AccountLine; 8] = [
    (
        "Main Payroll",
        AccountKind::IncomeSource,
        Some("Thread Bank"),
        "4567",
        Some("Where pay arrives"),
    ),
    (
        "Emergency Fund",
        AccountKind::Pod,
        None,
        "0101",
        Some("Three months of expenses"),
    ),
    ("Vacation", AccountKind::Pod, None, "0102", None),
    (
        "Taxes",
        AccountKind::Pod,
        None,
        "0103",
        Some("A fifth of every paycheck"),
    ),
    ("Rent and Bills", AccountKind::Pod, None, "0104", None),
    (
        "Chase Checking ••8810",
        AccountKind::External(ExternalKind::Depository),
        Some("Chase"),
        "8810",
        None,
    ),
    (
        "Amex Gold ••1234",
        AccountKind::External(ExternalKind::Liability),
        Some("American Express"),
        "1234",
        None,
    ),
    (
        "Vanguard Brokerage ••7702",
        AccountKind::External(ExternalKind::Investment),
        Some("Vanguard"),
        "7702",
        None,
    ),
];

struct Story<'a> {
    service: &'a Service,
    tenant: TenantId,
    owner: OwnerId,
    start: Millis,
    accounts: BTreeMap<&'static str, AccountId>,
    programme: Programme,
}

impl Story<'_> {
    async fn open_accounts(&mut self) -> anyhow::Result<()> {
        for (name, kind, bank, last_four, note) in ACCOUNTS {
            let reported = match kind {
                AccountKind::External(ExternalKind::Liability) => Reported {
                    balance: Some(245_000),
                    last_statement: Some(198_000),
                    next_payment_minimum: Some(3_500),
                    ..Reported::default()
                },
                AccountKind::External(_) => Reported {
                    balance: Some(812_040),
                    available: Some(812_040),
                    ..Reported::default()
                },
                _ => Reported::default(),
            };
            let open = OpenAccount {
                tenant: self.tenant,
                owner: self.owner,
                kind,
                name: Arc::from(name),
                description: note.map(Arc::from),
                institution: bank.map(Arc::from),
                number_last_four: Some(Arc::from(last_four)),
                routing_last_four: Some(Arc::from("0021")),
                currency: Currency::USD,
                can_be_source: None,
                can_be_destination: None,
                reported,
            };
            let account = self.service.open_account(open).await?;
            self.accounts.insert(name, account.id);
        }
        Ok(())
    }

    fn now(&self, day: i64, hour: i64) -> Millis {
        self.start.plus(day * DAY + hour * HOUR)
    }

    /// Moves the clock to an hour of a day of the story; what is due until then happens.
    async fn at(&self, day: i64, hour: i64) -> anyhow::Result<()> {
        let at = self.now(day, hour);
        self.service
            .set_clock(self.tenant, TenantClock::Frozen { at })
            .await?;
        Ok(())
    }

    async fn money_in(&self, to: &str, cents: i64, origin: Origin) -> anyhow::Result<()> {
        self.service
            .money_in(MoneyIn {
                tenant: self.tenant,
                destination: self.accounts[to],
                amount: Amount::new(cents, Currency::USD)?,
                origin,
                description: None,
            })
            .await?;
        Ok(())
    }

    async fn draw(&self, from: &str, cents: i64) -> anyhow::Result<()> {
        self.service
            .money_out(MoneyOut {
                origin: ledger::Origin::ExternalPull,
                tenant: self.tenant,
                source: self.accounts[from],
                amount: Amount::new(cents, Currency::USD)?,
                description: None,
            })
            .await?;
        Ok(())
    }

    /// A transfer, settled or handed to its rail when this returns.
    async fn transfer(&self, from: &str, to: &str, cents: i64) -> anyhow::Result<TransferId> {
        let amount = Amount::new(cents, Currency::USD)?;
        let (from, to) = (self.accounts[from], self.accounts[to]);
        let row = self
            .service
            .transfer_as_operator(self.tenant, from, to, amount, None)
            .await?;
        self.service.quiesce(self.tenant).await?;
        Ok(row.transfer.id)
    }

    /// Every paycheck is split over pods, at once and by itself.
    async fn split_paychecks(&self) -> anyhow::Result<RuleId> {
        let share = |name: &str, percent: &str| (self.accounts[name], Percent::parse(percent));
        let filling = Filling {
            template: Template::ProfitFirst,
            name: Some(Arc::from(PAYCHECK_RULE)),
            source: self.accounts["Main Payroll"],
            destinations: vec![
                share("Taxes", "20"),
                share("Rent and Bills", "44"),
                share("Emergency Fund", "20"),
                share("Vacation", "5"),
            ],
            minor: None,
            debts: Vec::new(),
            start: None,
        };
        let draft = filling.draft()?;
        let made = self
            .service
            .create_rule_as_operator(self.tenant, None, draft);
        let rule = made.await?.view.rule.id;
        self.service.switch_rule(self.tenant, rule, true).await?;
        Ok(rule)
    }

    async fn six_weeks(&self) -> anyhow::Result<()> {
        let checking = "Chase Checking ••8810";
        let amex = "Amex Gold ••1234";
        for payday in [1, 15, 29] {
            self.at(payday, 9).await?;
            self.money_in("Main Payroll", 500_000, Origin::Paycheck)
                .await?;
            self.service.quiesce(self.tenant).await?;
            self.programme.day(payday, self.now(payday, 9)).await?;
        }
        // The clock has passed the last payday already: what follows happens after it.
        self.at(30, 8).await?;
        self.transfer("Rent and Bills", checking, 195_000).await?;
        self.at(31, 18).await?;
        self.money_in("Emergency Fund", 32_050, Origin::CheckDeposit)
            .await?;
        self.at(32, 12).await?;
        self.money_in("Vacation", 1_275, Origin::Cashback).await?;
        self.at(33, 7).await?;
        self.transfer("Main Payroll", amex, 60_000).await?;
        self.at(34, 19).await?;
        self.draw("Emergency Fund", 20_000).await?;
        self.at(35, 10).await?;
        // A payment that came back.
        let returned = self.transfer("Vacation", checking, 15_000).await?;
        self.service
            .return_transfer(self.tenant, returned, ErrorCode::NameMismatch)
            .await?;
        self.at(36, 10).await?;
        // More than there is.
        self.transfer("Vacation", "Rent and Bills", 900_000).await?;
        self.at(37, 11).await?;
        self.transfer(checking, "Emergency Fund", 40_000).await?;
        self.at(38, 9).await?;
        self.transfer("Emergency Fund", "Vanguard Brokerage ••7702", 50_000)
            .await?;
        self.at(40, 16).await?;
        self.transfer("Main Payroll", "Vacation", 10_000).await?;
        self.programme.day(40, self.now(40, 16)).await?;
        Ok(())
    }

    async fn key(&self, name: &str, permissions: Vec<Permission>) -> anyhow::Result<String> {
        let secret = secrets::new_key()?;
        self.service
            .create_key(self.tenant, name, permissions, &secret)
            .await?;
        Ok(secret.reveal().to_owned())
    }

    /// May move money from the emergency fund to the vacation, up to 50.00, and nothing else.
    fn narrow_permissions(&self) -> Vec<Permission> {
        vec![Permission::ManualTransfer(vec![TransferSet {
            source: Selector::Id(self.accounts["Emergency Fund"].raw()),
            target: Selector::Id(self.accounts["Vacation"].raw()),
            max_amount: Some(5_000),
            approval_above: None,
        }])]
    }
}
