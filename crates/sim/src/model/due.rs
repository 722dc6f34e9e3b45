//! Clocks, and what is done when their time has come.

use std::collections::BTreeMap;

use ledger::rule::snapshot::Answers;
use ledger::{
    BulkId, ExecutionId, HoldId, Millis, Rule, RuleId, TenantClock, TenantId, TransferId,
};

use super::{Model, Refusal, refuse_when};

/// What the ledger made by itself, which the model has no ids for.
#[derive(Default, Debug)]
pub struct Made {
    /// Transfers for operations of bulks.
    pub operations: BTreeMap<(BulkId, usize), TransferId>,
    /// Rules, as they were made from their drafts.
    pub rules: BTreeMap<RuleId, Rule>,
    /// Runs that a transfer has set off.
    pub set_off: BTreeMap<(RuleId, TransferId), ExecutionId>,
    /// Runs by the time, and when they were due.
    pub scheduled: BTreeMap<(RuleId, Millis), ExecutionId>,
    /// Transfers of runs, in order.
    pub transfers: BTreeMap<ExecutionId, Vec<TransferId>>,
}

/// Work of one kind goes before that of the next when their time is the same; within a kind the
/// older goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Step(TransferId),
    EndHold(HoldId),
    Operation(BulkId),
    Schedule(RuleId),
    Run(ExecutionId),
}

impl Model {
    /// How much is still to come: steps of transfers, ends of holds, operations of bulks, runs.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.tenants
            .keys()
            .map(|id| self.work_of(*id).count())
            .sum()
    }

    /// Does everything that is due at machine time `machine`, each tenant's in the order of time.
    ///
    /// # Panics
    /// When an operation of a bulk makes a transfer that is not in `made`: they disagree.
    pub fn run_due(&mut self, machine: Millis, made: &Made) {
        let tenants: Vec<TenantId> = self.tenants.keys().copied().collect();
        for tenant in tenants {
            while self.run_one(tenant, machine, made) {}
        }
    }

    /// Does the first of what is due for one tenant. Says whether there was anything.
    ///
    /// # Panics
    /// As [`Model::run_due`].
    pub fn run_one(&mut self, tenant: TenantId, machine: Millis, made: &Made) -> bool {
        let now = self.now(tenant, machine).expect("it exists");
        let Some((at, work)) = self.work_of(tenant).min().filter(|(at, _)| *at <= now) else {
            return false;
        };
        // Play money's history does not depend on when somebody looked.
        let at = if self.tenants[&tenant].sandbox {
            at
        } else {
            now
        };
        match work {
            Work::Step(transfer) => self.take_step(transfer, at, made),
            Work::EndHold(hold) => {
                self.holds.remove(&hold);
            }
            Work::Operation(bulk) => self.do_operation(bulk, at, made),
            Work::Schedule(rule) => self.run_rule(rule, at, made),
            Work::Run(run) => self.make_run(run, &Answers::new(), at, made),
        }
        true
    }

    /// A tenant's work, by its own clock, in no particular order.
    fn work_of(&self, tenant: TenantId) -> impl Iterator<Item = (Millis, Work)> {
        let steps = self
            .transfers
            .iter()
            .filter(move |(_, t)| t.tenant == tenant);
        let steps = steps.filter_map(|(id, t)| Some((t.next?, Work::Step(*id))));
        let ends = self.holds.iter().filter(move |(_, h)| h.tenant == tenant);
        let ends = ends.filter_map(|(id, h)| Some((h.expires_at?, Work::EndHold(*id))));
        let bulks = self.bulks.iter().filter(move |(_, b)| b.tenant == tenant);
        let bulks = bulks.filter_map(|(id, b)| Some((b.turn?, Work::Operation(*id))));
        let rules = self
            .rules
            .iter()
            .filter(move |(_, r)| r.said.tenant == tenant);
        let rules = rules.filter_map(|(id, r)| Some((r.next?, Work::Schedule(*id))));
        let runs = self.runs.iter().filter(move |(_, r)| r.tenant == tenant);
        let runs = runs.filter_map(|(id, r)| Some((r.turn?, Work::Run(*id))));
        steps.chain(ends).chain(bulks).chain(rules).chain(runs)
    }

    pub(super) fn set_clock(
        &mut self,
        id: TenantId,
        clock: TenantClock,
        machine: Millis,
    ) -> Result<(), Refusal> {
        let tenant = self.sandbox(id)?;
        let back = time(clock, machine) < time(tenant.clock, machine);
        let empty = !self.accounts.values().any(|account| account.tenant == id);
        let untouched = empty && tenant.clock == TenantClock::Running { offset_ms: 0 };
        refuse_when(back && !untouched, "clock_backwards")?;
        self.tenants.get_mut(&id).expect("found above").clock = clock;
        Ok(())
    }

    pub(super) fn move_clock(
        &mut self,
        id: TenantId,
        advance_ms: i64,
        frozen: Option<bool>,
        machine: Millis,
    ) -> Result<(), Refusal> {
        let old = self.tenant(id)?.clock;
        let target = time(old, machine).plus(advance_ms);
        let was_frozen = matches!(old, TenantClock::Frozen { .. });
        let clock = match frozen.unwrap_or(was_frozen) {
            true => TenantClock::Frozen { at: target },
            false => TenantClock::Running {
                offset_ms: target.0 - machine.0,
            },
        };
        self.set_clock(id, clock, machine)
    }

    pub(super) fn clock_to_next_due(
        &mut self,
        id: TenantId,
        machine: Millis,
    ) -> Result<(), Refusal> {
        self.sandbox(id)?;
        let (next, _) = self.work_of(id).min().ok_or("nothing_due")?;
        let wait_ms = (next.0 - self.now(id, machine)?.0).max(0);
        self.move_clock(id, wait_ms, None, machine)
    }
}

pub(super) fn time(clock: TenantClock, machine: Millis) -> Millis {
    match clock {
        TenantClock::Running { offset_ms } => machine.plus(offset_ms),
        TenantClock::Frozen { at } => at,
    }
}
