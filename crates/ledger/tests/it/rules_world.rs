//! Rules, accounts and runs written in one line each, and plans read back the same way.
//!
//! ```text
//! accounts  pay 100000; fund 0; card debt 52000 min 3500 last 48000; bank ext ?
//! rule      if BALANCE > 50000: 20% in pay>fund g1 cap month 9000
//!           else: fixed 5000 pay>fund upto; topup min:card pay>fund
//! run       in 80000 on 2026-02-28 used 0/1 month 2026-02-01 500
//! plan      0: pay>fund 8500; g1 9000
//! ```
//!
//! The first account is the trigger's. All numbers are cents.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::account::Reported;
use ledger::rule::action::{ActionType, Apr, Cap, CapPeriod, PercentageTarget};
use ledger::rule::calendar::{DAY_MS, Date, Day};
use ledger::rule::condition::{Fact, Operator, ValueFact};
use ledger::rule::draft::{
    ActionDraft, ConditionDraft, ConditionsDraft, DebtDraft, RuleDraft, StepDraft, TriggerDraft,
};
use ledger::rule::explain::Outcome;
use ledger::rule::percent::Percent;
use ledger::rule::plan::{Plan, plan};
use ledger::rule::snapshot::{AccountSeen, Answers, CapUsed, CapsUsed, Incoming, Snapshot};
use ledger::rule::validate::{Fault, validate};
use ledger::rule::{RoundDown, Rule, Settings, TriggerKind};
use ledger::{
    Account, AccountId, AccountKind, AccountState, ExternalKind, Millis, OwnerId, RuleId, TenantId,
};

use crate::world::USD;

const OWNER: OwnerId = OwnerId::new(7);
const TENANT: TenantId = TenantId::new(6);

/// Accounts by their names, in the order in which they were listed.
pub struct Accounts {
    names: Vec<(String, AccountId)>,
    all: BTreeMap<AccountId, (Account, i64)>,
}

impl Accounts {
    pub fn of(text: &str) -> Accounts {
        let mut accounts = Accounts {
            names: Vec::new(),
            all: BTreeMap::new(),
        };
        for one in text.split(';').map(str::trim).filter(|one| !one.is_empty()) {
            accounts.add(one);
        }
        accounts
    }

    /// Names for accounts that are somewhere else.
    pub fn named(names: &[(&str, AccountId)]) -> Accounts {
        let names = names.iter().map(|(name, id)| ((*name).to_owned(), *id));
        Accounts {
            names: names.collect(),
            all: BTreeMap::new(),
        }
    }

    fn add(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        let name = words.next().expect("a name");
        let id = AccountId::new(self.names.len() as u64 + 100);
        self.names.push((name.to_owned(), id));
        let mut account = blank(id, name);
        let mut arriving = 0;
        let number = |words: &mut std::str::SplitWhitespace<'_>| -> Option<i64> {
            let word = words.next().expect("a number");
            (word != "?").then(|| word.parse().expect(word))
        };
        while let Some(word) = words.next() {
            match word {
                "debt" | "ext" => {
                    let kind = match word {
                        "debt" => ExternalKind::Liability,
                        _ => ExternalKind::Depository,
                    };
                    account.kind = AccountKind::External(kind);
                    account.can_be_source = kind == ExternalKind::Depository;
                    account.reported.balance = number(&mut words);
                }
                "min" => account.reported.next_payment_minimum = number(&mut words),
                "last" => account.reported.last_statement = number(&mut words),
                "held" => account.held = number(&mut words).expect("held"),
                "arriving" => arriving = number(&mut words).expect("arriving"),
                "closed" => account.state = AccountState::Destroyed,
                "blocked" => account.state = AccountState::Blocked,
                balance => account.balance = balance.parse().expect(balance),
            }
        }
        self.all.insert(id, (account, arriving));
    }

    pub fn id(&self, name: &str) -> AccountId {
        let found = self.names.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no account {name}")).1
    }

    fn name(&self, id: AccountId) -> &str {
        let found = self.names.iter().find(|(_, known)| *known == id);
        found.map_or("?", |(name, _)| name)
    }

    fn snapshot(&self, at: Millis) -> Snapshot {
        let seen = |(id, (account, arriving)): (&AccountId, &(Account, i64))| {
            (*id, AccountSeen::of(account, *arriving))
        };
        Snapshot {
            at,
            accounts: self.all.iter().map(seen).collect(),
        }
    }
}

fn blank(id: AccountId, name: &str) -> Account {
    Account {
        id,
        tenant: TENANT,
        owner: OWNER,
        kind: AccountKind::Pod,
        name: Arc::from(name),
        description: None,
        institution: None,
        number_last_four: None,
        routing_last_four: None,
        currency: USD,
        profile: None,
        parent: None,
        tag: None,
        details: None,
        state: AccountState::Active,
        reason: None,
        can_be_source: true,
        can_be_destination: true,
        reported: Reported::default(),
        created_at: Millis(0),
        updated_at: Millis(0),
        balance: 0,
        held: 0,
        entries: 0,
    }
}

/// A rule that the first account triggers by hand.
pub fn rule(accounts: &Accounts, text: &str) -> Rule {
    checked(accounts, &draft(accounts, text)).expect("a sound rule")
}

/// A draft of a rule that the first account triggers by hand.
pub fn draft(accounts: &Accounts, text: &str) -> RuleDraft {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    RuleDraft {
        name: Arc::from("Rule"),
        description: None,
        trigger: TriggerDraft {
            kind: TriggerKind::Manual,
            account: accounts.names.first().map(|(_, id)| *id),
            schedule_kind: None,
            start: None,
        },
        steps: lines.map(|line| step(accounts, line)).collect(),
    }
}

/// A rule from its draft. Closed accounts count as open: they were when it was made.
fn checked(accounts: &Accounts, draft: &RuleDraft) -> Result<Rule, Vec<Fault>> {
    let open: BTreeMap<AccountId, Account> = accounts
        .all
        .iter()
        .map(|(id, (account, _))| {
            let state = AccountState::Active;
            (
                *id,
                Account {
                    state,
                    ..account.clone()
                },
            )
        })
        .collect();
    let lookup = |id: AccountId| open.get(&id);
    let checked = validate(draft, OWNER, &lookup)?;
    Ok(Rule {
        id: RuleId::new(1),
        tenant: TENANT,
        owner: OWNER,
        name: checked.name,
        description: checked.description,
        enabled: true,
        trigger: checked.trigger,
        steps: checked.steps,
        currency: checked.currency,
        settings: Settings::default(),
        approval_above_minor: None,
        version: 1,
        created_at: Millis(0),
        updated_at: Millis(0),
    })
}

fn step(accounts: &Accounts, line: &str) -> StepDraft {
    let (conditions, actions) = match line.split_once(": ") {
        Some(("else", actions)) => (None, actions),
        Some((head, actions)) => {
            let text = head.strip_prefix("if ").expect("if");
            let (tree, rest) = tree(accounts, text);
            assert_eq!(rest.trim(), "", "after the conditions");
            (Some(tree), actions)
        }
        None => (None, line),
    };
    let actions = actions.split(';').map(|text| action(accounts, text.trim()));
    StepDraft {
        conditions,
        actions: actions.collect(),
    }
}

/// `all(…, …)`, `any(…, …)` or a comparison; gives what is left of the text.
fn tree<'t>(accounts: &Accounts, text: &'t str) -> (ConditionsDraft, &'t str) {
    let text = text.trim_start();
    for word in ["all(", "any("] {
        if let Some(mut rest) = text.strip_prefix(word) {
            let mut branches = Vec::new();
            loop {
                let (branch, after) = tree(accounts, rest);
                branches.push(branch);
                if let Some(after) = after.strip_prefix(')') {
                    let mut node = ConditionsDraft::default();
                    match word {
                        "all(" => node.all = Some(branches),
                        _ => node.any = Some(branches),
                    }
                    return (node, after);
                }
                rest = after.strip_prefix(',').expect("a comma");
            }
        }
    }
    let (left, rest) = text.split_once(' ').expect("a fact");
    let (operator, rest) = rest.split_once(' ').expect("an operator");
    // The right side ends where its own parentheses are balanced.
    let mut open = 0;
    let end = rest.find(|c| {
        open += i32::from(c == '(');
        let outer = open == 0 && (c == ',' || c == ')');
        open -= i32::from(c == ')');
        outer
    });
    let (right, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let (fact, account) = fact(accounts, left);
    let number: Option<i64> = right.parse().ok();
    let (value_fact, value_account) = match number {
        Some(_) => (None, None),
        None => value_fact(accounts, right),
    };
    let condition = ConditionDraft {
        fact,
        operator: match operator {
            "=" => Operator::Equals,
            "!=" => Operator::NotEquals,
            ">" => Operator::GreaterThan,
            "<" => Operator::LessThan,
            ">=" => Operator::GreaterThanOrEqual,
            "<=" => Operator::LessThanOrEqual,
            other => panic!("no operator {other}"),
        },
        value: number,
        value_fact,
        account,
        value_account,
    };
    let node = ConditionsDraft {
        condition: Some(condition),
        ..ConditionsDraft::default()
    };
    (node, rest)
}

fn named<'t>(accounts: &Accounts, text: &'t str) -> (&'t str, Option<AccountId>) {
    match text.split_once('(') {
        Some((word, account)) => (word, Some(accounts.id(account.trim_end_matches(')')))),
        None => (text, None),
    }
}

fn fact(accounts: &Accounts, text: &str) -> (Fact, Option<AccountId>) {
    let (word, account) = named(accounts, text);
    let fact = match word {
        "AMOUNT" => Fact::TransferAmount,
        other => Fact::parse(other).expect(other),
    };
    (fact, account)
}

fn value_fact(accounts: &Accounts, text: &str) -> (Option<ValueFact>, Option<AccountId>) {
    let (word, account) = named(accounts, text);
    let fact = match word {
        "AMOUNT" => ValueFact::TransferAmount,
        "LAST_DAY" => ValueFact::LastDayOfMonth,
        "MINIMUM" => ValueFact::NextPaymentMinimumAmount,
        "STATEMENT" => ValueFact::LastStatementBalance,
        other => ValueFact::parse(other).expect(other),
    };
    (Some(fact), account)
}

fn action(accounts: &Accounts, text: &str) -> ActionDraft {
    let mut words = text.split_whitespace().peekable();
    let kind = words.next().expect("a type");
    let mut draft = ActionDraft::of(action_type(kind, words.peek().copied()));
    if let Some(percent) = kind.strip_suffix('%') {
        draft.percentage_value = Some(Percent::parse(percent).expect(percent));
    }
    while let Some(word) = words.next() {
        match word {
            "in" => draft.percentage_target = Some(PercentageTarget::IncomingAmount),
            "source" => draft.percentage_target = Some(PercentageTarget::SourceAccount),
            "owed" => {}
            "upto" => draft.up_to_enabled = true,
            "cap" => {
                let period = period(words.next().expect("a period"));
                let minor = words.next().expect("a cap").parse().expect("cents");
                draft.limit = Some(Cap { period, minor });
            }
            _ => part(accounts, &mut draft, word),
        }
    }
    draft
}

/// A word that carries a value itself: `pay>fund`, `g1`, `min:card`, `30%` or an amount.
fn part(accounts: &Accounts, draft: &mut ActionDraft, word: &str) {
    if let Some((source, to)) = word.split_once('>') {
        draft.source = Some(accounts.id(source));
        if matches!(
            draft.action_type,
            ActionType::Avalanche | ActionType::Snowball
        ) {
            draft.liabilities = to.split(',').map(|debt| debt_of(accounts, debt)).collect();
        } else {
            draft.destination = Some(accounts.id(to));
        }
    } else if let Some((which, account)) = word.split_once(':') {
        let account = Some(accounts.id(account));
        match which {
            "min" => draft.next_payment_minimum_account = account,
            "owed" => draft.current_balance_account = account,
            "last" => draft.last_statement_balance_account = account,
            other => panic!("no target {other}"),
        }
    } else if let Some(percent) = word.strip_suffix('%') {
        draft.percentage_value = Some(Percent::parse(percent).expect(percent));
    } else if let Some(group) = word.strip_prefix('g') {
        draft.group_index = group.parse().expect("a group");
    } else {
        draft.minor = Some(word.parse().unwrap_or_else(|_| panic!("what is {word}?")));
    }
}

fn debt_of(accounts: &Accounts, text: &str) -> DebtDraft {
    let (name, apr) = text.split_once('@').unwrap_or((text, ""));
    DebtDraft {
        account: accounts.id(name),
        apr: apr.parse().ok().map(Apr),
    }
}

fn action_type(word: &str, next: Option<&str>) -> ActionType {
    match (word, next) {
        ("fixed", _) => ActionType::FixedAmount,
        ("topup", _) => ActionType::TopUp,
        ("round", _) => ActionType::RoundDown,
        ("minimum", _) => ActionType::NextPaymentMinimum,
        ("due", _) => ActionType::TotalAmountDue,
        ("statement", _) => ActionType::LastStatementBalance,
        ("avalanche", _) => ActionType::Avalanche,
        ("snowball", _) => ActionType::Snowball,
        ("asked", _) => ActionType::QueriedAmount,
        (percent, Some("owed")) if percent.ends_with('%') => ActionType::PercentageLiabilityBalance,
        (percent, _) if percent.ends_with('%') => ActionType::Percentage,
        (other, _) => panic!("no action {other}"),
    }
}

fn period(word: &str) -> CapPeriod {
    match word {
        "each" => CapPeriod::PerTransfer,
        "week" => CapPeriod::PerWeek,
        "month" => CapPeriod::PerMonth,
        "year" => CapPeriod::PerYear,
        other => panic!("no period {other}"),
    }
}

fn day(text: &str) -> Day {
    let numbers: Vec<i64> = text.split('-').map(|n| n.parse().expect(n)).collect();
    let date = Date {
        year: numbers[0],
        month: numbers[1] as u8,
        day: numbers[2] as u8,
    };
    date.day_number()
}

/// Plans a run and writes the plan down.
pub fn run(accounts: &str, rule: &str, how: &str) -> String {
    let accounts = Accounts::of(accounts);
    let mut rule = self::rule(&accounts, rule);
    let plan = plan_of(&accounts, &mut rule, how);
    written(&accounts, &plan)
}

fn plan_of(accounts: &Accounts, rule: &mut Rule, how: &str) -> Plan {
    let mut at = Millis(day("2026-11-21").0 * DAY_MS);
    let (mut incoming, mut caps, mut answers) =
        (Incoming::Unknown, CapsUsed::new(), Answers::new());
    let place = |text: &str| -> (u16, u32) {
        let (step, second) = text.split_once('/').expect("a place");
        (step.parse().expect(step), second.parse().expect(second))
    };
    let mut words = how.split_whitespace();
    while let Some(word) = words.next() {
        let mut next = || words.next().expect("a word");
        match word {
            "in" => incoming = Incoming::Amount(next().parse().expect("cents")),
            "pretend" => incoming = Incoming::Pretended(next().parse().expect("cents")),
            "on" => at = Millis(day(next()).0 * DAY_MS),
            "at" => at = at.plus(next().parse::<i64>().expect("an hour") * 3_600_000),
            "ahead" => rule.settings.utc_offset_minutes = next().parse().expect("minutes"),
            "buffer" => rule.settings.round_down = RoundDown::Buffer,
            "used" => {
                let key = place(next());
                let (period, since) = (period(next()), day(next()));
                let used_minor = next().parse().expect("cents");
                let used = CapUsed {
                    period,
                    since,
                    used_minor,
                };
                caps.insert(key, used);
            }
            "answer" => {
                let (step, action) = place(next());
                let minor = next().parse().expect("cents");
                answers.insert((step, action as u16), minor);
            }
            other => panic!("what is {other}?"),
        }
    }
    plan(rule, &accounts.snapshot(at), incoming, &caps, &answers)
}

/// `0: pay>fund 8500, #1 CAP_REACHED; g0 9000`: the step, what became of each action in turn, and
/// where counters stand. A failed transfer has its code after the amount.
fn written(accounts: &Accounts, plan: &Plan) -> String {
    let Some(step) = plan.explanation.step else {
        return "no step".to_owned();
    };
    let mut parts = Vec::new();
    for seen in &plan.explanation.actions {
        let before = parts.len();
        for transfer in plan.transfers.iter().filter(|t| t.action == seen.action) {
            let (from, to) = (
                accounts.name(transfer.source),
                accounts.name(transfer.destination),
            );
            let failure = transfer.failure.map_or(String::new(), |f| format!(" {f}"));
            parts.push(format!("{from}>{to} {}{failure}", transfer.minor));
        }
        if parts.len() == before {
            let what = match seen.outcome {
                Outcome::Moved => "moved".to_owned(),
                Outcome::Skipped(skip) => skip.to_string(),
                Outcome::Failed(failure) => failure.to_string(),
                Outcome::NotReached => "-".to_owned(),
            };
            parts.push(format!("#{} {what}", seen.action));
        }
    }
    let mut text = format!("{step}: {}", parts.join(", "));
    for counted in &plan.counted {
        text.push_str(&format!("; g{} {}", counted.group, counted.used.used_minor));
    }
    text
}
