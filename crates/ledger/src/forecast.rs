//! What the coming days would bring, if income came as assumed and nobody did anything else.
//!
//! The state of one owner is taken over and driven on with the same decisions as the real one: due
//! work in the order of time, rules and schedules among it, and assumed income in between. So what
//! is foretold is what would happen, to the cent, and nothing of it is written anywhere.
//!
//! Assumptions that are not the caller's: the simulated rail delivers; whoever is asked for
//! approval approves at once; balances of accounts elsewhere stay as they were reported.

mod notes;

use crate::command::{Command, MoneyIn};
use crate::decide::{Context, decide};
use crate::effect::Effect;
use crate::execution::ExecutionError;
use crate::id::{AccountId, IdSource, OwnerId, RuleId, TenantId, TransferId};
use crate::money::Amount;
use crate::rejection::Rejection;
use crate::rule::action::Cap;
use crate::rule::calendar::{Day, instant};
use crate::rule::schedule::Schedule;
use crate::state::State;
use crate::time::Millis;
use crate::transfer::{ErrorCode, Origin, Status};
use notes::Notes;

/// The longest time that is looked ahead.
pub const DAYS_MAX: u16 = 366;
/// Assumed incomes.
pub const INCOME_MAX: usize = 100;
/// Decisions after which a forecast stops where it is.
const DECISIONS_MAX: u32 = 500_000;
/// Failures that are told one by one.
const FAILURES_TOLD: usize = 100;

/// Money that is assumed to come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Income {
    /// On this account, one of the owner's that the ledger holds.
    pub account: AccountId,
    /// So much each time, in the account's currency.
    pub minor: i64,
    /// At these times.
    pub schedule: Schedule,
}

/// What is to be foretold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: TenantId,
    /// Whose accounts and rules.
    pub owner: OwnerId,
    /// Local days to look ahead, the current one included; 1 to [`DAYS_MAX`].
    pub days: u16,
    /// Minutes that local time is ahead of UTC, which decides where days end.
    pub utc_offset_minutes: i16,
    /// What comes in besides; at most [`INCOME_MAX`].
    pub income: Vec<Income>,
}

/// The balances at the end of a local day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayEnd {
    /// The day.
    pub day: Day,
    /// Minor units, in the order of [`Forecast::accounts`].
    pub balances: Vec<i64>,
}

/// The least that is on an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lowest {
    /// Minor units.
    pub minor: i64,
    /// When it is first as little as that, by the tenant's clock.
    pub at: Millis,
}

/// What does not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// A run of a rule fails or is cut short.
    Run(RuleId, ExecutionError),
    /// A transfer ends badly; `None` when it is called off.
    Transfer(TransferId, Option<ErrorCode>),
}

/// Something that does not work, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FailureSeen {
    /// When, by the tenant's clock.
    pub at: Millis,
    /// What.
    pub kind: FailureKind,
}

/// A cap that cuts what a rule wants to move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CapHit {
    /// The rule.
    pub rule: RuleId,
    /// The step, from 0.
    pub step: u16,
    /// The group of actions.
    pub group: u32,
    /// The cap.
    pub cap: Cap,
    /// How often.
    pub times: u32,
    /// How much was wanted and not let through, in minor units.
    pub cut_minor: i128,
    /// When first, by the tenant's clock.
    pub first_at: Millis,
}

/// A rule that finds too little, because another took it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Starved {
    /// The rule that finds too little.
    pub rule: RuleId,
    /// The rule that took from the same account since money last came in there.
    pub by: RuleId,
    /// The account.
    pub account: AccountId,
    /// How often.
    pub times: u32,
    /// How much was missing, in minor units.
    pub missing_minor: i128,
    /// When first, by the tenant's clock.
    pub first_at: Millis,
}

/// What the coming days bring.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forecast {
    /// From when, by the tenant's clock.
    pub from: Millis,
    /// The accounts that the ledger holds for the owner, oldest first.
    pub accounts: Vec<AccountId>,
    /// The end of each day, in order.
    pub days: Vec<DayEnd>,
    /// The least on each account, in the order of `accounts`; its balance now counts too.
    pub lowest: Vec<Lowest>,
    /// Runs of rules that were made.
    pub runs: u32,
    /// Transfers that completed, assumed income included.
    pub transfers: u32,
    /// Transfers that a person has to approve.
    pub approvals: u32,
    /// How many things do not work.
    pub failed: u32,
    /// The first of them, in order of time.
    pub failures: Vec<FailureSeen>,
    /// Caps that were reached, by rule.
    pub caps: Vec<CapHit>,
    /// Who takes what another needs.
    pub starved: Vec<Starved>,
    /// Whether it stops early, because too much happens. The days that are there are right.
    pub cut_short: bool,
}

/// Looks ahead from `machine`, the machine's time. `state` holds all of the owner's.
///
/// # Errors
/// A [`Rejection`] of the question, or of the first assumed income that cannot come in.
pub fn forecast(
    mut state: State,
    question: &Question,
    machine: Millis,
) -> Result<Forecast, Rejection> {
    check(&state, question)?;
    let tenant = state.tenant(question.tenant);
    let from = tenant.map_or(machine, |tenant| tenant.clock.now(machine));
    let fits = state.rehearse(question.tenant);
    fits.map_err(|_| Rejection::TenantNotFound)?;
    let mut ahead = Ahead::new(state, question, from);
    let minutes = i32::from(question.utc_offset_minutes);
    let Day(today) = Day::at(from, minutes);
    for number in 0..i64::from(question.days) {
        let day = today.saturating_add(number);
        let end = instant(Day(day.saturating_add(1)), 0, &|_| minutes);
        if !ahead.drive(end)? {
            break;
        }
        ahead.close(Day(day));
    }
    Ok(ahead.finish())
}

fn check(state: &State, question: &Question) -> Result<(), Rejection> {
    let invalid = |field, reason| Err(Rejection::Invalid { field, reason });
    if !(1..=DAYS_MAX).contains(&question.days) {
        return invalid("days", "must be 1 to 366");
    }
    if question.income.len() > INCOME_MAX {
        return invalid("income", "must have at most 100 entries");
    }
    let owner = state.owner(question.owner);
    owner
        .filter(|owner| owner.tenant == question.tenant)
        .ok_or(Rejection::OwnerNotFound)?;
    for income in &question.income {
        let account = state.account(income.account);
        let account = account.filter(|account| account.owner == question.owner);
        if account.is_none_or(|account| !account.kind.is_held()) {
            return Err(Rejection::AccountNotFound);
        }
        if income.minor < 1 {
            return invalid("income.amount", "must be 1 or more");
        }
    }
    Ok(())
}

/// A forecast that is being made.
struct Ahead<'a> {
    state: State,
    question: &'a Question,
    ids: IdSource,
    /// When each assumed income comes next.
    income: Vec<Option<Millis>>,
    decisions: u32,
    notes: Notes,
    told: Forecast,
}

impl<'a> Ahead<'a> {
    fn new(state: State, question: &'a Question, from: Millis) -> Ahead<'a> {
        let mut accounts: Vec<AccountId> = state
            .accounts()
            .filter(|account| account.owner == question.owner && account.kind.is_held())
            .map(|account| account.id)
            .collect();
        accounts.sort_unstable();
        let balance = |id: &AccountId| state.account(*id).map_or(0, |account| account.balance);
        let lowest = |id| Lowest {
            minor: balance(id),
            at: from,
        };
        let told = Forecast {
            from,
            lowest: accounts.iter().map(lowest).collect(),
            accounts,
            ..Forecast::default()
        };
        let ids = IdSource::new(0, state.last_id());
        let mut ahead = Ahead {
            state,
            question,
            ids,
            income: Vec::new(),
            decisions: 0,
            notes: Notes::default(),
            told,
        };
        let next = |income: &Income| ahead.next_income(income, from.plus(1));
        ahead.income = question.income.iter().map(next).collect();
        ahead
    }

    fn next_income(&self, income: &Income, from: Millis) -> Option<Millis> {
        let minutes = i32::from(self.question.utc_offset_minutes);
        income.schedule.next(from, &|_| minutes)
    }

    /// Does all that happens before `end`. `false` when that is too much.
    fn drive(&mut self, end: Millis) -> Result<bool, Rejection> {
        loop {
            if self.decisions >= DECISIONS_MAX {
                self.told.cut_short = true;
                return Ok(false);
            }
            let due = self.state.next_due_at();
            let income = self.income.iter().enumerate();
            let income = income.filter_map(|(index, at)| Some(((*at)?, index))).min();
            match income {
                Some((at, index)) if at < end && at < due => self.come_in(index, at)?,
                _ if due < end => {
                    let Some(work) = self.state.next_due(due) else {
                        return Ok(true);
                    };
                    self.decide(&Command::RunDue(work), work.at)?;
                }
                _ => return Ok(true),
            }
        }
    }

    fn come_in(&mut self, index: usize, at: Millis) -> Result<(), Rejection> {
        let Some(income) = self.question.income.get(index).copied() else {
            return Ok(());
        };
        let next = self.next_income(&income, at.plus(1));
        if let Some(slot) = self.income.get_mut(index) {
            *slot = next;
        }
        let account = self.state.account(income.account);
        let account = account.ok_or(Rejection::AccountNotFound)?;
        let amount = Amount::new(income.minor, account.currency);
        let command = Command::MoneyIn(MoneyIn {
            tenant: self.question.tenant,
            destination: income.account,
            amount: amount.map_err(|_| Rejection::BalanceOverflow)?,
            origin: Origin::Paycheck,
            description: None,
        });
        self.decide(&command, at)
    }

    fn decide(&mut self, command: &Command, now: Millis) -> Result<(), Rejection> {
        self.decisions = self.decisions.saturating_add(1);
        let mut context = Context {
            now,
            ids: &mut self.ids,
        };
        let decision = decide(&self.state, command, &mut context)?;
        let mut waiting = Vec::new();
        for effect in &decision.effects {
            self.look(effect, now, &mut waiting);
            // The same code applies it as everywhere; what does not fit was damaged before.
            let fits = self.state.apply(effect);
            fits.map_err(|_| Rejection::BalanceOverflow)?;
        }
        for transfer in waiting {
            self.told.approvals = self.told.approvals.saturating_add(1);
            let approve = Command::DecideApproval {
                tenant: self.question.tenant,
                owner: None,
                transfer,
                approved: true,
                reason: None,
            };
            self.decide(&approve, now)?;
        }
        Ok(())
    }

    /// Takes notes of an effect that is about to be applied.
    fn look(&mut self, effect: &Effect, at: Millis, waiting: &mut Vec<TransferId>) {
        match effect {
            Effect::TransferRecorded(transfer) => match transfer.status {
                Status::PendingApproval => waiting.push(transfer.id),
                Status::Complete => self.completed(),
                _ => {}
            },
            Effect::TransferMoved {
                transfer,
                to,
                error,
                ..
            } => match to {
                Status::Complete => self.completed(),
                to if to.is_final() => self.failed(at, FailureKind::Transfer(*transfer, *error)),
                _ => {}
            },
            Effect::Posted {
                transfer, posting, ..
            } => {
                let rule = self.state.open_transfer(*transfer).and_then(|t| t.rule);
                for entry in posting.entries() {
                    self.notes
                        .posted(entry, *transfer, rule.map(|(rule, _)| rule));
                    self.lowest(entry.account, entry.balance_after, at);
                }
            }
            _ => {}
        }
        if let Some((rule, error)) = self.notes.run(effect, &self.state, at) {
            self.told.runs = self.told.runs.saturating_add(1);
            if let Some(error) = error {
                self.failed(at, FailureKind::Run(rule, error));
            }
        }
    }

    fn completed(&mut self) {
        self.told.transfers = self.told.transfers.saturating_add(1);
    }

    fn failed(&mut self, at: Millis, kind: FailureKind) {
        self.told.failed = self.told.failed.saturating_add(1);
        if self.told.failures.len() < FAILURES_TOLD {
            self.told.failures.push(FailureSeen { at, kind });
        }
    }

    fn lowest(&mut self, account: AccountId, minor: i64, at: Millis) {
        if let Ok(index) = self.told.accounts.binary_search(&account)
            && let Some(lowest) = self.told.lowest.get_mut(index)
            && minor < lowest.minor
        {
            *lowest = Lowest { minor, at };
        }
    }

    fn close(&mut self, day: Day) {
        let balance = |id: &AccountId| self.state.account(*id).map_or(0, |a| a.balance);
        let balances = self.told.accounts.iter().map(balance).collect();
        self.told.days.push(DayEnd { day, balances });
    }

    fn finish(mut self) -> Forecast {
        (self.told.caps, self.told.starved) = self.notes.finish();
        self.told
    }
}
