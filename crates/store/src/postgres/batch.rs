//! What one transaction is to do: submits, in their order, and owners to visit.

use std::collections::VecDeque;

use ledger::{AccountKind, Command, CreateTransfer, Rail, SystemKind, TenantId, Touch, touches};
use tokio::sync::oneshot;

use super::due::Visits;
use super::facts::Facts;
use super::group::tenant_of;
use super::load::Besides;
use super::plan::Plan;
use crate::{Action, Outcome, Put, PutId, PutOwner, Result, StoreError, Submit};

/// Submits of one batch at most.
const TAKE_MAX: usize = 2_048;
/// Bytes of one batch at most, about, besides its first submit.
const WEIGHT_MAX: usize = 16 << 20;

/// Where the outcome of a submit goes.
pub(crate) type Answer = oneshot::Sender<Result<Outcome>>;

/// A submit and who waits for it.
pub(crate) struct Asked {
    pub submit: Submit,
    pub answer: Answer,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Batch {
    pub asked: Vec<Asked>,
    pub visits: Visits,
}

/// The tenant whose clock a submit may set.
pub(crate) fn clock_of(submit: &Submit) -> Option<TenantId> {
    match &submit.action {
        Action::Command(command) | Action::Together { command, .. } => match command {
            Command::SetClock { tenant, .. }
            | Command::MoveClock { tenant, .. }
            | Command::ClockToNextDue { tenant } => Some(*tenant),
            _ => None,
        },
        _ => None,
    }
}

/// Bytes of a submit, about.
fn weight(submit: &Submit) -> usize {
    let of_puts = |puts: &[Put]| {
        let bodies = puts.iter().filter_map(|put| put.body.as_ref());
        bodies.map(|body| body.len()).sum::<usize>()
    };
    match &submit.action {
        Action::Command(Command::SubmitBulk { operations, .. }) => operations.len() * 128,
        Action::Put(puts) | Action::Together { puts, .. } => of_puts(puts),
        _ => 0,
    }
}

impl Batch {
    /// Takes the submits of a batch. Those of tenants that are `held_up` stay, and so do those that
    /// come after one that may set their tenant's clock: what it passes comes before them.
    pub(crate) fn take(
        waiting: &mut VecDeque<Asked>,
        visits: Visits,
        held_up: impl Fn(TenantId) -> bool,
    ) -> Batch {
        let mut batch = Batch {
            asked: Vec::new(),
            visits,
        };
        let mut clocks = Vec::new();
        let mut bytes = 0_usize;
        let mut stay = VecDeque::new();
        while let Some(asked) = waiting.pop_front() {
            let tenant = tenant_of(&asked.submit);
            let is_full = batch.asked.len() >= TAKE_MAX || bytes >= WEIGHT_MAX;
            if is_full || held_up(tenant) || clocks.contains(&tenant) {
                stay.push_back(asked);
                if is_full {
                    break;
                }
                continue;
            }
            bytes = bytes.saturating_add(weight(&asked.submit));
            clocks.extend(clock_of(&asked.submit));
            batch.asked.push(asked);
        }
        while let Some(asked) = stay.pop_back() {
            waiting.push_front(asked);
        }
        batch
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.visits.is_empty()
    }

    /// Two halves, the earlier one first; `None` of what cannot be parted.
    pub(crate) fn split(mut self) -> std::result::Result<(Batch, Batch), Batch> {
        if !self.asked.is_empty() && !self.visits.is_empty() {
            let visits = std::mem::take(&mut self.visits);
            let first = Batch {
                asked: Vec::new(),
                visits,
            };
            return Ok((first, self));
        }
        let (asked, visits) = (self.asked.len() / 2, self.visits.len() / 2);
        if asked + visits == 0 {
            return Err(self);
        }
        let middle = self.visits.keys().nth(visits).copied();
        let later = Batch {
            asked: self.asked.split_off(asked),
            visits: middle.map_or_else(Visits::new, |at| self.visits.split_off(&at)),
        };
        Ok((self, later))
    }

    /// Tells everybody that it failed.
    pub(crate) fn fail(self, error: &StoreError) {
        for asked in self.asked {
            // The caller may have gone.
            drop(asked.answer.send(Err(error.clone())));
        }
    }

    /// Whether it does nothing but move money: what it decides depends on nothing of an account that
    /// moving money does not check.
    pub(crate) fn only_moves(&self) -> bool {
        let moves = |asked: &Asked| {
            matches!(
                asked.submit.action,
                Action::Command(Command::CreateTransfer(_) | Command::Transfer(_))
            )
        };
        self.visits.is_empty() && self.asked.iter().all(moves)
    }

    /// What is touched, as far as facts go.
    pub(crate) fn plan(&self, facts: &mut Facts) -> (Plan, Besides) {
        let mut plan = Plan::for_commands(self.asked.len());
        let mut besides = Besides::default();
        for (owner, tenant) in &self.visits {
            facts.put_owner(*owner, *tenant);
            let touches = vec![Touch::Tenant(*tenant), Touch::Owner(*owner)];
            plan.follow(facts, *tenant, touches);
        }
        for asked in &self.asked {
            plan_submit(&asked.submit, facts, &mut plan, &mut besides);
        }
        (plan, besides)
    }

    /// What is touched by the work that commands will make due at once, now that all facts about
    /// their accounts are known.
    pub(crate) fn plan_aftermath(&self, facts: &mut Facts, plan: &mut Plan) {
        for asked in &self.asked {
            if let Action::Command(Command::CreateTransfer(create)) = &asked.submit.action {
                let mut touches = vec![Touch::Listener(create.destination)];
                if takes_rail(create, facts) {
                    let currency = create.amount.currency();
                    let system = |kind| Touch::SystemOf(create.source, kind, currency);
                    touches.extend([
                        system(SystemKind::InTransit(Rail::Simulated)),
                        system(SystemKind::World),
                    ]);
                }
                plan.follow(facts, create.tenant, touches);
            }
        }
    }
}

fn takes_rail(create: &CreateTransfer, facts: &mut Facts) -> bool {
    let mut ends = [create.source, create.destination].into_iter();
    ends.any(|id| {
        let kind = facts.account(id).map(|account| account.kind);
        matches!(kind, Some(AccountKind::External(_)))
    })
}

fn plan_submit(submit: &Submit, facts: &mut Facts, plan: &mut Plan, besides: &mut Besides) {
    let tenant = tenant_of(submit);
    besides
        .claims
        .extend(submit.claim.as_ref().map(|claim| claim.key));
    besides.clocks.extend(clock_of(submit));
    plan.follow(facts, tenant, vec![Touch::Tenant(tenant)]);
    match &submit.action {
        Action::Command(command) => plan_command(command, facts, plan, besides),
        Action::Together { command, puts } => {
            plan_command(command, facts, plan, besides);
            plan_puts(puts, facts, plan, besides);
        }
        Action::Put(puts) => plan_puts(puts, facts, plan, besides),
        Action::RevokeKey { tenant, key } => drop(besides.keys.insert((*tenant, *key))),
        Action::CreateKey(_) | Action::Refuse { .. } | Action::Look { .. } => {}
    }
}

fn plan_command(command: &Command, facts: &mut Facts, plan: &mut Plan, besides: &mut Besides) {
    if let Command::ChangeProfile(change) = command {
        besides.profiles.insert((change.tenant, change.profile));
    }
    if let Some(tenant) = command.tenant() {
        plan.follow(facts, tenant, touches(command));
    }
}

fn plan_puts(puts: &[Put], facts: &mut Facts, plan: &mut Plan, besides: &mut Besides) {
    for put in puts {
        plan.follow(facts, put.tenant, vec![Touch::Tenant(put.tenant)]);
        if let PutOwner::Known(owner) = put.owner {
            besides.owners.insert(owner);
        }
        if let PutId::Known(id) = put.id {
            besides.records.insert((put.tenant, put.kind, id));
        }
        if let Some(unique) = put.unique.filter(|_| put.body.is_some()) {
            besides.uniques.insert((put.tenant, put.kind, unique));
        }
    }
}
